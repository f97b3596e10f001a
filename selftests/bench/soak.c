// SPDX-License-Identifier: GPL-2.0-only
/*
 * Soaks up the time in which nothing else runs, and counts it in rounds; see busy.h. The nops cost
 * the emulator nothing, so that a second of the guest's idle time is over in no time.
 *
 * Runs until killed. Says "soaking" once it is about to.
 */
#include <sched.h>

#include "busy.h"

int main(void)
{
	struct sched_param p = {};

	busy_init(O_RDWR | O_CREAT);
	if (sched_setscheduler(0, SCHED_IDLE, &p)) {
		perror("soak: SCHED_IDLE");
		return 1;
	}
	puts("soaking");
	fflush(stdout);
	asm volatile("1:\taddq $1, (%0)\n\t"
		     ".rept %c1\n\tnop\n\t.endr\n\t"
		     "jmp 1b" : : "r" (soaked_rounds), "i" (SOAK_NOPS) : "memory");
	return 0;
}

