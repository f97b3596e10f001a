// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a run was what the experiment describes, by our own clocks and the capture.
 *
 * A side does at once what follows on a segment, on the end of a sleep, or on what it did before.
 * If it comes later than the claim allows for, because others had the CPU, the kernel was given
 * another experiment. And if the lab itself was kept from running while an ACK was due, the timer
 * of the kernel may have been kept, too. Both say nothing about the claim.
 */
#include <string.h>

#include "lab.h"

void lab_stall(struct lab_result *r, uint64_t from, uint64_t to)
{
	if (r->stalls < LAB_STALLS_MAX)
		r->stall[r->stalls++] = (struct stall){ from, to };
}

double lab_stalled_ms(const struct lab_result *r, uint64_t from, uint64_t to)
{
	uint64_t begin, end, sum = 0;
	size_t i;

	for (i = 0; i < r->stalls; i++) {
		begin = r->stall[i].from > from ? r->stall[i].from : from;
		end = r->stall[i].to < to ? r->stall[i].to : to;
		sum += end > begin ? end - begin : 0;
	}
	return sum / 1e6;
}

double lab_longest_stall_ms(const struct lab_result *r)
{
	uint64_t longest = 0;
	size_t i;

	for (i = 0; i < r->stalls; i++)
		if (r->stall[i].to - r->stall[i].from > longest)
			longest = r->stall[i].to - r->stall[i].from;
	return longest / 1e6;
}

/* what came in before does not matter to the claim */
static uint64_t claim_begins(const struct lab_result *r)
{
	if (r->e->from_data || r->e->shows.outcome == WIRE_SIMULTANEOUS)
		return 0;
	return r->conn->seg[r->close.fin].ns;
}

/* If the FIN was ACKed before a side was late, that is not why. */
static uint64_t claim_ends(const struct lab_result *r)
{
	return claim_begins(r) && r->close.ack < r->conn->n ? r->conn->seg[r->close.ack].ns :
	       UINT64_MAX;
}

/* @due, or the time of the last segment that woke @side before @now; @k goes through the capture */
static uint64_t woken(const struct wire_conn *c, enum lab_side side, uint64_t now, size_t *k,
		      uint64_t due)
{
	const struct wire_seg *s;

	for (; *k < c->n && c->seg[*k].ns <= now; ++*k) {
		s = &c->seg[*k];
		if (s->side != side && !s->again && (s->len || s->flags & (WIRE_FIN | WIRE_RST)) &&
		    s->ns > due)
			due = s->ns;
	}
	return due;
}

/* How late the passive closer was with all that it did after a segment came in, until the FIN was
 * ACKed. A read() that no segment ended may have waited.
 */
static uint64_t reaction_ns(const struct lab_result *r, enum lab_side side)
{
	int i, notes = atomic_load(&r->shared->notes);
	uint64_t last = 0, due, until, late = 0, most = 0;
	const uint64_t begin = claim_begins(r), end = claim_ends(r);
	const bool server = side == LAB_SERVER;
	const struct note *n;
	size_t k = 0;

	for (i = 0; i < notes && i < NOTES_MAX; i++) {
		n = &r->shared->note[i];
		if (n->server != server)
			continue;
		due = woken(r->conn, side, n->ns, &k, last);
		if (due > last)
			late = 0;
		until = n->ns < end ? n->ns : end;
		if (due && until > due && (due > last || strncmp(n->text, "read()", 6)))
			late += until - due;
		if (due >= begin && late > most)
			most = late;
		last = n->ns + n->sleep_ms * 1000000ULL;
	}
	return most;
}

/* how much too long the active closer slept, where that matters */
static uint64_t oversleep_ns(const struct lab_result *r, enum lab_side side)
{
	int i, notes = atomic_load(&r->shared->notes);
	const bool server = side == LAB_SERVER;
	const struct note *n;
	uint64_t most = 0;

	for (i = 0; i < notes && i < NOTES_MAX; i++) {
		n = &r->shared->note[i];
		if (n->server == server && n->late_ns > most)
			most = n->late_ns;
	}
	return most;
}

double lab_late_ms(const struct lab_result *r, enum lab_side side)
{
	const bool passive = r->close.active >= 0 && r->close.active != (int)side;

	return (passive ? reaction_ns(r, side) : oversleep_ns(r, side)) / 1e6;
}
