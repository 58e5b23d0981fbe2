/*
 * teardown.c: taking an instance away: its jails, templates and networks, what it has on the host, its pool and its state. Also
 * what an init or a teardown that was cut off has left, and an instance whose pool is gone.
 */
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void plan_teardown(JA_UNUSED void *work, struct ja_planning *p)
{
    ja_plan_teardown(p);
}

static int delete_all(struct ja_engine *engine, const char *kind,
                      int (*one)(struct ja_engine *engine, const char *name, struct ja_error *err),
                      struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    int rc = ja_store_each(engine->store, kind, NULL, ja_collect_name, &names, err);
    for (size_t i = 0; rc == 0 && i < names.count; i++)
        rc = one(engine, names.items[i], err);
    return rc;
}

/* ---- trees without an owner ---- */

static int collect_orphan(void *context, const struct ja_found *found, struct ja_error *err)
{
    if (found->status == JA_FOUND_KNOWN || found->noun == &ja_noun_network)
        return 0;
    return ja_strv_add(context, found->label) < 0 ? ja_error_nomem(err) : 0;
}

/* They would go with the pool: only when all is to go. */
static int handle_orphans(struct ja_engine *engine, bool force, struct ja_error *err)
{
    ja_autostrv struct ja_strv labels = {0};
    int rc = ja_engine_scan(engine, collect_orphan, &labels, err);
    if (rc == 0 && labels.count && !force) {
        ja_error_set(err, JA_E_BUSY, "instance", "its pool has %zu tree%s that no object owns, the first is %s",
                     labels.count, labels.count == 1 ? "" : "s", labels.items[0]);
        return ja_error_hint(err,
                             "`jailadmin gc` lists them, `jailadmin adopt` takes jails back; --force destroys them");
    }
    for (size_t i = 0; rc == 0 && i < labels.count; i++)
        rc = ja_engine_destroy_orphan(engine, labels.items[i], err);
    return rc;
}

/* ---- all of it ---- */

static int stop_jail(struct ja_engine *engine, const char *name, JA_UNUSED void *context, struct ja_error *err)
{
    return ja_engine_stop(engine, name, JA_STOP_FORCE, NULL, err);
}

static int delete_jail(struct ja_engine *engine, const char *name, JA_UNUSED void *context, struct ja_error *err)
{
    return ja_engine_delete(engine, name, true, err);
}

static void keep_first(void *context, const char *name, int rc, const struct ja_error *err)
{
    struct ja_error *first = context;
    if (rc == 0 || first->code)
        return;
    *first = *err;
    first->code = rc;
    if (!first->object[0])
        snprintf(first->object, sizeof first->object, "%s", JA_LABEL("jail", name));
}

/* Side by side: a stop mostly waits for the kernel to let go of a network stack. */
static int all_jails(struct ja_engine *engine, int jobs,
                     int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                     struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    struct ja_error first = JA_ERROR_INIT;
    int rc = ja_store_each(engine->store, "jail", NULL, ja_collect_name, &names, err);
    if (rc < 0 || ja_engine_each(engine, &names, jobs, one, keep_first, &first) == 0)
        return rc;
    if (!first.code)
        return ja_error_set(err, JA_E_INTERRUPTED, NULL, "interrupted");
    *err = first;
    return first.code;
}

static int delete_objects(struct ja_engine *engine, bool force, int jobs, struct ja_error *err)
{
    int rc = handle_orphans(engine, force, err);
    /* All are stopped before the first is deleted: one may be the origin of another that runs. */
    if (rc == 0 && !engine->options.dry_run)
        rc = all_jails(engine, jobs, stop_jail, err);
    if (rc == 0)
        rc = all_jails(engine, jobs, delete_jail, err);
    if (rc == 0)
        rc = delete_all(engine, "template", ja_engine_template_delete_all, err);
    return rc == 0 ? delete_all(engine, "network", ja_engine_network_delete, err) : rc;
}

