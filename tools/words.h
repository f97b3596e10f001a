/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers in the words of a command line. */
#ifndef FINACK_WORDS_H
#define FINACK_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/** word_number() - a whole number from @least to @most; Return: whether it is one */
bool word_number(const char *word, uint64_t least, uint64_t most, uint64_t *value);

/** word_seconds() - seconds, with decimals; Return: whether they are */
bool word_seconds(const char *word, double *value);

#endif
