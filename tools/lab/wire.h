/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a capture and tells, from its segments alone, how each TCP connection in it closed.
 *
 * It knows nothing of the module: it is the truth the counters are held against. The capture must
 * be from the passive closer's interface. With several CPUs it may show the segments of a side in
 * another order than they were sent in (the receiving CPU was not running): sequence numbers tell.
 */
#ifndef FINACK_WIRE_H
#define FINACK_WIRE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_FIN	0x01
#define WIRE_SYN	0x02
#define WIRE_RST	0x04
#define WIRE_PSH	0x08
#define WIRE_ACK	0x10

/**
 * struct wire_seg - a TCP segment
 * @ns: time of capture, since the epoch
 * @seq: sequence number
 * @ack: acknowledgment number
 * @len: bytes of data
 * @flags: WIRE_*
 * @side: who sent it: 0 or 1, see &struct wire_conn
 * @again: it was sent again: segments captured before cover all of its sequence space
 */
struct wire_seg {
	uint64_t ns;
	uint32_t seq;
	uint32_t ack;
	uint32_t len;
	uint8_t flags;
	uint8_t side;
	bool again;
};

/**
 * struct wire_conn - a connection
 * @family: AF_INET or AF_INET6
 * @addr: of each side, IPv4 in the first four bytes; side 0 sent the first segment seen
 * @port: of each side, host byte order
 * @seg: its segments, in the order of the capture
 * @n: how many
 */
struct wire_conn {
	int family;
	struct in6_addr addr[2];
	uint16_t port[2];
	struct wire_seg *seg;
	size_t n;
	/* private */
	size_t room;
	uint32_t top[2];
	uint8_t seen[2];
	struct wire_conn *older;
};

/**
 * struct wire - the connections of a capture
 * @conn: in the order of their first segments
 * @n: how many
 */
struct wire {
	struct wire_conn **conn;
	size_t n;
	/* private */
	struct wire_conn **bucket;
};

/**
 * enum wire_outcome - how the peer's FIN was answered (RFC 9293 3.6)
 * @WIRE_OPEN: there is no FIN, or none that was ACKed or reset yet
 * @WIRE_MERGED: the first segment whose ACK covers the FIN has a FIN of its own
 * @WIRE_SEPARATE: that segment has none
 * @WIRE_UNACKED: there is a RST, of either side, and no such segment
 * @WIRE_SIMULTANEOUS: the answer to the FIN is a FIN whose ACK does not cover it
 */
enum wire_outcome {
	WIRE_OPEN,
	WIRE_MERGED,
	WIRE_SEPARATE,
	WIRE_UNACKED,
	WIRE_SIMULTANEOUS,
};

/**
 * struct wire_close - how a connection closed
 * @outcome: see above
 * @active: the side that sent the first FIN; -1 if there is none
 * @fin: index of that FIN
 * @ack: index of the segment that decided the outcome; meaningless for WIRE_OPEN
 * @own_fin: index of the other side's first FIN, or the number of segments if there is none
 * @segments: from the first FIN captured to the last segment, those sent again not counted
 * @data_with_ack: the deciding segment carries data
 * @rst: a RST follows the first FIN, sent by side @rst_side
 * @rst_side: see @rst
 */
struct wire_close {
	enum wire_outcome outcome;
	int active;
	size_t fin;
	size_t ack;
	size_t own_fin;
	size_t segments;
	bool data_with_ack;
	bool rst;
	int rst_side;
};

/**
 * wire_read() - read a capture file
 * @w: filled in; to be freed with wire_free() also after an error
 * @path: pcap or pcapng; Ethernet, Linux cooked or raw IP
 * @err: message of at most @size bytes on error
 *
 * Return: 0, or -1.
 */
int wire_read(struct wire *w, const char *path, char *err, size_t size);
void wire_free(struct wire *w);

/**
 * wire_close() - judge a connection
 * @c: the connection
 *
 * Return: how it closed.
 */
struct wire_close wire_close(const struct wire_conn *c);

const char *wire_outcome_name(enum wire_outcome o);

/** wire_ended() - Return: both FINs are ACKed, or there was a RST */
bool wire_ended(const struct wire_conn *c);

#endif
