#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The finack command: arguments, exit status, text and JSON, with the module and without, as root and not, terminals.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tool_lib.sh"

# processes that must stay until they are killed read from this pipe, to which nobody writes
rm -f /tmp/nothing
mkfifo /tmp/nothing
exec 7<>/tmp/nothing

test_show_every_counter_is_the_file() {
	"$closer" merge 2 && ends 0 finack show -s || return
	fa_same "$(awk '{ print $1, $2 }' /tmp/out)" "$(awk '{ print $1, $2 }' /proc/net/finack)" show
}

test_show_says_what_the_counters_say() {
	"$closer" merge 2 && "$closer" separate 3 && "$closer" reset 1 && ends 0 finack || return
	has '^Passive  *6 ' && has '^  merged  *2  *33.3 %' && has '^  separate  *3  *50.0 %' &&
		has '^    app  *3 ' && has '^    close  *5 ' && has '^    reset-out  *1 ' &&
		has '^  unacked  *1 ' && has '^Hooks .* 0 absent, 0 hits missed$' || return
	! grep -q timer /tmp/out || return
	cp /tmp/out /tmp/show && ends 0 finack show && cmp /tmp/show /tmp/out || return
	ends 0 finack show -z && has '^    timer  *0 '
}

test_show_json_has_the_values_of_the_text() {
	"$closer" merge 2 && "$closer" separate 3 && ends 0 finack -j || return
	is_json && is "d['passive'], d['merged'], d['separate'], d['reasons']['app']" "(5, 2, 3, 3)" &&
		is "d['merged_percent'], d['endings']['close'], d['hooks']['missed']" "(40.0, 5, 0)" ||
		return
	ends 0 finack -j show -s && is "d['counters']['FinAckSepApp'], len(d['counters'])" \
		"(3, $(wc -l </proc/net/finack))" || return
	ends 0 finack -j -p show && is "d['passive']" 5 && [ "$(wc -l </tmp/out)" -gt 10 ]
}

test_show_an_interval() {
	# once before: the clock of a guest jumps while it reads from the disk, so all that is needed must be in memory
	ends 0 finack show -d 0.1 && has '^[0-9.]* .*per second' && has '^Passive  *0.0/s' || return
	"$closer" merge 5 || return
	(fa_wait 60 finack_sleeps && "$closer" merge 4) &
	ends 0 finack -j show -d 2 || return
	wait $!
	is "d['passive'], d['seconds']" "(2.0, 2.0)"
}

test_hist() {
	ends 0 finack hist && has '^FinAckAckDelay: 0 delays$' || return
	"$closer" late 3 && ends 0 finack hist || return
	has '^FinAckAckDelay: 3 delays, mean 4' && has '32.8 ms ..  65.5 ms  *3 .*<- 40 ms$' || return
	ends 0 finack -j hist fin && is "d['histograms'][0]['count'], len(d['histograms'])" "(3, 1)" &&
		is "sum(b['count'] for b in d['histograms'][0]['buckets'])" 3 &&
		is "d['histograms'][0]['name']" FinAckFinDelay || return
	ends 0 finack hist fin && ! grep -q -e '<-' /tmp/out && ends 0 finack hist peer-stall &&
		has '^FinAckPeerStallTime: 0 stalls$' || return
	ends 2 finack hist bogus && grep -q "'bogus'" /tmp/err
}

test_bars_fit_and_are_ascii_where_they_must() {
	local columns
	"$closer" late 3 && "$closer" merge 1 || return
	for columns in 40 60 80 132; do
		COLUMNS=$columns LC_ALL=C.UTF-8 ends 0 finack hist && grep -q █ /tmp/out || return
		[ "$(LC_ALL=C.UTF-8 wc -L </tmp/out)" -le $columns ] || { cat /tmp/out; return 1; }
		COLUMNS=$columns LC_ALL=C ends 0 finack hist && grep -q '##' /tmp/out || return
		! LC_ALL=C grep -q '[^ -~]' /tmp/out || return
	done
}

