/*
 * engine.h: what every front end (command line, console, daemon) calls. A verb of the engine takes locks, reserves in the
 * store, lets a planner plan with facts, and runs the plan or shows it.
 *
 * An engine belongs to one process; after fork() the child calls ja_engine_after_fork.
 */
#ifndef JA_ENGINE_H
#define JA_ENGINE_H

#include "model/model.h"
#include "model/site.h"
#include "plan/finding.h"
#include "plan/planning.h"
#include "run/lock.h"
#include "run/runner.h"
#include "store/store.h"

struct ja_engine_options {
    const char *state;      /* absolute state directory */
    const char *self;       /* the jailadmin program, absolute */
    int os;                 /* enum ja_os; -1: the one we are on */
    const char *facts_file; /* plan for the host that this file describes; implies dry_run */
    bool dry_run;
    bool keep;       /* leave what a failed plan did */
    bool no_natives; /* every step as its command */
    bool incomplete; /* open an instance whose init or teardown was cut off, too (teardown) */
    bool read_only;  /* list, show, exec: never writes, never recovers */
    const volatile int *interrupted;
    /* Shows a plan (dry run). */
    int (*show)(void *context, const struct ja_plan *plan, struct ja_error *err);
    /* Progress and warnings; may be NULL. */
    void (*event)(void *context, const struct ja_event *event);
    void *context;
    /* For tests: another machine than this one, with its own facts. Owned by the caller. */
    struct ja_machine *machine;
    int (*probe)(void *context, const struct ja_plan *plan, size_t step, bool after);
};

struct ja_engine {
    struct ja_engine_options options;
    struct ja_site site;
    struct ja_store *store;
    const struct ja_host *host;
    const struct ja_storage *storage;
    struct ja_machine *machine;
    struct ja_real_machine real;
    struct ja_facts described; /* of the facts file */
    struct ja_strv told;       /* notes of plans that were told already */
    struct ja_change *holding; /* the change that holds locks, the innermost one; see ja_change_lock */
    bool tearing;              /* in teardown: what is gone by then does not count, also when only shown */
    int64_t pool_seen_ms;      /* ja_clock_monotonic_ms when the pool was last made sure of; 0: never */
    char journal[300], locks[300];
};

/* Opens an instance. JA_E_NOTFOUND with a hint when there is none in options->state. */
int ja_engine_open(const struct ja_engine_options *options, struct ja_engine **ret_engine, struct ja_error *err);
/* For an instance that is not there yet: nothing is opened. JA_E_EXISTS when there is a store. */
int ja_engine_open_new(const struct ja_engine_options *options, struct ja_engine **ret_engine, struct ja_error *err);
void ja_engine_close(struct ja_engine *engine);
int ja_engine_after_fork(struct ja_engine *engine, struct ja_error *err);
/* Finishes what dead plans have left (design: only mutating verbs, boot and gc call it). Plans whose object is locked by
 * somebody else are passed over: its holder looks again. `with_kept`: also those that --keep has left, and broken ones. */
int ja_engine_recover(struct ja_engine *engine, bool with_kept, struct ja_error *err);

/* On how many networks a jail can be: each is locked while it starts or stops. */
#define JA_NETWORKS_MOST 16

/*
 * One change of one object, from its locks to its end.
 *
 *     ja_change_begin   takes the lock, recovers what the last holder left, opens the store's transaction
 *     ...               the verb looks, checks and reserves within the transaction
 *     ja_change_apply   ends the transaction, plans, shows or runs, and settles the store
 *     ja_change_end     in every case: rolls back what is open, lets go of the locks
 */
struct ja_change;
typedef int ja_change_check(struct ja_change *change, void *work, struct ja_error *err);
struct ja_change {
    struct ja_engine *engine;
    const char *verb, *kind;
    char name[96];
    char uuid[37]; /* of the object; set by the verb before apply */
    char id[37];
    int64_t started_ms;
    struct ja_lock locks[JA_NETWORKS_MOST + 1];
    size_t lock_count;
    struct ja_change *outer; /* that holds locks too */
    bool open;               /* the transaction is */
    enum ja_result result;
    /* Asked between planning and the first step, when the facts are read; may be NULL. Less than 0: the plan is not run. */
    ja_change_check *check;
};
int ja_change_begin(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *kind,
                    const char *name, struct ja_error *err);
