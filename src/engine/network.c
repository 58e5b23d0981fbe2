/*
 * network.c: the verbs of networks, and bringing back after a boot what the kernel forgot: the pool's mount and networks.
 */
#include "base/clock.h"
#include "engine/internal.h"
#include "host/host.h"
#include "net/addr.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

static void plan_pool(JA_UNUSED void *work, struct ja_planning *p)
{
    ja_plan_pool_mount(p);
}

/* Under the lock: the object that the plan is made from is still what the store has. */
static int check_revision(struct ja_engine *engine, const char *kind, const char *name, int64_t revision,
                          struct ja_error *err)
{
    struct ja_row row;
    int rc = ja_store_get(engine->store, kind, name, &row, err);
    if (rc < 0)
        return rc;
    bool same = row.revision == revision;
    ja_row_fini(&row);
    return same ? 0 : ja_error_set(err, JA_E_CONFLICT, JA_LABEL(kind, name), "somebody has changed it meanwhile");
}

int ja_engine_ensure_checked(struct ja_engine *engine, const char *verb, const char *kind, const char *name,
                             int64_t revision, ja_change_check *check, void (*plan)(void *work, struct ja_planning *p),
                             void *work, struct ja_strv *done, struct ja_error *err)
{
    struct ja_plan quick = {0};
    int rc = ja_engine_plan(engine, verb, kind, name, plan, work, &quick, err);
    bool needed = rc < 0 || quick.count > 0;
    for (size_t i = 0; rc == 0 && done && i < quick.count; i++)
        if (!ja_strv_has(done, quick.steps[i]->why) && ja_strv_add(done, quick.steps[i]->why) < 0)
            rc = ja_error_nomem(err);
    ja_plan_fini(&quick);
    if (rc < 0 || !needed)
        return rc;
    struct ja_change change;
    rc = ja_change_begin(&change, engine, verb, kind, name, err);
    if (rc == 0 && revision)
        rc = check_revision(engine, kind, name, revision, err);
    change.check = check;
    if (rc == 0)
        rc = ja_change_apply(&change, plan, work, err);
    ja_change_end(&change);
    return rc;
}

int ja_engine_ensure(struct ja_engine *engine, const char *verb, const char *kind, const char *name, int64_t revision,
                     void (*plan)(void *work, struct ja_planning *p), void *work, struct ja_strv *done,
                     struct ja_error *err)
{
    return ja_engine_ensure_checked(engine, verb, kind, name, revision, NULL, plan, work, done, err);
}

int ja_engine_pool_ensure(struct ja_engine *engine, struct ja_error *err)
{
    enum { AGAIN_MS = 500 };
    /* One command asks for it in several places. */
    if (engine->pool_seen_ms && ja_clock_monotonic_ms() - engine->pool_seen_ms < AGAIN_MS)
        return 0;
    ja_autostrv struct ja_strv done = {0};
    int rc = ja_engine_ensure(engine, "mount", "host", "pool", 0, plan_pool, NULL, &done, err);
    if (rc < 0 || engine->options.dry_run)
        return rc;
    engine->pool_seen_ms = ja_clock_monotonic_ms();
    /* Now it can be seen what the power cut off. */
    return done.count && !engine->options.read_only ? ja_engine_recover(engine, false, err) : 0;
}

static void plan_up(void *work, struct ja_planning *p)
{
    ja_plan_network_up(p, work);
}

int ja_engine_network_ensure(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    enum { TRIES = 10 };
    int rc = JA_E_CONFLICT;
    for (int i = 0; i < TRIES && rc == JA_E_CONFLICT; i++) {
        void *network = NULL;
        int64_t revision = 0;
        ja_error_clear(err);
        rc = ja_engine_get(engine, &ja_noun_network, name, &network, &revision, err);
        if (rc == 0)
            rc = ja_engine_ensure(engine, "up", "network", name, revision, plan_up, network, NULL, err);
        ja_object_free(&ja_noun_network, network);
    }
    return rc;
}

/* ---- create ---- */

struct overlap {
    const struct ja_network *network;
};

