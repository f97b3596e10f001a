# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The static gates of make check. Each is a function that prints what is wrong and fails, or is
# silent. $top is the checkout, $work a scratch folder.
# shellcheck disable=SC2154

# build the module with all warnings and sparse, in a guest's root
gate_build() { # ROOT KVER
	local dir=$work/build
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r "$top/module" "$top/Kbuild" "$dir/"
	find "$dir" -name '*.o' -delete
	# Debian's headers of later kernels lack the script that finds sparse, and their sparse does not know
	# __typeof_unqual__, nor that a string of MODULE_INFO() is constant
	in_root "$1" "$dir" make -C "/lib/modules/$2/build" M=/mnt W=1 C=2 KBUILD_CHECKSRC=2 \
		CF=-D__typeof_unqual__=typeof modules >"$work/log" 2>&1 || {
		cat "$work/log"
		return 1
	}
	grep -q 'CHECK .*module/close\.c' "$work/log" || {
		echo "sparse did not run"
		return 1
	}
	! grep -E 'warning:|error:|WARNING' "$work/log" | grep -v 'main\.c:[0-9]*:1: error: bad constant expression'
}

# without a library, make says which package has it, and makes nothing
gate_needs() { # ROOT
	local dir=$work/needs lacks said
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r "$top/Makefile" "$top/tools" "$dir/"
	rm -rf "$dir/tools/.output" "$dir/tools/finack"
	for lacks in json-c=libjson-c-dev pcap=libpcap-dev; do
		# shellcheck disable=SC2016 # expanded by the inner shell
		said=$(in_root "$1" "$dir" sh -c 'mount -t tmpfs none "/usr/include/$1" && make -C /mnt tools' \
			sh "${lacks%=*}" 2>&1) && echo "make does without ${lacks%=*}"
		[[ $said == *"apt-get install ${lacks#*=}"$'\n'* ]] || echo "$said"
		[ ! -e "$dir/tools/.output" ] || echo "something was made without ${lacks%=*}"
	done
}

# the kernel's style, by the kernel's script, with the exceptions of .checkpatch.conf
gate_checkpatch() { # ROOT KSFT
	local bad
	mkdir -p "$work/style/include" # otherwise the script looks for one further up
	cp -r "$2/scripts" "$work/style/"
	(cd "$top" && checkout_files | tr '\0' '\n' | grep -E '\.([ch]|checkpatch.conf)$' |
		cpio --quiet -pdm "$work/style")
	# shellcheck disable=SC2016 # expanded by the inner shell
	bad=$(in_root "$1" "$work/style" sh -c '
		check="perl /mnt/scripts/checkpatch.pl --no-tree --strict --terse --no-summary -f"
		cd /mnt && $check $(find module -name "*.[ch]" ! -name compat.h ! -name trace.h)
		# what these two are for, and the form of all trace events
		$check --ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON module/compat.h
		$check --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,COMPLEX_MACRO module/trace.h
		cd /mnt/tools && $check $(find . ../selftests -name "*.[ch]")' 2>&1 |
		grep -v 'uninitialized value $root\|/include.: No such file')
	[ -z "$bad" ] || {
		echo "$bad"
		return 1
	}
}

gate_shellcheck() {
	(cd "$top" && checkout_files | tr '\0' '\n' | while read -r f; do
		case $(head -n 1 "$f") in
		'#!'*sh) echo "$f" ;;
		*) case $f in *.sh) echo "$f" ;; esac ;;
		esac
	done | xargs shellcheck -S warning)
}

# the version stands in module/version.h; dkms.conf has to repeat it
gate_version() {
	local v d
	v=$(sed -n 's/^#define FINACK_VERSION "\(.*\)"$/\1/p' "$top/module/version.h")
	d=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$top/dkms.conf")
	[ -n "$v" ] && [ "$v" = "$d" ] || {
		echo "module/version.h says '$v', dkms.conf '$d'"
		return 1
	}
}

