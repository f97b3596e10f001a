// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks: which points of the kernel finack is attached to, and what runs there.
 *
 * The outcome tier uses kernel tracepoints. They also fire for other protocols that use the inet
 * states (MPTCP, DCCP, SCTP); a handler looks at TCP only. The detail tier and the controls hook
 * the entry of functions, by ftrace where the kernel gives its handlers the arguments, else by
 * kprobes, and one function's return by a kretprobe.
 *
 * A control changes which function of the kernel runs. The handler sets the instruction pointer to
 * another function that the kernel calls in such places itself. So no code of the module is on the
 * stack of what follows.
 */
#include <trace/events/sock.h>
#include <trace/events/tcp.h>

#include "close.h"
#include "hooks.h"
#include "learn.h"
#include "policy.h"
#include "stall.h"

DEFINE_PER_CPU(unsigned long [__FINACK_HOOK_MAX], finack_hook_hits);

/* sock:inet_sock_set_state, arguments as in include/trace/events/sock.h. Changes of state that open
 * a connection are not counted as hits.
 */
static notrace void on_set_state(void *data, const struct sock *sk, const int old, const int new)
{
	/* the mask changes nothing, and spares the check of UBSAN_SHIFT */
	if (!(1 << (new & 31) & FINACK_CLOSE_STATES))
		return;
	this_cpu_inc(finack_hook_hits[FINACK_HOOK_STATE]);
	if (sk->sk_protocol == IPPROTO_TCP)
		finack_close_state((struct sock *)sk, old, new);
}

/* tcp:tcp_retransmit_skb: until 6.12 it fires on success only, later it passes the error, too */
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

/* whether a handler has the prototype that the kernel declares for its tracepoint */
#define FITS(_tracepoint, _handler)							\
	__same_type(check_trace_callback_type_##_tracepoint,				\
		    *(void (*)(typeof(_handler) *))NULL)

#define RETRANSMIT_HAS_ERR	FITS(tcp_retransmit_skb, on_retransmit_err)

/* tcp:tcp_probe, at the entry of tcp_rcv_established(); later kernels have the segment const */
static void on_segment(void *data, struct sock *sk, const struct sk_buff *skb)
{
	this_cpu_inc(finack_hook_hits[FINACK_HOOK_SEGMENTS]);
	preempt_disable_notrace();
	finack_stall_segment(sk, skb);
	preempt_enable_notrace();
}

static void on_segment_not_const(void *data, struct sock *sk, struct sk_buff *skb)
{
	on_segment(data, sk, skb);
}

#define SEGMENT_IS_CONST	FITS(tcp_probe, on_segment)

/* Most ACKs belong to no close. This check lets them go without a call. */
static __always_inline bool is_closing(const struct sock *sk)
{
	return 1 << sk->sk_state & (TCPF_CLOSE_WAIT | TCPF_LAST_ACK);
}

/*
 * The handlers of functions. Each gets the socket that the function was called with, and returns
 * the address of the function to run instead, or 0 to run the hooked one. Both functions take the
 * socket and nothing else: other code at the same entry, such as a BPF trampoline, saves only the
 * arguments of the hooked function. Handlers run with preemption off.
 */

/* whether another function may be run: an inherited knob can be set before its hook is armed */
static __always_inline bool steers(enum finack_hook_id hook)
{
	return READ_ONCE(finack_hooks[hook].level_now) == FINACK_LEVEL_STEER;
}

static noinline unsigned long send_ack_of_closing(struct sock *sk)
{
	if (steers(FINACK_HOOK_ACK) && finack_policy_holds(sk, false))
		return finack_hooks[FINACK_HOOK_ACK].target;
	finack_close_ack(sk);
	return 0;
}

NOKPROBE_SYMBOL(send_ack_of_closing);

static noinline unsigned long delack_timer(struct sock *sk)
{
	if (!is_closing(sk)) {
		if (finack_timer_sends(sk)) {
			finack_stall_timer(sk);
			finack_learn_timer(sk);
		}
		return 0;
	}
	if (steers(FINACK_HOOK_TIMER) && finack_policy_holds(sk, true))
		return finack_hooks[FINACK_HOOK_TIMER].target;
	finack_close_timer(sk);
	return 0;
}

NOKPROBE_SYMBOL(delack_timer);

static noinline unsigned long delay_of_any(struct sock *sk)
{
	return finack_policy_sends_now(sk) ? finack_hooks[FINACK_HOOK_DELAY].target : 0;
}

NOKPROBE_SYMBOL(delay_of_any);

/* the socket that a hooked function is called with */
static __always_inline struct sock *first_arg(struct pt_regs *regs)
{
	return (struct sock *)regs_get_kernel_argument(regs, 0);
}

/* @any: call the handler for any socket, not only for one that is closing */
static __always_inline int by_kprobe(enum finack_hook_id hook, struct pt_regs *regs, bool any,
				     unsigned long (*handler)(struct sock *sk))
{
	struct sock *sk = first_arg(regs);
	unsigned long to;

	this_cpu_inc(finack_hook_hits[hook]);
	if (!any && !is_closing(sk))
		return 0;
	to = handler(sk);
	if (!to)
		return 0;
	instruction_pointer_set(regs, to);
	return 1;
}

static int send_ack_kprobe(struct kprobe *kp, struct pt_regs *regs)
{
	return by_kprobe(FINACK_HOOK_ACK, regs, false, send_ack_of_closing);
}

NOKPROBE_SYMBOL(send_ack_kprobe);

static int delack_timer_kprobe(struct kprobe *kp, struct pt_regs *regs)
{
	return by_kprobe(FINACK_HOOK_TIMER, regs, true, delack_timer);
}

