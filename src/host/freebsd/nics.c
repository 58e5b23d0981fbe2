/*
 * nics.c: the interfaces of a jail: pairs from the bridges into its network stack, and what is configured within.
 *
 * The jail's end keeps the kernel's name, with a unit of ours: it falls back to the host when the jail goes, and two of the same
 * name could not be told apart there. The bridge knows each nic's MAC (a static entry, and room for no other), so that no jail
 * gets the frames of another, and none sends with a MAC that nobody has.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* How long a jail's start waits for somebody who gives it an address. */
enum { DHCP_TIMEOUT_MS = 30 * 1000 };

void ja_freebsd_nic_fill(const struct ja_planning *p, const struct ja_subject *s, size_t number,
                         struct ja_freebsd_nic *nic)
{
    *nic =
        (struct ja_freebsd_nic){.nic = s->jail->nics.items[number], .network = s->networks[number], .number = number};
    ja_site_nic_name(p->site, s->jail->slot, number, nic->link);
    ja_site_bridge_name(p->site, nic->network->slot, nic->bridge);
    snprintf(nic->inner, sizeof nic->inner, "epair%lldb", (long long)nic->nic->unit);
    ja_nic_mac(s->jail, nic->nic, nic->mac);
}

bool ja_freebsd_needs_bpf(const struct ja_jail *jail)
{
    for (size_t i = 0; jail->vnet == JA_VNET_YES && i < jail->nics.count; i++)
        if (((const struct ja_nic *)jail->nics.items[i])->span ||
            ja_strv_has(&((const struct ja_nic *)jail->nics.items[i])->addresses, "dhcp"))
            return true;
    return false;
}

static int64_t mtu_of(const struct ja_freebsd_nic *nic)
{
    return nic->nic->mtu ? nic->nic->mtu : nic->network->mtu;
}

/* ---- pairs ---- */

/* A port that gets a copy of every frame and is no member: what it sends ends at the host, whose rules know none of it. */
static void watch_bridge(struct ja_planning *p, const struct ja_freebsd_nic *nic)
{
    char fact[40];
    struct ja_step *step = ja_plan_step(p->plan, "let it see all that passes through the bridge %s", nic->bridge);
    ja_step_run(p->plan, step, TOOL("ifconfig"), nic->bridge, "span", nic->link, NULL);
    ja_step_undo(p->plan, step, TOOL("ifconfig"), nic->bridge, "-span", nic->link, NULL);
    snprintf(fact, sizeof fact, "%s %s", nic->bridge, nic->link);
    ja_step_guard(p->plan, step, JA_FACT_MEMBER, fact, "span");
}

static void join_bridge(struct ja_planning *p, const struct ja_freebsd_nic *nic)
{
    if (nic->nic->span) {
        watch_bridge(p, nic);
        return;
    }
    struct ja_step *step = ja_plan_step(p->plan, "put the host's end into the bridge, for this MAC alone");
    ja_step_run(p->plan, step, TOOL("ifconfig"), nic->bridge, "addm", nic->link, "static", nic->link, nic->mac,
                "ifmaxaddr", nic->link, "1", NULL);
    if (nic->network->isolate)
        ja_step_run(p->plan, step, "private", nic->link, NULL);
}

static void make_pair(struct ja_planning *p, const struct ja_freebsd_nic *nic, const char *mark)
{
    char made_as[32];
    snprintf(made_as, sizeof made_as, "epair%llda", (long long)nic->nic->unit);
    struct ja_step *step =
        ja_plan_step(p->plan, "make the pair %s and %s, one end in the bridge %s", nic->link, nic->inner, nic->bridge);
    ja_step_run(p->plan, step, TOOL("ifconfig"), NULL);
    ja_step_runf(p->plan, step, "epair%lld", (long long)nic->nic->unit);
    ja_step_run(p->plan, step, "create", "name", nic->link, NULL);
    ja_freebsd_undo_link(p, step, made_as, nic->link, mark);
    step = ja_plan_step(p->plan, "say whose it is, and use it");
    ja_step_run(p->plan, step, TOOL("ifconfig"), nic->link, "description", mark, NULL);
    /* A bridge takes only members with its own MTU. */
    if (nic->network->mtu) {
        ja_step_run(p->plan, step, "mtu", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)nic->network->mtu);
    }
    ja_step_run(p->plan, step, "up", NULL);
    step = ja_plan_step(p->plan, "set the jail's MAC, before the interface moves");
    ja_step_run(p->plan, step, TOOL("ifconfig"), nic->inner, "ether", nic->mac, NULL);
    if (mtu_of(nic)) {
        step = ja_plan_step(p->plan, "set the MTU of the jail's end too");
        ja_step_run(p->plan, step, TOOL("ifconfig"), nic->inner, "mtu", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)mtu_of(nic));
    }
    join_bridge(p, nic);
}

