/*
 * btrfs.c: btrfs subvolume snapshot, create, delete and property set as ioctls, for the speed of a clone. What these do
 * not cover (other options, targets that exist) they decline, and the command itself is run.
 */
#include "host/linux/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int decline(struct ja_error *err)
{
    return ja_error_set(err, JA_E_UNSUPPORTED, NULL, "left to btrfs(8)");
}

/* Splits "/pool/jails/web1" and opens its directory. The last component goes to `ret_name` (BTRFS_SUBVOL_NAME_MAX + 1). */
static int open_parent(const char *path, int *ret_fd, char *ret_name, struct ja_error *err)
{
    size_t length = strlen(path);
    ja_autofree char *parent = NULL;
    const char *name;
    int fd;

    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    parent = ja_strndup(path, length);
    if (parent == NULL) {
        return ja_error_nomem(err);
    }
    name = strrchr(parent, '/');
    name = name == NULL ? parent : name + 1;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > BTRFS_SUBVOL_NAME_MAX) {
        return ja_error_set(err, JA_E_INVALID, NULL, "%s does not end with a name", path);
    }
    memcpy(ret_name, name, strlen(name) + 1);
    if (name == parent) {
        fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } else {
        parent[name - parent == 1 ? 1 : name - parent - 1] = '\0';
        fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot open the directory of %s", path);
    }
    *ret_fd = fd;
    return 0;
}

/* -r? SRC DST, a DST that does not exist yet. (btrfs(8) would put the snapshot into a DST that is a directory.) */
int ja_native_btrfs_snapshot(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    struct btrfs_ioctl_vol_args_v2 args = {0};
    ja_autoclose int source = -1, parent = -1;
    bool read_only = argc == 6 && strcmp(argv[3], "-r") == 0;
    struct stat info;
    int code;

    if ((argc != 5 && !read_only) || argv[argc - 2][0] == '-' || argv[argc - 1][0] == '-' ||
        lstat(argv[argc - 1], &info) == 0) {
        return decline(err);
    }
    source = open(argv[argc - 2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0) {
        return ja_error_sys(err, errno, NULL, "cannot open %s", argv[argc - 2]);
    }
    if ((code = open_parent(argv[argc - 1], &parent, args.name, err)) < 0) {
        return code;
    }
    args.fd = source;
    args.flags = read_only ? BTRFS_SUBVOL_RDONLY : 0;
    if (ioctl(parent, BTRFS_IOC_SNAP_CREATE_V2, &args) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot snapshot %s as %s", argv[argc - 2], argv[argc - 1]);
    }
    return 0;
}

int ja_native_btrfs_create(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    struct btrfs_ioctl_vol_args_v2 args = {0};
    ja_autoclose int parent = -1;
    int code;

    if (argc != 4 || argv[3][0] == '-') {
        return decline(err);
    }
    if ((code = open_parent(argv[3], &parent, args.name, err)) < 0) {
        return code;
    }
    if (ioctl(parent, BTRFS_IOC_SUBVOL_CREATE_V2, &args) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot make the subvolume %s", argv[3]);
    }
    return 0;
}

/* One failure does not keep the others: the command works on too, and fails at the end. */
int ja_native_btrfs_delete(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    int result = 0;

    if (argc < 4) {
        return decline(err);
    }
    for (int i = 3; i < argc; i++) {
        if (argv[i][0] == '-') {
            return decline(err);
        }
    }
    for (int i = 3; i < argc; i++) {
        struct btrfs_ioctl_vol_args_v2 args = {0};
        ja_autoclose int parent = -1;
        struct ja_error *first = result == 0 ? err : NULL;
        int code = open_parent(argv[i], &parent, args.name, first);

        if (code == 0 && ioctl(parent, BTRFS_IOC_SNAP_DESTROY_V2, &args) < 0) {
            code = ja_error_sys(first, errno, NULL, "cannot delete the subvolume %s", argv[i]);
        }
        result = result == 0 ? code : result;
    }
    return result;
}

/* -ts PATH ro true|false */
int ja_native_btrfs_property(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    struct btrfs_ioctl_get_subvol_info_args info = {0};
    static const __u8 none[BTRFS_UUID_SIZE];
    ja_autoclose int fd = -1;
    __u64 flags = 0;
    bool on;

    if (argc != 7 || strcmp(argv[3], "-ts") != 0 || argv[4][0] == '-' || strcmp(argv[5], "ro") != 0 ||
        (strcmp(argv[6], "true") != 0 && strcmp(argv[6], "false") != 0)) {
        return decline(err);
    }
    on = strcmp(argv[6], "true") == 0;
    fd = open(argv[4], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot read the flags of %s", argv[4]);
    }
    /* A received subvolume that becomes writable breaks incremental receives: the command has a say in that. */
    if (!on && ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) == 0 &&
        memcmp(info.received_uuid, none, sizeof(none)) != 0) {
        return decline(err);
    }
    flags = on ? flags | BTRFS_SUBVOL_RDONLY : flags & ~(__u64)BTRFS_SUBVOL_RDONLY;
    if (ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot set ro of %s to %s", argv[4], argv[6]);
    }
    return 0;
}
