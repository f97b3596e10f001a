/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads and writes files of the kernel, and says what to do if one cannot be read. */
#ifndef FINACK_FILE_H
#define FINACK_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* not /proc/net: that is the namespace of the process's first thread */
#define PROC_NET "/proc/thread-self/net/"

/**
 * file_read() - read a whole file
 * @path: its name
 *
 * Return: its text, to be freed; NULL with errno.
 */
char *file_read(const char *path);

/** file_line() - read the first line of a file, without newline; Return: whether that worked */
bool file_line(const char *path, char *buf, size_t size);

/**
 * file_write() - write a whole file, as "echo" does
 * @path: its name
 * @text: what to write; "" writes an empty line, which is how a list is emptied
 *
 * Return: 0, or -1 with errno.
 */
int file_write(const char *path, const char *text);

/** file_complain() - say on stderr what to do about a file of the module that cannot be read */
void file_complain(const char *path);

/** split_line() - cut the next line off *@text; Return: the line, NULL at the end */
char *split_line(char **text);

#endif
