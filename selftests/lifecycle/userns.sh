#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# userns_hooks: which hooks root of a user namespace of its own may arm; what needs none it may always set.
. "$(dirname "$0")/lib.sh"

knobs=/proc/sys/net/finack
tmp=$(mktemp -d)
chmod 755 "$tmp"
owner='' child=''
trap 'rm -rf "$tmp"' EXIT

# as_nobody COMMAND...: run as root of a user namespace and a network namespace that an ordinary user made
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn "$@"; }

# try KNOB=VALUE...: print the error of each write, if any, and the value of the knob after it
try() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_nobody bash -c 'cd "$0"; for set; do
		(echo "${set#*=}" >"${set%%=*}") 2>&1 | sed "s/.*: //" | tr "\n" " "
		echo "${set%%=*} $(cat "${set%%=*}")"
	done' $knobs "$@"
}

# start_namespace, end_namespace: one that stays; its process is $owner
start_namespace() {
	mkfifo "$tmp/go"
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_nobody sh -c 'echo $$; read -r _' <"$tmp/go" >"$tmp/said" &
	child=$!
	exec 7>"$tmp/go"
	fa_wait 60 grep -q . "$tmp/said" && owner=$(cat "$tmp/said")
}
end_namespace() {
	exec 7>&-
	wait "$child"
	rm "$tmp/go"
}
in_namespace() { nsenter -t "$owner" -n "$@"; }

test_by_default_it_may() {
	fa_same "$(cat /sys/module/finack/parameters/userns_hooks)" 1 userns_hooks || return
	fa_same "$(try quickack=1 fin_ack=2 delack_max_ms=12 detail=0 detail=1)" \
		$'quickack 1\nfin_ack 2\ndelack_max_ms 12\ndetail 0\ndetail 1' "of its own"
}

# what costs each connection of the host takes the host's root, or 2
test_received_segments_are_not_for_it() {
	local no="Operation not permitted" f=/sys/module/finack/parameters/userns_hooks
	fa_same "$(try detail=2)" "$no detail 1" "by default" || return
	echo 2 >$knobs/detail && fa_same "$(try detail=2)" "$no detail 1" "while the host has 2" || return
	# a namespace that begins with the first one's knobs does not get it either
	echo 1 >/sys/module/finack/parameters/inherit && fa_same "$(as_nobody cat $knobs/detail)" 1 inherited || return
	echo 2 >$f && fa_same "$(as_nobody cat $knobs/detail)" 2 "inherited with userns_hooks=2" || return
	echo 0 >/sys/module/finack/parameters/inherit && fa_same "$(try detail=2)" "detail 2" "with userns_hooks=2" || return
	! echo 3 2>/dev/null >$f && fa_same "$(cat $f)" 2 "after 3"
}

test_it_may_not_arm_what_it_did_not_have() {
	local no="Operation not permitted"
	fa_load userns_hooks=0 || return
	fa_same "$(try quickack=1 fin_ack=1 fin_ack=2 delack_min_ms=5 delack_max_ms=5 detail=1)" \
		"$no quickack 0
$no fin_ack 0
$no fin_ack 0
$no delack_min_ms 0
$no delack_max_ms 0
$no detail 0" "what needs a hook" || return
	fa_same "$(try fin_hold_ms=77 ports=80,443 detail=0 quickack=0 fin_ack=0)" \
		$'fin_hold_ms 77\nports 80,443\ndetail 0\nquickack 0\nfin_ack 0' "what needs none" || return
	# the host's root may do all
	echo 1 >$knobs/quickack && echo 2 >$knobs/fin_ack && fa_same "$(cat $knobs/quickack $knobs/fin_ack $knobs/detail)" \
		$'1\n2\n1' "of the host" || return
	# that the hook is armed already changes nothing
	fa_same "$(try quickack=1)" "$no quickack 0" "while the host has it armed"
}

test_root_of_the_host_may_there() {
	local rc=0
	fa_load userns_hooks=0 && start_namespace || return
	fa_same "$(in_namespace cat $knobs/detail)" 0 "detail, at first" || rc=1
	in_namespace sh -c "cd $knobs; echo 1 >quickack; echo 2 >fin_ack; echo 1 >detail; echo 12 >delack_max_ms"
	fa_same "$(in_namespace sh -c "cd $knobs; cat quickack fin_ack detail delack_max_ms")" $'1\n2\n1\n12' "set by the host's root" || rc=1
	in_namespace ip link set lo up && in_namespace "$closer" late 2 && fa_same "$(in_namespace awk '$1 == "FinAckPassive" { print $2 }' /proc/net/finack)" 2 closes || rc=1
	end_namespace
	return $rc
}

test_it_can_be_changed_at_any_time() {
	local f=/sys/module/finack/parameters/userns_hooks
	fa_same "$(try detail=1 quickack=1)" $'detail 1\nquickack 1' before || return
	echo 0 >$f && fa_same "$(try detail=1)" "Operation not permitted detail 0" "after 0" || return
	echo 1 >$f && fa_same "$(try detail=0 detail=1)" $'detail 0\ndetail 1' "after 1"
}

fa_main "$@"
