/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the module share. Each section is one file's public face. */
#ifndef FINACK_H
#define FINACK_H

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#include "mib.h"
#include "net.h"
#include "track.h"

/* mib.c: the counters of one network namespace */

int finack_mib_init(struct finack_net *fn);
void finack_mib_exit(struct finack_net *fn);
void finack_mib_free(void);
unsigned long finack_mib_count(const struct finack_net *fn, enum finack_mib_id id);
unsigned long finack_mib_close_wait(const struct finack_net *fn);
const char *finack_reason_name(enum finack_mib_id reason);

struct seq_file;
void finack_mib_show(struct seq_file *seq, const struct finack_net *fn);

/* hist.c: the delays */

static inline u64 finack_hist_us(u64 ns)
{
	return div_u64(ns, NSEC_PER_USEC);
}

/* bucket 0: below 1 us; i: from 2^(i-1) to below 2^i us; the last one: the rest */
static inline unsigned int finack_hist_bucket(u64 us)
{
	return min(fls64(us), FINACK_HIST_BUCKETS - 1);
}

/**
 * finack_hist_add() - enter a delay
 * @mib: the namespace's counters
 * @id: which histogram
 * @us: the delay, in microseconds
 */
static inline void finack_hist_add(struct finack_mib __percpu *mib, enum finack_hist_id id, u64 us)
{
	this_cpu_inc(mib->hist[id].count[finack_hist_bucket(us)]);
	this_cpu_add(mib->hist[id].sum, us);
}

void finack_hist_sub(const struct finack_net *fn, enum finack_hist_id id, u64 ns);
void finack_hist_show(struct seq_file *seq, const struct finack_net *fn);

/* decide.c: what a socket says of itself */

/**
 * finack_fin_acked() - whether a segment of ours has covered the peer's FIN
 * @sk: the socket, in CLOSE_WAIT or LAST_ACK
 *
 * Every segment sent with an ACK sets rcv_wup to rcv_nxt (tcp_select_window).
 *
 * DCTCP can send an ACK of what came before a segment while it takes that segment in, FIN included
 * (dctcp_ece_ack_update), and then this is true too soon; but then it also asks for an ACK of the
 * segment at once, which leaves before anything can ask here.
 *
 * Return: true if so.
 */
static inline bool finack_fin_acked(const struct sock *sk)
{
	return tcp_sk(sk)->rcv_wup == tcp_sk(sk)->rcv_nxt;
}

/**
 * finack_end_by_fin() - who sends our FIN
 * @sk: the socket, going from CLOSE_WAIT to LAST_ACK
 *
 * In close() the last reference to the file is gone: this runs from __fput(). In shutdown() the
 * caller still holds one. A socket without a file is the kernel's own and counts as closed.
 *
 * Return: FINACK_END_CLOSE, FINACK_END_SHUTDOWN or FINACK_END_EXIT.
 */
static inline enum finack_mib_id finack_end_by_fin(const struct sock *sk)
{
	const struct socket *sock = sk->sk_socket;
	struct file *file = sock ? READ_ONCE(sock->file) : NULL;

	if (unlikely(file && file_count(file)))
		return FINACK_END_SHUTDOWN;
	return unlikely(current->flags & PF_EXITING) && in_task() ? FINACK_END_EXIT :
								    FINACK_END_CLOSE;
}

/**
 * finack_fin_goes_alone() - whether our FIN surely leaves at once, in a segment of its own
 * @sk: the socket, just before tcp_send_fin()
 *
 * Nothing is queued, nothing is in flight, the peer's window is open and the socket is not paced:
 * of what finack_fin_leaves_now() asks, this is what most connections answer.
 *
 * Return: true if so; else ask finack_fin_leaves_now().
 */
static inline bool finack_fin_goes_alone(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return skb_queue_empty(&sk->sk_write_queue) && !tp->packets_out &&
	       !after(tp->write_seq + 1, tcp_wnd_end(tp)) &&
	       sk->sk_pacing_status != SK_PACING_NEEDED;
}

bool finack_delack_is_due(const struct sock *sk);
bool finack_fin_left(const struct sock *sk, const struct finack_rec *rec);
u64 finack_sent_ns(const struct sock *sk, u32 seq, bool last);
bool finack_fin_leaves_now(const struct sock *sk, u32 *segs);
enum finack_mib_id finack_outcome_late(const struct sock *sk, const struct finack_rec *rec,
				       const struct sk_buff *again);
enum finack_mib_id finack_end_without_fin(const struct sock *sk);
bool finack_reset_sent_first(const struct sock *sk, const struct finack_rec *rec);

