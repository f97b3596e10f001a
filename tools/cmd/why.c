// SPDX-License-Identifier: GPL-2.0-only
/* finack why: says what the closes of a namespace suffer from and what would help, with numbers. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "predict.h"
#include "read/file.h"
#include "read/hooks.h"
#include "read/waiting.h"
#include "service.h"

#define LONG_MS 10000	/* a close() that is this late is a leak, not a pause */

/**
 * struct symptom - something that a counter tells
 * @counter: its name
 * @percent: it is reported from this percentage of all passive closes on
 * @text: what it means and what helps
 */
static const struct symptom {
	const char *counter;
	double percent;
	const char *text;
} symptoms[] = {
	{ "FinAckSepTimer", 5,
	  "sent the ACK by itself because the application closed later than the delayed-ACK "
	  "timer, 40 ms after data. Code: close() sooner after read() returned 0. Here: "
	  "'finack set fin_ack 2' holds the ACK for up to fin_hold_ms." },
	{ "FinAckSepNoAto", 5,
	  "came from peers that never sent data (health checks, probes, readers): the kernel "
	  "then delays the ACK by one timer tick only, and close() came later. Here: 'finack "
	  "set fin_ack 2'." },
	{ "FinAckSepRoute", 5,
	  "were ACKed at once because the route says quickack 1. Here: 'ip route change ... "
	  "quickack 0', or 'finack set fin_ack 2'." },
	{ "FinAckSepNow", 5,
	  "were ACKed at once by the kernel: more than a segment was not ACKed yet, or data "
	  "came out of order before the FIN. Here: 'finack set fin_ack 2'." },
	{ "FinAckSepApp", 5,
	  "were ACKed because the application asked for it: TCP_QUICKACK after the end of "
	  "data, or a read that moved the window. Code: leave TCP_QUICKACK alone at the end." },
	{ "FinAckSepData", 5,
	  "were ACKed by data that the application sent after the FIN. There is nothing to gain: that "
	  "segment had to leave anyway." },
	{ "FinAckSepPolicy", 5,
	  "were ACKed at once by finack, because fin_ack or quickack is 1. Here: 'finack "
	  "get'; 'finack set --dry-run' tells what the others would do." },
	{ "FinAckSepHeld", 5,
	  "were held for our FIN in vain: close() came later than fin_hold_ms. Here: a longer "
	  "fin_hold_ms, up to about 200 before peers send their FIN again." },
	{ "FinAckSepUnknown", 5,
	  "were ACKed for a reason that no hook saw: detail was 0, or a hook is absent or was "
	  "missed. Here: 'finack doctor', 'finack get detail'." },
	{ "FinAckEndResetOut", 2,
	  "ended by a RST of ours: closed with data unread, or SO_LINGER 0. The peer may lose "
	  "what we sent last. Code: read to the end before close()." },
	{ "FinAckEndResetIn", 2,
	  "ended by a RST of the peer: it was sent data after it had closed, or it gave up. "
	  "Code: look at what is written after read() returned 0." },
	{ "FinAckEndExit", 5,
	  "ended only because the process exited: nobody closed the socket. Code: close() "
	  "after read() returned 0." },
	{ "FinAckEndOther", 1,
	  "ended by a timeout: the peer no longer answered. Network, not code." },
	{ "FinAckUntracked", 1,
	  "found the record table full, so that their delays and reasons are not known. Here: "
	  "load the module with a larger max_tracked." },
};

/**
 * struct facts - what the answer relies on
 * @c: the counters
 * @h: the delays
 * @w: the sockets that wait for close()
 * @k: the controls
 * @p: the services
 * @s: who listens; shared by all namespaces
 * @stuck: how many sockets were closed here, and the peer has not taken what they sent
 * @stuck_ms: how old the oldest such close is
 * @passive: how many passive closes there were
 */
struct facts {
	struct counters c;
	struct hists h;
	struct waiting w;
	struct knobs k;
	struct ports p;
	struct services *s;
	size_t stuck;
	uint64_t stuck_ms;
	uint64_t passive;
};

