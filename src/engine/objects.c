/*
 * objects.c: objects of the store as structures: reading, writing with reservations, settling after an undo, loading a jail with
 * all that it refers to.
 */
#include "base/file.h"
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>

static const struct ja_noun *const nouns[] = {&ja_noun_jail, &ja_noun_network, &ja_noun_template};
static const char *const row_states[] = {
    [JA_ROW_CREATING] = "creating", [JA_ROW_READY] = "ready", [JA_ROW_BROKEN] = "broken"};

const struct ja_noun *ja_noun_of_kind(const char *kind)
{
    for (size_t i = 0; i < JA_COUNT(nouns); i++)
        if (strcmp(nouns[i]->name, kind) == 0)
            return nouns[i];
    return NULL;
}

const char *ja_object_uuid(const struct ja_noun *noun, const void *object)
{
    return noun == &ja_noun_jail      ? ((const struct ja_jail *)object)->uuid
           : noun == &ja_noun_network ? ((const struct ja_network *)object)->uuid
                                      : ((const struct ja_template *)object)->uuid;
}

const char *ja_object_label(char buffer[96], const char *kind, const char *name)
{
    snprintf(buffer, 96, "%s %s", kind, name);
    return buffer;
}

int ja_collect_name(void *context, const struct ja_row *row, struct ja_error *err)
{
    return ja_strv_add(context, row->name) < 0 ? ja_error_nomem(err) : 0;
}

static int try_name(void *context, const struct ja_row *row, JA_UNUSED struct ja_error *err)
{
    ja_nearest_try(context, row->name);
    return 0;
}

/* For who has mistyped a name. */
static void hint_name(struct ja_engine *engine, const char *kind, const char *name, struct ja_error *err)
{
    struct ja_nearest nearest = {.given = name};
    struct ja_error ignored = JA_ERROR_INIT;
    if (ja_store_each(engine->store, kind, NULL, try_name, &nearest, &ignored) == 0 && nearest.word[0])
        ja_error_hint(err, "did you mean \"%s\"?", nearest.word);
}

int ja_engine_get(struct ja_engine *engine, const struct ja_noun *noun, const char *name, void **ret_object,
                  int64_t *ret_revision, struct ja_error *err)
{
    struct ja_row row;
    int rc = ja_store_get(engine->store, noun->name, name, &row, err);
    if (rc == JA_E_NOTFOUND && err && !err->hint[0])
        hint_name(engine, noun->name, name, err);
    if (rc < 0)
        return rc;
    rc = ja_object_from_json(noun, row.spec, true, ret_object, err);
    if (rc == 0 && ret_revision)
        *ret_revision = row.revision;
    ja_row_fini(&row);
    return rc;
}

int ja_row_of(const struct ja_noun *noun, const void *object, int64_t revision, struct ja_row *ret_row,
              struct ja_error *err)
{
    struct ja_row row = {.kind = (char *)noun->name, .slot = -1, .revision = revision};
    int state = JA_ROW_READY;
    if (noun == &ja_noun_jail) {
        const struct ja_jail *jail = object;
        row.name = jail->name;
        row.uuid = jail->uuid;
        row.slot = jail->slot;
        row.reference = jail->template;
        state = jail->state;
    } else if (noun == &ja_noun_network) {
        const struct ja_network *network = object;
        row.name = network->name;
        row.uuid = network->uuid;
        row.slot = network->slot;
        state = network->state;
    } else {
        const struct ja_template *template = object;
        row.name = template->name;
        row.uuid = template->uuid;
        state = template->state;
    }
    row.state = (char *)row_states[state];
    row.spec = ja_object_to_json(noun, object, false);
    if (!row.spec)
        return ja_error_nomem(err);
    *ret_row = row;
    return 0;
}

