/*
 * list.c: what is there, read from the store and the runtime directory, without starting a process.
 */
#include "base/clock.h"
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>

const char *ja_state_name(enum ja_state state)
{
    static const char *const names[] = {
        [JA_STATE_STOPPED] = "stopped",   [JA_STATE_RUNNING] = "running",   [JA_STATE_CREATING] = "creating",
        [JA_STATE_STARTING] = "starting", [JA_STATE_STOPPING] = "stopping", [JA_STATE_DYING] = "dying",
        [JA_STATE_BROKEN] = "broken"};
    return names[state];
}

/* `path` holds the first `above` bytes of a path, of the directory of all jails, and is room for the rest. */
static void fill_state(struct ja_facts *facts, struct ja_str *path, size_t above, struct ja_listed *listed)
{
    const struct ja_jail *jail = listed->jail;
    uint64_t pid = 0, since;
    path->length = above;
    ja_str_add_number(path, jail->slot);
    ja_str_add(path, "/pid");
    const char *process = path->failed ? NULL : ja_fact(facts, JA_FACT_PROCESS, path->text);
    listed->pid = process && ja_str_digits(&process, &pid) ? (pid_t)pid : 0;
    if (listed->pid && *process++ == ' ' && ja_str_digits(&process, &since))
        ja_clock_format((int64_t)since, listed->started);
    if (jail->state == JA_ROW_CREATING)
        listed->state = JA_STATE_CREATING;
    else if (jail->state == JA_ROW_BROKEN)
        listed->state = JA_STATE_BROKEN;
    else
        listed->state = listed->pid ? JA_STATE_RUNNING : JA_STATE_STOPPED;
}

/* What open plans are about to do: name -> verb. */
static int open_verb(void *context, const struct ja_plan_row *row, struct ja_error *err)
{
    struct ja_map *verbs = context;
    if (strcmp(row->kind, "jail") != 0)
        return 0;
    return ja_map_set(verbs, row->name, row->verb) < 0 ? ja_error_nomem(err) : 0;
}

static void apply_verb(const char *verb, struct ja_listed *listed)
{
    if (!verb || listed->state == JA_STATE_BROKEN || listed->state == JA_STATE_CREATING)
        return;
    if (strcmp(verb, "start") == 0 && listed->state == JA_STATE_STOPPED)
        listed->state = JA_STATE_STARTING;
    else if (strcmp(verb, "stop") == 0 || strcmp(verb, "delete") == 0)
        listed->state = JA_STATE_STOPPING;
}

/* So many jails are looked at together. Where a process reads the facts of all that are asked for, few are needed. Elsewhere what they
 * take shall stay in the processor's nearest cache, in few pages: each new page costs the kernel 3 us. */
#ifdef __FreeBSD__
#define PORTION 256
#else
#define PORTION 64
#endif

struct listing {
    struct ja_engine *engine;
    struct ja_map verbs;    /* what open plans are about to do, by the names of jails */
    struct ja_strv pending; /* uuids of those whose addresses wait for their next start */
    bool brief;
    int (*each)(void *context, const struct ja_listed *listed, struct ja_error *err);
    void *context;
    struct ja_listed items[PORTION];
    bool briefly[PORTION]; /* which of them hold what a list shows alone */
    size_t count;
    struct ja_briefs briefs; /* memory of these */
};

static int whole(const char *spec, void **ret_jail, struct ja_error *err)
{
    json_t *json = NULL;
    int rc = ja_json_read(spec, "store", &json, err);
    if (rc == 0)
        rc = ja_object_from_json(&ja_noun_jail, json, true, ret_jail, err);
    json_decref(json);
    return rc;
}

