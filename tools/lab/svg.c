// SPDX-License-Identifier: GPL-2.0-only
/* The ladder as a picture. */
#include <stdlib.h>
#include <string.h>

#include "ladder.h"

/* all in pixels */
#define WIDTH	1060
#define CLIENT	390	/* x of the two sides */
#define SERVER	730
#define TIME	100	/* right edge of the times */
#define TOP	120
#define ROW	26
#define FALL	8	/* a segment arrives so much lower than it left */
#define CALL	38	/* characters that fit beside a side */
#define FOOT	135	/* characters that fit above and below the ladder */

static const char style[] =
	"<style>\n"
	"text{font:13px 'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#222}\n"
	".title{font:bold 18px 'DejaVu Sans',Helvetica,Arial,sans-serif}\n"
	".claim{font:14px 'DejaVu Sans',Helvetica,Arial,sans-serif;fill:#444}\n"
	".side{font-weight:bold;text-anchor:middle}\n"
	".time{fill:#888;text-anchor:end}\n"
	".call{fill:#1a6b7a}\n"
	".left{text-anchor:end}\n"
	".fails{fill:#b00020}\n"
	".seg{text-anchor:middle}\n"
	"line{stroke:#333;stroke-width:1.5}\n"
	".again{stroke-dasharray:6 4}\n"
	".life{stroke:#bbb;stroke-width:2}\n"
	".fin{stroke:#c77700}\n"
	".rst{stroke:#b00020}\n"
	"</style>\n"
	"<defs>\n"
	"<marker id=\"a\" markerWidth=\"9\" markerHeight=\"8\" refX=\"8\" refY=\"4\" orient=\"auto\">"
	"<path d=\"M0,0L9,4L0,8z\" fill=\"#333\"/></marker>\n"
	"<marker id=\"f\" markerWidth=\"9\" markerHeight=\"8\" refX=\"8\" refY=\"4\" orient=\"auto\">"
	"<path d=\"M0,0L9,4L0,8z\" fill=\"#c77700\"/></marker>\n"
	"<marker id=\"r\" markerWidth=\"9\" markerHeight=\"8\" refX=\"8\" refY=\"4\" orient=\"auto\">"
	"<path d=\"M0,0L9,4L0,8z\" fill=\"#b00020\"/></marker>\n"
	"</defs>\n";

/* at most @max characters */
static void put_text(FILE *f, int x, int y, const char *class, const char *text, int max)
{
	bool cut = (int)strlen(text) > max;
	int left = cut ? max - 3 : max;

	fprintf(f, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	for (; *text && left; text++, left--) {
		switch (*text) {
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '&':
			fputs("&amp;", f);
			break;
		default:
			putc(*text, f);
		}
	}
	fprintf(f, "%s</text>\n", cut ? "..." : "");
}

static void put_segment(FILE *f, const struct rung *g, int y)
{
	const bool rst = g->seg->flags & WIRE_RST, fin = g->seg->flags & WIRE_FIN;
	const bool right = g->side == LAB_CLIENT;

	fprintf(f, "<line class=\"%s%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" "
		"marker-end=\"url(#%c)\"/>\n",
		rst ? "rst" : fin ? "fin" : "ack", g->seg->again ? " again" : "",
		right ? CLIENT : SERVER, y - FALL / 2,
		right ? SERVER - 2 : CLIENT + 2, y + FALL / 2, rst ? 'r' : fin ? 'f' : 'a');
	put_text(f, (CLIENT + SERVER) / 2, y - 8, "seg", g->text, CALL);
}

static void put_rung(FILE *f, const struct rung *g, int y)
{
	char time[32];

	snprintf(time, sizeof(time), "%.3f ms", g->ns / 1e6);
	put_text(f, TIME, y + 4, "time", time, CALL);
	if (g->seg)
		put_segment(f, g, y);
	else if (g->side == LAB_CLIENT)
		put_text(f, CLIENT - 10, y + 4, "call left", g->text, CALL);
	else
		put_text(f, SERVER + 10, y + 4, "call", g->text, CALL);
}

static void put_life(FILE *f, int x, int bottom, const char *name)
{
	fprintf(f, "<line class=\"life\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", x, TOP - 20,
		x, bottom);
	put_text(f, x, TOP - 28, "side", name, CALL);
}

/* what came of it */
static const char *came(const struct lab_result *r, char text[60])
{
	if (!r->conn || r->close.active < 0)
		return "no FIN";
	snprintf(text, 60, "%zu segments, %s", r->close.segments,
		 wire_outcome_name(r->close.outcome));
	return text;
}

/* the claim, if that is what the drawing shows; else what was run and what came of it */
static void put_head(FILE *f, const struct lab_result *r)
{
	char settings[400], result[60], text[500];

	snprintf(text, sizeof(text), "%s (%s)", r->e->name, lab_family_name[r->o->family]);
	put_text(f, 20, 30, "title", text, FOOT);
	lab_settings(r->o, ", ", settings, sizeof(settings));
	snprintf(text, sizeof(text), "%s%s: %s", *settings ? "with " : "with its own settings",
		 settings, came(r, result));
	put_text(f, 20, 54, "claim", lab_why(r) ? r->e->claim : text, FOOT);
}

static void put_foot(FILE *f, const struct lab_result *r, int y)
{
	char result[60], text[700];

	if (lab_why(r))
		snprintf(text, sizeof(text), "%s: %s", came(r, result), lab_why(r));
	else if (lab_verdict(r) == LAB_HOLDS)
		snprintf(text, sizeof(text), "Wire%s and application agree.",
			 r->have_counters ? ", counters" : "");
	else if (lab_verdict(r) == LAB_INCONCLUSIVE)
		snprintf(text, sizeof(text), "Inconclusive: %s", r->doubt);
	else
		snprintf(text, sizeof(text), "%s: %s", r->o->changed ?
			 "Wire, counters and application do not agree" :
			 "The claim does not hold", r->problem);
	put_text(f, 20, y, *r->problem ? "claim fails" : "claim", text, FOOT);
}

void svg_print(const struct lab_result *r, FILE *f)
{
	struct ladder *l = ladder_make(r);
	char text[120];
	int bottom;
	size_t i;

	if (!l)
		return;
	bottom = TOP + (int)l->n * ROW;
	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%1$d\" height=\"%2$d\" "
		"viewBox=\"0 0 %1$d %2$d\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n%3$s",
		WIDTH, bottom + 60, style);
	put_head(f, r);
	put_life(f, CLIENT, bottom, "client");
	snprintf(text, sizeof(text), "server :%u", LAB_PORT);
	put_life(f, SERVER, bottom, text);
	for (i = 0; i < l->n; i++)
		put_rung(f, &l->rung[i], TOP + (int)i * ROW);
	put_foot(f, r, bottom + 26);
	fputs("</svg>\n", f);
	free(l);
}
