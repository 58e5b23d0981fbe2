/*
 * debian.c: a Debian system in an empty tree, by mmdebstrap, or by debootstrap where only that is installed. The packages come
 * from where the host's own apt gets them, through its proxy, and their signatures are verified with Debian's keyring.
 */
#include "plan/planning.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)
#define KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"

/* One line of the fact: "source URI RELEASE COMPONENT". */
struct source {
    char uri[512], release[128], component[64];
};

static bool read_source(const char *line, struct source *ret_source)
{
    return sscanf(line, "source %511s %127s %63s", ret_source->uri, ret_source->release, ret_source->component) == 3;
}

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

/* Releases that belong to a suite: itself, its updates and its security fixes. */
static bool belongs(const char *release, const char *suite)
{
    static const char *const parts[] = {"", "-updates", "-security", "/updates"};
    size_t length = strlen(suite);
    for (size_t i = 0; i < JA_COUNT(parts); i++)
        if (strncmp(release, suite, length) == 0 && strcmp(release + length, parts[i]) == 0)
            return true;
    return false;
}

/* "http://somewhere/debian/", with or without the slash: an archive of Debian itself. */
static bool is_debian(const char *uri)
{
    size_t length = strlen(uri);
    while (length && uri[length - 1] == '/')
        length--;
    return length > 7 && strncmp(uri + length - 7, "/debian", 7) == 0;
}

static void add_source(struct ja_planning *p, struct ja_strv *lines, const struct source *source)
{
    if (ja_strv_addf(lines, "deb [signed-by=%s] %s %s %s", KEYRING, source->uri, source->release, source->component) <
        0)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

/* What the host has of this suite; else the suite from the first archive of Debian that it has. `archive` is where the suite
 * itself is. False: nothing. */
static bool add_host_sources(struct ja_planning *p, struct ja_strv *lines, const char *apt, const char *suite,
                             char archive[512])
{
    struct source source, other = {.uri = ""};
    for (const char *line = apt; *line; line = next_line(line)) {
        if (!read_source(line, &source))
            continue;
        if (belongs(source.release, suite)) {
            add_source(p, lines, &source);
            if (strcmp(source.release, suite) == 0 && !archive[0])
                snprintf(archive, 512, "%s", source.uri);
        } else if (!other.uri[0] && is_debian(source.uri)) {
            other = source;
        }
    }
    if (archive[0] || !other.uri[0])
        return archive[0];
    snprintf(other.release, sizeof other.release, "%s", suite);
    snprintf(other.component, sizeof other.component, "main");
    snprintf(archive, 512, "%s", other.uri);
    add_source(p, lines, &other);
    return true;
}

void ja_debian_proxy(const char *apt, char proxy[512])
{
    proxy[0] = '\0';
    for (const char *line = apt; *line; line = next_line(line))
        if (sscanf(line, "Acquire::http::Proxy %511s", proxy) == 1)
            break;
    if (strcmp(proxy, "DIRECT") == 0 || strcmp(proxy, "false") == 0)
        proxy[0] = '\0';
}

/* All sources of the new system. False, with the plan failed, when there is none. */
static bool find_sources(struct ja_planning *p, struct ja_strv *lines, const char *apt, const char *suite,
                         const char *mirror, char archive[512])
{
    struct source source;
    archive[0] = '\0';
    if (!mirror && add_host_sources(p, lines, apt, suite, archive))
        return true;
    if (!mirror) {
        ja_plan_fail(p->plan, JA_E_INVALID, "option --mirror",
                     "this host's apt knows no archive of Debian, so one must be named");
        ja_plan_hint(p->plan, "--mirror URL, the address of a Debian mirror");
        return false;
    }
    snprintf(source.uri, sizeof source.uri, "%s", mirror);
    snprintf(source.release, sizeof source.release, "%s", suite);
    snprintf(source.component, sizeof source.component, "main");
    snprintf(archive, 512, "%s", mirror);
    add_source(p, lines, &source);
    return true;
}

static void add_proxy(struct ja_planning *p, struct ja_step *step, const char *apt)
{
    char proxy[512];
    ja_debian_proxy(apt, proxy);
    if (!proxy[0])
        return;
    ja_step_run(p->plan, step, TOOL("env"), NULL);
    ja_step_runf(p->plan, step, "http_proxy=%s", proxy);
}

/* debootstrap knows one source; the others are for what is installed later. */
static void by_debootstrap(struct ja_planning *p, struct ja_step *step, const char *suite, const char *tree,
                           const char *archive, const struct ja_strv *lines)
{
    ja_step_run(p->plan, step, TOOL("debootstrap"), "--variant=minbase", "--keyring=" KEYRING, suite, tree, archive,
                NULL);
    step = ja_plan_host_step(p, "write", "name its sources of packages");
    ja_step_run(p->plan, step, "--root", tree, "--mode", "0644", "etc/apt/sources.list", NULL);
    for (size_t i = 0; i < lines->count; i++)
        ja_step_input(p->plan, step, "%s\n", lines->items[i]);
}

void ja_plan_debian(struct ja_planning *p, const char *suite, const char *mirror, const char *tree)
{
    const char *apt = ja_fact(p->facts, JA_FACT_APT, "");
    ja_autostrv struct ja_strv lines = {0};
    char archive[512];
    if (!ja_fact(p->facts, JA_FACT_PATH, KEYRING)) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, NULL,
                     "Debian's keys are not on this host, so that nothing could be verified");
        ja_plan_hint(p->plan, "install the package debian-archive-keyring");
    }
    struct ja_step *step = ja_plan_host_step(p, "contain", "fill it with Debian %s, signatures verified", suite);
    bool old = !ja_fact(p->facts, JA_FACT_TOOL, "mmdebstrap") && ja_fact(p->facts, JA_FACT_TOOL, "debootstrap");
    /* debootstrap wants to make device nodes, which the pool does not allow; mmdebstrap borrows the host's. */
    if (old)
        ja_step_run(p->plan, step, "--tree", tree, NULL);
    ja_step_run(p->plan, step, "--", NULL);
    add_proxy(p, step, apt ? apt : "");
    step->timeout_ms = 3600 * 1000;
    if (!find_sources(p, &lines, apt ? apt : "", suite, mirror, archive))
        return;
    if (old) {
        by_debootstrap(p, step, suite, tree, archive, &lines);
        return;
    }
    ja_step_run(p->plan, step, TOOL("mmdebstrap"), "--mode=root", "--variant=minbase", "--format=directory", suite,
                tree, NULL);
    for (size_t i = 0; i < lines.count; i++)
        ja_step_run(p->plan, step, lines.items[i], NULL);
}
