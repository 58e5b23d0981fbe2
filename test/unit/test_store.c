/*
 * test_store.c: what was promised is kept, by many processes at once; what goes wrong is said clearly.
 */
#include "base/file.h"
#include "scratch.h"
#include "store/sqlite.h"

#include <signal.h>

#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#endif

#define A "aaaaaaaa-0000-4000-8000-000000000000"
#define B "bbbbbbbb-0000-4000-8000-000000000000"

static struct ja_store *store;
static struct ja_error err;

static int setup(void **state)
{
    err = (struct ja_error)JA_ERROR_INIT;
    store = NULL;
    return scratch_setup(state) || ja_store_open(scratch, true, false, &store, NULL);
}

static int teardown(void **state)
{
    ja_store_close(store);
    return scratch_teardown(state);
}

/* Puts a jail of that revision. */
static int put_jail(const char *name, const char *uuid, int64_t revision, int64_t *ret_revision)
{
    json_t *spec = json_pack("{s:s, s:[i,i]}", "name", name, "list", 1, 2);
    assert_non_null(spec);
    struct ja_row row = {.kind = (char *)"jail",
                         .name = (char *)name,
                         .uuid = (char *)uuid,
                         .slot = 3,
                         .state = (char *)"creating",
                         .revision = revision,
                         .spec = spec};
    int r = ja_store_put(store, &row, ret_revision, &err);
    json_decref(spec);
    return r;
}

/* Gives every process a handle of its own. */
static void reopen(void)
{
    assert_int_equal(ja_store_open(scratch, false, false, &store, NULL), 0);
}

/*
 * Opening.
 */
static void a_missing_store_says_how_to_make_one(void **state)
{
    (void)state;
    struct ja_store *other = NULL;
    assert_int_equal(ja_store_open(at("none"), false, false, &other, &err), JA_E_NOTFOUND);
    assert_non_null(strstr(err.hint, "jailadmin init"));
    assert_null(other);
    assert_false(exists(at("none")));
    assert_int_equal(ja_store_open(at("none"), true, false, &other, &err), JA_E_NOTFOUND);
    assert_int_equal(mkdir(at("empty"), 0700), 0);
    assert_int_equal(ja_store_open(at("empty"), true, true, &other, &err), JA_E_NOTFOUND);
    assert_false(exists(at("empty/store.db")));
}

