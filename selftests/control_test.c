// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controls against a peer made by hand, segment by segment and in exact time: which control
 * wins, when a hold ends, that bounds are kept, that nothing is left of a control that is reset or
 * of a module that is unloaded.
 */
#include "owner.h"
#include "peer_case.h"

#define KNOBS "/proc/sys/net/finack/"

FIXTURE_VARIANT_ADD(peer, plain) { false };

#define KNOB(_name, _value) ASSERT_EQ(0, set_sysctl(KNOBS _name, _value))

/* A segment that comes between so many milliseconds after @_since. What the kernel does at the tick
 * at which it leaves, and this program until it looks, takes time, too.
 */
#define LATE_MS 0.5

#define EXPECT_SEGMENT_AT(_since, _flags, _seq, _ack, _len, _from, _to) do { \
	EXPECT_SEGMENT(_flags, _seq, _ack, _len, 1000); \
	EXPECT_GE(since(_since), _from); \
	EXPECT_LE(since(_since), (_to) + LATE_MS); \
} while (0)

#define LAST_ACK_AND_SILENCE(_seq, _ack) do { \
	peer_put(&self->peer, A, _seq, _ack, 0); \
	EXPECT_SILENCE(600); \
} while (0)

static double since(uint64_t ns)
{
	return (role_now() - ns) / 1e6;
}

/* the FIN of a peer that has sent five bytes */
#define FIN() ({ \
	uint64_t now_ = role_now(); \
	peer_put(&self->peer, F | A, 6, 1, 0); \
	now_; \
})

TEST_F(peer, hold_until_close)
{
	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	FIN();
	READ_TO_EOF();
	EXPECT_SILENCE(120);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckHeldMerged"));
	EXPECT_EQ(1, moved(self, "FinAckEndClose"));
}

TEST_F(peer, hold_that_was_not_needed)
{
	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	FIN();
	READ_TO_EOF();
	EXPECT_SILENCE(30);
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(0, moved(self, "FinAckHeld"));
	EXPECT_EQ(0, moved(self, "FinAckHeldMerged"));
}

TEST_F(peer, hold_runs_out)
{
	uint64_t fin;

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	fin = FIN();
	EXPECT_SEGMENT_AT(fin, A, 1, 7, 0, 149.9, 158);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	EXPECT_EQ(1, moved(self, "FinAckSepHeld"));
	EXPECT_EQ(0, moved(self, "FinAckHeldMerged"));
}

/* RFC 1122 4.2.3.2: less than half a second, whatever the timer wheel adds */
TEST_F(peer, longest_hold)
{
	uint64_t fin;

	CONNECT();
	KNOB("fin_ack", "2");
	KNOB("fin_hold_ms", "499");
	GREET();
	fin = FIN();
	EXPECT_SEGMENT_AT(fin, A, 1, 7, 0, 470, 499);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckSepHeld"));
}

TEST_F(peer, hold_shorter_than_the_kernels_delay)
{
	uint64_t fin;

	CONNECT();
	KNOB("fin_ack", "2");
	KNOB("fin_hold_ms", "20");
	GREET();
	fin = FIN();
	EXPECT_SEGMENT_AT(fin, A, 1, 7, 0, 19.9, 28);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	EXPECT_EQ(1, moved(self, "FinAckSepHeld"));
}

/* the ACK is due at once by rule, on receive and again by the reads */
TEST_F(peer, hold_of_an_immediate_ack)
{
	int enough = 4 * MSS; /* as in peer_test's more_than_one_segment_unacked */

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	ANSWER();
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof(enough)));
	peer_put(&self->peer, A, 6, 2, MSS);
	peer_put(&self->peer, F | A, 6 + MSS, 2, MSS);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	READ_TO_EOF();
	EXPECT_SILENCE(100);
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 7 + 2 * MSS, 0, 10);
	LAST_ACK_AND_SILENCE(7 + 2 * MSS, 3);
	EXPECT_EQ(1, moved(self, "FinAckHeldMerged"));
}

/* the same in the backlog of a socket that a process owns: since 6.7 it leaves elsewhere */
TEST_F(peer, hold_at_the_end_of_the_backlog)
{
	int on = 1, enough = 4 * MSS;
	struct owner owner;

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	ANSWER();
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof(enough)));
	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)));
	ASSERT_EQ(0, owner_begin(&owner, self->fd)) TH_LOG("userfaultfd: %s", strerror(errno));
	peer_put(&self->peer, A, 6, 2, MSS);
	peer_put(&self->peer, F | A, 6 + MSS, 2, MSS);
	EXPECT_SILENCE(20);
	ASSERT_EQ(0, owner_end(&owner));
	EXPECT_SILENCE(100);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 7 + 2 * MSS, 1, 10);
	LAST_ACK_AND_SILENCE(7 + 2 * MSS, 4);
	EXPECT_EQ(1, moved(self, "FinAckHeldMerged"));
	self->backlog_ms = 20;
}

