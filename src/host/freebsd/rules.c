/*
 * rules.c: ipfw for jails. All rules are in the instance's own set and numbers, so that the administrator's are not touched. Rules are
 * constant: networks and nics are entries of tables.
 *
 * Every packet of a jail passes here twice: as the bridge takes it from the jail's interface (pfil_member, and pfil_local_phys
 * for what the host itself is to get), where its source is checked, and as the host receives or routes it. A jail that sends
 * to the MAC of a pair's end in place of the bridge's reaches the host by that end: so what is said of the bridges (ja@br*) is said
 * of all our interfaces (ja@*).
 */
#include "host/freebsd/rules.h"
#include "plan/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* The tables:
 *     nics     interfaces of jails -> the number of their pair
 *     src      addresses of jails -> the number of the pair that may send with them
 *     any      interfaces whose addresses somebody else gives out
 *     dhcp     interfaces that ask our gateway for their addresses, and the bridges of those gateways
 *     nets     ranges of networks -> a number of the network
 *     gw       addresses of gateways -> the number of their network
 *     natted   ranges that are translated, but those that pf does (see pf.c)
 *     members  interfaces of the host that are part of a network
 *     alone    ranges of networks whose jails may not reach each other -> a number of the network
 *     tcp, udp ports of the host that are forwarded -> the slot of the jail
 *     rules    ranges of networks with rules of their own -> the number under which these stand (see netrules.c)
 *     shin     addresses of jails that share the host's stack -> the pipe of what they are sent (see shape.c)
 *     shout    and of what they send
 */
static const struct {
    const char *what, *type;
} tables[] = {
    {"nics", "iface"}, {"src", "addr"},    {"any", "iface"},     {"dhcp", "iface"}, {"nets", "addr"},
    {"gw", "addr"},    {"natted", "addr"}, {"members", "iface"}, {"alone", "addr"}, {"tcp", "number"},
    {"udp", "number"}, {"rules", "addr"},  {"shin", "addr"},     {"shout", "addr"},
};

