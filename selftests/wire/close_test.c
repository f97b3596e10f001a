// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every experiment of the lab over IPv4, IPv6 and v4-mapped IPv6, each in a network namespace
 * of its own. Wire, counters and the application's view must all be as claimed; the lab compares.
 * The trace event and the histograms must say the same. A capture on lo sees a segment when it has
 * passed IP and the device, 8 to 14 thousand instructions from the hooks: 99 of 100 delays are to
 * be no further off than 15 us, none further than 20.
 *
 * Arguments: names of experiments, or none for all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lab/ladder.h"
#include "close_event.h"
#include "kselftest.h"
#include "read/hist.h"
#include "slack.h"

/* exact under counted time */
#define TOLERANCE_US	(20 * slack())
#define USUAL_US	(15 * slack())

static long long worst_us;
static int delays, unusual;

/* the counters and the words for the same in the event */
static const char * const words[][2] = {
	{ "Merged", "merged" }, { "Separate", "separate" }, { "Unacked", "unacked" },
	{ "SepTimer", "timer" }, { "SepNoAto", "no-ato" }, { "SepRoute", "route" },
	{ "SepNow", "now" }, { "SepApp", "app" }, { "SepData", "data" },
	{ "EndClose", "close" }, { "EndShutdown", "shutdown" }, { "EndExit", "exit" },
	{ "EndResetIn", "reset-in" }, { "EndResetOut", "reset-out" }, { "EndOther", "other" },
};

/* whether a word of the event is one that the experiment's counters claim */
static bool claimed(const struct experiment *e, const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(words[i][1], word) && lab_moves(e->shows.moves, words[i][0]))
			return true;
	return false;
}

/* data that was sent again until the kernel gave up: the socket need not know any more */
static bool forgotten(const struct lab_result *r, size_t seg)
{
	return r->e->end == LAB_GIVEN_UP && seg == r->close.ack && r->close.data_with_ack;
}

/* the bound of the last bucket with a delay in it; 0 if there is none, or for the open one */
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
	if (known != sent || off > TOLERANCE_US)
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
	if (!claimed(e, ev.outcome) || !claimed(e, ev.end) ||
	    (strcmp(ev.reason, "-") && !claimed(e, ev.reason)) ||
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

/* the time that all CPUs together were idle, in hundredths of a second */
static long long idle_time(void)
{
	long long idle;
	FILE *f = fopen("/proc/stat", "r");

	if (!f || fscanf(f, "cpu %*u %*u %*u %lld", &idle) != 1)
		ksft_exit_fail_msg("/proc/stat does not say how long the CPUs were idle\n");
	fclose(f);
	return idle;
}

/* Until for so many half seconds on end next to nothing ran: what earlier processes left is freed
 * when the kernel finds the time.
 */
static void come_to_rest(int windows)
{
	const struct timespec window = { 0, 500000000 };
	long long enough = 48 * sysconf(_SC_NPROCESSORS_ONLN), before;
	int i, quiet = 0;

	for (i = 0; quiet < windows; i++) {
		if (i == 240)
			ksft_exit_fail_msg("the machine does not come to rest in two minutes\n");
		before = idle_time();
		nanosleep(&window, NULL);
		quiet = idle_time() - before >= enough ? quiet + 1 : 0;
	}
}

/* The kernel takes a namespace down when it finds the time: on a slow one that is tens of
 * milliseconds of a later experiment's, and with CONFIG_DEBUG_KOBJECT_RELEASE it comes back to it
 * for up to four seconds. So those from before are waited for, and ours stay until the end.
 */
#define NAMESPACES_GONE	10

static int *kept, n_kept;

static void keep_namespace(void)
{
	kept[n_kept] = lab_scratch_fd();
	if (kept[n_kept++] < 0)
		ksft_exit_fail_msg("cannot make a network namespace: %s\n", strerror(errno));
}

static void drop_namespaces(void)
{
	while (n_kept)
		close(kept[--n_kept]);
	free(kept);
	if (lab_scratch())
		ksft_exit_fail_msg("cannot leave a network namespace: %s\n", strerror(errno));
	come_to_rest(NAMESPACES_GONE);
}

static void test(const struct experiment *e, enum lab_family family)
{
	const struct lab_options o = {
		.family = family,
		.slack_ms = slack() > 1 ? 10 : 0,
	};
	struct lab_result r;

	keep_namespace();
	come_to_rest(1);
	events_read(NULL, 0); /* what came before */
	lab_run(e, &o, &r);
	judge_event(e, &r);
	if (!r.have_counters)
		snprintf(r.problem, sizeof(r.problem), "the module is not loaded");
	if (*r.problem) {
		ksft_print_msg("%s\n", r.problem);
		ladder_print(&r, stdout, false, 80);
		fflush(stdout);
	}
	ksft_test_result(!*r.problem, "%s/%s\n", e->name, lab_family_name[family]);
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
	kept = calloc(n, sizeof(*kept));
	if (!kept)
		ksft_exit_fail_msg("no memory\n");
	ksft_set_plan(n + 1);
	come_to_rest(NAMESPACES_GONE);
	for (e = experiments; e->name; e++)
		for (f = 0; wanted(e, argc, argv) && f < __LAB_FAMILY_MAX; f++)
			test(e, f);
	ksft_test_result(unusual * 100 <= delays + 99, "delays_at_p99\n");
	ksft_print_msg("no delay is further than %lld us from the capture\n", worst_us);
	drop_namespaces();
	ksft_finished();
}
