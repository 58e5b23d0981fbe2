/*
 * planning.c: what all planners share: steps of our own verbs, of the store, and the paths below the pool.
 */
#include "plan/planning.h"
#include "host/host.h"
#include "storage/storage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct ja_step *ja_plan_host_step(struct ja_planning *p, const char *verb, const char *why, ...)
{
    char text[256];
    va_list args;
    va_start(args, why);
    vsnprintf(text, sizeof text, why, args);
    va_end(args);
    struct ja_step *step = ja_plan_step(p->plan, "%s", text);
    ja_step_run(p->plan, step, p->site->self, "host", verb, NULL);
    return step;
}

void ja_step_undo_host(struct ja_planning *p, struct ja_step *step, const char *verb, ...)
{
    ja_step_undo(p->plan, step, p->site->self, "host", verb, NULL);
    va_list args;
    va_start(args, verb);
    for (const char *word; (word = va_arg(args, const char *)) != NULL;)
        ja_step_undo(p->plan, step, word, NULL);
    va_end(args);
}

void ja_plan_commit_last(struct ja_planning *p)
{
    if (p->plan->count)
        p->plan->steps[p->plan->count - 1]->flags |= JA_STEP_COMMIT;
}

static struct ja_step *store_step(struct ja_planning *p, const char *verb, const char *kind, const char *name,
                                  const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, verb, "%s", why);
    ja_step_run(p->plan, step, "--state", p->site->state, kind, name, NULL);
    step->flags |= JA_STEP_STORE;
    return step;
}

struct ja_step *ja_plan_store_put(struct ja_planning *p, const struct ja_noun *noun, const void *object,
                                  const char *why)
{
    const char *name = *(char *const *)object;
    struct ja_step *step = store_step(p, "store-put", noun->name, name, why);
    json_t *json = ja_object_to_json(noun, object, false);
    char *text = json ? ja_json_text(json, JSON_INDENT(1)) : NULL;
    json_decref(json);
    if (text)
        ja_step_input(p->plan, step, "%s\n", text);
    else
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    free(text);
    return step;
}

struct ja_step *ja_plan_store_set(struct ja_planning *p, const char *kind, const char *name, const char *assignment,
                                  const char *why)
{
    struct ja_step *step = store_step(p, "store-set", kind, name, why);
    ja_step_run(p->plan, step, assignment, NULL);
    return step;
}

struct ja_step *ja_plan_store_delete(struct ja_planning *p, const char *kind, const char *name, const char *why)
{
    return store_step(p, "store-delete", kind, name, why);
}

void ja_plan_mkdir(struct ja_planning *p, const char *path, const char *mode, bool persistent, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "mkdir", "%s", why);
    ja_step_run(p->plan, step, "--mode", mode, path, NULL);
    ja_step_undo_host(p, step, "rmdir", path, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, path, "dir");
    if (persistent)
        step->flags |= JA_STEP_PERSISTENT;
}

void ja_plan_sync(struct ja_planning *p, const char *dir, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "sync", "%s", why);
    ja_step_run(p->plan, step, dir, NULL);
    step->flags |= JA_STEP_PERSISTENT; /* in a recovery too */
}

void ja_plan_in_pool(struct ja_planning *p, size_t first)
{
    for (size_t k = first; p->storage->in_order && k < p->plan->count; k++)
        p->plan->steps[k]->flags |= JA_STEP_POOL;
}

void ja_plan_shift_ids(struct ja_planning *p, const char *tree, bool to_jails, const char *why)
{
    if (!ja_site_shifts(p->site))
        return;
    int64_t base = ja_site_tree_id(p->site, false);
    struct ja_step *step = ja_plan_host_step(p, "shift-ids", "%s", why);
    ja_step_run(p->plan, step, "--from", NULL);
    ja_step_runf(p->plan, step, "%lld", to_jails ? 0 : (long long)base);
    ja_step_run(p->plan, step, "--to", NULL);
    ja_step_runf(p->plan, step, "%lld", to_jails ? (long long)base : 0);
    ja_step_run(p->plan, step, "--count", NULL);
    ja_step_runf(p->plan, step, "%d", JA_UIDS_PER_SLOT);
    ja_step_run(p->plan, step, tree, NULL);
    step->timeout_ms = 3600 * 1000;
}

void ja_plan_note_applied(struct ja_planning *p, const struct ja_jail *jail, const struct ja_jail *old)
{
    char path[512];
    ja_autofree char *run = ja_path_run(p, jail), *text = ja_plan_spec_text(p, &ja_noun_jail, jail),
                     *old_text = old ? ja_plan_spec_text(p, &ja_noun_jail, old) : NULL;
    if (!run || !text || (old && !old_text))
        return;
    snprintf(path, sizeof path, "%s/applied.json", run);
    struct ja_step *step = ja_plan_host_step(p, "write", "remember what is applied to it");
    ja_step_run(p->plan, step, "--mode", "0600", path, NULL);
    ja_step_input(p->plan, step, "%s\n", text);
    if (old) {
        ja_step_undo_host(p, step, "write", "--mode", "0600", path, NULL);
        ja_step_undo_input(p->plan, step, "%s\n", old_text);
        ja_step_guard(p->plan, step, JA_FACT_PATH, path, "file");
    } else {
        ja_step_undo_host(p, step, "remove", path, NULL);
    }
}

/* A path below the pool as new text. */
static char *below(struct ja_planning *p, const char *format, ...) JA_PRINTF(2, 3);
static char *below(struct ja_planning *p, const char *format, ...)
{
    char rest[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    char *path = ja_printf("%s/%s", p->site->pool, rest);
    if (!path)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return path;
}

char *ja_path_template(struct ja_planning *p, const char *name, const char *version)
{
    return version ? below(p, "templates/%s/%s", name, version) : below(p, "templates/%s", name);
}

char *ja_path_jail(struct ja_planning *p, const char *name)
{
    return below(p, "jails/%s", name);
}

char *ja_path_root(struct ja_planning *p, const struct ja_jail *jail)
{
    if (p->build == jail)
        return below(p, "%s", p->build_tree + strlen(p->site->pool) + 1);
    return below(p, "jails/%s/root/%s", jail->name, jail->be);
}

char *ja_path_seen(struct ja_planning *p, const struct ja_jail *jail)
{
    return p->fresh == jail ? ja_path_template(p, jail->template, jail->version) : ja_path_root(p, jail);
}

char *ja_path_be(struct ja_planning *p, const struct ja_jail *jail, const char *be)
{
    return below(p, "jails/%s/root%s%s", jail->name, *be ? "/" : "", be);
}

char *ja_path_volume(struct ja_planning *p, const char *jail, const char *volume)
{
    return below(p, "jails/%s/vol/%s", jail, volume);
}

char *ja_path_deleted(struct ja_planning *p, const char *uuid)
{
    return below(p, "deleted/%s", uuid);
}

char *ja_path_run(struct ja_planning *p, const struct ja_jail *jail)
{
    char *path = ja_printf("%s/jails/%lld", p->site->run, (long long)jail->slot);
    if (!path)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return path;
}
