/*
 * pf.c: address translation and port forwards by pf, for networks with nat-by=pf: an anchor below jailadmin/ for each network and for
 * each jail with forwards, always loaded as a whole, so that nobody waits for a lock. The main ruleset is the administrator's:
 * it must ask these anchors, and is only read. What jails may reach and send is ipfw's affair all the same (rules.c), but for
 * one thing: who may begin to talk to what is translated. Whether pf or ipfw sees a packet first depends on which was loaded
 * first, so an address that pf translates back may be new to ipfw.
 *
 * Rules are written as pfctl(8) shows them, so that what is there can be compared with what is wanted.
 */
#include "host/freebsd/rules.h"
#include "plan/finding.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* ---- the host's pf ---- */

static const struct {
    const char *fact, *line;
} anchors[] = {{"main nat-anchor", "nat-anchor \"jailadmin/*\""},
               {"main rdr-anchor", "rdr-anchor \"jailadmin/*\""},
               {"main anchor", "anchor \"jailadmin/*\""}};

/* What the main ruleset lacks, "" when it asks all anchors. All is asked for at once. */
static void missing_lines(struct ja_planning *p, struct ja_str *lines)
{
    for (size_t i = 0; i < JA_COUNT(anchors); i++)
        if (!ja_fact(p->facts, JA_FACT_PF, anchors[i].fact))
            ja_str_addf(lines, "%s`%s`", lines->length ? ", " : "", anchors[i].line);
    ja_str_add(lines, "");
}

static bool works(struct ja_planning *p)
{
    ja_autostr struct ja_str lines = {0};
    missing_lines(p, &lines);
    return ja_str_equal(ja_fact(p->facts, JA_FACT_PF, "status"), "Enabled") && lines.length == 0;
}

static void must_work(struct ja_planning *p)
{
    ja_autostr struct ja_str lines = {0};
    const char *status = ja_fact(p->facts, JA_FACT_PF, "status");
    missing_lines(p, &lines);
    if (!ja_str_equal(status, "Enabled")) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field nat-by", "pf is not %s on this host",
                     status ? "enabled" : "loaded");
        ja_plan_hint(p->plan,
                     "write /etc/pf.conf, among its lines nat-anchor \"jailadmin/*\", rdr-anchor \"jailadmin/*\" and "
                     "anchor \"jailadmin/*\"; then `sysrc pf_enable=YES` and `service pf start`");
    } else if (lines.length) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field nat-by",
                     "the main ruleset of pf does not ask the anchors of jails");
        ja_plan_hint(p->plan,
                     "write into /etc/pf.conf, translations before rules that filter: %s; then `service pf reload`",
                     lines.text);
    }
}

/* Without networks of its own it filters beside ipfw, whose rules cannot let pass what it drops. */
void ja_freebsd_pf_examine(struct ja_planning *p, struct ja_findings *findings)
{
    ja_autostr struct ja_str lines = {0};
    ja_autofree char *ours = ja_printf("ja%s", p->site->tag);
    bool loaded = ja_fact(p->facts, JA_FACT_MODULE, "pf") != NULL;
    const char *names = ja_fact(p->facts, JA_FACT_PF, "anchors");
    missing_lines(p, &lines);
    if (!ours || !p->site->tag[0] || !names || !strstr(names, ours)) {
        if (loaded)
            ja_find(findings, JA_LEVEL_OK, "pf", NULL,
                    "loaded: where it is enabled, its rules must let pass what jails send and get");
    } else if (!ja_str_equal(ja_fact(p->facts, JA_FACT_PF, "status"), "Enabled")) {
        ja_find(findings, JA_LEVEL_BAD, "pf", "enable it: `service pf start`",
                "it is disabled: addresses of networks with nat-by=pf are not translated");
    } else if (lines.length) {
        ja_find(
            findings, JA_LEVEL_BAD, "pf",
            "write nat-anchor \"jailadmin/*\", rdr-anchor \"jailadmin/*\" and anchor \"jailadmin/*\" into /etc/pf.conf",
            "its main ruleset lacks %s: addresses of networks with nat-by=pf are not translated", lines.text);
    } else {
        ja_find(findings, JA_LEVEL_OK, "pf", NULL, "enabled, and it asks the anchors of jails");
    }
}

