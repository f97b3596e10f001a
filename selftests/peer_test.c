// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closes that no well-behaved peer brings about: the peer is this program, which writes and reads
 * its segments by hand through a TUN device; the passive closer is a real socket of the kernel.
 *
 * All segments of a test go into a capture, and how the capture says the connection closed is
 * compared with what was counted, at the end of every test.
 */
#include "owner.h"
#include "peer_case.h"

FIXTURE_VARIANT_ADD(peer, plain) { false };
FIXTURE_VARIANT_ADD(peer, tso) { true };

TEST_F(peer, fin_out_of_order)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 16, 1, 0);
	EXPECT_SEGMENT(A, 1, 6, 0, 1000);
	EXPECT_EQ(0, moved(self, "FinAckPassive"));
	peer_put(&self->peer, A, 6, 1, 10);
	EXPECT_SEGMENT(A, 1, 17, 0, 1000);
	EXPECT_EQ(1, moved(self, "FinAckPassive"));
	EXPECT_EQ(1, moved(self, "FinAckCloseWait"));
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 17, 0, 1000);
	peer_put(&self->peer, A, 17, 2, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckEndClose"));
	EXPECT_EQ(1, moved(self, "FinAckSepNow"));
}

TEST_F(peer, fin_sent_again)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	EXPECT_SILENCE(20);
	peer_put(&self->peer, F | A, 6, 1, 0);
	EXPECT_SEGMENT(A, 1, 7, 0, 10);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 1000);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckPassive"));
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckSepNow"));
}

TEST_F(peer, answer_lost)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 30);
	peer_put(&self->peer, F | A, 6, 1, 0); /* ours again: the answer did not come */
	EXPECT_SEGMENT(A, 2, 7, 0, 1000);
	EXPECT_SEGMENT(F | A, 1, 7, 0, 2000); /* theirs again */
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckPassive"));
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
	EXPECT_EQ(1, moved(self, "FinAckEndClose"));
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
	EXPECT_SEGMENT(A, 1, 7, 0, 60); /* the delayed-ACK timer, from LAST_ACK */
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SEGMENT(F | A, 1, 7, 100, 1000);
	peer_put(&self->peer, A, 7, 102, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckSepTimer"));
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
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
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
	peer_put(&self->peer, F | A, 6, 1, 0); /* ours again */
	EXPECT_SEGMENT(A, 2, 7, 0, 1000);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
	self->undated_fin = 1;
	self->undated_ack = 1;
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
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
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
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckSepData"));
	self->undated_ack = 1;
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
	EXPECT_EQ(variant->tso, moved(self, "FinAckMerged"));
	self->undated_ack = !variant->tso;
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
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckSepData"));
}

TEST_F(peer, reset_before_the_ack)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	peer_put(&self->peer, R, 7, 0, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckPassive"));
	EXPECT_EQ(1, moved(self, "FinAckUnacked"));
	EXPECT_EQ(1, moved(self, "FinAckEndResetIn"));
}

TEST_F(peer, reset_after_the_ack)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	EXPECT_SEGMENT(A, 1, 7, 0, 60);
	peer_put(&self->peer, R, 7, 0, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckEndResetIn"));
	EXPECT_EQ(1, moved(self, "FinAckSepTimer"));
}

TEST_F(peer, reset_while_the_fin_waits)
{
	CONNECT();
	GREET();
	self->peer.window = 0;
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	CLOSE();
	peer_put(&self->peer, R, 7, 0, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckUnacked"));
	EXPECT_EQ(1, moved(self, "FinAckEndClose"));
	EXPECT_EQ(0, moved(self, "FinAckEndResetIn"));
}

TEST_F(peer, linger_zero)
{
	struct linger l = { 1, 0 };

	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	CLOSE();
	EXPECT_SEGMENT(R | A, 1, 7, 0, 10);
	EXPECT_EQ(1, moved(self, "FinAckUnacked"));
	EXPECT_EQ(1, moved(self, "FinAckEndResetOut"));
}

TEST_F(peer, disconnect)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };

	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	ASSERT_EQ(0, connect(self->fd, &sa, sizeof(sa)));
	EXPECT_SEGMENT(R | A, 1, 7, 0, 10);
	EXPECT_EQ(1, moved(self, "FinAckUnacked"));
	EXPECT_EQ(1, moved(self, "FinAckEndResetOut"));
}

