// SPDX-License-Identifier: GPL-2.0-only
#include <time.h>

#include "interval.h"

double interval_wait(double seconds)
{
	struct timespec t[2], pause = { .tv_sec = seconds };

	pause.tv_nsec = (seconds - pause.tv_sec) * 1e9;
	clock_gettime(CLOCK_MONOTONIC, &t[0]);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &t[1]);
	return t[1].tv_sec - t[0].tv_sec + (t[1].tv_nsec - t[0].tv_nsec) / 1e9;
}
