/*
 * brief.c: of a jail's spec only what a list shows. A thousand specs are read in less than a millisecond that way; as JSON and objects
 * they would take twenty times as long. All that belongs to a jail is taken from large blocks, which the next jails use again; its spec
 * is copied there, and texts end where they stand in it.
 */
#include "engine/internal.h"

#include <stdalign.h>
#include <string.h>

#define BLOCK (64 << 10) /* bytes; a jail mostly takes 1,200 */

struct ja_brief_block {
    struct ja_brief_block *next;
    size_t size, used;
    alignas(max_align_t) char room[];
};

/* A spec as the store holds it. What is not as jailadmin itself writes it (an escape in a text, another type) is not `plain`:
 * then the whole reader is asked, which also knows what to say. */
struct scan {
    struct ja_briefs *briefs;
    char *at, *end; /* the zero behind the last one */
    bool plain, nomem;
};

/* The next block, which is empty and large enough; what is too small stays behind it. */
static struct ja_brief_block *next_block(struct ja_briefs *briefs, size_t size)
{
    struct ja_brief_block **place = briefs->current ? &briefs->current->next : &briefs->first, *block = *place;
    if (!block || block->size < size) {
        size_t room = size > BLOCK ? size : BLOCK;
        block = ja_malloc(sizeof *block + room);
        if (!block)
            return NULL;
        *block = (struct ja_brief_block){.next = *place, .size = room};
        *place = block;
    }
    block->used = 0;
    return briefs->current = block;
}

/* Memory that is not set; NULL: there is none. */
static void *take(struct scan *scan, size_t size)
{
    struct ja_brief_block *block = scan->briefs->current;
    size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (!block || size > block->size - block->used)
        block = next_block(scan->briefs, size);
    if (!block) {
        scan->nomem = true, scan->plain = false;
        return NULL;
    }
    block->used += size;
    return block->room + block->used - size;
}

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

/* A text, in which no escapes are (see ja_brief_read); it is not terminated. */
static size_t text(struct scan *scan, char **ret_start)
{
    want(scan, '"');
    char *start = *ret_start = scan->at, *end = memchr(start, '"', (size_t)(scan->end - start));
    if (!end) {
        scan->plain = false;
        return 0;
    }
    scan->at = end + 1;
    return (size_t)(end - start);
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
    } while (scan->plain && (depth > 0 || !(*scan->at == ',' || *scan->at == ']' || *scan->at == '}' || !*scan->at)));
}

/* Calls `member` for each of an object, which reads its value. */
static void object(struct scan *scan, void (*member)(struct scan *scan, char *name, size_t length, void *into),
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

/* A vector with room for one more and for an end; NULL when there is no memory. It grows when its count is a power of two. */
static void *grown(struct scan *scan, void *items, size_t count, size_t size)
{
    if (count & (count - 1))
        return items;
    void *more = take(scan, (count * 2 + 2) * size);
    if (more && count)
        memcpy(more, items, count * size);
    return more;
}

static void address(struct scan *scan, void *into)
{
    struct ja_strv *addresses = into;
    char *one = taken(scan);
    char **items = one ? grown(scan, addresses->items, addresses->count, sizeof *items) : NULL;
    if (!items)
        return;
    addresses->items = items;
    items[addresses->count++] = one;
    items[addresses->count] = NULL;
}

static void nic_member(struct scan *scan, char *name, size_t length, void *into)
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
    struct ja_nic *nic = take(scan, sizeof *nic);
    void **items = nic ? grown(scan, nics->items, nics->count, sizeof *items) : NULL;
    if (!items)
        return;
    *nic = (struct ja_nic){0};
    nics->items = items;
    items[nics->count++] = nic;
    object(scan, nic_member, nic);
    scan->plain = scan->plain && nic->network;
}

/* In order of the keys, as maps are. */
static void label(struct scan *scan, char *name, size_t length, void *into)
{
    struct ja_map *labels = into;
    char *value = taken(scan);
    struct ja_pair *pairs = value ? grown(scan, labels->pairs, labels->count, sizeof *pairs) : NULL;
    size_t place = labels->count;
    int order = 1;
    if (!pairs)
        return;
    name[length] = '\0';
    for (labels->pairs = pairs; place > 0 && (order = strcmp(name, pairs[place - 1].key)) < 0; place--)
        pairs[place] = pairs[place - 1];
    pairs[place] = (struct ja_pair){name, value};
    labels->count++;
    scan->plain = scan->plain && order != 0;
}

static void jail_member(struct scan *scan, char *name, size_t length, void *into)
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

void ja_briefs_forget(struct ja_briefs *briefs)
{
    briefs->current = NULL;
}

void ja_briefs_fini(struct ja_briefs *briefs)
{
    for (struct ja_brief_block *block = briefs->first, *next; block; block = next) {
        next = block->next;
        ja_free(block);
    }
    *briefs = (struct ja_briefs){0};
}

static char *put(char **room, const char *text, size_t length)
{
    char *start = memcpy(*room, text, length + 1);
    *room += length + 1;
    return start;
}

int ja_brief_read(struct ja_briefs *briefs, const struct ja_row_text *row, struct ja_jail **ret_jail,
                  struct ja_error *err)
{
    static const char *const states[] = {
        [JA_ROW_CREATING] = "creating", [JA_ROW_READY] = "ready", [JA_ROW_BROKEN] = "broken"};
    struct scan scan = {.briefs = briefs, .plain = true};
    size_t name = strlen(row->name), uuid = strlen(row->uuid), spec = strlen(row->spec), state = 0;
    struct ja_jail *jail = take(&scan, sizeof *jail + name + uuid + spec + 3);
    while (state < JA_COUNT(states) && strcmp(states[state], row->state) != 0)
        state++;
    if (!jail)
        return ja_error_nomem(err);
    if (state == JA_COUNT(states) || memchr(row->spec, '\\', spec))
        return 0;
    char *room = (char *)(jail + 1);
    *jail = (struct ja_jail){.slot = row->slot, .state = (int)state};
    jail->name = put(&room, row->name, name);
    jail->uuid = put(&room, row->uuid, uuid);
    scan.at = put(&room, row->spec, spec);
    scan.end = scan.at + spec;
    object(&scan, jail_member, jail);
    if (scan.nomem)
        return ja_error_nomem(err);
    if (!scan.plain || *scan.at)
        return 0;
    *ret_jail = jail;
    return 1;
}
