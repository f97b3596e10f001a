// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record table and its shares, module/track.c and module/share.c themselves, in user space with
 * many threads: for ThreadSanitizer and AddressSanitizer. See run.
 *
 * table [SEED [TIMES [limits|shares|threads]]] is silent and succeeds, or says what was wrong and
 * fails; with VERBOSE=1 it says what it did.
 *
 * If there is only one thread, which plays all CPUs by turns, each claim must end as the rules in
 * share.c say.
 *
 * Owners open sockets, pass them to each other, and claim, fill in, publish, find and free their
 * records as close.c does, with the socket locked. Readers walk the slots as waiting.c does.
 * Memory of sockets is used again at once, often in another namespace, and given back after a grace
 * period.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"
#include "track.h"

#define THREADS SHIM_CPUS
#define READERS 2
#define MAIN_CPU (THREADS - 1)
#define PAGE_SOCKETS 8
#define KEPT 4
#define TICK 64 /* claims */
#define SHARE 7 /* of module/share.c */
#define SEARCH 64 /* of module/track.c */
#define SMALL 4096 /* of module/share.c */
#define GRANT 64 /* of module/share.c */
#define MOST 100000 /* records of the largest table whose slots are all checked */
#define LARGEST 0x1000000u /* records of the smallest table of 2 GiB */

static const struct scenario {
	const char *name;
	unsigned int max;
	int owners; /* threads */
	int load; /* sockets, in percent of max */
	int clash; /* only sockets of so many homes; 0: all */
	int ops; /* of each owner */
	bool host; /* namespaces of the host alone */
} scenarios[] = {
	{ "1, one thread", 1, 1, 300, 0, 5000 },
	{ "2, one thread", 2, 1, 300, 0, 5000, true },
	{ "16, one thread", 16, 1, 150, 0, 10000 },
	{ "64, one thread", 64, 1, 150, 0, 10000 },
	{ "100, one thread", 100, 1, 200, 0, 20000, true },
	{ "5000, one thread", 5000, 1, 200, 0, 60000 },
	{ "5000, of one owner, one thread", 5000, 1, 200, 0, 60000, true },
	{ "1", 1, 4, 400, 0, 40000, true },
	{ "2", 2, 4, 400, 0, 40000, true },
	{ "16", 16, 4, 100, 0, 40000 },
	{ "16, seldom full", 16, 5, 60, 0, 40000, true },
	{ "64", 64, 4, 150, 0, 40000 },
	{ "100", 100, 5, 80, 0, 40000 },
	{ "100, of one owner", 100, 5, 200, 0, 40000, true },
	{ "1000", 1000, 5, 160, 0, 40000 },
	{ "5000", 5000, 5, 200, 0, 20000 },
	{ "9000, of one owner", 9000, 4, 200, 0, 20000, true },
	{ "70, in two homes", 70, 4, 200, 2, 40000, true },
};

/* sockets that lie together */
struct page {
	pthread_mutex_t lock;
	struct sock *sockets; /* NULL: none has been needed yet, or they were given back */
	unsigned int usable;
	unsigned int vacant;
	int last; /* freed */
	u64 epoch; /* in which it was given back */
};

enum owner { HOST, KERNEL, ALICE, BOB, ROOT_1, ROOT_2, OWNERS };

/* a network namespace; a @brief one has a share while it has sockets */
struct space {
	struct net net;
	enum owner owner;
	bool brief;
	pthread_mutex_t lock;
	int users;
	struct finack_share *share;
};

/* one user has several user namespaces, and nested ones, which other ids own */
struct user_namespace init_user_ns;
static struct user_namespace alice_1 = { &init_user_ns, { 1000 } };
static struct user_namespace alice_2 = { &init_user_ns, { 1000 } };
static struct user_namespace alice_deeper = { &alice_2, { 100000 } };
static struct user_namespace bob = { &init_user_ns, { 1001 } };
static struct user_namespace root_1 = { &init_user_ns, { 0 } };
static struct user_namespace root_2 = { &init_user_ns, { 0 } };
static struct user_namespace root_2_deeper = { &root_2, { 1000 } };

#define SPACE(userns, who, is_brief)						\
	{ .net = { &(userns) }, .owner = who, .brief = is_brief,		\
	  .lock = PTHREAD_MUTEX_INITIALIZER }
static struct space spaces[] = {
	SPACE(init_user_ns, HOST, false),
	SPACE(init_user_ns, HOST, true),
	SPACE(alice_1, ALICE, true),
	SPACE(alice_2, ALICE, false),
	SPACE(alice_deeper, ALICE, true),
	SPACE(bob, BOB, true),
	SPACE(root_1, ROOT_1, true),
	SPACE(root_2_deeper, ROOT_2, true),
};

