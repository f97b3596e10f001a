// SPDX-License-Identifier: GPL-2.0-only
/* finack lab: runs experiments by name and shows what wire, counters and application did. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "lab/controls.h"
#include "lab/ladder.h"
#include "lab_report.h"
#include "option.h"
#include "words.h"

#define KNOBS_MAX 8
#define SLACK_MS 5 /* for a busy machine */

/**
 * struct lab_words - the command line
 * @lab: how each experiment is run
 * @knobs: of @lab, NULL-terminated
 * @n_knobs: how many
 * @loopback: use the loopback, unless a link is needed
 * @here: run in the caller's network namespace
 * @pcap: folder for captures, or NULL
 * @svg: folder for drawings, or NULL
 * @tally: what came of the experiments so far
 * @out: how to print
 */
struct lab_words {
	struct lab_options lab;
	const char *knobs[KNOBS_MAX + 1];
	int n_knobs;
	bool loopback;
	bool here;
	const char *pcap;
	const char *svg;
	struct tally tally;
	struct out *out;
};

void lab_usage(FILE *f)
{
	fprintf(f,
		"Usage: finack lab [OPTIONS] [NAME...|all]\n"
		"  -4, -6, -m, --family 4|6|mapped  over IPv4 (default), IPv6, IPv4-mapped IPv6\n"
		"  --loopback         on the loopback of one namespace, not on a link of two\n"
		"  --here             on the loopback of this namespace (of -n NAME)\n"
		"  --delay MS         the server acts so long after EOF\n"
		"  --data BYTES       the size of the client's greeting\n"
		"  --rtt MS           round-trip time of the link\n"
		"  --loss PCT         of the segments in each direction\n"
		"  --knob NAME=VALUE  a control, set on the server's side\n"
		"  --pcap DIR         keep the captures\n"
		"  --svg DIR          draw the ladders\n"
		"  -j[son], -p[retty], -c[olor][=auto|always|never], -h[elp]\n");
}

static int wrong(const char *option, const char *word, const char *wanted)
{
	fprintf(stderr, "finack: --%s %s: expected %s\n", option, word, wanted);
	return MISUSE;
}

static int parse_family(struct lab_words *w, const char *word)
{
	static const char * const names[] = { "4", "6", "mapped" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(word, names[i]) || !strcmp(word, lab_family_name[i])) {
			w->lab.family = i;
			return OK;
		}
	}
	return wrong("family", word, "4, 6 or mapped");
}

static int parse_number(const char *option, const char *word, unsigned int most, unsigned int *to)
{
	char wanted[60];
	uint64_t value;

	if (word_number(word, 1, most, &value)) {
		*to = value;
		return OK;
	}
	snprintf(wanted, sizeof(wanted), "a whole number from 1 to %u", most);
	return wrong(option, word, wanted);
}

static int parse_knob(struct lab_words *w, const char *word)
{
	size_t name = strspn(word, "abcdefghijklmnopqrstuvwxyz_");

	if (!name || word[name] != '=')
		return wrong("knob", word, "NAME=VALUE");
	if (w->n_knobs == KNOBS_MAX)
		return wrong("knob", word, "at most eight of these");
	w->knobs[w->n_knobs++] = word;
	return OK;
}

static int parse_loss(struct lab_words *w, const char *word)
{
	double *loss = &w->lab.net.loss_percent;

	if (word_seconds(word, loss) && *loss > 0 && *loss <= 50)
		return OK;
	return wrong("loss", word, "a percentage up to 50");
}

enum { FAMILY, IPV4, IPV6, MAPPED, LOOPBACK, HERE, DELAY, DATA, RTT, LOSS, KNOB, PCAP, SVG };

