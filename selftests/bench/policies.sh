# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # all of them are parts of guest
#
# What each policy costs and gains, between two namespaces over a link with a delay, policies
# interleaved: bench_policies and bench_learn. A line per measurement goes to /mnt/share/policies-NAME:
#
#   KIND DELAY_MS POLICY TRANSACTIONS INSTRUCTIONS NANOSECONDS SEGMENTS P50_NS P99_NS

in_ns() { ip netns exec "$@"; }

pair_up() {
	local end
	ip netns add server && ip netns add client && ip -n server link add wire type veth peer name wire netns client &&
		for end in server=10.9.1.1 client=10.9.1.2; do
			ip -n "${end%=*}" link set lo up && ip -n "${end%=*}" addr add "${end#*=}/24" dev wire &&
				ip -n "${end%=*}" link set wire up || return
		done
}

# the round trip takes so many milliseconds; the limit is for 200 flows and a bulk stream
set_delay() {
	[ "$1" = 0 ] || in_ns client tc qdisc replace dev wire root netem delay "$1ms" limit 10000
}

# all knobs of both namespaces are at their defaults when the module is loaded
set_policy() {
	local ns
	[ "$1" != unloaded ] || return 0
	finack || return
	for ns in server client; do
		in_ns $ns sysctl -qw "net.finack.$1" || return
	done
}

# policy_sample KIND FLOWS COUNT DELAY POLICY; run_by is what the programs of the load are run by
policy_sample() {
	local line
	line=$(in_ns client "${run_by[@]}" "$bin/load" "$1" 10.9.1.1 "$2" "$3" $server 2>"$scratch/err") ||
		die "$1 under $5: $(cat "$scratch/err")"
	# shellcheck disable=SC2086 # five words
	set -- "$1" "$4" "$5" "$3" $line
	echo "$*" >>"$policies_out"
	printf 'bench: %5d s  policy %-5s %3d ms  %-16s %10.1f instructions\n' "$(cut -d. -f1 /proc/uptime)" "$1" "$2" "$3" \
		"$(awk "BEGIN { print $5 / $4 }")"
}

# under_each ROUNDS LOAD...: the loads (KIND:FLOWS:COUNT) under each of the policies, with each delay
under_each() {
	local rounds=$1 delay policy round load
	shift
	for delay in 0 1 20; do
		set_delay $delay || die "netem"
		in_ns client "$bin/load" conn 10.9.1.1 200 400 $server >/dev/null || die "load"
		for round in $(seq "$rounds"); do
			for policy in "${policies[@]}"; do
				unsoaked set_policy "$policy" || die "cannot set $policy"
				for load in "$@"; do
					# shellcheck disable=SC2086 # three words
					policy_sample ${load//:/ } $delay "$policy"
				done
				[ "$policy" = unloaded ] || unsoaked rmmod finack || die "cannot unload"
			done
		done
	done
}

# with_server COMMAND...: while the server runs in its namespace
with_server() {
	local server ns
	pair_up || die "no namespaces"
	ip netns exec server "${run_by[@]}" "$bin/serve" >"$scratch/serving" & # not in_ns: $! must be serve's own pid
	server=$!
	fa_wait 60 grep -q serving "$scratch/serving" || die "serve"
	for ns in server client; do
		in_ns $ns sysctl -qw net.ipv4.tcp_max_tw_buckets=10
	done
	"$@"
	# a namespace that remains would keep hooks armed that other workloads do without
	kill $server
	wait $server 2>/dev/null
	ip netns del server
	ip netns del client
}

bench_policies() {
	local run_by=() policies=(unloaded fin_ack=0 fin_ack=1 fin_ack=2 quickack=1 delack_max_ms=12)
	# 200 flows fall in and out of step with each other: that takes long runs and the median of several
	with_server under_each 3 rr:200:8000 conn:200:3000 bulk:1:1000
}

# Loads to which it matters whether ACKs are delayed, in whole cycles of 100 transactions. With one at a time, a
# single time slice that the scheduler gives to soak (3 ms) would be 3 % of a sample, so the load has real-time
# priority. ksoftirqd's is higher: as long as it is runnable, all softirqs wait for it.
bench_learn() {
	local run_by=(chrt --fifo 1) ksoftirqd policies=(unloaded quickack=0 quickack=1 quickack=2 delack_max_ms=5)
	ksoftirqd=$(pgrep -x ksoftirqd/0) && chrt --fifo --pid 2 "$ksoftirqd" || die "no priorities"
	with_server under_each 2 two:1:400 one:1:2000 slow:1:100 turns:1:800 slowturns:1:200 mixed:4:800 lazy:1:500
	chrt --other --pid 0 "$ksoftirqd"
}
