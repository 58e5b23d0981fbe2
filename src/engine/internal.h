/*
 * internal.h: what the files of the engine share. Only src/engine includes it.
 */
#ifndef JA_ENGINE_INTERNAL_H
#define JA_ENGINE_INTERNAL_H

#include "base/clock.h"
#include "base/sha256.h"
#include "engine/engine.h"
#include "run/registry.h"

const struct ja_host *ja_host_of(int os); /* NULL: none */
const struct ja_storage *ja_storage_of(int storage);
/* Fills what depends on this call: state directory and program. */
void ja_site_place(struct ja_site *site, const struct ja_engine_options *options);
/* The operating system of an instance that is made now: as asked for, else that of this machine. */
enum ja_os ja_options_os(const struct ja_engine_options *options);
/* Chooses emitters and the machine from options and site. */
int ja_engine_machine(struct ja_engine *engine, struct ja_error *err);
void ja_engine_paths(struct ja_engine *engine);

/* The state directory with its parts and the store, for the engine's site. remove_state takes them away, with the
 * registration unless that is to stay: jails may run with its numbers, and are to be adopted. What else is in the directory is
 * not ours and stays, with the directory. */
int ja_engine_make_state(struct ja_engine *engine, struct ja_error *err);
int ja_engine_remove_state(struct ja_engine *engine, bool keep_registered, struct ja_error *err);
/* 1: the registration under the site's tag is this instance's, or damaged; 0: there is none, or it is another's by now. */
int ja_engine_is_registered(const struct ja_engine *engine, struct ja_error *err);
/* The numbers of a registered instance, and what follows from them. */
void ja_site_take(struct ja_site *site, const struct ja_instance *instance);
/* The other way round: what is to be registered for a site in this state directory. */
void ja_site_give(const struct ja_site *site, const char *state, struct ja_instance *ret_instance);

/* Refuses to go on with what a store calls cut off when its pool has trees: an init had none yet, a teardown deletes them first, so they
 * belong to jails that a damaged store has forgotten. */
int ja_check_forgotten(struct ja_engine *engine, struct ja_error *err);

/* The runner's view of an engine, without events. */
struct ja_run ja_engine_run(struct ja_engine *engine);
void ja_engine_event(void *context, const struct ja_event *event);
int ja_engine_probe(void *context, const struct ja_plan *plan, size_t step, bool after);
int ja_engine_store_step(void *context, const char *id, const struct ja_cmd *cmd, bool commit, struct ja_error *err);
/* Marks an object as broken, or as no longer broken; then it is what it was before, ready or being created. A missing row is success. */
int ja_engine_mark(struct ja_engine *engine, const char *kind, const char *name, bool broken, struct ja_error *err);
bool ja_row_is_broken(const struct ja_row *row);

/* The lock of an object, LOCKS/KIND-NAME, as ja_lock_take. Changes take theirs by ja_change_lock, which keeps the order. */
int ja_engine_lock(const struct ja_engine *engine, const char *kind, const char *name, bool shared, int64_t wait_ms,
                   const char *who, struct ja_lock *ret_lock, struct ja_error *err);
/* Before another store takes the place of the one that knew of them: dead plans are put aside, neither undone nor finished. What only that
 * store knew to have ended would be undone, and trees with it that are wanted. `committed`: also those that can only go forward: the other
 * store may know again what they take away. */
/* Whether there are plans that have not ended, dead or alive. */
bool ja_engine_any_dead(const struct ja_engine *engine);
int ja_engine_leave_dead(struct ja_engine *engine, bool committed, struct ja_error *err);
/* Recovers the dead plans of one object, whose lock is held. */
int ja_recover_object(struct ja_engine *engine, const char *kind, const char *name, struct ja_error *err);

/* Runs a plan that has no object of its own when facts say that it is needed: asked without a lock, planned again under
 * it. When the object that `work` is of has another revision by then it is JA_E_CONFLICT, or JA_E_NOTFOUND; 0: it is of none.
 * What was done is added to *done, one sentence each, unless that is NULL. */
int ja_engine_ensure(struct ja_engine *engine, const char *verb, const char *kind, const char *name, int64_t revision,
                     void (*plan)(void *work, struct ja_planning *p), void *work, struct ja_strv *done,
                     struct ja_error *err);
