// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "waiting.h"

#define COLUMNS_MAX 32

/**
 * struct column - where a word of that column goes
 * @name: as in the head line
 * @offset: of the field
 * @size: of the field if it is text, 0 for a number
 */
struct column {
	const char *name;
	size_t offset;
	size_t size;
};

#define TEXT(_field) { #_field, offsetof(struct waiter, _field), \
		       sizeof(((struct waiter *)NULL)->_field) }
#define NUMBER(_field) { #_field, offsetof(struct waiter, _field), 0 }

static const struct column columns[] = {
	NUMBER(age_ms), TEXT(family), TEXT(local), NUMBER(lport), TEXT(remote), NUMBER(rport),
	TEXT(ack), NUMBER(unread), NUMBER(uid), NUMBER(inode),
};

#define COLUMNS (sizeof(columns) / sizeof(*columns))

static const struct column *find(const char *name)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		if (!strcmp(columns[i].name, name))
			return &columns[i];
	return NULL;
}

/* Finds the column of each word of the head line; NULL for columns of a later version. */
static bool parse_head(const struct column *order[COLUMNS_MAX], char *line)
{
	char *word, *save = NULL;
	size_t i = 0, known = 0;

	while (i < COLUMNS_MAX && (word = strtok_r(i ? NULL : line, " ", &save))) {
		order[i] = find(word);
		known += !!order[i++];
	}
	for (; i < COLUMNS_MAX; i++)
		order[i] = NULL;
	return known == COLUMNS;
}

static bool parse_word(struct waiter *w, const struct column *c, const char *word)
{
	char *field = (char *)w + c->offset, *end;
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

static bool parse_line(struct waiter *w, const struct column *order[COLUMNS_MAX], char *line)
{
	char *word, *save = NULL;
	size_t i, known = 0;

	memset(w, 0, sizeof(*w));
	for (i = 0; i < COLUMNS_MAX; i++) {
		word = strtok_r(i ? NULL : line, " ", &save);
		if (!word)
			break;
		if (order[i] && !parse_word(w, order[i], word))
			return false;
		known += !!order[i];
	}
	return known == COLUMNS;
}

static int compare(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	if (x->age_ms != y->age_ms)
		return x->age_ms > y->age_ms ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

int waiting_parse(struct waiting *w, char *text)
{
	const struct column *order[COLUMNS_MAX];
	char *line = split_line(&text);
	struct waiter *more;

	memset(w, 0, sizeof(*w));
	if (!line || !parse_head(order, line))
		goto err_format;
	while ((line = split_line(&text))) {
		if (!(w->n & (w->n - 1))) { /* 0, 1, 2, 4, ...: full */
			more = reallocarray(w->row, w->n ? w->n * 2 : 1, sizeof(*more));
			if (!more)
				goto err_memory;
			w->row = more;
		}
		if (!parse_line(&w->row[w->n], order, line))
			goto err_format;
		w->n++;
	}
	if (w->n)
		qsort(w->row, w->n, sizeof(*w->row), compare);
	return 0;

err_format:
	errno = EPROTO;
err_memory:
	free(w->row);
	memset(w, 0, sizeof(*w));
	return -1;
}

int waiting_read(struct waiting *w)
{
	char *text = file_read(WAITING_FILE);
	int rc;

	memset(w, 0, sizeof(*w));
	if (!text)
		return -1;
	rc = waiting_parse(w, text);
	free(text);
	return rc;
}

void waiting_free(struct waiting *w)
{
	free(w->row);
	memset(w, 0, sizeof(*w));
}
