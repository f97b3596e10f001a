/* SPDX-License-Identifier: GPL-2.0-only */
/* The hooks as the rest of the module sees them: who wants which, and the state of each. */
#ifndef FINACK_ATTACH_H
#define FINACK_ATTACH_H

#include <linux/types.h>

#include "want.h"

struct net;

/**
 * struct finack_hook_view - a hook as sysfs shows it
 * @status: "armed", or why it is not
 * @symbol: the tracepoint, or the function in the kernel
 * @kind: "tracepoint"; for a function "ftrace_ops", or, if hooked by a kprobe, "ftrace", "jump" or
 *	"breakpoint"; "none" until it is first armed
 * @hits: times the handler ran
 * @missed: times the kernel could not run it
 */
struct finack_hook_view {
	const char *status;
	const char *symbol;
	const char *kind;
	unsigned long hits;
	unsigned long missed;
};

#define FINACK_LINGER_MAX 3600
extern unsigned int finack_linger;

int finack_hooks_init(const char *carrier, const char *absent);
void finack_hooks_exit(void);
void finack_hooks_free(void);
int finack_hooks_want(const struct net *net, unsigned int begin, unsigned int need);
void finack_hooks_begin(unsigned int wants);
void finack_hooks_cease(unsigned int wants);
void finack_hooks_look(void);
const char *finack_hook_name(unsigned int i);
void finack_hook_view(unsigned int i, struct finack_hook_view *view);

#endif
