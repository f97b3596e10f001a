// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches the hooks of hooks.c to the kernel, and says whether each is.
 *
 * Tracepoints are found by name and attached as long as the module is loaded. Functions are hooked
 * only while some namespace wants it, and for a while after that: arming patches the kernel's text
 * and waits for grace periods, which the whole host feels, and any user who can make a user
 * namespace can want and not want. So each hook is armed or disarmed at most once in that time,
 * whatever users do.
 *
 * One worker arms and disarms, and nobody else. A namespace says what it wants by a number per
 * want; one that is about to set a knob waits until the worker has looked at it, and can be killed
 * meanwhile. Namespaces that come and go do not wait.
 *
 * A hook is required or optional: without a required one the module does not load, without an
 * optional one it says so in sysfs, and a control that needs it cannot be set.
 *
 * Where ftrace gives its handlers the arguments, functions are hooked by ftrace_ops, at a fifth of
 * the price of a kprobe on ftrace. Ops that may run another function instead claim to be the only
 * ones to do so (IPMODIFY): a live patch of the same function is refused, or refuses them. They
 * cannot be switched off by kernel.ftrace_enabled (PERMANENT). Ops that watch claim nothing. A
 * kprobe can claim neither.
 *
 * The kernel can switch off ftrace or kprobes and say nothing to those who use them. So a function
 * of this file, the canary, is hooked by the same means: when it is called, its handler has to
 * run.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "attach.h"
#include "hooks.h"

/* How long a hook stays armed after the last namespace that wanted it, in seconds. A user who
 * wants and does not want can make the kernel patch its text so often, for some ten milliseconds.
 * What an armed hook costs meanwhile, some ten instructions per ACK, is little.
 */
unsigned int finack_linger = 60;

static DEFINE_MUTEX(attach_lock); /* the worker's; readers of the hooks' state wait for it */
static struct workqueue_struct *queue;
static DECLARE_WAIT_QUEUE_HEAD(done);
static atomic_t asked;
static int answered;
static bool ready;

/* how many namespaces want this, and when the last one ceased to */
static atomic_t wanting[__FINACK_WANT_MAX];
static unsigned long ceased[__FINACK_WANT_MAX];

static bool is_function(const struct finack_hook *h)
{
	return !h->handler;
}

static const char *symbol_of(const struct finack_hook *h)
{
	return h->symbol ?: h->name;
}

/* --- tracepoints --- */

static void find_hook(struct tracepoint *tp, void *absent)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++)
		if (finack_hooks[i].handler && !strcmp(tp->name, finack_hooks[i].name) &&
		    strcmp(tp->name, absent))
			finack_hooks[i].tp = tp;
}

static int attach_tracepoint(struct finack_hook *h)
{
	h->err = h->tp ? tracepoint_probe_register(h->tp, h->handler, NULL) : -ENOENT;
	h->level = h->err ? FINACK_LEVEL_OFF : FINACK_LEVEL_WATCH;
	return h->err;
}

static void detach_tracepoints(void)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		struct finack_hook *h = &finack_hooks[i];

		if (is_function(h) || !h->level)
			continue;
		tracepoint_probe_unregister(h->tp, h->handler, NULL);
		h->level = FINACK_LEVEL_OFF;
	}
	/* a handler may still run until here, and then never again */
	tracepoint_synchronize_unregister();
}

static int attach_tracepoints(void)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		struct finack_hook *h = &finack_hooks[i];

		if (is_function(h) || !attach_tracepoint(h))
			continue;
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

/* --- functions, by kprobes --- */

/* How the kernel hooks a function. A jump is known only to the probe that stands for all there. */
static const char *kind_of(const struct finack_hook *h)
{
	const struct kprobe *kp = &h->rp.kp;
	const char *kind = "breakpoint";
	struct kprobe *p;

	if (h->by_ftrace)
		return "ftrace_ops";
	if (kprobe_ftrace((struct kprobe *)kp))
		return "ftrace";
	rcu_read_lock();
	list_for_each_entry_rcu(p, &kp->list, list)
		if (kprobe_optimized(p))
			kind = "jump";
	rcu_read_unlock();
	return kind;
}

