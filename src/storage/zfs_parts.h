/*
 * zfs_parts.h: what the files of the ZFS storage share. Only src/storage includes it.
 */
#ifndef JA_ZFS_PARTS_H
#define JA_ZFS_PARTS_H

#include "storage/storage.h"

#define JA_DATASET_MARK "jailadmin:mark"

enum { JA_DATASET_SIZE = 256, JA_MARK_SIZE = 80 };

/* What a step makes and destroys: a dataset's or a snapshot's name. ZFS allows 255 bytes. */
struct ja_dataset {
    char name[JA_DATASET_SIZE];
};

/* Below the instance's own; "" for that itself. A name that is too long fails the plan. */
struct ja_dataset ja_dataset(struct ja_planning *p, const char *format, ...) JA_PRINTF(2, 3);
void ja_dataset_mark(const struct ja_planning *p, const char *uuid, char mark[JA_MARK_SIZE]);

/* zfs_snapshot.c; see struct ja_storage. */
void ja_zfs_snapshots(struct ja_planning *p, const struct ja_jail *jail, struct ja_list *ret_list);
void ja_zfs_snapshot_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot);
void ja_zfs_snapshot_retire(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot);
void ja_zfs_snapshot_destroy(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot);
void ja_zfs_rollback_prepare(struct ja_planning *p, const struct ja_rollback *rollback);
void ja_zfs_rollback_finish(struct ja_planning *p, const struct ja_rollback *rollback);
void ja_zfs_rollback_lost(struct ja_planning *p, const struct ja_rollback *rollback, struct ja_strv *ret_names);

#endif
