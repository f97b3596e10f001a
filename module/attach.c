// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches the hooks of hooks.c to the kernel while somebody wants them, and reports their state.
 *
 * The required tracepoints are attached as long as the module is loaded. All else, functions and
 * the tracepoint of received segments, is hooked only while some namespace wants it, and for a
 * while after that (finack_linger). Arming patches the kernel's text
 * and waits for grace periods, which the whole host feels, and any user who can make a user
 * namespace can begin and cease to want a hook. So each hook is armed or disarmed at most once in
 * that time, whatever users do.
 *
 * Only one worker arms and disarms functions. For each want there is a count of the namespaces that
 * have it. A writer of a knob waits until the worker has looked at the counts, and can be killed
 * meanwhile. The creation and the removal of a namespace do not wait.
 *
 * A hook is required or optional. Without a required one the module does not load. Without an
 * optional one it says so in sysfs, and a control that needs the hook cannot be set.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "attach.h"
#include "carrier.h"

/* How long a hook stays armed after the last namespace has ceased to want it, in seconds. A user
 * who turns a knob on and off makes the kernel patch its text no more often than that, each time
 * for about ten milliseconds. An armed hook costs little: 35 to 160 instructions per ACK
 * (Documentation/controls.rst).
 */
unsigned int finack_linger = 60;

static DEFINE_MUTEX(attach_lock); /* held by the worker, and by readers of the hooks' state */
static struct workqueue_struct *queue;
static DECLARE_WAIT_QUEUE_HEAD(done);
static atomic_t asked;
static int answered;
static bool ready;

/* for each want, how many namespaces have it, and when one last ceased to */
static atomic_t wanting[__FINACK_WANT_MAX];
static unsigned long ceased[__FINACK_WANT_MAX];

/* --- tracepoints --- */

static void detach_tracepoints(void)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		struct finack_hook *h = &finack_hooks[i];

		if (finack_hook_on_demand(h) || !h->level)
			continue;
		finack_carrier_set(h, FINACK_LEVEL_OFF);
		h->level = FINACK_LEVEL_OFF;
	}
	/* until this returns a handler may still be running */
	tracepoint_synchronize_unregister();
}

static int attach_tracepoints(void)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		struct finack_hook *h = &finack_hooks[i];

		if (finack_hook_on_demand(h))
			continue;
		h->err = finack_carrier_set(h, FINACK_LEVEL_WATCH);
		if (!h->err) {
			h->level = FINACK_LEVEL_WATCH;
			continue;
		}
		if (h->required) {
			pr_err("cannot attach to the tracepoint %s, which is required: error %d%s\n",
			       h->name, h->err, h->tp ? "" : " (there is none of that name)");
			detach_tracepoints();
			return h->err;
		}
		pr_warn("cannot attach to the tracepoint %s: error %d; going on without\n",
			h->name, h->err);
	}
	return 0;
}

/* --- what is wanted, and the worker --- */

static int wants(int want)
{
	return want == FINACK_WANT_NONE ? 0 : atomic_read(&wanting[want]);
}

/* How much longer an unwanted hook stays armed, in jiffies; 0 or less: no longer. */
static long lingers(int want, unsigned long now)
{
	unsigned long end = READ_ONCE(ceased[want]) + READ_ONCE(finack_linger) * HZ;

	return (long)(end - now);
}

static bool stays(int want, bool is, unsigned long now)
{
	return wants(want) || (is && want != FINACK_WANT_NONE && lingers(want, now) > 0);
}

static enum finack_hook_level level_wanted(const struct finack_hook *h, unsigned long now)
{
	if (!READ_ONCE(ready))
		return FINACK_LEVEL_OFF;
	if (stays(h->steer, h->level >= FINACK_LEVEL_STEER, now))
		return FINACK_LEVEL_STEER;
	if (stays(h->watch, h->level >= FINACK_LEVEL_WATCH, now))
		return FINACK_LEVEL_WATCH;
	return FINACK_LEVEL_OFF;
}

/* When the worker has to look again at a hook that is armed further than anybody wants, in jiffies
 * from @now; 0 for never.
 */
static long look_again_at(const struct finack_hook *h, unsigned long now)
{
	if (h->level == FINACK_LEVEL_STEER && !wants(h->steer))
		return max_t(long, lingers(h->steer, now), HZ);
	if (h->level == FINACK_LEVEL_WATCH && !wants(h->watch))
		return max_t(long, lingers(h->watch, now), HZ);
	return 0;
}

/* Arming that failed is tried again only after this time, in jiffies: a user can ask for it as fast
 * as a knob can be written.
 */
#define TRY_AGAIN	(HZ / 4)

