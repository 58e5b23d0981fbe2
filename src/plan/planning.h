/*
 * planning.h: what a planner works with, and the planners of all verbs. Planners are pure: facts and specs in, steps out.
 */
#ifndef JA_PLANNING_H
#define JA_PLANNING_H

#include "model/model.h"
#include "model/site.h"
#include "plan/plan.h"

struct ja_addr;
struct ja_host;
struct ja_storage;

struct ja_planning {
    struct ja_plan *plan;
    struct ja_facts *facts;
    const struct ja_site *site;
    const struct ja_host *host;       /* emitters of the operating system */
    const struct ja_storage *storage; /* emitters of the storage */
    /* While a template is built: the temporary jail in which that happens, and the template's tree, which is its tree. Its
     * init is a process that does nothing, and no file of the tree is written for it. */
    const struct ja_jail *build;
    const char *build_tree;
    /* A jail that this plan makes and starts: what its tree will hold is looked up in the tree that it is a clone of. */
    const struct ja_jail *fresh;
};

/* A jail with all that a planner must know of what it refers to. Nothing is owned. */
struct ja_subject {
    const struct ja_jail *jail;
    const struct ja_template *template;       /* NULL when it is gone */
    const struct ja_network *const *networks; /* one for each nic of jail->nics, in order */
    const struct ja_subject *last;            /* as it ran last, when it has left something; NULL: as it is */
};

/* A step that is a verb of our own: `jailadmin host VERB ...`. */
struct ja_step *ja_plan_host_step(struct ja_planning *p, const char *verb, const char *why, ...) JA_PRINTF(3, 4);
/* Adds the undo `jailadmin host VERB ARGUMENT...` to a step. */
void ja_step_undo_host(struct ja_planning *p, struct ja_step *step, const char *verb, ...) __attribute__((sentinel));
/* What has been added last is where the plan commits; nothing in a plan without steps, which has failed or needs none. */
void ja_plan_commit_last(struct ja_planning *p);
/* Steps of the store. put: the whole spec. set: assignments such as "wanted=running". */
struct ja_step *ja_plan_store_put(struct ja_planning *p, const struct ja_noun *noun, const void *object,
                                  const char *why);
struct ja_step *ja_plan_store_set(struct ja_planning *p, const char *kind, const char *name, const char *assignment,
                                  const char *why);
struct ja_step *ja_plan_store_delete(struct ja_planning *p, const char *kind, const char *name, const char *why);
/* A directory of ours that is made with its undo. `persistent` when it is not below /run. */
void ja_plan_mkdir(struct ja_planning *p, const char *path, const char *mode, bool persistent, const char *why);
/* All that was changed in the file system of this directory is on the disk, before what follows says that it is done. */
void ja_plan_sync(struct ja_planning *p, const char *dir, const char *why);

/* The steps from `first` on change the pool only, and sync no file alone: JA_STEP_POOL, on a storage that keeps their order. */
void ja_plan_in_pool(struct ja_planning *p, size_t first);

/* Gives a tree the ids that jails have on the host (`to_jails`), or those of a template, where ja_site_shifts; elsewhere
 * nothing. For trees that the same plan made: it has no undo. */
void ja_plan_shift_ids(struct ja_planning *p, const char *tree, bool to_jails, const char *why);

/*
 * Specs beside the trees, from which `adopt` brings objects back when the store is lost: jails/NAME/spec.json,
 * templates/NAME/spec.json, instance/NAME.network.json. A planner that puts a changed object into the store keeps its
 * spec too, before the commit step; the undo puts the old one back. Written to disk at once.
 */
void ja_plan_keep_spec(struct ja_planning *p, const struct ja_noun *noun, const void *object);
/* The same where a snapshot in the pool follows, whose commit takes it to the disk. */
void ja_plan_keep_spec_early(struct ja_planning *p, const struct ja_noun *noun, const void *object);
/* The same where the object is still kept under another name: before its directory is renamed. */
void ja_plan_keep_spec_as(struct ja_planning *p, const struct ja_noun *noun, const void *object, const char *name);
/* Writes JSON (taken; NULL: out of memory) to a file of the pool; the undo puts back what was there. */
void ja_plan_write_json(struct ja_planning *p, const char *path, json_t *json, const char *why);
/* A new object, called `name`, from its record, JSON, or from a member of that; without anything else when there is none that can be
 * read (*ret_recorded, may be NULL). NULL with the plan failed when memory is out. */
