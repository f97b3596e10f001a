// SPDX-License-Identifier: GPL-2.0-only
/*
 * The knobs of a network namespace: their names, ranges, defaults, and what setting one entails.
 * Both /proc/sys (sysctl.c) and sysfs (sysfs.c) call this. The kernel's own sysctl handlers parse
 * and write the text. A rejected value changes nothing.
 *
 * Readers take no lock. Writers of one namespace wait for each other and can be killed meanwhile.
 * Writers of different namespaces share only what they want of the hooks (attach.c).
 */
#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/mutex.h>
#include <linux/sysctl.h>

#include "attach.h"
#include "compat.h"
#include "knobs.h"
#include "learn.h"
#include "net.h"
#include "stall.h"

#define PORTS 65536

bool finack_inherit;
unsigned int finack_userns_hooks = FINACK_USERNS_USUAL;

/**
 * struct knob - a knob that is a number: all but the list of ports
 * @name: its name
 * @off: where in &struct finack_knobs
 * @min: the least value
 * @max: the greatest
 * @def: the default
 * @forget: makes the policy forget what it has learned by the value that was; NULL for none
 */
struct knob {
	const char *name;
	size_t off;
	int min;
	int max;
	int def;
	void (*forget)(struct finack_net *fn);
};

#define KNOB(_name, _min, _max, _def, _forget) \
	{ #_name, offsetof(struct finack_knobs, _name), _min, _max, _def, _forget }

static const struct knob knobs[] = {
	KNOB(detail, FINACK_DETAIL_OFF, FINACK_DETAIL_STALLS, FINACK_DETAIL_REASONS, NULL),
	KNOB(fin_ack, FINACK_FIN_ACK_KERNEL, FINACK_FIN_ACK_LEARN, FINACK_FIN_ACK_KERNEL,
	     finack_learn_forget_fins),
	KNOB(fin_hold_ms, 1, 499, 150, finack_learn_forget_fins),
	KNOB(quickack, FINACK_QUICKACK_KERNEL, FINACK_QUICKACK_LEARN, FINACK_QUICKACK_KERNEL,
	     finack_learn_forget_quick),
	KNOB(delack_min_ms, 0, 499, 0, NULL),
	KNOB(delack_max_ms, 0, 499, 0, NULL),
};

/* the list of ports is the row after these */
#define KNOB_PORTS ARRAY_SIZE(knobs)

static int *value_of(struct finack_knobs *k, unsigned int row)
{
	return (void *)k + knobs[row].off;
}

#define WANT(_name) BIT(FINACK_WANT_##_name)

/* the hooks without which a knob cannot be set */
static unsigned int needs_of(const struct finack_knobs *k)
{
	unsigned int needs = 0;

	if (k->fin_ack == FINACK_FIN_ACK_NOW || k->quickack)
		needs |= WANT(DELAY);
	if (k->quickack == FINACK_QUICKACK_LEARN)
		needs |= WANT(TIMER);
	if (k->fin_ack >= FINACK_FIN_ACK_HOLD)
		needs |= WANT(HOLD_ACK) | WANT(HOLD_TIMER) | WANT(DELAYED);
	if (k->delack_min_ms || k->delack_max_ms)
		needs |= WANT(DELAYED);
	if (k->detail == FINACK_DETAIL_STALLS)
		needs |= WANT(SEGMENTS) | WANT(TIMER);
	return needs;
}

/* the hooks that a namespace with these knobs wants */
static unsigned int wants_of(const struct finack_knobs *k)
{
	return needs_of(k) | (k->detail ? WANT(ACK) | WANT(TIMER) : 0);
}

/* whether the administrator lets user namespaces arm these */
static bool users_may(unsigned int wants)
{
	unsigned int who = READ_ONCE(finack_userns_hooks);

	return !wants || who == FINACK_USERNS_ALL ||
	       (who == FINACK_USERNS_USUAL && !(wants & WANT(SEGMENTS)));
}

static bool in_order(const struct finack_knobs *k)
{
	return !k->delack_min_ms || !k->delack_max_ms || k->delack_min_ms <= k->delack_max_ms;
}

/* Arms the hooks that @value needs, then puts it in force. @fn->admin->lock held. */
static int set_value(struct finack_net *fn, unsigned int row, int value)
{
	struct finack_admin *admin = fn->admin;
	struct finack_knobs next = fn->knobs, alone = {};
	unsigned int wants, begin;
	int err;

	if (value < knobs[row].min || value > knobs[row].max)
		return -EINVAL;
	*value_of(&next, row) = value;
	if (!in_order(&next))
		return -EINVAL;
	*value_of(&alone, row) = value;
	wants = wants_of(&next);
	begin = wants & ~admin->wants;
	if (!users_may(begin) && !ns_capable_noaudit(&init_user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (next.detail == FINACK_DETAIL_STALLS) {
		err = finack_stalls_begin(fn);
		if (err)
			return err;
	}
	/* what other knobs lack is no reason to refuse this one */
	err = finack_hooks_want(admin->net, begin, needs_of(&alone));
	if (err)
		return err;
	WRITE_ONCE(*value_of(&fn->knobs, row), value);
	if (knobs[row].forget)
		knobs[row].forget(fn);
	finack_hooks_cease(admin->wants & ~wants);
	admin->wants = wants;
	return 0;
}

static int number_io(struct finack_net *fn, unsigned int row, int write, void *buffer,
		     size_t *lenp, loff_t *ppos)
{
	int value = READ_ONCE(*value_of(&fn->knobs, row)), err;
	struct ctl_table as = { .data = &value, .maxlen = sizeof(value) };
	size_t len = *lenp;

	err = proc_dointvec(&as, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	return *lenp == len ? set_value(fn, row, value) : -EINVAL; /* one number, no more */
}

static int bitmap_io(unsigned long *bit, int size, int write, void *buffer, size_t *lenp,
		     loff_t *ppos)
{
	struct ctl_table as = { .data = &bit, .maxlen = size };

	return proc_do_large_bitmap(&as, write, buffer, lenp, ppos);
}

static int ports_show(const struct finack_net *fn, void *buffer, size_t *lenp, loff_t *ppos)
{
	unsigned long none = 0, *bit;
	int err;

	rcu_read_lock();
	bit = rcu_dereference(fn->knobs.ports);
	err = bitmap_io(bit ?: &none, bit ? PORTS : BITS_PER_LONG, 0, buffer, lenp, ppos);
	rcu_read_unlock();
	return err;
}

static unsigned long *ports_alloc(void)
{
	return kvzalloc(BITS_TO_LONGS(PORTS) * sizeof(long), GFP_KERNEL_ACCOUNT);
}

static int ports_store(struct finack_net *fn, void *buffer, size_t *lenp, loff_t *ppos)
{
	unsigned long *new, *old;
	int err;

	if (!*lenp) /* an empty write changes nothing; an empty line means all ports */
		return 0;
	new = ports_alloc();
	if (!new)
		return -ENOMEM;
	old = rcu_dereference_protected(fn->knobs.ports, lockdep_is_held(&fn->admin->lock));
	if (old && *ppos) /* a long list may come in several pieces */
		bitmap_copy(new, old, PORTS);
	err = bitmap_io(new, PORTS, 1, buffer, lenp, ppos);
	if (err || bitmap_empty(new, PORTS)) {
		kvfree(new);
		new = NULL;
	}
	if (err)
		return err;
	rcu_assign_pointer(fn->knobs.ports, new);
	if (old)
		kvfree_rcu_mightsleep(old); /* handlers may still look at it */
	return 0;
}

static int knob_store(struct finack_net *fn, unsigned int row, void *buffer, size_t *lenp,
		      loff_t *ppos)
{
	int err = mutex_lock_killable(&fn->admin->lock);

	if (err)
		return err;
	err = row == KNOB_PORTS ? ports_store(fn, buffer, lenp, ppos) :
				  number_io(fn, row, 1, buffer, lenp, ppos);
	mutex_unlock(&fn->admin->lock);
	return err;
}

/**
 * finack_knob_io() - read or set a knob, as a sysctl's handler does
 * @fn: the namespace
 * @row: which knob
 * @write: whether to set it
 * @buffer: the text
 * @lenp: its length, or the room for it; set to what was used
 * @ppos: the position in the file
 *
 * May sleep.
 *
 * Return: 0; -EINVAL for what is not a value of the knob, or a minimum above the
 * maximum; -EPERM if only the initial user namespace may arm hooks; -EOPNOTSUPP if a function that
 * the controls need cannot be hooked, or if the kernel does not run its hook; -ENOMEM; -EINTR if
 * the caller is being killed or the namespace is going.
 */
int finack_knob_io(struct finack_net *fn, unsigned int row, int write, void *buffer, size_t *lenp,
		   loff_t *ppos)
{
	if (write)
		return knob_store(fn, row, buffer, lenp, ppos);
	return row == KNOB_PORTS ? ports_show(fn, buffer, lenp, ppos) :
				   number_io(fn, row, 0, buffer, lenp, ppos);
}

/** finack_knob_rows() - Return: the number of knobs */
unsigned int finack_knob_rows(void)
{
	return KNOB_PORTS + 1;
}

/**
 * finack_knob_name() - the name of a knob
 * @row: which
 *
 * Return: the name.
 */
const char *finack_knob_name(unsigned int row)
{
	return row == KNOB_PORTS ? "ports" : knobs[row].name;
}

/* Sets the defaults, unless new namespaces inherit the first one's knobs. A user who may not arm
 * hooks must not do so by making a namespace either.
 */
static void set_defaults(struct finack_net *fn, const struct net *net)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		*value_of(&fn->knobs, i) = knobs[i].def;
	if (!users_may(wants_of(&fn->knobs)) && net->user_ns != &init_user_ns)
		fn->knobs.detail = FINACK_DETAIL_OFF;
}

/* Copies the knobs of the first namespace. They may change meanwhile: the copy is repeated as long
 * as it has a minimum above the maximum.
 */
static int inherit(struct finack_net *fn, const struct net *net)
{
	struct finack_net *first = finack_net(&init_net);
	unsigned long *ports = ports_alloc(), *theirs;
	unsigned int i;

	if (!ports)
		return -ENOMEM;
	do {
		for (i = 0; i < ARRAY_SIZE(knobs); i++)
			*value_of(&fn->knobs, i) = READ_ONCE(*value_of(&first->knobs, i));
	} while (!in_order(&fn->knobs));
	if (fn->knobs.detail == FINACK_DETAIL_STALLS && net->user_ns != &init_user_ns &&
	    !users_may(WANT(SEGMENTS)))
		fn->knobs.detail = FINACK_DETAIL_REASONS;
	rcu_read_lock();
	theirs = rcu_dereference(first->knobs.ports);
	if (theirs)
		bitmap_copy(ports, theirs, PORTS);
	rcu_read_unlock();
	if (!theirs) {
		kvfree(ports);
		ports = NULL;
	}
	RCU_INIT_POINTER(fn->knobs.ports, ports);
	return 0;
}

static void ports_free(struct finack_net *fn)
{
	kvfree(rcu_dereference_protected(fn->knobs.ports, 1));
}

/**
 * finack_knobs_init() - set the knobs of a new namespace: to the defaults, or as the first one's
 * @net: the namespace
 *
 * Does not wait for the hooks.
 *
 * Return: 0, or -ENOMEM.
 */
int finack_knobs_init(struct net *net)
{
	struct finack_net *fn = finack_net(net);
	int err;

	if (READ_ONCE(finack_inherit) && net != &init_net) {
		err = inherit(fn, net);
		if (err)
			return err;
	} else {
		set_defaults(fn, net);
	}
	if (fn->knobs.detail == FINACK_DETAIL_STALLS) {
		err = finack_stalls_begin(fn);
		if (err) {
			ports_free(fn);
			return err;
		}
	}
	fn->admin->wants = wants_of(&fn->knobs);
	finack_hooks_begin(fn->admin->wants);
	return 0;
}

/**
 * finack_knobs_exit() - a namespace is gone
 * @net: the namespace
 */
void finack_knobs_exit(struct net *net)
{
	struct finack_net *fn = finack_net(net);

	finack_hooks_cease(fn->admin->wants);
	ports_free(fn);
}
