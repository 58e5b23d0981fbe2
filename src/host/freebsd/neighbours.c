/*
 * neighbours.c: permanent neighbour entries: where a jail's addresses are, in the host's table, and where its gateway is, in the
 * jail's. Both MACs are known beforehand. Nobody is asked, no jail can say that it is the other one, and what cannot be found is
 * not asked for again and again.
 *
 * Each entry is a command, since neither arp(8) nor ndp(8) takes several entries away in one call.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

static const char *program(bool v6)
{
    return v6 ? "ndp" : "arp";
}

/* ---- the host's ---- */

typedef void each_address(struct ja_planning *p, const struct ja_freebsd_nic *nic, const char *address, bool v6);

/* Those that lie in a range of the bridge: only they can have an entry there. */
static void for_each_address(struct ja_planning *p, const struct ja_subject *s, each_address *each)
{
    for (size_t i = 0; s->jail->vnet == JA_VNET_YES && i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        for (size_t a = 0; !nic.nic->span && a < nic.nic->assigned.count; a++) {
            struct ja_addr addr, gateway;
            char text[JA_ADDR_TEXT];
            if (ja_addr_parse(nic.nic->assigned.items[a], &addr, NULL) < 0 ||
                !ja_network_gateway(nic.network, addr.v6, &gateway) || !ja_addr_in(&gateway, &addr))
                continue;
            ja_addr_format(&addr, false, text);
            each(p, &nic, text, addr.v6);
        }
    }
}

static const char *entry_of(struct ja_planning *p, const struct ja_freebsd_nic *nic, const char *address)
{
    return ja_factf(p->facts, JA_FACT_NEIGHBOUR, "%s %s", address, nic->bridge);
}

static void add(struct ja_planning *p, const struct ja_freebsd_nic *nic, const char *address, bool v6)
{
    char fact[JA_ADDR_TEXT + JA_FREEBSD_IFNAME + 1];
    struct ja_step *step = ja_plan_step(p->plan, "tell the host where its addresses are");
    ja_step_run(p->plan, step, TOOL(program(v6)), "-s", address, nic->mac, NULL);
    ja_step_undo(p->plan, step, TOOL(program(v6)), "-d", address, NULL);
    snprintf(fact, sizeof fact, "%s %s", address, nic->bridge);
    ja_step_guard(p->plan, step, JA_FACT_NEIGHBOUR, fact, nic->mac);
}

static void add_missing(struct ja_planning *p, const struct ja_freebsd_nic *nic, const char *address, bool v6)
{
    if (!ja_str_equal(entry_of(p, nic, address), nic->mac))
        add(p, nic, address, v6);
}

/* One with another MAC is somebody else's by now. That of a jail which builds a template is made by this very plan. */
static void take_away(struct ja_planning *p, const struct ja_freebsd_nic *nic, const char *address, bool v6)
{
    if (!p->build && !ja_str_equal(entry_of(p, nic, address), nic->mac))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "let the host forget where its addresses were");
    ja_step_run(p->plan, step, TOOL(program(v6)), "-d", address, NULL);
    step->flags |= JA_STEP_IGNORE;
}

void ja_freebsd_neighbours_add(struct ja_planning *p, const struct ja_subject *s)
{
    for_each_address(p, s, add);
}

void ja_freebsd_neighbours_repair(struct ja_planning *p, const struct ja_subject *s)
{
    for_each_address(p, s, add_missing);
}

void ja_freebsd_neighbours_remove(struct ja_planning *p, const struct ja_subject *s)
{
    for_each_address(p, s, take_away);
}

/* ---- the jail's ---- */

void ja_freebsd_bridge_mac(const struct ja_network *network, char mac[JA_MAC_TEXT])
{
    ja_mac_from(network->uuid, "bridge", mac);
}

/* The bridge has another one where the host lets bridges take over those of their members, or where somebody has changed it. */
static bool gateway_mac(struct ja_planning *p, const struct ja_freebsd_nic *nic, const char *address,
                        char mac[JA_MAC_TEXT])
{
    const char *now = entry_of(p, nic, address);
    const char *inherits = ja_fact(p->facts, JA_FACT_SYSCTL, "net.link.bridge.inherit_mac");
    ja_freebsd_bridge_mac(nic->network, mac);
    return !ja_str_equal(inherits, "1") && (!now || strcmp(now, mac) == 0);
}

void ja_freebsd_neighbours_inside(struct ja_planning *p, const char *name, const struct ja_freebsd_nic *nic)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct ja_addr gateway, addr;
        char text[JA_ADDR_TEXT], mac[JA_MAC_TEXT];
        bool reached = false;
        if (nic->nic->span || !ja_network_gateway(nic->network, v6 == 1, &gateway))
            continue;
        /* What it asks for itself it does not have yet. */
        for (size_t a = 0; a < nic->nic->assigned.count; a++)
            reached = reached || (!ja_nic_is_dynamic(nic->nic, a) &&
                                  ja_addr_parse(nic->nic->assigned.items[a], &addr, NULL) == 0 &&
                                  addr.v6 == (v6 == 1) && ja_addr_in(&addr, &gateway));
        ja_addr_format(&gateway, false, text);
        if (!reached || !gateway_mac(p, nic, text, mac))
            continue;
        struct ja_step *step = ja_plan_step(p->plan, "tell it where its gateway is");
        ja_step_run(p->plan, step, TOOL("jexec"), name, v6 ? "/usr/sbin/ndp" : "/usr/sbin/arp", "-s", text, mac, NULL);
        step->flags |= JA_STEP_IGNORE; /* it can ask for it, too */
    }
}
