/*
 * test_hostverb_file.c: the portable host verbs do what they say, once; and refuse what they do not
 * understand.
 */
#include "run/hostverb.h"
#include "run/hostverbs.h"
#include "scratch.h"

static struct ja_error err;
static struct ja_str output;

/* Of the native verbs there are none here. */
const struct ja_hostverb *ja_hostverb_native(void)
{
    static const struct ja_hostverb none = {NULL, NULL, NULL, NULL, 0};
    return &none;
}

static int setup(void **state)
{
    err = (struct ja_error)JA_ERROR_INIT;
    if (scratch_setup(state) != 0 || mkdir(at("root"), 0755) != 0)
        return -1;
    setenv("JAILADMIN_REGISTRY", at("instances"), 1);
    setenv("JAILADMIN_SYSCTL_ROOT", scratch, 1);
    return 0;
}

static int teardown(void **state)
{
    bool silent = output.length == 0;
    ja_str_fini(&output);
    return scratch_teardown(state) || !silent ? -1 : 0;
}

/* Runs "jailadmin host WORDS..." with that standard input. */
static int verb(const char *input, const char *const *words)
{
    int argc = 0;
    while (words[argc])
        argc++;
    const struct ja_hostverb *found = ja_hostverb_find(words[0]);
    assert_non_null(found);
    struct ja_hostverb_io io = {.input = input, .input_length = strlen(input), .output = &output};
    ja_error_clear(&err);
    return found->run(argc, (char *const *)(uintptr_t)words, &io, &err);
}
#define VERB(...) verb("", (const char *const[]){__VA_ARGS__, NULL})
#define VERB_INPUT(input, ...) verb(input, (const char *const[]){__VA_ARGS__, NULL})

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void every_verb_is_found_and_described(void **state)
{
    (void)state;
    for (const struct ja_hostverb *v = ja_hostverb_portable(); v->name; v++) {
        assert_ptr_equal(ja_hostverb_find(v->name), v);
        assert_true(*v->usage && *v->doc);
        if (v->run == ja_verb_template_tar) /* another program's: test_tar */
            continue;
        assert_int_equal(VERB(v->name), JA_E_USAGE);
        assert_int_equal(VERB(v->name, "--unknown", "/a", "/b", "/c", "/d"), JA_E_USAGE);
    }
    assert_null(ja_hostverb_find("none"));
    assert_int_equal(VERB("write"), JA_E_USAGE);
    assert_non_null(strstr(err.hint, "usage: jailadmin host write [--root ROOT]"));
}

static void write_replaces_a_file(void **state)
{
    (void)state;
    assert_int_equal(VERB_INPUT("one", "write", at("f")), 0);
    assert_int_equal(mode_of(at("f")), 0644);
    assert_int_equal(VERB_INPUT("two", "write", "--mode", "0600", at("f")), 0);
    assert_string_equal(get_text(at("f")), "two");
    assert_int_equal(mode_of(at("f")), 0600);
}

static void write_new_replaces_nothing(void **state)
{
    (void)state;
    assert_int_equal(VERB_INPUT("one", "write", "--new", at("f")), 0);
    assert_int_equal(VERB_INPUT("two", "write", "--new", at("f")), JA_E_EXISTS);
    assert_string_equal(get_text(at("f")), "one");
    assert_int_equal(symlink("nowhere", at("link")), 0);
    assert_int_equal(VERB_INPUT("two", "write", "--new", at("link")), JA_E_EXISTS);
    /* And leaves nothing beside it. */
    assert_int_equal(VERB("remove", at("f")), 0);
    assert_int_equal(VERB("remove", at("link")), 0);
    assert_int_equal(rmdir(at("root")), 0);
    assert_int_equal(rmdir(scratch), 0);
    assert_int_equal(mkdir(scratch, 0700), 0);
}

static void write_gives_the_file_to_its_owner(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    struct stat st;
    assert_int_equal(VERB_INPUT("x", "write", "--uid", "1879048192", "--gid", "7", "--root", at("root"), "f"), 0);
    assert_int_equal(stat(at("root/f"), &st), 0);
    assert_int_equal(st.st_uid, 1879048192);
    assert_int_equal(st.st_gid, 7);
}

