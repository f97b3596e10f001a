/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A role is one side of an experiment, a process of its own. It makes its system calls through
 * these functions, which note call, result and time where the other side and the lab can see them.
 */
#ifndef FINACK_ROLE_H
#define FINACK_ROLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "read/counters.h"

#define NOTES_MAX 128

/**
 * struct note - something a role did or saw
 * @ns: when it was noted, since the epoch: before close(), shutdown(), setsockopt() and a sleep,
 *	after other calls
 * @server: whether the server did
 * @failed: it is not what the experiment expects
 * @sleep_ms: a sleep of so long follows
 * @late_ns: the sleep took so much longer, where that matters to the experiment
 * @text: the call and what it returned
 */
struct note {
	uint64_t ns;
	bool server;
	bool failed;
	unsigned int sleep_ms;
	uint64_t late_ns;
	char text[90];
};

/**
 * struct calm - a window in which nothing may happen, on the wire or in the counters
 * @ns: its begin and end, 0 while unused
 * @counters: at both ends
 */
struct calm {
	uint64_t ns[2];
	struct counters counters[2];
};

/**
 * struct shared - what the processes of an experiment have in common
 * @notes: how many notes were made
 * @note: the first of them
 * @calm: the window in which nothing may happen
 * @end: the addresses of client and server, set once @connected
 * @connected: the client is connected
 */
struct shared {
	atomic_int notes;
	struct note note[NOTES_MAX];
	struct calm calm;
	struct sockaddr_storage end[2];
	atomic_bool connected;
};

/**
 * struct role_options - what a user may change about the sides
 * @delay_ms: how long after EOF the server acts, instead of what the experiment says
 * @greeting: how many bytes the client sends first, instead of "hello"
 */
struct role_options {
	unsigned int delay_ms;
	unsigned int greeting;
};

/**
 * struct role - the side a process plays
 * @shared: what both sides and the lab share
 * @server: the passive closer, as a rule
 * @options: what the user changes, 0 for nothing
 */
struct role {
	struct shared *shared;
	bool server;
	struct role_options options;
};

uint64_t role_now(void);
struct note *role_note(struct role *r, bool failed, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** role_expect() - note what was expected if @ok is false; the experiment then fails */
void role_expect(struct role *r, bool ok, const char *what);

int role_read(struct role *r, int fd, void *buf, size_t size);
int role_write(struct role *r, int fd, const void *buf, size_t size);
void role_close(struct role *r, int fd);
void role_shutdown(struct role *r, int fd, int how);
/** role_option() - set a TCP option, by name for the note */
void role_option(struct role *r, int fd, int opt, const char *name, int value);
/** role_buffer() - set SO_SNDBUF or SO_RCVBUF */
void role_buffer(struct role *r, int fd, int opt, const char *name, int value);
/** role_pause() - sleep; it does not matter how much longer that takes; Return: its note */
struct note *role_pause(struct role *r, unsigned int ms);
/** role_sleep() - sleep; if that takes much longer, the experiment may be another one */
void role_sleep(struct role *r, unsigned int ms);
/** role_wait() - wait until poll() reports one of @events, at most 10 s */
void role_wait(struct role *r, int fd, short events);
/** role_until_eof() - read to the end of what the peer sends; Return: the bytes read */
size_t role_until_eof(struct role *r, int fd);
/** role_next_tick() - return right after a timer tick, so that the next one is a whole tick away */
void role_next_tick(void);
/** role_greet() - send the greeting */
void role_greet(struct role *r, int fd);
/** role_delay() - sleep @ms, unless the user gave a delay: then role_until_eof() slept */
void role_delay(struct role *r, unsigned int ms);
/** role_fill() - write without waiting until the socket takes no more; Return: the bytes taken */
size_t role_fill(struct role *r, int fd);
/** role_full_size() - Return: the data that fits into one segment */
size_t role_full_size(struct role *r, int fd);
/**
 * role_deaf() - drop segments that come in, as if the network had lost them
 * @flags: of the TCP header: segments with one of them are dropped; 0 for all segments
 */
void role_deaf(struct role *r, int fd, unsigned int flags);
void role_hear(struct role *r, int fd);
/** role_vanish() - remove the addresses of this host and the socket, without a segment */
void role_vanish(struct role *r, int fd);
/** role_gauge() - expect a value of a counter, if the module is loaded */
void role_gauge(struct role *r, const char *name, uint64_t value);
/** role_calm() - begin (0) or end (1) the window in which nothing may happen */
void role_calm(struct role *r, int end);

#endif
