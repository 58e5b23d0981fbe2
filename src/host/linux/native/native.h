/*
 * native.h: what the Linux host verbs share: system calls that older C libraries do not wrap, namespaces.
 * Nothing outside this directory includes it.
 */
#ifndef JA_LINUX_NATIVE_H
#define JA_LINUX_NATIVE_H

#include "plan/facts.h"
#include "run/hostverb.h"
#include "run/option.h"

#include <linux/types.h>
#include <pthread.h>
#include <stdatomic.h>

/* Struct mount_attr of the kernel, under a name of ours since not every C library has it. */
struct ja_mount_attr {
    __u64 attr_set;
    __u64 attr_clr;
    __u64 propagation;
    __u64 userns_fd;
};
#define JA_MOUNT_ATTR_RDONLY 0x00000001u
#define JA_MOUNT_ATTR_NOSUID 0x00000002u
#define JA_MOUNT_ATTR_NODEV 0x00000004u
#define JA_MOUNT_ATTR_NOEXEC 0x00000008u
#define JA_MOUNT_ATTR_STRICTATIME 0x00000020u
#define JA_MOUNT_ATTR_IDMAP 0x00100000u

/* The kernel's calls; -1 and errno. */
int ja_sys_open_tree(const char *path, bool clone);
int ja_sys_clone_tree(int fd, bool recursive); /* of the mount that a descriptor is on, from there */
int ja_sys_mount_setattr(int fd, const struct ja_mount_attr *attr);
int ja_sys_move_mount(int from_fd, const char *to);
int ja_sys_move_mount_on(int from_fd, int to_fd);
/* A new file system, not mounted anywhere yet. Options are "key=value" or flags, up to a NULL. A descriptor. */
int ja_sys_new_mount(const char *type, const char *source, const char *const *options, __u64 attributes);
/* openat2 with the tree as root for all links. */
int ja_sys_open_in_root(int root_fd, const char *path, int flags);
int ja_sys_pidfd_open(pid_t pid);
/* A socket, close-on-exec, that belongs to the network namespace at `netns`, or to a new one (NULL) that lasts as long as it.
 * This process is there only while it makes it. For a single-threaded caller. */
int ja_sys_socket_in(const char *netns, int domain, int type, int protocol);
int ja_sys_pidfd_signal(int pidfd, int signal);
/* fork() with namespaces (CLONE_NEW*) and a pidfd, without a signal at its end, so that a caller who waits for any
 * child does not see this one. 0 in the child. Reap it with ja_sys_reap. */
pid_t ja_sys_fork(unsigned long long namespaces, int *ret_pidfd);
/* fork() whose child begins in a cgroup of version 2, given by its directory; -1: in ours. */
pid_t ja_sys_fork_into(int cgroup_fd);
/* fork() whose child is a sibling: the child of our parent, which waits for it. */
pid_t ja_sys_fork_sibling(void);
/* Rights of this process from here on: what programs may ever gain, and what it has itself. -1 and errno. */
int ja_sys_bound_capabilities(__u64 keep);
int ja_sys_have_capabilities(__u64 capabilities);
/* Takes one from the effective ones, for a while: true if it was there; and gives it back. */
bool ja_sys_drop_effective(int capability);
void ja_sys_raise_effective(int capability);
/* Closes all descriptors from this one on. -1 and errno. */
int ja_sys_close_from(unsigned first);
/* Closes all from 3 on but those, which are sorted. */
int ja_sys_close_but(const int *keep, size_t count);
/* Waits for a ja_sys_fork child. The wait status, or -1. */
int ja_sys_reap(int pidfd);

/*
 * A user namespace that maps `count` ids from 0 to `base`, made with a process that is ending when this returns.
 * With ret_net_fd also a network namespace that it owns, with lo up; without link_local its interfaces get no IPv6 address
 * of their link by themselves. With a count of 0 no user namespace is made, and
 * *ret_user_fd is -1. Descriptors are close-on-exec and keep them alive.
 */
int ja_userns_new(int64_t base, int64_t count, bool link_local, int *ret_user_fd, int *ret_net_fd,
                  struct ja_error *err);
/* One of each is about to be wanted: begins to make them, beside whatever this process does meanwhile. They go with this process
 * when nobody asks for them. */
void ja_userns_foresee(void);

