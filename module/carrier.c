// SPDX-License-Identifier: GPL-2.0-only
/*
 * The carriers: how a hook is attached to the kernel.
 *
 * Tracepoints are found by name. Where ftrace gives its handlers the arguments, functions are
 * hooked by ftrace_ops, at a fifth of the price of a kprobe on ftrace. Ops that may run another
 * function instead claim to be the only ones to do so (IPMODIFY): a live patch of the same function
 * is refused, or refuses them. They cannot be switched off by kernel.ftrace_enabled (PERMANENT).
 * Ops that watch claim nothing. A kprobe can claim neither.
 *
 * ftrace and kprobes can be switched off, and their users are not told. So a function of this file,
 * the canary, is hooked by the same means: when it is called, its handler has to run.
 *
 * Hooks are changed one at a time: the callers see to that.
 */
#include <linux/module.h>

#include "carrier.h"

/* --- tracepoints --- */

static void find_hook(struct tracepoint *tp, void *absent)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++)
		if (!finack_hook_is_function(&finack_hooks[i]) &&
		    !strcmp(tp->name, finack_hooks[i].name) &&
		    strcmp(tp->name, absent))
			finack_hooks[i].tp = tp;
}

static int change_tracepoint(struct finack_hook *h, enum finack_hook_level level)
{
	int err = 0;

	if (level)
		err = h->tp ? tracepoint_probe_register(h->tp, h->handler, NULL) : -ENOENT;
	else
		tracepoint_probe_unregister(h->tp, h->handler, NULL);
	if (!err)
		WRITE_ONCE(h->level_now, level);
	return err;
}

/* --- functions, by kprobes --- */

/**
 * finack_carrier_kind() - how the kernel hooks a function
 * @h: the hook, armed
 *
 * Of several kprobes at a function, only the kernel's aggregate one knows that it is a jump.
 *
 * Return: as in &struct finack_hook_view.
 */
const char *finack_carrier_kind(const struct finack_hook *h)
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

/* The kernel must not optimize a kprobe into a jump if its handler changes the instruction
 * pointer. A post_handler prevents that. Kprobes on ftrace are never optimized, and there a
 * post_handler does harm: if another probe is at the same function, the kernel detaches that one
 * by the wrong ftrace_ops (add_new_kprobe(), disarm_kprobe_ftrace()).
 */
