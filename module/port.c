// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of counters, one per service: a port of a namespace, and whether it is the local or the
 * remote one.
 *
 * There is one array of rows for the module, allocated at load, with counters per CPU. Memory grows
 * with the rows, not with rows times namespaces, and no two CPUs write a cache line of a busy port.
 * A row is given to a service that is met for the first time, and taken back when its namespace
 * goes. First come, first served. Each owner of namespaces has a share (share.c).
 *
 * A hash table finds the row of a service. A slot is claimed under a lock and read without: the row
 * is written before the key, and while sockets of a namespace are counted, its slots stay.
 *
 * What is counted in a row is counted in the namespace's own counter first. What belongs to no row
 * ("other") is the difference, so that the sum over all rows is always that counter.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "port.h"
#include "share.h"

/* number of slots that are searched, the home slot included */
#define SEARCH 16

/* slots per row: with so many free ones a search practically never finds all of them taken */
#define SLOTS_PER_ROW 4

/* The counters of so many rows are allocated together: below the 32 KiB that the allocator of
 * per-CPU memory gives at most.
 */
#define BLOCK 64

static_assert(BLOCK * sizeof(struct finack_port_cpu) <= PCPU_MIN_UNIT_SIZE);

struct finack_ports finack_ports __read_mostly;

/* guards what follows, the lists of the namespaces and struct finack_share::ports */
static DEFINE_RAW_SPINLOCK(rows_lock);
static u16 *free_rows;			/* a stack */
static unsigned int free_count;
static unsigned int used_by_host, used_by_others;

static void blocks_free(struct finack_port *rows, unsigned int n)
{
	unsigned int i;

	for (i = 0; rows && i < n; i += BLOCK)
		free_percpu(rows[i].cpu);
}

static int blocks_alloc(struct finack_port *rows, unsigned int n)
{
	struct finack_port_cpu __percpu *block = NULL;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!(i % BLOCK))
			block = __alloc_percpu(min_t(unsigned int, n - i, BLOCK) * sizeof(*block),
					       __alignof__(*block));
		if (!block)
			return -ENOMEM;
		rows[i].cpu = block + i % BLOCK;
	}
	return 0;
}

/**
 * finack_ports_init() - allocate the rows
 * @max: how many, at most U16_MAX
 *
 * Return: 0, or -ENOMEM.
 */
int finack_ports_init(unsigned int max)
{
	unsigned int slots = max_t(unsigned int, SLOTS_PER_ROW * max, SEARCH), row;

	finack_ports.max = max;
	finack_ports.homes = slots - (SEARCH - 1); /* no search goes beyond the array */
	finack_ports.factor = get_random_u64() | 1;
	finack_ports.slots = kvcalloc(slots, sizeof(*finack_ports.slots), GFP_KERNEL);
	finack_ports.rows = kvcalloc(max + 1, sizeof(*finack_ports.rows), GFP_KERNEL);
	finack_ports.fins = kvcalloc(max + 1, sizeof(*finack_ports.fins), GFP_KERNEL);
	free_rows = kvcalloc(max + 1, sizeof(*free_rows), GFP_KERNEL);
	if (!finack_ports.slots || !finack_ports.rows || !finack_ports.fins || !free_rows ||
	    blocks_alloc(finack_ports.rows, max + 1)) {
		finack_ports_exit();
		return -ENOMEM;
	}
	for (row = max; row > 0; row--) {
		free_rows[free_count++] = row;
		raw_spin_lock_init(&finack_ports.fins[row].lock);
	}
	return 0;
}

/** finack_ports_exit() - free them; no hook may run any more and no namespace is left */
void finack_ports_exit(void)
{
	blocks_free(finack_ports.rows, finack_ports.max + 1);
	kvfree(free_rows);
	kvfree(finack_ports.fins);
	kvfree(finack_ports.rows);
	kvfree(finack_ports.slots);
}

/**
 * finack_ports_begin() - a namespace is being made: give it a number
 * @fn: the namespace
 */
void finack_ports_begin(struct finack_net *fn)
{
	static atomic64_t last = ATOMIC64_INIT(0);

	fn->id = (u64)atomic64_inc_return(&last) << 17;
}

static struct finack_port_slot *slot_of(u64 key)
{
	struct finack_port_slot *home = finack_port_home(key);
	int i;

	for (i = 0; i < SEARCH; i++)
		if (smp_load_acquire(&home[i].key) == key) /* pairs with give() */
			return &home[i];
	return NULL;
}

