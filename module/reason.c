// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why an ACK of the peer's FIN left without our own FIN, and when. Only reads the socket.
 *
 * tcp_send_ack() has several callers. Each leaves a different trace in icsk_ack.pending:
 *  - the receive path, for a segment whose ACK is due at once: ICSK_ACK_TIMER is not set yet for
 *    this FIN;
 *  - the delayed-ACK timer: set when its handler is entered, cleared when it sends;
 *  - a system call (TCP_QUICKACK, a read that moves the window): still set, and the socket is owned
 *    by a process that is neither processing its backlog nor sending an ACK that was deferred to
 *    the end of the backlog (tcp_release_cb(), since 6.7, with softirqs off).
 */
#include <net/dst.h>
#include <net/tcp.h>

#include "compat.h"
#include "outcome.h"
#include "reason.h"

/**
 * finack_delack_ticks() - the delay that tcp_send_delayed_ack() would set now
 * @sk: the socket
 *
 * Return: the delay, in ticks.
 */
u32 finack_delack_ticks(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	unsigned long ato = icsk->icsk_ack.ato, most = HZ / 2, rtt;

	if (ato > TCP_DELACK_MIN) {
		if (inet_csk_in_pingpong_mode((struct sock *)sk) ||
		    icsk->icsk_ack.pending & ICSK_ACK_PUSHED)
			most = TCP_DELACK_MAX;
		rtt = usecs_to_jiffies(tcp_sk(sk)->srtt_us >> 3);
		if (tcp_sk(sk)->srtt_us)
			most = min(most, max_t(unsigned long, rtt, TCP_DELACK_MIN));
		ato = min(ato, most);
	}
	return min_t(unsigned long, ato, finack_delack_max(sk));
}

/**
 * finack_delack_is_due() - whether tcp_send_delayed_ack() would send instead of delaying
 * @sk: the socket
 *
 * It sends if the timer fires within a quarter of the delay that would be set now.
 *
 * Return: true if so.
 */
bool finack_delack_is_due(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return icsk->icsk_ack.pending & ICSK_ACK_TIMER &&
	       time_before_eq(finack_delack_timeout(icsk),
			      jiffies + (finack_delack_ticks(sk) >> 2));
}

/* Segments sent since the peer's FIN was accepted, or since ours was queued. *data: with data. */
static u32 segs_since(const struct sock *sk, const struct finack_rec *rec, u32 *data)
{
	*data = tcp_sk(sk)->data_segs_out - rec->data_segs_out;
	return tcp_sk(sk)->segs_out - rec->segs_out;
}

static bool route_quickack(const struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get((struct sock *)sk);

	return dst && dst_metric(dst, RTAX_QUICKACK);
}

/* Whether an ACK is due at once (__tcp_ack_snd_check) for other reasons than the route.
 * TCP_QUICKACK does not count while a FIN is processed: tcp_fin() has just ended that mode.
 */
static bool due_at_once(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	return icsk->icsk_ack.pending & ICSK_ACK_NOW ||
	       tp->rcv_nxt - tp->rcv_wup > icsk->icsk_ack.rcv_mss;
}

/* Whether the backlog, segments that came while a process owned the socket, is being processed:
 * __release_sock() first takes them off the list, and last clears the sum of their sizes.
 */
static bool in_backlog(const struct sock *sk)
{
	return READ_ONCE(sk->sk_backlog.len) && !READ_ONCE(sk->sk_backlog.head);
}

/**
 * finack_ack_deferred() - whether the ACK of a FIN leaves after the backlog is processed
 * @sk: the socket, the FIN just accepted
 *
 * Since 6.7 an immediate ACK of what came while a process owned the socket is left to
 * tcp_release_cb() (TCP_ACK_DEFERRED). There tcp_send_ack() is inlined.
 *
 * Return: true if so. Before 6.7 such an ACK leaves at once.
 */
bool finack_ack_deferred(const struct sock *sk)
{
	return sock_owned_by_user_nocheck(sk) && (route_quickack(sk) || due_at_once(sk));
}

/**
 * finack_reason_timer() - the delayed-ACK timer fires
 * @sk: the socket, tcp_delack_timer_handler() just entered, the FIN not ACKed
 * @rec: its record
 *
 * icsk_ack.ato is 0 if no data ever came (tcp_event_data_recv). The handler will change it.
 *
 * Return: the reason for the ACK if the timer sends one now, else 0.
 */
