/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many instructions this guest has executed for anything but waiting.
 *
 * Under counted time the clock counts instructions, and jumps when nothing is left to do. So that
 * it never jumps, the soaker (soak.c) runs whenever nothing else wants to. It counts the
 * instructions that it executes, and these are subtracted.
 */
#ifndef BUSY_H
#define BUSY_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SOAK_FILE	"/dev/shm/soaked"
#define SOAK_NOPS	254
#define SOAK_ROUND	(SOAK_NOPS + 2)	/* instructions per round: the two are addq and jmp */

static volatile uint64_t *soaked_rounds;

static inline void busy_init(int flags)
{
	int fd = open(SOAK_FILE, flags, 0600);
	void *p = MAP_FAILED;

	if (fd >= 0 && !((flags & O_CREAT) && ftruncate(fd, sizeof(uint64_t))))
		p = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror(SOAK_FILE ": is soak running?");
		exit(1);
	}
	soaked_rounds = p;
	close(fd);
}

static inline int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static inline int64_t busy_ns(void)
{
	return now_ns() - (int64_t)(*soaked_rounds * SOAK_ROUND);
}

/* Waits until all others have done what was left to do: they needed less than a tenth of 20 ms. */
static inline void busy_settle(void)
{
	int64_t before;
	int i;

	for (i = 0; i < 500; i++) {
		before = busy_ns();
		usleep(20000);
		if (busy_ns() - before < 2000000)
			return;
	}
	fprintf(stderr, "busy: the guest does not come to rest\n");
	exit(1);
}

#endif
