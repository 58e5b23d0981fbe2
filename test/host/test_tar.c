/*
 * test_tar.c: archives that mean harm are refused or contained, and those that mean well come out as they were. Each archive is
 * made here, member by member.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/sha256.h"
#include "run/hostverb.h"
#include "run/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char dir[64], tree[96], file[96], outside[96];

/* A member of an archive that is being written. */
struct member {
    const char *name;
    unsigned type; /* AE_IFREG unless set */
    const char *text, *link, *hard;
    unsigned mode; /* 0644 unless set */
    int64_t uid;
    const char *attribute; /* extended, with the value "value" */
};

static void write_member(struct archive *archive, const struct member *member)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, member->name);
    archive_entry_set_filetype(entry, member->type ? member->type : AE_IFREG);
    archive_entry_set_perm(entry, member->mode ? member->mode : 0644);
    archive_entry_set_uid(entry, member->uid);
    archive_entry_set_gid(entry, member->uid);
    archive_entry_set_mtime(entry, 1000000000, 0);
    archive_entry_set_size(entry, member->text ? (int64_t)strlen(member->text) : 0);
    if (member->link)
        archive_entry_set_symlink(entry, member->link);
    if (member->hard)
        archive_entry_set_hardlink(entry, member->hard);
    if (member->type == AE_IFCHR || member->type == AE_IFBLK) {
        archive_entry_set_rdevmajor(entry, 1);
        archive_entry_set_rdevminor(entry, 3);
    }
    if (member->attribute)
        archive_entry_xattr_add_entry(entry, member->attribute, "value", 5);
    assert_true(archive_write_header(archive, entry) >= ARCHIVE_WARN);
    if (member->text)
        assert_int_equal(archive_write_data(archive, member->text, strlen(member->text)), strlen(member->text));
    archive_entry_free(entry);
}

