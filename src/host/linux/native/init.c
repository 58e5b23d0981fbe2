/*
 * init.c: signals to a jail's init, which is found by a file that holds its pid and start time. A pid alone could be
 * another process by now; a pidfd taken before the check cannot.
 */
#include "base/clock.h"
#include "base/file.h"
#include "host/linux/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define KILL_WAIT_MS 10000
#define MANY 16 /* so many pid files are not read one by one */

/*
 * The file is a symbolic link whose target says "PID STARTTIME MARK": one call reads it, where a file takes three, and a list reads one
 * of each jail. MARK is the limit RLIMIT_LOCKS of that process, which Linux enforces nowhere: a number by chance that the start
 * has set, so that two calls tell later whether a process of that number is still this one. 0: it could not be set.
 */
struct identity {
    pid_t pid;
    uint64_t start, mark;
};

static int parse(const char *pidfile, const char *text, struct identity *ret_id, struct ja_error *err)
{
    const char *at = text;
    uint64_t numbers[3] = {0, 0, 0};
    size_t count = 0;

    while (count < JA_COUNT(numbers) && ja_str_digits(&at, &numbers[count])) {
        count++;
        while (*at == ' ' || *at == '\n') {
            at++;
        }
    }
    if (*at != '\0' || count < 2 || numbers[0] <= 1 || numbers[0] > INT32_MAX) {
        return ja_error_set(err, JA_E_CORRUPT, NULL, "%s does not hold a pid and a start time", pidfile);
    }
    *ret_id = (struct identity){.pid = (pid_t)numbers[0], .start = numbers[1], .mark = numbers[2]};
    return 0;
}

static int read_identity(const char *pidfile, struct identity *ret_id, struct ja_error *err)
{
    char target[128];
    ssize_t length = readlink(pidfile, target, sizeof(target) - 1);
    ja_autofree char *text = NULL;
    int code;

    if (length >= 0) {
        target[length] = '\0';
        return parse(pidfile, target, ret_id, err);
    }
    /* A plain file is one that crun has just written, or an older jailadmin; its reader also knows what to say of none. */
    return (code = ja_file_read(pidfile, sizeof(target), &text, NULL, err)) < 0 ? code
                                                                                : parse(pidfile, text, ret_id, err);
}

int ja_init_read(const char *pidfile, pid_t *ret_pid, uint64_t *ret_start, struct ja_error *err)
{
    struct identity id;
    int code = read_identity(pidfile, &id, err);

    if (code < 0) {
        return code;
    }
    *ret_pid = id.pid;
    *ret_start = id.start;
    return 0;
}

/* The process's own limit of locks as its mark; 0 where that is not possible. */
static uint64_t set_mark(pid_t pid)
{
    uint64_t mark = 0;
    struct rlimit limit;

    if (getentropy(&mark, sizeof(mark)) < 0) {
        return 0;
    }
    mark = mark >> 2 | 1; /* not 0, and below RLIM_INFINITY and every limit that may be there already */
    limit = (struct rlimit){.rlim_cur = (rlim_t)mark, .rlim_max = (rlim_t)mark};
    return prlimit(pid, RLIMIT_LOCKS, &limit, NULL) == 0 ? mark : 0;
}

int ja_init_write(const char *pidfile, pid_t pid, uint64_t start, struct ja_error *err)
{
    char text[96];
    ja_autofree char *beside = NULL;

    snprintf(text, sizeof(text), "%d %llu %llu", (int)pid, (unsigned long long)start,
             (unsigned long long)set_mark(pid));
    ja_inits_note(pidfile, text);
    if (symlink(text, pidfile) == 0) {
        return 0;
    }
    if (errno != EEXIST) {
        return ja_error_sys(err, errno, NULL, "cannot make %s", pidfile);
    }
    if ((beside = ja_printf("%s.new", pidfile)) == NULL) {
        return ja_error_nomem(err);
    }
    unlink(beside);
    return symlink(text, beside) == 0 && rename(beside, pidfile) == 0
               ? 0
               : ja_error_sys(err, errno, NULL, "cannot write %s", pidfile);
}

int ja_init_start_time(pid_t pid, uint64_t *ret_start, char *ret_state)
{
    char path[64], text[1024], *after_name;
    unsigned long long start;
    ssize_t length;
    char state;
    ja_autoclose int fd = -1;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (length = read(fd, text, sizeof(text) - 1)) <= 0) {
        return -1;
    }
    text[length] = '\0';
    /* The name is the process's own choice and may hold spaces and brackets: the last one ends it. */
    after_name = strrchr(text, ')');
    if (after_name == NULL ||
        sscanf(after_name, ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &state,
               &start) != 2) {
        return -1;
    }
    *ret_start = start;
    *ret_state = state;
    return 0;
}

