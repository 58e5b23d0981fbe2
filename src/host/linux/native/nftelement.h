/*
 * nftelement.h: one element of a set or map of nftables, as text of nft(8) and as a message to the kernel.
 */
#ifndef JA_LINUX_NFTELEMENT_H
#define JA_LINUX_NFTELEMENT_H

#include "host/linux/native/netlink.h"

#define JA_NFT_KEY 64 /* bytes of a key or value; the kernel's own limit */
#define JA_NFT_NAME 64

struct ja_nft_value {
    unsigned char bytes[JA_NFT_KEY];
    size_t size;
};

struct ja_nft_element {
    bool delete;
    uint8_t family;
    char table[JA_NFT_NAME], set[JA_NFT_NAME];
    struct ja_nft_value key, data; /* data.size 0: of a set */
};

/* Reads `add element bridge ja7f source4 { "ja7f3n0" . 10.66.0.2 }`; the line is changed. 1: read; 0: nothing in this
 * line; -1: something else. */
int ja_nft_read_line(char *line, struct ja_nft_element *ret_element);
/* "inet", "ip", "ip6", "bridge" as the kernel's number; -1. */
int ja_nft_family(const char *name);
/* Appends one part of a key: an interface's name (`quoted`), a MAC, an address, "0x" with 32 digits, tcp or udp, a port.
 */
bool ja_nft_add_part(struct ja_nft_value *value, const char *word, bool quoted);
/* The message that adds or deletes it; `last`: to be acknowledged. */
void ja_nft_put_element(struct ja_nl *nl, const struct ja_nft_element *element, bool last);
/* The message that asks for it by its key. */
void ja_nft_ask_element(struct ja_nl *nl, const struct ja_nft_element *element);

#endif
