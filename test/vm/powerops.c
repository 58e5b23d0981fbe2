/*
 * powerops.c: see powerops.h. An operation is a function that looks for something that it can be done to, and says what comes of it;
 * false when there is nothing.
 */
#include "powerops.h"
#include "lossydisk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static uint64_t *luck;
static int last_mark;

static unsigned below(unsigned n)
{
    return (unsigned)(lossy_random(luck) % n);
}

static int next_mark(void)
{
    return ++last_mark;
}

static void say(struct op *op, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct op *op, const char *format, ...)
{
    va_list arguments;
    size_t length = strlen(op->command);
    va_start(arguments, format);
    vsnprintf(op->command + length, sizeof op->command - length, format, arguments);
    va_end(arguments);
}

/* The state at its end so far, to be changed. */
static struct world *next(struct op *op)
{
    op->states[op->count] = op->states[op->count - 1];
    return &op->states[op->count++];
}

enum wanted { ANY, FREE, THERE, RUNNING, STOPPED };

/* A jail by chance; -1: there is none such. */
static int pick(const struct op *op, enum wanted wanted)
{
    const struct world *world = &op->states[op->count - 1];
    unsigned first = below(JAILS);
    for (unsigned i = 0; i < JAILS; i++) {
        unsigned k = (first + i) % JAILS;
        const struct jail *jail = &world->jails[k];
        if (wanted == FREE
                ? !jail->there
                : jail->there && (wanted != RUNNING || jail->running) && (wanted != STOPPED || !jail->running))
            return (int)k;
    }
    return -1;
}

static struct tree *active(struct jail *jail)
{
    return &jail->trees[jail->active];
}

static int free_tree(const struct jail *jail)
{
    for (int i = 0; i < TREES; i++)
        if (!*jail->trees[i].name)
            return i;
    return -1;
}

static void run(struct jail *jail, bool running)
{
    jail->running = jail->wanted = running;
}

static void fresh(struct jail *jail, const struct tree *template)
{
    *jail = (struct jail){.there = true, .volume = -1, .network = -1};
    snprintf(jail->template, sizeof jail->template, "%s", template->name);
    jail->trees[0] = (struct tree){"default", template->mark};
}

static const char *const boot_words[] = {"no", "yes", "last"};

/* ---- jails ---- */

static bool create(struct op *op)
{
    unsigned many = below(3) + 1;
    struct world *world = next(op), *started = NULL;
    const struct tree *template = &world->templates[below(TEMPLATES)];
    if (!*template->name)
        template = &world->templates[0];
    bool volume = below(2), start = below(2);
    int memory = below(2) ? 64 : 0, label = (int)below(100);
    enum boot boot = below(3);
    int network = (int)below(NETWORKS);
    if (!world->networks[network].there)
        network = -1;
    say(op, "ja create");
    unsigned made[3], count = 0;
    for (unsigned i = 0; i < many; i++) {
        int k = pick(op, FREE);
        if (k < 0)
            break;
        say(op, " %s", jail_names[k]);
        fresh(&world->jails[k], template);
        world->jails[k].boot = boot;
        world->jails[k].memory = memory;
        world->jails[k].label = label;
        world->jails[k].volume = volume ? 0 : -1;
        world->jails[k].network = network;
        made[count++] = (unsigned)k;
    }
    say(op, " --template %s --set boot=%s --label k=%d", template->name, boot_words[boot], label);
    if (volume)
        say(op, " --volume data,target=/data");
    if (network >= 0)
        say(op, " --nic eth0,network=%s", network_names[network]);
    if (memory)
        say(op, " --limit memory=%dM", memory);
    if (start) {
        say(op, " --start");
        started = next(op);
        for (unsigned i = 0; i < count; i++)
            run(&started->jails[made[i]], true);
    }
    op->apart = true;
    return count > 0;
}

