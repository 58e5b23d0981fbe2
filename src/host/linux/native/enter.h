/*
 * enter.h: what is known of a running jail's init before its namespaces are joined. For enter.c and enter_target.c.
 */
#ifndef JA_LINUX_ENTER_H
#define JA_LINUX_ENTER_H

#include "host/host.h"
#include "host/linux/native/native.h"

#include <linux/filter.h>
#include <sys/resource.h>

#define JA_CGROUPS_MOST 32

/* What is known of the init, read before anything is joined. */
struct ja_target {
    pid_t pid;
    int pidfd;
    int cgroups[JA_CGROUPS_MOST]; /* of cgroup v1: its tasks files, open for writing */
    size_t cgroup_count;
    int cgroup2;                 /* its directory; -1: none of ours */
    bool own_users;              /* has a user namespace of its own */
    unsigned uid_base, gid_base; /* what its 0 is outside */
    uint64_t capabilities;
    bool no_new_privs;
    bool filtered; /* runs with a seccomp filter */
    struct rlimit limits[RLIM_NLIMITS];
    struct sock_fprog filter;
};

/* Fills a target that is empty: {.pidfd = -1, .cgroup2 = -1}. Call ja_target_fini in any case. */
int ja_target_read(const struct ja_entry *entry, struct ja_target *target, struct ja_error *err);
void ja_target_fini(struct ja_target *target);
/* "the jail is not running any more" */
int ja_target_gone(struct ja_error *err);

#endif
