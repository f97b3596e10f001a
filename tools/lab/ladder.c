// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "ladder.h"

#define WIDTH	65	/* columns between the two sides */
#define NARROW	25	/* on a terminal of 40 columns */
#define REST	15	/* columns of times and sides */
#define SIDES	24	/* columns of their names */
#define BEFORE_NS 2000000 /* draw calls so long before the first segment, too */

/* colours of FINs, RSTs and calls on a terminal */
struct ink {
	const char *fin;
	const char *rst;
	const char *call;
	const char *off;
};

static const struct ink plain = { "", "", "", "" };
static const struct ink colored = { "\033[1;33m", "\033[1;31m", "\033[36m", "\033[0m" };

char *ladder_flags(const struct wire_seg *s, char text[20])
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
	return text;
}

uint32_t ladder_seq(const struct wire_conn *c, int side, uint32_t seq)
{
	size_t i;

	for (i = 0; i < c->n && c->seg[i].side != side; i++)
		;
	return i < c->n ? seq - c->seg[i].seq : seq;
}

static void segment_text(const struct wire_conn *c, const struct wire_seg *s, char *text,
			 size_t size)
{
	char flags[20];
	int n;

	n = snprintf(text, size, "%s seq=%u", ladder_flags(s, flags),
		     ladder_seq(c, s->side, s->seq));
	if (s->flags & WIRE_ACK)
		n += snprintf(text + n, size - n, " ack=%u", ladder_seq(c, !s->side, s->ack));
	if (s->len)
		n += snprintf(text + n, size - n, " len=%u", s->len);
	snprintf(text + n, size - n, "%s", s->again ? " (again)" : "");
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

static struct rung *add(struct ladder *l, uint64_t ns, uint64_t zero, int side)
{
	struct rung *rung = &l->rung[l->n];

	if (l->n == RUNGS_MAX) {
		l->left_out++;
		return NULL;
	}
	l->n++;
	rung->ns = ns - zero;
	rung->side = side;
	return rung;
}

struct ladder *ladder_make(const struct lab_result *r)
{
	int k = 0, notes = atomic_load(&r->shared->notes);
	struct ladder *l = calloc(1, sizeof(*l));
	const struct wire_conn *c = r->conn;
	const struct note *note = r->shared->note;
	uint64_t zero, from;
	struct rung *rung;
	size_t i;

	if (!l || !c || !c->n)
		return l;
	i = first_segment(r);
	zero = c->seg[i].ns;
	from = i ? zero - BEFORE_NS : 0;
	notes = notes < NOTES_MAX ? notes : NOTES_MAX;
	while (k < notes && note[k].ns < from)
		k++;
	while (i < c->n || k < notes) {
		if (k < notes && (i == c->n || note[k].ns <= c->seg[i].ns)) {
			rung = add(l, note[k].ns, zero, note[k].server ? LAB_SERVER : LAB_CLIENT);
			if (rung)
				snprintf(rung->text, sizeof(rung->text), "%s", note[k].text);
			k++;
		} else {
			rung = add(l, c->seg[i].ns, zero, c->seg[i].side);
			if (rung) {
				rung->seg = &c->seg[i];
				segment_text(c, rung->seg, rung->text, sizeof(rung->text));
			}
			i++;
		}
	}
	return l;
}

/* Return: how many bytes of @text fit into @room; a line ends before a space or after a bracket */
static int fits(const char *text, int room)
{
	int n, len = strlen(text);

	if (len <= room)
		return len;
	for (n = room; n && text[n] != ' ' && text[n - 1] != '('; n--)
		;
	return n ? n : room;
}

/* print @n bytes of @text next to the side they belong to, on an arrow or below it */
static void print_line(FILE *f, const struct rung *g, const char *text, int n, bool arrow,
		       int width)
{
	const bool client = g->side == LAB_CLIENT;
	char padded[112], line[WIDTH + 1];
	int len = snprintf(padded, sizeof(padded), " %.*s ", n, text);

	memset(line, arrow ? '-' : ' ', width);
	line[width] = 0;
	if (arrow)
		line[client ? width - 1 : 0] = client ? '>' : '<';
	memcpy(line + (client ? arrow : width - len - arrow), padded, len);
	fputs(line, f);
}

static void print_rung(FILE *f, const struct ink *ink, const struct rung *g, int width)
{
	const char *text = g->text, *on = !g->seg ? ink->call :
			   g->seg->flags & WIRE_RST ? ink->rst :
			   g->seg->flags & WIRE_FIN ? ink->fin : "";
	bool first = true;
	int n;

	fprintf(f, "%9.3f ms ", g->ns / 1e6);
	while (first || *text) {
		n = fits(text, width - (g->seg ? 5 : 2));
		fprintf(f, "%*s|%s", first ? 0 : 13, "", on);
		print_line(f, g, text, n, g->seg && first, width);
		fprintf(f, "%s|\n", *on ? ink->off : "");
		text += n;
		text += *text == ' ';
		first = false;
	}
}

void ladder_print(const struct lab_result *r, FILE *f, bool color, int columns)
{
	const int width = columns >= WIDTH + REST ? WIDTH :
			  columns <= NARROW + REST ? NARROW : columns - REST;
	const struct ink *ink = color ? &colored : &plain;
	struct ladder *l = ladder_make(r);
	size_t i;

	if (!l || !l->n) {
		free(l);
		return;
	}
	fprintf(f, "%12s client :%-5u%*s server :%u\n", "", r->conn->port[0],
		width > SIDES ? width - SIDES : 0, "", r->conn->port[1]);
	for (i = 0; i < l->n; i++)
		print_rung(f, ink, &l->rung[i], width);
	if (l->left_out)
		fprintf(f, "%13s %zu more\n", "", l->left_out);
	free(l);
}
