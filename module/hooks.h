/* SPDX-License-Identifier: GPL-2.0-only */
/* What is between the table of hooks (hooks.c) and what attaches them (attach.c). */
#ifndef FINACK_HOOKS_H
#define FINACK_HOOKS_H

#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/tracepoint.h>

#include "finack.h"

/**
 * struct finack_hook - a tracepoint or a function, and the handler attached to it
 * @name: its name
 * @handler: of a tracepoint: called with its arguments, after one that is NULL here
 * @symbol: of a function: its name in the kernel, if that is not @name
 * @pre_handler: of a function: called when it is entered
 * @entry_handler: of a function hooked for its return: called when it is entered, too
 * @return_handler: of the same: called when it is over
 * @data_size: of the same: what the two share
 * @target: of a function: the entry that its handler may continue at instead, once found
 * @required: the module does not load without it
 * @tp: the tracepoint, NULL until found
 * @rp: how the function is hooked; only its kprobe is used without @return_handler
 * @wanting: of a function: namespaces that need it
 * @kind: of a function: how the kernel does it, NULL until it was armed
 * @missed: of a function: times it was missed while it was armed earlier
 * @armed: attached now
 * @err: 0, or why it could not be attached
 * @warned: that was logged
 */
struct finack_hook {
	const char *name;
	void *handler;
	const char *symbol;
	kprobe_pre_handler_t pre_handler;
	kretprobe_handler_t entry_handler;
	kretprobe_handler_t return_handler;
	size_t data_size;
	const unsigned long *target;
	bool required;
	struct tracepoint *tp;
	struct kretprobe rp;
	unsigned int wanting;
	const char *kind;
	unsigned long missed;
	bool armed;
	int err;
	bool warned;
};

extern struct finack_hook finack_hooks[__FINACK_HOOK_MAX];
DECLARE_PER_CPU(unsigned long [__FINACK_HOOK_MAX], finack_hook_hits);

void finack_hooks_resolve(const char *absent);
unsigned long finack_entry_of(const char *symbol);

#endif
