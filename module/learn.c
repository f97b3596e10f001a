// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies that learn, service by service (port.c), from what the kernel's own decisions led to.
 *
 * quickack=2. A delayed ACK is a bet that data of ours will carry it. The bet is lost where the
 * timer has to send the ACK and nothing came while it waited. Such a wasted timer buys credit:
 * so many of the next ACKs leave at once. The first buys one, each further one twice as many, up to
 * GRANT. Where the peer answers such ACKs, it had waited for them: a wasted timer then buys
 * more, up to GRANT_ANSWERED, so that it seldom has to wait. A connection that did not answer GRANT
 * of them in a row gets no more, and leaves the credit to others of the service, until a timer is
 * wasted on it. The credit is lost where a peer goes on sending without our ACK, and after VAIN
 * ACKs in a row that no peer answered. CALM ACKs in a row that were left to the kernel and did not
 * waste a timer: all begins anew.
 *
 * So the ACKs that leave at once are at most GRANT for each wasted timer. Where peers have answered
 * they are more, but no more than VAIN in a row without an answer. None leaves where no timer was
 * wasted, and none later than the kernel would send it. Each CPU learns on its own: nothing is
 * written that others write.
 *
 * fin_ack=3. The ACK of a FIN is held, as with fin_ack=2, where it will probably leave with our own
 * FIN: of the last WINDOW closes, with this one taken for late, at most an eighth came later than
 * fin_hold_ms. Each close that is judged earns an eighth of a hold, and each hold costs one until
 * it has succeeded. So however many closes wait at once, not more than one in eight was held in
 * vain.
 */
#include <linux/bitops.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <net/tcp.h>

#include "learn.h"
#include "net.h"
#include "port.h"
#include "reason.h"
#include "stall.h"
#include "track.h"

/* quickack=2: how many ACKs a wasted timer buys at most */
#define GRANT		16
/* and where the peer has answered one since the last wasted timer, and how fast that grows */
#define GRANT_ANSWERED	32768
#define GROWTH_ANSWERED	8
#define CALM		64
#define VAIN		64

/* fin_ack=3 */
#define WINDOW		64	/* bits of finack_fins::late */
#define LATE_MOST	7	/* of WINDOW - 1: with the next one, an eighth of WINDOW */
#define TOKEN		8	/* what a hold costs; a close earns 1 */
#define TOKENS_MOST	(1024 * TOKEN)
#define LEFT_ALONE	16	/* one close in so many is left to the kernel */

/*
 * A word remembers the last pure ACK that a connection sent early or by the timer: bits 40 to 63
 * tell whose, 32 to 39 how many early ones it has not answered in a row, 0 to 31 how many data
 * segments we had sent by then. If we have sent no more when data comes, that ACK is what we sent
 * last. Each CPU has its own words. Another connection may take the place.
 */
#define PLACES_BITS	10
#define WHOSE		GENMASK_ULL(63, 40)
#define ONE_IN_VAIN	BIT_ULL(32)
#define IN_VAIN		GENMASK_ULL(39, 32)

struct acks {
	u64 word[1 << PLACES_BITS];
};

static struct acks __percpu *acks;

/** finack_learn_init() - make the memory of the last ACKs. Return: 0, or -ENOMEM. */
int finack_learn_init(void)
{
	acks = alloc_percpu(struct acks);
	return acks ? 0 : -ENOMEM;
}

/** finack_learn_exit() - free it; no hook may run any more */
void finack_learn_exit(void)
{
	free_percpu(acks);
}

static u64 word_of(const struct sock *sk)
{
	u64 hash = (u64)(unsigned long)sk * GOLDEN_RATIO_64;

	return (hash & WHOSE) | tcp_sk(sk)->data_segs_out;
}

static u64 *place_of(u64 word)
{
	return &this_cpu_ptr(acks)->word[word >> (64 - PLACES_BITS)];
}

/* how many early ACKs in a row a connection did not answer, in ONE_IN_VAIN */
static u64 in_vain(const struct sock *sk)
{
	u64 word = word_of(sk), seen = *place_of(word);

	return (seen ^ word) & WHOSE ? 0 : seen & IN_VAIN;
}

/* @vain: as in_vain() */
static void remember_ack(const struct sock *sk, u64 vain)
{
	u64 word = word_of(sk);

	*place_of(word) = word | vain;
}

