// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies that learn, service by service (port.c), from what the kernel's own decisions led to.
 *
 * quickack=2. A delayed ACK is a bet that data of ours will carry it. The bet is lost where the
 * timer has to send the ACK and nothing came while it waited. Such a wasted timer buys credit:
 * so many of the next ACKs leave at once. The first buys one, each further one twice as many, up to
 * GRANT. If the peer answers such an ACK, it had waited for it: a timer would have been wasted. So
 * an answer buys, too, and at once the most, GRANT_ANSWERED. A connection that did not answer so
 * many of them in a row gets no more, and leaves the credit to others of the service, until a timer
 * is wasted on it. The credit is lost where a peer goes on sending without our ACK. All begins anew
 * when what an answer bought is spent, and after CALM ACKs in a row that were left to the kernel
 * and did not waste a timer.
 *
 * So at most GRANT ACKs leave at once in vain for each wasted timer, and at most GRANT_ANSWERED for
 * each ACK that the peer had waited for. None leaves where no timer was wasted, and none that the
 * kernel delays leaves later than that. (An ACK at once also changes what the kernel decides next,
 * as one of its own would.)
 *
 * Each CPU learns on its own: on a common path nothing is written that others write. The timer may
 * fire on another CPU than the one that takes in the data of the connection: an idle CPU leaves its
 * timers to others. So it buys for the CPU that took in the last data, by a word of "mail".
 *
 * fin_ack=3. The ACK of a FIN is held, as with fin_ack=2, where it will probably leave with our own
 * FIN: of the last WINDOW closes, with this one taken for late, at most an eighth came later than
 * fin_hold_ms. Each close that is judged earns an eighth of a hold, and each hold costs one until
 * it has succeeded. A hold is in vain if the ACK leaves alone after all, whatever the reason. So
 * however many closes wait at once, not more than one in eight was held in vain.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <net/tcp.h>

#include "bounds.h"
#include "learn.h"
#include "net.h"
#include "port.h"
#include "reason.h"
#include "stall.h"
#include "track.h"

/* quickack=2: how many ACKs a wasted timer buys at most, and how many an answer */
#define GRANT		16
#define GRANT_ANSWERED	64
#define CALM		64

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
 * last. Each CPU has its own words; a timer writes into those of the CPU that took in the data.
 * Another connection may take the place.
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
	u64 whose = (unsigned long)sk + ((u64)ntohs(inet_sk(sk)->inet_dport) << 48);

	return (whose * GOLDEN_RATIO_64 & WHOSE) | tcp_sk(sk)->data_segs_out;
}

static u64 *place_of(u64 word, int cpu)
{
	return &per_cpu_ptr(acks, cpu)->word[word >> (64 - PLACES_BITS)];
}

/* The CPU that took in the last data of a connection. SO_INCOMING_CPU can set this to anything. */
static int cpu_of(const struct sock *sk)
{
	unsigned int cpu = READ_ONCE(sk->sk_incoming_cpu);

	return cpu < nr_cpu_ids && cpu_possible(cpu) ? cpu : smp_processor_id();
}

/* how many early ACKs in a row a connection did not answer, in ONE_IN_VAIN */
static u64 in_vain(const struct sock *sk)
{
	u64 word = word_of(sk), seen = READ_ONCE(*place_of(word, smp_processor_id()));

	return (seen ^ word) & WHOSE ? 0 : seen & IN_VAIN;
}

/* @cpu: whose words; @vain: as in_vain() */
static void remember_ack(const struct sock *sk, int cpu, u64 vain)
{
	u64 word = word_of(sk);

	WRITE_ONCE(*place_of(word, cpu), word | vain);
}

/* Whether the data that just came answers an ACK that was remembered. It can do so once: then the
 * word is one of no ACK.
 */
static bool answers_ack(const struct sock *sk)
{
	u64 word = word_of(sk), *place = place_of(word, smp_processor_id());
	const struct tcp_sock *tp = tcp_sk(sk);

	if ((READ_ONCE(*place) & ~IN_VAIN) != word ||
	    !finack_is_answer(sk, tp->rx_opt.saw_tstamp, tp->rx_opt.rcv_tsecr + tp->tsoffset))
		return false;
	WRITE_ONCE(*place, 0);
	return true;
}

