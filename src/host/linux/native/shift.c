/*
 * shift.c: `jailadmin host shift-ids`: gives all files of a tree to another range of ids, for storage whose mounts cannot
 * be idmapped. The tree is hostile but at rest: nothing in it is followed, no other file system entered. What a change of
 * owner takes away is put back: set-user-id bits and file capabilities; ids inside capabilities and ACLs move along.
 *
 * Ids of the target range are left alone, so that a file with several names is shifted once. Ids outside both ranges stay as
 * they are: for a jail they are nobody's. A run that was cut off may have lost the set-user-id bit of one file: plans destroy
 * such a tree and begin anew.
 */
#include "base/file.h"
#include "host/linux/native/native.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A directory takes a descriptor while it is worked on; a tree that is deeper than this is no system's. */
#define CAPABILITY "security.capability"

enum { DEPTH_MOST = 400, XATTR_MOST = 65536 };

struct shift {
    int64_t from, to, count;
    dev_t device;
    struct ja_error *err;
    char *xattr; /* XATTR_MOST bytes */
};

static bool within(int64_t id, int64_t first, int64_t count)
{
    return id >= first && id - first < count;
}

static uint32_t moved(const struct shift *shift, uint32_t id)
{
    return within(id, shift->from, shift->count) ? (uint32_t)(id - shift->from + shift->to) : id;
}

/* ---- extended attributes ---- */

/* Attributes that this file system has not, or this file not. */
static bool none_here(int sys)
{
    return sys == ENODATA || sys == EOPNOTSUPP || sys == ENOSYS || sys == EPERM;
}

/* Capabilities of a file hold for the user namespace whose root is named in them; without one, for the host's. */
static size_t move_capability(const struct shift *shift, char *value, size_t size)
{
    struct vfs_ns_cap_data cap = {0};
    if (size != XATTR_CAPS_SZ_2 && size != XATTR_CAPS_SZ_3)
        return size;
    memcpy(&cap, value, size);
    uint32_t root = moved(shift, size == XATTR_CAPS_SZ_3 ? le32toh(cap.rootid) : 0);
    uint32_t flags = le32toh(cap.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE;
    cap.rootid = htole32(root);
    cap.magic_etc = htole32((root ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2) | flags);
    size = root ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2;
    memcpy(value, &cap, size);
    return size;
}

/* A POSIX ACL as the kernel shows it: a version, then entries of tag, permissions and id; little endian. */
static size_t move_acl(const struct shift *shift, char *value, size_t size)
{
    enum { HEADER = 4, ENTRY = 8, ACL_USER = 0x02, ACL_GROUP = 0x08 };
    for (size_t at = HEADER; at + ENTRY <= size; at += ENTRY) {
        uint16_t tag;
        uint32_t id;
        memcpy(&tag, value + at, sizeof tag);
        memcpy(&id, value + at + 4, sizeof id);
        if (le16toh(tag) != ACL_USER && le16toh(tag) != ACL_GROUP)
            continue;
        id = htole32(moved(shift, le32toh(id)));
        memcpy(value + at + 4, &id, sizeof id);
    }
    return size;
}

static int move_xattr(const struct shift *shift, const char *path, const char *name,
                      size_t (*move)(const struct shift *shift, char *value, size_t size))
{
    ssize_t size = getxattr(path, name, shift->xattr, XATTR_MOST - sizeof(struct vfs_ns_cap_data));
    if (size < 0)
        return none_here(errno) ? 0 : ja_error_sys(shift->err, errno, NULL, "cannot read %s", name);
    size_t length = move(shift, shift->xattr, (size_t)size);
    if (setxattr(path, name, shift->xattr, length, 0) < 0)
        return ja_error_sys(shift->err, errno, NULL, "cannot write %s", name);
    return 0;
}

/* ---- one file ---- */

/* `fd` is an O_PATH descriptor. Attributes and modes of what it stands for are reached by its name in /proc. */
static int shift_file(const struct shift *shift, int fd, const struct stat *info)
{
    char path[64];
    uint32_t uid = moved(shift, info->st_uid), gid = moved(shift, info->st_gid);
    ssize_t capability = -1;
    char saved[sizeof(struct vfs_ns_cap_data)];
    bool link = S_ISLNK(info->st_mode);
    if (uid == info->st_uid && gid == info->st_gid)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    /* ACLs before the owner: the owner says that all of a file has been done. */
    if (!link) {
        int rc = move_xattr(shift, path, "system.posix_acl_access", move_acl);
        if (rc == 0 && S_ISDIR(info->st_mode))
            rc = move_xattr(shift, path, "system.posix_acl_default", move_acl);
        if (rc < 0)
            return rc;
    }
    if (S_ISREG(info->st_mode))
        capability = getxattr(path, CAPABILITY, saved, sizeof saved);
    if (capability < 0 && S_ISREG(info->st_mode) && !none_here(errno))
        return ja_error_sys(shift->err, errno, NULL, "cannot read %s", CAPABILITY);
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
        return ja_error_sys(shift->err, errno, NULL, "cannot change the owner");
    if (S_ISREG(info->st_mode) && (info->st_mode & (S_ISUID | S_ISGID)) && chmod(path, info->st_mode & 07777) < 0)
        return ja_error_sys(shift->err, errno, NULL, "cannot put the mode back");
    if (capability > 0) {
        char value[sizeof(struct vfs_ns_cap_data)];
        memcpy(value, saved, (size_t)capability);
        size_t length = move_capability(shift, value, (size_t)capability);
        if (setxattr(path, CAPABILITY, value, length, 0) < 0)
            return ja_error_sys(shift->err, errno, NULL, "cannot put the capabilities back");
    }
    return 0;
}

/* ---- the tree ---- */

static int shift_at(const struct shift *shift, int parent, const char *name, int depth);

/* All names of a directory, and then itself. */
static int shift_directory(const struct shift *shift, int fd, int depth)
{
    int reading = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    DIR *dir = reading < 0 ? NULL : fdopendir(reading);
    if (!dir) {
        int sys = errno;
        if (reading >= 0)
            close(reading);
        return ja_error_sys(shift->err, sys, NULL, "cannot read a directory");
    }
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            (rc = shift_at(shift, dirfd(dir), entry->d_name, depth + 1)) < 0)
            break;
    }
    if (rc == 0 && errno)
        rc = ja_error_sys(shift->err, errno, NULL, "cannot read a directory");
    closedir(dir);
    return rc;
}

