// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stalls: one side waits for an ACK that the other one delays.
 *
 * Ours was late (local). The delayed-ACK timer sends an ACK of data, and the peer's next data comes
 * within the shortest round trip and a tick, without that we have sent anything meanwhile: the peer
 * had waited for that ACK. If it echoes our timestamps, data that was under way already is told
 * apart. What was lost is the time from the data to the ACK.
 *
 * The peer's was late (peer). A segment comes that ACKs all that is in flight, none of it sent
 * again, while data is queued that Nagle's algorithm held back, and longer ago than the shortest
 * round trip and LEAST_NS something was sent for the last time. What was lost is that time less the
 * shortest round trip.
 *
 * The socket is locked and only read. Between the timer's ACK and the next data something has to be
 * remembered. That is a word in a table with a place for each hash of a socket: if another
 * socket's timer sends an ACK in between and has the same place, the first one's stall is missed.
 */
#include <linux/hash.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <net/tcp.h>

#include "compat.h"
#include "hist.h"
#include "net.h"
#include "port.h"
#include "stall.h"
#include "trace.h"

/* The least that a peer delays an ACK: Linux 40 ms (HZ/25), and a tick of up to 10 ms may have
 * begun; others more.
 */
#define LEAST_NS	(32 * (s64)NSEC_PER_MSEC)

/*
 * A word remembers that the delayed-ACK timer has sent an ACK:
 * bits 40 to 63 tell whose, 20 to 39 when, 0 to 19 how late. Times are microseconds, the first
 * one modulo a second.
 */
#define MARK_BITS	20
#define MARK_MASK	((1ULL << MARK_BITS) - 1)
#define PLACES_BITS	12

static u64 *marks;

/* how far the time of the timer's ACK may be from the socket's own for what it sent last */
#define SAME_US		1000

/* the bits that tell whose a mark is, and those of its place; hash_64() has too few */
static u64 hash_of(const struct sock *sk)
{
	return ((u64)(unsigned long)sk * GOLDEN_RATIO_64) >> (2 * MARK_BITS - PLACES_BITS);
}

static u64 *place_of(u64 hash)
{
	return &marks[hash & ((1 << PLACES_BITS) - 1)];
}

/** finack_stalls_init() - make the table. Return: 0, or -ENOMEM. */
int finack_stalls_init(void)
{
	marks = kvcalloc(1 << PLACES_BITS, sizeof(*marks), GFP_KERNEL);
	return marks ? 0 : -ENOMEM;
}

/** finack_stalls_exit() - free it; no hook may run any more */
void finack_stalls_exit(void)
{
	kvfree(marks);
}

/**
 * finack_stalls_begin() - a namespace wants its stalls counted
 * @fn: the namespace; its knobs are locked, or it is being made
 *
 * They stay until the namespace goes. May sleep.
 *
 * Return: 0, or -ENOMEM.
 */
