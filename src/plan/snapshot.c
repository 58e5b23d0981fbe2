/*
 * snapshot.c: the plans of snapshots: taking, deleting, rolling back. They are facts of the pool: the store knows nothing of them,
 * and loses none.
 */
#include "plan/planning.h"
#include "storage/storage.h"

#include <string.h>

static const struct ja_snapshot *named(const struct ja_list *list, const char *name, bool foreign_too)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct ja_snapshot *taken = list->items[i];
        if (strcmp(taken->name, name) == 0 && (foreign_too || !taken->foreign))
            return taken;
    }
    return NULL;
}

static const struct ja_snapshot *find(struct ja_planning *p, const struct ja_jail *jail, const struct ja_list *list,
                                      const char *name)
{
    const struct ja_snapshot *taken = named(list, name, false);
    if (taken)
        return taken;
    if (named(list, name, true)) {
        ja_plan_fail(p->plan, JA_E_DENIED, NULL, "the snapshot %s of %s was not made by jailadmin", name, jail->name);
        ja_plan_hint(p->plan, "whoever made it knows what it is for; the storage's own commands work with it");
        return NULL;
    }
    ja_plan_fail(p->plan, JA_E_NOTFOUND, NULL, "%s has no snapshot %s", jail->name, name);
    ja_plan_hint(p->plan, "`jailadmin snapshot list %s` shows those it has", jail->name);
    return NULL;
}

const struct ja_snapshot *ja_plan_find_snapshot(struct ja_planning *p, const struct ja_jail *jail, const char *name,
                                                struct ja_list *list)
{
    p->storage->snapshots(p, jail, list);
    const struct ja_snapshot *taken = find(p, jail, list, name);
    if (!taken || taken->uuid)
        return taken;
    ja_plan_fail(p->plan, JA_E_CORRUPT, NULL, "the record of the snapshot %s of %s cannot be read", name, jail->name);
    ja_plan_hint(p->plan, "its trees can be looked at in the pool; `jailadmin snapshot delete` deletes it");
    return NULL;
}

void ja_plan_snapshot_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot)
{
    struct ja_list list = {0};
    ja_autostrv struct ja_strv volumes = {0};
    struct ja_snapshot whole = *snapshot; /* shallow: only for its steps */
    p->storage->snapshots(p, jail, &list);
    if (named(&list, snapshot->name, true)) {
        ja_plan_fail(p->plan, JA_E_EXISTS, NULL, "%s has a snapshot %s already", jail->name, snapshot->name);
        ja_plan_hint(p->plan, "name another, or let the time be its name");
    }
    ja_list_fini(&ja_noun_snapshot, &list);
    for (size_t i = 0; i < jail->volumes.count; i++)
        if (ja_strv_add(&volumes, ((const struct ja_volume *)jail->volumes.items[i])->name) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    whole.be = jail->be;
    whole.volumes = volumes;
    p->storage->snapshot_create(p, jail, &whole);
    ja_plan_commit_last(p);
}

void ja_plan_snapshot_delete(struct ja_planning *p, const struct ja_jail *jail, const struct ja_strv *names)
{
    struct ja_list list = {0};
    p->storage->snapshots(p, jail, &list);
    for (size_t i = 0; i < names->count; i++) {
        const struct ja_snapshot *taken = find(p, jail, &list, names->items[i]);
        if (taken)
            p->storage->snapshot_retire(p, jail, taken);
    }
    ja_plan_commit_last(p);
    for (size_t i = 0; i < names->count; i++) {
        const struct ja_snapshot *taken = find(p, jail, &list, names->items[i]);
        if (taken)
            p->storage->snapshot_destroy(p, jail, taken);
    }
    ja_list_fini(&ja_noun_snapshot, &list);
}

/* ---- rollback ---- */

static int add_volume(struct ja_planning *p, struct ja_rollback *rollback, const char *name)
{
    if (ja_strv_has(&rollback->trees, name) || ja_strv_add(&rollback->trees, name) == 0)
        return 0;
    return ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

/* Which trees go back. */
static void choose_trees(struct ja_planning *p, struct ja_rollback *rollback)
{
    const struct ja_jail *jail = rollback->subject->jail;
    const struct ja_snapshot *taken = rollback->snapshot;
    for (size_t i = 0; rollback->all_volumes && i < taken->volumes.count; i++)
        if (ja_list_get(&jail->volumes, taken->volumes.items[i]))
            add_volume(p, rollback, taken->volumes.items[i]);
    for (size_t i = 0; i < rollback->volumes->count; i++) {
        const char *name = rollback->volumes->items[i];
        if (!ja_list_get(&jail->volumes, name))
            ja_plan_fail(p->plan, JA_E_NOTFOUND, "option --volume", "%s has no volume %s", jail->name, JA_SHOW(name));
        else if (!ja_strv_has(&taken->volumes, name))
            ja_plan_fail(p->plan, JA_E_NOTFOUND, "option --volume", "the snapshot %s does not hold the volume %s",
                         taken->name, name);
        else
            add_volume(p, rollback, name);
    }
    rollback->root = taken->be != NULL;
    if (taken->be && strcmp(taken->be, jail->be) != 0) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "the snapshot %s is of the boot environment %s, and %s is active",
                     taken->name, taken->be, jail->be);
        ja_plan_hint(p->plan, "make a new jail of it: jailadmin clone %s@%s NEW", jail->name, taken->name);
    } else if (!taken->be && rollback->trees.count == 0) {
        ja_plan_fail(p->plan, JA_E_INVALID, NULL,
                     "the snapshot %s holds volumes only: a rollback to an earlier one took its tree", taken->name);
        ja_plan_hint(p->plan, "--volume NAME or --volumes says which of them are to go back");
    }
}

