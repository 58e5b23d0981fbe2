/*
 * limits.c: what a jail may use, as rules of rctl(8). They are known by the jail's name, apply from the moment it is made, and
 * outlive it. Never an empty name: `rctl -r :` removes the rules of the whole host.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/*
 * Memory that is in use cannot be denied: `memoryuse:deny` makes the kernel page out what is above it, and without swap does
 * nothing at all. So who grows beyond it is killed, as on Linux; with a limit of swap it is paged out, and beyond both
 * the kernel gives no memory (swapuse counts all memory that could have to be swapped). `nthr` counts threads of all processes,
 * each of which has one.
 */
static size_t limit_rules(struct ja_planning *p, const struct ja_limits *limits, const char *name,
                          struct ja_strv *rules)
{
    const int64_t swap = limits->memory ? limits->swap : 0;
    const struct {
        const char *rule;
        int64_t amount;
    } all[] = {
        {"pcpu:deny", limits->cpu / 10}, /* thousandths of a core as percent */
        {"memoryuse:sigkill", swap ? 0 : limits->memory},
        {"memoryuse:deny", swap ? limits->memory : 0},
        {"swapuse:deny", swap ? limits->memory + swap : 0},
        {"nthr:deny", limits->processes},
        {"openfiles:deny", limits->files},
        {"readbps:throttle", limits->read_rate},
        {"writebps:throttle", limits->write_rate},
    };
    for (size_t i = 0; i < JA_COUNT(all); i++)
        if (all[i].amount > 0 &&
            ja_strv_addf(rules, "jail:%s:%s=%lld", name, all[i].rule, (long long)all[i].amount) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return rules->count;
}

static bool can_limit(struct ja_planning *p)
{
    const char *enabled = ja_fact(p->facts, JA_FACT_SYSCTL, "kern.racct.enable");
    if (enabled && strcmp(enabled, "1") == 0)
        return true;
    ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field limits", "this kernel does not count what jails use");
    ja_plan_hint(p->plan, "write kern.racct.enable=1 into /boot/loader.conf and boot again");
    return false;
}

static void subject_of(const char *name, char subject[JA_FREEBSD_JAILNAME + 8])
{
    snprintf(subject, JA_FREEBSD_JAILNAME + 8, "jail:%s", name);
}

static void say(struct ja_planning *p, struct ja_step *step, const char *option, const char *rule, bool undo)
{
    (undo ? ja_step_undo : ja_step_run)(p->plan, step, TOOL("rctl"), option, rule, NULL);
}

void ja_freebsd_limits_add(struct ja_planning *p, const struct ja_jail *jail, const char *name)
{
    ja_autostrv struct ja_strv rules = {0};
    char subject[JA_FREEBSD_JAILNAME + 8];
    if (limit_rules(p, &jail->limits, name, &rules) == 0 || !can_limit(p))
        return;
    subject_of(name, subject);
    struct ja_step *step = ja_plan_step(p->plan, "limit it");
    ja_step_run(p->plan, step, TOOL("rctl"), "-a", NULL);
    for (size_t i = 0; i < rules.count; i++)
        ja_step_run(p->plan, step, rules.items[i], NULL);
    ja_step_undo(p->plan, step, TOOL("rctl"), "-r", subject, NULL);
    ja_step_guard(p->plan, step, JA_FACT_RCTL, subject, NULL);
}

/* The rule of a list for the same resource and action; NULL: none. */
static const char *same_kind(const struct ja_strv *rules, const char *rule)
{
    size_t length = strcspn(rule, "=") + 1;
    for (size_t i = 0; i < rules->count; i++)
        if (strncmp(rules->items[i], rule, length) == 0)
            return rules->items[i];
    return NULL;
}

/* A rule that denies takes the place of the one for the same resource; others add up, and the old one must go. */
static bool replaces(const char *rule)
{
    return strstr(rule, ":deny=") != NULL;
}

static void add_one(struct ja_planning *p, const char *rule, const char *old)
{
    struct ja_step *step = ja_plan_step(p->plan, "limit it anew");
    say(p, step, "-a", rule, false);
    if (old && replaces(rule))
        say(p, step, "-a", old, true);
    else
        say(p, step, "-r", rule, true);
    ja_step_guard(p->plan, step, JA_FACT_RCTL, rule, NULL);
}

/* New ones first: it is never without. */
void ja_freebsd_limits_change(struct ja_planning *p, const struct ja_jail *from, const struct ja_jail *to,
                              const char *name)
{
    ja_autostrv struct ja_strv old = {0}, new = {0};
    limit_rules(p, &from->limits, name, &old);
    limit_rules(p, &to->limits, name, &new);
    if (ja_strv_equal(&old, &new) || !can_limit(p))
        return;
    for (size_t i = 0; i < new.count; i++)
        if (!ja_strv_has(&old, new.items[i]))
            add_one(p, new.items[i], same_kind(&old, new.items[i]));
    for (size_t i = 0; i < old.count; i++) {
        const char *rule = old.items[i], *now = same_kind(&new, rule);
        if (now && (strcmp(now, rule) == 0 || replaces(rule)))
            continue;
        struct ja_step *step = ja_plan_step(p->plan, "forget an old limit");
        say(p, step, "-r", rule, false);
        say(p, step, "-a", rule, true);
    }
}

void ja_freebsd_limits_remove(struct ja_planning *p, const char *name)
{
    char subject[JA_FREEBSD_JAILNAME + 8];
    subject_of(name, subject);
    if (!ja_fact(p->facts, JA_FACT_RCTL, subject))
        return;
    struct ja_step *step = ja_plan_step(p->plan, "forget its limits, which outlive it");
    ja_step_run(p->plan, step, TOOL("rctl"), "-r", subject, NULL);
    step->flags |= JA_STEP_IGNORE;
}

/* The numbers of a host's processors are 0 to hw.ncpu - 1. */
static void check_cpuset(struct ja_planning *p, const char *cpuset)
{
    const char *count = ja_fact(p->facts, JA_FACT_SYSCTL, "hw.ncpu");
    int highest = 0;
    for (const char *c = cpuset; *c; c += strspn(c, "-,")) {
        char *end;
        int number = (int)strtol(c, &end, 10);
        highest = number > highest ? number : highest;
        c = end;
    }
    if (!count || highest < atoi(count))
        return;
    ja_plan_fail(p->plan, JA_E_INVALID, "field limits.cpuset", "the host has no processor %d", highest);
    ja_plan_hint(p->plan, "its processors have the numbers 0 to %d", atoi(count) - 1);
}

void ja_freebsd_cpuset(struct ja_planning *p, const char *from, const char *to, const char *name, const char *tree)
{
    if (ja_str_equal(from, to))
        return;
    if (to)
        check_cpuset(p, to);
    struct ja_step *step = ja_plan_step(p->plan, to ? "keep it to some processors" : "let it run on all processors");
    ja_step_run(p->plan, step, TOOL("cpuset"), "-l", to ? to : "all", "-j", name, NULL);
    ja_step_undo(p->plan, step, TOOL("cpuset"), "-l", from ? from : "all", "-j", name, NULL);
    char mark[1024];
    snprintf(mark, sizeof mark, "%s *", tree);
    ja_step_guard(p->plan, step, JA_FACT_JAIL, name, mark);
}
