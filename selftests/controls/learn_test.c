// SPDX-License-Identifier: GPL-2.0-only
/*
 * quickack=2 against a peer made by hand, in exact time: what is bought and spent, what is
 * forgotten, and that the bounds hold for any schedule. (fin_ack=3: learn.sh)
 */
#include <inttypes.h>

#include "talk.h"

/* how learn.c is set */
#define GRANT		16
#define GRANT_ANSWERED	64
#define CALM		64

/* A request in two parts. The peer sends the second one when the first is ACKed.
 * Return: whether the kernel ACKed the first one at once.
 */
static bool two_writes(struct peer *p, int fd, struct talk *t)
{
	uint64_t since = role_now(), began = since, second;
	int64_t us;

	peer_put(p, A, t->seq, t->ack, 5);
	t->seq += 5;
	while (since && role_now() < began + 300000000ULL)
		take(p, t, 1, &since);
	us = (int64_t)(role_now() - began) / 1000;
	second = role_now();
	peer_put(p, A, t->seq, t->ack, 5);
	t->seq += 5;
	if (write(fd, "x", 1) != 1 || take(p, t, 1000, &second) != 1)
		return false;
	peer_put(p, A, t->seq, t->ack, 0);
	return us < 20000;
}

static int64_t credit_of(const char *port)
{
	char line[300], name[16];
	long long v = -1, credit;
	FILE *f = fopen("/proc/net/finack_ports", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%15s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld", name,
			   &credit) == 2 && !strcmp(name, port))
			v = credit;
	if (f)
		fclose(f);
	return v;
}

/* all that moves where times or a draw say how much */
static const char *what_moved(const FIXTURE_DATA(peer) *self)
{
	static char words[200];

	snprintf(words, sizeof(words),
		 "TimerAck=%" PRId64 " Wasted=%" PRId64 " QuickAck=%" PRId64 " QuickAuto=%" PRId64,
		 moved(self, "FinAckTimerAck"), moved(self, "FinAckWasted"),
		 moved(self, "FinAckQuickAuto"), moved(self, "FinAckQuickAuto"));
	return words;
}

/* a wasted timer buys one ACK, the next one two, up to 16 */
TEST_F(peer, credit_doubles)
{
	int buys, i, spent = 0, wasted = 0;

	TALK();
	KNOB("quickack", "2");
	for (buys = 1; buys <= 2 * GRANT; buys *= 2) {
		REQUEST(100);
		wasted++;
		EXPECT_EQ(buys < GRANT ? buys : GRANT, credit_of("8888"));
		for (i = 0; i < buys && i < GRANT; i++, spent++) {
			t.acks = 0;
			REQUEST(1);
			EXPECT_EQ(1, t.acks);
		}
		t.acks = 0;
		REQUEST(1);
		EXPECT_EQ(0, t.acks);
	}
	EXPECT_EQ(wasted, moved(self, "FinAckWasted"));
	EXPECT_EQ(spent, moved(self, "FinAckQuickAuto"));
	END_TALK();
	MOVES("TimerAck=6 Wasted=6 QuickAck=47 QuickAuto=47");
}

/* where no timer is wasted, nothing is bought: answers in time, and data that goes on coming */
TEST_F(peer, nothing_wasted_nothing_bought)
{
	uint64_t since;
	int i;

	TALK();
	KNOB("quickack", "2");
	for (i = 0; i < 100; i++) {
		t.acks = 0;
		REQUEST(i % 3 || !times_hold() ? 1 : 30);
		EXPECT_EQ(0, t.acks);
	}
	/* the timer of the first fires 15 ms after the second came */
	for (i = 0; i < 3; i++) {
		peer_put(&self->peer, A, t.seq, t.ack, 5);
		t.seq += 5;
		since = 0;
		take(&self->peer, &t, 25, &since);
		peer_put(&self->peer, A, t.seq, t.ack, 5);
		t.seq += 5;
		since = role_now();
		take(&self->peer, &t, 60, &since);
		EXPECT_EQ(0, since);
	}
	EXPECT_EQ(0, credit_of("8888"));
	EXPECT_EQ(0, moved(self, "FinAckWasted"));
	EXPECT_EQ(0, moved(self, "FinAckQuickAuto"));
	if (times_hold())
		EXPECT_EQ(3, moved(self, "FinAckTimerAck"));
	END_TALK();
	MOVES(what_moved(self));
}

