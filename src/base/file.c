/*
 * file.c: whole reads and atomic writes, the removal of trees, and access beneath a root whose contents are
 * hostile. Everything below works on directory descriptors: a name that was looked at is the name that is
 * used.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

/* How often a lookup is repeated that the kernel gave up because of a rename at the same moment. */
#define LOOKUP_TRIES 64

/* So deep the removal of a tree descends; what lies deeper is moved up first. Bounds descriptors and stack.
 */
#define REMOVE_DEPTH 32

#define TEMPORARY_NAME 24

int ja_file_error(struct ja_error *err, int sys, const char *path, const char *what)
{
    ja_error_sys(err, sys, path, "cannot %s", what);
    int code = JA_E_FAILED;
    switch (sys) {
    case ENOENT:
    case ENODEV: /* of an open file of /sys: its device or cgroup went away meanwhile */
        code = JA_E_NOTFOUND;
        break;
    case EEXIST:
        code = JA_E_EXISTS;
        break;
    case ENOMEM:
        code = JA_E_NOMEM;
        break;
    case ENOSYS:
        code = JA_E_UNSUPPORTED;
        break;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case EXDEV:
#ifdef ENOTCAPABLE
    case ENOTCAPABLE:
#endif
        code = JA_E_DENIED;
        break;
    }
    if (err)
        err->code = code;
    return code;
}

int ja_fd_write(int fd, const void *bytes, size_t length)
{
    const char *next = bytes;
    while (length > 0) {
        ssize_t n = write(fd, next, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        next += n;
        length -= (size_t)n;
    }
    return 0;
}

/* Reads until the end or until `size` bytes are there. The count, or -1 with errno. */
static ssize_t read_up_to(int fd, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t n = read(fd, buffer + length, size - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        length += (size_t)n;
    }
    return (ssize_t)length;
}

/* What Linux says of an attribute of an interface that is being removed, until the file is gone as well. */
static bool is_going(const char *path, int sys)
{
    static const char interfaces[] = "/sys/class/net/";
    return sys == EINVAL && strncmp(path, interfaces, sizeof interfaces - 1) == 0;
}

int ja_file_read(const char *path, size_t limit, char **ret_text, size_t *ret_length, struct ja_error *err)
{
    ja_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ja_file_error(err, errno, path, "open");
    /* The size of a file in /proc is not known before it is read: the buffer grows until a read does not fill
     * it. */
    ja_autofree char *text = NULL;
    size_t length = 0;
    for (size_t size = 4096; length <= limit; size *= 2) {
        size_t want = size <= limit ? size : limit + 1;
        char *grown = ja_realloc(text, want + 1);
        if (!grown)
            return ja_error_nomem(err);
        text = grown;
        ssize_t n = read_up_to(fd, text + length, want - length);
        if (n < 0)
            return ja_file_error(err, is_going(path, errno) ? ENODEV : errno, path, "read");
        length += (size_t)n;
        if (length < want)
            break;
    }
    if (length > limit)
        return ja_error_set(err, JA_E_LIMIT, path, "the file is larger than %zu bytes", limit);
    text[length] = '\0';
    *ret_text = text;
    text = NULL;
    if (ret_length)
        *ret_length = length;
    return 0;
}

/* The directory part of a path, in new memory, and where its last component begins. A last component that
 * names no entry of its own ("", ".", "..") is refused. */
static int split_path(const char *path, char **ret_dir, const char **ret_name, struct ja_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return ja_error_set(err, JA_E_INVALID, path, "the path does not end with a name");
    char *dir = !slash ? ja_strdup(".") : ja_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!dir)
        return ja_error_nomem(err);
    *ret_dir = dir;
    *ret_name = name;
    return 0;
}

/* What a new file is to be. An owner of -1 stays as it is. */
struct new_file {
    const char *bytes;
    size_t length;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    bool durable;
    bool create; /* what is there already is an error, and not replaced */
    bool flush;  /* goes to the disk with the file system's next commit */
};

