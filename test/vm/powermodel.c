/*
 * powermodel.c: see powermodel.h.
 */
#include "powermodel.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const jail_names[JAILS] = {"ann", "bob", "cat", "dan", "eve"}, *const network_names[NETWORKS] = {"lan",
                                                                                                             "dmz"};

static void add(char text[TEXT], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char text[TEXT], const char *format, ...)
{
    va_list arguments;
    size_t length = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + length, TEXT - length, format, arguments);
    va_end(arguments);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b); /* the name comes first in all of them */
}

void jail_text(const struct jail *jail, char text[TEXT])
{
    static const char *const boots[] = {"no", "yes", "last"};
    text[0] = '\0';
    if (!jail->there)
        return;
    struct tree trees[TREES];
    struct kept kept[SNAPSHOTS];
    memcpy(trees, jail->trees, sizeof trees);
    memcpy(kept, jail->snapshots, sizeof kept);
    qsort(trees, TREES, sizeof trees[0], by_name);
    qsort(kept, SNAPSHOTS, sizeof kept[0], by_name);
    add(text, "%s, %s, of %s, boot=%s, memory=%d, label=%d, trees", jail->running ? "running" : "stopped",
        jail->wanted ? "wanted" : "not wanted", jail->template, boots[jail->boot], jail->memory, jail->label);
    for (size_t i = 0; i < TREES; i++)
        if (*trees[i].name)
            add(text, " %s%s=%d", trees[i].name, strcmp(trees[i].name, jail->trees[jail->active].name) == 0 ? "*" : "",
                trees[i].mark);
    add(text, ", volume=%d, network=%s, port=%d, snapshots", jail->volume,
        jail->network < 0 ? "none" : network_names[jail->network], jail->port);
    for (size_t i = 0; i < SNAPSHOTS; i++)
        if (*kept[i].name)
            add(text, " %s=%d/%d", kept[i].name, kept[i].tree, kept[i].volume);
}

void rest_text(const struct world *world, char text[TEXT])
{
    struct tree trees[TEMPLATES];
    memcpy(trees, world->templates, sizeof trees);
    qsort(trees, TEMPLATES, sizeof trees[0], by_name);
    text[0] = '\0';
    for (size_t i = 0; i < TEMPLATES; i++)
        if (*trees[i].name)
            add(text, " %s=%d", trees[i].name, trees[i].mark);
    add(text, ", networks");
    for (size_t i = 0; i < NETWORKS; i++)
        if (world->networks[i].there)
            add(text, " %s=%d%s", network_names[i], world->networks[i].label, world->networks[i].isolate ? "!" : "");
}

void world_boot(struct world *world)
{
    for (size_t i = 0; i < JAILS; i++) {
        struct jail *jail = &world->jails[i];
        jail->running = jail->boot == BOOT_YES || (jail->boot == BOOT_LAST && jail->wanted);
        jail->wanted = jail->wanted || jail->running;
    }
}

/* ---- reading ---- */

struct reading {
    const char *found;
    struct world *world;
    char *text;
    size_t subvolumes; /* that should be there */
    bool good;
};

static void bad(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void bad(struct reading *r, const char *format, ...)
{
    va_list arguments;
    if (!r->good)
        return;
    r->good = false;
    va_start(arguments, format);
    vsnprintf(r->text, TEXT, format, arguments);
    va_end(arguments);
}

static const char *string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

/* The first line that begins with this word: what follows it. */
static const char *line_of(const char *found, const char *word)
{
    size_t n = strlen(word);
    for (const char *line = found; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, word, n) == 0 && line[n] == ' ')
            return line + n + 1;
    return NULL;
}

static json_t *json_of(struct reading *r, const char *word)
{
    const char *line = line_of(r->found, word);
    json_t *json = line ? json_loadb(line, strcspn(line, "\n"), 0, NULL) : NULL;
    if (!json)
        bad(r, "no answer to %s: %.200s", word, line ? line : "");
    return json;
}