/* Whether the data that just came answers an ACK that was remembered. It can do so once: then the
 * word is one of no ACK.
 */
static bool answers_ack(const struct sock *sk)
{
	u64 word = word_of(sk), *place = place_of(word);
	const struct tcp_sock *tp = tcp_sk(sk);

	if ((*place & ~IN_VAIN) != word ||
	    !finack_is_answer(sk, tp->rx_opt.saw_tstamp, tp->rx_opt.rcv_tsecr + tp->tsoffset))
		return false;
	*place = 0;
	return true;
}

/* What this CPU knows of a service. Interrupts are off, or what is read is a guess. */
static struct finack_quick *quick_of(unsigned int row)
{
	struct finack_quick *q = &this_cpu_ptr(finack_ports.rows[row].cpu)->quick;
	u16 gen = READ_ONCE(finack_ports.rows[row].gen);

	if (unlikely(q->gen != gen))
		*q = (struct finack_quick){ .gen = gen };
	return q;
}

static void forget(struct finack_quick *q)
{
	*q = (struct finack_quick){ .gen = q->gen };
}

static void buy(struct finack_quick *q)
{
	unsigned int grant = 1;

	if (q->grant && q->answered)
		grant = min(q->grant * GROWTH_ANSWERED, GRANT_ANSWERED);
	else if (q->grant)
		grant = min(q->grant * 2, GRANT);
	*q = (struct finack_quick){ .credit = grant, .grant = grant, .gen = q->gen };
}

/* The delay that the timer which fires now had, in ticks, if nothing came meanwhile. */
static u32 delay_of(const struct finack_net *fn, const struct sock *sk)
{
	u32 min = msecs_to_jiffies(READ_ONCE(fn->knobs.delack_min_ms));
	u32 max = msecs_to_jiffies(READ_ONCE(fn->knobs.delack_max_ms));
	u32 delay = max(finack_delack_ticks(sk), min);

	return max ? min(delay, max) : delay;
}

/**
 * finack_learn_timer() - the delayed-ACK timer sends an ACK of data
 * @sk: the socket, tcp_delack_timer_handler() just entered; preemption is off
 */
void finack_learn_timer(struct sock *sk)
{
	struct finack_net *fn = finack_net_of(sk);
	unsigned long flags;
	unsigned int row;

	if (!fn || READ_ONCE(fn->knobs.quickack) != FINACK_QUICKACK_LEARN ||
	    sk->sk_state != TCP_ESTABLISHED || !finack_knobs_apply(fn, sk))
		return;
	/* data that came while the timer ran shows that the peer does not wait */
	if (tcp_jiffies32 - inet_csk(sk)->icsk_ack.lrcvtime + 1 < delay_of(fn, sk))
		return;
	finack_inc(fn, FINACK_WASTED);
	row = finack_port_of(fn, sk);
	if (!row)
		return;
	if (!READ_ONCE(fn->learned))
		WRITE_ONCE(fn->learned, true);
	local_irq_save(flags);
	buy(quick_of(row));
	remember_ack(sk, 0);
	local_irq_restore(flags);
}

/* Decides by what was learned, and learns from what is seen. Interrupts are off. */
static bool spend(struct finack_quick *q, const struct sock *sk)
{
	u64 vain;

	if (inet_csk(sk)->icsk_ack.pending & ICSK_ACK_TIMER) {
		forget(q); /* it sent more while an ACK was delayed */
		return false;
	}
	if (answers_ack(sk)) {
		/* Now it has what it waited for, and it is our turn to answer. */
		q->answered = true;
		q->vain = 0;
		q->calm = 0;
		return false;
	}
	if (!q->credit) {
		if (++q->calm >= CALM)
			forget(q);
		return false;
	}
	if (q->vain >= VAIN) {
		forget(q);
		return false;
	}
	vain = in_vain(sk);
	if (vain >= GRANT * ONE_IN_VAIN)
		return false;
	q->credit--;
	q->vain++;
	remember_ack(sk, vain + ONE_IN_VAIN);
	return true;
}

/**
 * finack_learn_quick() - whether anything was learned of a connection's service for quickack=2
 * @fn: its namespace
 * @sk: its socket, tcp_send_delayed_ack() just entered; preemption is off
 *
 * Usually no timer was wasted, and this is all that quickack=2 does.
 *
 * Return: the number of the service's row if so, else 0.
 */
