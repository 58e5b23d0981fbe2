/*
 * sim.h: a simulated host. It is a struct ja_machine whose commands and facts work on a model in memory instead of a
 * kernel, so that every verb can be failed, torn and killed at every step in seconds, and planners of one system can be
 * tested on another.
 *
 * The model is one sorted table of texts: what is there, by "KIND NAME". Two hosts are equal when their tables are.
 *
 *     sim.c            the table, the machine, what all systems share of facts
 *     sim_file.c       files, directories, mounts, and the portable host verbs
 *     sim_disk.c       what a power cut takes
 *     sim_zfs.c        datasets, snapshots and clones: the zfs command and the host verbs about it
 *     sim_linux.c      links, namespaces, nftables, btrfs, crun: commands and facts of Linux
 *     sim_freebsd*.c   interfaces and network stacks, jails, ipfw, and what FreeBSD's commands print: its facts are what the
 *                      real readers make of that
 *
 * A further system is one more struct ja_sim_system with its own table of commands and its own facts.
 *
 * Allocation failures are the product's to handle, not the model's: it uses malloc(3) and gives up without memory.
 */
#ifndef JA_SIM_H
#define JA_SIM_H

#include "run/machine.h"

#include <stdarg.h>

struct ja_sim_entry {
    char *key, *value;
};

struct ja_sim;

/* A command: argv begins with its words. 0, or a negative ja_code with *err filled. */
typedef int ja_sim_command_fn(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                              struct ja_error *err);
struct ja_sim_command {
    const char *words[4]; /* base name of the program and first arguments; host verbs: {"host", VERB} */
    ja_sim_command_fn *run;
};

struct ja_sim_system {
    const char *name;
    int os;                                       /* enum ja_os */
    const char *storage, *source;                 /* of an instance for tests; of a template */
    const char *run;                              /* what every boot empties, or should */
    const char *uplink;                           /* the interface that leads to the world */
    const struct ja_sim_command *const *commands; /* tables that end with words[0] NULL; ends with NULL */
    const char *const *tools;                     /* programs that are installed; ends with NULL */
    const char *const *stays; /* beginnings of keys of what the last instance leaves for good; ends with NULL */
    /* Fills a new host, or one that boots. */
    void (*boot)(struct ja_sim *sim);
    /* A fact's value in memory that lives until the next call, or NULL: absent. False: not for this system to answer. */
    bool (*fact)(struct ja_sim *sim, enum ja_fact_kind kind, const char *name, const char **ret_value);
    /* Answers what is missing after that; may be NULL. Allocations of its own may fail. */
    int (*read)(struct ja_sim *sim, struct ja_facts *facts, struct ja_error *err);
    /* Takes away what does not survive a reboot. */
    void (*shut)(struct ja_sim *sim);
    /* Calls sim_trouble for what must not be when no verb is under way; may be NULL. */
    void (*check)(struct ja_sim *sim);
};
/* freebsd: a stock kernel of 13.2, whose ipfw.ko is not loaded yet. freebsd_deny: the same with ipfw loaded by the administrator, so
 * that it denies on the host, whose own rules accept, and in every network stack of a jail. */
extern const struct ja_sim_system ja_sim_linux, ja_sim_linux_systemd, ja_sim_freebsd, ja_sim_freebsd_deny;
/* The kernel ends a jail of the simulated FreeBSD whose last process has ended. */
void sim_freebsd_end_jail(struct ja_sim *sim, const char *name);

struct ja_sim {
    struct ja_machine machine; /* first */
    const struct ja_sim_system *system;
    struct ja_sim_entry *entries;
    size_t count, size;
    long tear;         /* the step whose command does only half of its work and fails; -1: none */
    bool torn;         /* it was met */
    bool tearing;      /* for commands: stop half way */
    char trouble[512]; /* the first command that the model does not know, or something that must never be */
    char text[65536];  /* the last fact's value */
    unsigned boots;
};