/* A kprobe that changes the flow must stay a breakpoint: a post_handler keeps the kernel from
 * turning it into a jump. On ftrace there is no jump, and a post_handler would do harm: added to
 * another's probe of the same function it makes the kernel detach that by the wrong ftrace_ops
 * (add_new_kprobe(), disarm_kprobe_ftrace()).
 */
static void __maybe_unused no_jump(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

static int attach_kprobe(struct finack_hook *h)
{
	h->rp = (struct kretprobe){ .kp.symbol_name = symbol_of(h) };
	if (h->return_handler) {
		h->rp.handler = h->return_handler;
		h->rp.entry_handler = h->entry_handler;
		h->rp.data_size = h->data_size;
		h->rp.maxactive = 8 * num_possible_cpus();
		return register_kretprobe(&h->rp);
	}
	h->rp.kp.pre_handler = h->pre_handler;
	if (!IS_ENABLED(CONFIG_KPROBES_ON_FTRACE))
		h->rp.kp.post_handler = no_jump;
	return register_kprobe(&h->rp.kp);
}

static unsigned long missed_now(const struct finack_hook *h)
{
	return h->by_ftrace ? 0 : h->rp.kp.nmissed + (h->return_handler ? h->rp.nmissed : 0);
}

/* its handler never runs again */
static void detach_kprobe(struct finack_hook *h)
{
	if (h->return_handler)
		unregister_kretprobe(&h->rp);
	else
		unregister_kprobe(&h->rp.kp);
	h->missed += missed_now(h);
}

/* --- the canary --- */

static noinline void canary(void)
{
	barrier();
}

static DEFINE_PER_CPU(unsigned long, canary_by_kprobe);

static int on_canary(struct kprobe *kp, struct pt_regs *regs)
{
	this_cpu_inc(canary_by_kprobe);
	return 0;
}

NOKPROBE_SYMBOL(on_canary);

static struct kprobe canary_kprobe;
static bool canary_armed; /* by a kprobe; whatever ftrace_ops there are have it, too */

/* Armed as long as the module is loaded: arming holds the module for a moment, and who unloads it
 * then would be told that it is in use.
 */
static void update_canary(void)
{
	if (READ_ONCE(ready) && !canary_armed) {
		canary_kprobe = (struct kprobe){ .addr = (void *)canary, .pre_handler = on_canary };
		WRITE_ONCE(canary_armed, !register_kprobe(&canary_kprobe));
	} else if (!READ_ONCE(ready) && canary_armed) {
		WRITE_ONCE(canary_armed, false);
		unregister_kprobe(&canary_kprobe);
	}
}

static unsigned long sang(bool by_ftrace)
{
#ifdef FINACK_FTRACE_OPS
	if (by_ftrace)
		return this_cpu_read(finack_canary_by_ftrace);
#endif
	return this_cpu_read(canary_by_kprobe);
}

/* Whether handlers attached as this hook's is run at all. Without a canary nothing is known. */
static bool alive(const struct finack_hook *h)
{
	unsigned long before;
	bool is;

	if (!h->by_ftrace && !READ_ONCE(canary_armed))
		return true;
	preempt_disable();
	before = sang(h->by_ftrace);
	canary();
	is = sang(h->by_ftrace) != before;
	preempt_enable();
	return is;
}

/* --- functions, by ftrace --- */

#ifdef FINACK_FTRACE_OPS
/*
 * Ops that were registered stay so until the module is unloaded: unregistering waits, with
 * ftrace's lock, until every task has been seen to be in no trampoline. On a machine with many
 * busy tasks that took a minute, in which nobody could load a module. A function comes and goes by
 * the filter of its ops, which waits for nobody. What is always in a filter, because an empty one
 * would mean all functions, is a function of the module's own.
 *
 * All that is watched has the same ops. What steers has ops of its own: when they are registered,
 * the kernel asks BPF trampolines that are at the function to let them
 * (prepare_direct_functions_for_ipmodify()). It does not when the function comes back later.
 */
static int ops_on(struct ftrace_ops *ops, void (*own)(void), unsigned long entry,
		  unsigned long flags)
{
	int err;

	if (ops->flags & FTRACE_OPS_FL_ENABLED)
		return entry ? ftrace_set_filter_ip(ops, entry, 0, 0) : 0;
	*ops = (struct ftrace_ops){ .func = finack_on_entry, .flags = flags };
	err = ftrace_set_filter_ip(ops, (unsigned long)own, 0, 0);
	if (err)
		return err;
	if (entry)
		err = ftrace_set_filter_ip(ops, entry, 0, 0);
	err = err ?: register_ftrace_function(ops);
	if (err)
		ftrace_set_filter(ops, NULL, 0, 1);
	return err;
}

/* Its handler never runs again. */
static void ops_off(struct ftrace_ops *ops)
{
	int err;

	if (!(ops->flags & FTRACE_OPS_FL_ENABLED))
		return;
	err = unregister_ftrace_function(ops);
	if (err) /* ftrace has found itself broken */
		pr_err("cannot detach from ftrace: error %d\n", err);
	else
		ftrace_set_filter(ops, NULL, 0, 1);
}

static struct ftrace_ops watch_ops;

static struct ftrace_ops *ops_of(struct finack_hook *h, enum finack_hook_level level)
{
	return level == FINACK_LEVEL_STEER ? &h->steer_ops : level ? &watch_ops : NULL;
}

/* Whether kernel.ftrace_enabled=0 is refused because of these ops, as long as they steer. The
 * kernel looks at the flag with ftrace's lock, and nobody else writes the flags of ops that are at
 * rest.
 */
static void set_permanent(struct ftrace_ops *ops, bool is)
{
	unsigned long flags = ops->flags & ~FTRACE_OPS_FL_PERMANENT;

	WRITE_ONCE(ops->flags, is ? flags | FTRACE_OPS_FL_PERMANENT : flags);
}

static int add_ops(struct finack_hook *h, enum finack_hook_level level)
{
	int err = ops_on(&watch_ops, canary, 0, 0); /* for the canary in any case */

	if (err)
		return err;
	if (level == FINACK_LEVEL_WATCH)
		return ftrace_set_filter_ip(&watch_ops, h->entry, 0, 0);
	err = ops_on(&h->steer_ops, h->own, h->entry,
		     FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT);
	if (!err)
		set_permanent(&h->steer_ops, true);
	return err;
}

static void del_ops(struct finack_hook *h, enum finack_hook_level level)
{
	if (level)
		ftrace_set_filter_ip(ops_of(h, level), h->entry, 1, 0);
	if (level == FINACK_LEVEL_STEER)
		set_permanent(&h->steer_ops, false);
}

static void all_ops_off(void)
{
	int i;

	ops_off(&watch_ops);
	for (i = 0; i < __FINACK_HOOK_MAX; i++)
		ops_off(&finack_hooks[i].steer_ops);
}

/* Goes from one level to another, OFF or not. What happens at that very moment may be seen by the
 * handler twice or not at all; what a close was counted as is put right by what the socket says
 * later.
 */
static int change_ops(struct finack_hook *h, enum finack_hook_level level)
{
	enum finack_hook_level old = h->level_now;
	int err;

	if (!old) /* the first ops count as soon as they are there */
		WRITE_ONCE(h->active, ops_of(h, level));
	err = level ? add_ops(h, level) : 0;
	if (err) {
		WRITE_ONCE(h->active, ops_of(h, old));
		return err;
	}
	WRITE_ONCE(h->active, ops_of(h, level));
	del_ops(h, old);
	h->level_now = level;
	return 0;
}

/* whether ftrace knows the place */
static bool ftrace_knows(const struct finack_hook *h)
{
	struct ftrace_ops ops = {};

	if (h->return_handler || !h->entry || ftrace_set_filter_ip(&ops, h->entry, 0, 0))
		return false;
	ftrace_set_filter_ip(&ops, h->entry, 1, 0);
	return true;
}
#else
static int change_ops(struct finack_hook *h, enum finack_hook_level level)
{
	return -EOPNOTSUPP;
}

static void all_ops_off(void)
{
}

static bool ftrace_knows(const struct finack_hook *h)
{
	return false;
}
#endif

/* --- what is wanted, and the worker --- */

static int wants(int want)
{
	return want == FINACK_WANT_NONE ? 0 : atomic_read(&wanting[want]);
}

/* How long something still stays that nobody wants any more, in jiffies; 0 or less: no longer. */
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

/* When a hook is to be looked at again that is armed further than anybody wants, in jiffies from
 * @now; 0 for never.
 */
static long look_again_at(const struct finack_hook *h, unsigned long now)
{
	if (h->level == FINACK_LEVEL_STEER && !wants(h->steer))
		return max_t(long, lingers(h->steer, now), HZ);
	if (h->level == FINACK_LEVEL_WATCH && !wants(h->watch))
		return max_t(long, lingers(h->watch, now), HZ);
	return 0;
}

static int attach(struct finack_hook *h, enum finack_hook_level level)
{
	if (!h->entry)
		return -ENOENT;
	if (level == FINACK_LEVEL_STEER && !h->target)
		return -EOPNOTSUPP;
	if (h->by_ftrace)
		return change_ops(h, level);
	return h->level ? 0 : attach_kprobe(h);
}

/* What failed is tried again, but not at once: a user may ask for it as fast as a knob can be
 * written.
 */
#define TRY_AGAIN	(HZ / 4)

static void raise(struct finack_hook *h, enum finack_hook_level level)
{
	h->err = attach(h, level);
	if (h->err)
		h->failed = jiffies;
	if (h->err && level == FINACK_LEVEL_STEER && !h->level && wants(h->watch) &&
	    !attach(h, FINACK_LEVEL_WATCH))
		level = FINACK_LEVEL_WATCH; /* that much is to be had */
	else if (h->err)
		level = h->level;
	smp_store_release(&h->level, level); /* pairs with met(): it is armed by then */
	if (level)
		h->kind = kind_of(h);
	if (h->err && !h->warned)
		pr_warn("cannot attach to the function %s: error %d; going on without\n",
			symbol_of(h), h->err);
	h->warned = h->err;
}

/* A namespace that wants this either is seen here, or sees that the hook is not armed so far. */
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
	h->kind = kind_of(h);
	if (h->by_ftrace && change_ops(h, level))
		WRITE_ONCE(h->level, old); /* to watch could not be begun */
	else if (!h->by_ftrace && !level)
		detach_kprobe(h);
}

