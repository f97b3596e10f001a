/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens at each transition of a close. The hooks call this with the socket locked. */
#ifndef FINACK_CLOSE_H
#define FINACK_CLOSE_H

#include <net/tcp.h>

#include "active.h"

/* The states that a close goes through. Most changes of state open a connection and belong to no
 * close; they are recognized without a call.
 */
#define FINACK_CLOSE_STATES	(TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_FIN_WAIT1 |		\
				 TCPF_FIN_WAIT2 | TCPF_CLOSING | TCPF_CLOSE)

void finack_close_active(struct sock *sk, int old);
void finack_close_simultaneous(struct sock *sk, int old);
void finack_close_fin_accepted(struct sock *sk, int old);
void finack_close_fin_queued(struct sock *sk, int old);
void finack_close_ended(struct sock *sk, int old);

/**
 * finack_close_state() - a TCP socket is about to change its state
 * @sk: the socket, locked
 * @old: its state
 * @new: the state to come, one of FINACK_CLOSE_STATES
 */
static __always_inline void finack_close_state(struct sock *sk, int old, int new)
{
	/* CLOSE is the most frequent, and its number lies between those of the others */
	if (new == TCP_CLOSE)
		finack_close_ended(sk, old);
	else if (new < TCP_CLOSE && new == TCP_FIN_WAIT2)
		finack_active_half(sk);
	else if (new < TCP_CLOSE)
		finack_close_active(sk, old);
	else if (new == TCP_CLOSE_WAIT)
		finack_close_fin_accepted(sk, old);
	else if (new == TCP_LAST_ACK)
		finack_close_fin_queued(sk, old);
	else
		finack_close_simultaneous(sk, old);
}

static_assert(TCP_FIN_WAIT1 < TCP_CLOSE && TCP_FIN_WAIT2 < TCP_CLOSE &&
	      TCP_CLOSE_WAIT > TCP_CLOSE && TCP_LAST_ACK > TCP_CLOSE && TCP_CLOSING > TCP_CLOSE);

void finack_close_retransmit(struct sock *sk, const struct sk_buff *skb);
void finack_close_ack(struct sock *sk);
void finack_close_timer(struct sock *sk);

#endif
