# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # tables comes from run
#
# Bar charts of the tables, as SVG, by gnuplot.

# chart_rows TABLE LABEL VALUE [COLUMN=TEXT;...]: "label<tab>number" per row; columns by number
chart_rows() {
	local table=$1 label=$2 value=$3
	shift 3
	awk -F'\t' -v t="=$table" -v l="$label" -v v="$value" -v filters="$*" '
		BEGIN { n = split(filters, f, ";") }
		/^=/ { on = $0 == t; rows = 0; next }
		!on || ++rows == 1 { next }
		{
			for (i = 1; i <= n; i++) { split(f[i], kv, "="); if ($kv[1] != kv[2]) next }
			x = $v
			sub(/ .*/, "", x)
			print $l "\t" x + 0
		}' "$tables"
}

# bars FILE TITLE UNIT FORMAT [log]: horizontal bars from chart_rows on stdin, the first at the top
bars() {
	local file=$1 n
	cat >"$file.dat"
	n=$(wc -l <"$file.dat")
	[ "$n" -gt 0 ] || { rm "$file.dat"; return; }
	gnuplot - <<-END || die "gnuplot failed"
		set terminal svg size 820,$((90 + n * 26)) font "sans,13" background "white"
		set output "$file"
		set datafile separator "\t"
		stats "$file.dat" using 2 nooutput
		set title "$2" noenhanced
		set xlabel "$3" noenhanced
		set yrange [$n - 0.4:-0.6] # downwards
		set ytics scale 0 noenhanced
		set border 1
		set xtics nomirror out
		if (STATS_max > 10000) set xtics 10000 # five digits for each of ten would touch
		set grid xtics lc rgb "#dddddd"
		set style fill solid 0.9 noborder
		set lmargin 36
		set rmargin 10
		${5:+set logscale x}
		set xrange [${5:+0.01}${5:-STATS_min < 0 ? STATS_min * 1.1 : 0}:STATS_max * ${5:+2}${5:-1.15}]
		unset key
		plot "$file.dat" using (\$2 / 2):0:(\$2 / 2):(0.36):ytic(1) title "bars" with boxxyerror lc rgb "#3a6ea5", \
			"" using 2:0:(sprintf(" $4", \$2)) with labels left offset 0.3,0 noenhanced
	END
	sed -i '1a <!-- SPDX-License-Identifier: GPL-2.0-only -->' "$file"
	rm "$file.dat"
}

# charts FOLDER
charts() {
	chart_rows costs 1 4 | grep -v '^nothing' |
		bars "$1/costs.svg" "A loopback connection: instructions over those of the bare kernel" "percent" '%.2f %%'
	chart_rows costs 1 4 | grep -E '^(finack|empty|bpftrace)' |
		bars "$1/costs-near.svg" "The same without what costs most" "percent" '%.2f %%'
	chart_rows policies 2 6 '1=request and answer;3=0 ms' |
		bars "$1/policy-rr.svg" "Request and answer, 200 flows: instructions per transaction" "instructions" '%.0f'
	chart_rows policies 2 5 '1=request and answer;3=0 ms' |
		bars "$1/policy-rr-segments.svg" "Request and answer, 200 flows: segments per transaction" "segments" '%.2f'
}
