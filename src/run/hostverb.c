/*
 * hostverb.c: the host verbs that are the same on every system, and the search for one by its name.
 */
#include "run/hostverb.h"

#include "run/hostverbs.h"

#include <string.h>

static const struct ja_hostverb portable[] = {
    {"write", "[--root ROOT] [--mode MODE] [--uid N] [--gid N] [--new] [--sync|--flush] PATH",
     "write standard input into a file, as a whole or not at all; with --new it must not exist, with --sync "
     "it is on the disk when this ends, with --flush when a snapshot on the same btrfs has been made after it",
     ja_verb_write, JA_HOSTVERB_INPUT},
    {"remove", "[--root ROOT] PATH", "remove a file or a symbolic link, if it is there", ja_verb_remove, 0},
    {"mkdir", "[--root ROOT] [--mode MODE] PATH", "make one directory, which must not exist", ja_verb_mkdir, 0},
    {"rmdir", "PATH", "remove an empty directory, if it is there", ja_verb_rmdir, 0},
    {"remove-tree", "PATH", "remove a directory and all that is in it, unless something is mounted there",
     ja_verb_remove_tree, 0},
    {"rename", "FROM TO", "rename a file or directory to a name that must not exist", ja_verb_rename, 0},
    {"swap", "FROM PLACE ASIDE",
     "rename PLACE to ASIDE and FROM to PLACE; one that was cut off in between is ended. swap ASIDE PLACE FROM undoes it",
     ja_verb_swap, 0},
    {"sync", "DIR", "have all on the disk that was written to the file system of a directory", ja_verb_sync, 0},
    {"symlink", "TARGET PATH", "make a symbolic link, which must not exist", ja_verb_symlink, 0},
    {"setting", "acquire TAG NAME VALUE | release TAG NAME",
     "set a kernel setting for an instance, or put it back when no instance needs it any more", ja_verb_setting, 0},
    {"truncate", "SIZE FILE", "make a sparse file of that many bytes, which must not exist", ja_verb_truncate, 0},
    {"template-busybox", "PROGRAM TREE", "fill an empty tree with a small system made of one static busybox",
     ja_verb_template_busybox, 0},
    {"instance-register", "TAG", "register the instance that standard input describes, unless it is registered already",
     ja_verb_instance_register, JA_HOSTVERB_INPUT},
    {"template-tar", "[--sha256 SUM | --manifest FILE] [--members N] ARCHIVE TREE",
     "unpack a tar archive, compressed or not, into an empty tree; nothing of it leads out of the tree. --manifest: its "
     "checksum is that of base.txz in a MANIFEST of a FreeBSD release",
     ja_verb_template_tar, JA_HOSTVERB_PROCESS},
    {"template-clean", "TREE", "take out of a tree what must be one jail's own: machine-id, host keys, random seed",
     ja_verb_template_clean, 0},
    {"zfs-mount", "[--below] DATASET",
     "mount a dataset that is mounted by explicit commands only, with --below all such ones below it too",
     ja_verb_zfs_mount, 0},
    {"zfs-unmount", "DATASET", "unmount a dataset and all below it; waits for what is busy, then says who holds it",
     ja_verb_zfs_unmount, 0},
    {"zfs-rename", "[--mount-if-mounted DIR] FROM TO MARK",
     "unmount and rename the dataset that bears the mark; then mount it again if something is mounted at DIR",
     ja_verb_zfs_rename, 0},
    {"zfs-destroy", "[--empty] [--deleted DATASET] NAME... MARK",
     "destroy the datasets that bear the mark, with all below them unless --empty, or snapshots; none is success. With "
     "--deleted it stays while it has clones, and what waits there for its last clone is destroyed",
     ja_verb_zfs_destroy, 0},
    {"mount-point", "TREE PATH", "make the place of a mount beneath a tree; a symbolic link on the way is refused",
     ja_verb_mount_point, 0},
    {"log-trim", "--limit N FILE...", "keep the logs of jails bounded", ja_verb_log_trim, 0},
    {"registry-remove", "TAG", "forget an instance, and let its kernel settings go", ja_verb_registry_remove, 0},
    {NULL, NULL, NULL, NULL, 0},
};

const struct ja_hostverb *ja_hostverb_portable(void)
{
    return portable;
}

const struct ja_hostverb *ja_hostverb_find(const char *name)
{
    const struct ja_hostverb *const tables[] = {portable, ja_hostverb_native()};
    for (size_t i = 0; i < JA_COUNT(tables); i++) {
        for (const struct ja_hostverb *verb = tables[i]; verb->name; verb++) {
            if (strcmp(verb->name, name) == 0)
                return verb;
        }
    }
    return NULL;
}
