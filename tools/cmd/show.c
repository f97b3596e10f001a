// SPDX-License-Identifier: GPL-2.0-only
/*
 * finack show: prints a summary of the counters, delays and hooks, or (-s) every counter; with -d
 * what was counted in an interval, per second. The summary looks up some counters by name; reasons
 * and endings are all counters with that prefix.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "interval.h"
#include "read/counters.h"
#include "read/file.h"
#include "read/hist.h"
#include "read/hooks.h"

#define LABEL 14	/* columns */
#define VALUE 12
#define WIDE 70		/* columns needed for notes */

/* Return: whether the terminal is too narrow for notes and wide columns */
static bool narrow(const struct ctx *ctx)
{
	return out_narrow(&ctx->out, WIDE);
}

static int value_width(const struct ctx *ctx)
{
	return narrow(ctx) ? 8 : VALUE;
}

/* widths in the table of delays */
static int delay_label(const struct ctx *ctx)
{
	return narrow(ctx) ? 7 : LABEL;
}

static int delay_width(const struct ctx *ctx)
{
	return narrow(ctx) ? 13 : VALUE;
}

/* print what a row means after its numbers, if there is room */
static void note(struct ctx *ctx, const char *text)
{
	if (!narrow(ctx))
		out_text(&ctx->out, "%s", text);
}

/**
 * struct sample - what is shown of a namespace
 * @gauges: the counters as they are now
 * @c: the counters, or with -d how much they moved
 * @h: the delays, or with -d those of the interval
 */
struct sample {
	struct counters gauges;
	struct counters c;
	struct hists h;
};

static int take(struct sample *s)
{
	if (counters_read(&s->c)) {
		file_complain(COUNTERS_FILE);
		return FAILED;
	}
	if (hists_read(&s->h)) {
		file_complain(HISTS_FILE);
		return FAILED;
	}
	s->gauges = s->c;
	return OK;
}

static uint64_t get(const struct sample *s, const char *name)
{
	return counters_get(&s->c, name);
}

/* a count, or with -d a rate */
static void number(struct ctx *ctx, const char *key, int width, uint64_t value)
{
	if (ctx->seconds)
		out_fixed(&ctx->out, key, width, 1, value / ctx->seconds);
	else
		out_u64(&ctx->out, key, width, value);
}

static void label(struct ctx *ctx, int indent, const char *text)
{
	out_text(&ctx->out, "%*s%-*s", indent, "", LABEL - indent, text);
}

/* print a count, and its share of @all unless @all is 0 */
static void share(struct ctx *ctx, const char *key, uint64_t part, uint64_t all)
{
	char name[64];

	number(ctx, key, value_width(ctx), part);
	if (!all)
		return;
	snprintf(name, sizeof(name), "%s_percent", key);
	out_text(&ctx->out, "  ");
	out_fixed(&ctx->out, name, 5, 1, 100.0 * part / all);
	out_text(&ctx->out, " %%");
}

/* FinAckSepNoAto becomes no-ato */
static char *plain_name(char *buf, size_t size, const char *name, size_t prefix)
{
	size_t n = 0;

	for (name += prefix; *name && n + 2 < size; name++) {
		if (isupper((unsigned char)*name) && n)
			buf[n++] = '-';
		buf[n++] = tolower((unsigned char)*name);
	}
	buf[n] = '\0';
	return buf;
}

/* print a row for each counter with that prefix; those at zero only with -z and in JSON */
static void group(struct ctx *ctx, const struct sample *s, const char *prefix, uint64_t all)
{
	char name[64];
	size_t i, len = strlen(prefix);

	for (i = 0; i < s->c.n; i++) {
		const struct counter *r = &s->c.row[i];

		if (strncmp(r->name, prefix, len) || !isupper((unsigned char)r->name[len]) ||
		    (!r->value && !ctx->zeros && !ctx->out.json))
			continue;
		plain_name(name, sizeof(name), r->name, len);
		label(ctx, 4, name);
		share(ctx, name, r->value, all);
		out_nl(&ctx->out);
	}
}

static void row(struct ctx *ctx, const char *text, uint64_t part, uint64_t all,
		const char *meaning)
{
	label(ctx, 2, text);
	share(ctx, text, part, all);
	note(ctx, meaning);
	out_nl(&ctx->out);
}

static void head(struct ctx *ctx, const char *text, uint64_t value, const char *meaning)
{
	char key[32];

	out_color(&ctx->out, OUT_HEAD);
	label(ctx, 0, text);
	out_color(&ctx->out, OUT_PLAIN);
	snprintf(key, sizeof(key), "%c%s", tolower((unsigned char)*text), text + 1);
	number(ctx, key, value_width(ctx), value);
	out_text(&ctx->out, "%s", ctx->seconds ? "/s" : "");
	note(ctx, meaning);
	out_nl(&ctx->out);
}

