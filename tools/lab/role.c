// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "role.h"

uint64_t role_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* notes beyond NOTES_MAX are lost */
struct note *role_note(struct role *r, bool failed, const char *fmt, ...)
{
	static struct note lost;
	int i = atomic_fetch_add(&r->shared->notes, 1);
	struct note *n = i < NOTES_MAX ? &r->shared->note[i] : &lost;
	va_list ap;

	n->ns = role_now();
	n->server = r->server;
	n->failed = failed;
	va_start(ap, fmt);
	vsnprintf(n->text, sizeof(n->text), fmt, ap);
	va_end(ap);
	return n;
}

void role_expect(struct role *r, bool ok, const char *what)
{
	if (!ok)
		role_note(r, true, "failed: %s", what);
}

/* append what a call returned to its note; keeps errno for the caller */
static int returned(struct note *n, int ret)
{
	size_t len = strlen(n->text);
	int err = errno;

	if (ret < 0)
		snprintf(n->text + len, sizeof(n->text) - len, " = -1 %s", strerrorname_np(err));
	else
		snprintf(n->text + len, sizeof(n->text) - len, " = %d", ret);
	errno = err;
	return ret;
}

static int noted(struct role *r, const char *call, int ret)
{
	int err = errno;
	struct note *n = role_note(r, false, "%s", call);

	errno = err;
	return returned(n, ret);
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
	/* noted before the call, because others note what it causes */
	struct note *n = role_note(r, false, "close()");

	role_expect(r, !returned(n, close(fd)), "close() succeeds");
}

void role_shutdown(struct role *r, int fd, int how)
{
	const char *name = how == SHUT_WR ? "SHUT_WR" : "SHUT_RD";
	struct note *n = role_note(r, false, "shutdown(%s)", name);

	role_expect(r, !returned(n, shutdown(fd, how)), "shutdown() succeeds");
}

static void set_option(struct role *r, int fd, int level, int opt, const char *name, int value)
{
	struct note *n = role_note(r, false, "setsockopt(%s, %d)", name, value);

	role_expect(r, !returned(n, setsockopt(fd, level, opt, &value, sizeof(value))),
		    "setsockopt() succeeds");
}

void role_option(struct role *r, int fd, int opt, const char *name, int value)
{
	set_option(r, fd, IPPROTO_TCP, opt, name, value);
}

void role_buffer(struct role *r, int fd, int opt, const char *name, int value)
{
	set_option(r, fd, SOL_SOCKET, opt, name, value);
}

struct note *role_pause(struct role *r, unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };
	struct note *n = role_note(r, false, "sleeps %u ms", ms);

	n->sleep_ms = ms;
	nanosleep(&ts, NULL);
	return n;
}

void role_sleep(struct role *r, unsigned int ms)
{
	struct note *n = role_pause(r, ms);

	n->late_ns = role_now() - n->ns - ms * 1000000ULL;
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
	if (r->server && r->options.delay_ms)
		role_sleep(r, r->options.delay_ms);
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

void role_greet(struct role *r, int fd)
{
	static const char hello[65536] = "hello";

	role_write(r, fd, hello, r->options.greeting ?: 5);
}

void role_delay(struct role *r, unsigned int ms)
{
	if (!r->options.delay_ms)
		role_sleep(r, ms);
}

size_t role_fill(struct role *r, int fd)
{
	static const char block[4096];
	size_t sum = 0;
	ssize_t n;

	while ((n = send(fd, block, sizeof(block), MSG_DONTWAIT)) > 0)
		sum += n;
	role_note(r, false, "write() until EAGAIN = %zu", sum);
	role_expect(r, errno == EAGAIN, "no more can be written without waiting");
	return sum;
}

size_t role_full_size(struct role *r, int fd)
{
	socklen_t len = sizeof(int);
	int mss = 0;

	role_expect(r, !getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) && mss > 0,
		    "TCP_MAXSEG is known");
	return mss;
}

/* A socket filter sees a segment before TCP does, from its TCP header on: a segment that it rejects
 * is lost. The flags are the header's 14th byte.
 */
void role_deaf(struct role *r, int fd, unsigned int flags)
{
	struct sock_filter prog[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags ?: 0xff, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};
	struct sock_fprog fprog = { sizeof(prog) / sizeof(*prog), prog };

	role_note(r, false, "loses %s from here on", flags ? "FINs" : "everything");
	role_expect(r, !setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog)),
		    "SO_ATTACH_FILTER succeeds");
}

void role_hear(struct role *r, int fd)
{
	int unused = 0;

	role_note(r, false, "loses no more");
	role_expect(r, !setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)),
		    "SO_DETACH_FILTER succeeds");
}

/* A socket in TCP_REPAIR mode closes without a segment. Until then role_deaf() must be in force. */
void role_vanish(struct role *r, int fd)
{
	bool ipv6 = r->shared->end[0].ss_family == AF_INET6;
	int on = 1;

	role_expect(r, !system(ipv6 ? "ip -6 addr flush dev " NET_CLIENT :
			       "ip -4 addr flush dev " NET_CLIENT),
		    "the host gives up its addresses");
	role_expect(r, !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)),
		    "TCP_REPAIR succeeds");
	close(fd);
	role_note(r, false, "the host has vanished");
}

void role_gauge(struct role *r, const char *name, uint64_t value)
{
	struct counters c;

	if (counters_read(&c))
		return;
	if (counters_get(&c, name) != value)
		role_note(r, true, "%s is %llu, expected %llu", name,
			  (unsigned long long)counters_get(&c, name), (unsigned long long)value);
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
