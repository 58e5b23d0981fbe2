/*
 * test_init.c: what is known of a jail's init by its pid file: that it lives, whatever it did with its limits, that it has ended,
 * also as a zombie, and that no other process passes for it.
 */
#include "base/clock.h"
#include "base/file.h"
#include "host/linux/native/native.h"
#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>

static char file[300];

static int setup(void **state)
{
    int rc = scratch_setup(state);
    snprintf(file, sizeof file, "%s/pid", scratch);
    return rc;
}

/* A child that waits; with another user's rights and such a limit of locks if those are not 0. */
static pid_t child(uid_t uid, rlim_t locks)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {locks, locks};
        if ((locks == 0 || setrlimit(RLIMIT_LOCKS, &limit) == 0) && (uid == 0 || setuid(uid) == 0) &&
            write(ready[1], "r", 1) == 1)
            pause();
        _exit(1);
    }
    assert_true(pid > 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void reap(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The pid that the fact tells; 0: nothing lives. */
static pid_t told(void)
{
    struct ja_facts facts = {0};
    struct ja_error err = JA_ERROR_INIT;
    ja_fact(&facts, JA_FACT_PROCESS, file);
    assert_int_equal(ja_linux_probe_processes(&facts, &err), 0);
    assert_int_equal(facts.missing, 0);
    const char *value = ja_fact(&facts, JA_FACT_PROCESS, file);
    pid_t pid = value ? (pid_t)atoi(value) : 0;
    ja_facts_fini(&facts);
    return pid;
}

static uint64_t start_of(pid_t pid)
{
    uint64_t start = 0;
    assert_int_equal(ja_process_start(pid, &start), 0);
    return start;
}

static void write_link(pid_t pid, uint64_t start, uint64_t mark)
{
    char text[96];
    snprintf(text, sizeof text, "%d %llu %llu", (int)pid, (unsigned long long)start, (unsigned long long)mark);
    unlink(file);
    assert_int_equal(symlink(text, file), 0);
}

static uint64_t mark_of(const char *path)
{
    char text[96] = "";
    assert_true(readlink(path, text, sizeof text - 1) > 0);
    return strtoull(strrchr(text, ' ') + 1, NULL, 10);
}

static void test_lives_and_ends(void **state)
{
    (void)state;
    assert_int_equal(told(), 0);
    pid_t pid = child(0, 0), read_pid;
    uint64_t start = start_of(pid), read_start;
    /* As crun leaves it, and over that. */
    assert_int_equal(ja_file_write(file, "77\n", 3, 0600, false, NULL), 0);
    assert_int_equal(told(), 0);
    assert_int_equal(ja_init_write(file, pid, start, NULL), 0);
    assert_int_equal(ja_init_read(file, &read_pid, &read_start, NULL), 0);
    assert_int_equal(read_pid, pid);
    assert_int_equal(read_start, start);
    assert_int_equal(told(), pid);
    assert_true(ja_init_alive(file));
    /* A zombie has ended. */
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(told(), 0);
    assert_false(ja_init_alive(file));
    reap(pid);
    assert_int_equal(told(), 0);
    unlink(file);
}

static void test_its_limit_is_its_own(void **state)
{
    (void)state;
    pid_t pid = child(0, 0);
    uint64_t start = start_of(pid);
    assert_int_equal(ja_init_write(file, pid, start, NULL), 0);
    uint64_t mark = mark_of(file);
    assert_true(mark > 0);
    /* The mark alone tells it, ... */
    write_link(pid, start + 1, mark);
    assert_int_equal(told(), pid);
    /* ... and without one its start does. */
    const struct rlimit other = {3, 3};
    write_link(pid, start, mark);
    assert_int_equal(prlimit(pid, RLIMIT_LOCKS, &other, NULL), 0);
    assert_int_equal(told(), pid);
    write_link(pid, start + 1, mark);
    assert_int_equal(told(), 0);
    write_link(pid, start, 0);
    assert_int_equal(told(), pid);
    /* A plain file, of an older jailadmin. */
    char text[64];
    unlink(file);
    snprintf(text, sizeof text, "%d %llu\n", (int)pid, (unsigned long long)start);
    assert_int_equal(ja_file_write(file, text, strlen(text), 0600, false, NULL), 0);
    assert_int_equal(told(), pid);
    reap(pid);
    assert_int_equal(told(), 0);
    unlink(file);
}

/* Limits can be read by everybody, and lowered by their process: its number and mark do not make a user's process an init. */
static void test_forged(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t pid = child(65534, 12345);
    uint64_t start = start_of(pid);
    write_link(pid, start + 1, 12345);
    assert_int_equal(told(), 0);
    write_link(pid, start, 12345);
    assert_int_equal(told(), pid);
    reap(pid);
    unlink(file);
}

static void test_not_understood(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1 2 3", "-5 2 3", "99999999999 2 3",       "5", "5 x", "5 2 3 4", "5 2 3x", "0 0",
        "",      " ",      "5 99999999999999999999"};
    for (size_t i = 0; i < JA_COUNT(texts); i++) {
        pid_t pid = 7;
        uint64_t start = 7;
        unlink(file);
        assert_int_equal(ja_file_write(file, texts[i], strlen(texts[i]), 0600, false, NULL), 0);
        assert_int_equal(ja_init_read(file, &pid, &start, NULL), JA_E_CORRUPT);
        assert_int_equal(pid, 7);
        assert_int_equal(start, 7);
        assert_int_equal(told(), 0);
    }
    unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lives_and_ends),
                                       cmocka_unit_test(test_its_limit_is_its_own), cmocka_unit_test(test_forged),
                                       cmocka_unit_test(test_not_understood)};
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
