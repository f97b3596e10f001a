// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "file.h"

int counters_parse(struct counters *c, char *text)
{
	struct counter *r = c->row;
	char *line, rest;

	c->n = 0;
	while (c->n < COUNTERS_MAX && (line = split_line(&text))) {
		if (sscanf(line, "%39s %" SCNu64 " %c", r->name, &r->value, &rest) != 2)
			break;
		c->n++;
		r++;
	}
	if (!c->n)
		errno = EPROTO;
	return c->n ? 0 : -1;
}

int counters_read(struct counters *c)
{
	char *text = file_read(COUNTERS_FILE);
	int rc;

	c->n = 0;
	if (!text)
		return -1;
	rc = counters_parse(c, text);
	free(text);
	return rc;
}

uint64_t counters_get(const struct counters *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->row[i].name, name))
			return c->row[i].value;
	return 0;
}

void counters_sub(struct counters *c, const struct counters *before)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		c->row[i].value -= counters_get(before, c->row[i].name);
}
