/* SPDX-License-Identifier: GPL-2.0-only */
/* Closes connections in a network namespace made for it, to see whether each hook is alive. */
#ifndef FINACK_SCRATCH_H
#define FINACK_SCRATCH_H

#include "read/hooks.h"

/**
 * struct scratch - what was seen
 * @before: the hooks before the first close
 * @after: the hooks afterwards; a hook's status is the one it had while it was in use
 * @problem: why this could not be done, empty if it was
 */
struct scratch {
	struct hooks before;
	struct hooks after;
	char problem[160];
};

/** scratch_run() - close connections and read the hooks; Return: whether that was possible */
bool scratch_run(struct scratch *result);

#endif