#define SS_KILL "ss -K -t -n state close-wait | grep -q 8888"

/* tcp_abort() sends its RST, which covers the FIN, before the state changes */
TEST_F(peer, killed_by_the_administrator)
{
	CONNECT();
	GREET();
	ASSERT_NE(0, system(SS_KILL)); /* nothing yet; loads what it needs, which takes long */
	peer_put(&self->peer, F | A, 6, 1, 0);
	ASSERT_EQ(0, system(SS_KILL));
	EXPECT_SEGMENT(R | A, 1, 7, 0, 10);
	EXPECT_EQ(1, moved(self, "FinAckUnacked"));
	EXPECT_EQ(1, moved(self, "FinAckEndResetOut"));
}

TEST_F(peer, killed_by_the_administrator_after_the_ack)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	EXPECT_SEGMENT(A, 1, 7, 0, 60);
	ASSERT_EQ(0, system(SS_KILL));
	EXPECT_SEGMENT(R | A, 1, 7, 0, 10);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckEndResetOut"));
}

TEST_F(peer, keepalive_gives_up)
{
	int one = 1;

	CONNECT();
	GREET();
	setsockopt(self->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(self->fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one));
	setsockopt(self->fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one));
	setsockopt(self->fd, IPPROTO_TCP, TCP_KEEPCNT, &one, sizeof(one));
	peer_put(&self->peer, F | A, 6, 1, 0);
	EXPECT_SEGMENT(A, 1, 7, 0, 60);
	EXPECT_SEGMENT(A, 0, 7, 0, 2000); /* the probe, one below */
	EXPECT_SEGMENT(R | A, 1, 7, 0, 2000);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckEndResetOut"));
	EXPECT_EQ(1, moved(self, "FinAckSepTimer"));
}

TEST_F(peer, the_peer_vanishes)
{
	struct pollfd p = { 0 };
	int ms = 1000;
	struct got g;

	CONNECT();
	GREET();
	setsockopt(self->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	ASSERT_EQ(1, write(self->fd, "x", 1));
	EXPECT_SEGMENT(A, 1, 7, 1, 10);
	p.fd = self->fd;
	while (!poll(&p, 1, 0))
		peer_get(&self->peer, &g, 100); /* its retransmissions */
	EXPECT_TRUE(p.revents & POLLERR);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckEndOther"));
	EXPECT_EQ(1, moved(self, "FinAckSepData"));
	/* sent again: when it first left is known if somebody asked before */
	self->undated_ack = -1;
}

TEST_F(peer, fast_open)
{
	struct packet tfo = { .mss = MSS, .fastopen = (const uint8_t *)"" };
	int queue = 5;

	/* server side, no cookie needed (ip-sysctl.rst) */
	ASSERT_EQ(0, set_sysctl("/proc/sys/net/ipv4/tcp_fastopen", "514"));
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
	EXPECT_EQ(1, moved(self, "FinAckPassive"));
	EXPECT_EQ(1, moved(self, "FinAckEndClose"));
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
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
	EXPECT_EQ(1, moved(self, "FinAckEndShutdown"));
	EXPECT_EQ(0, moved(self, "FinAckEndClose"));
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
	EXPECT_EQ(1, moved(self, "FinAckActive"));
	EXPECT_EQ(1, moved(self, "FinAckActiveMerged"));
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
	EXPECT_EQ(1, moved(self, "FinAckActive"));
	EXPECT_EQ(1, moved(self, "FinAckSimultaneous"));
	EXPECT_EQ(0, moved(self, "FinAckPassive"));
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
	EXPECT_EQ(1, moved(self, "FinAckActiveSeparate"));
	EXPECT_EQ(0, moved(self, "FinAckActiveMerged"));
	EXPECT_EQ(0, moved(self, "FinAckActiveHalf"));
	EXPECT_EQ(0, moved(self, "FinAckPassive"));
}

TEST_F(peer, more_than_one_segment_unacked)
{
	int enough = 4 * MSS;

	CONNECT();
	GREET();
	ANSWER();
	/* a reader that waits for more than came is no reason to wait */
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof(enough)));
	peer_put(&self->peer, A, 6, 2, MSS);
	peer_put(&self->peer, F | A, 6 + MSS, 2, MSS);
	EXPECT_SEGMENT(A, 2, 7 + 2 * MSS, 0, 10);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 7 + 2 * MSS, 0, 10);
	peer_put(&self->peer, A, 7 + 2 * MSS, 3, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSepNow"));
}

