/*
 * container.c: a jail as a container of crun: its bundle, the pid file, the log, and what is to be removed after its end.
 */
#include "host/linux/linux.h"
#include "host/linux/oci.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

enum { MOUNTS_MOST = 64 };

void ja_linux_container_id(const struct ja_site *site, const struct ja_jail *jail, char id[32])
{
    snprintf(id, 32, "ja%s%lld", site->tag, (long long)jail->slot);
}

/* systemd owns the hierarchy where it runs: there the cgroups of jails are below a unit that it has handed over. */
static bool under_systemd(struct ja_planning *p)
{
    return ja_fact(p->facts, JA_FACT_PATH, "/run/systemd/system") != NULL;
}

static void instance_cgroup(struct ja_planning *p, char path[32])
{
    snprintf(path, 32, "/jailadmin-%s%s", p->site->tag, under_systemd(p) ? ".service" : "");
}

void ja_linux_cgroup_path(struct ja_planning *p, const struct ja_jail *jail, char path[64])
{
    char id[32], above[32];
    ja_linux_container_id(p->site, jail, id);
    instance_cgroup(p, above);
    snprintf(path, 64, "%s/%s", above, id);
}

void ja_linux_unit_up(struct ja_planning *p)
{
    char unit[32];
    snprintf(unit, sizeof unit, "jailadmin-%s.service", p->site->tag);
    if (!under_systemd(p) || ja_plan_makes(p->plan, unit) ||
        ja_factf(p->facts, JA_FACT_PROCESS, "%s/cgroups.pid", p->site->run))
        return;
    struct ja_step *step = ja_plan_host_step(p, "cgroup-unit", "make systemd's unit for the cgroups of jails");
    ja_step_runf(p->plan, step, "%s/cgroups.pid", p->site->run);
    ja_step_run(p->plan, step, TOOL("catatonit"), unit, NULL);
}

void ja_linux_daemon_started(struct ja_planning *p, const char *pidfile, const char *program)
{
    if (!under_systemd(p))
        return;
    ja_linux_unit_up(p);
    struct ja_step *step =
        ja_plan_host_step(p, "cgroup-adopt", "keep it when the session or service ends that starts it");
    ja_step_run(p->plan, step, pidfile, program, NULL);
    ja_step_runf(p->plan, step, "jailadmin-%s.service", p->site->tag);
}

/* Mounts and volumes of the jail. The sources are borrowed or kept in *keep. */
static size_t fill_mounts(struct ja_planning *p, const struct ja_jail *jail, struct ja_oci_mount *mounts,
                          struct ja_strv *keep)
{
    size_t count = 0;
    for (size_t i = 0; i < jail->mounts.count && count < MOUNTS_MOST; i++) {
        const struct ja_mount *mount = jail->mounts.items[i];
        if (mount->type != JA_MOUNT_BIND && mount->type != JA_MOUNT_TMPFS)
            continue;
        mounts[count++] = (struct ja_oci_mount){.target = mount->target,
                                                .source = mount->type == JA_MOUNT_BIND ? mount->source : NULL,
                                                .read_only = mount->readonly,
                                                .size = mount->size};
    }
    for (size_t i = 0; i < jail->volumes.count && count < MOUNTS_MOST; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        ja_autofree char *path = ja_path_volume(p, jail->name, volume->name);
        if (!path || ja_strv_add(keep, path) < 0) {
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
            break;
        }
        mounts[count++] =
            (struct ja_oci_mount){.target = volume->target, .source = keep->items[keep->count - 1], .exec_ok = true};
    }
    return count;
}

/* Names and resolver of a jail that builds a template, which are not to be in the template. Only a resolver that was written
 * is mounted: without a network there is none. */
