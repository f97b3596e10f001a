// SPDX-License-Identifier: GPL-2.0-only
/* The servers of the experiments: the passive closers, except in shutdown-read. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sides.h"

static const char data[SIDES_DATA];

void close_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_close(r, fd);
}

void quickack_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_option(r, fd, TCP_QUICKACK, "TCP_QUICKACK", 1);
	role_close(r, fd);
}

void quickack_on_listener(struct role *r, int fd)
{
	socklen_t len = sizeof(int);
	int on = 0;

	role_option(r, fd, TCP_QUICKACK, "TCP_QUICKACK", 1);
	getsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, &len);
	role_expect(r, on == 1, "TCP_QUICKACK reads back 1 on the listener");
}

void quickack_every_read(struct role *r, int fd)
{
	char buf[64];

	role_option(r, fd, TCP_QUICKACK, "TCP_QUICKACK", 1);
	while (role_read(r, fd, buf, sizeof(buf)) > 0)
		role_option(r, fd, TCP_QUICKACK, "TCP_QUICKACK", 1);
	role_close(r, fd);
}

void close_100_ms_late(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_delay(r, 100);
	role_close(r, fd);
}

void close_10_ms_late(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_delay(r, 10);
	role_close(r, fd);
}

void write_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_expect(r, role_write(r, fd, data, SIDES_DATA) == SIDES_DATA, "write() takes all");
	role_close(r, fd);
}

void write_corked_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_option(r, fd, TCP_CORK, "TCP_CORK", 1);
	role_expect(r, role_write(r, fd, data, SIDES_DATA) == SIDES_DATA, "write() takes all");
	role_close(r, fd);
}

static volatile sig_atomic_t got_sigpipe;

static void on_sigpipe(int sig)
{
	got_sigpipe = sig;
}

/* a write() after the peer's RST, or after the FIN was sent */
static void broken_write(struct role *r, int fd)
{
	signal(SIGPIPE, on_sigpipe);
	role_expect(r, role_write(r, fd, "y", 1) == -1 && errno == EPIPE,
		    "write() fails with EPIPE");
	role_expect(r, got_sigpipe, "and raises SIGPIPE");
}

void die_by_sigpipe(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_write(r, fd, "x", 1);
	role_wait(r, fd, POLLERR);
	role_note(r, false, "killed by SIGPIPE in write()");
	role_write(r, fd, "y", 1);
	role_expect(r, false, "write() does not return");
}

void write_to_closed(struct role *r, int fd)
{
	char c;

	role_until_eof(r, fd);
	role_expect(r, role_write(r, fd, "x", 1) == 1, "the first write() succeeds");
	role_wait(r, fd, POLLERR);
	role_expect(r, role_read(r, fd, &c, 1) == 0, "read() still returns 0 after the RST");
	broken_write(r, fd);
	role_close(r, fd);
}

void reset_while_established(struct role *r, int fd)
{
	char c;

	role_write(r, fd, data, SIDES_DATA);
	role_wait(r, fd, POLLERR);
	role_expect(r, role_read(r, fd, &c, 1) == -1 && errno == ECONNRESET,
		    "read() fails with ECONNRESET once");
	role_expect(r, role_read(r, fd, &c, 1) == 0, "and then returns 0");
	broken_write(r, fd);
	role_close(r, fd);
}

void shut_reading(struct role *r, int fd)
{
	char buf[64];

	role_read(r, fd, buf, sizeof(buf));
	role_sleep(r, 500); /* until the greeting is ACKed */
	role_calm(r, 0);
	role_shutdown(r, fd, SHUT_RD);
	role_expect(r, role_read(r, fd, buf, 1) == 0, "read() returns 0");
	role_sleep(r, 500);
	role_calm(r, 1);
	role_expect(r, role_write(r, fd, "x", 1) == 1, "write() still works");
	role_close(r, fd);
}

void exit_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_note(r, false, "exit()");
	_exit(0);
}

void killed_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_note(r, false, "killed by SIGKILL");
	raise(SIGKILL);
}