static const struct ja_freebsd_rule policy[] = {
    /* What no forward of nat.c took. First, so that there is no moment without it. */
    {JA_RULE_UNTAKEN, "deny ip4 from any to me in recv ja@*"},
    {JA_RULE_UNTAKEN - 1, "allow ip4 from any to me in recv ja@* tagged 39999"},

    /* Of a packet that goes out `via` sees only where it leaves. */
    /* Before: what jails without a stack of their own send, but to themselves. The kernel answers a ping in the same packet, with its tags:
     * what comes back has the mark of whom it comes back to, which goes first. */
    {0, "count untag tablearg ip from any to table(ja@shout) via lo0"},
    {0, "count tag tablearg ip from table(ja@shout) to any via lo0"},
    {0, "skipto +58 ip from any to table(ja@shout) via lo0 tagged tablearg"},
    {0, "pipe tablearg ip from table(ja@shout) to any out not xmit ja@[0-9]*"},
    {0, "skipto +58 ip from any to any not via ja@* not recv ja@*"},
    /* From jail to jail on one bridge: looked at as it came in. */
    {1, "allow ip from any to any out recv ja@* xmit ja@[0-9]*"},

    /* What an interface may send. */
    {2, "skipto +16 ip from any to any not recv ja@[0-9]*"},
    {3, "skipto +16 ip from any to any out"},
    {4, "deny udp from any 67,547 to any"},
    {5, "deny ipv6-icmp from any to any icmp6types 134,137"},
    {6, "count tag tablearg ip from any to any recv table(ja@nics)"},
    {7, "skipto +16 ip from table(ja@src) to any tagged tablearg"},
    {8, "skipto +16 ipv6-icmp from :: to any icmp6types 131,132,133,135,143"},
    {9, "skipto +16 udp from 0.0.0.0 68 to 255.255.255.255 67 recv table(ja@dhcp)"},
    {10, "deny ip from me to any"},
    {11, "skipto +16 ip from any to any recv table(ja@any)"},
    {12, "deny ip from any to any"},

    /* Port forwards: the host's own connections once their way is known, and what jails send, both to nat.c. */
    {16, "skipto +100 ip4 from me to me out xmit ja@br*"},
    {17, "deny ip4 from any to table(ja@alone) out recv ja@* xmit ja@br* tagged tablearg"},
    {18, "skipto +100 ip4 from any to any out recv ja@* xmit ja@br* tagged 41000-41015"},

    /* What jails reach of the host. */
    {20, "check-state :ja@"},
    {21, "allow ip from me to any out xmit ja@br* keep-state :ja@"},
    {22, "deny ip from any to 169.254.169.254 in recv ja@*"},
    {23, "deny ip6 from any to fd00:ec2::254 in recv ja@*"},
    {24, "count tag tablearg ip from table(ja@nets) to any in recv ja@*"},
    /* What a network's rules say of new connections; not of what makes networks work, nor within one. */
    {24, "skipto +25 icmp from any to any in recv ja@* icmptypes 3,11,12"},
    {24, "skipto +25 ipv6-icmp from any to any in recv ja@* icmp6types 1,2,3,4,131,132,133,135,136,143"},
    {24, "skipto +25 udp from any 68 to any 67 in recv table(ja@dhcp)"},
    {24, "skipto +25 ip from any to table(ja@nets) in recv ja@* tagged tablearg not dst-ip me"},
    {24, "call tablearg ip from table(ja@rules) to any in recv ja@*"},
    {25, "allow udp from any to table(ja@gw) 53 in recv ja@* tagged tablearg"},
    {26, "allow tcp from any to table(ja@gw) 53 in recv ja@* tagged tablearg"},
    {27, "allow icmp from any to table(ja@gw) in recv ja@* icmptypes 8 tagged tablearg"},
    {28, "allow ipv6-icmp from any to table(ja@gw) in recv ja@* icmp6types 128 tagged tablearg"},
    {29, "allow icmp from any to me in recv ja@* icmptypes 3,11,12"},
    {30, "allow ipv6-icmp from any to me in recv ja@* icmp6types 1,2,3,4,135,136"},
    {31, "allow ipv6-icmp from any to ff02::/16 in recv ja@* icmp6types 131,132,133,135,136,143"},
    {32, "allow udp from any 68 to me 67 in recv table(ja@dhcp)"},
    {33, "allow udp from any 68 to 255.255.255.255 67 in recv table(ja@dhcp)"},
    {33, "allow ip6 from any to me in recv ja@* tagged 39999"},
    /* What the host sends to its own address of a network: IPv6 often takes that interface for the one by which it came. Nothing else comes
     * from there with the host's address (rule 10). */
    {33, "skipto +100 ip6 from me to me in recv ja@br*"},
    /* Answers of a forward to the host (fwd: a kernel since 14 takes nothing else for its own that has its own address and comes from
     * elsewhere; the connection is found by its ports); what is for a jail by one; what may be for one. */
    {34, "fwd 127.0.0.1 ip4 from me to me in recv ja@* tagged 41100"},
    {35, "allow ip4 from any to table(ja@nets) in recv ja@* tagged 41000-41015"},
    {36, "skipto +100 ip4 from any to me in recv ja@*"},
    {37, "deny ip from any to me in recv ja@*"},

    /* What they reach of each other: what stays on the bridge. */
    {38, "allow ip from any to table(ja@nets) in recv ja@[0-9]* tagged tablearg"},
    {38, "skipto +39 ip from any to table(ja@nets) in recv ja@* tagged tablearg"},
    {38, "call tablearg ip from any to table(ja@rules) in recv ja@*"},
    {39, "allow ip from any to table(ja@nets) in recv ja@* tagged 39999 keep-state :ja@"},
    {39, "deny ip from any to table(ja@nets) in recv ja@*"},
    {40, "deny ip from any to any out recv ja@* xmit ja@br*"},
    {41, "deny ip4 from any to 224.0.0.0/4,255.255.255.255 in recv ja@br*"},
    {42, "deny ip6 from any to ff00::/8 in recv ja@br*"},
    {43, "allow ip4 from any to 224.0.0.0/4,255.255.255.255 in recv ja@[0-9]*"},
    {44, "allow ip6 from any to ff00::/8 in recv ja@[0-9]*"},
    {45, "allow ip6 from any to fe80::/10 in recv ja@[0-9]*"},
    /* IPv6 is not translated: what answers a jail comes in by its state. */
    {46, "allow ip6 from table(ja@natted) to any out recv ja@* keep-state :ja@"},

    /* Networks with rules know by states what has begun: the world's answers, and answers to it. */
    {47, "skipto +100 ip from table(ja@rules) to any in recv ja@* keep-state :ja@"},
    {48, "skipto +100 icmp from any to any out not recv ja@* xmit ja@br* icmptypes 3,11,12"},
    {48, "skipto +100 ipv6-icmp from any to any out not recv ja@* xmit ja@br* icmp6types 1,2,3,4"},
    {48, "call tablearg ip from any to table(ja@rules) out not recv ja@* xmit ja@br*"},
    {49, "skipto +100 ip from any to table(ja@rules) out not recv ja@* xmit ja@br* keep-state :ja@"},

    /* From elsewhere: nobody begins to talk to what is translated, but for neighbours on a member of its own bridge. */
    {58, "check-state :ja@"},
    {58, "skipto +100 ip from any to any recv table(ja@members)"},
    {58, "call tablearg ip from any to table(ja@rules) in not recv ja@* not recv lo0"},
    {59, "skipto +100 ip from any to any recv table(ja@members)"},
    /* Behind all of ours: no answer to it is translated. */
    {59, "skipto +499 ip from any to table(ja@rules) in not recv ja@* tagged 39999 keep-state :ja@"},
    {60, "skipto +100 ipv6-icmp from any to table(ja@natted) in not recv ja@* icmp6types 1,2,3,4"},
    {60, "deny ip from any to table(ja@natted) in not recv ja@* not recv lo0"},
    /* Networks' rules, which are only called; and a call of what somebody has deleted. */
    {61, "skipto +100 ip from any to any"},
    {98, "return ip from any to any"},
    {JA_RULE_LAST, "deny ip4 from table(ja@natted) to not table(ja@nets) out not xmit ja@* not xmit lo0"},
    /* Once it is translated back: what they are sent, but by themselves. */
    {JA_RULE_SHAPED, "skipto +500 ip from table(ja@shout) to table(ja@shout) in tagged tablearg"},
    {JA_RULE_SHAPED, "pipe tablearg ip from any to table(ja@shin) in not recv ja@[0-9]*"},
};

