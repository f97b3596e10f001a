// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

bool word_number(const char *word, uint64_t least, uint64_t most, uint64_t *value)
{
	if (!*word || strspn(word, "0123456789") != strlen(word))
		return false;
	errno = 0;
	*value = strtoull(word, NULL, 10);
	return !errno && *value >= least && *value <= most;
}

bool word_seconds(const char *word, double *value)
{
	char *end;

	if (!*word || strspn(word, "0123456789.") != strlen(word))
		return false;
	*value = strtod(word, &end);
	return !*end && *value <= 1e9;
}

#define LONGEST 40 /* no name of ours is longer */

/* the number of letters to change, add, drop or swap with the next, from @a to @b (Damerau) */
static int distance(const char *a, const char *b, int len)
{
	int d[LONGEST + 1][LONGEST + 1], i, j, n = strlen(a), least;

	if (n > LONGEST || len > LONGEST)
		return LONGEST;
	for (i = 0; i <= n; i++)
		for (j = 0; j <= len; j++) {
			if (!i || !j) {
				d[i][j] = i + j;
				continue;
			}
			least = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			least = d[i - 1][j] + 1 < least ? d[i - 1][j] + 1 : least;
			least = d[i][j - 1] + 1 < least ? d[i][j - 1] + 1 : least;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < least)
				least = d[i - 2][j - 2] + 1;
			d[i][j] = least;
		}
	return d[n][len];
}

const char *word_near(const char *word, const char *names)
{
	static char text[LONGEST + 32];
	int best = 3, is, len;

	*text = '\0';
	for (; *names; names += len) {
		names += strspn(names, " ");
		len = strcspn(names, " ");
		/* what was begun is near, too */
		is = len && !strncmp(word, names, strlen(word)) ? 1 : distance(word, names, len);
		if (!len || is >= best || is >= len)
			continue;
		best = is;
		snprintf(text, sizeof(text), "; did you mean '%.*s'?", len, names);
	}
	return text;
}
