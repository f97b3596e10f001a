// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing is left of a control that is reset, or of a module that is unloaded: the ACKs that follow
 * are the kernel's own.
 */
#include "control_case.h"

/* A held ACK leaves when the kernel's own timer fires, at the time to which it was last set. A hold
 * sets it 8 ms ahead, again and again.
 */
TEST_F(peer, reset_of_the_knob_while_held)
{
	uint64_t fin;

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	fin = FIN();
	EXPECT_SILENCE(100);
	KNOB("fin_ack", "0");
	EXPECT_SEGMENT_AT(fin, A, 1, 7, 0, 100, 112);
	READ_TO_EOF();
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepHeld EndClose Held");
}

/*
 * Whether anything is left of a control: for one connection it was set for a while, for another it
 * was not. From then on both must get the same segments at the same times.
 */

#define ROUNDS 12

/**
 * struct exchange - segments of the kernel's
 * @n: how many
 * @seg: each
 * @tick: ticks from the segment that caused it (HZ=250)
 */
struct exchange {
	int n;
	struct got seg[ROUNDS + 1];
	int tick[ROUNDS + 1];
};

/* The connection's round @n: five bytes and an answer, five bytes that wait for their ACK. */
static bool ask(struct peer *p, int fd, int n)
{
	if (!answer(p, fd, 6 + 10 * n, 1 + n))
		return false;
	role_next_tick();
	peer_put(p, A, 11 + 10 * n, 2 + n, 5);
	return true;
}

/* what the kernel sends in reply to the segment that was just sent */
static bool reply(struct peer *p, struct exchange *x)
{
	uint64_t at = role_now();

	if (!peer_get(p, &x->seg[x->n], 1000))
		return false;
	x->tick[x->n] = ((int64_t)(x->seg[x->n].ns - at) / 1000000 + 2) / 4;
	x->seg[x->n++].ns = 0; /* the ticks are compared, this is not */
	return true;
}

/* rounds from @n on */
static bool trickle(struct peer *p, int fd, int n, struct exchange *x)
{
	int end = n + ROUNDS;

	for (x->n = 0; n < end; n++)
		if (!ask(p, fd, n) || !reply(p, x))
			return false;
	return true;
}

/* a FIN after @n rounds */
static bool trickle_ends(struct peer *p, int n, struct exchange *x)
{
	role_next_tick();
	peer_put(p, F | A, 6 + 10 * n, 1 + n, 0);
	return reply(p, x);
}

FIXTURE(trace)
{
	struct peer peer;
	int listener;
	int fd;
};

FIXTURE_SETUP(trace)
{
	ASSERT_EQ(0, system("modprobe finack"));
}

FIXTURE_TEARDOWN(trace)
{
	EXPECT_EQ(0, system("modprobe finack"));
}

/* Return: the kernel's end of a new connection, on which it has ACKed five bytes; or -1 */
static int connected(struct peer *p, int *listener)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PEER_PORT) };
	struct got g;
	int fd;

	if (lab_scratch() || peer_open(p, false))
		return -1;
	file_write("/proc/sys/net/ipv6/conf/tun0/disable_ipv6", "1");
	*listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(*listener, (struct sockaddr *)&sin, sizeof(sin)) || listen(*listener, 8))
		return -1;
	peer_put_options(p, S, 0, 0, 0, (struct packet){ .mss = MSS });
	if (!peer_get(p, &g, 1000))
		return -1;
	peer_put(p, A, 1, 1, 0);
	fd = accept(*listener, NULL, NULL);
	peer_put(p, A, 1, 1, 5);
	return peer_get(p, &g, 1000) ? fd : -1;
}

static void disconnect(struct peer *p, int listener, int fd)
{
	peer_end_capture(p);
	unlink(p->path);
	close(fd);
	close(listener);
	peer_close(p);
}

/* an ACK that is held when the module is unloaded leaves by the kernel's own timer */
TEST_F_TIMEOUT(trace, none_of_a_hold, 300)
{
	self->fd = connected(&self->peer, &self->listener);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, file_write(KNOBS "fin_ack", "2"));
	FIN();
	EXPECT_SILENCE(100);
	ASSERT_EQ(0, system("rmmod finack"));
	EXPECT_SEGMENT(A, 1, 7, 0, 1000);
	EXPECT_SILENCE(1000);
	disconnect(&self->peer, self->listener, self->fd);
}

enum trace_left { NEVER_LOADED, RESET, UNLOADED };

/* The exchange on a connection that has had a control, or none. @left says how the control ended,
 * which was while an ACK was pending.
 */
static int exchange_after(const char *knob, const char *value, enum trace_left left,
			  struct exchange *x)
{
	struct exchange before;
	int listener, fd;
	char path[64];
	struct peer p;
	bool ok;

	if (left == NEVER_LOADED && system("rmmod finack"))
		return -1;
	fd = connected(&p, &listener);
	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), KNOBS "%s", knob);
	ok = left == NEVER_LOADED || !file_write(path, value);
	ok = ok && trickle(&p, fd, 0, &before) && ask(&p, fd, ROUNDS);
	if (left == RESET)
		ok = ok && !file_write(path, "0");
	else if (left == UNLOADED)
		ok = ok && !system("rmmod finack");
	before.n = 0;
	ok = ok && reply(&p, &before) && trickle(&p, fd, ROUNDS + 1, x) &&
	     trickle_ends(&p, 2 * ROUNDS + 1, x);
	disconnect(&p, listener, fd);
	if (left != RESET)
		ok = ok && !system("modprobe finack");
	return ok ? 0 : -1;
}

static void no_trace(struct __test_metadata *_metadata, const char *knob, const char *value)
{
	struct exchange plain, reset, unloaded;
	int i;

	ASSERT_EQ(0, exchange_after(knob, value, NEVER_LOADED, &plain));
	ASSERT_EQ(0, exchange_after(knob, value, RESET, &reset));
	ASSERT_EQ(0, exchange_after(knob, value, UNLOADED, &unloaded));
	ASSERT_EQ(ROUNDS + 1, plain.n);
	for (i = 0; i < plain.n; i++) {
		EXPECT_EQ(0, memcmp(&plain.seg[i], &reset.seg[i], sizeof(plain.seg[i])));
		EXPECT_EQ(0, memcmp(&plain.seg[i], &unloaded.seg[i], sizeof(plain.seg[i])));
		if (!times_hold())
			continue;
		EXPECT_EQ(plain.tick[i], reset.tick[i]);
		EXPECT_EQ(plain.tick[i], unloaded.tick[i]);
	}
}

TEST_F_TIMEOUT(trace, none_of_a_maximum, 300)
{
	no_trace(_metadata, "delack_max_ms", "12");
}

TEST_F_TIMEOUT(trace, none_of_a_minimum, 300)
{
	no_trace(_metadata, "delack_min_ms", "60");
}

TEST_F_TIMEOUT(trace, none_of_quickack, 300)
{
	no_trace(_metadata, "quickack", "1");
}

TEST_F_TIMEOUT(trace, none_of_fin_ack_1, 300)
{
	no_trace(_metadata, "fin_ack", "1");
}

TEST_F_TIMEOUT(trace, none_of_fin_ack_2, 300)
{
	no_trace(_metadata, "fin_ack", "2");
}

TEST_HARNESS_MAIN
