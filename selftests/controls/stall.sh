#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nagle against delayed ACK: a client that sends its requests by two write()s waits 40 ms for each
# answer, because the server's ACK of the first part waits for the answer. Measured by the client's
# clock and by a capture at the server, with controls and without.
. "$(dirname "$0")/lib.sh"
fa_times_hold

requests=20
slack=300 # time that the instructions executed may take, in microseconds
first=(chrt --fifo 1) # before the capture, when a segment wakes both
client=finack-client-$$ server=finack-server-$$ other=finack-other-$$
dir=$(mktemp -d)

#   server, other                       one client namespace
#   "wire": 10.9.N.1, fd00:N::1 --- 10.9.N.2, fd00:N::2
link_up() { # $1: namespace ; $2: N
	ip netns add "$1" &&
		ip -n "$1" link add wire type veth peer name "to-$2" netns $client &&
		ip -n "$1" link set lo up &&
		ip -n "$1" addr add "10.9.$2.1/24" dev wire &&
		ip -n "$1" addr add "fd00:$2::1/64" dev wire nodad &&
		ip -n "$1" link set wire up &&
		ip -n $client addr add "10.9.$2.2/24" dev "to-$2" &&
		ip -n $client addr add "fd00:$2::2/64" dev "to-$2" nodad &&
		ip -n $client link set "to-$2" up
}

servers=()
serve() { # $1: namespace ; $2: address ; $3: port
	: >"$dir/ready"
	"${first[@]}" ip netns exec "$1" "$fa_dir/stall" server "$2" "$3" >"$dir/ready" &
	servers+=($!)
	fa_wait 60 grep -q ready "$dir/ready"
}