int ja_engine_put(struct ja_engine *engine, const struct ja_noun *noun, const void *object, int64_t revision,
                  struct ja_error *err)
{
    struct ja_row row;
    int64_t now;
    int rc = ja_row_of(noun, object, revision, &row, err);
    if (rc < 0)
        return rc;
    rc = ja_store_put(engine->store, &row, &now, err);
    json_decref(row.spec);
    if (rc == 0)
        rc = ja_reserve_all(engine, noun->name, object, err);
    return rc;
}

/* ---- after an undo ---- */

static int settle_row(struct ja_engine *engine, const struct ja_noun *noun, const struct ja_row *row,
                      struct ja_error *err)
{
    if (strcmp(row->state, "creating") == 0)
        return ja_store_delete(engine->store, row->kind, row->name, err);
    void *object = NULL;
    int rc = ja_object_from_json(noun, row->spec, true, &object, err);
    if (rc == 0)
        rc = ja_reserve_all(engine, noun->name, object, err);
    ja_object_free(noun, object);
    return rc;
}

int ja_engine_settle(struct ja_engine *engine, const char *kind, const char *name, const char *uuid,
                     struct ja_error *err)
{
    const struct ja_noun *noun = ja_noun_of_kind(kind);
    if (!noun)
        return 0;
    struct ja_row row;
    int rc = ja_store_begin(engine->store, err);
    if (rc < 0)
        return rc;
    rc = ja_store_get(engine->store, kind, name, &row, err);
    if (rc == JA_E_NOTFOUND) {
        rc = 0;
    } else if (rc == 0) {
        /* Another object may have the name by now. */
        if (!uuid || !*uuid || strcmp(row.uuid, uuid) == 0)
            rc = settle_row(engine, noun, &row, err);
        ja_row_fini(&row);
    }
    if (rc < 0) {
        ja_store_rollback(engine->store);
        return rc;
    }
    return ja_store_commit(engine->store, false, err);
}

bool ja_row_is_broken(const struct ja_row *row)
{
    return ja_str_equal(json_string_value(json_object_get(row->spec, "state")), row_states[JA_ROW_BROKEN]);
}

int ja_engine_mark(struct ja_engine *engine, const char *kind, const char *name, bool broken, struct ja_error *err)
{
    struct ja_row row;
    if (!ja_noun_of_kind(kind))
        return 0;
    int rc = ja_store_get(engine->store, kind, name, &row, err);
    if (rc < 0)
        return rc == JA_E_NOTFOUND ? 0 : rc;
    /* A row that is being created stays one, so that it goes when its creation is undone after all: only its spec says "broken". */
    bool creating = strcmp(row.state, row_states[JA_ROW_CREATING]) == 0;
    enum ja_row_state column = creating ? JA_ROW_CREATING : broken ? JA_ROW_BROKEN : JA_ROW_READY;
    if (broken || ja_row_is_broken(&row)) {
        int64_t now;
        free(row.state);
        row.state = ja_strdup(row_states[column]);
        if (!row.state ||
            json_object_set_new(row.spec, "state", json_string(row_states[broken ? JA_ROW_BROKEN : column])) < 0)
            rc = ja_error_nomem(err);
        else
            rc = ja_store_put(engine->store, &row, &now, err);
    }
    ja_row_fini(&row);
    return rc;
}

/* ---- a jail with what it refers to ---- */

void ja_loaded_fini(struct ja_loaded *loaded)
{
    if (loaded->networks && loaded->jail)
        for (size_t i = 0; i < loaded->jail->nics.count; i++)
            ja_object_free(&ja_noun_network, loaded->networks[i]);
    free(loaded->networks);
    ja_object_free(&ja_noun_template, loaded->template);
    ja_object_free(&ja_noun_jail, loaded->jail);
    if (loaded->last)
        ja_loaded_fini(loaded->last);
    free(loaded->last);
    *loaded = (struct ja_loaded){0};
}

