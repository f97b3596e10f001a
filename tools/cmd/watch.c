// SPDX-License-Identifier: GPL-2.0-only
/* finack watch: each close as it happens. */
#include <string.h>

#include "cmd.h"
#include "live.h"
#include "read/counters.h"

static void close_heading(struct out *o, int *column)
{
	live_piece(o, column, "%-8s %-7s %-9s", "Outcome", "Reason", "Ended");
	live_piece(o, column, " %8s", "ACK");
	live_piece(o, column, " %8s", "FIN");
}

static void close_line(struct out *o, const struct event *e, int *column)
{
	const char *outcome = event_get(e, "outcome");

	out_color(o, strcmp(outcome, "merged") ? OUT_WARN : OUT_GOOD);
	live_piece(o, column, "%-8s %-7s", outcome, event_get(e, "reason"));
	out_color(o, OUT_PLAIN);
	live_piece(o, column, " %-9s", event_get(e, "end"));
	live_duration(o, column, event_get(e, "ack_delay_us"));
	live_duration(o, column, event_get(e, "fin_delay_us"));
}

static const struct subject closes = {
	"finack_close", "close", "closes", { "outcome", "reason", "end" }, close_heading, close_line
};

int watch_main(struct ctx *ctx, int argc, char **argv)
{
	struct live w = { .ctx = ctx, .subject = &closes };
	int rc = live_words(&w, argc, argv);

	if (rc)
		return rc;
	if (!module_ready(COUNTERS_FILE))
		return FAILED;
	live_begin(&w);
	rc = live_run(&w, argc, argv);
	live_end(&w);
	return rc;
}