static int check_overlap(void *context, const struct ja_row *row, struct ja_error *err)
{
    const struct ja_network *network = ((struct overlap *)context)->network;
    void *object = NULL;
    int rc = ja_object_from_json(&ja_noun_network, row->spec, true, &object, err);
    if (rc < 0)
        return rc;
    const struct ja_network *other = object;
    bool itself = strcmp(other->name, network->name) == 0;
    for (size_t i = 0; rc == 0 && !itself && i < network->addresses.count; i++) {
        for (size_t j = 0; rc == 0 && j < other->addresses.count; j++) {
            struct ja_addr a, b;
            if (ja_addr_parse(network->addresses.items[i], &a, NULL) == 0 &&
                ja_addr_parse(other->addresses.items[j], &b, NULL) == 0 && ja_addr_overlap(&a, &b))
                rc = ja_error_set(err, JA_E_CONFLICT, "field address", "%s overlaps %s of the network %s",
                                  network->addresses.items[i], other->addresses.items[j], other->name);
        }
    }
    ja_object_free(&ja_noun_network, object);
    return rc;
}

int ja_check_network_overlap(struct ja_engine *engine, const struct ja_network *network, struct ja_error *err)
{
    struct overlap overlap = {network};
    return ja_store_each(engine->store, "network", NULL, check_overlap, &overlap, err);
}

static void plan_create(void *work, struct ja_planning *p)
{
    ja_plan_network_create(p, work);
}

static int reserve_network(struct ja_change *change, struct ja_network *network, struct ja_error *err)
{
    struct ja_store *store = change->engine->store;
    int rc = ja_new_identity(&network->uuid, &network->created, err);
    if (rc < 0)
        return rc;
    snprintf(change->uuid, sizeof change->uuid, "%s", network->uuid);
    network->state = JA_ROW_CREATING;
    rc = ja_check_network_overlap(change->engine, network, err);
    if (rc == 0)
        rc = ja_rules_resolve(change->engine, network, err);
    if (rc == 0)
        rc = ja_store_reserve_number(store, "netslot", 0, JA_NETWORK_SLOTS, network->uuid, &network->slot, err);
    if (rc == 0)
        rc = ja_engine_put(change->engine, &ja_noun_network, network, 0, err);
    return rc;
}

int ja_engine_network_create(struct ja_engine *engine, const struct ja_network *spec, struct ja_error *err)
{
    struct ja_change change;
    int rc = ja_object_check(&ja_noun_network, spec, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    struct ja_network *network = ja_object_copy(&ja_noun_network, spec);
    if (!network)
        return ja_error_nomem(err);
    rc = ja_rules_begin(&change, engine, "create", NULL, network, err);
    if (rc == 0)
        rc = ja_check_free(engine, "network", network->name, err);
    if (rc == 0)
        rc = reserve_network(&change, network, err);
    if (rc == 0)
        rc = ja_change_apply(&change, plan_create, network, err);
    ja_change_end(&change);
    ja_object_free(&ja_noun_network, network);
    return rc;
}

/* ---- delete ---- */

struct users {
    const char *network;
    size_t count;
    char first[64];
};

static int count_user(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct users *users = context;
    void *object = NULL;
    int rc = ja_object_from_json(&ja_noun_jail, row->spec, true, &object, err);
    if (rc < 0)
        return rc;
    const struct ja_jail *jail = object;
    bool uses = false;
    for (size_t i = 0; i < jail->nics.count; i++)
        uses = uses || strcmp(((const struct ja_nic *)jail->nics.items[i])->network, users->network) == 0;
    if (uses && users->count++ == 0)
        snprintf(users->first, sizeof users->first, "%s", jail->name);
    ja_object_free(&ja_noun_jail, object);
    return 0;
}

int ja_check_network_unused(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    struct users users = {.network = name};
    int rc = engine->tearing ? 0 : ja_store_each(engine->store, "jail", NULL, count_user, &users, err);
    if (rc == 0 && users.count) {
        rc = ja_error_set(err, JA_E_BUSY, JA_LABEL("network", name), "%zu jail%s on it, the first is %s", users.count,
                          users.count == 1 ? " is" : "s are", users.first);
        ja_error_hint(err, "delete these jails, or move their nics to another network");
    }
    return rc;
}

static void plan_delete(void *work, struct ja_planning *p)
{
    ja_plan_network_delete(p, work);
}

int ja_engine_network_delete(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    struct ja_change change;
    void *object = NULL;
    int rc = ja_check_name(name, err);
    if (rc < 0)
        return rc;
    rc = ja_change_begin(&change, engine, "delete", "network", name, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_network, name, &object, NULL, err);
    if (rc == 0)
        rc = ja_check_network_unused(engine, name, err);
    if (rc == 0)
        rc = ja_rules_check_unnamed(engine, "network", name, err);
    if (rc == 0) {
        snprintf(change.uuid, sizeof change.uuid, "%s", ((struct ja_network *)object)->uuid);
        rc = ja_change_apply(&change, plan_delete, object, err);
    }
    ja_change_end(&change);
    ja_object_free(&ja_noun_network, object);
    return rc;
}
