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

/* ---- limits ---- */

static size_t limit_rules(const struct ja_jail *jail, const char *name, struct ja_strv *rules)
{
    const struct {
        const char *resource;
        int64_t amount;
    } limits[] = {
        {"pcpu", jail->limits.cpu / 10}, /* thousandths of a core as percent */
        {"memoryuse", jail->limits.memory},  {"swapuse", jail->limits.memory ? jail->limits.swap : 0},
        {"maxproc", jail->limits.processes}, {"openfiles", jail->limits.files},
        {"readbps", jail->limits.read_rate}, {"writebps", jail->limits.write_rate},
    };
    for (size_t i = 0; i < JA_COUNT(limits); i++) {
        bool rate = strstr(limits[i].resource, "bps") != NULL;
        if (limits[i].amount > 0)
            ja_strv_addf(rules, "jail:%s:%s:%s=%lld", name, limits[i].resource, rate ? "throttle" : "deny",
                         (long long)limits[i].amount);
    }
    return rules->count;
}

/* Gives the rules of `jail`, if it has any; the undo takes those of that name away. */
static void add_limits(struct ja_planning *p, const struct ja_jail *jail, const char *name, const char *why)
{
    ja_autostrv struct ja_strv rules = {0};
    char subject[JA_FREEBSD_JAILNAME + 8];
    if (limit_rules(jail, name, &rules) == 0)
        return;
    const char *enabled = ja_fact(p->facts, JA_FACT_SYSCTL, "kern.racct.enable");
    if (!enabled || strcmp(enabled, "1") != 0) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field limits", "this kernel does not count what jails use");
        ja_plan_hint(p->plan, "write kern.racct.enable=1 into /boot/loader.conf and boot again");
        return;
    }
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("rctl"), "-a", NULL);
    for (size_t i = 0; i < rules.count; i++)
        ja_step_run(p->plan, step, rules.items[i], NULL);
    snprintf(subject, sizeof subject, "jail:%s", name);
    ja_step_undo(p->plan, step, TOOL("rctl"), "-r", subject, NULL);
    ja_step_guard(p->plan, step, JA_FACT_RCTL, subject, NULL);
}

static void remove_limits(struct ja_planning *p, const char *name)
{
    char subject[JA_FREEBSD_JAILNAME + 8];
    snprintf(subject, sizeof subject, "jail:%s", name);
    if (!ja_fact(p->facts, JA_FACT_RCTL, subject))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "forget its limits, which outlive it");
    ja_step_run(p->plan, step, TOOL("rctl"), "-r", subject, NULL);
    step->flags |= JA_STEP_IGNORE;
}

/* rctl has no change of a rule: the old ones go, the new ones come. */
static void change_limits(struct ja_planning *p, const struct ja_jail *applied, const struct ja_jail *live)
{
    ja_autostrv struct ja_strv old = {0}, new = {0};
    char name[JA_FREEBSD_JAILNAME];
    ja_freebsd_jail_name(p, live, name);
    limit_rules(applied, name, &old);
    limit_rules(live, name, &new);
    bool same = old.count == new.count;
    for (size_t i = 0; same && i < old.count; i++)
        same = strcmp(old.items[i], new.items[i]) == 0;
    if (same)
        return;
    if (old.count) {
        struct ja_step *step = ja_plan_step(p->plan, "take the limits away that it has");
        ja_step_run(p->plan, step, TOOL("rctl"), "-r", NULL);
        ja_step_runf(p->plan, step, "jail:%s", name);
        ja_step_undo(p->plan, step, TOOL("rctl"), "-a", NULL);
        for (size_t i = 0; i < old.count; i++)
            ja_step_undo(p->plan, step, old.items[i], NULL);
    }
    add_limits(p, live, name, "limit the running jail anew");
}

static void update(struct ja_planning *p, const struct ja_subject *applied, const struct ja_subject *live)
{
    change_limits(p, applied->jail, live->jail);
    if (!ja_object_equal(&ja_noun_jail, applied->jail, live->jail))
        ja_plan_note_applied(p, live->jail, applied->jail);
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
    if (jail->securelevel < 0)
        return;
    struct ja_step *step = ja_plan_step(p->plan, "raise its securelevel");
    ja_step_run(p->plan, step, TOOL("jail"), "-m", NULL);
    ja_step_runf(p->plan, step, "name=%s", name);
    ja_step_runf(p->plan, step, "securelevel=%lld", (long long)jail->securelevel);
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

static void start(struct ja_planning *p, const struct ja_subject *s)
{
    const struct ja_jail *jail = s->jail;
    ja_autofree char *run = ja_path_run(p, jail), *tree = ja_path_root(p, jail);
    char name[JA_FREEBSD_JAILNAME];
    if (!run || !tree)
        return;
    ja_freebsd_jail_name(p, jail, name);
    if (ja_fact(p->facts, JA_FACT_JAIL, name))
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "the host has a jail %s already", name);
    ja_plan_names(p, s);
    struct ja_step *step = ja_plan_host_step(p, "mkdir", "make its runtime directory");
    ja_step_run(p->plan, step, "--mode", "0711", run, NULL);
    ja_step_undo_host(p, step, "remove-tree", run, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, run, "dir");
    if (jail->vnet == JA_VNET_YES)
        ja_freebsd_nics_add(p, s);
    ja_freebsd_mounts_make(p, jail, tree);
    add_limits(p, jail, name, "limit it");
    make_jail(p, s, name, tree);
    write_pid(p, run, name, tree);
    if (jail->vnet == JA_VNET_YES)
        ja_freebsd_nics_configure(p, s, name);
    raise_securelevel(p, jail, name);
    ja_plan_note_applied(p, jail, NULL);
    /* One that builds a template does nothing by itself. */
    if (p->build != jail)
        ja_freebsd_init_start(p, jail, run, tree);
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
    left = ja_freebsd_jail_fact(p, s->jail) || left;
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
    ja_freebsd_nics_remove(p, s);
    ja_freebsd_mounts_undo(p, tree);
    remove_limits(p, name);
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

static void notes(struct ja_planning *p, const struct ja_jail *jail)
{
    if (jail->privileged)
        ja_plan_note(p->plan, "%s: privileged has no effect on FreeBSD", jail->name);
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

/* Networks do not change under running jails here yet: what needs that says so. */
static bool network_needs_stop(JA_UNUSED const struct ja_network *from, JA_UNUSED const struct ja_network *to)
{
    return true;
}

static void network_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    ja_freebsd_network_down(p, from);
    ja_freebsd_network_up(p, to);
}

const struct ja_host ja_host_freebsd = {
    .name = "freebsd",
    .network_up = ja_freebsd_network_up,
    .network_down = ja_freebsd_network_down,
    .network_is_up = ja_freebsd_network_is_up,
    .network_needs_stop = network_needs_stop,
    .network_changed = network_changed,
    .jail_start = start,
    .jail_started = started,
    .jail_stop = stop,
    .jail_clean = clean,
    .jail_left = left,
    .jail_update = update,
    .jail_notes = notes,
    .jail_running = running,
    .jail_exec = exec_words,
    .jail_run = ja_freebsd_jail_run,
    .jail_ask = ja_freebsd_jail_ask,
    .instance_down = ja_freebsd_instance_down,
};
