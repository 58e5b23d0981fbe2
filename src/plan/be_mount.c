/*
 * be_mount.c: the plans that mount a boot environment's tree where root works in it. What is mounted where is a fact of the kernel:
 * nothing else notes it, so that nothing is wrong after a reboot or when somebody unmounts it by hand.
 */
#include "plan/planning.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

/* ---- what is mounted ---- */

/* Directories -> the names of the trees, or, of those `read_only`, which are so. */
static void bound_dirs(struct ja_planning *p, const struct ja_jail *jail, bool read_only, struct ja_map *ret_dirs)
{
    ja_autofree char *root = ja_path_be(p, jail, "");
    const char *text = root ? ja_fact(p->facts, JA_FACT_BINDS, root) : NULL;
    ja_autofree char *copy = ja_strdup(text ? text : "");
    if (!copy)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    char *rest = copy;
    for (char *line; rest && (line = strsep(&rest, "\n")) != NULL;) {
        char *dir = line, *name = strsep(&dir, "\t"), *mode = strsep(&dir, "\t");
        if (!dir || (read_only && strcmp(mode, "ro") != 0))
            continue;
        if (ja_map_set(ret_dirs, dir, name) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
}

void ja_plan_binds(struct ja_planning *p, const struct ja_jail *jail, struct ja_map *ret_dirs)
{
    bound_dirs(p, jail, false, ret_dirs);
}

const char *ja_bind_of(const struct ja_map *dirs, const char *be)
{
    for (size_t i = 0; i < dirs->count; i++)
        if (strcmp(dirs->pairs[i].value, be) == 0)
            return dirs->pairs[i].key;
    return NULL;
}

/* "next", also of what lies in it. */
static bool is_of(const char *name, const char *be)
{
    size_t length = strlen(be);
    return strncmp(name, be, length) == 0 && (name[length] == '\0' || name[length] == '/');
}

void ja_plan_check_unbound(struct ja_planning *p, const struct ja_jail *jail, const char *be)
{
    struct ja_map dirs = {0};
    ja_plan_binds(p, jail, &dirs);
    for (size_t i = 0; i < dirs.count; i++) {
        const char *name = dirs.pairs[i].value, *dir = dirs.pairs[i].key;
        if (be && !is_of(name, be))
            continue;
        if (strchr(name, '/')) {
            ja_plan_fail(p->plan, JA_E_BUSY, NULL, "%s in the trees of %s is mounted at %s", JA_SHOW(name), jail->name,
                         JA_SHOW(dir));
            ja_plan_hint(p->plan, "umount %s", JA_SHOW(dir));
            continue;
        }
        ja_plan_fail(p->plan, JA_E_BUSY, NULL, "the boot environment %s of %s is mounted at %s", JA_SHOW(name),
                     jail->name, JA_SHOW(dir));
        ja_plan_hint(p->plan, "`jailadmin be unmount %s %s` unmounts it", jail->name, JA_SHOW(name));
    }
    ja_map_fini(&dirs);
}

/* ---- the directory that is made unless one is named: RUN/mnt/JAIL.BE, where nobody else comes ---- */

static char *own_dirs(struct ja_planning *p)
{
    char *path = ja_printf("%s/mnt", p->site->run);
    if (!path)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return path;
}

static char *in_own_dirs(struct ja_planning *p, const char *dirs, const char *name)
{
    char *path = ja_printf("%s/%s", dirs, name);
    if (!path)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return path;
}

static void drop_own_dir(struct ja_planning *p, const char *dir)
{
    struct ja_step *step = ja_plan_host_step(p, "rmdir", "remove the directory that was made for it");
    ja_step_run(p->plan, step, dir, NULL);
}

void ja_plan_drop_own_dirs(struct ja_planning *p)
{
    ja_autofree char *dirs = own_dirs(p);
    const char *names = dirs ? ja_fact(p->facts, JA_FACT_DIRECTORY, dirs) : NULL;
    ja_autofree char *copy = ja_strdup(names ? names : "");
    bool left = names == NULL;
    if (!copy)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    char *rest = copy;
    for (char *name; dirs && rest && (name = strsep(&rest, "\n")) != NULL;) {
        ja_autofree char *dir = *name ? in_own_dirs(p, dirs, name) : NULL;
        if (!dir)
            continue;
        if (ja_fact(p->facts, JA_FACT_MOUNT, dir))
            left = true;
        else
            drop_own_dir(p, dir);
    }
    if (!left)
        drop_own_dir(p, dirs);
}

/* ---- the steps ---- */

static void mount_words(struct ja_planning *p, struct ja_step *step, bool undo, bool read_only, const char *tree,
                        const char *dir)
{
    void (*add)(struct ja_plan * plan, struct ja_step * step, ...) = undo ? ja_step_undo : ja_step_run;
    add(p->plan, step, p->site->self, "host", "tree-mount", NULL);
    if (read_only)
        add(p->plan, step, "--read-only", NULL);
    add(p->plan, step, tree, dir, NULL);
}

static void unmount_tree(struct ja_planning *p, bool read_only, const char *tree, const char *dir)
{
    struct ja_step *step = ja_plan_host_step(p, "tree-unmount", "unmount its tree there");
    ja_step_run(p->plan, step, tree, dir, NULL);
    mount_words(p, step, true, read_only, tree, dir);
}

static bool is_own(struct ja_planning *p, const char *dir)
{
    ja_autofree char *dirs = own_dirs(p);
    size_t length = dirs ? strlen(dirs) : 0;
    return dirs && strncmp(dir, dirs, length) == 0 && dir[length] == '/' && !strchr(dir + length + 1, '/');
}

static void unmount_one(struct ja_planning *p, const struct ja_jail *jail, const char *name, const char *dir)
{
    ja_autofree char *tree = ja_path_be(p, jail, name);
    struct ja_map read_only = {0};
    bound_dirs(p, jail, true, &read_only);
    if (tree)
        unmount_tree(p, ja_map_get(&read_only, dir) != NULL, tree, dir);
    ja_map_fini(&read_only);
}

void ja_plan_unbind(struct ja_planning *p, const struct ja_jail *jail, struct ja_map *ret_dirs)
{
    ja_plan_binds(p, jail, ret_dirs);
    for (size_t i = 0; i < ret_dirs->count; i++)
        unmount_one(p, jail, ret_dirs->pairs[i].value, ret_dirs->pairs[i].key);
}

/* And the directory of them all with the last one. */
void ja_plan_unbound(struct ja_planning *p, const struct ja_map *dirs)
{
    ja_autofree char *all = own_dirs(p);
    bool any = false, last = all != NULL;
    for (size_t i = 0; i < dirs->count; i++) {
        if (!is_own(p, dirs->pairs[i].key))
            continue;
        drop_own_dir(p, dirs->pairs[i].key);
        any = true;
    }
    const char *names = any && all ? ja_fact(p->facts, JA_FACT_DIRECTORY, all) : NULL;
    ja_autofree char *copy = names ? ja_strdup(names) : NULL;
    if (names && !copy)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    char *rest = copy;
    for (char *name; rest && (name = strsep(&rest, "\n")) != NULL;) {
        ja_autofree char *dir = *name ? in_own_dirs(p, all, name) : NULL;
        last = last && (!*name || (dir && ja_map_get(dirs, dir)));
    }
    if (!copy || !last)
        return;
    drop_own_dir(p, all);
    /* Somebody may be about to mount another one. */
    p->plan->steps[p->plan->count - 1]->flags |= JA_STEP_IGNORE;
}

/* ---- the verbs ---- */

static bool lies_in(const char *path, const char *dir)
{
    size_t length = strlen(dir);
    return length && strncmp(path, dir, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* A directory that the administrator names. What the path leads to is proven when it is mounted. */
static void check_dir(struct ja_planning *p, const char *dir)
{
    const struct ja_site *site = p->site;
    const char *const ours[] = {site->state, site->pool, site->run, site->source[0] == '/' ? site->source : ""};
    for (size_t i = 0; i < JA_COUNT(ours); i++)
        if (lies_in(dir, ours[i])) {
            ja_plan_fail(p->plan, JA_E_INVALID, NULL, "%s is in %s, which belongs to jailadmin", dir, ours[i]);
            ja_plan_hint(p->plan, "name another directory, or none");
            return;
        }
    size_t missing = p->facts->missing;
    const char *type = ja_fact(p->facts, JA_FACT_PATH, dir);
    const char *names = type && strcmp(type, "dir") == 0 ? ja_fact(p->facts, JA_FACT_DIRECTORY, dir) : NULL;
    if (p->facts->missing != missing)
        return;
    if (!type) {
        ja_plan_fail(p->plan, JA_E_NOTFOUND, NULL, "there is no directory %s", dir);
        ja_plan_hint(p->plan, "make it first: mkdir -m 0700 %s", dir);
    } else if (strcmp(type, "link") == 0) {
        ja_plan_fail(p->plan, JA_E_DENIED, NULL, "%s is a symbolic link, which is not followed", dir);
    } else if (!names) {
        ja_plan_fail(p->plan, JA_E_INVALID, NULL, "%s is no directory", dir);
    } else if (*names) {
        ja_plan_fail(p->plan, JA_E_BUSY, NULL, "%s is not empty: what is in it would be hidden", dir);
    }
}

/* RUN/mnt and a directory in it. */
static char *make_own_dir(struct ja_planning *p, const struct ja_jail *jail, const char *be)
{
    ja_autofree char *dirs = own_dirs(p);
    char *dir = dirs ? ja_printf("%s/%s.%s", dirs, jail->name, be) : NULL;
    if (!dir) {
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        return NULL;
    }
    if (!ja_fact(p->facts, JA_FACT_PATH, dirs))
        ja_plan_mkdir(p, dirs, "0700", false, "make the directory for mounted trees, for root only");
    if (!ja_fact(p->facts, JA_FACT_PATH, dir))
        ja_plan_mkdir(p, dir, "0700", false, "make a directory for this one");
    return dir;
}

static void note_contents(struct ja_planning *p, const struct ja_jail *jail, const char *be, const char *running)
{
    if (running && strcmp(be, running) == 0)
        ja_plan_note(p->plan,
                     "%s runs on this tree: its root can put symbolic links in the way of what the host does there",
                     jail->name);
    if (!jail->privileged && ja_site_shifts(p->site))
        ja_plan_note(p->plan, "its files belong to ids from %lld on, the jail's root: give what you make there to it",
                     (long long)ja_site_tree_id(p->site, false));
}

void ja_plan_be_mount(struct ja_planning *p, const struct ja_jail *jail, const struct ja_be_mounting *mounting,
                      char **ret_dir)
{
    struct ja_list list = {0};
    struct ja_map dirs = {0};
    ja_autofree char *tree = ja_path_be(p, jail, mounting->name);
    ja_plan_environments(p, jail, &list);
    const struct ja_be *be = ja_plan_find_be(p, jail, mounting->name, NULL, &list);
    if (be && be->trial)
        ja_plan_fail(p->plan, JA_E_BUSY, NULL, "an upgrade is trying the boot environment %s", be->name);
    ja_plan_binds(p, jail, &dirs);
    const char *already = ja_bind_of(&dirs, mounting->name);
    if (already) {
        ja_plan_fail(p->plan, JA_E_EXISTS, NULL, "the boot environment %s of %s is mounted at %s already",
                     mounting->name, jail->name, JA_SHOW(already));
        ja_plan_hint(p->plan, "`jailadmin be unmount %s %s` unmounts it", jail->name, mounting->name);
    }
    /* Where trees are mounted one by one, only those that a start needs are there for sure. */
    if (tree && p->storage->jail_mount && !ja_fact(p->facts, JA_FACT_MOUNT, tree))
        p->storage->jail_mount(p, jail);
    char *dir = mounting->dir ? ja_strdup(mounting->dir) : make_own_dir(p, jail, mounting->name);
    if (!dir)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    if (dir && mounting->dir)
        check_dir(p, dir);
    if (dir && tree) {
        struct ja_step *step = ja_plan_step(p->plan, "mount its tree there, %swith nothing in it trusted by the host",
                                            mounting->read_only ? "read-only, " : "");
        mount_words(p, step, false, mounting->read_only, tree, dir);
        ja_step_undo_host(p, step, "tree-unmount", tree, dir, NULL);
    }
    note_contents(p, jail, mounting->name, mounting->running);
    ja_plan_commit_last(p);
    ja_map_fini(&dirs);
    ja_list_fini(&ja_noun_be, &list);
    ja_free(*ret_dir);
    *ret_dir = dir;
}

void ja_plan_be_unmount(struct ja_planning *p, const struct ja_jail *jail, const char *name, char **ret_dir)
{
    struct ja_list list = {0};
    struct ja_map dirs = {0};
    ja_plan_environments(p, jail, &list);
    ja_plan_find_be(p, jail, name, NULL, &list);
    ja_plan_binds(p, jail, &dirs);
    const char *dir = ja_bind_of(&dirs, name);
    ja_free(*ret_dir);
    *ret_dir = ja_strdup(dir ? dir : "");
    if (!*ret_dir)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    if (dir) {
        struct ja_map one = {0};
        unmount_one(p, jail, name, dir);
        ja_plan_commit_last(p);
        if (ja_map_set(&one, dir, name) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        ja_plan_unbound(p, &one);
        ja_map_fini(&one);
    } else {
        ja_plan_fail(p->plan, JA_E_NOTFOUND, NULL, "the boot environment %s of %s is not mounted", name, jail->name);
    }
    ja_map_fini(&dirs);
    ja_list_fini(&ja_noun_be, &list);
}