static size_t build_mounts(struct ja_planning *p, const char *run, struct ja_oci_mount *mounts, struct ja_strv *keep)
{
    static const char *const targets[] = {"/etc/hosts", "/etc/resolv.conf"};
    size_t count = 0;
    for (size_t i = 0; i < JA_COUNT(targets); i++) {
        char source[512];
        snprintf(source, sizeof source, "%s/%s", run, targets[i] + strlen("/etc/"));
        if (!ja_plan_makes(p->plan, source))
            continue;
        if (ja_strv_add(keep, source) < 0) {
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
            break;
        }
        mounts[count++] =
            (struct ja_oci_mount){.target = targets[i], .source = keep->items[keep->count - 1], .read_only = true};
    }
    return count;
}

/* What crun sets: all of a privileged jail's limits, else only those that no cgroup has (see make_cgroup). */
static void fill_limits(const struct ja_jail *jail, struct ja_oci *oci)
{
    oci->files = jail->limits.files;
    if (!jail->privileged) {
        oci->cgroup = NULL;
        return;
    }
    oci->cpu_millicores = jail->limits.cpu;
    oci->memory = jail->limits.memory;
    oci->swap = jail->limits.swap;
    oci->processes = jail->limits.processes;
}

/* "sys_time" is CAP_SYS_TIME. False: the plan has failed. */
static bool capability_of(struct ja_planning *p, const char *word, char name[80])
{
    snprintf(name, 80, "CAP_");
    for (size_t c = 0; c < 74 && word[c]; c++)
        snprintf(name + 4 + c, 80 - 4 - c, "%c", toupper((unsigned char)word[c]));
    if (ja_oci_capability(name) >= 0 && islower((unsigned char)word[0]) != 0)
        return true;
    ja_plan_fail(p->plan, JA_E_INVALID, "field allow", "\"%s\" is no capability of Linux", JA_SHOW(word));
    ja_plan_hint(p->plan, "capabilities(7) lists them; they are written like sys_time");
    return false;
}

void ja_linux_check_allow(struct ja_planning *p, const struct ja_jail *jail)
{
    char name[80];
    for (size_t i = 0; i < jail->allow.count; i++)
        capability_of(p, jail->allow.items[i], name);
}

