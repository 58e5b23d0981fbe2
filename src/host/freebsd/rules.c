/*
 * rules.c: ipfw for jails. All rules are in the instance's own set and numbers, so that the administrator's are not touched:
 *
 *     +0 ... +19    the default policy: what jails may reach of the host and of each other's networks
 *     +100 + 20 k   NAT by the k-th uplink, after the policy, since a packet that NAT has taken is accepted (one_pass)
 *
 * Networks are entries of tables: rules do not grow with networks or jails. ipfw deletes what is not there with a message and
 * status 0, and refuses a second table with an error: facts decide what is done.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

enum { UPLINKS_MOST = 16, NAT_RULES = 100, RULES_PER_UPLINK = 20, MAX_RULE = 64 };

static void table_name(const struct ja_site *site, const char *what, char name[32])
{
    snprintf(name, 32, "ja%s%s", site->tag, what);
}

/* ---- ipfw itself ---- */

static bool is_loaded(struct ja_planning *p)
{
    return ja_fact(p->facts, JA_FACT_MODULE, "ipfw") != NULL;
}

static bool denies(struct ja_planning *p)
{
    const char *last = ja_fact(p->facts, JA_FACT_IPFW, "rule 65535");
    return last && strstr(last, "deny ip from any to any");
}

bool ja_freebsd_vnet_denies(struct ja_planning *p)
{
    return is_loaded(p) && denies(p);
}

/* A stock ipfw denies everything from the moment it is loaded, also the administrator's own session: it is told not to, before. */
static void load(struct ja_planning *p)
{
    if (!is_loaded(p)) {
        struct ja_step *step = ja_plan_step(p->plan, "let ipfw accept by default, before it is loaded");
        ja_step_run(p->plan, step, TOOL("kenv"), "net.inet.ip.fw.default_to_accept=1", NULL);
        ja_freebsd_module(p, "ipfw", "load ipfw");
    } else if (denies(p)) {
        ja_plan_note(p->plan,
                     "ipfw of this host denies by default: its own rules must let forwarded packets of jails pass");
    }
    ja_freebsd_module(p, "ipfw_nat", "load its address translation");
}

/* ---- steps ---- */

static bool rule_is_there(struct ja_planning *p, int64_t number)
{
    return ja_factf(p->facts, JA_FACT_IPFW, "rule %lld", (long long)number) != NULL;
}

/* One rule, of words; nothing when its number is taken by us already. */
static void add_rule(struct ja_planning *p, int64_t number, const char *words)
{
    ja_autostrv struct ja_strv list = {0};
    char mark[32], name[32];
    snprintf(name, sizeof name, "rule %lld", (long long)number);
    snprintf(mark, sizeof mark, "set %lld *", (long long)p->site->set);
    const char *there = ja_fact(p->facts, JA_FACT_IPFW, name);
    if (there && !ja_guard_match(mark, there)) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "ipfw has a rule %lld that is not ours", (long long)number);
        ja_plan_hint(p->plan, "this instance owns the numbers from %lld on; give yours others",
                     (long long)p->site->rule_base);
    }
    if (there)
        return;
    if (ja_str_split_words(words, &list) < 0) {
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        return;
    }
    struct ja_step *step = ja_plan_step(p->plan, "say what jails may reach");
    ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "add", NULL);
    ja_step_runf(p->plan, step, "%lld", (long long)number);
    ja_step_run(p->plan, step, "set", NULL);
    ja_step_runf(p->plan, step, "%lld", (long long)p->site->set);
    for (size_t i = 0; i < list.count; i++)
        ja_step_run(p->plan, step, list.items[i], NULL);
    ja_step_undo(p->plan, step, TOOL("ipfw"), "-q", "delete", NULL);
    ja_step_undof(p->plan, step, "%lld", (long long)number);
    ja_step_guard(p->plan, step, JA_FACT_IPFW, name, mark);
}

static void add_table(struct ja_planning *p, const char *table)
{
    char name[64];
    snprintf(name, sizeof name, "table %s", table);
    if (ja_fact(p->facts, JA_FACT_IPFW, name))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "make a table of networks");
    ja_step_run(p->plan, step, TOOL("ipfw"), "table", table, "create", "type", "addr", NULL);
    ja_step_undo(p->plan, step, TOOL("ipfw"), "table", table, "destroy", NULL);
    ja_step_guard(p->plan, step, JA_FACT_IPFW, name, NULL);
}

/* An entry of a table, in the form in which ipfw prints it: the network's own address with its length. */
static void entry_of(const char *address, char entry[JA_ADDR_TEXT])
{
    struct ja_addr addr, network;
    entry[0] = '\0';
    if (ja_addr_parse(address, &addr, NULL) < 0)
        return;
    ja_addr_network(&addr, &network);
    ja_addr_format(&network, true, entry);
}

static bool entry_is_there(struct ja_planning *p, const char *table, const char *entry)
{
    return ja_factf(p->facts, JA_FACT_IPFW, "table %s %s", table, entry) != NULL;
}

