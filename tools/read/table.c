// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "table.h"

#define COLUMNS_MAX 32

/**
 * struct head - the columns of a file
 * @order: the column of each word; NULL for columns of a later version
 * @n: how many have to be there
 */
struct head {
	const struct table_column *order[COLUMNS_MAX];
	size_t n;
};

static bool parse_head(struct head *h, const struct table_column *columns, char *line)
{
	char *word, *save = NULL;
	size_t i, c, known = 0;

	for (i = 0; i < COLUMNS_MAX; i++) {
		word = strtok_r(i ? NULL : line, " ", &save);
		if (!word)
			break;
		for (c = 0; c < h->n; c++)
			if (!strcmp(columns[c].name, word))
				h->order[i] = &columns[c];
		known += !!h->order[i];
	}
	return known == h->n;
}

static bool parse_word(char *row, const struct table_column *c, const char *word)
{
	char *field = row + c->offset, *end;
	uint64_t value;

	if (c->size) {
		snprintf(field, c->size, "%s", word);
		return strlen(word) < c->size;
	}
	errno = 0;
	value = strtoull(word, &end, 10);
	memcpy(field, &value, sizeof(value));
	return !*end && !errno && *word >= '0' && *word <= '9';
}

static bool parse_line(char *row, const struct head *h, char *line)
{
	char *word, *save = NULL;
	size_t i, known = 0;

	for (i = 0; i < COLUMNS_MAX; i++) {
		word = strtok_r(i ? NULL : line, " ", &save);
		if (!word)
			break;
		if (h->order[i] && !parse_word(row, h->order[i], word))
			return false;
		known += !!h->order[i];
	}
	return known == h->n;
}

long table_parse(char *text, const struct table_column *columns, size_t n, size_t row_size,
		 void **rows)
{
	struct head h = { .n = n };
	char *line = split_line(&text), *more;
	long count = 0;

	*rows = NULL;
	if (!line || !parse_head(&h, columns, line))
		goto err_format;
	while ((line = split_line(&text))) {
		if (!(count & (count - 1))) { /* 0, 1, 2, 4, ...: full */
			more = reallocarray(*rows, count ? count * 2 : 1, row_size);
			if (!more)
				goto err_memory;
			*rows = more;
		}
		more = (char *)*rows + count * row_size;
		memset(more, 0, row_size);
		if (!parse_line(more, &h, line))
			goto err_format;
		count++;
	}
	return count;

err_format:
	errno = EPROTO;
err_memory:
	free(*rows);
	*rows = NULL;
	return -1;
}
