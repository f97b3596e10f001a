/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network an experiment runs in: the loopback of one namespace, or a veth pair between two. A
 * link with a round-trip time or loss has a third namespace in its middle. The bridge there delays
 * and loses segments beyond the interface where the capture is taken. The namespaces have no names:
 * they live as long as the processes in them and the file descriptors here, however the lab ends.
 */
#ifndef FINACK_NET_H
#define FINACK_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define NET_PORT	8888
#define NET_SERVER	"server"	/* the interfaces of a link */
#define NET_CLIENT	"client"

/** enum lab_family - what the connection is made over */
enum lab_family {
	LAB_IPV4,
	LAB_IPV6,
	LAB_MAPPED,	/* an IPv6 listener, an IPv4 client */
	__LAB_FAMILY_MAX
};

extern const char * const lab_family_name[__LAB_FAMILY_MAX];

/**
 * struct net_options - what the network is to be like
 * @link: two namespaces and a link, not the loopback
 * @rtt_ms: round-trip time of the link, 0 for no added delay
 * @loss_percent: of the segments in each direction
 * @quickack: the server's route has quickack 1, which asks for quick ACKs all the time
 */
struct net_options {
	bool link;
	unsigned int rtt_ms;
	double loss_percent;
	bool quickack;
};

/**
 * struct net - a network
 * @server: the namespace of the server, which is the caller's
 * @client: the namespace of the client; the same one on the loopback
 * @device: the interface where the server's segments leave and arrive
 * @link: see &struct net_options
 */
struct net {
	int server;
	int client;
	const char *device;
	bool link;
	/* private */
	int middle;
};

/**
 * lab_scratch() - move the caller to a network namespace of its own, with lo up
 *
 * Return: 0, or -1 with errno.
 */
int lab_scratch(void);

/** lab_scratch_fd() - the same; Return: a descriptor that keeps the namespace, or -1 with errno */
int lab_scratch_fd(void);

/**
 * net_make() - make the network around the caller's namespace, which becomes the server's
 * @n: filled in; to be freed with net_free() also after an error
 * @o: what is wanted
 * @family: the family it is needed for; a link made for IPv6 is good for all
 *
 * Return: NULL, or what could not be done; errno may tell why.
 */
const char *net_make(struct net *n, const struct net_options *o, enum lab_family family);
void net_free(struct net *n);

/**
 * net_impair() - change the round-trip time and loss of a link that was made with one of them
 *
 * Leaves the caller in another namespace. Return: 0, or what tc ended with.
 */
int net_impair(const struct net *n, const struct net_options *o);

/** net_enter() - move the caller to a namespace of a network; Return: 0, or -1 with errno */
int net_enter(int ns);

/** net_address() - what the server binds to or the client connects to; Return: the length */
socklen_t net_address(const struct net *n, enum lab_family family, bool server,
		      struct sockaddr_storage *ss);

/** net_this() - open the caller's namespace; Return: a file descriptor, or -1 with errno */
int net_this(void);

/** net_setting() - write /proc/sys/net/@name of the caller's namespace; Return: 0, or -1 */
int net_setting(const char *name, const char *value);

#endif
