// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "controls.h"
#include "sides.h"

/* Experiments, by how the server answers the FIN without controls. In all but DATA the client uses
 * close().
 */
#define MERGED	"merge quickack-at-bind quickack-every-read eof-is-queued"
#define EXIT	"exit crash crash-sigsegv"
/* the ACK is on data */
#define DATA	"data-at-eof graceful-close fork-close rude-close rude-close-sigpipe " \
		"half-open-abort"
/* experiments about ACKs of data; their closes merge */
#define DELACK	"reply-carries-ack no-reply second-segment backoff"

#define NOW	{ 0, 1 }
/* after _ms milliseconds, or up to _ticks ticks later (HZ is 250) */
#define AFTER(_ms, _ticks) { (_ms) - 0.1, (_ms) + 4 * (_ticks) + 0.5 }

/* how late the server may be with what it does */
#define LATE(_ms) .late_ms = { [LAB_SERVER] = _ms }

#define TO_SEPARATE	"-Merged -ActiveMerged Separate "
#define TO_MERGED	"-Separate -ActiveHalf Merged ActiveMerged "

/* the ACK of the FIN leaves at once where the kernel would delay it */
static const struct differs at_once[] = {
	{ MERGED " " EXIT " " DELACK " no-data-fast",
		{ WIRE_SEPARATE, 4, NOW, .moves = TO_SEPARATE "ActiveHalf SepPolicy @" } },
	{ "data-with-fin fork-shutdown",
		{ WIRE_SEPARATE, 4, NOW, .moves = TO_SEPARATE "ActiveSeparate SepPolicy @" } },
	{ "lost-fin-ack",
		{ WIRE_SEPARATE, 0, NOW, .moves = TO_SEPARATE "ActiveSeparate SepPolicy @" } },
	{ "half-open-close",
		{ WIRE_SEPARATE, 0, NOW, .moves = "-Merged Separate SepPolicy @" } },
	{ "quickack-at-eof", { WIRE_SEPARATE, 4, NOW, .moves = "-SepApp SepPolicy @" } },
	{ "slow-close states", { WIRE_SEPARATE, 4, NOW, .moves = "-SepTimer SepPolicy @" } },
	{ "no-data-slow", { WIRE_SEPARATE, 4, NOW, .moves = "-SepNoAto SepPolicy @" } },
	{ "zero-window-fin", { WIRE_SEPARATE, 0, NOW, .moves = "-SepTimer SepPolicy @" } },
	{ DATA, { WIRE_SEPARATE, 0, NOW, .moves = "-SepData SepPolicy @" } },
	{ "unread-data",
		{ WIRE_SEPARATE, 0, NOW, .moves = "-Unacked Separate ActiveHalf SepPolicy @" } },
	{ 0 }
};

/* At the beginning of a connection the kernel itself sends ACKs at once, and these are not counted.
 * How much of a conversation that lasts depends on the kernel (tcp_pingpong_thresh).
 */
static const struct differs all_at_once[] = {
	{ "reply-carries-ack", { WIRE_SEPARATE, 4, NOW, .wire = claim_pure_acks,
		.moves = TO_SEPARATE "ActiveHalf SepPolicy @=*" } },
	{ "no-reply", { WIRE_SEPARATE, 4, NOW, .data_ms = NOW,
		.moves = TO_SEPARATE "ActiveHalf SepPolicy -TimerAck=3 @=4" } },
	{ "second-segment", { WIRE_SEPARATE, 4, NOW, .data_ms = NOW, .wire = claim_nothing,
		.moves = TO_SEPARATE "ActiveHalf SepPolicy @=*" } },
	{ "backoff", { WIRE_SEPARATE, 4, NOW, .data_ms = NOW, .wire = claim_nothing,
		.moves = TO_SEPARATE "ActiveHalf SepPolicy -TimerAck=6 @=7" } },
	{ 0 }
};

#define NO_DATA_HELD	TO_MERGED "-SepNoAto @ HeldMerged"
#define ROUTE_HELD	TO_MERGED "-SepRoute @ HeldMerged"

