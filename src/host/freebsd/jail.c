/*
 * jail.c: starting and stopping a jail on FreeBSD: pairs, mounts and limits first, then one jail(8) that makes the jail with its
 * first interface, then what is done inside. The order of the end is the opposite one: jail(8) leaves devfs and all other
 * mounts behind, limits too, and interfaces fall back to the host.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

enum { RC_TIMEOUT_MS = 300 * 1000, LOG_LIMIT = 1024 * 1024 };

/* ---- names ---- */

static bool is_at(const char *fact, const char *tree)
{
    size_t length = tree ? strlen(tree) : 0;
    return fact && tree && strncmp(fact, tree, length) == 0 && fact[length] == ' ';
}

void ja_freebsd_jail_name(struct ja_planning *p, const struct ja_jail *jail, char name[JA_FREEBSD_JAILNAME])
{
    ja_autofree char *tree = ja_path_root(p, jail);
    const char *plain = ja_fact(p->facts, JA_FACT_JAIL, jail->name);
    if (!plain || is_at(plain, tree))
        snprintf(name, JA_FREEBSD_JAILNAME, "%s", jail->name);
    else
        snprintf(name, JA_FREEBSD_JAILNAME, "ja%s-%s", p->site->tag, jail->name);
}

const char *ja_freebsd_jail_fact(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *tree = ja_path_root(p, jail);
    char name[JA_FREEBSD_JAILNAME];
    ja_freebsd_jail_name(p, jail, name);
    const char *fact = ja_fact(p->facts, JA_FACT_JAIL, name);
    return is_at(fact, tree) ? fact : NULL;
}

static bool running(struct ja_planning *p, const struct ja_jail *jail)
{
    const char *fact = ja_freebsd_jail_fact(p, jail);
    const char *state = fact ? strrchr(fact, ' ') : NULL;
    return state && strcmp(state + 1, "active") == 0;
}

/* ---- devices ---- */

static bool has_ruleset(const struct ja_jail *jail)
{
    return jail->devices.count > 0 || ja_freebsd_asks_dhcp(jail);
}

static int64_t ruleset_of(const struct ja_planning *p, const struct ja_jail *jail)
{
    return has_ruleset(jail) ? p->site->ruleset_base + jail->slot : 4; /* 4: devfsrules_jail of every system */
}

/* What every jail's /dev has, and the jail's own devices. */
static void make_ruleset(struct ja_planning *p, const struct ja_jail *jail)
{
    static const char *const included[] = {"1", "2", "3"};
    char number[24];
    if (!has_ruleset(jail))
        return;
    snprintf(number, sizeof number, "%lld", (long long)ruleset_of(p, jail));
    /* dhclient(8) sends with the help of bpf(4). */
    size_t bpf = ja_freebsd_asks_dhcp(jail), own = JA_COUNT(included) + bpf;
    for (size_t i = 0; i < own + jail->devices.count; i++) {
        struct ja_step *step = ja_plan_step(p->plan, "say which devices it has");
        ja_step_run(p->plan, step, TOOL("devfs"), "rule", "-s", number, "add", NULL);
        if (i < JA_COUNT(included)) {
            ja_step_run(p->plan, step, "include", included[i], NULL);
        } else {
            const char *device = i < own ? "bpf*" : jail->devices.items[i - own];
            ja_step_run(p->plan, step, "path", ja_str_starts(device, "/dev/") ? device + 5 : device, "unhide", NULL);
        }
        if (i == 0)
            ja_step_undo(p->plan, step, TOOL("devfs"), "rule", "-s", number, "delset", NULL);
    }
}

/* ---- mounts ---- */

static void mount_step(struct ja_planning *p, const char *tree, const char *target, const char *type,
                       const char *options, const char *source)
{
    char path[2048];
    snprintf(path, sizeof path, "%s%s", tree, target);
    struct ja_step *step =
        ja_plan_host_step(p, "mount-point", "make the place of a mount, beneath its tree without links");
    ja_step_run(p->plan, step, tree, target, NULL);
    step = ja_plan_step(p->plan, "mount what it asks for");
    ja_step_run(p->plan, step, TOOL("mount"), "-t", type, NULL);
    if (options)
        ja_step_run(p->plan, step, "-o", options, NULL);
    ja_step_run(p->plan, step, source, path, NULL);
    ja_step_undo_host(p, step, "unmount", path, NULL);
    ja_step_guard(p->plan, step, JA_FACT_MOUNT, path, type);
}

