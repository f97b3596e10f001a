// SPDX-License-Identifier: GPL-2.0-only
/* A BPF program, small enough to be written as instructions. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sockops.h"

#define INSN(_code, _dst, _src, _off, _imm) \
	{ .code = (_code), .dst_reg = (_dst), .src_reg = (_src), .off = (_off), .imm = (_imm) }
#define MOV_REG(_dst, _src)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, _dst, _src, 0, 0)
#define MOV(_dst, _imm)		INSN(BPF_ALU64 | BPF_MOV | BPF_K, _dst, 0, 0, _imm)

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* the root of the cgroup hierarchy, which need not be mounted anywhere */
static int cgroup_root(void)
{
	char dir[] = "/tmp/finack-cgroup-XXXXXX";
	int fd = -1;

	if (!mkdtemp(dir))
		return -1;
	if (!mount("none", dir, "cgroup2", 0, NULL)) {
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		umount2(dir, MNT_DETACH);
	}
	rmdir(dir);
	return fd;
}

int sockops_delack_max(int us)
{
	const struct bpf_insn prog[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1,
		     offsetof(struct bpf_sock_ops, op), 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, 7,
		     BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB),
		INSN(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, us),
		MOV(BPF_REG_2, IPPROTO_TCP),
		MOV(BPF_REG_3, TCP_BPF_DELACK_MAX),
		MOV_REG(BPF_REG_4, BPF_REG_10),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_4, 0, 0, -4),
		MOV(BPF_REG_5, sizeof(us)),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_setsockopt),
		MOV(BPF_REG_0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_SOCK_OPS,
		.insns = (uintptr_t)prog,
		.insn_cnt = sizeof(prog) / sizeof(*prog),
		.license = (uintptr_t)"GPL",
	};
	union bpf_attr link = { .link_create.attach_type = BPF_CGROUP_SOCK_OPS };
	int prog_fd, root, fd = -1;

	prog_fd = sys_bpf(BPF_PROG_LOAD, &load);
	if (prog_fd < 0)
		return -1;
	root = cgroup_root();
	if (root >= 0) {
		link.link_create.prog_fd = prog_fd;
		link.link_create.target_fd = root;
		fd = sys_bpf(BPF_LINK_CREATE, &link);
		close(root);
	}
	close(prog_fd);
	return fd;
}