static bool may_have_one(const struct finack_share *share)
{
	return READ_ONCE(free_count) &&
	       finack_share_left(share, finack_ports.max, READ_ONCE(used_by_host),
				 READ_ONCE(used_by_others), READ_ONCE(share->ports)) > 0;
}

static void count_used(struct finack_share *share, int n)
{
	unsigned int *sum = share == &finack_share_host ? &used_by_host : &used_by_others;

	WRITE_ONCE(*sum, *sum + n);
	WRITE_ONCE(share->ports, share->ports + n);
}

/* rows_lock held; @slot is free */
static void give(struct finack_net *fn, u64 key, struct finack_port_slot *slot)
{
	unsigned int row = free_rows[free_count - 1];
	struct finack_admin *admin = fn->admin;
	u16 *last;

	WRITE_ONCE(free_count, free_count - 1);
	count_used(fn->share, 1);
	finack_ports.rows[row].key = key;
	finack_ports.rows[row].next = 0;
	WRITE_ONCE(slot->row, row);
	smp_store_release(&slot->key, key); /* pairs with who looks for it: the row is written */
	last = admin->port_last ? &finack_ports.rows[admin->port_last].next : &admin->port_first;
	smp_store_release(last, row); /* pairs with finack_port_next() */
	admin->port_last = row;
}

/* the first free slot that a search for the service finds, NULL if all are taken */
static struct finack_port_slot *free_slot(u64 key)
{
	struct finack_port_slot *home = finack_port_home(key);
	int i;

	for (i = 0; i < SEARCH; i++)
		if (!READ_ONCE(home[i].key))
			return &home[i];
	return NULL;
}

static noinline void give_one(struct finack_net *fn, u64 key)
{
	struct finack_port_slot *slot;
	unsigned long flags;

	raw_spin_lock_irqsave(&rows_lock, flags);
	slot = free_slot(key);
	if (slot && may_have_one(fn->share) && !slot_of(key))
		give(fn, key, slot);
	raw_spin_unlock_irqrestore(&rows_lock, flags);
}

/**
 * finack_port_find() - the row of a service that is not in its home slot
 * @fn: the namespace
 * @key: the service, from finack_port_key()
 *
 * Return: the number of the row, 0 if there is none left for it.
 */
noinline notrace unsigned int finack_port_find(struct finack_net *fn, u64 key)
{
	struct finack_port_slot *slot = slot_of(key);

	if (!slot && may_have_one(fn->share) && free_slot(key)) {
		give_one(fn, key);
		slot = slot_of(key);
	}
	return slot ? READ_ONCE(slot->row) : 0;
}

/**
 * finack_port_stall() - count a stall
 * @row: the row of its service
 * @side: whose ACK was late
 * @ms: the whole milliseconds that this adds
 */
void finack_port_stall(unsigned int row, enum finack_side side, unsigned long ms)
{
	unsigned int id = FINACK_PORT_STALL + 2 * side;

	finack_port_inc(row, id);
	this_cpu_add(finack_ports.rows[row].cpu->count[id + 1], ms);
}

/* Takes a row back. Nothing counts in it any more. */
static void take_back(struct finack_share *share, unsigned int row)
{
	struct finack_port *port = &finack_ports.rows[row];
	unsigned long flags;
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(port->cpu, cpu), 0, sizeof(*port->cpu));
	finack_fins_reset(&finack_ports.fins[row], 0);
	raw_spin_lock_irqsave(&rows_lock, flags);
	WRITE_ONCE(slot_of(port->key)->key, 0);
	port->key = 0;
	free_rows[free_count] = row;
	WRITE_ONCE(free_count, free_count + 1);
	count_used(share, -1);
	raw_spin_unlock_irqrestore(&rows_lock, flags);
}

/**
 * finack_ports_end() - a namespace is gone: take its rows back
 * @fn: the namespace
 */
void finack_ports_end(struct finack_net *fn)
{
	unsigned int row, next;

	for (row = fn->admin->port_first; row; row = next) {
		next = finack_ports.rows[row].next;
		take_back(fn->share, row);
		cond_resched();
	}
}

/** finack_ports_used() - Return: how many rows are in use */
unsigned int finack_ports_used(void)
{
	return READ_ONCE(used_by_host) + READ_ONCE(used_by_others);
}

/* Sums up a row. Closes that begin are read last, so that none seems to have ended that did not
 * begin. What is taken back meanwhile on another CPU than it was counted on must not show as a
 * negative number. Return: the credit.
 */
