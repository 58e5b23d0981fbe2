/*
 * copy.c: `jailadmin host copy-out` and `copy-in`: the jail's end of a copy. It is a process that has entered the jail, so
 * that every path means what it means there, and links of the jail reach nothing of the host. A jail that does not run is
 * entered by its tree, in a private mount namespace in which its volumes are where they would be.
 */
#include "run/copy.h"
#include "base/file.h"
#include "host/linux/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __NR_move_mount
#define __NR_move_mount 429
#endif
#define JA_MOVE_MOUNT_EMPTY_PATHS (0x00000004u | 0x00000040u) /* MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH */

struct entrance {
    const char *pid_file, *tree, *shift;
    struct ja_strv volumes; /* "DIR=TARGET" */
    bool preserve;
};

/* True when the process is in this process's user namespace: a privileged jail. */
static bool same_user_namespace(pid_t pid)
{
    char path[64];
    struct stat own, other;

    snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
    return stat("/proc/self/ns/user", &own) == 0 && stat(path, &other) == 0 && own.st_ino == other.st_ino &&
           own.st_dev == other.st_dev;
}

static int enter_running(const char *pid_file, struct ja_error *err)
{
    ja_autoclose int pidfd = -1;
    uint64_t start, now;
    char state;
    bool privileged;
    pid_t pid;
    int code = ja_init_read(pid_file, &pid, &start, err);

    if (code < 0) {
        return code;
    }
    pidfd = ja_sys_pidfd_open(pid);
    privileged = same_user_namespace(pid);
    /* Asked after the descriptor was opened: it is of that very process, then. */
    if (pidfd < 0 || ja_init_start_time(pid, &now, &state) < 0 || now != start || state == 'Z') {
        return ja_error_set(err, JA_E_NOTFOUND, NULL, "the jail's init has ended");
    }
    /* Nobody in the jail may look into this process, or at the file that it runs. */
    if (prctl(PR_SET_DUMPABLE, 0) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot protect this process");
    }
    if (setns(pidfd, CLONE_NEWNS | (privileged ? 0 : CLONE_NEWUSER)) < 0) {
        return errno == ESRCH ? ja_error_set(err, JA_E_NOTFOUND, NULL, "the jail's init has ended")
                              : ja_error_sys(err, errno, NULL, "cannot enter the jail");
    }
    if (!privileged && (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)) {
        return ja_error_sys(err, errno, NULL, "cannot become the jail's root");
    }
    return prctl(PR_SET_DUMPABLE, 0) < 0 ? ja_error_sys(err, errno, NULL, "cannot protect this process") : 0;
}

/* A clone of the mount at `from` appears at a directory beneath the tree, in this mount namespace only. */
static int mount_volume(const char *tree, const char *from, const char *target, struct ja_error *err)
{
    int code = ja_beneath_mkdir(tree, target, 0755, 0, 0, err), fd;
    ja_autoclose int target_fd = -1, source_fd = -1;

    if (code < 0) {
        return code;
    }
    if ((fd = ja_beneath_open(tree, target, O_RDONLY | O_DIRECTORY, 0, err)) < 0) {
        return fd;
    }
    target_fd = fd;
    source_fd = ja_sys_open_tree(from, true);
    if (source_fd < 0 || syscall(__NR_move_mount, source_fd, "", target_fd, "", JA_MOVE_MOUNT_EMPTY_PATHS) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot mount the volume at %s", target);
    }
    return 0;
}

static int enter_tree(const struct entrance *entrance, struct ja_error *err)
{
    if (entrance->volumes.count == 0) {
        return 0;
    }
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot make a mount namespace");
    }
    for (size_t i = 0; i < entrance->volumes.count; i++) {
        const char *equals = strchr(entrance->volumes.items[i], '=');
        ja_autofree char *from =
            equals != NULL ? ja_strndup(entrance->volumes.items[i], (size_t)(equals - entrance->volumes.items[i]))
                           : NULL;
        int code;

        if (equals == NULL) {
            return ja_error_set(err, JA_E_USAGE, NULL, "--volume wants DIR=TARGET");
        }
        if (from == NULL) {
            return ja_error_nomem(err);
        }
        if ((code = mount_volume(entrance->tree, from, equals + 1, err)) < 0) {
            return code;
        }
    }
    return 0;
}

static void report_skipped(void *context, const char *path, const char *why)
{
    struct ja_str *output = context;

    ja_str_addf(output, "%s: %s\n", path, why);
}

static int copy(int argc, char *const *argv, bool in, struct ja_hostverb_io *io, struct ja_error *err)
{
    JA_CLEANUP(ja_strv_fini) struct ja_strv volumes = {0};
    struct entrance entrance = {0};
    const struct ja_opt options[] = {
        {.name = "--pid-file", .value = &entrance.pid_file}, {.name = "--tree", .value = &entrance.tree},
        {.name = "--id-shift", .value = &entrance.shift},    {.name = "--volume", .list = true, .values = &volumes},
        {.name = "--preserve", .flag = &entrance.preserve},  {0}};
    struct ja_copy copying = {.skipped = report_skipped, .context = io->output};
    int first, code = ja_opt_read(argc, argv, options, &first, err);

    if (code < 0) {
        return code;
    }
    if (first != argc - 1 || (entrance.pid_file != NULL) == (entrance.tree != NULL)) {
        return ja_opt_usage(argv[0], err);
    }
    if (entrance.shift != NULL &&
        (code = ja_opt_number("--id-shift", entrance.shift, 0, UINT32_MAX, &copying.id_shift, err)) < 0) {
        return code;
    }
    entrance.volumes = volumes;
    code = entrance.pid_file != NULL ? enter_running(entrance.pid_file, err) : enter_tree(&entrance, err);
    if (code < 0) {
        return code;
    }
    copying.root = entrance.tree != NULL ? entrance.tree : "/";
    copying.preserve = entrance.preserve;
    code = in ? ja_copy_receive(&copying, argv[first], STDIN_FILENO, err)
              : ja_copy_send(&copying, argv[first], STDOUT_FILENO, err);
    return code == 0 && io->output->failed ? ja_error_nomem(err) : code;
}

int ja_verb_copy_in(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    return copy(argc, argv, true, io, err);
}

int ja_verb_copy_out(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    return copy(argc, argv, false, io, err);
}
