// SPDX-License-Identifier: GPL-2.0-only
/* finack doctor: is everything in order on this machine, and if not, what is to be done? */
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../module/version.h"
#include "cmd.h"
#include "read/counters.h"
#include "read/file.h"
#include "read/kconfig.h"
#include "scratch.h"

#define WIDE 60 /* columns needed for findings beside the checks */

/** enum verdict - the result of a check */
enum verdict { FINE, NOTE, UNKNOWN, BROKEN };

/** struct exam - a run of all checks */
struct exam {
	struct ctx *ctx;
	enum verdict worst;
};

/* print the result of a check; @advice is NULL if there is nothing to do */
static __attribute__((format(printf, 5, 6))) void
report(struct exam *e, enum verdict v, const char *name, const char *advice, const char *fmt, ...)
{
	static const char * const words[] = { "ok", "note", "unknown", "broken" };
	static const enum out_color colors[] = { OUT_GOOD, OUT_WARN, OUT_WARN, OUT_BAD };
	struct out *o = &e->ctx->out;
	const bool narrow = out_narrow(o, WIDE);
	const int indent = narrow ? 4 : 21;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e->worst = v > e->worst ? v : e->worst;
	out_object(o, NULL);
	out_color(o, colors[v]);
	out_str(o, "verdict", -8, words[v]);
	out_color(o, OUT_PLAIN);
	out_str(o, "check", -12, name);
	if (narrow)
		out_text(o, "\n%*s", indent, "");
	else
		out_text(o, " ");
	out_wrapped(o, "finding", indent, out_clean(text));
	if (advice) {
		out_text(o, "%*s", indent, "");
		out_wrapped(o, "advice", indent, advice);
	}
	out_end(o);
}

static void check_module(struct exam *e)
{
	char version[64];

	if (access("/sys/module/finack", F_OK))
		report(e, BROKEN, "module", "run: modprobe finack", "not loaded");
	else if (!file_line("/sys/module/finack/version", version, sizeof(version)))
		report(e, UNKNOWN, "module", NULL, "loaded, of unknown version");
	else if (strcmp(version, FINACK_VERSION))
		report(e, NOTE, "module", "load the module that came with this tool",
		       "version %s is loaded, the tool is %s", version, FINACK_VERSION);
	else
		report(e, FINE, "module", NULL, "version %s is loaded", version);
}

static void check_config(struct exam *e)
{
	char *text = kconfig_read();

	if (!text) {
		report(e, UNKNOWN, "config", NULL,
		       "this kernel's configuration is not in /boot, /lib/modules or /proc");
		return;
	}
	if (kconfig_get(text, "TRACEPOINTS") != 'y')
		report(e, BROKEN, "config",
		       "use a kernel with CONFIG_TRACEPOINTS; those of distributions have it",
		       "CONFIG_TRACEPOINTS is not set: finack cannot load");
	else if (kconfig_get(text, "KPROBES") != 'y')
		report(e, NOTE, "config", "use a kernel with CONFIG_KPROBES",
		       "CONFIG_KPROBES is not set: no reasons, no ACK delays, no controls");
	else
		report(e, FINE, "config", NULL, "tracepoints and kprobes are built in%s",
		       kconfig_get(text, "KPROBES_ON_FTRACE") == 'y' ? ", by ftrace" : "");
	free(text);
}

static void check_kprobes(struct exam *e)
{
	char value[16];

	if (!file_line("/sys/kernel/debug/kprobes/enabled", value, sizeof(value)))
		report(e, UNKNOWN, "kprobes", geteuid() ? "run as root" :
		       "run: mount -t debugfs none /sys/kernel/debug",
		       "cannot see whether they are switched off");
	else if (*value == '0')
		report(e, BROKEN, "kprobes", "run: echo 1 >/sys/kernel/debug/kprobes/enabled",
		       "switched off: no reasons, no ACK delays, no controls");
	else
		report(e, FINE, "kprobes", NULL, "switched on");
}

static void check_ftrace(struct exam *e)
{
	char value[16];

	if (!file_line("/proc/sys/kernel/ftrace_enabled", value, sizeof(value)))
		report(e, FINE, "ftrace", NULL, "not in this kernel: kprobes use breakpoints");
	else if (*value == '0')
		report(e, BROKEN, "ftrace", "run: sysctl kernel.ftrace_enabled=1",
		       "switched off: hooks on functions do not run: no reasons, no controls");
	else
		report(e, FINE, "ftrace", NULL, "switched on");
}

