// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "read/file.h"

#define READY_MS 5000

const char * const lab_family_name[] = {
	[LAB_IPV4] = "ipv4",
	[LAB_IPV6] = "ipv6",
	[LAB_MAPPED] = "mapped",
};

/* addresses for documentation (RFC 5737, RFC 3849) */
static const char * const server_address[] = { "192.0.2.2", "2001:db8::2" };

/* The neighbour entries are permanent: no segment waits for ARP, and segments to a host that has
 * vanished are still sent.
 */
static const char side[] =
	"link set dev %1$s address 02:00:00:00:00:0%2$d\n"
	"link set dev %1$s up\n"
	"addr add 192.0.2.%2$d/24 dev %1$s noprefixroute\n"
	"addr add 2001:db8::%2$d/64 dev %1$s nodad noprefixroute\n"
	"neigh add 192.0.2.%3$d lladdr 02:00:00:00:00:0%3$d dev %1$s nud permanent\n"
	"neigh add 2001:db8::%3$d lladdr 02:00:00:00:00:0%3$d dev %1$s nud permanent\n"
	"route add 192.0.2.0/24 dev %1$s%4$s\n"
	"route add 2001:db8::/64 dev %1$s%4$s\n";

static const char middle[] =
	"link add bridge type bridge\n"
	"link set dev s master bridge\n"
	"link set dev c master bridge\n"
	"link set dev bridge up\n"
	"link set dev s up\n"
	"link set dev c up\n";

int lab_scratch(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd, rc;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	ifr.ifr_flags = IFF_UP | IFF_LOOPBACK;
	rc = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return rc;
}

int net_enter(int ns)
{
	return setns(ns, CLONE_NEWNET);
}

int net_this(void)
{
	/* not /proc/self: that is the namespace of the process's first thread */
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int lab_scratch_fd(void)
{
	return lab_scratch() ? -1 : net_this();
}

/* run a command in a namespace, with @text as its input; Return: 0 if it accepted all of it */
static int feed(int ns, const char *command, const char *text)
{
	FILE *f;
	int rc;

	if (net_enter(ns))
		return -1;
	f = popen(command, "w");
	if (!f)
		return -1;
	fputs(text, f);
	rc = pclose(f);
	errno = 0;
	return rc;
}

/* a veth pair: @a in the caller's namespace, @b in @ns */
static int pair(const char *a, const char *b, int ns)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "ip link add dev %s type veth peer name %s netns /proc/%d/fd/%d", a, b, getpid(),
		 ns);
	errno = 0;
	return system(text);
}

int net_impair(const struct net *n, const struct net_options *o)
{
	char text[200];

	/* half of the time in each direction */
	snprintf(text, sizeof(text),
		 "qdisc replace dev s root netem delay %1$uus loss %2$g%%\n"
		 "qdisc replace dev c root netem delay %1$uus loss %2$g%%\n",
		 o->rtt_ms * 500, o->loss_percent);
	return feed(n->middle, "tc -batch -", text);
}

/* an IPv6 address cannot be used before the kernel has noticed that the link is up */
static int wait_ready(int ns, const char *address)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct timespec pause = { 0, 1000000 };
	int fd, i, rc = -1;

	if (net_enter(ns))
		return -1;
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	inet_pton(AF_INET6, address, &sin6.sin6_addr);
	for (i = 0; i < READY_MS && (rc = bind(fd, (struct sockaddr *)&sin6, sizeof(sin6))); i++)
		nanosleep(&pause, NULL);
	close(fd);
	return rc;
}

static const char *make_link(struct net *n, const struct net_options *o)
{
	bool direct = !o->rtt_ms && !o->loss_percent;
	char text[sizeof(side) + 200];

	n->client = lab_scratch_fd();
	n->middle = direct ? -1 : lab_scratch_fd();
	if (n->client < 0 || (!direct && n->middle < 0) || net_enter(n->server))
		return "cannot make a network namespace";
	if (direct ? pair(NET_SERVER, NET_CLIENT, n->client) :
	    pair(NET_SERVER, "s", n->middle) || net_enter(n->client) ||
	    pair(NET_CLIENT, "c", n->middle) || feed(n->middle, "ip -batch -", middle))
		return "cannot make a link (ip link add ... type veth, bridge)";
	if (!direct && net_impair(n, o))
		return "cannot delay a link (tc qdisc add ... netem: module sch_netem?)";
	snprintf(text, sizeof(text), side, NET_CLIENT, 1, 2, "");
	if (feed(n->client, "ip -batch -", text))
		return "cannot set the client's addresses";
	snprintf(text, sizeof(text), side, NET_SERVER, 2, 1, o->quickack ? " quickack 1" : "");
	if (feed(n->server, "ip -batch -", text))
		return "cannot set the server's addresses";
	return NULL;
}

/* A loopback address is reached by its route in the local table. The IPv6 route that the kernel
 * made has metric 0, which cannot be named in a change, so it is deleted and added again.
 */
static int loopback_quickack(enum lab_family family)
{
	return system(family == LAB_IPV6 ?
		      "ip -6 route del local ::1 dev lo table local &&"
		      "ip -6 route add local ::1 dev lo table local quickack 1" :
		      "ip route change local 127.0.0.1 dev lo table local proto kernel scope host "
		      "src 127.0.0.1 quickack 1");
}

const char *net_make(struct net *n, const struct net_options *o, enum lab_family family)
{
	const char *problem;

	*n = (struct net){ .server = net_this(), .client = -1, .middle = -1 };
	if (n->server < 0)
		return "cannot open the network namespace";
	n->link = o->link || o->rtt_ms || o->loss_percent;
	n->device = n->link ? NET_SERVER : "lo";
	if (!n->link) {
		n->client = net_this();
		if (o->quickack && loopback_quickack(family))
			return "ip route change failed";
		return NULL;
	}
	problem = make_link(n, o);
	if (!problem && family == LAB_IPV6 &&
	    (wait_ready(n->client, "2001:db8::1") || wait_ready(n->server, server_address[1])))
		problem = "the link does not come up";
	if (net_enter(n->server) && !problem)
		problem = "cannot return to the server's namespace";
	return problem;
}

void net_free(struct net *n)
{
	int *fd[] = { &n->server, &n->client, &n->middle };
	size_t i;

	for (i = 0; i < sizeof(fd) / sizeof(*fd); i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
}

socklen_t net_address(const struct net *n, enum lab_family family, bool server,
		      struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (family == LAB_IPV4 || (family == LAB_MAPPED && !server)) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(NET_PORT);
		if (n->link)
			inet_pton(AF_INET, server_address[0], &sin->sin_addr);
		else
			sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*sin);
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(NET_PORT);
	if (family == LAB_MAPPED)
		sin6->sin6_addr = in6addr_any;
	else if (n->link)
		inet_pton(AF_INET6, server_address[1], &sin6->sin6_addr);
	else
		sin6->sin6_addr = in6addr_loopback;
	return sizeof(*sin6);
}

int net_setting(const char *name, const char *value)
{
	char path[200];

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	return file_write(path, value);
}
