/*
 * engine.c: opening an instance, planning with facts, and the course of one change.
 */
#include "engine/engine.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/self.h"
#include "engine/internal.h"
#include "host/host.h"
#include "run/registry.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOCK_WAIT_MS 30000

enum { PLANNING_ROUNDS = 32 };

static const struct ja_host *const hosts[] = {[JA_OS_LINUX] = &ja_host_linux, [JA_OS_FREEBSD] = &ja_host_freebsd};

const struct ja_host *ja_host_of(int os)
{
    return os >= 0 && (size_t)os < JA_COUNT(hosts) ? hosts[os] : NULL;
}

const struct ja_storage *ja_storage_of(int storage)
{
    return storage == JA_STORAGE_ZFS ? &ja_storage_zfs : &ja_storage_btrfs;
}

/* ---- the instance's settings ---- */

static int read_site(struct ja_engine *engine, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    int rc = ja_store_setting(engine->store, "site", &text, err);
    if (rc < 0)
        return rc == JA_E_NOTFOUND
                   ? ja_error_set(err, JA_E_CORRUPT, "store", "the store does not say which instance it is")
                   : rc;
    json_t *json = NULL;
    rc = ja_json_read(text, "store", &json, err);
    if (rc < 0)
        return ja_error_wrap(err, "the instance's settings are damaged");
    rc = ja_site_from_json(json, &engine->site, err);
    json_decref(json);
    return rc;
}

void ja_site_place(struct ja_site *site, const struct ja_engine_options *options)
{
    snprintf(site->state, sizeof site->state, "%s", options->state);
    snprintf(site->self, sizeof site->self, "%s", options->self);
}

/* ---- open and close ---- */

static int read_facts_file(struct ja_engine *engine, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    json_error_t where;
    int rc = ja_file_read(engine->options.facts_file, 16 << 20, &text, NULL, err);
    if (rc < 0)
        return rc;
    bool nomem;
    json_t *json = ja_json_load(text, strlen(text), 0, &where, &nomem);
    if (nomem)
        return ja_error_nomem(err);
    if (!json)
        return ja_error_set(err, JA_E_INVALID, "facts", "%s, line %d: %s", engine->options.facts_file, where.line,
                            where.text);
    rc = ja_facts_from_json(&engine->described, json, err);
    json_decref(json);
    return rc;
}

