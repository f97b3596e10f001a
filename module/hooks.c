// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks: which points of the kernel finack is attached to, and whether each is.
 *
 * The outcome tier uses kernel tracepoints, found by name. They also fire for other protocols that
 * use the inet states (MPTCP, DCCP, SCTP); a handler looks at TCP only. The detail tier and the
 * controls use kprobes at the entry of functions, and one at the return, armed only while some
 * namespace needs them.
 *
 * A hook is required or optional: without a required one the module does not load, without an
 * optional one it says so in sysfs, and a control that needs it cannot be set.
 *
 * A control changes which function of the kernel runs: the handler points the registers at another
 * one that the kernel calls there itself, so that no code of the module is on the stack of what
 * follows.
 */
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/tracepoint.h>
#include <trace/events/sock.h>
#include <trace/events/tcp.h>

#include "compat.h"
#include "finack.h"

static DEFINE_PER_CPU(unsigned long [__FINACK_HOOK_MAX], hook_hits);

/* sock:inet_sock_set_state, arguments as in include/trace/events/sock.h */
static void on_set_state(void *data, const struct sock *sk, const int old, const int new)
{
	this_cpu_inc(hook_hits[FINACK_HOOK_STATE]);
	if (sk->sk_protocol == IPPROTO_TCP)
		finack_close_state((struct sock *)sk, old, new);
}

/* tcp:tcp_retransmit_skb: until 6.12 it fires on success only, later it has the error, too */
static void on_retransmit(void *data, const struct sock *sk, const struct sk_buff *skb)
{
	this_cpu_inc(hook_hits[FINACK_HOOK_RETRANSMIT]);
	if (sk->sk_protocol == IPPROTO_TCP)
		finack_close_retransmit((struct sock *)sk, skb);
}

static void on_retransmit_err(void *data, const struct sock *sk, const struct sk_buff *skb,
			      int err)
{
	if (!err)
		on_retransmit(data, sk, skb);
}

/* whether the kernel's own prototype of a tracepoint's handler is that of a handler here */
#define FITS(_tracepoint, _handler)							\
	__same_type(check_trace_callback_type_##_tracepoint,				\
		    *(void (*)(typeof(_handler) *))NULL)

#define RETRANSMIT_HAS_ERR	FITS(tcp_retransmit_skb, on_retransmit_err)

/* tcp:tcp_destroy_sock, arguments as in include/trace/events/tcp.h */
static void on_destroy(void *data, struct sock *sk)
{
	this_cpu_inc(hook_hits[FINACK_HOOK_DESTROY]);
	finack_close_destroy(sk);
}

/* the socket that a hooked function is called with */
static struct sock *first_arg(struct pt_regs *regs)
{
	return (struct sock *)regs_get_kernel_argument(regs, 0);
}

NOKPROBE_SYMBOL(first_arg);

/* Where functions that take the place of others are entered; they are not exported. */
static unsigned long send_ack_entry;
static unsigned long send_delayed_ack_entry;

/* A function is replaced by one with the same argument alone: what else runs at its entry, such as
 * the trampoline of a BPF program, keeps no other.
 */
static int run_instead(struct pt_regs *regs, unsigned long entry)
{
	instruction_pointer_set(regs, entry);
	return 1;
}

NOKPROBE_SYMBOL(run_instead);

static int on_send_ack(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = first_arg(regs);

	this_cpu_inc(hook_hits[FINACK_HOOK_ACK]);
	if (finack_policy_holds(sk, false))
		return run_instead(regs, send_delayed_ack_entry);
	finack_close_ack(sk);
	return 0;
}

NOKPROBE_SYMBOL(on_send_ack);

static int on_delack_timer(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = first_arg(regs);

	this_cpu_inc(hook_hits[FINACK_HOOK_TIMER]);
	if (finack_policy_holds(sk, true))
		return run_instead(regs, send_delayed_ack_entry);
	finack_close_timer(sk);
	return 0;
}

NOKPROBE_SYMBOL(on_delack_timer);

