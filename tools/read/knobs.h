/* SPDX-License-Identifier: GPL-2.0-only */
/* The controls: files of the caller's namespace, whose names and bounds are the kernel's. */
#ifndef FINACK_KNOBS_H
#define FINACK_KNOBS_H

#include <stdbool.h>
#include <stddef.h>

#define KNOBS_DIR "/proc/sys/net/finack"
#define KNOBS_MAX 64

/** struct knob - a file and what it holds */
struct knob {
	char name[64];
	char value[1024];
};

struct knobs {
	struct knob knob[KNOBS_MAX];
	size_t n;
};

/** struct setting - what a control is to become */
struct setting {
	const char *name;
	const char *value;
	bool done;
	char old[1024];
};

/** knobs_read() - all of them; Return: 0, or -1 with errno */
int knobs_read(struct knobs *k);
/** knobs_get() - Return: a value, NULL if there is no such control */
const char *knobs_get(const struct knobs *k, const char *name);
/** knobs_names() - all names, with a space before each */
char *knobs_names(const struct knobs *k, char *buf, size_t size);

/**
 * knobs_apply() - set controls, all or none
 * @s: in any order that the kernel accepts
 * @n: how many
 *
 * Return: NULL; else the one it refused, with errno, and nothing is changed.
 */
const struct setting *knobs_apply(struct setting *s, size_t n);

#endif
