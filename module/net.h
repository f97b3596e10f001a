/* SPDX-License-Identifier: GPL-2.0-only */
/* What finack keeps for a network namespace, and the way from a socket to it. */
#ifndef FINACK_NET_H
#define FINACK_NET_H

#include <linux/cache.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "compat.h"
#include "knobs.h"
#include "mib.h"
#include "share.h"

/**
 * struct finack_admin - what of a namespace no hook looks at
 * @net: the namespace
 * @lock: writers of the knobs
 * @wants: what the namespace wants of the hooks, a bit per &enum finack_want
 * @table: the sysctl table
 * @sysctl: where it is registered
 * @files: the files in sysfs, NULL if there are none
 */
struct finack_admin {
	const struct net *net;
	struct mutex lock; /* writers of the knobs */
	unsigned int wants;
	struct ctl_table *table;
	struct ctl_table_header *sysctl;
	struct finack_net_file *files;
};

/**
 * struct finack_net - what finack keeps for one network namespace
 * @mib: the counters
 * @share: the part of the record table that the namespace's owner may use
 * @admin: what no hook looks at
 * @knobs: the knobs; written under @admin->lock, read plainly
 * @untracked: passive closes without a record that are in CLOSE_WAIT now
 * @late: closes in LAST_ACK whose FIN is queued and has not been sent yet
 *
 * Hooks of every CPU read the first cache line, which changes with a knob alone. They write the
 * second one only where the table is full or a FIN has to wait.
 */
struct finack_net {
	struct finack_mib __percpu *mib;
	struct finack_share *share;
	struct finack_admin *admin;
	struct finack_knobs knobs;
	atomic_t untracked ____cacheline_aligned_in_smp;
	atomic_t late;
};

extern unsigned int finack_net_id;

static inline void finack_inc(const struct finack_net *fn, enum finack_mib_id id)
{
	this_cpu_inc(fn->mib->count[id]);
}

/* only to take back what turned out not to have happened */
static inline void finack_dec(const struct finack_net *fn, enum finack_mib_id id)
{
	this_cpu_dec(fn->mib->count[id]);
}

/* a namespace that somebody holds */
static inline struct finack_net *finack_net(const struct net *net)
{
	return net_generic(net, finack_net_id);
}

/* For handlers of tracepoints. The namespace of a socket that holds it, as all sockets of user
 * space do: no need to ask whether it is going. Its table of pointers may be replaced, but is
 * freed a grace period later.
 */
static __always_inline struct finack_net *finack_net_held(const struct sock *sk)
{
	struct finack_net *fn;

	finack_tracepoint_lock();
	fn = rcu_dereference_sched(sock_net(sk)->gen)->ptr[finack_net_id];
	finack_tracepoint_unlock();
	return fn;
}

/* The namespace of any socket, or NULL if it is going: a socket of the kernel's own may not hold
 * it. The data is freed a grace period after the namespace began to go, so it may be used until
 * preemption is on again, which the caller turned off.
 */
static inline struct finack_net *finack_net_of(const struct sock *sk)
{
	const struct net *net = sock_net(sk);

	if (unlikely(!sk->sk_net_refcnt && !check_net(net)))
		return NULL;
	return rcu_dereference_sched(net->gen)->ptr[finack_net_id];
}

/* The share of the record table for a socket of a namespace. Sockets of the kernel's own that do
 * not hold their namespace may outlive its share.
 */
static inline struct finack_share *finack_share_of(const struct finack_net *fn, bool unheld)
{
	return unheld && fn->share != &finack_share_host ? &finack_share_kernel : fn->share;
}

#endif
