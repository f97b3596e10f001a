// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controls decide, in the kernel's place, when an ACK leaves. Each redirects one of the
 * kernel's own decisions at the moment when the kernel makes it:
 *
 *   tcp_send_delayed_ack()      fin_ack=1, quickack=1: it becomes tcp_send_ack()
 *   tcp_send_ack(),             fin_ack=2: the ACK of a FIN does not leave yet; they become
 *   tcp_delack_timer_handler()  tcp_send_delayed_ack()
 *   after tcp_send_delayed_ack  the bounds and the hold: the timer just armed is moved
 *
 * So a counter of the controls moves only where the kernel would have done something else. The
 * controls write only this timer and the flags that say that it is armed. When the timer fires, it
 * needs nothing of finack.
 *
 * A hold lasts only as long as the ping-pong mode that tcp_fin() enters. The socket leaves it if
 * the application asks for its ACK (TCP_QUICKACK) or if the peer sends its FIN again.
 */
#include <linux/jiffies.h>

#include "bounds.h"
#include "compat.h"
#include "learn.h"
#include "net.h"
#include "outcome.h"
#include "policy.h"
#include "port.h"
#include "reason.h"

/* the interval at which a hold checks whether it is still wanted, in ticks */
#define LOOK	msecs_to_jiffies(8)

/* The delay of an ACK has to be below half a second (RFC 1122 4.2.3.2). A timer fires within the
 * tick after it expires; one more tick is for timers that fire late.
 */
#define HOLD_LIMIT_NS	(NSEC_PER_SEC / 2 - 2 * TICK_NSEC)

static bool owes_ack_of_fin(const struct sock *sk)
{
	return 1 << sk->sk_state & (TCPF_CLOSE_WAIT | TCPF_LAST_ACK) && !finack_fin_acked(sk);
}

/* Whether queued data, and an ACK with it, is about to leave: the peer's window and the congestion
 * window have room, and Nagle does not hold the data. Only pacing or a full queue delays it.
 */
static bool data_about_to_leave(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb = tcp_send_head(sk);

	if (!skb || tcp_packets_in_flight(tp) >= tcp_snd_cwnd(tp) ||
	    after(TCP_SKB_CB(skb)->end_seq, tcp_wnd_end(tp)))
		return false;
	/* tcp_nagle_test() */
	return !tcp_skb_is_last(sk, skb) || skb->len >= tp->mss_cache ||
	       TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN || tp->nonagle & TCP_NAGLE_PUSH ||
	       (!(tp->nonagle & TCP_NAGLE_CORK) && (tp->nonagle || !tp->packets_out));
}

/* How much longer the ACK of the peer's FIN may be held, in nanoseconds; 0 or less: no longer. If
 * data before the FIN waits for the same ACK, it may have waited as long as a delayed ACK can, and
 * the limit is that much shorter.
 */
static s64 hold_left(const struct finack_net *fn, const struct sock *sk,
		     const struct finack_rec *rec)
{
	u64 hold = READ_ONCE(fn->knobs.fin_hold_ms) * (u64)NSEC_PER_MSEC, limit = HOLD_LIMIT_NS;
	unsigned long waited;
	u32 own = finack_own_maximum(sk);

	if (own) /* the kernel's timer for this maximum fires within its last tick */
		hold = min(hold, (own - 1) * (u64)TICK_NSEC);

	if (rec->data_waits) {
		waited = max_t(unsigned long, TCP_DELACK_MAX,
			       finack_delay_ticks(READ_ONCE(fn->knobs.delack_min_ms)));
		limit -= min(limit, waited * (u64)TICK_NSEC);
	}
	return rec->fin_ns + min(hold, limit) - ktime_get_ns();
}

/* Whether fin_ack=3 holds the ACK. That is decided once for each close. */
static bool is_worth_it(struct finack_rec *rec)
{
	if (rec->learn == FINACK_LEARN_NOT)
		rec->learn = finack_learn_holds(rec) ? FINACK_LEARN_HOLD : FINACK_LEARN_LEAVE;
	return rec->learn == FINACK_LEARN_HOLD;
}

/* The record of the socket's close if the ACK of the FIN has to be held, else NULL. */
static struct finack_rec *to_be_held(struct finack_net *fn, struct sock *sk)
{
	int fin_ack = READ_ONCE(fn->knobs.fin_ack);
	struct finack_rec *rec;

	if (fin_ack < FINACK_FIN_ACK_HOLD || !owes_ack_of_fin(sk) ||
	    !inet_csk_in_pingpong_mode(sk) || !finack_knobs_apply(fn, sk))
		return NULL;
	rec = finack_track_find(sk);
	return rec && fin_ack == FINACK_FIN_ACK_LEARN && !is_worth_it(rec) ? NULL : rec;
}

