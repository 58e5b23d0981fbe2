/*
 * nftelement.c: see nftelement.h.
 */
#include "host/linux/native/nftelement.h"
#include "net/addr.h"

#include <netinet/in.h> /* before the kernel's headers, which then leave out what it defines */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum { LINE_WORDS_MOST = 24 };

/* A part takes whole 32-bit registers. */
static bool put_field(struct ja_nft_value *value, const void *bytes, size_t size)
{
    size_t aligned = (size + 3) & ~(size_t)3;
    if (value->size + aligned > sizeof value->bytes)
        return false;
    memset(value->bytes + value->size, 0, aligned);
    memcpy(value->bytes + value->size, bytes, size);
    value->size += aligned;
    return true;
}

/* "0x" and 32 digits: 16 bytes as they are in the packet. */
static bool read_raw(const char *text, unsigned char bytes[16])
{
    if (strlen(text) != 34 || strncmp(text, "0x", 2) != 0 || strspn(text + 2, "0123456789abcdef") != 32)
        return false;
    for (size_t i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(text + 2 + 2 * i, "%2x", &byte) != 1)
            return false;
        bytes[i] = (unsigned char)byte;
    }
    return true;
}

/* A port, in the packet's order. */
static bool read_port(const char *text, unsigned char bytes[2])
{
    size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 5 || text[digits] || text[0] == '0')
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    bytes[0] = (unsigned char)(port >> 8);
    bytes[1] = (unsigned char)port;
    return port <= UINT16_MAX;
}

bool ja_nft_add_part(struct ja_nft_value *value, const char *word, bool quoted)
{
    unsigned char bytes[16] = {0};
    uint8_t mac[6];
    struct ja_addr addr;
    if (quoted) {
        if (strlen(word) >= IF_NAMESIZE || strpbrk(word, "*\\"))
            return false;
        memcpy(bytes, word, strlen(word));
        return put_field(value, bytes, IF_NAMESIZE);
    }
    bool tcp = strcmp(word, "tcp") == 0;
    if (tcp || strcmp(word, "udp") == 0) {
        bytes[0] = tcp ? IPPROTO_TCP : IPPROTO_UDP;
        return put_field(value, bytes, 1);
    }
    if (read_port(word, bytes))
        return put_field(value, bytes, 2);
    if (ja_mac_parse(word, mac) == 0)
        return put_field(value, mac, sizeof mac);
    if (read_raw(word, bytes))
        return put_field(value, bytes, sizeof bytes);
    return ja_addr_parse(word, &addr, NULL) == 0 && addr.prefix < 0 && put_field(value, addr.bytes, addr.v6 ? 16 : 4);
}

/* A line's words; a quote stands only around a whole word. Their number, or -1. */
static int split(char *line, char *words[LINE_WORDS_MOST], bool quoted[LINE_WORDS_MOST])
{
    int count = 0;
    for (;;) {
        line += strspn(line, " \t");
        if (!*line)
            return count;
        if (count == LINE_WORDS_MOST)
            return -1;
        quoted[count] = *line == '"';
        if (quoted[count])
            line++;
        words[count++] = line;
        line += strcspn(line, quoted[count - 1] ? "\"" : " \t");
        if (quoted[count - 1] && *line != '"')
            return -1;
        if (*line)
            *line++ = '\0';
    }
}

static bool copy_name(char to[JA_NFT_NAME], const char *word)
{
    return snprintf(to, JA_NFT_NAME, "%s", word) < JA_NFT_NAME;
}

int ja_nft_family(const char *name)
{
    static const struct {
        const char *name;
        int family;
    } families[] = {{"inet", NFPROTO_INET}, {"ip", NFPROTO_IPV4}, {"ip6", NFPROTO_IPV6}, {"bridge", NFPROTO_BRIDGE}};
    for (size_t i = 0; i < JA_COUNT(families); i++)
        if (strcmp(name, families[i].name) == 0)
            return families[i].family;
    return -1;
}

/* What is between the braces: parts with dots between them, and for a map a colon and the parts of the value. */
static bool read_parts(char *const *words, const bool *quoted, int count, struct ja_nft_element *element)
{
    struct ja_nft_value *value = &element->key;
    for (int i = 0; i < count; i++) {
        if (i % 2 == 0) {
            if (!ja_nft_add_part(value, words[i], quoted[i]))
                return false;
        } else if (!quoted[i] && strcmp(words[i], ":") == 0 && value == &element->key) {
            value = &element->data;
        } else if (quoted[i] || strcmp(words[i], ".") != 0) {
            return false;
        }
    }
    return count % 2 == 1;
}

int ja_nft_read_line(char *line, struct ja_nft_element *element)
{
    char *words[LINE_WORDS_MOST];
    bool quoted[LINE_WORDS_MOST];
    int count = split(line, words, quoted);
    if (count == 0 || (count > 0 && words[0][0] == '#'))
        return 0;
    if (count < 8 || strcmp(words[1], "element") != 0 || strcmp(words[5], "{") != 0 ||
        strcmp(words[count - 1], "}") != 0)
        return -1;
    *element = (struct ja_nft_element){.delete = strcmp(words[0], "delete") == 0};
    if (!element->delete &&strcmp(words[0], "add") != 0)
        return -1;
    int family = ja_nft_family(words[2]);
    if (family != NFPROTO_BRIDGE && family != NFPROTO_INET)
        return -1;
    element->family = (uint8_t)family;
    return copy_name(element->table, words[3]) && copy_name(element->set, words[4]) &&
                   read_parts(words + 6, quoted + 6, count - 7, element)
               ? 1
               : -1;
}

static void put_value(struct ja_nl *nl, unsigned type, const struct ja_nft_value *value)
{
    size_t nest = ja_nl_nest(nl, type);
    ja_nl_attr(nl, NFTA_DATA_VALUE, value->bytes, value->size);
    ja_nl_nest_end(nl, nest);
}

static void put(struct ja_nl *nl, const struct ja_nft_element *element, unsigned type, unsigned flags)
{
    struct nfgenmsg header = {.nfgen_family = element->family, .version = NFNETLINK_V0};
    ja_nl_message(nl, NFNL_SUBSYS_NFTABLES << 8 | type, flags, &header, sizeof header);
    ja_nl_text(nl, NFTA_SET_ELEM_LIST_TABLE, element->table);
    ja_nl_text(nl, NFTA_SET_ELEM_LIST_SET, element->set);
    size_t list = ja_nl_nest(nl, NFTA_SET_ELEM_LIST_ELEMENTS), one = ja_nl_nest(nl, NFTA_LIST_ELEM);
    put_value(nl, NFTA_SET_ELEM_KEY, &element->key);
    if (element->data.size)
        put_value(nl, NFTA_SET_ELEM_DATA, &element->data);
    ja_nl_nest_end(nl, one);
    ja_nl_nest_end(nl, list);
}

void ja_nft_put_element(struct ja_nl *nl, const struct ja_nft_element *element, bool last)
{
    put(nl, element, element->delete ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM,
        (element->delete ? 0 : NLM_F_CREATE) | (last ? NLM_F_ACK : 0));
}

void ja_nft_ask_element(struct ja_nl *nl, const struct ja_nft_element *element)
{
    put(nl, element, NFT_MSG_GETSETELEM, NLM_F_ACK);
}
