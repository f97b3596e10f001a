#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# finack lab: its arguments, output, drawings and captures, and that it leaves nothing behind.
. "$(dirname "$0")/lib.sh"

# ends STATUS COMMAND...: run with the output in /tmp/out and /tmp/err, assert the exit status
ends() {
	local want=$1 rc=0
	shift
	"$@" >/tmp/out 2>/tmp/err || rc=$?
	fa_same $rc "$want" "exit status of $*" && return
	sed 's/^/# /' /tmp/out /tmp/err | tail -n 40
	return 1
}

# says PATTERN...: assert that the output has lines like these
says() {
	local p
	for p; do
		grep -q -- "$p" /tmp/out || {
			fa_say "the output does not say '$p':"
			sed 's/^/# /' /tmp/out
			return 1
		}
	done
}

narrow() { awk 'length > 80 { print "# too long: " $0; bad = 1 } END { exit bad }' /tmp/out; }

# json PYTHON-EXPRESSION: assert something about the output, which is v
json() {
	python3 -c 'import json, sys; v = json.load(open("/tmp/out")); sys.exit(not eval(sys.argv[1]))' "$1" ||
		{
			fa_say "not so: $1"
			return 1
		}
}

test_list() {
	ends 0 finack lab && narrow && says '^ 1  merge  *close() at EOF' '^33  backoff ' || return
	ends 0 finack lab -j && json 'v[0]["name"] == "merge" and {1, 25, 33} <= {e["nr"] for e in v}'
}

