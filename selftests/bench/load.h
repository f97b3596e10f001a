/* SPDX-License-Identifier: GPL-2.0-only */
/* What both sides of a load know: load.c is its client, serve.c its server. */
#ifndef LOAD_H
#define LOAD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "busy.h"

#define REQUEST	64
#define ANSWER	512
#define CHUNK	65536
#define PORT	7001	/* of the first kind */
#define FILES	10000
#define MS	INT64_C(1000000)

enum kind { RR, CONN, ONE, TWO, SLOW, TURNS, SLOWTURNS, MIXED, LAZY, BULK, KINDS };

static char buf[CHUNK];

static inline void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline void may_open_many(void)
{
	struct rlimit lim = { FILES, FILES };

	setrlimit(RLIMIT_NOFILE, &lim);
}

static inline void watch(int epoll, int fd, uint32_t events, void *what)
{
	struct epoll_event e = { .events = events, .data.ptr = what };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl");
}

#endif