/* The same for a change that needs two names of a kind: both are locked, in one order for everybody. */
int ja_change_begin_two(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *kind,
                        const char *name, const char *other, struct ja_error *err);
/* For one that makes `name` of `from`, which stays as it is meanwhile; others may be made of it at the same time. */
int ja_change_begin_copy(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *kind,
                         const char *name, const char *from, struct ja_error *err);
/* For a change that needs more locks: prepare, the locks in their order (see ja_change_lock), then open. Nobody waits
 * for a lock within the store's transaction. */
int ja_change_prepare(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *kind,
                      const char *name, struct ja_error *err);
int ja_change_open(struct ja_change *change, struct ja_error *err);
/* Released by ja_change_end. The order is checked, since another one could have two processes wait for each other: networks, templates,
 * jails, each by name, then the host, which nobody holds who waits for anything else. holds: whether it is held; of a dry run, which locks nothing, always true. */
int ja_change_lock(struct ja_change *change, const char *kind, const char *name, bool shared, struct ja_error *err);
bool ja_change_holds(const struct ja_change *change, const char *kind, const char *name);
int ja_change_apply(struct ja_change *change, void (*plan)(void *work, struct ja_planning *p), void *work,
                    struct ja_error *err);
void ja_change_end(struct ja_change *change);

/* Plans until no fact is missing. The plan is the caller's, also on failure. */
int ja_engine_plan(struct ja_engine *engine, const char *verb, const char *kind, const char *name,
                   void (*plan)(void *work, struct ja_planning *p), void *work, struct ja_plan *ret_plan,
                   struct ja_error *err);

/* ---- objects of the store ---- */

int ja_engine_get(struct ja_engine *engine, const struct ja_noun *noun, const char *name, void **ret_object,
                  int64_t *ret_revision, struct ja_error *err);
/* The row of an object; row->spec is new, the texts are the object's own (do not ja_row_fini; json_decref the spec). */
int ja_row_of(const struct ja_noun *noun, const void *object, int64_t revision, struct ja_row *ret_row,
              struct ja_error *err);
/* Writes an object in its present state within the transaction and reserves what it needs (slot, addresses, ports). */
int ja_engine_put(struct ja_engine *engine, const struct ja_noun *noun, const void *object, int64_t revision,
                  struct ja_error *err);
/* Makes the store consistent with the object's row after an undo: a row that is still `creating` goes, and reservations that
 * the row does not need go. */
int ja_engine_settle(struct ja_engine *engine, const char *kind, const char *name, const char *uuid,
                     struct ja_error *err);

/* A jail with its networks and template. */
struct ja_loaded {
    struct ja_subject subject;
    struct ja_jail *jail;
    struct ja_template *template;
    struct ja_network **networks;
    struct ja_loaded *last; /* as it ran last, with its own subject; NULL: nothing of it is left */
    int64_t revision;
};
int ja_load_jail(struct ja_engine *engine, const char *name, struct ja_loaded *ret_loaded, struct ja_error *err);
/* Completes what a jail refers to; takes the jail over. */
int ja_load_subject(struct ja_engine *engine, struct ja_jail *jail, struct ja_loaded *ret_loaded, struct ja_error *err);
/* The spec with which the running jail was started, instead of the newest one; as loaded when it does not run. */
void ja_load_applied(struct ja_loaded *loaded);
void ja_loaded_fini(struct ja_loaded *loaded);

/* ---- the verbs; names are checked before anything else ---- */

