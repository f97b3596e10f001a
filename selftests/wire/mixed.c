// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closes connections at random, captures them on the server's interface and compares what the
 * capture shows with what was counted.
 *
 * mixed CLIENT-NS INTERFACE IPV4 IPV6 COUNT SEED [flip]
 *
 * flip: meanwhile the knobs of the server's namespace change at random.
 *
 * Runs in the server's network namespace. Each worker has a listener there and makes its client
 * sockets in CLIENT-NS; it plays both sides of one connection after another.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "flips.h"
#include "lab/capture.h"
#include "verdict.h"

#define WORKERS		24
#define PORT		8000
#define BIG		300000

/* what the server does; the client closes first except in the last two */
enum pattern {
	CLOSE_NOW,
	CLOSE_LATER,
	QUICKACK,
	WRITE,
	WRITE_CORKED,
	WRITE_BIG,	/* more than the window lets out */
	WRITE_DEFERRED,	/* several segments, held back because something was just sent */
	SHUTDOWN,
	UNREAD,		/* RST */
	LINGER_0,	/* RST */
	RUDE,		/* the client is gone when data comes: RST */
	BOTH_AT_ONCE,
	SERVER_FIRST,
	__PATTERNS
};

struct worker {
	pthread_t thread;
	int nr;
	int count;
	unsigned int seed;
	uint64_t done[__PATTERNS];
};

static const char *client_ns;
static struct sockaddr_storage server_addr[2];
static struct worker worker[WORKERS];
static atomic_bool failed;
static int failures;
static bool flipping;

static void fail(const char *what)
{
	printf("# mixed: %s: %s\n", what, strerror(errno));
	atomic_store(&failed, true);
	pthread_exit(NULL);
}

static unsigned int rnd(struct worker *w, unsigned int n)
{
	return rand_r(&w->seed) % n;
}

static void pause_up_to(struct worker *w, unsigned int us)
{
	usleep(rnd(w, us));
}

static void set(int fd, int option)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, option, &on, sizeof(on));
}

