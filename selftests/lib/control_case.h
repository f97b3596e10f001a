/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the controls share: knobs, exact times, a connection whose ACKs are delayed. */
#ifndef FINACK_CONTROL_CASE_H
#define FINACK_CONTROL_CASE_H

#include "peer_case.h"

#define KNOBS "/proc/sys/net/finack/"

FIXTURE_VARIANT_ADD(peer, plain) { false };

#define KNOB(_name, _value) ASSERT_EQ(0, file_write(KNOBS _name, _value))

/* EXPECT_SEGMENT_AT(): a segment that leaves @_from to @_to milliseconds after @_since, compared in
 * microseconds. What the kernel does at the tick at which the segment leaves takes time, too.
 */
#define LATE_US (200 + late_us())

#define EXPECT_SEGMENT_AT(_since, _flags, _seq, _ack, _len, _from, _to) do { \
	int64_t us_ = (int64_t)(EXPECT_SEGMENT(_flags, _seq, _ack, _len, 1000) - (_since)) / 1000; \
	if (times_hold()) { \
		EXPECT_GE(us_, (int64_t)((_from) * 1000)); \
		EXPECT_LE(us_, (int64_t)((_to) * 1000) + LATE_US); \
	} \
} while (0)

/* sends the FIN of a peer that has sent five bytes; its value is the time it was sent */
#define FIN() ({ \
	uint64_t now_ = role_now(); \
	peer_put(&self->peer, F | A, 6, 1, 0); \
	now_; \
})

/* the end of a test that is not about the close */
#define CLOSE_ALL(_seq) do { \
	READ_TO_EOF_OF_DATA(); \
	peer_put(&self->peer, R, _seq, 0, 0); \
	CLOSE(); \
	EXPECT_SILENCE(100); \
} while (0)

#define READ_TO_EOF_OF_DATA() do { \
	char buf_[64]; \
	while (recv(self->fd, buf_, sizeof(buf_), MSG_DONTWAIT) > 0) \
		; \
} while (0)

#ifndef TCP_DELACK_MAX_US
#define TCP_DELACK_MAX_US 46	/* since 6.19 */
#endif

/* sends five bytes after an answer; its value is the time they were sent */
#define DATA(_seq) ({ \
	uint64_t now_ = role_now(); \
	peer_put(&self->peer, A, _seq, 2, 5); \
	now_; \
})

/* Sends five bytes, to which the application answers: its @nth answer. An answer in time makes the
 * socket enter ping-pong mode, which it left when the delayed-ACK timer fired. Until then the five
 * bytes may be ACKed at once.
 */
static inline bool answer(struct peer *p, int fd, uint32_t seq, uint32_t nth)
{
	struct got g;

	peer_put(p, A, seq, nth, 5);
	if (write(fd, "x", 1) != 1)
		return false;
	do {
		if (!peer_get(p, &g, 1000))
			return false;
	} while (!g.len);
	peer_put(p, A, seq + 5, nth + 1, 0);
	return g.ack == seq + 5;
}

/* an answer and five bytes more, see DATA() */
#define MORE_DATA(_seq, _nth) ({ \
	uint64_t then_; \
	ASSERT_TRUE(answer(&self->peer, self->fd, _seq, _nth)); \
	then_ = role_now(); \
	peer_put(&self->peer, A, (_seq) + 5, (_nth) + 1, 5); \
	then_; \
})

#endif
