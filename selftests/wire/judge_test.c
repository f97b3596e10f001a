// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests the judgement of the lab on runs made by hand: what is inconclusive, what is not. A claim
 * that is false must not pass for a busy machine.
 *
 * Each run is a close by the client, seen by the server: the FIN comes at 0, everything else is in
 * milliseconds after it.
 */
#include <stdlib.h>

#include "lab/controls.h"
#include "kselftest_harness.h"

#define EPOCH 1000000000000000000ULL
#define NS(_ms) (EPOCH + (int64_t)((_ms) * 1e6))
#define NEVER -1

FIXTURE(judge)
{
	struct lab_options o;
	struct lab_result r;
	struct wire_conn conn;
	struct wire_seg seg[8];
	struct shows shows;
	char moves[200];
};

FIXTURE_SETUP(judge)
{
	self->r.shared = calloc(1, sizeof(*self->r.shared));
	ASSERT_NE(self->r.shared, NULL);
	self->conn.seg = self->seg;
	self->r.conn = &self->conn;
	self->r.o = &self->o;
}

FIXTURE_TEARDOWN(judge)
{
	free(self->r.shared);
}

static void note(struct lab_result *r, bool server, double ms, const char *text, unsigned int sleep)
{
	struct note *n = &r->shared->note[r->shared->notes++];

	n->ns = NS(ms);
	n->server = server;
	n->sleep_ms = sleep;
	snprintf(n->text, sizeof(n->text), "%s", text);
}

static void segment(struct wire_conn *c, int side, double ms, int flags, int seq, int ack)
{
	c->seg[c->n++] = (struct wire_seg){
		.ns = NS(ms), .side = side, .flags = flags, .seq = seq, .ack = ack,
	};
}

/* the ACK at @ack, if it leaves before the server's close() */
static void close_at(struct lab_result *r, struct wire_conn *c, const char *name, double ack,
		     double read, double sleep, double close)
{
	r->e = lab_find(name);
	segment(c, LAB_CLIENT, 0, WIRE_FIN | WIRE_ACK, 1, 1);
	if (ack != NEVER && ack < close)
		segment(c, LAB_SERVER, ack, WIRE_ACK, 1, 2);
	segment(c, LAB_SERVER, close + 0.1, WIRE_FIN | WIRE_ACK, 1, 2);
	segment(c, LAB_CLIENT, close + 0.2, WIRE_ACK, 2, 2);
	note(r, true, read, "read() = 0", 0);
	if (sleep)
		note(r, true, read + 0.01, "sleeps", sleep);
	note(r, true, close, "close() = 0", 0);
}

/* what lab_judge() makes of it */
#define EXPECT_VERDICT(_verdict) \
({ \
	lab_judge(&self->r); \
	EXPECT_EQ(lab_verdict(&self->r), _verdict) \
		TH_LOG("problem '%s', doubt '%s'", self->r.problem, self->r.doubt); \
})
#define CLOSE(...) close_at(&self->r, &self->conn, __VA_ARGS__)

TEST_F(judge, as_claimed)
{
	CLOSE("merge", NEVER, 0.02, 0, 0.05);
	EXPECT_VERDICT(LAB_HOLDS);
}

/* a server that is late does no harm to a claim that holds all the same */
TEST_F(judge, late_and_as_claimed)
{
	CLOSE("merge", NEVER, 60, 0, 60);
	EXPECT_VERDICT(LAB_HOLDS);
}

TEST_F(judge, false_on_time)
{
	CLOSE("merge", 0.01, 0.02, 0, 0.05);
	EXPECT_VERDICT(LAB_REFUTED);
}

/* later than usual, but not so late that the timer could have sent the ACK */
TEST_F(judge, false_and_a_little_late)
{
	CLOSE("merge", 20, 30, 0, 38);
	EXPECT_VERDICT(LAB_REFUTED);
}

TEST_F(judge, late_to_read)
{
	CLOSE("merge", 41, 60, 0, 60.05);
	EXPECT_VERDICT(LAB_INCONCLUSIVE);
	EXPECT_NE(strstr(self->r.doubt, "the server was 41.0 ms late"), NULL);
	EXPECT_NE(strstr(self->r.doubt, "the wire shows separate"), NULL);
	EXPECT_STREQ(self->r.problem, "");
}

TEST_F(judge, late_to_close)
{
	CLOSE("merge", 41, 0.02, 0, 60);
	EXPECT_VERDICT(LAB_INCONCLUSIVE);
}

/* it was late, but the ACK had left long before: that is not why */
TEST_F(judge, false_and_late_afterwards)
{
	CLOSE("merge", 1, 60, 0, 60.05);
	EXPECT_VERDICT(LAB_REFUTED);
}

/* little by little */
TEST_F(judge, late_twice)
{
	CLOSE("merge", 41, 21, 0, 42);
	EXPECT_VERDICT(LAB_INCONCLUSIVE);
}

/* what came in before the FIN does not matter */
TEST_F(judge, late_before)
{
	segment(&self->conn, LAB_CLIENT, -900, WIRE_ACK | WIRE_PSH, -4, 1);
	self->seg[0].len = 5;
	note(&self->r, true, -500, "read() = 5", 0);
	CLOSE("merge", 0.01, 0.02, 0, 0.05);
	EXPECT_VERDICT(LAB_REFUTED);
}

/* nor how late a server is that has nothing to do before the ACK */
TEST_F(judge, late_where_it_does_not_matter)
{
	CLOSE("slow-close", 70, 0.02, 100, 190);
	EXPECT_VERDICT(LAB_REFUTED);
}

