// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <json-c/json.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out.h"

void out_init(struct out *o)
{
	const char *columns = getenv("COLUMNS");
	struct winsize w;

	o->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (columns && atoi(columns) > 0)
		o->width = atoi(columns);
	else if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col)
		o->width = w.ws_col;
}

int out_columns(const struct out *o)
{
	return o->width ? o->width : 80;
}

bool out_narrow(const struct out *o, int wanted)
{
	return o->width && o->width < wanted && !o->oneline;
}

/* add to the innermost open object or list; the outermost one is printed by out_end() */
static void add(struct out *o, const char *key, struct json_object *value)
{
	struct json_object *parent = o->depth ? o->stack[o->depth - 1] : NULL;

	if (!value && o->depth)
		return;
	if (parent && json_object_is_type(parent, json_type_array))
		json_object_array_add(parent, value);
	else if (parent)
		json_object_object_add(parent, key, value);
}

static void open_level(struct out *o, const char *key, struct json_object *level)
{
	if (!level || o->depth == OUT_DEPTH)
		abort();
	add(o, key, level);
	o->stack[o->depth++] = level;
}

void out_object(struct out *o, const char *key)
{
	if (o->json)
		open_level(o, key, json_object_new_object());
}

void out_list(struct out *o, const char *key)
{
	if (o->json)
		open_level(o, key, json_object_new_array());
}

void out_end(struct out *o)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	struct json_object *top = o->stack[0];

	if (!o->json || --o->depth)
		return;
	if (o->pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	puts(json_object_to_json_string_ext(top, flags));
	json_object_put(top);
	o->stack[0] = NULL;
}

void out_u64(struct out *o, const char *key, int width, uint64_t value)
{
	if (o->json)
		add(o, key, json_object_new_uint64(value));
	else
		printf("%*" PRIu64, width, value);
}

void out_fixed(struct out *o, const char *key, int width, int decimals, double value)
{
	char text[400];

	snprintf(text, sizeof(text), "%.*f", decimals, value);
	if (o->json)
		add(o, key, json_object_new_double_s(value, text));
	else
		printf("%*s", width, text);
}

void out_str(struct out *o, const char *key, int width, const char *value)
{
	if (o->json)
		add(o, key, json_object_new_string(value));
	else
		printf("%*s", width, value);
}

void out_bool(struct out *o, const char *key, bool value)
{
	if (o->json)
		add(o, key, json_object_new_boolean(value));
	else
		fputs(value ? "yes" : "no", stdout);
}

char *out_duration(char *buf, int size, uint64_t us)
{
	if (us < 1000)
		snprintf(buf, size, "%" PRIu64 " us", us);
	else if (us < 1000000)
		snprintf(buf, size, us < 10000 ? "%.2f ms" : "%.1f ms", us / 1e3);
	else if (us < 60 * UINT64_C(1000000))
		snprintf(buf, size, us < 10000000 ? "%.2f s" : "%.1f s", us / 1e6);
	else if (us < 3600 * UINT64_C(1000000))
		snprintf(buf, size, "%.1f min", us / 60e6);
	else if (us < 86400 * UINT64_C(1000000))
		snprintf(buf, size, "%.1f h", us / 3600e6);
	else
		snprintf(buf, size, "%.1f d", us / 86400e6);
	return buf;
}

void out_us(struct out *o, const char *key, int width, uint64_t us)
{
	char text[32];

	if (o->json || o->numeric)
		out_u64(o, key, width, us);
	else
		out_str(o, key, width, out_duration(text, sizeof(text), us));
}

void out_text(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

void out_nl(struct out *o)
{
	if (!o->json)
		putchar(o->oneline ? '\\' : '\n');
	o->unfinished = o->oneline;
}

void out_record(struct out *o)
{
	if (!o->json)
		putchar('\n');
	o->unfinished = false;
}

void out_room(struct out *o, int *column, int indent, int width)
{
	if (!o->json && !o->oneline && o->width && *column > indent &&
	    *column + width > o->width) {
		printf("\n%*s", indent, "");
		*column = indent;
	}
	*column += width;
}

void out_color(struct out *o, enum out_color color)
{
	static const char * const code[] = {
		[OUT_PLAIN] = "\033[0m", [OUT_HEAD] = "\033[1m", [OUT_GOOD] = "\033[32m",
		[OUT_WARN] = "\033[33m", [OUT_BAD] = "\033[31m",
	};

	if (o->color && !o->json)
		fputs(code[color], stdout);
}

/* bytes of the UTF-8 character at @s, 0 if it is none or a control character */
static int utf8_length(const unsigned char *s)
{
	int i, n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 :
		   *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

	if (n == 1)
		return *s >= 0x20 && *s != 0x7f;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* overlong ones, surrogates, C1 controls, beyond Unicode */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90) ||
	    (*s == 0xc2 && s[1] < 0xa0))
		return 0;
	return n;
}

char *out_clean(char *s)
{
	char *p = s;
	int n;

	while (*p) {
		n = utf8_length((unsigned char *)p);
		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
	return s;
}

void out_wrapped(struct out *o, const char *key, int indent, const char *text)
{
	int column = indent, limit = out_columns(o), word;

	if (o->json) {
		add(o, key, json_object_new_string(text));
		return;
	}
	while (*text) {
		word = strcspn(text, " ");
		if (column > indent && column + 1 + word > limit && !o->oneline) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", word, text);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	out_nl(o);
}
