/*
 * store_verbs.c: `jailadmin host store-put|store-set|store-delete|store-rename`: what the store learns, as steps of a plan.
 */
#include "engine/internal.h"

#include <string.h>

/* Ends the verb's transaction: with the plan's commit, synced, or rolled back after a failure. */
static int finish(struct ja_engine *engine, const char *commit_id, int rc, struct ja_error *err)
{
    if (rc == 0 && commit_id)
        rc = ja_store_plan_update(engine->store, commit_id, "committed", "", 0, err);
    if (rc == 0)
        return ja_store_commit(engine->store, true, err);
    ja_store_rollback(engine->store);
    return rc;
}

/* The revision to replace: of the same object, or of a row that is still being created. 0: none there. */
static int find_revision(struct ja_engine *engine, const char *kind, const char *name, const char *uuid,
                         int64_t *ret_revision, struct ja_error *err)
{
    struct ja_row row;
    int rc = ja_store_get(engine->store, kind, name, &row, err);
    *ret_revision = 0;
    if (rc == JA_E_NOTFOUND) {
        ja_error_clear(err);
        return 0;
    }
    if (rc < 0)
        return rc;
    if (strcmp(row.uuid, uuid) == 0)
        *ret_revision = row.revision;
    else
        rc = ja_error_set(err, JA_E_EXISTS, JA_LABEL(kind, name), "it exists already, with another uuid");
    ja_row_fini(&row);
    return rc;
}

/* Once more, in the transaction: a network may have gone, and a jail may have come to it, since the plan was made. */
static int check_networks(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        struct ja_row row;
        rc = ja_store_get(engine->store, "network", nic->network, &row, err);
        if (rc == 0)
            ja_row_fini(&row);
        else if (rc == JA_E_NOTFOUND)
            rc = ja_error_set(err, JA_E_CONFLICT, JA_LABEL("jail", jail->name), "somebody has deleted the network %s",
                              nic->network);
    }
    return rc;
}

static int delete_object(struct ja_engine *engine, const struct ja_noun *noun, const char *name, struct ja_error *err)
{
    int rc = noun == &ja_noun_network ? ja_check_network_unused(engine, name, err) : 0;
    return rc < 0 ? rc : ja_store_delete(engine->store, noun->name, name, err);
}

static int put(struct ja_engine *engine, const struct ja_noun *noun, const char *name, const char *input,
               struct ja_error *err)
{
    json_t *json = NULL;
    void *object = NULL;
    int64_t revision = 0;
    int rc = ja_json_read(input, JA_LABEL(noun->name, name), &json, err);
    if (rc < 0)
        return rc;
    rc = ja_object_from_json(noun, json, true, &object, err);
    const char *uuid = json_string_value(json_object_get(json, "uuid"));
    if (rc == 0 && (!uuid || strcmp(*(char **)object, name) != 0))
        rc = ja_error_set(err, JA_E_INVALID, JA_LABEL(noun->name, name), "the spec has no uuid or another name");
    if (rc == 0)
        rc = find_revision(engine, noun->name, name, uuid, &revision, err);
    if (rc == 0 && noun == &ja_noun_jail)
        rc = check_networks(engine, object, err);
    if (rc == 0)
        rc = ja_engine_put(engine, noun, object, revision, err);
    ja_object_free(noun, object);
    json_decref(json);
    return rc;
}

/* Changes members of the spec directly: these are states, not settings of a user. */
static int set(struct ja_engine *engine, const struct ja_noun *noun, const char *name, char *const *assignments,
               int count, struct ja_error *err)
{
    struct ja_row row;
    int rc = ja_store_get(engine->store, noun->name, name, &row, err);
    if (rc < 0)
        return rc;
    for (int i = 0; rc == 0 && i < count; i++) {
        const char *equal = strchr(assignments[i], '=');
        ja_autofree char *field = equal ? ja_strndup(assignments[i], (size_t)(equal - assignments[i])) : NULL;
        if (equal && !field)
            rc = ja_error_nomem(err);
        else if (!equal || !ja_noun_field(noun, field))
            rc = ja_error_set(err, JA_E_USAGE, NULL, "\"%s\" is not FIELD=VALUE of a %s", assignments[i], noun->name);
        else if (json_object_set_new(row.spec, field, json_string(equal + 1)) < 0)
            rc = ja_error_nomem(err);
    }
    int64_t revision;
    if (rc == 0)
        rc = ja_store_put(engine->store, &row, &revision, err);
    ja_row_fini(&row);
    return rc;
}

/* The name is part of the spec, too. */
static int rename_spec(struct ja_engine *engine, const char *kind, const char *to, struct ja_error *err)
{
    struct ja_row row;
    int64_t revision;
    int rc = ja_store_get(engine->store, kind, to, &row, err);
    if (rc < 0)
        return rc;
    if (json_object_set_new(row.spec, "name", json_string(to)) < 0)
        rc = ja_error_nomem(err);
    else
        rc = ja_store_put(engine->store, &row, &revision, err);
    ja_row_fini(&row);
    return rc;
}