/* a sleep that the experiment has is no delay */
TEST_F(judge, sleep)
{
	CLOSE("slow-close", 20, 0.02, 100, 100.1);
	EXPECT_VERDICT(LAB_REFUTED);
}

/* the ACK is 16 ms late, and so much was the lab kept from running while it was due */
TEST_F(judge, machine_stood_still)
{
	lab_stall(&self->r, NS(38), NS(55));
	CLOSE("slow-close", 60, 0.02, 100, 100.1);
	EXPECT_VERDICT(LAB_INCONCLUSIVE);
	EXPECT_NE(strstr(self->r.doubt, "60.000 ms later"), NULL);
}

/* so much, but not then */
TEST_F(judge, machine_stood_still_earlier)
{
	lab_stall(&self->r, NS(-30), NS(3));
	lab_stall(&self->r, NS(61), NS(90));
	CLOSE("slow-close", 60, 0.02, 100, 100.1);
	EXPECT_VERDICT(LAB_REFUTED);
}

TEST_F(judge, machine_stood_still_too_shortly)
{
	lab_stall(&self->r, NS(40), NS(50));
	CLOSE("slow-close", 60, 0.02, 100, 100.1);
	EXPECT_VERDICT(LAB_REFUTED);
}

/* it makes nothing early, nor changes the outcome */
TEST_F(judge, machine_stood_still_and_false)
{
	lab_stall(&self->r, NS(-100), NS(200));
	CLOSE("slow-close", 20, 0.02, 100, 100.1);
	EXPECT_VERDICT(LAB_REFUTED);
}

TEST_F(judge, machine_stood_still_and_merged)
{
	lab_stall(&self->r, NS(-100), NS(200));
	CLOSE("slow-close", NEVER, 0.02, 100, 100.1);
	EXPECT_VERDICT(LAB_REFUTED);
}

/* the client slept too long, or did not meet the tick */
TEST_F(judge, client_late)
{
	note(&self->r, false, -1000, "sleeps 1000 ms", 1000);
	self->r.shared->note[0].late_ns = 2000000;
	CLOSE("no-data-fast", 1, 0.02, 0, 2);
	EXPECT_VERDICT(LAB_INCONCLUSIVE);
	EXPECT_NE(strstr(self->r.doubt, "the client was 2.0 ms late"), NULL);
}

TEST_F(judge, client_late_where_it_does_not_matter)
{
	note(&self->r, false, -1000, "sleeps 1000 ms", 1000);
	self->r.shared->note[0].late_ns = 200000000;
	CLOSE("merge", 1, 0.02, 0, 2);
	EXPECT_VERDICT(LAB_REFUTED);
}

TEST_F(judge, capture_with_gaps)
{
	self->r.lost = true;
	CLOSE("merge", NEVER, 0.02, 0, 0.05);
	EXPECT_VERDICT(LAB_INCONCLUSIVE);
	EXPECT_STREQ(self->r.doubt, "the capture lost packets");
}

/* run unlike the claim: wire, counters and application agree however late a side is */
TEST_F(judge, agreement)
{
	self->o.changed = true;
	CLOSE("merge", 41, 60, 0, 60.05);
	note(&self->r, true, 61, "failed: something", 0);
	self->r.shared->note[2].failed = true;
	EXPECT_VERDICT(LAB_REFUTED);
}

static void count(struct lab_result *r, const char *name)
{
	struct counters *c = &r->after[LAB_SERVER];

	r->have_counters = true;
	snprintf(c->row[c->n].name, sizeof(c->row[c->n].name), "%s", name);
	c->row[c->n++].value = 1;
}

TEST_F(judge, late_and_counted)
{
	CLOSE("merge", 41, 60, 0, 60.05);
	count(&self->r, "FinAckSeparate");
	EXPECT_VERDICT(LAB_INCONCLUSIVE);
}

/* the counters are wrong, however late the server was */
TEST_F(judge, late_and_miscounted)
{
	CLOSE("merge", 41, 60, 0, 60.05);
	count(&self->r, "FinAckMerged");
	EXPECT_VERDICT(LAB_REFUTED);
}

/* how late the server may be depends on the control */
static void under(struct lab_options *o, const char *control, const char *experiment,
		  struct shows *s, char *moves, size_t size)
{
	const struct control *c = controls;

	while (strcmp(c->name, control))
		c++;
	control_shows(c, lab_find(experiment), s, moves, size);
	o->shows = s;
}

#define UNDER(_control, _experiment) \
	under(&self->o, _control, _experiment, &self->shows, self->moves, sizeof(self->moves))

TEST_F(judge, held_in_vain)
{
	UNDER("held", "slow-close");
	CLOSE("slow-close", 150, 0.02, 100, 160);
	EXPECT_VERDICT(LAB_INCONCLUSIVE);
}

TEST_F(judge, not_held)
{
	UNDER("held", "slow-close");
	CLOSE("slow-close", 41, 0.02, 100, 140);
	EXPECT_VERDICT(LAB_REFUTED);
}

TEST_F(judge, acked_at_once_however_late)
{
	UNDER("at-once", "merge");
	CLOSE("merge", 41, 60, 0, 60.05);
	EXPECT_VERDICT(LAB_REFUTED);
}

TEST_F(judge, at_most_12_ms)
{
	UNDER("at-most", "merge");
	CLOSE("merge", 13, 0.02, 0, 20);
	EXPECT_VERDICT(LAB_INCONCLUSIVE);
}

TEST_HARNESS_MAIN
