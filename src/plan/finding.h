/*
 * finding.h: what doctor finds: pure, from facts, so that a host can be examined from afar by its facts file.
 */
#ifndef JA_FINDING_H
#define JA_FINDING_H

#include "plan/planning.h"

enum ja_level { JA_LEVEL_OK, JA_LEVEL_WARN, JA_LEVEL_BAD };
const char *ja_level_name(enum ja_level level);

struct ja_finding {
    enum ja_level level;
    char subject[64]; /* "kernel", "pool", "jail web1" */
    char what[400];
    char remedy[400]; /* "" for ok */
};
struct ja_findings {
    struct ja_finding *items;
    size_t count;
    bool failed; /* memory ran out */
};
/* `remedy` is NULL for what is well. */
void ja_find(struct ja_findings *findings, enum ja_level level, const char *subject, const char *remedy,
             const char *what, ...) JA_PRINTF(5, 6);
void ja_findings_fini(struct ja_findings *findings);

/* The pool: mounted, healthy, with space. `p->site` is that of an instance. */
void ja_examine_pool(struct ja_planning *p, struct ja_findings *findings);

#endif