/* The mark of a tree, and that it is there. */
static int mark_of(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int mark_of(struct reading *r, const char *format, ...)
{
    char place[256], word[300];
    int mark;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(place, sizeof place, format, arguments);
    va_end(arguments);
    snprintf(word, sizeof word, "mark %s", place);
    const char *line = line_of(r->found, word);
    if (!line || sscanf(line, "%d", &mark) != 1) {
        bad(r, "the tree %s is missing, or its file: %.20s", place, line ? line : "");
        return -2;
    }
    r->subvolumes++;
    return mark;
}

static struct jail *named(struct reading *r, const char *name)
{
    for (size_t i = 0; i < JAILS; i++)
        if (strcmp(jail_names[i], name) == 0)
            return &r->world->jails[i];
    bad(r, "a jail %s", name);
    return &r->world->jails[0];
}

static void read_list(struct reading *r)
{
    json_t *list = json_of(r, "list"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        const char *name = string(one, "name"), *state = string(one, "state");
        struct jail *jail = named(r, name);
        jail->there = true;
        jail->volume = jail->network = -1;
        jail->running = strcmp(state, "running") == 0;
        if (!jail->running && strcmp(state, "stopped") != 0)
            bad(r, "the jail %s is %s", name, state);
        snprintf(jail->uuid, sizeof jail->uuid, "%s", string(one, "uuid"));
        snprintf(jail->template, sizeof jail->template, "%s", string(one, "template"));
        jail->label = atoi(string(json_object_get(one, "labels"), "k"));
    }
    json_decref(list);
}

static void read_shown(struct reading *r)
{
    for (const char *line = r->found; (line = line_of(line, "show")) != NULL;) {
        json_t *one = json_loadb(line, strcspn(line, "\n"), 0, NULL), *volume;
        size_t i;
        if (!one) {
            bad(r, "a jail in the pool cannot be shown: %.200s", line);
            return;
        }
        const char *name = string(one, "name"), *boot = string(one, "boot");
        struct jail *jail = named(r, name);
        if (!jail->there)
            bad(r, "the jail %s is shown, and not listed", name);
        jail->wanted = strcmp(string(one, "wanted"), "running") == 0;
        jail->boot = strcmp(boot, "yes") == 0 ? BOOT_YES : strcmp(boot, "last") == 0 ? BOOT_LAST : BOOT_NO;
        jail->memory =
            (int)(json_integer_value(json_object_get(json_object_get(one, "limits"), "memory")) / (1024 * 1024));
        jail->ticks = json_integer_value(json_object_get(json_object_get(one, "keep"), "hourly")) != 0;
        const char *network = string(json_array_get(json_object_get(one, "nics"), 0), "network");
        for (int k = 0; k < NETWORKS; k++)
            jail->network = strcmp(network, network_names[k]) == 0 ? k : jail->network;
        jail->port = atoi(string(json_array_get(json_object_get(one, "forwards"), 0), "port"));
        json_array_foreach(json_object_get(one, "volumes"), i, volume) jail->volume =
            mark_of(r, "jails/%s/vol/%s", name, string(volume, "name"));
        json_decref(one);
    }
}

static void read_trees(struct reading *r)
{
    json_t *list = json_of(r, "bes"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        const char *name = string(one, "name"), *owner = string(one, "jail");
        struct jail *jail = named(r, owner);
        size_t k = 0;
        while (k < TREES - 1 && *jail->trees[k].name)
            k++;
        snprintf(jail->trees[k].name, sizeof jail->trees[k].name, "%s", name);
        jail->trees[k].mark = mark_of(r, "jails/%s/root/%s", owner, name);
        if (json_is_true(json_object_get(one, "active")))
            jail->active = (int)k;
        if (json_is_true(json_object_get(one, "trial")))
            bad(r, "an upgrade of %s to %s is still going on", owner, name);
    }
    json_decref(list);
}

/* Those of schedules are not compared, since their names are the time. */
static void read_snapshots(struct reading *r)
{
    json_t *list = json_of(r, "snapshots"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        const char *name = string(one, "name"), *owner = string(one, "jail");
        struct jail *jail = named(r, owner);
        struct kept kept = {.volume = -1};
        snprintf(kept.name, sizeof kept.name, "%s", name);
        snprintf(kept.be, sizeof kept.be, "%s", string(one, "be"));
        kept.tree = mark_of(r, "jails/%s/snap/%s/root", owner, name);
        if (json_array_size(json_object_get(one, "volumes")))
            kept.volume = mark_of(r, "jails/%s/snap/%s/vol/data", owner, name);
        if (json_array_size(json_object_get(one, "schedules")))
            continue;
        size_t k = 0;
        while (k < SNAPSHOTS - 1 && *jail->snapshots[k].name)
            k++;
        jail->snapshots[k] = kept;
    }
    json_decref(list);
}

static void read_templates(struct reading *r)
{
    json_t *list = json_of(r, "templates"), *one, *version;
    size_t i, v;
    json_array_foreach(list, i, one)
    {
        const char *name = string(one, "name");
        struct tree *tree = &r->world->templates[i < TEMPLATES ? i : TEMPLATES - 1];
        snprintf(tree->name, sizeof tree->name, "%s", name);
        if (strcmp(string(one, "state"), "ready") != 0)
            bad(r, "the template %s is %s", name, string(one, "state"));
        json_array_foreach(json_object_get(one, "versions"), v, version) tree->mark =
            mark_of(r, "templates/%s/%s", name, string(version, "version"));
    }
    json_decref(list);
}

/* Of each, what its row says; the spec that is kept in the pool says the same. */
static void read_networks(struct reading *r)
{
    size_t kept = 0, there = 0;
    for (const char *line = r->found; (line = line_of(line, "netspec")) != NULL; kept++)
        ;
    for (size_t k = 0; k < NETWORKS; k++) {
        char word[64];
        snprintf(word, sizeof word, "network %s", network_names[k]);
        const char *line = line_of(r->found, word);
        if (!line || *line == '\n')
            continue;
        json_t *row = json_loadb(line, strcspn(line, "\n"), 0, NULL);
        snprintf(word, sizeof word, "netspec %s", network_names[k]);
        line = line_of(r->found, word);
        json_t *spec = line ? json_loadb(line, strcspn(line, "\n"), 0, NULL) : NULL;
        struct network *network = &r->world->networks[k];
        network->there = true;
        network->label = atoi(string(json_object_get(row, "labels"), "k"));
        network->isolate = json_is_true(json_object_get(row, "isolate"));
        if (strcmp(string(row, "state"), "ready") != 0)
            bad(r, "the network %s is %s", network_names[k], string(row, "state"));
        if (!spec || network->label != atoi(string(json_object_get(spec, "labels"), "k")) ||
            network->isolate != json_is_true(json_object_get(spec, "isolate")) ||
            strcmp(string(spec, "uuid"), string(row, "uuid")) != 0)
            bad(r, "the spec of the network %s in the pool is not that of its row", network_names[k]);
        there++;
        json_decref(row);
        json_decref(spec);
    }
    if (kept != there)
        bad(r, "%zu networks, and %zu specs of networks in the pool", there, kept);
}

bool world_read(const char *found, struct world *ret_world, char text[TEXT])
{
    struct world world = {0};
    struct reading r = {.found = found, .world = &world, .text = text, .good = true};
    read_list(&r);
    read_shown(&r);
    read_trees(&r);
    read_snapshots(&r);
    read_templates(&r);
    read_networks(&r);
    size_t marks = 0, subvolumes = 0;
    for (const char *line = found; (line = line_of(line, "mark")) != NULL; marks++)
        ;
    for (const char *line = found; (line = line_of(line, "subvolume")) != NULL; subvolumes++)
        ;
    if (marks != r.subvolumes || subvolumes != r.subvolumes)
        bad(&r, "%zu trees and volumes should be there, %zu are in their places, %zu in the pool", r.subvolumes, marks,
            subvolumes);
    *ret_world = world;
    return r.good;
}