static void only_its_owner_can_read_the_store(void **state)
{
    (void)state;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    const char *files[] = {"store.db", "store.db-wal", "store.db-shm"};
    for (size_t i = 0; i < JA_COUNT(files); i++) {
        struct stat st;
        assert_int_equal(stat(at(files[i]), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
}

static void a_file_that_is_no_store_is_called_damaged(void **state)
{
    (void)state;
    struct ja_store *other = NULL;
    char page[4096];
    memset(page, 'x', sizeof page);
    assert_int_equal(mkdir(at("bad"), 0700), 0);
    assert_int_equal(ja_file_write(at("bad/store.db"), page, sizeof page, 0600, false, NULL), 0);
    assert_int_equal(ja_store_open(at("bad"), false, false, &other, &err), JA_E_CORRUPT);
    assert_non_null(strstr(err.hint, "restore"));
    assert_int_equal(ja_store_open(at("bad"), true, false, &other, &err), JA_E_CORRUPT);
    assert_int_equal(ja_store_open(at("bad"), false, true, &other, &err), JA_E_CORRUPT);
    put_text(at("bad/store.db"), "");
    assert_int_equal(ja_store_open(at("bad"), false, false, &other, &err), JA_E_NOTFOUND);
}

static void damage_within_is_found_by_verify(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        char name[16], uuid[40];
        snprintf(name, sizeof name, "jail%d", i);
        snprintf(uuid, sizeof uuid, "%08d-0000-4000-8000-000000000000", i);
        assert_int_equal(put_jail(name, uuid, 0, NULL), 0);
    }
    assert_int_equal(ja_store_verify(store, &err), 0);
    assert_int_equal(ja_store_backup(store, at("copy"), &err), 0);
    assert_int_equal(mkdir(at("bad"), 0700), 0);
    assert_int_equal(rename(at("copy"), at("bad/store.db")), 0);
    int fd = open(at("bad/store.db"), O_WRONLY);
    char rubbish[3000];
    memset(rubbish, 0xee, sizeof rubbish);
    for (off_t page = 3; page < 12; page++)
        assert_int_equal(pwrite(fd, rubbish, sizeof rubbish, page * 4096 + 100), sizeof rubbish);
    close(fd);
    ja_store_close(store);
    assert_int_equal(ja_store_open(at("bad"), false, false, &store, &err), 0);
    assert_int_equal(ja_store_verify(store, &err), JA_E_CORRUPT);
    assert_true(*err.hint);
}

static void a_newer_store_is_refused(void **state)
{
    (void)state;
    struct ja_store *other;
    assert_int_equal(sqlite3_exec(store->db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(ja_store_open(scratch, false, false, &other, &err), JA_E_UNSUPPORTED);
    assert_non_null(strstr(err.what, "99"));
    assert_int_equal(ja_store_open(scratch, false, true, &other, &err), JA_E_UNSUPPORTED);
}

static const char *const synthetic[] = {
    "CREATE TABLE thing (name TEXT); INSERT INTO thing VALUES ('kept')",
    "ALTER TABLE thing ADD COLUMN color TEXT DEFAULT 'red'",
    "UPDATE thing SET color = 'blue'",
    "UPDATE thing SET shade = 'wrong'",
};

static char *color(sqlite3 *db)
{
    static char text[32];
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT name || ' ' || color FROM thing", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    snprintf(text, sizeof text, "%s", sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return text;
}

static void an_older_store_is_brought_up_to_date_and_keeps_its_rows(void **state)
{
    (void)state;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(at("old.db"), &db), SQLITE_OK);
    assert_int_equal(ja_sqlite_migrate(db, synthetic, 1, &err), 0);
    assert_int_equal(ja_sqlite_migrate(db, synthetic, 3, &err), 0);
    assert_string_equal(color(db), "kept blue");
    assert_int_equal(ja_sqlite_migrate(db, synthetic, 3, &err), 0);
    sqlite3_close(db);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
    (void)state;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(at("old.db"), &db), SQLITE_OK);
    assert_int_equal(ja_sqlite_migrate(db, synthetic, 2, &err), 0);
    assert_int_equal(ja_sqlite_migrate(db, synthetic, 4, &err), JA_E_FAILED);
    assert_string_equal(color(db), "kept red");
    assert_int_equal(ja_sqlite_migrate(db, synthetic, 3, &err), 0);
    assert_string_equal(color(db), "kept blue");
    sqlite3_close(db);
}

/*
 * Read-only handles.
 */
static void a_read_only_handle_reads_while_another_writes_and_never_writes(void **state)
{
    (void)state;
    struct ja_store *reader, *writer = store;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(ja_store_open(scratch, false, true, &reader, &err), 0);
    assert_int_equal(ja_store_begin(writer, &err), 0);
    assert_int_equal(put_jail("web2", B, 0, NULL), 0);
    assert_int_equal(ja_store_count(reader, "jail", &err), 1);
    assert_int_equal(ja_store_commit(writer, false, &err), 0);
    assert_int_equal(ja_store_count(reader, "jail", &err), 2);
    store = reader;
    assert_int_equal(put_jail("web3", B, 0, NULL), JA_E_DENIED);
    assert_int_equal(ja_store_setting_put(reader, "a", "b", &err), JA_E_DENIED);
    assert_true(*err.hint);
    ja_store_close(reader);
    store = writer;
}

#ifdef __linux__
/* In a mount namespace of its own: 77 when mounting is not allowed. */
static int count_on_read_only_file_system(int64_t expected)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(scratch, scratch, NULL, MS_BIND, NULL) != 0 ||
        mount(NULL, scratch, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)
        return 77;
    struct ja_store *reader;
    if (ja_store_open(scratch, false, true, &reader, NULL) != 0)
        return 1;
    int64_t count = ja_store_count(reader, "jail", NULL);
    ja_store_close(reader);
    return count == expected && ja_store_open(scratch, false, false, &reader, NULL) < 0 ? 0 : 2;
}

static void expect_on_read_only_file_system(int64_t expected)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(count_on_read_only_file_system(expected));
    int status = child_status(pid);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

static void a_store_on_a_read_only_file_system_can_be_read(void **state)
{
    (void)state;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    ja_store_close(store);
    store = NULL;
    /* What was written last is still in the log. */
    expect_on_read_only_file_system(1);
    reopen();
    assert_int_equal(ja_store_backup(store, at("copy"), &err), 0);
    ja_store_close(store);
    store = NULL;
    /* Without a log, as after restore. */
    assert_int_equal(unlink(at("store.db-wal")), 0);
    assert_int_equal(unlink(at("store.db-shm")), 0);
    assert_int_equal(rename(at("copy"), at("store.db")), 0);
    expect_on_read_only_file_system(1);
}
#endif

/*
 * Objects.
 */
static void an_object_is_read_as_it_was_written(void **state)
{
    (void)state;
    int64_t revision = 0;
    struct ja_row row;
    assert_int_equal(put_jail("web1", A, 0, &revision), 0);
    assert_int_equal(revision, 1);
    assert_int_equal(ja_store_get(store, "jail", "web1", &row, &err), 0);
    assert_string_equal(row.kind, "jail");
    assert_string_equal(row.uuid, A);
    assert_string_equal(row.state, "creating");
    assert_null(row.reference);
    assert_int_equal(row.slot, 3);
    assert_int_equal(row.revision, 1);
    assert_string_equal(json_string_value(json_object_get(row.spec, "name")), "web1");
    ja_row_fini(&row);
    assert_int_equal(ja_store_get_uuid(store, "jail", A, &row, &err), 0);
    assert_string_equal(row.name, "web1");
    ja_row_fini(&row);
    assert_int_equal(ja_store_get(store, "network", "web1", &row, &err), JA_E_NOTFOUND);
    assert_string_equal(err.object, "network web1");
}

static void a_change_counts_only_against_the_revision_that_was_read(void **state)
{
    (void)state;
    int64_t revision = 0;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(put_jail("web1", A, 1, &revision), 0);
    assert_int_equal(revision, 2);
    assert_int_equal(put_jail("web1", A, 1, &revision), JA_E_CONFLICT);
    assert_string_equal(err.object, "jail web1");
    assert_int_equal(revision, 2);
    assert_int_equal(put_jail("web1", A, 0, NULL), JA_E_EXISTS);
    assert_int_equal(put_jail("web2", A, 0, NULL), JA_E_EXISTS);
    assert_int_equal(put_jail("web3", A, 1, NULL), JA_E_CONFLICT);
}

static void an_object_made_anew_is_not_taken_for_the_old_one(void **state)
{
    (void)state;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(ja_store_delete(store, "jail", "web1", &err), 0);
    assert_int_equal(ja_store_delete(store, "jail", "web1", &err), 0);
    assert_int_equal(put_jail("web1", B, 0, NULL), 0);
    assert_int_equal(put_jail("web1", A, 1, NULL), JA_E_CONFLICT);
}

static void a_rename_keeps_the_object_and_respects_others(void **state)
{
    (void)state;
    struct ja_row row;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(put_jail("web2", B, 0, NULL), 0);
    assert_int_equal(ja_store_rename(store, "jail", "web1", "web2", &err), JA_E_EXISTS);
    assert_string_equal(err.object, "jail web2");
    assert_int_equal(ja_store_rename(store, "jail", "none", "web3", &err), JA_E_NOTFOUND);
    assert_int_equal(ja_store_rename(store, "jail", "web1", "web3", &err), 0);
    assert_int_equal(ja_store_get(store, "jail", "web3", &row, &err), 0);
    assert_string_equal(row.uuid, A);
    assert_int_equal(row.revision, 2);
    ja_row_fini(&row);
}

static int collect(void *context, const struct ja_row *row, struct ja_error *ret_err)
{
    /* A callee may write while it is called. */
    assert_int_equal(ja_store_delete(store, row->kind, row->name, ret_err), 0);
    ja_str_addf(context, "%s ", row->name);
    return strcmp(row->name, "stop") == 0 ? JA_E_INTERRUPTED : 0;
}

static void objects_are_listed_by_name_and_pattern(void **state)
{
    (void)state;
    const char *names[] = {"web2", "db1", "web1"};
    const char *uuids[] = {A, B, "cccccccc-0000-4000-8000-000000000000"};
    for (size_t i = 0; i < JA_COUNT(names); i++)
        assert_int_equal(put_jail(names[i], uuids[i], 0, NULL), 0);
    ja_autostr struct ja_str list = {0};
    assert_int_equal(ja_store_each(store, "jail", "web*", collect, &list, &err), 0);
    assert_string_equal(list.text, "web1 web2 ");
    assert_int_equal(ja_store_each(store, "jail", NULL, collect, &list, &err), 0);
    assert_string_equal(list.text, "web1 web2 db1 ");
    assert_int_equal(ja_store_count(store, "jail", &err), 0);
    assert_int_equal(put_jail("stop", A, 0, NULL), 0);
    assert_int_equal(put_jail("unseen", B, 0, NULL), 0);
    assert_int_equal(ja_store_each(store, "jail", NULL, collect, &list, &err), JA_E_INTERRUPTED);
    assert_int_equal(ja_store_count(store, "jail", &err), 1);
}

/*
 * Transactions.
 */
static void what_was_rolled_back_never_was(void **state)
{
    (void)state;
    assert_int_equal(ja_store_begin(store, &err), 0);
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    ja_store_rollback(store);
    ja_store_rollback(store);
    assert_int_equal(ja_store_count(store, "jail", &err), 0);
    assert_int_equal(ja_store_commit(store, true, &err), JA_E_FAILED);
}

static void a_process_that_is_killed_leaves_nothing_of_its_transaction(void **state)
{
    (void)state;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        reopen();
        if (ja_store_begin(store, NULL) || put_jail("web2", B, 0, NULL))
            _exit(1);
        raise(SIGKILL);
    }
    assert_int_equal(child_status(pid), 1000 + SIGKILL);
    assert_int_equal(ja_store_count(store, "jail", &err), 1);
    assert_int_equal(put_jail("web2", B, 0, NULL), 0);
}

