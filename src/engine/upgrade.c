/*
 * upgrade.c: a change of a jail's tree that goes back by itself. It is made of these plans, each whole for itself:
 *
 *     be-create    a copy of the active boot environment, and jails/NAME/upgrade, which says that it is only tried
 *     stop         of a jail that runs; it stays wanted
 *     start        on the copy, which only the applied spec names
 *     ...          the command and the health command, in the jail
 *     stop         of a jail that did not run before
 *     be-activate  takes jails/NAME/upgrade away and puts the copy's name into the jail's row
 *
 * The row names the old one until the last plan commits, so that whatever happens before leaves a jail that starts on the old one.
 * An upgrade holds the lock upgrade-NAME all the time. Who finds jails/NAME/upgrade and can take that lock goes back: stops the jail
 * if it runs on what it names, starts it again if it is wanted running, and deletes that boot environment.
 */
#include "base/clock.h"
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HEALTH_PAUSE_MS = 1000 };

/* ---- which one is tried ---- */

/* The boot environment that jails/NAME/upgrade names; NULL: none. The caller's. */
static int tried(struct ja_engine *engine, const char *jail, char **ret_be, struct ja_error *err)
{
    ja_autofree char *path = ja_printf("%s/jails/%s/upgrade", engine->site.pool, jail), *text = NULL;
    *ret_be = NULL;
    int rc = path ? ja_machine_fact(engine->machine, JA_FACT_FILE, path, &text, err) : ja_error_nomem(err);
    if (rc < 0 || !text)
        return rc;
    *ret_be = ja_strndup(text, strcspn(text, "\n"));
    return *ret_be ? 0 : ja_error_nomem(err);
}

static int take_lock(struct ja_engine *engine, const char *jail, struct ja_lock *lock, struct ja_error *err)
{
    char who[256];
    snprintf(who, sizeof who, "jailadmin upgrade %s", jail);
    return ja_engine_lock(engine, "upgrade", jail, false, 0, who, lock, err);
}

int ja_upgrade_check_none(struct ja_engine *engine, const char *jail, struct ja_error *err)
{
    struct ja_lock lock = JA_LOCK_INIT;
    int rc = engine->options.dry_run ? 0 : take_lock(engine, jail, &lock, err);
    if (rc == JA_E_BUSY) {
        rc = ja_error_set(err, rc, JA_LABEL("jail", jail), "an upgrade of it is going on");
        ja_error_hint(err, "wait for its end, or end that process: it goes back then");
    }
    ja_lock_release(&lock, false);
    return rc;
}

/* ---- going back ---- */

static void plan_keep(void *work, struct ja_planning *p)
{
    ja_plan_be_keep(p, work);
}

/* What was tried is a boot environment like any other from now on, or is gone already. */
static int forget(struct ja_engine *engine, const char *jail, struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    int rc = ja_begin_with_jail(&change, engine, "be-keep", jail, &loaded, err);
    if (rc == 0)
        rc = ja_change_apply(&change, plan_keep, loaded.jail, err);
    ja_loaded_fini(&loaded);
    ja_change_end(&change);
    return rc;
}

/* Whether it runs on that boot environment, and whether it is wanted running. */
static int look(struct ja_engine *engine, const char *jail, const char *be, bool *ret_on, bool *ret_wanted,
                bool *ret_active, struct ja_error *err)
{
    void *object = NULL;
    struct ja_jail *applied = NULL;
    int rc = ja_engine_get(engine, &ja_noun_jail, jail, &object, NULL, err);
    if (rc == 0)
        rc = ja_engine_applied(engine, object, &applied, err);
    const struct ja_jail *row = object;
    *ret_on = rc == 0 && applied && strcmp(applied->be, be) == 0;
    *ret_wanted = rc == 0 && row->wanted == JA_WANTED_RUNNING;
    *ret_active = rc == 0 && strcmp(row->be, be) == 0;
    ja_object_free(&ja_noun_jail, applied);
    ja_object_free(&ja_noun_jail, object);
    return rc;
}

