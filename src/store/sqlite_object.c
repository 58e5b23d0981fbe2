/*
 * sqlite_object.c: objects by kind and name, with compare and swap.
 */
#include "store/sqlite.h"

#include "model/field.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS "kind, name, uuid, slot, state, reference, revision, spec"

/* "jail web1", for errors. */
struct label {
    char text[160];
};

static struct label label_of(const char *kind, const char *name)
{
    struct label label;
    snprintf(label.text, sizeof label.text, "%s %s", kind, name);
    return label;
}

void ja_row_fini(struct ja_row *row)
{
    ja_free(row->kind);
    ja_free(row->name);
    ja_free(row->uuid);
    ja_free(row->state);
    ja_free(row->reference);
    json_decref(row->spec);
    *row = (struct ja_row){.slot = -1};
}

static int read_spec(struct ja_query *query, int column, json_t **ret_spec, struct ja_error *err)
{
    const char *text = (const char *)sqlite3_column_text(query->stmt, column);
    if (!text)
        return ja_error_nomem(err);
    json_error_t problem;
    bool nomem;
    json_t *spec = ja_json_load(text, strlen(text), JSON_DECODE_ANY, &problem, &nomem);
    if (spec) {
        *ret_spec = spec;
        return 0;
    }
    if (nomem)
        return ja_error_nomem(err);
    return ja_error_set(err, JA_E_CORRUPT, "store", "a specification in it is no JSON: %s", problem.text);
}

/* The row of a query over COLUMNS. */
static int read_row(struct ja_query *query, struct ja_row *ret_row, struct ja_error *err)
{
    struct ja_row row = {.slot = ja_query_int(query, 3), .revision = ja_query_int(query, 6)};
    char **const texts[] = {&row.kind, &row.name, &row.uuid, NULL, &row.state, &row.reference};
    int r = 0;
    for (int i = 0; i < (int)JA_COUNT(texts) && r == 0; i++)
        r = texts[i] ? ja_query_text(query, i, texts[i], err) : 0;
    if (r == 0)
        r = read_spec(query, 7, &row.spec, err);
    if (r < 0)
        ja_row_fini(&row);
    else
        *ret_row = row;
    return r;
}

static int get_row(struct ja_store *store, const char *sql, const char *kind, const char *key, struct ja_row *ret_row,
                   struct ja_error *err)
{
    ja_autoquery struct ja_query query = {0};
    int r = ja_query_start(store, &query, err, sql, "tt", kind, key);
    if (r == 0)
        r = ja_query_step(&query, err);
    if (r < 0)
        return r;
    if (r == 0)
        return ja_error_set(err, JA_E_NOTFOUND, label_of(kind, key).text, "there is no such %s", kind);
    return read_row(&query, ret_row, err);
}

int ja_store_get(struct ja_store *store, const char *kind, const char *name, struct ja_row *ret_row,
                 struct ja_error *err)
{
    return get_row(store, "SELECT " COLUMNS " FROM object WHERE kind = ?1 AND name = ?2", kind, name, ret_row, err);
}

int ja_store_get_uuid(struct ja_store *store, const char *kind, const char *uuid, struct ja_row *ret_row,
                      struct ja_error *err)
{
    return get_row(store, "SELECT " COLUMNS " FROM object WHERE kind = ?1 AND uuid = ?2", kind, uuid, ret_row, err);
}

struct rows {
    struct ja_row *items;
    size_t count, size;
};

static void rows_fini(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        ja_row_fini(&rows->items[i]);
    ja_free(rows->items);
}

static int read_rows(struct ja_query *query, struct rows *rows, struct ja_error *err)
{
    int r;
    while ((r = ja_query_step(query, err)) > 0) {
        if (rows->count == rows->size) {
            size_t size = rows->size ? rows->size * 2 : 16;
            struct ja_row *items = ja_realloc(rows->items, size * sizeof *items);
            if (!items)
                return ja_error_nomem(err);
            rows->items = items;
            rows->size = size;
        }
        r = read_row(query, &rows->items[rows->count], err);
        if (r < 0)
            return r;
        rows->count++;
    }
    return r;
}

int ja_store_each(struct ja_store *store, const char *kind, const char *glob,
                  int (*each)(void *context, const struct ja_row *row, struct ja_error *err), void *context,
                  struct ja_error *err)
{
    /* All rows are read before the first call, which may therefore write. */
    JA_CLEANUP(rows_fini) struct rows rows = {0};
    struct ja_query query;
    int r = ja_query_start(store, &query, err,
                           "SELECT " COLUMNS " FROM object WHERE kind = ?1 AND (?2 IS NULL OR name GLOB ?2)"
                           " ORDER BY name",
                           "tt", kind, glob);
    if (r < 0)
        return r;
    r = read_rows(&query, &rows, err);
    ja_query_finish(&query);
    for (size_t i = 0; i < rows.count && r >= 0; i++)
        r = each(context, &rows.items[i], err);
    return r < 0 ? r : 0;
}

