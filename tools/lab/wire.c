// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define BUCKETS 4096

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static uint32_t end_of(const struct wire_seg *s)
{
	return s->seq + s->len + !!(s->flags & WIRE_SYN) + !!(s->flags & WIRE_FIN);
}

/* bytes before the IP header, or -1 for a link type that is not known */
static int link_header(int dlt)
{
	switch (dlt) {
	case DLT_EN10MB:
		return sizeof(struct ether_header);
	case DLT_LINUX_SLL:
		return SLL_HDR_LEN;
	case DLT_LINUX_SLL2:
		return SLL2_HDR_LEN;
	case DLT_RAW:
		return 0;
	default:
		return -1;
	}
}

struct ends {
	int family;
	struct in6_addr addr[2];	/* from, to */
	uint16_t port[2];
};

/* The headers are copied, because they are not aligned after an Ethernet header.
 * Return: whether this is TCP; *len is the length of the TCP header and the data
 */
static bool parse_ip(const uint8_t *p, size_t caplen, struct ends *e, struct tcphdr *th,
		     size_t *len)
{
	struct ip6_hdr ip6;
	struct iphdr ip;
	size_t hdr;

	memset(e, 0, sizeof(*e));
	if (caplen >= sizeof(ip) && p[0] >> 4 == 4) {
		memcpy(&ip, p, sizeof(ip));
		hdr = ip.ihl * 4;
		if (ip.protocol != IPPROTO_TCP || ntohs(ip.tot_len) < hdr)
			return false;
		e->family = AF_INET;
		memcpy(&e->addr[0], &ip.saddr, 4);
		memcpy(&e->addr[1], &ip.daddr, 4);
		*len = ntohs(ip.tot_len) - hdr;
	} else if (caplen >= sizeof(ip6) && p[0] >> 4 == 6) {
		memcpy(&ip6, p, sizeof(ip6));
		hdr = sizeof(ip6);
		if (ip6.ip6_nxt != IPPROTO_TCP)
			return false;
		e->family = AF_INET6;
		e->addr[0] = ip6.ip6_src;
		e->addr[1] = ip6.ip6_dst;
		*len = ntohs(ip6.ip6_plen);
	} else {
		return false;
	}
	if (caplen < hdr + sizeof(*th))
		return false;
	memcpy(th, p + hdr, sizeof(*th));
	e->port[0] = ntohs(th->source);
	e->port[1] = ntohs(th->dest);
	return *len >= th->doff * 4u;
}

/* Return: 0 or 1, the side that sends from e->addr[0]; -1 if c is another connection */
static int side_of(const struct wire_conn *c, const struct ends *e)
{
	int s;

	for (s = 0; s < 2; s++)
		if (c->family == e->family &&
		    c->port[0] == e->port[s] && c->port[1] == e->port[!s] &&
		    !memcmp(&c->addr[0], &e->addr[s], sizeof(e->addr[0])) &&
		    !memcmp(&c->addr[1], &e->addr[!s], sizeof(e->addr[0])))
			return s;
	return -1;
}

/* Return: whether there is room for one segment more */
static bool make_room(struct wire_conn *c)
{
	const size_t room = c->room ? c->room * 2 : 16;
	struct wire_seg *seg;

	if (c->n < c->room)
		return true;
	seg = realloc(c->seg, room * sizeof(*seg));
	if (!seg)
		return false;
	c->seg = seg;
	c->room = room;
	return true;
}

static struct wire_conn *new_conn(struct wire *w, const struct ends *e, struct wire_conn **bucket)
{
	struct wire_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->family = e->family;
	memcpy(c->addr, e->addr, sizeof(c->addr));
	memcpy(c->port, e->port, sizeof(c->port));
	c->older = *bucket;
	*bucket = c;
	/* room is for a power of two, and doubled when it is full */
	if (!(w->n & (w->n - 1))) {
		struct wire_conn **v = realloc(w->conn, (w->n ? w->n * 2 : 1) * sizeof(*v));

		if (!v)
			return NULL;
		w->conn = v;
	}
	w->conn[w->n++] = c;
	return c;
}

