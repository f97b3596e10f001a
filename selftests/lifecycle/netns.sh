#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Network namespaces: each has its own counters, which come and go with it.
. "$(dirname "$0")/lib.sh"

a=finack-a-$$ b=finack-b-$$

add_ns() { ip netns add "$1" && ip -n "$1" link set lo up; }
del_ns() { ip netns del "$1"; }
trap 'ip netns del $a 2>/dev/null; ip netns del $b 2>/dev/null' EXIT

test_a_close_in_one_moves_nothing_in_another() {
	local before_b before_init rc=0
	add_ns $a && add_ns $b || return
	before_b=$(ip netns exec $b cat /proc/net/finack)
	before_init=$(cat /proc/net/finack)
	ip netns exec $a "$closer" merge 4 && ip netns exec $a "$closer" separate 2 || rc=1
	fa_is Passive 6 $a && fa_is Merged 4 $a && fa_is Separate 2 $a && fa_laws $a || rc=1
	fa_same "$(ip netns exec $b cat /proc/net/finack)" "$before_b" "the other namespace" || rc=1
	fa_same "$(cat /proc/net/finack)" "$before_init" "the first namespace" || rc=1
	del_ns $a && del_ns $b && return $rc
}

# ip netns exec mounts the namespace's sysfs
test_sysfs_shows_its_own_namespace() {
	local rc=0 f=/sys/kernel/finack/net
	add_ns $a && add_ns $b || return
	ip netns exec $a "$closer" merge 4 && ip netns exec $b "$closer" separate 2 || rc=1
	fa_same "$(ip netns exec $a sh -c "cd $f && grep . passive merged separate unacked close_wait")" \
		$'passive:4\nmerged:4\nseparate:0\nunacked:0\nclose_wait:0' "in a" || rc=1
	fa_same "$(ip netns exec $b cat $f/passive $f/separate)" $'2\n2' "in b" || rc=1
	fa_same "$(cat $f/passive)" 0 "in the first one" || rc=1
	# the knobs and five counters, and no more: each file costs every namespace
	fa_same "$(ip netns exec $a ls $f | paste -sd' ')" "$(ls /proc/sys/net/finack | cat - \
		<(printf '%s\n' passive merged separate unacked close_wait) | sort | paste -sd' ')" "files" || rc=1
	fa_hold 3 $a && fa_same "$(ip netns exec $a cat $f/close_wait)" 3 "close_wait in a" && fa_release || rc=1
	del_ns $a && del_ns $b && return $rc
}

test_counters_come_with_a_namespace_made_before_the_module() {
	local rc=0
	fa_unload && add_ns $a || return
	ip netns exec $a test ! -e /proc/net/finack || rc=1
	fa_load && ip netns exec $a "$closer" merge 1 && fa_is Merged 1 $a || rc=1
	fa_unload && ip netns exec $a test ! -e /proc/net/finack || rc=1
	del_ns $a && return $rc
}

test_counters_of_a_new_namespace_start_at_zero() {
	local rc=0
	add_ns $a && ip netns exec $a "$closer" merge 3 && del_ns $a && add_ns $a || return
	fa_is Passive 0 $a || rc=1
	del_ns $a && return $rc
}

test_a_namespace_is_deleted_with_live_closes() {
	add_ns $a && fa_hold 50 $a && fa_tracked 50 || return
	del_ns $a || return # deletes its name; the sockets keep the namespace
	fa_tracked 50 && fa_release && fa_wait 200 fa_tracked 0 && fa_is Passive 0
}

test_a_namespace_dies_with_its_process() {
	add_ns $a && fa_hold 50 $a && del_ns $a || return
	kill -9 "$holder"
	wait "$holder"
	fa_wait 200 fa_tracked 0 && fa_is Passive 0
}

test_many_namespaces_come_and_go() {
	local _
	for _ in $(seq "$(fa_rounds 30)"); do
		add_ns $a && ip netns exec $a "$closer" separate 2 && fa_laws $a && del_ns $a || return
	done
	fa_wait 200 fa_tracked 0
}

fa_main "$@"
