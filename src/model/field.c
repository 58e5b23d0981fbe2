/*
 * field.c: objects as their field tables describe them: made, copied, compared, checked, freed; lists;
 * finding fields.
 */
#include "model/field_impl.h"

#include <stdio.h>
#include <string.h>

void ja_json_init(void)
{
    json_set_alloc_funcs(ja_malloc, ja_free);
}

size_t ja_field_size(const struct ja_field *field)
{
    switch (field->type) {
    case JA_T_STRING:
        return sizeof(char *);
    case JA_T_BOOL:
        return sizeof(bool);
    case JA_T_ENUM:
        return sizeof(int);
    case JA_T_STRINGS:
    case JA_T_COMMAND:
    case JA_T_COMMANDS:
        return sizeof(struct ja_strv);
    case JA_T_MAP:
        return sizeof(struct ja_map);
    case JA_T_OBJECT:
        return field->noun->size;
    case JA_T_LIST:
        return sizeof(struct ja_list);
    default:
        return sizeof(int64_t);
    }
}

int ja_field_init(const struct ja_field *field, void *value)
{
    if (field->type == JA_T_OBJECT)
        return ja_object_init(field->noun, value);
    memset(value, 0, ja_field_size(field));
    return field->def ? ja_field_parse(field, value, field->def, NULL) : 0;
}

void ja_field_fini(const struct ja_field *field, void *value)
{
    if (field->type == JA_T_STRING)
        free(*(char **)value);
    else if (field->type == JA_T_MAP)
        ja_map_fini(value);
    else if (field->type == JA_T_OBJECT)
        ja_object_fini(field->noun, value);
    else if (ja_type_is_strv(field->type))
        ja_strv_fini(value);
    else if (field->type == JA_T_LIST)
        ja_list_fini(field->noun, value);
    memset(value, 0, ja_field_size(field));
}

static int copy_list(const struct ja_noun *noun, struct ja_list *ret_copy, const struct ja_list *from)
{
    for (size_t i = 0; i < from->count; i++) {
        void *entry = ja_object_copy(noun, from->items[i]);
        if (!entry || ja_list_add(noun, ret_copy, entry) < 0)
            return -1; /* what was copied so far is freed with the whole copy */
    }
    return 0;
}

static int copy_object(const struct ja_noun *noun, void *ret_copy, const void *from)
{
    int rc = 0;
    memset(ret_copy, 0, noun->size);
    for (size_t i = 0; rc == 0 && i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        rc = ja_field_copy(field, ja_field_value(field, ret_copy), ja_field_value(field, from));
    }
    return rc;
}

int ja_field_copy(const struct ja_field *field, void *ret_value, const void *value)
{
    const char *text;
    int rc = 0;
    memset(ret_value, 0, ja_field_size(field));
    if (field->type == JA_T_STRING) {
        text = *(char *const *)value;
        *(char **)ret_value = text ? ja_strdup(text) : NULL;
        rc = text && !*(char **)ret_value ? -1 : 0;
    } else if (field->type == JA_T_MAP) {
        rc = ja_map_copy(ret_value, value);
    } else if (field->type == JA_T_OBJECT) {
        rc = copy_object(field->noun, ret_value, value);
    } else if (field->type == JA_T_LIST) {
        rc = copy_list(field->noun, ret_value, value);
    } else if (ja_type_is_strv(field->type)) {
        rc = ja_strv_copy(ret_value, value);
    } else {
        memcpy(ret_value, value, ja_field_size(field));
    }
    return rc < 0 ? JA_E_NOMEM : 0;
}

bool ja_list_equal(const struct ja_noun *noun, const struct ja_list *a, const struct ja_list *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = ja_object_equal(noun, a->items[i], b->items[i]);
    return equal;
}