static void __maybe_unused no_jump(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

static int attach_kprobe(struct finack_hook *h)
{
	h->rp = (struct kretprobe){ .kp.symbol_name = finack_hook_symbol(h) };
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

/**
 * finack_carrier_missed() - how often the kernel could not run a handler
 * @h: the hook
 *
 * Return: times since it was armed.
 */
unsigned long finack_carrier_missed(const struct finack_hook *h)
{
	return h->by_ftrace ? 0 : h->rp.kp.nmissed + (h->return_handler ? h->rp.nmissed : 0);
}

/* when it returns, the handler does not run any more */
static void detach_kprobe(struct finack_hook *h)
{
	if (h->return_handler)
		unregister_kretprobe(&h->rp);
	else
		unregister_kprobe(&h->rp.kp);
	h->missed += finack_carrier_missed(h);
}

static int change_kprobe(struct finack_hook *h, enum finack_hook_level level)
{
	int err = 0;

	if (level && !h->level_now)
		err = attach_kprobe(h);
	else if (!level)
		detach_kprobe(h);
	if (!err)
		WRITE_ONCE(h->level_now, level);
	return err;
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
static bool canary_armed; /* by a kprobe; if there are any ftrace_ops, watch_ops has it, too */

/**
 * finack_carrier_canary() - arm the canary's kprobe, or disarm it
 * @on: whether to arm it
 *
 * It is armed as long as the module is loaded. Arming takes a reference on the module for a moment,
 * in which unloading the module would fail because it is in use.
 */
void finack_carrier_canary(bool on)
{
	if (on && !canary_armed) {
		canary_kprobe = (struct kprobe){ .addr = (void *)canary, .pre_handler = on_canary };
		WRITE_ONCE(canary_armed, !register_kprobe(&canary_kprobe));
	} else if (!on && canary_armed) {
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

/**
 * finack_carrier_alive() - whether the kernel runs handlers that are attached as this one is
 * @h: the hook of a function
 *
 * Return: true if so, or if there is no canary to tell.
 */
bool finack_carrier_alive(const struct finack_hook *h)
{
	unsigned long before;
	bool is;

	if (!finack_hook_is_function(h) || (!h->by_ftrace && !READ_ONCE(canary_armed)))
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
 * Registered ops stay registered until the module is unloaded. Unregistering them waits, with
 * ftrace's lock held, until every task has been seen outside of trampolines. On a machine with many
 * busy tasks that took a minute, during which nobody could load a module. A function is added to
 * and removed from the filter of its ops instead, which waits for nobody. An empty filter would
 * mean all functions. So a function of the module's own is always in it.
 *
 * All functions that are watched share one ops. Each that is steered has ops of its own. When these
 * are registered, the kernel asks BPF trampolines at the function to permit them
 * (prepare_direct_functions_for_ipmodify()). It does not ask again when the function is added back
 * to the filter later.
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

/* When it returns, the handler does not run any more. */
static void ops_off(struct ftrace_ops *ops)
{
	int err;

	if (!(ops->flags & FTRACE_OPS_FL_ENABLED))
		return;
	err = unregister_ftrace_function(ops);
	if (err) /* ftrace has shut itself down after an internal error */
		pr_err("cannot detach from ftrace: error %d\n", err);
	else
		ftrace_set_filter(ops, NULL, 0, 1);
}

static struct ftrace_ops watch_ops;

static struct ftrace_ops *ops_of(struct finack_hook *h, enum finack_hook_level level)
{
	return level == FINACK_LEVEL_STEER ? &h->steer_ops : level ? &watch_ops : NULL;
}

/* Sets whether the kernel refuses kernel.ftrace_enabled=0 because of these ops, as it has to while
 * they steer. It reads the flag with ftrace's lock held. While ops are not being registered or
 * unregistered, nobody else writes their flags.
 */
static void set_permanent(struct ftrace_ops *ops, bool is)
{
	unsigned long flags = ops->flags & ~FTRACE_OPS_FL_PERMANENT;

	WRITE_ONCE(ops->flags, is ? flags | FTRACE_OPS_FL_PERMANENT : flags);
}

static int add_ops(struct finack_hook *h, enum finack_hook_level level)
{
	bool watch = level == FINACK_LEVEL_WATCH;
	int err = ops_on(&watch_ops, canary, watch ? h->entry : 0, 0); /* always, for the canary */

	if (err || watch)
		return err;
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

/** finack_carrier_release() - unregister all ops, also those of hooks that are armed */
void finack_carrier_release(void)
{
	int i;

	ops_off(&watch_ops);
	for (i = 0; i < __FINACK_HOOK_MAX; i++)
		ops_off(&finack_hooks[i].steer_ops);
}

/* Goes from one level to another, OFF or not. The handler may see a call at that very moment twice
 * or not at all. If a close is counted wrongly because of that, the state of its socket later
 * corrects it.
 */
static int change_ops(struct finack_hook *h, enum finack_hook_level level)
{
	enum finack_hook_level old = h->level_now;
	int err;

	if (!old) /* the handler then runs as soon as the first ops are registered */
		WRITE_ONCE(h->active, ops_of(h, level));
	err = level ? add_ops(h, level) : 0;
	if (err) {
		WRITE_ONCE(h->active, ops_of(h, old));
		return err;
	}
	WRITE_ONCE(h->active, ops_of(h, level));
	del_ops(h, old);
	WRITE_ONCE(h->level_now, level);
	return 0;
}

/* whether ftrace can hook the function */
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

void finack_carrier_release(void)
{
}

static bool ftrace_knows(const struct finack_hook *h)
{
	return false;
}
#endif

/* --- all of them --- */

/**
 * finack_carrier_set() - arm a hook, or disarm it
 * @h: the hook
 * @level: how far
 *
 * May sleep. The handler of a hook that was disarmed may still be running: a tracepoint's until
 * tracepoint_synchronize_unregister() returns, that of ftrace_ops until finack_carrier_release()
 * does.
 *
 * Return: 0; -ENOENT if this kernel has no such tracepoint or function; -EOPNOTSUPP if no other
 * function can be run instead; or the kernel's error. After an error nothing has changed.
 */
int finack_carrier_set(struct finack_hook *h, enum finack_hook_level level)
{
	if (level == h->level_now)
		return 0;
	if (!finack_hook_is_function(h))
		return change_tracepoint(h, level);
	if (level && !h->entry)
		return -ENOENT;
	if (level == FINACK_LEVEL_STEER && !h->target)
		return -EOPNOTSUPP;
	return h->by_ftrace ? change_ops(h, level) : change_kprobe(h, level);
}

/* The address of a function's entry, found by a disabled kprobe; 0 if there is no function. */
static unsigned long entry_of(const char *symbol, const char *absent)
{
	struct kprobe kp = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };

	if (!strcmp(symbol, absent) || register_kprobe(&kp))
		return 0;
	unregister_kprobe(&kp);
	return (unsigned long)kp.addr;
}

/* fills in what depends on how this kernel was compiled */
static void find_function(struct finack_hook *h, const char *carrier, const char *absent)
{
	if (h->part && entry_of(h->part, absent))
		h->symbol = h->part;
	h->entry = strcmp(h->name, absent) ? entry_of(finack_hook_symbol(h), "") : 0;
	h->target = h->instead ? entry_of(h->instead, "") : 0;
	h->by_ftrace = strcmp(carrier, "kprobe") && ftrace_knows(h);
}

/**
 * finack_carrier_check() - whether this kernel supports a carrier
 * @carrier: "auto", "kprobe" or "ftrace"
 *
 * Return: 0; -EINVAL for another word; -EOPNOTSUPP if it does not. An error is logged.
 */
int finack_carrier_check(const char *carrier)
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
 * finack_carrier_find() - find the tracepoints and functions of all hooks
 * @carrier: how functions are hooked, as checked
 * @absent: name of a hook, or symbol, to treat as absent, for tests; empty for none
 */
void finack_carrier_find(const char *carrier, const char *absent)
{
	int i;

	for_each_kernel_tracepoint(find_hook, (void *)absent);
	for (i = 0; i < __FINACK_HOOK_MAX; i++)
		if (finack_hook_is_function(&finack_hooks[i]))
			find_function(&finack_hooks[i], carrier, absent);
}
