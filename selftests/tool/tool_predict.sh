#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# finack set --dry-run against what the controls then really do, in segments on the wire.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tool_lib.sh"

seconds=6
rate=40

# segments sent in this namespace (each once: both ends are here)
sent() { awk '/^Tcp:/ && ++n == 2 { print $12 }' /proc/net/snmp; }

# measured DELAYS: count the segments of $seconds of traffic; sets $segments
measured() {
	local before
	before=$(sent)
	python3 "$fa_dir/traffic.py" "$1" $rate $seconds || return
	segments=$(($(sent) - before))
}

# predicts DELAYS KNOB VALUE...: what --dry-run says about a whole run of traffic; sets $predicted
predicts() {
	local delays=$1 before
	shift
	# the guest's clock jumps ahead while something is read from the disk for the first time
	python3 "$fa_dir/traffic.py" 0 $rate 1 && finack set --dry-run -d 0.1 >/dev/null || return
	before=$(fa_get Passive)
	python3 "$fa_dir/traffic.py" "$delays" $rate $((seconds + 3)) &
	fa_wait 20 has_moved $((before + rate)) || return
	ends 0 finack -j set --dry-run -d $seconds "$@" || return
	wait $!
	predicted=$(python3 -c "import json; d = json.load(open('/tmp/out'))
print(round(d['predictions'][0]['segments_per_second'] * $seconds))")
}

has_moved() { [ "$(fa_get Passive)" -gt $(($1 + 10)) ]; }

# agrees DELAYS KNOB VALUE...: the prediction is within a tenth of the measured change, or a segment a second of it
agrees() {
	local delays=$1 predicted segments before rc=0
	shift
	predicts "$delays" "$@" && measured "$delays" || return
	before=$segments
	ends 0 finack set "$@" && measured "$delays" || return
	fa_say "$* on $delays: predicted $predicted, was $((segments - before))"
	python3 -c "p, m = $predicted, $segments - $before
exit(abs(p - m) > max(0.1 * abs(m), $seconds))" || rc=1
	return $rc
}

mixed=0,5,20,60,100,300

test_at_once() {
	agrees $mixed fin_ack 1
}

test_held() {
	agrees $mixed fin_ack 2
}

test_held_for_less() {
	agrees 0,20,50,70,250,300 fin_ack 2 fin_hold_ms 131
}

test_held_then_not() {
	ends 0 finack set fin_ack 2 && agrees $mixed fin_ack 0
}

test_at_once_then_held() {
	ends 0 finack set fin_ack 1 && agrees $mixed fin_ack 2
}

test_bounded() {
	agrees 0,0,20,25,30,100 delack_max_ms 8
}

test_bounded_from_below() {
	agrees 0,0,50,60,300,300 delack_min_ms 131
}

test_changes_nothing() {
	local before
	"$closer" late 2
	before=$(cat /proc/sys/net/finack/*)
	ends 0 finack set --dry-run -d 0.1 detail 0 && fa_same "$(cat /proc/sys/net/finack/*)" "$before" now ||
		return
	has 'per 100 closes' && ends 1 finack set --dry-run -d 0.1 detail 9
}

test_nothing_to_predict_from() {
	ends 1 finack set --dry-run -d 0.1 && grep -q 'no close was counted yet' /tmp/err
}

test_every_namespace() {
	ip netns add $ns && ip -n $ns link set lo up || return
	ends 1 finack -a set --dry-run -d 0.1 && grep -q 'no close was counted yet' /tmp/err || return
	"$closer" late 2 && ends 0 finack -a set --dry-run -d 0.1 && [ ! -s /tmp/err ] || return
	has 'per 100 closes' && has '^fin_ack 2 ' && has "^netns $ns$" && has '^no close was counted yet' || return
	ends 0 finack -a -j set --dry-run -d 0.1 fin_ack 2 &&
		is "[n['predictions'] for n in d if n.get('netns') == '$ns']" "[[]]" &&
		is "[len(n['predictions']) for n in d if n.get('netns') != '$ns']" "[1]" || return
	# one interval for all namespaces
	(fa_wait 60 finack_sleeps && "$closer" merge 4 && ip netns exec $ns "$closer" merge 4) &
	ends 0 finack -a -j set --dry-run -d 2 fin_ack 1 || return
	wait $!
	is "[p['segments_per_second'] for n in d for p in n['predictions']]" "[2.0, 2.0]" && ip netns del $ns
}

fa_main "$@"
