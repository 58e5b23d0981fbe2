/*
 * container_mount.c: what a new jail sees of file systems. Runs in the jail's init, in its own namespaces, before the init's
 * program does; until the end the host's root is still there. The jail's tree is hostile: every place in it is found with
 * the tree as the root of all links, and mounts are moved onto descriptors, never to paths.
 */
#include "host/linux/native/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int ja_container_fail(struct ja_container_failure *failure, const char *what, const char *path)
{
    if (failure->sys == 0) {
        failure->sys = errno != 0 ? errno : EINVAL;
        snprintf(failure->what, sizeof(failure->what), "%s", what);
        snprintf(failure->path, sizeof(failure->path), "%s", path);
    }
    return -1;
}

/* ---- places ---- */

/* Makes the directory at the first `length` bytes of `path`, whose parent is there, and opens it. */
static int make_dir(int root, const char *path, size_t length)
{
    char text[4096];
    char *name;
    ja_autoclose int parent = -1;

    if (length >= sizeof(text)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(text, path, length);
    text[length] = '\0';
    int fd = ja_sys_open_in_root(root, text, O_PATH | O_DIRECTORY);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    name = strrchr(text, '/');
    *name = '\0';
    parent = ja_sys_open_in_root(root, *text != '\0' ? text : "/", O_PATH | O_DIRECTORY);
    if (parent < 0 || mkdirat(parent, name + 1, 0755) < 0)
        return -1;
    *name = '/';
    return ja_sys_open_in_root(root, text, O_PATH | O_DIRECTORY);
}

/* An absolute path of the jail, as a place to mount on; made when it is missing. */
static int open_place(int root, const char *path, bool dir)
{
    int fd = ja_sys_open_in_root(root, path, O_PATH);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    for (const char *end = strchr(path + 1, '/'); end != NULL; end = strchr(end + 1, '/')) {
        ja_autoclose int parent = make_dir(root, path, (size_t)(end - path));

        if (parent < 0)
            return -1;
    }
    if (dir)
        return make_dir(root, path, strlen(path));
    char parent_path[4096];
    const char *name = strrchr(path, '/');
    snprintf(parent_path, sizeof(parent_path), "%.*s/", (int)(name - path), path);
    ja_autoclose int parent = ja_sys_open_in_root(root, parent_path, O_PATH | O_DIRECTORY), made = -1;
    if (parent < 0 || (made = openat(parent, name + 1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)) < 0)
        return -1;
    return ja_sys_open_in_root(root, path, O_PATH);
}

static bool is_dir(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
}

static int set_attributes(int fd, __u64 attributes)
{
    const struct ja_mount_attr attr = {.attr_set = attributes};

    return attributes == 0 ? 0 : ja_sys_mount_setattr(fd, &attr);
}

/* Either descriptor may be -1, with errno. */
static int mount_on(int fd, int place, __u64 attributes)
{
    return fd < 0 || place < 0 || ja_sys_move_mount_on(fd, place) < 0 ? -1 : set_attributes(fd, attributes);
}

static int put(int root, int fd, const char *target, __u64 attributes)
{
    ja_autoclose int place = open_place(root, target, is_dir(fd));

    return mount_on(fd, place, attributes);
}

/* ---- what is mounted ---- */

static int make_mount(struct ja_container_mount *mount)
{
    if (mount->type != NULL && mount->fd < 0)
        mount->fd = ja_sys_new_mount(mount->type, mount->source, mount->options, mount->attributes);
    return mount->fd;
}

void ja_container_mounts_ahead(struct ja_container *container)
{
    for (size_t i = 0; i < container->mount_count; i++)
        if (container->mounts[i].type != NULL)
            make_mount(&container->mounts[i]);
}

static int mount_one(int root, struct ja_container_mount *mount)
{
    if (make_mount(mount) < 0)
        return -1;
    return put(root, mount->fd, mount->target, mount->type == NULL ? mount->attributes : 0);
}

/* A device of the host in /dev, where the name may be taken by a bind of the jail's. */
static int bind_device(int dev, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    ja_autoclose int fd = ja_sys_open_tree(path, true);
    ja_autoclose int made JA_UNUSED = openat(dev, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    ja_autoclose int place = openat(dev, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    return mount_on(fd, place, JA_MOUNT_ATTR_NOSUID | JA_MOUNT_ATTR_NOEXEC);
}

/* What every jail finds in /dev, a tmpfs by now. */
static int fill_dev(int root, struct ja_container_failure *failure)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero",   "/dev/full",
                                          "/dev/tty",  "/dev/random", "/dev/urandom"};
    static const struct {
        const char *name, *target;
    } links[] = {{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
                 {"stderr", "/proc/self/fd/2"}, {"core", "/proc/kcore"},      {"ptmx", "pts/ptmx"}};
    ja_autoclose int dev = ja_sys_open_in_root(root, "/dev", O_PATH | O_DIRECTORY);

    if (dev < 0)
        return ja_container_fail(failure, "open", "/dev");
    for (size_t i = 0; i < JA_COUNT(devices); i++)
        if (bind_device(dev, devices[i]) < 0)
            return ja_container_fail(failure, "mount", devices[i]);
    for (size_t i = 0; i < JA_COUNT(links); i++)
        if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
            return ja_container_fail(failure, "make the link", links[i].name);
    return 0;
}

/* Nothing of it can be read: a directory is empty, a file is /dev/null. One empty directory will do for all, *empty; -1: none yet. */
static int mask(int root, const char *path, int *empty)
{
    static const char *const options[] = {"size=0k", NULL};
    ja_autoclose int place = ja_sys_open_in_root(root, path, O_PATH), fd = -1;

    if (place < 0)
        return errno == ENOENT ? 0 : -1;
    if (!is_dir(place)) {
        fd = ja_sys_open_tree("/dev/null", true);
        return mount_on(fd, place, JA_MOUNT_ATTR_RDONLY);
    }
    if (*empty >= 0) {
        fd = ja_sys_clone_tree(*empty, false);
        return mount_on(fd, place, 0);
    }
    *empty = ja_sys_new_mount("tmpfs", "tmpfs", options, JA_MOUNT_ATTR_RDONLY);
    return mount_on(*empty, place, JA_MOUNT_ATTR_RDONLY);
}

static int mask_all(int root, const struct ja_container *container, struct ja_container_failure *failure)
{
    ja_autoclose int empty = -1;

    for (size_t i = 0; container->masked[i] != NULL; i++)
        if (mask(root, container->masked[i], &empty) < 0)
            return ja_container_fail(failure, "mask", container->masked[i]);
    return 0;
}

static int make_read_only(int root, const char *path)
{
    ja_autoclose int place = ja_sys_open_in_root(root, path, O_PATH), fd = -1;

    if (place < 0)
        return errno == ENOENT ? 0 : -1;
    fd = ja_sys_clone_tree(place, true);
    return mount_on(fd, place, JA_MOUNT_ATTR_RDONLY);
}

static int fill(int root, struct ja_container *container, struct ja_container_failure *failure)
{
    for (size_t i = 0; i < container->mount_count; i++)
        if (mount_one(root, &container->mounts[i]) < 0)
            return ja_container_fail(failure, "mount", container->mounts[i].target);
    if (fill_dev(root, failure) < 0 || mask_all(root, container, failure) < 0)
        return -1;
    for (size_t i = 0; container->read_only[i] != NULL; i++)
        if (make_read_only(root, container->read_only[i]) < 0)
            return ja_container_fail(failure, "protect", container->read_only[i]);
    for (size_t i = 0; i < container->mount_count; i++)
        if (container->mounts[i].read_only && set_attributes(container->mounts[i].fd, JA_MOUNT_ATTR_RDONLY) < 0)
            return ja_container_fail(failure, "protect", container->mounts[i].target);
    return 0;
}

/* The tree becomes the root, and the host's root, which then lies over it, goes. */
static int change_root(int tree, struct ja_container_failure *failure)
{
    ja_autoclose int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (old < 0 || fchdir(tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || fchdir(old) < 0 ||
        umount2(".", MNT_DETACH) < 0 || fchdir(tree) < 0)
        return ja_container_fail(failure, "change the root", "");
    return 0;
}

int ja_container_mounts(struct ja_container *container, int tree_fd, const char *root,
                        struct ja_container_failure *failure)
{
    /* They were slaves of the host's since the namespace is another user's; now they hear nothing at all. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return ja_container_fail(failure, "make mounts private", "");
    if (ja_sys_move_mount(tree_fd, root) < 0)
        return ja_container_fail(failure, "mount the jail's tree", "");
    if (fill(tree_fd, container, failure) < 0)
        return -1;
    return change_root(tree_fd, failure);
}