/* Bridged packets are filtered where they enter and leave a member, not once more as the bridge's own; what ipfw has translated
 * goes on through the administrator's rules. */
static const struct {
    const char *name, *value;
} settings[] = {
    {"net.link.bridge.pfil_member", "1"},
    {"net.link.bridge.pfil_local_phys", "1"},
    {"net.link.bridge.pfil_bridge", "0"},
    {"net.inet.ip.fw.one_pass", "0"},
};

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

/* ---- rules of others ---- */

static bool setting_is(struct ja_planning *p, const char *name, const char *value)
{
    const char *now = ja_fact(p->facts, JA_FACT_SYSCTL, name);
    return now && strcmp(now, value) == 0;
}

struct foreign {
    const struct ja_site *site;
    void (*each)(void *context, int number, const char *rule);
    void *context;
};

static void look_at_rule(void *context, const char *line)
{
    struct foreign *foreign = context;
    int number, set, at = -1;
    if (sscanf(line, "%d %nset %d ", &number, &at, &set) == 2 && at > 0 && set != foreign->site->set && number < 65535)
        foreign->each(foreign->context, number, line + at);
}

void ja_freebsd_foreign_rules(struct ja_planning *p, void (*each)(void *context, int number, const char *rule),
                              void *context)
{
    struct foreign foreign = {p->site, each, context};
    ja_each_line(ja_fact(p->facts, JA_FACT_IPFW, "rules"), look_at_rule, &foreign);
}

/* What others' rules do to packets of jails: numbers of rules, 0: none. */
struct foreign_look {
    int64_t base;
    int accepts;  /* accepts all before jails' own rules are asked */
    int passes;   /* accepts all that has got so far */
    int blocks;   /* denies all, and none of them has accepted it before */
    int filters;  /* denies something */
    int one_pass; /* hands on what is taken for accepted afterwards */
};

/* "set 0 allow ip from any to any": "allow". */
static bool has_action(const char *rule, const char *const *actions)
{
    const char *action = strchr(rule + strlen("set "), ' ');
    for (; action && *actions; actions++)
        if (ja_str_starts(action + 1, *actions))
            return true;
    return false;
}

static bool ends_in(const char *text, const char *tail)
{
    size_t length = strlen(text), n = strlen(tail);
    return length >= n && strcmp(text + length - n, tail) == 0;
}

static void look_at_foreign(void *context, int number, const char *rule)
{
    static const char *const filters[] = {"deny ", "reset ", "unreach ", "reset6 ", "unreach6 ", NULL},
                             *const pipes[] = {"pipe ", "queue ", "netgraph ", NULL};
    struct foreign_look *look = context;
    bool all = ends_in(rule, " allow ip from any to any");
    if (!look->accepts && number < look->base && all)
        look->accepts = number;
    if (!look->passes && !look->blocks && all)
        look->passes = number;
    if (!look->passes && !look->blocks && ends_in(rule, " deny ip from any to any"))
        look->blocks = number;
    if (!look->filters && has_action(rule, filters))
        look->filters = number;
    if (!look->one_pass && has_action(rule, pipes))
        look->one_pass = number;
}

static struct foreign_look look_at_foreigners(struct ja_planning *p)
{
    struct foreign_look look = {.base = p->site->rule_base};
    ja_freebsd_foreign_rules(p, look_at_foreign, &look);
    return look;
}

