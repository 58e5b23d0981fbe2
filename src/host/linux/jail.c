/*
 * jail.c: starting and stopping a jail on Linux: namespaces, veth pairs, addresses, then the container. While it starts, its
 * namespaces are pinned below RUN/jails/<slot>/ns; afterwards its init alone keeps them alive, so that nothing of a jail stays
 * in the host's mount table, and its interfaces go with it whatever ends it.
 */
#include "host/linux/network.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

static void netns_name(const struct ja_site *site, const struct ja_jail *jail, char name[96])
{
    snprintf(name, 96, "ja%s-%s", site->tag, jail->name);
}

static bool has_ipv6_text(const struct ja_strv *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strchr(texts->items[i], ':') || strcmp(texts->items[i], "slaac") == 0 ||
            strcmp(texts->items[i], "auto6") == 0)
            return true;
    return false;
}

/* Whether it has anything to do with IPv6. What else is on a network with members, nobody knows. */
static bool uses_ipv6(const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        const struct ja_nic *nic = s->jail->nics.items[i];
        const struct ja_network *network = s->networks[i];
        if (network->members.count || has_ipv6_text(&network->addresses) || has_ipv6_text(&nic->addresses) ||
            has_ipv6_text(&nic->assigned))
            return true;
    }
    return false;
}

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
    /* Its interfaces then have no link-local address, whose announcements every start would send to all jails. */
    if (!uses_ipv6(s))
        ja_step_run(p->plan, step, "--no-link-local", NULL);
    ja_step_runf(p->plan, step, "%s/ns", run);
    char ns[512];
    snprintf(ns, sizeof ns, "%s/ns", run);
    ja_step_undo_host(p, step, "ns-release", ns, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, ns, "dir");
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
    char cgroup[64], link[16];
    ja_linux_cgroup_path(p, s->jail, cgroup);
    ja_site_nic_name(p->site, s->jail->slot, 0, link);
    /* Somebody may have removed the runtime directory of a jail that runs: its processes and interfaces are still there. All is
     * asked for at once. */
    bool any = run && ja_fact(p->facts, JA_FACT_PATH, run);
    any = ja_factf(p->facts, JA_FACT_PATH, "/sys/fs/cgroup%s", cgroup) || any;
    any = ja_factf(p->facts, JA_FACT_PATH, "/sys/fs/cgroup/pids%s", cgroup) || any;
    return (s->jail->nics.count && ja_factf(p->facts, JA_FACT_PATH, "/sys/class/net/%s", link)) || any;
}

static void notes(struct ja_planning *p, const struct ja_jail *jail)
{
    if (jail->privileged)
        ja_plan_note(p->plan, "%s is privileged: its root is the host's root; only trusted software belongs there",
                     jail->name);
    if (jail->vnet == JA_VNET_SHARED && jail->forwards.count) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field forwards", "on Linux only jails with vnet=yes have forwards");
        ja_plan_hint(p->plan, "with vnet=shared its programs can listen on the host's own addresses");
    }
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        if (nic->span)
            ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field nics.span", "only bridges of FreeBSD have ports that watch");
        if (nic->vlan) {
            ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field nics.vlan", "VLANs of single nics are not built for Linux");
            ja_plan_hint(p->plan,
                         "make a network for the VLAN: jailadmin network create NAME --member IFACE --set vlan=%lld",
                         (long long)nic->vlan);
        }
    }
    ja_linux_check_allow(p, jail);
    ja_linux_limits_note(p, jail);
    ja_linux_shape_check(p, jail);
}

/* What a jail that has the host's network cannot do, and what it can. */
static void warn_shared(struct ja_planning *p, const struct ja_jail *jail)
{
    const char *least = ja_fact(p->facts, JA_FACT_SYSCTL, "net.ipv4.ip_unprivileged_port_start");
    if (!jail->privileged && (!least || atoi(least) > 0))
        ja_plan_note(p->plan, "%s has the host's network: it cannot listen on ports below %s", jail->name,
                     least ? least : "1024");
    if (jail->vnet == JA_VNET_SHARED)
        ja_plan_note(p->plan,
                     "%s shares its addresses with the host: jails of its networks do not reach them, as they do not "
                     "reach the host",
                     jail->name);
    ja_plan_note(p->plan, "%s has the host's network: it sees the host's abstract sockets and local services",
                 jail->name);
}

