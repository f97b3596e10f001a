# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# How scripts in a guest wait: for a condition, with a deadline.

fa_say() { echo "# $*"; }

# a pipe to which nobody writes
exec {fa_nothing}<> <(:)

# fa_wait SECONDS COMMAND...: wait until the command succeeds. It is tried every FA_PERIOD seconds; by default
# after 20 ms, and each pause is a fifth longer than the one before, up to 300 ms. Under counted time the command
# takes the host's time, and the wait between two tries does not.
fa_wait() {
	local end=$((SECONDS + $1)) ms=20 period
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || {
			fa_say "waited in vain for: $*"
			return 1
		}
		printf -v period 0.%03d $ms
		fa_pause "${FA_PERIOD:-$period}"
		ms=$((ms * 6 / 5 < 300 ? ms * 6 / 5 : 300))
	done
}

# fa_pause SECONDS: between two rounds of a loop that goes on beside a test. Under counted time a guest that waits
# takes no time of the host.
fa_pause() { read -r -t "$1" -u "$fa_nothing" || :; }

# fa_interrupted PID: interrupt a child, and tell whether it has ended. To be repeated: bpftrace before 0.20
# misses an interrupt that comes while it handles an event.
fa_interrupted() {
	kill -INT "$1" 2>/dev/null
	fa_is_over "$1"
}

# fa_is_over PID: whether a child has ended
fa_is_over() { ! grep -qs '^State:.[^Z]' "/proc/$1/status"; }

# fa_watches PID: whether it has attached all its probes and waits for events: it is in poll, epoll_wait, ppoll
# or epoll_pwait (x86-64 system call numbers)
fa_watches() { grep -qsE '^(7|232|271|281) ' "/proc/$1/syscall"; }