unsigned int finack_learn_quick(struct finack_net *fn, struct sock *sk)
{
	unsigned int row;

	if (likely(!READ_ONCE(fn->learned)))
		return 0;
	row = finack_port_of(fn, sk);
	return READ_ONCE(this_cpu_ptr(finack_ports.rows[row].cpu)->quick.grant) ? row : 0;
}

/**
 * finack_learn_sends_now() - whether an ACK that the kernel is about to delay is worth a credit
 * @row: from finack_learn_quick()
 * @sk: the socket
 *
 * Return: true if so; one was spent.
 */
bool finack_learn_sends_now(unsigned int row, struct sock *sk)
{
	struct finack_quick *q;
	unsigned long flags;
	bool now;

	local_irq_save(flags);
	q = quick_of(row);
	now = q->grant && spend(q, sk);
	local_irq_restore(flags);
	return now;
}

/* lock held; @gen: of the row */
static void renew(struct finack_fins *f, u16 gen)
{
	if (f->gen == gen)
		return;
	f->gen = gen;
	f->closes = 0;
	f->asked = 0;
	f->tokens = 0;
	f->late = 0;
}

/**
 * finack_learn_holds() - whether the ACK of a FIN is worth a hold
 * @fn: the namespace
 * @rec: the record of the close, about which nothing has been decided
 *
 * Return: true if so. finack_learn_in_vain() or finack_learn_close() then has to be called.
 */
bool finack_learn_holds(struct finack_net *fn, struct finack_rec *rec)
{
	struct finack_fins *f = &finack_ports.fins[rec->row];
	unsigned long flags;
	bool holds;

	if (!rec->row)
		return false;
	raw_spin_lock_irqsave(&f->lock, flags);
	renew(f, READ_ONCE(finack_ports.rows[rec->row].gen));
	holds = ++f->asked % LEFT_ALONE && f->closes == WINDOW && f->tokens >= TOKEN &&
		hweight64(f->late & ~BIT_ULL(WINDOW - 1)) <= LATE_MOST;
	if (holds)
		f->tokens -= TOKEN;
	raw_spin_unlock_irqrestore(&f->lock, flags);
	return holds;
}

/* @back: the tokens of a hold that succeeded */
static void judge(unsigned int row, bool late, unsigned int back)
{
	struct finack_fins *f = &finack_ports.fins[row];
	unsigned long flags;

	raw_spin_lock_irqsave(&f->lock, flags);
	if (f->gen != READ_ONCE(finack_ports.rows[row].gen))
		back = 0; /* taken before all was forgotten */
	renew(f, READ_ONCE(finack_ports.rows[row].gen));
	f->late = f->late << 1 | late;
	f->closes = min(f->closes + 1, WINDOW);
	f->tokens = min(f->tokens + 1 + back, TOKENS_MOST);
	raw_spin_unlock_irqrestore(&f->lock, flags);
}

/**
 * finack_learn_in_vain() - a hold that was thought worth it has run out
 * @rec: the record of the close
 */
void finack_learn_in_vain(struct finack_rec *rec)
{
	if (rec->learn != FINACK_LEARN_HOLD)
		return;
	rec->learn = FINACK_LEARN_DONE;
	judge(rec->row, true, 0);
}

/**
 * finack_learn_close() - a close is over about which something was decided
 * @fn: the namespace
 * @rec: its record
 * @fin_ns: when our FIN left, 0 if it did not or the time is not known
 */
void finack_learn_close(const struct finack_net *fn, struct finack_rec *rec, u64 fin_ns)
{
	u64 hold = READ_ONCE(fn->knobs.fin_hold_ms) * (u64)NSEC_PER_MSEC;
	bool late = !fin_ns || fin_ns - rec->fin_ns > hold;

	if (rec->row && rec->learn != FINACK_LEARN_DONE)
		judge(rec->row, late, rec->learn == FINACK_LEARN_HOLD && !late ? TOKEN : 0);
}

/**
 * finack_learn_forget() - forget what was learned of the services of a namespace
 * @fn: the namespace; its knobs are locked
 */
void finack_learn_forget(struct finack_net *fn)
{
	unsigned int row;

	WRITE_ONCE(fn->learned, false); /* what a handler learns just now may be forgotten */
	for (row = finack_port_next(&fn->admin->port_first); row;
	     row = finack_port_next(&finack_ports.rows[row].next))
		WRITE_ONCE(finack_ports.rows[row].gen, finack_ports.rows[row].gen + 1);
}
