/*
 * netchange.c: a network that is up as it is wanted from now on, while its jails run: addresses, MTU and members of the
 * bridge, rules, resolver. What cannot change under running jails has been refused before.
 */
#include "host/linux/network.h"
#include "net/addr.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* What a bridge has when nobody asks for more: Ethernet's. */
#define MTU_DEFAULT 1500

static struct ja_step *batch(struct ja_planning *p, const char *why, const char *name)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s %s", why, name);
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    ja_step_undo(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    return step;
}

static void guard_bridge(struct ja_planning *p, struct ja_step *step, const char *bridge, const char *mark)
{
    ja_step_guard(p->plan, step, JA_FACT_LINK, bridge, mark);
}

/* A step for each: a batch that was cut off could not be undone as a whole. */
static void change_addresses(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                             const char *bridge, const char *mark)
{
    if (ja_strv_equal(&from->addresses, &to->addresses))
        return;
    ja_network_refuse_conflicts(p, to, bridge, "ip address");
    /* Undone in the opposite order: an address with another prefix length must be gone first. */
    for (size_t i = 0; i < from->addresses.count; i++) {
        const char *address = from->addresses.items[i];
        if (ja_strv_has(&to->addresses, address))
            continue;
        struct ja_step *step = batch(p, "take the old gateway's address from network", to->name);
        guard_bridge(p, step, bridge, mark);
        ja_step_input(p->plan, step, "addr del %s dev %s\n", address, bridge);
        ja_step_undo_input(p->plan, step, "addr replace %s dev %s%s\n", address, bridge,
                           strchr(address, ':') ? " nodad" : "");
    }
    for (size_t i = 0; i < to->addresses.count; i++) {
        const char *address = to->addresses.items[i];
        struct ja_addr addr;
        char plain[JA_ADDR_TEXT];
        if (ja_strv_has(&from->addresses, address) || ja_addr_parse(address, &addr, NULL) < 0)
            continue;
        ja_addr_format(&addr, false, plain);
        struct ja_step *step = batch(p, "give the new gateway's address to network", to->name);
        ja_step_guard(p->plan, step, JA_FACT_HOSTADDR, plain, bridge);
        ja_step_input(p->plan, step, "addr add %s dev %s%s\n", address, bridge, strchr(address, ':') ? " nodad" : "");
        ja_step_undo_input(p->plan, step, "addr del %s dev %s\n", address, bridge);
    }
}

static void change_mtu(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                       const char *bridge, const char *mark)
{
    if (from->mtu == to->mtu)
        return;
    struct ja_step *step = batch(p, "change the MTU of the bridge of network", to->name);
    guard_bridge(p, step, bridge, mark);
    ja_step_input(p->plan, step, "link set dev %s mtu %lld\n", bridge, (long long)(to->mtu ? to->mtu : MTU_DEFAULT));
    ja_step_undo_input(p->plan, step, "link set dev %s mtu %lld\n", bridge,
                       (long long)(from->mtu ? from->mtu : MTU_DEFAULT));
}

static void release_members(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                            const char *bridge)
{
    for (size_t i = 0; i < from->members.count; i++) {
        const char *member = from->members.items[i];
        char path[64];
        snprintf(path, sizeof path, "/sys/class/net/%s/brif/%s", bridge, member);
        if (ja_strv_has(&to->members, member) || !ja_fact(p->facts, JA_FACT_PATH, path))
            continue;
        struct ja_step *step = batch(p, "take out of the bridge", member);
        ja_step_input(p->plan, step, "link set dev %s nomaster\n", member);
        ja_step_undo_input(p->plan, step, "link set dev %s master %s\n", member, bridge);
        ja_step_guard(p->plan, step, JA_FACT_LINK, member, NULL);
    }
}

bool ja_linux_network_needs_stop(const struct ja_network *from, const struct ja_network *to)
{
    bool tagged = from->vlan || to->vlan;
    return from->vlan != to->vlan || (tagged && !ja_strv_equal(&from->members, &to->members));
}

void ja_linux_network_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                             const struct ja_subject *from_jails, const struct ja_subject *to_jails, size_t count)
{
    char bridge[16], mark[128];
    ja_site_bridge_name(p->site, to->slot, bridge);
    ja_site_mark(p->site, to->uuid, mark);
    ja_linux_check_nat_by(p, to);
    if (!ja_strv_equal(&from->addresses, &to->addresses))
        ja_linux_network_settings(p, to);
    if (!ja_str_equal(from->nat, to->nat))
        ja_linux_check_uplink(p, to);
    change_addresses(p, from, to, bridge, mark);
    change_mtu(p, from, to, bridge, mark);
    release_members(p, from, to, bridge);
    for (size_t i = 0; i < to->members.count; i++)
        if (!ja_strv_has(&from->members, to->members.items[i]))
            ja_linux_add_member(p, to, i, bridge, mark);
    ja_linux_rules_change(p, from, to, from_jails, to_jails, from->isolate != to->isolate ? count : 0);
    ja_dns_change(p, from, to, to_jails, count);
    if (count && from->mtu != to->mtu)
        ja_plan_note(p->plan, "running jails keep their MTU until they are restarted");
    if (count && (from->dns != to->dns || !ja_str_equal(from->domain, to->domain)))
        ja_plan_note(p->plan, "running jails keep their resolv.conf and hosts file until they are restarted");
}

void ja_linux_network_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    if (ja_linux_network_needs_stop(from, to))
        ja_linux_network_down(p, from); /* made anew by whoever needs it next */
    else
        ja_dns_changed(p, from, to);
}