/* Calls `each` with the root of every cgroup hierarchy: one of v2, or those of v1, and both on a hybrid host. */
typedef int ja_cgroup_fn(const char *root, bool v2, void *context, struct ja_error *err);
int ja_cgroup_each(ja_cgroup_fn *each, void *context, struct ja_error *err);
/* "/jailadmin-00/ja000": ours by its name, and nothing in it leads elsewhere. */
bool ja_cgroup_valid(const char *cgroup);

/* Makes a cgroup in every hierarchy, or finds it there; removes an empty one from them, or finds none. */
int ja_cgroup_make(const char *cgroup, struct ja_error *err);
int ja_cgroup_remove(const char *cgroup, struct ja_error *err);

/* A cgroup that is open in all hierarchies, so that it can be joined from within other namespaces. */
struct ja_cgroup {
    const char *path; /* borrowed */
    int v2;           /* its directory; -1: none */
    int tasks[32];    /* of v1 */
    size_t count;
};
int ja_cgroup_open(const char *cgroup, struct ja_cgroup *ret_place, struct ja_error *err);
void ja_cgroup_close(struct ja_cgroup *place);
/* Moves this process. -1 and errno. */
int ja_cgroup_join(const struct ja_cgroup *place);
/* Moves a process of one thread there. */
int ja_cgroup_move(const struct ja_cgroup *place, pid_t pid);
/* fork() whose child is in the cgroup; a child that cannot join it exits with `status`. For a single-threaded caller. */
pid_t ja_cgroup_fork(const struct ja_cgroup *place, int status);

/* The verbs, one file each group. */
ja_hostverb_fn ja_verb_ns_create, ja_verb_ns_release;    /* ns.c */
ja_hostverb_fn ja_verb_ns_setting;                       /* ns.c */
ja_hostverb_fn ja_verb_netns_link, ja_verb_netns_unlink; /* ns.c */
/* Begins what `host crun ... run` with these words, which are borrowed, will finish; or does nothing. `late`: the tree is not there yet,
 * ja_crun_ahead_bring tells when it is, and may be called in any case. Ended by that verb, or by ja_crun_ahead_end, which may always be
 * called. */
void ja_crun_ahead(int argc, char *const *argv, bool late);
void ja_crun_ahead_bring(void);
void ja_crun_ahead_end(void);
ja_hostverb_fn ja_verb_crun, ja_native_crun, ja_verb_idmap_test;                                        /* crun.c */
ja_hostverb_fn ja_verb_copy_in, ja_verb_copy_out;                                                       /* copy.c */
ja_hostverb_fn ja_verb_contain;                                                                         /* contain.c */
ja_hostverb_fn ja_verb_bundle, ja_verb_seccomp_convert, ja_verb_seccomp_compile;                        /* seccomp.c */
ja_hostverb_fn ja_verb_stop_init, ja_verb_kill_init;                                                    /* init.c */
ja_hostverb_fn ja_verb_link_remove;                                                                     /* link.c */
ja_hostverb_fn ja_verb_daemon_start, ja_verb_daemon_stop, ja_verb_daemon_signal;                        /* link.c */
ja_hostverb_fn ja_verb_shift_ids;                                                                       /* shift.c */
ja_hostverb_fn ja_verb_cgroup_limit;                                                                    /* limits.c */
ja_hostverb_fn ja_verb_crun_clean;                                                                      /* clean.c */
ja_hostverb_fn ja_verb_cgroup_create, ja_verb_cgroup_remove;                                            /* cgroup.c */
ja_hostverb_fn ja_verb_cgroup_unit, ja_verb_cgroup_hold, ja_verb_cgroup_adopt, ja_verb_cgroup_unit_end; /* unit.c */
ja_hostverb_fn ja_native_btrfs_snapshot, ja_native_btrfs_create, ja_native_btrfs_delete;                /* btrfs.c */
ja_hostverb_fn ja_native_btrfs_property;
ja_hostverb_fn ja_native_ip, ja_native_nsenter; /* ipbatch.c */
ja_hostverb_fn ja_native_nft;                   /* nftbatch.c */
ja_hostverb_fn ja_native_tc;                    /* tcbatch.c */

ja_hostverb_fn ja_verb_tree_delete;                      /* tree.c */
ja_hostverb_fn ja_verb_tree_mount, ja_verb_tree_unmount; /* binds.c */

