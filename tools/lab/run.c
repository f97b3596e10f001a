// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs an experiment: network, controls, capture, counters, both sides as processes, judgement.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "lab.h"
#include "sides.h"

#define DEADLINE_S	30
#define LOOK_MS		200	/* looks for changes without a segment: a queued FIN, a timeout */
#define LOOK_LINK_MS	10	/* and at the far end of a slow link */
#define STALL_NS	1000000	/* a look that is later was kept from running */

/* an experiment that is being run */
struct run {
	const struct experiment *e;
	const struct lab_options *o;
	struct lab_result *r;
	struct net net;
	struct capture capture;
	pid_t pid[__LAB_SIDE_MAX];
	struct pollfd event[__LAB_SIDE_MAX + 1]; /* the end of each side, and the capture */
	bool news;	/* the capture has more than was read */
	uint64_t look;	/* when the lab is to look again, at the latest */
};

static void fail(struct role *role, const char *what)
{
	role_note(role, true, "%s: %s", what, strerror(errno));
	_exit(1);
}

static void serve(const struct run *run, struct role *role, int ready)
{
	struct sockaddr_storage ss;
	socklen_t len = net_address(&run->net, run->o->family, true, &ss);
	int fd, conn, on = 1;

	fd = socket(ss.ss_family, SOCK_STREAM, 0);
	if (fd < 0)
		fail(role, "socket()");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (run->e->listener)
		run->e->listener(role, fd);
	if (bind(fd, (struct sockaddr *)&ss, len) || listen(fd, 8))
		fail(role, "bind() or listen() on port 8888");
	close(ready);
	conn = accept(fd, NULL, NULL);
	if (conn < 0)
		fail(role, "accept()");
	close(fd);
	role_note(role, false, "accept() = %d", conn);
	run->e->server(role, conn);
}

static void visit(const struct run *run, struct role *role)
{
	struct sockaddr_storage *end = role->shared->end, ss;
	socklen_t len = net_address(&run->net, run->o->family, false, &ss), size = sizeof(ss);
	int fd;

	if (net_enter(run->net.client))
		fail(role, "setns()");
	fd = socket(ss.ss_family, SOCK_STREAM, 0);
	if (fd >= 0 && run->e->caller)
		run->e->caller(role, fd);
	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len))
		fail(role, "connect()");
	memcpy(&end[LAB_SERVER], &ss, sizeof(ss));
	getsockname(fd, (struct sockaddr *)&end[LAB_CLIENT], &size);
	role_note(role, false, "connect() = 0");
	atomic_store(&role->shared->connected, true);
	(run->e->client ?: usual_client)(role, fd);
}

/* On a single CPU our exit() would delay the peer. So the server exits when the client is done,
 * which is when it has closed its end of @done; the client exits when the server has exited.
 */
static void wait_for_peer(const struct run *run, enum lab_side side, const int done[2])
{
	struct pollfd peer = { .fd = done[0], .events = POLLIN };

	if (side == LAB_CLIENT) {
		close(done[1]);
		peer.fd = run->event[LAB_SERVER].fd;
	}
	poll(&peer, 1, -1);
}

