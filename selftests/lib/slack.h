/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FINACK_SLACK_H
#define FINACK_SLACK_H

#include <unistd.h>

/**
 * slack() - how many times longer than usual something may take here
 *
 * A kernel that checks its every access takes longer for everything, and on PREEMPT_RT it is a
 * thread that sends what a timer is due for.
 *
 * Return: 1 on an ordinary kernel.
 */
static inline int slack(void)
{
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		return 30;
	return access("/sys/kernel/realtime", F_OK) ? 1 : 5;
}

#endif
