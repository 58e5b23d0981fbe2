/*
 * be.c: the verbs of boot environments. What there is is asked of the pool each time; which one is active is the jail's field.
 */
#include "base/clock.h"
#include "engine/internal.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

/* ---- what there is ---- */

/* Of one jail. */
struct looking {
    const struct ja_jail *jail;
    struct ja_list found;
    struct ja_map dirs;
    int64_t *bytes;
};

static void ask_environments(void *work, struct ja_planning *p)
{
    struct looking *looking = work;
    ja_list_fini(&ja_noun_be, &looking->found);
    free(looking->bytes);
    ja_map_fini(&looking->dirs);
    ja_plan_environments(p, looking->jail, &looking->found);
    ja_plan_binds(p, looking->jail, &looking->dirs);
    looking->bytes = ja_calloc(looking->found.count + 1, sizeof *looking->bytes);
    if (!looking->bytes)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    for (size_t i = 0; looking->bytes && i < looking->found.count; i++) {
        struct ja_jail other = *looking->jail; /* shallow */
        other.be = ((const struct ja_be *)looking->found.items[i])->name;
        const char *text = p->storage->jail_used ? p->storage->jail_used(p, &other, NULL) : NULL;
        looking->bytes[i] = text ? strtoll(text, NULL, 10) : -1;
    }
}

static int list_one(struct ja_engine *engine, const char *name,
                    int (*each)(void *context, const struct ja_be_listed *listed, struct ja_error *err), void *context,
                    struct ja_error *err)
{
    void *object = NULL;
    struct ja_jail *applied = NULL;
    struct looking looking = {0};
    int rc = ja_engine_get(engine, &ja_noun_jail, name, &object, NULL, err);
    if (rc == 0)
        rc = ja_engine_applied(engine, object, &applied, err);
    looking.jail = object;
    if (rc == 0)
        rc = ja_engine_ask(engine, ask_environments, &looking, err);
    for (size_t i = 0; rc == 0 && i < looking.found.count; i++) {
        const struct ja_be *be = looking.found.items[i];
        ja_autofree char *path = ja_printf("%s/jails/%s/root/%s", engine->site.pool, name, be->name);
        struct ja_be_listed listed = {.jail = looking.jail,
                                      .be = be,
                                      .active = strcmp(be->name, looking.jail->be) == 0,
                                      .running = applied && strcmp(be->name, applied->be) == 0,
                                      .used = looking.bytes[i],
                                      .path = path,
                                      .mounted = ja_bind_of(&looking.dirs, be->name)};
        rc = path ? each(context, &listed, err) : ja_error_nomem(err);
    }
    ja_list_fini(&ja_noun_be, &looking.found);
    ja_map_fini(&looking.dirs);
    free(looking.bytes);
    ja_object_free(&ja_noun_jail, applied);
    ja_object_free(&ja_noun_jail, object);
    return rc;
}

int ja_engine_environments(struct ja_engine *engine, const struct ja_strv *names,
                           int (*each)(void *context, const struct ja_be_listed *listed, struct ja_error *err),
                           void *context, struct ja_error *err)
{
    int rc = ja_check_pool_mounted(engine, err);
    for (size_t i = 0; rc == 0 && i < names->count; i++)
        rc = list_one(engine, names->items[i], each, context, err);
    return rc;
}

/* ---- changes ---- */

static int begin(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *jail,
                 struct ja_loaded *ret_loaded, struct ja_error *err)
{
    int rc = ja_begin_with_jail(change, engine, verb, jail, ret_loaded, err);
    return rc < 0 ? rc : ja_check_ready(ret_loaded->jail, err);
}

struct making {
    const struct ja_jail *jail;
    struct ja_be *be;
    const char *from;
};

static void plan_create(void *work, struct ja_planning *p)
{
    const struct making *making = work;
    ja_plan_be_create(p, making->jail, making->be, making->from);
}

int ja_be_make(struct ja_engine *engine, const char *jail, const char *name, const char *from, bool trial,
               struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    struct ja_be *be = ja_object_new(&ja_noun_be);
    if (!be)
        return ja_error_nomem(err);
    be->name = ja_strdup(name);
    be->by = ja_strdup(ja_user_name());
    /* A dry run shows no upgrade, but the steps that it is made of. */
    be->trial = trial && !engine->options.dry_run;
    int rc = be->name && be->by ? ja_new_identity(&be->uuid, &be->created, err) : ja_error_nomem(err);
    if (rc == 0) {
        rc = begin(&change, engine, "be-create", jail, &loaded, err);
        struct making making = {.jail = loaded.jail, .be = be, .from = from};
        if (rc == 0)
            rc = ja_change_apply(&change, plan_create, &making, err);
        ja_loaded_fini(&loaded);
        ja_change_end(&change);
    }
    ja_object_free(&ja_noun_be, be);
    return rc;
}

/* What comes before any change: the trees are mounted, and no upgrade is left over. */
static int prepare(struct ja_engine *engine, const char *jail, struct ja_error *err)
{
    int rc = ja_check_name(jail, err);
    if (rc == 0)
        rc = ja_engine_trees_ensure(engine, jail, err);
    return rc < 0 ? rc : ja_engine_upgrade_settle(engine, jail, err);
}

int ja_engine_be_create(struct ja_engine *engine, const char *jail, const char *name, const char *from,
                        struct ja_error *err)
{
    int rc = ja_check_name(name, err);
    if (rc == 0 && from)
        rc = *from == '@' ? ja_check_snapshot(from + 1, err) : ja_check_name(from, err);
    if (rc == 0)
        rc = prepare(engine, jail, err);
    return rc < 0 ? rc : ja_be_make(engine, jail, name, from, false, err);
}

