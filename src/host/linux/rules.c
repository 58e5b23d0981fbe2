/*
 * rules.c: the elements of networks and nics in the instance's two tables. A removal adds an element before
 * it deletes it, in one transaction, so that it succeeds whether or not the element was there.
 */
#include "host/linux/network.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

static void say(const struct ja_linux_script *script, const char *text)
{
    if (script->undo)
        ja_step_undo_input(script->p->plan, script->step, "%s", text);
    else
        ja_step_input(script->p->plan, script->step, "%s", text);
}

/* Notes when an element is not there. The fact's name has no quotes, and of a map's element the key alone. */
static void ask(const struct ja_linux_script *script, const char *family, const char *set, const char *value)
{
    char name[320];
    size_t length = (size_t)snprintf(name, sizeof name, "%s ja%s %s ", family, script->p->site->tag, set);
    const char *end = strstr(value, " : ");
    for (const char *c = value; *c && c != end && length + 1 < sizeof name; c++)
        if (*c != '"')
            name[length++] = *c;
    name[length] = '\0';
    if (!ja_fact(script->p->facts, JA_FACT_NFT, name))
        *script->missing = true;
}

void ja_linux_element(const struct ja_linux_script *script, const char *family, const char *set, const char *format,
                      ...)
{
    static const char *const words[] = {"add", "delete"};
    char value[256], line[384];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    if (script->way == JA_LINUX_ASK) {
        ask(script, family, set, value);
        return;
    }
    for (int i = 0; i < (script->way == JA_LINUX_ADD ? 1 : 2); i++) {
        snprintf(line, sizeof line, "%s element %s ja%s %s { %s }\n", words[i], family, script->p->site->tag, set,
                 value);
        say(script, line);
    }
}

/* An IPv6 address as nft takes the value of a piece of a packet. */
static void raw_address(const struct ja_addr *addr, char text[40])
{
    char *at = text + snprintf(text, 40, "0x");
    for (size_t i = 0; i < 16; i++)
        at += snprintf(at, 3, "%02x", addr->bytes[i]);
}

static const char *table_fact(struct ja_planning *p, const char *family)
{
    return ja_factf(p->facts, JA_FACT_NFT, "%s ja%s", family, p->site->tag);
}

static bool network_fact(struct ja_planning *p, const struct ja_network *network)
{
    char bridge[16];
    ja_site_bridge_name(p->site, network->slot, bridge);
    return ja_factf(p->facts, JA_FACT_NFT, "inet ja%s nets %s", p->site->tag, bridge) != NULL;
}

static void all_nics(const struct ja_linux_script *script, const struct ja_subject *s);

/* ---- networks ---- */

static void inet_elements(const struct ja_linux_script *script, const struct ja_network *network)
{
    char bridge[16], text[JA_ADDR_TEXT];
    const char *nat = network->nat ? network->nat : "auto";
    struct ja_addr gateway;
    ja_site_bridge_name(script->p->site, network->slot, bridge);
    ja_linux_element(script, "inet", "nets", "\"%s\"", bridge);
    if (strcmp(nat, "auto") == 0)
        ja_linux_element(script, "inet", "auto", "\"%s\"", bridge);
    else if (strcmp(nat, "none") == 0)
        ja_linux_element(script, "inet", "routed", "\"%s\"", bridge);
    else
        ja_linux_element(script, "inet", "via", "\"%s\" . \"%s\"", bridge, nat);
    if (network->dhcp)
        ja_linux_element(script, "inet", "dhcp", "\"%s\"", bridge);
    ja_linux_element(script, "inet", network->isolate ? "alone" : "own", "\"%s\" . \"%s\"", bridge, bridge);
    for (int v6 = 0; v6 < 2; v6++) {
        if (!ja_network_gateway(network, v6, &gateway))
            continue;
        ja_addr_format(&gateway, false, text);
        ja_linux_element(script, "inet", v6 ? "gateway6" : "gateway4", "\"%s\" . %s", bridge, text);
    }
}

