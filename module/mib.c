// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters of a network namespace: where they are kept and under which names they are shown.
 *
 * Names and their order are stable: new ones are only ever added. Two of them are gauges, which are
 * not counted but derived: the closes that began less those that were decided. So the laws
 * (Documentation/counters.rst) hold by construction. The terms that are subtracted are read first,
 * on all CPUs, and the closes that began last: a close that is decided in between can make a gauge
 * one too high for that reader. An outcome that is being taken back can make it one too low. No
 * gauge is shown below 0.
 */
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "mib.h"
#include "net.h"
#include "share.h"

/**
 * struct mib_name - a line of /proc/net/finack
 * @name: as shown
 * @first: the counter, or for a gauge the first one that is subtracted from Passive
 * @last: for a gauge, the last one that is subtracted; 0 for a counter
 */
struct mib_name {
	const char *name;
	enum finack_mib_id first;
	enum finack_mib_id last;
};

static const struct mib_name mib_names[] = {
	{ "FinAckPassive",		FINACK_PASSIVE },
	{ "FinAckMerged",		FINACK_MERGED },
	{ "FinAckSeparate",		FINACK_SEPARATE },
	{ "FinAckUnacked",		FINACK_UNACKED },
	{ "FinAckUndecided",		FINACK_MERGED, FINACK_UNACKED },
	{ "FinAckSepTimer",		FINACK_SEP_TIMER },
	{ "FinAckSepNoAto",		FINACK_SEP_NO_ATO },
	{ "FinAckSepRoute",		FINACK_SEP_ROUTE },
	{ "FinAckSepNow",		FINACK_SEP_NOW },
	{ "FinAckSepApp",		FINACK_SEP_APP },
	{ "FinAckSepData",		FINACK_SEP_DATA },
	{ "FinAckSepPolicy",		FINACK_SEP_POLICY },
	{ "FinAckSepHeld",		FINACK_SEP_HELD },
	{ "FinAckSepUnknown",		FINACK_SEP_UNKNOWN },
	{ "FinAckEndClose",		FINACK_END_CLOSE },
	{ "FinAckEndShutdown",		FINACK_END_SHUTDOWN },
	{ "FinAckEndExit",		FINACK_END_EXIT },
	{ "FinAckEndResetIn",		FINACK_END_RESET_IN },
	{ "FinAckEndResetOut",		FINACK_END_RESET_OUT },
	{ "FinAckEndOther",		FINACK_END_OTHER },
	{ "FinAckCloseWait",		FINACK_END_CLOSE, FINACK_END_OTHER },
	{ "FinAckActive",		FINACK_ACTIVE },
	{ "FinAckActiveMerged",		FINACK_ACTIVE_MERGED },
	{ "FinAckActiveSeparate",	FINACK_ACTIVE_SEPARATE },
	{ "FinAckActiveHalf",		FINACK_ACTIVE_HALF },
	{ "FinAckSimultaneous",		FINACK_SIMULTANEOUS },
	{ "FinAckUntracked",		FINACK_UNTRACKED },
	{ "FinAckEarlier",		FINACK_EARLIER },
	{ "FinAckForced",		FINACK_FORCED },
	{ "FinAckHeld",			FINACK_HELD },
	{ "FinAckHeldMerged",		FINACK_HELD_MERGED },
	{ "FinAckQuickAck",		FINACK_QUICKACK },
	{ "FinAckClamped",		FINACK_CLAMPED },
	{ "FinAckTimerAck",		FINACK_TIMER_ACK },
	{ "FinAckQuickAuto",		FINACK_QUICK_AUTO },
	{ "FinAckWasted",		FINACK_WASTED },
};

#define MIB_GAUGES 2
static_assert(ARRAY_SIZE(mib_names) == __FINACK_MIB_MAX + MIB_GAUGES);

/*
 * Per-CPU areas of namespaces that are gone, kept for the next ones. The allocator may look through
 * the records of a whole chunk when an area is freed, and again when one is allocated: 59,000
 * instructions for each namespace that is made and deleted, where the rest of finack needs 70,000
 * (Documentation/performance.rst). Only areas of the host's namespaces are kept. So it does not
 * matter whom a kept area is charged to: nobody can be made to pay for others.
 */
#define KEPT	4

static struct finack_mib __percpu *kept[KEPT];
static DEFINE_SPINLOCK(kept_lock);

