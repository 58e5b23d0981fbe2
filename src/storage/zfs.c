/*
 * zfs.c: jails as ZFS datasets, by the zfs command, the same on FreeBSD and Linux. site->source is a dataset that init made;
 * below it:
 *
 *     templates/NAME/VERSION       sealed by the snapshot @sealed, then read-only
 *     templates/NAME/VERSION/shifted   where mounts cannot be idmapped: the same with the ids of the pool's jails
 *     jails/NAME                   spec and log of the jail
 *     jails/NAME/root/BE           its tree, a clone; jails/NAME/vol/VOLUME its volumes
 *     deleted/UUID                 what was deleted and waits for its last clone
 *
 * Every dataset of ours has canmount=noauto or off, so that nothing is mounted but by an explicit command, and a mark: the
 * user property jailadmin:mark, set locally, with the instance's uuid and the object's. All mounts are below site->pool.
 */
#include "storage/zfs_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)
#define SEAL "sealed"

struct ja_dataset ja_dataset(struct ja_planning *p, const char *format, ...)
{
    struct ja_dataset ds;
    char rest[JA_DATASET_SIZE];
    va_list args;
    va_start(args, format);
    int m = vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    int n = snprintf(ds.name, sizeof ds.name, "%s%s%s", p->site->source, *rest ? "/" : "", rest);
    if (m < 0 || (size_t)m >= sizeof rest || n < 0 || (size_t)n >= sizeof ds.name) {
        ja_plan_fail(p->plan, JA_E_LIMIT, NULL, "the name %s is too long for a dataset", ds.name);
        ja_plan_hint(p->plan, "choose shorter names: ZFS allows 255 characters from the pool's name on");
    }
    return ds;
}

static struct ja_dataset in_jail(struct ja_planning *p, const struct ja_jail *jail, const char *kind, const char *name)
{
    return *kind ? ja_dataset(p, "jails/%s/%s/%s", jail->name, kind, name) : ja_dataset(p, "jails/%s", jail->name);
}

void ja_dataset_mark(const struct ja_planning *p, const char *uuid, char mark[JA_MARK_SIZE])
{
    snprintf(mark, JA_MARK_SIZE, "%s %s", p->site->uuid, uuid);
}

/* ---- steps ---- */

/* Makes the undo of a step the destruction of what it made, which unmounts it first. */
static void undo_destroys(struct ja_planning *p, struct ja_step *step, const char *name, const char *uuid)
{
    char mark[JA_MARK_SIZE];
    ja_dataset_mark(p, uuid, mark);
    ja_step_undo_host(p, step, "zfs-destroy", name, mark, NULL);
    ja_step_guard(p->plan, step, JA_FACT_DATASET, name, mark);
    step->flags |= JA_STEP_PERSISTENT;
}

static void add_mark(struct ja_planning *p, struct ja_step *step, const char *uuid)
{
    ja_step_run(p->plan, step, "-o", NULL);
    ja_step_runf(p->plan, step, JA_DATASET_MARK "=%s %s", p->site->uuid, uuid);
}

/* Begins `zfs create` of a dataset with our mark; further options, then its name, are the caller's. */
static struct ja_step *create_begin(struct ja_planning *p, const char *canmount, const char *uuid, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("zfs"), "create", "-o", NULL);
    ja_step_runf(p->plan, step, "canmount=%s", canmount);
    add_mark(p, step, uuid);
    return step;
}

static void create_end(struct ja_planning *p, struct ja_step *step, const struct ja_dataset *ds, const char *uuid)
{
    ja_step_run(p->plan, step, ds->name, NULL);
    undo_destroys(p, step, ds->name, uuid);
}

/* A dataset that is never mounted and only holds others. */
static void make_holder(struct ja_planning *p, const struct ja_dataset *ds, const char *uuid, const char *why)
{
    struct ja_step *step = create_begin(p, "off", uuid, why);
    create_end(p, step, ds, uuid);
}

static void take_snapshot(struct ja_planning *p, const struct ja_dataset *snapshot, const char *uuid, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("zfs"), "snapshot", snapshot->name, NULL);
    undo_destroys(p, step, snapshot->name, uuid);
}

