// SPDX-License-Identifier: GPL-2.0-only
/* finack watch: each close as it happens. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "read/file.h"
#include "read/trace.h"
#include "words.h"

#define BUFFER 65536
#define INDENT 8 /* of continuation lines */

/**
 * struct watch - a run
 * @ctx: the options
 * @filter: the event filter that the kernel applies
 * @count: stop after so many closes, 0 for no limit
 * @seen: closes shown
 * @lost: closes lost because the kernel's buffer was full
 * @offset: from the monotonic clock to the time of day, us
 * @wide: there is room for both addresses
 */
struct watch {
	struct ctx *ctx;
	char filter[512];
	uint64_t count;
	uint64_t seen;
	uint64_t lost;
	int64_t offset;
	bool wide;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void condition(struct watch *w, const char *field, unsigned long value)
{
	size_t n = strlen(w->filter);

	snprintf(w->filter + n, sizeof(w->filter) - n, "%s%s == %lu", n ? " && " : "", field,
		 value);
}

/* Turns the words of the command line into a filter that the kernel applies. Without @format, the
 * names of outcomes, reasons and endings are not known yet and are skipped.
 */
static int parse(struct watch *w, const char *format, int argc, char **argv)
{
	char names[256];
	uint64_t number;
	int i;

	for (i = 1; i < argc; i += 2) {
		const char *word = argv[i], *value = argv[i + 1];
		bool port = !strcmp(word, "sport") || !strcmp(word, "dport");
		bool count = !strcmp(word, "count");
		long symbol;

		if (!port && !count && strcmp(word, "outcome") && strcmp(word, "reason") &&
		    strcmp(word, "end"))
			return misuse("watch does not know '%s'", word);
		if (!value)
			return misuse("'%s' needs a value", word);
		if (port || count) {
			if (!word_number(value, 1, port ? 65535 : UINT64_MAX, &number))
				return misuse("'%s' is not a value for %s", value, word);
			if (port)
				condition(w, word, number);
			else
				w->count = number;
			continue;
		}
		if (!format)
			continue;
		symbol = event_symbol(format, word, value, names, sizeof(names));
		if (symbol < 0)
			return misuse("%s '%s' is not one of: %s", word, value, names);
		condition(w, word, symbol);
	}
	return OK;
}

static int64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void json(struct watch *w, const struct event *e)
{
	struct out *o = &w->ctx->out;
	uint64_t number;
	size_t i;

	out_object(o, NULL);
	out_u64(o, "time_us", 0, e->us + w->offset);
	for (i = 0; i < e->n; i++) {
		const struct event_field *f = &e->field[i];

		/* "-1" (not known) and "-" (none) are left out */
		if (word_number(f->value, 0, UINT64_MAX, &number))
			out_u64(o, f->key, 0, number);
		else if (*f->value != '-')
			out_str(o, f->key, 0, f->value);
	}
	out_end(o);
}

/* print a piece of a line; if it does not fit, it goes to the next line as a whole */
static __attribute__((format(printf, 3, 4))) void
piece(struct out *o, int *column, const char *fmt, ...)
{
	char text[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_room(o, column, INDENT, strlen(text));
	out_text(o, "%s", text);
}

static void duration(struct out *o, int *column, const char *us)
{
	char text[32];

	if (*us == '-' || !*us)
		us = "-";
	else if (!o->numeric)
		us = out_duration(text, sizeof(text), strtoull(us, NULL, 10));
	piece(o, column, " %8s", us);
}

/* the event has an IPv4 address as an IPv4-mapped IPv6 address */
static void address(struct out *o, int *column, const struct event *e, const char *addr,
		    const char *port)
{
	const char *a = event_get(e, addr), *p = event_get(e, port);

	if (!strncmp(a, "::ffff:", 7) && strchr(a, '.'))
		piece(o, column, " %s:%s", a + 7, p);
	else
		piece(o, column, " [%s]:%s", a, p);
}

static const char *netns_of(const struct watch *w, const char *inode, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i < w->ctx->ns_count; i++)
		if (w->ctx->ns[i].inode == strtoull(inode, NULL, 10))
			return netns_label(&w->ctx->ns[i], buf, size);
	return inode;
}

static void line(struct watch *w, const struct event *e)
{
	time_t t = (e->us + w->offset) / 1000000;
	const char *outcome = event_get(e, "outcome");
	struct out *o = &w->ctx->out;
	char text[600];
	int column = 0;
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&t, &tm));
	piece(o, &column, "%s ", text);
	out_color(o, strcmp(outcome, "merged") ? OUT_WARN : OUT_GOOD);
	piece(o, &column, "%-8s %-7s", outcome, event_get(e, "reason"));
	out_color(o, OUT_PLAIN);
	piece(o, &column, " %-9s", event_get(e, "end"));
	duration(o, &column, event_get(e, "ack_delay_us"));
	duration(o, &column, event_get(e, "fin_delay_us"));
	if (w->wide)
		address(o, &column, e, "saddrv6", "sport");
	else
		piece(o, &column, " :%-5s", event_get(e, "sport"));
	address(o, &column, e, "daddrv6", "dport");
	if (w->ctx->all)
		piece(o, &column, "  netns %s",
		      netns_of(w, event_get(e, "netns"), text, sizeof(text)));
	out_text(o, "\n");
}