TEST_F(peer, hold_despite_route_quickack)
{
	CONNECT();
	KNOB("fin_ack", "2");
	ASSERT_EQ(0, system("ip route change 192.0.2.0/24 dev tun0 quickack 1"));
	GREET();
	FIN();
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	READ_TO_EOF();
	EXPECT_SILENCE(100);
	/* a window update is no reason to let it go, whatever the route says */
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SILENCE(20);
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckHeldMerged"));
}

TEST_F(peer, application_asks_for_a_held_ack)
{
	int on = 1;

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	FIN();
	READ_TO_EOF();
	EXPECT_SILENCE(100);
	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)));
	EXPECT_SEGMENT(A, 1, 7, 0, 1);
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	EXPECT_EQ(1, moved(self, "FinAckSepApp"));
	EXPECT_EQ(0, moved(self, "FinAckHeldMerged"));
}

TEST_F(peer, application_asks_before_the_kernel_would_send)
{
	int on = 1;

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	FIN();
	READ_TO_EOF();
	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)));
	EXPECT_SEGMENT(A, 1, 7, 0, 1);
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(0, moved(self, "FinAckHeld"));
	EXPECT_EQ(1, moved(self, "FinAckSepApp"));
}

/* a hold longer than the peer's patience: its FIN comes again, and gets its ACK */
TEST_F(peer, peer_sends_its_fin_again)
{
	CONNECT();
	KNOB("fin_ack", "2");
	KNOB("fin_hold_ms", "450");
	GREET();
	FIN();
	EXPECT_SILENCE(200);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	FIN();
	EXPECT_SEGMENT(A, 1, 7, 0, 1);
	EXPECT_SILENCE(300);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckSepNow"));
	EXPECT_EQ(0, moved(self, "FinAckHeldMerged"));
}

TEST_F(peer, reset_while_held)
{
	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	FIN();
	EXPECT_SILENCE(100);
	peer_put(&self->peer, R, 7, 0, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	EXPECT_EQ(1, moved(self, "FinAckUnacked"));
	EXPECT_EQ(1, moved(self, "FinAckEndResetIn"));
}

/* the peer is gone after its FIN: the hold runs out, then everything takes its usual course */
TEST_F(peer, peer_vanishes_while_held)
{
	struct pollfd p = { 0 };
	struct got g;
	int ms = 1000;

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	setsockopt(self->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	FIN();
	READ_TO_EOF();
	EXPECT_SILENCE(100);
	EXPECT_SEGMENT(A, 1, 7, 0, 60);
	ASSERT_EQ(1, write(self->fd, "x", 1));
	p.fd = self->fd;
	while (!poll(&p, 1, 0))
		peer_get(&self->peer, &g, 100);
	EXPECT_TRUE(p.revents & POLLERR);
	EXPECT_EQ(1, moved(self, "FinAckSepHeld"));
	EXPECT_EQ(1, moved(self, "FinAckEndOther"));
}

TEST_F(peer, data_takes_a_held_ack_along)
{
	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	FIN();
	READ_TO_EOF();
	EXPECT_SILENCE(100);
	ASSERT_EQ(1, write(self->fd, "x", 1));
	EXPECT_SEGMENT(A, 1, 7, 1, 10);
	peer_put(&self->peer, A, 7, 2, 0);
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 3);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	EXPECT_EQ(1, moved(self, "FinAckSepData"));
	EXPECT_EQ(0, moved(self, "FinAckHeldMerged"));
}

/* Data has waited for its ACK before the FIN came: together no half second (RFC 1122 4.2.3.2). */
TEST_F(peer, hold_of_data_that_waits)
{
	uint64_t data;

	CONNECT();
	KNOB("fin_ack", "2");
	KNOB("fin_hold_ms", "499");
	GREET();
	ANSWER();
	data = role_now();
	peer_put(&self->peer, A, 6, 2, 5);
	EXPECT_SILENCE(25);
	peer_put(&self->peer, F | A, 11, 2, 0);
	EXPECT_SEGMENT_AT(data, A, 2, 12, 0, 250, 499);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 12, 0, 10);
	LAST_ACK_AND_SILENCE(12, 3);
	EXPECT_EQ(1, moved(self, "FinAckSepHeld"));
}

