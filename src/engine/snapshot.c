/*
 * snapshot.c: the verbs of snapshots. What there is is asked of the pool each time.
 */
#include "base/clock.h"
#include "engine/internal.h"
#include "run/treediff.h"
#include "run/zfs.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

/* ---- "web1@NAME" ---- */

int ja_snapshot_split(const char *text, char **ret_jail, const char **ret_snapshot, struct ja_error *err)
{
    const char *at = strchr(text, '@');
    ja_autofree char *jail = ja_strndup(text, at ? (size_t)(at - text) : strlen(text));
    if (!jail)
        return ja_error_nomem(err);
    int rc = ja_check_name(jail, err);
    if (rc == 0 && at)
        rc = ja_check_snapshot(at + 1, err);
    if (rc < 0)
        return rc;
    *ret_jail = jail;
    jail = NULL;
    *ret_snapshot = at ? at + 1 : NULL;
    return 0;
}

/* ---- what there is ---- */

struct looking {
    const struct ja_list *jails;
    struct ja_list *found; /* a list of snapshots for each */
};

static void ask_snapshots(void *work, struct ja_planning *p)
{
    struct looking *looking = work;
    for (size_t i = 0; i < looking->jails->count; i++) {
        ja_list_fini(&ja_noun_snapshot, &looking->found[i]);
        p->storage->snapshots(p, looking->jails->items[i], &looking->found[i]);
    }
}

/* A pool that is not mounted would seem to have none. */
static void ask_mounted(void *work, struct ja_planning *p)
{
    *(bool *)work = p->storage->pool_mounted(p);
}

int ja_check_pool_mounted(struct ja_engine *engine, struct ja_error *err)
{
    bool mounted = false;
    int rc = ja_engine_ask(engine, ask_mounted, &mounted, err);
    if (rc < 0 || mounted)
        return rc;
    ja_error_set(err, JA_E_FAILED, "storage", "the pool is not mounted");
    return ja_error_hint(err, "`jailadmin boot` mounts it");
}

int ja_engine_snapshots(struct ja_engine *engine, const struct ja_strv *names,
                        int (*each)(void *context, const struct ja_jail *jail, const struct ja_snapshot *snapshot,
                                    struct ja_error *err),
                        void *context, struct ja_error *err)
{
    struct ja_list jails = {0};
    int rc = ja_check_pool_mounted(engine, err);
    for (size_t i = 0; rc == 0 && i < names->count; i++) {
        void *jail = NULL;
        rc = ja_engine_get(engine, &ja_noun_jail, names->items[i], &jail, NULL, err);
        if (rc == 0 && ja_list_add(&ja_noun_jail, &jails, jail) < 0)
            rc = ja_error_nomem(err);
    }
    struct looking looking = {&jails, ja_calloc(names->count + 1, sizeof *looking.found)};
    if (rc == 0)
        rc = looking.found ? ja_engine_ask(engine, ask_snapshots, &looking, err) : ja_error_nomem(err);
    for (size_t i = 0; i < jails.count; i++) {
        for (size_t k = 0; rc == 0 && looking.found && k < looking.found[i].count; k++) {
            const struct ja_snapshot *snapshot = looking.found[i].items[k];
            if (!snapshot->foreign)
                rc = each(context, jails.items[i], snapshot, err);
        }
        if (looking.found)
            ja_list_fini(&ja_noun_snapshot, &looking.found[i]);
    }
    free(looking.found);
    ja_list_fini(&ja_noun_jail, &jails);
    return rc;
}

/* ---- a change of a jail's snapshots ---- */

/* The jail's lock, its snapshots as they are under it, and then the store's transaction, which waits for nobody. */
static int begin(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *name,
                 struct ja_loaded *ret_loaded, struct ja_list *ret_list, struct ja_error *err)
{
    void *jail = NULL;
    int rc = ja_change_prepare(change, engine, verb, "jail", name, err);
    if (rc == 0)
        rc = ja_change_lock(change, "jail", name, false, err);
    if (rc == 0 && !engine->options.dry_run)
        rc = ja_recover_object(engine, "jail", name, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, name, &jail, NULL, err);
    if (rc == 0) {
        struct ja_list jails = {.items = &jail, .count = 1};
        struct looking looking = {&jails, ret_list};
        rc = ja_engine_ask(engine, ask_snapshots, &looking, err);
    }
    ja_object_free(&ja_noun_jail, jail);
    if (rc == 0)
        rc = ja_change_open(change, err);
    if (rc == 0)
        rc = ja_load_jail(engine, name, ret_loaded, err);
    if (rc < 0)
        return rc;
    snprintf(change->uuid, sizeof change->uuid, "%s", ret_loaded->jail->uuid);
    return ja_check_ready(ret_loaded->jail, err);
}

