# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # bench, tables, out, kver and kernel come from run
#
# Puts the tables into Documentation/performance.rst, between lines ".. table NAME" and ".. end", and the
# charts into a folder beside it. Text outside of these lines is not touched.

# the text for a block
publish_block() {
	if [ "$1" = run ]; then
		echo "Measured on $(date -u +%Y-%m-%d), Linux $kver, by ::"
		echo
		echo "	sudo make bench KERNEL=$kernel PUBLISH=1"
	else
		awk -v as=rst -v only="$1" -f "$bench/format.awk" "$tables"
	fi
}

publish() { # FOLDER
	local page=$1/performance.rst line block
	while IFS= read -r line; do
		printf '%s\n' "$line"
		[[ $line == '.. table '* ]] || continue
		block=$(publish_block "${line#.. table }")
		[ -n "$block" ] || continue # what was not measured stays
		printf '\n%s\n\n' "$block"
		while IFS= read -r line && [ "$line" != '.. end' ]; do :; done
		printf '%s\n' "$line"
	done <"$page" >"$out/performance.rst"
	cp "$out/performance.rst" "$page"
	mkdir -p "$1/performance"
	cp "$out"/*.svg "$1/performance/"
}
