/*
 * jail.c: the plans of a jail's life: create, clone, start, stop, delete. What differs between systems and storages is behind
 * host.h and storage.h; the order of things, the commit points and what the store learns are here.
 */
#include "host/host.h"
#include "plan/planning.h"
#include "storage/storage.h"

#include <string.h>

void ja_plan_jail_clean(struct ja_planning *p, const struct ja_subject *s)
{
    if (!p->host->jail_left(p, s))
        return;
    /* Its last run may have had other interfaces and addresses. */
    p->host->jail_clean(p, s->last ? s->last : s);
    const struct ja_jail *last = s->last ? s->last->jail : s->jail;
    ja_plan_hooks(p, last, "after-stop", &last->hooks.after_stop, true);
}

/* Up to the commit of a start. */
static void start_before(struct ja_planning *p, const struct ja_subject *s)
{
    ja_plan_jail_clean(p, s);
    ja_plan_hooks(p, s->jail, "before-start", &s->jail->hooks.before_start, false);
    p->host->jail_start(p, s);
}

static void start_after(struct ja_planning *p, const struct ja_subject *s)
{
    p->host->jail_started(p, s);
    ja_plan_hooks(p, s->jail, "after-start", &s->jail->hooks.after_start, true);
}

/* As it is when the object is complete. Shallow: only for writing it as JSON. */
static struct ja_jail complete(const struct ja_jail *jail)
{
    struct ja_jail ready = *jail;
    ready.state = JA_ROW_READY;
    return ready;
}

static void begin_tree(struct ja_planning *p, const struct ja_jail *jail)
{
    const struct ja_jail ready = complete(jail);
    if (!p->storage->jail_dirs)
        return;
    p->storage->jail_dirs(p, jail);
    ja_plan_keep_spec_early(p, &ja_noun_jail, &ready);
}

static void end_tree(struct ja_planning *p, const struct ja_jail *jail)
{
    const struct ja_jail ready = complete(jail);
    if (p->host->jail_notes)
        p->host->jail_notes(p, jail);
    if (!p->storage->jail_dirs)
        ja_plan_keep_spec(p, &ja_noun_jail, &ready);
}

static void store_ready(struct ja_planning *p, const struct ja_jail *jail, enum ja_wanted wanted)
{
    struct ja_jail ready = complete(jail);
    ready.wanted = wanted;
    struct ja_step *step = ja_plan_store_put(p, &ja_noun_jail, &ready, "record the jail");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
}

/* Facts about its tree come from the template's, which must be there then. */
static void check_seen(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *tree = ja_path_seen(p, jail);
    if (!tree || !p->storage->jail_mounted || ja_fact(p->facts, JA_FACT_MOUNT, tree))
        return;
    ja_plan_fail(p->plan, JA_E_FAILED, NULL, "the template's tree is not mounted at %s", tree);
    ja_plan_hint(p->plan, "`zfs mount` mounts it");
}

/* The log is made when the start begins, perhaps ahead of its step: with a step of its own the undo knows of it in any case, and the
 * clone's commit takes it to the disk. */
