/* SPDX-License-Identifier: GPL-2.0-only */
/* The experiments and how to run one. Its two front ends are the finack tool and the selftests. */
#ifndef FINACK_LAB_H
#define FINACK_LAB_H

#include <math.h>
#include <stdio.h>

#include "net.h"
#include "role.h"
#include "states.h"
#include "wire.h"

#define LAB_PORT NET_PORT

struct lab_result;

/** enum lab_side - the sides, as they are numbered in a capture: the client sends the SYN */
enum lab_side {
	LAB_CLIENT,
	LAB_SERVER,
	__LAB_SIDE_MAX
};

/**
 * struct shows - what an experiment shows; 0 and NULL where nothing is claimed
 * @outcome: what the wire shows
 * @segments: from the first FIN on, those sent again not counted
 * @ack_ms: least and most time from the FIN to the segment that ACKs it
 * @data_ms: least and most time from the client's last data before the FIN to the pure ACK of it
 * @moves: the counters that move, without "FinAck", of both sides together: each by one, or by two
 *	as in "QuickAck=2", or by at least one as in "QuickAck=*". All others must not move
 * @wire: checks what the fields above cannot say, and reports it with lab_problem()
 * @races: both sides send again, and which of the Active* counters moves depends on who is first
 * @within_tick: the claim holds only if the server closes before the next tick
 * @late_ms: so late a side may be at most: later the kernel does something else, and the run shows
 *	nothing; 0: it does not matter
 */
struct shows {
	enum wire_outcome outcome;
	size_t segments;
	double ack_ms[2];
	double data_ms[2];
	const char *moves;
	void (*wire)(struct lab_result *r);
	bool races;
	bool within_tick;
	double late_ms[__LAB_SIDE_MAX];
};

/** enum lab_end - when an experiment is over, once both processes have ended */
enum lab_end {
	LAB_CLOSED,	/* both FINs were ACKed, or a RST came */
	LAB_GIVEN_UP,	/* the server's socket is gone, whatever the wire shows */
};

/**
 * struct experiment - a claim about closing a connection, and how to see it
 * @nr: number in the list of experiments
 * @name: never changes
 * @claim: what is done and what follows
 * @why: the reason in the kernel, one sentence
 * @server: what the server does with the accepted socket
 * @client: what the client does once connected; NULL to greet, wait a second and close
 * @listener: called before the listener is bound, or NULL
 * @caller: called before the client connects, or NULL
 * @net: the network it needs
 * @end: when it is over
 * @dies_by: the signal that ends the server's process, 0 for none
 * @resets: @resets_side must send a RST; no other side may send one
 * @resets_side: see @resets
 * @from_data: begin the drawing so many of the client's data segments before the FIN
 * @shows: what it shows with all controls at their defaults
 */
struct experiment {
	int nr;
	const char *name;
	const char *claim;
	const char *why;
	void (*server)(struct role *r, int fd);
	void (*client)(struct role *r, int fd);
	void (*listener)(struct role *r, int fd);
	void (*caller)(struct role *r, int fd);
	struct net_options net;
	enum lab_end end;
	int dies_by;
	bool resets;
	enum lab_side resets_side;
	size_t from_data;
	struct shows shows;
};

extern const struct experiment experiments[];

const struct experiment *lab_find(const char *name);

#define LAB_ANY_TIME HUGE_VAL

/**
 * struct lab_options - how an experiment is to be run
 * @family: what the connection is made over
 * @net: added to what the experiment needs
 * @on: an existing network that has all of this, made for @family; NULL to make one
 * @role: what the user changes about the sides
 * @knobs: NULL-terminated: "NAME=VALUE" to set in /proc/sys/net/finack of the server's namespace;
 *	NULL for none
 * @shows: what must be seen; NULL for what the experiment shows
 * @slack_ms: how much later than claimed an ACK may be, on a machine whose clock does not wait for
 *	it; LAB_ANY_TIME: times are not judged
 * @changed: it is run unlike the claim: wire, counters and application must agree, whatever they
 *	show
 * @pcap: file for the capture, NULL for none
 */
struct lab_options {
	enum lab_family family;
	struct net_options net;
	const struct net *on;
	struct role_options role;
	const char * const *knobs;
	const struct shows *shows;
	double slack_ms;
	bool changed;
	const char *pcap;
};

