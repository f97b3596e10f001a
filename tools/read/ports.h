/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads /proc/net/finack_ports. Columns are found by their names in its head line. */
#ifndef FINACK_PORTS_H
#define FINACK_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORTS_FILE "/proc/thread-self/net/finack_ports"

/** struct port_row - a line, see Documentation/finack.rst; the last one has the port "other" */
struct port_row {
	char port[8];
	char side[8];
	uint64_t passive;
	uint64_t merged;
	uint64_t separate;
	uint64_t unacked;
	uint64_t close_wait;
	uint64_t timer_ack;
	uint64_t stalls;
	uint64_t stall_ms;
	uint64_t peer_stalls;
	uint64_t peer_stall_ms;
	uint64_t credit;
	uint64_t quick_acks;
	uint64_t held;
};

/** struct ports - the lines, in the order of the file */
struct ports {
	struct port_row *row;
	size_t n;
};

/** ports_read() - read that of the caller's namespace; Return: 0, or -1 with errno */
int ports_read(struct ports *p);
/** ports_parse() - parse @text, which is modified; Return: 0, or -1 with errno */
int ports_parse(struct ports *p, char *text);
/** ports_sub() - subtract an earlier reading, where a service had a row then */
void ports_sub(struct ports *p, const struct ports *before);
/** ports_sum() - add a row to the sum of others */
void ports_sum(struct port_row *sum, const struct port_row *row);
/** port_is_service() - Return: whether it is a service's row, not that of "other" */
bool port_is_service(const struct port_row *row);
/** ports_free() - free what ports_read() or ports_parse() has read */
void ports_free(struct ports *p);

#endif