static void make_log(struct ja_planning *p, const struct ja_jail *jail)
{
    ja_autofree char *dir = ja_path_jail(p, jail->name);
    ja_autofree char *log = dir ? ja_printf("%s/console.log", dir) : NULL;
    if (!dir)
        return;
    struct ja_step *step = ja_plan_host_step(p, "write", "make its log");
    ja_step_run(p->plan, step, "--mode", "0600", log ? log : "", NULL);
    ja_step_undo_host(p, step, "remove", log ? log : "", NULL);
    step->flags |= JA_STEP_PERSISTENT;
    if (!log)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

static void make_tree(struct ja_planning *p, const struct ja_jail *jail, bool start)
{
    size_t first = p->plan->count;
    begin_tree(p, jail);
    if (start && p->storage->jail_dirs)
        make_log(p, jail);
    p->storage->jail_create(p, jail);
    if (start && !p->storage->jail_dirs)
        make_log(p, jail);
    if (!jail->privileged && ja_site_shifts(p->site))
        ja_plan_note(p->plan,
                     "this storage cannot map ids: its jails share one range of ids on the host, so that one which "
                     "breaks out could touch the others' files");
    end_tree(p, jail);
    ja_plan_in_pool(p, first);
}

/* The trees are made while the jail's start goes on, as far as it can without them. */
static void beside(struct ja_planning *p, const struct ja_jail *jail, size_t first, size_t end)
{
    ja_autofree char *dir = ja_path_jail(p, jail->name);
    for (size_t k = first; dir && k < p->plan->count; k++) {
        struct ja_step *step = p->plan->steps[k];
        step->flags |= k < end ? JA_STEP_BESIDE : 0;
        for (size_t i = 0; k >= end && i < step->run.argv.count; i++)
            step->flags |= strstr(step->run.argv.items[i], dir) ? JA_STEP_JOIN : 0;
    }
}

static void make_and_start(struct ja_planning *p, const struct ja_subject *s)
{
    const struct ja_jail ready = complete(s->jail);
    struct ja_subject subject = *s;
    subject.jail = &ready;
    p->fresh = &ready;
    check_seen(p, &ready);
    size_t first = p->plan->count;
    make_tree(p, s->jail, true);
    size_t end = p->plan->count;
    start_before(p, &subject);
    beside(p, &ready, first, end);
    store_ready(p, s->jail, JA_WANTED_RUNNING);
    start_after(p, &subject);
    p->fresh = NULL;
}

void ja_plan_jail_create(struct ja_planning *p, const struct ja_subject *s, bool start)
{
    if (start) {
        make_and_start(p, s);
    } else {
        make_tree(p, s->jail, false);
        store_ready(p, s->jail, s->jail->wanted);
    }
}

void ja_plan_jail_clone(struct ja_planning *p, const struct ja_jail *from, const char *snapshot,
                        const struct ja_subject *s)
{
    struct ja_list list = {0};
    const struct ja_snapshot *taken = snapshot ? ja_plan_find_snapshot(p, from, snapshot, &list) : NULL;
    size_t first = p->plan->count;
    if (taken && !taken->be)
        ja_plan_fail(p->plan, JA_E_NOTFOUND, NULL, "the snapshot %s of %s holds volumes only", snapshot, from->name);
    else if (taken || !snapshot) {
        begin_tree(p, s->jail);
        p->storage->jail_clone(p, from, taken, s->jail);
    }
    ja_list_fini(&ja_noun_snapshot, &list);
    end_tree(p, s->jail);
    ja_plan_in_pool(p, first);
    store_ready(p, s->jail, s->jail->wanted);
}

static void start(struct ja_planning *p, const struct ja_subject *s, const char *wanted, const char *why)
{
    start_before(p, s);
    struct ja_step *step = ja_plan_store_set(p, "jail", s->jail->name, wanted, why);
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    start_after(p, s);
}

void ja_plan_jail_start(struct ja_planning *p, const struct ja_subject *s)
{
    start(p, s, "wanted=running", "it is wanted running from now on");
}

void ja_plan_jail_try(struct ja_planning *p, const struct ja_subject *s)
{
    start(p, s, s->jail->wanted == JA_WANTED_RUNNING ? "wanted=running" : "wanted=stopped",
          "it is wanted running, or not, as before");
}

void ja_plan_jail_stop(struct ja_planning *p, const struct ja_subject *s, enum ja_stop how)
{
    const struct ja_jail *jail = s->jail;
    bool again = how == JA_STOP_AGAIN || how == JA_STOP_AGAIN_FORCE, stays = again || how == JA_STOP_SHUTDOWN;
    struct ja_step *step = ja_plan_store_set(p, "jail", jail->name, stays ? "wanted=running" : "wanted=stopped",
                                             again   ? "it is still wanted, until what follows is done"
                                             : stays ? "it is still wanted, after the next boot"
                                                     : "it is wanted stopped from now on");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    ja_plan_hooks(p, jail, "before-stop", &jail->hooks.before_stop, true);
    p->host->jail_stop(p, s, how == JA_STOP_FORCE || how == JA_STOP_AGAIN_FORCE);
    ja_plan_hooks(p, jail, "after-stop", &jail->hooks.after_stop, true);
}

void ja_plan_jail_delete(struct ja_planning *p, const struct ja_subject *s, bool unmount)
{
    struct ja_map dirs = {0};
    ja_plan_jail_clean(p, s);
    if (unmount)
        ja_plan_unbind(p, s->jail, &dirs);
    else
        ja_plan_check_unbound(p, s->jail, NULL);
    size_t first = p->plan->count;
    p->storage->jail_retire(p, s->jail);
    ja_plan_in_pool(p, first);
    struct ja_step *step = ja_plan_store_delete(p, "jail", s->jail->name, "forget the jail");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    first = p->plan->count;
    p->storage->jail_destroy(p, s->jail);
    ja_plan_in_pool(p, first);
    ja_plan_unbound(p, &dirs);
    ja_map_fini(&dirs);
}