/* A child that holds the write lock for a while; returns when it has it. */
static pid_t hold_write_lock(useconds_t for_us)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        reopen();
        int r = ja_store_begin(store, NULL);
        ja_fd_write(ready[1], "x", 1);
        usleep(for_us);
        r |= put_jail("held", B, 0, NULL) | ja_store_commit(store, true, NULL);
        _exit(r ? 1 : 0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void a_writer_waits_for_another_and_gives_up_in_the_end(void **state)
{
    (void)state;
    pid_t pid = hold_write_lock(300000);
    ja_store_set_wait(store, 50);
    assert_int_equal(ja_store_begin(store, &err), JA_E_BUSY);
    assert_true(*err.hint);
    ja_store_set_wait(store, 30000);
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(child_status(pid), 0);
    assert_int_equal(ja_store_count(store, "jail", &err), 2);
}

static void a_full_disk_is_said_and_harms_nothing(void **state)
{
    (void)state;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 1", NULL, NULL, NULL), SQLITE_OK);
    char *large = ja_malloc(100001);
    memset(large, 'x', 100000);
    large[100000] = '\0';
    assert_int_equal(ja_store_begin(store, &err), 0);
    assert_int_equal(ja_store_setting_put(store, "small", "x", &err), 0);
    assert_int_equal(ja_store_setting_put(store, "large", large, &err), JA_E_FAILED);
    assert_non_null(strstr(err.what, "no space"));
    ja_free(large);
    /* SQLite may have rolled back; a second half alone must not be written. */
    bool over = sqlite3_get_autocommit(store->db);
    assert_true(!over || ja_store_setting_put(store, "second", "x", &err) < 0);
    ja_store_rollback(store);
    assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 100000", NULL, NULL, NULL), SQLITE_OK);
    char *value;
    assert_int_equal(ja_store_setting(store, "small", &value, &err), JA_E_NOTFOUND);
    assert_int_equal(ja_store_count(store, "jail", &err), 1);
    assert_int_equal(ja_store_verify(store, &err), 0);
}

/*
 * Reservations.
 */
static void a_key_has_one_owner_who_is_named_to_others(void **state)
{
    (void)state;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(put_jail("web2", B, 0, NULL), 0);
    assert_int_equal(ja_store_reserve(store, "address", "lan 10.66.0.5", A, &err), 0);
    assert_int_equal(ja_store_reserve(store, "address", "lan 10.66.0.5", A, &err), 0);
    assert_int_equal(ja_store_reserve(store, "address", "lan 10.66.0.5", B, &err), JA_E_CONFLICT);
    assert_non_null(strstr(err.what, "jail web1"));
    assert_string_equal(err.object, "address lan 10.66.0.5");
    char *holder;
    assert_int_equal(ja_store_holder(store, "address", "lan 10.66.0.5", &holder, &err), 0);
    assert_string_equal(holder, "jail web1");
    ja_free(holder);
    assert_int_equal(ja_store_holder(store, "address", "lan 10.66.0.6", &holder, &err), 0);
    assert_string_equal(holder, "");
    ja_free(holder);
}

static void a_reservation_needs_its_object_when_the_transaction_ends(void **state)
{
    (void)state;
    assert_int_equal(ja_store_reserve(store, "slot", "1", A, &err), JA_E_NOTFOUND);
    assert_int_equal(ja_store_begin(store, &err), 0);
    assert_int_equal(ja_store_reserve(store, "slot", "1", A, &err), 0);
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(ja_store_commit(store, true, &err), 0);
    assert_int_equal(ja_store_begin(store, &err), 0);
    assert_int_equal(ja_store_reserve(store, "slot", "2", B, &err), 0);
    assert_int_equal(ja_store_commit(store, true, &err), JA_E_NOTFOUND);
    assert_int_equal(ja_store_reserve(store, "slot", "2", A, &err), 0);
}

static size_t reserved(const char *kind, const char *prefix, const char *owner)
{
    struct ja_strv keys = {0};
    assert_int_equal(ja_store_reserved(store, kind, prefix, owner, &keys, &err), 0);
    size_t count = keys.count;
    ja_strv_fini(&keys);
    return count;
}

static void reservations_are_let_go_one_by_one_or_with_their_object(void **state)
{
    (void)state;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(put_jail("web2", B, 0, NULL), 0);
    const char *keys[] = {"lan 1", "lan 2", "land 1", "wan 1"};
    for (size_t i = 0; i < JA_COUNT(keys); i++)
        assert_int_equal(ja_store_reserve(store, "address", keys[i], A, &err), 0);
    assert_int_equal(ja_store_reserve(store, "port", "tcp 80", A, &err), 0);
    assert_int_equal(ja_store_reserve(store, "address", "lan 3", B, &err), 0);
    assert_int_equal(reserved("address", "lan ", NULL), 3);
    assert_int_equal(reserved("address", "lan ", A), 2);
    assert_int_equal(reserved("address", "", A), 4);
    assert_int_equal(ja_store_release(store, "address", "lan 3", A, &err), 0);
    assert_int_equal(reserved("address", "lan ", NULL), 3);
    assert_int_equal(ja_store_release(store, "address", "lan 1", A, &err), 0);
    assert_int_equal(reserved("address", "lan ", A), 1);
    assert_int_equal(ja_store_release(store, "address", NULL, A, &err), 0);
    assert_int_equal(reserved("address", "", A), 0);
    assert_int_equal(reserved("port", "", A), 1);
    assert_int_equal(ja_store_release(store, NULL, NULL, A, &err), 0);
    assert_int_equal(reserved("port", "", A), 0);
    assert_int_equal(ja_store_delete(store, "jail", "web2", &err), 0);
    assert_int_equal(reserved("address", "", NULL), 0);
}

static void the_smallest_free_number_is_given(void **state)
{
    (void)state;
    int64_t number = -1;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(ja_store_reserve_number(store, "slot", 0, 12, A, &number, &err), 0);
        assert_int_equal(number, i);
    }
    assert_int_equal(ja_store_reserve_number(store, "slot", 0, 12, A, &number, &err), JA_E_LIMIT);
    assert_int_equal(number, 11);
    assert_int_equal(ja_store_release(store, "slot", "9", A, &err), 0);
    assert_int_equal(ja_store_release(store, "slot", "10", A, &err), 0);
    assert_int_equal(ja_store_reserve_number(store, "slot", 0, 12, A, &number, &err), 0);
    assert_int_equal(number, 9);
    assert_int_equal(ja_store_reserve_number(store, "slot", 5, 100, A, &number, &err), 0);
    assert_int_equal(number, 10);
    assert_int_equal(ja_store_reserve_number(store, "pipe", 100, 1, A, &number, &err), 0);
    assert_int_equal(number, 100);
}

