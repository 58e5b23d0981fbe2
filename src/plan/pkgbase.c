/*
 * pkgbase.c: a FreeBSD system in an empty tree, from the packages of the base system. On the host pkg(8) only fetches them, as what the
 * repository's signature says they are. They are installed in a temporary jail, since what they are set up by, scripts for sh and for
 * Lua and triggers, would otherwise run as the host's root, and not all of it could be turned off by pkg's options.
 *
 * That jail has no network. Its tree is no template's but a stage beside it: the host's own programs, read-only, which such scripts
 * expect (an empty tree has no sh, and pkg looks up owners of files by name), and the template's tree at /mnt, for pkg -r.
 */
#include "host/host.h"
#include "plan/planning.h"
#include "plan/source.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)
#define REPOSITORY "FreeBSD-base" /* its name in /etc/pkg/FreeBSD.conf */
#define SERVER "pkg+https://pkg.FreeBSD.org"

enum { HOUR_MS = 3600 * 1000 };

struct pkgbase {
    const struct ja_template_build *build;
    struct ja_pkgbase_version version;
    const char *tree;
    char stage[1100];
    char abi[100]; /* "FreeBSD:15:amd64" */
    struct ja_subject subject;
    struct ja_jail jail;
};

/* ---- the repository ---- */

/* The directory for one release has the number of its minor version; what is not released yet is in one for the branch. */
static void add_url(const struct pkgbase *base, const char *server, struct ja_str *text)
{
    const struct ja_pkgbase_version *version = &base->version;
    size_t length = strlen(server);
    while (length && server[length - 1] == '/')
        length--;
    ja_str_addf(text, "%.*s/%s/", (int)length, server, base->abi);
    if (version->branch)
        ja_str_add(text, "base_latest");
    else
        ja_str_addf(text, "base_release_%d", version->minor);
}

/* Keys that came with this host, by which the repository is recognised whatever server sends it. */
static void check_keys(struct ja_planning *p, const struct pkgbase *base)
{
    const char *there = ja_factf(p->facts, JA_FACT_PATH, "/usr/share/keys/pkgbase-%d/trusted", base->version.major);
    if (there && strcmp(there, "dir") == 0)
        return;
    ja_plan_fail(p->plan, JA_E_UNSUPPORTED, NULL,
                 "this host has no keys for the base system of FreeBSD %d, so that nothing could be verified",
                 base->version.major);
    ja_plan_hint(p->plan,
                 "they are /usr/share/keys/pkgbase-%d of a FreeBSD %d that you trust, or share/keys of its sources",
                 base->version.major, base->version.major);
}

static void write_repository(struct ja_planning *p, const struct pkgbase *base, const char *dir, const char *text,
                             const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "mkdir", "%s", why);
    ja_step_run(p->plan, step, "--mode", "0755", NULL);
    ja_step_runf(p->plan, step, "%s/%s", base->stage, dir);
    step = ja_plan_host_step(p, "write", "%s", why);
    ja_step_run(p->plan, step, "--mode", "0644", NULL);
    ja_step_runf(p->plan, step, "%s/%s/" REPOSITORY ".conf", base->stage, dir);
    ja_step_input(p->plan, step, "%s", text);
}

