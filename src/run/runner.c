/*
 * runner.c: runs a plan's steps in order, notes each in the journal, undoes them from the last one on failure.
 */
#include "run/runner.h"
#include "run/spawn.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS (120 * 1000)

static void tell(const struct ja_run *run, enum ja_event_kind kind, const struct ja_plan *plan, size_t step,
                 const struct ja_error *err)
{
    struct ja_event event = {.kind = kind, .plan = plan, .step = step, .err = err};
    if (run->event)
        run->event(run->context, &event);
}

static int run_cmd(const struct ja_run *run, const char *id, const struct ja_step *step, const struct ja_cmd *cmd,
                   size_t number, struct ja_error *err)
{
    if (step->flags & JA_STEP_STORE)
        return run->store(run->context, id, cmd, (step->flags & JA_STEP_COMMIT) != 0, err);
    char mark[96];
    snprintf(mark, sizeof mark, "%s:%zu", id, number);
    int64_t timeout = step->timeout_ms ? step->timeout_ms : DEFAULT_TIMEOUT_MS;
    return run->machine->run(run->machine, cmd, timeout, mark, NULL, err);
}

struct listening {
    const struct ja_run *run;
    const struct ja_plan *plan;
    size_t step;
};

static void on_output(void *context, const char *bytes, size_t count)
{
    const struct listening *listening = context;
    struct ja_event event = {
        .kind = JA_EVENT_OUTPUT, .plan = listening->plan, .step = listening->step, .text = bytes, .length = count};
    listening->run->event(listening->run->context, &event);
}

/* A step's command, whose output is told while it runs. */
static int run_heard(const struct ja_run *run, const char *id, const struct ja_plan *plan, size_t k,
                     struct ja_error *err)
{
    struct listening listening = {run, plan, k};
    if (run->event) {
        run->machine->heard = on_output;
        run->machine->heard_context = &listening;
    }
    int rc = run_cmd(run, id, plan->steps[k], &plan->steps[k]->run, k, err);
    run->machine->heard = NULL;
    return rc;
}

/* Whether an undo may run: 1 yes, 0 the thing is gone already or is not ours, negative: could not find out. */
static int guard_allows(const struct ja_run *run, const struct ja_guard *guard, struct ja_error *err)
{
    if (!guard->set)
        return 1;
    char *value = NULL;
    int rc = ja_machine_fact(run->machine, guard->kind, guard->name, &value, err);
    if (rc < 0)
        return rc;
    bool ours = value && ja_guard_match(guard->mark, value);
    free(value);
    return ours;
}

static int undo_step(const struct ja_run *run, const char *id, const struct ja_plan *plan, size_t k,
                     struct ja_error *err)
{
    const struct ja_step *step = plan->steps[k];
    if (step->undo.argv.count == 0)
        return 0;
    int allowed = guard_allows(run, &step->guard, err);
    /* Asking may be hit by a signal that is meant for us and all that we started. */
    if (allowed < 0)
        allowed = guard_allows(run, &step->guard, err);
    if (allowed <= 0)
        return allowed;
    tell(run, JA_EVENT_UNDO, plan, k, NULL);
    int rc = run_cmd(run, id, step, &step->undo, k, err);
    /* It may have failed because the thing went away by itself meanwhile. */
    if (rc < 0 && step->guard.set && guard_allows(run, &step->guard, NULL) == 0)
        return 0;
    return rc;
}

/* Undoes steps 0..last, the last one first. All are tried; the first failure is reported. */
static int undo_all(const struct ja_run *run, const char *id, const struct ja_plan *plan, size_t count, bool rebooted,
                    struct ja_error *err)
{
    int rc = 0;
    for (size_t k = count; k-- > 0;) {
        if (rebooted && !(plan->steps[k]->flags & JA_STEP_PERSISTENT))
            continue;
        struct ja_error undo_err = JA_ERROR_INIT;
        int undo = undo_step(run, id, plan, k, &undo_err);
        if (undo < 0) {
            tell(run, JA_EVENT_WARNING, plan, k, &undo_err);
            if (rc == 0 && err)
                *err = undo_err;
            rc = rc ? rc : undo;
        }
    }
    return rc;
}

