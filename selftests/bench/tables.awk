# SPDX-License-Identifier: GPL-2.0-only
#
# From the samples (see guest) to tables: lines of fields separated by tabs. A line "=NAME" begins a
# table, the next has its column heads. Cells are what is shown; a chart's data is read back from them.
#
#   awk -f tables.awk -v names=names -v kernel=SERIES [-v compare=REVISION] names SAMPLES [POLICIES]

function median(list,    n, a, i, j, t) {
	n = split(list, a, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && a[j - 1] > a[j]; j--) {
			t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
		}
	least = a[1]; most = a[n]
	return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}

# how far the least and the most are apart, in percent of the median
function apart(list,    m) {
	m = median(list)
	return m ? (most - least) / m * 100 : 0
}

# the median of a workload under a contender, per unit; sets spread, in percent of it
function med(w, c,    m) {
	if (!((w, c) in all)) return 0
	spread = apart(all[w, c])
	return median(all[w, c])
}

# the cost without a contender: bare was measured first and last in each round
function bare(w) { return median(all[w, "bare"] " " all[w, "bare-again"]) }

function over(w, c) { return med(w, c) - bare(w) }

function percent(w, c) { return (w, c) in all ? sprintf("%+.2f %%", over(w, c) / bare(w) * 100) : "-" }

function name(what) { return what in said ? said[what] : what }

function costs(    i, c) {
	if (!(("conn", "bare") in all)) return
	print "=costs"
	print "With\tInstructions\tOver bare\tin percent\tSpread"
	for (i = 1; i <= n_contenders; i++) {
		c = contender[i]
		if (("conn", c) in all)
			printf "%s\t%.0f\t%+.0f\t%s\t%.2f %%\n", name(c), med("conn", c), over("conn", c),
				percent("conn", c), (med("conn", c) ? spread : 0)
	}
}

# What the handlers alone cost in a list of changes (pattern) under a contender: without the change
# itself, and without what an empty handler costs.
function handlers_of(pattern, c,    i, sum) {
	for (i = 1; i <= n_changes; i++)
		if (pattern == "" || change[i] ~ pattern) sum += med("handlers-" change[i], c) - med("handlers-" change[i], "floor0")
	return sum
}

function changes_cost(pattern, c,    i, sum) {
	for (i = 1; i <= n_changes; i++)
		if (pattern == "" || change[i] ~ pattern) sum += med("handlers-" change[i], c) - med("handlers-" change[i], "bare")
	return sum
}

function handlers_row(text, pattern) {
	printf "%s\t%+.0f\t%+.0f\t%+.0f\t%.0f\t%.0f\n", text, changes_cost(pattern, "floor0"), changes_cost(pattern, "detail0"),
		changes_cost(pattern, "detail1"), handlers_of(pattern, "detail0"), handlers_of(pattern, "detail1")
}

function handlers(    i) {
	if (!n_changes) return
	print "=handlers"
	print "Change of state\tEmpty tracepoint\tdetail 0\tdetail 1\tHandler alone, detail 0\tHandler alone, detail 1"
	for (i = 1; i <= n_changes; i++) handlers_row(change[i], "^" change[i] "$")
	handlers_row("a passive close", passive_close)
	handlers_row("a connection, both ends", "")
}

function handlers_pair(text, pattern,    c, old, new) {
	printf "%s", text
	for (c = 0; c <= 1; c++) {
		old = handlers_of(pattern, "old-detail" c)
		new = handlers_of(pattern, "detail" c)
		printf "\t%.0f\t%.0f\t%+.0f", old, new, new - old
	}
	print ""
}

function handlers_compared(    i) {
	if (!n_changes) return
	print "=handlers"
	print "Handler alone\tdetail 0, " compare "\tdetail 0, now\tChange at 0\tdetail 1, " compare "\tdetail 1, now\tChange at 1"
	for (i = 1; i <= n_changes; i++) handlers_pair(change[i], "^" change[i] "$")
	handlers_pair("a passive close", passive_close)
	handlers_pair("a connection, both ends", "")
}

