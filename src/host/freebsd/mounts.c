/*
 * mounts.c: what is mounted in a jail's tree on FreeBSD: its devices, and what it asks for. Each is mounted by a command of its own
 * before the jail is there, so that nobody in it can put a link in the way. The kernel leaves all of it when the jail goes.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* devfsrules_jail of /etc/defaults/devfs.rules. */
enum { RULESET_OF_JAILS = 4 };

#define BUILD_TMP "mode=1777"

/* ---- devices ---- */

static bool has_own_ruleset(const struct ja_jail *jail)
{
    return (jail->devices.count > 0 || ja_freebsd_needs_bpf(jail)) && !jail->ruleset;
}

int64_t ja_freebsd_ruleset(const struct ja_planning *p, const struct ja_jail *jail)
{
    return jail->ruleset           ? jail->ruleset
           : has_own_ruleset(jail) ? p->site->ruleset_base + jail->slot
                                   : RULESET_OF_JAILS;
}

/* Mounting with a ruleset that does not exist makes an empty one: the jail would have all of the host's devices. */
static void prove_ruleset(struct ja_planning *p, const char *number)
{
    size_t missing = p->facts->missing;
    if (ja_fact(p->facts, JA_FACT_DEVFS, number) || p->facts->missing != missing)
        return;
    ja_plan_fail(p->plan, JA_E_NOTFOUND, "field ruleset",
                 "the host has no devfs ruleset %s, so that nothing would hide its devices from the jail", number);
    ja_plan_hint(p->plan, "`service devfs start` loads those of /etc/defaults/devfs.rules and /etc/devfs.rules");
}

/* What every jail's /dev has, and the jail's own devices. */
static void make_ruleset(struct ja_planning *p, const struct ja_jail *jail, const char *number)
{
    static const char *const included[] = {"1", "2", "3"}; /* all hidden; the basic ones; those for a login */
    for (size_t i = 0; i < JA_COUNT(included); i++)
        prove_ruleset(p, included[i]);
    /* dhclient(8) sends, and tcpdump(1) watches, with the help of bpf(4). */
    size_t own = JA_COUNT(included) + (ja_freebsd_needs_bpf(jail) ? 1 : 0);
    for (size_t i = 0; i < own + jail->devices.count; i++) {
        struct ja_step *step = ja_plan_step(p->plan, "say which devices it has");
        ja_step_run(p->plan, step, TOOL("devfs"), "rule", "-s", number, "add", NULL);
        if (i < JA_COUNT(included)) {
            ja_step_run(p->plan, step, "include", included[i], NULL);
        } else {
            const char *device = i < own ? "bpf*" : jail->devices.items[i - own];
            ja_step_run(p->plan, step, "path", ja_str_starts(device, "/dev/") ? device + 5 : device, "unhide", NULL);
        }
        if (i > 0)
            continue;
        ja_step_undo(p->plan, step, TOOL("devfs"), "rule", "-s", number, "delset", NULL);
        ja_step_guard(p->plan, step, JA_FACT_DEVFS, number, NULL);
    }
}

void ja_freebsd_ruleset_remove(struct ja_planning *p, const struct ja_jail *jail)
{
    if (!has_own_ruleset(jail))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "remove its rules for devices");
    ja_step_run(p->plan, step, TOOL("devfs"), "rule", "-s", NULL);
    ja_step_runf(p->plan, step, "%lld", (long long)ja_freebsd_ruleset(p, jail));
    ja_step_run(p->plan, step, "delset", NULL);
    step->flags |= JA_STEP_IGNORE;
}

/* ---- mounts ---- */

static void mount_step(struct ja_planning *p, const char *tree, const char *target, const char *type,
                       const char *options, const char *source)
{
    char path[2048];
    snprintf(path, sizeof path, "%s%s", tree, target);
    struct ja_step *step;
    /* What is in a jail's /dev the kernel makes. */
    if (!ja_str_starts(target, "/dev/")) {
        step = ja_plan_host_step(p, "mount-point", "make the place of a mount, beneath its tree without links");
        ja_step_run(p->plan, step, tree, target, NULL);
    }
    step = ja_plan_step(p->plan, strcmp(type, "devfs") == 0 ? "give it its devices"
                                 : strcmp(options ? options : "", BUILD_TMP) == 0
                                     ? "give it a /tmp that is no part of the tree"
                                     : "mount what it asks for");
    ja_step_run(p->plan, step, TOOL("mount"), "-t", type, NULL);
    if (options)
        ja_step_run(p->plan, step, "-o", options, NULL);
    ja_step_run(p->plan, step, source, path, NULL);
    ja_step_undo_host(p, step, "unmount", path, NULL);
    ja_step_guard(p->plan, step, JA_FACT_MOUNT, path, type);
}

/* A directory: before 14 nullfs takes no files. */
static void mount_bind(struct ja_planning *p, const char *tree, const struct ja_mount *mount)
{
    const char *kind = ja_fact(p->facts, JA_FACT_PATH, mount->source);
    char object[160];
    snprintf(object, sizeof object, "field mounts.%s.source", JA_SHOW(mount->target));
    if (kind && strcmp(kind, "file") == 0)
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, object, "%s is a file: on FreeBSD only directories are mounted",
                     JA_SHOW(mount->source));
    mount_step(p, tree, mount->target, "nullfs", mount->readonly ? "ro" : NULL, mount->source);
}

static void mount_asked(struct ja_planning *p, const char *tree, const struct ja_mount *mount)
{
    char options[64];
    switch (mount->type) {
    case JA_MOUNT_BIND:
        mount_bind(p, tree, mount);
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

void ja_freebsd_mounts_make(struct ja_planning *p, const struct ja_jail *jail, const char *tree)
{
    char number[24], options[40];
    snprintf(number, sizeof number, "%lld", (long long)ja_freebsd_ruleset(p, jail));
    snprintf(options, sizeof options, "ruleset=%s", number);
    if (has_own_ruleset(jail))
        make_ruleset(p, jail, number);
    else
        prove_ruleset(p, number);
    mount_step(p, tree, "/dev", "devfs", options, "devfs");
    /* What is done in a template's tree leaves nothing in its /tmp, and scripts have a place. */
    if (p->build == jail)
        mount_step(p, tree, "/tmp", "tmpfs", BUILD_TMP, "tmpfs");
    for (size_t i = 0; i < jail->mounts.count; i++)
        mount_asked(p, tree, jail->mounts.items[i]);
    for (size_t i = 0; i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        ja_autofree char *path = ja_path_volume(p, jail->name, volume->name);
        if (path)
            mount_step(p, tree, volume->target, "nullfs", NULL, path);
    }
}

void ja_freebsd_mounts_undo(struct ja_planning *p, const char *tree)
{
    struct ja_step *step = ja_plan_host_step(p, "unmount", "undo what is mounted in it, which the kernel leaves");
    ja_step_run(p->plan, step, "--below", tree, NULL);
}
