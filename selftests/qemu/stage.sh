# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # cache and top come from host.sh
#
# A stage is this checkout as one guest sees it: the files that a guest needs or that something in it is built from,
# built inside that guest's root with its compiler and headers; and the module index with finack.
#
# stage-*/checkout  becomes /finack       stage-*/modules  goes over /lib/modules/<release>
# stage-*/kselftest becomes /kselftest, where the tests were asked for: they need linux-source
#
# build-* is where stages are built: one folder per guest, which is kept. A file that has not changed keeps
# its time there, whatever checkout it comes from, so that make builds only what has to be built.

# the files of the checkout, as they are now
checkout_files() {
	if git -C "$top" -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
		git -C "$top" -c safe.directory='*' ls-files -co --exclude-standard -z |
			(cd "$top" && while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done)
	else
		(cd "$top" && find . -name .git -prune -o -type f -not -name '*.o' -printf '%P\0')
	fi
}

# those of them that something in a guest is built from, or that a guest has
stage_files() {
	checkout_files | grep -zE '^(Makefile|Kbuild|module/|tools/|selftests/)' |
		grep -zvE '^selftests/((bench|check|qemu|lifecycle/model)/|demo$)'
}

build_stage() { # TMP ROOT KVER KSFT BUILD
	local tmp=$1 root=$2 kver=$3 ksft=$4 build=$5 lock
	[ "$(id -u)" = 0 ] || die "building for a guest needs root: run the same make with sudo"
	mkdir -p "$cache/lock"
	exec {lock}>"$cache/lock/$(basename "$build")"
	flock "$lock"
	# an interrupted build may have left half a file
	[ ! -e "$build/busy" ] || rm -rf --one-file-system "$build"
	rm -rf "$build/new" "$build/stage"
	mkdir -p "$build/new" "$build/checkout" "$build/tests" "$build/stage"
	touch "$build/busy"
	stage_files | (cd "$top" && cpio --quiet -0 -pdm "$build/new")
	[ -z "$ksft" ] || [ -e "$build/linux" ] || cp -r "$ksft" "$build/linux"
	# shellcheck disable=SC2016 # expanded by the inner shell
	quietly "${tmp%.tmp}.log" in_root "$root" "$build" sh -ec '
		built="--exclude=*.[oad] --exclude=*.ko --exclude=*.mod --exclude=*.mod.c --exclude=.*.cmd
			--exclude=.output --exclude=Module.symvers --exclude=modules.order"
		# without their times: what has changed is new, whenever it was written
		rsync -rlp --checksum --delete $built --exclude=/tools/finack /mnt/new/ /mnt/checkout/
		make -j"$(nproc)" -C /mnt/checkout -s KVER="$1" all
		if [ -d /mnt/linux ]; then
			ksft=/mnt/linux/tools/testing/selftests to=/mnt/stage/kselftest
			make -j"$(nproc)" -C /mnt/checkout/selftests -s KVER="$1" KSFT="$ksft" OUTPUT=/mnt/tests \
				INSTALL_PATH="$to/finack" install
			make -C /mnt/checkout/selftests -s KSFT="$ksft" COLLECTION=finack emit_tests \
				>"$to/kselftest-list.txt"
			cp -r "$ksft/kselftest" "$ksft/run_kselftest.sh" "$to/"
		fi
		# every guest carries this in memory: leave out what only make would look at again
		rsync -a $built /mnt/checkout /mnt/stage/
		mkdir -p /mnt/stage/modules/updates
		strip --strip-debug -o /mnt/stage/modules/updates/finack.ko /mnt/checkout/module/finack.ko
		cp /mnt/stage/modules/updates/finack.ko /mnt/stage/checkout/module/
		# the index is made over the kernel package and finack, without touching either
		index=/mnt/index/lib/modules/$1
		rm -rf /mnt/index
		mkdir -p "$index/kernel"
		mount --bind "/lib/modules/$1/kernel" "$index/kernel"
		cp -r /mnt/stage/modules/updates "/lib/modules/$1/modules.order" "/lib/modules/$1"/modules.builtin* "$index/"
		depmod -b /mnt/index "$1"
		umount "$index/kernel"
		cp "$index"/modules.dep "$index"/modules.*.bin /mnt/stage/modules/' sh "$kver"
	mv -T "$build/stage" "$tmp"
	rm "$build/busy"
	exec {lock}>&-
}

# stage_ready KERNEL TESTS: sets stage, with the tests if TESTS is not empty. The guest must be ready
# (root and kver are set).
stage_ready() {
	local state build recipe ksft=
	[ -z "$2" ] || ksft_ready
	recipe=$(declare -f build_stage stage_files)
	state=$(cd "$top" && stage_files | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
	stage=$cache/stage-$1-$(key "$state" "$root" "$ksft" "$recipe")
	build=$cache/build-$1-$(key "$root" "$ksft" "$recipe")
	cached "$stage" build_stage "$root" "$kver" "$ksft" "$build"
	touch "$stage"
	keep_last 4 "$cache/stage-$1-"
	keep_last 2 "$cache/build-$1-"
}

# keep_last N PREFIX: of entries that change with the checkout the last few are enough
keep_last() {
	local old
	for old in $(ls -1dt "$2"*[0-9a-f] 2>/dev/null | tail -n +$(($1 + 1))); do
		rm -rf --one-file-system "$old" "$old.log"
	done
}
