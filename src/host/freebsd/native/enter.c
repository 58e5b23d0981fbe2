/*
 * enter.c: a command in a running jail. A child attaches to the jail, makes the terminal there, takes the user's rights and
 * becomes the command; we stay outside and relay.
 *
 * The jail is hostile, and from jail_attach(2) on its root sees the child. Until execve(2) nobody can trace it, and it holds no
 * descriptor of the host but its streams and a socket that closes by itself.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "host/freebsd/native/native.h"
#include "host/host.h"
#include "run/relay.h"
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { STATUS_CANNOT = 126, STATUS_NOT_FOUND = 127, LEAVE_WAIT_MS = 2000 };

/* Where the child failed. */
enum stage { AT_CLOSE, AT_ATTACH, AT_TERMINAL, AT_SESSION, AT_RIGHTS, AT_DIRECTORY, AT_EXEC };
static const char *const stage_texts[] = {"prepare a process for the jail",
                                          "enter the jail",
                                          "make a terminal in the jail",
                                          "begin a session",
                                          "take the rights of the jail's user",
                                          "enter the directory in the jail",
                                          "run the command"};

/* What it tells us, one message each. */
struct message {
    enum { SAYS_FAILED, SAYS_MASTER } kind;
    enum stage stage;
    int value; /* errno */
};

/* ---- in the child: system calls only ---- */

static void say(int fd, struct message message, int pass_fd)
{
    struct iovec part = {.iov_base = &message, .iov_len = sizeof message};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (pass_fd >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof control.bytes;
        struct cmsghdr *first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(first), &pass_fd, sizeof(int));
    }
    if (sendmsg(fd, &header, MSG_NOSIGNAL) < 0)
        _exit(STATUS_CANNOT);
}

static void fail(int fd, enum stage stage)
{
    say(fd, (struct message){.kind = SAYS_FAILED, .stage = stage, .value = errno}, -1);
    _exit(STATUS_CANNOT);
}

/* A pair made in the jail is the jail's, and its devfs shows it. What lies at /dev there may be anything: only the other end of
 * this very pair will do. */
static int open_terminal(int *ret_slave)
{
    char name[64], path[80], found[64];
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || !fdevname_r(master, name, sizeof name))
        return -1;
    snprintf(path, sizeof path, "/dev/%s", name);
    int slave = open(path, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (slave < 0)
        return -1;
    if (!isatty(slave) || !fdevname_r(slave, found, sizeof found) || strcmp(found, name) != 0 ||
        ioctl(slave, TIOCPTMASTER) == 0) {
        errno = ENODEV;
        return -1;
    }
    if (fcntl(slave, F_SETFL, 0) < 0)
        return -1;
    *ret_slave = slave;
    return master;
}

/* Before the command can ask for it. */
static void like_ours(int master)
{
    struct winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        (void)ioctl(master, TIOCSWINSZ, &size);
#ifdef IUTF8 /* 14 and later */
    struct termios ours, mode;
    if (tcgetattr(STDIN_FILENO, &ours) == 0 && tcgetattr(master, &mode) == 0) {
        mode.c_iflag = (mode.c_iflag & ~(tcflag_t)IUTF8) | (ours.c_iflag & IUTF8);
        (void)tcsetattr(master, TCSANOW, &mode);
    }
#endif
}

static const char *env_value(char *const *env, const char *name)
{
    size_t length = strlen(name);
    for (; *env; env++)
        if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
            return *env + length + 1;
    return NULL;
}

/* execvp(3) by the PATH that the command will have. Returns errno: ENOENT when there is no such file anywhere. */
static int run_command(const struct ja_entry *entry, char *const *argv)
{
    const char *name = entry->argv[0], *dir = env_value(entry->env, "PATH");
    int worst = ENOENT;
    char path[4096];
    if (strchr(name, '/')) {
        execve(name, argv, entry->env);
        return errno;
    }
    for (dir = dir ? dir : "/sbin:/bin:/usr/sbin:/usr/bin";; dir++) {
        size_t length = strcspn(dir, ":");
        int n = snprintf(path, sizeof path, "%.*s/%s", length ? (int)length : 1, length ? dir : ".", name);
        if (n > 0 && (size_t)n < sizeof path) {
            execve(path, argv, entry->env);
            if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ELOOP && errno != ENAMETOOLONG)
                return errno;
            worst = errno == EACCES ? EACCES : worst;
        }
        dir += length;
        if (!*dir)
            return worst;
    }
}

