// SPDX-License-Identifier: GPL-2.0-only
/*
 * finack set: changes all controls that are given, or none. With --dry-run it says what they would
 * do, and tries in a new namespace whether the kernel accepts them.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "predict.h"
#include "read/file.h"
#include "read/knobs.h"

/** struct change - what is to be set */
struct change {
	struct setting *setting;
	size_t n;
};

static int complain(const struct setting *s)
{
	struct knobs *k = malloc(sizeof(*k));
	int err = errno, rc = FAILED;

	if (err == ENOENT && k && !knobs_read(k))
		rc = knob_unknown(k, s->name);
	else if (err == EINVAL || err == ERANGE)
		fprintf(stderr, "finack: the kernel does not take '%s' for %s, which is %s now and "
			"takes %s; nothing was changed\n", s->value, s->name,
			*s->old ? s->old : "empty", knob_takes(s->name));
	else if (err == EOPNOTSUPP)
		fprintf(stderr, "finack: %s needs a hook that this kernel does not have; "
			"run: finack doctor\n", s->name);
	else
		fprintf(stderr, "finack: cannot set %s: %s%s\n", s->name, strerror(err),
			err == EPERM || err == EACCES ?
			"; run as root (CAP_NET_ADMIN over the namespace; who may arm a hook is up "
			"to the module parameter userns_hooks)" : "");
	free(k);
	return rc;
}

static int set(struct ctx *ctx, const struct netns *ns, void *arg)
{
	const struct change *c = arg;
	const struct setting *refused = knobs_apply(c->setting, c->n);
	char path[400], value[1024];
	size_t i;

	(void)ns;
	if (refused)
		return complain(refused);
	out_object(&ctx->out, "knobs");
	for (i = 0; i < c->n; i++) {
		snprintf(path, sizeof(path), KNOBS_DIR "/%.255s", c->setting[i].name);
		if (file_line(path, value, sizeof(value)))
			knob_print(ctx, c->setting[i].name, value);
	}
	out_end(&ctx->out);
	return OK;
}

/* try in a new namespace whether the kernel accepts the settings on top of those set here */
static int try_elsewhere(const struct change *c)
{
	struct knobs *k = malloc(sizeof(*k));
	const struct setting *refused;
	struct setting now;
	size_t i;
	int status;
	pid_t pid;

	if (!k || knobs_read(k)) {
		file_complain(KNOBS_DIR);
		free(k);
		return FAILED;
	}
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(OK); /* not permitted to try */
		for (i = 0; i < 2 * k->n; i++) {
			now = (struct setting){ .name = k->knob[i % k->n].name,
						.value = k->knob[i % k->n].value };
			knobs_apply(&now, 1);
		}
		refused = knobs_apply(c->setting, c->n);
		_exit(refused ? complain(refused) : OK);
	}
	free(k);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return FAILED;
	return WEXITSTATUS(status);
}

static int try(struct ctx *ctx, const struct netns *ns, void *arg)
{
	(void)ctx;
	(void)ns;
	return try_elsewhere(arg);
}

static int dry_run(struct ctx *ctx, struct change *c)
{
	struct ctx quiet = *ctx;
	int rc = OK;

	quiet.quiet = true;
	if (c->n)
		rc = each_netns(&quiet, try, c);
	return rc ? rc : predict_print(ctx, c->setting, c->n);
}

/* "NAME VALUE" and "NAME=VALUE", as many as there are */
static int parse(struct change *c, int argc, char **argv)
{
	char *value;
	int i;

	for (i = 1; i < argc; i++) {
		value = strchr(argv[i], '=');
		if (value)
			*value++ = '\0';
		else if (i + 1 == argc)
			return misuse("set takes pairs, a control and its value: '%s' has none",
				      argv[i]);
		c->setting[c->n].name = argv[i];
		c->setting[c->n++].value = value ? value : argv[++i];
	}
	return OK;
}

int set_main(struct ctx *ctx, int argc, char **argv)
{
	struct change c = {};
	int rc;

	if (argc == 1 && !ctx->dry_run)
		return misuse("set needs a control and its value");
	if (ctx->seconds && !ctx->dry_run)
		return misuse("-d goes with --dry-run");
	if (!module_ready(KNOBS_DIR))
		return FAILED;
	c.setting = calloc(argc, sizeof(*c.setting));
	if (!c.setting)
		return FAILED;
	rc = parse(&c, argc, argv);
	if (rc) {
		free(c.setting);
		return rc;
	}
	rc = ctx->dry_run ? dry_run(ctx, &c) : each_netns(ctx, set, &c);
	free(c.setting);
	return rc;
}
