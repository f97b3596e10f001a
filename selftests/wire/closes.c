// SPDX-License-Identifier: GPL-2.0-only
/*
 * closes FILE ADDRESS: what a capture made on the interface of ADDRESS shows. Prints, as
 * NAME=VALUE: connections, segments (of all of them), passive (connections that the other side
 * closed first), merged, separate, unacked (outcomes of the passive ones), close_segments (of the
 * passive ones, from the first FIN on).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lab/wire.h"

int main(int argc, char **argv)
{
	size_t passive = 0, segments = 0, close_segments = 0, i;
	size_t outcome[WIRE_SIMULTANEOUS + 1] = {};
	struct in6_addr addr = {};
	char err[200];
	struct wire w;

	if (argc != 3 || inet_pton(AF_INET, argv[2], &addr) != 1)
		return 2;
	if (wire_read(&w, argv[1], err, sizeof(err))) {
		fprintf(stderr, "closes: %s\n", err);
		return 1;
	}
	for (i = 0; i < w.n; i++) {
		struct wire_close k = wire_close(w.conn[i]);

		segments += w.conn[i]->n;
		if (k.active < 0 || memcmp(&w.conn[i]->addr[!k.active], &addr, sizeof(addr)))
			continue;
		passive++;
		outcome[k.outcome]++;
		close_segments += k.segments;
	}
	printf("connections=%zu segments=%zu passive=%zu merged=%zu separate=%zu unacked=%zu "
	       "close_segments=%zu\n", w.n, segments, passive, outcome[WIRE_MERGED],
	       outcome[WIRE_SEPARATE], outcome[WIRE_UNACKED], close_segments);
	wire_free(&w);
	return 0;
}
