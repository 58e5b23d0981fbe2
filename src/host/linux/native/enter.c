/*
 * enter.c: a command in a running jail. Three processes: we stay outside and relay; a helper joins the jail's cgroups and all of
 * its namespaces at once, through a pidfd of its init, and makes the terminal there; its sibling becomes the command, with
 * the init's limits and capabilities, the jail's seccomp filter and nothing of ours but three streams.
 *
 * The jail is hostile and could be looking at the command before it is one. Until execve(2) it is not dumpable, holds no
 * descriptor of the host but its streams, and a jail whose root is the host's only ever sees a sealed copy of our program.
 */
#include "base/file.h"
#include "host/linux/native/enter.h"
#include "host/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#ifndef PIPEFS_MAGIC
#define PIPEFS_MAGIC 0x50495045
#endif

/* Where the helper or the command failed. */
enum stage { AT_CGROUP, AT_NAMESPACES, AT_TERMINAL, AT_FORK, AT_SESSION, AT_FILTER, AT_RIGHTS, AT_DIRECTORY, AT_EXEC };
static const char *const stage_texts[] = {"join the jail's cgroups",
                                          "join the jail's namespaces",
                                          "make a terminal in the jail",
                                          "fork",
                                          "begin a session",
                                          "load the seccomp filter",
                                          "take the rights of the jail's user",
                                          "enter the directory in the jail",
                                          "run the command"};

/* ---- in the helper and the command: system calls only ---- */

/* Only what jailadmin has set up for the init counts: a limit that we may not raise stays as ours is. */
static void take_limits(const struct ja_target *init)
{
    for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
        (void)setrlimit((enum __rlimit_resource)i, &init->limits[i]);
    }
}

/* The jail may have put anything there: only a real multiplexer of a devpts will do. */
static int open_terminal(int *ret_slave)
{
    struct statfs fs;
    struct stat info;
    int unlock = 0, master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    if (master < 0) {
        return -1;
    }
    if (fstatfs(master, &fs) < 0 || fstat(master, &info) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC ||
        !S_ISCHR(info.st_mode) || info.st_rdev != makedev(5, 2)) {
        errno = ENODEV;
        return -1;
    }
    if (ioctl(master, TIOCSPTLCK, &unlock) < 0) {
        return -1;
    }
    *ret_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return *ret_slave < 0 ? -1 : master;
}

/* Before the command can ask for it. */
static void like_ours(int master)
{
    struct winsize size;
    struct termios ours, mode;

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        (void)ioctl(master, TIOCSWINSZ, &size);
    }
    if (tcgetattr(STDIN_FILENO, &ours) == 0 && tcgetattr(master, &mode) == 0) {
        mode.c_iflag = (mode.c_iflag & ~(tcflag_t)IUTF8) | (ours.c_iflag & IUTF8);
        (void)tcsetattr(master, TCSANOW, &mode);
    }
}

/* A pipe has no owner that matters, but /dev/stderr can only be opened by its owner: give it to the jail's user. Files and
 * terminals of the host are never given away. */
static void give_pipes(const struct ja_entry *entry, const struct ja_target *init)
{
    for (int i = 0; i < 3; i++) {
        struct statfs fs;

        if (fstatfs(i, &fs) == 0 && fs.f_type == PIPEFS_MAGIC) {
            (void)fchown(i, init->uid_base + entry->uid, init->gid_base + entry->gid);
        }
    }
}

