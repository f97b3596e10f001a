// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record table: bounded, keyed by the socket, allocated once at load.
 *
 * The table is an array of slots of one cache line each, twice as many as there may be records. A
 * socket's address gives its home slot. If that is taken, the record lies in one of the slots
 * behind it (SEARCH in all), and the home slot counts it. At half load one of 20 million sockets
 * finds all of them taken.
 *
 * A slot is claimed by a cmpxchg() that stores its socket with a mark, then filled in, then
 * published by a store-release of the socket. It is freed by a store-release of NULL. There is no
 * list and no lock, and nothing is allocated after load. If the table is full, the caller is told,
 * and counts the close without its details.
 *
 * A record belongs to the holder of its socket's lock. A socket leaves CLOSE_WAIT and LAST_ACK
 * before it is freed, which ends its record. So a reader that sees a socket in a slot, under RCU,
 * may look at its reference count: the memory of TCP's sockets remains that of sockets until a
 * grace period is over (SLAB_TYPESAFE_BY_RCU). No reader may be left when the hooks are detached,
 * see main.c.
 */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>
#include <net/sock.h>

#include "track.h"

/* number of slots that are searched, the home slot included */
#define SEARCH 64

struct finack_table finack_table __read_mostly;

/* kvcalloc() refuses 2 GiB and more, with a warning in the log */
static struct finack_rec *slots_alloc(size_t slots)
{
	if (slots > INT_MAX / sizeof(struct finack_rec))
		return vzalloc(slots * sizeof(struct finack_rec));
	return kvcalloc(slots, sizeof(struct finack_rec), GFP_KERNEL);
}

/**
 * finack_track_init() - allocate the table
 * @max: number of records, at least 1
 *
 * Return: 0, or -ENOMEM.
 */
int finack_track_init(unsigned int max)
{
	unsigned int slots = max_t(unsigned int, 2 * max, SEARCH);
	int err = finack_shares_init();

	if (err)
		return err;
	finack_table.max = max;
	finack_table.homes = slots - (SEARCH - 1); /* no search goes beyond the array */
	finack_table.slots = slots_alloc(slots);
	if (finack_table.slots)
		return 0;
	finack_shares_exit();
	return -ENOMEM;
}

/** finack_track_exit() - free the table; no hook may run any more */
void finack_track_exit(void)
{
	kvfree(finack_table.slots);
	finack_shares_exit();
}

static struct finack_rec *claim_away(struct sock *sk, struct finack_rec *home)
{
	int i;

	for (i = 1; i < SEARCH; i++) {
		struct finack_rec *rec = &home[i];

		if (READ_ONCE(rec->sk) || cmpxchg(&rec->sk, NULL, finack_track_claimed(sk)))
			continue;
		atomic_inc(&home->spilled);
		rec->special = 0;
		rec->away = true;
		return rec;
	}
	return NULL;
}

/**
 * finack_track_claim_rest() - claim a slot, the home slot or another one
 * @sk: the socket, locked, without a record
 * @share: whose part of the table it will be
 * @ours: the caller has already claimed the home slot
 *
 * Return: the record, which the caller has to fill in and publish; NULL if there is none, and then
 * nothing is claimed.
 */
struct finack_rec *finack_track_claim_rest(struct sock *sk, struct finack_share *share, bool ours)
{
	struct finack_rec *home = finack_track_home(sk), *rec = home;

	if (!finack_share_granted(share) && !finack_share_ask(share, finack_table.max)) {
		if (ours)
			smp_store_release(&home->sk, NULL); /* as when it is freed */
		return NULL;
	}
	if (!ours && !finack_track_claim_home(sk, home))
		rec = claim_away(sk, home);
	if (!rec)
		return NULL;
	finack_share_claim(share);
	return rec;
}

/**
 * finack_track_find_away() - the record of a socket that is not in its home slot
 * @sk: the socket, locked
 * @home: its home slot
 *
 * Return: the record, or NULL if there is none.
 */
struct finack_rec *finack_track_find_away(const struct sock *sk, struct finack_rec *home)
{
	int i;

	for (i = 1; i < SEARCH; i++)
		if (READ_ONCE(home[i].sk) == sk)
			return &home[i];
	return NULL;
}

/**
 * finack_track_leave() - a record that is not in its home slot is about to be freed
 * @sk: its socket, locked
 */
void finack_track_leave(const struct sock *sk)
{
	atomic_dec(&finack_track_home(sk)->spilled);
}

/** finack_track_count() - Return: how many records are in use */
unsigned int finack_track_count(void)
{
	return finack_shares_sum();
}

/** finack_track_slots() - Return: the number of slots */
unsigned int finack_track_slots(void)
{
	return finack_table.homes + SEARCH - 1;
}

/**
 * finack_track_next() - skip free slots
 * @i: where to begin
 *
 * May sleep.
 *
 * Return: the first taken slot from there on, or finack_track_slots().
 */
unsigned int finack_track_next(unsigned int i)
{
	const unsigned int end = finack_track_slots();

	for (; i < end && !READ_ONCE(finack_table.slots[i].sk); i++)
		if (!(i % 1024))
			cond_resched();
	return i;
}

/**
 * finack_track_get() - read a slot without its socket's lock
 * @i: its number, from 0 to below finack_track_slots(); a close keeps it to its end
 * @net: the namespace
 * @copy: the record; its owner may be changing it, so its fields need not fit together
 *
 * Return: its socket, with a reference that the caller has to sock_put(); NULL if the slot has no
 * socket of that namespace.
 */
struct sock *finack_track_get(unsigned int i, const struct net *net, struct finack_rec *copy)
{
	const struct finack_rec *rec = &finack_table.slots[i];
	struct sock *sk;

	rcu_read_lock();
	sk = smp_load_acquire(&rec->sk); /* pairs with finack_track_publish() */
	if (!sk || (unsigned long)sk & 1 || !net_eq(sock_net(sk), net) ||
	    !refcount_inc_not_zero(&sk->sk_refcnt)) {
		rcu_read_unlock();
		return NULL;
	}
	rcu_read_unlock();
	/* The memory may be another socket by now, whose record is elsewhere or not there yet. */
	smp_mb__after_atomic(); /* the reference is taken before the slot is read again */
	if (smp_load_acquire(&rec->sk) != sk) { /* pairs with finack_track_publish() */
		sock_put(sk);
		return NULL;
	}
	/* its owner may be changing it */
	data_race(*copy = *rec);
	smp_rmb(); /* pairs with the releases of rec->sk: what was copied is not newer than this */
	if (READ_ONCE(rec->sk) == sk && net_eq(sock_net(sk), net))
		return sk;
	sock_put(sk); /* by now the slot is another socket's, or the socket another connection's */
	return NULL;
}