static unsigned int sum_up(const struct finack_net *fn, unsigned int row, unsigned long *sum)
{
	const struct finack_port *port = &finack_ports.rows[row];
	unsigned int credit = 0;
	int cpu, id;

	memset(sum, 0, __FINACK_PORT_MAX * sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct finack_port_cpu *one = per_cpu_ptr(port->cpu, cpu);

		for (id = FINACK_PORT_PASSIVE + 1; id < __FINACK_PORT_MAX; id++)
			sum[id] += READ_ONCE(one->count[id]);
		if (READ_ONCE(one->quick.gen) == READ_ONCE(fn->quick_gen))
			credit += READ_ONCE(one->quick.credit);
	}
	smp_rmb(); /* as in mib.c */
	for_each_possible_cpu(cpu)
		sum[FINACK_PORT_PASSIVE] +=
			READ_ONCE(per_cpu_ptr(port->cpu, cpu)->count[FINACK_PORT_PASSIVE]);
	for (id = 0; id < __FINACK_PORT_MAX; id++)
		sum[id] = max_t(long, sum[id], 0);
	return credit;
}

/* the counters of the namespace that have columns, in the order of the counters of a row */
static void sum_up_all(const struct finack_net *fn, unsigned long *sum)
{
	finack_stalls_sum(fn, &sum[FINACK_PORT_STALL]);
	sum[FINACK_PORT_HELD] = finack_mib_count(fn, FINACK_HELD);
	sum[FINACK_PORT_QUICKACK] = finack_mib_count(fn, FINACK_QUICKACK);
	sum[FINACK_PORT_TIMER_ACK] = finack_mib_count(fn, FINACK_TIMER_ACK);
	sum[FINACK_PORT_UNACKED] = finack_mib_count(fn, FINACK_UNACKED);
	sum[FINACK_PORT_SEPARATE] = finack_mib_count(fn, FINACK_SEPARATE);
	sum[FINACK_PORT_MERGED] = finack_mib_count(fn, FINACK_MERGED);
	/* the closes that began are read last: see mib.c */
	sum[FINACK_PORT_ENDED] = -finack_mib_close_wait(fn);
	sum[FINACK_PORT_PASSIVE] = finack_mib_count(fn, FINACK_PASSIVE);
	sum[FINACK_PORT_ENDED] += sum[FINACK_PORT_PASSIVE];
}

static void show_row(struct seq_file *seq, const unsigned long *sum, unsigned int credit)
{
	const unsigned long *stall = &sum[FINACK_PORT_STALL];

	seq_printf(seq, " %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %u %lu %lu\n",
		   sum[FINACK_PORT_PASSIVE], sum[FINACK_PORT_MERGED], sum[FINACK_PORT_SEPARATE],
		   sum[FINACK_PORT_UNACKED],
		   max_t(long, sum[FINACK_PORT_PASSIVE] - sum[FINACK_PORT_ENDED], 0),
		   sum[FINACK_PORT_TIMER_ACK], stall[0], stall[1], stall[2], stall[3], credit,
		   sum[FINACK_PORT_QUICKACK], sum[FINACK_PORT_HELD]);
}

/**
 * finack_ports_show() - write the rows of a namespace, in the order in which they were given
 * @seq: where to
 * @fn: whose
 *
 * The rows are read first and the counters of the namespace later. So what is counted meanwhile is
 * shown in "other".
 */
void finack_ports_show(struct seq_file *seq, const struct finack_net *fn)
{
	unsigned long rows[__FINACK_PORT_MAX] = {}, sum[__FINACK_PORT_MAX];
	unsigned int row, id, credit;
	u64 key;

	seq_puts(seq, "port side passive merged separate unacked close_wait timer_ack ");
	seq_puts(seq, "stalls stall_ms peer_stalls peer_stall_ms credit quick_acks held\n");
	for (row = finack_port_next(&fn->admin->port_first); row;
	     row = finack_port_next(&finack_ports.rows[row].next)) {
		if (seq_has_overflowed(seq))
			return; /* this will be called again, with more room */
		credit = sum_up(fn, row, sum);
		for (id = 0; id < __FINACK_PORT_MAX; id++)
			rows[id] += sum[id];
		key = finack_ports.rows[row].key;
		seq_printf(seq, "%u %s", (u16)(key >> 1), key & 1 ? "remote" : "local");
		show_row(seq, sum, credit);
		cond_resched();
	}
	smp_rmb(); /* the namespace's counters move before those of its rows */
	sum_up_all(fn, sum);
	for (id = 0; id < __FINACK_PORT_MAX; id++)
		sum[id] = max_t(long, sum[id] - rows[id], 0);
	seq_puts(seq, "other -");
	show_row(seq, sum, 0);
}
