/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands. argv[0] is the command's own word; each returns the exit status. */
#ifndef FINACK_CMD_H
#define FINACK_CMD_H

#include <stdio.h>

#include "ctx.h"
#include "read/hist.h"

struct knobs;

/** knob_print() - print a control and its value */
void knob_print(struct ctx *ctx, const char *name, const char *value);

/** knob_unknown() - say that there is no such control, and which there are; Return: MISUSE */
int knob_unknown(const struct knobs *k, const char *name);

/** quantile_print() - print between which bounds a quantile of some delays lies, as "<= 65.5 ms" */
void quantile_print(struct ctx *ctx, const char *key, int width, const struct hist *h, double q);

int show_main(struct ctx *ctx, int argc, char **argv);
int hist_main(struct ctx *ctx, int argc, char **argv);
int ports_main(struct ctx *ctx, int argc, char **argv);
int waiting_main(struct ctx *ctx, int argc, char **argv);
int watch_main(struct ctx *ctx, int argc, char **argv);
int stalls_main(struct ctx *ctx, int argc, char **argv);
int get_main(struct ctx *ctx, int argc, char **argv);
int set_main(struct ctx *ctx, int argc, char **argv);
int why_main(struct ctx *ctx, int argc, char **argv);
int doctor_main(struct ctx *ctx, int argc, char **argv);
int lab_main(struct ctx *ctx, int argc, char **argv);
void lab_usage(FILE *f);

#endif
