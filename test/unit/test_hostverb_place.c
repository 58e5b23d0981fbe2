/*
 * Host verbs around a jail: places of mounts are made beneath a tree and never through a link; logs keep
 * their bounds.
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

/* What grew above its limit is kept elsewhere, its last bytes alone; what is below it is left alone. */
static void test_log_trim(void **state JA_UNUSED)
{
    struct ja_error err;
    char log[300], old[310], text[6000];
    ja_autofree char *now = NULL, *kept = NULL;
    snprintf(log, sizeof log, "%s/log", scratch);
    snprintf(old, sizeof old, "%s.1", log);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[sizeof text - 2] = 'z';
    assert_int_equal(ja_file_write(log, "one\n", 4, 0600, false, &err), 0);
    assert_int_equal(VERB(&err, "log-trim", "--limit", "4096", log), 0);
    assert_int_equal(ja_file_read(log, 100, &now, NULL, &err), 0);
    assert_string_equal(now, "one\n");
    assert_int_equal(ja_file_write(log, text, strlen(text), 0600, false, &err), 0);
    assert_int_equal(VERB(&err, "log-trim", "--limit", "4096", log), 0);
    assert_int_equal(ja_file_read(old, 8192, &kept, NULL, &err), 0);
    assert_int_equal(strlen(kept), 4096);
    assert_int_equal(kept[4095], 'z');
    free(now);
    now = NULL;
    assert_int_equal(ja_file_read(log, 100, &now, NULL, &err), 0);
    assert_string_equal(now, "");
    assert_int_equal(VERB(&err, "log-trim", "--limit", "4096", "/nowhere/log"), 0);
    assert_int_equal(VERB(&err, "log-trim", log), JA_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mount_point),
        cmocka_unit_test(test_log_trim),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
