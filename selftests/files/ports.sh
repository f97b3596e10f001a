#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# /proc/net/finack_ports: which rows there are, what they count, and that they add up to the counters.
. "$(dirname "$0")/lib.sh"

services=$fa_dir/services
file=/proc/net/finack_ports
head='port side passive merged separate unacked close_wait timer_ack stalls stall_ms peer_stalls peer_stall_ms credit quick_acks held'
counters='Passive Merged Separate Unacked CloseWait TimerAck Stall StallMs PeerStall PeerStallMs - QuickAck Held'
ns=finack-ports-$$
pids=()

cleanup() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	ip netns del $ns 2>/dev/null
	ip netns del $ns-2 2>/dev/null
}
trap cleanup EXIT

# leak SPEC...: start services and wait until they hold
leak() {
	rm -f /tmp/held
	"$services" "$@" >/tmp/held &
	pids+=($!)
	fa_wait 20 grep -qs held /tmp/held
}

# end_all: kill what this script started
end_all() {
	kill "${pids[@]}"
	wait "${pids[@]}"
	pids=()
}

# in_ns NS COMMAND...: NS may be empty
in_ns() {
	local in=$1
	shift
	${in:+ip netns exec "$in"} "$@"
}

# row PORT SIDE [NS]: its columns from passive to timer_ack
row() {
	in_ns "${3:-}" awk -v p="$1" -v s="$2" '$1 == p && $2 == s { print $3, $4, $5, $6, $7, $8; n++ }
		END { if (n != 1) print n + 0 " rows" }' $file
}

# is PORT SIDE COLUMNS [NS]
is() { fa_same "$(row "$1" "$2" "${4:-}")" "$3" "$1 $2"; }

# rows_are N [NS]: the number of rows, other not counted
rows_are() { fa_same "$(in_ns "${2:-}" awk 'NR > 1 && $2 != "-"' $file | wc -l)" "$1" rows; }

# used_are N: that of all namespaces
used_are() { fa_same "$(cat /sys/kernel/finack/ports)" "$1" "rows in use"; }

# sums [NS]: the sum of each column lies between the counter before and after; on a quiet system all are equal
sums() {
	in_ns "${1:-}" cat /proc/net/finack >/tmp/before
	in_ns "${1:-}" cat $file >/tmp/ports
	in_ns "${1:-}" cat /proc/net/finack >/tmp/after
	fa_same "$(head -n 1 /tmp/ports)" "$head" "the head" || return
	awk -v names="$counters" -v gauges="${gauges_too:-1}" '
		FILENAME ~ /before/ { low[substr($1, 7)] = $2; next }
		FILENAME ~ /after/ { high[substr($1, 7)] = $2; next }
		FNR == 1 { columns = NF; next }
		NF != columns { print "# not a row: " $0; bad = 1 }
		{ for (i = 3; i <= NF; i++) sum[i] += $i; last = $1 }
		END {
			n = split(names, name, " ")
			for (i = 1; i <= n; i++) {
				if (name[i] == "-" || (name[i] == "CloseWait" && !gauges)) continue
				checked++
				if (sum[i + 2] < low[name[i]] || sum[i + 2] > high[name[i]]) {
					print "# " name[i] " is " low[name[i]] " to " high[name[i]] ", the sum " sum[i + 2]
					bad = 1
				}
			}
			if (last != "other" || checked < 11) { print "# last row " last ", checked " checked; bad = 1 }
			exit bad
		}' /tmp/before /tmp/after /tmp/ports
}

test_quiet() {
	rows_are 0 && used_are 0 && sums || return
	fa_same "$(cat $file)" "$head"$'\n'"other - 0 0 0 0 0 0 0 0 0 0 0 0 0" "the file"
}

test_permissions() {
	fa_same "$(stat -Lc %a $file)" 444 mode || return
	setpriv --reuid 65534 --regid 65534 --clear-groups cat $file >/dev/null || return
	! setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "echo 1 >$file" 2>/dev/null || return
	"$services" server:80:3 && fa_same "$(dd if=$file bs=7 2>/dev/null)" "$(cat $file)" "small reads"
}

test_the_server_is_local_and_the_client_remote() {
	"$services" server:80:5 client:443:3 server:22:1 || return
	is 80 local "5 5 0 0 0 0" && is 443 remote "3 3 0 0 0 0" && is 22 local "1 1 0 0 0 0" || return
	rows_are 3 && used_are 3 && is other - "0 0 0 0 0 0" && sums
}

# bound ports on one side or the other of ip_local_port_range
test_sides_of_bound_ports() {
	sysctl -qw net.ipv4.ip_local_port_range='32768 60999'
	"$services" client:40000:1:700 && is 700 local "1 1 0 0 0 0" || return
	"$services" client:444:1:40001 && is 444 remote "1 1 0 0 0 0" || return
	"$services" client:40002:1:40003 && is 40002 remote "1 1 0 0 0 0" || return
	"$services" client:445:1:446 && is 446 local "1 1 0 0 0 0" || return
	"$services" server:40004:1 && is 40004 local "1 1 0 0 0 0" || return
	# a client that binds port 0
	"$services" client:40006:2:-1 && is 40006 remote "2 2 0 0 0 0" || return
	# a peer chooses its ports, and gets no rows by that
	"$services" server:40005:1:447 server:40005:1:448 server:40005:1:40007 && is 40005 local "3 3 0 0 0 0" || return
	rows_are 7 && sums
}