/* One step between its two journal records. */
static int do_step(const struct ja_run *run, const char *id, const struct ja_plan *plan, size_t k,
                   struct ja_journal *journal, struct ja_error *err)
{
    const struct ja_step *step = plan->steps[k];
    int rc = ja_journal_note(journal, 'b', k, err);
    if (rc < 0)
        return rc;
    tell(run, JA_EVENT_STEP, plan, k, NULL);
    if (run->probe && run->probe(run->context, plan, k, false) < 0)
        rc = ja_error_set(err, JA_E_FAILED, NULL, "a failure was injected before step %zu", k);
    if (rc == 0)
        rc = run_heard(run, id, plan, k, err);
    bool failed_after = rc == 0 && run->probe && run->probe(run->context, plan, k, true) < 0;
    if (rc == 0 && (step->flags & JA_STEP_COMMIT)) {
        /* It is done, whatever happens now, and a journal that cannot be written changes nothing. The store has synced that it
         * knows it; of what was done outside the store only the journal can tell after a power cut. */
        ja_journal_note(journal, 'c', k, NULL);
        if ((step->flags & JA_STEP_PERSISTENT) && !(step->flags & JA_STEP_STORE))
            ja_journal_sync(journal, NULL);
        return 0;
    }
    if (failed_after)
        rc = ja_error_set(err, JA_E_FAILED, NULL, "a failure was injected after step %zu", k);
    if (rc == 0)
        return ja_journal_note(journal, 'e', k, err);
    ja_journal_note(journal, 'f', k, NULL);
    return rc;
}

static bool interrupted(const struct ja_run *run)
{
    return run->machine->interrupted && *run->machine->interrupted;
}

/* What failed, for a warning: "jail web1: start its service httpd: ...". */
static void place_error(const struct ja_plan *plan, size_t k, struct ja_error *err)
{
    if (err->object[0])
        return;
    snprintf(err->object, sizeof err->object, "%s %s", plan->kind, plan->name);
    ja_error_wrap(err, "%s", plan->steps[k]->why);
}

/* Runs steps from `first` on, after the commit point: all are tried, and the first failure is reported. What failed is
 * tried once more, unless its time ran out or it is not to be. */
static int go_forward(const struct ja_run *run, const char *id, const struct ja_plan *plan, size_t first,
                      struct ja_journal *journal, struct ja_error *err)
{
    /* Ctrl-C does not end what must only go forward. */
    const volatile int *saved = run->machine->interrupted;
    run->machine->interrupted = NULL;
    int rc = 0;
    for (size_t k = first; k < plan->count; k++) {
        struct ja_error step_err = JA_ERROR_INIT;
        bool may_fail = plan->steps[k]->flags & JA_STEP_IGNORE;
        int step = do_step(run, id, plan, k, journal, &step_err);
        if (step < 0 && step != JA_E_TIMEOUT && !(plan->steps[k]->flags & JA_STEP_ONCE))
            step = do_step(run, id, plan, k, journal, &step_err);
        if (step < 0) {
            place_error(plan, k, &step_err);
            tell(run, JA_EVENT_WARNING, plan, k, &step_err);
            if (!may_fail && rc == 0) {
                rc = step;
                if (err)
                    *err = step_err;
            }
        }
    }
    run->machine->interrupted = saved;
    return rc;
}

/* True for a commit that is one change of the store with nothing persistent after it: it is there as a whole after a power cut, or it is
 * not, and the journal would have nothing to undo or to carry forward. */
static bool is_sole_row(const struct ja_plan *plan, size_t k)
{
    const struct ja_step *step = plan->steps[k];
    bool sole = (step->flags & JA_STEP_STORE) && (step->flags & JA_STEP_COMMIT);
    for (size_t i = k + 1; i < plan->count; i++)
        sole = sole && !(plan->steps[i]->flags & JA_STEP_PERSISTENT);
    return sole;
}

/* Whether all that the plan does and that outlives a reboot is in the pool, but for its commit, which is a change of the store. What it does
 * in the pool before the commit is on the disk by then, and so is a copy of the plan. */
static bool lies_in_pool(const struct ja_plan *plan)
{
    bool before = false, in_store = false;
    for (size_t k = 0; k < plan->count; k++) {
        unsigned flags = plan->steps[k]->flags;
        if ((flags & JA_STEP_PERSISTENT) && !(flags & (flags & JA_STEP_COMMIT ? JA_STEP_STORE : JA_STEP_POOL)))
            return false;
        in_store = in_store || (flags & JA_STEP_COMMIT);
        before = before || (!in_store && (flags & JA_STEP_PERSISTENT));
    }
    return before && in_store;
}

/* What comes next must be undone, or carried to its end, even after a power cut. */
static int secure(const struct ja_run *run, const struct ja_plan *plan, struct ja_journal *journal,
                  struct ja_error *err)
{
    if (journal->pool && ja_journal_copy(journal, plan, run->machine->boot_id, run->epoch))
        return 0;
    return ja_journal_sync(journal, err);
}

/* ---- steps beside others ---- */

struct beside {
    const struct ja_run *run;
    const char *id;
    const struct ja_plan *plan;
    struct ja_journal *journal;
    size_t first, end;
    struct ja_spawned spawned; /* reply -1: none is under way */
};

