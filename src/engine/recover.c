/*
 * recover.c: finishing what dead plans have left.
 */
#include "base/clock.h"
#include "engine/internal.h"
#include "run/copies.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A dead plan's lock may still be held by children of its process, which are about to end. */
#define CHILDREN_MS 1000

struct recovery {
    struct ja_engine *engine;
    const char *kind, *name; /* only plans of this object, whose lock is held; NULL: all */
    bool with_kept;
};

/* Where copies of plans may be; NULL: this machine keeps none. */
static const char *copies(const struct ja_engine *engine)
{
    return engine->machine && engine->machine->copies ? engine->site.pool : NULL;
}

bool ja_engine_any_dead(const struct ja_engine *engine)
{
    return ja_journal_any(engine->journal, copies(engine));
}

static int each_dead(struct ja_engine *engine,
                     int (*each)(void *context, struct ja_dead_plan *dead, struct ja_error *err), void *context,
                     struct ja_error *err)
{
    return ja_engine_any_dead(engine) ? ja_journal_dead(engine->journal, copies(engine), each, context, err) : 0;
}

static bool is_mine(const struct recovery *r, const struct ja_dead_plan *dead)
{
    return !r->kind || (strcmp(dead->plan.kind, r->kind) == 0 && strcmp(dead->plan.name, r->name) == 0);
}

/* What a plan of an object has left in the pool can only be seen, and undone, when that is mounted: after a power cut it is
 * not. Plans of the host are about the pool itself. */
static int ensure_pool(struct ja_engine *engine, const struct ja_dead_plan *dead, struct ja_error *err)
{
    return dead->plan.count == 0 || strcmp(dead->plan.kind, "host") == 0 ? 0 : ja_engine_pool_ensure(engine, err);
}

/* A plan that stays broken blocks nothing else: it is reported, and tried again by gc. */
static void tell_broken(struct ja_engine *engine, const struct ja_dead_plan *dead, int rc, struct ja_error *failure)
{
    struct ja_event event = {.kind = JA_EVENT_WARNING, .err = failure};
    if (rc == 0)
        return;
    ja_error_wrap(failure, "recovery of %s %s", dead->plan.verb, dead->plan.name);
    ja_engine_event(engine, &event);
}

static int finish(struct ja_engine *engine, struct ja_dead_plan *dead, const struct ja_plan_row *row,
                  struct ja_error *err)
{
    enum ja_result result = JA_RESULT_UNDONE;
    struct ja_run run = ja_engine_run(engine);
    bool committed = row && strcmp(row->result, "committed") == 0;
    struct ja_error failure = JA_ERROR_INIT;
    int rc = ja_run_recover(&run, dead, committed, &result, &failure);
    if (dead->plan.count == 0)
        return 0;
    const char *text = result == JA_RESULT_DONE ? "done" : result == JA_RESULT_BROKEN ? "broken" : "undone";
    int store_rc = 0;
    if (result != JA_RESULT_BROKEN)
        store_rc = ja_engine_mark(engine, dead->plan.kind, dead->plan.name, false, err);
    if (store_rc == 0 && result == JA_RESULT_UNDONE)
        store_rc = ja_engine_settle(engine, dead->plan.kind, dead->plan.name, row ? row->uuid : NULL, err);
    else if (result == JA_RESULT_BROKEN)
        store_rc = ja_engine_mark(engine, dead->plan.kind, dead->plan.name, true, err);
    if (store_rc == 0)
        store_rc = ja_store_plan_update(engine->store, dead->journal.id, text,
                                        rc < 0 ? failure.what : "its process died; recovered", ja_clock_wall_ms(), err);
    if (store_rc < 0 && store_rc != JA_E_NOTFOUND)
        return store_rc;
    tell_broken(engine, dead, rc, &failure);
    return 0;
}

/* What a plan whose record cannot be read had begun is not undone by it. Its row in the store is closed as that of a plan without a
 * journal; what it has left of a jail goes with gc or the next start, and a tree is an orphan. */
static int put_aside(struct ja_engine *engine, struct ja_dead_plan *dead, const struct ja_plan_row *row,
                     struct ja_error *err)
{
    char path[528];
    struct ja_error told = JA_ERROR_INIT;
    struct ja_event event = {.kind = JA_EVENT_WARNING, .err = &told};
    int rc = ja_journal_put_aside(&dead->journal, "damaged", path, err);
    if (rc < 0)
        return rc;
    ja_error_set(
        &told, JA_E_CORRUPT, row ? JA_LABEL(row->kind, row->name) : NULL,
        "the journal of a change that was cut off%s%s is damaged, so that the change cannot be undone: it is now %s; "
        "`jailadmin gc` removes what it may have left, `jailadmin doctor` tells of the rest",
        row ? ", " : "", row ? row->verb : "", path);
    ja_engine_event(engine, &event);
    return 0;
}

