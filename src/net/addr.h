/*
 * addr.h: addresses, prefixes, MACs and allocation: arithmetic only, no I/O.
 */
#ifndef JA_ADDR_H
#define JA_ADDR_H

#include "base/str.h"

#define JA_ADDR_TEXT 64 /* an address with its prefix length as text */
#define JA_MAC_TEXT 18

struct ja_addr {
    bool v6;
    uint8_t bytes[16]; /* 4 used for v4, network order */
    int prefix;        /* length; -1: not given */
};

/* "10.0.0.1", "10.0.0.1/24", "fd00::1/64". Leading zeros, zone names and other forms are refused. */
int ja_addr_parse(const char *text, struct ja_addr *ret_addr, struct ja_error *err);
/* With "/LEN" when addr->prefix >= 0 and `with_prefix`. */
void ja_addr_format(const struct ja_addr *addr, bool with_prefix, char text[JA_ADDR_TEXT]);
int ja_addr_compare(const struct ja_addr *a, const struct ja_addr *b); /* family, then number; prefixes do not count */
/* True when `inner` lies in the prefix of `net`. */
bool ja_addr_in(const struct ja_addr *net, const struct ja_addr *inner);
bool ja_addr_overlap(const struct ja_addr *a, const struct ja_addr *b);
/* The network address (host bits zero), and for v4 the broadcast address. */
void ja_addr_network(const struct ja_addr *addr, struct ja_addr *ret_network);
void ja_addr_broadcast(const struct ja_addr *addr, struct ja_addr *ret_broadcast);
/* True for addresses that a host of that network can have: not the network's, not the broadcast, not multicast,
 * not loopback, not unspecified. */
bool ja_addr_usable(const struct ja_addr *net, const struct ja_addr *addr);
/* The smallest usable address of `net` that is not in `taken` (sorted by ja_addr_compare) and after `net`'s own.
 * JA_E_LIMIT when none is left. */
int ja_addr_allocate(const struct ja_addr *net, const struct ja_addr *taken, size_t taken_count,
                     struct ja_addr *ret_addr, struct ja_error *err);
/* A locally administered unicast MAC from the jail's uuid and the nic's label (SHA-256-free: a fixed 64-bit mix), stable
 * for ever. */
void ja_mac_from(const char *uuid, const char *label, char mac[JA_MAC_TEXT]);
int ja_mac_parse(const char *text, uint8_t ret_mac[6]);
/* The link-local IPv6 address that a kernel derives from a MAC (modified EUI-64). */
void ja_addr_link_local(const uint8_t mac[6], struct ja_addr *ret_addr);

#endif