struct renamed {
    struct ja_store *store;
    const char *from, *to;
};

/* Other jails that depend on it do so by its name. */
static int rename_dependence(void *context, const struct ja_row *row, struct ja_error *err)
{
    const struct renamed *renamed = context;
    const json_t *depends = json_object_get(row->spec, "depends");
    bool changed = false;
    for (size_t i = 0; i < json_array_size(depends); i++) {
        const char *name = json_string_value(json_array_get(depends, i));
        if (!name || strcmp(name, renamed->from) != 0)
            continue;
        if (json_array_set_new((json_t *)depends, i, json_string(renamed->to)) < 0)
            return ja_error_nomem(err);
        changed = true;
    }
    int64_t revision;
    return changed ? ja_store_put(renamed->store, row, &revision, err) : 0;
}

static int rename_object(struct ja_engine *engine, const struct ja_noun *noun, const char *name, const char *to,
                         struct ja_error *err)
{
    struct renamed renamed = {engine->store, name, to};
    int rc = ja_store_rename(engine->store, noun->name, name, to, err);
    if (rc == 0)
        rc = rename_spec(engine, noun->name, to, err);
    if (rc == 0 && noun == &ja_noun_jail)
        rc = ja_store_each(engine->store, "jail", NULL, rename_dependence, &renamed, err);
    return rc;
}

static int setting(struct ja_engine *engine, const char *name, const char *value, const char *commit_id,
                   struct ja_error *err)
{
    int rc = ja_store_begin(engine->store, err);
    if (rc == 0)
        rc = ja_store_setting_put(engine->store, name, value, err);
    return finish(engine, commit_id, rc, err);
}

/* Makes the state directory and the store of the site that standard input describes; with an open store it is there. */
static int create(struct ja_engine *engine, const char *input, struct ja_error *err)
{
    struct ja_site site;
    json_t *json = NULL;
    int rc = ja_json_read(input, "standard input", &json, err);
    if (rc < 0)
        return rc;
    rc = ja_site_from_json(json, &site, err);
    json_decref(json);
    if (rc < 0)
        return rc;
    if (engine->store)
        return strcmp(site.uuid, engine->site.uuid) == 0
                   ? 0
                   : ja_error_set(err, JA_E_EXISTS, "store", "%s holds another instance's", engine->options.state);
    engine->site = site;
    return ja_engine_make_state(engine, err);
}

int ja_store_verb(struct ja_engine *engine, int argc, char *const *argv, const char *input, const char *commit_id,
                  struct ja_error *err)
{
    if (argc == 3 && strcmp(argv[0], "store-create") == 0 && strcmp(argv[1], "--state") == 0)
        return create(engine, input ? input : "", err);
    if (argc == 3 && strcmp(argv[0], "store-remove") == 0 && strcmp(argv[1], "--state") == 0)
        return ja_engine_remove_state(engine, false, err);
    if (argc == 5 && strcmp(argv[0], "store-setting") == 0 && strcmp(argv[1], "--state") == 0)
        return setting(engine, argv[3], argv[4], commit_id, err);
    /* argv: verb --state DIR KIND NAME [MORE...] */
    if (argc < 5 || strcmp(argv[1], "--state") != 0)
        return ja_error_set(err, JA_E_USAGE, NULL, "usage: jailadmin host %s --state DIR KIND NAME ...", argv[0]);
    const struct ja_noun *noun = ja_noun_of_kind(argv[3]);
    const char *verb = argv[0], *name = argv[4];
    if (!noun)
        return ja_error_set(err, JA_E_USAGE, NULL, "there is no kind %s", argv[3]);
    int rc = ja_store_begin(engine->store, err);
    if (rc < 0)
        return rc;
    if (strcmp(verb, "store-put") == 0)
        rc = put(engine, noun, name, input ? input : "", err);
    else if (strcmp(verb, "store-set") == 0)
        rc = set(engine, noun, name, argv + 5, argc - 5, err);
    else if (strcmp(verb, "store-delete") == 0)
        rc = delete_object(engine, noun, name, err);
    else if (strcmp(verb, "store-rename") == 0 && argc == 6)
        rc = rename_object(engine, noun, name, argv[5], err);
    else
        rc = ja_error_set(err, JA_E_USAGE, NULL, "there is no store verb %s", verb);
    return finish(engine, commit_id, rc, err);
}

int ja_engine_store_step(void *context, const char *id, const struct ja_cmd *cmd, bool commit, struct ja_error *err)
{
    struct ja_engine *engine = context;
    /* Its journal is in the state directory until the plan has ended: ja_engine_teardown does it then. */
    if (strcmp(cmd->argv.items[2], "store-remove") == 0)
        return 0;
    /* argv: SELF host VERB ... */
    return ja_store_verb(engine, (int)cmd->argv.count - 2, cmd->argv.items + 2, cmd->input, commit ? id : NULL, err);
}
