/*
 * Host verbs around a jail: places of mounts are made beneath a tree and never through a link; a logged command's output is
 * in the log, and its failure is one.
 */
#include "base/file.h"
#include "run/hostverb.h"
#include "scratch.h"

static int verb(struct ja_error *err, int argc, const char *const *argv)
{
    struct ja_hostverb_io io = {.input = ""};
    *err = (struct ja_error)JA_ERROR_INIT;
    return ja_hostverb_find(argv[0])->run(argc, (char *const *)(uintptr_t)argv, &io, err);
}

#define VERB(err, ...)                                                                                                 \
    verb(err, (int)JA_COUNT(((const char *const[]){__VA_ARGS__})), (const char *const[]){__VA_ARGS__, NULL})

static bool is_dir(const char *path)
{
    char full[512];
    struct stat st;
    snprintf(full, sizeof full, "%s/%s", scratch, path);
    return lstat(full, &st) == 0 && S_ISDIR(st.st_mode);
}

static void test_mount_point(void **state JA_UNUSED)
{
    struct ja_error err;
    char tree[300], link[600];
    snprintf(tree, sizeof tree, "%s/tree", scratch);
    assert_int_equal(mkdir(tree, 0755), 0);
    assert_int_equal(VERB(&err, "mount-point", tree, "/usr/ports"), 0);
    assert_true(is_dir("tree/usr/ports"));
    assert_int_equal(VERB(&err, "mount-point", tree, "/usr/ports"), 0);
    snprintf(link, sizeof link, "%s/usr/link", tree);
    assert_int_equal(symlink("/", link), 0);
    assert_int_equal(VERB(&err, "mount-point", tree, "/usr/link/ports"), JA_E_DENIED);
    assert_int_equal(VERB(&err, "mount-point", tree, "/usr/link"), JA_E_DENIED);
    assert_int_equal(VERB(&err, "mount-point", tree, "/usr/../../x"), JA_E_USAGE);
    assert_int_equal(VERB(&err, "mount-point", tree, "usr"), JA_E_USAGE);
    assert_false(is_dir("x"));
}

static void test_logged(void **state JA_UNUSED)
{
    struct ja_error err;
    char log[300];
    ja_autofree char *text = NULL;
    snprintf(log, sizeof log, "%s/log", scratch);
    assert_int_equal(VERB(&err, "logged", "--log", log, "--log-limit", "4096", "--", "/bin/echo", "one"), 0);
    assert_int_equal(VERB(&err, "logged", "--log", log, "--log-limit", "4096", "--", "/bin/echo", "two"), 0);
    assert_int_equal(ja_file_read(log, 100, &text, NULL, &err), 0);
    assert_string_equal(text, "one\ntwo\n");
    assert_int_equal(VERB(&err, "logged", "--log", log, "--log-limit", "4096", "--", "/bin/sh", "-c", "exit 7"),
                     JA_E_FAILED);
    assert_non_null(strstr(err.what, "status 7"));
    assert_int_equal(VERB(&err, "logged", "--log", log, "--", "/bin/echo", "x"), JA_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mount_point),
        cmocka_unit_test(test_logged),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
