/*
 * scan.c: what lies in the pool, beside what the store knows of it. Reads only.
 */
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>

struct scan {
    struct ja_engine *engine;
    int (*each)(void *context, const struct ja_found *found, struct ja_error *err);
    void *context;
};

static int fact_below(struct scan *scan, enum ja_fact_kind kind, const char *below, char **ret_value,
                      struct ja_error *err)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", scan->engine->site.pool, below);
    return ja_machine_fact(scan->engine->machine, kind, path, ret_value, err);
}

/* Calls `each` for every name in a directory below the pool. */
static int each_name(struct scan *scan, const char *below,
                     int (*each)(struct scan *scan, const char *below, const char *name, struct ja_error *err),
                     struct ja_error *err)
{
    ja_autofree char *names = NULL;
    int rc = fact_below(scan, JA_FACT_DIRECTORY, below, &names, err);
    char *rest = names;
    for (char *name; rc == 0 && rest && (name = strsep(&rest, "\n")) != NULL;)
        if (*name && strlen(name) < 200)
            rc = each(scan, below, name, err);
    return rc;
}

/* The kept spec as an object, when it is one, of that name. */
static int read_spec(struct scan *scan, const char *path, const char *name, struct ja_found *found,
                     struct ja_error *err)
{
    ja_autofree char *text = NULL;
    struct ja_error why = JA_ERROR_INIT;
    int rc = fact_below(scan, JA_FACT_FILE, path, &text, err);
    if (rc < 0)
        return rc;
    json_t *json = NULL;
    if (text)
        rc = ja_json_read(text, NULL, &json, &why);
    if (json)
        rc = ja_object_from_json(found->noun, json, true, &found->spec, &why);
    if (rc == JA_E_NOMEM) { /* which says nothing about the spec */
        json_decref(json);
        return ja_error_nomem(err);
    }
    if (!text)
        snprintf(found->problem, sizeof found->problem, "there is no spec beside it");
    else if (!json)
        snprintf(found->problem, sizeof found->problem, "its spec is damaged: %.300s", why.what);
    else if (rc < 0)
        snprintf(found->problem, sizeof found->problem, "its spec is refused: %.120s: %.200s", why.object, why.what);
    const char *uuid = json_string_value(json_object_get(json, "uuid"));
    if (found->spec && (strcmp(*(char **)found->spec, name) != 0 || !uuid))
        snprintf(found->problem, sizeof found->problem, "its spec has another name, or no uuid");
    snprintf(found->uuid, sizeof found->uuid, "%s", uuid ? uuid : "");
    json_decref(json);
    return 0;
}

/* What the store says to its name and uuid. */
static int compare(struct scan *scan, struct ja_found *found, struct ja_error *err)
{
    struct ja_row row;
    int rc = ja_store_get(scan->engine->store, found->noun->name, found->name, &row, err);
    if (rc == 0) {
        bool same = !found->uuid[0] || strcmp(row.uuid, found->uuid) == 0;
        found->status = same ? JA_FOUND_KNOWN : JA_FOUND_TAKEN;
        ja_row_fini(&row);
        return 0;
    }
    if (rc == JA_E_NOTFOUND && found->uuid[0])
        rc = ja_store_get_uuid(scan->engine->store, found->noun->name, found->uuid, &row, err);
    if (rc == 0) {
        found->status = JA_FOUND_TAKEN; /* its object has another name now */
        ja_row_fini(&row);
    } else if (rc == JA_E_NOTFOUND) {
        ja_error_clear(err);
        found->status = found->spec && !found->problem[0] ? JA_FOUND_FREE : JA_FOUND_NAMELESS;
        rc = 0;
    }
    return rc;
}

static int look(struct scan *scan, const struct ja_noun *noun, const char *name, const char *label, const char *spec,
                struct ja_error *err)
{
    struct ja_found found = {.noun = noun, .name = name, .label = label};
    int rc = read_spec(scan, spec, name, &found, err);
    if (rc == 0)
        rc = compare(scan, &found, err);
    if (rc == 0)
        rc = scan->each(scan->context, &found, err);
    ja_object_free(noun, found.spec);
    return rc;
}

static int look_at_jail(struct scan *scan, const char *below, const char *name, struct ja_error *err)
{
    char label[512], spec[600];
    snprintf(label, sizeof label, "%s/%s", below, name);
    snprintf(spec, sizeof spec, "%s/spec.json", label);
    return look(scan, &ja_noun_jail, name, label, spec, err);
}

static int look_at_network(struct scan *scan, const char *below, const char *file, struct ja_error *err)
{
    char label[512], name[256];
    const char *suffix = strstr(file, ".network.json");
    if (!suffix || strcmp(suffix, ".network.json") != 0)
        return 0;
    snprintf(name, sizeof name, "%.*s", (int)(suffix - file), file);
    snprintf(label, sizeof label, "%s/%s", below, file);
    return look(scan, &ja_noun_network, name, label, label, err);
}

/* Versions of a known template that its row does not have. */

static int look_at_versions(struct scan *scan, const char *name, struct ja_error *err)
{
    void *object = NULL;
    char below[512];
    ja_autofree char *names = NULL;
    int rc = ja_engine_get(scan->engine, &ja_noun_template, name, &object, NULL, err);
    if (rc < 0) {
        if (rc == JA_E_NOTFOUND)
            ja_error_clear(err);
        return rc == JA_E_NOTFOUND ? 0 : rc;
    }
    const struct ja_template *template = object;
    snprintf(below, sizeof below, "templates/%s", name);
    rc = fact_below(scan, JA_FACT_DIRECTORY, below, &names, err);
    char *rest = names;
    for (char *version; rc == 0 && rest && (version = strsep(&rest, "\n")) != NULL;) {
        char label[800];
        if (!*version || strlen(version) > 200 || strcmp(version, "spec.json") == 0 ||
            ja_list_get(&template->versions, version) || template->state == JA_ROW_CREATING)
            continue;
        snprintf(label, sizeof label, "%s/%s", below, version);
        struct ja_found found = {.noun = &ja_noun_template,
                                 .name = name,
                                 .version = version,
                                 .label = label,
                                 .status = JA_FOUND_NAMELESS,
                                 .problem = "its template does not have this version"};
        rc = scan->each(scan->context, &found, err);
    }
    ja_object_free(&ja_noun_template, object);
    return rc;
}

static int look_at_template(struct scan *scan, const char *below, const char *name, struct ja_error *err)
{
    char label[512], spec[600];
    snprintf(label, sizeof label, "%s/%s", below, name);
    snprintf(spec, sizeof spec, "%s/spec.json", label);
    int rc = look(scan, &ja_noun_template, name, label, spec, err);
    return rc < 0 ? rc : look_at_versions(scan, name, err);
}

static int look_at_deleted(struct scan *scan, const char *below, const char *name, struct ja_error *err)
{
    char label[512];
    struct ja_found found = {.name = name, .label = label, .status = JA_FOUND_DELETED};
    snprintf(label, sizeof label, "%s/%s", below, name);
    return scan->each(scan->context, &found, err);
}

int ja_engine_scan(struct ja_engine *engine,
                   int (*each)(void *context, const struct ja_found *found, struct ja_error *err), void *context,
                   struct ja_error *err)
{
    struct scan scan = {engine, each, context};
    int rc = each_name(&scan, "instance", look_at_network, err);
    if (rc == 0)
        rc = each_name(&scan, "templates", look_at_template, err);
    if (rc == 0)
        rc = each_name(&scan, "jails", look_at_jail, err);
    return rc == 0 ? each_name(&scan, "deleted", look_at_deleted, err) : rc;
}
