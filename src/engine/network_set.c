/*
 * network_set.c: changing a network while its jails run, and repair: what others have removed is made again.
 */
#include "engine/internal.h"
#include "host/host.h"
#include "net/addr.h"

#include <stdio.h>
#include <string.h>

/* ---- the jails on a network ---- */

struct users {
    const char *network; /* NULL: any */
    struct ja_strv *names;
};

static int note_user(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct users *users = context;
    void *object = NULL;
    int rc = ja_object_from_json(&ja_noun_jail, row->spec, true, &object, err);
    if (rc < 0)
        return rc;
    const struct ja_jail *jail = object;
    bool uses = !users->network;
    for (size_t i = 0; i < jail->nics.count; i++)
        uses = uses || strcmp(((const struct ja_nic *)jail->nics.items[i])->network, users->network) == 0;
    if (uses && ja_strv_add(users->names, jail->name) < 0)
        rc = ja_error_nomem(err);
    ja_object_free(&ja_noun_jail, object);
    return rc;
}

int ja_engine_network_jails(struct ja_engine *engine, const char *name, struct ja_strv *ret_names, struct ja_error *err)
{
    struct users users = {name, ret_names};
    return ja_store_each(engine->store, "jail", NULL, note_user, &users, err);
}

/* ---- set ---- */

struct setting {
    struct ja_engine *engine;
    struct ja_network *from, *to;
    struct ja_strv names;      /* of all jails on it */
    struct ja_loaded *running; /* those that run, as they were started */
    struct ja_subject *from_jails, *to_jails;
    const struct ja_network ***to_networks; /* what to_jails point to */
    size_t count;
};

static void setting_fini(struct setting *setting)
{
    for (size_t i = 0; i < setting->count; i++) {
        ja_loaded_fini(&setting->running[i]);
        free(setting->to_networks ? setting->to_networks[i] : NULL);
    }
    free(setting->running);
    free(setting->from_jails);
    free(setting->to_jails);
    free(setting->to_networks);
    ja_strv_fini(&setting->names);
    ja_object_free(&ja_noun_network, setting->from);
    ja_object_free(&ja_noun_network, setting->to);
}

/* One jail, if it runs; with its networks as they are, and with `to` in place of the one that changes. */
static int add_running(struct setting *setting, const char *name, struct ja_error *err)
{
    struct ja_loaded *loaded = &setting->running[setting->count];
    struct ja_listed listed;
    int rc = ja_load_jail(setting->engine, name, loaded, err);
    if (rc < 0)
        return rc;
    rc = ja_engine_state(setting->engine, loaded->jail, &listed, err);
    if (rc == 0 && listed.pid)
        ja_load_applied(loaded);
    if (rc < 0 || !listed.pid) {
        ja_loaded_fini(loaded);
        return rc;
    }
    size_t nics = loaded->jail->nics.count, at = setting->count++;
    const struct ja_network **networks = ja_calloc(nics + 1, sizeof *networks);
    setting->to_networks[at] = networks;
    if (!networks)
        return ja_error_nomem(err);
    for (size_t i = 0; i < nics; i++)
        networks[i] = strcmp(loaded->networks[i]->name, setting->to->name) == 0 ? setting->to : loaded->networks[i];
    setting->from_jails[at] = setting->to_jails[at] = loaded->subject;
    setting->to_jails[at].networks = networks;
    return 0;
}

static int load_running(struct setting *setting, struct ja_error *err)
{
    size_t most = setting->names.count + 1;
    setting->running = ja_calloc(most, sizeof *setting->running);
    setting->from_jails = ja_calloc(most, sizeof *setting->from_jails);
    setting->to_jails = ja_calloc(most, sizeof *setting->to_jails);
    setting->to_networks = ja_calloc(most, sizeof *setting->to_networks);
    if (!setting->running || !setting->from_jails || !setting->to_jails || !setting->to_networks)
        return ja_error_nomem(err);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < setting->names.count; i++)
        rc = add_running(setting, setting->names.items[i], err);
    return rc;
}