struct ja_init_request {
    const char *storage; /* "btrfs:DIR", "file:SIZE", "zfs:DATASET"; NULL: file:8G, or zfs where it is there */
    const char *network; /* gateway with prefix of the default network; "none": no network */
    int64_t slots;       /* 0: 4096 */
    bool adopt;          /* around a pool that is there: storage names it, NULL: where it was; no network is made */
};
int ja_engine_init(const struct ja_engine_options *options, const struct ja_init_request *request,
                   struct ja_error *err);
/* Undoes init. Refuses while jails exist unless `force`, which deletes them, in up to `jobs` worker processes. */
int ja_engine_teardown(struct ja_engine *engine, bool force, int jobs, struct ja_error *err);

/* ---- losing and finding again ---- */

/* A consistent copy of the store, and with it of the registration, in a new file, 0600. */
int ja_engine_backup(struct ja_engine *engine, const char *path, struct ja_error *err);
/*
 * Puts such a copy in the store's place, or makes the instance anew from it where there is none: with its own numbers when
 * they are free, else new ones. Refuses (JA_E_CONFLICT) when something that is there now would be forgotten, or belongs to
 * another instance, unless `force`. Trees are left as they are. `lost` receives a line for each object of the copy whose tree
 * is not there.
 */
int ja_engine_restore(const struct ja_engine_options *options, const char *path, bool force, struct ja_strv *ret_lost,
                      struct ja_error *err);

/* What lies in the pool, by its kept spec, against the store. */
enum ja_found_status {
    JA_FOUND_KNOWN,    /* the store has it */
    JA_FOUND_FREE,     /* it has not, and may have it back: adopt */
    JA_FOUND_TAKEN,    /* its name, or its uuid, is another object's by now */
    JA_FOUND_NAMELESS, /* nobody can say what it is: see problem */
    JA_FOUND_DELETED,  /* deleted, and not destroyed yet */
};
struct ja_found {
    const struct ja_noun *noun; /* NULL: deleted */
    const char *name, *version; /* version: of a template that is known, else NULL */
    const char *label;          /* the path below the pool: "jails/web1" */
    char uuid[37];
    void *spec; /* NULL: none that can be read */
    char problem[400];
    enum ja_found_status status;
};
/* Asks only; the pool is mounted. */
int ja_engine_scan(struct ja_engine *engine,
                   int (*each)(void *context, const struct ja_found *found, struct ja_error *err), void *context,
                   struct ja_error *err);
/* Takes these jails back, or all (NULL), with the networks and templates that are found. A jail that runs is taken over
 * running. Returns how many objects failed, each of which was reported, or a negative code. */
int ja_engine_adopt(struct ja_engine *engine, const struct ja_strv *names,
                    void (*report)(void *context, const char *kind, const char *name, int rc,
                                   const struct ja_error *err),
                    void *context, struct ja_error *err);
/* Finishes what was cut off or broken, and removes what stopped jails and networks that are gone have left on the host.
 * Trees are never touched. */
int ja_engine_gc(struct ja_engine *engine, struct ja_error *err);
/*
 * Looks at the host and, when there is one, at the instance; what is found comes in order, also what is well. Takes no lock and
 * changes nothing. `facts_path` (may be NULL) receives the facts that plans for this host and its objects ask for, as a
 * facts file; where there is no instance, those of an init with `storage` (may be NULL) too.
 */
int ja_engine_doctor(const struct ja_engine_options *options, const char *facts_path, const char *storage,
                     int (*each)(void *context, const struct ja_finding *finding, struct ja_error *err), void *context,
                     struct ja_error *err);
/* Destroys one tree that no object owns, by its label or a jail's name. */
int ja_engine_destroy_orphan(struct ja_engine *engine, const char *label, struct ja_error *err);

/* Completes the spec (uuid, slot, addresses, defaults from the template) and makes the jail. `start`: makes and starts it, as one
 * change, so that what does not start is not made. `spec` stays the caller's and is not changed. */
int ja_engine_create(struct ja_engine *engine, const struct ja_jail *spec, bool start, struct ja_error *err);
/* `from` is a jail, or JAIL@SNAPSHOT. `adjust` (may be NULL) changes what the clone takes over, before anything is reserved. */
int ja_engine_clone(struct ja_engine *engine, const char *from, const char *to,
                    int (*adjust)(void *context, struct ja_jail *jail, struct ja_error *err), void *context,
                    struct ja_error *err);
