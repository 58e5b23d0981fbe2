/*
 * enter_target.c: looks at a running jail's init: which process it is, its cgroups, capabilities, limits, and what its root is
 * outside. A pidfd that was opened before the start time was compared names that process for ever.
 */
#include "base/file.h"
#include "host/linux/native/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ja_target_fini(struct ja_target *init)
{
    for (size_t i = 0; i < init->cgroup_count; i++) {
        close(init->cgroups[i]);
    }
    if (init->cgroup2 >= 0) {
        close(init->cgroup2);
    }
    if (init->pidfd >= 0) {
        close(init->pidfd);
    }
    ja_free(init->filter.filter);
}

int ja_target_gone(struct ja_error *err)
{
    return ja_error_set(err, JA_E_FAILED, NULL, "the jail is not running any more");
}

static int find_init(const char *pid_file, struct ja_target *init, struct ja_error *err)
{
    uint64_t start, now_start;
    char state;
    int code = ja_init_read(pid_file, &init->pid, &start, err);

    if (code == JA_E_NOTFOUND) {
        return ja_target_gone(err);
    }
    if (code < 0) {
        return code;
    }
    init->pidfd = ja_sys_pidfd_open(init->pid);
    if (init->pidfd < 0 || ja_init_start_time(init->pid, &now_start, &state) < 0 || now_start != start ||
        state == 'Z') {
        return ja_target_gone(err);
    }
    return 0;
}

static int read_proc(pid_t pid, const char *name, char **ret_text, struct ja_error *err)
{
    char path[64];
    ja_autoclose int fd = -1;
    ssize_t n, length = 0;
    enum { MOST = 65536 };
    ja_autofree char *text = ja_malloc(MOST);

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    if (text == NULL) {
        return ja_error_nomem(err);
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? ja_target_gone(err) : ja_error_sys(err, errno, NULL, "cannot open %s", path);
    }
    while (length < MOST - 1 && (n = read(fd, text + length, (size_t)(MOST - 1 - length))) > 0) {
        length += n;
    }
    text[length] = '\0';
    *ret_text = text;
    text = NULL;
    return 0;
}

/*
 * One line of /proc/PID/cgroup, "4:memory:/jailadmin-00/ja000" or "0::/...". Moving a whole process waits for all
 * processors (some 10 ms); a thread that moves itself, or a process that begins in its cgroup, does not.
 */
static int open_cgroup(char *line, struct ja_target *init, struct ja_error *err)
{
    char path[512];
    char *controllers = strchr(line, ':'), *where = controllers ? strchr(controllers + 1, ':') : NULL;
    struct stat info;
    bool v2;
    int fd;

    if (where == NULL || strcmp(where, ":/") == 0) {
        return 0; /* not ours: the root, where the host's processes are too */
    }
    *where++ = '\0';
    controllers++;
    if ((v2 = *controllers == '\0')) {
        snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s",
                 stat("/sys/fs/cgroup/cgroup.procs", &info) == 0 ? "" : "unified", where);
    } else {
        snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/tasks",
                 controllers + (ja_str_starts(controllers, "name=") ? 5 : 0), where);
    }
    fd = open(path, v2 ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot open the cgroup %s", path);
    }
    if (v2) {
        init->cgroup2 = fd;
    } else if (init->cgroup_count < JA_CGROUPS_MOST) {
        init->cgroups[init->cgroup_count++] = fd;
    } else {
        close(fd);
        return ja_error_set(err, JA_E_LIMIT, NULL, "the jail is in more than %d cgroups", JA_CGROUPS_MOST);
    }
    return 0;
}

static int read_cgroups(struct ja_target *init, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    int code = read_proc(init->pid, "cgroup", &text, err);

    for (char *line = text; code == 0 && line != NULL && *line != '\0';) {
        char *next = strchr(line, '\n');

        if (next != NULL) {
            *next++ = '\0';
        }
        code = open_cgroup(line, init, err);
        line = next;
    }
    return code;
}

static int read_status(struct ja_target *init, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    const char *line;
    unsigned long long bounding = 0;
    int flag = 0, code = read_proc(init->pid, "status", &text, err);

    if (code < 0) {
        return code;
    }
    if ((line = strstr(text, "\nCapBnd:")) == NULL || sscanf(line + 8, "%llx", &bounding) != 1) {
        return ja_error_set(err, JA_E_FAILED, NULL, "the kernel does not tell the capabilities of the jail's init");
    }
    if ((line = strstr(text, "\nNoNewPrivs:")) != NULL && sscanf(line + 12, "%d", &flag) == 1) {
        init->no_new_privs = flag != 0;
    }
    if ((line = strstr(text, "\nSeccomp:")) != NULL && sscanf(line + 9, "%d", &flag) == 1) {
        init->filtered = flag != 0;
    }
    init->capabilities = bounding;
    return 0;
}

static int read_users(struct ja_target *init, struct ja_error *err)
{
    char path[64];
    struct stat ours, theirs;

    snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)init->pid);
    if (stat("/proc/self/ns/user", &ours) < 0 || stat(path, &theirs) < 0) {
        return errno == ENOENT ? ja_target_gone(err) : ja_error_sys(err, errno, NULL, "cannot look at namespaces");
    }
    init->own_users = ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev;
    return 0;
}

static int read_base(const struct ja_target *init, const char *map, unsigned *ret_base, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    int code = read_proc(init->pid, map, &text, err);

    if (code == 0 && sscanf(text, "0 %u", ret_base) != 1 && sscanf(text, " 0 %u", ret_base) != 1) {
        code = ja_error_set(err, JA_E_FAILED, NULL, "the jail has no root");
    }
    return code;
}

static int read_filter(const char *path, struct ja_target *init, struct ja_error *err)
{
    int code = path == NULL ? JA_E_NOTFOUND : ja_filter_read(path, &init->filter, err);

    if (code == JA_E_NOTFOUND && !init->filtered) {
        ja_error_clear(err);
        return 0;
    }
    if (code == JA_E_NOTFOUND) {
        ja_error_set(err, JA_E_CORRUPT, NULL, "its seccomp filter is missing, and nothing runs in it without one");
        return ja_error_hint(err, "restart the jail");
    }
    return code;
}

int ja_target_read(const struct ja_entry *entry, struct ja_target *init, struct ja_error *err)
{
    int code = find_init(entry->pid_file, init, err);

    if (code < 0 || (code = read_cgroups(init, err)) < 0 || (code = read_status(init, err)) < 0 ||
        (code = read_users(init, err)) < 0 || (code = read_base(init, "uid_map", &init->uid_base, err)) < 0 ||
        (code = read_base(init, "gid_map", &init->gid_base, err)) < 0 ||
        (code = read_filter(entry->filter, init, err)) < 0) {
        return code;
    }
    for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
        if (prlimit(init->pid, (enum __rlimit_resource)i, NULL, &init->limits[i]) < 0) {
            return errno == ESRCH ? ja_target_gone(err)
                                  : ja_error_sys(err, errno, NULL, "cannot read the jail's limits");
        }
    }
    return 0;
}