/* In a process of its own: it notes in the same journal, and is silent. */
static int do_beside(void *context, JA_UNUSED struct ja_str *output, struct ja_error *err)
{
    const struct beside *beside = context;
    struct ja_run run = *beside->run;
    run.event = NULL;
    int rc = secure(&run, beside->plan, beside->journal, err);
    for (size_t k = beside->first; rc == 0 && k < beside->end; k++)
        rc = do_step(&run, beside->id, beside->plan, k, beside->journal, err);
    return rc; /* none of them may fail: JA_STEP_IGNORE is not for these */
}

/* Begins the steps from k on that may be done beside others, when there are others. True: the first one that is not among them is
 * beside->end. */
static bool begin_beside(struct beside *beside, size_t k)
{
    const struct ja_plan *plan = beside->plan;
    if (!beside->run->machine->ahead.step || beside->run->probe || beside->spawned.pid)
        return false;
    beside->first = k;
    while (k < plan->count && (plan->steps[k]->flags & JA_STEP_BESIDE))
        k++;
    beside->end = k;
    if (k == beside->first || k == plan->count || (plan->steps[k]->flags & (JA_STEP_JOIN | JA_STEP_COMMIT)) ||
        ja_spawn_begin(do_beside, beside, &beside->spawned, NULL) < 0)
        return false;
    for (size_t i = beside->first; i < beside->end; i++)
        tell(beside->run, JA_EVENT_STEP, plan, i, NULL);
    return true;
}

static int join_beside(struct beside *beside, struct ja_error *err)
{
    return beside->spawned.reply >= 0 ? ja_spawn_end(&beside->spawned, 0, beside->run->machine->interrupted, NULL, err)
                                      : 0;
}

/* Everything up to and with the commit step. *ret_next is the step after the last one that was begun. */
static int go_to_commit(const struct ja_run *run, const char *id, const struct ja_plan *plan,
                        struct ja_journal *journal, struct beside *beside, size_t *ret_next, struct ja_error *err)
{
    bool synced = false;
    for (size_t k = 0; k < plan->count; k++) {
        *ret_next = k;
        if (interrupted(run))
            return ja_error_set(err, JA_E_INTERRUPTED, NULL, "interrupted");
        if (begin_beside(beside, k)) {
            synced = true;
            *ret_next = k = beside->end;
        }
        const struct ja_step *step = plan->steps[k];
        if ((step->flags & (JA_STEP_JOIN | JA_STEP_COMMIT)) ||
            (beside->spawned.reply >= 0 && ja_spawn_ended(&beside->spawned))) {
            int rc = join_beside(beside, err);
            if (rc < 0)
                return rc;
        }
        /* One sync will do: after a power cut every persistent step counts as begun, and its guard decides. */
        if ((step->flags & JA_STEP_PERSISTENT) && !synced && !is_sole_row(plan, k)) {
            int rc = secure(run, plan, journal, err);
            if (rc < 0)
                return rc;
            synced = true;
        }
        *ret_next = k + 1;
        if (k > 0 && run->machine->ahead.step)
            run->machine->ahead.step(plan, k, beside->spawned.reply < 0);
        struct ja_error step_err = JA_ERROR_INIT;
        int rc = do_step(run, id, plan, k, journal, &step_err);
        if (rc < 0 && !(step->flags & JA_STEP_IGNORE)) {
            if (err)
                *err = step_err;
            return rc;
        }
        if (rc < 0)
            tell(run, JA_EVENT_WARNING, plan, k, &step_err);
        if (step->flags & JA_STEP_COMMIT)
            return 0;
    }
    return 0;
}

/* What an undo, a recovery or steps after the commit have removed stays removed, before the journal goes that would do it again. */
static void sync_pool(const struct ja_run *run)
{
    if (run->pool && run->machine->sync)
        run->machine->sync(run->machine, run->pool);
}

static bool is_persistent(const struct ja_plan *plan, size_t first, size_t end)
{
    bool any = false;
    for (size_t k = first; k < end; k++)
        any = any || ((plan->steps[k]->flags & JA_STEP_PERSISTENT) && !(plan->steps[k]->flags & JA_STEP_STORE));
    return any;
}

