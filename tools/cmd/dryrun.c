// SPDX-License-Identifier: GPL-2.0-only
/* finack set --dry-run: watches the closes for a while and prints what policies would change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interval.h"
#include "predict.h"
#include "read/file.h"

#define SECONDS 5.0
#define NO_CLOSE "no close was counted yet to predict from"

/* widths in the table: a policy's name, the numbers after it, the indentation of further lines */
#define NAME	24
#define NUMBERS	35
#define INDENT	2
#define DATA_TOO "  and ACKs of data"

/* the policies that are judged if no control is named */
static struct setting usual[][1] = {
	{ { .name = "fin_ack", .value = "0" } },
	{ { .name = "fin_ack", .value = "1" } },
	{ { .name = "fin_ack", .value = "2" } },
	{ { .name = "fin_ack", .value = "3" } },
	{ { .name = "quickack", .value = "1" } },
	{ { .name = "quickack", .value = "2" } },
};

/**
 * struct basis - what predictions are made from
 * @c: the counters of the interval
 * @h: the delays
 * @k: the controls
 * @seconds: the length of the interval; if @idle, the number of closes divided by 100
 * @idle: the interval had no closes: @c and @h have all closes so far
 */
struct basis {
	struct counters c;
	struct hists h;
	struct knobs k;
	double seconds;
	bool idle;
};

static bool sample(struct basis *b)
{
	const char *path = COUNTERS_FILE;
	bool ok = !counters_read(&b->c);

	if (ok) {
		path = HISTS_FILE;
		ok = !hists_read(&b->h);
	}
	if (ok) {
		path = KNOBS_DIR;
		ok = !knobs_read(&b->k);
	}
	if (!ok)
		file_complain(path);
	return ok;
}

static double decided(const struct counters *c)
{
	return counters_get(c, "FinAckMerged") + counters_get(c, "FinAckSeparate") +
	       counters_get(c, "FinAckUnacked");
}

/* subtract the first reading from the second one, unless no close came in between */
static void since(struct basis *b, const struct basis *before, double seconds)
{
	b->seconds = seconds;
	b->idle = decided(&b->c) <= decided(&before->c);
	if (b->idle) {
		b->seconds = decided(&b->c) / 100;
	} else {
		counters_sub(&b->c, &before->c);
		hists_sub(&b->h, &before->h);
	}
}

static char *policy_name(char *buf, size_t size, const struct setting *s, size_t n)
{
	size_t i, at = 0;

	*buf = '\0';
	for (i = 0; i < n && at < size; i++)
		at += snprintf(buf + at, size - at, "%s%s %s", i ? " " : "", s[i].name, s[i].value);
	return buf;
}

static void one(struct ctx *ctx, const struct basis *b, const struct setting *s, size_t n)
{
	struct policy now, then;
	struct prediction p;
	struct out *o = &ctx->out;
	char name[1200];
	int column;

	policy_from(&now, &b->k, NULL, 0);
	policy_from(&then, &b->k, s, n);
	p = predict(&b->c, hists_get(&b->h, "FinAckFinDelay"), &now, &then);
	policy_name(name, sizeof(name), s, n);
	column = strlen(name) > NAME ? strlen(name) : NAME;
	out_object(o, NULL);
	if (o->width && column > o->width) {
		out_wrapped(o, "policy", INDENT, name);
		out_text(o, "%*s", INDENT, "");
		column = INDENT;
	} else {
		out_str(o, "policy", -NAME, name);
	}
	out_room(o, &column, INDENT, NUMBERS);
	out_text(o, p.likely > 0.05 * b->seconds ? " +" : "  ");
	out_fixed(o, b->idle ? "segments_per_100_closes" : "segments_per_second", -10, 1,
		  p.likely / b->seconds + 0.0);
	out_fixed(o, "at_least", 10, 1, p.least / b->seconds + 0.0);
	out_text(o, " ..");
	out_fixed(o, "at_most", 10, 1, p.most / b->seconds + 0.0);
	if (p.data)
		out_room(o, &column, INDENT, strlen(DATA_TOO));
	if (o->json)
		out_bool(o, "data_acks_too", p.data);
	else if (p.data)
		out_text(o, DATA_TOO);
	out_nl(o);
	out_end(o);
}

