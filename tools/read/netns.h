/* SPDX-License-Identifier: GPL-2.0-only */
/* Network namespaces: which there are, and going there. */
#ifndef FINACK_NETNS_H
#define FINACK_NETNS_H

#include <stddef.h>
#include <sys/types.h>

/**
 * struct netns - a network namespace
 * @inode: its number
 * @name: in /run/netns, empty if it has none there
 * @pid: a process in it, 0 if it was found by its name
 * @command: of that process
 * @path: what setns() takes
 */
struct netns {
	ino_t inode;
	char name[256];
	pid_t pid;
	char command[64];
	char path[512];
};

/** netns_self() - the one the caller is in; Return: 0, or -1 with errno */
int netns_self(struct netns *ns);

/** netns_find() - by name, process or path; Return: 0, or -1 with errno */
int netns_find(const char *spec, struct netns *ns);

/**
 * netns_list() - all there are: that of the caller, the named ones, those of processes
 * @list: to be freed
 *
 * Return: how many, each inode once; 0 if memory is short.
 */
size_t netns_list(struct netns **list);

/** netns_enter() - move the caller there; Return: 0, or -1 with errno; ESTALE if it has gone */
int netns_enter(const struct netns *ns);

/** netns_label() - what to call it in text: name, or a process, or its number */
char *netns_label(const struct netns *ns, char *buf, size_t size);

#endif
