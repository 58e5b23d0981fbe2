/*
 * oci.h: the configuration of a jail for crun (config.json of the OCI runtime specification 1.0), as a pure function of what
 * the planner knows. The seccomp profile is not in it: `jailadmin host bundle` adds it, so that plans stay readable.
 */
#ifndef JA_OCI_H
#define JA_OCI_H

#include "base/str.h"

#include <jansson.h>

/* A file system of the jail, after the usual ones. */
struct ja_oci_mount {
    const char
        *target; /* absolute path in the jail; crun resolves links inside the jail's tree and makes it if missing */
    const char *source; /* a bind mount of this host path; NULL: a tmpfs */
    bool read_only;
    bool exec_ok; /* allow programs, setuid and all, as in the jail's own tree; else nosuid,nodev */
    int64_t size; /* tmpfs: bytes; 0: the kernel's default, half of the memory */
    int64_t mode; /* tmpfs: permissions, 0: 0755 */
};

/* A device node of the host that the jail gets. In a jail with its own user namespace it is a bind mount. */
struct ja_oci_device {
    const char *path; /* "/dev/fuse" */
    char type;        /* 'c' or 'b' */
    int64_t major, minor;
};

/*
 * What a jail is. Zero-initialised is a jail in all new namespaces except user and net, with no limits.
 * Everything is borrowed.
 */
struct ja_oci {
    const char *rootfs; /* absolute; where the crun verb mounts the jail's tree */
    bool rootfs_read_only;
    const char *hostname; /* NULL: the host's */
    const char *cgroup;   /* "/jailadmin/a0/web1", below every controller */

    /* Namespaces. */
    const char *user_ns; /* path of the pinned one; NULL: privileged, root is the host's root */
    const char *net_ns;  /* path of the pinned one; NULL: a new empty one, unless host_net */
    bool host_net;       /* not vnet: the host's network */
    int64_t uid_base;    /* what user_ns maps */
    int64_t uid_count;

    /* The init. */
    const char *pause;   /* host path of a static catatonit: bound into /dev and run with -P; NULL: argv below */
    struct ja_strv argv; /* of the jail's own init ("/sbin/init"); not with pause */
    struct ja_map env;   /* added to PATH, HOME, TERM, container, which it can replace */
    const char *cwd;     /* NULL: "/" */
    bool terminal;
    bool systemd;      /* its init is systemd: /run, /run/lock and /tmp as tmpfs, a writable cgroup */
    bool cgroup_mount; /* /sys/fs/cgroup; implied by systemd. Costs a mount for every controller of cgroup v1 */

    /* Rights. NULL: the defaults below. */
    const struct ja_strv *capabilities; /* "CAP_NET_ADMIN" */
    const struct ja_strv *masked;       /* paths that read as empty */
    const struct ja_strv *read_only;    /* paths that cannot be written */
    bool no_new_privileges;             /* setuid programs have no effect */
    const struct ja_map *sysctl;        /* namespaced ones, "net.ipv4.ip_forward"; NULL: none */

    /* Limits; 0: none. */
    int64_t cpu_millicores;
    int64_t memory; /* bytes */
    int64_t swap;   /* bytes beside memory; counts only with memory; -1: no swap at all */
    int64_t processes;
    int64_t files; /* RLIMIT_NOFILE of every process */

    const struct ja_oci_mount *mounts;
    size_t mount_count;
    const struct ja_oci_device *devices;
    size_t device_count;
    const struct ja_map *annotations; /* labels in crun's state; NULL: none */
};

/* Where the pause init lies in a jail. */
#define JA_OCI_PAUSE "/dev/.jailadmin-init"

/* The default sets, NULL-terminated. */
extern const char *const ja_oci_default_capabilities[];
extern const char *const ja_oci_default_masked[];
extern const char *const ja_oci_default_read_only[];

/* The kernel's number of a capability, "CAP_CHOWN"; -1: no such name. */
int ja_oci_capability(const char *name);

/* The config.json; a new reference; NULL when memory is out. */
json_t *ja_oci_config(const struct ja_oci *spec);

#endif
