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

#include "../counters.h"

#define NOTES_MAX 128

/**
 * struct note - something a role did or saw
 * @ns: when it was over, since the epoch
 * @server: who
 * @failed: it is not what the experiment expects
 * @text: the call and what it returned
 */
struct note {
	uint64_t ns;
	bool server;
	bool failed;
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

/** struct shared - what the processes of an experiment have in common */
struct shared {
	atomic_int notes;
	struct note note[NOTES_MAX];
	struct calm calm;
};

/**
 * struct role - the side a process plays
 * @shared: see there
 * @server: the passive closer, as a rule
 */
struct role {
	struct shared *shared;
	bool server;
};

uint64_t role_now(void);
void role_note(struct role *r, bool failed, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** role_expect() - note what was expected if @ok is false; the experiment then fails */
void role_expect(struct role *r, bool ok, const char *what);

int role_read(struct role *r, int fd, void *buf, size_t size);
int role_write(struct role *r, int fd, const void *buf, size_t size);
void role_close(struct role *r, int fd);
void role_shutdown(struct role *r, int fd, int how);
/** role_option() - set a TCP option, by name for the note */
void role_option(struct role *r, int fd, int opt, const char *name, int value);
void role_sleep(struct role *r, unsigned int ms);
/** role_wait() - wait until poll() reports one of @events, at most 10 s */
void role_wait(struct role *r, int fd, short events);
/** role_until_eof() - read to the end of what the peer sends; Return: the bytes read */
size_t role_until_eof(struct role *r, int fd);
/** role_next_tick() - return right after a timer tick, so that the next one is a whole tick away */
void role_next_tick(void);
/** role_calm() - begin (0) or end (1) the window in which nothing may happen */
void role_calm(struct role *r, int end);

#endif