/* the kernel itself sends what is about to be sent by the timer */
TEST_F(peer, fin_ack_at_once_where_the_timer_is_about_to_fire)
{
	CONNECT();
	KNOB("fin_ack", "1");
	GREET();
	ANSWER();
	role_next_tick();
	peer_put(&self->peer, A, 6, 2, 5);
	EXPECT_SILENCE(33);
	peer_put(&self->peer, F | A, 11, 2, 0);
	EXPECT_SEGMENT(A, 2, 12, 0, 1);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 12, 0, 10);
	LAST_ACK_AND_SILENCE(12, 3);
	EXPECT_EQ(0, moved(self, "FinAckForced"));
	EXPECT_EQ(1, moved(self, "FinAckSepNow"));
}

TEST_F(peer, hold_where_the_timer_is_about_to_fire)
{
	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	ANSWER();
	role_next_tick();
	peer_put(&self->peer, A, 6, 2, 5);
	EXPECT_SILENCE(33);
	peer_put(&self->peer, F | A, 11, 2, 0);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	EXPECT_SILENCE(100);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 12, 0, 10);
	LAST_ACK_AND_SILENCE(12, 3);
	EXPECT_EQ(1, moved(self, "FinAckHeldMerged"));
}

/* a SYN to a connection that stands is answered at once (RFC 5961 4.2), a held ACK or not */
TEST_F(peer, challenge_ack_is_not_held)
{
	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	FIN();
	EXPECT_SILENCE(100);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	peer_put(&self->peer, S | A, 7, 1, 0);
	EXPECT_SEGMENT(A, 1, 7, 0, 1);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(0, moved(self, "FinAckHeldMerged"));
	self->unknown = -1;
	self->undated_ack = -1;
}

/* our FIN cannot leave, the window is closed: the ACK is held from LAST_ACK on, too */
TEST_F(peer, hold_while_the_fin_waits_for_the_window)
{
	char data[100] = "";

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	self->peer.window = 0;
	FIN();
	READ_TO_EOF();
	ASSERT_EQ(100, write(self->fd, data, 100));
	CLOSE();
	EXPECT_SILENCE(100);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SEGMENT(F | A, 1, 7, 100, 10);
	LAST_ACK_AND_SILENCE(7, 102);
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
	EXPECT_EQ(1, moved(self, "FinAckHeldMerged"));
}

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
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
}

TEST_F(peer, fin_ack_at_once)
{
	CONNECT();
	KNOB("fin_ack", "1");
	KNOB("quickack", "1");
	KNOB("delack_min_ms", "30");
	GREET();
	FIN();
	EXPECT_SEGMENT(A, 1, 7, 0, 1);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckForced"));
	EXPECT_EQ(1, moved(self, "FinAckSepPolicy"));
	EXPECT_EQ(0, moved(self, "FinAckQuickAck"));
	EXPECT_EQ(0, moved(self, "FinAckClamped"));
}

TEST_F(peer, fin_ack_at_once_where_the_kernel_does_so)
{
	CONNECT();
	KNOB("fin_ack", "1");
	ASSERT_EQ(0, system("ip route change 192.0.2.0/24 dev tun0 quickack 1"));
	GREET();
	FIN();
	EXPECT_SEGMENT(A, 1, 7, 0, 1);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(0, moved(self, "FinAckForced"));
	EXPECT_EQ(1, moved(self, "FinAckSepRoute"));
}

/* the end of a test that is not about the close */
#define CLOSE_ALL(_seq) do { \
	READ_TO_EOF_OF_DATA(); \
	peer_put(&self->peer, R, _seq, 0, 0); \
	CLOSE(); \
	EXPECT_SILENCE(100); \
	EXPECT_EQ(0, moved(self, "FinAckPassive")); \
} while (0)

#define READ_TO_EOF_OF_DATA() do { \
	char buf_[64]; \
	while (recv(self->fd, buf_, sizeof(buf_), MSG_DONTWAIT) > 0) \
		; \
} while (0)

/* five bytes after an answer; the time they were sent */
#define DATA(_seq) ({ \
	uint64_t now_ = role_now(); \
	peer_put(&self->peer, A, _seq, 2, 5); \
	now_; \
})

/* Five bytes and an answer, the @nth: one that comes in time enters ping-pong mode, which the
 * delayed-ACK timer has left. Until then the five bytes may be ACKed at once.
 */
static bool answer(struct peer *p, int fd, uint32_t seq, uint32_t nth)
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

