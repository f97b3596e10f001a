/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel as module/track.c and module/share.c need, for user space: every header
 * that they include is this one, see run.
 *
 * Each operation has the ordering that the kernel promises for it and no more, in terms that
 * ThreadSanitizer understands. Any other access is plain, and ThreadSanitizer reports it if two
 * threads may make it at once. Three operations differ:
 *
 *  - data_race() makes an access that is known to race: ThreadSanitizer ignores its reads. Only
 *    the copy of a record in finack_track_get() uses it.
 *  - refcount_inc_not_zero() has no ordering in the kernel. It is an acquire here, because the test
 *    looks into the socket that it holds. So a second look at a slot that comes too early is not
 *    noticed.
 *  - sock_net() reads what may be written meanwhile where a socket's memory is reused, as the
 *    kernel's own lookups without a lock do. Here the read and the write are relaxed.
 *
 * A thread stands for a CPU. A per-CPU variable is written by its own thread, not atomically.
 *
 * shim_pause() gives another thread the CPU, now and then, where that is likely to find a bug.
 */
#ifndef SHIM_H
#define SHIM_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define u8 uint8_t
#define u16 uint16_t
#define u32 uint32_t
#define u64 uint64_t

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define __alias(of) __attribute__((alias(of)))
#define __aligned(n) __attribute__((aligned(n)))
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define __percpu
#define __read_mostly
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define max(a, b) ({ __auto_type a_ = (a); __auto_type b_ = (b); a_ > b_ ? a_ : b_; })
#define min(a, b) ({ __auto_type a_ = (a); __auto_type b_ = (b); a_ < b_ ? a_ : b_; })
#define max_t(type, a, b) max((type)(a), (type)(b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

/* prints what is wrong and exits */
#define fail(...) shim_fail(__FILE__, __LINE__, __VA_ARGS__)
void shim_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));

void shim_pause(int often);

/* memory order */

#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
/* as the kernel's: the caller says what it pairs with */
#define smp_load_acquire(p) ({						\
	__auto_type v_ = __atomic_load_n(p, __ATOMIC_ACQUIRE);		\
	if (v_)								\
		shim_pause(256);					\
	v_;								\
})
/* as the kernel's: the caller says what it pairs with */
#define smp_store_release(p, v) ({					\
	shim_pause(1);							\
	__atomic_store_n(p, v, __ATOMIC_RELEASE);			\
})
#define smp_mb__after_atomic() do { } while (0)	/* as on x86 */
#define cond_resched() do { } while (0)
/* as the kernel's: the caller says what it pairs with */
#define smp_rmb() ({							\
	shim_pause(512);						\
	__atomic_thread_fence(__ATOMIC_ACQUIRE);			\
})
/* if it fails, it orders nothing */
#define cmpxchg(p, old, new) ({							\
	__typeof__(*(p)) was_ = (old);						\
	shim_pause(1);								\
	__atomic_compare_exchange_n(p, &was_, new, false, __ATOMIC_SEQ_CST,	\
				    __ATOMIC_RELAXED);				\
	was_;									\
})

#if __has_feature(thread_sanitizer)
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
/* see above */
#define data_race(x) ({					\
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);	\
	x;						\
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);	\
})
#else
/* see above */
#define data_race(x) ({ x; })
#endif

/* linux/atomic.h, linux/refcount.h */

struct shim_count {
	int n;
};

#define atomic_t struct shim_count
#define refcount_t struct shim_count

static inline int atomic_read(const atomic_t *v)
{
	return READ_ONCE(v->n);
}

static inline void atomic_inc(atomic_t *v)
{
	shim_pause(1);
	__atomic_fetch_add(&v->n, 1, __ATOMIC_RELAXED);
}

static inline void atomic_dec(atomic_t *v)
{
	shim_pause(1);
	__atomic_fetch_sub(&v->n, 1, __ATOMIC_RELAXED);
}

static inline void refcount_set(refcount_t *r, int n)
{
	__atomic_store_n(&r->n, n, __ATOMIC_RELEASE);
}

static inline int refcount_read(const refcount_t *r)
{
	return READ_ONCE(r->n);
}

static inline void refcount_inc(refcount_t *r)
{
	if (__atomic_fetch_add(&r->n, 1, __ATOMIC_RELAXED) <= 0)
		fail("a reference to what is free");
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	int n;

	shim_pause(256);
	n = READ_ONCE(r->n);
	while (n > 0 && !__atomic_compare_exchange_n(&r->n, &n, n + 1, false, __ATOMIC_ACQUIRE,
						     __ATOMIC_RELAXED))
		;
	if (n < 0)
		fail("a count of references is %d", n);
	shim_pause(16);
	return n;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	int n = __atomic_fetch_sub(&r->n, 1, __ATOMIC_RELEASE);

	if (n <= 0)
		fail("more references are given back than were taken");
	if (n > 1)
		return false;
	__atomic_load_n(&r->n, __ATOMIC_ACQUIRE); /* a fence, in the kernel */
	return true;
}

/* linux/spinlock.h */

#define spinlock_t pthread_mutex_t
#define DEFINE_SPINLOCK(name) pthread_mutex_t name = PTHREAD_MUTEX_INITIALIZER
#define spin_lock pthread_mutex_lock
#define spin_unlock pthread_mutex_unlock

