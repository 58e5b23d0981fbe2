/*
 * backup.c: a copy of the store, and putting one back: into the instance that it is of, or on a host that has none.
 */
#include "base/clock.h"
#include "base/file.h"
#include "engine/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {"jail", "template", "network"};

int ja_engine_backup(struct ja_engine *engine, const char *path, struct ja_error *err)
{
    int rc = ja_store_verify(engine->store, err);
    return rc < 0 ? rc : ja_store_backup(engine->store, path, err);
}

/* ---- what a copy would lose ---- */

struct comparison {
    struct ja_store *copy;
    struct ja_str missing; /* "jail web1, network lan" */
    size_t count;
};

static int note_missing(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct comparison *comparison = context;
    struct ja_row there;
    int rc = ja_store_get_uuid(comparison->copy, row->kind, row->uuid, &there, err);
    if (rc == 0)
        ja_row_fini(&there);
    if (rc != JA_E_NOTFOUND)
        return rc;
    ja_error_clear(err);
    if (comparison->count++ < 8)
        ja_str_addf(&comparison->missing, "%s%s %s", comparison->count > 1 ? ", " : "", row->kind, row->name);
    return comparison->missing.failed ? ja_error_nomem(err) : 0;
}

/* JA_E_CONFLICT when the store has objects that the copy has not. */
static int check_loss(struct ja_store *store, struct ja_store *copy, struct ja_error *err)
{
    struct comparison comparison = {.copy = copy};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < JA_COUNT(kinds); i++)
        rc = ja_store_each(store, kinds[i], NULL, note_missing, &comparison, err);
    if (rc == 0 && comparison.count) {
        rc = ja_error_set(err, JA_E_CONFLICT, "restore", "the copy does not know what was made since: %s%s",
                          comparison.missing.text, comparison.count > 8 ? " and more" : "");
        ja_error_hint(err,
                      "delete them first, or use --force: their trees stay, and `jailadmin adopt` takes them back");
    }
    ja_str_fini(&comparison.missing);
    return rc;
}

/* ---- the site of a copy ---- */

static int read_site_of(struct ja_store *store, struct ja_site *ret_site, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    int rc = ja_store_setting(store, "site", &text, err);
    if (rc < 0)
        return rc == JA_E_NOTFOUND
                   ? ja_error_set(err, JA_E_CORRUPT, "copy", "it is not the copy of an instance's store")
                   : rc;
    json_t *json = NULL;
    rc = ja_json_read(text, "copy", &json, err);
    if (rc == 0)
        rc = ja_site_from_json(json, ret_site, err);
    json_decref(json);
    return rc;
}

static int open_copy(const char *path, struct ja_store **ret_copy, struct ja_site *ret_site, struct ja_error *err)
{
    int rc = ja_store_open_copy(path, ret_copy, err);
    if (rc == 0)
        rc = ja_store_verify(*ret_copy, err);
    if (rc == 0)
        rc = read_site_of(*ret_copy, ret_site, err);
    return rc < 0 ? ja_error_wrap(err, "%s", path) : 0;
}

/* The registration for this state directory: the one that is there; the copy's own numbers; new ones. */
static int find_registration(const struct ja_engine_options *options, const struct ja_site *site, bool force,
                             struct ja_instance *ret_instance, struct ja_error *err)
{
    int rc = ja_registry_find(options->state, ret_instance, err);
    if (rc == 0 && strcmp(ret_instance->uuid, site->uuid) != 0 && !force) {
        rc = ja_error_set(err, JA_E_CONFLICT, "restore", "the copy is of another instance than %s", options->state);
        return ja_error_hint(err, "name the right state directory with --state, or use --force");
    }
    if (rc != JA_E_NOTFOUND)
        return rc;
    struct ja_instance instance;
    ja_site_give(site, options->state, &instance);
    rc = ja_registry_put(&instance, err);
    if (rc == JA_E_CONFLICT)
        rc = ja_registry_add(options->state, site->slots, &instance, err);
    if (rc == 0) {
        ja_error_clear(err);
        *ret_instance = instance;
    }
    return rc;
}

