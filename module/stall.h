/* SPDX-License-Identifier: GPL-2.0-only */
/* Stalls: who waited for a delayed ACK, and how long. */
#ifndef FINACK_STALL_H
#define FINACK_STALL_H

#include <linux/percpu.h>
#include <linux/types.h>

#include "mib.h"

/* counters of stalls: how many, and their milliseconds, for each side */
#define FINACK_STALL_COUNTS	(2 * __FINACK_SIDE_MAX)

struct finack_net;
struct seq_file;
struct sk_buff;
struct sock;

/**
 * enum finack_side - whose ACK was late
 * @FINACK_SIDE_LOCAL: ours: the peer waited
 * @FINACK_SIDE_PEER: the peer's: we waited, held back by Nagle
 */
enum finack_side {
	FINACK_SIDE_LOCAL,
	FINACK_SIDE_PEER,
	__FINACK_SIDE_MAX
};

/**
 * struct finack_stalls - one CPU's share of a namespace's stalls
 * @lost: the time that each has cost, by &enum finack_side
 * @ms: the same in milliseconds: the sum of what was added to the rows of services, so that it is
 *	their sum exactly
 * @us: what is left of the times when the milliseconds of services without a row are counted
 */
struct finack_stalls {
	struct finack_hist lost[__FINACK_SIDE_MAX];
	unsigned long ms[__FINACK_SIDE_MAX];
	u16 us[__FINACK_SIDE_MAX];
};

int finack_stalls_init(void);
void finack_stalls_exit(void);
int finack_stalls_begin(struct finack_net *fn);
void finack_stalls_end(struct finack_net *fn);
void finack_stalls_sum(const struct finack_net *fn, unsigned long *sum);
void finack_stalls_show(struct seq_file *seq, const struct finack_net *fn);
void finack_stalls_show_lost(struct seq_file *seq, const struct finack_net *fn);
bool finack_is_answer(const struct sock *sk, bool stamped, u32 echo);
bool finack_timer_sends(const struct sock *sk);
void finack_stall_timer(const struct sock *sk);
void finack_stall_segment(struct sock *sk, const struct sk_buff *skb);

#endif
