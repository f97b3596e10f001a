/* SPDX-License-Identifier: GPL-2.0-only */
/* What the peer did when we closed first. */
#ifndef FINACK_ACTIVE_H
#define FINACK_ACTIVE_H

#include <linux/percpu.h>
#include <net/tcp.h>

#include "mib.h"

/* The last socket that entered FIN_WAIT2 on a CPU, and when the segment that caused it arrived: the
 * low halves of the socket's address and of its tcp_clock_cache. They are one word, so that an
 * interrupt finds both or neither.
 */
DECLARE_PER_CPU(u64, finack_half_closed);

static inline u64 finack_half_of(const struct sock *sk)
{
	return (u64)(u32)(unsigned long)sk << 32 | (u32)tcp_sk(sk)->tcp_clock_cache;
}

/**
 * finack_active_half() - the peer ACKs our FIN
 * @sk: the socket, going from FIN_WAIT1 to FIN_WAIT2
 */
static inline void finack_active_half(const struct sock *sk)
{
	this_cpu_write(finack_half_closed, finack_half_of(sk));
}

/**
 * finack_active_outcome() - what the peer did when we closed first
 * @sk: the socket, going from FIN_WAIT2 to CLOSE
 *
 * SOCK_DONE tells whether the peer's FIN came to this socket. If not, the FIN was left to the
 * TIME_WAIT minisock. The ACK of our FIN was in the same segment as the peer's FIN if the arrival
 * clock (tcp_mstamp) has not moved since something of ours was last delivered. That clock counts
 * microseconds. The one that finack_active_half() keeps counts nanoseconds: if this CPU still has
 * it for this socket, it tells apart two segments within a microsecond.
 *
 * Return: FINACK_ACTIVE_MERGED, FINACK_ACTIVE_SEPARATE or FINACK_ACTIVE_HALF.
 */
static inline enum finack_mib_id finack_active_outcome(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u64 half = this_cpu_read(finack_half_closed), now = finack_half_of(sk);

	if (!sock_flag(sk, SOCK_DONE))
		return FINACK_ACTIVE_HALF;
	if (tp->delivered_mstamp != tp->tcp_mstamp)
		return FINACK_ACTIVE_SEPARATE;
	/* this socket entered FIN_WAIT2 with another segment */
	if (half != now && upper_32_bits(half) == upper_32_bits(now))
		return FINACK_ACTIVE_SEPARATE;
	return FINACK_ACTIVE_MERGED;
}

#endif
