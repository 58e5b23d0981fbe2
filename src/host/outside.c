/*
 * outside.c: pipes, messages and the wait for a command in a jail, seen from outside.
 */
#include "host/outside.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LEAVE_WAIT_MS = 2000 };

void ja_outside_init(struct ja_outside *outside, const struct ja_entry *entry)
{
    *outside = (struct ja_outside){.relay = {.master = -1, .streams = {-1, -1, -1}, .escape = entry->escape},
                                   .theirs = {-1, -1, -1}};
}

/* ---- in the processes inside ---- */

void ja_outside_say(int fd, struct ja_outside_message message, int pass_fd)
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
        _exit(JA_STATUS_CANNOT);
}

void ja_outside_fail(int fd, int stage)
{
    ja_outside_say(fd, (struct ja_outside_message){.kind = JA_SAYS_FAILED, .stage = stage, .value = errno}, -1);
    _exit(JA_STATUS_CANNOT);
}

void ja_outside_use_pipes(const struct ja_outside *outside)
{
    for (int i = 0; i < 3; i++)
        if (outside->theirs[i] >= 0 && dup2(outside->theirs[i], i) < 0)
            _exit(JA_STATUS_CANNOT);
}

const char *ja_outside_env(char *const *env, const char *name)
{
    size_t length = strlen(name);
    for (; *env; env++)
        if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
            return *env + length + 1;
    return NULL;
}

int ja_outside_run(const struct ja_entry *entry, char *const *argv, const char *path)
{
    const char *name = entry->argv[0], *dir = ja_outside_env(entry->env, "PATH");
    int worst = ENOENT;
    char file[4096];
    if (strchr(name, '/')) {
        execve(name, argv, entry->env);
        return errno;
    }
    for (dir = dir ? dir : path;; dir++) {
        size_t length = strcspn(dir, ":");
        int n = snprintf(file, sizeof file, "%.*s/%s", length ? (int)length : 1, length ? dir : ".", name);
        if (n > 0 && (size_t)n < sizeof file) {
            execve(file, argv, entry->env);
            if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ELOOP && errno != ENAMETOOLONG)
                return errno;
            worst = errno == EACCES ? EACCES : worst;
        }
        dir += length;
        if (!*dir)
            return worst;
    }
}

/* ---- outside ---- */

void ja_outside_open_streams(void)
{
    for (int i = 0; i < 3; i++)
        if (fcntl(i, F_GETFD) < 0)
            (void)open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY);
}

char **ja_outside_words(const struct ja_entry *entry)
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

int ja_outside_make_pipes(struct ja_outside *outside, struct ja_error *err)
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

void ja_outside_close_theirs(const struct ja_outside *outside)
{
    for (int i = 0; i < 3; i++)
        if (outside->theirs[i] >= 0)
            close(outside->theirs[i]);
}

void ja_outside_listen(int fd, struct ja_outside *outside)
{
    for (;;) {
        struct ja_outside_message message;
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
        if (message.kind == JA_SAYS_PID) {
            outside->pid = message.value;
        } else if (message.kind == JA_SAYS_MASTER) {
            const struct cmsghdr *first = CMSG_FIRSTHDR(&header);
            if (first && first->cmsg_type == SCM_RIGHTS)
                memcpy(&outside->relay.master, CMSG_DATA(first), sizeof(int));
        } else if (!outside->failed) {
            outside->failed = true;
            outside->failure = message;
        }
    }
}

int ja_outside_wait(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return JA_STATUS_CANNOT;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
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
    /* Our child, and not reaped yet: the number is still its own. */
    kill(pid, SIGKILL);
}

int ja_outside_attend(struct ja_outside *outside, int ended)
{
    outside->relay.done = ended;
    outside->relay.group = outside->pid;
    ja_relay_run(&outside->relay);
    if (!outside->relay.left)
        return ja_outside_wait(outside->pid);
    end_command(outside->pid, ended);
    ja_outside_wait(outside->pid);
    return 0;
}

int ja_outside_not_run(const struct ja_entry *entry, int sys, int *ret_status, struct ja_error *err)
{
    *ret_status = sys == ENOENT || sys == ENOTDIR ? JA_STATUS_NOT_FOUND : JA_STATUS_CANNOT;
    if (*ret_status == JA_STATUS_CANNOT)
        return ja_error_sys(err, sys, NULL, "cannot run %s in the jail", JA_SHOW(entry->argv[0]));
    ja_error_set(err, JA_E_NOTFOUND, NULL, "there is no command %s in the jail", JA_SHOW(entry->argv[0]));
    return strchr(entry->argv[0], '/') ? ja_error_hint(err, "a script needs the program of its first line, too")
                                       : JA_E_NOTFOUND;
}
