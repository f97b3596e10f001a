/* SPDX-License-Identifier: GPL-2.0-only */
/* What an experiment showed, in words or as JSON. */
#ifndef FINACK_REPORT_H
#define FINACK_REPORT_H

#include "lab/lab.h"
#include "out.h"

/**
 * struct tally - what came of several experiments
 * @verdict: how many ended with each
 * @not_run: how many could not be run
 */
struct tally {
	unsigned int verdict[LAB_INCONCLUSIVE + 1];
	unsigned int not_run;
};

/** report() - print a result, with its ladder; an object in JSON */
void report(struct out *o, const struct lab_result *r);

/** report_tally() - print it, in text alone, if there were two experiments or more */
void report_tally(struct out *o, const struct tally *t);

/** report_list() - list all experiments */
void report_list(struct out *o);

#endif
