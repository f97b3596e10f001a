#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The record table: its size, what happens when it is full, closes that began before the module.
. "$(dirname "$0")/lib.sh"

max_tracked() { cat /sys/module/finack/parameters/max_tracked; }

test_default_size() {
	local slots=1024 memory
	# totalram_pages() is MemTotal; a record per 128 KiB, rounded up to a power of two
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

test_a_full_table_loses_no_count() {
	local merged
	fa_load max_tracked=8 && fa_hold 20 || return
	fa_is Passive 20 && fa_is Untracked 12 && fa_is CloseWait 20 || return
	# the outcome of those with a record is known when their ACK leaves
	fa_wait 5 fa_is Undecided 12 && fa_is Separate 8 || return
	fa_tracked 8 && fa_laws || return
	# a further close, while the table is full
	"$closer" separate 1 && fa_is Passive 21 && fa_is Separate 9 && fa_is Untracked 13 || return
	fa_is SepUnknown 1 || return
	fa_release || return
	fa_is Passive 21 && fa_is CloseWait 0 && fa_is Undecided 0 && fa_is EndClose 21 || return
	fa_is Earlier 0 && fa_laws && fa_tracked 0 || return
	# and there is room again
	merged=$(fa_get Merged)
	"$closer" merge 3 && fa_is Untracked 13 && fa_is Merged $((merged + 3))
}

# the hold of an ACK needs the record: without one the kernel decides when the ACK of a FIN leaves
test_without_a_record_nothing_is_held() {
	fa_load max_tracked=8 && fa_hold 20 && fa_is Untracked 12 && fa_wait 5 fa_is Separate 8 || return
	echo 2 >/proc/sys/net/finack/fin_ack
	"$closer" late 3 && fa_is Untracked 15 && fa_is Held 0 && fa_is HeldMerged 0 && fa_is Merged 0 || return
	fa_release && fa_tracked 0 && "$closer" late 3 && fa_is Held 3 && fa_is HeldMerged 3 && fa_laws
}

# greedy NAME UID COUNT [UNSHARE...]: start a closer that holds COUNT connections in a network namespace of a
# new user namespace of that user, nested in those that UNSHARE makes. Its output, and at the end its counters,
# go to /tmp/greedy-NAME.
greedies=()
greedy() {
	local name=$1 uid=$2 count=$3
	shift 3
	rm -f "/tmp/greedy-$name.go"
	mkfifo -m 666 "/tmp/greedy-$name.go"
	: >"/tmp/greedy-$name"
	setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@" unshare -Urn sh -c "ip link set lo up
		$closer hold $count <>/tmp/greedy-$name.go; cat /proc/net/finack" >"/tmp/greedy-$name" 2>&1 &
	greedies+=($!)
	fa_wait 60 grep -q held "/tmp/greedy-$name"
}

# feed NAME...: let these close their connections, and wait for all
feed() {
	local name
	for name; do echo go >"/tmp/greedy-$name.go"; done
	wait "${greedies[@]}"
	greedies=()
}

# untracked_of NAME...: how many of their closes got no record; call feed first
untracked_of() {
	cat "${@/#//tmp/greedy-}" | awk '$1 == "FinAckUntracked" { n += $2 } END { print n + 0 }'
}

# All namespaces of one user together get seven eighths of half the table, see module/share.c; another user
# gets what is left of that half. The host gets the rest, and its ACKs are held as fin_ack=2 asks.
test_a_user_with_many_namespaces_leaves_room_for_all() {
	local i rc=0
	fa_load max_tracked=64 || return
	for i in 1 2 3 4 5 6; do greedy $i 65534 20 || return; done
	fa_same "$(cat /sys/kernel/finack/tracked)" 28 "records of the first user" || rc=1
	greedy other 65533 20 || return
	fa_same "$(cat /sys/kernel/finack/tracked)" 32 "records of both users" || rc=1
	fa_hold 32 && fa_is Untracked 0 && fa_tracked 64 || rc=1
	"$closer" merge 1 && fa_is Untracked 1 || rc=1
	fa_release && fa_is EndClose 33 && fa_laws && fa_tracked 32 || rc=1
	echo 2 >/proc/sys/net/finack/fin_ack
	"$closer" late 5 && fa_is Held 5 && fa_is HeldMerged 5 && fa_is Untracked 1 || rc=1
	feed 1 2 3 4 5 6 other
	fa_same "$(untracked_of 1 2 3 4 5 6)" 92 "closes of the first user without a record" || rc=1
	fa_same "$(untracked_of other)" 16 "those of the second" || rc=1
	fa_wait 60 fa_tracked 0 && return $rc
}

# the nested user namespaces of a user have the same owner
test_user_namespaces_below_others_have_the_same_owner() {
	local rc=0
	fa_load max_tracked=64 && greedy deep 65534 40 unshare -Ur unshare -Ur && greedy flat 65534 10 || return
	fa_same "$(cat /sys/kernel/finack/tracked)" 28 records || rc=1
	feed deep flat
	fa_same "$(untracked_of deep) $(untracked_of flat)" "12 10" "closes without a record" || rc=1
	fa_wait 60 fa_tracked 0 && return $rc
}

# root makes user namespaces for others, so each is an owner of its own
test_each_user_namespace_of_root_is_an_owner() {
	local rc=0
	fa_load max_tracked=64 && greedy a 0 40 && greedy b 0 10 || return
	fa_same "$(cat /sys/kernel/finack/tracked)" 32 records || rc=1
	feed a b
	fa_same "$(untracked_of a) $(untracked_of b)" "12 6" "closes without a record" || rc=1
	fa_wait 60 fa_tracked 0 && return $rc
}

# records lie in slots behind their home slot, and are freed in any order
test_long_searches() {
	local i rc=0
	fa_load max_tracked=40 || return
	for i in 1 2 3 4 5 6 7 8; do
		greedy_here $i 5 || return
	done
	fa_tracked 40 && "$closer" merge 2 && fa_is Untracked 2 || rc=1
	for i in 3 1 7 5; do echo go >"/tmp/greedy-$i.go"; done
	fa_wait 60 fa_tracked 20 || rc=1
	"$closer" merge 20 && "$closer" separate 20 && fa_is Untracked 2 || rc=1
	feed 2 4 6 8
	fa_is Passive 82 && fa_is EndClose 82 && fa_is Earlier 0 && fa_is SepApp 20 && fa_laws && fa_tracked 0 || rc=1
	return $rc
}

# greedy_here NAME COUNT: as greedy, in the first namespace
greedy_here() {
	rm -f "/tmp/greedy-$1.go"
	mkfifo "/tmp/greedy-$1.go"
	: >"/tmp/greedy-$1"
	"$closer" hold "$2" <>"/tmp/greedy-$1.go" >"/tmp/greedy-$1" &
	greedies+=($!)
	fa_wait 60 grep -q held "/tmp/greedy-$1"
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