function workloads(    i, w, n, list) {
	if (!(("conn", "bare") in all) || compare) return
	print "=workloads"
	print "Workload\tper\tBare\tdetail 0\tdetail 1\tEmpty tracepoints\tand ftrace_ops\tbpftrace, fentry\tSpread of bare"
	n = split("conn nginx-1 nginx-50 redis bulk", list, " ")
	for (i = 1; i <= n; i++) {
		w = list[i]
		if (!((w, "bare") in all)) continue
		printf "%s\t%s\t%.0f\t%s\t%s\t%s\t%s\t%s\t%.2f %%\n", name(w), name(w "-unit"), bare(w),
			percent(w, "detail0"), percent(w, "detail1"), percent(w, "floor0"), percent(w, "floor2"),
			percent(w, "bpf-fentry"), (med(w, "bare") ? spread : 0)
	}
}

function waiting(    i, n, list, w) {
	if (!(("waiting-1000", "bare") in all)) return
	print "=waiting"
	print "Waiting in CLOSE_WAIT\tBare\tdetail 0\tdetail 1\tdetail 1 over bare"
	n = split("1000 10000 200000", list, " ")
	for (i = 1; i <= n; i++) {
		w = "waiting-" list[i]
		printf "%s\t%.0f\t%+.0f\t%+.0f\t%s\n", list[i], bare(w), over(w, "detail0"), over(w, "detail1"),
			percent(w, "detail1")
	}
}

function files(    b) {
	if (!(("netns", "bare") in all)) return
	print "=namespaces"
	print "What\tBare\tWith finack\tDifference\tin percent"
	b = bare("netns")
	if (b) {
		printf "instructions to make and delete a namespace\t%.0f\t%.0f\t%+.0f\t%s\n", b, med("netns", "detail1"),
			over("netns", "detail1"), percent("netns", "detail1")
		per_cpu = med("netns-percpu", "detail1") - med("netns-percpu", "bare")
		printf "bytes per namespace and CPU\t-\t-\t%+.0f\t\n", per_cpu
		per_namespace = med("netns-slab", "detail1") - med("netns-slab", "bare")
		printf "bytes per namespace (slab)\t-\t-\t%+.0f\t\n", per_namespace
	}
	if (!(("read-1", "finack") in all)) return
	print "=reading"
	print "Instructions to read\twith 1 namespace\twith 1000"
	printf "/proc/net/finack\t%.0f\t%.0f\n", med("read-1", "finack"), med("read-1000", "finack")
	printf "/proc/net/netstat\t%.0f\t%.0f\n", med("read-1", "netstat"), med("read-1000", "netstat")
}

function goal(text, want, value, unit, met) {
	printf "%s\t%s\t%s\t%s\n", text, want, sprintf("%." (unit ~ /^ [bi]/ ? 0 : 2) "f%s", value, unit),
		met ? "met" : "missed"
}

function pc(w, c) { return over(w, c) / bare(w) * 100 }

function at_most(text, limit, unit, value) {
	goal(text, "at most " limit unit, value, unit, value <= limit)
}

function times(text, limit, c, floor) {
	if (("conn", c) in all && ("conn", floor) in all)
		at_most(text, limit, "", over("conn", c) / over("conn", floor))
}

# the limit on 6.1, and that on newer kernels, where handlers of the same source are longer
function by_kernel(old, new) { return kernel ~ /^6\.1(-|$)/ ? old : new }

