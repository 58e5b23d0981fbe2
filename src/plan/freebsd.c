/*
 * freebsd.c: a FreeBSD system in an empty tree: base.txz of a release, fetched by the base system's fetch(1), which verifies the
 * server's certificate, and unpacked like any foreign archive; or installed by make from sources that were built here.
 */
#include "plan/planning.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

enum { HOUR_MS = 3600 * 1000 };

void ja_plan_compare_release(struct ja_planning *p, const char *version)
{
    int major, minor, own_major, own_minor;
    const char *own = ja_fact(p->facts, JA_FACT_SYSCTL, "kern.osrelease");
    if (!own || sscanf(version, "%d.%d", &major, &minor) != 2 || sscanf(own, "%d.%d", &own_major, &own_minor) != 2)
        return;
    if (major > own_major || (major == own_major && minor > own_minor))
        ja_plan_note(p->plan, "FreeBSD %s is newer than the kernel of this host, %s: its programs may not run here",
                     version, own);
}

void ja_plan_proxies(struct ja_planning *p, struct ja_step *step, const struct ja_map *env)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy"};
    bool any = false;
    for (size_t i = 0; env && i < env->count; i++)
        for (size_t n = 0; n < JA_COUNT(names); n++) {
            if (strcasecmp(env->pairs[i].key, names[n]) != 0)
                continue;
            if (!any)
                ja_step_run(p->plan, step, TOOL("env"), NULL);
            any = true;
            ja_step_runf(p->plan, step, "%s=%s", env->pairs[i].key, env->pairs[i].value);
        }
}

static void fetch(struct ja_planning *p, const struct ja_template_build *build, const char *url, const char *file,
                  const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_plan_proxies(p, step, build->env);
    ja_step_run(p->plan, step, TOOL("fetch"), "-T", "60", "-o", file, url, NULL);
    ja_step_undo_host(p, step, "remove", file, NULL);
    step->flags |= JA_STEP_PERSISTENT;
    step->timeout_ms = HOUR_MS;
}

static void remove_file(struct ja_planning *p, const char *file)
{
    struct ja_step *step = ja_plan_host_step(p, "remove", "remove what was fetched");
    ja_step_run(p->plan, step, file, NULL);
}

static void warn(struct ja_planning *p, const struct ja_freebsd_release *release)
{
    if (release->trusted)
        return;
    ja_plan_note(
        p->plan,
        release->manifest[0]
            ? "no trusted checksum of FreeBSD %s is known: the archive is compared with the MANIFEST of the "
              "same server only; --sha256, or the package freebsd-release-manifests, gives one"
            : "no trusted checksum of FreeBSD %s is known, with which its archive could be compared; --sha256, "
              "or the package freebsd-release-manifests, gives one",
        release->version);
}

void ja_plan_freebsd(struct ja_planning *p, const struct ja_template_build *build, const char *path, const char *tree)
{
    const struct ja_freebsd_release *release = build->release;
    const char *sum = build->version->checksum;
    char archive[1100], manifest[1100];
    snprintf(archive, sizeof archive, "%s.txz", path);
    snprintf(manifest, sizeof manifest, "%s.manifest", path);
    ja_plan_compare_release(p, release->version);
    warn(p, release);
    if (!release->local && release->manifest[0])
        fetch(p, build, release->manifest, manifest, "fetch the checksums of the release");
    if (!release->local)
        fetch(p, build, release->archive, archive, "fetch the base system");
    struct ja_step *step = ja_plan_host_step(p, "template-tar", "unpack the base system into it");
    if (sum)
        ja_step_run(p->plan, step, "--sha256", sum, NULL);
    else if (release->manifest[0])
        ja_step_run(p->plan, step, "--manifest", manifest, NULL);
    ja_step_run(p->plan, step, release->local ? release->archive : archive, tree, NULL);
    step->timeout_ms = HOUR_MS;
    if (!release->local)
        remove_file(p, archive);
    if (!release->local && release->manifest[0])
        remove_file(p, manifest);
}

static void make_target(struct ja_planning *p, const char *sources, const char *target, const char *tree,
                        const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    /* No file gets a flag that even root has to take away before it can change it: trees are changed and removed. */
    ja_step_run(p->plan, step, TOOL("make"), "-C", sources, target, "DB_FROM_SRC=yes", "NO_FSCHG=yes", NULL);
    ja_step_runf(p->plan, step, "DESTDIR=%s", tree);
    step->timeout_ms = 3 * HOUR_MS;
}

void ja_plan_freebsd_src(struct ja_planning *p, const char *sources, const char *tree)
{
    const char *there = ja_factf(p->facts, JA_FACT_PATH, "%s/Makefile.inc1", sources);
    if (!there || strcmp(there, "file") != 0) {
        ja_plan_fail(p->plan, JA_E_INVALID, "option --from", "%s holds no sources of FreeBSD", JA_SHOW(sources));
        ja_plan_hint(p->plan, "it is a directory such as /usr/src, in which `make buildworld` was done");
    }
    make_target(p, sources, "installworld", tree, "install what was built into it");
    make_target(p, sources, "distribution", tree, "install the files of /etc");
}
