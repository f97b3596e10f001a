// SPDX-License-Identifier: GPL-2.0-only
/* finack waiting: which sockets owe their close(), for how long, and whose they are. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "read/file.h"
#include "read/waiting.h"
#include "service.h"
#include "words.h"

/**
 * struct query - what is asked for, and where to find processes
 * @sport: local port, 0 for any
 * @dport: remote port, 0 for any
 * @pid: process, 0 for any
 * @older: seconds
 * @services: the sockets of all processes, and who listens in the namespace at hand
 */
struct query {
	uint64_t sport;
	uint64_t dport;
	uint64_t pid;
	double older;
	struct services services;
};

#define FRONT 27	/* columns before the addresses */
#define USER 8		/* columns of the user */
#define INDENT 2	/* of continuation lines */

/** struct table - the widths of the columns */
struct table {
	int local;
	int remote;
	int process;
};

static int parse(struct query *q, int argc, char **argv)
{
	bool ok;
	int i;

	for (i = 1; i < argc; i += 2) {
		const char *word = argv[i], *value = argv[i + 1];

		if (strcmp(word, "sport") && strcmp(word, "dport") && strcmp(word, "older") &&
		    strcmp(word, "pid"))
			return misuse("waiting does not know '%s'", word);
		if (!value)
			return misuse("'%s' needs a number", word);
		if (!strcmp(word, "older"))
			ok = word_seconds(value, &q->older);
		else if (!strcmp(word, "pid"))
			ok = word_number(value, 1, INT32_MAX, &q->pid);
		else
			ok = word_number(value, 1, 65535, *word == 's' ? &q->sport : &q->dport);
		if (!ok)
			return misuse("'%s' is not a value for %s", value, word);
	}
	return OK;
}

static const struct proc_socket *first_of(const struct query *q, const struct waiter *w)
{
	return procs_find(&q->services.procs, w->inode);
}

static bool more_of(const struct query *q, const struct proc_socket *s)
{
	const struct procs *p = &q->services.procs;

	return s + 1 < p->socket + p->n && s[1].inode == s->inode;
}

static bool wanted(const struct query *q, const struct waiter *w)
{
	const struct proc_socket *s;

	if ((q->sport && w->lport != q->sport) || (q->dport && w->rport != q->dport) ||
	    w->age_ms < q->older * 1000)
		return false;
	for (s = q->pid ? first_of(q, w) : NULL; s; s = more_of(q, s) ? s + 1 : NULL)
		if ((uint64_t)s->pid == q->pid)
			return true;
	return !q->pid;
}

static char *address(char *buf, size_t size, const char *addr, uint64_t port)
{
	snprintf(buf, size, strchr(addr, ':') ? "[%s]:%u" : "%s:%u", addr, (unsigned int)port);
	return buf;
}

static int process_width(const struct proc_socket *s)
{
	return snprintf(NULL, 0, " %s (pid %d, fd %d)", s->command, (int)s->pid, (int)s->fd);
}

/* what to say of a socket that no process has; Return: @buf */
static char *nobody(char *buf, size_t size, const struct query *q, const struct waiter *w)
{
	const struct proc_socket *s = service_process(&q->services, w->lport);

	if (!strcmp(w->owner, "closed"))
		snprintf(buf, size, " - (closed already)");
	else if (strcmp(w->owner, "unaccepted"))
		snprintf(buf, size, " -");
	else if (s)
		snprintf(buf, size, " never accepted by %s (pid %d)", s->command, (int)s->pid);
	else
		snprintf(buf, size, " never accepted");
	return out_clean(buf);
}

static struct table measure(const struct waiting *w, const struct query *q)
{
	struct table t = { strlen("Local"), strlen("Remote"), strlen(" Process") };
	const struct proc_socket *s;
	char text[120];
	size_t i;
	int n;

	for (i = 0; i < w->n; i++) {
		const struct waiter *r = &w->row[i];

		if (!wanted(q, r))
			continue;
		n = strlen(address(text, sizeof(text), r->local, r->lport));
		t.local = n > t.local ? n : t.local;
		n = strlen(address(text, sizeof(text), r->remote, r->rport));
		t.remote = n > t.remote ? n : t.remote;
		s = first_of(q, r);
		n = s ? process_width(s) : (int)strlen(nobody(text, sizeof(text), q, r));
		t.process = n > t.process ? n : t.process;
	}
	return t;
}

