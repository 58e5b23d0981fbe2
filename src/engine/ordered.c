/*
 * ordered.c: one verb for several jails in the order of their priorities and dependencies, and what happens at the boot and
 * the shutdown of the host.
 */
#include "engine/internal.h"
#include "plan/order.h"

#include <stdio.h>
#include <string.h>

struct ordered {
    struct ja_jail **jails;
    size_t count;
    struct ja_strv unknown; /* names without a jail: the verb itself says so */
    struct ja_strv failed;  /* jails that did not start */
    void (*report)(void *context, const char *name, int rc, const struct ja_error *err);
    void *context;
    bool out_of_memory;
};

static void ordered_fini(struct ordered *ordered)
{
    for (size_t i = 0; i < ordered->count; i++)
        ja_object_free(&ja_noun_jail, ordered->jails[i]);
    free(ordered->jails);
    ja_strv_fini(&ordered->unknown);
    ja_strv_fini(&ordered->failed);
}

static bool has_jail(const struct ordered *ordered, const char *name)
{
    for (size_t i = 0; i < ordered->count; i++)
        if (strcmp(ordered->jails[i]->name, name) == 0)
            return true;
    return false;
}

static int add_jail(struct ja_engine *engine, struct ordered *ordered, const char *name, struct ja_error *err)
{
    void *jail = NULL;
    if (has_jail(ordered, name) || ja_strv_has(&ordered->unknown, name))
        return 0;
    int rc = ja_engine_get(engine, &ja_noun_jail, name, &jail, NULL, err);
    if (rc == JA_E_NOTFOUND) {
        ja_error_clear(err);
        return ja_strv_add(&ordered->unknown, name) < 0 ? ja_error_nomem(err) : 0;
    }
    if (rc < 0)
        return rc;
    struct ja_jail **jails = ja_realloc(ordered->jails, (ordered->count + 1) * sizeof *jails);
    if (!jails) {
        ja_object_free(&ja_noun_jail, jail);
        return ja_error_nomem(err);
    }
    ordered->jails = jails;
    jails[ordered->count++] = jail;
    return 0;
}

/* The jails of the names; with `dependencies` also all that they depend on. */
static int collect(struct ja_engine *engine, const struct ja_strv *names, bool dependencies, struct ordered *ordered,
                   struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < names->count; i++)
        rc = add_jail(engine, ordered, names->items[i], err);
    /* The list grows while it is read. */
    for (size_t i = 0; rc == 0 && dependencies && i < ordered->count; i++)
        for (size_t d = 0; rc == 0 && d < ordered->jails[i]->depends.count; d++)
            rc = add_jail(engine, ordered, ordered->jails[i]->depends.items[d], err);
    return rc;
}

static void note_result(void *context, const char *name, int rc, const struct ja_error *err)
{
    struct ordered *ordered = context;
    if (rc < 0 && ja_strv_add(&ordered->failed, name) < 0)
        ordered->out_of_memory = true;
    ordered->report(ordered->context, name, rc, err);
}

/* A jail does not start without what it depends on. */
static bool refuse_dependent(struct ordered *ordered, const struct ja_jail *jail)
{
    for (size_t d = 0; d < jail->depends.count; d++) {
        const char *name = jail->depends.items[d];
        bool unknown = ja_strv_has(&ordered->unknown, name);
        if (!unknown && !ja_strv_has(&ordered->failed, name))
            continue;
        struct ja_error err = JA_ERROR_INIT;
        ja_error_set(&err, JA_E_FAILED, JA_LABEL("jail", jail->name), "it depends on %s, which %s", name,
                     unknown ? "does not exist" : "did not start");
        if (unknown)
            ja_error_hint(&err, "`jailadmin set %s depends-=%s` ends that", jail->name, name);
        note_result(ordered, jail->name, err.code, &err);
        return true;
    }
    return false;
}

/* The call back of ja_engine_each gets the context that `one` gets, so what is ours stands in front of it. */
struct relay {
    struct ordered *ordered;
    int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err);
};

static int relay_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    const struct relay *relay = context;
    return relay->one(engine, name, relay->ordered->context, err);
}

static void relay_report(void *context, const char *name, int rc, const struct ja_error *err)
{
    note_result(((const struct relay *)context)->ordered, name, rc, err);
}

/* One wave; how many failed, or a negative code. */
static int run_wave(struct ja_engine *engine, struct relay *relay, const struct ja_order *order, size_t first,
                    size_t end, int jobs, bool dependencies, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    int failed = 0;
    for (size_t i = first; i < end; i++) {
        const struct ja_jail *jail = relay->ordered->jails[order->items[i]];
        if (dependencies && refuse_dependent(relay->ordered, jail))
            failed++;
        else if (ja_strv_add(&names, jail->name) < 0)
            return ja_error_nomem(err);
    }
    return failed + (names.count ? ja_engine_each(engine, &names, jobs, relay_one, relay_report, relay) : 0);
}

