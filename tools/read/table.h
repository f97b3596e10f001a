/* SPDX-License-Identifier: GPL-2.0-only */
/* Parses a file of lines of words, whose first line names the columns. */
#ifndef FINACK_TABLE_H
#define FINACK_TABLE_H

#include <stddef.h>

/**
 * struct table_column - where the words of a column go
 * @name: as in the head line
 * @offset: of the field in a row
 * @size: of the field if it is text, 0 for a number (uint64_t)
 */
struct table_column {
	const char *name;
	size_t offset;
	size_t size;
};

#define TABLE_TEXT(_row, _field) \
	{ #_field, offsetof(_row, _field), sizeof(((_row *)NULL)->_field) }
#define TABLE_NUMBER(_row, _field) { #_field, offsetof(_row, _field), 0 }

/**
 * table_parse() - parse such a text
 * @text: the text, which is modified
 * @columns: those that have to be there, in any order; others are skipped
 * @n: how many
 * @row_size: the size of a row
 * @rows: set to the rows, to be freed; NULL if there are none
 *
 * Return: how many rows, or -1 with errno.
 */
long table_parse(char *text, const struct table_column *columns, size_t n, size_t row_size,
		 void **rows);

#endif