bool ja_field_equal(const struct ja_field *field, const void *a, const void *b)
{
    switch (field->type) {
    case JA_T_STRING:
        return ja_str_equal(*(char *const *)a, *(char *const *)b);
    case JA_T_STRINGS:
    case JA_T_COMMAND:
    case JA_T_COMMANDS:
        return ja_strv_equal(a, b);
    case JA_T_MAP:
        return ja_map_equal(a, b);
    case JA_T_OBJECT:
        return ja_object_equal(field->noun, a, b);
    case JA_T_LIST:
        return ja_list_equal(field->noun, a, b);
    default:
        return ja_field_number(field, a) == ja_field_number(field, b);
    }
}

bool ja_field_is_default(const struct ja_field *field, const void *value)
{
    const struct ja_strv *strv = value;
    char number[32];
    switch (field->type) {
    case JA_T_STRING:
        return ja_str_equal(*(char *const *)value, field->def);
    case JA_T_STRINGS: /* the tables have defaults of one text only */
        return field->def ? strv->count == 1 && strcmp(strv->items[0], field->def) == 0 : strv->count == 0;
    case JA_T_COMMAND:
    case JA_T_COMMANDS:
        return strv->count == 0;
    case JA_T_MAP:
        return ((const struct ja_map *)value)->count == 0;
    case JA_T_LIST:
        return ((const struct ja_list *)value)->count == 0;
    case JA_T_OBJECT:
        for (size_t i = 0; i < field->noun->field_count; i++) {
            const struct ja_field *part = &field->noun->fields[i];
            if (!ja_field_is_default(part, ja_field_value(part, value)))
                return false;
        }
        return true;
    case JA_T_ENUM:
        return strcmp(field->values[*(const int *)value], field->def ? field->def : field->values[0]) == 0;
    default:
        ja_value_format(field->type, ja_field_number(field, value), number, sizeof number);
        return strcmp(number, field->def ? field->def : field->type == JA_T_BOOL ? "no" : "0") == 0;
    }
}

int ja_object_init(const struct ja_noun *noun, void *object)
{
    int rc = 0;
    memset(object, 0, noun->size);
    for (size_t i = 0; rc == 0 && i < noun->field_count; i++)
        rc = ja_field_init(&noun->fields[i], ja_field_value(&noun->fields[i], object));
    if (rc < 0)
        ja_object_fini(noun, object);
    return rc;
}

void ja_object_fini(const struct ja_noun *noun, void *object)
{
    for (size_t i = 0; i < noun->field_count; i++)
        ja_field_fini(&noun->fields[i], ja_field_value(&noun->fields[i], object));
}

void *ja_object_new(const struct ja_noun *noun)
{
    void *object = ja_malloc(noun->size);
    if (object && ja_object_init(noun, object) < 0) {
        free(object);
        return NULL;
    }
    return object;
}

void ja_object_free(const struct ja_noun *noun, void *object)
{
    if (!object)
        return;
    ja_object_fini(noun, object);
    free(object);
}

void *ja_object_copy(const struct ja_noun *noun, const void *object)
{
    void *copy = ja_malloc(noun->size);
    if (copy && copy_object(noun, copy, object) < 0) {
        ja_object_free(noun, copy);
        return NULL;
    }
    return copy;
}

bool ja_object_equal(const struct ja_noun *noun, const void *a, const void *b)
{
    for (size_t i = 0; i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        if (!ja_field_equal(field, ja_field_value(field, a), ja_field_value(field, b)))
            return false;
    }
    return true;
}

int ja_object_reset(const struct ja_noun *noun, void *object, unsigned flags)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        void *value = ja_field_value(field, object);
        struct ja_list *list = value;
        if (field->flags & flags) {
            ja_field_fini(field, value);
            rc = ja_field_init(field, value);
        } else if (field->type == JA_T_OBJECT) {
            rc = ja_object_reset(field->noun, value, flags);
        }
        for (size_t j = 0; rc == 0 && field->type == JA_T_LIST && j < list->count; j++)
            rc = ja_object_reset(field->noun, list->items[j], flags);
    }
    return rc;
}