test_get_and_set() {
	ends 0 finack get && fa_same "$(awk '{ print $1 }' /tmp/out | sort)" \
		"$(ls /proc/sys/net/finack)" "controls" || return
	ends 0 finack set detail 0 && fa_same "$(cat /proc/sys/net/finack/detail)" 0 detail || return
	ends 0 finack get detail && fa_same "$(cat /tmp/out)" "detail         0" get || return
	ends 0 finack -j get detail && is "d['knobs']" "{'detail': 0}" || return
	ends 1 finack set detail 7 && grep -q "does not take '7' for detail, which is 0" /tmp/err || return
	ends 2 finack set bogus 1 && grep -q "'bogus', but:.* detail" /tmp/err || return
	ends 2 finack get bogus && ends 2 finack set detail && ends 2 finack set || return
	ends 0 finack set detail=1 fin_ack 2 quickack=0 && fa_same "$(cat /proc/sys/net/finack/{detail,fin_ack})" $'1\n2' \
		"both ways" || return
	ends 2 finack set fin_ak 1 && grep -q "did you mean 'fin_ack'" /tmp/err
}

# a refusal says what the kernel takes, of each control
test_a_refusal_names_the_range() {
	local knob value
	for knob in /proc/sys/net/finack/*; do
		knob=${knob##*/}
		value=x
		[ "$knob" != delack_min_ms ] || value=500
		ends 1 finack set "$knob" $value && grep -q "takes [0-9p]" /tmp/err || { cat /tmp/err; return 1; }
	done
	ends 0 finack set delack_min_ms 20 && ends 1 finack set delack_max_ms 10 &&
		grep -q 'not less than delack_min_ms' /tmp/err
}

test_help_and_near_words() {
	local c
	for c in show hist ports waiting watch stalls get set why doctor; do
		ends 0 finack $c --help && has "^Usage: finack \[OPTIONS\] $c" || return
	done
	ends 0 finack --help && has '^OPTIONS' && ends 0 finack lab --help && has '^Usage: finack .*lab' || return
	ends 2 finack wiating && grep -q "did you mean 'waiting'" /tmp/err || return
	ends 2 finack xyzzy && ! grep -q 'did you mean' /tmp/err
}

# 40 to 44 ms lie between 32.8 and 65.5, which is all that the histogram tells
test_quantiles_are_bounds() {
	"$closer" late 3 && ends 0 finack && has '^  ack  *3  *<= 65.5 ms  *<= 65.5 ms  *<= 65.5 ms$' || return
	ends 0 finack hist ack && has 'p50 <= 65.5 ms, p99 <= 65.5 ms$' && ends 0 finack -N hist ack && has 'p50 <= 65536,' ||
		return
	ends 0 finack -j && is "d['delays']['ack']['p50_us']" "{'from_us': 32768, 'below_us': 65536}"
}

# a host whose own namespace is quiet
test_others_are_named() {
	ends 0 finack && ! grep -q 'more network namespace' /tmp/out || return
	ip netns add $ns && ends 0 finack && has '^No close here. There is 1 more network namespace: finack -a$' || return
	COLUMNS=40 ends 0 finack && fits 40 || return
	"$closer" merge 1 && ends 0 finack && ! grep -q 'more network namespace' /tmp/out && ip netns del $ns
}

test_words_for_one_and_for_none() {
	ends 0 finack && ! grep -q 'because of' /tmp/out || return
	"$closer" separate 1 && ends 0 finack && has 'because of$' && ends 0 finack why &&
		has '^  Of 1 close by' && has '^  1 close (100.0 %) was ACKed' && ! grep -q '1 closes' /tmp/out
}

test_set_all_or_none() {
	ends 0 finack set delack_min_ms 100 delack_max_ms 200 || return
	# the maximum is rejected until the minimum is set
	ends 0 finack set delack_max_ms 20 delack_min_ms 10 || return
	ends 0 finack set ports 80,8000-8100 && ends 0 finack get ports &&
		fa_same "$(cat /tmp/out)" "ports          80,8000-8100" ports || return
	ends 0 finack set ports "" && fa_same "$(cat /proc/sys/net/finack/ports)" "" "no ports" || return
	ends 1 finack set delack_max_ms 0 delack_min_ms 0 fin_ack 9 || return
	fa_same "$(cat /proc/sys/net/finack/delack_{min,max}_ms | xargs)" "10 20" "after a refusal"
}

test_why() {
	ends 0 finack why && has 'nothing to say yet' || return
	"$closer" separate 3 && "$closer" reset 1 && ends 0 finack why || return
	has '^FinAckSepApp:' && has '^  3 closes (75.0 %) were ACKed because' && has '^FinAckEndResetOut:' ||
		return
	ends 0 finack -j why && is "[f['value'] for f in d['findings'] if f['about'] == 'FinAckSepApp']" "[3]" ||
		return
	COLUMNS=40 ends 0 finack why && ! awk 'length > 40' /tmp/out | grep .
}

