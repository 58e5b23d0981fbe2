/*
 * sim_zfs.c: ZFS on a simulated host: the zfs command, with the errors that a real one printed, and the host verbs made of
 * it. See sim.h for the keys.
 */
#include "run/zfs.h"
#include "sim.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MOST = 256, PATH_MOST = 1024 };

const char *(*sim_holder)(const struct ja_sim *sim, const char *path);

/* ---- names ---- */

static bool is_there(const struct ja_sim *sim, const char *name)
{
    return sim_get(sim, "zfs %s", name) != NULL;
}

/* `name` itself, or what is below it or a snapshot of it. */
static bool lies_in(const char *name, const char *top)
{
    size_t length = strlen(top);
    return strncmp(name, top, length) == 0 && (name[length] == '\0' || name[length] == '/' || name[length] == '@');
}

/* All of the tree, parents first; snapshots too, or only them. */
static void list_tree(const struct ja_sim *sim, const char *top, bool snapshots, struct ja_strv *names)
{
    char key[NAME_MOST + 8];
    snprintf(key, sizeof key, "zfs %s", top);
    for (size_t i = sim_from(sim, key); sim_starts(sim, i, key); i++) {
        const char *name = sim->entries[i].key + strlen("zfs ");
        if (lies_in(name, top) && (snapshots || !strchr(name, '@')) && ja_strv_add(names, name) < 0)
            abort();
    }
}

/* Its value and where that is set, as `zfs get` tells. User properties and mount points are inherited, canmount is not. */
static const char *property(const struct ja_sim *sim, const char *name, const char *property, char source[NAME_MOST])
{
    char at[NAME_MOST];
    snprintf(at, sizeof at, "%s", name);
    for (bool own = true;; own = false) {
        const char *value = sim_get(sim, "prop %s %s", at, property);
        char *end = strrchr(at, '@') ? strrchr(at, '@') : strrchr(at, '/');
        if (value) {
            snprintf(source, NAME_MOST, "%s", own ? "local" : at);
            return value;
        }
        if (!end)
            return NULL;
        *end = '\0';
    }
}

/* An absolute path, "none" or "-". */
static void mountpoint(const struct ja_sim *sim, const char *name, char path[PATH_MOST])
{
    char source[NAME_MOST];
    const char *value = strchr(name, '@') ? NULL : property(sim, name, "mountpoint", source);
    if (!value || value[0] != '/')
        snprintf(path, PATH_MOST, "%s", value ? value : "-");
    else if (strcmp(source, "local") == 0)
        snprintf(path, PATH_MOST, "%s", value);
    else
        snprintf(path, PATH_MOST, "%s%s", value, name + strlen(source));
}

static const char *canmount(const struct ja_sim *sim, const char *name)
{
    const char *value = sim_get(sim, "prop %s canmount", name);
    return value ? value : "on";
}

/* What it is as a source of mounts: no name of a dataset is then below another. */
static void source_of(const char *name, char source[NAME_MOST])
{
    snprintf(source, NAME_MOST, "%s", name);
    for (char *c = source; *c; c++)
        if (*c == '/')
            *c = '%';
}

static void disk_of(const char *name, char place[PATH_MOST])
{
    char source[NAME_MOST];
    source_of(name, source);
    snprintf(place, PATH_MOST, "@%s", source);
}

/* Where it is mounted; NULL: it is not. */
static const char *mounted_at(const struct ja_sim *sim, const char *name)
{
    char source[NAME_MOST];
    source_of(name, source);
    for (size_t i = sim_from(sim, "source "); sim_starts(sim, i, "source "); i++)
        if (strcmp(sim->entries[i].value, source) == 0)
            return sim->entries[i].key + strlen("source ");
    return NULL;
}

/* What it holds, wherever that is now. */
static void contents_of(const struct ja_sim *sim, const char *name, char place[PATH_MOST])
{
    const char *path = mounted_at(sim, name);
    if (path)
        snprintf(place, PATH_MOST, "%s", path);
    else
        disk_of(name, place);
}