static struct finack_mib __percpu *take_kept(void)
{
	struct finack_mib __percpu *mib = NULL;
	int i, cpu;

	spin_lock(&kept_lock);
	for (i = 0; i < KEPT && !mib; i++)
		swap(mib, kept[i]);
	spin_unlock(&kept_lock);
	if (mib)
		for_each_possible_cpu(cpu)
			memset(per_cpu_ptr(mib, cpu), 0, sizeof(*mib));
	return mib;
}

static bool keep(struct finack_mib __percpu *mib)
{
	int i;

	spin_lock(&kept_lock);
	for (i = 0; i < KEPT && mib; i++)
		if (!kept[i])
			swap(mib, kept[i]);
	spin_unlock(&kept_lock);
	return !mib;
}

/** finack_mib_free() - free the areas that were kept; no namespace is left */
void finack_mib_free(void)
{
	int i;

	for (i = 0; i < KEPT; i++)
		free_percpu(kept[i]);
}

/**
 * finack_mib_init() - make the counters of a namespace
 * @fn: the namespace, with its share
 *
 * Return: 0, or -ENOMEM.
 */
int finack_mib_init(struct finack_net *fn)
{
	fn->mib = fn->share == &finack_share_host ? take_kept() : NULL;
	if (!fn->mib)
		fn->mib = alloc_percpu_gfp(struct finack_mib, GFP_KERNEL_ACCOUNT);
	return fn->mib ? 0 : -ENOMEM;
}

/**
 * finack_mib_exit() - a namespace is gone
 * @fn: the namespace
 */
void finack_mib_exit(struct finack_net *fn)
{
	if (fn->share != &finack_share_host || !keep(fn->mib))
		free_percpu(fn->mib);
}

/**
 * finack_mib_count() - the value of a counter
 * @fn: whose
 * @id: which
 *
 * Return: the value.
 */
unsigned long finack_mib_count(const struct finack_net *fn, enum finack_mib_id id)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(fn->mib, cpu)->count[id]);
	return sum;
}

/* Sums up all counters, CPU by CPU. On each it goes backwards, so that details are read before the
 * counter that they belong to. Passive is read last, see above.
 */
static void sum_up(const struct finack_net *fn, unsigned long *sum)
{
	int id, cpu;

	memset(sum, 0, __FINACK_MIB_MAX * sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct finack_mib *mib = per_cpu_ptr(fn->mib, cpu);

		for (id = __FINACK_MIB_MAX - 1; id > FINACK_PASSIVE; id--)
			sum[id] += READ_ONCE(mib->count[id]);
	}
	smp_rmb(); /* pairs with the socket lock that orders a close's own steps */
	sum[FINACK_PASSIVE] = finack_mib_count(fn, FINACK_PASSIVE);
}

static unsigned long value_of(const struct mib_name *m, const unsigned long *sum)
{
	unsigned long value = sum[FINACK_PASSIVE];
	int id;

	if (!m->last)
		return sum[m->first];
	for (id = m->first; id <= m->last; id++)
		value -= sum[id];
	return max_t(long, value, 0);
}

static unsigned long close_wait_of(const unsigned long *sum)
{
	static const struct mib_name close_wait = { "", FINACK_END_CLOSE, FINACK_END_OTHER };

	return value_of(&close_wait, sum);
}

/**
 * finack_mib_close_wait() - the gauge CloseWait
 * @fn: whose
 *
 * Return: the number of passive closes that still owe our FIN.
 */
unsigned long finack_mib_close_wait(const struct finack_net *fn)
{
	unsigned long sum[__FINACK_MIB_MAX];

	sum_up(fn, sum);
	return close_wait_of(sum);
}

/**
 * finack_mib_show() - write the counters, one "Name<pad>value" per line
 * @seq: where to
 * @fn: whose
 */
void finack_mib_show(struct seq_file *seq, const struct finack_net *fn)
{
	unsigned long sum[__FINACK_MIB_MAX];
	int i;

	sum_up(fn, sum);
	for (i = 0; i < ARRAY_SIZE(mib_names); i++)
		finack_mib_line(seq, mib_names[i].name, value_of(&mib_names[i], sum));
}

/**
 * finack_mib_line() - write a counter
 * @seq: where to
 * @name: its name
 * @value: its value
 */
void finack_mib_line(struct seq_file *seq, const char *name, unsigned long value)
{
	seq_printf(seq, "%-32s\t%lu\n", name, value);
}