function goals(    n, i, list, w, worst, cheapest, x) {
	print "=goals"
	print "What\tGoal\tMeasured\tResult"
	if (("conn", "bare") in all) {
		at_most("connection, detail 0", by_kernel(0.45, 0.58), " %", pc("conn", "detail0"))
		at_most("connection, detail 1", by_kernel(0.6, 0.75), " %", pc("conn", "detail1"))
		times("connection, detail 1, times the empty ftrace_ops", 1.7, "detail1", "floor2")
		if (by_kernel(1, 0))
			times("connection, detail 1, times the empty kprobes", 1, "detail1", "floor1")
	}
	if (n_changes)
		at_most("handlers in a connection, detail 0", by_kernel(300, 320), " instructions", handlers_of("", "detail0"))
	n = split("nginx-1 0.3 nginx-50 0.4 redis 0.1 bulk 0.3", list, " ")
	for (i = 1; i <= n; i += 2)
		if ((list[i], "bare") in all)
			unless_lost(list[i], list[i + 1] / 100 * bare(list[i]), name(list[i]) ", detail 1", "at most " list[i + 1] " %",
				sprintf("%.2f %%", pc(list[i], "detail1")), pc(list[i], "detail1") <= list[i + 1])
	n = split("conn nginx-1 nginx-50 redis bulk", list, " ")
	for (i = 1; i <= n; i++) {
		w = list[i]
		if (!((w, "bpf-fentry") in all)) continue
		cheapest = over(w, "bpf-fentry")
		if ((w, "bpf-kprobe") in all && over(w, "bpf-kprobe") < cheapest) cheapest = over(w, "bpf-kprobe")
		unless_lost(w, cheapest, name(w) ", detail 1, of the cheapest bpftrace", "below 0.35",
			cheapest > 0 ? sprintf("%.2f", over(w, "detail1") / cheapest) : "-", over(w, "detail1") < cheapest * 0.35)
	}
	if (("waiting-1000", "bare") in all) {
		x = (over("waiting-200000", "detail1") / over("waiting-1000", "detail1") - 1) * 100
		goal("detail 1 with 200000 waiting, against 1000", "within 5 %", x, " %", x <= 5 && x >= -5)
	}
	if (("netns", "bare") in all && bare("netns")) {
		at_most("making and deleting a namespace", 3, " %", pc("netns", "detail1"))
		if (("netns-percpu", "bare") in all) {
			at_most("memory per namespace and CPU", 1024, " bytes", per_cpu)
			at_most("memory per namespace (slab)", 4096, " bytes", per_namespace)
		}
	}
	if (("read-1", "finack") in all) {
		at_most("reading /proc/net/finack, times netstat", 1, "", med("read-1", "finack") / med("read-1", "netstat"))
		at_most("the same with 1000 namespaces", 1, "", med("read-1000", "finack") / med("read-1000", "netstat"))
	}
}

# By how much medians of a workload are wrong at least: the first and the last bare should be the same, and
# no contender should cost less than bare.
function noise_of(w,    noise, i) {
	noise = med(w, "bare") - med(w, "bare-again")
	if (noise < 0) noise = -noise
	for (i = 1; i <= n_contenders; i++)
		if (contender[i] !~ /^bare/ && (w, contender[i]) in all && -over(w, contender[i]) > noise)
			noise = -over(w, contender[i])
	return noise
}

# a goal about the instructions (size) of a workload; lost in noise if they are fewer than its noise
function unless_lost(w, size, text, want, value, met,    noise) {
	noise = noise_of(w)
	print text "\t" want "\t" value "\t" (size < noise ? "lost in noise" : met ? "met" : "missed")
}

# the instructions of a transaction under a policy (x), over those without the module (b)
function policy_over(x, b) { return (median(instructions[x]) / median(instructions[b]) - 1) * 100 }

function policy_row(kind, delay, p,    x) {
	x = kind SUBSEP delay SUBSEP p
	if (!(x in rate)) return
	printf "%s\t%s\t%s ms\t%." (median(rate[x]) < 100 ? 2 : 0) "f\t%.2f\t%.0f\t%+.2f %%\t%.3f ms\t%.3f ms\t%.2f %%\n",
		name("policy-" kind), name(p), delay, median(rate[x]), median(segments[x]), median(instructions[x]),
		policy_over(x, kind SUBSEP delay SUBSEP "unloaded"), median(p50[x]), median(p99[x]), apart(instructions[x])
}

# policy_table TITLE KINDS: of a kind that was not measured there is no row
function policy_table(title, list,    i, j, k, n, kinds, delays) {
	n = split(list, kinds, " ")
	split("0 1 20", delays, " ")
	if (!((kinds[1], 0, "unloaded") in rate)) return
	print "=" title
	print "Load\tPolicy\tDelay\tTransactions/s\tSegments each\tInstructions each\tOver bare\tp50\tp99\t" \
		"Spread of instructions"
	for (i = 1; i <= n; i++)
		for (j = 1; j <= 3; j++)
			for (k = 1; k <= n_policies; k++)
				policy_row(kinds[i], delays[j], policy[k])
}