static void verbs_beneath_a_root_stay_there(void **state)
{
    (void)state;
    put_text(at("outside"), "kept");
    assert_int_equal(symlink("/etc", at("root/etc")), 0);
    assert_int_equal(symlink("../outside", at("root/file")), 0);
    assert_int_equal(symlink("..", at("root/up")), 0);
    assert_true(VERB_INPUT("hostile", "write", "--root", at("root"), "/etc/jatest-hostile") < 0);
    assert_false(exists("/etc/jatest-hostile"));
    VERB_INPUT("hostile", "write", "--root", at("root"), "/up/outside");
    VERB("remove", "--root", at("root"), "/up/outside");
    VERB("mkdir", "--root", at("root"), "/up/made");
    assert_false(exists(at("made")));
    assert_int_equal(VERB_INPUT("inside", "write", "--root", at("root"), "/file"), 0);
    assert_string_equal(get_text(at("root/file")), "inside");
    assert_int_equal(symlink("../outside", at("root/link")), 0);
    assert_int_equal(VERB("remove", "--root", at("root"), "link"), 0);
    assert_false(exists(at("root/link")));
    assert_string_equal(get_text(at("outside")), "kept");
}

static void a_swap_can_be_ended_and_undone(void **state)
{
    (void)state;
    put_text(at("from"), "new");
    put_text(at("place"), "old");
    assert_int_equal(VERB("swap", at("none"), at("place"), at("aside")), JA_E_NOTFOUND);
    assert_int_equal(VERB("swap", at("from"), at("nowhere"), at("aside")), JA_E_NOTFOUND);
    assert_int_equal(VERB("swap", at("from"), at("place"), at("aside")), 0);
    assert_string_equal(get_text(at("place")), "new");
    assert_string_equal(get_text(at("aside")), "old");
    assert_false(exists(at("from")));
    assert_int_equal(VERB("swap", at("aside"), at("place"), at("from")), 0);
    assert_string_equal(get_text(at("place")), "old");
    assert_string_equal(get_text(at("from")), "new");
    /* Cut off in between: ended, and undone. */
    assert_int_equal(rename(at("place"), at("aside")), 0);
    assert_int_equal(VERB("swap", at("from"), at("place"), at("aside")), 0);
    assert_string_equal(get_text(at("place")), "new");
    assert_int_equal(rename(at("place"), at("from")), 0);
    assert_int_equal(VERB("swap", at("aside"), at("place"), at("from")), 0);
    assert_string_equal(get_text(at("place")), "old");
    assert_string_equal(get_text(at("from")), "new");
    /* Nothing is replaced. */
    put_text(at("aside"), "another");
    assert_int_equal(VERB("swap", at("from"), at("place"), at("aside")), JA_E_EXISTS);
    assert_string_equal(get_text(at("place")), "old");
}

static void what_is_gone_already_was_removed(void **state)
{
    (void)state;
    assert_int_equal(VERB("remove", at("none")), 0);
    assert_int_equal(VERB("remove", at("none/none")), 0);
    assert_int_equal(VERB("remove", "--root", at("none"), "f"), 0);
    assert_int_equal(VERB("rmdir", at("none")), 0);
    assert_int_equal(VERB("remove-tree", at("none")), 0);
    assert_int_equal(VERB("registry-remove", "zz"), 0);
    assert_int_equal(VERB("setting", "release", "zz", "net.none"), 0);
    assert_false(exists(at("instances")));
}

static void mkdir_makes_one_directory_that_was_not_there(void **state)
{
    (void)state;
    umask(077);
    assert_int_equal(VERB("mkdir", at("d")), 0);
    assert_int_equal(mode_of(at("d")), 0755);
    assert_int_equal(VERB("mkdir", at("d")), JA_E_EXISTS);
    assert_int_equal(VERB("mkdir", at("a/b")), JA_E_NOTFOUND);
    assert_int_equal(VERB("mkdir", "--mode", "0711", "--root", at("root"), "d"), 0);
    assert_int_equal(mode_of(at("root/d")), 0711);
    assert_int_equal(VERB("rmdir", at("root")), JA_E_FAILED);
    assert_int_equal(VERB("rmdir", at("d")), 0);
    assert_false(exists(at("d")));
}

static void remove_removes_no_directory(void **state)
{
    (void)state;
    assert_true(VERB("remove", at("root")) < 0);
    assert_true(exists(at("root")));
}