static int on_delay(struct kprobe *kp, struct pt_regs *regs)
{
	this_cpu_inc(hook_hits[FINACK_HOOK_DELAY]);
	if (!finack_policy_sends_now(first_arg(regs)))
		return 0;
	return run_instead(regs, send_ack_entry);
}

NOKPROBE_SYMBOL(on_delay);

/* what the entry of tcp_send_delayed_ack() keeps for its return */
struct delayed {
	struct sock *sk;
	struct finack_delack before;
};

static int on_delayed_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct delayed *d = (void *)ri->data;

	this_cpu_inc(hook_hits[FINACK_HOOK_DELAYED]);
	d->sk = first_arg(regs);
	return !finack_policy_bounds(d->sk, &d->before);
}

NOKPROBE_SYMBOL(on_delayed_entry);

static int on_delayed(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct delayed *d = (void *)ri->data;

	finack_policy_bound(d->sk, &d->before);
	return 0;
}

NOKPROBE_SYMBOL(on_delayed);

static_assert(__same_type(tcp_send_ack, void (struct sock *)));
static_assert(__same_type(tcp_delack_timer_handler, void (struct sock *)));
static_assert(__same_type(tcp_send_delayed_ack, void (struct sock *)));

/**
 * struct hook - a tracepoint or a function, and the handler attached to it
 * @name: its name
 * @handler: of a tracepoint: called with its arguments, after one that is NULL here
 * @symbol: of a function: its name, if several hooks are on it
 * @pre_handler: of a function: called when it is entered
 * @returns: of a function: it is hooked for its return, too
 * @required: the module does not load without it
 * @tp: the tracepoint, NULL until found
 * @rp: how the function is hooked; only its kprobe is used unless @returns is set
 * @wanting: of a function: namespaces that need it
 * @kind: of a function: how the kernel does it, NULL until it was armed
 * @missed: of a function: times it was missed while it was armed earlier
 * @armed: attached now
 * @err: 0, or why it could not be attached
 * @warned: that was logged
 */
struct hook {
	const char *name;
	const char *symbol;
	void *handler;
	kprobe_pre_handler_t pre_handler;
	bool returns;
	bool required;
	struct tracepoint *tp;
	struct kretprobe rp;
	unsigned int wanting;
	const char *kind;
	unsigned long missed;
	bool armed;
	int err;
	bool warned;
};

static struct hook hooks[] = {
	[FINACK_HOOK_STATE]	= {
		.name = "inet_sock_set_state", .handler = on_set_state, .required = true,
	},
	[FINACK_HOOK_RETRANSMIT] = {
		.name = "tcp_retransmit_skb", .required = true,
		.handler = RETRANSMIT_HAS_ERR ? (void *)on_retransmit_err : on_retransmit,
	},
	[FINACK_HOOK_DESTROY]	= { .name = "tcp_destroy_sock", .handler = on_destroy },
	[FINACK_HOOK_ACK]	= { .name = "tcp_send_ack", .pre_handler = on_send_ack },
	[FINACK_HOOK_TIMER]	= {
		.name = "tcp_delack_timer_handler", .pre_handler = on_delack_timer,
	},
	[FINACK_HOOK_DELAY]	= { .name = "tcp_send_delayed_ack", .pre_handler = on_delay },
	[FINACK_HOOK_DELAYED]	= {
		.name = "tcp_send_delayed_ack_return", .symbol = "tcp_send_delayed_ack",
		.returns = true,
	},
};

static_assert(ARRAY_SIZE(hooks) == __FINACK_HOOK_MAX);

static_assert(FITS(inet_sock_set_state, on_set_state));
static_assert(FITS(tcp_retransmit_skb, on_retransmit) || RETRANSMIT_HAS_ERR);
static_assert(FITS(tcp_destroy_sock, on_destroy));

static bool is_function(const struct hook *h)
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

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (hooks[i].handler && !strcmp(tp->name, hooks[i].name) &&
		    strcmp(tp->name, absent))
			hooks[i].tp = tp;
}