# requests by two writes on lo, where both sides are ours: shown, and named by why, with what helps
test_stalls() {
	local pid
	: >/tmp/ready
	"$fa_dir/stall" server 127.0.0.1 7000 >/tmp/ready &
	pid=$!
	fa_wait 60 grep -q ready /tmp/ready && "$fa_dir/stall" client 127.0.0.1 7000 20 >/dev/null || return
	ends 0 finack why && has '^FinAckTimerAck:' && has 'stalls -d 10' && ends 0 finack && has '^  timer  *19 ' || return
	ends 0 finack -j why && says FinAckTimerAck "ACKs of data, all at port 7000 (stall, pid $pid)." || return
	ends 0 finack set detail 2 && "$fa_dir/stall" client 127.0.0.1 7000 20 >/dev/null || return
	ends 0 finack -j why && says FinAckStall "all at port 7000 (stall, pid $pid): the peer writes twice" &&
		says FinAckStall "'finack set quickack 2'" && says FinAckPeerStall "all at remote port 7000," || return
	ends 0 finack ports && has "^ 7000 local .* 38 *19 *0 *[78]..\.. ms *0  stall (pid $pid)$" &&
		has '^ 7000 remote .* 0 *0 *19 *[78]..\.. ms *0$' && has '^  all ' || return
	ends 0 finack -j ports && is "[p['listener'] for p in d['ports'] if 'listener' in p]" \
		"[{'command': 'stall', 'pid': $pid}]" || return
	# what is set already is not advised
	ends 0 finack set quickack 2 ports 7000 && ends 0 finack -j why &&
		says FinAckStall "Here quickack is 2 now, for the ports 7000: 'finack -d 10 ports stalls'" &&
		ends 0 finack set quickack 0 ports "" || return
	kill $pid
	wait $pid 2>/dev/null
	ends 0 finack why && fa_same "$(head -n 1 /tmp/out)" FinAckStall: "what comes first" &&
		has '19 times a peer waited' && has '^FinAckPeerStall:' && has 'TCP_NODELAY' && ! grep -q '^FinAckTimerAck:' /tmp/out || return
	ends 0 finack && has '^  local  *19  *[78]..\.. ms .* our ACK was late$' && has '^  peer  *19 ' || return
	ends 0 finack -j && is "d['stalls']['local']['count'], d['stalls']['peer']['count'], d['stalls']['timer_ack']" "(19, 19, 38)" ||
		return
	ends 0 finack hist stall && has '^FinAckStallTime: 19 stalls, ' && has '<- 40 ms$'
}

# says ABOUT TEXT: whether that finding in the JSON of why has the text
says() {
	is "any(f['about'] == '$1' and \"\"\"$2\"\"\" in f['text'] for f in d['findings'])" True
}

test_ports() {
	local services=$fa_dir/services pid
	ends 0 finack ports && has '^no service was met yet$' || return
	"$services" server:80:3 client:443:5 server:81:1 || return
	ends 0 finack ports && fa_same "$(awk 'NR > 1 { print $1, $2, $3 }' /tmp/out)" \
		$'443 remote 5\n80 local 3\n81 local 1\nall 9 0' "the table" || return
	ends 0 finack -j ports closes && is "[(p['port'], p['side'], p['passive'], p['merged']) for p in d['ports']]" \
		"[('443', 'remote', 5, 5), ('80', 'local', 3, 3), ('81', 'local', 1, 1)]" || return
	ends 2 finack ports size && grep -q "sorts by time, closes, stalls or waiting, 'size'" /tmp/err || return
	ends 0 finack -d 0.1 ports && has '^nothing was counted meanwhile$' || return
	finack -j -d 3 ports >/tmp/out &
	pid=$!
	fa_wait 20 finack_sleeps && "$services" server:80:2 server:82:1 && wait $pid || return
	is "[(p['port'], p['passive']) for p in d['ports']]" "[('80', 2), ('82', 1)]" || return
	COLUMNS=40 ends 0 finack ports && ! awk 'length > 40' /tmp/out | grep . || return
	# in all namespaces, and who waits first
	ip netns add $ns && ip -n $ns link set lo up && rm -f /tmp/held || return
	ip netns exec $ns "$services" server:8080:1 leak:8081:2 >/tmp/held &
	pid=$!
	fa_wait 20 grep -qs held /tmp/held && ends 0 finack -n $ns ports waiting || return
	fa_same "$(awk 'NR == 2 { print $1, $2, $3, $5 }' /tmp/out)" "8081 local 2 2" "the first one" || return
	ends 0 finack -a ports && has '^all namespaces: 15 closes, .* 2 waiting for close(), 0 stalls' || return
	COLUMNS=40 ends 0 finack -a ports && fits 40 && ends 0 finack -a -o ports &&
		fa_same "$(grep -c '^all namespaces: 15 closes, ' /tmp/out)" 1 "lines of the sum" || return
	ends 0 finack -a -j ports && is "sorted(len(n['ports']) for n in d)" "[2, 4]" || return
	kill $pid
	wait $pid 2>/dev/null
	ip netns del $ns || return
	fa_load max_ports=1 && "$services" server:80:3 server:81:4 && ends 0 finack ports && has '^other - *4 '
}

