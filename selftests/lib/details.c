// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "details.h"

#define INSTANCE "/sys/kernel/tracing/instances/finack-test"

static int put(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | flags), rc;

	if (fd < 0)
		return -1;
	rc = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return rc;
}

int events_begin(void)
{
	if (mkdir(INSTANCE, 0700) && errno != EEXIST)
		return -1;
	atexit(events_end);
	return put(INSTANCE "/events/finack/finack_close/enable", "1", 0);
}

void events_clear(void)
{
	put(INSTANCE "/trace", "", O_TRUNC);
}

void events_end(void)
{
	put(INSTANCE "/events/enable", "0", 0);
	rmdir(INSTANCE);
}

int events_read(struct close_event *ev, int max)
{
	FILE *f = fopen(INSTANCE "/trace", "re");
	char line[600], *p;
	int n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		struct close_event e = {};

		p = strstr(line, "finack_close: ");
		if (*line == '#' || !p)
			continue;
		if (sscanf(p, "finack_close: netns=%u cookie=%llx family=%15s saddrv6=%47s "
			   "sport=%u daddrv6=%47s dport=%u outcome=%15s reason=%15s end=%15s "
			   "ack_delay_us=%lld fin_delay_us=%lld", &e.netns, &e.cookie, e.family,
			   e.saddr, &e.sport, e.daddr, &e.dport, e.outcome, e.reason, e.end,
			   &e.ack_delay_us, &e.fin_delay_us) != 12)
			strcpy(e.outcome, "malformed");
		if (n < max)
			ev[n] = e;
		n++;
	}
	if (f)
		fclose(f);
	return n;
}

bool hist_read(const char *name, struct hist *h)
{
	FILE *f = fopen("/proc/thread-self/net/finack_hist", "re");
	uint64_t below, n;
	char word[64];
	bool found = false;

	memset(h, 0, sizeof(*h));
	while (f && fscanf(f, "%63s", word) == 1) {
		if (!strncmp(word, "FinAck", 6)) {
			found = !strcmp(word, name);
		} else if (found && sscanf(word, "sum:%" SCNu64, &n) == 1) {
			h->sum = n;
		} else if (found && (sscanf(word, "inf:%" SCNu64, &n) == 1 ||
				   sscanf(word, "%" SCNu64 ":%" SCNu64, &below, &n) == 2) && n) {
			h->count += n;
			h->below = *word == 'i' ? 0 : below;
		}
		if (found && !strncmp(word, "inf:", 4))
			break;
	}
	if (f)
		fclose(f);
	return found;
}

int slack(void)
{
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		return 30;
	return access("/sys/kernel/realtime", F_OK) ? 1 : 5;
}
