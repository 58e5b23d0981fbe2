/*
 * facts.c: the answers that planners ask for, and the list of those still missing.
 */
#include "plan/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[JA_FACT_KINDS] = {
    [JA_FACT_TOOL] = "tool",
    [JA_FACT_LINK] = "link",
    [JA_FACT_PORTS] = "ports",
    [JA_FACT_HOSTADDR] = "hostaddr",
    [JA_FACT_PATH] = "path",
    [JA_FACT_MOUNT] = "mount",
    [JA_FACT_SUBVOLUME] = "subvolume",
    [JA_FACT_DATASET] = "dataset",
    [JA_FACT_SYSCTL] = "sysctl",
    [JA_FACT_CGROUPS] = "cgroups",
    [JA_FACT_PROCESS] = "process",
    [JA_FACT_JAIL] = "jail",
    [JA_FACT_INIT] = "init",
    [JA_FACT_USERFILE] = "userfile",
    [JA_FACT_NFT] = "nft",
    [JA_FACT_LISTEN] = "listen",
    [JA_FACT_IDMAP] = "idmap",
    [JA_FACT_MODULE] = "module",
    [JA_FACT_FILE] = "file",
    [JA_FACT_NETNS] = "netns",
    [JA_FACT_CGROUP] = "cgroup",
    [JA_FACT_TREEFILE] = "treefile",
    [JA_FACT_DIRECTORY] = "directory",
    [JA_FACT_HOSTNETS] = "hostnets",
    [JA_FACT_DAEMON] = "daemon",
    [JA_FACT_QUOTA] = "quota",
    [JA_FACT_APT] = "apt",
    [JA_FACT_SHA256] = "sha256",
    [JA_FACT_NFTRULES] = "nftrules",
    [JA_FACT_NEIGHBOUR] = "neighbour",
    [JA_FACT_FIREWALL] = "firewall",
    [JA_FACT_CONTENTS] = "contents",
    [JA_FACT_DEVICE] = "device",
    [JA_FACT_IPFW] = "ipfw",
    [JA_FACT_RCTL] = "rctl",
    [JA_FACT_ROUTE] = "route",
    [JA_FACT_FSTYPE] = "fstype",
    [JA_FACT_VERSION] = "version",
    [JA_FACT_SPACE] = "space",
    [JA_FACT_HEALTH] = "health",
    [JA_FACT_MEMBER] = "member",
    [JA_FACT_LINKS] = "links",
    [JA_FACT_DEVFS] = "devfs",
    [JA_FACT_PF] = "pf",
    [JA_FACT_SNAPSHOTS] = "snapshots",
    [JA_FACT_CLONES] = "clones",
    [JA_FACT_DISKS] = "disks",
    [JA_FACT_USAGE] = "usage",
    [JA_FACT_USED] = "used",
    [JA_FACT_TRAFFIC] = "traffic",
    [JA_FACT_NFTCHAIN] = "nftchain",
    [JA_FACT_SHAPING] = "shaping",
    [JA_FACT_QDISC] = "qdisc",
    [JA_FACT_BINDS] = "binds",
};

bool ja_fact_is_zfs(enum ja_fact_kind kind)
{
    return kind == JA_FACT_DATASET || kind == JA_FACT_CONTENTS || kind == JA_FACT_SNAPSHOTS || kind == JA_FACT_CLONES;
}

const char *ja_fact_kind_name(enum ja_fact_kind kind)
{
    return kind_names[kind];
}

int ja_fact_kind_parse(const char *name)
{
    for (int kind = 0; kind < JA_FACT_KINDS; kind++)
        if (strcmp(kind_names[kind], name) == 0)
            return kind;
    return -1;
}