/* Our own pair is that of a run that ended by itself, and the plan begins by taking it away. */
static bool is_taken(struct ja_planning *p, const struct ja_freebsd_nic *nic, const char *mark)
{
    const char *link = ja_fact(p->facts, JA_FACT_LINK, nic->link), *inner = ja_fact(p->facts, JA_FACT_LINK, nic->inner);
    bool taken = (link || inner) && !ja_str_equal(link, mark);
    if (taken) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "an interface %s or %s exists already", nic->link, nic->inner);
        ja_plan_hint(p->plan, "`ifconfig` shows whose it is; `jailadmin gc` removes what jailadmin left");
    }
    return taken;
}

void ja_freebsd_nics_add(struct ja_planning *p, const struct ja_subject *s)
{
    char mark[128];
    ja_site_mark(p->site, s->jail->uuid, mark);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        if (!is_taken(p, &nic, mark))
            make_pair(p, &nic, mark);
    }
    ja_freebsd_neighbours_add(p, s);
}

/* ---- within ---- */

/* A command in the jail's own vnet. */
static struct ja_step *inside(struct ja_planning *p, const char *name, const char *program, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("jexec"), name, program, NULL);
    return step;
}

/* What it is to ask for itself. Nobody may answer, and it starts all the same. */
static void ask_for_addresses(struct ja_planning *p, const char *name, const struct ja_freebsd_nic *nic)
{
    struct ja_step *step;
    if (ja_strv_has(&nic->nic->addresses, "dhcp")) {
        step = inside(p, name, "/sbin/dhclient", "ask for its address");
        ja_step_run(p->plan, step, nic->inner, NULL);
        step->timeout_ms = DHCP_TIMEOUT_MS;
        step->flags |= JA_STEP_IGNORE;
    }
    if (ja_strv_has(&nic->nic->addresses, "slaac")) {
        step = inside(p, name, "/sbin/rtsol", "ask the routers for its IPv6 address");
        ja_step_run(p->plan, step, nic->inner, NULL);
        step->timeout_ms = DHCP_TIMEOUT_MS;
        step->flags |= JA_STEP_IGNORE;
    }
}

static void configure_nic(struct ja_planning *p, const char *name, const struct ja_freebsd_nic *nic)
{
    struct ja_step *step;
    bool up = false;
    for (size_t i = 0; i < nic->nic->assigned.count; i++) {
        const char *text = nic->nic->assigned.items[i];
        if (ja_nic_is_dynamic(nic->nic, i))
            continue;
        step = inside(p, name, "/sbin/ifconfig", "give its interfaces their addresses");
        if (strchr(text, ':'))
            ja_step_run(p->plan, step, nic->inner, "inet6", text, "no_dad", "-ifdisabled", "up", NULL);
        else
            ja_step_run(p->plan, step, nic->inner, "inet", text, "alias", "up", NULL);
        up = true;
    }
    if (ja_strv_has(&nic->nic->addresses, "slaac")) {
        step = inside(p, name, "/sbin/ifconfig", "let it listen to the routers that give it addresses");
        ja_step_run(p->plan, step, nic->inner, "inet6", "accept_rtadv", "-ifdisabled", "up", NULL);
    } else if (!up) {
        step = inside(p, name, "/sbin/ifconfig", "use its interfaces");
        ja_step_run(p->plan, step, nic->inner, "up", NULL);
    }
    ja_freebsd_neighbours_inside(p, name, nic);
}

static struct ja_step *add_route(struct ja_planning *p, const char *name, bool v6, const char *destination,
                                 const char *via)
{
    struct ja_step *step = inside(p, name, "/sbin/route", "tell it the ways to elsewhere");
    ja_step_run(p->plan, step, "-n", "add", NULL);
    if (v6)
        ja_step_run(p->plan, step, "-inet6", NULL);
    ja_step_run(p->plan, step, destination, via, NULL);
    return step;
}

/* Whether a nic has an address of a family that it is given, not one that it asks for: with that comes its route. */
static bool has_address(const struct ja_nic *nic, bool v6)
{
    for (size_t i = 0; i < nic->assigned.count; i++)
        if (!ja_nic_is_dynamic(nic, i) && !strchr(nic->assigned.items[i], ':') == !v6)
            return true;
    return false;
}

/* The nic that has the default route of a family: the first one that may have it and has a gateway and an address of the
 * family. False: none, or the jail says itself where it leads to. */
static bool default_nic(struct ja_planning *p, const struct ja_subject *s, bool v6, struct ja_freebsd_nic *ret_nic,
                        char gateway[JA_ADDR_TEXT])
{
    struct ja_addr addr;
    for (size_t i = 0; i < s->jail->routes.count; i++)
        if (strcmp(((const struct ja_route *)s->jail->routes.items[i])->destination, v6 ? "default6" : "default") == 0)
            return false;
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        ja_freebsd_nic_fill(p, s, i, ret_nic);
        if (!ret_nic->nic->gateway || !has_address(ret_nic->nic, v6) ||
            !ja_network_gateway(ret_nic->network, v6, &addr))
            continue;
        ja_addr_format(&addr, false, gateway);
        return true;
    }
    return false;
}