static void heading(struct watch *w)
{
	struct out *o = &w->ctx->out;
	int column = 0;

	out_color(o, OUT_HEAD);
	piece(o, &column, "%-8s %-8s %-7s %-9s", "Time", "Outcome", "Reason", "Ended");
	piece(o, &column, " %8s", "ACK");
	piece(o, &column, " %8s", "FIN");
	piece(o, &column, w->wide ? " Local," : " Local ");
	piece(o, &column, " Remote");
	out_color(o, OUT_PLAIN);
	out_text(o, "\n");
}

static void report_lost(struct watch *w, uint64_t n)
{
	struct out *o = &w->ctx->out;
	int column = strlen("-- 18446744073709551615 closes lost:");

	w->lost += n;
	out_object(o, NULL);
	out_text(o, "-- ");
	out_u64(o, "lost", 0, n);
	out_text(o, " closes lost:");
	piece(o, &column, " they came faster than they were read");
	out_text(o, "\n");
	out_end(o);
}

static void take(struct watch *w, char *text)
{
	struct event e;

	if (w->count && w->seen == w->count)
		return;
	if (!event_parse(&e, text))
		return;
	if (e.lost) {
		report_lost(w, e.lost);
	} else {
		w->seen++;
		if (w->ctx->out.json)
			json(w, &e);
		else
			line(w, &e);
	}
}

/* Handles whole lines and keeps the rest for the next call. Return: whether anything was read. */
static bool drain(struct watch *w, const struct trace *t, char *buf, size_t *n)
{
	ssize_t got = read(t->fd, buf + *n, BUFFER - 1 - *n);
	char *begin = buf, *end;

	if (got <= 0)
		return false;
	*n += got;
	buf[*n] = '\0';
	while ((end = strchr(begin, '\n'))) {
		*end = '\0';
		take(w, begin);
		begin = end + 1;
	}
	*n -= begin - buf;
	if (*n == BUFFER - 1)
		*n = 0; /* no line is that long */
	memmove(buf, begin, *n);
	return true;
}

static int loop(struct watch *w, const struct trace *t, const sigset_t *mask)
{
	/* for stdout only POLLERR, which poll() always reports: its reader is gone */
	struct pollfd p[] = { { t->fd, POLLIN, 0 }, { STDOUT_FILENO, 0, 0 } };
	struct timespec second = { 1, 0 };
	char *buf = malloc(BUFFER);
	size_t n = 0;
	int rc = OK;

	while (buf && !(w->count && w->seen == w->count)) {
		bool last = stopped; /* closes before the signal are still shown */

		while (drain(w, t, buf, &n) && !(w->count && w->seen == w->count))
			if (ferror(stdout))
				break;
		if (fflush(stdout) || last)
			break;
		if (!trace_alive(t)) {
			fprintf(stderr, "finack: the module was unloaded\n");
			rc = FAILED;
			break;
		}
		ppoll(p, 2, &second, mask);
		if (p[1].revents & POLLERR)
			break;
	}
	free(buf);
	return buf ? rc : FAILED;
}

static int run(struct watch *w)
{
	struct sigaction sa = { .sa_handler = stop };
	sigset_t block, old;
	struct trace t;
	int rc;

	/* signals are delivered only in ppoll(); a closed pipe shows as a write error */
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!trace_open(&t, w->filter))
		return FAILED;
	heading(w);
	rc = loop(w, &t, &old);
	trace_close(&t);
	if (w->lost)
		fprintf(stderr, "finack: %llu closes were lost, %llu shown\n",
			(unsigned long long)w->lost, (unsigned long long)w->seen);
	if (ferror(stdout) && errno == EPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return rc;
}

int watch_main(struct ctx *ctx, int argc, char **argv)
{
	struct watch w = { .ctx = ctx };
	char *format;
	int rc;

	w.wide = out_columns(&ctx->out) >= 100 || !ctx->out.width;
	w.offset = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
	rc = parse(&w, NULL, argc, argv);
	if (rc)
		return rc;
	if (!module_ready(PROC_NET "finack"))
		return FAILED;
	format = trace_format();
	if (!format)
		return FAILED;
	*w.filter = '\0';
	if (ctx->all)
		strcpy(w.filter, "netns > 0");
	else
		condition(&w, "netns", ctx->ns->inode);
	rc = parse(&w, format, argc, argv);
	free(format);
	return rc ? rc : run(&w);
}