/* Two passes: the first one notes which facts are missing, one read answers them all. */
static int fill_all(struct ja_engine *engine, struct ja_listed *items, size_t count, bool more, struct ja_error *err)
{
    const struct ja_machine *machine = engine->machine;
    ja_autostr struct ja_str path = {0};
    struct ja_facts facts = {.more = more};
    int rc = 0;
    ja_str_add(&path, engine->site.run);
    ja_str_add(&path, "/jails/");
    size_t above = path.length;
    for (int pass = 0; pass < 2 && rc == 0; pass++) {
        for (size_t i = 0; i < count; i++)
            fill_state(&facts, &path, above, &items[i]);
        rc = facts.failed || path.failed ? ja_error_nomem(err)
             : pass == 0                 ? machine->facts.read(machine->facts.context, &facts, err)
                                         : 0;
    }
    ja_facts_fini(&facts);
    return rc < 0 ? rc : 0;
}

/* Of a list that ends in the middle. */
static void ask_no_more(const struct ja_machine *machine)
{
    struct ja_facts none = {0};
    machine->facts.read(machine->facts.context, &none, NULL);
    ja_facts_fini(&none);
}

static void forget(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        if (!listing->briefly[i])
            ja_object_free(&ja_noun_jail, listing->items[i].jail);
    ja_briefs_forget(&listing->briefs);
    listing->count = 0;
}

/* Those few are known to the store, so that no file of the others is read. */
static int take_applied(struct listing *listing, struct ja_listed *listed, struct ja_jail **ret_applied,
                        struct ja_error *err)
{
    *ret_applied = NULL;
    if (!listed->pid || !ja_strv_has(&listing->pending, listed->jail->uuid))
        return 0;
    int rc = ja_engine_applied(listing->engine, listed->jail, ret_applied, err);
    listed->applied = *ret_applied;
    return rc;
}

static int hand_out(struct listing *listing, bool more, struct ja_error *err)
{
    int rc = fill_all(listing->engine, listing->items, listing->count, more, err);
    for (size_t i = 0; i < listing->count && rc == 0; i++) {
        apply_verb(ja_map_get(&listing->verbs, listing->items[i].jail->name), &listing->items[i]);
        struct ja_jail *applied;
        rc = take_applied(listing, &listing->items[i], &applied, err);
        if (rc == 0)
            rc = listing->each(listing->context, &listing->items[i], err);
        ja_object_free(&ja_noun_jail, applied);
    }
    forget(listing);
    return rc;
}

static int collect(void *context, const struct ja_row_text *row, struct ja_error *err)
{
    struct listing *listing = context;
    struct ja_jail *jail = NULL;
    void *object = NULL;
    int rc = listing->count == PORTION ? hand_out(listing, true, err) : 0;
    int read = rc == 0 && listing->brief ? ja_brief_read(&listing->briefs, row, &jail, err) : rc;
    if (read == 0)
        read = whole(row->spec, &object, err);
    if (read < 0)
        return read;
    listing->briefly[listing->count] = jail != NULL;
    listing->items[listing->count++] = (struct ja_listed){.jail = jail ? jail : object};
    return 0;
}

int ja_engine_list(struct ja_engine *engine, const char *glob, bool brief,
                   int (*each)(void *context, const struct ja_listed *listed, struct ja_error *err), void *context,
                   struct ja_error *err)
{
    struct listing listing = {.engine = engine, .brief = brief, .each = each, .context = context};
    int rc = ja_store_plans(engine->store, NULL, true, 0, open_verb, &listing.verbs, err);
    if (rc == 0)
        rc = ja_store_reserved(engine->store, JA_PENDING, "", NULL, &listing.pending, err);
    if (rc == 0)
        rc = ja_store_scan(engine->store, "jail", glob, collect, &listing, err);
    if (rc == 0)
        rc = hand_out(&listing, false, err);
    if (rc != 0)
        ask_no_more(engine->machine);
    forget(&listing);
    ja_briefs_fini(&listing.briefs);
    ja_map_fini(&listing.verbs);
    ja_strv_fini(&listing.pending);
    return rc;
}

int ja_engine_state(struct ja_engine *engine, const struct ja_jail *jail, struct ja_listed *ret_listed,
                    struct ja_error *err)
{
    struct ja_listed listed = {.jail = (struct ja_jail *)jail};
    int rc = fill_all(engine, &listed, 1, false, err);
    if (rc == 0)
        *ret_listed = listed;
    return rc;
}