static bool clone(struct op *op)
{
    int from = pick(op, THERE), to = pick(op, FREE);
    if (from < 0 || to < 0)
        return false;
    struct world *world = next(op);
    struct jail *jail = &world->jails[to];
    const struct jail *origin = &world->jails[from];
    *jail = *origin;
    *jail->uuid = '\0';
    jail->running = jail->wanted = false;
    memset(jail->trees, 0, sizeof jail->trees);
    memset(jail->snapshots, 0, sizeof jail->snapshots);
    jail->trees[0] = origin->trees[origin->active];
    jail->active = 0;
    jail->port = 0; /* one port leads to one jail */
    const struct kept *kept = &origin->snapshots[below(SNAPSHOTS)];
    if (below(2) && *kept->name && (kept->volume >= 0) == (origin->volume >= 0)) {
        say(op, "ja clone %s@%s %s", jail_names[from], kept->name, jail_names[to]);
        jail->trees[0].mark = kept->tree;
        jail->volume = kept->volume;
        return false; /* which boot environment a clone of a snapshot gets is another matter */
    }
    say(op, "ja clone %s %s", jail_names[from], jail_names[to]);
    if (below(2)) {
        say(op, " --start");
        run(&next(op)->jails[to], true);
    }
    return true;
}

static bool start(struct op *op)
{
    int a = pick(op, STOPPED);
    if (a < 0)
        return false;
    struct world *world = next(op);
    run(&world->jails[a], true);
    int b = pick(op, STOPPED);
    say(op, "ja start %s %s", jail_names[a], b >= 0 ? jail_names[b] : "");
    if (b >= 0)
        run(&world->jails[b], true);
    op->apart = true;
    return true;
}

static bool stop(struct op *op)
{
    int a = pick(op, RUNNING);
    if (a < 0)
        return false;
    struct world *world = next(op);
    run(&world->jails[a], false);
    int b = below(2) ? pick(op, RUNNING) : -1;
    say(op, "ja stop --force %s %s", jail_names[a], b >= 0 ? jail_names[b] : "");
    if (b >= 0)
        run(&world->jails[b], false);
    op->apart = true;
    return true;
}

static bool restart(struct op *op)
{
    int a = pick(op, RUNNING);
    if (a < 0)
        return false;
    next(op);
    say(op, "ja restart --force %s", jail_names[a]);
    return true;
}

static bool delete (struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct world *world = next(op);
    world->jails[a] = (struct jail){0};
    int b = below(3) ? -1 : pick(op, THERE);
    say(op, "ja delete --force --yes %s %s", jail_names[a], b >= 0 ? jail_names[b] : "");
    if (b >= 0)
        world->jails[b] = (struct jail){0};
    op->apart = true;
    return true;
}

static bool rename_jail(struct op *op)
{
    int from = pick(op, STOPPED), to = pick(op, FREE);
    if (from < 0 || to < 0)
        return false;
    struct world *world = next(op);
    world->jails[to] = world->jails[from];
    world->jails[from] = (struct jail){0};
    say(op, "ja rename %s %s", jail_names[from], jail_names[to]);
    return true;
}

static bool set(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct world *world = next(op);
    int b = below(2) ? pick(op, THERE) : a;
    unsigned what = below(4);
    say(op, "ja set %s", jail_names[a]);
    if (b != a)
        say(op, " %s", jail_names[b]);
    int label = (int)below(100), memory = below(2) ? 48 : 96;
    enum boot boot = below(3);
    say(op, " labels.k=%d", label);
    if (what & 1)
        say(op, " limits.memory=%dM", memory);
    if (what & 2)
        say(op, " boot=%s", boot_words[boot]);
    for (int i = 0; i < 2; i++) {
        struct jail *jail = &world->jails[i ? b : a];
        jail->label = label;
        jail->memory = what & 1 ? memory : jail->memory;
        jail->boot = what & 2 ? boot : jail->boot;
    }
    op->apart = true;
    return true;
}

/* ---- networks ---- */

static bool network_create(struct op *op)
{
    struct world *world = next(op);
    unsigned k = below(NETWORKS);
    if (world->networks[k].there)
        return false;
    world->networks[k] = (struct network){.there = true, .label = (int)below(100)};
    say(op, "ja network create %s --address 10.9.%u.1/24 --set dns=no --label k=%d", network_names[k], k,
        world->networks[k].label);
    return true;
}