NOKPROBE_SYMBOL(delack_timer_kprobe);

static int delay_kprobe(struct kprobe *kp, struct pt_regs *regs)
{
	return by_kprobe(FINACK_HOOK_DELAY, regs, true, delay_of_any);
}

NOKPROBE_SYMBOL(delay_kprobe);

/* Two ops that steer must not have a function in common: one for each, no two of the same code. */
#define OWN(_name, _n)									\
static noinline void _name(void)							\
{											\
	asm volatile("" : : "i" (_n));							\
}

OWN(own_of_ack, 1)
OWN(own_of_timer, 2)
OWN(own_of_delay, 3)

#ifdef FINACK_FTRACE_OPS
DEFINE_PER_CPU(unsigned long, finack_canary_by_ftrace);

/* Whether @ip is at the entry of the hook's function. Some architectures patch not the first
 * instruction but one of the next.
 */
static __always_inline bool enters(unsigned long ip, const struct finack_hook *h)
{
	return ip - h->entry < 4 * MCOUNT_INSN_SIZE;
}

static __always_inline void on_entry_of(const struct finack_hook *h, struct ftrace_ops *op,
					struct ftrace_regs *fregs, bool any,
					unsigned long (*handler)(struct sock *sk))
{
	struct sock *sk = (struct sock *)ftrace_regs_get_argument(fregs, 0);
	unsigned long to;

	this_cpu_inc(finack_hook_hits[h - finack_hooks]);
	if (!any && !is_closing(sk))
		return;
	/* while a hook goes from one ops to another, both call this */
	if (unlikely(op != READ_ONCE(h->active)))
		return;
	preempt_disable_notrace();
	to = handler(sk);
	preempt_enable_notrace();
	if (to)
		ftrace_regs_set_instruction_pointer(fregs, to);
}

/**
 * finack_on_entry() - a hooked function is entered, or the canary of carrier.c
 * @ip: where in the function
 * @parent_ip: from where it was called
 * @op: the ops that call this
 * @fregs: its arguments, and where to continue
 */
notrace void finack_on_entry(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *op,
			     struct ftrace_regs *fregs)
{
	if (enters(ip, &finack_hooks[FINACK_HOOK_ACK]))
		on_entry_of(&finack_hooks[FINACK_HOOK_ACK], op, fregs, false,
			    send_ack_of_closing);
	else if (enters(ip, &finack_hooks[FINACK_HOOK_DELAY]))
		on_entry_of(&finack_hooks[FINACK_HOOK_DELAY], op, fregs, true, delay_of_any);
	else if (enters(ip, &finack_hooks[FINACK_HOOK_TIMER]))
		on_entry_of(&finack_hooks[FINACK_HOOK_TIMER], op, fregs, true, delack_timer);
	else
		this_cpu_inc(finack_canary_by_ftrace);
}
#endif

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
		.watch = FINACK_WANT_NONE, .steer = FINACK_WANT_NONE,
	},
	[FINACK_HOOK_RETRANSMIT] = {
		.name = "tcp_retransmit_skb", .required = true,
		.watch = FINACK_WANT_NONE, .steer = FINACK_WANT_NONE,
		.handler = RETRANSMIT_HAS_ERR ? (void *)on_retransmit_err : on_retransmit,
	},
	/* tcp_send_ack() is inlined in its own file: in tcp_send_delayed_ack(), which sends when
	 * the timer is about to fire, and since 6.7 in tcp_release_cb(). If gcc splits
	 * __tcp_send_ack(), all callers share __tcp_send_ack.part.0, whose first argument is still
	 * the socket. Then every pure ACK passes there.
	 */
	[FINACK_HOOK_ACK]	= {
		.name = "tcp_send_ack", .part = "__tcp_send_ack.part.0",
		.instead = "tcp_send_delayed_ack",
		.watch = FINACK_WANT_ACK, .steer = FINACK_WANT_HOLD_ACK,
		.pre_handler = send_ack_kprobe, .own = own_of_ack,
	},
	[FINACK_HOOK_TIMER]	= {
		.name = "tcp_delack_timer_handler", .instead = "tcp_send_delayed_ack",
		.watch = FINACK_WANT_TIMER, .steer = FINACK_WANT_HOLD_TIMER,
		.pre_handler = delack_timer_kprobe, .own = own_of_timer,
	},
	[FINACK_HOOK_DELAY]	= {
		.name = "tcp_send_delayed_ack", .instead = "tcp_send_ack",
		.watch = FINACK_WANT_NONE, .steer = FINACK_WANT_DELAY,
		.pre_handler = delay_kprobe, .own = own_of_delay,
	},
	[FINACK_HOOK_DELAYED]	= {
		.name = "tcp_send_delayed_ack_return", .symbol = "tcp_send_delayed_ack",
		.watch = FINACK_WANT_DELAYED, .steer = FINACK_WANT_NONE,
		.entry_handler = on_delayed_entry, .return_handler = on_delayed,
		.data_size = sizeof(struct delayed),
	},
	[FINACK_HOOK_SEGMENTS]	= {
		.name = "tcp_probe",
		.handler = SEGMENT_IS_CONST ? (void *)on_segment : on_segment_not_const,
		.watch = FINACK_WANT_SEGMENTS, .steer = FINACK_WANT_NONE,
	},
};

static_assert(FITS(inet_sock_set_state, on_set_state));
static_assert(FITS(tcp_retransmit_skb, on_retransmit) || RETRANSMIT_HAS_ERR);
static_assert(FITS(tcp_probe, on_segment_not_const) || SEGMENT_IS_CONST);