/* A stock ipfw denies everything from the moment it is loaded, also the administrator's own session: it is told not to, before. */
static void load(struct ja_planning *p)
{
    if (!is_loaded(p)) {
        struct ja_step *step = ja_plan_step(p->plan, "let ipfw accept by default, before it is loaded");
        ja_step_run(p->plan, step, TOOL("kenv"), "net.inet.ip.fw.default_to_accept=1", NULL);
        ja_freebsd_module(p, "ipfw", "load ipfw");
    } else if (denies(p) && !look_at_foreigners(p).passes) {
        ja_plan_note(p->plan,
                     "ipfw of this host denies by default: its own rules must let forwarded packets of jails pass");
    }
    ja_freebsd_module(p, "ipfw_nat", "load its address translation");
}

/* ---- for doctor ---- */

void ja_freebsd_rules_examine(struct ja_planning *p, struct ja_findings *findings)
{
    if (!is_loaded(p)) {
        ja_find(findings, JA_LEVEL_OK, "ipfw", NULL,
                "not loaded yet: the first network loads it, accepting by default");
        return;
    }
    struct foreign_look look = look_at_foreigners(p);
    if (denies(p) && look.passes)
        ja_find(findings, JA_LEVEL_OK, "ipfw", NULL, "loaded, denying by default; rule %d of the host accepts the rest",
                look.passes);
    else if (denies(p))
        ja_find(findings, JA_LEVEL_WARN, "ipfw",
                "let your rules accept what jails send and get, or write net.inet.ip.fw.default_to_accept=1 into "
                "/boot/loader.conf",
                "it denies by default: what the host's own rules do not accept does not reach jails, nor the world");
    else
        ja_find(findings, JA_LEVEL_OK, "ipfw", NULL, "loaded, accepting by default");
    if (look.accepts)
        ja_find(findings, JA_LEVEL_BAD, "ipfw", "give that rule a number above 60000, behind those of jails",
                "rule %d accepts everything before jails' own rules are asked: nothing keeps them apart", look.accepts);
    if (look.one_pass && !setting_is(p, "net.inet.ip.fw.one_pass", "0"))
        ja_find(findings, JA_LEVEL_BAD, "ipfw",
                "let an `allow` follow each pipe, then sysctl net.inet.ip.fw.one_pass=0",
                "rule %d needs net.inet.ip.fw.one_pass=1: networks of jails cannot be translated", look.one_pass);
    if (look.filters && p->site->tag[0])
        ja_find(findings, JA_LEVEL_OK, "ipfw", NULL,
                "rules of others filter too (%d): what jails send and get must pass them", look.filters);
}

/* ---- settings ---- */

/* With one_pass a packet that came out of a pipe is accepted: who has pipes may count on that. */
static bool may_set(struct ja_planning *p, const char *name)
{
    if (strcmp(name, "net.inet.ip.fw.one_pass") != 0)
        return true;
    int found = look_at_foreigners(p).one_pass;
    if (!found)
        return true;
    ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "ipfw's rule %d needs net.inet.ip.fw.one_pass=1, and jails need 0",
                 found);
    ja_plan_hint(p->plan,
                 "let an `allow` follow each of your pipes and queues, then `sysctl net.inet.ip.fw.one_pass=0`");
    return false;
}

static bool settings_are(struct ja_planning *p)
{
    bool are = true;
    for (size_t i = 0; i < JA_COUNT(settings); i++)
        are = setting_is(p, settings[i].name, settings[i].value) && are;
    return are;
}

static void acquire_settings(struct ja_planning *p, bool first)
{
    for (size_t i = 0; i < JA_COUNT(settings); i++) {
        bool there = setting_is(p, settings[i].name, settings[i].value);
        if (there && !first)
            continue;
        if (!there && !may_set(p, settings[i].name))
            return;
        struct ja_step *step =
            ja_plan_host_step(p, "setting", "filter what passes through bridges; counted, and put back by the last");
        ja_step_run(p->plan, step, "acquire", p->site->tag, settings[i].name, settings[i].value, NULL);
        if (!there)
            ja_step_undo_host(p, step, "setting", "release", p->site->tag, settings[i].name, NULL);
    }
}

static void release_settings(struct ja_planning *p)
{
    for (size_t i = 0; i < JA_COUNT(settings); i++) {
        struct ja_step *step =
            ja_plan_host_step(p, "setting", "put the host's settings back if nobody else needs them");
        ja_step_run(p->plan, step, "release", p->site->tag, settings[i].name, NULL);
    }
}

/* ---- rules ---- */