static int no_dataset(const char *name, struct ja_error *err)
{
    return sim_fail(err, "cannot open '%s': dataset does not exist", name);
}

/* ---- mount, unmount ---- */

/* With those above it that are missing; not all of a host is in the model. */
static void make_dirs(struct ja_sim *sim, const char *path)
{
    char above[PATH_MOST];
    snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    if (!slash || slash == above || sim_get(sim, "path %s", path))
        return;
    *slash = '\0';
    make_dirs(sim, above);
    sim_make(sim, path, "dir");
}

static int mount_one(struct ja_sim *sim, const char *name, struct ja_error *err)
{
    char path[PATH_MOST], below[PATH_MOST], source[NAME_MOST];
    mountpoint(sim, name, path);
    if (mounted_at(sim, name))
        return sim_fail(err, "cannot mount '%s': filesystem already mounted", name);
    if (path[0] != '/')
        return sim_fail(err, "cannot mount '%s': no mountpoint set", name);
    snprintf(below, sizeof below, "mount %s/", path);
    if (sim_starts(sim, sim_from(sim, below), below))
        sim_trouble(sim, "%s is mounted over what is mounted in %s", name, path);
    make_dirs(sim, path);
    source_of(name, source);
    return sim_mount(sim, source, path, "zfs", err);
}

static int unmount_one(struct ja_sim *sim, const char *name, struct ja_error *err)
{
    char path[PATH_MOST];
    const char *at = mounted_at(sim, name);
    if (!at)
        return sim_fail(err, "cannot unmount '%s': not currently mounted", name);
    snprintf(path, sizeof path, "%s", at);
    if ((sim_holder && sim_holder(sim, path)) || sim_umount(sim, path, NULL) < 0)
        return sim_fail(err, "cannot unmount '%s': pool or dataset is busy", path);
    return 0;
}

/* ---- the command ---- */

/* -o NAME=VALUE ... */
static void set_options(struct ja_sim *sim, char *const *argv, int argc, const char *name)
{
    for (int i = 2; i + 1 < argc; i++) {
        char *equals = strcmp(argv[i], "-o") == 0 ? strchr(argv[i + 1], '=') : NULL;
        if (equals)
            sim_put(sim, equals + 1, "prop %s %.*s", name, (int)(equals - argv[i + 1]), argv[i + 1]);
    }
}

static bool parent_is_there(const struct ja_sim *sim, const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash && sim_get(sim, "zfs %.*s", (int)(slash - name), name);
}

static int make_dataset(struct ja_sim *sim, char *const *argv, int argc, const char *name, struct ja_error *err)
{
    char place[PATH_MOST];
    if (is_there(sim, name))
        return sim_fail(err, "cannot create '%s': dataset already exists", name);
    if (!parent_is_there(sim, name))
        return sim_fail(err, "cannot create '%s': parent does not exist", name);
    if (sim->tearing) /* a transaction of the pool */
        return 0;
    sim_put(sim, "filesystem", "zfs %s", name);
    set_options(sim, argv, argc, name);
    disk_of(name, place);
    sim_make(sim, place, "dir");
    return 0;
}

static int mount_if_on(struct ja_sim *sim, const char *name, struct ja_error *err)
{
    char path[PATH_MOST];
    mountpoint(sim, name, path);
    return strcmp(canmount(sim, name), "on") == 0 && path[0] == '/' && !sim->tearing ? mount_one(sim, name, err) : 0;
}

static int do_create(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    int rc = make_dataset(sim, argv, argc, argv[argc - 1], err);
    return rc < 0 ? rc : mount_if_on(sim, argv[argc - 1], err);
}

/* The order in which snapshots were taken, as long as they are there. */
static long taken_at(const struct ja_sim *sim, const char *snapshot)
{
    const char *value = sim_get(sim, "prop %s createtxg", snapshot);
    return value ? strtol(value, NULL, 10) : 0;
}

static long last_taken(const struct ja_sim *sim)
{
    long last = 0;
    for (size_t i = sim_from(sim, "zfs "); sim_starts(sim, i, "zfs "); i++) {
        long at = taken_at(sim, sim->entries[i].key + strlen("zfs "));
        last = at > last ? at : last;
    }
    return last;
}

