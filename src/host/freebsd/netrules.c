/*
 * netrules.c: the rules that a network has beyond the default policy. They stand under a number of their own, which the policy calls
 * (rules.c) when the table `rules` says so of the source or of the destination. ipfw is no transaction: a network has two numbers, of
 * which one is in use. Another set of rules is written under the other one, then the table's entries lead there, then the old one goes.
 *
 * An allow is a tag, upon which the policy accepts, with a state where it must know the answers; so that what exists goes on when the
 * rule has gone. A deny is of new connections: of TCP what begins one, of all else what has no state.
 *
 * Every rule carries its name and a digest of what it says, so that a fact tells whether they are as they should be.
 */
#include "host/freebsd/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

static long long number_of(const struct ja_planning *p, const struct ja_network *network, int which)
{
    return (long long)p->site->rule_base + JA_RULES_NETWORKS + 2 * (long long)network->slot + which;
}

static void number_fact(const struct ja_planning *p, const struct ja_network *network, int which, char name[32])
{
    snprintf(name, 32, "rule %lld", number_of(p, network, which));
}

/* ---- one rule as text ---- */

static bool address_list(const struct ja_strv *texts, bool v6, struct ja_str *list)
{
    size_t count = 0;
    for (size_t i = 0; i < texts->count; i++)
        if ((strchr(texts->items[i], ':') != NULL) == v6)
            ja_str_addf(list, "%s%s", count++ ? "," : "", texts->items[i]);
    return count > 0;
}

/* The other side, as words after "from" or "to"; *ret_not_host: they mean the host's own addresses too, and should not. */
static bool peer_words(const struct ja_site *site, const struct ja_rule *rule, bool v6, struct ja_str *words,
                       bool *ret_not_host)
{
    struct ja_peer peer;
    struct ja_addr addr;
    if (!ja_peer_read(rule->peer, &peer))
        return false;
    *ret_not_host = peer.kind == JA_PEER_WORLD || peer.kind == JA_PEER_NETWORK;
    switch (peer.kind) {
    case JA_PEER_ANY:
        ja_str_add(words, "any");
        return true;
    case JA_PEER_HOST:
        ja_str_add(words, "me");
        return true;
    case JA_PEER_WORLD:
        ja_str_addf(words, "not table(ja%snets)", site->tag);
        return true;
    case JA_PEER_NETWORK:
        ja_str_addf(words, "table(ja%snets,%lld)", site->tag, (long long)(JA_NETWORK_TAG + rule->peer_slot));
        return true;
    case JA_PEER_JAIL:
        return address_list(&rule->peer_addresses, v6, words);
    default:
        ja_str_add(words, peer.address);
        return ja_addr_parse(peer.address, &addr, NULL) == 0 && addr.v6 == v6;
    }
}

/* A line without its number; `about`: what it is about. */
static void add_line(const struct ja_rule *rule, const char *action, const char *about, const char *sides,
                     const char *more, struct ja_strv *lines, bool *failed)
{
    ja_autostr struct ja_str text = {0}, mark = {0};
    ja_str_addf(&text, "%s %s %s%s", action, about, sides, more);
    if (!text.failed)
        ja_rule_mark(rule, text.text, &mark);
    if (text.failed || mark.failed || ja_strv_addf(lines, "%s // %s", text.text, mark.text) < 0)
        *failed = true;
}

