// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "live.h"
#include "read/trace.h"
#include "words.h"

#define BUFFER 65536
#define INDENT 8 /* of continuation lines */

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void condition(struct live *w, const char *field, unsigned long value)
{
	size_t n = strlen(w->filter);

	snprintf(w->filter + n, sizeof(w->filter) - n, "%s%s == %lu", n ? " && " : "", field,
		 value);
}

/* Turns the words of the command line into a filter that the kernel applies. Without @format, the
 * names of outcomes, reasons, endings and sides are not known yet and are skipped.
 */
static int parse(struct live *w, const char *format, int argc, char **argv)
{
	const char * const *field;
	char names[256];
	uint64_t number;
	int i;

	for (i = 1; i < argc; i += 2) {
		const char *word = argv[i], *value = argv[i + 1];
		bool port = !strcmp(word, "sport") || !strcmp(word, "dport");
		bool count = !strcmp(word, "count");
		long symbol;

		for (field = w->subject->words; *field && strcmp(word, *field); field++)
			;
		if (!port && !count && !*field)
			return misuse("%s does not know '%s'", argv[0], word);
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

static void json(struct live *w, const struct event *e)
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

void live_piece(struct out *o, int *column, const char *fmt, ...)
{
	char text[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_room(o, column, INDENT, strlen(text));
	out_text(o, "%s", text);
}

void live_duration(struct out *o, int *column, const char *us)
{
	char text[32];

	if (*us == '-' || !*us)
		us = "-";
	else if (!o->numeric)
		us = out_duration(text, sizeof(text), strtoull(us, NULL, 10));
	live_piece(o, column, " %8s", us);
}

/* the event has an IPv4 address as an IPv4-mapped IPv6 address */
static void address(struct out *o, int *column, const struct event *e, const char *addr,
		    const char *port)
{
	const char *a = event_get(e, addr), *p = event_get(e, port);

	if (!strncmp(a, "::ffff:", 7) && strchr(a, '.'))
		live_piece(o, column, " %s:%s", a + 7, p);
	else
		live_piece(o, column, " [%s]:%s", a, p);
}

static const char *netns_of(const struct live *w, const char *inode, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i < w->ctx->ns_count; i++)
		if (w->ctx->ns[i].inode == strtoull(inode, NULL, 10))
			return netns_label(&w->ctx->ns[i], buf, size);
	return inode;
}

static void line(struct live *w, const struct event *e)
{
	time_t t = (e->us + w->offset) / 1000000;
	struct out *o = &w->ctx->out;
	char text[600];
	int column = 0;
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&t, &tm));
	live_piece(o, &column, "%s ", text);
	w->subject->line(o, e, &column);
	if (w->wide)
		address(o, &column, e, "saddrv6", "sport");
	else
		live_piece(o, &column, " :%-5s", event_get(e, "sport"));
	address(o, &column, e, "daddrv6", "dport");
	if (w->ctx->all)
		live_piece(o, &column, "  netns %s",
			   netns_of(w, event_get(e, "netns"), text, sizeof(text)));
	out_text(o, "\n");
}

static void heading(struct live *w)
{
	struct out *o = &w->ctx->out;
	int column = 0;

	out_color(o, OUT_HEAD);
	live_piece(o, &column, "%-8s ", "Time");
	w->subject->heading(o, &column);
	live_piece(o, &column, w->wide ? " Local," : " Local ");
	live_piece(o, &column, " Remote");
	out_color(o, OUT_PLAIN);
	out_text(o, "\n");
}

static void report_lost(struct live *w, uint64_t n)
{
	struct out *o = &w->ctx->out;
	int column = strlen("-- 18446744073709551615 closes lost:");

	w->lost += n;
	out_object(o, NULL);
	out_text(o, "-- ");
	out_u64(o, "lost", 0, n);
	out_text(o, " %s lost:", n == 1 ? w->subject->noun : w->subject->nouns);
	live_piece(o, &column, " they came faster than they were read");
	out_text(o, "\n");
	out_end(o);
}

static void take(struct live *w, char *text)
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
		w->us += strtoull(event_get(&e, "lost_us"), NULL, 10);
		if (w->ctx->out.json)
			json(w, &e);
		else
			line(w, &e);
	}
}

/* Handles whole lines and keeps the rest for the next call. Return: whether anything was read. */
static bool drain(struct live *w, const struct trace *t, char *buf, size_t *n)
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

static int loop(struct live *w, const struct trace *t)
{
	/* for stdout only POLLERR, which poll() always reports: its reader is gone */
	struct pollfd p[] = { { t->fd, POLLIN, 0 }, { STDOUT_FILENO, 0, 0 } };
	struct timespec second = { 1, 0 }, moment = { 0, 10000000 };
	char *buf = malloc(BUFFER);
	size_t n = 0;
	int rc = OK;

	while (buf && !(w->count && w->seen == w->count)) {
		/* what happened before the signal is still shown */
		bool last = stopped || (w->end && clock_us(CLOCK_MONOTONIC) >= w->end);

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
		ppoll(p, 2, w->end && w->end - clock_us(CLOCK_MONOTONIC) < 1000000 ? &moment :
		      &second, &w->mask);
		if (p[1].revents & POLLERR)
			break;
	}
	free(buf);
	return buf ? rc : FAILED;
}

static void say_where(const struct live *w)
{
	char others[64];

	if (netns_others(w->ctx, others, sizeof(others)))
		fprintf(stderr, "finack: %s here only; there %s: -a\n", w->subject->nouns, others);
}

static int follow(struct live *w)
{
	struct trace t;
	int rc;

	say_where(w);
	if (!trace_open(&t, w->subject->event, w->filter))
		return FAILED;
	heading(w);
	rc = loop(w, &t);
	w->no_reader = ferror(stdout) && errno == EPIPE;
	trace_close(&t);
	if (w->lost)
		fprintf(stderr, "finack: %llu %s %s lost, %llu shown\n",
			(unsigned long long)w->lost,
			w->lost == 1 ? w->subject->noun : w->subject->nouns,
			w->lost == 1 ? "was" : "were", (unsigned long long)w->seen);
	return rc;
}

int live_words(struct live *w, int argc, char **argv)
{
	return parse(w, NULL, argc, argv);
}

/* signals are delivered only in ppoll(); a closed pipe shows as a write error */
void live_begin(struct live *w)
{
	struct sigaction sa = { .sa_handler = stop };
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &w->mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int live_run(struct live *w, int argc, char **argv)
{
	struct ctx *ctx = w->ctx;
	char *format;
	int rc;

	if (ctx->seconds)
		w->end = clock_us(CLOCK_MONOTONIC) + ctx->seconds * 1e6;
	w->wide = out_columns(&ctx->out) >= 100 || !ctx->out.width;
	w->offset = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
	format = trace_format(w->subject->event);
	if (!format)
		return FAILED;
	*w->filter = '\0';
	if (ctx->all)
		strcpy(w->filter, "netns > 0");
	else
		condition(w, "netns", ctx->ns->inode);
	rc = parse(w, format, argc, argv);
	free(format);
	return rc ? rc : follow(w);
}

void live_end(const struct live *w)
{
	if (w->no_reader) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
}