static void outcomes(struct ctx *ctx, const struct sample *s)
{
	uint64_t passive = get(s, "FinAckPassive"), separate = get(s, "FinAckSeparate");
	uint64_t open = counters_get(&s->gauges, "FinAckUndecided");
	struct out *o = &ctx->out;

	head(ctx, "Passive", passive, "  closes begun by the peer");
	row(ctx, "merged", get(s, "FinAckMerged"), passive, "  ACK and FIN in one: three segments");
	row(ctx, "separate", separate, passive, separate ?
	    "  the ACK by itself: four; because of" : "  the ACK by itself: four");
	out_object(o, "reasons");
	group(ctx, s, "FinAckSep", passive);
	out_end(o);
	if (get(s, "FinAckUnacked") || ctx->zeros || o->json)
		row(ctx, "unacked", get(s, "FinAckUnacked"), passive, "  ended before any ACK");
	if (open || ctx->zeros || o->json) {
		label(ctx, 2, "undecided");
		out_u64(o, "undecided", value_width(ctx), open);
		note(ctx, "           not answered yet");
		out_nl(o);
	}
	out_text(o, "  ended by");
	out_nl(o);
	out_object(o, "endings");
	group(ctx, s, "FinAckEnd", passive);
	out_end(o);
	label(ctx, 2, "waiting");
	out_u64(o, "close_wait", value_width(ctx), counters_get(&s->gauges, "FinAckCloseWait"));
	note(ctx, "           now in CLOSE_WAIT: finack waiting");
	out_nl(o);
}

static void active(struct ctx *ctx, const struct sample *s)
{
	uint64_t all = get(s, "FinAckActive");

	head(ctx, "Active", all, "  closes begun here");
	out_object(&ctx->out, "active_outcomes");
	group(ctx, s, "FinAckActive", all);
	out_end(&ctx->out);
}

/* print a row of the table of stalls: those of one side */
static void stalls_of(struct ctx *ctx, const struct sample *s, const char *side,
		      const char *counter, const char *time, const char *meaning)
{
	const struct hist *h = hists_get(&s->h, time);
	struct out *o = &ctx->out;

	out_object(o, side);
	out_text(o, "  %-*s", delay_label(ctx) - 2, side);
	number(ctx, "count", narrow(ctx) ? 6 : VALUE, get(s, counter));
	if (h->count || o->json) {
		out_us(o, "lost_us", delay_width(ctx), h->sum);
		if (!narrow(ctx))
			quantile_print(ctx, "p50_us", delay_width(ctx), h, 0.50);
		quantile_print(ctx, "p99_us", delay_width(ctx), h, 0.99);
	}
	if (get(s, counter))
		note(ctx, meaning);
	out_nl(o);
	out_end(o);
}

/* while detail was below 2 there are none, and only the timer's ACKs say that there may be some */
static void stalls(struct ctx *ctx, const struct sample *s)
{
	uint64_t timer = get(s, "FinAckTimerAck");
	struct out *o = &ctx->out;

	if (!timer && !get(s, "FinAckStall") && !get(s, "FinAckPeerStall") && !ctx->zeros &&
	    !o->json)
		return;
	out_object(o, "stalls");
	out_color(o, OUT_HEAD);
	out_text(o, "%-*s%*s%*s", delay_label(ctx), "Stalls", narrow(ctx) ? 6 : VALUE, "count",
		 delay_width(ctx), "lost");
	if (!narrow(ctx))
		out_text(o, "%*s", delay_width(ctx), "p50");
	out_text(o, "%*s", delay_width(ctx), "p99");
	out_color(o, OUT_PLAIN);
	out_nl(o);
	stalls_of(ctx, s, "local", "FinAckStall", "FinAckStallTime", "  our ACK was late");
	stalls_of(ctx, s, "peer", "FinAckPeerStall", "FinAckPeerStallTime", "  the peer's was");
	out_text(o, "  %-*s", delay_label(ctx) - 2, "timer");
	number(ctx, "timer_ack", narrow(ctx) ? 6 : VALUE, timer);
	note(ctx, "  delayed ACKs of data");
	out_nl(o);
	out_end(o);
}

static void delays(struct ctx *ctx, const struct sample *s)
{
	const int width = delay_width(ctx);
	struct out *o = &ctx->out;
	char name[64];
	size_t i;

	out_color(o, OUT_HEAD);
	out_text(o, "%-*s%*s", delay_label(ctx), "Delay", narrow(ctx) ? 6 : VALUE, "count");
	out_text(o, "%*s", width, "p50");
	if (!narrow(ctx))
		out_text(o, "%*s", width, "p90");
	out_text(o, "%*s", width, "p99");
	out_color(o, OUT_PLAIN);
	out_nl(o);
	out_object(o, "delays");
	for (i = 0; i < s->h.n; i++) {
		const struct hist *h = &s->h.hist[i];

		plain_name(name, sizeof(name), h->name, strlen("FinAck"));
		if (strlen(name) < 6 || strcmp(name + strlen(name) - 6, "-delay"))
			continue; /* see stalls() */
		name[strlen(name) - 6] = '\0';
		out_object(o, name);
		out_text(o, "  %-*s", delay_label(ctx) - 2, name);
		number(ctx, "count", narrow(ctx) ? 6 : VALUE, h->count);
		if (h->count) {
			quantile_print(ctx, "p50_us", width, h, 0.50);
			if (!narrow(ctx))
				quantile_print(ctx, "p90_us", width, h, 0.90);
			quantile_print(ctx, "p99_us", width, h, 0.99);
		}
		out_nl(o);
		out_end(o);
	}
	out_end(o);
}