static void raise(struct finack_hook *h, enum finack_hook_level level)
{
	h->err = finack_carrier_set(h, level);
	if (h->err)
		h->failed = jiffies;
	if (h->err && level == FINACK_LEVEL_STEER && !h->level && wants(h->watch) &&
	    !finack_carrier_set(h, FINACK_LEVEL_WATCH))
		level = FINACK_LEVEL_WATCH; /* at least watching works */
	else if (h->err)
		level = h->level;
	smp_store_release(&h->level, level); /* pairs with met(): the hook is armed before */
	if (level && finack_hook_is_function(h))
		h->kind = finack_carrier_kind(h);
	if (h->err && !h->warned)
		pr_warn("cannot attach to the %s %s: error %d; going on without\n",
			finack_hook_is_function(h) ? "function" : "tracepoint",
			finack_hook_symbol(h), h->err);
	h->warned = h->err;
}

/* A namespace that begins to want this is seen here, or sees that the level is lower already. */
static void lower(struct finack_hook *h, enum finack_hook_level level)
{
	enum finack_hook_level old = h->level;

	WRITE_ONCE(h->level, level);
	smp_mb(); /* pairs with the one of finack_hooks_begin() */
	if (READ_ONCE(ready) &&
	    ((old == FINACK_LEVEL_STEER && wants(h->steer)) || (!level && wants(h->watch)))) {
		WRITE_ONCE(h->level, old);
		return;
	}
	if (finack_hook_is_function(h))
		h->kind = finack_carrier_kind(h);
	if (finack_carrier_set(h, level))
		WRITE_ONCE(h->level, old); /* going from steering to watching has failed */
}

static void update(struct work_struct *work);
static DECLARE_DELAYED_WORK(update_work, update);

/* Return: when to look at the hook again, in jiffies from @now; 0 for never */
static long update_hook(struct finack_hook *h, unsigned long now, bool *too_soon)
{
	enum finack_hook_level level = level_wanted(h, now);

	if (level > h->level && h->err && time_before(now, h->failed + TRY_AGAIN)) {
		*too_soon = true;
		return h->failed + TRY_AGAIN - now;
	}
	if (level > h->level)
		raise(h, level);
	else if (level < h->level)
		lower(h, level);
	return look_again_at(h, now);
}

static void update(struct work_struct *work)
{
	int n = atomic_read(&asked), i;
	unsigned long now = jiffies;
	long again = 0, at;
	bool too_soon = false;

	smp_rmb(); /* read the wants after @asked: they were changed before */
	mutex_lock(&attach_lock);
	/* First: ftrace looks at all functions of the kernel whenever registered ops change. */
	if (!READ_ONCE(ready))
		finack_carrier_release();
	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		if (!finack_hook_on_demand(&finack_hooks[i]))
			continue;
		at = update_hook(&finack_hooks[i], now, &too_soon);
		if (at)
			again = again ? min(again, at) : at;
	}
	finack_carrier_canary(READ_ONCE(ready));
	mutex_unlock(&attach_lock);
	if (!too_soon) { /* else the answer has to wait until arming has been tried again */
		smp_store_release(&answered, n); /* pairs with wait_for_answer(): levels first */
		wake_up_all(&done);
	}
	if (again && READ_ONCE(ready))
		queue_delayed_work(queue, &update_work, again);
}

/* Asks the worker to look. Return: the number that @answered has to reach. */
static int ask(void)
{
	int n = atomic_inc_return(&asked);

	mod_delayed_work(queue, &update_work, 0);
	return n;
}

/* Whether all of these wants are met. With @have_to_be_alive, as controls need it, the kernel also
 * has to run the handlers.
 */
static bool met(unsigned int set, bool have_to_be_alive)
{
	enum finack_hook_level level;
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		const struct finack_hook *h = &finack_hooks[i];

		level = FINACK_LEVEL_OFF;
		if (h->watch >= 0 && set & BIT(h->watch))
			level = FINACK_LEVEL_WATCH;
		if (h->steer >= 0 && set & BIT(h->steer))
			level = FINACK_LEVEL_STEER;
		if (!level)
			continue;
		/* pairs with raise() */
		if (smp_load_acquire(&h->level) < level ||
		    (have_to_be_alive && !finack_carrier_alive(h)))
			return false;
	}
	return true;
}

/**
 * finack_hooks_begin() - a namespace begins to want hooks, and does not wait for them
 * @set: the wants, a bit per &enum finack_want
 */
void finack_hooks_begin(unsigned int set)
{
	int i;

	for (i = 0; i < __FINACK_WANT_MAX; i++)
		if (set & BIT(i))
			atomic_inc(&wanting[i]);
	smp_mb__after_atomic(); /* pairs with the one of lower() */
	if (READ_ONCE(ready) && !met(set, false))
		ask();
}

/**
 * finack_hooks_cease() - a namespace no longer wants hooks
 * @set: the wants, a bit per &enum finack_want
 */
void finack_hooks_cease(unsigned int set)
{
	bool last = false;
	int i;

	for (i = 0; i < __FINACK_WANT_MAX; i++) {
		if (!(set & BIT(i)))
			continue;
		WRITE_ONCE(ceased[i], jiffies);
		if (atomic_dec_and_test(&wanting[i]))
			last = true;
	}
	/* the worker looks when the time is over, or sooner */
	if (last && READ_ONCE(ready))
		queue_delayed_work(queue, &update_work, READ_ONCE(finack_linger) * HZ + 1);
}

