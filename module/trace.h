/* SPDX-License-Identifier: GPL-2.0-only */
/* The trace events. finack:finack_close: one per passive close, when our FIN leaves or the
 * connection ends without it. finack:finack_stall: one per stall, see stall.c. Addresses and ports
 * are named as in the kernel's tcp events: source is local.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM finack

#if !defined(FINACK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define FINACK_TRACE_H

#include <linux/sock_diag.h>
#include <linux/tracepoint.h>
#include <net/ipv6.h>

#include "end.h"
#include "hist.h"

/* which connection: the fields, what fills them in, and how they are printed */
#define FINACK_WHO_FIELDS							\
	__field(u64, sock_cookie)						\
	__field(u32, netns)							\
	__field(u16, family)							\
	__field(u16, sport)							\
	__field(u16, dport)							\
	__array(u8, saddr, 4)							\
	__array(u8, daddr, 4)							\
	__array(u8, saddr_v6, 16)						\
	__array(u8, daddr_v6, 16)

/* numbers a socket that has no cookie yet, as the kernel's own events do */
#define FINACK_WHO_ASSIGN do {							\
	struct in6_addr *saddr6 = (struct in6_addr *)__entry->saddr_v6;	\
	struct in6_addr *daddr6 = (struct in6_addr *)__entry->daddr_v6;	\
	u32 cookie[2];								\
										\
	sock_diag_save_cookie(sk, cookie);					\
	__entry->sock_cookie = (u64)cookie[1] << 32 | cookie[0];		\
	__entry->netns = sock_net(sk)->ns.inum;				\
	__entry->family = sk->sk_family;					\
	__entry->sport = ntohs(inet_sk(sk)->inet_sport);			\
	__entry->dport = ntohs(inet_sk(sk)->inet_dport);			\
	memcpy(__entry->saddr, &inet_sk(sk)->inet_saddr, 4);			\
	memcpy(__entry->daddr, &inet_sk(sk)->inet_daddr, 4);			\
	if (IS_ENABLED(CONFIG_IPV6) && sk->sk_family == AF_INET6) {		\
		*saddr6 = sk->sk_v6_rcv_saddr;					\
		*daddr6 = sk->sk_v6_daddr;					\
	} else {								\
		ipv6_addr_set_v4mapped(inet_sk(sk)->inet_saddr, saddr6);	\
		ipv6_addr_set_v4mapped(inet_sk(sk)->inet_daddr, daddr6);	\
	}									\
} while (0)

#define FINACK_WHO_FORMAT							\
	"netns=%u cookie=0x%llx family=%s saddrv6=%pI6c sport=%u daddrv6=%pI6c dport=%u"
#define FINACK_WHO_VALUES							\
	__entry->netns, __entry->sock_cookie,					\
	__print_symbolic(__entry->family, { 2, "AF_INET" }, { 10, "AF_INET6" }),	\
	__entry->saddr_v6, __entry->sport, __entry->daddr_v6, __entry->dport

TRACE_EVENT(finack_close,

	TP_PROTO(struct sock *sk, const struct finack_end *end),

	TP_ARGS(sk, end),

	TP_STRUCT__entry(
		FINACK_WHO_FIELDS
		__field(s64, ack_delay_us)
		__field(s64, fin_delay_us)
		__field(u8, outcome)
		__field(u8, reason)
		__field(u8, end)
	),

	TP_fast_assign(
		FINACK_WHO_ASSIGN;
		__entry->ack_delay_us = end->ack_delay < 0 ? -1 : finack_hist_us(end->ack_delay);
		__entry->fin_delay_us = end->fin_delay < 0 ? -1 : finack_hist_us(end->fin_delay);
		__entry->outcome = end->outcome - FINACK_MERGED;
		__entry->reason = end->reason ? end->reason - FINACK_SEP_TIMER + 1 : 0;
		__entry->end = end->end - FINACK_END_CLOSE;
	),

	TP_printk(FINACK_WHO_FORMAT " outcome=%s reason=%s end=%s ack_delay_us=%lld fin_delay_us=%lld",
		  FINACK_WHO_VALUES,
		  __print_symbolic(__entry->outcome,
				   { 0, "merged" }, { 1, "separate" }, { 2, "unacked" }),
		  __print_symbolic(__entry->reason, { 0, "-" },
				   { 1, "timer" }, { 2, "no-ato" }, { 3, "route" }, { 4, "now" },
				   { 5, "app" }, { 6, "data" }, { 7, "policy" }, { 8, "held" },
				   { 9, "unknown" }),
		  __print_symbolic(__entry->end,
				   { 0, "close" }, { 1, "shutdown" }, { 2, "exit" },
				   { 3, "reset-in" }, { 4, "reset-out" }, { 5, "other" }),
		  __entry->ack_delay_us, __entry->fin_delay_us)
);

TRACE_EVENT(finack_stall,

	TP_PROTO(struct sock *sk, int side, u64 lost_us),

	TP_ARGS(sk, side, lost_us),

	TP_STRUCT__entry(
		FINACK_WHO_FIELDS
		__field(u64, lost_us)
		__field(u8, side)
	),

	TP_fast_assign(
		FINACK_WHO_ASSIGN;
		__entry->lost_us = lost_us;
		__entry->side = side;
	),

	TP_printk(FINACK_WHO_FORMAT " side=%s lost_us=%llu",
		  FINACK_WHO_VALUES,
		  __print_symbolic(__entry->side, { 0, "local" }, { 1, "peer" }),
		  __entry->lost_us)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
