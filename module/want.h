/* SPDX-License-Identifier: GPL-2.0-only */
/* The hooks, and what a namespace can want of those on functions. */
#ifndef FINACK_WANT_H
#define FINACK_WANT_H

/**
 * enum finack_want - what a namespace can want of the hooks on functions
 * @FINACK_WANT_ACK: pure ACKs are seen to leave
 * @FINACK_WANT_TIMER: the delayed-ACK timer is seen to fire
 * @FINACK_WANT_HOLD_ACK: an ACK that is about to leave can be held
 * @FINACK_WANT_HOLD_TIMER: an ACK that the timer is about to send can be held
 * @FINACK_WANT_DELAY: an ACK that is about to be delayed can be sent
 * @FINACK_WANT_DELAYED: the delay of an ACK can be changed
 * @FINACK_WANT_SEGMENTS: segments are seen to arrive on established connections
 */
enum finack_want {
	FINACK_WANT_ACK,
	FINACK_WANT_TIMER,
	FINACK_WANT_HOLD_ACK,
	FINACK_WANT_HOLD_TIMER,
	FINACK_WANT_DELAY,
	FINACK_WANT_DELAYED,
	FINACK_WANT_SEGMENTS,
	__FINACK_WANT_MAX
};

enum finack_hook_id {
	FINACK_HOOK_STATE,
	FINACK_HOOK_RETRANSMIT,
	FINACK_HOOK_ACK,
	FINACK_HOOK_TIMER,
	FINACK_HOOK_DELAY,
	FINACK_HOOK_DELAYED,
	FINACK_HOOK_SEGMENTS,
	__FINACK_HOOK_MAX
};

#endif