static void take(struct ja_sim *sim, const char *name, long txg, char *const *argv, int argc)
{
    char of[NAME_MOST], from[PATH_MOST], to[PATH_MOST], below[PATH_MOST], number[24];
    snprintf(of, sizeof of, "%.*s", (int)strcspn(name, "@"), name);
    contents_of(sim, of, from);
    disk_of(name, to);
    sim_copy_tree(sim, from, to);
    sim_make(sim, to, "dir");
    /* What is mounted in it is not part of it. */
    snprintf(below, sizeof below, "mount %s/", from);
    for (size_t i = sim_from(sim, below); sim_starts(sim, i, below); i++) {
        char inner[PATH_MOST];
        int n = snprintf(inner, sizeof inner, "%s/%s", to, sim->entries[i].key + strlen(below));
        if (n > 0 && (size_t)n < sizeof inner) {
            sim_remove_tree(sim, inner);
            sim_make(sim, inner, "dir");
        }
    }
    sim_put(sim, "snapshot", "zfs %s", name);
    set_options(sim, argv, argc, name);
    snprintf(number, sizeof number, "%ld", txg);
    sim_put(sim, number, "prop %s createtxg", name);
}

/* All that are named, or none. */
static int do_snapshot(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    int first = 2;
    (void)cmd;
    while (first + 1 < argc && strcmp(argv[first], "-o") == 0)
        first += 2;
    for (int i = first; i < argc; i++) {
        char of[NAME_MOST];
        snprintf(of, sizeof of, "%.*s", (int)strcspn(argv[i], "@"), argv[i]);
        if (is_there(sim, argv[i]))
            return sim_fail(err, "cannot create snapshot '%s': dataset already exists", argv[i]);
        if (!is_there(sim, of) || !strchr(argv[i], '@'))
            return no_dataset(of, err);
    }
    long txg = last_taken(sim) + 1;
    for (int i = first; i < argc && !sim->tearing; i++)
        take(sim, argv[i], txg, argv, argc);
    return 0;
}

static int do_clone(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *snapshot = argv[argc - 2], *name = argv[argc - 1];
    char from[PATH_MOST], to[PATH_MOST];
    (void)cmd;
    if (!is_there(sim, snapshot))
        return no_dataset(snapshot, err);
    int rc = make_dataset(sim, argv, argc, name, err);
    if (rc < 0 || sim->tearing)
        return rc;
    disk_of(snapshot, from);
    disk_of(name, to);
    sim_copy_tree(sim, from, to);
    sim_put(sim, snapshot, "origin %s", name);
    return mount_if_on(sim, name, err);
}

static int do_set(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *name = argv[argc - 1], *equals = strchr(argv[2], '=');
    (void)cmd;
    if (!is_there(sim, name))
        return no_dataset(name, err);
    if (sim->tearing || !equals)
        return 0;
    if (strcmp(equals + 1, "none") == 0)
        sim_drop(sim, "prop %s %.*s", name, (int)(equals - argv[2]), argv[2]);
    else
        sim_put(sim, equals + 1, "prop %s %.*s", name, (int)(equals - argv[2]), argv[2]);
    return 0;
}

/* A clone, outside of a tree, of something in it; NULL: none. */
static const char *clone_of(const struct ja_sim *sim, const char *top)
{
    for (size_t i = sim_from(sim, "origin "); sim_starts(sim, i, "origin "); i++) {
        const char *clone = sim->entries[i].key + strlen("origin ");
        if (lies_in(sim->entries[i].value, top) && !lies_in(clone, top))
            return clone;
    }
    return NULL;
}

static void forget_dataset(struct ja_sim *sim, const char *name)
{
    char place[PATH_MOST], key[NAME_MOST + 8];
    disk_of(name, place);
    snprintf(key, sizeof key, "prop %s ", name);
    sim_remove_tree(sim, place);
    sim_drop(sim, "zfs %s", name);
    sim_drop_all(sim, "%s", key);
    sim_drop(sim, "origin %s", name);
}

