/*
 * finding.c: the list of findings, and what is examined in the same way on all systems: the pool.
 */
#include "plan/finding.h"
#include "storage/storage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GIB ((unsigned long long)1 << 30)

const char *ja_level_name(enum ja_level level)
{
    static const char *const names[] = {[JA_LEVEL_OK] = "ok", [JA_LEVEL_WARN] = "warn", [JA_LEVEL_BAD] = "bad"};
    return names[level];
}

void ja_find(struct ja_findings *findings, enum ja_level level, const char *subject, const char *remedy,
             const char *what, ...)
{
    struct ja_finding *items = ja_realloc(findings->items, (findings->count + 1) * sizeof *items);
    if (!items) {
        findings->failed = true;
        return;
    }
    findings->items = items;
    struct ja_finding *finding = &items[findings->count++];
    *finding = (struct ja_finding){.level = level};
    snprintf(finding->subject, sizeof finding->subject, "%s", subject);
    snprintf(finding->remedy, sizeof finding->remedy, "%s", remedy ? remedy : "");
    va_list args;
    va_start(args, what);
    vsnprintf(finding->what, sizeof finding->what, what, args);
    va_end(args);
}

void ja_findings_fini(struct ja_findings *findings)
{
    free(findings->items);
    *findings = (struct ja_findings){0};
}

static bool read_space(const char *fact, unsigned long long *ret_free, unsigned long long *ret_total)
{
    return fact && sscanf(fact, "%llu %llu", ret_free, ret_total) == 2 && *ret_total > 0;
}

/* A sparse file grows as the pool fills, and finds no space when its own file system is full: that is a damaged pool. */
static void examine_backing(struct ja_planning *p, struct ja_findings *findings, unsigned long long may_grow)
{
    char dir[256];
    unsigned long long left, total;
    snprintf(dir, sizeof dir, "%s", p->site->source);
    char *slash = strrchr(dir, '/');
    if (slash && slash != dir)
        *slash = '\0';
    if (!read_space(ja_fact(p->facts, JA_FACT_SPACE, dir), &left, &total))
        return;
    if (left < may_grow && left < 2 * GIB)
        ja_find(findings, JA_LEVEL_BAD, "pool", "free some space there, or move the file to a larger file system",
                "its file %s may grow by %.1f GiB, and only %.1f GiB are free beside it", p->site->source,
                (double)may_grow / (double)GIB, (double)left / (double)GIB);
    else if (left < may_grow)
        ja_find(findings, JA_LEVEL_WARN, "pool", "keep an eye on it: a pool whose file cannot grow is damaged",
                "its file %s may grow by %.1f GiB, and %.1f GiB are free beside it", p->site->source,
                (double)may_grow / (double)GIB, (double)left / (double)GIB);
}

static void examine_space(struct ja_planning *p, struct ja_findings *findings)
{
    unsigned long long left, total;
    if (!read_space(ja_fact(p->facts, JA_FACT_SPACE, p->site->pool), &left, &total))
        return;
    unsigned percent = (unsigned)(left * 100 / total);
    enum ja_level level = percent < 2 ? JA_LEVEL_BAD : percent < 10 ? JA_LEVEL_WARN : JA_LEVEL_OK;
    ja_find(findings, level, "pool", level == JA_LEVEL_OK ? NULL : "delete jails or templates that are not needed",
            "%.1f of %.1f GiB are free (%u %%)", (double)left / (double)GIB, (double)total / (double)GIB, percent);
    if (p->site->loop)
        examine_backing(p, findings, left);
}

void ja_examine_pool(struct ja_planning *p, struct ja_findings *findings)
{
    const struct ja_site *site = p->site;
    if (site->loop && !ja_fact(p->facts, JA_FACT_PATH, site->source)) {
        ja_find(findings, JA_LEVEL_BAD, "pool", "put it back, or restore it from a copy", "its file %s is gone",
                site->source);
        return;
    }
    if (!p->storage->pool_mounted(p)) {
        ja_find(findings, JA_LEVEL_WARN, "pool", "`jailadmin boot`, or the next start of a jail, mounts it",
                "it is not mounted at %s", site->pool);
        return;
    }
    const char *errors = ja_fact(p->facts, JA_FACT_HEALTH, site->pool);
    if (errors && *errors)
        ja_find(findings, JA_LEVEL_BAD, "pool", "look at the kernel's log; replace the device or restore from a backup",
                "its devices had errors: %.*s", (int)strcspn(errors, "\n"), errors);
    examine_space(p, findings);
    if (site->idmap && site->os == JA_OS_LINUX && !ja_fact(p->facts, JA_FACT_IDMAP, site->pool))
        ja_find(findings, JA_LEVEL_BAD, "pool", "use a kernel from 5.15 on, and btrfs",
                "ids of mounts of its file system cannot be mapped: no jail starts");
}
