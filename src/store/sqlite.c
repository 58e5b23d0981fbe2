/*
 * sqlite.c: the store in one SQLite file: opening, the schema and its versions, transactions, queries,
 * errors. The objects are in sqlite_object.c, reservations in sqlite_reservation.c, plans and settings in
 * sqlite_plan.c.
 */
#include "store/sqlite.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS 30000

/* SQLite's own handler waits longer from try to try, up to 100 ms, so that whoever waits longest gets it last. */
static int wait_for_store(void *context, int tries)
{
    struct ja_store *store = context;
    int64_t now = ja_clock_monotonic_ms();
    if (tries == 0)
        store->waiting_since_ms = now;
    if (now - store->waiting_since_ms >= store->wait_ms)
        return 0;
    usleep(tries < 10 ? 500 : 2000);
    return 1;
}

/* Pages in the log before it is copied into the file. The first one who opens the store reads the log, so a
 * short log is a quick open; the copy costs two syncs. */
#define LOG_PAGES "100"

/* Step n brings version n to n + 1. A published step is never changed: a new one is added. */
static const char *const schema[] = {
    "CREATE TABLE object ("
    "  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, uuid TEXT NOT NULL UNIQUE,"
    "  slot INTEGER NOT NULL, state TEXT NOT NULL, reference TEXT, revision INTEGER NOT NULL, spec TEXT NOT "
    "NULL,"
    "  UNIQUE (kind, name));"
    /* Deferred: within a transaction an object may reserve before its row is written. */
    "CREATE TABLE reservation ("
    "  kind TEXT NOT NULL, key TEXT NOT NULL,"
    "  owner TEXT NOT NULL REFERENCES object (uuid) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,"
    "  PRIMARY KEY (kind, key)) WITHOUT ROWID;"
    "CREATE INDEX reservation_owner ON reservation (owner, kind);"
    "CREATE TABLE plan ("
    "  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, verb TEXT NOT NULL, kind TEXT NOT NULL,"
    "  name TEXT NOT NULL, uuid TEXT NOT NULL, who TEXT NOT NULL, started_ms INTEGER NOT NULL,"
    "  ended_ms INTEGER NOT NULL, result TEXT NOT NULL, detail TEXT NOT NULL);"
    "CREATE INDEX plan_open ON plan (number) WHERE ended_ms = 0;"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
};
_Static_assert(JA_COUNT(schema) == JA_STORE_SCHEMA, "every version of the schema has its step");

static const char *name_of(sqlite3 *db)
{
    const char *name = db ? sqlite3_db_filename(db, "main") : NULL;
    return name && *name ? name : "it";
}

int ja_sqlite_error(sqlite3 *db, int rc, struct ja_error *err)
{
    if (rc == SQLITE_IOERR_NOMEM)
        return ja_error_nomem(err);
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return ja_error_nomem(err);
    case SQLITE_FULL:
        ja_error_set(err, JA_E_FAILED, "store", "no space is left for %s", name_of(db));
        ja_error_hint(err, "free some space and try again; nothing was changed");
        return JA_E_FAILED;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        ja_error_set(err, JA_E_DENIED, "store", "%s cannot be written", name_of(db));
        ja_error_hint(err, "run as root, and see that its file system is not mounted read-only");
        return JA_E_DENIED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        ja_error_set(err, JA_E_CORRUPT, "store", "%s is damaged: %s", name_of(db), sqlite3_errmsg(db));
        ja_error_hint(err, "no jail is lost: use restore with a backup, or move the store away, then init and adopt");
        return JA_E_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        ja_error_set(err, JA_E_BUSY, "store", "another process kept it locked for too long");
        ja_error_hint(err, "try again when that process has ended");
        return JA_E_BUSY;
    case SQLITE_CONSTRAINT:
        if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
            return ja_error_set(err, JA_E_NOTFOUND, "store", "a reservation is for an object that does not exist");
        if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
            return ja_error_set(err, JA_E_EXISTS, "store", "it is there already");
        return ja_error_set(err, JA_E_INVALID, "store", "%s", sqlite3_errmsg(db));
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return ja_error_sys(err, sqlite3_system_errno(db), "store", "%s", sqlite3_errmsg(db));
    default:
        return ja_error_set(err, JA_E_FAILED, "store", "%s", sqlite3_errmsg(db));
    }
}

