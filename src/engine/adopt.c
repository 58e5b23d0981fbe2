/*
 * adopt.c: objects of which the store has lost its rows, taken back by the specs that are kept in the pool. Networks first, then
 * templates, then jails: each as one change of its own. A jail that runs is taken over running.
 */
#include "engine/internal.h"
#include "host/host.h"

#include <stdio.h>
#include <string.h>

struct adoption {
    struct ja_subject subject;
    void *object;
};

static void plan_network(void *work, struct ja_planning *p)
{
    ja_plan_network_create(p, work);
}

static void plan_object(void *work, struct ja_planning *p)
{
    const struct adoption *adoption = work;
    bool jail = adoption->subject.jail != NULL;
    const struct ja_noun *noun = jail ? &ja_noun_jail : &ja_noun_template;
    ja_plan_keep_spec(p, noun, adoption->object);
    struct ja_step *step =
        ja_plan_store_put(p, noun, adoption->object, jail ? "record the jail" : "record the template");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
}

/* ---- numbers ---- */

/* The slot of an object: the one that it had, if it is free and ours; else another. */
static int take_slot(struct ja_change *change, const char *kind, int64_t count, const char *uuid, int64_t *slot,
                     struct ja_error *err)
{
    char key[32];
    snprintf(key, sizeof key, "%lld", (long long)*slot);
    int rc =
        *slot >= 0 && *slot < count ? ja_store_reserve(change->engine->store, kind, key, uuid, err) : JA_E_CONFLICT;
    if (rc == JA_E_CONFLICT)
        rc = ja_store_reserve_number(change->engine->store, kind, 0, count, uuid, slot, err);
    return rc;
}

/* ---- a jail that runs ---- */

/* The jail as it was started, when that very jail runs in its slot; NULL: it does not. Its slot and addresses are in use. */
static int find_running(struct ja_engine *engine, const struct ja_jail *jail, struct ja_jail **ret_applied,
                        struct ja_error *err)
{
    char path[512];
    char *text = NULL, *process = NULL;
    void *applied = NULL;
    *ret_applied = NULL;
    snprintf(path, sizeof path, "%s/jails/%lld/pid", engine->site.run, (long long)jail->slot);
    int rc = ja_machine_fact(engine->machine, JA_FACT_PROCESS, path, &process, err);
    snprintf(path, sizeof path, "%s/jails/%lld/applied.json", engine->site.run, (long long)jail->slot);
    if (rc == 0 && process)
        rc = ja_machine_fact(engine->machine, JA_FACT_FILE, path, &text, err);
    json_t *json = NULL;
    int parsed = rc == 0 && text ? ja_json_read(text, NULL, &json, NULL) : 0;
    if (json)
        parsed = ja_object_from_json(&ja_noun_jail, json, true, &applied, NULL);
    if (parsed == JA_E_NOMEM)
        rc = ja_error_nomem(err);
    if (json && parsed == 0) {
        if (ja_str_equal(((struct ja_jail *)applied)->uuid, jail->uuid))
            *ret_applied = applied;
        else
            ja_object_free(&ja_noun_jail, applied);
    }
    json_decref(json);
    free(text);
    free(process);
    return rc;
}

/* A nic of a stopped jail may get another address when somebody has its own; what runs has what it has. */
static int take_addresses(struct ja_engine *engine, struct ja_jail *jail, bool running, struct ja_error *err)
{
    int rc = ja_assign_addresses(engine, jail, err);
    if (rc != JA_E_CONFLICT || running)
        return rc;
    for (size_t i = 0; i < jail->nics.count; i++)
        ja_strv_fini(&((struct ja_nic *)jail->nics.items[i])->assigned);
    ja_error_clear(err);
    return ja_assign_addresses(engine, jail, err);
}

/* ---- one object ---- */

static int reserve_jail(struct ja_change *change, struct ja_jail *jail, struct ja_error *err)
{
    struct ja_engine *engine = change->engine;
    struct ja_jail *applied = NULL;
    int64_t slot = jail->slot;
    int rc = find_running(engine, jail, &applied, err);
    if (rc == 0)
        rc = take_slot(change, "slot", engine->site.slots, jail->uuid, &jail->slot, err);
    if (rc == 0 && applied && jail->slot != slot)
        rc = ja_error_set(err, JA_E_CONFLICT, JA_LABEL("jail", jail->name),
                          "it runs in slot %lld, which is another jail's", (long long)slot);
    if (rc == 0)
        rc = take_addresses(engine, jail, applied != NULL, err);
    if (rc == JA_E_NOTFOUND)
        ja_error_hint(err, "adopt or make the network first: `jailadmin network create`");
    jail->wanted = applied ? JA_WANTED_RUNNING : JA_WANTED_STOPPED;
    ja_object_free(&ja_noun_jail, applied);
    return rc;
}