/* In one family; nothing when it cannot be met there. */
static void add_rule(const struct ja_site *site, const struct ja_rule *rule, const char *range, bool v6,
                     struct ja_strv *lines, bool *failed)
{
    static const char *const protocols[2][4] = {{"ip4", "tcp", "udp", "icmp"}, {"ip6", "tcp", "udp", "ipv6-icmp"}};
    const char *protocol = protocols[v6][rule->protocol];
    bool in = rule->direction == JA_DIRECTION_IN, not_host = false;
    ja_autostr struct ja_str own = {0}, other = {0}, sides = {0};
    bool met = rule->jail ? address_list(&rule->jail_addresses, v6, &own) : (ja_str_add(&own, range), true);
    met = peer_words(site, rule, v6, &other, &not_host) && met;
    if (met)
        ja_str_addf(&sides, "from %s to %s%s%s", in ? other.text : own.text, in ? own.text : other.text,
                    rule->port ? " " : "", rule->port ? rule->port : "");
    *failed = *failed || own.failed || other.failed || sides.failed;
    if (!met || *failed)
        return;
    /* The gateway has an address of the network's range as well. */
    char not_me[40], more[64], tag[32];
    snprintf(not_me, sizeof not_me, "%s%s", in && not_host ? " not src-ip me" : "",
             (in && !rule->jail) || (!in && not_host) ? " not dst-ip me" : "");
    if (strcmp(rule->action, "allow") == 0) {
        snprintf(tag, sizeof tag, "return tag %d", JA_ALLOWED_TAG);
        add_line(rule, tag, protocol, sides.text, not_me, lines, failed);
        return;
    }
    if (rule->protocol == JA_PROTOCOL_ANY || rule->protocol == JA_PROTOCOL_TCP) {
        snprintf(more, sizeof more, " setup%s", not_me);
        add_line(rule, "deny", "tcp", sides.text, more, lines, failed);
    }
    if (rule->protocol == JA_PROTOCOL_ANY) {
        snprintf(more, sizeof more, " not proto tcp%s", not_me);
        add_line(rule, "deny", protocol, sides.text, more, lines, failed);
    } else if (rule->protocol != JA_PROTOCOL_TCP) {
        add_line(rule, "deny", protocol, sides.text, not_me, lines, failed);
    }
}

/* All of a network, and the way back. */
static void fill_lines(struct ja_planning *p, const struct ja_network *network, struct ja_strv *lines)
{
    const struct ja_rule **rules = ja_network_rules(network);
    bool failed = !rules;
    for (size_t i = 0; rules && rules[i]; i++)
        for (size_t a = 0; a < network->addresses.count; a++) {
            char range[JA_ADDR_TEXT];
            ja_freebsd_entry_net(network->addresses.items[a], range);
            add_rule(p->site, rules[i], range, strchr(range, ':') != NULL, lines, &failed);
        }
    failed = failed || ja_strv_add(lines, "return ip from any to any") < 0;
    ja_free(rules);
    if (failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

/* ---- facts ---- */

static const char *mark_of(const char *line)
{
    const char *mark = strstr(line, " // ");
    return mark ? mark : "";
}

/* Whether a number holds exactly these lines, by their marks. */
static bool holds(struct ja_planning *p, const struct ja_network *network, int which, const struct ja_strv *lines)
{
    char name[32];
    number_fact(p, network, which, name);
    const char *there = ja_fact(p->facts, JA_FACT_IPFW, name);
    size_t i = 0;
    bool same = there != NULL;
    while (same && *there) {
        ja_autofree char *line = ja_strndup(there, strcspn(there, "\n"));
        same = line && i < lines->count && strcmp(mark_of(line), mark_of(lines->items[i])) == 0;
        i++;
        there += strcspn(there, "\n");
        there += *there == '\n';
    }
    return same && i == lines->count;
}

static const char *entry_fact(struct ja_planning *p, const char *range, char name[96])
{
    char table[JA_FREEBSD_TABLE];
    ja_freebsd_table(p->site, "rules", table);
    snprintf(name, 96, "table %s %s", table, range);
    return ja_fact(p->facts, JA_FACT_IPFW, name);
}

/* Which number all ranges of a network lead to: 0, 1, or -1: none, or not all of them to the same. */
static int in_use(struct ja_planning *p, const struct ja_network *network)
{
    int which = -1;
    for (size_t a = 0; a < network->addresses.count; a++) {
        char range[JA_ADDR_TEXT], name[96];
        ja_freebsd_entry_net(network->addresses.items[a], range);
        const char *value = entry_fact(p, range, name);
        long long now = value ? strtoll(value, NULL, 10) - number_of(p, network, 0) : -1;
        if ((now != 0 && now != 1) || (a && which != now))
            which = -2;
        else if (which != -2)
            which = (int)now;
    }
    return which < 0 ? -1 : which;
}

static bool is_led(struct ja_planning *p, const struct ja_network *network)
{
    bool led = false;
    for (size_t a = 0; a < network->addresses.count; a++) {
        char range[JA_ADDR_TEXT], name[96];
        ja_freebsd_entry_net(network->addresses.items[a], range);
        led = entry_fact(p, range, name) || led;
    }
    return led;
}

bool ja_freebsd_netrules_are_up(struct ja_planning *p, const struct ja_network *network)
{
    ja_autostrv struct ja_strv lines = {0};
    if (!network->rules.count || !network->addresses.count) /* without a gateway nothing is routed */
        return !is_led(p, network);
    int which = in_use(p, network);
    fill_lines(p, network, &lines);
    return which >= 0 && holds(p, network, which, &lines);
}

/* ---- steps ---- */

/* What stands under a number that is not in use; repeatable. */
static void forget(struct ja_planning *p, const struct ja_network *network, int which)
{
    char name[32];
    if (network->slot >= JA_RULED_NETWORKS)
        return;
    number_fact(p, network, which, name);
    if (!ja_fact(p->facts, JA_FACT_IPFW, name))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "forget old rules of network %s", network->name);
    ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "delete", NULL);
    ja_step_runf(p->plan, step, "%lld", number_of(p, network, which));
}