/* The statement of a literal, from the cache unless it is in use there. */
static int prepare(struct ja_store *store, const char *sql, struct ja_query *ret_query, struct ja_error *err)
{
    struct ja_query query = {.store = store};
    for (size_t i = 0; i < store->statement_count && !query.stmt; i++) {
        if (store->statements[i].sql == sql && !sqlite3_stmt_busy(store->statements[i].stmt)) {
            query.stmt = store->statements[i].stmt;
            query.cached = true;
        }
    }
    if (!query.stmt) {
        int rc = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &query.stmt, NULL);
        /* All of these fit the schema: what is not there was lost. */
        if (rc == SQLITE_ERROR && ja_str_starts(sqlite3_errmsg(store->db), "no such "))
            rc = SQLITE_CORRUPT;
        if (rc != SQLITE_OK)
            return ja_sqlite_error(store->db, rc, err);
        if (store->statement_count < JA_SQLITE_STATEMENTS) {
            store->statements[store->statement_count].sql = sql;
            store->statements[store->statement_count++].stmt = query.stmt;
            query.cached = true;
        }
    }
    *ret_query = query;
    return 0;
}

void ja_query_finish(struct ja_query *query)
{
    if (query->cached) {
        sqlite3_reset(query->stmt);
        sqlite3_clear_bindings(query->stmt);
    } else {
        sqlite3_finalize(query->stmt);
    }
    query->stmt = NULL;
    query->cached = false;
}

static int start(struct ja_store *store, struct ja_query *ret_query, struct ja_error *err, const char *sql,
                 const char *types, va_list args)
{
    /* After some failures (disk full, no memory) SQLite has rolled back by itself. */
    if (store->transaction && sqlite3_get_autocommit(store->db))
        return ja_error_set(err, JA_E_FAILED, "store", "its transaction has failed and was rolled back");
    struct ja_query query;
    int r = prepare(store, sql, &query, err);
    if (r < 0)
        return r;
    int rc = SQLITE_OK;
    for (int i = 0; types[i] && rc == SQLITE_OK; i++) {
        if (types[i] == 'i')
            rc = sqlite3_bind_int64(query.stmt, i + 1, va_arg(args, int64_t));
        else
            rc = sqlite3_bind_text(query.stmt, i + 1, va_arg(args, const char *), -1, SQLITE_STATIC);
    }
    if (rc != SQLITE_OK) {
        r = ja_sqlite_error(store->db, rc, err);
        ja_query_finish(&query);
        return r;
    }
    *ret_query = query;
    return 0;
}

int ja_query_start(struct ja_store *store, struct ja_query *ret_query, struct ja_error *err, const char *sql,
                   const char *types, ...)
{
    va_list args;
    va_start(args, types);
    int r = start(store, ret_query, err, sql, types, args);
    va_end(args);
    return r;
}

int ja_query_step(struct ja_query *query, struct ja_error *err)
{
    int rc = sqlite3_step(query->stmt);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : ja_sqlite_error(query->store->db, rc, err);
}

int ja_query_text(struct ja_query *query, int column, char **ret_text, struct ja_error *err)
{
    if (sqlite3_column_type(query->stmt, column) == SQLITE_NULL) {
        *ret_text = NULL;
        return 0;
    }
    const char *text = (const char *)sqlite3_column_text(query->stmt, column);
    char *copy = text ? ja_strdup(text) : NULL;
    if (!copy)
        return ja_error_nomem(err);
    *ret_text = copy;
    return 0;
}

int64_t ja_query_int(struct ja_query *query, int column)
{
    return sqlite3_column_int64(query->stmt, column);
}

int ja_query_run(struct ja_store *store, struct ja_error *err, const char *sql, const char *types, ...)
{
    ja_autoquery struct ja_query query = {0};
    va_list args;
    va_start(args, types);
    int r = start(store, &query, err, sql, types, args);
    va_end(args);
    if (r < 0)
        return r;
    do
        r = ja_query_step(&query, err);
    while (r > 0);
    return r < 0 ? r : sqlite3_changes(store->db);
}

/*
 * Transactions.
 */

/* One literal each, so that both users find the same prepared statement. */
static const char sql_rollback[] = "ROLLBACK";

