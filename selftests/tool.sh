#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The finack command: words, exit status, what it shows.
. "$(dirname "$0")/lib.sh"

# ends STATUS COMMAND...: run with the output in /tmp/out and /tmp/err, assert the exit status
ends() {
	local want=$1 rc=0
	shift
	"$@" >/tmp/out 2>/tmp/err || rc=$?
	fa_same $rc "$want" "exit status of $*"
}

test_show_is_the_file() {
	"$closer" merge 2 && ends 0 finack show || return
	fa_same "$(awk '{ print $1, $2 }' /tmp/out)" "$(awk '{ print $1, $2 }' /proc/net/finack)" show ||
		return
	cp /tmp/out /tmp/show && ends 0 finack && cmp /tmp/show /tmp/out
}

test_help_and_version() {
	ends 0 finack -h && grep -q '^Usage: finack' /tmp/out && [ ! -s /tmp/err ] || return
	ends 0 finack -V && fa_same "$(cat /tmp/out)" "finack $(modinfo -F version finack)" version
}

test_wrong_words() {
	ends 2 finack bogus && [ ! -s /tmp/out ] && grep -q "'bogus'" /tmp/err || return
	ends 2 finack show bogus && grep -q "'bogus'" /tmp/err || return
	ends 2 finack lab bogus && grep -q "'bogus'" /tmp/err && [ ! -s /tmp/out ] || return
	ends 2 finack lab --bogus
}

test_without_the_module() {
	fa_unload
	ends 1 finack show && grep -q 'modprobe finack' /tmp/err || return
	ends 0 finack lab merge && grep -q 'module is not loaded' /tmp/out && grep -q 'three' /tmp/out
}

test_lab_lists_and_runs() {
	ends 0 finack lab && grep -q '^ 1  merge ' /tmp/out || return
	ends 0 finack lab --here merge quickack-at-eof || return
	fa_is Merged 1 && fa_is Separate 1 || return
	grep -q 'three segments, merged' /tmp/out && grep -q 'four segments, separate' /tmp/out || return
	! awk 'length > 100' /tmp/out | grep . || return
	! grep -q "$(printf '\033')" /tmp/out || return
	# in a namespace of its own, nothing moves here
	ends 0 finack lab merge && fa_is Merged 1
}

test_lab_leaves_routes_alone() {
	ends 1 finack lab --here route-quickack && grep -q route /tmp/err
}

fa_main "$@"