/* pf lets nobody begin to talk to what it translates, and it is not asked here. */
static void note_pf(struct ja_planning *p, const struct ja_network *network)
{
    for (size_t r = 0; ja_freebsd_wants_pf(network) && r < network->rules.count; r++) {
        const struct ja_rule *rule = network->rules.items[r];
        struct ja_peer peer;
        if (rule->direction != JA_DIRECTION_IN || strcmp(rule->action, "allow") != 0 ||
            !ja_peer_read(rule->peer, &peer) ||
            (peer.kind != JA_PEER_WORLD && peer.kind != JA_PEER_ANY && peer.kind != JA_PEER_ADDRESS))
            continue;
        ja_plan_note(
            p->plan,
            "network %s: rule %s lets nobody of the world in, since nat-by=pf keeps its addresses from the world; "
            "a jail's forwards do, and so would nat-by=ipfw",
            network->name, rule->name);
    }
}

static void write_rules(struct ja_planning *p, const struct ja_network *network, int which)
{
    ja_autostrv struct ja_strv lines = {0};
    char name[32], mark[32];
    long long number = number_of(p, network, which);
    number_fact(p, network, which, name);
    snprintf(mark, sizeof mark, "set %lld *", (long long)p->site->set);
    forget(p, network, which);
    fill_lines(p, network, &lines);
    struct ja_step *step = ja_plan_step(p->plan, "write the rules of network %s", network->name);
    ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "/dev/stdin", NULL);
    for (size_t i = 0; i < lines.count; i++)
        ja_step_input(p->plan, step, "add %lld set %lld %s\n", number, (long long)p->site->set, lines.items[i]);
    ja_step_undo(p->plan, step, TOOL("ipfw"), "-q", "delete", NULL);
    ja_step_undof(p->plan, step, "%lld", number);
    ja_step_guard(p->plan, step, JA_FACT_IPFW, name, mark);
}

/* The entries of one range: `value` NULL takes it away. A step for each, since one that was cut off could not be undone. */
static void lead(struct ja_planning *p, const char *range, const char *value, const char *why)
{
    char table[JA_FREEBSD_TABLE], name[96];
    const char *before = entry_fact(p, range, name);
    if (ja_str_equal(before, value))
        return;
    ja_freebsd_table(p->site, "rules", table);
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "table", table, value ? "add" : "delete", range, value, NULL);
    ja_step_undo(p->plan, step, TOOL("ipfw"), "-q", "table", table, before ? "add" : "delete", range, before, NULL);
    if (before) /* an entry that was taken is put back by itself: what proves it ours is the table */
        snprintf(name, sizeof name, "table %s", table);
    ja_step_guard(p->plan, step, JA_FACT_IPFW, name, before ? NULL : value);
}

