/*
 * cmd_instance.c: init, teardown, boot, gc: verbs about the whole instance.
 */
#include "base/clock.h"
#include "cli/cmd.h"

#include <string.h>

int ja_cmd_init(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    struct ja_engine_options options;
    struct ja_init_request request = {.storage = ja_args_get(args, "storage"), .network = ja_args_get(args, "network")};
    const char *slots = ja_args_get(args, "slots");
    int rc = slots ? ja_value_parse(JA_T_INT, slots, &request.slots, err) : 0;
    if (slots && (rc < 0 || request.slots < 1 || request.slots > 32768))
        rc = ja_error_set(err, JA_E_USAGE, "option --slots", "%s is no number from 1 to 32768", JA_SHOW(slots));
    ja_cmd_options(cli, false, &options);
    if (rc == 0)
        rc = ja_engine_init(&options, &request, err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "the instance in %s is ready", cli->state);
    return rc;
}

int ja_cmd_teardown(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct ja_engine_options options;
    bool force = ja_args_has(args, "force");
    ja_cmd_options(cli, false, &options);
    options.incomplete = true;
    int rc = ja_engine_open(&options, &engine, err);
    if (rc == 0 && !cli->dry_run)
        rc = ja_engine_recover(engine, true, err);
    if (rc == 0 && force)
        rc = ja_confirm(cli, err, "Destroy the instance in %s with all of its jails?", cli->state);
    if (rc == 0)
        rc = ja_engine_teardown(engine, force, err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "the instance in %s is gone", cli->state);
    return rc;
}

int ja_cmd_gc(struct ja_cli *cli, JA_UNUSED const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, false, &engine, err);
    return rc < 0 ? rc : ja_engine_recover(engine, true, err);
}

static int print_event(void *context, const struct ja_plan_row *row, JA_UNUSED struct ja_error *err)
{
    struct ja_table *table = context;
    char text[JA_TIME_TEXT];
    ja_clock_format(row->started_ms, text);
    ja_table_cell(table, text);
    ja_table_cell(table, row->who);
    ja_table_cellf(table, "%s %s", row->verb, row->kind);
    ja_table_cell(table, row->name);
    if (row->ended_ms)
        ja_table_cellf(table, "%.1f ms", (double)(row->ended_ms - row->started_ms));
    else
        ja_table_cell(table, "");
    ja_table_cell(table, row->result);
    ja_table_cell(table, row->detail);
    return 0;
}

static int json_event(void *context, const struct ja_plan_row *row, struct ja_error *err)
{
    char started[JA_TIME_TEXT];
    ja_clock_format(row->started_ms, started);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", row->id, "verb", row->verb, "kind", row->kind,
                  "name", row->name, "who", row->who, "started", started, "result", row->result, "detail", row->detail);
    if (!json ||
        json_object_set_new(json, "ms", row->ended_ms ? json_integer(row->ended_ms - row->started_ms) : json_null()) <
            0 ||
        json_array_append_new(context, json) < 0)
        return ja_error_nomem(err);
    return 0;
}

int ja_cmd_events(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int64_t limit = 50;
    const char *text = ja_args_get(args, "limit");
    int rc = text ? ja_value_parse(JA_T_INT, text, &limit, err) : 0;
    if (rc < 0 || limit < 0)
        rc = ja_error_set(err, JA_E_USAGE, "option --limit", "%s is no number of plans", JA_SHOW(text));
    if (rc == 0)
        rc = ja_cmd_open(cli, true, &engine, err);
    if (rc < 0)
        return rc;
    const char *name = args->word_count ? args->words[0] : NULL;
    if (cli->json) {
        json_t *array = json_array();
        rc = ja_store_plans(engine->store, name, false, limit, json_event, array, err);
        return rc < 0 ? (json_decref(array), rc) : ja_print_json(cli, array, err);
    }
    ja_autotable struct ja_table table = {0};
    ja_table_init(&table, "STARTED", "WHO", "WHAT", "NAME", ">TOOK", "RESULT", "DETAIL", NULL);
    rc = ja_store_plans(engine->store, name, false, limit, print_event, &table, err);
    return rc < 0 ? rc : ja_table_print(cli, &table, err);
}
