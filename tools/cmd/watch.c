// SPDX-License-Identifier: GPL-2.0-only
/* finack watch and finack stalls: each close, or each stall, as it happens. */
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
#include "read/knobs.h"
#include "read/trace.h"
#include "words.h"

#define BUFFER 65536
#define INDENT 8 /* of continuation lines */

struct watch;

/**
 * struct subject - what a command watches
 * @event: the trace event
 * @noun: what each event is
 * @nouns: the same, several
 * @words: the fields by whose words it can be filtered
 * @heading: prints the names of the columns that are its own
 * @line: prints these columns of an event
 */
struct subject {
	const char *event;
	const char *noun;
	const char *nouns;
	const char *words[4];
	void (*heading)(struct out *o, int *column);
	void (*line)(struct out *o, const struct event *e, int *column);
};

/**
 * struct watch - a run
 * @ctx: the options
 * @subject: what is watched
 * @filter: the event filter that the kernel applies
 * @count: stop after so many events, 0 for no limit
 * @end: when to stop, by the monotonic clock, us; 0 for never
 * @seen: events shown
 * @us: the sum of what stalls cost
 * @lost: events lost because the kernel's buffer was full
 * @offset: from the monotonic clock to the time of day, us
 * @mask: the signals that were blocked before
 * @no_reader: stdout is a pipe that nobody reads any more
 * @wide: there is room for both addresses
 */
struct watch {
	struct ctx *ctx;
	const struct subject *subject;
	char filter[512];
	uint64_t count;
	int64_t end;
	uint64_t seen;
	uint64_t us;
	uint64_t lost;
	int64_t offset;
	sigset_t mask;
	bool no_reader;
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

static void close_heading(struct out *o, int *column)
{
	piece(o, column, "%-8s %-7s %-9s", "Outcome", "Reason", "Ended");
	piece(o, column, " %8s", "ACK");
	piece(o, column, " %8s", "FIN");
}

static void close_line(struct out *o, const struct event *e, int *column)
{
	const char *outcome = event_get(e, "outcome");

	out_color(o, strcmp(outcome, "merged") ? OUT_WARN : OUT_GOOD);
	piece(o, column, "%-8s %-7s", outcome, event_get(e, "reason"));
	out_color(o, OUT_PLAIN);
	piece(o, column, " %-9s", event_get(e, "end"));
	duration(o, column, event_get(e, "ack_delay_us"));
	duration(o, column, event_get(e, "fin_delay_us"));
}

static const struct subject closes = {
	"finack_close", "close", "closes", { "outcome", "reason", "end" }, close_heading, close_line
};

static void stall_heading(struct out *o, int *column)
{
	piece(o, column, "%-6s %8s", "Late", "Lost");
}

static void stall_line(struct out *o, const struct event *e, int *column)
{
	piece(o, column, "%-6s", event_get(e, "side"));
	out_color(o, OUT_WARN);
	duration(o, column, event_get(e, "lost_us"));
	out_color(o, OUT_PLAIN);
}

static const struct subject stalls = {
	"finack_stall", "stall", "stalls", { "side" }, stall_heading, stall_line
};

static void line(struct watch *w, const struct event *e)
{
	time_t t = (e->us + w->offset) / 1000000;
	struct out *o = &w->ctx->out;
	char text[600];
	int column = 0;
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&t, &tm));
	piece(o, &column, "%s ", text);
	w->subject->line(o, e, &column);
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
	piece(o, &column, "%-8s ", "Time");
	w->subject->heading(o, &column);
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
	out_text(o, " %s lost:", n == 1 ? w->subject->noun : w->subject->nouns);
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
		w->us += strtoull(event_get(&e, "lost_us"), NULL, 10);
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
		      &second, mask);
		if (p[1].revents & POLLERR)
			break;
	}
	free(buf);
	return buf ? rc : FAILED;
}

/* signals are delivered only in ppoll(); a closed pipe shows as a write error */
static void block_signals(sigset_t *old)
{
	struct sigaction sa = { .sa_handler = stop };
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, old);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Containers and pods are other namespaces: who sees nothing has to know. */
static void say_where(const struct watch *w)
{
	struct netns *all;
	size_t n;

	if (w->ctx->all || w->ctx->out.json)
		return;
	n = netns_list(&all);
	if (n > 1)
		fprintf(stderr, "finack: %s of one network namespace; there %s %zu more: -a\n",
			w->subject->nouns, n == 2 ? "is" : "are", n - 1);
	if (n)
		free(all);
}

