/*
 * test_file.c: files are read with a bound and replaced whole; nothing that a hostile tree holds leads out of
 * it.
 */
#include "base/file.h"
#include "scratch.h"

#include <errno.h>

#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#endif

#define OUTSIDE "outside, and not to be changed"

/* SCRATCH/root is the hostile tree, SCRATCH/outside the file that must not change. */
static int hostile_setup(void **state)
{
    if (scratch_setup(state) != 0)
        return -1;
    umask(077);
    put_text(at("outside"), OUTSIDE);
    return mkdir(at("root"), 0755) || mkdir(at("root/dir"), 0755) ? -1 : 0;
}

static int hostile_teardown(void **state)
{
    int unchanged = strcmp(get_text(at("outside")), OUTSIDE);
    return scratch_teardown(state) || unchanged ? -1 : 0;
}

static int write_beneath(const char *path, const char *text, struct ja_error *err)
{
    return ja_beneath_write(at("root"), path, text, strlen(text), 0644, (uid_t)-1, (gid_t)-1, err);
}

static void a_file_is_read_whole(void **state)
{
    (void)state;
    char large[10000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    put_text(at("f"), large);
    char *text;
    size_t length;
    assert_int_equal(ja_file_read(at("f"), 9999, &text, &length, NULL), 0);
    assert_int_equal(length, 9999);
    assert_string_equal(text, large);
    ja_free(text);
}

static void a_file_of_proc_is_read_whole(void **state)
{
    (void)state;
    char *text;
    if (ja_file_read("/proc/self/status", 1 << 20, &text, NULL, NULL) != 0)
        skip();
    assert_non_null(strstr(text, "Pid:"));
    ja_free(text);
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    struct ja_error err = JA_ERROR_INIT;
    char *text = NULL;
    put_text(at("f"), "12345");
    assert_int_equal(ja_file_read(at("f"), 4, &text, NULL, &err), JA_E_LIMIT);
    assert_null(text);
    assert_string_equal(err.object, at("f"));
}

static void a_missing_file_is_told_from_other_failures(void **state)
{
    (void)state;
    struct ja_error err = JA_ERROR_INIT;
    char *text;
    assert_int_equal(ja_file_read(at("none"), 10, &text, NULL, &err), JA_E_NOTFOUND);
    assert_int_equal(err.code, JA_E_NOTFOUND);
    assert_int_equal(ja_file_read(scratch, 10, &text, NULL, &err), JA_E_FAILED);
    assert_int_equal(err.sys, EISDIR);
}

static void out_of_memory_while_reading_is_an_error(void **state)
{
    (void)state;
    put_text(at("f"), "text");
    char *text;
    ja_alloc_fail_after(0);
    assert_int_equal(ja_file_read(at("f"), 10, &text, NULL, NULL), JA_E_NOMEM);
    ja_alloc_fail_after(-1);
}

static void writing_replaces_the_file_and_sets_its_mode(void **state)
{
    (void)state;
    put_text(at("f"), "old");
    assert_int_equal(ja_file_write(at("f"), "new", 3, 0640, true, NULL), 0);
    assert_string_equal(get_text(at("f")), "new");
    struct stat st;
    assert_int_equal(stat(at("f"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void writing_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct ja_error err = JA_ERROR_INIT;
    assert_int_equal(mkdir(at("d"), 0755), 0);
    assert_int_equal(mkdir(at("d/f"), 0755), 0);
    assert_int_equal(ja_file_write(at("d/f"), "x", 1, 0600, false, &err), JA_E_FAILED);
    assert_int_equal(rmdir(at("d/f")), 0);
    assert_int_equal(rmdir(at("d")), 0);
    assert_int_equal(ja_file_write(at("d/f"), "x", 1, 0600, false, &err), JA_E_NOTFOUND);
    assert_int_equal(ja_file_write(at(".."), "x", 1, 0600, false, &err), JA_E_INVALID);
}

static void directories_are_made_with_their_parents(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(ja_dir_make(at("a//b/c/"), 0750, NULL), 0);
    assert_int_equal(stat(at("a/b/c"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(ja_dir_make(at("a/b"), 0700, NULL), 0);
    assert_int_equal(stat(at("a/b"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    put_text(at("a/file"), "");
    assert_int_equal(ja_dir_make(at("a/file"), 0700, NULL), JA_E_FAILED);
    assert_int_equal(ja_dir_make(at("a/file/x"), 0700, NULL), JA_E_FAILED);
}

static void removing_a_tree_spares_what_its_links_point_to(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("victim"), 0755), 0);
    put_text(at("victim/file"), "kept");
    assert_int_equal(symlink(at("victim"), at("root/dir/link")), 0);
    assert_int_equal(symlink("../../outside", at("root/dir/file")), 0);
    put_text(at("root/dir/plain"), "");
    assert_int_equal(mkfifo(at("root/dir/fifo"), 0600), 0);
    assert_int_equal(ja_tree_remove(at("root"), NULL), 0);
    assert_false(exists(at("root")));
    assert_string_equal(get_text(at("victim/file")), "kept");
}

static void removing_a_link_or_nothing_removes_just_that(void **state)
{
    (void)state;
    assert_int_equal(symlink("root", at("link")), 0);
    assert_int_equal(ja_tree_remove(at("link"), NULL), 0);
    assert_false(exists(at("link")));
    assert_true(exists(at("root/dir")));
    assert_int_equal(ja_tree_remove(at("none"), NULL), 0);
    assert_int_equal(ja_tree_remove(at("none/below"), NULL), 0);
    assert_int_equal(ja_tree_remove("/", NULL), JA_E_INVALID);
}

/* Deeper than paths may be long and more levels than descriptors are left. */
static void a_tree_may_be_as_deep_as_its_owner_likes(void **state)
{
    (void)state;
    int fd = open(at("root"), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(mkdirat(fd, "deep", 0755), 0);
        int next = openat(fd, "deep", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        int file = i % 100 ? -1 : openat(next, "file", O_WRONLY | O_CREAT, 0600);
        if (file >= 0)
            close(file);
        close(fd);
        fd = next;
    }
    close(fd);
    /* A file where a deep directory would be moved to stands in nobody's way. */
    put_text(at("root/.ja-moved-0"), "");
    assert_int_equal(ja_tree_remove(at("root"), NULL), 0);
    assert_false(exists(at("root")));
}

#ifdef __linux__
/* In a mount namespace of its own: 0 done, 1 not done, 77 not allowed to mount. */
static int remove_around_a_mount(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(at("victim"), at("root/dir"), NULL, MS_BIND, NULL) != 0)
        return 77;
    struct ja_error err = JA_ERROR_INIT;
    bool refused = ja_tree_remove(at("root"), &err) == JA_E_DENIED && *err.hint;
    return refused && exists(at("victim/file")) ? 0 : 1;
}

static void what_is_mounted_in_a_tree_is_not_removed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("victim"), 0755), 0);
    put_text(at("victim/file"), "kept");
    pid_t pid = fork();
    if (pid == 0)
        _exit(remove_around_a_mount());
    int status = child_status(pid);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}
#endif

static void links_that_lead_out_are_read_inside(void **state)
{
    (void)state;
    const char *links[] = {at("outside"), "../outside", "../../../../../../etc/passwd", "/etc/passwd"};
    for (size_t i = 0; i < JA_COUNT(links); i++) {
        assert_int_equal(symlink(links[i], at("root/dir/link")), 0);
        int fd = ja_beneath_open(at("root"), "dir/link", O_RDONLY, 0, NULL);
        assert_true(fd == JA_E_NOTFOUND || fd == JA_E_DENIED);
        fd = ja_beneath_open(at("root"), "dir/link", O_WRONLY | O_TRUNC, 0, NULL);
        assert_true(fd == JA_E_NOTFOUND || fd == JA_E_DENIED);
        assert_int_equal(unlink(at("root/dir/link")), 0);
    }
}

static void dots_do_not_climb_out(void **state)
{
    (void)state;
    int fd = ja_beneath_open(at("root"), "../outside", O_RDONLY, 0, NULL);
    assert_true(fd == JA_E_NOTFOUND || fd == JA_E_DENIED);
    fd = ja_beneath_open(at("root"), "/dir/../../outside", O_RDONLY, 0, NULL);
    assert_true(fd == JA_E_NOTFOUND || fd == JA_E_DENIED);
    struct ja_error err = JA_ERROR_INIT;
    assert_true(write_beneath("../new", "x", &err) == 0 || err.code == JA_E_DENIED);
    assert_false(exists(at("new")));
}

static void links_in_circles_are_refused(void **state)
{
    (void)state;
    struct ja_error err = JA_ERROR_INIT;
    assert_int_equal(symlink("b", at("root/a")), 0);
    assert_int_equal(symlink("a", at("root/b")), 0);
    assert_int_equal(ja_beneath_open(at("root"), "a", O_RDONLY, 0, &err), JA_E_DENIED);
    assert_int_equal(write_beneath("a/file", "x", &err), JA_E_DENIED);
    assert_int_equal(ja_beneath_mkdir(at("root"), "a/d", 0755, 0, 0, &err), JA_E_DENIED);
}

static void links_that_stay_inside_are_followed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("root/run"), 0755), 0);
    assert_int_equal(symlink("../run", at("root/dir/run")), 0);
    assert_int_equal(write_beneath("/dir/run/file", "inside", NULL), 0);
    assert_string_equal(get_text(at("root/run/file")), "inside");
    int fd = ja_beneath_open(at("root"), "/dir/run/file", O_RDONLY, 0, NULL);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

static void the_root_itself_can_be_opened(void **state)
{
    (void)state;
    int fd = ja_beneath_open(at("root"), "/", O_RDONLY | O_DIRECTORY, 0, NULL);
    assert_true(fd >= 0);
    close(fd);
}

static void a_fifo_does_not_stop_who_reads(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(at("root/resolv.conf"), 0600), 0);
    int fd = ja_beneath_open(at("root"), "resolv.conf", O_RDONLY, 0, NULL);
    assert_true(fd >= 0);
    close(fd);
}

static void a_link_in_place_of_a_file_is_replaced(void **state)
{
    (void)state;
    const char *links[] = {at("outside"), "../../outside", "/etc/passwd", "file"};
    for (size_t i = 0; i < JA_COUNT(links); i++) {
        assert_int_equal(symlink(links[i], at("root/dir/file")), 0);
        assert_int_equal(write_beneath("dir/file", "new", NULL), 0);
        struct stat st;
        assert_int_equal(lstat(at("root/dir/file"), &st), 0);
        assert_true(S_ISREG(st.st_mode));
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_string_equal(get_text(at("root/dir/file")), "new");
        assert_int_equal(unlink(at("root/dir/file")), 0);
    }
}

static void a_directory_that_is_a_link_out_is_not_written_to(void **state)
{
    (void)state;
    const char *links[] = {scratch, "..", "../..", "/"};
    for (size_t i = 0; i < JA_COUNT(links); i++) {
        assert_int_equal(symlink(links[i], at("root/etc")), 0);
        write_beneath("etc/outside", "hostile", NULL);
        write_beneath("etc/jatest-hostile", "hostile", NULL);
        ja_beneath_mkdir(at("root"), "etc/jatest-made/x", 0755, (uid_t)-1, (gid_t)-1, NULL);
        assert_false(exists(at("jatest-hostile")));
        assert_false(exists("/jatest-hostile"));
        assert_false(exists(at("jatest-made")));
        assert_false(exists("/jatest-made"));
        assert_int_equal(unlink(at("root/etc")), 0);
    }
}

static void etc_linked_to_etc_is_no_way_to_the_hosts(void **state)
{
    (void)state;
    struct ja_error err = JA_ERROR_INIT;
    assert_int_equal(symlink("/etc", at("root/etc")), 0);
    assert_int_equal(symlink("/", at("root/dev")), 0);
    assert_int_equal(ja_beneath_open(at("root"), "etc/passwd", O_RDONLY, 0, &err), JA_E_DENIED);
    assert_int_equal(write_beneath("etc/jatest-hostile", "x", &err), JA_E_DENIED);
    assert_int_equal(ja_beneath_mkdir(at("root"), "etc/jatest-made", 0755, 0, 0, &err), JA_E_DENIED);
    int fd = ja_beneath_open(at("root"), "dev/etc/passwd", O_RDONLY, 0, &err);
    assert_int_equal(fd, JA_E_DENIED);
    assert_false(exists("/etc/jatest-hostile"));
    assert_false(exists("/etc/jatest-made"));
}

static void writing_needs_the_directory(void **state)
{
    (void)state;
    struct ja_error err = JA_ERROR_INIT;
    assert_int_equal(write_beneath("none/file", "x", &err), JA_E_NOTFOUND);
    assert_int_equal(write_beneath("dir/", "x", &err), JA_E_INVALID);
    assert_int_equal(write_beneath("dir", "x", &err), JA_E_FAILED);
}

static void the_owner_of_what_is_made_is_the_one_asked_for(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    struct stat st;
    assert_int_equal(ja_beneath_write(at("root"), "dir/s", "x", 1, 04755, 1234, 1235, NULL), 0);
    assert_int_equal(stat(at("root/dir/s"), &st), 0);
    assert_int_equal(st.st_uid, 1234);
    assert_int_equal(st.st_gid, 1235);
    assert_int_equal(st.st_mode & 07777, 04755);
    assert_int_equal(ja_beneath_mkdir(at("root"), "dir/new/newer", 01777, 1234, 1235, NULL), 0);
    assert_int_equal(stat(at("root/dir/new"), &st), 0);
    assert_int_equal(st.st_uid, 1234);
    assert_int_equal(stat(at("root/dir/new/newer"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 01777);
    assert_int_equal(stat(at("root/dir"), &st), 0);
    assert_int_equal(st.st_uid, 0);
}

int main(void)
{
#define HOSTILE(name) cmocka_unit_test_setup_teardown(name, hostile_setup, hostile_teardown)
    const struct CMUnitTest tests[] = {
        HOSTILE(a_file_is_read_whole),
        HOSTILE(a_file_of_proc_is_read_whole),
        HOSTILE(a_file_that_is_too_large_is_refused),
        HOSTILE(a_missing_file_is_told_from_other_failures),
        HOSTILE(out_of_memory_while_reading_is_an_error),
        HOSTILE(writing_replaces_the_file_and_sets_its_mode),
        HOSTILE(writing_that_fails_leaves_nothing),
        HOSTILE(directories_are_made_with_their_parents),
        HOSTILE(removing_a_tree_spares_what_its_links_point_to),
        HOSTILE(removing_a_link_or_nothing_removes_just_that),
        HOSTILE(a_tree_may_be_as_deep_as_its_owner_likes),
#ifdef __linux__
        HOSTILE(what_is_mounted_in_a_tree_is_not_removed),
#endif
        HOSTILE(links_that_lead_out_are_read_inside),
        HOSTILE(dots_do_not_climb_out),
        HOSTILE(links_in_circles_are_refused),
        HOSTILE(links_that_stay_inside_are_followed),
        HOSTILE(the_root_itself_can_be_opened),
        HOSTILE(a_fifo_does_not_stop_who_reads),
        HOSTILE(a_link_in_place_of_a_file_is_replaced),
        HOSTILE(a_directory_that_is_a_link_out_is_not_written_to),
        HOSTILE(etc_linked_to_etc_is_no_way_to_the_hosts),
        HOSTILE(writing_needs_the_directory),
        HOSTILE(the_owner_of_what_is_made_is_the_one_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
