/*
 * rtnl.c: interfaces, addresses, neighbours and routes by rtnetlink. Names become numbers through the same
 * socket, which may belong to another namespace than the process does.
 */
#include "host/linux/native/ipbatch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct caller {
    int fd;
    struct ja_nl *nl;
    char *words;
    size_t size;
};

static int request(const struct caller *caller, ja_nl_each *each, void *context)
{
    return ja_nl_request(caller->fd, caller->nl, each, context, caller->words, caller->size);
}

static int take_index(void *context, const struct nlmsghdr *message)
{
    const struct ifinfomsg *header = ja_nl_reply(message, RTM_NEWLINK, sizeof *header, NULL, NULL);
    if (header)
        *(int *)context = header->ifi_index;
    return 0;
}

/* An interface's number, or -errno. */
static int index_of(const struct caller *caller, const char *name)
{
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    int index = -ENODEV;
    ja_nl_reset(caller->nl);
    ja_nl_message(caller->nl, RTM_GETLINK, NLM_F_ACK, &header, sizeof header);
    ja_nl_text(caller->nl, IFLA_IFNAME, name);
    /* Counters are half of the answer, and nobody reads them. */
    ja_nl_u32(caller->nl, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    int rc = request(caller, take_index, &index);
    if (rc < 0)
        return rc;
    if (index < 0)
        snprintf(caller->words, caller->size, "no interface %s", name);
    return index;
}

static void put_one_queue(struct ja_nl *nl)
{
    ja_nl_u32(nl, IFLA_NUM_TX_QUEUES, 1);
    ja_nl_u32(nl, IFLA_NUM_RX_QUEUES, 1);
}

static int add_veth(const struct caller *caller, const struct ja_ip_op *op)
{
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC}, peer_header = {.ifi_family = AF_UNSPEC};
    struct ja_nl *nl = caller->nl;
    ja_autoclose int netns = open(op->text, O_RDONLY | O_CLOEXEC);
    if (netns < 0)
        return -errno;
    ja_nl_reset(nl);
    ja_nl_message(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &header, sizeof header);
    ja_nl_text(nl, IFLA_IFNAME, op->name);
    put_one_queue(nl);
    size_t info = ja_nl_nest(nl, IFLA_LINKINFO);
    ja_nl_text(nl, IFLA_INFO_KIND, "veth");
    size_t data = ja_nl_nest(nl, IFLA_INFO_DATA);
    /* The peer's own header comes before its attributes. */
    size_t peer = nl->length;
    ja_nl_attr(nl, VETH_INFO_PEER, &peer_header, sizeof peer_header);
    ja_nl_text(nl, IFLA_IFNAME, op->other);
    put_one_queue(nl);
    ja_nl_attr(nl, IFLA_ADDRESS, op->mac, sizeof op->mac);
    ja_nl_u32(nl, IFLA_NET_NS_FD, (uint32_t)netns);
    ja_nl_nest_end(nl, peer);
    ja_nl_nest_end(nl, data);
    ja_nl_nest_end(nl, info);
    return request(caller, NULL, NULL);
}

static int add_bridge(const struct caller *caller, const struct ja_ip_op *op)
{
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    struct ja_nl *nl = caller->nl;
    ja_nl_reset(nl);
    ja_nl_message(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &header, sizeof header);
    ja_nl_text(nl, IFLA_IFNAME, op->name);
    ja_nl_attr(nl, IFLA_ADDRESS, op->mac, sizeof op->mac);
    size_t info = ja_nl_nest(nl, IFLA_LINKINFO);
    ja_nl_text(nl, IFLA_INFO_KIND, "bridge");
    size_t data = ja_nl_nest(nl, IFLA_INFO_DATA);
    ja_nl_u32(nl, IFLA_BR_STP_STATE, 0);
    ja_nl_u32(nl, IFLA_BR_FORWARD_DELAY, 0);
    ja_nl_nest_end(nl, data);
    ja_nl_nest_end(nl, info);
    return request(caller, NULL, NULL);
}