static void be_command(const struct ja_entry *entry, const struct ja_target *init, char *const *argv, int slave, int fd)
{
    char here[4096];

    ja_relay_default_signals();
    umask(022);
    if (setsid() < 0 || (slave >= 0 && (ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0 ||
                                        dup2(slave, 2) < 0))) {
        ja_outside_fail(fd, AT_SESSION);
    }
    if (dup2(fd, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) < 0 || ja_sys_close_from(4) < 0) {
        ja_outside_fail(fd, AT_SESSION);
    }
    fd = 3;
    /* The host's session keyring stays outside. */
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS) {
        ja_outside_fail(fd, AT_RIGHTS);
    }
    if (slave >= 0) {
        (void)fchown(0, entry->uid, (gid_t)-1);
    }
    if (ja_sys_bound_capabilities(init->capabilities) < 0 ||
        (init->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)) {
        ja_outside_fail(fd, AT_RIGHTS);
    }
    if (init->filter.len > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &init->filter) < 0) {
        ja_outside_fail(fd, AT_FILTER);
    }
    if (setgroups(entry->group_count, entry->groups) < 0 || setresgid(entry->gid, entry->gid, entry->gid) < 0 ||
        setresuid(entry->uid, entry->uid, entry->uid) < 0) {
        ja_outside_fail(fd, AT_RIGHTS);
    }
    if (ja_sys_have_capabilities(entry->uid == 0 ? init->capabilities : 0) < 0) {
        _exit(JA_STATUS_CANNOT);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* A path through /proc could lead to a directory outside: then it has no name here. */
    if (chdir(entry->dir) < 0 || syscall(SYS_getcwd, here, sizeof(here)) < 0 || (here[0] != '/' && (errno = EACCES))) {
        ja_outside_fail(fd, AT_DIRECTORY);
    }
    errno = ja_outside_run(entry, argv, "/usr/sbin:/usr/bin:/sbin:/bin");
    ja_outside_fail(fd, AT_EXEC);
}

static void be_helper(const struct ja_entry *entry, const struct ja_target *init, char *const *argv, int fd)
{
    const int namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                           (init->own_users ? CLONE_NEWUSER : 0);
    int slave = -1, master;
    pid_t pid;

    (void)prctl(PR_SET_DUMPABLE, 0);
    for (size_t i = 0; i < init->cgroup_count; i++) {
        if (write(init->cgroups[i], "0", 1) != 1) {
            ja_outside_fail(fd, AT_CGROUP);
        }
    }
    take_limits(init);
    give_pipes(entry, init);
    if (setns(init->pidfd, namespaces) < 0) {
        ja_outside_fail(fd, AT_NAMESPACES);
    }
    if (init->own_users && (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)) {
        ja_outside_fail(fd, AT_RIGHTS);
    }
    if (entry->tty) {
        if ((master = open_terminal(&slave)) < 0) {
            ja_outside_fail(fd, AT_TERMINAL);
        }
        like_ours(master);
        ja_outside_say(fd, (struct ja_outside_message){.kind = JA_SAYS_MASTER}, master);
        close(master);
    }
    (void)prctl(PR_SET_DUMPABLE, 0);
    pid = ja_sys_fork_sibling();
    if (pid == 0) {
        be_command(entry, init, argv, slave, fd);
    }
    if (pid < 0) {
        ja_outside_fail(fd, AT_FORK);
    }
    ja_outside_say(fd, (struct ja_outside_message){.kind = JA_SAYS_PID, .value = pid}, -1);
    _exit(0);
}

/* ---- outside ---- */

static int no_more_processes(struct ja_error *err)
{
    ja_error_set(err, JA_E_LIMIT, NULL, "it has as many processes as its limit allows");
    return ja_error_hint(err, "raise limits.processes, or `jailadmin stop --force` it");
}

static int failure_of(const struct ja_entry *entry, const struct ja_outside_message *failure, int *ret_status,
                      struct ja_error *err)
{
    if (failure->stage == AT_EXEC) {
        return ja_outside_not_run(entry, failure->value, ret_status, err);
    }
    *ret_status = -1;
    if (failure->stage == AT_DIRECTORY) {
        return ja_error_sys(err, failure->value, "option --workdir", "cannot enter %s in the jail",
                            JA_SHOW(entry->dir));
    }
    if (failure->stage == AT_NAMESPACES && failure->value == ESRCH) {
        return ja_target_gone(err);
    }
    if (failure->stage == AT_FORK && failure->value == EAGAIN) {
        return no_more_processes(err);
    }
    return ja_error_sys(err, failure->value, NULL, "cannot %s", stage_texts[failure->stage]);
}

static int attend(struct ja_outside *outside, struct ja_error *err)
{
    ja_autoclose int pidfd = ja_sys_pidfd_open(outside->pid);

    return pidfd < 0 ? ja_error_sys(err, errno, NULL, "cannot watch the command") : ja_outside_attend(outside, pidfd);
}

