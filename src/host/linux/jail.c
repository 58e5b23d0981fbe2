/*
 * jail.c: starting and stopping a jail on Linux: namespaces, veth pairs, addresses, then the container. While it starts, its
 * namespaces are pinned below RUN/jails/<slot>/ns; afterwards its init alone keeps them alive, so that nothing of a jail stays
 * in the host's mount table, and its interfaces go with it whatever ends it.
 */
#include "host/linux/linux.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

static void netns_name(const struct ja_site *site, const struct ja_jail *jail, char name[96])
{
    snprintf(name, 96, "ja%s-%s", site->tag, jail->name);
}

void ja_linux_nic_fill(const struct ja_planning *p, const struct ja_subject *s, size_t number, struct ja_linux_nic *nic)
{
    *nic = (struct ja_linux_nic){.nic = s->jail->nics.items[number], .network = s->networks[number], .number = number};
    ja_site_nic_name(p->site, s->jail->slot, number, nic->link);
    ja_site_bridge_name(p->site, nic->network->slot, nic->bridge);
    if (nic->nic->mac)
        snprintf(nic->mac, sizeof nic->mac, "%s", nic->nic->mac);
    else
        ja_mac_from(s->jail->uuid, nic->nic->label, nic->mac);
}

/* ---- interfaces ---- */

static void pin_namespaces(struct ja_planning *p, const struct ja_subject *s, const char *run)
{
    bool user = !s->jail->privileged;
    if (!user && s->jail->vnet != JA_VNET_YES)
        return;
    struct ja_step *step = ja_plan_host_step(p, "ns-create",
                                             user ? "make its user and network namespaces, pinned while it starts"
                                                  : "make its network namespace, pinned while it starts");
    if (user) {
        ja_step_run(p->plan, step, "--uid-base", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)ja_site_uid(p->site, s->jail->slot));
        ja_step_run(p->plan, step, "--uid-count", NULL);
        ja_step_runf(p->plan, step, "%d", JA_UIDS_PER_SLOT);
    }
    ja_step_runf(p->plan, step, "%s/ns", run);
    char ns[512];
    snprintf(ns, sizeof ns, "%s/ns", run);
    ja_step_undo_host(p, step, "ns-release", ns, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, ns, "dir");
}

/* Removes the host's end of a pair, which takes the other end along. */
static void link_remove(struct ja_planning *p, struct ja_step *step, bool undo, const char *link, const char *uuid)
{
    char mark[128];
    ja_site_mark(p->site, uuid, mark);
    if (undo)
        ja_step_undo_host(p, step, "link-remove", link, mark, NULL);
    else
        ja_step_run(p->plan, step, link, mark, NULL);
}

/* One batch makes all pairs of the jail. */
static void make_pairs(struct ja_planning *p, const struct ja_subject *s, const char *run)
{
    char mark[128];
    ja_site_mark(p->site, s->jail->uuid, mark);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(p, s, i, &nic);
        if (ja_fact(p->facts, JA_FACT_LINK, nic.link))
            ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "an interface %s exists already", nic.link);
        const char *ports = ja_fact(p->facts, JA_FACT_PORTS, nic.bridge);
        if (ports && atoi(ports) >= 1023) {
            ja_plan_fail(p->plan, JA_E_LIMIT, NULL, "the bridge of network %s has no port left: Linux allows 1023",
                         nic.network->name);
            ja_plan_hint(p->plan, "make another network and put further jails there");
        }
        struct ja_step *step = ja_plan_step(p->plan, "make the pair %s and %s, one end in the bridge %s", nic.link,
                                            nic.nic->label, nic.bridge);
        ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
        ja_step_input(p->plan, step, "link add %s type veth peer name %s address %s netns %s/ns/net\n", nic.link,
                      nic.nic->label, nic.mac, run);
        ja_step_input(p->plan, step, "link set dev %s alias \"%s\"", nic.link, mark);
        int64_t mtu = nic.nic->mtu ? nic.nic->mtu : nic.network->mtu;
        if (mtu)
            ja_step_input(p->plan, step, " mtu %lld", (long long)mtu);
        ja_step_input(p->plan, step, " master %s up\n", nic.bridge);
        link_remove(p, step, true, nic.link, s->jail->uuid);
        ja_step_guard(p->plan, step, JA_FACT_LINK, nic.link, NULL);
    }
}

