// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a close ends without our FIN, or long after it was due, against a peer made by hand: resets
 * from both sides, timeouts, a peer that vanishes.
 */
#include "peer_case.h"

FIXTURE_VARIANT_ADD(peer, plain) { false };
FIXTURE_VARIANT_ADD(peer, tso) { true };

#define SS_KILL "ss -K -t -n state close-wait | grep -q 8888"

TEST_F(peer, reset_before_the_ack)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	peer_put(&self->peer, R, 7, 0, 0);
	EXPECT_SILENCE(500);
	MOVES("Passive Unacked EndResetIn");
}

TEST_F(peer, reset_after_the_ack)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	EXPECT_SEGMENT(A, 1, 7, 0, 60);
	peer_put(&self->peer, R, 7, 0, 0);
	EXPECT_SILENCE(500);
	MOVES("Passive Separate SepTimer EndResetIn");
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
	MOVES("Passive Unacked EndClose");
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
	MOVES("Passive Unacked EndResetOut");
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
	MOVES("Passive Unacked EndResetOut");
}

/* tcp_abort() sends its RST, which covers the FIN, before the state changes */
TEST_F(peer, killed_by_the_administrator)
{
	CONNECT();
	GREET();
	ASSERT_NE(0, system(SS_KILL)); /* finds nothing; loads what ss needs, which takes long */
	/* the kernel's own delay can be over before ss has run */
	ASSERT_EQ(0, file_write("/proc/sys/net/finack/delack_min_ms", "499"));
	peer_put(&self->peer, F | A, 6, 1, 0);
	ASSERT_EQ(0, system(SS_KILL));
	EXPECT_SEGMENT(R | A, 1, 7, 0, 10);
	MOVES("Passive Unacked EndResetOut Clamped");
}

TEST_F(peer, killed_by_the_administrator_after_the_ack)
{
	CONNECT();
	GREET();
	peer_put(&self->peer, F | A, 6, 1, 0);
	EXPECT_SEGMENT(A, 1, 7, 0, 60);
	ASSERT_EQ(0, system(SS_KILL));
	EXPECT_SEGMENT(R | A, 1, 7, 0, 10);
	MOVES("Passive Separate SepTimer EndResetOut");
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
	EXPECT_SEGMENT(A, 0, 7, 0, 2000); /* the keepalive probe, one below */
	EXPECT_SEGMENT(R | A, 1, 7, 0, 2000);
	MOVES("Passive Separate SepTimer EndResetOut");
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
	/* it was sent again: when it first left is known only if somebody asked before that */
	self->undated_ack = -1;
	MOVES("Passive Separate SepData EndOther");
}

TEST_HARNESS_MAIN
