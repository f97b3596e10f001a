// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares: how much of the record table, and of the rows of services, the owner of some network
 * namespaces may use.
 *
 *  - The network namespaces of the initial user namespace are the host's. They may use all.
 *  - All others together may use half.
 *  - One other owner may use at most SHARE times what is left free of that half. So even many
 *    greedy owners leave some for the next, and a single one can have seven eighths of the half,
 *    rounded up.
 *
 * An owner is not a namespace, because any user can make many of those. It is the user who made the
 * user namespace just below the initial one. A user cannot change that by nesting deeper, nor by
 * other ids there. Root makes such user namespaces for others, so each of root's is an owner of its
 * own.
 *
 * A kernel socket that does not hold its network namespace may outlive it, and with that the
 * owner's share. So all those in namespaces that are not the host's have one share together.
 *
 * Use is counted per CPU and summed up when a CPU asks for a record. The CPU is then granted some
 * more, so that a close seldom has to ask. Granted records count as used. Only CPUs that ask at the
 * same moment can exceed a limit. Small tables grant one record at a time, so that all of them can
 * be used.
 */
#include <linux/cred.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>

#include "share.h"

#define SHARE 7

/* The most that a CPU is granted at once: GRANT records for the host, GRANT_OTHERS for others, and
 * for all online CPUs together a GRANT_OF-th of what is left. An owner keeps what it was granted as
 * long as it has namespaces, even without closes. So others than the host are granted little.
 */
#define GRANT 64
#define GRANT_OTHERS 8
#define GRANT_OF 8

/* In tables of more records than this, a CPU is granted several at once, and a CPU that was refused
 * does not sum up again within the same tick.
 */
#define SMALL 4096

struct finack_share finack_share_host;
struct finack_share finack_share_kernel;
DEFINE_PER_CPU(long, finack_others_used);

static DEFINE_SPINLOCK(list_lock);
static LIST_HEAD(shares);

static long sum_used(const struct finack_share *s)
{
	long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(s->cpu, cpu)->used);
	return n;
}

static long sum_of_others(void)
{
	long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu(finack_others_used, cpu));
	return n;
}

static int share_init(struct finack_share *s)
{
	int cpu;

	s->cpu = alloc_percpu_gfp(struct finack_share_cpu, GFP_KERNEL_ACCOUNT);
	if (!s->cpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		per_cpu_ptr(s->cpu, cpu)->refused = jiffies - 1;
	refcount_set(&s->users, 1);
	return 0;
}

static void share_free(struct finack_share *s)
{
	if (!s)
		return;
	if (s->cpu) /* what is left is what it was granted and did not use */
		this_cpu_sub(finack_others_used, sum_used(s));
	free_percpu(s->cpu);
	kfree(s);
}

/** finack_shares_init() - make the shares that are always there. Return: 0, or -ENOMEM. */
int finack_shares_init(void)
{
	if (!share_init(&finack_share_host) && !share_init(&finack_share_kernel))
		return 0;
	finack_shares_exit();
	return -ENOMEM;
}

/** finack_shares_exit() - free them; no record and no namespace uses one any more */
void finack_shares_exit(void)
{
	free_percpu(finack_share_host.cpu);
	free_percpu(finack_share_kernel.cpu);
	finack_share_host.cpu = NULL;
	finack_share_kernel.cpu = NULL;
}

/* fills in the owner of a namespace; false: it is the host's */
static bool owner_of(const struct net *net, struct finack_share *s)
{
	const struct user_namespace *ns = net->user_ns;

	if (finack_share_is_hosts(net))
		return false;
	while (ns->parent != &init_user_ns)
		ns = ns->parent;
	s->uid = ns->owner;
	s->userns = uid_eq(ns->owner, GLOBAL_ROOT_UID) ? ns : NULL;
	return true;
}

/* list_lock held */
static struct finack_share *find(const struct finack_share *like)
{
	struct finack_share *s;

	list_for_each_entry(s, &shares, list)
		if (uid_eq(s->uid, like->uid) && s->userns == like->userns) {
			refcount_inc(&s->users);
			return s;
		}
	return NULL;
}

/**
 * finack_share_is_hosts() - whether a namespace has the host's share
 * @net: the namespace, which may be going
 *
 * Return: true if so.
 */
bool finack_share_is_hosts(const struct net *net)
{
	return net->user_ns == &init_user_ns;
}

/**
 * finack_share_get() - the share of a new namespace
 * @net: the namespace
 *
 * Return: the share, which the caller has to finack_share_put(); NULL if there is no memory.
 */
struct finack_share *finack_share_get(const struct net *net)
{
	struct finack_share *new = NULL, *s, like;

	if (!owner_of(net, &like))
		return &finack_share_host;
	spin_lock(&list_lock);
	s = find(&like);
	spin_unlock(&list_lock);
	if (s)
		return s;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new || share_init(new)) {
		share_free(new);
		return NULL;
	}
	new->uid = like.uid;
	new->userns = like.userns;
	spin_lock(&list_lock);
	s = find(&like); /* another namespace may have added it meanwhile */
	if (!s)
		list_add(&new->list, &shares);
	spin_unlock(&list_lock);
	if (!s)
		return new;
	share_free(new);
	return s;
}