/* The usual capabilities and those of `allow`; nothing when it is empty. */
static void fill_capabilities(struct ja_planning *p, const struct ja_jail *jail, struct ja_strv *words)
{
    bool failed = false;
    for (size_t i = 0; jail->allow.count && ja_oci_default_capabilities[i]; i++)
        failed = ja_strv_add(words, ja_oci_default_capabilities[i]) < 0 || failed;
    for (size_t i = 0; i < jail->allow.count; i++) {
        char name[80];
        if (capability_of(p, jail->allow.items[i], name) && !ja_strv_has(words, name))
            failed = ja_strv_add(words, name) < 0 || failed;
    }
    if (failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

static size_t fill_devices(struct ja_planning *p, const struct ja_jail *jail, struct ja_oci_device *devices)
{
    size_t count = 0;
    for (size_t i = 0; i < jail->devices.count && count < MOUNTS_MOST; i++) {
        const char *path = jail->devices.items[i];
        size_t missing = p->facts->missing;
        const char *numbers = ja_fact(p->facts, JA_FACT_DEVICE, path);
        unsigned major = 0, minor = 0;
        char type = 'c';
        if (numbers && sscanf(numbers, "%c %u %u", &type, &major, &minor) == 3)
            devices[count++] = (struct ja_oci_device){.path = path, .type = type, .major = major, .minor = minor};
        else if (p->facts->missing == missing)
            ja_plan_fail(p->plan, JA_E_NOTFOUND, "field devices", "the host has no device %s", JA_SHOW(path));
    }
    return count;
}

/* The jail's own init, the template's, or a pause process that keeps an empty jail. */
static void fill_init(struct ja_planning *p, const struct ja_jail *jail, const char *tree, struct ja_oci *oci)
{
    static char *const standard[] = {(char *)"/sbin/init", NULL};
    const char *init = jail->init.count || p->build == jail ? NULL : ja_fact(p->facts, JA_FACT_INIT, tree);
    if (jail->init.count && p->build != jail) {
        oci->argv = jail->init;
    } else if (init) {
        oci->argv = (struct ja_strv){.items = (char **)standard, .count = 1};
        oci->systemd = strcmp(init, "systemd") == 0;
    } else {
        oci->pause = TOOL("catatonit");
    }
}

/* Where Debian's golang-github-containers-common has it. */
#define PROFILE "/usr/share/containers/seccomp.json"

/* The seccomp filter that init compiled; an instance of an older version has only the profile. */
static bool has_filter(struct ja_planning *p, char path[512])
{
    snprintf(path, 512, "%s/seccomp.bpf", p->site->state);
    return ja_fact(p->facts, JA_FACT_PATH, path) != NULL;
}

static void bundle(struct ja_planning *p, const struct ja_subject *s, const char *run, const char *tree)
{
    const struct ja_jail *jail = s->jail;
    char root[512], user[512], net[512], cgroup[64];
    struct ja_oci_mount mounts[MOUNTS_MOST + 2];
    struct ja_oci_device devices[MOUNTS_MOST];
    ja_autostrv struct ja_strv keep = {0}, allowed = {0};
    snprintf(root, sizeof root, "%s/root", run);
    snprintf(user, sizeof user, "%s/ns/user", run);
    snprintf(net, sizeof net, "%s/ns/net", run);
    ja_linux_cgroup_path(p, jail, cgroup);
    struct ja_oci oci = {.rootfs = root,
                         .hostname = jail->hostname ? jail->hostname : jail->name,
                         .cgroup = cgroup,
                         .user_ns = jail->privileged ? NULL : user,
                         .net_ns = jail->vnet == JA_VNET_YES ? net : NULL,
                         .host_net = jail->vnet != JA_VNET_YES,
                         .uid_base = ja_site_uid(p->site, jail->slot),
                         .uid_count = JA_UIDS_PER_SLOT,
                         .env = jail->env,
                         .mounts = mounts};
    oci.mount_count = fill_mounts(p, jail, mounts, &keep);
    if (p->build == jail)
        oci.mount_count += build_mounts(p, run, mounts + oci.mount_count, &keep);
    fill_limits(jail, &oci);
    oci.devices = devices;
    oci.device_count = fill_devices(p, jail, devices);
    fill_capabilities(p, jail, &allowed);
    if (allowed.count)
        oci.capabilities = &allowed;
    fill_init(p, jail, tree, &oci);
    json_t *json = ja_oci_config(&oci);
    char *text = json ? ja_json_text(json, JSON_INDENT(1)) : NULL;
    json_decref(json);
    struct ja_step *step = ja_plan_host_step(p, "bundle", "write its container configuration");
    char profile[512];
    if (has_filter(p, profile)) {
        ja_step_run(p->plan, step, "--filter", profile, NULL);
    } else {
        snprintf(profile, sizeof profile, "%s/seccomp.json", p->site->state);
        if (ja_fact(p->facts, JA_FACT_PATH, profile))
            ja_step_run(p->plan, step, "--seccomp", profile, NULL);
        else if (ja_fact(p->facts, JA_FACT_PATH, PROFILE))
            ja_plan_note(p->plan,
                         "jails run without a seccomp filter: it is missing in %s; `jailadmin repair` makes it",
                         p->site->state);
    }
    ja_step_runf(p->plan, step, "%s/bundle", run);
    char made[512];
    snprintf(made, sizeof made, "%s/bundle", run);
    ja_step_undo_host(p, step, "remove-tree", made, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, made, "dir");
    if (text)
        ja_step_input(p->plan, step, "%s\n", text);
    else
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    free(text);
}

/* The disks of the pool, to which rates apply; NULL: there is none whose users the kernel knows. */
static const char *disks_of(struct ja_planning *p)
{
    return p->site->storage == JA_STORAGE_BTRFS ? ja_fact(p->facts, JA_FACT_DISKS, p->site->pool) : NULL;
}

static bool rates_differ(struct ja_planning *p, const struct ja_limits *a, const struct ja_limits *b)
{
    return (a->read_rate != b->read_rate || a->write_rate != b->write_rate) && disks_of(p);
}

/* Whether a cgroup's limits differ. */
static bool limits_differ(struct ja_planning *p, const struct ja_limits *a, const struct ja_limits *b)
{
    return a->memory != b->memory || a->swap != b->swap || a->cpu != b->cpu || a->processes != b->processes ||
           !ja_str_equal(a->cpuset, b->cpuset) || rates_differ(p, a, b);
}

static void limit_words(struct ja_planning *p, struct ja_step *step, bool undo, const struct ja_jail *from,
                        const struct ja_jail *to)
{
    const struct ja_limits *old = &from->limits, *new = &to->limits;
    void (*say)(struct ja_plan *, struct ja_step *, ...) = undo ? ja_step_undo : ja_step_run;
    bool memory = old->memory != new->memory || old->swap != new->swap, rates = rates_differ(p, old, new);
    const struct {
        const char *option;
        int64_t value;
        bool wanted;
    } words[] = {
        {"--memory", new->memory, memory},         {"--swap", new->swap, memory},
        {"--cpu", new->cpu, old->cpu != new->cpu}, {"--processes", new->processes, old->processes != new->processes},
        {"--read-rate", new->read_rate, rates},    {"--write-rate", new->write_rate, rates},
    };
    char cgroup[64];
    ja_linux_cgroup_path(p, to, cgroup);
    for (size_t i = 0; i < JA_COUNT(words); i++) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)words[i].value);
        if (words[i].wanted)
            say(p->plan, step, words[i].option, text, NULL);
    }
    ja_autostrv struct ja_strv disks = {0};
    if (rates && ja_str_split_words(disks_of(p), &disks) == -1)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    for (size_t i = 0; i < disks.count; i++)
        say(p->plan, step, "--device", disks.items[i], NULL);
    if (!ja_str_equal(old->cpuset, new->cpuset))
        say(p->plan, step, "--cpuset", new->cpuset ? new->cpuset : "all", NULL);
    say(p->plan, step, cgroup, NULL);
}

