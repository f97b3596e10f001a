/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the module share. Each section is one file's public face. */
#ifndef FINACK_H
#define FINACK_H

#include <linux/bitmap.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/tcp.h>

#include "mib.h"

/* mib.c: the counters of one network namespace */

/**
 * struct finack_ports - a list of ports
 * @rcu: to free it
 * @bit: one per port
 */
struct finack_ports {
	struct rcu_head rcu;
	DECLARE_BITMAP(bit, 65536);
};

/**
 * struct finack_knobs - the knobs of a namespace, as in /proc/sys/net/finack/
 * @detail: reasons and ACK delays are wanted
 * @fin_ack: the ACK of the peer's FIN: FINACK_FIN_ACK_*
 * @fin_hold_ms: how long it is held at most
 * @quickack: no ACK is delayed
 * @delack_min_ms: the least delay of a delayed ACK, 0 for the kernel's own
 * @delack_max_ms: the most, 0 for the kernel's own
 * @ports: the controls apply to connections with one of these ports, local or remote; NULL for all
 */
struct finack_knobs {
	int detail;
	int fin_ack;
	int fin_hold_ms;
	int quickack;
	int delack_min_ms;
	int delack_max_ms;
	struct finack_ports __rcu *ports;
};

/* values of fin_ack */
enum {
	FINACK_FIN_ACK_KERNEL,
	FINACK_FIN_ACK_NOW,
	FINACK_FIN_ACK_HOLD,
};

/**
 * struct finack_net - what finack keeps for one network namespace
 * @mib: the counters
 * @untracked: passive closes without a record that are in CLOSE_WAIT now
 * @tracked: records in use
 * @late: those of closes in LAST_ACK whose FIN had to wait
 * @knobs: the knobs; written under a lock of knobs.c, read plainly
 * @table: the namespace's sysctl table
 * @sysctl: where it is registered
 * @files: the namespace's files in sysfs, NULL if there are none
 */
struct finack_net {
	struct finack_mib __percpu *mib;
	atomic_t untracked;
	atomic_t tracked;
	atomic_t late;
	struct finack_knobs knobs;
	struct ctl_table *table;
	struct ctl_table_header *sysctl;
	struct finack_net_file *files;
};

extern unsigned int finack_net_id;

struct finack_net *finack_net(const struct net *net);
int finack_mib_init(struct finack_net *fn);
void finack_mib_exit(struct finack_net *fn);
unsigned int finack_mib_rows(void);
const char *finack_mib_name(unsigned int row);
unsigned long finack_mib_value(const struct finack_net *fn, unsigned int row);
const char *finack_reason_name(enum finack_mib_id reason);

struct seq_file;
void finack_mib_show(struct seq_file *seq, const struct finack_net *fn);

static inline void finack_inc(const struct finack_net *fn, enum finack_mib_id id)
{
	this_cpu_inc(fn->mib->count[id]);
}

/* only to take back what turned out not to have happened */
static inline void finack_dec(const struct finack_net *fn, enum finack_mib_id id)
{
	this_cpu_dec(fn->mib->count[id]);
}

/* A socket's namespace for hooks, or NULL if it is going. The data is freed a grace period after it
 * began to go, so it may be used until preemption is on again. Handlers of kprobes run with it off;
 * those of tracepoints are to see to it themselves (since 7.x the kernel does not).
 */
static inline struct finack_net *finack_net_of(const struct sock *sk)
{
	const struct net *net = sock_net(sk);

	return check_net(net) ? rcu_dereference_sched(net->gen)->ptr[finack_net_id] : NULL;
}

/* hist.c: the delays */

void finack_hist_add(const struct finack_net *fn, enum finack_hist_id id, u64 ns);
void finack_hist_sub(const struct finack_net *fn, enum finack_hist_id id, u64 ns);
void finack_hist_show(struct seq_file *seq, const struct finack_net *fn);

/* track.c: one record per passive close */

