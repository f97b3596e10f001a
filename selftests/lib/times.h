/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a test may compare times. */
#ifndef FINACK_TIMES_H
#define FINACK_TIMES_H

#include <stdbool.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/**
 * times_hold() - whether the kernel is one whose times are to be asserted
 *
 * A debug kernel (KASAN, lockdep, KCSAN) checks every access and every lock, which takes a varying
 * time: there tests assert order, counts and laws alone. See fa_times_hold in lib.sh.
 *
 * Return: false on a debug kernel.
 */
static inline bool times_hold(void)
{
	struct utsname u;

	return !uname(&u) && !strstr(u.release, "debug");
}

/**
 * late_us() - how much later than on other kernels a segment may leave on PREEMPT_RT
 *
 * There a thread sends what an expired timer has to send, up to a tick later.
 *
 * Return: in microseconds; 0 on other kernels.
 */
static inline int late_us(void)
{
	return access("/sys/kernel/realtime", F_OK) ? 0 : 4000;
}

#endif