/** enum lab_verdict - what a run says about the claim */
enum lab_verdict {
	LAB_HOLDS,
	LAB_REFUTED,		/* it does not hold */
	LAB_INCONCLUSIVE,	/* nothing: the run was not the experiment, or was not seen whole */
};

#define LAB_STALLS_MAX 64

/** struct stall - a time in which the lab should have run and did not */
struct stall {
	uint64_t from;
	uint64_t to;
};

/**
 * struct lab_result - what an experiment showed
 * @e: the experiment
 * @o: how it was run
 * @shared: the notes of the roles
 * @have_counters: the module is loaded
 * @before: the counters of each side's namespace; on the loopback only LAB_SERVER is used
 * @after: the counters afterwards
 * @device: where the capture was taken
 * @wire: the capture
 * @conn: the connection, NULL if there was none; the client is its side 0
 * @close: how it closed
 * @states: of the sockets
 * @status: of the processes, as from wait()
 * @lost: the capture has gaps
 * @stall: times in which the lab was kept from running
 * @stalls: how many there are
 * @problem: why the claim does not hold; else empty
 * @doubt: why the run is inconclusive; empty if it is not. With a @problem it does not count
 */
struct lab_result {
	const struct experiment *e;
	const struct lab_options *o;
	struct shared *shared;
	bool have_counters;
	struct counters before[__LAB_SIDE_MAX];
	struct counters after[__LAB_SIDE_MAX];
	const char *device;
	struct wire wire;
	const struct wire_conn *conn;
	struct wire_close close;
	struct states states;
	int status[__LAB_SIDE_MAX];
	bool lost;
	struct stall stall[LAB_STALLS_MAX];
	size_t stalls;
	char problem[400];
	char doubt[600];
};

/**
 * lab_run() - run an experiment, in the caller's network namespace and, with a link, another
 * @e: the experiment
 * @o: how
 * @r: filled in, refers to @e and @o; to be freed with lab_free()
 *
 * Return: 0 if it ran, whatever it showed: see lab_verdict(); -1 if it could not be run, and
 * lab_result::problem says why.
 */
int lab_run(const struct experiment *e, const struct lab_options *o, struct lab_result *r);
void lab_free(struct lab_result *r);

/** lab_problem() - note why a claim does not hold; only the first note is kept; Return: -1 */
int lab_problem(struct lab_result *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** lab_doubt() - note why nothing can be concluded; only the first note is kept */
void lab_doubt(struct lab_result *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

enum lab_verdict lab_verdict(const struct lab_result *r);

/**
 * lab_within() - expect a time, with the slack of the options
 * @r: the result; has a problem then, or a doubt if the lab was kept from running meanwhile
 * @what: happened, as in "the ACK left"
 * @from: when the time began
 * @to: when it ended
 * @ms: least and most
 */
void lab_within(struct lab_result *r, const char *what, uint64_t from, uint64_t to,
		const double ms[2]);

/** lab_stall() - note that the lab was kept from running */
void lab_stall(struct lab_result *r, uint64_t from, uint64_t to);

/** lab_stalled_ms() - Return: for how long it was, between @from and @to */
double lab_stalled_ms(const struct lab_result *r, uint64_t from, uint64_t to);
double lab_longest_stall_ms(const struct lab_result *r);

/** lab_late_ms() - Return: how late a side was in what it did, at most */
double lab_late_ms(const struct lab_result *r, enum lab_side side);

/** lab_moved() - Return: by how much a counter moved, on both sides together */
int64_t lab_moved(const struct lab_result *r, const char *name);

#define LAB_MOVES_SOME -1

/**
 * lab_moves() - look up by how much a counter is to move
 * @moves: see &struct shows
 * @name: of the counter, with or without "FinAck"
 *
 * Return: by how much it moves; LAB_MOVES_SOME for at least one.
 */
int lab_moves(const char *moves, const char *name);

/** lab_why() - Return: the reason for what was seen; NULL if that is not what is claimed */
const char *lab_why(const struct lab_result *r);

/**
 * lab_settings() - write how a run differs from what the experiment describes
 * @o: how it is run
 * @between: two settings
 * @text: gets them, as in "fin_ack=2, delay=60"; empty if there is none
 * @size: of @text
 */
void lab_settings(const struct lab_options *o, const char *between, char *text, size_t size);

/** lab_judge() - compare what was seen with what the experiment shows */
void lab_judge(struct lab_result *r);

#endif