static void update(struct work_struct *work);
static DECLARE_DELAYED_WORK(update_work, update);

/* Return: when to look at it again, in jiffies from @now; 0 for never */
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

	smp_rmb(); /* what was wanted before it was asked for */
	mutex_lock(&attach_lock);
	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		if (!is_function(&finack_hooks[i]))
			continue;
		at = update_hook(&finack_hooks[i], now, &too_soon);
		if (at)
			again = again ? min(again, at) : at;
	}
	update_canary();
	if (!READ_ONCE(ready))
		all_ops_off();
	mutex_unlock(&attach_lock);
	if (!too_soon) { /* else who asked gets an answer when it has been tried */
		WRITE_ONCE(answered, n);
		wake_up_all(&done);
	}
	if (again && READ_ONCE(ready))
		queue_delayed_work(queue, &update_work, again);
}

/* Asks the worker to look. Return: a number that answered has to reach. */
static int ask(void)
{
	int n = atomic_inc_return(&asked);

	mod_delayed_work(queue, &update_work, 0);
	return n;
}

/* Whether all of these wants are met. Controls are not where the kernel does not run their
 * handlers.
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
		if (!is_function(h) || !level)
			continue;
		/* pairs with raise() */
		if (smp_load_acquire(&h->level) < level || (have_to_be_alive && !alive(h)))
			return false;
	}
	return true;
}

