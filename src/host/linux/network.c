/*
 * network.c: a network on Linux: its bridge with gateway addresses, physical members and VLANs, and the host
 * settings that it needs. All of it is emitted only where facts say that it is missing, so that the same plan
 * makes, completes and repairs.
 */
#include "host/linux/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

#define FORWARD4 "net.ipv4.ip_forward"
#define FORWARD6 "net.ipv6.conf.all.forwarding"

void ja_linux_bridge_mac(const struct ja_network *network, char mac[JA_MAC_TEXT])
{
    ja_mac_from(network->uuid, "bridge", mac);
}

/* "ja7fv3m0": the VLAN interface of a network on its k-th member. No nic or bridge has a "v" there. */
static void vlan_name(const struct ja_site *site, const struct ja_network *network, size_t member, char name[16])
{
    snprintf(name, 16, "ja%sv%lldm%zu", site->tag, (long long)network->slot, member);
}

/* Interfaces that jailadmin made, of any instance: "ja", two characters, and a digit, "br" or "v". */
static bool made_by_us(const char *name)
{
    if (strncmp(name, "ja", 2) != 0 || strlen(name) < 5)
        return false;
    const char *rest = name + 4;
    return (rest[0] >= '0' && rest[0] <= '9') || strncmp(rest, "br", 2) == 0 || rest[0] == 'v';
}

/* ---- is it there? ---- */

static bool forwards(const struct ja_network *network, bool v6)
{
    struct ja_addr gateway;
    return ja_network_gateway(network, v6, &gateway);
}

static bool setting_is(struct ja_planning *p, const char *name, const char *value)
{
    const char *now = ja_fact(p->facts, JA_FACT_SYSCTL, name);
    return now && strcmp(now, value) == 0;
}

static bool addresses_are_there(struct ja_planning *p, const struct ja_network *network, const char *bridge)
{
    bool all = true;
    for (int v6 = 0; v6 < 2; v6++) {
        struct ja_addr gateway;
        char text[JA_ADDR_TEXT];
        if (!ja_network_gateway(network, v6, &gateway))
            continue;
        ja_addr_format(&gateway, false, text);
        const char *interface = ja_fact(p->facts, JA_FACT_HOSTADDR, text);
        all = interface && strcmp(interface, bridge) == 0 && all;
    }
    return all;
}

static bool is_enslaved(struct ja_planning *p, const char *bridge, const char *port)
{
    return ja_factf(p->facts, JA_FACT_PATH, "/sys/class/net/%s/brif/%s", bridge, port) != NULL;
}

/* The port that stands for a member: itself, or its VLAN interface. */
static void member_port(struct ja_planning *p, const struct ja_network *network, size_t member, char port[16])
{
    if (network->vlan)
        vlan_name(p->site, network, member, port);
    else
        snprintf(port, 16, "%s", network->members.items[member]);
}

static bool members_are_there(struct ja_planning *p, const struct ja_network *network, const char *bridge)
{
    bool all = true;
    for (size_t i = 0; i < network->members.count; i++) {
        char port[16];
        member_port(p, network, i, port);
        all = is_enslaved(p, bridge, port) && all;
    }
    return all;
}

bool ja_linux_link_is_up(struct ja_planning *p, const char *link)
{
    const char *flags = ja_factf(p->facts, JA_FACT_FILE, "/sys/class/net/%s/flags", link);
    return flags && (strtoul(flags, NULL, 16) & 1); /* IFF_UP */
}

bool ja_linux_network_is_up(struct ja_planning *p, const struct ja_network *network)
{
    char bridge[16], mark[128];
    ja_site_bridge_name(p->site, network->slot, bridge);
    ja_site_mark(p->site, network->uuid, mark);
    const char *alias = ja_fact(p->facts, JA_FACT_LINK, bridge);
    bool up = alias && strcmp(alias, mark) == 0;
    /* All is asked for, also after something was found missing: the facts are then read in one go. */
    up = addresses_are_there(p, network, bridge) && up;
    up = ja_linux_link_is_up(p, bridge) && up;
    up = members_are_there(p, network, bridge) && up;
    up = (!forwards(network, false) || setting_is(p, FORWARD4, "1")) && up;
    up = (!forwards(network, true) || setting_is(p, FORWARD6, "1")) && up;
    up = ja_linux_rules_are_up(p, network) && up;
    return ja_dns_is_up(p, network) && up;
}

/* ---- conflicts ---- */

/* ---- making it ---- */