#define RESERVERS 6
#define EACH_RESERVES 25

static int reserve_many(void)
{
    reopen();
    for (int i = 0; i < EACH_RESERVES; i++) {
        int64_t number;
        if (ja_store_reserve_number(store, "slot", 0, RESERVERS * EACH_RESERVES, A, &number, NULL) != 0)
            return 1;
    }
    return 0;
}

static void processes_at_once_get_different_numbers(void **state)
{
    (void)state;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    pid_t pids[RESERVERS];
    for (int i = 0; i < RESERVERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(reserve_many());
    }
    for (int i = 0; i < RESERVERS; i++)
        assert_int_equal(child_status(pids[i]), 0);
    int64_t number;
    assert_int_equal(reserved("slot", "", A), RESERVERS * EACH_RESERVES);
    assert_int_equal(ja_store_reserve_number(store, "slot", 0, RESERVERS * EACH_RESERVES, A, &number, &err),
                     JA_E_LIMIT);
}

/*
 * Plans and settings.
 */
static void open_plan(const char *id, const char *name)
{
    struct ja_plan_row row = {.id = (char *)id,
                              .verb = (char *)"start",
                              .kind = (char *)"jail",
                              .name = (char *)name,
                              .uuid = (char *)A,
                              .who = (char *)"root",
                              .started_ms = 5};
    assert_int_equal(ja_store_plan_open(store, &row, &err), 0);
}

