/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace event as it happens: what finack watch and finack stalls have in common. */
#ifndef FINACK_LIVE_H
#define FINACK_LIVE_H

#include <signal.h>

#include "ctx.h"
#include "read/trace.h"

/**
 * struct subject - what a command watches
 * @event: the trace event
 * @noun: what each event is
 * @nouns: the same, several
 * @words: the fields by whose words it can be filtered
 * @heading: prints the names of the columns that are its own
 * @line: prints these columns of an event
 */
struct subject {
	const char *event;
	const char *noun;
	const char *nouns;
	const char *words[4];
	void (*heading)(struct out *o, int *column);
	void (*line)(struct out *o, const struct event *e, int *column);
};

/**
 * struct live - a run
 * @ctx: the options; with -d it ends after so many seconds
 * @subject: what is watched
 * @filter: the event filter that the kernel applies
 * @count: stop after so many events, 0 for no limit
 * @end: when to stop, by the monotonic clock, us; 0 for never
 * @seen: events shown
 * @us: the sum of what stalls cost
 * @lost: events lost because the kernel's buffer was full
 * @offset: from the monotonic clock to the time of day, us
 * @mask: the signals that were blocked before
 * @no_reader: stdout is a pipe that nobody reads any more
 * @wide: there is room for both addresses
 */
struct live {
	struct ctx *ctx;
	const struct subject *subject;
	char filter[512];
	uint64_t count;
	int64_t end;
	uint64_t seen;
	uint64_t us;
	uint64_t lost;
	int64_t offset;
	sigset_t mask;
	bool no_reader;
	bool wide;
};

/** live_words() - check the words of the command line; Return: the exit status */
int live_words(struct live *w, int argc, char **argv);
/** live_begin() - from now on, signals only end the run, as does a pipe that nobody reads */
void live_begin(struct live *w);
/** live_run() - print events until it is over; Return: the exit status */
int live_run(struct live *w, int argc, char **argv);
/** live_end() - if nobody read what was printed, end as SIGPIPE would have ended us */
void live_end(const struct live *w);

/** live_piece() - print a piece of a line, on the next one if it does not fit */
void live_piece(struct out *o, int *column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** live_duration() - print a column of microseconds, as the event has them; "-": not known */
void live_duration(struct out *o, int *column, const char *us);

#endif
