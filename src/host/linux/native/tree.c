/*
 * tree.c: `jailadmin host tree-delete PATH`: removes a directory with the btrfs subvolumes in it. rm(1) is slow on a
 * subvolume and cannot remove a read-only one.
 */
#include "base/file.h"
#include "host/linux/native/native.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The inode number of every subvolume's top directory. */
#define SUBVOLUME_INODE 256

enum { DEPTH_MOST = 4 };

static bool is_subvolume(int fd)
{
    struct stat st;
    struct statfs fs;
    return fstat(fd, &st) == 0 && st.st_ino == SUBVOLUME_INODE && fstatfs(fd, &fs) == 0 &&
           fs.f_type == BTRFS_SUPER_MAGIC;
}

static int destroy(int parent, const char *name, struct ja_error *err)
{
    struct btrfs_ioctl_vol_args args = {0};
    snprintf(args.name, sizeof args.name, "%s", name);
    if (ioctl(parent, BTRFS_IOC_SNAP_DESTROY, &args) < 0)
        return ja_error_sys(err, errno, NULL, "cannot delete the subvolume %s", name);
    return 0;
}

static int delete_at(int parent, const char *name, int depth, struct ja_error *err);

/* Empties a directory that is no subvolume: directories of ours that hold subvolumes, at most a few deep. */
static int empty(int fd, int depth, struct ja_error *err)
{
    int copy = dup(fd), rc = 0;
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir)
        return ja_error_sys(err, errno, NULL, "cannot read a directory");
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = delete_at(fd, entry->d_name, depth + 1, err);
    closedir(dir);
    return rc;
}

static int delete_at(int parent, const char *name, int depth, struct ja_error *err)
{
    ja_autoclose int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return unlinkat(parent, name, 0) < 0 ? ja_error_sys(err, errno, NULL, "cannot remove %s", name) : 0;
    if (is_subvolume(fd))
        return destroy(parent, name, err);
    if (depth > DEPTH_MOST)
        return ja_error_set(err, JA_E_FAILED, NULL, "%s lies deeper than anything of ours", name);
    int rc = empty(fd, depth, err);
    if (rc == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        rc = ja_error_sys(err, errno, NULL, "cannot remove %s", name);
    return rc;
}

int ja_verb_tree_delete(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    const char *slash = argc == 2 ? strrchr(argv[1], '/') : NULL;
    if (!slash || argv[1][0] != '/' || slash == argv[1] || !ja_opt_plain_name(slash + 1))
        return ja_opt_usage(argv[0], err);
    ja_autofree char *dir = ja_strndup(argv[1], (size_t)(slash - argv[1]));
    if (!dir)
        return ja_error_nomem(err);
    ja_autoclose int parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return errno == ENOENT ? 0 : ja_error_sys(err, errno, NULL, "cannot open %s", dir);
    return delete_at(parent, slash + 1, 0, err);
}