/* the ACK of the FIN is held where the kernel would send it, for more than the server's 100 ms */
static const struct differs held[] = {
	{ "slow-close", { WIRE_MERGED, 3, .moves = TO_MERGED "-SepTimer @ HeldMerged", LATE(49) } },
	{ "states", { WIRE_MERGED, 3, .wire = claim_states_merged,
		.moves = TO_MERGED "-SepTimer @ HeldMerged", LATE(49) } },
	{ "no-data-slow", { WIRE_MERGED, 3, .moves = NO_DATA_HELD, LATE(139) } },
	{ "route-quickack", { WIRE_MERGED, 3, .moves = ROUTE_HELD, LATE(149) } },
	{ "zero-window-fin", { WIRE_SEPARATE, 0, AFTER(150, 2), .moves = "-SepTimer SepHeld @" } },
	{ 0 }
};

/* held for 60 ms: less than the server takes to close, more than the kernel would wait */
static const struct differs held_shortly[] = {
	{ "slow-close states", { WIRE_SEPARATE, 4, AFTER(60, 2), .moves = "-SepTimer SepHeld @" } },
	{ "zero-window-fin", { WIRE_SEPARATE, 0, AFTER(60, 2), .moves = "-SepTimer SepHeld @" } },
	{ "no-data-slow", { WIRE_MERGED, 3, .moves = NO_DATA_HELD, LATE(49) } },
	{ "route-quickack", { WIRE_MERGED, 3, .moves = ROUTE_HELD, LATE(59) } },
	{ 0 }
};

/* held for 20 ms: less than the kernel would wait; such a hold is counted only if it runs out */
static const struct differs held_too_shortly[] = {
	{ "slow-close", { WIRE_SEPARATE, 4, AFTER(20, 2), .moves = "-SepTimer SepHeld @" } },
	{ "no-data-slow", { WIRE_MERGED, 3, .moves = NO_DATA_HELD, LATE(9) } },
	{ "merge", { .moves = "", LATE(19) } },
	{ 0 }
};

/* ACKs of FINs and of data are delayed by 12 ms at most */
static const struct differs at_most[] = {
	{ MERGED " " EXIT " " DATA " data-with-fin fork-shutdown lost-fin-ack half-open-close "
	  "quickack-at-eof unread-data", { .moves = "@", LATE(11) } },
	{ "slow-close states", { WIRE_SEPARATE, 4, AFTER(12, 1), .moves = "@" } },
	{ "zero-window-fin", { WIRE_SEPARATE, 0, AFTER(12, 1), .moves = "@" } },
	{ "reply-carries-ack", { .moves = "@=*", LATE(11) } },
	{ "second-segment", { .moves = "@=*", .late_ms = { 1, 11 } } },
	{ "no-reply", { .data_ms = AFTER(12, 1), .moves = "@=4", .late_ms = { 49, 11 } } },
	{ "backoff", { .data_ms = AFTER(12, 1), .wire = claim_nothing, .moves = "@=7",
		.late_ms = { 99, 11 } } },
	{ 0 }
};

/* ACKs are delayed by 120 ms at least: longer than the server takes to close */
static const struct differs at_least[] = {
	{ MERGED " " EXIT " " DATA " data-with-fin fork-shutdown lost-fin-ack half-open-close "
	  "quickack-at-eof unread-data no-data-fast", { .moves = "@" } },
	{ "slow-close", { WIRE_MERGED, 3, .moves = TO_MERGED "-SepTimer @", LATE(19) } },
	{ "states", { WIRE_MERGED, 3, .wire = claim_states_merged,
		.moves = TO_MERGED "-SepTimer @", LATE(19) } },
	{ "no-data-slow", { WIRE_MERGED, 3, .moves = TO_MERGED "-SepNoAto @", LATE(109) } },
	{ "zero-window-fin", { WIRE_SEPARATE, 0, AFTER(120, 1), .moves = "@" } },
	{ "reply-carries-ack second-segment", { .moves = "@=*" } },
	{ "no-reply", { .data_ms = AFTER(120, 1), .moves = "@=4" } },
	/* only two ACKs change: the kernel delays the later ones, and that of the FIN, longer */
	{ "backoff", { .wire = claim_backoff_from_120, .moves = "@=2" } },
	{ 0 }
};

