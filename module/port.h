/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of services: what is counted per port. */
#ifndef FINACK_PORT_H
#define FINACK_PORT_H

#include <linux/hash.h>
#include <linux/ipv6.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <net/inet_sock.h>

#include "compat.h"
#include "learn.h"
#include "mib.h"
#include "net.h"
#include "stall.h"

struct seq_file;

/**
 * enum finack_port_id - the counters of a row, as those of the same name in &enum finack_mib_id
 * @FINACK_PORT_PASSIVE: as @FINACK_PASSIVE, but only closes that have a record
 * @FINACK_PORT_MERGED: as @FINACK_MERGED
 * @FINACK_PORT_SEPARATE: as @FINACK_SEPARATE
 * @FINACK_PORT_UNACKED: as @FINACK_UNACKED
 * @FINACK_PORT_ENDED: any of FINACK_END_*
 * @FINACK_PORT_TIMER_ACK: as @FINACK_TIMER_ACK
 * @FINACK_PORT_STALL: stalls, as finack_stalls_sum() gives them
 * @FINACK_PORT_QUICKACK: as @FINACK_QUICKACK
 * @FINACK_PORT_HELD: as @FINACK_HELD
 */
enum finack_port_id {
	FINACK_PORT_PASSIVE,
	FINACK_PORT_MERGED,
	FINACK_PORT_SEPARATE,
	FINACK_PORT_UNACKED,
	FINACK_PORT_ENDED,
	FINACK_PORT_TIMER_ACK,
	FINACK_PORT_STALL,
	FINACK_PORT_QUICKACK = FINACK_PORT_STALL + FINACK_STALL_COUNTS,
	FINACK_PORT_HELD,
	__FINACK_PORT_MAX
};

/* an outcome of a close has the same number in both */
static_assert(FINACK_PORT_MERGED == (int)FINACK_MERGED &&
	      FINACK_PORT_SEPARATE == (int)FINACK_SEPARATE &&
	      FINACK_PORT_UNACKED == (int)FINACK_UNACKED);

/**
 * struct finack_port_cpu - one CPU's share of a row
 * @count: by &enum finack_port_id
 * @quick: what quickack=2 has learned
 * @us: what is left of the stalls' times when the milliseconds are counted
 * @mail: the wasted timers that other CPUs saw, see learn.c
 */
struct finack_port_cpu {
	unsigned long count[__FINACK_PORT_MAX];
	struct finack_quick quick;
	u16 us[__FINACK_SIDE_MAX];
	u32 mail;
};

/**
 * struct finack_port - a row: what is known of a service of a namespace
 * @cpu: what is counted
 * @key: the service and its namespace, see finack_port_key(); 0 while the row is free
 * @next: the next row of the same namespace, 0 for none
 *
 * Hooks on every CPU read this. It changes only when a service is first met and when its namespace
 * goes.
 */
struct finack_port {
	struct finack_port_cpu __percpu *cpu;
	u64 key;
	u16 next;
};

/**
 * struct finack_port_slot - a place in the hash table
 * @key: whose it is, 0 for nobody's
 * @row: its row
 */
struct finack_port_slot {
	u64 key;
	unsigned int row;
};

/**
 * struct finack_ports - all rows; of these fields none changes after load
 * @rows: the rows; what belongs to none is counted in the first one, which nobody reads
 * @fins: for each row, what fin_ack=3 has learned
 * @slots: the hash table
 * @homes: number of slots that can be a home slot; a search can use those behind the last one, too
 * @factor: of the hash function, random, so that nobody can aim at the slots of others
 * @max: the number of rows, the first one not counted
 */
struct finack_ports {
	struct finack_port *rows;
	struct finack_fins *fins;
	struct finack_port_slot *slots;
	unsigned int homes;
	u64 factor;
	unsigned int max;
};

extern struct finack_ports finack_ports;

int finack_ports_init(unsigned int max);
void finack_ports_exit(void);
void finack_ports_begin(struct finack_net *fn);
void finack_ports_end(struct finack_net *fn);
unsigned int finack_ports_used(void);
void finack_ports_show(struct seq_file *seq, const struct finack_net *fn);
void finack_port_stall(unsigned int row, enum finack_side side, unsigned long ms);
unsigned int finack_port_find(struct finack_net *fn, u64 key);

/* Whether a connection was accepted by a listener. Then the kernel has noted the interface from
 * which it came (tcp_v4_syn_recv_sock, tcp_v6_syn_recv_sock).
 */
static inline bool finack_was_accepted(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return READ_ONCE(inet6_sk(sk)->mcast_oif);
#endif
	return READ_ONCE(inet_sk(sk)->mc_index);
}

/* Whether the service of a connection is the remote port.
 *
 * Where connect() has chosen the local port, it is. It chooses from ip_local_port_range, as do
 * clients that bind port 0. What was accepted is local there, too: else its peer could have as many
 * rows as it has ports.
 */
static inline bool finack_port_is_remote(const struct sock *sk)
{
	unsigned int local = inet_sk(sk)->inet_num, low, high;

	finack_local_port_range(sock_net(sk), &low, &high);
	return unlikely(local >= low && local <= high) && !finack_was_accepted(sk);
}

/* A service as one word: 47 bits of the namespace's number, its port, whether that is remote. */
static inline u64 finack_port_key(const struct finack_net *fn, const struct sock *sk)
{
	if (unlikely(finack_port_is_remote(sk)))
		return fn->id | ntohs(inet_sk(sk)->inet_dport) << 1 | 1;
	return fn->id | (u32)inet_sk(sk)->inet_num << 1;
}

/* the row that follows in the list of a namespace, 0 for none */
static inline unsigned int finack_port_next(const u16 *where)
{
	return smp_load_acquire(where); /* pairs with give() */
}

static inline struct finack_port_slot *finack_port_home(u64 key)
{
	return finack_ports.slots + reciprocal_scale((key * finack_ports.factor) >> 32,
						     finack_ports.homes);
}

/**
 * finack_port_of() - the row of a connection's service
 * @fn: its namespace
 * @sk: its socket, locked
 *
 * If the service has no row yet, it is given one.
 *
 * Return: the number of the row, 0 if there is none left for it.
 */
static __always_inline unsigned int finack_port_of(struct finack_net *fn, const struct sock *sk)
{
	u64 key = finack_port_key(fn, sk);
	const struct finack_port_slot *home = finack_port_home(key);

	if (likely(smp_load_acquire(&home->key) == key)) /* pairs with give() */
		return READ_ONCE(home->row);
	return finack_port_find(fn, key);
}

static __always_inline void finack_port_inc(unsigned int row, enum finack_port_id id)
{
	this_cpu_inc(finack_ports.rows[row].cpu->count[id]);
}

static inline void finack_port_dec(unsigned int row, enum finack_port_id id)
{
	this_cpu_dec(finack_ports.rows[row].cpu->count[id]);
}

#endif