#define SPACES ARRAY_SIZE(spaces)
#define HOST_SPACES 2

unsigned long shim_jiffies = 1000;
u64 shim_salt;
_Thread_local int shim_cpu = MAIN_CPU;
static _Thread_local u64 random_state = 1;
static _Thread_local int allocs_left; /* until one fails; 0: none does */
static int allocated; /* pieces of memory */

static const struct scenario *now;
static u64 seed;
static struct page *pages;
static int n_pages;
static u64 lives; /* sockets so far */
static unsigned int claims;
static bool owners_done;
static bool alone; /* nobody else claims or frees */
static struct sock *passed[16]; /* from one owner to another */
static struct sock **opened; /* that are left to be ended */
static int n_opened;

/* records in use, never too many: they are counted after the claim and uncounted before the end */
static int in_use, in_use_others, in_use_of[OWNERS];

/* when a CPU was last refused a record, in jiffies, as long as the owner has the share */
static unsigned long refused_at[OWNERS][SHIM_CPUS];

/* what happened; @spare: refused although no limit was reached; @crowded: no slot was free;
 * @most: records in use
 */
static struct {
	unsigned long long got, claimed, refused, spare, crowded, away, most;
} did;

#define count(what) __atomic_fetch_add(&did.what, 1, __ATOMIC_RELAXED)

void shim_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	flockfile(stderr);
	fprintf(stderr, "%s:%d, seed %llu%s%s: ", file, line, (unsigned long long)seed,
		now ? ", table of " : "", now ? now->name : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

static u32 draw(u32 end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 20) % end;
}

static void draw_from(int thread)
{
	random_state = (seed * THREADS + thread + 1) * 0x9e3779b97f4a7c15ull;
	draw(2);
}

void shim_pause(int often)
{
	u32 n = draw(4096);

	if (n < 2 * often)
		nanosleep(&(struct timespec){ .tv_nsec = 1 }, NULL);
	else if (n < 64)
		sched_yield();
}

/* memory */

void *shim_alloc(size_t size)
{
	void *p;

	if (allocs_left && !--allocs_left)
		return NULL;
	size = (size + 63) & ~63ul;
	p = aligned_alloc(64, size);
	if (!p)
		abort();
	memset(p, 0, size);
	__atomic_fetch_add(&allocated, 1, __ATOMIC_RELAXED);
	return p;
}

static struct {
	void *p;
	size_t size;
} big; /* there is one at a time */

/* for large areas of which little is touched */
void *vzalloc(size_t size)
{
	if (allocs_left && !--allocs_left)
		return NULL;
	big.size = size;
	big.p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (big.p == MAP_FAILED)
		abort();
	__atomic_fetch_add(&allocated, 1, __ATOMIC_RELAXED);
	return big.p;
}

void shim_free(void *p)
{
	if (!p)
		return;
	__atomic_fetch_sub(&allocated, 1, __ATOMIC_RELAXED);
	if (p != big.p)
		return free(p);
	munmap(big.p, big.size);
	big.p = NULL;
}

/* RCU: an epoch per reader, 0 outside; what was given back in an epoch waits for its readers */

static u64 epoch = 1;
static struct {
	u64 epoch __aligned(64);
} reader_of[THREADS];

void rcu_read_lock(void)
{
	__atomic_store_n(&reader_of[shim_cpu].epoch, __atomic_load_n(&epoch, __ATOMIC_SEQ_CST),
			 __ATOMIC_SEQ_CST);
}

void rcu_read_unlock(void)
{
	__atomic_store_n(&reader_of[shim_cpu].epoch, 0, __ATOMIC_RELEASE);
}

static void synchronize_rcu(void)
{
	u64 before = __atomic_fetch_add(&epoch, 1, __ATOMIC_SEQ_CST);
	int i;

	for (i = 0; i < THREADS; i++)
		for (;;) {
			u64 e = __atomic_load_n(&reader_of[i].epoch, __ATOMIC_SEQ_CST);

			if (!e || e > before)
				break;
			sched_yield();
		}
}

/* sockets */

static void page_give_back(struct sock *sockets)
{
	int i;

	synchronize_rcu();
	for (i = 0; i < PAGE_SOCKETS; i++)
		pthread_mutex_destroy(&sockets[i].lock);
	free(sockets);
}

/* locked */
static void page_fill(struct page *p)
{
	int i;

	p->sockets = calloc(PAGE_SOCKETS, sizeof(*p->sockets));
	if (!p->sockets)
		abort();
	p->usable = 0;
	for (i = 0; i < PAGE_SOCKETS; i++) {
		struct sock *sk = &p->sockets[i];

		pthread_mutex_init(&sk->lock, NULL);
		sk->page = p;
		if (!now->clash || finack_track_home(sk) < finack_table.slots + now->clash)
			p->usable |= 1 << i;
	}
	p->vacant = (1 << PAGE_SOCKETS) - 1;
	p->last = 0;
}

