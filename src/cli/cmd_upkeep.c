/*
 * cmd_upkeep.c: gc, events, adopt, backup, restore: what keeps an instance in order, and brings one back.
 */
#include "base/clock.h"
#include "cli/cmd.h"

#include <string.h>

/* ---- gc ---- */

struct orphans {
    struct ja_cli *cli;
    struct ja_table table;
    json_t *array; /* NULL: print a table */
    size_t count;
};

static const char *status_text(const struct ja_found *found)
{
    static const char *const texts[] = {[JA_FOUND_FREE] = "can be adopted",
                                        [JA_FOUND_TAKEN] = "another object has its name or its uuid",
                                        [JA_FOUND_DELETED] = "deleted, and not destroyed yet"};
    return found->status == JA_FOUND_NAMELESS ? found->problem : texts[found->status];
}

static int add_orphan(void *context, const struct ja_found *found, struct ja_error *err)
{
    struct orphans *orphans = context;
    if (found->status == JA_FOUND_KNOWN || found->noun == &ja_noun_network)
        return 0;
    orphans->count++;
    if (!orphans->array) {
        ja_table_cell(&orphans->table, found->label);
        ja_table_cell(&orphans->table, status_text(found));
        return 0;
    }
    json_t *json = json_pack("{s:s, s:s, s:b}", "tree", found->label, "why", status_text(found), "adoptable",
                             found->status == JA_FOUND_FREE);
    return !json || json_array_append_new(orphans->array, json) < 0 ? ja_error_nomem(err) : 0;
}

static int list_orphans(struct ja_cli *cli, struct ja_engine *engine, struct ja_error *err)
{
    struct orphans orphans = {.cli = cli, .array = cli->json ? json_array() : NULL};
    ja_table_init(&orphans.table, "TREE WITHOUT OWNER", "WHY", NULL);
    int rc = ja_engine_scan(engine, add_orphan, &orphans, err);
    if (rc == 0 && cli->json)
        rc = ja_print_json(cli, json_incref(orphans.array), err);
    else if (rc == 0 && orphans.count)
        rc = ja_table_print(cli, &orphans.table, err);
    if (rc == 0 && orphans.count && !cli->json)
        ja_say(cli, "`jailadmin gc TREE` destroys one, `jailadmin adopt` takes jails back");
    json_decref(orphans.array);
    ja_table_fini(&orphans.table);
    return rc;
}

int ja_cmd_gc(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0 && args->word_count == 0) {
        rc = ja_engine_gc(engine, err);
        return rc < 0 || cli->dry_run ? rc : list_orphans(cli, engine, err);
    }
    for (size_t i = 0; rc == 0 && i < args->word_count; i++) {
        rc = ja_confirm(cli, err, "Destroy the tree %s with all that is in it?", args->words[i]);
        if (rc == 0)
            rc = ja_engine_destroy_orphan(engine, args->words[i], err);
        if (rc == 0 && !cli->dry_run)
            ja_say(cli, "destroyed %s", args->words[i]);
    }
    return rc;
}

/* ---- adopt ---- */

static int add_adoptable(void *context, const struct ja_found *found, struct ja_error *err)
{
    struct orphans *orphans = context;
    if (found->status == JA_FOUND_KNOWN || found->status == JA_FOUND_DELETED || found->version)
        return 0;
    orphans->count++;
    if (!orphans->array) {
        ja_table_cell(&orphans->table, found->noun->name);
        ja_table_cell(&orphans->table, found->name);
        ja_table_cell(&orphans->table, status_text(found));
        return 0;
    }
    json_t *json = json_pack("{s:s, s:s, s:b, s:s}", "kind", found->noun->name, "name", found->name, "adoptable",
                             found->status == JA_FOUND_FREE, "why", status_text(found));
    return !json || json_array_append_new(orphans->array, json) < 0 ? ja_error_nomem(err) : 0;
}