/* With the upgrade's lock held. `start`: also when it is stopped by now. All of it is tried, the first error is told. */
static int go_back(struct ja_engine *engine, const char *jail, const char *be, bool start, bool keep,
                   struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    bool on = false, wanted = false, active = false;
    int rc = look(engine, jail, be, &on, &wanted, &active, err);
    if (rc < 0)
        return rc;
    if (active)
        return forget(engine, jail, err);
    if (on)
        rc = ja_engine_stop(engine, jail, wanted ? JA_STOP_AGAIN : JA_STOP_GRACEFUL, NULL, err);
    if (rc == 0 && wanted && (on || start))
        rc = ja_start_on(engine, jail, NULL, NULL, err);
    struct ja_error later = JA_ERROR_INIT;
    int gone = keep                           ? forget(engine, jail, &later)
               : ja_strv_add(&names, be) == 0 ? ja_be_delete(engine, jail, &names, true, &later)
                                              : ja_error_nomem(&later);
    /* Nothing was made, or it is gone. */
    if (gone == JA_E_NOTFOUND) {
        ja_error_clear(&later);
        gone = forget(engine, jail, &later);
    }
    if (rc == 0 && gone < 0) {
        *err = later;
        rc = gone;
    }
    return rc;
}

int ja_engine_upgrade_settle(struct ja_engine *engine, const char *jail, struct ja_error *err)
{
    ja_autofree char *be = NULL;
    struct ja_lock lock = JA_LOCK_INIT;
    int rc = engine->options.dry_run || engine->options.read_only ? 0 : tried(engine, jail, &be, err);
    if (rc < 0 || !be)
        return rc;
    rc = take_lock(engine, jail, &lock, err);
    if (rc == JA_E_BUSY) {
        ja_error_clear(err);
        return 0; /* it lives */
    }
    free(be);
    be = NULL;
    /* Its last plan may be one that was cut off, and another may have been quicker. */
    if (rc == 0)
        rc = ja_recover_object(engine, "jail", jail, err);
    if (rc == 0)
        rc = tried(engine, jail, &be, err);
    if (rc == 0 && be) {
        struct ja_error note = JA_ERROR_INIT;
        struct ja_event event = {.kind = JA_EVENT_WARNING, .err = &note};
        ja_error_set(&note, JA_OK, JA_LABEL("jail", jail), "an upgrade of it was cut off: it goes back, without %s",
                     be);
        ja_engine_event(engine, &event);
        rc = go_back(engine, jail, be, false, false, err);
    }
    ja_lock_release(&lock, false);
    return rc;
}

/* ---- the upgrade ---- */

static void say(const struct ja_upgrade_request *request, const char *what)
{
    if (request->say)
        request->say(request->context, what);
}

static int check_health(const struct ja_upgrade_request *request, struct ja_error *err)
{
    int64_t deadline = ja_clock_monotonic_ms() + request->timeout_ms;
    struct ja_error last = JA_ERROR_INIT;
    for (;;) {
        int64_t left = deadline - ja_clock_monotonic_ms();
        int rc = request->health(request->context, left > 0 ? left : 1, err);
        /* The last try ended with the time: what was wrong before tells more. */
        if (rc == JA_E_TIMEOUT && last.code) {
            *err = last;
            return last.code;
        }
        if (rc == 0 || rc == JA_E_INTERRUPTED || ja_clock_monotonic_ms() + HEALTH_PAUSE_MS >= deadline)
            return rc;
        last = *err;
        nanosleep(&(struct timespec){.tv_sec = HEALTH_PAUSE_MS / 1000}, NULL);
        ja_error_clear(err);
    }
}

