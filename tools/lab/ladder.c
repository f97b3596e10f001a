// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draws a close as a ladder: time from its first segment, the client left, the server right, relative
 * sequence numbers, and what the two sides did in between. 80 columns.
 */
#include <arpa/inet.h>
#include <string.h>

#include "lab.h"

#define RUNG 40		/* columns between the two sides */
#define BEFORE_NS 2000000 /* what led to the first segment that is drawn */

/* what tells sides and segments apart on a terminal */
struct ink {
	const char *fin;
	const char *rst;
	const char *call;
	const char *off;
};

static const struct ink plain = { "", "", "", "" };
static const struct ink colored = { "\033[1;33m", "\033[1;31m", "\033[36m", "\033[0m" };

static void flags_text(const struct wire_seg *s, char *text)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} names[] = {
		{ WIRE_SYN, "SYN" }, { WIRE_FIN, "FIN" }, { WIRE_RST, "RST" }, { WIRE_ACK, "ACK" },
	};
	size_t i;

	*text = 0;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (s->flags & names[i].flag)
			sprintf(text + strlen(text), "%s%s", *text ? "+" : "", names[i].name);
}

/* the first sequence number of a side: its SYN's */
static uint32_t isn(const struct wire_conn *c, int side)
{
	size_t i;

	for (i = 0; i < c->n && c->seg[i].side != side; i++)
		;
	return i < c->n ? c->seg[i].seq : 0;
}

static void print_time(FILE *f, int64_t ns)
{
	fprintf(f, "%9.3f ms ", ns / 1e6);
}

static void print_segment(FILE *f, const struct ink *ink, const struct wire_conn *c,
			  const struct wire_seg *s, uint64_t zero)
{
	const char *on = s->flags & WIRE_RST ? ink->rst : s->flags & WIRE_FIN ? ink->fin : "";
	char flags[20], text[64], line[RUNG + 1];
	int n, len;

	flags_text(s, flags);
	n = snprintf(text, sizeof(text), " %s seq=%u", flags, s->seq - isn(c, s->side));
	if (s->flags & WIRE_ACK)
		n += snprintf(text + n, sizeof(text) - n, " ack=%u", s->ack - isn(c, !s->side));
	if (s->len)
		n += snprintf(text + n, sizeof(text) - n, " len=%u", s->len);
	n += snprintf(text + n, sizeof(text) - n, "%s ", s->again ? " (again)" : "");
	len = n < RUNG - 3 ? n : RUNG - 3;
	memset(line, '-', RUNG);
	line[RUNG] = 0;
	if (s->side == 0) {
		memcpy(line + 1, text, len);
		line[RUNG - 1] = '>';
	} else {
		memcpy(line + RUNG - 1 - len, text, len);
		line[0] = '<';
	}
	print_time(f, s->ns - zero);
	fprintf(f, "|%s%s%s|\n", on, line, *on ? ink->off : "");
}

static void print_note(FILE *f, const struct ink *ink, const struct note *n, uint64_t zero)
{
	print_time(f, n->ns - zero);
	if (n->server)
		fprintf(f, "|%*s| %s%s%s\n", RUNG, "", ink->call, n->text, ink->off);
	else
		fprintf(f, "| %s%-*s%s|\n", ink->call, RUNG - 1, n->text, ink->off);
}

static const struct note *next_note(const struct lab_result *r, const struct note *last)
{
	const struct note *n = last ? last + 1 : r->shared->note;
	int count = atomic_load(&r->shared->notes);

	return n < r->shared->note + (count < NOTES_MAX ? count : NOTES_MAX) ? n : NULL;
}

/* Return: index of the segment that the drawing begins with */
static size_t first_segment(const struct lab_result *r)
{
	const struct wire_conn *c = r->conn;
	size_t i, left = r->e->from_data;

	if (r->close.active < 0)
		return 0;
	for (i = r->close.fin; left && i; i--)
		left -= c->seg[i - 1].side == LAB_CLIENT && c->seg[i - 1].len;
	return i;
}

void ladder_print(const struct lab_result *r, FILE *f, bool color)
{
	const struct ink *ink = color ? &colored : &plain;
	const struct wire_conn *c = r->conn;
	const struct note *n = NULL;
	uint64_t zero, from;
	size_t i;

	if (!c || !c->n)
		return;
	i = first_segment(r);
	zero = c->seg[i].ns;
	from = i ? zero - BEFORE_NS : 0;
	do
		n = next_note(r, n);
	while (n && n->ns < from);
	fprintf(f, "%12s client :%-5u%*s server :%u\n", "", c->port[0], RUNG - 14, "", c->port[1]);
	while (i < c->n || n) {
		if (n && (i == c->n || n->ns <= c->seg[i].ns)) {
			print_note(f, ink, n, zero);
			n = next_note(r, n);
		} else {
			print_segment(f, ink, c, &c->seg[i++], zero);
		}
	}
}
