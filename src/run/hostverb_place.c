/*
 * hostverb_place.c: places for mounts: `jailadmin host mount-point` makes those in a jail's tree; those of the host are looked at.
 */
#include "base/file.h"
#include "run/hostverbs.h"
#include "run/option.h"
#include "run/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One component below `at`: a directory, made if it is missing, never a link. A descriptor, or -1 and errno. */
static int enter(int at, const char *name)
{
    if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
        return -1;
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * mount(8) follows links, so the place of a mount is walked and made here first, and a link on the way is refused. The jail
 * does not run yet: nobody can put one there afterwards.
 */
int ja_verb_mount_point(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    if (argc != 3 || argv[1][0] != '/' || argv[2][0] != '/')
        return ja_opt_usage(argv[0], err);
    ja_autofree char *path = ja_strdup(argv[2] + 1);
    ja_autoclose int at = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!path)
        return ja_error_nomem(err);
    if (at < 0)
        return ja_file_error(err, errno, argv[1], "open the tree");
    for (char *rest = path, *name; (name = strsep(&rest, "/")) != NULL;) {
        if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            return ja_error_set(err, JA_E_USAGE, NULL, "%s is not a plain path", JA_SHOW(argv[2]));
        int next = enter(at, name);
        if (next < 0 && (errno == ELOOP || errno == EMLINK || errno == ENOTDIR))
            return ja_error_set(err, JA_E_DENIED, NULL,
                                "%s in the jail's tree is no directory: nothing is mounted there", JA_SHOW(argv[2]));
        if (next < 0)
            return ja_file_error(err, errno, argv[2], "make the place of the mount");
        close(at);
        at = next;
    }
    return 0;
}

/* ---- a directory of the host ---- */

static int check_owner(int fd, const char *path, struct ja_error *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return ja_file_error(err, errno, path, "look at it");
    /* Where the sticky bit is set others cannot rename what is root's. */
    if (info.st_uid == 0 && ((info.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (info.st_mode & S_ISVTX)))
        return 0;
    ja_error_set(err, JA_E_DENIED, NULL, "others than root can change where %s leads", JA_SHOW(path));
    return ja_error_hint(err, "take a directory that belongs to root, in directories that belong to root");
}

int ja_place_open(const char *path, int *ret_fd, struct ja_error *err)
{
    ja_autofree char *copy = ja_strdup(path[0] == '/' ? path + 1 : path);
    ja_autoclose int at = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!copy)
        return ja_error_nomem(err);
    if (path[0] != '/' || !*copy)
        return ja_error_set(err, JA_E_INVALID, NULL, "%s is no absolute path of a directory", JA_SHOW(path));
    int rc = at < 0 ? ja_file_error(err, errno, "/", "open it") : 0;
    for (char *rest = copy, *name; rc == 0 && (name = strsep(&rest, "/")) != NULL;) {
        if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            return ja_error_set(err, JA_E_INVALID, NULL, "%s is not a plain path", JA_SHOW(path));
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && (errno == ELOOP || errno == EMLINK || errno == ENOTDIR))
            return ja_error_set(err, JA_E_DENIED, NULL, "a symbolic link or a file is on the way to %s", JA_SHOW(path));
        if (next < 0)
            return ja_file_error(err, errno, path, "open it");
        close(at);
        at = next;
        /* What is mounted there, when it is mounted already, belongs to whom it will. */
        rc = rest ? check_owner(at, path, err) : 0;
    }
    if (rc == 0) {
        *ret_fd = at;
        at = -1;
    }
    return rc;
}

int ja_place_check_empty(int fd, const char *path, struct ja_error *err)
{
    int rc = check_owner(fd, path, err), copy = rc == 0 ? dup(fd) : -1;
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (rc == 0 && !dir)
        rc = ja_file_error(err, errno, path, "read it");
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = ja_error_set(err, JA_E_BUSY, NULL, "%s is not empty", JA_SHOW(path));
    if (dir)
        closedir(dir);
    else if (copy >= 0)
        close(copy);
    return rc;
}