static int run_waves(struct ja_engine *engine, struct relay *relay, const struct ja_order *order, int jobs,
                     bool backwards, bool dependencies, struct ja_error *err)
{
    int failed = 0;
    for (size_t done = 0; done < order->count;) {
        size_t first = backwards ? order->count - 1 - done : done, end = first + 1;
        if (backwards)
            while (first > 0 && order->waves[first - 1] == order->waves[end - 1])
                first--;
        else
            while (end < order->count && order->waves[end] == order->waves[first])
                end++;
        int rc = run_wave(engine, relay, order, first, end, jobs, dependencies, err);
        if (rc < 0)
            return rc;
        failed += rc;
        done += end - first;
    }
    return relay->ordered->out_of_memory ? ja_error_nomem(err) : failed;
}

int ja_engine_ordered(struct ja_engine *engine, const struct ja_strv *names, int jobs, enum ja_ordering ordering,
                      size_t *ret_total,
                      int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                      void (*report)(void *context, const char *name, int rc, const struct ja_error *err),
                      void *context, struct ja_error *err)
{
    struct ordered ordered = {.report = report, .context = context};
    struct relay relay = {&ordered, one};
    struct ja_order order = {0};
    bool start = ordering == JA_ORDER_START;
    int rc = collect(engine, names, start, &ordered, err), failed = 0;
    if (rc == 0)
        rc = ja_order_jails((const struct ja_jail *const *)ordered.jails, ordered.count, &order, err);
    ja_autostrv struct ja_strv unknown = {0};
    for (size_t i = 0; rc == 0 && i < ordered.unknown.count; i++)
        if (ja_strv_has(names, ordered.unknown.items[i]) && ja_strv_add(&unknown, ordered.unknown.items[i]) < 0)
            rc = ja_error_nomem(err);
    if (rc == 0) {
        *ret_total = ordered.count + unknown.count;
        failed = ja_engine_each(engine, &unknown, 1, one, report, context);
        rc = run_waves(engine, &relay, &order, jobs, ordering == JA_ORDER_STOP, start, err);
    }
    ja_order_fini(&order);
    ordered_fini(&ordered);
    return rc < 0 ? rc : failed + rc;
}

/* ---- boot ---- */

static int add_bootable(void *context, const struct ja_row *row, struct ja_error *err)
{
    void *object = NULL;
    int rc = ja_object_from_json(&ja_noun_jail, row->spec, true, &object, err);
    if (rc < 0)
        return rc;
    const struct ja_jail *jail = object;
    bool wanted = jail->boot == JA_BOOT_YES || (jail->boot == JA_BOOT_LAST && jail->wanted == JA_WANTED_RUNNING);
    if (wanted && ja_strv_add(context, jail->name) < 0)
        rc = ja_error_nomem(err);
    ja_object_free(&ja_noun_jail, object);
    return rc;
}

/* Upgrades that the host's stop has cut off, of jails that are not started too. */
static int settle_upgrades(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    int rc = ja_store_each(engine->store, "jail", NULL, ja_collect_name, &names, err);
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        struct ja_error one = JA_ERROR_INIT;
        struct ja_event event = {.kind = JA_EVENT_WARNING, .err = &one};
        if (ja_engine_upgrade_settle(engine, names.items[i], &one) < 0)
            ja_engine_event(engine, &event);
    }
    return rc;
}

int ja_engine_boot(struct ja_engine *engine, struct ja_strv *ret_names, struct ja_error *err)
{
    ja_autostrv struct ja_strv networks = {0};
    int rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = ja_store_each(engine->store, "network", NULL, ja_collect_name, &networks, err);
    for (size_t i = 0; rc == 0 && i < networks.count; i++) {
        struct ja_error one = JA_ERROR_INIT;
        /* One network that cannot be made keeps only its own jails from starting. */
        if (ja_engine_network_ensure(engine, networks.items[i], &one) < 0) {
            ja_error_wrap(&one, "network %s", networks.items[i]);
            struct ja_event event = {.kind = JA_EVENT_WARNING, .err = &one};
            ja_engine_event(engine, &event);
        }
    }
    if (rc == 0)
        rc = settle_upgrades(engine, err);
    return rc < 0 ? rc : ja_store_each(engine->store, "jail", NULL, add_bootable, ret_names, err);
}

static int add_running(void *context, const struct ja_listed *listed, struct ja_error *err)
{
    if (!listed->pid)
        return 0;
    return ja_strv_add(context, listed->jail->name) < 0 ? ja_error_nomem(err) : 0;
}

int ja_engine_running(struct ja_engine *engine, struct ja_strv *ret_names, struct ja_error *err)
{
    return ja_engine_list(engine, NULL, true, add_running, ret_names, err);
}
