/*
 * nat.c: address translation and port forwards by ipfw's in-kernel NAT: an instance for each uplink, whose networks are entries of a
 * table. It is for IPv4. An instance's configuration is always replaced as a whole, so the host verb nat-config changes it,
 * under a lock: jails start side by side.
 *
 * Forwards are for the world, for jails and for the host itself. What a jail sends to the uplink's address goes through the same
 * instance twice, as it comes and as it leaves by a bridge, so that its answer comes back by the host whatever network
 * the two are in. What the host sends to itself is a packet that goes out, whose destination only a reversed instance changes: that is
 * the second one, with the same redirections.
 */
#include "host/freebsd/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* ---- uplinks ---- */

bool ja_freebsd_wants_nat(const struct ja_network *network)
{
    return network->nat_by == JA_NAT_IPFW && network->nat && strcmp(network->nat, "none") != 0;
}

const char *ja_freebsd_uplink(struct ja_planning *p, const struct ja_network *network)
{
    return strcmp(network->nat, "auto") == 0 ? ja_fact(p->facts, JA_FACT_ROUTE, "default") : network->nat;
}

void ja_freebsd_note_no_uplink(struct ja_planning *p, const struct ja_network *network)
{
    ja_plan_note(p->plan,
                 "network %s: the host has no default route, so its jails reach nothing beyond it; "
                 "`jailadmin repair` translates addresses once there is one",
                 network->name);
}

/* The two instances of an uplink. */
enum way { FORTH, BACK, WAYS };

static long long number_of(const struct ja_site *site, int k, enum way way)
{
    return (long long)site->nat_base + k + (way == BACK ? JA_UPLINKS : 0);
}

static const char *config_of(struct ja_planning *p, int k, enum way way)
{
    return ja_factf(p->facts, JA_FACT_IPFW, "nat %lld", number_of(p->site, k, way));
}

/* The number among ours of the NAT instance of an uplink: the one that it has, or the first that is free; -1: none is. */
static int nat_of(struct ja_planning *p, const char *uplink, bool *ret_there)
{
    char word[64];
    int unused = -1, length = snprintf(word, sizeof word, "if %s", uplink);
    for (int k = 0; k < JA_UPLINKS; k++) {
        const char *found = config_of(p, k, FORTH);
        if (!found) {
            unused = unused < 0 ? k : unused;
        } else if (strncmp(found, word, (size_t)length) == 0 && (found[length] == ' ' || !found[length])) {
            *ret_there = true;
            return k;
        }
    }
    *ret_there = false;
    return unused;
}

/* ---- steps ---- */

static struct ja_step *config_step(struct ja_planning *p, int k, enum way way, const char *uplink, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "nat-config", "%s", why);
    if (way == BACK)
        ja_step_run(p->plan, step, "--back", NULL);
    ja_step_run(p->plan, step, p->site->run, NULL);
    ja_step_runf(p->plan, step, "%lld", number_of(p->site, k, way));
    ja_step_run(p->plan, step, uplink, NULL);
    return step;
}

static void add_instance(struct ja_planning *p, const char *uplink, int k, enum way way)
{
    char name[32], mark[64], why[96];
    snprintf(name, sizeof name, "nat %lld", number_of(p->site, k, way));
    snprintf(mark, sizeof mark, "if %s same_ports reset%s", uplink, way == BACK ? " reverse" : "");
    if (way == BACK)
        snprintf(why, sizeof why, "let the host itself reach what is forwarded from %s", uplink);
    else
        snprintf(why, sizeof why, "translate addresses to those of %s", uplink);
    struct ja_step *step = config_step(p, k, way, uplink, why);
    ja_step_undo(p->plan, step, TOOL("ipfw"), "-q", "nat", NULL);
    ja_step_undof(p->plan, step, "%lld", number_of(p->site, k, way));
    ja_step_undo(p->plan, step, "delete", NULL);
    /* One with forwards is in use by now. */
    ja_step_guard(p->plan, step, JA_FACT_IPFW, name, mark);
}

static void nat_table(int k, char what[16])
{
    snprintf(what, 16, "nat%d", k);
}