static void pages_init(int sockets)
{
	int i, n;

	n_pages = sockets / PAGE_SOCKETS + 2;
	if (now->clash)
		n_pages = 3 * n_pages * finack_table.homes / now->clash;
	pages = calloc(n_pages, sizeof(*pages));
	if (!pages)
		abort();
	for (i = 0; i < n_pages; i++)
		page_fill(&pages[i]);
	for (n = i = 0; i < n_pages; i++) {
		if (pages[i].usable)
			pages[n++] = pages[i];
		else
			page_give_back(pages[i].sockets);
	}
	n_pages = n;
	for (i = 0; i < n; i++) {
		int j;

		for (j = 0; j < PAGE_SOCKETS; j++)
			pages[i].sockets[j].page = &pages[i];
		pthread_mutex_init(&pages[i].lock, NULL);
	}
}

static void pages_exit(void)
{
	int i;

	for (i = 0; i < n_pages; i++) {
		pthread_mutex_destroy(&pages[i].lock);
		if (!pages[i].sockets)
			continue;
		if (pages[i].vacant != (1 << PAGE_SOCKETS) - 1)
			fail("a socket is still held");
		page_give_back(pages[i].sockets);
	}
	free(pages);
}

/* of a random page; its socket that was freed last comes first */
static struct sock *socket_alloc(void)
{
	struct sock *sk = NULL;

	while (!sk) {
		struct page *p = &pages[draw(n_pages)];
		unsigned int there;

		pthread_mutex_lock(&p->lock);
		if (!p->sockets)
			page_fill(p);
		there = p->vacant & p->usable;
		if (there) {
			int i = there & 1 << p->last ? p->last : __builtin_ctz(there);

			p->vacant &= ~(1 << i);
			sk = &p->sockets[i];
		}
		pthread_mutex_unlock(&p->lock);
	}
	return sk;
}

void sock_put(struct sock *sk)
{
	struct page *p = sk->page;
	struct sock *old = NULL;

	if (!refcount_dec_and_test(&sk->sk_refcnt))
		return;
	if (!sk->life)
		fail("a socket is freed twice");
	if (sk->rec)
		fail("a socket is freed that has a record");
	sk->life = 0;
	pthread_mutex_lock(&p->lock);
	p->last = sk - p->sockets;
	p->vacant |= 1 << p->last;
	if (p->vacant == (1 << PAGE_SOCKETS) - 1 && !now->clash && !draw(3)) {
		old = p->sockets;
		p->sockets = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	if (old)
		page_give_back(old);
}

/* namespaces */

/* whether it has the share that it should have, the host's or one of its own */
static bool fits(const struct space *sp, const struct finack_share *s)
{
	if (sp->owner == HOST)
		return s == &finack_share_host;
	return s != &finack_share_host && s != &finack_share_kernel;
}

static void space_hold(struct space *sp)
{
	pthread_mutex_lock(&sp->lock);
	if (!sp->users++) {
		sp->share = finack_share_get(&sp->net);
		if (!sp->share)
			fail("no share");
		if (!fits(sp, sp->share))
			fail("the share is another's");
		if (alone && sp->owner != HOST && refcount_read(&sp->share->users) == 1)
			memset(refused_at[sp->owner], 0, sizeof(refused_at[0]));
	}
	pthread_mutex_unlock(&sp->lock);
}

static void space_put(struct space *sp)
{
	pthread_mutex_lock(&sp->lock);
	if (!--sp->users)
		finack_share_put(sp->share);
	pthread_mutex_unlock(&sp->lock);
}

static void spaces_init(void)
{
	unsigned int i;

	for (i = 0; i < SPACES; i++)
		if (!spaces[i].brief)
			space_hold(&spaces[i]);
}

static void spaces_exit(void)
{
	unsigned int i;

	for (i = 0; i < SPACES; i++) {
		if (!spaces[i].brief)
			space_put(&spaces[i]);
		if (spaces[i].users)
			fail("a namespace is still held");
	}
}

static struct space *space_of(const struct sock *sk)
{
	return container_of(sock_net(sk), struct space, net);
}

static bool kernels(const struct sock *sk)
{
	return sk->share == &finack_share_kernel;
}

static enum owner owner_of(const struct sock *sk)
{
	return kernels(sk) ? KERNEL : space_of(sk)->owner;
}

/* shares, looked at from outside */

static long used_by(const struct finack_share *s)
{
	long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(s->cpu, cpu)->used);
	return n;
}

/* what CPUs may still claim */
static long granted_to(const struct finack_share *s)
{
	long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(s->cpu, cpu)->granted);
	return n;
}