static int destroy(struct ja_sim *sim, const char *name, bool below, struct ja_error *err)
{
    struct ja_strv names = {0};
    int rc = is_there(sim, name) ? 0 : no_dataset(name, err);
    list_tree(sim, name, true, &names);
    const char *clone = clone_of(sim, name);
    if (rc == 0 && names.count > 1 && !below)
        rc = sim_fail(err, "cannot destroy '%s': filesystem has children: %s", name, names.items[1]);
    if (rc == 0 && clone)
        rc = sim_fail(err, "cannot destroy '%s': %s has dependent clones: %s", name,
                      strchr(name, '@') ? "snapshot" : "filesystem", clone);
    for (size_t i = names.count; rc == 0 && i-- > 0;)
        if (mounted_at(sim, names.items[i]))
            rc = unmount_one(sim, names.items[i], err);
    for (size_t i = names.count; rc == 0 && i-- > 0;)
        forget_dataset(sim, names.items[i]);
    ja_strv_fini(&names);
    return rc;
}

static void rename_keys(struct ja_sim *sim, const char *kind, const char *from, const char *to)
{
    char key[NAME_MOST + 16];
    struct ja_strv keys = {0}, values = {0};
    snprintf(key, sizeof key, "%s %s", kind, from);
    for (size_t i = sim_from(sim, key); sim_starts(sim, i, key); i++)
        if (strchr("/@ ", sim->entries[i].key[strlen(key)]) &&
            (ja_strv_add(&keys, sim->entries[i].key) < 0 || ja_strv_add(&values, sim->entries[i].value) < 0))
            abort();
    for (size_t i = 0; i < keys.count; i++) {
        sim_drop(sim, "%s", keys.items[i]);
        sim_put(sim, values.items[i], "%s %s%s", kind, to, keys.items[i] + strlen(key));
    }
    ja_strv_fini(&keys);
    ja_strv_fini(&values);
}

static int rename_dataset(struct ja_sim *sim, const char *from, const char *to, struct ja_error *err)
{
    char place[PATH_MOST], new_place[PATH_MOST], name[NAME_MOST];
    struct ja_strv names = {0};
    if (!is_there(sim, from))
        return no_dataset(from, err);
    if (is_there(sim, to))
        return sim_fail(err, "cannot rename '%s': dataset already exists", to);
    if (!parent_is_there(sim, to))
        return sim_fail(err, "cannot rename to '%s': parent does not exist", to);
    list_tree(sim, from, true, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (mounted_at(sim, names.items[i]))
            sim_trouble(sim, "%s is renamed while it is mounted", names.items[i]);
        snprintf(name, sizeof name, "%s%s", to, names.items[i] + strlen(from));
        disk_of(names.items[i], place);
        disk_of(name, new_place);
        sim_move_tree(sim, place, new_place);
    }
    ja_strv_fini(&names);
    rename_keys(sim, "zfs", from, to);
    rename_keys(sim, "prop", from, to);
    rename_keys(sim, "origin", from, to);
    for (size_t i = sim_from(sim, "origin "); sim_starts(sim, i, "origin "); i++) {
        char value[NAME_MOST], key[NAME_MOST + 8];
        if (!lies_in(sim->entries[i].value, from))
            continue;
        snprintf(value, sizeof value, "%s%s", to, sim->entries[i].value + strlen(from));
        snprintf(key, sizeof key, "%s", sim->entries[i].key);
        sim_put(sim, value, "%s", key);
    }
    return 0;
}

/* zfs rename FROM TO, of snapshots. */
static int do_zfs_rename(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                         struct ja_error *err)
{
    const char *from = argv[argc - 2], *to = argv[argc - 1];
    (void)cmd;
    if (!strchr(from, '@'))
        sim_trouble(sim, "%s is renamed by the command", from);
    return sim->tearing ? 0 : rename_dataset(sim, from, to, err);
}

