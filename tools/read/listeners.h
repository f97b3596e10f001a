/* SPDX-License-Identifier: GPL-2.0-only */
/* Who listens where: /proc/net/tcp and tcp6. */
#ifndef FINACK_LISTENERS_H
#define FINACK_LISTENERS_H

#include <stddef.h>
#include <stdint.h>

/** struct listener - a listening socket */
struct listener {
	uint64_t port;
	uint64_t inode;
};

/** struct listeners - those of a namespace */
struct listeners {
	struct listener *row;
	size_t n;
};

/** listeners_read() - read those of the caller's namespace; Return: 0, or -1 with errno */
int listeners_read(struct listeners *l);
/** listeners_parse() - add those of @text, which is modified; Return: 0, or -1 with errno */
int listeners_parse(struct listeners *l, char *text);
/** listeners_find() - Return: the inode of one that listens at @port, 0 if there is none */
uint64_t listeners_find(const struct listeners *l, uint64_t port);
void listeners_free(struct listeners *l);

#endif
