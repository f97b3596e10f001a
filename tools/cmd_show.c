// SPDX-License-Identifier: GPL-2.0-only
/* finack show: the counters, as the module names them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "finack.h"

int show_main(int argc, char **argv)
{
	struct counters c;
	size_t i;

	if (argc > 1) {
		fprintf(stderr, "finack: show takes no words, '%s' was given\n", argv[1]);
		return MISUSE;
	}
	if (counters_read(&c)) {
		if (errno == ENOENT)
			fprintf(stderr, "finack: the module is not loaded; modprobe finack\n");
		else
			fprintf(stderr, "finack: /proc/net/finack: %s\n", strerror(errno));
		return FAILED;
	}
	for (i = 0; i < c.n; i++)
		printf("%-24s %12" PRIu64 "\n", c.row[i].name, c.row[i].value);
	return OK;
}
