/*
 * nics.c: the interfaces of a jail: veth pairs from the bridges into its network namespace, what is configured within, the
 * host's permanent neighbour entries; and putting back of all that what somebody took away while the jail runs.
 */
#include "host/linux/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* Port numbers of a Linux bridge are 1 to 1023 (BR_MAX_PORTS in net/bridge/br_private.h; 0 is reserved). */
enum { BRIDGE_PORTS = 1023 };

void ja_linux_nic_fill(const struct ja_planning *p, const struct ja_subject *s, size_t number, struct ja_linux_nic *nic)
{
    *nic = (struct ja_linux_nic){.nic = s->jail->nics.items[number], .network = s->networks[number], .number = number};
    ja_site_nic_name(p->site, s->jail->slot, number, nic->link);
    ja_site_bridge_name(p->site, nic->network->slot, nic->bridge);
    ja_nic_mac(s->jail, nic->nic, nic->mac);
}

/* ---- pairs ---- */

static void check_ports(struct ja_planning *p, const struct ja_linux_nic *nic)
{
    const char *ports = ja_fact(p->facts, JA_FACT_PORTS, nic->bridge);
    if (!ports || atoi(ports) < BRIDGE_PORTS)
        return;
    ja_plan_fail(p->plan, JA_E_LIMIT, NULL, "the bridge of network %s has no port left: Linux allows %d",
                 nic->network->name, BRIDGE_PORTS);
    ja_plan_hint(p->plan, "make another network and put further jails there");
}

/* Lines that make one pair, its inner end in the network namespace at `netns`. */
static void pair_lines(struct ja_planning *p, struct ja_step *step, const struct ja_linux_nic *nic, const char *mark,
                       const char *netns)
{
    int64_t mtu = nic->nic->mtu ? nic->nic->mtu : nic->network->mtu;
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    /* As many queues as veth uses: of those that it does not the kernel waits for each to be out of use. */
    ja_step_input(p->plan, step,
                  "link add %s numtxqueues 1 numrxqueues 1 type veth peer name %s numtxqueues 1 numrxqueues 1",
                  nic->link, nic->nic->label);
    ja_step_input(p->plan, step, " address %s netns %s\n", nic->mac, netns);
    ja_step_input(p->plan, step, "link set dev %s alias \"%s\"", nic->link, mark);
    if (mtu)
        ja_step_input(p->plan, step, " mtu %lld", (long long)mtu);
    /* A port of a bridge needs no address. */
    ja_step_input(p->plan, step, " addrgenmode none master %s up\n", nic->bridge);
}

static void make_pairs(struct ja_planning *p, const struct ja_subject *s, const char *netns)
{
    char mark[128];
    ja_site_mark(p->site, s->jail->uuid, mark);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(p, s, i, &nic);
        /* Our own pair is that of a run that ended by itself: the kernel is about to take it away, and the plan begins by doing so. */
        const char *there = ja_fact(p->facts, JA_FACT_LINK, nic.link);
        if (there && strcmp(there, mark) != 0)
            ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "an interface %s exists already", nic.link);
        check_ports(p, &nic);
        struct ja_step *step = ja_plan_step(p->plan, "make the pair %s and %s, one end in the bridge %s", nic.link,
                                            nic.nic->label, nic.bridge);
        pair_lines(p, step, &nic, mark, netns);
        /* The host's end takes the other one along. */
        ja_step_undo_host(p, step, "link-remove", nic.link, mark, NULL);
        ja_step_guard(p->plan, step, JA_FACT_LINK, nic.link, NULL);
    }
}

/* ---- neighbours: no ARP, and no table that overflows with many jails ---- */

typedef void each_address(struct ja_planning *p, const struct ja_linux_nic *nic, const char *address, void *context);

static void for_each_address(struct ja_planning *p, const struct ja_subject *s, each_address *each, void *context)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(p, s, i, &nic);
        for (size_t a = 0; a < nic.nic->assigned.count; a++) {
            struct ja_addr addr;
            char text[JA_ADDR_TEXT];
            if (ja_addr_parse(nic.nic->assigned.items[a], &addr, NULL) < 0)
                continue;
            ja_addr_format(&addr, false, text);
            each(p, &nic, text, context);
        }
    }
}

