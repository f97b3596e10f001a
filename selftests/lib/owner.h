/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that owns a socket: its send() of one byte stops while it copies the byte, with the
 * socket's lock held, until the test lets it continue. Segments that arrive meanwhile wait in the
 * socket's backlog.
 */
#ifndef FINACK_OWNER_H
#define FINACK_OWNER_H

#include <pthread.h>

/**
 * struct owner - the sender, all private
 */
struct owner {
	pthread_t thread;
	int uffd;
	void *page;
	int fd;
};

/** owner_begin() - own the socket @fd; Return: 0, or -1 with errno */
int owner_begin(struct owner *o, int fd);
/** owner_end() - let the send() continue; Return: 0 if the byte was sent */
int owner_end(struct owner *o);

#endif
