/*
 * be.c: the plans of boot environments: making, activating, deleting. Their trees and records are facts of the pool; the
 * store knows which one is active, the jail's field `be`, and nothing else of them.
 */
#include "plan/planning.h"
#include "storage/storage.h"

#include <string.h>

/* ---- what there is ---- */

/* jails/NAME/be, and the record of one in it. */
static char *path_record(struct ja_planning *p, const struct ja_jail *jail, const char *name)
{
    char *path =
        ja_printf("%s/jails/%s/be%s%s%s", p->site->pool, jail->name, *name ? "/" : "", name, *name ? ".json" : "");
    if (!path)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return path;
}

char *ja_path_upgrade(struct ja_planning *p, const struct ja_jail *jail)
{
    char *path = ja_printf("%s/jails/%s/upgrade", p->site->pool, jail->name);
    if (!path)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return path;
}

/* "NAME\n" */
static bool is_tried(struct ja_planning *p, const struct ja_jail *jail, const char *name)
{
    ja_autofree char *path = ja_path_upgrade(p, jail);
    const char *text = path ? ja_fact(p->facts, JA_FACT_FILE, path) : NULL;
    size_t length = strlen(name);
    return text && strncmp(text, name, length) == 0 && (text[length] == '\n' || text[length] == '\0');
}

/* Without a record it was made with the jail. */
static int fill_made(const struct ja_jail *jail, struct ja_be *be)
{
    be->created = be->created ? be->created : jail->created ? ja_strdup(jail->created) : NULL;
    if (!be->origin && jail->template && jail->version)
        be->origin = ja_printf("%s@%s", jail->template, jail->version);
    return (jail->created && !be->created) || (jail->template && jail->version && !be->origin) ? -1 : 0;
}