/* the connection of a segment: the newest with its ends, unless a SYN begins another */
static struct wire_conn *conn_of(struct wire *w, const struct ends *e, const struct tcphdr *th,
				 int *side)
{
	struct wire_conn **bucket = &w->bucket[(e->port[0] ^ e->port[1]) % BUCKETS];
	struct wire_conn *c;

	for (c = *bucket; c; c = c->older) {
		*side = side_of(c, e);
		if (*side >= 0)
			break;
	}
	if (c && th->syn && !th->ack && c->seg[0].seq != ntohl(th->seq))
		c = NULL;
	if (c)
		return c;
	*side = 0;
	return new_conn(w, e, bucket);
}

/* Whether other captured segments of its side cover all of its sequence space. If they do not, it
 * was sent once and captured late.
 */
static bool sent_already(const struct wire_conn *c, const struct wire_seg *s)
{
	uint32_t at = s->seq, end = end_of(s);
	size_t i = 0;

	while (i < c->n && after(end, at)) {
		const struct wire_seg *t = &c->seg[i++];

		if (t == s || t->side != s->side || after(t->seq, at) || !after(end_of(t), at))
			continue;
		at = end_of(t);
		i = 0;
	}
	return !after(end, at);
}

static int add_segment(struct wire *w, const struct pcap_pkthdr *h, const uint8_t *ip,
		       size_t caplen)
{
	struct wire_conn *c;
	struct wire_seg *s;
	struct tcphdr th;
	struct ends e;
	uint32_t end;
	size_t len;
	int side;

	if (!parse_ip(ip, caplen, &e, &th, &len))
		return 0;
	c = conn_of(w, &e, &th, &side);
	if (!c)
		return -1;
	if (!make_room(c))
		return -1;
	s = &c->seg[c->n++];
	s->ns = h->ts.tv_sec * 1000000000ULL + h->ts.tv_usec; /* opened with nanoseconds */
	s->seq = ntohl(th.seq);
	s->ack = ntohl(th.ack_seq);
	s->len = len - th.doff * 4;
	s->flags = ((const uint8_t *)&th)[13];
	s->side = side;
	end = end_of(s);
	s->again = end != s->seq && c->seen[side] && !after(end, c->top[side]) &&
		   sent_already(c, s);
	if (!c->seen[side] || after(end, c->top[side]))
		c->top[side] = end;
	c->seen[side] = 1;
	return 0;
}

int wire_read(struct wire *w, const char *path, char *err, size_t size)
{
	char errbuf[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *h;
	const uint8_t *data;
	int hdr, rc;
	pcap_t *p;

	memset(w, 0, sizeof(*w));
	w->bucket = calloc(BUCKETS, sizeof(*w->bucket));
	p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, errbuf);
	if (!p || !w->bucket) {
		snprintf(err, size, "%s: %s", path, p ? strerror(ENOMEM) : errbuf);
		if (p)
			pcap_close(p);
		return -1;
	}
	hdr = link_header(pcap_datalink(p));
	if (hdr < 0) {
		snprintf(err, size, "%s: link type %d is not known", path, pcap_datalink(p));
		pcap_close(p);
		return -1;
	}
	while ((rc = pcap_next_ex(p, &h, &data)) == 1) {
		if (h->caplen >= (size_t)hdr && add_segment(w, h, data + hdr, h->caplen - hdr)) {
			snprintf(err, size, "%s: %s", path, strerror(ENOMEM));
			pcap_close(p);
			return -1;
		}
	}
	if (rc != PCAP_ERROR_BREAK)
		snprintf(err, size, "%s: %s", path, pcap_geterr(p));
	pcap_close(p);
	return rc == PCAP_ERROR_BREAK ? 0 : -1;
}

void wire_free(struct wire *w)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		free(w->conn[i]->seg);
		free(w->conn[i]);
	}
	free(w->conn);
	free(w->bucket);
	memset(w, 0, sizeof(*w));
}

/* the first FIN of a side, or the number of segments */
static size_t first_fin(const struct wire_conn *c, int side)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->seg[i].side == side && c->seg[i].flags & WIRE_FIN)
			break;
	return i;
}

static bool covers(const struct wire_seg *s, uint32_t end)
{
	return s->flags & WIRE_ACK && !after(end, s->ack);
}

