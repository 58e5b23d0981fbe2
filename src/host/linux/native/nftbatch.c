/*
 * nftbatch.c: `nft -f -` for what happens at every start and stop of a jail: elements of sets whose keys are
 * interface names, MACs and addresses. As a process it reads the whole ruleset first; the kernel needs one
 * message. Anything else is declined.
 */
#include "host/linux/native/native.h"
#include "host/linux/native/netlink.h"
#include "net/addr.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's headers, which then leave out what it defines */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MOST = 64, NAME_MOST = 64, LINE_WORDS_MOST = 24 };

struct element {
    bool delete;
    uint8_t family;
    char table[NAME_MOST], set[NAME_MOST];
    unsigned char key[KEY_MOST];
    size_t key_size;
};

/* A field of a key takes whole 32-bit registers. */
static bool put_field(struct element *element, const void *bytes, size_t size)
{
    size_t aligned = (size + 3) & ~(size_t)3;
    if (element->key_size + aligned > sizeof element->key)
        return false;
    memset(element->key + element->key_size, 0, aligned);
    memcpy(element->key + element->key_size, bytes, size);
    element->key_size += aligned;
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

/* One part of a key. An interface's name is the one that was quoted. */
static bool read_part(struct element *element, const char *word, bool quoted)
{
    unsigned char bytes[16] = {0};
    uint8_t mac[6];
    struct ja_addr addr;
    if (quoted) {
        if (strlen(word) >= IF_NAMESIZE || strpbrk(word, "*\\"))
            return false;
        memcpy(bytes, word, strlen(word));
        return put_field(element, bytes, IF_NAMESIZE);
    }
    if (ja_mac_parse(word, mac) == 0)
        return put_field(element, mac, sizeof mac);
    if (read_raw(word, bytes))
        return put_field(element, bytes, sizeof bytes);
    return ja_addr_parse(word, &addr, NULL) == 0 && addr.prefix < 0 && put_field(element, addr.bytes, addr.v6 ? 16 : 4);
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

static bool copy_name(char to[NAME_MOST], const char *word)
{
    return snprintf(to, NAME_MOST, "%s", word) < NAME_MOST;
}

/* "add element bridge ja7f source4 { "ja7f3n0" . 10.66.0.2 }". 1: read; 0: nothing in this line; -1: not ours
 * to do. */
static int read_line(char *line, struct element *element)
{
    char *words[LINE_WORDS_MOST];
    bool quoted[LINE_WORDS_MOST];
    int count = split(line, words, quoted);
    if (count == 0 || (count > 0 && words[0][0] == '#'))
        return 0;
    if (count < 8 || strcmp(words[1], "element") != 0 || strcmp(words[5], "{") != 0 ||
        strcmp(words[count - 1], "}") != 0)
        return -1;
    *element = (struct element){.delete = strcmp(words[0], "delete") == 0};
    if (!element->delete &&strcmp(words[0], "add") != 0)
        return -1;
    if (strcmp(words[2], "bridge") == 0)
        element->family = NFPROTO_BRIDGE;
    else if (strcmp(words[2], "inet") == 0)
        element->family = NFPROTO_INET;
    else
        return -1;
    if (!copy_name(element->table, words[3]) || !copy_name(element->set, words[4]))
        return -1;
    /* Parts with dots between them; the number of words between the braces is odd. */
    if (count % 2)
        return -1;
    for (int i = 6; i < count - 1; i++)
        if (i % 2 ? strcmp(words[i], ".") != 0 || quoted[i] : !read_part(element, words[i], quoted[i]))
            return -1;
    return 1;
}

static void put_element(struct ja_nl *nl, const struct element *element, bool last)
{
    struct nfgenmsg header = {.nfgen_family = element->family, .version = NFNETLINK_V0};
    unsigned type = element->delete ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM;
    ja_nl_message(nl, NFNL_SUBSYS_NFTABLES << 8 | type, (element->delete ? 0 : NLM_F_CREATE) | (last ? NLM_F_ACK : 0),
                  &header, sizeof header);
    ja_nl_text(nl, NFTA_SET_ELEM_LIST_TABLE, element->table);
    ja_nl_text(nl, NFTA_SET_ELEM_LIST_SET, element->set);
    size_t list = ja_nl_nest(nl, NFTA_SET_ELEM_LIST_ELEMENTS), one = ja_nl_nest(nl, NFTA_LIST_ELEM);
    size_t key = ja_nl_nest(nl, NFTA_SET_ELEM_KEY);
    ja_nl_attr(nl, NFTA_DATA_VALUE, element->key, element->key_size);
    ja_nl_nest_end(nl, key);
    ja_nl_nest_end(nl, one);
    ja_nl_nest_end(nl, list);
}

static void put_border(struct ja_nl *nl, unsigned type)
{
    struct nfgenmsg header = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
    ja_nl_message(nl, type, 0, &header, sizeof header);
}

/* All lines as one transaction. 0, JA_E_UNSUPPORTED when a line is not ours to do, JA_E_NOMEM. */
static int encode(const char *input, struct ja_nl *nl, struct ja_error *err)
{
    ja_autofree char *copy = ja_strdup(input);
    if (!copy)
        return ja_error_nomem(err);
    struct element element, next;
    bool pending = false;
    char *rest = copy;
    put_border(nl, NFNL_MSG_BATCH_BEGIN);
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        int read = read_line(line, &next);
        if (read < 0)
            return JA_E_UNSUPPORTED;
        if (read == 0)
            continue;
        if (pending)
            put_element(nl, &element, false);
        element = next;
        pending = true;
    }
    if (!pending)
        return JA_E_UNSUPPORTED;
    put_element(nl, &element, true);
    put_border(nl, NFNL_MSG_BATCH_END);
    return nl->failed ? ja_error_nomem(err) : 0;
}

int ja_native_nft(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    struct ja_nl nl = {0};
    char words[256];
    if (argc != 3 || strcmp(argv[1], "-f") != 0 || strcmp(argv[2], "-") != 0)
        return JA_E_UNSUPPORTED;
    int rc = encode(io->input, &nl, err);
    ja_autoclose int fd = rc == 0 ? ja_nl_open(NETLINK_NETFILTER) : -1;
    if (rc == 0 && fd < 0)
        rc = JA_E_UNSUPPORTED; /* let the program say what is wrong */
    if (rc == 0 && (rc = ja_nl_request(fd, &nl, NULL, NULL, words, sizeof words)) < 0) {
        const char *hint = rc == -ENOENT ? " (no such table, set or element)" : "";
        rc = ja_error_sys(err, -rc, NULL, "cannot change the rules%s%s%s", words[0] ? ": " : "", words, hint);
    }
    ja_nl_fini(&nl);
    return rc;
}