static bool network_set(struct op *op)
{
    struct world *world = next(op);
    unsigned k = below(NETWORKS);
    if (!world->networks[k].there)
        return false;
    world->networks[k].label = (int)below(100);
    world->networks[k].isolate = below(2);
    say(op, "ja network set %s labels.k=%d isolate=%s", network_names[k], world->networks[k].label,
        world->networks[k].isolate ? "yes" : "no");
    return true;
}

static bool network_delete(struct op *op)
{
    struct world *world = next(op);
    int k = (int)below(NETWORKS);
    if (!world->networks[k].there)
        return false;
    for (size_t i = 0; i < JAILS; i++)
        if (world->jails[i].there && world->jails[i].network == k)
            return false;
    world->networks[k] = (struct network){0};
    say(op, "ja network delete --yes %s", network_names[k]);
    return true;
}

/* Onto a network, or off it again. */
static bool attach(struct op *op)
{
    int a = pick(op, STOPPED), network = (int)below(NETWORKS);
    if (a < 0 || !op->states[0].networks[network].there)
        return false;
    struct jail *jail = &next(op)->jails[a];
    if (jail->network < 0) {
        jail->network = network;
        say(op, "ja set %s nics.eth0.network=%s", jail_names[a], network_names[network]);
    } else {
        jail->network = -1;
        jail->port = 0;
        say(op, "ja set %s forwards= nics.eth0=", jail_names[a]);
    }
    return true;
}

static bool forward(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0 || op->states[0].jails[a].network < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    if (jail->port && below(2)) {
        jail->port = 0;
        say(op, "ja set %s forwards.web=", jail_names[a]);
    } else {
        jail->port = 8000 + next_mark();
        say(op, "ja set %s forwards.web.port=%d forwards.web.to=80", jail_names[a], jail->port);
    }
    return true;
}

/* ---- what is in them ---- */

