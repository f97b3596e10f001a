/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the kernels that finack builds for differ, and nothing else. */
#ifndef FINACK_COMPAT_H
#define FINACK_COMPAT_H

#include <linux/ftrace.h>
#include <linux/rcupdate.h>
#include <linux/sysctl.h>
#include <linux/sysfs.h>
#include <linux/version.h>
#include <net/inet_connection_sock.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#ifndef CONFIG_64BIT
#error finack needs a 64-bit kernel: hooks read and write 64 bits at once
#endif

/* the type of the table that a sysctl's handler gets */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define FINACK_CTL_TABLE const struct ctl_table
#else
#define FINACK_CTL_TABLE struct ctl_table
#endif

/* the type of the kobject that kobj_type::child_ns_type gets */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define FINACK_NS_KOBJECT const struct kobject
#else
#define FINACK_NS_KOBJECT struct kobject
#endif

/* Until 6.5 an empty row ends a table. Later kernels are told its size. Our tables have both. */
#ifndef register_net_sysctl
static inline struct ctl_table_header *register_net_sysctl_sz(struct net *net, const char *path,
							      struct ctl_table *table, size_t size)
{
	return register_net_sysctl(net, path, table);
}
#endif

/* a namespace as sysfs knows it: the struct net itself, in later kernels its ns_common */
#define FINACK_NS_TAG(_net)								\
	__builtin_choose_expr(__same_type(sysfs_create_file_ns,				\
					  int(struct kobject *, const struct attribute *,	\
					      const void *)),				\
			      (const void *)(_net), &(_net)->ns)

/* ftrace gives its handlers the arguments of the function: x86-64 since 5.11, arm64 since 6.2. The
 * names of the functions that read them exist since 6.2.
 */
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#define FINACK_FTRACE_OPS
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define ftrace_regs_get_argument(_fregs, _n)	regs_get_kernel_argument(&(_fregs)->regs, _n)
#define ftrace_regs_set_instruction_pointer(_fregs, _ip)					\
	ftrace_instruction_pointer_set(_fregs, _ip)
#endif
#endif

/* Handlers of tracepoints run with preemption off. Later kernels leave it on: 7.3 does, and all
 * from 6.13 on are treated so.
 */
static __always_inline void finack_tracepoint_lock(void)
{
	if (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0))
		preempt_disable_notrace();
}

static __always_inline void finack_tracepoint_unlock(void)
{
	if (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0))
		preempt_enable_notrace();
}

/* its name until 6.3: kvfree_rcu() with one argument */
#ifndef kvfree_rcu_mightsleep
#define kvfree_rcu_mightsleep(_ptr)	kvfree_rcu(_ptr)
#endif

/* The timestamp of a segment that left at @ns (RFC 7323). Since 6.7 it can be microseconds. */
static inline u32 finack_tsval(const struct tcp_sock *tp, u64 ns)
{
	u32 unit = NSEC_PER_MSEC;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	if (tp->tcp_usec_ts)
		unit = NSEC_PER_USEC;
#endif
	return div_u64(ns, unit) + tp->tsoffset;
}

/* The ports that connect() chooses from. No lock is taken: while they are changed, one of the two
 * numbers can be the old one.
 */
static inline void finack_local_port_range(const struct net *net, unsigned int *low,
					   unsigned int *high)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	u32 range = READ_ONCE(net->ipv4.ip_local_ports.range);

	*low = range & 0xffff;
	*high = range >> 16;
#else
	*low = READ_ONCE(net->ipv4.ip_local_ports.range[0]);
	*high = READ_ONCE(net->ipv4.ip_local_ports.range[1]);
#endif
}

/* When the delayed-ACK timer is due. Until 6.14 a field beside the timer has this; the timer itself
 * may be late.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
static inline unsigned long finack_delack_timeout(const struct inet_connection_sock *icsk)
{
	return icsk_delack_timeout(icsk);
}

static inline void finack_set_delack_timeout(struct inet_connection_sock *icsk,
					     unsigned long expires)
{
}
#else
static inline unsigned long finack_delack_timeout(const struct inet_connection_sock *icsk)
{
	return icsk->icsk_ack.timeout;
}

static inline void finack_set_delack_timeout(struct inet_connection_sock *icsk,
					     unsigned long expires)
{
	icsk->icsk_ack.timeout = expires;
}
#endif

/* The longest that the kernel delays an ACK (tcp_delack_max(), not exported). Since 6.7 this is
 * less than the minimum retransmission timeout of the route or socket, which the kernel assumes of
 * the peer, too.
 */
static inline u32 finack_delack_max(const struct sock *sk)
{
	u32 most = READ_ONCE(inet_csk(sk)->icsk_delack_max);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	most = min_t(u32, most, max_t(u32, tcp_rto_min((struct sock *)sk), 2) - 1);
#endif
	return most;
}

#endif
