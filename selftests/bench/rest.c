// SPDX-License-Identifier: GPL-2.0-only
/*
 * rest SECONDS   waits until everything but soak has needed less than a fiftieth of the time for a
 *                second; fails if that does not come within SECONDS
 */
#include "busy.h"

#define WINDOW_US	20000
#define WINDOWS		50	/* in a second */

int main(int argc, char **argv)
{
	int64_t needed[WINDOWS], sum = 0, before;
	int i, n = argc == 2 ? atoi(argv[1]) * WINDOWS : 0;

	if (n < 1)
		return 2;
	busy_init(O_RDWR);
	for (i = 0; i < n; i++) {
		if (i >= WINDOWS)
			sum -= needed[i % WINDOWS];
		before = busy_ns();
		usleep(WINDOW_US);
		needed[i % WINDOWS] = busy_ns() - before;
		sum += needed[i % WINDOWS];
		if (i >= WINDOWS - 1 && sum < WINDOWS * WINDOW_US * INT64_C(1000) / 50)
			return 0;
	}
	return 1;
}