/* The network's IPv4 range. */
static void range_keys(struct ja_planning *p, const struct ja_network *network, struct ja_strv *keys)
{
    char entry[JA_ADDR_TEXT];
    for (size_t i = 0; i < network->addresses.count; i++) {
        ja_freebsd_entry_net(network->addresses.items[i], entry);
        if (entry[0] && !strchr(entry, ':') && ja_strv_add(keys, entry) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
}

/* The rules of an uplink. */
enum { UPLINK_RULES = 13, RULE_TEXT = 160 };
struct uplink_rules {
    char text[UPLINK_RULES][RULE_TEXT];
    struct ja_freebsd_rule rules[UPLINK_RULES];
    size_t count;
};

static void JA_PRINTF(3, 4) rule(struct uplink_rules *of, int at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(of->text[of->count], RULE_TEXT, format, args);
    va_end(args);
    of->rules[of->count] = (struct ja_freebsd_rule){at, of->text[of->count]};
    of->count++;
}

static void uplink_rules(const struct ja_site *site, int k, const char *uplink, struct uplink_rules *of)
{
    long long number = number_of(site, k, FORTH), back = number_of(site, k, BACK);
    int at = JA_RULES_NAT + JA_RULES_PER_UPLINK * k, host = JA_RULES_HOST + JA_RULES_HOST_EACH * k;
    int tag = JA_FORWARD_TAG + k;
    of->count = 0;
    /* What jails send by the uplink, and what comes in by it. */
    rule(of, at, "nat %lld ip4 from table(ja@nat%d) to not table(ja@nets) out xmit %s", number, k, uplink);
    rule(of, at + 1, "nat %lld ip4 from any to me in recv %s", number, uplink);
    /* What jails send to the host: what is for a jail by now (not for a gateway, whose address is in its range) was forwarded, and is
     * marked for its way out. */
    rule(of, at + 2, "nat %lld ip4 from any to me in recv ja@*", number);
    /* The rules of the network that it is for. */
    rule(of, at + 2, "call tablearg ip4 from any to table(ja@rules) in recv ja@*");
    rule(of, at + 3, "allow tag %d ip4 from any to table(ja@nets) not dst-ip me in recv ja@*", tag);
    rule(of, at + 4, "nat %lld ip4 from any to any out recv ja@* xmit ja@br* tagged %d", number, tag);
    rule(of, at + 5, "allow ip4 from any to any out recv ja@* xmit ja@br* tagged %d", tag);
    /* What the host sends to itself. Once that is for a jail, its answers have a state, and only by that they come to the second
     * instance, which would lend the host's address to whatever else it sees. */
    rule(of, at + 6, "nat %lld tcp from me to me not dst-ip 127.0.0.0/8 lookup dst-port ja@tcp out", back);
    rule(of, at + 7, "nat %lld udp from me to me not dst-ip 127.0.0.0/8 lookup dst-port ja@udp out", back);
    rule(of, at + 8, "skipto +%d ip4 from me to table(ja@nets) not dst-ip me out keep-state :ja@", host);
    rule(of, host, "allow ip4 from me to table(ja@nets) not dst-ip me out");
    rule(of, host + 1, "nat %lld ip4 from table(ja@nets) to me in recv ja@*", back);
    rule(of, host + 2, "allow tag %d ip4 from me to me in recv ja@*", JA_FORWARD_TAG_HOST);
}

/* ---- networks ---- */

bool ja_freebsd_nat_is_up(struct ja_planning *p, const struct ja_network *network)
{
    ja_autostrv struct ja_strv keys = {0};
    const char *uplink = ja_freebsd_uplink(p, network);
    struct uplink_rules of;
    char what[16];
    bool there = false;
    if (!uplink)
        return true;
    int k = nat_of(p, uplink, &there);
    if (k < 0 || !there)
        return false;
    uplink_rules(p->site, k, uplink, &of);
    range_keys(p, network, &keys);
    nat_table(k, what);
    bool up = ja_freebsd_rules_there(p, of.rules, of.count);
    up = config_of(p, k, BACK) && up;
    return ja_freebsd_entries(p, JA_FREEBSD_ASK, what, &keys, 0) && up;
}

void ja_freebsd_nat_up(struct ja_planning *p, const struct ja_network *network)
{
    ja_autostrv struct ja_strv keys = {0};
    const char *uplink = ja_freebsd_uplink(p, network);
    struct uplink_rules of;
    char what[16];
    bool there;
    if (!uplink) {
        ja_freebsd_note_no_uplink(p, network);
        return;
    }
    int k = nat_of(p, uplink, &there);
    if (k < 0) {
        ja_plan_fail(p->plan, JA_E_LIMIT, "field nat", "all of the instance's %d uplinks are in use", JA_UPLINKS);
        return;
    }
    if (!ja_fact(p->facts, JA_FACT_LINK, uplink))
        ja_plan_note(p->plan, "the host has no interface %s now, by which network %s is to reach the world", uplink,
                     network->name);
    uplink_rules(p->site, k, uplink, &of);
    range_keys(p, network, &keys);
    nat_table(k, what);
    ja_freebsd_table_add(p, what, "addr");
    ja_freebsd_entries(p, JA_FREEBSD_ADD, what, &keys, 0);
    for (int way = 0; way < WAYS; way++)
        if (!config_of(p, k, (enum way)way))
            add_instance(p, uplink, k, (enum way)way);
    ja_freebsd_rules_add(p, of.rules, of.count, "translate what jails send, and what is for them");
}

static void remove_instance(struct ja_planning *p, int k, enum way way)
{
    if (!config_of(p, k, way))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "remove its address translation");
    ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "nat", NULL);
    ja_step_runf(p->plan, step, "%lld", number_of(p->site, k, way));
    ja_step_run(p->plan, step, "delete", NULL);
    step->flags |= JA_STEP_IGNORE;
}

