// SPDX-License-Identifier: GPL-2.0-only
/* The finack command: options, the table of commands, usage. */
#include <stdio.h>
#include <string.h>

#include "../module/version.h"
#include "finack.h"

static const struct cmd cmds[] = {
	{ "show", show_main, "", "print the counters of this network namespace (default)" },
	{ "lab", lab_main, "[-4|-6|-m] [-c] [--here] [NAME...|all]",
	  "list the experiments, or run some and draw what the wire saw" },
	{ 0 }
};

static void usage(FILE *f)
{
	const struct cmd *c;

	fprintf(f, "Usage: finack [-h|-V] [COMMAND]\n\n");
	for (c = cmds; c->name; c++)
		fprintf(f, "  %s %s\n      %s\n", c->name, c->args, c->help);
}

int main(int argc, char **argv)
{
	const struct cmd *c;

	if (argc < 2)
		return show_main(1, (char *[]){ "show", NULL });
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		usage(stdout);
		return OK;
	}
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		printf("finack %s\n", FINACK_VERSION);
		return OK;
	}
	for (c = cmds; c->name; c++)
		if (!strcmp(argv[1], c->name))
			return c->run(argc - 1, argv + 1);
	fprintf(stderr, "finack: '%s' is neither a command nor an option\n", argv[1]);
	usage(stderr);
	return MISUSE;
}