# the transactions per second that learning should reach: those of quickack 1 or the kernel's own, whichever are more
# (more by a percent: the loads that only wait have the same)
function learn_rate(kind, delay,    x, quick, own, learnt, wins) {
	x = kind SUBSEP delay SUBSEP
	if (!((x "quickack=2") in rate)) return
	quick = median(rate[x "quickack=1"])
	own = median(rate[x "quickack=0"])
	learnt = median(rate[x "quickack=2"])
	wins = quick > own * 1.01
	learn_goal(name("policy-" kind) ", " delay " ms, transactions/s", wins ? "quickack 1" : "the kernel's",
		wins ? 97 : 99, learnt / (wins ? quick : own) * 100)
}

function learn_goal(text, best, least, value) {
	goal(text, "at least " least " % of " best, value, " %", value >= least)
}

function learn_goals(    i, j, n, kinds, delays, x) {
	n = split(learn_kinds, kinds, " ")
	split("0 1 20", delays, " ")
	if (!((kinds[1], 0, "quickack=2") in rate)) return
	print "=learn-goals"
	print "With quickack 2\tGoal\tMeasured\tResult"
	for (i = 1; i <= n; i++)
		for (j = 1; j <= 3; j++)
			learn_rate(kinds[i], delays[j])
	for (j = 1; j <= 3; j++) {
		x = "one" SUBSEP delays[j] SUBSEP
		if ((x "quickack=2") in rate)
			at_most(name("policy-one") ", " delays[j] " ms, instructions over bare", 0.5, " %",
				policy_over(x "quickack=2", x "unloaded"))
	}
}

# every contender "old-X" beside "X"
function comparison(    k, part, old, new, change, begun) {
	for (k = 1; k <= n_pairs; k++) {
		split(pair[k], part, SUBSEP)
		if (part[2] !~ /^old-/ || part[1] ~ /^handlers-/) continue
		if (!begun++) print "=compare\nWorkload\tWith\tInstructions, " compare "\tnow\tChange\tVerdict"
		old = med(part[1], part[2])
		new = med(part[1], substr(part[2], 5))
		change = (new / old - 1) * 100
		printf "%s\t%s\t%.0f\t%.0f\t%+.2f %%\t%s\n", name(part[1]), name(substr(part[2], 5)), old, new, change,
			(change > 0.2 ? "dearer" : change < -0.2 ? "cheaper" : "same")
	}
}

BEGIN {
	FS = OFS = " "
	passive_close = "CLOSE_WAIT|LAST_ACK"
	learn_kinds = "two one slow turns slowturns mixed lazy"
}

FILENAME == names {
	what = $1
	$1 = ""
	said[what] = substr($0, 2)
	next
}

NF == 5 {
	if (!(($1, $2) in all)) pair[++n_pairs] = $1 SUBSEP $2
	all[$1, $2] = all[$1, $2] " " $5 / $4
	if (!seen[$2]++) contender[++n_contenders] = $2
	if (sub(/^handlers-/, "", $1) && !seen_change[$1]++) change[++n_changes] = $1
	next
}

NF == 9 {
	if (!seen_policy[$3]++) policy[++n_policies] = $3
	x = $1 SUBSEP $2 SUBSEP $3
	rate[x] = rate[x] " " $4 / $6 * 1e9
	segments[x] = segments[x] " " $7 / $4
	instructions[x] = instructions[x] " " $5 / $4
	p50[x] = p50[x] " " $8 / 1e6
	p99[x] = p99[x] " " $9 / 1e6
}

END {
	if (compare) {
		comparison()
		handlers_compared()
		exit
	}
	costs()
	handlers()
	workloads()
	waiting()
	files()
	goals()
	policy_table("policies", "rr conn bulk")
	policy_table("learn", learn_kinds)
	learn_goals()
}
