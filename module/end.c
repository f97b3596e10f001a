// SPDX-License-Identifier: GPL-2.0-only
/* How a passive close ended, read off the socket. */
#include <net/tcp.h>

#include "end.h"

/**
 * finack_end_without_fin() - what ended CLOSE_WAIT
 * @sk: the socket, going from CLOSE_WAIT to CLOSE
 *
 * Only __tcp_close() sets SEND_SHUTDOWN in this state, and it keeps the socket locked until the
 * state changes. It sends a RST (unread data, SO_LINGER 0), whatever error an earlier event left on
 * the socket, such as the EPIPE of a sockmap. Otherwise the error tells: EPIPE is set by
 * tcp_reset(), none by tcp_disconnect(), ECONNABORTED by tcp_abort(); the last two send a RST.
 * Other errors are timeouts. Of these only keepalive sends a RST, and only it requires that
 * nothing is in flight or queued. A socket under repair (CRIU) sends nothing.
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
 * tcp_abort() sends its RST, which has an ACK, before it changes the state. MPTCP may do the same
 * for a subflow. In close() the state changes first.
 *
 * Return: true if so.
 */
bool finack_reset_sent_first(const struct sock *sk, const struct finack_rec *rec)
{
	return (sk->sk_err == ECONNABORTED || (sk_is_mptcp(sk) && sk->sk_err != EPIPE)) &&
	       !(sk->sk_shutdown & SEND_SHUTDOWN) &&
	       tcp_sk(sk)->segs_out - rec->segs_out == 1;
}