static void write_archive(int (*filter)(struct archive *), const struct member *members, size_t count)
{
    struct archive *archive = archive_write_new();
    archive_write_set_format_pax_restricted(archive);
    if (filter)
        assert_int_equal(filter(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, file), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++)
        write_member(archive, &members[i]);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

static int unpack_with(const char *option, const char *value, struct ja_error *err)
{
    struct ja_str output = {0};
    struct ja_hostverb_io io = {.input = "", .output = &output};
    const struct ja_hostverb *verb = ja_hostverb_find("template-tar");
    char *plain[] = {(char *)"template-tar", file, tree, NULL};
    char *more[] = {(char *)"template-tar", (char *)option, (char *)value, file, tree, NULL};
    ja_error_clear(err);
    int rc = option ? verb->run(5, more, &io, err) : verb->run(3, plain, &io, err);
    ja_str_fini(&output);
    return rc;
}

static int unpack(const struct member *members, size_t count, struct ja_error *err)
{
    write_archive(NULL, members, count);
    return unpack_with(NULL, NULL, err);
}

#define REFUSED(words, ...)                                                                                            \
    do {                                                                                                               \
        const struct member members[] = {__VA_ARGS__};                                                                 \
        struct ja_error err;                                                                                           \
        assert_true(unpack(members, JA_COUNT(members), &err) < 0);                                                     \
        if (!strstr(err.what, words))                                                                                  \
            fail_msg("refused with \"%s\", not \"%s\"", err.what, words);                                              \
    } while (0)
#define TAKEN(...)                                                                                                     \
    do {                                                                                                               \
        const struct member members[] = {__VA_ARGS__};                                                                 \
        struct ja_error err;                                                                                           \
        if (unpack(members, JA_COUNT(members), &err) < 0)                                                              \
            fail_msg("%s", err.what);                                                                                  \
    } while (0)

/* What is in the tree under a name; NULL: nothing. */
static const char *text_of(const char *name)
{
    static char text[256];
    ja_autofree char *path = ja_printf("%s/%s", tree, name);
    FILE *opened = fopen(path, "r");
    if (!opened)
        return NULL;
    text[fread(text, 1, sizeof text - 1, opened)] = '\0';
    fclose(opened);
    return text;
}

static struct stat stat_of(const char *name)
{
    struct stat st = {0};
    ja_autofree char *path = ja_printf("%s/%s", tree, name);
    if (lstat(path, &st) < 0)
        st.st_mode = 0;
    return st;
}

static int set_up(void **unused)
{
    (void)unused;
    strcpy(dir, "/var/tmp/jailadmin-tar.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(tree, sizeof tree, "%s/tree", dir);
    snprintf(file, sizeof file, "%s/archive", dir);
    snprintf(outside, sizeof outside, "%s/outside", dir);
    assert_int_equal(mkdir(tree, 0755), 0);
    return ja_file_write(outside, "untouched", 9, 0600, false, NULL);
}

/* Whatever was in the archive: what is not in the tree is as it was. */
static int tear_down(void **unused)
{
    (void)unused;
    ja_autofree char *text = NULL;
    struct stat st;
    assert_int_equal(ja_file_read(outside, 64, &text, NULL, NULL), 0);
    assert_string_equal(text, "untouched");
    assert_int_equal(stat(outside, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(access("/jailadmin-tar-was-here", F_OK), -1);
    assert_int_equal(ja_tree_remove(dir, NULL), 0);
    return 0;
}

/* ---- harm ---- */

static void names_with_dots_are_refused(void **unused)
{
    (void)unused;
    REFUSED("has \"..\" in its name", {.name = "../outside", .text = "x"});
    REFUSED("has \"..\" in its name", {.name = "a/../../outside", .text = "x"});
    REFUSED("has \"..\" in its name", {.name = "a", .type = AE_IFDIR, .mode = 0755}, {.name = "a/.."});
    REFUSED("has \"..\" in its name", {.name = "/..", .type = AE_IFDIR});
}

static void absolute_names_are_names_in_the_tree(void **unused)
{
    (void)unused;
    TAKEN({.name = "/jailadmin-tar-was-here", .text = "x"}, {.name = "//etc//passwd", .text = "mine"});
    assert_string_equal(text_of("jailadmin-tar-was-here"), "x");
    assert_string_equal(text_of("etc/passwd"), "mine");
}

static void nothing_is_written_through_links_that_lead_out(void **unused)
{
    (void)unused;
    ja_autofree char *up = ja_printf("../../../../../../..%s", dir);
    TAKEN({.name = "abs", .type = AE_IFLNK, .link = "/"}, {.name = "abs/jailadmin-tar-was-here", .text = "x"});
    assert_string_equal(text_of("jailadmin-tar-was-here"), "x");
    /* What the links name is not there inside: it is made inside, or refused. */
    REFUSED("cannot", {.name = "up", .type = AE_IFLNK, .link = up}, {.name = "up/outside", .text = "x"});
    REFUSED("cannot", {.name = "d", .type = AE_IFLNK, .link = dir}, {.name = "d/outside", .text = "x"});
    REFUSED("cannot", {.name = "l", .type = AE_IFLNK, .link = "m"}, {.name = "m", .type = AE_IFLNK, .link = "l"},
            {.name = "l/file", .text = "x"});
}

static void a_link_at_the_end_is_replaced(void **unused)
{
    (void)unused;
    TAKEN({.name = "file", .type = AE_IFLNK, .link = outside}, {.name = "file", .text = "x"});
    assert_string_equal(text_of("file"), "x");
    assert_true(S_ISREG(stat_of("file").st_mode));
    TAKEN({.name = "dir", .type = AE_IFLNK, .link = dir}, {.name = "dir", .type = AE_IFDIR, .mode = 0700});
    assert_true(S_ISDIR(stat_of("dir").st_mode));
    TAKEN({.name = "fifo", .type = AE_IFLNK, .link = outside}, {.name = "fifo", .type = AE_IFIFO, .mode = 0666});
    assert_true(S_ISFIFO(stat_of("fifo").st_mode));
}

static void hard_links_lead_to_files_of_the_tree_only(void **unused)
{
    (void)unused;
    static const char no_such[] = "hard link to a file that is not in the archive";
    ja_autofree char *up = ja_printf("up/%s", strrchr(outside, '/') + 1);
    REFUSED(no_such, {.name = "mine", .hard = outside});
    REFUSED("has \"..\" in its name", {.name = "mine", .hard = "../outside"});
    REFUSED(no_such, {.name = "up", .type = AE_IFLNK, .link = dir}, {.name = "mine", .hard = up});
    REFUSED(no_such, {.name = "d", .type = AE_IFDIR, .mode = 0755}, {.name = "mine", .hard = "d"});
    REFUSED(no_such, {.name = "mine", .hard = "later"}, {.name = "later", .text = "x"});
    /* A hard link to a symbolic link is that link, not what it leads to. */
    TAKEN({.name = "out", .type = AE_IFLNK, .link = outside}, {.name = "also", .hard = "out"});
    assert_true(S_ISLNK(stat_of("also").st_mode));
}

static void device_nodes_are_left_out(void **unused)
{
    (void)unused;
    TAKEN({.name = "dev/null", .type = AE_IFCHR}, {.name = "dev/sda", .type = AE_IFBLK}, {.name = "here", .text = "x"});
    assert_int_equal(stat_of("dev/null").st_mode, 0);
    assert_int_equal(stat_of("dev/sda").st_mode, 0);
    assert_string_equal(text_of("here"), "x");
}

static void too_many_members_are_refused(void **unused)
{
    (void)unused;
    const struct member members[] = {{.name = "a"}, {.name = "a"}, {.name = "a"}, {.name = "a"}};
    struct ja_error err;
    write_archive(NULL, members, JA_COUNT(members));
    assert_int_equal(unpack_with("--members", "3", &err), JA_E_LIMIT);
    assert_non_null(strstr(err.what, "more than 3 members"));
    assert_int_equal(unpack_with("--members", "4", &err), 0);
}

static void long_names_are_refused(void **unused)
{
    (void)unused;
    static char longest[5000], component[400];
    for (size_t i = 0; i + 2 < sizeof longest; i += 2)
        memcpy(longest + i, "a/", 3);
    memset(component, 'b', sizeof component - 1);
    REFUSED("too long a name", {.name = longest, .text = "x"});
    REFUSED("File name too long", {.name = component, .text = "x"});
}

static void attributes_of_the_system_are_not_taken(void **unused)
{
    (void)unused;
    TAKEN({.name = "file", .text = "x", .attribute = "trusted.overlay.opaque"});
    char value[16];
    ja_autofree char *path = ja_printf("%s/file", tree);
    assert_int_equal(getxattr(path, "trusted.overlay.opaque", value, sizeof value), -1);
}

static void what_is_no_archive_is_refused(void **unused)
{
    (void)unused;
    struct ja_error err;
    ja_file_write(file, "this is a text and no archive at all\n", 37, 0600, false, NULL);
    assert_true(unpack_with(NULL, NULL, &err) < 0);
    ja_file_write(file, "", 0, 0600, false, NULL);
    assert_true(unpack_with(NULL, NULL, &err) < 0);
    assert_int_equal(ja_tree_remove(file, NULL), 0);
    assert_int_equal(unpack_with(NULL, NULL, &err), JA_E_NOTFOUND);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_true(unpack_with(NULL, NULL, &err) < 0);
    unlink(file);
}

static void an_archive_that_ends_early_is_refused(void **unused)
{
    (void)unused;
    static char text[20001];
    struct ja_error err;
    memset(text, 't', sizeof text - 1);
    const struct member members[] = {{.name = "file", .text = text}};
    write_archive(NULL, members, 1);
    assert_int_equal(truncate(file, 10240), 0);
    assert_true(unpack_with(NULL, NULL, &err) < 0);
    write_archive(archive_write_add_filter_gzip, members, 1);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(truncate(file, st.st_size - 20), 0);
    assert_true(unpack_with(NULL, NULL, &err) < 0);
}

static void nothing_of_another_archive_than_the_one_meant_is_unpacked(void **unused)
{
    (void)unused;
    const struct member members[] = {{.name = "file", .text = "x"}};
    char sum[JA_SHA256_TEXT];
    struct ja_error err;
    write_archive(NULL, members, 1);
    ja_autoclose int fd = open(file, O_RDONLY);
    assert_int_equal(ja_sha256_fd(fd, sum), 0);
    sum[0] = sum[0] == '0' ? '1' : '0';
    assert_int_equal(unpack_with("--sha256", sum, &err), JA_E_INVALID);
    assert_non_null(strstr(err.what, "its SHA-256 is"));
    assert_null(text_of("file"));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(ja_sha256_fd(fd, sum), 0);
    assert_int_equal(unpack_with("--sha256", sum, &err), 0);
}

static void a_manifest_names_the_one_that_is_meant(void **unused)
{
    (void)unused;
    const struct member members[] = {{.name = "file", .text = "x"}};
    char sum[JA_SHA256_TEXT], manifest[300];
    ja_autofree char *right = NULL, *wrong = NULL;
    struct ja_error err;
    write_archive(NULL, members, 1);
    ja_autoclose int fd = open(file, O_RDONLY);
    assert_int_equal(ja_sha256_fd(fd, sum), 0);
    snprintf(manifest, sizeof manifest, "%s.manifest", file);
    right = ja_printf("base.txz\t%s\t1\tbase\t\"Base\"\ton\n", sum);
    sum[0] = sum[0] == '0' ? '1' : '0';
    wrong = ja_printf("base.txz\t%s\t1\tbase\t\"Base\"\ton\n", sum);
    assert_true(right && wrong);
    assert_true(unpack_with("--manifest", manifest, &err) < 0); /* there is none */
    assert_int_equal(ja_file_write(manifest, wrong, strlen(wrong), 0600, false, &err), 0);
    assert_int_equal(unpack_with("--manifest", manifest, &err), JA_E_INVALID);
    assert_int_equal(ja_file_write(manifest, "kernel.txz\n", 11, 0600, false, &err), 0);
    assert_int_equal(unpack_with("--manifest", manifest, &err), JA_E_INVALID);
    assert_null(text_of("file"));
    assert_int_equal(ja_file_write(manifest, right, strlen(right), 0600, false, &err), 0);
    assert_int_equal(unpack_with("--manifest", manifest, &err), 0);
    assert_non_null(text_of("file"));
    unlink(manifest);
}

/* ---- good ---- */

static void a_system_comes_out_as_it_was(void **unused)
{
    (void)unused;
    TAKEN({.name = "./", .type = AE_IFDIR, .mode = 0711}, {.name = "./usr/bin/", .type = AE_IFDIR, .mode = 0755},
          {.name = "./bin", .type = AE_IFLNK, .link = "usr/bin"},
          {.name = "./usr/bin/su", .text = "program", .mode = 04755, .uid = 7, .attribute = "user.note"},
          {.name = "./bin/also", .text = "through the link"}, {.name = "./bin/", .type = AE_IFDIR, .mode = 0755},
          {.name = "./usr/bin/su2", .hard = "./usr/bin/su"},
          {.name = "./r\xc3\xa9sum\xc3\xa9", .text = "name in UTF-8"},
          {.name = "./run/fifo", .type = AE_IFIFO, .mode = 0600}, {.name = "./closed", .type = AE_IFDIR, .mode = 0555},
          {.name = "./closed/file", .text = "in a directory that nobody may write"});
    char value[16];
    ja_autofree char *path = ja_printf("%s/usr/bin/su", tree);
    struct stat su = stat_of("usr/bin/su");
    assert_int_equal(stat_of(".").st_mode & 07777, 0711);
    assert_int_equal(su.st_mode & 07777, 04755);
    assert_int_equal(su.st_uid, 7);
    assert_int_equal(su.st_mtime, 1000000000);
    assert_int_equal(su.st_nlink, 2);
    assert_int_equal(su.st_ino, stat_of("usr/bin/su2").st_ino);
    assert_int_equal(getxattr(path, "user.note", value, sizeof value), 5);
    assert_true(S_ISLNK(stat_of("bin").st_mode));
    assert_string_equal(text_of("usr/bin/also"), "through the link");
    assert_string_equal(text_of("r\xc3\xa9sum\xc3\xa9"), "name in UTF-8");
    assert_true(S_ISFIFO(stat_of("run/fifo").st_mode));
    assert_non_null(text_of("closed/file"));
    assert_int_equal(stat_of("closed").st_mode & 07777, 0555);
    assert_int_equal(stat_of("closed").st_mtime, 1000000000);
}

static void wrong_arguments_are_told(void **state)
{
    (void)state;
    struct ja_error err;
    assert_int_equal(unpack_with("--unknown", "1", &err), JA_E_USAGE);
    assert_int_equal(unpack_with("--sha256", "1", &err), JA_E_USAGE);
    assert_non_null(strstr(err.hint, "usage: jailadmin host template-tar [--sha256 SUM"));
}

static void every_compression_is_read(void **unused)
{
    (void)unused;
    static int (*const filters[])(struct archive *) = {NULL,
                                                       archive_write_add_filter_gzip,
                                                       archive_write_add_filter_bzip2,
                                                       archive_write_add_filter_xz,
                                                       archive_write_add_filter_lzma,
                                                       archive_write_add_filter_zstd,
                                                       archive_write_add_filter_lz4};
    for (size_t i = 0; i < JA_COUNT(filters); i++) {
        char text[16];
        struct ja_error err;
        snprintf(text, sizeof text, "%zu", i);
        const struct member members[] = {{.name = "file", .text = text}};
        write_archive(filters[i], members, 1);
        if (unpack_with(NULL, NULL, &err) < 0)
            fail_msg("filter %zu: %s", i, err.what);
        assert_string_equal(text_of("file"), text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    ja_unpack_here = ja_unpack_tar;
    if (geteuid() != 0) {
        printf("skipped: needs root\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        TEST(names_with_dots_are_refused),
        TEST(absolute_names_are_names_in_the_tree),
        TEST(nothing_is_written_through_links_that_lead_out),
        TEST(a_link_at_the_end_is_replaced),
        TEST(hard_links_lead_to_files_of_the_tree_only),
        TEST(device_nodes_are_left_out),
        TEST(too_many_members_are_refused),
        TEST(long_names_are_refused),
        TEST(attributes_of_the_system_are_not_taken),
        TEST(what_is_no_archive_is_refused),
        TEST(an_archive_that_ends_early_is_refused),
        TEST(nothing_of_another_archive_than_the_one_meant_is_unpacked),
        TEST(a_manifest_names_the_one_that_is_meant),
        TEST(a_system_comes_out_as_it_was),
        TEST(every_compression_is_read),
        TEST(wrong_arguments_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
