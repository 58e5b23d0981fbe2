/*
 * jail_set.c: the plans of changes to a jail that exists: its fields and its name. What a running jail takes at once is
 * applied by the host's emitters, undoably; the rest is stored and waits for the next start.
 */
#include "host/host.h"
#include "plan/planning.h"
#include "storage/storage.h"

#include <string.h>

static const struct ja_volume *volume_of(const struct ja_jail *jail, const char *name)
{
    return ja_list_get(&jail->volumes, name);
}

/* Trees of volumes that are new, and the way out for those that are gone. */
static void change_volumes(struct ja_planning *p, const struct ja_jail *old, const struct ja_jail *new)
{
    for (size_t i = 0; i < new->volumes.count; i++) {
        const struct ja_volume *volume = new->volumes.items[i];
        if (!volume_of(old, volume->name))
            p->storage->volume_create(p, new, volume);
    }
    for (size_t i = 0; i < old->volumes.count; i++) {
        const struct ja_volume *volume = old->volumes.items[i];
        if (!volume_of(new, volume->name))
            p->storage->volume_retire(p, old, volume);
    }
}

static void destroy_volumes(struct ja_planning *p, const struct ja_jail *old, const struct ja_jail *new)
{
    for (size_t i = 0; i < old->volumes.count; i++) {
        const struct ja_volume *volume = old->volumes.items[i];
        if (!volume_of(new, volume->name))
            p->storage->volume_destroy(p, old, volume);
    }
}

static bool forwards_differ(const struct ja_jail *a, const struct ja_jail *b)
{
    return !ja_list_equal(&ja_noun_forward, &a->forwards, &b->forwards);
}

/* A jail without its root would not start. */
static void check_be(struct ja_planning *p, const struct ja_jail *new)
{
    struct ja_list list = {0};
    ja_plan_environments(p, new, &list);
    const struct ja_be *be = ja_plan_find_be(p, new, new->be, "field be", &list);
    if (be && be->trial)
        ja_plan_fail(p->plan, JA_E_BUSY, "field be", "an upgrade is trying the boot environment %s", be->name);
    ja_list_fini(&ja_noun_be, &list);
}

void ja_plan_jail_set(struct ja_planning *p, const struct ja_jailset *set)
{
    const struct ja_jail *old = set->old, *new = set->new->jail;
    if (strcmp(old->be, new->be) != 0)
        check_be(p, new);
    if (p->host->jail_notes)
        p->host->jail_notes(p, new);
    if (ja_site_shifts(p->site) && old->privileged != new->privileged) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field privileged",
                     "it cannot change: this storage keeps trees with the ids of unprivileged jails");
        ja_plan_hint(p->plan, "make a new jail with --set privileged=%s", new->privileged ? "yes" : "no");
        return;
    }
    change_volumes(p, old, new);
    if (p->storage->jail_limit)
        p->storage->jail_limit(p, old, new);
    if (set->applied && forwards_differ(set->applied->jail, set->live->jail) && p->host->forwards_change)
        p->host->forwards_change(p, set->applied, set->live);
    if (set->applied && p->host->jail_update)
        p->host->jail_update(p, set->applied, set->live);
    ja_plan_keep_spec(p, &ja_noun_jail, new);
    struct ja_step *step = ja_plan_store_put(p, &ja_noun_jail, new, "record the jail");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    if (set->applied && p->host->jail_updated)
        p->host->jail_updated(p, set->applied, set->live);
    destroy_volumes(p, old, new);
}

void ja_plan_jail_rename(struct ja_planning *p, const struct ja_subject *s, const char *to)
{
    const struct ja_jail *jail = s->jail;
    ja_plan_jail_clean(p, s);
    ja_plan_check_unbound(p, jail, NULL);
    struct ja_jail renamed = *jail; /* shallow: only for writing it as JSON */
    renamed.name = (char *)to;
    ja_plan_keep_spec_as(p, &ja_noun_jail, &renamed, jail->name);
    p->storage->jail_rename(p, jail, to);
    struct ja_step *step = ja_plan_host_step(p, "store-rename", "record its new name");
    ja_step_run(p->plan, step, "--state", p->site->state, "jail", jail->name, to, NULL);
    step->flags |= JA_STEP_STORE | JA_STEP_COMMIT | JA_STEP_PERSISTENT;
}