static void start(struct run *run, enum lab_side side, int ready, const int done[2])
{
	struct role role = { run->r->shared, side == LAB_SERVER, run->o->role };
	const struct sched_param first = { .sched_priority = 1 };
	struct rlimit no_core = { 0, 0 };
	pid_t pid = fork();

	if (pid < 0) {
		lab_problem(run->r, "fork: %s", strerror(errno));
		return;
	}
	if (pid) {
		run->pid[side] = pid;
		run->event[side].fd = syscall(SYS_pidfd_open, pid, 0);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* If it is allowed. A process that takes the CPU in the middle of a close delays it; the
	 * lab itself would, when a segment wakes it.
	 */
	sched_setscheduler(0, SCHED_FIFO, &first);
	setrlimit(RLIMIT_CORE, &no_core);
	if (side == LAB_SERVER) {
		close(done[1]);
		serve(run, &role, ready);
	} else {
		visit(run, &role);
	}
	wait_for_peer(run, side, done);
	_exit(0);
}

/* start the server, and the client when the server listens or has exited */
static int start_sides(struct run *run)
{
	int ready[2], done[2];
	char byte;

	if (pipe(ready) || pipe(done))
		return lab_problem(run->r, "pipe: %s", strerror(errno));
	start(run, LAB_SERVER, ready[1], done);
	close(ready[1]);
	if (read(ready[0], &byte, 1) < 0)
		lab_problem(run->r, "pipe: %s", strerror(errno));
	close(ready[0]);
	if (run->pid[LAB_SERVER] > 0)
		start(run, LAB_CLIENT, -1, done);
	close(done[0]);
	close(done[1]);
	return run->pid[LAB_CLIENT] > 0 ? 0 : -1;
}

static void forget(struct pollfd *event)
{
	if (event->fd >= 0)
		close(event->fd);
	event->fd = -1;
}

static void end_sides(struct run *run)
{
	int i;

	for (i = 0; i < __LAB_SIDE_MAX; i++) {
		if (run->pid[i] > 0) {
			kill(run->pid[i], SIGKILL);
			waitpid(run->pid[i], NULL, 0);
		}
		forget(&run->event[i]);
	}
}

static void read_capture(struct run *run)
{
	struct lab_result *r = run->r;
	char err[200];

	if (capture_read(&run->capture, &r->wire, err, sizeof(err)))
		lab_problem(r, "%s", err);
	r->conn = r->wire.n == 1 ? r->wire.conn[0] : NULL;
}

/* Return: whether both processes are gone and the connection has come to its end */
static bool over(struct run *run)
{
	struct lab_result *r = run->r;
	int i, left = 0;

	for (i = 0; i < __LAB_SIDE_MAX; i++) {
		if (run->pid[i] > 0 &&
		    waitpid(run->pid[i], &r->status[i], WNOHANG) == run->pid[i]) {
			run->pid[i] = 0;
			forget(&run->event[i]);
		}
		left += run->pid[i] > 0;
	}
	run->news |= capture_drain(&run->capture);
	if (atomic_load(&r->shared->connected))
		states_ask(&r->states, r->shared->end, role_now());
	if (left)
		return false;
	if (run->e->end == LAB_GIVEN_UP)
		return !states_last(&r->states, true);
	if (run->news)
		read_capture(run);
	run->news = false;
	return r->conn && wire_ended(r->conn);
}

static void wait_event(struct run *run)
{
	const int ms = run->net.link ? LOOK_LINK_MS : LOOK_MS;
	uint64_t now = role_now();

	if (run->look && now > run->look + STALL_NS)
		lab_stall(run->r, run->look, now);
	run->look = now + ms * 1000000ULL;
	poll(run->event, __LAB_SIDE_MAX + 1, ms);
}

static void act(struct run *run)
{
	/* with loss on the link, segments sent again may be lost, too */
	unsigned int deadline_s = run->o->changed ? 3 * DEADLINE_S : DEADLINE_S;
	uint64_t deadline = role_now() + deadline_s * 1000000000ULL;
	bool ended = false;

	run->event[__LAB_SIDE_MAX].fd = pcap_get_selectable_fd(run->capture.pcap);
	if (start_sides(run)) {
		end_sides(run);
		return;
	}
	while (!(ended = over(run)) && role_now() < deadline)
		wait_event(run);
	end_sides(run);
	if (!ended)
		lab_problem(run->r, "the connection did not end within %u s", deadline_s);
	else if (atomic_load(&run->r->shared->connected))
		states_ask(&run->r->states, run->r->shared->end, role_now());
}

/* read the counters of both namespaces; Return: 0, or -1 with errno */
static int read_counters(const struct run *run, struct counters c[__LAB_SIDE_MAX])
{
	if (counters_read(&c[LAB_SERVER]))
		return -1;
	if (!run->net.link)
		return 0;
	if (net_enter(run->net.client) || counters_read(&c[LAB_CLIENT]))
		return -1;
	return net_enter(run->net.server);
}

static int set_knobs(struct run *run)
{
	const char * const *k;
	char name[64];

	for (k = run->o->knobs; k && *k; k++) {
		const char *value = strchr(*k, '=');

		if (!value)
			return lab_problem(run->r, "%s is not NAME=VALUE", *k);
		snprintf(name, sizeof(name), "finack/%.*s", (int)(value - *k), *k);
		if (!net_setting(name, value + 1))
			continue;
		if (errno == ENOENT)
			return lab_problem(run->r, "there is no control %s%s", name + 7,
					   access("/proc/sys/net/finack", F_OK) ?
					   ": the module is not loaded; modprobe finack" : "");
		return lab_problem(run->r, "/proc/sys/net/%s: %s", name, strerror(errno));
	}
	return 0;
}

static int prepare(struct run *run)
{
	struct lab_result *r = run->r;
	const struct capture_options capture = {
		.filter = "tcp port 8888", .snaplen = 256, .buffer = 1 << 19,
	};
	struct net_options want = run->e->net;
	const char *problem = NULL;
	char err[200];

	want.link |= run->o->net.link;
	want.rtt_ms = run->o->net.rtt_ms ?: want.rtt_ms;
	want.loss_percent = run->o->net.loss_percent;
	r->shared = mmap(NULL, sizeof(*r->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->shared == MAP_FAILED) {
		r->shared = NULL;
		return lab_problem(r, "mmap: %s", strerror(errno));
	}
	errno = 0;
	if (run->o->on)
		run->net = *run->o->on;
	else
		problem = net_make(&run->net, &want, run->o->family);
	if (problem)
		return lab_problem(r, "%s%s%s", problem, errno ? ": " : "",
				   errno ? strerror(errno) : "");
	r->device = run->net.device;
	states_begin(&r->states, &run->net);
	if (set_knobs(run))
		return -1;
	if (capture_start(&run->capture, run->net.device, &capture, err, sizeof(err)))
		return lab_problem(r, "%s", err);
	r->have_counters = !read_counters(run, r->before);
	if (!r->have_counters && errno != ENOENT)
		return lab_problem(r, "/proc/net/finack: %s", strerror(errno));
	return 0;
}

int lab_run(const struct experiment *e, const struct lab_options *o, struct lab_result *r)
{
	struct run run = { .e = e, .o = o, .r = r, .capture.fd = -1 };
	int i, rc;

	for (i = 0; i <= __LAB_SIDE_MAX; i++)
		run.event[i] = (struct pollfd){ -1, POLLIN, 0 };

	memset(r, 0, sizeof(*r));
	r->e = e;
	r->o = o;
	rc = prepare(&run);
	if (!rc) {
		act(&run);
		if (r->have_counters)
			read_counters(&run, r->after);
		read_capture(&run);
		r->lost = capture_lost(&run.capture);
		lab_judge(r);
		if (o->pcap && capture_save(&run.capture, o->pcap))
			rc = lab_problem(r, "%s: %s", o->pcap, strerror(errno));
	}
	capture_stop(&run.capture);
	states_end(&r->states);
	if (!o->on)
		net_free(&run.net);
	return rc;
}

void lab_free(struct lab_result *r)
{
	wire_free(&r->wire);
	if (r->shared)
		munmap(r->shared, sizeof(*r->shared));
}
