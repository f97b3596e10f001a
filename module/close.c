// SPDX-License-Identifier: GPL-2.0-only
/*
 * Follows closes through the state changes of their sockets and counts what became of them.
 *
 *   peer's FIN          our FIN                          end
 *   -> CLOSE_WAIT  ->   LAST_ACK                    ->   CLOSE
 *   Passive             End*, and the outcome            the outcome, where our FIN had to wait
 *                  ->   CLOSE (RST, timeout)
 *                       End*, Unacked or Separate
 *
 * With the detail tier on, the outcome is counted as soon as the ACK is seen to leave, with its
 * reason. What that hook misses, the transitions find out from the socket.
 *
 * Some closes have no record. One that began before the module was loaded is counted as Earlier
 * and as nothing else. One that found the table full is counted as Untracked and like any other.
 * When a close without a record leaves CLOSE_WAIT, nothing tells which of the two it is. So the
 * untracked ones in CLOSE_WAIT are counted, and as long as there are any it is taken for one.
 *
 * The socket is locked and only read. The frequent transitions are inlined and need almost no
 * stack. The rare ones are noinline, which keeps the frequent ones small.
 */
#include "close.h"
#include "end.h"
#include "hist.h"
#include "net.h"
#include "outcome.h"
#include "port.h"
#include "reason.h"
#include "settle.h"
#include "trace.h"
#include "track.h"

static noinline void untracked(struct finack_net *fn)
{
	atomic_inc(&fn->untracked);
	finack_inc(fn, FINACK_UNTRACKED);
}

/* Notes what is known in advance of an ACK that may leave where no hook is. It is seldom needed. */
static noinline notrace void note_and_publish(struct finack_rec *rec, struct sock *sk)
{
	rec->data_waits = inet_csk(sk)->icsk_ack.pending & ICSK_ACK_TIMER;
	rec->ack_due = rec->data_waits && finack_delack_is_due(sk);
	rec->deferred = finack_ack_deferred(sk);
	finack_track_publish(rec, sk);
}

/* Fills in a record from its socket when the peer's FIN has been accepted, and publishes it. */
static __always_inline void fill_in(struct finack_rec *rec, struct finack_net *fn, struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	rec->fn = fn;
	rec->fin_ns = tp->tcp_clock_cache;
	rec->ack_ns = 0;
	rec->segs_out = tp->segs_out;
	rec->data_segs_out = tp->data_segs_out;
	rec->snd_nxt = tp->snd_nxt;
	rec->segs = 0;
	rec->reason = 0;
	rec->end = 0;
	rec->cause = 0;
	rec->data_waits = false;
	rec->ack_due = false;
	rec->deferred = false;
	rec->row = finack_port_of(fn, sk);
	finack_port_inc(rec->row, FINACK_PORT_PASSIVE);
	if (unlikely(inet_csk(sk)->icsk_ack.pending & ICSK_ACK_TIMER ||
		     sock_owned_by_user_nocheck(sk)))
		return note_and_publish(rec, sk);
	finack_track_publish(rec, sk);
}

/* for a close that needs more than its home slot, or whose socket does not hold its namespace */
static noinline notrace void fin_accepted_else(struct finack_net *fn, struct sock *sk, bool ours)
{
	bool unheld = !sk->sk_net_refcnt;
	struct finack_rec *rec = finack_track_claim_rest(sk, finack_share_of(fn, unheld), ours);

	if (!rec)
		return untracked(fn);
	rec->unheld = unheld;
	fill_in(rec, fn, sk);
}

static __always_inline void fin_accepted(struct finack_net *fn, struct sock *sk)
{
	struct finack_rec *rec = finack_track_home(sk);

	finack_inc(fn, FINACK_PASSIVE);
	if (unlikely(!finack_track_claim_home(sk, rec)))
		return fin_accepted_else(fn, sk, false);
	if (unlikely(!finack_share_granted(fn->share)))
		return fin_accepted_else(fn, sk, true);
	finack_share_claim(fn->share);
	fill_in(rec, fn, sk);
}

