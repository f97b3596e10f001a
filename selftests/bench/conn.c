// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connects, sends a byte, closes; the other end reads to EOF and closes. Over loopback, one after
 * the other, both ends in this process, which never waits.
 *
 * conn COUNT: prints the instructions executed for COUNT connections
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "busy.h"

static struct sockaddr_in addr = { .sin_family = AF_INET };

static void die(const char *what)
{
	fprintf(stderr, "conn: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int listen_any(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		die("listen");
	return fd;
}

static void connection(int listener)
{
	int client = socket(AF_INET, SOCK_STREAM, 0), server;
	char c;

	if (client < 0 || connect(client, (struct sockaddr *)&addr, sizeof(addr)))
		die("connect");
	server = accept(listener, NULL, NULL);
	if (server < 0 || write(client, "x", 1) != 1 || close(client))
		die("client");
	while (read(server, &c, 1) > 0)
		;
	close(server);
}

int main(int argc, char **argv)
{
	int listener, i, count = argc == 2 ? atoi(argv[1]) : 0;
	int64_t start;

	if (count < 1)
		return 2;
	busy_init(O_RDWR);
	listener = listen_any();
	for (i = 0; i < 20; i++)
		connection(listener);
	busy_settle();
	start = busy_ns();
	for (i = 0; i < count; i++)
		connection(listener);
	busy_settle();
	printf("%lld\n", (long long)(busy_ns() - start));
	return 0;
}
