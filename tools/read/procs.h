/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes have which sockets, found as ss -p does: by the inodes in /proc/PID/fd. */
#ifndef FINACK_PROCS_H
#define FINACK_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** struct proc_socket - a socket descriptor of a process */
struct proc_socket {
	uint64_t inode;
	pid_t pid;
	int fd;
	char command[64];
};

/**
 * struct procs - the socket descriptors of all processes
 * @socket: sorted by inode, then process
 * @n: how many
 * @hidden: there are processes whose descriptors the caller may not see
 */
struct procs {
	struct proc_socket *socket;
	size_t n;
	bool hidden;
};

/** procs_read() - find them; to be freed with procs_free(); Return: 0, or -1 with errno */
int procs_read(struct procs *p);
void procs_free(struct procs *p);
/** procs_find() - Return: the first entry of a socket, NULL if there is none; the others follow */
const struct proc_socket *procs_find(const struct procs *p, uint64_t inode);

/** socket_inode() - Return: the inode in "socket:[N]", 0 if @link is something else */
uint64_t socket_inode(const char *link);

#endif
