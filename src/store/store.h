/*
 * store.h: what is wanted: objects by kind and name, with a revision for compare and swap; unique reservations; the list of
 * plans, which is also the event log; the settings of the instance. sqlite.c is the one implementation so far.
 *
 * A handle belongs to one process: after fork() the child opens its own. No transaction is open while a step runs.
 */
#ifndef JA_STORE_H
#define JA_STORE_H

#include "base/str.h"

#include <jansson.h>

#define JA_STORE_SCHEMA 1

struct ja_store;

/* Opens DIR/store.db. With `create` it is made (DIR exists). Checks the schema version: an older store is migrated, a
 * newer one is refused (JA_E_UNSUPPORTED), a damaged one is JA_E_CORRUPT with a hint, a missing one JA_E_NOTFOUND with the
 * hint to run init. `read_only` never writes, and works on a read-only file system. */
int ja_store_open(const char *dir, bool create, bool read_only, struct ja_store **ret_store, struct ja_error *err);
void ja_store_close(struct ja_store *store);
/* The whole integrity check of the database (doctor). */
int ja_store_verify(struct ja_store *store, struct ja_error *err);
/* A consistent copy into a new file (backup). */
int ja_store_backup(struct ja_store *store, const char *path, struct ja_error *err);

/* Opens such a copy, or any store's file, for reading. It must be of today's version. */
int ja_store_open_copy(const char *path, struct ja_store **ret_store, struct ja_error *err);
/* Replaces all that is in the store by what a copy holds, in one transaction, synced: others see the one or the other.
 * JA_E_BUSY when somebody writes for longer than the store waits. */
int ja_store_restore(struct ja_store *store, struct ja_store *copy, struct ja_error *err);

/* How long begin waits for another process, instead of 30 s. */
void ja_store_set_wait(struct ja_store *store, int64_t wait_ms);

/* Transactions. begin takes the write lock at once (waits up to 30 s, then JA_E_BUSY). Calls outside of a transaction are
 * transactions of their own. `durable`: synced to disk before it returns; else a power cut may lose it, never tear it.
 * A commit that fails has rolled back. A failure within (disk full, out of memory) may have done so too: then every call
 * fails until rollback. */
int ja_store_begin(struct ja_store *store, struct ja_error *err);
int ja_store_commit(struct ja_store *store, bool durable, struct ja_error *err);
void ja_store_rollback(struct ja_store *store); /* nothing when none is open */

/* One object's row. The indexed columns are given by the caller from the noun's structure. */
struct ja_row {
    char *kind, *name, *uuid;
    int64_t slot;     /* -1: none */
    char *state;      /* "creating", "ready", "broken" */
    char *reference;  /* jails: "template@version"; may be NULL */
    int64_t revision; /* 0 in put: must not exist yet */
    json_t *spec;
};
void ja_row_fini(struct ja_row *row);

int ja_store_get(struct ja_store *store, const char *kind, const char *name, struct ja_row *ret_row,
                 struct ja_error *err);
int ja_store_get_uuid(struct ja_store *store, const char *kind, const char *uuid, struct ja_row *ret_row,
                      struct ja_error *err);
/* Calls `each` for all rows of a kind in order of name (rows are the callee's to read, not to keep; it may write to the
 * store); a negative return ends it and is returned. `glob` may be NULL. */
int ja_store_each(struct ja_store *store, const char *kind, const char *glob,
                  int (*each)(void *context, const struct ja_row *row, struct ja_error *err), void *context,
                  struct ja_error *err);
/* The same for many rows that are only looked at: nothing is copied. The texts are for that call, which must not use the store. */
struct ja_row_text {
    const char *name, *uuid, *state, *spec;
    int64_t slot;
};
int ja_store_scan(struct ja_store *store, const char *kind, const char *glob,
                  int (*each)(void *context, const struct ja_row_text *row, struct ja_error *err), void *context,
                  struct ja_error *err);