static void take_rights(const struct ja_entry *entry, int fd)
{
    /* Else the session would go on under the name of whoever called us. */
    const char *user = env_value(entry->env, "USER");
    if (!user || setlogin(user) < 0)
        (void)setlogin("root");
    if (setgroups((int)entry->group_count, entry->groups) < 0 || setresgid(entry->gid, entry->gid, entry->gid) < 0 ||
        setresuid(entry->uid, entry->uid, entry->uid) < 0)
        fail(fd, AT_RIGHTS);
}

static void be_command(const struct ja_entry *entry, int jid, char *const *argv, int fd, pid_t parent)
{
    int slave = -1;
    ja_spawn_die_with_parent(parent);
    ja_relay_default_signals();
    umask(022);
    if (dup2(fd, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) < 0)
        fail(fd, AT_CLOSE);
    fd = 3;
    closefrom(4);
    if (ja_freebsd_attach(jid) < 0)
        fail(fd, AT_ATTACH);
    if (entry->tty) {
        int master = open_terminal(&slave);
        if (master < 0)
            fail(fd, AT_TERMINAL);
        like_ours(master);
        say(fd, (struct message){.kind = SAYS_MASTER}, master);
        close(master);
    }
    if (setsid() < 0 || (slave >= 0 && (ioctl(slave, TIOCSCTTY, NULL) < 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0 ||
                                        dup2(slave, 2) < 0)))
        fail(fd, AT_SESSION);
    if (slave >= 0)
        (void)fchown(0, entry->uid, (gid_t)-1);
    take_rights(entry, fd);
    if (chdir(entry->dir) < 0)
        fail(fd, AT_DIRECTORY);
    errno = run_command(entry, argv);
    fail(fd, AT_EXEC);
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
        if (!isatty(i))
            continue;
        if (pipe2(pair, O_CLOEXEC) < 0)
            return ja_error_sys(err, errno, NULL, "cannot make a pipe");
        outside->theirs[i] = pair[i == 0 ? 0 : 1];
        outside->relay.streams[i] = pair[i == 0 ? 1 : 0];
    }
    return 0;
}

static void use_pipes(const struct outside *outside)
{
    for (int i = 0; i < 3; i++)
        if (outside->theirs[i] >= 0 && dup2(outside->theirs[i], i) < 0)
            _exit(STATUS_CANNOT);
}

/* Reads what the child has to say, until it is silent: the command runs, or has failed. */
static void listen_to(int fd, struct outside *outside)
{
    for (;;) {
        struct message message;
        struct iovec part = {.iov_base = &message, .iov_len = sizeof message};
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            struct cmsghdr align;
        } control;
        struct msghdr header = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
        ssize_t n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != (ssize_t)sizeof message)
            return;
        if (message.kind == SAYS_MASTER) {
            const struct cmsghdr *first = CMSG_FIRSTHDR(&header);
            if (first && first->cmsg_type == SCM_RIGHTS)
                memcpy(&outside->relay.master, CMSG_DATA(first), sizeof(int));
        } else if (!outside->failed) {
            outside->failed = true;
            outside->failure = message;
        }
    }
}

static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return STATUS_CANNOT;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
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
    if (failure->stage == AT_DIRECTORY)
        return ja_error_sys(err, failure->value, "option --workdir", "cannot enter %s in the jail",
                            JA_SHOW(entry->dir));
    if (failure->stage == AT_ATTACH && failure->value == EINVAL)
        return ja_freebsd_not_running(err);
    ja_error_sys(err, failure->value, NULL, "cannot %s", stage_texts[failure->stage]);
    return failure->stage == AT_TERMINAL ? ja_error_hint(err, "a terminal needs a devfs on the jail's /dev")
                                         : err->code;
}

