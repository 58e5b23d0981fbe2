/*
 * cmd_limit.c: limit: what jails use against what they may use, and changes to that.
 */
#include "cli/usage.h"

#include <string.h>

/* "2%" of what is allowed. */
static void add_row(struct ja_table *table, const char *jail, const char *resource, const struct ja_against *against)
{
    ja_table_cell(table, jail);
    ja_table_cell(table, resource);
    ja_table_cell(table, against->used_text);
    ja_table_cell(table, against->limit_text);
    if (against->used >= 0 && against->limit > 0)
        ja_table_cellf(table, "%.0f%%", (double)against->used * 100 / (double)against->limit);
    else
        ja_table_cell(table, NULL);
}

/* What a jail is made of beside its tree. */
static int volumes_of(struct ja_engine *engine, const struct ja_jail *jail, int64_t **ret_bytes, struct ja_error *err)
{
    int64_t *bytes = ja_calloc(jail->volumes.count + 1, sizeof *bytes);
    if (!bytes)
        return ja_error_nomem(err);
    *ret_bytes = bytes;
    return jail->volumes.count ? ja_engine_volumes_used(engine, jail, bytes, err) : 0;
}

static int add_jail(struct ja_engine *engine, const struct ja_jail *jail, const struct ja_usage *usage,
                    struct ja_table *table, struct ja_error *err)
{
    ja_autofree int64_t *bytes = NULL;
    struct ja_against against;
    int rc = volumes_of(engine, jail, &bytes, err);
    for (int i = 0; rc == 0 && i < JA_RESOURCES; i++) {
        ja_usage_against(jail, usage, (enum ja_resource)i, &against);
        add_row(table, jail->name, against.name, &against);
        if (i == JA_RESOURCE_CPU && jail->limits.cpuset) {
            against = (struct ja_against){.used = -1, .used_text = "-"};
            snprintf(against.limit_text, sizeof against.limit_text, "%s", jail->limits.cpuset);
            add_row(table, jail->name, "cpuset", &against);
        }
    }
    for (size_t i = 0; rc == 0 && i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        char name[96];
        against = (struct ja_against){.used = bytes[i], .limit = volume->size};
        ja_size_text(against.used, against.used_text);
        ja_size_text(against.limit ? against.limit : -1, against.limit_text);
        snprintf(name, sizeof name, "volumes.%s", volume->name);
        add_row(table, jail->name, name, &against);
    }
    return rc;
}

static json_t *volumes_json(const struct ja_jail *jail, const int64_t *bytes)
{
    json_t *json = json_object();
    for (size_t i = 0; json && i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        json_object_set_new(json, volume->name,
                            json_pack("{s:o, s:I}", "disk", bytes[i] < 0 ? json_null() : json_integer(bytes[i]), "size",
                                      (json_int_t)volume->size));
    }
    return json;
}

static int add_jail_json(struct ja_engine *engine, const struct ja_jail *jail, const struct ja_usage *usage,
                         json_t *array, struct ja_error *err)
{
    ja_autofree int64_t *bytes = NULL;
    int rc = volumes_of(engine, jail, &bytes, err);
    json_t *json = rc == 0 ? json_pack("{s:s, s:o, s:o, s:o}", "name", jail->name, "usage", ja_usage_json(usage),
                                       "limits", ja_object_to_json(&ja_noun_limits, &jail->limits, true), "volumes",
                                       volumes_json(jail, bytes))
                           : NULL;
    return rc < 0 ? rc : json_array_append_new(array, json) < 0 ? ja_error_nomem(err) : 0;
}

static int show(struct ja_cli *cli, struct ja_engine *engine, const struct ja_strv *names, struct ja_error *err)
{
    ja_autogathered struct ja_gathered all = {0};
    ja_autotable struct ja_table table;
    json_t *array = cli->json ? json_array() : NULL;
    ja_table_init(&table, "JAIL", "RESOURCE", ">USED", ">LIMIT", ">USED%", NULL);
    int rc = ja_gather_names(engine, names, &all, err);
    if (rc == 0)
        rc = ja_gather_usage(engine, &all, err);
    for (size_t i = 0; rc == 0 && i < all.count; i++)
        rc = array ? add_jail_json(engine, all.jails[i].jail, &all.usage[i], array, err)
                   : add_jail(engine, all.jails[i].jail, &all.usage[i], &table, err);
    return ja_gathered_print(cli, engine, &all, array, &table, rc, err);
}

/* "memory=1G" is short for "limits.memory=1G"; what else is allowed here is the size of a volume. */
static int complete(const struct ja_strv *given, struct ja_strv *ret_assignments, struct ja_error *err)
{
    for (size_t i = 0; i < given->count; i++) {
        const char *word = given->items[i];
        const char *dot = ja_str_starts(word, "volumes.") ? strchr(word + strlen("volumes."), '.') : NULL;
        bool whole = ja_str_starts(word, "limits."), size = dot && ja_str_starts(dot, ".size=");
        if (!whole && !size && strcspn(word, ".") < strcspn(word, "=")) {
            ja_error_set(err, JA_E_USAGE, NULL, "\"%s\" is no limit", JA_SHOW(word));
            return ja_error_hint(err, "limits are such as memory=1G or volumes.NAME.size=10G; `jailadmin help limits` "
                                      "lists them, and `jailadmin set` changes all else");
        }
        if (ja_strv_addf(ret_assignments, "%s%s", whole || size ? "" : "limits.", word) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

/* Patterns become names; a name stays what it is, for the change itself says that there is none. */
static int expand(struct ja_engine *engine, const struct ja_strv *words, struct ja_strv *ret_names,
                  struct ja_error *err)
{
    ja_autogathered struct ja_gathered all = {0};
    int rc = ja_gather_names(engine, words, &all, err);
    for (size_t i = 0; rc == 0 && i < all.count; i++)
        if (ja_strv_add(ret_names, all.jails[i].jail->name) < 0)
            return ja_error_nomem(err);
    return rc;
}

int ja_cmd_limit(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv words = {0}, given = {0}, assignments = {0}, names = {0};
    bool all = ja_args_has(args, "all");
    int rc = ja_cmd_split(args, &words, &given, err);
    if (rc == 0 && all != (words.count == 0))
        rc = ja_error_set(err, JA_E_USAGE, NULL, all ? "there are names and --all" : "no jail is named");
    if (rc == 0 && all && ja_strv_add(&words, "*") < 0)
        rc = ja_error_nomem(err);
    if (rc == 0)
        rc = complete(&given, &assignments, err);
    if (rc == 0)
        rc = ja_cmd_open(cli, assignments.count == 0, &engine, err);
    if (rc == 0 && assignments.count == 0)
        return show(cli, engine, &words, err);
    if (rc == 0)
        rc = expand(engine, &words, &names, err);
    return rc < 0 ? rc : ja_cmd_change(cli, engine, &names, &assignments);
}
