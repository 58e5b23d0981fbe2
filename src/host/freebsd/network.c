/*
 * network.c: a network on FreeBSD: its bridge with gateway addresses and members; the pairs that connect jails to it.
 *
 * ifconfig takes a new name together with `create` alone, and one address family a call; a rename of what exists already
 * is never needed here. The jail's end keeps the kernel's name, with a unit of ours: it falls back to the host when
 * the jail goes, and two of the same name could not be told apart there.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

#define FORWARD4 "net.inet.ip.forwarding"
#define FORWARD6 "net.inet6.ip6.forwarding"

void ja_freebsd_nic_fill(const struct ja_planning *p, const struct ja_subject *s, size_t number,
                         struct ja_freebsd_nic *nic)
{
    *nic =
        (struct ja_freebsd_nic){.nic = s->jail->nics.items[number], .network = s->networks[number], .number = number};
    ja_site_nic_name(p->site, s->jail->slot, number, nic->link);
    ja_site_bridge_name(p->site, nic->network->slot, nic->bridge);
    snprintf(nic->inner, sizeof nic->inner, "epair%lldb", (long long)nic->nic->unit);
    if (nic->nic->mac)
        snprintf(nic->mac, sizeof nic->mac, "%s", nic->nic->mac);
    else
        ja_mac_from(s->jail->uuid, nic->nic->label, nic->mac);
}

void ja_freebsd_module(struct ja_planning *p, const char *module, const char *why)
{
    if (ja_fact(p->facts, JA_FACT_MODULE, module))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("kldload"), "-n", module, NULL);
}

/* ---- is it there? ---- */

static bool gateway(const struct ja_network *network, bool v6, struct ja_addr *ret_gateway)
{
    for (size_t i = 0; i < network->addresses.count; i++)
        if (ja_addr_parse(network->addresses.items[i], ret_gateway, NULL) == 0 && ret_gateway->v6 == v6)
            return true;
    return false;
}

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
    up = (!gateway(network, false, &unused) || setting_is(p, FORWARD4, "1")) && up;
    up = (!gateway(network, true, &unused) || setting_is(p, FORWARD6, "1")) && up;
    return ja_freebsd_rules_are_up(p, network) && up;
}

/* ---- making it ---- */

/* Without a guard: a creation that was cut off before the rename has left what it made under its first name, which has a unit of
 * ours. The verb looks whose it is; one without a description is ours too, since nobody else gives such names. */
static void undo_remove(struct ja_planning *p, struct ja_step *step, const char *made_as, const char *link,
                        const char *mark)
{
    ja_step_undo_host(p, step, "link-remove", "--made-as", made_as, link, mark, NULL);
}

/* Repeatable; with a pair both ends go, wherever the other one is. */
static void remove_link(struct ja_planning *p, const char *link, const char *mark, const char *why)
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
    char made_as[32];
    snprintf(made_as, sizeof made_as, "bridge%lld", (long long)(p->site->unit_base + network->slot));
    if (!is_ours(p, bridge, mark)) {
        step = ja_plan_step(p->plan, "make the bridge %s of network %s", bridge, network->name);
        ja_step_run(p->plan, step, TOOL("ifconfig"), made_as, "create", "name", bridge, NULL);
        undo_remove(p, step, made_as, bridge, mark);
    }
    step = ja_plan_step(p->plan, "say whose it is, and use it");
    ja_step_run(p->plan, step, TOOL("ifconfig"), bridge, "description", mark, NULL);
    if (network->mtu) {
        ja_step_run(p->plan, step, "mtu", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)network->mtu);
    }
    ja_step_run(p->plan, step, "up", NULL);
}

static void add_addresses(struct ja_planning *p, const char *bridge, const struct ja_network *network)
{
    for (size_t i = 0; i < network->addresses.count; i++) {
        const char *text = network->addresses.items[i];
        if (address_is_there(p, text, bridge))
            continue;
        struct ja_step *step = ja_plan_step(p->plan, "give it the gateway's address");
        if (strchr(text, ':'))
            ja_step_run(p->plan, step, TOOL("ifconfig"), bridge, "inet6", text, "no_dad", "-ifdisabled", NULL);
        else
            ja_step_run(p->plan, step, TOOL("ifconfig"), bridge, "inet", text, "alias", NULL);
    }
}

