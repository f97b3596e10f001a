// SPDX-License-Identifier: GPL-2.0-only
/*
 * finack: shows and sets how TCP connections close and when ACKs leave, per network namespace.
 *
 * This file loads and unloads; Documentation/ says what the module does.
 *
 * Loading first allocates memory, then arms the hooks, then creates the files. Unloading goes in
 * reverse order. As soon as a hook is detached, a socket can be freed while its record stays, and a
 * reader of the waiting list would take a reference on memory that has become something else. So
 * the files, and with them all readers, have to go first.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "attach.h"
#include "files.h"
#include "knobs.h"
#include "learn.h"
#include "mib.h"
#include "net.h"
#include "port.h"
#include "share.h"
#include "stall.h"
#include "track.h"
#include "version.h"

#define MAX_TRACKED_LIMIT	16777216

static unsigned int max_tracked;
module_param(max_tracked, uint, 0444);
MODULE_PARM_DESC(max_tracked, "passive closes followed at once, 1..16777216; 0: from memory size");

static unsigned int max_ports = 1024;
module_param(max_ports, uint, 0444);
MODULE_PARM_DESC(max_ports, "services counted apart in all namespaces together, 0..65535; default 1024");

module_param_named(inherit, finack_inherit, bool, 0644);
MODULE_PARM_DESC(inherit, "new network namespaces begin with the first one's knobs (0, 1; default 0)");

static char *carrier = "auto";
module_param(carrier, charp, 0444);
MODULE_PARM_DESC(carrier, "how functions are hooked: auto, kprobe, ftrace (default auto: ftrace where it can)");

/* sets a parameter that is a number up to @most */
static int set_uint(const char *text, const struct kernel_param *kp, unsigned int most)
{
	unsigned int value;
	int err = kstrtouint(text, 10, &value);

	if (err)
		return err;
	if (value > most) {
		pr_err("%s=%u is out of range, 0..%u\n", kp->name, value, most);
		return -EINVAL;
	}
	WRITE_ONCE(*(unsigned int *)kp->arg, value);
	return 0;
}

static int set_userns_hooks(const char *text, const struct kernel_param *kp)
{
	return set_uint(text, kp, FINACK_USERNS_ALL);
}

static const struct kernel_param_ops userns_hooks_ops = {
	.set = set_userns_hooks,
	.get = param_get_uint,
};

module_param_cb(userns_hooks, &userns_hooks_ops, &finack_userns_hooks, 0644);
MODULE_PARM_DESC(userns_hooks, "which hooks a user may arm who is root only in a user namespace: 0 none, 1 all but that on received segments (default), 2 all");

static int set_linger(const char *text, const struct kernel_param *kp)
{
	int err = set_uint(text, kp, FINACK_LINGER_MAX);

	if (!err)
		finack_hooks_look();
	return err;
}

static const struct kernel_param_ops linger_ops = {
	.set = set_linger,
	.get = param_get_uint,
};

module_param_cb(linger, &linger_ops, &finack_linger, 0644);
MODULE_PARM_DESC(linger, "seconds that a hook stays armed after the last who wanted it, 0..3600; default 60");

static char *test_absent = "";
module_param(test_absent, charp, 0444);
MODULE_PARM_DESC(test_absent, "for tests: treat the hook or symbol of this name as absent");

/* Follows the size of the kernel's table of established connections (net/ipv4/tcp.c, tcp_init): a
 * slot per 128 KiB of memory, rounded up to a power of two, at most 524288.
 */
static unsigned int default_max_tracked(void)
{
	unsigned long slots = totalram_pages() >> (17 - PAGE_SHIFT);

	return clamp(roundup_pow_of_two(slots), 1024UL, 524288UL);
}

static int __net_init finack_net_init(struct net *net)
{
	struct finack_net *fn = finack_net(net);
	int err = -ENOMEM;

	fn->admin = kzalloc(sizeof(*fn->admin), GFP_KERNEL_ACCOUNT);
	if (!fn->admin)
		return err;
	fn->admin->net = net;
	mutex_init(&fn->admin->lock);
	finack_ports_begin(fn);
	fn->share = finack_share_get(net);
	if (!fn->share)
		goto err_admin;
	err = finack_mib_init(fn);
	if (err)
		goto err_share;
	err = finack_knobs_init(net);
	if (err)
		goto err_mib;
	return 0;

err_mib:
	finack_stalls_end(fn);
	finack_mib_exit(fn);
err_share:
	finack_share_put(fn->share);
err_admin:
	kfree(fn->admin);
	return err;
}

