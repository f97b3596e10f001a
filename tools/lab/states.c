// SPDX-License-Identifier: GPL-2.0-only
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "states.h"

#define UNSEEN -1

static int open_diag(int ns)
{
	if (net_enter(ns))
		return -1;
	return socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

int states_begin(struct states *s, const struct net *n)
{
	memset(s, 0, sizeof(*s));
	s->diag[0] = open_diag(n->client);
	s->diag[1] = open_diag(n->server); /* last, because it is the caller's own namespace */
	s->last[0] = UNSEEN;
	s->last[1] = UNSEEN;
	return s->diag[0] < 0 || s->diag[1] < 0 ? -1 : 0;
}

static void identify(struct inet_diag_sockid *id, const struct sockaddr_storage *local,
		     const struct sockaddr_storage *remote)
{
	if (local->ss_family == AF_INET) {
		const struct sockaddr_in *from = (const void *)local, *to = (const void *)remote;

		memcpy(id->idiag_src, &from->sin_addr, 4);
		memcpy(id->idiag_dst, &to->sin_addr, 4);
		id->idiag_sport = from->sin_port;
		id->idiag_dport = to->sin_port;
	} else {
		const struct sockaddr_in6 *from = (const void *)local, *to = (const void *)remote;

		memcpy(id->idiag_src, &from->sin6_addr, 16);
		memcpy(id->idiag_dst, &to->sin6_addr, 16);
		id->idiag_sport = from->sin6_port;
		id->idiag_dport = to->sin6_port;
	}
	id->idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

/* Return: the state, 0 if there is no such socket, UNSEEN if the kernel cannot be asked */
static int ask(int diag, const struct sockaddr_storage *local,
	       const struct sockaddr_storage *remote, unsigned int *left_ms)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 r;
	} q = {
		.h = {
			.nlmsg_len = sizeof(q),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.r = {
			.sdiag_family = local->ss_family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = -1,
		},
	};
	struct {
		struct nlmsghdr h;
		struct inet_diag_msg m;
		char rest[1024];
	} a;
	ssize_t n;

	identify(&q.r.id, local, remote);
	if (send(diag, &q, sizeof(q), 0) < 0)
		return UNSEEN;
	n = recv(diag, &a, sizeof(a), 0);
	if (n < (ssize_t)(sizeof(a.h) + sizeof(a.m)) || a.h.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	*left_ms = a.m.idiag_expires;
	/* it was closed after it was found: tcp_set_state() unhashes a socket before it is CLOSE */
	return a.m.idiag_state == TCP_CLOSE ? 0 : a.m.idiag_state;
}

void states_ask(struct states *s, const struct sockaddr_storage end[2], uint64_t now)
{
	unsigned int left_ms = 0;
	int i, tcp;

	for (i = 0; i < 2; i++) {
		if (s->diag[i] < 0 || !s->last[i])
			continue;
		tcp = ask(s->diag[i], &end[i], &end[!i], &left_ms);
		if (tcp == s->last[i] || tcp == UNSEEN || (!tcp && s->last[i] == UNSEEN))
			continue;
		s->last[i] = tcp;
		if (s->n < STATES_MAX)
			s->row[s->n++] = (struct state){ now, i, tcp, left_ms };
	}
}

int states_last(const struct states *s, bool server)
{
	return s->last[server];
}

void states_end(struct states *s)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (s->diag[i] > 0)
			close(s->diag[i]);
		s->diag[i] = -1;
	}
}

const char *states_name(int tcp)
{
	static const char * const name[] = {
		"gone",
		[TCP_ESTABLISHED] = "ESTABLISHED",
		[TCP_SYN_SENT] = "SYN_SENT",
		[TCP_SYN_RECV] = "SYN_RECV",
		[TCP_FIN_WAIT1] = "FIN_WAIT_1",
		[TCP_FIN_WAIT2] = "FIN_WAIT_2",
		[TCP_TIME_WAIT] = "TIME_WAIT",
		[TCP_CLOSE] = "CLOSE",
		[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCP_LAST_ACK] = "LAST_ACK",
		[TCP_LISTEN] = "LISTEN",
		[TCP_CLOSING] = "CLOSING",
	};

	return tcp >= 0 && tcp < (int)(sizeof(name) / sizeof(*name)) && name[tcp] ? name[tcp] : "?";
}
