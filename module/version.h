/* SPDX-License-Identifier: GPL-2.0-only */
/* The version is defined here alone; dkms.conf and the tool are checked against it. */
#ifndef FINACK_VERSION_H
#define FINACK_VERSION_H

#define FINACK_VERSION "0.2.0"

#endif