static void add_members(struct ja_planning *p, const char *bridge, const struct ja_network *network)
{
    if (network->vlan)
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field vlan", "VLANs of networks are not built for FreeBSD yet");
    for (size_t i = 0; i < network->members.count; i++) {
        const char *member = network->members.items[i];
        if (!ja_fact(p->facts, JA_FACT_LINK, member)) {
            ja_plan_fail(p->plan, JA_E_NOTFOUND, "field members", "the host has no interface %s", member);
            return;
        }
        struct ja_step *step = ja_plan_step(p->plan, "put %s into the bridge %s", member, bridge);
        ja_step_run(p->plan, step, TOOL("ifconfig"), bridge, "addm", member, NULL);
    }
}

static void acquire(struct ja_planning *p, const char *name)
{
    bool there = setting_is(p, name, "1");
    struct ja_step *step = ja_plan_host_step(p, "setting", "let the host forward; counted, and put back by the last");
    ja_step_run(p->plan, step, "acquire", p->site->tag, name, "1", NULL);
    if (!there)
        ja_step_undo_host(p, step, "setting", "release", p->site->tag, name, NULL);
}

void ja_freebsd_network_up(struct ja_planning *p, const struct ja_network *network)
{
    char bridge[JA_FREEBSD_IFNAME], mark[128];
    struct ja_addr unused;
    ja_site_bridge_name(p->site, network->slot, bridge);
    ja_site_mark(p->site, network->uuid, mark);
    ja_freebsd_module(p, "if_bridge", "load what bridges need");
    ja_freebsd_module(p, "if_epair", "load what pairs need");
    bool made = ja_fact(p->facts, JA_FACT_LINK, bridge) != NULL;
    make_bridge(p, bridge, mark, network);
    add_addresses(p, bridge, network);
    if (!made)
        add_members(p, bridge, network);
    if (gateway(network, false, &unused))
        acquire(p, FORWARD4);
    if (gateway(network, true, &unused))
        acquire(p, FORWARD6);
    ja_freebsd_rules_up(p, network);
}

void ja_freebsd_network_down(struct ja_planning *p, const struct ja_network *network)
{
    char bridge[JA_FREEBSD_IFNAME], mark[128];
    ja_site_bridge_name(p->site, network->slot, bridge);
    ja_site_mark(p->site, network->uuid, mark);
    ja_freebsd_rules_down(p, network);
    if (is_ours(p, bridge, mark))
        remove_link(p, bridge, mark, "remove the network's bridge");
}

void ja_freebsd_instance_down(struct ja_planning *p)
{
    static const char *const names[] = {FORWARD4, FORWARD6};
    ja_freebsd_rules_remove_all(p);
    for (size_t i = 0; i < JA_COUNT(names); i++) {
        struct ja_step *step =
            ja_plan_host_step(p, "setting", "put the host's settings back if nobody else needs them");
        ja_step_run(p->plan, step, "release", p->site->tag, names[i], NULL);
    }
}

/* ---- nics ---- */

static void add_pair(struct ja_planning *p, const struct ja_subject *s, const struct ja_freebsd_nic *nic)
{
    char mark[128], made_as[JA_FREEBSD_IFNAME + 8];
    ja_site_mark(p->site, s->jail->uuid, mark);
    snprintf(made_as, sizeof made_as, "epair%llda", (long long)nic->nic->unit);
    if (ja_fact(p->facts, JA_FACT_LINK, nic->link) || ja_fact(p->facts, JA_FACT_LINK, nic->inner)) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "an interface %s or %s exists already", nic->link, nic->inner);
        ja_plan_hint(p->plan, "`ifconfig` shows whose it is; `jailadmin gc` removes what jailadmin left");
        return;
    }
    struct ja_step *step =
        ja_plan_step(p->plan, "make the pair %s and %s, one end in the bridge %s", nic->link, nic->inner, nic->bridge);
    ja_step_run(p->plan, step, TOOL("ifconfig"), NULL);
    ja_step_runf(p->plan, step, "epair%lld", (long long)nic->nic->unit);
    ja_step_run(p->plan, step, "create", "name", nic->link, NULL);
    undo_remove(p, step, made_as, nic->link, mark);
    step = ja_plan_step(p->plan, "say whose it is, and use it");
    ja_step_run(p->plan, step, TOOL("ifconfig"), nic->link, "description", mark, NULL);
    int64_t mtu = nic->nic->mtu ? nic->nic->mtu : nic->network->mtu;
    if (mtu) {
        ja_step_run(p->plan, step, "mtu", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)mtu);
    }
    ja_step_run(p->plan, step, "up", NULL);
    step = ja_plan_step(p->plan, "set the jail's MAC, before the interface moves");
    ja_step_run(p->plan, step, TOOL("ifconfig"), nic->inner, "ether", nic->mac, NULL);
    step = ja_plan_step(p->plan, "put the host's end into the bridge");
    ja_step_run(p->plan, step, TOOL("ifconfig"), nic->bridge, "addm", nic->link, NULL);
}