/* What the gateway's address of a family is; "" for none. */
static void gateway_text(const struct ja_network *network, bool v6, char text[JA_ADDR_TEXT])
{
    struct ja_addr addr;
    text[0] = '\0';
    for (size_t i = 0; i < network->addresses.count; i++)
        if (ja_addr_parse(network->addresses.items[i], &addr, NULL) == 0 && addr.v6 == v6)
            ja_addr_format(&addr, true, text);
}

/* What of a nic on the network forbids the change; NULL: nothing. */
static const char *hindrance(const struct setting *setting, const struct ja_nic *nic)
{
    if (strcmp(nic->network, setting->to->name) != 0)
        return NULL;
    for (size_t i = 0; i < nic->assigned.count; i++) {
        char before[JA_ADDR_TEXT], after[JA_ADDR_TEXT];
        bool v6 = strchr(nic->assigned.items[i], ':') != NULL;
        gateway_text(setting->from, v6, before);
        gateway_text(setting->to, v6, after);
        if (strcmp(before, after) != 0)
            return "has an address of it";
        if (ja_nic_is_dynamic(nic, i) && !setting->to->dhcp)
            return "is given its address by it";
    }
    return NULL;
}

static int check_users(const struct setting *setting, struct ja_error *err)
{
    for (size_t n = 0; n < setting->names.count; n++) {
        void *object = NULL;
        const char *name = setting->names.items[n], *why = NULL;
        int rc = ja_engine_get(setting->engine, &ja_noun_jail, name, &object, NULL, err);
        if (rc < 0)
            return rc;
        const struct ja_jail *jail = object;
        for (size_t i = 0; i < jail->nics.count && !why; i++)
            why = hindrance(setting, jail->nics.items[i]);
        ja_object_free(&ja_noun_jail, object);
        if (why) {
            ja_error_set(err, JA_E_BUSY, JA_LABEL("network", setting->to->name), "it cannot change so: the jail %s %s",
                         name, why);
            return ja_error_hint(err, "delete such jails, or move their nics to another network first");
        }
    }
    const struct ja_host *host = setting->engine->host;
    if (setting->count && host->network_needs_stop(setting->from, setting->to)) {
        ja_error_set(err, JA_E_BUSY, JA_LABEL("network", setting->to->name), "the jail %s runs on it",
                     setting->running[0].jail->name);
        return ja_error_hint(
            err, "VLANs, and on FreeBSD the MTU, change only while none of its jails runs: stop them first");
    }
    return 0;
}

static int apply_assignments(struct ja_network *network, const struct ja_strv *assignments, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < assignments->count; i++)
        rc = ja_object_set(&ja_noun_network, network, assignments->items[i], false, err);
    return rc < 0 ? rc : ja_object_check(&ja_noun_network, network, err);
}

/* New addresses of the gateway are reserved before the plan; the commit lets go of the old ones. */
static int reserve_addresses(const struct setting *setting, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < setting->to->addresses.count; i++) {
        struct ja_addr addr;
        char key[192], text[JA_ADDR_TEXT];
        if (ja_addr_parse(setting->to->addresses.items[i], &addr, NULL) < 0)
            continue;
        ja_addr_format(&addr, false, text);
        snprintf(key, sizeof key, "%s %s", setting->to->name, text);
        rc = ja_store_reserve(setting->engine->store, "address", key, setting->to->uuid, err);
    }
    return rc;
}

static void plan_set(void *work, struct ja_planning *p)
{
    struct setting *setting = work;
    struct ja_networkset set = {setting->from, setting->to, setting->from_jails, setting->to_jails, setting->count};
    ja_plan_network_set(p, &set);
}

/* The network as it is, and as it is to be; what was there before goes. */
static int assign(struct setting *setting, const char *name, const struct ja_strv *assignments, struct ja_error *err)
{
    void *object = NULL;
    ja_object_free(&ja_noun_network, setting->from);
    ja_object_free(&ja_noun_network, setting->to);
    setting->from = setting->to = NULL;
    int rc = ja_engine_get(setting->engine, &ja_noun_network, name, &object, NULL, err);
    if (rc < 0)
        return rc;
    setting->from = object;
    setting->to = ja_object_copy(&ja_noun_network, object);
    return setting->to ? apply_assignments(setting->to, assignments, err) : ja_error_nomem(err);
}

