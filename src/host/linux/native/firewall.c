/*
 * firewall.c: rules of others that drop what the host forwards: base chains of nftables (iptables writes there too) and the
 * old kernel tables of iptables. A table in which our bridges are mentioned counts as settled: somebody has thought of us.
 * And the rules of our own tables, of which others may have taken some away.
 */
#include "base/file.h"
#include "host/linux/native/native.h"
#include "host/linux/native/netlink.h"
#include "host/linux/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h> /* before the kernel's headers, which then leave out what it defines */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define LEGACY_TABLES "/proc/net/ip_tables_names"

enum { CHAINS_MOST = 16, DUMP_TRIES = 20 };

struct chain {
    uint8_t family;
    char table[64], name[64];
};

struct scan {
    struct chain chains[CHAINS_MOST]; /* that drop what is forwarded */
    size_t count;
    bool docker, ufw;
};

static void take_text(char *to, size_t size, const void *attrs, size_t length, unsigned type)
{
    size_t text_size = 0;
    const char *text = ja_nl_find(attrs, length, type, &text_size);
    snprintf(to, size, "%.*s", text ? (int)text_size : 0, text ? text : "");
}

static uint32_t take_number(const void *attrs, size_t length, unsigned type, uint32_t otherwise)
{
    size_t size = 0;
    uint32_t number;
    const void *at = ja_nl_find(attrs, length, type, &size);
    if (!at || size != sizeof number)
        return otherwise;
    memcpy(&number, at, sizeof number);
    return ntohl(number);
}

/* "ja7f" and such: a table of an instance of ours. */
static bool is_ours(const char *table)
{
    return strlen(table) == 4 && strncmp(table, "ja", 2) == 0;
}

static const struct nfgenmsg *reply(const struct nlmsghdr *message, unsigned type, const void **ret_attrs,
                                    size_t *ret_length)
{
    return ja_nl_reply(message, NFNL_SUBSYS_NFTABLES << 8 | type, sizeof(struct nfgenmsg), ret_attrs, ret_length);
}

static int take_chain(void *context, const struct nlmsghdr *message)
{
    struct scan *scan = context;
    const void *attrs;
    size_t length, hook_size = 0;
    const struct nfgenmsg *header = reply(message, NFT_MSG_NEWCHAIN, &attrs, &length);
    if (!header)
        return 0;
    struct chain chain = {.family = header->nfgen_family};
    take_text(chain.table, sizeof chain.table, attrs, length, NFTA_CHAIN_TABLE);
    take_text(chain.name, sizeof chain.name, attrs, length, NFTA_CHAIN_NAME);
    scan->docker = scan->docker || strcmp(chain.name, "DOCKER-USER") == 0;
    scan->ufw = scan->ufw || strncmp(chain.name, "ufw-", 4) == 0;
    const void *hook = ja_nl_find(attrs, length, NFTA_CHAIN_HOOK, &hook_size);
    bool routed = chain.family == NFPROTO_INET || chain.family == NFPROTO_IPV4 || chain.family == NFPROTO_IPV6;
    if (!hook || !routed || is_ours(chain.table) || scan->count == CHAINS_MOST ||
        take_number(hook, hook_size, NFTA_HOOK_HOOKNUM, UINT32_MAX) != NF_INET_FORWARD)
        return 0;
    /* firewalld accepts by policy and rejects by its last rule. */
    if (take_number(attrs, length, NFTA_CHAIN_POLICY, NF_ACCEPT) == NF_DROP || strcmp(chain.table, "firewalld") == 0)
        scan->chains[scan->count++] = chain;
    return 0;
}

static int dump(int fd, unsigned type, uint8_t family, const char *table, unsigned table_attr, ja_nl_each *each,
                void *context)
{
    struct nfgenmsg header = {.nfgen_family = family, .version = NFNETLINK_V0};
    struct ja_nl nl = {0};
    ja_nl_message(&nl, NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_DUMP, &header, sizeof header);
    if (table)
        ja_nl_text(&nl, table_attr, table);
    int rc = ja_nl_request(fd, &nl, each, context, NULL, 0);
    ja_nl_fini(&nl);
    return rc;
}

