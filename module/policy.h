/* SPDX-License-Identifier: GPL-2.0-only */
/* The controls. The hooks call this with the socket locked. */
#ifndef FINACK_POLICY_H
#define FINACK_POLICY_H

#include <linux/types.h>

struct sock;

/**
 * struct finack_delack - the delayed-ACK timer of a socket
 * @pending: it was armed
 * @expires: when it was due, in jiffies
 */
struct finack_delack {
	bool pending;
	unsigned long expires;
};

bool finack_policy_sends_now(struct sock *sk);
bool finack_policy_holds(struct sock *sk, bool timer);
bool finack_policy_bounds(struct sock *sk, struct finack_delack *before);
void finack_policy_bound(struct sock *sk, const struct finack_delack *before);

#endif
