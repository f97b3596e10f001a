// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACKs that the kernel has no memory for: tcp_send_ack() is called and nothing leaves. The kernel
 * tries again when its timer fires, after 200 ms, or what it sends meanwhile carries the ACK.
 *
 * The kernel's fault injection makes allocations within tcp_send_ack() fail, and no others:
 * CONFIG_FAILSLAB with CONFIG_FAULT_INJECTION_STACKTRACE_FILTER, which the debug kernel has. The
 * last test does the same to the files of a namespace.
 */
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "peer_case.h"

#define FAILSLAB "/sys/kernel/debug/failslab/"

FIXTURE_VARIANT_ADD(peer, plain) { false };

static int set_fault(const char *name, unsigned long value)
{
	char path[80], text[24];

	snprintf(path, sizeof(path), FAILSLAB "%s", name);
	snprintf(text, sizeof(text), "%lu", value);
	return file_write(path, text);
}

/* where a function begins, and where the next one does; the functions of a module are not sorted */
static bool find_function(const char *name, unsigned long *begin, unsigned long *end)
{
	unsigned long at;
	char other[128];
	FILE *f;

	*begin = 0;
	*end = 0;
	for (int pass = 0; pass < 2; pass++) {
		f = fopen("/proc/kallsyms", "r");
		while (f && fscanf(f, "%lx %*c %127s%*[^\n]", &at, other) == 2) {
			if (!pass && !strcmp(name, other))
				*begin = at;
			if (pass && *begin && at > *begin && (!*end || at < *end))
				*end = at;
		}
		if (f)
			fclose(f);
	}
	return *end;
}

/* of the allocations within a function, every @interval-th fails, @times times */
static int fail_in(const char *function, int interval, int times)
{
	unsigned long begin, end;

	if (!find_function(function, &begin, &end))
		return -1;
	return set_fault("require-start", begin) || set_fault("require-end", end) ||
	       set_fault("stacktrace-depth", 32) || set_fault("verbose", 0) ||
	       set_fault("ignore-gfp-wait", 0) || /* those that may sleep, too */
	       set_fault("interval", interval) || set_fault("times", times) ||
	       set_fault("probability", 100);
}

/* The next @times ACKs find no memory. gcc splits the part that makes an ACK from its function, for
 * all callers; without that the whole function fails. tcp_send_fin() may be next to it.
 */
static int fail_acks(int times)
{
	return fail_in("__tcp_send_ack.part.0", 1, times) && fail_in("__tcp_send_ack", 1, times);
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

#define NEEDS_FAULTS() do { \
	if (access(FAILSLAB "require-start", F_OK)) \
		SKIP(return, "no fault injection in this kernel"); \
} while (0)

#define FAIL_ACKS(_times) do { \
	NEEDS_FAULTS(); \
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
	MOVES("Passive Merged EndClose");
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
	MOVES("Passive Separate SepTimer EndClose");
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
	MOVES("Passive Separate SepTimer EndClose");
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
	MOVES("Passive Separate SepApp EndClose");
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
	MOVES("Passive Unacked EndResetIn");
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
	EXPECT_SILENCE(100); /* the timer fires, in LAST_ACK */
	EXPECT_EQ(0, to_fail());
	self->peer.window = 60000;
	peer_put(&self->peer, A, 7, 1, 0);
	EXPECT_SEGMENT(F | A, 1, 7, 0, 10);
	peer_put(&self->peer, A, 7, 2, 0);
	EXPECT_SILENCE(500);
	MOVES("Passive Merged EndClose");
}

/* without the hook on ACKs the one that failed was not noted: there is nothing to take back */
TEST_F(peer, without_details)
{
	CONNECT();
	GREET();
	FAIL_ACKS(1);
	ASSERT_EQ(0, file_write("/proc/sys/net/finack/detail", "0"));
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
	MOVES("Passive Merged EndClose");
}

#define CANNOT 255

static int count_files(void)
{
	DIR *dir = opendir("/sys/kernel/finack/net");
	struct dirent *d;
	int n = 0;

	while (dir && (d = readdir(dir)))
		n += d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return dir ? n : CANNOT;
}

static int own_files(void)
{
	struct counters c;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    umount2("/sys", MNT_DETACH) || mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    counters_read(&c))
		return CANNOT;
	return count_files();
}

/* How many files of finack's there are in a new network namespace with a sysfs of its own; CANNOT
 * if it cannot be made, or has no counters.
 */
static int files_of_new_namespace(void)
{
	int pid = fork(), status;

	if (!pid)
		_exit(own_files());
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT;
}

/* the end of the kernel's log, to read what comes after; its beginning may be overwritten */
static int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return log < 0 || lseek(log, 0, SEEK_END) < 0 ? -1 : log;
}

/* how many of the records not read yet have @text; -1 if one is lost */
static int logged(int log, const char *text)
{
	char record[8192]; /* the kernel cuts longer ones */
	ssize_t len;
	int n = 0;

	while ((len = read(log, record, sizeof(record) - 1)) > 0) {
		record[len] = '\0';
		n += !!strstr(record, text);
	}
	return errno == EAGAIN ? n : -1;
}

/* First there is no memory for the list of the files, then for a file after some have been made.
 * The kernel also allocates ahead, so a failed allocation need not make a file fail: allocations
 * fail until a file does. Their interval is a prime: as a multiple of the number of allocations
 * per file it could hit those ahead each time.
 */
TEST(a_namespace_works_without_its_files)
{
	static const char warning[] = "no memory for a namespace's files";
	static const struct {
		int interval, times;
	} fault[] = { { 1, 1 }, { 23, 1000 } };
	int files = count_files(), log = log_open(), i;

	NEEDS_FAULTS();
	ASSERT_LT(0, files);
	ASSERT_NE(CANNOT, files);
	ASSERT_LE(0, log);
	ASSERT_EQ(files, files_of_new_namespace());
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fail_in("finack_sysfs_net_init", fault[i].interval, fault[i].times));
		EXPECT_EQ(0, files_of_new_namespace());
		EXPECT_GT(fault[i].times, to_fail());
		ASSERT_EQ(0, set_fault("times", 0));
		EXPECT_EQ(1, logged(log, warning));
	}
	EXPECT_EQ(files, files_of_new_namespace());
	EXPECT_EQ(0, logged(log, warning));
	close(log);
}

TEST_HARNESS_MAIN