static int list_plan(void *context, const struct ja_plan_row *row, struct ja_error *ret_err)
{
    (void)ret_err;
    ja_str_addf(context, "%s=%s ", row->id, row->result);
    return 0;
}

static void expect_plans(const char *name, bool only_open, int64_t limit, const char *expected)
{
    ja_autostr struct ja_str list = {0};
    ja_str_add(&list, "");
    assert_int_equal(ja_store_plans(store, name, only_open, limit, list_plan, &list, &err), 0);
    assert_string_equal(list.text, expected);
}

static void plans_are_open_until_they_end_and_then_the_log(void **state)
{
    (void)state;
    open_plan("p1", "web1");
    open_plan("p2", "web2");
    open_plan("p3", "web1");
    assert_int_equal(ja_store_plan_update(store, "p1", "done", NULL, 9, &err), 0);
    assert_int_equal(ja_store_plan_update(store, "p2", "committed", "", 0, &err), 0);
    expect_plans(NULL, false, 0, "p1=done p2=committed p3=open ");
    expect_plans(NULL, true, 0, "p2=committed p3=open ");
    expect_plans("web1", false, 0, "p1=done p3=open ");
    expect_plans(NULL, false, 2, "p2=committed p3=open ");
    struct ja_plan_row row;
    assert_int_equal(ja_store_plan_get(store, "p1", &row, &err), 0);
    assert_int_equal(row.started_ms, 5);
    assert_int_equal(row.ended_ms, 9);
    assert_string_equal(row.who, "root");
    assert_string_equal(row.detail, "");
    ja_plan_row_fini(&row);
    assert_int_equal(ja_store_plan_get(store, "p9", &row, &err), JA_E_NOTFOUND);
    assert_int_equal(ja_store_plan_update(store, "p9", "done", NULL, 1, &err), JA_E_NOTFOUND);
}