/* The same with ja_change.check. */
int ja_engine_ensure_checked(struct ja_engine *engine, const char *verb, const char *kind, const char *name,
                             int64_t revision, ja_change_check *check, void (*plan)(void *work, struct ja_planning *p),
                             void *work, struct ja_strv *done, struct ja_error *err);

/* Asks facts, round after round until none is missing; each round begins anew. A failure of the plan is the answer's; steps are
 * thrown away. */
int ja_engine_ask(struct ja_engine *engine, void (*ask)(void *work, struct ja_planning *p), void *work,
                  struct ja_error *err);

const struct ja_noun *ja_noun_of_kind(const char *kind); /* NULL: none */

/* For ja_store_each: adds the names to a struct ja_strv. */
int ja_collect_name(void *context, const struct ja_row *row, struct ja_error *err);

/* The error of a nic whose network is not there. */
void ja_network_unknown(const char *name, struct ja_error *err);
/* Completes the addresses of a jail's nics within the open transaction: "auto" becomes the next free one, given ones are
 * checked against their network and against other holders. */
int ja_assign_addresses(struct ja_engine *engine, struct ja_jail *jail, struct ja_error *err);
/* The keys of the addresses that a jail's nics were assigned, as the store reserves them: "NETWORK ADDRESS". */
int ja_address_keys(const struct ja_jail *jail, struct ja_strv *keys, struct ja_error *err);
/* A kind of reservation: the uuids of jails that ran with other addresses than they were to have when their row was written last. */
#define JA_PENDING "pending"
/* Adds the ports of the host that a jail's forwards need, and releases none. */
int ja_reserve_ports(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err);
/* Reserves what an object needs, and releases what it does not need any more, within the open transaction. */
int ja_reserve_all(struct ja_engine *engine, const char *kind, const void *object, struct ja_error *err);

/*
 * rules.c. A change of a network's rules (`from` NULL: of a new one) locks what they newly name, shared, so that it is still there
 * when they are recorded: begin in place of ja_change_begin, and check_locked with what the store has under these locks. resolve
 * fills in what the names came to.
 */
int ja_rules_begin(struct ja_change *change, struct ja_engine *engine, const char *verb, const struct ja_network *from,
                   const struct ja_network *to, struct ja_error *err);
int ja_rules_check_locked(const struct ja_change *change, const struct ja_network *from, const struct ja_network *to,
                          struct ja_error *err);
int ja_rules_resolve(struct ja_engine *engine, struct ja_network *network, struct ja_error *err);
/* JA_E_BUSY, with network and rule, when a rule names a jail or (of another network) a network that is to go; when one names a jail
 * whose addresses are to be others. */
int ja_rules_check_unnamed(struct ja_engine *engine, const char *kind, const char *name, struct ja_error *err);
int ja_rules_check_jail(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err);

/* Where the base system of a FreeBSD release is. `mirror`: an address, an absolute path, or NULL; `sha256` a valid one or NULL. The
 * checksum that it must have is "" when none is known. `version` is borrowed. */
int ja_release_find(struct ja_engine *engine, const char *version, const char *mirror, const char *sha256,
                    struct ja_freebsd_release *ret_release, char checksum[JA_SHA256_TEXT], struct ja_error *err);

/* A change of a jail with the jail loaded. */
int ja_begin_with_jail(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *name,
                       struct ja_loaded *ret_loaded, struct ja_error *err);
/* brief.c: memory of jails that are read briefly. Begins zeroed. */
struct ja_briefs {
    struct ja_brief_block *first, *current; /* owned; those behind the current one are empty */
};
/* Of a jail only name, uuid, slot, state, template, version, networks and addresses of nics, and labels; nothing else of it is set. 1; 0
 * when the row is not written as usual, so that ja_object_from_json has to read it. It stays until ja_briefs_forget; nothing of it is
 * freed otherwise. */
int ja_brief_read(struct ja_briefs *briefs, const struct ja_row_text *row, struct ja_jail **ret_jail,
                  struct ja_error *err);
/* All jails that were read go; the memory is there for the next ones. */
void ja_briefs_forget(struct ja_briefs *briefs);
void ja_briefs_fini(struct ja_briefs *briefs);

