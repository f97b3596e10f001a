// SPDX-License-Identifier: GPL-2.0-only
/* finack lab: runs experiments by name and draws what the wire saw. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "finack.h"
#include "lab/lab.h"

static void list(void)
{
	const struct experiment *e;

	for (e = experiments; e->name; e++)
		printf("%2d  %-20s %s\n", e->nr, e->name, e->claim);
}

/* "three segments: FIN, FIN+ACK, ACK" in words, and why */
static void verdict(const struct experiment *e, const struct lab_result *r)
{
	static const char * const number[] = { "no", "one", "two", "three", "four", "five", "six" };
	size_t i, n = r->close.segments;
	int column = 0;

	if (r->close.active >= 0)
		printf("  wire:     %s segments, %s\n", n < 7 ? number[n] : "many",
		       wire_outcome_name(r->close.outcome));
	else
		printf("  wire:     no FIN\n");
	printf("  why:      %s\n", e->why);
	printf("  counters:");
	for (i = 0; r->have_counters && i < r->after[LAB_SERVER].n; i++) {
		const char *name = r->after[LAB_SERVER].row[i].name;
		int64_t moved = lab_moved(r, name);

		if (!moved)
			continue;
		if (column > 50) {
			printf("\n%11s", "");
			column = 0;
		}
		column += printf(" %s %+" PRId64, name, moved);
	}
	if (!r->have_counters)
		printf(" the module is not loaded");
	else if (!column)
		printf(" none moved");
	printf("\n");
	if (*r->problem)
		printf("  claim:    DOES NOT HOLD: %s\n", r->problem);
	else
		printf("  claim:    holds\n");
}

static bool color;

static int run(const struct experiment *e, enum lab_family family)
{
	const struct lab_options o = { .family = family };
	struct lab_result r;
	int rc;

	printf("%s (%s)\n  claim:    %s\n", e->name, lab_family_name[family], e->claim);
	fflush(stdout);
	rc = lab_run(e, &o, &r);
	if (rc) {
		fprintf(stderr, "finack: %s: %s\n", e->name, r.problem);
		rc = FAILED;
	} else {
		ladder_print(&r, stdout, color);
		verdict(e, &r);
		rc = *r.problem ? FAILED : OK;
	}
	printf("\n");
	lab_free(&r);
	return rc;
}

/* each experiment in a namespace of its own, unless the user wants this one */
static int run_in(const struct experiment *e, enum lab_family family, bool here)
{
	if (here && (e->net.quickack || e->net.link || e->net.rtt_ms)) {
		fprintf(stderr, "finack: %s needs a route or a link of its own, not --here\n", e->name);
		return FAILED;
	}
	if (!here && lab_scratch()) {
		fprintf(stderr, "finack: cannot make a network namespace: %s%s\n", strerror(errno),
			errno == EPERM ? "; run as root" : "");
		return FAILED;
	}
	return run(e, family);
}

static int lab_usage(void)
{
	fprintf(stderr, "Usage: finack lab [-4|-6|-m] [-c] [--here] [NAME...|all]\n"
		"  -4, -6, -m  over IPv4 (default), IPv6, IPv4-mapped IPv6\n"
		"  -c, --color with colours also where the output is no terminal\n"
		"  --here      in this network namespace's loopback, not in one made for the run\n");
	return MISUSE;
}

int lab_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "color", 0, NULL, 'c' }, { "here", 0, NULL, 'H' }, { 0 }
	};
	enum lab_family family = LAB_IPV4;
	const struct experiment *e;
	bool here = false;
	int opt, i, rc = OK;

	color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	while ((opt = getopt_long(argc, argv, "46mc", options, NULL)) != -1) {
		switch (opt) {
		case '4':
			family = LAB_IPV4;
			break;
		case '6':
			family = LAB_IPV6;
			break;
		case 'm':
			family = LAB_MAPPED;
			break;
		case 'c':
			color = true;
			break;
		case 'H':
			here = true;
			break;
		default:
			return lab_usage();
		}
	}
	if (optind == argc) {
		list();
		return OK;
	}
	for (i = optind; i < argc; i++) {
		if (!strcmp(argv[i], "all") || lab_find(argv[i]))
			continue;
		fprintf(stderr, "finack: there is no experiment '%s'; 'finack lab' lists them\n",
			argv[i]);
		return MISUSE;
	}
	for (i = optind; i < argc; i++)
		for (e = experiments; e->name; e++)
			if (!strcmp(argv[i], "all") || !strcmp(argv[i], e->name))
				rc |= run_in(e, family, here);
	return rc;
}
