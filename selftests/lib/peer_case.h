/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of tests whose peer is made by hand: a namespace with a TUN device, and a listener of
 * the kernel's. At the end of every test all segments are compared with what was counted. The
 * program that includes this file defines the variants.
 */
#ifndef FINACK_PEER_CASE_H
#define FINACK_PEER_CASE_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/lab.h"
#include "kselftest_harness.h"
#include "peer.h"
#include "read/file.h"
#include "read/hist.h"
#include "times.h"

#define MSS PEER_MSS

#define F WIRE_FIN
#define S WIRE_SYN
#define R WIRE_RST
#define A WIRE_ACK
#define ECE_CWR 0xc0
/* the IP header's ECN bits, RFC 3168 5 */
#define ECT 2
#define CE 3

FIXTURE(peer)
{
	struct peer peer;
	int listener;
	int fd;			/* the accepted socket */
	struct counters before;
	const char *moves;	/* MOVES() */
	const char *timed;	/* TIMED() */
	int undated_ack;	/* 1: when the ACK left is not known; -1: perhaps not */
	int undated_fin;	/* 1: when our FIN left is not known */
	int unknown;		/* the ACK left by a path that has no hook */
	int backlog_ms;		/* how long the FIN waited before it was accepted */
};

FIXTURE_VARIANT(peer)
{
	bool tso;	/* the interface takes several segments as one packet */
};

/* how long to wait for a segment where times are not asserted, see times_hold() */
#define ANY_TIME_MS 10000

/* expects the kernel's next segment within @_ms; its value is the time at which it left */
#define EXPECT_SEGMENT(_flags, _seq, _ack, _len, _ms) ({ \
	struct got g_; \
	ASSERT_TRUE(peer_get(&self->peer, &g_, times_hold() ? (_ms) : ANY_TIME_MS)); \
	EXPECT_EQ(_flags, g_.flags); \
	EXPECT_EQ(_seq, g_.seq); \
	EXPECT_EQ(_ack, g_.ack); \
	EXPECT_EQ(_len, g_.len); \
	g_.ns; \
})

#define EXPECT_SILENCE(_ms) do { \
	struct got g_; \
	EXPECT_FALSE(peer_get(&self->peer, &g_, _ms)) \
		TH_LOG("flags %x seq %u ack %u len %zu", g_.flags, g_.seq, g_.ack, g_.len); \
} while (0)

static int64_t moved_by(const FIXTURE_DATA(peer) *p, const struct counters *now, const char *name)
{
	return counters_get(now, name) - counters_get(&p->before, name);
}

static int64_t moved(const FIXTURE_DATA(peer) *p, const char *name)
{
	struct counters now;

	return counters_read(&now) ? -1 : moved_by(p, &now, name);
}

FIXTURE_SETUP(peer)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PEER_PORT) };

	ASSERT_EQ(0, lab_scratch());
	ASSERT_EQ(0, peer_open(&self->peer, variant->tso)) TH_LOG("tun: %s", strerror(errno));
	/* no router solicitations among the segments */
	file_write("/proc/sys/net/ipv6/conf/tun0/disable_ipv6", "1");
	/* a path MTU or metrics saved by an earlier test must not change the times */
	file_write("/proc/sys/net/ipv4/tcp_no_metrics_save", "1");
	self->fd = -1;
	self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind(self->listener, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_EQ(0, listen(self->listener, 8));
	ASSERT_EQ(0, counters_read(&self->before)) TH_LOG("is the module loaded?");
}

/* The counters that a case moves, without the prefix FinAck, as in "Passive Merged EndClose". Each
 * moves by one unless it says otherwise: "Held=2". No other counter may move.
 */
#define MOVES(_words) (self->moves = (_words))

/* The counters of which times decide how far they move. Where times do not hold nobody can say. */
#define TIMED(_names) (self->timed = (_names))

#define EXPECT_MOVES() do { \
	struct counters now_; \
	size_t i_; \
	ASSERT_EQ(0, counters_read(&now_)); \
	ASSERT_NE(NULL, self->moves) TH_LOG("the case does not say which counters it moves"); \
	for (i_ = 0; i_ < now_.n; i_++) { \
		if (!times_hold() && self->timed && lab_moves(self->timed, now_.row[i_].name)) \
			continue; \
		EXPECT_EQ(lab_moves(self->moves, now_.row[i_].name), \
			  moved_by(self, &now_, now_.row[i_].name)) \
			TH_LOG("%s", now_.row[i_].name); \
	} \
} while (0)