int ja_run_plan(const struct ja_run *run, const char *id, const struct ja_plan *plan, enum ja_result *ret_result,
                struct ja_error *err)
{
    struct ja_journal journal = {.fd = -1};
    *ret_result = JA_RESULT_UNDONE;
    if (plan->count == 0) {
        *ret_result = JA_RESULT_DONE;
        return 0;
    }
    int rc = ja_journal_create(run->journal_dir, id, run->machine->boot_id, plan, &journal, err);
    if (rc < 0)
        return rc;
    journal.pool = run->machine->copies && lies_in_pool(plan) ? run->pool : NULL;
    size_t next = 0;
    struct beside beside = {.run = run, .id = id, .plan = plan, .journal = &journal, .spawned.reply = -1};
    rc = go_to_commit(run, id, plan, &journal, &beside, &next, err);
    join_beside(&beside, NULL); /* what failed was another step */
    if (run->machine->ahead.end)
        run->machine->ahead.end();
    if (rc == 0) {
        rc = go_forward(run, id, plan, next, &journal, err);
        /* The copy does not go to the disk before what it would do again. */
        if (is_persistent(plan, next, plan->count) && !journal.copied)
            sync_pool(run);
        *ret_result = rc < 0 ? JA_RESULT_BROKEN : JA_RESULT_DONE;
    } else if (run->keep) {
        *ret_result = JA_RESULT_KEPT;
    } else {
        const volatile int *saved = run->machine->interrupted;
        run->machine->interrupted = NULL; /* the undo is not to be interrupted */
        if (undo_all(run, id, plan, next, false, NULL) < 0)
            *ret_result = JA_RESULT_BROKEN;
        else
            ja_journal_uncopy(&journal);
        run->machine->interrupted = saved;
        if (is_persistent(plan, 0, next))
            sync_pool(run);
    }
    ja_spawn_reap(&beside.spawned);
    /* A broken plan keeps its journal: gc and the next mutating verb try again. */
    if (*ret_result == JA_RESULT_BROKEN || *ret_result == JA_RESULT_KEPT)
        ja_journal_abandon(&journal);
    else
        ja_journal_close(&journal);
    return rc;
}

static size_t commit_step(const struct ja_plan *plan)
{
    size_t k = 0;
    while (k < plan->count && !(plan->steps[k]->flags & JA_STEP_COMMIT))
        k++;
    return k;
}

static void end_processes(const struct ja_run *run, const struct ja_dead_plan *dead)
{
    for (size_t k = 0; k < dead->plan.count; k++) {
        char mark[96];
        if (dead->progress[k] != JA_STEP_BEGUN)
            continue;
        snprintf(mark, sizeof mark, "%s:%zu", dead->journal.id, k);
        if (run->machine->kill_marked)
            run->machine->kill_marked(run->machine, mark);
    }
}

/* After a reboot what did not persist is gone with the kernel: only steps that make something persistent are done. */
static int carry_forward(const struct ja_run *run, struct ja_dead_plan *dead, bool rebooted, struct ja_error *err)
{
    size_t commit = commit_step(&dead->plan);
    int rc = 0;
    for (size_t k = commit + 1; k < dead->plan.count; k++) {
        const struct ja_step *step = dead->plan.steps[k];
        if (dead->progress[k] == JA_STEP_ENDED || (rebooted && !(step->flags & JA_STEP_PERSISTENT)))
            continue;
        struct ja_error step_err = JA_ERROR_INIT;
        int one = do_step(run, dead->journal.id, &dead->plan, k, &dead->journal, &step_err);
        if (one < 0 && !(step->flags & JA_STEP_IGNORE) && rc == 0) {
            rc = one;
            if (err)
                *err = step_err;
        }
    }
    return rc;
}

int ja_run_recover(const struct ja_run *run, struct ja_dead_plan *dead, bool committed, enum ja_result *ret_result,
                   struct ja_error *err)
{
    bool rebooted = strcmp(dead->boot_id, run->machine->boot_id) != 0;
    int rc = 0;
    if (dead->plan.count) {
        if (!rebooted)
            end_processes(run, dead);
        if (committed || dead->committed) {
            rc = carry_forward(run, dead, rebooted, err);
            *ret_result = rc < 0 ? JA_RESULT_BROKEN : JA_RESULT_DONE;
        } else {
            size_t last = commit_step(&dead->plan) + 1;
            if (!rebooted)
                while (last > 0 && (last > dead->plan.count || dead->progress[last - 1] == JA_STEP_UNTOUCHED))
                    last--;
            if (last > dead->plan.count)
                last = dead->plan.count;
            rc = undo_all(run, dead->journal.id, &dead->plan, last, rebooted, err);
            *ret_result = rc < 0 ? JA_RESULT_BROKEN : JA_RESULT_UNDONE;
        }
    } else {
        *ret_result = JA_RESULT_UNDONE;
    }
    if (rc == 0)
        ja_journal_uncopy(&dead->journal);
    if (rc == 0 && is_persistent(&dead->plan, 0, dead->plan.count))
        sync_pool(run);
    if (rc == 0)
        ja_journal_remove(&dead->journal);
    return rc;
}
