/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FINACK_SOCKOPS_H
#define FINACK_SOCKOPS_H

/**
 * sockops_delack_max() - a BPF program that gives accepted sockets a maximum for delayed ACKs
 * @us: in microseconds, up to 200000
 *
 * It is a sock_ops program on the root of the cgroups and sets TCP_BPF_DELACK_MAX
 * (bpf-helpers(7), bpf_setsockopt()).
 *
 * Return: a descriptor that keeps it there, or -1 with errno.
 */
int sockops_delack_max(int us);

#endif