/* a peer that waits is seen to, and hardly ever has to wait again */
TEST_F(peer, two_writes_at_once)
{
	int i, fast = 0;

	TALK();
	KNOB("quickack", "2");
	for (i = 0; i < 200; i++)
		fast += two_writes(&self->peer, self->fd, &t);
	if (times_hold()) {
		EXPECT_EQ(199, fast);
		EXPECT_EQ(1, moved(self, "FinAckWasted"));
		EXPECT_EQ(199, moved(self, "FinAckQuickAuto"));
		/* the second part is left to the kernel, and our answer carries its ACK */
		EXPECT_EQ(200, t.acks);
	}
	EXPECT_EQ(GRANT_ANSWERED, credit_of("8888"));
	/* when this peer no longer waits, it gets so many ACKs in vain */
	t.acks = 0;
	for (i = 0; i < 100; i++)
		REQUEST(1);
	EXPECT_EQ(GRANT_ANSWERED, t.acks);
	EXPECT_EQ(0, credit_of("8888"));
	/* then all begins anew: by the answer to the ACK of the timer */
	EXPECT_FALSE(two_writes(&self->peer, self->fd, &t));
	EXPECT_EQ(GRANT_ANSWERED, credit_of("8888"));
	END_TALK();
	MOVES("TimerAck=2 Wasted=2 QuickAck=263 QuickAuto=263");
}

/* who waits in the half of his requests waits once */
TEST_F(peer, turns)
{
	int turn, i, fast = 0, vain = 0;

	TALK();
	KNOB("quickack", "2");
	for (turn = 0; turn < 4; turn++) {
		for (i = 0; i < 50; i++)
			fast += two_writes(&self->peer, self->fd, &t);
		t.acks = 0;
		for (i = 0; i < 50; i++)
			REQUEST(1);
		vain += t.acks;
	}
	if (times_hold()) {
		EXPECT_EQ(199, fast);
		EXPECT_EQ(200, vain);
		EXPECT_EQ(GRANT_ANSWERED - 50, credit_of("8888"));
	}
	END_TALK();
	MOVES("TimerAck Wasted QuickAck=399 QuickAuto=399");
}

/* who sends more while an ACK is delayed does not wait for it */
TEST_F(peer, a_peer_that_goes_on_sending)
{
	uint64_t since = 0;
	int i;

	TALK();
	KNOB("quickack", "2");
	REQUEST(100);
	REQUEST(1);
	REQUEST(100);
	EXPECT_EQ(2, credit_of("8888"));
	/* ACKed at once; an answer to that ACK, left to the kernel; one more before the timer */
	for (i = 0; i < 3; i++) {
		peer_put(&self->peer, A, t.seq, t.ack, 5);
		t.seq += 5;
		take(&self->peer, &t, i ? 12 : 1, &since);
	}
	EXPECT_EQ(0, credit_of("8888"));
	since = role_now();
	take(&self->peer, &t, 60, &since);
	EXPECT_EQ(0, since);
	END_TALK();
	MOVES("TimerAck=3 Wasted=2 QuickAck=2 QuickAuto=2");
}

/* 64 that were not wasted in a row: the next wasted one buys one again */
TEST_F(peer, calm_forgets)
{
	int i;

	TALK();
	KNOB("quickack", "2");
	REQUEST(100);
	REQUEST(1);
	REQUEST(100);
	EXPECT_EQ(2, credit_of("8888"));
	for (i = 0; i < 2 + CALM - 2; i++)
		REQUEST(1);
	REQUEST(100);
	EXPECT_EQ(4, credit_of("8888"));
	for (i = 0; i < 4 + CALM; i++)
		REQUEST(1);
	REQUEST(100);
	EXPECT_EQ(1, credit_of("8888"));
	END_TALK();
	MOVES("TimerAck=4 Wasted=4 QuickAck=7 QuickAuto=7");
}