struct others {
    const struct ja_strv *going;
    bool found;
};

static void look_for_others(void *context, const char *entry)
{
    struct others *others = context;
    others->found = others->found || !ja_strv_has(others->going, entry);
}

/* The k-th uplink's instances, rules and table, when there is no network but `going`. Entries come before an instance is made. */
static void remove_unused(struct ja_planning *p, int k, const struct ja_strv *going)
{
    struct others others = {going, false};
    struct uplink_rules of;
    struct ja_step *step = NULL;
    char what[16], table[JA_FREEBSD_TABLE], mark[32], uplink[32] = "";
    nat_table(k, what);
    ja_freebsd_table(p->site, what, table);
    ja_each_line(ja_factf(p->facts, JA_FACT_IPFW, "entries %s", table), look_for_others, &others);
    const char *config = config_of(p, k, FORTH);
    if (others.found || !config || sscanf(config, "if %31s", uplink) != 1)
        return;
    snprintf(mark, sizeof mark, "set %lld *", (long long)p->site->set);
    uplink_rules(p->site, k, uplink, &of);
    for (size_t i = 0; i < of.count; i++) {
        long long number = (long long)p->site->rule_base + of.rules[i].at;
        const char *rule = ja_factf(p->facts, JA_FACT_IPFW, "rule %lld", number);
        if (!rule || !ja_guard_match(mark, rule))
            continue;
        if (!step) {
            step = ja_plan_step(p->plan, "no network uses the uplink %s any more", uplink);
            ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "delete", NULL);
            step->flags |= JA_STEP_IGNORE;
        }
        ja_step_runf(p->plan, step, "%lld", number);
    }
    for (int way = 0; way < WAYS; way++)
        remove_instance(p, k, (enum way)way);
    ja_freebsd_table_remove(p, what);
}

void ja_freebsd_nat_remove_unused(struct ja_planning *p)
{
    const struct ja_strv none = {0};
    for (int k = 0; k < JA_UPLINKS; k++)
        remove_unused(p, k, &none);
}

void ja_freebsd_nat_down(struct ja_planning *p, const struct ja_network *network, const struct ja_network *to)
{
    const char *uplink = to && ja_freebsd_wants_nat(to) ? ja_freebsd_uplink(p, to) : NULL;
    bool there = false;
    int stays = uplink ? nat_of(p, uplink, &there) : -1;
    for (int k = 0; k < JA_UPLINKS; k++) {
        ja_autostrv struct ja_strv keys = {0}, others = {0};
        char what[16];
        range_keys(p, network, &keys);
        if (k == stays)
            range_keys(p, to, &others);
        for (size_t i = 0; i < others.count; i++)
            ja_strv_remove(&keys, others.items[i]);
        nat_table(k, what);
        ja_freebsd_entries(p, JA_FREEBSD_REMOVE, what, &keys, 0);
        if (k != stays)
            remove_unused(p, k, &keys);
    }
}

