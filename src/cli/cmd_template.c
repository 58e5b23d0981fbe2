/*
 * cmd_template.c: templates and networks: create, list, show, delete.
 */
#include "cli/cmd.h"

#include <string.h>

static int set_text(char **field, const char *text, struct ja_error *err)
{
    free(*field);
    *field = ja_strdup(text);
    return *field ? 0 : ja_error_nomem(err);
}

int ja_cmd_network_create(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct ja_network *network = ja_object_new(&ja_noun_network);
    int rc = network ? 0 : ja_error_nomem(err);
    if (rc == 0)
        rc = set_text(&network->name, args->words[0], err);
    if (rc == 0)
        rc = ja_args_apply(args, &ja_noun_network, network, true, err);
    if (rc == 0)
        rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_network_create(engine, network, err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "network %s is ready", args->words[0]);
    ja_object_free(&ja_noun_network, network);
    return rc;
}

static int delete_each(struct ja_cli *cli, const struct ja_args *args, const char *kind,
                       int (*one)(struct ja_engine *engine, const char *name, struct ja_error *err),
                       struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, false, &engine, err);
    for (size_t i = 0; rc == 0 && i < args->word_count; i++) {
        rc = one(engine, args->words[i], err);
        if (rc == 0 && !cli->dry_run)
            ja_say(cli, "deleted %s %s", kind, args->words[i]);
    }
    return rc;
}

/* "web": all of it; "web@2": one version. */
static int delete_template(struct ja_engine *engine, const char *word, struct ja_error *err)
{
    const char *at = strchr(word, '@');
    ja_autofree char *name = at ? ja_strndup(word, (size_t)(at - word)) : NULL;
    if (!at)
        return ja_engine_template_delete_all(engine, word, err);
    return name ? ja_engine_template_delete_version(engine, name, at + 1, err) : ja_error_nomem(err);
}

int ja_cmd_template_delete(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    return delete_each(cli, args, "template", delete_template, err);
}

int ja_cmd_template_rename(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_template_rename(engine, args->words[0], args->words[1], err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "template %s is %s now", args->words[0], args->words[1]);
    return rc;
}

int ja_cmd_network_delete(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    return delete_each(cli, args, "network", ja_engine_network_delete, err);
}

/* ---- list and show ---- */

struct rows {
    const struct ja_noun *noun;
    struct ja_table *table;
    json_t *array;
};

static void network_row(struct ja_table *table, const struct ja_network *network)
{
    ja_table_cell(table, network->name);
    ja_table_cells_joined(table, &network->addresses);
    ja_table_cell(table, network->nat);
    ja_table_cell(table, network->dns ? network->domain : "");
    ja_table_cell(table, network->isolate ? "yes" : "no");
}

/* One line for each version. The newest is the one that jails are made from unless they name another. */
static void template_rows(struct ja_table *table, const struct ja_template *template)
{
    for (size_t i = 0; i < template->versions.count; i++) {
        const struct ja_template_version *version = template->versions.items[i];
        ja_table_cell(table, template->name);
        ja_table_cellf(table, "%s%s", version->version,
                       ja_str_equal(version->version, template->current) ? " (current)" : "");
        ja_table_cell(table, version->source ? version->source : template->source);
        ja_table_cells_joined(table, &version->build);
        ja_table_cell(table, version->created);
    }
}

static int add_row(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct rows *rows = context;
    void *object = NULL;
    int rc = ja_object_from_json(rows->noun, row->spec, true, &object, err);
    if (rc < 0)
        return rc;
    if (rows->array) {
        if (json_array_append_new(rows->array, ja_object_to_json(rows->noun, object, true)) < 0)
            rc = ja_error_nomem(err);
    } else if (rows->noun == &ja_noun_network) {
        network_row(rows->table, object);
    } else {
        template_rows(rows->table, object);
    }
    ja_object_free(rows->noun, object);
    return rc;
}

static int list_rows(struct ja_cli *cli, const struct ja_args *args, const struct ja_noun *noun, struct ja_table *table,
                     struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct rows rows = {.noun = noun, .table = table, .array = cli->json ? json_array() : NULL};
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0 && args->word_count == 0)
        rc = ja_store_each(engine->store, noun->name, NULL, add_row, &rows, err);
    for (size_t i = 0; rc == 0 && i < args->word_count; i++)
        rc = ja_store_each(engine->store, noun->name, args->words[i], add_row, &rows, err);
    if (rc == 0)
        rc = cli->json ? ja_print_json(cli, json_incref(rows.array), err) : ja_table_print(cli, table, err);
    json_decref(rows.array);
    return rc;
}

int ja_cmd_network_list(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autotable struct ja_table table = {0};
    ja_table_init(&table, "NAME", "ADDRESS", "NAT", "DOMAIN", "ISOLATE", NULL);
    return list_rows(cli, args, &ja_noun_network, &table, err);
}

int ja_cmd_template_list(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autotable struct ja_table table = {0};
    ja_table_init(&table, "NAME", "VERSION", "SOURCE", "BUILD", "CREATED", NULL);
    return list_rows(cli, args, &ja_noun_template, &table, err);
}

static int show_objects(struct ja_cli *cli, const struct ja_args *args, const struct ja_noun *noun,
                        struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, true, &engine, err);
    for (size_t i = 0; rc == 0 && i < args->word_count; i++) {
        void *object = NULL;
        rc = ja_engine_get(engine, noun, args->words[i], &object, NULL, err);
        if (rc == 0 && i > 0 && !cli->json)
            fputs("\n", cli->out);
        if (rc == 0)
            rc = ja_cmd_print_object(cli, ja_object_to_json(noun, object, true), err);
        ja_object_free(noun, object);
    }
    return rc;
}

int ja_cmd_template_show(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    return show_objects(cli, args, &ja_noun_template, err);
}