/* Facts about rules, firewall.c: see JA_FACT_FIREWALL; and how many rules a table of a family (NFPROTO_*) has. */
int ja_linux_probe_firewall(const char *bridges, struct ja_str *lines, struct ja_error *err);
int ja_linux_probe_rules(uint8_t family, const char *table, unsigned *ret_count, struct ja_error *err);
int ja_linux_probe_chain(uint8_t family, const char *table, const char *chain, struct ja_str *lines,
                         struct ja_error *err);

/* What ja_init_write wrote of a jail's init. JA_E_NOTFOUND: no such file. */
int ja_init_read(const char *pidfile, pid_t *ret_pid, uint64_t *ret_start, struct ja_error *err);
/* Whether it lives: a step that is repeated starts nothing twice. */
bool ja_init_alive(const char *pidfile);
/* Signals it and waits for its end; none is success. */
int ja_init_end(const char *pidfile, int sig, int64_t timeout_ms, struct ja_error *err);
/* The process cannot be another one: a child of ours, or one that waits for us. It gets a mark (see init.c). */
int ja_init_write(const char *pidfile, pid_t pid, uint64_t start, struct ja_error *err);
/* Whether the text of a pid file tells of a process that has its mark and is no zombie. `false` says nothing. */
bool ja_init_is_marked(const char *text);
/* Those of all jails of an instance in one file, inits.c. Begins zeroed. */
struct ja_inits {
    char *directory, *text; /* of which instance, and what its file says; owned */
    size_t count;           /* of lines */
    bool many;              /* set by the caller: so many are asked for that help is worth it */
    /* The helper, if there is one, and what it shares with us. */
    pthread_t helper;
    bool helped;
    atomic_bool placed, enough; /* when it may begin, and shall end */
    atomic_uchar *states;       /* of each line; owned */
};
/* What a pid file was given. A failure is none: the pid file is there. */
void ja_inits_note(const char *pidfile, const char *text);
/* The same text, if it is known; borrowed. It may tell of an init that has ended, unless *ret_proven. The file is read once. */
const char *ja_inits_find(struct ja_inits *inits, const char *pidfile, bool *ret_proven);
void ja_inits_fini(struct ja_inits *inits);
/* The start time of a process in clock ticks since boot (field 22 of /proc/PID/stat) and its state letter. -1: gone. */
int ja_init_start_time(pid_t pid, uint64_t *ret_start, char *ret_state);

/* Where apt gets packages from (JA_FACT_APT). 1, 0 on a host without apt, or a code. */
int ja_linux_probe_apt(struct ja_str *lines, struct ja_error *err);
/* Answers all missing facts of kind process; see host/linux/facts.h. */
int ja_linux_probe_processes(struct ja_facts *facts, struct ja_error *err);
/* Probes of doctor; see host/linux/facts.h. */
int ja_linux_probe_version(const char *program, struct ja_str *line, struct ja_error *err);
int ja_linux_probe_health(const char *path, struct ja_str *lines, struct ja_error *err);

/* What the kernel can do to traffic, and the queues of an interface: JA_FACT_SHAPING, JA_FACT_QDISC (traffic.c). */
int ja_linux_probe_shaping(struct ja_str *words, struct ja_error *err);
int ja_linux_probe_qdisc(const char *interface, struct ja_str *words, struct ja_error *err);
/* binds.c: JA_FACT_BINDS. */
int ja_linux_probe_binds(const char *path, struct ja_str *lines, struct ja_error *err);

/*
 * A detached clone of the mount at `from`, with the ids of a user namespace (-1: unmapped). The pool is nosuid and nodev for
 * the host; a jail's own mount has setuid programs again, but device nodes only in a privileged jail: a template's device
 * node must not open the host's disk.
 */
int ja_tree_clone(const char *from, int userns_fd, bool devices, int *ret_fd, struct ja_error *err);

/* Bytes of a compiled seccomp filter at the most. Into the configuration of a bundle, as crun reads it. */
#define JA_FILTER_MOST (1 << 20)
int ja_bundle_add_filter(const char *bundle, struct ja_error *err);
struct sock_fprog; /* linux/filter.h, as is the next */
struct sock_filter;
/* Reads one; free its `filter`. JA_E_CORRUPT when it cannot be one. */
int ja_filter_read(const char *path, struct sock_fprog *ret_filter, struct ja_error *err);
/* filter_compact.c: a smaller program in the place of a filter of `*count` instructions that returns the same for every call, or the filter
 * as it is when it has anything that is not understood. Fails only when memory is out. */
int ja_filter_compact(struct sock_filter *filter, size_t *count, struct ja_error *err);

#endif