/**
 * finack_hooks_begin() - a namespace begins to want something, and does not wait for it
 * @set: what, a bit per &enum finack_want
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
 * finack_hooks_cease() - a namespace wants something no longer
 * @set: what, a bit per &enum finack_want
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
	/* the worker comes by when the time is over, or sooner */
	if (last && READ_ONCE(ready))
		queue_delayed_work(queue, &update_work, READ_ONCE(finack_linger) * HZ + 1);
}

/**
 * finack_hooks_want() - a namespace begins to want something, and waits until it is there
 * @begin: what it begins to want, a bit per &enum finack_want
 * @need: what it cannot do without, begun now or before
 *
 * May sleep. Return: 0; -EOPNOTSUPP if some of @need cannot be had; -EINTR if the caller is being
 * killed. With an error nothing has begun.
 */
int finack_hooks_want(unsigned int begin, unsigned int need)
{
	int err = 0, n;

	if (!begin && !need)
		return 0;
	finack_hooks_begin(begin);
	if (!met(begin | need, false)) {
		n = ask();
		err = wait_event_killable(done, READ_ONCE(answered) - n >= 0) ? -EINTR : 0;
	}
	if (!err && !met(need, true))
		err = -EOPNOTSUPP;
	if (err)
		finack_hooks_cease(begin);
	return err;
}

