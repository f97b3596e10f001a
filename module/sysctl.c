// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/sys/net/finack/: the knobs of a network namespace. They are writable with CAP_NET_ADMIN
 * over it, as everything in /proc/sys/net is.
 */
#include <linux/slab.h>

#include "compat.h"
#include "files.h"
#include "knobs.h"
#include "net.h"

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
	struct ctl_table *table;

	/* an empty row ends the table for older kernels */
	table = kcalloc(n + 1, sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		table[i].procname = finack_knob_name(i);
		table[i].mode = 0644;
		table[i].proc_handler = knob_handler;
		table[i].data = fn;
		table[i].extra1 = (void *)(unsigned long)i;
	}
	fn->admin->sysctl = register_net_sysctl_sz(net, "net/finack", table, n);
	if (!fn->admin->sysctl) {
		kfree(table);
		return -ENOMEM;
	}
	fn->admin->table = table;
	return 0;
}

/**
 * finack_sysctl_exit() - remove the files; when it returns, no reader is left
 * @net: the namespace
 */
void finack_sysctl_exit(struct net *net)
{
	struct finack_admin *admin = finack_net(net)->admin;

	unregister_net_sysctl_table(admin->sysctl);
	kfree(admin->table);
}