struct leaving {
    struct ja_engine *engine;
    bool committed; /* those too */
};

/* A change that the store does not know, since another one has taken the place of the one that did. */
static int leave_one(struct ja_engine *engine, struct ja_dead_plan *dead, struct ja_error *err)
{
    char path[528];
    struct ja_error told = JA_ERROR_INIT;
    struct ja_event event = {.kind = JA_EVENT_WARNING, .err = &told};
    int rc = ja_journal_put_aside(&dead->journal, "old", path, err);
    if (rc < 0)
        return rc;
    ja_error_set(
        &told, JA_E_CONFLICT, dead->plan.count ? JA_LABEL(dead->plan.kind, dead->plan.name) : NULL,
        "a change that was cut off%s%s is neither undone nor finished, since another store takes the place of the one "
        "that knew of it: its journal is now %s; `jailadmin gc` removes what it may have left, and lists trees",
        dead->plan.count ? ", " : "", dead->plan.count ? dead->plan.verb : "", path);
    ja_engine_event(engine, &event);
    return 0;
}

static int leave(void *context, struct ja_dead_plan *dead, struct ja_error *err)
{
    const struct leaving *leaving = context;
    return dead->committed && !leaving->committed ? 0 : leave_one(leaving->engine, dead, err);
}

int ja_engine_leave_dead(struct ja_engine *engine, bool committed, struct ja_error *err)
{
    struct leaving leaving = {engine, committed};
    return each_dead(engine, leave, &leaving, err);
}

/*
 * A plan that had come to its end, and whose copy is still there: of what it did in the pool after its commit, too, nothing may have come to the
 * disk. Nobody else's changes of the pool have either, and such steps can be repeated.
 */
static void repeat_end(struct ja_engine *engine, struct ja_dead_plan *dead)
{
    enum ja_result result;
    struct ja_run run = ja_engine_run(engine);
    struct ja_error failure = JA_ERROR_INIT;
    tell_broken(engine, dead, ja_run_recover(&run, dead, true, &result, &failure), &failure);
}

static int recover_one(void *context, struct ja_dead_plan *dead, struct ja_error *err)
{
    const struct recovery *r = context;
    struct ja_engine *engine = r->engine;
    struct ja_lock lock = JA_LOCK_INIT;
    struct ja_plan_row row = {0};
    if (dead->damaged ? r->kind != NULL : dead->plan.count && !is_mine(r, dead))
        return 0;
    int rc = ja_store_plan_get(engine->store, dead->journal.id, &row, err);
    bool have_row = rc == 0;
    if (rc < 0 && rc != JA_E_NOTFOUND)
        return rc; /* nobody knows whether it had committed */
    ja_error_clear(err);
    if (dead->damaged) {
        rc = put_aside(r->engine, dead, have_row ? &row : NULL, err);
        if (have_row)
            ja_plan_row_fini(&row);
        return rc;
    }
    rc = 0;
    /* It comes from the pool, which a restored store does not know as it is. */
    if (dead->copied && !have_row && strcmp(dead->epoch, engine->site.epoch) != 0)
        return leave_one(engine, dead, err);
    bool left = have_row && (strcmp(row.result, "kept") == 0 || strcmp(row.result, "broken") == 0);
    if (left && !r->with_kept) {
        ja_plan_row_fini(&row);
        return 0;
    }
    /* It had come to its end, and only the removal of its journal was lost with the power. Others may have followed. */
    if (have_row && row.ended_ms != 0 && !left) {
        if (strcmp(row.result, "done") == 0 && dead->plan.count && dead->journal.pool &&
            ja_copy_may_be(dead->journal.pool, dead->journal.id))
            repeat_end(engine, dead);
        else
            ja_journal_remove(&dead->journal);
        ja_plan_row_fini(&row);
        return 0;
    }
    if (!r->kind && dead->plan.count)
        rc = ja_engine_lock(engine, dead->plan.kind, dead->plan.name, false, CHILDREN_MS, "jailadmin recovery", &lock,
                            err);
    bool mine = rc == 0;
    if (rc == JA_E_BUSY)
        rc = 0; /* whoever holds the object finds this plan itself */
    if (mine)
        rc = ensure_pool(engine, dead, err);
    if (mine && rc == 0)
        rc = finish(engine, dead, have_row ? &row : NULL, err);
    ja_lock_release(&lock, false);
    if (have_row)
        ja_plan_row_fini(&row);
    return rc;
}

