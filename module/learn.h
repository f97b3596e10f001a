/* SPDX-License-Identifier: GPL-2.0-only */
/* What the policies learn of a service: quickack=2 and fin_ack=3. */
#ifndef FINACK_LEARN_H
#define FINACK_LEARN_H

#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct finack_net;
struct finack_rec;
struct sock;

/**
 * struct finack_quick - what one CPU has learned of a service for quickack=2
 * @credit: how many more ACKs leave at once
 * @grant: how many the last wasted timer bought; 0 if none was wasted lately
 * @gen: the generation of the row that this belongs to; of another one, all this is forgotten
 * @vain: how many left at once since the peer last answered one
 * @calm: how many ACKs were left to the kernel since then and since a timer was wasted
 * @answered: the peer has answered an ACK since a timer was wasted
 */
struct finack_quick {
	u16 credit;
	u16 grant;
	u16 gen;
	u8 vain;
	u8 calm;
	bool answered;
};

/**
 * struct finack_fins - what was learned of a service for fin_ack=3
 * @lock: guards the rest
 * @gen: as in &struct finack_quick
 * @closes: how many closes were judged, up to WINDOW
 * @asked: how many were to be decided about, modulo 256
 * @late: the last WINDOW of those judged, a bit for each, the newest lowest: our FIN came too late
 * @tokens: how many more ACKs may be held, in TOKEN-ths
 *
 * All CPUs write this line, once or twice for a close, and only with fin_ack=3. The kernel itself
 * takes a lock of the local port when a connection is over (inet_put_port).
 */
struct finack_fins {
	raw_spinlock_t lock;
	u16 gen;
	u8 closes;
	u8 asked;
	u32 tokens;
	u64 late;
} ____cacheline_aligned_in_smp;

int finack_learn_init(void);
void finack_learn_exit(void);
void finack_learn_timer(struct sock *sk);
unsigned int finack_learn_quick(struct finack_net *fn, struct sock *sk);
bool finack_learn_sends_now(unsigned int row, struct sock *sk);
bool finack_learn_holds(struct finack_net *fn, struct finack_rec *rec);
void finack_learn_in_vain(struct finack_rec *rec);
void finack_learn_close(const struct finack_net *fn, struct finack_rec *rec, u64 fin_ns);
void finack_learn_forget(struct finack_net *fn);

#endif
