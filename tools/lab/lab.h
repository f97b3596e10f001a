/* SPDX-License-Identifier: GPL-2.0-only */
/* The experiments and how one is run. The finack tool and the selftests are its two front ends. */
#ifndef FINACK_LAB_H
#define FINACK_LAB_H

#include <stdio.h>

#include "role.h"
#include "wire.h"

#define LAB_PORT 8888

/** enum lab_family - what the connection is made over */
enum lab_family {
	LAB_IPV4,
	LAB_IPV6,
	LAB_MAPPED,	/* an IPv6 listener, an IPv4 client */
	__LAB_FAMILY_MAX
};

extern const char * const lab_family_name[__LAB_FAMILY_MAX];

/**
 * struct experiment - a claim about closing a connection, and how to see it
 * @nr: number in the list of experiments
 * @name: stable
 * @claim: what is done and what follows
 * @why: the reason in the kernel, one sentence
 * @server: the server, with the accepted socket
 * @client: the client, connected; NULL for the usual one: greets, waits a second, closes
 * @listener: called before the listener is bound, or NULL
 * @route_quickack: the route that is used asks for quick ACKs, and keeps doing so: only to be run
 *	in a namespace made for it
 * @outcome: what the wire shows
 * @segments: from the first FIN on, those sent again not counted; 0 if the claim does not say
 * @ack_ms: least and most time from the FIN to the ACK that covers it; 0, 0 if it does not say
 * @moves: the counters that move, each by one, without "FinAck"; all others must not
 */
struct experiment {
	int nr;
	const char *name;
	const char *claim;
	const char *why;
	void (*server)(struct role *r, int fd);
	void (*client)(struct role *r, int fd);
	void (*listener)(struct role *r, int fd);
	bool route_quickack;
	enum wire_outcome outcome;
	size_t segments;
	double ack_ms[2];
	const char *moves;
};

extern const struct experiment experiments[];

const struct experiment *lab_find(const char *name);

/**
 * struct lab_result - what an experiment showed
 * @shared: the notes of the roles
 * @have_counters: the module is loaded
 * @before: the counters
 * @after: the counters
 * @wire: the capture
 * @conn: the connection, NULL if there was none
 * @close: how it closed
 * @problem: in which respect the claim does not hold; empty if it does
 */
struct lab_result {
	struct shared *shared;
	bool have_counters;
	struct counters before;
	struct counters after;
	struct wire wire;
	const struct wire_conn *conn;
	struct wire_close close;
	char problem[400];
};

/**
 * lab_scratch() - move the caller to a network namespace of its own, with lo up
 *
 * Return: 0, or -1 with errno.
 */
int lab_scratch(void);

/**
 * lab_run() - run an experiment on the loopback of the caller's network namespace
 * @e: the experiment
 * @family: over what
 * @r: filled in; to be freed with lab_free()
 *
 * Return: 0 if it ran, whatever it showed (see lab_result::problem); -1 if it could not be run,
 * the problem says why.
 */
int lab_run(const struct experiment *e, enum lab_family family, struct lab_result *r);
void lab_free(struct lab_result *r);

/**
 * ladder_print() - draw the close
 * @r: what an experiment showed
 * @f: where to
 * @color: with terminal colours
 */
void ladder_print(const struct lab_result *r, FILE *f, bool color);

#endif
