// SPDX-License-Identifier: GPL-2.0-only
/*
 * flood COUNT: COUNT processes of one user, each root of a user namespace and a network namespace
 * of its own, write a knob of their namespaces as fast as they can.
 *
 * Says "ready" when all have their namespaces. Then takes lines from stdin and answers each:
 *   FILE A B   all write A and B by turns to that file, until told otherwise; says "started" when
 *              all have
 *   rest       all rest; says how many writes there have been since the last start
 * Ends at the end of stdin.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOBODY 65534

/* shared by all processes; they are at rest while job is 0 */
static struct {
	volatile int job;
	char file[200];
	char value[2][20];
	struct {
		volatile int ready;
		volatile int job;
		volatile unsigned long writes;
	} of[];
} *all;

static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int put(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	int done = fd >= 0 && write(fd, value, strlen(value)) > 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static void become_root_of_its_own(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		die("setresuid");
	prctl(PR_SET_DUMPABLE, 1); /* else its files in /proc are root's */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) || !put("/proc/self/setgroups", "deny") ||
	    !put("/proc/self/uid_map", "0 65534 1") || !put("/proc/self/gid_map", "0 65534 1"))
		die("unshare");
}

/* The module may be gone for a while: the file is opened for each write. */
static void flip(int i)
{
	int turn = 0;

	for (;;) {
		int job = all->job;

		if (!job) {
			all->of[i].job = 0;
			usleep(10000);
			continue;
		}
		if (put(all->file, all->value[turn])) {
			all->of[i].writes++;
			all->of[i].job = job;
			turn = !turn;
		} else {
			usleep(1000);
		}
	}
}

static int all_at(int count, int job)
{
	int i;

	for (i = 0; i < count; i++)
		if (!all->of[i].ready || all->of[i].job != job)
			return 0;
	return 1;
}

static unsigned long writes(int count)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < count; i++) {
		sum += all->of[i].writes;
		all->of[i].writes = 0;
	}
	return sum;
}

static void begin(int i)
{
	pid_t parent = getppid();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	become_root_of_its_own();
	/* the change of user has reset this */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		exit(0);
	all->of[i].ready = 1;
	flip(i);
}

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0, i, jobs = 0;
	char line[300];

	if (count < 1)
		return 2;
	all = mmap(NULL, sizeof(*all) + count * sizeof(all->of[0]), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		die("mmap");
	for (i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			begin(i);
	}
	while (!all_at(count, 0))
		usleep(10000);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		all->job = 0;
		while (!all_at(count, 0))
			usleep(10000);
		if (!strcmp(line, "rest\n")) {
			printf("%lu\n", writes(count));
		} else if (sscanf(line, "%199s %19s %19s", all->file, all->value[0],
				  all->value[1]) == 3) {
			writes(count);
			all->job = ++jobs;
			while (!all_at(count, jobs))
				usleep(10000);
			puts("started");
		} else {
			puts("what?");
		}
		fflush(stdout);
	}
	return 0;
}
