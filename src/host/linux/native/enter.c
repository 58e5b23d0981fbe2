/*
 * enter.c: a command in a running jail. Three processes: we stay outside and relay; a helper joins the jail's cgroups and all of
 * its namespaces at once, through a pidfd of its init, and makes the terminal there; its sibling becomes the command, with
 * the init's limits and capabilities, the jail's seccomp filter and nothing of ours but three streams.
 *
 * The jail is hostile and could be looking at the command before it is one. Until execve(2) it is not dumpable, holds no
 * descriptor of the host but its streams, and a jail whose root is the host's only ever sees a sealed copy of our program.
 */
#include "base/file.h"
#include "host/host.h"
#include "host/linux/native/enter.h"
#include "run/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
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
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef PIPEFS_MAGIC
#define PIPEFS_MAGIC 0x50495045
#endif

enum { STATUS_CANNOT = 126, STATUS_NOT_FOUND = 127, LEAVE_WAIT_MS = 2000 };

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

/* What they tell us, one message each. */
struct message {
    enum { SAYS_FAILED, SAYS_PID, SAYS_MASTER } kind;
    enum stage stage;
    int value; /* errno, or the pid */
};

/* ---- in the helper and the command: system calls only ---- */

static void say(int fd, struct message message, int pass_fd)
{
    struct iovec part = {.iov_base = &message, .iov_len = sizeof(message)};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    if (pass_fd >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(first), &pass_fd, sizeof(int));
    }
    if (sendmsg(fd, &header, MSG_NOSIGNAL) < 0) {
        _exit(STATUS_CANNOT);
    }
}

static void fail(int fd, enum stage stage)
{
    say(fd, (struct message){.kind = SAYS_FAILED, .stage = stage, .value = errno}, -1);
    _exit(STATUS_CANNOT);
}

/* Only what jailadmin has set up for the init counts: a limit that we may not raise stays as ours is. */
static void take_limits(const struct ja_target *init)
{
    for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
        (void)setrlimit((enum __rlimit_resource)i, &init->limits[i]);
    }
}

static void take_capabilities(const struct ja_target *init, bool root)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    if (root) {
        data[0].effective = data[0].permitted = (__u32)init->capabilities;
        data[1].effective = data[1].permitted = (__u32)(init->capabilities >> 32);
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, data) < 0) {
        _exit(STATUS_CANNOT);
    }
}

static int drop_bounding(uint64_t keep)
{
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        if (!(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            return -1;
        }
    }
    return 0;
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

static const char *env_path(char *const *env)
{
    for (; *env != NULL; env++) {
        if (strncmp(*env, "PATH=", 5) == 0) {
            return *env + 5;
        }
    }
    return "/usr/sbin:/usr/bin:/sbin:/bin";
}

/* execvp(3) by the PATH that the command will have. Returns errno: ENOENT when there is no such file anywhere. */
static int run_command(const struct ja_entry *entry, char *const *argv)
{
    const char *name = entry->argv[0];
    int worst = ENOENT;
    char path[4096];

    if (strchr(name, '/') != NULL) {
        execve(name, argv, entry->env);
        return errno;
    }
    for (const char *dir = env_path(entry->env);; dir++) {
        size_t length = strcspn(dir, ":");
        int n = snprintf(path, sizeof(path), "%.*s/%s", length ? (int)length : 1, length ? dir : ".", name);

        if (n > 0 && (size_t)n < sizeof(path)) {
            execve(path, argv, entry->env);
            if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ELOOP && errno != ENAMETOOLONG) {
                return errno;
            }
            worst = errno == EACCES ? EACCES : worst;
        }
        dir += length;
        if (*dir == '\0') {
            return worst;
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
        fail(fd, AT_SESSION);
    }
    if (dup2(fd, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) < 0 || syscall(__NR_close_range, 4, ~0U, 0) < 0) {
        fail(fd, AT_SESSION);
    }
    fd = 3;
    /* The host's session keyring stays outside. */
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS) {
        fail(fd, AT_RIGHTS);
    }
    if (slave >= 0) {
        (void)fchown(0, entry->uid, (gid_t)-1);
    }
    if (drop_bounding(init->capabilities) < 0 || (init->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)) {
        fail(fd, AT_RIGHTS);
    }
    if (init->filter.len > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &init->filter) < 0) {
        fail(fd, AT_FILTER);
    }
    if (setgroups(entry->group_count, entry->groups) < 0 || setresgid(entry->gid, entry->gid, entry->gid) < 0 ||
        setresuid(entry->uid, entry->uid, entry->uid) < 0) {
        fail(fd, AT_RIGHTS);
    }
    take_capabilities(init, entry->uid == 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* A path through /proc could lead to a directory outside: then it has no name here. */
    if (chdir(entry->dir) < 0 || syscall(SYS_getcwd, here, sizeof(here)) < 0 || (here[0] != '/' && (errno = EACCES))) {
        fail(fd, AT_DIRECTORY);
    }
    errno = run_command(entry, argv);
    fail(fd, AT_EXEC);
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
            fail(fd, AT_CGROUP);
        }
    }
    take_limits(init);
    give_pipes(entry, init);
    if (setns(init->pidfd, namespaces) < 0) {
        fail(fd, AT_NAMESPACES);
    }
    if (init->own_users && (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)) {
        fail(fd, AT_RIGHTS);
    }
    if (entry->tty) {
        if ((master = open_terminal(&slave)) < 0) {
            fail(fd, AT_TERMINAL);
        }
        like_ours(master);
        say(fd, (struct message){.kind = SAYS_MASTER}, master);
        close(master);
    }
    (void)prctl(PR_SET_DUMPABLE, 0);
    pid = ja_sys_fork_sibling();
    if (pid == 0) {
        be_command(entry, init, argv, slave, fd);
    }
    if (pid < 0) {
        fail(fd, AT_FORK);
    }
    say(fd, (struct message){.kind = SAYS_PID, .value = pid}, -1);
    _exit(0);
}