static long others_used(void)
{
	long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu(finack_others_used, cpu));
	return n;
}

/* NULL: the owner has none now */
static struct finack_share *share_now(enum owner who)
{
	unsigned int i;

	if (who == HOST)
		return &finack_share_host;
	if (who == KERNEL)
		return &finack_share_kernel;
	for (i = 0; i < SPACES; i++)
		if (spaces[i].owner == who && spaces[i].users)
			return spaces[i].share;
	return NULL;
}

/* Checks the sums against what is in use, while nobody claims or frees. Return: how much all may
 * still claim, and in @others how much all but the host may.
 */
static long check_sums(long *others)
{
	long granted = 0, used = 0;
	enum owner who;

	*others = 0;
	for (who = HOST; who < OWNERS; who++) {
		const struct finack_share *s = share_now(who);
		long n = s ? granted_to(s) : 0, of_owner = in_use_of[who] + n;

		if (s && used_by(s) != of_owner)
			fail("owner %d uses %ld, not %ld", who, used_by(s), of_owner);
		granted += n;
		if (who == HOST)
			continue;
		*others += n;
		used += of_owner;
	}
	if (others_used() != used)
		fail("all but the host use %ld, not %ld", others_used(), used);
	if (finack_track_count() != (unsigned int)in_use)
		fail("%u records are counted, not %d", finack_track_count(), in_use);
	return granted;
}

/* what owners do with sockets */

/* How many records may be in use under @limit: exactly that if there is one owner. Of several each
 * can have seen the last free one or, in a large table, have been preempted after it saw many free
 * ones, of which it gets a grant.
 */
static int at_most(int limit)
{
	int grant = now->max > SMALL ? min_t(int, GRANT, now->max / (8 * SHIM_CPUS) + 1) : 1;

	return now->owners > 1 ? limit + now->owners * grant : limit;
}

/* how much of a half one owner other than the host can have: SHARE times what is left */
static int share_of_half(int half)
{
	return (SHARE * half + SHARE) / (SHARE + 1);
}

static void counted(const struct sock *sk)
{
	int half = now->max / 2, n;
	enum owner who = owner_of(sk);

	n = __atomic_add_fetch(&in_use, 1, __ATOMIC_RELAXED);
	if (n > at_most(now->max))
		fail("%d records in use", n);
	if (n > (int)__atomic_load_n(&did.most, __ATOMIC_RELAXED))
		__atomic_store_n(&did.most, n, __ATOMIC_RELAXED);
	n = __atomic_add_fetch(&in_use_of[who], 1, __ATOMIC_RELAXED);
	if (who == HOST)
		return;
	if (n > at_most(share_of_half(half)))
		fail("owner %d has %d records", who, n);
	n = __atomic_add_fetch(&in_use_others, 1, __ATOMIC_RELAXED);
	if (n > at_most(half))
		fail("all but the host have %d records", n);
}

static void uncounted(const struct sock *sk)
{
	enum owner who = owner_of(sk);

	__atomic_fetch_sub(&in_use, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&in_use_of[who], 1, __ATOMIC_RELAXED);
	if (who != HOST)
		__atomic_fetch_sub(&in_use_others, 1, __ATOMIC_RELAXED);
}

/* whether the rules allow one record more while so many are granted and not claimed */
static bool within(enum owner who, long granted, long of_others, long of_owner)
{
	long left = (int)(now->max / 2) - in_use_others - of_others;

	if (in_use + granted >= (int)now->max)
		return false;
	return who == HOST || (left > 0 && in_use_of[who] + of_owner < SHARE * left);
}

/* Whether the limits allow a record for this CPU; nobody else claims. It may use what it was
 * granted; what other CPUs were granted is theirs alone. In a small table records remain granted
 * only if no slot was found for them.
 */
static bool allowed(const struct sock *sk)
{
	long here = this_cpu_read(sk->share->cpu->granted), others, granted = check_sums(&others);
	unsigned long tick = READ_ONCE(shim_jiffies);
	enum owner who = owner_of(sk);
	bool so;

	if (here > 0)
		return true;
	if (now->max <= SMALL && granted > (long)did.crowded)
		fail("%ld records are granted and not claimed", granted);
	so = within(who, granted, others, granted_to(sk->share));
	if (now->max > SMALL && refused_at[who][shim_cpu] == tick)
		so = false;
	if (!so)
		refused_at[who][shim_cpu] = tick;
	if (!so && within(who, 0, 0, 0))
		count(spare);
	return so;
}

static bool has_slot(const struct sock *sk)
{
	const struct finack_rec *home = finack_track_home(sk);
	int i;

	for (i = 0; i < SEARCH; i++)
		if (!READ_ONCE(home[i].sk))
			return true;
	return false;
}