TEST_F(peer, delayed_ack_without_controls)
{
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, 39.9, 45);
	CLOSE_ALL(11);
	EXPECT_EQ(0, moved(self, "FinAckQuickAck"));
	EXPECT_EQ(0, moved(self, "FinAckClamped"));
}

TEST_F(peer, quickack_beats_bounds_and_leaves_the_hold_alone)
{
	uint64_t fin;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("fin_ack", "2");
	KNOB("delack_min_ms", "30");
	KNOB("delack_max_ms", "60");
	KNOB("quickack", "1");
	DATA(6);
	EXPECT_SEGMENT(A, 2, 11, 0, 1);
	EXPECT_EQ(1, moved(self, "FinAckQuickAck"));
	fin = role_now();
	peer_put(&self->peer, F | A, 11, 2, 0);
	EXPECT_SEGMENT_AT(fin, A, 2, 12, 0, 149.9, 158);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 12, 0, 10);
	LAST_ACK_AND_SILENCE(12, 3);
	EXPECT_EQ(1, moved(self, "FinAckQuickAck"));
	EXPECT_EQ(0, moved(self, "FinAckClamped"));
	EXPECT_EQ(1, moved(self, "FinAckSepHeld"));
}

/* no pure ACK where data is about to leave that takes it along */
TEST_F(peer, quickack_does_not_double_acks)
{
	unsigned int rate = 100000;	/* bytes per second: 10 ms for a segment */
	uint32_t sent = 1 + 10 * MSS;
	char data[10 * MSS] = "";
	struct got g;
	int n;

	CONNECT();
	GREET();
	KNOB("quickack", "1");
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	/* the first ten are not paced (tcp_update_skb_after_send) */
	ASSERT_EQ(10 * MSS, write(self->fd, data, 10 * MSS));
	for (n = 0; n < 10; n++)
		ASSERT_TRUE(peer_get(&self->peer, &g, 200));
	peer_put(&self->peer, A, 6, sent, 0);
	for (n = 0; n < 4; n++)
		ASSERT_EQ(MSS, send(self->fd, data, MSS, MSG_EOR)); /* a packet each */
	ASSERT_TRUE(peer_get(&self->peer, &g, 200));
	EXPECT_EQ(6, g.ack);
	peer_put(&self->peer, A, 6, sent, 5);
	for (n = 1; n < 4; n++) {
		ASSERT_TRUE(peer_get(&self->peer, &g, 200));
		EXPECT_EQ(MSS, g.len);
		EXPECT_EQ(11, g.ack);
	}
	sent += 4 * MSS;
	peer_put(&self->peer, A, 11, sent, 0);
	EXPECT_SILENCE(300);
	EXPECT_EQ(0, moved(self, "FinAckQuickAck"));
	/* and one where there is none */
	peer_put(&self->peer, A, 11, sent, 5);
	EXPECT_SEGMENT(A, sent, 16, 0, 1);
	CLOSE_ALL(16);
	EXPECT_EQ(1, moved(self, "FinAckQuickAck"));
}

/* corked data does not leave: nothing to ride on */
TEST_F(peer, quickack_does_not_wait_for_corked_data)
{
	int on = 1;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("quickack", "1");
	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)));
	ASSERT_EQ(1, write(self->fd, "y", 1));
	DATA(6);
	EXPECT_SEGMENT(A, 2, 11, 0, 1);
	CLOSE_ALL(11);
	EXPECT_EQ(1, moved(self, "FinAckQuickAck"));
}

TEST_F(peer, quickack_of_a_fin)
{
	CONNECT();
	KNOB("quickack", "1");
	GREET();
	FIN();
	EXPECT_SEGMENT(A, 1, 7, 0, 1);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckQuickAck"));
	EXPECT_EQ(1, moved(self, "FinAckSepPolicy"));
	EXPECT_EQ(0, moved(self, "FinAckForced"));
}

TEST_F(peer, most_delay)
{
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_max_ms", "12");
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, 8, 16);
	CLOSE_ALL(11);
	EXPECT_EQ(1, moved(self, "FinAckClamped"));
}

TEST_F(peer, least_delay)
{
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_min_ms", "120");
	at = DATA(6);
	EXPECT_SILENCE(70);
	DATA(11); /* may not bring it forward */
	EXPECT_SEGMENT_AT(at, A, 2, 16, 0, 119.9, 125);
	CLOSE_ALL(16);
	EXPECT_EQ(2, moved(self, "FinAckClamped"));
}