int ja_store_begin(struct ja_store *store, struct ja_error *err)
{
    if (store->transaction)
        return ja_error_set(err, JA_E_FAILED, "store", "a transaction is open already");
    /* Prepared now, so that rolling back needs no memory. */
    struct ja_query rollback;
    int r = prepare(store, sql_rollback, &rollback, err);
    if (r < 0)
        return r;
    ja_query_finish(&rollback);
    r = ja_query_run(store, err, "BEGIN IMMEDIATE", "");
    if (r < 0)
        return r;
    store->transaction = true;
    return 0;
}

void ja_store_rollback(struct ja_store *store)
{
    bool open = store->transaction && !sqlite3_get_autocommit(store->db);
    store->transaction = false;
    if (open)
        ja_query_run(store, NULL, sql_rollback, "");
}

/* Syncs the log. SQLite's own way (PRAGMA synchronous=FULL) cannot be chosen any more when a transaction is
 * open. */
static int sync_log(struct ja_store *store, struct ja_error *err)
{
    sqlite3_file *log = NULL;
    int rc = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (rc == SQLITE_OK && log && log->pMethods)
        rc = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    return rc == SQLITE_OK ? 0 : ja_sqlite_error(store->db, rc, err);
}

int ja_store_commit(struct ja_store *store, bool durable, struct ja_error *err)
{
    if (!store->transaction)
        return ja_error_set(err, JA_E_FAILED, "store", "no transaction is open");
    int r = ja_query_run(store, err, "COMMIT", "");
    if (r < 0) {
        ja_store_rollback(store);
        return r;
    }
    store->transaction = false;
    return durable ? sync_log(store, err) : 0;
}

/*
 * Opening.
 */
static int execute(sqlite3 *db, const char *sql, struct ja_error *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : ja_sqlite_error(db, rc, err);
}

static int read_version(sqlite3 *db, int *ret_version, struct ja_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    int r = rc == SQLITE_ROW ? 0 : ja_sqlite_error(db, rc, err);
    if (r == 0)
        *ret_version = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return r;
}

/* Within the transaction: somebody else may have migrated while we waited for it. */
static int migrate_steps(sqlite3 *db, const char *const *steps, int count, struct ja_error *err)
{
    int version;
    int r = read_version(db, &version, err);
    for (; r == 0 && version < count; version++) {
        char number[64];
        snprintf(number, sizeof number, "PRAGMA user_version = %d", version + 1);
        r = execute(db, steps[version], err);
        if (r == 0)
            r = execute(db, number, err);
    }
    return r == 0 ? execute(db, "COMMIT", err) : r;
}