/* Sends an ACK at once for quickack, 1 or 2. */
static bool quickack_sends_now(struct finack_net *fn, struct sock *sk)
{
	int quickack = READ_ONCE(fn->knobs.quickack);
	bool learns = quickack == FINACK_QUICKACK_LEARN;
	unsigned int row = 0;

	if (!quickack)
		return false;
	if (learns) {
		row = sk->sk_state == TCP_ESTABLISHED ? finack_learn_quick(fn, sk) : 0;
		if (!row)
			return false;
	}
	if (!finack_knobs_apply(fn, sk) || finack_delack_is_due(sk) || data_about_to_leave(sk))
		return false;
	if (learns && !finack_learn_sends_now(fn, row, sk))
		return false;
	if (learns)
		finack_inc(fn, FINACK_QUICK_AUTO);
	finack_inc(fn, FINACK_QUICKACK);
	finack_port_inc(row ?: finack_port_of(fn, sk), FINACK_PORT_QUICKACK);
	return true;
}

/* Sends the ACK of a FIN at once for fin_ack=1. */
static bool fin_ack_sends_now(struct finack_net *fn, struct sock *sk)
{
	if (!finack_knobs_apply(fn, sk) || finack_delack_is_due(sk))
		return false;
	finack_inc(fn, FINACK_FORCED);
	return true;
}

static noinline bool sends_now(struct finack_net *fn, struct sock *sk)
{
	bool fin = owes_ack_of_fin(sk);
	int fin_ack = fin ? READ_ONCE(fn->knobs.fin_ack) : FINACK_FIN_ACK_KERNEL;
	struct finack_rec *rec;

	if (fin_ack == FINACK_FIN_ACK_NOW ? !fin_ack_sends_now(fn, sk) :
	    (fin && to_be_held(fn, sk)) || !quickack_sends_now(fn, sk))
		return false;
	rec = fin ? finack_track_find(sk) : NULL;
	if (rec)
		rec->cause = FINACK_SEP_POLICY;
	return true;
}

/**
 * finack_policy_sends_now() - whether an ACK that the kernel is about to delay leaves at once
 * @sk: the socket, tcp_send_delayed_ack() just entered
 *
 * The usual case of quickack=2 is that no timer was wasted since the knob was set. Every delayed
 * ACK of the namespace pays for it, so it comes first.
 *
 * Return: true if so; it has been counted.
 */
bool finack_policy_sends_now(struct sock *sk)
{
	struct finack_net *fn = finack_net_of(sk);

	if (!fn || (READ_ONCE(fn->knobs.quickack) == FINACK_QUICKACK_LEARN &&
		    !READ_ONCE(fn->learned) &&
		    READ_ONCE(fn->knobs.fin_ack) == FINACK_FIN_ACK_KERNEL))
		return false;
	return sends_now(fn, sk);
}

static void note_hold(struct finack_net *fn, struct finack_rec *rec)
{
	if (rec->held != FINACK_HELD_BACK) {
		finack_inc(fn, FINACK_HELD);
		finack_port_inc(rec->row, FINACK_PORT_HELD);
	}
	rec->held = FINACK_HELD_BACK;
}

/* Whether the handler of the delayed-ACK timer sends an ACK. It checks this first, too. */
static bool timer_sends(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return !tcp_sk(sk)->compressed_ack && icsk->icsk_ack.pending & ICSK_ACK_TIMER &&
	       !time_after(finack_delack_timeout(icsk), jiffies);
}

/* Whether the ACK that is about to leave is held, and notes it. */
static bool holds(struct finack_net *fn, struct sock *sk, bool timer)
{
	struct finack_rec *rec = to_be_held(fn, sk);
	bool hold;

	if (!rec)
		return false;
	/* The answer to an unacceptable segment, such as a challenge ACK, is not the ACK of the FIN
	 * (tcp_oow_rate_limited).
	 */
	if (!timer && tcp_sk(sk)->last_oow_ack_time == tcp_jiffies32)
		return false;
	hold = hold_left(fn, sk, rec) > 0;
	if (hold || (timer && rec->held == FINACK_HELD_SHORT))
		note_hold(fn, rec);
	return hold;
}

/**
 * finack_policy_holds() - whether the ACK of a FIN that is about to leave is held
 * @sk: the socket, tcp_send_ack() or tcp_delack_timer_handler() just entered
 * @timer: it is the latter
 *
 * Return: true if so. Then tcp_send_delayed_ack() has to run instead, and finack_policy_bound()
 * moves the timer that it arms. The flags of the socket now say that an ACK is scheduled and no
 * timer armed.
 */