test_all_on_links() {
	local n
	ends 0 finack lab all && narrow || return
	n=$(finack lab -j | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')
	fa_same "$(grep -c '^  claim:    holds$' /tmp/out)" "$n" "claims that hold" &&
		fa_same "$(tail -n 1 /tmp/out)" "$n experiments: $n passed" "last line"
}

test_all_as_json() {
	ends 0 finack lab --loopback --family mapped -j all || return
	json 'len(v) > 30 and all(e["agrees"] and e["module"] and e["judged"] == "claim" for e in v)' &&
		json 'all(e["family"] == "mapped" for e in v)' || return
	json 'v[0]["name"] == "merge" and v[0]["segments_of_close"] == 3 and v[0]["outcome"] == "merged"' &&
		json 'v[0]["counters"]["FinAckMerged"] == 1 and "FinAckSeparate" not in v[0]["counters"]' &&
		json '[s["flags"] for s in v[0]["segments"]][-3:] == ["FIN+ACK", "FIN+ACK", "ACK"]' &&
		json '[s["from"] for s in v[0]["segments"]][-3:] == ["client", "server", "client"]' &&
		json 'v[0]["segments"][0]["seq"] == 0 and v[0]["segments"][-1]["ack"] == 2' &&
		json '"close() = 0" in [c["call"] for c in v[0]["server"]["calls"]]' &&
		json 'v[0]["client"]["states"][-1]["state"] == "TIME_WAIT"'
}

test_what_it_shows() {
	ends 0 finack lab -6 --loopback quickack-at-eof slow-close half-open-abort && narrow &&
		says '^quickack-at-eof (ipv6 on the loopback)' 'setsockopt(TCP_QUICKACK, 1)=0' \
			'four segments, separate' 'FinAckSepApp +1' 'client ESTABLISHED FIN_WAIT_1 FIN_WAIT_2' \
			'^half-open-abort (ipv6 on a link)' 'write()=-1 ETIMEDOUT' '(again) -|$'
}

test_narrow() {
	COLUMNS=40 ends 0 finack lab --loopback all && ! awk 'length > 40' /tmp/out | grep . || return
	says ' ms |- FIN+ACK seq=6 ack=1 -->|$' '(again) |$'
}

# the claim is about what comes before the FIN
test_shows_what_the_claim_is_about() {
	ends 0 finack lab --loopback shutdown-read && says ' shutdown(SHUT_RD) = 0 |$' '^  *client :[0-9]*  *server :8888$' &&
		fa_same "$(grep ' server :8888$' /tmp/out | wc -L)" 80 "the head line"
}

test_parameters() {
	ends 0 finack lab --delay 60 merge && says separate 'agree: ' || return
	ends 0 finack lab --delay 10 slow-close && says merged 'agree: ' || return
	ends 0 finack lab --loopback --data 20000 merge && says 'len=\|read()=' 'merged' || return
	ends 0 finack lab --rtt 80 -6 -j merge &&
		json 'v[0]["segments"][2]["ns"] - v[0]["segments"][1]["ns"] >= 80e6' || return
	ends 0 finack lab --rtt 10 --loss 20 -j merge graceful-close slow-close &&
		json 'all(e["judged"] == "agreement" and e["agrees"] for e in v)'
}

test_knobs() {
	ends 0 finack lab --knob fin_ack=1 merge && says 'four segments' '^  claim:    holds' \
		'FinAckForced +1' '^  knobs:    fin_ack=1$' || return
	ends 0 finack lab --knob fin_ack=2 --knob fin_hold_ms=300 slow-close && says 'three segments' \
		'^  agree: ' 'FinAckHeldMerged +1' || return
	ends 1 finack lab --knob fin_ack=4 merge && grep -q 'fin_ack: Invalid' /tmp/err || return
	ends 1 finack lab --knob bogus=1 merge && grep -q 'no control bogus' /tmp/err
}

# against KNOB COMMAND...: run the experiment merge in a namespace with this knob, and with COMMAND in
# the background, which gets the process id of finack; Return: the exit status of finack
against() {
	local pid
	unshare -n sh -c 'ip link set lo up; sysctl -qw "net.finack.$1"
		shift; exec "$@"' sh "$1" finack lab --svg /tmp/lab --here merge >/tmp/out 2>/tmp/err &
	pid=$!
	shift
	"$@" $pid || return
	wait $pid
}

test_a_claim_that_fails() {
	rm -rf /tmp/lab
	against fin_ack=1 true
	fa_same $? 1 "exit status" && says 'DOES NOT HOLD: the wire shows separate' || return
	# which the drawing says, and no claim that is not what it shows
	grep -q '"claim">with its own settings: 4 segments, separate<' /tmp/lab/merge-ipv4-here.svg &&
		grep -q '"claim fails">The claim does not hold: the wire' /tmp/lab/merge-ipv4-here.svg &&
		! grep 'close() at EOF\|tcp_fin()' /tmp/lab/merge-ipv4-here.svg
}

# sockets in a state, in the namespace of a process
in_state() { nsenter -t "$1" -n ss -Htan state "$2" 2>/dev/null | grep -q :8888; }

# stop the server as soon as it waits in read(), and until the kernel has ACKed the FIN without it
delay_the_server() {
	local server
	fa_wait 60 has_children "$1" || return
	server=$(pgrep -P "$1" finack | head -n 1)
	kill -STOP "$server"
	fa_wait 60 in_state "$1" fin-wait-2
	kill -CONT "$server"
}

# the same, but only until the connection is there: it is on time when the FIN comes
disturb_the_server() {
	local server
	fa_wait 60 has_children "$1" || return
	server=$(pgrep -P "$1" finack | head -n 1)
	kill -STOP "$server"
	fa_wait 60 in_state "$1" established
	kill -CONT "$server"
}

test_a_server_that_is_late() {
	rm -rf /tmp/lab
	against fin_ack=0 delay_the_server
	fa_same $? 4 "exit status" && says '^  claim:    INCONCLUSIVE: the server was [0-9.]* ms late' \
		'the wire shows separate' || return
	grep -q '>Inconclusive: the server was' /tmp/lab/merge-ipv4-here.svg || return
	# no excuse for what was not caused by it
	against fin_ack=1 disturb_the_server
	fa_same $? 1 "exit status" && says 'DOES NOT HOLD: the wire shows separate'
}

test_wrong_words() {
	local word
	for word in '--family 5' '--delay x' '--delay 0' '--data 70000' '--rtt -1' '--loss 60' '--loss x' \
		'--knob fin_ack' '--knob =1' '--bogus' '--here --rtt 5'; do
		# shellcheck disable=SC2086 # words
		ends 2 finack lab $word merge && [ -s /tmp/err ] && [ ! -s /tmp/out ] || {
			fa_say "$word"
			return 1
		}
	done
	ends 2 finack lab bogus && grep -q "'bogus'" /tmp/err && [ ! -s /tmp/out ]
}

test_captures_and_drawings() {
	rm -rf /tmp/lab && ends 0 finack lab --pcap /tmp/lab --svg /tmp/lab merge lost-fin-ack || return
	fa_same "$(tcpdump -Z root -nr /tmp/lab/merge-ipv4.pcap 2>/dev/null | grep -c 'Flags \[F')" 2 FINs || return
	python3 - <<-'PYTHON' || return
		import xml.dom.minidom as x
		for name in ("merge", "lost-fin-ack"):
		    d = x.parse("/tmp/lab/%s-ipv4.svg" % name)
		    width = int(d.documentElement.getAttribute("width"))
		    height = int(d.documentElement.getAttribute("height"))
		    text = [t for t in d.getElementsByTagName("text")]
		    said = [t.firstChild.data for t in text]
		    assert any("FIN+ACK seq=6 ack=1" in s for s in said), said
		    assert all(0 <= int(t.getAttribute("x")) < width for t in text)
		    assert all(0 <= int(t.getAttribute("y")) < height for t in text)
	PYTHON
	ends 1 finack lab --svg /proc/nowhere merge && grep -q /proc/nowhere /tmp/err
}

# runs of one experiment do not overwrite each other; a drawing that does not show the claim does not carry it
test_drawings_of_other_settings() {
	local files claim='"claim">close() 100 ms after EOF: four segments'
	rm -rf /tmp/lab
	run_and_draw slow-close && run_and_draw --knob fin_ack=2 slow-close &&
		run_and_draw --knob fin_ack=2 --knob fin_hold_ms=60 slow-close &&
		run_and_draw --knob ports=80,90-91 slow-close && run_and_draw --delay 10 slow-close &&
		run_and_draw -6 --loopback slow-close || return
	files=$(cd /tmp/lab && echo *.svg)
	fa_same "$files" "slow-close-ipv4-delay=10.svg slow-close-ipv4-fin_ack=2-fin_hold_ms=60.svg \
slow-close-ipv4-fin_ack=2.svg slow-close-ipv4-ports=80,90-91.svg slow-close-ipv4.svg \
slow-close-ipv6-loopback.svg" "drawings" || return
	fa_same "$(cd /tmp/lab && echo *.pcap)" "${files//.svg/.pcap}" captures || return
	fa_same "$(cd /tmp/lab && grep -l "$claim" *.svg | paste -sd' ')" \
		"slow-close-ipv4.svg slow-close-ipv6-loopback.svg" "drawings with the claim" || return
	grep -q '"claim">with fin_ack=2: 3 segments, merged<' /tmp/lab/slow-close-ipv4-fin_ack=2.svg &&
		grep -q '"claim">with delay=10: 3 segments, merged<' /tmp/lab/slow-close-ipv4-delay=10.svg &&
		! grep 'the delayed-ACK timer' /tmp/lab/*=*.svg
}

run_and_draw() { ends 0 finack lab --svg /tmp/lab --pcap /tmp/lab "$@"; }

test_without_the_module() {
	fa_unload
	ends 0 finack lab merge && says 'module is not loaded' 'three segments, merged' || return
	ends 0 finack lab -j slow-close && json 'not v[0]["module"] and v[0]["counters"] == {}' || return
	ends 1 finack lab --knob fin_ack=1 merge && grep -q 'modprobe finack' /tmp/err
}

test_without_privileges() {
	ends 1 setpriv --reuid=65534 --regid=65534 --clear-groups finack lab merge &&
		grep -q 'needs CAP_NET_ADMIN' /tmp/err || return
	# root of a namespace of one's own is enough
	ends 0 setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Ur finack lab merge &&
		says 'three segments, merged'
}

# what a run could leave: processes, files, interfaces, namespaces
left_over() {
	pgrep -x finack
	ls /tmp
	ip -br link
	lsns -t net -n -o NS
}

test_interrupted() {
	local sig before pid
	finack lab merge >/dev/null 2>&1
	touch /tmp/out /tmp/err /tmp/before /tmp/after
	left_over >/tmp/before
	for sig in INT TERM; do
		(
			trap - INT # which a shell's background jobs ignore
			exec python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
				finack lab states half-open-close
		) >/tmp/out 2>/tmp/err &
		pid=$!
		fa_wait 60 has_children "$pid" || return
		kill -$sig $pid
		wait $pid
		fa_same $? $((128 + $(kill -l $sig))) "exit status after SIG$sig" || return
		fa_wait 60 as_before || {
			diff /tmp/before /tmp/after | sed 's/^/# /'
			return 1
		}
	done
}

has_children() { [ "$(pgrep -c -x -P "$1" finack)" = 2 ]; }

as_before() {
	left_over >/tmp/after
	cmp -s /tmp/before /tmp/after
}

fa_main "$@"
