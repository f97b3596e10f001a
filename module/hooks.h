/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of hooks (hooks.c), for what attaches them (attach.c, carrier.c). */
#ifndef FINACK_HOOKS_H
#define FINACK_HOOKS_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/tracepoint.h>

#include "compat.h"
#include "want.h"

/* how far a hook on a function is armed */
enum finack_hook_level {
	FINACK_LEVEL_OFF,
	FINACK_LEVEL_WATCH,	/* the handler runs */
	FINACK_LEVEL_STEER,	/* the handler runs, and another function may run instead */
};

/**
 * struct finack_hook - a tracepoint or a function, and the handler attached to it
 * @name: its name
 * @handler: of a tracepoint: called with NULL and then the arguments of the tracepoint
 * @symbol: of a function: its name in the kernel, if that is not @name
 * @part: of a function: the part that the compiler may split off it; hooked instead if it exists
 * @instead: of a function: the one that its handler may run in its place
 * @watch: &enum finack_want that is met while it is armed, or FINACK_WANT_NONE
 * @steer: of a function: the same for the want that is met while @instead may run
 * @pre_handler: of a function: called when it is entered, by a kprobe
 * @entry_handler: of a function hooked for its return: called when it is entered
 * @return_handler: of the same: called when it returns
 * @data_size: of the same: size of the data that the two share
 * @required: the module does not load without it
 * @tp: the tracepoint, NULL until found
 * @entry: of a function: where it is hooked, 0 if there is no such function
 * @target: where @instead is entered, 0 if there is no such function
 * @by_ftrace: it is attached by ftrace_ops, not by @rp
 * @rp: the kprobe, or kretprobe with @return_handler
 * @steer_ops: by ftrace: the ops that steer
 * @own: a function that nobody calls, and that is always in the filter of @steer_ops
 * @active: the ops by which the handler runs, NULL for none; while the hook goes from one ops to
 *	another, both call
 * @level: how far it is armed, as far as a namespace that wants it may rely on it
 * @level_now: how far it is armed in fact
 * @kind: of a function: how the kernel hooks it, NULL until it is first armed
 * @missed: of a function: calls that were missed while it was armed earlier
 * @err: 0, or why it could not be attached
 * @failed: when that was, in jiffies
 * @warned: that was logged
 */
struct finack_hook {
	const char *name;
	void *handler;
	const char *symbol;
	const char *part;
	const char *instead;
	int watch;
	int steer;
	kprobe_pre_handler_t pre_handler;
	kretprobe_handler_t entry_handler;
	kretprobe_handler_t return_handler;
	size_t data_size;
	bool required;
	struct tracepoint *tp;
	unsigned long entry;
	unsigned long target;
	bool by_ftrace;
	struct kretprobe rp;
	struct ftrace_ops *active;
	void (*own)(void);
#ifdef FINACK_FTRACE_OPS
	struct ftrace_ops steer_ops;
#endif
	enum finack_hook_level level;
	enum finack_hook_level level_now;
	const char *kind;
	unsigned long missed;
	int err;
	unsigned long failed;
	bool warned;
};

/* in finack_hook::watch and ::steer: the hook has no such want */
#define FINACK_WANT_NONE	(-1)

/* whether the hook is armed only while some namespace wants it */
static inline bool finack_hook_on_demand(const struct finack_hook *h)
{
	return h->watch != FINACK_WANT_NONE || h->steer != FINACK_WANT_NONE;
}

static inline bool finack_hook_is_function(const struct finack_hook *h)
{
	return !h->handler;
}

static inline const char *finack_hook_symbol(const struct finack_hook *h)
{
	return h->symbol ?: h->name;
}

#ifdef FINACK_FTRACE_OPS
DECLARE_PER_CPU(unsigned long, finack_canary_by_ftrace);

void finack_on_entry(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *op,
		     struct ftrace_regs *fregs);
#endif

extern struct finack_hook finack_hooks[__FINACK_HOOK_MAX];
DECLARE_PER_CPU(unsigned long [__FINACK_HOOK_MAX], finack_hook_hits);

#endif
