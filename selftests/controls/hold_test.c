// SPDX-License-Identifier: GPL-2.0-only
/*
 * fin_ack=2 against a peer made by hand, segment by segment and in exact time: what is held, until
 * when, and what ends a hold.
 */
#include "control_case.h"
#include "owner.h"

TEST_F(peer, hold_until_close)
{
	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	FIN();
	READ_TO_EOF();
	EXPECT_SILENCE(120);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Merged EndClose Held HeldMerged");
}

TEST_F(peer, hold_that_was_not_needed)
{
	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	FIN();
	READ_TO_EOF();
	EXPECT_SILENCE(30);
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Merged EndClose");
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
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepHeld EndClose Held");
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
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepHeld EndClose Held");
}

/* The application asks for its ACK after the kernel would have sent it, and before it has read the
 * EOF. No hook sees that, but the hold looks every 8 ms.
 */
TEST_F(peer, quickack_while_the_fin_is_unread)
{
	uint64_t fin, asked;
	int on = 1;

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	fin = FIN();
	EXPECT_SILENCE(80);
	EXPECT_EQ(1, moved(self, "FinAckHeld"));
	asked = role_now();
	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)));
	EXPECT_SEGMENT_AT(asked, A, 1, 7, 0, 0, 12.1);
	if (times_hold())
		EXPECT_LT(asked - fin, 100 * 1000000ULL);
	READ_TO_EOF();
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepHeld EndClose Held");
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
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepHeld EndClose Held");
}

/* by rule the ACK is due at once: when the segments arrive, and again at the reads */
TEST_F(peer, hold_of_an_immediate_ack)
{
	int enough = 4 * MSS; /* as in reason_test's more_than_one_segment_unacked */

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
	CLOSE_AND_SILENCE(2, 7 + 2 * MSS, 0);
	MOVES("Passive Merged EndClose Held HeldMerged");
}

/* the same in the backlog of a socket that a process owns: since 6.7 other code sends that ACK */
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
	CLOSE_AND_SILENCE(2, 7 + 2 * MSS, 1);
	self->backlog_ms = 20;
	MOVES("Passive Merged EndClose Held HeldMerged");
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
	/* a window update does not end the hold, whatever the route says */
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SILENCE(20);
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Merged EndClose Held HeldMerged");
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
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepApp EndClose Held");
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
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepApp EndClose");
}

/* the hold is longer than the peer waits: its FIN comes again and is ACKed at once */
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
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES("Passive Separate SepNow EndClose Held");
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
	MOVES("Passive Unacked EndResetIn Held");
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
	MOVES("Passive Separate SepHeld EndOther Held");
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
	CLOSE_AND_SILENCE(2, 7, 0);
	MOVES("Passive Separate SepData EndClose Held");
}

/* data waited for its ACK before the FIN came: both waits end within 0.5 s (RFC 1122 4.2.3.2) */
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
	CLOSE_AND_SILENCE(2, 12, 0);
	MOVES("Passive Separate SepHeld EndClose Held");
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
	CLOSE_AND_SILENCE(2, 12, 0);
	MOVES("Passive Merged EndClose Held HeldMerged");
}

/* a hold is not longer than the maximum that the application asked for */
TEST_F(peer, hold_within_the_application_s_own_maximum)
{
	int us = 16000;
	uint64_t fin;
	bool has;

	CONNECT();
	KNOB("fin_ack", "2");
	GREET();
	has = !setsockopt(self->fd, IPPROTO_TCP, TCP_DELACK_MAX_US, &us, sizeof(us));
	if (!has)
		EXPECT_EQ(ENOPROTOOPT, errno);
	fin = FIN();
	EXPECT_SEGMENT_AT(fin, A, 1, 7, 0, has ? 11.9 : 149.9, has ? 21 : 158);
	READ_TO_EOF();
	CLOSE_AND_SILENCE(1, 7, 0);
	MOVES(has ? "Passive Separate SepTimer EndClose" :
		    "Passive Separate SepHeld EndClose Held");
}

/* a SYN on an open connection is answered at once (RFC 5961 4.2), even while an ACK is held */
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
	CLOSE_AND_SILENCE(1, 7, 0);
	self->undated_ack = -1;
	MOVES("Passive Separate SepNow EndClose Held");
}

/* our FIN cannot leave because the window is closed: the ACK is held in LAST_ACK, too */
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
	MOVES("Passive Merged EndClose Held HeldMerged");
}

TEST_HARNESS_MAIN