void ja_freebsd_nics_add(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        add_pair(p, s, &nic);
    }
}

/* A command in the jail's own vnet. */
static struct ja_step *inside(struct ja_planning *p, const char *name, const char *program, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("jexec"), name, program, NULL);
    return step;
}

static void add_inner_addresses(struct ja_planning *p, const char *name, const struct ja_freebsd_nic *nic)
{
    bool up = false;
    for (size_t i = 0; i < nic->nic->assigned.count; i++) {
        const char *text = nic->nic->assigned.items[i];
        struct ja_step *step = inside(p, name, "/sbin/ifconfig", "give its interfaces their addresses");
        if (strchr(text, ':'))
            ja_step_run(p->plan, step, nic->inner, "inet6", text, "no_dad", "-ifdisabled", "up", NULL);
        else
            ja_step_run(p->plan, step, nic->inner, "inet", text, "alias", "up", NULL);
        up = true;
    }
    if (!up) {
        struct ja_step *step = inside(p, name, "/sbin/ifconfig", "use its interfaces");
        ja_step_run(p->plan, step, nic->inner, "up", NULL);
    }
}

static void add_route(struct ja_planning *p, const char *name, bool v6, const char *destination, const char *via)
{
    struct ja_step *step = inside(p, name, "/sbin/route", "tell it the ways to elsewhere");
    ja_step_run(p->plan, step, "-n", "add", NULL);
    if (v6)
        ja_step_run(p->plan, step, "-inet6", NULL);
    ja_step_run(p->plan, step, destination, via, NULL);
}

/* The default route of a family: by the first nic that may have it and has a gateway and an address of the family. */
static void add_default(struct ja_planning *p, const struct ja_subject *s, const char *name, bool v6)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        struct ja_addr addr;
        char text[JA_ADDR_TEXT];
        bool has = false;
        ja_freebsd_nic_fill(p, s, i, &nic);
        for (size_t a = 0; a < nic.nic->assigned.count; a++)
            has = has || !strchr(nic.nic->assigned.items[a], ':') == !v6;
        if (!has || !nic.nic->gateway || !gateway(nic.network, v6, &addr))
            continue;
        ja_addr_format(&addr, false, text);
        add_route(p, name, v6, "default", text);
        return;
    }
}

void ja_freebsd_nics_configure(struct ja_planning *p, const struct ja_subject *s, const char *name)
{
    struct ja_step *step;
    /* jail -c has moved the first. */
    for (size_t i = 1; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        step = ja_plan_step(p->plan, "hand it its further interfaces");
        ja_step_run(p->plan, step, TOOL("ifconfig"), nic.inner, "vnet", name, NULL);
    }
    step = inside(p, name, "/sbin/ifconfig", "give its loopback interface an address");
    ja_step_run(p->plan, step, "lo0", "inet", "127.0.0.1/8", "up", NULL);
    if (ja_freebsd_vnet_denies(p)) {
        step = inside(p, name, "/sbin/ipfw", "let its packets pass: a new network stack denies all of them here");
        ja_step_run(p->plan, step, "-q", "add", "65000", "allow", "ip", "from", "any", "to", "any", NULL);
    }
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        add_inner_addresses(p, name, &nic);
    }
    bool own4 = false, own6 = false;
    for (size_t i = 0; i < s->jail->routes.count; i++) {
        const struct ja_route *route = s->jail->routes.items[i];
        bool v6 = strchr(route->via, ':') != NULL;
        bool is_default = strcmp(route->destination, v6 ? "default6" : "default") == 0;
        own4 = own4 || (is_default && !v6);
        own6 = own6 || (is_default && v6);
        add_route(p, name, v6, is_default ? "default" : route->destination, route->via);
    }
    if (!own4)
        add_default(p, s, name, false);
    if (!own6)
        add_default(p, s, name, true);
}

void ja_freebsd_nics_remove(struct ja_planning *p, const struct ja_subject *s)
{
    char mark[128];
    ja_site_mark(p->site, s->jail->uuid, mark);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        remove_link(p, nic.link, mark, "remove its interfaces");
    }
}

bool ja_freebsd_nics_left(struct ja_planning *p, const struct ja_subject *s)
{
    bool left = false;
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        left = ja_fact(p->facts, JA_FACT_LINK, nic.link) || left;
    }
    return left;
}
