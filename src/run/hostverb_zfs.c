/*
 * hostverb_zfs.c: `jailadmin host zfs-mount|zfs-unmount|zfs-rename|zfs-destroy`: what takes several commands of zfs and
 * patience: unmounting with all that is below, waiting for what is busy and saying who holds it, proof that a dataset is
 * ours before it is moved or destroyed, and the end of origins whose last clone has gone.
 */
#include "run/hostverbs.h"
#include "run/option.h"
#include "run/zfs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { HOLDER_TRIES = 25 }; /* five seconds */

#define ja_autolist JA_CLEANUP(ja_zfs_list_fini)

/* ---- proof ---- */

/* The dataset bears exactly this mark. JA_E_NOTFOUND, JA_E_DENIED. */
static int prove(const char *name, const char *mark, struct ja_error *err)
{
    ja_autofree char *found = NULL;
    int rc = ja_zfs_mark(name, &found, err);
    if (rc == 0 && (!found || strcmp(found, mark) != 0)) {
        ja_error_set(err, JA_E_DENIED, name, "the dataset is not the one that jailadmin made: its %s is %s",
                     JA_ZFS_MARK, found ? JA_SHOW(found) : "not set");
        return ja_error_hint(err, "it is left alone; `zfs get %s %s` shows the property", JA_ZFS_MARK, name);
    }
    return rc;
}

/* All datasets of the list are ours: of the same instance (the first word of the mark). An administrator may have made
 * others below. */
static int prove_all(const struct ja_zfs_list *list, const char *mark, struct ja_error *err)
{
    struct ja_facts facts = {0};
    size_t length = strcspn(mark, " ");
    for (size_t i = 0; i < list->count; i++)
        ja_fact(&facts, JA_FACT_DATASET, list->items[i].name);
    int rc = facts.failed ? ja_error_nomem(err) : ja_zfs_facts_read(&facts, err);
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        const char *name = list->items[i].name, *value = ja_fact(&facts, JA_FACT_DATASET, name);
        if (value && (strncmp(value, mark, length) != 0 || value[length] != ' ')) {
            rc = ja_error_set(err, JA_E_DENIED, name, "the dataset was not made by jailadmin, and would be destroyed");
            ja_error_hint(err, "move it elsewhere with `zfs rename`, or destroy it yourself, then try again");
        }
    }
    ja_facts_fini(&facts);
    return rc;
}

/* ---- mount, unmount ---- */

static int mount_tree(const char *name, bool below, struct ja_error *err)
{
    ja_autolist struct ja_zfs_list list = {0};
    int rc = ja_zfs_list(name, below, &list, err);
    return rc < 0 ? rc : ja_zfs_mount_all(&list, err);
}

/* Whether something is mounted at `dir`. An undo after a reboot must not mount a jail where its pool is not: that is
 * mounted later, with all that is in it. */
static bool is_mount_point(const char *dir)
{
    struct stat info, above;
    ja_autofree char *parent = ja_printf("%s/..", dir);
    return parent && stat(dir, &info) == 0 && stat(parent, &above) == 0 && info.st_dev != above.st_dev;
}

int ja_verb_zfs_mount(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    bool below = false;
    int first, rc;
    const struct ja_opt options[] = {{.name = "--below", .flag = &below}, {0}};
    if ((rc = ja_opt_read(argc, argv, options, &first, err)) < 0)
        return rc;
    return first == argc - 1 ? mount_tree(argv[first], below, err) : ja_opt_usage(argv[0], err);
}

int ja_verb_zfs_unmount(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    ja_autolist struct ja_zfs_list list = {0};
    if (argc != 2)
        return ja_opt_usage(argv[0], err);
    int rc = ja_zfs_list(argv[1], true, &list, err);
    if (rc == JA_E_NOTFOUND) {
        ja_error_clear(err);
        return 0;
    }
    return rc < 0 ? rc : ja_zfs_unmount_all(&list, err);
}

