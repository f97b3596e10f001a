/* SPDX-License-Identifier: GPL-2.0-only */
/* The record table: one record per passive close. What most closes need is inlined here. */
#ifndef FINACK_TRACK_H
#define FINACK_TRACK_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "share.h"

struct finack_net;
struct net;
struct sock;

/**
 * struct finack_rec - a passive close, from the peer's FIN until our own has left
 * @sk: the socket, never dereferenced through here; NULL while the slot is free, with its lowest
 *	bit set while the slot is claimed and not filled in
 * @fn: its namespace's data, for close.c
 * @fin_ns: when the FIN was accepted (tcp_sock::tcp_clock_cache)
 * @ack_ns: when the segment that covers the FIN left, if that delay is in the histogram; else 0
 * @segs_out: tcp_sock::segs_out when the FIN was accepted, later when ours was queued
 * @data_segs_out: tcp_sock::data_segs_out at the same times
 * @snd_nxt: tcp_sock::snd_nxt when the FIN was accepted
 * @spilled: of the slot, not of the record: how many records with this home lie in a later slot
 * @segs: how many segments the packet that carries our FIN adds to segs_out, computed when the
 *	FIN was queued; 0 once the peer's FIN is ACKed
 * @special: the next five as one word, which stays 0 for most records
 * @outcome: enum finack_mib_id once it is counted, 0 until then
 * @held: what fin_ack=2 did to the ACK: FINACK_HELD_*
 * @away: the record is not in its home slot
 * @unheld: its socket does not hold the namespace, which may be going
 * @learn: what fin_ack=3 decided about the ACK: FINACK_LEARN_*
 * @learned_gen: the lowest bits of finack_net::fins_gen then
 * @waiting: our FIN was queued and did not leave at once
 * @reason: enum finack_mib_id if one was counted
 * @end: enum finack_mib_id once it is counted
 * @cause: the reason, once it is known that an ACK is about to leave; see finack_reason_ack()
 * @data_waits: data before the FIN was waiting for its ACK
 * @ack_due: the timer for that ACK was about to fire when the FIN came, so that
 *	tcp_send_delayed_ack() sends at once; see finack_delack_is_due()
 * @deferred: the ACK of the FIN leaves after the backlog is processed, see finack_ack_deferred()
 * @row: the row of its service, see port.c
 *
 * A record belongs to the holder of the socket's lock. A slot is a cache line of its own.
 */
struct finack_rec {
	struct sock *sk;
	struct finack_net *fn;
	u64 fin_ns;
	u64 ack_ns;
	u32 segs_out;
	u32 data_segs_out;
	u32 snd_nxt;
	atomic_t spilled;
	u32 segs;
	union {
		u32 special;
		struct {
			u8 outcome;
			u8 held;
			u8 away : 1;
			u8 unheld : 1;
			u8 learn : 2;
			u8 learned_gen : 4;
			u8 waiting;
		};
	};
	u8 reason;
	u8 end;
	u8 cause;
	bool data_waits;
	bool ack_due;
	bool deferred;
	u16 row;
} __aligned(64);

static_assert(sizeof(struct finack_rec) == 64);

/* values of finack_rec::held */
enum {
	FINACK_HELD_NOT,
	FINACK_HELD_SHORT,	/* the hold ends sooner than the kernel's own delay */
	FINACK_HELD_BACK,	/* counted as Held */
};

/* values of finack_rec::learn */
enum {
	FINACK_LEARN_NOT,	/* nothing was to be decided yet */
	FINACK_LEARN_LEAVE,	/* the kernel decides */
	FINACK_LEARN_HOLD,	/* the ACK is held */
	FINACK_LEARN_DONE,	/* it was, in vain */
};

/**
 * struct finack_table - the table; does not change after load
 * @slots: the slots
 * @homes: number of slots that can be a home slot; a search can use those behind the last one, too
 * @max: how many records may be in use
 */
struct finack_table {
	struct finack_rec *slots;
	unsigned int homes;
	unsigned int max;
};

extern struct finack_table finack_table;

int finack_track_init(unsigned int max);
void finack_track_exit(void);
struct finack_rec *finack_track_claim_rest(struct sock *sk, struct finack_share *share, bool ours);
struct finack_rec *finack_track_find_away(const struct sock *sk, struct finack_rec *home);
void finack_track_leave(const struct sock *sk);
unsigned int finack_track_count(void);
unsigned int finack_track_slots(void);
unsigned int finack_track_next(unsigned int i);
struct sock *finack_track_get(unsigned int i, const struct net *net, struct finack_rec *copy);

static inline struct finack_rec *finack_track_home(const struct sock *sk)
{
	return finack_table.slots + reciprocal_scale(hash_ptr(sk, 32), finack_table.homes);
}

/* what a slot has as its socket while its record is not filled in */
static inline struct sock *finack_track_claimed(struct sock *sk)
{
	return (void *)((unsigned long)sk | 1);
}

/**
 * finack_track_claim_home() - claim the home slot of a socket
 * @sk: the socket, locked, without a record
 * @home: its home slot
 *
 * The caller then needs a record that its share was granted, or has to call
 * finack_track_claim_rest(). In the end it has to publish the record.
 *
 * Return: true if the slot was free.
 */
static __always_inline bool finack_track_claim_home(struct sock *sk, struct finack_rec *home)
{
	if (unlikely(cmpxchg(&home->sk, NULL, finack_track_claimed(sk))))
		return false;
	home->special = 0;
	return true;
}

/**
 * finack_track_publish() - let a filled-in record be found and read
 * @rec: the record
 * @sk: its socket, locked
 */
static inline void finack_track_publish(struct finack_rec *rec, struct sock *sk)
{
	smp_store_release(&rec->sk, sk); /* pairs with readers: the rest is written before */
}

/**
 * finack_track_find() - the record of a socket
 * @sk: the socket, locked
 *
 * Return: the record, or NULL if there is none.
 */
static __always_inline struct finack_rec *finack_track_find(const struct sock *sk)
{
	struct finack_rec *home = finack_track_home(sk);

	if (likely(READ_ONCE(home->sk) == sk))
		return home;
	return atomic_read(&home->spilled) ? finack_track_find_away(sk, home) : NULL;
}

/**
 * finack_track_free_home() - free a record in its home slot, when the close is over
 * @rec: the record, which may be claimed by another close from here on
 * @share: whose part of the table it was
 */
static __always_inline void finack_track_free_home(struct finack_rec *rec,
						   struct finack_share *share)
{
	finack_share_free(share);
	smp_store_release(&rec->sk, NULL); /* pairs with the next claim: we write nothing later */
}

/**
 * finack_track_free() - free a record when the close is over
 * @sk: the socket, locked
 * @rec: its record, which may be claimed by another close from here on
 * @share: whose part of the table it was
 */
static inline void finack_track_free(const struct sock *sk, struct finack_rec *rec,
				     struct finack_share *share)
{
	if (unlikely(rec->away))
		finack_track_leave(sk);
	finack_track_free_home(rec, share);
}

#endif