/**
 * finack_share_put() - a namespace is gone, and with it all records of its share
 * @s: the share
 */
void finack_share_put(struct finack_share *s)
{
	bool last;

	if (s == &finack_share_host)
		return;
	spin_lock(&list_lock);
	last = refcount_dec_and_test(&s->users);
	if (last)
		list_del(&s->list);
	spin_unlock(&list_lock);
	if (last)
		share_free(s);
}

/* what is used, without what was granted and not claimed yet */
static long sum_claimed(const struct finack_share *s)
{
	long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(s->cpu, cpu)->used) -
		     READ_ONCE(per_cpu_ptr(s->cpu, cpu)->granted);
	return n;
}

/** finack_shares_sum() - Return: how many records are in use */
long finack_shares_sum(void)
{
	long n = sum_claimed(&finack_share_host) + sum_claimed(&finack_share_kernel);
	struct finack_share *s;

	spin_lock(&list_lock);
	list_for_each_entry(s, &shares, list)
		n += sum_claimed(s);
	spin_unlock(&list_lock);
	/* a CPU may have freed what another one claimed after that other one was counted */
	return max(n, 0L);
}

/**
 * finack_share_left() - how many more of something bounded an owner may have
 * @s: the owner's share
 * @max: how many there are
 * @host: how many the host has
 * @others: how many all others have together
 * @own: how many of these the owner has; unused for the host
 *
 * Return: the number; 0 or less for none.
 */
long finack_share_left(const struct finack_share *s, long max, long host, long others, long own)
{
	long left = max - host - others, most;

	if (s == &finack_share_host)
		return left;
	/* as many as leave the owner with SHARE times what is then left free of the half */
	most = SHARE * (max / 2 - others) - own;
	return most <= 0 ? 0 : min(left, DIV_ROUND_UP(most, SHARE + 1));
}

/* how many more records an owner may have */
static long left_for(const struct finack_share *s, long max)
{
	return finack_share_left(s, max, sum_used(&finack_share_host), sum_of_others(),
				 s == &finack_share_host ? 0 : sum_used(s));
}

/**
 * finack_share_ask() - whether an owner may have one more record
 * @s: the owner's share
 * @max: how many records all may have
 *
 * Return: true if so. This CPU is then granted the record, and some more.
 */
bool finack_share_ask(struct finack_share *s, unsigned int max)
{
	const unsigned long now = jiffies;
	long left, n = 1;

	if (max > SMALL && this_cpu_read(s->cpu->refused) == now)
		return false;
	left = left_for(s, max);
	if (left <= 0) {
		this_cpu_write(s->cpu->refused, now);
		return false;
	}
	if (max > SMALL)
		n = min_t(long, s == &finack_share_host ? GRANT : GRANT_OTHERS,
			  left / (GRANT_OF * num_online_cpus()) + 1);
	/* make up for what an interrupt claimed between another's grant and claim */
	n -= min(this_cpu_read(s->cpu->granted), 0L);
	this_cpu_add(s->cpu->used, n);
	if (s != &finack_share_host)
		this_cpu_add(finack_others_used, n);
	this_cpu_add(s->cpu->granted, n);
	return true;
}