static int prepare(struct setting *setting, const struct ja_change *change, const struct ja_strv *assignments,
                   struct ja_error *err)
{
    const char *name = change->name;
    int rc = assign(setting, name, assignments, err);
    if (rc == 0)
        rc = ja_rules_check_locked(change, setting->from, setting->to, err);
    if (rc == 0)
        rc = ja_rules_resolve(setting->engine, setting->to, err);
    if (rc == 0)
        rc = ja_check_network_overlap(setting->engine, setting->to, err);
    if (rc == 0)
        rc = ja_engine_network_jails(setting->engine, name, &setting->names, err);
    if (rc == 0)
        rc = load_running(setting, err);
    if (rc == 0)
        rc = check_users(setting, err);
    return rc < 0 ? rc : reserve_addresses(setting, err);
}

int ja_engine_network_set(struct ja_engine *engine, const char *name, const struct ja_strv *assignments,
                          struct ja_error *err)
{
    struct ja_change change;
    struct setting setting = {.engine = engine};
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    /* What somebody has removed is made again first: the change is from what is known. */
    if (rc == 0)
        rc = ja_engine_network_ensure(engine, name, err);
    /* Read once before the locks: what rules name is locked as well. */
    if (rc == 0)
        rc = assign(&setting, name, assignments, err);
    if (rc < 0) {
        setting_fini(&setting);
        return rc;
    }
    rc = ja_rules_begin(&change, engine, "set", setting.from, setting.to, err);
    if (rc == 0)
        rc = prepare(&setting, &change, assignments, err);
    bool changes = rc == 0 && !ja_object_equal(&ja_noun_network, setting.from, setting.to);
    bool again = changes && engine->host->network_needs_stop(setting.from, setting.to);
    if (changes) {
        snprintf(change.uuid, sizeof change.uuid, "%s", setting.to->uuid);
        rc = ja_change_apply(&change, plan_set, &setting, err);
    }
    ja_change_end(&change);
    setting_fini(&setting);
    return rc == 0 && again && !engine->options.dry_run ? ja_engine_network_ensure(engine, name, err) : rc;
}

/* ---- repair ---- */

struct repair {
    struct ja_engine *engine;
    void (*report)(void *context, const char *object, const char *what, const struct ja_error *err);
    void *context;
    int rc;
    struct ja_error *err;
};

/* Tells what was done for one object, or why it could not be. */
static void tell(struct repair *repair, const char *object, const struct ja_strv *done, int rc,
                 const struct ja_error *err)
{
    if (rc < 0) {
        repair->report(repair->context, object, NULL, err);
        if (repair->rc == 0) {
            repair->rc = rc;
            *repair->err = *err;
        }
        return;
    }
    for (size_t i = 0; i < done->count; i++)
        repair->report(repair->context, object, done->items[i], NULL);
}

static void plan_rules(JA_UNUSED void *work, struct ja_planning *p)
{
    ja_plan_instance_repair(p);
}

static void plan_network(void *work, struct ja_planning *p)
{
    ja_plan_network_up(p, work);
}

static void plan_jail(void *work, struct ja_planning *p)
{
    ja_plan_jail_repair(p, work);
}

static int repair_network(void *context, const struct ja_row *row, JA_UNUSED struct ja_error *err)
{
    struct repair *repair = context;
    struct ja_error failure = JA_ERROR_INIT;
    ja_autostrv struct ja_strv done = {0};
    void *network = NULL;
    if (strcmp(row->state, "ready") != 0)
        return 0;
    int rc = ja_object_from_json(&ja_noun_network, row->spec, true, &network, &failure);
    if (rc == 0)
        rc = ja_engine_ensure(repair->engine, "repair", "network", row->name, row->revision, plan_network, network,
                              &done, &failure);
    tell(repair, JA_LABEL("network", row->name), &done, rc, &failure);
    ja_object_free(&ja_noun_network, network);
    return 0;
}

struct kept {
    const struct ja_noun *noun;
    void *object;
};

static void plan_kept(void *work, struct ja_planning *p)
{
    const struct kept *kept = work;
    ja_plan_spec_repair(p, kept->noun, kept->object);
}

