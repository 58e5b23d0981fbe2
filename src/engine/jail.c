/*
 * jail.c: the verbs of a jail's life.
 */
#include "base/clock.h"
#include "engine/internal.h"
#include "host/host.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- new jails, and clones ---- */

static int check_startable(const struct ja_jail *jail, struct ja_error *err)
{
    if (jail->state == JA_ROW_CREATING)
        return ja_error_set(err, JA_E_BUSY, JA_LABEL("jail", jail->name), "it is still being created");
    if (jail->state == JA_ROW_BROKEN) {
        ja_error_set(err, JA_E_FAILED, JA_LABEL("jail", jail->name),
                     "it is broken: a failed change could not be undone");
        return ja_error_hint(err, "`jailadmin gc` tries again; `jailadmin events %s` tells what happened", jail->name);
    }
    return 0;
}

/* Gives a new object what only jailadmin sets. */
static int set_text(char **field, const char *text, struct ja_error *err)
{
    char *copy = ja_strdup(text);
    if (!copy)
        return ja_error_nomem(err);
    free(*field);
    *field = copy;
    return 0;
}

int ja_new_uuid(char ret_uuid[JA_UUID_TEXT], struct ja_error *err)
{
    return ja_uuid_new(ret_uuid) < 0 ? ja_error_set(err, JA_E_FAILED, NULL, "no random numbers from the kernel") : 0;
}

int ja_new_identity(char **uuid, char **created, struct ja_error *err)
{
    char fresh[JA_UUID_TEXT], now[JA_TIME_TEXT];
    int rc = ja_new_uuid(fresh, err);
    if (rc < 0)
        return rc;
    ja_clock_format(ja_clock_wall_ms(), now);
    rc = set_text(uuid, fresh, err);
    return rc < 0 ? rc : set_text(created, now, err);
}

int ja_check_free(struct ja_engine *engine, const char *kind, const char *name, struct ja_error *err)
{
    struct ja_row row;
    int rc = ja_store_get(engine->store, kind, name, &row, err);
    if (rc == JA_E_NOTFOUND) {
        ja_error_clear(err);
        return 0;
    }
    if (rc < 0)
        return rc;
    bool broken = ja_row_is_broken(&row);
    ja_row_fini(&row);
    ja_error_set(err, JA_E_EXISTS, JA_LABEL(kind, name), "it exists already");
    if (broken)
        ja_error_hint(err, "it is broken: `jailadmin gc` finishes what was left, or delete it");
    return JA_E_EXISTS;
}

/* The version that `jail->version` names, or the newest one; taken over into the jail, with the template's init. */
static int choose_version(struct ja_engine *engine, struct ja_jail *jail, struct ja_error *err)
{
    void *object = NULL;
    if (!jail->template)
        return ja_error_set(err, JA_E_INVALID, "field template", "a jail needs a template");
    int rc = ja_engine_get(engine, &ja_noun_template, jail->template, &object, NULL, err);
    if (rc == JA_E_NOTFOUND)
        return ja_error_hint(err, "`jailadmin template list` shows the templates there are");
    if (rc < 0)
        return rc;
    struct ja_template *template = object;
    const char *version = jail->version ? jail->version : template->current;
    if (template->state != JA_ROW_READY)
        rc = ja_error_set(err, JA_E_BUSY, JA_LABEL("template", template->name), "it is not complete");
    else if (!version || !ja_list_get(&template->versions, version))
        rc = ja_error_set(err, JA_E_NOTFOUND, JA_LABEL("template", template->name), "it has no version %s",
                          version ? version : "at all");
    else
        rc = set_text(&jail->version, version, err);
    if (rc == 0 && jail->init.count == 0 && ja_strv_copy(&jail->init, &template->init) < 0)
        rc = ja_error_nomem(err);
    ja_object_free(&ja_noun_template, object);
    return rc;
}

/* A jail without any nic gets eth0 on the network "default", if there is one. */
static int default_nic(struct ja_engine *engine, struct ja_jail *jail, struct ja_error *err)
{
    struct ja_row row;
    if (jail->nics.count || jail->vnet != JA_VNET_YES)
        return 0;
    int rc = ja_store_get(engine->store, "network", "default", &row, err);
    if (rc < 0)
        return rc == JA_E_NOTFOUND ? 0 : rc;
    ja_row_fini(&row);
    return ja_object_set_entry(&ja_noun_jail, jail, "nics", "eth0,network=default", err);
}