/* From the copy that was made to the one that is active. */
static int try_it(struct ja_engine *engine, const char *jail, const struct ja_upgrade_request *request, bool *ret_ran,
                  struct ja_error *err)
{
    bool already = false;
    int rc = ja_stop_running(engine, jail, JA_STOP_AGAIN, ret_ran, err);
    if (rc == 0) {
        say(request, "starting it on the copy");
        rc = ja_start_on(engine, jail, request->be, &already, err);
    }
    if (rc == 0 && already) {
        ja_error_set(err, JA_E_BUSY, NULL, "somebody else has started it meanwhile");
        rc = JA_E_BUSY;
    }
    if (rc < 0) {
        ja_error_wrap(err, "its start on the copy failed");
        return rc;
    }
    say(request, "running the command");
    rc = request->command(request->context, err);
    if (rc == 0 && request->health) {
        say(request, "checking its health");
        rc = check_health(request, err);
    }
    if (rc == 0 && !*ret_ran)
        rc = ja_engine_stop(engine, jail, JA_STOP_GRACEFUL, NULL, err);
    return rc < 0 ? rc : ja_be_activate(engine, jail, request->be, true, err);
}

/* With the lock held. `old`: the boot environment that is active now. */
static int upgrade(struct ja_engine *engine, const char *jail, const char *old,
                   const struct ja_upgrade_request *request, bool *ret_ran, struct ja_error *err)
{
    const volatile int *interrupted = engine->machine->interrupted;
    struct ja_error later = JA_ERROR_INIT;
    say(request, "copying the active boot environment");
    int rc = ja_be_make(engine, jail, request->be, NULL, true, err);
    if (rc < 0 || engine->options.dry_run)
        return rc;
    rc = try_it(engine, jail, request, ret_ran, err);
    if (rc == 0)
        return 0;
    say(request, "going back");
    /* Ctrl-C was heard: it is why we go back. */
    engine->machine->interrupted = NULL;
    if (go_back(engine, jail, request->be, *ret_ran, request->keep_failed, &later) < 0) {
        struct ja_event event = {.kind = JA_EVENT_WARNING, .err = &later};
        ja_error_wrap(&later, "going back failed too");
        ja_error_hint(&later, "`jailadmin gc` tries it again");
        ja_engine_event(engine, &event);
    } else {
        ja_error_hint(err, "it %s %s again%s%s", *ret_ran ? "runs on" : "is stopped, with", old,
                      request->keep_failed ? "; to look into it there is " : "",
                      request->keep_failed ? request->be : "");
    }
    engine->machine->interrupted = interrupted;
    return rc;
}

int ja_engine_upgrade(struct ja_engine *engine, const char *jail, const struct ja_upgrade_request *request,
                      bool *ret_ran, struct ja_error *err)
{
    struct ja_lock lock = JA_LOCK_INIT;
    void *object = NULL;
    struct ja_listed listed = {0};
    char old[64] = "";
    *ret_ran = false;
    int rc = ja_check_name(jail, err);
    if (rc == 0)
        rc = ja_check_name(request->be, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, jail, &object, NULL, err);
    if (rc == 0)
        rc = ja_check_ready(object, err);
    if (rc == 0)
        rc = ja_engine_trees_ensure(engine, jail, err);
    if (rc == 0)
        rc = ja_engine_upgrade_settle(engine, jail, err);
    if (rc == 0)
        rc = ja_engine_state(engine, object, &listed, err);
    if (rc == 0)
        snprintf(old, sizeof old, "%s", ((const struct ja_jail *)object)->be);
    ja_object_free(&ja_noun_jail, object);
    if (rc == 0 && !engine->options.dry_run) {
        rc = take_lock(engine, jail, &lock, err);
        if (rc == JA_E_BUSY)
            rc = ja_error_set(err, rc, NULL, "another upgrade of it is going on");
    }
    if (rc < 0)
        return rc;
    *ret_ran = listed.pid != 0;
    rc = upgrade(engine, jail, old, request, ret_ran, err);
    ja_lock_release(&lock, false);
    return rc;
}
