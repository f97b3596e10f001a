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

#include "mib.h"

struct finack_net;
struct seq_file;

static inline u64 finack_hist_us(u64 ns)
{
	return div_u64(ns, NSEC_PER_USEC);
}

/* bucket 0: below 1 us; bucket i: from 2^(i-1) us to below 2^i us; the last bucket: the rest */
static inline unsigned int finack_hist_bucket(u64 us)
{
	return min(fls64(us), FINACK_HIST_BUCKETS - 1);
}

/**
 * finack_hist_add() - enter a delay
 * @mib: the namespace's counters
 * @id: which histogram
 * @us: the delay, in microseconds
 */
static inline void finack_hist_add(struct finack_mib __percpu *mib, enum finack_hist_id id, u64 us)
{
	this_cpu_inc(mib->hist[id].count[finack_hist_bucket(us)]);
	this_cpu_add(mib->hist[id].sum, us);
}

void finack_hist_sub(struct finack_mib __percpu *mib, enum finack_hist_id id, u64 us);
void finack_hist_show(struct seq_file *seq, const struct finack_net *fn);
void finack_hist_line(struct seq_file *seq, const char *name, const struct finack_hist *sum);

#endif
