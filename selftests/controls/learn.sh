#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fin_ack=3: ACKs of FINs are held where that has paid, and seldom in vain. (quickack=2: learn_test.c)
. "$(dirname "$0")/lib.sh"
fa_times_hold

services=$fa_dir/services
knobs=/proc/sys/net/finack

# closes COUNT MS [PORT] [WHO]: the server closes MS after the client. With 60 the kernel sends the ACK before, and a
# hold of 150 succeeds; with 200 it is in vain.
closes() { "$services" "${4:-server}:${3:-80}:$1:0:$2"; }

# in_vain: the ACKs of FINs that the kernel would have delayed and that left alone before or after a hold
in_vain() { echo $(($(fa_get SepHeld) + $(fa_get SepApp) + $(fa_get SepNow))); }

# moved COMMAND...: sets held, merged and vain to what it adds to the counters
moved() {
	local h m v
	h=$(fa_get Held) m=$(fa_get HeldMerged) v=$(in_vain)
	"$@" || return
	held=$(($(fa_get Held) - h)) merged=$(($(fa_get HeldMerged) - m)) vain=$(($(in_vain) - v))
}

# expect HELD MERGED VAIN COMMAND...
expect() {
	local want="$1 $2 $3"
	shift 3
	moved "$@" && fa_same "$held $merged $vain" "$want" "held, merged, in vain by $*"
}

learn() { echo 3 >$knobs/fin_ack; }

test_learns_from_64_closes() {
	learn && expect 0 0 0 closes 64 60 || return
	# one in 16 is left to the kernel
	expect 60 60 0 closes 64 60 || return
	fa_is SepTimer 68 && fa_is Merged 60 && fa_laws && fa_tracked 0
}

test_stops_where_it_is_in_vain_and_begins_again() {
	learn && closes 64 5 && expect 60 60 0 closes 64 60 || return
	# with the eighth, an eighth of the last 64 came late
	expect 8 0 8 closes 40 200 || return
	# the late ones have to leave the window, and then it holds again: 15 of 16
	expect 0 0 0 closes 56 60 && expect 60 60 0 closes 64 60 && fa_laws
}

# a hold shorter than the kernel's own delay is one in vain, too
test_a_short_hold() {
	learn && echo 20 >$knobs/fin_hold_ms && closes 64 5 && expect 8 0 8 closes 30 30 && fa_laws
}

# what ends a hold before its time is in vain, too, however soon our FIN comes after it
test_an_application_that_asks() {
	learn && closes 64 5 && expect 8 0 8 closes 40 60 80 asks && fa_laws
}

# the peer does not wait so long: it sends its FIN again, and that is ACKed at once
test_a_fin_that_comes_again() {
	learn && echo 450 >$knobs/fin_hold_ms && closes 64 5 && expect 8 0 8 closes 40 300 && fa_laws
}

# Many wait at once, and none has been judged: each close earned an eighth of a hold.
test_many_at_once_in_vain() {
	learn && closes 64 5 && expect 8 0 8 closes 100 200 80 burst || return
	fa_load && learn && closes 400 5 && moved closes 200 200 80 burst || return
	[ $vain -gt 8 ] && [ $vain -le $((600 / 8)) ] && [ $merged = 0 ] && fa_laws
}

# any mix: at most one in eight in vain of all after the first 64
test_any_mix() {
	local i n=0 ms=(5 60 140 200) drawn=
	learn && moved closes 64 60 && [ $held = 0 ] || return
	RANDOM=$(($(date +%N) % 32768))
	for ((i = 0; i < 60; i++)); do
		drawn+=" server:80:$((RANDOM % 9 + 1)):0:${ms[RANDOM % 100 < 85 ? RANDOM % 3 : 3]}"
	done
	n=$(tr ' ' '\n' <<<"$drawn" | awk -F: '{ n += $3 } END { print n }')
	# shellcheck disable=SC2086 # several words
	moved "$services" $drawn || return
	[ $((vain * 8)) -le "$n" ] && [ $merged -gt 0 ] && fa_laws && return
	fa_say "$n closes:$drawn: held $held, merged $merged, in vain $vain"
	return 1
}

# other services are others; a write forgets, even of the same value; rows go, and what was learned with them
test_learns_service_by_service_and_forgets() {
	local knob
	learn && closes 64 5 && expect 0 0 0 closes 40 60 81 && expect 15 15 0 closes 16 60 || return
	for knob in fin_ack fin_hold_ms; do
		cat $knobs/$knob >/tmp/value && cat /tmp/value >$knobs/$knob || return
		expect 0 0 0 closes 64 60 && expect 15 15 0 closes 16 60 || return
	done
	fa_load max_ports=0 && learn && expect 0 0 0 closes 100 60 && fa_laws
}

test_only_the_ports_named() {
	learn && echo 82 >$knobs/ports && closes 64 5 && expect 0 0 0 closes 16 60 || return
	closes 64 5 82 && expect 15 15 0 closes 16 60 82
}

# what is not held is quickack's, and what is held is not
test_before_quickack() {
	learn && echo 1 >$knobs/quickack && closes 64 60 && fa_is SepPolicy 64 && fa_is Held 0 || return
	expect 15 15 0 closes 16 60 && fa_is SepPolicy 65 && fa_laws
}

fa_main "$@"