/* Slot, addresses and the row, all reserved; the jail is then `creating`. */
static int reserve_new(struct ja_change *change, struct ja_jail *jail, struct ja_error *err)
{
    struct ja_engine *engine = change->engine;
    jail->state = JA_ROW_CREATING;
    snprintf(change->uuid, sizeof change->uuid, "%s", jail->uuid);
    int rc = default_nic(engine, jail, err);
    if (rc == 0)
        rc = ja_object_check(&ja_noun_jail, jail, err);
    if (rc == 0)
        rc = ja_check_depends(engine, jail, err);
    if (rc == 0)
        rc = ja_store_reserve_number(engine->store, "slot", 0, engine->site.slots, jail->uuid, &jail->slot, err);
    if (rc == JA_E_LIMIT) {
        ja_error_set(err, rc, NULL, "all %lld slots of this instance are in use", (long long)engine->site.slots);
        ja_error_hint(err, "delete jails that are not needed, or make an instance with more slots (init --slots)");
    }
    if (rc == 0)
        rc = ja_assign_addresses(engine, jail, err);
    if (rc == 0)
        rc = ja_engine_put(engine, &ja_noun_jail, jail, 0, err);
    return rc;
}

struct creation {
    const struct ja_jail *from; /* NULL: from the template */
    const char *snapshot;       /* of it; NULL: as it is now */
    bool start;
    struct ja_subject *subject;
};

static void plan_creation(void *work, struct ja_planning *p)
{
    struct creation *creation = work;
    if (creation->from)
        ja_plan_jail_clone(p, creation->from, creation->snapshot, creation->subject);
    else
        ja_plan_jail_create(p, creation->subject, creation->start);
}

/* Loads what the new jail refers to and runs its plan. Takes the jail over. */
static int run_creation(struct ja_change *change, struct ja_jail *jail, struct creation creation, struct ja_error *err)
{
    struct ja_loaded loaded;
    int rc = ja_load_subject(change->engine, jail, &loaded, err);
    if (rc < 0)
        return rc;
    creation.subject = &loaded.subject;
    rc = ja_change_apply(change, plan_creation, &creation, err);
    ja_loaded_fini(&loaded);
    return rc;
}

int ja_engine_clone(struct ja_engine *engine, const char *from, const char *to,
                    int (*adjust)(void *context, struct ja_jail *jail, struct ja_error *err), void *context,
                    struct ja_error *err)
{
    struct ja_change change;
    void *source = NULL, *copy = NULL;
    ja_autofree char *original = NULL;
    const char *snapshot = NULL;
    int rc = ja_check_name(to, err);
    if (rc == 0)
        rc = ja_snapshot_split(from, &original, &snapshot, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = ja_change_begin_copy(&change, engine, "clone", "jail", to, original, err);
    if (rc == 0)
        rc = ja_check_free(engine, "jail", to, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, original, &source, NULL, err);
    if (rc == 0)
        rc = check_startable(source, err);
    if (rc == 0 && !(copy = ja_object_copy(&ja_noun_jail, source)))
        rc = ja_error_nomem(err);
    struct ja_jail *jail = copy;
    /* What is one jail's own (name, addresses, MACs, state) does not go into its clone. */
    if (rc == 0)
        rc = ja_object_reset(&ja_noun_jail, jail, JA_F_OWN | JA_F_STATE);
    if (rc == 0)
        rc = set_text(&jail->name, to, err);
    if (rc == 0)
        rc = set_text(&jail->template, ((struct ja_jail *)source)->template, err);
    if (rc == 0)
        rc = set_text(&jail->version, ((struct ja_jail *)source)->version, err);
    if (rc == 0)
        rc = ja_new_identity(&jail->uuid, &jail->created, err);
    if (rc == 0 && adjust)
        rc = adjust(context, jail, err);
    if (rc == 0)
        rc = reserve_new(&change, jail, err);
    if (rc == 0)
        rc = run_creation(&change, jail, (struct creation){.from = source, .snapshot = snapshot}, err);
    else
        ja_object_free(&ja_noun_jail, copy);
    ja_object_free(&ja_noun_jail, source);
    ja_change_end(&change);
    return rc;
}

/* ---- start, stop, delete ---- */

static int is_running(struct ja_engine *engine, const struct ja_jail *jail, bool *ret_running, struct ja_error *err)
{
    struct ja_listed listed;
    int rc = ja_engine_state(engine, jail, &listed, err);
    if (rc == 0)
        *ret_running = listed.pid != 0;
    return rc;
}

/* This process is about to start such a jail: what takes time and shows nothing yet begins beside other work. */
static void foresee(struct ja_engine *engine, const struct ja_jail *jail)
{
    if (jail->vnet == JA_VNET_YES && !jail->privileged && !engine->options.dry_run && !engine->options.keep &&
        engine->machine->ahead.start)
        engine->machine->ahead.start();
}

static void plan_start(void *work, struct ja_planning *p)
{
    ja_plan_jail_start(p, work);
}

static int load_changed(struct ja_change *change, struct ja_loaded *ret_loaded, struct ja_error *err)
{
    int rc = ja_load_jail(change->engine, change->name, ret_loaded, err);
    if (rc == 0)
        snprintf(change->uuid, sizeof change->uuid, "%s", ret_loaded->jail->uuid);
    return rc;
}

int ja_begin_with_jail(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *name,
                       struct ja_loaded *ret_loaded, struct ja_error *err)
{
    int rc = ja_change_begin(change, engine, verb, "jail", name, err);
    return rc < 0 ? rc : load_changed(change, ret_loaded, err);
}

/* The networks of a jail, made ready before its own plan. */
static int ensure_networks(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < jail->nics.count; i++)
        rc = ja_engine_network_ensure(engine, ((const struct ja_nic *)jail->nics.items[i])->network, err);
    return rc;
}