/* zfs rollback -r SNAPSHOT: destroys the later ones first. */
static int do_rollback(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *snapshot = argv[argc - 1];
    char of[NAME_MOST], from[PATH_MOST], place[PATH_MOST];
    struct ja_strv names = {0};
    int rc = is_there(sim, snapshot) ? 0 : no_dataset(snapshot, err);
    (void)cmd;
    snprintf(of, sizeof of, "%.*s", (int)strcspn(snapshot, "@"), snapshot);
    list_tree(sim, of, true, &names);
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        bool later = strchr(names.items[i], '@') && taken_at(sim, names.items[i]) > taken_at(sim, snapshot);
        if (later && clone_of(sim, names.items[i]))
            rc = sim_fail(err, "cannot rollback to '%s': clones of previous snapshots exist", snapshot);
    }
    for (size_t i = 0; rc == 0 && i < names.count; i++)
        if (strchr(names.items[i], '@') && taken_at(sim, names.items[i]) > taken_at(sim, snapshot))
            forget_dataset(sim, names.items[i]);
    ja_strv_fini(&names);
    if (rc < 0 || sim->tearing)
        return rc;
    contents_of(sim, of, place);
    disk_of(snapshot, from);
    sim_remove_tree(sim, place);
    sim_copy_tree(sim, from, place);
    return 0;
}

/* ---- host verbs ---- */

/* 0 when it is there and bears the mark. JA_E_NOTFOUND. */
static int prove(const struct ja_sim *sim, const char *name, const char *mark, struct ja_error *err)
{
    char source[NAME_MOST], of[NAME_MOST];
    if (!is_there(sim, name))
        return JA_E_NOTFOUND;
    const char *found = property(sim, name, JA_ZFS_MARK, source);
    snprintf(of, sizeof of, "%.*s", (int)strcspn(name, "@"), name);
    bool own = found && (strcmp(source, "local") == 0 || (strchr(name, '@') && strcmp(source, of) == 0));
    return own && strcmp(found, mark) == 0 ? 0 : sim_fail(err, "%s was not made by jailadmin for this", name);
}

static bool has(char *const *argv, int argc, const char *word)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static int mount_tree(struct ja_sim *sim, const char *name, bool below, struct ja_error *err)
{
    struct ja_strv names = {0};
    char path[PATH_MOST];
    int rc = is_there(sim, name) ? 0 : no_dataset(name, err);
    list_tree(sim, name, false, &names);
    for (size_t i = 0; rc == 0 && i < (below ? names.count : 1); i++) {
        mountpoint(sim, names.items[i], path);
        if (strcmp(canmount(sim, names.items[i]), "noauto") == 0 && path[0] == '/' && !mounted_at(sim, names.items[i]))
            rc = mount_one(sim, names.items[i], err);
        if (sim->tearing)
            break;
    }
    ja_strv_fini(&names);
    return rc;
}

/* With the empty directories where they were. */
static int unmount_tree(struct ja_sim *sim, const char *name, struct ja_error *err)
{
    struct ja_strv names = {0};
    char path[PATH_MOST], below[PATH_MOST + 8];
    int rc = 0;
    list_tree(sim, name, false, &names);
    for (size_t i = names.count; rc == 0 && i-- > 0;) {
        mountpoint(sim, names.items[i], path);
        if (mounted_at(sim, names.items[i]))
            rc = unmount_one(sim, names.items[i], err);
        snprintf(below, sizeof below, "path %s/", path);
        if (rc == 0 && strcmp(canmount(sim, names.items[i]), "noauto") == 0 && path[0] == '/' &&
            !sim_starts(sim, sim_from(sim, below), below) && !sim_get(sim, "mount %s", path))
            sim_drop(sim, "path %s", path);
        if (sim->tearing)
            break;
    }
    ja_strv_fini(&names);
    return rc;
}

static int do_mount(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return mount_tree(sim, argv[argc - 1], has(argv, argc, "--below"), err);
}

static int do_unmount(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return unmount_tree(sim, argv[argc - 1], err);
}

