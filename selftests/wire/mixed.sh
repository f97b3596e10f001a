#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Random closes in four namespaces at once: the counters agree with the captures, while bpftrace
# probes the functions that we probe, tcpdump captures and every file is read. Then the same while
# the knobs of each namespace change every few milliseconds.
. "$(dirname "$0")/lib.sh"
fa_several_cpus

count=${FINACK_MIXED_COUNT:-$(fa_rounds $((FINACK_LONG ? 200000 : 20000)))}
count_flip=${FINACK_MIXED_FLIP:-$(fa_rounds 50000)}
client=finack-client-$$

#   server 1 .. 4                       one client namespace
#   veth "wire": 10.9.N.1, fd00:N::1 --- 10.9.N.2, fd00:N::2
link_up() { # $1: server namespace ; $2: N
	ip netns add "$1" &&
		ip -n "$1" link set lo up &&
		ip -n "$1" link add wire type veth peer name "to-$2" netns $client &&
		ip -n "$1" addr add "10.9.$2.1/24" dev wire &&
		ip -n "$1" addr add "fd00:$2::1/64" dev wire nodad &&
		ip -n "$1" link set wire up &&
		ip -n $client addr add "10.9.$2.2/24" dev "to-$2" &&
		ip -n $client addr add "fd00:$2::2/64" dev "to-$2" nodad &&
		ip -n $client link set "to-$2" up
}

read_all() {
	local i
	while :; do
		for i in 1 2 3 4; do
			ip netns exec "finack-server$i-$$" sh -c 'cat /proc/net/finack* /sys/kernel/finack/net/* \
				/sys/kernel/finack/hooks/*/* /proc/sys/net/finack/*' >/dev/null
		done
	done 2>/dev/null
}

# Knobs are set one after the other, and arming a hook for one takes long on a busy machine. This namespace keeps the
# hooks armed most of the time, so that elsewhere knobs change as fast as they are written.
keep_hooks() {
	cd /proc/sys/net/finack || return
	while :; do
		echo 1 >quickack
		echo 2 >fin_ack
		read -r -t 5 <> <(:)
		echo 0 >quickack
		echo 0 >fin_ack
		read -r -t 0.2 <> <(:)
	done
}

others=() loops=()
start_others() { # $1: "flip" or nothing
	read_all &
	loops+=($!)
	ip netns exec $client tcpdump -i any -Z root -w /dev/null tcp 2>/dev/null &
	others+=($!)
	if [ "$1" ]; then
		keep_hooks &
		loops+=($!)
	fi
	! command -v bpftrace >/dev/null && return
	rm -f /tmp/mixed.bpf
	bpftrace -e 'kprobe:tcp_send_ack, kprobe:tcp_delack_timer_handler, kprobe:tcp_fin {
		@[probe, kstack(3)] = count(); }
		tracepoint:finack:finack_close { @ends[args->outcome, args->reason, args->end] = count(); }' \
		>/tmp/mixed.bpf 2>&1 &
	others+=($!)
	fa_wait 100 grep -q Attaching /tmp/mixed.bpf && fa_wait 300 fa_watches "${others[-1]}"
}

stop_others() {
	local pid
	# a second interrupt would cut off what bpftrace prints after the first
	kill -INT "${others[@]}"
	for pid in "${others[@]}"; do fa_wait 20 fa_is_over "$pid" || fa_wait 60 fa_interrupted "$pid"; done
	kill "${loops[@]}"
	wait "${others[@]}" "${loops[@]}" 2>/dev/null
	others=() loops=()
	sysctl -qw net.finack.quickack=0 net.finack.fin_ack=0
	if [ -e /tmp/mixed.bpf ]; then
		grep '^@ends' /tmp/mixed.bpf | sed 's/^/# /'
		[ "${PIPESTATUS[0]}" = 0 ] || {
			fa_say "bpftrace saw no close"
			return 1
		}
	fi
	fa_say "missed: $(cat /sys/kernel/finack/hooks/tcp_send_ack/missed) of" \
		"$(cat /sys/kernel/finack/hooks/tcp_send_ack/hits) ACKs"
}

# a reason is unknown only where a probe was missed
unknown_reasons() {
	local i f n=0 missed=0
	for i in 1 2 3 4; do n=$((n + $(fa_get SepUnknown "finack-server$i-$$"))); done
	for f in tcp_send_ack tcp_delack_timer_handler; do
		missed=$((missed + $(cat "/sys/kernel/finack/hooks/$f/missed")))
	done
	fa_say "reason unknown: $n; probes missed: $missed"
	[ $n -le $missed ]
}

clean_up() {
	local i
	[ ${#loops[@]} = 0 ] || kill "${others[@]}" "${loops[@]}"
	for i in 1 2 3 4; do ip netns del "finack-server$i-$$" 2>/dev/null; done
	ip netns del $client 2>/dev/null
}
trap clean_up EXIT

each_control_did_something() {
	local name i n
	for name in Forced Held HeldMerged QuickAck Clamped SepPolicy SepHeld; do
		n=0
		for i in 1 2 3 4; do n=$((n + $(fa_get $name "finack-server$i-$$"))); done
		fa_say "FinAck$name: $n"
		[ $n -gt 0 ] || return
	done
}

random_closes() { # $1: how many ; $2: "flip" or nothing
	local i pids=() rc=0 count=$1
	ip netns add $client || return
	# every client may wait its minute: one that could not would answer a retransmission with a RST
	ip netns exec $client sysctl -qw net.ipv4.tcp_max_tw_buckets=$((count * 2)) || return
	for i in 1 2 3 4; do link_up "finack-server$i-$$" $i || return; done
	start_others "${2:-}" || return
	fa_say "$count closes, seed ${FINACK_SEED:=$RANDOM}"
	for i in 1 2 3 4; do
		ip netns exec "finack-server$i-$$" "$fa_dir/mixed" /run/netns/$client wire \
			"10.9.$i.1" "fd00:$i::1" $((count / 4)) $((FINACK_SEED + i)) ${2:+"$2"} >"/tmp/mixed.$i" &
		pids+=($!)
	done
	for i in 1 2 3 4; do
		wait "${pids[i - 1]}" || rc=1
		fa_say "server $i"
		cat "/tmp/mixed.$i"
		fa_laws "finack-server$i-$$" || rc=1
	done
	fa_laws $client || rc=1
	stop_others || rc=1
	# where detail is switched off and on, some reasons stay unknown
	[ -n "${2:-}" ] || unknown_reasons || rc=1
	[ -z "${2:-}" ] || each_control_did_something || rc=1
	clean_up
	fa_wait 200 fa_tracked 0 && return $rc
}

test_random_closes() {
	random_closes "$count"
}

# the knobs are at their defaults in the end
test_random_closes_under_changing_knobs() {
	local details_were_off=yes f
	random_closes "$count_flip" flip || return
	for f in /sys/kernel/finack/hooks/*; do
		[[ $(cat "$f/kind") == tracepoint || $(cat "$f/hits") -gt 0 ]] || {
			fa_say "${f##*/} was never hit"
			return 1
		}
	done
	echo 0 >/sys/module/finack/parameters/linger
	for f in /sys/kernel/finack/hooks/tcp_send_delayed_ack*; do
		FA_PERIOD=1 fa_wait 60 grep -q ^off "$f/status" || return
	done
}

# the second case takes long
[ $# -gt 0 ] || [ -n "${FINACK_LONG:-}" ] || set -- random_closes
fa_main "$@"