/* a write forgets, even of the same value */
TEST_F(peer, a_write_forgets)
{
	TALK();
	KNOB("quickack", "2");
	REQUEST(100);
	EXPECT_EQ(1, credit_of("8888"));
	KNOB("quickack", "2");
	EXPECT_EQ(0, credit_of("8888"));
	t.acks = 0;
	REQUEST(1);
	EXPECT_EQ(0, t.acks);
	REQUEST(100);
	EXPECT_EQ(1, credit_of("8888"));
	KNOB("quickack", "0");
	REQUEST(1);
	KNOB("quickack", "2");
	EXPECT_EQ(0, credit_of("8888"));
	END_TALK();
	MOVES("TimerAck=2 Wasted=2");
}

/* other ports: nothing is learned and nothing spent */
TEST_F(peer, learns_of_the_ports_named_alone)
{
	TALK();
	KNOB("quickack", "2");
	KNOB("ports", "1-8887");
	REQUEST(100);
	EXPECT_EQ(0, credit_of("8888"));
	KNOB("ports", "8888");
	REQUEST(100);
	EXPECT_EQ(1, credit_of("8888"));
	KNOB("ports", "80");
	t.acks = 0;
	REQUEST(1);
	EXPECT_EQ(0, t.acks);
	KNOB("ports", "");
	REQUEST(1);
	EXPECT_EQ(0, credit_of("8888"));
	END_TALK();
	MOVES("TimerAck=2 Wasted=1 QuickAck=1 QuickAuto=1");
}

/* the bounds hold for what is left to the kernel, and what they make of its delay can be wasted */
TEST_F(peer, learns_within_the_bounds)
{
	TALK();
	KNOB("quickack", "2");
	KNOB("delack_max_ms", "12");
	REQUEST(30);
	EXPECT_EQ(1, credit_of("8888"));
	if (times_hold())
		EXPECT_LE(t.latest_us, 12000 + 4000 + LATE_US);
	t.latest_us = 0;
	REQUEST(30);
	if (times_hold())
		EXPECT_LE(t.latest_us, 200 + LATE_US);
	END_TALK();
	MOVES("TimerAck Wasted Clamped QuickAck QuickAuto");
}

/* the ACK of a FIN is no business of quickack=2 */
TEST_F(peer, leaves_the_ack_of_a_fin_to_fin_ack)
{
	uint64_t fin;

	TALK();
	KNOB("quickack", "2");
	REQUEST(100);
	EXPECT_EQ(1, credit_of("8888"));
	fin = role_now();
	peer_put(&self->peer, F | A, t.seq, t.ack, 0);
	EXPECT_SEGMENT_AT(fin, A, t.ack, t.seq + 1, 0, 39.9, 45);
	READ_TO_EOF();
	CLOSE_AND_SILENCE(t.ack, t.seq + 1, 0);
	EXPECT_EQ(1, credit_of("8888"));
	MOVES("Passive Separate SepTimer EndClose TimerAck Wasted");
}

/* --- the bounds, for any schedule --- */

static const int delays[] = { 0, 1, 39, 41, 100 };

#define SCHEDULE 80

/**
 * struct outcome - what a schedule cost under a policy
 * @acks: pure ACKs
 * @latest_us: see &struct talk
 * @timer: how many of @acks a timer sent, by the counter
 * @wasted: by the counter
 */
struct outcome {
	int64_t acks;
	int64_t latest_us;
	int64_t timer;
	int64_t wasted;
};

