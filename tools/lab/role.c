// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "role.h"

uint64_t role_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void role_note(struct role *r, bool failed, const char *fmt, ...)
{
	int i = atomic_fetch_add(&r->shared->notes, 1);
	struct note *n = &r->shared->note[i];
	va_list ap;

	if (i >= NOTES_MAX)
		return;
	n->ns = role_now();
	n->server = r->server;
	n->failed = failed;
	va_start(ap, fmt);
	vsnprintf(n->text, sizeof(n->text), fmt, ap);
	va_end(ap);
}

void role_expect(struct role *r, bool ok, const char *what)
{
	if (!ok)
		role_note(r, true, "not so: %s", what);
}

/* keeps errno for the caller */
static int noted(struct role *r, const char *call, int ret)
{
	int err = errno;

	if (ret < 0)
		role_note(r, false, "%s = -1 %s", call, strerrorname_np(err));
	else
		role_note(r, false, "%s = %d", call, ret);
	errno = err;
	return ret;
}

int role_read(struct role *r, int fd, void *buf, size_t size)
{
	return noted(r, "read()", read(fd, buf, size));
}

int role_write(struct role *r, int fd, const void *buf, size_t size)
{
	return noted(r, "write()", write(fd, buf, size));
}

void role_close(struct role *r, int fd)
{
	/* noted before, because what it causes is noted by others */
	role_note(r, false, "close()");
	role_expect(r, !close(fd), "close() succeeds");
}

void role_shutdown(struct role *r, int fd, int how)
{
	role_note(r, false, "shutdown(%s)", how == SHUT_WR ? "SHUT_WR" : "SHUT_RD");
	role_expect(r, !shutdown(fd, how), "shutdown() succeeds");
}

void role_option(struct role *r, int fd, int opt, const char *name, int value)
{
	role_note(r, false, "setsockopt(%s, %d)", name, value);
	role_expect(r, !setsockopt(fd, IPPROTO_TCP, opt, &value, sizeof(value)),
		    "setsockopt() succeeds");
}

void role_sleep(struct role *r, unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	role_note(r, false, "sleeps %u ms", ms);
	nanosleep(&ts, NULL);
}

void role_wait(struct role *r, int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	role_expect(r, poll(&p, 1, 10000) == 1, "poll() reports an event within 10 s");
}

size_t role_until_eof(struct role *r, int fd)
{
	size_t sum = 0;
	char buf[4096];
	int n;

	while ((n = role_read(r, fd, buf, sizeof(buf))) > 0)
		sum += n;
	role_expect(r, !n, "the peer's data ends with read() = 0");
	return sum;
}

void role_next_tick(void)
{
	struct timespec then, now;

	/* the coarse clock advances with each tick (kernel/time/timekeeping.c) */
	clock_gettime(CLOCK_MONOTONIC_COARSE, &then);
	do
		clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	while (now.tv_nsec == then.tv_nsec);
}

void role_calm(struct role *r, int end)
{
	struct calm *c = &r->shared->calm;

	if (end)
		c->ns[end] = role_now();
	if (counters_read(&c->counters[end]))
		c->counters[end].n = 0;
	if (!end)
		c->ns[end] = role_now();
}