static int run(struct watch *w)
{
	struct trace t;
	int rc;

	say_where(w);
	if (!trace_open(&t, w->subject->event, w->filter))
		return FAILED;
	heading(w);
	rc = loop(w, &t, &w->mask);
	w->no_reader = ferror(stdout) && errno == EPIPE;
	trace_close(&t);
	if (w->lost)
		fprintf(stderr, "finack: %llu %s %s lost, %llu shown\n",
			(unsigned long long)w->lost,
			w->lost == 1 ? w->subject->noun : w->subject->nouns,
			w->lost == 1 ? "was" : "were", (unsigned long long)w->seen);
	return rc;
}

/* end as SIGPIPE would have ended us */
static void end_of_pipe(const struct watch *w)
{
	if (w->no_reader) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
}

static int watch(struct watch *w, int argc, char **argv)
{
	struct ctx *ctx = w->ctx;
	char *format;
	int rc;

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
	return rc ? rc : run(w);
}

int watch_main(struct ctx *ctx, int argc, char **argv)
{
	struct watch w = { .ctx = ctx, .subject = &closes };
	int rc = parse(&w, NULL, argc, argv);

	if (rc)
		return rc;
	if (!module_ready(PROC_NET "finack"))
		return FAILED;
	block_signals(&w.mask);
	rc = watch(&w, argc, argv);
	end_of_pipe(&w);
	return rc;
}

/* --- stalls --- */

/** struct before - detail of a namespace before it was set to 2 for a while */
struct before {
	char detail[16];
	bool changed;
};

static int arm(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct before *b = (struct before *)arg + (ns - ctx->ns);
	struct setting two = { .name = "detail", .value = "2" };

	if (!file_line(KNOBS_DIR "/detail", b->detail, sizeof(b->detail)) ||
	    !strcmp(b->detail, "2"))
		return OK;
	if (knobs_apply(&two, 1)) {
		fprintf(stderr, "finack: cannot set detail to 2: %s%s\n", strerror(errno),
			errno == EPERM ? "; this is for root of the host, see userns_hooks in "
			"finack(8)" : "");
		return FAILED;
	}
	b->changed = true;
	return OK;
}

static int disarm(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct before *b = (struct before *)arg + (ns - ctx->ns);
	struct setting old = { .name = "detail", .value = b->detail };

	return b->changed && knobs_apply(&old, 1) ? FAILED : OK;
}

static int warn_if_off(struct ctx *ctx, const struct netns *ns, void *arg)
{
	char detail[16];

	(void)ctx;
	(void)ns;
	(void)arg;
	if (file_line(KNOBS_DIR "/detail", detail, sizeof(detail)) && strcmp(detail, "2"))
		fprintf(stderr, "finack: detail is %s here, so no stall is seen: use -d SECS, or "
			"'finack set detail 2'\n", detail);
	return OK;
}

int stalls_main(struct ctx *ctx, int argc, char **argv)
{
	struct before *before = calloc(ctx->ns_count, sizeof(*before));
	struct watch w = { .ctx = ctx, .subject = &stalls };
	struct ctx quiet = *ctx;
	int rc = parse(&w, NULL, argc, argv);
	char lost[32];

	quiet.quiet = true;
	if (!rc && !module_ready(PROC_NET "finack"))
		rc = FAILED;
	if (!rc && !ctx->seconds && !ctx->all)
		each_netns(&quiet, warn_if_off, NULL);
	block_signals(&w.mask);
	if (!rc && ctx->seconds) {
		rc = before ? each_netns(&quiet, arm, before) : FAILED;
		w.end = clock_us(CLOCK_MONOTONIC) + ctx->seconds * 1e6;
	}
	if (!rc)
		rc = watch(&w, argc, argv);
	if (before && ctx->seconds && each_netns(&quiet, disarm, before))
		fprintf(stderr, "finack: detail could not be set back everywhere\n");
	if (!rc && ctx->seconds)
		out_text(&ctx->out, "%llu %s, %s lost\n", (unsigned long long)w.seen,
			 w.seen == 1 ? stalls.noun : stalls.nouns,
			 out_duration(lost, sizeof(lost), w.us));
	free(before);
	end_of_pipe(&w);
	return rc;
}