/* A host of this system on which `state` is an empty directory. */
void ja_sim_init(struct ja_sim *sim, const struct ja_sim_system *system, const char *state);
void ja_sim_fini(struct ja_sim *sim);
void ja_sim_reboot(struct ja_sim *sim);
void ja_sim_copy(struct ja_sim *ret_copy, const struct ja_sim *sim);
/* To a file and back, so that a process can die and leave its host. */
void ja_sim_save(const struct ja_sim *sim, const char *path);
void ja_sim_load(struct ja_sim *sim, const char *path);
/* From now on it is known what is on its disks; one host at a time. */
void ja_sim_watch(const struct ja_sim *sim);
/* What was not synced in a pool on btrfs is lost. */
void ja_sim_lose(struct ja_sim *sim, const char *pool);
/* All that is there, one entry a line. */
void ja_sim_print(const struct ja_sim *sim, struct ja_str *str);
/* What differs from one run to the next by chance becomes a word: uuids, times, MACs and what is made of them. */
char *ja_sim_normal(const char *text);

/* ---- for the files of the model ---- */

const char *sim_get(const struct ja_sim *sim, const char *format, ...) JA_PRINTF(2, 3); /* NULL: none */
void sim_put(struct ja_sim *sim, const char *value, const char *format, ...) JA_PRINTF(3, 4);
bool sim_drop(struct ja_sim *sim, const char *format, ...) JA_PRINTF(2, 3);
/* All keys that begin with a text. */
void sim_drop_all(struct ja_sim *sim, const char *format, ...) JA_PRINTF(2, 3);
/* The first entry whose key is not below a text: for (i = sim_from(...); i < count && begins; i++). */
size_t sim_from(const struct ja_sim *sim, const char *key);
bool sim_starts(const struct ja_sim *sim, size_t i, const char *prefix);
int sim_fail(struct ja_error *err, const char *format, ...) JA_PRINTF(2, 3);
/* The test fails: the model is to learn something, or the product did what no host forgives. */
void sim_trouble(struct ja_sim *sim, const char *format, ...) JA_PRINTF(2, 3);
/* A command by its words, such as one that another command starts. */
int sim_run(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err);
/* A fact's value that is made up. */
const char *sim_say(struct ja_sim *sim, const char *format, ...) JA_PRINTF(2, 3);
/* The word after an option; NULL: not given. */
const char *sim_option(char *const *argv, int argc, const char *option);

/* Files. `path` is as plans give it. */
bool sim_is_dir(const struct ja_sim *sim, const char *path);
bool sim_parent_is_dir(const struct ja_sim *sim, const char *path);
void sim_make(struct ja_sim *sim, const char *path, const char *type);
void sim_remove_tree(struct ja_sim *sim, const char *path);
void sim_copy_tree(struct ja_sim *sim, const char *from, const char *to);
void sim_move_tree(struct ja_sim *sim, const char *from, const char *to);
/* A file system that comes and goes with its contents. */
int sim_mount(struct ja_sim *sim, const char *source, const char *path, const char *type, struct ja_error *err);
int sim_umount(struct ja_sim *sim, const char *path, struct ja_error *err);
bool sim_file_fact(struct ja_sim *sim, enum ja_fact_kind kind, const char *name, const char **ret_value);
/* Files and programs. Asked for what the system does not answer, unless it has a `read`. */
bool sim_common_fact(struct ja_sim *sim, enum ja_fact_kind kind, const char *name, const char **ret_value);
extern const struct ja_sim_command sim_file_commands[];
/* No tree that is seen in a second place is gone. */
void sim_check_binds(struct ja_sim *sim);

/* For commands: all is on the disk by now, or one file is. */
void sim_synced(const struct ja_sim *sim);
void sim_synced_file(const struct ja_sim *sim, const char *path);

/* ZFS. "zfs NAME" is filesystem or snapshot, "prop NAME PROPERTY" what is set there, "origin NAME" its snapshot; what a dataset
 * that is not mounted holds lies below "@NAME", its name's slashes written as "%". */
extern const struct ja_sim_command sim_zfs_commands[];
/* Who keeps what is mounted at `path` busy, but for mounts below it; NULL: nobody. The system's. */
extern const char *(*sim_holder)(const struct ja_sim *sim, const char *path);
/* What `zfs get` or `zfs list` print with these words, errors among it. True: it succeeds. */
bool sim_zfs_print(struct ja_sim *sim, char *const *words, struct ja_str *output);
/* Facts of datasets, read from that. */
int sim_zfs_facts(struct ja_sim *sim, struct ja_facts *facts, struct ja_error *err);

#endif
