#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# /proc/net/finack and /sys/kernel/finack: names, format, permissions, nstat.
. "$(dirname "$0")/lib.sh"

# a gate (check/gates.sh) compares them with the documented ones
test_names_are_those_of_the_source() {
	diff <(awk '{ print $1 }' /proc/net/finack) \
		<(sed -n 's/^	[{ ]*"\(FinAck[A-Za-z]*\)".*/\1/p' /finack/module/mib.c /finack/module/stall.c)
}

test_format() {
	grep -q . /proc/net/finack && ! grep -vE '^FinAck[A-Za-z]+ *	[0-9]+$' /proc/net/finack
}

test_starts_at_zero() {
	grep -q . /proc/net/finack && ! awk '$2 != 0' /proc/net/finack | grep .
}

test_read_in_pieces() {
	fa_same "$(dd if=/proc/net/finack bs=7 2>/dev/null)" "$(cat /proc/net/finack)" "small reads"
}

test_readable_by_all_writable_by_none() {
	fa_same "$(stat -Lc %a /proc/net/finack)" 444 mode || return
	setpriv --reuid 65534 --regid 65534 --clear-groups cat /proc/net/finack >/dev/null || return
	! setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'echo 1 >/proc/net/finack' 2>/dev/null
}

test_nstat_reads_it() {
	local n
	"$closer" merge 3 || return
	n=$(PROC_NET_SNMP6=/proc/net/finack NSTAT_HISTORY=/tmp/nstat.$$ nstat -asz 'FinAck*' |
		grep -c ^FinAck)
	fa_same "$n" "$(wc -l </proc/net/finack)" "lines" || return
	n=$(PROC_NET_SNMP6=/proc/net/finack NSTAT_HISTORY=/tmp/nstat.$$ nstat -asz FinAckMerged |
		awk '/FinAckMerged/ { print $2 }')
	fa_same "$n" 3 "nstat's FinAckMerged"
}

test_what_moves_and_what_does_not() {
	local before after
	before=$(cat /proc/net/finack)
	"$closer" merge 5 && "$closer" separate 7 && "$closer" reset 3 || return
	after=$(cat /proc/net/finack)
	fa_only_moved "$before" "$after" Passive=15 Merged=5 Separate=7 SepApp=7 Unacked=3 EndClose=12 \
		EndResetOut=3 Active=15 ActiveMerged=5 ActiveHalf=7 && fa_laws && fa_tracked 0
}

test_version() {
	fa_same "$(cat /sys/kernel/finack/version)" "$(modinfo -F version finack)" version || return
	fa_same "$(cat /sys/kernel/finack/version)" "$(cat /sys/module/finack/version)" version
}

test_hooks_are_armed_and_hit() {
	local h
	"$closer" late 1 || return
	[ "$(echo /sys/kernel/finack/hooks/*)" = "$(printf '/sys/kernel/finack/hooks/%s ' \
		inet_sock_set_state tcp_delack_timer_handler tcp_probe tcp_retransmit_skb \
		tcp_send_ack tcp_send_delayed_ack tcp_send_delayed_ack_return | sed 's/ $//')" ] || return
	for h in /sys/kernel/finack/hooks/*; do
		case $h in
		*delayed_ack* | */tcp_probe) # hooks of the controls and of detail 2, which nobody uses
			grep -q '^off: ' "$h/status" && fa_same "$(cat "$h/hits")" 0 "$h/hits" || return
			grep -qx 'none\|tracepoint' "$h/kind" || return
			continue
			;;
		esac
		fa_same "$(cat "$h/status")" armed "$h/status" || return
		case $h in
		*/tcp_send_ack | *_handler) grep -qxE 'ftrace_ops|ftrace|jump|breakpoint' "$h/kind" ;;
		*) fa_same "$(cat "$h/kind")" tracepoint "$h/kind" ;;
		esac || return
		fa_same "$(cat "$h/missed")" 0 "$h/missed" || return
		case $h in
		*retransmit*) fa_same "$(cat "$h/hits")" 0 "$h/hits" ;; # nothing was lost
		*) [ "$(cat "$h/hits")" -gt 0 ] ;;
		esac || return
	done
}

test_modes_in_sysfs() {
	local knobs host
	knobs=$(cd /proc/sys/net/finack && printf '/sys/kernel/finack/net/%s\n' *)
	# files that tell about the whole host
	host=$(find /sys/kernel/finack/hooks /sys/kernel/finack/tracked /sys/kernel/finack/ports -type f | sort)
	fa_same "$(find /sys/kernel/finack -type f -perm 644 | sort)" "$knobs" "files of mode 644" &&
		fa_same "$(find /sys/kernel/finack -type f -perm 400 | sort)" "$host" "files of mode 400" &&
		fa_same "$(find /sys/kernel/finack -type f -not -perm 444 | sort)" "$(sort <<<"$knobs
$host")" "files of another mode than 444"
}

test_a_container_reads_no_host_activity() {
	local nobody="setpriv --reuid 65534 --regid 65534 --clear-groups" f
	for f in tracked ports hooks/tcp_send_ack/hits hooks/tcp_send_ack/status; do
		! $nobody cat /sys/kernel/finack/$f 2>/dev/null || return
		# as root of a user namespace, in a sysfs of its own network namespace
		! $nobody unshare -Ur unshare -nm sh -c "mount -t sysfs sys /sys && cat /sys/kernel/finack/$f" \
			2>/dev/null || return
	done
	fa_same "$($nobody cat /sys/kernel/finack/version /sys/kernel/finack/net/passive)" \
		"$(cat /sys/kernel/finack/version)"$'\n0' "what all may read"
}

fa_main "$@"
