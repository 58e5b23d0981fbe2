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
#include "host/outside.h"
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

/* Where the child failed. */
enum stage { AT_CLOSE, AT_ATTACH, AT_TERMINAL, AT_SESSION, AT_RIGHTS, AT_DIRECTORY, AT_EXEC };
static const char *const stage_texts[] = {"prepare a process for the jail",
                                          "enter the jail",
                                          "make a terminal in the jail",
                                          "begin a session",
                                          "take the rights of the jail's user",
                                          "enter the directory in the jail",
                                          "run the command"};

/* ---- in the child: system calls only ---- */

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

static void take_rights(const struct ja_entry *entry, int fd)
{
    /* Else the session would go on under the name of whoever called us. */
    const char *user = ja_outside_env(entry->env, "USER");
    if (!user || setlogin(user) < 0)
        (void)setlogin("root");
    if (setgroups((int)entry->group_count, entry->groups) < 0 || setresgid(entry->gid, entry->gid, entry->gid) < 0 ||
        setresuid(entry->uid, entry->uid, entry->uid) < 0)
        ja_outside_fail(fd, AT_RIGHTS);
}

static void be_command(const struct ja_entry *entry, int jid, char *const *argv, int fd, pid_t parent)
{
    int slave = -1;
    ja_spawn_die_with_parent(parent);
    ja_relay_default_signals();
    umask(022);
    if (dup2(fd, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) < 0)
        ja_outside_fail(fd, AT_CLOSE);
    fd = 3;
    closefrom(4);
    if (ja_freebsd_attach(jid) < 0)
        ja_outside_fail(fd, AT_ATTACH);
    if (entry->tty) {
        int master = open_terminal(&slave);
        if (master < 0)
            ja_outside_fail(fd, AT_TERMINAL);
        like_ours(master);
        ja_outside_say(fd, (struct ja_outside_message){.kind = JA_SAYS_MASTER}, master);
        close(master);
    }
    if (setsid() < 0 || (slave >= 0 && (ioctl(slave, TIOCSCTTY, NULL) < 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0 ||
                                        dup2(slave, 2) < 0)))
        ja_outside_fail(fd, AT_SESSION);
    if (slave >= 0)
        (void)fchown(0, entry->uid, (gid_t)-1);
    take_rights(entry, fd);
    if (chdir(entry->dir) < 0)
        ja_outside_fail(fd, AT_DIRECTORY);
    errno = ja_outside_run(entry, argv, "/sbin:/bin:/usr/sbin:/usr/bin");
    ja_outside_fail(fd, AT_EXEC);
}

/* ---- outside ---- */

static int failure_of(const struct ja_entry *entry, const struct ja_outside_message *failure, int *ret_status,
                      struct ja_error *err)
{
    if (failure->stage == AT_EXEC)
        return ja_outside_not_run(entry, failure->value, ret_status, err);
    if (failure->stage == AT_DIRECTORY)
        return ja_error_sys(err, failure->value, "option --workdir", "cannot enter %s in the jail",
                            JA_SHOW(entry->dir));
    if (failure->stage == AT_ATTACH && failure->value == EINVAL)
        return ja_freebsd_not_running(err);
    ja_error_sys(err, failure->value, NULL, "cannot %s", stage_texts[failure->stage]);
    return failure->stage == AT_TERMINAL ? ja_error_hint(err, "a terminal needs a devfs on the jail's /dev")
                                         : err->code;
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

static int attend(struct ja_outside *outside, struct ja_error *err)
{
    ja_autoclose int ended = watch(outside->pid);
    if (ended >= 0)
        return ja_outside_attend(outside, ended);
    int sys = errno;
    kill(outside->pid, SIGKILL);
    ja_outside_wait(outside->pid);
    return ja_error_sys(err, sys, NULL, "cannot watch the command");
}

static int run_in(const struct ja_entry *entry, int jid, char *const *argv, int *ret_status, struct ja_error *err)
{
    struct ja_outside outside;
    int pair[2];
    pid_t parent = getpid();
    ja_outside_init(&outside, entry);
    if (!entry->tty && ja_outside_make_pipes(&outside, err) < 0)
        return err->code;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a socket pair");
    ja_relay_catch_signals();
    fflush(NULL);
    outside.pid = fork();
    if (outside.pid == 0) {
        ja_outside_use_pipes(&outside);
        be_command(entry, jid, argv, pair[1], parent);
    }
    int sys = errno;
    close(pair[1]);
    ja_outside_close_theirs(&outside);
    if (outside.pid < 0) {
        close(pair[0]);
        return ja_error_sys(err, sys, NULL, "cannot fork");
    }
    ja_outside_listen(pair[0], &outside);
    close(pair[0]);
    if (outside.failed) {
        ja_outside_wait(outside.pid);
        return failure_of(entry, &outside.failure, ret_status, err);
    }
    int status = attend(&outside, err);
    if (status >= 0)
        *ret_status = status;
    return status < 0 ? status : 0;
}

int ja_native_enter(const struct ja_entry *entry, int *ret_status, struct ja_error *err)
{
    ja_autofree char **argv = ja_outside_words(entry);
    struct ja_error local = JA_ERROR_INIT;
    int jid;
    if (!err)
        err = &local;
    ja_outside_open_streams();
    *ret_status = -1;
    if (!argv)
        return ja_error_nomem(err);
    int code = ja_freebsd_find_jail(entry->pid_file, &jid, err);
    return code < 0 ? code : run_in(entry, jid, argv, ret_status, err);
}
