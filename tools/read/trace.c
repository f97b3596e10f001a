// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "trace.h"

#define EVENTS "events/finack"

static const char *tracefs(void)
{
	static const char * const dirs[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s/events", dirs[i]);
		if (!access(path, F_OK))
			return dirs[i];
	}
	return NULL;
}

char *trace_format(const char *event)
{
	const char *dir = tracefs();
	char path[192], *text;

	if (!dir) {
		if (geteuid())
			fprintf(stderr, "finack: cannot see tracefs; run as root\n");
		else
			fprintf(stderr, "finack: tracefs is not mounted; run: "
				"mount -t tracefs none /sys/kernel/tracing\n");
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/" EVENTS "/%s/format", dir, event);
	text = file_read(path);
	if (!text)
		file_complain(path);
	return text;
}

static int put(const char *dir, const char *file, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return file_write(path, value);
}

bool trace_open(struct trace *t, const char *event, const char *filter)
{
	char path[160];

	t->fd = -1;
	snprintf(t->dir, sizeof(t->dir), "%s/instances/finack-%d", tracefs(), (int)getpid());
	snprintf(t->event, sizeof(t->event), "%s/" EVENTS "/%s", t->dir, event);
	if (mkdir(t->dir, 0700)) {
		fprintf(stderr, "finack: cannot make the tracing instance %s: %s%s\n", t->dir,
			strerror(errno), errno == EACCES ? "; run as root" : "");
		*t->dir = '\0';
		return false;
	}
	/* wake readers at each event, where the kernel has this option */
	put(t->dir, "buffer_percent", "0");
	snprintf(path, sizeof(path), "%s/trace_pipe", t->dir);
	if (!put(t->dir, "trace_clock", "mono") && !put(t->event, "filter", filter) &&
	    !put(t->event, "enable", "1"))
		t->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (t->fd >= 0)
		return true;
	fprintf(stderr, "finack: cannot trace in %s: %s\n", t->dir, strerror(errno));
	trace_close(t);
	return false;
}

bool trace_alive(const struct trace *t)
{
	return !access(t->event, F_OK);
}

void trace_close(struct trace *t)
{
	if (!*t->dir)
		return;
	put(t->event, "enable", "0");
	if (t->fd >= 0)
		close(t->fd);
	if (rmdir(t->dir))
		fprintf(stderr, "finack: cannot remove %s: %s\n", t->dir, strerror(errno));
	*t->dir = '\0';
}