/**
 * struct finack_rec - a passive close, from the peer's FIN until our own has left
 * @sk: the socket, never dereferenced through here; NULL while the record is free
 * @net: its namespace, to drop what is left when that goes
 * @fin_ns: when the FIN was accepted (tcp_sock::tcp_clock_cache)
 * @ack_ns: when the segment that covers it left, if that is in the histogram; else 0
 * @next: index + 1 of the next record of the bucket, or of the free list
 * @segs_out: tcp_sock::segs_out when the FIN was accepted, later when ours was queued
 * @data_segs_out: tcp_sock::data_segs_out at the same times
 * @snd_nxt: tcp_sock::snd_nxt when the FIN was accepted
 * @segs: of finack_fin_leaves_now() when our FIN was queued, the peer's not ACKed; else 0
 * @outcome: enum finack_mib_id once it is counted, 0 until then
 * @reason: enum finack_mib_id if one was counted
 * @end: enum finack_mib_id once it is counted
 * @cause: the reason, once it is known that an ACK is about to leave; see finack_reason_ack()
 * @waiting: our FIN was queued and did not leave at once
 * @held: what fin_ack=2 did to the ACK: FINACK_HELD_*
 * @data_waits: data before the FIN was waiting for its ACK
 * @ack_due: and that was about to leave, see finack_delack_is_due()
 * @deferred: the ACK of the FIN leaves when the backlog is done, see finack_ack_deferred()
 *
 * Belongs to whoever holds the socket's lock.
 */
struct finack_rec {
	struct sock *sk;
	struct net *net;
	u64 fin_ns;
	u64 ack_ns;
	u32 next;
	u32 segs_out;
	u32 data_segs_out;
	u32 snd_nxt;
	u32 segs;
	u8 outcome;
	u8 reason;
	u8 end;
	u8 cause;
	bool waiting;
	u8 held;
	bool data_waits;
	bool ack_due;
	bool deferred;
};

static_assert(sizeof(struct finack_rec) <= 64);

/* values of finack_rec::held */
enum {
	FINACK_HELD_NOT,
	FINACK_HELD_SHORT,	/* it is to leave sooner than the kernel had it */
	FINACK_HELD_BACK,	/* counted as Held */
};

int finack_track_init(unsigned int max);
void finack_track_exit(void);
struct finack_rec *finack_track_add(struct sock *sk, unsigned int tracked);
struct finack_rec *finack_track_find(const struct sock *sk);
bool finack_track_del(const struct sock *sk);
void finack_track_purge(const struct net *net);
unsigned int finack_track_count(void);
unsigned int finack_track_top(void);
struct sock *finack_track_get(unsigned int i, const struct net *net, struct finack_rec *copy);

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

bool finack_delack_is_due(const struct sock *sk);
bool finack_fin_left(const struct sock *sk, const struct finack_rec *rec);
u64 finack_sent_ns(const struct sock *sk, u32 seq, bool last);
bool finack_fin_leaves_now(const struct sock *sk, u32 *segs);
enum finack_mib_id finack_outcome_late(const struct sock *sk, const struct finack_rec *rec,
				       const struct sk_buff *again);
enum finack_mib_id finack_end_by_fin(const struct sock *sk);
enum finack_mib_id finack_end_without_fin(const struct sock *sk);
bool finack_reset_sent_first(const struct sock *sk, const struct finack_rec *rec);
void finack_active_half(const struct sock *sk);
enum finack_mib_id finack_active_outcome(const struct sock *sk);

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

/* the states that a close goes through */
#define FINACK_CLOSE_STATES	(TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_FIN_WAIT1 |		\
				 TCPF_FIN_WAIT2 | TCPF_CLOSING | TCPF_CLOSE)

/* Whether a change of state belongs to a close. Most do not, and are found out without a call.
 * close() after shutdown() "changes" LAST_ACK, FIN_WAIT1 and CLOSING to themselves.
 */
static inline bool finack_close_has(int old, int new)
{
	return 1 << new & FINACK_CLOSE_STATES && old != new &&
	       (new != TCP_CLOSE || 1 << old & FINACK_CLOSE_STATES);
}

void finack_close_state(struct sock *sk, int old, int new);
void finack_close_retransmit(struct sock *sk, const struct sk_buff *skb);
void finack_close_destroy(struct sock *sk);
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

enum finack_hook_id {
	FINACK_HOOK_STATE,
	FINACK_HOOK_RETRANSMIT,
	FINACK_HOOK_DESTROY,
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
 * @kind: "tracepoint"; of a function "ftrace", "jump" or "breakpoint", "none" until it was armed
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

int finack_hooks_init(const char *absent);
void finack_hooks_exit(void);
int finack_hooks_want(unsigned int begin, unsigned int cease, unsigned int need);
const char *finack_hook_name(unsigned int i);
void finack_hook_view(unsigned int i, struct finack_hook_view *view);

/* knobs.c: the knobs, whichever way they are set */

extern bool finack_inherit;

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
