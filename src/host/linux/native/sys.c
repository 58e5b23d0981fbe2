/*
 * sys.c: the system calls that Debian 12's C library or headers lack.
 */
#include "host/linux/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* One number for all architectures: these calls came after the tables were unified. */
#ifndef __NR_pidfd_send_signal
#define __NR_pidfd_send_signal 424
#endif
#ifndef __NR_open_tree
#define __NR_open_tree 428
#endif
#ifndef __NR_move_mount
#define __NR_move_mount 429
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define JA_MOVE_MOUNT_F_EMPTY_PATH 0x00000004u
#define JA_CLONE_PIDFD 0x00001000ull
#define JA_CLONE_INTO_CGROUP 0x200000000ull

int ja_sys_open_tree(const char *path, bool clone)
{
    return (int)syscall(__NR_open_tree, AT_FDCWD, path, (clone ? OPEN_TREE_CLONE : 0) | O_CLOEXEC);
}

int ja_sys_mount_setattr(int fd, const struct ja_mount_attr *attr)
{
    return (int)syscall(__NR_mount_setattr, fd, "", AT_EMPTY_PATH, attr, sizeof(*attr));
}

int ja_sys_move_mount(int from_fd, const char *to)
{
    return (int)syscall(__NR_move_mount, from_fd, "", AT_FDCWD, to, JA_MOVE_MOUNT_F_EMPTY_PATH);
}

int ja_sys_pidfd_open(pid_t pid)
{
    return (int)syscall(__NR_pidfd_open, pid, 0);
}

int ja_sys_pidfd_signal(int pidfd, int signal)
{
    return (int)syscall(__NR_pidfd_send_signal, pidfd, signal, NULL, 0);
}

pid_t ja_sys_fork(unsigned long long namespaces, int *ret_pidfd)
{
    int pidfd = -1;
    struct clone_args args = {.flags = namespaces | JA_CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd};
    pid_t pid = (pid_t)syscall(__NR_clone3, &args, sizeof(args));

    if (pid > 0) {
        *ret_pidfd = pidfd;
    }
    return pid;
}

pid_t ja_sys_fork_into(int cgroup_fd)
{
    struct clone_args args = {.exit_signal = SIGCHLD};

    if (cgroup_fd >= 0) {
        args.flags = JA_CLONE_INTO_CGROUP;
        args.cgroup = (__u64)cgroup_fd;
    }
    return (pid_t)syscall(__NR_clone3, &args, sizeof(args));
}

pid_t ja_sys_fork_sibling(void)
{
    struct clone_args args = {.flags = CLONE_PARENT};

    return (pid_t)syscall(__NR_clone3, &args, sizeof(args));
}

int ja_sys_reap(int pidfd)
{
    siginfo_t info = {0};

    while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
}
