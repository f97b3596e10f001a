// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load over many flows at once, and what its client sees of it.
 *
 * load server                            serves the three kinds, each on its port
 * load KIND ADDRESS FLOWS COUNT SERVER   COUNT transactions, spread over FLOWS connections at
 *                                        a time; SERVER is the pid of the other side
 *   rr      a request of 64 bytes, an answer of 512, on connections that stay and have had one
 *   conn    a connection for each; the server closes it after the answer
 *   bulk    64 KiB written, no answer; FLOWS is 1
 *
 * The client prints: instructions executed by all, nanoseconds, segments sent by both sides, p50
 * and p99 of the transactions' durations in nanoseconds.
 */
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

enum kind { RR, CONN, BULK, KINDS };

static const char * const kinds[KINDS] = { "rr", "conn", "bulk" };
static const int ports[KINDS] = { 7001, 7002, 7003 };
static char buf[CHUNK];

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(int epoll, int fd, uint64_t data)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = data };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl");
}

/* what the server remembers of a connection: its kind, and that it is a listener */
#define LISTENER	KINDS
#define DATA(_fd, _what)	((uint64_t)(_what) << 32 | (_fd))

static void serve_one(int epoll, int fd, unsigned int what)
{
	int on = 1, new;
	ssize_t n;

	if (what >= LISTENER) {
		new = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
		if (new < 0 || setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
			die("accept");
		watch(epoll, new, DATA(new, what - LISTENER));
		return;
	}
	n = read(fd, buf, sizeof(buf));
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0 && what != BULK && write(fd, buf, ANSWER) != ANSWER)
		die("answer");
	if (n <= 0 || what == CONN)
		close(fd);
}

static void server(void)
{
	int epoll = epoll_create1(0), i, n, fd, on = 1;
	struct epoll_event e[64];

	for (i = 0; i < KINDS; i++) {
		struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(ports[i]) };

		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		    bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1000))
			die("listen");
		watch(epoll, fd, DATA(fd, i + LISTENER));
	}
	puts("serving");
	fflush(stdout);
	for (;;) {
		n = epoll_wait(epoll, e, 64, -1);
		for (i = 0; i < n; i++)
			serve_one(epoll, (uint32_t)e[i].data.u64, e[i].data.u64 >> 32);
	}
}

static struct client {
	struct sockaddr_in to;
	enum kind kind;
	int epoll;
	int left;	/* transactions to begin */
	int done;
	int64_t *took;
} c;

static struct flow {
	int fd;
	int got;
	int64_t began;
} *flows;

static void ask(struct flow *f)
{
	if (write(f->fd, buf, REQUEST) != REQUEST)
		die("request");
}

static void begin(struct flow *f)
{
	int on = 1;

	if (!c.left)
		return;
	c.left--;
	f->got = 0;
	f->began = now_ns();
	if (c.kind == RR && f->fd >= 0) {
		ask(f);
		return;
	}
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (f->fd < 0 || setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    (connect(f->fd, (struct sockaddr *)&c.to, sizeof(c.to)) && errno != EINPROGRESS))
		die("connect");
	struct epoll_event e = { .events = EPOLLOUT, .data.ptr = f };

	if (epoll_ctl(c.epoll, EPOLL_CTL_ADD, f->fd, &e))
		die("epoll_ctl");
}

static void end(struct flow *f)
{
	c.took[c.done++] = now_ns() - f->began;
	begin(f);
}

static void go_on(struct flow *f, uint32_t events)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = f };
	ssize_t n;

	if (events & EPOLLOUT) { /* connected */
		ask(f);
		if (epoll_ctl(c.epoll, EPOLL_CTL_MOD, f->fd, &e))
			die("epoll_ctl");
		return;
	}
	n = read(f->fd, buf, sizeof(buf));
	if (n < 0)
		die("answer");
	f->got += n;
	if (c.kind == CONN && !n) {
		if (f->got != ANSWER)
			die("end too soon");
		close(f->fd);
		f->fd = -1;
		end(f);
	} else if (c.kind == RR && f->got == ANSWER) {
		end(f);
	}
}

static void bulk(int count)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t n, sent;
	int64_t began;

	if (connect(fd, (struct sockaddr *)&c.to, sizeof(c.to)))
		die("connect");
	while (c.done < count) {
		began = now_ns();
		for (sent = 0; sent < CHUNK; sent += n) {
			n = write(fd, buf, CHUNK - sent);
			if (n <= 0)
				die("write");
		}
		c.took[c.done++] = now_ns() - began;
	}
	/* wait until the peer has read everything: otherwise much would still be on its way */
	shutdown(fd, SHUT_WR);
	if (read(fd, buf, 1))
		die("end");
	close(fd);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void make_flows(int n)
{
	flows = calloc(n, sizeof(*flows));
	if (!flows)
		die("memory");
	while (n--)
		flows[n].fd = -1;
}

static void many(int n_flows, int count)
{
	struct epoll_event e[64];
	int i, n;

	c.left = count;
	c.done = 0;
	for (i = 0; i < n_flows; i++)
		begin(&flows[i]);
	while (c.done < count) {
		n = epoll_wait(c.epoll, e, 64, -1);
		for (i = 0; i < n; i++)
			go_on(e[i].data.ptr, e[i].events);
	}
}

/* what the network namespace of a process has sent: OutSegs of RFC 4022 */
static int64_t segments(const char *pid)
{
	char line[512], path[64];
	long long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/net/snmp", pid);
	f = fopen(path, "r");
	if (!f)
		die(path);
	/* the first line with "Tcp:" has the names */
	while (n < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "Tcp: %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %lld", &n);
	fclose(f);
	if (n < 0)
		die("OutSegs");
	return n;
}

int main(int argc, char **argv)
{
	struct rlimit lim = { 10000, 10000 };
	int64_t start, busy, sent;
	int count, kind, n_flows;

	setrlimit(RLIMIT_NOFILE, &lim);
	if (argc == 2 && !strcmp(argv[1], "server"))
		server();
	n_flows = argc == 6 ? atoi(argv[3]) : 0;
	count = argc == 6 ? atoi(argv[4]) : 0;
	if (n_flows < 1 || count < n_flows)
		return 2;
	for (kind = 0; kind < KINDS && strcmp(argv[1], kinds[kind]); kind++)
		;
	if (kind == KINDS)
		return 2;
	c.kind = kind;
	c.epoll = epoll_create1(0);
	c.took = calloc(count, sizeof(*c.took));
	c.to.sin_family = AF_INET;
	c.to.sin_port = htons(ports[kind]);
	if (!c.took || inet_pton(AF_INET, argv[2], &c.to.sin_addr) != 1)
		return 2;
	busy_init(O_RDWR);
	make_flows(n_flows);
	if (kind == RR)
		many(n_flows, n_flows);
	busy_settle();
	sent = segments("self") + segments(argv[5]);
	busy = busy_ns();
	start = now_ns();
	if (kind == BULK)
		bulk(count);
	else
		many(n_flows, count);
	start = now_ns() - start;
	busy_settle();
	busy = busy_ns() - busy;
	sent = segments("self") + segments(argv[5]) - sent;
	qsort(c.took, count, sizeof(*c.took), compare);
	printf("%lld %lld %lld %lld %lld\n", (long long)busy, (long long)start, (long long)sent,
	       (long long)c.took[count / 2], (long long)c.took[count - 1 - count / 100]);
	return 0;
}
