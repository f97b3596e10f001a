# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the host-side scripts share: the cache, its locks, progress, host packages.
#
# The cache holds everything that is downloaded or built. An entry's name carries a hash of what
# it depends on; it is built under a temporary name and renamed when complete, so an interrupted
# build is never mistaken for a finished one.

export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # read by the scripts that source this one
top=$(cd "$here/../.." && pwd)
cache=${FINACK_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/finack}

say() { printf 'finack: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# key TEXT...: a short hash of the arguments
key() { printf '%s\0' "$@" | sha256sum | cut -c1-16; }

# cached PATH FUNCTION ARGS...: make sure cache entry PATH exists, building it at most once.
# FUNCTION is called as FUNCTION TMP ARGS... and has to make TMP, which becomes PATH.
cached() {
	local path=$1 fn=$2 tmp
	shift 2
	[ -e "$path" ] && return
	mkdir -p "$cache/lock"
	local lock
	exec {lock}>"$cache/lock/$(basename "$path")"
	if ! flock -n "$lock"; then
		say "waiting for another build of $(basename "$path")"
		flock "$lock"
	fi
	if [ ! -e "$path" ]; then
		tmp=$path.tmp
		rm -rf --one-file-system "$tmp"
		# in a subshell of its own, so that any command that fails ends it
		(
			set -e
			"$fn" "$tmp" "$@"
		)
		local rc=$?
		[ $rc = 0 ] || {
			rm -rf --one-file-system "$tmp"
			die "could not make $path"
		}
		mv -T "$tmp" "$path"
	fi
	exec {lock}>&-
}

# quietly LOG COMMAND...: run with the output in LOG, whose end is shown if the command fails;
# meanwhile a line every ten seconds shows that it is still running
quietly() {
	local log=$1 start=$SECONDS pid rc=0 ticker
	shift
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	(
		until read -r -t 10; do
			say "  ... $((SECONDS - start)) s: $(tail -n 1 "$log" | cut -c1-70)"
		done <><(:)
	) &
	ticker=$!
	wait "$pid" || rc=$?
	kill "$ticker" 2>/dev/null || :
	wait "$ticker" 2>/dev/null || :
	[ "$rc" = 0 ] || tail -n 40 "$log" >&2
	return "$rc"
}

# need_host COMMAND=PACKAGE...: install the packages whose commands are missing
need_host() {
	local want=() pair
	for pair in "$@"; do
		command -v "${pair%%=*}" >/dev/null || [ -e "${pair%%=*}" ] || want+=("${pair#*=}")
	done
	[ ${#want[@]} = 0 ] && return
	local cmd="apt-get update && apt-get install -y --no-install-recommends ${want[*]}"
	command -v apt-get >/dev/null || die "please install: ${want[*]}"
	[ "$(id -u)" = 0 ] || die "missing: ${want[*]}; run: sudo sh -c '$cmd'"
	mkdir -p "$cache"
	say "installing on this host: ${want[*]}"
	exec {aptlock}>"$cache/apt.lock"
	flock "$aptlock"
	quietly "$cache/apt.log" env DEBIAN_FRONTEND=noninteractive sh -c "$cmd" ||
		die "apt-get failed; see $cache/apt.log"
	exec {aptlock}>&-
}
