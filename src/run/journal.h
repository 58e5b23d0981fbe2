/*
 * journal.h: what a plan has done so far, so that its death leaves nothing half there.
 *
 * One file per open plan, DIR/<id>.plan: the first line holds the plan as JSON with the boot id, the following lines one
 * record each: "s SUM" (of the first line: what recovery runs must be what was written; older programs wrote none), "b K" (step K
 * begins), "e K" (it ended well), "f K" (it failed), "c" (the commit point is passed). A last line without its newline was
 * torn by a power cut and does not count. When any other line is no record, all steps count as begun: what is there decides. The writer holds flock(2) on the file: a plan
 * whose file nobody has locked is dead. The file is removed when the plan is closed.
 */
#ifndef JA_JOURNAL_H
#define JA_JOURNAL_H

#include "base/clock.h"
#include "plan/plan.h"

struct ja_journal {
    int fd; /* -1: none */
    char path[512];
    char id[40];
    const char *pool; /* where there may be a copy of the plan (see copies.h), which goes with the file; NULL: none */
    bool copied;      /* there is: this process has made it */
};

/* Writes the plan and locks the file. Nothing is synced yet. */
int ja_journal_create(const char *dir, const char *id, const char *boot_id, const struct ja_plan *plan,
                      struct ja_journal *ret_journal, struct ja_error *err);
int ja_journal_note(struct ja_journal *journal, char what, size_t step, struct ja_error *err);
/* Syncs the file with its name. */
int ja_journal_sync(struct ja_journal *journal, struct ja_error *err);
/*
 * In place of it, for a plan whose steps make lasting things in the pool only: copies what a recovery after a reboot needs into journal->pool,
 * of which the power takes nothing without taking what comes after it. `epoch` tells of which store the plan is. False: it was not done.
 */
bool ja_journal_copy(struct ja_journal *journal, const struct ja_plan *plan, const char *boot_id, const char *epoch);
void ja_journal_uncopy(struct ja_journal *journal);
/* Removes the file and lets go. */
void ja_journal_close(struct ja_journal *journal);
/* Gives a file another name, which no plan has and which ends with ".WHY", for whoever wants to read it: `ret_path`. */
int ja_journal_put_aside(struct ja_journal *journal, const char *why, char ret_path[528], struct ja_error *err);
/* The same for good: a dead plan may be one that the store does not know, and it must not come back after others have done what it would
 * undo. */
void ja_journal_remove(struct ja_journal *journal);
/* Lets go without removing it: for plans that recovery is to see again. */
void ja_journal_abandon(struct ja_journal *journal);

enum ja_step_progress { JA_STEP_UNTOUCHED, JA_STEP_BEGUN, JA_STEP_FAILED, JA_STEP_ENDED };

/* A dead plan, as read back. */
struct ja_dead_plan {
    char boot_id[80];
    struct ja_plan plan;
    enum ja_step_progress *progress; /* one for each step */
    bool committed;
    bool damaged;              /* the file is not what was written, and plan.count is 0 */
    bool copied;               /* it comes from the copy in the pool, since the power took the file */
    char epoch[JA_UUID_TEXT];  /* of a copy */
    struct ja_journal journal; /* locked by us */
};
void ja_dead_plan_fini(struct ja_dead_plan *dead);

/* Calls `each` for every dead plan in `dir`, oldest first. Files of living plans are passed over; a file whose first line is
 * torn, without a copy in the pool (NULL: none is kept there), belongs to a plan that had done nothing: *each gets it with plan.count 0, as
 * one that is damaged. A copy without a file gets one. */
int ja_journal_dead(const char *dir, const char *pool,
                    int (*each)(void *context, struct ja_dead_plan *dead, struct ja_error *err), void *context,
                    struct ja_error *err);
/* True when there is any file or copy at all: the quick test of every mutating verb. */
bool ja_journal_any(const char *dir, const char *pool);

#endif
