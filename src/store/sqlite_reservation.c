/*
 * sqlite_reservation.c: who has which slot, address and port. A key of a kind has one owner, who is an
 * object.
 */
#include "store/sqlite.h"

#include <stdio.h>
#include <stdlib.h>

static int describe_holder(struct ja_store *store, const char *kind, const char *key, char **ret_owner,
                           char **ret_holder, struct ja_error *err)
{
    ja_autoquery struct ja_query query = {0};
    int r = ja_query_start(store, &query, err,
                           "SELECT owner, coalesce(o.kind || ' ' || o.name, 'a new object') FROM reservation r"
                           " LEFT JOIN object o ON o.uuid = r.owner WHERE r.kind = ?1 AND r.key = ?2",
                           "tt", kind, key);
    if (r < 0 || (r = ja_query_step(&query, err)) <= 0)
        return r;
    r = ja_query_text(&query, 0, ret_owner, err);
    return r < 0 ? r : ja_query_text(&query, 1, ret_holder, err);
}

int ja_store_holder(struct ja_store *store, const char *kind, const char *key, char **ret_holder, struct ja_error *err)
{
    ja_autofree char *owner = NULL;
    char *holder = NULL;
    int r = describe_holder(store, kind, key, &owner, &holder, err);
    if (r < 0)
        return r;
    if (!holder && !(holder = ja_strdup("")))
        return ja_error_nomem(err);
    *ret_holder = holder;
    return 0;
}

int ja_store_reserve(struct ja_store *store, const char *kind, const char *key, const char *owner, struct ja_error *err)
{
    int r = ja_query_run(store, err, "INSERT INTO reservation VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", "ttt", kind,
                         key, owner);
    if (r != 0)
        return r < 0 ? r : 0;
    ja_autofree char *holding = NULL;
    ja_autofree char *holder = NULL;
    r = describe_holder(store, kind, key, &holding, &holder, err);
    if (r < 0 || ja_str_equal(holding, owner))
        return r;
    char object[160];
    snprintf(object, sizeof object, "%s %s", kind, key);
    return ja_error_set(err, JA_E_CONFLICT, object, "it is taken by %s", holder ? holder : "somebody");
}

int ja_store_release(struct ja_store *store, const char *kind, const char *key, const char *owner, struct ja_error *err)
{
    int r = ja_query_run(store, err,
                         "DELETE FROM reservation WHERE owner = ?3 AND (?1 IS NULL OR kind = ?1)"
                         " AND (?2 IS NULL OR key = ?2)",
                         "ttt", kind, key, owner);
    return r < 0 ? r : 0;
}

int ja_store_reserved(struct ja_store *store, const char *kind, const char *prefix, const char *owner,
                      struct ja_strv *ret_keys, struct ja_error *err)
{
    ja_autoquery struct ja_query query = {0};
    /* No text sorts behind the last character that there is. */
    int r = ja_query_start(store, &query, err,
                           "SELECT key FROM reservation WHERE kind = ?1 AND key >= ?2 AND key < ?2 || char(0x10ffff)"
                           " AND (?3 IS NULL OR owner = ?3) ORDER BY key",
                           "ttt", kind, prefix ? prefix : "", owner);
    if (r < 0)
        return r;
    ja_autostrv struct ja_strv keys = {0};
    while ((r = ja_query_step(&query, err)) > 0) {
        const char *key = (const char *)sqlite3_column_text(query.stmt, 0);
        if (!key || ja_strv_add(&keys, key) != 0)
            return ja_error_nomem(err);
    }
    if (r < 0)
        return r;
    *ret_keys = keys;
    keys = (struct ja_strv){0};
    return 0;
}

/* The least number from `least` on that no key of the kind is; COUNT or more beyond it: all are taken. Of n keys at least one number of the
 * first n + 1 is free, so that bits for those are enough. Asking SQLite for it would look each key up once more. */
static int least_free(struct ja_store *store, const char *kind, int64_t least, int64_t *ret_number,
                      struct ja_error *err)
{
    ja_autostrv struct ja_strv keys = {0};
    int r = ja_store_reserved(store, kind, "", NULL, &keys, err);
    if (r < 0)
        return r;
    ja_autofree bool *taken = ja_calloc(keys.count + 1, sizeof *taken);
    if (!taken)
        return ja_error_nomem(err);
    for (size_t i = 0; i < keys.count; i++) {
        int64_t offset = strtoll(keys.items[i], NULL, 10) - least;
        if (offset >= 0 && (uint64_t)offset <= keys.count)
            taken[offset] = true;
    }
    size_t free_one = 0;
    while (taken[free_one])
        free_one++;
    *ret_number = least + (int64_t)free_one;
    return 0;
}

/* Within a transaction. */
static int reserve_least(struct ja_store *store, const char *kind, int64_t least, int64_t count, const char *owner,
                         int64_t *ret_number, struct ja_error *err)
{
    int64_t number = least;
    int r = least_free(store, kind, least, &number, err);
    if (r < 0)
        return r;
    if (number >= least + count)
        return ja_error_set(err, JA_E_LIMIT, kind, "all %lld numbers from %lld are taken", (long long)count,
                            (long long)least);
    char key[24];
    snprintf(key, sizeof key, "%lld", (long long)number);
    r = ja_store_reserve(store, kind, key, owner, err);
    if (r < 0)
        return r;
    *ret_number = number;
    return 0;
}

int ja_store_reserve_number(struct ja_store *store, const char *kind, int64_t least, int64_t count, const char *owner,
                            int64_t *ret_number, struct ja_error *err)
{
    if (store->transaction)
        return reserve_least(store, kind, least, count, owner, ret_number, err);
    int64_t number;
    int r = ja_store_begin(store, err);
    if (r < 0)
        return r;
    r = reserve_least(store, kind, least, count, owner, &number, err);
    if (r == 0)
        r = ja_store_commit(store, false, err);
    else
        ja_store_rollback(store);
    if (r == 0)
        *ret_number = number;
    return r;
}
