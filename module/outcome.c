// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a socket says of the two FINs of a passive close at a transition: whether the peer's is
 * ACKed, and what becomes of ours. This only reads the socket. What it needs from earlier is in the
 * record.
 *
 * It relies on these facts, all in the kernel's net/ipv4:
 *  - segs_out counts every segment, data_segs_out those with data (__tcp_transmit_skb);
 *  - sk_write_queue holds only what was never sent; tcp_send_fin() puts the FIN on its last skb,
 *    or makes one if the queue is empty, and pushes with Nagle off.
 */
#include <net/tcp.h>

#include "outcome.h"

/**
 * finack_fin_left() - whether our FIN, which had to wait, has left since it was queued
 * @sk: the socket, in LAST_ACK
 * @rec: its record
 *
 * Under memory pressure tcp_send_fin() puts the FIN on data that was already sent, and advances
 * snd_nxt over it all the same. So a segment must have been sent since, too.
 *
 * Return: true if so.
 */
bool finack_fin_left(const struct sock *sk, const struct finack_rec *rec)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->snd_nxt == tp->write_seq && tp->segs_out != rec->segs_out;
}

/**
 * finack_sent_ns() - when something left, after the fact
 * @sk: the socket
 * @seq: its sequence number
 * @last: nothing was sent after it
 *
 * The retransmission queue has the time of each packet that is not ACKed. For a packet that has
 * left this queue, tcp_wstamp_ns is used: the time of the last packet sent, or, if the socket is
 * paced, of the next one.
 *
 * Return: the time (ktime), or 0 if that cannot be told any more.
 */
u64 finack_sent_ns(const struct sock *sk, u32 seq, bool last)
{
	const struct rb_node *node = sk->tcp_rtx_queue.rb_node;

	while (node) {
		const struct sk_buff *skb = rb_to_skb(node);

		if (before(seq, TCP_SKB_CB(skb)->seq))
			node = node->rb_left;
		else if (!before(seq, TCP_SKB_CB(skb)->end_seq))
			node = node->rb_right;
		else
			return TCP_SKB_CB(skb)->sacked & TCPCB_EVER_RETRANS ? 0 :
									      skb->skb_mstamp_ns;
	}
	return last && sk->sk_pacing_status == SK_PACING_NONE ? tcp_sk(sk)->tcp_wstamp_ns : 0;
}

/* Whether the interface takes several segments as one packet, so that a capture shows one. */
static bool segments_in_hardware(const struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get((struct sock *)sk);

	return dst && net_gso_ok(READ_ONCE(dst->dev->features), sk->sk_gso_type);
}

/* How many segments of full size tcp_write_xmit() sends as one packet at most (tcp_cwnd_test,
 * tcp_tso_segs). A congestion control's own minimum is ignored: it could only raise the number.
 */
static u32 packet_segs(const struct sock *sk, u32 mss)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 rtt = tcp_min_rtt(tp) >> READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_tso_rtt_log);
	unsigned long bytes = READ_ONCE(sk->sk_pacing_rate) >> READ_ONCE(sk->sk_pacing_shift);
	u32 segs;

	if (rtt < BITS_PER_TYPE(sk->sk_gso_max_size))
		bytes += sk->sk_gso_max_size >> rtt;
	segs = min_t(unsigned long, bytes, sk->sk_gso_max_size) / mss;
	if (!inet_csk(sk)->icsk_ca_ops->min_tso_segs)
		segs = max_t(u32, segs, READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_min_tso_segs));
	return min3(segs, (u32)sk->sk_gso_max_segs, max(tcp_snd_cwnd(tp) >> 1, 1U));
}

/* Whether too much is queued below TCP, by the strictest form of tcp_small_queue_check(). */
static bool queue_full(const struct sock *sk)
{
	const struct rb_node *first = sk->tcp_rtx_queue.rb_node;
	unsigned long limit = READ_ONCE(sk->sk_pacing_rate) >> READ_ONCE(sk->sk_pacing_shift);

	if (!first || (!first->rb_left && !first->rb_right))
		return false;
	limit = min_t(unsigned long, limit,
		      READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_limit_output_bytes));
	return refcount_read(&sk->sk_wmem_alloc) > limit;
}