static void processes(struct out *o, const struct query *q, const struct waiter *w, int *column)
{
	const struct proc_socket *s = first_of(q, w);
	char text[120];
	bool more;

	out_list(o, "processes");
	if (!s) {
		nobody(text, sizeof(text), q, w);
		out_room(o, column, INDENT, strlen(text));
		out_text(o, "%s", text);
	}
	for (; s; s = more ? s + 1 : NULL) {
		more = more_of(q, s);
		out_room(o, column, INDENT, process_width(s) + more);
		out_object(o, NULL);
		out_text(o, " ");
		out_str(o, "command", 0, s->command);
		out_text(o, " (pid ");
		out_u64(o, "pid", 0, s->pid);
		out_text(o, ", fd ");
		out_u64(o, "fd", 0, s->fd);
		out_text(o, more ? ")," : ")");
		out_end(o);
	}
	out_end(o);
}

static void user(struct out *o, uint64_t uid, int *column)
{
	struct passwd *pw = o->json || o->numeric ? NULL : getpwuid(uid);
	char name[33];

	if (pw) {
		snprintf(name, sizeof(name), "%.32s", pw->pw_name);
		out_str(o, "uid", -USER, out_clean(name));
		*column += strlen(name) > USER ? strlen(name) - USER : 0;
	} else {
		out_u64(o, "uid", -USER, uid);
	}
}

static void endpoint(struct out *o, const char *key, int width, const char *addr, uint64_t port)
{
	char text[80];

	out_object(o, key);
	if (o->json) {
		out_str(o, "address", 0, addr);
		out_u64(o, "port", 0, port);
	} else {
		address(text, sizeof(text), addr, port);
		out_text(o, "%-*s", width, text);
	}
	out_end(o);
}

static void line(struct ctx *ctx, const struct query *q, const struct waiter *w,
		 const struct table *t)
{
	struct out *o = &ctx->out;
	int column = FRONT;

	out_object(o, NULL);
	out_us(o, "age_us", 9, w->age_ms * 1000);
	out_text(o, "  ");
	out_str(o, "ack", -8, w->ack);
	out_u64(o, "unread", 8, w->unread);
	out_room(o, &column, INDENT, 2 + t->local);
	out_text(o, "  ");
	endpoint(o, "local", t->local, w->local, w->lport);
	out_room(o, &column, INDENT, 2 + t->remote);
	out_text(o, "  ");
	endpoint(o, "remote", t->remote, w->remote, w->rport);
	out_room(o, &column, INDENT, 2 + USER + t->process);
	out_text(o, "  ");
	column -= t->process;
	user(o, w->uid, &column);
	processes(o, q, w, &column);
	if (o->json) {
		out_u64(o, "inode", 0, w->inode);
		out_str(o, "owner", 0, w->owner);
	}
	out_record(o);
	out_end(o);
}

static void heading(struct out *o, const struct table *t)
{
	int column = FRONT;

	out_color(o, OUT_HEAD);
	out_text(o, "%9s  %-8s%8s", "Age", "ACK", "Unread");
	out_room(o, &column, INDENT, 2 + t->local);
	out_text(o, "  %-*s", t->local, "Local");
	out_room(o, &column, INDENT, 2 + t->remote);
	out_text(o, "  %-*s", t->remote, "Remote");
	out_room(o, &column, INDENT, 2 + USER + t->process);
	out_text(o, "  %-*s Process", USER, "User");
	out_color(o, OUT_PLAIN);
	out_record(o);
}

static int waiting(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct query *q = arg;
	struct out *o = &ctx->out;
	struct waiting w;
	struct table t;
	size_t i, n = 0;

	(void)ns;
	if (waiting_read(&w)) {
		file_complain(WAITING_FILE);
		return FAILED;
	}
	services_enter(&q->services);
	t = measure(&w, q);
	out_list(o, "waiting");
	for (i = 0; i < w.n; i++) {
		if (!wanted(q, &w.row[i]))
			continue;
		if (!n++)
			heading(o, &t);
		line(ctx, q, &w.row[i], &t);
	}
	out_end(o);
	if (!n) {
		out_text(o, "no socket%s owes a close()", w.n ? " of these" : "");
		out_record(o);
	}
	waiting_free(&w);
	return OK;
}

int waiting_main(struct ctx *ctx, int argc, char **argv)
{
	struct query q = {};
	int rc = parse(&q, argc, argv);

	if (rc)
		return rc;
	if (!module_ready(WAITING_FILE))
		return FAILED;
	if (services_open(&q.services)) {
		fprintf(stderr, "finack: cannot look for processes: %s\n", strerror(errno));
		return FAILED;
	}
	rc = each_netns(ctx, waiting, &q);
	if (q.services.procs.hidden)
		fprintf(stderr, "finack: processes of others are not shown; run as root\n");
	services_free(&q.services);
	return rc;
}
