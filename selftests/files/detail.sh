#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# net.finack.detail: values accepted, hooks armed, counters that move with and without it.
. "$(dirname "$0")/lib.sh"

knob=/proc/sys/net/finack/detail
ns=finack-detail-$$
trap 'ip netns del $ns 2>/dev/null' EXIT

# armed N: whether N of the two hooks are armed
armed() {
	local n
	n=$(grep -lx armed /sys/kernel/finack/hooks/tcp_{send_ack,delack_timer_handler}/status | wc -l)
	fa_same "$n" "$1" "hooks armed"
}

# delays NAME: how many are in a histogram
delays() {
	awk -v n="FinAck${1}Delay" '$1 == n {
		for (i = 3; i <= NF; i++) { split($i, b, ":"); sum += b[2] }
		print sum }' /proc/net/finack_hist
}

test_values() {
	local bad
	fa_same "$(cat $knob)" 1 default && armed 2 || return
	for bad in 3 -1 x "" 1x 99999999999; do
		! (echo "$bad" >$knob) 2>/tmp/err || fa_same "$bad" "" "was taken" || return
		[ -z "$bad" ] || grep -q 'Invalid argument' /tmp/err || return
		fa_same "$(cat $knob)" 1 "after '$bad'" && armed 2 || return
	done
	fa_same "$(stat -c %a $knob)" 644 mode || return
	# a hook stays armed for a while after nobody wants it any more
	echo 0 >$knob && fa_same "$(cat $knob)" 0 value && armed 2 || return
	echo 0 >/sys/module/finack/parameters/linger && FA_PERIOD=1 fa_wait 20 armed 0 >/dev/null || return
	grep -q '^off: ' /sys/kernel/finack/hooks/tcp_send_ack/status || return
	echo 1 >$knob && fa_same "$(cat $knob)" 1 value && armed 2
}

# watches STATUS: whether the hook on received segments says so
watches() { grep -q "^$1" /sys/kernel/finack/hooks/tcp_probe/status; }

# 2 arms that hook as well, which counts only what comes while some namespace has 2
test_two() {
	local hits=/sys/kernel/finack/hooks/tcp_probe/hits
	watches off && "$closer" data 5 && fa_same "$(cat $hits)" 0 "segments seen with 1" || return
	echo 2 >$knob && fa_same "$(cat $knob)" 2 value && armed 2 && watches armed || return
	"$closer" separate 3 && fa_is SepApp 3 && "$closer" data 5 && [ "$(cat $hits)" -gt 0 ] || return
	# another namespace wants it, too
	ip netns add $ns && ip netns exec $ns sysctl -qw net.finack.detail=2 && echo 1 >$knob || return
	echo 0 >/sys/module/finack/parameters/linger && watches armed || return
	ip netns exec $ns sysctl -qw net.finack.detail=0 && FA_PERIOD=1 fa_wait 20 watches off || return
	armed 2 && ip netns exec $ns sysctl -qw net.finack.detail=2 && watches armed || return
	ip netns del $ns && FA_PERIOD=1 fa_wait 60 watches off && armed 2
}

# a kernel without that tracepoint: 2 is refused, 1 is not
test_two_without_the_tracepoint() {
	fa_load test_absent=tcp_probe || return
	! (echo 2 >$knob) 2>/tmp/err && grep -q 'not supported' /tmp/err || return
	fa_same "$(cat $knob)" 1 value && armed 2 && watches absent
}

# nor is it taken where the timer's ACKs are not seen, which stalls are told by
test_two_without_the_timer() {
	local rc=0
	fa_load test_absent=tcp_delack_timer_handler && ! (echo 2 >$knob) 2>/dev/null || return
	fa_load carrier=kprobe && echo 0 >/sys/kernel/debug/kprobes/enabled || return
	! (echo 2 >$knob) 2>/tmp/err && grep -q 'not supported' /tmp/err && fa_same "$(cat $knob)" 1 value || rc=1
	echo 1 >/sys/kernel/debug/kprobes/enabled
	echo 2 >$knob && fa_same "$(cat $knob)" 2 "value with kprobes on" && return $rc
}

test_on() {
	"$closer" separate 3 && "$closer" late 2 && "$closer" data 1 && "$closer" merge 4 || return
	fa_is SepApp 3 && fa_is SepTimer 2 && fa_is SepData 1 && fa_laws || return
	fa_same "$(delays Ack)" 10 "ACK delays" || return
	# the data meets a client that is gone: RST, and no FIN
	fa_same "$(delays Fin)" 9 "FIN delays"
}

