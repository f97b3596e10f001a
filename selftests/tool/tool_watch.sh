#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# finack waiting and finack watch: who owes a close(), and each close as it happens.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tool_lib.sh"

traffic=$fa_dir/traffic.py
instances=/sys/kernel/tracing/instances

# stuck FAMILY [NS]: start a process that never closes; sets $stuck to its pid
stuck() {
	: >/tmp/stuck
	${2:+ip netns exec "$2"} python3 "$traffic" stuck "$1" 8080 >/tmp/stuck &
	stuck=$!
	fa_wait 20 grep -q stuck /tmp/stuck
}

test_waiting_names_the_process() {
	local stuck here there rc=0
	ends 0 finack waiting && has '^no socket owes a close()$' || return
	ip netns add $ns && ip -n $ns link set lo up && stuck 4 || return
	here=$stuck
	stuck 6 $ns || return
	there=$stuck
	ends 0 finack waiting && has "timer  *5  127.0.0.1:8080 .* python3 (pid $here, fd [0-9]*)$" || rc=1
	ends 0 finack -n $ns waiting && has "\[::1\]:8080 .* python3 (pid $there, fd [0-9]*)$" || rc=1
	ends 0 finack -a -j waiting &&
		is "sorted(w['processes'][0]['pid'] for n in d for w in n['waiting'])" \
			"$(python3 -c "print(sorted(($here, $there)))")" || rc=1
	ends 0 finack -n $ns -j waiting && is "d['waiting'][0]['local']" \
		"{'address': '::1', 'port': 8080}" && is "d['waiting'][0]['unread']" 5 || rc=1
	# on a narrow terminal the process has a line of its own
	COLUMNS=40 ends 0 finack waiting && has "^    root  *python3 (pid $here, fd [0-9]*)$" || rc=1
	COLUMNS=40 ends 0 finack -a waiting && has "^    root  *python3 (pid $there, fd [0-9]*)$" &&
		! awk 'length > 40' /tmp/out | grep . || rc=1
	kill "$here" "$there"
	wait "$here" "$there" 2>/dev/null
	ip netns del $ns
	return $rc
}

# nobody has accepted them: waiting and why name who listens
test_waiting_for_accept() {
	local pid rc=0
	rm -f /tmp/held
	"$fa_dir/services" pending:90:3 >/tmp/held &
	pid=$!
	fa_wait 10 grep -qs held /tmp/held && fa_wait 10 fa_is CloseWait 3 || return
	ends 0 finack waiting && has "127.0.0.1:90 .* never accepted by services (pid $pid)$" || rc=1
	ends 0 finack -j waiting && is "[(w['owner'], w['processes']) for w in d['waiting']] == [('unaccepted', [])] * 3" True || rc=1
	fa_wait 30 older_than 10 && ends 0 finack why && has '^waiting:' || rc=1
	ends 0 finack -j why && is "', at port 90 (services, pid $pid). They were never accepted' in d['findings'][0]['text']" True ||
		rc=1
	kill $pid
	wait $pid 2>/dev/null
	return $rc
}

# closed already: the FIN waits for the peer, and nobody here owes a close()
test_waiting_behind_data() {
	local pid rc=0
	rm -f /tmp/held
	"$fa_dir/services" stuck:91:1 >/tmp/held &
	pid=$!
	fa_wait 10 grep -qs held /tmp/held && fa_wait 30 older_than 10 || rc=1
	ends 0 finack waiting && has "127.0.0.1:91 .* - (closed already)$" || rc=1
	ends 0 finack -j why && is "d['findings'][0]['text'].split(':')[0]" \
		"1 socket was closed here, and the FIN has not left" &&
		is "'owes' in str(d) or 'has to close' in str(d)" False || rc=1
	kill $pid
	wait $pid 2>/dev/null
	return $rc
}

older_than() { awk -v ms=$(($1 * 1000)) 'NR > 1 && $1 < ms { young = 1 } END { exit NR < 2 || young }' /proc/net/finack_waiting; }