static void add_routes(struct ja_planning *p, const struct ja_subject *s, const char *name)
{
    for (size_t i = 0; i < s->jail->routes.count; i++) {
        const struct ja_route *route = s->jail->routes.items[i];
        bool v6 = strchr(route->via, ':') != NULL;
        bool is_default = strcmp(route->destination, v6 ? "default6" : "default") == 0;
        add_route(p, name, v6, is_default ? "default" : route->destination, route->via);
    }
    for (int v6 = 0; v6 < 2; v6++) {
        struct ja_freebsd_nic nic;
        char gateway[JA_ADDR_TEXT];
        if (default_nic(p, s, v6, &nic, gateway))
            add_route(p, name, v6, "default", gateway);
    }
}

static void hand_over(struct ja_planning *p, const struct ja_freebsd_nic *nic, const char *name)
{
    struct ja_step *step = ja_plan_step(p->plan, "hand it its further interfaces");
    ja_step_run(p->plan, step, TOOL("ifconfig"), nic->inner, "vnet", name, NULL);
}

void ja_freebsd_nics_configure(struct ja_planning *p, const struct ja_subject *s, const char *name)
{
    struct ja_freebsd_nic nic;
    /* jail -c has moved the first. */
    for (size_t i = 1; i < s->jail->nics.count; i++) {
        ja_freebsd_nic_fill(p, s, i, &nic);
        hand_over(p, &nic, name);
    }
    struct ja_step *step = inside(p, name, "/sbin/ifconfig", "give its loopback interface an address");
    ja_step_run(p->plan, step, "lo0", "inet", "127.0.0.1/8", "up", NULL);
    if (ja_freebsd_vnet_denies(p)) {
        ja_autofree char *run = ja_path_run(p, s->jail);
        step = ja_plan_host_step(p, "vnet-accept", "let its packets pass: a new network stack denies all of them here");
        ja_step_runf(p->plan, step, "%s/pid", run ? run : "");
    }
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        ja_freebsd_nic_fill(p, s, i, &nic);
        configure_nic(p, name, &nic);
    }
    add_routes(p, s, name);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        ja_freebsd_nic_fill(p, s, i, &nic);
        ask_for_addresses(p, name, &nic);
    }
}

/* ---- the end ---- */

void ja_freebsd_nics_remove(struct ja_planning *p, const struct ja_subject *s)
{
    char mark[128];
    ja_site_mark(p->site, s->jail->uuid, mark);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        ja_freebsd_remove_link(p, nic.link, mark, "remove its interfaces");
    }
    ja_freebsd_neighbours_remove(p, s);
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

/* ---- while it runs ---- */

/* A pair that somebody has destroyed is made anew, one whose inner end is outside is handed over; its addresses are those of the jail's start. */
static void remake_pair(struct ja_planning *p, const struct ja_subject *s, const struct ja_freebsd_nic *nic,
                        const char *name)
{
    char mark[128];
    ja_site_mark(p->site, s->jail->uuid, mark);
    if (!ja_fact(p->facts, JA_FACT_LINK, nic->link))
        make_pair(p, nic, mark);
    hand_over(p, nic, name);
    configure_nic(p, name, nic);
    for (int v6 = 0; v6 < 2; v6++) {
        struct ja_freebsd_nic of;
        char gateway[JA_ADDR_TEXT];
        if (default_nic(p, s, v6, &of, gateway) && of.number == nic->number)
            add_route(p, name, v6, "default", gateway)->flags |= JA_STEP_IGNORE; /* the jail may have another by now */
    }
    ask_for_addresses(p, name, nic);
}

void ja_freebsd_nics_repair(struct ja_planning *p, const struct ja_subject *s, const char *name)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        bool member = ja_freebsd_is_member(p, nic.bridge, nic.link);
        bool there = ja_fact(p->facts, JA_FACT_LINK, nic.link) != NULL;
        /* An inner end that the host sees is not in the jail. */
        bool outside = ja_fact(p->facts, JA_FACT_LINK, nic.inner) != NULL;
        if (there && !member)
            join_bridge(p, &nic);
        if (!there || outside)
            remake_pair(p, s, &nic, name);
    }
    ja_freebsd_neighbours_repair(p, s);
}

void ja_freebsd_nics_isolate(struct ja_planning *p, const struct ja_subject *s, const struct ja_network *network)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        char fact[40];
        ja_freebsd_nic_fill(p, s, i, &nic);
        if (nic.nic->span || strcmp(nic.network->name, network->name) != 0)
            continue;
        struct ja_step *step = ja_plan_step(
            p->plan, network->isolate ? "let %s not see its neighbours" : "let %s see its neighbours", s->jail->name);
        ja_step_run(p->plan, step, TOOL("ifconfig"), nic.bridge, network->isolate ? "private" : "-private", nic.link,
                    NULL);
        ja_step_undo(p->plan, step, TOOL("ifconfig"), nic.bridge, network->isolate ? "-private" : "private", nic.link,
                     NULL);
        snprintf(fact, sizeof fact, "%s %s", nic.bridge, nic.link);
        ja_step_guard(p->plan, step, JA_FACT_MEMBER, fact, NULL);
    }
}
