// SPDX-License-Identifier: GPL-2.0-only
/* What the peer did when we closed first. active.h has it all but for what a CPU remembers. */
#include "active.h"

DEFINE_PER_CPU(u64, finack_half_closed);
