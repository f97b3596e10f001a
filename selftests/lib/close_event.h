/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the trace event of closes, in a tracing instance of its own. */
#ifndef FINACK_CLOSE_EVENT_H
#define FINACK_CLOSE_EVENT_H

/**
 * struct close_event - a line of the trace event finack_close
 * @netns: inode of the network namespace
 * @cookie: of the socket
 * @sport: local port
 * @dport: remote port
 * @outcome: see the event
 * @reason: see the event
 * @end: see the event
 * @ack_delay_us: microseconds, -1 if not known
 * @fin_delay_us: microseconds, -1 if not known
 */
struct close_event {
	unsigned int netns;
	unsigned long long cookie;
	unsigned int sport;
	unsigned int dport;
	char outcome[16];
	char reason[16];
	char end[16];
	long long ack_delay_us;
	long long fin_delay_us;
};

/** events_begin() - enable the event; Return: 0, or -1 after a message that says why */
int events_begin(void);
/** events_read() - Return: the number of events since the last call, the first @max are in @ev */
int events_read(struct close_event *ev, int max);
void events_end(void);

#endif