/*
 * The jail's cgroup with its limits, made before crun, which runs in it and leaves it alone. crun would move the jail's init
 * there, and that is slow (see native/cgroup.c). A privileged jail is the exception: its rules for devices are crun's.
 */
static void make_cgroup(struct ja_planning *p, const struct ja_jail *jail, const char *tree)
{
    static const struct ja_jail none;
    char cgroup[64];
    ja_linux_cgroup_path(p, jail, cgroup);
    const char *init = jail->init.count ? NULL : ja_fact(p->facts, JA_FACT_INIT, tree);
    struct ja_step *step = ja_plan_host_step(p, "cgroup-create", "make its cgroup");
    if (init && strcmp(init, "systemd") == 0) {
        ja_step_run(p->plan, step, "--owner", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)ja_site_uid(p->site, jail->slot));
    }
    ja_step_run(p->plan, step, cgroup, NULL);
    ja_step_undo_host(p, step, "cgroup-remove", cgroup, NULL);
    if (limits_differ(p, &jail->limits, &none.limits)) {
        step = ja_plan_host_step(p, "cgroup-limit", "limit it");
        limit_words(p, step, false, &none, jail);
    }
}

/* Those that crun is not told of, for its names of devices and processors differ with the cgroups that a host has. */
static void limit_privileged(struct ja_planning *p, const struct ja_jail *jail)
{
    struct ja_jail set = *jail; /* shallow: what crun has set */
    set.limits.cpuset = NULL;
    set.limits.read_rate = set.limits.write_rate = 0;
    if (!limits_differ(p, &set.limits, &jail->limits))
        return;
    struct ja_step *step = ja_plan_host_step(p, "cgroup-limit", "limit it");
    limit_words(p, step, false, &set, jail);
}