bool finack_policy_holds(struct sock *sk, bool timer)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct finack_net *fn = finack_net_of(sk);

	if (!fn || READ_ONCE(fn->knobs.fin_ack) < FINACK_FIN_ACK_HOLD || !owes_ack_of_fin(sk) ||
	    (timer && !timer_sends(sk)))
		return false;
	if (!holds(fn, sk, timer)) {
		finack_learn_in_vain(finack_track_find(sk));
		return false;
	}
	/* written as the kernel does: the timer reads it without the socket lock */
	smp_store_release(&icsk->icsk_ack.pending,
			  (icsk->icsk_ack.pending & ~(ICSK_ACK_NOW | ICSK_ACK_TIMER)) |
			  ICSK_ACK_SCHED);
	return true;
}

/**
 * finack_policy_bounds() - whether a delayed ACK may have to be moved
 * @sk: the socket, tcp_send_delayed_ack() just entered
 * @before: set to the state of the timer
 *
 * Return: true if so. finack_policy_bound() then has to be called when the function returns.
 */
bool finack_policy_bounds(struct sock *sk, struct finack_delack *before)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct finack_net *fn = finack_net_of(sk);
	struct finack_rec *rec = fn ? to_be_held(fn, sk) : NULL;

	before->pending = icsk->icsk_ack.pending & ICSK_ACK_TIMER;
	before->expires = finack_delack_timeout(icsk);
	/* If the timer is about to fire, tcp_send_delayed_ack() sends the ACK itself, by an inlined
	 * copy of tcp_send_ack() that has no hook. If ICSK_ACK_TIMER is cleared, it arms the timer
	 * instead.
	 */
	if (rec && finack_delack_is_due(sk)) {
		if (hold_left(fn, sk, rec) > 0) {
			note_hold(fn, rec);
			/* as in finack_policy_holds() */
			smp_store_release(&icsk->icsk_ack.pending,
					  icsk->icsk_ack.pending & ~ICSK_ACK_TIMER);
		} else {
			finack_learn_in_vain(rec);
		}
	}
	return rec || (fn && (READ_ONCE(fn->knobs.delack_min_ms) ||
			      READ_ONCE(fn->knobs.delack_max_ms)) && finack_knobs_apply(fn, sk));
}

/* The time to which the bounds move a timer that the kernel has set to @expires. */
static unsigned long in_bounds(const struct finack_net *fn, const struct sock *sk,
			       const struct finack_delack *before, unsigned long expires)
{
	unsigned long min = finack_delay_min(fn, sk), max = finack_delay_max(fn);

	if (min) {
		/* A timer that was set before is neither brought forward below the minimum nor put
		 * off again.
		 */
		min += jiffies;
		if (before->pending && time_before(before->expires, min))
			min = before->expires;
		if (time_before(expires, min))
			expires = min;
	}
	if (max && time_after(expires, jiffies + max))
		expires = jiffies + max;
	return expires;
}

/**
 * finack_policy_bound() - move the delayed-ACK timer as the hold or the bounds want it
 * @sk: the socket, tcp_send_delayed_ack() just returned
 * @before: from finack_policy_bounds()
 */
void finack_policy_bound(struct sock *sk, const struct finack_delack *before)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct finack_net *fn = finack_net_of(sk);
	unsigned long expires, old;
	struct finack_rec *rec;

	if (!fn || !(icsk->icsk_ack.pending & ICSK_ACK_TIMER))
		return; /* the timer was about to fire, so the ACK has been sent */
	old = finack_delack_timeout(icsk);
	rec = to_be_held(fn, sk);
	if (rec) {
		u64 left = max_t(s64, hold_left(fn, sk, rec), 0);

		expires = jiffies + min_t(u64, div_u64(left, TICK_NSEC), FINACK_WHEEL_EXACT);
		if (rec->held == FINACK_HELD_BACK) {
			/* The kernel would have sent the ACK. From here on check regularly whether
			 * the application has asked for it (TCP_QUICKACK), which no hook sees.
			 */
			expires = min(expires, jiffies + LOOK);
		} else {
			/* the kernel's delay ends sooner, or the application has set a maximum */
			if (!time_before(expires, old) || finack_own_maximum(sk))
				return;
			rec->held = FINACK_HELD_SHORT;
		}
	} else {
		expires = in_bounds(fn, sk, before, old);
		if (expires == old)
			return;
		finack_inc(fn, FINACK_CLAMPED);
	}
	finack_set_delack_timeout(icsk, expires);
	sk_reset_timer(sk, &icsk->icsk_delack_timer, expires);
}
