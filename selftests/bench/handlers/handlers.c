// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a change of a TCP socket's state costs, to the instruction. For make bench.
 *
 * A loopback connection makes ten changes, five at each end. This module makes the same ones on a
 * socket of its own, by the function that the kernel calls, which runs whatever is attached to the
 * tracepoint. It times each call alone, with interrupts off, by a counter that counts instructions
 * under counted time. It measures while it loads. Its parameter "result" then has a line per
 * change:
 *
 *   CHANGE LEAST MEAN
 *
 * The socket is never bound, hashed or connected: only its fields say so.
 */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/timex.h>
#include <net/inet_common.h>
#include <net/sock.h>
#include <net/tcp.h>

#define ROUNDS	20000
#define NOPS	100

static char result[1024];
module_param_string(result, result, sizeof(result), 0444);
MODULE_PARM_DESC(result, "a line per change: its name, the instructions at least, and on average");

static struct tcp_sock *tcp_of(struct sock *sk)
{
	return (struct tcp_sock *)sk;
}

/* All is sent and ACKed, and the windows have room. */
static void connected(struct sock *sk)
{
	struct tcp_sock *tp = tcp_of(sk);

	tp->rcv_nxt = 1000;
	tp->rcv_wup = tp->rcv_nxt;
	tp->copied_seq = tp->rcv_nxt;
	tp->write_seq = 5000;
	tp->snd_nxt = tp->write_seq;
	tp->snd_una = tp->write_seq;
	tp->snd_wnd = 65535;
	tcp_snd_cwnd_set(tp, 10);
	tp->mss_cache = 1448;
	tp->tcp_clock_cache = ktime_get_ns();
	tp->tcp_mstamp = div_u64(tp->tcp_clock_cache, NSEC_PER_USEC);
	tp->delivered_mstamp = tp->tcp_mstamp;
	sock_reset_flag(sk, SOCK_DONE);
}

/* A server's socket is a copy of the listener. */
static void listening(struct sock *sk)
{
	sk->sk_state = TCP_LISTEN;
}

static void fin_received(struct sock *sk)
{
	tcp_of(sk)->rcv_nxt++;
	sock_set_flag(sk, SOCK_DONE);
}

static void fin_sent(struct sock *sk)
{
	struct tcp_sock *tp = tcp_of(sk);

	tp->write_seq++;
	tp->snd_nxt++;
	tp->segs_out++;
	tp->rcv_wup = tp->rcv_nxt;
	tp->tcp_wstamp_ns = tp->tcp_clock_cache;
}

static void fin_acked(struct sock *sk)
{
	tcp_of(sk)->snd_una = tcp_of(sk)->snd_nxt;
}

static struct step {
	const char *name;
	int state;
	void (*before)(struct sock *sk);
	bool process; /* it owns the socket; else a softirq has it locked */
	u64 least;
	u64 sum;
} steps[] = {
	/* the end that closes first */
	{ "CLOSE->SYN_SENT", TCP_SYN_SENT, NULL, true },
	{ "SYN_SENT->ESTABLISHED", TCP_ESTABLISHED, connected },
	{ "ESTABLISHED->FIN_WAIT1", TCP_FIN_WAIT1, NULL, true },
	{ "FIN_WAIT1->FIN_WAIT2", TCP_FIN_WAIT2, fin_sent },
	{ "FIN_WAIT2->CLOSE", TCP_CLOSE, fin_received },
	/* the other end */
	{ "LISTEN->SYN_RECV", TCP_SYN_RECV, listening },
	{ "SYN_RECV->ESTABLISHED", TCP_ESTABLISHED, connected },
	{ "ESTABLISHED->CLOSE_WAIT", TCP_CLOSE_WAIT, fin_received },
	{ "CLOSE_WAIT->LAST_ACK", TCP_LAST_ACK, NULL, true },
	{ "LAST_ACK->CLOSE", TCP_CLOSE, fin_acked },
};

static noinline void no_change(struct sock *sk, int state)
{
}

static noinline u64 timed(void (*change)(struct sock *sk, int state), struct sock *sk, int state)
{
	unsigned long flags;
	cycles_t start, end;

	local_irq_save(flags);
	start = get_cycles();
	change(sk, state);
	end = get_cycles();
	local_irq_restore(flags);
	return end - start;
}

static noinline u64 timed_nops(bool some)
{
	unsigned long flags;
	cycles_t start, end;

	local_irq_save(flags);
	start = get_cycles();
	if (some)
		asm volatile(".rept %c0\n\tnop\n\t.endr" : : "i" (NOPS));
	end = get_cycles();
	local_irq_restore(flags);
	return end - start;
}

/* whether the counter counts instructions, give or take a branch */
static bool counts_instructions(void)
{
	u64 none = timed_nops(false), some = timed_nops(true);

	return some >= none + NOPS - 2 && some <= none + NOPS + 2;
}

static void measure(struct sock *sk)
{
	u64 nothing = timed(no_change, sk, TCP_CLOSE), n;
	struct step *s;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		for (s = steps; s < steps + ARRAY_SIZE(steps); s++) {
			if (s->before)
				s->before(sk);
			sk->sk_lock.owned = s->process;
			n = timed(inet_sk_set_state, sk, s->state) - nothing;
			s->sum += n;
			if (!i || n < s->least)
				s->least = n;
			if (s->state == TCP_LAST_ACK)
				fin_sent(sk);
		}
		cond_resched();
	}
}

static void report(void)
{
	const struct step *s;
	int len = 0;
	u64 tenths;

	for (s = steps; s < steps + ARRAY_SIZE(steps); s++) {
		tenths = div_u64(s->sum * 10 + ROUNDS / 2, ROUNDS);
		len += scnprintf(result + len, sizeof(result) - len, "%s%s %llu %llu.%llu",
				 len ? "\n" : "",
				 s->name, s->least, tenths / 10, tenths % 10);
	}
}

static int __init handlers_init(void)
{
	struct socket *sock;
	int err;

	if (!counts_instructions()) {
		pr_err("handlers: the counter does not count instructions\n");
		return -EOPNOTSUPP;
	}
	/* not sock_create_kern(): the socket holds its namespace, as an application's does */
	err = sock_create(AF_INET, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err;
	lock_sock(sock->sk);
	measure(sock->sk);
	sock->sk->sk_lock.owned = 1;
	connected(sock->sk);
	release_sock(sock->sk);
	sock_release(sock);
	report();
	return 0;
}

static void __exit handlers_exit(void)
{
}

module_init(handlers_init);
module_exit(handlers_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("instructions per change of a TCP socket's state");
