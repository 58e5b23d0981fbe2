/*
 * jail.c: starting and stopping a jail on FreeBSD: pairs, mounts and limits first, then one jail(8) that makes the jail with its
 * first interface, then what is done inside. The order of the end is the opposite one: jail(8) leaves devfs and all other
 * mounts behind, limits too, and interfaces fall back to the host.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* ---- names ---- */

static bool is_at(const char *fact, const char *tree)
{
    size_t length = tree ? strlen(tree) : 0;
    return fact && tree && strncmp(fact, tree, length) == 0 && fact[length] == ' ';
}

/* The kernel's jail is ours: at its tree, or at that of another of its boot environments, which it was started on. */
static bool is_ours(struct ja_planning *p, const struct ja_jail *jail, const char *fact)
{
    ja_autofree char *tree = ja_path_root(p, jail), *all = ja_path_be(p, jail, "");
    size_t length = all ? strlen(all) : 0;
    if (is_at(fact, tree))
        return true;
    return fact && all && p->build != jail && strncmp(fact, all, length) == 0 && fact[length] == '/' &&
           strcspn(fact + length + 1, "/ ") == strcspn(fact + length + 1, " ");
}

void ja_freebsd_jail_name(struct ja_planning *p, const struct ja_jail *jail, char name[JA_FREEBSD_JAILNAME])
{
    const char *plain = ja_fact(p->facts, JA_FACT_JAIL, jail->name);
    if (!plain || is_ours(p, jail, plain))
        snprintf(name, JA_FREEBSD_JAILNAME, "%s", jail->name);
    else
        snprintf(name, JA_FREEBSD_JAILNAME, "ja%s-%s", p->site->tag, jail->name);
}

const char *ja_freebsd_jail_fact(struct ja_planning *p, const struct ja_jail *jail)
{
    char name[JA_FREEBSD_JAILNAME];
    ja_freebsd_jail_name(p, jail, name);
    const char *fact = ja_fact(p->facts, JA_FACT_JAIL, name);
    return is_ours(p, jail, fact) ? fact : NULL;
}

static bool running(struct ja_planning *p, const struct ja_jail *jail)
{
    const char *fact = ja_freebsd_jail_fact(p, jail);
    const char *state = fact ? strrchr(fact, ' ') : NULL;
    return state && strcmp(state + 1, "active") == 0;
}

/* ---- the jail ---- */

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
        ja_freebsd_shared_words(p, s, step);
        break;
    default:
        ja_step_run(p->plan, step, "ip4=inherit", "ip6=inherit", NULL);
        break;
    }
}

/* Each is a parameter of this kernel, which has an entry for it among its settings; that of allow.mount has no name to ask for. */
static bool is_allowance(struct ja_planning *p, const char *word)
{
    size_t missing = p->facts->missing;
    return strcmp(word, "mount") == 0 || ja_factf(p->facts, JA_FACT_SYSCTL, "security.jail.param.allow.%s", word) ||
           p->facts->missing != missing;
}

static void allow_words(struct ja_planning *p, const struct ja_jail *jail, struct ja_step *step)
{
    for (size_t i = 0; i < jail->allow.count; i++) {
        const char *word = jail->allow.items[i];
        if (!is_allowance(p, word)) {
            ja_plan_fail(p->plan, JA_E_INVALID, "field allow", "this kernel knows no allow.%s", JA_SHOW(word));
            ja_plan_hint(p->plan, "`sysctl -N security.jail.param.allow` lists what it knows");
        }
        if (ja_str_starts(word, "mount") && jail->enforce_statfs > 1)
            ja_plan_note(p->plan, "%s: allow=%s has no effect with enforce-statfs=2", jail->name, word);
        if (strcmp(word, "raw_sockets") != 0 || jail->vnet != JA_VNET_YES)
            ja_step_runf(p->plan, step, "allow.%s", word);
    }
}

static void sysvipc_words(struct ja_planning *p, const struct ja_jail *jail, struct ja_step *step)
{
    static const char *const kinds[] = {"sysvmsg", "sysvsem", "sysvshm"};
    if (jail->sysvipc == JA_SYSVIPC_DISABLE)
        return;
    for (size_t i = 0; i < JA_COUNT(kinds); i++)
        ja_step_runf(p->plan, step, "%s=%s", kinds[i], jail->sysvipc == JA_SYSVIPC_NEW ? "new" : "inherit");
}