/* "@" stands for the tag, "+N" at the beginning of a word for a number. */
static void rule_text(const struct ja_site *site, const char *pattern, struct ja_str *text)
{
    for (const char *c = pattern; *c;) {
        if (*c == '+' && c > pattern && c[-1] == ' ') {
            char *end;
            ja_str_addf(text, "%lld", (long long)site->rule_base + strtol(c + 1, &end, 10));
            c = end;
        } else if (*c == '@') {
            ja_str_add(text, site->tag);
            c++;
        } else {
            ja_str_addn(text, c++, 1);
        }
    }
}

static void rule_fact(const struct ja_site *site, int at, char name[32])
{
    snprintf(name, 32, "rule %lld", (long long)site->rule_base + at);
}

static size_t lines_of(const char *text)
{
    size_t lines = text != NULL;
    for (; text && *text; text++)
        lines += *text == '\n';
    return lines;
}

/* Whether a number has as many rules as it should: an older program made fewer. */
static bool number_is_whole(struct ja_planning *p, const struct ja_freebsd_rule *rules, size_t count, int at)
{
    char name[32];
    size_t wanted = 0;
    rule_fact(p->site, at, name);
    for (size_t i = 0; i < count; i++)
        wanted += rules[i].at == at;
    return lines_of(ja_fact(p->facts, JA_FACT_IPFW, name)) == wanted;
}

bool ja_freebsd_rules_there(struct ja_planning *p, const struct ja_freebsd_rule *rules, size_t count)
{
    bool there = true;
    for (size_t i = 0; i < count; i++)
        there = number_is_whole(p, rules, count, rules[i].at) && there;
    return there;
}

/* True when something is there. */
static bool rule_is_ours(struct ja_planning *p, int at, const char *mark)
{
    char name[32];
    rule_fact(p->site, at, name);
    const char *there = ja_fact(p->facts, JA_FACT_IPFW, name);
    if (there && !ja_guard_match(mark, there)) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "ipfw has a %s that is not ours", name);
        ja_plan_hint(p->plan, "this instance owns the numbers from %lld on; give yours others",
                     (long long)p->site->rule_base);
    }
    return there;
}

void ja_freebsd_rules_add(struct ja_planning *p, const struct ja_freebsd_rule *rules, size_t count, const char *why)
{
    char name[32], mark[32];
    struct ja_step *step = NULL;
    bool undone = false;
    snprintf(mark, sizeof mark, "set %lld *", (long long)p->site->set);
    for (size_t i = 0; i < count; i++) {
        ja_autostr struct ja_str text = {0};
        bool there = rule_is_ours(p, rules[i].at, mark), first = i == 0 || rules[i - 1].at != rules[i].at;
        if (there && number_is_whole(p, rules, count, rules[i].at))
            continue;
        rule_text(p->site, rules[i].text, &text);
        if (text.failed || !text.text) {
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
            return;
        }
        if (!step) {
            step = ja_plan_step(p->plan, "%s", why);
            ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "/dev/stdin", NULL);
        }
        /* What was there before is completed for good. */
        if (there && first)
            ja_step_input(p->plan, step, "delete %lld\n", (long long)p->site->rule_base + rules[i].at);
        if (!there && !undone) {
            undone = true;
            ja_step_undo(p->plan, step, TOOL("ipfw"), "-q", "delete", NULL);
            rule_fact(p->site, rules[i].at, name);
            ja_step_guard(p->plan, step, JA_FACT_IPFW, name, mark);
        }
        ja_step_input(p->plan, step, "add %lld set %lld %s\n", (long long)p->site->rule_base + rules[i].at,
                      (long long)p->site->set, text.text);
        if (!there && first)
            ja_step_undof(p->plan, step, "%lld", (long long)p->site->rule_base + rules[i].at);
    }
}

/* ---- tables ---- */

void ja_freebsd_table(const struct ja_site *site, const char *what, char name[JA_FREEBSD_TABLE])
{
    snprintf(name, JA_FREEBSD_TABLE, "ja%s%s", site->tag, what);
}

static bool table_is_there(struct ja_planning *p, const char *table)
{
    return ja_factf(p->facts, JA_FACT_IPFW, "table %s", table) != NULL;
}

void ja_freebsd_table_add(struct ja_planning *p, const char *what, const char *type)
{
    char table[JA_FREEBSD_TABLE], name[64];
    ja_freebsd_table(p->site, what, table);
    if (table_is_there(p, table))
        return;
    snprintf(name, sizeof name, "table %s", table);
    struct ja_step *step = ja_plan_step(p->plan, "make the tables that the rules look into");
    ja_step_run(p->plan, step, TOOL("ipfw"), "table", table, "create", "type", type, NULL);
    ja_step_undo(p->plan, step, TOOL("ipfw"), "table", table, "destroy", NULL);
    ja_step_guard(p->plan, step, JA_FACT_IPFW, name, NULL);
}

