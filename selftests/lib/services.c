// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closes connections of chosen ports over the loopback of its network namespace.
 *
 * services WHO:PORT:COUNT[:CLIENT[:MS]]...   closes COUNT connections to a listener at PORT, one
 *                                            by one
 *   WHO        the side that closes second, and so has the passive close:
 *     server   the server
 *     client   the client
 *     alone    the server, and its listener is closed before
 *     leak     the server, which does not close: says "held" when all are there, and waits
 *     pending  the server, which does not even accept: the same
 *     stuck    the server, whose FIN waits behind data that the client does not read: says "held"
 *     burst    the server, of all at once
 *     asks     the server, which asks for its ACKs at once (TCP_QUICKACK) before it closes
 *   CLIENT     a port that the client binds; without it, or with 0, connect() chooses one; with
 *              -1 bind() does
 *   MS         the second close is so many milliseconds after the first
 * services any SEED FIRST NUMBER        such closes at random, of NUMBER ports from FIRST on, until
 *                                       killed
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct service {
	char who[8];
	int port;
	int count;
	int client;
	int ms;
	int listener;
};

static void die(const char *what)
{
	fprintf(stderr, "services: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int bound(int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die("bind");
	return fd;
}

static void listen_at(struct service *s)
{
	s->listener = bound(s->port);
	if (listen(s->listener, 16))
		die("listen");
}

static int connected(const struct service *s)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	int fd = s->client ? bound(s->client < 0 ? 0 : s->client) : socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || getsockname(s->listener, (struct sockaddr *)&addr, &len) ||
	    connect(fd, (struct sockaddr *)&addr, len))
		die("connect");
	return fd;
}

/* closes @first, and waits until the FIN has come to @second */
static void close_first(int first, int second)
{
	struct pollfd p = { .fd = second, .events = POLLRDHUP };

	if (write(first, "x", 1) != 1 || close(first) || poll(&p, 1, 10000) != 1)
		die("the first close");
}

/* the FIN of @second waits behind what @first, which has closed for sending, does not read */
static void close_stuck(int first, int second)
{
	static char data[1 << 16];
	struct pollfd p = { .fd = second, .events = POLLRDHUP };

	if (shutdown(first, SHUT_WR) || poll(&p, 1, 10000) != 1)
		die("the first close");
	while (send(second, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	if (close(second))
		die("the second close");
}

static void close_second(int second, bool asks)
{
	if (read(second, &(char){ 0 }, 1) != 1 ||
	    (asks && setsockopt(second, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int))) ||
	    close(second))
		die("the second close");
}

static void one_close(const struct service *s)
{
	int client = connected(s), server, first = client, second;

	if (!strcmp(s->who, "pending")) {
		if (write(client, "x", 1) != 1 || close(client))
			die("the client's close");
		return;
	}
	server = accept(s->listener, NULL, NULL);
	if (server < 0)
		die("accept");
	if (!strcmp(s->who, "alone"))
		close(s->listener);
	if (!strcmp(s->who, "client"))
		first = server;
	second = client + server - first;
	if (!strcmp(s->who, "stuck"))
		return close_stuck(first, second);
	close_first(first, second);
	if (!strcmp(s->who, "leak"))
		return;
	usleep(s->ms * 1000);
	close_second(second, !strcmp(s->who, "asks"));
}

static void burst(const struct service *s)
{
	int *second = calloc(s->count, sizeof(*second)), i;

	for (i = 0; i < s->count; i++) {
		int client = connected(s);

		second[i] = accept(s->listener, NULL, NULL);
		if (second[i] < 0)
			die("accept");
		close_first(client, second[i]);
	}
	usleep(s->ms * 1000);
	for (i = 0; i < s->count; i++)
		close_second(second[i], false);
	free(second);
}

static void all_closes(struct service *s)
{
	int i, alone = !strcmp(s->who, "alone");

	if (!alone)
		listen_at(s);
	for (i = 0; i < (strcmp(s->who, "burst") ? s->count : 0); i++) {
		if (alone)
			listen_at(s);
		one_close(s);
	}
	if (!strcmp(s->who, "burst"))
		burst(s);
	if (!alone && strcmp(s->who, "pending"))
		close(s->listener);
}

static void any(int seed, int first, int number)
{
	struct service *s = calloc(number, sizeof(*s));
	int i;

	srandom(seed);
	for (i = 0; i < number; i++) {
		s[i].port = first + i;
		listen_at(&s[i]);
	}
	for (;;) {
		usleep(random() % 2000); /* others run, too */
		i = random() % number;
		strcpy(s[i].who, random() % 2 ? "server" : "client");
		one_close(&s[i]);
	}
}

int main(int argc, char **argv)
{
	int i, held = 0;

	if (argc == 5 && !strcmp(argv[1], "any"))
		any(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	for (i = 1; i < argc; i++) {
		struct service s = {};

		if (sscanf(argv[i], "%7[a-z]:%d:%d:%d:%d", s.who, &s.port, &s.count, &s.client,
			   &s.ms) < 3)
			return 2;
		all_closes(&s);
		held |= !strcmp(s.who, "leak") || !strcmp(s.who, "pending") ||
			!strcmp(s.who, "stuck");
	}
	if (held) {
		puts("held");
		fflush(stdout);
		pause();
	}
	return 0;
}