struct mention {
    const char *bridges, *table;
    bool found;
};

static int take_rule(void *context, const struct nlmsghdr *message)
{
    struct mention *mention = context;
    const void *attrs;
    size_t length;
    char table[64];
    if (!reply(message, NFT_MSG_NEWRULE, &attrs, &length))
        return 0;
    take_text(table, sizeof table, attrs, length, NFTA_RULE_TABLE);
    /* The names of interfaces stand in it as they are. */
    if (strcmp(table, mention->table) == 0 &&
        memmem(message, message->nlmsg_len, mention->bridges, strlen(mention->bridges)))
        mention->found = true;
    return 0;
}

static const char *kind_of(const struct scan *scan, const struct chain *chain)
{
    if (strcmp(chain->table, "firewalld") == 0)
        return "firewalld";
    if (strcmp(chain->table, "filter") != 0 || strcmp(chain->name, "FORWARD") != 0)
        return "nft";
    return scan->docker ? "docker" : scan->ufw ? "ufw" : "iptables";
}

static int scan_nftables(const char *bridges, struct ja_str *lines)
{
    struct scan scan = {0};
    int fd = ja_nl_host(NETLINK_NETFILTER);
    if (fd < 0)
        return errno == EPROTONOSUPPORT ? 0 : -errno;
    int rc = -EINTR;
    for (int tries = 0; rc == -EINTR && tries < DUMP_TRIES; tries++) {
        scan = (struct scan){0};
        rc = dump(fd, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NULL, 0, take_chain, &scan);
    }
    for (size_t i = 0; rc == 0 && i < scan.count; i++) {
        const struct chain *chain = &scan.chains[i];
        struct mention mention = {.bridges = bridges, .table = chain->table};
        /* Whoever changes rules meanwhile may be missed here; the next start looks again. */
        rc = dump(fd, NFT_MSG_GETRULE, chain->family, chain->table, NFTA_RULE_TABLE, take_rule, &mention);
        rc = rc == -EINTR ? 0 : rc;
        if (rc == 0 && !mention.found)
            ja_str_addf(lines, "%s %s %s %s\n", kind_of(&scan, chain),
                        chain->family == NFPROTO_INET   ? "inet"
                        : chain->family == NFPROTO_IPV4 ? "ip"
                                                        : "ip6",
                        chain->table, chain->name);
    }
    /* A kernel without nftables has no rules there. */
    return rc == -EINVAL || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT ? 0 : rc;
}

/* The verdict at the end of the FORWARD chain. */
static bool legacy_drops(const struct ipt_get_entries *entries, uint32_t offset)
{
    const char *blob = (const char *)entries->entrytable;
    struct ipt_entry entry;
    struct xt_standard_target target;
    if (offset + sizeof entry > entries->size)
        return false;
    memcpy(&entry, blob + offset, sizeof entry);
    if (offset + entry.target_offset + sizeof target > entries->size)
        return false;
    memcpy(&target, blob + offset + entry.target_offset, sizeof target);
    return target.target.u.user.name[0] == '\0' && target.verdict == -NF_DROP - 1;
}

/* Asking for a table that is not there would make it: it must be listed first. */
static void scan_legacy(const char *bridges, struct ja_str *lines)
{
    ja_autofree char *names = NULL;
    struct ipt_getinfo info = {.name = "filter"};
    socklen_t size = sizeof info;
    if (ja_file_read(LEGACY_TABLES, 4096, &names, NULL, NULL) < 0 || !strstr(names, "filter\n"))
        return;
    ja_autoclose int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd < 0 || getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) < 0)
        return;
    size = (socklen_t)(sizeof(struct ipt_get_entries) + info.size);
    ja_autofree struct ipt_get_entries *entries = ja_calloc(1, size);
    if (!entries)
        return;
    snprintf(entries->name, sizeof entries->name, "filter");
    entries->size = info.size;
    if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, entries, &size) < 0 ||
        !legacy_drops(entries, info.underflow[NF_INET_FORWARD]) ||
        memmem(entries->entrytable, entries->size, bridges, strlen(bridges)))
        return;
    bool docker = memmem(entries->entrytable, entries->size, "DOCKER-USER", strlen("DOCKER-USER"));
    bool ufw = memmem(entries->entrytable, entries->size, "ufw-", strlen("ufw-"));
    ja_str_addf(lines, "%s ip filter FORWARD\n", docker ? "docker" : ufw ? "ufw" : "iptables");
}

