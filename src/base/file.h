/*
 * file.h: files, safely: whole reads with a bound, atomic writes, and every access beneath a tree that may be hostile.
 */
#ifndef JA_FILE_H
#define JA_FILE_H

#include "base/base.h"

/* What went wrong with a path, "cannot WHAT: reason": ENOENT is JA_E_NOTFOUND, EEXIST JA_E_EXISTS, what permissions or a
 * read-only file system refuse JA_E_DENIED, ENOSYS JA_E_UNSUPPORTED, the rest JA_E_FAILED. So are all errors below. */
int ja_file_error(struct ja_error *err, int sys, const char *path, const char *what);

/* Reads a whole file of at most `limit` bytes (larger: JA_E_LIMIT; missing: JA_E_NOTFOUND). The text is zero-terminated
 * and the caller's; ret_length may be NULL. */
int ja_file_read(const char *path, size_t limit, char **ret_text, size_t *ret_length, struct ja_error *err);
/* Writes by a temporary file, fsync when `durable`, and rename; the mode is set before anybody can see the file. */
int ja_file_write(const char *path, const char *bytes, size_t length, mode_t mode, bool durable, struct ja_error *err);
/* Syncs a file with the name that it was given last. 0 or -1 with errno. */
int ja_sync_named(int fd);
/* Has all on the disk that was written to the file system of this descriptor. 0 or -1 with errno. */
int ja_sync_filesystem(int fd);
/* Makes a directory and its missing parents, all with `mode`. An existing one is success and keeps its mode. */
int ja_dir_make(const char *path, mode_t mode, struct ja_error *err);
/* Renames what is not to replace anything: JA_E_EXISTS when `to` is there. */
int ja_file_rename(const char *from, const char *to, struct ja_error *err);
/* Removes a tree, without following symbolic links. Anything mounted in it ends the removal with JA_E_DENIED. Missing is
 * success. */
int ja_tree_remove(const char *path, struct ja_error *err);
/* Writes all bytes to fd, through EINTR and short writes. 0 or -1 with errno. */
int ja_fd_write(int fd, const void *bytes, size_t length);

/*
 * Paths beneath a root. `root` is trusted; everything below it is hostile. Symbolic links in `path` are resolved as if
 * `root` were "/": none leads out. Linux: openat2(RESOLVE_IN_ROOT). FreeBSD: O_RESOLVE_BENEATH, where an absolute link
 * is an error. `path` may begin with "/"; ".." never climbs above the root.
 * Returns an O_CLOEXEC descriptor, or a negative ja_code: JA_E_NOTFOUND, JA_E_DENIED (a link that leads out or round in
 * circles), JA_E_UNSUPPORTED (a kernel that cannot confine), JA_E_FAILED. It never blocks on what is there (O_NONBLOCK): a
 * FIFO in place of a file stops nobody.
 */
int ja_beneath_open(const char *root, const char *path, int flags, mode_t mode, struct ja_error *err);
/* Writes a file beneath root atomically (temporary file beside it and rename); its parent must exist; a symbolic link
 * at the last component is replaced, never followed. Owner uid:gid; -1: who calls. */
int ja_beneath_write(const char *root, const char *path, const char *bytes, size_t length, mode_t mode, uid_t uid,
                     gid_t gid, struct ja_error *err);
/* The same, with a choice: the file must not be there (JA_E_EXISTS); it survives a power cut from when this returns; or, on btrfs, from
 * when the file system commits next, as it does for a snapshot. */
enum { JA_BENEATH_NEW = 1 << 0, JA_BENEATH_SYNC = 1 << 1, JA_BENEATH_FLUSH = 1 << 2 };
int ja_beneath_put(const char *root, const char *path, const char *bytes, size_t length, mode_t mode, uid_t uid,
                   gid_t gid, unsigned how, struct ja_error *err);
/* Removes a file or a link beneath root, no directory. Missing is success. */
int ja_beneath_remove(const char *root, const char *path, struct ja_error *err);
/* Makes one directory, whose parent exists. JA_E_EXISTS. */
int ja_beneath_mkdir_new(const char *root, const char *path, mode_t mode, struct ja_error *err);
/* mkdir -p beneath root; refuses links that lead out; existing directories stay as they are. */
int ja_beneath_mkdir(const char *root, const char *path, mode_t mode, uid_t uid, gid_t gid, struct ja_error *err);

#endif