int ja_sqlite_migrate(sqlite3 *db, const char *const *steps, int count, struct ja_error *err)
{
    int r = execute(db, "BEGIN IMMEDIATE", err);
    if (r < 0)
        return r;
    r = migrate_steps(db, steps, count, err);
    if (r < 0 && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

/* Refuses or migrates what is not of today's version. */
static int check_version(struct ja_store *store, bool create, bool read_only, struct ja_error *err)
{
    int version;
    int r = read_version(store->db, &version, err);
    if (r < 0 || version == JA_STORE_SCHEMA)
        return r;
    if (version > JA_STORE_SCHEMA || version < 0) {
        ja_error_set(err, JA_E_UNSUPPORTED, "store", "it has version %d, and this jailadmin knows up to %d", version,
                     JA_STORE_SCHEMA);
        ja_error_hint(err, "use the newer jailadmin that wrote it");
        return JA_E_UNSUPPORTED;
    }
    if (version == 0 && !create) {
        ja_error_set(err, JA_E_NOTFOUND, "store", "%s is empty", name_of(store->db));
        ja_error_hint(
            err,
            "run: jailadmin init; if it was filled before, it or its log is damaged, and no jail is lost: use restore with "
            "a backup, or `jailadmin init --adopt` and `jailadmin adopt --all`");
        return JA_E_NOTFOUND;
    }
    if (read_only) {
        ja_error_set(err, JA_E_UNSUPPORTED, "store", "it has the older version %d", version);
        ja_error_hint(err, "run gc once, as root: it brings the store up to date");
        return JA_E_UNSUPPORTED;
    }
    return ja_sqlite_migrate(store->db, schema, JA_STORE_SCHEMA, err);
}

/*
 * SQLite's first user of a store cuts the index of the log (the -shm file, never more than a cache) to three bytes, and extends it
 * again with zeros. On a journaling file system that is dearer than all the rest of opening; zeros over what is there are the same.
 */
static int cut_file(int fd, off_t size)
{
    enum { INDEX_MOST = 256 << 10 };
    static const char zeros[32 << 10];
    struct stat st;
    if (size != 3 || fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof zeros || st.st_size > INDEX_MOST)
        return ftruncate(fd, size);
    for (off_t at = 0; at < st.st_size;) {
        off_t left = st.st_size - at;
        ssize_t n = pwrite(fd, zeros, left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros, at);
        if (n <= 0)
            return ftruncate(fd, size);
        at += n;
    }
    return 0;
}

static void cut_cheaply(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (vfs && vfs->iVersion >= 3 && vfs->xSetSystemCall)
        vfs->xSetSystemCall(vfs, "ftruncate", (sqlite3_syscall_ptr)cut_file);
}

static int configure(struct ja_store *store, bool create, bool read_only, struct ja_error *err)
{
    sqlite3_extended_result_codes(store->db, 1);
    store->wait_ms = WAIT_MS;
    sqlite3_busy_handler(store->db, wait_for_store, store);
    /* The log stays for the next one: closing would sync twice, in every command. */
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    /* Where it may not write, SQLite opens for reading instead, and would fail later. */
    if (!read_only && sqlite3_db_readonly(store->db, "main"))
        return ja_sqlite_error(store->db, SQLITE_READONLY, err);
    int r = read_only ? 0 : execute(store->db, "PRAGMA journal_mode = WAL", err);
    if (r == 0)
        r = check_version(store, create, read_only, err);
    if (r == 0)
        r = execute(store->db,
                    "PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = " LOG_PAGES,
                    err);
    return r;
}

/* Opens PATH, or an URI. */
static int open_database(const char *path, int flags, bool create, bool read_only, struct ja_store **ret_store,
                         struct ja_error *err)
{
    struct ja_store *store = ja_calloc(1, sizeof *store);
    if (!store)
        return ja_error_nomem(err);
    cut_cheaply();
    int rc = sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    int r = rc == SQLITE_OK ? configure(store, create, read_only, err) : ja_sqlite_error(store->db, rc, err);
    if (r < 0) {
        ja_store_close(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

/* True when PATH has no log, or an empty one: then the file alone is all there is. */
static bool log_is_empty(const char *path)
{
    ja_autofree char *log = ja_printf("%s-wal", path);
    struct stat st;
    return log && (stat(log, &st) != 0 ? errno == ENOENT : st.st_size == 0);
}

/* An URI of SQLite, with what has a meaning there as %XX. */
static char *immutable_uri(const char *path)
{
    struct ja_str uri = {0};
    ja_str_add(&uri, "file:");
    for (const char *c = path; *c; c++)
        ja_str_addf(&uri, strchr("%?#", *c) ? "%%%02X" : "%c", (unsigned char)*c);
    ja_str_add(&uri, "?immutable=1");
    char *text = ja_str_take(&uri);
    ja_str_fini(&uri);
    return text;
}

/* SQLite reads a store with a log through a shared file that it makes beside it. Where that cannot be made (a
 * read-only file system) the store cannot change either, and is read without. */
static int open_read_only(const char *path, struct ja_store **ret_store, struct ja_error *err)
{
    int r = open_database(path, SQLITE_OPEN_READONLY, false, true, ret_store, err);
    if ((r != JA_E_FAILED && r != JA_E_DENIED) || !log_is_empty(path))
        return r;
    ja_autofree char *uri = immutable_uri(path);
    if (!uri)
        return ja_error_nomem(err);
    return open_database(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, false, true, ret_store, err);
}

/* The file before SQLite sees it: with the mode that it gives to its other files too. */
static int find_file(const char *path, bool create, struct ja_error *err)
{
    ja_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
    if (fd >= 0)
        return 0;
    int r = ja_file_error(err, errno, path, "open the store");
    if (r == JA_E_DENIED)
        ja_error_hint(err, "run as root");
    if (r != JA_E_NOTFOUND || create)
        return r;
    ja_error_set(err, JA_E_NOTFOUND, path, "there is no store here");
    ja_error_hint(err, "run: jailadmin init, or name another directory with --state");
    return JA_E_NOTFOUND;
}

int ja_store_open(const char *dir, bool create, bool read_only, struct ja_store **ret_store, struct ja_error *err)
{
    ja_autofree char *path = ja_printf("%s/store.db", dir);
    if (!path)
        return ja_error_nomem(err);
    int r = find_file(path, create && !read_only, err);
    if (r < 0)
        return r;
    if (read_only)
        return open_read_only(path, ret_store, err);
    return open_database(path, SQLITE_OPEN_READWRITE, create, false, ret_store, err);
}

void ja_store_close(struct ja_store *store)
{
    if (!store)
        return;
    ja_store_rollback(store);
    for (size_t i = 0; i < store->statement_count; i++)
        sqlite3_finalize(store->statements[i].stmt);
    sqlite3_close(store->db);
    ja_free(store);
}

void ja_store_set_wait(struct ja_store *store, int64_t wait_ms)
{
    store->wait_ms = wait_ms;
}

/*
 * Care.
 */
int ja_store_verify(struct ja_store *store, struct ja_error *err)
{
    ja_autoquery struct ja_query query = {0};
    int r = ja_query_start(store, &query, err, "PRAGMA integrity_check(1)", "");
    if (r < 0 || (r = ja_query_step(&query, err)) <= 0)
        return r;
    ja_autofree char *said = NULL;
    r = ja_query_text(&query, 0, &said, err);
    if (r < 0 || ja_str_equal(said, "ok"))
        return r;
    ja_error_set(err, JA_E_CORRUPT, "store", "it is damaged: %s", said ? said : "");
    ja_error_hint(err, "no jail is lost: use restore with a backup, or move the store away, then init and adopt");
    return JA_E_CORRUPT;
}

/* All of `from` into `to`, whatever that held. */
static int copy_database(sqlite3 *to, sqlite3 *from, struct ja_error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return ja_sqlite_error(to, sqlite3_errcode(to), err);
    int rc = sqlite3_backup_step(backup, -1);
    int end = sqlite3_backup_finish(backup);
    if (rc != SQLITE_DONE || end != SQLITE_OK)
        return ja_sqlite_error(to, rc == SQLITE_DONE ? end : rc, err);
    return 0;
}

/* The database, in memory, as the bytes of its file: theirs as long as it is open. */
static int bytes_of(sqlite3 *memory, unsigned char **ret_bytes, size_t *ret_length, struct ja_error *err)
{
    enum { WRITE_VERSION = 18, READ_VERSION = 19, HEADER = 100, WITHOUT_LOG = 1 };
    sqlite3_int64 length = 0;
    unsigned char *bytes = sqlite3_serialize(memory, "main", &length, SQLITE_SERIALIZE_NOCOPY);
    if (!bytes || length < HEADER)
        return ja_error_nomem(err);
    /* A copy has no log beside it: https://www.sqlite.org/fileformat2.html, 1.3.3. */
    bytes[WRITE_VERSION] = bytes[READ_VERSION] = WITHOUT_LOG;
    *ret_bytes = bytes;
    *ret_length = (size_t)length;
    return 0;
}

/* A file that SQLite wrote would have a journal beside it for as long, which a power cut leaves there, or brings back when it had been removed
 * but not synced: with it, whoever opens the copy undoes all that was written. */
int ja_store_backup(struct ja_store *store, const char *path, struct ja_error *err)
{
    sqlite3 *memory = NULL;
    unsigned char *bytes = NULL;
    size_t length = 0;
    ja_autoclose int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ja_file_error(err, errno, path, "make the backup");
    int rc = sqlite3_open_v2("file:copy?vfs=memdb", &memory,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    int r = rc == SQLITE_OK ? copy_database(memory, store->db, err) : ja_sqlite_error(memory, rc, err);
    if (r == 0)
        r = bytes_of(memory, &bytes, &length, err);
    if (r == 0 && (ja_fd_write(fd, bytes, length) != 0 || ja_sync_named(fd) != 0))
        r = ja_file_error(err, errno, path, "write the backup");
    sqlite3_close(memory);
    if (r < 0)
        unlink(path);
    return r;
}

int ja_store_open_copy(const char *path, struct ja_store **ret_store, struct ja_error *err)
{
    int r = find_file(path, false, err);
    if (r == JA_E_NOTFOUND)
        return ja_error_set(err, JA_E_NOTFOUND, path, "there is no such file");
    return r < 0 ? r : open_read_only(path, ret_store, err);
}

int ja_store_restore(struct ja_store *store, struct ja_store *copy, struct ja_error *err)
{
    if (store->transaction)
        return ja_error_set(err, JA_E_FAILED, "store", "a transaction is open");
    int r = copy_database(store->db, copy->db, err);
    return r < 0 ? r : sync_log(store, err);
}
