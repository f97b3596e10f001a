/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a trace event of finack as the kernel's text: the names of fields, outcomes and reasons
 * come from the event. It is read through a tracing instance of our own, so that no other
 * tracing is disturbed.
 */
#ifndef FINACK_TRACE_READER_H
#define FINACK_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_FIELDS_MAX 32

/** struct event_field - "key=value" */
struct event_field {
	const char *key;
	const char *value;
};

/**
 * struct event - a line of trace_pipe
 * @us: when, by the monotonic clock
 * @n: how many fields, 0 if it is not an event
 * @field: the fields
 * @lost: events that were lost before this line
 */
struct event {
	uint64_t us;
	size_t n;
	struct event_field field[EVENT_FIELDS_MAX];
	uint64_t lost;
};

/** event_parse() - parse a line, which is modified; Return: whether it has an event or a loss */
bool event_parse(struct event *e, char *line);
/** event_get() - Return: the value of a field, "" if there is none */
const char *event_get(const struct event *e, const char *key);

/**
 * event_symbol() - the number that stands for a word, from the event's format
 * @format: the text of its file "format"
 * @field: the field whose words to search
 * @word: the word to look up
 * @names: set to all words of that field, with a space after each
 * @size: of @names
 *
 * Return: the number, -1 if there is no such word.
 */
long event_symbol(const char *format, const char *field, const char *word, char *names,
		  size_t size);

/**
 * struct trace - an instance of tracefs
 * @dir: its folder, empty if there is none
 * @event: the folder of the event in it
 * @fd: trace_pipe, not blocking
 */
struct trace {
	char dir[128];
	char event[192];
	int fd;
};

/** trace_format() - Return: the event's format, to be freed; NULL if stderr says why not */
char *trace_format(const char *event);
/** trace_open() - trace the event where @filter passes; Return: false if stderr says why not */
bool trace_open(struct trace *t, const char *event, const char *filter);
/** trace_alive() - whether the event is still there */
bool trace_alive(const struct trace *t);
/** trace_close() - remove the instance */
void trace_close(struct trace *t);

#endif
