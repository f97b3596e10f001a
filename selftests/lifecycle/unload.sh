#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Loading and unloading while the files of the module are read: nobody may read a socket whose hooks are
# gone, or not there yet.
. "$(dirname "$0")/lib.sh"

a=finack-unload-a-$$ b=finack-unload-b-$$
tmp=$(mktemp -d)
reader='' pids=()
# the debug kernel waits for seconds until no task is in a trampoline: let it be idle most of that time
pause=0.05
! fa_slow || pause=0.5
trap 'ip netns del $a 2>/dev/null; ip netns del $b 2>/dev/null; rm -rf "$tmp"' EXIT

add_ns() { ip netns add "$1" && ip -n "$1" link set lo up; }
del_ns() { ip netns del "$a" && ip netns del "$b"; }

# hold_reader FILE, let_reader_go: a process that stays in the middle of a read(2) of that file
hold_reader() {
	rm -f "$tmp/go" "$tmp/said"
	mkfifo "$tmp/go"
	"$fa_dir/hold_read" "$1" <"$tmp/go" >"$tmp/said" 2>&1 &
	reader=$!
	exec 7>"$tmp/go"
	fa_wait 60 grep -qx held "$tmp/said" && return
	sed 's/^/# /' "$tmp/said"
	return 1
}
let_reader_go() {
	echo go >&7
	exec 7>&-
	wait "$reader" && grep -qx read "$tmp/said"
}

waits_for_a_reader() { grep -qs proc_entry_rundown "/proc/$1/stack"; }

# no_servers NS: no socket there is in CLOSE_WAIT (08) or LAST_ACK (09)
no_servers() { ! ip netns exec "$1" grep -qE '^ *[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:[0-9A-F]+ 0[89]' /proc/net/tcp6; }

# give the free memory of socket slabs back to the page allocator
shrink() {
	local f
	for f in /sys/kernel/slab/TCP*/shrink; do echo 1 >"$f" || return; done
	echo 3 >/proc/sys/vm/drop_caches
}

# read_waiting NS TIMES [MIB]: read the list, which may be gone, while MIB of memory are full of the user's bytes.
# These are pages of pipes, which are allocated from where the slabs' pages were freed: a socket that is read there
# has a reference count below zero. The debug kernel is not given any: it reports reads of a free page, but not reads
# of a page that is the user's.
read_waiting() {
	ip netns exec "$1" python3 - "$2" "${3:-0}" <<-'END'
		import fcntl, os, resource, sys
		times, mib = map(int, sys.argv[1:])
		resource.setrlimit(resource.RLIMIT_NOFILE, (2 * mib + 99, 2 * mib + 99))
		for i in range(mib):
		    out = os.pipe()[1]
		    fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, 1 << 20)
		    os.write(out, b"\xff" * (1 << 20))
		for i in range(times):
		    try:
		        print(open("/proc/net/finack_waiting").read(), end="")
		    except OSError:
		        pass
	END
}

test_unloading_reads_no_freed_socket() {
	local count=3000 unload rc=0 patience hung=/proc/sys/kernel/hung_task_timeout_secs
	fa_slow && count=300
	add_ns $a && fa_hold $count $a && fa_is CloseWait $count $a || return
	fa_same "$(read_waiting $a 1 | wc -l)" $((count + 1)) "lines before" || return
	# rmmod waits as long as this test holds the reader: that is no hung task
	[ ! -e $hung ] || { patience=$(cat $hung) && echo 0 >$hung; }
	hold_reader /proc/net/finack || return
	rmmod finack &
	unload=$!
	fa_wait 60 waits_for_a_reader $unload && fa_same "$(cat /sys/module/finack/initstate)" going initstate || rc=1
	fa_release && fa_wait 60 no_servers $a && shrink || rc=1
	read_waiting $a 20 >"$tmp/lines"
	fa_slow || read_waiting $a 20 $(($(awk '/^MemFree:/ { print $2 }' /proc/meminfo) / 1024 / 4)) >>"$tmp/lines" || rc=1
	fa_same "$(grep -vc ^age_ms "$tmp/lines")" 0 "closes that wait after all have ended" || rc=1
	waits_for_a_reader $unload || fa_same "it did not wait" "" rmmod || rc=1
	let_reader_go && wait $unload && fa_nothing_left || rc=1
	[ ! -e $hung ] || echo "$patience" >$hung
	ip netns del $a && return $rc
}

# start_readers NS...: each reads files of the module there, again and again; the names of those that it could read go
# to $tmp/seen
start_readers() {
	local ns
	: >"$tmp/seen"
	for ns; do
		# shellcheck disable=SC2016 # expanded by the inner shell
		${ns:+ip netns exec "$ns"} bash -c 'while :; do
			for f in /proc/net/finack{,_hist,_waiting} /proc/sys/net/finack/detail /sys/kernel/finack/net/passive; do
				mapfile lines 2>/dev/null <"$f" && [ ${#lines[@]} -gt 0 ] && echo "$f" >>"$1"
			done
			read -r -t "$2" <> <(:)
		done' sh "$tmp/seen" $pause 2>/dev/null &
		pids+=($!)
	done
}

stop() {
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	pids=()
}

# The files are there only when all that they show is there.
test_loading_in_vain_shows_nothing() {
	local i rc=0
	fa_unload && add_ns $a && add_ns $b || return
	start_readers '' $a $b
	for i in $(seq "$(fa_rounds 10)"); do
		! modprobe finack test_absent=inet_sock_set_state 2>/dev/null || rc=1
	done
	fa_same "$(sort -u "$tmp/seen" | paste -sd' ')" "" "seen while loading failed" || rc=1
	# the readers do look: once the module is loaded, they see it
	modprobe finack && fa_wait 60 grep -q waiting "$tmp/seen" || rc=1
	stop
	fa_unload && fa_nothing_left && del_ns && return $rc
}

# connections close all the time, and slabs are shrunk, so that the page of a freed socket is soon used again
start_traffic() {
	local ns
	for ns; do
		${ns:+ip netns exec "$ns"} "$closer" any ${#pids[@]} "$(fa_slow && echo 500 || echo 100)" &
		pids+=($!)
	done
	(while :; do for f in /sys/kernel/slab/TCP*/shrink; do echo 1 >"$f"; done; read -r -t $pause <> <(:); done) &
	pids+=($!)
}

some_closes() { [ "$(fa_get Passive $a)" -ge "$1" ]; }

test_load_and_unload_while_readers_read() {
	local i rc=0 rounds carrier=kprobe
	rounds=$(fa_rounds 10)
	add_ns $a && add_ns $b || return
	start_readers '' $a $b
	start_traffic '' $a $b
	for i in $(seq "$rounds"); do
		# unregistering ftrace_ops waits until each task was seen at rest; these readers seldom are: one round
		[ "$i" != 10 ] || carrier=auto
		fa_load carrier=$carrier && fa_wait 60 some_closes $((i % 5)) && fa_unload || {
			rc=1
			break
		}
	done
	fa_load carrier=kprobe && fa_wait 60 some_closes 5 || rc=1
	stop
	fa_wait 20 fa_tracked 0 && fa_laws $a && fa_laws $b && fa_laws || rc=1
	fa_unload && fa_nothing_left && del_ns && return $rc
}

fa_main "$@"