void ja_freebsd_table_remove(struct ja_planning *p, const char *what)
{
    char table[JA_FREEBSD_TABLE];
    ja_freebsd_table(p->site, what, table);
    if (!table_is_there(p, table))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "remove the tables of the rules");
    ja_step_run(p->plan, step, TOOL("ipfw"), "table", table, "destroy", NULL);
    step->flags |= JA_STEP_IGNORE;
}

void ja_freebsd_entry_net(const char *address, char entry[JA_ADDR_TEXT])
{
    struct ja_addr addr, network;
    entry[0] = '\0';
    if (ja_addr_parse(address, &addr, NULL) < 0)
        return;
    ja_addr_network(&addr, &network);
    ja_addr_format(&network, true, entry);
}

void ja_freebsd_entry_host(const char *address, char entry[JA_ADDR_TEXT])
{
    struct ja_addr addr;
    entry[0] = '\0';
    if (ja_addr_parse(address, &addr, NULL) < 0)
        return;
    addr.prefix = addr.v6 ? 128 : 32;
    ja_addr_format(&addr, true, entry);
}

/* Whether an earlier step takes an entry away: what a jail left that ended by itself goes at its next start. */
static bool goes_before(const struct ja_planning *p, const char *table, const char *key)
{
    for (size_t i = 0; i < p->plan->count; i++) {
        const struct ja_strv *argv = &p->plan->steps[i]->run.argv;
        if (argv->count > 5 && strcmp(argv->items[2], "table") == 0 && strcmp(argv->items[3], table) == 0 &&
            strcmp(argv->items[4], "delete") == 0 && ja_strv_has(argv, key))
            return true;
    }
    return false;
}

/* The keys that are to be changed: those that have not the value, or (REMOVE) that are there at all. What the jail of a template's
 * build has is there by then, since it begins and ends in one plan. */