/* Creates a file that was not there. 0 or -1 with errno. */
static int create_temporary(int dirfd, char ret_name[TEMPORARY_NAME])
{
    for (int i = 0; i < LOOKUP_TRIES; i++) {
        uint64_t number;
        if (getentropy(&number, sizeof number) != 0)
            return -1;
        snprintf(ret_name, TEMPORARY_NAME, ".ja-%016llx", (unsigned long long)number);
        int fd = openat(dirfd, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    errno = EEXIST;
    return -1;
}

/* 0 or -1 with errno. The owner comes first: changing it clears set-uid bits. */
static int fill_file(int fd, const struct new_file *file)
{
    bool owned = file->uid != (uid_t)-1 || file->gid != (gid_t)-1;
    if (ja_fd_write(fd, file->bytes, file->length) != 0)
        return -1;
    if (owned && fchown(fd, file->uid, file->gid) != 0)
        return -1;
    return fchmod(fd, file->mode);
}

/* Gives a finished file its name. 0 or -1 with errno. */
static int name_file(int dirfd, const char *temporary, const char *name, bool create)
{
    if (!create)
        return renameat(dirfd, temporary, dirfd, name);
    if (linkat(dirfd, temporary, dirfd, name, 0) != 0)
        return -1;
    return unlinkat(dirfd, temporary, 0);
}

/*
 * A file's sync holds its name as well, when it got that before: ext4, XFS, btrfs, ZFS and UFS with soft updates log the
 * directory's entry with the file. A sync of the directory would be a second wait for the disk, and find nothing to do.
 */
int ja_sync_named(int fd)
{
    return fsync(fd);
}

int ja_sync_filesystem(int fd)
{
#ifdef __linux__
    return syncfs(fd);
#else
    /* Of ZFS: what programs wrote is in its intent log when this returns. */
    (void)fd;
    sync();
    return 0;
#endif
}

/*
 * A commit of btrfs takes along what is in its trees by then: the file's name, and contents of up to max_inline bytes (2048 by itself),
 * but only when they are written back. More is written beside the trees and might not be complete: that is synced with the whole file
 * system, since a file that is synced alone may be on the disk without what was done before it. 0 or -1 with errno.
 */
static int flush_small(int fd, size_t length)
{
#ifdef __linux__
    enum { INLINE_MOST = 2000 };
    const unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (length <= INLINE_MOST && sync_file_range(fd, 0, 0, all) == 0)
        return 0;
#else
    (void)length;
#endif
    return ja_sync_filesystem(fd);
}

static void remove_file(int dirfd, const char *name)
{
    int saved = errno;
    unlinkat(dirfd, name, 0);
    errno = saved;
}

/* Makes the file under a temporary name and moves it to `name`. 0 or -1 with errno. */
static int put_file(int dirfd, const char *name, const struct new_file *file)
{
    char temporary[TEMPORARY_NAME];
    struct stat st;
    ja_autoclose int fd = create_temporary(dirfd, temporary);
    if (fd < 0)
        return -1;
    /* What replaces another must be whole when it does, so it is synced before too. */
    bool replaces = file->durable && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (fill_file(fd, file) != 0 || (replaces && fsync(fd) != 0) ||
        name_file(dirfd, temporary, name, file->create) != 0) {
        remove_file(dirfd, temporary);
        return -1;
    }
    return file->durable ? ja_sync_named(fd) : file->flush ? flush_small(fd, file->length) : 0;
}

int ja_file_write(const char *path, const char *bytes, size_t length, mode_t mode, bool durable, struct ja_error *err)
{
    ja_autofree char *dir = NULL;
    const char *name;
    int r = split_path(path, &dir, &name, err);
    if (r < 0)
        return r;
    ja_autoclose int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return ja_file_error(err, errno, path, "open the directory");
    struct new_file file = {bytes, length, mode, (uid_t)-1, (gid_t)-1, durable, false, false};
    return put_file(dirfd, name, &file) == 0 ? 0 : ja_file_error(err, errno, path, "write");
}

/* One directory of a trusted path, with exactly `mode` when it is new. 0 or -1 with errno. */
static int make_directory(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0)
        return chmod(path, mode);
    struct stat st;
    int saved = errno;
    if (stat(path, &st) != 0) {
        errno = saved;
        return -1;
    }
    if (S_ISDIR(st.st_mode))
        return 0;
    errno = ENOTDIR;
    return -1;
}

int ja_dir_make(const char *path, mode_t mode, struct ja_error *err)
{
    ja_autofree char *copy = ja_strdup(path);
    if (!copy)
        return ja_error_nomem(err);
    for (char *end = copy; *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char next = *end;
        *end = '\0';
        if (make_directory(copy, mode) != 0)
            return ja_file_error(err, errno, copy, "make the directory");
        *end = next;
    }
    return 0;
}

int ja_file_rename(const char *from, const char *to, struct ja_error *err)
{
#ifdef SYS_renameat2
    const unsigned no_replace = 1; /* RENAME_NOREPLACE of linux/fs.h */
    if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, no_replace) == 0)
        return 0;
    /* Some file systems (FUSE, older ZFS) do not know the flag. */
    if (errno != EINVAL && errno != ENOSYS)
        return ja_file_error(err, errno, errno == EEXIST ? to : from, "rename");