static int list_adoptable(struct ja_cli *cli, struct ja_engine *engine, struct ja_error *err)
{
    struct orphans orphans = {.cli = cli, .array = cli->json ? json_array() : NULL};
    ja_table_init(&orphans.table, "KIND", "NAME", "WHY", NULL);
    int rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = ja_engine_scan(engine, add_adoptable, &orphans, err);
    if (rc == 0)
        rc = cli->json ? ja_print_json(cli, json_incref(orphans.array), err) : ja_table_print(cli, &orphans.table, err);
    json_decref(orphans.array);
    ja_table_fini(&orphans.table);
    return rc;
}

static void report_adopted(void *context, const char *kind, const char *name, int rc, const struct ja_error *err)
{
    struct ja_cli *cli = context;
    struct ja_error named = *err;
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "adopted %s %s", kind, name);
    if (rc == 0)
        return;
    if (!named.object[0])
        snprintf(named.object, sizeof named.object, "%s %s", kind, name);
    ja_show_error(cli, &named);
}

int ja_cmd_adopt(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    bool all = ja_args_has(args, "all");
    ja_autostrv struct ja_strv names = {0};
    if (all && args->word_count)
        return ja_error_set(err, JA_E_USAGE, NULL, "either names, or --all");
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0 && !all && args->word_count == 0)
        return list_adoptable(cli, engine, err);
    for (size_t i = 0; rc == 0 && i < args->word_count; i++)
        if (ja_strv_add(&names, args->words[i]) < 0)
            rc = ja_error_nomem(err);
    if (rc == 0)
        rc = ja_engine_adopt(engine, all ? NULL : &names, report_adopted, cli, err);
    return rc > 0 ? 3 : rc;
}

/* ---- backup and restore ---- */

int ja_cmd_backup(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = ja_engine_backup(engine, args->words[0], err);
    if (rc == JA_E_EXISTS)
        ja_error_hint(err, "a backup replaces no file: name another, or remove it first");
    if (rc == 0)
        ja_say(cli, "the store is in %s", args->words[0]);
    return rc;
}

int ja_cmd_restore(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    struct ja_engine_options options;
    ja_autostrv struct ja_strv lost = {0};
    bool force = ja_args_has(args, "force");
    ja_cmd_options(cli, false, &options);
    int rc = force ? ja_confirm(cli, err, "Replace the store in %s, whatever it has?", cli->state) : 0;
    if (rc == 0)
        rc = ja_engine_restore(&options, args->words[0], force, &lost, err);
    if (rc == 0 && cli->dry_run) {
        ja_autostr struct ja_str line = {0};
        const char *const words[] = {cli->self, "--yes", "--state", cli->state, "restore", args->words[0]};
        ja_str_add(&line, "# put the copy in the store's place\n");
        for (size_t i = 0; i < JA_COUNT(words); i++) {
            ja_str_add_quoted(&line, words[i]);
            ja_str_add(&line, " ");
        }
        ja_str_add(&line, force ? "--force\n" : "\n");
        fputs(line.text ? line.text : "", cli->out);
        return line.failed ? ja_error_nomem(err) : 0;
    }
    for (size_t i = 0; rc == 0 && i < lost.count; i++)
        ja_warn(cli, "%s: its tree is not there", lost.items[i]);
    if (rc == 0)
        ja_say(cli, "the store of %s is that of %s again", cli->state, args->words[0]);
    return rc;
}

/* ---- events ---- */

/* How long it took, ms. Negative: it has not ended, or the clock was set back meanwhile. */
static int64_t took(const struct ja_plan_row *row)
{
    return row->ended_ms ? row->ended_ms - row->started_ms : -1;
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
    if (took(row) >= 0)
        ja_table_cellf(table, "%.1f ms", (double)took(row));
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
    if (!json || json_object_set_new(json, "ms", took(row) >= 0 ? json_integer(took(row)) : json_null()) < 0 ||
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