static void make_jail(struct ja_planning *p, const struct ja_subject *s, const char *name, const char *tree)
{
    const struct ja_jail *jail = s->jail;
    char mark[2048];
    struct ja_step *step = ja_plan_step(p->plan, "make the jail");
    ja_step_run(p->plan, step, TOOL("jail"), "-c", NULL);
    ja_step_runf(p->plan, step, "name=%s", name);
    ja_step_runf(p->plan, step, "path=%s", tree);
    ja_step_runf(p->plan, step, "host.hostname=%s", jail->hostname ? jail->hostname : jail->name);
    ja_step_runf(p->plan, step, "host.hostuuid=%s", jail->uuid);
    ja_step_run(p->plan, step, "persist", NULL);
    ja_step_runf(p->plan, step, "enforce_statfs=%lld", (long long)jail->enforce_statfs);
    ja_step_runf(p->plan, step, "devfs_ruleset=%lld", (long long)ja_freebsd_ruleset(p, jail));
    ja_step_runf(p->plan, step, "children.max=%lld", (long long)jail->children);
    sysvipc_words(p, jail, step);
    network_words(p, s, step);
    allow_words(p, jail, step);
    ja_step_undo_host(p, step, "jail-remove", name, tree, NULL);
    snprintf(mark, sizeof mark, "%s *", tree);
    ja_step_guard(p->plan, step, JA_FACT_JAIL, name, mark);
}

/* After its network is set up, which a high one forbids. */
static void raise_securelevel(struct ja_planning *p, const struct ja_jail *jail, const char *name)
{
    int64_t level = ja_freebsd_securelevel(jail);
    if (level < 0)
        return;
    struct ja_step *step = ja_plan_step(p->plan, "raise its securelevel");
    ja_step_run(p->plan, step, TOOL("jail"), "-m", NULL);
    ja_step_runf(p->plan, step, "name=%s", name);
    ja_step_runf(p->plan, step, "securelevel=%lld", (long long)level);
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
    ja_freebsd_shape_check(p, jail);
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
        char object[96];
        if (!nic->vlan)
            continue;
        snprintf(object, sizeof object, "field nics.%s.vlan", nic->label);
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, object, "a bridge of FreeBSD knows no VLANs of single nics");
        ja_plan_hint(p->plan, "give the nic a network of its own that has vlan=%lld", (long long)nic->vlan);
    }
}

/* A jail with the host's network has all of its local services within reach. */
static void warn_shared(struct ja_planning *p, const struct ja_jail *jail)
{
    if (jail->vnet == JA_VNET_INHERIT)
        ja_plan_note(p->plan, "%s has the host's network: it reaches the host's local services, and takes its ports",
                     jail->name);
    else if (jail->vnet == JA_VNET_SHARED && jail->nics.count)
        ja_plan_note(p->plan,
                     "%s shares its addresses with the host: jails of its networks do not reach them, as they do not "
                     "reach the host; what listens at localhost in it listens at its first address",
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
        ja_freebsd_shape_module(p, jail);
        ja_freebsd_nic_rules_add(p, s);
        ja_freebsd_nics_add(p, s);
    } else if (jail->vnet == JA_VNET_SHARED) {
        ja_freebsd_shape_module(p, jail);
        ja_freebsd_shared_add(p, s);
        ja_freebsd_shape_host_add(p, s);
    }
    ja_freebsd_mounts_make(p, jail, tree);
    ja_freebsd_limits_add(p, jail, name);
    make_jail(p, s, name, tree);
    write_pid(p, run, name, tree);
    ja_freebsd_cpuset(p, NULL, jail->limits.cpuset, name, tree);
    if (jail->vnet == JA_VNET_YES) {
        ja_freebsd_nics_configure(p, s, name);
        ja_freebsd_shape_add(p, s, name);
        ja_dns_names_add(p, s);
        ja_freebsd_forwards_add(p, s);
    }
    raise_securelevel(p, jail, name);
    ja_plan_note_applied(p, jail, NULL);
    /* One that builds a template does nothing by itself. */
    if (p->build != jail)
        ja_freebsd_init_start(p, jail, run);
}

static void started(struct ja_planning *p, const struct ja_subject *s)
{
    ja_autofree char *run = ja_path_run(p, s->jail);
    if (run)
        ja_plan_services_start(p, s->jail, run);
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
    char name[JA_FREEBSD_JAILNAME];
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
    } else if (jail->vnet == JA_VNET_SHARED) {
        ja_freebsd_shape_host_remove(p, s);
        ja_freebsd_shared_remove(p, s);
    }
    step = ja_plan_host_step(p, "jail-wait", "wait until the kernel has let go of it");
    ja_step_run(p->plan, step, name, tree, NULL);
    step->flags |= JA_STEP_IGNORE | JA_STEP_ONCE;
    ja_freebsd_mounts_undo(p, tree);
    ja_freebsd_limits_remove(p, name);
    ja_freebsd_ruleset_remove(p, jail);
    step = ja_plan_host_step(p, "remove-tree", "remove its runtime directory");
    ja_step_run(p->plan, step, run, NULL);
}