static int shift_at(const struct shift *shift, int parent, const char *name, int depth)
{
    struct stat info;
    ja_autoclose int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) < 0)
        return ja_error_sys(shift->err, errno, NULL, "cannot open %s", JA_SHOW(name));
    if (info.st_dev != shift->device)
        return ja_error_set(shift->err, JA_E_DENIED, NULL, "another file system is mounted at %s", JA_SHOW(name));
    int rc = 0;
    if (S_ISDIR(info.st_mode)) {
        if (depth > DEPTH_MOST)
            rc = ja_error_set(shift->err, JA_E_LIMIT, NULL, "the tree is deeper than %d directories", DEPTH_MOST);
        else
            rc = shift_directory(shift, fd, depth);
    }
    if (rc == 0 && (rc = shift_file(shift, fd, &info)) < 0)
        ja_error_wrap(shift->err, "%s", JA_SHOW(name));
    return rc;
}

int ja_verb_shift_ids(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    const char *from = NULL, *to = NULL, *count = NULL;
    struct shift shift = {.err = err};
    struct stat info;
    int first, rc;
    const struct ja_opt options[] = {
        {.name = "--from", .value = &from}, {.name = "--to", .value = &to}, {.name = "--count", .value = &count}, {0}};
    if ((rc = ja_opt_read(argc, argv, options, &first, err)) < 0 ||
        (rc = ja_opt_number("--count", count, 1, UINT32_MAX - 1, &shift.count, err)) < 0 ||
        (rc = ja_opt_number("--from", from, 0, UINT32_MAX - 1 - shift.count, &shift.from, err)) < 0 ||
        (rc = ja_opt_number("--to", to, 0, UINT32_MAX - 1 - shift.count, &shift.to, err)) < 0)
        return rc;
    if (first != argc - 1 || argv[first][0] != '/')
        return ja_opt_usage(argv[0], err);
    if (within(shift.from, shift.to, shift.count) || within(shift.to, shift.from, shift.count))
        return ja_error_set(err, JA_E_USAGE, NULL, "the two ranges overlap");
    const char *tree = argv[first];
    ja_autofree char *xattr = ja_malloc(XATTR_MOST);
    if (!xattr)
        return ja_error_nomem(err);
    shift.xattr = xattr;
    if (lstat(tree, &info) < 0)
        return ja_file_error(err, errno, tree, "look at it");
    if (!S_ISDIR(info.st_mode))
        return ja_error_set(err, JA_E_INVALID, tree, "it is not a directory");
    shift.device = info.st_dev;
    rc = shift_at(&shift, AT_FDCWD, tree, 0);
    return rc < 0 ? ja_error_wrap(err, "cannot shift the ids of %s", tree) : 0;
}
