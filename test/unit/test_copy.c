/*
 * test_copy.c: the two ends of a copy, which do not trust each other: what goes through, and what a hostile end is refused.
 */
#include "run/copy.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* As in copy.c: this test is the other end. */
struct record {
    uint32_t magic, kind, mode, uid, gid, name_length, text_length;
    int64_t size, seconds, nanoseconds;
};

static char dir[128];

static char *path_of(const char *name)
{
    static char paths[4][256];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, 256, "%s/%s", dir, name);
    return path;
}

static void add(struct ja_str *stream, int kind, const char *name, const char *text, int64_t size)
{
    struct record record = {.magic = 0x6a616331u,
                            .kind = (uint32_t)kind,
                            .mode = 04755,
                            .name_length = name ? (uint32_t)strlen(name) : 0,
                            .text_length = text ? (uint32_t)strlen(text) : 0,
                            .size = size};
    ja_str_addn(stream, (const char *)&record, sizeof record);
    if (name)
        ja_str_add(stream, name);
    if (text)
        ja_str_add(stream, text);
}

static int receive(const struct ja_str *stream, const char *to, bool outward, struct ja_error *err)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fwrite(stream->text ? stream->text : "", 1, stream->length, file);
    fflush(file);
    rewind(file);
    struct ja_copy copy = {.drop_privilege = outward, .preserve = outward && geteuid() == 0};
    int rc = ja_copy_receive(&copy, to, fileno(file), err);
    fclose(file);
    return rc;
}

static void assert_refused(struct ja_str *stream, const char *words)
{
    struct ja_error err = JA_ERROR_INIT;
    assert_true(receive(stream, path_of("in"), true, &err) < 0);
    if (!strstr(err.what, words))
        fail_msg("\"%s\" instead of \"%s\"", err.what, words);
    ja_str_fini(stream);
}

