/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads /proc/net/finack_hist: names and bounds come from the file. */
#ifndef FINACK_HIST_H
#define FINACK_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HISTS_FILE "/proc/thread-self/net/finack_hist"
#define HISTS_MAX 8
#define HIST_BUCKETS_MAX 80

/** struct hist_bucket - the delays from the bound of the previous bucket to below @bound */
struct hist_bucket {
	uint64_t bound; /* us; UINT64_MAX for the last one */
	uint64_t count;
};

/**
 * struct hist - a line of the file
 * @name: what is measured
 * @sum: of all delays, us
 * @count: of all delays
 * @n: how many buckets
 * @bucket: bounds increase
 */
struct hist {
	char name[40];
	uint64_t sum;
	uint64_t count;
	size_t n;
	struct hist_bucket bucket[HIST_BUCKETS_MAX];
};

struct hists {
	struct hist hist[HISTS_MAX];
	size_t n;
};

/** hists_read() - read those of the caller's namespace; Return: 0, or -1 with errno */
int hists_read(struct hists *h);
/** hists_parse() - parse @text, which is modified; Return: 0, or -1 with errno */
int hists_parse(struct hists *h, char *text);
/** hists_sub() - subtract @before from @h: the delays that came in between */
void hists_sub(struct hists *h, const struct hists *before);
/** hists_get() - Return: the histogram of that name, or an empty one */
const struct hist *hists_get(const struct hists *h, const char *name);

/** hist_lower() - Return: where bucket @i begins, us */
uint64_t hist_lower(const struct hist *h, size_t i);
/**
 * hist_quantile() - in which bucket a quantile of the delays lies
 * @h: the delays
 * @q: which quantile, 0 to 1
 * @lower: set to where the bucket begins, us
 *
 * Return: where it ends, us; UINT64_MAX if nowhere, 0 if there are no delays.
 */
uint64_t hist_quantile(const struct hist *h, double q, uint64_t *lower);

/**
 * hist_below() - how many delays are below a limit
 * @h: the histogram
 * @us: the limit
 * @least: set to how many certainly are
 * @most: set to how many may be
 *
 * Return: about how many are, assuming that delays are spread evenly within a bucket.
 */
double hist_below(const struct hist *h, double us, uint64_t *least, uint64_t *most);

#endif
