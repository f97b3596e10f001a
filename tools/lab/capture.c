// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"

/* On lo a segment is seen twice, when it is sent and when it is received; libpcap drops the first
 * copy. But that copy would wake us while the segment is still being sent, so that we might run
 * before it is received. Kernels before 4.20 do not know this option; there we are woken.
 */
static void only_received(pcap_t *p)
{
	int on = 1;

	setsockopt(pcap_fileno(p), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
}

int capture_start(struct capture *c, const char *device, const struct capture_options *o, char *err,
		  size_t size)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct bpf_program prog;

	memset(c, 0, sizeof(*c));
	c->fd = o->folder ? open(o->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) :
			    memfd_create("finack-lab", MFD_CLOEXEC);
	snprintf(c->path, sizeof(c->path), "/proc/self/fd/%d", c->fd);
	c->pcap = c->fd < 0 ? NULL : pcap_create(device, text);
	if (!c->pcap) {
		snprintf(err, size, "cannot capture: %s", *text ? text : strerror(errno));
		return -1;
	}
	pcap_set_immediate_mode(c->pcap, !o->block_ms);
	pcap_set_timeout(c->pcap, o->block_ms);
	pcap_set_snaplen(c->pcap, o->snaplen);
	pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
	pcap_set_buffer_size(c->pcap, o->buffer);
	if (pcap_activate(c->pcap) < 0 || pcap_setnonblock(c->pcap, 1, text) ||
	    pcap_compile(c->pcap, &prog, o->filter, 1, PCAP_NETMASK_UNKNOWN) ||
	    pcap_setfilter(c->pcap, &prog)) {
		snprintf(err, size, "cannot capture: %s", pcap_geterr(c->pcap));
		return -1;
	}
	pcap_freecode(&prog);
	if (!strcmp(device, "lo"))
		only_received(c->pcap);
	c->dump = pcap_dump_open(c->pcap, c->path);
	if (c->dump)
		return 0;
	snprintf(err, size, "cannot capture: %s", pcap_geterr(c->pcap));
	return -1;
}

bool capture_drain(struct capture *c)
{
	const unsigned int before = c->packets;
	int n;

	while ((n = pcap_dispatch(c->pcap, -1, pcap_dump, (u_char *)c->dump)) > 0)
		c->packets += n;
	return c->packets != before;
}

int capture_read(struct capture *c, struct wire *w, char *err, size_t size)
{
	capture_drain(c);
	pcap_dump_flush(c->dump);
	wire_free(w);
	return wire_read(w, c->path, err, size);
}

bool capture_lost(struct capture *c)
{
	struct pcap_stat ps;

	return pcap_stats(c->pcap, &ps) || ps.ps_drop;
}

bool capture_whole(struct capture *c)
{
	struct pcap_stat ps;

	/* ps_recv includes ps_drop (net/packet/af_packet.c, PACKET_STATISTICS) */
	return pcap_stats(c->pcap, &ps) || c->packets >= ps.ps_recv - ps.ps_drop;
}

int capture_save(struct capture *c, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), rc = 0;
	struct stat st;
	off_t at = 0;

	if (fd < 0)
		return -1;
	pcap_dump_flush(c->dump);
	if (fstat(c->fd, &st))
		rc = -1;
	while (!rc && at < st.st_size)
		if (sendfile(fd, c->fd, &at, st.st_size - at) <= 0)
			rc = -1;
	if (close(fd))
		rc = -1;
	return rc;
}

void capture_stop(struct capture *c)
{
	if (c->dump)
		pcap_dump_close(c->dump);
	if (c->pcap)
		pcap_close(c->pcap);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}
