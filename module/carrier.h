/* SPDX-License-Identifier: GPL-2.0-only */
/* How a hook is attached to the kernel. */
#ifndef FINACK_CARRIER_H
#define FINACK_CARRIER_H

#include <linux/types.h>

#include "hooks.h"

int finack_carrier_check(const char *carrier);
void finack_carrier_find(const char *carrier, const char *absent);
int finack_carrier_set(struct finack_hook *h, enum finack_hook_level level);
void finack_carrier_canary(bool on);
void finack_carrier_release(void);
bool finack_carrier_alive(const struct finack_hook *h);
const char *finack_carrier_kind(const struct finack_hook *h);
unsigned long finack_carrier_missed(const struct finack_hook *h);

#endif