test_waiting_filters_and_order() {
	local stuck n port
	fa_hold 2 && stuck 4 || return
	ends 0 finack -j waiting && is "len(d['waiting'])" 3 &&
		is "[w['age_us'] for w in d['waiting']] == sorted([w['age_us'] for w in d['waiting']], reverse=True)" \
			True || return
	for n in "sport 8080" "pid $stuck"; do
		# shellcheck disable=SC2086 # words
		ends 0 finack -j waiting $n &&
			is "[w['processes'][0]['command'] for w in d['waiting']]" "['python3']" || return
	done
	ends 0 finack -j waiting pid "$holder" && is "len(d['waiting'])" 2 || return
	port=$(python3 -c "import json; print(json.load(open('/tmp/out'))['waiting'][0]['remote']['port'])")
	ends 0 finack -j waiting dport "$port" && is "len(d['waiting'])" 1 || return
	ends 0 finack waiting older 1000 && has '^no socket of these owes' || return
	ends 0 finack waiting older 0.001 && fa_same "$(wc -l </tmp/out)" 4 lines || return
	kill "$stuck"
	wait "$stuck" 2>/dev/null
	fa_release
}

test_waiting_many() {
	fa_hold 3000 && ends 0 finack -j waiting && is "len(d['waiting'])" 3000 || return
	is "{w['processes'][0]['pid'] for w in d['waiting']}" "{$holder}" || return
	finack waiting | head -n 1 >/dev/null
	fa_release
}

# watch ARGUMENTS...: start it, output in /tmp/out and /tmp/err; sets $watch to its pid
watch() {
	finack "${json[@]}" watch "$@" >/tmp/out 2>/tmp/err &
	watch=$!
	fa_wait 20 [ -e $instances/finack-$watch/trace_pipe ] &&
		fa_wait 20 grep -qx 1 $instances/finack-$watch/events/finack/finack_close/enable
}

# finished [SIGNAL]: it ends well and leaves nothing behind
finished() {
	[ -z "${1:-}" ] || kill "-$1" "$watch"
	wait "$watch" || {
		fa_say "status $?"
		sed 's/^/# /' /tmp/err
		return 1
	}
	! grep -E 'Sanitizer|runtime error' /tmp/err && no_instance
}

no_instance() { ! find $instances -maxdepth 1 -name 'finack-*' | grep .; }

test_watch_shows_each_close() {
	local watch json=()
	watch && "$closer" merge 2 && "$closer" separate 3 && "$closer" reset 1 || return
	fa_wait 10 grep -q reset-out /tmp/out && finished INT || return
	fa_same "$(grep -c ' merged  *- ' /tmp/out)" 2 merged && fa_same "$(grep -c 'separate app ' /tmp/out)" 3 app &&
		has ' unacked .* reset-out '
}

test_watch_json_lines() {
	local watch json=(-j)
	watch count 3 && "$closer" late 3 && finished || return
	fa_same "$(wc -l </tmp/out)" 3 lines || return
	while read -r line; do
		echo "$line" >/tmp/line
		python3 - <<-'END' || return
			import json, time
			e = json.load(open("/tmp/line"))
			assert e["outcome"] == "separate" and e["reason"] == "timer" and e["end"] == "close", e
			assert 39000 < e["ack_delay_us"] < 60000 < e["fin_delay_us"], e
			assert abs(e["time_us"] / 1e6 - time.time()) < 600 and e["sport"] > 0, e
		END
	done </tmp/out
}

test_watch_on_a_narrow_terminal() {
	local watch json=() COLUMNS
	export COLUMNS=40
	watch && "$closer" late 2 && fa_wait 10 two_by_timer && finished INT || return
	has '^[0-9:]* separate timer   close' && has '^  *[0-9.]* ms  *[0-9.]* ms :[0-9]*' &&
		! awk 'length > 40' /tmp/out | grep . || return
	json=(-j)
	watch count 1 && "$closer" late 1 && finished && fa_same "$(wc -l </tmp/out)" 1 "lines of JSON"
}

two_by_timer() { [ "$(grep -c ' timer ' /tmp/out)" = 2 ]; }

test_watch_filters() {
	local watch json=(-j)
	watch outcome separate reason app count 2 && "$closer" merge 3 && "$closer" separate 2 && finished &&
		fa_same "$(grep -c '"reason":"app"' /tmp/out)" 2 app || return
	watch end reset-out count 1 && "$closer" merge 3 && "$closer" reset 1 && finished &&
		grep -q '"outcome":"unacked"' /tmp/out || return
	watch sport 1 && "$closer" merge 3 && finished TERM && [ ! -s /tmp/out ]
}

