/*
 * host.h: the interface of an operating system: emitters that append its commands to a plan. linux/ and freebsd/ implement
 * it; both are compiled everywhere, so that either can be planned for, and tested, on the other.
 */
#ifndef JA_HOST_H
#define JA_HOST_H

#include "plan/planning.h"

struct ja_findings; /* plan/finding.h */

/* The most that a jail's log keeps, bytes. */
#define JA_LOG_LIMIT (1 << 20)

/* How a command runs in a running jail. */
struct ja_within {
    const char *pid; /* the file that notes its process, which stays when the step has ended; NULL: it is waited for */
    char ids[32];    /* "UID" or "UID:GID" of the jail; "": root */
    char home[512];  /* the user's directory, if it is known */
};

struct ja_host {
    const char *name; /* "linux", "freebsd" */
    /* Bridge, addresses, rules, forwarding, resolver of a network. */
    void (*network_up)(struct ja_planning *p, const struct ja_network *network);
    void (*network_down)(struct ja_planning *p, const struct ja_network *network);
    bool (*network_is_up)(struct ja_planning *p, const struct ja_network *network);
    /* Whether the gateway of a network resolves names; NULL: none does. */
    bool (*dns_answers)(struct ja_planning *p, const struct ja_network *network);
    /* After the step that starts a daemon, which is to outlive what started it; NULL: nothing to be done. */
    void (*daemon_started)(struct ja_planning *p, const char *pidfile, const char *program);
    /* A network that is up as `to` has it instead of `from`: undoable steps before the commit, repeatable ones after it. The
     * running jails on it are given with both, `count` of each; none may run when needs_stop says so. */
    bool (*network_needs_stop)(const struct ja_network *from, const struct ja_network *to);
    void (*network_change)(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                           const struct ja_subject *from_jails, const struct ja_subject *to_jails, size_t count);
    void (*network_changed)(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);
    /* Repair, all of it repeatable, nothing when nothing is missing: what networks share; what a running jail has outside of
     * itself (links, rules, names). May be NULL. */
    void (*instance_repair)(struct ja_planning *p);
    void (*jail_repair)(struct ja_planning *p, const struct ja_subject *s);
    bool repairs_exactly; /* both plan nothing when nothing is missing: so doctor can tell */
    /* All steps up to the running jail, undoable; the commit step follows them. */
    void (*jail_start)(struct ja_planning *p, const struct ja_subject *s);
    /* Steps after the commit of start: repeatable. */
    void (*jail_started)(struct ja_planning *p, const struct ja_subject *s);
    /* All steps of stopping, repeatable; the commit step is before them. */
    void (*jail_stop)(struct ja_planning *p, const struct ja_subject *s, bool force);
    /* Removes what a jail that does not run has left: repeatable, nothing when nothing is left. */
    void (*jail_clean)(struct ja_planning *p, const struct ja_subject *s);
    bool (*jail_left)(struct ja_planning *p, const struct ja_subject *s);
    /* Applies to a running jail what its fields say after a change that takes effect at once, undoably. `live` is what it
     * has afterwards, and what its applied spec is from then on. NULL: all of it waits for the next start. */
    void (*jail_update)(struct ja_planning *p, const struct ja_subject *applied, const struct ja_subject *live);
    /* What that change leaves to be removed: repeatable steps after its commit. May be NULL. */
    void (*jail_updated)(struct ja_planning *p, const struct ja_subject *applied, const struct ja_subject *live);
    /* Notes about fields that are set and have no effect here, or a weak one. May be NULL. */
    void (*jail_notes)(struct ja_planning *p, const struct ja_jail *jail);
    bool (*jail_running)(struct ja_planning *p, const struct ja_jail *jail);
    /* What a running jail uses, as JA_FACT_USAGE tells it; NULL: not known here. */
    const char *(*jail_usage)(struct ja_planning *p, const struct ja_jail *jail);
    /* The words of a step's command that run what follows them in a running jail, as its root. */
    void (*jail_exec)(struct ja_planning *p, struct ja_step *step, const struct ja_jail *jail);
    /* Begins a step that runs a command in a running jail, with the jail's environment; its words are the caller's to add. What
     * it prints goes to the jail's log. One whose process is noted and still there is not started again. */
    struct ja_step *(*jail_run)(struct ja_planning *p, const struct ja_jail *jail, const struct ja_within *inside,
                                const char *why);
    /* Begins a step that signals processes of a running jail, which files of jail_run's note, and waits for their ends, one after
     * the other within its stop-timeout. The files are the caller's to add. Its failure is a warning. */
    struct ja_step *(*jail_ask)(struct ja_planning *p, const struct ja_jail *jail, const char *sig, const char *why);
    /* One undoable step: the port forwards of a running jail as `to` has them instead of those of `from`, the applied
     * spec; nothing when neither has any. Ports that are in use on the host fail the plan. NULL: at the next start. */
    void (*forwards_change)(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to);
    /* For doctor: the kernel, programs and settings of the host. A site without a tag is no instance yet. */
    void (*examine)(struct ja_planning *p, struct ja_findings *findings);
    /* What nobody owns of the things that carry the instance's tag: interfaces, names of namespaces, cgroups, runtime
     * directories. Steps that remove them, repeatable. `slots`, `bridges` and `names` are those of the store's jails, networks
     * and jails, decimal or as they are; what runs is left alone, known or not. May be NULL. */
    void (*leftovers)(struct ja_planning *p, const struct ja_strv *slots, const struct ja_strv *bridges,
                      const struct ja_strv *names);
    /* What the whole instance needs beside its storage, and its removal at teardown. instance_up may be NULL. */
    void (*instance_up)(struct ja_planning *p);
    void (*instance_down)(struct ja_planning *p);
};

extern const struct ja_host ja_host_linux, ja_host_freebsd;

/* A command in a running jail. */
struct ja_entry {
    const char *pid_file; /* of the jail's init */
    const char *filter;   /* its seccomp filter as the kernel takes it; a missing file is no filter */
    char *const *argv;    /* argv[0] is found by PATH of `env`, in the jail */
    const char *argv0;    /* what the program is told to be ("-sh"); NULL: argv[0] */
    char *const *env;
    const char *dir; /* absolute, in the jail */
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t group_count;
    bool tty;    /* a terminal of its own; without it streams of ours that are terminals are relayed by pipes */
    bool escape; /* Ctrl-] three times within a second leaves it (with tty) */
};

/* Runs it and waits. *ret_status: its exit status, 128 + n for a signal, 126 when it cannot be run, 127 when it is not there;
 * those two come with the reason in *err. The caller has no other children. Defined in src/host/<os>/native. */
int ja_native_enter(const struct ja_entry *entry, int *ret_status, struct ja_error *err);

/* A datagram socket of ours, close-on-exec, that belongs to the network of the running jail that a file of ours names; the
 * caller's. Defined in src/host/<os>/native. */
int ja_native_socket(const char *pid_file, int family, int *ret_fd, struct ja_error *err);

/* The fact reader of the system that we are on; defined in src/host/<os>/native. */
struct ja_fact_reader ja_native_fact_reader(void);

#endif
