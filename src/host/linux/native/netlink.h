/*
 * netlink.h: messages to the kernel's networking, without a library: a growing buffer of messages, and
 * requests that are answered by acknowledgements, replies or an errno with the kernel's own words.
 */
#ifndef JA_LINUX_NETLINK_H
#define JA_LINUX_NETLINK_H

#include "base/base.h"

#include <linux/netlink.h>

struct ja_nl {
    unsigned char *bytes;
    size_t length, size;
    size_t message; /* where the last message begins */
    bool failed;    /* memory ran out, or a message became too long */
};

/* Begins a message; `header` is the family's own header (struct ifinfomsg, nfgenmsg ...). NLM_F_REQUEST is
 * added. */
void ja_nl_message(struct ja_nl *nl, unsigned type, unsigned flags, const void *header, size_t header_size);
void ja_nl_attr(struct ja_nl *nl, unsigned type, const void *data, size_t size);
void ja_nl_text(struct ja_nl *nl, unsigned type, const char *text); /* with its zero */
void ja_nl_u32(struct ja_nl *nl, unsigned type, uint32_t value);    /* in the machine's order */
void ja_nl_be32(struct ja_nl *nl, unsigned type, uint32_t value);
size_t ja_nl_nest(struct ja_nl *nl, unsigned type);
void ja_nl_nest_end(struct ja_nl *nl, size_t nest);
void ja_nl_reset(struct ja_nl *nl);
void ja_nl_fini(struct ja_nl *nl);

/*
 * A socket of NETLINK_ROUTE or NETLINK_NETFILTER in the current network namespace; -1 and errno. The process keeps it until it ends, and it
 * is not to be closed: closing a socket of nftables waits until what was removed is freed, which is some milliseconds after it was removed. A forked process, or one that has entered another
 * namespace, gets its own.
 */
int ja_nl_host(int protocol);
/* One in another namespace, the caller's to close; see ja_sys_socket_in. */
int ja_nl_open_in(const char *netns, int protocol);
/* Makes room for a transaction that is sent as one datagram, which is larger than a socket sends by itself. */
void ja_nl_send_room(int fd, size_t size);
/* Each reply that is neither an acknowledgement nor an error. Negative ends the request. */
typedef int ja_nl_each(void *context, const struct nlmsghdr *message);
/* Sends the buffer (all its messages at once) and reads until the last message with NLM_F_ACK is
 * acknowledged, or the dump is done, or one failed. 0 or -errno; `words` (of `size` bytes, may be NULL)
 * receives what the kernel says beyond errno, or "". -EINTR: what was dumped changed meanwhile, so that it may lack
 * something; ask again. */
int ja_nl_request(int fd, struct ja_nl *nl, ja_nl_each *each, void *context, char *words, size_t size);

/* The family's own header (`size` bytes) of a reply of that type, and the attributes behind it; NULL when the message is another
 * one, or too short. ret_attrs and ret_length may be NULL. */
const void *ja_nl_reply(const struct nlmsghdr *message, unsigned type, size_t size, const void **ret_attrs,
                        size_t *ret_length);

/* The data of an attribute in a list of them; NULL when there is none. */
const void *ja_nl_find(const void *attrs, size_t length, unsigned type, size_t *ret_size);

#endif
