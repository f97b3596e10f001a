// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold_read FILE: reads a file into a page that is missing, so that the reader stays in the kernel,
 * where userfaultfd(2) has it wait. Says "held" when it is there, gives it the page when a line
 * comes on stdin, and says "read" when read(2) has returned.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *name;
static size_t size;
static char *page;

static void die(const char *what)
{
	fprintf(stderr, "hold_read: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

static void *reader(void *arg)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0 || read(fd, page, size) <= 0)
		die(name);
	close(fd);
	return NULL;
}

/* Return: a descriptor that reports faults in the page */
static int watch_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .range.len = size, .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)page;
	if (fd < 0 || page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		die("userfaultfd");
	return fd;
}

int main(int argc, char **argv)
{
	struct uffdio_zeropage zero = {};
	struct pollfd fault = { .events = POLLIN };
	pthread_t thread;
	char line[10];

	if (argc != 2)
		return 2;
	name = argv[1];
	size = sysconf(_SC_PAGESIZE);
	fault.fd = watch_page();
	if (pthread_create(&thread, NULL, reader, NULL) || poll(&fault, 1, 60000) != 1)
		die("no fault came");
	say("held");
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	zero.range.start = (unsigned long)page;
	zero.range.len = size;
	if (ioctl(fault.fd, UFFDIO_ZEROPAGE, &zero) || pthread_join(thread, NULL))
		die("the page");
	say("read");
	return 0;
}