/* Prints a finding about @name. If that is a counter, JSON also has its value. */
static __attribute__((format(printf, 4, 5))) void
say(struct ctx *ctx, struct facts *f, const char *name, const char *fmt, ...)
{
	struct out *o = &ctx->out;
	char text[1024];
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_object(o, NULL);
	out_str(o, "about", 0, name);
	out_text(o, ":");
	out_nl(o);
	out_text(o, "  ");
	out_wrapped(o, "text", 2, out_clean(text));
	for (i = 0; o->json && i < f->c.n; i++)
		if (!strcmp(f->c.row[i].name, name))
			out_u64(o, "value", 0, f->c.row[i].value);
	out_end(o);
}

/* Those who have called close() do not owe it. The oldest comes first. */
static void set_closed_apart(struct facts *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->w.n; i++) {
		const struct waiter *w = &f->w.row[i];

		if (strcmp(w->owner, "closed"))
			f->w.row[n++] = *w;
		else if (w->age_ms >= LONG_MS && !f->stuck++)
			f->stuck_ms = w->age_ms;
	}
	f->w.n = n;
}

static int gather(struct facts *f, struct services *s)
{
	const char *path = COUNTERS_FILE;
	bool bad = counters_read(&f->c);

	if (!bad) {
		path = HISTS_FILE;
		bad = hists_read(&f->h);
	}
	if (!bad) {
		path = WAITING_FILE;
		bad = waiting_read(&f->w);
	}
	if (!bad) {
		path = KNOBS_DIR;
		bad = knobs_read(&f->k);
	}
	if (!bad) {
		path = PORTS_FILE;
		bad = ports_read(&f->p);
	}
	if (bad)
		file_complain(path);
	else
		services_enter(s);
	f->s = s;
	set_closed_apart(f);
	f->passive = counters_get(&f->c, "FinAckPassive");
	return bad ? FAILED : OK;
}

static void outcome(struct ctx *ctx, struct facts *f)
{
	uint64_t merged = counters_get(&f->c, "FinAckMerged");
	const struct hist *fin = hists_get(&f->h, "FinAckFinDelay");
	char p50[32], p99[32], late[128] = "";
	uint64_t lower;

	out_duration(p50, sizeof(p50), hist_quantile(fin, 0.5, &lower));
	out_duration(p99, sizeof(p99), hist_quantile(fin, 0.99, &lower));
	if (fin->count)
		snprintf(late, sizeof(late), " Half of our FINs left within %s, 99 %% within %s.",
			 p50, p99);
	say(ctx, f, "FinAckMerged",
	    "Of %llu close%s by peers %llu (%.1f %%) took three segments.%s",
	    (unsigned long long)f->passive, f->passive == 1 ? "" : "s", (unsigned long long)merged,
	    100.0 * merged / f->passive, late);
}

static void known_symptoms(struct ctx *ctx, struct facts *f)
{
	size_t i;

	for (i = 0; i < sizeof(symptoms) / sizeof(*symptoms); i++) {
		const struct symptom *s = &symptoms[i];
		unsigned long long n = counters_get(&f->c, s->counter);

		if (n == 1 && 100 >= s->percent * f->passive)
			say(ctx, f, s->counter, "1 close (%.1f %%) %s%s", 100.0 / f->passive,
			    strncmp(s->text, "were ", 5) ? "" : "was ",
			    s->text + (strncmp(s->text, "were ", 5) ? 0 : 5));
		else if (n && 100.0 * n >= s->percent * f->passive)
			say(ctx, f, s->counter, "%llu closes (%.1f %%) %s", n,
			    100.0 * n / f->passive, s->text);
	}
}

