/*
 * test_spawn.c: programs that hang, print without end, lie about their end, and limits that are reached when one is started.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int shell(const char *script, int64_t timeout_ms, struct ja_spawn_result *ret_result, struct ja_error *err)
{
    char *const argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};
    const struct ja_spawn spawn = {.argv = argv, .timeout_ms = timeout_ms};
    return ja_spawn_run(&spawn, ret_result, err);
}

static void ends_with_its_status(void **state)
{
    (void)state;
    struct ja_spawn_result result;
    assert_int_equal(shell("echo said; exit 3", 10000, &result, NULL), 0);
    assert_int_equal(result.status, 3);
    assert_string_equal(result.output.text, "said\n");
    ja_str_fini(&result.output);
    assert_int_equal(shell("kill -TERM $$", 10000, &result, NULL), 0);
    assert_int_equal(result.status, 128 + SIGTERM);
    ja_str_fini(&result.output);
}

static void what_hangs_is_ended(void **state)
{
    (void)state;
    struct ja_spawn_result result;
    assert_int_equal(shell("trap '' TERM; echo before; sleep 100; sleep 100", 300, &result, NULL), 0);
    assert_true(result.timed_out && !result.stuck);
    assert_string_equal(result.output.text, "before\n");
    ja_str_fini(&result.output);
}

/* It always has more to read: the time limit holds all the same, and memory does not grow. */
static void output_without_end_is_ended(void **state)
{
    (void)state;
    struct ja_spawn_result result;
    assert_int_equal(shell("exec yes", 500, &result, NULL), 0);
    assert_true(result.timed_out && result.cut);
    assert_true(result.output.length <= 2 * JA_SPAWN_OUTPUT_LIMIT);
    ja_str_fini(&result.output);
}

/* A daemon that goes on to print holds nobody who waits for the program that started it. */
static void a_daemon_that_prints_is_left(void **state)
{
    (void)state;
    struct ja_spawn_result result;
    assert_int_equal(shell("yes & echo $! >&2; exit 0", 60000, &result, NULL), 0);
    assert_int_equal(result.status, 0);
    assert_false(result.timed_out);
    ja_str_fini(&result.output);
}

static void much_output_keeps_its_end(void **state)
{
    (void)state;
    struct ja_spawn_result result;
    assert_int_equal(shell("yes | head -c 50000000; echo; echo the end", 60000, &result, NULL), 0);
    assert_int_equal(result.status, 0);
    assert_true(result.cut);
    assert_non_null(strstr(result.output.text, "the end\n"));
    ja_str_fini(&result.output);
}

static void a_lost_status_is_no_success(void **state)
{
    (void)state;
    struct ja_spawn_result result;
    signal(SIGCHLD, SIG_IGN); /* as whoever started us may have left it: then nobody can wait for a child */
    assert_int_equal(shell("exit 0", 10000, &result, NULL), 0);
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(result.status, JA_SPAWN_STATUS_LOST);
    ja_str_fini(&result.output);
}

/* With every number of descriptors: an error, or the program ran. Nothing that is open here gets a byte of it. */
static void without_descriptors(void **state)
{
    (void)state;
    struct rlimit limit, fewer;
    char path[] = "/tmp/jailadmin-spawn.XXXXXX", text[16] = "";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, "precious", 8), 8);
    assert_int_equal(dup2(file, 3) < 0, 0); /* where an unlucky child would write why it cannot be run */
    lseek(3, 0, SEEK_SET);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    fewer = limit;
    bool failed = false, ran = false;
    char *const argv[] = {(char[]){"/etc/passwd"}, NULL}, *const true_argv[] = {(char[]){"/bin/true"}, NULL};
    const struct ja_spawn lacks = {.argv = argv, .timeout_ms = 10000},
                          runs = {.argv = true_argv, .input = "text", .timeout_ms = 10000};
    for (rlim_t most = 3; most < 24; most++) {
        struct ja_spawn_result result;
        struct ja_error err = JA_ERROR_INIT;
        fewer.rlim_cur = most;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &fewer), 0);
        assert_true(ja_spawn_run(&lacks, &result, &err) < 0);
        int rc = ja_spawn_run(&runs, &result, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        if (rc == 0) {
            assert_int_equal(result.status, 0);
            ja_str_fini(&result.output);
            ran = true;
        } else {
            assert_int_equal(err.sys, EMFILE);
            assert_true(err.hint[0]);
            failed = true;
        }
    }
    assert_true(failed && ran);
    assert_int_equal(pread(3, text, sizeof text - 1, 0), 8);
    assert_string_equal(text, "precious");
    close(3);
    close(file);
    unlink(path);
}

static int says_much(void *context, struct ja_str *output, struct ja_error *err)
{
    for (int i = 0; i < 100000; i++)
        ja_str_add(output, "much ");
    ja_str_add(output, "end");
    return context ? ja_error_set(err, JA_E_CONFLICT, "object", "the reason") : 0;
}

static void a_call_that_says_much(void **state)
{
    (void)state;
    ja_autostr struct ja_str output = {0};
    struct ja_error err = JA_ERROR_INIT;
    assert_int_equal(ja_spawn_call(says_much, NULL, 10000, NULL, &output, &err), 0);
    assert_string_equal(output.text + output.length - 4, " end");
    assert_int_equal(ja_spawn_call(says_much, &output, 10000, NULL, NULL, &err), JA_E_CONFLICT);
    assert_string_equal(err.what, "the reason");
}

static int hangs(void *context, struct ja_str *output, struct ja_error *err)
{
    (void)context, (void)output, (void)err;
    pause();
    return 0;
}

static void a_call_that_hangs(void **state)
{
    (void)state;
    struct ja_error err = JA_ERROR_INIT;
    assert_int_equal(ja_spawn_call(hangs, NULL, 200, NULL, NULL, &err), JA_E_TIMEOUT);
    const volatile int interrupted = SIGINT;
    assert_int_equal(ja_spawn_call(hangs, NULL, 60000, &interrupted, NULL, &err), JA_E_INTERRUPTED);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the command line has it */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_with_its_status),        cmocka_unit_test(what_hangs_is_ended),
        cmocka_unit_test(output_without_end_is_ended), cmocka_unit_test(a_daemon_that_prints_is_left),
        cmocka_unit_test(much_output_keeps_its_end),   cmocka_unit_test(a_lost_status_is_no_success),
        cmocka_unit_test(without_descriptors),         cmocka_unit_test(a_call_that_says_much),
        cmocka_unit_test(a_call_that_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
