// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "ladder.h"

#define WIDTH 65	/* columns between the two sides: with time and sides 80 */
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

static void segment_text(const struct wire_conn *c, const struct wire_seg *s, char *text, size_t size)
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

static void print_segment(FILE *f, const struct ink *ink, const struct rung *g)
{
	const char *on = g->seg->flags & WIRE_RST ? ink->rst :
			 g->seg->flags & WIRE_FIN ? ink->fin : "";
	char text[112], line[WIDTH + 1];
	int n = snprintf(text, sizeof(text), " %s ", g->text);

	n = n < WIDTH - 3 ? n : WIDTH - 3;
	memset(line, '-', WIDTH);
	line[WIDTH] = 0;
	if (g->side == LAB_CLIENT) {
		memcpy(line + 1, text, n);
		line[WIDTH - 1] = '>';
	} else {
		memcpy(line + WIDTH - 1 - n, text, n);
		line[0] = '<';
	}
	fprintf(f, "|%s%s%s|\n", on, line, *on ? ink->off : "");
}

void ladder_print(const struct lab_result *r, FILE *f, bool color)
{
	const struct ink *ink = color ? &colored : &plain;
	struct ladder *l = ladder_make(r);
	const struct rung *g;
	size_t i;

	if (!l || !l->n) {
		free(l);
		return;
	}
	fprintf(f, "%12s client :%-5u%*s server :%u\n", "", r->conn->port[0], WIDTH - 27, "",
		r->conn->port[1]);
	for (i = 0; i < l->n; i++) {
		g = &l->rung[i];
		fprintf(f, "%9.3f ms ", g->ns / 1e6);
		if (g->seg)
			print_segment(f, ink, g);
		else if (g->side == LAB_CLIENT)
			fprintf(f, "| %s%-*.*s%s|\n", ink->call, WIDTH - 1, WIDTH - 1, g->text, ink->off);
		else
			fprintf(f, "|%s%*.*s%s |\n", ink->call, WIDTH - 1, WIDTH - 1, g->text, ink->off);
	}
	if (l->left_out)
		fprintf(f, "%13s %zu more\n", "", l->left_out);
	free(l);
}