/* ---- outside ---- */

struct outside {
    struct ja_relay relay;
    int theirs[3]; /* the command's ends of pipes */
    pid_t pid;
    bool failed;
    struct message failure;
};

/* Streams that are terminals of ours are not handed over: what stays behind in the jail could read what is typed later. */
static int make_pipes(struct outside *outside, struct ja_error *err)
{
    for (int i = 0; i < 3; i++) {
        int pair[2];

        if (!isatty(i)) {
            continue;
        }
        if (pipe2(pair, O_CLOEXEC) < 0) {
            return ja_error_sys(err, errno, NULL, "cannot make a pipe");
        }
        outside->theirs[i] = pair[i == 0 ? 0 : 1];
        outside->relay.streams[i] = pair[i == 0 ? 1 : 0];
    }
    return 0;
}

static void use_pipes(const struct outside *outside)
{
    for (int i = 0; i < 3; i++) {
        if (outside->theirs[i] >= 0 && dup2(outside->theirs[i], i) < 0) {
            _exit(STATUS_CANNOT);
        }
    }
}

/* Reads what helper and command have to say, until both are silent: the command runs, or has failed. */
static void listen_to(int fd, struct outside *outside)
{
    for (;;) {
        struct message message;
        struct iovec part = {.iov_base = &message, .iov_len = sizeof(message)};
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            struct cmsghdr align;
        } control;
        struct msghdr header = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
        ssize_t n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n != (ssize_t)sizeof(message)) {
            return;
        }
        if (message.kind == SAYS_PID) {
            outside->pid = message.value;
        } else if (message.kind == SAYS_MASTER) {
            const struct cmsghdr *first = CMSG_FIRSTHDR(&header);

            if (first != NULL && first->cmsg_type == SCM_RIGHTS) {
                memcpy(&outside->relay.master, CMSG_DATA(first), sizeof(int));
            }
        } else if (!outside->failed) {
            outside->failed = true;
            outside->failure = message;
        }
    }
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return STATUS_CANNOT;
        }
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int no_more_processes(struct ja_error *err)
{
    ja_error_set(err, JA_E_LIMIT, NULL, "it has as many processes as its limit allows");
    return ja_error_hint(err, "raise limits.processes, or `jailadmin stop --force` it");
}

