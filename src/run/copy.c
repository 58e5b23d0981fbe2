/*
 * copy.c: both ends of a copy. See copy.h.
 */
#include "run/copy.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
#endif
#ifdef __FreeBSD__
#include <sys/param.h>
#include <sys/mount.h>
#endif

#define MAGIC 0x6a616331u
#define BLOCK (256 * 1024)
#define NAME_MOST 255
#define TEXT_MOST 4096
/* A descriptor each. */
#define DEPTH_MOST 256
/* Files without a size of their own (of /proc and its like) are read to their end, but not for ever. */
#define SIZELESS_MOST (64 << 20)

enum kind {
    DIRECTORY = 'D',
    LEAVE = 'U',
    FILE_BEGIN = 'F',
    DATA = 'B',
    FILE_END = 'E',
    LINK = 'L',
    SKIPPED = 'S',
    END = 'Z'
};

struct record {
    uint32_t magic, kind;
    uint32_t mode, uid, gid;
    uint32_t name_length, text_length; /* follow the record; of DATA: bytes */
    int64_t size;                      /* DATA: where it belongs; FILE_END: how long the file is */
    int64_t seconds, nanoseconds;      /* modification */
};

static bool interrupted(const struct ja_copy *copy)
{
    return copy->interrupted && *copy->interrupted;
}

/* ---- sending ---- */

struct sender {
    const struct ja_copy *copy;
    int out;
    char *block;
    char path[TEXT_MOST]; /* of what is sent, below the top, for what is left out */
    struct ja_error *err;
};

static int put(struct sender *sender, const void *bytes, size_t length)
{
    if (interrupted(sender->copy))
        return ja_error_set(sender->err, JA_E_INTERRUPTED, NULL, "interrupted");
    if (ja_fd_write(sender->out, bytes, length) == 0)
        return 0;
    return ja_error_sys(sender->err, errno, NULL, "cannot pass the copy on");
}

static int put_record(struct sender *sender, enum kind kind, const struct stat *st, const char *name, const char *text,
                      int64_t size)
{
    struct record record = {.magic = MAGIC,
                            .kind = kind,
                            .name_length = name ? (uint32_t)strlen(name) : 0,
                            .text_length = text ? (uint32_t)strlen(text) : 0,
                            .size = size};
    if (st) {
        int64_t uid = (int64_t)st->st_uid - sender->copy->id_shift, gid = (int64_t)st->st_gid - sender->copy->id_shift;
        record.mode = st->st_mode & 07777;
        record.uid = uid < 0 ? 0 : (uint32_t)uid;
        record.gid = gid < 0 ? 0 : (uint32_t)gid;
        record.seconds = st->st_mtim.tv_sec;
        record.nanoseconds = st->st_mtim.tv_nsec;
    }
    int rc = put(sender, &record, sizeof record);
    if (rc == 0 && record.name_length)
        rc = put(sender, name, record.name_length);
    if (rc == 0 && record.text_length)
        rc = put(sender, text, record.text_length);
    return rc;
}

static int put_data(struct sender *sender, int64_t offset, size_t length)
{
    struct record record = {.magic = MAGIC, .kind = DATA, .text_length = (uint32_t)length, .size = offset};
    int rc = put(sender, &record, sizeof record);
    return rc < 0 ? rc : put(sender, sender->block, length);
}

static int put_skipped(struct sender *sender, const char *why)
{
    return put_record(sender, SKIPPED, NULL, why, sender->path, 0);
}

/* Sends up to `end`, or to the end of the file. *ret_offset is where it came to. */
static int send_range(struct sender *sender, int fd, int64_t offset, int64_t end, int64_t *ret_offset)
{
    while (offset < end) {
        size_t wanted = end - offset < BLOCK ? (size_t)(end - offset) : BLOCK;
        ssize_t n = read(fd, sender->block, wanted);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ja_error_sys(sender->err, errno, NULL, "cannot read %s", JA_SHOW(sender->path));
        if (n == 0)
            break;
        int rc = put_data(sender, offset, (size_t)n);
        if (rc < 0)
            return rc;
        offset += n;
    }
    *ret_offset = offset;
    return 0;
}

