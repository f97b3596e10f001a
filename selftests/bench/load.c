// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load over one or more flows, and what its client sees of it.
 *
 * load KIND ADDRESS FLOWS COUNT SERVER   COUNT transactions, spread over FLOWS connections;
 *                                        SERVER is the pid of the other side (serve.c)
 *
 * On all connections at once, without Nagle's algorithm:
 *   rr         a request of 64 bytes, an answer of 512, on connections that stay and have had one
 *   conn       a connection for each; the server closes it after the answer
 * One at a time, on each connection in turn, otherwise like rr; 100 come before those that count:
 *   one        a request by one write
 *   two        a request by two writes, of which Nagle's algorithm delays the second
 *   slow       by one write, answered after 100 ms
 *   turns      50 by two writes, 50 by one, and so on
 *   slowturns  50 by two writes, 50 slow ones, and so on
 *   mixed      by two writes, by one, and so on; with an even FLOWS a connection has one kind
 * No answer, and FLOWS is 1:
 *   lazy       64 bytes written every 5 ms, read 100 ms after the first of them came
 *   bulk       64 KiB written
 *
 * Prints: instructions executed by all, nanoseconds, segments sent by both sides, p50 and p99 of
 * the transactions' durations in nanoseconds.
 */
#include "load.h"

#define EVERY	(5 * MS)	/* less than the two ticks after which a tail loss probe comes */
#define TURN	50
#define CYCLE	(2 * TURN)

enum way { BY_ONE, BY_TWO, SLOWLY };

/* @turn: one transaction at a time, so many in the first way, then so many in the second */
static const struct {
	const char *name;
	int turn;
	enum way ways[2];
} kinds[KINDS] = {
	[RR]		= { "rr" },
	[CONN]		= { "conn" },
	[ONE]		= { "one",		TURN,	{ BY_ONE,	BY_ONE } },
	[TWO]		= { "two",		TURN,	{ BY_TWO,	BY_TWO } },
	[SLOW]		= { "slow",		TURN,	{ SLOWLY,	SLOWLY } },
	[TURNS]		= { "turns",		TURN,	{ BY_TWO,	BY_ONE } },
	[SLOWTURNS]	= { "slowturns",	TURN,	{ BY_TWO,	SLOWLY } },
	[MIXED]		= { "mixed",		1,	{ BY_TWO,	BY_ONE } },
	[LAZY]		= { "lazy" },
	[BULK]		= { "bulk" },
};

/* the first byte asks the server to take its time */
static const char request[REQUEST], slow_request[REQUEST] = { 1 };

static struct client {
	struct sockaddr_in to;
	enum kind kind;
	int epoll;
	int n_flows;
	int left;	/* transactions to begin */
	int done;
	int64_t *took;
} c;

static struct flow {
	int fd;
	int got;
	int64_t began;
} *flows;

static void send_part(struct flow *f, const char *part, size_t size)
{
	if (write(f->fd, part, size) != (ssize_t)size)
		die("request");
}

static void ask(struct flow *f)
{
	int turn = kinds[c.kind].turn;

	switch (kinds[c.kind].ways[turn ? c.done / turn % 2 : 0]) {
	case BY_ONE:
		send_part(f, request, REQUEST);
		break;
	case BY_TWO:
		send_part(f, request, REQUEST / 2);
		send_part(f, request, REQUEST / 2);
		break;
	case SLOWLY:
		send_part(f, slow_request, REQUEST);
		break;
	}
}

static void begin(struct flow *f)
{
	int nodelay = !kinds[c.kind].turn;

	if (!c.left)
		return;
	c.left--;
	f->got = 0;
	f->began = now_ns();
	if (f->fd >= 0) {
		ask(f);
		return;
	}
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (f->fd < 0 || setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, sizeof(nodelay)) ||
	    (connect(f->fd, (struct sockaddr *)&c.to, sizeof(c.to)) && errno != EINPROGRESS))
		die("connect");
	watch(c.epoll, f->fd, EPOLLOUT, f);
}