/* linux/list.h */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD(name) struct list_head name = { &(name), &(name) }
#define list_for_each_entry(p, head, member)						\
	for ((p) = container_of((head)->next, __typeof__(*(p)), member);		\
	     &(p)->member != (head);							\
	     (p) = container_of((p)->member.next, __typeof__(*(p)), member))

static inline void list_add(struct list_head *new, struct list_head *head)
{
	new->next = head->next;
	new->prev = head;
	head->next->prev = new;
	head->next = new;
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

/* linux/slab.h, linux/mm.h, linux/vmalloc.h */

#define GFP_KERNEL 0
#define GFP_KERNEL_ACCOUNT 0

void *shim_alloc(size_t size);
void *vzalloc(size_t size);
void shim_free(void *p);

static inline void *kzalloc(size_t size, int gfp)
{
	return shim_alloc(size);
}

static inline void *kvcalloc(size_t n, size_t size, int gfp)
{
	if (n > INT_MAX / size)
		fail("too much for the page allocator: %zu times %zu bytes", n, size);
	return shim_alloc(n * size);
}

#define kfree shim_free
#define kvfree shim_free

/* linux/percpu.h: what belongs to the next CPU lies SHIM_UNIT bytes further */

#define SHIM_CPUS 8
#define SHIM_UNIT 64

extern _Thread_local int shim_cpu;

static inline void *shim_of_cpu(const volatile void *p, int cpu)
{
	__asm__("" : "+r"(p)); /* the sum is outside of the object that the compiler sees */
	return (char *)p + cpu * SHIM_UNIT;
}

#define DECLARE_PER_CPU(type, name) extern type name
#define DEFINE_PER_CPU(type, name)							\
	struct {									\
		type v __aligned(SHIM_UNIT);						\
	} name##_of_cpus[SHIM_CPUS];							\
	extern __typeof__(type) name __alias(#name "_of_cpus")
#define alloc_percpu_gfp(type, gfp) ({				\
	static_assert(sizeof(type) <= SHIM_UNIT, "");		\
	(void)(gfp);						\
	(type *)shim_alloc(SHIM_CPUS * SHIM_UNIT);		\
})
#define free_percpu shim_free
#define num_online_cpus() SHIM_CPUS
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < SHIM_CPUS; (cpu)++)
#define per_cpu_ptr(p, cpu) ((__typeof__(p))shim_of_cpu(p, cpu))
#define per_cpu(name, cpu) (*per_cpu_ptr(&(name), cpu))
#define this_cpu_read(x) READ_ONCE(per_cpu(x, shim_cpu))
#define this_cpu_write(x, v) WRITE_ONCE(per_cpu(x, shim_cpu), v)
#define this_cpu_add(x, n) ({				\
	shim_pause(1);					\
	this_cpu_write(x, this_cpu_read(x) + (n));	\
})
#define this_cpu_sub(x, n) this_cpu_add(x, -(n))
#define this_cpu_dec(x) this_cpu_add(x, -1)

/* linux/jiffies.h, linux/hash.h, linux/kernel.h */

extern unsigned long shim_jiffies;
#define jiffies READ_ONCE(shim_jiffies)

extern u64 shim_salt;

/* Not the kernel's hash: each table has its own. Otherwise memory that was kept because its sockets
 * share a home in one table would be used again in the next, where they would share one, too.
 */
static inline u32 hash_ptr(const void *p, unsigned int bits)
{
	u64 n = ((uintptr_t)p ^ shim_salt) * 0x9e3779b97f4a7c15ull;

	n = (n ^ n >> 32) * 0xff51afd7ed558ccdull;
	return (n ^ n >> 32) << 32 >> (64 - bits);
}

static inline u32 reciprocal_scale(u32 value, u32 end)
{
	return (u64)value * end >> 32;
}

/* linux/uidgid.h, linux/user_namespace.h, net/net_namespace.h */

#define kuid_t struct shim_uid
struct shim_uid {
	unsigned int val;
};

#define GLOBAL_ROOT_UID ((kuid_t){ 0 })

static inline bool uid_eq(kuid_t a, kuid_t b)
{
	return a.val == b.val;
}

struct user_namespace {
	struct user_namespace *parent;
	kuid_t owner;
};

extern struct user_namespace init_user_ns;

struct net {
	struct user_namespace *user_ns;
};

static inline bool net_eq(const struct net *a, const struct net *b)
{
	return a == b;
}

/* linux/rcupdate.h, net/sock.h: memory of a socket remains that until a grace period is over */

void rcu_read_lock(void);
void rcu_read_unlock(void);

/**
 * struct sock - a socket
 * @sk_net: its namespace
 * @sk_refcnt: references
 * @lock: its lock
 * @page: where its memory is from
 * @life: its number among all sockets that ever were; 0 while it is free
 * @share: the share that it is to use
 * @rec: its record, as the test expects it
 * @closing: the peer's FIN has come
 */
struct sock {
	struct net *sk_net;
	refcount_t sk_refcnt;
	pthread_mutex_t lock;
	struct page *page;
	u64 life;
	struct finack_share *share;
	struct finack_rec *rec;
	bool closing;
};

static inline struct net *sock_net(const struct sock *sk)
{
	return READ_ONCE(sk->sk_net);
}

void sock_put(struct sock *sk);

#endif
