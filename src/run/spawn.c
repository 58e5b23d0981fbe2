/*
 * spawn.c: fork and exec with supervision. See spawn.h.
 */
#include "run/spawn.h"
#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#ifdef __FreeBSD__
#include <sys/param.h>
#include <sys/procctl.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#endif

enum { MARK_SIZE = 128 };

/* So much is read before limits are looked at again: who prints without end would never let us come to it. */
enum { DRAIN_MOST = 1 << 20 };

/* A process that is stuck in the kernel does not end by SIGKILL. So long after it, it is left to itself. */
#define KILL_WAIT_MS 10000
#define KILLED_MS 2000 /* of recovery: until what it killed has ended */

void ja_spawn_die_with_parent(pid_t parent)
{
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#elif defined(__FreeBSD__)
    int sig = SIGKILL;
    procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &sig);
#endif
    if (getppid() != parent)
        _exit(127);
}

static void close_from(int first)
{
#if defined(__linux__)
    if (close_range((unsigned)first, ~0u, 0) == 0)
        return;
#elif defined(__FreeBSD__)
    closefrom(first);
    return;
#endif
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < (most > 0 ? most : 1024); fd++)
        close(fd);
}

/* The child's side up to exec: only calls that are safe after fork. */
static void become_child(pid_t parent, int in, int out)
{
    setpgid(0, 0);
    ja_spawn_die_with_parent(parent);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    if (chdir("/") < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(127);
}

/* What a forked call passes back: its code and error, then its output. */
struct call_reply {
    int rc;
    size_t length; /* of the output */
    struct ja_error err;
};

static bool is_whole(const struct ja_str *text)
{
    struct call_reply reply;
    if (text->failed || text->length < sizeof reply)
        return false;
    memcpy(&reply, text->text, sizeof reply);
    return text->length == sizeof reply + reply.length;
}

/* Keeps the last `limit` bytes. True when others were dropped. */
static bool keep_output(struct ja_str *output, size_t limit, const char *bytes, size_t count)
{
    ja_str_addn(output, bytes, count);
    if (output->failed || output->length <= 2 * limit)
        return false;
    memmove(output->text, output->text + output->length - limit, limit + 1);
    output->length = limit;
    return true;
}

struct child {
    pid_t pid;
    int ended;   /* becomes readable when the child ends; -1: this system has no such descriptor */
    int in, out; /* our ends; -1: closed */
    const char *input;
    size_t input_left;
    int64_t deadline; /* monotonic ms; 0: none */
    int64_t killed;   /* when it was, monotonic ms; 0: not yet */
    const volatile int *interrupted;
    size_t output_limit;
    struct ja_spawn_result *result;
    void (*heard)(void *context, const char *bytes, size_t count); /* may be NULL */
    void *context;
    bool gone;    /* it has been waited for */
    bool replies; /* its whole reply is all that is waited for: ending takes it a while */
};

static void end_child(struct child *child)
{
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    child->killed = ja_clock_monotonic_ms();
}

/* Whether limits are used up; ends the child then. */
static void check_limits(struct child *child)
{
    if (child->interrupted && *child->interrupted && !child->result->interrupted) {
        child->result->interrupted = true;
        end_child(child);
    }
    if (child->deadline && ja_clock_monotonic_ms() >= child->deadline && !child->result->timed_out) {
        child->result->timed_out = true;
        end_child(child);
    }
}

static void feed_input(struct child *child)
{
    ssize_t n = write(child->in, child->input, child->input_left);
    if (n > 0) {
        child->input += n;
        child->input_left -= (size_t)n;
    }
    if (child->input_left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(child->in);
        child->in = -1;
    }
}

/* Reads what is there now, or much of it. */
static void drain(struct child *child)
{
    char buffer[8192];
    for (size_t count = 0; child->out >= 0 && count < DRAIN_MOST;) {
        ssize_t n = read(child->out, buffer, sizeof buffer);
        if (n > 0) {
            count += (size_t)n;
            if (keep_output(&child->result->output, child->output_limit, buffer, (size_t)n))
                child->result->cut = true;
            if (child->heard)
                child->heard(child->context, buffer, (size_t)n);
        } else if (n == 0) {
            close(child->out);
            child->out = -1;
        } else if (errno != EINTR) {
            return;
        }
    }
}

static int ended_descriptor(pid_t pid)
{
#ifdef __linux__
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    (void)pid;
    return -1;
#endif
}

/* Moves input and output until the child has ended. A daemon that keeps our output pipe open does not hold us: when
 * the child itself has ended, what is in the pipe is read and that is all. */
static void supervise(struct child *child)
{
    int status = 0;
    bool ended = false, lost = false;
    child->ended = ended_descriptor(child->pid);
    while (!ended) {
        struct pollfd fds[3] = {{.fd = child->out, .events = POLLIN},
                                {.fd = child->in, .events = POLLOUT},
                                {.fd = child->ended, .events = POLLIN}};
        poll(fds, 3, child->out >= 0 || child->ended >= 0 ? 50 : 1);
        if (child->in >= 0 && fds[1].revents)
            feed_input(child);
        drain(child);
        if (child->replies && is_whole(&child->result->output))
            break;
        pid_t done = waitpid(child->pid, &status, WNOHANG);
        lost = done < 0 && errno == ECHILD;
        if (done != child->pid && !lost)
            check_limits(child);
        if (child->killed && ja_clock_monotonic_ms() >= child->killed + KILL_WAIT_MS)
            child->result->stuck = lost = true;
        ended = done == child->pid || lost;
    }
    drain(child);
    child->gone = ended;
    if (child->ended >= 0)
        close(child->ended);
    /* Without a status nobody knows that it succeeded. */
    child->result->status = !ended                ? 0
                            : lost                ? JA_SPAWN_STATUS_LOST
                            : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                                  : WEXITSTATUS(status);
}

static int set_flags(int fd)
{
    return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int make_pipe(int fds[2])
{
    if (pipe(fds) < 0)
        return -1;
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

/* Opens the child's standard input and output; on success our ends are in *child. */
static int open_ends(struct child *child, const char *input, int *ret_in, int *ret_out, struct ja_error *err)
{
    int in[2] = {-1, -1}, out[2];
    if (make_pipe(out) < 0)
        return ja_error_sys(err, errno, NULL, "pipe");
    if (input ? make_pipe(in) : (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) {
        int sys = errno;
        close(out[0]);
        close(out[1]);
        return ja_error_sys(err, sys, NULL, input ? "pipe" : "open /dev/null");
    }
    set_flags(out[0]);
    if (input)
        set_flags(in[1]);
    child->in = in[1];
    child->out = out[0];
    *ret_in = in[0];
    *ret_out = out[1];
    return 0;
}

/* vfork: the child borrows our memory until exec, so a start costs the same however large we are. */
static __attribute__((noinline)) pid_t start(char *const *argv, char *const *envp, int in, int out, int failure)
{
    const pid_t parent = getpid();
    pid_t pid = vfork();
    if (pid != 0)
        return pid;
    become_child(parent, in, out);
    dup2(failure, 3);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    close_from(4);
    execve(argv[0], argv, envp);
    int sys = errno;
    if (write(3, &sys, sizeof sys) < 0)
        _exit(126);
    _exit(127);
}

static int fork_error(int sys, const char *program, struct ja_error *err)
{
    ja_error_sys(err, sys, NULL, "%s cannot be run", program);
    if (sys == EAGAIN)
        ja_error_hint(err,
                      "the limit of processes is reached: that of the user (ulimit -u), of the cgroup (pids.max) or "
                      "of the system; when there are fewer, try again");
    return err ? err->code : JA_E_FAILED;
}

int ja_spawn_run(const struct ja_spawn *spawn, struct ja_spawn_result *ret_result, struct ja_error *err)
{
    char mark[MARK_SIZE];
    snprintf(mark, sizeof mark, "JAILADMIN_STEP=%s", spawn->mark ? spawn->mark : "");
    char *envp[] = {(char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, (char[]){"LC_ALL=C"},
                    (char[]){"HOME=/root"}, mark, NULL};
    *ret_result = (struct ja_spawn_result){0};
    struct child child = {.in = -1,
                          .out = -1,
                          .interrupted = spawn->interrupted,
                          .result = ret_result,
                          .heard = spawn->heard,
                          .context = spawn->context};
    int in = -1, out = -1, failure[2];
    if (access(spawn->argv[0], X_OK) < 0)
        return ja_error_set(err, JA_E_NOTFOUND, NULL, "the program %s cannot be run: %s", spawn->argv[0],
                            strerror(errno));
    if (make_pipe(failure) < 0)
        return ja_error_sys(err, errno, NULL, "pipe");
    int rc = open_ends(&child, spawn->input, &in, &out, err);
    if (rc < 0) {
        close(failure[0]);
        close(failure[1]);
        return rc;
    }
    child.output_limit = spawn->output_limit ? spawn->output_limit : JA_SPAWN_OUTPUT_LIMIT;
    child.input = spawn->input;
    child.input_left = spawn->input ? strlen(spawn->input) : 0;
    child.pid = start(spawn->argv, envp, in, out, failure[1]);
    int sys = child.pid < 0 ? errno : 0;
    close(in);
    close(out);
    close(failure[1]);
    if (child.pid > 0) {
        if (spawn->timeout_ms)
            child.deadline = ja_clock_monotonic_ms() + spawn->timeout_ms;
        supervise(&child);
        if (read(failure[0], &sys, sizeof sys) != sizeof sys)
            sys = 0;
    }
    close(failure[0]);
    if (child.in >= 0)
        close(child.in);
    if (child.out >= 0)
        close(child.out);
    if (sys) {
        ja_str_fini(&ret_result->output);
        return fork_error(sys, spawn->argv[0], err);
    }
    return 0;
}

int ja_spawn_daemon(char *const *argv, const char *name, int64_t timeout_ms, struct ja_str *output,
                    struct ja_error *err)
{
    struct ja_spawn spawn = {.argv = argv, .timeout_ms = timeout_ms};
    struct ja_spawn_result result;
    int rc = ja_spawn_run(&spawn, &result, err);
    if (rc < 0)
        return rc;
    if (result.output.length)
        ja_str_addn(output, result.output.text, result.output.length);
    if (result.status != 0)
        rc = ja_error_set(err, JA_E_FAILED, NULL, "%s ended with status %d", name, result.status);
    ja_str_fini(&result.output);
    return rc;
}

int ja_spawn_begin(ja_spawn_fn *fn, void *context, struct ja_spawned *ret_spawned, struct ja_error *err)
{
    int reply[2];
    if (make_pipe(reply) < 0)
        return ja_error_sys(err, errno, NULL, "pipe");
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) {
        int sys = errno;
        close(reply[0]);
        close(reply[1]);
        return fork_error(sys, "a helper process", err);
    }
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        close(reply[0]);
        become_child(parent, null, null);
        struct call_reply result = {0};
        struct ja_str text = {0};
        result.rc = fn(context, &text, &result.err);
        /* No more than is kept at the other end, where the beginning is needed. */
        result.length = text.length < JA_SPAWN_OUTPUT_LIMIT ? text.length : JA_SPAWN_OUTPUT_LIMIT;
        bool sent =
            ja_fd_write(reply[1], &result, sizeof result) == 0 &&
            (result.length == 0 || ja_fd_write(reply[1], text.text + text.length - result.length, result.length) == 0);
        _exit(sent ? 0 : 127);
    }
    close(reply[1]);
    *ret_spawned = (struct ja_spawned){.pid = pid, .reply = reply[0]};
    return 0;
}

bool ja_spawn_ended(const struct ja_spawned *spawned)
{
    struct pollfd fd = {.fd = spawned->reply, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

int ja_spawn_end(struct ja_spawned *begun, int64_t timeout_ms, const volatile int *interrupted, struct ja_str *output,
                 struct ja_error *err)
{
    struct ja_spawn_result spawned = {0};
    struct child child = {.pid = begun->pid,
                          .in = -1,
                          .out = begun->reply,
                          .interrupted = interrupted,
                          .output_limit = JA_SPAWN_OUTPUT_LIMIT + sizeof(struct call_reply),
                          .replies = true,
                          .result = &spawned};
    if (timeout_ms)
        child.deadline = ja_clock_monotonic_ms() + timeout_ms;
    set_flags(begun->reply);
    supervise(&child);
    if (child.out >= 0)
        close(child.out);
    if (child.gone || spawned.stuck)
        begun->pid = 0; /* there is nothing to wait for */
    struct call_reply result;
    int rc;
    if (spawned.output.failed)
        rc = ja_error_nomem(err);
    else if (spawned.interrupted)
        rc = ja_error_set(err, JA_E_INTERRUPTED, NULL, "interrupted");
    else if (spawned.timed_out)
        rc = ja_error_set(err, JA_E_TIMEOUT, NULL, "it did not end within %lld s", (long long)(timeout_ms / 1000));
    else if (spawned.output.length < sizeof result)
        rc = ja_error_set(err, JA_E_FAILED, NULL,
                          "the process that was to do it ended before it was done, with status %d", spawned.status);
    else {
        memcpy(&result, spawned.output.text, sizeof result);
        rc = result.rc;
        if (rc < 0 && err)
            *err = result.err;
        if (output)
            ja_str_addn(output, spawned.output.text + sizeof result, spawned.output.length - sizeof result);
    }
    ja_str_fini(&spawned.output);
    begun->reply = -1;
    return rc;
}

void ja_spawn_reap(struct ja_spawned *spawned)
{
    while (spawned->pid && waitpid(spawned->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    spawned->pid = 0;
}

int ja_spawn_call(ja_spawn_fn *fn, void *context, int64_t timeout_ms, const volatile int *interrupted,
                  struct ja_str *output, struct ja_error *err)
{
    struct ja_spawned spawned;
    int rc = ja_spawn_begin(fn, context, &spawned, err);
    if (rc == 0) {
        rc = ja_spawn_end(&spawned, timeout_ms, interrupted, output, err);
        ja_spawn_reap(&spawned);
    }
    return rc;
}

/* Those that were killed; more than so many are not waited for. */
struct killed {
    pid_t pids[64];
    uint64_t starts[64];
    size_t noted;
    int count;
};

static void kill_noted(struct killed *killed, pid_t pid)
{
    size_t k = killed->noted;
    if (k < JA_COUNT(killed->pids) && ja_process_start(pid, &killed->starts[k]) == 0)
        killed->pids[killed->noted++] = pid;
    kill(pid, SIGKILL);
    killed->count++;
}

/* What they hold, an address of a daemon or a lock, is free when they have ended and not before. */
static int await_ends(const struct killed *killed)
{
    int64_t deadline = ja_clock_monotonic_ms() + KILLED_MS;
    for (size_t i = 0; i < killed->noted; i++)
        ja_process_await(killed->pids[i], killed->starts[i], deadline, 1);
    return killed->count;
}

#ifdef __linux__
/* Whether the environment of a process holds JAILADMIN_STEP=mark. */
static bool carries_mark(pid_t pid, const char *mark)
{
    char path[64], wanted[MARK_SIZE];
    ja_autofree char *environment = NULL;
    size_t length = 0;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    int n = snprintf(wanted, sizeof wanted, "JAILADMIN_STEP=%s", mark);
    if (ja_file_read(path, 1 << 20, &environment, &length, NULL) < 0)
        return false;
    for (size_t at = 0; at < length; at += strlen(environment + at) + 1)
        if (strncmp(environment + at, wanted, (size_t)n + 1) == 0)
            return true;
    return false;
}

int ja_spawn_kill_marked(const char *mark)
{
    struct killed killed = {0};
    DIR *proc = opendir("/proc");
    if (!proc)
        return 0;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid > 1 && pid != getpid() && carries_mark(pid, mark))
            kill_noted(&killed, pid);
    }
    closedir(proc);
    return await_ends(&killed);
}
#endif

#ifdef __FreeBSD__
static bool carries_mark(pid_t pid, const char *mark)
{
    char wanted[MARK_SIZE], *environment = ja_malloc(1 << 18);
    size_t length = 1 << 18;
    int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_ENV, (int)pid};
    bool found = false;
    int n = snprintf(wanted, sizeof wanted, "JAILADMIN_STEP=%s", mark);
    if (environment && sysctl(mib, 4, environment, &length, NULL, 0) == 0) {
        for (size_t at = 0; at < length && !found; at += strnlen(environment + at, length - at) + 1)
            found = length - at > (size_t)n && strncmp(environment + at, wanted, (size_t)n + 1) == 0;
    }
    free(environment);
    return found;
}

int ja_spawn_kill_marked(const char *mark)
{
    int mib[3] = {CTL_KERN, KERN_PROC, KERN_PROC_PROC};
    struct killed killed = {0};
    size_t size = 0;
    if (sysctl(mib, 3, NULL, &size, NULL, 0) < 0)
        return 0;
    size += size / 4;
    struct kinfo_proc *procs = ja_malloc(size);
    if (procs && sysctl(mib, 3, procs, &size, NULL, 0) == 0) {
        for (size_t i = 0; i < size / sizeof *procs; i++) {
            pid_t pid = procs[i].ki_pid;
            if (pid > 1 && pid != getpid() && carries_mark(pid, mark))
                kill_noted(&killed, pid);
        }
    }
    free(procs);
    return await_ends(&killed);
}
#endif
