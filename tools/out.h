/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output: a value is handed over once, with its JSON key and its width in the text. Text is printed
 * as it comes; JSON is built by json-c and printed when the outermost object or list ends.
 */
#ifndef FINACK_OUT_H
#define FINACK_OUT_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;

#define OUT_DEPTH 8

/**
 * struct out - how to print, and where in the JSON we are
 * @json: JSON instead of text
 * @pretty: JSON with indentation
 * @oneline: text with a backslash where lines of a record would end
 * @numeric: plain numbers instead of units and names
 * @color: with terminal colours
 * @utf8: the terminal's character set is UTF-8, which has bars
 * @width: columns of the terminal; 0 if there is none
 * @unfinished: the last line ended with a backslash: the record needs a newline
 * @depth: number of open objects and lists
 * @stack: the open objects and lists
 */
struct out {
	bool json;
	bool pretty;
	bool oneline;
	bool numeric;
	bool color;
	bool utf8;
	int width;
	bool unfinished;
	int depth;
	struct json_object *stack[OUT_DEPTH];
};

/** enum out_color - what a colour stands for */
enum out_color { OUT_PLAIN, OUT_HEAD, OUT_GOOD, OUT_WARN, OUT_BAD };

/** out_init() - find out about stdout: terminal, width, character set */
void out_init(struct out *o);

/** out_columns() - Return: the columns to fill: the terminal's, else 80 */
int out_columns(const struct out *o);

/** out_narrow() - Return: whether there is a terminal, with fewer columns than @wanted */
bool out_narrow(const struct out *o, int wanted);

/* Open and close an object or a list; @key is NULL within a list and at the top. */
void out_object(struct out *o, const char *key);
void out_list(struct out *o, const char *key);
void out_end(struct out *o);

/* A value. Text pads it to @width columns: on the left, or on the right if @width is negative. */
void out_u64(struct out *o, const char *key, int width, uint64_t value);
void out_fixed(struct out *o, const char *key, int width, int decimals, double value);
void out_str(struct out *o, const char *key, int width, const char *value);
void out_bool(struct out *o, const char *key, bool value);
/** out_us() - a duration: microseconds in JSON, with a unit in text */
void out_us(struct out *o, const char *key, int width, uint64_t us);

/** out_text() - print what only the text has: labels, spaces */
void out_text(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** out_nl() - end a line whose record may go on */
void out_nl(struct out *o);
/**
 * out_room() - make room for a piece of a line: begin a new line if the terminal is too narrow
 * @o: how to print
 * @column: current column; moved on by @width
 * @indent: of the new line
 * @width: of the piece, which is to be printed next
 */
void out_room(struct out *o, int *column, int indent, int width);
/** out_record() - end a record and its line */
void out_record(struct out *o);
void out_color(struct out *o, enum out_color color);

/** out_clean() - make control characters and invalid UTF-8 of a string "?"; Return: @s */
char *out_clean(char *s);
/** out_duration() - write microseconds with a unit; Return: @buf */
char *out_duration(char *buf, int size, uint64_t us);
/** out_wrapped() - print a sentence that begins at column @indent, as do its wrapped lines */
void out_wrapped(struct out *o, const char *key, int indent, const char *text);

#endif
