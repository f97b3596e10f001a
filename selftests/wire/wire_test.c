// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests the reader of captures on captures made by hand, segment by segment, so that nothing of
 * TCP or of the module is needed to know the answer.
 */
#include <pcap/pcap.h>
#include <stdlib.h>
#include <unistd.h>

#include "lab/wire.h"
#include "kselftest_harness.h"
#include "packet.h"

#define F WIRE_FIN
#define S WIRE_SYN
#define R WIRE_RST
#define A WIRE_ACK

/* a segment by hand: a and b are the ends of one connection, c and d of another */
struct seg {
	char who;
	uint8_t flags;
	uint32_t seq;
	uint32_t ack;
	size_t len;
};

#define SEGS(...) ((const struct seg[]){ __VA_ARGS__, { 0 } })
#define HANDSHAKE { 'a', S, 99, 0, 0 }, { 'b', S | A, 499, 100, 0 }, { 'a', A, 100, 500, 0 }

FIXTURE(wire)
{
	char path[32];
	char err[200];
	struct wire w;
	int family;
	int linktype;
};

FIXTURE_VARIANT(wire)
{
	int family;
	int linktype;
};

FIXTURE_VARIANT_ADD(wire, ipv4_ethernet) { AF_INET, DLT_EN10MB };
FIXTURE_VARIANT_ADD(wire, ipv6_ethernet) { AF_INET6, DLT_EN10MB };
FIXTURE_VARIANT_ADD(wire, ipv4_raw) { AF_INET, DLT_RAW };
FIXTURE_VARIANT_ADD(wire, ipv4_cooked) { AF_INET, DLT_LINUX_SLL };

FIXTURE_SETUP(wire)
{
	int fd;

	strcpy(self->path, "/tmp/wire_test.XXXXXX");
	fd = mkstemp(self->path);
	ASSERT_GE(fd, 0);
	close(fd);
	memset(&self->w, 0, sizeof(self->w));
	self->family = variant->family;
	self->linktype = variant->linktype;
}

FIXTURE_TEARDOWN(wire)
{
	wire_free(&self->w);
	unlink(self->path);
}

static size_t link_header(int linktype)
{
	return linktype == DLT_EN10MB ? 14 : linktype == DLT_LINUX_SLL ? 16 : 0;
}

static void write_capture(const char *path, int family, int linktype, const struct seg *s)
{
	pcap_t *p = pcap_open_dead_with_tstamp_precision(linktype, 65535,
							 PCAP_TSTAMP_PRECISION_NANO);
	pcap_dumper_t *d = pcap_dump_open(p, path);
	uint8_t buf[PACKET_MAX + 16] = {};
	struct pcap_pkthdr h = { .ts = { 1000, 0 } };
	size_t skip = link_header(linktype);

	for (; s->who; s++) {
		bool first = s->who == 'a' || s->who == 'b';
		bool from = s->who == 'a' || s->who == 'c';
		struct packet pkt = {
			.family = family, .seq = s->seq, .ack = s->ack, .flags = s->flags,
			.len = s->len, .port = { from ? 40000 : 80, from ? 80 : 40000 },
		};

		/* the second connection differs in one byte of an address */
		pkt.addr[0].s6_addr[3] = from ? 1 + !first : 9;
		pkt.addr[1].s6_addr[3] = from ? 9 : 1 + !first;
		h.caplen = skip + packet_build(&pkt, buf + skip);
		h.len = h.caplen;
		h.ts.tv_usec += 1000;
		pcap_dump((u_char *)d, &h, buf);
	}
	pcap_dump_close(d);
	pcap_close(p);
}

#define READ(_segs) \
	write_capture(self->path, self->family, self->linktype, _segs); \
	ASSERT_EQ(0, wire_read(&self->w, self->path, self->err, sizeof(self->err))) \
		TH_LOG("%s", self->err)

