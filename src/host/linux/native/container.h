/*
 * container.h: what crun does for a jail, done by this process: for container.c (which process does what),
 * container_config.c (what is wanted) and container_mount.c (what the jail sees).
 */
#ifndef JA_LINUX_CONTAINER_H
#define JA_LINUX_CONTAINER_H

#include "host/linux/native/native.h"

#include <jansson.h>
#include <linux/filter.h>

struct ja_container_mount {
    const char *type, *source, *target; /* type NULL: a bind of `source` */
    const char *const *options; /* of the file system: "mode=0755"; ends with NULL; owned, their words are not */
    __u64 attributes;           /* JA_MOUNT_ATTR_* of the mount */
    bool recursive;             /* of a bind: with what is mounted beneath the source */
    bool read_only;             /* last of all, when everything is in its place */
    int fd;                     /* of a bind: a detached clone of the source; -1: none yet */
};

/* A configuration that is understood to the last word. What points into `config` is borrowed from it. */
struct ja_container {
    json_t *config;
    const char **argv, **env; /* end with NULL */
    const char *cwd, *hostname;
    const char *user_ns, *net_ns; /* paths; net_ns may be NULL */
    int64_t root_uid;             /* what the jail's root is outside */
    int64_t files;                /* most open files; 0: as they are */
    uint64_t capabilities;        /* bit n: capability n */
    bool no_new_privileges;
    struct ja_container_mount *mounts;
    size_t mount_count;
    const char **masked, **read_only;
};

/*
 * Reads DIR/config.json. JA_E_UNSUPPORTED when there is anything in it that we do not do: nothing is left out silently.
 * Call ja_container_fini in any case.
 */
int ja_container_read(const char *bundle, struct ja_container *container, struct ja_error *err);
void ja_container_fini(struct ja_container *container);

/* Where the new init failed. */
struct ja_container_failure {
    int sys;        /* errno; 0: none */
    char what[64];  /* "mount", "enter the jail's namespaces" */
    char path[192]; /* in the jail; "" when it is about none */
};
/* Notes errno; the first one counts. Always -1. */
int ja_container_fail(struct ja_container_failure *failure, const char *what, const char *path);

/* Makes what can be made of those mounts before there is a tree, in the jail's init. What does not succeed is tried again, and reported, by
 * ja_container_mounts. */
void ja_container_mounts_ahead(struct ja_container *container);
/*
 * In the jail's init, in its namespaces, before it runs: attaches the detached mount `tree_fd` at `root` (a directory of the
 * host, seen by nobody else), mounts all that the container wants in it, makes it the root and lets go of the host's. Uses
 * system calls only. 0, or -1 with *failure filled in.
 */
int ja_container_mounts(struct ja_container *container, int tree_fd, const char *root,
                        struct ja_container_failure *failure);

/* What `jailadmin host crun ... run` says, when it is a jail with a user namespace that is to live on. */
struct ja_container_call {
    const char *bundle, *state;    /* directories: the configuration's, and what crun keeps of the container */
    bool filtered;                 /* with the compiled seccomp filter in the bundle */
    const char *cgroup;            /* see ja_cgroup_open */
    const char *tree, *root;       /* the jail's tree, and a directory of the host for it */
    bool mapped;                   /* mounts of it have the jail's ids */
    const struct ja_strv *volumes; /* sources of binds that are mapped like it */
    const char *log;               /* NULL: none */
    int64_t log_limit;
    const char *pid_file;
};
/*
 * Starts the init in two halves, between which other things may be done: it is made, with all that it sees, and waits; then it is
 * let go, and outlives us. Nothing of it is seen before the second half, and it ends with us. On failure nothing is left.
 * JA_E_UNSUPPORTED: not done, crun has to do it. `call` is borrowed until the end; finish and cancel free *ret_start.
 */
struct ja_container_start;
int ja_container_begin(const struct ja_container_call *call, bool late, struct ja_container_start **ret_start,
                       struct ja_error *err);
/*
 * `late`: the tree is not there yet when the start is begun. It is brought before the second half, with the volumes, the log and what
 * else is mounted of the host: as soon as all is there, so that the jail mounts it meanwhile. Nothing to do: success.
 */
int ja_container_bring(struct ja_container_start *start, struct ja_error *err);
int ja_container_finish(struct ja_container_start *start, struct ja_error *err);
void ja_container_cancel(struct ja_container_start *start);

#endif