/* *ret_already (may be NULL): it was in the wanted state. */
int ja_engine_start(struct ja_engine *engine, const char *name, bool *ret_already, struct ja_error *err);
int ja_engine_stop(struct ja_engine *engine, const char *name, enum ja_stop how, bool *ret_already,
                   struct ja_error *err);
/* Applies assignments ("limits.memory=1G") to a jail. What a running jail can take at once is applied, the rest waits for
 * the next start: its paths are in ret_done->pending, which the caller frees. `destroy`: volumes that are taken away may be
 * destroyed. ret_done may be NULL. */
struct ja_setdone {
    bool unchanged; /* it was so already */
    struct ja_strv pending;
};
int ja_engine_set(struct ja_engine *engine, const char *name, const struct ja_strv *assignments, bool destroy,
                  struct ja_setdone *ret_done, struct ja_error *err);
/* The jail must not run. */
int ja_engine_rename(struct ja_engine *engine, const char *name, const char *to, struct ja_error *err);
/* The spec that the running jail has; *ret_applied is the caller's, and NULL when it does not run. */
int ja_engine_applied(struct ja_engine *engine, const struct ja_jail *jail, struct ja_jail **ret_applied,
                      struct ja_error *err);
/* Adds the paths of fields in which the two differ and which wait for the next start. */
int ja_engine_pending(const struct ja_jail *applied, const struct ja_jail *wanted, struct ja_strv *ret_paths,
                      struct ja_error *err);
int ja_engine_delete(struct ja_engine *engine, const char *name, bool force, struct ja_error *err);

/* ---- snapshots ---- */

/* All that were taken by jailadmin, jail after jail, oldest first; reads only. */
int ja_engine_snapshots(struct ja_engine *engine, const struct ja_strv *names,
                        int (*each)(void *context, const struct ja_jail *jail, const struct ja_snapshot *snapshot,
                                    struct ja_error *err),
                        void *context, struct ja_error *err);
/* Of a jail, running or not. name NULL: from the time. comment may be NULL. */
int ja_engine_snapshot_create(struct ja_engine *engine, const char *jail, const char *name, const char *comment,
                              char ret_name[JA_SNAPSHOT_NAME], struct ja_error *err);
int ja_engine_snapshot_delete(struct ja_engine *engine, const char *jail, const struct ja_strv *names,
                              struct ja_error *err);
struct ja_rollback_request {
    const char *snapshot;
    const struct ja_strv *volumes; /* that go back too */
    bool all_volumes;
    bool restart; /* a running jail is stopped, and started again */
};
/* What else goes with a rollback: volumes that go back, and snapshots that are lost. Reads only, but for mounting the pool; fails as
 * the rollback would. */
int ja_engine_rollback_lost(struct ja_engine *engine, const char *jail, const struct ja_rollback_request *request,
                            struct ja_strv *ret_volumes, struct ja_strv *ret_snapshots, struct ja_error *err);
/* *ret_ran (may be NULL): it ran before. */
int ja_engine_rollback(struct ja_engine *engine, const char *jail, const struct ja_rollback_request *request,
                       bool *ret_ran, struct ja_error *err);
/* What has changed since in the trees of a jail: '+' new, '-' gone, 'M' changed. Paths are as the jail has them, and the jail's
 * words. */
int ja_engine_snapshot_diff(struct ja_engine *engine, const char *jail, const char *snapshot,
                            int (*each)(void *context, char change, const char *path, struct ja_error *err),
                            void *context, struct ja_error *err);
/* Takes the snapshot that the jail's schedules want at this time, and deletes those that none of them keeps any more. */
struct ja_ticked {
    char taken[JA_SNAPSHOT_NAME]; /* "": none was due */
    size_t deleted;
};
int ja_engine_tick(struct ja_engine *engine, const char *jail, int64_t now_ms, struct ja_ticked *ret_ticked,
                   struct ja_error *err);