static void add_entry(struct ja_planning *p, const char *table, const char *entry)
{
    char name[128];
    snprintf(name, sizeof name, "table %s %s", table, entry);
    if (ja_fact(p->facts, JA_FACT_IPFW, name))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "note the network's range");
    ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "table", table, "add", entry, NULL);
    ja_step_undo(p->plan, step, TOOL("ipfw"), "-q", "table", table, "delete", entry, NULL);
    ja_step_guard(p->plan, step, JA_FACT_IPFW, name, NULL);
}

static void remove_entry(struct ja_planning *p, const char *table, const char *entry)
{
    if (!entry_is_there(p, table, entry))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "forget the network's range");
    ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "table", table, "delete", entry, NULL);
    step->flags |= JA_STEP_IGNORE;
}

/* ---- the default policy ---- */

static const char *const policy[] = {
    "check-state :ja@",
    "allow ip from me to any out xmit ja@br* keep-state :ja@",
    "deny ip from any to 169.254.169.254 in recv ja@br*",
    "allow icmp from any to me in recv ja@br*",
    "allow ipv6-icmp from any to any in recv ja@br*",
    "allow udp from any to me 53,67 in recv ja@br*",
    "allow tcp from any to me 53 in recv ja@br*",
    "deny ip from any to me in recv ja@br*",
    /* Only what is routed has come in by one bridge and leaves by another. */
    "deny ip from 'table(ja@nets)' to 'table(ja@nets)' out recv ja@br* xmit ja@br*",
};

/* "@" stands for the tag. */
static void policy_text(const struct ja_site *site, const char *pattern, struct ja_str *text)
{
    for (; *pattern; pattern++) {
        if (*pattern == '@')
            ja_str_add(text, site->tag);
        else
            ja_str_addn(text, pattern, 1);
    }
}

static bool policy_is_up(struct ja_planning *p)
{
    bool up = true;
    for (size_t i = 0; i < JA_COUNT(policy); i++)
        up = rule_is_there(p, p->site->rule_base + (int64_t)i) && up;
    return up;
}

static void policy_up(struct ja_planning *p)
{
    for (size_t i = 0; i < JA_COUNT(policy); i++) {
        ja_autostr struct ja_str text = {0};
        policy_text(p->site, policy[i], &text);
        if (text.failed)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        else
            add_rule(p, p->site->rule_base + (int64_t)i, text.text);
    }
}

/* ---- NAT ---- */

static bool wants_nat(const struct ja_network *network)
{
    return network->nat && strcmp(network->nat, "none") != 0;
}

/* The interface by which the network's jails reach the world; NULL: none is known. */
static const char *uplink_of(struct ja_planning *p, const struct ja_network *network)
{
    return strcmp(network->nat, "auto") == 0 ? ja_fact(p->facts, JA_FACT_ROUTE, "default") : network->nat;
}

/* The number among ours of the NAT instance of an uplink: the one that it has, or the first that is free; -1: none is. */
static int64_t nat_of(struct ja_planning *p, const char *uplink, bool *ret_there)
{
    char word[64];
    int64_t unused = -1;
    snprintf(word, sizeof word, " if %s ", uplink);
    for (int64_t k = 0; k < UPLINKS_MOST; k++) {
        ja_autostr struct ja_str config = {0};
        const char *found = ja_factf(p->facts, JA_FACT_IPFW, "nat %lld", (long long)(p->site->nat_base + k));
        if (!found) {
            unused = unused < 0 ? k : unused;
            continue;
        }
        ja_str_addf(&config, " %s ", found);
        if (config.text && strstr(config.text, word)) {
            *ret_there = true;
            return k;
        }
    }
    *ret_there = false;
    return unused;
}

static void nat_table(const struct ja_site *site, int64_t k, char table[32])
{
    char what[16];
    snprintf(what, sizeof what, "nat%lld", (long long)k);
    table_name(site, what, table);
}

static void add_nat(struct ja_planning *p, const char *uplink, int64_t k)
{
    char name[32];
    int64_t number = p->site->nat_base + k;
    snprintf(name, sizeof name, "nat %lld", (long long)number);
    struct ja_step *step = ja_plan_step(p->plan, "translate addresses to those of %s", uplink);
    ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "nat", NULL);
    ja_step_runf(p->plan, step, "%lld", (long long)number);
    ja_step_run(p->plan, step, "config", "if", uplink, "same_ports", "reset", NULL);
    ja_step_undo(p->plan, step, TOOL("ipfw"), "-q", "nat", NULL);
    ja_step_undof(p->plan, step, "%lld", (long long)number);
    ja_step_undo(p->plan, step, "delete", NULL);
    ja_step_guard(p->plan, step, JA_FACT_IPFW, name, NULL);
}

