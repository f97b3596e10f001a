// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/finack: the counters of the reader's network namespace, readable by everyone.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>

#include "finack.h"

static int counters_show(struct seq_file *seq, void *v)
{
	finack_mib_show(seq, finack_net(seq_file_single_net(seq)));
	return 0;
}

/**
 * finack_proc_net_init() - create the file of a namespace
 * @net: the namespace
 *
 * Return: 0, or -ENOMEM.
 */
int finack_proc_net_init(struct net *net)
{
	return proc_create_net_single("finack", 0444, net->proc_net, counters_show, NULL) ?
	       0 : -ENOMEM;
}

/**
 * finack_proc_net_exit() - remove it
 * @net: the namespace
 */
void finack_proc_net_exit(struct net *net)
{
	remove_proc_entry("finack", net->proc_net);
}
