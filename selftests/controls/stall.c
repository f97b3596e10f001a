// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nagle against delayed ACK, by two plain programs that set no socket option.
 *
 * stall server ADDRESS PORT
 *   reads requests of one size and answers each when it has the whole of it, until killed; says
 *   "ready"
 * stall client ADDRESS PORT COUNT [whole]
 *   sends COUNT requests on a connection, each by two write()s, or by one ("whole"), and reads the
 *   answer; prints how long each took, in microseconds
 * stall wire FILE PORT
 *   what a capture shows of each request: microseconds from the first part of the request to the
 *   second, and whether a pure ACK came between; "-" if both parts left in one segment
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lab/wire.h"

#define HEADER	100
#define BODY	300
#define ANSWER	200

static char data[HEADER + BODY];

static void die(const char *what)
{
	fprintf(stderr, "stall: %s: %s\n", what, strerror(errno));
	exit(1);
}

static socklen_t address(const char *host, const char *port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	sin->sin_port = htons(atoi(port)); /* at the same offset in IPv6 */
	ss->ss_family = strchr(host, ':') ? AF_INET6 : AF_INET;
	if (ss->ss_family == AF_INET && inet_pton(AF_INET, host, &sin->sin_addr) == 1)
		return sizeof(*sin);
	if (ss->ss_family == AF_INET6 && inet_pton(AF_INET6, host, &sin6->sin6_addr) == 1)
		return sizeof(*sin6);
	die(host);
	return 0;
}

/* Return: whether all of it came before the end */
static int read_all(int fd, size_t n)
{
	ssize_t rc;

	for (; n; n -= rc) {
		rc = read(fd, data, n);
		if (rc < 0)
			die("read");
		if (!rc)
			return 0;
	}
	return 1;
}

static void write_all(int fd, size_t n)
{
	if (write(fd, data, n) != n)
		die("write");
}

static void serve(int listener)
{
	int fd;

	puts("ready");
	fflush(stdout);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			die("accept");
		while (read_all(fd, HEADER + BODY))
			write_all(fd, ANSWER);
		close(fd);
	}
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

static int ask(int fd, int count, int whole)
{
	uint64_t start;

	setlinebuf(stdout);
	while (count--) {
		start = now_us();
		if (!whole)
			write_all(fd, HEADER);
		write_all(fd, whole ? HEADER + BODY : BODY);
		if (!read_all(fd, ANSWER))
			return 1;
		printf("%" PRIu64 "\n", now_us() - start);
	}
	close(fd);
	return 0;
}

/* the requests of a connection: the segments with data that its client sent */
static void show(const struct wire_conn *c, int client)
{
	const struct wire_seg *first = NULL;
	int acks = 0;
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct wire_seg *s = &c->seg[i];

		if (s->side != client) {
			acks += first && !s->len && s->ack == first->seq + first->len;
		} else if (s->len == HEADER + BODY) {
			puts("- 0");
		} else if (s->len && !first) {
			first = s;
			acks = 0;
		} else if (s->len) {
			printf("%" PRIu64 " %d\n", (s->ns - first->ns) / 1000, acks);
			first = NULL;
		}
	}
}

static int show_wire(const char *path, int port)
{
	struct wire w;
	char err[200];
	size_t i;

	if (wire_read(&w, path, err, sizeof(err))) {
		fprintf(stderr, "stall: %s\n", err);
		return 1;
	}
	for (i = 0; i < w.n; i++) {
		if (w.conn[i]->port[1] == port)
			show(w.conn[i], 0);
	}
	wire_free(&w);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, on = 1;

	if (argc == 4 && !strcmp(argv[1], "wire"))
		return show_wire(argv[2], atoi(argv[3]));
	if (argc < 4)
		return 2;
	len = address(argv[2], argv[3], &ss);
	fd = socket(ss.ss_family, SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (argc == 4 && !strcmp(argv[1], "server")) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, (void *)&ss, len) || listen(fd, 8))
			die("listen");
		serve(fd);
	}
	if (argc < 5 || argc > 6 || strcmp(argv[1], "client") ||
	    (argc == 6 && strcmp(argv[5], "whole")))
		return 2;
	if (connect(fd, (void *)&ss, len))
		die("connect");
	return ask(fd, atoi(argv[4]), argc == 6);
}