void ja_freebsd_nat_remove_all(struct ja_planning *p)
{
    for (int k = 0; k < JA_UPLINKS; k++) {
        char what[16];
        for (int way = 0; way < WAYS; way++)
            remove_instance(p, k, (enum way)way);
        nat_table(k, what);
        ja_freebsd_table_remove(p, what);
    }
}

/* ---- forwards ---- */

/* "tcp 10.66.0.21:8000-8010 192.0.2.1:9000-9010", as ipfw prints it. */
static void redirection(const struct ja_forward_ports *ports, const struct ja_addr *to, struct ja_str *text)
{
    char inner[JA_ADDR_TEXT], outer[JA_ADDR_TEXT];
    int more = ports->last - ports->first;
    ja_addr_format(to, false, inner);
    ja_str_addf(text, "%s %s:%d", ports->protocol, inner, ports->to);
    if (more)
        ja_str_addf(text, "-%d", ports->to + more);
    ja_str_add(text, " ");
    if (ports->has_address) {
        ja_addr_format(&ports->address, false, outer);
        ja_str_addf(text, "%s:", outer);
    }
    ja_str_addf(text, "%d", ports->first);
    if (more)
        ja_str_addf(text, "-%d", ports->last);
}

/* What forwards of a jail are to ipfw. */
struct redirections {
    struct ja_strv list;     /* as ipfw prints them */
    struct ja_strv ports[2]; /* each port of the host: of TCP, of UDP */
};

static const char *const port_tables[] = {"tcp", "udp"};

static void redirections_fini(struct redirections *of)
{
    ja_strv_fini(&of->list);
    ja_strv_fini(&of->ports[0]);
    ja_strv_fini(&of->ports[1]);
}

static bool add_ports(const struct ja_forward_ports *ports, struct redirections *of)
{
    bool good = true;
    for (int port = ports->first; port <= ports->last && port - ports->first < JA_FORWARD_PORTS; port++) {
        char text[16];
        snprintf(text, sizeof text, "%d", port);
        good = good && ja_strv_add(&of->ports[strcmp(ports->protocol, "udp") == 0], text) == 0;
    }
    return good;
}