void *ja_plan_read_record(struct ja_planning *p, const struct ja_noun *noun, const char *text, const char *member,
                          const char *name, bool *ret_recorded);
/* An object as JSON; the caller's. NULL with the plan failed when memory is out. */
char *ja_plan_spec_text(struct ja_planning *p, const struct ja_noun *noun, const void *object);
/* Whether somebody removed or damaged one of these, or instance/site.json. */
bool ja_plan_spec_lost(struct ja_planning *p, const struct ja_noun *noun, const void *object);
bool ja_plan_site_lost(struct ja_planning *p);
/* Removes it, after the commit; repeatable. */
void ja_plan_drop_spec(struct ja_planning *p, const struct ja_noun *noun, const char *name);
/* Which instance the pool belongs to, instance/site.json, as `adopt` needs it; and its removal with all of instance/. */
void ja_plan_keep_site(struct ja_planning *p);
void ja_plan_drop_site(struct ja_planning *p);
char *ja_path_spec(struct ja_planning *p, const struct ja_noun *noun, const char *name);

/* Paths below the pool; each returned text is the caller's. On no memory the plan is failed and NULL returned. */
char *ja_path_template(struct ja_planning *p, const char *name, const char *version); /* version NULL: the directory */
char *ja_path_jail(struct ja_planning *p, const char *name);                          /* .../jails/web1 */
char *ja_path_root(struct ja_planning *p, const struct ja_jail *jail);                /* .../jails/web1/root/default */
/* Where that can be read while a plan is made, for facts about what is in it. */
char *ja_path_seen(struct ja_planning *p, const struct ja_jail *jail);
char *ja_path_be(struct ja_planning *p, const struct ja_jail *jail, const char *be); /* be "": the directory of all */
char *ja_path_volume(struct ja_planning *p, const char *jail, const char *volume);
char *ja_path_deleted(struct ja_planning *p, const char *uuid);
char *ja_path_run(struct ja_planning *p, const struct ja_jail *jail); /* RUN/jails/<slot>: bundle, pid, applied spec */

/* The verbs. */
/* All that an instance is made of, up to its default network (NULL: none); and its removal, for an instance without objects. */
void ja_plan_init_instance(struct ja_planning *p, int64_t loop_size, const struct ja_network *network);
void ja_plan_teardown(struct ja_planning *p);
/* An instance around a pool that is there already: made, mounted or in a file. What is in it is left as it is. */
void ja_plan_adopt_instance(struct ja_planning *p);
/* `start`: made and started as one change, so that a jail which does not start is not made either. */
void ja_plan_jail_create(struct ja_planning *p, const struct ja_subject *s, bool start);
/* From the tree of another jail (its active boot environment), with its volumes, as they are now or in a snapshot. */
void ja_plan_jail_clone(struct ja_planning *p, const struct ja_jail *from, const char *snapshot,
                        const struct ja_subject *s);
void ja_plan_jail_start(struct ja_planning *p, const struct ja_subject *s);
/* The same, but whether it is wanted running stays as it is. */
void ja_plan_jail_try(struct ja_planning *p, const struct ja_subject *s);
/* The subject is the spec that the running jail was started with, which does not tell whether it is wanted now: who may stop one that is not
 * chooses between those that leave it wanted and the first two. */
enum ja_stop {
    JA_STOP_GRACEFUL,
    JA_STOP_FORCE,       /* at once */
    JA_STOP_SHUTDOWN,    /* graceful, for a host that goes down: it stays wanted, for boot=last */
    JA_STOP_AGAIN,       /* graceful, and it is going to be started again, or deleted: it stays wanted until then */
    JA_STOP_AGAIN_FORCE, /* the same at once */
};
void ja_plan_jail_stop(struct ja_planning *p, const struct ja_subject *s, enum ja_stop how);
/* A change of a jail's fields. `applied` and `live`: what the running jail has, and what it has afterwards; NULL when it
 * does not run. */