/* Versions whose trees are gone are not taken back. */
static int drop_lost_versions(struct ja_engine *engine, struct ja_template *template, struct ja_error *err)
{
    for (size_t i = template->versions.count; i-- > 0;) {
        const char *version = ((struct ja_template_version *)template->versions.items[i])->version;
        char path[1024];
        char *there = NULL;
        snprintf(path, sizeof path, "%s/templates/%s/%s", engine->site.pool, template->name, version);
        int rc = ja_machine_fact(engine->machine, JA_FACT_PATH, path, &there, err);
        if (rc < 0)
            return rc;
        if (!there)
            ja_list_remove(&ja_noun_template_version, &template->versions, version);
        free(there);
    }
    if (template->versions.count == 0)
        return ja_error_set(err, JA_E_NOTFOUND, JA_LABEL("template", template->name), "none of its trees is there");
    const struct ja_template_version *newest = template->versions.items[template->versions.count - 1];
    if (template->current && ja_list_get(&template->versions, template->current))
        return 0;
    free(template->current);
    template->current = ja_strdup(newest->version);
    return template->current ? 0 : ja_error_nomem(err);
}

static int reserve_object(struct ja_change *change, const struct ja_noun *noun, void *object, struct ja_error *err)
{
    if (noun == &ja_noun_jail)
        return reserve_jail(change, object, err);
    if (noun == &ja_noun_template)
        return drop_lost_versions(change->engine, object, err);
    struct ja_network *network = object;
    int rc = ja_check_network_overlap(change->engine, network, err);
    return rc < 0 ? rc : take_slot(change, "netslot", JA_NETWORK_SLOTS, network->uuid, &network->slot, err);
}

/* The row while it is `creating`: it goes again if the plan fails. */
static int put_creating(struct ja_engine *engine, const struct ja_noun *noun, void *object, struct ja_error *err)
{
    int *state = noun == &ja_noun_jail       ? &((struct ja_jail *)object)->state
                 : noun == &ja_noun_template ? &((struct ja_template *)object)->state
                                             : &((struct ja_network *)object)->state;
    *state = JA_ROW_CREATING;
    int rc = ja_engine_put(engine, noun, object, 0, err);
    *state = JA_ROW_READY;
    return rc;
}

static int run_jail(struct ja_change *change, struct ja_jail *jail, struct ja_error *err)
{
    struct ja_loaded loaded;
    struct ja_jail *copy = ja_object_copy(&ja_noun_jail, jail);
    if (!copy)
        return ja_error_nomem(err);
    int rc = ja_load_subject(change->engine, copy, &loaded, err);
    if (rc < 0)
        return rc;
    struct adoption adoption = {.subject = loaded.subject, .object = copy};
    rc = ja_change_apply(change, plan_object, &adoption, err);
    ja_loaded_fini(&loaded);
    return rc;
}

static int note_ruled(void *context, const struct ja_row *row, struct ja_error *err)
{
    bool ruled = json_array_size(json_object_get(row->spec, "rules")) > 0;
    return ruled && ja_strv_add(context, row->name) < 0 ? ja_error_nomem(err) : 0;
}

/* What rules name may have got other numbers or addresses, or be there no more: each network's are resolved again. */
static int settle_rules(struct ja_engine *engine, int *failed,
                        void (*report)(void *context, const char *kind, const char *name, int rc,
                                       const struct ja_error *err),
                        void *context, struct ja_error *err)
{
    const struct ja_strv nothing = {0};
    ja_autostrv struct ja_strv networks = {0};
    int rc = ja_store_each(engine->store, "network", NULL, note_ruled, &networks, err);
    for (size_t i = 0; rc == 0 && i < networks.count; i++) {
        struct ja_error one = JA_ERROR_INIT;
        int done = ja_engine_network_set(engine, networks.items[i], &nothing, &one);
        *failed += done < 0;
        if (done < 0)
            report(context, "network", networks.items[i], done, &one);
    }
    return rc;
}

