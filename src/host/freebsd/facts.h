/*
 * facts.h: reading facts of a FreeBSD host by the commands of its base system: one process for each kind of fact, however
 * many are asked for. Compiles everywhere; where the commands run is the caller's.
 */
#ifndef JA_FREEBSD_FACTS_H
#define JA_FREEBSD_FACTS_H

#include "host/freebsd/parse.h"
#include "plan/facts.h"

struct ja_freebsd_source {
    /* Runs the program of that name. What it printed, errors among it, in *output, all of it; its exit status. Negative when
     * it could not be run: JA_E_NOTFOUND when there is no such program, JA_E_LIMIT when it printed too much. */
    int (*run)(void *context, char *const *argv, struct ja_str *output, int *ret_status, struct ja_error *err);
    void *context;
    /* The host's interfaces in place of `ifconfig -a`; may be NULL. */
    int (*links)(struct ja_freebsd_links *links, struct ja_error *err);
    /* Answers all missing facts of ZFS; NULL: they are absent. */
    int (*zfs)(struct ja_facts *facts, struct ja_error *err);
};

/* Answers all missing facts; for struct ja_fact_reader. `context` is a const struct ja_freebsd_source *. */
int ja_freebsd_facts_read(void *context, struct ja_facts *facts, struct ja_error *err);

#endif