void crash_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_note(r, false, "killed by SIGSEGV");
	raise(SIGSEGV);
}

/* Lets a second process act on the connection, and returns when it has exited. */
static void in_another(struct role *r, int fd, void (*act)(struct role *r, int fd))
{
	pid_t pid = fork();

	role_expect(r, pid >= 0, "a second process can be made");
	if (!pid) {
		act(r, fd);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

void shared_close(struct role *r, int fd)
{
	role_until_eof(r, fd);
	in_another(r, fd, role_close);
	role_next_tick(); /* a fork takes time, and a tick may come: see a_second() */
	role_expect(r, role_write(r, fd, data, SIDES_DATA) == SIDES_DATA,
		    "the other process still writes after one close()");
	role_close(r, fd);
}

static void shutdown_and_close(struct role *r, int fd)
{
	role_shutdown(r, fd, SHUT_WR);
	role_close(r, fd);
}

void shared_shutdown(struct role *r, int fd)
{
	role_until_eof(r, fd);
	in_another(r, fd, shutdown_and_close);
	broken_write(r, fd);
	role_close(r, fd);
}

void read_queued(struct role *r, int fd)
{
	char buf[65536];

	role_wait(r, fd, POLLRDHUP);
	role_expect(r, role_read(r, fd, buf, sizeof(buf)) > 0, "read() returns the data first");
	role_expect(r, role_read(r, fd, buf, sizeof(buf)) == 0, "then 0");
	role_close(r, fd);
}

void close_unread(struct role *r, int fd)
{
	role_wait(r, fd, POLLRDHUP);
	role_close(r, fd);
}

void close_at_greeting(struct role *r, int fd)
{
	char buf[65536];

	role_expect(r, role_read(r, fd, buf, sizeof(buf)) > 0, "the greeting comes before the end");
	role_close(r, fd);
}

void watched_close(struct role *r, int fd)
{
	role_gauge(r, "FinAckCloseWait", 0);
	role_until_eof(r, fd);
	role_gauge(r, "FinAckCloseWait", 1);
	role_delay(r, 100);
	role_close(r, fd);
	role_gauge(r, "FinAckCloseWait", 0);
}

void fill_and_close(struct role *r, int fd)
{
	char buf[65536];

	role_read(r, fd, buf, sizeof(buf));
	role_buffer(r, fd, SO_SNDBUF, "SO_SNDBUF", 4096);
	role_fill(r, fd);
	role_expect(r, !role_read(r, fd, buf, 1), "the client sends no more");
	role_close(r, fd);
}

/* give up after 2 s, not after the usual 15 minutes */
static void be_impatient(struct role *r, int fd)
{
	role_option(r, fd, TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT", 2000);
}

void write_to_vanished(struct role *r, int fd)
{
	char c;

	be_impatient(r, fd);
	role_until_eof(r, fd);
	role_expect(r, role_write(r, fd, data, SIDES_DATA) == SIDES_DATA, "write() takes all");
	role_wait(r, fd, POLLERR);
	role_expect(r, !role_read(r, fd, &c, 1), "read() still returns 0");
	role_expect(r, role_write(r, fd, "y", 1) == -1 && errno == ETIMEDOUT,
		    "write() fails with ETIMEDOUT");
	role_close(r, fd);
}

void close_to_vanished(struct role *r, int fd)
{
	be_impatient(r, fd);
	role_until_eof(r, fd);
	role_close(r, fd);
}

/* answers only messages that are short, like a greeting */
void answer(struct role *r, int fd)
{
	char buf[4096];
	int n;

	while ((n = role_read(r, fd, buf, sizeof(buf))) > 0)
		if (n < 1000)
			role_write(r, fd, buf, n < 64 ? n : 64);
	role_close(r, fd);
}

void read_at_the_end(struct role *r, int fd)
{
	role_wait(r, fd, POLLRDHUP);
	role_until_eof(r, fd);
	role_close(r, fd);
}