/* A file as long as it was when it was opened: one that grows as fast as it is read has an end too. Holes stay holes where
 * the file system tells of them. */
static int send_content(struct sender *sender, int fd, const struct stat *st)
{
    int64_t offset = 0, size = st->st_size > 0 ? st->st_size : SIZELESS_MOST;
    int rc = 0;
    while (rc == 0 && offset < size) {
        int64_t end = size;
#ifdef SEEK_DATA
        off_t data = st->st_size > 0 ? lseek(fd, offset, SEEK_DATA) : -1;
        if (data < 0 && st->st_size > 0 && errno == ENXIO) {
            offset = size;
            break;
        }
        if (data >= 0) {
            off_t hole = lseek(fd, data, SEEK_HOLE);
            end = hole > data && hole < size ? hole : size;
            offset = data;
            if (lseek(fd, data, SEEK_SET) < 0)
                return ja_error_sys(sender->err, errno, NULL, "cannot read %s", JA_SHOW(sender->path));
        }
#endif
        int64_t reached = offset;
        rc = send_range(sender, fd, offset, end, &reached);
        if (rc == 0 && reached < end) {
            offset = reached; /* it is shorter than it said */
            break;
        }
        offset = reached;
    }
    return rc < 0 ? rc : put_record(sender, FILE_END, st, NULL, NULL, offset);
}

static int send_file(struct sender *sender, int fd, const struct stat *st, const char *name)
{
    int rc = put_record(sender, FILE_BEGIN, st, name, NULL, 0);
    return rc < 0 ? rc : send_content(sender, fd, st);
}

/* What the kernel makes up: copies of it are of no use, and some of it has no end. */
static bool is_made_up(int fd)
{
#ifdef __linux__
    static const long types[] = {PROC_SUPER_MAGIC,   SYSFS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                                 DEVPTS_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,      SECURITYFS_MAGIC};
    struct statfs fs;
    for (size_t i = 0; fstatfs(fd, &fs) == 0 && i < JA_COUNT(types); i++)
        if ((long)fs.f_type == types[i])
            return true;
#elif defined(__FreeBSD__)
    static const char *const types[] = {"devfs", "fdescfs", "procfs", "linprocfs", "linsysfs", "mqueuefs"};
    struct statfs fs;
    for (size_t i = 0; fstatfs(fd, &fs) == 0 && i < JA_COUNT(types); i++)
        if (strcmp(fs.f_fstypename, types[i]) == 0)
            return true;
#else
    (void)fd;
#endif
    return false;
}

static int send_directory(struct sender *sender, int fd, const struct stat *st, const char *name, int depth);

static int send_entry(struct sender *sender, int dir, const char *name, int depth)
{
    struct stat st;
    char target[TEXT_MOST];
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : ja_error_sys(sender->err, errno, NULL, "cannot look at %s", JA_SHOW(sender->path));
    if (S_ISLNK(st.st_mode)) {
        ssize_t length = readlinkat(dir, name, target, sizeof target - 1);
        if (length < 0)
            return errno == ENOENT || errno == EINVAL ? 0
                                                      : ja_error_sys(sender->err, errno, NULL, "cannot read a link");
        target[length] = '\0';
        return put_record(sender, LINK, &st, name, target, 0);
    }
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        return put_skipped(sender, "it is no file, directory or link");
    /* It may be something else by now: no link is followed, nothing blocks, and the type is asked again. */
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (S_ISDIR(st.st_mode) ? O_DIRECTORY : 0);
    ja_autoclose int fd = openat(dir, name, flags);
    if (fd < 0)
        return errno == ENOENT ? 0 : put_skipped(sender, strerror(errno));
    if (fstat(fd, &st) < 0)
        return ja_error_sys(sender->err, errno, NULL, "cannot look at %s", JA_SHOW(sender->path));
    if (S_ISDIR(st.st_mode))
        return is_made_up(fd) ? put_skipped(sender, "the kernel makes it up")
                              : send_directory(sender, fd, &st, name, depth);
    return S_ISREG(st.st_mode) ? send_file(sender, fd, &st, name)
                               : put_skipped(sender, "it is no file, directory or link");
}

