/*
 * zfs.h: the zfs command, for the fact reader and for host verbs. The same code for OpenZFS on FreeBSD and Linux and for
 * zfs-fuse: only what all of them print alike is read.
 */
#ifndef JA_ZFS_H
#define JA_ZFS_H

#include "plan/facts.h"

/* The user property of everything that is ours: "INSTANCE-UUID OBJECT-UUID". It counts only where its source is local:
 * a dataset that an administrator makes below ours inherits the value, and is not ours. */
#define JA_ZFS_MARK "jailadmin:mark"
/* What is known of a snapshot that a user took, as JSON on one line; it has a mark of its own. */
#define JA_ZFS_RECORD "jailadmin:snapshot"

/* One dataset, as `zfs list` tells of it. The texts are owned by the list. */
struct ja_zfs_dataset {
    char *name;
    char *mountpoint; /* as it is set: an absolute path, "none", "legacy", "-" */
    char *origin;     /* the snapshot that it is a clone of; "-": none */
    bool mounted;
    bool noauto; /* it is mounted by an explicit command only, as all trees of ours are */
};
struct ja_zfs_list {
    struct ja_zfs_dataset *items;
    size_t count;
};

/*
 * Runs zfs with the words up to a NULL. What it printed is appended to *output (may be NULL). Its failures by what they
 * mean: JA_E_NOTFOUND (no such dataset), JA_E_BUSY (in use), JA_E_EXISTS, JA_E_CONFLICT (it has children, or clones
 * elsewhere), else JA_E_FAILED; err->command and err->output are filled.
 */
int ja_zfs_run(const struct ja_strv *words, struct ja_str *output, struct ja_error *err);
/* The same for questions about several datasets: status 1 is no error, what was printed tells which of them are missing. */
int ja_zfs_ask(const struct ja_strv *words, struct ja_str *output, struct ja_error *err);
int ja_zfs(struct ja_error *err, ...) __attribute__((sentinel));
/* What a failure of zfs that printed this is. */
int ja_zfs_code(const char *printed);

/* File systems and volumes: `top` alone, or with all below it, parents first. JA_E_NOTFOUND. */
int ja_zfs_list(const char *top, bool below, struct ja_zfs_list *ret_list, struct ja_error *err);
/* The lines of `zfs list -H -o name,mounted,mountpoint,canmount,origin`. */
int ja_zfs_list_parse(char *text, struct ja_zfs_list *ret_list, struct ja_error *err);
/* Adds a copy. */
int ja_zfs_list_add(struct ja_zfs_list *list, const struct ja_zfs_dataset *item, struct ja_error *err);
void ja_zfs_list_fini(struct ja_zfs_list *list);

/* Answers all missing facts of ZFS (ja_fact_is_zfs), of many datasets by one process. */
int ja_zfs_facts_read(struct ja_facts *facts, struct ja_error *err);
/* Answers dataset facts from what `zfs get -Hp -o name,value,source jailadmin:mark` printed, errors among it. */
int ja_zfs_facts_parse(char *text, struct ja_facts *facts, struct ja_error *err);
/* Answers the kinds snapshots and clones; ja_zfs_facts_read calls it. */
int ja_zfs_snapshot_facts_read(struct ja_facts *facts, struct ja_error *err);
/* Answers snapshots of these datasets from what `zfs get -Hp -r -d 3 -o name,property,value,source` printed of used, creation,
 * createtxg, jailadmin:mark and jailadmin:snapshot, and clones of these snapshots from `zfs list -H -o name,origin`. */
int ja_zfs_snapshots_parse(const char *text, struct ja_facts *facts, const struct ja_strv *names, struct ja_error *err);
int ja_zfs_clones_parse(char *text, struct ja_facts *facts, const struct ja_strv *names, struct ja_error *err);
/* Answers used facts from what `zfs get -Hp -o name,value referenced` printed, errors among it. */
int ja_zfs_used_parse(char *text, struct ja_facts *facts, struct ja_error *err);
/* One dataset's mark, the caller's; NULL: it is there and has none. JA_E_NOTFOUND. */
int ja_zfs_mark(const char *name, char **ret_mark, struct ja_error *err);

/*
 * Unmounts all datasets of the list, the last one first, and removes the empty directories where they were. "Busy" is tried
 * again for a while; then the error says who holds what.
 */
int ja_zfs_unmount_all(const struct ja_zfs_list *list, struct ja_error *err);
/* Mounts what is to be mounted by explicit commands and is not. On Linux set-user-id programs and devices count for
 * nothing in these mounts. */
int ja_zfs_mount_all(const struct ja_zfs_list *list, struct ja_error *err);
/* Runs zfs, and tries again for a while when something is busy. `dir` (may be NULL): where holders are looked for then. */
int ja_zfs_patiently(const struct ja_strv *words, const char *dataset, const char *dir, struct ja_error *err);

/* Who holds the file system at `dir`, as one sentence for an error; "" when nobody was found. `dataset` may be NULL. */
void ja_holders(const char *dir, const char *dataset, char *text, size_t size);

#endif
