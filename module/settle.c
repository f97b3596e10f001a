// SPDX-License-Identifier: GPL-2.0-only
/* Counts what became of a passive close, and emits its trace event. */
#include "hist.h"
#include "learn.h"
#include "net.h"
#include "port.h"
#include "reason.h"
#include "settle.h"
#include "track.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static void forget(struct finack_net *fn, const struct sock *sk, struct finack_rec *rec)
{
	if (unlikely(rec->waiting))
		atomic_dec(&fn->late);
	finack_track_free(sk, rec, finack_share_of(fn, rec->unheld));
}

static u64 since(const struct finack_rec *rec, u64 ns)
{
	return max_t(s64, ns - rec->fin_ns, 0);
}

/**
 * finack_settle() - count an outcome
 * @fn: the namespace
 * @rec: the record, without an outcome
 * @outcome: FINACK_MERGED, FINACK_SEPARATE or FINACK_UNACKED
 * @reason: of Separate: FINACK_SEP_*
 * @ack_ns: when the segment that covers the peer's FIN left, 0 if that is not known
 */
void finack_settle(struct finack_net *fn, struct finack_rec *rec, enum finack_mib_id outcome,
		   enum finack_mib_id reason, u64 ack_ns)
{
	finack_inc(fn, outcome);
	finack_port_inc(rec->row, (int)outcome);
	rec->outcome = outcome;
	if (outcome == FINACK_MERGED && rec->held == FINACK_HELD_BACK)
		finack_inc(fn, FINACK_HELD_MERGED);
	if (!READ_ONCE(fn->knobs.detail))
		return;
	if (outcome == FINACK_SEPARATE) {
		finack_inc(fn, reason);
		rec->reason = reason;
	}
	if (ack_ns) {
		rec->ack_ns = ack_ns;
		finack_hist_add(fn->mib, FINACK_HIST_ACK, finack_hist_us(since(rec, ack_ns)));
	}
}

/**
 * finack_unsettle() - take an outcome back
 * @fn: the namespace
 * @rec: the record, with an outcome
 *
 * The ACK did not leave: tcp_send_ack() had no memory.
 */
void finack_unsettle(struct finack_net *fn, struct finack_rec *rec)
{
	finack_port_dec(rec->row, rec->outcome);
	finack_dec(fn, rec->outcome);
	if (rec->reason)
		finack_dec(fn, rec->reason);
	if (rec->ack_ns)
		finack_hist_sub(fn->mib, FINACK_HIST_ACK, finack_hist_us(since(rec, rec->ack_ns)));
	rec->outcome = 0;
	rec->reason = 0;
	rec->ack_ns = 0;
}

/**
 * finack_settle_covered() - count as Separate a FIN that is ACKed without a hook having seen it
 * @fn: the namespace
 * @sk: the socket, locked
 * @rec: its record, without an outcome
 * @ack_now: another pure ACK is about to leave
 */
void finack_settle_covered(struct finack_net *fn, struct sock *sk, struct finack_rec *rec,
			   bool ack_now)
{
	u64 ack_ns;
	enum finack_mib_id reason = finack_reason_covered(sk, rec, ack_now, &ack_ns);

	finack_settle(fn, rec, FINACK_SEPARATE, reason, ack_ns);
}

static void trace_end(struct sock *sk, const struct finack_rec *rec, u64 fin_ns)
{
	struct finack_end end = {
		.outcome = rec->outcome,
		.reason = rec->reason,
		.end = rec->end,
		.ack_delay = rec->ack_ns ? since(rec, rec->ack_ns) : -1,
		.fin_delay = fin_ns ? since(rec, fin_ns) : -1,
	};

	trace_finack_close(sk, &end);
}

/**
 * finack_settle_end() - end a close of which all but the delay of our FIN is counted
 * @fn: the namespace
 * @sk: the socket, locked
 * @rec: its record, which is freed
 * @fin_ns: when our FIN left, 0 if it did not or the time is not known
 */
void finack_settle_end(struct finack_net *fn, struct sock *sk, struct finack_rec *rec, u64 fin_ns)
{
	if (fin_ns)
		finack_hist_add(fn->mib, FINACK_HIST_FIN, finack_hist_us(since(rec, fin_ns)));
	if (trace_finack_close_enabled())
		trace_end(sk, rec, fin_ns);
	if (unlikely(rec->learn))
		finack_learn_close(fn, rec, fin_ns);
	forget(fn, sk, rec);
}

/**
 * finack_settle_untracked() - a close without a record is over: count its outcome
 * @fn: the namespace
 * @sk: the socket, locked
 * @outcome: FINACK_MERGED, FINACK_SEPARATE or FINACK_UNACKED
 * @how: FINACK_END_*, which has been counted
 */
void finack_settle_untracked(struct finack_net *fn, struct sock *sk, enum finack_mib_id outcome,
			     enum finack_mib_id how)
{
	struct finack_end end = {
		.outcome = outcome,
		.end = how,
		.ack_delay = -1,
		.fin_delay = -1,
	};

	finack_inc(fn, outcome);
	if (outcome == FINACK_SEPARATE && READ_ONCE(fn->knobs.detail)) {
		finack_inc(fn, FINACK_SEP_UNKNOWN);
		end.reason = FINACK_SEP_UNKNOWN;
	}
	trace_finack_close(sk, &end);
}
