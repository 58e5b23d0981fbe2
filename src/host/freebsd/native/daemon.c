/*
 * daemon.c: a daemon that was started with a pid file: finding, ending, signalling, starting it again. FreeBSD has no descriptor of
 * a process that is not our child: between the look and the signal its number could pass to another one, but not within
 * the instant that this takes, since numbers are given out in turn or at random among a hundred thousand.
 */
#include "base/clock.h"
#include "base/file.h"
#include "host/freebsd/native/native.h"
#include "host/freebsd/native/verbs.h"
#include "run/option.h"
#include "run/spawn.h"

#include <sys/param.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 5000, PAUSE_MS = 20 };

/* True for a process of the host that runs that program and has the file among its arguments. */
static bool is_daemon(pid_t pid, const char *file, const char *program)
{
    int info_of[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid}, args_of[] = {CTL_KERN, KERN_PROC, KERN_PROC_ARGS, pid};
    struct kinfo_proc info = {0};
    char args[4096];
    size_t size = sizeof info, length = sizeof args - 1;
    if (sysctl(info_of, JA_COUNT(info_of), &info, &size, NULL, 0) < 0 || size != sizeof info || info.ki_jid != 0 ||
        info.ki_stat == SZOMB || strncmp(info.ki_comm, program, COMMLEN) != 0)
        return false;
    if (sysctl(args_of, JA_COUNT(args_of), args, &length, NULL, 0) < 0)
        return false;
    args[length] = '\0';
    for (size_t at = 0; at < length; at += strlen(args + at) + 1)
        if (strstr(args + at, file))
            return true;
    return false;
}

/* 0: there is none. */
static pid_t daemon_pid(const char *file, const char *program)
{
    ja_autofree char *text = NULL;
    int pid;
    if (ja_file_read(file, 64, &text, NULL, NULL) < 0 || sscanf(text, "%d", &pid) != 1 || pid <= 1)
        return 0;
    return is_daemon(pid, file, program) ? pid : 0;
}

static bool wait_end(pid_t pid, const char *file, const char *program)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    int64_t deadline = ja_clock_monotonic_ms() + WAIT_MS;
    while (is_daemon(pid, file, program)) {
        if (ja_clock_monotonic_ms() >= deadline)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

int ja_verb_daemon_stop(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    if (argc != 3 || argv[1][0] != '/' || !ja_opt_plain_name(argv[2]))
        return ja_opt_usage(argv[0], err);
    pid_t pid = daemon_pid(argv[1], argv[2]);
    if (pid && kill(pid, SIGTERM) < 0 && errno != ESRCH)
        return ja_error_sys(err, errno, NULL, "cannot signal process %d", (int)pid);
    if (pid && !wait_end(pid, argv[1], argv[2])) {
        kill(pid, SIGKILL);
        if (!wait_end(pid, argv[1], argv[2]))
            return ja_error_set(err, JA_E_TIMEOUT, NULL, "%s (process %d) does not end", argv[2], (int)pid);
    }
    /* A daemon that was killed leaves its file. */
    if (unlink(argv[1]) < 0 && errno != ENOENT)
        return ja_file_error(err, errno, argv[1], "remove it");
    return 0;
}

int ja_verb_daemon_signal(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    if (argc != 4 || argv[1][0] != '/' || !ja_opt_plain_name(argv[2]) || strcmp(argv[3], "SIGHUP") != 0)
        return ja_opt_usage(argv[0], err);
    pid_t pid = daemon_pid(argv[1], argv[2]);
    if (pid && kill(pid, SIGHUP) < 0 && errno != ESRCH)
        return ja_error_sys(err, errno, NULL, "cannot signal process %d", (int)pid);
    return 0;
}

int ja_verb_daemon_start(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    if (argc < 5 || argv[1][0] != '/' || !ja_opt_plain_name(argv[2]) || strcmp(argv[3], "--") != 0 || argv[4][0] != '/')
        return ja_opt_usage(argv[0], err);
    if (daemon_pid(argv[1], argv[2]))
        return 0;
    return ja_spawn_daemon(argv + 4, argv[2], WAIT_MS, io->output, err);
}
