/*
 * left.c: what carries the instance's tag and belongs to nobody: a process that died took its plan's memory along, or somebody
 * removed a row or a file by hand. Found by names, removed by marks.
 */
#include "host/linux/linux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct left {
    struct ja_planning *p;
    const struct ja_strv *slots, *bridges, *names;
};

/* Calls `each` for every name in a directory that begins with the prefix, with what follows that. */
static void each_name(struct left *left, const char *directory, const char *prefix,
                      void (*each)(struct left *left, const char *directory, const char *name, const char *rest))
{
    const char *names = ja_fact(left->p->facts, JA_FACT_DIRECTORY, directory);
    ja_autofree char *copy = ja_strdup(names ? names : ""); /* facts move while others are asked */
    if (!copy) {
        ja_plan_fail(left->p->plan, JA_E_NOMEM, NULL, "out of memory");
        return;
    }
    char *rest = copy;
    for (char *name; (name = strsep(&rest, "\n")) != NULL;)
        if (*name && ja_str_starts(name, prefix))
            each(left, directory, name, name + strlen(prefix));
}

/* The slot at the beginning of a name belongs to a jail of the store, or to one that runs unknown to it. */
static bool is_used(struct left *left, const char *text)
{
    char slot[24];
    snprintf(slot, sizeof slot, "%lld", strtoll(text, NULL, 10));
    return ja_strv_has(left->slots, slot) ||
           ja_factf(left->p->facts, JA_FACT_PROCESS, "%s/jails/%s/pid", left->p->site->run, slot);
}

static void old_link(struct left *left, const char *directory, const char *name, const char *rest)
{
    struct ja_planning *p = left->p;
    char mark[128];
    (void)directory;
    bool bridge = ja_str_starts(rest, "br");
    if (bridge ? ja_strv_has(left->bridges, rest + 2) : rest[0] < '0' || rest[0] > '9' || is_used(left, rest))
        return;
    ja_site_mark(p->site, "*", mark);
    struct ja_step *step =
        ja_plan_host_step(p, "link-remove", "remove the interface %s, which belongs to nobody", name);
    ja_step_run(p->plan, step, name, mark, NULL);
}

static void old_name(struct left *left, const char *directory, const char *name, const char *rest)
{
    struct ja_planning *p = left->p;
    (void)directory;
    if (ja_strv_has(left->names, rest))
        return;
    /* A jail that runs unknown to the store keeps its name: it is a link to its init. */
    if (ja_fact(p->facts, JA_FACT_NETNS, name))
        return;
    struct ja_step *step = ja_plan_host_step(p, "netns-unlink", "forget the name %s of a namespace that is gone", name);
    ja_step_run(p->plan, step, name, NULL);
}

static void old_cgroup(struct left *left, const char *directory, const char *name, const char *rest)
{
    struct ja_planning *p = left->p;
    (void)directory;
    if (rest[0] < '0' || rest[0] > '9' || is_used(left, rest))
        return;
    /* One with processes in it is somebody's after all: it stays, with a warning. */
    struct ja_step *step =
        ja_plan_host_step(p, "cgroup-remove", "remove the cgroup %s, which belongs to no jail", name);
    ja_step_runf(p->plan, step, "/jailadmin-%s/%s", p->site->tag, name);
    step->flags |= JA_STEP_IGNORE;
    step = ja_plan_host_step(p, "remove-tree", "forget the container %s", name);
    ja_step_runf(p->plan, step, "%s/crun/%s", p->site->run, name);
}

static void old_directory(struct left *left, const char *directory, const char *name, const char *rest)
{
    struct ja_planning *p = left->p;
    if (rest[0] < '0' || rest[0] > '9' || is_used(left, rest))
        return;
    struct ja_step *step = ja_plan_host_step(p, "ns-release", "let go of namespaces that belong to no jail");
    ja_step_runf(p->plan, step, "%s/%s/ns", directory, name);
    step = ja_plan_host_step(p, "remove-tree", "remove the runtime directory %s, which belongs to no jail", name);
    ja_step_runf(p->plan, step, "%s/%s", directory, name);
}

void ja_linux_leftovers(struct ja_planning *p, const struct ja_strv *slots, const struct ja_strv *bridges,
                        const struct ja_strv *names)
{
    static const char *const hierarchies[] = {"", "pids/", "unified/"};
    struct left left = {p, slots, bridges, names};
    char prefix[32], directory[320];
    snprintf(prefix, sizeof prefix, "ja%s", p->site->tag);
    each_name(&left, "/sys/class/net", prefix, old_link);
    for (size_t i = 0; i < JA_COUNT(hierarchies); i++) {
        size_t before = p->plan->count;
        snprintf(directory, sizeof directory, "/sys/fs/cgroup/%sjailadmin-%s", hierarchies[i], p->site->tag);
        each_name(&left, directory, prefix, old_cgroup);
        if (p->plan->count > before)
            break; /* the verb looks in all of them */
    }
    snprintf(directory, sizeof directory, "%s/jails", p->site->run);
    each_name(&left, directory, "", old_directory);
    snprintf(prefix, sizeof prefix, "ja%s-", p->site->tag);
    each_name(&left, "/run/netns", prefix, old_name);
}