static void make_mounts(struct ja_planning *p, const struct ja_jail *jail, const char *tree)
{
    for (size_t i = 0; i < jail->mounts.count; i++) {
        const struct ja_mount *mount = jail->mounts.items[i];
        char options[64];
        switch (mount->type) {
        case JA_MOUNT_BIND:
            mount_step(p, tree, mount->target, "nullfs", mount->readonly ? "ro" : NULL, mount->source);
            break;
        case JA_MOUNT_TMPFS:
            snprintf(options, sizeof options, "size=%lld", (long long)mount->size);
            mount_step(p, tree, mount->target, "tmpfs", mount->size ? options : NULL, "tmpfs");
            break;
        case JA_MOUNT_PROCFS:
            mount_step(p, tree, mount->target, "procfs", NULL, "proc");
            break;
        default:
            mount_step(p, tree, mount->target, "fdescfs", NULL, "null");
            break;
        }
    }
    for (size_t i = 0; i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        ja_autofree char *path = ja_path_volume(p, jail->name, volume->name);
        if (path)
            mount_step(p, tree, volume->target, "nullfs", NULL, path);
    }
}

static void unmount_step(struct ja_planning *p, const char *tree, const char *target)
{
    struct ja_step *step = ja_plan_host_step(p, "unmount", "undo its mounts, which the kernel leaves");
    ja_step_runf(p->plan, step, "%s%s", tree, target);
}

static void undo_mounts(struct ja_planning *p, const struct ja_jail *jail, const char *tree)
{
    for (size_t i = jail->volumes.count; i-- > 0;)
        unmount_step(p, tree, ((const struct ja_volume *)jail->volumes.items[i])->target);
    for (size_t i = jail->mounts.count; i-- > 0;)
        unmount_step(p, tree, ((const struct ja_mount *)jail->mounts.items[i])->target);
    unmount_step(p, tree, "/dev");
}

/* ---- the jail ---- */

/* The addresses of a jail without a network stack of its own: IF|ADDR/LEN, comma between them. */
static void shared_addresses(struct ja_planning *p, const struct ja_subject *s, struct ja_step *step)
{
    for (int v6 = 0; v6 < 2; v6++) {
        ja_autostr struct ja_str list = {0};
        for (size_t i = 0; i < s->jail->nics.count; i++) {
            struct ja_freebsd_nic nic;
            ja_freebsd_nic_fill(p, s, i, &nic);
            for (size_t a = 0; a < nic.nic->assigned.count; a++) {
                const char *text = nic.nic->assigned.items[a];
                if (!strchr(text, ':') == !v6)
                    ja_str_addf(&list, "%s%s|%.*s/%d", list.length ? "," : "", nic.bridge, (int)strcspn(text, "/"),
                                text, v6 ? 128 : 32);
            }
        }
        if (list.failed)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        else if (list.length)
            ja_step_runf(p->plan, step, "ip%c.addr=%s", v6 ? '6' : '4', list.text);
        else
            ja_step_runf(p->plan, step, "ip%c=disable", v6 ? '6' : '4');
    }
}

static void network_words(struct ja_planning *p, const struct ja_subject *s, struct ja_step *step)
{
    const struct ja_jail *jail = s->jail;
    struct ja_freebsd_nic nic;
    switch (jail->vnet) {
    case JA_VNET_YES:
        ja_step_run(p->plan, step, "vnet", NULL);
        if (jail->nics.count) {
            ja_freebsd_nic_fill(p, s, 0, &nic);
            ja_step_runf(p->plan, step, "vnet.interface=%s", nic.inner);
        }
        ja_step_run(p->plan, step, "allow.raw_sockets", NULL);
        break;
    case JA_VNET_SHARED:
        shared_addresses(p, s, step);
        break;
    default:
        ja_step_run(p->plan, step, "ip4=inherit", "ip6=inherit", NULL);
        break;
    }
}