static void the_log_is_trimmed_but_never_what_is_open(void **state)
{
    (void)state;
    const char *ids[] = {"p1", "p2", "p3", "p4"};
    for (size_t i = 0; i < JA_COUNT(ids); i++)
        open_plan(ids[i], "web1");
    for (size_t i = 1; i < JA_COUNT(ids); i++)
        assert_int_equal(ja_store_plan_update(store, ids[i], "done", "", 9, &err), 0);
    assert_int_equal(ja_store_plans_trim(store, 1, &err), 0);
    expect_plans(NULL, false, 0, "p1=open p4=done ");
}

static void settings_are_kept_by_name(void **state)
{
    (void)state;
    char *value;
    assert_int_equal(ja_store_setting(store, "tag", &value, &err), JA_E_NOTFOUND);
    assert_int_equal(ja_store_setting_put(store, "tag", "0a", &err), 0);
    assert_int_equal(ja_store_setting_put(store, "tag", "0b", &err), 0);
    assert_int_equal(ja_store_setting(store, "tag", &value, &err), 0);
    assert_string_equal(value, "0b");
    ja_free(value);
}

static void a_backup_is_a_store(void **state)
{
    (void)state;
    assert_int_equal(put_jail("web1", A, 0, NULL), 0);
    assert_int_equal(ja_store_backup(store, at("backup"), &err), 0);
    assert_int_equal(ja_store_backup(store, at("backup"), &err), JA_E_EXISTS);
    assert_int_equal(mkdir(at("other"), 0700), 0);
    assert_int_equal(rename(at("backup"), at("other/store.db")), 0);
    struct stat st;
    assert_int_equal(stat(at("other/store.db"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    struct ja_store *other;
    assert_int_equal(ja_store_open(at("other"), false, false, &other, &err), 0);
    assert_int_equal(ja_store_count(other, "jail", &err), 1);
    ja_store_close(other);
    assert_int_equal(ja_store_backup(store, at("none/backup"), &err), JA_E_NOTFOUND);
}

/*
 * Out of memory, at every place where memory is asked for.
 */
static long sqlite_fail_after = -1;
static sqlite3_mem_methods real_memory;

static bool sqlite_must_fail(void)
{
    return sqlite_fail_after >= 0 && sqlite_fail_after-- == 0;
}

static void *failing_malloc(int size)
{
    return sqlite_must_fail() ? NULL : real_memory.xMalloc(size);
}

static void *failing_realloc(void *memory, int size)
{
    return sqlite_must_fail() ? NULL : real_memory.xRealloc(memory, size);
}

static int make_sqlite_memory_fail(void **state)
{
    (void)state;
    sqlite3_mem_methods methods;
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    methods = real_memory;
    methods.xMalloc = failing_malloc;
    methods.xRealloc = failing_realloc;
    /* Without lookaside, so that small allocations count too. */
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) || sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
}

static int use_all(struct ja_store *s)
{
    int64_t revision, number;
    struct ja_row row = {0}, put = {.kind = (char *)"jail",
                                    .name = (char *)"web1",
                                    .uuid = (char *)A,
                                    .state = (char *)"ready",
                                    .reference = (char *)"base@1"};
    int r = ja_store_begin(s, &err);
    if (r < 0)
        return r;
    put.spec = json_object();
    ja_autofree char *holder = NULL;
    ja_autostrv struct ja_strv keys = {0};
    if ((r = ja_store_put(s, &put, &revision, &err)) == 0 && (r = ja_store_reserve(s, "slot", "0", A, &err)) == 0 &&
        (r = ja_store_reserve_number(s, "slot", 0, 5, A, &number, &err)) == 0 &&
        (r = ja_store_holder(s, "slot", "1", &holder, &err)) == 0 &&
        (r = ja_store_reserved(s, "slot", "", NULL, &keys, &err)) == 0 &&
        (r = ja_store_get(s, "jail", "web1", &row, &err)) == 0)
        r = ja_store_commit(s, false, &err);
    if (row.spec)
        ja_row_fini(&row);
    json_decref(put.spec);
    ja_store_rollback(s);
    return r;
}

/* Opens a new store and uses it, with a failure after `ours` allocations of ours and `sqlites` of SQLite. */
static int use_with_failures(long ours, long sqlites)
{
    char dir[300];
    struct ja_store *s = NULL;
    snprintf(dir, sizeof dir, "%s/o%ld.%ld", scratch, ours, sqlites);
    assert_int_equal(mkdir(dir, 0700), 0);
    ja_error_clear(&err);
    ja_alloc_fail_after(ours);
    sqlite_fail_after = sqlites;
    int r = ja_store_open(dir, true, false, &s, &err);
    if (r == 0)
        r = use_all(s);
    ja_alloc_fail_after(-1);
    sqlite_fail_after = -1;
    int64_t count = s ? ja_store_count(s, "jail", NULL) : 0;
    ja_store_close(s);
    assert_int_equal(count, r == 0 ? 1 : 0);
    return r;
}

static void out_of_memory_is_an_error_like_any_other(void **state)
{
    (void)state;
    long k = 0;
    while (use_with_failures(k, -1) != 0) {
        assert_int_equal(err.code, JA_E_NOMEM);
        k++;
    }
    assert_true(k > 10);
}

static void sqlites_lack_of_memory_is_ours(void **state)
{
    (void)state;
    /* SQLite does without some allocations: those calls succeed, and failure begins again later. */
    long failed = 0;
    for (long k = 0; k < 1500; k += 7) {
        if (use_with_failures(-1, k) == 0)
            continue;
        assert_int_equal(err.code, JA_E_NOMEM);
        failed++;
    }
    assert_true(failed > 20);
}

int main(void)
{
#define STORE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE(a_missing_store_says_how_to_make_one),
        STORE(only_its_owner_can_read_the_store),
        STORE(a_file_that_is_no_store_is_called_damaged),
        STORE(damage_within_is_found_by_verify),
        STORE(a_newer_store_is_refused),
        STORE(an_older_store_is_brought_up_to_date_and_keeps_its_rows),
        STORE(a_migration_that_fails_changes_nothing),
        STORE(a_read_only_handle_reads_while_another_writes_and_never_writes),
#ifdef __linux__
        STORE(a_store_on_a_read_only_file_system_can_be_read),
#endif
        STORE(an_object_is_read_as_it_was_written),
        STORE(a_change_counts_only_against_the_revision_that_was_read),
        STORE(an_object_made_anew_is_not_taken_for_the_old_one),
        STORE(a_rename_keeps_the_object_and_respects_others),
        STORE(objects_are_listed_by_name_and_pattern),
        STORE(what_was_rolled_back_never_was),
        STORE(a_process_that_is_killed_leaves_nothing_of_its_transaction),
        STORE(a_writer_waits_for_another_and_gives_up_in_the_end),
        STORE(a_full_disk_is_said_and_harms_nothing),
        STORE(a_key_has_one_owner_who_is_named_to_others),
        STORE(a_reservation_needs_its_object_when_the_transaction_ends),
        STORE(reservations_are_let_go_one_by_one_or_with_their_object),
        STORE(the_smallest_free_number_is_given),
        STORE(processes_at_once_get_different_numbers),
        STORE(plans_are_open_until_they_end_and_then_the_log),
        STORE(the_log_is_trimmed_but_never_what_is_open),
        STORE(settings_are_kept_by_name),
        STORE(a_backup_is_a_store),
        STORE(out_of_memory_is_an_error_like_any_other),
        STORE(sqlites_lack_of_memory_is_ours),
    };
    return cmocka_run_group_tests(tests, make_sqlite_memory_fail, NULL);
}
