# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Builds what make bench runs in a guest, in that guest's root: the modules and the programs.
# $root and $kver are set by guest_ready, $bench is this folder.

# bench_module FILE RESULT SOURCE...: build a copy of the sources, which makes RESULT; FILE gets that
bench_module() {
	local file=$1 result=$2 work=$1.build
	shift 2
	rm -rf "$work"
	mkdir -p "$work"
	cp -r "$@" "$work/"
	find "$work" -name '*.o' -delete
	quietly "$file.log" in_root "$root" "$work" make -s -C "/lib/modules/$kver/build" M=/mnt modules || return
	strip --strip-debug "$work/$result" -o "$file"
	rm -r "$work"
}

# bench_finack FILE CHECKOUT
bench_finack() { bench_module "$1" module/finack.ko "$2/module" "$2/Kbuild"; }

bench_programs() { # FOLDER
	local work=$1/build
	mkdir -p "$work"
	cp "$bench"/*.[ch] "$top/selftests/lib/closer.c" "$work/"
	# shellcheck disable=SC2016 # expanded by the inner shell
	quietly "$1/build.log" in_root "$root" "$work" sh -ec 'cd /mnt
		for f in *.c; do
			gcc -O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -o "${f%.c}" "$f"
			rm "$f"
		done
		rm ./*.h' || return
	mv "$work"/* "$1/"
	rmdir "$work"
}

# bench_revision FILE REVISION: the module of another revision
bench_revision() {
	local tree=$1.tree rc=0
	rm -rf "$tree"
	mkdir -p "$tree"
	git -C "$top" -c safe.directory='*' archive "$2" module Kbuild | tar -x -C "$tree" &&
		[ -d "$tree/module" ] && bench_finack "$1" "$tree" || rc=1
	rm -rf "$tree"
	return $rc
}

# bench_build FOLDER [REVISION]: what the guest finds in /mnt/share
bench_build() {
	say "building the modules and the programs"
	rm -rf "${1:?}/bin"
	mkdir -p "$1/bin"
	bench_finack "$1/bin/finack.ko" "$top" &&
		bench_module "$1/bin/floor.ko" floor.ko "$bench"/floor/* &&
		bench_module "$1/bin/handlers.ko" handlers.ko "$bench"/handlers/* &&
		bench_programs "$1/bin" || die "cannot build"
	[ -z "$2" ] || bench_revision "$1/bin/old-finack.ko" "$2" || die "cannot build revision $2"
	cp "$bench"/bpf/*.bt "$1/bin/"
	cp "$bench/guest" "$bench"/{contenders,workloads,policies}.sh "$top/selftests/lib/wait.sh" "$1/"
	chmod 755 "$1" "$1/bin"
}