/* The removal of a namespace waits for writers of its knobs, but does not wake them. So they check
 * for it, at this interval in jiffies.
 */
#define LOOK_FOR_END	(HZ / 50)

static int wait_for_answer(const struct net *net)
{
	int n = ask();
	long left;

	do {
		/* pairs with update() */
		left = wait_event_killable_timeout(done, smp_load_acquire(&answered) - n >= 0,
						   LOOK_FOR_END);
	} while (!left && check_net(net));
	return left > 0 ? 0 : -EINTR;
}

/**
 * finack_hooks_want() - a namespace begins to want hooks, and waits until they are armed
 * @net: the namespace
 * @begin: the wants that begin, a bit per &enum finack_want
 * @need: the wants that have to be met, begun now or before
 *
 * May sleep.
 *
 * Return: 0; -EOPNOTSUPP if some of @need cannot be met; -EINTR if the caller is being
 * killed or the namespace is going. After an error nothing in @begin is wanted.
 */
int finack_hooks_want(const struct net *net, unsigned int begin, unsigned int need)
{
	int err;

	if (!begin && !need)
		return 0;
	finack_hooks_begin(begin);
	if (met(begin | need, false) && met(need, true))
		return 0;
	/* A hook is not armed, or the worker is about to disarm it because nobody has wanted it for
	 * long, or its handler is not run.
	 */
	err = wait_for_answer(net);
	if (!err && !met(need, true))
		err = -EOPNOTSUPP;
	if (err)
		finack_hooks_cease(begin);
	return err;
}

/** finack_hooks_look() - finack_linger has changed: the worker has to look */
void finack_hooks_look(void)
{
	if (READ_ONCE(ready))
		ask();
}

/* makes the worker arm what is wanted, or disarm everything */
static void set_ready(bool is)
{
	kernel_param_lock(THIS_MODULE); /* a writer of linger asks the worker, too */
	WRITE_ONCE(ready, is);
	kernel_param_unlock(THIS_MODULE);
	ask();
	flush_delayed_work(&update_work);
}

/**
 * finack_hooks_init() - attach to the kernel
 * @carrier: how functions are hooked: "auto", "kprobe" or "ftrace"
 * @absent: name of a hook, or symbol, to treat as absent, for tests; empty for none
 *
 * Return: 0, or an error, which is logged. In both cases the caller has to finack_hooks_free().
 */
int finack_hooks_init(const char *carrier, const char *absent)
{
	int err, i;

	err = finack_carrier_check(carrier);
	if (err)
		return err;
	queue = alloc_ordered_workqueue("finack", 0);
	if (!queue)
		return -ENOMEM;
	for (i = 0; i < __FINACK_WANT_MAX; i++)
		ceased[i] = jiffies - FINACK_LINGER_MAX * HZ;
	finack_carrier_find(carrier, absent);
	err = attach_tracepoints();
	if (err)
		return err;
	set_ready(true);
	return 0;
}

/** finack_hooks_exit() - detach; when it returns, no handler runs any more */
void finack_hooks_exit(void)
{
	set_ready(false);
	detach_tracepoints();
}

/** finack_hooks_free() - free the rest, when no namespace wants anything any more */
void finack_hooks_free(void)
{
	if (!queue)
		return;
	cancel_delayed_work_sync(&update_work);
	destroy_workqueue(queue);
}

/**
 * finack_hook_name() - the name of a hook
 * @i: which
 *
 * Return: its name.
 */
const char *finack_hook_name(unsigned int i)
{
	return finack_hooks[i].name;
}

static const char *status_of(const struct finack_hook *h)
{
	if (h->level && finack_hook_is_function(h) && !finack_carrier_alive(h))
		return h->by_ftrace ?
		       "armed, but nothing arrives: ftrace is switched off" :
		       "armed, but nothing arrives: kprobes or ftrace are switched off";
	if (h->level)
		return "armed";
	if (h->err == -ENOENT)
		return finack_hook_is_function(h) ? "absent: this kernel has no such function" :
					"absent: this kernel has no such tracepoint";
	if (h->err)
		return "failed: the kernel refused to attach it";
	return READ_ONCE(ready) ? "off: no namespace needs it" : "off: not attached yet";
}

/**
 * finack_hook_view() - the state of a hook
 * @i: which
 * @view: filled in
 */
void finack_hook_view(unsigned int i, struct finack_hook_view *view)
{
	struct finack_hook *h = &finack_hooks[i];
	int cpu;

	mutex_lock(&attach_lock);
	*view = (struct finack_hook_view){
		.status = status_of(h),
		.symbol = finack_hook_symbol(h),
		.kind = finack_hook_is_function(h) ? h->kind ?: "none" : "tracepoint",
		.missed = h->missed,
	};
	if (finack_hook_is_function(h) && h->level) {
		view->kind = finack_carrier_kind(h);
		view->missed += finack_carrier_missed(h);
	}
	mutex_unlock(&attach_lock);
	for_each_possible_cpu(cpu)
		view->hits += READ_ONCE(per_cpu(finack_hook_hits, cpu)[i]);
}
