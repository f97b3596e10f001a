/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TCP peer made by hand: it writes and reads its segments through a TUN device of the caller's
 * network namespace. All of them go into a capture: its own with the time before they are written,
 * the kernel's with the time at which the kernel handed them to the device.
 */
#ifndef FINACK_PEER_H
#define FINACK_PEER_H

#include <pcap/pcap.h>
#include <stdbool.h>

#include "lab/wire.h"
#include "packet.h"

#define PEER_HOST	"192.0.2.1"	/* the kernel's end */
#define PEER_ADDR	"192.0.2.2"	/* ours */
#define PEER_PORT	8888		/* the kernel's; ours is 40000 */
#define PEER_MSS	1000

/**
 * struct peer - the peer, and what it says of itself in each segment
 * @window: the window it advertises
 * @tos: its IP type of service
 * @path: of the capture
 */
struct peer {
	uint16_t window;
	uint8_t tos;
	char path[32];
	/* private */
	int tun;
	int tap;
	uint32_t isn;
	pcap_t *pcap;
	pcap_dumper_t *dump;
};

/**
 * struct got - a segment of the kernel's
 * @seq: relative, its SYN is 0
 * @ack: relative, our SYN is 0
 * @flags: FIN, SYN, RST and ACK only
 * @all_flags: the others, too
 * @window: as it is in the header
 * @len: bytes of data
 * @ns: when it was handed to the device, as role_now()
 */
struct got {
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	uint8_t all_flags;
	uint16_t window;
	size_t len;
	uint64_t ns;
};

/**
 * peer_open() - make the device and begin the capture
 * @p: filled in
 * @tso: the interface takes several segments as one packet
 *
 * Return: 0, or -1 with errno.
 */
int peer_open(struct peer *p, bool tso);
/** peer_end_capture() - complete the capture; it can then be read and unlinked */
void peer_end_capture(struct peer *p);
void peer_close(struct peer *p);

/** peer_put() - send a segment; @seq and @ack are relative as in &struct got */
void peer_put(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, size_t len);
/** peer_put_options() - the same with the options in @more */
void peer_put_options(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, size_t len,
		      struct packet more);

/** peer_get() - the kernel's next segment within @ms; Return: whether there was one */
bool peer_get(struct peer *p, struct got *g, int ms);

#endif
