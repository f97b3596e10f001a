// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiments: one row each, and the few lines that its sides do. To add one, add a row.
 *
 * If a row names no client, the usual one greets, waits a second and closes. The server reads
 * until read() returns 0, unless the row is about something else, and then does what is claimed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"

#define DATA_SIZE 1000

static const char data[DATA_SIZE];

/* clients */

static void silent_client(struct role *r, int fd)
{
	role_sleep(r, 1000);
	role_next_tick();
	role_close(r, fd);
}

/* closes its sending side only and reads on: Return: the bytes read */
static size_t half_close(struct role *r, int fd)
{
	role_write(r, fd, "hello", 5);
	role_sleep(r, 1000);
	role_shutdown(r, fd, SHUT_WR);
	return role_until_eof(r, fd);
}

static void half_closing_client(struct role *r, int fd)
{
	half_close(r, fd);
	role_close(r, fd);
}

static void reading_client(struct role *r, int fd)
{
	role_expect(r, half_close(r, fd) == DATA_SIZE, "the client gets every byte, then EOF");
	role_close(r, fd);
}

static void reset_client(struct role *r, int fd)
{
	char c;

	role_write(r, fd, "hello", 5);
	role_sleep(r, 1000);
	role_shutdown(r, fd, SHUT_WR);
	role_expect(r, role_read(r, fd, &c, 1) == -1 && errno == ECONNRESET,
		    "the client's read() fails with ECONNRESET");
	role_close(r, fd);
}

static void unread_client(struct role *r, int fd)
{
	role_wait(r, fd, POLLIN);
	role_close(r, fd);
}

static void late_client(struct role *r, int fd)
{
	char c;

	role_write(r, fd, "hello", 5);
	role_expect(r, role_read(r, fd, &c, 1) == 1, "the client gets the server's byte");
	role_expect(r, role_read(r, fd, &c, 1) == 0, "the client sees the end");
	role_close(r, fd);
}

/* servers */

static void close_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_close(r, fd);
}

static void quickack_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_option(r, fd, TCP_QUICKACK, "TCP_QUICKACK", 1);
	role_close(r, fd);
}

static void quickack_on_listener(struct role *r, int fd)
{
	socklen_t len = sizeof(int);
	int on = 0;

	role_option(r, fd, TCP_QUICKACK, "TCP_QUICKACK", 1);
	getsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, &len);
	role_expect(r, on == 1, "TCP_QUICKACK reads back 1 on the listener");
}

static void quickack_every_read(struct role *r, int fd)
{
	char buf[64];

	role_option(r, fd, TCP_QUICKACK, "TCP_QUICKACK", 1);
	while (role_read(r, fd, buf, sizeof(buf)) > 0)
		role_option(r, fd, TCP_QUICKACK, "TCP_QUICKACK", 1);
	role_close(r, fd);
}

static void close_100_ms_late(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_sleep(r, 100);
	role_close(r, fd);
}

static void close_10_ms_late(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_sleep(r, 10);
	role_close(r, fd);
}

static void write_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_expect(r, role_write(r, fd, data, DATA_SIZE) == DATA_SIZE, "write() takes all");
	role_close(r, fd);
}

static void write_corked_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_option(r, fd, TCP_CORK, "TCP_CORK", 1);
	role_expect(r, role_write(r, fd, data, DATA_SIZE) == DATA_SIZE, "write() takes all");
	role_close(r, fd);
}

static volatile sig_atomic_t got_sigpipe;

static void on_sigpipe(int sig)
{
	got_sigpipe = sig;
}

/* the write() after the peer's RST */
static void broken_write(struct role *r, int fd)
{
	signal(SIGPIPE, on_sigpipe);
	role_expect(r, role_write(r, fd, "y", 1) == -1 && errno == EPIPE,
		    "write() fails with EPIPE");
	role_expect(r, got_sigpipe, "and raises SIGPIPE");
}

static void write_to_closed(struct role *r, int fd)
{
	char c;

	role_until_eof(r, fd);
	role_expect(r, role_write(r, fd, "x", 1) == 1, "the first write() succeeds");
	role_wait(r, fd, POLLERR);
	role_expect(r, role_read(r, fd, &c, 1) == 0, "read() still returns 0 after the RST");
	broken_write(r, fd);
	role_close(r, fd);
}

static void reset_while_established(struct role *r, int fd)
{
	char c;

	role_write(r, fd, data, DATA_SIZE);
	role_wait(r, fd, POLLERR);
	role_expect(r, role_read(r, fd, &c, 1) == -1 && errno == ECONNRESET,
		    "read() fails with ECONNRESET once");
	role_expect(r, role_read(r, fd, &c, 1) == 0, "and then returns 0");
	broken_write(r, fd);
	role_close(r, fd);
}