/* a new socket, as accept() or connect() makes it */
static struct sock *sock_open(struct space *sp, bool kernel)
{
	struct sock *sk = socket_alloc();

	pthread_mutex_lock(&sk->lock);
	WRITE_ONCE(sk->sk_net, &sp->net);
	sk->life = __atomic_add_fetch(&lives, 1, __ATOMIC_RELAXED);
	sk->rec = NULL;
	sk->closing = false;
	if (!kernel)
		space_hold(sp);
	sk->share = kernel ? &finack_share_kernel : sp->share;
	refcount_set(&sk->sk_refcnt, 1);
	pthread_mutex_unlock(&sk->lock);
	/* until its record is claimed, a reader may take it for its memory's last socket */
	shim_pause(16);
	return sk;
}

/* checks that its record is where it was put and as it was left, and changes it */
static void look(const struct sock *sk)
{
	struct finack_rec *rec = finack_track_find(sk);

	if (rec != sk->rec)
		fail("found %p instead of %p", (void *)rec, (void *)sk->rec);
	if (!rec)
		return;
	if (READ_ONCE(rec->sk) != sk || rec->fn != (void *)sk->share || rec->fin_ns != sk->life ||
	    rec->segs_out != (u32)sk->life || rec->snd_nxt != ~(u32)sk->life)
		fail("the record is another's");
	rec->ack_ns = rec->fin_ns;
	rec->segs++;
	rec->waiting = !rec->waiting;
	rec->outcome = rec->segs;
}

/* as fin_accepted() of close.c claims a slot */
static struct finack_rec *claim(struct sock *sk)
{
	struct finack_rec *home = finack_track_home(sk);

	if (!finack_track_claim_home(sk, home))
		return finack_track_claim_rest(sk, sk->share, false);
	if (!finack_share_granted(sk->share))
		return finack_track_claim_rest(sk, sk->share, true);
	finack_share_claim(sk->share);
	return home;
}

/* the peer's FIN; as fin_accepted() of close.c */
static bool sock_fin(struct sock *sk)
{
	struct finack_rec *rec;
	bool room, slot;
	long granted;

	if (!(__atomic_fetch_add(&claims, 1, __ATOMIC_RELAXED) % TICK))
		__atomic_fetch_add(&shim_jiffies, 1, __ATOMIC_RELAXED);
	sk->closing = true;
	slot = alone && has_slot(sk);
	room = alone && allowed(sk);
	rec = claim(sk);
	if (alone && (room && slot) != !!rec)
		fail(room ? "a record is refused" : "a record too many");
	granted = this_cpu_read(sk->share->cpu->granted);
	if (granted < 0 || granted > (now->max > SMALL ? GRANT : !rec))
		fail("%ld records are granted", granted);
	if (!rec && granted)
		count(crowded);
	if (!rec) {
		count(refused);
		return false;
	}
	count(claimed);
	if (rec->away)
		count(away);
	if (rec->outcome || rec->held || rec->unheld || rec->waiting)
		fail("the record begins with what another left");
	rec->fn = (void *)sk->share;
	rec->fin_ns = sk->life;
	rec->ack_ns = 0;
	rec->segs_out = (u32)sk->life;
	rec->data_segs_out = 0;
	rec->snd_nxt = ~(u32)sk->life;
	rec->segs = 0;
	rec->reason = 0;
	rec->end = 0;
	rec->cause = 0;
	rec->data_waits = false;
	rec->ack_due = false;
	rec->deferred = false;
	finack_track_publish(rec, sk);
	sk->rec = rec;
	counted(sk);
	return true;
}

/* its end; the last holder frees it */
static void sock_end(struct sock *sk)
{
	struct space *sp = space_of(sk);
	struct finack_rec *rec;
	bool kernel;

	pthread_mutex_lock(&sk->lock);
	kernel = kernels(sk);
	look(sk);
	rec = sk->rec;
	sk->rec = NULL;
	if (rec)
		uncounted(sk);
	if (rec)
		finack_track_free(sk, rec, sk->share);
	if (finack_track_find(sk))
		fail("a record outlives its end");
	if (!kernel)
		space_put(sp);
	pthread_mutex_unlock(&sk->lock);
	sock_put(sk);
}

static struct sock *sock_open_anywhere(void)
{
	struct space *sp = &spaces[draw(now->host ? HOST_SPACES : SPACES)];

	return sock_open(sp, sp->owner != HOST && !draw(8));
}

/* an owner that is alone plays all CPUs, on which different numbers of granted records remain */
static void change_cpu(void)
{
	if (alone && !draw(16))
		shim_cpu = draw(SHIM_CPUS);
}

static int sockets_of_an_owner(void)
{
	return now->max * now->load / 100 / now->owners + 1;
}