/** finack_hooks_look() - how long hooks linger has changed */
void finack_hooks_look(void)
{
	if (READ_ONCE(ready))
		ask();
}

/* has the worker arm what is wanted, or disarm everything */
static void set_ready(bool is)
{
	kernel_param_lock(THIS_MODULE); /* who sets linger asks, too */
	WRITE_ONCE(ready, is);
	kernel_param_unlock(THIS_MODULE);
	ask();
	flush_delayed_work(&update_work);
}

/* Where a function is entered, 0 if there is none: a disabled kprobe tells. */
static unsigned long entry_of(const char *symbol, const char *absent)
{
	struct kprobe kp = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };

	if (!strcmp(symbol, absent) || register_kprobe(&kp))
		return 0;
	unregister_kprobe(&kp);
	return (unsigned long)kp.addr;
}

/* finds what depends on how this kernel was compiled */
static void resolve(struct finack_hook *h, const char *carrier, const char *absent)
{
	if (h->part && entry_of(h->part, absent))
		h->symbol = h->part;
	h->entry = strcmp(h->name, absent) ? entry_of(symbol_of(h), "") : 0;
	h->target = h->instead ? entry_of(h->instead, "") : 0;
	h->by_ftrace = strcmp(carrier, "kprobe") && ftrace_knows(h);
}

static int check_carrier(const char *carrier)
{
	if (strcmp(carrier, "auto") && strcmp(carrier, "kprobe") && strcmp(carrier, "ftrace")) {
		pr_err("carrier=%s is not known; there are auto, kprobe and ftrace\n", carrier);
		return -EINVAL;
	}
	if (!strcmp(carrier, "ftrace") && !IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)) {
		pr_err("carrier=ftrace needs CONFIG_DYNAMIC_FTRACE_WITH_ARGS; use auto or kprobe\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * finack_hooks_init() - attach to the kernel
 * @carrier: how functions are hooked: "auto", "kprobe" or "ftrace"
 * @absent: name of a hook, or symbol, to treat as absent, for tests; empty for none
 *
 * Return: 0, or an error, which is logged; finack_hooks_free() is the caller's with either.
 */
int finack_hooks_init(const char *carrier, const char *absent)
{
	int err, i;

	err = check_carrier(carrier);
	if (err)
		return err;
	queue = alloc_ordered_workqueue("finack", 0);
	if (!queue)
		return -ENOMEM;
	for (i = 0; i < __FINACK_WANT_MAX; i++)
		ceased[i] = jiffies - FINACK_LINGER_MAX * HZ;
	for_each_kernel_tracepoint(find_hook, (void *)absent);
	for (i = 0; i < __FINACK_HOOK_MAX; i++)
		if (is_function(&finack_hooks[i]))
			resolve(&finack_hooks[i], carrier, absent);
	err = attach_tracepoints();
	if (err)
		return err;
	set_ready(true);
	return 0;
}

/** finack_hooks_exit() - detach; no handler runs any more when it returns */
void finack_hooks_exit(void)
{
	set_ready(false);
	detach_tracepoints();
}

/** finack_hooks_free() - no namespace wants anything any more */
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
	if (h->level && is_function(h) && !alive(h))
		return h->by_ftrace ?
		       "armed, but nothing arrives: ftrace is switched off" :
		       "armed, but nothing arrives: kprobes or ftrace are switched off";
	if (h->level)
		return "armed";
	if (h->err == -ENOENT)
		return is_function(h) ? "absent: this kernel has no such function" :
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
		.symbol = symbol_of(h),
		.kind = is_function(h) ? h->kind ?: "none" : "tracepoint",
		.missed = h->missed,
	};
	if (is_function(h) && h->level) {
		view->kind = kind_of(h);
		view->missed += missed_now(h);
	}
	mutex_unlock(&attach_lock);
	for_each_possible_cpu(cpu)
		view->hits += READ_ONCE(per_cpu(finack_hook_hits, cpu)[i]);
}
