/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A close as a ladder: the client is on the left, the server on the right, and time runs down from
 * the first segment. It shows relative sequence numbers, and the calls of both sides.
 */
#ifndef FINACK_LADDER_H
#define FINACK_LADDER_H

#include <stdio.h>

#include "lab.h"

#define RUNGS_MAX 400

/**
 * struct rung - a line of the ladder
 * @ns: since the first segment that is drawn
 * @side: who sends or calls
 * @seg: the segment, or NULL
 * @text: flags and numbers of the segment, or the call and what it returned
 */
struct rung {
	int64_t ns;
	enum lab_side side;
	const struct wire_seg *seg;
	char text[100];
};

/**
 * struct ladder - what is drawn
 * @rung: in order of time
 * @n: how many
 * @left_out: how many more there were
 */
struct ladder {
	struct rung rung[RUNGS_MAX];
	size_t n;
	size_t left_out;
};

/** ladder_make() - Return: the ladder of a result, to be freed; NULL if memory is short */
struct ladder *ladder_make(const struct lab_result *r);

/** ladder_flags() - write the flags of a segment, as in "FIN+ACK"; Return: @text */
char *ladder_flags(const struct wire_seg *s, char text[20]);

/** ladder_seq() - Return: a sequence number of a side, relative to that of its first segment */
uint32_t ladder_seq(const struct wire_conn *c, int side, uint32_t seq);

/**
 * ladder_print() - draw the close in text
 * @r: what an experiment showed
 * @f: where to write
 * @color: with terminal colours
 * @columns: how wide it may be; 40 to 80 are used
 */
void ladder_print(const struct lab_result *r, FILE *f, bool color, int columns);

/** svg_print() - draw the close as SVG */
void svg_print(const struct lab_result *r, FILE *f);

#endif
