/* SPDX-License-Identifier: GPL-2.0-only */
/* Shares: how much of the record table the owner of some network namespaces may use. */
#ifndef FINACK_SHARE_H
#define FINACK_SHARE_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct net;
struct user_namespace;

/**
 * struct finack_share_cpu - what one CPU adds to a share
 * @used: records granted to this CPU less records freed on it
 * @granted: of the granted ones, those it may still claim before it asks again
 * @refused: when it was last refused a record, in jiffies
 */
struct finack_share_cpu {
	long used;
	long granted;
	unsigned long refused;
};

/**
 * struct finack_share - what one owner of network namespaces uses
 * @cpu: what is used: only the sum over all CPUs has a meaning
 * @uid: the owner
 * @userns: the owner's user namespace, where the owner is root; else NULL
 * @users: number of namespaces
 * @ports: rows of services, see port.c
 * @list: all shares but the host's and the kernel's
 */
struct finack_share {
	struct finack_share_cpu __percpu *cpu;
	kuid_t uid;
	const struct user_namespace *userns;
	refcount_t users;
	unsigned int ports;
	struct list_head list;
};

extern struct finack_share finack_share_host, finack_share_kernel;
DECLARE_PER_CPU(long, finack_others_used);

int finack_shares_init(void);
void finack_shares_exit(void);
struct finack_share *finack_share_get(const struct net *net);
void finack_share_put(struct finack_share *share);
bool finack_share_ask(struct finack_share *share, unsigned int max);
long finack_shares_sum(void);
long finack_share_left(const struct finack_share *share, long max, long host, long others,
		       long own);
bool finack_share_is_hosts(const struct net *net);

/* whether a record may be claimed without asking; if so, the caller has to claim it */
static inline bool finack_share_granted(struct finack_share *share)
{
	return likely(this_cpu_read(share->cpu->granted) > 0);
}

/* claim a record that was granted */
static inline void finack_share_claim(struct finack_share *share)
{
	this_cpu_dec(share->cpu->granted);
}

/* free a record */
static inline void finack_share_free(struct finack_share *share)
{
	this_cpu_dec(share->cpu->used);
	if (share != &finack_share_host)
		this_cpu_dec(finack_others_used);
}

#endif
