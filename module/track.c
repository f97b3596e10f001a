// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record table: bounded, keyed by the socket, allocated once at load.
 *
 * A chained hash over one array of records. The array's free records form a lock-free stack, the
 * buckets have a raw spinlock each: the hooks run in softirq and in process context, on
 * PREEMPT_RT too, where a spinlock_t would sleep. Interrupts are off while a bucket is locked,
 * because a hook may interrupt another one on the same CPU. Nothing is allocated after load; a
 * full table is told to the caller, who counts the close without its details.
 *
 * A record belongs to the holder of its socket's lock. Only the end of a namespace takes records
 * away from outside, and by then no hook uses that namespace any more.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "finack.h"

struct bucket {
	raw_spinlock_t lock;
	u32 first; /* index + 1 of a record, 0 for none */
};

static struct finack_rec *recs;
static struct bucket *buckets;
static unsigned int max_recs;
static unsigned int bucket_bits;

/* Records from here on were never used; in use are used_recs of those before. */
static atomic_t fresh;
static atomic_t used_recs;

/* A namespace may have at most so many times the records that are free: then even many greedy ones
 * leave some for the next, and a single one can have seven of eight.
 */
#define SHARE 7

/* Top of the stack of free records: index + 1 below, above it a tag that changes with each pop,
 * so that a record popped and pushed back meanwhile is noticed (the ABA problem).
 */
static atomic64_t free_top;

#define TOP_INDEX(_top)		lower_32_bits(_top)
#define TOP(_tag, _index)	((s64)(_tag) << 32 | (_index))

static struct finack_rec *free_pop(void)
{
	s64 top = atomic64_read(&free_top);
	struct finack_rec *rec;
	unsigned int i;

	do {
		if (!TOP_INDEX(top)) {
			i = atomic_fetch_add_unless(&fresh, 1, max_recs);
			return i < max_recs ? &recs[i] : NULL;
		}
		rec = &recs[TOP_INDEX(top) - 1];
	} while (!atomic64_try_cmpxchg(&free_top, &top,
				       TOP(upper_32_bits(top) + 1, READ_ONCE(rec->next))));
	return rec;
}

static void free_push(struct finack_rec *rec)
{
	s64 top = atomic64_read(&free_top);

	WRITE_ONCE(rec->sk, NULL);
	do
		WRITE_ONCE(rec->next, TOP_INDEX(top));
	while (!atomic64_try_cmpxchg(&free_top, &top,
				     TOP(upper_32_bits(top), rec - recs + 1)));
	atomic_dec(&used_recs);
}

static struct bucket *bucket_of(const struct sock *sk)
{
	return &buckets[hash_ptr(sk, bucket_bits)];
}

/* The link that leads to the record of @sk in @net, or the end of the chain. Bucket locked. The
 * memory of a socket whose record was left behind by a dying namespace may serve another one.
 */
static u32 *find_link(struct bucket *b, const struct sock *sk, const struct net *net)
{
	u32 *link = &b->first;

	while (*link && (recs[*link - 1].sk != sk || recs[*link - 1].net != net))
		link = &recs[*link - 1].next;
	return link;
}

/**
 * finack_track_init() - allocate the table
 * @max: number of records, at least 1
 *
 * Return: 0, or -ENOMEM.
 */
int finack_track_init(unsigned int max)
{
	unsigned int i;

	max_recs = max;
	/* Two for each record: a socket is looked for once more when it is destroyed, in vain, and
	 * three of five such lookups end at an empty bucket even if all records are in use.
	 */
	bucket_bits = ilog2(roundup_pow_of_two(max)) + 1;
	recs = kvcalloc(max, sizeof(*recs), GFP_KERNEL);
	buckets = kvcalloc(1U << bucket_bits, sizeof(*buckets), GFP_KERNEL);
	if (!recs || !buckets) {
		finack_track_exit();
		return -ENOMEM;
	}
	for (i = 0; i < 1U << bucket_bits; i++)
		raw_spin_lock_init(&buckets[i].lock);
	atomic64_set(&free_top, TOP(0, 0));
	atomic_set(&fresh, 0);
	atomic_set(&used_recs, 0);
	return 0;
}

/** finack_track_exit() - free the table; no hook may run any more */
void finack_track_exit(void)
{
	kvfree(buckets);
	kvfree(recs);
	buckets = NULL;
	recs = NULL;
}

/**
 * finack_track_add() - make the record of a socket
 * @sk: the socket, locked, without a record, the peer's FIN just accepted
 * @tracked: the records that its namespace has
 *
 * Return: the record, or NULL if there is none for it.
 */
