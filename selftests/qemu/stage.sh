# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # cache and top come from host.sh
#
# A stage is this checkout as one guest sees it: a copy of the files git tracks or would track,
# built inside that guest's root with its compiler and headers, and the module index with finack.
#
# stage-*/checkout  becomes /finack       stage-*/modules  goes over /lib/modules/<release>
# stage-*/kselftest becomes /kselftest, where the tests were asked for: they need linux-source

# the files of the checkout, as they are now
checkout_files() {
	if git -C "$top" -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
		git -C "$top" -c safe.directory='*' ls-files -co --exclude-standard -z |
			(cd "$top" && while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done)
	else
		(cd "$top" && find . -name .git -prune -o -type f -not -name '*.o' -print0)
	fi
}

build_stage() { # TMP ROOT KVER KSFT
	local tmp=$1 root=$2 kver=$3 ksft=$4
	[ "$(id -u)" = 0 ] || die "building for a guest needs root: run the same make with sudo"
	mkdir -p "$tmp/checkout" "$tmp/modules/updates"
	checkout_files | (cd "$top" && cpio --quiet -0 -pdm "$tmp/checkout")
	[ -z "$ksft" ] || cp -r "$ksft" "$tmp/linux"
	# shellcheck disable=SC2016 # expanded by the inner shell
	quietly "${tmp%.tmp}.log" in_root "$root" "$tmp" sh -ec '
		make -j"$(nproc)" -C /mnt/checkout -s KVER="$1" all
		if [ -d /mnt/linux ]; then
			ksft=/mnt/linux/tools/testing/selftests to=/mnt/kselftest
			make -j"$(nproc)" -C /mnt/checkout/selftests -s KVER="$1" KSFT="$ksft" INSTALL_PATH="$to/finack" install
			make -C /mnt/checkout/selftests -s KSFT="$ksft" COLLECTION=finack emit_tests \
				>"$to/kselftest-list.txt"
			cp -r "$ksft/kselftest" "$ksft/run_kselftest.sh" "$to/"
			rm -r /mnt/linux
		fi
		cp /mnt/checkout/module/finack.ko /mnt/modules/updates/
		strip --strip-debug /mnt/modules/updates/finack.ko
		# every guest carries this in memory: leave out what only make would look at again
		find /mnt/checkout -name "*.[oad]" -delete
		find /mnt/checkout -name ".*.cmd" -delete
		rm /mnt/checkout/module/finack.ko
		cp /mnt/modules/updates/finack.ko /mnt/checkout/module/
		# the index is made over the kernel package and finack, without touching either
		index=/mnt/index/lib/modules/$1
		mkdir -p "$index/kernel"
		mount --bind "/lib/modules/$1/kernel" "$index/kernel"
		cp -r /mnt/modules/updates "/lib/modules/$1/modules.order" "/lib/modules/$1"/modules.builtin* "$index/"
		depmod -b /mnt/index "$1"
		umount "$index/kernel"
		cp "$index"/modules.dep "$index"/modules.*.bin /mnt/modules/
		rm -r /mnt/index' sh "$kver"
}

# stage_ready KERNEL TESTS: sets stage, with the tests if TESTS is not empty. The guest must be ready
# (root and kver are set).
stage_ready() {
	local state old ksft=
	[ -z "$2" ] || ksft_ready
	state=$(cd "$top" && checkout_files | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
	stage=$cache/stage-$1-$(key "$state" "$root" "$ksft" "$(declare -f build_stage)")
	cached "$stage" build_stage "$root" "$kver" "$ksft"
	touch "$stage"
	# the last few are enough
	for old in $(ls -1dt "$cache/stage-$1-"*[0-9a-f] | tail -n +5); do
		rm -rf --one-file-system "$old" "$old.log"
	done
}
