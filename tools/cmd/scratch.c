// SPDX-License-Identifier: GPL-2.0-only
/*
 * A child moves to a namespace of its own and closes connections there, with each way of ACKing a
 * FIN switched on in turn, so that every hook has something to do. The hook of retransmissions
 * needs a lost segment: a SYN to a listener whose queue is full.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/net.h"
#include "read/knobs.h"
#include "scratch.h"

static struct scratch *shared;

static int fail(const char *what)
{
	snprintf(shared->problem, sizeof(shared->problem), "%s: %s", what, strerror(errno));
	return -1;
}

static void nap(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

static int listener(struct sockaddr_in *addr, int backlog)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*addr);

	*addr = (struct sockaddr_in){ .sin_family = AF_INET };
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) || listen(fd, backlog) ||
	    getsockname(fd, (struct sockaddr *)addr, &len))
		return -1;
	return fd;
}

/* the client closes first, the server @ms after the FIN has come */
static int close_one(int l, const struct sockaddr_in *addr, int ms)
{
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;
	struct pollfd p = { .events = POLLRDHUP };
	char c;

	if (client < 0 || connect(client, (const struct sockaddr *)addr, sizeof(*addr)))
		return -1;
	server = accept(l, NULL, NULL);
	if (server < 0 || write(client, "x", 1) != 1 || close(client))
		return -1;
	p.fd = server;
	if (poll(&p, 1, 1000) != 1 || read(server, &c, 1) != 1)
		return -1;
	nap(ms);
	return close(server);
}

static uint64_t hits(const char *name)
{
	struct hooks h;
	size_t i;

	if (hooks_read(&h))
		return 0;
	for (i = 0; i < h.n; i++)
		if (!strcmp(h.hook[i].name, name))
			return h.hook[i].hits;
	return 0;
}

/* The listener has room for one connection. Once the first one is in its queue, the SYN of the
 * second one is dropped, and sent again after a second.
 */
static void lose_a_segment(void)
{
	uint64_t before = hits("tcp_retransmit_skb");
	struct pollfd queue = { .events = POLLIN };
	struct sockaddr_in addr;
	int fd[2], i;

	queue.fd = listener(&addr, 0);
	for (i = 0; i < 2; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(fd[i], (struct sockaddr *)&addr, sizeof(addr));
		poll(&queue, 1, 1000);
	}
	for (i = 0; i < 30 && hits("tcp_retransmit_skb") == before; i++)
		nap(100);
	for (i = 0; i < 2; i++)
		close(fd[i]);
	close(queue.fd);
}

/* read the hooks again; a hook that was armed once keeps that status */
static void look(void)
{
	struct hooks now;
	size_t i;

	if (hooks_read(&now))
		return;
	for (i = 0; i < now.n && i < shared->after.n; i++)
		if (hook_armed(&shared->after.hook[i]))
			now.hook[i] = (struct hook){ .hits = now.hook[i].hits,
						     .missed = now.hook[i].missed };
	for (i = 0; i < now.n; i++) {
		struct hook *h = &shared->after.hook[i];

		if (*now.hook[i].name)
			*h = now.hook[i];
		h->hits = now.hook[i].hits;
		h->missed = now.hook[i].missed;
	}
	shared->after.n = now.n;
}

static int child(void)
{
	struct setting detail = { .name = "detail", .value = "2" };
	struct setting fin_ack = { .name = "fin_ack" };
	static const char * const values[] = { "0", "1", "2" };
	struct sockaddr_in addr;
	size_t i;
	int l;

	if (lab_scratch())
		return fail("a network namespace to try in");
	l = listener(&addr, 10);
	if (l < 0)
		return fail("listen");
	if (knobs_apply(&detail, 1)) { /* 2 is for root of the host */
		detail.value = "1";
		knobs_apply(&detail, 1);
	}
	if (hooks_read(&shared->before))
		return fail(HOOKS_DIR);
	for (i = 0; i < 3; i++) {
		fin_ack.value = values[i];
		if (knobs_apply(&fin_ack, 1) && i)
			continue; /* this control is not available here */
		if (close_one(l, &addr, 0) || close_one(l, &addr, 100))
			return fail("closing a connection");
		look();
	}
	lose_a_segment();
	look();
	return 0;
}

bool scratch_run(struct scratch *result)
{
	pid_t pid;
	int status;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED) {
		snprintf(result->problem, sizeof(result->problem), "%s", strerror(errno));
		return false;
	}
	pid = fork();
	if (!pid)
		_exit(child() ? 1 : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail("a process");
	else if (WIFSIGNALED(status))
		snprintf(shared->problem, sizeof(shared->problem), "ended by signal %d",
			 WTERMSIG(status));
	*result = *shared;
	munmap(shared, sizeof(*shared));
	return !*result->problem;
}
