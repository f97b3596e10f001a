// SPDX-License-Identifier: GPL-2.0-only
/* Claims about a capture or the states of the sockets that a single number cannot express. */
#include <netinet/tcp.h>
#include <string.h>

#include "sides.h"

#define QUICK_MS 1.0

/* indices of the client's data segments before the first FIN; Return: how many */
static size_t data_segments(const struct wire_conn *c, size_t at[], size_t max)
{
	size_t i, n = 0;

	for (i = 0; i < c->n && n < max && !(c->seg[i].flags & WIRE_FIN); i++)
		if (c->seg[i].side == LAB_CLIENT && c->seg[i].len && !c->seg[i].again)
			at[n++] = i;
	return n;
}

/* Return: the server's first segment that ACKs segment @i, or NULL */
static const struct wire_seg *ack_of(const struct wire_conn *c, size_t i)
{
	uint32_t end = c->seg[i].seq + c->seg[i].len;
	size_t k;

	for (k = i + 1; k < c->n; k++)
		if (c->seg[k].side == LAB_SERVER && (int32_t)(c->seg[k].ack - end) >= 0)
			return &c->seg[k];
	return NULL;
}

/* each state of a claim lasts for so long that only a lab that was kept from looking misses one */
#define MISSES_STATE_MS 40

static void expect_states(struct lab_result *r, bool server, const char *expected)
{
	char seen[200] = "";
	size_t i;

	for (i = 0; i < r->states.n; i++)
		/* left out: on a long path the server's handshake is seen, too */
		if (r->states.row[i].server == server && r->states.row[i].tcp != TCP_SYN_RECV)
			snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%s",
				 *seen ? " " : "", states_name(r->states.row[i].tcp));
	if (strcmp(seen, expected) && lab_longest_stall_ms(r) > MISSES_STATE_MS)
		lab_doubt(r, "the machine did not run the lab for %.1f ms, and it saw %s alone",
			  lab_longest_stall_ms(r), seen);
	else if (strcmp(seen, expected))
		lab_problem(r, "the %s's states were %s, the claim is %s",
			    server ? "server" : "client", seen, expected);
}

void claim_nothing(struct lab_result *r)
{
	(void)r;
}

static void expect_time_wait(struct lab_result *r)
{
	const struct state *s;
	size_t i;

	for (i = 0; i < r->states.n; i++) {
		s = &r->states.row[i];
		if (!strcmp(states_name(s->tcp), "TIME_WAIT") &&
		    (s->left_ms + lab_longest_stall_ms(r) < 59900 || s->left_ms > 60010))
			lab_problem(r, "TIME_WAIT lasts for %u ms, the claim is 60 s", s->left_ms);
	}
}

void claim_states(struct lab_result *r)
{
	expect_states(r, true, "ESTABLISHED CLOSE_WAIT LAST_ACK gone");
	expect_states(r, false, "ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT");
	expect_time_wait(r);
}

/* the server's FIN ACKs the client's FIN, so that the client skips FIN_WAIT_2 */
void claim_states_merged(struct lab_result *r)
{
	expect_states(r, true, "ESTABLISHED CLOSE_WAIT LAST_ACK gone");
	expect_states(r, false, "ESTABLISHED FIN_WAIT_1 TIME_WAIT");
	expect_time_wait(r);
}

static size_t sent_again(const struct lab_result *r, enum lab_side side)
{
	size_t i, n = 0;

	for (i = r->close.fin; i < r->conn->n; i++)
		n += r->conn->seg[i].side == side && r->conn->seg[i].again;
	return n;
}

void claim_sent_again(struct lab_result *r)
{
	if (!sent_again(r, LAB_SERVER))
		lab_problem(r, "FIN and ACK were not sent again");
}

void claim_given_up(struct lab_result *r)
{
	if (sent_again(r, LAB_SERVER) < 2)
		lab_problem(r, "the server retransmitted fewer than two times");
	if (wire_ended(r->conn))
		lab_problem(r, "the client answered");
}

void claim_pure_ack(struct lab_result *r)
{
	if (r->close.data_with_ack || r->close.own_fin <= r->close.ack)
		lab_problem(r, "the ACK of the FIN did not leave alone, before the server's FIN");
}

/* A connection begins in quickack mode. Up to Linux 6.4 it takes three answers until it is in
 * ping-pong mode, since then one.
 */
void claim_on_answers(struct lab_result *r)
{
	size_t at[SIDES_QUESTIONS], n = data_segments(r->conn, at, SIDES_QUESTIONS), i;

	if (n != SIDES_QUESTIONS)
		lab_problem(r, "%zu questions were asked, expected %d", n, SIDES_QUESTIONS);
	for (i = SIDES_QUESTIONS / 2; i < n; i++)
		if (!ack_of(r->conn, at[i]) || !ack_of(r->conn, at[i])->len)
			lab_problem(r, "the ACK of question %zu is not on its answer", i + 1);
}

/* the opposite: no ACK of a question waits for the answer */
void claim_pure_acks(struct lab_result *r)
{
	size_t at[SIDES_QUESTIONS], n = data_segments(r->conn, at, SIDES_QUESTIONS), i;

	for (i = 0; i < n; i++)
		if (!ack_of(r->conn, at[i]) || ack_of(r->conn, at[i])->len)
			lab_problem(r, "question %zu was not ACKed before its answer", i + 1);
}

void claim_quick_first(struct lab_result *r)
{
	const struct wire_conn *c = r->conn;
	const struct wire_seg *ack;
	size_t at;

	ack = data_segments(c, &at, 1) ? ack_of(c, at) : NULL;
	if (!ack)
		lab_problem(r, "the first data was not ACKed");
	else
		lab_within(r, "the ACK of the first data left", c->seg[at].ns, ack->ns,
			   (const double[]){ 0, QUICK_MS });
}

void claim_second_segment(struct lab_result *r)
{
	const struct wire_conn *c = r->conn;
	size_t at[64], n = data_segments(c, at, 64), i;

	if (n < 2)
		lab_problem(r, "there are fewer than two segments");
	for (i = at[n - 2]; i < at[n - 1]; i++)
		if (c->seg[i].side == LAB_SERVER)
			lab_problem(r, "the first full-size segment was ACKed by itself");
}

/* The last six delays are 40, 80, 160, 200, 200 and 200 ms, each up to a tick longer. Since Linux
 * 6.7 the maximum can be a tick below the minimum retransmission timeout (tcp_delack_max()).
 */
static void expect_delays(struct lab_result *r, const double expected[], size_t want)
{
	const struct wire_conn *c = r->conn;
	size_t at[64], n = data_segments(c, at, 64), i;
	const struct wire_seg *ack;
	char what[40];

	for (i = 0; i < want; i++) {
		ack = n >= want ? ack_of(c, at[n - want + i]) : NULL;
		snprintf(what, sizeof(what), "delayed ACK %zu left", i + 1);
		if (!ack)
			lab_problem(r, "%s never", what);
		else
			lab_within(r, what, c->seg[at[n - want + i]].ns, ack->ns,
				   (const double[]){ expected[i] - 0.1,
						     expected[i] + (expected[i] < 196 ? 5 : 9) });
	}
}

void claim_backoff(struct lab_result *r)
{
	expect_delays(r, (const double[]){ 40, 80, 160, 196, 196, 196 }, 6);
}

void claim_backoff_from_120(struct lab_result *r)
{
	expect_delays(r, (const double[]){ 120, 120, 160, 196, 196, 196 }, 6);
}