static void check_lockdown(struct exam *e)
{
	char value[64], *mode;

	if (!file_line("/sys/kernel/security/lockdown", value, sizeof(value))) {
		report(e, FINE, "lockdown", NULL, "not in force, as far as can be seen");
		return;
	}
	mode = strchr(value, '[');
	if (!mode || !strncmp(mode, "[none]", 6))
		report(e, FINE, "lockdown", NULL, "not in force");
	else if (!strncmp(mode, "[confidentiality]", 17))
		report(e, NOTE, "lockdown", "start without lockdown=confidentiality",
		       "confidentiality: kprobes and tracing are not allowed");
	else
		report(e, NOTE, "lockdown", "sign the module: see 'signature'",
		       "integrity: only signed modules load");
}

static void check_signature(struct exam *e)
{
	static const char enrol[] = "enrol the key that signs it: mokutil --import "
				    "/var/lib/dkms/mok.pub, then restart and confirm";
	char enforce[16] = "", taint[32] = "";
	bool loaded = file_line("/sys/module/finack/taint", taint, sizeof(taint));

	file_line("/sys/module/module/parameters/sig_enforce", enforce, sizeof(enforce));
	if (*enforce == 'Y' && !loaded)
		report(e, NOTE, "signature", enrol, "only signed modules may be loaded");
	else if (strchr(taint, 'E'))
		report(e, FINE, "signature", NULL, "the module is not signed, and need not be");
	else if (!*enforce)
		report(e, FINE, "signature", NULL, "the kernel does not check signatures");
	else
		report(e, FINE, "signature", NULL, loaded ? "the module is signed" :
		       "modules need not be signed");
}

static void check_tracing(struct exam *e)
{
	char *text;

	if (geteuid()) {
		report(e, UNKNOWN, "tracing", "run as root", "cannot see tracefs");
		return;
	}
	text = file_read("/sys/kernel/tracing/events/finack/finack_close/format");
	if (!text)
		text = file_read("/sys/kernel/debug/tracing/events/finack/finack_close/format");
	if (text)
		report(e, FINE, "tracing", NULL, "the event finack:finack_close is there");
	else if (access("/sys/kernel/tracing/events", F_OK))
		report(e, BROKEN, "tracing", "run: mount -t tracefs none /sys/kernel/tracing",
		       "tracefs is not mounted");
	else
		report(e, BROKEN, "tracing", "load the module, with CONFIG_EVENT_TRACING",
		       "there is no event finack:finack_close");
	free(text);
}

static void hook(struct exam *e, const struct hook *h, uint64_t before)
{
	unsigned long long hits = h->hits - before;

	if (hook_off(h))
		report(e, NOTE, "hook", NULL, "%s: %s", h->name, h->status);
	else if (hook_dead(h))
		report(e, BROKEN, "hook", !strcmp(h->kind, "ftrace_ops") ?
		       "run: sysctl kernel.ftrace_enabled=1" :
		       "see 'kprobes' and 'ftrace' above: switch on what is off",
		       "%s: %s", h->name, h->status);
	else if (!hook_armed(h))
		report(e, BROKEN, "hook", "look into the kernel's log: dmesg | grep finack",
		       "%s: %s", h->name, h->status);
	else if (!hits)
		report(e, BROKEN, "hook", "report it, with this kernel's version",
		       "%s: armed as %s, but test closes did not hit it", h->name,
		       h->kind);
	else
		report(e, FINE, "hook", NULL, "%s: alive (%s), %llu hits by test closes",
		       h->name, h->kind, hits);
}

static void check_hooks(struct exam *e)
{
	struct scratch *s = calloc(1, sizeof(*s));
	size_t i;

	if (s && !scratch_run(s))
		report(e, geteuid() ? UNKNOWN : BROKEN, "hooks", geteuid() ? "run as root" : NULL,
		       "cannot test them: %s", s->problem);
	for (i = 0; s && !*s->problem && i < s->after.n; i++)
		hook(e, &s->after.hook[i], s->before.hook[i].hits);
	free(s);
}

