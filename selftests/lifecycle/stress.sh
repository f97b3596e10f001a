#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What needs real concurrency: the same as lifecycle.sh on several CPUs, and namespaces that come
# and go meanwhile.
. "$(dirname "$0")/lib.sh"
fa_several_cpus
readers=()

some_closes() { [ "$(fa_get Passive)" -ge "$1" ]; }

test_load_and_unload_on_several_cpus() {
	local i pids=() rc=0
	for i in 1 2 3; do
		"$closer" any "$i" &
		pids+=($!)
	done
	(
		while :; do
			ip netns add finack-churn-$$
			ip -n finack-churn-$$ link set lo up
			ip netns exec finack-churn-$$ sh -c 'cd /proc/sys/net/finack
				echo 2 >fin_ack; echo 12 >delack_max_ms'
			ip netns exec finack-churn-$$ "$closer" merge 2
			ip netns exec finack-churn-$$ sh -c 'cd /proc/sys/net/finack
				echo 1 >fin_ack; echo 1 >quickack; echo 0 >detail'
			ip netns exec finack-churn-$$ "$closer" merge 2
			ip netns exec finack-churn-$$ sh -c '
				cat /proc/net/finack_waiting /sys/kernel/finack/net/* /sys/kernel/finack/hooks/*/*'
			ip netns del finack-churn-$$
		done
	) >/dev/null 2>&1 &
	pids+=($!)
	# unregistering ftrace_ops waits until each task was seen at rest, for seconds here: most rounds use kprobes
	for i in $(seq "$(fa_rounds 100)"); do
		fa_load carrier="$([ $((i % 50)) = 0 ] && echo auto || echo kprobe)" && fa_wait 60 some_closes $((i % 5)) && fa_unload || {
			rc=1
			break
		}
	done
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	ip netns del finack-churn-$$ 2>/dev/null
	[ $rc = 0 ] && fa_load && "$closer" merge 5 && fa_laws && fa_wait 200 fa_tracked 0
}

# a table so small that all records have one home slot: a search passes other records, which go and come back
test_records_change_chains_while_others_are_looked_for() {
	local i pids=() rc
	fa_load max_tracked=16 && fa_hold 7 || return
	for i in 1 2 3 4; do
		"$closer" any "$i" 1 &
		pids+=($!)
	done
	fa_wait 300 some_closes "$(fa_rounds 10000)"
	rc=$?
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	[ $rc = 0 ] && fa_release && fa_wait 200 fa_tracked 0 && fa_is Untracked 0 && fa_is Earlier 0 && fa_is Undecided 0 && fa_laws
}

# Readers walk through the table while its records come and go in two namespaces, whose sockets reuse the
# same memory again and again. Each line must be a socket of the reader's own namespace.
test_readers_while_records_come_and_go() {
	local ns=finack-read-$$ pids=() rc=0 i
	fa_load max_tracked=32 && ip netns add $ns && ip -n $ns link set lo up || return
	for i in 1 2; do
		"$closer" any "$i" 1 &
		pids+=($!)
		ip netns exec $ns "$closer" any $((i + 2)) 1 &
		pids+=($!)
	done
	for i in 1 2; do
		( # print lines that are wrong: an address or a family that no closer has, not eleven fields
			n=0
			while [ ! -e /tmp/stop-reading ]; do
				awk 'NR > 1 && ($2 != "ipv6" || $3 != "::1" || $5 != "::1" || NF != 11) { print; bad = 1 }
					END { exit bad }' /proc/net/finack_waiting || exit
				n=$((n + 1))
			done
			[ $n -gt 10 ]
		) &
		readers[i]=$!
	done
	rm -f /tmp/stop-reading
	fa_wait 300 some_closes "$(fa_rounds 5000)" || rc=1
	touch /tmp/stop-reading
	for i in 1 2; do wait "${readers[i]}" || rc=1; done
	rm -f /tmp/stop-reading
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	fa_laws && fa_laws $ns && fa_is Earlier 0 && fa_is Earlier 0 $ns || rc=1
	ip netns del $ns
	fa_wait 200 fa_tracked 0 && return $rc
}

fa_main "$@"