static int send_entries(struct sender *sender, DIR *dir, int depth)
{
    size_t length = strlen(sender->path);
    int rc = 0;
    for (const struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(sender->path + length, sizeof sender->path - length, "%s%s", length ? "/" : "", entry->d_name);
        rc = send_entry(sender, dirfd(dir), entry->d_name, depth);
        sender->path[length] = '\0';
    }
    return rc;
}

static int send_directory(struct sender *sender, int fd, const struct stat *st, const char *name, int depth)
{
    if (depth >= DEPTH_MOST)
        return ja_error_set(sender->err, JA_E_LIMIT, NULL, "directories are nested deeper than %d: %s", DEPTH_MOST,
                            JA_SHOW(sender->path));
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        ja_cleanup_close(&copy);
        return ja_error_sys(sender->err, errno, NULL, "cannot read %s", JA_SHOW(sender->path));
    }
    int rc = put_record(sender, DIRECTORY, st, name, NULL, 0);
    if (rc == 0)
        rc = send_entries(sender, dir, depth + 1);
    closedir(dir);
    return rc < 0 ? rc : put_record(sender, LEAVE, st, NULL, NULL, 0);
}

/* The last component, which a directory is given as its name; "/" has none. */
static void last_name(const char *path, char name[NAME_MOST + 1])
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    snprintf(name, NAME_MOST + 1, "%.*s", (int)(end - begin), path + begin);
    if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        snprintf(name, NAME_MOST + 1, "root");
}

static int open_path(const struct ja_copy *copy, const char *path, int flags, struct ja_error *err)
{
    if (copy->root)
        return ja_beneath_open(copy->root, path, flags, 0, err);
    int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? fd : ja_file_error(err, errno, path, "open");
}

static int send_stdin(struct sender *sender)
{
    struct stat st = {.st_mode = S_IFREG | 0644};
    int64_t reached = 0;
    int rc = put_record(sender, FILE_BEGIN, &st, "stdin", NULL, 0);
    if (rc == 0)
        rc = send_range(sender, STDIN_FILENO, 0, INT64_MAX, &reached);
    return rc < 0 ? rc : put_record(sender, FILE_END, &st, NULL, NULL, reached);
}

static int send_path(struct sender *sender, const char *path)
{
    char name[NAME_MOST + 1];
    struct stat st;
    ja_autoclose int fd = open_path(sender->copy, path, O_RDONLY, sender->err);
    if (fd < 0)
        return fd;
    last_name(path, name);
    if (fstat(fd, &st) < 0)
        return ja_error_sys(sender->err, errno, NULL, "cannot look at %s", path);
    if (S_ISDIR(st.st_mode))
        return send_directory(sender, fd, &st, name, 0);
    snprintf(sender->path, sizeof sender->path, "%s", name);
    if (S_ISREG(st.st_mode))
        return send_file(sender, fd, &st, name);
    return ja_error_set(sender->err, JA_E_INVALID, path, "it is no file and no directory");
}

int ja_copy_send(const struct ja_copy *copy, const char *path, int out, struct ja_error *err)
{
    ja_autofree char *block = ja_malloc(BLOCK);
    struct sender sender = {.copy = copy, .out = out, .block = block, .err = err};
    if (!block)
        return ja_error_nomem(err);
    int rc = strcmp(path, "-") == 0 && !copy->root ? send_stdin(&sender) : send_path(&sender, path);
    return rc < 0 ? rc : put_record(&sender, END, NULL, NULL, NULL, 0);
}

/* ---- receiving ---- */

struct receiver {
    const struct ja_copy *copy;
    int in;
    char *block;
    int dirs[DEPTH_MOST + 1]; /* the directories that are open, the outermost first */
    bool made[DEPTH_MOST + 1];
    size_t depth;               /* how many; at least one */
    char target[NAME_MOST + 1]; /* the name that the top-level thing gets; "": its own */
    bool to_stdout;
    char name[NAME_MOST + 1], text[TEXT_MOST + 1];
    struct ja_error *err;
};

