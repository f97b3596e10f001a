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
 * A close that began before the module was loaded has no record: it ends as Earlier and is none
 * of the others. So has one that found the table full; the number of those in CLOSE_WAIT is
 * known, and they are taken to end first.
 *
 * The socket is locked and only read.
 */
#include "finack.h"

static void fin_accepted(struct finack_net *fn, struct sock *sk)
{
	struct finack_rec *rec = finack_track_add(sk);

	finack_inc(fn, FINACK_PASSIVE);
	if (!rec) {
		atomic_inc(&fn->untracked);
		finack_inc(fn, FINACK_UNTRACKED);
		return;
	}
	atomic_inc(&fn->tracked);
	rec->segs_out = tcp_sk(sk)->segs_out;
}

/* Whether the close that ends here was seen to begin, with or without a record. */
static bool began(struct finack_net *fn, const struct finack_rec *rec)
{
	if (rec || atomic_dec_if_positive(&fn->untracked) >= 0)
		return true;
	finack_inc(fn, FINACK_EARLIER);
	return false;
}

static void forget(struct finack_net *fn, const struct sock *sk)
{
	if (finack_track_del(sk))
		atomic_dec(&fn->tracked);
}

static void fin_queued(struct finack_net *fn, struct sock *sk)
{
	struct finack_rec *rec = finack_track_find(sk);
	bool merged;
	u32 segs;

	if (!began(fn, rec))
		return;
	finack_inc(fn, finack_end_by_fin(sk));
	if (finack_fin_acked(sk)) {
		merged = false;
	} else {
		segs = finack_fin_segs(sk);
		merged = finack_fin_leaves_now(sk, segs);
		if (!merged && rec) {
			/* counted at the first retransmission or when the connection ends */
			rec->segs_out = tcp_sk(sk)->segs_out;
			rec->segs = segs;
			rec->waiting = true;
			return;
		}
	}
	finack_inc(fn, merged ? FINACK_MERGED : FINACK_SEPARATE);
	if (rec)
		forget(fn, sk);
}

static void ended_without_fin(struct finack_net *fn, struct sock *sk)
{
	struct finack_rec *rec = finack_track_find(sk);
	bool acked;

	if (!began(fn, rec))
		return;
	acked = finack_fin_acked(sk) && !(rec && finack_reset_sent_first(sk, rec));
	finack_inc(fn, finack_end_without_fin(sk));
	finack_inc(fn, acked ? FINACK_SEPARATE : FINACK_UNACKED);
	if (rec)
		forget(fn, sk);
}

/* The outcome of a close whose FIN did not leave at once. */
static void count_late(struct finack_net *fn, struct sock *sk, const struct sk_buff *again)
{
	struct finack_rec *rec = finack_track_find(sk);

	if (!rec || !rec->waiting)
		return;
	finack_inc(fn, finack_outcome_late(sk, rec, again));
	forget(fn, sk);
}

/* the states that a close goes through */
#define CLOSE_STATES	(TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 |	\
			 TCPF_CLOSING | TCPF_CLOSE)

/**
 * finack_close_state() - a TCP socket is about to change its state
 * @sk: the socket, locked
 * @old: its state
 * @new: the state to come
 */
void finack_close_state(struct sock *sk, int old, int new)
{
	struct net *net = sock_net(sk);
	struct finack_net *fn;

	/* Most changes are none of ours. close() after shutdown() "changes" LAST_ACK, FIN_WAIT1 and
	 * CLOSING to themselves.
	 */
	if (!(1 << new & CLOSE_STATES) || old == new ||
	    (new == TCP_CLOSE && !(1 << old & CLOSE_STATES)))
		return;
	/* The read side covers the namespace's data: it is freed a grace period after the test
	 * fails. Kernels before 7.x run tracepoint handlers with preemption off, later ones do not.
	 */
	rcu_read_lock();
	if (!check_net(net))
		goto out;
	fn = finack_net(net);
	switch (new) {
	case TCP_CLOSE_WAIT:
		fin_accepted(fn, sk);
		break;
	case TCP_LAST_ACK: /* from CLOSE_WAIT only */
		fin_queued(fn, sk);
		break;
	case TCP_FIN_WAIT1:
		finack_inc(fn, FINACK_ACTIVE);
		break;
	case TCP_FIN_WAIT2:
		finack_active_half(sk);
		break;
	case TCP_CLOSING:
		finack_inc(fn, FINACK_SIMULTANEOUS);
		break;
	case TCP_CLOSE:
		if (old == TCP_CLOSE_WAIT)
			ended_without_fin(fn, sk);
		else if (old == TCP_LAST_ACK)
			count_late(fn, sk, NULL);
		else if (old == TCP_FIN_WAIT2)
			finack_inc(fn, finack_active_outcome(sk));
		break;
	}
out:
	rcu_read_unlock();
}

/**
 * finack_close_retransmit() - a segment was retransmitted
 * @sk: the socket, locked
 * @skb: the segment
 */
void finack_close_retransmit(struct sock *sk, const struct sk_buff *skb)
{
	if (sk->sk_state != TCP_LAST_ACK)
		return;
	rcu_read_lock();
	if (check_net(sock_net(sk)))
		count_late(finack_net(sock_net(sk)), sk, skb);
	rcu_read_unlock();
}

/**
 * finack_close_destroy() - a TCP socket is about to be destroyed
 * @sk: the socket
 *
 * Every record should be gone by now; this makes sure that none outlives its socket.
 */
void finack_close_destroy(struct sock *sk)
{
	if (!finack_track_find(sk))
		return;
	rcu_read_lock();
	if (check_net(sock_net(sk)))
		forget(finack_net(sock_net(sk)), sk);
	else
		finack_track_del(sk);
	rcu_read_unlock();
}