/* ---- anchors ---- */

bool ja_freebsd_wants_pf(const struct ja_network *network)
{
    return network->nat_by == JA_NAT_PF && network->nat && strcmp(network->nat, "none") != 0;
}

/* What is to be in an anchor is never NULL, once it is complete. */
static void finish(struct ja_planning *p, struct ja_str *rules)
{
    ja_str_add(rules, "");
    if (rules->failed || !rules->text)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

static const char *anchor_now(struct ja_planning *p, const char *name)
{
    return ja_factf(p->facts, JA_FACT_PF, "anchor %s", name);
}

/* Rules stay in the order in which they are written (-o none). An empty ruleset takes the anchor away, as -F all does, which fails on
 * 15 when the anchor has no table: after its rules it looks for those, and finds no anchor. */
static void words(struct ja_planning *p, struct ja_step *step, const char *name, bool load, bool undo)
{
    void (*say)(struct ja_plan *, struct ja_step *, ...) = undo ? ja_step_undo : ja_step_run;
    say(p->plan, step, TOOL("pfctl"), "-q", "-a", NULL);
    (undo ? ja_step_undof : ja_step_runf)(p->plan, step, "jailadmin/%s", name);
    if (load)
        say(p->plan, step, "-o", "none", "-f", "-", NULL);
    else
        say(p->plan, step, "-f", "/dev/null", NULL);
}

void ja_freebsd_pf_flush(struct ja_planning *p, const char *name, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    words(p, step, name, false, false);
}

/* From one content to another ("" or NULL: none), and the way back. An anchor of our name is ours, whatever it holds. */
static void load(struct ja_planning *p, const char *name, const char *old, const char *new, const char *why)
{
    bool was = old && *old, is = new &&*new;
    if ((!was && !is) || p->plan->err.code)
        return;
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    words(p, step, name, is, false);
    if (is)
        ja_step_input(p->plan, step, "%s", new);
    words(p, step, name, was, true);
    if (was) {
        ja_step_undo_input(p->plan, step, "%s", old);
    } else {
        char fact[40];
        snprintf(fact, sizeof fact, "anchor %s", name);
        ja_step_guard(p->plan, step, JA_FACT_PF, fact, NULL);
    }
}

/* ---- networks ---- */

/* Those of unique local addresses; others are routed as they are. */
static bool is_translated(const struct ja_addr *addr)
{
    struct ja_addr local;
    return !addr->v6 || (ja_addr_parse("fc00::/7", &local, NULL) == 0 && ja_addr_in(&local, addr));
}

/* The address before (-1) or after (1) another one of IPv6. */
static void step_by(struct ja_addr *addr, int by)
{
    for (int i = 15; i >= 0; i--) {
        addr->bytes[i] = (uint8_t)(addr->bytes[i] + by);
        if (addr->bytes[i] != (by > 0 ? 0 : 0xff))
            return;
    }
}

/* All sources but the range itself and those of the link, by which neighbours find each other. Not by a table: an anchor that had
 * one stays, empty, when it is emptied (13.2). */
static void others6(const struct ja_addr *addr, const char *range, struct ja_str *rules)
{
    struct ja_addr below, above;
    char text[JA_ADDR_TEXT];
    ja_addr_network(addr, &below);
    ja_addr_broadcast(addr, &above);
    step_by(&below, -1);
    step_by(&above, 1);
    ja_addr_format(&below, false, text);
    ja_str_addf(rules, "block drop in quick on ! lo0 inet6 from :: - %s to %s\n", text, range);
    ja_addr_format(&above, false, text);
    ja_str_addf(rules, "block drop in quick on ! lo0 inet6 from %s - fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff to %s\n",
                text, range);
}

/* Nobody begins to talk to jails by the uplink, nor elsewhere but the host and neighbours: on a member, these have addresses of the
 * range, or routes to others. */
static void range_rules(const struct ja_network *network, const char *uplink, const struct ja_addr *addr,
                        const char *range, struct ja_str *rules)
{
    if (!ja_strv_has(&network->members, uplink))
        ja_str_addf(rules, "block drop in quick on %s %s from any to %s\n", uplink, addr->v6 ? "inet6" : "inet", range);
    if (network->members.count)
        return;
    if (addr->v6)
        others6(addr, range, rules);
    else
        ja_str_addf(rules, "block drop in quick on ! lo0 inet from ! %s to %s\n", range, range);
}

static void network_content(struct ja_planning *p, const struct ja_network *network, struct ja_str *rules)
{
    const char *uplink = ja_freebsd_wants_pf(network) ? ja_freebsd_uplink(p, network) : NULL;
    char range[JA_ADDR_TEXT];
    struct ja_addr addr;
    /* Translations come before rules. */
    for (size_t pass = 0; uplink && pass < 2; pass++)
        for (size_t i = 0; i < network->addresses.count; i++) {
            ja_freebsd_entry_net(network->addresses.items[i], range);
            if (!range[0] || ja_addr_parse(range, &addr, NULL) < 0)
                continue;
            if (pass == 0 && is_translated(&addr))
                ja_str_addf(rules, "nat on %s %s from %s to any -> (%s:0)\n", uplink, addr.v6 ? "inet6" : "inet", range,
                            uplink);
            if (pass == 1)
                range_rules(network, uplink, &addr, range, rules);
            if (pass == 1 && !is_translated(&addr))
                ja_str_addf(rules, "pass out on %s inet6 from %s to any flags S/SA keep state\n", uplink, range);
        }
    finish(p, rules);
}

bool ja_freebsd_pf_is_up(struct ja_planning *p, const struct ja_network *network)
{
    char name[JA_FREEBSD_IFNAME];
    ja_autostr struct ja_str rules = {0};
    ja_site_bridge_name(p->site, network->slot, name);
    network_content(p, network, &rules);
    const char *now = anchor_now(p, name);
    bool up = !rules.length || ja_str_equal(now, rules.text);
    return works(p) && up;
}

void ja_freebsd_pf_up(struct ja_planning *p, const struct ja_network *network)
{
    char name[JA_FREEBSD_IFNAME];
    ja_autostr struct ja_str rules = {0};
    ja_site_bridge_name(p->site, network->slot, name);
    must_work(p);
    network_content(p, network, &rules);
    if (!rules.length)
        ja_freebsd_note_no_uplink(p, network);
    else if (!ja_str_equal(anchor_now(p, name), rules.text))
        load(p, name, NULL, rules.text, "translate addresses to those of the uplink, by pf");
}

void ja_freebsd_pf_down(struct ja_planning *p, const struct ja_network *network)
{
    char name[JA_FREEBSD_IFNAME];
    ja_site_bridge_name(p->site, network->slot, name);
    if (ja_freebsd_wants_pf(network) && anchor_now(p, name))
        ja_freebsd_pf_flush(p, name, "let pf translate it no more");
}

void ja_freebsd_pf_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    char name[JA_FREEBSD_IFNAME];
    ja_autostr struct ja_str old = {0}, new = {0};
    if (!ja_freebsd_wants_pf(to))
        return;
    ja_site_bridge_name(p->site, to->slot, name);
    must_work(p);
    network_content(p, from, &old);
    network_content(p, to, &new);
    if (!new.length)
        ja_freebsd_note_no_uplink(p, to);
    if (!ja_str_equal(old.text, new.text))
        load(p, name, old.text, new.text, "translate addresses to those of the uplink, by pf");
}

