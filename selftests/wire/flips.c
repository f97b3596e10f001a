// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flips.h"
#include "read/file.h"

/* the numeric knobs, and the least and the most to which each is set */
static const struct knob {
	const char *name;
	int least;
	int most;
} knobs[] = {
	{ "detail", 0, 2 },
	{ "fin_ack", 0, 3 },
	{ "fin_hold_ms", 1, 499 },
	{ "quickack", 0, 2 },
	{ "delack_min_ms", 0, 499 },
	{ "delack_max_ms", 0, 499 },
};

#define KNOBS	(sizeof(knobs) / sizeof(*knobs))

/* lists with ports of the workers, of the clients, and of neither */
static const char * const ports[] = {
	"", "8000-8011", "8001,8003,8005-8020", "1-65535", "32768-60999", "1-1023"
};

#define PORTS	(sizeof(ports) / sizeof(*ports))

static int set_knob(const char *name, const char *value)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/sys/net/finack/%s", name);
	return file_write(path, value);
}

static atomic_bool over;
static unsigned int set, refused;
static const char *failure;
static unsigned int seed;
static pthread_t thread;

static unsigned int rnd(unsigned int n)
{
	return rand_r(&seed) % n;
}

/* half of the time a bound is set to 0 (none), so that the other controls get their turn */
static bool flip(void)
{
	unsigned int i = rnd(KNOBS + 1);
	const struct knob *k;
	char value[20];
	bool bound;

	set++;
	failure = "ports";
	if (i == KNOBS)
		return !set_knob("ports", ports[rnd(PORTS)]);
	k = &knobs[i];
	bound = !strncmp(k->name, "delack_", 7);
	snprintf(value, sizeof(value), "%d",
		 bound && rnd(2) ? 0 : k->least + (int)rnd(k->most - k->least + 1));
	if (!set_knob(k->name, value))
		return true;
	failure = k->name;
	refused++;
	/* the minimum would be above the maximum */
	return bound && errno == EINVAL;
}

static void *work(void *arg)
{
	const struct sched_param first = { .sched_priority = 1 };

	/* do not wait for the CPU behind all other threads */
	sched_setscheduler(0, SCHED_FIFO, &first);
	while (!atomic_load(&over)) {
		usleep(rnd(10000));
		if (!flip())
			return (void *)1;
	}
	return NULL;
}

int flips_begin(unsigned int with_seed)
{
	seed = with_seed;
	return pthread_create(&thread, NULL, work, NULL);
}

int flips_end(void)
{
	void *failed;
	int rc = 0;

	atomic_store(&over, true);
	pthread_join(thread, &failed);
	if (failed) {
		printf("# %s cannot be set\n", failure);
		rc = -1;
	}
	if (set_knob("detail", "1") || set_knob("fin_ack", "0") || set_knob("fin_hold_ms", "150") ||
	    set_knob("quickack", "0") || set_knob("delack_min_ms", "0") ||
	    set_knob("delack_max_ms", "0") || set_knob("ports", "")) {
		printf("# the knobs cannot be reset: %s\n", strerror(errno));
		rc = -1;
	}
	printf("# %u times a knob was set, %u times refused\n", set, refused);
	return rc;
}
