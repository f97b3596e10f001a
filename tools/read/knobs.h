/* SPDX-License-Identifier: GPL-2.0-only */
/* The controls: files of the caller's namespace. Their names and bounds come from the kernel. */
#ifndef FINACK_KNOBS_H
#define FINACK_KNOBS_H

#include <stdbool.h>
#include <stddef.h>

#define KNOBS_DIR "/proc/sys/net/finack"
#define KNOBS_MAX 64

/** struct knob - the name of a file and what it holds */
struct knob {
	char name[64];
	char value[1024];
};

struct knobs {
	struct knob knob[KNOBS_MAX];
	size_t n;
};

/** struct setting - the name of a control and its new value */
struct setting {
	const char *name;
	const char *value;
	bool done;
	char old[1024];
};

/** knobs_read() - read all controls; Return: 0, or -1 with errno */
int knobs_read(struct knobs *k);
/** knobs_get() - Return: a value, NULL if there is no such control */
const char *knobs_get(const struct knobs *k, const char *name);
/** knobs_names() - write all names, with a space before each; Return: @buf */
char *knobs_names(const struct knobs *k, char *buf, size_t size);

/** knob_takes() - what values a control takes, in words, for a message; Return: the words */
const char *knob_takes(const char *name);

/**
 * knobs_apply() - set controls, all or none
 * @s: the settings; the order does not matter
 * @n: how many
 *
 * Return: NULL; or the setting that the kernel rejected, with errno, and nothing is changed.
 */
const struct setting *knobs_apply(struct setting *s, size_t n);

#endif
