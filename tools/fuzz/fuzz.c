// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target for the parsers of what the tool reads. One program per parser: PARSER is one of
 * counters, hists, waiting, event, format, config, link.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../counters.h"
#include "../hist.h"
#include "../kconfig.h"
#include "../procs.h"
#include "../trace.h"
#include "../waiting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void __attribute__((unused)) fuzz_counters(char *text)
{
	static struct counters c, d;

	d = c;
	if (!counters_parse(&c, text)) {
		counters_get(&c, "FinAckPassive");
		counters_sub(&c, &d);
	}
}

static void __attribute__((unused)) fuzz_hists(char *text)
{
	static struct hists h, before;
	uint64_t least, most;
	size_t i;

	before = h;
	if (hists_parse(&h, text))
		return;
	for (i = 0; i < h.n; i++) {
		hist_quantile(&h.hist[i], 0.99);
		hist_below(&h.hist[i], 150000, &least, &most);
	}
	hists_sub(&h, &before);
}

static void __attribute__((unused)) fuzz_waiting(char *text)
{
	struct waiting w;

	if (!waiting_parse(&w, text))
		waiting_free(&w);
}

static void __attribute__((unused)) fuzz_event(char *text)
{
	struct event e;

	if (event_parse(&e, text))
		event_get(&e, "outcome");
}

static void __attribute__((unused)) fuzz_format(char *text)
{
	char names[64];

	event_symbol(text, "outcome", "merged", names, sizeof(names));
}

static void __attribute__((unused)) fuzz_config(char *text)
{
	kconfig_get(text, "KPROBES");
}

static void __attribute__((unused)) fuzz_link(char *text)
{
	socket_inode(text);
}

#define CAT(_a, _b) _a##_b
#define FUZZ(_parser) CAT(fuzz_, _parser)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	FUZZ(PARSER)(text);
	free(text);
	return 0;
}