static void add_neighbour(struct ja_planning *p, const struct ja_linux_nic *nic, const char *address, void *context)
{
    struct ja_step *step = context;
    ja_step_input(p->plan, step, "neigh replace %s lladdr %s dev %s nud permanent\n", address, nic->mac, nic->bridge);
    ja_step_undo_input(p->plan, step, "neigh flush to %s dev %s nud permanent\n", address, nic->bridge);
}

static void remove_neighbour(struct ja_planning *p, const struct ja_linux_nic *nic, const char *address, void *context)
{
    /* After somebody's removal of the bridge its neighbours are gone too. */
    if (ja_fact(p->facts, JA_FACT_LINK, nic->bridge))
        ja_step_input(p->plan, context, "neigh flush to %s dev %s nud permanent\n", address, nic->bridge);
}

static void note_address(JA_UNUSED struct ja_planning *p, JA_UNUSED const struct ja_linux_nic *nic,
                         JA_UNUSED const char *address, void *context)
{
    *(bool *)context = true;
}

static bool has_addresses(struct ja_planning *p, const struct ja_subject *s)
{
    bool any = false;
    for_each_address(p, s, note_address, &any);
    return any;
}

static void add_neighbours(struct ja_planning *p, const struct ja_subject *s)
{
    if (!has_addresses(p, s))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "tell the host where its addresses are");
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    ja_step_undo(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    for_each_address(p, s, add_neighbour, step);
}

/* ---- within ---- */

/* The default routes that are taken already, by family. */
struct defaults {
    bool done[2];
};

/* The gateway of one family: its neighbour entry, and the default route if it is the jail's first. */
static void gateway_lines(struct ja_planning *p, struct ja_step *step, const struct ja_linux_nic *nic, bool v6,
                          struct defaults *defaults)
{
    struct ja_addr gateway;
    char text[JA_ADDR_TEXT], mac[JA_MAC_TEXT];
    bool have = false, configured = false;
    if (!ja_network_gateway(nic->network, v6, &gateway))
        return;
    for (size_t a = 0; a < nic->nic->assigned.count; a++) {
        struct ja_addr addr;
        bool is = ja_addr_parse(nic->nic->assigned.items[a], &addr, NULL) == 0 && addr.v6 == v6;
        have = have || is;
        configured = configured || (is && !ja_nic_is_dynamic(nic->nic, a));
    }
    if (!have)
        return;
    ja_addr_format(&gateway, false, text);
    ja_linux_bridge_mac(nic->network, mac);
    ja_step_input(p->plan, step, "neigh replace %s lladdr %s dev %s nud permanent\n", text, mac, nic->nic->label);
    if (!nic->nic->gateway || defaults->done[v6])
        return;
    /* A jail that asks for its address learns its route with it. */
    if (configured)
        ja_step_input(p->plan, step, "route add default via %s dev %s\n", text, nic->nic->label);
    defaults->done[v6] = true;
}

static void nic_lines(struct ja_planning *p, struct ja_step *step, const struct ja_linux_nic *nic,
                      struct defaults *defaults)
{
    for (size_t a = 0; a < nic->nic->assigned.count; a++) {
        const char *address = nic->nic->assigned.items[a];
        if (!ja_nic_is_dynamic(nic->nic, a))
            ja_step_input(p->plan, step, "addr add %s dev %s%s\n", address, nic->nic->label,
                          strchr(address, ':') ? " nodad" : "");
    }
    int64_t mtu = nic->nic->mtu ? nic->nic->mtu : nic->network->mtu;
    ja_step_input(p->plan, step, "link set dev %s ", nic->nic->label);
    if (mtu)
        ja_step_input(p->plan, step, "mtu %lld ", (long long)mtu);
    ja_step_input(p->plan, step, "up\n");
    gateway_lines(p, step, nic, false, defaults);
    gateway_lines(p, step, nic, true, defaults);
}