# the same over IPv6: closer listens at a port of ip_local_port_range that the kernel chooses
test_sides_over_ipv6() {
	"$closer" merge 5 && rows_are 1 && fa_same "$(awk '$2 == "local" { print $3, $4 }' $file)" "5 5" "the server's row"
}

# the listener and all others that bound the port have gone
test_a_port_whose_listener_has_gone() {
	"$services" alone:81:4 && is 81 local "4 4 0 0 0 0" && rows_are 1 && sums
}

test_all_outcomes_of_one_port() {
	leak leak:82:4 || return
	fa_wait 10 is 82 local "4 0 4 0 4 0" && sums || return
	end_all
	fa_wait 10 is 82 local "4 0 4 0 0 0" && sums && rows_are 1
}

test_more_ports_than_rows() {
	fa_load max_ports=3 || return
	"$services" server:101:1 server:102:2 server:103:3 server:104:4 server:101:1 client:105:5 || return
	rows_are 3 && used_are 3 && is 101 local "2 2 0 0 0 0" && is 103 local "3 3 0 0 0 0" || return
	is other - "9 9 0 0 0 0" && is 104 local "0 rows" && sums || return
	fa_load max_ports=0 && "$services" server:101:2 && rows_are 0 && is other - "2 2 0 0 0 0" && sums
}

test_parameter_out_of_range() {
	fa_unload
	! modprobe finack max_ports=65536 2>/tmp/err && grep -q 'Invalid argument' /tmp/err || return
	fa_logged 'finack: max_ports=65536 is out of range, 0..65535' || return
	! modprobe finack max_ports=x 2>/dev/null && [ ! -e /proc/net/finack ] || return
	fa_load max_ports=65535 && "$services" server:80:1 && is 80 local "1 1 0 0 0 0" && sums
}

# closes without a record belong to no row
test_untracked_closes_are_others() {
	fa_load max_tracked=1 && leak leak:83:3 || return
	fa_is Untracked 2 && fa_wait 10 is 83 local "1 0 1 0 1 0" && is other - "2 0 0 0 2 0" && sums || return
	end_all
	fa_wait 10 is other - "2 0 2 0 0 0" && sums
}

# each namespace has its own rows, and gives them back; the next one to get them begins with zeros
test_namespaces_that_go() {
	local i
	fa_load max_ports=4 || return
	for i in 1 2; do
		ip netns add $ns && ip -n $ns link set lo up || return
		ip netns exec $ns "$services" server:80:$i client:80:2 server:81:1 || return
		is 80 local "$i $i 0 0 0 0" $ns && is 80 remote "2 2 0 0 0 0" $ns && rows_are 3 $ns && sums $ns || return
		rows_are 0 && used_are 3 || return
		ip netns del $ns && fa_wait 60 used_are 0 || return
	done
	"$services" server:80:7 && is 80 local "7 7 0 0 0 0" && sums
}

# users of user namespaces get at most half of the rows, as with records (table.sh)
test_users_leave_half_to_the_host() {
	fa_load max_ports=64 && rm -f /tmp/theirs || return
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn sh -c "ip link set lo up
		$services $(printf 'server:%d:1 ' {2001..2060}) && cat $file; exec sleep infinity" >/tmp/theirs 2>&1 &
	pids+=($!)
	fa_wait 60 grep -qs other /tmp/theirs || return
	fa_same "$(grep -c local /tmp/theirs)" 28 "their rows" || return
	fa_same "$(awk '$1 == "other" { print $3 }' /tmp/theirs)" 32 "their other" && used_are 28 || return
	# shellcheck disable=SC2046 # several words
	"$services" $(printf 'server:%d:1 ' {1001..1040}) && rows_are 36 && sums || return
	end_all
	fa_wait 60 used_are 36
}

# TimerAck and the stalls need detail; a switch in between loses no sum
test_detail_switched_in_between() {
	local d
	for d in 0 1 2 0 1; do
		echo $d >/proc/sys/net/finack/detail
		"$services" server:80:2 client:81:2 && "$closer" late 2 && sums || return
	done
	is 80 local "10 10 0 0 0 0"
}

# closes of many ports while others read, namespaces go and detail changes
test_churn() {
	local i n now
	n=$(fa_rounds 15)
	fa_load max_ports=24 && ip netns add $ns && ip -n $ns link set lo up || return
	"$services" any 1 1000 20 &
	pids=($!)
	ip netns exec $ns "$services" any 2 1000 9 &
	pids+=($!)
	for ((i = 0; i < n; i++)); do
		echo $((i % 2)) >/proc/sys/net/finack/detail
		ip netns add $ns-2 && ip -n $ns-2 link set lo up || return
		ip netns exec $ns-2 "$services" server:80:2 client:81:3 server:82:1 || return
		sums $ns-2 && gauges_too=0 sums && gauges_too=0 sums $ns || return
		ip netns del $ns-2 || return
	done
	now=$(fa_get Passive)
	[ "$now" -gt 100 ] || return
	end_all
	fa_wait 10 fa_is CloseWait 0 && sums && sums $ns && fa_laws && fa_laws $ns || return
	# only the rows of this namespace are left
	ip netns del $ns && fa_wait 60 used_are "$(awk 'NR > 1 && $2 != "-"' $file | wc -l)"
}

fa_main "$@"