struct activating {
    const struct ja_jail *jail;
    const char *name;
    bool trial;
};

static void plan_activate(void *work, struct ja_planning *p)
{
    const struct activating *activating = work;
    ja_plan_be_activate(p, activating->jail, activating->name, activating->trial);
}

int ja_be_activate(struct ja_engine *engine, const char *jail, const char *name, bool trial, struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    int rc = begin(&change, engine, "be-activate", jail, &loaded, err);
    struct activating activating = {.jail = loaded.jail, .name = name, .trial = trial};
    if (rc == 0)
        rc = ja_change_apply(&change, plan_activate, &activating, err);
    ja_loaded_fini(&loaded);
    ja_change_end(&change);
    return rc;
}

/* The boot environment that a jail runs on; NULL: it does not run. The caller's. */
static int running_on(struct ja_engine *engine, const struct ja_jail *jail, char **ret_be, struct ja_error *err)
{
    struct ja_jail *applied = NULL;
    int rc = ja_engine_applied(engine, jail, &applied, err);
    char *be = rc == 0 && applied ? ja_strdup(applied->be) : NULL;
    if (rc == 0 && applied && !be)
        rc = ja_error_nomem(err);
    ja_object_free(&ja_noun_jail, applied);
    if (rc == 0)
        *ret_be = be;
    return rc;
}

int ja_engine_be_activate(struct ja_engine *engine, const char *jail, const char *name, bool *ret_running,
                          struct ja_error *err)
{
    ja_autofree char *running = NULL;
    void *object = NULL;
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = prepare(engine, jail, err);
    if (rc == 0)
        rc = ja_be_activate(engine, jail, name, false, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, jail, &object, NULL, err);
    if (rc == 0)
        rc = running_on(engine, object, &running, err);
    ja_object_free(&ja_noun_jail, object);
    if (rc == 0)
        *ret_running = running && strcmp(running, name) != 0;
    return rc;
}

struct deleting {
    const struct ja_subject *subject;
    const char *running;
    const struct ja_strv *names;
    struct ja_strv uuids;
    bool trial;
};

static void plan_delete(void *work, struct ja_planning *p)
{
    const struct deleting *deleting = work;
    ja_plan_be_delete(p, deleting->subject, deleting->running, deleting->names, &deleting->uuids, deleting->trial);
}

int ja_be_delete(struct ja_engine *engine, const char *jail, const struct ja_strv *names, bool trial,
                 struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    ja_autofree char *running = NULL;
    struct deleting deleting = {.names = names, .trial = trial};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < names->count; i++) {
        char uuid[JA_UUID_TEXT];
        rc = ja_new_uuid(uuid, err);
        if (rc == 0 && ja_strv_add(&deleting.uuids, uuid) < 0)
            rc = ja_error_nomem(err);
    }
    if (rc == 0) {
        rc = begin(&change, engine, "be-delete", jail, &loaded, err);
        if (rc == 0)
            rc = running_on(engine, loaded.jail, &running, err);
        deleting.subject = &loaded.subject;
        deleting.running = running;
        if (rc == 0)
            rc = ja_change_apply(&change, plan_delete, &deleting, err);
        ja_loaded_fini(&loaded);
        ja_change_end(&change);
    }
    ja_strv_fini(&deleting.uuids);
    return rc;
}

int ja_engine_be_delete(struct ja_engine *engine, const char *jail, const struct ja_strv *names, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < names->count; i++)
        rc = ja_check_name(names->items[i], err);
    if (rc == 0)
        rc = prepare(engine, jail, err);
    return rc < 0 ? rc : ja_be_delete(engine, jail, names, false, err);
}

/* ---- mounting ---- */

struct mounting {
    const struct ja_jail *jail;
    struct ja_be_mounting mounting;
    char *dir;
};

static void plan_mount(void *work, struct ja_planning *p)
{
    struct mounting *mounting = work;
    ja_plan_be_mount(p, mounting->jail, &mounting->mounting, &mounting->dir);
}

static void plan_unmount(void *work, struct ja_planning *p)
{
    struct mounting *mounting = work;
    ja_plan_be_unmount(p, mounting->jail, mounting->mounting.name, &mounting->dir);
}

static int change_mount(struct ja_engine *engine, const char *verb, const char *jail,
                        void (*plan)(void *work, struct ja_planning *p), struct mounting *mounting, char **ret_dir,
                        struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    ja_autofree char *running = NULL;
    int rc = begin(&change, engine, verb, jail, &loaded, err);
    if (rc == 0)
        rc = running_on(engine, loaded.jail, &running, err);
    mounting->jail = loaded.jail;
    mounting->mounting.running = running;
    if (rc == 0)
        rc = ja_change_apply(&change, plan, mounting, err);
    ja_loaded_fini(&loaded);
    ja_change_end(&change);
    if (rc == 0)
        *ret_dir = mounting->dir;
    else
        ja_free(mounting->dir);
    return rc;
}

int ja_engine_be_mount(struct ja_engine *engine, const char *jail, const char *name, const char *dir, bool read_only,
                       char **ret_dir, struct ja_error *err)
{
    struct mounting mounting = {.mounting = {.name = name, .dir = dir, .read_only = read_only}};
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = prepare(engine, jail, err);
    return rc < 0 ? rc : change_mount(engine, "be-mount", jail, plan_mount, &mounting, ret_dir, err);
}

int ja_engine_be_unmount(struct ja_engine *engine, const char *jail, const char *name, char **ret_dir,
                         struct ja_error *err)
{
    struct mounting mounting = {.mounting = {.name = name}};
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = prepare(engine, jail, err);
    return rc < 0 ? rc : change_mount(engine, "be-unmount", jail, plan_unmount, &mounting, ret_dir, err);
}