/* ---- rename ---- */

static bool lies_in(const char *name, const char *top)
{
    size_t length = strlen(top);
    return strncmp(name, top, length) == 0 && (name[length] == '\0' || strchr("/@", name[length]));
}

/* Marks what is a clone of something in `top` or of a marked one. True when there was another. */
static bool mark_clones(const struct ja_zfs_list *all, const char *top, bool *marked)
{
    bool found = false;
    for (size_t i = 0; i < all->count; i++) {
        bool is_clone = lies_in(all->items[i].origin, top);
        for (size_t j = 0; !is_clone && j < all->count; j++)
            is_clone = marked[j] && lies_in(all->items[i].origin, all->items[j].name);
        if (is_clone && !marked[i])
            found = marked[i] = true;
    }
    return found;
}

/* The mounted clones of what is in `top`, and clones of clones: all of the pool is looked through. */
static int find_clones(const char *top, struct ja_zfs_list *ret_clones, struct ja_error *err)
{
    ja_autofree char *pool = ja_strndup(top, strcspn(top, "/"));
    ja_autolist struct ja_zfs_list all = {0};
    int rc = pool ? ja_zfs_list(pool, true, &all, err) : ja_error_nomem(err);
    ja_autofree bool *marked = rc == 0 ? ja_calloc(all.count + 1, sizeof *marked) : NULL;
    if (rc == 0 && !marked)
        rc = ja_error_nomem(err);
    while (rc == 0 && mark_clones(&all, top, marked))
        ;
    for (size_t i = 0; rc == 0 && i < all.count; i++)
        if (marked[i] && all.items[i].mounted && !lies_in(all.items[i].name, top))
            rc = ja_zfs_list_add(ret_clones, &all.items[i], err);
    return rc;
}

/* Waits until nobody holds a clone. Any start of a jail has all mounts of the host for a moment. */
static int await_holders(const struct ja_zfs_dataset *clone, const char *origin, struct ja_error *err)
{
    const struct timespec pause = {.tv_nsec = 200 * 1000000L};
    char who[300];
    for (int tries = 0;; tries++) {
        ja_holders(clone->mountpoint, clone->name, who, sizeof who);
        if (!*who)
            return 0;
        if (tries == HOLDER_TRIES)
            break;
        nanosleep(&pause, NULL);
    }
    ja_error_set(err, JA_E_BUSY, origin, "its clone %s is in use: %s", clone->name, who);
    return ja_error_hint(
        err, "stop the jails that are clones of it: this version of ZFS moves nothing that has a mounted clone");
}

/* zfs-fuse, and OpenZFS before 2.0, rename nothing while a clone of it is mounted. Those of stopped jails are unmounted for
 * a moment; those of running ones cannot be. */
static int rename_without_clones(const struct ja_zfs_list *list, const struct ja_strv *words, struct ja_error *err)
{
    ja_autolist struct ja_zfs_list clones = {0};
    int rc = find_clones(list->items[0].name, &clones, err);
    for (size_t i = 0; rc == 0 && i < clones.count; i++)
        rc = await_holders(&clones.items[i], list->items[0].name, err);
    if (rc == 0)
        rc = ja_zfs_unmount_all(&clones, err);
    if (rc == 0)
        rc = ja_zfs_patiently(words, list->items[0].name, list->items[0].mountpoint, err);
    for (size_t i = 0; i < clones.count; i++)
        clones.items[i].mounted = false;
    ja_zfs_mount_all(&clones, NULL);
    return rc;
}

