# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# How scripts in a guest wait: for a condition, with a deadline.

fa_say() { echo "# $*"; }

# fa_wait SECONDS COMMAND...: until the command succeeds
fa_wait() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || {
			fa_say "waited in vain for: $*"
			return 1
		}
		read -r -t 0.02 <> <(:) || :
	done
}

# fa_interrupted PID: interrupt a child, and whether it is over. To be repeated: bpftrace before 0.20 misses
# an interrupt that comes while it handles an event.
fa_interrupted() {
	kill -INT "$1" 2>/dev/null
	! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null
}
