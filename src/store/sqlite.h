/*
 * sqlite.h: what the files of the SQLite store share: the handle, queries, and errors. Nothing outside of
 * src/store and its tests includes it.
 */
#ifndef JA_SQLITE_H
#define JA_SQLITE_H

#include "store/store.h"

#include <sqlite3.h>

#define JA_SQLITE_STATEMENTS 48

struct ja_store {
    sqlite3 *db;
    int64_t wait_ms, waiting_since_ms; /* for others that write; monotonic */
    bool transaction;                  /* between begin and commit or rollback */
    /* Prepared statements, found by the address of their text, which is a literal. */
    struct {
        const char *sql;
        sqlite3_stmt *stmt;
    } statements[JA_SQLITE_STATEMENTS];
    size_t statement_count;
};

/* One statement while it runs. */
struct ja_query {
    struct ja_store *store;
    sqlite3_stmt *stmt;
    bool cached;
};
#define ja_autoquery JA_CLEANUP(ja_query_finish)

/* Prepares and binds: `types` has a letter for each of the parameters that follow, 't' for text (may be
 * NULL), 'i' for int64_t. `sql` is a literal. The text must stay until the query is finished. */
int ja_query_start(struct ja_store *store, struct ja_query *ret_query, struct ja_error *err, const char *sql,
                   const char *types, ...);
/* 1: there is a row; 0: no more; or a negative code: JA_E_EXISTS for what must be unique, JA_E_NOTFOUND for a
 * reference to nothing, others as ja_sqlite_error. */
int ja_query_step(struct ja_query *query, struct ja_error *err);
/* A column in new memory; NULL for NULL. 0 or JA_E_NOMEM. */
int ja_query_text(struct ja_query *query, int column, char **ret_text, struct ja_error *err);
int64_t ja_query_int(struct ja_query *query, int column);
void ja_query_finish(struct ja_query *query);
/* Runs a statement to its end. The number of changed rows, or a negative code. */
int ja_query_run(struct ja_store *store, struct ja_error *err, const char *sql, const char *types, ...);

/* What SQLite says as an error of ours, with a hint. */
int ja_sqlite_error(sqlite3 *db, int rc, struct ja_error *err);

/* Brings a database from its PRAGMA user_version up to `count`, step by step, all or nothing. */
int ja_sqlite_migrate(sqlite3 *db, const char *const *steps, int count, struct ja_error *err);

#endif
