/*
 * sys.c: the system calls that Debian 12's C library or headers lack.
 */
#include "host/linux/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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
#ifndef __NR_fsopen
#define __NR_fsopen 430
#endif
#ifndef __NR_fsconfig
#define __NR_fsconfig 431
#endif
#ifndef __NR_fsmount
#define __NR_fsmount 432
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
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
#define JA_MOVE_MOUNT_T_EMPTY_PATH 0x00000040u
#define JA_AT_RECURSIVE 0x8000u
#define JA_FSOPEN_CLOEXEC 1u
#define JA_FSMOUNT_CLOEXEC 1u
/* Commands of fsconfig(2). */
enum { JA_FS_SET_FLAG = 0, JA_FS_SET_STRING = 1, JA_FS_CREATE = 6 };
#define JA_CLONE_PIDFD 0x00001000ull
#define JA_CLONE_INTO_CGROUP 0x200000000ull

int ja_sys_open_tree(const char *path, bool clone)
{
    return (int)syscall(__NR_open_tree, AT_FDCWD, path, (clone ? OPEN_TREE_CLONE : 0) | O_CLOEXEC);
}

int ja_sys_clone_tree(int fd, bool recursive)
{
    return (int)syscall(__NR_open_tree, fd, "",
                        OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | (recursive ? JA_AT_RECURSIVE : 0));
}

int ja_sys_mount_setattr(int fd, const struct ja_mount_attr *attr)
{
    return (int)syscall(__NR_mount_setattr, fd, "", AT_EMPTY_PATH, attr, sizeof(*attr));
}

int ja_sys_move_mount(int from_fd, const char *to)
{
    return (int)syscall(__NR_move_mount, from_fd, "", AT_FDCWD, to, JA_MOVE_MOUNT_F_EMPTY_PATH);
}

int ja_sys_move_mount_on(int from_fd, int to_fd)
{
    return (int)syscall(__NR_move_mount, from_fd, "", to_fd, "",
                        JA_MOVE_MOUNT_F_EMPTY_PATH | JA_MOVE_MOUNT_T_EMPTY_PATH);
}

static int set_option(int fs, const char *option)
{
    const char *value = strchr(option, '=');
    char key[64];

    if (value == NULL)
        return (int)syscall(__NR_fsconfig, fs, JA_FS_SET_FLAG, option, NULL, 0);
    if ((size_t)(value - option) >= sizeof(key)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(key, option, (size_t)(value - option));
    key[value - option] = '\0';
    return (int)syscall(__NR_fsconfig, fs, JA_FS_SET_STRING, key, value + 1, 0);
}

int ja_sys_new_mount(const char *type, const char *source, const char *const *options, __u64 attributes)
{
    int fs = (int)syscall(__NR_fsopen, type, JA_FSOPEN_CLOEXEC), fd = -1, sys;
    bool good = fs >= 0 && syscall(__NR_fsconfig, fs, JA_FS_SET_STRING, "source", source, 0) == 0;

    for (; good && options != NULL && *options != NULL; options++)
        good = set_option(fs, *options) == 0;
    if (good && syscall(__NR_fsconfig, fs, JA_FS_CREATE, NULL, NULL, 0) == 0)
        fd = (int)syscall(__NR_fsmount, fs, JA_FSMOUNT_CLOEXEC, attributes);
    sys = errno;
    if (fs >= 0)
        close(fs);
    errno = sys;
    return fd;
}

int ja_sys_open_in_root(int root_fd, const char *path, int flags)
{
    struct {
        __u64 flags, mode, resolve;
    } how = {.flags = (__u64)(unsigned)flags | O_CLOEXEC, .resolve = 0x10 /* RESOLVE_IN_ROOT */};

    return (int)syscall(__NR_openat2, root_fd, path, &how, sizeof(how));
}

int ja_sys_socket_in(const char *netns, int domain, int type, int protocol)
{
    ja_autoclose int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = -1;
    if (own < 0 || (netns && (there = open(netns, O_RDONLY | O_CLOEXEC)) < 0))
        return -1;
    if ((netns ? setns(there, CLONE_NEWNET) : unshare(CLONE_NEWNET)) < 0)
        return -1;
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol), sys = errno;
    /* Going back needs nothing that was not needed to come. In the wrong namespace nothing may go on. */
    if (setns(own, CLONE_NEWNET) < 0)
        abort();
    errno = sys;
    return fd;
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

int ja_sys_bound_capabilities(__u64 keep)
{
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (!(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return -1;
    return 0;
}

int ja_sys_have_capabilities(__u64 capabilities)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    data[0].effective = data[0].permitted = (__u32)capabilities;
    data[1].effective = data[1].permitted = (__u32)(capabilities >> 32);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return (int)syscall(SYS_capset, &header, data);
}

static bool set_effective(int capability, bool on)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    __u32 *word = &data[capability / 32].effective, bit = 1U << capability % 32;

    if (syscall(SYS_capget, &header, data) < 0 || ((*word & bit) != 0) == on) {
        return false;
    }
    *word ^= bit;
    return syscall(SYS_capset, &header, data) == 0;
}

bool ja_sys_drop_effective(int capability)
{
    return set_effective(capability, false);
}

void ja_sys_raise_effective(int capability)
{
    (void)set_effective(capability, true);
}

int ja_sys_close_from(unsigned first)
{
    return (int)syscall(__NR_close_range, first, ~0U, 0);
}

int ja_sys_close_but(const int *keep, size_t count)
{
    unsigned first = 3;

    for (size_t i = 0; i < count; i++) {
        unsigned kept = (unsigned)keep[i];

        if (kept > first && syscall(__NR_close_range, first, kept - 1, 0) < 0) {
            return -1;
        }
        first = kept >= first ? kept + 1 : first;
    }
    return ja_sys_close_from(first);
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
