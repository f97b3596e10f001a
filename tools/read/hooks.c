// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "hooks.h"

static bool value(const char *hook, const char *file, char *buf, size_t size)
{
	char path[400];

	snprintf(path, sizeof(path), HOOKS_DIR "/%.255s/%s", hook, file);
	if (file_line(path, buf, size))
		return true;
	*buf = '\0';
	return false;
}

/* Return: whether the status of a hook could be read; if not, errno says why */
static bool read_hook(struct hook *h, const char *name)
{
	char number[32];

	snprintf(h->name, sizeof(h->name), "%.63s", name);
	if (!value(name, "status", h->status, sizeof(h->status)))
		return false;
	value(name, "symbol", h->symbol, sizeof(h->symbol));
	value(name, "kind", h->kind, sizeof(h->kind));
	value(name, "hits", number, sizeof(number));
	h->hits = strtoull(number, NULL, 10);
	value(name, "missed", number, sizeof(number));
	h->missed = strtoull(number, NULL, 10);
	return true;
}

int hooks_read(struct hooks *h)
{
	struct dirent **e;
	bool denied = false;
	int i, n = scandir(HOOKS_DIR, &e, NULL, alphasort);

	h->n = 0;
	if (n < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (*e[i]->d_name != '.' && h->n < HOOKS_MAX) {
			denied = denied || (!read_hook(&h->hook[h->n++], e[i]->d_name) &&
					    errno == EACCES);
		}
		free(e[i]);
	}
	free(e);
	errno = EACCES;
	return denied ? -1 : 0;
}

bool hook_armed(const struct hook *h)
{
	return !strcmp(h->status, "armed");
}

bool hook_dead(const struct hook *h)
{
	return !strncmp(h->status, "armed, but", 10);
}

bool hook_off(const struct hook *h)
{
	return !strncmp(h->status, "off", 3);
}

uint64_t hooks_missed(const struct hooks *h)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < h->n; i++)
		sum += h->hook[i].missed;
	return sum;
}
