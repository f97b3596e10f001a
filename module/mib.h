/* SPDX-License-Identifier: GPL-2.0-only */
/* What is counted. */
#ifndef FINACK_MIB_H
#define FINACK_MIB_H

struct finack_net;
struct seq_file;

/**
 * enum finack_mib_id - the counters, each with the exact condition that moves it
 * @FINACK_PASSIVE: a FIN was accepted from the peer in ESTABLISHED or SYN_RECV
 * @FINACK_MERGED: the first segment whose ACK covers that FIN carries our own FIN
 * @FINACK_SEPARATE: the first segment whose ACK covers that FIN carries no FIN
 * @FINACK_UNACKED: the connection ended before any segment of ours but a RST covered that FIN
 * @FINACK_SEP_TIMER: separate: the delayed-ACK timer expired
 * @FINACK_SEP_NO_ATO: separate: the timer expired on a connection that never carried data to us
 * @FINACK_SEP_ROUTE: separate: the route asks for quick ACKs
 * @FINACK_SEP_NOW: separate: any other immediate ACK on receive
 * @FINACK_SEP_APP: separate: a system call sent the ACK
 * @FINACK_SEP_DATA: separate: the ACK rode on data
 * @FINACK_SEP_POLICY: separate: a control of finack sent the ACK
 * @FINACK_SEP_HELD: separate: a hold of finack ran out
 * @FINACK_SEP_UNKNOWN: separate: nothing saw the ACK leave
 * @FINACK_END_CLOSE: CLOSE_WAIT ended with our FIN, sent by the last close()
 * @FINACK_END_SHUTDOWN: CLOSE_WAIT ended with our FIN, sent by shutdown()
 * @FINACK_END_EXIT: CLOSE_WAIT ended with our FIN, sent because the process exited
 * @FINACK_END_RESET_IN: CLOSE_WAIT ended with a RST from the peer
 * @FINACK_END_RESET_OUT: CLOSE_WAIT ended with a RST of ours
 * @FINACK_END_OTHER: CLOSE_WAIT ended without FIN or RST (a timeout)
 * @FINACK_ACTIVE: we closed first (FIN_WAIT1 entered)
 * @FINACK_ACTIVE_MERGED: the segment that ACKed our FIN carried the peer's
 * @FINACK_ACTIVE_SEPARATE: the peer's FIN reached our socket after the ACK of ours
 * @FINACK_ACTIVE_HALF: the peer ACKed our FIN; its own had not come when our socket ended
 * @FINACK_SIMULTANEOUS: the peer's FIN came before the ACK of ours (CLOSING entered)
 * @FINACK_UNTRACKED: a passive close that found the record table full
 * @FINACK_EARLIER: CLOSE_WAIT left by a close that began before the module was loaded
 * @FINACK_FORCED: fin_ack=1 sent the ACK of a FIN that the kernel wanted to delay
 * @FINACK_HELD: fin_ack=2 kept the ACK of a FIN back when it would have left, or let it go sooner
 * @FINACK_HELD_MERGED: an ACK that was held left with our FIN
 * @FINACK_QUICKACK: quickack sent an ACK that the kernel wanted to delay
 * @FINACK_CLAMPED: delack_min_ms or delack_max_ms moved the delayed-ACK timer
 * @FINACK_TIMER_ACK: the delayed-ACK timer sent an ACK of data, the peer's FIN not accepted yet
 * @FINACK_QUICK_AUTO: of the ACKs that quickack sent, those for which quickack=2 spent a credit
 * @FINACK_WASTED: quickack=2: the timer sent an ACK of data, and no data came while it ran
 */
enum finack_mib_id {
	FINACK_PASSIVE,
	FINACK_MERGED,
	FINACK_SEPARATE,
	FINACK_UNACKED,
	FINACK_SEP_TIMER,
	FINACK_SEP_NO_ATO,
	FINACK_SEP_ROUTE,
	FINACK_SEP_NOW,
	FINACK_SEP_APP,
	FINACK_SEP_DATA,
	FINACK_SEP_POLICY,
	FINACK_SEP_HELD,
	FINACK_SEP_UNKNOWN,
	FINACK_END_CLOSE,
	FINACK_END_SHUTDOWN,
	FINACK_END_EXIT,
	FINACK_END_RESET_IN,
	FINACK_END_RESET_OUT,
	FINACK_END_OTHER,
	FINACK_ACTIVE,
	FINACK_ACTIVE_MERGED,
	FINACK_ACTIVE_SEPARATE,
	FINACK_ACTIVE_HALF,
	FINACK_SIMULTANEOUS,
	FINACK_UNTRACKED,
	FINACK_EARLIER,
	FINACK_FORCED,
	FINACK_HELD,
	FINACK_HELD_MERGED,
	FINACK_QUICKACK,
	FINACK_CLAMPED,
	FINACK_TIMER_ACK,
	FINACK_QUICK_AUTO,
	FINACK_WASTED,
	__FINACK_MIB_MAX
};

/**
 * enum finack_hist_id - the histograms
 * @FINACK_HIST_ACK: from the peer's FIN to the segment that covers it; detail tier
 * @FINACK_HIST_FIN: from the peer's FIN to our own
 */
enum finack_hist_id {
	FINACK_HIST_ACK,
	FINACK_HIST_FIN,
	__FINACK_HIST_MAX
};

/* the last bucket but one ends at 2^32 us, 71.6 minutes */
#define FINACK_HIST_BUCKETS 34

/**
 * struct finack_hist - one CPU's share of a histogram of delays
 * @count: per bucket, see hist.c
 * @sum: of all delays, in microseconds
 */
struct finack_hist {
	unsigned long count[FINACK_HIST_BUCKETS];
	unsigned long sum;
};

/**
 * struct finack_mib - one CPU's share of a namespace's counters
 * @count: by enum finack_mib_id
 * @hist: by enum finack_hist_id
 */
struct finack_mib {
	unsigned long count[__FINACK_MIB_MAX];
	struct finack_hist hist[__FINACK_HIST_MAX];
};

int finack_mib_init(struct finack_net *fn);
void finack_mib_exit(struct finack_net *fn);
void finack_mib_free(void);
unsigned long finack_mib_count(const struct finack_net *fn, enum finack_mib_id id);
unsigned long finack_mib_close_wait(const struct finack_net *fn);
void finack_mib_show(struct seq_file *seq, const struct finack_net *fn);
void finack_mib_line(struct seq_file *seq, const char *name, unsigned long value);

#endif
