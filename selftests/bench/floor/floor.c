// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that hooks at finack's places cost: the same tracepoints and functions, hooked with
 * handlers that do nothing. For make bench.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/tracepoint.h>

static char *hooks = "none";
module_param(hooks, charp, 0444);
MODULE_PARM_DESC(hooks, "how the functions of the detail tier are hooked: none (default), kprobe, ftrace");

/* An empty handler fits every tracepoint: the arguments it does not have are in registers. */
static void nothing(void *data)
{
}

static const char * const names[] = { "inet_sock_set_state", "tcp_retransmit_skb" };

static struct tracepoint *found[ARRAY_SIZE(names)];

static void find(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(tp->name, names[i]))
			found[i] = tp;
}

static int no_probe(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}

static struct kprobe probes[] = {
	{ .symbol_name = "tcp_send_ack", .pre_handler = no_probe },
	{ .symbol_name = "tcp_delack_timer_handler", .pre_handler = no_probe },
};

static struct kprobe *probe_list[] = { &probes[0], &probes[1] };

/* A disabled kprobe finds the address of a function. Returns 0 if there is no such function. */
static unsigned long entry_of(const char *symbol)
{
	struct kprobe kp = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };

	if (register_kprobe(&kp))
		return 0;
	unregister_kprobe(&kp);
	return (unsigned long)kp.addr;
}

/* If gcc splits a part from tcp_send_ack(), every pure ACK passes that part. */
static void resolve(void)
{
	static const char part[] = "__tcp_send_ack.part.0";

	if (entry_of(part))
		probes[0].symbol_name = part;
}

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
static void notrace no_call(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			    struct ftrace_regs *fregs)
{
}

/* One for each function, so that each gets a trampoline that calls the handler directly. */
static struct ftrace_ops calls[] = { { .func = no_call }, { .func = no_call } };

static void detach_calls(int count)
{
	while (count--) {
		unregister_ftrace_function(&calls[count]);
		ftrace_free_filter(&calls[count]);
	}
}

static int attach_calls(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		err = ftrace_set_filter_ip(&calls[i], entry_of(probes[i].symbol_name), 0, 0);
		if (!err)
			err = register_ftrace_function(&calls[i]);
		if (err) {
			ftrace_free_filter(&calls[i]);
			detach_calls(i);
			return err;
		}
	}
	return 0;
}
#else
static void detach_calls(int count)
{
}

static int attach_calls(void)
{
	return -EOPNOTSUPP;
}
#endif

static bool hooks_are(const char *kind)
{
	return !strcmp(hooks, kind);
}

static int attach_functions(void)
{
	resolve();
	if (hooks_are("kprobe"))
		return register_kprobes(probe_list, ARRAY_SIZE(probe_list));
	if (hooks_are("ftrace"))
		return attach_calls();
	return hooks_are("none") ? 0 : -EINVAL;
}

static void detach_functions(void)
{
	if (hooks_are("kprobe"))
		unregister_kprobes(probe_list, ARRAY_SIZE(probe_list));
	else if (hooks_are("ftrace"))
		detach_calls(ARRAY_SIZE(probes));
}

static void detach_tracepoints(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (found[i])
			tracepoint_probe_unregister(found[i], nothing, NULL);
	tracepoint_synchronize_unregister();
}

static int __init floor_init(void)
{
	int i, err;

	for_each_kernel_tracepoint(find, NULL);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		err = found[i] ? tracepoint_probe_register(found[i], nothing, NULL) : -ENOENT;
		if (err) {
			while (i < ARRAY_SIZE(names))
				found[i++] = NULL;
			goto err_tracepoints;
		}
	}
	err = attach_functions();
	if (err)
		goto err_tracepoints;
	return 0;

err_tracepoints:
	detach_tracepoints();
	return err;
}

static void __exit floor_exit(void)
{
	detach_functions();
	detach_tracepoints();
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("finack's hooks with nothing behind them");