static int set_link(const struct caller *caller, const struct ja_ip_op *op)
{
    struct ja_nl *nl = caller->nl;
    struct ifinfomsg header = {
        .ifi_family = AF_UNSPEC, .ifi_flags = op->up ? IFF_UP : 0, .ifi_change = op->up ? IFF_UP : 0};
    int master = op->other[0] ? index_of(caller, op->other) : 0;
    if (master < 0)
        return master;
    ja_nl_reset(nl);
    ja_nl_message(nl, RTM_NEWLINK, NLM_F_ACK, &header, sizeof header);
    ja_nl_text(nl, IFLA_IFNAME, op->name);
    if (op->has_alias)
        ja_nl_attr(nl, IFLA_IFALIAS, op->text, strlen(op->text));
    if (op->mtu)
        ja_nl_u32(nl, IFLA_MTU, op->mtu);
    if (master || op->no_master)
        ja_nl_u32(nl, IFLA_MASTER, (uint32_t)master);
    if (op->no_address) {
        uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
        size_t families = ja_nl_nest(nl, IFLA_AF_SPEC), inet6 = ja_nl_nest(nl, AF_INET6);
        ja_nl_attr(nl, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
        ja_nl_nest_end(nl, inet6);
        ja_nl_nest_end(nl, families);
    }
    int rc = request(caller, NULL, NULL);
    if (rc == -EXFULL)
        snprintf(caller->words, caller->size, "the bridge %s has no port left; Linux allows 1023", op->other);
    return rc;
}

static size_t bytes_of(const struct ja_addr *addr)
{
    return addr->v6 ? 16 : 4;
}

static uint8_t family_of(const struct ja_addr *addr)
{
    return addr->v6 ? AF_INET6 : AF_INET;
}

static int add_address(const struct caller *caller, const struct ja_ip_op *op)
{
    struct ja_nl *nl = caller->nl;
    const struct ja_addr *addr = &op->addr;
    int index = index_of(caller, op->name), most = addr->v6 ? 128 : 32;
    if (index < 0)
        return index;
    struct ifaddrmsg header = {.ifa_family = family_of(addr),
                               .ifa_prefixlen = (uint8_t)(addr->prefix < 0 ? most : addr->prefix),
                               .ifa_flags = op->no_dad ? IFA_F_NODAD : 0,
                               .ifa_index = (uint32_t)index};
    /* As ip(8) does: what is on the loopback interface is of this host. */
    if (!addr->v6 && addr->bytes[0] == 127)
        header.ifa_scope = RT_SCOPE_HOST;
    ja_nl_reset(nl);
    ja_nl_message(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &header, sizeof header);
    ja_nl_attr(nl, IFA_LOCAL, addr->bytes, bytes_of(addr));
    ja_nl_attr(nl, IFA_ADDRESS, addr->bytes, bytes_of(addr));
    return request(caller, NULL, NULL);
}

static int set_neighbour(const struct caller *caller, const struct ja_ip_op *op)
{
    struct ja_nl *nl = caller->nl;
    int index = index_of(caller, op->name);
    if (index < 0)
        return index;
    struct ndmsg header = {.ndm_family = family_of(&op->addr), .ndm_ifindex = index, .ndm_state = NUD_PERMANENT};
    ja_nl_reset(nl);
    ja_nl_message(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, &header, sizeof header);
    ja_nl_attr(nl, NDA_DST, op->addr.bytes, bytes_of(&op->addr));
    ja_nl_attr(nl, NDA_LLADDR, op->mac, sizeof op->mac);
    return request(caller, NULL, NULL);
}

static int take_state(void *context, const struct nlmsghdr *message)
{
    const struct ndmsg *header = ja_nl_reply(message, RTM_NEWNEIGH, sizeof *header, NULL, NULL);
    if (header)
        *(int *)context = header->ndm_state;
    return 0;
}

/* A flush removes what matches, and nothing is success; an entry that is not permanent does not match. */
static int flush_neighbour(const struct caller *caller, const struct ja_ip_op *op)
{
    struct ja_nl *nl = caller->nl;
    int index = index_of(caller, op->name), state = 0;
    if (index < 0)
        return index;
    struct ndmsg header = {.ndm_family = family_of(&op->addr), .ndm_ifindex = index};
    ja_nl_reset(nl);
    ja_nl_message(nl, RTM_GETNEIGH, NLM_F_ACK, &header, sizeof header);
    ja_nl_attr(nl, NDA_DST, op->addr.bytes, bytes_of(&op->addr));
    int rc = request(caller, take_state, &state);
    /* Before Linux 5.0 one entry could not be asked for. */
    if (rc == -EOPNOTSUPP) {
        state = NUD_PERMANENT;
        rc = 0;
    }
    if (rc == 0 && state == NUD_PERMANENT) {
        ja_nl_reset(nl);
        ja_nl_message(nl, RTM_DELNEIGH, NLM_F_ACK, &header, sizeof header);
        ja_nl_attr(nl, NDA_DST, op->addr.bytes, bytes_of(&op->addr));
        rc = request(caller, NULL, NULL);
    }
    return rc == -ENOENT ? 0 : rc;
}

static int add_route(const struct caller *caller, const struct ja_ip_op *op)
{
    struct ja_nl *nl = caller->nl;
    int index = op->name[0] ? index_of(caller, op->name) : 0;
    if (index < 0)
        return index;
    struct ja_addr to = {.v6 = op->gateway.v6};
    int length = 0;
    if (!op->is_default) {
        to = op->addr;
        length = to.prefix < 0 ? (to.v6 ? 128 : 32) : to.prefix;
    }
    struct rtmsg header = {.rtm_family = family_of(&op->gateway),
                           .rtm_dst_len = (uint8_t)length,
                           .rtm_table = RT_TABLE_MAIN,
                           .rtm_protocol = RTPROT_BOOT,
                           .rtm_scope = RT_SCOPE_UNIVERSE,
                           .rtm_type = RTN_UNICAST};
    ja_nl_reset(nl);
    ja_nl_message(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &header, sizeof header);
    if (length)
        ja_nl_attr(nl, RTA_DST, to.bytes, bytes_of(&to));
    ja_nl_attr(nl, RTA_GATEWAY, op->gateway.bytes, bytes_of(&op->gateway));
    if (index)
        ja_nl_u32(nl, RTA_OIF, (uint32_t)index);
    return request(caller, NULL, NULL);
}

int ja_ip_run(int fd, struct ja_nl *nl, const struct ja_ip_op *op, char *words, size_t size)
{
    struct caller caller = {fd, nl, words, size};
    switch (op->kind) {
    case JA_IP_ADD_VETH:
        return add_veth(&caller, op);
    case JA_IP_ADD_BRIDGE:
        return add_bridge(&caller, op);
    case JA_IP_SET_LINK:
        return set_link(&caller, op);
    case JA_IP_ADD_ADDRESS:
        return add_address(&caller, op);
    case JA_IP_SET_NEIGHBOUR:
        return set_neighbour(&caller, op);
    case JA_IP_FLUSH_NEIGHBOUR:
        return flush_neighbour(&caller, op);
    case JA_IP_ADD_ROUTE:
        return add_route(&caller, op);
    }
    return -EINVAL;
}
