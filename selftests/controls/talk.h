/* SPDX-License-Identifier: GPL-2.0-only */
/* A conversation of requests and answers: the peer is made by hand, the server the kernel's. */
#ifndef FINACK_TALK_H
#define FINACK_TALK_H

#include "control_case.h"

/**
 * struct talk - a conversation of requests and answers
 * @seq: the peer's next byte
 * @ack: ours
 * @acks: pure ACKs that the kernel has sent
 * @latest_us: the longest time from a request to the segment that ACKed it
 */
struct talk {
	uint32_t seq;
	uint32_t ack;
	unsigned int acks;
	int64_t latest_us;
};

/* Takes segments for @ms. Return: how many bytes of answers came. */
static size_t take(struct peer *p, struct talk *t, int ms, uint64_t *since)
{
	uint64_t end = role_now() + ms * 1000000ULL;
	size_t answers = 0;
	struct got g;

	while (role_now() < end && peer_get(p, &g, (int)((end - role_now()) / 1000000) + 1)) {
		t->acks += !g.len && g.flags == A;
		answers += g.len;
		if (*since && g.ack == t->seq) {
			int64_t us = (int64_t)(g.ns - *since) / 1000;

			t->latest_us = us > t->latest_us ? us : t->latest_us;
			*since = 0;
		}
		if (g.len) {
			t->ack += g.len;
			break;
		}
	}
	return answers;
}

/* A request of five bytes, answered after @ms. Return: whether it was answered and ACKed. */
static bool request(struct peer *p, int fd, struct talk *t, int ms)
{
	uint64_t since = role_now();
	bool answered;

	peer_put(p, A, t->seq, t->ack, 5);
	t->seq += 5;
	take(p, t, ms, &since);
	answered = write(fd, "x", 1) == 1 && take(p, t, 1000, &since) == 1;
	peer_put(p, A, t->seq, t->ack, 0);
	return answered && !since;
}

#define REQUEST(_ms) ASSERT_TRUE(request(&self->peer, self->fd, &t, _ms))

/* Begins a conversation: an answer enters ping-pong mode. A connection begins with 16 segments that
 * it ACKs at once when it is not in that mode (tcp_incr_quickack); they are used up here. When a
 * timer fires before an answer, and what is learned of that, depends on times.
 */
#define TALK() \
	struct talk t = { .seq = 6, .ack = 2 }; \
	int begun_; \
	TIMED("TimerAck Wasted QuickAck QuickAuto"); \
	CONNECT(); \
	GREET(); \
	ANSWER(); \
	for (begun_ = 0; begun_ < 20; begun_++) \
		REQUEST(0)

#define END_TALK() do { \
	READ_TO_EOF_OF_DATA(); \
	peer_put(&self->peer, R, t.seq, 0, 0); \
	CLOSE(); \
	EXPECT_SILENCE(100); \
	EXPECT_EQ(moved(self, "FinAckQuickAck"), moved(self, "FinAckQuickAuto")); \
	EXPECT_LE(moved(self, "FinAckWasted"), moved(self, "FinAckTimerAck")); \
} while (0)

#endif