static void change_limits(struct ja_planning *p, const struct ja_jail *applied, const struct ja_jail *live)
{
    if (!limits_differ(p, &applied->limits, &live->limits))
        return;
    char cgroup[64];
    ja_linux_cgroup_path(p, live, cgroup);
    struct ja_step *step = ja_plan_host_step(p, "cgroup-limit", "change the limits of the running jail");
    limit_words(p, step, false, applied, live);
    ja_step_undo_host(p, step, "cgroup-limit", NULL);
    limit_words(p, step, true, live, applied);
    ja_step_guard(p->plan, step, JA_FACT_CGROUP, cgroup, NULL);
}

void ja_linux_limits_note(struct ja_planning *p, const struct ja_jail *jail)
{
    const struct ja_limits *limits = &jail->limits;
    bool rates = limits->read_rate || limits->write_rate;
    if (rates && p->site->storage != JA_STORAGE_BTRFS)
        ja_plan_note(p->plan,
                     "%s: limits.read-rate and limits.write-rate have no effect with ZFS on Linux: threads of the "
                     "kernel read and write for all jails",
                     jail->name);
    else if (limits->write_rate && !ja_str_equal(ja_fact(p->facts, JA_FACT_CGROUPS, ""), "v2"))
        ja_plan_note(
            p->plan,
            "%s: without cgroup v2 limits.write-rate counts only what a program waits for, as with fsync, and not "
            "what the kernel writes later",
            jail->name);
    if (limits->swap && !limits->memory)
        ja_plan_note(p->plan, "%s: limits.swap has no effect without limits.memory", jail->name);
    else if (limits->swap && !ja_str_equal(ja_fact(p->facts, JA_FACT_CGROUPS, ""), "v2") &&
             !ja_fact(p->facts, JA_FACT_PATH, "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"))
        ja_plan_note(p->plan,
                     "%s: limits.swap has no effect: this kernel does not count swap; boot it with swapaccount=1",
                     jail->name);
}

void ja_linux_container_update(struct ja_planning *p, const struct ja_jail *applied, const struct ja_jail *live)
{
    change_limits(p, applied, live);
    if (!ja_object_equal(&ja_noun_jail, applied, live))
        ja_plan_note_applied(p, live, applied);
}

void ja_linux_container_prepare(struct ja_planning *p, const struct ja_subject *s, const char *run)
{
    ja_autofree char *tree = ja_path_seen(p, s->jail);
    if (!tree)
        return;
    ja_linux_unit_up(p);
    if (!s->jail->privileged)
        make_cgroup(p, s->jail, tree);
    bundle(p, s, run, tree);
}

