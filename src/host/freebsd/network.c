/*
 * network.c: a network on FreeBSD: its bridge with gateway addresses and members, the host's settings, rules and resolver. What facts
 * say is there is not made again, so that the same plan makes, completes and repairs.
 *
 * ifconfig takes a new name together with `create` alone, and one address family a call.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* See JA_NETWORK_SLOTS. */
enum { NETWORKS_MOST = 1000 };

#define FORWARD4 "net.inet.ip.forwarding"
#define FORWARD6 "net.inet6.ip6.forwarding"

void ja_freebsd_module(struct ja_planning *p, const char *module, const char *why)
{
    if (ja_fact(p->facts, JA_FACT_MODULE, module))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("kldload"), "-n", module, NULL);
}

/* ---- is it there? ---- */

static bool setting_is(struct ja_planning *p, const char *name, const char *value)
{
    const char *now = ja_fact(p->facts, JA_FACT_SYSCTL, name);
    return now && strcmp(now, value) == 0;
}

static bool address_is_there(struct ja_planning *p, const char *text, const char *bridge)
{
    struct ja_addr addr;
    char plain[JA_ADDR_TEXT];
    if (ja_addr_parse(text, &addr, NULL) < 0)
        return true;
    ja_addr_format(&addr, false, plain);
    const char *interface = ja_fact(p->facts, JA_FACT_HOSTADDR, plain);
    return interface && strcmp(interface, bridge) == 0;
}

bool ja_freebsd_is_member(struct ja_planning *p, const char *bridge, const char *interface)
{
    return ja_factf(p->facts, JA_FACT_MEMBER, "%s %s", bridge, interface) != NULL;
}

/* The interface that stands for a member: itself, or its VLAN: "ja7fv3m0", which is no name of a nic or bridge. */
static void member_port(const struct ja_planning *p, const struct ja_network *network, size_t number,
                        char port[JA_FREEBSD_IFNAME])
{
    if (network->vlan)
        snprintf(port, JA_FREEBSD_IFNAME, "ja%sv%lldm%zu", p->site->tag, (long long)network->slot, number);
    else
        snprintf(port, JA_FREEBSD_IFNAME, "%s", network->members.items[number]);
}

static bool members_are_there(struct ja_planning *p, const struct ja_network *network, const char *bridge)
{
    bool there = true;
    for (size_t i = 0; i < network->members.count; i++) {
        char port[JA_FREEBSD_IFNAME];
        member_port(p, network, i, port);
        there = ja_freebsd_is_member(p, bridge, port) && there;
    }
    return there;
}

bool ja_freebsd_network_is_up(struct ja_planning *p, const struct ja_network *network)
{
    char bridge[JA_FREEBSD_IFNAME], mark[128];
    struct ja_addr unused;
    ja_site_bridge_name(p->site, network->slot, bridge);
    ja_site_mark(p->site, network->uuid, mark);
    const char *description = ja_fact(p->facts, JA_FACT_LINK, bridge);
    bool up = description && strcmp(description, mark) == 0;
    /* All is asked for, also after something was found missing: the facts are then read in one go. */
    for (size_t i = 0; i < network->addresses.count; i++)
        up = address_is_there(p, network->addresses.items[i], bridge) && up;
    up = members_are_there(p, network, bridge) && up;
    up = (!ja_network_gateway(network, false, &unused) || setting_is(p, FORWARD4, "1")) && up;
    up = (!ja_network_gateway(network, true, &unused) || setting_is(p, FORWARD6, "1")) && up;
    up = ja_dns_is_up(p, network) && up;
    return ja_freebsd_rules_are_up(p, network) && up;
}

/* ---- making it ---- */

void ja_freebsd_undo_link(struct ja_planning *p, struct ja_step *step, const char *made_as, const char *link,
                          const char *mark)
{
    ja_step_undo_host(p, step, "link-remove", "--made-as", made_as, link, mark, NULL);
}

void ja_freebsd_remove_link(struct ja_planning *p, const char *link, const char *mark, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "link-remove", "%s", why);
    ja_step_run(p->plan, step, link, mark, NULL);
}

/* What is called like ours but does not carry our mark is left alone. */
static bool is_ours(struct ja_planning *p, const char *link, const char *mark)
{
    const char *found = ja_fact(p->facts, JA_FACT_LINK, link);
    if (found && *found && strcmp(found, mark) != 0) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "an interface %s exists already and is not ours", link);
        ja_plan_hint(p->plan, "`ifconfig %s` shows whose it is", link);
    }
    return found;
}

