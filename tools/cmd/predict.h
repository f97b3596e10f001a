/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy would do, from what the counters and histograms say of the closes there are. */
#ifndef FINACK_PREDICT_H
#define FINACK_PREDICT_H

#include "ctx.h"
#include "read/counters.h"
#include "read/hist.h"
#include "read/knobs.h"

/** struct policy - the controls that move segments */
struct policy {
	uint64_t fin_ack;
	uint64_t fin_hold_ms;
	uint64_t quickack;
	uint64_t delack_min_ms;
	uint64_t delack_max_ms;
};

/**
 * struct prediction - segments more (or less) than now, in the interval
 * @likely: the best guess
 * @least: what the buckets of the histogram leave possible
 * @most: the same
 * @data: ACKs of data change, too, and nothing counts those
 */
struct prediction {
	double likely;
	double least;
	double most;
	bool data;
};

/**
 * predict() - compare a policy with the one that is in force
 * @c: the counters of an interval
 * @fin: the delays of our FINs in it
 * @now: the policy in force meanwhile
 * @then: the policy to judge
 *
 * Return: the difference.
 */
struct prediction predict(const struct counters *c, const struct hist *fin,
			  const struct policy *now, const struct policy *then);

/** policy_from() - what the controls say, changed as @s has it */
void policy_from(struct policy *p, const struct knobs *k, const struct setting *s, size_t n);

/**
 * predict_print() - watch for an interval, and print for each of the namespaces
 * @ctx: see there
 * @s: the policy to judge
 * @n: its settings; if there are none, the usual policies are judged
 *
 * Return: an exit status; it failed if no namespace had closes to judge by.
 */
int predict_print(struct ctx *ctx, const struct setting *s, size_t n);

#endif
