/*
 * netrules.c: the rules that a network has beyond the default policy. Each network that has some has chains of its own in the
 * instance's inet table, one for each place where they are asked (see ruleset.c), and an element that leads its packets there: what
 * other networks' packets meet does not grow.
 *
 * Every rule carries its name and a digest of what it says, so that a fact tells whether a chain is as it should be.
 */
#include "host/linux/network.h"

#include <stdio.h>
#include <string.h>

/* What jails begin that is routed; what they begin to the host; what others begin to them. */
enum kind { OUT, HOST, IN, KINDS };
static const char *const kind_names[KINDS] = {"out", "host", "in"};

/* ---- one rule as text ---- */

static bool is_about(const struct ja_rule *rule, const struct ja_peer *peer, enum kind kind)
{
    if (rule->direction == JA_DIRECTION_IN)
        return kind == IN;
    bool both = peer->kind == JA_PEER_ANY || peer->kind == JA_PEER_ADDRESS;
    return kind == HOST ? both || peer->kind == JA_PEER_HOST : kind == OUT && peer->kind != JA_PEER_HOST;
}

/* The addresses of a family among texts: "10.66.0.2", "{ 10.66.0.2, 10.66.0.9 }". False: there are none. */
static bool address_set(const struct ja_strv *texts, bool v6, struct ja_str *set)
{
    size_t count = 0;
    ja_autostr struct ja_str list = {0};
    for (size_t i = 0; i < texts->count; i++)
        if ((strchr(texts->items[i], ':') != NULL) == v6)
            ja_str_addf(&list, "%s%s", count++ ? ", " : "", texts->items[i]);
    if (count)
        ja_str_addf(set, count > 1 ? "{ %s }" : "%s", list.text ? list.text : "");
    set->failed = set->failed || list.failed;
    return count > 0;
}

/* " ip saddr ..." of one side; false when it cannot be met in this family. */
static bool match_addresses(const struct ja_strv *texts, bool v6, const char *field, struct ja_str *text)
{
    ja_str_addf(text, "%s %s ", v6 ? "ip6" : "ip", field);
    bool found = address_set(texts, v6, text);
    ja_str_add(text, " ");
    return found;
}

/* A range that is everything of its family matches by the family: nft takes no prefix of length 0. */
static bool match_range(const char *address, bool v6, const char *field, struct ja_str *text)
{
    struct ja_addr addr;
    if (ja_addr_parse(address, &addr, NULL) < 0 || addr.v6 != v6)
        return false;
    if (addr.prefix == 0)
        ja_str_addf(text, "meta nfproto %s ", v6 ? "ipv6" : "ipv4");
    else
        ja_str_addf(text, "%s %s %s ", v6 ? "ip6" : "ip", field, address);
    return true;
}

static void match_protocol(const struct ja_rule *rule, bool known, bool v6, struct ja_str *text)
{
    const char *icmp = !known ? "{ icmp, icmpv6 }" : v6 ? "icmpv6" : "icmp";
    const char *protocol = rule->protocol == JA_PROTOCOL_TCP ? "tcp" : rule->protocol == JA_PROTOCOL_UDP ? "udp" : icmp;
    if (rule->port)
        ja_str_addf(text, "%s dport %s ", protocol, rule->port);
    else if (rule->protocol != JA_PROTOCOL_ANY)
        ja_str_addf(text, "meta l4proto %s ", protocol);
}

/* `family`: 0 for IPv4, 1 for IPv6, -1 where no address is asked for. False when nothing of it can be met. */
static bool rule_text(const struct ja_site *site, const struct ja_rule *rule, const struct ja_peer *peer,
                      enum kind kind, int family, struct ja_str *text)
{
    const char *own = kind == IN ? "daddr" : "saddr", *other = kind == IN ? "saddr" : "daddr";
    const char *interface = kind == IN ? "iifname" : "oifname";
    bool met = true;
    if (peer->kind == JA_PEER_WORLD)
        ja_str_addf(text, "%s != @nets ", interface);
    if (peer->kind == JA_PEER_NETWORK) {
        char bridge[16];
        ja_site_bridge_name(site, rule->peer_slot, bridge);
        ja_str_addf(text, "%s \"%s\" ", interface, bridge);
    }
    if (rule->jail)
        met = match_addresses(&rule->jail_addresses, family == 1, own, text);
    if (peer->kind == JA_PEER_JAIL)
        met = match_addresses(&rule->peer_addresses, family == 1, other, text) && met;
    if (peer->kind == JA_PEER_ADDRESS)
        met = match_range(peer->address, family == 1, other, text) && met;
    match_protocol(rule, family >= 0, family == 1, text);
    if (strcmp(rule->action, "deny") == 0)
        ja_str_add(text, "goto deny");
    else
        ja_str_add(text, kind == OUT ? "goto allowed" : "accept");
    return met;
}

/* ---- the rules of one chain ---- */

struct chain {
    struct ja_planning *p;
    const struct ja_network *network;
    enum kind kind;
    char name[24], bridge[16];
    struct ja_strv rules; /* texts, each with its mark as comment */
    struct ja_str marks;  /* a line for each, as the fact has them */
};