/* Return: whether all requests were answered and ACKed */
static bool play(FIXTURE_DATA(peer) *self, struct talk *t, const char *quickack, const int *ms,
		 int n, struct outcome *o)
{
	int64_t timer = moved(self, "FinAckTimerAck"), wasted = moved(self, "FinAckWasted");
	bool ok = !file_write(KNOBS "quickack", quickack);
	int i;

	t->acks = 0;
	t->latest_us = 0;
	for (i = 0; ok && i < n; i++)
		ok = request(&self->peer, self->fd, t, ms[i]);
	*o = (struct outcome){ t->acks, t->latest_us, moved(self, "FinAckTimerAck") - timer,
			       moved(self, "FinAckWasted") - wasted };
	return ok;
}

/* ACKs that no timer sent: at most GRANT for each wasted timer, and none where none was wasted.
 * Where times hold, both runs have the same timers, and no ACK is later than without.
 */
#define EXPECT_BOUNDS(_ms, _n) do { \
	struct outcome kernel_, learns_; \
	ASSERT_TRUE(play(self, &t, "0", _ms, _n, &kernel_)); \
	ASSERT_TRUE(play(self, &t, "2", _ms, _n, &learns_)); \
	EXPECT_LE(learns_.acks - learns_.timer, GRANT * learns_.wasted); \
	if (times_hold()) { \
		EXPECT_LE(learns_.acks - kernel_.acks, GRANT * learns_.wasted); \
		if (!learns_.wasted) \
			EXPECT_EQ(kernel_.acks, learns_.acks); \
		EXPECT_LE(learns_.latest_us, kernel_.latest_us + 4000 + LATE_US); \
	} \
	bounds_++; \
} while (0)

TEST_F(peer, bounds_of_each_delay)
{
	int ms[40], bounds_ = 0;
	size_t d;
	int i;

	TALK();
	for (d = 0; d < ARRAY_SIZE(delays); d++) {
		for (i = 0; i < 40; i++)
			ms[i] = delays[d];
		EXPECT_BOUNDS(ms, 40);
	}
	EXPECT_EQ(5, bounds_);
	END_TALK();
	MOVES(what_moved(self));
}

/* The schedules are drawn anew with each REPEATABLE=; under counted time the clock is the seed. */
TEST_F_TIMEOUT(peer, bounds_of_any_mix, 120)
{
	int ms[SCHEDULE], bounds_ = 0, round, i;

	TALK();
	srandom(role_now());
	for (round = 0; round < 6; round++) {
		for (i = 0; i < SCHEDULE; i++)
			ms[i] = delays[random() % ARRAY_SIZE(delays)];
		EXPECT_BOUNDS(ms, SCHEDULE);
	}
	EXPECT_EQ(6, bounds_);
	END_TALK();
	MOVES(what_moved(self));
}

/*
 * An adversary wastes a timer, and then answers in time until the credit is spent. Let a wasted
 * timer cost as much as GRANT ACKs. Who knows all in advance chooses the cheaper of the kernel's
 * way, all timers wasted, and an ACK at once for each request. What is learned costs at most twice
 * that, and besides the timers that it takes to learn.
 */
TEST_F(peer, an_adversary_pays_at_most_twice_the_optimum)
{
	const int rounds = 40, to_learn = 5; /* 1, 2, 4, 8, 16 */
	int64_t learned, always, kernel;
	unsigned int vain = 0;
	int i;

	TALK();
	KNOB("quickack", "2");
	for (i = 0; i < rounds; i++) {
		REQUEST(100);
		do {
			t.acks = 0;
			REQUEST(1);
			vain += t.acks;
		} while (t.acks);
	}
	always = moved(self, "FinAckQuickAuto");
	kernel = moved(self, "FinAckWasted") * GRANT;
	learned = kernel + always;
	if (times_hold()) {
		EXPECT_EQ(rounds * GRANT, kernel);
		EXPECT_EQ(vain, always);
	}
	EXPECT_LE(rounds * GRANT, kernel);
	EXPECT_LE(learned, 2 * (kernel < always ? kernel : always) + to_learn * GRANT);
	END_TALK();
	MOVES(what_moved(self));
}

TEST_HARNESS_MAIN
