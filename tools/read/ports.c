// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "ports.h"
#include "table.h"

#define TEXT(_field) TABLE_TEXT(struct port_row, _field)
#define NUMBER(_field) TABLE_NUMBER(struct port_row, _field)

static const struct table_column columns[] = {
	TEXT(port), TEXT(side), NUMBER(passive), NUMBER(merged), NUMBER(separate), NUMBER(unacked),
	NUMBER(close_wait), NUMBER(timer_ack), NUMBER(stalls), NUMBER(stall_ms),
	NUMBER(peer_stalls), NUMBER(peer_stall_ms), NUMBER(credit), NUMBER(quick_acks),
	NUMBER(held),
};

#define COLUMNS (sizeof(columns) / sizeof(*columns))

int ports_parse(struct ports *p, char *text)
{
	void *rows;
	long n = table_parse(text, columns, COLUMNS, sizeof(*p->row), &rows);

	memset(p, 0, sizeof(*p));
	if (n < 0)
		return -1;
	p->row = rows;
	p->n = n;
	return 0;
}

int ports_read(struct ports *p)
{
	char *text = file_read(PORTS_FILE);
	int rc;

	memset(p, 0, sizeof(*p));
	if (!text)
		return -1;
	rc = ports_parse(p, text);
	free(text);
	return rc;
}

static uint64_t *number_of(struct port_row *row, const struct table_column *c)
{
	return (void *)((char *)row + c->offset);
}

/* what is, and not what was counted */
static bool is_gauge(const struct table_column *c)
{
	return !strcmp(c->name, "close_wait") || !strcmp(c->name, "credit");
}

static void sub_row(struct port_row *row, const struct port_row *before)
{
	struct port_row b = *before;
	size_t c;

	for (c = 0; c < COLUMNS; c++)
		if (!columns[c].size && !is_gauge(&columns[c]))
			*number_of(row, &columns[c]) -= *number_of(&b, &columns[c]);
}

void ports_sub(struct ports *p, const struct ports *before)
{
	size_t i, j;

	for (i = 0; i < p->n; i++)
		for (j = 0; j < before->n; j++)
			if (!strcmp(p->row[i].port, before->row[j].port) &&
			    !strcmp(p->row[i].side, before->row[j].side)) {
				sub_row(&p->row[i], &before->row[j]);
				break;
			}
}

void ports_sum(struct port_row *sum, const struct port_row *row)
{
	struct port_row r = *row;
	size_t c;

	for (c = 0; c < COLUMNS; c++)
		if (!columns[c].size)
			*number_of(sum, &columns[c]) += *number_of(&r, &columns[c]);
}

bool port_is_service(const struct port_row *row)
{
	return strcmp(row->side, "-");
}

void ports_free(struct ports *p)
{
	free(p->row);
	memset(p, 0, sizeof(*p));
}
