#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 128 processes of one user, each root of a network namespace of its own, write a knob of it as fast as they can. That
# must not make others wait longer than writes of one of the kernel's own knobs do, which arm nothing.
. "$(dirname "$0")/lib.sh"
fa_several_cpus

flippers=128
ns=finack-flood-$$
knobs=/proc/sys/net/finack
declare -A worst
trap 'ip netns del $ns 2>/dev/null' EXIT

# A wait shorter than this, in microseconds, is not for a lock, but for a CPU or an interrupt.
least=50000
# The same for loading and unloading a module. Among so many processes grace periods take up to 9 s at times, even if
# finack is at rest or not loaded.
least_module=5000000
# a wait this long has shown the problem and ends the measurement; loading a module waits for grace periods
enough=15000000

# flood LINE ANSWER: send LINE to the flippers and wait for an answer that matches; sets $answer
flood() {
	local line
	echo "$1" >&"${FLOOD[1]}" && read -r -t 120 line <&"${FLOOD[0]}" && [[ $line =~ ^$2$ ]] || {
		fa_say "flood says '${line:-}' to '$1'"
		return 1
	}
	answer=$line
}

start_flood() {
	local line
	coproc FLOOD { exec "$fa_dir/flood" $flippers; }
	flooder=$FLOOD_PID
	read -r -t 120 line <&"${FLOOD[0]}" && [ "$line" = ready ]
}

stop_flood() {
	kill "$flooder"
	wait "$flooder" 2>/dev/null
	return 0
}

# took NAME COMMAND...: run it, and keep the longest time of that name in this run
took() {
	local name=$1 start=$EPOCHREALTIME us
	shift
	"$@" || return
	us=$((${EPOCHREALTIME/./} - ${start/./}))
	[ "${worst[$run $name]:-0}" -ge $us ] || worst[$run $name]=$us
	[ $us -lt $enough ] || waited=1
}

new_namespace() { unshare -n true; }
read_knob() { read -r _ <$knobs/quickack; }
write_armed() { echo "$1" >$knobs/quickack; }
write_number() { echo "$1" >$knobs/fin_hold_ms; }
other_module() { modprobe dummy numdummies=0 && rmmod dummy; }
names='new_namespace read_knob write_armed write_number other_module'

# round RUN FILE A B: measure while FILE is flipped between A and B
round() {
	local i waited='' rc=0
	run=$1
	# the hook of quickack is armed already: another namespace wants it
	ip netns exec $ns sysctl -qw net.finack.quickack=1 && flood "$2 $3 $4" started || return
	for i in $(seq 10); do
		took new_namespace new_namespace && took read_knob read_knob && took write_armed write_armed $((i % 2)) &&
			took write_number write_number $((100 + i)) && took other_module other_module || rc=1
		[ -z "$waited" ] || break
	done
	flood rest '[0-9]+' || return
	fa_say "$run: $2, $answer writes"
	[ "$answer" -ge $flippers ] && return $rc
}

# no_longer NAME RUN: assert that it took no longer than twice what it took in run A
no_longer() {
	local limit=${worst[A $1]} floor=$least
	[ "$1" != other_module ] || floor=$least_module
	[ "$limit" -gt $floor ] || limit=$floor
	limit=$((2 * limit))
	[ "${worst[$2 $1]}" -le $limit ] || fa_same "${worst[$2 $1]} us" "at most $limit" "$1 in run $2"
}

# The process that measures has real-time priority, so that what is measured is waits for locks. As one of 129 equal
# processes it would wait for the CPU.
test_a_flood_of_writes_makes_nobody_wait() {
	local name rc=0 x
	ip netns add $ns && start_flood && chrt -f -p 50 $$ || return
	for x in B C D; do
		round A /proc/sys/net/ipv4/tcp_sack 0 1 || rc=1
		case $x in
		B) round B $knobs/quickack 0 1 ;;
		C) round C $knobs/detail 0 1 ;;
		D) round D $knobs/fin_ack 0 2 ;;
		esac || rc=1
	done
	chrt -o -p 0 $$
	stop_flood
	for name in $names; do
		no_longer "$name" B && no_longer "$name" C && no_longer "$name" D || rc=1
		fa_say "$name, worst in us: A ${worst[A $name]} B ${worst[B $name]} C ${worst[C $name]} D ${worst[D $name]}"
	done
	ip netns del $ns && return $rc
}

# Unregistering an ftrace_ops would wait until no task is in its trampoline, and meanwhile hold a lock that loading any
# module needs. Tasks that stay in the kernel make that long: a minute was seen.
test_disarming_makes_nobody_wait() {
	local rc=0 disarmed
	worst=() run=A waited=''
	echo 0 >$knobs/detail
	echo 5 >/sys/module/finack/parameters/linger
	start_flood && chrt -f -p 50 $$ && flood "/proc/sys/net/ipv4/tcp_sack 0 1" started || return
	for _ in $(seq 10); do took other_module other_module || rc=1; done
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn sh -c \
		"echo 1 >$knobs/quickack && echo 0 >$knobs/quickack" || rc=1
	# reading the status waits while the hook is being disarmed
	(fa_wait 300 grep -q ^off /sys/kernel/finack/hooks/tcp_send_delayed_ack/status) &
	disarmed=$!
	run=B
	until fa_is_over $disarmed || [ -n "$waited" ]; do took other_module other_module || rc=1; done
	for _ in $(seq 5); do took other_module other_module || rc=1; done
	wait $disarmed || rc=1
	chrt -o -p 0 $$
	stop_flood
	fa_say "other_module, worst in us: before ${worst[A other_module]}, until it is disarmed ${worst[B other_module]}"
	no_longer other_module B && return $rc
}

waits_for_hooks() { fa_is_over "$1" || grep -qs finack "/proc/$1/stack"; }

# A process that waits while hooks are being armed can be killed, at once. The flippers want other hooks, and nothing
# is armed yet.
test_who_waits_can_be_killed() {
	local i pid start us longest=0 killed=0 rc=0 set
	start_flood && chrt -f -p 50 $$ || return
	for i in 1 2 3 4 5; do
		flood rest '[0-9]+' && fa_unload && fa_load && flood "$knobs/quickack 0 1" started || return
		for set in delack_max_ms=10 fin_ack=2; do
			(echo "${set#*=}" >"$knobs/${set%=*}") &
			pid=$!
			fa_wait 20 waits_for_hooks $pid || rc=1
			start=$EPOCHREALTIME
			kill -9 $pid 2>/dev/null
			wait $pid 2>/dev/null
			[ $? != 137 ] || killed=$((killed + 1))
			us=$((${EPOCHREALTIME/./} - ${start/./}))
			[ $us -le $longest ] || longest=$us
		done
	done
	chrt -o -p 0 $$
	stop_flood
	fa_say "$killed of 10 were killed; the longest took $longest us to end"
	[ $longest -lt 1000000 ] && [ $killed -gt 0 ] && return $rc
}

fa_main "$@"