/* The request with what it means. False: there is no such snapshot, or not everything is known yet. */
static bool resolve(struct ja_planning *p, const struct ja_rollback *request, struct ja_list *list,
                    struct ja_rollback *ret_whole)
{
    struct ja_rollback whole = *request;
    whole.trees = (struct ja_strv){0};
    whole.snapshot = ja_plan_find_snapshot(p, request->subject->jail, request->name, list);
    if (whole.snapshot)
        choose_trees(p, &whole);
    *ret_whole = whole;
    return whole.snapshot != NULL;
}

void ja_plan_snapshot_rollback(struct ja_planning *p, const struct ja_rollback *request)
{
    struct ja_list list = {0};
    struct ja_rollback rollback;
    const struct ja_jail *jail = request->subject->jail;
    if (resolve(p, request, &list, &rollback)) {
        ja_plan_jail_clean(p, request->subject);
        if (rollback.root)
            ja_plan_check_unbound(p, jail, jail->be);
        p->storage->rollback_prepare(p, &rollback);
        /* Nothing of the jail's row changes; it is what decides whether a rollback that was cut off is ended or undone. */
        struct ja_step *step = ja_plan_store_put(p, &ja_noun_jail, jail, "decide: from here on it only goes forward");
        step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
        p->storage->rollback_finish(p, &rollback);
    }
    ja_strv_fini(&rollback.trees);
    ja_list_fini(&ja_noun_snapshot, &list);
}

void ja_plan_rollback_lost(struct ja_planning *p, const struct ja_rollback *request, struct ja_strv *ret_volumes,
                           struct ja_strv *ret_snapshots)
{
    struct ja_list list = {0};
    struct ja_rollback rollback;
    if (resolve(p, request, &list, &rollback)) {
        for (size_t i = 0; i < rollback.trees.count; i++)
            if (ja_strv_add(ret_volumes, rollback.trees.items[i]) < 0)
                ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        if (p->storage->rollback_lost)
            p->storage->rollback_lost(p, &rollback, ret_snapshots);
    }
    ja_strv_fini(&rollback.trees);
    ja_list_fini(&ja_noun_snapshot, &list);
}
