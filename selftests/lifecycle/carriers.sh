#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How functions are hooked: by ftrace_ops or by kprobes. The decisions are the same by both; other code that is
# attached to the same functions sees a difference.
. "$(dirname "$0")/lib.sh"

knobs=/proc/sys/net/finack
hooks=/sys/kernel/finack/hooks
claim=$fa_dir/claim.ko

kinds() { cat $hooks/tcp_send_ack/kind $hooks/tcp_delack_timer_handler/kind | sort -u; }

# by CARRIER KIND: load with that carrier and assert the kind of hook
by() {
	fa_load carrier="$1" && fa_same "$(kinds)" "$2" kind
}

# passes PROGRAM...: each of these passes with the module as it is loaded
passes() {
	local program
	for program; do
		"$fa_dir/$program" >/tmp/out 2>&1 && fa_say "$program: $(grep Totals /tmp/out)" && continue
		sed 's/^/# /' /tmp/out
		return 1
	done
}

has_ftrace_ops() { by auto ftrace_ops >/dev/null; }

test_carrier_out_of_range() {
	fa_unload
	! modprobe finack carrier=ebpf 2>/tmp/err && grep -q 'Invalid argument' /tmp/err &&
		fa_logged 'finack: carrier=ebpf is not known; there are auto, kprobe and ftrace'
}

# all decisions by kprobes, too: the other runs of these programs use the carrier that auto picks
test_all_by_kprobes() {
	by kprobe ftrace || by kprobe breakpoint || return
	passes reason_test hold_test delay_test undo_test
}

test_ftrace_or_nothing() {
	if has_ftrace_ops; then
		by ftrace ftrace_ops
	else
		fa_unload && ! modprobe finack carrier=ftrace 2>/tmp/err && grep -q 'not supported' /tmp/err
	fi
}

# claims FUNCTION: load a module that claims to redirect the function, as a live patch of it does
claims() { insmod "$claim" symbol="$1"; }
gives_up() { rmmod claim; }

refused() { # KNOB VALUE
	! (echo "$2" >"$knobs/$1") 2>/tmp/err && grep -q 'not supported' /tmp/err && fa_same "$(cat "$knobs/$1")" 0 "$1"
}

# whichever of the two comes first has the function; the other is rejected with an error
test_a_live_patch_and_a_control() {
	local rc=0
	has_ftrace_ops || fa_skip "functions are hooked by kprobes here" || return
	claims tcp_send_delayed_ack || return
	refused fin_ack 1 && refused quickack 1 || rc=1
	fa_logged 'finack: cannot attach to the function tcp_send_delayed_ack: error -16' >/dev/null || rc=1
	# the other control does not redirect that function at its entry, and watching ACKs claims nothing
	echo 2 >$knobs/fin_ack && "$closer" late 2 && fa_is HeldMerged 2 && echo 0 >$knobs/fin_ack || rc=1
	gives_up || rc=1
	echo 1 >$knobs/fin_ack && ! claims tcp_send_delayed_ack 2>/tmp/err && grep -q busy /tmp/err || rc=1
	"$closer" late 2 && fa_is Forced 2 || rc=1
	return $rc
}

test_a_live_patch_and_what_only_watches() {
	local rc=0 f
	for f in tcp_send_ack tcp_delack_timer_handler; do
		claims $f || return
		"$closer" late 2 && "$closer" separate 2 || rc=1
		gives_up || rc=1
	done
	fa_is SepTimer 4 && fa_is SepApp 4 && fa_is SepUnknown 0 && return $rc
}

# other_probe FUNCTION: set a kprobe event there; other_hits prints its hits, no_other_probe removes it
other_probe() { echo "p:finack_other $1" >>/sys/kernel/tracing/kprobe_events && echo 1 >$other/enable; }
other=/sys/kernel/tracing/events/kprobes/finack_other
other_hits() { awk '$1 == "finack_other" { print $2 }' /sys/kernel/tracing/kprobe_profile; }
no_other_probe() { echo 0 >$other/enable && echo '-:finack_other' >>/sys/kernel/tracing/kprobe_events; }

# Another tool's probe counts all calls of a function that a control redirects, whether set before or after the control.
test_others_see_what_is_redirected() {
	local rc=0
	has_ftrace_ops || fa_skip "functions are hooked by kprobes here" || return
	other_probe tcp_send_delayed_ack && echo 1 >$knobs/fin_ack && "$closer" late 5 || rc=1
	fa_is Forced 5 && [ "$(other_hits)" -ge 5 ] || fa_same "$(other_hits)" 5 "hits, set before" || rc=1
	no_other_probe || rc=1
	other_probe tcp_send_delayed_ack && "$closer" late 5 || rc=1
	fa_is Forced 10 && [ "$(other_hits)" -ge 5 ] || fa_same "$(other_hits)" 5 "hits, set after" || rc=1
	no_other_probe && return $rc
}

# By kprobes a redirect hides the call from probes that were there before. That is documented.
test_what_kprobes_hide_from_others() {
	local rc=0
	fa_load carrier=kprobe || return
	other_probe tcp_send_delayed_ack && echo 1 >$knobs/fin_ack && "$closer" late 5 && fa_is Forced 5 || rc=1
	fa_say "hits of a probe set before: $(other_hits)"
	no_other_probe && return $rc
}

fa_main "$@"
