#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Loading without a hook, and what unloading leaves behind.
. "$(dirname "$0")/lib.sh"

test_without_a_required_hook() {
	fa_unload
	! modprobe finack test_absent=inet_sock_set_state 2>/tmp/err || return
	grep -q 'No such file or directory' /tmp/err || grep -q 'Unknown symbol' /tmp/err || {
		cat /tmp/err
		return 1
	}
	fa_logged 'finack: cannot attach to the tracepoint inet_sock_set_state' || return
	fa_nothing_left
}

test_without_the_hook_on_acks() {
	fa_load test_absent=__tcp_send_ack.part.0 || return
	fa_same "$(cat /sys/kernel/finack/hooks/tcp_send_ack/symbol)" tcp_send_ack symbol || return
	"$closer" late 2 && fa_is SepTimer 2 && fa_is SepUnknown 0 || return
	fa_load test_absent=tcp_send_ack || return
	grep -q '^absent' /sys/kernel/finack/hooks/tcp_send_ack/status || return
	fa_same "$(cat /sys/kernel/finack/hooks/tcp_delack_timer_handler/status)" armed status || return
	"$closer" merge 3 && "$closer" separate 3 && "$closer" late 2 && "$closer" data 4 || return
	# that data carried the ACK is known from the socket's own counters
	fa_is Merged 3 && fa_is Separate 9 && fa_is SepData 4 && fa_is SepUnknown 5 && fa_laws
}

# as if gcc had not split tcp_send_ack(): some ACKs pass no hook
test_reasons_by_the_entry_of_acks() {
	fa_load test_absent=__tcp_send_ack.part.0 || return
	FINACK_UNSEEN_ACKS=1 "$fa_dir/reason_test" >/tmp/out 2>&1 && return
	sed 's/^/# /' /tmp/out
	return 1
}

test_without_the_hook_on_the_timer() {
	fa_load test_absent=tcp_delack_timer_handler || return
	grep -q '^absent' /sys/kernel/finack/hooks/tcp_delack_timer_handler/status || return
	"$closer" late 2 && "$closer" separate 3 && fa_is SepUnknown 2 && fa_is SepApp 3 &&
		fa_is SepTimer 0 && fa_laws
}

test_twice() {
	! insmod /lib/modules/"$(uname -r)"/updates/finack.ko 2>/tmp/err || return
	grep -q 'File exists' /tmp/err && "$closer" merge 1 && fa_is Merged 1
}

test_unload_leaves_nothing() {
	"$closer" merge 3 && fa_unload && fa_nothing_left
}

test_unload_with_records_in_use() {
	fa_hold 200 && fa_tracked 200 && fa_unload && fa_nothing_left && fa_release
}

test_unload_while_a_file_is_open() {
	exec 5</proc/net/finack_waiting 6</sys/kernel/finack/net/passive
	fa_unload || return
	! cat <&5 2>/dev/null | grep -q . || return
	! cat <&6 2>/dev/null | grep -q . || return
	exec 5<&- 6<&-
	fa_nothing_left
}

test_unload_while_it_is_read() {
	local i reader rounds
	rounds=$(fa_rounds 20)
	# unregistering ftrace_ops waits until each task was seen at rest, for a second: most rounds use kprobes
	(while :; do
		cat /proc/net/finack* /sys/kernel/finack/*/* /sys/kernel/finack/hooks/*/* /proc/sys/net/finack/detail
		fa_pause 0.02
	done) >/dev/null 2>&1 &
	reader=$!
	for i in $(seq "$rounds"); do
		fa_load carrier="$([ $((i % 5)) = 0 ] && echo auto || echo kprobe)" || break
	done
	kill $reader
	wait $reader
	[ "$i" = "$rounds" ] && fa_unload && fa_nothing_left
}

fa_main "$@"