/* beyond 62 ticks the kernel's timer wheel counts in eights */
TEST_F(peer, longest_least_delay)
{
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_min_ms", "499");
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, 440, 499);
	CLOSE_ALL(11);
	EXPECT_EQ(1, moved(self, "FinAckClamped"));
}

TEST_F(peer, bounds_of_the_fin_s_ack)
{
	uint64_t fin;

	CONNECT();
	KNOB("delack_min_ms", "80");
	KNOB("delack_max_ms", "80");
	GREET();
	fin = FIN();
	EXPECT_SEGMENT_AT(fin, A, 1, 7, 0, 79.9, 85);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	LAST_ACK_AND_SILENCE(7, 2);
	EXPECT_EQ(1, moved(self, "FinAckClamped"));
	EXPECT_EQ(1, moved(self, "FinAckSepTimer"));
}

TEST_F(peer, bounds_that_the_kernel_keeps_by_itself)
{
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_min_ms", "40");
	KNOB("delack_max_ms", "200");
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, 39.9, 45);
	CLOSE_ALL(11);
	EXPECT_EQ(0, moved(self, "FinAckClamped"));
}

/* an immediate ACK is none that is delayed too little */
TEST_F(peer, bounds_leave_immediate_acks_alone)
{
	CONNECT();
	ASSERT_EQ(0, system("ip route change 192.0.2.0/24 dev tun0 quickack 1"));
	GREET();
	ANSWER();
	KNOB("delack_min_ms", "120");
	DATA(6);
	EXPECT_SEGMENT(A, 2, 11, 0, 1);
	CLOSE_ALL(11);
	EXPECT_EQ(0, moved(self, "FinAckClamped"));
}

#ifndef TCP_DELACK_MAX_US
#define TCP_DELACK_MAX_US 46	/* since 6.19 */
#endif

/* an application's own maximum is its explicit request; kernels without the option obey the knob */
TEST_F(peer, application_s_own_maximum)
{
	bool has = false;
	int us = 16000;
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_min_ms", "120");
	has = !setsockopt(self->fd, IPPROTO_TCP, TCP_DELACK_MAX_US, &us, sizeof(us));
	if (!has)
		EXPECT_EQ(ENOPROTOOPT, errno);
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, has ? 12 : 119.9, has ? 21 : 125);
	CLOSE_ALL(11);
	EXPECT_EQ(!has, moved(self, "FinAckClamped"));
}

TEST_F(peer, smaller_of_two_maxima)
{
	int us = 16000;
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_max_ms", "28");
	setsockopt(self->fd, IPPROTO_TCP, TCP_DELACK_MAX_US, &us, sizeof(us));
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, 12, 32);
	KNOB("delack_max_ms", "8");
	at = MORE_DATA(11, 2);
	EXPECT_SEGMENT_AT(at, A, 3, 21, 0, 4, 12);
	CLOSE_ALL(21);
}

/* a bound that is changed while an ACK waits is in force from the next decision on */
TEST_F(peer, lowered_minimum)
{
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_min_ms", "240");
	at = DATA(6);
	EXPECT_SILENCE(20);
	KNOB("delack_min_ms", "50");
	DATA(11);
	EXPECT_SEGMENT_AT(at, A, 2, 16, 0, 69.9, 85);
	CLOSE_ALL(16);
}

TEST_F(peer, ports_by_either_end)
{
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_max_ms", "12");
	KNOB("ports", "1-8887,8889-39999,40001-65535");
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, 39.9, 45);
	KNOB("ports", "8888");
	at = MORE_DATA(11, 2);
	EXPECT_SEGMENT_AT(at, A, 3, 21, 0, 8, 16);
	KNOB("ports", "40000");
	at = MORE_DATA(21, 3);
	EXPECT_SEGMENT_AT(at, A, 4, 31, 0, 8, 16);
	KNOB("ports", "\n");
	at = MORE_DATA(31, 4);
	EXPECT_SEGMENT_AT(at, A, 5, 41, 0, 8, 16);
	CLOSE_ALL(41);
	EXPECT_EQ(3, moved(self, "FinAckClamped"));
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
		EXPECT_EQ(plain.tick[i], reset.tick[i]);
		EXPECT_EQ(plain.tick[i], unloaded.tick[i]);
	}
}

TEST_F(trace, none_of_a_maximum)
{
	no_trace(_metadata, "delack_max_ms", "12");
}

TEST_F(trace, none_of_a_minimum)
{
	no_trace(_metadata, "delack_min_ms", "60");
}

TEST_F(trace, none_of_quickack)
{
	no_trace(_metadata, "quickack", "1");
}

TEST_HARNESS_MAIN
