/*
 * init.c: signals to a jail's init, which is found by a file that holds its pid and start time. A pid alone could be
 * another process by now; a pidfd taken before the check cannot.
 */
#include "base/clock.h"
#include "base/file.h"
#include "host/linux/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KILL_WAIT_MS 10000

int ja_init_read(const char *pidfile, pid_t *ret_pid, uint64_t *ret_start, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    unsigned long long start;
    int pid, end = 0, code;

    if ((code = ja_file_read(pidfile, 128, &text, NULL, err)) < 0) {
        return code;
    }
    if (sscanf(text, "%d %llu %n", &pid, &start, &end) != 2 || text[end] != '\0' || pid <= 1) {
        return ja_error_set(err, JA_E_CORRUPT, NULL, "%s does not hold a pid and a start time", pidfile);
    }
    *ret_pid = pid;
    *ret_start = start;
    return 0;
}

int ja_init_write(const char *pidfile, pid_t pid, uint64_t start, struct ja_error *err)
{
    char text[64];

    snprintf(text, sizeof(text), "%d %llu\n", (int)pid, (unsigned long long)start);
    return ja_file_write(pidfile, text, strlen(text), 0600, false, err);
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
