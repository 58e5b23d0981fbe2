/*
 * lock.h: locks between processes: flock(2) on files of the state directory. They are free when their holder dies.
 * Descriptors are close-on-exec, so that no step inherits one.
 */
#ifndef JA_LOCK_H
#define JA_LOCK_H

#include "base/base.h"

struct ja_lock {
    int fd; /* -1: not held */
    char path[512];
};
#define JA_LOCK_INIT                                                                                                   \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* Takes PATH (made if needed, 0600), shared or exclusive. Waits up to wait_ms, then fails with JA_E_BUSY and names the holder
 * from the file's text ("jailadmin stop web1, process 4711"). `who` is written by an exclusive holder. A file that was
 * removed by its last holder while we waited is made again. Ctrl-C ends the wait with JA_E_INTERRUPTED. Who wants it alone is not
 * passed by others: they wait behind (PATH.next, there while somebody waits). So a process that takes several must
 * take them in the order that all others keep, also where it would only share. */
int ja_lock_take(const char *path, bool shared, int64_t wait_ms, const char *who, struct ja_lock *ret_lock,
                 struct ja_error *err);
/* Releases; `remove` unlinks the file first (only for exclusive holders, when its object is gone). */
void ja_lock_release(struct ja_lock *lock, bool remove);

#endif