static void sentence(struct out *o, const char *text)
{
	if (!o->json)
		out_wrapped(o, NULL, 0, text);
}

static void heading(struct ctx *ctx, const struct basis *b)
{
	double all = decided(&b->c), merged = counters_get(&b->c, "FinAckMerged");
	const char *ports = knobs_get(&b->k, "ports");
	struct out *o = &ctx->out;
	int column = strlen("5.0 s: 12345.6 closes/s,");

	if (b->idle) {
		sentence(o, "No close came meanwhile; of all since the module was loaded, "
			 "per 100 closes:");
	} else {
		out_fixed(o, "seconds", 0, 1, b->seconds);
		out_text(o, " s: ");
		out_fixed(o, "closes_per_second", 0, 1, all / b->seconds);
		out_text(o, " closes/s,");
		out_room(o, &column, 0, strlen(" 12345.6 of them merged"));
		out_text(o, " ");
		out_fixed(o, "merged_per_second", 0, 1, merged / b->seconds);
		out_text(o, " of them merged");
		out_nl(o);
	}
	if (ports && *ports)
		sentence(o, "Counters do not tell ports: this is as if controls held for all");
	column = NAME;
	out_color(o, OUT_HEAD);
	out_text(o, "%*s", -NAME, "Policy");
	out_room(o, &column, INDENT, NUMBERS);
	out_text(o, "  %-10s%10s ..%10s", b->idle ? "Seg/100" : "Segments/s", "at least",
		 "at most");
	out_color(o, OUT_PLAIN);
	out_nl(o);
}

/**
 * struct run - a prediction for each namespace
 * @setting: the policy to judge
 * @n: how many settings it has
 * @before: the first readings, in the order of the namespaces
 * @judged: how many namespaces had closes to judge by
 */
struct run {
	const struct setting *setting;
	size_t n;
	struct basis *before;
	size_t judged;
};

static int first(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct run *r = arg;

	return sample(&r->before[ns - ctx->ns]) ? OK : FAILED;
}

static int second(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct basis *b = calloc(1, sizeof(*b));
	struct run *r = arg;
	size_t i;

	if (!b || !sample(b)) {
		free(b);
		return FAILED;
	}
	since(b, &r->before[ns - ctx->ns], ctx->seconds);
	r->judged += b->seconds > 0;
	if (b->seconds > 0)
		heading(ctx, b);
	else if (ctx->all)
		sentence(&ctx->out, NO_CLOSE);
	out_list(&ctx->out, "predictions");
	for (i = 0; b->seconds > 0 && !r->n && i < sizeof(usual) / sizeof(*usual); i++)
		if (knobs_get(&b->k, usual[i]->name))
			one(ctx, b, usual[i], 1);
	if (b->seconds > 0 && r->n)
		one(ctx, b, r->setting, r->n);
	out_end(&ctx->out);
	free(b);
	return OK;
}

int predict_print(struct ctx *ctx, const struct setting *s, size_t n)
{
	struct run r = { .setting = s, .n = n };
	struct ctx quiet = *ctx;
	int rc = FAILED;

	quiet.quiet = true;
	r.before = calloc(ctx->ns_count, sizeof(*r.before));
	if (r.before && !each_netns(&quiet, first, &r)) {
		ctx->seconds = interval_wait(ctx->seconds ? ctx->seconds : SECONDS);
		rc = each_netns(ctx, second, &r);
		if (!rc && !r.judged) {
			fputs("finack: " NO_CLOSE "\n", stderr);
			rc = FAILED;
		}
	}
	free(r.before);
	return rc;
}
