/*
 * gc.c: removing what is no longer needed. Changes that were cut off are finished first; then what stopped jails have left;
 * then what carries our marks and belongs to nobody. A tree is destroyed only by name.
 */
#include "engine/internal.h"
#include "host/host.h"
#include "storage/storage.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

/* So many events are kept. */
enum { EVENTS_KEPT = 10000 };

/* ---- stopped jails ---- */

static void plan_clean(void *work, struct ja_planning *p)
{
    const struct ja_subject *s = work;
    if (p->host->jail_running(p, s->jail) || !p->host->jail_left(p, s))
        return;
    p->host->jail_clean(p, s);
    ja_plan_commit_last(p);
}

static int clean_jail(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    struct ja_plan quick = {0};
    int rc = ja_load_jail(engine, name, &loaded, err);
    if (rc == 0)
        rc = ja_engine_plan(engine, "clean", "jail", name, plan_clean, &loaded.subject, &quick, err);
    bool needed = rc == 0 && quick.count > 0;
    ja_plan_fini(&quick);
    ja_loaded_fini(&loaded);
    if (!needed)
        return rc == JA_E_NOTFOUND ? 0 : rc;
    rc = ja_change_begin(&change, engine, "clean", "jail", name, err);
    if (rc == 0)
        rc = ja_load_jail(engine, name, &loaded, err);
    if (rc == 0)
        ja_load_applied(&loaded);
    if (rc == 0)
        snprintf(change.uuid, sizeof change.uuid, "%s", loaded.jail->uuid);
    if (rc == 0)
        rc = ja_change_apply(&change, plan_clean, &loaded.subject, err);
    ja_loaded_fini(&loaded);
    ja_change_end(&change);
    return rc;
}

static int clean_jails(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    int rc = ja_store_each(engine->store, "jail", NULL, ja_collect_name, &names, err), first = 0;
    if (rc < 0)
        return rc;
    /* One jail that cannot be cleaned does not keep the others from it. */
    for (size_t i = 0; i < names.count; i++) {
        struct ja_error one = JA_ERROR_INIT;
        rc = ja_engine_upgrade_settle(engine, names.items[i], &one);
        if (rc == 0)
            rc = clean_jail(engine, names.items[i], &one);
        if (rc < 0 && first == 0) {
            first = rc;
            *err = one;
        }
    }
    return first;
}

/* ---- what belongs to nobody ---- */

static int note_jail(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct ja_known *known = context;
    bool failed =
        ja_strv_addf(&known->slots, "%lld", (long long)row->slot) < 0 || ja_strv_add(&known->names, row->name) < 0;
    return failed ? ja_error_nomem(err) : 0;
}

static int note_network(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct ja_known *known = context;
    return ja_strv_addf(&known->bridges, "%lld", (long long)row->slot) < 0 ? ja_error_nomem(err) : 0;
}

int ja_engine_known(struct ja_engine *engine, struct ja_known *known, struct ja_error *err)
{
    int rc = ja_store_each(engine->store, "jail", NULL, note_jail, known, err);
    return rc < 0 ? rc : ja_store_each(engine->store, "network", NULL, note_network, known, err);
}

void ja_known_fini(struct ja_known *known)
{
    ja_strv_fini(&known->slots);
    ja_strv_fini(&known->bridges);
    ja_strv_fini(&known->names);
}

void ja_plan_leftovers(void *work, struct ja_planning *p)
{
    const struct ja_known *known = work;
    if (p->host->leftovers)
        p->host->leftovers(p, &known->slots, &known->bridges, &known->names);
    ja_plan_drop_own_dirs(p);
    ja_plan_commit_last(p);
}

/* What the store knows now and did not when the plan was begun may be among what the plan takes for nobody's: it was made meanwhile.
 * A row is there before anything of its object is, so what is read after the facts knows all that they saw. */
