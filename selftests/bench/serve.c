// SPDX-License-Identifier: GPL-2.0-only
/*
 * Serves all kinds of load (load.c), each on its port, until killed. Says "serving" once it does.
 */
#include "load.h"

#define PUT_OFF	(100 * MS)	/* a slow answer, a lazy reader */

/* a connection or a listener, by its file descriptor */
static struct served {
	int fd;
	enum kind kind;
	int listens;
	int got;	/* of a request */
	int slow;
} served[FILES];

/* what is done later, in the order of time */
static struct later {
	struct served *s;
	int64_t due;
} later[FILES];
static unsigned int later_first, later_end;

static void put_off(struct served *s)
{
	later[later_end++ % FILES] = (struct later) { s, now_ns() + PUT_OFF };
}

static void serve(int epoll, int fd, enum kind kind, int listens)
{
	if (fd < 0 || fd >= FILES)
		die("serve");
	served[fd] = (struct served) { .fd = fd, .kind = kind, .listens = listens };
	watch(epoll, fd, EPOLLIN, &served[fd]);
}

static void accept_one(int epoll, struct served *s)
{
	int on = 1, fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK);

	serve(epoll, fd, s->kind, 0);
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("accept");
}

static void answer(struct served *s)
{
	if (write(s->fd, buf, ANSWER) != ANSWER)
		die("answer");
	if (s->kind == CONN)
		close(s->fd);
}

static void request_part(struct served *s, ssize_t n)
{
	if (!s->got)
		s->slow = buf[0];
	s->got += n;
	if (s->got < REQUEST)
		return;
	s->got = 0;
	if (s->slow)
		put_off(s);
	else
		answer(s);
}

/* returns whether the connection stays open */
static int read_one(struct served *s)
{
	ssize_t n = read(s->fd, buf, sizeof(buf));

	if (n > 0 && s->kind != LAZY && s->kind != BULK)
		request_part(s, n);
	if (n > 0 || (n < 0 && errno == EAGAIN))
		return 1;
	close(s->fd);
	return 0;
}

static void serve_one(int epoll, struct served *s)
{
	if (s->listens) {
		accept_one(epoll, s);
	} else if (s->kind != LAZY) {
		read_one(s);
	} else {
		if (epoll_ctl(epoll, EPOLL_CTL_DEL, s->fd, NULL))
			die("epoll_ctl");
		put_off(s);
	}
}

/* does what is due, and returns the milliseconds to the next, or -1 */
static int serve_due(int epoll)
{
	while (later_first != later_end) {
		struct later *l = &later[later_first % FILES];
		int64_t left = l->due - now_ns();

		if (left > 0)
			return (left + MS - 1) / MS;
		later_first++;
		if (l->s->kind != LAZY)
			answer(l->s);
		else if (read_one(l->s))
			watch(epoll, l->s->fd, EPOLLIN, l->s);
	}
	return -1;
}

static int listener(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1000))
		die("listen");
	return fd;
}

int main(void)
{
	int epoll = epoll_create1(0), i, n;
	struct epoll_event e[64];

	may_open_many();
	for (i = 0; i < KINDS; i++)
		serve(epoll, listener(PORT + i), i, 1);
	puts("serving");
	fflush(stdout);
	for (;;) {
		n = epoll_wait(epoll, e, 64, serve_due(epoll));
		for (i = 0; i < n; i++)
			serve_one(epoll, e[i].data.ptr);
	}
}
