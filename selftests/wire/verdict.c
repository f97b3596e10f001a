// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "read/counters.h"
#include "lab/wire.h"
#include "verdict.h"

static int failures;

static void compare(const char *what, uint64_t wire, uint64_t counted)
{
	printf("# %-20s %8" PRIu64 " expected, %8" PRIu64 " counted\n", what, wire, counted);
	failures += wire != counted;
}

/* Unless they are flipped, the controls are off and do nothing. While they change all the time, it
 * is not known what they have to do, but their counters must fit each other.
 */
static void judge_controls(const struct counters *c, bool flipping)
{
	static const char * const names[] = {
		"FinAckForced", "FinAckHeld", "FinAckHeldMerged", "FinAckQuickAck", "FinAckClamped",
		"FinAckSepPolicy", "FinAckSepHeld", "FinAckQuickAuto", "FinAckWasted"
	};
	uint64_t v[9];
	int i;

	for (i = 0; i < 9; i++) {
		v[i] = counters_get(c, names[i]);
		printf("# %-20s %8" PRIu64 "\n", names[i], v[i]);
		failures += !flipping && v[i];
	}
	if (v[2] + v[6] > v[1] || v[5] > v[0] + v[3] || v[7] > v[3]) {
		printf("# the controls' counters do not fit\n");
		failures++;
	}
}

/* With several CPUs, two segments of the peer can reach our socket in another order than they were
 * sent in, 100 ms apart on a busy host. What the peer did is counted as our socket saw it. The
 * capture is from our interface, so its order is that of arrival.
 * Return: how the answer to our FIN came; @k->outcome is how it was sent
 */
static enum wire_outcome as_received(const struct wire_conn *c, const struct wire_close *k)
{
	const size_t ours = k->active == 1 ? k->fin : k->own_fin;
	const size_t theirs = k->active == 1 ? k->own_fin : k->fin;
	const uint32_t end = c->seg[ours].seq + c->seg[ours].len + 1;
	size_t acked = 0;

	while (acked < c->n && (c->seg[acked].side == 1 || !(c->seg[acked].flags & WIRE_ACK) ||
				c->seg[acked].ack != end))
		acked++;
	if (acked == theirs)
		return WIRE_MERGED;
	return acked < theirs ? WIRE_SEPARATE : WIRE_SIMULTANEOUS;
}

int verdict(const char *path, const struct verdict_ends *ends, bool flipping)
{
	uint64_t merged = 0, separate = 0, unacked = 0, active = 0, simul = 0;
	uint64_t a_merged = 0, a_other = 0, overtaken = 0, wide = 0, with_data = 0;
	struct counters c;
	struct wire w;
	char err[200];
	size_t i;

	if (wire_read(&w, path, err, sizeof(err)) || counters_read(&c)) {
		printf("# %s\n", *err ? err : "no counters");
		return 1;
	}
	for (i = 0; i < w.n; i++) {
		struct wire_close k = wire_close(w.conn[i]);

		if (k.outcome != WIRE_UNACKED && k.outcome != WIRE_OPEN &&
		    (k.active == 1 || k.outcome == WIRE_SIMULTANEOUS)) {
			enum wire_outcome received = as_received(w.conn[i], &k);

			active++;
			simul += received == WIRE_SIMULTANEOUS;
			a_merged += received == WIRE_MERGED;
			a_other += received == WIRE_SEPARATE;
			overtaken += received != k.outcome;
		} else if (k.active == 0) {
			merged += k.outcome == WIRE_MERGED;
			with_data += k.outcome == WIRE_MERGED && k.data_with_ack;
			wide += k.outcome == WIRE_MERGED && w.conn[i]->seg[k.ack].len > 1500;
			separate += k.outcome == WIRE_SEPARATE;
			unacked += k.outcome == WIRE_UNACKED;
		} else if (k.active == 1) {
			active++;
		}
	}
	printf("# %zu connections in the capture; merged with data: %" PRIu64 ", over 1500 bytes: %"
	       PRIu64 "; overtaken: %" PRIu64 "\n", w.n, with_data, wide, overtaken);
	compare("FinAckPassive", merged + separate + unacked, counters_get(&c, "FinAckPassive"));
	compare("FinAckMerged", merged, counters_get(&c, "FinAckMerged"));
	compare("FinAckSeparate", separate, counters_get(&c, "FinAckSeparate"));
	compare("FinAckUnacked", unacked, counters_get(&c, "FinAckUnacked"));
	compare("FinAckUndecided", 0, counters_get(&c, "FinAckUndecided"));
	compare("FinAckCloseWait", 0, counters_get(&c, "FinAckCloseWait"));
	compare("FinAckActive", active, counters_get(&c, "FinAckActive"));
	compare("FinAckActiveMerged", a_merged, counters_get(&c, "FinAckActiveMerged"));
	compare("Separate+Half", a_other, counters_get(&c, "FinAckActiveSeparate") +
		counters_get(&c, "FinAckActiveHalf"));
	compare("FinAckSimultaneous", simul, counters_get(&c, "FinAckSimultaneous"));
	compare("FinAckEndShutdown", ends->by_shutdown, counters_get(&c, "FinAckEndShutdown"));
	compare("FinAckEndResetIn", ends->by_reset_in, counters_get(&c, "FinAckEndResetIn"));
	compare("FinAckEndResetOut", ends->by_reset_out,
		counters_get(&c, "FinAckEndResetOut"));
	compare("FinAckUntracked", 0, counters_get(&c, "FinAckUntracked"));
	compare("FinAckEarlier", 0, counters_get(&c, "FinAckEarlier"));
	judge_controls(&c, flipping);
	wire_free(&w);
	return failures;
}
