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
 * @credit: how many more ACKs leave at once, if the peer answers none
 * @grant: how many were bought last; 0 if nothing was bought lately
 * @gen: finack_net::quick_gen when this was learned; once that is another, this is forgotten
 * @calm: how many ACKs were left to the kernel since the credit was spent
 */
struct finack_quick {
	u16 gen;
	u8 credit;
	u8 grant;
	u8 calm;
};

/**
 * struct finack_fins - what was learned of a service for fin_ack=3
 * @lock: guards the rest
 * @gen: finack_net::fins_gen, as in &struct finack_quick
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
bool finack_learn_sends_now(const struct finack_net *fn, unsigned int row, struct sock *sk);
bool finack_learn_holds(struct finack_rec *rec);
void finack_learn_in_vain(struct finack_rec *rec);
void finack_learn_close(const struct finack_net *fn, struct finack_rec *rec, u64 fin_ns);
void finack_learn_forget_quick(struct finack_net *fn);
void finack_learn_forget_fins(struct finack_net *fn);

/* forgets; @lock is held, or nobody uses this any more */
static inline void finack_fins_reset(struct finack_fins *f, u16 gen)
{
	f->gen = gen;
	f->closes = 0;
	f->asked = 0;
	f->tokens = 0;
	f->late = 0;
}

#endif
