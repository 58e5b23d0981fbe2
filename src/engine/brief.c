/*
 * brief.c: of a jail's spec only what a list shows. A thousand specs are read in a millisecond or two that way; as JSON and objects
 * they would take ten times as long. The jail and all of its texts are one piece of memory: its spec is copied behind it, and texts end where
 * they stand in it.
 */
#include "engine/internal.h"

#include <string.h>

/* A spec as the store holds it. What is not as jailadmin itself writes it (an escape in a text, another type) is not `plain`:
 * then the whole reader is asked, which also knows what to say. */
struct scan {
    char *at;
    bool plain, nomem;
};

static bool next_is(struct scan *scan, char c)
{
    if (*scan->at != c)
        return false;
    scan->at++;
    return true;
}

static void want(struct scan *scan, char c)
{
    if (!next_is(scan, c))
        scan->plain = false;
}

/* A text without escapes; it is not terminated. */
static size_t text(struct scan *scan, char **ret_start)
{
    want(scan, '"');
    *ret_start = scan->at;
    size_t length = strcspn(scan->at, "\"\\");
    scan->at += length;
    want(scan, '"');
    return length;
}

/* One that ends where its quote was. */
static char *taken(struct scan *scan)
{
    char *start;
    size_t length = text(scan, &start);
    if (!scan->plain)
        return NULL;
    start[length] = '\0';
    return start;
}

/* Whatever value stands there. Brackets need not be told apart: what SQLite holds was written by us. */
static void skip(struct scan *scan)
{
    char *ignored;
    int depth = 0;
    do {
        if (*scan->at == '"')
            text(scan, &ignored);
        else if (*scan->at == '{' || *scan->at == '[')
            depth++, scan->at++;
        else if (*scan->at == '}' || *scan->at == ']')
            depth--, scan->at++;
        else if (*scan->at)
            scan->at++;
        else
            scan->plain = false;
    } while (scan->plain && (depth > 0 || !strchr(",]}", *scan->at)));
}

/* Calls `member` for each of an object, which reads its value. */
static void object(struct scan *scan, void (*member)(struct scan *scan, const char *name, size_t length, void *into),
                   void *into)
{
    want(scan, '{');
    if (!scan->plain || next_is(scan, '}'))
        return;
    do {
        char *name;
        size_t length = text(scan, &name);
        want(scan, ':');
        if (scan->plain)
            member(scan, name, length, into);
    } while (scan->plain && next_is(scan, ','));
    want(scan, '}');
}

static void array(struct scan *scan, void (*item)(struct scan *scan, void *into), void *into)
{
    want(scan, '[');
    if (!scan->plain || next_is(scan, ']'))
        return;
    do
        item(scan, into);
    while (scan->plain && next_is(scan, ','));
    want(scan, ']');
}

static bool is(const char *name, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(name, word, length) == 0;
}

/* A vector of pointers with room for one more and a NULL; NULL when there is no memory, the old one is there then. */
static void *grown(struct scan *scan, void *items, size_t count)
{
    void *more = ja_realloc(items, (count + 2) * sizeof items);
    scan->nomem = scan->nomem || !more;
    scan->plain = scan->plain && more;
    return more;
}

static void address(struct scan *scan, void *into)
{
    struct ja_strv *addresses = into;
    char *one = taken(scan), **items = one ? grown(scan, addresses->items, addresses->count) : NULL;
    if (!items)
        return;
    addresses->items = items;
    items[addresses->count++] = one;
    items[addresses->count] = NULL;
}

static void nic_member(struct scan *scan, const char *name, size_t length, void *into)
{
    struct ja_nic *nic = into;
    if (is(name, length, "network"))
        nic->network = taken(scan);
    else if (is(name, length, "assigned"))
        array(scan, address, &nic->assigned);
    else
        skip(scan);
}

static void one_nic(struct scan *scan, void *into)
{
    struct ja_list *nics = into;
    struct ja_nic *nic = ja_calloc(1, sizeof *nic);
    void **items = nic ? grown(scan, nics->items, nics->count) : NULL;
    if (!items) {
        free(nic);
        scan->nomem = true, scan->plain = false;
        return;
    }
    nics->items = items;
    items[nics->count++] = nic;
    object(scan, nic_member, nic);
    scan->plain = scan->plain && nic->network;
}

static void label(struct scan *scan, const char *name, size_t length, void *into)
{
    ja_autofree char *key = ja_strndup(name, length);
    const char *value = taken(scan);
    if (!key || (value && ja_map_set(into, key, value) < 0))
        scan->nomem = true, scan->plain = false;
}

static void jail_member(struct scan *scan, const char *name, size_t length, void *into)
{
    struct ja_jail *jail = into;
    if (is(name, length, "template"))
        jail->template = taken(scan);
    else if (is(name, length, "version"))
        jail->version = taken(scan);
    else if (is(name, length, "nics"))
        array(scan, one_nic, &jail->nics);
    else if (is(name, length, "labels"))
        object(scan, label, &jail->labels);
    else
        skip(scan);
}

void ja_brief_free(struct ja_jail *jail)
{
    if (!jail)
        return;
    for (size_t i = 0; i < jail->nics.count; i++) {
        struct ja_nic *nic = jail->nics.items[i];
        free(nic->assigned.items);
        free(nic);
    }
    free(jail->nics.items);
    ja_map_fini(&jail->labels);
    free(jail);
}

static char *put(char **room, const char *text)
{
    size_t size = strlen(text) + 1;
    char *start = memcpy(*room, text, size);
    *room += size;
    return start;
}

int ja_brief_read(const struct ja_row_text *row, struct ja_jail **ret_jail, struct ja_error *err)
{
    static const char *const states[] = {
        [JA_ROW_CREATING] = "creating", [JA_ROW_READY] = "ready", [JA_ROW_BROKEN] = "broken"};
    struct scan scan = {.plain = true};
    size_t texts = strlen(row->name) + strlen(row->uuid) + strlen(row->spec) + 3, state = 0;
    struct ja_jail *jail = ja_malloc(sizeof *jail + texts);
    while (state < JA_COUNT(states) && strcmp(states[state], row->state) != 0)
        state++;
    if (!jail)
        return ja_error_nomem(err);
    char *room = (char *)(jail + 1);
    *jail = (struct ja_jail){.slot = row->slot, .state = (int)state};
    jail->name = put(&room, row->name);
    jail->uuid = put(&room, row->uuid);
    scan.at = put(&room, row->spec);
    object(&scan, jail_member, jail);
    if (scan.nomem || !scan.plain || *scan.at || state == JA_COUNT(states)) {
        ja_brief_free(jail);
        return scan.nomem ? ja_error_nomem(err) : 0;
    }
    *ret_jail = jail;
    return 1;
}
