/*
 * cmd_snapshot.c: snapshot create, list, rollback, delete, diff; tick.
 */
#include "base/clock.h"
#include "cli/cmd.h"

#include <string.h>

/* "web1@NAME"; the name must be there. `jail` is the caller's. */
static int split(const char *word, char **jail, const char **snapshot, struct ja_error *err)
{
    const char *at = strchr(word, '@');
    if (!at || !at[1] || at == word) {
        ja_error_set(err, JA_E_USAGE, NULL, "\"%s\" names no snapshot: it is JAIL@NAME", JA_SHOW(word));
        return ja_error_hint(err, "`jailadmin snapshot list` shows those there are");
    }
    *jail = ja_strndup(word, (size_t)(at - word));
    *snapshot = at + 1;
    return *jail ? 0 : ja_error_nomem(err);
}

/* ---- create ---- */

static int create_one(struct ja_engine *engine, const char *word, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    const struct ja_snapshot *spec = work->work;
    const char *at = strchr(word, '@');
    char name[JA_SNAPSHOT_NAME];
    ja_autofree char *jail = ja_strndup(word, at ? (size_t)(at - word) : strlen(word));
    if (!jail)
        return ja_error_nomem(err);
    int rc = ja_engine_snapshot_create(engine, jail, at ? at + 1 : NULL, spec->comment, name, err);
    if (rc == 0 && !work->cli->dry_run)
        ja_say(work->cli, "took %s@%s", jail, name);
    return rc;
}

int ja_cmd_snapshot_create(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    struct ja_snapshot *spec = ja_object_new(&ja_noun_snapshot);
    int rc = spec ? ja_args_apply(args, &ja_noun_snapshot, spec, true, err) : ja_error_nomem(err);
    if (rc == 0)
        rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_cmd_names(engine, args, &names, err);
    if (rc == 0)
        rc = ja_cmd_each(cli, engine, &names, "taking snapshots", create_one, spec);
    ja_object_free(&ja_noun_snapshot, spec);
    return rc;
}

/* ---- list ---- */

struct listing {
    struct ja_table table;
    json_t *array; /* NULL: a table */
};

static int add_json(json_t *array, const struct ja_jail *jail, const struct ja_snapshot *snapshot, struct ja_error *err)
{
    json_t *json = ja_object_to_json(&ja_noun_snapshot, snapshot, true);
    if (!json || json_object_set_new(json, "jail", json_string(jail->name)) < 0 ||
        json_object_set_new(json, "used", snapshot->used < 0 ? json_null() : json_integer(snapshot->used)) < 0) {
        json_decref(json);
        return ja_error_nomem(err);
    }
    return json_array_append_new(array, json) < 0 ? ja_error_nomem(err) : 0;
}

static int add_snapshot(void *context, const struct ja_jail *jail, const struct ja_snapshot *snapshot,
                        struct ja_error *err)
{
    struct listing *listing = context;
    struct ja_table *table = &listing->table;
    ja_autostr struct ja_str holds = {0};
    if (listing->array)
        return add_json(listing->array, jail, snapshot, err);
    ja_str_add(&holds, snapshot->be ? "tree" : "");
    for (size_t i = 0; i < snapshot->volumes.count; i++)
        ja_str_addf(&holds, "%s%s", holds.length ? "," : "", snapshot->volumes.items[i]);
    if (holds.failed)
        return ja_error_nomem(err);
    ja_table_cell(table, jail->name);
    ja_table_cell(table, snapshot->name);
    ja_table_cell(table, snapshot->created);
    ja_cmd_size_cell(table, snapshot->used);
    ja_table_cell(table, holds.text);
    ja_table_cells_joined(table, &snapshot->schedules);
    ja_table_cell(table, snapshot->by);
    ja_table_cell(table, snapshot->comment);
    return 0;
}

int ja_cmd_snapshot_list(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    struct listing listing = {.array = cli->json ? json_array() : NULL};
    ja_table_init(&listing.table, "JAIL", "SNAPSHOT", "CREATED", ">USED", "HOLDS", "SCHEDULE", "BY", "COMMENT", NULL);
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = ja_cmd_names_or_all(engine, args, &names, err);
    if (rc == 0)
        rc = ja_engine_snapshots(engine, &names, add_snapshot, &listing, err);
    if (rc == 0)
        rc = cli->json ? ja_print_json(cli, json_incref(listing.array), err) : ja_table_print(cli, &listing.table, err);
    json_decref(listing.array);
    ja_table_fini(&listing.table);
    return rc;
}

/* ---- delete ---- */

static int delete_one(struct ja_engine *engine, const char *word, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    ja_autofree char *jail = NULL;
    ja_autostrv struct ja_strv names = {0};
    const char *snapshot = NULL;
    int rc = split(word, &jail, &snapshot, err);
    if (rc == 0 && ja_strv_add(&names, snapshot) < 0)
        rc = ja_error_nomem(err);
    if (rc == 0)
        rc = ja_engine_snapshot_delete(engine, jail, &names, err);
    if (rc == 0 && !work->cli->dry_run)
        ja_say(work->cli, "deleted %s", word);
    return rc;
}

