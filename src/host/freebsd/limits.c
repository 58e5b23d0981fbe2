/*
 * limits.c: what a jail may use, as rules of rctl(8). They are known by the jail's name, apply from the moment it is made, and
 * outlive it. Never an empty name: `rctl -r :` removes the rules of the whole host.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

static size_t limit_rules(struct ja_planning *p, const struct ja_limits *limits, const char *name,
                          struct ja_strv *rules)
{
    const struct {
        const char *resource;
        int64_t amount;
    } all[] = {
        {"pcpu", limits->cpu / 10}, /* thousandths of a core as percent */
        {"memoryuse", limits->memory},  {"swapuse", limits->memory ? limits->swap : 0},
        {"maxproc", limits->processes}, {"openfiles", limits->files},
        {"readbps", limits->read_rate}, {"writebps", limits->write_rate},
    };
    for (size_t i = 0; i < JA_COUNT(all); i++) {
        bool rate = strstr(all[i].resource, "bps") != NULL;
        if (all[i].amount > 0 && ja_strv_addf(rules, "jail:%s:%s:%s=%lld", name, all[i].resource,
                                              rate ? "throttle" : "deny", (long long)all[i].amount) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
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

static void say(struct ja_planning *p, struct ja_step *step, const char *option, const struct ja_strv *rules, bool undo)
{
    void (*words)(struct ja_plan *, struct ja_step *, ...) = undo ? ja_step_undo : ja_step_run;
    words(p->plan, step, TOOL("rctl"), option, NULL);
    for (size_t i = 0; i < rules->count; i++)
        words(p->plan, step, rules->items[i], NULL);
}

void ja_freebsd_limits_add(struct ja_planning *p, const struct ja_jail *jail, const char *name)
{
    ja_autostrv struct ja_strv rules = {0};
    char subject[JA_FREEBSD_JAILNAME + 8];
    if (limit_rules(p, &jail->limits, name, &rules) == 0 || !can_limit(p))
        return;
    subject_of(name, subject);
    struct ja_step *step = ja_plan_step(p->plan, "limit it");
    say(p, step, "-a", &rules, false);
    ja_step_undo(p->plan, step, TOOL("rctl"), "-r", subject, NULL);
    ja_step_guard(p->plan, step, JA_FACT_RCTL, subject, NULL);
}

/* New ones first: it is never without. */
void ja_freebsd_limits_change(struct ja_planning *p, const struct ja_jail *from, const struct ja_jail *to,
                              const char *name)
{
    ja_autostrv struct ja_strv old = {0}, new = {0};
    limit_rules(p, &from->limits, name, &old);
    limit_rules(p, &to->limits, name, &new);
    for (size_t i = new.count; i-- > 0;)
        if (ja_strv_has(&old, new.items[i])) {
            ja_autofree char *same = ja_strdup(new.items[i]);
            if (!same) {
                ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
                return;
            }
            ja_strv_remove(&old, same);
            ja_strv_remove(&new, same);
        }
    if ((!old.count && !new.count) || !can_limit(p))
        return;
    /* A step for each: what was cut off between two of them is undone by the rules that are there. */
    for (size_t i = 0; i < new.count; i++) {
        struct ja_step *step = ja_plan_step(p->plan, "limit it anew");
        ja_step_run(p->plan, step, TOOL("rctl"), "-a", new.items[i], NULL);
        ja_step_undo(p->plan, step, TOOL("rctl"), "-r", new.items[i], NULL);
        ja_step_guard(p->plan, step, JA_FACT_RCTL, new.items[i], NULL);
    }
    if (old.count) {
        struct ja_step *step = ja_plan_step(p->plan, "forget its old limits");
        say(p, step, "-r", &old, false);
        say(p, step, "-a", &old, true);
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
