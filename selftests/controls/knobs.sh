#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The knobs: names, values accepted and rejected, the two places they are in, who may set them, the values of a new
# namespace, the hooks they arm. What they do to segments: hold_test, delay_test, lab_test.
. "$(dirname "$0")/lib.sh"

proc=/proc/sys/net/finack
sys=/sys/kernel/finack/net
hooks=/sys/kernel/finack/hooks
ns=finack-knobs-$$
trap 'ip netns del $ns 2>/dev/null' EXIT

all="delack_max_ms delack_min_ms detail fin_ack fin_hold_ms ports quickack"

# put FILE VALUE: set a knob; the error goes to /tmp/err
put() { (echo "$2" >"$1") 2>/tmp/err; }

# refused FILE VALUE...: each value is rejected and changes nothing; an empty one may be ignored instead
refused() {
	local f=$1 before v
	shift
	before=$(cat "$f")
	for v in "$@"; do
		! put "$f" "$v" || fa_same "$v" "" "$f took it:" || return
		grep -q 'Invalid argument' /tmp/err || fa_same "$(cat /tmp/err)" "" "error for $v" || return
		fa_same "$(cat "$f")" "$before" "$f after '$v'" || return
	done
}

# taken FILE VALUE...: each value is accepted and read back
taken() {
	local f=$1 v
	shift
	for v in "$@"; do
		put "$f" "$v" && fa_same "$(cat "$f")" "$v" "$f" || return
	done
}

