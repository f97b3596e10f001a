// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims to be the only one that redirects a function of the kernel, as a live patch of that
 * function does (kernel/livepatch/patch.c), but redirects nothing. For carriers.sh.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char *symbol = "";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "the function");

static void notrace as_it_was(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *op,
			      struct ftrace_regs *fregs)
{
}

static struct ftrace_ops ops = {
	.func = as_it_was,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
};

static unsigned long entry;

static int __init claim_init(void)
{
	struct kprobe kp = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };
	int err = register_kprobe(&kp);

	if (err)
		return err;
	entry = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	if (!IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_ARGS))
		ops.flags |= FTRACE_OPS_FL_SAVE_REGS;
	err = ftrace_set_filter_ip(&ops, entry, 0, 0);
	if (err)
		return err;
	err = register_ftrace_function(&ops);
	if (err)
		ftrace_set_filter_ip(&ops, entry, 1, 0);
	return err;
}

static void __exit claim_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_set_filter_ip(&ops, entry, 1, 0);
}

module_init(claim_init);
module_exit(claim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("claims a function as a live patch does");