#endif
    struct stat st;
    if (lstat(to, &st) == 0)
        return ja_file_error(err, EEXIST, to, "rename");
    return rename(from, to) == 0 ? 0 : ja_file_error(err, errno, from, "rename");
}

/*
 * Lookups that the kernel confines.
 */

/* Where a lookup may lead: `path` below dirfd, links read as if dirfd were "/"... */
#define CONFINE_ROOT 1
/* ... or no link, no mount point, one directory. */
#define CONFINE_STEP 2

#ifdef __linux__
/* Of linux/openat2.h, which older systems do not have. */
struct open_request {
    uint64_t flags, mode, resolve;
};
#define OPENAT2_NUMBER 437
#define OPENAT2_NO_XDEV 0x01
#define OPENAT2_NO_MAGICLINKS 0x02
#define OPENAT2_NO_SYMLINKS 0x04
#define OPENAT2_IN_ROOT 0x10

static int open_confined(int dirfd, const char *path, int flags, mode_t mode, int confine)
{
    struct open_request request = {
        .flags = (uint64_t)(unsigned)flags,
        .mode = flags & O_CREAT ? mode & 07777 : 0,
        .resolve =
            confine == CONFINE_ROOT ? OPENAT2_IN_ROOT | OPENAT2_NO_MAGICLINKS : OPENAT2_NO_XDEV | OPENAT2_NO_SYMLINKS,
    };
    long fd = -1;
    for (int i = 0; i < LOOKUP_TRIES; i++) {
        fd = syscall(OPENAT2_NUMBER, dirfd, path, &request, sizeof request);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)fd;
}
#else
static int open_confined(int dirfd, const char *path, int flags, mode_t mode, int confine)
{
    return openat(dirfd, path, flags | (confine == CONFINE_ROOT ? O_RESOLVE_BENEATH : O_NOFOLLOW), mode);
}
#endif

/*
 * The removal of trees.
 */
struct remover {
    int top;        /* the tree's own directory, -1 before it is open */
    dev_t device;   /* of the tree */
    unsigned moved; /* directories moved up into top so far */
    const char *path;
};

/* Moves a directory that lies too deep to the top of the tree, where the next round meets it. 0 or -1 with
 * errno. */
static int move_up(struct remover *remover, int dirfd, const char *name)
{
    for (int i = 0; i < LOOKUP_TRIES; i++) {
        char to[TEMPORARY_NAME];
        snprintf(to, sizeof to, ".ja-moved-%u", remover->moved++);
        if (renameat(dirfd, name, remover->top, to) == 0)
            return 0;
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
            return -1;
    }
    return -1;
}

static int remove_entry(struct remover *remover, int dirfd, const char *name, int depth);