/* The host's permanent neighbour entries for the jail's addresses: no ARP, and no table that overflows with many jails. */
static void neighbours(struct ja_planning *p, const struct ja_subject *s, struct ja_step *step, bool add)
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
            if (add) {
                ja_step_input(p->plan, step, "neigh replace %s lladdr %s dev %s nud permanent\n", text, nic.mac,
                              nic.bridge);
                ja_step_undo_input(p->plan, step, "neigh flush to %s dev %s nud permanent\n", text, nic.bridge);
            } else {
                ja_step_input(p->plan, step, "neigh flush to %s dev %s nud permanent\n", text, nic.bridge);
            }
        }
    }
}

/* vnet=shared: its addresses are further ones of the host, on its networks' bridges. */
static void share_addresses(struct ja_planning *p, const struct ja_subject *s)
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

static void unshare_addresses(struct ja_planning *p, const struct ja_subject *s)
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

static bool has_addresses(const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++)
        if (((const struct ja_nic *)s->jail->nics.items[i])->assigned.count)
            return true;
    return false;
}

static void add_neighbours(struct ja_planning *p, const struct ja_subject *s)
{
    if (!has_addresses(s))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "tell the host where its addresses are");
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    ja_step_undo(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    neighbours(p, s, step, true);
}

/* One route or the default of one family, through a nic's gateway. */
static void default_route(struct ja_planning *p, struct ja_step *step, const struct ja_linux_nic *nic, bool v6,
                          bool *done)
{
    struct ja_addr gateway;
    char text[JA_ADDR_TEXT], mac[JA_MAC_TEXT];
    if (!ja_linux_gateway(nic->network, v6, &gateway))
        return;
    bool have = false;
    for (size_t a = 0; a < nic->nic->assigned.count; a++) {
        struct ja_addr addr;
        have = have || (ja_addr_parse(nic->nic->assigned.items[a], &addr, NULL) == 0 && addr.v6 == v6);
    }
    if (!have)
        return;
    ja_addr_format(&gateway, false, text);
    ja_linux_bridge_mac(nic->network, mac);
    ja_step_input(p->plan, step, "neigh replace %s lladdr %s dev %s nud permanent\n", text, mac, nic->nic->label);
    if (nic->nic->gateway && !*done) {
        ja_step_input(p->plan, step, "route add default via %s dev %s\n", text, nic->nic->label);
        *done = true;
    }
}

/* One batch inside the jail's network namespace: addresses, links, routes. */
static void configure_inside(struct ja_planning *p, const struct ja_subject *s, const char *run)
{
    bool done4 = false, done6 = false;
    for (size_t r = 0; r < s->jail->routes.count; r++) {
        const struct ja_route *route = s->jail->routes.items[r];
        done4 = done4 || strcmp(route->destination, "default") == 0;
        done6 = done6 || strcmp(route->destination, "default6") == 0;
    }
    struct ja_step *step = ja_plan_step(p->plan, "configure its interfaces and routes from within");
    ja_step_run(p->plan, step, TOOL("nsenter"), NULL);
    ja_step_runf(p->plan, step, "--net=%s/ns/net", run);
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        ja_linux_nic_fill(p, s, i, &nic);
        for (size_t a = 0; a < nic.nic->assigned.count; a++) {
            const char *address = nic.nic->assigned.items[a];
            ja_step_input(p->plan, step, "addr add %s dev %s%s\n", address, nic.nic->label,
                          strchr(address, ':') ? " nodad" : "");
        }
        int64_t mtu = nic.nic->mtu ? nic.nic->mtu : nic.network->mtu;
        ja_step_input(p->plan, step, "link set dev %s ", nic.nic->label);
        if (mtu)
            ja_step_input(p->plan, step, "mtu %lld ", (long long)mtu);
        ja_step_input(p->plan, step, "up\n");
        default_route(p, step, &nic, false, &done4);
        default_route(p, step, &nic, true, &done6);
    }
    for (size_t r = 0; r < s->jail->routes.count; r++) {
        const struct ja_route *route = s->jail->routes.items[r];
        const char *to = strcmp(route->destination, "default6") == 0 ? "default" : route->destination;
        ja_step_input(p->plan, step, "route add %s via %s\n", to, route->via);
    }
    if (!step->run.input)
        ja_step_input(p->plan, step, "link set dev lo up\n");
}