/* What a hold would save, unless it is in force. Return: whether it would save something. */
static bool remedy(struct ctx *ctx, struct facts *f)
{
	struct setting hold = { .name = "fin_ack", .value = "2" };
	struct policy now, then;
	struct prediction p;

	if (!knobs_get(&f->k, "fin_ack"))
		return false;
	policy_from(&now, &f->k, NULL, 0);
	policy_from(&then, &f->k, &hold, 1);
	p = predict(&f->c, hists_get(&f->h, "FinAckFinDelay"), &now, &then);
	if (now.fin_ack >= 2 || p.likely >= -0.01 * f->passive)
		return false;
	say(ctx, f, "fin_ack",
	    "A hold of %llu ms ('finack set fin_ack 2', or 3 to hold only where that pays) "
	    "would save about %.0f segments in 100 closes like these.",
	    (unsigned long long)then.fin_hold_ms, -100.0 * p.likely / f->passive);
	return true;
}

/**
 * struct leak - the sockets that have waited long for close()
 * @n: how many
 * @unaccepted: of these, those that nobody has accepted
 * @port: the local port that has most of them
 * @at_port: how many it has
 * @holder: the process that has most of them, NULL if none can be seen
 * @held: how many it has
 */
struct leak {
	size_t n;
	size_t unaccepted;
	uint64_t port;
	size_t at_port;
	const struct proc_socket *holder;
	size_t held;
};

#define LEAKS_MOST 1000 /* so many are looked at */

/* Return: how many of the first @n have the same port as, or are of the process @s */
static size_t alike(const struct facts *f, size_t n, uint64_t port, const struct proc_socket *s)
{
	size_t i, same = 0;

	for (i = 0; i < n; i++) {
		const struct waiter *w = &f->w.row[i];
		const struct proc_socket *t = s ? procs_find(&f->s->procs, w->inode) : NULL;

		same += s ? t && t->pid == s->pid : w->lport == port;
	}
	return same;
}

static struct leak find_leak(const struct facts *f)
{
	struct leak l = {};
	size_t i, some, same;

	for (; l.n < f->w.n && f->w.row[l.n].age_ms >= LONG_MS; l.n++)
		l.unaccepted += !strcmp(f->w.row[l.n].owner, "unaccepted");
	some = l.n < LEAKS_MOST ? l.n : LEAKS_MOST;
	for (i = 0; i < some; i++) {
		const struct waiter *w = &f->w.row[i];
		const struct proc_socket *s = procs_find(&f->s->procs, w->inode);

		same = w->lport == l.port ? 0 : alike(f, some, w->lport, NULL);
		if (same > l.at_port) {
			l.at_port = same;
			l.port = w->lport;
		}
		same = !s || (l.holder && l.holder->pid == s->pid) ? 0 : alike(f, some, 0, s);
		if (same > l.held) {
			l.held = same;
			l.holder = s;
		}
	}
	return l;
}

/* writes whose they are, and what has to be done; Return: @buf */
static char *blame(char *buf, size_t size, const struct leak *l)
{
	char some[64] = "", who[96] = "No process that has them can be seen.";

	if (l->unaccepted == l->n) {
		snprintf(buf, size,
			 "%s never accepted: who listens there does not call accept(). No control "
			 "can help: the code has to.", l->n == 1 ? "It was" : "They were");
		return buf;
	}
	if (l->holder)
		snprintf(who, sizeof(who), "%.32s (pid %d) has %zu of them.", l->holder->command,
			 (int)l->holder->pid, l->held);
	if (l->unaccepted)
		snprintf(some, sizeof(some), " %zu %s never accepted.", l->unaccepted,
			 l->unaccepted == 1 ? "was" : "were");
	snprintf(buf, size, "%s%s No control can help: the code has to close.", who, some);
	return buf;
}

/* who does not close, and where */
static void leaks(struct ctx *ctx, struct facts *f)
{
	char age[32], port[16], where[96], who[256];
	struct leak l = find_leak(f);

	if (!l.n)
		return;
	out_duration(age, sizeof(age), f->w.row[0].age_ms * 1000);
	snprintf(port, sizeof(port), "%u", (unsigned int)l.port);
	service_name(where, sizeof(where), f->s, port, "local");
	say(ctx, f, "waiting",
	    "%zu socket%s waited for close() for more than %d s by now, the oldest for %s%s %s. %s "
	    "'finack waiting' lists them.",
	    l.n, l.n == 1 ? " has" : "s have", LONG_MS / 1000, age,
	    l.at_port == l.n ? ", at" : ", most at", where,
	    blame(who, sizeof(who), &l));
}

