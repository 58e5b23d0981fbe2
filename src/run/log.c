/*
 * log.c: what a jail's init prints, in a file of bounded size, although no process of ours stays to watch it.
 *
 * The init gets a regular file, opened O_APPEND, as its standard output. The kernel has no size limit for one file of another
 * process: RLIMIT_FSIZE would be inherited by the whole jail and limit its files; a pipe or a terminal that nobody reads
 * blocks its writers when it is full, or loses the newest lines; a sealed memory file or a small tmpfs of its own would
 * be a hard bound but vanishes with the init, which is when the log is wanted; COLLAPSE_RANGE does not exist on btrfs.
 *
 * So the bound is kept by us: at each start and whenever a verb calls log-trim, a file that grew above its limit moves its last
 * bytes (at most the limit) to FILE.1 and is emptied in place; writers go on at its new end, since they append. What is
 * printed between those two moments can be lost. Between two trims a jail can write more than the limit: let the file lie
 * in the jail's pool, so that this is no more than it can do in its own tree.
 *
 * The descriptor is in the jail's hands: it may cut the file, write holes or clear O_APPEND. Readers therefore never
 * believe its size: they read at most the limit from its end.
 */
#include "run/log.h"

#include "base/file.h"
#include "base/str.h"
#include "run/hostverbs.h"
#include "run/option.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Copies the last `limit` bytes of fd to PATH.1, and empties fd. */
static int rotate(int fd, off_t size, const char *path, int64_t limit, struct ja_error *err)
{
    ja_autofree char *old = ja_printf("%s.1", path), *bytes = ja_malloc((size_t)limit);
    off_t from = size > limit ? size - limit : 0;
    if (!old || !bytes)
        return ja_error_nomem(err);
    ssize_t length = pread(fd, bytes, (size_t)limit, from);
    if (length < 0)
        return ja_error_sys(err, errno, NULL, "cannot read %s", path);
    int code = ja_file_write(old, bytes, (size_t)length, 0600, false, err);
    if (code < 0)
        return code;
    return ftruncate(fd, 0) < 0 ? ja_error_sys(err, errno, NULL, "cannot empty %s", path) : 0;
}

static int trim(int fd, const char *path, int64_t limit, struct ja_error *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return ja_error_set(err, JA_E_FAILED, NULL, "%s is not a regular file", path);
    /* Blocks too: space beyond the end can be taken with fallocate(2). */
    return info.st_size > limit || (int64_t)info.st_blocks * 512 > limit + 65536
               ? rotate(fd, info.st_size, path, limit, err)
               : 0;
}

int ja_log_open(const char *path, int64_t limit, struct ja_error *err)
{
    ja_autoclose int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot open the log %s", path);
    if (fchmod(fd, 0600) < 0)
        return ja_error_sys(err, errno, NULL, "cannot protect the log %s", path);
    int code = trim(fd, path, limit, err);
    if (code < 0)
        return code;
    /* The jail gets a descriptor that cannot read what earlier runs wrote. */
    int write_fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    return write_fd < 0 ? ja_error_sys(err, errno, NULL, "cannot open the log %s", path) : write_fd;
}

int ja_verb_log_trim(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    const char *limit_text = NULL;
    int64_t limit = 0;
    int first;
    const struct ja_opt options[] = {{.name = "--limit", .value = &limit_text}, {0}};
    int code = ja_opt_read(argc, argv, options, &first, err);
    if (code == 0 && (first >= argc || !limit_text))
        code = ja_opt_usage(argv[0], err);
    if (code == 0)
        code = ja_opt_number("--limit", limit_text, 4096, INT64_MAX / 2, &limit, err);
    for (; code == 0 && first < argc; first++) {
        ja_autoclose int fd = open(argv[first], O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno != ENOENT)
            return ja_error_sys(err, errno, NULL, "cannot open the log %s", argv[first]);
        if (fd >= 0)
            code = trim(fd, argv[first], limit, err);
    }
    return code;
}
