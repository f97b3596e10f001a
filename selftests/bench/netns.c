// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes network namespaces.
 *
 * netns make COUNT   one after the other, each gone before the next; prints the instructions
 *                    executed for it, less those for as many processes that make none
 * netns hold COUNT   all at once, until a line comes on stdin; says "held"
 */
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "busy.h"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t make(int count, int flags)
{
	int64_t start;
	int status;
	pid_t pid;

	busy_settle();
	start = busy_ns();
	while (count--) {
		pid = fork();
		if (!pid)
			_exit(unshare(flags) < 0);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			die("child");
		usleep(500000); /* a kernel thread deletes it later */
	}
	return busy_ns() - start;
}

static void hold(int count)
{
	struct rlimit lim = { count + 100, count + 100 };
	char line[10];

	if (setrlimit(RLIMIT_NOFILE, &lim))
		die("hold");
	while (count--)
		if (unshare(CLONE_NEWNET) || open("/proc/self/ns/net", O_RDONLY) < 0)
			die("hold");
	puts("held");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

int main(int argc, char **argv)
{
	int count = argc == 3 ? atoi(argv[2]) : 0;

	if (count < 1)
		return 2;
	if (!strcmp(argv[1], "hold")) {
		hold(count);
		return 0;
	}
	busy_init(O_RDWR);
	make(1, CLONE_NEWNET);
	printf("%lld\n", (long long)(make(count, CLONE_NEWNET) - make(count, 0)));
	return 0;
}