static void undo_link(struct ja_planning *p, struct ja_step *step, const char *link, const char *mark)
{
    /* The guard asks only whether it is there: a batch that was cut off may not have reached the alias. The
     * verb looks. */
    ja_step_undo_host(p, step, "link-remove", link, mark, NULL);
    ja_step_guard(p->plan, step, JA_FACT_LINK, link, NULL);
}

static void add_addresses(struct ja_planning *p, const struct ja_network *network, struct ja_step *step,
                          const char *bridge)
{
    for (size_t i = 0; i < network->addresses.count; i++) {
        struct ja_addr addr;
        char text[JA_ADDR_TEXT];
        if (ja_addr_parse(network->addresses.items[i], &addr, NULL) < 0)
            continue;
        ja_addr_format(&addr, false, text);
        const char *interface = ja_fact(p->facts, JA_FACT_HOSTADDR, text);
        if (!interface || strcmp(interface, bridge) != 0)
            ja_step_input(p->plan, step, "addr add %s dev %s%s\n", network->addresses.items[i], bridge,
                          addr.v6 ? " nodad" : "");
    }
}

static void make_bridge(struct ja_planning *p, const struct ja_network *network, const char *bridge, const char *mark)
{
    char mac[JA_MAC_TEXT];
    ja_linux_bridge_mac(network, mac);
    ja_network_refuse_conflicts(p, network, bridge, "ip address");
    struct ja_step *step = ja_plan_step(p->plan, "make the bridge %s of network %s", bridge, network->name);
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    ja_step_input(p->plan, step, "link add name %s address %s type bridge stp_state 0 forward_delay 0\n", bridge, mac);
    ja_step_input(p->plan, step, "link set dev %s alias \"%s\"", bridge, mark);
    if (network->mtu)
        ja_step_input(p->plan, step, " mtu %lld", (long long)network->mtu);
    ja_step_input(p->plan, step, " up\n");
    add_addresses(p, network, step, bridge);
    undo_link(p, step, bridge, mark);
}

/* What somebody took away from a bridge that is still there. */
static void complete_bridge(struct ja_planning *p, const struct ja_network *network, const char *bridge)
{
    bool addresses = addresses_are_there(p, network, bridge), up = ja_linux_link_is_up(p, bridge);
    if (addresses && up)
        return;
    if (!addresses)
        ja_network_refuse_conflicts(p, network, bridge, "ip address");
    struct ja_step *step = ja_plan_step(p->plan, "complete the bridge %s of network %s", bridge, network->name);
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    if (!up)
        ja_step_input(p->plan, step, "link set dev %s up\n", bridge);
    if (!addresses)
        add_addresses(p, network, step, bridge);
}

void ja_linux_add_member(struct ja_planning *p, const struct ja_network *network, size_t number, const char *bridge,
                         const char *mark)
{
    const char *member = network->members.items[number];
    char port[16];
    member_port(p, network, number, port);
    if (is_enslaved(p, bridge, port))
        return;
    if (!ja_fact(p->facts, JA_FACT_LINK, member)) {
        ja_plan_fail(p->plan, JA_E_NOTFOUND, "field members", "the host has no interface %s", member);
        return;
    }
    if (ja_factf(p->facts, JA_FACT_PATH, "/sys/class/net/%s/master", port)) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, "field members", "%s is part of another bridge or bond already", port);
        return;
    }
    struct ja_step *step = network->vlan ? ja_plan_step(p->plan, "put VLAN %lld of %s into the bridge %s",
                                                        (long long)network->vlan, member, bridge)
                                         : ja_plan_step(p->plan, "put %s into the bridge %s", member, bridge);
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    ja_step_input(p->plan, step, "link set dev %s up\n", member);
    if (!network->vlan) {
        ja_step_input(p->plan, step, "link set dev %s master %s\n", port, bridge);
        ja_step_undo(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
        ja_step_undo_input(p->plan, step, "link set dev %s nomaster\n", port);
        char path[64];
        snprintf(path, sizeof path, "/sys/class/net/%s/brif/%s", bridge, port);
        ja_step_guard(p->plan, step, JA_FACT_PATH, path, NULL);
        return;
    }
    if (!ja_fact(p->facts, JA_FACT_MODULE, "8021q")) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field vlan", "this kernel has no VLAN interfaces (module 8021q)");
        return;
    }
    const char *alias = ja_fact(p->facts, JA_FACT_LINK, port);
    if (!alias) {
        ja_step_input(p->plan, step, "link add link %s name %s type vlan id %lld\n", member, port,
                      (long long)network->vlan);
        undo_link(p, step, port, mark);
    } else if (strcmp(alias, mark) != 0) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, "field vlan", "an interface %s exists already and is not ours", port);
    }
    ja_step_input(p->plan, step, "link set dev %s alias \"%s\" master %s up\n", port, mark, bridge);
}