static void make_jail(struct ja_planning *p, const struct ja_subject *s, const char *name, const char *tree)
{
    const struct ja_jail *jail = s->jail;
    char mark[2048], devices[2048];
    struct ja_step *step = ja_plan_step(p->plan, "make the jail");
    ja_step_run(p->plan, step, TOOL("jail"), "-c", NULL);
    ja_step_runf(p->plan, step, "name=%s", name);
    ja_step_runf(p->plan, step, "path=%s", tree);
    ja_step_runf(p->plan, step, "host.hostname=%s", jail->hostname ? jail->hostname : jail->name);
    ja_step_runf(p->plan, step, "host.hostuuid=%s", jail->uuid);
    ja_step_run(p->plan, step, "persist", "enforce_statfs=2", "mount.devfs", NULL);
    ja_step_runf(p->plan, step, "devfs_ruleset=%lld", (long long)ruleset_of(p, jail));
    network_words(p, s, step);
    for (size_t i = 0; i < jail->allow.count; i++)
        if (strcmp(jail->allow.items[i], "raw_sockets") != 0 || jail->vnet != JA_VNET_YES)
            ja_step_runf(p->plan, step, "allow.%s", jail->allow.items[i]);
    ja_step_undo_host(p, step, "jail-remove", name, tree, NULL);
    snprintf(mark, sizeof mark, "%s *", tree);
    ja_step_guard(p->plan, step, JA_FACT_JAIL, name, mark);
    /* Its devfs stays when the jail goes: a step of its own, which does nothing but undo that. */
    snprintf(devices, sizeof devices, "%s/dev", tree);
    step = ja_plan_host_step(p, "mounted", "see that its devices are there");
    ja_step_run(p->plan, step, devices, "devfs", NULL);
    ja_step_undo_host(p, step, "unmount", devices, NULL);
    ja_step_guard(p->plan, step, JA_FACT_MOUNT, devices, "devfs");
}

/* The jail's own start script; what it prints goes to the jail's log. */
static void run_init(struct ja_planning *p, const struct ja_jail *jail, const char *name, const char *tree)
{
    ja_autofree char *dir = ja_path_jail(p, jail->name);
    if (!dir || (jail->init.count == 0 && !ja_fact(p->facts, JA_FACT_INIT, tree)))
        return;
    struct ja_step *step = ja_plan_host_step(p, "logged", "run its start script");
    ja_step_run(p->plan, step, "--log", NULL);
    ja_step_runf(p->plan, step, "%s/console.log", dir);
    ja_step_run(p->plan, step, "--log-limit", NULL);
    ja_step_runf(p->plan, step, "%d", LOG_LIMIT);
    ja_step_run(p->plan, step, "--", TOOL("jexec"), name, NULL);
    for (size_t i = 0; i < jail->init.count; i++)
        ja_step_run(p->plan, step, jail->init.items[i], NULL);
    if (jail->init.count == 0)
        ja_step_run(p->plan, step, "/bin/sh", "/etc/rc", NULL);
    step->timeout_ms = RC_TIMEOUT_MS;
    step->flags |= JA_STEP_IGNORE; /* a service that does not start is no reason to take the jail away */
}

/* No process lives as long as a jail: what stands for one is the kernel's jail. JA_FACT_PROCESS and exec read this. */
static void write_pid(struct ja_planning *p, const char *run, const char *name, const char *tree)
{
    char path[512];
    snprintf(path, sizeof path, "%s/pid", run);
    struct ja_step *step = ja_plan_host_step(p, "write", "note which jail of the kernel it is");
    ja_step_run(p->plan, step, "--mode", "0644", path, NULL);
    ja_step_input(p->plan, step, "%s %s\n", name, tree);
    ja_step_undo_host(p, step, "remove", path, NULL);
}

/* What a field cannot do here, or does weakly. */
static void notes(struct ja_planning *p, const struct ja_jail *jail)
{
    if (jail->vnet != JA_VNET_YES && jail->forwards.count) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field forwards", "only jails with vnet=yes have forwards");
        ja_plan_hint(p->plan, "its programs can listen on the host's own addresses");
    }
    if (jail->privileged)
        ja_plan_note(p->plan,
                     "%s: privileged has no effect on FreeBSD; `allow` says what a jail may do more than others",
                     jail->name);
    if (jail->limits.swap && !jail->limits.memory)
        ja_plan_note(p->plan, "%s: limits.swap has no effect without limits.memory", jail->name);
    if (jail->limits.cpu && jail->limits.cpu < 10)
        ja_plan_note(p->plan, "%s: limits.cpu is counted in hundredths of a core: less is no limit", jail->name);
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        if (nic->vlan)
            ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field nics.vlan",
                         "VLANs of single nics are not built for FreeBSD");
    }
}