/* NULL with the plan failed: no memory. */
static struct ja_be *read_be(struct ja_planning *p, const struct ja_jail *jail, const char *name)
{
    ja_autofree char *path = path_record(p, jail, name);
    const char *text = path ? ja_fact(p->facts, JA_FACT_FILE, path) : NULL;
    bool recorded = false;
    struct ja_be *be = path ? ja_plan_read_record(p, &ja_noun_be, text, NULL, name, &recorded) : NULL;
    if (be && !recorded && fill_made(jail, be) < 0) {
        ja_object_free(&ja_noun_be, be);
        be = NULL;
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
    if (!be)
        return NULL;
    be->trial = is_tried(p, jail, name);
    return be;
}

void ja_plan_environments(struct ja_planning *p, const struct ja_jail *jail, struct ja_list *list)
{
    ja_autostrv struct ja_strv names = {0};
    p->storage->environments(p, jail, &names);
    for (size_t i = 0; i < names.count; i++) {
        struct ja_be *be = read_be(p, jail, names.items[i]);
        if (be && ja_list_add(&ja_noun_be, list, be) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
}

const struct ja_be *ja_plan_find_be(struct ja_planning *p, const struct ja_jail *jail, const char *name,
                                    const char *object, const struct ja_list *list)
{
    ja_autostr struct ja_str names = {0};
    const struct ja_be *be = ja_list_get(list, name);
    if (be)
        return be;
    for (size_t i = 0; i < list->count; i++)
        ja_str_addf(&names, "%s%s", i ? ", " : "", ((const struct ja_be *)list->items[i])->name);
    ja_plan_fail(p->plan, names.failed ? JA_E_NOMEM : JA_E_NOTFOUND, object, "%s has no boot environment %s",
                 jail->name, name);
    if (names.length)
        ja_plan_hint(p->plan, "it has %s; `jailadmin be create %s NAME` makes one", names.text, jail->name);
    return NULL;
}

/* ---- which one an upgrade is trying ---- */

static void note_upgrade(struct ja_planning *p, const struct ja_jail *jail, const char *name)
{
    ja_autofree char *path = ja_path_upgrade(p, jail);
    if (!path)
        return;
    struct ja_step *step = ja_plan_host_step(p, "write", "note that it is only tried: whoever finds that goes back");
    ja_step_run(p->plan, step, "--mode", "0600", "--sync", path, NULL);
    ja_step_input(p->plan, step, "%s\n", name);
    ja_step_undo_host(p, step, "remove", path, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

static void forget_upgrade(struct ja_planning *p, const struct ja_jail *jail, const char *name)
{
    ja_autofree char *path = ja_path_upgrade(p, jail);
    if (!path)
        return;
    struct ja_step *step = ja_plan_host_step(p, "remove", "it is not tried any more");
    ja_step_run(p->plan, step, path, NULL);
    if (name) {
        ja_step_undo_host(p, step, "write", "--mode", "0600", "--sync", path, NULL);
        ja_step_undo_input(p->plan, step, "%s\n", name);
    }
    step->flags |= JA_STEP_PERSISTENT;
}

/* ---- the verbs ---- */

static void write_record(struct ja_planning *p, const struct ja_jail *jail, const struct ja_be *be, const char *origin)
{
    struct ja_be whole = *be; /* shallow: only for writing it as JSON */
    ja_autofree char *dir = path_record(p, jail, ""), *path = path_record(p, jail, be->name);
    if (!dir || !path)
        return;
    whole.origin = (char *)origin;
    if (!ja_fact(p->facts, JA_FACT_PATH, dir))
        ja_plan_mkdir(p, dir, "0700", true, "make the directory of their records");
    ja_plan_write_json(p, path, ja_object_to_json(&ja_noun_be, &whole, false), "keep its record");
}

void ja_plan_be_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_be *be, const char *from)
{
    struct ja_list list = {0}, snapshots = {0};
    const struct ja_snapshot *taken = NULL;
    const char *origin = from ? from : jail->be;
    ja_plan_environments(p, jail, &list);
    if (ja_list_get(&list, be->name))
        ja_plan_fail(p->plan, JA_E_EXISTS, NULL, "%s has a boot environment %s already", jail->name, be->name);
    if (*origin == '@')
        taken = ja_plan_find_snapshot(p, jail, origin + 1, &snapshots);
    else
        ja_plan_find_be(p, jail, origin, NULL, &list);
    if (taken && !taken->be)
        ja_plan_fail(p->plan, JA_E_NOTFOUND, NULL, "the snapshot %s of %s holds volumes only", origin + 1, jail->name);
    if (be->trial)
        note_upgrade(p, jail, be->name);
    if (*origin != '@' || (taken && taken->be))
        p->storage->be_create(p, jail, be, origin, taken);
    write_record(p, jail, be, origin);
    ja_plan_commit_last(p);
    ja_list_fini(&ja_noun_snapshot, &snapshots);
    ja_list_fini(&ja_noun_be, &list);
}

void ja_plan_be_activate(struct ja_planning *p, const struct ja_jail *jail, const char *name, bool trial)
{
    struct ja_list list = {0};
    struct ja_jail changed = *jail; /* shallow: only for writing it as JSON */
    ja_plan_environments(p, jail, &list);
    const struct ja_be *be = ja_plan_find_be(p, jail, name, NULL, &list);
    if (be && be->trial && !trial)
        ja_plan_fail(p->plan, JA_E_BUSY, NULL, "an upgrade is trying the boot environment %s", name);
    changed.be = (char *)name;
    /* Before the commit: once it is active, nobody may take it for one that was given up. */
    if (trial)
        forget_upgrade(p, jail, name);
    ja_plan_keep_spec(p, &ja_noun_jail, &changed);
    /* What the upgrade has changed, and that it is tried no more. */
    ja_autofree char *tree = trial ? ja_path_be(p, jail, name) : NULL;
    if (tree) {
        ja_plan_sync(p, tree, "have on the disk what it has changed");
        ja_plan_sync(p, p->site->pool, "and that it is tried no more");
    }
    struct ja_step *step = ja_plan_store_put(p, &ja_noun_jail, &changed, "make it the active one");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    ja_list_fini(&ja_noun_be, &list);
}

static void check_unused(struct ja_planning *p, const struct ja_jail *jail, const char *running, const struct ja_be *be,
                         bool trial)
{
    if (strcmp(be->name, jail->be) == 0) {
        ja_plan_fail(p->plan, JA_E_BUSY, NULL, "the boot environment %s of %s is the active one", be->name, jail->name);
        ja_plan_hint(p->plan, "`jailadmin be activate %s NAME` makes another one active", jail->name);
    } else if (running && strcmp(be->name, running) == 0) {
        ja_plan_fail(p->plan, JA_E_BUSY, NULL, "%s runs on the boot environment %s", jail->name, be->name);
        ja_plan_hint(p->plan, "`jailadmin restart %s` starts it on the active one, %s", jail->name, jail->be);
    } else if (be->trial && !trial) {
        ja_plan_fail(p->plan, JA_E_BUSY, NULL, "an upgrade is trying the boot environment %s", be->name);
    }
}

void ja_plan_be_delete(struct ja_planning *p, const struct ja_subject *s, const char *running,
                       const struct ja_strv *names, const struct ja_strv *uuids, bool trial)
{
    const struct ja_jail *jail = s->jail;
    struct ja_list list = {0};
    bool tried = false;
    /* What its last run has left may be in one of them. */
    if (!running)
        ja_plan_jail_clean(p, s);
    ja_plan_environments(p, jail, &list);
    for (size_t i = 0; i < names->count; i++) {
        const struct ja_be *be = ja_plan_find_be(p, jail, names->items[i], NULL, &list);
        if (!be)
            continue;
        check_unused(p, jail, running, be, trial);
        tried = tried || be->trial;
        ja_plan_check_unbound(p, jail, be->name);
        p->storage->be_retire(p, jail, be->name, uuids->items[i]);
    }
    ja_plan_commit_last(p);
    for (size_t i = 0; i < names->count && p->plan->count; i++) {
        ja_autofree char *path = path_record(p, jail, names->items[i]);
        struct ja_step *step = ja_plan_host_step(p, "remove", "remove its record");
        ja_step_run(p->plan, step, path ? path : "", NULL);
        step->flags |= JA_STEP_PERSISTENT;
        p->storage->be_destroy(p, jail, uuids->items[i]);
    }
    if (tried)
        forget_upgrade(p, jail, NULL);
    ja_list_fini(&ja_noun_be, &list);
}

void ja_plan_be_keep(struct ja_planning *p, const struct ja_jail *jail)
{
    forget_upgrade(p, jail, NULL);
    ja_plan_commit_last(p);
}