int ja_cmd_snapshot_delete(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv words = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < args->word_count; i++) {
        ja_autofree char *jail = NULL;
        const char *snapshot;
        rc = split(args->words[i], &jail, &snapshot, err);
        if (rc == 0 && !ja_strv_has(&words, args->words[i]) && ja_strv_add(&words, args->words[i]) < 0)
            rc = ja_error_nomem(err);
    }
    if (rc == 0 && cli->in_terminal)
        rc = ja_confirm(cli, err, "Delete the snapshot %s%s?", args->words[0],
                        args->word_count > 1 ? " and the others" : "");
    if (rc == 0)
        rc = ja_cmd_open(cli, false, &engine, err);
    return rc < 0 ? rc : ja_cmd_each(cli, engine, &words, "deleting", delete_one, NULL);
}

/* ---- rollback ---- */

/* "a, b, c", of many the last ones: "5 more, x, y". */
static void name_some(const struct ja_strv *names, struct ja_str *text)
{
    enum { SHOWN = 4 };
    size_t first = names->count > SHOWN ? names->count - SHOWN : 0;
    for (size_t i = first; i < names->count; i++)
        ja_str_addf(text, "%s%s", i > first ? ", " : "", names->items[i]);
    if (first)
        ja_str_addf(text, " and %zu more", first);
}

static int confirm_rollback(struct ja_cli *cli, const char *word, const struct ja_strv *volumes,
                            const struct ja_strv *snapshots, bool restart, struct ja_error *err)
{
    ja_autostr struct ja_str text = {0};
    ja_str_addf(&text, "Roll back to %s? What has changed in its tree ", word);
    if (volumes->count) {
        ja_str_addf(&text, "and in the volume%s ", volumes->count > 1 ? "s" : "");
        name_some(volumes, &text);
        ja_str_add(&text, " ");
    }
    ja_str_add(&text, "since then is lost");
    if (snapshots->count) {
        ja_str_addf(&text, ", with the later snapshot%s ", snapshots->count > 1 ? "s" : "");
        name_some(snapshots, &text);
    }
    ja_str_addf(&text, "; %svolumes stay as they are%s.", volumes->count ? "other " : "",
                restart ? "; a running jail is stopped and started again" : "");
    if (text.failed)
        return ja_error_nomem(err);
    return ja_confirm(cli, err, "%s", text.text);
}

int ja_cmd_snapshot_rollback(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autofree char *jail = NULL;
    ja_autostrv struct ja_strv named = {0}, volumes = {0}, snapshots = {0};
    struct ja_rollback_request request = {
        .volumes = &named, .all_volumes = ja_args_has(args, "volumes"), .restart = ja_args_has(args, "restart")};
    bool ran = false;
    size_t at = 0;
    int rc = split(args->words[0], &jail, &request.snapshot, err);
    for (const char *value; rc == 0 && (value = ja_args_next(args, "volume", &at)) != NULL;)
        if (ja_strv_add(&named, value) < 0)
            rc = ja_error_nomem(err);
    if (rc == 0)
        rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_rollback_lost(engine, jail, &request, &volumes, &snapshots, err);
    if (rc == 0)
        rc = confirm_rollback(cli, args->words[0], &volumes, &snapshots, request.restart, err);
    if (rc == 0)
        rc = ja_engine_rollback(engine, jail, &request, &ran, err);
    if (rc < 0 && !err->object[0])
        ja_object_named(err, jail ? jail : args->words[0]);
    if (rc == 0 && cli->dry_run && ran)
        return ja_cmd_show_start(cli, jail, err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "%s is what it was in %s%s", jail, request.snapshot, ran ? ", and was started again" : "");
    return rc;
}

/* ---- diff ---- */

struct differences {
    struct ja_cli *cli;
    json_t *array;
};

/* Paths are the jail's own words. */
static int add_difference(void *context, char change, const char *path, struct ja_error *err)
{
    const struct differences *differences = context;
    ja_autostr struct ja_str shown = {0};
    ja_str_add_shown(&shown, path, strlen(path), false);
    if (shown.failed)
        return ja_error_nomem(err);
    if (!differences->array) {
        fprintf(differences->cli->out, "%c %s\n", change, shown.text);
        return 0;
    }
    json_t *json = json_pack("{s:s#, s:s}", "change", &change, (size_t)1, "path", shown.text);
    return !json || json_array_append_new(differences->array, json) < 0 ? ja_error_nomem(err) : 0;
}

int ja_cmd_snapshot_diff(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autofree char *jail = NULL;
    const char *snapshot = NULL;
    struct differences differences = {cli, cli->json ? json_array() : NULL};
    int rc = split(args->words[0], &jail, &snapshot, err);
    if (rc == 0)
        rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = ja_engine_snapshot_diff(engine, jail, snapshot, add_difference, &differences, err);
    if (rc == 0 && cli->json)
        rc = ja_print_json(cli, json_incref(differences.array), err);
    json_decref(differences.array);
    return rc;
}

/* ---- tick ---- */

static int tick_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    struct ja_ticked ticked;
    int rc = ja_engine_tick(engine, name, *(const int64_t *)work->work, &ticked, err);
    if (work->cli->dry_run)
        return rc;
    if (ticked.taken[0])
        ja_say(work->cli, "took %s@%s", name, ticked.taken);
    if (ticked.deleted)
        ja_say(work->cli, "deleted %zu old snapshot%s of %s", ticked.deleted, ticked.deleted > 1 ? "s" : "", name);
    return rc;
}

int ja_cmd_tick(struct ja_cli *cli, JA_UNUSED const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    int64_t now = ja_clock_wall_ms();
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_tick_names(engine, &names, err);
    return rc < 0 || names.count == 0 ? rc : ja_cmd_each(cli, engine, &names, "looking at", tick_one, &now);
}