clean_up() {
	[ ${#servers[@]} = 0 ] || kill "${servers[@]}"
	wait "${servers[@]}" 2>/dev/null
	ip netns del $client
	ip netns del $server
	ip netns del $other
	rm -rf "$dir"
} 2>/dev/null
trap clean_up EXIT

ip netns add $client && link_up $server 1 && link_up $other 2 &&
	serve $server :: 7000 && serve $server :: 7001 && serve $server 0.0.0.0 7004 &&
	serve $other :: 7000 || exit

# IPv4, v4-mapped, IPv6
ways=("10.9.1.1 7004" "10.9.1.1 7000" "fd00:1::1 7000")

set_knobs() { # $1...: NAME=VALUE of the server's namespace
	ip netns exec $server sysctl -qw "${@/#/net.finack.}"
}

# ask ADDRESS PORT [NS]: send the requests on one connection; the latencies go to $dir/latency, what a capture on the
# server's interface shows to $dir/gaps
ask() {
	local ns=${3:-$server} end=10.9.1.2
	[ "$ns" = $server ] || end=10.9.2.2
	fa_capture "$ns" wire "$dir/wire" || return
	"${first[@]}" ip netns exec $client "$fa_dir/stall" client "$1" "$2" $requests >"$dir/latency" || return
	fa_wait 60 fa_tracked 0 && fa_capture_end "$ns" $end "$dir/wire" "$capture" || return
	"$fa_dir/stall" wire "$dir/wire" "$2" >"$dir/gaps"
}

# all_between LEAST MOST FILE: all $requests requests took so long, except the first: a connection begins in quickack
# mode, in which the kernel ACKs at once
all_between() {
	awk -v least="$1" -v most="$2" -v n=$requests '
		NR > 1 && ($1 < least || $1 > most) { print "# request " NR ": " $0 " us"; bad = 1 }
		NF > 1 && $2 != 1 { print "# request " NR ": " $2 " pure ACKs between its parts"; bad = 1 }
		END { if (NR != n) print "# " NR " requests"; exit bad || NR != n }' "$3"
}

# asked LEAST MOST ADDRESS PORT [NS]: a connection whose requests take so long. On the wire that is
# the time between the two parts; the client's time includes the round trip.
asked() {
	ask "$3" "$4" "${5:-}" && all_between "$1" "$2" "$dir/gaps" &&
		all_between "$1" $(($2 + slack)) "$dir/latency" || return
	fa_say "$3 port $4, ${5:+other namespace, }us: $(sort -n "$dir/latency" | sed -n '2p;$p' | paste -sd-)," \
		"on the wire $(sort -n "$dir/gaps" | awk 'NR == 2 { least = $1 } END { print least "-" $1 }')"
}

# HZ/25, and the rest of a tick, which varies
stalled() { asked 40000 $((44000 + slack)) "$@"; }
prompt() { asked 0 $slack "$@"; }

now_of() { ip netns exec "$1" cat /proc/net/finack; }

test_without_controls_each_request_stalls() {
	local before way
	for way in "${ways[@]}"; do
		before=$(now_of $server)
		# shellcheck disable=SC2086 # two words
		stalled $way && fa_only_moved "$before" "$(now_of $server)" Passive=1 Merged=1 EndClose=1 \
			TimerAck=$((requests - 1)) ||
			return
	done
}

# In each request but the first the server would delay two ACKs, of the first part and of the whole, and at the end
# that of the FIN.
test_quickack_ends_it() {
	local before way
	set_knobs quickack=1 || return
	for way in "${ways[@]}"; do
		before=$(now_of $server)
		# shellcheck disable=SC2086 # two words
		prompt $way && fa_only_moved "$before" "$(now_of $server)" Passive=1 Separate=1 \
			SepPolicy=1 EndClose=1 QuickAck=$((2 * requests - 1)) || return
	done
}

# times ADDRESS PORT COUNT [whole]: the answers of a connection: how many, how many took 20 ms or more, how many of the
# last 100 did
times() {
	ip netns exec $client "$fa_dir/stall" client "$@" | awk -v n="$3" '
		$1 >= 20000 { late++; last += NR > n - 100 } END { print NR, late + 0, last + 0 }'
}

# quick_acks PORT: of the service, by the server's namespace
quick_acks() { ip netns exec $server awk -v p="$1" '$1 == p { print $(NF - 1) }' /proc/net/finack_ports; }

# No port is named. The service whose client stalls is found, and a service whose requests come whole is left alone: no
# ACK, no time. What was learned holds for the next connections.
test_quickack_that_learns_finds_its_target() {
	local quick
	set_knobs quickack=2 || return
	fa_same "$(times 10.9.1.1 7001 400 whole)" "400 0 0" "whole requests" || return
	fa_same "$(times 10.9.1.1 7000 400)" "400 1 0" "requests in two parts" || return
	fa_is Wasted 1 $server && fa_same "$(quick_acks 7001)" 0 "quick ACKs of the other service" || return
	quick=$(quick_acks 7000)
	# the first request is ACKed in quickack mode, as every connection begins, and one by the timer
	[ "$quick" -ge 397 ] && [ "$quick" -le 398 ] && fa_is QuickAuto "$quick" $server || return
	prompt 10.9.1.1 7000 && prompt fd00:1::1 7000 && fa_is Wasted 1 $server || return
	fa_same "$(times 10.9.1.1 7001 400 whole)" "400 0 0" "whole requests" || return
	fa_same "$(quick_acks 7001)" 0 "quick ACKs of the other service" || return
	set_knobs quickack=0 && stalled 10.9.1.1 7000
}

test_another_namespace_stalls_as_before() {
	local before
	set_knobs quickack=1 || return
	before=$(now_of $other)
	stalled 10.9.2.1 7000 $other && stalled fd00:2::1 7000 $other || return
	fa_only_moved "$before" "$(now_of $other)" Passive=2 Merged=2 EndClose=2 TimerAck=$((2 * (requests - 1)))
}

test_back_to_zero_it_is_back() {
	set_knobs quickack=1 && prompt 10.9.1.1 7000 && set_knobs quickack=0 && stalled 10.9.1.1 7000 &&
		fa_is QuickAck $((2 * requests - 1)) $server
}

# 12 ms are three ticks, and one more may have begun
test_a_maximum_shortens_it() {
	local n way
	set_knobs delack_max_ms=12 || return
	for way in "${ways[@]}"; do
		# shellcheck disable=SC2086 # two words
		asked 12000 $((16000 + slack)) $way || return
	done
	# at least each ACK of a first part but the first one; at most all ACKs that the kernel delays
	n=$(fa_get Clamped $server)
	[ "$n" -ge $((3 * (requests - 1))) ] && [ "$n" -le $((3 * (2 * requests - 1))) ] || {
		fa_say "FinAckClamped is $n"
		return 1
	}
}

test_only_on_the_chosen_ports() {
	set_knobs ports=7001 quickack=1 || return
	stalled 10.9.1.1 7000 && fa_is QuickAck 0 $server && prompt 10.9.1.1 7001 &&
		fa_is QuickAck $((2 * requests - 1)) $server || return
	set_knobs ports=32768-60999 && prompt 10.9.1.1 7000 && prompt fd00:1::1 7001 || return # the client's
	set_knobs ports=1-6999,7002-32767 && stalled 10.9.1.1 7000 && stalled fd00:1::1 7001 || return
	set_knobs ports= && prompt 10.9.1.1 7000
}

# a knob takes effect on open connections, too
test_at_once_on_a_connection_that_is_open() {
	local n=0 us stalls=0 late=0
	while read -r us; do
		n=$((n + 1))
		[ $n -lt 2 ] || [ $n -gt 10 ] || stalls=$((stalls + (us >= 40000)))
		[ $n != 10 ] || set_knobs quickack=1 || return
		[ $n -le 200 ] || late=$((late + (us >= 20000)))
	done < <(ip netns exec $client "$fa_dir/stall" client 10.9.1.1 7000 400)
	fa_same "$n" 400 answers && fa_same $stalls 9 "stalls before" && fa_same $late 0 "stalls afterwards"
}

fa_main "$@"
