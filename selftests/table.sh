#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The record table: its size, what happens when it is full, closes that began before the module.
. "$(dirname "$0")/lib.sh"

max_tracked() { cat /sys/module/finack/parameters/max_tracked; }

test_default_size() {
	local slots=1024 memory
	# totalram_pages() is MemTotal; a slot per 128 KiB, rounded up to a power of two
	memory=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
	while [ $slots -lt $((memory / 128)) ]; do slots=$((slots * 2)); done
	fa_same "$(max_tracked)" $slots max_tracked
}

test_size_out_of_range() {
	fa_unload
	! modprobe finack max_tracked=16777217 2>/tmp/err || return
	grep -q 'Invalid argument' /tmp/err || return
	fa_logged 'finack: max_tracked=16777217 is out of range, 0..16777216' || return
	! modprobe finack max_tracked=many 2>/dev/null || return
	! modprobe finack max_tracked=-1 2>/dev/null || return
	[ ! -e /proc/net/finack ] && [ ! -e /sys/kernel/finack ]
}

test_size_of_one() {
	fa_load max_tracked=1 && "$closer" merge 10 && fa_is Merged 10 && fa_is Untracked 0 && fa_tracked 0
}

# one namespace gets seven of eight records, see SHARE in module/track.c
test_a_full_table_loses_no_count() {
	local merged
	fa_load max_tracked=8 && fa_hold 20 || return
	fa_is Passive 20 && fa_is Untracked 13 && fa_is CloseWait 20 || return
	# those with a record are decided when their ACK leaves
	fa_wait 5 fa_is Undecided 13 && fa_is Separate 7 || return
	fa_tracked 7 && fa_laws || return
	# a further close, while the table is full
	"$closer" separate 1 && fa_is Passive 21 && fa_is Separate 8 && fa_is Untracked 14 || return
	fa_is SepUnknown 1 || return
	fa_release || return
	fa_is Passive 21 && fa_is CloseWait 0 && fa_is Undecided 0 && fa_is EndClose 21 || return
	fa_is Earlier 0 && fa_laws && fa_tracked 0 || return
	# and there is room again
	merged=$(fa_get Merged)
	"$closer" merge 3 && fa_is Untracked 14 && fa_is Merged $((merged + 3))
}

# a hold is kept in the record: without one the kernel decides on the ACK of a FIN
test_without_a_record_nothing_is_held() {
	fa_load max_tracked=8 && fa_hold 20 && fa_is Untracked 13 && fa_wait 5 fa_is Separate 7 || return
	echo 2 >/proc/sys/net/finack/fin_ack
	"$closer" late 3 && fa_is Untracked 16 && fa_is Held 0 && fa_is HeldMerged 0 && fa_is Merged 0 || return
	fa_release && fa_tracked 0 && "$closer" late 3 && fa_is Held 3 && fa_is HeldMerged 3 && fa_laws
}

test_one_namespace_leaves_room_for_another() {
	local ns=finack-other-$$ rc=0
	fa_load max_tracked=64 && fa_hold 200 && fa_tracked 56 && fa_is Untracked 144 || return
	ip netns add $ns && ip -n $ns link set lo up || return
	ip netns exec $ns "$closer" separate 3 && fa_is Untracked 0 $ns && fa_is SepApp 3 $ns || rc=1
	ip netns del $ns
	fa_release && fa_tracked 0 && return $rc
}

test_closes_that_began_before_the_module() {
	fa_unload && fa_hold 2000 && fa_load || return
	fa_is Passive 0 && fa_is CloseWait 0 && fa_is Undecided 0 || return
	"$closer" merge 5 && fa_is Merged 5 && fa_is Passive 5 && fa_laws || return
	fa_release || return
	fa_is Earlier 2000 && fa_is Passive 5 && fa_is Merged 5 && fa_is Separate 0 || return
	fa_is EndClose 5 && fa_is CloseWait 0 && fa_is Undecided 0 && fa_laws && fa_tracked 0
}

test_reload_while_closes_wait() {
	fa_hold 300 && fa_tracked 300 && fa_is CloseWait 300 || return
	fa_load || return
	fa_tracked 0 && fa_is Passive 0 && fa_is CloseWait 0 || return
	fa_release && fa_is Earlier 300 && fa_is Passive 0 && fa_laws
}

test_ends_by_a_signal_are_exits() {
	fa_hold 10 || return
	kill -9 "$holder"
	wait "$holder"
	fa_wait 10 fa_is EndExit 10 && fa_is Passive 10 && fa_laws && fa_wait 10 fa_tracked 0
}

fa_main "$@"