static int ensure_networks_of(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    void *object = NULL;
    int rc = ja_engine_get(engine, &ja_noun_jail, name, &object, NULL, err);
    if (rc == 0)
        rc = ensure_networks(engine, object, err);
    ja_object_free(&ja_noun_jail, object);
    return rc;
}

static void plan_trees(void *work, struct ja_planning *p)
{
    const struct ja_jail *jail = work;
    if (p->storage->jail_mounted(p, jail))
        return;
    p->storage->jail_mount(p, jail);
    ja_plan_commit_last(p);
}

int ja_engine_trees_ensure(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    void *object = NULL;
    int64_t revision = 0;
    int rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0 || !engine->storage->jail_mounted)
        return rc;
    rc = ja_engine_get(engine, &ja_noun_jail, name, &object, &revision, err);
    if (rc == 0 && ((struct ja_jail *)object)->state == JA_ROW_READY)
        rc = ja_engine_ensure(engine, "mount", "jail", name, revision, plan_trees, object, NULL, err);
    ja_object_free(&ja_noun_jail, object);
    return rc;
}

static int add_networks(struct ja_strv *names, const struct ja_jail *jail, struct ja_error *err)
{
    for (size_t i = 0; jail && i < jail->nics.count; i++) {
        const char *network = ((const struct ja_nic *)jail->nics.items[i])->network;
        if (!ja_strv_has(names, network) && ja_strv_add(names, network) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

static int lock_named(struct ja_change *change, struct ja_strv *networks, struct ja_error *err)
{
    int rc = 0;
    if (networks->count > JA_NETWORKS_MOST)
        rc = ja_error_set(err, JA_E_LIMIT, JA_LABEL("jail", change->name), "it is on more than %d networks",
                          JA_NETWORKS_MOST);
    ja_strv_sort(networks);
    for (size_t i = 0; rc == 0 && i < networks->count; i++)
        rc = ja_change_lock(change, "network", networks->items[i], true, err);
    return rc;
}

/* The networks of a jail, and those that it was started on, held by whoever starts or stops it: none changes meanwhile. They are
 * taken before the jail and before the store's transaction, since who holds a network waits for both. */
static int lock_networks(struct ja_change *change, struct ja_error *err)
{
    void *object = NULL;
    struct ja_jail *last = NULL;
    ja_autostrv struct ja_strv names = {0};
    if (change->engine->options.dry_run)
        return 0;
    int rc = ja_engine_get(change->engine, &ja_noun_jail, change->name, &object, NULL, err);
    if (rc == 0)
        rc = ja_load_last_spec(change->engine, object, &last, err);
    if (rc == 0)
        rc = add_networks(&names, object, err);
    if (rc == 0)
        rc = add_networks(&names, last, err);
    ja_object_free(&ja_noun_jail, last);
    ja_object_free(&ja_noun_jail, object);
    return rc < 0 ? rc : lock_named(change, &names, err);
}

/* Whether all that lock_networks would lock now is held. */
static bool holds_networks(const struct ja_change *change, const struct ja_loaded *loaded)
{
    for (; loaded; loaded = loaded->last)
        for (size_t i = 0; i < loaded->jail->nics.count; i++)
            if (!ja_change_holds(change, "network", ((const struct ja_nic *)loaded->jail->nics.items[i])->network))
                return false;
    return true;
}

/* A start or stop: the networks' locks, the jail's, the transaction, and the jail in it. */
static int begin_on_networks(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *name,
                             struct ja_loaded *ret_loaded, struct ja_error *err)
{
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES; i++) {
        int rc = ja_change_prepare(change, engine, verb, "jail", name, err);
        if (rc == 0)
            rc = lock_networks(change, err);
        if (rc == 0)
            rc = ja_change_lock(change, "jail", name, false, err);
        if (rc == 0)
            rc = ja_change_open(change, err);
        if (rc == 0)
            rc = load_changed(change, ret_loaded, err);
        if (rc < 0 || holds_networks(change, ret_loaded))
            return rc;
        /* It was put on another network before we had its lock. */
        ja_loaded_fini(ret_loaded);
        ja_change_end(change);
    }
    return ja_error_set(err, JA_E_CONFLICT, JA_LABEL("jail", name), "its networks are being changed all the time");
}

/* ---- create ---- */

static int check_networks(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < jail->nics.count; i++) {
        const char *network = ((const struct ja_nic *)jail->nics.items[i])->network;
        struct ja_row row;
        rc = ja_store_get(engine->store, "network", network, &row, err);
        if (rc == 0)
            ja_row_fini(&row);
        else if (rc == JA_E_NOTFOUND)
            ja_network_unknown(network, err);
    }
    return rc;
}

/* As a start does for a jail that is there, for one that is made and started: its networks are up, and held before its own name. */
static int begin_with_networks(struct ja_change *change, struct ja_engine *engine, struct ja_jail *jail,
                               struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    foresee(engine, jail);
    /* What is refused in any case brings no network up; all this is asked again under the locks. */
    int rc = ja_check_free(engine, "jail", jail->name, err);
    if (rc == 0)
        rc = choose_version(engine, jail, err);
    if (rc == 0)
        rc = default_nic(engine, jail, err);
    if (rc == 0)
        rc = ja_object_check(&ja_noun_jail, jail, err);
    if (rc == 0)
        rc = check_networks(engine, jail, err);
    if (rc == 0)
        rc = ensure_networks(engine, jail, err);
    if (rc == 0)
        rc = add_networks(&names, jail, err);
    if (rc == 0)
        rc = ja_change_prepare(change, engine, "create", "jail", jail->name, err);
    if (rc == 0)
        rc = lock_named(change, &names, err);
    if (rc == 0)
        rc = ja_change_lock(change, "jail", jail->name, false, err);
    return rc < 0 ? rc : ja_change_open(change, err);
}

int ja_engine_create(struct ja_engine *engine, const struct ja_jail *spec, bool start, struct ja_error *err)
{
    struct ja_change change = {.engine = engine};
    struct creation creation = {.start = start};
    struct ja_jail *jail = ja_object_copy(&ja_noun_jail, spec);
    if (!jail)
        return ja_error_nomem(err);
    int rc = ja_check_name(jail->name, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = start ? begin_with_networks(&change, engine, jail, err)
                   : ja_change_begin(&change, engine, "create", "jail", jail->name, err);
    if (rc == 0)
        rc = ja_check_free(engine, "jail", jail->name, err);
    if (rc == 0)
        rc = ja_new_identity(&jail->uuid, &jail->created, err);
    if (rc == 0)
        rc = choose_version(engine, jail, err);
    if (rc == 0)
        rc = reserve_new(&change, jail, err);
    if (rc == 0)
        rc = run_creation(&change, jail, creation, err);
    else
        ja_object_free(&ja_noun_jail, jail);
    ja_change_end(&change);
    return rc;
}

static void plan_try(void *work, struct ja_planning *p)
{
    ja_plan_jail_try(p, work);
}

int ja_engine_start(struct ja_engine *engine, const char *name, bool *ret_already, struct ja_error *err)
{
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = ja_engine_upgrade_settle(engine, name, err);
    return rc < 0 ? rc : ja_start_on(engine, name, NULL, ret_already, err);
}

int ja_start_on(struct ja_engine *engine, const char *name, const char *be, bool *ret_already, struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    bool running = false;
    int rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = ja_engine_trees_ensure(engine, name, err);
    if (rc == 0)
        rc = ensure_networks_of(engine, name, err);
    if (rc < 0)
        return rc;
    rc = begin_on_networks(&change, engine, "start", name, &loaded, err);
    if (rc == 0)
        rc = check_startable(loaded.jail, err);
    if (rc == 0)
        rc = is_running(engine, loaded.jail, &running, err);
    if (rc == 0 && be)
        rc = set_text(&loaded.jail->be, be, err);
    if (rc == 0 && running) {
        if (ret_already)
            *ret_already = true;
    } else if (rc == 0) {
        foresee(engine, loaded.jail);
        rc = ja_change_apply(&change, be ? plan_try : plan_start, &loaded.subject, err);
    }
    ja_loaded_fini(&loaded);
    ja_change_end(&change);
    return rc;
}

struct stopping {
    struct ja_subject *subject;
    enum ja_stop how;
};

static void plan_stop(void *work, struct ja_planning *p)
{
    struct stopping *stopping = work;
    ja_plan_jail_stop(p, stopping->subject, stopping->how);
}

int ja_engine_stop(struct ja_engine *engine, const char *name, enum ja_stop how, bool *ret_already,
                   struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    bool running = false;
    int rc = ja_check_name(name, err);
    if (rc < 0)
        return rc;
    rc = begin_on_networks(&change, engine, "stop", name, &loaded, err);
    if (rc == 0)
        rc = is_running(engine, loaded.jail, &running, err);
    /* A jail whose init died is stopped, but what it left is removed, and it is not wanted running any more. */
    bool wanted = rc == 0 && loaded.jail->wanted == JA_WANTED_RUNNING;
    if (rc == 0 && !running && (!wanted || how == JA_STOP_SHUTDOWN)) {
        if (ret_already)
            *ret_already = true;
    } else if (rc == 0) {
        ja_load_applied(&loaded);
        struct stopping stopping = {.subject = &loaded.subject, .how = how};
        rc = ja_change_apply(&change, plan_stop, &stopping, err);
        /* Addresses that it had only until now become free. */
        if (rc == 0 && !engine->options.dry_run)
            rc = ja_engine_settle(engine, "jail", name, change.uuid, err);
    }
    ja_loaded_fini(&loaded);
    ja_change_end(&change);
    return rc;
}

struct deleting {
    const struct ja_subject *subject;
    bool force;
};

static void plan_delete(void *work, struct ja_planning *p)
{
    const struct deleting *deleting = work;
    ja_plan_jail_delete(p, deleting->subject, deleting->force);
}

int ja_engine_delete(struct ja_engine *engine, const char *name, bool force, struct ja_error *err)
{
    struct ja_change change;
    struct ja_loaded loaded = {0};
    bool running = false;
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = ja_begin_with_jail(&change, engine, "delete", name, &loaded, err);
    if (rc == 0 && loaded.jail->protect) {
        rc = ja_error_set(err, JA_E_DENIED, JA_LABEL("jail", name), "it is protected");
        ja_error_hint(err, "`jailadmin set %s protect=no` takes the protection away", name);
    }
    if (rc == 0)
        rc = ja_rules_check_unnamed(engine, "jail", name, err);
    if (rc == 0)
        rc = ja_upgrade_check_none(engine, name, err);
    if (rc == 0)
        rc = is_running(engine, loaded.jail, &running, err);
    if (rc == 0 && running && force) {
        /* It stays wanted: a deletion that is cut off in between has not been, and the next boot starts the jail. */
        bool wanted = loaded.jail->wanted == JA_WANTED_RUNNING;
        ja_loaded_fini(&loaded);
        ja_change_end(&change);
        rc = ja_engine_stop(engine, name, wanted ? JA_STOP_AGAIN_FORCE : JA_STOP_FORCE, NULL, err);
        if (rc < 0)
            return rc;
        rc = ja_begin_with_jail(&change, engine, "delete", name, &loaded, err);
        if (rc == 0)
            rc = ja_rules_check_unnamed(engine, "jail", name, err);
    } else if (rc == 0 && running) {
        rc = ja_error_set(err, JA_E_BUSY, JA_LABEL("jail", name), "it is running");
        ja_error_hint(err, "stop it first, or use --force");
    }
    if (rc == 0)
        rc = ja_change_apply(&change, plan_delete, &(struct deleting){.subject = &loaded.subject, .force = force}, err);
    ja_loaded_fini(&loaded);
    ja_change_end(&change);
    return rc;
}
