// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record table and its shares, module/track.c and module/share.c themselves, in user space with
 * many threads: for ThreadSanitizer and AddressSanitizer. See run.
 *
 * table [SEED [TIMES [limits|shares|threads]]] is silent and succeeds, or says what was wrong and
 * fails; VERBOSE=1 has it say what it did.
 *
 * Owners open sockets, move them to each other, and claim, fill in, publish, find and free their
 * records as close.c does, with the socket locked. Readers walk the slots as waiting.c does.
 * Memory of sockets is used again at once, often in another namespace, and given back after a grace
 * period.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
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
#define EXACT (1024 * SHIM_CPUS) /* the largest table that looks at its limits for every record */

static const struct scenario {
	const char *name;
	unsigned int max;
	int owners;
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
	{ "1", 1, 4, 400, 0, 40000, true },
	{ "2", 2, 4, 400, 0, 40000, true },
	{ "16", 16, 4, 100, 0, 40000 },
	{ "64", 64, 4, 150, 0, 40000 },
	{ "100", 100, 5, 80, 0, 40000 },
	{ "100, of one owner", 100, 5, 200, 0, 40000, true },
	{ "70, in two homes", 70, 4, 200, 2, 40000, true },
	{ "1000", 1000, 5, 160, 0, 40000 },
	{ "9000, looked at once a tick", 9000, 4, 200, 0, 40000, true },
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

/* one user has several user namespaces, and deeper ones, whose owners are others' ids */
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
_Thread_local int shim_cpu = MAIN_CPU;
static _Thread_local u64 random_state = 1;
static _Thread_local int allocs_left; /* until one fails; 0: none does */
static _Thread_local u64 lives_at_lock; /* sockets that were when this thread became a reader */
static int allocated; /* pieces of memory */

static const struct scenario *now;
static u64 seed;
static struct page *pages;
static int n_pages;
static u64 lives; /* sockets so far */
static unsigned int claims;
static bool owners_done;
static struct sock *passed[16]; /* from one owner to another */

/* records in use; never more than there are, as they are counted late and uncounted early */
static int in_use, in_use_others, in_use_of[OWNERS];

/* what happened; @reborn, @mixed: see read_slot() */
static struct {
	unsigned long long got, reborn, mixed, claimed, refused, away;
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

void shim_free(void *p)
{
	if (p)
		__atomic_fetch_sub(&allocated, 1, __ATOMIC_RELAXED);
	free(p);
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
	lives_at_lock = __atomic_load_n(&lives, __ATOMIC_ACQUIRE);
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

/* the last that was freed of some page comes first */
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

/* what owners do with sockets */

/* as much as may be in use: exactly with one owner; each can have seen the last free one */
static int at_most(int limit)
{
	int more = now->owners > 1 ? now->owners : 0;

	if (now->max > EXACT)
		more += TICK + now->owners;
	return limit + more;
}

/* what one other owner can have of a half: SHARE times what is left, see finack_share_has_room() */
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

/* whether there is a record to be had, where nobody else takes any meanwhile */
static bool to_be_had(const struct sock *sk)
{
	const struct finack_rec *home = finack_track_home(sk);
	enum owner who = owner_of(sk);
	int left = (int)(now->max / 2) - in_use_others, i;

	if (in_use >= (int)now->max)
		return false;
	if (who != HOST && (left <= 0 || in_use_of[who] >= SHARE * left))
		return false;
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
	return sk;
}

/* its record, which has to be where it was put and as it was left */
static void look(const struct sock *sk)
{
	struct finack_rec *rec = finack_track_find(sk);

	if (rec != sk->rec)
		fail("found %p instead of %p", (void *)rec, (void *)sk->rec);
	if (!rec)
		return;
	if (READ_ONCE(rec->sk) != sk || rec->share != sk->share || rec->fin_ns != sk->life ||
	    rec->segs_out != (u32)sk->life || rec->snd_nxt != ~(u32)sk->life)
		fail("the record is another's");
	rec->ack_ns = rec->fin_ns;
	rec->segs++;
	rec->waiting = !rec->waiting;
}

/* the peer's FIN; as fin_accepted() of close.c */
static bool sock_fin(struct sock *sk)
{
	bool room = now->owners == 1 && to_be_had(sk);
	struct finack_rec *rec;

	if (!(__atomic_fetch_add(&claims, 1, __ATOMIC_RELAXED) % TICK))
		__atomic_fetch_add(&shim_jiffies, 1, __ATOMIC_RELAXED);
	sk->closing = true;
	rec = finack_track_claim(sk, sk->share);
	if (now->owners == 1 && room != !!rec)
		fail(room ? "a record is refused" : "a record too many");
	if (!rec) {
		count(refused);
		return false;
	}
	count(claimed);
	if (rec->away)
		count(away);
	rec->fin_ns = sk->life;
	rec->ack_ns = 0;
	rec->segs_out = (u32)sk->life;
	rec->data_segs_out = 0;
	rec->snd_nxt = ~(u32)sk->life;
	rec->segs = 0;
	rec->outcome = 0;
	rec->reason = 0;
	rec->end = 0;
	rec->cause = 0;
	rec->held = 0;
	rec->waiting = false;
	rec->data_waits = false;
	rec->ack_due = false;
	rec->deferred = false;
	finack_track_publish(rec, sk);
	sk->rec = rec;
	counted(sk);
	return true;
}

/* its end; the last who holds it frees it */
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
	if (rec && draw(4))
		finack_track_free(sk, rec);
	else
		finack_track_drop(sk);
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

		if (!sk)
			sk = *place = sock_open_anywhere();
		switch (draw(8)) {
		case 0: /* to whoever comes */
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
			sock_end(mine[i]);
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

/* What is held is a socket of the namespace, and the copy its own record. Only where its memory
 * became another socket's between the look at the slot and the reference (it is reborn) can the
 * copy be mixed of what the slot had meanwhile.
 */
static void read_slot(unsigned int i, struct kept *k)
{
	struct space *sp = &spaces[draw(now->host ? HOST_SPACES : SPACES)];
	struct finack_rec copy = {};
	struct sock *sk = finack_track_get(i, &sp->net, &copy);
	bool is_its;

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
	is_its = copy.sk == sk && copy.fin_ns == sk->life && copy.segs_out == (u32)sk->life &&
		 copy.snd_nxt == ~(u32)sk->life;
	if (sk->life > lives_at_lock) {
		count(reborn);
		if (!is_its)
			count(mixed);
	} else if (!is_its) {
		fail("the copy of a record is of another's");
	}
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

/* nothing is left */
static void check_empty(void)
{
	unsigned int i;

	for (i = 0; i < finack_track_slots(); i++) {
		const struct finack_rec *rec = &finack_table.slots[i];

		if (rec->sk)
			fail("slot %u is in use", i);
		if (atomic_read(&rec->spilled))
			fail("slot %u has %d records elsewhere", i, atomic_read(&rec->spilled));
	}
	if (finack_track_count() || in_use || in_use_others)
		fail("%u records are in use", finack_track_count());
}

static void table_init(int sockets)
{
	int old = allocated;

	if (finack_track_init(now->max))
		fail("no table");
	if (allocated != old + 3)
		fail("the table has %d pieces of memory", allocated - old);
	pages_init(sockets);
	spaces_init();
}

static void table_exit(void)
{
	check_empty();
	spaces_exit();
	pages_exit();
	finack_track_exit();
	if (allocated)
		fail("%d pieces of memory are left", allocated);
}

static void run_scenario(const struct scenario *s)
{
	pthread_t threads[THREADS];
	int i, n = s->owners + READERS;

	now = s;
	memset(&did, 0, sizeof(did));
	table_init(now->owners * sockets_of_an_owner() * 3 / 2 + 16 + READERS * KEPT);
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
			sock_end(passed[i]);
		passed[i] = NULL;
	}
	table_exit();
	now = NULL;
	if (!getenv("VERBOSE"))
		return;
	printf("%s: claimed %llu, away %llu, refused %llu; got %llu, reborn %llu, mixed %llu\n",
	       s->name, did.claimed, did.away, did.refused, did.got, did.reborn, did.mixed);
}

/* one thread alone: who gets how much */

static struct sock **opened;
static int n_opened;

/* until no more is to be had; Return: how many records these are */
static int take_all(enum owner who)
{
	unsigned int i;
	int n;

	for (i = n = 0;; i = (i + 1) % SPACES) {
		struct space *sp = &spaces[i];
		struct sock *sk;
		bool got;

		if (sp->owner != (who == KERNEL ? BOB : who))
			continue;
		sk = sock_open(sp, who == KERNEL);
		opened[n_opened++] = sk;
		pthread_mutex_lock(&sk->lock);
		got = sock_fin(sk);
		pthread_mutex_unlock(&sk->lock);
		if (!got)
			return n;
		n++;
	}
}

static void run_limits(unsigned int max)
{
	const struct scenario s = { .name = "one after another", .max = max, .owners = 1 };
	int size = max + OWNERS + 2, half = max / 2, n;
	enum owner who;

	now = &s;
	table_init(size);
	opened = calloc(size, sizeof(*opened));
	if (!opened)
		abort();
	n = take_all(ALICE);
	if (n != share_of_half(half))
		fail("one owner got %d of %u", n, max);
	for (who = KERNEL; who < OWNERS; who++) {
		n = take_all(who);
		if (who == KERNEL && half > 8 && !n)
			fail("a second owner got nothing");
	}
	n = take_all(HOST);
	if (n != (int)max - in_use_others || n < (int)max - half)
		fail("the host got %d of %u, all others %d", n, max, in_use_others);
	while (n_opened)
		sock_end(opened[--n_opened]);
	free(opened);
	table_exit();
	now = NULL;
}

/* shares come and go */

static struct {
	pthread_mutex_t lock;
	struct finack_share *share;
	int users;
} shared[OWNERS];

/* while somebody has the share of an owner, all who ask get that */
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
		if (finack_share_has_room(s, 1000)) {
			finack_share_inc(s);
			shim_pause(1);
			finack_share_dec(s);
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
	if (finack_share_sum())
		fail("%ld records are counted", finack_share_sum());
	if (allocated != old)
		fail("%d pieces of memory are left of shares", allocated - old);
	finack_shares_exit();
	now = NULL;
}

/* Without memory there is no table, and nothing is left of it. Comes first, as in a new module. */
static void run_without_memory(void)
{
	int i;

	for (i = 1; i <= 3; i++) {
		allocs_left = i;
		if (finack_track_init(16) != -ENOMEM)
			fail("a table without memory");
		if (allocated)
			fail("%d pieces of memory are left", allocated);
	}
}

static void run_all(const char *part)
{
	static const unsigned int max[] = { 1, 2, 16, 64, 100, 1000 };
	bool all = !strcmp(part, "all");
	unsigned int i;

	draw_from(MAIN_CPU);
	if (all || !strcmp(part, "limits"))
		for (i = 0; i < ARRAY_SIZE(max); i++)
			run_limits(max[i]);
	if (all || !strcmp(part, "shares"))
		run_shares();
	if (all || !strcmp(part, "threads"))
		for (i = 0; i < ARRAY_SIZE(scenarios); i++)
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