static void *owner(void *arg)
{
	int n = sockets_of_an_owner(), i;
	struct sock **mine = calloc(n, sizeof(*mine));

	if (!mine)
		abort();
	shim_cpu = (intptr_t)arg;
	draw_from(shim_cpu);
	for (i = 0; i < now->ops; i++) {
		struct sock **place = &mine[draw(n)], *sk = *place;

		change_cpu();
		if (!sk)
			sk = *place = sock_open_anywhere();
		switch (draw(8)) {
		case 0: /* pass it to whoever comes */
			*place = __atomic_exchange_n(&passed[draw(16)], sk, __ATOMIC_ACQ_REL);
			continue;
		case 1:
		case 2:
			if (!sk->closing && draw(16))
				break;
			sock_end(sk);
			*place = NULL;
			continue;
		}
		pthread_mutex_lock(&sk->lock);
		look(sk);
		if (!sk->closing)
			sock_fin(sk);
		pthread_mutex_unlock(&sk->lock);
	}
	for (i = 0; i < n; i++)
		if (mine[i])
			opened[__atomic_fetch_add(&n_opened, 1, __ATOMIC_RELAXED)] = mine[i];
	free(mine);
	return NULL;
}

/* what readers do with slots */

struct kept {
	struct sock *sk;
	struct net *net;
	u64 life;
};

static void let_go(struct kept *k)
{
	if (!k->sk)
		return;
	if (k->sk->life != k->life || sock_net(k->sk) != k->net)
		fail("a socket did not live while it was held");
	sock_put(k->sk);
	k->sk = NULL;
}

/* what is held must be a socket of the namespace, and the copy its own record */
static void read_slot(unsigned int i, struct kept *k)
{
	struct space *sp = &spaces[draw(now->host ? HOST_SPACES : SPACES)];
	struct finack_rec copy = {};
	struct sock *sk = finack_track_get(i, &sp->net, &copy);

	if (!sk)
		return;
	count(got);
	k->sk = sk;
	k->net = &sp->net;
	k->life = sk->life;
	if (sock_net(sk) != &sp->net)
		fail("a socket of another namespace");
	if (!sk->life || READ_ONCE(sk->sk_refcnt.n) < 1)
		fail("a socket that is free");
	if (copy.sk != sk || copy.fin_ns != sk->life || copy.segs_out != (u32)sk->life ||
	    copy.snd_nxt != ~(u32)sk->life)
		fail("the copy of a record is of another's");
}

static void *reader(void *arg)
{
	struct kept kept[KEPT] = {};
	int at = 0;

	shim_cpu = (intptr_t)arg;
	draw_from(shim_cpu);
	while (!__atomic_load_n(&owners_done, __ATOMIC_RELAXED)) {
		unsigned int i, slots = finack_track_slots();

		/* all, or for large tables a part */
		for (i = draw(slots > 512 ? slots : 1); i < slots; i++) {
			let_go(&kept[at]);
			read_slot(i, &kept[at]);
			if (kept[at].sk)
				at = (at + 1) % KEPT;
			if (__atomic_load_n(&owners_done, __ATOMIC_RELAXED))
				break;
		}
		finack_track_count(); /* as sysfs does */
	}
	for (at = 0; at < KEPT; at++)
		let_go(&kept[at]);
	return NULL;
}

/* checks that nothing is left */
static void check_empty(void)
{
	unsigned int i;
	long others;

	for (i = 0; now->max <= MOST && i < finack_track_slots(); i++) {
		const struct finack_rec *rec = &finack_table.slots[i];

		if (rec->sk)
			fail("slot %u is in use", i);
		if (atomic_read(&rec->spilled))
			fail("slot %u has %d records elsewhere", i, atomic_read(&rec->spilled));
	}
	check_sums(&others);
	if (in_use || in_use_others)
		fail("%d records are in use", in_use);
}

/* Checks that only the shares of the host and the kernel are left, with what they were granted.
 * Counting starts from 0 again, as in a newly loaded module.
 */
static void check_shares_are_gone(void)
{
	int cpu;

	if (others_used() != granted_to(&finack_share_kernel))
		fail("shares that are gone use %ld",
		     others_used() - granted_to(&finack_share_kernel));
	for_each_possible_cpu(cpu)
		per_cpu(finack_others_used, cpu) = 0;
}

static void table_init(int sockets)
{
	int old = allocated;

	draw(2);
	shim_salt = random_state;
	if (finack_track_init(now->max))
		fail("no table");
	if (allocated != old + 3)
		fail("the table has %d pieces of memory", allocated - old);
	memset(&did, 0, sizeof(did));
	memset(refused_at, 0, sizeof(refused_at));
	opened = calloc(sockets, sizeof(*opened));
	if (!opened)
		abort();
	pages_init(sockets);
	spaces_init();
}

