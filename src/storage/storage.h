/*
 * storage.h: where trees live: emitters that append the storage's commands to a plan. btrfs.c and zfs.c.
 * Paths are those of planning.h; the pool is mounted at site->pool.
 */
#ifndef JA_STORAGE_H
#define JA_STORAGE_H

#include "plan/planning.h"

struct ja_storage {
    const char *name; /* "btrfs" */
    /* Makes the pool (init), undoable; and takes it away (teardown), repeatable. */
    void (*pool_create)(struct ja_planning *p, int64_t loop_size);
    void (*pool_destroy)(struct ja_planning *p);
    bool (*pool_mounted)(struct ja_planning *p);
    void (*pool_mount)(struct ja_planning *p);
    void (*pool_unmount)(struct ja_planning *p);
    /* An empty tree for a template version, undoable; sealed: read-only from now on. */
    void (*template_create)(struct ja_planning *p, const char *name, const char *version, const char *uuid);
    void (*template_seal)(struct ja_planning *p, const char *name, const char *version, const char *uuid);
    /* A jail's tree as a template, for working on it: as it is now, or as a snapshot has it. */
    void (*template_from_jail)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot,
                               const char *name, const char *version, const char *uuid);
    /* What is done in the pool comes to its disk in that order: see copies.h. */
    bool in_order;
    /* The jail's own directories; with the commit of jail_create or jail_clone they, and what was flushed there, are on the disk.
     * May be NULL: they come with the tree. */
    void (*jail_dirs)(struct ja_planning *p, const struct ja_jail *jail);
    /* The jail's root tree as a clone of a template version, its volumes. Undoable. */
    void (*jail_create)(struct ja_planning *p, const struct ja_jail *jail);
    /* The same from another jail's tree and volumes, as they are now (snapshot NULL) or as they were. */
    void (*jail_clone)(struct ja_planning *p, const struct ja_jail *from, const struct ja_snapshot *snapshot,
                       const struct ja_jail *jail);
    /* Out of the way into deleted/<uuid>, undoable; then destroyed, repeatable. */
    void (*jail_retire)(struct ja_planning *p, const struct ja_jail *jail);
    void (*jail_destroy)(struct ja_planning *p, const struct ja_jail *jail);
    void (*jail_rename)(struct ja_planning *p, const struct ja_jail *jail, const char *to);
    /* One volume of a jail that exists: made, undoably; out of the way, undoably; destroyed, repeatably. */
    void (*volume_create)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume);
    void (*volume_retire)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume);
    void (*volume_destroy)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume);
    /* Changes the disk limits of a jail's trees (all boot environments and volumes), undoably, where `old` and `new` differ. May be NULL: no such limits. */
    void (*jail_limit)(struct ja_planning *p, const struct ja_jail *old, const struct ja_jail *new);
    /* The bytes of a jail's tree, or of one of its volumes, as their limits count them, as JA_FACT_USED tells them; NULL: not known. */
    const char *(*jail_used)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume);
    /* Template versions: retire and destroy, or rename the whole template. */
    void (*template_retire)(struct ja_planning *p, const char *name, const char *version, const char *uuid);
    void (*template_destroy)(struct ja_planning *p, const char *uuid);
    /* What holds the versions of a template, once there is none; repeatable. May be NULL: nothing but its directory. */
    void (*template_forget)(struct ja_planning *p, const char *name);
    void (*template_rename)(struct ja_planning *p, const struct ja_template *template, const char *to);
    /* After the commit: what is left under its old name; repeatable. May be NULL: nothing. */
    void (*template_renamed)(struct ja_planning *p, const struct ja_template *template);
    /* Trees that are mounted one by one: whether a jail's are, and the step that mounts them. Both may be NULL: they come
     * with the pool. */
    bool (*jail_mounted)(struct ja_planning *p, const struct ja_jail *jail);
    void (*jail_mount)(struct ja_planning *p, const struct ja_jail *jail);
    /* Boot environments of a jail: adds the names of their trees, in order. */
    void (*environments)(struct ja_planning *p, const struct ja_jail *jail, struct ja_strv *ret_names);
    /* A tree as a copy of another one of the jail (`from`), as it is now, or as a snapshot has it; undoable. */
    void (*be_create)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_be *be, const char *from,
                      const struct ja_snapshot *snapshot);
    /* Out of the way into deleted/<uuid>, undoable; then destroyed, repeatable. With clones it waits there for the last one. */
    void (*be_retire)(struct ja_planning *p, const struct ja_jail *jail, const char *be, const char *uuid);
    void (*be_destroy)(struct ja_planning *p, const struct ja_jail *jail, const char *uuid);
    /* Adds all snapshots of a jail's trees, struct ja_snapshot, oldest first; those of others are marked as foreign. */
    void (*snapshots)(struct ja_planning *p, const struct ja_jail *jail, struct ja_list *ret_list);
    /* Of the jail's active tree and its volumes, all steps undoable: the last one, which keeps the record, may be the commit. */
    void (*snapshot_create)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot);
    /* Out of the way, undoably (the last step may be the commit); then destroyed, repeatable. One that clones hang on waits,
     * out of sight, for the last of them. */
    void (*snapshot_retire)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot);
    void (*snapshot_destroy)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot);
    /* Trees of a stopped jail as a snapshot has them: undoable checks and steps before the commit, repeatable ones after it; and
     * the names of the snapshots that go with it (may be NULL: none do). */
    void (*rollback_prepare)(struct ja_planning *p, const struct ja_rollback *rollback);
    void (*rollback_finish)(struct ja_planning *p, const struct ja_rollback *rollback);
    void (*rollback_lost)(struct ja_planning *p, const struct ja_rollback *rollback, struct ja_strv *ret_names);
};

extern const struct ja_storage ja_storage_btrfs, ja_storage_zfs;

#endif
