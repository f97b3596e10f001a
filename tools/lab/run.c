// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs an experiment: capture, counters, both sides as processes, then the judgement.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab.h"

#define DEADLINE_NS	(30 * 1000000000ULL)

const char * const lab_family_name[] = {
	[LAB_IPV4] = "ipv4",
	[LAB_IPV6] = "ipv6",
	[LAB_MAPPED] = "mapped",
};

/* a capture in progress */
struct capture {
	pcap_t *pcap;
	pcap_dumper_t *dump;
	char path[32];
};

static int problem(struct lab_result *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* notes the first problem; Return: -1 */
static int problem(struct lab_result *r, const char *fmt, ...)
{
	va_list ap;

	if (*r->problem)
		return -1;
	va_start(ap, fmt);
	vsnprintf(r->problem, sizeof(r->problem), fmt, ap);
	va_end(ap);
	return -1;
}

int lab_scratch(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd, rc;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	ifr.ifr_flags = IFF_UP | IFF_LOOPBACK;
	rc = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return rc;
}

/* capturing */

static void capture_stop(struct capture *c)
{
	if (c->dump)
		pcap_dump_close(c->dump);
	if (c->pcap)
		pcap_close(c->pcap);
	if (*c->path)
		unlink(c->path);
}

static int capture_start(struct capture *c, struct lab_result *r)
{
	char err[PCAP_ERRBUF_SIZE];
	struct bpf_program prog;
	int fd;

	strcpy(c->path, "/tmp/finack-lab.XXXXXX");
	fd = mkstemp(c->path);
	if (fd < 0) {
		*c->path = 0;
		return problem(r, "cannot make a file in /tmp: %s", strerror(errno));
	}
	close(fd);
	c->pcap = pcap_create("lo", err);
	if (!c->pcap)
		return problem(r, "cannot capture: %s", err);
	pcap_set_immediate_mode(c->pcap, 1);
	pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
	pcap_set_buffer_size(c->pcap, 4 << 20);
	if (pcap_activate(c->pcap) < 0 || pcap_setnonblock(c->pcap, 1, err) ||
	    pcap_compile(c->pcap, &prog, "tcp port 8888", 1, PCAP_NETMASK_UNKNOWN) ||
	    pcap_setfilter(c->pcap, &prog))
		return problem(r, "cannot capture: %s", pcap_geterr(c->pcap));
	pcap_freecode(&prog);
	c->dump = pcap_dump_open(c->pcap, c->path);
	return c->dump ? 0 : problem(r, "%s: %s", c->path, pcap_geterr(c->pcap));
}

static void capture_drain(struct capture *c)
{
	while (pcap_dispatch(c->pcap, -1, pcap_dump, (u_char *)c->dump) > 0)
		;
}

/* Return: the connection if there is exactly one so far */
static const struct wire_conn *capture_read(struct capture *c, struct lab_result *r)
{
	char err[200];

	capture_drain(c);
	pcap_dump_flush(c->dump);
	wire_free(&r->wire);
	if (wire_read(&r->wire, c->path, err, sizeof(err)))
		problem(r, "%s", err);
	return r->wire.n == 1 ? r->wire.conn[0] : NULL;
}

/* the two processes */

static socklen_t address(enum lab_family family, bool server, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (family == LAB_IPV4 || (family == LAB_MAPPED && !server)) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(LAB_PORT);
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*sin);
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(LAB_PORT);
	sin6->sin6_addr = family == LAB_IPV6 ? in6addr_loopback : in6addr_any;
	return sizeof(*sin6);
}

static void fail(struct role *role, const char *what)
{
	role_note(role, true, "%s: %s", what, strerror(errno));
	_exit(1);
}

static void serve(const struct experiment *e, enum lab_family family, struct role *role, int ready)
{
	struct sockaddr_storage ss;
	socklen_t len = address(family, true, &ss);
	int fd, conn, on = 1;

	fd = socket(ss.ss_family, SOCK_STREAM, 0);
	if (fd < 0)
		fail(role, "socket()");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (e->listener)
		e->listener(role, fd);
	if (bind(fd, (struct sockaddr *)&ss, len) || listen(fd, 8))
		fail(role, "bind() or listen() on port 8888");
	close(ready);
	conn = accept(fd, NULL, NULL);
	if (conn < 0)
		fail(role, "accept()");
	close(fd);
	e->server(role, conn);
	_exit(0);
}

static void usual_client(struct role *r, int fd)
{
	role_write(r, fd, "hello", 5);
	role_sleep(r, 1000);
	role_close(r, fd);
}

static void visit(const struct experiment *e, enum lab_family family, struct role *role)
{
	struct sockaddr_storage ss;
	socklen_t len = address(family, false, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len))
		fail(role, "connect()");
	(e->client ?: usual_client)(role, fd);
	_exit(0);
}

static pid_t start(const struct experiment *e, enum lab_family family, struct shared *shared,
		   bool server, int ready)
{
	struct role role = { shared, server };
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (server)
		serve(e, family, &role, ready);
	visit(e, family, &role);
	_exit(1);
}

/* both sides, until both are over and the wire shows the end */
static void act(const struct experiment *e, enum lab_family family, struct capture *c,
		struct lab_result *r)
{
	uint64_t deadline = role_now() + DEADLINE_NS;
	struct timespec pause = { 0, 2000000 };
	const struct wire_conn *conn = NULL;
	pid_t pid[2];
	int left = 2, i, ready[2];
	char byte;

