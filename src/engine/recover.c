/*
 * recover.c: finishing what dead plans have left.
 */
#include "base/clock.h"
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>

struct recovery {
    struct ja_engine *engine;
    const char *kind, *name; /* only plans of this object, whose lock is held; NULL: all */
    bool with_kept;
};

static bool is_mine(const struct recovery *r, const struct ja_dead_plan *dead)
{
    return !r->kind || (strcmp(dead->plan.kind, r->kind) == 0 && strcmp(dead->plan.name, r->name) == 0);
}

static int finish(struct ja_engine *engine, struct ja_dead_plan *dead, const struct ja_plan_row *row, struct ja_error *err)
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
    if (result == JA_RESULT_UNDONE)
        store_rc = ja_engine_settle(engine, dead->plan.kind, dead->plan.name, row ? row->uuid : NULL, err);
    else if (result == JA_RESULT_BROKEN)
        store_rc = ja_engine_mark_broken(engine, dead->plan.kind, dead->plan.name, err);
    if (store_rc == 0)
        store_rc = ja_store_plan_update(engine->store, dead->id, text,
                                        rc < 0 ? failure.what : "its process died; recovered", ja_clock_wall_ms(), err);
    if (store_rc < 0 && store_rc != JA_E_NOTFOUND)
        return store_rc;
    /* A plan that stays broken blocks nothing else: it is reported, and tried again by gc. */
    struct ja_event event = {.kind = JA_EVENT_WARNING, .err = &failure};
    if (rc < 0) {
        ja_error_wrap(&failure, "recovery of %s %s", dead->plan.verb, dead->plan.name);
        ja_engine_event(engine, &event);
    }
    return 0;
}

static int recover_one(void *context, struct ja_dead_plan *dead, struct ja_error *err)
{
    const struct recovery *r = context;
    struct ja_engine *engine = r->engine;
    struct ja_lock lock = JA_LOCK_INIT;
    struct ja_plan_row row = {0};
    if (dead->plan.count && !is_mine(r, dead))
        return 0;
    bool have_row = ja_store_plan_get(engine->store, dead->id, &row, NULL) == 0;
    bool left = have_row && (strcmp(row.result, "kept") == 0 || strcmp(row.result, "broken") == 0);
    int rc = 0;
    if (left && !r->with_kept) {
        ja_plan_row_fini(&row);
        return 0;
    }
    if (!r->kind && dead->plan.count) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s-%s", engine->locks, dead->plan.kind, dead->plan.name);
        rc = ja_lock_take(path, false, 0, "jailadmin recovery", &lock, err);
    }
    if (rc == JA_E_BUSY)
        rc = 0; /* whoever holds the object finds this plan itself */
    else if (rc == 0)
        rc = finish(engine, dead, have_row ? &row : NULL, err);
    ja_lock_release(&lock, false);
    if (have_row)
        ja_plan_row_fini(&row);
    return rc;
}

int ja_recover_object(struct ja_engine *engine, const char *kind, const char *name, struct ja_error *err)
{
    struct recovery r = {.engine = engine, .kind = kind, .name = name};
    if (!ja_journal_any(engine->journal))
        return 0;
    return ja_journal_dead(engine->journal, recover_one, &r, err);
}

int ja_engine_recover(struct ja_engine *engine, bool with_kept, struct ja_error *err)
{
    struct recovery r = {.engine = engine, .with_kept = with_kept};
    if (!ja_journal_any(engine->journal))
        return 0;
    return ja_journal_dead(engine->journal, recover_one, &r, err);
}