struct ja_jailset {
    const struct ja_jail *old;    /* as stored until now */
    const struct ja_subject *new; /* as wanted */
    const struct ja_subject *applied, *live;
};
void ja_plan_jail_set(struct ja_planning *p, const struct ja_jailset *set);
/* For a jail that does not run. */
void ja_plan_jail_rename(struct ja_planning *p, const struct ja_subject *s, const char *to);
/* Commands on the host; a failure is a warning with `may_fail`. */
void ja_plan_hooks(struct ja_planning *p, const struct ja_jail *jail, const char *hook, const struct ja_strv *commands,
                   bool may_fail);
/* /etc/hosts and /etc/resolv.conf of a jail, undoably, before it starts. */
void ja_plan_names(struct ja_planning *p, const struct ja_subject *s);
/* The gateway's address of a family on a network; false when it has none. */
bool ja_network_gateway(const struct ja_network *network, bool v6, struct ja_addr *ret_gateway);
/* The domain of a network's names: its own, or NETWORK.internal (the top-level domain that is set aside for private use). */
#define JA_DOMAIN_TEXT 256
void ja_network_domain(const struct ja_network *network, char domain[JA_DOMAIN_TEXT]);
/* Services of a running jail: repeatable steps, after the start's commit, and before its init is ended; then its stop-command.
 * `run` is its runtime directory. */
void ja_plan_services_start(struct ja_planning *p, const struct ja_jail *jail, const char *run);
void ja_plan_services_stop(struct ja_planning *p, const struct ja_jail *jail, const char *run);
/* The spec of a running jail, RUN/jails/SLOT/applied.json, that stop and changes at once work from. `old`: what the undo puts back;
 * NULL: nothing. */
void ja_plan_note_applied(struct ja_planning *p, const struct ja_jail *jail, const struct ja_jail *old);
/* Steps that remove what a jail that does not run has left; none when there is nothing. */
void ja_plan_jail_clean(struct ja_planning *p, const struct ja_subject *s);
/* `unmount`: boot environments that are mounted somewhere are unmounted; else they keep it from being deleted. */
void ja_plan_jail_delete(struct ja_planning *p, const struct ja_subject *s, bool unmount);
/* What is done in a template's tree before it is sealed: one command of --run, or one script of --script. */
struct ja_build_command {
    const char *text;   /* for sh(1), or the whole script */
    const char *script; /* the script's name; NULL: a command */
};
/* Where the base system of a FreeBSD release is, found before planning. */
struct ja_freebsd_release {
    const char *version; /* "14.1-RELEASE" */
    bool local;          /* the archive is a file of the host */
    bool trusted;        /* the checksum is the user's own, or that of a manifest that was installed by itself */
    char archive[1200];  /* absolute path or URL */
    char manifest[1200]; /* URL of the manifest that must do without a trusted checksum; else "" */
};
/* A new version of a template. Nothing is owned. */
struct ja_template_build {
    const struct ja_template *template; /* as it will be, with the version in it */
    const struct ja_template_version *version;
    const char *from; /* a source, see plan/source.h; of an archive its checksum is that of the version, if known */
    const struct ja_jail *jail;               /* of jail:NAME that jail, else NULL */
    const char *snapshot;                     /* of jail:NAME@SNAPSHOT, else NULL */
    const char *mirror;                       /* of debian:SUITE; NULL: the host's own */
    const struct ja_freebsd_release *release; /* of freebsd:VERSION */
    const struct ja_map *env;                 /* of the request: proxies for what is fetched; may be NULL */
    const struct ja_subject *builder;         /* the temporary jail, when there is something to be done in one */
    const struct ja_strv *packages;
    const struct ja_build_command *commands;
    size_t command_count;
};
void ja_plan_template_create(struct ja_planning *p, const struct ja_template_build *build);
/* The steps in between: the tree is filled, and what is to be done in it is done. */
void ja_plan_template_build(struct ja_planning *p, const struct ja_template_build *build, const char *tree);
/* Fills an empty tree with a Debian system. */
void ja_plan_debian(struct ja_planning *p, const char *suite, const char *mirror, const char *tree);
/* Fills an empty tree with a FreeBSD system: from a release's archive, or by make in its sources. `path`: beside the tree, for
 * what is fetched. */
