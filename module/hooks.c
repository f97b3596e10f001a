// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks: which points of the kernel finack is attached to, and whether each is.
 *
 * All are kernel tracepoints, found by name. They also fire for other protocols that use the inet
 * states (MPTCP, DCCP, SCTP); a handler looks at TCP only. A hook is required or optional: without
 * a required one the module does not load, without an optional one it says so in sysfs.
 */
#include <linux/tracepoint.h>
#include <trace/events/sock.h>
#include <trace/events/tcp.h>

#include "finack.h"

enum {
	HOOK_STATE,
	HOOK_RETRANSMIT,
	HOOK_DESTROY,
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

/**
 * struct hook - a tracepoint and the handler attached to it
 * @name: the tracepoint's name
 * @handler: called with its arguments, after one that is NULL here
 * @required: the module does not load without it
 * @tp: the tracepoint, NULL until found
 * @err: 0 while attached, else why it is not
 */
struct hook {
	const char *name;
	void *handler;
	bool required;
	struct tracepoint *tp;
	int err;
};

static struct hook hooks[] = {
	[HOOK_STATE]	= { "inet_sock_set_state",	on_set_state,	true },
	[HOOK_RETRANSMIT] = { "tcp_retransmit_skb", RETRANSMIT_HAS_ERR ?
			      (void *)on_retransmit_err : on_retransmit,	true },
	[HOOK_DESTROY]	= { "tcp_destroy_sock",		on_destroy,	false },
};

static_assert(ARRAY_SIZE(hooks) == __HOOK_MAX);

static_assert(FITS(inet_sock_set_state, on_set_state));
static_assert(FITS(tcp_retransmit_skb, on_retransmit) || RETRANSMIT_HAS_ERR);
static_assert(FITS(tcp_destroy_sock, on_destroy));

static void find_hook(struct tracepoint *tp, void *absent)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!strcmp(tp->name, hooks[i].name) && strcmp(tp->name, absent))
			hooks[i].tp = tp;
}

static void detach(unsigned int n)
{
	while (n--)
		if (!hooks[n].err)
			tracepoint_probe_unregister(hooks[n].tp, hooks[n].handler, NULL);
	/* a handler may still run until here, and then never again */
	tracepoint_synchronize_unregister();
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

	for_each_kernel_tracepoint(find_hook, (void *)absent);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct hook *h = &hooks[i];

		h->err = h->tp ? tracepoint_probe_register(h->tp, h->handler, NULL) : -ENOENT;
		if (!h->err)
			continue;
		if (h->required) {
			pr_err("cannot attach to the tracepoint %s, which is required: error %d%s\n",
			       h->name, h->err, h->tp ? "" : " (there is none of that name)");
			detach(i);
			return h->err;
		}
		pr_warn("cannot attach to the tracepoint %s: error %d; going on without\n",
			h->name, h->err);
	}
	return 0;
}

/** finack_hooks_exit() - detach; no handler runs any more when it returns */
void finack_hooks_exit(void)
{
	detach(ARRAY_SIZE(hooks));
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

/**
 * finack_hook_view() - the state of a hook
 * @i: which
 * @view: filled in
 */
void finack_hook_view(unsigned int i, struct finack_hook_view *view)
{
	int cpu;

	*view = (struct finack_hook_view){
		.status = hooks[i].err ? "absent: this kernel has no such tracepoint" : "armed",
		.kind = "tracepoint",
	};
	if (hooks[i].tp && hooks[i].err)
		view->status = "failed: the kernel refused to attach it";
	for_each_possible_cpu(cpu)
		view->hits += READ_ONCE(per_cpu(hook_hits, cpu)[i]);
}
