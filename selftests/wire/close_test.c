// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every experiment of the lab over IPv4, IPv6 and v4-mapped IPv6, each in a network namespace
 * of its own. Wire, counters and the application's view must all be as claimed; the lab compares.
 * The trace event and the histograms must say the same. A capture on lo sees a segment after it has
 * passed IP and the device, 8,000 to 14,000 instructions after the hooks. So 99 of 100 delays must
 * be within 15 us of the capture, and all within 20; on a debug kernel no time is compared.
 *
 * Arguments: names of experiments, or none for all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/ladder.h"
#include "close_event.h"
#include "kselftest.h"
#include "read/hist.h"
#include "times.h"

/* exact under counted time */
#define TOLERANCE_US	(20 + late_us())
#define USUAL_US	(15 + late_us())

static long long worst_us;
static int delays, unusual;

/* the counters, and the words that stand for the same in the event */
static const char * const words[][2] = {
	{ "FinAckMerged", "merged" }, { "FinAckSeparate", "separate" },
	{ "FinAckUnacked", "unacked" }, { "FinAckSepTimer", "timer" },
	{ "FinAckSepNoAto", "no-ato" }, { "FinAckSepRoute", "route" },
	{ "FinAckSepNow", "now" }, { "FinAckSepApp", "app" }, { "FinAckSepData", "data" },
	{ "FinAckEndClose", "close" }, { "FinAckEndShutdown", "shutdown" },
	{ "FinAckEndExit", "exit" }, { "FinAckEndResetIn", "reset-in" },
	{ "FinAckEndResetOut", "reset-out" }, { "FinAckEndOther", "other" },
};

/* whether the counter moved that a word of the event stands for */
static bool counted(const struct lab_result *r, const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(words[i][1], word) && lab_moved(r, words[i][0]))
			return true;
	return false;
}

/* data that was sent again until the kernel gave up: when it first left need not be known */
static bool forgotten(const struct lab_result *r, size_t seg)
{
	return r->e->end == LAB_GIVEN_UP && seg == r->close.ack && r->close.data_with_ack;
}

/* the bound of the last bucket with a delay in it; 0 if there is none, or it has no bound */
static unsigned long long below(const struct hist *h)
{
	size_t i = h->n;

	while (i && !h->bucket[i - 1].count)
		i--;
	return !i || h->bucket[i - 1].bound == UINT64_MAX ? 0 : h->bucket[i - 1].bound;
}

static void compare_delay(struct lab_result *r, const char *what, long long us, size_t seg,
			  const char *hist_name)
{
	const struct wire_conn *c = r->conn;
	long long wire_us = -1, off = 0;
	bool known = us >= 0, sent = seg < c->n && (known || !forgotten(r, seg));
	struct hists all;
	const struct hist *h;

	if (sent)
		wire_us = (c->seg[seg].ns - c->seg[r->close.fin].ns) / 1000;
	if (wire_us >= 0 && us >= 0)
		off = us > wire_us ? us - wire_us : wire_us - us;
	if (known != sent || (times_hold() && off > TOLERANCE_US))
		lab_problem(r, "%s delay is %lld us, the wire shows %lld us", what, us, wire_us);
	if (off > worst_us)
		worst_us = off;
	delays += known && sent;
	unusual += off > USUAL_US;
	if (hists_read(&all))
		lab_problem(r, "no histograms");
	h = hists_get(&all, hist_name);
	if (!!h->count != known || h->count > 1)
		lab_problem(r, "%llu delays in %s", (unsigned long long)h->count, hist_name);
	if (us >= 0 && (h->sum != us || us >= below(h) || us < below(h) / 2))
		lab_problem(r, "%s has %llu us in the bucket below %llu us, the event %lld us",
			    hist_name, (unsigned long long)h->sum, below(h), us);
}

static void judge_event(const struct experiment *e, struct lab_result *r)
{
	bool passive = lab_moves(e->shows.moves, "Passive");
	struct close_event ev;
	int n = events_read(&ev, 1);
	struct stat st;

	if (n != passive)
		lab_problem(r, "%d events, expected %d", n, passive);
	if (n != 1)
		return;
	if (stat("/proc/self/ns/net", &st) || ev.netns != st.st_ino)
		lab_problem(r, "the event's namespace is %u, not %lu", ev.netns, (long)st.st_ino);
	if (!ev.cookie)
		lab_problem(r, "the event has no cookie");
	if (ev.sport != LAB_PORT && ev.dport != LAB_PORT)
		lab_problem(r, "the event's ports are %u and %u", ev.sport, ev.dport);
	if (!counted(r, ev.outcome) || !counted(r, ev.end) ||
	    (strcmp(ev.reason, "-") && !counted(r, ev.reason)) ||
	    !strcmp(ev.outcome, "separate") != !!strcmp(ev.reason, "-"))
		lab_problem(r, "the event says %s, %s, %s", ev.outcome, ev.reason, ev.end);
	if (r->conn) {
		compare_delay(r, "ACK", ev.ack_delay_us,
			      strcmp(ev.outcome, "unacked") ? r->close.ack : r->conn->n,
			      "FinAckAckDelay");
		compare_delay(r, "FIN", ev.fin_delay_us, r->close.own_fin, "FinAckFinDelay");
	}
}

static bool wanted(const struct experiment *e, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], e->name))
			return true;
	return argc < 2;
}

static void test(const struct experiment *e, enum lab_family family)
{
	const struct lab_options o = {
		.family = family,
		.slack_ms = times_hold() ? late_us() / 1000 : LAB_ANY_TIME,
		.changed = !times_hold() && e->shows.within_tick,
	};
	struct lab_result r;

	/* It stays until this program ends: the kernel would take it down in the middle of a later
	 * experiment.
	 */
	if (lab_scratch_fd() < 0)
		ksft_exit_fail_msg("cannot make a network namespace: %s\n", strerror(errno));
	events_read(NULL, 0); /* discard what came before */
	lab_run(e, &o, &r);
	judge_event(e, &r);
	if (!r.have_counters)
		snprintf(r.problem, sizeof(r.problem), "the module is not loaded");
	if (lab_verdict(&r) != LAB_HOLDS) {
		ksft_print_msg("%s%s\n", *r.problem ? "" : "inconclusive: ",
			       *r.problem ? r.problem : r.doubt);
		ladder_print(&r, stdout, false, 80);
		fflush(stdout);
	}
	ksft_test_result(lab_verdict(&r) == LAB_HOLDS, "%s/%s\n", e->name, lab_family_name[family]);
	lab_free(&r);
}

int main(int argc, char **argv)
{
	const struct experiment *e;
	int f, n = 0;

	for (e = experiments; e->name; e++)
		n += wanted(e, argc, argv) * __LAB_FAMILY_MAX;
	ksft_print_header();
	if (!n)
		ksft_exit_fail_msg("no experiment of that name\n");
	if (events_begin())
		ksft_exit_fail_msg("cannot trace\n");
	ksft_set_plan(n + times_hold());
	for (e = experiments; e->name; e++)
		for (f = 0; wanted(e, argc, argv) && f < __LAB_FAMILY_MAX; f++)
			test(e, f);
	if (times_hold())
		ksft_test_result(unusual * 100 <= delays + 99, "delays_at_p99\n");
	ksft_print_msg("no delay is further than %lld us from the capture\n", worst_us);
	ksft_finished();
}
