/*
 * spec.c: what is kept in the pool beside the trees, so that losing the store loses no jail: the spec of every object, and
 * which instance the pool belongs to.
 */
#include "plan/planning.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

static char *instance_path(struct ja_planning *p, const char *name, const char *suffix)
{
    char *path = ja_printf("%s/instance%s%s%s", p->site->pool, *name ? "/" : "", name, suffix);
    if (!path)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return path;
}

char *ja_path_spec(struct ja_planning *p, const struct ja_noun *noun, const char *name)
{
    if (noun == &ja_noun_network)
        return instance_path(p, name, ".network.json");
    ja_autofree char *dir = noun == &ja_noun_jail ? ja_path_jail(p, name) : ja_path_template(p, name, NULL);
    char *path = dir ? ja_printf("%s/spec.json", dir) : NULL;
    if (dir && !path)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return path;
}

static void write_json(struct ja_planning *p, const char *path, json_t *json, const char *how, const char *why)
{
    ja_autofree char *text = json ? ja_json_text(json, JSON_INDENT(1)) : NULL;
    json_decref(json);
    if (!text) {
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        return;
    }
    const char *old = ja_fact(p->facts, JA_FACT_FILE, path);
    struct ja_step *step = ja_plan_host_step(p, "write", "%s", why);
    ja_step_run(p->plan, step, "--mode", "0600", how, path, NULL);
    ja_step_input(p->plan, step, "%s\n", text);
    if (old) {
        ja_step_undo_host(p, step, "write", "--mode", "0600", "--sync", path, NULL);
        ja_step_undo_input(p->plan, step, "%s", old);
    } else {
        ja_step_undo_host(p, step, "remove", path, NULL);
    }
    step->flags |= JA_STEP_PERSISTENT;
}

void ja_plan_write_json(struct ja_planning *p, const char *path, json_t *json, const char *why)
{
    write_json(p, path, json, "--sync", why);
}

void *ja_plan_read_record(struct ja_planning *p, const struct ja_noun *noun, const char *text, const char *member,
                          const char *name, bool *ret_recorded)
{
    json_t *json = NULL;
    void *object = NULL;
    int rc = text ? ja_json_read(text, NULL, &json, NULL) : JA_E_NOTFOUND;
    if (rc == 0)
        rc = ja_object_from_json(noun, member ? json_object_get(json, member) : json, true, &object, NULL);
    json_decref(json);
    if (ret_recorded)
        *ret_recorded = rc == 0;
    if (rc < 0 && rc != JA_E_NOMEM)
        object = ja_object_new(noun);
    char *own = ja_strdup(name);
    if (!object || !own) {
        free(own);
        ja_object_free(noun, object);
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        return NULL;
    }
    /* The key comes first in every structure. */
    free(*(char **)object);
    *(char **)object = own;
    return object;
}

/* An earlier step of this plan makes it. */
static bool is_planned(const struct ja_plan *plan, const char *dir)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct ja_strv *argv = &plan->steps[i]->run.argv;
        if (argv->count > 3 && strcmp(argv->items[2], "mkdir") == 0 && strcmp(argv->items[argv->count - 1], dir) == 0)
            return true;
    }
    return false;
}

static void instance_dir(struct ja_planning *p)
{
    ja_autofree char *dir = instance_path(p, "", "");
    if (dir && !ja_fact(p->facts, JA_FACT_PATH, dir) && !is_planned(p->plan, dir))
        ja_plan_mkdir(p, dir, "0700", true, "make the directory of what `adopt` needs");
}

char *ja_plan_spec_text(struct ja_planning *p, const struct ja_noun *noun, const void *object)
{
    json_t *json = ja_object_to_json(noun, object, false);
    char *text = json ? ja_json_text(json, JSON_INDENT(1)) : NULL;
    json_decref(json);
    if (!text)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return text;
}

static void keep_spec(struct ja_planning *p, const struct ja_noun *noun, const void *object, const char *name,
                      const char *how)
{
    ja_autofree char *path = ja_path_spec(p, noun, name);
    if (noun == &ja_noun_network)
        instance_dir(p);
    if (path)
        write_json(p, path, ja_object_to_json(noun, object, false), how, "keep the spec in the pool, for `adopt`");
}

void ja_plan_keep_spec(struct ja_planning *p, const struct ja_noun *noun, const void *object)
{
    keep_spec(p, noun, object, *(char *const *)object, "--sync");
}

void ja_plan_keep_spec_early(struct ja_planning *p, const struct ja_noun *noun, const void *object)
{
    keep_spec(p, noun, object, *(char *const *)object, "--flush");
}

void ja_plan_keep_spec_as(struct ja_planning *p, const struct ja_noun *noun, const void *object, const char *name)
{
    keep_spec(p, noun, object, name, "--sync");
}

/* Not there, or not what was written: of that uuid. */
static bool is_lost(struct ja_planning *p, const char *path, const char *uuid)
{
    const char *text = ja_fact(p->facts, JA_FACT_FILE, path);
    json_t *json = NULL;
    bool lost = !text || ja_json_read(text, NULL, &json, NULL) == JA_E_CORRUPT ||
                (json && !ja_str_equal(json_string_value(json_object_get(json, "uuid")), uuid));
    json_decref(json);
    return lost;
}

bool ja_plan_spec_lost(struct ja_planning *p, const struct ja_noun *noun, const void *object)
{
    ja_autofree char *path = ja_path_spec(p, noun, *(char *const *)object);
    ja_autofree char *dir =
        path && noun != &ja_noun_network ? ja_strndup(path, (size_t)(strrchr(path, '/') - path)) : NULL;
    const char *uuid = noun == &ja_noun_network ? ((const struct ja_network *)object)->uuid
                       : noun == &ja_noun_jail  ? ((const struct ja_jail *)object)->uuid
                                                : ((const struct ja_template *)object)->uuid;
    /* Without its directory there is nothing to adopt. */
    return p->storage->pool_mounted(p) && path && (!dir || ja_fact(p->facts, JA_FACT_PATH, dir)) &&
           is_lost(p, path, uuid);
}

bool ja_plan_site_lost(struct ja_planning *p)
{
    ja_autofree char *path = instance_path(p, "site", ".json");
    return p->storage->pool_mounted(p) && path && is_lost(p, path, p->site->uuid);
}

void ja_plan_drop_spec(struct ja_planning *p, const struct ja_noun *noun, const char *name)
{
    ja_autofree char *path = ja_path_spec(p, noun, name);
    if (!path)
        return;
    struct ja_step *step = ja_plan_host_step(p, "remove", "remove the spec that was kept for `adopt`");
    ja_step_run(p->plan, step, path, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

void ja_plan_keep_site(struct ja_planning *p)
{
    ja_autofree char *path = instance_path(p, "site", ".json");
    instance_dir(p);
    if (path)
        ja_plan_write_json(p, path, ja_site_to_json(p->site), "note which instance the pool belongs to");
}

void ja_plan_drop_site(struct ja_planning *p)
{
    ja_autofree char *dir = instance_path(p, "", "");
    if (!dir || !ja_fact(p->facts, JA_FACT_PATH, dir))
        return;
    struct ja_step *step = ja_plan_host_step(p, "remove-tree", "remove what `adopt` would need");
    ja_step_run(p->plan, step, dir, NULL);
}