/* The place of a fact, or where it would be put. */
static size_t place_of(const struct ja_facts *facts, enum ja_fact_kind kind, const char *name, bool *ret_found)
{
    size_t low = 0, high = facts->count;
    *ret_found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct ja_fact *fact = &facts->items[middle];
        int order = fact->kind != kind ? (fact->kind < kind ? -1 : 1) : strcmp(fact->name, name);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* There may be thousands: a port of a forward is one. */
static bool make_room(struct ja_facts *facts)
{
    if (facts->count < facts->size)
        return true;
    size_t size = facts->size ? facts->size * 2 : 16;
    struct ja_fact *items = ja_realloc(facts->items, size * sizeof *items);
    if (!items)
        return false;
    facts->items = items;
    facts->size = size;
    return true;
}

static struct ja_fact *insert(struct ja_facts *facts, size_t place, enum ja_fact_kind kind, const char *name)
{
    char *copy = ja_strdup(name);
    if (!copy || !make_room(facts)) {
        free(copy);
        facts->failed = true;
        return NULL;
    }
    struct ja_fact *items = facts->items;
    memmove(items + place + 1, items + place, (facts->count - place) * sizeof *items);
    items[place] = (struct ja_fact){.kind = kind, .name = copy};
    facts->count++;
    facts->missing++;
    return &items[place];
}

const char *ja_fact(struct ja_facts *facts, enum ja_fact_kind kind, const char *name)
{
    bool found;
    size_t place = place_of(facts, kind, name, &found);
    if (found)
        return facts->items[place].value;
    insert(facts, place, kind, name);
    return NULL;
}

const char *ja_factf(struct ja_facts *facts, enum ja_fact_kind kind, const char *format, ...)
{
    char name[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof name) {
        facts->failed = true;
        return NULL;
    }
    return ja_fact(facts, kind, name);
}

int ja_facts_answer(struct ja_facts *facts, size_t place, const char *value)
{
    struct ja_fact *fact = &facts->items[place];
    char *copy = value ? ja_strdup(value) : NULL;
    if (value && !copy) {
        facts->failed = true;
        return -1;
    }
    if (!fact->known)
        facts->missing--;
    fact->known = true;
    free(fact->value);
    fact->value = copy;
    return 0;
}

int ja_facts_set(struct ja_facts *facts, enum ja_fact_kind kind, const char *name, const char *value)
{
    bool found;
    size_t place = place_of(facts, kind, name, &found);
    if (!found && !insert(facts, place, kind, name))
        return -1;
    return ja_facts_answer(facts, place, value);
}

void ja_facts_fini(struct ja_facts *facts)
{
    if (!facts)
        return;
    for (size_t i = 0; i < facts->count; i++) {
        free(facts->items[i].name);
        free(facts->items[i].value);
    }
    free(facts->items);
    *facts = (struct ja_facts){0};
}

json_t *ja_facts_to_json(const struct ja_facts *facts)
{
    json_t *json = json_object();
    for (size_t i = 0; json && i < facts->count; i++) {
        const struct ja_fact *fact = &facts->items[i];
        if (!fact->known)
            continue;
        const char *kind = kind_names[fact->kind];
        json_t *group = json_object_get(json, kind);
        if (!group) {
            group = json_object();
            if (json_object_set_new(json, kind, group) < 0)
                goto fail;
        }
        if (json_object_set_new(group, fact->name, fact->value ? json_string(fact->value) : json_null()) < 0)
            goto fail;
    }
    return json;
fail:
    json_decref(json);
    return NULL;
}

int ja_facts_from_json(struct ja_facts *facts, const json_t *json, struct ja_error *err)
{
    const char *kind_name, *name;
    json_t *group, *value;
    if (!json_is_object(json))
        return ja_error_set(err, JA_E_INVALID, "facts", "a facts file holds one JSON object");
    json_object_foreach((json_t *)json, kind_name, group)
    {
        int kind = ja_fact_kind_parse(kind_name);
        if (kind < 0)
            continue;
        json_object_foreach(group, name, value)
        {
            if (ja_facts_set(facts, (enum ja_fact_kind)kind, name, json_string_value(value)) < 0)
                return ja_error_nomem(err);
        }
    }
    return 0;
}

bool ja_guard_match(const char *mark, const char *value)
{
    if (!mark)
        return true;
    size_t n = strlen(mark);
    if (n && mark[n - 1] == '*')
        return strncmp(value, mark, n - 1) == 0;
    return strcmp(value, mark) == 0;
}