static void table_exit(void)
{
	while (n_opened) {
		change_cpu();
		sock_end(opened[--n_opened]);
	}
	free(opened);
	check_empty();
	spaces_exit();
	check_shares_are_gone();
	pages_exit();
	finack_track_exit();
	if (allocated)
		fail("%d pieces of memory are left", allocated);
	alone = false;
}

/* one thread alone: who gets how much */

/* claims until every CPU is refused; Return: how many records it got */
static int take_all(enum owner who)
{
	unsigned int i, refused = 0;
	int n, crowded = 0;

	for (i = n = 0; refused != (1 << SHIM_CPUS) - 1; i = (i + 1) % SPACES) {
		struct space *sp = &spaces[i];
		struct sock *sk;
		bool got;

		if (sp->owner != (who == KERNEL ? BOB : who))
			continue;
		change_cpu();
		if (refused & 1 << shim_cpu)
			continue;
		sk = sock_open(sp, who == KERNEL);
		pthread_mutex_lock(&sk->lock);
		got = sock_fin(sk);
		if (!got && !this_cpu_read(sk->share->cpu->granted))
			refused |= 1 << shim_cpu;
		else if (!got && ++crowded > 1000) /* usually another socket finds a slot */
			fail("no slot is found");
		n += got;
		pthread_mutex_unlock(&sk->lock);
		if (got)
			opened[n_opened++] = sk;
		else
			sock_end(sk);
	}
	return n;
}

/* the host gets what is left, which is at least half */
static void host_takes_rest(void)
{
	long others, granted;

	take_all(HOST);
	granted = check_sums(&others);
	if (granted != others)
		fail("the host was granted %ld", granted - others);
	if (in_use_of[HOST] < (int)(now->max - in_use_others - others))
		fail("the host got %d of %u, all others %d, which may claim %ld", in_use_of[HOST],
		     now->max, in_use_others, others);
	if (in_use_of[HOST] < (int)(now->max - at_most(now->max / 2)))
		fail("the host got %d of %u", in_use_of[HOST], now->max);
}

static void run_limits(unsigned int max)
{
	const struct scenario s = { .name = "one after another", .max = max, .owners = 1 };
	int half = max / 2, n;
	enum owner who;

	now = &s;
	alone = true;
	table_init(max + SHIM_CPUS);
	n = take_all(ALICE);
	if (n != share_of_half(half))
		fail("one owner got %d of %u", n, max);
	for (who = KERNEL; who < OWNERS; who++) {
		n = take_all(who);
		if (who == KERNEL && half > 8 && !n)
			fail("a second owner got nothing");
	}
	host_takes_rest();
	if (in_use != (int)max)
		fail("only %d of %u were to be had", in_use, max);
	table_exit();
	now = NULL;
}

/* a table of 2 GiB and more: the first slots and the last one are there */
static void run_largest(void)
{
	const struct scenario s = { .name = "2 GiB", .max = LARGEST, .owners = 1 };
	struct sock *sk;
	int i;

	now = &s;
	alone = true;
	table_init(256);
	if (finack_track_slots() != 2 * LARGEST ||
	    finack_table.slots[finack_track_slots() - 1].sk)
		fail("%u slots", finack_track_slots());
	for (i = 0; i < 128; i++) {
		sk = sock_open(&spaces[i % SPACES], false);
		opened[n_opened++] = sk;
		pthread_mutex_lock(&sk->lock);
		sock_fin(sk);
		look(sk);
		pthread_mutex_unlock(&sk->lock);
	}
	table_exit();
	now = NULL;
}

/* many threads */

static void run_scenario(const struct scenario *s)
{
	pthread_t threads[THREADS];
	int i, n = s->owners + READERS, sockets;

	now = s;
	alone = s->owners == 1;
	sockets = now->owners * sockets_of_an_owner() * 3 / 2 + 16 + READERS * KEPT;
	table_init(sockets + (now->clash ? 0 : now->max + SHIM_CPUS));
	owners_done = false;
	for (i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, i < s->owners ? owner : reader,
				   (void *)(intptr_t)i))
			abort();
	for (i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		if (i == s->owners - 1)
			__atomic_store_n(&owners_done, true, __ATOMIC_RELAXED);
	}
	for (i = 0; i < 16; i++) {
		if (passed[i])
			opened[n_opened++] = passed[i];
		passed[i] = NULL;
	}
	/* what the threads left must be as if one had done it all */
	alone = true;
	shim_jiffies++;
	memset(refused_at, 0, sizeof(refused_at));
	if (!now->clash)
		host_takes_rest();
	table_exit();
	now = NULL;
	if (!getenv("VERBOSE"))
		return;
	printf("%s: claimed %llu, %llu away, %llu at most; ", s->name, did.claimed, did.away,
	       did.most);
	printf("refused %llu, %llu spare, %llu crowded; got %llu\n", did.refused, did.spare,
	       did.crowded, did.got);
}

