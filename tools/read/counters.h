/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads /proc/net/finack into rows of name and value. The names come from the file. */
#ifndef FINACK_COUNTERS_H
#define FINACK_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#define COUNTERS_MAX 128
#define COUNTERS_FILE "/proc/thread-self/net/finack"

struct counter {
	char name[40];
	uint64_t value;
};

/**
 * struct counters - what the file held
 * @row: its lines
 * @n: how many
 */
struct counters {
	struct counter row[COUNTERS_MAX];
	size_t n;
};

/**
 * counters_read() - read the counters of the caller's network namespace
 * @c: filled in
 *
 * Return: 0, or -1 with errno; ENOENT if the module is not loaded.
 */
int counters_read(struct counters *c);

/** counters_parse() - parse @text, which is modified; Return: 0, or -1 with errno */
int counters_parse(struct counters *c, char *text);

/** counters_get() - Return: the value of @name, 0 if there is no such line */
uint64_t counters_get(const struct counters *c, const char *name);

/** counters_sub() - subtract @before from @c: what was counted in between */
void counters_sub(struct counters *c, const struct counters *before);

#endif