/* Adds the names of the jails that have schedules. */
int ja_engine_tick_names(struct ja_engine *engine, struct ja_strv *ret_names, struct ja_error *err);

/* ---- boot environments ---- */

struct ja_be_listed {
    const struct ja_jail *jail;
    const struct ja_be *be;
    bool active, running;
    int64_t used; /* bytes that its tree refers to; -1: not known */
    const char *path;
    const char *mounted; /* where it is mounted besides; NULL: nowhere */
};
/* Jail after jail, in order of names; reads only. */
int ja_engine_environments(struct ja_engine *engine, const struct ja_strv *names,
                           int (*each)(void *context, const struct ja_be_listed *listed, struct ja_error *err),
                           void *context, struct ja_error *err);
/* `from`: a boot environment or "@SNAPSHOT"; NULL: the active one. The jail may run. */
int ja_engine_be_create(struct ja_engine *engine, const char *jail, const char *name, const char *from,
                        struct ja_error *err);
/* *ret_running: the jail runs on another one until it is started again. */
int ja_engine_be_activate(struct ja_engine *engine, const char *jail, const char *name, bool *ret_running,
                          struct ja_error *err);
int ja_engine_be_delete(struct ja_engine *engine, const char *jail, const struct ja_strv *names, struct ja_error *err);
/* Mounts its tree for root to work in. `dir`: absolute, an empty directory; NULL: one that nobody else reaches is made. *ret_dir: where,
 * the caller's. */
int ja_engine_be_mount(struct ja_engine *engine, const char *jail, const char *name, const char *dir, bool read_only,
                       char **ret_dir, struct ja_error *err);
int ja_engine_be_unmount(struct ja_engine *engine, const char *jail, const char *name, char **ret_dir,
                         struct ja_error *err);

struct ja_upgrade_request {
    const char *be; /* the new one's name */
    bool keep_failed;
    int64_t timeout_ms; /* how long `health` may fail before the upgrade does */
    /* Told what is done next; may be NULL. */
    void (*say)(void *context, const char *what);
    /* Runs the command in the jail, which runs on the new boot environment; and looks whether all is well, within that time, ms. Both
     * fail with *err filled. */
    int (*command)(void *context, struct ja_error *err);
    int (*health)(void *context, int64_t timeout_ms, struct ja_error *err); /* NULL: nothing is looked at */
    void *context;
};
/* Made of plans of its own, see upgrade.c. When it fails the jail is what it was. *ret_ran: it ran before. Of a dry run only the first
 * plan is shown. */
int ja_engine_upgrade(struct ja_engine *engine, const char *jail, const struct ja_upgrade_request *request,
                      bool *ret_ran, struct ja_error *err);
/* Goes back from an upgrade whose process has died; nothing when there is none, or one that lives. */
int ja_engine_upgrade_settle(struct ja_engine *engine, const char *jail, struct ja_error *err);

/* What a new version of a template is made from, and what is done in it. Nothing is owned. */
struct ja_template_request {
    const struct ja_template *spec; /* name; source (see plan/source.h); labels, init and os of a new one */
    const char *sha256;             /* of the archive; NULL: any */
    const char *mirror;             /* of debian:SUITE and freebsd:VERSION; NULL: the host's own, or FreeBSD's server */
    const char *network;            /* of the temporary jail; "none"; NULL: default, if there is such a network */
    const struct ja_strv *packages; /* may be NULL, as env and mounts */
    const struct ja_map *env;
    const struct ja_list *mounts; /* of the temporary jail: struct ja_mount */
    const struct ja_build_command *commands;
    size_t command_count;
};
/* A new template, or a new version of one that exists. ret_version (24 bytes) may be NULL. */
int ja_engine_template_build(struct ja_engine *engine, const struct ja_template_request *request, char *ret_version,
                             struct ja_error *err);
