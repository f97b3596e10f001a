/* SPDX-License-Identifier: GPL-2.0-only */
/* Predicts what a policy would do with the closes that the counters and histograms tell of. */
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
 * struct prediction - how many segments more (if negative, fewer) than now, in the interval
 * @likely: the best guess
 * @least: the least that the buckets of the histogram allow
 * @most: the most that they allow
 * @data: ACKs of data change, too, but nothing counts those
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
 * @fin: the delays of our FINs in the interval
 * @now: the policy in force during the interval
 * @then: the policy to judge
 *
 * Return: the difference.
 */
struct prediction predict(const struct counters *c, const struct hist *fin,
			  const struct policy *now, const struct policy *then);

/** policy_from() - the policy that the controls set, with the @n settings of @s applied */
void policy_from(struct policy *p, const struct knobs *k, const struct setting *s, size_t n);

/**
 * predict_print() - watch for an interval, and print predictions for each namespace
 * @ctx: what the options say
 * @s: the policy to judge
 * @n: how many settings it has; 0 to judge the usual policies
 *
 * Return: an exit status; FAILED if no namespace had closes to judge by.
 */
int predict_print(struct ctx *ctx, const struct setting *s, size_t n);

#endif