static void name_repositories(struct ja_planning *p, const struct pkgbase *base)
{
    const char *mirror = base->build->mirror;
    ja_autostr struct ja_str text = {0};
    ja_str_add(&text, REPOSITORY ": {\n  url: \"");
    if (mirror && mirror[0] == '/')
        ja_str_addf(&text, "file://%s", mirror);
    else
        add_url(base, mirror ? mirror : SERVER, &text);
    ja_str_addf(&text, "\",\n  mirror_type: \"%s\",\n", mirror ? "none" : "srv");
    if (mirror && mirror[0] == '/') {
        ja_str_add(&text, "  signature_type: \"none\",\n");
        ja_plan_note(p->plan, "packages of a directory of this host are not compared with a signature");
    } else {
        check_keys(p, base);
        ja_str_addf(&text, "  signature_type: \"fingerprints\",\n  fingerprints: \"/usr/share/keys/pkgbase-%d\",\n",
                    base->version.major);
    }
    ja_str_add(&text, "  enabled: yes\n}\n");
    if (text.failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    write_repository(p, base, "fetch", text.text ? text.text : "", "say where the packages come from");
    write_repository(p, base, "install",
                     REPOSITORY ": {\n  url: \"file:///packages\",\n  mirror_type: \"none\",\n"
                                "  signature_type: \"none\",\n  enabled: yes\n}\n",
                     "say where they are in the jail");
}

/* ---- packages ---- */

/* What pkg must be told, which would else look at the system that it runs on. `from`: the directory that names the repository. */
static void pkg_words(struct ja_planning *p, const struct pkgbase *base, struct ja_step *step, const char *from)
{
    ja_step_run(p->plan, step, "-R", from, "-o", NULL);
    ja_step_runf(p->plan, step, "ABI=%s", base->abi);
    ja_step_run(p->plan, step, "-o", NULL);
    ja_step_runf(p->plan, step, "OSVERSION=%d", base->version.major * 100000 + base->version.minor * 1000);
    ja_step_run(p->plan, step, "-o", "IGNORE_OSVERSION=yes", NULL);
}

static void fetch(struct ja_planning *p, const struct pkgbase *base)
{
    char path[1200];
    struct ja_step *step = ja_plan_step(p->plan, "fetch the packages of the base system, signatures verified");
    ja_plan_proxies(p, step, base->build->env);
    ja_step_run(p->plan, step, TOOL("pkg-static"), NULL);
    snprintf(path, sizeof path, "%s/fetch", base->stage);
    pkg_words(p, base, step, path);
    /* Nothing of the host's own packages is looked at or changed. */
    ja_step_run(p->plan, step, "-o", NULL);
    ja_step_runf(p->plan, step, "PKG_DBDIR=%s/db", base->stage);
    ja_step_run(p->plan, step, "-o", NULL);
    ja_step_runf(p->plan, step, "PKG_CACHEDIR=%s/cache", base->stage);
    ja_step_run(p->plan, step, "fetch", "-y", "-d", "-r", REPOSITORY, "-o", NULL);
    ja_step_runf(p->plan, step, "%s/packages", base->stage);
    ja_step_runf(p->plan, step, "FreeBSD-set-%s", base->version.set);
    step->timeout_ms = HOUR_MS;
}

static struct ja_step *in_jail(struct ja_planning *p, struct pkgbase *base, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    p->host->jail_exec(p, step, &base->jail);
    step->timeout_ms = HOUR_MS;
    return step;
}

/*
 * Jails may not change flags of files, and nothing here relies on them. The template's own pkg is told that there is a repository
 * for its base system, unless the packages came from elsewhere ($1).
 */
static const char finish_script[] =
    "set -e\n"
    "chflags -R noschg,nosunlnk /mnt\n"
    "rm -rf /mnt/var/db/pkg/repos /mnt/var/cache/pkg\n"
    "if [ -z \"$1\" ]; then\n"
    "    mkdir -p /mnt/usr/local/etc/pkg/repos\n"
    "    echo '" REPOSITORY ": { enabled: yes }' >/mnt/usr/local/etc/pkg/repos/" REPOSITORY ".conf\n"
    "fi\n";

static void install(struct ja_planning *p, struct pkgbase *base)
{
    struct ja_step *step = in_jail(p, base, "list the packages");
    ja_step_run(p->plan, step, "/etc/pkg-static", NULL);
    pkg_words(p, base, step, "/install");
    ja_step_run(p->plan, step, "repo", "/packages", NULL);
    step = in_jail(p, base, "install them into the tree, with the jail's root as theirs");
    ja_step_run(p->plan, step, "/etc/pkg-static", "-r", "/mnt", NULL);
    pkg_words(p, base, step, "/install");
    ja_step_run(p->plan, step, "install", "-y", "-r", REPOSITORY, NULL);
    ja_step_runf(p->plan, step, "FreeBSD-set-%s", base->version.set);
    step = in_jail(p, base, "let its files be changed, and take away what was only for the installation");
    ja_step_run(p->plan, step, "/bin/sh", "-c", finish_script, "sh", base->build->mirror ? "mirror" : "", NULL);
}

/* ---- the jail ---- */

static void make_stage(struct ja_planning *p, const struct pkgbase *base)
{
    struct ja_step *step = ja_plan_host_step(p, "mkdir", "make a place to install from");
    ja_step_run(p->plan, step, "--mode", "0755", base->stage, NULL);
    ja_step_undo_host(p, step, "remove-tree", base->stage, NULL);
    ja_step_guard(p->plan, step, JA_FACT_PATH, base->stage, "dir");
    step->flags |= JA_STEP_PERSISTENT;
    step = ja_plan_host_step(p, "mkdir", "make a place to install from");
    ja_step_run(p->plan, step, "--mode", "0755", NULL);
    ja_step_runf(p->plan, step, "%s/etc", base->stage);
}

/* pkg itself, which needs no libraries, and the names of users and groups, but no password. */
static void copy_programs(struct ja_planning *p, const struct pkgbase *base)
{
    struct ja_step *step = ja_plan_step(p->plan, "copy pkg, and the names of users and groups");
    ja_step_run(p->plan, step, TOOL("cp"), TOOL("pkg-static"), "/etc/pwd.db", "/etc/group", NULL);
    ja_step_runf(p->plan, step, "%s/etc", base->stage);
}

static void in_stage(struct ja_planning *p, struct pkgbase *base, const struct ja_subject *builder)
{
    static const char *const shared[] = {"/bin",      "/sbin",    "/lib",         "/libexec",  "/usr/bin",
                                         "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/share"};
    struct ja_mount mounts[JA_COUNT(shared) + 1];
    void *items[JA_COUNT(mounts)];
    char mnt[] = "/mnt", chflags[] = "chflags";
    char *allow[] = {chflags};
    for (size_t i = 0; i < JA_COUNT(mounts); i++) {
        bool host = i < JA_COUNT(shared);
        mounts[i] = (struct ja_mount){.target = (char *)(uintptr_t)(host ? shared[i] : mnt),
                                      .type = JA_MOUNT_BIND,
                                      .source = (char *)(uintptr_t)(host ? shared[i] : base->tree),
                                      .readonly = host};
        items[i] = &mounts[i];
    }
    base->jail = *builder->jail; /* shallow, nothing is owned */
    base->jail.vnet = JA_VNET_SHARED;
    base->jail.nics = (struct ja_list){0};
    base->jail.mounts = (struct ja_list){.items = items, .count = JA_COUNT(items)};
    base->jail.allow = (struct ja_strv){.items = allow, .count = 1};
    base->subject = *builder;
    base->subject.jail = &base->jail;
    p->build = &base->jail;
    p->build_tree = base->stage;
    p->host->jail_start(p, &base->subject);
    install(p, base);
    p->host->jail_stop(p, &base->subject, true);
    p->build = NULL;
    p->build_tree = NULL;
}

void ja_plan_pkgbase(struct ja_planning *p, const struct ja_template_build *build, const char *rest, const char *tree)
{
    struct pkgbase base = {.build = build, .tree = tree};
    const char *arch = ja_fact(p->facts, JA_FACT_SYSCTL, "hw.machine_arch");
    ja_source_pkgbase(rest, &base.version);
    snprintf(base.stage, sizeof base.stage, "%s.stage", tree);
    snprintf(base.abi, sizeof base.abi, "FreeBSD:%d:%s", base.version.major, arch ? arch : "");
    ja_plan_compare_release(p, rest);
    make_stage(p, &base);
    name_repositories(p, &base);
    fetch(p, &base);
    copy_programs(p, &base);
    in_stage(p, &base, build->builder);
    struct ja_step *step = ja_plan_host_step(p, "remove-tree", "remove what it was installed from");
    ja_step_run(p->plan, step, base.stage, NULL);
}