/* Whether a plan of a jail may have a copy that nobody can see, since the pool is not mounted. */
static bool may_be_copied(const struct ja_engine *engine, const char *kind, const char *id)
{
    const char *pool = copies(engine);
    if (!pool || engine->site.storage != JA_STORAGE_BTRFS || strcmp(kind, "jail") != 0)
        return false;
    return ja_copy_may_be(pool, id) || !ja_copies_possible(pool);
}

/* Plans that the store knows as open and that have no journal died before their first step: nothing to undo but the
 * store's own part. One that had committed was all done but for what a power cut ended (see is_sole_row in runner.c). */
struct unbegun {
    struct ja_strv ids, kinds, names, uuids;
};

static int note_unbegun(void *context, const struct ja_plan_row *row, struct ja_error *err)
{
    struct unbegun *unbegun = context;
    if (ja_strv_add(&unbegun->ids, row->id) < 0 || ja_strv_add(&unbegun->kinds, row->kind) < 0 ||
        ja_strv_add(&unbegun->names, row->name) < 0 || ja_strv_add(&unbegun->uuids, row->uuid) < 0)
        return ja_error_nomem(err);
    return 0;
}

static int close_unbegun(struct ja_engine *engine, const char *id, const char *kind, const char *name, const char *uuid,
                         bool locked, struct ja_error *err)
{
    struct ja_lock lock = JA_LOCK_INIT;
    char path[512];
    int rc = locked ? 0 : ja_engine_lock(engine, kind, name, false, 0, "jailadmin recovery", &lock, err);
    if (rc == JA_E_BUSY)
        return 0; /* it lives, and has not begun yet */
    struct ja_plan_row row;
    snprintf(path, sizeof path, "%s/%s.plan", engine->journal, id);
    /* Asked again under the lock: it may have ended meanwhile. */
    if (rc == 0 && access(path, F_OK) != 0 && !may_be_copied(engine, kind, id) &&
        ja_store_plan_get(engine->store, id, &row, NULL) == 0) {
        bool open = row.ended_ms == 0, committed = strcmp(row.result, "committed") == 0;
        ja_plan_row_fini(&row);
        if (open && !committed)
            rc = ja_engine_settle(engine, kind, name, uuid, err);
        if (open && rc == 0)
            rc =
                ja_store_plan_update(engine->store, id, committed ? "done" : "undone",
                                     committed ? "the host stopped after it" : "its process died before the first step",
                                     ja_clock_wall_ms(), err);
    }
    ja_lock_release(&lock, false);
    return rc;
}

static int recover_unbegun(struct ja_engine *engine, const char *kind, const char *name, struct ja_error *err)
{
    struct unbegun unbegun = {0};
    int rc = ja_store_plans(engine->store, name, true, 0, note_unbegun, &unbegun, err);
    for (size_t i = 0; rc == 0 && i < unbegun.ids.count; i++)
        if (!kind || strcmp(kind, unbegun.kinds.items[i]) == 0)
            rc = close_unbegun(engine, unbegun.ids.items[i], unbegun.kinds.items[i], unbegun.names.items[i],
                               unbegun.uuids.items[i], kind != NULL, err);
    ja_strv_fini(&unbegun.ids);
    ja_strv_fini(&unbegun.kinds);
    ja_strv_fini(&unbegun.names);
    ja_strv_fini(&unbegun.uuids);
    return rc;
}

int ja_recover_object(struct ja_engine *engine, const char *kind, const char *name, struct ja_error *err)
{
    struct recovery r = {.engine = engine, .kind = kind, .name = name};
    int rc = each_dead(engine, recover_one, &r, err);
    return rc < 0 ? rc : recover_unbegun(engine, kind, name, err);
}

int ja_engine_recover(struct ja_engine *engine, bool with_kept, struct ja_error *err)
{
    struct recovery r = {.engine = engine, .with_kept = with_kept};
    int rc = each_dead(engine, recover_one, &r, err);
    return rc < 0 ? rc : recover_unbegun(engine, NULL, NULL, err);
}