void ja_freebsd_pf_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    if (!ja_freebsd_wants_pf(to))
        ja_freebsd_pf_down(p, from);
}

static void flush_ours(void *context, const char *name)
{
    struct ja_planning *p = context;
    if (ja_str_starts(name, "ja") && ja_str_starts(name + 2, p->site->tag))
        ja_freebsd_pf_flush(p, name, "remove its translations from pf");
}

void ja_freebsd_pf_remove_all(struct ja_planning *p)
{
    const char *names = ja_fact(p->facts, JA_FACT_PF, "anchors");
    ja_autofree char *copy = ja_strdup(names ? names : "");
    if (copy)
        ja_each_line(copy, flush_ours, p);
    else
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

/* ---- forwards ---- */

static void jail_anchor(const struct ja_planning *p, const struct ja_jail *jail, char name[JA_FREEBSD_IFNAME])
{
    snprintf(name, JA_FREEBSD_IFNAME, "ja%s%lld", p->site->tag, (long long)jail->slot);
}

/* "rdr pass on vtnet0 inet proto tcp from any to (vtnet0) port 9000:9010 -> 10.66.0.21 port 8000:8010" */
static void redirection(const struct ja_forward_ports *ports, const struct ja_addr *to, const char *uplink,
                        struct ja_str *text)
{
    char inner[JA_ADDR_TEXT], outer[JA_ADDR_TEXT];
    int more = ports->last - ports->first;
    ja_addr_format(to, false, inner);
    if (ports->has_address)
        ja_addr_format(&ports->address, false, outer);
    else
        snprintf(outer, sizeof outer, "(%s)", uplink);
    ja_str_addf(text, "rdr pass on %s %s proto %s from any to %s port ", uplink, to->v6 ? "inet6" : "inet",
                ports->protocol, outer);
    if (more)
        ja_str_addf(text, "%d:%d -> %s port %d:%d\n", ports->first, ports->last, inner, ports->to, ports->to + more);
    else
        ja_str_addf(text, "= %d -> %s port %d\n", ports->first, inner, ports->to);
}

bool ja_freebsd_pf_forwards(const struct ja_subject *s, bool v6)
{
    struct ja_addr to;
    size_t nic = 0;
    return s->jail->vnet == JA_VNET_YES && s->jail->forwards.count && ja_forward_target(s, v6, &to, &nic) &&
           ja_freebsd_wants_pf(s->networks[nic]);
}

static void jail_content(struct ja_planning *p, const struct ja_subject *s, struct ja_str *rules)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct ja_addr to;
        size_t nic = 0;
        if (!ja_freebsd_pf_forwards(s, v6 == 1) || !ja_forward_target(s, v6 == 1, &to, &nic))
            continue;
        const char *uplink = ja_freebsd_uplink(p, s->networks[nic]);
        for (size_t i = 0; uplink && i < s->jail->forwards.count; i++) {
            struct ja_forward_ports ports;
            if (ja_forward_read(s->jail->forwards.items[i], &ports) &&
                (!ports.has_address || ports.address.v6 == (v6 == 1)))
                redirection(&ports, &to, uplink, rules);
        }
    }
    finish(p, rules);
}

