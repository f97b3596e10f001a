// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stalls: clients and servers that make one side wait for the other's delayed ACK, and some that do
 * not, over a link of two namespaces with a capture at either end. What each capture shows is
 * what was counted in its namespace (detail=2).
 *
 * Arguments: names of loads, or none for all.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/capture.h"
#include "lab/lab.h"
#include "kselftest.h"
#include "read/file.h"
#include "times.h"

#define CONNECTIONS	4	/* at once */
#define REQUESTS	8	/* on each */
#define BIG		1000000

static char data[BIG];
static struct net net;

static void nap(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static void send_all(int fd, size_t n)
{
	if (write(fd, data, n) != (ssize_t)n)
		_exit(1);
}

/* Return: whether all of it came before the end */
static bool take(int fd, size_t n)
{
	static char buf[65536];
	ssize_t got;

	for (; n; n -= got) {
		got = read(fd, buf, n < sizeof(buf) ? n : sizeof(buf));
		if (got <= 0)
			return false;
	}
	return true;
}

/* --- what the clients do --- */

static void write_write_read(int fd)
{
	int i;

	for (i = 0; i < REQUESTS; i++) {
		send_all(fd, 100);
		send_all(fd, 300);
		take(fd, 200);
	}
}

static void write_read(int fd)
{
	int i;

	for (i = 0; i < REQUESTS; i++) {
		send_all(fd, 400);
		take(fd, 200);
	}
}

static void stream(int fd, unsigned int ms)
{
	int i, on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (i = 0; i < 4 * REQUESTS; i++) {
		send_all(fd, 100);
		nap(ms);
	}
}

static void notify(int fd)
{
	stream(fd, 100);
}

/* each message comes some milliseconds after the timer's ACK of the one before */
static void stream_in_step(int fd)
{
	stream(fd, 46);
}

/* the second half of the requests has a much longer way */
static void slower_path(int fd)
{
	const struct net_options slower = { .rtt_ms = 120 };

	write_write_read(fd);
	if (net_impair(&net, &slower) || net_enter(net.client))
		_exit(1);
	write_write_read(fd);
}

/* A full segment, and a rest that waits for more, or for an ACK. It is the client's choice to wait,
 * but the server's ACK that lets the rest go.
 */
static void corked_tail(int fd)
{
	int i;

	for (i = 0; i < REQUESTS; i++) {
		if (send(fd, data, 2000, MSG_MORE) != 2000)
			_exit(1);
		nap(100);
		send_all(fd, 400);
		take(fd, 200);
	}
}

static void many_requests(int fd)
{
	write_read(fd);
	write_read(fd);
	write_read(fd);
}

static void bulk(int fd)
{
	send_all(fd, BIG);
}

/* waits for the ACK and then thinks: the wait is not seen as one */
static void late_reaction(int fd)
{
	int i, unsent;

	for (i = 0; i < REQUESTS; i++) {
		send_all(fd, 100);
		while (!ioctl(fd, SIOCOUTQ, &unsent) && unsent)
			nap(1);
		nap(20);
		send_all(fd, 300);
		take(fd, 200);
	}
}

/* --- what the servers do --- */

/* answers each 400 bytes */
static void answer(int fd)
{
	while (take(fd, 400))
		send_all(fd, 200);
}

static void answer_late(int fd)
{
	while (take(fd, 400)) {
		nap(100);
		send_all(fd, 200);
	}
}

/* One answer in four leaves when the delayed-ACK timer is about to fire, or has just fired. The
 * others leave at once, so that ACKs are delayed.
 */
static void answer_beside_timer(int fd)
{
	int i;

	for (i = 0; take(fd, 400); i++) {
		if (i % 4 == 3)
			nap(40 + i / 4);
		send_all(fd, 200);
	}
}

static void answer_large(int fd)
{
	while (take(fd, 2400))
		send_all(fd, 200);
}

static void read_at_once(int fd)
{
	static char buf[65536];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static void read_lazily(int fd)
{
	struct pollfd end = { .fd = fd, .events = POLLRDHUP };

	poll(&end, 1, -1);
	read_at_once(fd);
}

/**
 * struct load - what a client and a server do, and who stalls
 * @name: stable
 * @client: with the connected socket
 * @server: with the accepted one, until the end of data
 * @local: how many of the server's late ACKs the client waited for: at least and at most
 * @peer: the same by the client's own view
 * @chance: the server's are seen by chance, and none with a round trip of so many milliseconds or
 *	more; 0: with any
 * @timer: at least so many ACKs of data are the timer's
 * @nodelay: Nagle's algorithm is off, or is not what holds the client back, even if it looks so
 * @quickack: the server's route asks for quick ACKs
 * @slower: the load changes the link, so it must be one that can be changed
 */
static const struct load {
	const char *name;
	void (*client)(int fd);
	void (*server)(int fd);
	unsigned int local[2];
	unsigned int peer[2];
	unsigned int timer;
	unsigned int chance;
	bool nodelay;
	bool quickack;
	bool slower;
} loads[] = {
#define ALL(_n) { (_n), (_n) }
#define MOST (REQUESTS - 1) /* a connection begins in quickack mode */
	{ "write-write-read", write_write_read, answer, ALL(MOST), ALL(MOST), MOST },
	{ "write-read", write_read, answer },
	{ "notify", notify, read_at_once, .nodelay = true },
	/* the next message can come within a round trip of the timer's ACK by chance */
	{ "stream-read-lazily", notify, read_lazily, { 0, 4 * REQUESTS }, .timer = 1,
	  .nodelay = true },
	{ "bulk", bulk, read_at_once },
	/* outside of ping-pong mode the read sends the ACK */
	{ "slow-application", write_read, answer_late },
	{ "answer-beside-timer", many_requests, answer_beside_timer },
	{ "corked-tail", corked_tail, answer_large, ALL(MOST), .timer = MOST, .nodelay = true },
	{ "late-reaction", late_reaction, answer, .timer = MOST },
	/* Nobody waits for these ACKs, which looks the same. With a longer way the data is sent
	 * before they come.
	 */
	{ "stream-in-step", stream_in_step, read_lazily, { 1, 4 * REQUESTS }, .timer = 1,
	  .chance = 10, .nodelay = true },
	/* A longer way than the shortest: the peer's reaction comes too late to be seen as one. The
	 * first client that is through with its first half makes the way longer for all.
	 */
	{ "slower-path", slower_path, answer, { MOST - 1, MOST }, ALL(MOST + REQUESTS),
	  MOST + REQUESTS, .slower = true },
	/* and what takes long is taken for the peer's delay */
	{ "slower-path-quick-acks", slower_path, answer, .peer = { REQUESTS, REQUESTS + 1 },
	  .quickack = true, .slower = true },
	{ 0 }
};

/* --- what a capture shows --- */

/** struct seen - the stalls of one end: its own late ACKs, and the other one's */
struct seen {
	unsigned int timer;
	unsigned int n[2];
	double ms[2];
};

/**
 * struct bounds - how a capture is read, in milliseconds
 * @late: an ACK that took at least so long was delayed
 * @soonest: so much less than the shortest round trip the data takes that answers it, at most
 * @reaction: who waits for an ACK sends within the shortest round trip and this: a tick
 * @waited: so much longer than the shortest round trip the peer's ACK takes at least
 * @at_once: what an ACK lets go leaves within this: in the same softirq
 */
struct bounds {
	double late;
	double soonest;
	double reaction;
	double waited;
	double at_once;
};

/* what lies between a hook and the capture can decide, so there are two */
static const struct bounds exact[] = {
	{ 35, 0, 1000.0 / 250 - 0.1, 32.1, 0.1 }, { 35, 0.2, 1000.0 / 250 + 0.1, 31.9, 0.1 }
};

/* Data that was sent just before the ACK came, over a way somewhat longer than the shortest, is no
 * answer. Timestamps tell the kernel so.
 */
static const struct bounds in_step = { 35, -0.3, 1000.0 / 250 - 0.1, 32.1, 0.1 };

/* where times do not hold, what was counted is between what is certain and what is possible */
static const struct bounds certain = { 41, 0, 1000.0 / 250 / 2, 41, 0.1 };
static const struct bounds possible = { 15, 1e9, 40, 12, 30 };

#define SMALL		1000	/* Nagle's algorithm holds back what is no full segment */

static double ms_from(const struct wire_seg *a, const struct wire_seg *b)
{
	return (double)(int64_t)(b->ns - a->ns) / 1e6;
}

/* the shortest time from a segment of @me to one that ACKs all of it */
static double shortest_trip(const struct wire_conn *c, int me)
{
	double least = 1e9, ms;
	size_t i, j;

	for (i = 0; i < c->n; i++) {
		const struct wire_seg *s = &c->seg[i];

		if (s->side != me || (!s->len && !(s->flags & WIRE_SYN)) || s->again)
			continue;
		for (j = i + 1; j < c->n; j++) {
			if (c->seg[j].side == me || !(c->seg[j].flags & WIRE_ACK) ||
			    (int32_t)(c->seg[j].ack - s->seq - s->len) < 0)
				continue;
			ms = ms_from(s, &c->seg[j]);
			least = ms < least ? ms : least;
			break;
		}
	}
	return least;
}

/* ours: pure ACKs that left late, and the next data came as soon as it could */
static void see_local(const struct wire_conn *c, int me, double trip, const struct bounds *b,
		      struct seen *seen)
{
	const struct wire_seg *data = NULL, *ack = NULL, *s;
	/* nothing is under way where the way takes no time */
	double least = trip < 1 ? 0 : trip - b->soonest, late;
	uint32_t next = 0;
	size_t i;

	for (i = 0; i < c->n; i++) {
		s = &c->seg[i];
		if (s->flags & (WIRE_FIN | WIRE_RST))
			break;
		if (s->side != me && s->len) {
			if (ack && s->seq == next && ms_from(ack, s) >= least &&
			    ms_from(ack, s) <= trip + b->reaction) {
				seen->n[0]++;
				seen->ms[0] += ms_from(data, ack);
			}
			data = s;
			next = s->seq + s->len;
			ack = NULL;
		} else if (s->side == me) {
			late = data ? ms_from(data, s) : 0;
			ack = data && !s->len && late >= b->late &&
			      s->ack == data->seq + data->len ? s : NULL;
			seen->timer += !!ack;
		}
	}
}

/* the other one's: what releases a small segment at once is an ACK of all, which came late */
static void see_peer(const struct wire_conn *c, int me, double trip, const struct bounds *b,
		     struct seen *seen)
{
	const struct wire_seg *last = NULL, *ack = NULL, *s;
	bool answered = false;
	double waited;
	size_t i;

	for (i = 0; i < c->n; i++) {
		s = &c->seg[i];
		if (s->flags & (WIRE_FIN | WIRE_RST))
			break;
		if (s->side != me) {
			/* the first that covers it; if data comes, our process may react to that */
			if (!ack && last && s->ack == last->seq + last->len)
				ack = s;
			answered |= s->len;
		} else if (s->len) {
			waited = ack && !answered && !last->again ? ms_from(last, ack) - trip : 0;
			if (waited >= b->waited && ms_from(ack, s) < b->at_once && s->len < SMALL) {
				seen->n[1]++;
				seen->ms[1] += waited;
			}
			last = s;
			ack = NULL;
			answered = false;
		}
	}
}

static void see(const struct wire *w, int me, bool nodelay, const struct bounds *b,
		struct seen *seen)
{
	double trip;
	size_t i;

	memset(seen, 0, sizeof(*seen));
	for (i = 0; i < w->n; i++) {
		trip = shortest_trip(w->conn[i], me);
		see_local(w->conn[i], me, trip, b, seen);
		if (!nodelay)
			see_peer(w->conn[i], me, trip, b, seen);
	}
}

/* --- a load, and what was counted --- */

static int listen_on(enum lab_family family)
{
	struct sockaddr_storage ss;
	socklen_t len = net_address(&net, family, true, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, len) || listen(fd, CONNECTIONS))
		ksft_exit_fail_msg("listen: %s\n", strerror(errno));
	return fd;
}

static void serve(const struct load *l, int listener)
{
	int fd = accept(listener, NULL, NULL);

	close(listener);
	if (fd < 0)
		_exit(1);
	l->server(fd);
	close(fd);
	_exit(0);
}

/* says on @connected[1] that it is connected, and waits for the end of @go[0] */
static void visit(const struct load *l, enum lab_family family, const int *connected, const int *go)
{
	struct sockaddr_storage ss;
	socklen_t len = net_address(&net, family, false, &ss);
	int fd;

	if (net_enter(net.client))
		_exit(1);
	fd = socket(ss.ss_family, SOCK_STREAM, 0);
	close(go[1]);
	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len) || write(connected[1], "", 1) != 1 ||
	    read(go[0], &(char){ 0 }, 1))
		_exit(1);
	l->client(fd);
	close(fd);
	_exit(0);
}