# armed HOOK...: of the hooks on functions these are armed and no others
armed() {
	local h want got
	want=$(printf '%s\n' "$@" | sort | paste -sd' ')
	got=$(for h in $(grep -lx armed $hooks/*/status); do
		h=$(dirname "$h")
		[ "$(cat "$h/kind")" = tracepoint ] || basename "$h"
	done | sort | paste -sd' ')
	fa_same "$got" "$want" "armed"
}

armed_now() { armed "$@" >/dev/null; }

test_names_and_defaults() {
	fa_same "$(ls $proc | paste -sd' ')" "$all" "files in $proc" || return
	fa_same "$(cd $proc && grep . $all | paste -sd' ')" "delack_max_ms:0 delack_min_ms:0 detail:1 \
fin_ack:0 fin_hold_ms:150 quickack:0" defaults || return
	fa_same "$(cat $proc/ports)" "" "default of ports" || return
	fa_same "$(stat -c %a $proc/* $sys/fin_ack | sort -u)" 644 mode
}

test_values_are_checked_in_both_places() {
	local dir
	for dir in $proc $sys; do
		taken $dir/fin_ack 0 1 2 3 && refused $dir/fin_ack 4 -1 x "" 1x "1 2" 99999999999 || return
		taken $dir/fin_hold_ms 1 499 150 && refused $dir/fin_hold_ms 0 500 -150 "" || return
		taken $dir/quickack 1 2 0 && refused $dir/quickack 3 yes || return
		taken $dir/detail 0 1 2 && refused $dir/detail 3 || return
		taken $dir/delack_min_ms 1 499 0 && refused $dir/delack_min_ms 500 -1 || return
		taken $dir/delack_max_ms 1 499 0 && refused $dir/delack_max_ms 500 -1 || return
		taken $dir/ports 80 80,443 1024-2047,8888 0-65535 "" || return
		refused $dir/ports 65536 80-70 a "80 443" 80-90-100 -1 || return
		# both places show the same value
		taken $dir/fin_hold_ms 77 && fa_same "$(cat $proc/fin_hold_ms $sys/fin_hold_ms)" $'77\n77' \
			"both places" && put $dir/fin_hold_ms 150 || return
	done
}

test_minimum_above_maximum() {
	taken $proc/delack_max_ms 50 && refused $proc/delack_min_ms 51 499 && taken $proc/delack_min_ms 50 &&
		refused $proc/delack_max_ms 49 1 && taken $proc/delack_max_ms 0 &&
		taken $proc/delack_min_ms 120 && refused $proc/delack_max_ms 119 && taken $proc/delack_max_ms 120
}

test_long_list_of_ports() {
	local list own=/proc/sys/net/ipv4/ip_local_reserved_ports
	list=$(seq -s, 1 2 1501)
	put $own "$list" && put $proc/ports "$list" && [ "$(wc -c <$proc/ports)" -gt 3000 ] || return
	cmp $proc/ports $own && put $own "" && put $proc/ports 5 && fa_same "$(cat $proc/ports)" 5 "the next list"
}

# a write() of zero bytes changes nothing; an empty line sets ports to all
test_an_empty_write_changes_nothing() {
	local knob
	put $proc/ports 80 && put $proc/fin_hold_ms 99 || return
	for knob in ports fin_hold_ms; do
		python3 -c 'import os, sys; os.write(os.open(sys.argv[1], os.O_WRONLY), b"")' $proc/$knob
	done
	fa_same "$(cat $proc/ports) $(cat $proc/fin_hold_ms)" "80 99" "after empty writes"
}

# how long a hook that nobody wants stays armed in these tests, in seconds
linger=3
linger_file=/sys/module/finack/parameters/linger

# disarmed: none of these functions is hooked, the kernel's text is as it was
disarmed() { ! grep -qE 'tcp_send_delayed_ack|__tcp_send_ack|tcp_send_ack' /sys/kernel/debug/kprobes/list \
	/sys/kernel/tracing/enabled_functions; }

test_hooks_are_armed_while_needed() {
	local detail="tcp_delack_timer_handler tcp_send_ack" start
	fa_same "$(cat $linger_file)" 60 "default of linger" && echo $linger >$linger_file || return
	! (echo 3601 >$linger_file) 2>/dev/null && fa_same "$(cat $linger_file)" $linger linger || return
	# shellcheck disable=SC2086 # words
	{
		armed $detail || return
		put $proc/fin_ack 1 && armed $detail tcp_send_delayed_ack || return
		put $proc/fin_ack 2 && armed $detail tcp_send_delayed_ack tcp_send_delayed_ack_return || return
		put $proc/fin_ack 0 && put $proc/detail 0 || return
		# a user who sets and resets a knob cannot make the kernel patch its text more often than this
		start=$SECONDS
		armed $detail tcp_send_delayed_ack tcp_send_delayed_ack_return || return
		FA_PERIOD=1 fa_wait $((linger + 20)) armed_now || return
		fa_slow || [ $((SECONDS - start)) -ge $((linger - 1)) ] || fa_same $((SECONDS - start)) $linger "seconds armed" || return
		disarmed || return
		put $proc/quickack 1 && armed tcp_send_delayed_ack || return
		put $proc/quickack 0 && put $proc/delack_max_ms 12 && armed tcp_send_delayed_ack tcp_send_delayed_ack_return || return
		FA_PERIOD=1 fa_wait $((linger + 20)) armed_now tcp_send_delayed_ack_return || return
		put $proc/delack_min_ms 12 && put $proc/delack_max_ms 0 && armed tcp_send_delayed_ack_return || return
		put $proc/delack_min_ms 0 && FA_PERIOD=1 fa_wait $((linger + 20)) armed_now || return
		put $proc/ports 80 && put $proc/fin_hold_ms 10 && armed || return
		# a namespace that is deleted wants nothing any more
		ip netns add $ns && ip netns exec $ns sysctl -qw net.finack.detail=0 net.finack.quickack=1 || return
		FA_PERIOD=1 fa_wait $((linger + 20)) armed_now tcp_send_delayed_ack || return
		ip netns del $ns && FA_PERIOD=1 fa_wait $((linger + 60)) armed_now && disarmed || return
		put $proc/detail 1 && armed $detail || return
	}
	# with linger 0 a hook that nobody wants is disarmed at once
	put $proc/quickack 1 && echo 3600 >$linger_file && put $proc/quickack 0 && armed $detail tcp_send_delayed_ack || return
	echo 0 >$linger_file && FA_PERIOD=1 fa_wait 20 armed_now $detail
}

test_a_control_that_cannot_be_hooked_is_refused() {
	fa_load test_absent=tcp_send_delayed_ack || return
	! put $proc/fin_ack 1 && grep -q 'not supported' /tmp/err && fa_same "$(cat $proc/fin_ack)" 0 fin_ack || return
	! put $proc/quickack 1 && fa_same "$(cat $proc/quickack)" 0 quickack || return
	grep -q ^absent $hooks/tcp_send_delayed_ack/status || return
	# the others work
	taken $proc/delack_max_ms 12 && taken $proc/fin_ack 2 || return
	fa_load test_absent=tcp_delack_timer_handler || return
	! put $proc/fin_ack 2 && fa_same "$(cat $proc/fin_ack)" 0 fin_ack && taken $proc/fin_ack 1 &&
		"$closer" merge 2 && fa_is Forced 2 && fa_is SepPolicy 2 && fa_laws
}

test_one_namespace_sets_nothing_in_another() {
	local rc=0
	ip netns add $ns && ip -n $ns link set lo up || return
	ip netns exec $ns sysctl -qw net.finack.fin_ack=1 || rc=1
	fa_same "$(cat $proc/fin_ack)" 0 "fin_ack here" || rc=1
	"$closer" merge 3 && ip netns exec $ns "$closer" merge 2 || rc=1
	fa_is Merged 3 && fa_is Forced 0 && fa_is Forced 2 $ns && fa_is SepPolicy 2 $ns && fa_is Merged 0 $ns || rc=1
	fa_same "$(ip netns exec $ns cat $sys/fin_ack)" 1 "sysfs there" && fa_same "$(cat $sys/fin_ack)" 0 here || rc=1
	ip netns exec $ns sh -c "echo 2 >$sys/fin_ack" && fa_same "$(ip netns exec $ns cat $proc/fin_ack)" 2 \
		"after sysfs there" || rc=1
	ip netns del $ns && return $rc
}

test_new_namespaces_inherit() {
	local rc=0
	put $proc/fin_ack 2 && put $proc/ports 80,8000-8010 && put $proc/detail 0 || return
	ip netns add $ns && fa_same "$(ip netns exec $ns sh -c "cat $proc/fin_ack $proc/ports $proc/detail")" \
		$'0\n\n1' "without inherit" || rc=1
	ip netns del $ns
	fa_load inherit=1 || return
	put $proc/fin_ack 2 && put $proc/ports 80,8000-8010 && put $proc/detail 0 && put $proc/fin_hold_ms 99 || return
	ip netns add $ns && fa_same "$(ip netns exec $ns sh -c "cd $proc; cat fin_ack ports detail fin_hold_ms quickack")" \
		$'2\n80,8000-8010\n0\n99\n0' "with inherit" || rc=1
	# values are copied once: later changes are not inherited
	put $proc/fin_ack 0 && put $proc/ports 90 && fa_same "$(ip netns exec $ns sh -c "cd $proc; cat fin_ack ports")" \
		$'2\n80,8000-8010' "later" || rc=1
	ip netns del $ns && return $rc
}

test_root_of_a_user_namespace_sets_its_own() {
	local nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
	fa_same "$($nobody unshare -Urn sh -c "cd $proc; echo 1 >fin_ack; echo 80 >ports; cat fin_ack ports")" \
		$'1\n80' "its own" || return
	# a file of sysfs gets its owner when it is created: by then the user namespace must have a root
	fa_same "$($nobody unshare -Ur unshare -nm sh -c "mount -t sysfs sys /sys && echo 2 >$sys/fin_ack
		cat $sys/fin_ack $proc/fin_ack")" $'2\n2' "its own through sysfs" || return
	! $nobody unshare -Ur sh -c "echo 1 >$proc/fin_ack" 2>/dev/null || return
	! $nobody unshare -Ur sh -c "echo 1 >$sys/fin_ack" 2>/dev/null || return
	! $nobody sh -c "echo 1 >$sys/fin_ack" 2>/dev/null && fa_same "$(cat $proc/fin_ack)" 0 "the first one"
}

# the kernel's own switches of kprobes and ftrace: while one is off, armed hooks see nothing
off_and_on() { # FILE COMMAND...: run the command while FILE is 0
	local file=$1 rc=0
	shift
	echo 0 >"$file" || return
	"$@" || rc=1
	echo 1 >"$file" && return $rc
}

nothing_arrives() { # HOOK...
	local h
	for h; do
		grep -q '^armed, but nothing arrives: ' "$hooks/$h/status" || fa_same "$(cat "$hooks/$h/status")" "" "$h" || return
	done
}

control_is_refused() { # KNOB VALUE
	local before
	before=$(cat "$proc/$1")
	! put "$proc/$1" "$2" && grep -q 'not supported' /tmp/err && fa_same "$(cat "$proc/$1")" "$before" "$1"
}

without_kprobes() {
	nothing_arrives "$@" tcp_send_delayed_ack_return && control_is_refused delack_max_ms 13 || return
	# what another control lacks is no reason to refuse that one is set back
	taken $proc/fin_ack 0 && control_is_refused fin_ack 2 && taken $proc/delack_max_ms 0 &&
		control_is_refused delack_max_ms 12
}

test_kprobes_switched_off() {
	local detail="tcp_send_ack tcp_delack_timer_handler"
	fa_load carrier=kprobe && put $proc/fin_ack 2 && put $proc/delack_max_ms 12 || return
	# shellcheck disable=SC2086 # words
	off_and_on /sys/kernel/debug/kprobes/enabled without_kprobes $detail || return
	armed $detail tcp_send_delayed_ack_return && taken $proc/delack_max_ms 12 0 && taken $proc/fin_ack 2 &&
		"$closer" late 2 && fa_is HeldMerged 2
}

without_ftrace() {
	nothing_arrives tcp_send_ack tcp_delack_timer_handler || return
	control_is_refused fin_ack 1 && control_is_refused fin_ack 2 && control_is_refused quickack 1 || return
	# no hook saw the ACKs, so their reasons are unknown; the laws hold
	"$closer" late 2 && fa_is SepUnknown 2 && fa_laws
}

test_ftrace_switched_off() {
	local switch=/proc/sys/kernel/ftrace_enabled
	# some kernels (7.3) can no longer switch it off: then there is nothing to test
	fa_unload && { (echo 0 >$switch) 2>/tmp/err || grep -q 'not supported' /tmp/err; } && echo 1 >$switch && fa_load || return
	! grep -q 'not supported' /tmp/err || return 0
	off_and_on $switch without_ftrace || return
	armed tcp_send_ack tcp_delack_timer_handler tcp_send_delayed_ack_return && taken $proc/fin_ack 1 &&
		"$closer" late 2 && fa_is Forced 2 || return
	# ops that can redirect a function cannot be switched off
	[ "$(cat $hooks/tcp_send_delayed_ack/kind)" != ftrace_ops ] || {
		! (echo 0 >$switch) 2>/tmp/err && grep -q busy /tmp/err
	}
}

# sockets in FIN_WAIT1 (state 04): clients whose FIN was not ACKed
fins_unacked() { awk '$4 == "04" { n++ } END { print n + 0 }' /proc/net/tcp /proc/net/tcp6; }
no_fin_unacked() { [ "$(fins_unacked)" = 0 ]; }

test_unload_while_acks_are_held() {
	put $proc/fin_ack 2 && put $proc/fin_hold_ms 499 && fa_hold 1 && fa_release || return
	# undo_test looks at one on the wire; here there are many, and the kernel alone sends all their ACKs
	fa_hold 50 && fa_wait 5 fa_is Held 50 && { fa_slow || [ "$(fins_unacked)" = 50 ]; } && fa_unload || return
	fa_wait 5 no_fin_unacked && fa_release
}

test_controls_on_and_off_under_traffic() {
	local i pids=() rc=0
	for i in 1 2; do
		"$closer" any "$i" &
		pids+=($!)
	done
	for i in $(seq 30); do
		put $proc/fin_ack $((i % 3)) && put $proc/quickack $((i / 2 % 2)) && put $proc/delack_max_ms $((i % 4 * 10)) &&
			put $proc/ports "$([ $((i % 5)) = 0 ] && echo 1-40000)" || rc=1
		fa_wait 60 more_closes $((i * 3)) || rc=1
	done
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	fa_wait 20 fa_is Undecided 0 && fa_laws && fa_is Untracked 0 && fa_is Earlier 0 && fa_is SepUnknown 0 || rc=1
	fa_wait 60 fa_tracked 0 || rc=1
	return $rc
}

more_closes() { [ "$(fa_get Passive)" -ge "$1" ]; }

fa_main "$@"