static int rename_tree(const char *from, const char *to, struct ja_error *err)
{
    ja_autolist struct ja_zfs_list list = {0};
    ja_autostrv struct ja_strv words = {0}, plain = {0};
    int rc = ja_zfs_list(from, true, &list, err);
    if (rc < 0)
        return rc;
    /* -u: without it, clones of what is renamed would be unmounted and mounted again. */
    if (ja_strv_add_all(&words, "rename", "-u", from, to, NULL) < 0 ||
        ja_strv_add_all(&plain, "rename", from, to, NULL) < 0)
        return ja_error_nomem(err);
    struct ja_error local = JA_ERROR_INIT;
    rc = ja_zfs_unmount_all(&list, &local);
    if (rc == 0 && (rc = ja_zfs_patiently(&words, from, list.items[0].mountpoint, &local)) < 0 &&
        strstr(local.output, "invalid option"))
        rc = rename_without_clones(&list, &plain, &local);
    /* What stays under its name stays mounted. */
    if (rc < 0 && list.count && list.items[0].mounted)
        mount_tree(from, true, NULL);
    if (rc < 0 && err)
        *err = local;
    return rc;
}

int ja_verb_zfs_rename(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    const char *pool = NULL;
    int first, rc;
    const struct ja_opt options[] = {{.name = "--mount-if-mounted", .value = &pool}, {0}};
    if ((rc = ja_opt_read(argc, argv, options, &first, err)) < 0)
        return rc;
    if (first != argc - 3)
        return ja_opt_usage(argv[0], err);
    const char *from = argv[first], *to = argv[first + 1], *mark = argv[first + 2];
    rc = prove(from, mark, err);
    /* Renamed already, as an undo finds it that is run again. */
    bool done = rc == JA_E_NOTFOUND && prove(to, mark, NULL) == 0;
    if (done)
        ja_error_clear(err);
    else if (rc == 0)
        rc = rename_tree(from, to, err);
    if (done || rc == 0)
        rc = pool && is_mount_point(pool) ? mount_tree(to, true, err) : 0;
    return rc;
}

/* ---- destroy ---- */

/* Destroys one dataset with all below it, or a snapshot. JA_E_CONFLICT: clones elsewhere hang on it. */
static int destroy_tree(const char *name, const char *mark, bool below, struct ja_strv *origins, struct ja_error *err)
{
    ja_autolist struct ja_zfs_list list = {0};
    ja_autostrv struct ja_strv words = {0};
    int rc = strchr(name, '@') ? 0 : ja_zfs_list(name, true, &list, err);
    if (rc == 0 && below)
        rc = prove_all(&list, mark, err);
    if (rc < 0)
        return rc;
    if (!below && list.count > 1) {
        ja_error_set(err, JA_E_CONFLICT, name, "the dataset still holds others, such as %s", list.items[1].name);
        return ja_error_hint(err, "`zfs list -r %s` shows them", name);
    }
    for (size_t i = 0; i < list.count; i++)
        if (strchr(list.items[i].origin, '@') && ja_strv_add(origins, list.items[i].origin) < 0)
            return ja_error_nomem(err);
    /* Snapshots that others have made of it go with it. */
    if (ja_strv_add(&words, "destroy") < 0 || (list.count && ja_strv_add(&words, "-r") < 0) ||
        ja_strv_add(&words, name) < 0)
        return ja_error_nomem(err);
    rc = ja_zfs_unmount_all(&list, err);
    return rc < 0 ? rc : ja_zfs_patiently(&words, name, list.count ? list.items[0].mountpoint : NULL, err);
}

/* "INSTANCE": the first word of a mark, as its pattern. */
static bool same_instance(const char *a, const char *b)
{
    size_t length = strcspn(a, " ");
    return strncmp(a, b, length + 1) == 0;
}

/* One origin whose clone has gone. A snapshot that was made for that clone alone goes; so does what waits in `deleted` for
 * its last clone. What still has clones stays. */
