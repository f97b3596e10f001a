/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads /sys/kernel/finack/hooks: a folder per hook, named like it. Hooks are those of the whole
 * host, and only root can read about them.
 */
#ifndef FINACK_HOOKS_H
#define FINACK_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOKS_DIR "/sys/kernel/finack/hooks"
#define HOOKS_MAX 32

/** struct hook - what its files say, see Documentation/finack.rst */
struct hook {
	char name[64];
	char status[128];
	char symbol[64];
	char kind[32];
	uint64_t hits;
	uint64_t missed;
};

struct hooks {
	struct hook hook[HOOKS_MAX];
	size_t n;
};

/** hooks_read() - Return: 0, or -1 with errno: EACCES where the caller may not read them */
int hooks_read(struct hooks *h);
bool hook_armed(const struct hook *h);
/** hook_dead() - whether it is armed, but the kernel does not run its handler */
bool hook_dead(const struct hook *h);
/** hook_off() - whether it is off because no namespace needs it now */
bool hook_off(const struct hook *h);
uint64_t hooks_missed(const struct hooks *h);

#endif
