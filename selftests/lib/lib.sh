# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the test scripts share. A script defines functions test_*; fa_main runs each as a case of
# its own, in the order written, with the module freshly loaded, and reports in KTAP.

# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../kselftest/ktap_helpers.sh"

fa_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by the scripts
closer=$fa_dir/closer

# shellcheck source=selftests/lib/wait.sh
. "$fa_dir/wait.sh"

# fa_slow: whether this is a debug kernel (KASAN, lockdep), on which everything takes longer; see times.h
fa_slow() { [[ $(uname -r) == *debug* ]]; }

# fa_get NAME [NS]: the value of a counter, without its FinAck
fa_get() {
	${2:+ip netns exec "$2"} awk -v n="FinAck$1" '$1 == n { print $2; found = 1 }
		END { if (!found) print "missing" }' /proc/net/finack
}

# fa_is NAME VALUE [NS]: assert the value of a counter
fa_is() {
	local v
	v=$(fa_get "$1" "${3:-}")
	[ "$v" = "$2" ] && return
	fa_say "FinAck$1 is $v, expected $2${3:+ in namespace $3}"
	return 1
}

# fa_same A B WHAT: assert equal strings
fa_same() {
	[ "$1" = "$2" ] && return
	fa_say "$3: is '$1', expected '$2'"
	return 1
}

# fa_only_moved BEFORE AFTER NAME=DELTA...: assert that these counters moved and no other
fa_only_moved() {
	local before=$1 after=$2
	shift 2
	diff <(awk '{ print $1, $2 }' <<<"$after") \
		<(awk -v moves="$*" 'BEGIN { n = split(moves, m, " ")
			for (i = 1; i <= n; i++) { split(m[i], kv, "="); delta["FinAck" kv[1]] = kv[2] } }
			{ print $1, $2 + delta[$1] }' <<<"$before") | sed 's/^/# /'
	[ "${PIPESTATUS[0]}" = 0 ]
}

# fa_laws [NS]: assert the laws of the counters; with details_were_off set, not every Separate needs a reason
fa_laws() {
	local reasons='SepTimer SepNoAto SepRoute SepNow SepApp SepData SepPolicy SepHeld SepUnknown'
	${1:+ip netns exec "$1"} awk -v reasons="$reasons" -v off="${details_were_off:-}" '
		{ v[substr($1, 7)] = $2; if ($2 > 2 ^ 40) { print "# " $1 " is absurd: " $2; bad = 1 } }
		function sum(names,    n, i, s, a) {
			n = split(names, a, " ")
			for (i = 1; i <= n; i++) s += v[a[i]]
			return s
		}
		END {
			ends = sum("EndClose EndShutdown EndExit EndResetIn EndResetOut EndOther CloseWait")
			outcomes = sum("Merged Separate Unacked Undecided")
			if (off ? v["Separate"] < sum(reasons) : v["Separate"] != sum(reasons)) {
				print "# Separate " v["Separate"] ", reasons " sum(reasons)
				bad = 1
			}
			if (v["Passive"] != outcomes || v["Passive"] != ends) {
				print "# Passive " v["Passive"] ", outcomes " outcomes ", ends " ends
				bad = 1
			}
			exit bad
		}' /proc/net/finack
}

# fa_rounds N: how many rounds to run in search of a rare race: N, or a fifth of that on the debug kernel, where a
# round takes ten times as long and a bug is seen without a rare accident
fa_rounds() { fa_slow && echo $(($1 / 5)) || echo "$1"; }

# fa_logged TEXT: whether the end of the kernel's log has TEXT; the debug kernel logs other things in between
fa_logged() { dmesg | tail -n 60 | grep "$1"; }

# fa_tracked N: whether N records are in use
fa_tracked() { [ "$(cat /sys/kernel/finack/tracked)" = "$1" ]; }