/* Routers' advertisements are ignored unless a nic is to get its address from them: what a jail was given counts. */
static void listen_to_routers(struct ja_planning *p, const struct ja_subject *s, const char *netns)
{
    struct ja_step *step = NULL;
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        const struct ja_nic *nic = s->jail->nics.items[i];
        if (!ja_strv_has(&nic->addresses, "slaac"))
            continue;
        if (!step) {
            step = ja_plan_host_step(p, "ns-setting", "let it listen to the routers that give it addresses");
            ja_step_run(p->plan, step, netns, NULL);
        }
        ja_step_runf(p->plan, step, "net/ipv6/conf/%s/accept_ra=1", nic->label);
    }
}

static void find_defaults(const struct ja_subject *s, struct defaults *defaults)
{
    for (size_t r = 0; r < s->jail->routes.count; r++) {
        const struct ja_route *route = s->jail->routes.items[r];
        defaults->done[0] = defaults->done[0] || strcmp(route->destination, "default") == 0;
        defaults->done[1] = defaults->done[1] || strcmp(route->destination, "default6") == 0;
    }
}

static struct ja_step *inside_step(struct ja_planning *p, const char *netns, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("nsenter"), NULL);
    ja_step_runf(p->plan, step, "--net=%s", netns);
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    return step;
}

/* One batch inside the jail's network namespace: addresses, links, routes. */
static void configure_inside(struct ja_planning *p, const struct ja_subject *s, const char *netns)
{
    struct defaults defaults = {0};
    find_defaults(s, &defaults);
    struct ja_step *step = inside_step(p, netns, "configure its interfaces and routes from within");
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(p, s, i, &nic);
        nic_lines(p, step, &nic, &defaults);
    }
    for (size_t r = 0; r < s->jail->routes.count; r++) {
        const struct ja_route *route = s->jail->routes.items[r];
        const char *to = strcmp(route->destination, "default6") == 0 ? "default" : route->destination;
        ja_step_input(p->plan, step, "route add %s via %s\n", to, route->via);
    }
    if (!step->run.input)
        ja_step_input(p->plan, step, "link set dev lo up\n");
}

void ja_linux_nics_add(struct ja_planning *p, const struct ja_subject *s, const char *netns)
{
    make_pairs(p, s, netns);
    add_neighbours(p, s);
    listen_to_routers(p, s, netns);
    configure_inside(p, s, netns);
}

void ja_linux_nics_forget(struct ja_planning *p, const struct ja_subject *s)
{
    if (!has_addresses(p, s))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "forget where its addresses were");
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    for_each_address(p, s, remove_neighbour, step);
    if (!step->run.input)
        ja_step_input(p->plan, step, "\n");
}

void ja_linux_nics_remove(struct ja_planning *p, const struct ja_subject *s)
{
    char mark[128];
    ja_site_mark(p->site, s->jail->uuid, mark);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(p, s, i, &nic);
        struct ja_step *step = ja_plan_host_step(p, "link-remove", "remove the pair %s", nic.link);
        ja_step_run(p->plan, step, nic.link, mark, NULL);
    }
}

/* ---- jails with the host's network ---- */

/* vnet=shared: its addresses are further ones of the host, on its networks' bridges. */
void ja_linux_addresses_share(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(p, s, i, &nic);
        for (size_t a = 0; a < nic.nic->assigned.count; a++) {
            struct ja_addr addr;
            char text[JA_ADDR_TEXT];
            if (ja_addr_parse(nic.nic->assigned.items[a], &addr, NULL) < 0)
                continue;
            ja_addr_format(&addr, false, text);
            const char *holder = ja_fact(p->facts, JA_FACT_HOSTADDR, text);
            if (holder) {
                ja_plan_fail(p->plan, JA_E_CONFLICT, "field nics.address", "the host has %s already, on %s", text,
                             holder);
                continue;
            }
            struct ja_step *step = ja_plan_step(p->plan, "give its address to the host, which it shares");
            ja_step_run(p->plan, step, TOOL("ip"), "address", "add", NULL);
            ja_step_runf(p->plan, step, "%s/%d", text, addr.v6 ? 128 : 32);
            ja_step_run(p->plan, step, "dev", nic.bridge, addr.v6 ? "nodad" : NULL, NULL);
            ja_step_undo(p->plan, step, TOOL("ip"), "address", "flush", "dev", nic.bridge, "to", NULL);
            ja_step_undof(p->plan, step, "%s/%d", text, addr.v6 ? 128 : 32);
            ja_step_guard(p->plan, step, JA_FACT_HOSTADDR, text, nic.bridge);
        }
    }
}

