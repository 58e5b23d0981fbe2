/*
 * cgroup.c: the cgroup of a jail, made and joined without crun's help. Moving a running process into a cgroup makes the kernel
 * wait for every processor to pass through its scheduler, ten milliseconds and more, which is most of what a start would
 * take. Being born there (v2), or moving oneself with a single thread (v1, the file "tasks"), costs nothing.
 */
#include "base/file.h"
#include "host/linux/native/native.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define BUSY_EVERY_MS 5
#define BUSY_MS 3000

static bool is_v2(const char *path)
{
    struct statfs fs;

    return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

int ja_cgroup_each(ja_cgroup_fn *each, void *context, struct ja_error *err)
{
    struct dirent *entry;
    DIR *dir;
    int code = 0;

    if (is_v2(CGROUP_ROOT)) {
        return each(CGROUP_ROOT, true, context, err);
    }
    dir = opendir(CGROUP_ROOT);
    if (dir == NULL) {
        return errno == ENOENT ? 0 : ja_error_sys(err, errno, NULL, "cannot read " CGROUP_ROOT);
    }
    while (code == 0 && (entry = readdir(dir)) != NULL) {
        char path[512];

        /* Links ("cpu" to "cpu,cpuacct") would be the same hierarchy twice. */
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), CGROUP_ROOT "/%s", entry->d_name);
        code = each(path, is_v2(path), context, err);
    }
    closedir(dir);
    return code;
}

bool ja_cgroup_valid(const char *cgroup)
{
    size_t length = strlen(cgroup);

    return ja_str_starts(cgroup, "/jailadmin-") && length < 200 && strstr(cgroup, "/.") == NULL &&
           strstr(cgroup, "//") == NULL && cgroup[length - 1] != '/';
}

/* ---- making it ---- */

static int read_at(int dir_fd, const char *name, char *text, size_t size)
{
    ja_autoclose int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

    if (length < 0) {
        return -1;
    }
    text[length] = '\0';
    return 0;
}

static int write_at(int dir_fd, const char *name, const char *text)
{
    ja_autoclose int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/*
 * A new cpuset of v1 is empty, and then takes no process: it gets what the one above has. Writing it makes the kernel sort its
 * processors anew, a millisecond for each jail, so the instance's group hands it down by itself.
 */
static void fill_cpuset(const char *root, int above, int fd, bool leaf)
{
    static const char *const names[] = {"cpuset.cpus", "cpuset.mems"};
    char text[4096];

    if (strstr(root, "cpuset") == NULL) {
        return;
    }
    if (!leaf) {
        write_at(fd, "cgroup.clone_children", "1");
    }

    for (size_t i = 0; i < JA_COUNT(names); i++) {
        if (read_at(fd, names[i], text, sizeof(text)) == 0 && text[strspn(text, "\n")] == '\0' &&
            read_at(above, names[i], text, sizeof(text)) == 0) {
            write_at(fd, names[i], text);
        }
    }
}

/* In v2 a controller counts for the groups below only when it is handed down. One that the host keeps for itself stays out. */
static void hand_down(int fd)
{
    char controllers[1024], handed[1024], one[64], *rest = controllers;

    /* A write waits for every processor, even when it changes nothing. */
    if (read_at(fd, "cgroup.controllers", controllers, sizeof(controllers)) < 0 ||
        read_at(fd, "cgroup.subtree_control", handed, sizeof(handed)) < 0 || ja_str_equal(controllers, handed)) {
        return;
    }
    for (const char *name; (name = strsep(&rest, " \n")) != NULL;) {
        if (*name != '\0') {
            snprintf(one, sizeof(one), "+%.60s", name);
            write_at(fd, "cgroup.subtree_control", one);
        }
    }
}

/* The files with which an init that makes cgroups of its own (systemd) works. Limits stay root's. */
static int give(int fd, uid_t owner)
{
    static const char *const names[] = {".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads", "tasks"};

    for (size_t i = 0; i < JA_COUNT(names); i++) {
        if (fchownat(fd, names[i], owner, owner, 0) < 0 && errno != ENOENT) {
            return -1;
        }
    }
    return 0;
}

struct creation {
    const char *cgroup;
    int64_t owner; /* of a delegated cgroup; -1: root */
    bool again;    /* it may be there already */
};

static bool is_given(const struct creation *creation, const char *root, bool v2)
{
    return creation->owner >= 0 && (v2 || ja_str_equal(strrchr(root, '/'), "/systemd"));
}

/* True when one call makes it: where the groups above are there already, as they are for all jails but the first one, and it needs nothing more. */
static bool create_at_once(const struct creation *creation, const char *root, bool v2)
{
    ja_autofree char *path = ja_printf("%s%s", root, creation->cgroup);

    return !v2 && strstr(root, "cpuset") == NULL && !is_given(creation, root, v2) && path != NULL &&
           mkdir(path, 0755) == 0;
}

static int create_in(const char *root, bool v2, void *context, struct ja_error *err)
{
    const struct creation *creation = context;

    if (create_at_once(creation, root, v2)) {
        return 0;
    }
    ja_autofree char *path = ja_strdup(creation->cgroup + 1);
    ja_autoclose int above = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *rest = path;

    if (path == NULL) {
        return ja_error_nomem(err);
    }
    if (above < 0) {
        return ja_error_sys(err, errno, NULL, "cannot open %s", root);
    }
    for (const char *name; (name = strsep(&rest, "/")) != NULL;) {
        int fd;

        /* What is above a unit of systemd is its own, and it has handed down what the unit needs. What is made once more has
         * no limits, and the unit's own process, which makes it, is still above: nothing can be handed down there. */
        if (v2 && strchr(name, '.') == NULL && !creation->again) {
            hand_down(above);
        }
        if (mkdirat(above, name, 0755) < 0 && (errno != EEXIST || (rest == NULL && !creation->again))) {
            return ja_error_sys(err, errno, NULL, "cannot make the cgroup %s in %s", creation->cgroup, root);
        }
        fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
            return ja_error_sys(err, errno, NULL, "cannot open the cgroup %s in %s", creation->cgroup, root);
        }
        if (!v2) {
            fill_cpuset(root, above, fd, rest == NULL);
        }
        close(above);
        above = fd;
    }
    if (is_given(creation, root, v2) && give(above, (uid_t)creation->owner) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot give the cgroup %s to the jail", creation->cgroup);
    }
    return 0;
}

