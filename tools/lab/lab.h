/* SPDX-License-Identifier: GPL-2.0-only */
/* The experiments and how one is run. The finack tool and the selftests are its two front ends. */
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
 * struct shows - what an experiment shows; 0 and NULL where nothing is said
 * @outcome: of the wire
 * @segments: from the first FIN on, those sent again not counted
 * @ack_ms: least and most time from the FIN to the segment that covers it
 * @data_ms: least and most time from the client's last data before the FIN to the pure ACK of it
 * @moves: the counters that move, each by one or as in "QuickAck=2", without "FinAck", those of
 *	both sides together; all others must not. "QuickAck=*": at least by one
 * @wire: checks what is not said above, and notes what is wrong with lab_problem()
 * @races: both sides send again, and which of the Active* counters moves depends on who is first
 * @within_tick: it is shown if the server closes before the next tick
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
};

/** enum lab_end - when an experiment is over, both processes having ended */
enum lab_end {
	LAB_CLOSED,	/* both FINs were ACKed, or a RST came */
	LAB_GIVEN_UP,	/* the server's socket is gone, whatever the wire shows */
};

/**
 * struct experiment - a claim about closing a connection, and how to see it
 * @nr: number in the list of experiments
 * @name: stable
 * @claim: what is done and what follows
 * @why: the reason in the kernel, one sentence
 * @server: the server, with the accepted socket
 * @client: the client, connected; NULL for the usual one: greets, waits a second, closes
 * @listener: called before the listener is bound, or NULL
 * @caller: called before the client connects, or NULL
 * @net: the network it needs
 * @end: when it is over
 * @dies_by: the signal that ends the server's process, 0 for none
 * @resets: there is a RST, and it is from @resets_side; else there must be none
 * @resets_side: see there
 * @from_data: draw it from the client's last so many data segments on, not from the FIN on
 * @shows: what there is to see, all controls at their defaults
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
 * @family: over what
 * @net: added to what the experiment needs
 * @on: a network that is there and has it all, and what families it was made for; NULL to make one
 * @role: see there
 * @knobs: up to and without a NULL: "NAME=VALUE" to be set in /proc/sys/net/finack of the server's
 *	namespace; NULL for none
 * @shows: what must be seen; NULL for what the experiment shows
 * @slack_ms: how much later than claimed an ACK may be, on a machine whose clock does not wait;
 *	LAB_ANY_TIME: times are not judged
 * @changed: it is not what the claim is about: wire, counters and application must agree, whatever
 *	they show
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

/**
 * struct lab_result - what an experiment showed
 * @e: the experiment
 * @o: how it was run
 * @shared: the notes of the roles
 * @have_counters: the module is loaded
 * @before: the counters of each side's namespace; on the loopback only LAB_SERVER is used
 * @after: the counters
 * @device: where the capture was taken
 * @wire: the capture
 * @conn: the connection, NULL if there was none; the client is its side 0
 * @close: how it closed
 * @states: of the sockets
 * @status: of the processes, as from wait()
 * @problem: in which respect the claim does not hold; empty if it does
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
	char problem[400];
};

/**
 * lab_run() - run an experiment, in the caller's network namespace and, with a link, another
 * @e: the experiment
 * @o: how
 * @r: filled in, refers to @e and @o; to be freed with lab_free()
 *
 * Return: 0 if it ran, whatever it showed (see lab_result::problem); -1 if it could not be run,
 * the problem says why.
 */
int lab_run(const struct experiment *e, const struct lab_options *o, struct lab_result *r);
void lab_free(struct lab_result *r);

/** lab_problem() - note the first respect in which a claim does not hold; Return: -1 */
int lab_problem(struct lab_result *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** lab_moved() - Return: by how much a counter moved, on both sides together */
int64_t lab_moved(const struct lab_result *r, const char *name);

#define LAB_MOVES_SOME -1

/**
 * lab_moves() - look up a counter
 * @moves: see &struct shows
 * @name: of the counter, with or without "FinAck"
 *
 * Return: by how much it moves, LAB_MOVES_SOME if that is not said.
 */
int lab_moves(const char *moves, const char *name);

/** lab_why() - Return: the reason for what was seen; NULL if it was run unlike the claim */
const char *lab_why(const struct lab_result *r);

/** lab_judge() - compare what was seen with what the experiment shows */
void lab_judge(struct lab_result *r);

#endif