static int do_rename(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *pool = sim_option(argv, argc, "--mount-if-mounted");
    const char *from = argv[argc - 3], *to = argv[argc - 2], *mark = argv[argc - 1];
    (void)cmd;
    int rc = prove(sim, from, mark, err);
    bool done = rc == JA_E_NOTFOUND && prove(sim, to, mark, NULL) == 0;
    if (rc == JA_E_NOTFOUND && !done)
        return no_dataset(from, err);
    if (rc == 0) {
        bool was = mounted_at(sim, from) != NULL;
        rc = unmount_tree(sim, from, err);
        if (sim->tearing)
            return rc;
        if (rc == 0)
            rc = rename_dataset(sim, from, to, err);
        if (rc < 0 && was)
            mount_tree(sim, from, true, NULL);
    }
    if (rc < 0 && !done)
        return rc;
    return pool && sim_get(sim, "mount %s", pool) ? mount_tree(sim, to, true, err) : 0;
}

/* With all below it when it is ours; what it was a clone of is added to `origins`. JA_E_CONFLICT: it has clones elsewhere. */
static int destroy_tree(struct ja_sim *sim, const char *name, const char *mark, bool below, struct ja_strv *origins,
                        struct ja_error *err)
{
    struct ja_strv names = {0};
    char source[NAME_MOST];
    size_t word = strcspn(mark, " ");
    int rc = 0;
    list_tree(sim, name, false, &names);
    if (!below && names.count > 1)
        rc = JA_E_CONFLICT;
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        const char *found = property(sim, names.items[i], JA_ZFS_MARK, source);
        const char *origin = sim_get(sim, "origin %s", names.items[i]);
        if (!found || strcmp(source, "local") != 0 || strncmp(found, mark, word) != 0)
            rc = sim_fail(err, "%s was not made by jailadmin", names.items[i]);
        if (origin && ja_strv_add(origins, origin) < 0)
            abort();
    }
    if (rc == 0 && !strchr(name, '@'))
        rc = unmount_tree(sim, name, err);
    if (rc == 0 && clone_of(sim, name))
        rc = JA_E_CONFLICT;
    if (rc == 0 && !sim->tearing)
        rc = destroy(sim, name, true, err);
    ja_strv_fini(&names);
    return rc;
}

/* A snapshot whose clone has gone: made for that clone alone, or of what waits in `deleted` for its last clone. */
static void end_origin(struct ja_sim *sim, const char *snapshot, const char *deleted, const char *mark,
                       struct ja_strv *origins)
{
    const char *at = strchr(snapshot, '@');
    size_t length = strlen(deleted);
    char top[NAME_MOST];
    struct ja_strv none = {0};
    if (ja_str_starts(at + 1, "clone-") && is_there(sim, snapshot) && !clone_of(sim, snapshot))
        destroy(sim, snapshot, false, NULL);
    if (!lies_in(snapshot, deleted) || snapshot[length] != '/')
        return;
    snprintf(top, sizeof top, "%.*s", (int)(length + 1 + strcspn(snapshot + length + 1, "/@")), snapshot);
    if (is_there(sim, top))
        destroy_tree(sim, top, mark, true, clone_of(sim, top) ? &none : origins, NULL);
    ja_strv_fini(&none);
}

static int end_one(struct ja_sim *sim, const char *name, const char *mark, bool empty, const char *deleted,
                   struct ja_strv *origins, struct ja_error *err)
{
    struct ja_strv own = {0};
    int rc = prove(sim, name, mark, err);
    if (rc == 0)
        rc = destroy_tree(sim, name, mark, !empty && !strchr(name, '@'), &own, err);
    bool waits = rc == JA_E_CONFLICT && deleted && !empty;
    if (rc == JA_E_CONFLICT && !waits)
        rc = sim_fail(err, "%s still holds others or has clones", name);
    if (rc == JA_E_NOTFOUND) {
        struct ja_strv waiting = {0};
        rc = 0;
        if (deleted)
            list_tree(sim, deleted, false, &waiting);
        for (size_t i = 0; i < waiting.count; i++)
            if (waiting.items[i][strlen(deleted)] && !strchr(waiting.items[i] + strlen(deleted) + 1, '/') &&
                ja_strv_addf(&own, "%s@", waiting.items[i]) < 0)
                abort();
        ja_strv_fini(&waiting);
    }
    for (size_t i = 0; rc == 0 && i < own.count; i++)
        if (ja_strv_add(origins, own.items[i]) < 0)
            abort();
    ja_strv_fini(&own);
    return waits ? 0 : rc;
}

