/*
 * powerguest.h: a guest of user-mode Linux on disks that lose what was not flushed, told what to do line by line.
 */
#ifndef POWERGUEST_H
#define POWERGUEST_H

#include "lossydisk.h"

#include <sys/types.h>

enum { GUEST_ANSWERED, GUEST_CUT, GUEST_DEAD, GUEST_LATE };

struct guest {
    struct lossy_power power;
    const char *dir, *script, *program, *self, *pool, *places; /* places of the disks, with commas between them */
    pid_t pid;
    int console;
    unsigned number; /* of the last command */
    char *text;      /* what came and was not taken */
    size_t length;
    long heard;           /* bytes of its messages that were looked at */
    int64_t cut_after_ms; /* the power goes so long after the next command; 0: does not */
};

/* Boots it. */
int guest_boot(struct guest *guest);
/*
 * Runs a shell command there. ANSWERED: *ret_status and *ret_output (freed by the caller) are set. CUT: the power is off, and the guest is
 * killed; when the answer had come out of it before, it is GUEST_ANSWERED all the same, with power.off.
 */
int guest_ask(struct guest *guest, const char *command, int64_t timeout_ms, int *ret_status, char **ret_output);
/* Whether it ended because somebody stopped and continued its processes, which user-mode Linux does not survive; asked once. */
bool guest_was_stopped(struct guest *guest);
/* Kills it, as the power does. */
void guest_kill(struct guest *guest);
/* In the guest: gives its kernel the randomness that is in the environment ($ENTROPY), which it would wait seconds for. */
int guest_give_entropy(void);
int64_t guest_clock_ms(void);

#endif
