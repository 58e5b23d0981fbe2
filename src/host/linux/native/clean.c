/*
 * clean.c: removes what crun and the kernel keep of a jail that has ended: crun's state directory and the cgroup in every
 * hierarchy (cgroup v2; v1, one per controller; or both on a hybrid host). The same result as `crun delete -f`, without
 * a process, and it finds nothing too much when it is repeated.
 */
#include "base/clock.h"
#include "base/file.h"
#include "host/linux/native/native.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 10000
/* A jail with a delegated cgroup nests them itself; the kernel's own limit is lower in practice. */
#define DEPTH_MAX 64

static void write_at(int dir_fd, const char *name, const char *value)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0) {
        ssize_t ignored JA_UNUSED = write(fd, value, strlen(value));
        close(fd);
    }
}

static void kill_listed(int dir_fd)
{
    int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    int pid;

    if (file == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    while (fscanf(file, "%d", &pid) == 1) {
        /* 0 is a process that our pid namespace cannot name. */
        if (pid > 1) {
            kill(pid, SIGKILL);
        }
    }
    fclose(file);
}

typedef void each_fn(int dir_fd);

/* Calls `each` for the cgroup and all below it, and with `prune` removes those below. */
static void walk(int dir_fd, each_fn *each, bool prune, int depth)
{
    int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;

    if (each != NULL) {
        each(dir_fd);
    }
    if (dir == NULL) {
        if (copy >= 0) {
            close(copy);
        }
        return;
    }
    while (depth < DEPTH_MAX && (entry = readdir(dir)) != NULL) {
        int child;

        if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        child = openat(dir_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child >= 0) {
            walk(child, each, prune, depth + 1);
            close(child);
            if (prune) {
                unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR);
            }
        }
    }
    closedir(dir);
}

/*
 * Kills everything in one cgroup. v2 has a file for it. In v1 a process that forks faster than it is killed is frozen first:
 * it gets the signal when it thaws.
 */
static void kill_all(int dir_fd)
{
    if (faccessat(dir_fd, "cgroup.kill", F_OK, 0) == 0) {
        write_at(dir_fd, "cgroup.kill", "1");
        return;
    }
    write_at(dir_fd, "freezer.state", "FROZEN");
    walk(dir_fd, kill_listed, false, 0);
    write_at(dir_fd, "freezer.state", "THAWED");
}

/* Removes the cgroup `path` ("/sys/fs/cgroup/memory/jailadmin/a0/web1"); busy ones are emptied by force. */
static int remove_cgroup(const char *path, int64_t deadline, struct ja_error *err)
{
    const struct timespec pause = {.tv_nsec = 500000};

    for (;;) {
        ja_autoclose int fd = -1;

        if (rmdir(path) == 0 || errno == ENOENT || errno == ENOTDIR) {
            return 0;
        }
        if (errno != EBUSY && errno != ENOTEMPTY) {
            return ja_error_sys(err, errno, NULL, "cannot remove %s", path);
        }
        if (ja_clock_monotonic_ms() > deadline) {
            return ja_error_set(err, JA_E_BUSY, NULL, "%s still has processes after %d ms", path, WAIT_MS);
        }
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
            kill_all(fd);
            walk(fd, NULL, true, 0);
        }
        if (rmdir(path) < 0) {
            nanosleep(&pause, NULL);
        }
    }
}

struct removal {
    const char *cgroup;
    int64_t deadline;
};

static int remove_in(const char *root, bool v2 JA_UNUSED, void *context, struct ja_error *err)
{
    const struct removal *removal = context;
    ja_autofree char *path = ja_printf("%s%s", root, removal->cgroup);

    return path == NULL ? ja_error_nomem(err) : remove_cgroup(path, removal->deadline, err);
}

/* "/a/b/ID": absolute, nothing in it leads elsewhere, and its last component holds the id, so that a slip cannot hit others. */
static bool is_our_cgroup(const char *cgroup, const char *id)
{
    const char *last = strrchr(cgroup, '/');

    return cgroup[0] == '/' && last != NULL && strstr(last, id) != NULL && strstr(cgroup, "/../") == NULL &&
           strstr(cgroup, "/./") == NULL && strstr(cgroup, "//") == NULL;
}

int ja_verb_crun_clean(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    const char *root = NULL, *cgroup = NULL, *id;
    ja_autofree char *state = NULL;
    int first, code;
    const struct ja_opt options[] = {{.name = "--root", .value = &root}, {.name = "--cgroup", .value = &cgroup}, {0}};

    if ((code = ja_opt_read(argc, argv, options, &first, err)) < 0) {
        return code;
    }
    if (first != argc - 1 || root == NULL || cgroup == NULL || !ja_opt_plain_name(argv[first])) {
        return ja_opt_usage(argv[0], err);
    }
    id = argv[first];
    if (id[0] == '.' || !is_our_cgroup(cgroup, id)) {
        return ja_error_set(err, JA_E_USAGE, NULL, "the cgroup %s is not that of %s", cgroup, id);
    }
    /* The cgroup first: while it is there, crun's state says what it belongs to. */
    struct removal removal = {.cgroup = cgroup, .deadline = ja_clock_monotonic_ms() + WAIT_MS};
    if ((code = ja_cgroup_each(remove_in, &removal, err)) < 0) {
        return code;
    }
    state = ja_printf("%s/%s", root, id);
    return state == NULL ? ja_error_nomem(err) : ja_tree_remove(state, err);
}
