// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "close_event.h"
#include "read/trace.h"

static struct trace trace;

int events_begin(void)
{
	if (!trace_open(&trace, "finack_close", "netns > 0"))
		return -1;
	atexit(events_end);
	return 0;
}

void events_end(void)
{
	trace_close(&trace);
}

static void copy(char *to, size_t size, const struct event *e, const char *key)
{
	snprintf(to, size, "%s", event_get(e, key));
}

static void fill_in(struct close_event *ev, const struct event *e)
{
	ev->netns = strtoul(event_get(e, "netns"), NULL, 10);
	ev->cookie = strtoull(event_get(e, "cookie"), NULL, 0);
	ev->sport = atoi(event_get(e, "sport"));
	ev->dport = atoi(event_get(e, "dport"));
	copy(ev->outcome, sizeof(ev->outcome), e, "outcome");
	copy(ev->reason, sizeof(ev->reason), e, "reason");
	copy(ev->end, sizeof(ev->end), e, "end");
	ev->ack_delay_us = atoll(event_get(e, "ack_delay_us"));
	ev->fin_delay_us = atoll(event_get(e, "fin_delay_us"));
}

int events_read(struct close_event *ev, int max)
{
	static char text[65536];
	char *line, *save = NULL;
	size_t len = 0;
	struct event e;
	ssize_t got;
	int n = 0;

	while ((got = read(trace.fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	text[len] = '\0';
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!event_parse(&e, line))
			continue;
		if (n < max)
			fill_in(&ev[n], &e);
		n += e.lost ? e.lost : 1;
	}
	return n;
}
