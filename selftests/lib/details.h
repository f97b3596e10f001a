/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads what the module tells of single closes: the trace event and the histograms. */
#ifndef FINACK_DETAILS_H
#define FINACK_DETAILS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct close_event - a line of the trace event finack_close
 * @netns: inode of the network namespace
 * @cookie: of the socket
 * @sport: local port
 * @dport: remote port
 * @saddr: local address
 * @daddr: remote address
 * @outcome: see the event
 * @reason: see the event
 * @end: see the event
 * @ack_delay_us: microseconds, -1 if not known
 * @fin_delay_us: microseconds, -1 if not known
 */
struct close_event {
	unsigned int netns;
	unsigned long long cookie;
	char family[16];
	char saddr[48];
	char daddr[48];
	unsigned int sport;
	unsigned int dport;
	char outcome[16];
	char reason[16];
	char end[16];
	long long ack_delay_us;
	long long fin_delay_us;
};

/** events_begin() - enable the event, in an instance of its own; Return: 0, or -1 with errno */
int events_begin(void);
/** events_clear() - forget the events so far */
void events_clear(void);
/** events_read() - Return: the number of events, of which the first @max are in @ev */
int events_read(struct close_event *ev, int max);
void events_end(void);

/**
 * struct hist - a histogram of /proc/net/finack_hist
 * @count: delays in it
 * @sum: of all delays, microseconds
 * @below: bound of the last bucket with a delay in it, 0 for the open one
 */
struct hist {
	uint64_t count;
	uint64_t sum;
	uint64_t below;
};

/**
 * slack() - how many times longer than usual something may take here
 *
 * A kernel that checks its every access takes longer for everything, and on PREEMPT_RT it is a
 * thread that sends what a timer is due for.
 *
 * Return: 1 on an ordinary kernel.
 */
int slack(void);

/** hist_read() - Return: whether the caller's namespace has a histogram @name */
bool hist_read(const char *name, struct hist *h);

#endif
