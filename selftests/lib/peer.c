// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/role.h"
#include "peer.h"

#define ISN 1000 /* ours; data begins one higher */

static int device(bool tso)
{
	struct ifreq ifr = { .ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	struct sockaddr_in *sin = (void *)&ifr.ifr_addr;
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC), s;

	if (tun < 0 || ioctl(tun, TUNSETIFF, &ifr) ||
	    ioctl(tun, TUNSETOFFLOAD, tso ? TUN_F_CSUM | TUN_F_TSO4 : 0))
		return -1;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sin->sin_family = AF_INET;
	inet_pton(AF_INET, PEER_HOST, &sin->sin_addr);
	if (ioctl(s, SIOCSIFADDR, &ifr))
		return -1;
	inet_pton(AF_INET, "255.255.255.0", &sin->sin_addr);
	if (ioctl(s, SIOCSIFNETMASK, &ifr))
		return -1;
	ifr.ifr_flags = IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &ifr))
		return -1;
	close(s);
	return tun;
}

/* a socket that gets a copy of each packet that passes the device, with its time */
static int tap_open(void)
{
	struct ifreq ifr = { .ifr_name = "tun0" };
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int tap = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	if (tap < 0 || ioctl(tap, SIOCGIFINDEX, &ifr))
		return -1;
	ll.sll_ifindex = ifr.ifr_ifindex;
	if (setsockopt(tap, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    bind(tap, (struct sockaddr *)&ll, sizeof(ll)))
		return -1;
	return tap;
}

/* When the kernel handed the segment that was just read from the device to it, as role_now(). The
 * tap gets each of these segments, too, in the same order, mixed with the peer's.
 */
static uint64_t sent_at(struct peer *p)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct sockaddr_ll ll;
	struct timespec ts;
	struct iphdr ip = {};
	struct iovec iov = { &ip, sizeof(ip) };
	struct msghdr msg;

	do {
		msg = (struct msghdr){
			.msg_name = &ll, .msg_namelen = sizeof(ll),
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control),
		};
		if (recvmsg(p->tap, &msg, MSG_DONTWAIT) < 0 || !CMSG_FIRSTHDR(&msg))
			abort();
	} while (ll.sll_pkttype != PACKET_OUTGOING || ll.sll_protocol != htons(ETH_P_IP) ||
		 ip.protocol != IPPROTO_TCP);
	memcpy(&ts, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(ts));
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

int peer_open(struct peer *p, bool tso)
{
	int fd;

	memset(p, 0, sizeof(*p));
	p->window = 60000;
	p->tun = device(tso);
	p->tap = p->tun < 0 ? -1 : tap_open();
	if (p->tap < 0)
		return -1;
	strcpy(p->path, "/tmp/peer.XXXXXX");
	fd = mkstemp(p->path);
	if (fd < 0)
		return -1;
	close(fd);
	p->pcap = pcap_open_dead_with_tstamp_precision(DLT_RAW, 65535, PCAP_TSTAMP_PRECISION_NANO);
	p->dump = pcap_dump_open(p->pcap, p->path);
	return p->dump ? 0 : -1;
}

void peer_end_capture(struct peer *p)
{
	pcap_dump_close(p->dump);
	pcap_close(p->pcap);
}

void peer_close(struct peer *p)
{
	close(p->tun);
	close(p->tap);
	unlink(p->path);
}

static void record(struct peer *p, uint64_t ns, const void *packet, size_t len)
{
	struct pcap_pkthdr h = { .caplen = len, .len = len };

	h.ts.tv_sec = ns / 1000000000;
	h.ts.tv_usec = ns % 1000000000; /* the file says that these are nanoseconds */
	pcap_dump((u_char *)p->dump, &h, packet);
}

void peer_put_options(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack,
		      size_t len, struct packet more)
{
	uint8_t buf[sizeof(struct virtio_net_hdr) + PACKET_MAX] = {};
	size_t n;

	more.family = AF_INET;
	inet_pton(AF_INET, PEER_ADDR, &more.addr[0]);
	inet_pton(AF_INET, PEER_HOST, &more.addr[1]);
	more.port[0] = 40000;
	more.port[1] = PEER_PORT;
	more.seq = ISN + seq;
	more.ack = flags & WIRE_ACK ? p->isn + ack : 0;
	more.flags = flags;
	more.tos = p->tos;
	more.window = p->window;
	more.len = len;
	n = packet_build(&more, buf + sizeof(struct virtio_net_hdr));
	record(p, role_now(), buf + sizeof(struct virtio_net_hdr), n);
	n += sizeof(struct virtio_net_hdr);
	if (write(p->tun, buf, n) != (ssize_t)n)
		abort();
}

void peer_put(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, size_t len)
{
	peer_put_options(p, flags, seq, ack, len, (struct packet){ 0 });
}

bool peer_get(struct peer *p, struct got *g, int ms)
{
	struct pollfd poll_tun = { p->tun, POLLIN, 0 };
	uint8_t buf[65536], *packet = buf + sizeof(struct virtio_net_hdr);

	memset(g, 0, sizeof(*g));
	while (poll(&poll_tun, 1, ms) == 1) {
		ssize_t n = read(p->tun, buf, sizeof(buf)) - sizeof(struct virtio_net_hdr);
		const struct iphdr *ip = (void *)packet;
		const struct tcphdr *th = (void *)(packet + ip->ihl * 4);
		uint64_t ns;

		if (n < (ssize_t)sizeof(*ip) || ip->version != 4 || ip->protocol != IPPROTO_TCP)
			continue;
		ns = sent_at(p);
		record(p, ns, packet, n);
		g->ns = ns;
		if (th->syn)
			p->isn = ntohl(th->seq);
		g->all_flags = ((const uint8_t *)th)[13];
		g->flags = g->all_flags & (WIRE_FIN | WIRE_SYN | WIRE_RST | WIRE_ACK);
		g->window = ntohs(th->window);
		g->seq = ntohl(th->seq) - p->isn;
		g->ack = ntohl(th->ack_seq) - ISN;
		g->len = n - ip->ihl * 4 - th->doff * 4;
		return true;
	}
	return false;
}