static int parse_option(struct lab_words *w, unsigned int opt, const char *arg)
{
	switch (opt) {
	case IPV4:
	case IPV6:
	case MAPPED:
		w->lab.family = LAB_IPV4 + opt - IPV4;
		return OK;
	case FAMILY:
		return parse_family(w, arg);
	case LOOPBACK:
		w->loopback = true;
		return OK;
	case HERE:
		w->here = true;
		return OK;
	case DELAY:
		return parse_number("delay", arg, 10000, &w->lab.role.delay_ms);
	case DATA:
		return parse_number("data", arg, 65536, &w->lab.role.greeting);
	case RTT:
		return parse_number("rtt", arg, 2000, &w->lab.net.rtt_ms);
	case LOSS:
		return parse_loss(w, arg);
	case KNOB:
		return parse_knob(w, arg);
	case PCAP:
		w->pcap = arg;
		return OK;
	case SVG:
		w->svg = arg;
		return OK;
	}
	return MISUSE;
}

/* Removes the options from @argv, as the parser in finack.c does. */
static int parse(struct lab_words *w, int *argc, char **argv)
{
	const char *arg = NULL;
	const struct option rows[] = {
		{ "4", "ipv4", NULL, NULL, IPV4 }, { "6", "ipv6", NULL, NULL, IPV6 },
		{ "m", "mapped", NULL, NULL, MAPPED }, { NULL, "family", NULL, &arg, FAMILY },
		{ NULL, "loopback", NULL, NULL, LOOPBACK }, { NULL, "here", NULL, NULL, HERE },
		{ NULL, "delay", NULL, &arg, DELAY }, { NULL, "data", NULL, &arg, DATA },
		{ NULL, "rtt", NULL, &arg, RTT }, { NULL, "loss", NULL, &arg, LOSS },
		{ NULL, "knob", NULL, &arg, KNOB }, { NULL, "pcap", NULL, &arg, PCAP },
		{ NULL, "svg", NULL, &arg, SVG }, { 0 }
	};
	const struct option *o;
	int i, rc, words = 1;

	for (i = 1; i < *argc; i++) {
		if (!option_is(argv[i])) {
			argv[words++] = argv[i];
			continue;
		}
		o = option_find(rows, argv[i], 0);
		if (!o)
			return misuse("lab has no option '%s'", argv[i]);
		rc = option_take(o, argv, &i) ?: parse_option(w, o->kind, arg);
		if (rc)
			return rc;
	}
	argv[words] = NULL;
	*argc = words;
	for (i = 1; i < words; i++) {
		if (!strcmp(argv[i], "all") || lab_find(argv[i]))
			continue;
		fprintf(stderr, "finack: there is no experiment '%s'; 'finack lab' lists them\n",
			argv[i]);
		return MISUSE;
	}
	if (w->here && (w->lab.net.rtt_ms || w->lab.net.loss_percent)) {
		fprintf(stderr, "finack: --here has no link to delay or to lose on\n");
		return MISUSE;
	}
	w->lab.net.link = !w->here && !w->loopback;
	w->lab.knobs = w->knobs;
	return OK;
}

/* the folder for captures or drawings */
static int make_folder(const char *path)
{
	if (!path || !mkdir(path, 0755) || errno == EEXIST)
		return OK;
	fprintf(stderr, "finack: %s: %s\n", path, strerror(errno));
	return FAILED;
}

/* Return: whether the lab knows what @e shows with these knobs; if so, @shows is filled in */
static bool expected(const struct lab_words *w, const struct experiment *e, struct shows *shows,
		     char *moves, size_t size)
{
	const struct control *c;
	int i, k, found;

	for (c = controls; c->name; c++) {
		for (k = 0, found = 0; k < CONTROL_KNOBS && c->knobs[k]; k++)
			for (i = 0; i < w->n_knobs; i++)
				found += !strcmp(c->knobs[k], w->knobs[i]);
		if (found == k && found == w->n_knobs && w->lab.net.link)
			return control_shows(c, e, shows, moves, size);
	}
	return false;
}

/* DIR/NAME-FAMILY.KIND; between them is how the run differs from the plain one, so that neither
 * overwrites the other
 */