/* True once the process has ended; a zombie has ended. */
static bool has_ended(pid_t pid, uint64_t start)
{
    uint64_t now_start;
    char state;

    return ja_init_start_time(pid, &now_start, &state) < 0 || now_start != start || state == 'Z' || state == 'X';
}

bool ja_init_alive(const char *pidfile)
{
    uint64_t start;
    pid_t pid;

    return ja_init_read(pidfile, &pid, &start, NULL) == 0 && !has_ended(pid, start);
}

/*
 * Whether the process of that number has the mark and is no zombie, without opening anything. A mark can be inherited and copied, limits being
 * shown to every user of the host: therefore prlimit(2) is asked without CAP_SYS_RESOURCE (see ja_linux_probe_processes), when it answers
 * for root's processes and those of user namespaces that root made alone. A jail's processes end before its init does, and its
 * root knows no other mark. `false` says nothing.
 */
static bool has_mark(const struct identity *id)
{
    struct rlimit limit;
    char byte;
    struct iovec here = {&byte, 1}, there = {NULL, 1};
    void *head = NULL;
    size_t length;

    if (id->mark == 0 || prlimit(id->pid, RLIMIT_LOCKS, NULL, &limit) < 0 || limit.rlim_max != (rlim_t)id->mark) {
        return false;
    }
    /* What the C library of most programs has registered the kernel forgets when they end. */
    if (syscall(SYS_get_robust_list, id->pid, &head, &length) == 0 && head != NULL) {
        return true;
    }
    /* What has ended has no memory (ESRCH); nobody has any at address 0. */
    return process_vm_readv(id->pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT;
}

/* The boot in milliseconds of the calendar, to 10 ms, as the ticks of processes are: the same process has the same time whenever it
 * is asked for. */
static int64_t boot_ms(void)
{
    struct timespec up, now;

    clock_gettime(CLOCK_BOOTTIME, &up);
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t us = (int64_t)(now.tv_sec - up.tv_sec) * 1000000 + (now.tv_nsec - up.tv_nsec) / 1000;
    return (us + 5000) / 10000 * 10;
}

bool ja_init_is_marked(const char *text)
{
    struct identity id;

    return parse("", text, &id, NULL) == 0 && has_mark(&id);
}

/* "PID STARTED" of what lives; else *ret_lives is false. `inits`: the file that tells of all; may be NULL. */
static int probe(const char *pidfile, struct ja_inits *inits, int64_t boot, struct ja_str *text, bool *ret_lives,
                 struct ja_error *err)
{
    bool proven = false;
    const char *known = inits == NULL ? NULL : ja_inits_find(inits, pidfile, &proven);
    struct identity id;
    int code;

    *ret_lives = known != NULL && parse(pidfile, known, &id, NULL) == 0 && (proven || has_mark(&id));
    if (!*ret_lives) {
        /* Nothing is said of those that do not run, of which there may be many. */
        code = read_identity(pidfile, &id, NULL);
        if (code == JA_E_NOTFOUND || code == JA_E_CORRUPT) {
            return 0;
        }
        if (code < 0 && (code = read_identity(pidfile, &id, err)) < 0) {
            return code;
        }
        *ret_lives = has_mark(&id) || !has_ended(id.pid, id.start);
    }
    ja_str_add_number(text, id.pid);
    ja_str_add(text, " ");
    ja_str_add_number(text, boot + (int64_t)(id.start * 1000 / (uint64_t)sysconf(_SC_CLK_TCK)));
    return text->failed ? ja_error_nomem(err) : 0;
}

static bool is_asked(const struct ja_fact *fact)
{
    return !fact->known && fact->kind == JA_FACT_PROCESS;
}

int ja_linux_probe_processes(struct ja_facts *facts, struct ja_error *err)
{
    static struct ja_inits inits; /* from one portion of a list to the next */
    size_t asked = 0;
    bool dropped = ja_sys_drop_effective(CAP_SYS_RESOURCE);
    ja_autostr struct ja_str text = {0};
    int64_t boot = boot_ms();
    int code = 0;

    for (size_t i = 0; i < facts->count; i++) {
        asked += is_asked(&facts->items[i]);
    }
    inits.many = facts->more;
    for (size_t i = 0; code == 0 && i < facts->count; i++) {
        const struct ja_fact *fact = &facts->items[i];
        bool lives = false;

        if (!is_asked(fact)) {
            continue;
        }
        text.length = 0;
        code = probe(fact->name, asked >= MANY ? &inits : NULL, boot, &text, &lives, err);
        if (code == 0 && ja_facts_answer(facts, i, lives ? text.text : NULL) < 0) {
            code = ja_error_nomem(err);
        }
    }
    /* Within a list other things are asked for too. */
    if (!facts->more && (asked > 0 || facts->count == 0)) {
        ja_inits_fini(&inits);
    }
    if (dropped) {
        ja_sys_raise_effective(CAP_SYS_RESOURCE);
    }
    return code;
}

int ja_init_end(const char *pidfile, int sig, int64_t timeout_ms, struct ja_error *err)
{
    ja_autoclose int pidfd = -1;
    int64_t deadline = ja_clock_monotonic_ms() + timeout_ms, left;
    uint64_t start;
    pid_t pid;
    int code = ja_init_read(pidfile, &pid, &start, err);

    if (code < 0) {
        if (code == JA_E_NOTFOUND) {
            ja_error_clear(err);
            return 0;
        }
        return code;
    }
    pidfd = ja_sys_pidfd_open(pid);
    if (pidfd < 0 && errno != ESRCH && errno != EINVAL) {
        return ja_error_sys(err, errno, NULL, "cannot open process %d", (int)pid);
    }
    if (pidfd < 0 || has_ended(pid, start)) {
        return 0;
    }
    if (ja_sys_pidfd_signal(pidfd, sig) < 0) {
        return errno == ESRCH ? 0 : ja_error_sys(err, errno, NULL, "cannot signal process %d", (int)pid);
    }
    /* A pidfd becomes readable when its process is a zombie, also one of another parent. */
    while ((left = deadline - ja_clock_monotonic_ms()) >= 0) {
        struct pollfd fds = {.fd = pidfd, .events = POLLIN};
        int ready = poll(&fds, 1, (int)(left > 60000 ? 60000 : left));

        if (ready > 0) {
            return 0;
        }
        if (ready < 0 && errno != EINTR) {
            return ja_error_sys(err, errno, NULL, "cannot wait for process %d", (int)pid);
        }
    }
    return ja_error_set(err, JA_E_TIMEOUT, NULL, "process %d of the jail did not end within %lld ms", (int)pid,
                        (long long)timeout_ms);
}

/* "TERM", "SIGTERM", "15", "RTMIN+3" (systemd's wish to halt). */
static int signal_number(const char *text)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {{"TERM", SIGTERM}, {"KILL", SIGKILL}, {"INT", SIGINT},   {"QUIT", SIGQUIT},
                 {"HUP", SIGHUP},   {"PWR", SIGPWR},   {"USR1", SIGUSR1}, {"USR2", SIGUSR2}};
    int64_t number;

    if (ja_str_starts(text, "SIG")) {
        text += 3;
    }
    for (size_t i = 0; i < JA_COUNT(names); i++) {
        if (strcmp(text, names[i].name) == 0) {
            return names[i].number;
        }
    }
    if (ja_str_starts(text, "RTMIN+") && ja_opt_number("", text + 6, 0, 30, &number, NULL) == 0) {
        return SIGRTMIN + (int)number;
    }
    return ja_opt_number("", text, 1, 64, &number, NULL) == 0 ? (int)number : -1;
}

