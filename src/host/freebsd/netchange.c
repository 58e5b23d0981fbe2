/*
 * netchange.c: a network that is up as it is wanted from now on, while its jails run: addresses and members of the bridge,
 * rules, isolation, resolver. What is new comes before the commit, undoably; what is not needed any more goes after it.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

static void change_addresses(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                             const char *bridge)
{
    if (ja_strv_equal(&from->addresses, &to->addresses))
        return;
    ja_network_refuse_conflicts(p, to, bridge, "ifconfig");
    /* Undone in the opposite order: an address with another prefix length must be gone first. */
    for (size_t i = 0; i < from->addresses.count; i++)
        if (!ja_strv_has(&to->addresses, from->addresses.items[i]))
            ja_freebsd_address_remove(p, bridge, from->addresses.items[i]);
    for (size_t i = 0; i < to->addresses.count; i++)
        if (!ja_strv_has(&from->addresses, to->addresses.items[i]))
            ja_freebsd_address_add(p, bridge, to->addresses.items[i], true);
    ja_freebsd_forwarding(p, to, true);
}

static void release_members(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                            const char *bridge, const char *mark)
{
    for (size_t i = 0; i < from->members.count; i++) {
        const char *member = from->members.items[i];
        if (ja_strv_has(&to->members, member) || !ja_freebsd_is_member(p, bridge, member))
            continue;
        struct ja_step *step = ja_plan_step(p->plan, "take %s out of the bridge", member);
        ja_step_run(p->plan, step, TOOL("ifconfig"), bridge, "deletem", member, NULL);
        ja_step_undo(p->plan, step, TOOL("ifconfig"), bridge, "addm", member, NULL);
        ja_step_guard(p->plan, step, JA_FACT_LINK, bridge, mark);
    }
}

bool ja_freebsd_network_needs_stop(const struct ja_network *from, const struct ja_network *to)
{
    bool tagged = from->vlan || to->vlan;
    /* Before 14 a bridge takes no MTU that is not that of all of its members, and none of these another. */
    return from->mtu != to->mtu || from->vlan != to->vlan || (tagged && !ja_strv_equal(&from->members, &to->members));
}

void ja_freebsd_network_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                               const struct ja_subject *from_jails, const struct ja_subject *to_jails, size_t count)
{
    char bridge[JA_FREEBSD_IFNAME], mark[128];
    ja_site_bridge_name(p->site, to->slot, bridge);
    ja_site_mark(p->site, to->uuid, mark);
    ja_freebsd_rules_change(p, from, to);
    change_addresses(p, from, to, bridge);
    release_members(p, from, to, bridge, mark);
    for (size_t i = 0; i < to->members.count; i++)
        if (!ja_strv_has(&from->members, to->members.items[i]))
            ja_freebsd_member_add(p, to, i, bridge, mark);
    bool translates_alike = ja_str_equal(from->nat, to->nat) && from->nat_by == to->nat_by;
    for (size_t i = 0; !translates_alike && i < count; i++)
        ja_freebsd_forwards_change(p, &from_jails[i], &to_jails[i]);
    /* They went with the old address. */
    for (size_t i = 0; !ja_strv_equal(&from->addresses, &to->addresses) && i < count; i++)
        ja_freebsd_neighbours_add(p, &to_jails[i]);
    for (size_t i = 0; from->isolate != to->isolate && i < count; i++)
        ja_freebsd_nics_isolate(p, &to_jails[i], to);
    ja_dns_change(p, from, to, to_jails, count);
    if (count && (from->dns != to->dns || !ja_str_equal(from->domain, to->domain)))
        ja_plan_note(p->plan, "running jails keep their resolv.conf and hosts file until they are restarted");
}

void ja_freebsd_network_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    if (ja_freebsd_network_needs_stop(from, to)) {
        ja_freebsd_network_down(p, from); /* made anew by whoever needs it next */
    } else {
        ja_freebsd_rules_changed(p, from, to);
        ja_dns_changed(p, from, to);
    }
}
