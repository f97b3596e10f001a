/* SPDX-License-Identifier: GPL-2.0-only */
/* What finack keeps for a network namespace, and the way from a socket to it. */
#ifndef FINACK_NET_H
#define FINACK_NET_H

#include <linux/cache.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "compat.h"
#include "knobs.h"
#include "mib.h"
#include "share.h"

struct finack_stalls;

/**
 * struct finack_admin - what finack keeps for a namespace and hooks seldom need
 * @net: the namespace
 * @lock: held by writers of the knobs
 * @wants: what the namespace wants of the hooks, a bit per &enum finack_want
 * @table: the sysctl table
 * @sysctl: the registration of @table
 * @files: the files in sysfs, NULL if there are none
 * @port_first: the row of the service that was met first, see port.c; 0 for none
 * @port_last: that of the one met last
 */
struct finack_admin {
	const struct net *net;
	struct mutex lock; /* held by writers of the knobs */
	unsigned int wants;
	struct ctl_table *table;
	struct ctl_table_header *sysctl;
	struct finack_net_file *files;
	u16 port_first;
	u16 port_last;
};

/**
 * struct finack_net - what finack keeps for one network namespace
 * @mib: the counters
 * @share: the part of the record table that the namespace's owner may use
 * @id: its number, which no other namespace has or had, shifted to where a service has it (port.h)
 * @stalls: the stalls, NULL until the namespace first wanted them counted
 * @knobs: the knobs; written under @admin->lock, read plainly
 * @untracked: passive closes without a record that are in CLOSE_WAIT now
 * @late: closes in LAST_ACK whose FIN is queued and has not been sent yet
 * @admin: what hooks seldom need
 * @learned: quickack=2 has learned something since the knob was written
 * @quick_gen: what was learned for another generation of quickack=2 is forgotten
 * @fins_gen: the same of fin_ack=3
 *
 * Hooks on every CPU read the first cache line, which changes only with a knob. They write the
 * second one only if the table is full, a FIN has to wait, or something is learned for the first
 * time.
 */
struct finack_net {
	struct finack_mib __percpu *mib;
	struct finack_share *share;
	u64 id;
	struct finack_stalls __percpu *stalls;
	struct finack_knobs knobs;
	atomic_t untracked ____cacheline_aligned_in_smp;
	atomic_t late;
	struct finack_admin *admin;
	bool learned;
	u16 quick_gen;
	u16 fins_gen;
};

static_assert(offsetofend(struct finack_net, knobs) <= 64);

extern unsigned int finack_net_id;

static inline void finack_inc(const struct finack_net *fn, enum finack_mib_id id)
{
	this_cpu_inc(fn->mib->count[id]);
}

/* only to take back the count of what turned out not to have happened */
static inline void finack_dec(const struct finack_net *fn, enum finack_mib_id id)
{
	this_cpu_dec(fn->mib->count[id]);
}

/* for a namespace on which somebody holds a reference */
static inline struct finack_net *finack_net(const struct net *net)
{
	return net_generic(net, finack_net_id);
}

/* For handlers of tracepoints: the namespace of a socket that holds a reference on it, as all
 * sockets of user space do. So there is no need to check whether the namespace is going. Its table
 * of pointers may be replaced, but is freed only a grace period later.
 */
static __always_inline struct finack_net *finack_net_held(const struct sock *sk)
{
	struct finack_net *fn;

	finack_tracepoint_lock();
	fn = rcu_dereference_sched(sock_net(sk)->gen)->ptr[finack_net_id];
	finack_tracepoint_unlock();
	return fn;
}

/* The namespace of any socket, or NULL if it is going: a kernel socket may hold no reference on it.
 * The caller has turned preemption off and may use the data until it turns it on again: the data is
 * freed a grace period after the namespace began to go.
 */
static inline struct finack_net *finack_net_of(const struct sock *sk)
{
	const struct net *net = sock_net(sk);

	if (unlikely(!sk->sk_net_refcnt && !check_net(net)))
		return NULL;
	return rcu_dereference_sched(net->gen)->ptr[finack_net_id];
}

/* whether the controls apply to a connection; preemption is off */
static inline bool finack_knobs_apply(const struct finack_net *fn, const struct sock *sk)
{
	const unsigned long *ports = rcu_dereference_sched(fn->knobs.ports);

	return !ports || test_bit(inet_sk(sk)->inet_num, ports) ||
	       test_bit(ntohs(inet_sk(sk)->inet_dport), ports);
}

/* The share of the record table for a socket of a namespace. Kernel sockets that hold no reference
 * on their namespace may outlive its share, so they have a share of their own.
 */
static inline struct finack_share *finack_share_of(const struct finack_net *fn, bool unheld)
{
	return unheld && fn->share != &finack_share_host ? &finack_share_kernel : fn->share;
}

#endif
