// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closes connections over the loopback of its network namespace, for the scripts.
 *
 * closer PATTERN COUNT [PAUSE]
 *   merge      the server closes at EOF
 *   separate   it sends the ACK first (TCP_QUICKACK)
 *   late       it closes when the delayed-ACK timer has sent the ACK
 *   data       it writes at EOF
 *   reset      it closes with unread data
 *   unread     it neither reads nor closes, until killed
 *   any        merge, separate or reset at random, until killed, up to PAUSE ms apart (default 3);
 *              COUNT is the seed
 *   hold       COUNT connections wait for close() until a line comes on stdin; says "held" and
 *              "closed"
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in6 addr = { .sin6_family = AF_INET6 };

static void die(const char *what)
{
	fprintf(stderr, "closer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int listen_any(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		die("listen");
	return fd;
}

/* a connection whose client has sent a byte and closed; Return: the server's socket */
static int closed_by_client(int listener)
{
	struct pollfd p = { .events = POLLRDHUP };
	int client = socket(AF_INET6, SOCK_STREAM, 0);

	addr.sin6_addr = in6addr_loopback;
	if (client < 0 || connect(client, (struct sockaddr *)&addr, sizeof(addr)))
		die("connect");
	p.fd = accept(listener, NULL, NULL);
	if (p.fd < 0 || write(client, "x", 1) != 1 || close(client))
		die("client");
	if (poll(&p, 1, 10000) != 1)
		die("the client's FIN did not come");
	return p.fd;
}

static void finish(int fd, const char *pattern)
{
	int on = 1;
	char c;

	if (strcmp(pattern, "reset"))
		while (read(fd, &c, 1) > 0)
			;
	if (!strcmp(pattern, "separate"))
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	if (!strcmp(pattern, "late"))
		usleep(100000);
	if (!strcmp(pattern, "data"))
		send(fd, "x", 1, MSG_NOSIGNAL);
	close(fd);
}

/* Each connection to a listener needs a client port of its own. Their number is limited, and the
 * kernel finds a free port faster if few are taken.
 */
#define HOLD_PER_LISTENER 5000

static void hold(int listener, int count)
{
	struct rlimit lim = { count + 100, count + 100 };
	int *fd = calloc(count, sizeof(*fd)), i;
	char line[10];

	if (!fd || setrlimit(RLIMIT_NOFILE, &lim))
		die("hold");
	for (i = 0; i < count; i++) {
		if (i && !(i % HOLD_PER_LISTENER)) {
			addr.sin6_port = 0;
			listener = listen_any();
		}
		fd[i] = closed_by_client(listener);
		if (read(fd[i], line, 1) != 1)
			die("read");
	}
	puts("held");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return;
	for (i = 0; i < count; i++)
		finish(fd[i], "merge");
	puts("closed");
	fflush(stdout);
	free(fd);
}

int main(int argc, char **argv)
{
	static const char * const patterns[] = { "merge", "separate", "reset" };
	int i, count, listener, pause_us;

	if (argc != 3 && argc != 4)
		return 2;
	count = atoi(argv[2]);
	listener = listen_any();
	if (!strcmp(argv[1], "hold")) {
		hold(listener, count);
		return 0;
	}
	if (!strcmp(argv[1], "any")) {
		pause_us = 1000 * (argc == 4 ? atoi(argv[3]) : 3);
		srandom(count);
		for (;;) {
			usleep(random() % pause_us);
			i = closed_by_client(listener);
			usleep(random() % 5000);
			finish(i, patterns[random() % 3]);
		}
	}
	if (!strcmp(argv[1], "unread")) {
		for (i = 0; i < count; i++)
			closed_by_client(listener);
		pause();
	}
	for (i = 0; i < count; i++)
		finish(closed_by_client(listener), argv[1]);
	return 0;
}
