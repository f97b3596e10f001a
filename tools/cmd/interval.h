/* SPDX-License-Identifier: GPL-2.0-only */
/* The time between two readings. */
#ifndef FINACK_INTERVAL_H
#define FINACK_INTERVAL_H

/**
 * interval_wait() - wait between two readings
 * @seconds: for how long
 *
 * It is from when the first reading is done to when the second one begins: what a reading takes,
 * and be it from a slow disk, is not part of it.
 *
 * Return: how long it was.
 */
double interval_wait(double seconds);

#endif
