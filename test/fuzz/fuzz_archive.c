/*
 * fuzz_archive.c: what strangers made: archives of trees, the stream of a copy, a jail's files of users. Nothing of it leads out of the
 * tree that it belongs to.
 */
#include "fuzz.h"

#include "base/file.h"
#include "run/copy.h"
#include "run/unpack.h"
#include "run/users.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A tree, and beside it what nobody may touch. */
struct place {
    const char *dir;
    char tree[256], outside[256], input[256];
};

static bool make_place(struct place *place)
{
    place->dir = fuzz_directory();
    if (!place->dir)
        return false;
    snprintf(place->tree, sizeof place->tree, "%s/tree", place->dir);
    snprintf(place->outside, sizeof place->outside, "%s/outside", place->dir);
    snprintf(place->input, sizeof place->input, "%s/input", place->dir);
    must(mkdir(place->tree, 0755) == 0 && mkdir(place->outside, 0700) == 0);
    return true;
}

static void put_input(const struct place *place, const char *bytes, size_t length)
{
    must(ja_file_write(place->input, bytes, length, 0600, false, NULL) == 0);
}

static size_t names_in(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;
    must(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void check_place(const struct place *place, size_t files)
{
    struct stat st;
    must(names_in(place->dir) == files && names_in(place->outside) == 0);
    must(lstat(place->outside, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0700);
    must(lstat(place->tree, &st) == 0 && S_ISDIR(st.st_mode));
}

static void tar(char *text, size_t length)
{
    struct place place;
    struct ja_error err = JA_ERROR_INIT;
    ja_autostr struct ja_str output = {0};
    struct ja_hostverb_io io = {.input = "", .output = &output};
    if (!make_place(&place))
        return;
    put_input(&place, text, length);
    char *const argv[] = {(char *)"template-tar", (char *)"--members", (char *)"200", place.input, place.tree, NULL};
    fuzz_accepted(ja_unpack_tar(5, argv, &io, &err), &err);
    check_place(&place, 3);
}

static void skipped(JA_UNUSED void *context, const char *path, const char *why)
{
    must(path && why);
}

/* The stream of a copy, into a tree in which there are hostile links already. */
static void copy(char *text, size_t length)
{
    struct place place;
    struct ja_error err = JA_ERROR_INIT;
    if (!length || !make_place(&place))
        return;
    char link[300];
    snprintf(link, sizeof link, "%s/out", place.tree);
    must(symlink("../outside", link) == 0);
    snprintf(link, sizeof link, "%s/abs", place.tree);
    must(symlink(place.outside, link) == 0);
    put_input(&place, text + 1, length - 1);
    struct ja_copy receiver = {.root = text[0] & 1 ? place.tree : NULL,
                               .preserve = text[0] & 2,
                               .drop_privilege = text[0] & 4,
                               .skipped = skipped};
    ja_autoclose int in = open(place.input, O_RDONLY | O_CLOEXEC);
    must(in >= 0);
    fuzz_accepted(ja_copy_receive(&receiver, receiver.root ? "/" : place.tree, in, &err), &err);
    check_place(&place, 3);
}

/* A name, a line end, and a file of users; groups are the same text. */
static void users(char *text, JA_UNUSED size_t length)
{
    struct place place;
    struct ja_error err = JA_ERROR_INIT;
    struct ja_user user;
    char *rest = text, *name = fuzz_line(&rest);
    if (!rest || !make_place(&place))
        return;
    must(ja_beneath_mkdir(place.tree, "etc", 0755, (uid_t)-1, (gid_t)-1, &err) == 0);
    must(ja_beneath_write(place.tree, "etc/passwd", rest, strlen(rest), 0644, (uid_t)-1, (gid_t)-1, &err) == 0);
    must(ja_beneath_write(place.tree, "etc/group", rest, strlen(rest), 0644, (uid_t)-1, (gid_t)-1, &err) == 0);
    fuzz_fill(user);
    if (!fuzz_accepted(ja_user_find(place.tree, name, &user, &err), &err)) {
        must(fuzz_untouched(&user, sizeof user));
        return;
    }
    must(user.uid <= 65535 && user.gid <= 65535 && user.group_count <= JA_GROUPS_MOST);
    must(fuzz_printable(user.name) && fuzz_printable(user.home) && fuzz_printable(user.shell));
    must(user.home[0] == '/' && user.shell[0] == '/');
}

const struct fuzz_parser fuzz_parsers[] = {{"tar", tar}, {"copy", copy}, {"users", users}, {NULL, NULL}};

/* ---- seeds ---- */

static void add(struct archive *archive, const char *name, unsigned type, const char *link, const char *content)
{
    struct archive_entry *entry = archive_entry_new();
    must(entry);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, 04755);
    archive_entry_set_size(entry, (la_int64_t)strlen(content));
    archive_entry_set_mtime(entry, 1700000000, 0);
    if (link && type == AE_IFLNK)
        archive_entry_set_symlink(entry, link);
    else if (link)
        archive_entry_set_hardlink(entry, link);
    archive_entry_xattr_add_entry(entry, "user.a", "b", 1);
    must(archive_write_header(archive, entry) >= ARCHIVE_WARN);
    if (*content)
        must(archive_write_data(archive, content, strlen(content)) >= 0);
    archive_entry_free(entry);
}

static void seed_archive(int format)
{
    static char bytes[1 << 18];
    size_t used;
    struct archive *archive = archive_write_new();
    must(archive && archive_write_set_format(archive, format) == ARCHIVE_OK);
    archive_write_set_bytes_per_block(archive, 512);
    must(archive_write_open_memory(archive, bytes, sizeof bytes, &used) == ARCHIVE_OK);
    add(archive, "./", AE_IFDIR, NULL, "");
    add(archive, "etc/", AE_IFDIR, NULL, "");
    add(archive, "etc/motd", AE_IFREG, NULL, "hello\n");
    add(archive, "bin", AE_IFLNK, "../outside", "");
    add(archive, "bin/sh", AE_IFREG, NULL, "#!");
    add(archive, "etc/issue", AE_IFREG, "etc/motd", "");
    add(archive, "dev/null", AE_IFCHR, NULL, "");
    add(archive, "run/fifo", AE_IFIFO, NULL, "");
    add(archive, "../up", AE_IFREG, NULL, "x");
    must(archive_write_close(archive) == ARCHIVE_OK);
    archive_write_free(archive);
    fuzz_seed_bytes("tar", bytes, used);
}

/* What a sender sends of a small directory. */
static void seed_copy(void)
{
    struct place place;
    char path[300];
    static char bytes[1 << 16];
    if (!make_place(&place))
        return;
    snprintf(path, sizeof path, "%s/a", place.tree);
    must(mkdir(path, 0755) == 0);
    snprintf(path, sizeof path, "%s/a/file", place.tree);
    must(ja_file_write(path, "content", 7, 04755, false, NULL) == 0);
    snprintf(path, sizeof path, "%s/a/link", place.tree);
    must(symlink("../../outside", path) == 0);
    ja_autoclose int out = open(place.input, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(out >= 0);
    struct ja_copy sender = {.root = place.tree};
    must(ja_copy_send(&sender, "/a", out, NULL) == 0);
    ssize_t n = pread(out, bytes + 1, sizeof bytes - 1, 0);
    must(n > 0);
    for (char how = 0; how < 8; how++) {
        bytes[0] = how;
        fuzz_seed_bytes("copy", bytes, (size_t)n + 1);
    }
}

void fuzz_seeds(void)
{
    static const int formats[] = {ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FORMAT_TAR_GNUTAR,
                                  ARCHIVE_FORMAT_TAR_USTAR};
    for (size_t i = 0; i < JA_COUNT(formats); i++)
        seed_archive(formats[i]);
    seed_copy();
    static const char *const names[] = {"root", "65534", "0:0", "www:1"};
    for (size_t i = 0; i < JA_COUNT(names); i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "%s\nroot:x:0:0:root:/root:/bin/sh\nwww:*:80:80::/nonexistent:\nwww:*:80:root,www\n", names[i]);
        fuzz_seed("users", text);
    }
    fuzz_word("../");
    fuzz_word("1cajD");
    fuzz_word("ustar");
    fuzz_word("./PaxHeader");
    fuzz_word("LIBARCHIVE.xattr.user.a=");
    fuzz_word("GNU.sparse.realsize=");
}