/* The last socket that entered FIN_WAIT2 on a CPU, and the arrival of the segment that did it: the
 * low halves of the socket's address and of its tcp_clock_cache. One word, so that an interrupt
 * finds both or neither.
 */
DECLARE_PER_CPU(u64, finack_half_closed);

static inline u64 finack_half_of(const struct sock *sk)
{
	return (u64)(u32)(unsigned long)sk << 32 | (u32)tcp_sk(sk)->tcp_clock_cache;
}

/**
 * finack_active_half() - the peer ACKs our FIN
 * @sk: the socket, going from FIN_WAIT1 to FIN_WAIT2
 */
static inline void finack_active_half(const struct sock *sk)
{
	this_cpu_write(finack_half_closed, finack_half_of(sk));
}

/**
 * finack_active_outcome() - what the peer did when we closed first
 * @sk: the socket, going from FIN_WAIT2 to CLOSE
 *
 * SOCK_DONE tells whether its FIN came to this socket, or was left to the TIME_WAIT minisock.
 * The ACK of ours came in the same segment if the clock of segment arrival (tcp_mstamp) stands
 * where it stood when something of ours was last delivered. Those clocks count microseconds; the
 * one kept when FIN_WAIT2 was entered, on this CPU as a rule, counts nanoseconds.
 *
 * Return: FINACK_ACTIVE_MERGED, FINACK_ACTIVE_SEPARATE or FINACK_ACTIVE_HALF.
 */
static inline enum finack_mib_id finack_active_outcome(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u64 half = this_cpu_read(finack_half_closed), now = finack_half_of(sk);

	if (!sock_flag(sk, SOCK_DONE))
		return FINACK_ACTIVE_HALF;
	if (tp->delivered_mstamp != tp->tcp_mstamp)
		return FINACK_ACTIVE_SEPARATE;
	/* the same socket, at another time */
	if (half != now && upper_32_bits(half) == upper_32_bits(now))
		return FINACK_ACTIVE_SEPARATE;
	return FINACK_ACTIVE_MERGED;
}

/* reason.c: why an ACK left by itself */

bool finack_ack_deferred(const struct sock *sk);
enum finack_mib_id finack_reason_timer(const struct sock *sk, const struct finack_rec *rec);
enum finack_mib_id finack_reason_ack(const struct sock *sk, const struct finack_rec *rec);
enum finack_mib_id finack_reason_covered(const struct sock *sk, const struct finack_rec *rec,
					 bool ack_now, u64 *ns);

/* trace.h: the trace event */

/**
 * struct finack_end - what became of a passive close
 * @outcome: FINACK_MERGED, FINACK_SEPARATE or FINACK_UNACKED
 * @reason: why separate; 0 for none
 * @end: FINACK_END_*
 * @ack_delay: nanoseconds; negative if not known, or no segment covered the FIN
 * @fin_delay: nanoseconds; negative if not known, or our FIN did not leave
 */
struct finack_end {
	enum finack_mib_id outcome;
	enum finack_mib_id reason;
	enum finack_mib_id end;
	s64 ack_delay;
	s64 fin_delay;
};

/* close.c: what happens at each transition; called by the hooks, with the socket locked */

/* The states that a close goes through. Most changes of state belong to no close and are found out
 * without a call: those that open a connection.
 */
#define FINACK_CLOSE_STATES	(TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_FIN_WAIT1 |		\
				 TCPF_FIN_WAIT2 | TCPF_CLOSING | TCPF_CLOSE)

void finack_close_active(struct sock *sk, int old);
void finack_close_simultaneous(struct sock *sk, int old);
void finack_close_fin_accepted(struct sock *sk, int old);
void finack_close_fin_queued(struct sock *sk, int old);
void finack_close_ended(struct sock *sk, int old);

/**
 * finack_close_state() - a TCP socket is about to change its state
 * @sk: the socket, locked
 * @old: its state
 * @new: the state to come, one of FINACK_CLOSE_STATES
 */
static __always_inline void finack_close_state(struct sock *sk, int old, int new)
{
	/* CLOSE is the most frequent, and lies in the middle of the others' numbers */
	if (new == TCP_CLOSE)
		finack_close_ended(sk, old);
	else if (new < TCP_CLOSE && new == TCP_FIN_WAIT2)
		finack_active_half(sk);
	else if (new < TCP_CLOSE)
		finack_close_active(sk, old);
	else if (new == TCP_CLOSE_WAIT)
		finack_close_fin_accepted(sk, old);
	else if (new == TCP_LAST_ACK)
		finack_close_fin_queued(sk, old);
	else
		finack_close_simultaneous(sk, old);
}

