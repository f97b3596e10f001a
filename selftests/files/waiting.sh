#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# /proc/net/finack_waiting: who owes a close().
. "$(dirname "$0")/lib.sh"

file=/proc/net/finack_waiting
count=${FINACK_WAITING_COUNT:-$(fa_rounds $((FINACK_LONG ? 100000 : 5000)))}
ns=finack-waiting-$$
trap 'ip netns del $ns 2>/dev/null' EXIT

lines() { tail -n +2 "$file"; }
are_waiting() { [ "$(lines | wc -l)" = "$1" ]; }

test_empty() {
	fa_same "$(cat $file)" "age_ms family local lport remote rport ack unread uid inode owner" "file" &&
		fa_same "$(stat -Lc %a $file)" 444 mode
}

# each line against /proc/net/tcp6 and the holder's own descriptors
test_lines_are_the_sockets() {
	local age family laddr lport raddr rport ack unread uid inode owner n=0
	fa_hold 7 && fa_wait 5 fa_is Undecided 0 || return
	while read -r age family laddr lport raddr rport ack unread uid inode owner; do
		fa_same "$family $laddr $raddr $ack $unread $uid $owner" "ipv6 ::1 ::1 timer 0 0 open" line || return
		[ "$age" -ge 40 ] && [ "$age" -lt 60000 ] || return
		grep -q "$(printf ':%04X [0-9A-F]*:%04X 08 .* %s ' "$lport" "$rport" "$inode")" \
			/proc/net/tcp6 || return
		find "/proc/$holder/fd" -lname "socket:\\[$inode\\]" | grep -q . || return
		n=$((n + 1))
	done < <(lines)
	fa_same $n 7 lines && fa_release && are_waiting 0
}

test_without_details_the_reason_is_unknown() {
	echo 0 >/proc/sys/net/finack/detail
	fa_hold 3 && fa_wait 5 no_open_ack || return
	fa_same "$(lines | cut -d' ' -f7 | sort -u)" unknown "ack without details" || return
	fa_release && are_waiting 0
}

no_open_ack() { ! lines | cut -d' ' -f7 | grep -qx -- -; }

test_unread_bytes() {
	"$closer" unread 1 &
	local pid=$!
	fa_wait 10 are_waiting 1 || return
	fa_same "$(lines | cut -d' ' -f8)" 1 unread || return
	kill $pid
	wait $pid 2>/dev/null
	fa_wait 10 are_waiting 0
}

# nobody has accepted them; then one has been closed, and its FIN waits behind data that the peer does not take
test_sockets_that_no_process_has() {
	local pid rc=0
	"$fa_dir/services" pending:90:3 >/tmp/held &
	pid=$!
	fa_wait 10 grep -q held /tmp/held && fa_wait 10 are_waiting 3 || rc=1
	fa_same "$(lines | cut -d' ' -f4,10,11 | sort -u)" "90 0 unaccepted" "port, inode, owner" || rc=1
	kill $pid
	wait $pid 2>/dev/null
	fa_wait 10 are_waiting 0 || return
	"$fa_dir/services" stuck:91:1 >/tmp/held &
	pid=$!
	fa_wait 10 grep -q held /tmp/held && fa_wait 10 are_waiting 1 || rc=1
	fa_same "$(lines | cut -d' ' -f4,10,11)" "91 0 closed" "port, inode, owner" || rc=1
	kill $pid
	wait $pid 2>/dev/null
	fa_wait 60 are_waiting 0 && return $rc
}

test_each_namespace_has_its_own() {
	local rc=0
	ip netns add $ns && ip -n $ns link set lo up && fa_hold 5 $ns || return
	are_waiting 0 || rc=1
	fa_same "$(ip netns exec $ns cat $file | wc -l)" 6 "lines there" || rc=1
	ip netns exec $ns setpriv --reuid 65534 --clear-groups cat $file >/dev/null || rc=1
	fa_release && ip netns del $ns && return $rc
}

test_read_in_pieces() {
	fa_hold 50 && fa_wait 5 fa_is Undecided 0 || return
	fa_same "$(dd if=$file bs=100 2>/dev/null | cut -d' ' -f2- | md5sum)" \
		"$(cut -d' ' -f2- $file | md5sum)" "small reads" && fa_release
}

# A close that waits all the time is in every reading exactly once, whatever comes and goes meanwhile.
test_many_under_churn() {
	local held i pids=() rc=0 sockets=/tmp/waiting.held
	fa_load max_tracked=$((count * 2)) && fa_hold "$count" || return
	lines | cut -d' ' -f4,6,10 | sort >$sockets
	held=$(wc -l <$sockets)
	fa_same "$held" "$count" "lines" || return
	for i in 1 2; do
		"$closer" any "$i" &
		pids+=($!)
	done
	for i in 1 2 3; do
		lines | cut -d' ' -f4,6,10 | sort >/tmp/waiting.now
		fa_same "$(uniq -d /tmp/waiting.now | wc -l)" 0 "lines twice" || rc=1
		fa_same "$(comm -12 $sockets /tmp/waiting.now | wc -l)" "$held" "of those that wait" || rc=1
	done
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	fa_release && fa_wait 60 are_waiting 0 && fa_laws && return $rc
}

fa_main "$@"
