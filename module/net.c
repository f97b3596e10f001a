// SPDX-License-Identifier: GPL-2.0-only
/* Where a network namespace keeps what is finack's. */
#include "net.h"

unsigned int finack_net_id __read_mostly;