/* ---- files in its tree ---- */

/* Writes what a jail that builds a template is to find in a file: into its runtime directory, from where it is mounted. */
static void build_file(struct ja_planning *p, const struct ja_jail *jail, const char *path, const char *text,
                       const char *why)
{
    ja_autofree char *run = ja_path_run(p, jail);
    const char *slash = strrchr(path, '/');
    if (!run)
        return;
    struct ja_step *step = ja_plan_host_step(p, "write", "%s", why);
    ja_step_run(p->plan, step, "--mode", "0644", NULL);
    ja_step_runf(p->plan, step, "%s/%s", run, slash ? slash + 1 : path);
    ja_step_input(p->plan, step, "%s", text);
    const char *file = step->run.argv.count ? step->run.argv.items[step->run.argv.count - 1] : "";
    ja_step_undo_host(p, step, "remove", file, NULL);
}

/* Writes a file beneath the jail's tree if it says something else now; the undo puts the old text back. */
static void tree_file(struct ja_planning *p, const struct ja_jail *jail, const char *path, const char *text,
                      const char *why)
{
    if (p->build == jail) {
        build_file(p, jail, path, text, why);
        return;
    }
    ja_autofree char *tree = ja_path_root(p, jail);
    if (!tree)
        return;
    const char *old = ja_factf(p->facts, JA_FACT_TREEFILE, "%s\t%s", tree, path);
    if (old && strcmp(old, text) == 0)
        return;
    /* A tree without /etc is not given one. */
    if (!ja_factf(p->facts, JA_FACT_TREEFILE, "%s\tetc/.", tree))
        return;
    struct ja_step *step = ja_plan_host_step(p, "write", "%s", why);
    ja_step_run(p->plan, step, "--root", tree, "--mode", "0644", path, NULL);
    ja_step_input(p->plan, step, "%s", text);
    if (old) {
        ja_step_undo_host(p, step, "write", "--root", tree, "--mode", "0644", path, NULL);
        ja_step_undo_input(p->plan, step, "%s", old);
    } else {
        ja_step_undo_host(p, step, "remove", "--root", tree, path, NULL);
    }
    step->flags |= JA_STEP_PERSISTENT;
}

static void resolver(struct ja_planning *p, const struct ja_subject *s)
{
    const struct ja_dns *dns = &s->jail->dns;
    ja_autostr struct ja_str text = {0};
    ja_autostrv struct ja_strv search = {0};
    if (s->jail->vnet != JA_VNET_YES && dns->servers.count == 0) {
        /* With the host's network its resolver is right, also one that listens on a loopback address. */
        const char *host = ja_fact(p->facts, JA_FACT_FILE, "/etc/resolv.conf");
        if (host)
            tree_file(p, s->jail, "etc/resolv.conf", host, "name its resolver");
        return;
    }
    for (size_t i = 0; i < dns->servers.count; i++)
        ja_str_addf(&text, "nameserver %s\n", dns->servers.items[i]);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_linux_nic nic;
        struct ja_addr gateway;
        char address[JA_ADDR_TEXT], domain[JA_LINUX_DOMAIN];
        ja_linux_nic_fill(p, s, i, &nic);
        if (!nic.network->dns)
            continue;
        ja_linux_domain(nic.network, domain);
        if (!ja_strv_has(&search, domain) && ja_strv_add(&search, domain) < 0)
            text.failed = true;
        if (dns->servers.count ||
            !(ja_linux_gateway(nic.network, false, &gateway) || ja_linux_gateway(nic.network, true, &gateway)))
            continue;
        ja_addr_format(&gateway, false, address);
        ja_str_addf(&text, "nameserver %s\n", address);
    }
    if (text.length == 0 && !text.failed)
        return;
    const struct ja_strv *domains = dns->search.count ? &dns->search : &search;
    for (size_t i = 0; i < domains->count; i++)
        ja_str_addf(&text, "%s%s%s", i ? " " : "search ", domains->items[i], i + 1 == domains->count ? "\n" : "");
    if (text.failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    else
        tree_file(p, s->jail, "etc/resolv.conf", text.text, "name its resolver");
}

