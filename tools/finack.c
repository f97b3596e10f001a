// SPDX-License-Identifier: GPL-2.0-only
/* The finack command: options, the table of commands, usage. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../module/version.h"
#include "cmd/cmd.h"
#include "option.h"
#include "words.h"

/* options that only some commands take */
#define OPT_STATS	1
#define OPT_ZEROS	2
#define OPT_SECONDS	4
#define OPT_DRY_RUN	8
#define OPT_OWN		16	/* the command has others, which it parses itself */
#define OPT_TEXT	32	/* -a, -o, -N: not the lab, which draws and makes namespaces */

/**
 * struct cmd - a command
 * @name: its word
 * @run: called with the command's word as argv[0]; returns the exit status
 * @options: OPT_*
 * @args: what may follow, for the usage
 * @help: one line
 * @usage: prints the command's own options, or NULL if it has none
 */
struct cmd {
	const char *name;
	int (*run)(struct ctx *ctx, int argc, char **argv);
	unsigned int options;
	const char *args;
	const char *help;
	void (*usage)(FILE *f);
};

static const struct cmd cmds[] = {
	{ "show", show_main, OPT_TEXT | OPT_STATS | OPT_ZEROS | OPT_SECONDS, "[-s] [-z] [-d SECS]",
	  "how closes end here (default); -s every counter, -d per second over SECS", NULL },
	{ "hist", hist_main, OPT_TEXT | OPT_ZEROS, "[ack|fin|stall|peer-stall]",
	  "delays of the peer's FIN's ACK and of our own FIN; what stalls cost", NULL },
	{ "ports", ports_main, OPT_TEXT | OPT_SECONDS, "[-d SECS] [time|closes|stalls|waiting]",
	  "the same per service, by time lost or as asked; -d what came in SECS", NULL },
	{ "waiting", waiting_main, OPT_TEXT, "[sport PORT] [dport PORT] [older SECS] [pid PID]",
	  "which sockets owe their close(), for how long, and whose they are", NULL },
	{ "watch", watch_main, OPT_TEXT,
	  "[sport PORT] [dport PORT] [outcome WORD] [reason WORD] [end WORD]\n        [count N]",
	  "each close as it happens", NULL },
	{ "stalls", stalls_main, OPT_TEXT | OPT_SECONDS,
	  "[-d SECS] [sport PORT] [dport PORT] [side local|peer] [count N]",
	  "each wait for a delayed ACK as it happens; -d counts them for so long", NULL },
	{ "get", get_main, OPT_TEXT, "[KNOB...]", "the controls", NULL },
	{ "set", set_main, OPT_TEXT | OPT_DRY_RUN | OPT_SECONDS,
	  "[--dry-run [-d SECS]] KNOB VALUE...",
	  "change controls, or say how many segments it would add or save", NULL },
	{ "why", why_main, OPT_TEXT, "", "what the closes here suffer from, and what would help",
	  NULL },
	{ "doctor", doctor_main, OPT_TEXT, "", "is everything in order on this machine?", NULL },
	{ "lab", lab_main, OPT_OWN, "[LAB OPTIONS] [NAME...|all]",
	  "list the experiments, or run some and draw what the wire saw (lab -h)", lab_usage },
	{ 0 }
};

struct options {
	const char *netns;
	const char *color;
	const char *seconds;
	bool version;
	bool help;
	unsigned int used; /* OPT_* */
};

static void usage(FILE *f)
{
	const struct cmd *c;

	fprintf(f, "Usage: finack [OPTIONS] [COMMAND]\n\nCOMMAND := {\n");
	for (c = cmds; c->name; c++)
		fprintf(f, "  %s%s%s\n      %s\n", c->name, *c->args ? " " : "", c->args, c->help);
	fprintf(f, "}\n\n"
		"OPTIONS := { -n[etns] NAME|PID|PATH | -a[ll] | -j[son] | -p[retty] |\n"
		"             -o[neline] | -N[umeric] | -c[olor][=auto|always|never] |\n"
		"             -V[ersion] | -h[elp] }\n");
}

/* of a command without options of its own */
static void usage_of(const struct cmd *c)
{
	printf("Usage: finack [OPTIONS] %s%s%s\n\n%s\n\n'finack -h' has the OPTIONS, finack(8) all "
	       "else.\n", c->name, *c->args ? " " : "", c->args, c->help);
}

static int no_command(const char *word)
{
	char names[256] = "";
	const struct cmd *c;
	size_t n = 0;

	for (c = cmds; c->name && n < sizeof(names); c++)
		n += snprintf(names + n, sizeof(names) - n, "%s ", c->name);
	return misuse("there is no command '%s'%s", word, word_near(word, names));
}

/* Return: the row of a command; the empty row at the end if there is none */
static const struct cmd *find_cmd(const char *word)
{
	const struct cmd *c = cmds;

	while (c->name && strcmp(c->name, word))
		c++;
	return c;
}

static bool is_color(struct options *opt, const char *word)
{
	const char *bare = word + 1 + (word[1] == '-'), *eq = strchr(bare, '=');
	size_t n = eq ? (size_t)(eq - bare) : strlen(bare);

	if (!(n == 1 && *bare == 'c' && word[1] != '-') && !(n == 5 && !strncmp(bare, "color", 5)))
		return false;
	opt->color = eq ? eq + 1 : "always";
	return true;
}

/* Removes the options from @argv. What stays, NULL-terminated, are the words and the options that a
 * command parses itself; those follow the command's word.
 */
