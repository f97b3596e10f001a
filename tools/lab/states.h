/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The states of a connection's two sockets, polled from the kernel (sock_diag). A state that lasts
 * for less than the time between two polls is not seen.
 */
#ifndef FINACK_STATES_H
#define FINACK_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"

#define STATES_MAX 32

/**
 * struct state - a new state that a socket was seen in
 * @ns: when, since the epoch
 * @server: whether it is the server's socket
 * @tcp: TCP_ESTABLISHED and so on; 0: it is gone
 * @left_ms: time left on its timer; in TIME_WAIT, on the one that ends it
 */
struct state {
	uint64_t ns;
	bool server;
	int tcp;
	unsigned int left_ms;
};

/**
 * struct states - what was seen
 * @row: in order of time
 * @n: how many
 */
struct states {
	struct state row[STATES_MAX];
	size_t n;
	/* private */
	int diag[2];
	int last[2];
};

/** states_begin() - prepare to poll both sides; Return: 0, or -1 if a side cannot be polled */
int states_begin(struct states *s, const struct net *n);

/** states_ask() - poll both sides; @end are the addresses of client and server */
void states_ask(struct states *s, const struct sockaddr_storage end[2], uint64_t now);

/** states_last() - Return: the last state seen of a side, 0 if it is gone, -1 if none was */
int states_last(const struct states *s, bool server);
void states_end(struct states *s);

/** states_name() - Return: for example "LAST_ACK", "gone" for 0 */
const char *states_name(int tcp);

#endif
