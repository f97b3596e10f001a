/* SPDX-License-Identifier: GPL-2.0-only */
/* The knobs of a network namespace. */
#ifndef FINACK_KNOBS_H
#define FINACK_KNOBS_H

#include <linux/types.h>

struct finack_net;
struct net;

/**
 * struct finack_knobs - the knobs of a namespace, as in /proc/sys/net/finack/
 * @detail: what is wanted besides outcomes: FINACK_DETAIL_*
 * @fin_ack: the ACK of the peer's FIN: FINACK_FIN_ACK_*
 * @fin_hold_ms: how long that ACK is held at most
 * @quickack: whether ACKs are delayed: FINACK_QUICKACK_*
 * @delack_min_ms: the shortest delay of a delayed ACK, 0 for the kernel's own
 * @delack_max_ms: the longest, 0 for the kernel's own
 * @ports: the controls apply to connections with one of these ports, local or remote: a bitmap of
 *	65536; NULL for all
 */
struct finack_knobs {
	int detail;
	int fin_ack;
	int fin_hold_ms;
	int quickack;
	int delack_min_ms;
	int delack_max_ms;
	unsigned long __rcu *ports;
};

/* values of detail */
enum {
	FINACK_DETAIL_OFF,
	FINACK_DETAIL_REASONS,
	FINACK_DETAIL_STALLS,
};

/* values of fin_ack */
enum {
	FINACK_FIN_ACK_KERNEL,
	FINACK_FIN_ACK_NOW,
	FINACK_FIN_ACK_HOLD,
	FINACK_FIN_ACK_LEARN,	/* HOLD where it is worth it */
};

/* values of quickack */
enum {
	FINACK_QUICKACK_KERNEL,
	FINACK_QUICKACK_ALWAYS,
	FINACK_QUICKACK_LEARN,	/* where delaying was in vain */
};

extern bool finack_inherit;
/* values of the parameter userns_hooks: what may be armed without CAP_NET_ADMIN in the initial user
 * namespace
 */
enum {
	FINACK_USERNS_NONE,
	FINACK_USERNS_USUAL,	/* all but what costs every connection of the host */
	FINACK_USERNS_ALL,
};

extern unsigned int finack_userns_hooks;

int finack_knobs_init(struct net *net);
void finack_knobs_exit(struct net *net);
unsigned int finack_knob_rows(void);
const char *finack_knob_name(unsigned int row);
int finack_knob_io(struct finack_net *fn, unsigned int row, int write, void *buffer, size_t *lenp,
		   loff_t *ppos);

#endif
