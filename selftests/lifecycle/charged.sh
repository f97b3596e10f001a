#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a network namespace makes the module allocate is charged to the control group of its creator.
. "$(dirname "$0")/lib.sh"

count=64
name=finack-charged
tmp=$(mktemp -d)
trap 'delete_namespaces 2>/dev/null; cleanup' EXIT

cleanup() {
	local g
	for g in "$tmp"/cg/finack-*; do [ ! -d "$g" ] || rmdir "$g"; done
	mountpoint -q "$tmp/cg" && umount "$tmp/cg"
	rm -rf "$tmp"
}

mkdir "$tmp/cg"
mount -t cgroup2 none "$tmp/cg" 2>/dev/null && echo +memory >"$tmp/cg/cgroup.subtree_control" 2>/dev/null || {
	echo "1..0 # SKIP needs the memory controller of cgroup v2"
	exit 4
}

# charge GROUP WHAT: bytes, from memory.stat
charge() { awk -v what="$2" '$1 == what { print $2 }' "$tmp/cg/$1/memory.stat"; }

# in_group GROUP COMMAND...
in_group() {
	mkdir -p "$tmp/cg/$1"
	# shellcheck disable=SC2016 # expanded by the inner shell
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$tmp/cg/$1" "${@:2}"
}

# make_namespaces GROUP, put_everywhere GROUP KNOB VALUE: by a process of that group
make_namespaces() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_group "$1" bash -c 'for ((i = 0; i < $2; i++)); do ip netns add $1-$i || exit; done' sh $name $count
}
put_everywhere() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_group "$1" bash -c 'for ((i = 0; i < $2; i++)); do
		nsenter --net=/run/netns/$1-$i bash -c "echo \"\$1\" >\"\$0\"" "$3" "$4" || exit; done' \
		sh $name $count "/proc/sys/net/$2" "$3"
}
delete_namespaces() {
	local i
	for ((i = 0; i < count; i++)); do ip netns del $name-$i; done
}

# how many objects of 8 KiB there are, the largest that slabs have: a larger object takes 16 KiB of pages
objects() { awk '$1 ~ /^kmalloc-(cg-)?8k$/ { sum += $2 } END { print sum + 0 }' /proc/slabinfo; }

# charged_no_more GROUP PERCPU: all is given back except the counters of four namespaces, which the module keeps
# for the next ones (module/mib.c); PERCPU is what the counters of one namespace take
charged_no_more() { [ "$(charge "$1" percpu)" -le $((1024 + 4 * $2)) ]; }

test_counters_and_lists_of_ports_are_charged() {
	local cpus rows before rc=0 percpu slab more
	# what the counters take at least: each is a long for each CPU
	cpus=$(($(cut -d- -f2 /sys/devices/system/cpu/possible) + 1))
	rows=$(wc -l </proc/net/finack)
	fa_unload && make_namespaces finack-bare && put_everywhere finack-bare ipv4/ip_local_reserved_ports "" || return
	percpu=$(charge finack-bare percpu) slab=$(charge finack-bare slab_unreclaimable)
	delete_namespaces
	fa_load && make_namespaces finack-loaded || return
	before=$(objects)
	put_everywhere finack-loaded finack/ports 80,443 || rc=1
	more=$(($(objects) - before))
	percpu=$(($(charge finack-loaded percpu) - percpu)) slab=$(($(charge finack-loaded slab_unreclaimable) - slab))
	fa_say "$count namespaces, $cpus CPUs, $rows counters: charged $percpu bytes for each CPU together, $slab bytes of slabs"
	fa_say "lists of ports took $more objects of 8 KiB"
	[ $percpu -ge $((count * cpus * rows * 8)) ] || fa_same $percpu "at least $((count * cpus * rows * 8))" "for each CPU" || rc=1
	[ $slab -ge $((count * 8192)) ] || fa_same $slab "at least $((count * 8192))" slabs || rc=1
	# Larger lists would not be among these objects. slabinfo counts the free objects of a CPU's own slab as used,
	# and two dozen may have been free before: it gives no better figure.
	[ $more -ge $((count / 2)) ] && [ $more -le $((count + 8)) ] ||
		fa_same $more "$((count / 2)) to $((count + 8))" "objects of 8 KiB" || rc=1
	# and it is given back
	delete_namespaces
	FA_PERIOD=1 fa_wait 60 charged_no_more finack-loaded $((percpu / count)) && return $rc
}

fa_main "$@"
