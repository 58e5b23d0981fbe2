/*
 * ipbatch.h: one line of an `ip -batch` as data: ipbatch.c reads it, rtnl.c does it.
 */
#ifndef JA_LINUX_IPBATCH_H
#define JA_LINUX_IPBATCH_H

#include "host/linux/native/batch.h"
#include "net/addr.h"

enum ja_ip_kind {
    JA_IP_ADD_VETH,   /* name; other: the peer's, with mac, in the namespace at text */
    JA_IP_ADD_BRIDGE, /* name, mac */
    JA_IP_SET_LINK,   /* name; what is set of the rest */
    JA_IP_ADD_ADDRESS,
    JA_IP_SET_NEIGHBOUR,
    JA_IP_FLUSH_NEIGHBOUR,
    JA_IP_ADD_ROUTE,
};

struct ja_ip_op {
    enum ja_ip_kind kind;
    char name[16];  /* the interface */
    char other[16]; /* the peer, or the master */
    char text[512]; /* a namespace's path, or the alias */
    uint8_t mac[6];
    struct ja_addr addr, gateway;
    uint32_t mtu; /* 0: not set */
    bool has_alias, no_master, no_address, up, no_dad, is_default;
};

/* Does it, through a NETLINK_ROUTE socket of any namespace; `nl` is a buffer to use. 0 or -errno with the
 * kernel's words. */
int ja_ip_run(int fd, struct ja_nl *nl, const struct ja_ip_op *op, char *words, size_t size);

#endif
