// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every experiment of the lab over IPv4, IPv6 and v4-mapped IPv6, each in a network namespace
 * of its own. Wire, counters and the application's view must all be as claimed; the lab compares.
 *
 * Arguments: names of experiments, or none for all.
 */
#include <errno.h>
#include <string.h>

#include "../tools/lab/lab.h"
#include "kselftest.h"

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
	struct lab_result r;

	if (lab_scratch())
		ksft_exit_fail_msg("cannot make a network namespace: %s\n", strerror(errno));
	lab_run(e, family, &r);
	if (!r.have_counters)
		snprintf(r.problem, sizeof(r.problem), "the module is not loaded");
	if (*r.problem) {
		ksft_print_msg("%s\n", r.problem);
		ladder_print(&r, stdout, false);
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
	ksft_set_plan(n);
	for (e = experiments; e->name; e++)
		for (f = 0; wanted(e, argc, argv) && f < __LAB_FAMILY_MAX; f++)
			test(e, f);
	ksft_finished();
}
