# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # cache and top come from host.sh, results go to vm
#
# Guests: a Debian suite's userland, compiler, headers and stock kernel, and what boots them.
#
# root-*    the system as a folder; modules are compiled in it (chroot), images are made from it
# kernel-*  the debug kernel, compiled here, and what building a module for it needs; see debug.config
# image-*   the ext4 image of it that a guest boots, with or without extra PACKAGES
# boot-*    kernel, and an initramfs of busybox and the few modules that reach the image
# qemu-*    a newer QEMU, only where the host's is too old for what is wanted (see pick_qemu)

# What every guest has. The second line is what building and testing finack needs.
guest_packages=iproute2,mount,procps,kmod,tcpdump,ethtool,net-tools,util-linux,netcat-openbsd,strace,python3
guest_packages+=,gcc,libc6-dev,libjson-c-dev,libpcap-dev,make,perl,rsync,sparse,busybox-static,xz-utils
# Tools that people trace with. The debug kernel has no type information (BTF), which bpftrace needs.
trace_packages=trace-cmd,bpftrace,linux-perf
# What the debug kernel is built from, and with.
debug_series=6.12
debug_packages=linux-source-$debug_series,gcc,libc6-dev,make,perl,xz-utils,flex,bison,bc,libelf-dev

# Firmware-sized drivers that no guest can have; 300 MB less to unpack and to put into an image.
guest_excludes=(drivers/gpu drivers/media drivers/infiniband drivers/net/wireless
	drivers/net/ethernet drivers/staging drivers/iio drivers/scsi drivers/usb sound)

# guest_known KERNEL: sets suite, series and flavour of its kernel (amd64, rt-amd64 or debug), and
# extra, a further suite the kernel comes from
guest_known() {
	extra='' series=$1 flavour=amd64
	case $1 in
	6.1) suite=bookworm ;;
	6.1-rt) suite=bookworm series=6.1 flavour=rt-amd64 ;;
	6.12) suite=trixie ;;
	7.3) suite=trixie extra=trixie-backports ;;
	debug) suite=trixie flavour=debug ;;
	*) die "KERNEL=$1 is not known; there are 6.1, 6.1-rt, 6.12, 7.3 and debug" ;;
	esac
}

# host_mirror SUITE: prints apt lines for it from this host's own configuration. Prints nothing
# where the host has no Debian mirror of its own: then mmdebstrap chooses.
host_mirror() {
	local sites site
	sites=$(apt-get indextargets --format '$(LABEL)|$(CODENAME)|$(SITE)' 'Created-By: Packages' \
		2>/dev/null || :)
	site=$(awk -F'|' '$1 == "Debian" && $2 !~ /-/ { print $3; exit }' <<<"$sites")
	[ -n "$site" ] || return 0
	printf 'deb %s %s main\ndeb %s %s-updates main\n' "$site" "$1" "$site" "$1"
	site=$(awk -F'|' '$1 == "Debian-Security" { print $3; exit }' <<<"$sites")
	[ -z "$site" ] || printf 'deb %s %s-security main\n' "$site" "$1"
}

# debian_root TMP SUITE PACKAGES MMDEBSTRAP-OPTION...
debian_root() {
	local tmp=$1 suite=$2 packages=$3 mirror=() rc=0
	shift 3
	[ "$(id -u)" = 0 ] || die "building a guest needs root: run the same make with sudo"
	need_host mmdebstrap=mmdebstrap /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
	host_mirror "$suite" >"$tmp.list"
	[ ! -s "$tmp.list" ] || mirror=("$tmp.list")
	# in namespaces of its own: if it is killed, its mounts go with it
	INITRD=No quietly "${tmp%.tmp}.log" unshare --mount --pid --fork --kill-child --mount-proc \
		mmdebstrap --mode=root --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$@" "$suite" "$tmp" "${mirror[@]}" || rc=$?
	rm -f "$tmp.list"
	return $rc
}

build_debug_kernel() { # TMP SUITE
	local root=${1%.tmp}.root rc=0
	say "compiling the debug kernel; once, 15 minutes of CPU time"
	rm -rf --one-file-system "$root"
	debian_root "$root" "$2" "$debug_packages" --variant=apt \
		--customize-hook="cp '$here/debug.config' \"\$1\"/tmp/ &&
			chroot \"\$1\" sh -s -- $debug_series <'$here/build-debug-kernel'" || rc=$?
	[ $rc != 0 ] || mv "$root/out" "$1"
	rm -rf --one-file-system "$root"
	return $rc
}