static void bridge_elements(const struct ja_linux_script *script, const struct ja_network *network)
{
    char text[JA_ADDR_TEXT];
    struct ja_addr gateway;
    for (int v6 = 0; v6 < 2; v6++) {
        if (!ja_network_gateway(network, v6, &gateway))
            continue;
        ja_addr_format(&gateway, false, text);
        ja_linux_element(script, "bridge", v6 ? "gateway6" : "gateway4", "%s", text);
        if (v6) {
            raw_address(&gateway, text);
            ja_linux_element(script, "bridge", "gateway_target6", "%s", text);
        }
    }
}

bool ja_linux_tables_are_there(struct ja_planning *p)
{
    bool inet = table_fact(p, "inet"), bridge = table_fact(p, "bridge");
    return inet && bridge;
}

bool ja_linux_rules_are_up(struct ja_planning *p, const struct ja_network *network)
{
    bool missing = false;
    struct ja_linux_script ask = {.p = p, .way = JA_LINUX_ASK, .missing = &missing};
    inet_elements(&ask, network);
    bridge_elements(&ask, network);
    ja_linux_netrules(&ask, network);
    return table_fact(p, "bridge") && !missing;
}

static const char *const table_families[] = {"inet", "bridge"};

/* Whether a table that is there has all of its rules: somebody may have flushed it, or an older program made it. */
static bool rules_are_whole(struct ja_planning *p, const char *family)
{
    char wanted[16];
    snprintf(wanted, sizeof wanted, "%u", ja_linux_ruleset_rules(family));
    const char *there = ja_factf(p->facts, JA_FACT_NFTRULES, "%s ja%s", family, p->site->tag);
    return !there || strcmp(there, wanted) == 0;
}