struct removal {
    const char *cgroup;
    int waits_left; /* in all hierarchies together */
};

static int remove_from(const char *root, bool v2 JA_UNUSED, void *context, struct ja_error *err)
{
    const struct timespec pause = {.tv_nsec = BUSY_EVERY_MS * 1000000};
    struct removal *removal = context;
    ja_autofree char *path = ja_printf("%s%s", root, removal->cgroup);

    if (path == NULL) {
        return ja_error_nomem(err);
    }
    /* Processes that were ended, or end because we have died, leave it a little later. */
    while (rmdir(path) < 0 && errno != ENOENT) {
        if (errno != EBUSY || removal->waits_left-- <= 0) {
            return ja_error_sys(err, errno, NULL, "cannot remove the cgroup %s", path);
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

int ja_verb_cgroup_create(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    const char *owner = NULL;
    struct creation creation = {.owner = -1};
    const struct ja_opt options[] = {{.name = "--owner", .value = &owner}, {0}};
    int first, code;

    if ((code = ja_opt_read(argc, argv, options, &first, err)) < 0) {
        return code;
    }
    if (first != argc - 1 || !ja_cgroup_valid(argv[first])) {
        return ja_opt_usage(argv[0], err);
    }
    if (owner != NULL && (code = ja_opt_number("--owner", owner, 1, UINT32_MAX - 1, &creation.owner, err)) < 0) {
        return code;
    }
    creation.cgroup = argv[first];
    return ja_cgroup_each(create_in, &creation, err);
}

int ja_cgroup_make(const char *cgroup, struct ja_error *err)
{
    struct creation creation = {.cgroup = cgroup, .owner = -1, .again = true};

    return ja_cgroup_each(create_in, &creation, err);
}

int ja_cgroup_remove(const char *cgroup, struct ja_error *err)
{
    struct removal removal = {.cgroup = cgroup, .waits_left = BUSY_MS / BUSY_EVERY_MS};

    return ja_cgroup_each(remove_from, &removal, err);
}

int ja_verb_cgroup_remove(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    if (argc != 2 || !ja_cgroup_valid(argv[1])) {
        return ja_opt_usage(argv[0], err);
    }
    return ja_cgroup_remove(argv[1], err);
}

/* ---- joining it ---- */

static int open_in(const char *root, bool v2, void *context, struct ja_error *err)
{
    struct ja_cgroup *place = context;
    ja_autofree char *path = ja_printf("%s%s%s", root, place->path, v2 ? "" : "/tasks");
    int fd;

    if (path == NULL) {
        return ja_error_nomem(err);
    }
    fd = open(path, v2 ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot open the cgroup %s", path);
    }
    if (v2) {
        place->v2 = fd;
    } else if (place->count == JA_COUNT(place->tasks)) {
        close(fd);
        return ja_error_set(err, JA_E_LIMIT, NULL, "this host has more than %zu cgroup hierarchies",
                            JA_COUNT(place->tasks));
    } else {
        place->tasks[place->count++] = fd;
    }
    return 0;
}

int ja_cgroup_open(const char *cgroup, struct ja_cgroup *ret_place, struct ja_error *err)
{
    *ret_place = (struct ja_cgroup){.path = cgroup, .v2 = -1};
    int code = ja_cgroup_each(open_in, ret_place, err);

    if (code < 0) {
        ja_cgroup_close(ret_place);
    }
    return code;
}

void ja_cgroup_close(struct ja_cgroup *place)
{
    for (size_t i = 0; i < place->count; i++) {
        close(place->tasks[i]);
    }
    if (place->v2 >= 0) {
        close(place->v2);
    }
    *place = (struct ja_cgroup){.v2 = -1};
}

/* A single-threaded process; 0: ours. `born`: it was born in the v2 cgroup. */
static int move(const struct ja_cgroup *place, bool born, pid_t pid)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", (int)pid);
    if (place->v2 >= 0 && !born && write_at(place->v2, "cgroup.procs", text) < 0) {
        return -1;
    }
    for (size_t i = 0; i < place->count; i++) {
        if (write(place->tasks[i], text, strlen(text)) < 0) {
            return -1;
        }
    }
    return 0;
}

int ja_cgroup_move(const struct ja_cgroup *place, pid_t pid)
{
    return move(place, false, pid);
}

int ja_cgroup_join(const struct ja_cgroup *place)
{
    return move(place, false, 0);
}

pid_t ja_cgroup_fork(const struct ja_cgroup *place, int status)
{
    bool born = place->v2 >= 0;
    pid_t pid = born ? ja_sys_fork_into(place->v2) : fork();

    if (pid < 0 && born) {
        /* A kernel before 5.7, or a sandbox that forbids it. */
        born = false;
        pid = fork();
    }
    if (pid == 0 && move(place, born, 0) < 0) {
        _exit(status);
    }
    return pid;
}