TEST_F(wire, three_segments)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', A, 100, 500, 5 }, { 'b', A, 500, 105, 0 },
		  { 'a', F | A, 105, 500, 0 }, { 'b', F | A, 500, 106, 0 },
		  { 'a', A, 106, 501, 0 }));
	ASSERT_EQ(1, self->w.n);
	EXPECT_EQ(8, self->w.conn[0]->n);
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_MERGED, c.outcome);
	EXPECT_EQ(0, c.active);
	EXPECT_EQ(5, c.fin);
	EXPECT_EQ(6, c.ack);
	EXPECT_EQ(6, c.own_fin);
	EXPECT_EQ(3, c.segments);
	EXPECT_FALSE(c.rst);
	EXPECT_TRUE(wire_ended(self->w.conn[0]));
	EXPECT_EQ(1000, self->w.conn[0]->seg[6].ns - self->w.conn[0]->seg[5].ns);
}

TEST_F(wire, four_segments)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', A, 500, 101, 0 },
		  { 'b', F | A, 500, 101, 0 }, { 'a', A, 101, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_EQ(4, c.segments);
	EXPECT_FALSE(c.data_with_ack);
	EXPECT_EQ(4, c.ack);
	EXPECT_EQ(5, c.own_fin);
}

TEST_F(wire, the_server_closes_first)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'b', F | A, 500, 100, 0 }, { 'a', F | A, 100, 501, 0 },
		  { 'b', A, 501, 101, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_MERGED, c.outcome);
	EXPECT_EQ(1, c.active);
}

TEST_F(wire, data_with_the_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 7 }, { 'b', F | A, 500, 108, 9 },
		  { 'a', A, 108, 510, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_MERGED, c.outcome);
	EXPECT_TRUE(c.data_with_ack);
	EXPECT_EQ(3, c.segments);
}

TEST_F(wire, data_before_the_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', A, 500, 101, 9 },
		  { 'b', F | A, 509, 101, 0 }, { 'a', A, 101, 510, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_TRUE(c.data_with_ack);
}

TEST_F(wire, an_ack_of_less_than_the_fin_decides_nothing)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 5 }, { 'b', A, 500, 105, 0 },
		  { 'b', F | A, 500, 106, 0 }, { 'a', A, 106, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_MERGED, c.outcome);
	EXPECT_EQ(5, c.ack);
}

TEST_F(wire, out_of_order_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 105, 500, 0 }, { 'b', A, 500, 100, 0 },
		  { 'a', A, 100, 500, 5 }, { 'b', A, 500, 106, 0 }, { 'b', F | A, 500, 106, 0 },
		  { 'a', A, 106, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_EQ(6, c.ack);
}

TEST_F(wire, retransmissions_do_not_count)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'a', F | A, 100, 500, 0 },
		  { 'b', F | A, 500, 101, 0 }, { 'b', F | A, 500, 101, 0 },
		  { 'a', A, 101, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_MERGED, c.outcome);
	EXPECT_EQ(3, c.segments);
	EXPECT_FALSE(self->w.conn[0]->seg[3].again);
	EXPECT_TRUE(self->w.conn[0]->seg[4].again);
	EXPECT_TRUE(self->w.conn[0]->seg[6].again);
}

TEST_F(wire, reset_instead_of_an_answer)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', R | A, 500, 101, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_UNACKED, c.outcome);
	EXPECT_TRUE(c.rst);
	EXPECT_EQ(1, c.rst_side);
	EXPECT_TRUE(wire_ended(self->w.conn[0]));
}

TEST_F(wire, reset_by_the_active_closer)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', A, 500, 101, 1 },
		  { 'a', R, 101, 0, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_TRUE(c.rst);
	EXPECT_EQ(0, c.rst_side);
}

/* With several CPUs, what one side sent may be captured in another order: a pure ACK that has the
 * sequence number of the FIN was sent before it.
 */
