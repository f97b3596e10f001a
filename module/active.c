// SPDX-License-Identifier: GPL-2.0-only
/* What the peer did when we closed first. The code is in active.h; this is what each CPU keeps. */
#include "active.h"

DEFINE_PER_CPU(u64, finack_half_closed);