/* `path`: where it is mounted, NULL: where its parent says. `limit`: bytes that its own files may take, 0: no limit. */
static void make_clone(struct ja_planning *p, const struct ja_dataset *snapshot, const struct ja_dataset *ds,
                       const char *uuid, const char *path, int64_t limit, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("zfs"), "clone", "-o", "canmount=noauto", NULL);
    add_mark(p, step, uuid);
    if (path) {
        ja_step_run(p->plan, step, "-o", NULL);
        ja_step_runf(p->plan, step, "mountpoint=%s", path);
    }
    if (limit) {
        ja_step_run(p->plan, step, "-o", NULL);
        ja_step_runf(p->plan, step, "refquota=%lld", (long long)limit);
    }
    ja_step_run(p->plan, step, snapshot->name, NULL);
    create_end(p, step, ds, uuid);
}

/* Mounts have no undo of their own: what is mounted was made by the same plan, and its destruction unmounts it. */
static void mount_tree(struct ja_planning *p, const struct ja_dataset *ds, bool below, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "zfs-mount", "%s", why);
    if (below)
        ja_step_run(p->plan, step, "--below", NULL);
    ja_step_run(p->plan, step, ds->name, NULL);
}

static void unmount_tree(struct ja_planning *p, const struct ja_dataset *ds, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "zfs-unmount", "%s", why);
    ja_step_run(p->plan, step, ds->name, NULL);
}

/* The undo has no guard: a rename that was cut off may have unmounted what it did not rename, and the verb itself proves
 * what is whose. `mounted`: it is in use under its new name too. */
