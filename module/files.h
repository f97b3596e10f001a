/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of finack: each function creates or removes those of one place. */
#ifndef FINACK_FILES_H
#define FINACK_FILES_H

struct net;
struct proc_dir_entry;

/* sysctl.c: the knobs in /proc/sys */
int finack_sysctl_init(struct net *net);
void finack_sysctl_exit(struct net *net);

/* procfs.c, waiting.c: /proc/net */
int finack_proc_net_init(struct net *net);
void finack_proc_net_exit(struct net *net);
struct proc_dir_entry *finack_waiting_init(struct net *net);

/* sysfs.c: /sys/kernel/finack */
void finack_sysfs_init(void);
void finack_sysfs_exit(void);
void finack_sysfs_net_init(struct net *net);
void finack_sysfs_net_exit(struct net *net);

#endif
