/*
 * sqlite_plan.c: the list of plans, which is also the event log; the settings of the instance.
 */
#include "store/sqlite.h"

#include <string.h>

#define COLUMNS "id, verb, kind, name, uuid, who, started_ms, ended_ms, result, detail"

void ja_plan_row_fini(struct ja_plan_row *row)
{
    char *const texts[] = {row->id, row->verb, row->kind, row->name, row->uuid, row->who, row->result, row->detail};
    for (size_t i = 0; i < JA_COUNT(texts); i++)
        ja_free(texts[i]);
    memset(row, 0, sizeof *row);
}

/* The row of a query over COLUMNS. */
static int read_plan(struct ja_query *query, struct ja_plan_row *ret_row, struct ja_error *err)
{
    struct ja_plan_row row = {.started_ms = ja_query_int(query, 6), .ended_ms = ja_query_int(query, 7)};
    char **const texts[] = {&row.id,  &row.verb, &row.kind, &row.name,   &row.uuid,
                            &row.who, NULL,      NULL,      &row.result, &row.detail};
    int r = 0;
    for (int i = 0; i < (int)JA_COUNT(texts) && r == 0; i++)
        r = texts[i] ? ja_query_text(query, i, texts[i], err) : 0;
    if (r < 0)
        ja_plan_row_fini(&row);
    else
        *ret_row = row;
    return r;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

int ja_store_plan_open(struct ja_store *store, const struct ja_plan_row *row, struct ja_error *err)
{
    int r = ja_query_run(store, err, "INSERT INTO plan (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                         "ttttttiitt", row->id, row->verb, or_empty(row->kind), or_empty(row->name),
                         or_empty(row->uuid), or_empty(row->who), row->started_ms, row->ended_ms,
                         row->result ? row->result : "open", or_empty(row->detail));
    return r < 0 ? r : 0;
}

static int no_such_plan(const char *id, struct ja_error *err)
{
    return ja_error_set(err, JA_E_NOTFOUND, id, "there is no such plan");
}

int ja_store_plan_update(struct ja_store *store, const char *id, const char *result, const char *detail,
                         int64_t ended_ms, struct ja_error *err)
{
    int r = ja_query_run(store, err,
                         "UPDATE plan SET result = ?2, detail = ?3,"
                         " ended_ms = CASE ?4 WHEN 0 THEN ended_ms ELSE ?4 END WHERE id = ?1",
                         "ttti", id, result, or_empty(detail), ended_ms);
    if (r == 0)
        return no_such_plan(id, err);
    return r < 0 ? r : 0;
}

int ja_store_plan_get(struct ja_store *store, const char *id, struct ja_plan_row *ret_row, struct ja_error *err)
{
    ja_autoquery struct ja_query query = {0};
    int r = ja_query_start(store, &query, err, "SELECT " COLUMNS " FROM plan WHERE id = ?1", "t", id);
    if (r == 0)
        r = ja_query_step(&query, err);
    if (r < 0)
        return r;
    return r == 0 ? no_such_plan(id, err) : read_plan(&query, ret_row, err);
}

struct plans {
    struct ja_plan_row *items;
    size_t count;
};

static void plans_fini(struct plans *plans)
{
    for (size_t i = 0; i < plans->count; i++)
        ja_plan_row_fini(&plans->items[i]);
    ja_free(plans->items);
}

static int read_plans(struct ja_query *query, struct plans *plans, struct ja_error *err)
{
    int r;
    while ((r = ja_query_step(query, err)) > 0) {
        struct ja_plan_row *items = ja_realloc(plans->items, (plans->count + 1) * sizeof *items);
        if (!items)
            return ja_error_nomem(err);
        plans->items = items;
        r = read_plan(query, &items[plans->count], err);
        if (r < 0)
            return r;
        plans->count++;
    }
    return r;
}

int ja_store_plans(struct ja_store *store, const char *name, bool only_open, int64_t limit,
                   int (*each)(void *context, const struct ja_plan_row *row, struct ja_error *err), void *context,
                   struct ja_error *err)
{
    /* Two texts, because the index of open plans is used only where their condition is a constant. */
    static const char all[] = "SELECT " COLUMNS " FROM plan WHERE (?1 IS NULL OR name = ?1)"
                              " ORDER BY number DESC LIMIT ?2";
    static const char open[] = "SELECT " COLUMNS " FROM plan WHERE ended_ms = 0 AND (?1 IS NULL OR name = ?1)"
                               " ORDER BY number DESC LIMIT ?2";
    /* All rows are read before the first call, which may therefore close plans. */
    JA_CLEANUP(plans_fini) struct plans plans = {0};
    struct ja_query query;
    int r = ja_query_start(store, &query, err, only_open ? open : all, "ti", name, limit ? limit : INT64_C(-1));
    if (r < 0)
        return r;
    r = read_plans(&query, &plans, err);
    ja_query_finish(&query);
    for (size_t i = plans.count; i > 0 && r >= 0; i--)
        r = each(context, &plans.items[i - 1], err);
    return r < 0 ? r : 0;
}

int ja_store_plans_trim(struct ja_store *store, int64_t keep, struct ja_error *err)
{
    int r = ja_query_run(store, err,
                         "DELETE FROM plan WHERE ended_ms != 0 AND number NOT IN"
                         " (SELECT number FROM plan WHERE ended_ms != 0 ORDER BY number DESC LIMIT ?1)",
                         "i", keep);
    return r < 0 ? r : 0;
}

int ja_store_setting(struct ja_store *store, const char *name, char **ret_value, struct ja_error *err)
{
    ja_autoquery struct ja_query query = {0};
    int r = ja_query_start(store, &query, err, "SELECT value FROM setting WHERE name = ?1", "t", name);
    if (r == 0)
        r = ja_query_step(&query, err);
    if (r < 0)
        return r;
    if (r == 0)
        return ja_error_set(err, JA_E_NOTFOUND, name, "there is no such setting in the store");
    return ja_query_text(&query, 0, ret_value, err);
}

int ja_store_setting_put(struct ja_store *store, const char *name, const char *value, struct ja_error *err)
{
    int r = ja_query_run(store, err,
                         "INSERT INTO setting VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                         "tt", name, value);
    return r < 0 ? r : 0;
}