test_off() {
	local before after
	echo 0 >$knob
	before=$(cat /proc/net/finack)
	"$closer" separate 3 && "$closer" late 2 && "$closer" merge 4 && "$closer" reset 2 || return
	after=$(cat /proc/net/finack)
	fa_only_moved "$before" "$after" Passive=11 Merged=4 Separate=5 Unacked=2 EndClose=9 \
		EndResetOut=2 Active=11 ActiveMerged=4 ActiveHalf=5 || return
	fa_same "$(delays Ack)" 0 "ACK delays" && fa_same "$(delays Fin)" 9 "FIN delays" || return
	# and on again: reasons are counted again
	echo 1 >$knob && "$closer" separate 2 && fa_is SepApp 2 && fa_is Separate 7
}

# Our FIN waits behind data that a closed window holds back, and a RST ends the connection: the outcome is
# known at the end. Several such closes, one after the other and two at a time.
test_fins_that_wait() {
	echo 0 >$knob
	python3 - <<-'END' || return
		import socket, struct

		listener = socket.create_server(("127.0.0.1", 0))

		def close_that_waits():
		    client = socket.create_connection(listener.getsockname())
		    server, _ = listener.accept()
		    server.setblocking(False)
		    try:
		        while True:
		            server.send(bytes(65536))
		    except BlockingIOError:
		        pass
		    client.shutdown(socket.SHUT_WR)
		    server.setblocking(True)
		    while server.recv(1):
		        pass
		    server.close()
		    return client

		def reset(client):
		    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		    client.close()

		for at_once in (1, 1, 2, 1):
		    for client in [close_that_waits() for _ in range(at_once)]:
		        reset(client)
	END
	fa_is Passive 5 && fa_is EndClose 5 && fa_is Undecided 0 && fa_tracked 0
}

# an ACK that left while detail was 0 has no known reason
test_on_while_closes_wait() {
	echo 0 >$knob && fa_hold 5 && fa_wait 5 acked 5 && echo 1 >$knob && fa_release || return
	fa_is Separate 5 && fa_is SepUnknown 5 && fa_laws
}

# acked N: whether N waiting closes have been ACKed
acked() { [ "$(awk '$7 != "-"' /proc/net/finack_waiting | grep -c '^[0-9]')" = "$1" ]; }

test_the_outcome_is_known_when_the_ack_leaves() {
	fa_hold 5 && fa_wait 5 fa_is Undecided 0 || return
	fa_is Separate 5 && fa_is SepTimer 5 && fa_is CloseWait 5 && fa_laws && fa_tracked 5 || return
	fa_release && fa_is Separate 5 && fa_is SepTimer 5 && fa_is Merged 0 && fa_laws && fa_tracked 0
}

test_hooks_stay_while_one_namespace_wants_them() {
	local rc=0
	echo 0 >/sys/module/finack/parameters/linger
	ip netns add $ns && ip -n $ns link set lo up || return
	echo 0 >$knob && armed 2 || rc=1
	"$closer" separate 2 && fa_is SepApp 0 && fa_is Separate 2 || rc=1
	ip netns exec $ns "$closer" separate 3 && fa_is SepApp 3 $ns || rc=1
	ip netns exec $ns sysctl -qw net.finack.detail=0 &&
		FA_PERIOD=1 fa_wait 20 armed 0 >/dev/null || rc=1
	ip netns exec $ns sysctl -qw net.finack.detail=1 && armed 2 || rc=1
	ip netns del $ns && FA_PERIOD=1 fa_wait 60 armed 0 >/dev/null && return $rc
}

test_a_user_namespace_sets_its_own_alone() {
	local nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
	fa_same "$($nobody unshare -Urn sh -c "cat $knob; echo 0 >$knob; cat $knob")" $'1\n0' \
		"its own" || return
	fa_same "$(cat $knob)" 1 "the first one" && armed 2 || return
	# root of a user namespace, but not of this network namespace; and an ordinary user
	! $nobody unshare -Ur sh -c "echo 0 >$knob" 2>/tmp/err || return
	grep -qi 'permission denied' /tmp/err || return
	! $nobody sh -c "echo 0 >$knob" 2>/dev/null && fa_same "$(cat $knob)" 1 "the first one"
}

test_switching_under_traffic() {
	local i pids=() rc=0
	for i in 1 2; do
		"$closer" any "$i" &
		pids+=($!)
	done
	for i in $(seq "$(fa_rounds 40)"); do
		echo $((i % 2)) >$knob || rc=1
		fa_wait 60 more_closes $((i * 3)) || rc=1
	done
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	fa_wait 20 fa_is Undecided 0 || rc=1
	details_were_off=1 fa_laws || rc=1
	fa_is Untracked 0 && fa_is Earlier 0 && fa_wait 60 fa_tracked 0 || rc=1
	echo 1 >$knob
	return $rc
}

more_closes() { [ "$(fa_get Passive)" -ge "$1" ]; }

fa_main "$@"