static void end(struct flow *f)
{
	c.took[c.done++] = now_ns() - f->began;
	begin(kinds[c.kind].turn ? &flows[c.done % c.n_flows] : f);
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
	} else if (c.kind != CONN && f->got == ANSWER) {
		end(f);
	}
}

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (connect(fd, (struct sockaddr *)&c.to, sizeof(c.to)) ||
	    (c.kind == LAZY && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))))
		die("connect");
	return fd;
}

static void write_all(int fd, ssize_t size)
{
	ssize_t n, sent;

	for (sent = 0; sent < size; sent += n) {
		n = write(fd, buf, size - sent);
		if (n <= 0)
			die("write");
	}
}

static void sleep_until(int64_t ns)
{
	struct timespec t = { ns / (1000 * MS), ns % (1000 * MS) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void stream(int count)
{
	int fd = connected();
	int64_t began, start = now_ns();

	c.done = 0;
	while (c.done < count) {
		if (c.kind == LAZY)
			sleep_until(start + c.done * EVERY);
		began = now_ns();
		write_all(fd, c.kind == LAZY ? REQUEST : CHUNK);
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

static void make_flows(void)
{
	int n = c.n_flows;

	flows = calloc(n, sizeof(*flows));
	if (!flows)
		die("memory");
	while (n--)
		flows[n].fd = -1;
}

static void ask_and_wait(int count)
{
	int at_once = kinds[c.kind].turn ? 1 : c.n_flows, i, n;
	struct epoll_event e[64];

	c.left = count;
	c.done = 0;
	for (i = 0; i < at_once; i++)
		begin(&flows[i]);
	while (c.done < count) {
		n = epoll_wait(c.epoll, e, 64, -1);
		for (i = 0; i < n; i++)
			go_on(e[i].data.ptr, e[i].events);
	}
}

static void transactions(int count)
{
	if (c.kind == LAZY || c.kind == BULK)
		stream(count);
	else
		ask_and_wait(count);
}

/* what comes before, so that what is measured is like what follows it */
static void warm_up(void)
{
	if (kinds[c.kind].turn || c.kind == LAZY)
		transactions(CYCLE);
	else if (c.kind == RR)
		transactions(c.n_flows);
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

static void measure(int count, const char *server)
{
	int64_t start, busy, sent;

	busy_settle();
	sent = segments("self") + segments(server);
	busy = busy_ns();
	start = now_ns();
	transactions(count);
	start = now_ns() - start;
	busy_settle();
	busy = busy_ns() - busy;
	sent = segments("self") + segments(server) - sent;
	qsort(c.took, count, sizeof(*c.took), compare);
	printf("%lld %lld %lld %lld %lld\n", (long long)busy, (long long)start, (long long)sent,
	       (long long)c.took[count / 2], (long long)c.took[count - 1 - count / 100]);
}

int main(int argc, char **argv)
{
	int count, kind;

	may_open_many();
	c.n_flows = argc == 6 ? atoi(argv[3]) : 0;
	count = argc == 6 ? atoi(argv[4]) : 0;
	if (c.n_flows < 1 || count < c.n_flows)
		return 2;
	for (kind = 0; kind < KINDS && strcmp(argv[1], kinds[kind].name); kind++)
		;
	if (kind == KINDS)
		return 2;
	c.kind = kind;
	c.epoll = epoll_create1(0);
	c.took = calloc(count + CYCLE, sizeof(*c.took));
	c.to.sin_family = AF_INET;
	c.to.sin_port = htons(PORT + kind);
	if (!c.took || inet_pton(AF_INET, argv[2], &c.to.sin_addr) != 1)
		return 2;
	busy_init(O_RDWR);
	make_flows();
	warm_up();
	measure(count, argv[5]);
	return 0;
}