void ja_linux_addresses_unshare(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(p, s, i, &nic);
        for (size_t a = 0; a < nic.nic->assigned.count; a++) {
            struct ja_addr addr;
            char text[JA_ADDR_TEXT];
            if (ja_addr_parse(nic.nic->assigned.items[a], &addr, NULL) < 0)
                continue;
            ja_addr_format(&addr, false, text);
            if (!ja_str_equal(ja_fact(p->facts, JA_FACT_HOSTADDR, text), nic.bridge))
                continue;
            struct ja_step *step = ja_plan_step(p->plan, "take its address from the host");
            ja_step_run(p->plan, step, TOOL("ip"), "address", "flush", "dev", nic.bridge, "to", NULL);
            ja_step_runf(p->plan, step, "%s/%d", text, addr.v6 ? 128 : 32);
        }
    }
}

/* ---- repair ---- */

/* A pair that is gone is made anew; the jail's own configuration of it is what it was given at its start. */
static void remake_pair(struct ja_planning *p, const struct ja_subject *s, const struct ja_linux_nic *nic,
                        const char *netns)
{
    struct defaults defaults = {0};
    char mark[128];
    ja_site_mark(p->site, s->jail->uuid, mark);
    find_defaults(s, &defaults);
    for (size_t i = 0; i < nic->number; i++)
        for (int v6 = 0; v6 < 2; v6++) {
            struct ja_addr gateway;
            const struct ja_nic *earlier = s->jail->nics.items[i];
            defaults.done[v6] =
                defaults.done[v6] || (earlier->gateway && ja_network_gateway(s->networks[i], v6, &gateway));
        }
    check_ports(p, nic);
    struct ja_step *step = ja_plan_step(p->plan, "make the pair %s of jail %s again", nic->link, s->jail->name);
    pair_lines(p, step, nic, mark, netns);
    step = inside_step(p, netns, "configure it from within");
    nic_lines(p, step, nic, &defaults);
}

static void repair_pair(struct ja_planning *p, const struct ja_subject *s, const struct ja_linux_nic *nic,
                        const char *netns)
{
    if (!ja_fact(p->facts, JA_FACT_LINK, nic->link)) {
        remake_pair(p, s, nic, netns);
        return;
    }
    bool enslaved = ja_factf(p->facts, JA_FACT_PATH, "/sys/class/net/%s/brif/%s", nic->bridge, nic->link);
    bool up = ja_linux_link_is_up(p, nic->link);
    if (enslaved && up)
        return;
    struct ja_step *step =
        ja_plan_step(p->plan, "put %s of jail %s back into the bridge %s", nic->link, s->jail->name, nic->bridge);
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    ja_step_input(p->plan, step, "link set dev %s master %s up\n", nic->link, nic->bridge);
}

static void check_neighbour(struct ja_planning *p, const struct ja_linux_nic *nic, const char *address, void *context)
{
    const char *mac = ja_factf(p->facts, JA_FACT_NEIGHBOUR, "%s %s", address, nic->bridge);
    if (!mac || strcmp(mac, nic->mac) != 0)
        *(bool *)context = true;
}

void ja_linux_nics_repair(struct ja_planning *p, const struct ja_subject *s, const char *netns)
{
    bool missing = false;
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(p, s, i, &nic);
        repair_pair(p, s, &nic, netns);
    }
    for_each_address(p, s, check_neighbour, &missing);
    if (!missing)
        return;
    struct ja_step *step = ja_plan_step(p->plan, "tell the host where the addresses of jail %s are", s->jail->name);
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    for_each_address(p, s, add_neighbour, step);
}
