# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# That the debug kernel notices bugs: each is loaded in a guest of its own, because after the first
# report some of the kernel's watchers are silent. $here is the folder of vm.

# BUG WORDS-OF-THE-REPORT...
seeded_bugs=(
	"use-after-free|KASAN: slab-use-after-free"
	"sleep|sleeping function called from invalid context"
	"lock-order|possible circular locking dependency"
	"rcu|suspicious RCU usage"
	"leak|unreferenced object"
)

debug_sees() { # BUG|WORDS
	local bug=${1%%|*} words=${1#*|} out rc=0
	out=$(KERNEL=debug TIMEOUT=300 CMD="
		cp -r /finack/selftests/seeded /tmp/ && cd /tmp/seeded &&
		make -s -C /lib/modules/\$(uname -r)/build M=\$PWD modules >/dev/null 2>&1 &&
		insmod seeded.ko bug=$bug && rmmod seeded; echo built" "$here/vm" 2>&1) || rc=$?
	[ $rc != 0 ] && grep -q "$words" <<<"$out" && return
	echo "status $rc, and no '$words' in:"
	tail -n 60 <<<"$out"
	return 1
}
