// SPDX-License-Identifier: GPL-2.0-only
/* finack stalls: each wait for a delayed ACK as it happens; with -d, detail is 2 for so long. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "live.h"
#include "read/counters.h"
#include "read/file.h"
#include "read/knobs.h"

static void stall_heading(struct out *o, int *column)
{
	live_piece(o, column, "%-6s %8s", "Late", "Lost");
}

static void stall_line(struct out *o, const struct event *e, int *column)
{
	live_piece(o, column, "%-6s", event_get(e, "side"));
	out_color(o, OUT_WARN);
	live_duration(o, column, event_get(e, "lost_us"));
	out_color(o, OUT_PLAIN);
}

static const struct subject stalls = {
	"finack_stall", "stall", "stalls", { "side" }, stall_heading, stall_line
};

/** struct before - detail of a namespace before it was set to 2 for a while */
struct before {
	char detail[16];
	bool changed;
};

static int arm(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct before *b = (struct before *)arg + (ns - ctx->ns);
	struct setting two = { .name = "detail", .value = "2" };

	if (!file_line(KNOBS_DIR "/detail", b->detail, sizeof(b->detail)) ||
	    !strcmp(b->detail, "2"))
		return OK;
	if (knobs_apply(&two, 1)) {
		fprintf(stderr, "finack: cannot set detail to 2: %s%s\n", strerror(errno),
			errno == EPERM ? "; this is for root of the host, see userns_hooks in "
			"finack(8)" : "");
		return FAILED;
	}
	b->changed = true;
	return OK;
}

static int disarm(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct before *b = (struct before *)arg + (ns - ctx->ns);
	struct setting old = { .name = "detail", .value = b->detail };

	return b->changed && knobs_apply(&old, 1) ? FAILED : OK;
}

static int warn_if_off(struct ctx *ctx, const struct netns *ns, void *arg)
{
	char detail[16];

	(void)ctx;
	(void)ns;
	(void)arg;
	if (file_line(KNOBS_DIR "/detail", detail, sizeof(detail)) && strcmp(detail, "2"))
		fprintf(stderr, "finack: detail is %s here, so no stall is seen: use -d SECS, or "
			"'finack set detail 2'\n", detail);
	return OK;
}

/* -d: arms what sees stalls, watches, and puts it back however that ended */
static int for_a_while(struct live *w, struct ctx *quiet, int argc, char **argv)
{
	struct before *before = calloc(quiet->ns_count, sizeof(*before));
	int rc = before ? each_netns(quiet, arm, before) : FAILED;
	char lost[32];

	if (!rc)
		rc = live_run(w, argc, argv);
	if (before && each_netns(quiet, disarm, before))
		fprintf(stderr, "finack: detail could not be set back everywhere\n");
	if (!rc)
		out_text(&w->ctx->out, "%llu %s, %s lost\n", (unsigned long long)w->seen,
			 w->seen == 1 ? stalls.noun : stalls.nouns,
			 out_duration(lost, sizeof(lost), w->us));
	free(before);
	return rc;
}

int stalls_main(struct ctx *ctx, int argc, char **argv)
{
	struct live w = { .ctx = ctx, .subject = &stalls };
	int rc = live_words(&w, argc, argv);
	struct ctx quiet = *ctx;

	if (rc)
		return rc;
	if (!module_ready(COUNTERS_FILE))
		return FAILED;
	quiet.quiet = true;
	if (!ctx->seconds && !ctx->all)
		each_netns(&quiet, warn_if_off, NULL);
	live_begin(&w);
	rc = ctx->seconds ? for_a_while(&w, &quiet, argc, argv) : live_run(&w, argc, argv);
	live_end(&w);
	return rc;
}
