/*
 * copy.h: files and directories from one place to another through a stream, so that the two ends can be processes in
 * different worlds: one on the host, one in a jail. Neither end trusts the other.
 *
 * The stream is of this machine and of one version of this program: it is no file format.
 */
#ifndef JA_COPY_H
#define JA_COPY_H

#include "base/str.h"

struct ja_copy {
    const char *root;    /* paths are beneath it, whatever links are there; NULL: paths of the host, as they are */
    bool preserve;       /* owners and times; else what is received belongs to the receiver's root, and is new */
    bool drop_privilege; /* received set-uid, set-gid bits are dropped: what comes out of a jail */
    int64_t id_shift;    /* ids in the file system are those of the copy plus this */
    const volatile int *interrupted; /* ends it when it becomes non-zero; may be NULL */
    /* Told by the receiving end of each thing that the sending one has left out; `path` is hostile. May be NULL. */
    void (*skipped)(void *context, const char *path, const char *why);
    void *context;
};

/* Sends a file, or a directory with all that is in it, to a descriptor. A link at the end of `path` is followed, links in
 * a directory are sent as links. What is no file, directory or link is left out, and so are /proc and its like. "-": standard
 * input. An error whose sys is EPIPE says only that the other end has failed. */
int ja_copy_send(const struct ja_copy *copy, const char *path, int out, struct ja_error *err);
/* Receives it: into `path` if that is a directory, else as `path`, whose parent exists. Files that are there are
 * replaced, directories are merged; no link that is there is followed below `path`. "-": one file to standard output. */
int ja_copy_receive(const struct ja_copy *copy, const char *path, int in, struct ja_error *err);

#endif
