// SPDX-License-Identifier: GPL-2.0-only
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>

#include "packet.h"

static uint32_t sum(uint32_t start, const void *data, size_t n)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < n; i++)
		start += i % 2 ? p[i] : p[i] << 8;
	return start;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons(~s);
}

static size_t put_options(const struct packet *p, uint8_t *opt)
{
	size_t n = 0;

	if (p->mss) {
		opt[n++] = TCPOPT_MAXSEG;
		opt[n++] = TCPOLEN_MAXSEG;
		opt[n++] = p->mss >> 8;
		opt[n++] = p->mss & 0xff;
	}
	if (p->fastopen) {
		opt[n++] = 34; /* TCP Fast Open Cookie, RFC 7413 4.1.1 */
		opt[n++] = 2 + p->fastopen_len;
		memcpy(opt + n, p->fastopen, p->fastopen_len);
		n += p->fastopen_len;
	}
	while (n % 4)
		opt[n++] = TCPOPT_NOP;
	return n;
}

size_t packet_build(const struct packet *p, uint8_t *buf)
{
	size_t hdr = p->family == AF_INET ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	size_t addr = p->family == AF_INET ? 4 : 16;
	struct tcphdr *th = (void *)(buf + hdr);
	size_t tcp_len;
	uint32_t s;

	memset(buf, 0, hdr + sizeof(*th));
	tcp_len = sizeof(*th) + put_options(p, (uint8_t *)(th + 1));
	th->doff = tcp_len / 4;
	memset((uint8_t *)th + tcp_len, 'x', p->len);
	tcp_len += p->len;
	th->source = htons(p->port[0]);
	th->dest = htons(p->port[1]);
	th->seq = htonl(p->seq);
	th->ack_seq = htonl(p->ack);
	((uint8_t *)th)[13] = p->flags;
	th->window = htons(p->window);
	if (p->family == AF_INET) {
		struct iphdr *ip = (void *)buf;

		ip->version = 4;
		ip->ihl = 5;
		ip->tos = p->tos;
		ip->tot_len = htons(hdr + tcp_len);
		ip->ttl = 64;
		ip->protocol = IPPROTO_TCP;
		memcpy(&ip->saddr, &p->addr[0], 4);
		memcpy(&ip->daddr, &p->addr[1], 4);
		ip->check = fold(sum(0, ip, sizeof(*ip)));
	} else {
		struct ip6_hdr *ip = (void *)buf;

		ip->ip6_vfc = 6 << 4;
		ip->ip6_plen = htons(tcp_len);
		ip->ip6_nxt = IPPROTO_TCP;
		ip->ip6_hlim = 64;
		ip->ip6_src = p->addr[0];
		ip->ip6_dst = p->addr[1];
	}
	/* pseudo header, RFC 9293 3.1 */
	s = sum(IPPROTO_TCP + tcp_len, &p->addr[0], addr);
	s = sum(s, &p->addr[1], addr);
	th->check = fold(sum(s, th, tcp_len));
	return hdr + tcp_len;
}
