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

/**
 * word_near() - the word that was probably meant
 * @word: what was given
 * @names: the right words, with spaces between them
 *
 * Return: "; did you mean 'NAME'?", or "" if none is near. The text stays until the next call.
 */
const char *word_near(const char *word, const char *names);

#endif
