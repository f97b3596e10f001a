// SPDX-License-Identifier: GPL-2.0-only
/* The byte is in a page that is missing: the page fault waits for userfaultfd(2). */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "owner.h"

static void *sender(void *arg)
{
	struct owner *o = arg;

	return send(o->fd, o->page, 1, MSG_NOSIGNAL) == 1 ? o : NULL;
}

static int watch(struct owner *o, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (unsigned long)o->page, .len = size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (ioctl(o->uffd, UFFDIO_API, &api) || ioctl(o->uffd, UFFDIO_REGISTER, &reg))
		return -1;
	return pthread_create(&o->thread, NULL, sender, o) ? -1 : 0;
}

int owner_begin(struct owner *o, int fd)
{
	size_t size = sysconf(_SC_PAGESIZE);
	struct pollfd fault;

	o->fd = fd;
	o->page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	o->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (o->page == MAP_FAILED || o->uffd < 0 || watch(o, size))
		return -1;
	fault = (struct pollfd){ .fd = o->uffd, .events = POLLIN };
	return poll(&fault, 1, 10000) == 1 ? 0 : -1;
}

int owner_end(struct owner *o)
{
	size_t size = sysconf(_SC_PAGESIZE);
	struct uffdio_zeropage zero = {
		.range = { .start = (unsigned long)o->page, .len = size },
	};
	void *sent = NULL;

	if (ioctl(o->uffd, UFFDIO_ZEROPAGE, &zero) || pthread_join(o->thread, &sent))
		return -1;
	close(o->uffd);
	munmap(o->page, size);
	return sent ? 0 : -1;
}