/* In a jail whose root is the host's, our program's file could be written through /proc/PID/exe: go on as a sealed copy of it. */
static int seal_self(struct ja_error *err)
{
    enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };
    extern char **environ;
    ja_autoclose int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = -1;
    ja_autostrv struct ja_strv argv = {0};
    struct stat info;
    int seals = self < 0 ? -1 : fcntl(self, F_GET_SEALS);
    off_t at = 0;

    if (seals >= 0 && (seals & SEALS) == SEALS) {
        return 0;
    }
    copy = memfd_create("jailadmin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (self < 0 || copy < 0 || fstat(self, &info) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot copy this program");
    }
    while (at < info.st_size) {
        if (sendfile(copy, self, &at, (size_t)(info.st_size - at)) <= 0) {
            return ja_error_sys(err, errno, NULL, "cannot copy this program");
        }
    }
    if (fcntl(copy, F_ADD_SEALS, SEALS) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot seal the copy of this program");
    }
    ja_autoclose int line = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    char buffer[65536];
    ssize_t length = read(line, buffer, sizeof(buffer));
    if (length <= 0 || length == (ssize_t)sizeof(buffer)) {
        return ja_error_set(err, JA_E_LIMIT, NULL, "the command line is longer than %zu bytes", sizeof(buffer));
    }
    for (ssize_t i = 0; i < length; i += (ssize_t)strlen(buffer + i) + 1) {
        if (ja_strv_add(&argv, buffer + i) < 0) {
            return ja_error_nomem(err);
        }
    }
    fexecve(copy, argv.items, environ);
    return ja_error_sys(err, errno, NULL, "cannot run the copy of this program");
}

static int run_in(const struct ja_entry *entry, const struct ja_target *init, char *const *argv, int *ret_status,
                  struct ja_error *err)
{
    struct ja_outside outside;
    int pair[2], status;
    pid_t helper;

    ja_outside_init(&outside, entry);
    if (!entry->tty && ja_outside_make_pipes(&outside, err) < 0) {
        return err->code;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot make a socket pair");
    }
    ja_relay_catch_signals();
    fflush(NULL);
    helper = ja_sys_fork_into(init->cgroup2);
    if (helper == 0) {
        ja_outside_use_pipes(&outside);
        be_helper(entry, init, argv, pair[1]);
    }
    int failed = errno;
    close(pair[1]);
    ja_outside_close_theirs(&outside);
    if (helper < 0) {
        close(pair[0]);
        if (failed == ENOENT || failed == ENODEV) { /* its cgroup has gone */
            return ja_error_set(err, JA_E_NOTFOUND, NULL, "the jail's init has ended");
        }
        return failed == EAGAIN ? no_more_processes(err) : ja_error_sys(err, failed, NULL, "cannot fork");
    }
    ja_outside_listen(pair[0], &outside);
    close(pair[0]);
    ja_outside_wait(helper);
    if (outside.failed || outside.pid == 0) {
        if (outside.pid > 0) {
            ja_outside_wait(outside.pid);
        }
        if (outside.failed) {
            return failure_of(entry, &outside.failure, ret_status, err);
        }
        return ja_error_set(err, JA_E_FAILED, NULL, "the process that enters the jail ended without a word");
    }
    status = attend(&outside, err);
    if (status >= 0) {
        *ret_status = status;
    }
    return status < 0 ? status : 0;
}

int ja_native_enter(const struct ja_entry *entry, int *ret_status, struct ja_error *err)
{
    JA_CLEANUP(ja_target_fini) struct ja_target init = {.pidfd = -1, .cgroup2 = -1};
    ja_autofree char **argv = ja_outside_words(entry);
    struct ja_error local = JA_ERROR_INIT;
    int code;

    if (err == NULL) {
        err = &local;
    }
    ja_outside_open_streams();
    *ret_status = -1;
    if (argv == NULL) {
        return ja_error_nomem(err);
    }
    if ((code = ja_target_read(entry, &init, err)) < 0 || (!init.own_users && (code = seal_self(err)) < 0)) {
        return code;
    }
    return run_in(entry, &init, argv, ret_status, err);
}
