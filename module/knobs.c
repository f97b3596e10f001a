// SPDX-License-Identifier: GPL-2.0-only
/*
 * The knobs of a network namespace: their names, ranges, defaults, and what setting one entails.
 * /proc/sys (sysctl.c) and sysfs (sysfs.c) both come here; text is parsed and written by the
 * kernel's own sysctl handlers. A value that is refused changes nothing.
 */
#include <linux/bitmap.h>
#include <linux/mutex.h>
#include <linux/sysctl.h>

#include "compat.h"
#include "finack.h"

#define PORTS (8 * sizeof_field(struct finack_ports, bit))

bool finack_inherit;

/* of all namespaces: a knob and what it arms change together */
static DEFINE_MUTEX(knob_lock);

/**
 * struct knob - a knob that is a number; the list of ports is none
 * @name: its name
 * @off: where in &struct finack_knobs
 * @min: the least value
 * @max: the greatest
 * @def: the default
 */
struct knob {
	const char *name;
	size_t off;
	int min;
	int max;
	int def;
};

#define KNOB(_name, _min, _max, _def) \
	{ #_name, offsetof(struct finack_knobs, _name), _min, _max, _def }

static const struct knob knobs[] = {
	KNOB(detail, 0, 1, 1),
	KNOB(fin_ack, FINACK_FIN_ACK_KERNEL, FINACK_FIN_ACK_HOLD, FINACK_FIN_ACK_KERNEL),
	KNOB(fin_hold_ms, 1, 499, 150),
	KNOB(quickack, 0, 1, 0),
	KNOB(delack_min_ms, 0, 499, 0),
	KNOB(delack_max_ms, 0, 499, 0),
};

/* the last row */
#define KNOB_PORTS ARRAY_SIZE(knobs)

static int *value_of(struct finack_knobs *k, unsigned int row)
{
	return (void *)k + knobs[row].off;
}

#define BIT_OF(_hook) BIT(FINACK_HOOK_##_hook)

/* the hooks that a namespace with these knobs needs; *need: those it cannot do without */
static unsigned int hooks_of(const struct finack_knobs *k, unsigned int *need)
{
	unsigned int hooks = 0;

	if (k->fin_ack == FINACK_FIN_ACK_NOW || k->quickack)
		hooks |= BIT_OF(DELAY);
	if (k->fin_ack == FINACK_FIN_ACK_HOLD)
		hooks |= BIT_OF(ACK) | BIT_OF(TIMER) | BIT_OF(DELAYED);
	if (k->delack_min_ms || k->delack_max_ms)
		hooks |= BIT_OF(DELAYED);
	if (need)
		*need = hooks;
	if (k->detail)
		hooks |= BIT_OF(ACK) | BIT_OF(TIMER);
	return hooks;
}

/* Arms what @value needs before it counts, and disarms what it needs no more afterwards. */
static int set_value(struct finack_net *fn, unsigned int row, int value)
{
	struct finack_knobs next = fn->knobs;
	unsigned int old = hooks_of(&fn->knobs, NULL), new, need;
	int err;

	if (value < knobs[row].min || value > knobs[row].max)
		return -EINVAL;
	*value_of(&next, row) = value;
	if (next.delack_min_ms && next.delack_max_ms && next.delack_min_ms > next.delack_max_ms)
		return -EINVAL;
	new = hooks_of(&next, &need);
	err = finack_hooks_want(new & ~old, 0, need);
	if (err)
		return err;
	WRITE_ONCE(*value_of(&fn->knobs, row), value);
	finack_hooks_want(0, old & ~new, 0);
	return 0;
}

static int number_io(struct finack_net *fn, unsigned int row, int write, void *buffer,
		     size_t *lenp, loff_t *ppos)
{
	int value = *value_of(&fn->knobs, row), err;
	struct ctl_table as = { .data = &value, .maxlen = sizeof(value) };
	size_t len = *lenp;

	err = proc_dointvec(&as, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	return *lenp == len ? set_value(fn, row, value) : -EINVAL; /* one number, no more */
}

static struct finack_ports *ports_of(const struct finack_net *fn)
{
	return rcu_dereference_protected(fn->knobs.ports, lockdep_is_held(&knob_lock));
}

static int ports_io(struct finack_net *fn, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	struct finack_ports *old = ports_of(fn), *new = kvzalloc(sizeof(*new), GFP_KERNEL);
	unsigned long *bit;
	struct ctl_table as = { .data = &bit, .maxlen = PORTS };
	int err;

	if (!new)
		return -ENOMEM;
	bit = new->bit;
	if (old && (!write || *ppos)) /* a long list may come in several pieces */
		bitmap_copy(bit, old->bit, PORTS);
	err = proc_do_large_bitmap(&as, write, buffer, lenp, ppos);
	if (err || !write || bitmap_empty(bit, PORTS)) {
		kvfree(new);
		new = NULL;
	}
	if (err || !write)
		return err;
	rcu_assign_pointer(fn->knobs.ports, new);
	if (old)
		kvfree_rcu(old, rcu); /* handlers may still look at it */
	return 0;
}

/**
 * finack_knob_io() - read or set a knob, as a sysctl's handler does
 * @fn: whose
 * @row: which
 * @write: whether to set it
 * @buffer: the text
 * @lenp: its length, or the room for it; set to what was used
 * @ppos: the place in the file
 *
 * May sleep. Return: 0; -EINVAL for what is not a value of the knob, or a minimum above the
 * maximum; -EOPNOTSUPP if the kernel cannot be hooked where the control needs it; -ENOMEM.
 */
int finack_knob_io(struct finack_net *fn, unsigned int row, int write, void *buffer, size_t *lenp,
		   loff_t *ppos)
{
	int err;

	mutex_lock(&knob_lock);
	err = row == KNOB_PORTS ? ports_io(fn, write, buffer, lenp, ppos) :
				  number_io(fn, row, write, buffer, lenp, ppos);
	mutex_unlock(&knob_lock);
	return err;
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

/**
 * finack_knobs_init() - give a new namespace its values: the defaults, or those of the first one
 * @net: the namespace
 *
 * Return: 0, or -ENOMEM.
 */
int finack_knobs_init(struct net *net)
{
	struct finack_net *fn = finack_net(net), *first = finack_net(&init_net);
	bool inherit = READ_ONCE(finack_inherit) && net != &init_net;
	const struct finack_ports *ports;
	unsigned int i;
	int err = 0;

	mutex_lock(&knob_lock);
	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		*value_of(&fn->knobs, i) = inherit ? *value_of(&first->knobs, i) : knobs[i].def;
	ports = inherit ? ports_of(first) : NULL;
	if (ports) {
		struct finack_ports *copy = kvzalloc(sizeof(*copy), GFP_KERNEL);

		if (copy)
			bitmap_copy(copy->bit, ports->bit, PORTS);
		else
			err = -ENOMEM;
		RCU_INIT_POINTER(fn->knobs.ports, copy);
	}
	if (!err)
		finack_hooks_want(hooks_of(&fn->knobs, NULL), 0, 0);
	mutex_unlock(&knob_lock);
	return err;
}

/**
 * finack_knobs_exit() - a namespace is gone
 * @net: the namespace
 */
void finack_knobs_exit(struct net *net)
{
	struct finack_net *fn = finack_net(net);

	finack_hooks_want(0, hooks_of(&fn->knobs, NULL), 0);
	kvfree(rcu_dereference_protected(fn->knobs.ports, 1));
}
