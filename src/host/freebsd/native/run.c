/*
 * run.c: commands in a running jail that no terminal waits for: its start script, its init, its services; and their end. What they
 * print goes to the jail's log.
 *
 * A process of the jail gets no descriptor of the host but its log, which it can only append to: standard input is an empty pipe, since
 * the host's /dev/null would be a device whose mode the jail's root could change for the whole host.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "host/freebsd/native/native.h"
#include "host/outside.h"
#include "run/log.h"
#include "run/machine.h"
#include "run/option.h"
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Something that cannot work, such as a program whose libraries are missing, ends within SETTLE_MS of its exec where it gets a
 * processor at once, and before it has waited for anything or used BUSY_US of processor time where it does not. */
enum { PAUSE_MS = 20, SETTLE_MS = 30, SETTLE_MOST_MS = 2000, BUSY_US = 200000, FILES_MOST = 1100 };

#define PATH_INSIDE "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"

struct call {
    const char *jail, *user, *home, *log, *log_limit, *pid_file;
    struct ja_strv env, given; /* the environment as it will be; what --env says */
    uid_t uid;
    gid_t gid;
};

static void call_fini(struct call *call)
{
    ja_strv_fini(&call->env);
    ja_strv_fini(&call->given);
}

/* ---- processes that a file notes: "PID START" ---- */

static bool read_noted(const char *path, pid_t *ret_pid, uint64_t *ret_start)
{
    ja_autofree char *text = NULL;
    unsigned long long start;
    int pid;
    if (ja_file_read(path, 128, &text, NULL, NULL) < 0 || sscanf(text, "%d %llu", &pid, &start) != 2 || pid <= 1)
        return false;
    *ret_pid = pid;
    *ret_start = start;
    return true;
}

/* ---- running ---- */

static int add_env(struct ja_strv *env, const struct ja_strv *given, const char *name, const char *value)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < given->count; i++)
        if (strncmp(given->items[i], name, length) == 0 && given->items[i][length] == '=')
            return 0;
    return ja_strv_addf(env, "%s=%s", name, value);
}

static int make_env(struct call *call, struct ja_error *err)
{
    bool root = call->uid == 0;
    int rc = add_env(&call->env, &call->given, "PATH", PATH_INSIDE);
    if (rc == 0)
        rc = add_env(&call->env, &call->given, "HOME", call->home ? call->home : root ? "/root" : "/");
    if (rc == 0)
        rc = add_env(&call->env, &call->given, "SHELL", "/bin/sh");
    if (rc == 0 && root)
        rc = add_env(&call->env, &call->given, "USER", "root");
    for (size_t i = 0; rc == 0 && i < call->given.count; i++)
        rc = ja_strv_add(&call->env, call->given.items[i]);
    return rc < 0 ? ja_error_nomem(err) : 0;
}

/* "UID" or "UID:GID". */
static int read_user(struct call *call, struct ja_error *err)
{
    int64_t uid = 0, gid = 0;
    if (!call->user)
        return 0;
    const char *colon = strchr(call->user, ':');
    ja_autofree char *number = ja_strndup(call->user, strcspn(call->user, ":"));
    if (!number)
        return ja_error_nomem(err);
    int rc = ja_opt_number("--user", number, 0, UINT32_MAX - 1, &uid, err);
    if (rc == 0 && colon)
        rc = ja_opt_number("--user", colon + 1, 0, UINT32_MAX - 1, &gid, err);
    call->uid = (uid_t)uid;
    call->gid = (gid_t)gid;
    return rc;
}