test_doctor() {
	ends 0 finack doctor && ! grep -q '^broken' /tmp/out || { cat /tmp/out; return 1; }
	fa_same "$(grep -c '^ok  *hook .* alive' /tmp/out)" "$(ls /sys/kernel/finack/hooks | wc -l)" hooks ||
		{ cat /tmp/out; return 1; }
	fa_is Passive 0 || return # its closes are in another namespace
	ends 0 finack -j doctor && is "d['broken'], {c['verdict'] for c in d['checks']} <= {'ok', 'note'}" \
		"(False, True)"
}

test_doctor_finds_what_is_broken() {
	fa_load test_absent=tcp_send_ack && ends 1 finack doctor &&
		has '^broken  hook  *tcp_send_ack: absent' || return
	fa_load carrier=kprobe && echo 0 >/sys/kernel/debug/kprobes/enabled
	ends 1 finack doctor
	local rc=$?
	echo 1 >/sys/kernel/debug/kprobes/enabled
	[ $rc = 0 ] && has '^broken  kprobes' &&
		has '^broken  hook  *tcp_send_ack: armed, but nothing arrives' || { cat /tmp/out; return 1; }
	# some kernels (7.3) can no longer switch it off
	fa_load && (echo 0 >/proc/sys/kernel/ftrace_enabled) 2>/dev/null || return 0
	ends 1 finack doctor
	rc=$?
	echo 1 >/proc/sys/kernel/ftrace_enabled
	[ $rc = 0 ] && has '^broken  ftrace' && has '^broken  hook  *tcp_send_ack: armed, but nothing arrives' &&
		has 'sysctl kernel.ftrace_enabled=1' || { cat /tmp/out; return 1; }
}

test_doctor_sees_others() {
	local events=/sys/kernel/tracing/kprobe_events
	fa_load && ends 0 finack doctor && has '^ok  *others ' || return
	echo 'p:finack_other tcp_send_delayed_ack' >$events && echo 1 >/sys/kernel/tracing/events/kprobes/finack_other/enable
	ends 0 finack doctor
	local rc=$?
	echo 0 >/sys/kernel/tracing/events/kprobes/finack_other/enable && echo >$events
	[ $rc = 0 ] && has '^note  *others  *1 other probe at tcp_send_delayed_ack' || { cat /tmp/out; return 1; }
}

test_hooks_are_roots_to_see() {
	local nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
	ends 0 $nobody finack && has '^Hooks .*only root sees them' || { cat /tmp/out; return 1; }
	ends 0 $nobody finack doctor && has 'run as root' || { cat /tmp/out; return 1; }
}

# the commands that have something to print once one close waits and some others are over
every_command=(show hist ports waiting get why "show -s" "set --dry-run -d 0.1")

