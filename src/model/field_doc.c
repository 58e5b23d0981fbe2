/*
 * field_doc.c: tables read by people: the documentation of all fields, and what a change means for a running
 * jail.
 */
#include "model/field_impl.h"

#include <ctype.h>
#include <string.h>

struct differ {
    int when; /* the latest so far; -1: nothing changed */
    struct ja_strv *changed;
    bool failed;
};

static void diff_objects(struct differ *differ, const struct ja_noun *noun, const void *from, const void *to,
                         const struct ja_at *at);

static void note(struct differ *differ, const struct ja_at *at, enum ja_when when)
{
    ja_autostr struct ja_str path = {0};
    if ((int)when > differ->when)
        differ->when = (int)when;
    if (!differ->changed)
        return;
    ja_at_render(at, &path);
    if (path.failed || ja_strv_add(differ->changed, path.text) < 0)
        differ->failed = true;
}

/* A new entry counts with all that it sets, so that whoever looks for fields of admins finds them. */
static void note_new_entry(struct differ *differ, const struct ja_field *field, const void *entry,
                           const struct ja_at *at)
{
    note(differ, at, field->when);
    for (size_t i = 1; i < field->noun->field_count; i++) {
        const struct ja_field *part = &field->noun->fields[i];
        struct ja_at here = {at, part->name};
        if (!ja_field_is_default(part, ja_field_value(part, entry)))
            note(differ, &here, part->when);
    }
}

static void diff_lists(struct differ *differ, const struct ja_field *field, const struct ja_list *from,
                       const struct ja_list *to, const struct ja_at *at)
{
    bool moved = false;
    for (size_t i = 0; i < to->count; i++) {
        const char *key = ja_object_key(to->items[i]);
        const void *old = ja_list_get(from, key);
        struct ja_at here = {at, key};
        if (old)
            diff_objects(differ, field->noun, old, to->items[i], &here);
        else
            note_new_entry(differ, field, to->items[i], &here);
        moved = moved || (old && from->count == to->count && from->items[i] != old);
    }
    for (size_t i = 0; i < from->count; i++) {
        struct ja_at here = {at, ja_object_key(from->items[i])};
        if (!ja_list_get(to, here.name))
            note(differ, &here, field->when);
    }
    if (moved)
        note(differ, at, field->when);
}

static void diff_objects(struct differ *differ, const struct ja_noun *noun, const void *from, const void *to,
                         const struct ja_at *at)
{
    for (size_t i = 0; i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        const void *old = ja_field_value(field, from), *new = ja_field_value(field, to);
        struct ja_at here = {at, field->name};
        if (field->type == JA_T_OBJECT)
            diff_objects(differ, field->noun, old, new, &here);
        else if (field->type == JA_T_LIST)
            diff_lists(differ, field, old, new, &here);
        else if (!ja_field_equal(field, old, new))
            note(differ, &here, field->when);
    }
}

int ja_object_diff(const struct ja_noun *noun, const void *from, const void *to, struct ja_strv *changed)
{
    struct differ differ = {-1, changed, false};
    diff_objects(&differ, noun, from, to, NULL);
    return differ.failed ? JA_E_NOMEM : differ.when;
}

/* What stands for the value in help: "ADDRESS", "yes|no". */
static void add_metavar(const struct ja_field *field, struct ja_str *str)
{
    static const char *const by_type[] = {
        [JA_T_STRING] = "TEXT",     [JA_T_BOOL] = "yes|no",      [JA_T_INT] = "NUMBER",   [JA_T_SIZE] = "SIZE",
        [JA_T_RATE] = "RATE",       [JA_T_CORES] = "CORES",      [JA_T_STRINGS] = "TEXT", [JA_T_COMMAND] = "COMMAND",
        [JA_T_PERCENT] = "PERCENT", [JA_T_COMMANDS] = "COMMAND", [JA_T_MAP] = "TEXT",     [JA_T_DURATION] = "TIME"};
    if (field->values) {
        for (size_t i = 0; field->values[i]; i++)
            ja_str_addf(str, "%s%s", i ? "|" : "", field->values[i]);
        return;
    }
    ja_str_add(str, field->metavar ? field->metavar : by_type[field->type]);
    if (field->type == JA_T_STRINGS)
        ja_str_add(str, "[,...]");
}

/* What is worth knowing beside the sentence: "default yes; at the next start; admins only". */
static void add_remarks(const struct ja_field *field, struct ja_str *str)
{
    static const char *const whens[] = {
        [JA_WHEN_LIVE] = NULL, [JA_WHEN_RESTART] = "at the next start", [JA_WHEN_CREATE] = "at creation only"};
    unsigned systems = field->flags & (JA_F_LINUX | JA_F_FREEBSD);
    bool given = !(field->flags & JA_F_STATE);
    const char *remarks[] = {
        given ? whens[field->when] : "read only",
        field->flags & JA_F_REQUIRED && given ? "required" : NULL,
        systems == JA_F_LINUX     ? "Linux only"
        : systems == JA_F_FREEBSD ? "FreeBSD only"
                                  : NULL,
        field->flags & JA_F_ADMIN ? "admins only" : NULL,
    };
    const char *between = " (";
    if (field->def && given) {
        ja_str_addf(str, "%sdefault %s", between, field->def);
        between = "; ";
    }
    for (size_t i = 0; i < JA_COUNT(remarks); i++) {
        if (!remarks[i])
            continue;
        ja_str_addf(str, "%s%s", between, remarks[i]);
        between = "; ";
    }
    if (between[0] == ';')
        ja_str_add(str, ")");
}

static void add_field(const struct ja_field *field, const struct ja_at *at, bool mdoc, struct ja_str *str)
{
    ja_str_add(str, mdoc ? ".It Cm " : "  ");
    ja_at_render(at, str);
    if (field->type == JA_T_MAP)
        ja_str_add(str, ".NAME");
    ja_str_add(str, mdoc ? " Ns = Ns Ar " : "=");
    add_metavar(field, str);
    ja_str_addf(str, mdoc ? "\n%c%s" : "\n      %c%s", mdoc ? toupper(field->doc[0]) : field->doc[0], field->doc + 1);
    add_remarks(field, str);
    ja_str_add(str, mdoc ? ".\n" : "\n");
}

static void add_fields(const struct ja_noun *noun, size_t first, const struct ja_at *at, bool mdoc, struct ja_str *str)
{
    for (size_t i = first; i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        struct ja_at here = {at, field->name};
        if (field->type == JA_T_OBJECT) {
            add_fields(field->noun, 0, &here, mdoc, str);
        } else if (field->type == JA_T_LIST) {
            const char *metavar = field->noun->fields[0].metavar;
            struct ja_at entry = {&here, metavar ? metavar : "NAME"};
            add_fields(field->noun, 1, &entry, mdoc, str); /* the first is the key, which the path holds */
        } else {
            add_field(field, &here, mdoc, str);
        }
    }
}

void ja_noun_doc(const struct ja_noun *noun, bool mdoc, struct ja_str *str)
{
    add_fields(noun, 0, NULL, mdoc, str);
}

void ja_field_doc(const struct ja_field *field, const char *path, struct ja_str *str)
{
    struct ja_at at = {NULL, path};
    if (field->type != JA_T_OBJECT && field->type != JA_T_LIST)
        add_field(field, &at, false, str);
}
