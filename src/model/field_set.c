/*
 * field_set.c: fields by their paths: `set PATH=VALUE`, options that describe an entry of a list, and `get`.
 *
 * Changes are made to a copy that takes the object's place at the end, so that a refused one leaves nothing
 * behind.
 */
#include "model/field_impl.h"

#include <stdio.h>
#include <string.h>

enum op { OP_SET, OP_ADD, OP_REMOVE };

/* The end of a path: a field of an object, and what of the path is left: the key of an entry, or NULL. */
struct place {
    const struct ja_noun *noun;
    const struct ja_field *field;
    void *object; /* NULL when only the tables were asked */
    const char *key;
    bool in_entry; /* the object is an entry of a list */
};

static int find_place(const struct ja_noun *noun, void *object, const char *path, bool create, struct place *ret_place,
                      struct ja_error *err);

const struct ja_field *ja_noun_field_at(const struct ja_noun *noun, const char *path)
{
    struct place place = {0};
    return find_place(noun, NULL, path, false, &place, NULL) < 0 ? NULL : place.field;
}

/* Keys may hold dots ("/srv/a.b", "10.1.0.0/16"), so the key ends at the last dot after which a field
 * follows. Returns what follows; NULL when it is a key alone. */
static const char *after_key(const struct ja_noun *noun, const char *path)
{
    for (const char *c = path + strlen(path); c > path; c--)
        if (c[-1] == '.' && ja_noun_field_at(noun, c))
            return c;
    return NULL;
}

static int add_new_entry(const struct ja_noun *noun, struct ja_list *list, const char *key, void **ret_entry,
                         struct ja_error *err)
{
    void *entry = ja_object_new(noun);
    if (!entry || ja_list_add(noun, list, entry) < 0)
        return ja_error_nomem(err);
    const struct ja_field *first = &noun->fields[0];
    int rc = ja_field_parse(first, ja_field_value(first, entry), key, err);
    *ret_entry = entry;
    return rc < 0 ? rc : ja_field_check(first, ja_field_value(first, entry), NULL, err);
}

/* The entry of that key; a missing one is made or refused. */
static int find_entry(const struct ja_noun *noun, struct ja_list *list, const char *key, bool create, void **ret_entry,
                      struct ja_error *err)
{
    void *entry = ja_list_get(list, key);
    if (!entry && create)
        return add_new_entry(noun, list, key, ret_entry, err);
    if (!entry)
        return ja_error_set(err, JA_E_NOTFOUND, NULL, "there is no %s \"%s\"", noun->name, JA_SHOW(key));
    *ret_entry = entry;
    return 0;
}

/* Goes from an object to what `path` names in it, one name further each time. */
static int find_place(const struct ja_noun *noun, void *object, const char *path, bool create, struct place *ret_place,
                      struct ja_error *err)
{
    struct place place = {.noun = noun, .object = object};
    for (;;) {
        size_t length = strcspn(path, ".");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), path);
        place.field = ja_noun_field(place.noun, name);
        if (!place.field)
            return ja_noun_unknown(place.noun, name, err);
        const struct ja_field *field = place.field;
        void *value = place.object ? ja_field_value(field, place.object) : NULL;
        const char *rest = path[length] ? path + length + 1 : NULL;
        const char *further = rest && field->type == JA_T_LIST ? after_key(field->noun, rest) : NULL;
        if (rest && field->type == JA_T_OBJECT) {
            further = rest;
            place.object = value;
        } else if (further && value) {
            ja_autofree char *key = ja_strndup(rest, (size_t)(further - rest) - 1);
            int rc = key ? find_entry(field->noun, value, key, create, &place.object, err) : ja_error_nomem(err);
            if (rc < 0)
                return rc;
        }
        if (!further) {
            if (rest && field->type != JA_T_LIST && field->type != JA_T_MAP)
                return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" has no parts", name);
            place.key = rest;
            *ret_place = place;
            return 0;
        }
        place.noun = field->noun;
        place.in_entry = field->type == JA_T_LIST;
        path = further;
    }
}

static int each_key(const struct ja_field *field, void *value, const char *keys, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    const struct ja_field words = {.type = JA_T_STRINGS};
    int rc = ja_field_parse_add(&words, &names, keys, err);
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        if (field->type == JA_T_LIST)
            ja_list_remove(field->noun, value, names.items[i]);
        else
            rc = ja_map_set(value, names.items[i], NULL);
    }
    return rc;
}

/* How long the assignment at the beginning of `text` is: up to a comma after which the next one begins. */
static size_t assignment_length(const char *text)
{
    size_t length = strcspn(text, ",");
    while (text[length]) {
        const char *next = text + length + 1;
        size_t more = strcspn(next, ",");
        if (memchr(next, '=', more))
            break;
        length += 1 + more;
    }
    return length;
}