/* Whether the begin of a close without a record, which leaves CLOSE_WAIT now, was seen. */
static noinline bool began(struct finack_net *fn)
{
	if (atomic_dec_if_positive(&fn->untracked) >= 0)
		return true;
	finack_inc(fn, FINACK_EARLIER);
	return false;
}

/* Notes how a close ended, which has been counted, and counts it for the service. */
static void count_end(struct finack_rec *rec, enum finack_mib_id end)
{
	rec->end = end;
	finack_port_inc(rec->row, FINACK_PORT_ENDED);
}

static void fin_queued(struct finack_net *fn, struct sock *sk)
{
	struct finack_rec *rec = finack_track_find(sk);
	enum finack_mib_id end;
	bool acked, now;
	u64 fin_ns;
	u32 segs;

	if (!rec && !began(fn))
		return;
	end = finack_end_by_fin(sk);
	finack_inc(fn, end);
	acked = finack_fin_acked(sk);
	now = finack_fin_leaves_now(sk, &segs);
	if (!rec) {
		finack_settle_untracked(fn, sk, now && !acked ? FINACK_MERGED : FINACK_SEPARATE,
					end);
		return;
	}
	count_end(rec, end);
	if (rec->outcome && !acked)
		finack_unsettle(fn, rec);
	if (!rec->outcome && acked)
		finack_settle_covered(fn, sk, rec, false);
	if (!now) {
		/* goes on in late() */
		rec->segs_out = tcp_sk(sk)->segs_out;
		rec->data_segs_out = tcp_sk(sk)->data_segs_out;
		rec->segs = acked ? 0 : segs;
		rec->waiting = true;
		atomic_inc(&fn->late);
		return;
	}
	fin_ns = ktime_get_ns();
	if (!rec->outcome)
		finack_settle(fn, rec, FINACK_MERGED, 0, fin_ns);
	finack_settle_end(fn, sk, rec, fin_ns);
}

static noinline void ended_without_fin(struct finack_net *fn, struct sock *sk)
{
	struct finack_rec *rec = finack_track_find(sk);
	enum finack_mib_id end;
	bool acked;

	if (!rec && !began(fn))
		return;
	acked = finack_fin_acked(sk) && !(rec && finack_reset_sent_first(sk, rec));
	end = finack_end_without_fin(sk);
	finack_inc(fn, end);
	if (!rec) {
		finack_settle_untracked(fn, sk, acked ? FINACK_SEPARATE : FINACK_UNACKED, end);
		return;
	}
	count_end(rec, end);
	if (rec->outcome && !acked)
		finack_unsettle(fn, rec);
	if (!rec->outcome) {
		if (acked)
			finack_settle_covered(fn, sk, rec, false);
		else
			finack_settle(fn, rec, FINACK_UNACKED, 0, 0);
	}
	finack_settle_end(fn, sk, rec, 0);
}

/* Goes on with a close whose FIN did not leave at once: the connection ends, a segment was
 * retransmitted (@again), or an ACK is about to leave.
 */
static noinline void late(struct finack_net *fn, struct sock *sk, struct finack_rec *rec,
			  const struct sk_buff *again)
{
	bool fin_left = finack_fin_left(sk, rec);
	u64 fin_ns = fin_left && !again ?
		     finack_sent_ns(sk, tcp_sk(sk)->write_seq - 1, true) : 0;
	enum finack_mib_id outcome = finack_outcome_late(sk, rec, again);

	if (rec->outcome && rec->segs && outcome != FINACK_SEPARATE)
		finack_unsettle(fn, rec);
	if (!rec->outcome) {
		if (outcome == FINACK_SEPARATE)
			finack_settle_covered(fn, sk, rec, false);
		else
			finack_settle(fn, rec, outcome, 0, outcome == FINACK_MERGED ? fin_ns : 0);
	}
	if (again && !fin_left)
		rec->segs = 0; /* goes on until the FIN leaves */
	else
		finack_settle_end(fn, sk, rec, fin_ns);
}