void ja_linux_container_start(struct ja_planning *p, const struct ja_subject *s, const char *run)
{
    const struct ja_jail *jail = s->jail;
    char id[32], pid[512], cgroup[64], crun_root[512];
    /* A jail that builds a template has no directory of its own; its log is not for anybody. */
    ja_autofree char *tree = ja_path_root(p, jail),
                     *dir = p->build == jail ? ja_path_run(p, jail) : ja_path_jail(p, jail->name);
    if (!tree || !dir)
        return;
    ja_linux_container_id(p->site, jail, id);
    ja_linux_cgroup_path(p, jail, cgroup);
    snprintf(pid, sizeof pid, "%s/pid", run);
    snprintf(crun_root, sizeof crun_root, "%s/crun", p->site->run);
    ja_plan_note_applied(p, jail, NULL);
    struct ja_step *step = ja_plan_host_step(p, "crun", "start it");
    if (!jail->privileged)
        ja_step_run(p->plan, step, "--cgroup", cgroup, NULL);
    char filter[512];
    if (has_filter(p, filter))
        ja_step_run(p->plan, step, "--filtered", NULL);
    ja_step_run(p->plan, step, "--tree", tree, "--root", NULL);
    ja_step_runf(p->plan, step, "%s/root", run);
    for (size_t i = 0; i < jail->volumes.count; i++) {
        ja_autofree char *path =
            ja_path_volume(p, jail->name, ((const struct ja_volume *)jail->volumes.items[i])->name);
        if (path)
            ja_step_run(p->plan, step, "--idmap", path, NULL);
    }
    if (jail->privileged)
        ja_step_run(p->plan, step, "--uid-base", "0", "--uid-count", "0", NULL);
    else if (p->site->idmap) {
        ja_step_run(p->plan, step, "--userns", NULL);
        ja_step_runf(p->plan, step, "%s/ns/user", run);
    }
    ja_step_run(p->plan, step, "--log", NULL);
    ja_step_runf(p->plan, step, "%s/console.log", dir);
    ja_step_run(p->plan, step, "--log-limit", NULL);
    ja_step_runf(p->plan, step, "%d", JA_LOG_LIMIT);
    ja_step_run(p->plan, step, "--pid-file", pid, "--", TOOL("crun"), "--cgroup-manager",
                jail->privileged ? "cgroupfs" : "disabled", "--root", crun_root, "run", "-d", "--pid-file", pid, "-b",
                NULL);
    ja_step_runf(p->plan, step, "%s/bundle", run);
    ja_step_run(p->plan, step, id, NULL);
    ja_step_undo_host(p, step, "crun-clean", "--root", crun_root, "--cgroup", cgroup, id, NULL);
    if (jail->privileged)
        limit_privileged(p, jail);
}

void ja_linux_container_exec(struct ja_planning *p, struct ja_step *step, const struct ja_jail *jail)
{
    char id[32], cgroup[64];
    ja_linux_container_id(p->site, jail, id);
    ja_linux_cgroup_path(p, jail, cgroup);
    ja_step_run(p->plan, step, p->site->self, "host", "jail-exec", NULL);
    if (!jail->privileged)
        ja_step_run(p->plan, step, "--cgroup", cgroup, NULL);
    ja_step_run(p->plan, step, "--", TOOL("crun"), "--cgroup-manager", "cgroupfs", "--root", NULL);
    ja_step_runf(p->plan, step, "%s/crun", p->site->run);
    ja_step_run(p->plan, step, "exec", id, NULL);
}

struct ja_step *ja_linux_container_run(struct ja_planning *p, const struct ja_jail *jail,
                                       const struct ja_within *inside, const char *why)
{
    char id[32], cgroup[64];
    ja_autofree char *dir = ja_path_jail(p, jail->name);
    struct ja_step *step = ja_plan_host_step(p, "crun", "%s", why);
    if (jail->limits.files) {
        ja_step_run(p->plan, step, "--files", NULL);
        ja_step_runf(p->plan, step, "%lld", (long long)jail->limits.files);
    }
    if (!jail->privileged) {
        ja_linux_cgroup_path(p, jail, cgroup);
        ja_step_run(p->plan, step, "--cgroup", cgroup, NULL);
    }
    ja_step_run(p->plan, step, "--log", NULL);
    ja_step_runf(p->plan, step, "%s/console.log", dir ? dir : "");
    ja_step_run(p->plan, step, "--log-limit", NULL);
    ja_step_runf(p->plan, step, "%d", JA_LOG_LIMIT);
    if (inside->pid)
        ja_step_run(p->plan, step, "--unless", inside->pid, "--pid-file", inside->pid, NULL);
    ja_step_run(p->plan, step, "--", TOOL("crun"), "--cgroup-manager", "cgroupfs", "--root", NULL);
    ja_step_runf(p->plan, step, "%s/crun", p->site->run);
    ja_step_run(p->plan, step, "exec", NULL);
    if (inside->pid)
        ja_step_run(p->plan, step, "--detach", "--pid-file", inside->pid, NULL);
    if (inside->ids[0])
        ja_step_run(p->plan, step, "--user", inside->ids, NULL);
    ja_linux_container_id(p->site, jail, id);
    ja_step_run(p->plan, step, id, NULL);
    return step;
}

