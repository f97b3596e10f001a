# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # all of them are parts of guest
#
# The contenders: what is on while a workload is measured. on NAME and off NAME switch one, and nothing
# of it stays behind.

knobs=/proc/sys/net/finack

# has_begun [SAID]: whether the tool has said so and waits for events
has_begun() {
	kill -0 $tool 2>/dev/null || die "the tool ended: $(head -c 300 "$scratch/tool.out")"
	{ [ -z "$1" ] || grep -q "$1" "$scratch/tool.out"; } && fa_watches $tool
}

# run_tool SAID COMMAND...: start a tool, and wait until it has said so and watches
run_tool() {
	local said=$1
	shift
	: >"$scratch/tool.out"
	"$@" >"$scratch/tool.out" 2>&1 &
	tool=$!
	fa_wait 120 has_begun "$said" || die "$1 does not begin: $(head -c 300 "$scratch/tool.out")"
}

# stop_tool: interrupt it, and wait until it has ended
stop_tool() {
	fa_wait 60 fa_interrupted $tool || die "the tool does not end"
	wait $tool || : # the tool's exit status does not matter
}

# finack [PARAMETER=VALUE]...: load the module of this checkout, or of the revision that it is compared with
finack() { insmod "$bin/${old:+old-}finack.ko" "$@"; }

set_knob() { echo "$2" >"$knobs/$1"; }

# a hook stays armed for a while after no namespace wants it any more; an older revision has no such file
disarm_now() { [ ! -e /sys/module/finack/parameters/linger ] || echo 0 >/sys/module/finack/parameters/linger; }

unhooked() { ! grep -q '^armed' /sys/kernel/finack/hooks/tcp_{send_ack,delack_timer_handler}/status; }

# read_events: start a reader of the trace event, and wait until it waits for the first (read is system call 0)
read_events() {
	cat /sys/kernel/tracing/trace_pipe >"$scratch/tool.out" &
	tool=$!
	fa_wait 60 grep -q '^0 ' "/proc/$tool/syscall"
}

trace_event() { echo "$1" >/sys/kernel/tracing/events/finack/finack_close/enable; }

on() {
	local old=
	[[ $1 != old-* ]] || old=yes
	case ${1#old-} in
	bare | bare-again) ;;
	detail0) finack && set_knob detail 0 && disarm_now && fa_wait 60 unhooked ;;
	detail1) finack ;;
	detail1-kprobe) finack carrier=kprobe ;;
	listener) finack && trace_event 1 ;;
	reader) finack && trace_event 1 && read_events ;;
	fin_ack1) finack && set_knob fin_ack 1 ;;
	fin_ack2) finack && set_knob fin_ack 2 ;;
	quickack) finack && set_knob quickack 1 ;;
	delack_max) finack && set_knob delack_max_ms 12 ;;
	floor0) insmod "$bin/floor.ko" ;;
	floor1) insmod "$bin/floor.ko" hooks=kprobe ;;
	floor2) insmod "$bin/floor.ko" hooks=ftrace ;;
	bpf-*) run_tool Attaching bpftrace "$bin/${1#bpf-}.bt" ;;
	# their names in trixie, and in bookworm
	tcpstates | tcplife) run_tool '' "$(command -v "$1-libbpf" || echo "$1")" ;;
	tcpdump-flags)
		run_tool 'listening on' tcpdump -i lo -Z root -w "$scratch/capture" \
			'tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0'
		;;
	tcpdump-all) run_tool 'listening on' tcpdump -i lo -Z root -w "$scratch/capture" ;;
	*) die "there is no contender $1" ;;
	esac || die "cannot switch on $1"
}

off() {
	case ${1#old-} in
	bare | bare-again) ;;
	listener) trace_event 0 && rmmod finack ;;
	reader)
		kill $tool
		wait $tool
		trace_event 0 && rmmod finack && tool_saw "$1"
		;;
	detail* | fin_ack* | quickack | delack_max) rmmod finack ;;
	floor*) rmmod floor ;;
	*) stop_tool && tool_saw "$1" && rm -f "$scratch/capture" ;;
	esac || die "cannot switch off $1"
}

# tool_saw NAME: whether it saw the closes that it was measured with
tool_saw() {
	case $1 in
	# its warnings (since 0.22 for each delete() of what is not there) would cost instructions, too
	bpf-*) grep -qE '^@(merged|separate): [1-9]' "$scratch/tool.out" && ! grep WARNING "$scratch/tool.out" ;;
	tcpdump-*) [ "$(stat -c %s "$scratch/capture")" -gt 10000 ] ;;
	*) [ "$(wc -l <"$scratch/tool.out")" -gt 20 ] ;;
	esac && return
	echo "$1 saw nothing: $(tail -n 5 "$scratch/tool.out")" >&2
	return 1
}
