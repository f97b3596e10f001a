// SPDX-License-Identifier: GPL-2.0-only
/* What the options say, and running a function in each of the namespaces that they name. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctx.h"
#include "read/file.h"

int misuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("finack: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs("; see finack -h\n", stderr);
	va_end(ap);
	return MISUSE;
}

void netns_print(struct ctx *ctx, const struct netns *ns)
{
	char label[512];

	if (ctx->out.json) {
		if (*ns->name)
			out_str(&ctx->out, "netns", 0, ns->name);
		out_u64(&ctx->out, "netns_inode", 0, ns->inode);
		if (ns->pid) {
			out_u64(&ctx->out, "netns_pid", 0, ns->pid);
			out_str(&ctx->out, "netns_command", 0, ns->command);
		}
	} else if (ctx->all) {
		out_color(&ctx->out, OUT_HEAD);
		if (ctx->out.numeric)
			printf("netns %lu", (unsigned long)ns->inode);
		else
			printf("netns %s", netns_label(ns, label, sizeof(label)));
		out_color(&ctx->out, OUT_PLAIN);
		out_nl(&ctx->out);
	}
}

static int in_one(struct ctx *ctx, const struct netns *ns, const struct netns *self,
		  int (*fn)(struct ctx *ctx, const struct netns *ns, void *arg), void *arg)
{
	char label[512];
	int rc;

	if (ns->inode != self->inode && netns_enter(ns)) {
		if (ctx->all && (errno == ESTALE || errno == ENOENT))
			return OK; /* it has ended meanwhile */
		fprintf(stderr, "finack: cannot enter the network namespace %s: %s%s\n",
			netns_label(ns, label, sizeof(label)), strerror(errno),
			errno == EPERM ? "; run as root" : "");
		return FAILED;
	}
	if (ctx->quiet)
		return fn(ctx, ns, arg);
	out_object(&ctx->out, NULL);
	netns_print(ctx, ns);
	rc = fn(ctx, ns, arg);
	out_end(&ctx->out);
	if (ctx->out.unfinished)
		out_record(&ctx->out);
	return rc;
}

int each_netns(struct ctx *ctx, int (*fn)(struct ctx *ctx, const struct netns *ns, void *arg),
	       void *arg)
{
	struct netns self;
	int rc = OK, one;
	size_t i;

	if (netns_self(&self))
		self.inode = 0;
	bool list = ctx->all && !ctx->quiet;

	if (list)
		out_list(&ctx->out, NULL);
	for (i = 0; i < ctx->ns_count; i++) {
		one = in_one(ctx, &ctx->ns[i], &self, fn, arg);
		rc = one > rc ? one : rc;
		self.inode = 0; /* from now on we may be in another one */
		if (list && i + 1 < ctx->ns_count)
			out_text(&ctx->out, ctx->out.oneline ? "" : "\n");
	}
	if (list)
		out_end(&ctx->out);
	return rc;
}

bool netns_others(const struct ctx *ctx, char *buf, size_t size)
{
	struct netns *all;
	size_t n;

	if (ctx->all || ctx->out.json)
		return false;
	n = netns_list(&all);
	if (n)
		free(all);
	if (n < 2)
		return false;
	snprintf(buf, size, n == 2 ? "is %zu more network namespace" :
		 "are %zu more network namespaces", n - 1);
	return true;
}

bool module_ready(const char *path)
{
	if (!access(path, R_OK))
		return true;
	file_complain(path);
	return false;
}