/* The segments wait in the backlog of a socket that a process owns; since 6.7 their ACK leaves when
 * that is done, where no hook sees it.
 */
TEST_F(peer, ack_at_the_end_of_the_backlog)
{
	int on = 1, enough = 4 * MSS;
	struct owner owner;

	CONNECT();
	GREET();
	ANSWER();
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof(enough)));
	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)));
	ASSERT_EQ(0, owner_begin(&owner, self->fd)) TH_LOG("userfaultfd: %s", strerror(errno));
	peer_put(&self->peer, A, 6, 2, MSS);
	peer_put(&self->peer, F | A, 6 + MSS, 2, MSS);
	EXPECT_SILENCE(500);
	EXPECT_EQ(0, moved(self, "FinAckPassive"));
	ASSERT_EQ(0, owner_end(&owner));
	EXPECT_SEGMENT(A, 2, 7 + 2 * MSS, 0, 10);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 7 + 2 * MSS, 1, 10);
	peer_put(&self->peer, A, 7 + 2 * MSS, 4, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSepNow"));
	self->undated_ack = -1;
	self->backlog_ms = 500;
}

/* what is unread leaves no room to move the window: the ACK waits for the reader */
TEST_F(peer, read_that_moves_the_window)
{
	int size = 2304, n;	/* the least there is, doubled by the kernel */
	char buf[8];

	ASSERT_EQ(0, setsockopt(self->listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	CONNECT();
	GREET();
	ASSERT_EQ(5, read(self->fd, buf, 5));
	ANSWER();
	peer_put(&self->peer, A, 6, 2, 600);
	peer_put(&self->peer, F | A, 606, 2, 600);
	EXPECT_SILENCE(5);
	EXPECT_EQ(1, moved(self, "FinAckCloseWait"));
	EXPECT_EQ(1, moved(self, "FinAckUndecided"));
	for (n = 0; n < 1200; n += 600)
		ASSERT_EQ(600, read(self->fd, (char [600]){ 0 }, 600));
	EXPECT_SEGMENT(A, 2, 1207, 0, 10);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 1207, 0, 10);
	peer_put(&self->peer, A, 1207, 3, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSepApp"));
}

TEST_F(peer, data_sent_again_carries_the_ack)
{
	CONNECT();
	GREET();
	ASSERT_EQ(1, write(self->fd, "x", 1));
	EXPECT_SEGMENT(A, 1, 6, 1, 1000);
	EXPECT_SILENCE(185);
	peer_put(&self->peer, F | A, 6, 1, 0);
	EXPECT_SEGMENT(A, 1, 7, 1, 35); /* again, after 200 ms */
	peer_put(&self->peer, A, 7, 2, 0);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 7, 0, 10);
	peer_put(&self->peer, A, 7, 3, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSepData"));
}

/* DCTCP acknowledges what came before a change of congestion marks, the FIN already taken in */
TEST_F(peer, dctcp_acknowledges_less_than_it_has)
{
	if (setsockopt(self->listener, IPPROTO_TCP, TCP_CONGESTION, "dctcp", 5))
		SKIP(peer_put(&self->peer, S, 0, 0, 0), "no dctcp here");
	peer_put_options(&self->peer, S | ECE_CWR, 0, 0, 0, (struct packet){ .mss = MSS });
	EXPECT_SEGMENT(S | A, 0, 1, 0, 1000);
	peer_put(&self->peer, A, 1, 1, 0);
	self->fd = accept(self->listener, NULL, NULL);
	ASSERT_GE(self->fd, 0);
	self->peer.tos = ECT;
	GREET();
	ASSERT_EQ(1, write(self->fd, "x", 1)); /* enters ping-pong mode: ACKs are delayed */
	EXPECT_SEGMENT(A, 1, 6, 1, 1000);
	peer_put(&self->peer, A, 6, 2, 5);
	self->peer.tos = CE;
	peer_put(&self->peer, F | A, 11, 2, 5);
	EXPECT_SEGMENT(A, 2, 11, 0, 10);
	EXPECT_EQ(1, moved(self, "FinAckPassive"));
	EXPECT_SEGMENT(A, 2, 17, 0, 10);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 17, 0, 10);
	peer_put(&self->peer, A, 17, 3, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckSepNow"));
}

TEST_HARNESS_MAIN
