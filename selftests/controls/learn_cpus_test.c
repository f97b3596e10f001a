// SPDX-License-Identifier: GPL-2.0-only
/* quickack=2 on several CPUs: each learns on its own, also where timers fire on another one. */
#include <sched.h>

#include "talk.h"

#define CPU1_ONLINE "/sys/devices/system/cpu/cpu1/online"

/* The peer's segments are taken in by the CPU on which the peer runs. */
static int run_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one);
}

static bool comes_to(const FIXTURE_DATA(peer) *self, const char *name, int64_t value)
{
	uint64_t end = role_now() + 10000000000ULL;

	while (moved(self, name) != value && role_now() < end)
		usleep(1000);
	return moved(self, name) == value;
}

/* CPU 1 takes in the data and goes offline. Its timer fires on CPU 0, and buys for CPU 1. */
TEST_F_TIMEOUT(peer, a_timer_that_fires_elsewhere, 60)
{
	static char words[80];
	uint64_t since = 0;

	if (access(CPU1_ONLINE, W_OK))
		SKIP(return, "CPU 1 cannot go offline here");
	ASSERT_EQ(0, run_on(1));
	TALK();
	KNOB("quickack", "2");
	/* time enough to go offline */
	KNOB("delack_min_ms", "400");
	peer_put(&self->peer, A, t.seq, t.ack, 5);
	t.seq += 5;
	ASSERT_EQ(0, file_write(CPU1_ONLINE, "0"));
	EXPECT_TRUE(comes_to(self, "FinAckWasted", 1));
	EXPECT_EQ(0, file_write(CPU1_ONLINE, "1"));
	/* the ACK of the timer, then the answer */
	ASSERT_EQ(1, write(self->fd, "x", 1));
	ASSERT_EQ(1, take(&self->peer, &t, 1000, &since));
	peer_put(&self->peer, A, t.seq, t.ack, 0);

	/* nothing was bought for CPU 0 */
	ASSERT_EQ(0, run_on(0));
	REQUEST(1);
	EXPECT_EQ(0, moved(self, "FinAckQuickAuto"));
	ASSERT_EQ(0, run_on(1));
	REQUEST(1);
	EXPECT_EQ(1, moved(self, "FinAckQuickAuto"));
	/* once */
	REQUEST(1);
	EXPECT_EQ(1, moved(self, "FinAckWasted"));
	END_TALK();
	/* how many delays are shorter than that does not matter here */
	snprintf(words, sizeof(words), "TimerAck Wasted Clamped=%d QuickAck QuickAuto",
		 (int)moved(self, "FinAckClamped"));
	MOVES(words);
}

TEST_HARNESS_MAIN
