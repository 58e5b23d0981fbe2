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

static void fill_state(struct ja_facts *facts, const struct ja_site *site, const struct ja_jail *jail,
                       struct ja_listed *listed)
{
    const char *pid = ja_factf(facts, JA_FACT_PROCESS, "%s/jails/%lld/pid", site->run, (long long)jail->slot);
    listed->pid = pid ? (pid_t)strtol(pid, NULL, 10) : 0;
    const char *since = pid ? strchr(pid, ' ') : NULL;
    if (since)
        ja_clock_format(strtoll(since + 1, NULL, 10), listed->started);
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

struct listing {
    struct ja_engine *engine;
    struct ja_listed *items;
    bool *brief; /* which of the jails are; NULL: none */
    size_t count, size;
    struct ja_facts facts;
};

static int make_room(struct listing *listing, struct ja_error *err)
{
    if (listing->count < listing->size)
        return 0;
    size_t size = listing->size ? listing->size * 2 : 64;
    struct ja_listed *items = ja_realloc(listing->items, size * sizeof *items);
    listing->items = items ? items : listing->items;
    bool *brief = items ? ja_realloc(listing->brief, size * sizeof *brief) : NULL;
    if (!brief)
        return ja_error_nomem(err);
    listing->brief = brief;
    listing->size = size;
    return 0;
}

static int whole(const char *spec, void **ret_jail, struct ja_error *err)
{
    json_t *json = NULL;
    int rc = ja_json_read(spec, "store", &json, err);
    if (rc == 0)
        rc = ja_object_from_json(&ja_noun_jail, json, true, ret_jail, err);
    json_decref(json);
    return rc;
}

static int collect(struct listing *listing, const struct ja_row_text *row, bool brief, struct ja_error *err)
{
    struct ja_jail *jail = NULL;
    void *object = NULL;
    int rc = make_room(listing, err);
    int read = rc == 0 && brief ? ja_brief_read(row, &jail, err) : rc;
    if (read == 0)
        read = whole(row->spec, &object, err);
    if (read < 0)
        return read;
    listing->brief[listing->count] = jail != NULL;
    listing->items[listing->count++] = (struct ja_listed){.jail = jail ? jail : object};
    return 0;
}

static int collect_whole(void *context, const struct ja_row_text *row, struct ja_error *err)
{
    return collect(context, row, false, err);
}

static int collect_brief(void *context, const struct ja_row_text *row, struct ja_error *err)
{
    return collect(context, row, true, err);
}

/* Two passes: the first one notes which facts are missing, one read answers them all. */
static int fill_all(struct listing *listing, struct ja_error *err)
{
    struct ja_machine *machine = listing->engine->machine;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < listing->count; i++)
            fill_state(&listing->facts, &listing->engine->site, listing->items[i].jail, &listing->items[i]);
        if (listing->facts.failed)
            return ja_error_nomem(err);
        int rc = pass == 0 ? machine->facts.read(machine->facts.context, &listing->facts, err) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int ja_engine_list(struct ja_engine *engine, const char *glob, bool brief,
                   int (*each)(void *context, const struct ja_listed *listed, struct ja_error *err), void *context,
                   struct ja_error *err)
{
    struct listing listing = {.engine = engine};
    struct ja_map verbs = {0};
    int rc = ja_store_scan(engine->store, "jail", glob, brief ? collect_brief : collect_whole, &listing, err);
    if (rc == 0)
        rc = ja_store_plans(engine->store, NULL, true, 0, open_verb, &verbs, err);
    if (rc == 0)
        rc = fill_all(&listing, err);
    for (size_t i = 0; i < listing.count; i++) {
        apply_verb(ja_map_get(&verbs, listing.items[i].jail->name), &listing.items[i]);
        if (rc == 0)
            rc = each(context, &listing.items[i], err);
        if (listing.brief[i])
            ja_brief_free(listing.items[i].jail);
        else
            ja_object_free(&ja_noun_jail, listing.items[i].jail);
    }
    free(listing.items);
    free(listing.brief);
    ja_facts_fini(&listing.facts);
    ja_map_fini(&verbs);
    return rc;
}

int ja_engine_state(struct ja_engine *engine, const struct ja_jail *jail, struct ja_listed *ret_listed,
                    struct ja_error *err)
{
    struct ja_listed listed = {.jail = (struct ja_jail *)jail};
    struct listing listing = {.engine = engine, .items = &listed, .count = 1};
    int rc = fill_all(&listing, err);
    ja_facts_fini(&listing.facts);
    if (rc == 0)
        *ret_listed = listed;
    return rc;
}
