# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of the finack command share. FINACK names another build of it.

# shellcheck disable=SC2034 # used by the scripts
ns=finack-tool-$$
tool_bin=$(mktemp -d)
trap 'rm -rf "$tool_bin"; ip netns del $ns 2>/dev/null' EXIT
if [ -n "${FINACK:-}" ]; then
	ln -s "$FINACK" "$tool_bin/finack"
	chmod 755 "$tool_bin"
	PATH=$tool_bin:$PATH
fi

# ends STATUS COMMAND...: run with the output in /tmp/out and /tmp/err, assert the exit status, and
# that no sanitizer reports anything
ends() {
	local want=$1 rc=0
	shift
	"$@" >/tmp/out 2>/tmp/err || rc=$?
	! grep -E 'Sanitizer|runtime error' /tmp/err || {
		sed 's/^/# /' /tmp/err
		return 1
	}
	[ $rc = "$want" ] || sed 's/^/# /' /tmp/err /tmp/out
	fa_same $rc "$want" "exit status of $*"
}

# has PATTERN: assert that /tmp/out has such a line
has() {
	grep -q -e "$1" /tmp/out && return
	fa_say "no line '$1' in:"
	sed 's/^/# /' /tmp/out
	return 1
}

is_json() { python3 -m json.tool </tmp/out >/dev/null; }

# is EXPRESSION VALUE: assert the value of an expression of d, the JSON in /tmp/out
is() {
	fa_same "$(python3 -c "import json; d = json.load(open('/tmp/out')); print(($1))" 2>&1)" "$2" "$1"
}

# finack_sleeps: whether a finack has read what it compares with, and waits for its interval to be over
finack_sleeps() {
	local pid
	for pid in $(pgrep -x 'finack|finack-asan'); do
		! grep -q nanosleep "/proc/$pid/wchan" || return 0
	done
	return 1
}

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
