/* SPDX-License-Identifier: GPL-2.0-only */
/* The knobs of the caller's network namespace, changed at random while a test runs. */
#ifndef FINACK_FLIPS_H
#define FINACK_FLIPS_H

/** flips_begin() - begin; Return: 0, or an error */
int flips_begin(unsigned int seed);
/** flips_end() - end, back to the defaults; Return: 0, or -1 if a knob could not be set */
int flips_end(void);

#endif
