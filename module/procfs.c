// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/finack, finack_hist and finack_ports: the counters, the delays and the services of the
 * reader's network namespace, readable by everyone. (/proc/net/finack_waiting: waiting.c)
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>

#include "files.h"
#include "hist.h"
#include "mib.h"
#include "net.h"
#include "port.h"
#include "stall.h"

static int counters_show(struct seq_file *seq, void *v)
{
	const struct finack_net *fn = finack_net(seq_file_single_net(seq));

	finack_mib_show(seq, fn);
	finack_stalls_show(seq, fn);
	return 0;
}

static int hist_show(struct seq_file *seq, void *v)
{
	const struct finack_net *fn = finack_net(seq_file_single_net(seq));

	finack_hist_show(seq, fn);
	finack_stalls_show_lost(seq, fn);
	return 0;
}

static int ports_show(struct seq_file *seq, void *v)
{
	finack_ports_show(seq, finack_net(seq_file_single_net(seq)));
	return 0;
}

/**
 * finack_proc_net_init() - create the files of a namespace
 * @net: the namespace
 *
 * Return: 0, or -ENOMEM.
 */
int finack_proc_net_init(struct net *net)
{
	if (!proc_create_net_single("finack", 0444, net->proc_net, counters_show, NULL))
		return -ENOMEM;
	if (!proc_create_net_single("finack_hist", 0444, net->proc_net, hist_show, NULL))
		goto err_counters;
	if (!proc_create_net_single("finack_ports", 0444, net->proc_net, ports_show, NULL))
		goto err_hist;
	if (!finack_waiting_init(net))
		goto err_ports;
	return 0;

err_ports:
	remove_proc_entry("finack_ports", net->proc_net);
err_hist:
	remove_proc_entry("finack_hist", net->proc_net);
err_counters:
	remove_proc_entry("finack", net->proc_net);
	return -ENOMEM;
}

/**
 * finack_proc_net_exit() - remove the files of a namespace
 * @net: the namespace
 */
void finack_proc_net_exit(struct net *net)
{
	remove_proc_entry("finack_waiting", net->proc_net);
	remove_proc_entry("finack_ports", net->proc_net);
	remove_proc_entry("finack_hist", net->proc_net);
	remove_proc_entry("finack", net->proc_net);
}
