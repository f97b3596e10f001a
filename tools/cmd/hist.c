// SPDX-License-Identifier: GPL-2.0-only
/* finack hist: prints the delays as bars. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd.h"
#include "read/file.h"
#include "read/hist.h"

/* Where delayed ACKs show: the delay is usually 40 ms, and doubles up to 200 ms. */
static const unsigned int marks_ms[] = { 40, 80, 160, 200 };

/**
 * struct bars - how bars are drawn
 * @width: of the longest bar
 * @digits: of the largest count
 * @narrow: leave out the lower bound of each bucket
 */
struct bars {
	int width;
	int digits;
	bool narrow;
};

/* draw in eighths of a character if the terminal has UTF-8; @pad: text follows the bar */
static void bar(struct out *o, double share, int width, bool pad)
{
	static const char * const part[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	int i, eighths = share * width * 8 + 0.5;

	if (share > 0 && !eighths)
		eighths = 1;
	out_color(o, OUT_GOOD);
	for (i = 0; i < width && (eighths || pad); i++, eighths = eighths > 8 ? eighths - 8 : 0) {
		if (o->utf8 && eighths)
			out_text(o, "%s", eighths < 8 ? part[eighths] : "█");
		else
			out_text(o, "%c", eighths >= 4 || (!i && eighths) ? '#' : ' ');
	}
	out_color(o, OUT_PLAIN);
}

/* " <- 160 200 ms" if these marks are in the bucket, "" if none is */
static char *marks(char *buf, size_t size, uint64_t lower, uint64_t bound)
{
	size_t i, n = 0;

	*buf = '\0';
	for (i = 0; i < sizeof(marks_ms) / sizeof(*marks_ms); i++)
		if (marks_ms[i] * 1000 >= lower && marks_ms[i] * 1000 < bound)
			n += snprintf(buf + n, size - n, "%s%u", n ? " " : " <- ", marks_ms[i]);
	if (n)
		snprintf(buf + n, size - n, " ms");
	return buf;
}

static uint64_t peak(const struct hist *h)
{
	uint64_t most = 1;
	size_t i;

	for (i = 0; i < h->n; i++)
		if (h->bucket[i].count > most)
			most = h->bucket[i].count;
	return most;
}

/* whether delayed ACKs show in it: not in how late our FIN was, which is the application's doing */
static bool shows_delayed_acks(const struct hist *h)
{
	return strcmp(h->name, "FinAckFinDelay");
}

void quantile_print(struct ctx *ctx, const char *key, int width, const struct hist *h, double q)
{
	struct out *o = &ctx->out;
	char text[32], line[40];
	uint64_t lower, bound = hist_quantile(h, q, &lower);
	uint64_t known = bound == UINT64_MAX ? lower : bound;

	if (o->json) {
		out_object(o, key);
		out_u64(o, "from_us", 0, lower);
		if (bound != UINT64_MAX)
			out_u64(o, "below_us", 0, bound);
		out_end(o);
		return;
	}
	if (o->numeric)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)known);
	else
		out_duration(text, sizeof(text), known);
	snprintf(line, sizeof(line), "%s %s", bound == UINT64_MAX ? ">=" : "<=", text);
	out_text(o, "%*s", width, line);
}

static void bucket(struct ctx *ctx, const struct hist *h, size_t i, const struct bars *b)
{
	const struct hist_bucket *k = &h->bucket[i];
	struct out *o = &ctx->out;
	char text[64] = "";

	out_object(o, NULL);
	if (o->json || !b->narrow) {
		out_us(o, "from_us", 8, hist_lower(h, i));
		out_text(o, " ..");
	}
	if (k->bound == UINT64_MAX)
		out_text(o, "     more");
	else
		out_us(o, "below_us", 9, k->bound);
	out_text(o, " ");
	out_u64(o, "count", b->digits, k->count);
	if (shows_delayed_acks(h))
		marks(text, sizeof(text), hist_lower(h, i), k->bound);
	out_text(o, k->count || *text ? " " : "");
	if (!o->json)
		bar(o, (double)k->count / peak(h), b->width, *text);
	out_text(o, "%s", text);
	out_nl(o);
	out_end(o);
}

static void range(const struct hist *h, bool all, size_t *first, size_t *last)
{
	*first = 0;
	*last = h->n;
	while (!all && *last > *first && !h->bucket[*last - 1].count)
		--*last;
	while (!all && *first < *last && !h->bucket[*first].count)
		++*first;
}

static void one(struct ctx *ctx, const struct hist *h)
{
	struct out *o = &ctx->out;
	struct bars b = {};
	size_t i, first, last;
	char text[32];

	b.digits = snprintf(text, sizeof(text), "%llu", (unsigned long long)peak(h));
	b.narrow = out_narrow(o, 66);
	/* what bounds, count and marks leave */
	b.width = out_columns(o) - (b.narrow ? 9 : 20) - 2 - b.digits - 14;
	b.width = b.width < 4 ? 4 : b.width > 60 ? 60 : b.width;
	out_object(o, NULL);
	out_color(o, OUT_HEAD);
	out_str(o, "name", 0, h->name);
	out_color(o, OUT_PLAIN);
	out_text(o, ": ");
	out_u64(o, "count", 0, h->count);
	out_text(o, strstr(h->name, "Stall") ? " stall%s" : " delay%s", h->count == 1 ? "" : "s");
	if (h->count || o->json) {
		out_text(o, b.narrow ? "\nmean " : ", mean ");
		out_us(o, "mean_us", 0, h->count ? h->sum / h->count : 0);
		out_text(o, b.narrow ? "\np50 " : ", p50 ");
		quantile_print(ctx, "p50_us", 0, h, 0.5);
		out_text(o, b.narrow ? " p99 " : ", p99 ");
		quantile_print(ctx, "p99_us", 0, h, 0.99);
	}
	out_nl(o);
	range(h, ctx->zeros || o->json, &first, &last);
	out_list(o, "buckets");
	for (i = first; i < last; i++)
		bucket(ctx, h, i, &b);
	out_end(o);
	out_end(o);
}

static bool wanted(const struct hist *h, const char *only)
{
	static const char * const words[][2] = {
		{ "ack", "FinAckAckDelay" }, { "fin", "FinAckFinDelay" },
		{ "stall", "FinAckStallTime" }, { "peer-stall", "FinAckPeerStallTime" },
	};
	size_t i;

	for (i = 0; only && i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(only, words[i][0]))
			return !strcmp(h->name, words[i][1]);
	return !only;
}

static int hist(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct hists h;
	size_t i, n = 0;

	(void)ns;
	if (hists_read(&h)) {
		file_complain(HISTS_FILE);
		return FAILED;
	}
	out_list(&ctx->out, "histograms");
	for (i = 0; i < h.n; i++) {
		if (!wanted(&h.hist[i], arg))
			continue;
		if (n++)
			out_nl(&ctx->out);
		one(ctx, &h.hist[i]);
	}
	out_end(&ctx->out);
	return n ? OK : misuse("there is no histogram '%s'", (const char *)arg);
}

int hist_main(struct ctx *ctx, int argc, char **argv)
{
	if (argc > 2)
		return misuse("hist takes one word, the histogram");
	if (!module_ready(HISTS_FILE))
		return FAILED;
	return each_netns(ctx, hist, argv[1]);
}