static void nat_up(struct ja_planning *p, const struct ja_network *network)
{
    const char *uplink = uplink_of(p, network);
    char table[32], nets[32], words[256], entry[JA_ADDR_TEXT];
    bool there;
    if (!uplink) {
        ja_plan_note(p->plan,
                     "network %s: the host has no default route, so its jails reach nothing beyond it; "
                     "`jailadmin repair` translates addresses once there is one",
                     network->name);
        return;
    }
    int64_t k = nat_of(p, uplink, &there);
    if (k < 0) {
        ja_plan_fail(p->plan, JA_E_LIMIT, "field nat", "all of the instance's %d uplinks are in use", UPLINKS_MOST);
        return;
    }
    int64_t number = p->site->nat_base + k, rule = p->site->rule_base + NAT_RULES + RULES_PER_UPLINK * k;
    nat_table(p->site, k, table);
    table_name(p->site, "nets", nets);
    add_table(p, table);
    for (size_t i = 0; i < network->addresses.count; i++) {
        entry_of(network->addresses.items[i], entry);
        /* In-kernel NAT is for IPv4. */
        if (entry[0] && !strchr(entry, ':'))
            add_entry(p, table, entry);
    }
    if (!there)
        add_nat(p, uplink, k);
    snprintf(words, sizeof words, "nat %lld ip4 from 'table(%s)' to not 'table(%s)' out xmit %s", (long long)number,
             table, nets, uplink);
    add_rule(p, rule, words);
    snprintf(words, sizeof words, "nat %lld ip4 from any to me in recv %s", (long long)number, uplink);
    add_rule(p, rule + 1, words);
}

static bool nat_is_up(struct ja_planning *p, const struct ja_network *network)
{
    const char *uplink = uplink_of(p, network);
    char table[32], entry[JA_ADDR_TEXT];
    bool there = false;
    if (!uplink)
        return true;
    int64_t k = nat_of(p, uplink, &there);
    if (k < 0 || !there)
        return false;
    int64_t rule = p->site->rule_base + NAT_RULES + RULES_PER_UPLINK * k;
    bool up = rule_is_there(p, rule);
    up = rule_is_there(p, rule + 1) && up;
    nat_table(p->site, k, table);
    for (size_t i = 0; i < network->addresses.count; i++) {
        entry_of(network->addresses.items[i], entry);
        if (entry[0] && !strchr(entry, ':'))
            up = entry_is_there(p, table, entry) && up;
    }
    return up;
}

/* ---- the whole ---- */

bool ja_freebsd_rules_are_up(struct ja_planning *p, const struct ja_network *network)
{
    char nets[32], entry[JA_ADDR_TEXT];
    bool up = is_loaded(p);
    table_name(p->site, "nets", nets);
    for (size_t i = 0; i < network->addresses.count; i++) {
        entry_of(network->addresses.items[i], entry);
        up = (!entry[0] || entry_is_there(p, nets, entry)) && up;
    }
    up = policy_is_up(p) && up;
    return (!wants_nat(network) || nat_is_up(p, network)) && up;
}

void ja_freebsd_rules_up(struct ja_planning *p, const struct ja_network *network)
{
    char nets[32], entry[JA_ADDR_TEXT];
    load(p);
    table_name(p->site, "nets", nets);
    add_table(p, nets);
    policy_up(p);
    for (size_t i = 0; i < network->addresses.count; i++) {
        entry_of(network->addresses.items[i], entry);
        if (entry[0])
            add_entry(p, nets, entry);
    }
    if (wants_nat(network))
        nat_up(p, network);
}

void ja_freebsd_rules_down(struct ja_planning *p, const struct ja_network *network)
{
    char table[32], entry[JA_ADDR_TEXT];
    for (size_t i = 0; i < network->addresses.count; i++) {
        entry_of(network->addresses.items[i], entry);
        table_name(p->site, "nets", table);
        remove_entry(p, table, entry);
        for (int64_t k = 0; k < UPLINKS_MOST; k++) {
            nat_table(p->site, k, table);
            remove_entry(p, table, entry);
        }
    }
}

static void remove_table(struct ja_planning *p, const char *table)
{
    if (!ja_factf(p->facts, JA_FACT_IPFW, "table %s", table))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "remove the tables of networks");
    ja_step_run(p->plan, step, TOOL("ipfw"), "table", table, "destroy", NULL);
    step->flags |= JA_STEP_IGNORE;
}

void ja_freebsd_rules_remove_all(struct ja_planning *p)
{
    char table[32];
    if (!is_loaded(p))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "remove the instance's rules");
    ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "delete", "set", NULL);
    ja_step_runf(p->plan, step, "%lld", (long long)p->site->set);
    for (int64_t k = 0; k < UPLINKS_MOST; k++) {
        if (ja_factf(p->facts, JA_FACT_IPFW, "nat %lld", (long long)(p->site->nat_base + k))) {
            step = ja_plan_step(p->plan, "remove its address translation");
            ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "nat", NULL);
            ja_step_runf(p->plan, step, "%lld", (long long)(p->site->nat_base + k));
            ja_step_run(p->plan, step, "delete", NULL);
            step->flags |= JA_STEP_IGNORE;
        }
        nat_table(p->site, k, table);
        remove_table(p, table);
    }
    table_name(p->site, "nets", table);
    remove_table(p, table);
}
