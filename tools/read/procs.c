// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "out.h"
#include "procs.h"

uint64_t socket_inode(const char *link)
{
	uint64_t inode;
	char *end;

	if (strncmp(link, "socket:[", 8) || link[8] < '0' || link[8] > '9')
		return 0;
	errno = 0;
	inode = strtoull(link + 8, &end, 10);
	return errno || strcmp(end, "]") ? 0 : inode;
}

static bool add(struct procs *p, const struct proc_socket *s)
{
	struct proc_socket *more;

	if (!(p->n & (p->n - 1))) { /* 0, 1, 2, 4, ...: full */
		more = reallocarray(p->socket, p->n ? p->n * 2 : 1, sizeof(*more));
		if (!more)
			return false;
		p->socket = more;
	}
	p->socket[p->n++] = *s;
	return true;
}

/* the sockets of one process */
static bool of_process(struct procs *p, const char *pid)
{
	struct proc_socket s = { .pid = atoi(pid) };
	char path[64], link[64];
	struct dirent *e;
	bool ok = true;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	if (!file_line(path, s.command, sizeof(s.command)))
		return true; /* it has ended */
	out_clean(s.command);
	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	if (!dir) {
		p->hidden = p->hidden || errno == EACCES;
		return true;
	}
	while (ok && (e = readdir(dir))) {
		len = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		if (len < 0)
			continue;
		link[len] = '\0';
		s.inode = socket_inode(link);
		s.fd = atoi(e->d_name);
		if (s.inode)
			ok = add(p, &s);
	}
	closedir(dir);
	return ok;
}

static int compare(const void *a, const void *b)
{
	const struct proc_socket *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->pid != y->pid ? (x->pid < y->pid ? -1 : 1) : x->fd - y->fd;
}

int procs_read(struct procs *p)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	bool ok = dir;

	memset(p, 0, sizeof(*p));
	while (ok && (e = readdir(dir)))
		if (*e->d_name >= '1' && *e->d_name <= '9')
			ok = of_process(p, e->d_name);
	if (dir)
		closedir(dir);
	if (!ok) {
		procs_free(p);
		return -1;
	}
	if (p->n)
		qsort(p->socket, p->n, sizeof(*p->socket), compare);
	return 0;
}

void procs_free(struct procs *p)
{
	free(p->socket);
	memset(p, 0, sizeof(*p));
}

const struct proc_socket *procs_find(const struct procs *p, uint64_t inode)
{
	size_t low = 0, high = p->n;

	if (!inode)
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->socket[mid].inode < inode)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->n && p->socket[low].inode == inode ? &p->socket[low] : NULL;
}