/* The spec of a jail's last run, as long as something of that is left; NULL: none. The caller's. What cannot be read is as good as
 * nothing: the newest spec is the best there is then. But it is no substitute for one that is there and for which memory ran out. */
int ja_load_last_spec(struct ja_engine *engine, const struct ja_jail *jail, struct ja_jail **ret_last,
                      struct ja_error *err);
/* Starts a jail. `be`: on this boot environment, and without saying that it is wanted running; NULL: on the active one. */
int ja_start_on(struct ja_engine *engine, const char *name, const char *be, bool *ret_already, struct ja_error *err);
/* A pool that is not mounted would seem to hold nothing: JA_E_FAILED. */
int ja_check_pool_mounted(struct ja_engine *engine, struct ja_error *err);
/* Stops a jail when it runs. `again`: it stays wanted. */
int ja_stop_running(struct ja_engine *engine, const char *name, enum ja_stop how, bool *ret_ran, struct ja_error *err);
/* JA_E_BUSY while a jail has a nic on it; in a teardown none counts. */
int ja_check_network_unused(struct ja_engine *engine, const char *name, struct ja_error *err);
/* JA_E_BUSY while somebody upgrades it: its trees are not to go, nor to get other names. */
int ja_upgrade_check_none(struct ja_engine *engine, const char *jail, struct ja_error *err);
/* The plans of boot environments as a whole upgrade uses them; see planning.h. ja_be_make: `be` has its name only. */
int ja_be_make(struct ja_engine *engine, const char *jail, const char *name, const char *from, bool trial,
               struct ja_error *err);
int ja_be_activate(struct ja_engine *engine, const char *jail, const char *name, bool trial, struct ja_error *err);
int ja_be_delete(struct ja_engine *engine, const char *jail, const struct ja_strv *names, bool trial,
                 struct ja_error *err);
/* It is neither being made nor broken: JA_E_BUSY. */
int ja_check_ready(const struct ja_jail *jail, struct ja_error *err);
/* "web1@NAME": the jail's name (the caller's) and the snapshot's, NULL when none is named. Both are checked. */
int ja_snapshot_split(const char *text, char **ret_jail, const char **ret_snapshot, struct ja_error *err);
/* The jails that this one depends on are there, and no circle leads back to it. */
int ja_check_depends(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err);
/* Who asked for it: the user behind sudo(8), or the one that we run as. */
const char *ja_user_name(void);
/* Slots of networks are in their bridges' names: "ja7fbr999" fits an interface's name. */
enum { JA_NETWORK_SLOTS = 1000 };

/* What the store knows, as names on the host tell it: slots of jails and networks, names of jails. */
struct ja_known {
    struct ja_strv slots, bridges, names;
};
int ja_engine_known(struct ja_engine *engine, struct ja_known *known, struct ja_error *err);
void ja_known_fini(struct ja_known *known);
/* Plans the removal of what belongs to nobody; `work` is a struct ja_known. */
void ja_plan_leftovers(void *work, struct ja_planning *p);

int ja_new_uuid(char ret_uuid[JA_UUID_TEXT], struct ja_error *err);
/* A new uuid and the time of creation. */
int ja_new_identity(char **uuid, char **created, struct ja_error *err);
/* JA_E_CONFLICT when an address of a network overlaps another network of the store. */
int ja_check_network_overlap(struct ja_engine *engine, const struct ja_network *network, struct ja_error *err);
/* JA_E_EXISTS when the name is taken. */
int ja_check_free(struct ja_engine *engine, const char *kind, const char *name, struct ja_error *err);

const char *ja_object_uuid(const struct ja_noun *noun, const void *object);

/* "jail web1", for errors. Returns buffer. */
const char *ja_object_label(char buffer[96], const char *kind, const char *name);
#define JA_LABEL(kind, name) ja_object_label((char[96]){0}, kind, name)

/* The instance that an init with this storage would make, so that its facts can be asked for: see ja_engine_doctor. */
struct ja_initial;
int ja_initial_make(const struct ja_engine_options *options, const char *storage, struct ja_initial **ret_initial,
                    struct ja_error *err);
const struct ja_site *ja_initial_site(const struct ja_initial *made);
void ja_initial_ask(void *work, struct ja_planning *p);
void ja_initial_free(struct ja_initial *made);

#endif