/* who sent the first FIN: the other side's FIN ACKs it, in whatever order they were captured */
static int active_side(const struct wire_conn *c, const size_t fin[2])
{
	int first = fin[0] > fin[1];

	if (fin[0] == c->n && fin[1] == c->n)
		return -1;
	if (fin[!first] != c->n && covers(&c->seg[fin[first]], end_of(&c->seg[fin[!first]])) &&
	    !covers(&c->seg[fin[!first]], end_of(&c->seg[fin[first]])))
		return !first;
	return first;
}

/* Whether one side sent @s before @t, though @t was captured first. A segment that was sent again
 * does not tell, because it may have been sent at any time. Nor does a window or keepalive probe: a
 * pure ACK with a sequence number below @una, which the other side has ACKed by then. There are no
 * more probes when a FIN is ACKed.
 */
static bool sent_before(const struct wire_seg *s, const struct wire_seg *t, uint32_t una)
{
	bool s_pure = end_of(s) == s->seq, t_pure = end_of(t) == t->seq;

	if (s->again || t->again || (s_pure && t_pure))
		return false;
	if (s_pure)
		return !after(s->seq, t->seq) && (t->flags & WIRE_FIN || !after(una, s->seq));
	return t_pure ? !after(end_of(s), t->seq) : after(end_of(t), end_of(s));
}

struct wire_close wire_close(const struct wire_conn *c)
{
	const size_t fins[2] = { first_fin(c, 0), first_fin(c, 1) };
	struct wire_close r = { .active = active_side(c, fins), .own_fin = c->n, .ack = c->n };
	uint32_t fin_end, una = 0;
	size_t i, reset = c->n;
	bool acked = false;

	if (r.active < 0) {
		r.ack = 0;
		return r;
	}
	r.fin = fins[r.active];
	r.own_fin = fins[!r.active];
	fin_end = end_of(&c->seg[r.fin]);
	for (i = 0; i < c->n; i++) {
		const struct wire_seg *s = &c->seg[i];

		if (s->side == r.active && s->flags & WIRE_ACK && (!acked || after(s->ack, una))) {
			acked = true;
			una = s->ack;
		}
		if (i < r.fin && i < r.own_fin)
			continue;
		r.segments += !s->again;
		if (s->flags & WIRE_RST && reset == c->n)
			reset = i;
		if (s->side == r.active || s->flags & WIRE_RST || !covers(s, fin_end))
			continue;
		/* nothing is sent after a RST: this was sent before, whenever it was captured */
		if (r.ack == c->n || sent_before(s, &c->seg[r.ack], una))
			r.ack = i;
	}
	r.rst = reset != c->n;
	r.rst_side = r.rst ? c->seg[reset].side : 0;
	if (r.own_fin != c->n && !covers(&c->seg[r.own_fin], fin_end)) {
		r.outcome = WIRE_SIMULTANEOUS;
		r.ack = r.own_fin;
	} else if (r.ack != c->n) {
		r.outcome = c->seg[r.ack].flags & WIRE_FIN ? WIRE_MERGED : WIRE_SEPARATE;
	} else if (r.rst) {
		r.outcome = WIRE_UNACKED;
		r.ack = reset;
	}
	r.data_with_ack = r.ack != c->n && c->seg[r.ack].len;
	return r;
}

bool wire_ended(const struct wire_conn *c)
{
	bool fin_acked[2] = {}, fin[2] = {};
	uint32_t fin_end[2];
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct wire_seg *s = &c->seg[i];

		if (s->flags & WIRE_RST)
			return true;
		if (s->flags & WIRE_FIN) {
			fin[s->side] = true;
			fin_end[s->side] = s->seq + s->len + 1;
		}
		if (s->flags & WIRE_ACK && fin[!s->side] && !after(fin_end[!s->side], s->ack))
			fin_acked[!s->side] = true;
	}
	return fin_acked[0] && fin_acked[1];
}

const char *wire_outcome_name(enum wire_outcome o)
{
	static const char * const name[] = {
		[WIRE_OPEN] = "open",
		[WIRE_MERGED] = "merged",
		[WIRE_SEPARATE] = "separate",
		[WIRE_UNACKED] = "unacked",
		[WIRE_SIMULTANEOUS] = "simultaneous",
	};

	return name[o];
}
