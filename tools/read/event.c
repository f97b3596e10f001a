// SPDX-License-Identifier: GPL-2.0-only
/* Parses the text of a trace event. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define EVENT_TAG ": finack_"

/* "CPU:1 [LOST 12 EVENTS]"; without a number where the kernel does not know it */
static bool parse_lost(struct event *e, const char *line)
{
	const char *lost = strstr(line, "[LOST ");

	if (strncmp(line, "CPU:", 4) || !lost)
		return false;
	e->lost = strtoull(lost + 6, NULL, 10);
	if (!e->lost)
		e->lost = 1;
	return true;
}

/* "  closer-123   [000] ..s1.   12.345678" ends with the time */
static uint64_t parse_time(const char *head)
{
	const char *word = strrchr(head, ' ');
	char *end;
	uint64_t s = word ? strtoull(word + 1, &end, 10) : 0;

	return !word || *end != '.' ? 0 : s * 1000000 + strtoull(end + 1, NULL, 10);
}

bool event_parse(struct event *e, char *line)
{
	char *tag = NULL, *next = line, *word, *save = NULL, *eq;

	memset(e, 0, sizeof(*e));
	if (parse_lost(e, line))
		return true;
	while ((next = strstr(next, EVENT_TAG))) /* the last one: a process may have any name */
		tag = next++;
	if (!tag)
		return false;
	*tag = '\0';
	e->us = parse_time(line);
	word = strtok_r(tag + strlen(EVENT_TAG), "\n ", &save); /* "close:" */
	for (; word && e->n < EVENT_FIELDS_MAX; word = strtok_r(NULL, "\n ", &save)) {
		eq = strchr(word, '=');
		if (!eq || eq == word)
			continue;
		*eq = '\0';
		e->field[e->n++] = (struct event_field){ word, eq + 1 };
	}
	return e->n;
}

const char *event_get(const struct event *e, const char *key)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (!strcmp(e->field[i].key, key))
			return e->field[i].value;
	return "";
}

/* print fmt: ... __print_symbolic(REC->outcome, { 0, "merged" }, { 1, "separate" }), ... */
long event_symbol(const char *format, const char *field, const char *word, char *names,
		  size_t size)
{
	const char *p = strstr(format, "print fmt:"), *name;
	long value, found = -1;
	char start[80];
	size_t len, n = 0;
	char *end;

	*names = '\0';
	snprintf(start, sizeof(start), "__print_symbolic(REC->%.40s,", field);
	p = p ? strstr(p, start) : NULL;
	if (!p)
		return -1;
	for (p += strlen(start); ; p = name + len + 1) {
		p += strspn(p, " ,}");
		if (*p != '{')
			break;
		value = strtol(p + 1, &end, 0);
		name = end + strspn(end, ", ");
		if (end == p + 1 || *name++ != '"' || !strchr(name, '"'))
			break;
		len = strcspn(name, "\"");
		if (n + len + 2 > size)
			break;
		n += snprintf(names + n, size - n, "%.*s ", (int)len, name);
		if (strlen(word) == len && !strncmp(word, name, len))
			found = value;
	}
	return found;
}