static void select_keys(struct ja_planning *p, enum ja_freebsd_way way, const char *table, const struct ja_strv *keys,
                        const char *value, struct ja_strv *selected)
{
    for (size_t i = 0; i < keys->count; i++) {
        const char *now = ja_factf(p->facts, JA_FACT_IPFW, "table %s %s", table, keys->items[i]);
        if (now && way == JA_FREEBSD_ADD && goes_before(p, table, keys->items[i]))
            now = NULL;
        bool same = now && strcmp(now, value) == 0;
        bool change = way == JA_FREEBSD_REMOVE ? now || p->build : way == JA_FREEBSD_TAKE ? same : !same;
        if (change && ja_strv_add(selected, keys->items[i]) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
}

static void entry_words(struct ja_planning *p, struct ja_step *step, const char *table, const char *verb, bool undo)
{
    (undo ? ja_step_undo : ja_step_run)(p->plan, step, TOOL("ipfw"), "-q", "table", table, verb, NULL);
}

bool ja_freebsd_entries(struct ja_planning *p, enum ja_freebsd_way way, const char *what, const struct ja_strv *keys,
                        int64_t value)
{
    ja_autostrv struct ja_strv selected = {0};
    char table[JA_FREEBSD_TABLE], text[24], name[160];
    ja_freebsd_table(p->site, what, table);
    snprintf(text, sizeof text, "%lld", (long long)value);
    select_keys(p, way, table, keys, text, &selected);
    if (way == JA_FREEBSD_ASK || selected.count == 0)
        return selected.count == 0;
    struct ja_step *step =
        ja_plan_step(p->plan, "%s", way == JA_FREEBSD_ADD ? "let the rules know it" : "let the rules forget it");
    entry_words(p, step, table, way == JA_FREEBSD_ADD ? "add" : "delete", false);
    if (way == JA_FREEBSD_REMOVE) {
        step->flags |= JA_STEP_IGNORE;
    } else {
        entry_words(p, step, table, way == JA_FREEBSD_ADD ? "delete" : "add", true);
        bool add = way == JA_FREEBSD_ADD;
        snprintf(name, sizeof name, "table %s%s%s", table, add ? " " : "", add ? selected.items[0] : "");
        ja_step_guard(p->plan, step, JA_FACT_IPFW, name, NULL);
    }
    for (size_t i = 0; i < selected.count; i++) {
        ja_step_run(p->plan, step, selected.items[i], NULL);
        if (way == JA_FREEBSD_ADD)
            ja_step_run(p->plan, step, text, NULL);
        if (way != JA_FREEBSD_REMOVE)
            ja_step_undo(p->plan, step, selected.items[i], NULL);
        if (way == JA_FREEBSD_TAKE)
            ja_step_undo(p->plan, step, text, NULL);
    }
    return false;
}

/* One key after the other into a list; what is empty is none. */
static void add_key(struct ja_planning *p, struct ja_strv *keys, const char *key)
{
    if (*key && ja_strv_add(keys, key) < 0)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

/* ---- networks ---- */

/* What a network has in each table. */
struct network_keys {
    struct ja_strv nets, gateways, natted, dhcp, members, alone;
};

static void network_keys_fini(struct network_keys *keys)
{
    ja_strv_fini(&keys->nets);
    ja_strv_fini(&keys->gateways);
    ja_strv_fini(&keys->natted);
    ja_strv_fini(&keys->dhcp);
    ja_strv_fini(&keys->members);
    ja_strv_fini(&keys->alone);
}

static void fill_keys(struct ja_planning *p, const struct ja_network *network, struct network_keys *keys)
{
    char entry[JA_ADDR_TEXT], bridge[JA_FREEBSD_IFNAME];
    *keys = (struct network_keys){0};
    for (size_t i = 0; i < network->addresses.count; i++) {
        ja_freebsd_entry_net(network->addresses.items[i], entry);
        add_key(p, &keys->nets, entry);
        if (ja_freebsd_wants_nat(network))
            add_key(p, &keys->natted, entry);
        if (network->isolate)
            add_key(p, &keys->alone, entry);
        ja_freebsd_entry_host(network->addresses.items[i], entry);
        add_key(p, &keys->gateways, entry);
    }
    ja_site_bridge_name(p->site, network->slot, bridge);
    if (network->dhcp)
        add_key(p, &keys->dhcp, bridge);
    for (size_t i = 0; i < network->members.count; i++)
        add_key(p, &keys->members, network->members.items[i]);
}

static void leave_out(struct ja_strv *keys, const struct ja_strv *others)
{
    for (size_t i = 0; i < others->count; i++)
        ja_strv_remove(keys, others->items[i]);
}

/* Those of `network` that `but` (may be NULL) has not. */
static bool network_entries(struct ja_planning *p, enum ja_freebsd_way way, const struct ja_network *network,
                            const struct ja_network *but)
{
    struct network_keys keys, others;
    int64_t tag = JA_NETWORK_TAG + network->slot;
    fill_keys(p, network, &keys);
    if (but) {
        fill_keys(p, but, &others);
        leave_out(&keys.nets, &others.nets);
        leave_out(&keys.gateways, &others.gateways);
        leave_out(&keys.natted, &others.natted);
        leave_out(&keys.dhcp, &others.dhcp);
        leave_out(&keys.members, &others.members);
        leave_out(&keys.alone, &others.alone);
        network_keys_fini(&others);
    }
    bool there = ja_freebsd_entries(p, way, "nets", &keys.nets, tag);
    there = ja_freebsd_entries(p, way, "gw", &keys.gateways, tag) && there;
    there = ja_freebsd_entries(p, way, "natted", &keys.natted, 0) && there;
    there = ja_freebsd_entries(p, way, "dhcp", &keys.dhcp, 0) && there;
    there = ja_freebsd_entries(p, way, "members", &keys.members, 0) && there;
    there = ja_freebsd_entries(p, way, "alone", &keys.alone, tag) && there;
    network_keys_fini(&keys);
    return there;
}

bool ja_freebsd_rules_are_up(struct ja_planning *p, const struct ja_network *network)
{
    bool up = is_loaded(p);
    up = network_entries(p, JA_FREEBSD_ASK, network, NULL) && up;
    up = ja_freebsd_rules_there(p, policy, JA_COUNT(policy)) && up;
    up = settings_are(p) && up;
    up = ja_freebsd_netrules_are_up(p, network) && up;
    up = (!ja_freebsd_wants_pf(network) || ja_freebsd_pf_is_up(p, network)) && up;
    return (!ja_freebsd_wants_nat(network) || ja_freebsd_nat_is_up(p, network)) && up;
}

void ja_freebsd_rules_up(struct ja_planning *p, const struct ja_network *network, bool first)
{
    load(p);
    acquire_settings(p, first);
    for (size_t i = 0; i < JA_COUNT(tables); i++)
        ja_freebsd_table_add(p, tables[i].what, tables[i].type);
    ja_freebsd_rules_add(p, policy, JA_COUNT(policy), "say what jails may reach, and what they may send");
    /* First its rules: there is no moment at which it is open to more. */
    ja_freebsd_netrules_up(p, network);
    network_entries(p, JA_FREEBSD_ADD, network, NULL);
    if (ja_freebsd_wants_nat(network))
        ja_freebsd_nat_up(p, network);
    if (ja_freebsd_wants_pf(network))
        ja_freebsd_pf_up(p, network);
}

void ja_freebsd_rules_down(struct ja_planning *p, const struct ja_network *network)
{
    network_entries(p, JA_FREEBSD_REMOVE, network, NULL);
    ja_freebsd_netrules_down(p, network);
    ja_freebsd_nat_down(p, network, NULL);
    ja_freebsd_pf_down(p, network);
}

static bool translates_alike(const struct ja_network *a, const struct ja_network *b)
{
    return ja_str_equal(a->nat, b->nat) && a->nat_by == b->nat_by && ja_strv_equal(&a->addresses, &b->addresses);
}

void ja_freebsd_rules_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    ja_freebsd_netrules_change(p, from, to);
    network_entries(p, JA_FREEBSD_ADD, to, NULL);
    if (ja_freebsd_wants_nat(to) && !translates_alike(from, to))
        ja_freebsd_nat_up(p, to);
    ja_freebsd_pf_change(p, from, to);
}

void ja_freebsd_rules_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    network_entries(p, JA_FREEBSD_REMOVE, from, to);
    ja_freebsd_netrules_changed(p, from, to);
    if (!translates_alike(from, to))
        ja_freebsd_nat_down(p, from, to);
    ja_freebsd_pf_changed(p, from, to);
}

void ja_freebsd_rules_remove_all(struct ja_planning *p)
{
    if (is_loaded(p)) {
        struct ja_step *step = ja_plan_step(p->plan, "remove the instance's rules");
        ja_step_run(p->plan, step, TOOL("ipfw"), "-q", "delete", "set", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)p->site->set);
        ja_freebsd_nat_remove_all(p);
        for (size_t i = 0; i < JA_COUNT(tables); i++)
            ja_freebsd_table_remove(p, tables[i].what);
    }
    ja_freebsd_pf_remove_all(p);
    release_settings(p);
}

