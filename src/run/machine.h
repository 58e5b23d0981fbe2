/*
 * machine.h: where steps run: this machine, or a simulated host. The runner knows only this interface.
 */
#ifndef JA_MACHINE_H
#define JA_MACHINE_H

#include "plan/plan.h"

/*
 * Work ahead, beside the steps: what takes time, shows nothing yet and goes with this process. start: a jail with ids and a network stack
 * of its own is about to start; step: the steps before `next` of a plan are done (1 to count - 1), or, when not `whole`, some of them are
 * still being done beside (JA_STEP_BESIDE; a machine without `step` does all in their order); end: nothing of the plan is to come any
 * more. Any may be NULL.
 */
struct ja_ahead {
    void (*start)(void);
    void (*step)(const struct ja_plan *plan, size_t next, bool whole);
    void (*end)(void);
};

struct ja_machine {
    /* Runs one command. 0 when it succeeded; else a negative code with err->command and err->output filled. `mark` is
     * "PLAN:STEP". What it printed is appended to *output when that is not NULL. */
    int (*run)(struct ja_machine *machine, const struct ja_cmd *cmd, int64_t timeout_ms, const char *mark,
               struct ja_str *output, struct ja_error *err);
    struct ja_fact_reader facts;
    /* Ends what is left of a dead plan's step. May be NULL. */
    void (*kill_marked)(struct ja_machine *machine, const char *mark);
    /* Has on the disk what was done in the file system of a directory. May be NULL. */
    void (*sync)(struct ja_machine *machine, const char *dir);
    struct ja_ahead ahead;
    bool copies; /* plans may be copied into the pool; see copies.h */
    char boot_id[80];
    const volatile int *interrupted; /* Ctrl-C; may be NULL */
    /* Gets what a command's process prints, as it comes; set by the runner while it runs a step, else NULL. */
    void (*heard)(void *context, const char *bytes, size_t count);
    void *heard_context;
};

/* The machine we are on. `natives`: use functions instead of processes where there are some. `self` is the absolute path of
 * the jailadmin program, whose `host` verbs are called directly. The reader is the host's. */
struct ja_real_machine {
    struct ja_machine machine; /* first */
    bool natives;
    const char *self;
};
int ja_real_machine_init(struct ja_real_machine *real, const char *self, bool natives, struct ja_fact_reader facts,
                         struct ja_error *err);

/* Notes the end of what a command printed for whoever reads the error, made safe to show. Nothing when err is NULL. */
void ja_machine_printed(const char *printed, size_t length, struct ja_error *err);

/* One fact, now. *ret_value (the caller's) is NULL when it is absent. */
int ja_machine_fact(struct ja_machine *machine, enum ja_fact_kind kind, const char *name, char **ret_value,
                    struct ja_error *err);

#endif