	if (pipe(ready)) {
		problem(r, "pipe: %s", strerror(errno));
		return;
	}
	pid[0] = start(e, family, r->shared, true, ready[1]);
	close(ready[1]);
	i = read(ready[0], &byte, 1); /* until the server listens, or is gone */
	close(ready[0]);
	pid[1] = start(e, family, r->shared, false, -1);
	while (role_now() < deadline) {
		for (i = 0; i < 2; i++) {
			if (pid[i] > 0 && waitpid(pid[i], NULL, WNOHANG) == pid[i]) {
				pid[i] = 0;
				left--;
			}
		}
		capture_drain(c);
		if (!left) {
			conn = capture_read(c, r);
			if (conn && wire_ended(conn))
				break;
		}
		nanosleep(&pause, NULL);
	}
	for (i = 0; i < 2; i++) {
		if (pid[i] > 0) {
			kill(pid[i], SIGKILL);
			waitpid(pid[i], NULL, 0);
		}
	}
	if (!conn || !wire_ended(conn))
		problem(r, "the connection did not end within 30 s");
}

/* The route that is used to reach a loopback address is the one in the local table. An IPv6 one
 * that the kernel made has metric 0, which cannot be named, so it is replaced in two steps.
 */
static int set_route(enum lab_family family)
{
	return system(family == LAB_IPV6 ?
		      "ip -6 route del local ::1 dev lo table local &&"
		      "ip -6 route add local ::1 dev lo table local quickack 1" :
		      "ip route change local 127.0.0.1 dev lo table local proto kernel scope host "
		      "src 127.0.0.1 quickack 1");
}

/* judging */

static bool moves(const struct experiment *e, const char *name)
{
	const char *p = e->moves;
	size_t n;

	if (!strncmp(name, "FinAck", 6))
		name += 6;
	n = strlen(name);
	while ((p = strstr(p, name))) {
		if ((p == e->moves || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
		p += n;
	}
	return false;
}

static void judge_wire(const struct experiment *e, struct lab_result *r)
{
	const struct wire_conn *c = r->conn;
	double ms;

	r->close = wire_close(c);
	if (r->close.outcome != e->outcome)
		problem(r, "the wire shows %s, the claim is %s",
			wire_outcome_name(r->close.outcome), wire_outcome_name(e->outcome));
	if (e->segments && r->close.segments != e->segments)
		problem(r, "the wire shows %zu segments, the claim is %zu",
			r->close.segments, e->segments);
	if (e->ack_ms[1]) {
		ms = (c->seg[r->close.ack].ns - c->seg[r->close.fin].ns) / 1e6;
		if (ms < e->ack_ms[0] || ms > e->ack_ms[1])
			problem(r, "the ACK left %.3f ms after the FIN, the claim is %g to %g ms",
				ms, e->ack_ms[0], e->ack_ms[1]);
	}
}

static void judge_counters(const struct experiment *e, struct lab_result *r)
{
	size_t i;

	for (i = 0; i < r->after.n; i++) {
		const struct counter *k = &r->after.row[i];
		int64_t delta = k->value - counters_get(&r->before, k->name);

		if (delta != moves(e, k->name))
			problem(r, "%s moved by %lld, expected %d", k->name, (long long)delta,
				moves(e, k->name));
	}
}

static void judge_calm(struct lab_result *r)
{
	const struct calm *calm = &r->shared->calm;
	size_t i;

	if (!calm->ns[1])
		return;
	for (i = 0; i < r->conn->n; i++)
		if (r->conn->seg[i].ns > calm->ns[0] && r->conn->seg[i].ns < calm->ns[1])
			problem(r, "there is a segment where there should be none");
	if (memcmp(calm->counters[0].row, calm->counters[1].row,
		   calm->counters[0].n * sizeof(struct counter)))
		problem(r, "a counter moved where none should");
}

static void judge(const struct experiment *e, struct lab_result *r)
{
	int i, n = atomic_load(&r->shared->notes);

	for (i = 0; i < n && i < NOTES_MAX; i++)
		if (r->shared->note[i].failed)
			problem(r, "%s: %s", r->shared->note[i].server ? "server" : "client",
				r->shared->note[i].text);
	if (!r->conn) {
		problem(r, "%zu connections were captured, expected one", r->wire.n);
		return;
	}
	judge_wire(e, r);
	judge_calm(r);
	if (r->have_counters)
		judge_counters(e, r);
}

int lab_run(const struct experiment *e, enum lab_family family, struct lab_result *r)
{
	struct capture c = {};
	struct pcap_stat ps;
	int rc = -1;

	memset(r, 0, sizeof(*r));
	r->shared = mmap(NULL, sizeof(*r->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->shared == MAP_FAILED) {
		r->shared = NULL;
		return problem(r, "mmap: %s", strerror(errno));
	}
	if (capture_start(&c, r))
		goto out;
	if (e->route_quickack && set_route(family)) {
		problem(r, "ip route change failed");
		goto out;
	}
	r->have_counters = !counters_read(&r->before);
	if (!r->have_counters && errno != ENOENT) {
		problem(r, "/proc/net/finack: %s", strerror(errno));
		goto out;
	}
	act(e, family, &c, r);
	if (r->have_counters)
		counters_read(&r->after);
	r->conn = capture_read(&c, r);
	if (pcap_stats(c.pcap, &ps) || ps.ps_drop)
		problem(r, "the capture lost packets");
	judge(e, r);
	rc = 0;
out:
	capture_stop(&c);
	return rc;
}

void lab_free(struct lab_result *r)
{
	wire_free(&r->wire);
	if (r->shared)
		munmap(r->shared, sizeof(*r->shared));
}
