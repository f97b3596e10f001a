# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Tests of the guest runner itself, from the host; part of make check. $here and $work as there. Where counted time does
# not matter the guest has two CPUs, in real time: it boots in half the time.

# what a command prints and how it ends; what it leaves running; the shared folder
vm_command() { # KERNEL
	local rc=0 out
	mkdir -p "$work/share"
	echo from-host >"$work/share/in"
	out=$(KERNEL=$1 SHARE=$work/share CMD='echo out; echo err >/dev/stderr; cat /mnt/share/in
		echo "$(id -u) $PWD $# $$" >/mnt/share/out; lsmod | grep finack
		tail -f /dev/null & modprobe finack; exit 3' "$here/vm" 2>"$work/vm.err") || rc=$?
	[ "$rc" = 3 ] || echo "exit status $rc, expected 3"
	[ "$out" = "out"$'\n'"err"$'\n'"from-host" ] || echo "stdout is: $out"
	grep -q '^0 /root 0 [0-9]*$' "$work/share/out" || echo "the guest wrote: $(cat "$work/share/out")"
	# a build before the guest starts may show its progress
	grep -vE '^finack: (  \.\.\. |waiting for )' "$work/vm.err" | sed 's/^/stderr: /'
}

# a shell says what to try, completes the words of finack, and has its page where man looks
vm_shell() { # KERNEL
	local rc=0 out=$work/shell.out
	: >"$out"
	{
		timeout 120 sh -c "until grep -q 'exit ends the guest' '$out'; do sleep 0.2; done" &&
			printf 'finack la\t--fam\tmapped mer\t; ls -L /usr/local/share/man/man8; exit 5\r'
	} | KERNEL=$1 timeout 180 script -qefc "$here/vm" /dev/null >"$out" 2>&1 || rc=$?
	[ $rc = 5 ] || echo "exit status $rc, expected 5"
	# the name is in bold
	grep -q 'finack why' "$out" && grep -q 'merge.* (mapped on a link)' "$out" && grep -q '^finack\.8' "$out" ||
		cat -v "$out"
}

vm_panic() { # KERNEL
	local rc=0
	KERNEL=$1 SMP=2 CMD='echo before; echo c >/proc/sysrq-trigger' "$here/vm" \
		>"$work/panic.out" 2>"$work/panic.err" || rc=$?
	[ $rc != 0 ] || echo "a panic is taken for success"
	grep -q 'Kernel panic' "$work/panic.err" || cat "$work/panic.err"
}

# the command succeeds, but the log has a splat; or its beginning is overwritten, which may have had
# one: 5 MB are more than any of our kernels keeps
vm_splat() { # KERNEL
	local splat='echo "INFO: task true:1 blocked for more than 120 seconds" >/dev/kmsg'
	KERNEL=$1 SMP=2 CMD="$splat" "$here/vm" >"$work/splat" 2>&1 && echo "a splat is taken for success"
	KERNEL=$1 SMP=2 CMD="$splat"'; dmesg -n 1; sysctl -qw kernel.printk_devkmsg=on
		for i in {1..6000}; do printf "%0900d\n" $i; done >/dev/kmsg' "$here/vm" >"$work/lost" 2>&1 &&
		echo "a log without its beginning is taken for success"
	[[ $(<"$work/splat") == *"task true:1 blocked"*"the kernel log above has a splat"* ]] ||
		cat "$work/splat"
	[[ $(<"$work/lost") == *"beginning of the kernel's log is overwritten"* ]] || cat "$work/lost"
}

vm_hang() { # KERNEL
	local rc=0
	KERNEL=$1 SMP=2 TIMEOUT=25 CMD='while :; do :; done' "$here/vm" >"$work/hang.out" 2>"$work/hang.err" ||
		rc=$?
	[ $rc != 0 ] || echo "a hang is taken for success"
	grep -q 'stopped after TIMEOUT=25' "$work/hang.err" || cat "$work/hang.err"
}

# vm ends its guest if it is told to end, and if the process FINACK_PARENT is gone
vm_ends() { # KERNEL
	local how pid parent run
	for how in told orphaned; do
		mkdir -p "$work/ends-$how"
		: >"$work/ends-$how.out" # it is looked into before the guest's process has begun
		tail -f /dev/null &
		parent=$!
		KERNEL=$1 SMP=2 BARE=1 TIMEOUT=120 FINACK_PARENT=$parent TMPDIR=$work/ends-$how \
			CMD='echo up; tail -f /dev/null' "$here/vm" >"$work/ends-$how.out" 2>&1 &
		pid=$!
		# the guest's TIMEOUT is the deadline: then the process is gone
		until grep -q up "$work/ends-$how.out" || ! kill -0 $pid 2>/dev/null; do sleep 0.2; done
		run=$(echo "$work/ends-$how"/finack-vm.*)
		pgrep -f "file:$run/console" >/dev/null || echo "$how: no guest is found"
		[ $how = told ] && kill $pid || kill -9 $parent
		wait $pid 2>/dev/null
		[ $? = 130 ] || echo "$how: another exit status than 130"
		timeout 20 sh -c "while pgrep -f '[f]ile:$run/console' >/dev/null; do sleep 0.2; done" ||
			echo "$how: the guest goes on"
		[ ! -e "$run" ] || echo "$how: $run is left"
		kill $parent 2>/dev/null
		wait $parent 2>/dev/null
	done
}

# two runs execute the same instructions: they agree about the time and all that is random. Only what the
# command changed in the folder comes back. Nothing of the checkout is in the guest.
vm_repeatable() { # KERNEL
	local n dir
	for n in 1 2; do
		dir=$work/repeatable$n
		mkdir -p "$dir"
		echo as-it-was | tee "$dir/read" >"$dir/changed"
		touch -d 202$n-01-01 "$dir/read"
		KERNEL=$1 REPEATABLE=1 BARE=1 SHARE=$dir CMD='cd /mnt/share
			ls -R /usr | cksum >>changed
			cat read /proc/sys/kernel/random/uuid /proc/interrupts >>changed
			python3 -c "import time; print(time.time_ns(), time.monotonic_ns())" >>changed
			mkdir new && echo new >new/new
			[ ! -e /finack ] && ! modprobe finack 2>new/modprobe' "$here/vm" >"$dir.out" 2>&1 ||
			echo "status $?" >>"$dir.out"
		grep -vE '^finack: (  \.\.\. |waiting for )' "$dir.out"
		[ "$(cat "$dir/new/new")" = new ] || echo "what is new did not come back"
		[ "$(grep -c as-it-was "$dir/changed")" = 2 ] || echo "the guest did not have the folder"
		[ "$(date -r "$dir/read" +%F)" = 202$n-01-01 ] || echo "what was only read came back"
	done
	cmp "$work"/repeatable[12]/changed || diff "$work"/repeatable[12]/changed
}

vm_misuse() {
	local out
	out=$(KERNEL=5.4 CMD=true "$here/vm" 2>&1) && echo "an unknown kernel is accepted"
	[[ $out == *"6.1, 6.1-rt, 6.12, 7.3 and debug"* ]] || echo "$out"
	out=$(SMP=two CMD=true "$here/vm" 2>&1) && echo "SMP=two is accepted"
	[[ $out == *"SMP=two"* ]] || echo "$out"
	out=$(REPEATABLE=1 SMP=2 CMD=true "$here/vm" 2>&1) && echo "REPEATABLE=1 SMP=2 is accepted"
	[[ $out == *"SMP=1"* ]] || echo "$out"
	out=$(BARE=1 TESTS=1 CMD=true "$here/vm" 2>&1) && echo "BARE=1 TESTS=1 is accepted"
	[[ $out == *"give one of them"* ]] || echo "$out"
	out=$(SHARE=/nonexistent CMD=true "$here/vm" 2>&1) && echo "a missing folder is accepted"
	[[ $out == *"/nonexistent"* ]] || echo "$out"
}

# silent NAME...: run one of the above; it passes if it says nothing
silent() {
	local said
	said=$("$@" 2>&1)
	[ -z "$said" ] || {
		echo "$said"
		return 1
	}
}
