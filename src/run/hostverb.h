/*
 * hostverb.h: the verbs of `jailadmin host ...`: what no system command does, as commands, so that a printed plan is still a
 * script. And natives: functions with the same effect as a system command, found by the command's words.
 *
 * Both take everything from their arguments and standard input, and read no store. The runner calls them directly instead
 * of starting a process; the command line reaches the verbs by `jailadmin host NAME ARGUMENTS`.
 */
#ifndef JA_HOSTVERB_H
#define JA_HOSTVERB_H

#include "base/str.h"
#include "run/machine.h"

struct ja_hostverb_io {
    const char *input; /* standard input, zero-terminated; "" when there is none */
    size_t input_length;
    struct ja_str *output; /* what the command would print; never NULL */
};

/* argv[0] is the verb's name ("ns-create"). Returns 0 or a negative ja_code. */
typedef int ja_hostverb_fn(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err);

enum ja_hostverb_flag {
    JA_HOSTVERB_FORK = 1 << 0,  /* changes namespaces or credentials: the runner calls it in a forked child */
    JA_HOSTVERB_INPUT = 1 << 1, /* reads standard input; others leave it to the script they stand in */
    /* Takes long, is fed by strangers, or gives its process away to a command: the runner starts it as a process, which it
     * can interrupt, and whose output it has. */
    JA_HOSTVERB_PROCESS = 1 << 2,
};

struct ja_hostverb {
    const char *name;
    const char *usage; /* "--uid-base N --uid-count N DIR" */
    const char *doc;   /* one line */
    ja_hostverb_fn *run;
    unsigned flags;
    /* The same effect in another way, faster, for the runner; it may decline like a native. NULL: none. */
    ja_hostverb_fn *native;
};

/* The verbs of this system, ending with a NULL name: portable ones and those of src/host/<os>/native. */
const struct ja_hostverb *ja_hostverb_portable(void);
const struct ja_hostverb *ja_hostverb_native(void);
const struct ja_hostverb *ja_hostverb_find(const char *name);

/* A native stands for commands that begin with these words: base name of argv[0], then the words given. It may decline
 * (JA_E_UNSUPPORTED, nothing done): then the command itself is run. */
struct ja_native {
    const char *words[4]; /* {"btrfs", "subvolume", "snapshot", NULL} */
    ja_hostverb_fn *run;
    unsigned flags;
};
const struct ja_native *ja_native_table(void); /* ends with words[0] NULL */
/* What this system does ahead, see machine.h. */
extern const struct ja_ahead ja_native_ahead;

#endif