/* The sender says why it ended; this error only says that it did. */
static int early_end(struct ja_error *err)
{
    ja_error_set(err, JA_E_FAILED, NULL, "the other end of the copy has ended too early");
    if (err)
        err->sys = EPIPE;
    return JA_E_FAILED;
}

static int take(struct receiver *receiver, void *bytes, size_t length)
{
    size_t have = 0;
    while (have < length) {
        if (interrupted(receiver->copy))
            return ja_error_set(receiver->err, JA_E_INTERRUPTED, NULL, "interrupted");
        ssize_t n = read(receiver->in, (char *)bytes + have, length - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return early_end(receiver->err);
        have += (size_t)n;
    }
    return 0;
}

static int hostile(struct receiver *receiver)
{
    return ja_error_set(receiver->err, JA_E_DENIED, NULL, "the other end of the copy does not keep to the rules");
}

static bool is_plain_name(const char *name, size_t length)
{
    return length > 0 && strlen(name) == length && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static int take_record(struct receiver *receiver, struct record *record)
{
    int rc = take(receiver, record, sizeof *record);
    if (rc < 0)
        return rc;
    bool data = record->kind == DATA;
    if (record->magic != MAGIC || record->name_length > NAME_MOST || record->size < 0 ||
        record->text_length > (data ? (uint32_t)BLOCK : (uint32_t)TEXT_MOST))
        return hostile(receiver);
    rc = take(receiver, receiver->name, record->name_length);
    receiver->name[record->name_length] = '\0';
    if (rc == 0)
        rc = take(receiver, data ? receiver->block : receiver->text, record->text_length);
    if (!data)
        receiver->text[record->text_length] = '\0';
    return rc;
}

/* The directory that things are put into now, and the name of the next one. */
static int place(struct receiver *receiver, const struct record *record, int *ret_dir, const char **ret_name)
{
    if (!is_plain_name(receiver->name, record->name_length))
        return hostile(receiver);
    *ret_dir = receiver->dirs[receiver->depth - 1];
    *ret_name = receiver->depth == 1 && receiver->target[0] ? receiver->target : receiver->name;
    return 0;
}

static mode_t mode_of(const struct receiver *receiver, const struct record *record)
{
    mode_t mode = record->mode & (receiver->copy->preserve ? 07777u : 0777u);
    /* A program of a jail that ran as root on the host would be a way out. */
    return receiver->copy->drop_privilege ? mode & (mode_t)~06000u : mode;
}

/* 0 or -1 with errno. */
static int settle(const struct receiver *receiver, int fd, const struct record *record)
{
    const struct ja_copy *copy = receiver->copy;
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW},
                                      {.tv_sec = (time_t)record->seconds, .tv_nsec = (long)record->nanoseconds}};
    int64_t uid = copy->preserve ? record->uid : 0, gid = copy->preserve ? record->gid : 0;
    if ((copy->root || copy->preserve) && fchown(fd, (uid_t)(uid + copy->id_shift), (gid_t)(gid + copy->id_shift)) < 0)
        return -1;
    if (fchmod(fd, mode_of(receiver, record)) < 0)
        return -1;
    return copy->preserve && record->nanoseconds >= 0 && record->nanoseconds < 1000000000 ? futimens(fd, times) : 0;
}

static int fail(struct receiver *receiver, const char *what, const char *name)
{
    int sys = errno;
    ja_error_sys(receiver->err, sys, NULL, "cannot %s %s", what, JA_SHOW(name));
    if (sys == EINVAL && receiver->copy->preserve)
        ja_error_hint(receiver->err, "an owner that the jail does not have cannot be preserved");
    return JA_E_FAILED;
}

