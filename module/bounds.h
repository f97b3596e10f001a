/* SPDX-License-Identifier: GPL-2.0-only */
/* The bounds of a delayed ACK in ticks: the knobs' and the application's own. */
#ifndef FINACK_BOUNDS_H
#define FINACK_BOUNDS_H

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <net/tcp.h>

#include "net.h"

/* The delayed-ACK timer is exact to one tick up to WHEEL_EXACT ticks, beyond that to WHEEL_COARSE
 * (the first levels of the timer wheel, kernel/time/timer.c).
 */
#define FINACK_WHEEL_EXACT	62
#define FINACK_WHEEL_COARSE	8

/* Milliseconds in ticks, few enough that the timer, wheel included, fires within half a second. */
static inline unsigned long finack_delay_ticks(unsigned int ms)
{
	unsigned long n = msecs_to_jiffies(ms);

	return min(n, HZ / 2 - 1 - (n > FINACK_WHEEL_EXACT ? FINACK_WHEEL_COARSE : 1UL));
}

/* the application's own maximum (TCP_DELACK_MAX_US, TCP_BPF_DELACK_MAX) in ticks, 0 for none */
static inline u32 finack_own_maximum(const struct sock *sk)
{
	u32 own = READ_ONCE(inet_csk(sk)->icsk_delack_max);

	return own < TCP_DELACK_MAX ? own : 0;
}

/* the shortest delay; the application's own maximum is stronger */
static inline unsigned long finack_delay_min(const struct finack_net *fn, const struct sock *sk)
{
	unsigned long min = finack_delay_ticks(READ_ONCE(fn->knobs.delack_min_ms));
	u32 own = finack_own_maximum(sk);

	return own ? min_t(unsigned long, min, own) : min;
}

/* the longest delay, 0 for the kernel's own */
static inline unsigned long finack_delay_max(const struct finack_net *fn)
{
	return finack_delay_ticks(READ_ONCE(fn->knobs.delack_max_ms));
}

#endif
