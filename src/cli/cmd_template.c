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

int ja_cmd_template_create(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    const char *from = ja_args_get(args, "from");
    static const char *const later[] = {"pkg", "run", "script", "mirror", "sha256"};
    for (size_t i = 0; i < JA_COUNT(later); i++)
        if (ja_args_has(args, later[i]))
            return ja_error_set(err, JA_E_UNSUPPORTED, NULL, "--%s is not built yet", later[i]);
    if (!from) {
        ja_error_set(err, JA_E_USAGE, NULL, "--from is needed");
        return ja_error_hint(err, "--from busybox, or --from dir:PATH");
    }
    struct ja_template *template = ja_object_new(&ja_noun_template);
    int rc = template ? 0 : ja_error_nomem(err);
    if (rc == 0)
        rc = set_text(&template->name, args->words[0], err);
    if (rc == 0)
        rc = set_text(&template->source, from, err);
    if (rc == 0)
        rc = ja_args_apply(args, &ja_noun_template, template, true, err);
    if (rc == 0)
        rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_template_create(engine, template, err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "template %s is ready", args->words[0]);
    ja_object_free(&ja_noun_template, template);
    return rc;
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

int ja_cmd_template_delete(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    return delete_each(cli, args, "template", ja_engine_template_delete_all, err);
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

static void template_row(struct ja_table *table, const struct ja_template *template)
{
    ja_table_cell(table, template->name);
    ja_table_cell(table, template->current);
    ja_table_cellf(table, "%zu", template->versions.count);
    ja_table_cell(table, template->source);
    ja_table_cell(table, template->created);
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
        template_row(rows->table, object);
    }
    ja_object_free(rows->noun, object);
    return rc;
}

static int list_rows(struct ja_cli *cli, const struct ja_noun *noun, struct ja_table *table, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct rows rows = {.noun = noun, .table = table, .array = cli->json ? json_array() : NULL};
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = ja_store_each(engine->store, noun->name, NULL, add_row, &rows, err);
    if (rc == 0)
        rc = cli->json ? ja_print_json(cli, json_incref(rows.array), err) : ja_table_print(cli, table, err);
    json_decref(rows.array);
    return rc;
}

int ja_cmd_network_list(struct ja_cli *cli, JA_UNUSED const struct ja_args *args, struct ja_error *err)
{
    ja_autotable struct ja_table table = {0};
    ja_table_init(&table, "NAME", "ADDRESS", "NAT", "DOMAIN", "ISOLATE", NULL);
    return list_rows(cli, &ja_noun_network, &table, err);
}

int ja_cmd_template_list(struct ja_cli *cli, JA_UNUSED const struct ja_args *args, struct ja_error *err)
{
    ja_autotable struct ja_table table = {0};
    ja_table_init(&table, "NAME", "CURRENT", ">VERSIONS", "SOURCE", "CREATED", NULL);
    return list_rows(cli, &ja_noun_template, &table, err);
}

static int show_object(struct ja_cli *cli, const struct ja_noun *noun, const char *name, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    void *object = NULL;
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = ja_engine_get(engine, noun, name, &object, NULL, err);
    if (rc == 0)
        rc = ja_cmd_print_object(cli, ja_object_to_json(noun, object, true), err);
    ja_object_free(noun, object);
    return rc;
}

int ja_cmd_network_show(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    return show_object(cli, &ja_noun_network, args->words[0], err);
}

int ja_cmd_template_show(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    return show_object(cli, &ja_noun_template, args->words[0], err);
}
