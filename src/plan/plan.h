/*
 * plan.h: a change as data. A plan is an ordered list of steps; a step is the exact command that an administrator would
 * type, the command that undoes it, and why. What is shown is what is run, undone and logged.
 *
 * Building never fails midway: a plan that ran out of memory or met an unknown tool remembers it, and ja_plan_check says
 * so once at the end.
 */
#ifndef JA_PLAN_H
#define JA_PLAN_H

#include "base/str.h"
#include "plan/facts.h"

#include <jansson.h>

/* A command: an argument vector (argv[0] an absolute path) and what it reads on standard input, or NULL. */
struct ja_cmd {
    struct ja_strv argv;
    char *input;
};

/*
 * What must hold before an undo may run: the fact KIND NAME is present, and its value is `mark` (or begins with it when
 * the last character of mark is '*'; mark NULL: any value). Absent: already undone. Present with another value: not
 * ours, never touched.
 */
struct ja_guard {
    bool set;
    enum ja_fact_kind kind;
    char *name;
    char *mark;
};

enum ja_step_flag {
    JA_STEP_PERSISTENT = 1 << 0, /* what it makes survives a reboot: the journal is synced first, recovery undoes it */
    JA_STEP_COMMIT = 1 << 1,     /* once this step is done the plan only goes forward; exactly one step has it */
    JA_STEP_IGNORE = 1 << 2,     /* its failure is reported as a warning and does not stop the plan */
    JA_STEP_STORE = 1 << 3,      /* `jailadmin host store`: done by the runner through its open store */
    JA_STEP_ONCE = 1 << 4,       /* after the commit: not tried again when it fails; commands of the user */
    JA_STEP_BESIDE =
        1 << 5, /* may be done beside the steps that follow, up to the first one with JA_STEP_JOIN, or the commit */
    JA_STEP_JOIN = 1 << 6, /* needs what steps with JA_STEP_BESIDE have made */
    JA_STEP_POOL = 1 << 7, /* what lasts of it lies in the pool, and it syncs no file alone: see copies.h */
};

struct ja_step {
    char *why; /* a few words, shown as a comment before the command */
    struct ja_cmd run;
    struct ja_cmd undo; /* empty argv: nothing to undo */
    struct ja_guard guard;
    unsigned flags;
    int64_t timeout_ms; /* 0: the runner's default */
};

struct ja_plan {
    char *verb; /* "create" */
    char *kind; /* "jail" */
    char *name; /* "web1" */
    struct ja_step **steps;
    size_t count;
    struct ja_strv notes; /* warnings for the user, such as "privileged: ..." */
    struct ja_error err;  /* the first failure of building; err.code 0: none */
};

int ja_plan_init(struct ja_plan *plan, const char *verb, const char *kind, const char *name);
void ja_plan_fini(struct ja_plan *plan);

/*
 * Adds a step; the plan owns it. Never NULL: when memory is out, plan->err is set and a spare step is returned whose
 * contents are thrown away, so that planners need no checks line by line.
 */
struct ja_step *ja_plan_step(struct ja_plan *plan, const char *why, ...) JA_PRINTF(2, 3);
/* Append words to the step's command or undo. */
void ja_step_run(struct ja_plan *plan, struct ja_step *step, ...) __attribute__((sentinel));
void ja_step_undo(struct ja_plan *plan, struct ja_step *step, ...) __attribute__((sentinel));
void ja_step_runf(struct ja_plan *plan, struct ja_step *step, const char *format, ...) JA_PRINTF(3, 4); /* one word */
void ja_step_undof(struct ja_plan *plan, struct ja_step *step, const char *format, ...) JA_PRINTF(3, 4);
/* Add text to the command's or the undo's standard input. */
void ja_step_input(struct ja_plan *plan, struct ja_step *step, const char *format, ...) JA_PRINTF(3, 4);
void ja_step_undo_input(struct ja_plan *plan, struct ja_step *step, const char *format, ...) JA_PRINTF(3, 4);
void ja_step_guard(struct ja_plan *plan, struct ja_step *step, enum ja_fact_kind kind, const char *name,
                   const char *mark);
/* Whether a step before has this word as the last one of its command: what it makes is there by then, what it removes is not. */
bool ja_plan_makes(const struct ja_plan *plan, const char *last_word);
void ja_plan_note(struct ja_plan *plan, const char *format, ...) JA_PRINTF(2, 3);
/* Remembers a failure of planning (the first one counts) and returns its code. */
int ja_plan_fail(struct ja_plan *plan, int code, const char *object, const char *format, ...) JA_PRINTF(4, 5);
int ja_plan_hint(struct ja_plan *plan, const char *format, ...) JA_PRINTF(2, 3);

/* The absolute path of a program, a fact; a missing one is an error of the plan that names the package. Never NULL. */
const char *ja_plan_tool(struct ja_plan *plan, struct ja_facts *facts, const char *program);

/* 0, or the first failure of building, copied to *err. Also checks that there is exactly one commit step. */
int ja_plan_check(const struct ja_plan *plan, struct ja_error *err);
bool ja_plan_equal(const struct ja_plan *a, const struct ja_plan *b);

/* The plan as a shell script: one command a line, a comment with the reason before it, standard input as a here
 * document. Appended to *str. */
void ja_plan_print(const struct ja_plan *plan, struct ja_str *str);
/* New reference; NULL when memory is out. The inverse of it fills *ret_plan. */
json_t *ja_plan_to_json(const struct ja_plan *plan);
int ja_plan_from_json(const json_t *json, struct ja_plan *ret_plan, struct ja_error *err);

#endif
