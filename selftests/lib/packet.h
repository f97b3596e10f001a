/* SPDX-License-Identifier: GPL-2.0-only */
/* Builds a TCP segment in an IPv4 or IPv6 packet, checksums included. */
#ifndef FINACK_PACKET_H
#define FINACK_PACKET_H

#include <netinet/in.h>
#include <stdint.h>
#include <stddef.h>

/**
 * struct packet - what goes into it
 * @family: AF_INET or AF_INET6
 * @addr: source and destination, IPv4 in the first four bytes
 * @port: the same, host byte order
 * @seq: sequence number
 * @ack: acknowledgment number
 * @flags: as in the header
 * @tos: the IPv4 type of service, whose lowest bits are ECN
 * @window: as in the header
 * @mss: value of an MSS option, or 0 for none
 * @fastopen: cookie bytes of a Fast Open option (RFC 7413), or NULL
 * @fastopen_len: how many, 0 to ask for a cookie
 * @len: bytes of data, all 'x'
 */
struct packet {
	int family;
	struct in6_addr addr[2];
	uint16_t port[2];
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	uint8_t tos;
	uint16_t window;
	uint16_t mss;
	const uint8_t *fastopen;
	size_t fastopen_len;
	size_t len;
};

#define PACKET_MAX 2048

/** packet_build() - Return: the bytes written to @buf, at most PACKET_MAX */
size_t packet_build(const struct packet *p, uint8_t *buf);

#endif