static int refuse_state(struct ja_error *err)
{
    return ja_error_set(err, JA_E_INVALID, NULL, "jailadmin sets it itself; it cannot be given");
}

/* What of an entry the path meant, "shape.foo" in "eth0.shape.foo": says which part has no such field. */
static int unknown_part(const struct ja_noun *noun, const char *key, struct ja_error *err)
{
    const char *last = strrchr(key, '.');
    for (const char *c = last; c > key; c--) {
        ja_autofree char *path = c[-1] == '.' ? ja_strndup(c, (size_t)(last - c)) : NULL;
        const struct ja_field *part = path ? ja_noun_field_at(noun, path) : NULL;
        if (part && part->type == JA_T_OBJECT)
            return ja_noun_unknown(part->noun, last + 1, err);
    }
    return ja_noun_unknown(noun, last + 1, err);
}

/* An entry of a map or a list as a whole. */
static int change_entry(const struct place *place, void *value, enum op op, const char *text, struct ja_error *err)
{
    if (op == OP_SET && place->field->type == JA_T_MAP)
        return ja_map_set(value, place->key, *text ? text : NULL) < 0 ? ja_error_nomem(err) : 0;
    if (op == OP_SET && !*text) {
        ja_list_remove(place->field->noun, value, place->key);
        return 0;
    }
    if (place->field->type == JA_T_LIST && strchr(place->key, '.'))
        return unknown_part(place->field->noun, place->key, err);
    return ja_error_set(err, JA_E_INVALID, NULL, "it is not a single value; %s",
                        place->field->type == JA_T_LIST ? "name one of its fields" : "only = can be used");
}

/* One "field=value" or "part.field=value" of an entry. Said again, it adds to a list. */
static int assign_in_entry(const struct ja_noun *noun, void *entry, char *assignment, struct ja_strv *seen,
                           const struct ja_at *at, struct ja_error *err)
{
    char *equals = strchr(assignment, '=');
    if (equals)
        *equals = '\0';
    struct ja_at here = {at, assignment};
    struct place place;
    int rc = find_place(noun, entry, assignment, true, &place, err);
    if (rc < 0)
        return ja_at_blame(&here, rc, err);
    const struct ja_field *field = place.field;
    void *value = ja_field_value(field, place.object);
    bool again = ja_strv_has(seen, assignment), key = field == &noun->fields[0];
    if (field->flags & JA_F_STATE)
        rc = refuse_state(err);
    else if (!equals || key || (again && !ja_type_is_strv(field->type)))
        rc = ja_error_set(err, JA_E_INVALID, NULL, !equals ? "it has no value; write %s=VALUE" : "%s is given twice",
                          assignment);
    else if (place.key)
        rc = change_entry(&place, value, OP_SET, equals + 1, err);
    else
        rc = (again ? ja_field_parse_add : ja_field_parse)(field, value, equals + 1, err);
    if (rc == 0 && !again && ja_strv_add(seen, assignment) < 0)
        rc = ja_error_nomem(err);
    if (rc < 0 || place.key)
        return ja_at_blame(&here, rc, err);
    return ja_field_check(field, value, &here, err);
}

/* "eth0,network=lan,address=10.0.0.5" */
static int set_entry(const struct ja_field *field, struct ja_list *list, const char *text, struct ja_error *err)
{
    size_t length = strcspn(text, ",");
    ja_autofree char *key = ja_strndup(text, length);
    if (!key)
        return ja_error_nomem(err);
    struct ja_at of_list = {NULL, field->name}, here = {&of_list, key};
    ja_autostrv struct ja_strv seen = {0};
    void *entry;
    int rc = ja_at_blame(&here, find_entry(field->noun, list, key, true, &entry, err), err);
    for (text += length; rc == 0 && *text; text += length) {
        text++;
        length = assignment_length(text);
        ja_autofree char *assignment = ja_strndup(text, length);
        rc = assignment ? assign_in_entry(field->noun, entry, assignment, &seen, &here, err) : ja_error_nomem(err);
    }
    return rc;
}

static int change_field(const struct place *place, void *value, enum op op, const char *text, struct ja_error *err)
{
    const struct ja_field *field = place->field;
    bool keyed = field->type == JA_T_LIST || field->type == JA_T_MAP;
    if (op == OP_ADD && field->type == JA_T_LIST)
        return set_entry(field, value, text, err);
    if (op == OP_REMOVE && keyed)
        return each_key(field, value, text, err);
    if (op == OP_ADD)
        return ja_field_parse_add(field, value, text, err);
    return (op == OP_SET ? ja_field_parse : ja_field_parse_remove)(field, value, text, err);
}

