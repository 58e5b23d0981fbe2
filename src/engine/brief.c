/*
 * brief.c: of a jail's spec only what a list shows. A thousand specs are read in a few milliseconds that way; as JSON and objects
 * they would take five times as long.
 */
#include "engine/internal.h"

#include <string.h>

/* A spec as the store holds it. What is not as jailadmin itself writes it (an escape in a text, another type) is not `plain`:
 * then the whole reader is asked, which also knows what to say. */
struct scan {
    const char *at;
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
static size_t text(struct scan *scan, const char **ret_start)
{
    want(scan, '"');
    *ret_start = scan->at;
    size_t length = strcspn(scan->at, "\"\\");
    scan->at += length;
    want(scan, '"');
    return length;
}

static char *copy(struct scan *scan)
{
    const char *start;
    size_t length = text(scan, &start);
    char *taken = scan->plain ? ja_strndup(start, length) : NULL;
    scan->nomem = scan->nomem || (scan->plain && !taken);
    scan->plain = scan->plain && taken;
    return taken;
}

static void replace(struct scan *scan, char **field)
{
    char *taken = copy(scan);
    free(*field);
    *field = taken;
}

/* Whatever value stands there. Brackets need not be told apart: what SQLite holds was written by us. */
static void skip(struct scan *scan)
{
    const char *ignored;
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
        const char *name;
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

static void address(struct scan *scan, void *into)
{
    ja_autofree char *taken = copy(scan);
    if (taken && ja_strv_add(into, taken) < 0)
        scan->nomem = true, scan->plain = false;
}

static void nic_member(struct scan *scan, const char *name, size_t length, void *into)
{
    struct ja_nic *nic = into;
    if (is(name, length, "network"))
        replace(scan, &nic->network);
    else if (is(name, length, "assigned"))
        array(scan, address, &nic->assigned);
    else
        skip(scan);
}

static void one_nic(struct scan *scan, void *into)
{
    struct ja_list *nics = into;
    struct ja_nic *nic = ja_calloc(1, sizeof *nic);
    void **items = nic ? ja_realloc(nics->items, (nics->count + 1) * sizeof *items) : NULL;
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
    ja_autofree char *key = ja_strndup(name, length), *value = copy(scan);
    if (!key || (value && ja_map_set(into, key, value) < 0))
        scan->nomem = true, scan->plain = false;
}

static void jail_member(struct scan *scan, const char *name, size_t length, void *into)
{
    struct ja_jail *jail = into;
    if (is(name, length, "template"))
        replace(scan, &jail->template);
    else if (is(name, length, "version"))
        replace(scan, &jail->version);
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
        free(nic->network);
        ja_strv_fini(&nic->assigned);
        free(nic);
    }
    free(jail->nics.items);
    ja_map_fini(&jail->labels);
    free(jail->name);
    free(jail->uuid);
    free(jail->template);
    free(jail->version);
    free(jail);
}

int ja_brief_read(const struct ja_row_text *row, struct ja_jail **ret_jail, struct ja_error *err)
{
    static const char *const states[] = {
        [JA_ROW_CREATING] = "creating", [JA_ROW_READY] = "ready", [JA_ROW_BROKEN] = "broken"};
    struct scan scan = {.at = row->spec, .plain = true};
    struct ja_jail *jail = ja_calloc(1, sizeof *jail);
    size_t state = 0;
    while (state < JA_COUNT(states) && strcmp(states[state], row->state) != 0)
        state++;
    if (jail) {
        jail->name = ja_strdup(row->name);
        jail->uuid = ja_strdup(row->uuid);
        jail->slot = row->slot;
        jail->state = (int)state;
        object(&scan, jail_member, jail);
    }
    bool nomem = !jail || !jail->name || !jail->uuid || scan.nomem;
    if (nomem || !scan.plain || *scan.at || state == JA_COUNT(states)) {
        ja_brief_free(jail);
        return nomem ? ja_error_nomem(err) : 0;
    }
    *ret_jail = jail;
    return 1;
}
