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

#define INITS 20

/* The pids that a list of so many jails is told, 0 for those that do not run. */
static void all_told(pid_t ret_pids[INITS])
{
    struct ja_facts facts = {0};
    struct ja_error err = JA_ERROR_INIT;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < INITS; i++) {
            const char *value = ja_factf(&facts, JA_FACT_PROCESS, "%s/jails/%d/pid", scratch, i);
            ret_pids[i] = value ? (pid_t)atoi(value) : 0;
        }
        if (pass == 0)
            assert_int_equal(ja_linux_probe_processes(&facts, &err), 0);
    }
    ja_facts_fini(&facts);
}

static const char *pid_file(int slot)
{
    char name[32];
    snprintf(name, sizeof name, "jails/%d/pid", slot);
    return at(name);
}

static void make_inits(pid_t ret_pids[INITS])
{
    assert_int_equal(mkdir(at("jails"), 0700), 0);
    for (int i = 0; i < INITS; i++) {
        char name[32];
        snprintf(name, sizeof name, "jails/%d", i);
        assert_int_equal(mkdir(at(name), 0700), 0);
        ret_pids[i] = child(0, 0);
        assert_int_equal(ja_init_write(pid_file(i), ret_pids[i], start_of(ret_pids[i]), NULL), 0);
    }
}

static void test_many_in_one_file(void **state)
{
    (void)state;
    pid_t pids[INITS], found[INITS];
    make_inits(pids);
    all_told(found);
    assert_memory_equal(pids, found, sizeof pids);
    /* One has ended, another was started again. */
    reap(pids[3]);
    reap(pids[7]);
    pids[7] = child(0, 0);
    assert_int_equal(ja_init_write(pid_file(7), pids[7], start_of(pids[7]), NULL), 0);
    pids[3] = 0;
    all_told(found);
    assert_memory_equal(pids, found, sizeof pids);
    /* Its line is lost, or says what it should not: the pid files tell. */
    int fd = open(at("jails/.inits"), O_WRONLY | O_CLOEXEC);
    char line[64];
    memset(line, '9', sizeof line);
    assert_int_equal(pwrite(fd, line, sizeof line, 0), sizeof line);
    memset(line, 0, sizeof line);
    assert_int_equal(pwrite(fd, line, sizeof line, 64), sizeof line);
    snprintf(line, sizeof line, "%d 1 1", (int)getpid());
    assert_int_equal(pwrite(fd, line, sizeof line, 128), sizeof line);
    assert_int_equal(ftruncate(fd, 18 * 64 + 5), 0);
    close(fd);
    all_told(found);
    assert_memory_equal(pids, found, sizeof pids);
    /* No file, and a link to one. */
    char other[300];
    snprintf(other, sizeof other, "%s/other", scratch);
    assert_int_equal(rename(at("jails/.inits"), other), 0);
    all_told(found);
    assert_memory_equal(pids, found, sizeof pids);
    assert_int_equal(symlink(other, at("jails/.inits")), 0);
    assert_int_equal(ja_init_write(pid_file(0), pids[0], start_of(pids[0]), NULL), 0);
    struct stat info;
    assert_int_equal(stat(other, &info), 0);
    assert_int_equal(info.st_size, 18 * 64 + 5);
    all_told(found);
    assert_memory_equal(pids, found, sizeof pids);
    for (int i = 0; i < INITS; i++)
        if (pids[i])
            reap(pids[i]);
}

enum { STRIDE = 13, SHOWN = 5 };

/* What a list is told in two portions, of which each is asked as often as it says. */
static void told_in_portions(int times, pid_t ret_pids[INITS])
{
    for (int portion = 0; portion < 2; portion++) {
        for (int again = 0; again < times; again++) {
            struct ja_facts facts = {.more = portion == 0};
            for (int pass = 0; pass < 2; pass++) {
                for (int i = 0; i < INITS; i++) {
                    const char *value = ja_factf(&facts, JA_FACT_PROCESS, "%s/many/%d/pid", scratch, i * STRIDE);
                    ret_pids[i] = value ? (pid_t)atoi(value) : 0;
                }
                if (pass == 0)
                    assert_int_equal(ja_linux_probe_processes(&facts, NULL), 0);
            }
            ja_facts_fini(&facts);
        }
    }
}

/* A list of many has a helper on another processor: what it proves is the same, and counts for no later list. */
static void test_many_with_help(void **state)
{
    (void)state;
    pid_t pids[INITS], found[INITS];
    assert_int_equal(mkdir(at("many"), 0700), 0);
    for (int i = 0; i < INITS; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/%d", i * STRIDE);
        assert_int_equal(mkdir(at(name), 0700), 0);
        snprintf(name, sizeof name, "many/%d/pid", i * STRIDE);
        pids[i] = child(0, 0);
        assert_int_equal(ja_init_write(at(name), pids[i], start_of(pids[i]), NULL), 0);
    }
    for (int round = 0; round < INITS; round++) {
        told_in_portions(1 + round % SHOWN, found);
        assert_memory_equal(pids, found, sizeof pids);
        reap(pids[round]);
        pids[round] = 0;
    }
    /* One that ends in the middle. */
    struct ja_facts facts = {.more = true}, none = {0}, other = {0};
    for (int i = 0; i < INITS; i++)
        ja_factf(&facts, JA_FACT_PROCESS, "%s/many/%d/pid", scratch, i * STRIDE);
    assert_int_equal(ja_linux_probe_processes(&facts, NULL), 0);
    ja_fact(&other, JA_FACT_FILE, "/");
    assert_int_equal(ja_linux_probe_processes(&other, NULL), 0);
    assert_int_equal(ja_linux_probe_processes(&none, NULL), 0);
    ja_facts_fini(&facts);
    ja_facts_fini(&other);
}

/* Only what lies in the place of a jail's pid file has a line. */
static void test_no_slot(void **state)
{
    (void)state;
    static const char *const paths[] = {"/pid",          "pid",         "/7/pid",
                                        "7/pid",         "/x/pid",      "/run/7/pid2",
                                        "/run/7a/pid",   "/run/a7/pid", "/run/99999999999999999999/pid",
                                        "/run/65536/pid"};
    struct ja_inits inits = {0};
    bool proven;
    for (size_t i = 0; i < JA_COUNT(paths); i++)
        assert_null(ja_inits_find(&inits, paths[i], &proven));
    ja_inits_fini(&inits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives_and_ends),   cmocka_unit_test(test_its_limit_is_its_own),
        cmocka_unit_test(test_forged),           cmocka_unit_test(test_not_understood),
        cmocka_unit_test(test_many_in_one_file), cmocka_unit_test(test_many_with_help),
        cmocka_unit_test(test_no_slot)};
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
