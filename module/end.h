/* SPDX-License-Identifier: GPL-2.0-only */
/* How a passive close ended. */
#ifndef FINACK_END_H
#define FINACK_END_H

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <net/sock.h>

#include "mib.h"
#include "track.h"

/**
 * struct finack_end - what became of a passive close
 * @outcome: FINACK_MERGED, FINACK_SEPARATE or FINACK_UNACKED
 * @reason: why separate; 0 for none
 * @end: FINACK_END_*
 * @ack_delay: nanoseconds; negative if it is not known, or if no segment covered the FIN
 * @fin_delay: nanoseconds; negative if it is not known, or if our FIN did not leave
 */
struct finack_end {
	enum finack_mib_id outcome;
	enum finack_mib_id reason;
	enum finack_mib_id end;
	s64 ack_delay;
	s64 fin_delay;
};

/**
 * finack_end_by_fin() - who sends our FIN
 * @sk: the socket, going from CLOSE_WAIT to LAST_ACK
 *
 * In close() the last reference to the file is gone, because __fput() calls it. In shutdown() the
 * caller still holds one. A socket without a file is the kernel's own and counts as closed.
 *
 * Return: FINACK_END_CLOSE, FINACK_END_SHUTDOWN or FINACK_END_EXIT.
 */
static inline enum finack_mib_id finack_end_by_fin(const struct sock *sk)
{
	const struct socket *sock = sk->sk_socket;
	struct file *file = sock ? READ_ONCE(sock->file) : NULL;

	if (unlikely(file && file_count(file)))
		return FINACK_END_SHUTDOWN;
	return unlikely(current->flags & PF_EXITING) && in_task() ? FINACK_END_EXIT :
								    FINACK_END_CLOSE;
}

enum finack_mib_id finack_end_without_fin(const struct sock *sk);
bool finack_reset_sent_first(const struct sock *sk, const struct finack_rec *rec);

#endif