static noinline void late_if_on_this(struct finack_net *fn, struct sock *sk,
				     const struct sk_buff *again)
{
	struct finack_rec *rec = finack_track_find(sk);

	if (rec && rec->waiting)
		late(fn, sk, rec, again);
}

/* Calls late() if this socket has such a close. Usually the whole namespace has none. */
static __always_inline void late_if_waiting(struct finack_net *fn, struct sock *sk,
					    const struct sk_buff *again)
{
	if (unlikely(atomic_read(&fn->late)))
		late_if_on_this(fn, sk, again);
}

static __always_inline void ended(struct finack_net *fn, struct sock *sk, int old)
{
	if (old == TCP_LAST_ACK)
		late_if_waiting(fn, sk, NULL);
	else if (old == TCP_FIN_WAIT2)
		finack_inc(fn, finack_active_outcome(sk));
	else if (old == TCP_CLOSE_WAIT)
		ended_without_fin(fn, sk);
}

/* A change of state of a socket that does not hold its namespace. If the namespace is going,
 * nothing is counted any more.
 */
static noinline void state_unheld(struct sock *sk, int old, int new)
{
	struct finack_net *fn;
	struct finack_rec *rec;

	preempt_disable_notrace();
	fn = finack_net_of(sk);
	if (!fn) {
		rec = finack_track_find(sk);
		if (rec) /* these two shares are always there, others go with the namespace */
			finack_track_free(sk, rec, finack_share_is_hosts(sock_net(sk)) ?
					  &finack_share_host : &finack_share_kernel);
	} else if (new == TCP_CLOSE_WAIT) {
		finack_inc(fn, FINACK_PASSIVE);
		fin_accepted_else(fn, sk, false);
	} else if (new == TCP_LAST_ACK) {
		fin_queued(fn, sk);
	} else if (new == TCP_CLOSE) {
		ended(fn, sk, old);
	} else {
		finack_inc(fn, new == TCP_FIN_WAIT1 ? FINACK_ACTIVE : FINACK_SIMULTANEOUS);
	}
	preempt_enable_notrace();
}

/* Whether the socket holds its namespace. If not, state_unheld() has done everything. */
static __always_inline bool held(struct sock *sk, int old, int new)
{
	if (likely(sk->sk_net_refcnt))
		return true;
	state_unheld(sk, old, new);
	return false;
}

/*
 * finack_close_...(): finack_close_state() calls one of these for each new state. The socket is
 * locked. close() after shutdown() "changes" LAST_ACK, FIN_WAIT1, FIN_WAIT2 and CLOSING to
 * themselves, which is no transition.
 */

notrace void finack_close_active(struct sock *sk, int old)
{
	if (old != TCP_FIN_WAIT1 && held(sk, old, TCP_FIN_WAIT1))
		finack_inc(finack_net_held(sk), FINACK_ACTIVE);
}

notrace void finack_close_simultaneous(struct sock *sk, int old)
{
	if (old != TCP_CLOSING && held(sk, old, TCP_CLOSING))
		finack_inc(finack_net_held(sk), FINACK_SIMULTANEOUS);
}

notrace void finack_close_fin_accepted(struct sock *sk, int old)
{
	if (held(sk, old, TCP_CLOSE_WAIT))
		fin_accepted(finack_net_held(sk), sk);
}

static noinline notrace void fin_queued_else(struct sock *sk, int old)
{
	if (old != TCP_LAST_ACK && held(sk, old, TCP_LAST_ACK))
		fin_queued(finack_net_held(sk), sk);
}

/* The common case is a FIN that leaves at once, alone, and carries the ACK, on a close with
 * nothing special. What is needed after the call for the time is read from the record again.
 */