int ja_verb_stop_init(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    const char *signal_text = NULL, *timeout_text = NULL;
    int64_t timeout = 0;
    int first, code, sig;
    const struct ja_opt options[] = {
        {.name = "--signal", .value = &signal_text}, {.name = "--timeout", .value = &timeout_text}, {0}};

    if ((code = ja_opt_read(argc, argv, options, &first, err)) < 0 ||
        (code = ja_opt_number("--timeout", timeout_text, 0, 86400000, &timeout, err)) < 0) {
        return code;
    }
    if (first >= argc || signal_text == NULL) {
        return ja_opt_usage("stop-init", err);
    }
    if ((sig = signal_number(signal_text)) < 0) {
        return ja_error_set(err, JA_E_USAGE, NULL, "no such signal: %s", signal_text);
    }
    /* One after the other, all within the time limit; those that it does not reach are asked as well. */
    int64_t deadline = ja_clock_monotonic_ms() + timeout;
    int result = 0;
    for (; first < argc; first++) {
        int64_t left = deadline - ja_clock_monotonic_ms();
        struct ja_error one = JA_ERROR_INIT;
        if ((code = ja_init_end(argv[first], sig, left > 0 ? left : 0, &one)) < 0 && result == 0) {
            result = code;
            if (err != NULL) {
                *err = one;
            }
        }
    }
    return result;
}

int ja_verb_kill_init(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    return argc == 2 ? ja_init_end(argv[1], SIGKILL, KILL_WAIT_MS, err) : ja_opt_usage(argv[0], err);
}
