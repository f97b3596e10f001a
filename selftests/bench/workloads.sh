# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # all of them are parts of guest
#
# The workloads. Each bench_* measures one under its contenders; rounds, sample: guest.

all_contenders=(bare detail0 detail1 detail1-kprobe listener reader floor0 floor1 floor2 fin_ack1 fin_ack2 quickack delack_max
	bpf-tracepoint bpf-fentry bpf-kprobe tcpstates tcplife tcpdump-flags tcpdump-all bare-again)
few_contenders=(bare detail0 detail1 floor0 floor2 bpf-fentry bare-again)
nginx_clients=(1 50)

# wait_port PORT: until somebody listens
wait_port() {
	fa_wait 60 listens "$1" || die "nobody listens on port $1"
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# loopback connect, a byte, close; both ends in one process
bench_conn() {
	conn 8000 >/dev/null || die "conn" # the first few thousand cost more
	rounds 4 conn 2000 "${all_contenders[@]}" -- conn 2000
}

# one_change NAME: the least that handlers.ko measured for it
one_change() {
	awk -v name="$1" '$1 == name { print $2 }' /sys/module/handlers/parameters/result
}

# changes CONTENDER...: each change of a socket's state, called 20,000 times
changes() {
	local c change least mean
	for c in "$@"; do
		on "$c"
		insmod "$bin/handlers.ko" || die "handlers.ko"
		while read -r change least mean; do
			printf 'bench: %-26s on average %s\n' "$change" "$mean"
			sample "handlers-$change" "$c" 1 1 one_change "$change"
		done </sys/module/handlers/parameters/result
		rmmod handlers
		off "$c"
	done
}

bench_handlers() {
	changes bare floor0 detail0 detail1
}

# nginx closes each connection after the answer
bench_nginx() {
	local c n times
	mkdir "$scratch/www"
	chmod 755 "$scratch" "$scratch/www"
	head -c 2000 /dev/zero >"$scratch/www/index.html"
	cat >"$scratch/nginx.conf" <<-END
		worker_processes 1;
		pid $scratch/nginx.pid;
		error_log $scratch/nginx.log;
		events {}
		http {
			access_log off;
			server {
				listen 127.0.0.1:80;
				root $scratch/www;
			}
		}
	END
	nginx -c "$scratch/nginx.conf" || die "nginx: $(tail -n 3 "$scratch/nginx.log")"
	wait_port 80
	for c in "${nginx_clients[@]}"; do
		n=$((c == 1 ? 400 : 1200)) times=$((c == 1 ? 5 : 9)) # with many clients the load is uneven
		count ab -q -n 2000 -c $c http://127.0.0.1/ >/dev/null 2>&1 || die "ab"
		rounds $times nginx-$c $n "${few_contenders[@]}" -- count ab -q -n $n -c $c http://127.0.0.1/
	done
	nginx -c "$scratch/nginx.conf" -s stop
}

# requests and answers on 200 connections that stay
bench_redis() {
	local n=12000
	redis-server --save '' --appendonly no --dir "$scratch" --logfile "$scratch/redis.log" --daemonize yes >/dev/null
	wait_port 6379
	count redis-benchmark -n $n -c 200 -t get --csv >/dev/null 2>&1 || die "redis-benchmark"
	rounds 10 redis $n "${few_contenders[@]}" -- count redis-benchmark -n $n -c 200 -t get --csv
	redis-cli shutdown nosave
}

# one stream, in MiB
bench_bulk() {
	local n=200
	iperf3 -s -D || die "iperf3"
	wait_port 5201
	count iperf3 -c 127.0.0.1 -n ${n}M >/dev/null 2>&1 || die "iperf3"
	rounds 3 bulk $n "${few_contenders[@]}" -- count iperf3 -c 127.0.0.1 -n ${n}M
	pkill -x iperf3
}

# hold_open COMMAND...: start one that holds something until it gets a line; let_go ends it
hold_open() {
	local line
	coproc HOLD { exec "$@"; }
	holder=$HOLD_PID
	read -r line <&"${HOLD[0]}" && [ "$line" = held ] || die "$* holds nothing"
	rest 120 || die "$*: no rest"
}

let_go() {
	kill -9 "$holder"
	wait "$holder" 2>/dev/null
	rest 300 || die "what was held does not go"
}

# conn while many sockets wait in CLOSE_WAIT. The module must be loaded before the sockets are made, so the rounds
# with it come first. It is then unloaded for the rounds without it, with the sockets still there.
bench_waiting() {
	local held round level
	hold_open closer hold 10000 # what many sockets leave in the allocator is there for the first count, too
	let_go
	for held in 1000 10000 200000; do
		insmod "$bin/finack.ko" max_tracked=262144 || die "insmod"
		hold_open closer hold $held
		conn 4000 >/dev/null || die "conn"
		for round in 1 2 3 4 5; do
			for level in 0 1; do
				set_knob detail $level
				sample waiting-$held detail$level "$round" 2000 conn 2000
			done
		done
		rmmod finack
		conn 4000 >/dev/null || die "conn"
		for round in 1 2 3 4 5; do
			sample waiting-$held bare "$round" 2000 conn 2000
		done
		let_go
	done
}

meminfo() { awk -v k="$1:" '$1 == k { print $2 * 1024 }' /proc/meminfo; }

# namespaces: the cost to make and delete one; the memory of two thousand
bench_netns() {
	local c n=2000
	rounds 3 netns 20 bare detail1 bare-again -- netns make 20
	# memory is given back late: bare, which takes less, comes first, and the totals are compared
	for c in bare detail1; do
		on $c
		hold_open netns hold $n
		sample netns-percpu $c 1 $n meminfo Percpu
		sample netns-slab $c 1 $n meminfo Slab
		let_go
		off $c
	done
}

# reading the files, with one namespace and with a thousand
bench_read() {
	local n=1000 many round
	on detail1
	for many in 1 1000; do
		[ $many = 1 ] || hold_open netns hold $((many - 1))
		for round in 1 2 3; do
			sample read-$many finack "$round" $n readfile /proc/net/finack $n
			sample read-$many netstat "$round" $n readfile /proc/net/netstat $n
		done
		[ $many = 1 ] || let_go
	done
	off detail1
}

# this checkout's module beside another revision's
compared=(old-detail0 detail0 old-detail1 detail1)

bench_compare_conn() {
	conn 8000 >/dev/null || die "conn" # the first few thousand cost more
	rounds 7 conn 2000 bare "${compared[@]}" old-fin_ack1 fin_ack1 old-fin_ack2 fin_ack2 old-quickack quickack \
		old-delack_max delack_max -- conn 2000
}

bench_compare_handlers() {
	changes floor0 "${compared[@]}"
}

bench_compare_nginx() {
	few_contenders=("${compared[@]}")
	nginx_clients=(1)
	bench_nginx
}

bench_compare_netns() {
	rounds 3 netns 20 old-detail1 detail1 -- netns make 20
}
