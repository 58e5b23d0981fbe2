/*
 * btrfs.c: jails as btrfs subvolumes (Linux). A template version is a read-only subvolume, a jail's root a snapshot of it.
 * The pool is a directory of a btrfs file system, or a loop file with a file system of its own; either is mounted at
 * site->pool with nosuid and nodev, below the state directory that only root can enter.
 */
#include "base/clock.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

static const char *const pool_dirs[] = {"templates", "jails", "deleted"};

static void make_subvolume(struct ja_planning *p, const char *path, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("btrfs"), "subvolume", "create", path, NULL);
    ja_step_undo(p->plan, step, TOOL("btrfs"), "subvolume", "delete", path, NULL);
    ja_step_guard(p->plan, step, JA_FACT_SUBVOLUME, path, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

static void snapshot(struct ja_planning *p, const char *from, const char *to, bool readonly, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("btrfs"), "subvolume", "snapshot", NULL);
    if (readonly)
        ja_step_run(p->plan, step, "-r", NULL);
    ja_step_run(p->plan, step, from, to, NULL);
    ja_step_undo(p->plan, step, TOOL("btrfs"), "subvolume", "delete", to, NULL);
    ja_step_guard(p->plan, step, JA_FACT_SUBVOLUME, to, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

/* Of what btrfs does, a snapshot alone is on the disk when it ends, with all before it. */
static void flush(struct ja_planning *p)
{
    ja_plan_sync(p, p->site->pool, "have that on the disk before it counts");
}

static void destroy(struct ja_planning *p, const char *path, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "tree-delete", "%s", why);
    ja_step_run(p->plan, step, path, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

static void rename_path(struct ja_planning *p, const char *from, const char *to, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "rename", "%s", why);
    ja_step_run(p->plan, step, from, to, NULL);
    ja_step_undo_host(p, step, "rename", to, from, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, to, "dir");
    step->flags |= JA_STEP_PERSISTENT;
    flush(p);
}

/* jails/NAME/snap/SNAPSHOT, and what is in it. */
static char *path_snapshot(struct ja_planning *p, const struct ja_jail *jail, const char *name, const char *below)
{
    char *path = ja_printf("%s/jails/%s/snap%s%s%s", p->site->pool, jail->name, *name ? "/" : "", name, below);
    if (!path)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return path;
}

static char *path_snapshot_volume(struct ja_planning *p, const struct ja_jail *jail, const char *name,
                                  const char *volume)
{
    ja_autofree char *below = ja_printf("/vol/%s", volume);
    if (!below)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return below ? path_snapshot(p, jail, name, below) : NULL;
}

/* ---- the pool ---- */

static bool pool_mounted(struct ja_planning *p)
{
    return ja_fact(p->facts, JA_FACT_MOUNT, p->site->pool) != NULL;
}

static void pool_mount(struct ja_planning *p)
{
    const struct ja_site *site = p->site;
    struct ja_step *step = ja_plan_step(p->plan, "mount the pool, with nothing in it trusted by the host");
    if (site->loop)
        ja_step_run(p->plan, step, TOOL("mount"), "-t", "btrfs", "-o",
                    "loop,nosuid,nodev,noatime,user_subvol_rm_allowed", site->source, site->pool, NULL);
    else
        ja_step_run(p->plan, step, TOOL("mount"), "--bind", "-o", "nosuid,nodev", site->source, site->pool, NULL);
    ja_step_undo(p->plan, step, TOOL("umount"), site->pool, NULL);
    ja_step_guard(p->plan, step, JA_FACT_MOUNT, site->pool, NULL);
}

static void pool_unmount(struct ja_planning *p)
{
    if (!pool_mounted(p))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "unmount the pool");
    ja_step_run(p->plan, step, TOOL("umount"), p->site->pool, NULL);
}

/* The loop file, made sparse and formatted. */
static void make_loop_file(struct ja_planning *p, int64_t size)
{
    const char *file = p->site->source;
    struct ja_step *step =
        ja_plan_host_step(p, "truncate", "make the pool's file, %lld MiB, sparse", (long long)(size >> 20));
    ja_step_runf(p->plan, step, "%lld", (long long)size);
    ja_step_run(p->plan, step, file, NULL);
    ja_step_undo_host(p, step, "remove", file, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, file, "file");
    step->flags |= JA_STEP_PERSISTENT;
    step = ja_plan_step(p->plan, "make a btrfs file system in it");
    ja_step_run(p->plan, step, TOOL("mkfs.btrfs"), "-q", "-L", NULL);
    ja_step_runf(p->plan, step, "jailadmin-%s", p->site->tag);
    ja_step_run(p->plan, step, file, NULL);
}

/* The directory that is to hold the pool, or the one in which it will be made, lies on btrfs. */
static void check_place(struct ja_planning *p, const char *path, bool there)
{
    const char *slash = strrchr(path, '/');
    ja_autofree char *parent = ja_strndup(path, slash && slash != path ? (size_t)(slash - path) : 1);
    if (!parent) {
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        return;
    }
    const char *place = there ? path : parent, *type = ja_fact(p->facts, JA_FACT_FSTYPE, place);
    if (type && strcmp(type, "btrfs") == 0)
        return;
    if (type)
        ja_plan_fail(p->plan, JA_E_INVALID, "storage", "%s is not on a btrfs file system", place);
    else
        ja_plan_fail(p->plan, JA_E_NOTFOUND, "storage", "there is no directory %s", place);
    ja_plan_hint(p->plan, "name a directory on btrfs, or use file:SIZE, which works on any file system");
}

static void pool_create(struct ja_planning *p, int64_t loop_size)
{
    const struct ja_site *site = p->site;
    if (site->loop) {
        make_loop_file(p, loop_size);
    } else {
        const char *there = ja_fact(p->facts, JA_FACT_PATH, site->source);
        const char *names = there ? ja_fact(p->facts, JA_FACT_DIRECTORY, site->source) : NULL;
        if (there && names && *names) {
            ja_plan_fail(p->plan, JA_E_INVALID, "storage", "the directory %s is not empty", site->source);
            ja_plan_hint(p->plan, "name a directory that does not exist yet, or an empty one, on a btrfs file system");
            return;
        }
        if (there && strcmp(there, "dir") != 0) {
            ja_plan_fail(p->plan, JA_E_INVALID, "storage", "%s is not a directory", site->source);
            return;
        }
        check_place(p, site->source, there);
        if (!there)
            make_subvolume(p, site->source, "make a subvolume for the pool");
    }
    ja_plan_mkdir(p, site->pool, "0700", true, "make the pool's mount point");
    pool_mount(p);
    for (size_t i = 0; i < JA_COUNT(pool_dirs); i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", site->pool, pool_dirs[i]);
        ja_plan_mkdir(p, path, "0700", true, "make the pool's directories");
    }
}

/* After the last object is gone: directories, mount, file. Each is repeatable. */
static void pool_destroy(struct ja_planning *p)
{
    const struct ja_site *site = p->site;
    struct ja_step *step;
    if (pool_mounted(p)) {
        for (size_t i = 0; i < JA_COUNT(pool_dirs); i++) {
            step = ja_plan_host_step(p, "rmdir", "remove the pool's directories");
            ja_step_runf(p->plan, step, "%s/%s", site->pool, pool_dirs[i]);
        }
        pool_unmount(p);
    }
    step = ja_plan_host_step(p, "rmdir", "remove the pool's mount point");
    ja_step_run(p->plan, step, site->pool, NULL);
    if (site->loop) {
        step = ja_plan_host_step(p, "remove", "remove the pool's file");
        ja_step_run(p->plan, step, site->source, NULL);
    } else if (ja_fact(p->facts, JA_FACT_SUBVOLUME, site->source)) {
        step = ja_plan_step(p->plan, "remove the pool's subvolume");
        ja_step_run(p->plan, step, TOOL("btrfs"), "subvolume", "delete", site->source, NULL);
    }
}

/* ---- templates ---- */

static void template_dir(struct ja_planning *p, const char *name)
{
    ja_autofree char *dir = ja_path_template(p, name, NULL);
    if (dir && !ja_fact(p->facts, JA_FACT_PATH, dir))
        ja_plan_mkdir(p, dir, "0700", true, "make the template's directory");
}

static void template_create(struct ja_planning *p, const char *name, const char *version, JA_UNUSED const char *uuid)
{
    ja_autofree char *path = ja_path_template(p, name, version);
    template_dir(p, name);
    if (path)
        make_subvolume(p, path, "make an empty subvolume for the template");
}

static void set_read_only(struct ja_planning *p, const char *path, bool on, const char *why)
{
    const char *value = on ? "true" : "false", *old = on ? "false" : "true";
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("btrfs"), "property", "set", "-ts", path, "ro", value, NULL);
    ja_step_undo(p->plan, step, TOOL("btrfs"), "property", "set", "-ts", path, "ro", old, NULL);
    ja_step_guard(p->plan, step, JA_FACT_SUBVOLUME, path, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

static void template_seal(struct ja_planning *p, const char *name, const char *version, JA_UNUSED const char *uuid)
{
    ja_autofree char *path = ja_path_template(p, name, version);
    if (!path)
        return;
    set_read_only(p, path, true, "seal the version: read-only from now on");
    flush(p);
}

static void template_from_jail(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken,
                               const char *name, const char *version, JA_UNUSED const char *uuid)
{
    ja_autofree char *from = taken ? path_snapshot(p, jail, taken->name, "/root") : ja_path_root(p, jail),
                     *to = ja_path_template(p, name, version);
    template_dir(p, name);
    if (from && to)
        snapshot(p, from, to, false, taken ? "take the jail's tree as it was" : "take the jail's tree as it is now");
}

static void template_retire(struct ja_planning *p, const char *name, const char *version, const char *uuid)
{
    ja_autofree char *from = ja_path_template(p, name, version), *to = ja_path_deleted(p, uuid);
    if (!from || !to)
        return;
    /* A read-only subvolume cannot be renamed. */
    set_read_only(p, from, false, "open the version's seal");
    rename_path(p, from, to, "move the version out of the way");
}

/* Deletes what is at deleted/<uuid> when it is there: a subvolume, which btrfs allows even with clones of it. */
static void template_destroy(struct ja_planning *p, const char *uuid)
{
    ja_autofree char *path = ja_path_deleted(p, uuid);
    if (path)
        destroy(p, path, "destroy it");
}

static void template_rename(struct ja_planning *p, const struct ja_template *template, const char *to)
{
    ja_autofree char *from = ja_path_template(p, template->name, NULL), *path = ja_path_template(p, to, NULL);
    if (from && path)
        rename_path(p, from, path, "rename the template's directory");
}

/* ---- jails ---- */

static void jail_dirs(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *dir = ja_path_jail(p, jail->name);
    if (!dir)
        return;
    if (ja_fact(p->facts, JA_FACT_PATH, dir)) {
        ja_plan_fail(p->plan, JA_E_EXISTS, NULL, "the directory %s exists already", dir);
        ja_plan_hint(p->plan, "`jailadmin gc` lists trees that no jail owns; `jailadmin adopt` takes them back");
        return;
    }
    char path[1024];
    ja_plan_mkdir(p, dir, "0700", true, "make the jail's directories");
    snprintf(path, sizeof path, "%s/root", dir);
    ja_plan_mkdir(p, path, "0700", true, "make the jail's directories");
    if (jail->volumes.count) {
        snprintf(path, sizeof path, "%s/vol", dir);
        ja_plan_mkdir(p, path, "0700", true, "make the jail's directories");
    }
}

/* ---- limits of space ---- */

/* Quotas are switched on by the first limit, and stay: other jails' limits hang on them. */
static void enable_quotas(struct ja_planning *p)
{
    if (ja_fact(p->facts, JA_FACT_QUOTA, p->site->pool))
        return;
    for (size_t i = 0; i < p->plan->count; i++)
        if (p->plan->steps[i]->run.argv.count > 1 && strcmp(p->plan->steps[i]->run.argv.items[1], "quota") == 0)
            return;
    if (!p->site->loop) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field limits.disk", "the file system of %s has no quotas",
                     p->site->source);
        ja_plan_hint(p->plan, "switch them on with `btrfs quota enable %s`, which makes it somewhat slower",
                     p->site->source);
        return;
    }
    struct ja_step *step = ja_plan_step(p->plan, "switch on the quotas of the pool");
    ja_step_run(p->plan, step, TOOL("btrfs"), "quota", "enable", p->site->pool, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

static void limit_word(char word[24], int64_t bytes)
{
    if (bytes)
        snprintf(word, 24, "%lld", (long long)bytes);
    else
        snprintf(word, 24, "none");
}

/* The most that a subvolume may hold, what it shares with its template included. `undo`: also of one that stays. */
static void limit_subvolume(struct ja_planning *p, const char *path, int64_t from, int64_t to, bool undo)
{
    char word[24], old[24];
    if (from == to)
        return;
    if (to)
        enable_quotas(p);
    limit_word(word, to);
    limit_word(old, from);
    struct ja_step *step = ja_plan_step(p->plan, to ? "limit its disk space" : "take the limit off its disk space");
    ja_step_run(p->plan, step, TOOL("btrfs"), "qgroup", "limit", word, path, NULL);
    step->flags |= JA_STEP_PERSISTENT;
    if (!undo)
        return;
    ja_step_undo(p->plan, step, TOOL("btrfs"), "qgroup", "limit", old, path, NULL);
    ja_step_guard(p->plan, step, JA_FACT_SUBVOLUME, path, NULL);
}

/* The trees of its boot environments are the subvolumes in jails/NAME/root. */
static void environments(struct ja_planning *p, const struct ja_jail *jail, struct ja_strv *names)
{
    ja_autofree char *dir = ja_path_be(p, jail, "");
    const char *text = dir ? ja_fact(p->facts, JA_FACT_DIRECTORY, dir) : NULL;
    ja_autofree char *copy = ja_strdup(text ? text : "");
    if (!copy)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    char *rest = copy;
    for (char *name; rest && (name = strsep(&rest, "\n")) != NULL;)
        if (ja_check_name(name, NULL) == 0 && ja_strv_add(names, name) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

static void jail_limit(struct ja_planning *p, const struct ja_jail *old, const struct ja_jail *new)
{
    ja_autostrv struct ja_strv names = {0};
    bool changed = old->limits.disk != new->limits.disk;
    if (changed)
        environments(p, new, &names);
    for (size_t i = 0; i < names.count; i++) {
        ja_autofree char *root = ja_path_be(p, new, names.items[i]);
        if (root)
            limit_subvolume(p, root, old->limits.disk, new->limits.disk, true);
    }
    for (size_t i = 0; i < new->volumes.count; i++) {
        const struct ja_volume *volume = new->volumes.items[i], *before = ja_list_get(&old->volumes, volume->name);
        ja_autofree char *path = ja_path_volume(p, new->name, volume->name);
        if (path && before)
            limit_subvolume(p, path, before->size, volume->size, true);
        changed = changed || !before || before->size != volume->size;
    }
    if (changed)
        flush(p);
}

static void new_volume(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume,
                       const char *from)
{
    ja_autofree char *path = ja_path_volume(p, jail->name, volume->name);
    if (!path)
        return;
    if (from)
        snapshot(p, from, path, false, "clone the jail's volumes");
    else
        make_subvolume(p, path, "make the jail's volumes");
    limit_subvolume(p, path, 0, volume->size, false);
}

static void jail_create(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *from = ja_path_template(p, jail->template, jail->version), *to = ja_path_root(p, jail);
    if (!from || !to)
        return;
    char why[256];
    snprintf(why, sizeof why, "clone the template %s@%s", jail->template, jail->version);
    for (size_t i = 0; i < jail->volumes.count; i++)
        new_volume(p, jail, jail->volumes.items[i], NULL);
    snapshot(p, from, to, false, why);
    limit_subvolume(p, to, 0, jail->limits.disk, false);
    if (jail->limits.disk)
        flush(p);
}

/* Where a volume of a clone comes from. NULL: one that the clone was given beside those of its original is empty. */
static char *volume_source(struct ja_planning *p, const struct ja_jail *from, const struct ja_snapshot *taken,
                           const char *volume)
{
    if (taken)
        return ja_strv_has(&taken->volumes, volume) ? path_snapshot_volume(p, from, taken->name, volume) : NULL;
    return ja_list_get(&from->volumes, volume) ? ja_path_volume(p, from->name, volume) : NULL;
}

static void jail_clone(struct ja_planning *p, const struct ja_jail *from, const struct ja_snapshot *taken,
                       const struct ja_jail *jail)
{
    ja_autofree char *source = taken ? path_snapshot(p, from, taken->name, "/root") : ja_path_root(p, from),
                     *to = ja_path_root(p, jail);
    if (!source || !to)
        return;
    for (size_t i = 0; i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        ja_autofree char *volume_from = volume_source(p, from, taken, volume->name);
        new_volume(p, jail, volume, volume_from);
    }
    snapshot(p, source, to, false, taken ? "clone the jail's tree as it was" : "clone the jail's tree as it is now");
    limit_subvolume(p, to, 0, jail->limits.disk, false);
    if (jail->limits.disk)
        flush(p);
}

static void volume_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    ja_autofree char *dir = ja_path_volume(p, jail->name, ".");
    if (!dir)
        return;
    dir[strlen(dir) - strlen("/.")] = '\0';
    if (!ja_fact(p->facts, JA_FACT_PATH, dir) && !ja_plan_makes(p->plan, dir))
        ja_plan_mkdir(p, dir, "0700", true, "make the jail's directories");
    new_volume(p, jail, volume, NULL);
}

/* deleted/<uuid of the jail>-<volume> */
static char *path_deleted_volume(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    ja_autofree char *name = ja_printf("%s-%s", jail->uuid, volume->name);
    if (!name)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return name ? ja_path_deleted(p, name) : NULL;
}

static void volume_retire(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    ja_autofree char *from = ja_path_volume(p, jail->name, volume->name), *to = path_deleted_volume(p, jail, volume);
    if (from && to && ja_fact(p->facts, JA_FACT_PATH, from))
        rename_path(p, from, to, "move the volume out of the way");
}

static void volume_destroy(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    ja_autofree char *path = path_deleted_volume(p, jail, volume);
    if (path)
        destroy(p, path, "destroy the volume");
}

static void jail_retire(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *from = ja_path_jail(p, jail->name), *to = ja_path_deleted(p, jail->uuid);
    if (from && to && ja_fact(p->facts, JA_FACT_PATH, from))
        rename_path(p, from, to, "move the jail's trees out of the way");
}

static void jail_destroy(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *path = ja_path_deleted(p, jail->uuid);
    if (path)
        destroy(p, path, "destroy the jail's trees");
}

static void jail_rename(struct ja_planning *p, const struct ja_jail *jail, const char *to)
{
    ja_autofree char *from = ja_path_jail(p, jail->name), *path = ja_path_jail(p, to);
    if (from && path)
        rename_path(p, from, path, "rename the jail's directory");
}

static const char *jail_used(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    ja_autofree char *path = volume ? ja_path_volume(p, jail->name, volume->name) : ja_path_root(p, jail);
    return path ? ja_fact(p->facts, JA_FACT_USED, path) : NULL;
}

/* ---- snapshots: jails/NAME/snap/SNAPSHOT/{root,vol/VOLUME} read-only, and spec.json beside them ---- */

/* The record of one; a directory without a record that can be read is one too, which can be deleted. */
static struct ja_snapshot *read_snapshot(struct ja_planning *p, const struct ja_jail *jail, const char *name)
{
    ja_autofree char *path = path_snapshot(p, jail, name, "/spec.json");
    const char *text = path ? ja_fact(p->facts, JA_FACT_FILE, path) : NULL;
    struct ja_snapshot *taken = path ? ja_plan_read_record(p, &ja_noun_snapshot, text, "snapshot", name, NULL) : NULL;
    if (!taken)
        return NULL;
    taken->used = -1;
    if (!taken->created || ja_clock_parse(taken->created, &taken->order) < 0)
        taken->order = 0;
    return taken;
}

static void snapshots(struct ja_planning *p, const struct ja_jail *jail, struct ja_list *list)
{
    ja_autofree char *dir = path_snapshot(p, jail, "", "");
    const char *names = dir ? ja_fact(p->facts, JA_FACT_DIRECTORY, dir) : NULL;
    ja_autofree char *copy = ja_strdup(names ? names : "");
    if (!copy)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    char *rest = copy;
    for (char *name; rest && (name = strsep(&rest, "\n")) != NULL;) {
        struct ja_snapshot *taken = ja_check_snapshot(name, NULL) == 0 ? read_snapshot(p, jail, name) : NULL;
        if (taken && ja_list_add(&ja_noun_snapshot, list, taken) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
}

static void write_record(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken,
                         const char *path)
{
    json_t *json = json_pack("{s:o, s:o}", "snapshot", ja_object_to_json(&ja_noun_snapshot, taken, false), "jail",
                             ja_object_to_json(&ja_noun_jail, jail, false));
    ja_plan_write_json(p, path, json, "keep its record, with the spec that the jail has now");
}

static void snapshot_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken)
{
    ja_autofree char *all = path_snapshot(p, jail, "", ""), *dir = path_snapshot(p, jail, taken->name, ""),
                     *volumes = path_snapshot(p, jail, taken->name, "/vol"), *from = ja_path_root(p, jail),
                     *root = path_snapshot(p, jail, taken->name, "/root"),
                     *record = path_snapshot(p, jail, taken->name, "/spec.json");
    if (!all || !dir || !volumes || !from || !root || !record)
        return;
    if (!ja_fact(p->facts, JA_FACT_PATH, all))
        ja_plan_mkdir(p, all, "0700", true, "make the directory of the jail's snapshots");
    ja_plan_mkdir(p, dir, "0700", true, "make the snapshot's directories");
    if (taken->volumes.count)
        ja_plan_mkdir(p, volumes, "0700", true, "make the snapshot's directories");
    snapshot(p, from, root, true, "keep the jail's tree as it is now");
    for (size_t i = 0; i < taken->volumes.count; i++) {
        const char *name = taken->volumes.items[i];
        ja_autofree char *volume = ja_path_volume(p, jail->name, name),
                         *to = path_snapshot_volume(p, jail, taken->name, name);
        if (volume && to)
            snapshot(p, volume, to, true, "keep its volumes, one after the other");
    }
    write_record(p, jail, taken, record);
}

/* deleted/<uuid of the jail>-snap-<name> */
static char *path_deleted_snapshot(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken)
{
    ja_autofree char *name = ja_printf("%s-snap-%s", jail->uuid, taken->name);
    if (!name)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return name ? ja_path_deleted(p, name) : NULL;
}

static void snapshot_retire(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken)
{
    ja_autofree char *from = path_snapshot(p, jail, taken->name, ""), *to = path_deleted_snapshot(p, jail, taken);
    if (from && to)
        rename_path(p, from, to, "move the snapshot out of the way");
}

static void snapshot_destroy(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken)
{
    ja_autofree char *path = path_deleted_snapshot(p, jail, taken);
    if (path)
        destroy(p, path, "destroy the snapshot");
}

/* ---- rollback: a writable copy takes the tree's place, which is put aside until the commit ---- */

/* deleted/<uuid>-root, -root-new, -vol-data, -vol-data-new */
static char *path_aside(struct ja_planning *p, const struct ja_rollback *rollback, const char *volume, const char *end)
{
    ja_autofree char *name =
        ja_printf("%s-%s%s%s", rollback->uuid, volume ? "vol-" : "root", volume ? volume : "", end);
    if (!name)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return name ? ja_path_deleted(p, name) : NULL;
}

static void roll_back_tree(struct ja_planning *p, const struct ja_rollback *rollback, const char *volume, int64_t limit)
{
    const struct ja_jail *jail = rollback->subject->jail;
    const char *name = rollback->snapshot->name;
    ja_autofree char *from =
                         volume ? path_snapshot_volume(p, jail, name, volume) : path_snapshot(p, jail, name, "/root"),
                     *place = volume ? ja_path_volume(p, jail->name, volume) : ja_path_root(p, jail),
                     *new = path_aside(p, rollback, volume, "-new"), *old = path_aside(p, rollback, volume, "");
    if (!from || !place || !new || !old)
        return;
    snapshot(p, from, new, false, volume ? "make a copy of the volume as it was" : "make a copy of the tree as it was");
    limit_subvolume(p, new, 0, limit, false);
    struct ja_step *step = ja_plan_host_step(p, "swap", "put it in the place of the present one, which is put aside");
    ja_step_run(p->plan, step, new, place, old, NULL);
    ja_step_undo_host(p, step, "swap", old, place, new, NULL);
    /* Until the old one is there, nothing has happened. */
    ja_step_guard(p->plan, step, JA_FACT_PATH, old, "dir");
    step->flags |= JA_STEP_PERSISTENT;
    flush(p);
}

static void rollback_prepare(struct ja_planning *p, const struct ja_rollback *rollback)
{
    const struct ja_jail *jail = rollback->subject->jail;
    if (rollback->root)
        roll_back_tree(p, rollback, NULL, jail->limits.disk);
    for (size_t i = 0; i < rollback->trees.count; i++) {
        const struct ja_volume *volume = ja_list_get(&jail->volumes, rollback->trees.items[i]);
        roll_back_tree(p, rollback, rollback->trees.items[i], volume->size);
    }
}

static void destroy_aside(struct ja_planning *p, const struct ja_rollback *rollback, const char *volume)
{
    ja_autofree char *path = path_aside(p, rollback, volume, "");
    if (path)
        destroy(p, path, "destroy what was put aside");
}

static void rollback_finish(struct ja_planning *p, const struct ja_rollback *rollback)
{
    if (rollback->root)
        destroy_aside(p, rollback, NULL);
    for (size_t i = 0; i < rollback->trees.count; i++)
        destroy_aside(p, rollback, rollback->trees.items[i]);
}

/* ---- boot environments ---- */

static void be_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_be *be, const char *from,
                      const struct ja_snapshot *taken)
{
    ja_autofree char *source = taken ? path_snapshot(p, jail, taken->name, "/root") : ja_path_be(p, jail, from),
                     *to = ja_path_be(p, jail, be->name);
    if (!source || !to)
        return;
    snapshot(p, source, to, false, taken ? "copy the jail's tree as it was" : "copy the tree as it is now");
    limit_subvolume(p, to, 0, jail->limits.disk, false);
    if (jail->limits.disk)
        flush(p);
}

static void be_retire(struct ja_planning *p, const struct ja_jail *jail, const char *be, const char *uuid)
{
    ja_autofree char *from = ja_path_be(p, jail, be), *to = ja_path_deleted(p, uuid);
    if (from && to)
        rename_path(p, from, to, "move the boot environment out of the way");
}

static void be_destroy(struct ja_planning *p, JA_UNUSED const struct ja_jail *jail, const char *uuid)
{
    template_destroy(p, uuid);
}

const struct ja_storage ja_storage_btrfs = {
    .name = "btrfs",
    .in_order = true,
    .pool_create = pool_create,
    .pool_destroy = pool_destroy,
    .pool_mounted = pool_mounted,
    .pool_mount = pool_mount,
    .pool_unmount = pool_unmount,
    .template_create = template_create,
    .template_seal = template_seal,
    .template_from_jail = template_from_jail,
    .template_retire = template_retire,
    .template_destroy = template_destroy,
    .template_rename = template_rename,
    .jail_dirs = jail_dirs,
    .jail_create = jail_create,
    .jail_clone = jail_clone,
    .jail_retire = jail_retire,
    .jail_destroy = jail_destroy,
    .jail_rename = jail_rename,
    .volume_create = volume_create,
    .volume_retire = volume_retire,
    .volume_destroy = volume_destroy,
    .jail_limit = jail_limit,
    .jail_used = jail_used,
    .environments = environments,
    .be_create = be_create,
    .be_retire = be_retire,
    .be_destroy = be_destroy,
    .snapshots = snapshots,
    .snapshot_create = snapshot_create,
    .snapshot_retire = snapshot_retire,
    .snapshot_destroy = snapshot_destroy,
    .rollback_prepare = rollback_prepare,
    .rollback_finish = rollback_finish,
};
