/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads /proc/net/finack_waiting. Columns are found by their names in its head line. */
#ifndef FINACK_WAITING_H
#define FINACK_WAITING_H

#include <stddef.h>
#include <stdint.h>

#define WAITING_FILE "/proc/thread-self/net/finack_waiting"

/** struct waiter - a line, see Documentation/finack.rst */
struct waiter {
	uint64_t age_ms;
	uint64_t lport;
	uint64_t rport;
	uint64_t unread;
	uint64_t uid;
	uint64_t inode;
	char family[16];
	char local[48];
	char remote[48];
	char ack[16];
	char owner[16];
};

/** struct waiting - the lines, the oldest close first */
struct waiting {
	struct waiter *row;
	size_t n;
};

/** waiting_read() - read that of the caller's namespace; Return: 0, or -1 with errno */
int waiting_read(struct waiting *w);
/** waiting_parse() - parse @text, which is modified; Return: 0, or -1 with errno */
int waiting_parse(struct waiting *w, char *text);
/** waiting_free() - free what waiting_read() or waiting_parse() has read */
void waiting_free(struct waiting *w);

#endif