static int check_known(struct ja_change *change, void *work, struct ja_error *err)
{
    const struct ja_known *known = work;
    struct ja_known now = {0};
    int rc = ja_engine_known(change->engine, &now, err);
    if (rc == 0 && !(ja_strv_equal(&known->slots, &now.slots) && ja_strv_equal(&known->bridges, &now.bridges) &&
                     ja_strv_equal(&known->names, &now.names)))
        rc = ja_error_set(err, JA_E_CONFLICT, NULL, "jails or networks are made or deleted all the time");
    ja_known_fini(&now);
    return rc;
}

static int remove_leftovers(struct ja_engine *engine, struct ja_error *err)
{
    enum { TRIES = 10 };
    int rc = JA_E_CONFLICT;
    for (int i = 0; i < TRIES && rc == JA_E_CONFLICT; i++) {
        struct ja_known known = {0};
        ja_error_clear(err);
        rc = ja_engine_known(engine, &known, err);
        if (rc == 0)
            rc = ja_engine_ensure_checked(engine, "gc", "host", "leftovers", 0, check_known, ja_plan_leftovers, &known,
                                          NULL, err);
        ja_known_fini(&known);
    }
    return rc;
}

int ja_engine_gc(struct ja_engine *engine, struct ja_error *err)
{
    int rc = engine->options.dry_run ? 0 : ja_engine_recover(engine, true, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = clean_jails(engine, err);
    if (rc == 0)
        rc = remove_leftovers(engine, err);
    if (rc == 0 && !engine->options.dry_run)
        rc = ja_store_plans_trim(engine->store, EVENTS_KEPT, err);
    return rc;
}

/* ---- one tree, by name ---- */

struct orphan {
    const char *label;
    const struct ja_noun *noun;
    struct ja_jail jail; /* stands for the tree of a jail */
    char name[256], version[256];
    char uuids[16][JA_UUID_TEXT]; /* of the template's versions, or the deleted one */
    struct ja_strv versions;
    bool found;
};

static int match(void *context, const struct ja_found *found, struct ja_error *err)
{
    struct orphan *orphan = context;
    bool short_name = found->noun == &ja_noun_jail && strcmp(found->name, orphan->label) == 0;
    if (strcmp(found->label, orphan->label) != 0 && !short_name)
        return 0;
    if (found->status == JA_FOUND_KNOWN) {
        ja_error_set(err, JA_E_DENIED, found->label, "it belongs to %s %s", found->noun->name, found->name);
        return ja_error_hint(err, "`jailadmin delete` deletes a jail with its tree");
    }
    if (found->noun == &ja_noun_network)
        return ja_error_set(err, JA_E_INVALID, found->label, "it is a spec, not a tree");
    orphan->found = true;
    orphan->noun = found->noun;
    snprintf(orphan->name, sizeof orphan->name, "%s", found->name);
    if (found->version)
        snprintf(orphan->version, sizeof orphan->version, "%s", found->version);
    return 0;
}

/* The versions that lie in an unknown template's directory. */
static int find_versions(struct ja_engine *engine, struct orphan *orphan, struct ja_error *err)
{
    char path[1024];
    char *names = NULL;
    if (orphan->version[0])
        return ja_strv_add(&orphan->versions, orphan->version) < 0 ? ja_error_nomem(err) : 0;
    snprintf(path, sizeof path, "%s/templates/%s", engine->site.pool, orphan->name);
    int rc = ja_machine_fact(engine->machine, JA_FACT_DIRECTORY, path, &names, err);
    char *rest = names;
    for (char *name; rc == 0 && rest && (name = strsep(&rest, "\n")) != NULL;)
        if (*name && strcmp(name, "spec.json") != 0 && ja_strv_add(&orphan->versions, name) < 0)
            rc = ja_error_nomem(err);
    free(names);
    if (rc == 0 && orphan->versions.count > JA_COUNT(orphan->uuids))
        rc = ja_error_set(err, JA_E_LIMIT, orphan->label, "it has more than %zu versions", JA_COUNT(orphan->uuids));
    return rc;
}

static void plan_destroy(void *work, struct ja_planning *p)
{
    const struct orphan *orphan = work;
    size_t last = 0;
    if (orphan->noun == &ja_noun_jail) {
        p->storage->jail_retire(p, &orphan->jail);
        last = p->plan->count;
        p->storage->jail_destroy(p, &orphan->jail);
    } else if (!orphan->noun) {
        p->storage->template_destroy(p, orphan->name);
        last = p->plan->count;
    } else {
        for (size_t i = 0; i < orphan->versions.count; i++)
            p->storage->template_retire(p, orphan->name, orphan->versions.items[i], orphan->uuids[i]);
        last = p->plan->count;
        for (size_t i = 0; i < orphan->versions.count; i++)
            p->storage->template_destroy(p, orphan->uuids[i]);
        if (!orphan->version[0]) {
            ja_autofree char *dir = ja_path_template(p, orphan->name, NULL);
            if (p->storage->template_forget)
                p->storage->template_forget(p, orphan->name);
            ja_plan_drop_spec(p, &ja_noun_template, orphan->name);
            struct ja_step *step = ja_plan_host_step(p, "rmdir", "remove the template's directory");
            ja_step_run(p->plan, step, dir ? dir : "", NULL);
            step->flags |= JA_STEP_PERSISTENT;
        }
    }
    if (p->plan->count)
        p->plan->steps[last ? last - 1 : 0]->flags |= JA_STEP_COMMIT;
}

/* The object's uuid in the mark of a ZFS dataset, if the dataset is this instance's. Without it the planner refuses. */
static int read_mark(struct ja_engine *engine, const char *dataset, char uuid[JA_UUID_TEXT], struct ja_error *err)
{
    ja_autofree char *mark = NULL;
    size_t length = strlen(engine->site.uuid);
    int rc = ja_machine_fact(engine->machine, JA_FACT_DATASET, dataset, &mark, err);
    if (rc == 0 && mark && strncmp(mark, engine->site.uuid, length) == 0 && mark[length] == ' ')
        snprintf(uuid, JA_UUID_TEXT, "%s", mark + length + 1);
    return rc;
}

static int read_marks(struct ja_engine *engine, struct orphan *orphan, struct ja_error *err)
{
    char dataset[1024];
    int rc = 0;
    if (engine->site.storage != JA_STORAGE_ZFS || !orphan->noun)
        return 0;
    if (orphan->noun == &ja_noun_jail) {
        snprintf(dataset, sizeof dataset, "%s/jails/%s", engine->site.source, orphan->name);
        return read_mark(engine, dataset, orphan->uuids[0], err);
    }
    for (size_t i = 0; rc == 0 && i < orphan->versions.count; i++) {
        snprintf(dataset, sizeof dataset, "%s/templates/%s/%s", engine->site.source, orphan->name,
                 orphan->versions.items[i]);
        rc = read_mark(engine, dataset, orphan->uuids[i], err);
    }
    return rc;
}

static int identify(struct orphan *orphan, struct ja_error *err)
{
    int rc;
    for (size_t i = 0; i < JA_COUNT(orphan->uuids); i++)
        if ((rc = ja_new_uuid(orphan->uuids[i], err)) < 0)
            return rc;
    orphan->jail.name = orphan->name;
    orphan->jail.uuid = orphan->uuids[0];
    orphan->jail.be = (char *)"default";
    return 0;
}

int ja_engine_destroy_orphan(struct ja_engine *engine, const char *label, struct ja_error *err)
{
    struct orphan orphan = {.label = label};
    struct ja_change change;
    int rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = ja_engine_scan(engine, match, &orphan, err);
    if (rc == 0 && !orphan.found) {
        rc = ja_error_set(err, JA_E_NOTFOUND, label, "the pool has no such tree without an owner");
        ja_error_hint(err, "`jailadmin gc` lists those that there are");
    }
    if (rc == 0)
        rc = identify(&orphan, err);
    if (rc == 0 && orphan.noun == &ja_noun_template)
        rc = find_versions(engine, &orphan, err);
    if (rc == 0)
        rc = read_marks(engine, &orphan, err);
    if (rc == 0) {
        rc = ja_change_begin(&change, engine, "destroy", "host", "orphan", err);
        if (rc == 0)
            rc = ja_change_apply(&change, plan_destroy, &orphan, err);
        ja_change_end(&change);
    }
    ja_strv_fini(&orphan.versions);
    return rc;
}