static int do_destroy(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *deleted = sim_option(argv, argc, "--deleted"), *mark = argv[argc - 1];
    bool empty = has(argv, argc, "--empty");
    int first = argc - 2, rc = 0;
    struct ja_strv origins = {0};
    (void)cmd;
    while (strchr(argv[first], '@') && strchr(argv[first - 1], '@'))
        first--;
    for (int i = first; rc == 0 && i < argc - 1; i++) {
        rc = end_one(sim, argv[i], mark, empty, deleted, &origins, err);
        if (sim->tearing)
            break;
    }
    for (size_t i = 0; rc == 0 && deleted && !sim->tearing && i < origins.count; i++)
        end_origin(sim, origins.items[i], deleted, mark, &origins);
    ja_strv_fini(&origins);
    return rc;
}

const struct ja_sim_command sim_zfs_commands[] = {
    {{"zfs", "create"}, do_create},
    {{"zfs", "snapshot"}, do_snapshot},
    {{"zfs", "clone"}, do_clone},
    {{"zfs", "set"}, do_set},
    {{"zfs", "rename"}, do_zfs_rename},
    {{"zfs", "rollback"}, do_rollback},
    {{"host", "zfs-mount"}, do_mount},
    {{"host", "zfs-unmount"}, do_unmount},
    {{"host", "zfs-rename"}, do_rename},
    {{"host", "zfs-destroy"}, do_destroy},
    {{NULL}, NULL},
};

/* ---- what it prints ---- */

/* zfs get -Hp -o name,value,source PROPERTY NAME... */
static bool print_property(struct ja_sim *sim, char *const *words, struct ja_str *output)
{
    bool good = true;
    for (size_t i = 5; words[i]; i++) {
        char source[NAME_MOST];
        const char *value = is_there(sim, words[i]) ? property(sim, words[i], words[4], source) : NULL;
        if (!is_there(sim, words[i])) {
            ja_str_addf(output, "cannot open '%s': dataset does not exist\n", words[i]);
            good = false;
        } else if (!value) {
            ja_str_addf(output, "%s\t-\t-\n", words[i]);
        } else {
            bool own = strcmp(source, "local") == 0;
            ja_str_addf(output, "%s\t%s\t%s%s\n", words[i], value, own ? "" : "inherited from ", source);
        }
    }
    return good;
}

/* zfs list -H -r -d 1 -t all -o name NAME */
static bool print_names(struct ja_sim *sim, const char *top, struct ja_str *output)
{
    struct ja_strv names = {0};
    list_tree(sim, top, true, &names);
    for (size_t i = 0; i < names.count; i++) {
        const char *rest = names.items[i] + strlen(top);
        if (!*rest || !strchr(rest + 1, '/'))
            ja_str_addf(output, "%s\n", names.items[i]);
    }
    if (names.count == 0)
        ja_str_addf(output, "cannot open '%s': dataset does not exist\n", top);
    bool good = names.count > 0;
    ja_strv_fini(&names);
    return good;
}

bool sim_zfs_print(struct ja_sim *sim, char *const *words, struct ja_str *output)
{
    return strcmp(words[0], "get") == 0 ? print_property(sim, words, output) : print_names(sim, words[1], output);
}

