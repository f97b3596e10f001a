/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sides of the experiments do, and the claims that a single number cannot express. A side
 * gets a connected socket; the functions for .listener and .caller get one that is not bound yet.
 */
#ifndef FINACK_SIDES_H
#define FINACK_SIDES_H

#include "lab.h"

#define SIDES_DATA	1000	/* bytes that a server writes */
#define SIDES_QUESTIONS	8	/* how many a client asks */

/* clients.c */
void usual_client(struct role *r, int fd);
void silent_client(struct role *r, int fd);
void half_closing_client(struct role *r, int fd);
void reading_client(struct role *r, int fd);
void reset_client(struct role *r, int fd);
void unread_client(struct role *r, int fd);
void late_client(struct role *r, int fd);
void same_time_client(struct role *r, int fd);
void losing_client(struct role *r, int fd);
void narrow(struct role *r, int fd);
void full_client(struct role *r, int fd);
void vanishing_client(struct role *r, int fd);
void asking_client(struct role *r, int fd);
void talking_client(struct role *r, int fd);
void full_size_client(struct role *r, int fd);
void slow_client(struct role *r, int fd);

/* servers.c */
void close_at_eof(struct role *r, int fd);
void quickack_at_eof(struct role *r, int fd);
void quickack_on_listener(struct role *r, int fd);
void quickack_every_read(struct role *r, int fd);
void close_100_ms_late(struct role *r, int fd);
void close_10_ms_late(struct role *r, int fd);
void write_at_eof(struct role *r, int fd);
void write_corked_at_eof(struct role *r, int fd);
void die_by_sigpipe(struct role *r, int fd);
void write_to_closed(struct role *r, int fd);
void reset_while_established(struct role *r, int fd);
void shut_reading(struct role *r, int fd);
void exit_at_eof(struct role *r, int fd);
void killed_at_eof(struct role *r, int fd);
void crash_at_eof(struct role *r, int fd);
void shared_close(struct role *r, int fd);
void shared_shutdown(struct role *r, int fd);
void read_queued(struct role *r, int fd);
void close_unread(struct role *r, int fd);
void close_at_greeting(struct role *r, int fd);
void watched_close(struct role *r, int fd);
void fill_and_close(struct role *r, int fd);
void write_to_vanished(struct role *r, int fd);
void close_to_vanished(struct role *r, int fd);
void answer(struct role *r, int fd);
void read_at_the_end(struct role *r, int fd);

/* claims.c */
void claim_nothing(struct lab_result *r);
void claim_states(struct lab_result *r);
void claim_states_merged(struct lab_result *r);
void claim_sent_again(struct lab_result *r);
void claim_pure_ack(struct lab_result *r);
void claim_given_up(struct lab_result *r);
void claim_on_answers(struct lab_result *r);
void claim_pure_acks(struct lab_result *r);
void claim_quick_first(struct lab_result *r);
void claim_second_segment(struct lab_result *r);
void claim_backoff(struct lab_result *r);
void claim_backoff_from_120(struct lab_result *r);

#endif