/* Without its pool there are no trees to delete: what runs is ended, and the rest goes with the instance. */
static int without_pool(struct ja_engine *engine, const struct ja_error *why, int jobs, struct ja_error *err)
{
    struct ja_event event = {.kind = JA_EVENT_WARNING, .err = why};
    ja_engine_event(engine, &event);
    int rc = all_jails(engine, jobs, stop_jail, err);
    return rc == 0 ? delete_all(engine, "network", ja_engine_network_delete, err) : rc;
}

static int check_jails(struct ja_engine *engine, bool force, struct ja_error *err)
{
    int64_t jails = ja_store_count(engine->store, "jail", err);
    if (jails < 0)
        return (int)jails;
    if (jails == 0 || force)
        return 0;
    ja_error_set(err, JA_E_BUSY, "instance", "it has %lld jail%s", (long long)jails, jails == 1 ? "" : "s");
    return ja_error_hint(err, "delete them first, or use --force, which deletes them with all their data");
}

int ja_check_forgotten(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv labels = {0};
    ja_autofree char *there = NULL;
    struct ja_error why = JA_ERROR_INIT;
    bool zfs = engine->site.storage == JA_STORAGE_ZFS;
    int rc = ja_machine_fact(engine->machine, zfs ? JA_FACT_DATASET : JA_FACT_PATH, engine->site.source, &there, err);
    if (rc < 0 || !there)
        return rc;
    int pool = ja_engine_pool_ensure(engine, &why);
    if (pool == 0)
        rc = ja_engine_scan(engine, collect_orphan, &labels, err);
    if (rc < 0 || (pool == 0 && labels.count == 0))
        return rc;
    if (pool < 0)
        ja_error_set(err, JA_E_BUSY, "instance", "nobody can see whether there are jails in its pool: %s", why.what);
    else
        ja_error_set(err, JA_E_BUSY, "instance", "its pool has %zu tree%s, the first is %s: its store is damaged",
                     labels.count, labels.count == 1 ? "" : "s", labels.items[0]);
    return ja_error_hint(
        err,
        "use restore with a backup, or move the store away, then `jailadmin init --adopt` and `jailadmin adopt --all`; "
        "teardown --force destroys all");
}

int ja_engine_teardown(struct ja_engine *engine, bool force, int jobs, struct ja_error *err)
{
    struct ja_change change;
    struct ja_error why = JA_ERROR_INIT;
    /* An init or teardown that was cut off has left nothing to delete, and perhaps no pool. */
    ja_autofree char *ready = NULL;
    int rc = ja_store_setting(engine->store, "ready", &ready, err);
    if (rc < 0 && rc != JA_E_NOTFOUND && rc != JA_E_CORRUPT)
        return rc; /* it is not known */
    bool again = rc < 0 || strcmp(ready, "yes") != 0;
    rc = check_jails(engine, force, err);
    if (rc < 0)
        return rc;
    engine->tearing = true;
    int pool = engine->options.dry_run || again ? 0 : ja_engine_pool_ensure(engine, &why);
    if (pool == JA_E_NOMEM || (pool < 0 && !force)) {
        *err = why;
        return pool == JA_E_NOMEM ? pool : ja_error_hint(err, "with --force the instance goes without its pool");
    }
    if (again && !force && !engine->options.dry_run && (rc = ja_check_forgotten(engine, err)) < 0)
        return rc;
    /* Cut off while it removed the state directory: the rest was done, and its numbers may be another instance's by now. */
    if (again && !engine->options.dry_run && access(engine->journal, F_OK) != 0 &&
        (rc = ja_engine_is_registered(engine, err)) <= 0)
        return rc < 0 ? rc : ja_engine_remove_state(engine, false, err);
    rc = 0;
    if (!again)
        rc = pool < 0 ? without_pool(engine, &why, jobs, err) : delete_objects(engine, force, jobs, err);
    if (rc < 0)
        return rc;
    rc = ja_change_begin(&change, engine, "teardown", "host", "instance", err);
    if (rc == 0)
        rc = ja_change_apply(&change, plan_teardown, NULL, err);
    ja_change_end(&change);
    if (rc == 0 && !engine->options.dry_run)
        rc = ja_engine_remove_state(engine, false, err);
    return rc;
}
