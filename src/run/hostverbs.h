/*
 * hostverbs.h: the portable host verbs, one file each group. Only src/run includes it.
 */
#ifndef JA_HOSTVERBS_H
#define JA_HOSTVERBS_H

#include "run/hostverb.h"

ja_hostverb_fn ja_verb_write, ja_verb_remove, ja_verb_mkdir, ja_verb_rmdir;         /* hostverb_file.c */
ja_hostverb_fn ja_verb_remove_tree, ja_verb_rename, ja_verb_symlink;                /* hostverb_file.c */
ja_hostverb_fn ja_verb_swap, ja_verb_sync;                                          /* hostverb_file.c */
ja_hostverb_fn ja_verb_setting, ja_verb_registry_remove, ja_verb_instance_register; /* hostverb_file.c */
ja_hostverb_fn ja_verb_template_busybox, ja_verb_truncate;                          /* hostverb_busybox.c */
ja_hostverb_fn ja_verb_template_tar;                                                /* unpack.c */
ja_hostverb_fn ja_verb_template_clean;                                              /* hostverb_clean.c */
ja_hostverb_fn ja_verb_zfs_mount, ja_verb_zfs_unmount;                              /* hostverb_zfs.c */
ja_hostverb_fn ja_verb_zfs_rename, ja_verb_zfs_destroy;                             /* hostverb_zfs.c */
ja_hostverb_fn ja_verb_mount_point;                                                 /* hostverb_place.c */
ja_hostverb_fn ja_verb_log_trim;                                                    /* log.c */

#endif