/* whose peer does not read what they sent before they closed */
static void stuck(struct ctx *ctx, struct facts *f)
{
	char age[32];

	if (!f->stuck)
		return;
	out_duration(age, sizeof(age), f->stuck_ms * 1000);
	say(ctx, f, "waiting",
	    "%zu socket%s closed here, and the FIN has not left: the peer does not take what has to "
	    "go before it. The peer's FIN came up to %s ago. There: read to the end. Code here: "
	    "TCP_USER_TIMEOUT limits the wait. No control can help. 'finack waiting' lists them.",
	    f->stuck, f->stuck == 1 ? " was" : "s were", age);
}

static void plateau(struct ctx *ctx, struct facts *f)
{
	const struct hist *ack = hists_get(&f->h, "FinAckAckDelay");
	uint64_t least, most;
	double n;

	n = hist_below(ack, 65536, &least, &most);
	n -= hist_below(ack, 32768, &least, &most);
	if (ack->count && n >= 0.05 * ack->count)
		say(ctx, f, "FinAckAckDelay",
		    "%.0f ACKs of a FIN (%.1f %%) left 33 to 65 ms late: the 40 ms of the "
		    "delayed-ACK timer. A peer that waits for them sees 40 ms. Here: 'finack set "
		    "fin_ack 1' sends them at once.", n, 100 * n / ack->count);
}

/* Return: which of a row's numbers is largest in the row of one service; NULL if it is 0 in all */
static const struct port_row *worst(const struct facts *f, size_t offset)
{
	const struct port_row *row = NULL;
	uint64_t most = 0, v;
	size_t i;

	for (i = 0; i < f->p.n; i++) {
		memcpy(&v, (const char *)&f->p.row[i] + offset, sizeof(v));
		if (v > most && port_is_service(&f->p.row[i])) {
			most = v;
			row = &f->p.row[i];
		}
	}
	return row;
}

#define WORST(_f, _field) worst(_f, offsetof(struct port_row, _field))

/* writes ", most of it at port 80 (nginx, pid 7)", or nothing; Return: @buf */
static char *most_at(char *buf, size_t size, const struct facts *f, const struct port_row *row,
		     bool all)
{
	char name[96];

	*buf = '\0';
	if (row)
		snprintf(buf, size, ", %s %s", all ? "all at" : "most of it at",
			 service_name(name, sizeof(name), f->s, row->port, row->side));
	return buf;
}

static void local_stalls(struct ctx *ctx, struct facts *f, unsigned long long n)
{
	const char *quickack = knobs_get(&f->k, "quickack");
	const struct port_row *row = WORST(f, stall_ms);
	const char *ports = knobs_get(&f->k, "ports");
	char lost[32], at[128], cure[256];

	if (quickack && strcmp(quickack, "0"))
		snprintf(cure, sizeof(cure),
			 "Here quickack is %.8s now%s%.40s: 'finack -d 10 ports stalls' shows "
			 "whether they go on.", quickack,
			 ports && *ports ? ", for the ports " : "", ports ? ports : "");
	else
		snprintf(cure, sizeof(cure),
			 "Here: 'finack set quickack 2' finds such services and spares the others; "
			 "it costs them at most 16 ACKs for each wait. Without finack: 'ip route "
			 "change ... quickack 1', for all of the route.");
	out_duration(lost, sizeof(lost), counters_get(&f->c, "FinAckStallMs") * 1000);
	say(ctx, f, "FinAckStall",
	    "%llu time%s a peer waited for a delayed ACK of ours, %s in all%s: the peer writes twice "
	    "before it reads. %s There: TCP_NODELAY, or one write.",
	    n, n == 1 ? "" : "s", lost,
	    most_at(at, sizeof(at), f, row, row && row->stalls == n), cure);
}

