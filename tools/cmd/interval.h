/* SPDX-License-Identifier: GPL-2.0-only */
/* The time between two readings. */
#ifndef FINACK_INTERVAL_H
#define FINACK_INTERVAL_H

/**
 * interval_wait() - wait between two readings
 * @seconds: for how long
 *
 * The wait starts after the first reading and ends before the second one, so that it does not
 * include the time a reading takes, even from a slow disk.
 *
 * Return: how long it was, in seconds.
 */
double interval_wait(double seconds);

#endif
