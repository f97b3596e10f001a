// SPDX-License-Identifier: GPL-2.0-only
/* finack set --dry-run: watches the closes for a while and prints what policies would change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "predict.h"

#define SECONDS 5.0

/* what is judged if no control is named */
static struct setting usual[][1] = {
	{ { .name = "fin_ack", .value = "0" } },
	{ { .name = "fin_ack", .value = "1" } },
	{ { .name = "fin_ack", .value = "2" } },
	{ { .name = "quickack", .value = "1" } },
};

/**
 * struct basis - what predictions are made from
 * @c: the counters of the interval
 * @h: the delays
 * @k: the controls
 * @seconds: how long it was; without closes, what all closes so far are divided by
 * @idle: there were none
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

static bool watch(struct basis *b, struct basis *before, double seconds)
{
	struct timespec t[2], pause = { .tv_sec = seconds };

	pause.tv_nsec = (seconds - pause.tv_sec) * 1e9;
	if (!sample(before))
		return false;
	clock_gettime(CLOCK_MONOTONIC, &t[0]);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &t[1]);
	if (!sample(b))
		return false;
	b->seconds = t[1].tv_sec - t[0].tv_sec + (t[1].tv_nsec - t[0].tv_nsec) / 1e9;
	b->idle = decided(&b->c) <= decided(&before->c);
	if (b->idle) {
		b->seconds = decided(&b->c) / 100;
	} else {
		counters_sub(&b->c, &before->c);
		hists_sub(&b->h, &before->h);
	}
	return true;
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

	policy_from(&now, &b->k, NULL, 0);
	policy_from(&then, &b->k, s, n);
	p = predict(&b->c, hists_get(&b->h, "FinAckFinDelay"), &now, &then);
	out_object(o, NULL);
	out_str(o, "policy", -24, policy_name(name, sizeof(name), s, n));
	out_text(o, p.likely > 0.05 * b->seconds ? " +" : "  ");
	out_fixed(o, b->idle ? "segments_per_100_closes" : "segments_per_second", -10, 1,
		  p.likely / b->seconds + 0.0);
	out_fixed(o, "at_least", 10, 1, p.least / b->seconds + 0.0);
	out_text(o, " ..");
	out_fixed(o, "at_most", 10, 1, p.most / b->seconds + 0.0);
	if (o->json)
		out_bool(o, "data_acks_too", p.data);
	else if (p.data)
		out_text(o, "  and ACKs of data");
	out_nl(o);
	out_end(o);
}

static void heading(struct ctx *ctx, const struct basis *b)
{
	double all = decided(&b->c), merged = counters_get(&b->c, "FinAckMerged");
	const char *ports = knobs_get(&b->k, "ports");
	struct out *o = &ctx->out;

	if (b->idle) {
		out_text(o, "No close came meanwhile; of all since the module was loaded, ");
		out_text(o, "per 100 closes:");
		out_nl(o);
	} else {
		out_fixed(o, "seconds", 0, 1, b->seconds);
		out_text(o, " s: ");
		out_fixed(o, "closes_per_second", 0, 1, all / b->seconds);
		out_text(o, " closes/s, ");
		out_fixed(o, "merged_per_second", 0, 1, merged / b->seconds);
		out_text(o, " of them merged");
		out_nl(o);
	}
	if (ports && *ports && !o->json) {
		out_text(o, "Counters do not tell ports: this is as if controls held for all");
		out_nl(o);
	}
	out_color(o, OUT_HEAD);
	out_text(o, "%-24s  %-10s%10s ..%10s", "Policy", b->idle ? "Seg/100" : "Segments/s",
		 "at least", "at most");
	out_color(o, OUT_PLAIN);
	out_nl(o);
}

int predict_print(struct ctx *ctx, const struct setting *s, size_t n)
{
	struct basis *b = calloc(2, sizeof(*b));
	size_t i;
	int rc = FAILED;

	if (b && watch(&b[0], &b[1], ctx->seconds ? ctx->seconds : SECONDS)) {
		rc = b->seconds > 0 ? OK : FAILED;
		if (rc)
			fputs("finack: no close was counted yet to predict from\n", stderr);
	}
	if (!rc) {
		heading(ctx, b);
		out_list(&ctx->out, "predictions");
		for (i = 0; !n && i < sizeof(usual) / sizeof(*usual); i++)
			if (knobs_get(&b->k, usual[i]->name))
				one(ctx, b, usual[i], 1);
		if (n)
			one(ctx, b, s, n);
		out_end(&ctx->out);
	}
	free(b);
	return rc;
}