notrace void finack_close_fin_queued(struct sock *sk, int old)
{
	struct finack_rec *rec = finack_track_home(sk);
	struct finack_mib __percpu *mib;
	struct finack_net *fn;
	u64 us;

	if (unlikely(READ_ONCE(rec->sk) != sk || rec->special || finack_fin_acked(sk) ||
		     !finack_fin_goes_alone(sk) || trace_finack_close_enabled()))
		return fin_queued_else(sk, old);
	mib = rec->fn->mib;
	this_cpu_inc(mib->count[finack_end_by_fin(sk)]);
	this_cpu_inc(mib->count[FINACK_MERGED]);
	finack_port_inc(rec->row, FINACK_PORT_MERGED);
	finack_port_inc(rec->row, FINACK_PORT_ENDED);
	us = finack_hist_us(ktime_get_ns() - rec->fin_ns);
	fn = rec->fn;
	mib = fn->mib;
	finack_hist_add(mib, FINACK_HIST_FIN, us);
	if (READ_ONCE(fn->knobs.detail))
		finack_hist_add(mib, FINACK_HIST_ACK, us);
	finack_track_free_home(rec, fn->share);
}

notrace void finack_close_ended(struct sock *sk, int old)
{
	if (held(sk, old, TCP_CLOSE))
		ended(finack_net_held(sk), sk, old);
}

/**
 * finack_close_retransmit() - a segment was retransmitted
 * @sk: the socket, locked
 * @skb: the segment
 */
void finack_close_retransmit(struct sock *sk, const struct sk_buff *skb)
{
	struct finack_net *fn;

	if (sk->sk_state != TCP_LAST_ACK)
		return;
	preempt_disable_notrace();
	fn = finack_net_of(sk);
	if (fn)
		late_if_waiting(fn, sk, skb);
	preempt_enable_notrace();
}

/* The record of a close whose outcome is open or whose FIN is waiting, if the namespace wants
 * details. If the ACK that was counted did not leave after all, the outcome is open again.
 */
static struct finack_rec *open_rec(struct finack_net *fn, const struct sock *sk)
{
	struct finack_rec *rec;

	if (!fn || !READ_ONCE(fn->knobs.detail))
		return NULL;
	rec = finack_track_find(sk);
	if (!rec)
		return NULL;
	if (rec->outcome && !finack_fin_acked(sk))
		finack_unsettle(fn, rec);
	return !rec->outcome || rec->waiting ? rec : NULL;
}

/**
 * finack_close_ack() - a pure ACK is about to leave
 * @sk: the socket, locked, in CLOSE_WAIT or LAST_ACK; preemption is off
 */
void finack_close_ack(struct sock *sk)
{
	struct finack_net *fn = finack_net_of(sk);
	struct finack_rec *rec = open_rec(fn, sk);

	if (!rec)
		return;
	if (rec->waiting && finack_fin_left(sk, rec))
		late(fn, sk, rec, NULL);
	else if (rec->outcome)
		return;
	else if (!finack_fin_acked(sk))
		finack_settle(fn, rec, FINACK_SEPARATE, finack_reason_ack(sk, rec), ktime_get_ns());
	else
		finack_settle_covered(fn, sk, rec, true);
}

/**
 * finack_close_timer() - the handler of the delayed-ACK timer is entered
 * @sk: the socket, locked, in CLOSE_WAIT or LAST_ACK; preemption is off
 */
void finack_close_timer(struct sock *sk)
{
	struct finack_net *fn = finack_net_of(sk);
	struct finack_rec *rec = open_rec(fn, sk);

	if (!rec || rec->outcome)
		return;
	if (!finack_fin_acked(sk))
		rec->cause = finack_reason_timer(sk, rec);
	else if (!rec->waiting)
		finack_settle_covered(fn, sk, rec, false);
}
