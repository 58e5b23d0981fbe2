/*
 * netlink.c: see netlink.h.
 */
#include "host/linux/native/netlink.h"
#include "host/linux/native/native.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERRNO_END 4096   /* the kernel's own end of its error numbers */
#define REPLY_SIZE 32768 /* the kernel fits its dumps to a reader of this size */

static unsigned char *grow(struct ja_nl *nl, size_t count)
{
    size_t aligned = NLMSG_ALIGN(count);
    if (nl->failed)
        return NULL;
    if (nl->length + aligned > nl->size) {
        size_t size = (nl->length + aligned) * 2;
        unsigned char *bytes = ja_realloc(nl->bytes, size);
        if (!bytes) {
            nl->failed = true;
            return NULL;
        }
        nl->bytes = bytes;
        nl->size = size;
    }
    unsigned char *at = nl->bytes + nl->length;
    memset(at, 0, aligned);
    nl->length += aligned;
    if (nl->length > nl->message) {
        uint32_t length = (uint32_t)(nl->length - nl->message);
        memcpy(nl->bytes + nl->message, &length, sizeof length); /* nlmsg_len comes first */
    }
    return at;
}

void ja_nl_message(struct ja_nl *nl, unsigned type, unsigned flags, const void *header, size_t header_size)
{
    struct nlmsghdr head = {.nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST)};
    nl->message = nl->length;
    unsigned char *at = grow(nl, NLMSG_HDRLEN + header_size);
    if (!at)
        return;
    head.nlmsg_len = (uint32_t)(nl->length - nl->message);
    memcpy(at, &head, sizeof head);
    memcpy(at + NLMSG_HDRLEN, header, header_size);
}

void ja_nl_attr(struct ja_nl *nl, unsigned type, const void *data, size_t size)
{
    struct nlattr head = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = (uint16_t)type};
    if (NLA_HDRLEN + size > UINT16_MAX) {
        nl->failed = true;
        return;
    }
    unsigned char *at = grow(nl, NLA_HDRLEN + size);
    if (!at)
        return;
    memcpy(at, &head, sizeof head);
    if (size)
        memcpy(at + NLA_HDRLEN, data, size);
}

void ja_nl_text(struct ja_nl *nl, unsigned type, const char *text)
{
    ja_nl_attr(nl, type, text, strlen(text) + 1);
}

void ja_nl_u32(struct ja_nl *nl, unsigned type, uint32_t value)
{
    ja_nl_attr(nl, type, &value, sizeof value);
}

void ja_nl_be32(struct ja_nl *nl, unsigned type, uint32_t value)
{
    ja_nl_u32(nl, type, htonl(value));
}

size_t ja_nl_nest(struct ja_nl *nl, unsigned type)
{
    size_t at = nl->length;
    ja_nl_attr(nl, type | NLA_F_NESTED, NULL, 0);
    return at;
}

void ja_nl_nest_end(struct ja_nl *nl, size_t nest)
{
    if (nl->failed)
        return;
    size_t size = nl->length - nest;
    uint16_t length = (uint16_t)size;
    if (size > UINT16_MAX)
        nl->failed = true;
    else
        memcpy(nl->bytes + nest, &length, sizeof length); /* nla_len comes first */
}

void ja_nl_reset(struct ja_nl *nl)
{
    nl->length = nl->message = 0;
}

void ja_nl_fini(struct ja_nl *nl)
{
    ja_free(nl->bytes);
    *nl = (struct ja_nl){0};
}

/* Both only make errors say more: a kernel without them is no failure. */
static int with_words(int fd)
{
    int on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    return fd;
}

