// SPDX-License-Identifier: GPL-2.0-only
/*
 * What nobody who asks finack's questions at finack's places can do without: the same tracepoints
 * and kprobes, with handlers that do nothing. For make bench.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/tracepoint.h>
#include <net/tcp.h>
#include <trace/events/sock.h>
#include <trace/events/tcp.h>

static bool kprobes;
module_param(kprobes, bool, 0444);
MODULE_PARM_DESC(kprobes, "with the kprobes of the detail tier");

/* An empty handler fits every tracepoint: the arguments it does not have are in registers. */
static void nothing(void *data)
{
}

static const char * const names[] = {
	"inet_sock_set_state", "tcp_retransmit_skb", "tcp_destroy_sock",
};

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

static struct kprobe send_ack = { .symbol_name = "tcp_send_ack", .pre_handler = no_probe };
static struct kprobe timer = { .symbol_name = "tcp_delack_timer_handler", .pre_handler = no_probe };
static struct kprobe *probes[] = { &send_ack, &timer };

static void detach(void)
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
			goto err_detach;
		}
	}
	err = kprobes ? register_kprobes(probes, ARRAY_SIZE(probes)) : 0;
	if (err)
		goto err_detach;
	return 0;

err_detach:
	detach();
	return err;
}

static void __exit floor_exit(void)
{
	if (kprobes)
		unregister_kprobes(probes, ARRAY_SIZE(probes));
	detach();
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("finack's hooks with nothing behind them");
