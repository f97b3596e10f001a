// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/finack_waiting: one line per passive close of the reader's network namespace that still
 * owes our FIN.
 *
 * A position in the file is a position in the record table. A close keeps its record from its begin
 * to its end. So a reader meets it at most once, however many others begin and end meanwhile. A
 * reference on each socket is held while its line is written.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/uidgid.h>

#include "files.h"
#include "net.h"
#include "outcome.h"
#include "reason.h"
#include "track.h"

/**
 * struct waiting - a reader
 * @p: its namespace; must be the first member
 * @sk: the socket it is at, with a reference; NULL for none
 * @rec: a copy of the socket's record
 */
struct waiting {
	struct seq_net_private p;
	struct sock *sk;
	struct finack_rec rec;
};

static void let_go(struct waiting *w)
{
	if (w->sk)
		sock_put(w->sk);
	w->sk = NULL;
}

/* In LAST_ACK our FIN is queued. It has left if nothing remains to be sent. */
static bool owes_fin(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	int state = READ_ONCE(sk->sk_state);

	return state == TCP_CLOSE_WAIT ||
	       (state == TCP_LAST_ACK && READ_ONCE(tp->snd_nxt) != READ_ONCE(tp->write_seq));
}

/* Whether a namespace has any records: closes in CLOSE_WAIT, or whose FIN has not left yet. */
static bool has_any(const struct finack_net *fn)
{
	return finack_mib_close_wait(fn) || atomic_read(&fn->late);
}

/* finds the first entry at or after *pos, and moves *pos to it; position 0 is the header line */
static void *seek(struct seq_file *seq, loff_t *pos)
{
	struct net *net = seq_file_net(seq);
	struct waiting *w = seq->private;

	let_go(w);
	for (;; ++*pos) {
		*pos = finack_track_next(*pos - 1) + 1;
		if (*pos > finack_track_slots())
			return NULL;
		w->sk = finack_track_get(*pos - 1, net, &w->rec);
		if (w->sk && owes_fin(w->sk))
			return w;
		let_go(w);
		cond_resched();
	}
}

/* A reader in a namespace without records must not walk through the table, which all share: neither
 * after the header line nor when a later read() begins there.
 */
static void *waiting_start(struct seq_file *seq, loff_t *pos)
{
	if (!*pos)
		return SEQ_START_TOKEN;
	return has_any(finack_net(seq_file_net(seq))) ? seek(seq, pos) : NULL;
}

static void *waiting_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	if (v == SEQ_START_TOKEN && !has_any(finack_net(seq_file_net(seq))))
		return NULL;
	return seek(seq, pos);
}

static void waiting_stop(struct seq_file *seq, void *v)
{
	let_go(seq->private);
}

/* the number of bytes that were not read yet, counted as by SIOCINQ: without the FIN */
static u32 unread(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 n = READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->copied_seq);

	return n && sock_flag(sk, SOCK_DONE) ? n - 1 : n;
}

/* Perhaps no hook saw the ACK leave. If only data was sent since the FIN, data carried the ACK. */
static const char *ack_state(const struct waiting *w, const struct finack_net *fn)
{
	const struct tcp_sock *tp = tcp_sk(w->sk);
	u32 data = READ_ONCE(tp->data_segs_out) - w->rec.data_segs_out;

	if (w->rec.reason)
		return finack_reason_name(w->rec.reason);
	if (!finack_fin_acked(w->sk))
		return "-";
	if (READ_ONCE(fn->knobs.detail) && data &&
	    data == READ_ONCE(tp->segs_out) - w->rec.segs_out)
		return finack_reason_name(FINACK_SEP_DATA);
	return "unknown";
}

/* Whether somebody has the socket: accept() gives it a struct socket (sock_graft), close() takes
 * that away and notes that it did (sock_orphan). A socket without either was not accepted yet. Both
 * are written under this lock. Without it, one that is just closed might look like that.
 */
static const char *owner_state(struct sock *sk)
{
	const char *state = "open";

	read_lock_bh(&sk->sk_callback_lock);
	if (!sk->sk_socket)
		state = sock_flag(sk, SOCK_DEAD) ? "closed" : "unaccepted";
	read_unlock_bh(&sk->sk_callback_lock);
	return state;
}

static int waiting_show(struct seq_file *seq, void *v)
{
	const struct waiting *w = v;
	struct sock *sk;
	u64 age;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, "age_ms family local lport remote rport ack unread uid inode owner\n");
		return 0;
	}
	sk = w->sk;
	age = max_t(s64, ktime_get_ns() - w->rec.fin_ns, 0);
	seq_printf(seq, "%llu ", div_u64(age, NSEC_PER_MSEC));
	if (IS_ENABLED(CONFIG_IPV6) && sk->sk_family == AF_INET6)
		seq_printf(seq, "ipv6 %pI6c %u %pI6c %u", &sk->sk_v6_rcv_saddr,
			   ntohs(inet_sk(sk)->inet_sport), &sk->sk_v6_daddr,
			   ntohs(inet_sk(sk)->inet_dport));
	else
		seq_printf(seq, "ipv4 %pI4 %u %pI4 %u", &inet_sk(sk)->inet_saddr,
			   ntohs(inet_sk(sk)->inet_sport), &inet_sk(sk)->inet_daddr,
			   ntohs(inet_sk(sk)->inet_dport));
	seq_printf(seq, " %s %u %u %llu %s\n", ack_state(w, finack_net(seq_file_net(seq))),
		   unread(sk),
		   from_kuid_munged(seq_user_ns(seq), READ_ONCE(sk->sk_uid)),
		   (u64)sock_i_ino(sk), owner_state(sk));
	return 0;
}

static const struct seq_operations waiting_ops = {
	.start = waiting_start,
	.next = waiting_next,
	.stop = waiting_stop,
	.show = waiting_show,
};

/**
 * finack_waiting_init() - create the file of a namespace
 * @net: the namespace
 *
 * Return: the file, or NULL.
 */
struct proc_dir_entry *finack_waiting_init(struct net *net)
{
	return proc_create_net("finack_waiting", 0444, net->proc_net, &waiting_ops,
			       sizeof(struct waiting));
}
