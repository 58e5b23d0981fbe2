/*
 * treediff.h: what differs between a tree and an earlier state of it that was kept as a snapshot of btrfs.
 */
#ifndef JA_TREEDIFF_H
#define JA_TREEDIFF_H

#include "base/base.h"

/*
 * Calls `each` for every path in which two trees differ, in order of the names: '+' it is new, '-' it is gone, 'M' it is another
 * file, or its contents or attributes were changed. Paths begin with "/"; "/" is the tree itself. They are the jail's words, not to be
 * shown as they are.
 *
 * Files are told apart by inode number and time of change, which a snapshot shares with its origin, and which nobody in a jail can
 * set; contents are not read. Symbolic links are not followed and other file systems not entered. A jail may work in its tree
 * meanwhile. What lies deeper than 200 directories is not compared.
 */
int ja_tree_diff(const char *then, const char *now,
                 int (*each)(void *context, char change, const char *path, struct ja_error *err), void *context,
                 struct ja_error *err);

#endif
