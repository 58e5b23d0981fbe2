/*
 * lock.c: locks between processes, by flock(2). The kernel lets go of them when their holder dies, however it
 * dies.
 */
#include "run/lock.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between two tries. flock(2) has no time limit, and an alarm would be everybody's. */
#define TRY_EVERY_US 5000

/* True when PATH still names the open file: its last holder may have removed it while we waited. */
static bool is_current(int fd, const char *path)
{
    struct stat ours, now;
    return fstat(fd, &ours) == 0 && stat(path, &now) == 0 && ours.st_ino == now.st_ino && ours.st_dev == now.st_dev;
}

/* One try. A descriptor that holds the lock, or -1 with errno; EWOULDBLOCK: somebody else has it. */
static int try_lock(const char *path, bool shared)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return -1;
        bool locked = flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
        if (locked && is_current(fd, path))
            return fd;
        int saved = errno;
        close(fd);
        errno = saved;
        if (!locked)
            return -1;
    }
}

/* The head of the queue: whoever wants the lock alone, and does not get it at once, holds PATH.next until it does. All others wait
 * behind it; else those who share the lock could follow each other for ever. */
static int next_path(const char *path, char next[], size_t size)
{
    return (size_t)snprintf(next, size, "%s.next", path) < size ? 0 : -1;
}

static bool somebody_is_next(const char *next)
{
    int fd = open(next, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}

/* One try, unless somebody else is next. */
static int try_turn(const char *path, const char *next, bool is_next, bool shared)
{
    if (!is_next && somebody_is_next(next)) {
        errno = EWOULDBLOCK;
        return -1;
    }
    return try_lock(path, shared);
}

/* Writes who holds the lock, for those who wait. That this fails is no reason not to hold it. What is left of a longer
 * name follows a newline: to cut the file would be a change of the file system's journal, and several times dearer. */
static void sign(int fd, const char *who)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s, process %ld\n", who, (long)getpid());
    size_t length = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    if (pwrite(fd, text, length, 0) < 0)
        return;
}

static int busy(const char *path, int64_t wait_ms, struct ja_error *err)
{
    ja_autofree char *holder = NULL;
    if (ja_file_read(path, 1024, &holder, NULL, NULL) == 0)
        holder[strcspn(holder, "\n")] = '\0';
    if (!holder || !*holder)
        return ja_error_set(err, JA_E_BUSY, path, "the lock did not become free in %lld ms", (long long)wait_ms);
    return ja_error_set(err, JA_E_BUSY, path, "it is held by %s, and did not become free in %lld ms", holder,
                        (long long)wait_ms);
}

/* Waits for a while. Any signal that has a handler ends it. */
static int wait_a_little(const char *path, struct ja_error *err)
{
    if (usleep(TRY_EVERY_US) != 0 && errno == EINTR)
        return ja_error_set(err, JA_E_INTERRUPTED, path, "interrupted while waiting for the lock");
    return 0;
}

/* Tries until the lock is taken or the time is over. *next_fd is then the place at the head of the queue, or -1. */
static int wait_for(const char *path, const char *next, bool shared, int64_t wait_ms, int *ret_fd, int *next_fd,
                    struct ja_error *err)
{
    int64_t deadline = ja_clock_monotonic_ms() + wait_ms;
    int fd;
    while ((fd = try_turn(path, next, *next_fd >= 0, shared)) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return ja_file_error(err, errno, path, "take the lock");
        if (ja_clock_monotonic_ms() >= deadline)
            return busy(path, wait_ms, err);
        if (!shared && *next_fd < 0)
            *next_fd = try_lock(next, false);
        int r = wait_a_little(path, err);
        if (r < 0)
            return r;
    }
    *ret_fd = fd;
    return 0;
}

int ja_lock_take(const char *path, bool shared, int64_t wait_ms, const char *who, struct ja_lock *ret_lock,
                 struct ja_error *err)
{
    struct ja_lock lock = JA_LOCK_INIT;
    char next[sizeof lock.path];
    if ((size_t)snprintf(lock.path, sizeof lock.path, "%s", path) >= sizeof lock.path ||
        next_path(path, next, sizeof next) < 0)
        return ja_error_set(err, JA_E_INVALID, path, "the path is too long for a lock");
    int next_fd = -1;
    int r = wait_for(path, next, shared, wait_ms, &lock.fd, &next_fd, err);
    if (next_fd >= 0) {
        unlink(next);
        close(next_fd);
    }
    if (r < 0)
        return r;
    if (!shared)
        sign(lock.fd, who);
    *ret_lock = lock;
    return 0;
}

void ja_lock_release(struct ja_lock *lock, bool remove)
{
    if (lock->fd < 0)
        return;
    if (remove)
        unlink(lock->path);
    /* A forked child may have inherited the descriptor: closing ours alone would not free the lock. */
    flock(lock->fd, LOCK_UN);
    close(lock->fd);
    lock->fd = -1;
}