static void forget(struct finack_quick *q)
{
	*q = (struct finack_quick){ .gen = q->gen };
}

static void give(struct finack_quick *q, u8 grant)
{
	*q = (struct finack_quick){ .gen = q->gen, .credit = grant, .grant = grant };
}

/* a timer was wasted */
static void buy(struct finack_quick *q)
{
	unsigned int grant = max(q->grant, 1);

	if (q->grant && q->grant < GRANT)
		grant *= 2;
	give(q, grant);
}

/* What this CPU knows of a service, with what others bought for it. Interrupts are off. */
static struct finack_quick *quick_of(const struct finack_net *fn, unsigned int row)
{
	struct finack_port_cpu *cpu = this_cpu_ptr(finack_ports.rows[row].cpu);
	struct finack_quick *q = &cpu->quick;
	u16 gen = READ_ONCE(fn->quick_gen);
	u32 mail;

	if (unlikely(q->gen != gen))
		*q = (struct finack_quick){ .gen = gen };
	if (unlikely(READ_ONCE(cpu->mail))) {
		mail = xchg(&cpu->mail, 0);
		if (mail >> 16 == gen)
			for (mail &= U16_MAX; mail; mail--)
				buy(q);
	}
	return q;
}

/* Buys for another CPU. Its word of mail is the generation (bits 16 to 31) and how many timers. */
static void buy_for(int cpu, const struct finack_net *fn, unsigned int row)
{
	u32 *mail = &per_cpu_ptr(finack_ports.rows[row].cpu, cpu)->mail;
	u16 gen = READ_ONCE(fn->quick_gen);
	u32 old = READ_ONCE(*mail), new;

	do {
		new = old >> 16 == gen ? old + 1 : gen << 16 | 1;
	} while ((u16)new && !try_cmpxchg(mail, &old, new));
}

/* The delay that the timer which fires now had, in ticks, if nothing came meanwhile. */
static u32 delay_of(const struct finack_net *fn, const struct sock *sk)
{
	unsigned long min = finack_delay_min(fn, sk), max = finack_delay_max(fn);
	unsigned long delay = max_t(unsigned long, finack_delack_ticks(sk), min);

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
	int cpu;

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
	cpu = cpu_of(sk);
	local_irq_save(flags);
	remember_ack(sk, cpu, 0);
	if (cpu == smp_processor_id())
		buy(quick_of(fn, row));
	else
		buy_for(cpu, fn, row);
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
		give(q, GRANT_ANSWERED);
		return false;
	}
	if (!q->credit) {
		if (q->grant == GRANT_ANSWERED || ++q->calm >= CALM)
			forget(q);
		return false;
	}
	vain = in_vain(sk);
	if (vain >= GRANT_ANSWERED * ONE_IN_VAIN)
		return false;
	q->credit--;
	remember_ack(sk, smp_processor_id(), vain + ONE_IN_VAIN);
	return true;
}

/**
 * finack_learn_quick() - whether anything was learned of a connection's service for quickack=2
 * @fn: its namespace
 * @sk: its socket, tcp_send_delayed_ack() just entered; preemption is off
 *
 * Return: the number of the service's row if so, else 0.
 */
unsigned int finack_learn_quick(struct finack_net *fn, struct sock *sk)
{
	const struct finack_port_cpu *cpu;
	unsigned int row;

	if (likely(!READ_ONCE(fn->learned)))
		return 0;
	row = finack_port_of(fn, sk);
	cpu = this_cpu_ptr(finack_ports.rows[row].cpu);
	return READ_ONCE(cpu->quick.grant) || READ_ONCE(cpu->mail) ? row : 0;
}

/**
 * finack_learn_sends_now() - whether an ACK that the kernel is about to delay is worth a credit
 * @fn: the namespace
 * @row: from finack_learn_quick()
 * @sk: the socket
 *
 * Return: true if so; one was spent.
 */
