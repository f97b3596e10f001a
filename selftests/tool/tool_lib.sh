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

# One Python evaluates all expressions of d, the JSON in /tmp/out: in a guest it takes long to start.
exec {values}<> <(:)
exec {expressions}> >(exec python3 -uc 'import json, sys
for line in sys.stdin:
	try:
		d = json.load(open("/tmp/out"))
		print(str(eval(line)).replace("\n", " "))
	except Exception as e:
		print(repr(e))' >&"$values")

# value_of EXPRESSION: sets $value
value_of() {
	value=
	echo "${1//$'\n'/ }" >&"$expressions" && IFS= read -r -t 60 -u "$values" value
}

is_json() {
	value_of True
	fa_same "$value" True "whether it is JSON"
}

# is EXPRESSION VALUE: assert the value of an expression
is() {
	value_of "$1"
	fa_same "$value" "$2" "$1"
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
