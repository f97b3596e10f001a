/* SPDX-License-Identifier: GPL-2.0-only */
/* Options of a command line. -x, -word and --word are the same, as in iproute2. */
#ifndef FINACK_OPTION_H
#define FINACK_OPTION_H

#include <stdbool.h>

/**
 * struct option - a row per option; the last has no name
 * @brief: its short spelling, or NULL
 * @name: its long spelling
 * @flag: set to true if the option is given, or NULL
 * @arg: where to store its value, the next word or what follows "="; NULL if it takes none
 * @kind: for the owner of the table
 */
struct option {
	const char *brief;
	const char *name;
	bool *flag;
	const char **arg;
	unsigned int kind;
};

/** option_is() - Return: whether @word is an option */
bool option_is(const char *word);

/**
 * option_find() - look up an option
 * @rows: the table
 * @word: the option as it was given
 * @not: bits of the kinds to skip
 *
 * Return: its row, or NULL if there is none.
 */
const struct option *option_find(const struct option *rows, const char *word, unsigned int not);

/**
 * option_take() - set the flag of an option, and store its value
 * @o: its row
 * @argv: the command line, up to a NULL
 * @i: index of the option; moved on to its value if that is the next word
 *
 * Return: OK; MISUSE if a value is missing, which stderr says.
 */
int option_take(const struct option *o, char **argv, int *i);

#endif
