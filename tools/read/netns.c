// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "netns.h"
#include "out.h"

#define RUN_NETNS "/run/netns"

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/* sets path and inode */
static int at(struct netns *ns, const char *dir, const char *name, const char *rest)
{
	struct stat st;

	if (snprintf(ns->path, sizeof(ns->path), "%s%s%s%s", dir, *dir ? "/" : "", name, rest) >=
	    (int)sizeof(ns->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (stat(ns->path, &st))
		return -1;
	ns->inode = st.st_ino;
	return 0;
}

static void set_name(struct netns *ns, const char *name)
{
	snprintf(ns->name, sizeof(ns->name), "%s", name);
	out_clean(ns->name);
}

static int of_pid(struct netns *ns, const char *pid)
{
	char path[64];

	if (at(ns, "/proc", pid, "/ns/net"))
		return -1;
	ns->pid = atoi(pid);
	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	if (file_line(path, ns->command, sizeof(ns->command)))
		out_clean(ns->command);
	return 0;
}

/* the entries of a folder, one by call; *@dir is NULL at the first call and after the last entry */
static const char *next_entry(DIR **dir, const char *path)
{
	struct dirent *e;

	if (!*dir)
		*dir = opendir(path);
	while (*dir && (e = readdir(*dir)))
		if (*e->d_name != '.')
			return e->d_name;
	if (*dir)
		closedir(*dir);
	*dir = NULL;
	return NULL;
}

/* a namespace that was found by other means may have a name, too */
static void look_up_name(struct netns *ns)
{
	struct netns named;
	const char *name;
	DIR *dir = NULL;

	while (!*ns->name && (name = next_entry(&dir, RUN_NETNS)))
		if (!at(&named, RUN_NETNS, name, "") && named.inode == ns->inode)
			set_name(ns, name);
	if (dir)
		closedir(dir);
}

int netns_self(struct netns *ns)
{
	memset(ns, 0, sizeof(*ns));
	if (at(ns, "/proc/thread-self/ns", "net", ""))
		return -1;
	look_up_name(ns);
	return 0;
}

int netns_find(const char *spec, struct netns *ns)
{
	int rc = -1;

	memset(ns, 0, sizeof(*ns));
	errno = ENOENT;
	if (strchr(spec, '/')) {
		rc = at(ns, "", spec, "");
	} else if (*spec && *spec != '.') {
		rc = at(ns, RUN_NETNS, spec, "");
		if (!rc)
			set_name(ns, spec);
		else if (is_number(spec))
			rc = of_pid(ns, spec);
	}
	if (!rc)
		look_up_name(ns);
	return rc;
}

static bool append(struct netns **list, size_t *n, const struct netns *ns)
{
	struct netns *more;
	size_t i;

	for (i = 0; i < *n; i++)
		if ((*list)[i].inode == ns->inode)
			return true;
	more = reallocarray(*list, *n + 1, sizeof(*more));
	if (!more)
		return false;
	more[*n] = *ns;
	*list = more;
	++*n;
	return true;
}

/* the caller's, by a file descriptor, so that it can be found again from other namespaces */
static int own(struct netns *ns)
{
	int fd;

	if (netns_self(ns))
		return -1;
	fd = open(ns->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(ns->path, sizeof(ns->path), "/proc/self/fd/%d", fd);
	return 0;
}

size_t netns_list(struct netns **list)
{
	struct netns ns;
	const char *name;
	DIR *dir = NULL;
	bool ok = true;
	size_t n = 0;

	*list = NULL;
	if (!own(&ns))
		ok = append(list, &n, &ns);
	while (ok && (name = next_entry(&dir, RUN_NETNS))) {
		memset(&ns, 0, sizeof(ns));
		set_name(&ns, name);
		if (!at(&ns, RUN_NETNS, name, ""))
			ok = append(list, &n, &ns);
	}
	while (ok && (name = next_entry(&dir, "/proc"))) {
		memset(&ns, 0, sizeof(ns));
		if (is_number(name) && !of_pid(&ns, name))
			ok = append(list, &n, &ns);
	}
	if (dir)
		closedir(dir);
	return ok ? n : 0;
}

int netns_enter(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC), rc = -1, err;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || st.st_ino != ns->inode)
		errno = ESTALE;
	else
		rc = setns(fd, CLONE_NEWNET);
	err = errno;
	close(fd);
	errno = err;
	return rc;
}

char *netns_label(const struct netns *ns, char *buf, size_t size)
{
	if (*ns->name)
		snprintf(buf, size, "%s", ns->name);
	else if (ns->pid)
		snprintf(buf, size, "of %s (pid %d)", ns->command, (int)ns->pid);
	else
		snprintf(buf, size, "%lu", (unsigned long)ns->inode);
	return buf;
}