/* ---- nics ---- */

/* What a nic may send with: its addresses, and the one that its jail makes of its MAC. */
static void source_keys(struct ja_planning *p, const struct ja_freebsd_nic *nic, struct ja_strv *keys)
{
    char entry[JA_ADDR_TEXT], text[JA_ADDR_TEXT];
    uint8_t mac[6];
    struct ja_addr local;
    for (size_t i = 0; i < nic->nic->assigned.count; i++) {
        ja_freebsd_entry_host(nic->nic->assigned.items[i], entry);
        add_key(p, keys, entry);
    }
    if (ja_mac_parse(nic->mac, mac) < 0)
        return;
    ja_addr_link_local(mac, &local);
    ja_addr_format(&local, false, entry);
    ja_freebsd_entry_host(entry, text);
    add_key(p, keys, text);
}

static bool asks_others(const struct ja_nic *nic, const char *word, bool v6)
{
    if (!ja_strv_has(&nic->addresses, word))
        return false;
    for (size_t i = 0; i < nic->assigned.count; i++)
        if (ja_nic_is_dynamic(nic, i) && (strchr(nic->assigned.items[i], ':') != NULL) == v6)
            return false;
    return true;
}

static bool nic_entries(struct ja_planning *p, enum ja_freebsd_way way, const struct ja_freebsd_nic *nic)
{
    ja_autostrv struct ja_strv link = {0}, sources = {0};
    bool remove = way == JA_FREEBSD_REMOVE && !p->build;
    bool others = asks_others(nic->nic, "dhcp", false) || asks_others(nic->nic, "slaac", true);
    add_key(p, &link, nic->link);
    source_keys(p, nic, &sources);
    bool there = ja_freebsd_entries(p, way, "nics", &link, nic->nic->unit);
    there = ja_freebsd_entries(p, way, "src", &sources, nic->nic->unit) && there;
    if (remove || (nic->network->dhcp && ja_strv_has(&nic->nic->addresses, "dhcp")))
        there = ja_freebsd_entries(p, way, "dhcp", &link, 0) && there;
    if (remove || others)
        there = ja_freebsd_entries(p, way, "any", &link, 0) && there;
    return there;
}

static bool all_nics(struct ja_planning *p, enum ja_freebsd_way way, const struct ja_subject *s)
{
    bool there = true;
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        /* One that only watches may send with nothing. */
        if (!nic.nic->span)
            there = nic_entries(p, way, &nic) && there;
    }
    return there;
}

void ja_freebsd_nic_rules_add(struct ja_planning *p, const struct ja_subject *s)
{
    all_nics(p, JA_FREEBSD_ADD, s);
}

void ja_freebsd_nic_rules_remove(struct ja_planning *p, const struct ja_subject *s)
{
    all_nics(p, JA_FREEBSD_REMOVE, s);
}
