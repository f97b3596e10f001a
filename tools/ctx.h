/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands share. */
#ifndef FINACK_CTX_H
#define FINACK_CTX_H

#include <stdio.h>

#include "out.h"
#include "read/netns.h"

/* exit status */
#define OK	0
#define FAILED	1	/* it did not work, or what is claimed does not hold */
#define MISUSE	2	/* the command line is wrong */
#define INCONCLUSIVE 4	/* an experiment says nothing about its claim; no other one failed */

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
 * @ctx: what the options say
 * @fn: called in each namespace; unless @ctx->quiet, in a JSON object and with the name printed
 * @arg: passed on
 *
 * Return: the worst exit status.
 */
int each_netns(struct ctx *ctx, int (*fn)(struct ctx *ctx, const struct netns *ns, void *arg),
	       void *arg);

/** module_ready() - Return: whether @path can be read; if not, stderr says what to do */
bool module_ready(const char *path);

/** netns_print() - print what a namespace is called: in JSON, and with -a in text */
void netns_print(struct ctx *ctx, const struct netns *ns);

/**
 * netns_others() - write "is 1 more network namespace", or how many there are
 *
 * Containers and pods are namespaces: who sees nothing here has to know.
 *
 * Return: whether to say so: there are some, and neither -a nor JSON was asked for.
 */
bool netns_others(const struct ctx *ctx, char *buf, size_t size);

/** misuse() - say what is wrong with the command line; Return: MISUSE */
int misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
