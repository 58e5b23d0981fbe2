/*
 * runner.h: runs plans: step by step, journaled, undone on failure, recovered after death. The only part that touches the
 * machine.
 */
#ifndef JA_RUNNER_H
#define JA_RUNNER_H

#include "run/journal.h"
#include "run/machine.h"

enum ja_event_kind { JA_EVENT_STEP, JA_EVENT_DONE, JA_EVENT_WARNING, JA_EVENT_UNDO, JA_EVENT_OUTPUT };

struct ja_event {
    enum ja_event_kind kind;
    const struct ja_plan *plan;
    size_t step;
    const struct ja_error *err; /* of warnings */
    const char *text; /* of output: what the step's command has just printed, not zero-terminated; not trusted */
    size_t length;
};

/* Where a plan ended. */
enum ja_result {
    JA_RESULT_DONE,   /* all of it */
    JA_RESULT_UNDONE, /* failed before the commit point; the host is as it was */
    JA_RESULT_KEPT,   /* failed before the commit point; left as it was, as --keep asks */
    JA_RESULT_BROKEN, /* failed, and an undo or a step after the commit point failed too */
};

struct ja_run {
    struct ja_machine *machine;
    const char *journal_dir;
    const char *pool;  /* is synced after an undo; may be NULL */
    const char *epoch; /* of the store, for copies of plans */
    bool keep;         /* leave what a failed plan did */
    /* Does a `jailadmin host store` step (JA_STEP_STORE). In the commit step it also marks the plan `id` as committed, in the
     * same transaction, synced. */
    int (*store)(void *context, const char *id, const struct ja_cmd *cmd, bool commit, struct ja_error *err);
    void (*event)(void *context, const struct ja_event *event); /* may be NULL */
    void *context;
    /* For tests: called before each step and after it; a negative return makes the step fail. May be NULL. */
    int (*probe)(void *context, const struct ja_plan *plan, size_t step, bool after);
};

/* Runs a plan under the journal id `id`. Returns 0, or the code of the first failure (also when it was undone). */
int ja_run_plan(const struct ja_run *run, const char *id, const struct ja_plan *plan, enum ja_result *ret_result,
                struct ja_error *err);

/* Finishes one dead plan: undoes it, or carries it forward if it had committed (`committed` by the journal or the store).
 * The journal file is removed unless the result is JA_RESULT_BROKEN. */
int ja_run_recover(const struct ja_run *run, struct ja_dead_plan *dead, bool committed, enum ja_result *ret_result,
                   struct ja_error *err);

#endif
