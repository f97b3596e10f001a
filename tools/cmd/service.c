// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "service.h"

int services_open(struct services *s)
{
	memset(s, 0, sizeof(*s));
	return procs_read(&s->procs);
}

void services_enter(struct services *s)
{
	listeners_free(&s->listeners);
	listeners_read(&s->listeners);
}

void services_free(struct services *s)
{
	listeners_free(&s->listeners);
	procs_free(&s->procs);
}

const struct proc_socket *service_process(const struct services *s, uint64_t port)
{
	uint64_t inode = listeners_find(&s->listeners, port);

	return inode ? procs_find(&s->procs, inode) : NULL;
}

char *service_name(char *buf, size_t size, const struct services *s, const char *port,
		   const char *side)
{
	const struct proc_socket *p = NULL;

	if (!strcmp(side, "local"))
		p = service_process(s, strtoull(port, NULL, 10));
	if (!strcmp(side, "-"))
		snprintf(buf, size, "services without a row");
	else if (p)
		snprintf(buf, size, "port %s (%s, pid %d)", port, p->command, (int)p->pid);
	else
		snprintf(buf, size, "%sport %s", strcmp(side, "local") ? "remote " : "", port);
	return out_clean(buf);
}
