// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target for the parsers of what the tool reads. One program per parser: PARSER is one of
 * counters, hists, ports, listeners, waiting, event, format, config, link, command, capture.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lab/wire.h"
#include "out.h"
#include "read/counters.h"
#include "read/hist.h"
#include "read/kconfig.h"
#include "read/listeners.h"
#include "read/ports.h"
#include "read/procs.h"
#include "read/trace.h"
#include "read/waiting.h"

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
		hist_quantile(&h.hist[i], 0.99, &least);
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

static void __attribute__((unused)) fuzz_ports(char *text)
{
	static struct ports p, before;

	before = p;
	if (!ports_parse(&p, text))
		ports_sub(&p, &before);
	ports_free(&before);
}

static void __attribute__((unused)) fuzz_listeners(char *text)
{
	struct listeners l = {};

	if (!listeners_parse(&l, text))
		listeners_find(&l, 80);
	listeners_free(&l);
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

/* a process may have any name; what is printed of it must have no control characters */
static void __attribute__((unused)) fuzz_command(char *text)
{
	char *p;

	for (p = out_clean(text); *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
}

/* capture files, read from a file descriptor as the lab does */
static void __attribute__((unused)) fuzz_capture(const uint8_t *data, size_t size)
{
	static char path[32], err[400];
	static int fd = -1;
	struct wire w;
	size_t i;

	if (fd < 0) {
		fd = memfd_create("capture", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	wire_read(&w, path, err, sizeof(err));
	for (i = 0; i < w.n; i++) {
		wire_outcome_name(wire_close(w.conn[i]).outcome);
		wire_ended(w.conn[i]);
	}
	wire_free(&w);
}

#define CAT(_a, _b) _a##_b
#define FUZZ(_parser) CAT(fuzz_, _parser)

#ifdef BINARY
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FUZZ(PARSER)(data, size);
	return 0;
}
#else
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
#endif
