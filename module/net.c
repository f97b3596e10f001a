// SPDX-License-Identifier: GPL-2.0-only
/* The id under which a network namespace keeps finack's data. */
#include "net.h"

unsigned int finack_net_id __read_mostly;
