/*
 * tar.c: `jailadmin host template-tar [--sha256 SUM | --manifest FILE] [--members N] ARCHIVE TREE`: unpacks an archive into the empty
 * tree of a template. The archive is hostile; libarchive only reads it, and every file is made here.
 *
 * A member's name never leads out of the tree: ".." is refused, a "/" at its beginning means nothing, and the directory that
 * it goes to is looked up beneath the tree's root, so that links from earlier members mean what they would mean inside a jail.
 * The last component is never followed: what has the name already is replaced. The target of a hard link is looked up in the
 * same way and is a file or a link of the tree. Device nodes are left out, since jails have a /dev of their own.
 */
#include "base/file.h"
#include "base/sha256.h"
#include "base/str.h"
#include "run/hostverb.h"
#include "run/option.h"
#include "run/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif
#ifdef __FreeBSD__
#include <sys/types.h>
#include <sys/extattr.h>
#endif

/* A system has some hundred thousand files; a small archive can hold a name millions of times. */
#define MEMBERS_MOST "4000000"

enum { READ_BLOCK = 1 << 16, XATTR_MOST = 1 << 16, MANIFEST_MOST = 1 << 16 };

/* A directory whose time is set at the end, after all that is written into it. */
struct dir_time {
    char *path;
    struct timespec mtime;
};

struct unpack {
    struct archive *archive;
    const char *tree;
    int dir_fd; /* the directory of the last member, -1: none */
    char *dir;  /* its path in the tree */
    struct dir_time *times;
    size_t time_count, time_size;
    int64_t members, members_most;
};

/* A member's name as a path in the tree. */
struct place {
    char *path;       /* owned: "usr/bin/id", "" for the tree itself */
    const char *name; /* its last component */
    int dir_fd;       /* the directory that it goes to; the unpack's */
};

static void unpack_fini(struct unpack *unpack)
{
    if (unpack->archive)
        archive_read_free(unpack->archive);
    ja_cleanup_close(&unpack->dir_fd);
    ja_free(unpack->dir);
    for (size_t i = 0; i < unpack->time_count; i++)
        ja_free(unpack->times[i].path);
    ja_free(unpack->times);
}

static int archive_error(struct unpack *unpack, struct ja_error *err)
{
    const char *text = archive_error_string(unpack->archive);
    return ja_error_set(err, JA_E_INVALID, NULL, "the archive cannot be read: %s", JA_SHOW(text ? text : "damaged"));
}

static int refuse(const char *name, struct ja_error *err, const char *why)
{
    return ja_error_set(err, JA_E_INVALID, NULL, "the archive's member %s %s", JA_SHOW(name), why);
}

static int member_error(const char *name, int sys, struct ja_error *err)
{
    return ja_error_sys(err, sys, NULL, "cannot unpack the member %s", JA_SHOW(name));
}

/* ---- names ---- */

/* The plain form of a name: no slash at the ends, no "." or empty component. NULL when it has a ".." or is too long, with the
 * error set. */
static char *plain_name(const char *name, struct ja_error *err)
{
    ja_autostr struct ja_str plain = {0};
    for (const char *at = name; *at;) {
        at += strspn(at, "/");
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.') {
            refuse(name, err, "has \"..\" in its name");
            return NULL;
        }
        if (length > 0 && !(length == 1 && at[0] == '.')) {
            ja_str_add(&plain, plain.length ? "/" : "");
            ja_str_addn(&plain, at, length);
        }
        at += length;
    }
    if (plain.length >= PATH_MAX) {
        refuse(name, err, "has too long a name");
        return NULL;
    }
    char *text = ja_str_take(&plain);
    if (!text)
        ja_error_nomem(err);
    return text;
}

/* Opens a directory of the tree, made if it is missing: an archive need not name all of them. */
static int open_dir(const struct unpack *unpack, const char *path, struct ja_error *err)
{
    int fd = ja_beneath_open(unpack->tree, path, O_RDONLY | O_DIRECTORY, 0, err);
    if (fd != JA_E_NOTFOUND)
        return fd;
    ja_error_clear(err);
    int rc = ja_beneath_mkdir(unpack->tree, path, 0755, 0, 0, err);
    return rc < 0 ? rc : ja_beneath_open(unpack->tree, path, O_RDONLY | O_DIRECTORY, 0, err);
}

