/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture shows of many closes, against what was counted. */
#ifndef FINACK_VERDICT_H
#define FINACK_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

/** struct verdict_ends - how many passive closes were made to end so; captures do not show it */
struct verdict_ends {
	uint64_t by_shutdown;
	uint64_t by_reset_in;
	uint64_t by_reset_out;
};

/**
 * verdict() - compare, and print each figure
 * @path: a capture on the closers' interface, with all that they did since their counters were 0
 * @ends: how they ended
 * @flipping: whether controls were in use
 *
 * Return: how many figures do not fit.
 */
int verdict(const char *path, const struct verdict_ends *ends, bool flipping);

#endif