/* The loss begins when all are connected: then each end has measured the shortest round trip.
 * Return: whether all ended well
 */
static bool play(const struct load *l, const struct net_options *with, enum lab_family family)
{
	int listener = listen_on(family), connected[2], go[2], i, status;
	bool ok = true;

	if (pipe2(connected, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	for (i = 0; i < CONNECTIONS; i++) {
		if (!fork()) {
			close(go[1]);
			serve(l, listener);
		}
		if (!fork())
			visit(l, family, connected, go);
	}
	close(listener);
	close(connected[1]);
	for (i = 0; i < CONNECTIONS && read(connected[0], &(char){ 0 }, 1) == 1; i++)
		;
	if (with->loss_percent && (net_impair(&net, with) || net_enter(net.server)))
		ksft_exit_fail_msg("cannot begin to lose segments\n");
	close(connected[0]);
	close(go[0]);
	close(go[1]);
	while (wait(&status) > 0)
		ok &= WIFEXITED(status) && !WEXITSTATUS(status);
	return ok;
}

/** struct end - one end of the link */
struct end {
	const char *name;
	int ns;
	struct capture capture;
	struct counters c[2];
	struct wire wire;
	uint64_t delayed_acks[2];	/* TcpExtDelayedACKs */
	struct seen seen[2];
};

/* whether times are exact: the kernel is no debug kernel, and time is counted */
static bool exactly;

static uint64_t moved(const struct counters c[2], const char *name)
{
	return counters_get(&c[1], name) - counters_get(&c[0], name);
}

static bool between(const char *what, double is, double least, double most)
{
	if (is >= least && is <= most)
		return true;
	ksft_print_msg("%s moved by %g, the capture shows %g to %g\n", what, is, least, most);
	return false;
}

/* what was counted at an end is what its capture shows, @seen[0] at least and @seen[1] at most */
static bool judge(const char *end, const struct counters c[2], const struct seen *seen,
		  bool loss)
{
	static const char * const names[][2] = {
		{ "FinAckStall", "FinAckStallMs" },
		{ "FinAckPeerStall", "FinAckPeerStallMs" },
	};
	bool ok = true;
	int i;

	/* with loss the timer may run from earlier data than what came last; see judge_timer() */
	if (!loss)
		ok = between("FinAckTimerAck", moved(c, "FinAckTimerAck"), seen[0].timer,
			     seen[1].timer);
	for (i = 0; i < 2; i++) {
		ok &= between(names[i][0], moved(c, names[i][0]), seen[0].n[i], seen[1].n[i]);
		/* What lies between a hook and the capture; less than one is cut off the sum; and
		 * if something else came meanwhile, the time of one is told by ticks.
		 */
		if (exactly)
			ok &= between(names[i][1], moved(c, names[i][1]),
				      seen[0].ms[i] - 5 - 0.1 * seen[0].n[i],
				      seen[1].ms[i] + 4 + 0.1 * seen[1].n[i]);
	}
	if (!ok)
		ksft_print_msg("so it was at the %s\n", end);
	return ok;
}

/* The kernel's own counter of the delayed-ACK timer's ACKs has those of FINs, too. */
static bool judge_timer(const struct end *e)
{
	uint64_t closes = moved(e->c, "FinAckSepTimer") + moved(e->c, "FinAckSepNoAto");
	uint64_t all = e->delayed_acks[1] - e->delayed_acks[0];

	return between("FinAckTimerAck and closes", moved(e->c, "FinAckTimerAck") + closes, all,
		       all);
}

static bool claim(const char *what, unsigned int n, const unsigned int range[2])
{
	if (n >= range[0] * CONNECTIONS && n <= range[1] * CONNECTIONS)
		return true;
	ksft_print_msg("%u %s, expected %u to %u\n", n, what, range[0] * CONNECTIONS,
		       range[1] * CONNECTIONS);
	return false;
}

static uint64_t delayed_acks(void)
{
	static const char blank[] = "\n ";
	char line[2][8192], *name, *value, *at[2];
	FILE *f = fopen("/proc/thread-self/net/netstat", "r");

	if (!f || !fgets(line[0], sizeof(line[0]), f) || !fgets(line[1], sizeof(line[1]), f))
		ksft_exit_fail_msg("cannot read netstat\n");
	fclose(f);
	name = strtok_r(line[0], blank, &at[0]);
	value = strtok_r(line[1], blank, &at[1]);
	while (name && value && strcmp(name, "DelayedACKs")) {
		name = strtok_r(NULL, blank, &at[0]);
		value = strtok_r(NULL, blank, &at[1]);
	}
	if (!name || !value)
		ksft_exit_fail_msg("there is no DelayedACKs in netstat\n");
	return strtoull(value, NULL, 10);
}

static void begin(struct end *e, const char *device)
{
	const struct capture_options o = {
		.filter = "tcp port 8888", .snaplen = 256, .buffer = 8 << 20,
	};
	char err[200];

	e->capture.fd = -1;
	if (net_enter(e->ns) || net_setting("finack/detail", "2") ||
	    net_setting("ipv4/tcp_fin_timeout", "1") ||
	    capture_start(&e->capture, device, &o, err, sizeof(err)) || counters_read(&e->c[0]))
		ksft_exit_fail_msg("cannot start at the %s: %s\n", e->name, strerror(errno));
	e->delayed_acks[0] = delayed_acks();
}

/* Sockets that nobody has open any more can still have something to send again, and their namespace
 * stays with them. Waits for them.
 */
static void wait_for_sockets(const struct end *e)
{
	static const char * const files[] = {
		"/proc/thread-self/net/sockstat", "/proc/thread-self/net/sockstat6",
	};
	int i, j, n, in_use = 1;
	char line[200];

	for (i = 0; in_use && i < 3000; i++) {
		for (j = 0, in_use = 0; j < 2; j++) {
			FILE *f = fopen(files[j], "r");

			while (f && fgets(line, sizeof(line), f))
				if (sscanf(line, "TCP%*[6:] inuse %d", &n) == 1)
					in_use += n;
			if (f)
				fclose(f);
		}
		if (in_use)
			nap(100);
	}
	if (in_use)
		ksft_exit_fail_msg("sockets are left at the %s\n", e->name);
}

static void finish(struct end *e, int me, bool nodelay, bool chance)
{
	char err[200];

	if (net_enter(e->ns))
		ksft_exit_fail_msg("cannot enter the namespace of the %s\n", e->name);
	wait_for_sockets(e);
	if (counters_read(&e->c[1]) ||
	    capture_read(&e->capture, &e->wire, err, sizeof(err)) || capture_lost(&e->capture))
		ksft_exit_fail_msg("cannot end at the %s\n", e->name);
	e->delayed_acks[1] = delayed_acks();
	see(&e->wire, me, nodelay, exactly ? chance ? &in_step : &exact[0] : &certain,
	    &e->seen[0]);
	see(&e->wire, me, nodelay, exactly ? &exact[1] : &possible, &e->seen[1]);
	capture_stop(&e->capture);
	wire_free(&e->wire);
}

/* With loss, who stalls is not known before. What was counted is what the captures show. */
static void test(const struct load *l, unsigned int rtt_ms, double loss, enum lab_family family)
{
	struct net_options want = {
		.link = true, .rtt_ms = l->slower && !rtt_ms ? 1 : rtt_ms, .quickack = l->quickack,
	};
	struct end server = { .name = "server" }, client = { .name = "client" };
	const unsigned int none[2] = {};
	const char *problem;
	bool ok;

	if (lab_scratch_fd() < 0)
		ksft_exit_fail_msg("cannot make a network namespace: %s\n", strerror(errno));
	problem = net_make(&net, &want, LAB_IPV6);
	if (problem)
		ksft_exit_fail_msg("%s\n", problem);
	server.ns = net.server;
	client.ns = net.client;
	begin(&client, NET_CLIENT);
	begin(&server, NET_SERVER);
	want.loss_percent = loss;
	ok = play(l, &want, family);
	finish(&client, LAB_CLIENT, l->nodelay, l->chance);
	finish(&server, LAB_SERVER, false, l->chance);
	ok &= judge("server", server.c, server.seen, loss) &
	      judge("client", client.c, client.seen, loss);
	ok &= judge_timer(&server) & judge_timer(&client);
	if (!loss && exactly) {
		/* the shortest way is not known exactly, and the answer may be as quick */
		ok &= claim("stalls by the server", server.seen[1].n[0],
			    l->chance && rtt_ms >= l->chance ? none : l->local);
		ok &= claim("stalls at the client", client.seen[0].n[1], l->peer);
		ok &= claim("stalls by the client", client.seen[0].n[0], none);
		ok &= claim("stalls at the server", server.seen[0].n[1], none);
		ok &= server.seen[0].timer >= l->timer * CONNECTIONS;
	}
	if (!ok)
		ksft_print_msg("%u ACKs of the timer\n", server.seen[0].timer);
	ksft_test_result(ok, "%s/%u ms/%g %% loss/%s\n", l->name, want.rtt_ms, loss,
			 lab_family_name[family]);
	net_free(&net);
}

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	static const unsigned int rtt[] = { 0, 5, 50 };
	const struct load *l;
	size_t i, n = 0;

	for (l = loads; l->name; l++)
		n += wanted(l->name, argc, argv);
	exactly = times_hold() && sysconf(_SC_NPROCESSORS_ONLN) == 1;
	ksft_print_header();
	if (!n)
		ksft_exit_fail_msg("there is no load of that name\n");
	ksft_set_plan(n * 4);
	for (l = loads; l->name; l++) {
		if (!wanted(l->name, argc, argv))
			continue;
		for (i = 0; i < 3; i++)
			test(l, rtt[i], 0, i);
		test(l, 5, 5, LAB_IPV6);
	}
	ksft_finished();
}