TEST_F(wire, ack_captured_behind_the_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', F | A, 500, 101, 0 },
		  { 'b', A, 500, 101, 0 }, { 'a', A, 101, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_EQ(5, c.ack);
	EXPECT_EQ(4, c.own_fin);
	EXPECT_EQ(4, c.segments);
}

TEST_F(wire, ack_of_what_came_behind_the_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', F | A, 500, 101, 0 },
		  { 'b', A, 501, 101, 0 }, { 'a', A, 101, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_MERGED, c.outcome);
	EXPECT_EQ(4, c.ack);
}

TEST_F(wire, data_captured_behind_the_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', F | A, 510, 101, 0 },
		  { 'b', A, 505, 101, 5 }, { 'b', A, 500, 101, 5 }, { 'a', A, 101, 511, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_EQ(6, c.ack);
	EXPECT_TRUE(c.data_with_ack);
	EXPECT_EQ(5, c.segments);
	EXPECT_FALSE(self->w.conn[0]->seg[5].again);
	EXPECT_FALSE(self->w.conn[0]->seg[6].again);
}

/* a keepalive probe has the sequence number of the last byte that was ACKed */
TEST_F(wire, probe_behind_data)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', A, 500, 101, 1 },
		  { 'a', A, 101, 501, 0 }, { 'b', A, 500, 101, 0 }, { 'a', A, 101, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_EQ(4, c.ack);
	EXPECT_TRUE(c.data_with_ack);
}

TEST_F(wire, probe_behind_an_ack)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', A, 500, 101, 0 },
		  { 'b', A, 499, 101, 0 }, { 'b', F | A, 500, 101, 0 }, { 'a', A, 101, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_EQ(4, c.ack);
}

/* the data was retransmitted after the FIN, with a newer ACK */
TEST_F(wire, data_sent_again_behind_the_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'b', A, 500, 100, 5 }, { 'a', F | A, 100, 500, 0 },
		  { 'b', F | A, 505, 101, 0 }, { 'b', A, 500, 101, 5 }, { 'a', A, 101, 506, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_MERGED, c.outcome);
	EXPECT_TRUE(self->w.conn[0]->seg[6].again);
}

/* two pieces, then both in one segment, then both with the FIN */
TEST_F(wire, pieces_sent_again_as_one)
{
	READ(SEGS(HANDSHAKE, { 'b', A, 500, 100, 5 }, { 'b', A, 505, 100, 5 },
		  { 'b', A, 500, 100, 10 }, { 'b', F | A, 500, 100, 10 }));
	EXPECT_FALSE(self->w.conn[0]->seg[4].again);
	EXPECT_TRUE(self->w.conn[0]->seg[5].again);
	EXPECT_FALSE(self->w.conn[0]->seg[6].again);
}

/* nothing is sent after a RST: the ACK was before it */
TEST_F(wire, ack_captured_behind_a_reset)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', R | A, 500, 101, 0 },
		  { 'b', A, 500, 101, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_EQ(5, c.ack);
	EXPECT_TRUE(c.rst);
	EXPECT_EQ(1, c.rst_side);
}

TEST_F(wire, answer_captured_before_the_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'b', F | A, 500, 101, 0 }, { 'a', F | A, 100, 500, 0 },
		  { 'a', A, 101, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_MERGED, c.outcome);
	EXPECT_EQ(0, c.active);
	EXPECT_EQ(4, c.fin);
	EXPECT_EQ(3, c.ack);
	EXPECT_EQ(3, c.segments);
}

TEST_F(wire, simultaneous)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', F | A, 500, 100, 0 },
		  { 'a', A, 101, 501, 0 }, { 'b', A, 501, 101, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SIMULTANEOUS, c.outcome);
	EXPECT_EQ(4, c.segments);
	EXPECT_TRUE(wire_ended(self->w.conn[0]));
}

TEST_F(wire, no_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', A, 100, 500, 5 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_OPEN, c.outcome);
	EXPECT_EQ(-1, c.active);
	EXPECT_FALSE(wire_ended(self->w.conn[0]));
}

TEST_F(wire, unanswered_fin)
{
	struct wire_close c;

	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_OPEN, c.outcome);
	EXPECT_EQ(0, c.active);
	EXPECT_EQ(c.own_fin, self->w.conn[0]->n);
	EXPECT_FALSE(wire_ended(self->w.conn[0]));
}