/* What begin has begun, whether it succeeded or not. */
static void end(struct ja_change *change, struct ja_loaded *loaded, struct ja_list *list)
{
    ja_list_fini(&ja_noun_snapshot, list);
    ja_loaded_fini(loaded);
    ja_change_end(change);
}

struct taking {
    const struct ja_jail *jail;
    struct ja_snapshot *snapshot;
};

static void plan_create(void *work, struct ja_planning *p)
{
    const struct taking *taking = work;
    ja_plan_snapshot_create(p, taking->jail, taking->snapshot);
}

/* A record of now. */
static int fill_record(struct ja_snapshot *snapshot, const char *name, const char *comment,
                       const struct ja_strv *schedules, int64_t now_ms, struct ja_error *err)
{
    char created[JA_TIME_TEXT], uuid[JA_UUID_TEXT];
    int rc = ja_new_uuid(uuid, err);
    if (rc < 0)
        return rc;
    ja_clock_format(now_ms, created);
    snapshot->name = ja_strdup(name);
    snapshot->uuid = ja_strdup(uuid);
    snapshot->created = ja_strdup(created);
    snapshot->by = ja_strdup(ja_user_name());
    snapshot->comment = comment && *comment ? ja_strdup(comment) : NULL;
    if (!snapshot->name || !snapshot->uuid || !snapshot->created || !snapshot->by ||
        (comment && *comment && !snapshot->comment) || (schedules && ja_strv_copy(&snapshot->schedules, schedules) < 0))
        return ja_error_nomem(err);
    return ja_object_check(&ja_noun_snapshot, snapshot, err);
}

static int apply_create(struct ja_change *change, const struct ja_jail *jail, const char *name, const char *comment,
                        const struct ja_strv *schedules, int64_t now_ms, struct ja_error *err)
{
    struct ja_snapshot *snapshot = ja_object_new(&ja_noun_snapshot);
    int rc = snapshot ? fill_record(snapshot, name, comment, schedules, now_ms, err) : ja_error_nomem(err);
    if (rc == 0) {
        struct taking taking = {jail, snapshot};
        rc = ja_change_apply(change, plan_create, &taking, err);
    }
    ja_object_free(&ja_noun_snapshot, snapshot);
    return rc;
}

int ja_engine_snapshot_create(struct ja_engine *engine, const char *jail, const char *name, const char *comment,
                              char ret_name[JA_SNAPSHOT_NAME], struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    struct ja_list list = {0};
    char chosen[JA_SNAPSHOT_NAME];
    int64_t now = ja_clock_wall_ms();
    int rc = ja_check_name(jail, err);
    if (rc == 0 && name)
        rc = ja_check_snapshot(name, err);
    if (rc == 0)
        rc = ja_engine_trees_ensure(engine, jail, err);
    if (rc < 0)
        return rc;
    rc = begin(&change, engine, "snapshot", jail, &loaded, &list, err);
    if (rc == 0) {
        snprintf(chosen, sizeof chosen, "%s", name ? name : "");
        if (!name)
            ja_snapshot_name(now, &list, "", chosen);
        rc = apply_create(&change, loaded.jail, chosen, comment, NULL, now, err);
    }
    end(&change, &loaded, &list);
    if (rc == 0)
        snprintf(ret_name, JA_SNAPSHOT_NAME, "%s", chosen);
    return rc;
}

struct deleting {
    const struct ja_jail *jail;
    const struct ja_strv *names;
};

static void plan_delete(void *work, struct ja_planning *p)
{
    const struct deleting *deleting = work;
    ja_plan_snapshot_delete(p, deleting->jail, deleting->names);
}

