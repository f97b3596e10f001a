// SPDX-License-Identifier: GPL-2.0-only
/* The clients of the experiments: the active closers, except in shutdown-read. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "sides.h"

#define QUICK_ACKS 16 /* TCP_MAX_QUICKACKS: the kernel ACKs the first segments at once */

/* After a gap longer than the retransmission timeout, at least 200 ms, the kernel would begin to
 * ACK at once again (tcp_event_data_recv()).
 */
static void talk(struct role *r, int fd, int times, unsigned int ms)
{
	role_option(r, fd, TCP_NODELAY, "TCP_NODELAY", 1);
	while (times--) {
		role_greet(r, fd);
		role_sleep(r, ms);
	}
}

/* Waits a second, and until the next tick. A tick during the delivery of a segment would leave the
 * next segment to ksoftirqd (kernel/softirq.c), and a capture on lo, which sees segments when they
 * are received, would have that one late.
 */
static void a_second(struct role *r)
{
	struct timespec rest = { 0, 100000 };
	struct note *n = role_pause(r, 1000);
	uint64_t tick;

	role_next_tick();
	tick = role_now();
	/* The wait for the tick used up part of the time slice. If close() were preempted, it would
	 * find the peer's ACK and FIN in its backlog, where they become one segment
	 * (tcp_add_backlog()).
	 */
	nanosleep(&rest, NULL);
	n->late_ns = role_now() - tick - rest.tv_nsec;
}

void usual_client(struct role *r, int fd)
{
	role_greet(r, fd);
	a_second(r);
	role_close(r, fd);
}

void silent_client(struct role *r, int fd)
{
	a_second(r);
	role_close(r, fd);
}

/* closes only the sending direction, then reads to the end; Return: the bytes read */
static size_t half_close(struct role *r, int fd)
{
	role_greet(r, fd);
	a_second(r);
	role_shutdown(r, fd, SHUT_WR);
	return role_until_eof(r, fd);
}

void half_closing_client(struct role *r, int fd)
{
	half_close(r, fd);
	role_close(r, fd);
}

void reading_client(struct role *r, int fd)
{
	role_expect(r, half_close(r, fd) == SIDES_DATA, "the client gets every byte, then EOF");
	role_close(r, fd);
}

void reset_client(struct role *r, int fd)
{
	char c;

	role_greet(r, fd);
	a_second(r);
	role_shutdown(r, fd, SHUT_WR);
	role_expect(r, role_read(r, fd, &c, 1) == -1 && errno == ECONNRESET,
		    "the client's read() fails with ECONNRESET");
	role_close(r, fd);
}

void unread_client(struct role *r, int fd)
{
	role_wait(r, fd, POLLIN);
	role_close(r, fd);
}

void late_client(struct role *r, int fd)
{
	char c;

	role_greet(r, fd);
	role_expect(r, role_read(r, fd, &c, 1) == 1, "the client gets the server's byte");
	role_expect(r, role_read(r, fd, &c, 1) == 0, "the client sees the end");
	role_close(r, fd);
}

void same_time_client(struct role *r, int fd)
{
	role_greet(r, fd);
	role_sleep(r, 100); /* the greeting arrives now */
	role_close(r, fd);
}

void losing_client(struct role *r, int fd)
{
	role_greet(r, fd);
	a_second(r);
	role_deaf(r, fd, 0x01);
	role_shutdown(r, fd, SHUT_WR);
	role_pause(r, 100);
	role_hear(r, fd);
	role_until_eof(r, fd);
	role_close(r, fd);
}

void narrow(struct role *r, int fd)
{
	role_buffer(r, fd, SO_RCVBUF, "SO_RCVBUF", 4096);
}

void full_client(struct role *r, int fd)
{
	role_greet(r, fd);
	/* shorter than the time after which the server probes the window */
	role_sleep(r, 100);
	role_shutdown(r, fd, SHUT_WR);
	role_pause(r, 200);
	role_expect(r, role_until_eof(r, fd) > 0, "the client gets what was written");
	role_close(r, fd);
}

void vanishing_client(struct role *r, int fd)
{
	role_greet(r, fd);
	a_second(r);
	role_deaf(r, fd, 0);
	role_shutdown(r, fd, SHUT_WR);
	role_vanish(r, fd);
}

static void ask(struct role *r, int fd)
{
	char buf[64];
	int i;

	for (i = 0; i < SIDES_QUESTIONS; i++) {
		role_greet(r, fd);
		role_expect(r, role_read(r, fd, buf, sizeof(buf)) > 0, "the server answers");
		role_pause(r, 10);
	}
}

void asking_client(struct role *r, int fd)
{
	ask(r, fd);
	role_close(r, fd);
}

void talking_client(struct role *r, int fd)
{
	talk(r, fd, QUICK_ACKS + 2, 150);
	role_greet(r, fd);
	a_second(r);
	role_close(r, fd);
}

void full_size_client(struct role *r, int fd)
{
	static const char block[65536];
	size_t mss = role_full_size(r, fd);

	ask(r, fd);
	role_write(r, fd, block, mss);
	role_sleep(r, 10);
	role_write(r, fd, block, mss);
	a_second(r);
	role_close(r, fd);
}

void slow_client(struct role *r, int fd)
{
	int i;

	talk(r, fd, QUICK_ACKS, 50);
	for (i = 0; i < 6; i++) {
		role_sleep(r, 400);
		role_greet(r, fd);
	}
	a_second(r);
	role_close(r, fd);
}