/* The copy's site at this place, with these numbers. The pool's file moves with the state directory. */
static void place_site(struct ja_site *site, const struct ja_engine_options *options,
                       const struct ja_instance *instance)
{
    size_t length = strlen(site->pool);
    bool inside = length > 5 && strcmp(site->pool + length - 5, "/pool") == 0 &&
                  strncmp(site->source, site->pool, length) == 0 && strcmp(site->source + length, ".img") == 0;
    bool idmap = site->idmap; /* the pool's, whatever the numbers are */
    ja_site_place(site, options);
    ja_site_take(site, instance);
    site->idmap = idmap;
    if (inside)
        snprintf(site->source, sizeof site->source, "%s/pool.img", site->state);
}

/* ---- the store that is there ---- */

/* A store that cannot be read is put aside, never removed. */
static int put_aside(const struct ja_engine_options *options, struct ja_error *err)
{
    static const char *const files[] = {"store.db", "store.db-wal", "store.db-shm"};
    for (size_t i = 0; i < JA_COUNT(files); i++) {
        char from[512], to[600];
        snprintf(from, sizeof from, "%s/%s", options->state, files[i]);
        snprintf(to, sizeof to, "%s.damaged-%lld", from, (long long)(ja_clock_wall_ms() / 1000));
        if (rename(from, to) < 0 && errno != ENOENT)
            return ja_file_error(err, errno, from, "put it aside");
    }
    return 0;
}

/* Opens the instance to be replaced. *ret_engine stays NULL where there is none. */
static int open_present(const struct ja_engine_options *options, bool force, struct ja_engine **ret_engine,
                        struct ja_error *err)
{
    struct ja_engine_options incomplete = *options;
    incomplete.incomplete = true;
    int rc = ja_engine_open(&incomplete, ret_engine, err);
    if (rc == JA_E_NOTFOUND) {
        ja_error_clear(err);
        return 0;
    }
    if (rc == JA_E_CORRUPT && force && !options->dry_run)
        return put_aside(options, err);
    if (rc == JA_E_CORRUPT)
        return ja_error_hint(err, "with --force it is put aside, and the copy takes its place");
    return rc;
}

static int check_present(struct ja_engine *engine, struct ja_store *copy, const struct ja_site *site, bool force,
                         struct ja_error *err)
{
    if (strcmp(engine->site.uuid, site->uuid) != 0 && !force) {
        ja_error_set(err, JA_E_CONFLICT, "restore", "the copy is of another instance than %s", engine->options.state);
        return ja_error_hint(err, "name the right state directory with --state, or use --force");
    }
    int rc = engine->options.dry_run ? 0 : ja_engine_recover(engine, false, err);
    if (rc == 0 && ja_engine_any_dead(engine) && !force) {
        rc = ja_error_set(err, JA_E_BUSY, "restore", "changes are under way, or were left broken or kept");
        ja_error_hint(err, "wait for them, or run `jailadmin gc` first; --force goes on nevertheless");
    }
    if (rc == 0 && !force)
        rc = check_loss(engine->store, copy, err);
    return rc;
}

/* ---- doing it ---- */

static int write_site(struct ja_engine *engine, struct ja_error *err)
{
    int rc = ja_new_uuid(engine->site.epoch, err);
    if (rc < 0)
        return rc;
    json_t *json = ja_site_to_json(&engine->site);
    ja_autofree char *text = json ? ja_json_text(json, JSON_COMPACT) : NULL;
    json_decref(json);
    rc = text ? ja_store_begin(engine->store, err) : ja_error_nomem(err);
    if (rc < 0)
        return rc;
    rc = ja_store_setting_put(engine->store, "site", text, err);
    if (rc == 0)
        rc = ja_store_setting_put(engine->store, "ready", "yes", err);
    if (rc == 0)
        return ja_store_commit(engine->store, true, err);
    ja_store_rollback(engine->store);
    return rc;
}

/* Objects of the copy whose trees are not in the pool. */
struct search {
    struct ja_engine *engine;
    struct ja_strv *lost;
};

static int note_lost(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct search *search = context;
    bool jail = strcmp(row->kind, "jail") == 0;
    char path[600];
    char *value = NULL;
    snprintf(path, sizeof path, "%s/%s/%s", search->engine->site.pool, jail ? "jails" : "templates", row->name);
    int rc = ja_machine_fact(search->engine->machine, JA_FACT_PATH, path, &value, err);
    if (rc == 0 && !value && ja_strv_addf(search->lost, "%s %s", row->kind, row->name) < 0)
        rc = ja_error_nomem(err);
    free(value);
    return rc;
}

