/*
 * addr.c: addresses, prefixes, MACs and allocation: arithmetic only, no I/O.
 */
#include "net/addr.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <stdio.h>
#include <string.h>

static int bytes_of(const struct ja_addr *addr)
{
    return addr->v6 ? 16 : 4;
}

static int bits_of(const struct ja_addr *addr)
{
    return 8 * bytes_of(addr);
}

static int prefix_of(const struct ja_addr *addr)
{
    return addr->prefix < 0 ? bits_of(addr) : addr->prefix;
}

/* A prefix length without sign, spaces or leading zeros; -1 when it is none. */
static int parse_prefix(const char *text, int most)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || text[digits] || (text[0] == '0' && digits > 1))
        return -1;
    int prefix = atoi(text);
    return prefix <= most ? prefix : -1;
}

/* True for ::ffff:a.b.c.d, which is an IPv4 address in disguise and would pass by what is written for IPv4.
 */
static bool is_mapped(const struct ja_addr *addr)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return addr->v6 && memcmp(addr->bytes, mapped, sizeof mapped) == 0;
}

int ja_addr_parse(const char *text, struct ja_addr *ret_addr, struct ja_error *err)
{
    struct ja_addr addr = {.prefix = -1};
    char host[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "/");
    bool good = length < sizeof host;
    if (good) {
        memcpy(host, text, length);
        host[length] = '\0';
        addr.v6 = strchr(host, ':') != NULL;
        good = inet_pton(addr.v6 ? AF_INET6 : AF_INET, host, addr.bytes) == 1 && !is_mapped(&addr) &&
               !(addr.v6 && strchr(host, '.'));
    }
    if (good && text[length]) {
        addr.prefix = parse_prefix(text + length + 1, bits_of(&addr));
        if (addr.prefix < 0)
            return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" has no valid prefix length; allowed is /0 to /%d",
                                JA_SHOW(text), bits_of(&addr));
    }
    if (!good)
        return ja_error_set(err, JA_E_INVALID, NULL,
                            "\"%s\" is not an address; allowed are such as 10.0.0.5, 10.0.0.5/24 or fd00::5/64",
                            JA_SHOW(text));
    *ret_addr = addr;
    return 0;
}

/* An address of ::/96, which inet_ntop writes as ::1.2.3.4, as nobody but old systems reads it. False: it is none. */
static bool format_low(const struct ja_addr *addr, char text[JA_ADDR_TEXT])
{
    static const uint8_t zeros[12];
    const uint8_t *low = addr->bytes + sizeof zeros;
    if (!addr->v6 || memcmp(addr->bytes, zeros, sizeof zeros) != 0)
        return false;
    unsigned high = (unsigned)low[0] << 8 | low[1], last = (unsigned)low[2] << 8 | low[3];
    if (high)
        snprintf(text, JA_ADDR_TEXT, "::%x:%x", high, last);
    else if (last)
        snprintf(text, JA_ADDR_TEXT, "::%x", last);
    else
        snprintf(text, JA_ADDR_TEXT, "::");
    return true;
}

void ja_addr_format(const struct ja_addr *addr, bool with_prefix, char text[JA_ADDR_TEXT])
{
    if (!format_low(addr, text))
        inet_ntop(addr->v6 ? AF_INET6 : AF_INET, addr->bytes, text, JA_ADDR_TEXT);
    if (with_prefix && addr->prefix >= 0) {
        size_t used = strlen(text);
        snprintf(text + used, JA_ADDR_TEXT - used, "/%d", addr->prefix);
    }
}

int ja_addr_compare(const struct ja_addr *a, const struct ja_addr *b)
{
    if (a->v6 != b->v6)
        return a->v6 ? 1 : -1;
    return memcmp(a->bytes, b->bytes, (size_t)bytes_of(a));
}