/* Makes a table, or (`again`) puts its rules back; then its sets, and what passes by them, stay. */
static void add_ruleset(struct ja_planning *p, struct ja_step *step, const char *family, bool again)
{
    ja_autostr struct ja_str text = {0};
    ja_linux_ruleset(family, p->site->tag, again, &text);
    if (text.failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    else
        ja_step_input(p->plan, step, "%s", text.text);
}

/* Makes the tables that are missing, and adds the network, in one transaction. */
void ja_linux_rules_up(struct ja_planning *p, const struct ja_network *network)
{
    bool inet = table_fact(p, "inet"), bridge = table_fact(p, "bridge"), there = network_fact(p, network);
    if (ja_linux_rules_are_up(p, network))
        return;
    struct ja_step *step = ja_plan_step(
        p->plan, "%s", inet && bridge ? "let the rules know the network" : "make the rules that keep networks apart");
    ja_step_run(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    /* What a network that was up lacks is added for good: it was so before somebody took it away. */
    if (!there)
        ja_step_undo(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    for (size_t i = 0; i < JA_COUNT(table_families); i++) {
        bool table = i == 0 ? inet : bridge;
        struct ja_linux_script add = {.p = p, .step = step, .way = JA_LINUX_ADD},
                               undo = {.p = p, .step = step, .undo = true, .way = JA_LINUX_REMOVE};
        void (*elements)(const struct ja_linux_script *, const struct ja_network *) =
            i == 0 ? inet_elements : bridge_elements;
        if (!table) {
            add_ruleset(p, step, table_families[i], false);
            if (!there)
                ja_step_undo_input(p->plan, step, "add table %s ja%s\ndelete table %s ja%s\n", table_families[i],
                                   p->site->tag, table_families[i], p->site->tag);
        } else {
            if (!rules_are_whole(p, table_families[i]))
                add_ruleset(p, step, table_families[i], true);
            if (!there)
                elements(&undo, network);
        }
        elements(&add, network);
        if (i == 0) {
            ja_linux_netrules(&add, network);
            if (table && !there)
                ja_linux_netrules(&undo, network);
        }
    }
    char guard[32];
    snprintf(guard, sizeof guard, "inet ja%s", p->site->tag);
    if (!there)
        ja_step_guard(p->plan, step, JA_FACT_NFT, guard, NULL);
}

static bool elements_differ(const struct ja_network *a, const struct ja_network *b)
{
    return !ja_str_equal(a->nat, b->nat) || a->isolate != b->isolate || a->dhcp != b->dhcp ||
           !ja_strv_equal(&a->addresses, &b->addresses);
}

void ja_linux_rules_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                           const struct ja_subject *from_jails, const struct ja_subject *to_jails, size_t count)
{
    bool elements = elements_differ(from, to);
    if (!elements && ja_list_equal(&ja_noun_rule, &from->rules, &to->rules))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "change the rules of network %s", to->name);
    ja_step_run(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    ja_step_undo(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    /* A table of an older program asks no network's rules. */
    if (to->rules.count && !rules_are_whole(p, "inet"))
        add_ruleset(p, step, "inet", true);
    for (int undo = 0; undo < 2; undo++) {
        /* In one transaction: what stays is not interrupted. */
        struct ja_linux_script remove = {.p = p, .step = step, .undo = undo, .way = JA_LINUX_REMOVE},
                               add = {.p = p, .step = step, .undo = undo, .way = JA_LINUX_ADD};
        const struct ja_network *old = undo ? to : from, *new = undo ? from : to;
        if (elements) {
            inet_elements(&remove, old);
            bridge_elements(&remove, old);
            inet_elements(&add, new);
            bridge_elements(&add, new);
        }
        ja_linux_netrules_change(&add, old, new);
        for (size_t i = 0; i < count; i++) {
            all_nics(&remove, undo ? &to_jails[i] : &from_jails[i]);
            all_nics(&add, undo ? &from_jails[i] : &to_jails[i]);
        }
    }
    char guard[32];
    snprintf(guard, sizeof guard, "inet ja%s", p->site->tag);
    ja_step_guard(p->plan, step, JA_FACT_NFT, guard, NULL);
}

void ja_linux_rules_restore(struct ja_planning *p)
{
    for (size_t i = 0; i < JA_COUNT(table_families); i++) {
        const char *family = table_families[i];
        if (!table_fact(p, family) || rules_are_whole(p, family))
            continue;
        struct ja_step *step = ja_plan_step(p->plan, "put back the rules of the table %s ja%s", family, p->site->tag);
        ja_step_run(p->plan, step, TOOL("nft"), "-f", "-", NULL);
        add_ruleset(p, step, family, true);
    }
}

void ja_linux_nic_rules_repair(struct ja_planning *p, const struct ja_subject *s)
{
    bool missing = false;
    struct ja_linux_script ask = {.p = p, .way = JA_LINUX_ASK, .missing = &missing};
    all_nics(&ask, s);
    ja_linux_forward_elements(&ask, s);
    if (!missing)
        return;
    struct ja_step *step = ja_plan_step(p->plan, "let the rules know the interfaces of jail %s again", s->jail->name);
    struct ja_linux_script add = {.p = p, .step = step, .way = JA_LINUX_ADD};
    ja_step_run(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    all_nics(&add, s);
    ja_linux_forward_elements(&add, s);
}

void ja_linux_rules_down(struct ja_planning *p, const struct ja_network *network)
{
    bool inet = table_fact(p, "inet"), bridge = table_fact(p, "bridge");
    if (!inet && !bridge)
        return;
    struct ja_step *step = ja_plan_step(p->plan, "let the rules forget the network");
    ja_step_run(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    struct ja_linux_script script = {.p = p, .step = step, .way = JA_LINUX_REMOVE};
    if (inet) {
        inet_elements(&script, network);
        ja_linux_netrules(&script, network);
    }
    if (bridge)
        bridge_elements(&script, network);
    if (!step->run.input)
        ja_step_input(p->plan, step, "\n");
}

void ja_linux_rules_remove_all(struct ja_planning *p)
{
    static const char *const families[] = {"inet", "bridge"};
    struct ja_step *step = NULL;
    for (size_t i = 0; i < JA_COUNT(families); i++) {
        if (!table_fact(p, families[i]))
            continue;
        if (!step) {
            step = ja_plan_step(p->plan, "remove the rules");
            ja_step_run(p->plan, step, TOOL("nft"), "-f", "-", NULL);
        }
        ja_step_input(p->plan, step, "add table %s ja%s\ndelete table %s ja%s\n", families[i], p->site->tag,
                      families[i], p->site->tag);
    }
}

/* ---- nics ---- */

static void nic_address(const struct ja_linux_script *script, const struct ja_linux_nic *nic,
                        const struct ja_addr *addr)
{
    char text[JA_ADDR_TEXT];
    ja_addr_format(addr, false, text);
    ja_linux_element(script, "bridge", addr->v6 ? "source6" : "source4", "\"%s\" . %s", nic->link, text);
    if (addr->v6) {
        raw_address(addr, text);
        ja_linux_element(script, "bridge", "target6", "\"%s\" . %s", nic->link, text);
    }
}

static void nic_elements(const struct ja_linux_script *script, const struct ja_linux_nic *nic)
{
    struct ja_addr addr;
    uint8_t mac[6];
    ja_linux_element(script, "bridge", "nics", "\"%s\" . %s", nic->link, nic->mac);
    for (size_t i = 0; i < nic->nic->assigned.count; i++)
        if (ja_addr_parse(nic->nic->assigned.items[i], &addr, NULL) == 0)
            nic_address(script, nic, &addr);
    if (ja_mac_parse(nic->mac, mac) == 0) {
        ja_addr_link_local(mac, &addr);
        nic_address(script, nic, &addr);
    }
    bool given[2] = {false, false};
    for (size_t i = 0; i < nic->nic->assigned.count; i++)
        if (ja_nic_is_dynamic(nic->nic, i))
            given[strchr(nic->nic->assigned.items[i], ':') != NULL] = true;
    if (ja_strv_has(&nic->nic->addresses, "dhcp"))
        ja_linux_element(script, "bridge", given[0] ? "dhcp" : "any4", "\"%s\"", nic->link);
    if (ja_strv_has(&nic->nic->addresses, "slaac") && !given[1])
        ja_linux_element(script, "bridge", "any6", "\"%s\"", nic->link);
    if (nic->network->isolate)
        ja_linux_element(script, "bridge", "isolated", "\"%s\"", nic->link);
}

static void all_nics(const struct ja_linux_script *script, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(script->p, s, i, &nic);
        nic_elements(script, &nic);
    }
}

void ja_linux_nic_rules_add(struct ja_planning *p, const struct ja_subject *s)
{
    if (!s->jail->nics.count)
        return;
    ja_forwards_check(p, s, NULL);
    struct ja_step *step = ja_plan_step(p->plan, "let its interfaces send with their own addresses, and no others%s",
                                        s->jail->forwards.count ? "; forward its ports" : "");
    struct ja_linux_script add = {.p = p, .step = step, .way = JA_LINUX_ADD},
                           undo = {.p = p, .step = step, .undo = true, .way = JA_LINUX_REMOVE};
    ja_step_run(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    all_nics(&add, s);
    ja_linux_forward_elements(&add, s);
    ja_step_undo(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    all_nics(&undo, s);
    ja_linux_forward_elements(&undo, s);
    char guard[32];
    snprintf(guard, sizeof guard, "bridge ja%s", p->site->tag);
    ja_step_guard(p->plan, step, JA_FACT_NFT, guard, NULL);
}

void ja_linux_nic_rules_remove(struct ja_planning *p, const struct ja_subject *s)
{
    /* After somebody's flush there is nothing to remove from. */
    bool bridge = table_fact(p, "bridge"), inet = table_fact(p, "inet");
    if (!s->jail->nics.count || !(bridge || (inet && s->jail->forwards.count)))
        return;
    struct ja_step *step =
        ja_plan_step(p->plan, "let the rules forget its interfaces%s", s->jail->forwards.count ? " and forwards" : "");
    struct ja_linux_script script = {.p = p, .step = step, .way = JA_LINUX_REMOVE};
    ja_step_run(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    if (bridge)
        all_nics(&script, s);
    if (inet)
        ja_linux_forward_elements(&script, s);
}