/* Replaces one value by a copy of another. */
static int replace_value(const struct ja_field *field, void *to, const void *from)
{
    union {
        struct ja_strv strv;
        struct ja_map map;
        struct ja_list list;
        int64_t number;
        char *text;
    } copy;
    if (ja_field_copy(field, &copy, from) < 0) {
        ja_field_fini(field, &copy);
        return JA_E_NOMEM;
    }
    ja_field_fini(field, to);
    memcpy(to, &copy, ja_field_size(field));
    return 0;
}

int ja_object_take_live(const struct ja_noun *noun, void *to, const void *from)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        void *value = ja_field_value(field, to);
        const void *new = ja_field_value(field, from);
        if (field->type == JA_T_OBJECT) {
            rc = ja_object_take_live(field->noun, value, new);
        } else if (field->when == JA_WHEN_LIVE) {
            rc = replace_value(field, value, new);
        } else if (field->type == JA_T_LIST) {
            const struct ja_list *list = value;
            for (size_t j = 0; rc == 0 && j < list->count; j++) {
                const void *entry = ja_list_get(new, ja_object_key(list->items[j]));
                if (entry)
                    rc = ja_object_take_live(field->noun, list->items[j], entry);
            }
        }
    }
    return rc;
}

void *ja_list_get(const struct ja_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (ja_str_equal(ja_object_key(list->items[i]), key))
            return list->items[i];
    return NULL;
}

int ja_list_add(const struct ja_noun *noun, struct ja_list *list, void *object)
{
    void **items = ja_realloc(list->items, (list->count + 1) * sizeof *items);
    if (!items) {
        ja_object_free(noun, object);
        return -1;
    }
    list->items = items;
    items[list->count++] = object;
    return 0;
}

void ja_list_fini(const struct ja_noun *noun, struct ja_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        ja_object_free(noun, list->items[i]);
    free(list->items);
    *list = (struct ja_list){0};
}

bool ja_list_remove(const struct ja_noun *noun, struct ja_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!ja_str_equal(ja_object_key(list->items[i]), key))
            continue;
        ja_object_free(noun, list->items[i]);
        list->count--;
        memmove(list->items + i, list->items + i + 1, (list->count - i) * sizeof *list->items);
        return true;
    }
    return false;
}

const struct ja_field *ja_noun_field(const struct ja_noun *noun, const char *name)
{
    for (size_t i = 0; i < noun->field_count; i++)
        if (strcmp(noun->fields[i].name, name) == 0)
            return &noun->fields[i];
    return NULL;
}

/* The names of a noun of few fields that somebody can set. */
static void hint_fields(const struct ja_noun *noun, struct ja_error *err)
{
    enum { FEW = 12 };
    ja_autostr struct ja_str names = {0};
    for (size_t i = 0; i < noun->field_count; i++)
        if (!(noun->fields[i].flags & JA_F_STATE))
            ja_str_addf(&names, "%s%s", names.length ? ", " : "", noun->fields[i].name);
    if (noun->field_count <= FEW && names.text && !names.failed)
        ja_error_hint(err, "allowed are %s", names.text);
}

int ja_noun_unknown(const struct ja_noun *noun, const char *name, struct ja_error *err)
{
    const char *nearest = NULL;
    size_t least = 3; /* more typing errors than two are another word */
    for (size_t i = 0; i < noun->field_count; i++) {
        size_t distance = ja_str_distance(name, noun->fields[i].name);
        if (distance < least) {
            least = distance;
            nearest = noun->fields[i].name;
        }
    }
    int code = ja_error_set(err, JA_E_INVALID, NULL, "%s has no field \"%s\"", noun->name, JA_SHOW(name));
    if (nearest)
        ja_error_hint(err, "did you mean \"%s\"?", nearest);
    else
        hint_fields(noun, err);
    return code;
}