/* One round over the entries of a directory. 0 or -1 with errno. */
static int remove_entries(struct remover *remover, int dirfd, int depth)
{
    /* A descriptor of its own, because the position in the directory is its descriptor's. */
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        ja_cleanup_close(&fd);
        return -1;
    }
    int r = 0;
    while (r == 0) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            r = errno == 0 ? 0 : -1;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = remove_entry(remover, dirfd, entry->d_name, depth);
    }
    int saved = errno;
    closedir(dir);
    errno = saved;
    return r;
}

/* What is in the tree's own directory, again until no deep directory was moved there. 0 or -1 with errno. */
static int remove_top_entries(struct remover *remover, int fd)
{
    unsigned before;
    remover->top = fd;
    do {
        before = remover->moved;
        if (remove_entries(remover, fd, 1) != 0)
            return -1;
    } while (remover->moved != before);
    return 0;
}

/* A directory with all that is in it. 0 or -1 with errno. */
static int remove_directory(struct remover *remover, int dirfd, const char *name, int depth)
{
    ja_autoclose int fd = open_confined(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, CONFINE_STEP);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return -1;
    if (depth == 0)
        remover->device = st.st_dev;
    if (st.st_dev != remover->device) {
        errno = EXDEV;
        return -1;
    }
    if (depth == REMOVE_DEPTH)
        return move_up(remover, dirfd, name);
    int r = depth == 0 ? remove_top_entries(remover, fd) : remove_entries(remover, fd, depth + 1);
    if (r != 0)
        return -1;
    return unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

/* A file, a link, a directory. Gone already is success. 0 or -1 with errno. */
static int remove_entry(struct remover *remover, int dirfd, const char *name, int depth)
{
    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    int refused = errno;
    if (refused != EISDIR && refused != EPERM)
        return -1;
    if (remove_directory(remover, dirfd, name, depth) == 0)
        return 0;
    /* EPERM says "a directory" on FreeBSD, and elsewhere that this file may not be removed. */
    if (errno == ENOTDIR)
        errno = refused;
    return -1;
}

int ja_tree_remove(const char *path, struct ja_error *err)
{
    ja_autofree char *dir = NULL;
    const char *name;
    int r = split_path(path, &dir, &name, err);
    if (r < 0)
        return r;
    ja_autoclose int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return errno == ENOENT ? 0 : ja_file_error(err, errno, path, "open the directory of");
    struct remover remover = {.top = -1};
    if (remove_entry(&remover, dirfd, name, 0) == 0)
        return 0;
    if (errno != EXDEV)
        return ja_file_error(err, errno, path, "remove the tree");
    ja_error_set(err, JA_E_DENIED, path, "something is mounted in the tree, which is therefore not removed");
    ja_error_hint(err, "unmount what is mounted below %s", path);
    return JA_E_DENIED;
}

/*
 * Beneath a root.
 */

/* `path` as open_confined wants it: relative, and "." for the root itself. */
static const char *below(const char *path)
{
    path += strspn(path, "/");
    return *path ? path : ".";
}

/* Named as the host sees it. */
static int beneath_error(struct ja_error *err, int sys, const char *root, const char *path, const char *what)
{
    char object[2048];
    int length = snprintf(object, sizeof object, "%s/%s", root, below(path));
    /* Of what is too long, the end says more. */
    int most = (int)sizeof err->object - 1,
        skipped = length > most && length < (int)sizeof object ? length - most + 3 : 0;
    if (skipped)
        memcpy(object + skipped - 3, "...", 3);
    return ja_file_error(err, sys, skipped ? object + skipped - 3 : object, what);
}

int ja_beneath_open(const char *root, const char *path, int flags, mode_t mode, struct ja_error *err)
{
    ja_autoclose int rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (rootfd < 0)
        return ja_file_error(err, errno, root, "open the root");
    flags |= O_CLOEXEC;
    if (!(flags & O_PATH))
        flags |= O_NONBLOCK | O_NOCTTY;
    int fd = open_confined(rootfd, below(path), flags, mode, CONFINE_ROOT);
    return fd >= 0 ? fd : beneath_error(err, errno, root, path, "open");
}

/* Opens the directory in which `path` is, or is to be; `ret_name` is its name there. */
static int open_parent(const char *root, const char *path, int *ret_fd, const char **ret_name, struct ja_error *err)
{
    ja_autofree char *dir = NULL;
    const char *name;
    int r = split_path(path, &dir, &name, err);
    if (r < 0)
        return r;
    int fd = ja_beneath_open(root, dir, O_RDONLY | O_DIRECTORY, 0, err);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    *ret_name = name;
    return 0;
}

static int write_beneath(const char *root, const char *path, const struct new_file *file, struct ja_error *err)
{
    ja_autoclose int dirfd = -1;
    const char *name;
    int r = open_parent(root, path, &dirfd, &name, err);
    if (r < 0)
        return r;
    return put_file(dirfd, name, file) == 0 ? 0 : beneath_error(err, errno, root, path, "write");
}

int ja_beneath_put(const char *root, const char *path, const char *bytes, size_t length, mode_t mode, uid_t uid,
                   gid_t gid, unsigned how, struct ja_error *err)
{
    struct new_file file = {.bytes = bytes,
                            .length = length,
                            .mode = mode,
                            .uid = uid,
                            .gid = gid,
                            .durable = how & JA_BENEATH_SYNC,
                            .create = how & JA_BENEATH_NEW,
                            .flush = how & JA_BENEATH_FLUSH};
    return write_beneath(root, path, &file, err);
}

int ja_beneath_write(const char *root, const char *path, const char *bytes, size_t length, mode_t mode, uid_t uid,
                     gid_t gid, struct ja_error *err)
{
    return ja_beneath_put(root, path, bytes, length, mode, uid, gid, 0, err);
}

int ja_beneath_remove(const char *root, const char *path, struct ja_error *err)
{
    ja_autoclose int dirfd = -1;
    const char *name;
    int r = open_parent(root, path, &dirfd, &name, err);
    if (r < 0)
        return r == JA_E_NOTFOUND ? 0 : r;
    return unlinkat(dirfd, name, 0) == 0 || errno == ENOENT ? 0 : beneath_error(err, errno, root, path, "remove");
}

/* A new directory in an open one. 0 or -1 with errno. */
static int make_directory_at(int dirfd, const char *name, mode_t mode, uid_t uid, gid_t gid)
{
    if (mkdirat(dirfd, name, 0700) != 0)
        return -1;
    ja_autoclose int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchown(fd, uid, gid) != 0)
        return -1;
    return fchmod(fd, mode);
}

