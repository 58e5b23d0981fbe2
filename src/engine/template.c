/*
 * template.c: the verbs of templates.
 */
#include "base/clock.h"
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>

struct building {
    const struct ja_template *template; /* with the new version in it */
    const char *version, *uuid, *from;
};

static void plan_build(void *work, struct ja_planning *p)
{
    const struct building *b = work;
    ja_plan_template_create(p, b->template, b->version, b->uuid, b->from);
}

/* The next version number: one more than the highest. */
static void next_version(const struct ja_template *template, char version[24])
{
    int64_t highest = 0;
    for (size_t i = 0; i < template->versions.count; i++) {
        const struct ja_template_version *old = template->versions.items[i];
        int64_t number = strtoll(old->version, NULL, 10);
        highest = number > highest ? number : highest;
    }
    snprintf(version, 24, "%lld", (long long)highest + 1);
}

static int add_version(struct ja_template *template, const char *version, char uuid[JA_UUID_TEXT], struct ja_error *err)
{
    struct ja_template_version *entry = ja_object_new(&ja_noun_template_version);
    char now[JA_TIME_TEXT];
    ja_clock_format(ja_clock_wall_ms(), now);
    if (!entry || ja_uuid_new(uuid) < 0)
        return ja_error_nomem(err);
    entry->version = ja_strdup(version);
    entry->uuid = ja_strdup(uuid);
    entry->created = ja_strdup(now);
    free(template->current);
    template->current = ja_strdup(version);
    bool failed = !entry->version || !entry->uuid || !entry->created || !template->current;
    if (ja_list_add(&ja_noun_template_version, &template->versions, entry) < 0 || failed)
        return ja_error_nomem(err);
    return 0;
}

/* The template to which the version is added: an existing one, or a new row that is `creating`. */
static int open_template(struct ja_change *change, const struct ja_template *spec, struct ja_template **ret_template,
                         struct ja_error *err)
{
    struct ja_engine *engine = change->engine;
    void *object = NULL;
    int rc = ja_engine_get(engine, &ja_noun_template, spec->name, &object, NULL, err);
    if (rc == 0) {
        struct ja_template *template = object;
        snprintf(change->uuid, sizeof change->uuid, "%s", template->uuid);
        *ret_template = template;
        return 0;
    }
    if (rc != JA_E_NOTFOUND)
        return rc;
    ja_error_clear(err);
    struct ja_template *template = ja_object_copy(&ja_noun_template, spec);
    if (!template)
        return ja_error_nomem(err);
    rc = ja_new_identity(&template->uuid, &template->created, err);
    template->state = JA_ROW_CREATING;
    if (rc == 0)
        rc = ja_engine_put(engine, &ja_noun_template, template, 0, err);
    if (rc < 0) {
        ja_object_free(&ja_noun_template, template);
        return rc;
    }
    snprintf(change->uuid, sizeof change->uuid, "%s", template->uuid);
    *ret_template = template;
    return 0;
}

int ja_engine_template_create(struct ja_engine *engine, const struct ja_template *spec, struct ja_error *err)
{
    struct ja_change change;
    struct ja_template *template = NULL;
    char version[24], uuid[JA_UUID_TEXT];
    int rc = ja_check_name(spec->name, err);
    if (rc == 0 && !spec->source)
        rc = ja_error_set(err, JA_E_INVALID, "field source", "--from is needed: busybox or dir:PATH");
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = ja_change_begin(&change, engine, "create", "template", spec->name, err);
    if (rc == 0)
        rc = open_template(&change, spec, &template, err);
    if (rc == 0) {
        next_version(template, version);
        rc = add_version(template, version, uuid, err);
    }
    if (rc == 0) {
        struct building building = {.template = template, .version = version, .uuid = uuid, .from = spec->source};
        rc = ja_change_apply(&change, plan_build, &building, err);
    }
    ja_change_end(&change);
    ja_object_free(&ja_noun_template, template);
    return rc;
}

/* ---- delete ---- */

static void plan_delete(void *work, struct ja_planning *p)
{
    ja_plan_template_delete(p, work);
}

int ja_engine_template_delete_all(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    struct ja_change change;
    void *object = NULL;
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = ja_change_begin(&change, engine, "delete", "template", name, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_template, name, &object, NULL, err);
    if (rc == 0) {
        snprintf(change.uuid, sizeof change.uuid, "%s", ((struct ja_template *)object)->uuid);
        rc = ja_change_apply(&change, plan_delete, object, err);
    }
    ja_change_end(&change);
    ja_object_free(&ja_noun_template, object);
    return rc;
}