static void peer_stalls(struct ctx *ctx, struct facts *f, unsigned long long n)
{
	const struct port_row *row = WORST(f, peer_stall_ms);
	char lost[32], at[128];

	out_duration(lost, sizeof(lost), counters_get(&f->c, "FinAckPeerStallMs") * 1000);
	say(ctx, f, "FinAckPeerStall",
	    "%llu time%s we waited for a delayed ACK of the peer, %s in all%s, with data that Nagle's "
	    "algorithm held back. Code: TCP_NODELAY, or one write instead of several. No control here "
	    "can help.", n, n == 1 ? "" : "s", lost,
	    most_at(at, sizeof(at), f, row, row && row->peer_stalls == n));
}

static void late_acks(struct ctx *ctx, struct facts *f, unsigned long long n)
{
	const struct port_row *row = WORST(f, timer_ack);
	char at[128];

	say(ctx, f, "FinAckTimerAck",
	    "The delayed-ACK timer sent %llu ACKs of data%s. Somebody may have waited for them: "
	    "'finack stalls -d 10' shows who, 'finack set detail 2' counts them.", n,
	    most_at(at, sizeof(at), f, row, row && row->timer_ack == n));
}

/* who waited for a delayed ACK, what that cost, and what helps; what cost more comes first */
static void waits(struct ctx *ctx, struct facts *f)
{
	unsigned long long local = counters_get(&f->c, "FinAckStall");
	unsigned long long peer = counters_get(&f->c, "FinAckPeerStall");
	unsigned long long timer = counters_get(&f->c, "FinAckTimerAck");
	bool ours = counters_get(&f->c, "FinAckStallMs") >=
		    counters_get(&f->c, "FinAckPeerStallMs");
	const char *detail = knobs_get(&f->k, "detail");

	if (local && ours)
		local_stalls(ctx, f, local);
	if (peer)
		peer_stalls(ctx, f, peer);
	if (local && !ours)
		local_stalls(ctx, f, local);
	if (timer >= 5 && !local && !peer && detail && strcmp(detail, "2"))
		late_acks(ctx, f, timer);
}

static void health(struct ctx *ctx, struct facts *f)
{
	struct hooks h;

	if (!hooks_read(&h) && hooks_missed(&h))
		say(ctx, f, "hooks",
		    "%llu hits of hooks were missed, on the whole machine, because other probes "
		    "ran. Outcomes are right all the same, reasons may be unknown.",
		    (unsigned long long)hooks_missed(&h));
}

static int why(struct ctx *ctx, const struct netns *ns, void *arg)
{
	struct facts *f = calloc(1, sizeof(*f));
	int rc = f ? gather(f, arg) : FAILED;

	(void)ns;
	if (!rc) {
		out_list(&ctx->out, "findings");
		leaks(ctx, f);
		stuck(ctx, f);
		waits(ctx, f);
		if (f->passive) {
			outcome(ctx, f);
			known_symptoms(ctx, f);
			if (!remedy(ctx, f)) /* one or the other: they contradict each other */
				plateau(ctx, f);
		} else {
			say(ctx, f, "FinAckPassive",
			    "No peer has closed a connection here since the module was loaded "
			    "or the namespace made: there is nothing to say yet.");
		}
		health(ctx, f);
		out_end(&ctx->out);
	}
	if (f) {
		ports_free(&f->p);
		waiting_free(&f->w);
	}
	free(f);
	return rc;
}

int why_main(struct ctx *ctx, int argc, char **argv)
{
	struct services s;
	int rc;

	if (argc > 1)
		return misuse("why takes no arguments, '%s' was given", argv[1]);
	if (!module_ready(COUNTERS_FILE))
		return FAILED;
	services_open(&s); /* without it no process is named */
	rc = each_netns(ctx, why, &s);
	services_free(&s);
	return rc;
}
