/* SPDX-License-Identifier: GPL-2.0-only */
/* Network namespaces: finding and entering them. */
#ifndef FINACK_NETNS_H
#define FINACK_NETNS_H

#include <stddef.h>
#include <sys/types.h>

/**
 * struct netns - a network namespace
 * @inode: its number
 * @name: in /run/netns, empty if it has none there
 * @pid: a process in it, 0 unless it was found by a process
 * @command: of that process
 * @path: the file to open for setns()
 */
struct netns {
	ino_t inode;
	char name[256];
	pid_t pid;
	char command[64];
	char path[512];
};

/** netns_self() - find the caller's namespace; Return: 0, or -1 with errno */
int netns_self(struct netns *ns);

/** netns_find() - find one by name, process or path; Return: 0, or -1 with errno */
int netns_find(const char *spec, struct netns *ns);

/**
 * netns_list() - find all: the caller's, the named ones, those of processes
 * @list: to be freed
 *
 * Return: how many, each inode once; 0 if memory is short.
 */
size_t netns_list(struct netns **list);

/** netns_enter() - move the caller there; Return: 0, or -1 with errno: ESTALE if it has ended */
int netns_enter(const struct netns *ns);

/** netns_label() - what to call it in text: its name, else a process, else its number */
char *netns_label(const struct netns *ns, char *buf, size_t size);

#endif