static void lead_all(struct ja_planning *p, const struct ja_network *network, int which)
{
    char value[24];
    snprintf(value, sizeof value, "%lld", number_of(p, network, which));
    for (size_t a = 0; a < network->addresses.count; a++) {
        char range[JA_ADDR_TEXT];
        ja_freebsd_entry_net(network->addresses.items[a], range);
        lead(p, range, which < 0 ? NULL : value,
             which < 0 ? "ask the network's rules no more" : "ask the network's rules");
    }
}

static bool has_number(struct ja_planning *p, const struct ja_network *network)
{
    if (network->slot < JA_RULED_NETWORKS)
        return true;
    ja_plan_fail(p->plan, JA_E_LIMIT, "field rules", "only %d networks of an instance can have rules on FreeBSD",
                 JA_RULED_NETWORKS);
    ja_plan_hint(p->plan, "those that were made first: delete one that is not needed, and make this one anew");
    return false;
}

/* The number that is to be used next. */
static int next_number(struct ja_planning *p, const struct ja_network *network)
{
    return in_use(p, network) == 0 ? 1 : 0;
}

void ja_freebsd_netrules_up(struct ja_planning *p, const struct ja_network *network)
{
    if (ja_freebsd_netrules_are_up(p, network))
        return;
    if (!network->rules.count) {
        lead_all(p, network, -1);
    } else if (has_number(p, network)) {
        int which = next_number(p, network);
        note_pf(p, network);
        write_rules(p, network, which);
        lead_all(p, network, which);
    }
}

static void add_ranges(struct ja_planning *p, const struct ja_network *network, struct ja_strv *ranges)
{
    for (size_t a = 0; a < network->addresses.count; a++) {
        char range[JA_ADDR_TEXT];
        ja_freebsd_entry_net(network->addresses.items[a], range);
        if (ja_strv_add(ranges, range) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
}

/* The ranges of a network lead nowhere any more, but for those that `but` has too (NULL: all); repeatable. */
static void lead_nowhere(struct ja_planning *p, const struct ja_network *network, const struct ja_network *but)
{
    ja_autostrv struct ja_strv ranges = {0}, stay = {0};
    add_ranges(p, network, &ranges);
    if (but)
        add_ranges(p, but, &stay);
    for (size_t i = 0; i < stay.count; i++)
        ja_strv_remove(&ranges, stay.items[i]);
    ja_freebsd_entries(p, JA_FREEBSD_REMOVE, "rules", &ranges, 0);
}

void ja_freebsd_netrules_down(struct ja_planning *p, const struct ja_network *network)
{
    lead_nowhere(p, network, NULL);
    for (int which = 0; which < 2; which++)
        forget(p, network, which);
}

static bool are_alike(const struct ja_network *a, const struct ja_network *b)
{
    return ja_list_equal(&ja_noun_rule, &a->rules, &b->rules) &&
           ((!a->rules.count && !b->rules.count) || ja_strv_equal(&a->addresses, &b->addresses));
}

void ja_freebsd_netrules_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    if (!are_alike(from, to) || from->nat_by != to->nat_by)
        note_pf(p, to);
    if (are_alike(from, to))
        return;
    if (!to->rules.count) {
        lead_all(p, from, -1);
    } else if (has_number(p, to)) {
        /* Of the addresses that there are: `from` has them all now. */
        int which = next_number(p, from);
        write_rules(p, to, which);
        lead_all(p, to, which);
    }
}

void ja_freebsd_netrules_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    if (are_alike(from, to))
        return;
    lead_nowhere(p, from, to);
    /* The facts are those from before: what was in use then is not any more. */
    int before = in_use(p, from);
    for (int which = 0; which < 2; which++)
        if (!to->rules.count || which == before)
            forget(p, from, which);
}