static bool write_inside(struct op *op)
{
    int a = pick(op, RUNNING);
    if (a < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    int mark = next_mark();
    bool volume = jail->volume >= 0 && below(2);
    say(op, "ja exec %s -- sh -c 'cd /%s && echo %d >mark.tmp && mv mark.tmp mark && sync'", jail_names[a],
        volume ? "data" : "", mark);
    *(volume ? &jail->volume : &active(jail)->mark) = mark;
    return true;
}

static bool copy_in(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    int mark = next_mark();
    bool volume = jail->volume >= 0 && below(2);
    say(op, "echo %d >/var/tmp/mark && ja cp /var/tmp/mark %s:/%smark", mark, jail_names[a], volume ? "data/" : "");
    *(volume ? &jail->volume : &active(jail)->mark) = mark;
    return true;
}

static bool upgrade(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    int mark = next_mark(), tree = free_tree(jail);
    if (tree < 0)
        return false;
    jail->trees[tree].mark = mark;
    snprintf(jail->trees[tree].name, sizeof jail->trees[tree].name, "u%d", mark);
    jail->active = tree;
    jail->wanted = jail->running; /* one that did not run is stopped again */
    say(op, "ja upgrade %s --be u%d -- sh -c 'echo %d >/mark'", jail_names[a], mark, mark);
    return true;
}

/* ---- snapshots and boot environments ---- */

static bool snapshot_create(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    for (size_t i = 0; i < SNAPSHOTS; i++)
        if (!*jail->snapshots[i].name) {
            struct kept *kept = &jail->snapshots[i];
            snprintf(kept->name, sizeof kept->name, "s%d", next_mark());
            memcpy(kept->be, active(jail)->name, sizeof kept->be);
            kept->tree = active(jail)->mark;
            kept->volume = jail->volume;
            say(op, "ja snapshot create %s@%s", jail_names[a], kept->name);
            return true;
        }
    return false;
}

static bool snapshot_delete(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    struct kept *kept = &jail->snapshots[below(SNAPSHOTS)];
    if (!*kept->name)
        return false;
    say(op, "ja snapshot delete --yes %s@%s", jail_names[a], kept->name);
    *kept = (struct kept){0};
    return true;
}

static bool rollback(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    const struct kept *kept = &jail->snapshots[below(SNAPSHOTS)];
    if (!*kept->name || strcmp(kept->be, active(jail)->name) != 0)
        return false;
    say(op, "ja snapshot rollback --yes %s %s@%s", jail->running ? "--restart" : "", jail_names[a], kept->name);
    active(jail)->mark = kept->tree;
    if (kept->volume >= 0 && jail->volume >= 0 && below(2)) {
        say(op, " --volumes");
        jail->volume = kept->volume;
    }
    return true;
}

static bool be_create(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    int tree = free_tree(jail), mark = active(jail)->mark;
    if (tree < 0)
        return false;
    snprintf(jail->trees[tree].name, sizeof jail->trees[tree].name, "b%d", next_mark());
    say(op, "ja be create %s %s", jail_names[a], jail->trees[tree].name);
    const struct kept *kept = &jail->snapshots[below(SNAPSHOTS)];
    if (*kept->name && below(2)) {
        say(op, " --from @%s", kept->name);
        mark = kept->tree;
    }
    jail->trees[tree].mark = mark;
    return true;
}

static int other_tree(const struct jail *jail)
{
    int tree = (int)below(TREES);
    return tree != jail->active && *jail->trees[tree].name ? tree : -1;
}

static bool be_activate(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    int tree = other_tree(jail);
    if (tree < 0)
        return false;
    say(op, "ja be activate %s %s %s", jail->running ? "--restart" : "", jail_names[a], jail->trees[tree].name);
    jail->active = tree;
    return true;
}

static bool be_delete(struct op *op)
{
    int a = pick(op, THERE);
    if (a < 0)
        return false;
    struct jail *jail = &next(op)->jails[a];
    int tree = other_tree(jail);
    if (tree < 0)
        return false;
    say(op, "ja be delete --yes %s %s", jail_names[a], jail->trees[tree].name);
    jail->trees[tree] = (struct tree){0};
    return true;
}

/* ---- templates ---- */

static bool template_create(struct op *op)
{
    struct world *world = next(op);
    unsigned k = 1 + below(TEMPLATES - 1);
    int a = pick(op, THERE);
    if (*world->templates[k].name)
        return false;
    struct tree *template = &world->templates[k];
    snprintf(template->name, sizeof template->name, "t%d", next_mark());
    unsigned how = below(3);
    if (how == 0 && a >= 0) {
        template->mark = active(&world->jails[a])->mark;
        say(op, "ja template create %s --from jail:%s", template->name, jail_names[a]);
    } else if (how == 1) {
        template->mark = next_mark();
        say(op, "ja template create %s --from busybox --network none --run 'echo %d >/mark'", template->name,
            template->mark);
    } else {
        template->mark = next_mark();
        say(op,
            "rm -rf /var/tmp/tree; mkdir -p /var/tmp/tree/bin; cp /bin/busybox /var/tmp/tree/bin; ln -s busybox /var/tmp/tree/bin/sh; "
            "ln -s busybox /var/tmp/tree/bin/mv; ln -s busybox /var/tmp/tree/bin/sync; echo %d >/var/tmp/tree/mark; "
            "ja template create %s --from dir:/var/tmp/tree",
            template->mark, template->name);
    }
    return true;
}

static bool template_delete(struct op *op)
{
    struct world *world = next(op);
    struct tree *template = &world->templates[1 + below(TEMPLATES - 1)];
    if (!*template->name)
        return false;
    say(op, "ja template delete --yes %s", template->name);
    *template = (struct tree){0};
    return true;
}

/* ---- the host ---- */

static bool tick(struct op *op)
{
    int a = pick(op, THERE);
    next(op);
    if (a < 0)
        return false;
    say(op, "ja set %s keep.hourly=%u && ja tick", jail_names[a], 1 + below(2));
    op->ticks = true;
    return true;
}

static bool upkeep(struct op *op)
{
    static const char *const commands[] = {
        "ja gc", "ja boot", "ja repair", "ja doctor",
        "rm -f /var/db/backup; ja backup /var/db/backup && ja restore --force --yes /var/db/backup && rm /var/db/backup"};
    unsigned which = below(sizeof commands / sizeof commands[0]);
    struct world *world = next(op);
    say(op, "%s", commands[which]);
    for (size_t i = 0; which == 1 && i < JAILS; i++) {
        struct jail *jail = &world->jails[i];
        if (jail->there && (jail->boot == BOOT_YES || (jail->boot == BOOT_LAST && jail->wanted)))
            run(jail, true);
    }
    op->apart = true;
    return true;
}

static const struct {
    const char *name;
    bool (*plan)(struct op *op);
} ops[] = {
    {"create", create},
    {"create", create},
    {"clone", clone},
    {"start", start},
    {"stop", stop},
    {"restart", restart},
    {"delete", delete},
    {"rename", rename_jail},
    {"set", set},
    {"exec", write_inside},
    {"cp", copy_in},
    {"upgrade", upgrade},
    {"snapshot create", snapshot_create},
    {"snapshot create", snapshot_create},
    {"snapshot delete", snapshot_delete},
    {"snapshot rollback", rollback},
    {"be create", be_create},
    {"be activate", be_activate},
    {"be delete", be_delete},
    {"template create", template_create},
    {"template delete", template_delete},
    {"network create", network_create},
    {"network create", network_create},
    {"network set", network_set},
    {"network delete", network_delete},
    {"attach", attach},
    {"forward", forward},
    {"forward", forward},
    {"tick", tick},
    {"upkeep", upkeep},
};

void op_begin(void)
{
    last_mark = 0;
}

void op_choose(const struct world *world, uint64_t *random, struct op *ret_op)
{
    luck = random;
    for (;;) {
        size_t k = below(sizeof ops / sizeof ops[0]);
        memset(ret_op, 0, sizeof *ret_op);
        ret_op->what = ops[k].name;
        ret_op->states[0] = *world;
        ret_op->count = 1;
        if (ops[k].plan(ret_op))
            return;
    }
}

/* ---- what is allowed ---- */

static bool same_jail(const struct jail *a, const struct jail *b)
{
    char text[2][TEXT];
    jail_text(a, text[0]);
    jail_text(b, text[1]);
    return strcmp(text[0], text[1]) == 0 && (!*a->uuid || !*b->uuid || strcmp(a->uuid, b->uuid) == 0);
}

static bool same_rest(const struct world *a, const struct world *b)
{
    char text[2][TEXT];
    rest_text(a, text[0]);
    rest_text(b, text[1]);
    return strcmp(text[0], text[1]) == 0;
}

static bool same(const struct world *a, const struct world *b)
{
    for (size_t i = 0; i < JAILS; i++)
        if (!same_jail(&a->jails[i], &b->jails[i]))
            return false;
    return same_rest(a, b);
}

static void tell(const struct world *world, const struct world *found, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < JAILS; i++) {
        char line[2][TEXT];
        size_t n = strlen(text);
        jail_text(&world->jails[i], line[0]);
        jail_text(&found->jails[i], line[1]);
        if (!same_jail(&world->jails[i], &found->jails[i]))
            snprintf(text + n, size - n, "%s should be: %s %s\n%s is:        %s %s\n", jail_names[i], line[0],
                     world->jails[i].uuid, jail_names[i], line[1], found->jails[i].uuid);
    }
    if (!same_rest(world, found)) {
        char line[2][TEXT];
        size_t n = strlen(text);
        rest_text(world, line[0]);
        rest_text(found, line[1]);
        snprintf(text + n, size - n, "templates, networks should be:%s\ntemplates, networks are:      %s\n", line[0],
                 line[1]);
    }
}

bool op_allows(const struct op *op, const struct world *found, bool done, char text[3 * TEXT])
{
    size_t last = op->count - 1;
    text[0] = '\0';
    if (same(&op->states[last], found))
        return true;
    tell(&op->states[last], found, text, (size_t)3 * TEXT);
    for (size_t k = 0; k < last && !done; k++)
        if (same(&op->states[k], found))
            return true;
    bool all = op->apart && !done && same_rest(&op->states[last], found);
    for (size_t i = 0; i < JAILS && all; i++) {
        all = false;
        for (size_t k = 0; k <= last; k++)
            all = all || same_jail(&op->states[k].jails[i], &found->jails[i]);
    }
    return all;
}