static void chain_fini(struct chain *chain)
{
    ja_strv_fini(&chain->rules);
    ja_str_fini(&chain->marks);
}

static void add_rule(struct chain *chain, const struct ja_rule *rule, const struct ja_peer *peer, int family)
{
    ja_autostr struct ja_str text = {0}, mark = {0};
    if (!rule_text(chain->p->site, rule, peer, chain->kind, family, &text))
        return;
    if (!text.failed)
        ja_rule_mark(rule, text.text, &mark);
    if (text.failed || mark.failed || ja_strv_addf(&chain->rules, "%s comment \"%s\"", text.text, mark.text) < 0) {
        ja_plan_fail(chain->p->plan, JA_E_NOMEM, NULL, "out of memory");
        return;
    }
    ja_str_addf(&chain->marks, "%s\n", mark.text);
}

static void chain_init(struct chain *chain, struct ja_planning *p, const struct ja_network *network, enum kind kind)
{
    *chain = (struct chain){.p = p, .network = network, .kind = kind};
    snprintf(chain->name, sizeof chain->name, JA_LINUX_NETCHAIN "%lld_%s", (long long)network->slot, kind_names[kind]);
    ja_site_bridge_name(p->site, network->slot, chain->bridge);
    const struct ja_rule **rules = ja_network_rules(network);
    if (!rules)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    for (size_t i = 0; rules && rules[i]; i++) {
        struct ja_peer peer;
        if (!ja_peer_read(rules[i]->peer, &peer) || !is_about(rules[i], &peer, kind))
            continue;
        bool addresses = rules[i]->jail || peer.kind == JA_PEER_JAIL || peer.kind == JA_PEER_ADDRESS;
        for (int family = addresses ? 0 : -1; family < (addresses ? 2 : 0); family++)
            add_rule(chain, rules[i], &peer, family);
    }
    ja_free(rules);
    if (chain->marks.failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

/* ---- facts ---- */

static bool leads_there(const struct chain *chain)
{
    return ja_factf(chain->p->facts, JA_FACT_NFT, "inet ja%s rules_%s %s", chain->p->site->tag, kind_names[chain->kind],
                    chain->bridge) != NULL;
}

/* Exactly what it should hold, and asked; or nothing. */
static bool is_right(const struct chain *chain)
{
    bool leads = leads_there(chain);
    if (chain->rules.count == 0)
        return !leads;
    const char *marks = ja_factf(chain->p->facts, JA_FACT_NFTCHAIN, "inet ja%s %s", chain->p->site->tag, chain->name);
    return leads && marks && chain->marks.text && strcmp(marks, chain->marks.text) == 0;
}

/* ---- lines for nft ---- */

#define SAY(script, ...)                                                                                               \
    ((script)->undo ? ja_step_undo_input : ja_step_input)((script)->p->plan, (script)->step, __VA_ARGS__)

static void put(const struct ja_linux_script *script, const struct chain *chain)
{
    const char *tag = script->p->site->tag;
    SAY(script, "add chain inet ja%s %s\n", tag, chain->name);
    SAY(script, "flush chain inet ja%s %s\n", tag, chain->name);
    for (size_t i = 0; i < chain->rules.count; i++)
        SAY(script, "add rule inet ja%s %s %s\n", tag, chain->name, chain->rules.items[i]);
    SAY(script, "add element inet ja%s rules_%s { \"%s\" : jump %s }\n", tag, kind_names[chain->kind], chain->bridge,
        chain->name);
}

/* Succeeds whatever of it is there, also where an older program made the table. */
static void take(const struct ja_linux_script *script, const struct chain *chain)
{
    const char *tag = script->p->site->tag, *kind = kind_names[chain->kind];
    SAY(script, "add map inet ja%s rules_%s { type ifname : verdict; }\n", tag, kind);
    SAY(script, "add chain inet ja%s %s\n", tag, chain->name);
    SAY(script, "add element inet ja%s rules_%s { \"%s\" : jump %s }\n", tag, kind, chain->bridge, chain->name);
    SAY(script, "delete element inet ja%s rules_%s { \"%s\" }\n", tag, kind, chain->bridge);
    SAY(script, "flush chain inet ja%s %s\n", tag, chain->name);
    SAY(script, "delete chain inet ja%s %s\n", tag, chain->name);
}

void ja_linux_netrules(const struct ja_linux_script *script, const struct ja_network *network)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct chain chain;
        chain_init(&chain, script->p, network, kind);
        if (script->way == JA_LINUX_ASK) {
            if (!is_right(&chain))
                *script->missing = true;
        } else if (chain.rules.count && script->way == JA_LINUX_ADD) {
            put(script, &chain);
        } else if (chain.rules.count || (script->way == JA_LINUX_ADD && leads_there(&chain))) {
            take(script, &chain);
        }
        chain_fini(&chain);
    }
}

void ja_linux_netrules_change(const struct ja_linux_script *script, const struct ja_network *from,
                              const struct ja_network *to)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct chain old, new;
        chain_init(&old, script->p, from, kind);
        chain_init(&new, script->p, to, kind);
        if (new.rules.count)
            put(script, &new);
        else if (old.rules.count)
            take(script, &old);
        chain_fini(&old);
        chain_fini(&new);
    }
}