/* The same with nothing but a source. */
int ja_engine_template_create(struct ja_engine *engine, const struct ja_template *spec, struct ja_error *err);
/* With all versions; jails made from it stay. */
int ja_engine_template_delete_all(struct ja_engine *engine, const char *name, struct ja_error *err);
/* One version; with the last one the template goes. The newest of those that are left is the current one. */
int ja_engine_template_delete_version(struct ja_engine *engine, const char *name, const char *version,
                                      struct ja_error *err);
int ja_engine_template_rename(struct ja_engine *engine, const char *name, const char *to, struct ja_error *err);

int ja_engine_network_create(struct ja_engine *engine, const struct ja_network *spec, struct ja_error *err);
/* Applies assignments ("nat=none", "dns=no") to a network; what can change while its jails run does so at once. */
int ja_engine_network_set(struct ja_engine *engine, const char *name, const struct ja_strv *assignments,
                          struct ja_error *err);
/* The names of the jails whose nics are on it. */
int ja_engine_network_jails(struct ja_engine *engine, const char *name, struct ja_strv *ret_names,
                            struct ja_error *err);
/* Rebuilds what somebody has removed of networks and of running jails. `report` gets one sentence for each thing done, and
 * an error for what could not be; the first failure is returned after the rest was tried. */
int ja_engine_repair(struct ja_engine *engine,
                     void (*report)(void *context, const char *object, const char *what, const struct ja_error *err),
                     void *context, struct ja_error *err);
int ja_engine_network_delete(struct ja_engine *engine, const char *name, struct ja_error *err);
/* Brings up what of a network's kernel part is missing. */
int ja_engine_network_ensure(struct ja_engine *engine, const char *name, struct ja_error *err);
/* Mounts the pool if it is not. */
int ja_engine_pool_ensure(struct ja_engine *engine, struct ja_error *err);
/* The same, and the trees of a jail where they are mounted one by one: before anything looks into them. */
int ja_engine_trees_ensure(struct ja_engine *engine, const char *name, struct ja_error *err);

#define JA_JOBS_MOST 256
/* Runs `one` for every name, in up to `jobs` worker processes, JA_JOBS_MOST at most; `report` is called in this process in order
 * of completion. Returns 0 when all succeeded, else how many failed. After Ctrl-C no more are begun: they count as failed, and
 * are not reported. */
int ja_engine_each(struct ja_engine *engine, const struct ja_strv *names, int jobs,
                   int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                   void (*report)(void *context, const char *name, int rc, const struct ja_error *err), void *context);

/* The same in the order of priorities and dependencies, one wave of jails after the other. *ret_total is how many there are,
 * set before the first report. Returns how many failed, or a negative code: a circle of dependencies. */
enum ja_ordering {
    JA_ORDER_START, /* with what they depend on; a jail whose dependency failed fails too */
    JA_ORDER_PLAIN, /* those that are named, in the order of starting */
    JA_ORDER_STOP,  /* those that are named, in the opposite order */
};
int ja_engine_ordered(struct ja_engine *engine, const struct ja_strv *names, int jobs, enum ja_ordering ordering,
                      size_t *ret_total,
                      int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                      void (*report)(void *context, const char *name, int rc, const struct ja_error *err),
                      void *context, struct ja_error *err);

/* After a boot of the host: mounts the pool, makes the networks, and adds the names of the jails that are to be started. */
int ja_engine_boot(struct ja_engine *engine, struct ja_strv *ret_names, struct ja_error *err);
/* Adds the names of the jails that run. */
int ja_engine_running(struct ja_engine *engine, struct ja_strv *ret_names, struct ja_error *err);

/* ---- what is there ---- */

enum ja_state {
    JA_STATE_STOPPED,
    JA_STATE_RUNNING,
    JA_STATE_CREATING,
    JA_STATE_STARTING,
    JA_STATE_STOPPING,
    JA_STATE_DYING,
    JA_STATE_BROKEN
};
const char *ja_state_name(enum ja_state state);

