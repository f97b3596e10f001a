// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks: which points of the kernel finack is attached to, and what runs there.
 *
 * The outcome tier uses kernel tracepoints. They also fire for other protocols that use the inet
 * states (MPTCP, DCCP, SCTP); a handler looks at TCP only. The detail tier and the controls use
 * kprobes at the entry of functions, and one at the return.
 *
 * A control changes which function of the kernel runs: the handler points the registers at another
 * one that the kernel calls there itself, so that no code of the module is on the stack of what
 * follows.
 */
#include <trace/events/sock.h>
#include <trace/events/tcp.h>

#include "hooks.h"

DEFINE_PER_CPU(unsigned long [__FINACK_HOOK_MAX], finack_hook_hits);

/* sock:inet_sock_set_state, arguments as in include/trace/events/sock.h */
static void on_set_state(void *data, const struct sock *sk, const int old, const int new)
{
	this_cpu_inc(finack_hook_hits[FINACK_HOOK_STATE]);
	if (sk->sk_protocol == IPPROTO_TCP && finack_close_has(old, new))
		finack_close_state((struct sock *)sk, old, new);
}

/* tcp:tcp_retransmit_skb: until 6.12 it fires on success only, later it has the error, too */
static void on_retransmit(void *data, const struct sock *sk, const struct sk_buff *skb)
{
	this_cpu_inc(finack_hook_hits[FINACK_HOOK_RETRANSMIT]);
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
	this_cpu_inc(finack_hook_hits[FINACK_HOOK_DESTROY]);
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

/* Most ACKs are none of a FIN, and are found out here, without a call. */
static __always_inline bool is_closing(const struct sock *sk)
{
	return 1 << sk->sk_state & (TCPF_CLOSE_WAIT | TCPF_LAST_ACK);
}

static int on_send_ack(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = first_arg(regs);

	this_cpu_inc(finack_hook_hits[FINACK_HOOK_ACK]);
	if (!is_closing(sk))
		return 0;
	if (finack_policy_holds(sk, false))
		return run_instead(regs, send_delayed_ack_entry);
	finack_close_ack(sk);
	return 0;
}

NOKPROBE_SYMBOL(on_send_ack);

static int on_delack_timer(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = first_arg(regs);

	this_cpu_inc(finack_hook_hits[FINACK_HOOK_TIMER]);
	if (!is_closing(sk))
		return 0;
	if (finack_policy_holds(sk, true))
		return run_instead(regs, send_delayed_ack_entry);
	finack_close_timer(sk);
	return 0;
}

NOKPROBE_SYMBOL(on_delack_timer);

static int on_delay(struct kprobe *kp, struct pt_regs *regs)
{
	this_cpu_inc(finack_hook_hits[FINACK_HOOK_DELAY]);
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

	this_cpu_inc(finack_hook_hits[FINACK_HOOK_DELAYED]);
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

struct finack_hook finack_hooks[] = {
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
	[FINACK_HOOK_DELAY]	= {
		.name = "tcp_send_delayed_ack", .pre_handler = on_delay, .target = &send_ack_entry,
	},
	[FINACK_HOOK_DELAYED]	= {
		.name = "tcp_send_delayed_ack_return", .symbol = "tcp_send_delayed_ack",
		.entry_handler = on_delayed_entry, .return_handler = on_delayed,
		.data_size = sizeof(struct delayed), .target = &send_delayed_ack_entry,
	},
};

static_assert(FITS(inet_sock_set_state, on_set_state));
static_assert(FITS(tcp_retransmit_skb, on_retransmit) || RETRANSMIT_HAS_ERR);
static_assert(FITS(tcp_destroy_sock, on_destroy));

/**
 * finack_hooks_resolve() - find what depends on how this kernel was compiled
 * @absent: symbol to treat as absent, for tests; empty for none
 *
 * tcp_send_ack() is inlined in its own file: in tcp_send_delayed_ack(), which sends when the timer
 * is about to fire, and since 6.7 in tcp_release_cb(). gcc splits what it consists of, and all
 * callers then share __tcp_send_ack.part.0, the first argument first. Where that is, every pure ACK
 * passes.
 */
void finack_hooks_resolve(const char *absent)
{
	static const char part[] = "__tcp_send_ack.part.0";

	send_ack_entry = finack_entry_of("tcp_send_ack");
	send_delayed_ack_entry = finack_entry_of("tcp_send_delayed_ack");
	if (strcmp(part, absent) && finack_entry_of(part))
		finack_hooks[FINACK_HOOK_ACK].symbol = part;
}
