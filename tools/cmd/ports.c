// SPDX-License-Identifier: GPL-2.0-only
/* finack ports: what is counted per service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "interval.h"
#include "read/file.h"
#include "service.h"

#define INDENT 2	/* of continuation lines */
#define FRONT 40	/* columns before the waits */
#define WAITS 38
#define QUICK 10

/**
 * struct view - what to show
 * @order: what the services are sorted by
 * @before: a reading per namespace, to be subtracted; NULL for none
 * @total: of all namespaces
 * @services: who listens
 */
struct view {
	int (*order)(const void *a, const void *b);
	struct ports *before;
	struct port_row total;
	struct services services;
};

static uint64_t lost_ms(const struct port_row *r)
{
	return r->stall_ms + r->peer_stall_ms;
}

static int more(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

/* other comes last, and what is equal by number of the port */
static int rest(const struct port_row *x, const struct port_row *y)
{
	int by_port = more(strtoull(y->port, NULL, 10), strtoull(x->port, NULL, 10));

	if (port_is_service(x) != port_is_service(y))
		return port_is_service(x) ? -1 : 1;
	return by_port ? by_port : strcmp(x->side, y->side);
}

static int by_closes(const void *a, const void *b)
{
	const struct port_row *x = a, *y = b;
	int rc = port_is_service(x) && port_is_service(y) ? more(x->passive, y->passive) : 0;

	return rc ? rc : rest(x, y);
}

static int by_stalls(const void *a, const void *b)
{
	const struct port_row *x = a, *y = b;
	int rc = 0;

	if (port_is_service(x) && port_is_service(y))
		rc = more(x->stalls + x->peer_stalls, y->stalls + y->peer_stalls);
	return rc ? rc : by_closes(a, b);
}

static int by_time(const void *a, const void *b)
{
	const struct port_row *x = a, *y = b;
	int rc = port_is_service(x) && port_is_service(y) ? more(lost_ms(x), lost_ms(y)) : 0;

	return rc ? rc : by_closes(a, b);
}

static int by_waiting(const void *a, const void *b)
{
	const struct port_row *x = a, *y = b;
	int rc = port_is_service(x) && port_is_service(y) ? more(x->close_wait, y->close_wait) : 0;

	return rc ? rc : by_closes(a, b);
}

static const struct {
	const char *word;
	int (*order)(const void *a, const void *b);
} orders[] = {
	{ "time", by_time }, { "closes", by_closes }, { "stalls", by_stalls },
	{ "waiting", by_waiting },
};

static void heading(struct out *o)
{
	int column = FRONT;

	out_color(o, OUT_HEAD);
	out_text(o, "%5s %-6s %9s %9s %7s", "Port", "Side", "Closes", "Separate", "Waiting");
	out_room(o, &column, INDENT, WAITS);
	out_text(o, " %9s %8s %8s %9s", "TimerACKs", "Stalls", "Peer's", "Lost");
	out_room(o, &column, INDENT, QUICK);
	out_text(o, " %9s", "QuickACKs");
	out_text(o, "  Process");
	out_color(o, OUT_PLAIN);
	out_record(o);
}

static void process(struct out *o, const struct services *s, const struct port_row *r, int *column)
{
	const struct proc_socket *p = NULL;

	if (!strcmp(r->side, "local"))
		p = service_process(s, strtoull(r->port, NULL, 10));
	if (!p)
		return;
	out_room(o, column, INDENT,
		 snprintf(NULL, 0, "  %s (pid %d)", p->command, (int)p->pid));
	out_object(o, "listener");
	out_text(o, "  ");
	out_str(o, "command", 0, p->command);
	out_text(o, " (pid ");
	out_u64(o, "pid", 0, p->pid);
	out_text(o, ")");
	out_end(o);
}

/* the columns that only JSON has */
static void only_json(struct out *o, const struct port_row *r)
{
	if (!o->json)
		return;
	out_u64(o, "merged", 0, r->merged);
	out_u64(o, "unacked", 0, r->unacked);
	out_u64(o, "stall_ms", 0, r->stall_ms);
	out_u64(o, "peer_stall_ms", 0, r->peer_stall_ms);
	out_u64(o, "credit", 0, r->credit);
	out_u64(o, "held", 0, r->held);
}

static void line(struct out *o, const struct services *s, const struct port_row *r)
{
	int column = FRONT;

	out_object(o, NULL);
	out_str(o, "port", 5, r->port);
	out_text(o, " ");
	out_str(o, "side", -6, r->side);
	out_text(o, " ");
	out_u64(o, "passive", 9, r->passive);
	out_text(o, " ");
	out_u64(o, "separate", 9, r->separate);
	out_text(o, " ");
	out_u64(o, "close_wait", 7, r->close_wait);
	out_room(o, &column, INDENT, WAITS);
	out_text(o, " ");
	out_u64(o, "timer_ack", 9, r->timer_ack);
	out_text(o, " ");
	out_u64(o, "stalls", 8, r->stalls);
	out_text(o, " ");
	out_u64(o, "peer_stalls", 8, r->peer_stalls);
	out_text(o, " ");
	out_us(o, "lost_us", 9, lost_ms(r) * 1000);
	out_room(o, &column, INDENT, QUICK);
	out_text(o, " ");
	out_u64(o, "quick_acks", 9, r->quick_acks);
	only_json(o, r);
	process(o, s, r, &column);
	out_record(o);
	out_end(o);
}

/* whether anything was counted that this table shows; "other" is shown only then */
static bool says_something(const struct port_row *r)
{
	return r->passive || r->close_wait || r->timer_ack || r->stalls || r->peer_stalls ||
	       r->quick_acks || r->held;
}

static void table(struct ctx *ctx, struct view *v, const struct ports *p)
{
	struct port_row sum = { .port = "all", .side = "" };
	struct out *o = &ctx->out;
	size_t i, shown = 0;

	out_list(o, "ports");
	for (i = 0; i < p->n; i++) {
		ports_sum(&sum, &p->row[i]);
		if (!says_something(&p->row[i]) && (v->before || !port_is_service(&p->row[i])))
			continue;
		if (!shown++)
			heading(o);
		line(o, &v->services, &p->row[i]);
	}
	out_end(o);
	if (shown > 1 && !o->json)
		line(o, &v->services, &sum);
	if (!shown) {
		out_text(o, v->before ? "nothing was counted meanwhile" : "no service was met yet");
		out_record(o);
	}
	ports_sum(&v->total, &sum);
}

static int ports(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct view *v = arg;
	struct ports p;

	if (ports_read(&p)) {
		file_complain(PORTS_FILE);
		return FAILED;
	}
	services_enter(&v->services);
	if (v->before) {
		ports_sub(&p, &v->before[ns - ctx->ns]);
		out_fixed(&ctx->out, "seconds", 0, 2, ctx->seconds);
		out_text(&ctx->out, " seconds");
		out_nl(&ctx->out);
	}
	if (p.n)
		qsort(p.row, p.n, sizeof(*p.row), v->order);
	table(ctx, v, &p);
	ports_free(&p);
	return OK;
}

static int first(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct view *v = arg;

	if (!ports_read(&v->before[ns - ctx->ns]))
		return OK;
	file_complain(PORTS_FILE);
	return FAILED;
}

static int over_interval(struct ctx *ctx, struct view *v)
{
	struct ctx quiet = *ctx;
	int rc = FAILED;
	size_t i;

	v->before = calloc(ctx->ns_count, sizeof(*v->before));
	if (!v->before)
		return FAILED;
	quiet.quiet = true;
	if (!each_netns(&quiet, first, v)) {
		ctx->seconds = interval_wait(ctx->seconds);
		rc = each_netns(ctx, ports, v);
	}
	for (i = 0; i < ctx->ns_count; i++)
		ports_free(&v->before[i]);
	free(v->before);
	return rc;
}

/* with -a, what all namespaces have together */
static void totals(struct ctx *ctx, const struct view *v)
{
	const struct port_row *t = &v->total;
	struct out *o = &ctx->out;
	char lost[32], text[256];

	if (!ctx->all || o->json)
		return;
	snprintf(text, sizeof(text),
		 "all namespaces: %llu closes, %llu separate, %llu waiting for close(), %llu stalls, "
		 "%s lost", (unsigned long long)t->passive, (unsigned long long)t->separate,
		 (unsigned long long)t->close_wait,
		 (unsigned long long)(t->stalls + t->peer_stalls),
		 out_duration(lost, sizeof(lost), lost_ms(t) * 1000));
	out_text(o, o->oneline ? "" : "\n");
	out_wrapped(o, NULL, 0, text);
	if (o->unfinished)
		out_record(o);
}

int ports_main(struct ctx *ctx, int argc, char **argv)
{
	struct view v = { .order = by_time };
	size_t i = 0;
	int rc;

	while (argc > 1 && i < sizeof(orders) / sizeof(*orders) && strcmp(orders[i].word, argv[1]))
		i++;
	if (argc > 2 || i == sizeof(orders) / sizeof(*orders))
		return misuse("ports sorts by time, closes, stalls or waiting, '%s' was given",
			      argv[argc - 1]);
	if (argc > 1)
		v.order = orders[i].order;
	if (!module_ready(PORTS_FILE))
		return FAILED;
	services_open(&v.services); /* without it no process is named */
	rc = ctx->seconds ? over_interval(ctx, &v) : each_netns(ctx, ports, &v);
	if (!rc)
		totals(ctx, &v);
	services_free(&v.services);
	return rc;
}