int ja_linux_probe_firewall(const char *bridges, struct ja_str *lines, struct ja_error *err)
{
    if (!*bridges)
        return 0;
    int rc = scan_nftables(bridges, lines);
    if (rc < 0)
        return ja_error_sys(err, -rc, NULL, "cannot look at the rules of others");
    scan_legacy(bridges, lines);
    return lines->length ? 1 : 0;
}

/* ---- our own tables ---- */

struct rules {
    const char *chain; /* NULL: all but those of networks */
    unsigned count;
    struct ja_str *lines; /* may be NULL */
};

/* A rule's comment, as nft(8) keeps it: type, length, text with its zero, among other such data of its own. */
static void take_comment(const void *data, size_t size, struct ja_str *lines)
{
    enum { COMMENT = 0 }; /* NFTNL_UDATA_RULE_COMMENT of libnftnl */
    const unsigned char *at = data;
    for (size_t left = data ? size : 0; left >= 2 && (size_t)at[1] + 2 <= left; left -= at[1] + 2U, at += at[1] + 2)
        if (at[0] == COMMENT && at[1] > 1) {
            ja_str_addn(lines, (const char *)at + 2, strnlen((const char *)at + 2, at[1]));
            ja_str_add(lines, "\n");
            return;
        }
    ja_str_add(lines, "-\n");
}

static int look_at_rule(void *context, const struct nlmsghdr *message)
{
    struct rules *rules = context;
    const void *attrs;
    size_t length, size = 0;
    char chain[64];
    if (!reply(message, NFT_MSG_NEWRULE, &attrs, &length))
        return 0;
    take_text(chain, sizeof chain, attrs, length, NFTA_RULE_CHAIN);
    if (rules->chain ? strcmp(chain, rules->chain) != 0 : ja_str_starts(chain, JA_LINUX_NETCHAIN))
        return 0;
    rules->count++;
    if (rules->lines) {
        const void *data = ja_nl_find(attrs, length, NFTA_RULE_USERDATA, &size);
        take_comment(data, size, rules->lines);
    }
    return 0;
}

static int read_rules(uint8_t family, const char *table, struct rules *rules, struct ja_error *err)
{
    int fd = ja_nl_host(NETLINK_NETFILTER);
    int rc = fd < 0 ? -errno : -EINTR;
    for (int tries = 0; rc == -EINTR && tries < DUMP_TRIES; tries++) {
        rules->count = 0;
        if (rules->lines)
            ja_str_fini(rules->lines);
        rc = dump(fd, NFT_MSG_GETRULE, family, table, NFTA_RULE_TABLE, look_at_rule, rules);
    }
    return rc < 0 ? ja_error_sys(err, -rc, NULL, "cannot read the rules of table %s", table) : 0;
}

int ja_linux_probe_rules(uint8_t family, const char *table, unsigned *ret_count, struct ja_error *err)
{
    struct rules rules = {0};
    int rc = read_rules(family, table, &rules, err);
    if (rc == 0)
        *ret_count = rules.count;
    return rc;
}

int ja_linux_probe_chain(uint8_t family, const char *table, const char *chain, struct ja_str *lines,
                         struct ja_error *err)
{
    struct rules rules = {.chain = chain, .lines = lines};
    int rc = read_rules(family, table, &rules, err);
    return rc < 0 ? rc : rules.count > 0;
}