static int check_allowed(const struct place *place, bool creating, struct ja_error *err)
{
    if (place->field->flags & JA_F_STATE)
        return refuse_state(err);
    if (place->in_entry && place->field == &place->noun->fields[0])
        return ja_error_set(err, JA_E_INVALID, NULL,
                            "the key of an entry cannot be changed; remove it and add another");
    if (place->field->when == JA_WHEN_CREATE && !creating)
        return ja_error_set(err, JA_E_INVALID, NULL, "it can only be given when the %s is created", place->noun->name);
    return 0;
}

static int change(const struct ja_noun *noun, void *object, char *path, enum op op, const char *text, bool creating,
                  struct ja_error *err)
{
    struct place place;
    struct ja_at at = {NULL, path};
    int rc = find_place(noun, object, path, true, &place, err);
    if (rc == 0)
        rc = check_allowed(&place, creating, err);
    if (rc < 0)
        return ja_at_blame(&at, rc, err);
    void *value = ja_field_value(place.field, place.object);
    rc = place.key ? change_entry(&place, value, op, text, err) : change_field(&place, value, op, text, err);
    /* Entries and parts may be incomplete until the last assignment: they are checked with the whole object.
     */
    if (rc < 0 || place.field->type == JA_T_LIST || place.field->type == JA_T_OBJECT)
        return ja_at_blame(&at, rc, err);
    if (place.key)
        path[place.key - path - 1] = '\0'; /* the check adds the key itself */
    return ja_field_check(place.field, value, &at, err);
}

/* The changed copy takes the object's place, or is thrown away. */
static int finish(const struct ja_noun *noun, void *object, void *copy, int rc)
{
    if (rc < 0) {
        ja_object_free(noun, copy);
        return rc;
    }
    ja_object_fini(noun, object);
    memcpy(object, copy, noun->size);
    free(copy);
    return 0;
}

int ja_object_set(const struct ja_noun *noun, void *object, const char *assignment, bool creating, struct ja_error *err)
{
    const char *equals = strchr(assignment, '=');
    char before = equals && equals > assignment ? equals[-1] : '\0';
    enum op op = before == '+' ? OP_ADD : before == '-' ? OP_REMOVE : OP_SET;
    if (!equals || equals - assignment == (op != OP_SET))
        return ja_error_set(err, JA_E_USAGE, NULL, "\"%s\" is not FIELD=VALUE", JA_SHOW(assignment));
    ja_error_clear(err);
    ja_autofree char *path = ja_strndup(assignment, (size_t)(equals - assignment) - (op != OP_SET));
    void *copy = path ? ja_object_copy(noun, object) : NULL;
    if (!copy)
        return ja_error_nomem(err);
    return finish(noun, object, copy, change(noun, copy, path, op, equals + 1, creating, err));
}

int ja_object_set_entry(const struct ja_noun *noun, void *object, const char *list_field, const char *text,
                        struct ja_error *err)
{
    const struct ja_field *field = ja_noun_field(noun, list_field);
    ja_error_clear(err);
    if (!field || field->type != JA_T_LIST)
        return ja_noun_unknown(noun, list_field, err);
    void *copy = ja_object_copy(noun, object);
    if (!copy)
        return ja_error_nomem(err);
    return finish(noun, object, copy, set_entry(field, ja_field_value(field, copy), text, err));
}

static int format_entry(const struct place *place, const void *value, struct ja_str *str, struct ja_error *err)
{
    const char *text = place->field->type == JA_T_MAP ? ja_map_get(value, place->key) : NULL;
    const void *entry = place->field->type == JA_T_LIST ? ja_list_get(value, place->key) : NULL;
    if (text)
        ja_str_add(str, text);
    else if (entry)
        ja_object_format(place->field->noun, entry, str);
    else
        return ja_error_set(err, JA_E_NOTFOUND, NULL, "there is no \"%s\"", JA_SHOW(place->key));
    return 0;
}

int ja_object_get(const struct ja_noun *noun, const void *object, const char *path, char **ret_text,
                  struct ja_error *err)
{
    ja_autostr struct ja_str str = {0};
    struct ja_at at = {NULL, path};
    struct place place;
    ja_error_clear(err);
    /* Without `create` nothing is changed. */
    int rc = find_place(noun, (void *)object, path, false, &place, err);
    if (rc == JA_E_INVALID)
        rc = JA_E_NOTFOUND;
    if (rc == 0 && place.key)
        rc = format_entry(&place, ja_field_value(place.field, place.object), &str, err);
    else if (rc == 0)
        ja_field_format(place.field, ja_field_value(place.field, place.object), &str);
    if (rc < 0) {
        if (err)
            err->code = rc;
        return ja_at_blame(&at, rc, err);
    }
    char *text = ja_str_take(&str);
    if (!text)
        return ja_error_nomem(err);
    *ret_text = text;
    return 0;
}