#define CONTROL(_name, _counter, _knobs, ...) \
	{ .name = _name, .counter = _counter, .knobs = _knobs, __VA_ARGS__ }
#define KNOBS(...) { __VA_ARGS__ }
#define TABLES(...) .differs = { __VA_ARGS__ }

const struct control controls[] = {
	CONTROL("at-once", "Forced", KNOBS("fin_ack=1"), TABLES(at_once)),
	CONTROL("held", "Held", KNOBS("fin_ack=2"), TABLES(held)),
	CONTROL("held-shortly", "Held", KNOBS("fin_ack=2", "fin_hold_ms=60"),
		TABLES(held_shortly, held)),
	CONTROL("held-too-shortly", "Held", KNOBS("fin_ack=2", "fin_hold_ms=20"),
		TABLES(held_too_shortly, held), .only = "slow-close merge no-data-slow"),
	CONTROL("all-at-once", "QuickAck", KNOBS("quickack=1"), TABLES(all_at_once, at_once)),
	CONTROL("at-most", "Clamped", KNOBS("delack_max_ms=12"), TABLES(at_most)),
	CONTROL("at-least", "Clamped", KNOBS("delack_min_ms=120"), TABLES(at_least)),
	CONTROL("its-port", "Forced", KNOBS("fin_ack=1", "ports=80,8000-8888"), TABLES(at_once)),
	CONTROL("other-ports", "", KNOBS("fin_ack=1", "ports=80,8000-8887,8889-9000")),
	{ 0 }
};

/* whether @word is in @list */
static bool named(const char *list, const char *word)
{
	size_t n = strlen(word);
	const char *p;

	for (p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static const struct differs *find(const struct control *c, const char *name)
{
	const struct differs * const *table, *d;

	for (table = c->differs; *table; table++)
		for (d = *table; d->experiments; d++)
			if (named(d->experiments, name))
				return d;
	return NULL;
}

/* write @plain without what @change takes away and with what it adds */
static void change_moves(const struct control *c, const char *plain, const char *change,
			 char *moves, size_t size)
{
	char copy[200], less[40], *word, *save;
	size_t n = 0;

	*moves = 0;
	snprintf(copy, sizeof(copy), "%s", plain);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		snprintf(less, sizeof(less), "-%s", word);
		if (!named(change, less))
			n += snprintf(moves + n, size - n, "%s ", word);
	}
	snprintf(copy, sizeof(copy), "%s", change);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (*word == '@')
			n += snprintf(moves + n, size - n, "%s%s ", c->counter, word + 1);
		else if (*word != '-')
			n += snprintf(moves + n, size - n, "%s ", word);
	}
	if (n)
		moves[n - 1] = 0;
}

bool control_shows(const struct control *c, const struct experiment *e, struct shows *s,
		   char *moves, size_t size)
{
	const struct differs *d = find(c, e->name);

	*s = e->shows;
	if (c->only && !named(c->only, e->name))
		return false;
	if (!d)
		return true;
	if (d->shows.outcome) {
		s->outcome = d->shows.outcome;
		s->segments = d->shows.segments;
		memcpy(s->ack_ms, d->shows.ack_ms, sizeof(s->ack_ms));
	}
	if (d->shows.outcome || d->shows.late_ms[LAB_CLIENT] || d->shows.late_ms[LAB_SERVER])
		memcpy(s->late_ms, d->shows.late_ms, sizeof(s->late_ms));
	if (d->shows.data_ms[1])
		memcpy(s->data_ms, d->shows.data_ms, sizeof(s->data_ms));
	if (d->shows.wire)
		s->wire = d->shows.wire;
	change_moves(c, e->shows.moves, d->shows.moves, moves, size);
	s->moves = moves;
	return true;
}