static int end_origin(const char *snapshot, const char *deleted, const char *mark, struct ja_strv *origins,
                      struct ja_error *err)
{
    const char *at = strchr(snapshot, '@');
    size_t length = strlen(deleted);
    ja_autofree char *found = NULL;
    int rc = 0;
    if (at && ja_str_starts(at + 1, "clone-")) {
        rc = ja_zfs_mark(snapshot, &found, err);
        if (rc == 0 && found && same_instance(mark, found))
            rc = destroy_tree(snapshot, mark, false, origins, err);
    }
    if (rc < 0 && rc != JA_E_NOTFOUND && rc != JA_E_CONFLICT)
        return rc;
    ja_error_clear(err);
    if (strncmp(snapshot, deleted, length) != 0 || snapshot[length] != '/')
        return 0;
    ja_autofree char *top = ja_strndup(snapshot, length + 1 + strcspn(snapshot + length + 1, "/@"));
    ja_autofree char *top_mark = NULL;
    rc = top ? ja_zfs_mark(top, &top_mark, err) : ja_error_nomem(err);
    if (rc == 0 && top_mark && same_instance(mark, top_mark)) {
        ja_autostrv struct ja_strv more = {0};
        rc = destroy_tree(top, top_mark, true, &more, err);
        for (size_t i = 0; rc == 0 && i < more.count; i++)
            if (ja_strv_add(origins, more.items[i]) < 0)
                rc = ja_error_nomem(err);
    }
    if (rc == JA_E_NOTFOUND || rc == JA_E_CONFLICT) {
        ja_error_clear(err);
        rc = 0;
    }
    return rc;
}

/* After a first try that was cut off nobody knows the origins any more: all that waits is tried. */
static int add_waiting(const char *deleted, struct ja_strv *origins, struct ja_error *err)
{
    ja_autolist struct ja_zfs_list list = {0};
    int rc = ja_zfs_list(deleted, true, &list, err);
    size_t length = strlen(deleted);
    for (size_t i = 0; rc == 0 && i < list.count; i++) {
        const char *name = list.items[i].name;
        if (name[length] == '/' && !strchr(name + length + 1, '/') && ja_strv_addf(origins, "%s@", name) < 0)
            rc = ja_error_nomem(err);
    }
    return rc;
}

/* One that is gone is success; with `deleted` also one that waits there for its last clone. */
static int end_one(const char *name, const char *mark, bool empty, const char *deleted, struct ja_strv *origins,
                   struct ja_hostverb_io *io, struct ja_error *err)
{
    ja_autostrv struct ja_strv own = {0};
    int rc = prove(name, mark, err);
    if (rc == 0)
        rc = destroy_tree(name, mark, !empty && !strchr(name, '@'), &own, err);
    if (rc == JA_E_CONFLICT && deleted && !empty) {
        ja_str_addf(io->output, "%s stays until its last clone is gone\n", name);
        ja_error_clear(err);
        return 0;
    }
    if (rc == JA_E_NOTFOUND) {
        ja_error_clear(err);
        rc = deleted ? add_waiting(deleted, &own, err) : 0;
    }
    for (size_t i = 0; rc == 0 && i < own.count; i++)
        if (ja_strv_add(origins, own.items[i]) < 0)
            rc = ja_error_nomem(err);
    return rc;
}

int ja_verb_zfs_destroy(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    const char *deleted = NULL;
    bool empty = false;
    ja_autostrv struct ja_strv origins = {0};
    int first, rc;
    const struct ja_opt options[] = {
        {.name = "--deleted", .value = &deleted}, {.name = "--empty", .flag = &empty}, {0}};
    if ((rc = ja_opt_read(argc, argv, options, &first, err)) < 0)
        return rc;
    if (first > argc - 2)
        return ja_opt_usage(argv[0], err);
    const char *mark = argv[argc - 1];
    for (int i = first; rc == 0 && i < argc - 1; i++)
        rc = end_one(argv[i], mark, empty, deleted, &origins, io, err);
    for (size_t i = 0; rc == 0 && deleted && i < origins.count; i++)
        rc = end_origin(origins.items[i], deleted, mark, &origins, err);
    return rc;
}
