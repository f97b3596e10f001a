// SPDX-License-Identifier: GPL-2.0-only
/*
 * count COMMAND...: prints the instructions that this guest executes while the command runs, and
 * after that until nothing is left to do. What the command prints goes to stderr.
 */
#include <sys/wait.h>

#include "busy.h"

int main(int argc, char **argv)
{
	int64_t start;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	busy_init(O_RDWR);
	busy_settle();
	start = busy_ns();
	pid = fork();
	if (!pid) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "count: %s failed\n", argv[1]);
		return 1;
	}
	busy_settle();
	printf("%lld\n", (long long)(busy_ns() - start));
	return 0;
}