static void stop(struct ja_planning *p, const struct ja_subject *s, bool force)
{
    const struct ja_jail *jail = s->jail;
    ja_autofree char *run = ja_path_run(p, jail), *tree = ja_path_root(p, jail);
    if (!run || !tree)
        return;
    if (!force && jail->stop_timeout > 0 && running(p, jail)) {
        ja_plan_services_stop(p, jail, run);
        ja_freebsd_init_stop(p, jail, run, tree);
    }
    clean(p, s);
}

static void exec_words(struct ja_planning *p, struct ja_step *step, const struct ja_jail *jail)
{
    char name[JA_FREEBSD_JAILNAME];
    ja_freebsd_jail_name(p, jail, name);
    /* jexec hands the environment on. */
    if (jail->env.count)
        ja_step_run(p->plan, step, TOOL("env"), NULL);
    for (size_t i = 0; i < jail->env.count; i++)
        ja_step_runf(p->plan, step, "%s=%s", jail->env.pairs[i].key, jail->env.pairs[i].value);
    ja_step_run(p->plan, step, TOOL("jexec"), name, NULL);
}

/* What is outside of the running jail: how it is set up within is its own affair. */
static void repair(struct ja_planning *p, const struct ja_subject *s)
{
    char name[JA_FREEBSD_JAILNAME];
    if (!running(p, s->jail))
        return;
    if (s->jail->vnet == JA_VNET_SHARED)
        ja_freebsd_shape_host_add(p, s);
    if (s->jail->vnet == JA_VNET_YES) {
        ja_freebsd_jail_name(p, s->jail, name);
        ja_freebsd_nic_rules_add(p, s);
        ja_freebsd_nics_repair(p, s, name);
        ja_dns_names_add(p, s);
        ja_freebsd_forwards_repair(p, s);
    }
    /* Not all of these commands can be repeated: what fails is a warning, and the next repair looks at what is there. */
    for (size_t i = 0; i < p->plan->count; i++)
        p->plan->steps[i]->flags |= JA_STEP_IGNORE;
}

static void update(struct ja_planning *p, const struct ja_subject *applied, const struct ja_subject *live)
{
    ja_autofree char *tree = ja_path_root(p, applied->jail);
    char name[JA_FREEBSD_JAILNAME];
    if (!tree)
        return;
    ja_freebsd_jail_name(p, live->jail, name);
    ja_freebsd_limits_change(p, applied->jail, live->jail, name);
    ja_freebsd_cpuset(p, applied->jail->limits.cpuset, live->jail->limits.cpuset, name, tree);
    if (live->jail->vnet == JA_VNET_YES)
        ja_freebsd_shape_change(p, applied, live, name);
    else if (live->jail->vnet == JA_VNET_SHARED)
        ja_freebsd_shape_host_change(p, applied, live);
    if (!ja_object_equal(&ja_noun_jail, applied->jail, live->jail))
        ja_plan_note_applied(p, live->jail, applied->jail);
}

static const char *usage(struct ja_planning *p, const struct ja_jail *jail)
{
    char name[JA_FREEBSD_JAILNAME];
    ja_freebsd_jail_name(p, jail, name);
    return ja_fact(p->facts, JA_FACT_USAGE, name);
}

static void updated(struct ja_planning *p, const struct ja_subject *applied, const struct ja_subject *live)
{
    char name[JA_FREEBSD_JAILNAME];
    ja_freebsd_jail_name(p, live->jail, name);
    if (live->jail->vnet == JA_VNET_YES)
        ja_freebsd_shape_changed(p, applied, live, name);
    else if (live->jail->vnet == JA_VNET_SHARED)
        ja_freebsd_shape_host_changed(p, applied, live);
}

const struct ja_host ja_host_freebsd = {
    .name = "freebsd",
    .network_up = ja_freebsd_network_up,
    .network_down = ja_freebsd_network_down,
    .network_is_up = ja_freebsd_network_is_up,
    .dns_answers = ja_dns_answers,
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
    .jail_updated = updated,
    .jail_notes = notes,
    .jail_running = running,
    .jail_usage = usage,
    .jail_exec = exec_words,
    .jail_run = ja_freebsd_jail_run,
    .jail_ask = ja_freebsd_jail_ask,
    .forwards_change = ja_freebsd_forwards_change,
    .examine = ja_freebsd_examine,
    .leftovers = ja_freebsd_leftovers,
    .instance_down = ja_freebsd_instance_down,
};
