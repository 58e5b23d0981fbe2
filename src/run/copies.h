/*
 * copies.h: copies of plans, kept in the pool that they change.
 *
 * btrfs brings changes to the disk in the order in which they were made, a transaction as a whole: when the copy is made first, nothing
 * of what a plan makes there survives a power cut without it. So a plan that makes lasting things only in the pool need not
 * wait until its journal, on another file system, is on the disk. A copy is an extended attribute of the pool's directory, which only
 * the host's root can see. Elsewhere than on btrfs there are none.
 *
 * This does not hold for what somebody syncs alone, with fsync(2): a step that does that is not for such a plan.
 */
#ifndef JA_COPIES_H
#define JA_COPIES_H

#include "base/base.h"
#include "base/str.h"

/* Whether the pool is mounted, and of a kind that can keep copies. */
bool ja_copies_possible(const char *pool);
/* Keeps a text under a UUID. False, with nothing changed: it is too long, or it cannot be kept now. */
bool ja_copy_put(const char *pool, const char *id, const char *text, size_t length);
/* 1 and a text, the caller's, with its length; 0: there is none. */
int ja_copy_get(const char *pool, const char *id, char **ret_text, size_t *ret_length, struct ja_error *err);
/* False only if there is none. */
bool ja_copy_may_be(const char *pool, const char *id);
void ja_copy_remove(const char *pool, const char *id);
/* The ids of all. A pool that is not mounted has none. */
int ja_copies_list(const char *pool, struct ja_strv *ret_ids, struct ja_error *err);

#endif