void ja_freebsd_pf_forwards_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to)
{
    char name[JA_FREEBSD_IFNAME];
    ja_autostr struct ja_str old = {0}, new = {0};
    jail_anchor(p, to->jail, name);
    jail_content(p, from, &old);
    jail_content(p, to, &new);
    if (!ja_str_equal(old.text, new.text))
        load(p, name, old.text, new.text, new.length ? "forward its ports, by pf" : "forward its ports by pf no more");
}

void ja_freebsd_pf_forwards_remove(struct ja_planning *p, const struct ja_subject *s)
{
    char name[JA_FREEBSD_IFNAME];
    jail_anchor(p, s->jail, name);
    bool may_be = ja_freebsd_pf_forwards(s, false) || ja_freebsd_pf_forwards(s, true);
    if (may_be && anchor_now(p, name))
        ja_freebsd_pf_flush(p, name, "forward its ports no more");
}

void ja_freebsd_pf_forwards_repair(struct ja_planning *p, const struct ja_subject *s)
{
    char name[JA_FREEBSD_IFNAME];
    ja_autostr struct ja_str rules = {0};
    jail_anchor(p, s->jail, name);
    jail_content(p, s, &rules);
    if (rules.length && !ja_str_equal(anchor_now(p, name), rules.text))
        load(p, name, NULL, rules.text, "forward its ports again, by pf");
}
