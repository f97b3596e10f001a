// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "listeners.h"

#define STATE_LISTEN 0x0a /* TCP_LISTEN (include/net/tcp_states.h) */

static int add(struct listeners *l, uint64_t port, uint64_t inode)
{
	struct listener *more;

	if (!(l->n & (l->n - 1))) { /* 0, 1, 2, 4, ...: full */
		more = reallocarray(l->row, l->n ? l->n * 2 : 1, sizeof(*more));
		if (!more)
			return -1;
		l->row = more;
	}
	l->row[l->n++] = (struct listener){ port, inode };
	return 0;
}

/* tcp4_seq_show(): sl local:port remote:port state queues timer retransmits uid timeout inode */
int listeners_parse(struct listeners *l, char *text)
{
	uint64_t inode;
	unsigned int port, state;
	char *line;

	while ((line = split_line(&text)))
		if (sscanf(line, " %*[^:]: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %" SCNu64,
			   &port, &state, &inode) == 3 && state == STATE_LISTEN &&
		    add(l, port, inode))
			return -1;
	return 0;
}

int listeners_read(struct listeners *l)
{
	static const char * const files[] = {
		"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"
	};
	size_t i;
	int rc = 0;

	memset(l, 0, sizeof(*l));
	for (i = 0; !rc && i < sizeof(files) / sizeof(*files); i++) {
		char *text = file_read(files[i]);

		if (text)
			rc = listeners_parse(l, text);
		else if (errno != ENOENT) /* without IPv6 */
			rc = -1;
		free(text);
	}
	if (rc)
		listeners_free(l);
	return rc;
}

uint64_t listeners_find(const struct listeners *l, uint64_t port)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->row[i].port == port)
			return l->row[i].inode;
	return 0;
}

void listeners_free(struct listeners *l)
{
	free(l->row);
	memset(l, 0, sizeof(*l));
}
