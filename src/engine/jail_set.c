/*
 * jail_set.c: changes to a jail that exists: its fields, its name.
 */
#include "engine/internal.h"
#include "host/host.h"
#include "plan/order.h"

#include <stdio.h>
#include <string.h>

/* ---- what waits for the next start ---- */

int ja_engine_applied(struct ja_engine *engine, const struct ja_jail *jail, struct ja_jail **ret_applied,
                      struct ja_error *err)
{
    struct ja_listed listed;
    ja_autofree char *text = NULL;
    char path[512];
    void *applied = NULL;
    *ret_applied = NULL;
    int rc = ja_engine_state(engine, jail, &listed, err);
    if (rc < 0 || !listed.pid)
        return rc;
    snprintf(path, sizeof path, "%s/jails/%lld/applied.json", engine->site.run, (long long)jail->slot);
    rc = ja_machine_fact(engine->machine, JA_FACT_FILE, path, &text, err);
    json_t *json = NULL;
    if (rc == 0 && text && ja_json_read(text, NULL, &json, err) == JA_E_NOMEM)
        rc = JA_E_NOMEM;
    if (json)
        rc = ja_object_from_json(&ja_noun_jail, json, true, &applied, err);
    /* Without it, or damaged: the newest spec is the best that is left. */
    if (rc == 0 && !json && !(applied = ja_object_copy(&ja_noun_jail, jail)))
        rc = ja_error_nomem(err);
    json_decref(json);
    if (rc == 0 && applied && ja_str_equal(((struct ja_jail *)applied)->uuid, jail->uuid))
        *ret_applied = applied;
    else
        ja_object_free(&ja_noun_jail, applied);
    return rc;
}