int ja_load_subject(struct ja_engine *engine, struct ja_jail *jail, struct ja_loaded *ret_loaded, struct ja_error *err)
{
    struct ja_loaded loaded = {.jail = jail};
    loaded.networks = ja_calloc(jail->nics.count + 1, sizeof(struct ja_network *));
    int rc = loaded.networks ? 0 : ja_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        rc = ja_engine_get(engine, &ja_noun_network, nic->network, (void **)&loaded.networks[i], NULL, err);
        if (rc == JA_E_NOTFOUND) {
            ja_error_set(err, rc, JA_LABEL("jail", jail->name), "its nic %s is on the network %s, which does not exist",
                         nic->label, nic->network);
            ja_error_hint(err, "`jailadmin network list` shows the networks there are");
        }
    }
    if (rc == 0 && jail->template) {
        rc = ja_engine_get(engine, &ja_noun_template, jail->template, (void **)&loaded.template, NULL, err);
        if (rc == JA_E_NOTFOUND)
            rc = 0;
    }
    if (rc < 0) {
        ja_loaded_fini(&loaded);
        return rc;
    }
    *ret_loaded = loaded;
    ret_loaded->subject = (struct ja_subject){
        .jail = jail, .template = loaded.template, .networks = (const struct ja_network *const *)loaded.networks};
    return 0;
}

int ja_load_last_spec(struct ja_engine *engine, const struct ja_jail *jail, struct ja_jail **ret_last,
                      struct ja_error *err)
{
    char path[512];
    ja_autofree char *text = NULL;
    void *object = NULL;
    *ret_last = NULL;
    snprintf(path, sizeof path, "%s/jails/%lld/applied.json", engine->site.run, (long long)jail->slot);
    int rc = ja_machine_fact(engine->machine, JA_FACT_FILE, path, &text, err);
    if (rc < 0 || !text)
        return rc == JA_E_NOMEM ? rc : 0;
    json_t *json = NULL;
    rc = ja_json_read(text, path, &json, err);
    if (rc == 0)
        rc = ja_object_from_json(&ja_noun_jail, json, true, &object, err);
    json_decref(json);
    if (rc < 0)
        return rc == JA_E_NOMEM ? rc : 0;
    if (ja_str_equal(((struct ja_jail *)object)->uuid, jail->uuid))
        *ret_last = object;
    else
        ja_object_free(&ja_noun_jail, object);
    return 0;
}

/* The spec of its last run, with what it refers to. */
static int load_last(struct ja_engine *engine, const struct ja_jail *jail, struct ja_loaded **ret_last,
                     struct ja_error *err)
{
    struct ja_jail *spec = NULL;
    int rc = ja_load_last_spec(engine, jail, &spec, err);
    if (rc < 0 || !spec)
        return rc;
    struct ja_loaded *last = ja_calloc(1, sizeof *last);
    if (!last) {
        ja_object_free(&ja_noun_jail, spec);
        return ja_error_nomem(err);
    }
    rc = ja_load_subject(engine, spec, last, err);
    if (rc < 0) {
        free(last);
        return rc == JA_E_NOMEM ? rc : 0;
    }
    *ret_last = last;
    return 0;
}

int ja_load_jail(struct ja_engine *engine, const char *name, struct ja_loaded *ret_loaded, struct ja_error *err)
{
    void *jail = NULL;
    int64_t revision = 0;
    int rc = ja_engine_get(engine, &ja_noun_jail, name, &jail, &revision, err);
    if (rc == 0)
        rc = ja_load_subject(engine, jail, ret_loaded, err);
    if (rc < 0)
        return rc;
    ret_loaded->revision = revision;
    rc = load_last(engine, ret_loaded->jail, &ret_loaded->last, err);
    if (rc < 0) {
        ja_loaded_fini(ret_loaded);
        return rc;
    }
    ja_error_clear(err);
    ret_loaded->subject.last = ret_loaded->last ? &ret_loaded->last->subject : NULL;
    return 0;
}

void ja_load_applied(struct ja_loaded *loaded)
{
    struct ja_loaded *last = loaded->last;
    if (!last)
        return;
    int64_t revision = loaded->revision;
    loaded->last = NULL;
    ja_loaded_fini(loaded);
    *loaded = *last;
    loaded->revision = revision;
    free(last);
}