static int failure_of(const struct ja_entry *entry, const struct message *failure, int *ret_status,
                      struct ja_error *err)
{
    if (failure->stage == AT_EXEC) {
        *ret_status = failure->value == ENOENT || failure->value == ENOTDIR ? STATUS_NOT_FOUND : STATUS_CANNOT;
        if (*ret_status == STATUS_NOT_FOUND) {
            ja_error_set(err, JA_E_NOTFOUND, NULL, "there is no command %s in the jail", JA_SHOW(entry->argv[0]));
            return strchr(entry->argv[0], '/') ? ja_error_hint(err, "a script needs the program of its first line, too")
                                               : JA_E_NOTFOUND;
        }
        return ja_error_sys(err, failure->value, NULL, "cannot run %s in the jail", JA_SHOW(entry->argv[0]));
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

/* After the user has left: its terminal has gone, which is a hangup. Who ignores that is ended. */
static void end_command(pid_t pid, int pidfd)
{
    int64_t end = ja_sys_now_ms() + LEAVE_WAIT_MS;

    kill(-pid, SIGHUP);
    kill(-pid, SIGCONT);
    while (ja_sys_now_ms() < end) {
        siginfo_t info = {0};

        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == pid) {
            return;
        }
        usleep(10000);
    }
    ja_sys_pidfd_signal(pidfd, SIGKILL);
}

static int attend(struct outside *outside, struct ja_error *err)
{
    ja_autoclose int pidfd = ja_sys_pidfd_open(outside->pid);
    int status;

    if (pidfd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot watch the command");
    }
    outside->relay.done = pidfd;
    outside->relay.group = outside->pid;
    ja_relay_run(&outside->relay);
    if (outside->relay.left) {
        end_command(outside->pid, pidfd);
        wait_for(outside->pid);
        return 0;
    }
    status = wait_for(outside->pid);
    return status;
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

static char **command_words(const struct ja_entry *entry)
{
    size_t count = 0;
    char **words;

    while (entry->argv[count] != NULL) {
        count++;
    }
    words = ja_calloc(count + 1, sizeof(*words));
    if (words != NULL) {
        memcpy(words, entry->argv, count * sizeof(*words));
        if (entry->argv0 != NULL) {
            words[0] = (char *)(uintptr_t)entry->argv0;
        }
    }
    return words;
}

static int run_in(const struct ja_entry *entry, const struct ja_target *init, char *const *argv, int *ret_status,
                  struct ja_error *err)
{
    struct outside outside = {.relay = {.master = -1, .streams = {-1, -1, -1}, .escape = entry->escape},
                              .theirs = {-1, -1, -1}};
    int pair[2], status;
    pid_t helper;

    if (!entry->tty && make_pipes(&outside, err) < 0) {
        return err->code;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot make a socket pair");
    }
    ja_relay_catch_signals();
    fflush(NULL);
    helper = ja_sys_fork_into(init->cgroup2);
    if (helper == 0) {
        use_pipes(&outside);
        be_helper(entry, init, argv, pair[1]);
    }
    int failed = errno;
    close(pair[1]);
    for (int i = 0; i < 3; i++) {
        if (outside.theirs[i] >= 0) {
            close(outside.theirs[i]);
        }
    }
    if (helper < 0) {
        close(pair[0]);
        return failed == EAGAIN ? no_more_processes(err) : ja_error_sys(err, failed, NULL, "cannot fork");
    }
    listen_to(pair[0], &outside);
    close(pair[0]);
    wait_for(helper);
    if (outside.failed || outside.pid == 0) {
        if (outside.pid > 0) {
            wait_for(outside.pid);
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

/* Closed standard streams would be taken by the next descriptor that is opened. */
static void open_streams(void)
{
    for (int i = 0; i < 3; i++) {
        if (fcntl(i, F_GETFD) < 0) {
            (void)open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY);
        }
    }
}

int ja_native_enter(const struct ja_entry *entry, int *ret_status, struct ja_error *err)
{
    JA_CLEANUP(ja_target_fini) struct ja_target init = {.pidfd = -1, .cgroup2 = -1};
    ja_autofree char **argv = command_words(entry);
    struct ja_error local = JA_ERROR_INIT;
    int code;

    if (err == NULL) {
        err = &local;
    }
    open_streams();
    *ret_status = -1;
    if (argv == NULL) {
        return ja_error_nomem(err);
    }
    if ((code = ja_target_read(entry, &init, err)) < 0 || (!init.own_users && (code = seal_self(err)) < 0)) {
        return code;
    }
    return run_in(entry, &init, argv, ret_status, err);
}
