/* SPDX-License-Identifier: GPL-2.0-only */
/* What an experiment showed, in words or as JSON. */
#ifndef FINACK_REPORT_H
#define FINACK_REPORT_H

#include "lab/lab.h"
#include "out.h"

/** report() - print a result, with its ladder; an object in JSON */
void report(struct out *o, const struct lab_result *r);

/** report_list() - list all experiments */
void report_list(struct out *o);

#endif
