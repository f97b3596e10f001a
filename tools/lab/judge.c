// SPDX-License-Identifier: GPL-2.0-only
/* Compares what was seen with what the experiment shows: the wire, the counters, the two sides. */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lab.h"

int lab_problem(struct lab_result *r, const char *fmt, ...)
{
	va_list ap;

	if (*r->problem)
		return -1;
	va_start(ap, fmt);
	vsnprintf(r->problem, sizeof(r->problem), fmt, ap);
	va_end(ap);
	return -1;
}

void lab_doubt(struct lab_result *r, const char *fmt, ...)
{
	va_list ap;

	if (*r->doubt)
		return;
	va_start(ap, fmt);
	vsnprintf(r->doubt, sizeof(r->doubt), fmt, ap);
	va_end(ap);
}

enum lab_verdict lab_verdict(const struct lab_result *r)
{
	return *r->problem ? LAB_REFUTED : *r->doubt ? LAB_INCONCLUSIVE : LAB_HOLDS;
}

int64_t lab_moved(const struct lab_result *r, const char *name)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i < __LAB_SIDE_MAX; i++)
		sum += counters_get(&r->after[i], name) - counters_get(&r->before[i], name);
	return sum;
}

int lab_moves(const char *moves, const char *name)
{
	const char *p = moves;
	size_t n;

	if (!strncmp(name, "FinAck", 6))
		name += 6;
	n = strlen(name);
	while ((p = strstr(p, name))) {
		if ((p == moves || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return 1;
		if ((p == moves || p[-1] == ' ') && p[n] == '=')
			return p[n + 1] == '*' ? LAB_MOVES_SOME : atoi(p + n + 1);
		p += n;
	}
	return 0;
}

const char *lab_why(const struct lab_result *r)
{
	const bool knobs = r->o->knobs && *r->o->knobs;

	return r->o->changed || knobs || lab_verdict(r) != LAB_HOLDS ? NULL : r->e->why;
}

static __attribute__((format(printf, 4, 5)))
void add_setting(char *text, size_t size, const char *between, const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	n += snprintf(text + n, size - n, "%s", n ? between : "");
	if (n >= size)
		return;
	va_start(ap, fmt);
	vsnprintf(text + n, size - n, fmt, ap);
	va_end(ap);
}

void lab_settings(const struct lab_options *o, const char *between, char *text, size_t size)
{
	const char * const *k;

	*text = 0;
	for (k = o->knobs; k && *k; k++)
		add_setting(text, size, between, "%s", *k);
	if (o->role.delay_ms)
		add_setting(text, size, between, "delay=%u", o->role.delay_ms);
	if (o->role.greeting)
		add_setting(text, size, between, "data=%u", o->role.greeting);
	if (o->net.rtt_ms)
		add_setting(text, size, between, "rtt=%u", o->net.rtt_ms);
	if (o->net.loss_percent > 0)
		add_setting(text, size, between, "loss=%g", o->net.loss_percent);
}

void lab_within(struct lab_result *r, const char *what, uint64_t from, uint64_t to,
		const double ms[2])
{
	double is = (double)(int64_t)(to - from) / 1e6, most = ms[1] + r->o->slack_ms;
	double stalled = lab_stalled_ms(r, from, to);

	if (r->o->slack_ms == LAB_ANY_TIME || (is >= ms[0] && is <= most))
		return;
	if (is > most && is - stalled <= most)
		lab_doubt(r, "%s %.3f ms later, the claim is %g to %g ms; for %.1f ms the "
			  "lab did not run", what, is, ms[0], ms[1], stalled);
	else
		lab_problem(r, "%s %.3f ms later, the claim is %g to %g ms", what, is, ms[0],
			    ms[1]);
}

/* the client's last data before its FIN, and the ACK of it */
static void judge_data(const struct shows *s, struct lab_result *r)
{
	const struct wire_conn *c = r->conn;
	const struct wire_seg *data = NULL, *ack = NULL;
	size_t i;

	for (i = 0; i < c->n && !(c->seg[i].flags & WIRE_FIN); i++)
		if (c->seg[i].side == LAB_CLIENT && c->seg[i].len && !c->seg[i].again)
			data = &c->seg[i];
	for (i = 0; data && !ack && i < c->n; i++)
		if (&c->seg[i] > data && c->seg[i].side == LAB_SERVER &&
		    c->seg[i].ack == data->seq + data->len)
			ack = &c->seg[i];
	if (!ack)
		lab_problem(r, "the client's last data was not ACKed before its FIN");
	else if (ack->len)
		lab_problem(r, "the ACK of the client's last data is not a pure ACK");
	else
		lab_within(r, "the ACK of the client's last data left", data->ns, ack->ns,
			   s->data_ms);
}

static void judge_resets(struct lab_result *r)
{
	const struct wire_conn *c = r->conn;
	bool reset[__LAB_SIDE_MAX] = {};
	size_t i;
	int side;

	for (i = 0; i < c->n; i++)
		if (c->seg[i].flags & WIRE_RST)
			reset[c->seg[i].side] = true;
	for (side = 0; side < __LAB_SIDE_MAX; side++)
		if (reset[side] != (r->e->resets && (int)r->e->resets_side == side))
			lab_problem(r, "there is %s RST from the %s", reset[side] ? "a" : "no",
				    side == LAB_SERVER ? "server" : "client");
}

static void judge_wire(const struct shows *s, struct lab_result *r)
{
	const struct wire_conn *c = r->conn;

	if (r->close.outcome != s->outcome)
		lab_problem(r, "the wire shows %s, the claim is %s",
			    wire_outcome_name(r->close.outcome), wire_outcome_name(s->outcome));
	if (s->segments && r->close.segments != s->segments)
		lab_problem(r, "the wire shows %zu segments, the claim is %zu",
			    r->close.segments, s->segments);
	judge_resets(r);
	if (s->ack_ms[1] && !*r->problem)
		lab_within(r, "the ACK of the FIN left", c->seg[r->close.fin].ns,
			   c->seg[r->close.ack].ns, s->ack_ms);
	if (s->data_ms[1])
		judge_data(s, r);
	if (s->wire)
		s->wire(r);
}

/* Whether a counter tells what the passive closer did, as the active closer sees it. If both have
 * to send again, that depends on who is first. If a process is preempted in its close(), it can
 * find ACK and FIN in its backlog, which may make them one segment (tcp_add_backlog()).
 */
static bool is_of_active(const char *name)
{
	return !strcmp(name, "FinAckActiveMerged") || !strcmp(name, "FinAckActiveSeparate") ||
	       !strcmp(name, "FinAckActiveHalf");
}

static void judge_counters(const struct shows *s, struct lab_result *r)
{
	int64_t active = 0;
	size_t i;

	for (i = 0; i < r->after[LAB_SERVER].n; i++) {
		const char *name = r->after[LAB_SERVER].row[i].name;
		int64_t moved = lab_moved(r, name);
		int expected = lab_moves(s->moves, name);

		if ((s->races || r->o->slack_ms) && is_of_active(name)) {
			active += moved - expected;
			continue;
		}
		if (expected == LAB_MOVES_SOME ? moved < 1 : moved != expected)
			lab_problem(r, "%s moved by %" PRId64 ", expected %d", name, moved,
				    expected);
	}
	if (active)
		lab_problem(r, "%" PRId64 " active closes more than expected", active);
}

static void judge_calm(struct lab_result *r)
{
	const struct calm *calm = &r->shared->calm;
	size_t i;

	if (!calm->ns[1])
		return;
	for (i = 0; i < r->conn->n; i++)
		if (r->conn->seg[i].ns > calm->ns[0] && r->conn->seg[i].ns < calm->ns[1])
			lab_problem(r, "there is a segment where there should be none");
	if (memcmp(calm->counters[0].row, calm->counters[1].row,
		   calm->counters[0].n * sizeof(struct counter)))
		lab_problem(r, "a counter moved where none should");
}

static void judge_sides(struct lab_result *r)
{
	int i, n = atomic_load(&r->shared->notes), status;

	for (i = 0; i < n && i < NOTES_MAX; i++)
		if (r->shared->note[i].failed)
			lab_problem(r, "%s: %s", r->shared->note[i].server ? "server" : "client",
				    r->shared->note[i].text);
	for (i = 0; i < __LAB_SIDE_MAX; i++) {
		status = r->status[i];
		if ((WIFSIGNALED(status) ? WTERMSIG(status) : 0) !=
		    (i == LAB_SERVER ? r->e->dies_by : 0))
			lab_problem(r, "the %s's process ended with status 0x%x",
				    i == LAB_SERVER ? "server" : "client", status);
	}
}

/* whatever the outcome is, the wire and the counters must agree on it */
static void judge_agreement(struct lab_result *r)
{
	static const char * const name[] = {
		[WIRE_MERGED] = "FinAckMerged",
		[WIRE_SEPARATE] = "FinAckSeparate",
		[WIRE_UNACKED] = "FinAckUnacked",
		[WIRE_SIMULTANEOUS] = "FinAckSimultaneous",
	};
	size_t i;
	bool so;

	for (i = 1; r->have_counters && i < sizeof(name) / sizeof(*name); i++) {
		so = r->close.outcome == i;
		if (!!lab_moved(r, name[i]) != so)
			lab_problem(r, "the wire shows %s, %s moved by %" PRId64,
				    wire_outcome_name(r->close.outcome), name[i],
				    lab_moved(r, name[i]));
	}
}

static void judge_all(const struct shows *s, struct lab_result *r)
{
	judge_sides(r);
	if (!r->conn) {
		lab_problem(r, "%zu connections were captured, expected one", r->wire.n);
		return;
	}
	r->close = wire_close(r->conn);
	if (r->o->changed) {
		judge_agreement(r);
		return;
	}
	judge_wire(s, r);
	judge_calm(r);
	if (r->have_counters)
		judge_counters(s, r);
}

/* nothing can be concluded, whatever was seen */
static void unsure(struct lab_result *r, const char *why)
{
	snprintf(r->doubt, sizeof(r->doubt), "%s%s%s", why, *r->problem ? ": " : "", r->problem);
	*r->problem = 0;
}

/* What was seen is a problem of the claim only if the run was what the experiment describes. Wire
 * and counters agree however late a side is.
 */
static void judge_run(const struct shows *s, struct lab_result *r)
{
	char why[100];
	int side;

	if (r->lost)
		unsure(r, "the capture lost packets");
	for (side = 0; side < __LAB_SIDE_MAX && *r->problem && r->conn && !r->o->changed; side++) {
		if (!s->late_ms[side] || lab_late_ms(r, side) <= s->late_ms[side])
			continue;
		snprintf(why, sizeof(why), "the %s was %.1f ms late, the claim allows for %g ms",
			 side == LAB_SERVER ? "server" : "client", lab_late_ms(r, side),
			 s->late_ms[side]);
		unsure(r, why);
		judge_agreement(r);
		break;
	}
}

void lab_judge(struct lab_result *r)
{
	const struct shows *s = r->o->shows ?: &r->e->shows;

	judge_all(s, r);
	judge_run(s, r);
}
