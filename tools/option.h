/* SPDX-License-Identifier: GPL-2.0-only */
/* Options of a command line. -x, -word and --word are the same, as in iproute2. */
#ifndef FINACK_OPTION_H
#define FINACK_OPTION_H

#include <stdbool.h>

/**
 * struct option - a row per option; the last has no name
 * @brief: its short spelling, or NULL
 * @name: its long one
 * @flag: set if the option is there, or NULL
 * @arg: the word that follows, or what is behind "=", is stored there; NULL if there is none
 * @kind: for who reads the row
 */
struct option {
	const char *brief;
	const char *name;
	bool *flag;
	const char **arg;
	unsigned int kind;
};

/** option_is() - whether it is one, and no word */
bool option_is(const char *word);

/**
 * option_find() - look up an option
 * @rows: see there
 * @word: as it was given
 * @not: kinds that are passed over
 *
 * Return: NULL if there is none.
 */
const struct option *option_find(const struct option *rows, const char *word, unsigned int not);

/**
 * option_take() - store what an option says
 * @o: its row
 * @argv: the command line, up to a NULL
 * @i: where the option is; moved on to the word that belongs to it
 *
 * Return: OK or MISUSE, which was complained of.
 */
int option_take(const struct option *o, char **argv, int *i);

#endif