static void make_bridge(struct ja_planning *p, const char *bridge, const char *mark, const struct ja_network *network)
{
    struct ja_step *step;
    char made_as[32], mac[JA_MAC_TEXT];
    snprintf(made_as, sizeof made_as, "bridge%lld", (long long)(p->site->unit_base + network->slot));
    const char *description = ja_fact(p->facts, JA_FACT_LINK, bridge);
    if (is_ours(p, bridge, mark) && *description)
        return;
    if (!description) {
        step = ja_plan_step(p->plan, "make the bridge %s of network %s", bridge, network->name);
        ja_step_run(p->plan, step, TOOL("ifconfig"), made_as, "create", "name", bridge, NULL);
        ja_freebsd_undo_link(p, step, made_as, bridge, mark);
    }
    ja_freebsd_bridge_mac(network, mac);
    step = ja_plan_step(p->plan, "give it the MAC by which jails know their gateway");
    ja_step_run(p->plan, step, TOOL("ifconfig"), bridge, "ether", mac, NULL);
    step = ja_plan_step(p->plan, "say whose it is, and use it");
    ja_step_run(p->plan, step, TOOL("ifconfig"), bridge, "description", mark, NULL);
    if (network->mtu) {
        ja_step_run(p->plan, step, "mtu", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)network->mtu);
    }
    ja_step_run(p->plan, step, "up", NULL);
}

void ja_freebsd_address_words(struct ja_planning *p, struct ja_step *step, const char *interface, const char *text,
                              bool undo)
{
    bool v6 = strchr(text, ':') != NULL;
    void (*say)(struct ja_plan *, struct ja_step *, ...) = undo ? ja_step_undo : ja_step_run;
    if (v6)
        say(p->plan, step, TOOL("ifconfig"), interface, "inet6", text, "no_dad", "-ifdisabled", NULL);
    else
        say(p->plan, step, TOOL("ifconfig"), interface, "inet", text, "alias", NULL);
}

/* The address alone: with a length ifconfig would take the range's first one for it. */
void ja_freebsd_removal_words(struct ja_planning *p, struct ja_step *step, const char *interface, const char *text,
                              bool undo)
{
    struct ja_addr addr = {0};
    char plain[JA_ADDR_TEXT] = "";
    if (ja_addr_parse(text, &addr, NULL) == 0)
        ja_addr_format(&addr, false, plain);
    (undo ? ja_step_undo : ja_step_run)(p->plan, step, TOOL("ifconfig"), interface, addr.v6 ? "inet6" : "inet", plain,
                                        "-alias", NULL);
}

void ja_freebsd_address_add(struct ja_planning *p, const char *bridge, const char *text, bool undoable)
{
    struct ja_addr addr;
    char plain[JA_ADDR_TEXT];
    /* In a change it may be there with another length, and is taken away by then. */
    if (!undoable && address_is_there(p, text, bridge))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "give it the gateway's address");
    ja_freebsd_address_words(p, step, bridge, text, false);
    if (!undoable || ja_addr_parse(text, &addr, NULL) < 0)
        return;
    ja_addr_format(&addr, false, plain);
    ja_freebsd_removal_words(p, step, bridge, text, true);
    ja_step_guard(p->plan, step, JA_FACT_HOSTADDR, plain, bridge);
}

void ja_freebsd_address_remove(struct ja_planning *p, const char *bridge, const char *text)
{
    if (!address_is_there(p, text, bridge))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "take the gateway's old address away");
    ja_freebsd_removal_words(p, step, bridge, text, false);
    ja_freebsd_address_words(p, step, bridge, text, true);
}

/* The interface of a VLAN on a member; true when there is one to be put into the bridge. */
static void make_vlan(struct ja_planning *p, const struct ja_network *network, size_t number, const char *port,
                      const char *mark)
{
    const char *member = network->members.items[number];
    char made_as[32];
    /* There are twice as many units as networks; of more members, the unit is the kernel's to choose. */
    snprintf(made_as, sizeof made_as, "vlan");
    if (number < 2)
        snprintf(made_as, sizeof made_as, "vlan%lld",
                 (long long)(p->site->unit_base + network->slot + (number ? NETWORKS_MOST : 0)));
    ja_freebsd_module(p, "if_vlan", "load what VLANs need");
    if (is_ours(p, port, mark))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "make VLAN %lld of %s", (long long)network->vlan, member);
    ja_step_run(p->plan, step, TOOL("ifconfig"), made_as, "create", "vlan", NULL);
    ja_step_runf(p->plan, step, "%lld", (long long)network->vlan);
    ja_step_run(p->plan, step, "vlandev", member, "name", port, NULL);
    ja_freebsd_undo_link(p, step, made_as, port, mark);
    step = ja_plan_step(p->plan, "say whose it is, and use it");
    ja_step_run(p->plan, step, TOOL("ifconfig"), port, "description", mark, "up", NULL);
}