/* how many kprobes and kretprobes are at a function, whoever set them; -1 if that cannot be read */
static int probes_at(const char *function)
{
	char *text = file_read("/sys/kernel/debug/kprobes/list"), *rest = text, *line, name[128];
	int n = 0;

	if (!text)
		return -1;
	while ((line = split_line(&rest)))
		if (sscanf(line, "%*s %*s %127[^+ \t]", name) == 1)
			n += !strcmp(name, function);
	free(text);
	return n;
}

/* whether a live patch replaces a function of the kernel */
static bool patched(const char *function)
{
	glob_t found;
	char path[200];
	bool is;

	snprintf(path, sizeof(path), "/sys/kernel/livepatch/*/vmlinux/%.100s,*", function);
	is = !glob(path, 0, NULL, &found);
	if (is)
		globfree(&found);
	return is;
}

/* how many probes at a function are ours */
static int own_probes(const struct hooks *h, const char *function)
{
	size_t i;
	int n = 0;

	for (i = 0; i < h->n; i++)
		n += !strcmp(h->hook[i].symbol, function) && hook_armed(&h->hook[i]) &&
		     strcmp(h->hook[i].kind, "ftrace_ops");
	return n;
}

/* Looks for probes and live patches of others at the functions that finack hooks. A probe may not
 * see the calls that a control redirects; a live patch may keep them from being redirected.
 */
static void check_others(struct exam *e)
{
	static const char * const functions[] = {
		"tcp_send_ack", "__tcp_send_ack.part.0", "tcp_delack_timer_handler",
		"tcp_send_delayed_ack",
	};
	char finding[400] = "";
	size_t i, len = 0;
	struct hooks h;

	if (hooks_read(&h))
		return;
	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		int n = probes_at(functions[i]) - own_probes(&h, functions[i]);

		if (n > 0 && len < sizeof(finding))
			len += snprintf(finding + len, sizeof(finding) - len,
					"%s%d other probe%s at %s", len ? ", " : "", n,
					n == 1 ? "" : "s", functions[i]);
		if (patched(functions[i]) && len < sizeof(finding))
			len += snprintf(finding + len, sizeof(finding) - len,
					"%sa live patch of %s", len ? ", " : "", functions[i]);
	}
	if (len)
		report(e, NOTE, "others",
		       "a live patch keeps controls of that function from being set; if finack "
		       "uses kprobes, other probes miss the calls that a control redirects",
		       "%s", finding);
	else
		report(e, FINE, "others", NULL,
		       "no other probe or live patch is at the functions that finack hooks");
}

static void check_losses(struct exam *e)
{
	struct counters *c = malloc(sizeof(*c));
	struct hooks h;
	unsigned long long n;

	if (!hooks_read(&h)) {
		n = hooks_missed(&h);
		report(e, n ? NOTE : FINE, "missed", n ?
		       "look for other probes on TCP: /sys/kernel/debug/kprobes/list" : NULL,
		       n ? "%llu hits missed while another probe ran: reasons may be unknown" :
		       "%llu hits", n);
	}
	if (c && !counters_read(c)) {
		n = counters_get(c, "FinAckUntracked");
		report(e, n ? NOTE : FINE, "table", n ?
		       "load the module with a larger max_tracked" : NULL,
		       "%llu closes of this namespace found it full", n);
	}
	free(c);
}

int doctor_main(struct ctx *ctx, int argc, char **argv)
{
	struct exam e = { .ctx = ctx };
	bool loaded = !access("/sys/module/finack", F_OK);
	struct netns self;

	if (argc > 1)
		return misuse("doctor takes no arguments, '%s' was given", argv[1]);
	if (ctx->all || (!netns_self(&self) && self.inode != ctx->ns->inode))
		return misuse("doctor is about the whole machine: it does not take -a or -n");
	out_object(&ctx->out, NULL);
	out_list(&ctx->out, "checks");
	check_module(&e);
	check_config(&e);
	check_kprobes(&e);
	check_ftrace(&e);
	check_lockdown(&e);
	check_signature(&e);
	if (loaded) {
		check_tracing(&e);
		check_hooks(&e);
		check_others(&e);
		check_losses(&e);
	}
	out_end(&ctx->out);
	out_text(&ctx->out, "%s\n", e.worst == BROKEN ? "Something is broken." :
		 "Nothing is broken.");
	if (ctx->out.json)
		out_bool(&ctx->out, "broken", e.worst == BROKEN);
	out_end(&ctx->out);
	return e.worst == BROKEN ? FAILED : OK;
}
