/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers in the words of a command line. */
#ifndef FINACK_WORDS_H
#define FINACK_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/** word_number() - parse a whole number from @least to @most; Return: whether @word is one */
bool word_number(const char *word, uint64_t least, uint64_t most, uint64_t *value);

/** word_seconds() - parse seconds, with decimals; Return: whether @word is a valid value */
bool word_seconds(const char *word, double *value);

#endif