int ja_beneath_mkdir_new(const char *root, const char *path, mode_t mode, struct ja_error *err)
{
    ja_autoclose int dirfd = -1;
    const char *name;
    int r = open_parent(root, path, &dirfd, &name, err);
    if (r < 0)
        return r;
    r = make_directory_at(dirfd, name, mode, (uid_t)-1, (gid_t)-1);
    return r == 0 ? 0 : beneath_error(err, errno, root, path, "make the directory");
}

int ja_beneath_mkdir(const char *root, const char *path, mode_t mode, uid_t uid, gid_t gid, struct ja_error *err)
{
    ja_autofree char *copy = ja_strdup(below(path));
    if (!copy)
        return ja_error_nomem(err);
    ja_autoclose int dirfd = ja_beneath_open(root, ".", O_RDONLY | O_DIRECTORY, 0, err);
    if (dirfd < 0)
        return dirfd;
    /* Every prefix is looked up from the root again: only so do links and ".." in it mean what they mean
     * inside. */
    for (char *name = copy; *name;) {
        char *end = name + strcspn(name, "/");
        char *next = end + strspn(end, "/");
        char kept = *end;
        *end = '\0';
        if (make_directory_at(dirfd, name, mode, uid, gid) != 0 && errno != EEXIST)
            return beneath_error(err, errno, root, path, "make the directory");
        int fd = ja_beneath_open(root, copy, O_RDONLY | O_DIRECTORY, 0, err);
        if (fd < 0)
            return fd;
        ja_cleanup_close(&dirfd);
        dirfd = fd;
        *end = kept;
        name = next;
    }
    return 0;
}
