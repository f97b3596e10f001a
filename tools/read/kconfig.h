/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the configuration of the running kernel, from where distributions keep it. */
#ifndef FINACK_KCONFIG_H
#define FINACK_KCONFIG_H

/** kconfig_read() - Return: its text, to be freed; NULL if there is none */
char *kconfig_read(void);
/** kconfig_get() - Return: 'y', 'm' or 'n' for CONFIG_@name; another character for other values */
char kconfig_get(const char *text, const char *name);

#endif