gate_spdx() {
	local bad
	bad=$(cd "$top" && checkout_files | tr '\0' '\n' | grep -vx COPYING | while read -r f; do
		head -n 3 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' || echo "$f"
	done)
	[ -z "$bad" ] || {
		echo "no SPDX line: $bad"
		return 1
	}
}

# each counter of the module is described, each description has a counter
gate_counters() {
	diff <(sed -n 's/^	[{ ]*"\(FinAck[A-Za-z]*\)".*/\1/p' "$top/module/mib.c" "$top/module/stall.c") \
		<(sed -n 's/^``\(FinAck[A-Za-z]*\)``.*/\1/p' "$top/Documentation/counters.rst")
}

# the man page is well formed; it and the completion have every command and option
gate_tool_words() {
	local c commands o options
	{ man --warnings -E UTF-8 -l -Tutf8 -Z "$top/tools/finack.8" >/dev/null; } 2>&1
	commands=$(sed -n 's/^	{ "\([a-z]*\)", [a-z_]*, .*/\1/p' "$top/tools/finack.c")
	[ "$(wc -w <<<"$commands")" -gt 5 ] || echo "no commands found in tools/finack.c"
	for c in $commands; do
		grep -q "^\.SS $c" "$top/tools/finack.8" || echo "finack.8 lacks $c"
		grep -q "^	$c)\|words='[a-z ]*\b$c\b" "$top/tools/bash-completion/finack" ||
			echo "the completion lacks $c"
	done
	# options with a short spelling, or of one command; the others are lower-case spellings of these
	options="$(grep -o '{ "[a-zA-Z]", "[a-zA-Z]*"' "$top/tools/finack.c" | cut -d '"' -f 4) color dry-run
		$(sed -n '/struct option rows/,/{ 0 }/p' "$top/tools/cmd/lab.c" | grep -o '"[a-z]\+[46]\?"' | tr -d '"')"
	[ "$(wc -w <<<"$options")" -gt 25 ] || echo "no options found in tools/finack.c and cmd/lab.c"
	for o in $options; do
		sed 's/\\-/-/g; s/\\f[BIR]//g' "$top/tools/finack.8" | grep -q -e "-$o\b" || echo "finack.8 lacks -$o"
		grep -q -e "-$o\b" "$top/tools/bash-completion/finack" || echo "the completion lacks -$o"
	done
}

# each parser of a file for three seconds
gate_fuzz() {
	"$top/tools/fuzz/run" 3 "$work/fuzz"
}

# the record table in user space, with many threads, as it is and with planted bugs
gate_table() { # SEED
	"$top/selftests/lifecycle/model/run" "$1" "$work/model"
}

# each file of the module includes what the file "includes" lists, and there is no circle
gate_includes() {
	local f
	for f in "$top"/module/*.[ch]; do
		echo "${f##*/}:$(sed -n 's/^#include "\(.*\)"$/ \1/p' "$f" | sort | tr -d '\n')"
	done | diff <(grep -v '^#' "$top/selftests/check/includes") - || return
	# a .c file and its header count as one: an edge from each .c file to those whose headers it includes
	grep -v '^#' "$top/selftests/check/includes" | sed -n 's/^\(.*\)\.c: /\1 /p' |
		awk '{ for (i = 2; i <= NF; i++) { sub(/\.h$/, "", $i); print $1, $i } }' | tsort >/dev/null
}

# each knob of the module is described
gate_knobs() {
	local knob rc=0
	for knob in $(sed -n 's/^	KNOB(\([a-z_]*\),.*/\1/p' "$top/module/knobs.c") ports; do
		grep -q "^\`\`$knob\`\`.* - [A-Z]*$\|, \`\`$knob\`\` - [A-Z]*$" "$top/Documentation/controls.rst" || {
			echo "$knob is not described"
			rc=1
		}
	done
	return $rc
}
