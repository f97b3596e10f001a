/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands share. */
#ifndef FINACK_TOOL_H
#define FINACK_TOOL_H

/* exit status */
#define OK	0
#define FAILED	1	/* it was tried and did not work, or what was claimed does not hold */
#define MISUSE	2	/* the words of the command line are wrong */

/**
 * struct cmd - a command
 * @name: its word
 * @run: called with the words from the command's own on; returns the exit status
 * @args: what may follow, for the usage
 * @help: one line
 */
struct cmd {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *help;
};

int show_main(int argc, char **argv);
int lab_main(int argc, char **argv);

#endif