static int parse(struct ctx *ctx, struct options *opt, int *argc, char **argv,
		 const struct cmd **cmd)
{
	const struct option rows[] = {
		{ "n", "netns", NULL, &opt->netns, 0 }, { "a", "all", &ctx->all, NULL, OPT_TEXT },
		{ "j", "json", &ctx->out.json, NULL, 0 },
		{ "p", "pretty", &ctx->out.pretty, NULL, 0 },
		{ "o", "oneline", &ctx->out.oneline, NULL, OPT_TEXT },
		{ "N", "Numeric", &ctx->out.numeric, NULL, OPT_TEXT },
		{ NULL, "numeric", &ctx->out.numeric, NULL, OPT_TEXT },
		{ "V", "Version", &opt->version, NULL, 0 },
		{ NULL, "version", &opt->version, NULL, 0 },
		{ "h", "help", &opt->help, NULL, 0 },
		{ "s", "stats", &ctx->stats, NULL, OPT_STATS },
		{ "z", "zeros", &ctx->zeros, NULL, OPT_ZEROS },
		{ "d", "delay", NULL, &opt->seconds, OPT_SECONDS },
		{ NULL, "dry-run", &ctx->dry_run, NULL, OPT_DRY_RUN },
		{ 0 }
	};
	const struct option *o;
	int i, rc, words = 0;

	for (i = 1; i < *argc; i++) {
		if (!option_is(argv[i])) {
			argv[words++] = argv[i];
			if (words == 1)
				*cmd = find_cmd(argv[0]);
			continue;
		}
		if (is_color(opt, argv[i]))
			continue;
		/* a command's own option may be spelled like one that only other commands take */
		o = option_find(rows, argv[i],
				(*cmd)->options & OPT_OWN ? ~((*cmd)->options | OPT_TEXT) : 0);
		if (!o && (*cmd)->options & OPT_OWN) {
			argv[words++] = argv[i];
			continue;
		}
		if (!o)
			return misuse("there is no option '%s'", argv[i]);
		rc = option_take(o, argv, &i);
		if (rc)
			return rc;
		opt->used |= o->kind;
	}
	argv[words] = NULL;
	*argc = words;
	return OK;
}

static int set_color(struct ctx *ctx, const char *when)
{
	const char *no = getenv("NO_COLOR");

	if (!when || !strcmp(when, "auto"))
		ctx->out.color = isatty(STDOUT_FILENO) && !(no && *no);
	else if (!strcmp(when, "always"))
		ctx->out.color = true;
	else if (strcmp(when, "never"))
		return misuse("-color is auto, always or never, not '%s'", when);
	return OK;
}

static int set_seconds(struct ctx *ctx, const char *word)
{
	if (!word)
		return OK;
	if (!word_seconds(word, &ctx->seconds) || ctx->seconds < 0.01)
		return misuse("-d takes seconds, from 0.01 on, not '%s'", word);
	return OK;
}

static int netns_complain(const char *spec)
{
	if (errno == ENOENT)
		fprintf(stderr, "finack: there is no network namespace '%s'; 'ip netns' lists "
			"those with names, else give a PID or a path\n", spec);
	else
		fprintf(stderr, "finack: network namespace '%s': %s%s\n", spec, strerror(errno),
			errno == EACCES ? "; run as root" : "");
	return FAILED;
}

static int set_netns(struct ctx *ctx, const char *spec)
{
	static struct netns one;

	if (spec && ctx->all)
		return misuse("-n and -a exclude each other");
	if (ctx->all) {
		ctx->ns_count = netns_list(&ctx->ns);
		return ctx->ns_count ? OK : netns_complain("all");
	}
	if (spec ? netns_find(spec, &one) : netns_self(&one))
		return netns_complain(spec ? spec : "of this process");
	ctx->ns = &one;
	ctx->ns_count = 1;
	return OK;
}

/* what is still buffered may fail to be written, for example to a full disk */
static int finish(int rc)
{
	if ((fflush(stdout) || ferror(stdout)) && rc == OK) {
		fprintf(stderr, "finack: cannot write: %s\n", strerror(errno));
		rc = FAILED;
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct ctx ctx = {};
	struct options opt = {};
	const struct cmd *cmd = cmds;
	unsigned int wrong;
	int rc;

	setlocale(LC_CTYPE, "");
	rc = parse(&ctx, &opt, &argc, argv, &cmd);
	if (rc)
		return rc;
	if (opt.help || opt.version) {
		if (opt.help && cmd->usage)
			cmd->usage(stdout);
		else if (opt.help && argc && cmd->name)
			usage_of(cmd);
		else if (opt.help)
			usage(stdout);
		else
			printf("finack %s\n", FINACK_VERSION);
		return finish(OK);
	}
	if (!cmd->name)
		return no_command(argv[0]);
	wrong = opt.used & ~cmd->options;
	if (wrong)
		return misuse("%s does not take %s", cmd->name, wrong & OPT_DRY_RUN ? "--dry-run" :
			      wrong & OPT_SECONDS ? "-d" : wrong & OPT_STATS ? "-s" :
			      wrong & OPT_ZEROS ? "-z" : "-a, -o or -N");
	out_init(&ctx.out);
	rc = set_color(&ctx, opt.color) ?: set_seconds(&ctx, opt.seconds);
	if (!rc)
		rc = set_netns(&ctx, opt.netns);
	if (!rc && !argc)
		rc = cmd->run(&ctx, 1, (char *[]){ "show", NULL });
	else if (!rc)
		rc = cmd->run(&ctx, argc, argv);
	if (ctx.all)
		free(ctx.ns);
	return finish(rc);
}
