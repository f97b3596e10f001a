// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model counts pure ACKs of FINs, the only segments of a close that controls add or save. It
 * first undoes the policy in force, to know what the kernel alone would do with these closes. Then
 * it applies the other policy.
 *
 * A close merges if our FIN is ready before the ACK has to leave. The histogram of FIN delays tells
 * how many FINs are ready by a given time, but not which. Closes that are separate for reasons that
 * no policy changes are assumed to have the same delays as the others.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "predict.h"

#define KERNEL_DELAY_US 40000.0	/* delay of an ACK after data */

static uint64_t number(const struct knobs *k, const struct setting *s, size_t n, const char *name)
{
	const char *value = knobs_get(k, name);
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(s[i].name, name))
			value = s[i].value;
	return value ? strtoull(value, NULL, 10) : 0;
}

void policy_from(struct policy *p, const struct knobs *k, const struct setting *s, size_t n)
{
	p->fin_ack = number(k, s, n, "fin_ack");
	p->fin_hold_ms = number(k, s, n, "fin_hold_ms");
	p->quickack = number(k, s, n, "quickack");
	p->delack_min_ms = number(k, s, n, "delack_min_ms");
	p->delack_max_ms = number(k, s, n, "delack_max_ms");
}

/**
 * struct closes - the closes of the interval, as they would be without any policy
 * @all: closes whose outcome is known
 * @merged: closes with three segments
 * @holdable: separate, but a hold would keep the ACK back
 * @timed: separate because of the delayed-ACK timer, which a policy can move
 * @fixed: separate in any case: data carried the ACK, or the application asked for it
 * @acks: pure ACKs of FINs
 * @sent: pure ACKs of FINs that were sent with the policy in force
 */
struct closes {
	double all;
	double merged;
	double holdable;
	double timed;
	double fixed;
	double acks;
	double sent;
};

static double get(const struct counters *c, const char *name)
{
	int64_t v = counters_get(c, name);

	return v > 0 ? v : 0;
}

/* how many FINs come before @us; @bound: 0 for the likely number, -1 the least, 1 the most */
static double below(const struct hist *fin, double us, int bound)
{
	uint64_t least, most;
	double likely = hist_below(fin, us, &least, &most);

	return bound < 0 ? least : bound > 0 ? most : likely;
}

static double share_below(const struct hist *fin, double us)
{
	return fin->count ? below(fin, us, 0) / fin->count : 0;
}

static struct closes undo(const struct counters *c, const struct hist *fin)
{
	double policy = get(c, "FinAckSepPolicy"), held = get(c, "FinAckHeldMerged");
	double separate = get(c, "FinAckSeparate"), data = get(c, "FinAckSepData");
	double back = policy * share_below(fin, KERNEL_DELAY_US);
	struct closes k;

	k.all = get(c, "FinAckMerged") + separate + get(c, "FinAckUnacked");
	k.sent = separate - data;
	k.acks = k.sent + held - back;
	k.merged = get(c, "FinAckMerged") - held + back;
	k.fixed = data + get(c, "FinAckSepApp");
	k.holdable = separate - k.fixed - back + held;
	k.timed = get(c, "FinAckSepTimer") + get(c, "FinAckSepNoAto") + policy - back;
	return k;
}

static double at_most(double a, double b)
{
	return a < b ? a : b;
}

/* how many of @some separate closes have their FIN before @us */
static double would_merge(const struct closes *k, const struct hist *fin, double us, double some,
			  int bound)
{
	double early = below(fin, us, bound) - k->merged, separate = k->holdable + k->fixed;

	return early <= 0 || separate <= 0 ? 0 : at_most(some, early * some / separate);
}

/* how many of the merged closes have a FIN that is too late for an ACK that leaves after @us */
static double would_split(const struct closes *k, const struct hist *fin, double us, int bound)
{
	double all = below(fin, KERNEL_DELAY_US, 0), early = below(fin, us, -bound);

	return all <= early || us >= KERNEL_DELAY_US ? 0 : k->merged * (all - early) / all;
}

/* a timer fires up to a tick late, half a tick on average */
static double rounding_us(void)
{
	struct timespec t = {};

	clock_getres(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_nsec / 1000.0 / 2;
}

/* when a delayed ACK leaves after data; the bounds count only without fin_ack and quickack */
static double timer_us(const struct policy *p)
{
	double us = KERNEL_DELAY_US;

	if (p->fin_ack || p->quickack == 1)
		return us;
	if (p->delack_max_ms && us > p->delack_max_ms * 1000.0)
		us = p->delack_max_ms * 1000.0 + rounding_us();
	if (us < p->delack_min_ms * 1000.0)
		us = p->delack_min_ms * 1000.0 + rounding_us();
	return us;
}

/* Pure ACKs of FINs under a policy. quickack=2 leaves the ACK of a FIN alone.
 * @bound: 0 for the likely number, -1 the least, 1 the most
 */
static double acks(const struct closes *k, const struct hist *fin, const struct policy *now,
		   const struct policy *p, int bound)
{
	double us, n = k->acks;

	/* each FIN gets one, even if it is now ACKed with our FIN, with data or not at all */
	if (p->fin_ack == 1 || (p->fin_ack != 2 && p->quickack == 1))
		return k->all;
	if (p->fin_ack == 2) {
		us = p->fin_hold_ms * 1000.0 + rounding_us();
		return n - would_merge(k, fin, us, k->holdable, -bound) +
		       would_split(k, fin, us, bound);
	}
	us = timer_us(p);
	if (us > timer_us(now) || p->delack_min_ms > now->delack_min_ms)
		n -= would_merge(k, fin, us, k->timed, -bound);
	if (us < timer_us(now))
		n += would_split(k, fin, us, bound);
	return n;
}

struct prediction predict(const struct counters *c, const struct hist *fin,
			  const struct policy *now, const struct policy *then)
{
	struct policy hold = *then, kernel = *then;
	struct closes k = undo(c, fin);
	struct prediction p;

	if (then->fin_ack == 3) { /* at best as 2, at worst as 0 */
		hold.fin_ack = 2;
		kernel.fin_ack = 0;
	}
	p.likely = acks(&k, fin, now, &hold, 0) - k.sent;
	p.least = acks(&k, fin, now, &hold, -1) - k.sent;
	p.most = acks(&k, fin, now, then->fin_ack == 3 ? &kernel : then, 1) - k.sent;
	p.data = now->quickack != then->quickack || now->delack_min_ms != then->delack_min_ms ||
		 now->delack_max_ms != then->delack_max_ms;
	if (!memcmp(now, then, sizeof(*now)))
		p = (struct prediction){};
	return p;
}
