// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACKs that the kernel has no memory for: tcp_send_ack() is called and nothing leaves; the kernel
 * tries again when its timer fires, after 200 ms, or what it sends meanwhile carries the ACK.
 *
 * The memory is refused by the kernel's fault injection, to allocations within tcp_send_ack()
 * alone: CONFIG_FAILSLAB with CONFIG_FAULT_INJECTION_STACKTRACE_FILTER, which the debug kernel has.
 */
#include "peer_case.h"

#define FAILSLAB "/sys/kernel/debug/failslab/"

FIXTURE_VARIANT_ADD(peer, plain) { false };

static int set_fault(const char *name, unsigned long value)
{
	char path[80], text[24];

	snprintf(path, sizeof(path), FAILSLAB "%s", name);
	snprintf(text, sizeof(text), "%lu", value);
	return set_sysctl(path, text);
}

/* Where the code that makes an ACK begins and ends, and no other: tcp_send_fin() may be next to it.
 * gcc splits it off for all its callers.
 */
static bool find_send_ack(unsigned long *begin, unsigned long *end)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	bool inside = false, split = false;
	unsigned long at;
	char name[128];

	*end = 0;
	/* sorted by address */
	while (f && fscanf(f, "%lx %*c %127s%*[^\n]", &at, name) == 2) {
		bool part = !strcmp(name, "__tcp_send_ack.part.0");

		if (part || (!split && !strcmp(name, "__tcp_send_ack"))) {
			*begin = at;
			inside = true;
			split |= part;
		} else if (inside && at > *begin) {
			*end = at;
			inside = false;
		}
	}
	if (f)
		fclose(f);
	return *end;
}

/* the next so many ACKs find no memory */
static int fail_acks(int times)
{
	unsigned long begin, end;

	if (!find_send_ack(&begin, &end))
		return -1;
	return set_fault("require-start", begin) || set_fault("require-end", end) ||
	       set_fault("stacktrace-depth", 32) || set_fault("verbose", 0) ||
	       set_fault("interval", 1) || set_fault("times", times) ||
	       set_fault("probability", 100);
}

/* how many are still to fail */
static int to_fail(void)
{
	FILE *f = fopen(FAILSLAB "times", "r");
	int times = -1;

	if (f && fscanf(f, "%d", &times) != 1)
		times = -1;
	if (f)
		fclose(f);
	return times;
}

#define FAIL_ACKS(_times) do { \
	if (access(FAILSLAB "require-start", F_OK)) \
		SKIP(return, "no fault injection in this kernel"); \
	ASSERT_EQ(0, fail_acks(_times)); \
} while (0)

#define QUICKACK() do { \
	int on_ = 1; \
	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_TCP, TCP_QUICKACK, &on_, sizeof(on_))); \
} while (0)

TEST_F(peer, the_fin_carries_the_ack_after_all)
{
	CONNECT();
	GREET();
	FAIL_ACKS(1);
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	QUICKACK();
	EXPECT_EQ(0, to_fail());
	EXPECT_SILENCE(10);
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
	EXPECT_EQ(0, moved(self, "FinAckSepApp"));
}

TEST_F(peer, the_timer_tries_again)
{
	CONNECT();
	GREET();
	FAIL_ACKS(1);
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	QUICKACK();
	EXPECT_EQ(0, to_fail());
	EXPECT_SILENCE(150);
	EXPECT_SEGMENT(A, 1, 7, 0, 100);
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(0, moved(self, "FinAckSepApp"));
	EXPECT_EQ(1, moved(self, "FinAckSepTimer"));
}

TEST_F(peer, the_timer_fails_twice)
{
	CONNECT();
	GREET();
	FAIL_ACKS(2);
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	EXPECT_SILENCE(400);
	EXPECT_EQ(0, to_fail());
	EXPECT_SEGMENT(A, 1, 7, 0, 1000);
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
	EXPECT_EQ(1, moved(self, "FinAckSepTimer"));
}

TEST_F(peer, data_carries_the_ack)
{
	CONNECT();
	GREET();
	FAIL_ACKS(1);
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	QUICKACK();
	EXPECT_EQ(0, to_fail());
	ASSERT_EQ(1, write(self->fd, "x", 1));
	EXPECT_SEGMENT(A, 1, 7, 1, 10);
	peer_put(&self->peer, A, 7, 2, 0);
	CLOSE();
	EXPECT_SEGMENT(F | A, 2, 7, 0, 10);
	peer_put(&self->peer, A, 7, 3, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckSeparate"));
}

TEST_F(peer, reset_before_another_try)
{
	CONNECT();
	GREET();
	FAIL_ACKS(1);
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	QUICKACK();
	EXPECT_EQ(0, to_fail());
	peer_put(&self->peer, R, 7, 0, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckUnacked"));
	EXPECT_EQ(1, moved(self, "FinAckEndResetIn"));
}

TEST_F(peer, the_waiting_fin_carries_the_ack_after_all)
{
	CONNECT();
	GREET();
	FAIL_ACKS(1);
	self->peer.window = 0;
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	CLOSE();
	EXPECT_SILENCE(100); /* the timer, from LAST_ACK */
	EXPECT_EQ(0, to_fail());
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
}

/* without the hook that sees ACKs there is nothing to take back */
TEST_F(peer, without_details)
{
	CONNECT();
	GREET();
	FAIL_ACKS(1);
	ASSERT_EQ(0, set_sysctl("/proc/sys/net/finack/detail", "0"));
	peer_put(&self->peer, F | A, 6, 1, 0);
	READ_TO_EOF();
	QUICKACK();
	EXPECT_EQ(0, to_fail());
	CLOSE();
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	EXPECT_EQ(1, moved(self, "FinAckMerged"));
	self->undated_ack = 1;
}

TEST_HARNESS_MAIN
