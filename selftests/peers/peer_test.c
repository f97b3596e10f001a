// SPDX-License-Identifier: GPL-2.0-only
/*
 * When our FIN leaves, against a peer made by hand: windows that are closed or open in time, data
 * before the FIN, closes from our side and from both.
 */
#include "peer_case.h"

FIXTURE_VARIANT_ADD(peer, plain) { false };
FIXTURE_VARIANT_ADD(peer, tso) { true };

TEST_F(peer, fast_open)
{
	struct packet tfo = { .mss = MSS, .fastopen = (const uint8_t *)"" };
	int queue = 5;

	/* Without data the kernel's own delay is over at the next tick, which may come before
	 * close().
	 */
	ASSERT_EQ(0, file_write("/proc/sys/net/finack/delack_min_ms", "499"));
	/* server side, no cookie needed (ip-sysctl.rst) */
	ASSERT_EQ(0, file_write("/proc/sys/net/ipv4/tcp_fastopen", "514"));
	ASSERT_EQ(0, setsockopt(self->listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)));
	peer_put_options(&self->peer, S, 0, 0, 5, tfo);
	EXPECT_SEGMENT(S | A, 0, 6, 0, 1000);
	self->fd = accept(self->listener, NULL, NULL); /* before the handshake is over */
	ASSERT_GE(self->fd, 0);
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 1000);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	MOVES("Passive Merged EndClose Clamped");
}

TEST_F(peer, data_and_fin_behind_a_closed_window)
{
	char data[100] = "";

	CONNECT();
	GREET();
	self->peer.window = 0;
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	ASSERT_EQ(100, write(self->fd, data, 100));
	CLOSE();
	EXPECT_EQ(1, moved(self, "FinAckEndClose"));
	EXPECT_EQ(1, moved(self, "FinAckUndecided"));
	EXPECT_SEGMENT(A, 1, 7, 0, 60); /* by the delayed-ACK timer, in LAST_ACK */
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SEGMENT(F | A, 1, 7, 100, 1000);
	peer_put(&self->peer, A, 7, 102, 0);
	EXPECT_SILENCE(500);
	MOVES("Passive Separate SepTimer EndClose");
}

TEST_F(peer, fin_behind_a_window_that_opens_in_time)
{
	CONNECT();
	GREET();
	self->peer.window = 0;
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SILENCE(10);
	EXPECT_EQ(1, moved(self, "FinAckUndecided"));
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	MOVES("Passive Merged EndClose");
}

/* what comes after the first retransmission decides nothing */
TEST_F(peer, fin_that_waited_is_lost)
{
	CONNECT();
	GREET();
	self->peer.window = 0;
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	CLOSE();
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	EXPECT_EQ(1, moved(self, "FinAckUndecided"));
	EXPECT_SEGMENT(F | A, 1, 7, 0, 2000); /* again */
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
	peer_put(&self->peer, F | A, 6, 1, 0); /* the peer's again */
	EXPECT_SEGMENT(A, 2, 7, 0, 1000);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	self->undated_fin = 1;
	self->undated_ack = 1;
	MOVES("Passive Merged EndClose");
}

TEST_F(peer, data_and_fin_behind_a_window_that_opens_in_time)
{
	char data[100] = "";

	CONNECT();
	GREET();
	self->peer.window = 0;
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	ASSERT_EQ(100, write(self->fd, data, 100));
	CLOSE();
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SEGMENT(F | A, 1, 7, 100, 10);
	peer_put(&self->peer, A, 7, 102, 0);
	EXPECT_SILENCE(500);
	MOVES("Passive Merged EndClose");
}

TEST_F(peer, fin_behind_two_pieces_of_data)
{
	char data[100] = "";

	CONNECT();
	GREET();
	self->peer.window = 0;
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	ASSERT_EQ(100, send(self->fd, data, 100, MSG_EOR));
	ASSERT_EQ(100, send(self->fd, data, 100, MSG_EOR));
	CLOSE();
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SEGMENT(A, 1, 7, 100, 10);
	EXPECT_SEGMENT(F | A, 101, 7, 100, 10);
	peer_put(&self->peer, A, 7, 202, 0);
	EXPECT_SILENCE(500);
	self->undated_ack = 1;
	MOVES("Passive Separate SepData EndClose");
}

