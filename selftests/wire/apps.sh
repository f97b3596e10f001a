#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# nginx and redis from Debian under each policy: they work, and the counters agree with a capture. Their clients are
# ab and redis-benchmark. nginx closes first ("Connection: close"), so ab is the passive closer. Of redis and its
# client the client closes first.
. "$(dirname "$0")/lib.sh"

for cmd in nginx ab redis-server redis-benchmark redis-cli; do
	command -v $cmd >/dev/null && continue
	echo "1..0 # SKIP needs $cmd (PACKAGES='nginx-light apache2-utils redis-server')"
	exit 4
done

count=300
server=finack-server-$$ client=finack-client-$$
dir=$(mktemp -d)
chmod 755 "$dir"
services=()

clean_up() {
	[ ${#services[@]} = 0 ] || kill "${services[@]}"
	wait "${services[@]}" 2>/dev/null
	ip netns del $server
	ip netns del $client
	rm -rf "$dir"
} 2>/dev/null
trap clean_up EXIT

in_ns() { ip netns exec "$@"; }

ip netns add $server && ip netns add $client &&
	ip -n $server link add wire type veth peer name wire netns $client || exit
for end in $server=10.9.1.1 $client=10.9.1.2; do
	ip -n "${end%=*}" link set lo up && ip -n "${end%=*}" addr add "${end#*=}/24" dev wire &&
		ip -n "${end%=*}" link set wire up || exit
done

mkdir "$dir/www"
head -c 2000 /dev/urandom >"$dir/www/index.html"
cat >"$dir/nginx.conf" <<-END
	worker_processes 1;
	pid $dir/nginx.pid;
	error_log $dir/nginx.log;
	events {}
	http {
		access_log off;
		server {
			listen 10.9.1.1:80;
			root $dir/www;
		}
	}
END
in_ns $server nginx -c "$dir/nginx.conf" -g 'daemon off;' &
services+=($!)
in_ns $server redis-server --bind 10.9.1.1 --port 6379 --protected-mode no --save '' --appendonly no --dir "$dir" \
	--logfile "$dir/redis.log" &
services+=($!)

listens() { in_ns $server ss -Hltn "sport = $1" | grep -q LISTEN; }
fa_wait 60 listens 80 && fa_wait 60 listens 6379 || {
	cat "$dir"/*.log
	exit 1
}
# once without measuring: what is timed should be in memory
in_ns $client ab -q -n 1 http://10.9.1.1/ >/dev/null && in_ns $client redis-cli -h 10.9.1.1 ping >/dev/null || exit

# set_policy NAME=VALUE...: in both namespaces; the other policies are set to their defaults
set_policy() {
	local ns
	for ns in $server $client; do
		in_ns $ns sysctl -qw net.finack.fin_ack=0 net.finack.quickack=0 net.finack.delack_max_ms=0 &&
			in_ns $ns sysctl -qw "${@/#/net.finack.}" || return
	done
}

ask_nginx() {
	in_ns $client ab -q -n $count -c 10 http://10.9.1.1/ >"$dir/out" 2>&1 &&
		grep -q "^Complete requests: *$count$" "$dir/out" &&
		grep -q '^Failed requests: *0$' "$dir/out" && ! grep -q '^Non-2xx' "$dir/out" &&
		fa_same "$(sed -n 's/^HTML transferred: *\([0-9]*\) bytes$/\1/p' "$dir/out")" \
			$((count * 2000)) "bytes that came"
}

# a connection per request, two hundred requests on one, and a value that has to come back
ask_redis() {
	local value
	value=$(head -c 300 /dev/urandom | base64 -w 0)
	in_ns $client redis-benchmark -h 10.9.1.1 -n $count -c 10 -k 0 -t set,get --csv >"$dir/out" 2>&1 &&
		in_ns $client redis-benchmark -h 10.9.1.1 -n 200 -c 1 -k 1 -t get --csv >>"$dir/out" 2>&1 &&
		! grep -qi error "$dir/out" &&
		fa_same "$(in_ns $client redis-cli -h 10.9.1.1 set key "$value")" OK "answer" &&
		fa_same "$(in_ns $client redis-cli -h 10.9.1.1 get key)" "$value" "value"
}

declare -A before after wire
read_counters() { # $1: array ; $2: namespace
	local name value
	# shellcheck disable=SC2034 # the array of the caller
	local -n to=$1
	# shellcheck disable=SC2034
	while read -r name value; do to[${name#FinAck}]=$value; done < <(in_ns "$2" cat /proc/net/finack)
}

moved() { echo $((after[$1] - before[$1])); }

# the counters that were just read agree with the capture
as_captured() {
	local name rc=0
	for name in Passive Merged Separate Unacked; do
		fa_same "$(moved $name)" "${wire[${name,}]}" "FinAck$name" || rc=1
	done
	for name in Undecided CloseWait Untracked Earlier; do
		fa_same "${after[$name]}" 0 "FinAck$name" || rc=1
	done
	return $rc
}

# are NAME=VALUE...: assert by how much these counters moved; VALUE can be "some"
are() {
	local pair v rc=0
	for pair in "$@"; do
		v=$(moved "${pair%=*}")
		[ "${pair#*=}" = some ] && [ "$v" -gt 0 ] && continue
		fa_same "$v" "${pair#*=}" "FinAck${pair%=*}" || rc=1
	done
	return $rc
}

# What a policy ($1) does where both sides close at once. Without a policy two kinds of ACK leave before the FIN: if
# no data came, the next tick may come before the application closes (SepNoAto); and the ACK of more than a segment
# of data, which came while the application used the socket, is due at once (SepNow).
as_the_policy_says() {
	local passive=${wire[passive]}
	case $1 in
	fin_ack=0) are "Merged=$((passive - $(moved SepNoAto) - $(moved SepNow)))" Forced=0 Held=0 HeldMerged=0 QuickAck=0 Clamped=0 SepPolicy=0 SepHeld=0 ;;
	fin_ack=1)
		are Merged=0 Forced=some "SepPolicy=$(moved Forced)" Held=0 QuickAck=0 Clamped=0 &&
			fa_same "${wire[close_segments]}" $((4 * passive)) "segments of the closes"
		;;
	fin_ack=2)
		are Merged=$passive Separate=0 "HeldMerged=$(moved Held)" Forced=0 QuickAck=0 Clamped=0 &&
			fa_same "${wire[close_segments]}" $((3 * passive)) "segments of the closes"
		;;
	quickack=1) are Merged=0 SepPolicy=some QuickAck=some Forced=0 Held=0 Clamped=0 ;;
	delack_max_ms=*) are Clamped=some Forced=0 Held=0 QuickAck=0 SepPolicy=0 ;;
	esac
}

all_moves() {
	local name
	while read -r name _; do
		name=${name#FinAck}
		[ "$(moved "$name")" = 0 ] || printf ' %s +%d' "$name" "$(moved "$name")"
	done </proc/net/finack
}

per() { awk -v a="$1" -v n="$2" 'BEGIN { printf "%.2f", a / n }'; }

# app NAME CLOSER POLICY: CLOSER is the namespace of the passive closer
app() {
	local name=$1 closer_ns=$2 policy=$3 address=10.9.1.1 other=10.9.1.2 pair rc=0
	[ "$closer_ns" = $server ] || address=10.9.1.2 other=10.9.1.1
	set_policy "$policy" && read_counters before "$closer_ns" &&
		fa_capture "$closer_ns" wire "$dir/wire" || return
	"ask_$name" || {
		cat "$dir/out" "$dir"/*.log
		rc=1
	}
	fa_wait 60 fa_tracked 0 && fa_capture_end "$closer_ns" $other "$dir/wire" "$capture" || return
	read_counters after "$closer_ns"
	wire=()
	for pair in $("$fa_dir/closes" "$dir/wire" $address); do wire[${pair%=*}]=${pair#*=}; done
	as_captured && as_the_policy_says "$policy" && fa_laws $server && fa_laws $client || rc=1
	fa_say "$name $policy: ${wire[connections]} connections of" \
		"$(per "${wire[segments]}" "${wire[connections]}") segments, to close" \
		"$(per "${wire[close_segments]}" "${wire[passive]}");$(all_moves)"
	return $rc
}

with_nginx() { app nginx $client "$1"; }
with_redis() { app redis $server "$1"; }

test_nginx_at_defaults() {
	with_nginx fin_ack=0
}

test_nginx_acks_of_fins_at_once() {
	with_nginx fin_ack=1
}

test_nginx_acks_of_fins_held() {
	with_nginx fin_ack=2
}

test_nginx_quickack() {
	with_nginx quickack=1
}

test_nginx_maximum() {
	with_nginx delack_max_ms=4
}

test_redis_at_defaults() {
	with_redis fin_ack=0
}

test_redis_acks_of_fins_at_once() {
	with_redis fin_ack=1
}

test_redis_acks_of_fins_held() {
	with_redis fin_ack=2
}

test_redis_quickack() {
	with_redis quickack=1
}

test_redis_maximum() {
	with_redis delack_max_ms=4
}

owned() { in_ns $server ss -Htnp state established "sport = 80" | grep -q "pid=$1,"; }
two_wait() { finack -a -j waiting | python3 -c 'import json, sys
sys.exit(sum(len(n["waiting"]) for n in json.load(sys.stdin)) != 2)'; }

# Two processes do not close: an nginx worker that was stopped while it had a connection, and a server that never
# closes, each in a namespace of its own. finack, run in a third one, names both.
test_waiting_names_a_stuck_nginx_and_a_stuck_python() {
	local worker python visitor rc=0
	worker=$(pgrep -P "$(cat "$dir/nginx.pid")") || return
	coproc VISITOR { exec ip netns exec $client bash -c 'exec 3<>/dev/tcp/10.9.1.1/80 && read -r _'; }
	visitor=$VISITOR_PID
	: >"$dir/stuck"
	ip netns exec $client python3 "$fa_dir/traffic.py" stuck 4 8080 >"$dir/stuck" &
	python=$!
	fa_wait 60 owned "$worker" && fa_wait 60 grep -q stuck "$dir/stuck" || rc=1
	kill -STOP "$worker"
	echo >&"${VISITOR[1]}"
	fa_wait 60 two_wait || rc=1
	finack -a -j waiting >"$dir/waiting" && finack -a waiting | sed 's/^/# /'
	python3 - "$dir/waiting" $server "$worker" $client "$python" <<-'END' || rc=1
		import json, sys
		file, server, worker, client, python = sys.argv[1:]
		seen = {n.get("netns"): [(p["command"], p["pid"], w["local"]["port"]) for w in n["waiting"]
		                         for p in w["processes"]] for n in json.load(open(file)) if n["waiting"]}
		wanted = {server: [("nginx", int(worker), 80)], client: [("python3", int(python), 8080)]}
		assert seen == wanted, seen
	END
	kill -CONT "$worker"
	kill "$python"
	wait "$visitor" "$python" 2>/dev/null
	fa_wait 60 fa_tracked 0 && return $rc
}

fa_main "$@"