static void rename_tree(struct ja_planning *p, const struct ja_dataset *from, const struct ja_dataset *to,
                        const char *uuid, bool mounted, const char *why)
{
    char mark[JA_MARK_SIZE];
    ja_dataset_mark(p, uuid, mark);
    struct ja_step *step = ja_plan_host_step(p, "zfs-rename", "%s", why);
    if (mounted)
        ja_step_run(p->plan, step, "--mount-if-mounted", p->site->pool, NULL);
    ja_step_run(p->plan, step, from->name, to->name, mark, NULL);
    ja_step_undo_host(p, step, "zfs-rename", "--mount-if-mounted", p->site->pool, to->name, from->name, mark, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

/* Destroys what is in deleted/, or lets it wait there for its last clone. Repeatable. */
static void destroy_deleted(struct ja_planning *p, const struct ja_dataset *ds, const char *uuid, const char *why)
{
    char mark[JA_MARK_SIZE];
    ja_dataset_mark(p, uuid, mark);
    struct ja_dataset deleted = ja_dataset(p, "deleted");
    struct ja_step *step = ja_plan_host_step(p, "zfs-destroy", "%s", why);
    ja_step_run(p->plan, step, "--deleted", deleted.name, ds->name, mark, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

/* Destroys one that holds no other dataset, or nothing when it is gone. Repeatable. */
static void destroy_empty(struct ja_planning *p, const struct ja_dataset *ds, const char *uuid, const char *why)
{
    char mark[JA_MARK_SIZE];
    ja_dataset_mark(p, uuid, mark);
    struct ja_step *step = ja_plan_host_step(p, "zfs-destroy", "%s", why);
    ja_step_run(p->plan, step, "--empty", ds->name, mark, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

/* Whether a dataset is there; one that is not ours fails the plan. */
static bool is_there(struct ja_planning *p, const struct ja_dataset *ds, const char *uuid)
{
    char mark[JA_MARK_SIZE];
    ja_dataset_mark(p, uuid, mark);
    const char *found = ja_fact(p->facts, JA_FACT_DATASET, ds->name);
    if (found && strcmp(found, mark) != 0) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "the dataset %s was not made by jailadmin for this", ds->name);
        ja_plan_hint(p->plan,
                     "`zfs get " JA_DATASET_MARK " %s` shows whose it is; rename or destroy it, then try again",
                     ds->name);
        return false;
    }
    return found;
}

/* ---- ids ---- */

/* A privileged jail's root is the host's: its tree has the ids of its template. */
static bool is_shifted(const struct ja_planning *p, const struct ja_jail *jail)
{
    return ja_site_shifts(p->site) && !jail->privileged;
}

/* ---- the pool ---- */

static bool pool_mounted(struct ja_planning *p)
{
    return ja_fact(p->facts, JA_FACT_MOUNT, p->site->pool) != NULL;
}

static void pool_mount(struct ja_planning *p)
{
    struct ja_dataset root = ja_dataset(p, "%s", "");
    struct ja_step *step = ja_plan_host_step(p, "zfs-mount", "mount the pool and all trees in it");
    ja_step_run(p->plan, step, "--below", root.name, NULL);
    ja_step_undo_host(p, step, "zfs-unmount", root.name, NULL);
    ja_step_guard(p->plan, step, JA_FACT_MOUNT, p->site->pool, NULL);
    step->timeout_ms = 600 * 1000;
}

static void pool_unmount(struct ja_planning *p)
{
    struct ja_dataset root = ja_dataset(p, "%s", "");
    if (pool_mounted(p))
        unmount_tree(p, &root, "unmount the pool and all trees in it");
}

/* The dataset itself must not be there; its parent must. */
static void check_place(struct ja_planning *p, const char *name)
{
    char parent[JA_DATASET_SIZE];
    const char *found = ja_fact(p->facts, JA_FACT_DATASET, name), *slash = strrchr(name, '/');
    if (found) {
        ja_plan_fail(p->plan, JA_E_EXISTS, "storage", "the dataset %s exists already%s", name,
                     *found ? " and belongs to an instance of jailadmin" : "");
        ja_plan_hint(p->plan, "name one that does not exist yet, or an empty one");
        return;
    }
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - name) : 0, name);
    if (!slash) {
        ja_plan_fail(p->plan, JA_E_NOTFOUND, "storage", "there is no ZFS pool %s", name);
        ja_plan_hint(p->plan, "make it first: zpool create %s DISK", name);
    } else if (!ja_fact(p->facts, JA_FACT_DATASET, parent)) {
        ja_plan_fail(p->plan, JA_E_NOTFOUND, "storage", "there is no dataset %s", parent);
        ja_plan_hint(p->plan, "`zfs list` shows those there are; make it first with `zfs create -p %s`", parent);
    }
}

/* Set-user-id programs and devices of jails count for nothing on a Linux host, whose jails have mounts of their own; on
 * FreeBSD the jails live in these very mounts. */
static void linux_options(struct ja_planning *p, struct ja_step *step)
{
    if (p->site->os != JA_OS_LINUX)
        return;
    ja_step_run(p->plan, step, "-o", "setuid=off", "-o", "devices=off", NULL);
    /* zfs-fuse has no module, and neither of these. */
    if (ja_fact(p->facts, JA_FACT_MODULE, "zfs"))
        ja_step_run(p->plan, step, "-o", "acltype=posixacl", "-o", "xattr=sa", NULL);
}

static void pool_create(struct ja_planning *p, JA_UNUSED int64_t loop_size)
{
    static const char *const dirs[] = {"templates", "jails"};
    const struct ja_site *site = p->site;
    struct ja_dataset root = ja_dataset(p, "%s", ""), deleted = ja_dataset(p, "deleted");
    check_place(p, root.name);
    ja_plan_mkdir(p, site->pool, "0700", true, "make the pool's mount point");
    struct ja_step *step = create_begin(p, "noauto", site->uuid, "make the dataset of the pool");
    ja_step_run(p->plan, step, "-o", NULL);
    ja_step_runf(p->plan, step, "mountpoint=%s", site->pool);
    ja_step_run(p->plan, step, "-o", "atime=off", NULL);
    linux_options(p, step);
    create_end(p, step, &root, site->uuid);
    for (size_t i = 0; i < JA_COUNT(dirs); i++) {
        struct ja_dataset holder = ja_dataset(p, "%s", dirs[i]);
        make_holder(p, &holder, site->uuid, "make the datasets that hold templates, jails, and what is deleted");
    }
    step = create_begin(p, "off", site->uuid, "make the datasets that hold templates, jails, and what is deleted");
    ja_step_run(p->plan, step, "-o", "mountpoint=none", NULL);
    create_end(p, step, &deleted, site->uuid);
    pool_mount(p);
    for (size_t i = 0; i < JA_COUNT(dirs); i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", site->pool, dirs[i]);
        ja_plan_mkdir(p, path, "0700", true, "make the pool's directories");
    }
}

/* After the last object is gone. Each is repeatable. What waits in deleted/ for a clone that somebody else made keeps the
 * pool, with an error that names it. */
static void pool_destroy(struct ja_planning *p)
{
    static const char *const holders[] = {"jails", "templates", "deleted", ""};
    for (size_t i = 0; i < JA_COUNT(holders); i++) {
        struct ja_dataset holder = ja_dataset(p, "%s", holders[i]);
        if (is_there(p, &holder, p->site->uuid))
            destroy_empty(p, &holder, p->site->uuid, "destroy the pool's datasets");
    }
    struct ja_step *step = ja_plan_host_step(p, "rmdir", "remove the pool's mount point");
    ja_step_run(p->plan, step, p->site->pool, NULL);
}

/* ---- templates ---- */

/* The template's directory, which holds its spec, and the dataset that holds its versions. */
static void template_holder(struct ja_planning *p, const char *name)
{
    ja_autofree char *dir = ja_path_template(p, name, NULL);
    struct ja_dataset holder = ja_dataset(p, "templates/%s", name);
    if (dir && !ja_fact(p->facts, JA_FACT_PATH, dir))
        ja_plan_mkdir(p, dir, "0700", true, "make the template's directory");
    if (!is_there(p, &holder, p->site->uuid))
        make_holder(p, &holder, p->site->uuid, "make the dataset that holds its versions");
}

static void template_create(struct ja_planning *p, const char *name, const char *version, const char *uuid)
{
    struct ja_dataset ds = ja_dataset(p, "templates/%s/%s", name, version);
    template_holder(p, name);
    struct ja_step *step = create_begin(p, "noauto", uuid, "make an empty dataset for the template");
    create_end(p, step, &ds, uuid);
    mount_tree(p, &ds, false, "mount it");
}

/* A copy of the sealed version with the ids of the pool's jails: it shares all data with the version. */
static void make_shifted(struct ja_planning *p, const char *name, const char *version, const char *uuid)
{
    struct ja_dataset sealed = ja_dataset(p, "templates/%s/%s@" SEAL, name, version);
    struct ja_dataset ds = ja_dataset(p, "templates/%s/%s/shifted", name, version);
    struct ja_dataset seal = ja_dataset(p, "templates/%s/%s/shifted@" SEAL, name, version);
    ja_autofree char *path = ja_path_template(p, name, version), *place = path ? ja_printf("%s.shifted", path) : NULL;
    if (!place)
        return;
    make_clone(p, &sealed, &ds, uuid, place, 0, "keep a second copy, with the ids that jails have on the host");
    mount_tree(p, &ds, false, "mount it");
    ja_plan_shift_ids(p, place, true, "shift its ids");
    unmount_tree(p, &ds, "unmount it for good: only clones of it are used");
    struct ja_step *step = ja_plan_step(p->plan, "unmount it for good: only clones of it are used");
    ja_step_run(p->plan, step, TOOL("zfs"), "set", "canmount=off", ds.name, NULL);
    step->flags |= JA_STEP_PERSISTENT;
    take_snapshot(p, &seal, uuid, "seal it");
}

static void template_seal(struct ja_planning *p, const char *name, const char *version, const char *uuid)
{
    struct ja_dataset ds = ja_dataset(p, "templates/%s/%s", name, version);
    struct ja_dataset sealed = ja_dataset(p, "templates/%s/%s@" SEAL, name, version);
    unmount_tree(p, &ds, "seal the version: read-only from now on");
    take_snapshot(p, &sealed, uuid, "seal the version: read-only from now on");
    if (ja_site_shifts(p->site))
        make_shifted(p, name, version, uuid);
    struct ja_step *step = ja_plan_step(p->plan, "seal the version: read-only from now on");
    ja_step_run(p->plan, step, TOOL("zfs"), "set", "readonly=on", ds.name, NULL);
    step->flags |= JA_STEP_PERSISTENT;
    mount_tree(p, &ds, false, "mount it again");
}

static void template_from_jail(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot,
                               const char *name, const char *version, const char *uuid)
{
    struct ja_dataset ds = ja_dataset(p, "templates/%s/%s", name, version);
    struct ja_dataset from = ja_dataset(p, "jails/%s/root/%s@clone-%s", jail->name, jail->be, uuid);
    ja_autofree char *path = ja_path_template(p, name, version);
    template_holder(p, name);
    if (snapshot)
        from = ja_dataset(p, "jails/%s/root/%s@%s", jail->name, snapshot->be, snapshot->name);
    else
        take_snapshot(p, &from, jail->uuid, "take the jail's tree as it is now");
    make_clone(p, &from, &ds, uuid, NULL, 0,
               snapshot ? "take the jail's tree as it was" : "take the jail's tree as it is now");
    mount_tree(p, &ds, false, "mount it");
    if (path && is_shifted(p, jail))
        ja_plan_shift_ids(p, path, false, "give it the ids of a template");
}

static void template_retire(struct ja_planning *p, const char *name, const char *version, const char *uuid)
{
    struct ja_dataset from = ja_dataset(p, "templates/%s/%s", name, version), to = ja_dataset(p, "deleted/%s", uuid);
    if (is_there(p, &from, uuid))
        rename_tree(p, &from, &to, uuid, false, "move the version out of the way");
}

static void template_destroy(struct ja_planning *p, const char *uuid)
{
    struct ja_dataset ds = ja_dataset(p, "deleted/%s", uuid);
    destroy_deleted(p, &ds, uuid, "destroy it, or let it wait for its last clone");
}

static void template_forget(struct ja_planning *p, const char *name)
{
    struct ja_dataset holder = ja_dataset(p, "templates/%s", name);
    destroy_empty(p, &holder, p->site->uuid, "destroy the dataset that held its versions");
}

/* The versions move with the dataset that holds them, into a directory of the new name: after a boot, the pool's mount makes the
 * directories of all that it mounts, so that one which was renamed itself would be in the way of its own undo. */
static void template_rename(struct ja_planning *p, const struct ja_template *template, const char *to)
{
    struct ja_dataset from = ja_dataset(p, "templates/%s", template->name), new = ja_dataset(p, "templates/%s", to);
    ja_autofree char *dir = ja_path_template(p, to, NULL), *spec = ja_path_spec(p, &ja_noun_template, template->name),
                     *new_spec = ja_path_spec(p, &ja_noun_template, to);
    if (!dir || !spec || !new_spec)
        return;
    ja_plan_mkdir(p, dir, "0700", true, "make the directory of its new name");
    struct ja_step *step = ja_plan_host_step(p, "rename", "move its spec there");
    ja_step_run(p->plan, step, spec, new_spec, NULL);
    ja_step_undo_host(p, step, "rename", new_spec, spec, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, new_spec, "file");
    step->flags |= JA_STEP_PERSISTENT;
    rename_tree(p, &from, &new, p->site->uuid, true, "rename the dataset that holds its versions");
}

static void template_renamed(struct ja_planning *p, const struct ja_template *template)
{
    ja_autofree char *dir = ja_path_template(p, template->name, NULL);
    struct ja_step *step = ja_plan_host_step(p, "rmdir", "remove the directory of its old name");
    ja_step_run(p->plan, step, dir ? dir : "", NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

/* ---- jails ---- */

static void check_free(struct ja_planning *p, const struct ja_dataset *ds)
{
    if (!ja_fact(p->facts, JA_FACT_DATASET, ds->name))
        return;
    ja_plan_fail(p->plan, JA_E_EXISTS, NULL, "the dataset %s exists already", ds->name);
    ja_plan_hint(p->plan, "`jailadmin gc` lists trees that no jail owns; `jailadmin adopt` takes them back");
}

static void jail_holders(struct ja_planning *p, const struct ja_jail *jail)
{
    struct ja_dataset top = in_jail(p, jail, "", ""), root = ja_dataset(p, "jails/%s/root", jail->name);
    check_free(p, &top);
    struct ja_step *step = create_begin(p, "noauto", jail->uuid, "make the jail's dataset, for its spec and log");
    create_end(p, step, &top, jail->uuid);
    /* At once: zfs-fuse mounts every clone, whatever it says, and that must not be beneath this. */
    mount_tree(p, &top, false, "mount it");
    make_holder(p, &root, jail->uuid, "make the datasets that hold its trees");
    if (jail->volumes.count) {
        struct ja_dataset vol = ja_dataset(p, "jails/%s/vol", jail->name);
        make_holder(p, &vol, jail->uuid, "make the datasets that hold its trees");
    }
}

static void make_volume(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    struct ja_dataset ds = in_jail(p, jail, "vol", volume->name);
    struct ja_step *step = create_begin(p, "noauto", jail->uuid, "make the jail's volumes");
    if (volume->size) {
        ja_step_run(p->plan, step, "-o", NULL);
        ja_step_runf(p->plan, step, "refquota=%lld", (long long)volume->size);
    }
    create_end(p, step, &ds, jail->uuid);
}

/* Once they are mounted: new volumes belong to the jail's root. */
static void own_volume(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    ja_autofree char *path = ja_path_volume(p, jail->name, volume->name);
    if (path && is_shifted(p, jail))
        ja_plan_shift_ids(p, path, true, "give its volumes to its root");
}

static void mount_jail(struct ja_planning *p, const struct ja_jail *jail)
{
    struct ja_dataset top = in_jail(p, jail, "", "");
    mount_tree(p, &top, true, "mount the jail's trees");
}

static void jail_create(struct ja_planning *p, const struct ja_jail *jail)
{
    struct ja_dataset from =
        ja_dataset(p, "templates/%s/%s%s@" SEAL, jail->template, jail->version, is_shifted(p, jail) ? "/shifted" : "");
    struct ja_dataset to = in_jail(p, jail, "root", jail->be);
    char why[256];
    snprintf(why, sizeof why, "clone the template %s@%s", jail->template, jail->version);
    jail_holders(p, jail);
    make_clone(p, &from, &to, jail->uuid, NULL, jail->limits.disk, why);
    for (size_t i = 0; i < jail->volumes.count; i++)
        make_volume(p, jail, jail->volumes.items[i]);
    mount_jail(p, jail);
    for (size_t i = 0; i < jail->volumes.count; i++)
        own_volume(p, jail, jail->volumes.items[i]);
}

/* Of a snapshot that is kept, or of one named after the clone, which is destroyed with it. */
static void clone_one(struct ja_planning *p, const struct ja_jail *from, const struct ja_snapshot *snapshot,
                      const struct ja_jail *jail, const char *kind, const char *from_name, const char *name,
                      int64_t limit, const char *why)
{
    struct ja_dataset taken = ja_dataset(p, "jails/%s/%s/%s@clone-%s", from->name, kind, from_name, jail->uuid);
    struct ja_dataset to = in_jail(p, jail, kind, name);
    if (snapshot)
        taken = ja_dataset(p, "jails/%s/%s/%s@%s", from->name, kind, from_name, snapshot->name);
    else
        take_snapshot(p, &taken, from->uuid, why);
    make_clone(p, &taken, &to, jail->uuid, NULL, limit, why);
}

/* Whether a clone has that volume from its original; else it is empty. */
static bool has_volume(const struct ja_jail *from, const struct ja_snapshot *snapshot, const char *name)
{
    return snapshot ? ja_strv_has(&snapshot->volumes, name) : ja_list_get(&from->volumes, name) != NULL;
}

static void jail_clone(struct ja_planning *p, const struct ja_jail *from, const struct ja_snapshot *snapshot,
                       const struct ja_jail *jail)
{
    ja_autofree char *root = ja_path_root(p, jail);
    jail_holders(p, jail);
    clone_one(p, from, snapshot, jail, "root", snapshot ? snapshot->be : from->be, jail->be, jail->limits.disk,
              snapshot ? "clone the jail's tree as it was" : "clone the jail's tree as it is now");
    for (size_t i = 0; i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        if (has_volume(from, snapshot, volume->name))
            clone_one(p, from, snapshot, jail, "vol", volume->name, volume->name, volume->size,
                      "clone the jail's volumes");
        else
            make_volume(p, jail, volume);
    }
    mount_jail(p, jail);
    /* Between a privileged jail and another the ids of all files change. */
    bool changed = is_shifted(p, from) != is_shifted(p, jail);
    if (root && changed)
        ja_plan_shift_ids(p, root, is_shifted(p, jail), "give its tree its own ids");
    for (size_t i = 0; i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        ja_autofree char *path = ja_path_volume(p, jail->name, volume->name);
        if (!has_volume(from, snapshot, volume->name))
            own_volume(p, jail, volume);
        else if (path && changed)
            ja_plan_shift_ids(p, path, is_shifted(p, jail), "give its tree its own ids");
    }
}

/* ---- volumes and limits of a jail that exists ---- */

static void volume_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    struct ja_dataset holder = ja_dataset(p, "jails/%s/vol", jail->name), ds = in_jail(p, jail, "vol", volume->name);
    if (!is_there(p, &holder, jail->uuid) && !ja_plan_makes(p->plan, holder.name))
        make_holder(p, &holder, jail->uuid, "make the dataset that holds its volumes");
    make_volume(p, jail, volume);
    mount_tree(p, &ds, false, "mount it");
    own_volume(p, jail, volume);
}

/* deleted/<uuid of the jail>-<volume> */
static void volume_retire(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    struct ja_dataset from = in_jail(p, jail, "vol", volume->name);
    struct ja_dataset to = ja_dataset(p, "deleted/%s-%s", jail->uuid, volume->name);
    if (is_there(p, &from, jail->uuid))
        rename_tree(p, &from, &to, jail->uuid, false, "move the volume out of the way");
}

static void volume_destroy(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    struct ja_dataset ds = ja_dataset(p, "deleted/%s-%s", jail->uuid, volume->name);
    destroy_deleted(p, &ds, jail->uuid, "destroy the volume, or let it wait for its last clone");
}

static void set_limit(struct ja_planning *p, const struct ja_dataset *ds, const char *uuid, int64_t from, int64_t to)
{
    char mark[JA_MARK_SIZE];
    if (from == to)
        return;
    ja_dataset_mark(p, uuid, mark);
    struct ja_step *step = ja_plan_step(p->plan, to ? "limit its disk space" : "take the limit off its disk space");
    ja_step_run(p->plan, step, TOOL("zfs"), "set", NULL);
    ja_step_undo(p->plan, step, TOOL("zfs"), "set", NULL);
    if (to)
        ja_step_runf(p->plan, step, "refquota=%lld", (long long)to);
    else
        ja_step_run(p->plan, step, "refquota=none", NULL);
    if (from)
        ja_step_undof(p->plan, step, "refquota=%lld", (long long)from);
    else
        ja_step_undo(p->plan, step, "refquota=none", NULL);
    ja_step_run(p->plan, step, ds->name, NULL);
    ja_step_undo(p->plan, step, ds->name, NULL);
    ja_step_guard(p->plan, step, JA_FACT_DATASET, ds->name, mark);
    step->flags |= JA_STEP_PERSISTENT;
}

/* Those of ours in jails/NAME/root: an administrator may have made others there. */
static void environments(struct ja_planning *p, const struct ja_jail *jail, struct ja_strv *names)
{
    char mark[JA_MARK_SIZE];
    struct ja_dataset holder = ja_dataset(p, "jails/%s/root", jail->name);
    const char *text = ja_fact(p->facts, JA_FACT_CONTENTS, holder.name);
    ja_autofree char *copy = ja_strdup(text ? text : "");
    size_t length = strlen(holder.name);
    ja_dataset_mark(p, jail->uuid, mark);
    if (!copy)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    char *rest = copy;
    for (char *line; rest && (line = strsep(&rest, "\n")) != NULL;) {
        if (strncmp(line, holder.name, length) != 0 || line[length] != '/' ||
            ja_check_name(line + length + 1, NULL) < 0)
            continue;
        const char *found = ja_fact(p->facts, JA_FACT_DATASET, line);
        if (found && strcmp(found, mark) == 0 && ja_strv_add(names, line + length + 1) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
}

static void jail_limit(struct ja_planning *p, const struct ja_jail *old, const struct ja_jail *new)
{
    ja_autostrv struct ja_strv names = {0};
    if (old->limits.disk != new->limits.disk)
        environments(p, new, &names);
    for (size_t i = 0; i < names.count; i++) {
        struct ja_dataset root = in_jail(p, new, "root", names.items[i]);
        set_limit(p, &root, new->uuid, old->limits.disk, new->limits.disk);
    }
    for (size_t i = 0; i < new->volumes.count; i++) {
        const struct ja_volume *volume = new->volumes.items[i], *before = ja_list_get(&old->volumes, volume->name);
        struct ja_dataset ds = in_jail(p, new, "vol", volume->name);
        if (before)
            set_limit(p, &ds, new->uuid, before->size, volume->size);
    }
}

/* ---- boot environments ---- */

/* As clones of jails are: a snapshot that was made for it is named after it, and destroyed with it. */
static void be_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_be *be, const char *from,
                      const struct ja_snapshot *snapshot)
{
    struct ja_dataset taken = ja_dataset(p, "jails/%s/root/%s@clone-%s", jail->name, from, be->uuid);
    struct ja_dataset to = in_jail(p, jail, "root", be->name);
    const char *why = snapshot ? "copy the jail's tree as it was" : "copy the tree as it is now";
    if (snapshot)
        taken = ja_dataset(p, "jails/%s/root/%s@%s", jail->name, snapshot->be, snapshot->name);
    else
        take_snapshot(p, &taken, jail->uuid, why);
    make_clone(p, &taken, &to, jail->uuid, NULL, jail->limits.disk, why);
    mount_tree(p, &to, false, "mount it");
}

static void be_retire(struct ja_planning *p, const struct ja_jail *jail, const char *be, const char *uuid)
{
    struct ja_dataset from = in_jail(p, jail, "root", be), to = ja_dataset(p, "deleted/%s", uuid);
    rename_tree(p, &from, &to, jail->uuid, false, "move the boot environment out of the way");
}

static void be_destroy(struct ja_planning *p, const struct ja_jail *jail, const char *uuid)
{
    struct ja_dataset ds = ja_dataset(p, "deleted/%s", uuid);
    destroy_deleted(p, &ds, jail->uuid, "destroy it, or let it wait for its last clone");
}

/* ---- the end of a jail, and its name ---- */

static void jail_retire(struct ja_planning *p, const struct ja_jail *jail)
{
    struct ja_dataset from = in_jail(p, jail, "", ""), to = ja_dataset(p, "deleted/%s", jail->uuid);
    if (is_there(p, &from, jail->uuid))
        rename_tree(p, &from, &to, jail->uuid, false, "move the jail's trees out of the way");
}

static void jail_destroy(struct ja_planning *p, const struct ja_jail *jail)
{
    struct ja_dataset ds = ja_dataset(p, "deleted/%s", jail->uuid);
    destroy_deleted(p, &ds, jail->uuid, "destroy the jail's trees, or let them wait for their last clone");
}

static void jail_rename(struct ja_planning *p, const struct ja_jail *jail, const char *to)
{
    struct ja_dataset from = in_jail(p, jail, "", ""), new = ja_dataset(p, "jails/%s", to);
    check_free(p, &new);
    rename_tree(p, &from, &new, jail->uuid, true, "rename the jail's dataset");
}

/* All that a start needs is mounted, unless an administrator has unmounted it, or a crash came between. */
static bool jail_mounted(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *dir = ja_path_jail(p, jail->name), *root = ja_path_root(p, jail);
    bool mounted = dir && root && ja_fact(p->facts, JA_FACT_MOUNT, dir) && ja_fact(p->facts, JA_FACT_MOUNT, root);
    for (size_t i = 0; mounted && i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        ja_autofree char *path = ja_path_volume(p, jail->name, volume->name);
        mounted = path && ja_fact(p->facts, JA_FACT_MOUNT, path);
    }
    return mounted;
}

static const char *jail_used(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    struct ja_dataset ds = in_jail(p, jail, volume ? "vol" : "root", volume ? volume->name : jail->be);
    return ja_fact(p->facts, JA_FACT_USED, ds.name);
}

const struct ja_storage ja_storage_zfs = {
    .name = "zfs",
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
    .template_forget = template_forget,
    .template_rename = template_rename,
    .template_renamed = template_renamed,
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
    .jail_mounted = jail_mounted,
    .jail_mount = mount_jail,
    .environments = environments,
    .be_create = be_create,
    .be_retire = be_retire,
    .be_destroy = be_destroy,
    .snapshots = ja_zfs_snapshots,
    .snapshot_create = ja_zfs_snapshot_create,
    .snapshot_retire = ja_zfs_snapshot_retire,
    .snapshot_destroy = ja_zfs_snapshot_destroy,
    .rollback_prepare = ja_zfs_rollback_prepare,
    .rollback_finish = ja_zfs_rollback_finish,
    .rollback_lost = ja_zfs_rollback_lost,
};
