/*
 * left.c: what carries the instance's tag and belongs to nobody: a process that died took its plan's memory along, or somebody
 * removed a row or a file by hand. Found by names, removed by marks.
 */
#include "host/freebsd/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct left {
    struct ja_planning *p;
    const struct ja_strv *slots, *bridges;
};

/* The slot at the beginning of a name belongs to a jail of the store, or to one that runs unknown to it. */
static bool is_used(struct left *left, const char *text)
{
    char slot[24];
    snprintf(slot, sizeof slot, "%lld", strtoll(text, NULL, 10));
    return ja_strv_has(left->slots, slot) ||
           ja_factf(left->p->facts, JA_FACT_PROCESS, "%s/jails/%s/pid", left->p->site->run, slot);
}

static bool begins_with_number(const char *text)
{
    return text[0] >= '0' && text[0] <= '9';
}

/* "ja7fbr2", "ja7f3n0", "ja7fv2m0": of a network, of a jail, of a network's VLAN. */
static bool belongs_to_nobody(struct left *left, const char *name)
{
    const char *rest = name + strlen("ja") + strlen(left->p->site->tag);
    char network[24];
    if (ja_str_starts(rest, "br") && begins_with_number(rest + 2))
        return !ja_strv_has(left->bridges, rest + 2);
    if (rest[0] == 'v' && begins_with_number(rest + 1)) {
        snprintf(network, sizeof network, "%lld", strtoll(rest + 1, NULL, 10));
        return !ja_strv_has(left->bridges, network);
    }
    return begins_with_number(rest) && !is_used(left, rest);
}

static void old_link(void *context, const char *name)
{
    struct left *left = context;
    struct ja_planning *p = left->p;
    char mark[128];
    if (!belongs_to_nobody(left, name))
        return;
    ja_site_mark(p->site, "*", mark);
    struct ja_step *step =
        ja_plan_host_step(p, "link-remove", "remove the interface %s, which belongs to nobody", name);
    ja_step_run(p->plan, step, name, mark, NULL);
}

/* "ja7fbr2", "ja7f3": what pf does for a network, and the forwards of a jail. */
static void old_anchor(void *context, const char *name)
{
    struct left *left = context;
    const char *tag = left->p->site->tag;
    if (ja_str_starts(name, "ja") && ja_str_starts(name + strlen("ja"), tag) && belongs_to_nobody(left, name))
        ja_freebsd_pf_flush(left->p, name, "remove translations of pf that belong to nobody");
}

static void old_directory(void *context, const char *name)
{
    struct left *left = context;
    struct ja_planning *p = left->p;
    if (!begins_with_number(name) || is_used(left, name))
        return;
    struct ja_step *step =
        ja_plan_host_step(p, "remove-tree", "remove the runtime directory %s, which belongs to no jail", name);
    ja_step_runf(p->plan, step, "%s/jails/%s", p->site->run, name);
}

/* Facts move while others are asked: their text is copied. */
static void each_name(struct left *left, const char *names, void (*each)(void *context, const char *name))
{
    ja_autofree char *copy = ja_strdup(names ? names : "");
    if (copy)
        ja_each_line(copy, each, left);
    else
        ja_plan_fail(left->p->plan, JA_E_NOMEM, NULL, "out of memory");
}

void ja_freebsd_leftovers(struct ja_planning *p, const struct ja_strv *slots, const struct ja_strv *bridges,
                          JA_UNUSED const struct ja_strv *names)
{
    struct left left = {p, slots, bridges};
    each_name(&left, ja_factf(p->facts, JA_FACT_LINKS, "ja%s", p->site->tag), old_link);
    each_name(&left, ja_fact(p->facts, JA_FACT_PF, "anchors"), old_anchor);
    each_name(&left, ja_factf(p->facts, JA_FACT_DIRECTORY, "%s/jails", p->site->run), old_directory);
    ja_freebsd_nat_remove_unused(p);
}