build_root() { # TMP KERNEL
	local tmp=$1 kernel=$2 suite extra series flavour dir packages opts=()
	guest_known "$kernel"
	say "building the $kernel guest ($suite${extra:+ and $extra}); once, about two minutes"
	if [ "$flavour" = debug ]; then
		packages=$guest_packages,libelf-dev
		opts+=(--customize-hook="cp -a '$debug_kernel/.' \"\$1\"/ &&
			chroot \"\$1\" depmod \$(cat '$debug_kernel/etc/finack-kver')")
	else
		packages=$guest_packages,$trace_packages
	fi
	for dir in "${guest_excludes[@]}"; do
		opts+=(--dpkgopt="path-exclude=/lib/modules/*/kernel/$dir/*"
			--dpkgopt="path-exclude=/usr/lib/modules/*/kernel/$dir/*")
	done
	# shellcheck disable=SC2016 # expanded by the hook's shell
	[ -z "$extra" ] || opts+=(--setup-hook='cat "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*.list 2>/dev/null |
		sed -n "s/^\(deb .*\) '"$suite main\$/\1 $extra main/p"'" >"$1"/etc/apt/sources.list.d/extra.list
		[ -s "$1"/etc/apt/sources.list.d/extra.list ]')
	[ "$flavour" = debug ] ||
		opts+=(--customize-hook="chroot \"\$1\" sh -s -- $series $flavour $extra <'$here/install-kernel'")
	debian_root "$tmp" "$suite" "$packages" --variant=apt "${opts[@]}"
}

# in_root ROOT BIND COMMAND...: run in a chroot whose /mnt is the folder BIND ("" for none),
# with /proc, /dev and the host's resolver; every mount vanishes with the command.
in_root() {
	local root=$1 bind=$2
	shift 2
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --pid --fork --kill-child sh -ec '
		root=$1 bind=$2; shift 2
		mount --make-rprivate /
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount --bind /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || :
		[ -z "$bind" ] || mount --bind "$bind" "$root/mnt"
		exec chroot "$root" "$@"' sh "$root" "$bind" "$@"
}

make_image() { # TMP ROOT
	local mb
	mb=$(du -smx --apparent-size "$2" | cut -f1)
	mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$2" "$1" $((mb + mb / 3 + 512))M >&2
}

build_image() { # TMP ROOT
	say "making the disk image of $(basename "$2")"
	make_image "$1" "$2"
}

build_package_image() { # TMP ROOT PACKAGE...
	local tmp=$1 root=$2 work=$1.root rc=0
	shift 2
	[ "$(id -u)" = 0 ] || die "adding packages to a guest needs root: run the same make with sudo"
	say "adding to the guest: $*"
	rm -rf --one-file-system "$work"
	cp -a --reflink=auto "$root" "$work"
	printf '#!/bin/sh\nexit 101\n' >"$work/usr/sbin/policy-rc.d" # start no service on the host
	chmod 755 "$work/usr/sbin/policy-rc.d"
	quietly "${tmp%.tmp}.log" in_root "$work" "" env DEBIAN_FRONTEND=noninteractive sh -ec '
		apt-get update
		apt-get install -y --no-install-recommends "$@"
		apt-get clean' sh "$@" || rc=1
	rm -f "$work/usr/sbin/policy-rc.d"
	[ $rc != 0 ] || make_image "$tmp" "$work" || rc=1
	rm -rf --one-file-system "$work"
	return $rc
}

# Takes the ELF kernel out of a bzImage, so that no guest spends five seconds on unpacking it: QEMU starts
# an ELF kernel by its PVH entry. Offsets as in the kernel's Documentation/arch/x86/boot.rst.
extract_kernel() { # BZIMAGE ELF
	local sects at size
	sects=$(od -An -tu1 -j 0x1f1 -N 1 "$1" | tr -d ' ')
	at=$(od -An -tu4 -j 0x248 -N 4 "$1" | tr -d ' ')
	size=$(od -An -tu4 -j 0x24c -N 4 "$1" | tr -d ' ')
	tail -c +$(((sects + 1) * 512 + at + 1)) "$1" | head -c "$size" >"$2.packed"
	# the size follows the stream: both tools complain about that
	xz -dc --single-stream "$2.packed" >"$2" 2>/dev/null || zstd -dcqf "$2.packed" >"$2" 2>/dev/null
	rm "$2.packed"
	[ "$(head -c 4 "$2" | tail -c 3)" = ELF ]
}

build_boot() { # TMP ROOT
	local tmp=$1 root=$2 kver list ko pmem=
	kver=$(cat "$root/etc/finack-kver")
	mkdir -p "$tmp/ram/modules" "$tmp/ram/new"
	# the debug kernel does not start by its PVH entry
	{ [[ $kver != *-finack-debug ]] && extract_kernel "$root/boot/vmlinuz-$kver" "$tmp/vmlinux"; } ||
		cp "$root/boot/vmlinuz-$kver" "$tmp/vmlinux"
	cp "$root/bin/busybox" "$tmp/ram/"
	# every module that is needed to reach the image, dependencies first; the debug kernel needs none
	: >"$tmp/ram/modules/order"
	[[ $kver == *-finack-debug ]] || pmem='nd_pmem nfit'
	# shellcheck disable=SC2086 # two words
	list=$(chroot "$root" modprobe -a -S "$kver" --show-depends virtio_pci virtio_blk ext4 crc32c $pmem |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }')
	for ko in $list; do
		case $ko in
		*.xz) xz -dc "$root$ko" ;;
		*.zst) zstd -dcq "$root$ko" ;;
		*) cat "$root$ko" ;;
		esac >"$tmp/ram/modules/$(basename "${ko%.ko*}").ko"
		basename "${ko%.ko*}" >>"$tmp/ram/modules/order"
	done
	install -m 755 "$here/init" "$tmp/ram/init"
	(cd "$tmp/ram" && find . | cpio --quiet -o -H newc -R 0:0) >"$tmp/initramfs"
	rm -r "$tmp/ram"
}