static_assert(TCP_FIN_WAIT1 < TCP_CLOSE && TCP_FIN_WAIT2 < TCP_CLOSE &&
	      TCP_CLOSE_WAIT > TCP_CLOSE && TCP_LAST_ACK > TCP_CLOSE && TCP_CLOSING > TCP_CLOSE);

void finack_close_retransmit(struct sock *sk, const struct sk_buff *skb);
void finack_close_ack(struct sock *sk);
void finack_close_timer(struct sock *sk);

/* policy.c: the controls; called by the hooks, with the socket locked */

/**
 * struct finack_delack - the delayed-ACK timer of a socket
 * @pending: it was armed
 * @expires: when it was to fire, in jiffies
 */
struct finack_delack {
	bool pending;
	unsigned long expires;
};

bool finack_policy_sends_now(struct sock *sk);
bool finack_policy_holds(struct sock *sk, bool timer);
bool finack_policy_bounds(struct sock *sk, struct finack_delack *before);
void finack_policy_bound(struct sock *sk, const struct finack_delack *before);

/* hooks.c, attach.c: where finack is attached to the kernel */

/**
 * enum finack_want - what a namespace can want of the hooks on functions
 * @FINACK_WANT_ACK: pure ACKs are seen to leave
 * @FINACK_WANT_TIMER: the delayed-ACK timer is seen to fire
 * @FINACK_WANT_HOLD_ACK: what is about to leave can be held
 * @FINACK_WANT_HOLD_TIMER: what the timer is about to send can be held
 * @FINACK_WANT_DELAY: an ACK that is about to be delayed can be sent
 * @FINACK_WANT_DELAYED: the delay of an ACK can be changed
 */
enum finack_want {
	FINACK_WANT_ACK,
	FINACK_WANT_TIMER,
	FINACK_WANT_HOLD_ACK,
	FINACK_WANT_HOLD_TIMER,
	FINACK_WANT_DELAY,
	FINACK_WANT_DELAYED,
	__FINACK_WANT_MAX
};

enum finack_hook_id {
	FINACK_HOOK_STATE,
	FINACK_HOOK_RETRANSMIT,
	FINACK_HOOK_ACK,
	FINACK_HOOK_TIMER,
	FINACK_HOOK_DELAY,
	FINACK_HOOK_DELAYED,
	__FINACK_HOOK_MAX
};

/**
 * struct finack_hook_view - a hook as sysfs shows it
 * @status: "armed", or why it is not
 * @symbol: the tracepoint, or the function in the kernel
 * @kind: "tracepoint"; of a function "ftrace_ops", or of a kprobe there "ftrace", "jump" or
 *	"breakpoint"; "none" until it was armed
 * @hits: times the handler ran
 * @missed: times the kernel could not run it
 */
struct finack_hook_view {
	const char *status;
	const char *symbol;
	const char *kind;
	unsigned long hits;
	unsigned long missed;
};

#define FINACK_LINGER_MAX 3600
extern unsigned int finack_linger;

int finack_hooks_init(const char *carrier, const char *absent);
void finack_hooks_exit(void);
void finack_hooks_free(void);
int finack_hooks_want(unsigned int begin, unsigned int need);
void finack_hooks_begin(unsigned int wants);
void finack_hooks_cease(unsigned int wants);
void finack_hooks_look(void);
const char *finack_hook_name(unsigned int i);
void finack_hook_view(unsigned int i, struct finack_hook_view *view);

/* knobs.c: the knobs, whichever way they are set */

extern bool finack_inherit;
extern bool finack_userns_hooks;

int finack_knobs_init(struct net *net);
void finack_knobs_exit(struct net *net);
unsigned int finack_knob_rows(void);
const char *finack_knob_name(unsigned int row);
int finack_knob_io(struct finack_net *fn, unsigned int row, int write, void *buffer, size_t *lenp,
		   loff_t *ppos);

/* sysctl.c: the knobs in /proc/sys */

int finack_sysctl_init(struct net *net);
void finack_sysctl_exit(struct net *net);

/* procfs.c, waiting.c, sysfs.c: the readers */

int finack_proc_net_init(struct net *net);
void finack_proc_net_exit(struct net *net);
struct proc_dir_entry *finack_waiting_init(struct net *net);
void finack_sysfs_init(void);
void finack_sysfs_exit(void);
void finack_sysfs_net_init(struct net *net);
void finack_sysfs_net_exit(struct net *net);

#endif
