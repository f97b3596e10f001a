// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
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