int finack_stalls_begin(struct finack_net *fn)
{
	struct finack_stalls __percpu *new;

	if (fn->stalls)
		return 0;
	new = alloc_percpu_gfp(struct finack_stalls, GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	smp_store_release(&fn->stalls, new); /* pairs with the address dependency of who reads it */
	return 0;
}

/**
 * finack_stalls_end() - a namespace is gone
 * @fn: the namespace
 */
void finack_stalls_end(struct finack_net *fn)
{
	free_percpu(fn->stalls);
}

/* The whole milliseconds of what was left over before and of @us. The rest is left over. */
static unsigned long whole_ms(u16 __percpu *left, u64 us)
{
	unsigned long flags, ms;
	u32 rest;

	local_irq_save(flags);
	ms = div_u64_rem(us + __this_cpu_read(*left), USEC_PER_MSEC, &rest);
	__this_cpu_write(*left, rest);
	local_irq_restore(flags);
	return ms;
}

static void count(struct finack_net *fn, struct sock *sk, enum finack_side side, u64 lost_us)
{
	struct finack_stalls __percpu *s = READ_ONCE(fn->stalls);
	unsigned int row = finack_port_of(fn, sk);
	unsigned long ms;

	ms = whole_ms(row ? &finack_ports.rows[row].cpu->us[side] : &s->us[side], lost_us);
	this_cpu_inc(s->lost[side].count[finack_hist_bucket(lost_us)]);
	this_cpu_add(s->lost[side].sum, lost_us);
	this_cpu_add(s->ms[side], ms);
	finack_port_stall(row, side, ms);
	trace_finack_stall(sk, side, lost_us);
}

/* The time since the last data came, in nanoseconds. The clock of the socket tells it exactly if
 * nothing has happened since; what has happened is seen by the coarse one.
 */
static u64 since_data(const struct sock *sk, u64 now)
{
	u64 exact = now - tcp_sk(sk)->tcp_clock_cache;
	u64 ticks = tcp_jiffies32 - inet_csk(sk)->icsk_ack.lrcvtime;

	return exact + TICK_NSEC < ticks * TICK_NSEC ? ticks * TICK_NSEC : exact;
}

/**
 * finack_timer_sends() - whether the delayed-ACK timer sends an ACK of data
 * @sk: the socket, not closing by the peer's FIN; tcp_delack_timer_handler() just entered
 *
 * It does on the conditions of that function.
 *
 * Return: true if so.
 */
bool finack_timer_sends(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const u8 sends = ICSK_ACK_TIMER | ICSK_ACK_SCHED;
	const struct tcp_sock *tp = tcp_sk(sk);

	return 1 << sk->sk_state & (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2) &&
	       (icsk->icsk_ack.pending & sends) == sends && !tp->compressed_ack &&
	       tp->rcv_wup != tp->rcv_nxt && !time_after(finack_delack_timeout(icsk), jiffies);
}

/**
 * finack_stall_timer() - the delayed-ACK timer sends an ACK of data
 * @sk: the socket, tcp_delack_timer_handler() just entered
 *
 * After our FIN no data is looked at, so then nothing is remembered.
 */
void finack_stall_timer(const struct sock *sk)
{
	struct finack_net *fn = finack_net_of(sk);
	int detail = fn ? READ_ONCE(fn->knobs.detail) : 0;
	u64 now, hash, late;

	if (!detail)
		return;
	finack_inc(fn, FINACK_TIMER_ACK);
	finack_port_inc(finack_port_of(fn, sk), FINACK_PORT_TIMER_ACK);
	if (detail < FINACK_DETAIL_STALLS || sk->sk_state != TCP_ESTABLISHED)
		return;
	now = ktime_get_ns();
	late = min_t(u64, finack_hist_us(since_data(sk, now)), MARK_MASK);
	hash = hash_of(sk);
	WRITE_ONCE(*place_of(hash), (hash >> PLACES_BITS) << (2 * MARK_BITS) |
				    (finack_hist_us(now) & MARK_MASK) << MARK_BITS | late);
}

/* the shortest round trip, in nanoseconds; 0 if none was measured */
static s64 shortest_trip(const struct sock *sk)
{
	u32 us = tcp_min_rtt(tcp_sk(sk));

	return us == ~0U ? 0 : us * (s64)NSEC_PER_USEC;
}

/**
 * finack_is_answer() - whether data can be the answer to what we sent last
 * @sk: the socket
 * @stamped: the data has a timestamp (RFC 7323)
 * @echo: its echo of ours, as it stands in the segment
 *
 * It comes within the shortest round trip and a tick, and if its timestamps tell, it was not under
 * way before.
 *
 * Return: true if so.
 */
bool finack_is_answer(const struct sock *sk, bool stamped, u32 echo)
{
	u64 sent = tcp_sk(sk)->tcp_wstamp_ns;

	return (s64)(ktime_get_ns() - sent) <= shortest_trip(sk) + (s64)TICK_NSEC &&
	       !(stamped && (s32)(echo - finack_tsval(tcp_sk(sk), sent)) < 0);
}

/* the echo of our timestamps in a segment, where all common systems put it
 * (tcp_parse_aligned_timestamp)
 */
static bool has_echo(const struct sock *sk, const struct sk_buff *skb, u32 *echo)
{
	const __be32 stamp = htonl(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 | TCPOPT_TIMESTAMP << 8 |
				   TCPOLEN_TIMESTAMP);
	const __be32 *option = (const __be32 *)(tcp_hdr(skb) + 1);

	if (!tcp_sk(sk)->rx_opt.tstamp_ok ||
	    tcp_hdrlen(skb) < sizeof(struct tcphdr) + TCPOLEN_TSTAMP_ALIGNED || *option != stamp)
		return false;
	*echo = ntohl(option[2]);
	return true;
}

/* Data has come. Had the peer waited for our ACK? */
static void local_stall(struct finack_net *fn, struct sock *sk, const struct sk_buff *skb)
{
	u64 sent = tcp_sk(sk)->tcp_wstamp_ns, hash = hash_of(sk), *place = place_of(hash);
	u64 mark = READ_ONCE(*place), off, ago;
	bool stamped;
	u32 echo = 0;

	if (likely(!mark || mark >> (2 * MARK_BITS) != hash >> PLACES_BITS))
		return;
	WRITE_ONCE(*place, 0); /* another one's may be lost with it */
	/* what was sent last is that ACK */
	off = (finack_hist_us(sent) - (mark >> MARK_BITS)) & MARK_MASK;
	if (min(off, MARK_MASK + 1 - off) > SAME_US)
		return;
	/* and not data that left just behind it, to which the peer answers now */
	ago = ktime_get_ns() - sent;
	if ((u64)(tcp_jiffies32 - tcp_sk(sk)->lsndtime) * TICK_NSEC <= ago + TICK_NSEC)
		return;
	stamped = has_echo(sk, skb, &echo);
	if (finack_is_answer(sk, stamped, echo))
		count(fn, sk, FINACK_SIDE_LOCAL, mark & MARK_MASK);
}

/* whether a segment that was not full is in flight (tcp_minshall_check()) */
static bool small_in_flight(const struct tcp_sock *tp)
{
	return after(tp->snd_sml, tp->snd_una) && !after(tp->snd_sml, tp->snd_nxt);
}

/* Whether data is queued that only Nagle's algorithm holds back (tcp_nagle_test()). */
static bool held_by_nagle(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb = tcp_send_head(sk);

	return skb && tcp_skb_is_last(sk, skb) && skb->len < tp->mss_cache && !tp->nonagle &&
	       small_in_flight(tp) && tp->snd_una == tp->snd_up &&
	       !(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN) &&
	       !after(TCP_SKB_CB(skb)->end_seq, tcp_wnd_end(tp)) &&
	       tcp_packets_in_flight(tp) < tcp_snd_cwnd(tp);
}

/* A segment has come that ACKs all that is in flight. Had we waited for it? */
static void peer_stall(struct finack_net *fn, struct sock *sk)
{
	const struct sk_buff *last = tcp_rtx_queue_tail(sk);
	s64 lost;

	if (!last || TCP_SKB_CB(last)->sacked & TCPCB_EVER_RETRANS || tcp_sk(sk)->retrans_out ||
	    inet_csk(sk)->icsk_ca_state >= TCP_CA_Recovery || !held_by_nagle(sk))
		return;
	lost = ktime_get_ns() - last->skb_mstamp_ns - shortest_trip(sk);
	if (lost >= LEAST_NS)
		count(fn, sk, FINACK_SIDE_PEER, finack_hist_us(lost));
}

/**
 * finack_stall_segment() - a segment has come on an established connection
 * @sk: the socket, tcp_rcv_established() just entered; preemption is off
 * @skb: the segment
 */
void finack_stall_segment(struct sock *sk, const struct sk_buff *skb)
{
	struct finack_net *fn = finack_net_of(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u8 flags = TCP_SKB_CB(skb)->tcp_flags;

	if (!fn || READ_ONCE(fn->knobs.detail) < FINACK_DETAIL_STALLS || !READ_ONCE(fn->stalls))
		return;
	if (TCP_SKB_CB(skb)->seq == tp->rcv_nxt && skb->len > tcp_hdrlen(skb))
		local_stall(fn, sk, skb);
	if (tp->packets_out && TCP_SKB_CB(skb)->ack_seq == tp->snd_nxt &&
	    (flags & (TCPHDR_ACK | TCPHDR_RST)) == TCPHDR_ACK)
		peer_stall(fn, sk);
}

static void sum_up(const struct finack_net *fn, struct finack_stalls *sum)
{
	/* pairs with finack_stalls_begin() */
	struct finack_stalls __percpu *s = smp_load_acquire(&fn->stalls);
	int cpu, side, i;

	memset(sum, 0, sizeof(*sum));
	if (!s)
		return;
	for_each_possible_cpu(cpu) {
		const struct finack_stalls *one = per_cpu_ptr(s, cpu);

		for (side = 0; side < __FINACK_SIDE_MAX; side++) {
			sum->ms[side] += READ_ONCE(one->ms[side]);
			sum->lost[side].sum += READ_ONCE(one->lost[side].sum);
			for (i = 0; i < FINACK_HIST_BUCKETS; i++)
				sum->lost[side].count[i] += READ_ONCE(one->lost[side].count[i]);
		}
	}
}

/**
 * finack_stalls_sum() - the counters of stalls
 * @fn: whose
 * @sum: set to how many, and their milliseconds, for each &enum finack_side
 */
void finack_stalls_sum(const struct finack_net *fn, unsigned long *sum)
{
	struct finack_stalls all;
	int side, i;

	sum_up(fn, &all);
	for (side = 0; side < __FINACK_SIDE_MAX; side++) {
		sum[2 * side] = 0;
		for (i = 0; i < FINACK_HIST_BUCKETS; i++)
			sum[2 * side] += all.lost[side].count[i];
		sum[2 * side + 1] = all.ms[side];
	}
}

/* in the order of the file, after those of mib.c, and of finack_stalls_sum(); names are stable */
static const char * const stall_names[] = {
	"FinAckStall",
	"FinAckStallMs",
	"FinAckPeerStall",
	"FinAckPeerStallMs",
};

static_assert(ARRAY_SIZE(stall_names) == FINACK_STALL_COUNTS);

/**
 * finack_stalls_show() - write the counters of stalls, as finack_mib_show() does
 * @seq: where to
 * @fn: whose
 */
void finack_stalls_show(struct seq_file *seq, const struct finack_net *fn)
{
	unsigned long sum[FINACK_STALL_COUNTS];
	int i;

	finack_stalls_sum(fn, sum);
	for (i = 0; i < FINACK_STALL_COUNTS; i++)
		finack_mib_line(seq, stall_names[i], sum[i]);
}

/**
 * finack_stalls_show_lost() - write the histograms of the time lost, as finack_hist_show() does
 * @seq: where to
 * @fn: whose
 */
void finack_stalls_show_lost(struct seq_file *seq, const struct finack_net *fn)
{
	struct finack_stalls sum;

	sum_up(fn, &sum);
	finack_hist_line(seq, "FinAckStallTime", &sum.lost[FINACK_SIDE_LOCAL]);
	finack_hist_line(seq, "FinAckPeerStallTime", &sum.lost[FINACK_SIDE_PEER]);
}
