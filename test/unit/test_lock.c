/*
 * test_lock.c: a lock has one holder, whom those who wait can name, and none once its holder is dead.
 */
#include "base/clock.h"
#include "run/lock.h"
#include "scratch.h"

#include <signal.h>

/* A child that holds the lock and waits to be killed; returns when it holds it. */
static pid_t hold(const char *path, bool shared)
{
    int ready[2];
    char byte = 'x';
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct ja_lock lock = JA_LOCK_INIT;
        if (ja_lock_take(path, shared, 0, "jailadmin stop web1", &lock, NULL) != 0 || write(ready[1], &byte, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(child_status(pid), 1000 + SIGKILL);
}

static void who_waits_in_vain_names_the_holder(void **state)
{
    (void)state;
    struct ja_lock lock = JA_LOCK_INIT;
    struct ja_error err = JA_ERROR_INIT;
    pid_t pid = hold(at("lock"), false);
    char expected[64];
    snprintf(expected, sizeof expected, "jailadmin stop web1, process %ld", (long)pid);
    int64_t before = ja_clock_monotonic_ms();
    assert_int_equal(ja_lock_take(at("lock"), false, 50, "test", &lock, &err), JA_E_BUSY);
    assert_true(ja_clock_monotonic_ms() - before >= 50);
    assert_non_null(strstr(err.what, expected));
    assert_int_equal(ja_lock_take(at("lock"), true, 0, "test", &lock, &err), JA_E_BUSY);
    assert_int_equal(lock.fd, -1);
    end(pid);
}

static void a_killed_holder_holds_nothing(void **state)
{
    (void)state;
    struct ja_lock lock = JA_LOCK_INIT;
    end(hold(at("lock"), false));
    assert_int_equal(ja_lock_take(at("lock"), false, 0, "test", &lock, NULL), 0);
    assert_non_null(strstr(get_text(at("lock")), "test, process "));
    ja_lock_release(&lock, false);
    ja_lock_release(&lock, false);
}

static void who_waits_gets_it_when_it_is_let_go(void **state)
{
    (void)state;
    struct ja_lock lock = JA_LOCK_INIT;
    assert_int_equal(ja_lock_take(at("lock"), false, 0, "first", &lock, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct ja_lock second = JA_LOCK_INIT;
        _exit(ja_lock_take(at("lock"), false, 10000, "second", &second, NULL) ? 1 : 0);
    }
    usleep(30000);
    ja_lock_release(&lock, false);
    assert_int_equal(child_status(pid), 0);
}

static void readers_share(void **state)
{
    (void)state;
    struct ja_lock lock = JA_LOCK_INIT;
    pid_t pid = hold(at("lock"), true);
    assert_int_equal(ja_lock_take(at("lock"), true, 0, "test", &lock, NULL), 0);
    ja_lock_release(&lock, false);
    assert_int_equal(ja_lock_take(at("lock"), false, 0, "test", &lock, NULL), JA_E_BUSY);
    end(pid);
}

/* Until a reader would have to wait behind it. */
static void wait_for_writer(void)
{
    struct ja_lock lock = JA_LOCK_INIT;
    while (ja_lock_take(at("lock"), true, 0, "test", &lock, NULL) == 0) {
        ja_lock_release(&lock, false);
        usleep(1000);
    }
}

/* Two readers that follow each other without a gap keep no writer waiting. */
static void readers_do_not_pass_who_waits_to_be_alone(void **state)
{
    (void)state;
    struct ja_lock lock = JA_LOCK_INIT;
    pid_t reader = hold(at("lock"), true), writer = fork();
    if (writer == 0) {
        struct ja_lock alone = JA_LOCK_INIT;
        _exit(ja_lock_take(at("lock"), false, 10000, "writer", &alone, NULL) ? 1 : 0);
    }
    /* A reader would get it, but for the one who waits. */
    wait_for_writer();
    end(reader);
    assert_int_equal(child_status(writer), 0);
    assert_false(exists(at("lock.next")));
    assert_int_equal(ja_lock_take(at("lock"), true, 0, "test", &lock, NULL), 0);
    ja_lock_release(&lock, true);
}

static void who_waited_and_died_is_in_nobodys_way(void **state)
{
    (void)state;
    struct ja_lock lock = JA_LOCK_INIT;
    pid_t reader = hold(at("lock"), true), writer = fork();
    if (writer == 0) {
        struct ja_lock alone = JA_LOCK_INIT;
        _exit(ja_lock_take(at("lock"), false, 10000, "writer", &alone, NULL) ? 1 : 0);
    }
    wait_for_writer();
    end(writer);
    assert_int_equal(ja_lock_take(at("lock"), true, 0, "test", &lock, NULL), 0);
    ja_lock_release(&lock, false);
    end(reader);
    assert_int_equal(ja_lock_take(at("lock"), false, 0, "test", &lock, NULL), 0);
    ja_lock_release(&lock, true);
}

static void a_removed_lock_is_made_again_by_who_waited(void **state)
{
    (void)state;
    struct ja_lock lock = JA_LOCK_INIT;
    assert_int_equal(ja_lock_take(at("lock"), false, 0, "first", &lock, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct ja_lock second = JA_LOCK_INIT;
        if (ja_lock_take(at("lock"), false, 10000, "second", &second, NULL) != 0)
            _exit(1);
        /* What it holds is what the next one will find. */
        struct ja_lock third = JA_LOCK_INIT;
        _exit(ja_lock_take(at("lock"), false, 0, "third", &third, NULL) == JA_E_BUSY ? 0 : 2);
    }
    usleep(30000);
    ja_lock_release(&lock, true);
    assert_int_equal(child_status(pid), 0);
}

static void no_command_inherits_a_lock(void **state)
{
    (void)state;
    struct ja_lock lock = JA_LOCK_INIT;
    struct stat st;
    assert_int_equal(ja_lock_take(at("lock"), false, 0, "test", &lock, NULL), 0);
    assert_true(fcntl(lock.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fstat(lock.fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    ja_lock_release(&lock, true);
    assert_false(exists(at("lock")));
}

static void on_signal(int number)
{
    (void)number;
}

static void the_user_can_end_the_wait(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_signal}, before;
    pid_t holder = hold(at("lock"), false);
    /* Before there is a child, which may be slow. */
    sigaction(SIGINT, &action, &before);
    pid_t waiter = fork();
    if (waiter == 0) {
        struct ja_lock lock = JA_LOCK_INIT;
        _exit(ja_lock_take(at("lock"), false, 10000, "test", &lock, NULL) == JA_E_INTERRUPTED ? 0 : 1);
    }
    sigaction(SIGINT, &before, NULL);
    for (siginfo_t ended = {0}; ended.si_pid == 0;) {
        usleep(50000);
        kill(waiter, SIGINT);
        assert_int_equal(waitid(P_PID, (id_t)waiter, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
    }
    assert_int_equal(child_status(waiter), 0);
    end(holder);
}

static void a_lock_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    struct ja_lock lock = JA_LOCK_INIT;
    assert_int_equal(ja_lock_take(at("none/lock"), false, 0, "test", &lock, NULL), JA_E_NOTFOUND);
    assert_int_equal(lock.fd, -1);
}

int main(void)
{
#define LOCK(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        LOCK(who_waits_in_vain_names_the_holder),
        LOCK(a_killed_holder_holds_nothing),
        LOCK(who_waits_gets_it_when_it_is_let_go),
        LOCK(readers_share),
        LOCK(readers_do_not_pass_who_waits_to_be_alone),
        LOCK(who_waited_and_died_is_in_nobodys_way),
        LOCK(a_removed_lock_is_made_again_by_who_waited),
        LOCK(no_command_inherits_a_lock),
        LOCK(the_user_can_end_the_wait),
        LOCK(a_lock_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
