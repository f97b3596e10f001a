#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The trace events, read by the tools that people use (tracefs itself: close_test), and their probes
# beside ours.
. "$(dirname "$0")/lib.sh"

event=/sys/kernel/tracing/events/finack/finack_close
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# what "closer separate 2; closer merge 3" must show
is_five_closes() { # $1: text
	fa_same "$(grep -c outcome=merged <<<"$1")" 3 "merged in $1" &&
		fa_same "$(grep -c 'outcome=separate reason=app' <<<"$1")" 2 "separate in $1"
}

test_fields() {
	local f
	for f in netns sock_cookie family saddr daddr saddr_v6 daddr_v6 sport dport outcome reason end \
		ack_delay_us fin_delay_us; do
		grep -qE "field:.* $f(\[[0-9]+\])?;" $event/format || fa_same "" "$f" field || return
	done
}

# requests by two writes and their answers, on lo: each side's view of each stall has an event
test_stalls() {
	local side pid
	: >"$dir/ready"
	"$fa_dir/stall" server 127.0.0.1 7000 >"$dir/ready" &
	pid=$!
	fa_wait 60 grep -q ready "$dir/ready" && sysctl -qw net.finack.detail=2 || return
	bpftrace -e 'tracepoint:finack:finack_stall {
			@count[args->side] = count(); @ms[args->side] = sum(args->lost_us / 1000);
			if ((args->side == 0 && args->sport != 7000) || (args->side == 1 && args->dport != 7000)) { @bad = count(); } }' \
		-c "$fa_dir/stall client 127.0.0.1 7000 20" >"$dir/out" 2>&1 || { cat "$dir/out"; return 1; }
	kill $pid
	wait $pid 2>/dev/null
	fa_is Stall 19 && fa_is PeerStall 19 || return
	for side in 0 1; do
		grep -q "^@count\[$side\]: 19$" "$dir/out" || { cat "$dir/out"; return 1; }
	done
	! grep -q '@bad: [1-9]' "$dir/out"
}

test_trace_cmd() {
	trace-cmd record -q -e finack -o "$dir/trace.dat" sh -c "$closer separate 2; $closer merge 3" \
		>"$dir/log" 2>&1 || { cat "$dir/log"; return 1; }
	is_five_closes "$(trace-cmd report -i "$dir/trace.dat" 2>/dev/null | grep finack_close)"
}

test_perf() {
	perf record -q -a -e finack:finack_close -o "$dir/perf.data" \
		sh -c "$closer separate 2; $closer merge 3" >"$dir/log" 2>&1 || { cat "$dir/log"; return 1; }
	is_five_closes "$(perf script -i "$dir/perf.data" 2>/dev/null)"
}

test_bpftrace() {
	bpftrace -e 'tracepoint:finack:finack_close {
			@[args->outcome, args->reason, args->end] = count();
			if (args->fin_delay_us < 0 || args->sport == 0) { @bad = count(); } }' \
		-c "$fa_dir/closer separate 2" >"$dir/out" 2>&1 || { cat "$dir/out"; return 1; }
	grep -q '@\[1, 5, 0\]: 2' "$dir/out" && ! grep -q '@bad: [1-9]' "$dir/out" || { cat "$dir/out"; return 1; }
}

# The ACK delay ends where its segment is handed to IP: what bpftrace sees there and what the event
# says differ by no more than 8 us in 99 of 100 closes, including the cost of bpftrace's two probes.
test_delays_are_those_at_ip() {
	local pid
	rm -f "$dir/out"
	bpftrace -B none -e 'kprobe:tcp_fin /((struct sock *)arg0)->__sk_common.skc_state == 1/ { @fin[arg0] = nsecs; }
		kprobe:ip_queue_xmit, kprobe:inet6_csk_xmit /@fin[arg0]/ { printf("ip %d\n", (nsecs - @fin[arg0]) / 1000); delete(@fin[arg0]); }
		tracepoint:finack:finack_close { printf("event %d\n", args->ack_delay_us); }
		interval:ms:100 { printf("attached\n"); }' >"$dir/out" 2>&1 &
	pid=$!
	fa_wait 60 grep -q attached "$dir/out" || { cat "$dir/out"; return 1; }
	"$closer" merge 100 && "$closer" separate 100 && "$closer" late 100 || return
	fa_wait 60 fa_interrupted $pid
	wait $pid
	grep -q '^ip' "$dir/out" || { cat "$dir/out"; return 1; }
	awk '$1 == "ip" { ip[++i] = $2 }
		$1 == "event" { event[++e] = $2 }
		END {
			for (n = 1; n <= i; n++) {
				off = event[n] > ip[n] ? event[n] - ip[n] : ip[n] - event[n]
				far += off > 8
				if (off > worst) worst = off
			}
			print "# " i " and " e " delays, " far + 0 " further apart than 8 us, the worst " worst " us"
			exit i != 300 || e != 300 || far > 3
		}' "$dir/out"
}

