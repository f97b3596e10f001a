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

/* The headers are copied: behind that of Ethernet they are not aligned.
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

static void *grown(void *p, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return p;
	*room = *room ? *room * 2 : 16;
	return realloc(p, *room * size);
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
	/* a power of two each time it is full */
	if (!(w->n & (w->n - 1))) {
		struct wire_conn **v = realloc(w->conn, (w->n ? w->n * 2 : 1) * sizeof(*v));

		if (!v)
			return NULL;
		w->conn = v;
	}
	w->conn[w->n++] = c;
	return c;
}

/* the connection of a segment: the newest with its ends, unless it begins another */
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
	c->seg = grown(c->seg, c->n, &c->room, sizeof(*c->seg));
	if (!c->seg)
		return -1;
	s = &c->seg[c->n++];
	s->ns = h->ts.tv_sec * 1000000000ULL + h->ts.tv_usec; /* opened with nanoseconds */
	s->seq = ntohl(th.seq);
	s->ack = ntohl(th.ack_seq);
	s->len = len - th.doff * 4;
	s->flags = ((const uint8_t *)&th)[13];
	s->side = side;
	end = s->seq + s->len + !!th.syn + !!th.fin;
	s->again = end != s->seq && c->seen[side] && !after(end, c->top[side]);
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

struct wire_close wire_close(const struct wire_conn *c)
{
	struct wire_close r = { .active = -1, .own_fin = c->n };
	uint32_t fin_end;
	size_t i;

	for (i = 0; i < c->n && !(c->seg[i].flags & WIRE_FIN); i++)
		;
	if (i == c->n)
		return r;
	r.fin = i;
	r.active = c->seg[i].side;
	fin_end = c->seg[i].seq + c->seg[i].len + !!(c->seg[i].flags & WIRE_SYN) + 1;
	for (; i < c->n; i++) {
		const struct wire_seg *s = &c->seg[i];
		bool answer = s->side != r.active;

		r.segments += !s->again;
		if (s->flags & WIRE_RST && !r.rst) {
			r.rst = true;
			r.rst_side = s->side;
		}
		if (answer && s->flags & WIRE_FIN && r.own_fin == c->n)
			r.own_fin = i;
		if (r.outcome != WIRE_OPEN)
			continue;
		if (s->flags & WIRE_RST)
			r.outcome = WIRE_UNACKED;
		else if (answer && s->flags & WIRE_ACK && !after(fin_end, s->ack))
			r.outcome = s->flags & WIRE_FIN ? WIRE_MERGED : WIRE_SEPARATE;
		else if (answer && s->flags & WIRE_FIN)
			r.outcome = WIRE_SIMULTANEOUS;
		if (r.outcome != WIRE_OPEN) {
			r.ack = i;
			r.data_with_ack = s->len;
		}
	}
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
