/* SPDX-License-Identifier: GPL-2.0-only */
/* What the experiments show when finack's controls are in use. */
#ifndef FINACK_CONTROLS_H
#define FINACK_CONTROLS_H

#include "lab.h"

#define CONTROL_KNOBS 4

/**
 * struct differs - what a control changes
 * @experiments: names of experiments, separated by spaces
 * @shows: what differs. If there is an outcome, it replaces outcome, segments, ACK time and how
 *	late a side may be; that is also replaced if it is given. Moves
 *	are added or, as in "-SepTimer", taken away; "@" is the control's own counter
 */
struct differs {
	const char *experiments;
	struct shows shows;
};

/**
 * struct control - knobs, set in the server's namespace
 * @name: for people and tests
 * @knobs: "NAME=VALUE", up to a NULL
 * @differs: what differs in the experiments; the first row that names an experiment counts, and
 *	one that no row names shows what it always does
 * @counter: what "@" stands for
 * @only: the experiments it is meant for, NULL for all
 */
struct control {
	const char *name;
	const char *knobs[CONTROL_KNOBS];
	const struct differs *differs[3];
	const char *counter;
	const char *only;
};

extern const struct control controls[];

/**
 * control_shows() - what an experiment shows under a control
 * @c: the control
 * @e: the experiment
 * @s: filled in, refers to @moves
 * @moves: a buffer of @size bytes
 *
 * Return: false if the control is not meant for the experiment.
 */
bool control_shows(const struct control *c, const struct experiment *e, struct shows *s,
		   char *moves, size_t size);

#endif