static int adopt(struct ja_engine *engine, const struct ja_noun *noun, void *object, struct ja_error *err)
{
    struct ja_change change;
    struct adoption adoption = {.object = object};
    const char *name = *(char **)object;
    int rc = ja_change_begin(&change, engine, "adopt", noun->name, name, err);
    if (rc == 0)
        rc = ja_check_free(engine, noun->name, name, err);
    if (rc == 0)
        rc = ja_object_check(noun, object, err);
    if (rc == 0)
        snprintf(change.uuid, sizeof change.uuid, "%s", ja_object_uuid(noun, object));
    if (rc == 0)
        rc = reserve_object(&change, noun, object, err);
    if (rc == 0)
        rc = put_creating(engine, noun, object, err);
    if (rc == 0 && noun == &ja_noun_jail)
        rc = run_jail(&change, object, err);
    else if (rc == 0)
        rc = ja_change_apply(&change, noun == &ja_noun_network ? plan_network : plan_object,
                             noun == &ja_noun_network ? object : &adoption, err);
    ja_change_end(&change);
    return rc;
}

/* ---- all of it ---- */

struct collected {
    const struct ja_strv *names; /* NULL: all */
    struct ja_list networks, templates, jails;
};

static struct ja_list *list_of(struct collected *collected, const struct ja_noun *noun)
{
    return noun == &ja_noun_network ? &collected->networks
           : noun == &ja_noun_jail  ? &collected->jails
                                    : &collected->templates;
}

/* Networks and templates come along with any jail: a jail is nothing without them. */
static int collect(void *context, const struct ja_found *found, struct ja_error *err)
{
    struct collected *collected = context;
    if (found->status != JA_FOUND_FREE)
        return 0;
    if (collected->names && found->noun == &ja_noun_jail && !ja_strv_has(collected->names, found->name))
        return 0;
    void *copy = ja_object_copy(found->noun, found->spec);
    if (!copy || ja_list_add(found->noun, list_of(collected, found->noun), copy) < 0)
        return ja_error_nomem(err);
    return 0;
}

static void plan_site(JA_UNUSED void *work, struct ja_planning *p)
{
    ja_plan_keep_site(p);
    ja_plan_commit_last(p);
}

static int note_site(struct ja_engine *engine, struct ja_error *err)
{
    struct ja_change change;
    int rc = ja_change_begin(&change, engine, "adopt", "host", "instance", err);
    if (rc == 0)
        rc = ja_change_apply(&change, plan_site, NULL, err);
    ja_change_end(&change);
    return rc;
}

/* Every name that was asked for was found. */
static int check_names(const struct collected *collected, struct ja_error *err)
{
    for (size_t i = 0; collected->names && i < collected->names->count; i++)
        if (!ja_list_get(&collected->jails, collected->names->items[i])) {
            ja_error_set(err, JA_E_NOTFOUND, JA_LABEL("jail", collected->names->items[i]),
                         "the pool has no such jail to adopt");
            return ja_error_hint(err, "`jailadmin adopt` lists what there is");
        }
    return 0;
}

int ja_engine_adopt(struct ja_engine *engine, const struct ja_strv *names,
                    void (*report)(void *context, const char *kind, const char *name, int rc,
                                   const struct ja_error *err),
                    void *context, struct ja_error *err)
{
    static const struct ja_noun *const order[] = {&ja_noun_network, &ja_noun_template, &ja_noun_jail};
    struct collected collected = {.names = names};
    int failed = 0;
    int rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = ja_engine_scan(engine, collect, &collected, err);
    if (rc == 0)
        rc = check_names(&collected, err);
    if (rc == 0)
        rc = note_site(engine, err);
    for (size_t k = 0; k < JA_COUNT(order); k++) {
        struct ja_list *list = list_of(&collected, order[k]);
        for (size_t i = 0; rc == 0 && i < list->count; i++) {
            struct ja_error one = JA_ERROR_INIT;
            int done = adopt(engine, order[k], list->items[i], &one);
            failed += done < 0;
            report(context, order[k]->name, *(char **)list->items[i], done, &one);
        }
        ja_list_fini(order[k], list);
    }
    if (rc == 0)
        rc = settle_rules(engine, &failed, report, context, err);
    return rc < 0 ? rc : failed;
}
