// SPDX-License-Identifier: GPL-2.0-only
/* finack get: prints the controls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "read/file.h"
#include "read/knobs.h"
#include "words.h"

void knob_print(struct ctx *ctx, const char *name, const char *value)
{
	struct out *o = &ctx->out;
	uint64_t number;

	out_text(o, "%-14s ", name);
	if (word_number(value, 0, UINT64_MAX, &number))
		out_u64(o, name, 0, number);
	else
		out_str(o, name, 0, value);
	out_nl(o);
}

int knob_unknown(const struct knobs *k, const char *name)
{
	char names[1024];

	knobs_names(k, names, sizeof(names));
	return misuse("there is no control '%s', but:%s%s", name, names, word_near(name, names));
}

static int get(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct knobs *k = malloc(sizeof(*k));
	char **words = arg;
	int rc = OK;
	size_t i;

	(void)ns;
	if (!k || knobs_read(k)) {
		file_complain(KNOBS_DIR);
		free(k);
		return FAILED;
	}
	out_object(&ctx->out, "knobs");
	for (i = 0; !words[1] && i < k->n; i++)
		knob_print(ctx, k->knob[i].name, k->knob[i].value);
	for (words++; *words && !rc; words++) {
		if (knobs_get(k, *words))
			knob_print(ctx, *words, knobs_get(k, *words));
		else
			rc = knob_unknown(k, *words);
	}
	out_end(&ctx->out);
	free(k);
	return rc;
}

int get_main(struct ctx *ctx, int argc, char **argv)
{
	(void)argc;
	if (!module_ready(KNOBS_DIR))
		return FAILED;
	return each_netns(ctx, get, argv);
}
