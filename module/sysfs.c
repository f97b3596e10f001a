// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/finack: the version, the records in use, and the health of each hook.
 *
 * One value per file, readable by everyone. That it cannot be created is worth a warning, not a
 * failure to load: it only shows.
 */
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "finack.h"
#include "version.h"

static struct kobject *finack_kobj;
static struct kobject *hooks_kobj;
static struct kobject *hook_kobjs[8];

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", FINACK_VERSION);
}

static ssize_t tracked_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", finack_track_count());
}

static struct kobj_attribute version_attr = __ATTR_RO(version);
static struct kobj_attribute tracked_attr = __ATTR_RO(tracked);

static const struct attribute *finack_attrs[] = {
	&version_attr.attr,
	&tracked_attr.attr,
	NULL
};

/* a hook's folder bears its name */
static void view_of(const struct kobject *kobj, struct finack_hook_view *view)
{
	unsigned int i;

	for (i = 0; i + 1 < finack_hooks_count(); i++)
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
static struct kobj_attribute _name##_attr = __ATTR_RO(_name)

HOOK_ATTR(status, "%s");
HOOK_ATTR(kind, "%s");
HOOK_ATTR(hits, "%lu");
HOOK_ATTR(missed, "%lu");

static const struct attribute *hook_attrs[] = {
	&status_attr.attr,
	&kind_attr.attr,
	&hits_attr.attr,
	&missed_attr.attr,
	NULL
};

/* the last kobject_put() may remove the files only later (CONFIG_DEBUG_KOBJECT_RELEASE) */
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

/** finack_sysfs_init() - create the files */
void finack_sysfs_init(void)
{
	bool ok;
	int i;

	BUILD_BUG_ON(ARRAY_SIZE(hook_kobjs) < 2);
	finack_kobj = folder("finack", kernel_kobj, finack_attrs);
	hooks_kobj = folder("hooks", finack_kobj, NULL);
	ok = hooks_kobj;
	for (i = 0; i < finack_hooks_count(); i++) {
		hook_kobjs[i] = folder(finack_hook_name(i), hooks_kobj, hook_attrs);
		ok = ok && hook_kobjs[i];
	}
	if (!ok)
		pr_warn("/sys/kernel/finack is not complete: no memory\n");
}

/** finack_sysfs_exit() - remove them */
void finack_sysfs_exit(void)
{
	int i;

	for (i = finack_hooks_count() - 1; i >= 0; i--)
		remove(hook_kobjs[i]);
	remove(hooks_kobj);
	remove(finack_kobj);
}