test_watch_a_namespace() {
	local watch json=(-j)
	ip netns add $ns && ip -n $ns link set lo up || return
	watch && ip netns exec $ns "$closer" merge 2 && "$closer" separate 1 && fa_wait 10 [ -s /tmp/out ] &&
		finished INT && fa_same "$(grep -c . /tmp/out)" 1 here || return
	json=(-j -n "$ns")
	watch count 2 && "$closer" separate 1 && ip netns exec $ns "$closer" merge 2 && finished &&
		fa_same "$(grep -c merged /tmp/out)" 2 there || return
	json=(-a)
	watch count 3 && ip netns exec $ns "$closer" merge 2 && "$closer" separate 1 && finished &&
		fa_same "$(grep -c "netns $ns$" /tmp/out)" 2 named && ip netns del $ns
}

test_watch_ends_however_it_must() {
	local watch json=() s
	for s in INT TERM HUP; do
		watch && finished $s || return
	done
	finack watch 2>/tmp/err | head -n 2 >/tmp/out &
	fa_wait 20 sh -c "cat 2>/dev/null $instances/finack-*/events/finack/finack_close/enable | grep -qx 1" || return
	"$closer" merge 3
	fa_wait 10 no_instance && [ ! -s /tmp/err ] || return
	watch && fa_unload && ! wait $watch && grep -q 'module was unloaded' /tmp/err && no_instance
}

# while it is stopped it does not read; it then says how many closes the buffers could not hold
test_watch_says_what_is_lost() {
	local watch json=(-j) lost shown
	watch || return
	kill -STOP $watch
	echo 8 >$instances/finack-$watch/buffer_size_kb
	"$closer" merge 500
	kill -CONT $watch
	fa_wait 20 [ -s /tmp/out ] && finished INT || return
	read -r lost shown < <(python3 - <<-'END'
		import json
		lines = [json.loads(l) for l in open("/tmp/out")]
		print(sum(l.get("lost", 0) for l in lines), sum("outcome" in l for l in lines))
	END
	)
	fa_same $((lost + shown)) 500 "lost ($lost) and shown ($shown)" && [ "$lost" -gt 0 ] &&
		grep -q "$lost closes were lost, $shown shown" /tmp/err
}

# requests by two writes, on lo: each stall is told twice, by who was late and by who waited
test_stalls() {
	local server pid rc=0
	: >/tmp/ready
	"$fa_dir/stall" server 127.0.0.1 7000 >/tmp/ready &
	server=$!
	fa_wait 60 grep -q ready /tmp/ready || return
	finack stalls -d 30 count 10 >/tmp/out 2>/tmp/err &
	pid=$!
	fa_wait 60 grep -qx 2 /proc/sys/net/finack/detail && fa_wait 60 grep -q Late /tmp/out || rc=1
	"$fa_dir/stall" client 127.0.0.1 7000 10 >/dev/null || rc=1
	wait $pid || rc=1
	has '^..:..:.. local  *4.\.. ms ' && has '^..:..:.. peer  *4.\.. ms ' && has '^10 stalls, 4..\..* ms lost' || rc=1
	fa_same "$(cat /proc/sys/net/finack/detail)" 1 "detail afterwards" || rc=1
	# interrupted, it is set back, too; without -d it is not touched
	finack stalls -d 1000 side peer >/tmp/out 2>/tmp/err &
	pid=$!
	fa_wait 60 grep -qx 2 /proc/sys/net/finack/detail && fa_wait 60 grep -q Late /tmp/out || rc=1
	"$fa_dir/stall" client 127.0.0.1 7000 5 >/dev/null && fa_wait 60 grep -q peer /tmp/out || rc=1
	kill -INT $pid
	wait $pid || rc=1
	! grep -q ' local ' /tmp/out && has '^4 stalls, ' && fa_same "$(cat /proc/sys/net/finack/detail)" 1 "after SIGINT" || rc=1
	finack stalls >/tmp/out 2>/tmp/err &
	pid=$!
	fa_wait 60 grep -q 'detail is 1 here' /tmp/err && fa_same "$(cat /proc/sys/net/finack/detail)" 1 "without -d" || rc=1
	fa_wait 60 fa_interrupted $pid || rc=1
	wait $pid
	kill $server
	wait $server 2>/dev/null
	[ $rc = 0 ] || cat /tmp/out /tmp/err
	ends 2 finack stalls side bogus && ends 2 finack stalls outcome merged && return $rc
}

fa_main "$@"