/* shares come and go */

static struct {
	pthread_mutex_t lock;
	struct finack_share *share;
	int users;
} shared[OWNERS];

/* while somebody has the share of an owner, all who ask must get the same */
static void shared_hold(enum owner who, struct finack_share *s)
{
	pthread_mutex_lock(&shared[who].lock);
	if (shared[who].users++ && shared[who].share != s)
		fail("an owner has two shares");
	shared[who].share = s;
	pthread_mutex_unlock(&shared[who].lock);
}

static void shared_put(enum owner who)
{
	pthread_mutex_lock(&shared[who].lock);
	shared[who].users--;
	pthread_mutex_unlock(&shared[who].lock);
}

static void *share_user(void *arg)
{
	static const struct finack_share of_owner[OWNERS] = {
		[ALICE] = { .uid = { 1000 } },
		[BOB] = { .uid = { 1001 } },
		[ROOT_1] = { .userns = &root_1 },
		[ROOT_2] = { .userns = &root_2 },
	};
	int i;

	shim_cpu = (intptr_t)arg;
	draw_from(shim_cpu);
	for (i = 0; i < 4000; i++) {
		const struct space *sp = &spaces[draw(SPACES)];
		int failing = draw(8) ? 0 : 1 + draw(2);
		struct finack_share *s;

		allocs_left = failing;
		s = finack_share_get(&sp->net);
		allocs_left = 0;
		if (!s && !failing)
			fail("no share");
		if (!s)
			continue;
		if (!fits(sp, s))
			fail("the share is another's");
		if (sp->owner != HOST && (!uid_eq(s->uid, of_owner[sp->owner].uid) ||
					  s->userns != of_owner[sp->owner].userns))
			fail("the share is another's");
		shared_hold(sp->owner, s);
		if (finack_share_granted(s) || finack_share_ask(s, draw(2) ? 1000 : 10000)) {
			finack_share_claim(s);
			shim_pause(1);
			finack_share_free(s);
		}
		shared_put(sp->owner);
		finack_share_put(s);
	}
	return NULL;
}

static void run_shares(void)
{
	const struct scenario s = { .name = "none, the shares alone", .max = 1 };
	pthread_t threads[THREADS - 1];
	int i, old;

	now = &s;
	if (finack_shares_init())
		fail("no shares");
	old = allocated;
	for (i = 0; i < OWNERS; i++)
		pthread_mutex_init(&shared[i].lock, NULL);
	for (i = 0; i < THREADS - 1; i++)
		if (pthread_create(&threads[i], NULL, share_user, (void *)(intptr_t)i))
			abort();
	for (i = 0; i < THREADS - 1; i++)
		pthread_join(threads[i], NULL);
	if (finack_shares_sum() || used_by(&finack_share_host) != granted_to(&finack_share_host))
		fail("%ld records are counted", finack_shares_sum());
	check_shares_are_gone();
	if (allocated != old)
		fail("%d pieces of memory are left of shares", allocated - old);
	finack_shares_exit();
	now = NULL;
}

/* Without memory there is no table, and nothing is left of it. Runs first, as in a new module. */
static void run_without_memory(void)
{
	int i;

	for (i = 0; i < 6; i++) {
		allocs_left = 1 + i % 3;
		if (finack_track_init(i < 3 ? 16 : LARGEST) != -ENOMEM)
			fail("a table without memory");
		if (allocated)
			fail("%d pieces of memory are left", allocated);
	}
}

static void run_all(const char *part)
{
	static const unsigned int max[] = { 1, 2, 3, 16, 64, 100, 1000, SMALL, SMALL + 1, 9000 };
	bool all = !strcmp(part, "all"), limits = all || !strcmp(part, "limits");
	bool threads = all || !strcmp(part, "threads");
	unsigned int i;

	draw_from(MAIN_CPU);
	if (limits)
		run_largest();
	for (i = 0; limits && i < ARRAY_SIZE(max); i++)
		run_limits(max[i]);
	if (all || !strcmp(part, "shares"))
		run_shares();
	for (i = 0; i < ARRAY_SIZE(scenarios); i++)
		if (scenarios[i].owners == 1 ? limits : threads)
			run_scenario(&scenarios[i]);
}

int main(int argc, char **argv)
{
	int times = argc > 2 ? atoi(argv[2]) : 1;

	seed = argc > 1 ? atoi(argv[1]) : 1;
	run_without_memory();
	for (; times > 0; times--, seed++)
		run_all(argc > 3 ? argv[3] : "all");
	return 0;
}
