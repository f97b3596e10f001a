// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "ctx.h"
#include "option.h"

bool option_is(const char *word)
{
	return word[0] == '-' && word[1];
}

/* whether @word is @spelled, up to a "=" if the option takes a value */
static bool is(const char *word, const char *spelled, bool value)
{
	size_t n = strlen(spelled);

	return !strncmp(word, spelled, n) && (!word[n] || (value && word[n] == '='));
}

const struct option *option_find(const struct option *rows, const char *word, unsigned int not)
{
	const bool two = word[1] == '-';
	const char *bare = word + 1 + two;
	const struct option *o;

	for (o = rows; o->name; o++)
		if (!(o->kind & not) && (is(bare, o->name, o->arg) ||
					 (!two && o->brief && is(bare, o->brief, o->arg))))
			return o;
	return NULL;
}

int option_take(const struct option *o, char **argv, int *i)
{
	char *value = strchr(argv[*i], '=');

	if (o->flag)
		*o->flag = true;
	if (!o->arg)
		return OK;
	if (!value && !argv[*i + 1])
		return misuse("'%s' needs a value", argv[*i]);
	*o->arg = value ? value + 1 : argv[++*i];
	return OK;
}
