#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Load and unload again and again while connections close.
. "$(dirname "$0")/lib.sh"

test_load_and_unload_under_traffic() {
	local i pids=() rc=0 total=0 rounds pause=30
	rounds=$(fa_rounds 100)
	# the debug kernel waits for seconds until no task is in a trampoline: let it be idle most of that time
	fa_slow && pause=500
	for i in 1 2; do
		"$closer" any "$i" "$pause" &
		pids+=($!)
	done
	for i in $(seq "$rounds"); do
		fa_load || {
			rc=1
			break
		}
		# a different number of closes each time, so that the module is unloaded at different points
		fa_wait 60 some_closes $((i % 7)) || rc=1
		total=$((total + $(fa_get Passive)))
		fa_unload || rc=1
	done
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	fa_say "$total closes were counted in $i loads"
	[ $rc = 0 ] && [ "$i" = "$rounds" ] && [ $total -ge $((rounds * 3)) ] && [ ! -e /proc/net/finack ] || return
	fa_load && "$closer" merge 5 && fa_is Merged 5 && fa_laws
}

some_closes() { [ "$(fa_get Passive)" -ge "$1" ]; }

fa_main "$@"
