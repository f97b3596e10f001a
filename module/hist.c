// SPDX-License-Identifier: GPL-2.0-only
/*
 * The histograms of delays: how they are kept and shown.
 *
 * Buckets are powers of two of microseconds. Each histogram is one line: its name, the sum of its
 * delays, and for each bucket its upper bound (exclusive) and the number of delays in it.
 */
#include <linux/seq_file.h>

#include "hist.h"
#include "net.h"

static const char * const hist_names[] = {
	[FINACK_HIST_ACK] = "FinAckAckDelay",
	[FINACK_HIST_FIN] = "FinAckFinDelay",
};

static_assert(ARRAY_SIZE(hist_names) == __FINACK_HIST_MAX);

/**
 * finack_hist_sub() - remove a delay
 * @mib: the namespace's counters
 * @id: which histogram
 * @us: the delay, as it was entered
 */
void finack_hist_sub(struct finack_mib __percpu *mib, enum finack_hist_id id, u64 us)
{
	this_cpu_dec(mib->hist[id].count[finack_hist_bucket(us)]);
	this_cpu_sub(mib->hist[id].sum, us);
}

/**
 * finack_hist_line() - write a histogram
 * @seq: where to
 * @name: its name
 * @sum: the sum of all CPUs
 */
void finack_hist_line(struct seq_file *seq, const char *name, const struct finack_hist *sum)
{
	int i;

	seq_printf(seq, "%-32s\tsum:%lu", name, sum->sum);
	for (i = 0; i < FINACK_HIST_BUCKETS - 1; i++)
		seq_printf(seq, " %llu:%lu", 1ULL << i, sum->count[i]);
	seq_printf(seq, " inf:%lu\n", sum->count[i]);
}

/**
 * finack_hist_show() - write the histograms, one per line
 * @seq: where to
 * @fn: whose
 */
void finack_hist_show(struct seq_file *seq, const struct finack_net *fn)
{
	int id, i, cpu;

	for (id = 0; id < __FINACK_HIST_MAX; id++) {
		struct finack_hist sum = {};

		for_each_possible_cpu(cpu) {
			const struct finack_hist *h = &per_cpu_ptr(fn->mib, cpu)->hist[id];

			for (i = 0; i < FINACK_HIST_BUCKETS; i++)
				sum.count[i] += READ_ONCE(h->count[i]);
			sum.sum += READ_ONCE(h->sum);
		}
		finack_hist_line(seq, hist_names[id], &sum);
	}
}