static void shut_reading(struct role *r, int fd)
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

static void exit_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_note(r, false, "exit()");
	_exit(0);
}

static void killed_at_eof(struct role *r, int fd)
{
	role_until_eof(r, fd);
	role_note(r, false, "killed by SIGKILL");
	raise(SIGKILL);
}

static void shared_close(struct role *r, int fd)
{
	pid_t pid;

	role_until_eof(r, fd);
	pid = fork();
	if (!pid) {
		role_close(r, fd);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	role_expect(r, role_write(r, fd, data, DATA_SIZE) == DATA_SIZE,
		    "the other process still writes after one close()");
	role_close(r, fd);
}

static void shared_shutdown(struct role *r, int fd)
{
	pid_t pid;

	role_until_eof(r, fd);
	pid = fork();
	if (!pid) {
		role_shutdown(r, fd, SHUT_WR);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	broken_write(r, fd);
	role_close(r, fd);
}

static void read_queued(struct role *r, int fd)
{
	char buf[64];

	role_wait(r, fd, POLLRDHUP);
	role_expect(r, role_read(r, fd, buf, sizeof(buf)) == 5, "read() returns the data first");
	role_expect(r, role_read(r, fd, buf, sizeof(buf)) == 0, "then 0");
	role_close(r, fd);
}

static void close_unread(struct role *r, int fd)
{
	role_wait(r, fd, POLLRDHUP);
	role_close(r, fd);
}

#define PINGPONG "tcp_fin() enters ping-pong mode: the ACK is delayed"

const struct experiment experiments[] = {
	{
		.nr = 1, .name = "merge",
		.claim = "close() at EOF, all defaults: three segments",
		.why = PINGPONG ", and close() comes first",
		.server = close_at_eof,
		.outcome = WIRE_MERGED, .segments = 3,
		.moves = "Passive Merged EndClose Active ActiveMerged",
	}, {
		.nr = 2, .name = "quickack-at-eof",
		.claim = "TCP_QUICKACK after read() returned 0, then close(): four segments",
		.why = "the option sends the ACK that is pending",
		.server = quickack_at_eof,
		.outcome = WIRE_SEPARATE, .segments = 4,
		.moves = "Passive Separate SepApp EndClose Active ActiveHalf",
	}, {
		.nr = 3, .name = "quickack-at-bind",
		.claim = "TCP_QUICKACK on the listener before bind(): three segments all the same",
		.why = PINGPONG " whatever the listener was told",
		.server = close_at_eof, .listener = quickack_on_listener,
		.outcome = WIRE_MERGED, .segments = 3,
		.moves = "Passive Merged EndClose Active ActiveMerged",
	}, {
		.nr = 4, .name = "quickack-every-read",
		.claim = "TCP_QUICKACK at accept() and every read but the last: three segments",
		.why = PINGPONG " again, after the last TCP_QUICKACK",
		.server = quickack_every_read,
		.outcome = WIRE_MERGED, .segments = 3,
		.moves = "Passive Merged EndClose Active ActiveMerged",
	}, {
		.nr = 5, .name = "slow-close",
		.claim = "close() 100 ms after EOF: four segments, the ACK after 40 to 44 ms",
		.why = "the delayed-ACK timer (HZ/25, a tick more) expired before close()",
		.server = close_100_ms_late,
		.outcome = WIRE_SEPARATE, .segments = 4, .ack_ms = { 39.9, 45 },
		.moves = "Passive Separate SepTimer EndClose Active ActiveHalf",
	}, {
		.nr = 6, .name = "no-data-fast",
		.claim = "no data, close() at EOF at once: three segments",
		.why = "close() came within the tick after which the ACK would have left",
		.server = close_at_eof, .client = silent_client,
		.outcome = WIRE_MERGED, .segments = 3,
		.moves = "Passive Merged EndClose Active ActiveMerged",
	}, {
		.nr = 7, .name = "no-data-slow",
		.claim = "no data, close() 10 ms after EOF: four segments, ACK within two ticks",
		.why = "icsk_ack.ato is 0 where no data came, so the ACK leaves at the next tick",
		.server = close_10_ms_late, .client = silent_client,
		.outcome = WIRE_SEPARATE, .segments = 4, .ack_ms = { 0, 8.5 },
		.moves = "Passive Separate SepNoAto EndClose Active ActiveHalf",
	}, {
		.nr = 8, .name = "route-quickack",
		.claim = "quickack 1 on the route that is used: four segments",
		.why = "the route overrides ping-pong mode (tcp_in_quickack_mode)",
		.server = close_at_eof, .route_quickack = true,
		.outcome = WIRE_SEPARATE, .segments = 4, .ack_ms = { 0, 1 },
		.moves = "Passive Separate SepRoute EndClose Active ActiveHalf",
	}, {
		.nr = 9, .name = "data-at-eof",
		.claim = "the server writes after EOF, then closes: the ACK rides on the data",
		.why = "every segment has an ACK, and the data left before the FIN",
		.server = write_at_eof, .client = reading_client,
		.outcome = WIRE_SEPARATE,
		.moves = "Passive Separate SepData EndClose Active ActiveSeparate",
	}, {
		.nr = 10, .name = "data-with-fin",
		.claim = "the same with TCP_CORK: data, FIN and ACK in one of three segments",
		.why = "tcp_send_fin() puts the FIN on the unsent tail of the queue",
		.server = write_corked_at_eof, .client = reading_client,
		.outcome = WIRE_MERGED, .segments = 3,
		.moves = "Passive Merged EndClose Active ActiveMerged",
	}, {
		.nr = 11, .name = "rude-close",
		.claim = "the client used close(), the server writes after EOF: RST",
		.why = "nobody is left to read at the client, so data is answered by a RST",
		.server = write_to_closed,
		.outcome = WIRE_SEPARATE,
		.moves = "Passive Separate SepData EndResetIn Active ActiveHalf",
	}, {
		.nr = 12, .name = "graceful-close",
		.claim = "the client used shutdown(SHUT_WR), the server writes and closes: no RST",
		.why = "a half-closed connection still carries data the other way",
		.server = write_at_eof, .client = reading_client,
		.outcome = WIRE_SEPARATE,
		.moves = "Passive Separate SepData EndClose Active ActiveSeparate",
	}, {
		.nr = 13, .name = "shutdown-read",
		.claim = "shutdown(SHUT_RD): no segment at all",
		.why = "it only marks the socket: read() returns 0, the peer is not told",
		.server = shut_reading, .client = late_client,
		.outcome = WIRE_MERGED, /* by the client: here the server closes first */
		.moves = "Passive Merged EndClose Active ActiveMerged",
	}, {
		.nr = 14, .name = "exit",
		.claim = "the server exits without close(): the kernel sends the FIN",
		.why = "exit drops the last reference to the socket",
		.server = exit_at_eof,
		.outcome = WIRE_MERGED, .segments = 3,
		.moves = "Passive Merged EndExit Active ActiveMerged",
	}, {
		.nr = 15, .name = "crash",
		.claim = "the server is killed: the kernel sends the FIN",
		.why = "the end of a process, however it comes, drops its references",
		.server = killed_at_eof,
		.outcome = WIRE_MERGED, .segments = 3,
		.moves = "Passive Merged EndExit Active ActiveMerged",
	}, {
		.nr = 16, .name = "fork-close",
		.claim = "two processes share the socket: no FIN until the last close()",
		.why = "close() drops a reference, the last one closes the connection",
		.server = shared_close, .client = reading_client,
		.outcome = WIRE_SEPARATE,
		.moves = "Passive Separate SepData EndClose Active ActiveSeparate",
	}, {
		.nr = 17, .name = "fork-shutdown",
		.claim = "two processes share the socket, one calls shutdown(): FIN at once",
		.why = "shutdown() acts on the connection, not on the reference",
		.server = shared_shutdown, .client = half_closing_client,
		.outcome = WIRE_MERGED, .segments = 3,
		.moves = "Passive Merged EndShutdown Active ActiveMerged",
	}, {
		.nr = 18, .name = "eof-is-queued",
		.claim = "data and FIN arrive before the server reads: first the data, then 0",
		.why = "EOF is queued behind the data",
		.server = read_queued,
		.outcome = WIRE_MERGED, .segments = 3,
		.moves = "Passive Merged EndClose Active ActiveMerged",
	}, {
		.nr = 19, .name = "unread-data",
		.claim = "close() with unread data: RST instead of FIN",
		.why = "data was lost, and the peer has to know (RFC 2525 2.17)",
		.server = close_unread, .client = reset_client,
		.outcome = WIRE_UNACKED,
		.moves = "Passive Unacked EndResetOut Active",
	}, {
		.nr = 25, .name = "reset-established",
		.claim = "the client closes with unread data: RST, nobody is a passive closer",
		.why = "no FIN came",
		.server = reset_while_established, .client = unread_client,
		.outcome = WIRE_OPEN,
		.moves = "",
	},
	{ 0 }
};

const struct experiment *lab_find(const char *name)
{
	const struct experiment *e;

	for (e = experiments; e->name; e++)
		if (!strcmp(e->name, name))
			return e;
	return NULL;
}
