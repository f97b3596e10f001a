// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiments, one row each. What a side does is in clients.c and servers.c.
 *
 * If a row names no client, the usual one greets, waits a second and closes. The server reads
 * until read() returns 0, unless the row is about something else, and then does what is claimed.
 */
#include <signal.h>
#include <string.h>

#include "sides.h"

#define MERGED(_end) "Passive Merged " _end " Active ActiveMerged"
#define SEPARATE(_why, _active) "Passive Separate " _why " EndClose Active " _active
/* the delayed-ACK timer, HZ/25, must not expire before the server acts */
#define SOON .late_ms = { [LAB_SERVER] = 39 }
#define PINGPONG "tcp_fin() enters ping-pong mode: the ACK is delayed"

const struct experiment experiments[] = {
	{
		.nr = 1, .name = "merge",
		.claim = "close() at EOF, all defaults: three segments",
		.why = PINGPONG ", and close() comes first",
		.server = close_at_eof,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndClose"), SOON },
	}, {
		.nr = 2, .name = "quickack-at-eof",
		.claim = "TCP_QUICKACK after read() returned 0, then close(): four segments",
		.why = "the option sends the ACK that is pending",
		.server = quickack_at_eof,
		.shows = { WIRE_SEPARATE, 4, .moves = SEPARATE("SepApp", "ActiveHalf"), SOON },
	}, {
		.nr = 3, .name = "quickack-at-bind",
		.claim = "TCP_QUICKACK on the listener before bind(): three segments all the same",
		.why = PINGPONG " whatever the listener was told",
		.server = close_at_eof, .listener = quickack_on_listener,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndClose"), SOON },
	}, {
		.nr = 4, .name = "quickack-every-read",
		.claim = "TCP_QUICKACK at accept() and every read but the last: three segments",
		.why = PINGPONG " again, after the last TCP_QUICKACK",
		.server = quickack_every_read,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndClose"), SOON },
	}, {
		.nr = 5, .name = "slow-close",
		.claim = "close() 100 ms after EOF: four segments, the ACK after 40 to 44 ms",
		.why = "the delayed-ACK timer (HZ/25, a tick more) expired before close()",
		.server = close_100_ms_late,
		.shows = { WIRE_SEPARATE, 4, .ack_ms = { 39.9, 45 },
			.moves = SEPARATE("SepTimer", "ActiveHalf") },
	}, {
		.nr = 6, .name = "no-data-fast",
		.claim = "no data, close() at EOF at once: three segments",
		.why = "close() came within the tick after which the ACK would have left",
		.server = close_at_eof, .client = silent_client,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndClose"), .within_tick = true,
			.late_ms = { 1, 2 } }, /* together less than a tick */
	}, {
		.nr = 7, .name = "no-data-slow",
		.claim = "no data, close() 10 ms after EOF: four segments, ACK within two ticks",
		.why = "icsk_ack.ato is 0 where no data came, so the ACK leaves at the next tick",
		.server = close_10_ms_late, .client = silent_client,
		.shows = { WIRE_SEPARATE, 4, .ack_ms = { 0, 8.5 },
			.moves = SEPARATE("SepNoAto", "ActiveHalf") },
	}, {
		.nr = 8, .name = "route-quickack",
		.claim = "quickack 1 on the route that is used: four segments",
		.why = "the route overrides ping-pong mode (tcp_in_quickack_mode)",
		.server = close_at_eof, .net.quickack = true,
		.shows = { WIRE_SEPARATE, 4, .ack_ms = { 0, 1 },
			.moves = SEPARATE("SepRoute", "ActiveHalf") },
	}, {
		.nr = 9, .name = "data-at-eof",
		.claim = "the server writes after EOF, then closes: the ACK rides on the data",
		.why = "every segment has an ACK, and the data left before the FIN",
		.server = write_at_eof, .client = reading_client,
		.shows = { WIRE_SEPARATE, .moves = SEPARATE("SepData", "ActiveSeparate"),
			SOON },
	}, {
		.nr = 10, .name = "data-with-fin",
		.claim = "the same with TCP_CORK: data, FIN and ACK in one of three segments",
		.why = "tcp_send_fin() puts the FIN on the unsent tail of the queue",
		.server = write_corked_at_eof, .client = reading_client,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndClose"), SOON },
	}, {
		.nr = 11, .name = "rude-close",
		.claim = "the client used close(), the server writes after EOF: RST",
		.why = "nobody is left to read at the client, so data is answered by a RST",
		.server = write_to_closed, .resets = true, .resets_side = LAB_CLIENT,
		.shows = { WIRE_SEPARATE,
			.moves = "Passive Separate SepData EndResetIn Active ActiveHalf",
			SOON },
	}, {
		.nr = 11, .name = "rude-close-sigpipe",
		.claim = "the same, SIGPIPE at its default: the server dies by its second write()",
		.why = "a write() to a connection that was reset raises SIGPIPE",
		.server = die_by_sigpipe, .dies_by = SIGPIPE,
		.resets = true, .resets_side = LAB_CLIENT,
		.shows = { WIRE_SEPARATE,
			.moves = "Passive Separate SepData EndResetIn Active ActiveHalf",
			SOON },
	}, {
		.nr = 12, .name = "graceful-close",
		.claim = "the client used shutdown(SHUT_WR), the server writes and closes: no RST",
		.why = "a half-closed connection still carries data the other way",
		.server = write_at_eof, .client = reading_client,
		.shows = { WIRE_SEPARATE, .moves = SEPARATE("SepData", "ActiveSeparate"),
			SOON },
	}, {
		.nr = 13, .name = "shutdown-read",
		.claim = "shutdown(SHUT_RD): no segment at all",
		.why = "it only marks the socket: read() returns 0, the peer is not told",
		.server = shut_reading, .client = late_client, .from_data = 1,
		/* it is the client that merges: here the server closes first */
		.shows = { WIRE_MERGED, .moves = MERGED("EndClose"),
			.late_ms = { [LAB_CLIENT] = 39 } },
	}, {
		.nr = 14, .name = "exit",
		.claim = "the server exits without close(): the kernel sends the FIN",
		.why = "exit drops the last reference to the socket",
		.server = exit_at_eof,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndExit"), SOON },
	}, {
		.nr = 15, .name = "crash",
		.claim = "the server is killed: the kernel sends the FIN",
		.why = "the end of a process, however it comes, drops its references",
		.server = killed_at_eof, .dies_by = SIGKILL,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndExit"), SOON },
	}, {
		.nr = 15, .name = "crash-sigsegv",
		.claim = "the server dies by SIGSEGV: no difference",
		.why = "the kernel closes what a dead process had open",
		.server = crash_at_eof, .dies_by = SIGSEGV,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndExit"), SOON },
	}, {
		.nr = 16, .name = "fork-close",
		.claim = "two processes share the socket: no FIN until the last close()",
		.why = "close() drops a reference, the last one closes the connection",
		.server = shared_close, .client = reading_client,
		.shows = { WIRE_SEPARATE, .moves = SEPARATE("SepData", "ActiveSeparate"),
			SOON },
	}, {
		.nr = 17, .name = "fork-shutdown",
		.claim = "two processes share the socket, one calls shutdown(): FIN at once",
		.why = "shutdown() acts on the connection, not on the reference",
		.server = shared_shutdown, .client = half_closing_client,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndShutdown"), SOON },
	}, {
		.nr = 18, .name = "eof-is-queued",
		.claim = "data and FIN arrive before the server reads: first the data, then 0",
		.why = "EOF is queued behind the data",
		.server = read_queued,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndClose"), SOON },
	}, {
		.nr = 19, .name = "unread-data",
		.claim = "close() with unread data: RST instead of FIN",
		.why = "data was lost, and the peer has to know (RFC 2525 2.17)",
		.server = close_unread, .client = reset_client,
		.resets = true, .resets_side = LAB_SERVER,
		.shows = { WIRE_UNACKED, .moves = "Passive Unacked EndResetOut Active", SOON },
	}, {
		.nr = 20, .name = "simultaneous",
		.claim = "both sides close() before either FIN arrives: FIN, FIN, ACK, ACK",
		.why = "each FIN finds the other side in FIN_WAIT_1, which then is CLOSING",
		.server = close_at_greeting, .client = same_time_client, .net.rtt_ms = 200,
		.shows = { WIRE_SIMULTANEOUS, 4, .moves = "Active=2 Simultaneous=2",
			.late_ms = { 99, 99 } },
	}, {
		.nr = 21, .name = "states",
		.claim = "slow-close on a long path: each side's states, TIME_WAIT for 60 s",
		.why = "RFC 9293 3.6; TCP_TIMEWAIT_LEN is fixed",
		.server = watched_close, .net.rtt_ms = 100, .end = LAB_GIVEN_UP,
		.shows = { WIRE_SEPARATE, 4, .ack_ms = { 39.9, 45 }, .wire = claim_states,
			.moves = SEPARATE("SepTimer", "ActiveHalf") },
	}, {
		.nr = 22, .name = "lost-fin-ack",
		.claim = "merge, but FIN and ACK are lost once: sent again, and done",
		.why = "a FIN takes a sequence number, so it is retransmitted like data",
		.server = close_at_eof, .client = losing_client,
		.shows = { WIRE_MERGED, .moves = MERGED("EndClose"), .wire = claim_sent_again,
			   .races = true, SOON },
	}, {
		.nr = 23, .name = "zero-window-fin",
		.claim = "close() with data queued for a full client: ACK first, FIN later",
		.why = "the FIN stays behind the data; the delayed-ACK timer expires in LAST_ACK",
		.server = fill_and_close, .client = full_client, .caller = narrow,
		.shows = { WIRE_SEPARATE, .ack_ms = { 39.9, 45 }, .wire = claim_pure_ack,
			/* and one that the client owes for the data */
			.moves = SEPARATE("SepTimer", "ActiveSeparate") " TimerAck",
			.late_ms = { [LAB_CLIENT] = 99 } },
	}, {
		.nr = 24, .name = "half-open-abort",
		.claim = "the client's host vanishes after its FIN, the server writes: ETIMEDOUT",
		.why = "data is sent again until the kernel gives up (TCP_USER_TIMEOUT, 2 s)",
		.server = write_to_vanished, .client = vanishing_client,
		.net.link = true, .end = LAB_GIVEN_UP,
		.shows = { WIRE_SEPARATE, .wire = claim_given_up,
			.moves = "Passive Separate SepData EndOther Active", SOON },
	}, {
		.nr = 24, .name = "half-open-close",
		.claim = "the same, but the server closes at EOF: its FIN goes unanswered",
		.why = "the socket has no owner any more, so nobody is told",
		.server = close_to_vanished, .client = vanishing_client,
		.net.link = true, .end = LAB_GIVEN_UP,
		.shows = { WIRE_MERGED, .wire = claim_given_up,
			.moves = "Passive Merged EndClose Active", SOON },
	}, {
		.nr = 25, .name = "reset-established",
		.claim = "the client closes with unread data: RST, nobody is a passive closer",
		.why = "no FIN came",
		.server = reset_while_established, .client = unread_client,
		.resets = true, .resets_side = LAB_CLIENT,
		.shows = { WIRE_OPEN, .moves = "" },
	}, {
		.nr = 30, .name = "reply-carries-ack",
		.claim = "the server answers at once: the ACK rides on the answer",
		.why = "in ping-pong mode the ACK is delayed, and the answer comes first",
		.server = answer, .client = asking_client,
		.from_data = 2,
		.shows = { WIRE_MERGED, 3, .moves = MERGED("EndClose"), .wire = claim_on_answers,
			SOON },
	}, {
		.nr = 31, .name = "no-reply",
		.claim = "neither read nor answered: quick ACKs, then one after 40 to 44 ms",
		.why = "tcp_send_delayed_ack(), once TCP_MAX_QUICKACKS (16) are used up",
		.server = read_at_the_end, .client = talking_client,
		.from_data = 2,
		.shows = { WIRE_MERGED, 3, .data_ms = { 39.9, 45 }, .wire = claim_quick_first,
			.moves = MERGED("EndClose") " TimerAck=3", .late_ms = { 49, 39 } },
	}, {
		.nr = 32, .name = "second-segment",
		.claim = "a second full-size segment, 10 ms after the first: ACK at once",
		.why = "more than one full segment is not ACKed (__tcp_ack_snd_check())",
		.server = answer, .client = full_size_client, .net.link = true,
		.from_data = 2,
		.shows = { WIRE_MERGED, 3, .data_ms = { 0, 1 }, .wire = claim_second_segment,
			.moves = MERGED("EndClose"), .late_ms = { 29, 39 } },
	}, {
		.nr = 33, .name = "backoff",
		.claim = "the timer expires again and again: it doubles, up to 200 ms",
		.why = "ato doubles outside ping-pong mode, up to srtt (300 ms) and TCP_DELACK_MAX",
		.server = read_at_the_end, .client = slow_client, .net.rtt_ms = 300,
		.from_data = 6,
		.shows = { WIRE_MERGED, 3, .data_ms = { 195.9, 205 }, .wire = claim_backoff,
			.moves = MERGED("EndClose") " TimerAck=6", .late_ms = { 99, 39 } },
	},
	{ 0 }
};

const struct experiment *lab_find(const char *name)
{
	const struct experiment *e;

	for (e = experiments; e->name; e++)
		if (!strcmp(e->name, name))
			return e;
	return NULL;
}
