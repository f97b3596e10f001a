// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "hist.h"

/* digits only: strtoull() would take signs, too */
static bool parse_number(const char *word, char **end, uint64_t *value)
{
	errno = 0;
	*value = strtoull(word, end, 10);
	return *word >= '0' && *word <= '9' && !errno;
}

/* "bound:count"; bounds increase, "inf" is the last */
static bool parse_bucket(struct hist *h, const char *word)
{
	struct hist_bucket *b = &h->bucket[h->n];
	char *end;

	if (h->n == HIST_BUCKETS_MAX || (h->n && b[-1].bound == UINT64_MAX))
		return false;
	if (!strncmp(word, "inf:", 4)) {
		b->bound = UINT64_MAX;
		end = (char *)word + 3;
	} else if (!parse_number(word, &end, &b->bound)) {
		return false;
	}
	if (*end != ':' || (h->n && b->bound <= b[-1].bound) ||
	    !parse_number(end + 1, &end, &b->count))
		return false;
	h->count += b->count;
	h->n++;
	return !*end;
}

static bool parse_line(struct hist *h, char *line)
{
	char *word, *save = NULL, *end;

	memset(h, 0, sizeof(*h));
	word = strtok_r(line, " \t", &save);
	if (!word || strlen(word) >= sizeof(h->name))
		return false;
	strcpy(h->name, word);
	word = strtok_r(NULL, " \t", &save);
	if (!word || strncmp(word, "sum:", 4) || !parse_number(word + 4, &end, &h->sum))
		return false;
	while (!*end && (word = strtok_r(NULL, " \t", &save)))
		if (!parse_bucket(h, word))
			return false;
	return !*end && h->n;
}

int hists_parse(struct hists *h, char *text)
{
	char *line;

	h->n = 0;
	while (h->n < HISTS_MAX && (line = split_line(&text))) {
		if (!parse_line(&h->hist[h->n], line)) {
			h->n = 0;
			break;
		}
		h->n++;
	}
	if (!h->n)
		errno = EPROTO;
	return h->n ? 0 : -1;
}

int hists_read(struct hists *h)
{
	char *text = file_read(HISTS_FILE);
	int rc;

	h->n = 0;
	if (!text)
		return -1;
	rc = hists_parse(h, text);
	free(text);
	return rc;
}

const struct hist *hists_get(const struct hists *h, const char *name)
{
	static const struct hist none;
	size_t i;

	for (i = 0; i < h->n; i++)
		if (!strcmp(h->hist[i].name, name))
			return &h->hist[i];
	return &none;
}

void hists_sub(struct hists *h, const struct hists *before)
{
	size_t i, j;

	for (i = 0; i < h->n; i++) {
		struct hist *a = &h->hist[i];
		const struct hist *b = hists_get(before, a->name);

		if (a->n != b->n)
			continue;
		a->sum -= b->sum;
		a->count = 0;
		for (j = 0; j < a->n; j++) {
			/* the module may have taken a delay out again */
			a->bucket[j].count = a->bucket[j].count < b->bucket[j].count ? 0 :
					     a->bucket[j].count - b->bucket[j].count;
			a->count += a->bucket[j].count;
		}
	}
}

uint64_t hist_lower(const struct hist *h, size_t i)
{
	return i ? h->bucket[i - 1].bound : 0;
}

/* the last bucket has no bound: twice where it begins */
static double upper(const struct hist *h, size_t i)
{
	return h->bucket[i].bound == UINT64_MAX ? hist_lower(h, i) * 2.0 : h->bucket[i].bound;
}

uint64_t hist_quantile(const struct hist *h, double q, uint64_t *lower)
{
	double want = q * h->count, seen = 0;
	size_t i;

	*lower = 0;
	for (i = 0; i < h->n; i++) {
		seen += h->bucket[i].count;
		if (!h->bucket[i].count || seen < want)
			continue;
		*lower = hist_lower(h, i);
		return h->bucket[i].bound;
	}
	return 0;
}

double hist_below(const struct hist *h, double us, uint64_t *least, uint64_t *most)
{
	double lower, sum = 0;
	size_t i;

	*least = 0;
	*most = 0;
	for (i = 0; i < h->n; i++) {
		lower = hist_lower(h, i);
		if (us <= lower)
			break;
		*most += h->bucket[i].count;
		if (us < upper(h, i)) {
			sum += h->bucket[i].count * (us - lower) / (upper(h, i) - lower);
			break;
		}
		*least += h->bucket[i].count;
		sum += h->bucket[i].count;
	}
	return sum;
}
