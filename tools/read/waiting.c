// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "table.h"
#include "waiting.h"

#define TEXT(_field) TABLE_TEXT(struct waiter, _field)
#define NUMBER(_field) TABLE_NUMBER(struct waiter, _field)

static const struct table_column columns[] = {
	NUMBER(age_ms), TEXT(family), TEXT(local), NUMBER(lport), TEXT(remote), NUMBER(rport),
	TEXT(ack), NUMBER(unread), NUMBER(uid), NUMBER(inode), TEXT(owner),
};

static int compare(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	if (x->age_ms != y->age_ms)
		return x->age_ms > y->age_ms ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

int waiting_parse(struct waiting *w, char *text)
{
	void *rows;
	long n = table_parse(text, columns, sizeof(columns) / sizeof(*columns),
			     sizeof(*w->row), &rows);

	memset(w, 0, sizeof(*w));
	if (n < 0)
		return -1;
	w->row = rows;
	w->n = n;
	if (n)
		qsort(w->row, w->n, sizeof(*w->row), compare);
	return 0;
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
