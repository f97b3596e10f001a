// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares: how much of the record table the owner of some network namespaces may use.
 *
 *  - The network namespaces of the initial user namespace are the host's. They may use all.
 *  - All others together may use half.
 *  - One other owner may use at most SHARE times what the others leave free of that half. So even
 *    many greedy owners leave some for the next, and a single one can have seven eighths of it.
 *
 * An owner is not a namespace: any user can make many of those. It is who made the user namespace
 * just below the initial one: a user cannot change that by going deeper, nor by other ids there. Root
 * makes such user namespaces for others, so each of root's is an owner of its own.
 *
 * A socket of the kernel's own may outlive its network namespace, and with that the owner's share. All
 * those in namespaces that are not the host's have a share of their own.
 *
 * What is used is counted per CPU and summed up when somebody asks. Two CPUs that ask at the same
 * moment may both take the last record.
 */
#include <linux/cred.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>

#include "share.h"

#define SHARE 7

/* Tables up to so many records for each CPU look at the limits for every record. */
#define EXACT_PER_CPU 1024

struct finack_share finack_share_host;
struct finack_share finack_share_kernel;
DEFINE_PER_CPU(long, finack_others_used);

static DEFINE_SPINLOCK(list_lock);
static LIST_HEAD(shares);

static int share_init(struct finack_share *s)
{
	int cpu;

	s->cpu = alloc_percpu_gfp(struct finack_share_cpu, GFP_KERNEL_ACCOUNT);
	if (!s->cpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		per_cpu_ptr(s->cpu, cpu)->tick = jiffies - 1;
	refcount_set(&s->users, 1);
	return 0;
}

static void share_free(struct finack_share *s)
{
	if (!s)
		return;
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
}

/* fills in whose namespace this is; false: the host's */
static bool owner_of(const struct net *net, struct finack_share *s)
{
	const struct user_namespace *ns = net->user_ns;

	if (ns == &init_user_ns)
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
 * finack_share_get() - the share of a new namespace
 * @net: the namespace
 *
 * Return: the share, finack_share_put() is the caller's; NULL if there is no memory.
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
	s = find(&like); /* somebody else's namespace may have come in between */
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
	if (s == &finack_share_host || !refcount_dec_and_lock(&s->users, &list_lock))
		return;
	list_del(&s->list);
	spin_unlock(&list_lock);
	share_free(s);
}

static long sum(const struct finack_share *s)
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

/** finack_share_sum() - Return: how many records are in use */
long finack_share_sum(void)
{
	/* a CPU may have freed what another one claimed after it was counted */
	return max(sum(&finack_share_host) + sum_of_others(), 0L);
}

/**
 * finack_share_has_room() - whether an owner may have one record more
 * @s: the owner's share
 * @max: what all may have
 *
 * Return: true if so. This CPU then need not ask again within a tick, unless the table is small.
 */
bool finack_share_has_room(struct finack_share *s, unsigned int max)
{
	long others = sum_of_others(), left;

	if (sum(&finack_share_host) + others >= (long)max)
		return false;
	if (s != &finack_share_host) {
		left = (long)(max / 2) - others;
		if (left <= 0 || sum(s) >= SHARE * left)
			return false;
	}
	if (max > EXACT_PER_CPU * num_possible_cpus())
		this_cpu_write(s->cpu->tick, jiffies);
	return true;
}
