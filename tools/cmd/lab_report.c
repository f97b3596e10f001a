// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "lab/ladder.h"
#include "lab_report.h"

#define INDENT	12
#define TEXT	2000
#define WIDE	60	/* columns needed for claims beside the names */

static const char * const side_name[] = { "client", "server" };

static void put_label(struct out *o, const char *name)
{
	out_text(o, "  %-*s", INDENT - 2, name);
}

/* "read() = 5" becomes "read()=5", so that no line break splits it */
static void tighten(char *text)
{
	char *p;

	while ((p = strstr(text, " = "))) {
		*p = '=';
		memmove(p + 1, p + 3, strlen(p + 3) + 1);
	}
}

/* the calls of a side and what they returned; a repeated call is written once, with a count */
static void calls_text(const struct lab_result *r, enum lab_side side, char *text, size_t size)
{
	int i, count = atomic_load(&r->shared->notes), times = 1;
	const bool is_server = side == LAB_SERVER;
	const struct note *last = NULL;
	size_t n = 0;

	*text = 0;
	for (i = 0; i <= count && i <= NOTES_MAX; i++) {
		const struct note *note = i < count && i < NOTES_MAX ? &r->shared->note[i] : NULL;

		if (note && note->server != is_server)
			continue;
		if (note && last && !strcmp(note->text, last->text)) {
			times++;
			continue;
		}
		if (last && n < size)
			n += snprintf(text + n, size - n, "%s%s", n ? ", " : "", last->text);
		if (last && times > 1 && n < size)
			n += snprintf(text + n, size - n, " (%d times)", times);
		last = note;
		times = 1;
	}
	tighten(text);
}

static void put_calls(struct out *o, const struct lab_result *r, enum lab_side side)
{
	int i, count = atomic_load(&r->shared->notes);
	const bool is_server = side == LAB_SERVER;
	char text[TEXT];

	if (!o->json) {
		calls_text(r, side, text, sizeof(text));
		put_label(o, side == LAB_SERVER ? "server:" : "client:");
		out_wrapped(o, NULL, INDENT, text);
		return;
	}
	out_list(o, "calls");
	for (i = 0; i < count && i < NOTES_MAX; i++) {
		const struct note *note = &r->shared->note[i];

		if (note->server != is_server)
			continue;
		out_object(o, NULL);
		out_u64(o, "ns", 0, note->ns);
		out_str(o, "call", 0, note->text);
		out_bool(o, "expected", !note->failed);
		out_end(o);
	}
	out_end(o);
}

static void put_states(struct out *o, const struct lab_result *r, enum lab_side side)
{
	const bool is_server = side == LAB_SERVER;
	const struct state *s;
	char text[TEXT];
	size_t i, n = 0;

	if (!o->json) {
		n = snprintf(text, sizeof(text), "%s", side_name[side]);
		for (i = 0; i < r->states.n; i++)
			if (r->states.row[i].server == is_server)
				n += snprintf(text + n, sizeof(text) - n, " %s",
					      states_name(r->states.row[i].tcp));
		put_label(o, side == LAB_CLIENT ? "states:" : "");
		out_wrapped(o, NULL, INDENT, text);
		return;
	}
	out_list(o, "states");
	for (i = 0; i < r->states.n; i++) {
		s = &r->states.row[i];
		if (s->server != is_server)
			continue;
		out_object(o, NULL);
		out_u64(o, "ns", 0, s->ns);
		out_str(o, "state", 0, states_name(s->tcp));
		out_end(o);
	}
	out_end(o);
}

static void put_segments(struct out *o, const struct lab_result *r)
{
	const struct wire_conn *c = r->conn;
	const struct wire_seg *s;
	char flags[20];
	size_t i;

	out_list(o, "segments");
	for (i = 0; c && i < c->n; i++) {
		s = &c->seg[i];
		out_object(o, NULL);
		out_u64(o, "ns", 0, s->ns);
		out_str(o, "from", 0, side_name[s->side]);
		out_str(o, "flags", 0, ladder_flags(s, flags));
		out_u64(o, "seq", 0, ladder_seq(c, s->side, s->seq));
		if (s->flags & WIRE_ACK)
			out_u64(o, "ack", 0, ladder_seq(c, !s->side, s->ack));
		out_u64(o, "len", 0, s->len);
		out_bool(o, "again", s->again);
		out_end(o);
	}
	out_end(o);
}

static void put_wire(struct out *o, const struct lab_result *r)
{
	static const char * const number[] = { "no", "one", "two", "three", "four", "five", "six" };
	const struct wire_close *c = &r->close;
	int column = INDENT + strlen("three segments, simultaneous,");
	char many[20];

	put_label(o, "wire:");
	if (!r->conn || c->active < 0) {
		out_text(o, "no FIN");
		out_nl(o);
		return;
	}
	snprintf(many, sizeof(many), "%zu", c->segments);
	out_text(o, "%s segments, ", c->segments < 7 ? number[c->segments] : many);
	if (o->json)
		out_u64(o, "segments_of_close", 0, c->segments);
	out_str(o, "outcome", 0, wire_outcome_name(c->outcome));
	if (c->outcome == WIRE_MERGED || c->outcome == WIRE_SEPARATE) {
		out_text(o, ",");
		out_room(o, &column, INDENT - 1, strlen(" FIN ACKed after 1000.000 ms"));
		out_text(o, " FIN ACKed after ");
		out_fixed(o, "ack_ms", 0, 3,
			  (double)(r->conn->seg[c->ack].ns - r->conn->seg[c->fin].ns) / 1e6);
		out_text(o, " ms");
	}
	out_nl(o);
}

