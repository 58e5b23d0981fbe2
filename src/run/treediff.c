/*
 * treediff.c: comparing a tree with an earlier state of it. See treediff.h.
 */
#include "run/treediff.h"
#include "base/file.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MOST = 200 }; /* two descriptors each */

struct comparison {
    int (*each)(void *context, char change, const char *path, struct ja_error *err);
    void *context;
    struct ja_str path; /* of the directory that is looked at, without a slash at its end */
    dev_t then, now;    /* their file systems */
    int depth;
};

/* The names in a directory, sorted. One that cannot be read, or is none (-1), has none. */
static int read_names(int fd, struct ja_strv *names, struct ja_error *err)
{
    int copy = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    size_t room = 0;
    if (!dir) {
        if (copy >= 0)
            close(copy);
        return 0;
    }
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (names->count + 1 >= room) {
            room = room ? 2 * room : 64;
            char **items = ja_realloc(names->items, room * sizeof *items);
            if (!items) {
                rc = ja_error_nomem(err);
                break;
            }
            names->items = items;
        }
        char *name = ja_strdup(entry->d_name);
        if (!name)
            rc = ja_error_nomem(err);
        else
            names->items[names->count++] = name;
    }
    closedir(dir);
    ja_strv_sort(names);
    return rc;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
           a->st_size == b->st_size && a->st_nlink == b->st_nlink && same_time(&a->st_ctim, &b->st_ctim);
}

/* What `name` is in a directory; false: it is not there. */
static bool look(int fd, const char *name, struct stat *info)
{
    return fd >= 0 && fstatat(fd, name, info, AT_SYMLINK_NOFOLLOW) == 0;
}

static int enter(int fd, const char *name)
{
    return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int compare_dirs(struct comparison *c, int then, int now, struct ja_error *err);

/* One name that at least one of the two has. */
static int compare_entry(struct comparison *c, int then, int now, const char *name, struct ja_error *err)
{
    struct stat old, new;
    bool was = look(then, name, &old), is = look(now, name, &new);
    size_t length = c->path.length;
    int rc = 0;
    if (!was && !is) /* it went away meanwhile */
        return 0;
    ja_str_addf(&c->path, "/%s", name);
    if (c->path.failed)
        return ja_error_nomem(err);
    if (!was || !is || !same(&old, &new))
        rc = c->each(c->context, !was ? '+' : !is ? '-' : 'M', c->path.text, err);
    bool was_dir = was && S_ISDIR(old.st_mode) && old.st_dev == c->then;
    bool is_dir = is && S_ISDIR(new.st_mode) && new.st_dev == c->now;
    if (rc == 0 && (was_dir || is_dir) && c->depth < DEPTH_MOST) {
        ja_autoclose int before = was_dir ? enter(then, name) : -1;
        int old_error = before < 0 ? errno : 0;
        ja_autoclose int after = is_dir ? enter(now, name) : -1;
        int error = was_dir && before < 0 ? old_error : is_dir && after < 0 ? errno : 0;
        /* It may have become something else meanwhile. */
        if (error && error != ENOENT && error != ENOTDIR && error != ELOOP && error != EMLINK)
            rc = ja_file_error(err, error, JA_SHOW(c->path.text), "look into it");
        c->depth++;
        if (rc == 0)
            rc = compare_dirs(c, before, after, err);
        c->depth--;
    }
    c->path.length = length;
    c->path.text[length] = '\0';
    return rc;
}

static int compare_dirs(struct comparison *c, int then, int now, struct ja_error *err)
{
    ja_autostrv struct ja_strv old = {0}, new = {0};
    int rc = read_names(then, &old, err);
    if (rc == 0)
        rc = read_names(now, &new, err);
    for (size_t i = 0, k = 0; rc == 0 && (i < old.count || k < new.count);) {
        int order = i == old.count ? 1 : k == new.count ? -1 : strcmp(old.items[i], new.items[k]);
        rc = compare_entry(c, then, now, order <= 0 ? old.items[i] : new.items[k], err);
        i += order <= 0;
        k += order >= 0;
    }
    return rc;
}

int ja_tree_diff(const char *then, const char *now,
                 int (*each)(void *context, char change, const char *path, struct ja_error *err), void *context,
                 struct ja_error *err)
{
    struct comparison c = {.each = each, .context = context};
    struct stat old, new;
    ja_autoclose int before = open(then, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ja_autoclose int after = before < 0 ? -1 : open(now, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (after < 0)
        return ja_file_error(err, errno, before < 0 ? then : now, "open the tree");
    if (fstat(before, &old) < 0 || fstat(after, &new) < 0)
        return ja_file_error(err, errno, now, "look at the tree");
    c.then = old.st_dev;
    c.now = new.st_dev;
    ja_str_add(&c.path, "");
    int rc = c.path.failed ? ja_error_nomem(err) : same(&old, &new) ? 0 : each(context, 'M', "/", err);
    if (rc == 0)
        rc = compare_dirs(&c, before, after, err);
    ja_str_fini(&c.path);
    return rc;
}