test_narrow_and_ascii() {
	local c charset
	"$closer" late 2 && "$closer" merge 1 && fa_hold 1 || return
	for c in "${every_command[@]}" "show -d 0.1" "set --dry-run -d 0.1 delack_min_ms 10 delack_max_ms 100" \
		doctor lab "lab -m --here --knob fin_ack=0 quickack-every-read"; do
		for charset in C C.UTF-8; do
			# shellcheck disable=SC2086 # words
			COLUMNS=40 LC_ALL=$charset ends 0 finack $c && fits 40 || return
			[ $charset != C ] || ! LC_ALL=C grep -q '[^ -~]' /tmp/out || return
		done
	done
	# output that no terminal shows, and JSON, is not fitted to a width
	for c in waiting "set --dry-run -d 0.1"; do
		# shellcheck disable=SC2086 # words
		ends 0 finack $c && ! fits 40 >/tmp/fits || return
		# shellcheck disable=SC2086 # words
		COLUMNS=40 ends 0 finack -j $c && is_json && fa_same "$(wc -l </tmp/out)" 1 "lines of JSON" || return
	done
	fa_release
}

# fits COLUMNS: each line of /tmp/out does
fits() {
	[ "$(LC_ALL=C.UTF-8 wc -L </tmp/out)" -le "$1" ] && return
	sed 's/^/# /' /tmp/out
	return 1
}

test_terminal_of_40_columns() {
	local c
	"$closer" late 2 && fa_hold 1 || return
	for c in show hist ports waiting why doctor "set --dry-run -d 0.1"; do
		script -qc "stty cols 40; finack $c" /dev/null </dev/null | tr -d '\r' |
			sed 's/\x1b\[[0-9;]*m//g' >/tmp/out
		[ "$(wc -l </tmp/out)" -gt 1 ] && fits 40 || return
	done
	fa_release
}

test_help_and_version() {
	ends 0 finack -h && grep -q '^Usage: finack' /tmp/out && [ ! -s /tmp/err ] || return
	! awk 'length > 80' /tmp/out | grep . || return
	cp /tmp/out /tmp/help && ends 0 finack --help && cmp /tmp/help /tmp/out || return
	ends 0 finack -V && fa_same "$(cat /tmp/out)" "finack $(modinfo -F version finack)" version
}

test_wrong_words() {
	ends 2 finack bogus && [ ! -s /tmp/out ] && grep -q "'bogus'" /tmp/err || return
	ends 2 finack show bogus && grep -q "'bogus'" /tmp/err || return
	ends 2 finack sho && ends 2 finack --js && ends 2 finack -x && ends 2 finack show -j= || return
	ends 2 finack -n && ends 2 finack -n a -a && ends 2 finack waiting -s || return
	ends 2 finack show -d x && ends 2 finack show -d 0 && ends 2 finack -color=blue || return
	ends 2 finack waiting sport 0 && ends 2 finack waiting sport 65536 && ends 2 finack waiting pid ||
		return
	ends 2 finack watch reason bogus && grep -q 'timer' /tmp/err || return
	ends 2 finack lab bogus && grep -q "'bogus'" /tmp/err && [ ! -s /tmp/out ] || return
	ends 2 finack lab --bogus
}

test_options_before_and_behind() {
	local o
	"$closer" merge 1 && ends 0 finack -json show && cp /tmp/out /tmp/show || return
	for o in "-j show" "show -j" "--json show" "show --json" "-j" "show -json -N"; do
		# shellcheck disable=SC2086 # words
		ends 0 finack $o && cmp /tmp/show /tmp/out || return
	done
}

test_oneline_and_numeric() {
	"$closer" late 1 && ends 0 finack -o && fa_same "$(wc -l </tmp/out)" 1 lines || return
	ends 0 finack -N && grep -q '^  ack  *1  *<= [0-9]*  *<= [0-9]*  *<= [0-9]*$' /tmp/out
}

test_colors() {
	local esc
	esc=$(printf '\033')
	ends 0 finack && ! grep -q "$esc" /tmp/out || return
	ends 0 finack -c && grep -q "$esc" /tmp/out || return
	ends 0 finack -color=auto && ! grep -q "$esc" /tmp/out || return
	ends 0 finack -c -j && ! grep -q "$esc" /tmp/out || return
	script -qc "finack" /dev/null </dev/null | grep -q "$esc" || return
	! NO_COLOR=1 script -qc "finack" /dev/null </dev/null | grep -q "$esc"
}