static bool same_bits(const struct ja_addr *a, const struct ja_addr *b, int bits)
{
    size_t whole = (size_t)bits / 8;
    if (a->v6 != b->v6 || memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    int rest = bits % 8;
    return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

bool ja_addr_in(const struct ja_addr *net, const struct ja_addr *inner)
{
    return same_bits(net, inner, prefix_of(net));
}

bool ja_addr_overlap(const struct ja_addr *a, const struct ja_addr *b)
{
    int pa = prefix_of(a), pb = prefix_of(b);
    return same_bits(a, b, pa < pb ? pa : pb);
}

/* A copy with all bits after the prefix set to `ones`. */
static struct ja_addr with_host_bits(const struct ja_addr *addr, bool ones)
{
    struct ja_addr copy = *addr;
    for (int bit = prefix_of(addr); bit < bits_of(addr); bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        if (ones)
            copy.bytes[bit / 8] |= mask;
        else
            copy.bytes[bit / 8] &= (uint8_t)~mask;
    }
    return copy;
}

void ja_addr_network(const struct ja_addr *addr, struct ja_addr *ret_network)
{
    *ret_network = with_host_bits(addr, false);
}

void ja_addr_broadcast(const struct ja_addr *addr, struct ja_addr *ret_broadcast)
{
    *ret_broadcast = with_host_bits(addr, true);
}

/* Addresses that no host has, wherever it is. */
static bool is_special(const struct ja_addr *addr)
{
    static const uint8_t loopback[16] = {[15] = 1}, unspecified[16] = {0};
    const uint8_t *b = addr->bytes;
    if (addr->v6)
        return b[0] == 0xff || memcmp(b, loopback, 16) == 0 || memcmp(b, unspecified, 16) == 0;
    return b[0] == 0 || b[0] == 127 || (b[0] & 0xf0) == 0xe0 || memcmp(b, "\xff\xff\xff\xff", 4) == 0;
}

bool ja_addr_usable(const struct ja_addr *net, const struct ja_addr *addr)
{
    if (!ja_addr_in(net, addr) || is_special(addr))
        return false;
    /* Links of two addresses (RFC 3021, RFC 6164) and single addresses have neither network nor broadcast
     * address. */
    if (prefix_of(net) >= bits_of(net) - 1)
        return true;
    struct ja_addr network = with_host_bits(net, false), broadcast = with_host_bits(net, true);
    return ja_addr_compare(addr, &network) != 0 && (addr->v6 || ja_addr_compare(addr, &broadcast) != 0);
}

/* Adds one; false when it began again at zero. */
static bool increment(struct ja_addr *addr)
{
    for (int i = bytes_of(addr) - 1; i >= 0; i--)
        if (++addr->bytes[i] != 0)
            return true;
    return false;
}

/* The first place in `taken` whose address is not below `addr`. */
static size_t first_not_below(const struct ja_addr *taken, size_t count, const struct ja_addr *addr)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ja_addr_compare(&taken[middle], addr) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The smallest free address at or after *addr, which begins usable. */
static bool find_free(const struct ja_addr *net, const struct ja_addr *taken, size_t count, struct ja_addr *addr)
{
    size_t i = first_not_below(taken, count, addr);
    while (ja_addr_usable(net, addr)) {
        while (i < count && ja_addr_compare(&taken[i], addr) < 0)
            i++;
        bool is_taken = i < count && ja_addr_compare(&taken[i], addr) == 0;
        if (!is_taken && ja_addr_compare(net, addr) != 0)
            return true;
        if (!increment(addr))
            return false;
    }
    return false;
}

int ja_addr_allocate(const struct ja_addr *net, const struct ja_addr *taken, size_t taken_count,
                     struct ja_addr *ret_addr, struct ja_error *err)
{
    struct ja_addr after = *net, first = with_host_bits(net, false);
    if (increment(&after) && find_free(net, taken, taken_count, &after)) {
        *ret_addr = after;
        return 0;
    }
    if (!ja_addr_usable(net, &first))
        increment(&first);
    if (find_free(net, taken, taken_count, &first)) {
        *ret_addr = first;
        return 0;
    }
    char text[JA_ADDR_TEXT];
    ja_addr_format(net, true, text);
    return ja_error_set(err, JA_E_LIMIT, NULL, "no address is free in the network of %s", text);
}

/* The zero byte at the end included, so that ("a", "bc") and ("ab", "c") differ. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    return ja_hash(hash, text, strlen(text) + 1);
}

void ja_mac_from(const char *uuid, const char *label, char mac[JA_MAC_TEXT])
{
    uint64_t h = hash_text(hash_text(JA_HASH_START, uuid), label);
    /* FNV mixes its high bits badly; this is the finaliser of MurmurHash3 (Appleby). */
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdULL;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53ULL;
    h ^= h >> 33;
    unsigned first = ((unsigned)(h >> 40) & 0xfc) | 0x02; /* locally administered, unicast */
    snprintf(mac, JA_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", first, (unsigned)(h >> 32) & 0xff,
             (unsigned)(h >> 24) & 0xff, (unsigned)(h >> 16) & 0xff, (unsigned)(h >> 8) & 0xff, (unsigned)h & 0xff);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int ja_mac_parse(const char *text, uint8_t ret_mac[6])
{
    uint8_t mac[6];
    if (strnlen(text, JA_MAC_TEXT) != JA_MAC_TEXT - 1)
        return JA_E_INVALID;
    for (int i = 0; i < 6; i++) {
        int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
        if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != ':'))
            return JA_E_INVALID;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(ret_mac, mac, sizeof mac);
    return 0;
}

void ja_addr_link_local(const uint8_t mac[6], struct ja_addr *ret_addr)
{
    *ret_addr =
        (struct ja_addr){.v6 = true,
                         .bytes = {0xfe, 0x80, [8] = mac[0] ^ 0x02, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]},
                         .prefix = 64};
}
