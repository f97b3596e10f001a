// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/finack: the version, the records and the rows of services in use, the health of each
 * hook, and in net/ some counters and the knobs of a network namespace.
 *
 * One value per file. Files about the whole host (records, rows, hooks) are readable by its root
 * alone, because containers see them, too. The others are readable by everyone. A knob is writable
 * with CAP_NET_ADMIN over its namespace, as it is in /proc/sys. If a file cannot be created, the
 * module logs a warning and loads all the same: nothing depends on these files.
 *
 * net/ is one folder. Each of its files belongs to a network namespace, like the links in
 * /sys/class/net, and a sysfs shows those of the namespace in which it was mounted. Each file costs
 * every namespace some thousand instructions, so there are few: /proc/net/finack has all counters.
 */
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>

#include "attach.h"
#include "compat.h"
#include "files.h"
#include "knobs.h"
#include "net.h"
#include "port.h"
#include "track.h"
#include "version.h"

static struct kobject *finack_kobj;
static struct kobject *hooks_kobj;
static struct kobject *hook_kobjs[__FINACK_HOOK_MAX];

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", FINACK_VERSION);
}

static ssize_t tracked_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", finack_track_count());
}

static ssize_t ports_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", finack_ports_used());
}

static struct kobj_attribute version_attr = __ATTR_RO(version);
static struct kobj_attribute tracked_attr = __ATTR_RO_MODE(tracked, 0400);
static struct kobj_attribute ports_attr = __ATTR_RO_MODE(ports, 0400);

static const struct attribute *finack_attrs[] = {
	&version_attr.attr,
	&tracked_attr.attr,
	&ports_attr.attr,
	NULL
};

/* the state of a hook, whose folder has its name */
static void view_of(const struct kobject *kobj, struct finack_hook_view *view)
{
	unsigned int i;

	for (i = 0; i + 1 < __FINACK_HOOK_MAX; i++)
		if (!strcmp(kobj->name, finack_hook_name(i)))
			break;
	finack_hook_view(i, view);
}

#define HOOK_ATTR(_name, _format)								\
static ssize_t _name##_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)	\
{												\
	struct finack_hook_view view;								\
												\
	view_of(kobj, &view);									\
	return sysfs_emit(buf, _format "\n", view._name);					\
}												\
static struct kobj_attribute _name##_attr = __ATTR_RO_MODE(_name, 0400)

HOOK_ATTR(status, "%s");
HOOK_ATTR(symbol, "%s");
HOOK_ATTR(kind, "%s");
HOOK_ATTR(hits, "%lu");
HOOK_ATTR(missed, "%lu");

static const struct attribute *hook_attrs[] = {
	&status_attr.attr,
	&symbol_attr.attr,
	&kind_attr.attr,
	&hits_attr.attr,
	&missed_attr.attr,
	NULL
};

/* kobject_put() alone may remove the files only later (CONFIG_DEBUG_KOBJECT_RELEASE) */
static void remove(struct kobject *kobj)
{
	kobject_del(kobj);
	kobject_put(kobj);
}

static struct kobject *folder(const char *name, struct kobject *parent,
			      const struct attribute * const *attrs)
{
	struct kobject *kobj = parent ? kobject_create_and_add(name, parent) : NULL;

	if (kobj && attrs && sysfs_create_files(kobj, attrs)) {
		remove(kobj);
		return NULL;
	}
	return kobj;
}

/* the counters that are files */
static const struct {
	const char *name;
	enum finack_mib_id id;
} counters[] = {
	{ "passive",	FINACK_PASSIVE },
	{ "merged",	FINACK_MERGED },
	{ "separate",	FINACK_SEPARATE },
	{ "unacked",	FINACK_UNACKED },
};

/* after the counters comes this gauge, then the knobs */
#define CLOSE_WAIT	ARRAY_SIZE(counters)
#define KNOBS		(CLOSE_WAIT + 1)

/**
 * struct finack_net_file - a counter or a knob of a namespace as a file
 * @attr: its name and mode
 * @net: the namespace
 * @row: an index of counters, or CLOSE_WAIT, or from KNOBS on a knob
 */
struct finack_net_file {
	struct attribute attr;
	struct net *net;
	unsigned int row;
};

static unsigned int net_file_count(void)
{
	return KNOBS + finack_knob_rows();
}

static const char *net_file_name(unsigned int row)
{
	if (row >= KNOBS)
		return finack_knob_name(row - KNOBS);
	return row == CLOSE_WAIT ? "close_wait" : counters[row].name;
}

static int knob_io(const struct finack_net_file *f, int write, void *buf, size_t *len)
{
	loff_t pos = 0;

	return finack_knob_io(finack_net(f->net), f->row - KNOBS, write, buf, len, &pos);
}

static ssize_t net_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	const struct finack_net_file *f = container_of(attr, struct finack_net_file, attr);
	const struct finack_net *fn = finack_net(f->net);
	size_t len = PAGE_SIZE - 1; /* a longer list is cut off */

	if (f->row >= KNOBS)
		return knob_io(f, 0, buf, &len) ?: len;
	return sysfs_emit(buf, "%lu\n", f->row == CLOSE_WAIT ?
			  finack_mib_close_wait(fn) : finack_mib_count(fn, counters[f->row].id));
}

