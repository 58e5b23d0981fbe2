/*
 * contain.c: `jailadmin host contain [--tree TREE] -- COMMAND [ARGUMENT]...`: runs a command of the host in a mount and process
 * namespace of its own. What it mounts is gone with it, and so are all processes that it has started: when the command ends, when this
 * process ends, whatever ends it.
 */
#include "host/linux/native/native.h"
#include "run/option.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_PREPARE = 125, CANNOT_RUN = 127 };

/* The first process of the namespace: starts the command, and collects whoever ends here without a parent. With its own end
 * the kernel ends all others. */
static void first_process(char *const *argv, const char *tree, int alive)
{
    struct pollfd parent = {.fd = alive, .events = POLLIN};
    int status, result = CANNOT_PREPARE;
    pid_t command;
    /* The other end is closed when the parent has gone before the signal was armed. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || poll(&parent, 1, 0) != 0)
        _exit(CANNOT_PREPARE);
    close(alive);
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        _exit(CANNOT_PREPARE);
    /* The pool is nosuid and nodev for the host; here, where nobody else looks, the tree is neither. */
    if (tree != NULL && (mount(tree, tree, NULL, MS_BIND, NULL) < 0 ||
                         mount(NULL, tree, NULL, MS_BIND | MS_REMOUNT | MS_NOATIME, NULL) < 0))
        _exit(CANNOT_PREPARE);
    command = fork();
    if (command == 0) {
        execv(argv[0], argv);
        _exit(CANNOT_RUN);
    }
    while (command > 0) {
        pid_t ended = waitpid(-1, &status, 0);
        if (ended < 0 && errno != EINTR)
            break;
        if (ended == command) {
            result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
            break;
        }
    }
    _exit(result);
}

int ja_verb_contain(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    ja_autoclose int pidfd = -1;
    int alive[2], first, status;
    const char *tree = NULL;
    const struct ja_opt options[] = {{.name = "--tree", .value = &tree}, {.name = NULL}};
    if (ja_opt_read(argc, argv, options, &first, err) < 0)
        return JA_E_USAGE;
    if (first >= argc || argv[first][0] != '/')
        return ja_opt_usage(argv[0], err);
    if (pipe2(alive, O_CLOEXEC) < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a pipe");
    pid_t pid = ja_sys_fork(CLONE_NEWPID | CLONE_NEWNS, &pidfd);
    if (pid == 0) {
        close(alive[1]);
        first_process(argv + first, tree, alive[0]);
    }
    int sys = errno;
    close(alive[0]);
    if (pid < 0) {
        close(alive[1]);
        return ja_error_sys(err, sys, NULL, "cannot make a process namespace");
    }
    status = ja_sys_reap(pidfd);
    close(alive[1]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_PREPARE)
        return ja_error_set(err, JA_E_FAILED, NULL, "cannot mount anything in a namespace of its own");
    return ja_error_set(err, JA_E_FAILED, NULL, "%s ended with status %d", argv[first],
                        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}