int ja_nl_host(int protocol)
{
    static struct {
        int fd;
        pid_t pid; /* 0: none yet */
        struct stat ns;
    } kept[MAX_LINKS];
    struct stat ns = {0};
    if (protocol < 0 || protocol >= MAX_LINKS) {
        errno = EPROTONOSUPPORT;
        return -1;
    }
    if (stat("/proc/self/ns/net", &ns) < 0)
        return -1;
    if (kept[protocol].pid == getpid() && kept[protocol].ns.st_ino == ns.st_ino &&
        kept[protocol].ns.st_dev == ns.st_dev)
        return kept[protocol].fd;
    int fd = with_words(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (fd < 0)
        return -1;
    if (kept[protocol].pid)
        close(kept[protocol].fd);
    kept[protocol].fd = fd;
    kept[protocol].pid = getpid();
    kept[protocol].ns = ns;
    return fd;
}

int ja_nl_open_in(const char *netns, int protocol)
{
    return with_words(ja_sys_socket_in(netns, AF_NETLINK, SOCK_RAW, protocol));
}

void ja_nl_send_room(int fd, size_t size)
{
    /* The kernel doubles it, for what it needs beside the bytes. */
    int room = size > INT_MAX / 4 ? INT_MAX / 4 : (int)size;
    if (size > 65536)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
}

const void *ja_nl_reply(const struct nlmsghdr *message, unsigned type, size_t size, const void **ret_attrs,
                        size_t *ret_length)
{
    size_t skip = NLMSG_SPACE(size);
    if (message->nlmsg_type != type || message->nlmsg_len < NLMSG_LENGTH(size))
        return NULL;
    if (ret_attrs)
        *ret_attrs = (const char *)message + skip;
    if (ret_length)
        *ret_length = message->nlmsg_len > skip ? message->nlmsg_len - skip : 0;
    return NLMSG_DATA(message);
}

const void *ja_nl_find(const void *attrs, size_t length, unsigned type, size_t *ret_size)
{
    const unsigned char *at = attrs;
    while (length >= NLA_HDRLEN) {
        struct nlattr head;
        memcpy(&head, at, sizeof head);
        if (head.nla_len < NLA_HDRLEN || head.nla_len > length)
            break;
        if ((head.nla_type & NLA_TYPE_MASK) == type) {
            *ret_size = head.nla_len - NLA_HDRLEN;
            return at + NLA_HDRLEN;
        }
        size_t step = NLA_ALIGN(head.nla_len);
        if (step > length)
            break;
        at += step;
        length -= step;
    }
    return NULL;
}

/* The kernel's own words in an error message. */
static void extended_words(const struct nlmsghdr *message, char *words, size_t size)
{
    if (!words || !size)
        return;
    words[0] = '\0';
    if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
        return;
    const struct nlmsgerr *error = NLMSG_DATA(message);
    size_t skip = NLMSG_HDRLEN + sizeof *error, length;
    if (!(message->nlmsg_flags & NLM_F_CAPPED) && error->msg.nlmsg_len > NLMSG_HDRLEN)
        skip += NLMSG_ALIGN(error->msg.nlmsg_len) - NLMSG_HDRLEN;
    if (skip >= message->nlmsg_len)
        return;
    const char *text = ja_nl_find((const char *)message + skip, message->nlmsg_len - skip, NLMSGERR_ATTR_MSG, &length);
    if (text)
        snprintf(words, size, "%.*s", (int)length, text);
}

static int send_all(int fd, const struct ja_nl *nl)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t n;
    do {
        n = sendto(fd, nl->bytes, nl->length, 0, (struct sockaddr *)&kernel, sizeof kernel);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* Numbers the messages, so that late answers to an earlier request are known as such. The number of the last
 * one that is answered: the end of an nftables batch is not, by most kernels. */
static uint32_t number_messages(struct ja_nl *nl, uint32_t *ret_first)
{
    static uint32_t last;
    uint32_t answered = 0;
    *ret_first = last + 1;
    for (size_t at = 0; at + NLMSG_HDRLEN <= nl->length;) {
        struct nlmsghdr *message = (struct nlmsghdr *)(void *)(nl->bytes + at);
        message->nlmsg_seq = ++last;
        if (message->nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP))
            answered = last;
        at += NLMSG_ALIGN(message->nlmsg_len);
    }
    return answered;
}

/* One datagram of the kernel's; its size, or -errno. In a jail's namespace its root could send us some too. */
static ssize_t receive(int fd, void *bytes, size_t size)
{
    for (;;) {
        struct sockaddr_nl from = {0};
        socklen_t from_size = sizeof from;
        ssize_t n = recvfrom(fd, bytes, size, MSG_TRUNC, (struct sockaddr *)&from, &from_size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (from.nl_pid != 0)
            continue;
        return (size_t)n > size ? -EMSGSIZE : n;
    }
}

/* What an acknowledgement, an error or the end of a dump says: 0 or -errno. */
static int answered_code(const struct nlmsghdr *message)
{
    int code = 0;
    if (message->nlmsg_len >= NLMSG_LENGTH(sizeof code))
        memcpy(&code, NLMSG_DATA(message), sizeof code); /* it comes first in both */
    return code >= 0 ? 0 : code > -ERRNO_END ? code : -EPROTO;
}

int ja_nl_request(int fd, struct ja_nl *nl, ja_nl_each *each, void *context, char *words, size_t size)
{
    union {
        char bytes[REPLY_SIZE];
        struct nlmsghdr align;
    } reply;
    if (words && size)
        words[0] = '\0';
    if (nl->failed)
        return -ENOMEM;
    if (nl->length == 0)
        return 0;
    uint32_t first, last = number_messages(nl, &first);
    int code = send_all(fd, nl);
    bool interrupted = false;
    while (code == 0) {
        ssize_t n = receive(fd, reply.bytes, sizeof reply.bytes);
        if (n < 0)
            return (int)n;
        int left = (int)n;
        for (struct nlmsghdr *m = &reply.align; left > 0 && NLMSG_OK(m, (unsigned)left); m = NLMSG_NEXT(m, left)) {
            if (m->nlmsg_seq < first) /* of an earlier request, which ended at its first failure */
                continue;
            interrupted = interrupted || (m->nlmsg_flags & NLM_F_DUMP_INTR);
            if (m->nlmsg_type == NLMSG_ERROR || m->nlmsg_type == NLMSG_DONE) {
                if ((code = answered_code(m)) < 0) {
                    if (m->nlmsg_type == NLMSG_ERROR)
                        extended_words(m, words, size);
                    return code;
                }
                if (m->nlmsg_seq == last)
                    return interrupted ? -EINTR : 0;
            } else if (each && (code = each(context, m)) < 0) {
                return code;
            }
        }
    }
    return code;
}