# The kernel's own test tools that are used: kselftest's rules and runner, checkpatch.
build_ksft() { # TMP ROOT
	[ "$(id -u)" = 0 ] || die "fetching linux-source needs root: run the same make with sudo"
	say "fetching kselftest and checkpatch (linux-source, 150 MB); once"
	mkdir -p "$1"
	# shellcheck disable=SC2016 # expanded by the inner shell
	quietly "${1%.tmp}.log" in_root "$2" "$1" sh -ec '
		apt-get update
		cd /mnt
		apt-get download "$1"
		dpkg-deb --fsys-tarfile "$1"_*.deb | tar -xO "./usr/src/$1.tar.xz" | xz -dc |
			tar -x --strip-components=1 --wildcards --no-anchored "$1"/scripts/checkpatch.pl \
				"$1"/scripts/spelling.txt "$1"/scripts/const_structs.checkpatch \
				"$1"/tools/testing/selftests/lib.mk "$1"/tools/testing/selftests/kselftest.h \
				"$1"/tools/testing/selftests/kselftest_harness.h \
				"$1"/tools/testing/selftests/run_kselftest.sh \
				"$1"/tools/testing/selftests/kselftest
		rm "$1"_*.deb' sh linux-source-6.12
}

# ksft_ready: sets ksft. A guest must be ready (root is set); any of them can fetch it.
ksft_ready() {
	ksft=$cache/ksft-$(key "$(declare -f build_ksft)")
	cached "$ksft" build_ksft "$root"
}

build_qemu() { # TMP
	say "fetching a QEMU that can run several CPUs (the host's is older than 8.1); once"
	debian_root "$1" trixie qemu-system-x86,qemu-system-data,seabios --variant=extract
}

# guest_ready KERNEL PACKAGES: builds what is missing; sets root, image, boot and kver
guest_ready() {
	local kernel=$1 packages recipe source suite extra series flavour
	guest_known "$kernel"
	need_host mke2fs=e2fsprogs cpio=cpio xz=xz-utils zstd=zstd unshare=util-linux
	mkdir -p "$cache"
	packages=$guest_packages,$trace_packages
	if [ "$flavour" = debug ]; then
		debug_kernel=$cache/kernel-$(key "$suite" "$debug_series" "$debug_packages" \
			"$(declare -f debian_root build_debug_kernel)" \
			"$(cat "$here/debug.config" "$here/build-debug-kernel")")
		cached "$debug_kernel" build_debug_kernel "$suite"
		packages=$guest_packages
		source=${debug_kernel##*/}
	else
		source=$(cat "$here/install-kernel")
	fi
	recipe=$(key "$kernel" "$extra" "$packages" "${guest_excludes[*]}" \
		"$(declare -f debian_root build_root)" "$source")
	root=$cache/root-$kernel-$recipe
	cached "$root" build_root "$kernel"
	kver=$(cat "$root/etc/finack-kver")
	boot=$cache/boot-$kernel-$(key "$recipe" "$(cat "$here/init")" "$(declare -f build_boot extract_kernel)")
	cached "$boot" build_boot "$root"
	packages=$(printf '%s\n' $2 | sort -u | paste -sd' ')
	image=$cache/image-$kernel-$(key "$recipe" "$packages" "$(declare -f make_image)")
	if [ -z "$packages" ]; then
		cached "$image" build_image "$root"
	else
		# shellcheck disable=SC2086 # one word per package
		cached "$image" build_package_image "$root" $packages
	fi
}

# pick_qemu LEAST: sets qemu, an array, to the host's QEMU if its version is LEAST or newer, else to one out of the
# cache, run by its own loader
pick_qemu() {
	local version dir lib
	if [ "$(uname -m)" != x86_64 ]; then
		die "only x86-64 hosts are supported, this is $(uname -m)"
	fi
	need_host qemu-system-x86_64=qemu-system-x86
	qemu=(qemu-system-x86_64)
	version=$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9]*\.[0-9]*\).*/\1/p')
	[ "$(printf '%s\n' "$1" "$version" | sort -V | head -n 1)" = "$1" ] && return
	dir=$cache/qemu-$(key "$(declare -f debian_root build_qemu)")
	cached "$dir" build_qemu
	lib=$dir/usr/lib/x86_64-linux-gnu
	export QEMU_MODULE_DIR=$lib/qemu
	qemu=("$lib/ld-linux-x86-64.so.2" --library-path "$lib:$lib/pulseaudio"
		"$dir/usr/bin/qemu-system-x86_64" -L "$dir/usr/share/qemu" -L "$dir/usr/share/seabios")
}