static void hooks(struct ctx *ctx)
{
	unsigned int armed = 0, off = 0, absent = 0;
	struct out *o = &ctx->out;
	uint64_t missed;
	struct hooks k;
	size_t i;

	if (hooks_read(&k)) {
		if (errno == EACCES)
			out_text(o, "%-*s%s\n", delay_label(ctx), "Hooks", " only root sees them");
		return;
	}
	for (i = 0; i < k.n; i++)
		*(hook_armed(&k.hook[i]) ? &armed : hook_off(&k.hook[i]) ? &off : &absent) += 1;
	missed = hooks_missed(&k);
	out_object(o, "hooks");
	out_color(o, OUT_HEAD);
	out_text(o, "%-*s", delay_label(ctx), "Hooks");
	out_color(o, absent || missed ? OUT_WARN : OUT_PLAIN);
	out_u64(o, "armed", narrow(ctx) ? 0 : VALUE, armed);
	out_text(o, " armed, ");
	out_u64(o, "off", 0, off);
	out_text(o, " off, ");
	out_u64(o, "absent", 0, absent);
	out_text(o, " absent,");
	if (narrow(ctx))
		out_text(o, "\n%*s", delay_label(ctx), "");
	else
		out_text(o, " ");
	out_u64(o, "missed", 0, missed);
	out_text(o, " hits missed%s", absent || missed ? ": finack doctor" : "");
	out_color(o, OUT_PLAIN);
	out_nl(o);
	out_end(o);
}

static void health(struct ctx *ctx, const struct sample *s)
{
	uint64_t untracked = get(s, "FinAckUntracked");
	struct out *o = &ctx->out;

	hooks(ctx);
	if (untracked || ctx->zeros || o->json) {
		label(ctx, 2, "untracked");
		number(ctx, "untracked", value_width(ctx), untracked);
		note(ctx, "           found the record table full");
		out_nl(o);
	}
}

static void every_counter(struct ctx *ctx, const struct sample *s)
{
	size_t i;

	out_object(&ctx->out, "counters");
	for (i = 0; i < s->c.n; i++) {
		const struct counter *r = &s->c.row[i];

		out_text(&ctx->out, "%-24s", r->name);
		number(ctx, r->name, VALUE, r->value);
		out_nl(&ctx->out);
	}
	out_end(&ctx->out);
}

/* On a host whose own namespace is quiet, closes happen in others. */
static void elsewhere(struct ctx *ctx, const struct sample *s)
{
	char others[64], text[128];

	if (get(s, "FinAckPassive") || get(s, "FinAckActive") ||
	    !netns_others(ctx, others, sizeof(others)))
		return;
	snprintf(text, sizeof(text), "No close here. There %s: finack -a", others);
	out_wrapped(&ctx->out, NULL, 0, text);
}

static int show(struct ctx *ctx, const struct netns *ns, void *arg)
{
	const struct sample *before = arg; /* in the order of the namespaces */
	struct sample *s = malloc(sizeof(*s));
	int rc = s ? take(s) : FAILED;

	if (!rc && before) {
		counters_sub(&s->c, &before[ns - ctx->ns].c);
		hists_sub(&s->h, &before[ns - ctx->ns].h);
		out_fixed(&ctx->out, "seconds", ctx->out.json ? 0 : -LABEL, 2, ctx->seconds);
		out_text(&ctx->out, "seconds, per second");
		out_nl(&ctx->out);
	}
	if (!rc && ctx->stats) {
		every_counter(ctx, s);
	} else if (!rc) {
		outcomes(ctx, s);
		active(ctx, s);
		delays(ctx, s);
		stalls(ctx, s);
		health(ctx, s);
		elsewhere(ctx, s);
	}
	free(s);
	return rc;
}

static int first(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct sample *before = arg;

	return take(&before[ns - ctx->ns]);
}

static int rates(struct ctx *ctx)
{
	struct sample *before = calloc(ctx->ns_count, sizeof(*before));
	struct ctx quiet = *ctx;
	int rc = FAILED;

	if (!before)
		return FAILED;
	quiet.quiet = true;
	if (!each_netns(&quiet, first, before)) {
		ctx->seconds = interval_wait(ctx->seconds);
		rc = each_netns(ctx, show, before);
	}
	free(before);
	return rc;
}

int show_main(struct ctx *ctx, int argc, char **argv)
{
	if (argc > 1)
		return misuse("show takes no arguments, '%s' was given", argv[1]);
	if (!module_ready(COUNTERS_FILE))
		return FAILED;
	return ctx->seconds ? rates(ctx) : each_netns(ctx, show, NULL);
}