# fa_unload, fa_load [PARAMETER...]
fa_unload() { [ ! -d /sys/module/finack ] || rmmod finack; }
# shellcheck disable=SC2120 # its arguments come from the scripts
fa_load() { fa_unload && modprobe finack "$@"; }

# fa_nothing_left: whether an unloaded module has left nothing behind
fa_nothing_left() {
	local left
	left=$(ls -d /proc/net/finack* /sys/kernel/finack /sys/module/finack /proc/sys/net/finack \
		/sys/kernel/tracing/events/finack 2>/dev/null
		grep -s finack /sys/kernel/debug/kprobes/list /sys/kernel/tracing/enabled_functions)
	fa_same "$left" "" "left behind"
}

# fa_hold COUNT [NS]: start a closer that holds COUNT connections in CLOSE_WAIT. Every client may wait its minute:
# if there were too many, one that could not wait would answer the ACK of a retransmission with a RST.
fa_hold() {
	local line
	${2:+ip netns exec "$2"} sysctl -qw net.ipv4.tcp_max_tw_buckets=1000000 || return
	coproc HOLD { exec ${2:+ip netns exec "$2"} "$closer" hold "$1"; }
	# shellcheck disable=SC2034 # of the coprocess
	holder=$HOLD_PID
	read -r -t 600 line <&"${HOLD[0]}" && [ "$line" = held ]
}

# fa_release: let that closer close its connections, and wait until it has ended
fa_release() {
	local line
	echo go >&"${HOLD[1]}"
	read -r -t 600 line <&"${HOLD[0]}" && [ "$line" = closed ] && wait "$holder"
}

# fa_capture NS INTERFACE FILE: start to capture TCP there; sets $capture to the process
fa_capture() {
	rm -f "$3"
	: >"$3.err"
	ip netns exec "$1" tcpdump -i "$2" -Z root -U --immediate-mode -B 16384 -s 128 -w "$3" \
		--time-stamp-precision nano 'tcp or udp port 9' 2>"$3.err" &
	# shellcheck disable=SC2034 # read by the scripts
	capture=$!
	fa_wait 60 grep -q 'listening on' "$3.err" && return
	cat "$3.err"
	return 1
}

# fa_capture_end NS ADDRESS FILE PROCESS: end it when everything that passed until now is in FILE: a last datagram
# to ADDRESS has to be there
fa_capture_end() {
	ip netns exec "$1" bash -c "echo end-of-capture >/dev/udp/$2/9"
	fa_wait 60 grep -qa end-of-capture "$3" || return
	kill -INT "$4"
	wait "$4"
	grep -q '^0 packets dropped by kernel' "$3.err" || {
		cat "$3.err"
		return 1
	}
}

# fa_times_hold: skip the script on a debug kernel
fa_times_hold() {
	fa_slow || return 0
	echo "1..0 # SKIP compares times, which no test does on a debug kernel"
	exit 4
}

# fa_several_cpus: skip the script if there is only one CPU
fa_several_cpus() {
	[ "$(nproc)" -gt 1 ] && return
	echo "1..0 # SKIP needs several CPUs (SMP=2)"
	exit 4
}

# fa_skip REASON: the case cannot be tested here; it returns this
fa_skip() {
	fa_skipped=$1
	return 1
}

fa_main() {
	local cases t
	mapfile -t cases < <(sed -n 's/^\(test_[a-z0-9_]*\)() {$/\1/p' "$0")
	[ $# = 0 ] || cases=("${@/#/test_}")
	ktap_print_header
	ktap_set_plan ${#cases[@]}
	for t in "${cases[@]}"; do
		fa_skipped=
		if fa_load && "$t"; then
			ktap_test_pass "${t#test_}"
		elif [ "$fa_skipped" ]; then
			fa_say "${t#test_}: $fa_skipped" && ktap_test_skip "${t#test_}"
		else
			[ ! -e /proc/net/finack ] || sed 's/^/# /' /proc/net/finack
			ktap_test_fail "${t#test_}"
		fi
	done
	fa_unload
	ktap_finished
}