/* A jail with the host's network has all of its local services within reach. */
static void warn_shared(struct ja_planning *p, const struct ja_jail *jail)
{
    if (jail->vnet == JA_VNET_INHERIT)
        ja_plan_note(p->plan, "%s has the host's network: it reaches the host's local services, and takes its ports",
                     jail->name);
    else if (jail->vnet == JA_VNET_SHARED)
        ja_plan_note(p->plan,
                     "%s shares its addresses with the host: jails of its networks do not reach them, as they do not "
                     "reach the host",
                     jail->name);
}

/* One of ours that is dying does not keep its name. */
static void check_name(struct ja_planning *p, const char *name, const char *tree)
{
    const char *fact = ja_fact(p->facts, JA_FACT_JAIL, name);
    if (!fact || is_at(fact, tree))
        return;
    ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "the host has a jail %s already", name);
    ja_plan_hint(p->plan, "`jls -j %s` shows it", name);
}

static void start(struct ja_planning *p, const struct ja_subject *s)
{
    const struct ja_jail *jail = s->jail;
    ja_autofree char *run = ja_path_run(p, jail), *tree = ja_path_root(p, jail);
    char name[JA_FREEBSD_JAILNAME];
    if (!run || !tree)
        return;
    ja_freebsd_jail_name(p, jail, name);
    check_name(p, name, tree);
    notes(p, jail);
    warn_shared(p, jail);
    ja_plan_names(p, s);
    struct ja_step *step = ja_plan_host_step(p, "mkdir", "make its runtime directory");
    ja_step_run(p->plan, step, "--mode", "0711", run, NULL);
    ja_step_undo_host(p, step, "remove-tree", run, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, run, "dir");
    if (jail->vnet == JA_VNET_YES) {
        ja_freebsd_nic_rules_add(p, s);
        ja_freebsd_nics_add(p, s);
    }
    make_ruleset(p, jail);
    make_mounts(p, jail, tree);
    ja_freebsd_limits_add(p, jail, name);
    make_jail(p, s, name, tree);
    write_pid(p, run, name, tree);
    if (jail->vnet == JA_VNET_YES) {
        ja_freebsd_nics_configure(p, s, name);
        ja_dns_names_add(p, s);
        ja_freebsd_forwards_add(p, s);
    }
    ja_applied_write(p, jail, NULL, run);
    run_init(p, jail, name, tree);
}

static void started(JA_UNUSED struct ja_planning *p, JA_UNUSED const struct ja_subject *s)
{
}

static bool left(struct ja_planning *p, const struct ja_subject *s)
{
    ja_autofree char *run = ja_path_run(p, s->jail), *tree = ja_path_root(p, s->jail);
    bool left = run && ja_fact(p->facts, JA_FACT_PATH, run);
    const char *fact = ja_freebsd_jail_fact(p, s->jail), *state = fact ? strrchr(fact, ' ') : NULL;
    /* What is only dying needs nothing of us. */
    left = (state && strcmp(state + 1, "active") == 0) || left;
    left = (tree && ja_factf(p->facts, JA_FACT_MOUNT, "%s/dev", tree)) || left;
    return ja_freebsd_nics_left(p, s) || left;
}

static void clean(struct ja_planning *p, const struct ja_subject *s)
{
    const struct ja_jail *jail = s->jail;
    ja_autofree char *run = ja_path_run(p, jail), *tree = ja_path_root(p, jail);
    char name[JA_FREEBSD_JAILNAME], number[24];
    if (!run || !tree)
        return;
    ja_freebsd_jail_name(p, jail, name);
    struct ja_step *step = ja_plan_host_step(p, "jail-remove", "end it, with all of its processes");
    ja_step_run(p->plan, step, name, tree, NULL);
    if (jail->vnet == JA_VNET_YES) {
        ja_freebsd_forwards_remove(p, s);
        ja_dns_names_remove(p, s);
        ja_freebsd_nics_remove(p, s);
        ja_freebsd_nic_rules_remove(p, s);
    }
    step = ja_plan_host_step(p, "jail-wait", "wait until the kernel has let go of it");
    ja_step_run(p->plan, step, name, tree, NULL);
    step->flags |= JA_STEP_IGNORE | JA_STEP_ONCE;
    undo_mounts(p, jail, tree);
    ja_freebsd_limits_remove(p, name);
    if (has_ruleset(jail)) {
        snprintf(number, sizeof number, "%lld", (long long)ruleset_of(p, jail));
        step = ja_plan_step(p->plan, "remove its rules for devices");
        ja_step_run(p->plan, step, TOOL("devfs"), "rule", "-s", number, "delset", NULL);
        step->flags |= JA_STEP_IGNORE;
    }
    step = ja_plan_host_step(p, "remove-tree", "remove its runtime directory");
    ja_step_run(p->plan, step, run, NULL);
}

