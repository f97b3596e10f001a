/* SPDX-License-Identifier: GPL-2.0-only */
/* What a socket says of the two FINs of a passive close: whether the peer's is ACKed, and what
 * becomes of ours.
 */
#ifndef FINACK_OUTCOME_H
#define FINACK_OUTCOME_H

#include <net/tcp.h>

#include "mib.h"
#include "track.h"

/**
 * finack_fin_acked() - whether a segment of ours has covered the peer's FIN
 * @sk: the socket, in CLOSE_WAIT or LAST_ACK
 *
 * Every segment sent with an ACK sets rcv_wup to rcv_nxt (tcp_select_window).
 *
 * While DCTCP processes a segment, it can send an ACK of what came before it
 * (dctcp_ece_ack_update). If the segment has the FIN, this is then true too soon. But DCTCP also
 * requests an immediate ACK of the segment, which leaves before anybody calls this.
 *
 * Return: true if so.
 */
static inline bool finack_fin_acked(const struct sock *sk)
{
	return tcp_sk(sk)->rcv_wup == tcp_sk(sk)->rcv_nxt;
}

/**
 * finack_fin_goes_alone() - whether our FIN surely leaves at once, in a segment of its own
 * @sk: the socket, just before tcp_send_fin()
 *
 * Nothing is queued, nothing is in flight, the peer's window is open and the socket is not paced.
 * This is the common case of finack_fin_leaves_now().
 *
 * Return: true if so; if not, finack_fin_leaves_now() has to decide.
 */
static inline bool finack_fin_goes_alone(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return skb_queue_empty(&sk->sk_write_queue) && !tp->packets_out &&
	       !after(tp->write_seq + 1, tcp_wnd_end(tp)) &&
	       sk->sk_pacing_status != SK_PACING_NEEDED;
}

bool finack_fin_left(const struct sock *sk, const struct finack_rec *rec);
u64 finack_sent_ns(const struct sock *sk, u32 seq, bool last);
bool finack_fin_leaves_now(const struct sock *sk, u32 *segs);
enum finack_mib_id finack_outcome_late(const struct sock *sk, const struct finack_rec *rec,
				       const struct sk_buff *again);

#endif
