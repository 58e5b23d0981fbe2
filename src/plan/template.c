/*
 * template.c: the plans of templates: an empty tree, filled from its source, sealed and recorded.
 */
#include "plan/planning.h"
#include "storage/storage.h"

#include <string.h>

/* The step that fills the empty tree. */
static void fill(struct ja_planning *p, const char *path, const char *from)
{
    struct ja_step *step;
    if (strcmp(from, "busybox") == 0) {
        step = ja_plan_host_step(p, "template-busybox", "fill it with busybox");
        ja_step_run(p->plan, step, ja_plan_tool(p->plan, p->facts, "busybox"), path, NULL);
    } else if (ja_str_starts(from, "dir:")) {
        step = ja_plan_step(p->plan, "copy the directory into it");
        ja_step_run(p->plan, step, ja_plan_tool(p->plan, p->facts, "cp"), "-a", "--", NULL);
        ja_step_runf(p->plan, step, "%s/.", from + 4);
        ja_step_run(p->plan, step, path, NULL);
    } else {
        ja_plan_fail(p->plan, JA_E_INVALID, "field from", "\"%s\" is not a source", JA_SHOW(from));
        ja_plan_hint(p->plan, "busybox, or dir:PATH");
        return;
    }
    step->timeout_ms = 3600 * 1000;
}

void ja_plan_template_create(struct ja_planning *p, const struct ja_template *template, const char *version,
                             const char *uuid, const char *from)
{
    ja_autofree char *path = ja_path_template(p, template->name, version);
    if (!path)
        return;
    p->storage->template_create(p, template->name, version, uuid);
    fill(p, path, from);
    p->storage->template_seal(p, template->name, version);
    struct ja_template ready = *template; /* shallow: only for writing it as JSON */
    ready.state = JA_ROW_READY;
    ja_plan_keep_spec(p, &ja_noun_template, &ready);
    struct ja_step *step = ja_plan_store_put(p, &ja_noun_template, &ready, "record the template");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
}

void ja_plan_template_delete(struct ja_planning *p, const struct ja_template *template)
{
    for (size_t i = 0; i < template->versions.count; i++) {
        const struct ja_template_version *version = template->versions.items[i];
        p->storage->template_retire(p, template->name, version->version, version->uuid);
    }
    struct ja_step *step = ja_plan_store_delete(p, "template", template->name, "forget the template");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    for (size_t i = 0; i < template->versions.count; i++)
        p->storage->template_destroy(p, ((const struct ja_template_version *)template->versions.items[i])->uuid);
    ja_plan_drop_spec(p, &ja_noun_template, template->name);
    ja_autofree char *dir = ja_path_template(p, template->name, NULL);
    step = ja_plan_host_step(p, "rmdir", "remove the template's directory");
    ja_step_run(p->plan, step, dir ? dir : "", NULL);
    step->flags |= JA_STEP_PERSISTENT;
}