struct ja_listed {
    struct ja_jail *jail;
    /* What it runs with, where that has other addresses than it is to have from its next start on; else NULL. Of a list, and for the
     * call only. */
    const struct ja_jail *applied;
    enum ja_state state;
    char started[32]; /* RFC 3339, or "" */
    pid_t pid;        /* of its init, 0: none */
};
/* All jails whose name matches the glob (NULL: all), in order of name, without starting a process. `brief`: of each jail nothing is set
 * but name, uuid, slot, state, template, version, networks and addresses of nics, and labels, which is quick. */
int ja_engine_list(struct ja_engine *engine, const char *glob, bool brief,
                   int (*each)(void *context, const struct ja_listed *listed, struct ja_error *err), void *context,
                   struct ja_error *err);
int ja_engine_state(struct ja_engine *engine, const struct ja_jail *jail, struct ja_listed *ret_listed,
                    struct ja_error *err);

/* What a jail uses; -1: not known. What is counted since its start is for ja_usage_compare, where the system has no rates. */
struct ja_usage {
    int64_t cpu;    /* thousandths of a core */
    int64_t cpu_us; /* microseconds of processor time since its start */
    int64_t memory; /* bytes, without cached files that can be given up */
    int64_t swap;
    int64_t processes; /* and threads */
    int64_t files;
    int64_t disk;                  /* bytes that its boot environment refers to; also of one that does not run */
    int64_t read, written;         /* bytes, of disks */
    int64_t read_rate, write_rate; /* bytes a second */
    int64_t received, sent;        /* bytes, of its nics */
    int64_t receive_rate, send_rate;
    int64_t oom_kills; /* how many of its processes were ended for want of memory */
    int64_t at_us;     /* when it was read, monotonic */
};
void ja_usage_clear(struct ja_usage *usage);
/* Of `count` jails at once; changes nothing. */
int ja_engine_usage(struct ja_engine *engine, const struct ja_listed *jails, size_t count, struct ja_usage *ret_usage,
                    struct ja_error *err);
/* Fills rates of `now` from what was counted until then. */
void ja_usage_compare(struct ja_usage *now, const struct ja_usage *before);
/* Bytes of each of its volumes, in their order; -1: not known. */
int ja_engine_volumes_used(struct ja_engine *engine, const struct ja_jail *jail, int64_t *ret_bytes,
                           struct ja_error *err);

/* A command in a running jail: no plan, no lock, nothing is written. */
struct ja_inside {
    const char *user;          /* a name, UID or UID:GID; NULL: root */
    const char *dir;           /* absolute; NULL: "/", of a login the user's home */
    struct ja_strv env;        /* KEY=VALUE, after what every command has */
    char *const *command;      /* NULL: a login shell of the user */
    const char *terminal_type; /* TERM, with tty */
    bool tty;                  /* a terminal of its own */
    bool escape;               /* Ctrl-] three times within a second leaves it */
};
/* *ret_status: its exit status, as ja_native_enter says; below 0 when it was not even tried. */
int ja_engine_enter(struct ja_engine *engine, const char *name, const struct ja_inside *inside, int *ret_status,
                    struct ja_error *err);

/*
 * Sends packets between the host and a running jail, for each of its nics or one (`nic`), for `ms` and a little, and calls `each` with
 * what the running jail is shaped by and what was seen: both[0] of what it is sent, both[1] of what it sends. JA_E_TIMEOUT:
 * nothing arrives there.
 */
struct ja_measure; /* run/measure.h */
int ja_engine_measure(struct ja_engine *engine, const char *name, const char *nic, int64_t ms,
                      int (*each)(void *context, const struct ja_nic *nic, const struct ja_measure *both,
                                  struct ja_error *err),
                      void *context, struct ja_error *err);

/* `jailadmin host store-...`; with a store that is open, or NULL to open the one of --state. `commit_id`: the plan that is
 * committed with it, or NULL. */
int ja_store_verb(struct ja_engine *engine, int argc, char *const *argv, const char *input, const char *commit_id,
                  struct ja_error *err);

#endif
