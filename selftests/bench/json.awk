# SPDX-License-Identifier: GPL-2.0-only
#
# The tables of tables.awk as JSON: an object of tables, each a list of rows, cells by column head.

function quoted(s) {
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}

BEGIN { FS = "\t"; printf "{" }

/^=/ {
	printf "%s\n%s: [", (title ? "\n]," : ""), quoted(substr($0, 2))
	title = 1
	rows = -1
	next
}

++rows == 0 { for (i = 1; i <= NF; i++) head[i] = $i; next }

{
	printf "%s\n  { ", (rows > 1 ? "," : "")
	for (i = 1; i <= NF; i++) {
		value = $i
		if (value ~ /^[-+]?[0-9.]+( %| ms)?$/) { sub(/^\+/, "", value); sub(/ .*/, "", value) }
		else value = quoted(value)
		printf "%s%s: %s", (i > 1 ? ", " : ""), quoted(head[i]), value
	}
	printf " }"
}

END { print (title ? "\n]\n}" : "}") }
