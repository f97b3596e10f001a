// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing is left of a control that is reset, or of a module that is unloaded: the ACKs that follow
 * are the kernel's own.
 */
#include "control_case.h"

/* what is pending ends as the kernel's own timer, at the time it was set to */
TEST_F(peer, reset_of_the_knob_while_held)
{
	uint64_t fin;

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	fin = FIN();
	EXPECT_SILENCE(100);
	KNOB("fin_ack", "0");
	EXPECT_SEGMENT_AT(fin, A, 1, 7, 0, 101, 158);
	READ_TO_EOF();
	CLOSE_AND_SILENCE(1, 7, 0);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
}

/*
 * What is left of a control: one connection for which it was set meanwhile, another for which it
 * was not. From then on both must get the same segments at the same times.
 */

#define EXCHANGE 12

/**
 * struct exchange - segments of the kernel's
 * @seg: each
 * @ms: when, since the segment that caused it, to the tick (HZ=250)
 */
struct exchange {
	struct got seg[EXCHANGE];
	int tick[EXCHANGE];
};

/* Five bytes and an answer, five bytes and an ACK, and again; @n times before. */
static bool trickle(struct peer *p, int fd, int n, struct exchange *x)
{
	int i;

	for (i = 0; i < EXCHANGE; i++, n++) {
		uint64_t at;

		if (!answer(p, fd, 6 + 10 * n, 1 + n))
			return false;
		role_next_tick();
		at = role_now();
		peer_put(p, A, 11 + 10 * n, 2 + n, 5);
		if (!peer_get(p, &x->seg[i], 1000))
			return false;
		x->tick[i] = (since(at) + 2) / 4;
	}
	return true;
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

enum trace_left { NEVER_LOADED, RESET, UNLOADED };

/* the exchange on a connection that has had a control, or none; @left says how that ended */
static int exchange_after(const char *knob, const char *value, enum trace_left left,
			  struct exchange *x)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PEER_PORT) };
	struct exchange before;
	char path[64];
	struct peer p;
	int listener, fd;
	struct got g;
	bool ok;

	if (left == NEVER_LOADED && system("rmmod finack"))
		return -1;
	if (lab_scratch() || peer_open(&p, false))
		return -1;
	set_sysctl("/proc/sys/net/ipv6/conf/tun0/disable_ipv6", "1");
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&sin, sizeof(sin)) || listen(listener, 8))
		return -1;
	peer_put_options(&p, S, 0, 0, 0, (struct packet){ .mss = MSS });
	ok = peer_get(&p, &g, 1000);
	peer_put(&p, A, 1, 1, 0);
	fd = accept(listener, NULL, NULL);
	peer_put(&p, A, 1, 1, 5);
	ok = ok && peer_get(&p, &g, 1000);
	snprintf(path, sizeof(path), KNOBS "%s", knob);
	ok = ok && (left == NEVER_LOADED || !set_sysctl(path, value));
	ok = ok && trickle(&p, fd, 0, &before);
	if (left == RESET)
		ok = ok && !set_sysctl(path, "0");
	else if (left == UNLOADED)
		ok = ok && !system("rmmod finack");
	ok = ok && trickle(&p, fd, EXCHANGE, x);
	peer_end_capture(&p);
	close(fd);
	close(listener);
	peer_close(&p);
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
	for (i = 0; i < EXCHANGE; i++) {
		EXPECT_EQ(0, memcmp(&plain.seg[i], &reset.seg[i], sizeof(plain.seg[i])));
		EXPECT_EQ(0, memcmp(&plain.seg[i], &unloaded.seg[i], sizeof(plain.seg[i])));
		EXPECT_LE(abs(plain.tick[i] - reset.tick[i]), slack() > 1);
		EXPECT_LE(abs(plain.tick[i] - unloaded.tick[i]), slack() > 1);
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

TEST_HARNESS_MAIN