static void drain(int fd)
{
	char buf[16384];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static void wait_for(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	if (poll(&p, 1, 20000) != 1)
		fail("nothing happens for 20 s");
}

static void send_all(int fd, size_t n)
{
	static const char data[BIG];

	if (send(fd, data, n, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		fail("send");
}

/* the client writes something or nothing, and closes, or only its sending side */
static void client_ends(struct worker *w, int client, bool half)
{
	if (rnd(w, 4))
		send_all(client, 1 + rnd(w, 4000));
	pause_up_to(w, 3000);
	if (half)
		shutdown(client, SHUT_WR);
	else
		close(client);
}

static void one(struct worker *w, enum pattern p, int client, int server)
{
	struct linger linger = { 1, 0 };
	char buf[4000];
	bool half = p >= WRITE && p <= WRITE_DEFERRED;

	if (p == SERVER_FIRST || p == BOTH_AT_ONCE) {
		send_all(client, 1 + rnd(w, 1000));
		wait_for(server, POLLIN);
		pause_up_to(w, 5000);
		recv(server, buf, sizeof(buf), MSG_DONTWAIT);
		if (p == SERVER_FIRST && rnd(w, 2))
			shutdown(server, SHUT_WR); /* and close(), perhaps in the same state */
		close(p == SERVER_FIRST ? server : client);
		if (p == SERVER_FIRST)
			pause_up_to(w, rnd(w, 2) ? 60000 : 100);
		close(p == SERVER_FIRST ? client : server);
		return;
	}
	if (p == UNREAD)
		send_all(client, 1 + rnd(w, 1000));
	if (p == WRITE_DEFERRED) {
		send_all(server, 1);
		shutdown(client, SHUT_WR);
		drain(server);
		set(server, TCP_CORK);
		send_all(server, 2000 + rnd(w, 20000));
		close(server);
		drain(client);
		close(client);
		return;
	}
	client_ends(w, client, half);
	if (p == UNREAD || p == LINGER_0)
		wait_for(server, POLLRDHUP);
	else
		drain(server);
	if (rnd(w, 3))
		pause_up_to(w, rnd(w, 2) ? 60000 : 1000);
	if (p == LINGER_0) {
		drain(server);
		setsockopt(server, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	} else if (p == QUICKACK) {
		set(server, TCP_QUICKACK);
	} else if (half || p == RUDE) {
		if (p == WRITE_CORKED)
			set(server, TCP_CORK);
		if (p == WRITE_BIG)
			fcntl(server, F_SETFL, O_NONBLOCK);
		send_all(server, p == WRITE_BIG ? BIG : 1 + rnd(w, 1200));
		if (p == RUDE)
			wait_for(server, POLLERR);
	} else if (p == SHUTDOWN) {
		shutdown(server, SHUT_WR);
	}
	close(server);
	if (half) {
		drain(client);
		close(client);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int listener[2], client, server, i, f, port = PORT + w->nr, on = 1;
	struct sockaddr_storage addr[2];
	enum pattern p;

	memcpy(addr, server_addr, sizeof(addr));
	for (f = 0; f < 2; f++) {
		((struct sockaddr_in *)&addr[f])->sin_port = htons(port); /* same offset in IPv6 */
		listener[f] = socket(addr[f].ss_family, SOCK_STREAM, 0);
		setsockopt(listener[f], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(listener[f], (void *)&addr[f], sizeof(addr[f])) || listen(listener[f], 16))
			fail("listen");
	}
	i = open(client_ns, O_RDONLY);
	if (i < 0 || setns(i, CLONE_NEWNET))
		fail(client_ns);
	close(i);
	for (i = 0; i < w->count && !atomic_load(&failed); i++) {
		f = rnd(w, 2);
		client = socket(addr[f].ss_family, SOCK_STREAM, 0);
		if (client < 0 || connect(client, (void *)&addr[f], sizeof(addr[f])))
			fail("connect");
		server = accept(listener[f], NULL, NULL);
		if (server < 0)
			fail("accept");
		p = rnd(w, __PATTERNS);
		one(w, p, client, server);
		w->done[p]++;
	}
	return NULL;
}

/* how many of our sockets neither listen nor are in TIME_WAIT, by /proc/net/tcp */
static int busy(void)
{
	static const char * const files[] = {
		"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"
	};
	unsigned int port, state;
	char line[400];
	int i, n = 0;

	for (i = 0; i < 2; i++) {
		FILE *f = fopen(files[i], "r");

		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, " %*d: %*[^:]:%x %*[^:]:%*x %x", &port, &state) == 2)
				n += port >= PORT && port < PORT + WORKERS &&
				     state != TCP_TIME_WAIT && state != TCP_LISTEN;
		if (f)
			fclose(f);
	}
	return n;
}

static uint64_t done(enum pattern p)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < WORKERS; i++)
		n += worker[i].done[p];
	return n;
}

static struct capture capture = { .fd = -1 };
static pthread_t capturer;
static atomic_bool captured;

/* until it is told to end and the capture is whole, or does not become whole */
static void *write_capture(void *arg)
{
	struct pollfd more = { pcap_get_selectable_fd(capture.pcap), POLLIN, 0 };
	int i;

	for (i = 0; i < 600 && !(atomic_load(&captured) && capture_whole(&capture)); ) {
		i += atomic_load(&captured);
		poll(&more, 1, 100);
		capture_drain(&capture);
	}
	return NULL;
}

/* Return: 0, or -1 after a message */
static int capture_begin(const char *interface)
{
	const struct capture_options o = {
		.filter = "tcp", .snaplen = 128, .buffer = 64 << 20, .block_ms = 100,
		.folder = "/tmp",
	};
	char err[200];

	if (!capture_start(&capture, interface, &o, err, sizeof(err)))
		return pthread_create(&capturer, NULL, write_capture, NULL) ? -1 : 0;
	printf("# %s\n", err);
	return -1;
}

/* Return: whether all is in the file */
static bool capture_end(void)
{
	atomic_store(&captured, true);
	pthread_join(capturer, NULL);
	fflush(pcap_dump_file(capture.dump));
	return capture_whole(&capture) && !capture_lost(&capture);
}

static void work_all(int count, unsigned int seed)
{
	int i;

	for (i = 0; i < WORKERS; i++) {
		worker[i].nr = i;
		worker[i].count = count / WORKERS + 1;
		worker[i].seed = seed * 1000 + i;
		pthread_create(&worker[i].thread, NULL, work, &worker[i]);
	}
	for (i = 0; i < WORKERS; i++)
		pthread_join(worker[i].thread, NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 *sin6 = (void *)&server_addr[1];
	struct sockaddr_in *sin = (void *)&server_addr[0];
	struct verdict_ends ends;
	unsigned int seed;
	bool whole;
	int deadline;

	if (argc != 7 && (argc != 8 || strcmp(argv[7], "flip")))
		return 2;
	client_ns = argv[1];
	sin->sin_family = AF_INET;
	sin6->sin6_family = AF_INET6;
	if (inet_pton(AF_INET, argv[3], &sin->sin_addr) != 1 ||
	    inet_pton(AF_INET6, argv[4], &sin6->sin6_addr) != 1)
		return 2;
	seed = atoi(argv[6]);
	flipping = argc == 8;
	if (capture_begin(argv[2]) || (flipping && flips_begin(seed)))
		return 1;
	work_all(atoi(argv[5]), seed);
	if (flipping && flips_end())
		failures++;
	for (deadline = 0; busy() && deadline < 600; deadline++)
		usleep(100000);
	whole = capture_end();
	ends.by_shutdown = done(SHUTDOWN);
	ends.by_reset_in = done(RUDE);
	ends.by_reset_out = done(UNREAD) + done(LINGER_0);
	if (!whole || atomic_load(&failed) || deadline == 600) {
		printf("# the capture is %s, %d sockets are busy\n",
		       whole ? "whole" : "not whole", busy());
		failures++;
	}
	failures += verdict(capture.path, &ends, flipping);
	capture_stop(&capture);
	return !!failures;
}