/* What `adopt` would need of an object. */
static int repair_kept(void *context, const struct ja_row *row, JA_UNUSED struct ja_error *err)
{
    struct repair *repair = context;
    struct kept kept = {.noun = ja_noun_of_kind(row->kind)};
    struct ja_error failure = JA_ERROR_INIT;
    ja_autostrv struct ja_strv done = {0};
    if (strcmp(row->state, "ready") != 0)
        return 0;
    int rc = ja_object_from_json(kept.noun, row->spec, true, &kept.object, &failure);
    if (rc == 0)
        rc = ja_engine_ensure(repair->engine, "repair", row->kind, row->name, row->revision, plan_kept, &kept, &done,
                              &failure);
    tell(repair, JA_LABEL(row->kind, row->name), &done, rc, &failure);
    ja_object_free(kept.noun, kept.object);
    return 0;
}

/* Its own lock is taken only when something is missing; a jail that is being stopped is then seen as stopped. */
static int repair_jail(struct ja_engine *engine, const char *name, struct ja_strv *done, struct ja_error *err)
{
    struct ja_loaded loaded = {0};
    struct ja_listed listed;
    int rc = ja_load_jail(engine, name, &loaded, err);
    if (rc < 0)
        return rc == JA_E_NOTFOUND ? 0 : rc;
    rc = ja_engine_state(engine, loaded.jail, &listed, err);
    if (rc == 0 && listed.pid)
        ja_load_applied(&loaded);
    if (rc == 0 && listed.pid)
        rc = ja_engine_ensure(engine, "repair", "jail", name, loaded.revision, plan_jail, &loaded.subject, done, err);
    ja_loaded_fini(&loaded);
    return rc;
}

/* Without its registration the instance's numbers could be given away. */
static int repair_registration(struct ja_engine *engine, struct ja_strv *done, struct ja_error *err)
{
    struct ja_instance instance;
    int rc = ja_registry_find(engine->options.state, &instance, err);
    bool lost = rc == JA_E_NOTFOUND || rc == JA_E_CORRUPT;
    if (!lost || engine->options.dry_run)
        return lost ? 0 : rc;
    ja_site_give(&engine->site, engine->options.state, &instance);
    rc = ja_registry_put(&instance, err);
    if (rc == JA_E_CONFLICT)
        return ja_error_hint(
            err,
            "somebody else has its numbers by now: `jailadmin backup FILE`, then `jailadmin restore --force FILE`");
    if (rc < 0)
        return rc;
    return ja_strv_add(done, "register the instance on this machine again") < 0 ? ja_error_nomem(err) : 0;
}

int ja_engine_repair(struct ja_engine *engine,
                     void (*report)(void *context, const char *object, const char *what, const struct ja_error *err),
                     void *context, struct ja_error *err)
{
    struct ja_error local = JA_ERROR_INIT, failure = JA_ERROR_INIT;
    struct repair repair = {engine, report, context, 0, err ? err : &local};
    ja_autostrv struct ja_strv names = {0}, done = {0}, registered = {0};
    int rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = repair_registration(engine, &registered, &failure);
    tell(&repair, "instance", &registered, rc, &failure);
    failure = (struct ja_error)JA_ERROR_INIT;
    rc = ja_engine_ensure(engine, "repair", "host", "rules", 0, plan_rules, NULL, &done, &failure);
    tell(&repair, "host", &done, rc, &failure);
    rc = ja_store_each(engine->store, "network", NULL, repair_network, &repair, err);
    static const char *const kinds[] = {"network", "template", "jail"};
    for (size_t i = 0; rc == 0 && i < JA_COUNT(kinds); i++)
        rc = ja_store_each(engine->store, kinds[i], NULL, repair_kept, &repair, err);
    if (rc == 0)
        rc = ja_engine_network_jails(engine, NULL, &names, err);
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        ja_autostrv struct ja_strv of_jail = {0};
        failure = (struct ja_error)JA_ERROR_INIT;
        int one = repair_jail(engine, names.items[i], &of_jail, &failure);
        tell(&repair, JA_LABEL("jail", names.items[i]), &of_jail, one, &failure);
    }
    return rc < 0 ? rc : repair.rc;
}