void ja_plan_freebsd(struct ja_planning *p, const struct ja_template_build *build, const char *path, const char *tree);
void ja_plan_freebsd_src(struct ja_planning *p, const char *sources, const char *tree);
/* From the packages of the base system; `rest`: what follows "pkgbase:". The stage that they are installed from is beside the tree. */
void ja_plan_pkgbase(struct ja_planning *p, const struct ja_template_build *build, const char *rest, const char *tree);
/* Notes a version of FreeBSD, "14.1-RELEASE", that is newer than the kernel of the host. */
void ja_plan_compare_release(struct ja_planning *p, const char *version);
/* Proxies of what is fetched, which programs know by their environment, as --env gives them; before the program's own words. */
void ja_plan_proxies(struct ja_planning *p, struct ja_step *step, const struct ja_map *env);
/* The proxy in the text of the fact about apt, "" for none. */
void ja_debian_proxy(const char *apt, char proxy[512]);
/* Without one of its versions, which is not the last one: `left` is the template as it will be. */
void ja_plan_template_delete_version(struct ja_planning *p, const struct ja_template *left,
                                     const struct ja_template_version *version);
void ja_plan_template_rename(struct ja_planning *p, const struct ja_template *template, const char *to);
void ja_plan_template_delete(struct ja_planning *p, const struct ja_template *template);
/* Snapshots. One that is not there fails the plan; NULL then, and while facts are missing. *list is the caller's to end with
 * ja_list_fini. */
const struct ja_snapshot *ja_plan_find_snapshot(struct ja_planning *p, const struct ja_jail *jail, const char *name,
                                                struct ja_list *list);
/* `snapshot` has all but the trees it holds: those are the jail's. */
void ja_plan_snapshot_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *snapshot);
void ja_plan_snapshot_delete(struct ja_planning *p, const struct ja_jail *jail, const struct ja_strv *names);
/* What of a jail becomes what it was. */
struct ja_rollback {
    const struct ja_subject *subject;
    const char *name;
    const struct ja_strv *volumes; /* names of volumes too */
    bool all_volumes;              /* all that the jail and the snapshot have */
    const char *uuid;              /* a new one, for what is put aside */
    /* Filled by the planner: */
    const struct ja_snapshot *snapshot;
    bool root;            /* the jail's tree too: the snapshot has one */
    struct ja_strv trees; /* volumes */
};
/* For a jail that does not run. */
void ja_plan_snapshot_rollback(struct ja_planning *p, const struct ja_rollback *rollback);
/* The volumes that go back, and the snapshots that are lost with it. */
void ja_plan_rollback_lost(struct ja_planning *p, const struct ja_rollback *rollback, struct ja_strv *ret_volumes,
                           struct ja_strv *ret_snapshots);
/* Which schedules want a snapshot at this time (ms since 1970), and which snapshots none of them keeps any more. Only those that
 * schedules made are ever named; those of the future, as a clock that was wrong has left them, neither count nor go. */
int ja_keep_due(const struct ja_keep *keep, const struct ja_list *snapshots, int64_t now_ms,
                struct ja_strv *ret_schedules);
int ja_keep_old(const struct ja_keep *keep, const struct ja_list *snapshots, int64_t now_ms, struct ja_strv *ret_names);
/* "2026-11-26-1432", in UTC; with seconds where that is taken. */
#define JA_SNAPSHOT_NAME 64
void ja_snapshot_name(int64_t now_ms, const struct ja_list *taken, const char *suffix, char name[JA_SNAPSHOT_NAME]);
/* Boot environments. What there is of them is asked of the pool: their trees, and jails/NAME/be/BE.json for each that was made
 * by a verb of its own. jails/NAME/upgrade names the one that an upgrade is trying. The list is the caller's, to be ended with
 * ja_list_fini. */
void ja_plan_environments(struct ja_planning *p, const struct ja_jail *jail, struct ja_list *ret_list);
/* One that is not there fails the plan with the names of those that are; `object`: what the error is about, may be NULL. */
const struct ja_be *ja_plan_find_be(struct ja_planning *p, const struct ja_jail *jail, const char *name,
                                    const char *object, const struct ja_list *list);