int ja_engine_snapshot_delete(struct ja_engine *engine, const char *jail, const struct ja_strv *names,
                              struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    struct ja_list list = {0};
    int rc = ja_check_name(jail, err);
    for (size_t i = 0; rc == 0 && i < names->count; i++)
        rc = ja_check_snapshot(names->items[i], err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = begin(&change, engine, "snapshot-delete", jail, &loaded, &list, err);
    if (rc == 0) {
        struct deleting deleting = {loaded.jail, names};
        rc = ja_change_apply(&change, plan_delete, &deleting, err);
    }
    end(&change, &loaded, &list);
    return rc;
}

/* ---- tick ---- */

/* Takes what is due. */
static int tick_create(struct ja_engine *engine, const char *jail, int64_t now_ms, struct ja_ticked *ticked,
                       struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    struct ja_list list = {0};
    ja_autostrv struct ja_strv due = {0};
    int rc = begin(&change, engine, "snapshot", jail, &loaded, &list, err);
    if (rc == 0 && ja_keep_due(&loaded.jail->keep, &list, now_ms, &due) < 0)
        rc = ja_error_nomem(err);
    if (rc == 0 && due.count) {
        char suffix[24], name[JA_SNAPSHOT_NAME];
        snprintf(suffix, sizeof suffix, "-%s", due.items[due.count - 1]);
        ja_snapshot_name(now_ms, &list, suffix, name);
        rc = apply_create(&change, loaded.jail, name, NULL, &due, now_ms, err);
        if (rc == 0)
            snprintf(ticked->taken, sizeof ticked->taken, "%s", name);
    }
    end(&change, &loaded, &list);
    return rc;
}

/* Deletes what no schedule keeps any more. */
static int tick_delete(struct ja_engine *engine, const char *jail, int64_t now_ms, struct ja_ticked *ticked,
                       struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    struct ja_list list = {0};
    ja_autostrv struct ja_strv old = {0};
    int rc = begin(&change, engine, "snapshot-delete", jail, &loaded, &list, err);
    if (rc == 0 && ja_keep_old(&loaded.jail->keep, &list, now_ms, &old) < 0)
        rc = ja_error_nomem(err);
    if (rc == 0 && old.count) {
        struct deleting deleting = {loaded.jail, &old};
        rc = ja_change_apply(&change, plan_delete, &deleting, err);
        if (rc == 0)
            ticked->deleted = old.count;
    }
    end(&change, &loaded, &list);
    return rc;
}

static bool keeps_any(const struct ja_keep *keep)
{
    return keep->hourly || keep->daily || keep->weekly || keep->monthly;
}

int ja_engine_tick(struct ja_engine *engine, const char *jail, int64_t now_ms, struct ja_ticked *ret_ticked,
                   struct ja_error *err)
{
    struct ja_error later = JA_ERROR_INIT;
    void *object = NULL;
    *ret_ticked = (struct ja_ticked){0};
    int rc = ja_engine_get(engine, &ja_noun_jail, jail, &object, NULL, err);
    const struct ja_jail *row = object;
    /* What is being made, or broken, has its turn another time. */
    bool wanted = rc == 0 && keeps_any(&row->keep) && row->state == JA_ROW_READY;
    ja_object_free(&ja_noun_jail, object);
    if (!wanted)
        return rc;
    rc = ja_engine_trees_ensure(engine, jail, err);
    if (rc < 0)
        return rc;
    rc = tick_create(engine, jail, now_ms, ret_ticked, err);
    /* A full disk may be why there was no new one. */
    int other = tick_delete(engine, jail, now_ms, ret_ticked, &later);
    if (rc == 0 && other < 0) {
        rc = other;
        *err = later;
    }
    return rc;
}

static int add_keeper(void *context, const struct ja_row *row, struct ja_error *err)
{
    void *object = NULL;
    int rc = ja_object_from_json(&ja_noun_jail, row->spec, true, &object, err);
    const struct ja_jail *jail = object;
    if (rc == 0 && keeps_any(&jail->keep) && jail->state == JA_ROW_READY && ja_strv_add(context, row->name) < 0)
        rc = ja_error_nomem(err);
    ja_object_free(&ja_noun_jail, object);
    return rc;
}

int ja_engine_tick_names(struct ja_engine *engine, struct ja_strv *ret_names, struct ja_error *err)
{
    return ja_store_each(engine->store, "jail", NULL, add_keeper, ret_names, err);
}

/* ---- rollback ---- */

struct losing {
    const struct ja_rollback *rollback;
    struct ja_strv *volumes, *snapshots;
};

static void ask_lost(void *work, struct ja_planning *p)
{
    struct losing *losing = work;
    ja_strv_fini(losing->volumes);
    ja_strv_fini(losing->snapshots);
    ja_plan_rollback_lost(p, losing->rollback, losing->volumes, losing->snapshots);
}

int ja_engine_rollback_lost(struct ja_engine *engine, const char *jail, const struct ja_rollback_request *request,
                            struct ja_strv *ret_volumes, struct ja_strv *ret_snapshots, struct ja_error *err)
{
    struct ja_loaded loaded = {0};
    int rc = ja_check_name(jail, err);
    if (rc == 0)
        rc = ja_check_snapshot(request->snapshot, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = ja_load_jail(engine, jail, &loaded, err);
    if (rc < 0)
        return rc;
    struct ja_rollback rollback = {.subject = &loaded.subject,
                                   .name = request->snapshot,
                                   .volumes = request->volumes,
                                   .all_volumes = request->all_volumes,
                                   .uuid = ""};
    struct losing losing = {&rollback, ret_volumes, ret_snapshots};
    rc = ja_engine_ask(engine, ask_lost, &losing, err);
    ja_loaded_fini(&loaded);
    return rc;
}

static void plan_rollback(void *work, struct ja_planning *p)
{
    ja_plan_snapshot_rollback(p, work);
}

static int check_stopped(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err)
{
    struct ja_listed listed;
    int rc = ja_engine_state(engine, jail, &listed, err);
    if (rc < 0 || !listed.pid)
        return rc;
    ja_error_set(err, JA_E_BUSY, JA_LABEL("jail", jail->name), "it is running");
    return ja_error_hint(err, "stop it first, or use --restart, which stops it and starts it again");
}

static int roll_back(struct ja_engine *engine, const char *jail, const struct ja_rollback_request *request,
                     bool stopped, struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    char uuid[JA_UUID_TEXT];
    int rc = ja_new_uuid(uuid, err);
    if (rc < 0)
        return rc;
    rc = ja_begin_with_jail(&change, engine, "rollback", jail, &loaded, err);
    if (rc == 0)
        rc = ja_check_ready(loaded.jail, err);
    /* Of a dry run it is stopped by what was shown before. */
    if (rc == 0 && !(stopped && engine->options.dry_run))
        rc = check_stopped(engine, loaded.jail, err);
    if (rc == 0) {
        struct ja_rollback rollback = {.subject = &loaded.subject,
                                       .name = request->snapshot,
                                       .volumes = request->volumes,
                                       .all_volumes = request->all_volumes,
                                       .uuid = uuid};
        rc = ja_change_apply(&change, plan_rollback, &rollback, err);
    }
    ja_loaded_fini(&loaded);
    ja_change_end(&change);
    return rc;
}

int ja_stop_running(struct ja_engine *engine, const char *jail, enum ja_stop how, bool *ret_ran, struct ja_error *err)
{
    void *object = NULL;
    struct ja_listed listed = {0};
    int rc = ja_engine_get(engine, &ja_noun_jail, jail, &object, NULL, err);
    if (rc == 0)
        rc = ja_engine_state(engine, object, &listed, err);
    ja_object_free(&ja_noun_jail, object);
    *ret_ran = rc == 0 && listed.pid;
    return *ret_ran ? ja_engine_stop(engine, jail, how, NULL, err) : rc;
}

int ja_engine_rollback(struct ja_engine *engine, const char *jail, const struct ja_rollback_request *request,
                       bool *ret_ran, struct ja_error *err)
{
    ja_autostrv struct ja_strv volumes = {0}, snapshots = {0};
    struct ja_error later = JA_ERROR_INIT;
    bool ran = false;
    /* Nothing is stopped for what cannot be. */
    int rc = ja_engine_rollback_lost(engine, jail, request, &volumes, &snapshots, err);
    if (rc == 0)
        rc = ja_engine_trees_ensure(engine, jail, err);
    if (rc == 0 && request->restart)
        rc = ja_stop_running(engine, jail, JA_STOP_AGAIN, &ran, err);
    if (rc < 0)
        return rc;
    rc = roll_back(engine, jail, request, ran, err);
    /* Also when it failed: then with the tree that it had. */
    if (ran && !engine->options.dry_run && ja_engine_start(engine, jail, NULL, &later) < 0 && rc == 0) {
        rc = later.code;
        *err = later;
        ja_error_wrap(err, "it was rolled back, but its start failed");
    }
    if (rc == 0 && ret_ran)
        *ret_ran = ran;
    return rc;
}

/* ---- diff ---- */

struct differing {
    int (*each)(void *context, char change, const char *path, struct ja_error *err);
    void *context;
    const char *prefix; /* of a volume: where the jail has it; "" */
};

static int report_difference(void *context, char change, const char *path, struct ja_error *err)
{
    const struct differing *differing = context;
    ja_autofree char *whole = ja_printf("%s%s", differing->prefix, path);
    return whole ? differing->each(differing->context, change, whole, err) : ja_error_nomem(err);
}

/* zfs diff writes what is not plain as \0ooo. In place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        size_t digits = from[0] == '\\' && from[1] == '0' ? strspn(from + 2, "01234567") : 0;
        if (digits >= 3) {
            *to++ = (char)((from[2] - '0') * 64 + (from[3] - '0') * 8 + (from[4] - '0'));
            from += 5;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* "CHANGE<tab>PATH[<tab>NEW PATH]", paths of the host below `root`. */
static int report_lines(char *text, const char *root, struct differing *differing, struct ja_error *err)
{
    size_t length = strlen(root);
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && rest && (line = strsep(&rest, "\n")) != NULL;) {
        char *more = line, *change = strsep(&more, "\t"), *path = strsep(&more, "\t"), *to = strsep(&more, "\t");
        if (!path || strncmp(path, root, length) != 0)
            continue;
        unescape(path);
        if (to && strncmp(to, root, length) == 0) {
            unescape(to);
            rc = report_difference(differing, '-', path + length, err);
            if (rc == 0)
                rc = report_difference(differing, '+', to + length, err);
        } else {
            rc = report_difference(differing, change[0], path[length] ? path + length : "/", err);
        }
    }
    return rc;
}

static int diff_dataset(const char *dataset, const char *snapshot, const char *root, struct differing *differing,
                        struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    ja_autostr struct ja_str output = {0};
    if (ja_strv_add_all(&words, "diff", "-H", NULL) < 0 || ja_strv_addf(&words, "%s@%s", dataset, snapshot) < 0 ||
        ja_strv_add(&words, dataset) < 0)
        return ja_error_nomem(err);
    int rc = ja_zfs_run(&words, &output, err);
    if (rc < 0 && err && strstr(err->output, "unrecognized command")) {
        ja_error_set(err, JA_E_UNSUPPORTED, "storage", "this version of ZFS cannot tell what has changed");
        return ja_error_hint(err,
                             "it has no `zfs diff`; `jailadmin clone` makes a jail of the snapshot to compare with");
    }
    return rc < 0 ? rc : report_lines(output.text, root, differing, err);
}

struct finding_one {
    const struct ja_jail *jail;
    const char *name;
    struct ja_list *list;
    const struct ja_snapshot *found;
};

static void ask_one(void *work, struct ja_planning *p)
{
    struct finding_one *one = work;
    ja_list_fini(&ja_noun_snapshot, one->list);
    one->found = ja_plan_find_snapshot(p, one->jail, one->name, one->list);
}

static int diff_tree(struct ja_engine *engine, const struct ja_jail *jail, const char *snapshot, const char *kind,
                     const char *name, struct differing *differing, struct ja_error *err)
{
    const char *pool = engine->site.pool;
    ja_autofree char *now = ja_printf("%s/jails/%s/%s/%s", pool, jail->name, kind, name);
    bool volume = strcmp(kind, "vol") == 0;
    if (!now)
        return ja_error_nomem(err);
    if (engine->site.storage == JA_STORAGE_ZFS) {
        ja_autofree char *dataset = ja_printf("%s/jails/%s/%s/%s", engine->site.source, jail->name, kind, name);
        return dataset ? diff_dataset(dataset, snapshot, now, differing, err) : ja_error_nomem(err);
    }
    ja_autofree char *then = ja_printf("%s/jails/%s/snap/%s/%s%s%s", pool, jail->name, snapshot, kind,
                                       volume ? "/" : "", volume ? name : "");
    return then ? ja_tree_diff(then, now, report_difference, differing, err) : ja_error_nomem(err);
}

int ja_engine_snapshot_diff(struct ja_engine *engine, const char *name, const char *snapshot,
                            int (*each)(void *context, char change, const char *path, struct ja_error *err),
                            void *context, struct ja_error *err)
{
    void *object = NULL;
    struct ja_list list = {0};
    int rc = ja_check_pool_mounted(engine, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, name, &object, NULL, err);
    const struct ja_jail *jail = object;
    struct finding_one one = {jail, snapshot, &list, NULL};
    if (rc == 0)
        rc = ja_engine_ask(engine, ask_one, &one, err);
    if (rc == 0 && one.found->be) {
        struct differing differing = {each, context, ""};
        rc = diff_tree(engine, jail, snapshot, "root", one.found->be, &differing, err);
    }
    for (size_t i = 0; rc == 0 && i < one.found->volumes.count; i++) {
        const struct ja_volume *volume = ja_list_get(&jail->volumes, one.found->volumes.items[i]);
        struct differing differing = {each, context, volume ? volume->target : ""};
        if (volume)
            rc = diff_tree(engine, jail, snapshot, "vol", volume->name, &differing, err);
    }
    ja_list_fini(&ja_noun_snapshot, &list);
    ja_object_free(&ja_noun_jail, object);
    return rc;
}