# A kprobe that hits while another one's handler runs is missed. Here bpftrace probes the functions that we probe, and
# a timer's softirq hits our probe while bpftrace's handler walks a stack. No close may be lost, counted twice or
# wrong; only reasons may become unknown.
test_beside_other_probes() {
	local pids=() i rc=0 bpftrace
	fa_load carrier=kprobe || return # by ftrace none is missed
	rm -f "$dir/out"
	bpftrace -e 'kprobe:tcp_send_ack, kprobe:tcp_delack_timer_handler, kprobe:tcp_send_fin,
		kprobe:tcp_fin, kprobe:vfs_read, kprobe:vfs_write { @[kstack, ustack, probe] = count(); }' \
		>"$dir/out" 2>&1 &
	bpftrace=$!
	fa_wait 60 grep -q Attaching "$dir/out" || { cat "$dir/out"; return 1; }
	dd if=/dev/zero of=/dev/null bs=1 2>/dev/null &
	pids+=($!)
	for i in $(seq 8); do
		"$closer" late 40 &
		pids+=($!)
	done
	for i in "${pids[@]:1}"; do
		wait "$i" || rc=1
	done
	kill "${pids[0]}"
	wait "${pids[0]}" 2>/dev/null
	fa_wait 60 fa_interrupted $bpftrace || rc=1
	wait $bpftrace
	fa_say "missed: $(cat /sys/kernel/finack/hooks/tcp_send_ack/missed) ACKs," \
		"$(cat /sys/kernel/finack/hooks/tcp_delack_timer_handler/missed) timers;" \
		"unknown reasons: $(fa_get SepUnknown) of $(fa_get Separate)"
	fa_is Passive 320 && fa_is Separate 320 && fa_is EndClose 320 && fa_laws && fa_tracked 0 || rc=1
	fa_same "$(($(fa_get SepTimer) + $(fa_get SepUnknown)))" 320 "timer or unknown" || rc=1
	[ "$(cat /sys/kernel/finack/hooks/*/missed | awk '{ n += $1 } END { print n }')" -gt 0 ] || {
		fa_say "no probe was missed: this showed nothing"
		rc=1
	}
	return $rc
}

# The controls redirect a function at its entry, where BPF programs are attached, too, by kprobe and by a trampoline
# (kfunc, now called fentry). Both come and go while a control is set.
test_controls_beside_bpf_programs() {
	local probe rc=0 pid
	for probe in kprobe kfunc; do
		rm -f "$dir/out" # output of an earlier run would be taken for this one's
		bpftrace -e "$probe:tcp_send_ack, $probe:tcp_send_delayed_ack, $probe:tcp_delack_timer_handler {
			@[probe] = count(); }
			interval:ms:100 { printf(\"attached\\n\"); }" >"$dir/out" 2>&1 & # the last is attached last
		pid=$!
		fa_wait 60 grep -q attached "$dir/out" || { cat "$dir/out"; return 1; }
		fa_load && sysctl -qw net.finack.fin_ack=2 && "$closer" late 5 || rc=1
		fa_is Held 5 && fa_is HeldMerged 5 || rc=1
		sysctl -qw net.finack.fin_ack=1 && "$closer" merge 5 && fa_is Forced 5 || rc=1
		sysctl -qw net.finack.fin_ack=2 || rc=1
		fa_wait 60 fa_interrupted $pid || rc=1
		wait $pid
		grep -q '@\[.*tcp_send_delayed_ack\]: [1-9]' "$dir/out" || { cat "$dir/out"; rc=1; }
		"$closer" late 5 && fa_is HeldMerged 10 || rc=1
		sysctl -qw net.finack.fin_ack=0 && "$closer" late 2 && fa_is SepTimer 2 && fa_laws || rc=1
	done
	return $rc
}

fa_main "$@"
