// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bug on purpose, one per load: what the debug kernel has to notice. See debug_test.sh.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/timer.h>

static char *bug = "";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "the bug; without one nothing is wrong");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static int __rcu *guarded;
static int numbers[4];
static int too_far = 4;
module_param(too_far, int, 0444);

struct armed {
	struct timer_list timer;
};

static void nothing(struct timer_list *t)
{
}

/* frees memory that has an armed timer in it */
static void free_armed(void)
{
	struct armed *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return;
	timer_setup(&a->timer, nothing, 0);
	mod_timer(&a->timer, jiffies + 1000 * HZ);
	kfree(a);
}

static int __init seeded_init(void)
{
	int *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	*p = 1;
	if (!strcmp(bug, "leak"))
		return 0;
	kfree(p);
	if (!strcmp(bug, "use-after-free")) {
		pr_info("%d\n", READ_ONCE(*p));
	} else if (!strcmp(bug, "out-of-bounds")) {
		pr_info("%d\n", numbers[READ_ONCE(too_far)]);
	} else if (!strcmp(bug, "object")) {
		free_armed();
	} else if (!strcmp(bug, "sleep")) {
		preempt_disable();
		mutex_lock(&first);
		mutex_unlock(&first);
		preempt_enable();
	} else if (!strcmp(bug, "lock-order")) {
		mutex_lock(&first);
		mutex_lock(&second);
		mutex_unlock(&second);
		mutex_unlock(&first);
		mutex_lock(&second);
		mutex_lock(&first);
		mutex_unlock(&first);
		mutex_unlock(&second);
	} else if (!strcmp(bug, "rcu")) {
		pr_info("%p\n", rcu_dereference(guarded));
	}
	return 0;
}

static void __exit seeded_exit(void)
{
}

module_init(seeded_init);
module_exit(seeded_exit);

MODULE_DESCRIPTION("Bugs for the debug kernel to find");
MODULE_LICENSE("GPL");
