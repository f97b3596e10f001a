// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/sys/net/finack/: the knobs of a network namespace. Writable with CAP_NET_ADMIN over it, as
 * all of net's are.
 */
#include <linux/mutex.h>
#include <linux/slab.h>

#include "compat.h"
#include "finack.h"

/* writers of all namespaces: a knob and what it arms change together */
static DEFINE_MUTEX(knob_lock);

static int detail_handler(FINACK_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			  loff_t *ppos)
{
	struct finack_net *fn = container_of(ctl->data, struct finack_net, detail);
	int value, err;
	struct ctl_table row = {
		.data = &value,
		.maxlen = sizeof(value),
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_ONE,
	};

	mutex_lock(&knob_lock);
	value = fn->detail;
	err = proc_dointvec_minmax(&row, write, buffer, lenp, ppos);
	if (!err && write && value != fn->detail) {
		/* armed before it is wanted, wanted no more before it is disarmed */
		if (value)
			finack_hooks_want(1);
		WRITE_ONCE(fn->detail, value);
		if (!value)
			finack_hooks_want(-1);
	}
	mutex_unlock(&knob_lock);
	return err;
}

enum {
	KNOB_DETAIL,
	__KNOB_MAX
};

static const struct ctl_table knobs[] = {
	[KNOB_DETAIL] = {
		.procname = "detail",
		.maxlen = sizeof(int),
		.mode = 0644,
		.proc_handler = detail_handler,
	},
	[__KNOB_MAX] = {}
};

/**
 * finack_sysctl_init() - create the knobs of a namespace, with their defaults
 * @net: the namespace
 *
 * Return: 0, or -ENOMEM.
 */
int finack_sysctl_init(struct net *net)
{
	struct finack_net *fn = finack_net(net);

	fn->knobs = kmemdup(knobs, sizeof(knobs), GFP_KERNEL);
	if (!fn->knobs)
		return -ENOMEM;
	fn->detail = 1;
	fn->knobs[KNOB_DETAIL].data = &fn->detail;
	fn->sysctl = register_net_sysctl_sz(net, "net/finack", fn->knobs, __KNOB_MAX);
	if (!fn->sysctl) {
		kfree(fn->knobs);
		return -ENOMEM;
	}
	finack_hooks_want(fn->detail);
	return 0;
}

/**
 * finack_sysctl_exit() - remove them
 * @net: the namespace
 */
void finack_sysctl_exit(struct net *net)
{
	struct finack_net *fn = finack_net(net);

	unregister_net_sysctl_table(fn->sysctl);
	kfree(fn->knobs);
	finack_hooks_want(-fn->detail);
}