static void put_counters(struct out *o, const struct lab_result *r)
{
	char text[TEXT];
	size_t i, n = 0;

	*text = 0;
	out_object(o, "counters");
	for (i = 0; r->have_counters && i < r->after[LAB_SERVER].n; i++) {
		const char *name = r->after[LAB_SERVER].row[i].name;
		int64_t moved = lab_moved(r, name);

		if (moved && o->json)
			out_fixed(o, name, 0, 0, moved);
		else if (moved)
			n += snprintf(text + n, sizeof(text) - n, "%s%s %+" PRId64, n ? ", " : "",
				      name, moved);
	}
	out_end(o);
	if (o->json)
		return;
	put_label(o, "counters:");
	out_wrapped(o, NULL, INDENT, !r->have_counters ? "the module is not loaded" :
		    n ? text : "none moved");
}

static void put_verdict(struct out *o, const struct lab_result *r)
{
	const enum lab_verdict v = lab_verdict(r);
	char text[sizeof(r->doubt) + 40];

	if (o->json) {
		out_str(o, "judged", 0, r->o->changed ? "agreement" : "claim");
		out_bool(o, "agrees", v == LAB_HOLDS);
		if (v == LAB_REFUTED)
			out_str(o, "problem", 0, r->problem);
		if (v == LAB_INCONCLUSIVE)
			out_str(o, "inconclusive", 0, r->doubt);
		return;
	}
	put_label(o, r->o->changed ? "agree:" : "claim:");
	out_color(o, v == LAB_HOLDS ? OUT_GOOD : OUT_BAD);
	if (v == LAB_INCONCLUSIVE)
		snprintf(text, sizeof(text), "INCONCLUSIVE: %s", r->doubt);
	else if (v == LAB_REFUTED)
		snprintf(text, sizeof(text), "%s: %s",
			 r->o->changed ? "THEY DO NOT" : "DOES NOT HOLD", r->problem);
	else
		snprintf(text, sizeof(text), "%s", r->o->changed ?
			 "wire, counters and application agree; the claim is about other settings" :
			 r->o->shows ? "holds, with what these knobs change" : "holds");
	out_wrapped(o, NULL, INDENT, text);
	out_color(o, OUT_PLAIN);
}

static void put_knobs(struct out *o, const struct lab_result *r)
{
	const char * const *k = r->o->knobs;
	int column = INDENT - 1;

	if (!k || !*k)
		return;
	out_text(o, "  %-*s", INDENT - 3, "knobs:");
	out_list(o, "knobs");
	for (; *k; k++) {
		out_room(o, &column, INDENT - 1, 1 + strlen(*k) + !!k[1]);
		out_text(o, " ");
		out_str(o, NULL, 0, *k);
		out_text(o, k[1] ? "," : "");
	}
	out_end(o);
	out_nl(o);
}

static void put_side(struct out *o, const struct lab_result *r, enum lab_side s)
{
	out_object(o, side_name[s]);
	put_calls(o, r, s);
	if (o->json)
		put_states(o, r, s);
	out_end(o);
}

void report(struct out *o, const struct lab_result *r)
{
	int column = strlen(r->e->name);

	out_object(o, NULL);
	out_color(o, OUT_HEAD);
	out_str(o, "name", 0, r->e->name);
	out_color(o, OUT_PLAIN);
	out_room(o, &column, 1, strlen(" (mapped on the loopback)"));
	out_text(o, " (");
	out_str(o, "family", 0, lab_family_name[r->o->family]);
	out_text(o, " on ");
	out_str(o, "network", 0, r->device && strcmp(r->device, "lo") ? "a link" : "the loopback");
	out_text(o, ")\n");
	put_label(o, "claim:");
	out_wrapped(o, "claim", INDENT, r->e->claim);
	put_knobs(o, r);
	put_side(o, r, LAB_CLIENT);
	put_side(o, r, LAB_SERVER);
	if (o->json) {
		put_segments(o, r);
	} else {
		fflush(stdout);
		ladder_print(r, stdout, o->color, out_columns(o));
		put_states(o, r, LAB_CLIENT);
		put_states(o, r, LAB_SERVER);
	}
	put_wire(o, r);
	if (lab_why(r)) {
		put_label(o, "why:");
		out_wrapped(o, "why", INDENT, lab_why(r));
	}
	put_counters(o, r);
	if (o->json)
		out_bool(o, "module", r->have_counters);
	put_verdict(o, r);
	out_end(o);
}

void report_tally(struct out *o, const struct tally *t)
{
	const struct { const char *what; unsigned int n; } rest[] = {
		{ "failed", t->verdict[LAB_REFUTED] },
		{ "inconclusive", t->verdict[LAB_INCONCLUSIVE] },
		{ "not run", t->not_run },
	};
	unsigned int sum = t->verdict[LAB_HOLDS];
	size_t i;

	for (i = 0; i < sizeof(rest) / sizeof(*rest); i++)
		sum += rest[i].n;
	if (sum < 2)
		return;
	out_text(o, "%u experiments: %u passed", sum, t->verdict[LAB_HOLDS]);
	for (i = 0; i < sizeof(rest) / sizeof(*rest); i++)
		if (rest[i].n)
			out_text(o, ", %u %s", rest[i].n, rest[i].what);
	out_text(o, "\n");
}

void report_list(struct out *o)
{
	const bool narrow = out_narrow(o, WIDE);
	const struct experiment *e;

	out_list(o, NULL);
	for (e = experiments; e->name; e++) {
		out_object(o, NULL);
		out_u64(o, "nr", 2, e->nr);
		out_text(o, "  ");
		out_str(o, "name", narrow ? 0 : -19, e->name);
		out_text(o, narrow ? "\n    " : " ");
		out_wrapped(o, "claim", narrow ? 4 : 24, e->claim);
		out_end(o);
	}
	out_end(o);
}
