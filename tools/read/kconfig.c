// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "file.h"
#include "kconfig.h"

#define CONFIG_MAX 1048576

/* read /proc/config.gz with gzip */
static char *unpack(void)
{
	char *text = malloc(CONFIG_MAX);
	size_t n = 0;
	FILE *f;

	if (!text || access("/proc/config.gz", R_OK)) {
		free(text);
		return NULL;
	}
	f = popen("gzip -dc /proc/config.gz 2>/dev/null", "re");
	if (f) {
		n = fread(text, 1, CONFIG_MAX - 1, f);
		pclose(f);
	}
	text[n] = '\0';
	if (n)
		return text;
	free(text);
	return NULL;
}

char *kconfig_read(void)
{
	struct utsname u;
	char path[200], *text;

	uname(&u);
	snprintf(path, sizeof(path), "/boot/config-%s", u.release);
	text = file_read(path);
	if (text)
		return text;
	snprintf(path, sizeof(path), "/lib/modules/%s/config", u.release);
	text = file_read(path);
	return text ? text : unpack();
}

char kconfig_get(const char *text, const char *name)
{
	char want[80];
	const char *p = text;

	snprintf(want, sizeof(want), "CONFIG_%.60s=", name);
	while ((p = strstr(p, want))) {
		if (p == text || p[-1] == '\n')
			return p[strlen(want)];
		p++;
	}
	return 'n';
}