static void name_file(const struct lab_words *w, const struct experiment *e, const char *dir,
		      const char *kind, char path[PATH_MAX])
{
	char settings[200], *p;

	lab_settings(&w->lab, "-", settings, sizeof(settings));
	for (p = settings; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_=-,.", *p))
			*p = '_';
	snprintf(path, PATH_MAX, "%s/%s-%s%s%s%s.%s", dir, e->name,
		 lab_family_name[w->lab.family], w->here ? "-here" : w->loopback ? "-loopback" : "",
		 *settings ? "-" : "", settings, kind);
}

static int draw(const struct lab_words *w, const struct lab_result *r)
{
	char path[PATH_MAX];
	FILE *f;

	if (!w->svg)
		return OK;
	name_file(w, r->e, w->svg, "svg", path);
	f = fopen(path, "we");
	if (f)
		svg_print(r, f);
	if (!f || fclose(f)) {
		fprintf(stderr, "finack: %s: %s\n", path, strerror(errno));
		return FAILED;
	}
	return OK;
}

static int run(struct lab_words *w, const struct experiment *e)
{
	struct lab_options o = w->lab;
	char pcap[PATH_MAX], moves[200];
	struct lab_result r;
	struct shows shows;
	int rc;

	if (w->pcap) {
		name_file(w, e, w->pcap, "pcap", pcap);
		o.pcap = pcap;
	}
	if (w->n_knobs && expected(w, e, &shows, moves, sizeof(moves)))
		o.shows = &shows;
	o.changed = o.role.delay_ms || o.role.greeting || o.net.rtt_ms || o.net.loss_percent ||
		    (w->n_knobs && !o.shows);
	if (lab_run(e, &o, &r)) {
		fflush(stdout);
		fprintf(stderr, "finack: %s: %s\n", e->name, r.problem);
		w->tally.not_run++;
		rc = FAILED;
	} else {
		report(w->out, &r);
		w->tally.verdict[lab_verdict(&r)]++;
		rc = lab_verdict(&r) == LAB_REFUTED ? FAILED : OK;
		out_text(w->out, "\n");
		rc |= draw(w, &r);
	}
	fflush(stdout);
	lab_free(&r);
	return rc;
}

/* run an experiment in a network namespace of its own, or with --here in this one
 *
 * Return: OK also if it is inconclusive: the tally tells.
 */
static int run_in(struct lab_words *w, const struct experiment *e)
{
	if (w->here && (e->net.quickack || e->net.link || e->net.rtt_ms)) {
		fprintf(stderr, "finack: %s needs a route or a link of its own, not --here\n",
			e->name);
		w->tally.not_run++;
		return FAILED;
	}
	if (!w->here && lab_scratch()) {
		fprintf(stderr, "finack: cannot make a network namespace: %s%s\n", strerror(errno),
			errno != EPERM ? "" : "; this needs CAP_NET_ADMIN and CAP_SYS_ADMIN: run "
			"as root, or in 'unshare -Ur'");
		w->tally.not_run++;
		return FAILED;
	}
	return run(w, e);
}

/* enter the namespace of -n; only --here uses it, else the lab makes its own namespaces */
static int enter(struct ctx *ctx, const struct lab_words *w)
{
	struct netns self;

	if (!netns_self(&self) && self.inode == ctx->ns->inode)
		return OK;
	if (!w->here)
		return misuse("lab makes namespaces of its own; -n goes with --here");
	if (!netns_enter(ctx->ns))
		return OK;
	fprintf(stderr, "finack: no way into the network namespace: %s%s\n", strerror(errno),
		errno == EPERM ? "; run as root" : "");
	return FAILED;
}

int lab_main(struct ctx *ctx, int argc, char **argv)
{
	struct lab_words w = { .out = &ctx->out };
	const struct experiment *e;
	int i, rc;

	w.lab.slack_ms = SLACK_MS;
	rc = parse(&w, &argc, argv);
	if (!rc)
		rc = enter(ctx, &w);
	if (rc)
		return rc;
	if (argc == 1) {
		report_list(w.out);
		return OK;
	}
	if (make_folder(w.pcap) || make_folder(w.svg))
		return FAILED;
	out_list(w.out, NULL);
	for (i = 1; i < argc; i++)
		for (e = experiments; e->name; e++)
			if (!strcmp(argv[i], "all") || !strcmp(argv[i], e->name))
				rc |= run_in(&w, e);
	out_end(w.out);
	report_tally(w.out, &w.tally);
	return rc ?: w.tally.verdict[LAB_INCONCLUSIVE] ? INCONCLUSIVE : OK;
}
