/*
 * spawn.h: starting a program without a shell: absolute path, fixed environment, own process group, all other descriptors
 * closed, output captured with a bound, a time limit. The child dies with its parent (kill -9 included).
 */
#ifndef JA_SPAWN_H
#define JA_SPAWN_H

#include "base/str.h"

#define JA_SPAWN_OUTPUT_LIMIT 65536 /* bytes of output that are kept, the last ones */
#define JA_SPAWN_STATUS_LOST 127    /* of a program that was left to itself, or whose end somebody else took note of */

struct ja_spawn {
    char *const *argv;
    const char *input;               /* standard input; NULL: /dev/null */
    int64_t timeout_ms;              /* 0: none */
    const char *mark;                /* "PLAN:STEP" in the environment as JAILADMIN_STEP, for recovery; may be NULL */
    const volatile int *interrupted; /* ends the program when it becomes non-zero; may be NULL */
    /* Gets what the program prints as it comes; may be NULL. */
    void (*heard)(void *context, const char *bytes, size_t count);
    void *context;
    size_t output_limit; /* bytes of output that are kept, the last ones; 0: JA_SPAWN_OUTPUT_LIMIT */
};

struct ja_spawn_result {
    int status; /* exit status, 128 + n for a signal */
    bool timed_out, interrupted;
    bool stuck;           /* it did not even end when it was killed, and was left to itself */
    bool cut;             /* it printed more than was kept */
    struct ja_str output; /* standard output and error together */
};

/* Negative only when the program could not be started (JA_E_NOTFOUND, JA_E_FAILED, JA_E_NOMEM). */
int ja_spawn_run(const struct ja_spawn *spawn, struct ja_spawn_result *ret_result, struct ja_error *err);
/* Starts a daemon: a program that goes on in the background by itself and ends here, with status 0 when it runs. What it prints is added to
 * *output; `name` is what errors call it. */
int ja_spawn_daemon(char *const *argv, const char *name, int64_t timeout_ms, struct ja_str *output,
                    struct ja_error *err);
/* Calls fn in a forked child with the same care and passes its error back. `interrupted` as above. */
typedef int ja_spawn_fn(void *context, struct ja_str *output, struct ja_error *err);
int ja_spawn_call(ja_spawn_fn *fn, void *context, int64_t timeout_ms, const volatile int *interrupted,
                  struct ja_str *output, struct ja_error *err);
/* The same in parts, with other work in between: each that was begun is to be ended, which waits for the reply, and reaped, when
 * the process has had time to end. `ended`: the second part will not wait. */
struct ja_spawned {
    pid_t pid; /* 0: none, or reaped */
    int reply; /* -1: it has been ended */
};
int ja_spawn_begin(ja_spawn_fn *fn, void *context, struct ja_spawned *ret_spawned, struct ja_error *err);
bool ja_spawn_ended(const struct ja_spawned *spawned);
int ja_spawn_end(struct ja_spawned *spawned, int64_t timeout_ms, const volatile int *interrupted, struct ja_str *output,
                 struct ja_error *err);
void ja_spawn_reap(struct ja_spawned *spawned);
/* Arms the calling (just forked) process to be killed when its parent dies; `parent` is the parent's pid as it was. */
void ja_spawn_die_with_parent(pid_t parent);
/* Kills every process that carries this mark (recovery), and waits until they have ended, for two seconds at the most. Returns how many
 * were found. */
int ja_spawn_kill_marked(const char *mark);

#endif