static void hosts_file(struct ja_planning *p, const struct ja_subject *s)
{
    const struct ja_jail *jail = s->jail;
    const char *hostname = jail->hostname ? jail->hostname : jail->name;
    ja_autostr struct ja_str text = {0};
    ja_str_add(&text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        char domain[JA_LINUX_DOMAIN];
        ja_linux_domain(s->networks[i], domain);
        for (size_t a = 0; a < nic->assigned.count; a++) {
            struct ja_addr addr;
            char address[JA_ADDR_TEXT];
            if (ja_addr_parse(nic->assigned.items[a], &addr, NULL) < 0)
                continue;
            ja_addr_format(&addr, false, address);
            ja_str_addf(&text, "%s %s.%s %s\n", address, hostname, domain, hostname);
        }
    }
    if (text.failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    else
        tree_file(p, jail, "etc/hosts", text.text, "name it and its addresses");
}

/* ---- the host's interface ---- */

static bool running(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *run = ja_path_run(p, jail);
    return run && ja_factf(p->facts, JA_FACT_PROCESS, "%s/pid", run);
}

static bool left(struct ja_planning *p, const struct ja_subject *s)
{
    ja_autofree char *run = ja_path_run(p, s->jail);
    return run && ja_fact(p->facts, JA_FACT_PATH, run);
}

/* What a jail that has the host's network cannot do, and what it can. */
static void warn_shared(struct ja_planning *p, const struct ja_jail *jail)
{
    const char *least = ja_fact(p->facts, JA_FACT_SYSCTL, "net.ipv4.ip_unprivileged_port_start");
    if (!jail->privileged && (!least || atoi(least) > 0))
        ja_plan_note(p->plan, "%s has the host's network: it cannot listen on ports below %s", jail->name,
                     least ? least : "1024");
    ja_plan_note(p->plan, "%s has the host's network: it sees the host's abstract sockets and local services",
                 jail->name);
}

static void start(struct ja_planning *p, const struct ja_subject *s)
{
    ja_autofree char *run = ja_path_run(p, s->jail);
    if (!run)
        return;
    if (p->build != s->jail) {
        hosts_file(p, s);
        resolver(p, s);
    }
    /* The jail's root passes through it to the mount of its tree; nothing else in it is open to others. */
    struct ja_step *step = ja_plan_host_step(p, "mkdir", "make its runtime directory");
    ja_step_run(p->plan, step, "--mode", "0711", run, NULL);
    ja_step_undo_host(p, step, "remove-tree", run, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, run, "dir");
    if (p->build == s->jail) {
        hosts_file(p, s);
        resolver(p, s);
    }
    pin_namespaces(p, s, run);
    if (s->jail->vnet == JA_VNET_YES) {
        make_pairs(p, s, run);
        add_neighbours(p, s);
        configure_inside(p, s, run);
        ja_linux_jail_rules_add(p, s);
    } else {
        share_addresses(p, s);
        warn_shared(p, s->jail);
    }
    if (s->jail->privileged)
        ja_plan_note(p->plan, "%s is privileged: its root is the host's root; only trusted software belongs there",
                     s->jail->name);
    ja_linux_container_start(p, s, run);
}

static void release_pins(struct ja_planning *p, const char *run)
{
    struct ja_step *step = ja_plan_host_step(p, "ns-release", "let go of its namespaces: its init keeps them");
    ja_step_runf(p->plan, step, "%s/ns", run);
}

static void started(struct ja_planning *p, const struct ja_subject *s)
{
    ja_autofree char *run = ja_path_run(p, s->jail);
    char name[96];
    if (!run)
        return;
    if (s->jail->vnet == JA_VNET_YES) {
        netns_name(p->site, s->jail, name);
        struct ja_step *step = ja_plan_host_step(p, "netns-link", "name its network namespace for `ip netns`");
        ja_step_run(p->plan, step, name, NULL);
        ja_step_runf(p->plan, step, "%s/pid", run);
        step->flags |= JA_STEP_IGNORE;
    }
    release_pins(p, run);
    ja_linux_services_start(p, s->jail, run);
}

static void clean(struct ja_planning *p, const struct ja_subject *s)
{
    ja_autofree char *run = ja_path_run(p, s->jail);
    if (!run)
        return;
    struct ja_step *step;
    if (s->jail->vnet == JA_VNET_YES) {
        char name[96];
        netns_name(p->site, s->jail, name);
        step = ja_plan_host_step(p, "netns-unlink", "forget the name of its network namespace");
        ja_step_run(p->plan, step, name, NULL);
        if (has_addresses(s)) {
            step = ja_plan_step(p->plan, "forget where its addresses were");
            ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
            neighbours(p, s, step, false);
        }
        for (size_t i = 0; i < s->jail->nics.count; i++) {
            struct ja_linux_nic nic;
            ja_linux_nic_fill(p, s, i, &nic);
            step = ja_plan_host_step(p, "link-remove", "remove the pair %s", nic.link);
            link_remove(p, step, false, nic.link, s->jail->uuid);
        }
        ja_linux_jail_rules_remove(p, s);
    } else {
        unshare_addresses(p, s);
    }
    ja_linux_container_clean(p, s->jail, run);
    /* A start that was cut off between its commit and here has left them. */
    release_pins(p, run);
    step = ja_plan_host_step(p, "remove-tree", "remove its runtime directory");
    ja_step_run(p->plan, step, run, NULL);
}

static const char *stop_signal(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *tree = ja_path_root(p, jail);
    const char *init = tree && !jail->init.count ? ja_fact(p->facts, JA_FACT_INIT, tree) : NULL;
    if (!init)
        return "SIGTERM";
    if (strcmp(init, "systemd") == 0)
        return "SIGRTMIN+3";
    if (strcmp(init, "busybox") == 0)
        return "SIGUSR2";
    if (strcmp(init, "sysvinit") == 0)
        return "SIGPWR";
    return "SIGTERM";
}

static void stop(struct ja_planning *p, const struct ja_subject *s, bool force)
{
    const struct ja_jail *jail = s->jail;
    ja_autofree char *run = ja_path_run(p, jail);
    if (!run)
        return;
    struct ja_step *step;
    if (!force)
        ja_linux_services_stop(p, jail, run);
    if (!force && jail->stop_timeout > 0) {
        step = ja_plan_host_step(p, "stop-init", "ask its init to shut down, for at most %lld s",
                                 (long long)((jail->stop_timeout + 999) / 1000));
        ja_step_run(p->plan, step, "--signal", stop_signal(p, jail), "--timeout", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)jail->stop_timeout);
        ja_step_runf(p->plan, step, "%s/pid", run);
        step->timeout_ms = jail->stop_timeout + 10000;
        step->flags |= JA_STEP_IGNORE;
    }
    step = ja_plan_host_step(p, "kill-init", "end it, with all of its processes");
    ja_step_runf(p->plan, step, "%s/pid", run);
    clean(p, s);
}

static void update(struct ja_planning *p, const struct ja_subject *applied, const struct ja_subject *live)
{
    ja_linux_container_update(p, applied->jail, live->jail);
}

const struct ja_host ja_host_linux = {
    .name = "linux",
    .network_up = ja_linux_network_up,
    .network_down = ja_linux_network_down,
    .network_is_up = ja_linux_network_is_up,
    .jail_start = start,
    .jail_started = started,
    .jail_stop = stop,
    .jail_clean = clean,
    .jail_left = left,
    .jail_update = update,
    .jail_running = running,
    .jail_exec = ja_linux_container_exec,
    .forwards_change = ja_linux_forwards_change,
    .instance_up = ja_linux_instance_up,
    .instance_down = ja_linux_instance_down,
};