test_without_the_module() {
	local c
	fa_unload
	for c in show hist ports waiting watch get "set detail 1" why "-a show" "-j show"; do
		# shellcheck disable=SC2086 # words
		ends 1 finack $c && grep -q 'not loaded; run: modprobe finack' /tmp/err &&
			[ ! -s /tmp/out ] && fa_same "$(wc -l </tmp/err)" 1 "lines of $c" || return
	done
	ends 2 finack watch bogus && ends 2 finack watch sport x || return
	ends 1 finack doctor && has '^broken  module' && has 'modprobe finack' || return
	ends 0 finack lab merge && grep -q 'module is not loaded' /tmp/out && grep -q 'three' /tmp/out
}

# a file that this tool needs is not there
test_module_too_old() {
	ends 1 unshare -m sh -c 'mount -t tmpfs none /proc/$$/task/$$/net && exec finack show' || return
	grep -q 'version .* is too old; unload it and load version' /tmp/err && [ ! -s /tmp/out ] &&
		fa_same "$(wc -l </tmp/err)" 1 lines
}

test_file_that_cannot_be_read() {
	ends 1 unshare -m sh -c 'cd /proc/$$/task/$$ && mount -t tmpfs none net && : >net/finack && chmod 0 net/finack &&
		exec setpriv --reuid 65534 --regid 65534 --clear-groups finack show' || return
	grep -q 'cannot read .*: Permission denied; run as root' /tmp/err && [ ! -s /tmp/out ] &&
		fa_same "$(wc -l </tmp/err)" 1 lines
}

test_not_root() {
	local c
	"$closer" merge 1
	for c in show hist ports waiting get why; do
		ends 0 as_nobody finack $c || return
	done
	ends 1 as_nobody finack watch && grep -q 'run as root' /tmp/err || return
	ends 1 as_nobody finack set detail 0 && grep -q 'run as root' /tmp/err || return
	ends 1 as_nobody finack -n $$ show && grep -q 'run as root' /tmp/err || return
	fa_hold 1 && ends 0 as_nobody finack waiting && grep -q 'run as root' /tmp/err || return
	fa_release && ends 0 as_nobody finack doctor && has '^unknown hooks'
}

test_namespaces() {
	local c
	ip netns add $ns && ip -n $ns link set lo up && ip netns exec $ns "$closer" merge 3 || return
	ends 0 finack -n $ns -j && is "d['netns'], d['passive']" "('$ns', 3)" || return
	ends 0 finack -netns /run/netns/$ns -j && is "d['netns'], d['passive']" "('$ns', 3)" || return
	ip netns exec $ns cat <&7 &
	local pid=$!
	fa_wait 5 in_ns $pid || return
	ends 0 finack -n $pid -j && is "d['netns'], d['passive']" "('$ns', 3)" || return
	ends 0 finack -a -j && is "[n['passive'] for n in d if n.get('netns') == '$ns']" "[3]" &&
		is "len({n['netns_inode'] for n in d}) == len(d) > 1" True || return
	ends 0 finack -a && has "^netns $ns$" || return
	# the second reading of an interval is of the same namespaces
	ends 0 finack -a -j show -d 0.1 && is "sorted(n['netns_inode'] for n in d)" \
		"$(finack -a -j | python3 -c "import json, sys
print(sorted(n['netns_inode'] for n in json.load(sys.stdin)))")" || return
	"$closer" merge 1 && fa_hold 1 $ns || return
	ends 2 finack -n $ns doctor && ends 2 finack -a doctor || return
	for c in "${every_command[@]}"; do
		# shellcheck disable=SC2086 # words
		ends 0 finack -j -n $ns $c && is "d['netns']" $ns || return
		# shellcheck disable=SC2086 # words
		ends 0 finack -a -j $c && is "sum(n.get('netns') == '$ns' for n in d)" 1 || return
	done
	ends 0 finack -j -n $ns waiting && is "len(d['waiting'])" 1 && fa_release || return
	ends 0 finack -n $ns set detail 0 && fa_same "$(cat /proc/sys/net/finack/detail)" 1 here || return
	fa_same "$(ip netns exec $ns cat /proc/sys/net/finack/detail)" 0 there || return
	kill $pid && ip netns del $ns
	ends 1 finack -n $ns && grep -q "no network namespace '$ns'" /tmp/err
}

in_ns() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

# a namespace without a name, known only by its process
test_unnamed_namespace() {
	unshare -n cat <&7 &
	local pid=$!
	fa_wait 5 in_ns $pid || return
	ends 0 finack -a -j && is "[n['netns_command'] for n in d if n.get('netns_pid') == $pid]" \
		"['cat']" && ends 0 finack -a && has "^netns of cat (pid $pid)$"
	local rc=$?
	kill $pid
	return $rc
}

