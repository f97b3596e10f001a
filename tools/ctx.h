/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands share. */
#ifndef FINACK_CTX_H
#define FINACK_CTX_H

#include <stdio.h>

#include "out.h"
#include "read/netns.h"

/* exit status */
#define OK	0
#define FAILED	1	/* it was tried and did not work, or what was claimed does not hold */
#define MISUSE	2	/* the words of the command line are wrong */

/**
 * struct ctx - what the options say
 * @out: how to print
 * @ns: the namespaces the command is about; one, unless @all
 * @ns_count: how many
 * @all: -a
 * @stats: -s
 * @zeros: -z
 * @seconds: -d, 0 if not given
 * @dry_run: --dry-run
 * @quiet: each_netns() prints nothing
 */
struct ctx {
	struct out out;
	struct netns *ns;
	size_t ns_count;
	bool all;
	bool stats;
	bool zeros;
	double seconds;
	bool dry_run;
	bool quiet;
};

/**
 * each_netns() - do something in each of the namespaces the command is about
 * @ctx: see there
 * @fn: called in the namespace, with a JSON object open and its name printed
 * @arg: passed on
 *
 * Return: the worst exit status.
 */
int each_netns(struct ctx *ctx, int (*fn)(struct ctx *ctx, const struct netns *ns, void *arg),
	       void *arg);

/** module_ready() - whether the file is there; else says on stderr what to do */
bool module_ready(const char *path);

/** netns_print() - name a namespace, in JSON and, if there may be several, in text */
void netns_print(struct ctx *ctx, const struct netns *ns);

/** misuse() - say what is wrong with the command line; Return: MISUSE */
int misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