void ja_freebsd_member_add(struct ja_planning *p, const struct ja_network *network, size_t number, const char *bridge,
                           const char *mark)
{
    const char *member = network->members.items[number];
    char port[JA_FREEBSD_IFNAME], fact[40];
    member_port(p, network, number, port);
    if (ja_freebsd_is_member(p, bridge, port))
        return;
    if (!ja_fact(p->facts, JA_FACT_LINK, member)) {
        ja_plan_fail(p->plan, JA_E_NOTFOUND, "field members", "the host has no interface %s", member);
        return;
    }
    if (network->vlan)
        make_vlan(p, network, number, port, mark);
    if (network->mtu)
        ja_plan_note(p->plan, "network %s: its member %s must have the MTU %lld too, which is the bridge's then",
                     network->name, member, (long long)network->mtu);
    struct ja_step *step = ja_plan_step(p->plan, "put %s into the bridge %s", port, bridge);
    ja_step_run(p->plan, step, TOOL("ifconfig"), bridge, "addm", port, NULL);
    ja_step_undo(p->plan, step, TOOL("ifconfig"), bridge, "deletem", port, NULL);
    snprintf(fact, sizeof fact, "%s %s", bridge, port);
    ja_step_guard(p->plan, step, JA_FACT_MEMBER, fact, NULL);
    step = ja_plan_step(p->plan, "use %s", member);
    ja_step_run(p->plan, step, TOOL("ifconfig"), member, "up", NULL);
}

/* ---- host settings ---- */

/* `first`: this instance may not have registered it yet, also where the host has it already. */
static void acquire(struct ja_planning *p, const char *name, bool first)
{
    bool there = setting_is(p, name, "1");
    if (there && !first)
        return;
    struct ja_step *step = ja_plan_host_step(p, "setting", "let the host forward; counted, and put back by the last");
    ja_step_run(p->plan, step, "acquire", p->site->tag, name, "1", NULL);
    if (!there)
        ja_step_undo_host(p, step, "setting", "release", p->site->tag, name, NULL);
}

void ja_freebsd_forwarding(struct ja_planning *p, const struct ja_network *network, bool first)
{
    struct ja_addr unused;
    if (ja_network_gateway(network, false, &unused))
        acquire(p, FORWARD4, first);
    if (ja_network_gateway(network, true, &unused))
        acquire(p, FORWARD6, first);
}

/* ---- the host's interface ---- */

void ja_freebsd_network_up(struct ja_planning *p, const struct ja_network *network)
{
    char bridge[JA_FREEBSD_IFNAME], mark[128];
    size_t missing = p->facts->missing;
    /* Asked for at every start of a jail: what else must be known is asked for only when something is missing. */
    if (ja_freebsd_network_is_up(p, network) || p->facts->missing > missing)
        return;
    ja_site_bridge_name(p->site, network->slot, bridge);
    ja_site_mark(p->site, network->uuid, mark);
    ja_freebsd_module(p, "if_bridge", "load what bridges need");
    ja_freebsd_module(p, "if_epair", "load what pairs need");
    ja_network_refuse_conflicts(p, network, bridge, "ifconfig");
    bool first = !ja_fact(p->facts, JA_FACT_LINK, bridge);
    /* The rules come first: there is no moment at which the bridge is open. */
    ja_freebsd_rules_up(p, network, first);
    make_bridge(p, bridge, mark, network);
    for (size_t i = 0; i < network->addresses.count; i++)
        ja_freebsd_address_add(p, bridge, network->addresses.items[i], false);
    for (size_t i = 0; i < network->members.count; i++)
        ja_freebsd_member_add(p, network, i, bridge, mark);
    ja_freebsd_forwarding(p, network, first);
    ja_dns_up(p, network);
}

void ja_freebsd_network_down(struct ja_planning *p, const struct ja_network *network)
{
    char bridge[JA_FREEBSD_IFNAME], mark[128];
    ja_site_bridge_name(p->site, network->slot, bridge);
    ja_site_mark(p->site, network->uuid, mark);
    ja_dns_down(p, network);
    for (size_t i = 0; network->vlan && i < network->members.count; i++) {
        char port[JA_FREEBSD_IFNAME];
        member_port(p, network, i, port);
        ja_freebsd_remove_link(p, port, mark, "remove the network's VLAN");
    }
    if (is_ours(p, bridge, mark))
        ja_freebsd_remove_link(p, bridge, mark, "remove the network's bridge");
    ja_freebsd_rules_down(p, network);
}

void ja_freebsd_instance_down(struct ja_planning *p)
{
    static const char *const names[] = {FORWARD4, FORWARD6};
    ja_dns_remove_all(p);
    ja_freebsd_rules_remove_all(p);
    for (size_t i = 0; i < JA_COUNT(names); i++) {
        struct ja_step *step =
            ja_plan_host_step(p, "setting", "put the host's settings back if nobody else needs them");
        ja_step_run(p->plan, step, "release", p->site->tag, names[i], NULL);
    }
}