/* In the child, system calls only. What it says on `fd` when it fails is errno; at execve(2) that closes. */
static void be_command(const struct call *call, const struct ja_entry *entry, int jid, int log, int fd, pid_t parent)
{
    int empty[2], say = fd;
    if (call->pid_file == NULL)
        ja_spawn_die_with_parent(parent);
    ja_relay_default_signals();
    umask(022);
    if (setsid() >= 0 && pipe2(empty, O_CLOEXEC) == 0 && dup2(empty[0], 0) >= 0 && dup2(log, 1) >= 0 &&
        dup2(log, 2) >= 0 && dup2(fd, 3) >= 0 && fcntl(3, F_SETFD, FD_CLOEXEC) >= 0) {
        say = 3;
        closefrom(4);
        if (ja_freebsd_attach(jid) == 0 && setlogin("root") == 0 && setgroups(1, &call->gid) == 0 &&
            setresgid(call->gid, call->gid, call->gid) == 0 && setresuid(call->uid, call->uid, call->uid) == 0) {
            if (call->home && chdir(call->home) < 0)
                (void)chdir("/");
            errno = ja_outside_run(entry, (char *const *)(uintptr_t)entry->argv, PATH_INSIDE);
        }
    }
    int sys = errno;
    (void)write(say, &sys, sizeof sys);
    _exit(JA_STATUS_CANNOT);
}