static ssize_t net_store(struct kobject *kobj, struct attribute *attr, const char *buf,
			 size_t count)
{
	const struct finack_net_file *f = container_of(attr, struct finack_net_file, attr);
	size_t len = count;
	int err;

	if (!ns_capable(f->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	/* sysfs would pass a longer list in pieces, each of which would replace the one before */
	if (count >= PAGE_SIZE)
		return -EINVAL;
	err = knob_io(f, 1, (void *)buf, &len);
	if (err)
		return err;
	return len == count ? count : -EINVAL;
}

static DECLARE_COMPLETION(net_released);

static void net_release(struct kobject *kobj)
{
	complete(&net_released);
}

static const struct kobj_ns_type_operations *net_child_ns_type(FINACK_NS_KOBJECT *kobj)
{
	return &net_ns_type_operations;
}

/**
 * struct creation - a namespace's files are being created
 * @list: in the list of all creations
 * @task: who creates the files
 * @net: for which namespace
 *
 * The files of all namespaces are in one folder, and sysfs asks the folder who owns a new file.
 * This tells it. No lock is held during a creation, whose memory may be hard to get: so nobody
 * waits for another's files.
 */
struct creation {
	struct list_head list;
	const struct task_struct *task;
	const struct net *net;
};

static DEFINE_SPINLOCK(creations_lock);
static LIST_HEAD(creations);

static void creation_begin(struct creation *c, const struct net *net)
{
	c->task = current;
	c->net = net;
	spin_lock(&creations_lock);
	list_add(&c->list, &creations);
	spin_unlock(&creations_lock);
}

static void creation_end(struct creation *c)
{
	spin_lock(&creations_lock);
	list_del(&c->list);
	spin_unlock(&creations_lock);
}

static const struct net *being_created(void)
{
	const struct net *net = NULL;
	const struct creation *c;

	spin_lock(&creations_lock);
	list_for_each_entry(c, &creations, list)
		if (c->task == current)
			net = c->net;
	spin_unlock(&creations_lock);
	return net;
}

static void net_get_ownership(FINACK_NS_KOBJECT *kobj, kuid_t *uid, kgid_t *gid)
{
	const struct net *net = being_created();

	if (net)
		net_ns_get_ownership(net, uid, gid);
}

static const struct sysfs_ops net_sysfs_ops = {
	.show = net_show,
	.store = net_store,
};

static const struct kobj_type net_type = {
	.sysfs_ops = &net_sysfs_ops,
	.release = net_release,
	.child_ns_type = net_child_ns_type,
	.get_ownership = net_get_ownership,
};

static struct kobject net_kobj;
static bool net_ok;

static void remove_net_files(struct net *net, struct finack_net_file *files, unsigned int n)
{
	while (n--)
		sysfs_remove_file_ns(&net_kobj, &files[n].attr, FINACK_NS_TAG(net));
	kfree(files);
}

static int add_net_files(struct net *net, struct finack_net_file *files)
{
	unsigned int i;

	for (i = 0; i < net_file_count(); i++) {
		files[i].net = net;
		files[i].row = i;
		sysfs_attr_init(&files[i].attr);
		files[i].attr.name = net_file_name(i);
		files[i].attr.mode = i >= KNOBS ? 0644 : 0444;
		if (sysfs_create_file_ns(&net_kobj, &files[i].attr, FINACK_NS_TAG(net))) {
			remove_net_files(net, files, i);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * finack_sysfs_net_init() - create the files of a namespace
 * @net: the namespace
 *
 * A failure is only logged: the namespace works without them.
 */
void finack_sysfs_net_init(struct net *net)
{
	struct finack_net *fn = finack_net(net);
	struct finack_net_file *files;
	struct creation c;

	if (!net_ok)
		return;
	files = kcalloc(net_file_count(), sizeof(*files), GFP_KERNEL_ACCOUNT);
	creation_begin(&c, net);
	if (files && add_net_files(net, files))
		files = NULL;
	creation_end(&c);
	fn->admin->files = files;
	if (!files)
		pr_warn_ratelimited("no memory for a namespace's files in /sys/kernel/finack/net\n");
}

/**
 * finack_sysfs_net_exit() - remove the files; when it returns, no reader is left
 * @net: the namespace
 */
void finack_sysfs_net_exit(struct net *net)
{
	struct finack_net *fn = finack_net(net);

	if (fn->admin->files)
		remove_net_files(net, fn->admin->files, net_file_count());
}

/** finack_sysfs_init() - create the files of the whole host, and the folder net */
void finack_sysfs_init(void)
{
	bool ok;
	int i;

	finack_kobj = folder("finack", kernel_kobj, finack_attrs);
	hooks_kobj = folder("hooks", finack_kobj, NULL);
	ok = hooks_kobj;
	for (i = 0; i < __FINACK_HOOK_MAX; i++) {
		hook_kobjs[i] = folder(finack_hook_name(i), hooks_kobj, hook_attrs);
		ok = ok && hook_kobjs[i];
	}
	if (finack_kobj) {
		net_ok = !kobject_init_and_add(&net_kobj, &net_type, finack_kobj, "net");
		if (!net_ok)
			kobject_put(&net_kobj);
	}
	if (!ok || !net_ok)
		pr_warn("/sys/kernel/finack is not complete: no memory\n");
}

/** finack_sysfs_exit() - remove what finack_sysfs_init() created */
void finack_sysfs_exit(void)
{
	int i;

	if (finack_kobj) {
		if (net_ok)
			remove(&net_kobj);
		wait_for_completion(&net_released); /* net_kobj is part of the module's memory */
	}
	for (i = __FINACK_HOOK_MAX - 1; i >= 0; i--)
		remove(hook_kobjs[i]);
	remove(hooks_kobj);
	remove(finack_kobj);
}