int ja_store_scan(struct ja_store *store, const char *kind, const char *glob,
                  int (*each)(void *context, const struct ja_row_text *row, struct ja_error *err), void *context,
                  struct ja_error *err)
{
    ja_autoquery struct ja_query query = {0};
    int r = ja_query_start(
        store, &query, err,
        "SELECT name, uuid, state, spec, slot FROM object WHERE kind = ?1 AND (?2 IS NULL OR name GLOB ?2)"
        " ORDER BY name",
        "tt", kind, glob);
    while (r >= 0 && (r = ja_query_step(&query, err)) > 0) {
        const char *texts[4];
        for (int i = 0; i < 4 && r > 0; i++)
            if (!(texts[i] = (const char *)sqlite3_column_text(query.stmt, i)))
                r = ja_error_nomem(err);
        struct ja_row_text row = {texts[0], texts[1], texts[2], texts[3], ja_query_int(&query, 4)};
        if (r > 0)
            r = each(context, &row, err);
    }
    return r < 0 ? r : 0;
}

int64_t ja_store_count(struct ja_store *store, const char *kind, struct ja_error *err)
{
    ja_autoquery struct ja_query query = {0};
    int r = ja_query_start(store, &query, err, "SELECT count(*) FROM object WHERE kind = ?1", "t", kind);
    if (r == 0)
        r = ja_query_step(&query, err);
    return r < 0 ? r : ja_query_int(&query, 0);
}

static int insert_row(struct ja_store *store, const struct ja_row *row, const char *spec, struct ja_error *err)
{
    int r = ja_query_run(store, err, "INSERT INTO object (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)",
                         "tttittt", row->kind, row->name, row->uuid, row->slot, row->state, row->reference, spec);
    if (r == JA_E_EXISTS)
        return ja_error_set(err, r, label_of(row->kind, row->name).text, "the name or the uuid is in use already");
    return r < 0 ? r : 0;
}

static int update_row(struct ja_store *store, const struct ja_row *row, const char *spec, struct ja_error *err)
{
    /* The uuid too: an object of the same name that was made anew has old revisions again. */
    int r = ja_query_run(store, err,
                         "UPDATE object SET slot = ?4, state = ?5, reference = ?6, spec = ?7, revision = revision + 1"
                         " WHERE kind = ?1 AND name = ?2 AND uuid = ?3 AND revision = ?8",
                         "tttittti", row->kind, row->name, row->uuid, row->slot, row->state, row->reference, spec,
                         row->revision);
    if (r != 0)
        return r < 0 ? r : 0;
    ja_error_set(err, JA_E_CONFLICT, label_of(row->kind, row->name).text, "somebody has changed it meanwhile");
    ja_error_hint(err, "look at it again, and repeat the command");
    return JA_E_CONFLICT;
}

int ja_store_put(struct ja_store *store, const struct ja_row *row, int64_t *ret_revision, struct ja_error *err)
{
    ja_autofree char *spec = ja_json_text(row->spec, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!spec)
        return ja_error_nomem(err);
    int r = row->revision == 0 ? insert_row(store, row, spec, err) : update_row(store, row, spec, err);
    if (r == 0 && ret_revision)
        *ret_revision = row->revision + 1;
    return r;
}

int ja_store_delete(struct ja_store *store, const char *kind, const char *name, struct ja_error *err)
{
    int r = ja_query_run(store, err, "DELETE FROM object WHERE kind = ?1 AND name = ?2", "tt", kind, name);
    return r < 0 ? r : 0;
}

int ja_store_rename(struct ja_store *store, const char *kind, const char *name, const char *to, struct ja_error *err)
{
    int r =
        ja_query_run(store, err, "UPDATE object SET name = ?3, revision = revision + 1 WHERE kind = ?1 AND name = ?2",
                     "ttt", kind, name, to);
    if (r == JA_E_EXISTS)
        return ja_error_set(err, r, label_of(kind, to).text, "the name is in use already");
    if (r == 0)
        return ja_error_set(err, JA_E_NOTFOUND, label_of(kind, name).text, "there is no such %s", kind);
    return r < 0 ? r : 0;
}