/* The log goes with a jail that is made and started and does not start, so its end is told. */
static int ended(const char *command, int status, const char *log, struct ja_error *err)
{
    char printed[1024];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    ja_error_set(err, JA_E_FAILED, NULL, "%s in the jail ended with status %d", JA_SHOW(command),
                 WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    ja_autoclose int fd = open(log, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    off_t length = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    ssize_t n = length < 0 ? -1
                           : pread(fd, printed, sizeof printed,
                                   length > (off_t)sizeof printed ? length - (off_t)sizeof printed : 0);
    if (n > 0)
        ja_machine_printed(printed, (size_t)n, err);
    return err ? err->code : JA_E_FAILED;
}

/* It waits for something that may never come, or has computed for a while. */
static bool has_settled(pid_t pid)
{
    int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
    struct kinfo_proc info = {0};
    size_t size = sizeof info;
    if (sysctl(name, JA_COUNT(name), &info, &size, NULL, 0) < 0 || size != sizeof info)
        return true;
    return info.ki_runtime >= BUSY_US || (info.ki_stat == SSLEEP && (info.ki_tdflags & TDF_SINTR));
}

/* Whether it ends before it could have done anything. */
static bool ends_at_once(pid_t pid, int *ret_status)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    int64_t start = ja_clock_monotonic_ms();
    while (waitpid(pid, ret_status, WNOHANG) != pid) {
        int64_t gone = ja_clock_monotonic_ms() - start;
        if (gone >= SETTLE_MOST_MS || (gone >= SETTLE_MS && has_settled(pid)))
            return waitpid(pid, ret_status, WNOHANG) == pid; /* it may have ended in between */
        nanosleep(&pause, NULL);
    }
    return true;
}

/* One that has ended by now is not noted: what it ended with is its failure, or its daemon goes on without it. */
static int note(const struct call *call, const char *command, pid_t pid, struct ja_error *err)
{
    uint64_t start;
    char text[64];
    int status;
    if (ends_at_once(pid, &status))
        return ended(command, status, call->log, err);
    if (ja_process_start(pid, &start) < 0)
        return 0;
    snprintf(text, sizeof text, "%d %llu\n", (int)pid, (unsigned long long)start);
    return ja_file_write(call->pid_file, text, strlen(text), 0600, false, err);
}

static int run_in(const struct call *call, const struct ja_entry *entry, int jid, int log, struct ja_error *err)
{
    int fds[2], sys = 0, status = 0;
    const char *command = entry->argv[0];
    pid_t parent = getpid();
    if (pipe2(fds, O_CLOEXEC) < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a pipe");
    pid_t pid = fork();
    if (pid == 0)
        be_command(call, entry, jid, log, fds[1], parent);
    int failed = errno;
    close(fds[1]);
    ssize_t n = pid < 0 ? 0 : read(fds[0], &sys, sizeof sys);
    close(fds[0]);
    if (pid < 0)
        return ja_error_sys(err, failed, NULL, "cannot fork");
    if (n == (ssize_t)sizeof sys) {
        waitpid(pid, &status, 0);
        ja_error_sys(err, sys, NULL, "cannot run %s in the jail", JA_SHOW(command));
        return err ? err->code : JA_E_FAILED;
    }
    if (call->pid_file)
        return note(call, command, pid, err);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return ja_error_sys(err, errno, NULL, "cannot wait for %s", JA_SHOW(command));
    return ended(command, status, call->log, err);
}

int ja_verb_jail_run(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    JA_CLEANUP(call_fini) struct call call = {0};
    const struct ja_opt options[] = {
        {.name = "--jail", .value = &call.jail},         {.name = "--user", .value = &call.user},
        {.name = "--home", .value = &call.home},         {.name = "--env", .list = true, .values = &call.given},
        {.name = "--log", .value = &call.log},           {.name = "--log-limit", .value = &call.log_limit},
        {.name = "--pid-file", .value = &call.pid_file}, {0}};
    int64_t limit = 0;
    uint64_t start;
    pid_t pid;
    int first, jid;
    int rc = ja_opt_read(argc, argv, options, &first, err);
    if (rc == 0 && (!call.jail || !call.log || !call.log_limit || first >= argc))
        rc = ja_opt_usage(argv[0], err);
    if (rc == 0)
        rc = ja_opt_number("--log-limit", call.log_limit, 4096, INT64_MAX / 2, &limit, err);
    if (rc == 0)
        rc = read_user(&call, err);
    if (rc == 0)
        rc = make_env(&call, err);
    if (rc < 0)
        return rc;
    /* A step that is repeated starts nothing twice. */
    if (call.pid_file && read_noted(call.pid_file, &pid, &start) && ja_process_lives(pid, start))
        return 0;
    if ((rc = ja_freebsd_find_jail(call.jail, &jid, err)) < 0)
        return rc;
    ja_autoclose int log = ja_log_open(call.log, limit, err);
    const struct ja_entry entry = {.argv = argv + first, .env = call.env.items};
    return log < 0 ? log : run_in(&call, &entry, jid, log, err);
}

/* ---- ending ---- */

struct noted {
    pid_t pid;
    uint64_t start;
};

/* Runs in a process of its own, which goes into the jail: there a number that the host has given away again is nobody's. */
int ja_verb_stop_init(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    const char *jail = NULL, *sig = "", *timeout_text = NULL;
    const struct ja_opt options[] = {{.name = "--jail", .value = &jail},
                                     {.name = "--signal", .value = &sig},
                                     {.name = "--timeout", .value = &timeout_text},
                                     {0}};
    struct noted noted[FILES_MOST];
    size_t count = 0;
    int64_t timeout = 0;
    int first, jid;
    int rc = ja_opt_read(argc, argv, options, &first, err);
    if (rc == 0 && (!jail || !*sig || !timeout_text || first >= argc || argc - first > FILES_MOST))
        rc = ja_opt_usage(argv[0], err);
    if (rc == 0 && strcmp(sig, "SIGTERM") != 0)
        rc = ja_error_set(err, JA_E_USAGE, NULL, "only SIGTERM is known, not %s", JA_SHOW(sig));
    if (rc == 0)
        rc = ja_opt_number("--timeout", timeout_text, 0, 86400000, &timeout, err);
    if (rc == 0)
        rc = ja_freebsd_find_jail(jail, &jid, err);
    if (rc < 0)
        return rc;
    for (; first < argc; first++)
        if (read_noted(argv[first], &noted[count].pid, &noted[count].start) &&
            ja_process_lives(noted[count].pid, noted[count].start))
            count++;
    if (count && ja_freebsd_attach(jid) < 0)
        return ja_error_sys(err, errno, NULL, "cannot enter the jail");
    /* One after the other, all within the time limit; those that it does not reach are asked as well. */
    int64_t deadline = ja_clock_monotonic_ms() + timeout;
    for (size_t i = 0; i < count; i++) {
        if (!ja_process_lives(noted[i].pid, noted[i].start) || (kill(noted[i].pid, SIGTERM) < 0 && errno == ESRCH))
            continue;
        if (!ja_process_await(noted[i].pid, noted[i].start, deadline, PAUSE_MS))
            rc = ja_error_set(err, JA_E_TIMEOUT, NULL, "process %d of the jail did not end within %lld ms",
                              (int)noted[i].pid, (long long)timeout);
    }
    return rc;
}
