/* SPDX-License-Identifier: GPL-2.0-only */
/* Services by name: a port, and the process that listens there. */
#ifndef FINACK_SERVICE_H
#define FINACK_SERVICE_H

#include "read/listeners.h"
#include "read/ports.h"
#include "read/procs.h"

/**
 * struct services - what it takes to name them
 * @listeners: of the namespace at hand
 * @procs: the sockets of all processes, which are those of all namespaces
 */
struct services {
	struct listeners listeners;
	struct procs procs;
};

/** services_open() - find the sockets of all processes, once; Return: 0, or -1 with errno */
int services_open(struct services *s);
/** services_enter() - find out who listens in the caller's namespace; if it fails, nobody does */
void services_enter(struct services *s);
void services_free(struct services *s);

/** service_process() - Return: a process that listens at @port; NULL if there is none to be seen */
const struct proc_socket *service_process(const struct services *s, uint64_t port);

/** service_name() - write "port 80 (nginx, pid 7)" or "remote port 443"; Return: @buf */
char *service_name(char *buf, size_t size, const struct services *s, const char *port,
		   const char *side);

#endif