TEST_F(wire, sequence_numbers_wrap)
{
	struct wire_close c;

	READ(SEGS({ 'a', S, 0xfffffffe, 0, 0 }, { 'b', S | A, 499, 0xffffffff, 0 },
		  { 'a', F | A, 0xffffffff, 500, 0 }, { 'b', A, 500, 0xffffffff, 0 },
		  { 'b', F | A, 500, 0, 0 }, { 'a', A, 0, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_MERGED, c.outcome);
	EXPECT_EQ(4, c.ack);
}

TEST_F(wire, fin_in_the_syn)
{
	struct wire_close c;

	READ(SEGS({ 'a', S | F, 99, 0, 4 }, { 'b', S | A, 499, 105, 0 }, { 'a', A, 105, 500, 0 },
		  { 'b', F | A, 500, 105, 0 }, { 'a', A, 105, 501, 0 }));
	c = wire_close(self->w.conn[0]);
	EXPECT_EQ(WIRE_SEPARATE, c.outcome);
	EXPECT_EQ(1, c.ack);
}

TEST_F(wire, two_connections_mixed)
{
	READ(SEGS({ 'a', S, 99, 0, 0 }, { 'c', S, 199, 0, 0 }, { 'b', S | A, 499, 100, 0 },
		  { 'd', S | A, 799, 200, 0 }, { 'a', A, 100, 500, 0 }, { 'c', A, 200, 800, 0 },
		  { 'a', F | A, 100, 500, 0 }, { 'c', F | A, 200, 800, 0 }, { 'd', A, 800, 201, 0 },
		  { 'b', F | A, 500, 101, 0 }, { 'd', F | A, 800, 201, 0 }, { 'c', A, 201, 801, 0 },
		  { 'a', A, 101, 501, 0 }));
	ASSERT_EQ(2, self->w.n);
	EXPECT_EQ(WIRE_MERGED, wire_close(self->w.conn[0]).outcome);
	EXPECT_EQ(3, wire_close(self->w.conn[0]).segments);
	EXPECT_EQ(WIRE_SEPARATE, wire_close(self->w.conn[1]).outcome);
	EXPECT_EQ(4, wire_close(self->w.conn[1]).segments);
}

TEST_F(wire, a_port_used_again_is_another_connection)
{
	READ(SEGS(HANDSHAKE, { 'a', F | A, 100, 500, 0 }, { 'b', F | A, 500, 101, 0 },
		  { 'a', A, 101, 501, 0 },
		  { 'a', S, 5000, 0, 0 }, { 'a', S, 5000, 0, 0 }, { 'b', S | A, 8000, 5001, 0 },
		  { 'a', F | A, 5001, 8001, 0 }, { 'b', A, 8001, 5002, 0 }));
	ASSERT_EQ(2, self->w.n);
	EXPECT_EQ(6, self->w.conn[0]->n);
	EXPECT_EQ(5, self->w.conn[1]->n);
	EXPECT_EQ(WIRE_SEPARATE, wire_close(self->w.conn[1]).outcome);
}

TEST(not_a_capture)
{
	char err[200] = "";
	struct wire w;

	EXPECT_EQ(-1, wire_read(&w, "/proc/version", err, sizeof(err)));
	EXPECT_NE(0, strlen(err));
	wire_free(&w);
	EXPECT_EQ(-1, wire_read(&w, "/nonexistent/file", err, sizeof(err)));
	wire_free(&w);
}

TEST(unknown_link_type)
{
	char path[] = "/tmp/wire_test.XXXXXX", err[200] = "";
	struct wire w;
	int fd = mkstemp(path);

	ASSERT_GE(fd, 0);
	close(fd);
	write_capture(path, AF_INET, DLT_PPP, SEGS({ 'a', S, 1, 0, 0 }));
	EXPECT_EQ(-1, wire_read(&w, path, err, sizeof(err)));
	EXPECT_NE(NULL, strstr(err, "link type"));
	wire_free(&w);
	unlink(path);
}

TEST_HARNESS_MAIN