static int attach_tracepoint(struct hook *h)
{
	h->err = h->tp ? tracepoint_probe_register(h->tp, h->handler, NULL) : -ENOENT;
	h->armed = !h->err;
	return h->err;
}

static void detach_tracepoints(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (hooks[i].handler && hooks[i].armed)
			tracepoint_probe_unregister(hooks[i].tp, hooks[i].handler, NULL);
		hooks[i].armed = hooks[i].armed && !hooks[i].handler;
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

static int attach_function(struct hook *h)
{
	const char *symbol = h->symbol ?: h->name;

	if (!strcmp(h->name, absent_hook))
		return -ENOENT;
	if ((h->pre_handler == on_delay && !send_ack_entry) ||
	    (h->returns && !send_delayed_ack_entry))
		return -EOPNOTSUPP;
	h->rp = (struct kretprobe){ .kp.symbol_name = symbol };
	if (h->returns) {
		h->rp.handler = on_delayed;
		h->rp.entry_handler = on_delayed_entry;
		h->rp.data_size = sizeof(struct delayed);
		h->rp.maxactive = 8 * num_possible_cpus();
		return register_kretprobe(&h->rp);
	}
	h->rp.kp.pre_handler = h->pre_handler;
	if (!IS_ENABLED(CONFIG_KPROBES_ON_FTRACE))
		h->rp.kp.post_handler = no_jump;
	return register_kprobe(&h->rp.kp);
}

static void arm(struct hook *h)
{
	h->err = attach_function(h);
	h->armed = !h->err;
	if (h->err && !h->warned)
		pr_warn("cannot attach to the function %s: error %d; going on without\n",
			h->symbol ?: h->name, h->err);
	h->warned = h->err;
}

static unsigned long missed_now(const struct hook *h)
{
	return h->rp.kp.nmissed + (h->returns ? h->rp.nmissed : 0);
}

static void disarm(struct hook *h)
{
	h->armed = false;
	h->kind = kind_of(&h->rp.kp);
	/* its handler never runs again */
	if (h->returns)
		unregister_kretprobe(&h->rp);
	else
		unregister_kprobe(&h->rp.kp);
	h->missed += missed_now(h);
}

/* arms and disarms as wanted; want_lock held */
static void update_functions(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct hook *h = &hooks[i];

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

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (set & BIT(i))
			hooks[i].wanting += by;
}

/* whether one of these could not be armed */
static bool lacks(unsigned int set)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (set & BIT(i) && hooks[i].err)
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

/* A disabled kprobe tells where a function is entered. Return: the place, or 0. */
static unsigned long entry_of(const char *symbol)
{
	struct kprobe kp = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };

	if (register_kprobe(&kp))
		return 0;
	unregister_kprobe(&kp);
	return (unsigned long)kp.addr;
}

/**
 * finack_hooks_init() - attach to the kernel
 * @absent: name of a hook to treat as absent, for tests; empty for none
 *
 * Return: 0, or an error if a required hook cannot be attached, which is logged.
 */
int finack_hooks_init(const char *absent)
{
	unsigned int i;

	absent_hook = absent;
	for_each_kernel_tracepoint(find_hook, (void *)absent);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct hook *h = &hooks[i];

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
	send_ack_entry = entry_of("tcp_send_ack");
	send_delayed_ack_entry = entry_of("tcp_send_delayed_ack");
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
	return hooks[i].name;
}

static const char *status_of(const struct hook *h)
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
	struct hook *h = &hooks[i];
	int cpu;

	mutex_lock(&want_lock);
	*view = (struct finack_hook_view){
		.status = status_of(h),
		.kind = h->handler ? "tracepoint" : h->kind ?: "none",
		.missed = h->missed,
	};
	if (is_function(h) && h->armed) {
		view->kind = kind_of(&h->rp.kp);
		view->missed += missed_now(h);
	}
	mutex_unlock(&want_lock);
	for_each_possible_cpu(cpu)
		view->hits += READ_ONCE(per_cpu(hook_hits, cpu)[i]);
}