static void remove_tree_refuses_what_nobody_means(void **state)
{
    (void)state;
    const char *paths[] = {"/", "//", "/var", "/var/db", "relative/path/x", "/a/b/", "/a/b/..", "/a/./b", "/a//b"};
    for (size_t i = 0; i < JA_COUNT(paths); i++)
        assert_true(VERB("remove-tree", paths[i]) < 0);
    assert_int_equal(mkdir(at("root/d"), 0755), 0);
    put_text(at("root/d/f"), "x");
    assert_int_equal(VERB("remove-tree", at("root")), 0);
    assert_false(exists(at("root")));
}

static void rename_replaces_nothing(void **state)
{
    (void)state;
    put_text(at("a"), "a");
    put_text(at("b"), "b");
    assert_int_equal(VERB("rename", at("a"), at("b")), JA_E_EXISTS);
    assert_string_equal(err.object, at("b"));
    assert_string_equal(get_text(at("b")), "b");
    assert_int_equal(VERB("rename", at("a"), at("c")), 0);
    assert_false(exists(at("a")));
    assert_int_equal(VERB("rename", at("a"), at("d")), JA_E_NOTFOUND);
}

static void symlink_replaces_nothing(void **state)
{
    (void)state;
    char target[64] = "";
    assert_int_equal(VERB("symlink", "../target", at("l")), 0);
    assert_int_equal(readlink(at("l"), target, sizeof target - 1), 9);
    assert_string_equal(target, "../target");
    assert_int_equal(VERB("symlink", "other", at("l")), JA_E_EXISTS);
}

static void numbers_and_paths_are_checked(void **state)
{
    (void)state;
    const char *modes[] = {"", "8", "-1", "10000", "0644x", " 644"};
    for (size_t i = 0; i < JA_COUNT(modes); i++)
        assert_int_equal(VERB("write", "--mode", modes[i], at("f")), JA_E_USAGE);
    assert_non_null(strstr(err.what, "--mode"));
    assert_int_equal(VERB("write", "--uid", "4294967295", at("f")), JA_E_USAGE);
    assert_int_equal(VERB("write", "--uid", "root", at("f")), JA_E_USAGE);
    assert_int_equal(VERB("write", "relative"), JA_E_USAGE);
    assert_int_equal(VERB("write", "--root", "relative", "f"), JA_E_USAGE);
    assert_int_equal(VERB("write", at("f"), at("g")), JA_E_USAGE);
    assert_int_equal(VERB("write", at("f"), "--mode"), JA_E_USAGE);
    assert_int_equal(VERB("rmdir", "--root", at("root"), "f"), JA_E_USAGE);
    assert_int_equal(VERB("setting", "acquire", "00", "net.x"), JA_E_USAGE);
    assert_int_equal(VERB("setting", "acquire", "000", "net.x", "1"), JA_E_INVALID);
    assert_int_equal(VERB("setting", "get", "00", "net.x"), JA_E_USAGE);
    assert_int_equal(VERB("registry-remove", "0"), JA_E_INVALID);
    assert_false(exists(at("f")));
}

#ifdef __linux__
static void a_setting_is_acquired_and_put_back(void **state)
{
    (void)state;
    put_text(at("value"), "0\n");
    assert_int_equal(VERB("setting", "acquire", "00", "value", "1"), 0);
    assert_string_equal(get_text(at("value")), "1");
    assert_int_equal(VERB("setting", "release", "00", "value"), 0);
    assert_string_equal(get_text(at("value")), "0");
}
#endif

int main(void)
{
#define VERBS(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        VERBS(every_verb_is_found_and_described),
        VERBS(write_replaces_a_file),
        VERBS(write_new_replaces_nothing),
        VERBS(write_gives_the_file_to_its_owner),
        VERBS(verbs_beneath_a_root_stay_there),
        VERBS(a_swap_can_be_ended_and_undone),
        VERBS(what_is_gone_already_was_removed),
        VERBS(mkdir_makes_one_directory_that_was_not_there),
        VERBS(remove_removes_no_directory),
        VERBS(remove_tree_refuses_what_nobody_means),
        VERBS(rename_replaces_nothing),
        VERBS(symlink_replaces_nothing),
        VERBS(numbers_and_paths_are_checked),
#ifdef __linux__
        VERBS(a_setting_is_acquired_and_put_back),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