/* zfs get -Hp -r -d 3 -o name,property,value,source used,creation,createtxg,jailadmin:mark,jailadmin:snapshot NAME... */
static void print_snapshots(struct ja_sim *sim, const struct ja_strv *tops, struct ja_str *output)
{
    static const char *const users[] = {JA_ZFS_MARK, JA_ZFS_RECORD};
    for (size_t k = 0; k < tops->count; k++) {
        struct ja_strv names = {0};
        list_tree(sim, tops->items[k], true, &names);
        if (names.count == 0)
            ja_str_addf(output, "cannot open '%s': dataset does not exist\n", tops->items[k]);
        for (size_t i = 0; i < names.count; i++) {
            const char *name = names.items[i];
            ja_str_addf(output, "%s\tused\t8192\t-\n%s\tcreation\t1000000000\t-\n%s\tcreatetxg\t%ld\t-\n", name, name,
                        name, taken_at(sim, name));
            for (size_t u = 0; u < JA_COUNT(users); u++) {
                char source[NAME_MOST] = "";
                const char *value = property(sim, name, users[u], source);
                bool own = value && strcmp(source, "local") == 0;
                ja_str_addf(output, "%s\t%s\t%s\t%s%s\n", name, users[u], value ? value : "-",
                            !value || own ? "" : "inherited from ", value ? source : "-");
            }
        }
        ja_strv_fini(&names);
    }
}

static void asked_names(const struct ja_facts *facts, enum ja_fact_kind kind, struct ja_strv *names)
{
    for (size_t i = 0; i < facts->count; i++)
        if (!facts->items[i].known && facts->items[i].kind == kind && ja_strv_add(names, facts->items[i].name) < 0)
            abort();
}

static int snapshot_facts(struct ja_sim *sim, struct ja_facts *facts, struct ja_error *err)
{
    struct ja_strv names = {0}, clones = {0};
    struct ja_str output = {0}, origins = {0};
    long left = ja_alloc_fail_after(-1);
    asked_names(facts, JA_FACT_SNAPSHOTS, &names);
    asked_names(facts, JA_FACT_CLONES, &clones);
    print_snapshots(sim, &names, &output);
    for (size_t i = sim_from(sim, "origin "); sim_starts(sim, i, "origin "); i++)
        ja_str_addf(&origins, "%s\t%s\n", sim->entries[i].key + strlen("origin "), sim->entries[i].value);
    ja_str_add(&origins, "");
    ja_alloc_fail_after(left);
    int rc = names.count ? ja_zfs_snapshots_parse(output.text, facts, &names, err) : 0;
    if (rc == 0 && clones.count)
        rc = ja_zfs_clones_parse(origins.text, facts, &clones, err);
    ja_strv_fini(&names);
    ja_strv_fini(&clones);
    ja_str_fini(&output);
    ja_str_fini(&origins);
    return rc;
}

int sim_zfs_facts(struct ja_sim *sim, struct ja_facts *facts, struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    struct ja_str output = {0};
    long left = ja_alloc_fail_after(-1);
    if (ja_strv_add_all(&words, "get", "-Hp", "-o", "name,value,source", JA_ZFS_MARK, NULL) < 0)
        abort();
    for (size_t i = 0; i < facts->count; i++)
        if (!facts->items[i].known && facts->items[i].kind == JA_FACT_DATASET &&
            ja_strv_add(&words, facts->items[i].name) < 0)
            abort();
    sim_zfs_print(sim, words.items, &output);
    ja_alloc_fail_after(left);
    int rc = output.text ? ja_zfs_facts_parse(output.text, facts, err) : 0;
    ja_str_fini(&output);
    for (size_t i = 0; rc == 0 && i < facts->count; i++) {
        const struct ja_fact *fact = &facts->items[i];
        struct ja_str names = {0};
        if (fact->known || fact->kind != JA_FACT_CONTENTS)
            continue;
        left = ja_alloc_fail_after(-1);
        char *const list[] = {(char[]){"list"}, fact->name, NULL};
        bool there = sim_zfs_print(sim, list, &names);
        ja_alloc_fail_after(left);
        const char *rest = names.text ? strchr(names.text, '\n') + 1 : "";
        rc = ja_facts_set(facts, fact->kind, fact->name, there ? rest : NULL) < 0 ? ja_error_nomem(err) : 0;
        ja_str_fini(&names);
    }
    return rc < 0 ? rc : snapshot_facts(sim, facts, err);
}
