// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches the hooks of hooks.c to the kernel, and says whether each is.
 *
 * Tracepoints are found by name and attached as long as the module is loaded. Functions are hooked
 * by kprobes, only while some namespace needs them.
 *
 * A hook is required or optional: without a required one the module does not load, without an
 * optional one it says so in sysfs, and a control that needs it cannot be set.
 */
#include <linux/mutex.h>

#include "hooks.h"

static bool is_function(const struct finack_hook *h)
{
	return !h->handler;
}

/* Hooks of functions are armed while some namespace needs them, and hooks may be armed at all. */
static DEFINE_MUTEX(want_lock);
static bool ready;
static const char *absent_hook;

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
	h->armed = !h->err;
	return h->err;
}

static void detach_tracepoints(void)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		struct finack_hook *h = &finack_hooks[i];

		if (!h->handler || !h->armed)
			continue;
		tracepoint_probe_unregister(h->tp, h->handler, NULL);
		h->armed = false;
	}
	/* a handler may still run until here, and then never again */
	tracepoint_synchronize_unregister();
}

/* How the kernel hooks a function. A jump is known only to the probe that stands for all there. */
static const char *kind_of(struct kprobe *kp)
{
	const char *kind = "breakpoint";
	struct kprobe *p;

	if (kprobe_ftrace(kp))
		return "ftrace";
	rcu_read_lock();
	list_for_each_entry_rcu(p, &kp->list, list)
		if (kprobe_optimized(p))
			kind = "jump";
	rcu_read_unlock();
	return kind;
}

/* A kprobe that changes the flow must not be replaced by a jump, which a handler for after the
 * instruction prevents. One on ftrace never is, and there such a handler would do harm: added to
 * another's probe of the same function it makes the kernel detach it by the wrong ftrace_ops
 * (add_new_kprobe(), disarm_kprobe_ftrace()).
 */
static void __maybe_unused no_jump(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

static int attach_function(struct finack_hook *h)
{
	if (!strcmp(h->name, absent_hook))
		return -ENOENT;
	if (h->target && !*h->target)
		return -EOPNOTSUPP;
	h->rp = (struct kretprobe){ .kp.symbol_name = h->symbol ?: h->name };
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

static void arm(struct finack_hook *h)
{
	h->err = attach_function(h);
	h->armed = !h->err;
	if (h->err && !h->warned)
		pr_warn("cannot attach to the function %s: error %d; going on without\n",
			h->symbol ?: h->name, h->err);
	h->warned = h->err;
}

static unsigned long missed_now(const struct finack_hook *h)
{
	return h->rp.kp.nmissed + (h->return_handler ? h->rp.nmissed : 0);
}

static void disarm(struct finack_hook *h)
{
	h->armed = false;
	h->kind = kind_of(&h->rp.kp);
	/* its handler never runs again */
	if (h->return_handler)
		unregister_kretprobe(&h->rp);
	else
		unregister_kprobe(&h->rp.kp);
	h->missed += missed_now(h);
}

/* arms and disarms as wanted; want_lock held */
static void update_functions(void)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		struct finack_hook *h = &finack_hooks[i];

		if (!is_function(h) || h->armed == (ready && h->wanting))
			continue;
		if (h->armed)
			disarm(h);
		else
			arm(h);
	}
}

/* @by: 1 or -1 */
static void count_wanting(unsigned int set, int by)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++)
		if (set & BIT(i))
			finack_hooks[i].wanting += by;
}

/* whether one of these could not be armed */
static bool lacks(unsigned int set)
{
	int i;

	for (i = 0; i < __FINACK_HOOK_MAX; i++)
		if (set & BIT(i) && finack_hooks[i].err)
			return true;
	return false;
}

/**
 * finack_hooks_want() - a namespace begins or ceases to need hooks of functions
 * @begin: those it begins to need, a bit per &enum finack_hook_id
 * @cease: those it ceases to need
 * @need: those it cannot do without, begun now or before
 *
 * May sleep. Return: 0; -EOPNOTSUPP if one of @need cannot be armed: then nothing has changed.
 */
int finack_hooks_want(unsigned int begin, unsigned int cease, unsigned int need)
{
	int err = 0;

	if (!begin && !cease && !need)
		return 0;
	mutex_lock(&want_lock);
	count_wanting(begin, 1);
	count_wanting(cease, -1);
	update_functions();
	if (lacks(need)) {
		err = -EOPNOTSUPP;
		count_wanting(begin, -1);
		count_wanting(cease, 1);
		update_functions();
	}
	mutex_unlock(&want_lock);
	return err;
}

static void set_ready(bool is)
{
	mutex_lock(&want_lock);
	ready = is;
	update_functions();
	mutex_unlock(&want_lock);
}

/**
 * finack_entry_of() - where a function is entered
 * @symbol: its name
 *
 * A disabled kprobe tells. Return: the place, or 0 if there is none.
 */
unsigned long finack_entry_of(const char *symbol)
{
	struct kprobe kp = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };

	if (register_kprobe(&kp))
		return 0;
	unregister_kprobe(&kp);
	return (unsigned long)kp.addr;
}

/**
 * finack_hooks_init() - attach to the kernel
 * @absent: name of a hook, or symbol, to treat as absent, for tests; empty for none
 *
 * Return: 0, or an error if a required hook cannot be attached, which is logged.
 */
int finack_hooks_init(const char *absent)
{
	unsigned int i;

	absent_hook = absent;
	for_each_kernel_tracepoint(find_hook, (void *)absent);
	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		struct finack_hook *h = &finack_hooks[i];

		if (!h->handler || !attach_tracepoint(h))
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
	finack_hooks_resolve(absent);
	set_ready(true);
	return 0;
}

/** finack_hooks_exit() - detach; no handler runs any more when it returns */
void finack_hooks_exit(void)
{
	set_ready(false);
	detach_tracepoints();
}

/**
 * finack_hook_name() - the symbol of a hook
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
	if (h->armed)
		return "armed";
	if (h->err == -ENOENT)
		return h->handler ? "absent: this kernel has no such tracepoint" :
				    "absent: this kernel has no such function";
	if (h->err)
		return "failed: the kernel refused to attach it";
	return ready ? "off: no namespace needs it" : "off: not attached yet";
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

	mutex_lock(&want_lock);
	*view = (struct finack_hook_view){
		.status = status_of(h),
		.symbol = h->symbol ?: h->name,
		.kind = h->handler ? "tracepoint" : h->kind ?: "none",
		.missed = h->missed,
	};
	if (is_function(h) && h->armed) {
		view->kind = kind_of(&h->rp.kp);
		view->missed += missed_now(h);
	}
	mutex_unlock(&want_lock);
	for_each_possible_cpu(cpu)
		view->hits += READ_ONCE(per_cpu(finack_hook_hits, cpu)[i]);
}