/* All redirections of a jail, and the network by whose uplink they come in; NULL: it has none. */
static const struct ja_network *redirections(struct ja_planning *p, const struct ja_subject *s, struct redirections *of)
{
    struct ja_addr to;
    size_t nic = 0;
    if (s->jail->vnet != JA_VNET_YES || !s->jail->forwards.count || !ja_forward_target(s, false, &to, &nic))
        return NULL;
    for (size_t i = 0; i < s->jail->forwards.count; i++) {
        struct ja_forward_ports ports;
        ja_autostr struct ja_str text = {0};
        if (!ja_forward_read(s->jail->forwards.items[i], &ports) || (ports.has_address && ports.address.v6))
            continue;
        redirection(&ports, &to, &text);
        if (text.failed || ja_strv_add(&of->list, text.text) < 0 || !add_ports(&ports, of))
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
    return s->networks[nic];
}

static void refuse_v6(struct ja_planning *p, const char *object, const char *why)
{
    ja_plan_fail(p->plan, JA_E_UNSUPPORTED, object, "%s", why);
    ja_plan_hint(p->plan, "pf forwards both: set nat-by=pf for its network");
}

static void check(struct ja_planning *p, const struct ja_subject *s, const struct ja_subject *except)
{
    struct ja_addr to;
    size_t nic = 0;
    if (!s->jail->forwards.count)
        return;
    ja_forwards_check(p, s, except);
    for (size_t i = 0; i < s->jail->forwards.count; i++) {
        const struct ja_forward *forward = s->jail->forwards.items[i];
        struct ja_forward_ports ports;
        char object[160];
        snprintf(object, sizeof object, "field forwards.%s.address", forward->name);
        if (ja_forward_read(forward, &ports) && ports.has_address && ports.address.v6 &&
            !ja_freebsd_pf_forwards(s, true))
            refuse_v6(p, object, "ipfw forwards ports of IPv4 only");
    }
    if (!ja_forward_target(s, false, &to, &nic)) {
        if (!ja_freebsd_pf_forwards(s, true))
            refuse_v6(p, "field forwards", "ipfw forwards to IPv4 only, and the jail has no such address");
    } else if (!ja_freebsd_wants_nat(s->networks[nic]) && !ja_freebsd_wants_pf(s->networks[nic])) {
        ja_plan_note(p->plan,
                     "%s: its ports are not forwarded, since addresses of its network %s are not translated (nat=none)",
                     s->jail->name, s->networks[nic]->name);
    }
}

/* Those of a list that an instance has (`there`), or has not. */
static void select_redirections(struct ja_planning *p, int k, enum way way, const struct ja_strv *list, bool there,
                                struct ja_strv *selected)
{
    const char *config = config_of(p, k, way);
    for (size_t i = 0; i < list->count; i++) {
        int has = config ? ja_freebsd_nat_has(config, list->items[i]) : 0;
        if (has < 0 || ((has > 0) == there && ja_strv_add(selected, list->items[i]) < 0))
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
}

static void say(struct ja_planning *p, struct ja_step *step, const char *verb, const struct ja_strv *list, bool undo)
{
    for (size_t i = 0; i < list->count; i++)
        (undo ? ja_step_undo : ja_step_run)(p->plan, step, verb, list->items[i], NULL);
}

/* The instance that an uplink has; what `uplink` says is of it. -1: none, with a note. */
static int instance_of(struct ja_planning *p, const struct ja_subject *s, const struct ja_network *network,
                       const char **ret_uplink)
{
    bool there = false;
    bool wants = network && ja_freebsd_wants_nat(network);
    *ret_uplink = wants ? ja_freebsd_uplink(p, network) : NULL;
    if ((wants || (network && ja_freebsd_wants_pf(network))) && !ja_freebsd_uplink(p, network))
        ja_plan_note(
            p->plan,
            "%s: the host has no default route, so its ports are not forwarded; `jailadmin repair` does it once "
            "there is one",
            s->jail->name);
    return *ret_uplink ? nat_of(p, *ret_uplink, &there) : -1;
}

/* For both instances of an uplink: those of `old` go, those of `new` come; and the way back. */
static void change_instances(struct ja_planning *p, int k, const char *uplink, const struct ja_strv *old,
                             const struct ja_strv *new)
{
    if (k < 0 || (!old->count && !new->count))
        return;
    for (int way = 0; way < WAYS; way++) {
        char name[32];
        struct ja_step *step =
            config_step(p, k, (enum way)way, uplink, way == BACK ? "also for the host itself" : "forward its ports");
        say(p, step, "remove", old, false);
        say(p, step, "add", new, false);
        ja_step_undo_host(p, step, "nat-config", NULL);
        if (way == BACK)
            ja_step_undo(p->plan, step, "--back", NULL);
        ja_step_undo(p->plan, step, p->site->run, NULL);
        ja_step_undof(p->plan, step, "%lld", number_of(p->site, k, (enum way)way));
        ja_step_undo(p->plan, step, uplink, NULL);
        say(p, step, "remove", new, true);
        say(p, step, "add", old, true);
        snprintf(name, sizeof name, "nat %lld", number_of(p->site, k, (enum way)way));
        ja_step_guard(p->plan, step, JA_FACT_IPFW, name, NULL);
    }
}

/* Leaves those that are not the entry of another jail: it may have the same port at another address. */
static void leave_own(struct ja_planning *p, const char *table, int64_t slot, struct ja_strv *ports)
{
    char name[JA_FREEBSD_TABLE], value[24];
    ja_freebsd_table(p->site, table, name);
    snprintf(value, sizeof value, "%lld", (long long)slot);
    for (size_t i = ports->count; i-- > 0;) {
        const char *now = ja_factf(p->facts, JA_FACT_IPFW, "table %s %s", name, ports->items[i]);
        if (now && strcmp(now, value) != 0)
            ja_strv_remove(ports, ports->items[i]);
    }
}

static void change_ports(struct ja_planning *p, const struct ja_jail *jail, struct redirections *old,
                         struct redirections *new, enum ja_freebsd_way away)
{
    for (size_t i = 0; i < JA_COUNT(port_tables); i++) {
        for (size_t n = 0; n < new->ports[i].count; n++)
            ja_strv_remove(&old->ports[i], new->ports[i].items[n]);
        leave_own(p, port_tables[i], jail->slot, &old->ports[i]);
        leave_own(p, port_tables[i], jail->slot, &new->ports[i]);
        ja_freebsd_entries(p, away, port_tables[i], &old->ports[i], jail->slot);
        ja_freebsd_entries(p, JA_FREEBSD_ADD, port_tables[i], &new->ports[i], jail->slot);
    }
}

void ja_freebsd_forwards_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to)
{
    struct redirections old = {0}, new = {0};
    const struct ja_strv none = {0};
    const char *old_uplink, *uplink;
    const struct ja_network *before = redirections(p, from, &old), *after = redirections(p, to, &new);
    check(p, to, from);
    ja_freebsd_pf_forwards_change(p, from, to);
    if (old.list.count || new.list.count) {
        int old_k = instance_of(p, from, before, &old_uplink), k = instance_of(p, to, after, &uplink);
        if (old_k == k) {
            change_instances(p, k, uplink, &old.list, &new.list);
        } else {
            change_instances(p, old_k, old_uplink, &old.list, &none);
            change_instances(p, k, uplink, &none, &new.list);
        }
        if (k < 0)
            redirections_fini(&new), new = (struct redirections){0};
        change_ports(p, to->jail, &old, &new, JA_FREEBSD_TAKE);
    }
    redirections_fini(&old);
    redirections_fini(&new);
}

void ja_freebsd_forwards_add(struct ja_planning *p, const struct ja_subject *s)
{
    struct ja_jail none = *s->jail;
    none.forwards = (struct ja_list){0};
    struct ja_subject from = {.jail = &none, .template = s->template, .networks = s->networks};
    ja_freebsd_forwards_change(p, &from, s);
}

/* Of all instances: the default route may have moved since. */
static void remove_redirections(struct ja_planning *p, const struct ja_strv *list)
{
    for (int i = 0; list->count && i < JA_UPLINKS * WAYS; i++) {
        int k = i / WAYS;
        enum way way = i % WAYS ? BACK : FORTH;
        ja_autostrv struct ja_strv there = {0};
        char uplink[32];
        select_redirections(p, k, way, list, true, &there);
        const char *config = there.count ? config_of(p, k, way) : NULL;
        if (!config || sscanf(config, "if %31s", uplink) != 1)
            continue;
        struct ja_step *step = config_step(p, k, way, uplink, "forward its ports no more");
        say(p, step, "remove", &there, false);
    }
}

void ja_freebsd_forwards_remove(struct ja_planning *p, const struct ja_subject *s)
{
    struct redirections of = {0}, none = {0};
    redirections(p, s, &of);
    ja_freebsd_pf_forwards_remove(p, s);
    remove_redirections(p, &of.list);
    change_ports(p, s->jail, &of, &none, JA_FREEBSD_REMOVE);
    redirections_fini(&of);
}

void ja_freebsd_forwards_repair(struct ja_planning *p, const struct ja_subject *s)
{
    struct redirections of = {0}, none = {0};
    const char *uplink;
    if (!s->jail->forwards.count)
        return;
    ja_freebsd_pf_forwards_repair(p, s);
    int k = instance_of(p, s, redirections(p, s, &of), &uplink);
    for (int way = 0; k >= 0 && way < WAYS; way++) {
        ja_autostrv struct ja_strv missing = {0};
        select_redirections(p, k, (enum way)way, &of.list, false, &missing);
        if (!missing.count)
            continue;
        struct ja_step *step = config_step(p, k, (enum way)way, uplink, "forward its ports again");
        say(p, step, "add", &missing, false);
    }
    if (k >= 0)
        change_ports(p, s->jail, &none, &of, JA_FREEBSD_REMOVE);
    redirections_fini(&of);
}
