// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every experiment of the lab under each of the controls, over IPv4, IPv6 and v4-mapped IPv6.
 * The knobs are set in the server's network namespace; the client is in another, at the other end
 * of a link. What wire, counters and application must show is in tools/lab/controls.c.
 *
 * Two more namespaces stay at their defaults. In one nothing happens and no counter may move. In
 * the other the same experiment runs once more, after one of the families, which take turns. It
 * must end as without controls and must not be counted where the knobs are set.
 *
 * Arguments: names of experiments and of controls, or none for all.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lab/controls.h"
#include "lab/ladder.h"
#include "kselftest.h"

static int bystander; /* a namespace in which nothing happens */

static void scratch(void)
{
	if (lab_scratch())
		ksft_exit_fail_msg("cannot make a network namespace: %s\n", strerror(errno));
}

static void judge_bystander(struct lab_result *r, int back)
{
	struct counters c;
	size_t i;

	if (net_enter(bystander) || counters_read(&c))
		lab_problem(r, "the bystander has no counters");
	for (i = 0; i < c.n; i++)
		if (c.row[i].value)
			lab_problem(r, "%s moved in a namespace in which nothing happened",
				    c.row[i].name);
	if (net_enter(back))
		lab_problem(r, "cannot return");
}

/* the same experiment elsewhere, while the knobs are set here */
static void judge_neighbour(struct lab_result *r, const struct experiment *e,
			    enum lab_family family, int back)
{
	const struct lab_options o = { .family = family };
	struct counters before, after;
	struct lab_result plain;

	counters_read(&before);
	scratch();
	lab_run(e, &o, &plain);
	if (lab_verdict(&plain) != LAB_HOLDS)
		lab_problem(r, "in a namespace at its defaults: %s",
			    *plain.problem ? plain.problem : plain.doubt);
	lab_free(&plain);
	if (net_enter(back) || counters_read(&after))
		lab_problem(r, "cannot return");
	if (memcmp(before.row, after.row, before.n * sizeof(before.row[0])))
		lab_problem(r, "a close in another namespace was counted here");
}

static void test(const struct control *c, const struct experiment *e, const struct shows *shows,
		 const struct net *net, enum lab_family family)
{
	const struct lab_options o = {
		.family = family, .on = net, .knobs = c->knobs, .shows = shows,
	};
	struct lab_result r;

	lab_run(e, &o, &r);
	if (!r.have_counters)
		lab_problem(&r, "the module is not loaded");
	judge_bystander(&r, net->server);
	if ((c - controls + e - experiments) % __LAB_FAMILY_MAX == family)
		judge_neighbour(&r, e, family, net->server);
	if (lab_verdict(&r) != LAB_HOLDS) {
		ksft_print_msg("%s%s\n", *r.problem ? "" : "inconclusive: ",
			       *r.problem ? r.problem : r.doubt);
		ladder_print(&r, stdout, false, 80);
		fflush(stdout);
	}
	ksft_test_result(lab_verdict(&r) == LAB_HOLDS, "%s/%s/%s\n", c->name, e->name,
			 lab_family_name[family]);
	lab_free(&r);
}

/* an experiment under a control: a network for all families, unless the experiment ruins it */
static void test_families(const struct control *c, const struct experiment *e)
{
	const bool ruins = e->end == LAB_GIVEN_UP;
	struct net_options want = e->net;
	struct shows shows;
	struct net net;
	char moves[200];
	int f;

	want.link = true;
	control_shows(c, e, &shows, moves, sizeof(moves));
	for (f = 0; f < __LAB_FAMILY_MAX; f++) {
		if (!f || ruins) {
			const char *problem;

			scratch();
			problem = net_make(&net, &want, LAB_IPV6);
			if (problem)
				ksft_exit_fail_msg("%s\n", problem);
		}
		test(c, e, &shows, &net, f);
		if (f == __LAB_FAMILY_MAX - 1 || ruins)
			net_free(&net);
	}
}

/* whether this name was asked for, or no name of its kind */
static bool wanted(const char *name, bool (*kind)(const char *), int argc, char **argv)
{
	bool any = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return true;
		any |= kind(argv[i]);
	}
	return !any;
}

static bool is_experiment(const char *name)
{
	return lab_find(name);
}

static bool is_control(const char *name)
{
	const struct control *c;

	for (c = controls; c->name; c++)
		if (!strcmp(c->name, name))
			return true;
	return false;
}

static int for_each(int argc, char **argv, bool run)
{
	const struct experiment *e;
	const struct control *c;
	struct shows shows;
	char moves[200];
	int n = 0;

	for (c = controls; c->name; c++) {
		for (e = experiments; e->name; e++) {
			if (!wanted(c->name, is_control, argc, argv) ||
			    !wanted(e->name, is_experiment, argc, argv) ||
			    !control_shows(c, e, &shows, moves, sizeof(moves)))
				continue;
			n += __LAB_FAMILY_MAX;
			if (run)
				test_families(c, e);
		}
	}
	return n;
}

int main(int argc, char **argv)
{
	int i;

	ksft_print_header();
	for (i = 1; i < argc; i++)
		if (!is_experiment(argv[i]) && !is_control(argv[i]))
			ksft_exit_fail_msg("%s is neither an experiment nor a control\n", argv[i]);
	ksft_set_plan(for_each(argc, argv, false));
	scratch();
	bystander = net_this();
	if (bystander < 0)
		ksft_exit_fail_msg("cannot open a network namespace: %s\n", strerror(errno));
	for_each(argc, argv, true);
	ksft_finished();
}
