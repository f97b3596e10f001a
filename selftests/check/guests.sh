# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # $here comes from host.sh
#
# A guest to run selftests in. It ends with the script that has started it.

export FINACK_PARENT=$$
export QEMU_LEAST=10.0 # a fifth quicker than 7.2

# tests_in KERNEL SMP SEED SECONDS COMMAND: a guest with one CPU is repeatable, SEED draws its addresses,
# ports and timers
tests_in() {
	local kernel=$1 smp=$2 seed=$3
	[ "$smp" = 1 ] || seed=
	KERNEL=$kernel SMP=$smp MEM=2048 REPEATABLE=$seed TESTS=1 TIMEOUT=$4 CMD=$5 "$here/vm"
}