int ja_engine_pending(const struct ja_jail *applied, const struct ja_jail *wanted, struct ja_strv *ret_paths,
                      struct ja_error *err)
{
    ja_autostrv struct ja_strv changed = {0};
    if (ja_object_diff(&ja_noun_jail, applied, wanted, &changed) == JA_E_NOMEM)
        return ja_error_nomem(err);
    for (size_t i = 0; i < changed.count; i++) {
        const struct ja_field *field = ja_noun_field_at(&ja_noun_jail, changed.items[i]);
        if (field && field->when != JA_WHEN_LIVE && ja_strv_add(ret_paths, changed.items[i]) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

/* ---- depends ---- */

struct dependence {
    struct ja_jail **jails;
    size_t count;
};

static int collect_jail(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct dependence *all = context;
    void *jail = NULL;
    int rc = ja_object_from_json(&ja_noun_jail, row->spec, true, &jail, err);
    if (rc < 0)
        return rc;
    struct ja_jail **jails = ja_realloc(all->jails, (all->count + 1) * sizeof *jails);
    if (!jails) {
        ja_object_free(&ja_noun_jail, jail);
        return ja_error_nomem(err);
    }
    all->jails = jails;
    jails[all->count++] = jail;
    return 0;
}

int ja_check_depends(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err)
{
    struct dependence all = {0};
    if (jail->depends.count == 0)
        return 0;
    int rc = ja_store_each(engine->store, "jail", NULL, collect_jail, &all, err);
    const struct ja_jail **jails = rc == 0 ? ja_calloc(all.count + 1, sizeof *jails) : NULL;
    size_t count = 0;
    if (rc == 0 && !jails)
        rc = ja_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < all.count; i++)
        if (strcmp(all.jails[i]->name, jail->name) != 0)
            jails[count++] = all.jails[i];
    if (rc == 0) {
        struct ja_order order = {0};
        jails[count++] = jail;
        rc = ja_order_jails(jails, count, &order, err);
        ja_order_fini(&order);
    }
    for (size_t i = 0; rc == 0 && i < jail->depends.count; i++) {
        bool there = false;
        for (size_t j = 0; !there && j < count; j++)
            there = strcmp(jails[j]->name, jail->depends.items[i]) == 0;
        if (!there) {
            rc = ja_error_set(err, JA_E_NOTFOUND, "field depends", "there is no jail %s", jail->depends.items[i]);
            ja_error_hint(err, "`jailadmin list` shows the jails there are");
        }
    }
    free(jails);
    for (size_t i = 0; i < all.count; i++)
        ja_object_free(&ja_noun_jail, all.jails[i]);
    free(all.jails);
    return rc;
}

/* ---- set ---- */

static int assign_all(struct ja_jail *jail, const struct ja_strv *assignments, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < assignments->count; i++)
        rc = ja_object_set(&ja_noun_jail, jail, assignments->items[i], false, err);
    return rc < 0 ? rc : ja_object_check(&ja_noun_jail, jail, err);
}

/* Volumes hold data: taking one away wants a yes, and a jail that does not have it mounted. */
static int check_volumes(const struct ja_jail *old, const struct ja_jail *new, bool running, bool destroy,
                         struct ja_error *err)
{
    for (size_t i = 0; i < old->volumes.count; i++) {
        const struct ja_volume *volume = old->volumes.items[i];
        if (ja_list_get(&new->volumes, volume->name))
            continue;
        if (running) {
            ja_error_set(err, JA_E_BUSY, "field volumes", "the volume %s is in use, the jail runs", volume->name);
            return ja_error_hint(err, "stop the jail first");
        }
        if (!destroy) {
            ja_error_set(err, JA_E_DENIED, "field volumes", "the volume %s would be destroyed with its data",
                         volume->name);
            return ja_error_hint(err, "give --yes if you are sure");
        }
    }
    return 0;
}

int ja_check_ready(const struct ja_jail *jail, struct ja_error *err)
{
    if (jail->state == JA_ROW_READY)
        return 0;
    ja_error_set(err, JA_E_BUSY, JA_LABEL("jail", jail->name), "it is %s",
                 jail->state == JA_ROW_BROKEN ? "broken" : "still being created");
    return ja_error_hint(err, "`jailadmin gc` finishes what was left; `jailadmin events %s` tells what happened",
                         jail->name);
}

static void plan_set(void *work, struct ja_planning *p)
{
    ja_plan_jail_set(p, work);
}

/* What the running jail has now, and what it has after the change: the applied spec with the fields that apply at once. */
static int load_live(struct ja_engine *engine, const struct ja_jail *new, struct ja_jail *applied,
                     struct ja_loaded *ret_applied, struct ja_loaded *ret_live, struct ja_error *err)
{
    struct ja_jail *live = ja_object_copy(&ja_noun_jail, applied);
    int rc = live && ja_object_take_live(&ja_noun_jail, live, new) == 0 ? 0 : ja_error_nomem(err);
    if (rc < 0) {
        ja_object_free(&ja_noun_jail, live);
        ja_object_free(&ja_noun_jail, applied);
        return rc;
    }
    rc = ja_load_subject(engine, applied, ret_applied, err);
    if (rc < 0)
        ja_object_free(&ja_noun_jail, live);
    return rc < 0 ? rc : ja_load_subject(engine, live, ret_live, err);
}

/* Within the change: makes the new spec, reserves what it needs, runs the plan. `new` is taken over. */
static int apply_set(struct ja_change *change, struct ja_loaded *old, struct ja_jail *new, struct ja_jail *applied,
                     struct ja_error *err)
{
    struct ja_engine *engine = change->engine;
    struct ja_loaded loaded = {0}, now = {0}, live = {0};
    int rc = ja_load_subject(engine, new, &loaded, err);
    if (rc < 0) {
        ja_object_free(&ja_noun_jail, applied);
        return rc;
    }
    if (applied)
        rc = load_live(engine, new, applied, &now, &live, err);
    if (rc == 0) {
        struct ja_jailset set = {.old = old->jail,
                                 .new = &loaded.subject,
                                 .applied = applied ? &now.subject : NULL,
                                 .live = applied ? &live.subject : NULL};
        rc = ja_change_apply(change, plan_set, &set, err);
    }
    ja_loaded_fini(&live);
    ja_loaded_fini(&now);
    ja_loaded_fini(&loaded);
    return rc;
}

int ja_engine_set(struct ja_engine *engine, const char *name, const struct ja_strv *assignments, bool destroy,
                  struct ja_setdone *ret_done, struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded old = {0};
    struct ja_jail *new = NULL, *applied = NULL;
    struct ja_setdone done = {0};
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = ja_begin_with_jail(&change, engine, "set", name, &old, err);
    if (rc == 0)
        rc = ja_check_ready(old.jail, err);
    if (rc == 0 && !(new = ja_object_copy(&ja_noun_jail, old.jail)))
        rc = ja_error_nomem(err);
    if (rc == 0)
        rc = assign_all(new, assignments, err);
    if (rc == 0 && !ja_strv_equal(&new->depends, &old.jail->depends))
        rc = ja_check_depends(engine, new, err);
    if (rc == 0)
        rc = ja_engine_applied(engine, old.jail, &applied, err);
    if (rc == 0)
        rc = check_volumes(old.jail, new, applied != NULL, destroy, err);
    if (rc == 0)
        rc = ja_assign_addresses(engine, new, err);
    if (rc == 0)
        rc = ja_rules_check_jail(engine, new, err);
    if (rc == 0)
        rc = ja_reserve_ports(engine, new, err);
    if (rc == 0 && applied)
        rc = ja_engine_pending(applied, new, &done.pending, err);
    if (rc == 0 && ja_object_equal(&ja_noun_jail, old.jail, new)) {
        done.unchanged = true;
    } else if (rc == 0) {
        rc = apply_set(&change, &old, new, applied, err);
        new = applied = NULL;
    }
    ja_object_free(&ja_noun_jail, applied);
    ja_object_free(&ja_noun_jail, new);
    ja_loaded_fini(&old);
    ja_change_end(&change);
    if (rc == 0 && ret_done)
        *ret_done = done;
    else
        ja_strv_fini(&done.pending);
    return rc;
}

/* ---- rename ---- */

struct renaming {
    const struct ja_subject *subject;
    const char *to;
};

static void plan_rename(void *work, struct ja_planning *p)
{
    struct renaming *renaming = work;
    ja_plan_jail_rename(p, renaming->subject, renaming->to);
}

int ja_engine_rename(struct ja_engine *engine, const char *name, const char *to, struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    struct ja_listed listed = {0};
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_check_name(to, err);
    if (rc == 0 && strcmp(name, to) == 0)
        rc = ja_error_set(err, JA_E_INVALID, JA_LABEL("jail", name), "that is its name already");
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = ja_change_begin_two(&change, engine, "rename", "jail", name, to, err);
    if (rc == 0)
        rc = ja_load_jail(engine, name, &loaded, err);
    if (rc == 0) {
        snprintf(change.uuid, sizeof change.uuid, "%s", loaded.jail->uuid);
        rc = ja_check_ready(loaded.jail, err);
    }
    if (rc == 0)
        rc = ja_check_free(engine, "jail", to, err);
    if (rc == 0)
        rc = ja_rules_check_unnamed(engine, "jail", name, err);
    if (rc == 0)
        rc = ja_upgrade_check_none(engine, name, err);
    if (rc == 0)
        rc = ja_engine_state(engine, loaded.jail, &listed, err);
    if (rc == 0 && listed.pid) {
        rc = ja_error_set(err, JA_E_BUSY, JA_LABEL("jail", name), "it is running");
        ja_error_hint(err, "stop it first: its name is part of its interfaces and paths");
    }
    if (rc == 0) {
        struct renaming renaming = {.subject = &loaded.subject, .to = to};
        rc = ja_change_apply(&change, plan_rename, &renaming, err);
    }
    ja_loaded_fini(&loaded);
    ja_change_end(&change);
    return rc;
}