static void forget_dir(struct unpack *unpack)
{
    ja_cleanup_close(&unpack->dir_fd);
    unpack->dir_fd = -1;
}

/* Splits a plain name and opens its directory, which most often is that of the member before it. */
static int find_place(struct unpack *unpack, char *path, struct place *ret_place, struct ja_error *err)
{
    const char *slash = strrchr(path, '/');
    ja_autofree char *dir = slash ? ja_strndup(path, (size_t)(slash - path)) : ja_strdup("");
    if (!dir)
        return ja_error_nomem(err);
    if (unpack->dir_fd < 0 || strcmp(unpack->dir, dir) != 0) {
        forget_dir(unpack);
        int fd = open_dir(unpack, dir, err);
        if (fd < 0) {
            ja_error_wrap(err, "the archive's member %s", JA_SHOW(path));
            return fd;
        }
        unpack->dir_fd = fd;
        ja_free(unpack->dir);
        unpack->dir = dir;
        dir = NULL;
    }
    *ret_place = (struct place){.path = path, .name = slash ? slash + 1 : path, .dir_fd = unpack->dir_fd};
    return 0;
}

/* Removes what has the name already: a file, a link, an empty directory. 0, or -1 with errno. */
static int clear_name(struct unpack *unpack, const struct place *place)
{
    if (unlinkat(place->dir_fd, place->name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    if (unlinkat(place->dir_fd, place->name, AT_REMOVEDIR) < 0)
        return -1;
    forget_dir(unpack);
    errno = EAGAIN; /* the place is to be found again */
    return -1;
}

/* ---- owner, mode, times, attributes ---- */

static bool is_kept_attribute(const char *name)
{
    return ja_str_starts(name, "user.") || strcmp(name, "security.capability") == 0;
}

static int set_attribute(int fd, const char *name, const void *value, size_t size)
{
#if defined(__linux__)
    return fsetxattr(fd, name, value, size, 0);
#elif defined(__FreeBSD__)
    if (!ja_str_starts(name, "user."))
        return 0;
    return extattr_set_fd(fd, EXTATTR_NAMESPACE_USER, name + strlen("user."), value, size) < 0 ? -1 : 0;
#else
    (void)fd, (void)name, (void)value, (void)size;
    return 0;
#endif
}

static int set_attributes(struct archive_entry *entry, int fd)
{
    const char *name;
    const void *value;
    size_t size;
    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
        if (name && size <= XATTR_MOST && is_kept_attribute(name) && set_attribute(fd, name, value, size) < 0 &&
            errno != ENOTSUP)
            return -1;
    return 0;
}

static void times_of(struct archive_entry *entry, struct timespec times[2])
{
    times[0] = (struct timespec){.tv_nsec = UTIME_NOW};
    times[1] = times[0];
    if (archive_entry_mtime_is_set(entry))
        times[1] = (struct timespec){archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
}

static int owner_of(struct archive_entry *entry, uid_t *ret_uid, gid_t *ret_gid)
{
    int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
    if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX) {
        errno = EINVAL;
        return -1;
    }
    *ret_uid = (uid_t)uid;
    *ret_gid = (gid_t)gid;
    return 0;
}

/* Of a file or directory that is open. The owner comes first: changing it clears set-uid bits and capabilities. */
static int set_meta(struct archive_entry *entry, int fd)
{
    uid_t uid;
    gid_t gid;
    if (owner_of(entry, &uid, &gid) < 0 || fchown(fd, uid, gid) < 0 ||
        fchmod(fd, archive_entry_perm(entry) & 07777) < 0)
        return -1;
    return set_attributes(entry, fd);
}

/* Of what is not opened: a link, a FIFO. */
static int set_meta_at(struct archive_entry *entry, const struct place *place)
{
    uid_t uid;
    gid_t gid;
    struct timespec times[2];
    times_of(entry, times);
    if (owner_of(entry, &uid, &gid) < 0 || fchownat(place->dir_fd, place->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    return utimensat(place->dir_fd, place->name, times, AT_SYMLINK_NOFOLLOW);
}

static int note_time(struct unpack *unpack, struct archive_entry *entry, const char *path)
{
    struct timespec times[2];
    if (!archive_entry_mtime_is_set(entry))
        return 0;
    if (unpack->time_count == unpack->time_size) {
        size_t size = unpack->time_size ? 2 * unpack->time_size : 256;
        struct dir_time *more = ja_realloc(unpack->times, size * sizeof *more);
        if (!more)
            return -1;
        unpack->times = more;
        unpack->time_size = size;
    }
    char *copy = ja_strdup(path);
    if (!copy)
        return -1;
    times_of(entry, times);
    unpack->times[unpack->time_count++] = (struct dir_time){copy, times[1]};
    return 0;
}

/* A directory that is gone by now has no time. */
static void set_times(struct unpack *unpack)
{
    for (size_t i = unpack->time_count; i-- > 0;) {
        const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, unpack->times[i].mtime};
        ja_autoclose int fd = ja_beneath_open(unpack->tree, unpack->times[i].path, O_RDONLY | O_DIRECTORY, 0, NULL);
        if (fd >= 0)
            futimens(fd, times);
    }
}

/* ---- members ---- */

/* The data of a file, with its holes. 0, -1 with errno, or -2 when the archive cannot be read. */
static int write_data(struct unpack *unpack, int fd)
{
    const void *bytes;
    size_t count;
    la_int64_t offset;
    for (;;) {
        int r = archive_read_data_block(unpack->archive, &bytes, &count, &offset);
        if (r == ARCHIVE_EOF)
            return 0;
        if (r < ARCHIVE_WARN)
            return -2;
        for (size_t done = 0; done < count;) {
            ssize_t n = pwrite(fd, (const char *)bytes + done, count - done, (off_t)offset + (off_t)done);
            if (n < 0 && errno != EINTR)
                return -1;
            done += n > 0 ? (size_t)n : 0;
        }
    }
}

static int make_file(struct unpack *unpack, struct archive_entry *entry, const struct place *place)
{
    struct timespec times[2];
    int64_t size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
    ja_autoclose int fd =
        openat(place->dir_fd, place->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int r = write_data(unpack, fd);
    if (r < 0)
        return r;
    struct stat st;
    if (fstat(fd, &st) < 0 || (st.st_size < size && ftruncate(fd, (off_t)size) < 0) || set_meta(entry, fd) < 0)
        return -1;
    times_of(entry, times);
    return futimens(fd, times);
}

/* True when the name is a link that leads to a directory of the tree: then it stands for the directory, as tar(1) has it for
 * /bin of systems where that is a link to usr/bin. */
static bool is_link_to_dir(const struct unpack *unpack, const struct place *place)
{
    ja_autoclose int fd = ja_beneath_open(unpack->tree, place->path, O_RDONLY | O_DIRECTORY, 0, NULL);
    return fd >= 0;
}

static int make_dir(struct unpack *unpack, struct archive_entry *entry, const struct place *place)
{
    struct stat st;
    if (mkdirat(place->dir_fd, place->name, 0700) < 0) {
        if (errno != EEXIST || fstatat(place->dir_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return -1;
        if (S_ISLNK(st.st_mode) && is_link_to_dir(unpack, place))
            return 0;
        if (!S_ISDIR(st.st_mode) &&
            (unlinkat(place->dir_fd, place->name, 0) < 0 || mkdirat(place->dir_fd, place->name, 0700) < 0))
            return -1;
    }
    ja_autoclose int fd = openat(place->dir_fd, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || set_meta(entry, fd) < 0)
        return -1;
    return note_time(unpack, entry, place->path);
}

/* The root of the tree itself, as "./". */
static int set_root(struct unpack *unpack, struct archive_entry *entry)
{
    ja_autoclose int fd = open(unpack->tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || set_meta(entry, fd) < 0)
        return -1;
    return note_time(unpack, entry, "/");
}

/* A further name of a file that is there. `target` is a plain name. */
static int make_hard_link(struct unpack *unpack, const char *target, const struct place *place, struct ja_error *err)
{
    struct stat st;
    const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;
    ja_autofree char *dir = slash ? ja_strndup(target, (size_t)(slash - target)) : ja_strdup("");
    if (!dir)
        return ja_error_nomem(err);
    ja_autoclose int fd = ja_beneath_open(unpack->tree, dir, O_RDONLY | O_DIRECTORY, 0, NULL);
    if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
        return refuse(place->path, err, "is a hard link to a file that is not in the archive before it");
    return linkat(fd, name, place->dir_fd, place->name, 0) < 0 ? member_error(place->path, errno, err) : 0;
}

static int make_other(struct archive_entry *entry, const struct place *place, unsigned type)
{
    if (type == AE_IFLNK) {
        const char *target = archive_entry_symlink(entry);
        if (!target)
            target = archive_entry_symlink_utf8(entry);
        if (!target || symlinkat(target, place->dir_fd, place->name) < 0)
            return target ? -1 : -2;
        return set_meta_at(entry, place);
    }
    mode_t mode = archive_entry_perm(entry) & 0777;
    if (mkfifoat(place->dir_fd, place->name, mode) < 0 || fchmodat(place->dir_fd, place->name, mode, 0) < 0)
        return -1;
    return set_meta_at(entry, place);
}

/* One member, no hard link, at its place. */
static int make_member(struct unpack *unpack, struct archive_entry *entry, const struct place *place,
                       struct ja_error *err)
{
    unsigned type = archive_entry_filetype(entry);
    int r;
    if (type == AE_IFDIR)
        r = make_dir(unpack, entry, place);
    else if (type == AE_IFREG)
        r = make_file(unpack, entry, place);
    else if (type == AE_IFLNK || type == AE_IFIFO)
        r = make_other(entry, place, type);
    else
        return refuse(place->path, err, "is of no kind that a tree can hold");
    if (r == -2)
        return archive_error(unpack, err);
    return r < 0 ? member_error(place->path, errno, err) : 0;
}

/* The plain name of what a member is a hard link to. 1, 0: it is none, or a negative code. */
static int hard_link_of(struct archive_entry *entry, char **ret_target, struct ja_error *err)
{
    const char *link = archive_entry_hardlink(entry);
    if (!link)
        link = archive_entry_hardlink_utf8(entry);
    if (!link)
        return 0;
    *ret_target = plain_name(link, err);
    return *ret_target ? 1 : err && err->code ? err->code : JA_E_INVALID;
}

/* A member with a name in the tree. */
static int place_member(struct unpack *unpack, struct archive_entry *entry, char *path, struct ja_error *err)
{
    ja_autofree char *target = NULL;
    struct place place;
    int linked = hard_link_of(entry, &target, err);
    int rc = linked < 0 ? linked : find_place(unpack, path, &place, err);
    if (rc < 0 || (target && strcmp(target, path) == 0))
        return rc;
    if ((target || archive_entry_filetype(entry) != AE_IFDIR) && clear_name(unpack, &place) < 0) {
        if (errno != EAGAIN)
            return member_error(path, errno, err);
        rc = find_place(unpack, path, &place, err);
    }
    if (rc < 0)
        return rc;
    return target ? make_hard_link(unpack, target, &place, err) : make_member(unpack, entry, &place, err);
}

static int unpack_member(struct unpack *unpack, struct archive_entry *entry, struct ja_error *err)
{
    const char *name = archive_entry_pathname(entry);
    unsigned type = archive_entry_filetype(entry);
    if (!name)
        name = archive_entry_pathname_utf8(entry);
    if (!name)
        return ja_error_set(err, JA_E_INVALID, NULL, "a member of the archive has a name that cannot be read");
    ja_autofree char *path = plain_name(name, err);
    if (!path)
        return err && err->code ? err->code : JA_E_INVALID;
    if (type == AE_IFCHR || type == AE_IFBLK || type == AE_IFSOCK)
        return 0;
    if (!*path && type == AE_IFDIR)
        return set_root(unpack, entry) < 0 ? member_error(name, errno, err) : 0;
    if (!*path)
        return refuse(name, err, "has no name");
    return place_member(unpack, entry, path, err);
}

/* ---- the archive ---- */

static int open_archive(struct unpack *unpack, int fd, struct ja_error *err)
{
    struct archive *archive = archive_read_new();
    if (!archive)
        return ja_error_nomem(err);
    unpack->archive = archive;
    archive_read_support_format_tar(archive);
    /* Those that a library does in this process; none that starts a program. */
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_lzma(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_filter_lz4(archive);
    archive_read_support_filter_compress(archive);
    if (archive_read_open_fd(archive, fd, READ_BLOCK) != ARCHIVE_OK)
        return archive_error(unpack, err);
    return 0;
}

static int unpack_all(struct unpack *unpack, struct ja_error *err)
{
    int rc = 0;
    while (rc == 0) {
        struct archive_entry *entry;
        int r = archive_read_next_header(unpack->archive, &entry);
        if (r == ARCHIVE_EOF)
            break;
        if (r == ARCHIVE_RETRY)
            continue;
        if (r < ARCHIVE_WARN)
            return archive_error(unpack, err);
        if (++unpack->members > unpack->members_most)
            return ja_error_set(err, JA_E_LIMIT, NULL, "the archive has more than %lld members",
                                (long long)unpack->members_most);
        rc = unpack_member(unpack, entry, err);
    }
    if (rc == 0 && unpack->members == 0)
        return ja_error_set(err, JA_E_INVALID, NULL, "the archive is empty");
    if (rc == 0)
        set_times(unpack);
    return rc;
}

/* Nothing of an archive with another checksum is looked at. */
static int check_sum(int fd, const char *path, const char *wanted, struct ja_error *err)
{
    char sum[JA_SHA256_TEXT];
    if (ja_sha256_fd(fd, sum) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return ja_file_error(err, errno, path, "read");
    if (strcmp(sum, wanted) == 0)
        return 0;
    return ja_error_set(err, JA_E_INVALID, path, "its SHA-256 is %s, not %s", sum, wanted);
}

/* The checksum of base.txz in a MANIFEST of a release. */
static int read_manifest(const char *path, char sum[JA_SHA256_TEXT], struct ja_error *err)
{
    ja_autofree char *text = NULL;
    int rc = ja_file_read(path, MANIFEST_MOST, &text, NULL, err);
    if (rc == 0 && !ja_sha256_in_manifest(text, "base.txz", sum))
        rc = ja_error_set(err, JA_E_INVALID, path, "it names no checksum of base.txz");
    return rc;
}

int ja_unpack_tar(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    const char *sum = NULL, *manifest = NULL, *most = MEMBERS_MOST;
    char named[JA_SHA256_TEXT];
    const struct ja_opt options[] = {{.name = "--sha256", .value = &sum},
                                     {.name = "--manifest", .value = &manifest},
                                     {.name = "--members", .value = &most},
                                     {.name = NULL}};
    struct unpack unpack = {.dir_fd = -1};
    int first;
    if (ja_opt_read(argc, argv, options, &first, err) < 0 ||
        ja_opt_number("--members", most, 1, INT64_MAX / 2, &unpack.members_most, err) < 0)
        return JA_E_USAGE;
    if (argc - first != 2 || argv[first][0] != '/' || argv[first + 1][0] != '/' || (sum && !ja_sha256_valid(sum)))
        return ja_opt_usage(argv[0], err);
    int rc = manifest ? read_manifest(manifest, named, err) : 0;
    if (rc < 0)
        return rc;
    sum = sum ? sum : manifest ? named : NULL;
    unpack.tree = argv[first + 1];
    ja_autoclose int fd = open(argv[first], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0)
        return ja_file_error(err, errno, argv[first], "open");
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return ja_error_set(err, JA_E_INVALID, argv[first], "it is not a file");
    umask(0);
    rc = sum ? check_sum(fd, argv[first], sum, err) : 0;
    if (rc == 0)
        rc = open_archive(&unpack, fd, err);
    if (rc == 0)
        rc = unpack_all(&unpack, err);
    unpack_fini(&unpack);
    return rc;
}
