# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Whether the debug kernel notices bugs: each is loaded in a guest of its own, because some of the
# kernel's checkers are silent after the first report. $here is the folder of vm, $work as in run.

# BUG|WORDS OF THE REPORT
seeded_bugs=(
	"use-after-free|KASAN: slab-use-after-free"
	"sleep|sleeping function called from invalid context"
	"out-of-bounds|UBSAN: array-index-out-of-bounds"
	"lock-order|possible circular locking dependency"
	"rcu|suspicious RCU usage"
	"object|ODEBUG: free active"
	"leak|unreferenced object"
)

seeded_build() { # ROOT KVER: once for all guests, into the folder that they share
	mkdir -p "$work/seeded"
	cp "$top"/selftests/check/seeded/* "$work/seeded/"
	in_root "$1" "$work/seeded" make -s -C "/lib/modules/$2/build" M=/mnt modules 2>&1 &&
		chmod 755 "$work/seeded"
}

seeded_run() { # BUG|WORDS: load it; what the guest says is left for seeded_seen
	local bug=${1%%|*} rc=0
	# what follows the report does not matter, and the report may have ended the guest
	KERNEL=debug TIMEOUT=300 SHARE=$work/seeded \
		CMD="insmod /mnt/share/seeded.ko bug=$bug && echo loaded && rmmod seeded" "$here/vm" \
		>"$work/seeded-$bug" 2>&1 || rc=$?
	echo "status $rc" >>"$work/seeded-$bug"
}

seeded_seen() { # BUG|WORDS
	local bug=${1%%|*} words=${1#*|}
	grep -q "$words" "$work/seeded-$bug" && ! grep -qx "status 0" "$work/seeded-$bug" && return
	echo "no '$words' in:"
	tail -n 60 "$work/seeded-$bug"
	return 1
}

# each bug needs a boot; without LONG=1 two are enough to show that a report makes a run fail
seeded() {
	local bug
	[ -n "${LONG:-}" ] || seeded_bugs=("${seeded_bugs[@]:0:2}")
	guest_ready debug ""
	gate "seeded bugs are built" seeded_build "$root" "$kver" || return 0
	for bug in "${seeded_bugs[@]}"; do
		seeded_run "$bug"
		gate "debug kernel: ${bug%%|*}" seeded_seen "$bug"
	done
	return 0
}
