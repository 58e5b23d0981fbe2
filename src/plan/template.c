/*
 * template.c: the plans of templates: an empty tree, filled from its source, sealed and recorded; versions and names of those
 * that exist.
 */
#include "plan/planning.h"
#include "plan/source.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

#define FILL_TIMEOUT_MS (3600 * 1000)

static void unpack(struct ja_planning *p, const char *archive, const char *sum, const char *path)
{
    struct ja_step *step = ja_plan_host_step(p, "template-tar", "unpack the archive into it");
    if (sum)
        ja_step_run(p->plan, step, "--sha256", sum, NULL);
    ja_step_run(p->plan, step, archive, path, NULL);
    step->timeout_ms = FILL_TIMEOUT_MS;
}

/* cp(1) of FreeBSD makes a file of each hard link: /rescue alone, which is one file of many names, would take gigabytes. */
static void copy_by_tar(struct ja_planning *p, const char *from, const char *path)
{
    char archive[1100];
    snprintf(archive, sizeof archive, "%s.tar", path);
    struct ja_step *step = ja_plan_step(p->plan, "pack the directory, hard links as what they are");
    ja_step_run(p->plan, step, ja_plan_tool(p->plan, p->facts, "tar"), "--one-file-system", "-c", "-f", archive, "-C",
                from, ".", NULL);
    ja_step_undo_host(p, step, "remove", archive, NULL);
    step->flags |= JA_STEP_PERSISTENT;
    step->timeout_ms = FILL_TIMEOUT_MS;
    unpack(p, archive, NULL, path);
    step = ja_plan_host_step(p, "remove", "remove the archive");
    ja_step_run(p->plan, step, archive, NULL);
}

static void copy(struct ja_planning *p, const char *from, const char *path)
{
    const char *there = ja_fact(p->facts, JA_FACT_PATH, from);
    if (there && strcmp(there, "link") == 0)
        there = ja_factf(p->facts, JA_FACT_PATH, "%s/.", from);
    if (!there || strcmp(there, "dir") != 0)
        ja_plan_fail(p->plan, JA_E_INVALID, "option --from", "%s is not a directory", JA_SHOW(from));
    /* What is mounted below it, /proc of a whole system for example, is not part of it. */
    if (p->site->os == JA_OS_FREEBSD) {
        copy_by_tar(p, from, path);
        return;
    }
    struct ja_step *step = ja_plan_step(p->plan, "copy the directory into it");
    ja_step_run(p->plan, step, ja_plan_tool(p->plan, p->facts, "cp"), "-a", "-x", "--", NULL);
    ja_step_runf(p->plan, step, "%s/.", from);
    ja_step_run(p->plan, step, path, NULL);
    step->timeout_ms = FILL_TIMEOUT_MS;
}

static void from_jail(struct ja_planning *p, const struct ja_template_build *build)
{
    struct ja_list list = {0};
    const struct ja_template_version *version = build->version;
    const struct ja_snapshot *taken =
        build->snapshot ? ja_plan_find_snapshot(p, build->jail, build->snapshot, &list) : NULL;
    if (taken && !taken->be)
        ja_plan_fail(p->plan, JA_E_NOTFOUND, "option --from", "the snapshot %s of %s holds volumes only",
                     build->snapshot, build->jail->name);
    else if (taken || !build->snapshot)
        p->storage->template_from_jail(p, build->jail, taken, build->template->name, version->version, version->uuid);
    ja_list_fini(&ja_noun_snapshot, &list);
}

/* The tree, filled from its source. */
static void fill(struct ja_planning *p, const struct ja_template_build *build, const char *path)
{
    const struct ja_template_version *version = build->version;
    enum ja_source source;
    const char *rest;
    struct ja_error err = JA_ERROR_INIT;
    if (ja_source_parse(build->from, &source, &rest, &err) < 0) {
        ja_plan_fail(p->plan, err.code, err.object, "%s", err.what);
        return;
    }
    if (!ja_source_for(source, p->site->os)) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "option --from", "%s is not for jails of %s", JA_SHOW(build->from),
                     p->site->os == JA_OS_FREEBSD ? "FreeBSD" : "Linux");
        return;
    }
    if (source == JA_SOURCE_JAIL) {
        from_jail(p, build);
        return;
    }
    p->storage->template_create(p, build->template->name, version->version, version->uuid);
    if (source == JA_SOURCE_BUSYBOX) {
        struct ja_step *step = ja_plan_host_step(p, "template-busybox", "fill it with busybox");
        ja_step_run(p->plan, step, ja_plan_tool(p->plan, p->facts, "busybox"), path, NULL);
    } else if (source == JA_SOURCE_DIR) {
        copy(p, rest, path);
    } else if (source == JA_SOURCE_TAR) {
        unpack(p, rest, version->checksum, path);
    } else if (source == JA_SOURCE_FREEBSD) {
        ja_plan_freebsd(p, build, path, path);
    } else if (source == JA_SOURCE_SRC) {
        ja_plan_freebsd_src(p, rest, path);
    } else if (source == JA_SOURCE_PKGBASE) {
        ja_plan_pkgbase(p, build, rest, path);
    } else {
        ja_plan_debian(p, rest, build->mirror, path);
    }
}

void ja_plan_template_create(struct ja_planning *p, const struct ja_template_build *build)
{
    const struct ja_template *template = build->template;
    const char *version = build->version->version;
    ja_autofree char *path = ja_path_template(p, template->name, version);
    if (!path)
        return;
    fill(p, build, path);
    if (build->builder && (build->packages->count || build->command_count))
        ja_plan_template_build(p, build, path);
    /* busybox's tree, as it is made here, has nothing of that kind. */
    if (build->builder || strcmp(build->from, "busybox") != 0) {
        struct ja_step *step = ja_plan_host_step(p, "template-clean", "take out what must be one jail's own");
        ja_step_run(p->plan, step, path, NULL);
    }
    p->storage->template_seal(p, template->name, version, build->version->uuid);
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
    if (p->storage->template_forget)
        p->storage->template_forget(p, template->name);
    ja_plan_drop_spec(p, &ja_noun_template, template->name);
    ja_autofree char *dir = ja_path_template(p, template->name, NULL);
    step = ja_plan_host_step(p, "rmdir", "remove the template's directory");
    ja_step_run(p->plan, step, dir ? dir : "", NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

void ja_plan_template_delete_version(struct ja_planning *p, const struct ja_template *left,
                                     const struct ja_template_version *version)
{
    p->storage->template_retire(p, left->name, version->version, version->uuid);
    ja_plan_keep_spec(p, &ja_noun_template, left);
    struct ja_step *step = ja_plan_store_put(p, &ja_noun_template, left, "forget the version");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    p->storage->template_destroy(p, version->uuid);
}

void ja_plan_template_rename(struct ja_planning *p, const struct ja_template *template, const char *to)
{
    struct ja_template renamed = *template; /* shallow: only for writing it as JSON */
    renamed.name = (char *)to;
    ja_plan_keep_spec_as(p, &ja_noun_template, &renamed, template->name);
    p->storage->template_rename(p, template, to);
    struct ja_step *step = ja_plan_host_step(p, "store-rename", "record its new name");
    ja_step_run(p->plan, step, "--state", p->site->state, "template", template->name, to, NULL);
    step->flags |= JA_STEP_STORE | JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    if (p->storage->template_renamed)
        p->storage->template_renamed(p, template);
}
