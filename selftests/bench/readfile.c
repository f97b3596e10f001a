// SPDX-License-Identifier: GPL-2.0-only
/*
 * readfile FILE COUNT: opens, reads and closes it COUNT times; prints the instructions executed
 */
#include "busy.h"

static void read_once(const char *path)
{
	static char buf[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	if (fd < 0 || n < 0) {
		perror(path);
		exit(1);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	int i, count = argc == 3 ? atoi(argv[2]) : 0;
	int64_t start;

	if (count < 1)
		return 2;
	busy_init(O_RDWR);
	read_once(argv[1]);
	busy_settle();
	start = busy_ns();
	for (i = 0; i < count; i++)
		read_once(argv[1]);
	printf("%lld\n", (long long)(busy_ns() - start));
	return 0;
}