static void stop(struct ja_planning *p, const struct ja_subject *s, bool force)
{
    const struct ja_jail *jail = s->jail;
    ja_autofree char *tree = ja_path_root(p, jail), *dir = ja_path_jail(p, jail->name);
    char name[JA_FREEBSD_JAILNAME];
    if (!tree || !dir)
        return;
    ja_freebsd_jail_name(p, jail, name);
    bool can = jail->stop_command.count || ja_fact(p->facts, JA_FACT_INIT, tree);
    if (!force && jail->stop_timeout > 0 && can) {
        struct ja_step *step = ja_plan_host_step(p, "logged", "ask it to shut down, for at most %lld s",
                                                 (long long)((jail->stop_timeout + 999) / 1000));
        ja_step_run(p->plan, step, "--log", NULL);
        ja_step_runf(p->plan, step, "%s/console.log", dir);
        ja_step_run(p->plan, step, "--log-limit", NULL);
        ja_step_runf(p->plan, step, "%d", LOG_LIMIT);
        ja_step_run(p->plan, step, "--", TOOL("jexec"), name, NULL);
        for (size_t i = 0; i < jail->stop_command.count; i++)
            ja_step_run(p->plan, step, jail->stop_command.items[i], NULL);
        if (jail->stop_command.count == 0)
            ja_step_run(p->plan, step, "/bin/sh", "/etc/rc.shutdown", "jail", NULL);
        step->timeout_ms = jail->stop_timeout;
        step->flags |= JA_STEP_IGNORE;
    }
    clean(p, s);
}

static void exec_words(struct ja_planning *p, struct ja_step *step, const struct ja_jail *jail)
{
    char name[JA_FREEBSD_JAILNAME];
    ja_freebsd_jail_name(p, jail, name);
    ja_step_run(p->plan, step, TOOL("jexec"), name, NULL);
}

/* What is outside of the running jail: how it is set up within is its own affair. */
static void repair(struct ja_planning *p, const struct ja_subject *s)
{
    char name[JA_FREEBSD_JAILNAME];
    if (!running(p, s->jail) || s->jail->vnet != JA_VNET_YES)
        return;
    ja_freebsd_jail_name(p, s->jail, name);
    ja_freebsd_nic_rules_add(p, s);
    ja_freebsd_nics_repair(p, s, name);
    ja_dns_names_add(p, s);
    ja_freebsd_forwards_repair(p, s);
}

static void update(struct ja_planning *p, const struct ja_subject *applied, const struct ja_subject *live)
{
    ja_autofree char *run = ja_path_run(p, live->jail);
    char name[JA_FREEBSD_JAILNAME];
    if (!run)
        return;
    ja_freebsd_jail_name(p, live->jail, name);
    ja_freebsd_limits_change(p, applied->jail, live->jail, name);
    if (!ja_object_equal(&ja_noun_jail, applied->jail, live->jail))
        ja_applied_write(p, live->jail, applied->jail, run);
}

const struct ja_host ja_host_freebsd = {
    .name = "freebsd",
    .network_up = ja_freebsd_network_up,
    .network_down = ja_freebsd_network_down,
    .network_is_up = ja_freebsd_network_is_up,
    .network_needs_stop = ja_freebsd_network_needs_stop,
    .network_change = ja_freebsd_network_change,
    .network_changed = ja_freebsd_network_changed,
    .jail_repair = repair,
    .jail_start = start,
    .jail_started = started,
    .jail_stop = stop,
    .jail_clean = clean,
    .jail_left = left,
    .jail_update = update,
    .jail_notes = notes,
    .jail_running = running,
    .jail_exec = exec_words,
    .forwards_change = ja_freebsd_forwards_change,
    .examine = ja_freebsd_examine,
    .leftovers = ja_freebsd_leftovers,
    .instance_down = ja_freebsd_instance_down,
};
