/* SPDX-License-Identifier: GPL-2.0-only */
/* Why an ACK left without our FIN, and when. */
#ifndef FINACK_REASON_H
#define FINACK_REASON_H

#include <net/sock.h>

#include "mib.h"
#include "track.h"

u32 finack_delack_ticks(const struct sock *sk);
bool finack_delack_is_due(const struct sock *sk);
bool finack_ack_deferred(const struct sock *sk);
enum finack_mib_id finack_reason_timer(const struct sock *sk, const struct finack_rec *rec);
enum finack_mib_id finack_reason_ack(const struct sock *sk, const struct finack_rec *rec);
enum finack_mib_id finack_reason_covered(const struct sock *sk, const struct finack_rec *rec,
					 bool ack_now, u64 *ns);
const char *finack_reason_name(enum finack_mib_id reason);

#endif