static int receive_directory(struct receiver *receiver, const struct record *record)
{
    int dir = -1;
    const char *name = "";
    int rc = place(receiver, record, &dir, &name);
    if (rc < 0)
        return rc;
    if (receiver->to_stdout)
        return ja_error_set(receiver->err, JA_E_INVALID, NULL, "a directory cannot be written to standard output");
    if (receiver->depth > DEPTH_MOST)
        return hostile(receiver);
    bool made = mkdirat(dir, name, 0700) == 0;
    if (!made && errno != EEXIST)
        return fail(receiver, "make the directory", name);
    /* A link that is there is not followed. */
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(receiver, "write into", name);
    receiver->made[receiver->depth] = made;
    receiver->dirs[receiver->depth++] = fd;
    return 0;
}

static int leave_directory(struct receiver *receiver, const struct record *record)
{
    if (receiver->depth < 2)
        return hostile(receiver);
    ja_autoclose int fd = receiver->dirs[--receiver->depth];
    /* One that was there before stays as it was. */
    return receiver->made[receiver->depth] && settle(receiver, fd, record) < 0 ? fail(receiver, "finish", "a directory")
                                                                               : 0;
}

/* 0 or -1 with errno. */
static int write_at(int fd, const char *bytes, size_t length, int64_t offset)
{
    while (length > 0) {
        ssize_t n = pwrite(fd, bytes, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        length -= (size_t)n;
        offset += n;
    }
    return 0;
}

/* What a hole reads as. 0 or -1 with errno. */
static int write_zeros(const struct receiver *receiver, int fd, int64_t length)
{
    static const char zeros[4096];
    for (; length > 0 && !interrupted(receiver->copy); length -= (int64_t)sizeof zeros)
        if (ja_fd_write(fd, zeros, length < (int64_t)sizeof zeros ? (size_t)length : sizeof zeros) < 0)
            return -1;
    return 0;
}

/* The file's bytes up to its end, whose record is left in *record. */
static int receive_content(struct receiver *receiver, int fd, struct record *record, const char *name)
{
    int64_t reached = 0;
    for (;;) {
        int rc = take_record(receiver, record);
        if (rc < 0)
            return rc;
        if (record->kind == FILE_END)
            break;
        if (record->kind != DATA || record->size < reached || record->size > INT64_MAX - BLOCK)
            return hostile(receiver);
        if (receiver->to_stdout && write_zeros(receiver, fd, record->size - reached) < 0)
            return fail(receiver, "write", name);
        if (receiver->to_stdout ? ja_fd_write(fd, receiver->block, record->text_length)
                                : write_at(fd, receiver->block, record->text_length, record->size))
            return fail(receiver, "write", name);
        reached = record->size + record->text_length;
    }
    if (record->size < reached)
        return hostile(receiver);
    int done =
        receiver->to_stdout ? write_zeros(receiver, fd, record->size - reached) : ftruncate(fd, (off_t)record->size);
    return done < 0 ? fail(receiver, "write", name) : 0;
}

/* Under a name that nobody has, then moved to its place: nobody sees half of it. */
static int receive_file(struct receiver *receiver, struct record *record)
{
    static unsigned number;
    int dir = -1;
    const char *name = "";
    char temporary[64], final[NAME_MOST + 1];
    int rc = place(receiver, record, &dir, &name);
    if (rc < 0)
        return rc;
    if (receiver->to_stdout)
        return receive_content(receiver, STDOUT_FILENO, record, "standard output");
    snprintf(final, sizeof final, "%s", name);
    ja_autoclose int fd = -1;
    do {
        snprintf(temporary, sizeof temporary, ".ja-copy-%d-%u", (int)getpid(), number++);
        fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EEXIST);
    if (fd < 0)
        return fail(receiver, "make", final);
    rc = receive_content(receiver, fd, record, final);
    if (rc == 0 && settle(receiver, fd, record) < 0)
        rc = fail(receiver, "finish", final);
    if (rc == 0 && renameat(dir, temporary, dir, final) < 0)
        rc = fail(receiver, "replace", final);
    if (rc < 0)
        unlinkat(dir, temporary, 0);
    return rc;
}

static int receive_link(struct receiver *receiver, const struct record *record)
{
    const struct ja_copy *copy = receiver->copy;
    int dir = -1;
    const char *name = "";
    int rc = place(receiver, record, &dir, &name);
    if (rc < 0)
        return rc;
    if (strlen(receiver->text) != record->text_length || !record->text_length)
        return hostile(receiver);
    int made = symlinkat(receiver->text, dir, name);
    if (made < 0 && errno == EEXIST && unlinkat(dir, name, 0) == 0)
        made = symlinkat(receiver->text, dir, name);
    if (made < 0)
        return fail(receiver, "make the link", name);
    int64_t uid = copy->preserve ? record->uid : 0, gid = copy->preserve ? record->gid : 0;
    if ((copy->root || copy->preserve) &&
        fchownat(dir, name, (uid_t)(uid + copy->id_shift), (gid_t)(gid + copy->id_shift), AT_SYMLINK_NOFOLLOW) < 0)
        return fail(receiver, "give an owner to", name);
    return 0;
}

static int receive_all(struct receiver *receiver)
{
    for (;;) {
        struct record record;
        int rc = take_record(receiver, &record);
        if (rc < 0)
            return rc;
        switch (record.kind) {
        case DIRECTORY:
            rc = receive_directory(receiver, &record);
            break;
        case LEAVE:
            rc = leave_directory(receiver, &record);
            break;
        case FILE_BEGIN:
            rc = receive_file(receiver, &record);
            break;
        case LINK:
            rc = receive_link(receiver, &record);
            break;
        case SKIPPED:
            if (receiver->copy->skipped)
                receiver->copy->skipped(receiver->copy->context, receiver->text, receiver->name);
            break;
        case END:
            return receiver->depth == 1 ? 0 : hostile(receiver);
        default:
            return hostile(receiver);
        }
        if (rc < 0)
            return rc;
    }
}

/* Opens the directory that the copy goes into, and notes the name that it gets there. */
static int open_target(struct receiver *receiver, const char *path)
{
    const struct ja_copy *copy = receiver->copy;
    struct ja_error none = JA_ERROR_INIT;
    int fd = open_path(copy, path, O_RDONLY | O_DIRECTORY, &none);
    size_t length = strlen(path);
    if (fd < 0 && length && path[length - 1] == '/') {
        if (receiver->err)
            *receiver->err = none;
        return fd;
    }
    if (fd < 0) {
        const char *slash = strrchr(path, '/');
        ja_autofree char *parent =
            slash ? ja_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : ja_strdup(".");
        const char *name = slash ? slash + 1 : path;
        if (!parent)
            return ja_error_nomem(receiver->err);
        if (!is_plain_name(name, strlen(name)) || strlen(name) > NAME_MOST)
            return ja_error_set(receiver->err, JA_E_INVALID, path, "it does not end with the name of a file");
        snprintf(receiver->target, sizeof receiver->target, "%s", name);
        fd = open_path(copy, parent, O_RDONLY | O_DIRECTORY, receiver->err);
        if (fd < 0)
            return fd;
    }
    receiver->dirs[0] = fd;
    receiver->depth = 1;
    return 0;
}

int ja_copy_receive(const struct ja_copy *copy, const char *path, int in, struct ja_error *err)
{
    ja_autofree char *block = ja_malloc(BLOCK);
    struct receiver *receiver = ja_calloc(1, sizeof *receiver);
    if (!block || !receiver) {
        free(receiver);
        return ja_error_nomem(err);
    }
    *receiver = (struct receiver){.copy = copy, .in = in, .block = block, .depth = 0, .err = err};
    receiver->to_stdout = strcmp(path, "-") == 0 && !copy->root;
    int rc = 0;
    if (receiver->to_stdout)
        receiver->dirs[receiver->depth++] = -1;
    else
        rc = open_target(receiver, path);
    if (rc == 0)
        rc = receive_all(receiver);
    /* What is in a jail is there for good, as other changes of it are. */
    if (rc == 0 && copy->root && ja_sync_filesystem(receiver->dirs[0]) < 0)
        rc = ja_error_sys(err, errno, NULL, "cannot sync what was copied");
    while (receiver->depth)
        ja_cleanup_close(&receiver->dirs[--receiver->depth]);
    free(receiver);
    return rc;
}