/* The counters moved as they should. The capture agrees with them, the histograms with both. */
static void expect_laws(struct __test_metadata *_metadata, FIXTURE_DATA(peer) *self)
{
	struct wire_close c;
	char err[200];
	const struct hist *h;
	struct hists all;
	struct wire w;

	EXPECT_MOVES();
	ASSERT_EQ(0, hists_read(&all));
	peer_end_capture(&self->peer);
	EXPECT_EQ(0, wire_read(&w, self->peer.path, err, sizeof(err))) TH_LOG("%s", err);
	EXPECT_EQ(1, w.n);
	if (w.n == 1) {
		c = wire_close(w.conn[0]);
		/* side 1 is the kernel's; it is the passive closer if side 0 sent the first FIN */
		if (c.active != 0)
			c.outcome = WIRE_OPEN;
		EXPECT_EQ(c.outcome == WIRE_MERGED, moved(self, "FinAckMerged"));
		EXPECT_EQ(c.outcome == WIRE_SEPARATE, moved(self, "FinAckSeparate"));
		EXPECT_EQ(c.outcome == WIRE_UNACKED, moved(self, "FinAckUnacked"));
		h = hists_get(&all, "FinAckAckDelay");
		if (self->undated_ack >= 0)
			EXPECT_EQ(c.outcome == WIRE_SEPARATE || c.outcome == WIRE_MERGED,
				  h->count + self->undated_ack);
		if (h->count) {
			int64_t us = (w.conn[0]->seg[c.ack].ns - w.conn[0]->seg[c.fin].ns) / 1000;

			/* the capture has the time before the kernel takes in the FIN */
			EXPECT_GE(us, (int64_t)h->sum);
			if (times_hold())
				EXPECT_LE(us, (int64_t)h->sum + late_us() +
					      1000 * (5 + self->backlog_ms));
		}
		h = hists_get(&all, "FinAckFinDelay");
		EXPECT_EQ(c.active == 0 && c.own_fin < w.conn[0]->n, h->count + self->undated_fin);
	}
	wire_free(&w);
}

FIXTURE_TEARDOWN(peer)
{
	if (_metadata->exit_code != KSFT_SKIP)
		expect_laws(_metadata, self);
	if (self->fd >= 0)
		close(self->fd);
	close(self->listener);
	peer_close(&self->peer);
}

#define CONNECT() do { \
	peer_put_options(&self->peer, S, 0, 0, 0, (struct packet){ .mss = MSS }); \
	EXPECT_SEGMENT(S | A, 0, 1, 0, 1000); \
	peer_put(&self->peer, A, 1, 1, 0); \
	self->fd = accept(self->listener, NULL, NULL); \
	ASSERT_GE(self->fd, 0); \
} while (0)

/* five bytes of data, and the kernel's ACK of them */
#define GREET() do { \
	peer_put(&self->peer, A, 1, 1, 5); \
	EXPECT_SEGMENT(A, 1, 6, 0, 1000); \
} while (0)

#define READ_TO_EOF() do { \
	char buf_[64]; \
	while (read(self->fd, buf_, sizeof(buf_)) > 0) \
		; \
} while (0)

#define CLOSE() do { \
	ASSERT_EQ(0, close(self->fd)); \
	self->fd = -1; \
} while (0)

#define LAST_ACK_AND_SILENCE(_seq, _ack) do { \
	peer_put(&self->peer, A, _seq, _ack, 0); \
	EXPECT_SILENCE(600); \
} while (0)

/* close(), our FIN at once, its ACK, and nothing more */
#define CLOSE_AND_SILENCE(_seq, _ack, _len) do { \
	CLOSE(); \
	EXPECT_SEGMENT(F | A, _seq, _ack, _len, 10); \
	LAST_ACK_AND_SILENCE(_ack, (_seq) + (_len) + 1); \
} while (0)

/* ACKs are delayed from here on: an answer enters ping-pong mode */
#define ANSWER() do { \
	ASSERT_EQ(1, write(self->fd, "x", 1)); \
	EXPECT_SEGMENT(A, 1, 6, 1, 1000); \
	peer_put(&self->peer, A, 6, 2, 0); \
} while (0)

#endif
