// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../module/version.h"
#include "file.h"

char *file_read(const char *path)
{
	size_t size = 16384, n = 0;
	char *text = malloc(size), *more;
	ssize_t got = 0;
	int fd, err;

	fd = text ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	while (fd >= 0) {
		got = read(fd, text + n, size - n - 1);
		if (got <= 0)
			break;
		n += got;
		if (size - n > 1)
			continue;
		more = realloc(text, size *= 2);
		if (!more) {
			got = -1;
			break;
		}
		text = more;
	}
	err = errno;
	if (fd >= 0)
		close(fd);
	if (text && fd >= 0 && !got) {
		text[n] = '\0';
		return text;
	}
	free(text);
	errno = err;
	return NULL;
}

bool file_line(const char *path, char *buf, size_t size)
{
	char *text = file_read(path);

	if (!text)
		return false;
	text[strcspn(text, "\n")] = '\0';
	snprintf(buf, size, "%s", text);
	free(text);
	return true;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), err;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = *text ? write(fd, text, strlen(text)) : write(fd, "\n", 1);
	err = errno;
	close(fd);
	errno = err;
	return n < 0 ? -1 : 0;
}

void file_complain(const char *path)
{
	int err = errno;
	char version[32];

	if (err == ENOENT && access("/sys/module/finack", F_OK))
		fprintf(stderr, "finack: the module is not loaded; run: modprobe finack\n");
	else if (err == ENOENT && file_line("/sys/module/finack/version", version, sizeof(version)))
		fprintf(stderr, "finack: no %s: the module loaded (version %s) is too old; "
			"unload it and load version %s\n", path, version, FINACK_VERSION);
	else
		fprintf(stderr, "finack: cannot read %s: %s%s\n", path, strerror(err),
			err == EACCES || err == EPERM ? "; run as root" : "");
}

char *split_line(char **text)
{
	char *line = *text, *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*text = end ? end + 1 : NULL;
	return line;
}