struct finack_rec *finack_track_add(struct sock *sk, unsigned int tracked)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct bucket *b = bucket_of(sk);
	struct finack_rec *rec;
	unsigned long flags;
	u32 used = atomic_read(&used_recs);

	if (used >= max_recs || tracked >= SHARE * (u64)(max_recs - used))
		return NULL;
	rec = free_pop();
	if (!rec)
		return NULL;
	atomic_inc(&used_recs);
	WRITE_ONCE(rec->net, sock_net(sk));
	rec->fin_ns = tp->tcp_clock_cache;
	rec->ack_ns = 0;
	rec->segs_out = tp->segs_out;
	rec->data_segs_out = tp->data_segs_out;
	rec->snd_nxt = tp->snd_nxt;
	rec->segs = 0;
	rec->outcome = 0;
	rec->reason = 0;
	rec->end = 0;
	rec->cause = 0;
	rec->waiting = false;
	rec->held = FINACK_HELD_NOT;
	rec->data_waits = inet_csk(sk)->icsk_ack.pending & ICSK_ACK_TIMER;
	rec->ack_due = rec->data_waits && finack_delack_is_due(sk);
	rec->deferred = sock_owned_by_user_nocheck(sk) && finack_ack_deferred(sk);
	WRITE_ONCE(rec->sk, sk);
	raw_spin_lock_irqsave(&b->lock, flags);
	WRITE_ONCE(rec->next, b->first);
	WRITE_ONCE(b->first, rec - recs + 1);
	raw_spin_unlock_irqrestore(&b->lock, flags);
	return rec;
}

/**
 * finack_track_find() - the record of a socket
 * @sk: the socket, locked
 *
 * Return: the record, or NULL if there is none.
 */
struct finack_rec *finack_track_find(const struct sock *sk)
{
	struct bucket *b = bucket_of(sk);
	u32 i = READ_ONCE(b->first);
	unsigned long flags;

	/* Only the holder of sk's lock adds or drops sk's record: an empty bucket needs no lock,
	 * nor does one that begins with that record.
	 */
	if (!i)
		return NULL;
	/* The namespace first: what a dying one left behind for sk's address may become a record of
	 * another socket of this one meanwhile; free_push() takes the socket out before that.
	 */
	if (smp_load_acquire(&recs[i - 1].net) == sock_net(sk) && READ_ONCE(recs[i - 1].sk) == sk)
		return &recs[i - 1];
	raw_spin_lock_irqsave(&b->lock, flags);
	i = *find_link(b, sk, sock_net(sk));
	raw_spin_unlock_irqrestore(&b->lock, flags);
	return i ? &recs[i - 1] : NULL;
}

/* Takes the record of @sk in @net out of its bucket, if there is one, and frees it. */
static bool del(const struct sock *sk, const struct net *net)
{
	struct bucket *b = bucket_of(sk);
	unsigned long flags;
	u32 *link, i;

	if (!READ_ONCE(b->first))
		return false;
	raw_spin_lock_irqsave(&b->lock, flags);
	link = find_link(b, sk, net);
	i = *link;
	if (i)
		WRITE_ONCE(*link, recs[i - 1].next);
	raw_spin_unlock_irqrestore(&b->lock, flags);
	if (i)
		free_push(&recs[i - 1]);
	return i;
}

/**
 * finack_track_del() - drop the record of a socket, if it has one
 * @sk: the socket, locked
 *
 * Return: whether it had one.
 */
bool finack_track_del(const struct sock *sk)
{
	return del(sk, sock_net(sk));
}

/**
 * finack_track_purge() - drop what is left of a namespace
 * @net: the namespace; no hook uses it any more
 */
void finack_track_purge(const struct net *net)
{
	unsigned int i;

	for (i = 0; i < finack_track_top(); i++) {
		const struct sock *sk = READ_ONCE(recs[i].sk);

		if (sk && READ_ONCE(recs[i].net) == net)
			del(sk, net);
	}
}

/** finack_track_count() - Return: how many records are in use */
unsigned int finack_track_count(void)
{
	return atomic_read(&used_recs);
}

/** finack_track_top() - Return: the number from which on no record was ever in use */
unsigned int finack_track_top(void)
{
	return atomic_read(&fresh);
}

/**
 * finack_track_get() - look at a record from outside
 * @i: its number, from 0 to below finack_track_top(); a close keeps it to its end
 * @net: the namespace; the caller holds it, so that all its sockets' hooks still run
 * @copy: the record; its owner may be changing it, so its fields need not fit together
 *
 * Return: its socket, held: sock_put() is the caller's; NULL if it is none of that namespace's.
 */
struct sock *finack_track_get(unsigned int i, const struct net *net, struct finack_rec *copy)
{
	struct sock *sk = READ_ONCE(recs[i].sk);
	struct bucket *b;
	unsigned long flags;

	if (!sk || READ_ONCE(recs[i].net) != net)
		return NULL;
	b = bucket_of(sk);
	raw_spin_lock_irqsave(&b->lock, flags);
	/* a socket cannot go before its record does */
	if (*find_link(b, sk, net) == i + 1 && refcount_inc_not_zero(&sk->sk_refcnt))
		*copy = recs[i];
	else
		sk = NULL;
	raw_spin_unlock_irqrestore(&b->lock, flags);
	return sk;
}