TEST_F(peer, several_segments_behind_a_window_that_opens_in_time)
{
	char data[3 * MSS] = "";

	CONNECT();
	GREET();
	self->peer.window = 0;
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	ASSERT_EQ(3 * MSS, write(self->fd, data, sizeof(data)));
	CLOSE();
	EXPECT_EQ(1, moved(self, "FinAckUndecided"));
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	if (variant->tso) {
		EXPECT_SEGMENT(F | A, 1, 7, 3 * MSS, 10);
	} else {
		EXPECT_SEGMENT(A, 1, 7, MSS, 10);
		EXPECT_SEGMENT(A, 1 + MSS, 7, MSS, 10);
		EXPECT_SEGMENT(F | A, 1 + 2 * MSS, 7, MSS, 10);
	}
	peer_put(&self->peer, A, 7, 2 + 3 * MSS, 0);
	EXPECT_SILENCE(500);
	self->undated_ack = !variant->tso;
	MOVES(variant->tso ? "Passive Merged EndClose" : "Passive Separate SepData EndClose");
}

TEST_F(peer, data_beyond_the_window)
{
	char data[3 * MSS] = "";

	CONNECT();
	GREET();
	self->peer.window = MSS;
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	ASSERT_EQ(3 * MSS, write(self->fd, data, sizeof(data)));
	CLOSE();
	EXPECT_SEGMENT(A, 1, 7, MSS, 10); /* the ACK rides on what the window lets out */
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1 + MSS, 0);
	if (variant->tso) {
		EXPECT_SEGMENT(F | A, 1 + MSS, 7, 2 * MSS, 1000);
	} else {
		EXPECT_SEGMENT(A, 1 + MSS, 7, MSS, 1000);
		EXPECT_SEGMENT(F | A, 1 + 2 * MSS, 7, MSS, 1000);
	}
	peer_put(&self->peer, A, 7, 2 + 3 * MSS, 0);
	EXPECT_SILENCE(500);
	MOVES("Passive Separate SepData EndClose");
}

/* close() sets the state that shutdown() has set already */
TEST_F(peer, close_after_shutdown)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	ASSERT_EQ(0, shutdown(self->fd, SHUT_WR));
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	CLOSE();
	EXPECT_SILENCE(20);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	MOVES("Passive Merged EndShutdown");
}

TEST_F(peer, active_close_after_shutdown)
{
	char buf[8];

	CONNECT();
	GREET();
	ASSERT_EQ(5, read(self->fd, buf, sizeof(buf)));
	ASSERT_EQ(0, shutdown(self->fd, SHUT_WR));
	EXPECT_SEGMENT(F | A, 1, 6, 0, 1000);
	CLOSE();
	EXPECT_EQ(1, moved(self, "FinAckActive"));
	peer_put(&self->peer, F | A, 6, 2, 0);
	EXPECT_SEGMENT(A, 2, 7, 0, 1000);
	MOVES("Active ActiveMerged");
}

TEST_F(peer, simultaneous)
{
	char buf[8];

	CONNECT();
	GREET();
	ASSERT_EQ(5, read(self->fd, buf, sizeof(buf)));
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 6, 0, 1000);
	peer_put(&self->peer, F | A, 6, 1, 0);
	EXPECT_SEGMENT(A, 2, 7, 0, 1000);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	MOVES("Active Simultaneous");
}

TEST_F(peer, active_closer)
{
	char buf[8];

	CONNECT();
	GREET();
	ASSERT_EQ(5, read(self->fd, buf, sizeof(buf)));
	ASSERT_EQ(0, shutdown(self->fd, SHUT_WR));
	EXPECT_SEGMENT(F | A, 1, 6, 0, 1000);
	EXPECT_EQ(1, moved(self, "FinAckActive"));
	peer_put(&self->peer, A, 6, 2, 0);
	EXPECT_SILENCE(50);
	peer_put(&self->peer, F | A, 6, 2, 0);
	EXPECT_SEGMENT(A, 2, 7, 0, 1000);
	MOVES("Active ActiveSeparate");
}

TEST_HARNESS_MAIN
