/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture in progress, in a file that has no name. */
#ifndef FINACK_CAPTURE_H
#define FINACK_CAPTURE_H

#include <pcap/pcap.h>
#include <stddef.h>

#include "wire.h"

/**
 * struct capture_options - what to capture, and how
 * @filter: see pcap-filter(7)
 * @snaplen: bytes to capture of each packet
 * @buffer: bytes of memory for packets that wait to be written; the kernel zeroes all of it
 * @block_ms: packets are delivered in blocks, after at most this time; 0: each packet at once
 * @folder: where the file is; NULL: in memory
 */
struct capture_options {
	const char *filter;
	int snaplen;
	int buffer;
	int block_ms;
	const char *folder;
};

/**
 * struct capture - a capture
 * @pcap: the handle that captures
 * @dump: the handle that writes
 * @packets: how many were written
 * @path: where the file can be read
 */
struct capture {
	pcap_t *pcap;
	pcap_dumper_t *dump;
	unsigned int packets;
	char path[32];
	/* private */
	int fd;
};

/**
 * capture_start() - begin to capture
 * @c: filled in; to be freed with capture_stop() also after an error
 * @device: of the caller's network namespace
 * @o: what to capture, and how
 * @err: message of at most @size bytes on error
 *
 * Return: 0, or -1.
 */
int capture_start(struct capture *c, const char *device, const struct capture_options *o, char *err,
		  size_t size);

/** capture_drain() - write the packets that have come; Return: whether there were any */
bool capture_drain(struct capture *c);

/** capture_read() - read all that has come so far anew into @w; Return: as wire_read() */
int capture_read(struct capture *c, struct wire *w, char *err, size_t size);

/** capture_lost() - Return: whether packets were lost, or that cannot be told */
bool capture_lost(struct capture *c);

/** capture_whole() - Return: whether all packets that passed are written, except lost ones */
bool capture_whole(struct capture *c);

/** capture_save() - copy the file; Return: 0, or -1 with errno */
int capture_save(struct capture *c, const char *path);
void capture_stop(struct capture *c);

#endif