struct ja_step *ja_linux_container_ask(struct ja_planning *p, const struct ja_jail *jail, const char *sig,
                                       const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "stop-init", "%s", why);
    ja_step_run(p->plan, step, "--signal", sig, "--timeout", NULL);
    ja_step_runf(p->plan, step, "%lld", (long long)jail->stop_timeout);
    step->timeout_ms = jail->stop_timeout + 10000;
    step->flags |= JA_STEP_IGNORE;
    return step;
}

void ja_linux_container_clean(struct ja_planning *p, const struct ja_jail *jail, JA_UNUSED const char *run)
{
    char id[32], cgroup[64], crun_root[512];
    ja_linux_container_id(p->site, jail, id);
    ja_linux_cgroup_path(p, jail, cgroup);
    snprintf(crun_root, sizeof crun_root, "%s/crun", p->site->run);
    struct ja_step *step = ja_plan_host_step(p, "crun-clean", "remove what crun and the kernel keep of it");
    ja_step_run(p->plan, step, "--root", crun_root, "--cgroup", cgroup, id, NULL);
}

static void convert_profile(struct ja_planning *p, const char *to)
{
    struct ja_step *step = ja_plan_host_step(p, "seccomp-convert", "convert the seccomp profile of jails");
    ja_step_run(p->plan, step, PROFILE, to, NULL);
    ja_step_undo_host(p, step, "remove", to, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

static void compile_profile(struct ja_planning *p, const char *from)
{
    char filter[512];
    snprintf(filter, sizeof filter, "%s/seccomp.bpf", p->site->state);
    struct ja_step *step = ja_plan_host_step(p, "seccomp-compile", "compile it once for all jails");
    ja_step_run(p->plan, step, from, filter, NULL);
    ja_step_undo_host(p, step, "remove", filter, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

void ja_linux_instance_up(struct ja_planning *p)
{
    char profile[512];
    snprintf(profile, sizeof profile, "%s/seccomp.json", p->site->state);
    if (!ja_fact(p->facts, JA_FACT_PATH, PROFILE)) {
        ja_plan_note(p->plan,
                     "%s is missing: jails will run without a seccomp filter; install "
                     "golang-github-containers-common, then run `jailadmin repair`",
                     PROFILE);
        return;
    }
    convert_profile(p, profile);
    compile_profile(p, profile);
}

void ja_linux_filter_repair(struct ja_planning *p)
{
    char profile[512], filter[512];
    snprintf(profile, sizeof profile, "%s/seccomp.json", p->site->state);
    bool whole = ja_fact(p->facts, JA_FACT_PATH, profile), compiled = has_filter(p, filter);
    if ((whole && compiled) || !ja_fact(p->facts, JA_FACT_PATH, PROFILE))
        return;
    if (!whole)
        convert_profile(p, profile);
    compile_profile(p, profile);
}

void ja_linux_cgroup_remove(struct ja_planning *p)
{
    char path[32];
    struct ja_step *step;
    instance_cgroup(p, path);
    if (under_systemd(p)) {
        step = ja_plan_host_step(p, "cgroup-unit-end", "end systemd's unit for the cgroups of jails");
        ja_step_runf(p->plan, step, "%s/cgroups.pid", p->site->run);
        ja_step_run(p->plan, step, path + 1, NULL);
    }
    step = ja_plan_host_step(p, "cgroup-remove", "remove the cgroup of the instance");
    ja_step_run(p->plan, step, path, NULL);
}