/* After the user has left: its terminal has gone, which is a hangup. Who ignores that is ended. */
static void end_command(pid_t pid, int ended)
{
    struct pollfd fds = {.fd = ended, .events = POLLIN};
    int64_t end = ja_clock_monotonic_ms() + LEAVE_WAIT_MS;
    kill(-pid, SIGHUP);
    kill(-pid, SIGCONT);
    for (int64_t left; (left = end - ja_clock_monotonic_ms()) > 0;)
        if (poll(&fds, 1, (int)left) > 0)
            return;
    kill(pid, SIGKILL);
}

/* A descriptor that becomes readable when the process ends. */
static int watch(pid_t pid)
{
    struct kevent event;
    int queue = kqueue();
    EV_SET(&event, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
    if (queue < 0 || kevent(queue, &event, 1, NULL, 0, NULL) == 0)
        return queue;
    int sys = errno;
    close(queue);
    if (sys == ESRCH) /* it has ended already: this is always readable */
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    errno = sys;
    return -1;
}

static int attend(struct outside *outside, struct ja_error *err)
{
    ja_autoclose int ended = watch(outside->pid);
    if (ended < 0) {
        int sys = errno;
        kill(outside->pid, SIGKILL);
        wait_for(outside->pid);
        return ja_error_sys(err, sys, NULL, "cannot watch the command");
    }
    outside->relay.done = ended;
    outside->relay.group = outside->pid;
    ja_relay_run(&outside->relay);
    if (!outside->relay.left)
        return wait_for(outside->pid);
    end_command(outside->pid, ended);
    wait_for(outside->pid);
    return 0;
}

static char **command_words(const struct ja_entry *entry)
{
    size_t count = 0;
    while (entry->argv[count])
        count++;
    char **words = ja_calloc(count + 1, sizeof *words);
    if (words)
        memcpy(words, entry->argv, count * sizeof *words);
    if (words && entry->argv0)
        words[0] = (char *)(uintptr_t)entry->argv0;
    return words;
}

static void close_theirs(const struct outside *outside)
{
    for (int i = 0; i < 3; i++)
        if (outside->theirs[i] >= 0)
            close(outside->theirs[i]);
}

static int run_in(const struct ja_entry *entry, int jid, char *const *argv, int *ret_status, struct ja_error *err)
{
    struct outside outside = {.relay = {.master = -1, .streams = {-1, -1, -1}, .escape = entry->escape},
                              .theirs = {-1, -1, -1}};
    int pair[2];
    pid_t parent = getpid();
    if (!entry->tty && make_pipes(&outside, err) < 0)
        return err->code;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a socket pair");
    ja_relay_catch_signals();
    fflush(NULL);
    outside.pid = fork();
    if (outside.pid == 0) {
        use_pipes(&outside);
        be_command(entry, jid, argv, pair[1], parent);
    }
    int sys = errno;
    close(pair[1]);
    close_theirs(&outside);
    if (outside.pid < 0) {
        close(pair[0]);
        return ja_error_sys(err, sys, NULL, "cannot fork");
    }
    listen_to(pair[0], &outside);
    close(pair[0]);
    if (outside.failed) {
        wait_for(outside.pid);
        return failure_of(entry, &outside.failure, ret_status, err);
    }
    int status = attend(&outside, err);
    if (status >= 0)
        *ret_status = status;
    return status < 0 ? status : 0;
}

/* Closed standard streams would be taken by the next descriptor that is opened. */
static void open_streams(void)
{
    for (int i = 0; i < 3; i++)
        if (fcntl(i, F_GETFD) < 0)
            (void)open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY);
}

int ja_native_enter(const struct ja_entry *entry, int *ret_status, struct ja_error *err)
{
    ja_autofree char **argv = command_words(entry);
    struct ja_error local = JA_ERROR_INIT;
    int jid;
    if (!err)
        err = &local;
    open_streams();
    *ret_status = -1;
    if (!argv)
        return ja_error_nomem(err);
    int code = ja_freebsd_find_jail(entry->pid_file, &jid, err);
    return code < 0 ? code : run_in(entry, jid, argv, ret_status, err);
}
