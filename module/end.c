// SPDX-License-Identifier: GPL-2.0-only
/* How a passive close ended, read off the socket. */
#include <net/tcp.h>

#include "end.h"

/**
 * finack_end_without_fin() - what ended CLOSE_WAIT
 * @sk: the socket, going from CLOSE_WAIT to CLOSE
 *
 * Only __tcp_close() sets SEND_SHUTDOWN in this state, and keeps the socket locked until the state
 * changes: it sends a RST (unread data, SO_LINGER 0), whatever error is left on the socket from
 * before, EPIPE of a sockmap for one. Else EPIPE is tcp_reset()'s. Without an error it is
 * tcp_disconnect(), with ECONNABORTED tcp_abort(): RST both. Other errors are timeouts, of which
 * only keepalive, the one that needs nothing in flight or queued, sends a RST. A socket under
 * repair (CRIU) says nothing.
 *
 * Return: FINACK_END_RESET_IN, FINACK_END_RESET_OUT or FINACK_END_OTHER.
 */
enum finack_mib_id finack_end_without_fin(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_err == EPIPE && !(sk->sk_shutdown & SEND_SHUTDOWN))
		return FINACK_END_RESET_IN;
	if (tp->repair)
		return FINACK_END_OTHER;
	if (sk->sk_shutdown & SEND_SHUTDOWN || !sk->sk_err || sk->sk_err == ECONNABORTED ||
	    tp->snd_una == tp->write_seq)
		return FINACK_END_RESET_OUT;
	return FINACK_END_OTHER;
}

/**
 * finack_reset_sent_first() - whether a RST is all that covered the peer's FIN
 * @sk: the socket, going from CLOSE_WAIT to CLOSE, the FIN covered
 * @rec: its record
 *
 * tcp_abort() sends its RST, which has an ACK, before it changes the state; so may MPTCP for a
 * subflow. In close() the state changes first.
 *
 * Return: true if so.
 */
bool finack_reset_sent_first(const struct sock *sk, const struct finack_rec *rec)
{
	return (sk->sk_err == ECONNABORTED || (sk_is_mptcp(sk) && sk->sk_err != EPIPE)) &&
	       !(sk->sk_shutdown & SEND_SHUTDOWN) &&
	       tcp_sk(sk)->segs_out - rec->segs_out == 1;
}
