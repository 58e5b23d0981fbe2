/*
 * powerops.h: what test_powercut does to the jails of a guest, at random.
 */
#ifndef POWEROPS_H
#define POWEROPS_H

#include "powermodel.h"

#include <stdint.h>

enum { STATES = 5, COMMAND = 1024 };

/*
 * One command, and what there is before it, after each of the operations that it consists of, and so at its end. A power cut in it
 * leaves one of these; where it works on several jails that have nothing to do with each other, each of these is in one of them.
 */
struct op {
    const char *what;
    char command[COMMAND];
    struct world states[STATES];
    size_t count;
    bool apart;    /* the jails have nothing to do with each other */
    bool ticks;    /* snapshots of schedules may come and go */
    char want[32]; /* what it must print as its only line; empty: anything */
};

/* Begins anew, so that a seed leads to the same operations. */
void op_begin(void);
/* Takes one that can be done in this world. */
void op_choose(const struct world *world, uint64_t *random, struct op *ret_op);
/* Whether what was found can be what a cut has left of it; `done`: its end was reported. What differs is in text. */
bool op_allows(const struct op *op, const struct world *found, bool done, char text[3 * TEXT]);

#endif
