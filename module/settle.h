/* SPDX-License-Identifier: GPL-2.0-only */
/* What became of a passive close. */
#ifndef FINACK_SETTLE_H
#define FINACK_SETTLE_H

#include <linux/types.h>

#include "mib.h"
#include "track.h"

void finack_settle(struct finack_net *fn, struct finack_rec *rec, enum finack_mib_id outcome,
		   enum finack_mib_id reason, u64 ack_ns);
void finack_unsettle(struct finack_net *fn, struct finack_rec *rec);
void finack_settle_covered(struct finack_net *fn, struct sock *sk, struct finack_rec *rec,
			   bool ack_now);
void finack_settle_end(struct finack_net *fn, struct sock *sk, struct finack_rec *rec, u64 fin_ns);
void finack_settle_untracked(struct finack_net *fn, struct sock *sk, enum finack_mib_id outcome,
			     enum finack_mib_id how);

#endif