static void __net_exit finack_net_exit(struct net *net)
{
	struct finack_net *fn = finack_net(net);

	finack_knobs_exit(net);
	finack_ports_end(fn);
	finack_stalls_end(fn);
	finack_mib_exit(fn);
	finack_share_put(fn->share);
	kfree(fn->admin);
}

/* what the hooks use of a namespace */
static struct pernet_operations finack_net_ops = {
	.init = finack_net_init,
	.exit = finack_net_exit,
	.id = &finack_net_id,
	.size = sizeof(struct finack_net),
};

static int __net_init finack_files_init(struct net *net)
{
	int err = finack_sysctl_init(net);

	if (err)
		return err;
	err = finack_proc_net_init(net);
	if (err) {
		finack_sysctl_exit(net);
		return err;
	}
	finack_sysfs_net_init(net);
	return 0;
}

static void __net_exit finack_files_exit(struct net *net)
{
	finack_sysfs_net_exit(net);
	finack_proc_net_exit(net);
	finack_sysctl_exit(net);
}

/* the files of a namespace: their readers look at sockets, so the hooks have to be attached */
static struct pernet_operations finack_files_ops = {
	.init = finack_files_init,
	.exit = finack_files_exit,
};

static int __init finack_init(void)
{
	int err;

	if (max_tracked > MAX_TRACKED_LIMIT) {
		pr_err("max_tracked=%u is out of range, 0..%u\n", max_tracked, MAX_TRACKED_LIMIT);
		return -EINVAL;
	}
	if (max_ports > U16_MAX) {
		pr_err("max_ports=%u is out of range, 0..%u\n", max_ports, U16_MAX);
		return -EINVAL;
	}
	if (!max_tracked)
		max_tracked = default_max_tracked();

	err = finack_track_init(max_tracked);
	if (err) {
		pr_err("no memory for max_tracked=%u records\n", max_tracked);
		return err;
	}
	err = finack_ports_init(max_ports);
	if (err) {
		pr_err("no memory for max_ports=%u rows\n", max_ports);
		goto err_track;
	}
	err = finack_learn_init();
	if (err)
		goto err_ports;
	err = finack_stalls_init();
	if (err)
		goto err_learn;
	err = register_pernet_subsys(&finack_net_ops);
	if (err) {
		pr_err("cannot set up the network namespaces: error %d\n", err);
		goto err_stalls;
	}
	err = finack_hooks_init(carrier, test_absent);
	if (err)
		goto err_hooks;
	finack_sysfs_init();
	err = register_pernet_subsys(&finack_files_ops);
	if (err) {
		pr_err("cannot create the files of the network namespaces: error %d\n", err);
		goto err_sysfs;
	}
	return 0;

err_sysfs:
	finack_sysfs_exit();
	finack_hooks_exit();
err_hooks:
	unregister_pernet_subsys(&finack_net_ops);
	finack_hooks_free();
	finack_mib_free();
err_stalls:
	finack_stalls_exit();
err_learn:
	finack_learn_exit();
err_ports:
	finack_ports_exit();
err_track:
	finack_track_exit();
	return err;
}

static void __exit finack_exit(void)
{
	unregister_pernet_subsys(&finack_files_ops);
	finack_sysfs_exit();
	finack_hooks_exit();
	unregister_pernet_subsys(&finack_net_ops);
	finack_hooks_free();
	finack_mib_free();
	finack_stalls_exit();
	finack_learn_exit();
	finack_ports_exit();
	finack_track_exit();
}

module_init(finack_init);
module_exit(finack_exit);

MODULE_DESCRIPTION("Shows and sets how TCP connections close, per network namespace");
MODULE_AUTHOR("The finack authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(FINACK_VERSION);