static int find_lost(struct ja_engine *engine, struct ja_strv *lost, struct ja_error *err)
{
    struct search search = {engine, lost};
    int rc = ja_engine_pool_ensure(engine, err);
    for (size_t i = 0; rc == 0 && i < 2; i++)
        rc = ja_store_each(engine->store, kinds[i], NULL, note_lost, &search, err);
    return rc;
}

static int record(struct ja_engine *engine, const char *path, int64_t started_ms, struct ja_error *err)
{
    char id[JA_UUID_TEXT];
    int rc = ja_new_uuid(id, err);
    if (rc < 0)
        return rc;
    struct ja_plan_row row = {.id = id,
                              .verb = (char *)"restore",
                              .kind = (char *)"host",
                              .name = (char *)"instance",
                              .uuid = (char *)"",
                              .who = (char *)ja_user_name(),
                              .started_ms = started_ms,
                              .result = (char *)"open",
                              .detail = (char *)""};
    rc = ja_store_plan_open(engine->store, &row, err);
    return rc < 0 ? rc : ja_store_plan_update(engine->store, id, "done", path, ja_clock_wall_ms(), err);
}

/* A file that the pool needs and that is not there is said before anything is changed. */
static int check_pool(const struct ja_site *site, bool force, struct ja_error *err)
{
    if (!site->loop || force || access(site->source, F_OK) == 0)
        return 0;
    ja_error_set(err, JA_E_NOTFOUND, "restore", "the pool's file %s is not there", site->source);
    return ja_error_hint(err, "put it there first; --force restores without it");
}

static int replace(struct ja_engine *engine, struct ja_store *copy, const char *path, int64_t started_ms,
                   struct ja_strv *lost, struct ja_error *err)
{
    int rc = ja_engine_leave_dead(engine, true, err);
    if (rc == 0)
        rc = ja_store_restore(engine->store, copy, err);
    if (rc == 0)
        rc = write_site(engine, err);
    if (rc == 0)
        rc = ja_engine_machine(engine, err);
    if (rc == 0)
        rc = record(engine, path, started_ms, err);
    /* What was open when the copy was made never happened, for this store. */
    if (rc == 0)
        rc = ja_engine_recover(engine, false, err);
    if (rc < 0)
        return rc;
    /* A pool that is not there yet is no reason to fail: the copy is in its place. */
    struct ja_error missing = JA_ERROR_INIT;
    rc = find_lost(engine, lost, &missing);
    if (rc < 0 && ja_strv_addf(lost, "the pool: %s", missing.what) < 0)
        return ja_error_nomem(err);
    return 0;
}

static int restore_into(const struct ja_engine_options *options, struct ja_engine *engine, struct ja_store *copy,
                        struct ja_site *site, const char *path, bool force, struct ja_strv *lost, struct ja_error *err)
{
    int64_t started_ms = ja_clock_wall_ms();
    struct ja_instance instance;
    bool fresh = engine->store == NULL;
    struct ja_site checked = *site;
    struct ja_instance here = {0};
    snprintf(here.tag, sizeof here.tag, "%s", site->tag);
    place_site(&checked, options, &here);
    int rc = check_pool(&checked, force, err);
    if (rc < 0 || options->dry_run)
        return rc;
    rc = find_registration(options, site, force, &instance, err);
    if (rc < 0)
        return rc;
    place_site(site, options, &instance);
    engine->site = *site;
    if (fresh)
        rc = ja_engine_make_state(engine, err);
    if (rc == 0)
        rc = replace(engine, copy, path, started_ms, lost, err);
    return rc;
}

int ja_engine_restore(const struct ja_engine_options *options, const char *path, bool force, struct ja_strv *ret_lost,
                      struct ja_error *err)
{
    struct ja_engine *engine = NULL;
    struct ja_store *copy = NULL;
    struct ja_site site;
    int rc = open_copy(path, &copy, &site, err);
    if (rc == 0)
        rc = open_present(options, force, &engine, err);
    if (rc == 0 && engine)
        rc = check_present(engine, copy, &site, force, err);
    else if (rc == 0)
        rc = ja_engine_open_new(options, &engine, err);
    if (rc == 0)
        rc = restore_into(options, engine, copy, &site, path, force, ret_lost, err);
    ja_engine_close(engine);
    ja_store_close(copy);
    return rc;
}