int64_t ja_store_count(struct ja_store *store, const char *kind, struct ja_error *err); /* or negative code */
/* Writes when the stored revision equals row->revision (0: no such row yet); JA_E_CONFLICT or JA_E_EXISTS otherwise. The uuid of an
 * object is unique in the store and never changes. The new
 * revision is in *ret_revision. The spec is stored compact. */
int ja_store_put(struct ja_store *store, const struct ja_row *row, int64_t *ret_revision, struct ja_error *err);
/* Removes a row and what it has reserved. Missing is success. */
int ja_store_delete(struct ja_store *store, const char *kind, const char *name, struct ja_error *err);
int ja_store_rename(struct ja_store *store, const char *kind, const char *name, const char *to, struct ja_error *err);

/* Reservations: (kind, key) is unique: ("slot", "17"), ("address", "lan 10.66.0.5"), ("port", "tcp 0.0.0.0 8080"). The owner
 * is the uuid of an object, whose row is in the store when the transaction ends (else JA_E_NOTFOUND). Reserving again by the same owner is success. JA_E_CONFLICT names the holder. */
int ja_store_reserve(struct ja_store *store, const char *kind, const char *key, const char *owner,
                     struct ja_error *err);
/* Releases one, or with key NULL all of that owner and kind, or with kind NULL too all of that owner. */
int ja_store_release(struct ja_store *store, const char *kind, const char *key, const char *owner,
                     struct ja_error *err);
/* The keys of a kind that begin with `prefix`, sorted; owner NULL: anybody's. */
int ja_store_reserved(struct ja_store *store, const char *kind, const char *prefix, const char *owner,
                      struct ja_strv *ret_keys, struct ja_error *err);
/* The smallest number in [least, least + count) that is not reserved in `kind` (keys are decimal), now reserved.
 * JA_E_LIMIT when all are taken. */
int ja_store_reserve_number(struct ja_store *store, const char *kind, int64_t least, int64_t count, const char *owner,
                            int64_t *ret_number, struct ja_error *err);
/* Like get, by a reservation: who (kind and name of the object) holds it. Empty strings for nobody. */
int ja_store_holder(struct ja_store *store, const char *kind, const char *key, char **ret_holder, struct ja_error *err);

/* Plans: open ones are part of the journal (see run/journal.h), closed ones are the event log. */
struct ja_plan_row {
    char *id;                        /* uuid */
    char *verb, *kind, *name, *uuid; /* uuid of the object, may be "" */
    char *who;                       /* "root", or the caller's name */
    int64_t started_ms, ended_ms;    /* wall clock; ended 0: open */
    char *result;                    /* "open", "committed", "done", "failed", "undone", "broken" */
    char *detail;                    /* the error's sentence, or "" */
};
void ja_plan_row_fini(struct ja_plan_row *row);
int ja_store_plan_open(struct ja_store *store, const struct ja_plan_row *row, struct ja_error *err);
/* Sets result, detail and, with ended_ms != 0, closes it. */
int ja_store_plan_update(struct ja_store *store, const char *id, const char *result, const char *detail,
                         int64_t ended_ms, struct ja_error *err);
int ja_store_plan_get(struct ja_store *store, const char *id, struct ja_plan_row *ret_row, struct ja_error *err);
/* The newest `limit` plans (0: all), newest last; `only_open`: those without an end; name NULL: of all objects. */
int ja_store_plans(struct ja_store *store, const char *name, bool only_open, int64_t limit,
                   int (*each)(void *context, const struct ja_plan_row *row, struct ja_error *err), void *context,
                   struct ja_error *err);
/* Forgets closed plans but the newest `keep`. */
int ja_store_plans_trim(struct ja_store *store, int64_t keep, struct ja_error *err);

/* Settings of the instance: text by name. JA_E_NOTFOUND. */
int ja_store_setting(struct ja_store *store, const char *name, char **ret_value, struct ja_error *err);
int ja_store_setting_put(struct ja_store *store, const char *name, const char *value, struct ja_error *err);

#endif