test_output_that_cannot_be_written() {
	local c
	"$closer" late 3
	for c in "${every_command[@]}" "-j show" doctor lab "lab --here merge" "lab -j --here merge" -h; do
		# shellcheck disable=SC2086 # words
		finack $c 2>/tmp/err | true
		[ ! -s /tmp/err ] || return
		# shellcheck disable=SC2086 # words
		finack $c >/dev/full 2>/tmp/err && return 1
		grep -q 'cannot write' /tmp/err || return
	done
}

test_lab_lists_and_runs() {
	ends 0 finack lab && grep -q '^ 1  merge ' /tmp/out || return
	ends 0 finack lab --here merge quickack-at-eof || return
	fa_is Merged 1 && fa_is Separate 1 || return
	grep -q 'three segments, merged' /tmp/out && grep -q 'four segments, separate' /tmp/out || return
	! awk 'length > 100' /tmp/out | grep . || return
	! grep -q "$(printf '\033')" /tmp/out || return
	# in a namespace of its own, nothing moves here
	ends 0 finack lab merge && fa_is Merged 1
}

test_lab_takes_the_common_options() {
	local o
	for o in "-j lab" "lab -j" "--json lab" "lab -json" "-j -p lab"; do
		# shellcheck disable=SC2086 # words
		ends 0 finack $o && is "d[0]['name']" merge || return
	done
	ends 0 finack -j lab merge && is "d[0]['agrees']" True || return
	ends 0 finack -c lab --here merge && grep -q "$(printf '\033')" /tmp/out || return
	for o in "-o lab" "lab -a" "-N lab" "-z lab" "lab -z" "lab -d 3" "-d 3 lab" "lab --del 3 merge"; do
		# shellcheck disable=SC2086 # words
		ends 2 finack $o && [ ! -s /tmp/out ] && [ -s /tmp/err ] || { fa_say "$o"; return 1; }
	done
	ends 0 finack lab -h && grep -q -e '--knob NAME=VALUE' /tmp/out && [ ! -s /tmp/err ] || return
	ip netns add $ns && ip -n $ns link set lo up || return
	ends 2 finack -n $ns lab merge || return
	ends 0 finack -n $ns lab --here merge && fa_is Merged 1 $ns && ip netns del $ns
}

test_lab_leaves_routes_alone() {
	ends 1 finack lab --here route-quickack && grep -q route /tmp/err
}

# completes WORDS...: let the completion complete the last one; sets $completed
completes() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_finack
	completed=" ${COMPREPLY[*]} "
}

test_completion() {
	local c completed
	. /finack/tools/bash-completion/finack
	completes finack ''
	for c in $(finack -h | sed -n 's/^  \([a-z]*\).*/\1/p'); do
		[[ $completed == *" $c "* ]] || { fa_say "no $c"; return 1; }
	done
	completes finack wai && fa_same "$completed" " waiting " wai || return
	completes finack set det && fa_same "$completed" " detail " "set det" || return
	completes finack -n red get det && fa_same "$completed" " detail " "get det" || return
	completes finack watch reason no-a && fa_same "$completed" " no-ato " "reason" || return
	completes finack lab mer && fa_same "$completed" " merge " "lab mer" || return
	completes finack lab --knob fin_a && fa_same "$completed" " fin_ack= " "lab --knob" || return
	completes finack lab --svg /ro && fa_same "$completed" " /root " "lab --svg"
}

# counters and lists change while they are read
test_while_connections_close() {
	local c busy rc=0
	(while "$closer" merge 20 && "$closer" separate 20; do fa_pause 0.05; done) >/dev/null 2>&1 &
	busy=$!
	fa_wait 20 some_closed || rc=1
	for c in "${every_command[@]}" "show -d 0.1" doctor; do
		# shellcheck disable=SC2086 # words
		ends 0 finack $c && [ -s /tmp/out ] && ends 0 finack -j $c && is_json || rc=1
	done
	ends 0 finack -j watch count 50 && fa_same "$(grep -c '"outcome"' /tmp/out)" 50 closes || rc=1
	kill -0 $busy && kill $busy
	wait $busy 2>/dev/null
	return $rc
}

some_closed() { [ "$(fa_get Passive)" -gt 0 ]; }

fa_main "$@"
