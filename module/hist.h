/* SPDX-License-Identifier: GPL-2.0-only */
/* The histograms of delays. */
#ifndef FINACK_HIST_H
#define FINACK_HIST_H

#include <linux/bitops.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/time64.h>
#include <linux/types.h>

struct finack_net;
struct seq_file;

/**
 * enum finack_hist_id - the histograms
 * @FINACK_HIST_ACK: from the peer's FIN to the segment that covers it; detail tier
 * @FINACK_HIST_FIN: from the peer's FIN to our own
 */
enum finack_hist_id {
	FINACK_HIST_ACK,
	FINACK_HIST_FIN,
	__FINACK_HIST_MAX
};

/* the last bucket but one ends at 2^32 us, 71.6 minutes */
#define FINACK_HIST_BUCKETS 34

/**
 * struct finack_hist - one CPU's share of a histogram of delays
 * @count: per bucket, see hist.c
 * @sum: of all delays, in microseconds
 */
struct finack_hist {
	unsigned long count[FINACK_HIST_BUCKETS];
	unsigned long sum;
};

static inline u64 finack_hist_us(u64 ns)
{
	return div_u64(ns, NSEC_PER_USEC);
}

/* bucket 0: below 1 us; i: from 2^(i-1) to below 2^i us; the last one: the rest */
static inline unsigned int finack_hist_bucket(u64 us)
{
	return min(fls64(us), FINACK_HIST_BUCKETS - 1);
}

/**
 * finack_hist_add() - enter a delay
 * @hist: the namespace's histogram
 * @us: the delay, in microseconds
 */
static inline void finack_hist_add(struct finack_hist __percpu *hist, u64 us)
{
	this_cpu_inc(hist->count[finack_hist_bucket(us)]);
	this_cpu_add(hist->sum, us);
}

void finack_hist_sub(struct finack_hist __percpu *hist, u64 us);
void finack_hist_show(struct seq_file *seq, const struct finack_net *fn);

#endif
