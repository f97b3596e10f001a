# SPDX-License-Identifier: GPL-2.0-only
#
# The tables of tables.awk as Markdown or reStructuredText: awk -f format.awk -v as=md|rst [-v only=NAME]

function line(char,    i, s) {
	for (i = 1; i <= columns; i++) s = s (i > 1 ? "  " : "") substr(dashes(width[i], char), 1, width[i])
	return s
}

function dashes(n, char,    s) {
	while (length(s) < n) s = s char
	return s
}

# numbers are right-aligned
function padded(text, n, i) {
	if (i > 1 && text ~ /^[-+0-9]/) return sprintf("%" n "s", text)
	return sprintf("%-" n "s", text)
}

function row(r,    i, s) {
	for (i = 1; i <= columns; i++)
		s = s (i > 1 ? (as == "md" ? " | " : "  ") : "") padded(cell[r, i], width[i], i)
	sub(/ +$/, "", s)
	return as == "md" ? "| " s " |" : s
}

function flush_table(    r, i, s) {
	if (rows < 2 || (only && title != only)) return # no row besides the head: nothing was measured
	if (as == "rst") print line("=")
	else print "### " title "\n"
	print row(1)
	if (as == "rst") print line("=")
	else {
		for (i = 1; i <= columns; i++) s = s "|" (i > 1 ? "---:" : "---")
		print s "|"
	}
	for (r = 2; r <= rows; r++) print row(r)
	if (as == "rst") print line("=")
	else print ""
}

BEGIN { FS = "\t" }

/^=/ {
	flush_table()
	title = substr($0, 2)
	rows = columns = 0
	delete width
	next
}

{
	rows++
	if (NF > columns) columns = NF
	for (i = 1; i <= NF; i++) {
		cell[rows, i] = $i == "" ? "-" : $i
		if (length(cell[rows, i]) > width[i]) width[i] = length(cell[rows, i])
	}
	for (i = NF + 1; i <= 12; i++) cell[rows, i] = "-"
}

END { flush_table() }