/* ---- host settings ---- */

/*
 * Registers a setting for this instance. With an undo only when the value is another one now: else the
 * instance has it already, through another network that still needs it.
 */
static void acquire(struct ja_planning *p, const char *name, const char *value, bool first, const char *why)
{
    bool there = setting_is(p, name, value);
    if (there && !first)
        return;
    struct ja_step *step = ja_plan_host_step(p, "setting", "%s", why);
    ja_step_run(p->plan, step, "acquire", p->site->tag, name, value, NULL);
    if (!there)
        ja_step_undo_host(p, step, "setting", "release", p->site->tag, name, NULL);
}

struct advertised {
    struct ja_planning *p;
    bool forwards; /* the host does already: then "2" is somebody's, and is counted for us too */
};

/* An interface that listens to router advertisements stops doing so once the host forwards, unless it is told
 * to go on. */
static void keep_advertisements(void *context, const char *interface)
{
    struct advertised *advertised = context;
    struct ja_planning *p = advertised->p;
    char name[96], why[128];
    if (made_by_us(interface) || strcmp(interface, "lo") == 0)
        return;
    snprintf(name, sizeof name, "net/ipv6/conf/%s/accept_ra", interface);
    if (!setting_is(p, name, advertised->forwards ? "2" : "1") ||
        ja_factf(p->facts, JA_FACT_PATH, "/sys/class/net/%s/brport", interface))
        return;
    snprintf(why, sizeof why, "let %s keep its router advertisements while the host forwards", interface);
    acquire(p, name, "2", true, why);
}

/* `first`: this instance may not have registered them yet, also where the host has them already. */
static void settings(struct ja_planning *p, const struct ja_network *network, bool first)
{
    if (forwards(network, false))
        acquire(p, FORWARD4, "1", first, "let the host forward IPv4");
    if (!forwards(network, true))
        return;
    struct advertised advertised = {p, setting_is(p, FORWARD6, "1")};
    if (!advertised.forwards || first)
        ja_each_line(ja_fact(p->facts, JA_FACT_DIRECTORY, "/sys/class/net"), keep_advertisements, &advertised);
    acquire(p, FORWARD6, "1", first, "let the host forward IPv6");
}

void ja_linux_network_settings(struct ja_planning *p, const struct ja_network *network)
{
    settings(p, network, true);
}

/* An uplink by name may well come later, such as a tunnel's; until then its jails do not reach the world. */
void ja_linux_check_uplink(struct ja_planning *p, const struct ja_network *network)
{
    const char *nat = network->nat ? network->nat : "auto";
    if (strcmp(nat, "auto") != 0 && strcmp(nat, "none") != 0 && !ja_fact(p->facts, JA_FACT_LINK, nat))
        ja_plan_note(p->plan, "the host has no interface %s now, by which network %s is to reach the world", nat,
                     network->name);
}

struct release {
    struct ja_planning *p;
    char mark[128];
};

static void release_setting(struct ja_planning *p, const char *name, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "setting", "%s", why);
    ja_step_run(p->plan, step, "release", p->site->tag, name, NULL);
}

static void release_advertisements(void *context, const char *interface)
{
    struct release *release = context;
    char name[96];
    snprintf(name, sizeof name, "net/ipv6/conf/%s/accept_ra", interface);
    if (!made_by_us(interface) && setting_is(release->p, name, "2"))
        release_setting(release->p, name, "put the host's settings back if nobody else needs them");
}

/* Bridges and VLAN interfaces of networks that nobody took down. */
static void remove_left_link(void *context, const char *interface)
{
    struct release *release = context;
    struct ja_planning *p = release->p;
    char bridge[16], vlan[16];
    snprintf(bridge, sizeof bridge, "ja%sbr", p->site->tag);
    snprintf(vlan, sizeof vlan, "ja%sv", p->site->tag);
    if (!ja_str_starts(interface, bridge) && !ja_str_starts(interface, vlan))
        return;
    struct ja_step *step = ja_plan_host_step(p, "link-remove", "remove %s", interface);
    ja_step_run(p->plan, step, interface, release->mark, NULL);
}

/* ---- the host's interface ---- */

struct loose {
    struct ja_planning *p;
    bool any, unbridged;
};