static void start(struct ja_planning *p, const struct ja_subject *s)
{
    ja_autofree char *run = ja_path_run(p, s->jail);
    char netns[512];
    if (!run)
        return;
    /* The jail's root passes through it to the mount of its tree; nothing else in it is open to others. */
    struct ja_step *step = ja_plan_host_step(p, "mkdir", "make its runtime directory");
    ja_step_run(p->plan, step, "--mode", "0711", run, NULL);
    ja_step_undo_host(p, step, "remove-tree", run, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, run, "dir");
    if (p->build == s->jail)
        ja_plan_names(p, s);
    pin_namespaces(p, s, run);
    ja_linux_container_prepare(p, s, run);
    if (s->jail->vnet == JA_VNET_YES) {
        snprintf(netns, sizeof netns, "%s/ns/net", run);
        if (s->jail->nics.count)
            ja_linux_firewall_note(p);
        ja_linux_nics_add(p, s, netns);
        ja_linux_shape_add(p, s);
        ja_linux_jail_rules_add(p, s);
    } else {
        ja_linux_addresses_share(p, s);
        warn_shared(p, s->jail);
    }
    /* What need not be there before the container is made is made beside it. */
    if (p->build != s->jail)
        ja_plan_names(p, s);
    notes(p, s->jail);
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
    ja_plan_services_start(p, s->jail, run);
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
        ja_linux_nics_forget(p, s);
        ja_linux_shape_remove(p, s);
        ja_linux_jail_rules_remove(p, s);
    } else {
        ja_linux_addresses_unshare(p, s);
    }
    ja_linux_container_clean(p, s->jail, run);
    /* A start that was cut off between its commit and here has left them. */
    release_pins(p, run);
    step = ja_plan_host_step(p, "remove-tree", "remove its runtime directory");
    ja_step_run(p->plan, step, run, NULL);
    /* Last: with the init's end the kernel removes them by itself in 2 to 3 ms. Whoever asks for it waits for an RCU grace period, which
     * took 1 to 20 ms, the more jails run. */
    if (s->jail->vnet == JA_VNET_YES)
        ja_linux_nics_remove(p, s);
}

static void repair_instance(struct ja_planning *p)
{
    ja_linux_filter_repair(p);
    ja_linux_rules_restore(p);
}

/* What is outside of the running jail: how it is set up within is its own affair. */
static void repair(struct ja_planning *p, const struct ja_subject *s)
{
    ja_autofree char *run = ja_path_run(p, s->jail);
    const char *pid = run ? ja_factf(p->facts, JA_FACT_PROCESS, "%s/pid", run) : NULL;
    char netns[64], name[96], id[32];
    if (!pid || s->jail->vnet != JA_VNET_YES)
        return;
    snprintf(netns, sizeof netns, "/proc/%.*s/ns/net", (int)strcspn(pid, " "), pid);
    ja_linux_nics_repair(p, s, netns);
    ja_linux_shape_repair(p, s);
    ja_linux_nic_rules_repair(p, s);
    ja_dns_names_add(p, s);
    netns_name(p->site, s->jail, name);
    ja_linux_container_id(p->site, s->jail, id);
    if (!ja_factf(p->facts, JA_FACT_PATH, "%s/crun/%s/status", p->site->run, id))
        ja_plan_note(
            p->plan,
            "what says how commands run in jail %s is gone from %s/crun: no more can be run in it until it is restarted",
            s->jail->name, p->site->run);
    if (ja_factf(p->facts, JA_FACT_NETNS, "%s", name))
        return;
    struct ja_step *step = ja_plan_host_step(p, "netns-link", "name the network namespace of jail %s", s->jail->name);
    ja_step_run(p->plan, step, name, NULL);
    ja_step_runf(p->plan, step, "%s/pid", run);
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
    /* One whose init has died has nobody to ask. */
    bool graceful = !force && jail->stop_timeout > 0 && running(p, jail);
    if (graceful)
        ja_plan_services_stop(p, jail, run);
    if (graceful) {
        char why[80];
        snprintf(why, sizeof why, "ask its init to shut down, for at most %lld s",
                 (long long)((jail->stop_timeout + 999) / 1000));
        step = ja_linux_container_ask(p, jail, stop_signal(p, jail), why);
        ja_step_runf(p->plan, step, "%s/pid", run);
    }
    step = ja_plan_host_step(p, "kill-init", "end it, with all of its processes");
    ja_step_runf(p->plan, step, "%s/pid", run);
    clean(p, s);
}

static void update(struct ja_planning *p, const struct ja_subject *applied, const struct ja_subject *live)
{
    ja_linux_shape_change(p, applied, live);
    ja_linux_container_update(p, applied->jail, live->jail);
}

static const char *usage(struct ja_planning *p, const struct ja_jail *jail)
{
    char cgroup[64];
    ja_linux_cgroup_path(p, jail, cgroup);
    return ja_fact(p->facts, JA_FACT_USAGE, cgroup);
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
    .jail_updated = ja_linux_shape_changed,
    .jail_notes = notes,
    .jail_running = running,
    .jail_usage = usage,
    .jail_exec = ja_linux_container_exec,
    .jail_run = ja_linux_container_run,
    .jail_ask = ja_linux_container_ask,
    .dns_answers = ja_dns_answers,
    .daemon_started = ja_linux_daemon_started,
    .network_needs_stop = ja_linux_network_needs_stop,
    .network_change = ja_linux_network_change,
    .network_changed = ja_linux_network_changed,
    .instance_repair = repair_instance,
    .jail_repair = repair,
    .repairs_exactly = true,
    .forwards_change = ja_linux_forwards_change,
    .examine = ja_linux_examine,
    .leftovers = ja_linux_leftovers,
    .instance_up = ja_linux_instance_up,
    .instance_down = ja_linux_instance_down,
};