static void good_streams_are_taken(void **state)
{
    struct ja_str stream = {0};
    struct ja_error err = JA_ERROR_INIT;
    struct stat st;
    char *text = NULL;
    (void)state;
    add(&stream, 'D', "d", NULL, 0);
    add(&stream, 'F', "f", NULL, 0);
    add(&stream, 'B', NULL, "abc", 0);
    add(&stream, 'B', NULL, "def", 10);
    add(&stream, 'E', NULL, NULL, 20);
    add(&stream, 'L', "l", "../../etc/passwd", 0);
    add(&stream, 'U', NULL, NULL, 0);
    add(&stream, 'Z', NULL, NULL, 0);
    assert_int_equal(receive(&stream, path_of("in"), true, &err), 0);
    assert_int_equal(stat(path_of("in/d/f"), &st), 0);
    assert_int_equal(st.st_size, 20);
    assert_int_equal(st.st_mode & 07000, 0); /* what comes out of a jail is never set-uid */
    assert_int_equal(ja_file_read(path_of("in/d/f"), 100, &text, NULL, NULL), 0);
    assert_memory_equal(text, "abc\0\0\0\0\0\0\0def\0\0\0\0\0\0\0", 20);
    assert_int_equal(lstat(path_of("in/d/l"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    /* The same again replaces and merges. */
    assert_int_equal(receive(&stream, path_of("in"), true, &err), 0);
    ja_str_fini(&stream);
    free(text);
}

static void names_lead_nowhere_else(void **state)
{
    static const char *const names[] = {"../x", "..", ".", "/etc/x", "a/b", "d/../../x"};
    static const char kinds[] = "DFL";
    (void)state;
    for (size_t i = 0; i < JA_COUNT(names); i++)
        for (size_t k = 0; kinds[k]; k++) {
            struct ja_str stream = {0};
            add(&stream, kinds[k], names[i], kinds[k] == 'L' ? "x" : NULL, 0);
            add(&stream, 'E', NULL, NULL, 0);
            add(&stream, 'Z', NULL, NULL, 0);
            assert_refused(&stream, "does not keep to the rules");
        }
    struct ja_str zero = {0};
    add(&zero, 'F', "a-b", NULL, 0);
    zero.text[sizeof(struct record) + 1] = '\0';
    assert_refused(&zero, "does not keep to the rules");
}

static void records_are_checked(void **state)
{
    struct ja_str stream = {0};
    (void)state;
    add(&stream, 'U', NULL, NULL, 0); /* leaves what it never entered */
    assert_refused(&stream, "does not keep to the rules");
    add(&stream, '?', NULL, NULL, 0);
    assert_refused(&stream, "does not keep to the rules");
    add(&stream, 'F', "f", NULL, -1);
    assert_refused(&stream, "does not keep to the rules");
    add(&stream, 'F', "f", NULL, 0); /* data that goes backwards */
    add(&stream, 'B', NULL, "abc", 5);
    add(&stream, 'B', NULL, "abc", 0);
    assert_refused(&stream, "does not keep to the rules");
    add(&stream, 'F', "f", NULL, 0); /* shorter than its data */
    add(&stream, 'B', NULL, "abc", 0);
    add(&stream, 'E', NULL, NULL, 1);
    assert_refused(&stream, "does not keep to the rules");
    add(&stream, 'F', "f", NULL, 0);
    add(&stream, 'B', NULL, "abc", INT64_MAX - 1);
    assert_refused(&stream, "does not keep to the rules");
    add(&stream, 'D', "d", NULL, 0); /* ends within a directory */
    add(&stream, 'Z', NULL, NULL, 0);
    assert_refused(&stream, "does not keep to the rules");
    add(&stream, 'F', "f", NULL, 0);
    assert_refused(&stream, "ended too early");
    add(&stream, 'L', "l", NULL, 0);
    assert_refused(&stream, "does not keep to the rules");
    for (int i = 0; i < 400; i++) /* deeper than there are descriptors */
        add(&stream, 'D', "d", NULL, 0);
    assert_refused(&stream, "does not keep to the rules");
    add(&stream, 'Z', NULL, NULL, 0);
    stream.text[0] ^= 1;
    assert_refused(&stream, "does not keep to the rules");
    assert_int_not_equal(access(path_of("in/f"), F_OK), 0);
}

static void links_that_are_there_are_not_followed(void **state)
{
    struct ja_str stream = {0};
    struct ja_error err = JA_ERROR_INIT;
    char *text = NULL;
    (void)state;
    assert_int_equal(mkdir(path_of("victim"), 0700), 0);
    assert_int_equal(ja_file_write(path_of("victim/f"), "safe", 4, 0600, false, NULL), 0);
    assert_int_equal(symlink(path_of("victim"), path_of("in/way")), 0);
    assert_int_equal(symlink(path_of("victim/f"), path_of("in/file")), 0);
    add(&stream, 'D', "way", NULL, 0);
    add(&stream, 'F', "f", NULL, 0);
    add(&stream, 'B', NULL, "owned", 0);
    assert_refused(&stream, "cannot write into way");
    /* A file takes the link's place. */
    add(&stream, 'F', "file", NULL, 0);
    add(&stream, 'B', NULL, "owned", 0);
    add(&stream, 'E', NULL, NULL, 5);
    add(&stream, 'Z', NULL, NULL, 0);
    assert_int_equal(receive(&stream, path_of("in"), true, &err), 0);
    assert_int_equal(ja_file_read(path_of("victim/f"), 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "safe");
    ja_str_fini(&stream);
    free(text);
}

/* Any bytes: nothing but an error may come of them. */
static void noise_is_refused(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 200; round++) {
        struct ja_str stream = {0};
        struct ja_error err = JA_ERROR_INIT;
        add(&stream, 'D', "n", NULL, 0);
        add(&stream, 'F', "f", NULL, 0);
        add(&stream, 'B', NULL, "some text", 0);
        add(&stream, 'E', NULL, NULL, 9);
        add(&stream, 'U', NULL, NULL, 0);
        add(&stream, 'Z', NULL, NULL, 0);
        for (int i = 0; i < 1 + round % 8; i++)
            stream.text[rand() % (int)stream.length] = (char)rand();
        receive(&stream, path_of("in"), true, &err);
        ja_str_fini(&stream);
    }
    assert_int_not_equal(access(path_of("f"), F_OK), 0);
}

static void a_tree_goes_through_both_ends(void **state)
{
    int fds[2];
    (void)state;
    assert_int_equal(mkdir(path_of("from"), 0700), 0);
    assert_int_equal(mkdir(path_of("from/sub"), 0750), 0);
    assert_int_equal(ja_file_write(path_of("from/sub/f"), "text", 4, 0640, false, NULL), 0);
    assert_int_equal(mkfifo(path_of("from/pipe"), 0600), 0);
    assert_int_equal(symlink("sub/f", path_of("from/link")), 0);
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    struct ja_copy copy = {0};
    if (pid == 0) {
        close(fds[0]);
        _exit(ja_copy_send(&copy, path_of("from"), fds[1], NULL) == 0 ? 0 : 1);
    }
    close(fds[1]);
    assert_int_equal(ja_copy_receive(&copy, path_of("to"), fds[0], NULL), 0);
    close(fds[0]);
    int status = 1;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    struct stat st;
    assert_int_equal(stat(path_of("to/sub/f"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(lstat(path_of("to/link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_not_equal(lstat(path_of("to/pipe"), &st), 0);
}

/* In the place of the C library's: how often. */
static unsigned syncs;
#ifdef __linux__
int syncfs(int fd)
{
    (void)fd;
    syncs++;
    return 0;
}
#else
void sync(void)
{
    syncs++;
}
#endif

/* What was copied into a jail is on the disk when that is reported; a copy to the host is the user's own. */
static void a_jail_keeps_what_it_was_given(void **state)
{
    (void)state;
    struct ja_error err = JA_ERROR_INIT;
    for (int into_jail = 0; into_jail < 2; into_jail++) {
        struct ja_str stream = {0};
        add(&stream, 'F', "kept", NULL, 0);
        add(&stream, 'B', NULL, "abc", 0);
        add(&stream, 'E', NULL, NULL, 3);
        add(&stream, 'Z', NULL, NULL, 0);
        FILE *file = tmpfile();
        assert_non_null(file);
        fwrite(stream.text, 1, stream.length, file);
        rewind(file);
        struct ja_copy copy = {.root = into_jail ? path_of("in") : NULL};
        syncs = 0;
        int rc = ja_copy_receive(&copy, into_jail ? "/kept" : path_of("in/kept"), fileno(file), &err);
        if (rc < 0)
            fail_msg("%s", err.what);
        assert_int_equal(syncs, into_jail);
        fclose(file);
        ja_str_fini(&stream);
    }
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/jailadmin-copy.XXXXXX");
    assert_non_null(mkdtemp(dir));
    return mkdir(path_of("in"), 0700);
}

static int tear_down(void **state)
{
    (void)state;
    return ja_tree_remove(dir, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_streams_are_taken),
        cmocka_unit_test(names_lead_nowhere_else),
        cmocka_unit_test(records_are_checked),
        cmocka_unit_test(links_that_are_there_are_not_followed),
        cmocka_unit_test(noise_is_refused),
        cmocka_unit_test(a_tree_goes_through_both_ends),
        cmocka_unit_test(a_jail_keeps_what_it_was_given),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