/* Whether tcp_send_fin() will put the FIN on data that was already sent and wait for its
 * retransmission, as it does under memory pressure.
 */
static bool fin_on_sent_data(const struct sock *sk)
{
	return !tcp_send_head(sk) && !tcp_rtx_queue_empty(sk) && tcp_under_memory_pressure(sk);
}

/* The segments of the one packet that carries our FIN and what is before it; 0 if it takes more
 * than one packet, or a retransmission.
 */
static u32 fin_segs(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb = tcp_send_head(sk);
	u32 mss = max(tp->mss_cache, 1U), segs;

	if (!skb)
		return !fin_on_sent_data(sk);
	segs = max(DIV_ROUND_UP(tp->write_seq - tp->snd_nxt, mss), 1U);
	/* small unsent buffers can be joined before they leave (tcp_grow_skb, since 6.10) */
	if (segs > 1 && (!tcp_skb_is_last(sk, skb) || !segments_in_hardware(sk) ||
			 segs > packet_segs(sk, mss)))
		return 0;
	return segs;
}

/**
 * finack_fin_leaves_now() - whether the first segment sent from here on carries our FIN
 * @sk: the socket, just before tcp_send_fin()
 * @segs: set to the segments of the one packet that carries our FIN and what is before it; 0 if it
 *	takes more than one packet, or a retransmission
 *
 * Makes the checks of tcp_write_xmit() in advance, in doubt against the FIN: no unsent data in a
 * buffer before the FIN's, the peer's window reaches to the FIN's end, the congestion window has
 * room (kernels before 6.12 let a lone FIN pass even without), no pacing delay, no full queue.
 *
 * Return: true if so; else the FIN may have to wait, or data goes before it.
 */
bool finack_fin_leaves_now(const struct sock *sk, u32 *segs)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb = tcp_send_head(sk);
	u32 room = fin_segs(sk);

	*segs = room;
	if (!room || (skb && !tcp_skb_is_last(sk, skb)))
		return false;
	if (after(tp->write_seq + 1, tcp_wnd_end(tp)))
		return false;
	/* several segments that fill it exactly may be held back (tcp_tso_should_defer) */
	if (room > 1)
		room++;
	if (tcp_packets_in_flight(tp) + room > tcp_snd_cwnd(tp))
		return false;
	if (sk->sk_pacing_status == SK_PACING_NEEDED && tp->tcp_wstamp_ns > tcp_clock_ns())
		return false;
	return !queue_full(sk);
}

/**
 * finack_outcome_late() - the outcome of a close whose FIN did not leave at once
 * @sk: the socket, in LAST_ACK
 * @rec: its record, as left when the FIN was queued
 * @again: what was just retransmitted, for the first time since; NULL when the connection ends
 *
 * Counts the segments sent since the FIN was queued, without the retransmission. If they are those
 * of the FIN and of what was queued before it, all went as one packet, which carried the ACK. If
 * they are others, the first was a pure ACK (the delayed-ACK timer, a window probe) or data. If
 * there are none, the retransmission itself was the first, if there was one.
 *
 * Return: FINACK_MERGED, FINACK_SEPARATE or FINACK_UNACKED.
 */
enum finack_mib_id finack_outcome_late(const struct sock *sk, const struct finack_rec *rec,
				       const struct sk_buff *again)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 sent = tp->segs_out - rec->segs_out;

	if (again) {
		if (sent <= tcp_skb_pcount(again))
			return TCP_SKB_CB(again)->tcp_flags & TCPHDR_FIN ? FINACK_MERGED :
									   FINACK_SEPARATE;
		sent -= tcp_skb_pcount(again);
	}
	if (!sent)
		return FINACK_UNACKED;
	return sent == rec->segs && tp->snd_nxt == tp->write_seq ? FINACK_MERGED :
								   FINACK_SEPARATE;
}