/* The host's end of a pair of a running jail: "ja7f3n0". */
static void look_at_pair(void *context, const char *interface)
{
    struct loose *loose = context;
    char prefix[8];
    snprintf(prefix, sizeof prefix, "ja%s", loose->p->site->tag);
    const char *rest = interface + strlen(prefix);
    if (!ja_str_starts(interface, prefix) || *rest < '0' || *rest > '9')
        return;
    loose->any = true;
    if (!ja_factf(loose->p->facts, JA_FACT_PATH, "/sys/class/net/%s/master", interface))
        loose->unbridged = true;
}

/* A start makes what it needs for its own jail. What others lost with it is for repair, which reads much more. */
static void note_damage(struct ja_planning *p)
{
    struct loose loose = {.p = p};
    if (!ja_str_equal(p->plan->verb, "up"))
        return;
    ja_each_line(ja_fact(p->facts, JA_FACT_DIRECTORY, "/sys/class/net"), look_at_pair, &loose);
    if (loose.any && (loose.unbridged || !ja_linux_tables_are_there(p)))
        ja_plan_note(p->plan,
                     "somebody has removed bridges or rules of running jails: `jailadmin repair` puts them back");
}

void ja_linux_check_nat_by(struct ja_planning *p, const struct ja_network *network)
{
    if (network->nat_by == JA_NAT_PF)
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field nat-by",
                     "Linux has no pf: addresses are translated by nftables");
}

void ja_linux_network_up(struct ja_planning *p, const struct ja_network *network)
{
    char bridge[16], mark[128];
    size_t missing = p->facts->missing;
    ja_linux_check_nat_by(p, network);
    /* Asked for at every start of a jail: what is up costs a handful of facts, and what else must be known is
     * asked for only when it is not. */
    if (ja_linux_network_is_up(p, network) || p->facts->missing > missing)
        return;
    ja_site_bridge_name(p->site, network->slot, bridge);
    ja_site_mark(p->site, network->uuid, mark);
    const char *alias = ja_fact(p->facts, JA_FACT_LINK, bridge);
    if (alias && strcmp(alias, mark) != 0) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "an interface %s exists already and is not ours", bridge);
        return;
    }
    note_damage(p);
    settings(p, network, !alias);
    if (!alias)
        ja_linux_check_uplink(p, network);
    /* The rules come first: there is no moment at which the bridge is open. */
    ja_linux_rules_up(p, network);
    if (alias)
        complete_bridge(p, network, bridge);
    else
        make_bridge(p, network, bridge, mark);
    for (size_t i = 0; i < network->members.count; i++)
        ja_linux_add_member(p, network, i, bridge, mark);
    ja_dns_up(p, network);
}

void ja_linux_network_down(struct ja_planning *p, const struct ja_network *network)
{
    char bridge[16], mark[128];
    ja_site_bridge_name(p->site, network->slot, bridge);
    ja_site_mark(p->site, network->uuid, mark);
    ja_dns_down(p, network);
    for (size_t i = 0; network->vlan && i < network->members.count; i++) {
        char port[16];
        vlan_name(p->site, network, i, port);
        struct ja_step *step = ja_plan_host_step(p, "link-remove", "remove %s", port);
        ja_step_run(p->plan, step, port, mark, NULL);
    }
    struct ja_step *step =
        ja_plan_host_step(p, "link-remove", "remove the bridge %s of network %s", bridge, network->name);
    ja_step_run(p->plan, step, bridge, mark, NULL);
    ja_linux_rules_down(p, network);
}

void ja_linux_instance_down(struct ja_planning *p)
{
    struct release release = {.p = p};
    ja_site_mark(p->site, "*", release.mark);
    const char *interfaces = ja_fact(p->facts, JA_FACT_DIRECTORY, "/sys/class/net");
    ja_dns_remove_all(p);
    ja_each_line(interfaces, remove_left_link, &release);
    ja_linux_rules_remove_all(p);
    release_setting(p, FORWARD4, "put the host's settings back if nobody else needs them");
    release_setting(p, FORWARD6, "put the host's settings back if nobody else needs them");
    ja_each_line(interfaces, release_advertisements, &release);
    ja_linux_cgroup_remove(p);
}

void ja_linux_jail_rules_add(struct ja_planning *p, const struct ja_subject *s)
{
    ja_linux_nic_rules_add(p, s);
    ja_dns_names_add(p, s);
}

void ja_linux_jail_rules_remove(struct ja_planning *p, const struct ja_subject *s)
{
    ja_dns_names_remove(p, s);
    ja_linux_nic_rules_remove(p, s);
}