/* Where it is noted which one an upgrade is trying; the caller's. */
char *ja_path_upgrade(struct ja_planning *p, const struct ja_jail *jail);
/* `be` has all but its origin. `from`: a boot environment or "@SNAPSHOT"; NULL: the active one. be->trial: for an upgrade. */
void ja_plan_be_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_be *be, const char *from);
/* It is the jail's root from the next start on. `trial`: it is the one that an upgrade was trying. */
void ja_plan_be_activate(struct ja_planning *p, const struct ja_jail *jail, const char *name, bool trial);
/* `running`: the one that the jail runs on, NULL when it does not run. `uuids`: new ones, one for each name. */
void ja_plan_be_delete(struct ja_planning *p, const struct ja_subject *s, const char *running,
                       const struct ja_strv *names, const struct ja_strv *uuids, bool trial);
/* An upgrade tries nothing any more; what it tried stays. */
void ja_plan_be_keep(struct ja_planning *p, const struct ja_jail *jail);
/*
 * Trees of boot environments that are mounted where root works in them, besides the pool; a fact of the kernel. A map of them is from
 * the directory to the name of the boot environment (or to the path in one, "next/etc", which is none of our verbs' doing).
 */
void ja_plan_binds(struct ja_planning *p, const struct ja_jail *jail, struct ja_map *ret_dirs);
const char *ja_bind_of(const struct ja_map *dirs, const char *be); /* where; NULL: it is not mounted */
/* Fails the plan when one is mounted; `be`: of this one only, NULL: of any. */
void ja_plan_check_unbound(struct ja_planning *p, const struct ja_jail *jail, const char *be);
/* Unmounts all of a jail, undoably, before its trees go; and removes the directories that were made for them, repeatably. */
void ja_plan_unbind(struct ja_planning *p, const struct ja_jail *jail, struct ja_map *ret_dirs);
void ja_plan_unbound(struct ja_planning *p, const struct ja_map *dirs);
/* Removes directories that were made for such mounts and that nothing is mounted at, repeatably; nothing when there are none. */
void ja_plan_drop_own_dirs(struct ja_planning *p);
struct ja_be_mounting {
    const char *name;
    const char *dir; /* absolute; NULL: one below the runtime directory is made */
    bool read_only;
    const char *running; /* the one that the jail runs on; NULL: it does not run */
};
/* *ret_dir: where; what it held before is freed. The caller's. */
void ja_plan_be_mount(struct ja_planning *p, const struct ja_jail *jail, const struct ja_be_mounting *mounting,
                      char **ret_dir);
void ja_plan_be_unmount(struct ja_planning *p, const struct ja_jail *jail, const char *name, char **ret_dir);
void ja_plan_network_create(struct ja_planning *p, const struct ja_network *network);
void ja_plan_network_delete(struct ja_planning *p, const struct ja_network *network);
/* A change of a network's fields: the running jails on it as they are and as they are then, `count` of each. */
struct ja_networkset {
    const struct ja_network *from, *to;
    const struct ja_subject *from_jails, *to_jails;
    size_t count;
};
void ja_plan_network_set(struct ja_planning *p, const struct ja_networkset *set);
/* What is missing of what networks share, and of a running jail; no step when nothing is. */
void ja_plan_instance_repair(struct ja_planning *p);
void ja_plan_jail_repair(struct ja_planning *p, const struct ja_subject *s);
void ja_plan_spec_repair(struct ja_planning *p, const struct ja_noun *noun, const void *object);
/* Makes the kernel's part of a network: bridge, rules, resolver. Needed once after creation and after each boot. */
void ja_plan_network_up(struct ja_planning *p, const struct ja_network *network);
bool ja_network_is_up(struct ja_planning *p, const struct ja_network *network);
/* Directories below RUN that are missing. */
void ja_plan_runtime_dirs(struct ja_planning *p);
/* Runtime directories and the mount of the pool; nothing when they are there. */
void ja_plan_pool_mount(struct ja_planning *p);

#endif
