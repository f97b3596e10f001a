// SPDX-License-Identifier: GPL-2.0-only
/*
 * fin_ack=1, quickack and the bounds against a peer made by hand, segment by segment and in exact
 * time: which control wins, that bounds are kept, what is left alone.
 */
#include "control_case.h"
#include "sockops.h"

/* if the timer is about to fire, the kernel itself sends the ACK at once */
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
	CLOSE_AND_SILENCE(2, 12, 0);
	MOVES("Passive Separate SepNow EndClose");
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
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepPolicy EndClose Forced");
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
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepRoute EndClose");
}

TEST_F(peer, delayed_ack_without_controls)
{
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, 39.9, 45);
	CLOSE_ALL(11);
	MOVES("TimerAck");
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
	CLOSE_AND_SILENCE(2, 12, 0);
	MOVES("Passive Separate SepHeld EndClose Held QuickAck");
}

/* no pure ACK where data that carries the ACK is about to leave */
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
	/* a pure ACK where no data is queued */
	peer_put(&self->peer, A, 11, sent, 5);
	EXPECT_SEGMENT(A, sent, 16, 0, 1);
	CLOSE_ALL(16);
	MOVES("QuickAck");
}

/* corked data does not leave, so it cannot carry the ACK */
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
	MOVES("QuickAck");
}

TEST_F(peer, quickack_of_a_fin)
{
	CONNECT();
	KNOB("quickack", "1");
	GREET();
	FIN();
	EXPECT_SEGMENT(A, 1, 7, 0, 1);
	READ_TO_EOF();
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepPolicy EndClose QuickAck");
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
	MOVES("Clamped TimerAck");
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
	DATA(11); /* must not bring the ACK forward */
	EXPECT_SEGMENT_AT(at, A, 2, 16, 0, 119.9, 125);
	CLOSE_ALL(16);
	MOVES("Clamped=2 TimerAck");
}

/* beyond 62 ticks the kernel's timer wheel is exact to eight ticks */
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
	MOVES("Clamped TimerAck");
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
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepTimer EndClose Clamped");
}

TEST_F(peer, bounds_that_the_kernel_keeps_by_itself)
{
	uint64_t at;

	CONNECT();
	GREET();
	ANSWER();
	/* a tick between the kernel's choice and ours makes it less than the minimum */
	TIMED("Clamped");
	KNOB("delack_min_ms", "40");
	KNOB("delack_max_ms", "200");
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, 39.9, 45);
	CLOSE_ALL(11);
	MOVES("TimerAck");
}

/* the minimum is for delayed ACKs, not for immediate ones */
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
	MOVES("");
}

/* the kernel sends at once if the timer would fire within a quarter of the delay */
TEST_F(peer, more_data_shortly_before_the_minimum_is_over)
{
	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_min_ms", "120");
	role_next_tick();
	DATA(6);
	EXPECT_SILENCE(113);
	peer_put(&self->peer, A, 11, 2, 5);
	EXPECT_SEGMENT(A, 2, 16, 0, 1);
	CLOSE_ALL(16);
	MOVES("Clamped");
}

/* Since 6.7 the route's minimum retransmission timeout bounds the delay, and with it when the
 * kernel takes the timer to be about to fire.
 */
TEST_F(peer, at_once_where_delays_are_short)
{
	uint64_t fin;

	CONNECT();
	ASSERT_EQ(0, system("ip route change 192.0.2.0/24 dev tun0 rto_min 16ms"));
	GREET();
	ANSWER();
	KNOB("fin_ack", "1");
	role_next_tick();
	DATA(6);
	fin = role_now();
	peer_put(&self->peer, F | A, 11, 2, 0);
	EXPECT_SEGMENT_AT(fin, A, 2, 12, 0, 0, 1);
	EXPECT_EQ(1, moved(self, "FinAckForced"));
	READ_TO_EOF();
	CLOSE_AND_SILENCE(2, 12, 0);
	MOVES("Passive Separate SepPolicy EndClose Forced");
}

/* an application's own maximum, an explicit request, wins; without that option the knob does */
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
	MOVES(has ? "TimerAck" : "Clamped TimerAck");
}

TEST_F(peer, smaller_of_two_maxima)
{
	int us = 16000;
	uint64_t at;
	bool has;

	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_max_ms", "28");
	has = !setsockopt(self->fd, IPPROTO_TCP, TCP_DELACK_MAX_US, &us, sizeof(us));
	if (!has)
		EXPECT_EQ(ENOPROTOOPT, errno);
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, has ? 12 : 24, has ? 21 : 33);
	KNOB("delack_max_ms", "8");
	at = MORE_DATA(11, 2);
	EXPECT_SEGMENT_AT(at, A, 3, 21, 0, 4, 12);
	CLOSE_ALL(21);
	MOVES(has ? "Clamped TimerAck=2" : "Clamped=2 TimerAck=2");
}

/* the same set by a BPF program, for sockets whose application knows nothing of it */
TEST_F(peer, maximum_of_a_bpf_program)
{
	uint64_t at;

	ASSERT_LE(0, sockops_delack_max(16000)) TH_LOG("bpf: %s", strerror(errno));
	CONNECT();
	GREET();
	ANSWER();
	KNOB("delack_min_ms", "120");
	at = DATA(6);
	EXPECT_SEGMENT_AT(at, A, 2, 11, 0, 12, 21);
	KNOB("delack_min_ms", "0");
	KNOB("delack_max_ms", "28");
	at = MORE_DATA(11, 2);
	EXPECT_SEGMENT_AT(at, A, 3, 21, 0, 12, 21);
	EXPECT_EQ(0, moved(self, "FinAckClamped"));
	KNOB("delack_max_ms", "8");
	at = MORE_DATA(21, 3);
	EXPECT_SEGMENT_AT(at, A, 4, 31, 0, 4, 12);
	CLOSE_ALL(31);
	MOVES("Clamped TimerAck=3");
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
	MOVES("Clamped=2 TimerAck");
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
	MOVES("Clamped=3 TimerAck=4");
}

TEST_HARNESS_MAIN
