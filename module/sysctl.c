// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/sys/net/finack/: the knobs of a network namespace. Writable with CAP_NET_ADMIN over it, as
 * all of net's are.
 */
#include <linux/slab.h>

#include "compat.h"
#include "finack.h"

static int knob_handler(FINACK_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			loff_t *ppos)
{
	return finack_knob_io(ctl->data, (unsigned long)ctl->extra1, write, buffer, lenp, ppos);
}

/**
 * finack_sysctl_init() - create the files of a namespace
 * @net: the namespace, with its knobs set
 *
 * Return: 0, or -ENOMEM.
 */
int finack_sysctl_init(struct net *net)
{
	struct finack_net *fn = finack_net(net);
	unsigned int i, n = finack_knob_rows();

	/* an empty row ends the table for older kernels */
	fn->table = kcalloc(n + 1, sizeof(*fn->table), GFP_KERNEL);
	if (!fn->table)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		fn->table[i].procname = finack_knob_name(i);
		fn->table[i].mode = 0644;
		fn->table[i].proc_handler = knob_handler;
		fn->table[i].data = fn;
		fn->table[i].extra1 = (void *)(unsigned long)i;
	}
	fn->sysctl = register_net_sysctl_sz(net, "net/finack", fn->table, n);
	if (!fn->sysctl) {
		kfree(fn->table);
		return -ENOMEM;
	}
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
	kfree(fn->table);
}