/* A facts file answers all: what it does not mention is absent. */
static int described_read(void *context, struct ja_facts *facts, struct ja_error *err)
{
    struct ja_facts *described = context;
    for (size_t i = 0; i < facts->count; i++) {
        const struct ja_fact *fact = &facts->items[i];
        if (!fact->known && ja_facts_set(facts, fact->kind, fact->name, ja_fact(described, fact->kind, fact->name)) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

enum ja_os ja_options_os(const struct ja_engine_options *options)
{
    return options->os >= 0 ? (enum ja_os)options->os : ja_self_on_freebsd() ? JA_OS_FREEBSD : JA_OS_LINUX;
}

int ja_engine_machine(struct ja_engine *engine, struct ja_error *err)
{
    engine->host = ja_host_of(engine->options.os >= 0 ? engine->options.os : (int)engine->site.os);
    if (!engine->host)
        return ja_error_set(err, JA_E_UNSUPPORTED, NULL, "this program cannot plan for that operating system yet");
    engine->storage = ja_storage_of(engine->site.storage);
    if (engine->options.machine) {
        engine->machine = engine->options.machine;
        return 0;
    }
    struct ja_fact_reader reader = ja_native_fact_reader();
    if (engine->options.facts_file) {
        int rc = read_facts_file(engine, err);
        if (rc < 0)
            return rc;
        engine->options.dry_run = true;
        reader = (struct ja_fact_reader){.read = described_read, .context = &engine->described};
    }
    engine->machine = &engine->real.machine;
    int rc = ja_real_machine_init(&engine->real, engine->options.self, !engine->options.no_natives, reader, err);
    engine->machine->interrupted = engine->options.interrupted;
    return rc;
}

void ja_engine_paths(struct ja_engine *engine)
{
    snprintf(engine->journal, sizeof engine->journal, "%s/journal", engine->options.state);
    snprintf(engine->locks, sizeof engine->locks, "%s/lock", engine->options.state);
}

static int check_ready(struct ja_engine *engine, struct ja_error *err)
{
    ja_autofree char *ready = NULL;
    int rc = ja_store_setting(engine->store, "ready", &ready, err);
    if (rc == 0 && strcmp(ready, "yes") == 0)
        return 0;
    if (rc < 0 && rc != JA_E_NOTFOUND)
        return rc;
    ja_error_set(err, JA_E_NOTFOUND, "instance", "the init or teardown of %s was cut off before its end",
                 engine->options.state);
    return ja_error_hint(
        err,
        "`jailadmin teardown` removes what was left, `jailadmin init` also begins anew; where there were jails, the store is "
        "damaged: use restore, or `jailadmin init --adopt` and `jailadmin adopt --all`");
}

int ja_engine_open(const struct ja_engine_options *options, struct ja_engine **ret_engine, struct ja_error *err)
{
    struct ja_engine *engine = ja_calloc(1, sizeof *engine);
    if (!engine)
        return ja_error_nomem(err);
    engine->options = *options;
    ja_engine_paths(engine);
    int rc = ja_store_open(options->state, false, options->read_only, &engine->store, err);
    if (rc == 0)
        rc = read_site(engine, err);
    if (rc == 0 && !options->incomplete)
        rc = check_ready(engine, err);
    if (rc == 0) {
        ja_site_place(&engine->site, options);
        rc = ja_engine_machine(engine, err);
    }
    if (rc < 0) {
        ja_engine_close(engine);
        return rc;
    }
    *ret_engine = engine;
    return 0;
}

int ja_engine_open_new(const struct ja_engine_options *options, struct ja_engine **ret_engine, struct ja_error *err)
{
    ja_autofree char *path = ja_printf("%s/store.db", options->state);
    struct ja_engine *engine = path ? ja_calloc(1, sizeof *engine) : NULL;
    if (!engine)
        return ja_error_nomem(err);
    if (access(path, F_OK) == 0) {
        free(engine);
        return ja_error_set(err, JA_E_EXISTS, "store", "%s is there already", path);
    }
    engine->options = *options;
    ja_engine_paths(engine);
    *ret_engine = engine;
    return 0;
}

void ja_engine_close(struct ja_engine *engine)
{
    if (!engine)
        return;
    ja_store_close(engine->store);
    ja_facts_fini(&engine->described);
    ja_strv_fini(&engine->told);
    free(engine);
}

int ja_engine_after_fork(struct ja_engine *engine, struct ja_error *err)
{
    /* The parent's handle is left alone: closing it here would end the parent's file locks. */
    engine->store = NULL;
    return ja_store_open(engine->options.state, false, engine->options.read_only, &engine->store, err);
}

/* ---- planning ---- */

/* Until no fact is missing: `check` says whether the plan is one. */
static int plan_rounds(struct ja_engine *engine, const char *verb, const char *kind, const char *name,
                       void (*plan)(void *work, struct ja_planning *p), void *work,
                       int (*check)(const struct ja_plan *plan, struct ja_error *err), struct ja_plan *ret_plan,
                       struct ja_error *err)
{
    struct ja_facts facts = {0};
    int rc = 0;
    for (int round = 0; round < PLANNING_ROUNDS; round++) {
        struct ja_planning p = {
            .plan = ret_plan, .facts = &facts, .site = &engine->site, .host = engine->host, .storage = engine->storage};
        ja_plan_init(ret_plan, verb, kind, name);
        plan(work, &p);
        if (facts.failed) {
            rc = ja_error_nomem(err);
            break;
        }
        if (facts.missing == 0) {
            rc = check(ret_plan, err);
            ja_facts_fini(&facts);
            return rc;
        }
        ja_plan_fini(ret_plan);
        rc = engine->machine->facts.read(engine->machine->facts.context, &facts, err);
        if (rc < 0)
            break;
    }
    if (rc == 0)
        rc = ja_error_set(err, JA_E_FAILED, NULL, "planning %s needs more facts without end", verb);
    ja_facts_fini(&facts);
    return rc;
}

int ja_engine_plan(struct ja_engine *engine, const char *verb, const char *kind, const char *name,
                   void (*plan)(void *work, struct ja_planning *p), void *work, struct ja_plan *ret_plan,
                   struct ja_error *err)
{
    return plan_rounds(engine, verb, kind, name, plan, work, ja_plan_check, ret_plan, err);
}

static int check_answer(const struct ja_plan *plan, struct ja_error *err)
{
    if (plan->err.code && err)
        *err = plan->err;
    return plan->err.code;
}

int ja_engine_ask(struct ja_engine *engine, void (*ask)(void *work, struct ja_planning *p), void *work,
                  struct ja_error *err)
{
    struct ja_plan none = {0};
    int rc = plan_rounds(engine, "ask", "host", "", ask, work, check_answer, &none, err);
    ja_plan_fini(&none);
    return rc;
}

/* ---- one change ---- */

/* Changes are root's; who became root by sudo or doas is named by them. Nobody is looked up: that takes longer than a change may, and a
 * directory of users may not answer. */
const char *ja_user_name(void)
{
    static const char *const variables[] = {"SUDO_USER", "DOAS_USER"};
    static char name[64];
    if (name[0])
        return name;
    snprintf(name, sizeof name, getuid() == 0 ? "root" : "uid %lld", (long long)getuid());
    for (size_t i = 0; getuid() == 0 && i < JA_COUNT(variables); i++) {
        const char *caller = getenv(variables[i]);
        if (caller && *caller && ja_str_printable(caller, strlen(caller), false)) {
            snprintf(name, sizeof name, "%s", caller);
            break;
        }
    }
    return name;
}

static void lock_path(const struct ja_engine *engine, const char *kind, const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s-%s", engine->locks, kind, name);
}

bool ja_change_holds(const struct ja_change *change, const char *kind, const char *name)
{
    char path[512];
    bool held = change->engine->options.dry_run;
    lock_path(change->engine, kind, name, path);
    for (size_t i = 0; i < change->lock_count && !held; i++)
        held = strcmp(change->locks[i].path, path) == 0;
    return held;
}

/* Where a lock stands in the order in which all are taken. */
static int lock_rank(const char *kind)
{
    static const char *const kinds[] = {"network", "template", "jail", "host"};
    int rank = 0;
    while (rank < (int)JA_COUNT(kinds) && strcmp(kind, kinds[rank]) != 0)
        rank++;
    return rank;
}

/* True when the lock comes after all that this process holds, and no transaction of the store is open. */
static bool in_order(const struct ja_change *innermost, const char *kind, const char *name)
{
    for (const struct ja_change *change = innermost; change; change = change->outer) {
        if (change->open)
            return false;
        for (size_t i = 0; i < change->lock_count; i++) {
            /* LOCKS/KIND-NAME; kinds have no dash */
            const char *held = strrchr(change->locks[i].path, '/') + 1, *held_name = strchr(held, '-') + 1;
            char held_kind[32];
            snprintf(held_kind, sizeof held_kind, "%.*s", (int)(held_name - held - 1), held);
            int before = lock_rank(held_kind) - lock_rank(kind);
            if (before > 0 || (before == 0 && strcmp(held_name, name) >= 0))
                return false;
        }
    }
    return true;
}

int ja_engine_lock(const struct ja_engine *engine, const char *kind, const char *name, bool shared, int64_t wait_ms,
                   const char *who, struct ja_lock *ret_lock, struct ja_error *err)
{
    char path[512];
    lock_path(engine, kind, name, path);
    int rc = ja_lock_take(path, shared, wait_ms, who, ret_lock, err);
    /* Somebody has tidied up the state directory. */
    if (rc == JA_E_NOTFOUND && ja_dir_make(engine->locks, 0700, err) == 0)
        rc = ja_lock_take(path, shared, wait_ms, who, ret_lock, err);
    return rc;
}

int ja_change_lock(struct ja_change *change, const char *kind, const char *name, bool shared, struct ja_error *err)
{
    struct ja_engine *engine = change->engine;
    char who[256];
    if (engine->options.dry_run)
        return 0;
    if (change->lock_count == JA_COUNT(change->locks))
        return ja_error_set(err, JA_E_LIMIT, NULL, "too many locks for one change");
    if (change->open || !in_order(change->lock_count ? change : engine->holding, kind, name))
        return ja_error_set(err, JA_E_FAILED, JA_LABEL(kind, name),
                            "its lock would be taken out of order: this is a bug");
    snprintf(who, sizeof who, "jailadmin %s %s", change->verb, change->name);
    int rc = ja_engine_lock(engine, kind, name, shared, LOCK_WAIT_MS, who, &change->locks[change->lock_count], err);
    if (rc == 0 && change->lock_count++ == 0) {
        change->outer = engine->holding;
        engine->holding = change;
    }
    /* The file is nothing to the user. */
    if (rc == JA_E_BUSY && err)
        snprintf(err->object, sizeof err->object, "%s %s", kind, name);
    return rc;
}

int ja_change_prepare(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *kind,
                      const char *name, struct ja_error *err)
{
    *change = (struct ja_change){.engine = engine, .verb = verb, .kind = kind};
    snprintf(change->name, sizeof change->name, "%s", name);
    change->started_ms = ja_clock_wall_ms();
    change->result = JA_RESULT_UNDONE;
    return ja_new_uuid(change->id, err);
}

int ja_change_open(struct ja_change *change, struct ja_error *err)
{
    struct ja_engine *engine = change->engine;
    int rc = engine->options.dry_run ? 0 : ja_recover_object(engine, change->kind, change->name, err);
    if (rc == 0)
        rc = ja_store_begin(engine->store, err);
    if (rc == 0)
        change->open = true;
    return rc;
}

int ja_change_begin(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *kind,
                    const char *name, struct ja_error *err)
{
    int rc = ja_change_prepare(change, engine, verb, kind, name, err);
    if (rc == 0)
        rc = ja_change_lock(change, kind, name, false, err);
    return rc < 0 ? rc : ja_change_open(change, err);
}

int ja_change_begin_copy(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *kind,
                         const char *name, const char *from, struct ja_error *err)
{
    int order = strcmp(name, from), rc = ja_change_prepare(change, engine, verb, kind, name, err);
    if (rc == 0 && order > 0)
        rc = ja_change_lock(change, kind, from, true, err);
    if (rc == 0)
        rc = ja_change_lock(change, kind, name, false, err);
    if (rc == 0 && order < 0)
        rc = ja_change_lock(change, kind, from, true, err);
    return rc < 0 ? rc : ja_change_open(change, err);
}

int ja_change_begin_two(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *kind,
                        const char *name, const char *other, struct ja_error *err)
{
    bool swap = strcmp(name, other) > 0;
    int rc = ja_change_prepare(change, engine, verb, kind, name, err);
    if (rc == 0)
        rc = ja_change_lock(change, kind, swap ? other : name, false, err);
    if (rc == 0)
        rc = ja_change_lock(change, kind, swap ? name : other, false, err);
    /* What a dead plan of the other name has left would be in the way. */
    if (rc == 0 && !engine->options.dry_run)
        rc = ja_recover_object(engine, kind, other, err);
    return rc < 0 ? rc : ja_change_open(change, err);
}

static int record_open(struct ja_change *change, struct ja_error *err)
{
    struct ja_plan_row row = {.id = change->id,
                              .verb = (char *)change->verb,
                              .kind = (char *)change->kind,
                              .name = change->name,
                              .uuid = change->uuid,
                              .who = (char *)ja_user_name(),
                              .started_ms = change->started_ms,
                              .result = (char *)"open",
                              .detail = (char *)""};
    return ja_store_plan_open(change->engine->store, &row, err);
}

static int end_transaction(struct ja_change *change, struct ja_error *err)
{
    change->open = false;
    if (change->engine->options.dry_run) {
        ja_store_rollback(change->engine->store);
        return 0;
    }
    int rc = record_open(change, err);
    if (rc < 0) {
        ja_store_rollback(change->engine->store);
        return rc;
    }
    return ja_store_commit(change->engine->store, false, err);
}

static const char *result_name(enum ja_result result)
{
    static const char *const names[] = {[JA_RESULT_DONE] = "done",
                                        [JA_RESULT_UNDONE] = "undone",
                                        [JA_RESULT_KEPT] = "kept",
                                        [JA_RESULT_BROKEN] = "broken"};
    return names[result];
}

/* What the store learns of a plan's end. Runs after failures too, so its own failure is only a warning. */
static void close_plan(struct ja_change *change, const struct ja_error *why)
{
    struct ja_engine *engine = change->engine;
    struct ja_error err = JA_ERROR_INIT;
    char detail[1024] = "";
    if (why && why->code)
        snprintf(detail, sizeof detail, "%s%s%s", why->object, why->object[0] ? ": " : "", why->what);
    int rc = 0;
    if (change->result == JA_RESULT_UNDONE)
        rc = ja_engine_settle(engine, change->kind, change->name, change->uuid, &err);
    else if (change->result == JA_RESULT_BROKEN || change->result == JA_RESULT_KEPT)
        rc = ja_engine_mark(engine, change->kind, change->name, true, &err);
    if (rc == 0)
        rc = ja_store_plan_update(engine->store, change->id, result_name(change->result), detail, ja_clock_wall_ms(),
                                  &err);
    struct ja_event event = {.kind = JA_EVENT_WARNING, .err = &err};
    if (rc < 0 && engine->options.event)
        engine->options.event(engine->options.context, &event);
}

struct ja_run ja_engine_run(struct ja_engine *engine)
{
    return (struct ja_run){.machine = engine->machine,
                           .journal_dir = engine->journal,
                           .pool = engine->site.pool,
                           .epoch = engine->site.epoch,
                           .keep = engine->options.keep,
                           .store = ja_engine_store_step,
                           .event = NULL,
                           .context = engine,
                           .probe = engine->options.probe ? ja_engine_probe : NULL};
}

/* What the planner has to say, as warnings; the same sentence of several plans of one command only once. */
static void tell_notes(struct ja_engine *engine, const struct ja_plan *plan)
{
    for (size_t i = 0; i < plan->notes.count; i++) {
        if (ja_strv_has(&engine->told, plan->notes.items[i]))
            continue;
        struct ja_error note = JA_ERROR_INIT;
        ja_error_set(&note, JA_OK, NULL, "%s", plan->notes.items[i]);
        struct ja_event event = {.kind = JA_EVENT_WARNING, .plan = plan, .err = &note};
        ja_engine_event(engine, &event);
        ja_strv_add(&engine->told, plan->notes.items[i]); /* without memory it is told twice */
    }
}

int ja_change_apply(struct ja_change *change, void (*plan)(void *work, struct ja_planning *p), void *work,
                    struct ja_error *err)
{
    struct ja_engine *engine = change->engine;
    struct ja_plan made = {0};
    struct ja_error failure = JA_ERROR_INIT;
    /* Planning happens within the transaction only when nothing will be written: a reserved thing must be seen by
     * others before facts are read. */
    int rc = end_transaction(change, err);
    if (rc < 0)
        return rc;
    rc = ja_engine_plan(engine, change->verb, change->kind, change->name, plan, work, &made, &failure);
    if (rc == 0 && change->check)
        rc = change->check(change, work, &failure);
    if (rc == 0)
        tell_notes(engine, &made);
    if (rc == 0 && engine->options.dry_run) {
        rc = engine->options.show ? engine->options.show(engine->options.context, &made, &failure) : 0;
        change->result = JA_RESULT_DONE;
    } else if (rc == 0) {
        struct ja_run run = ja_engine_run(engine);
        run.event = ja_engine_event;
        rc = ja_run_plan(&run, change->id, &made, &change->result, &failure);
    }
    ja_plan_fini(&made);
    if (!engine->options.dry_run)
        close_plan(change, &failure);
    if (rc < 0 && err)
        *err = failure;
    return rc;
}

void ja_change_end(struct ja_change *change)
{
    if (change->open)
        ja_store_rollback(change->engine->store);
    change->open = false;
    if (change->lock_count)
        change->engine->holding = change->outer;
    while (change->lock_count)
        ja_lock_release(&change->locks[--change->lock_count], false);
}

void ja_engine_event(void *context, const struct ja_event *event)
{
    struct ja_engine *engine = context;
    if (engine->options.event)
        engine->options.event(engine->options.context, event);
}

int ja_engine_probe(void *context, const struct ja_plan *plan, size_t step, bool after)
{
    struct ja_engine *engine = context;
    return engine->options.probe(engine->options.context, plan, step, after);
}