enum finack_mib_id finack_reason_timer(const struct sock *sk, const struct finack_rec *rec)
{
	if (!(inet_csk(sk)->icsk_ack.pending & ICSK_ACK_TIMER))
		return 0;
	if (rec->held)
		return FINACK_SEP_HELD;
	return inet_csk(sk)->icsk_ack.ato ? FINACK_SEP_TIMER : FINACK_SEP_NO_ATO;
}

/**
 * finack_reason_ack() - why a pure ACK leaves
 * @sk: the socket, tcp_send_ack() just entered, the FIN not ACKed
 * @rec: its record
 *
 * Return: the reason; FINACK_SEP_UNKNOWN if it must be the timer, whose handler was not seen.
 */
enum finack_mib_id finack_reason_ack(const struct sock *sk, const struct finack_rec *rec)
{
	u8 pending = inet_csk(sk)->icsk_ack.pending;
	bool route = route_quickack(sk);

	if (rec->cause == FINACK_SEP_POLICY)
		return FINACK_SEP_POLICY;
	if (!(pending & ICSK_ACK_TIMER)) {
		if (rec->cause)
			return rec->cause;
		/* while the FIN is being processed, the clock is where it was when the FIN came */
		if (!route && tcp_sk(sk)->tcp_clock_cache != rec->fin_ns && !due_at_once(sk))
			return FINACK_SEP_UNKNOWN;
	} else if (sock_owned_by_user_nocheck(sk) && !(pending & ICSK_ACK_NOW) &&
		   !in_backlog(sk) && !softirq_count()) {
		return FINACK_SEP_APP;
	}
	return route ? FINACK_SEP_ROUTE : FINACK_SEP_NOW;
}

/**
 * finack_reason_covered() - why a FIN is already ACKed, if no hook saw the ACK leave
 * @sk: the socket
 * @rec: its record
 * @ack_now: tcp_send_ack() was just entered
 * @ns: set to the time when the ACK left, 0 if that is not known
 *
 * Data segments pass no hook. If only data was sent since the FIN, data carried the ACK. Where
 * tcp_send_ack() is inlined and gcc has not split it (finack_carrier_find()), some pure ACKs pass
 * no hook either. Two kinds of them are recognized by the state of the socket when the FIN came.
 * The rest are pure ACKs that a hook missed, window or keepalive probes (tcp_xmit_probe_skb) or,
 * in later kernels, challenge ACKs (tcp_send_ack_reflect_ect). DCTCP makes a FIN look ACKed too
 * soon, see finack_fin_acked().
 *
 * Return: FINACK_SEP_DATA, _POLICY, _NOW, _ROUTE or _UNKNOWN.
 */
enum finack_mib_id finack_reason_covered(const struct sock *sk, const struct finack_rec *rec,
					 bool ack_now, u64 *ns)
{
	u32 data, all = segs_since(sk, rec, &data);

	*ns = 0;
	if (data && (data == all || rec->waiting)) {
		*ns = finack_sent_ns(sk, rec->snd_nxt, all == 1);
		return FINACK_SEP_DATA;
	}
	if (rec->cause == FINACK_SEP_POLICY)
		return FINACK_SEP_POLICY;
	if (ack_now && inet_csk(sk)->icsk_ack.pending & ICSK_ACK_NOW) {
		*ns = ktime_get_ns();
		return FINACK_SEP_NOW;
	}
	if (rec->ack_due && all == 1 && !rec->waiting) {
		/* tcp_send_delayed_ack() sent it */
		*ns = rec->fin_ns;
		return FINACK_SEP_NOW;
	}
	if (rec->deferred && all == 1 && !rec->waiting)
		return route_quickack(sk) ? FINACK_SEP_ROUTE : FINACK_SEP_NOW;
	return FINACK_SEP_UNKNOWN;
}

/**
 * finack_reason_name() - a reason in one word, as in the trace event
 * @reason: FINACK_SEP_*
 *
 * Return: the word.
 */
const char *finack_reason_name(enum finack_mib_id reason)
{
	static const char * const names[] = {
		"timer", "no-ato", "route", "now", "app", "data", "policy", "held", "unknown"
	};

	BUILD_BUG_ON(ARRAY_SIZE(names) != FINACK_SEP_UNKNOWN - FINACK_SEP_TIMER + 1);
	return names[reason - FINACK_SEP_TIMER];
}
