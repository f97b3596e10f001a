// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "knobs.h"

int knobs_read(struct knobs *k)
{
	struct dirent **e;
	char path[400];
	int i, n = scandir(KNOBS_DIR, &e, NULL, alphasort);

	k->n = 0;
	if (n < 0)
		return -1;
	for (i = 0; i < n; i++) {
		struct knob *row = &k->knob[k->n];

		snprintf(path, sizeof(path), KNOBS_DIR "/%.255s", e[i]->d_name);
		if (*e[i]->d_name != '.' && k->n < KNOBS_MAX &&
		    file_line(path, row->value, sizeof(row->value))) {
			snprintf(row->name, sizeof(row->name), "%.63s", e[i]->d_name);
			k->n++;
		}
		free(e[i]);
	}
	free(e);
	return 0;
}

const char *knobs_get(const struct knobs *k, const char *name)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (!strcmp(k->knob[i].name, name))
			return k->knob[i].value;
	return NULL;
}

char *knobs_names(const struct knobs *k, char *buf, size_t size)
{
	size_t i, n = 0;

	*buf = '\0';
	for (i = 0; i < k->n && n < size; i++)
		n += snprintf(buf + n, size - n, " %s", k->knob[i].name);
	return buf;
}

const char *knob_takes(const char *name)
{
	/* as in module/knobs.c; a later module may take more, so this is for messages alone */
	static const char * const rows[][2] = {
		{ "delack_max_ms", "0 to 499, and not less than delack_min_ms unless it is 0" },
		{ "delack_min_ms", "0 to 499, and not more than delack_max_ms unless that is 0" },
		{ "detail", "0, 1 or 2" },
		{ "fin_ack", "0 to 3" },
		{ "fin_hold_ms", "1 to 499" },
		{ "ports", "ports and ranges as in 80,443,8000-8100, or nothing for all" },
		{ "quickack", "0, 1 or 2" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(name, rows[i][0]))
			return rows[i][1];
	return "what its documentation says";
}

static bool put(const char *name, const char *value)
{
	char path[400];

	snprintf(path, sizeof(path), KNOBS_DIR "/%.255s", name);
	return !file_write(path, value);
}

const struct setting *knobs_apply(struct setting *s, size_t n)
{
	const struct setting *refused = NULL;
	bool progress = true;
	char path[400];
	size_t i, j;
	int err = 0;

	for (i = 0; i < n; i++) {
		s[i].done = false;
		snprintf(path, sizeof(path), KNOBS_DIR "/%.255s", s[i].name);
		if (!file_line(path, s[i].old, sizeof(s[i].old)))
			return &s[i];
	}
	/* one may be rejected until another is set: the kernel wants min <= max */
	while (progress) {
		progress = false;
		refused = NULL;
		for (i = 0; i < n; i++) {
			if (s[i].done)
				continue;
			s[i].done = put(s[i].name, s[i].value);
			progress = progress || s[i].done;
			if (!s[i].done && !refused) {
				refused = &s[i];
				err = errno;
			}
		}
	}
	/* restore the old values: n times, as one may be rejected until another is restored */
	for (j = 0; refused && j < n; j++)
		for (i = 0; i < n; i++)
			if (s[i].done)
				put(s[i].name, s[i].old);
	errno = err;
	return refused;
}