bool finack_learn_sends_now(const struct finack_net *fn, unsigned int row, struct sock *sk)
{
	struct finack_quick *q;
	unsigned long flags;
	bool now;

	local_irq_save(flags);
	q = quick_of(fn, row);
	now = q->grant && spend(q, sk);
	local_irq_restore(flags);
	return now;
}

/**
 * finack_learn_holds() - whether the ACK of a FIN is worth a hold
 * @rec: the record of the close, about which nothing has been decided
 *
 * Return: true if so. finack_learn_in_vain() or finack_learn_close() then has to be called.
 */
bool finack_learn_holds(struct finack_rec *rec)
{
	struct finack_fins *f = &finack_ports.fins[rec->row];
	u16 gen = READ_ONCE(rec->fn->fins_gen);
	unsigned long flags;
	bool holds;

	if (!rec->row)
		return false;
	rec->learned_gen = gen;
	raw_spin_lock_irqsave(&f->lock, flags);
	if (f->gen != gen)
		finack_fins_reset(f, gen);
	holds = ++f->asked % LEFT_ALONE && f->closes == WINDOW && f->tokens >= TOKEN &&
		hweight64(f->late & ~BIT_ULL(WINDOW - 1)) <= LATE_MOST;
	if (holds)
		f->tokens -= TOKEN;
	raw_spin_unlock_irqrestore(&f->lock, flags);
	return holds;
}

/* @back: the tokens of a hold that succeeded */
static void judge(const struct finack_rec *rec, bool late, unsigned int back)
{
	struct finack_fins *f = &finack_ports.fins[rec->row];
	u16 gen = READ_ONCE(rec->fn->fins_gen);
	unsigned long flags;

	if (rec->learned_gen != gen % 16)
		return; /* it was decided before all was forgotten */
	raw_spin_lock_irqsave(&f->lock, flags);
	if (f->gen != gen)
		finack_fins_reset(f, gen);
	f->late = f->late << 1 | late;
	f->closes = min(f->closes + 1, WINDOW);
	f->tokens = min(f->tokens + 1 + back, TOKENS_MOST);
	raw_spin_unlock_irqrestore(&f->lock, flags);
}

/**
 * finack_learn_in_vain() - the ACK of a FIN leaves alone, whether or not it was held
 * @rec: the record of the close, NULL for none
 */
void finack_learn_in_vain(struct finack_rec *rec)
{
	if (!rec || rec->learn != FINACK_LEARN_HOLD)
		return;
	rec->learn = FINACK_LEARN_DONE;
	judge(rec, true, 0);
}

/**
 * finack_learn_close() - a close is over about which something was decided
 * @fn: the namespace
 * @rec: its record
 * @fin_ns: when our FIN left, 0 if it did not or the time is not known (where pacing or a closed
 *	window delayed it, say), which counts as late
 */
void finack_learn_close(const struct finack_net *fn, struct finack_rec *rec, u64 fin_ns)
{
	u64 hold = READ_ONCE(fn->knobs.fin_hold_ms) * (u64)NSEC_PER_MSEC;
	bool late = !fin_ns || fin_ns - rec->fin_ns > hold;

	if (rec->row && rec->learn != FINACK_LEARN_DONE)
		judge(rec, late, rec->learn == FINACK_LEARN_HOLD && !late ? TOKEN : 0);
}

/**
 * finack_learn_forget_quick() - forget what quickack=2 has learned in a namespace
 * @fn: the namespace; its knobs are locked
 */
void finack_learn_forget_quick(struct finack_net *fn)
{
	WRITE_ONCE(fn->quick_gen, fn->quick_gen + 1);
	WRITE_ONCE(fn->learned, false); /* what a handler learns just now may be forgotten */
}

/**
 * finack_learn_forget_fins() - forget what fin_ack=3 has learned in a namespace
 * @fn: the namespace; its knobs are locked
 */
void finack_learn_forget_fins(struct finack_net *fn)
{
	WRITE_ONCE(fn->fins_gen, fn->fins_gen + 1);
}
