// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks: which points of the kernel finack is attached to, and whether each is.
 *
 * The outcome tier uses kernel tracepoints, found by name. They also fire for other protocols that
 * use the inet states (MPTCP, DCCP, SCTP); a handler looks at TCP only. The detail tier uses
 * kprobes at the entry of functions, armed only while some namespace wants details.
 *
 * A hook is required or optional: without a required one the module does not load, without an
 * optional one it says so in sysfs.
 */
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/tracepoint.h>
#include <trace/events/sock.h>
#include <trace/events/tcp.h>

#include "finack.h"

enum {
	HOOK_STATE,
	HOOK_RETRANSMIT,
	HOOK_DESTROY,
	HOOK_ACK,
	HOOK_TIMER,
	__HOOK_MAX
};

static DEFINE_PER_CPU(unsigned long [__HOOK_MAX], hook_hits);

/* sock:inet_sock_set_state, arguments as in include/trace/events/sock.h */
static void on_set_state(void *data, const struct sock *sk, const int old, const int new)
{
	this_cpu_inc(hook_hits[HOOK_STATE]);
	if (sk->sk_protocol == IPPROTO_TCP)
		finack_close_state((struct sock *)sk, old, new);
}

/* tcp:tcp_retransmit_skb: until 6.12 it fires on success only, later it has the error, too */
static void on_retransmit(void *data, const struct sock *sk, const struct sk_buff *skb)
{
	this_cpu_inc(hook_hits[HOOK_RETRANSMIT]);
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
	this_cpu_inc(hook_hits[HOOK_DESTROY]);
	finack_close_destroy(sk);
}

/* the socket that a hooked function is called with */
static struct sock *first_arg(struct pt_regs *regs)
{
	return (struct sock *)regs_get_kernel_argument(regs, 0);
}

NOKPROBE_SYMBOL(first_arg);

static int on_send_ack(struct kprobe *kp, struct pt_regs *regs)
{
	this_cpu_inc(hook_hits[HOOK_ACK]);
	finack_close_ack(first_arg(regs));
	return 0;
}

NOKPROBE_SYMBOL(on_send_ack);

static int on_delack_timer(struct kprobe *kp, struct pt_regs *regs)
{
	this_cpu_inc(hook_hits[HOOK_TIMER]);
	finack_close_timer(first_arg(regs));
	return 0;
}

NOKPROBE_SYMBOL(on_delack_timer);

static_assert(__same_type(tcp_send_ack, void (struct sock *)));
static_assert(__same_type(tcp_delack_timer_handler, void (struct sock *)));

/**
 * struct hook - a tracepoint or a function, and the handler attached to it
 * @name: its name
 * @handler: of a tracepoint: called with its arguments, after one that is NULL here
 * @pre_handler: of a function: called when it is entered
 * @required: the module does not load without it
 * @tp: the tracepoint, NULL until found
 * @kp: how the function is hooked
 * @kind: of a function: how the kernel does it, NULL until it was armed
 * @missed: of a function: times it was missed while it was armed earlier
 * @armed: attached now
 * @err: 0, or why it could not be attached
 */
struct hook {
	const char *name;
	void *handler;
	kprobe_pre_handler_t pre_handler;
	bool required;
	struct tracepoint *tp;
	struct kprobe kp;
	const char *kind;
	unsigned long missed;
	bool armed;
	int err;
};

static struct hook hooks[] = {
	[HOOK_STATE]	= {
		.name = "inet_sock_set_state", .handler = on_set_state, .required = true,
	},
	[HOOK_RETRANSMIT] = {
		.name = "tcp_retransmit_skb", .required = true,
		.handler = RETRANSMIT_HAS_ERR ? (void *)on_retransmit_err : on_retransmit,
	},
	[HOOK_DESTROY]	= { .name = "tcp_destroy_sock", .handler = on_destroy },
	[HOOK_ACK]	= { .name = "tcp_send_ack", .pre_handler = on_send_ack },
	[HOOK_TIMER]	= { .name = "tcp_delack_timer_handler", .pre_handler = on_delack_timer },
};

static_assert(ARRAY_SIZE(hooks) == __HOOK_MAX);

static_assert(FITS(inet_sock_set_state, on_set_state));
static_assert(FITS(tcp_retransmit_skb, on_retransmit) || RETRANSMIT_HAS_ERR);
static_assert(FITS(tcp_destroy_sock, on_destroy));

/* Namespaces that want details; the kprobes are armed while there are any, and hooks may be. */
static DEFINE_MUTEX(want_lock);
static unsigned int wanting;
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

static void arm(struct hook *h)
{
	h->kp = (struct kprobe){ .symbol_name = h->name, .pre_handler = h->pre_handler };
	h->err = strcmp(h->name, absent_hook) ? register_kprobe(&h->kp) : -ENOENT;
	h->armed = !h->err;
	if (h->err)
		pr_warn("cannot attach to the function %s: error %d; going on without\n",
			h->name, h->err);
}

static void disarm(struct hook *h)
{
	h->armed = false;
	h->kind = kind_of(&h->kp);
	unregister_kprobe(&h->kp); /* its handler never runs again */
	h->missed += h->kp.nmissed;
}

/* arms and disarms as wanted; want_lock held */
static void update_kprobes(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct hook *h = &hooks[i];

		if (!h->pre_handler || h->armed == (ready && wanting))
			continue;
		if (h->armed)
			disarm(h);
		else
			arm(h);
	}
}

/**
 * finack_hooks_want() - namespaces begin or cease to want details
 * @namespaces: how many begin; negative: cease
 *
 * May sleep.
 */
void finack_hooks_want(int namespaces)
{
	bool was;

	mutex_lock(&want_lock);
	was = wanting;
	wanting += namespaces;
	if (was != !!wanting)
		update_kprobes();
	mutex_unlock(&want_lock);
}

static void set_ready(bool is)
{
	mutex_lock(&want_lock);
	ready = is;
	update_kprobes();
	mutex_unlock(&want_lock);
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
	set_ready(true);
	return 0;
}

/** finack_hooks_exit() - detach; no handler runs any more when it returns */
void finack_hooks_exit(void)
{
	set_ready(false);
	detach_tracepoints();
}

/** finack_hooks_count() - Return: the number of hooks, attached or not */
unsigned int finack_hooks_count(void)
{
	return ARRAY_SIZE(hooks);
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
	return "off: no namespace has net.finack.detail=1";
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
	if (h->pre_handler && h->armed) {
		view->kind = kind_of(&h->kp);
		view->missed += h->kp.nmissed;
	}
	mutex_unlock(&want_lock);
	for_each_possible_cpu(cpu)
		view->hits += READ_ONCE(per_cpu(hook_hits, cpu)[i]);
}
