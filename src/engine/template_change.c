/*
 * template_change.c: templates that exist: their versions and names.
 */
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>

/* ---- delete ---- */

static void plan_delete(void *work, struct ja_planning *p)
{
    ja_plan_template_delete(p, work);
}

/* A change of a template with the template loaded, which is the caller's. */
static int begin(struct ja_change *change, struct ja_engine *engine, const char *verb, const char *name,
                 struct ja_template **ret_template, struct ja_error *err)
{
    void *object = NULL;
    int rc = ja_change_begin(change, engine, verb, "template", name, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_template, name, &object, NULL, err);
    if (rc == 0) {
        *ret_template = object;
        snprintf(change->uuid, sizeof change->uuid, "%s", (*ret_template)->uuid);
    }
    return rc;
}

int ja_engine_template_delete_all(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    struct ja_change change;
    struct ja_template *template = NULL;
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = begin(&change, engine, "delete", name, &template, err);
    if (rc == 0)
        rc = ja_change_apply(&change, plan_delete, template, err);
    ja_change_end(&change);
    ja_object_free(&ja_noun_template, template);
    return rc;
}

struct shortening {
    struct ja_template *left;
    struct ja_template_version *gone; /* owned */
};

static void plan_delete_version(void *work, struct ja_planning *p)
{
    const struct shortening *shortening = work;
    ja_plan_template_delete_version(p, shortening->left, shortening->gone);
}

/* The highest of the versions that are left. */
static int choose_current(struct ja_template *template, struct ja_error *err)
{
    const struct ja_template_version *best = NULL;
    for (size_t i = 0; i < template->versions.count; i++) {
        const struct ja_template_version *version = template->versions.items[i];
        if (!best || strtoll(version->version, NULL, 10) > strtoll(best->version, NULL, 10))
            best = version;
    }
    ja_autofree char *current = best ? ja_strdup(best->version) : NULL;
    ja_autofree char *source = best && best->source ? ja_strdup(best->source) : NULL;
    if (!current || (best->source && !source))
        return ja_error_nomem(err);
    free(template->current);
    template->current = current;
    current = NULL;
    if (source) {
        free(template->source);
        template->source = source;
        source = NULL;
    }
    return 0;
}

/* Takes a version out of a template that has others. */
static int take_version(struct ja_template *template, const char *version, struct shortening *ret_shortening,
                        struct ja_error *err)
{
    const void *entry = ja_list_get(&template->versions, version);
    struct ja_template_version *copy = ja_object_copy(&ja_noun_template_version, entry);
    if (!copy)
        return ja_error_nomem(err);
    ja_list_remove(&ja_noun_template_version, &template->versions, version);
    *ret_shortening = (struct shortening){.left = template, .gone = copy};
    return choose_current(template, err);
}

int ja_engine_template_delete_version(struct ja_engine *engine, const char *name, const char *version,
                                      struct ja_error *err)
{
    struct ja_change change;
    struct ja_template *template = NULL;
    struct shortening shortening = {0};
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = begin(&change, engine, "delete", name, &template, err);
    if (rc == 0 && !ja_list_get(&template->versions, version)) {
        rc = ja_error_set(err, JA_E_NOTFOUND, JA_LABEL("template", name), "it has no version \"%s\"", JA_SHOW(version));
        ja_error_hint(err, "`jailadmin template list %s` shows the versions it has", name);
    } else if (rc == 0 && template->versions.count == 1) {
        rc = ja_change_apply(&change, plan_delete, template, err);
    } else if (rc == 0) {
        rc = take_version(template, version, &shortening, err);
        if (rc == 0)
            rc = ja_change_apply(&change, plan_delete_version, &shortening, err);
    }
    ja_change_end(&change);
    ja_object_free(&ja_noun_template_version, shortening.gone);
    ja_object_free(&ja_noun_template, template);
    return rc;
}

/* ---- rename ---- */

struct renaming {
    const struct ja_template *template;
    const char *to;
};

static void plan_rename(void *work, struct ja_planning *p)
{
    const struct renaming *renaming = work;
    ja_plan_template_rename(p, renaming->template, renaming->to);
}

int ja_engine_template_rename(struct ja_engine *engine, const char *name, const char *to, struct ja_error *err)
{
    struct ja_change change;
    void *object = NULL;
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_check_name(to, err);
    if (rc == 0 && strcmp(name, to) == 0)
        rc = ja_error_set(err, JA_E_INVALID, JA_LABEL("template", name), "that is its name already");
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc < 0)
        return rc;
    rc = ja_change_begin_two(&change, engine, "rename", "template", name, to, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_template, name, &object, NULL, err);
    if (rc == 0)
        rc = ja_check_free(engine, "template", to, err);
    if (rc == 0) {
        struct renaming renaming = {.template = object, .to = to};
        snprintf(change.uuid, sizeof change.uuid, "%s", renaming.template->uuid);
        rc = ja_change_apply(&change, plan_rename, &renaming, err);
    }
    ja_change_end(&change);
    ja_object_free(&ja_noun_template, object);
    return rc;
}
