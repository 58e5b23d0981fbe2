/*
 * field_json.c: objects as JSON and back. What is read may be hostile; depth is bounded by the tables, and
 * nothing is believed before the object has been checked as a whole.
 */
#include "model/field_impl.h"

#include <stdio.h>
#include <string.h>

static json_t *write_strings(const struct ja_strv *strv)
{
    json_t *json = json_array();
    for (size_t i = 0; json && i < strv->count; i++) {
        if (json_array_append_new(json, json_string(strv->items[i])) < 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static json_t *write_map(const struct ja_map *map)
{
    json_t *json = json_object();
    for (size_t i = 0; json && i < map->count; i++) {
        if (json_object_set_new(json, map->pairs[i].key, json_string(map->pairs[i].value)) < 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static json_t *write_list(const struct ja_noun *noun, const struct ja_list *list, bool all)
{
    json_t *json = json_array();
    for (size_t i = 0; json && i < list->count; i++) {
        if (json_array_append_new(json, ja_object_to_json(noun, list->items[i], all)) < 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

/* Seconds, cores and percents, which are whole numbers of a part in memory. */
static json_t *write_decimal(int64_t value, int64_t one)
{
    return value % one ? json_real((double)value / (double)one) : json_integer(value / one);
}

static json_t *write_value(const struct ja_field *field, const void *value, bool all)
{
    switch (field->type) {
    case JA_T_STRING:
        return *(char *const *)value ? json_string(*(char *const *)value) : json_null();
    case JA_T_BOOL:
        return json_boolean(*(const bool *)value);
    case JA_T_ENUM:
        return json_string(field->values[*(const int *)value]);
    case JA_T_DURATION:
    case JA_T_CORES:
        return write_decimal(*(const int64_t *)value, 1000);
    case JA_T_PERCENT:
        return write_decimal(*(const int64_t *)value, 10000);
    case JA_T_STRINGS:
    case JA_T_COMMAND:
    case JA_T_COMMANDS:
        return write_strings(value);
    case JA_T_MAP:
        return write_map(value);
    case JA_T_OBJECT:
        return ja_object_to_json(field->noun, value, all);
    case JA_T_LIST:
        return write_list(field->noun, value, all);
    default:
        return json_integer(*(const int64_t *)value);
    }
}

json_t *ja_object_to_json(const struct ja_noun *noun, const void *object, bool all)
{
    json_t *json = json_object();
    for (size_t i = 0; json && i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        const void *value = ja_field_value(field, object);
        if (!all && ja_field_is_default(field, value))
            continue;
        if (json_object_set_new(json, field->name, write_value(field, value, all)) < 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

struct reader {
    bool trusted;
    struct ja_error *err;
};

static int read_object(struct reader *reader, const struct ja_noun *noun, void *object, const json_t *json,
                       const struct ja_at *at);

static int refuse(struct reader *reader, const struct ja_at *at, const json_t *json, const char *allowed)
{
    static const char *const given[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",  [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "true/false",
        [JSON_FALSE] = "true/false", [JSON_NULL] = "null"};
    ja_error_set(reader->err, JA_E_INVALID, NULL, "%s was given; allowed is %s", given[json_typeof(json)], allowed);
    return ja_at_blame(at, JA_E_INVALID, reader->err);
}

/* The text of a JSON string, or NULL when it is another type or holds a zero byte. */
static const char *plain_text(const json_t *json)
{
    const char *text = json_string_value(json);
    return text && strlen(text) == json_string_length(json) ? text : NULL;
}

/* What a number, text or true/false would be on the command line; NULL when its type does not suit the field.
 */
static const char *scalar_text(const struct ja_field *field, const json_t *json, char *buffer, size_t size)
{
    bool countable = ja_type_is_number(field->type) && field->type != JA_T_BOOL && field->type != JA_T_ENUM;
    if (json_is_string(json))
        return plain_text(json);
    if (field->type == JA_T_BOOL && json_is_boolean(json))
        return json_is_true(json) ? "yes" : "no";
    if (countable && json_is_integer(json))
        snprintf(buffer, size, "%lld", (long long)json_integer_value(json));
    else if (countable && json_is_real(json))
        snprintf(buffer, size, "%.15g", json_real_value(json));
    else
        return NULL;
    return buffer;
}

static int read_scalar(struct reader *reader, const struct ja_field *field, void *value, const json_t *json,
                       const struct ja_at *at)
{
    char buffer[64];
    const char *text = scalar_text(field, json, buffer, sizeof buffer);
    if (!text)
        return refuse(reader, at, json,
                      field->type == JA_T_BOOL       ? "true or false"
                      : field->type == JA_T_STRING   ? "a text without zero bytes"
                      : ja_type_is_strv(field->type) ? "a list of texts"
                      : field->type == JA_T_ENUM     ? "a text without zero bytes"
                                                     : "a number, or a text with a unit");
    return ja_at_blame(at, ja_field_parse(field, value, text, reader->err), reader->err);
}

static int read_strings(struct reader *reader, const struct ja_field *field, struct ja_strv *strv, const json_t *json,
                        const struct ja_at *at)
{
    size_t i;
    json_t *item;
    ja_strv_fini(strv);
    if (json_array_size(json) > JA_ENTRIES_MOST)
        return refuse(reader, at, json, "a list of at most 1024 texts");
    json_array_foreach(json, i, item)
    {
        const char *text = plain_text(item);
        if (!text)
            return refuse(reader, at, item, "a list of texts without zero bytes");
        bool again = field->type == JA_T_STRINGS && ja_strv_has(strv, text);
        if (!again && ja_strv_add(strv, text) < 0)
            return ja_error_nomem(reader->err);
    }
    return 0;
}

static int read_map(struct reader *reader, struct ja_map *map, const json_t *json, const struct ja_at *at)
{
    const char *key;
    json_t *item;
    if (!json_is_object(json) || json_object_size(json) > JA_ENTRIES_MOST)
        return refuse(reader, at, json, "an object of at most 1024 texts");
    json_object_foreach((json_t *)json, key, item)
    {
        struct ja_at here = {at, key};
        if (!plain_text(item))
            return refuse(reader, &here, item, "a text without zero bytes");
        if (ja_map_set(map, key, plain_text(item)) < 0)
            return ja_error_nomem(reader->err);
    }
    return 0;
}

/* One entry of a list; `json` may hold its key again, and may be null. */
static int read_entry(struct reader *reader, const struct ja_field *field, struct ja_list *list, const char *key,
                      const json_t *json, const struct ja_at *at)
{
    struct ja_at here = {at, key};
    if (ja_list_get(list, key)) {
        ja_error_set(reader->err, JA_E_INVALID, NULL, "it is there twice");
        return ja_at_blame(&here, JA_E_INVALID, reader->err);
    }
    void *entry = ja_object_new(field->noun);
    if (!entry || ja_list_add(field->noun, list, entry) < 0)
        return ja_error_nomem(reader->err);
    const struct ja_field *first = &field->noun->fields[0];
    int rc = ja_field_parse(first, ja_field_value(first, entry), key, reader->err);
    if (rc == 0 && !json_is_null(json))
        rc = read_object(reader, field->noun, entry, json, &here);
    if (rc == 0 && !ja_str_equal(ja_object_key(entry), key)) {
        ja_error_set(reader->err, JA_E_INVALID, first->name, "it differs from the name of its entry");
        rc = ja_at_blame(&here, JA_E_INVALID, reader->err);
    }
    return rc;
}

static int read_list(struct reader *reader, const struct ja_field *field, struct ja_list *list, const json_t *json,
                     const struct ja_at *at)
{
    size_t i;
    const char *key;
    json_t *item;
    int rc = 0;
    if (json_array_size(json) > JA_ENTRIES_MOST || json_object_size(json) > JA_ENTRIES_MOST)
        return refuse(reader, at, json, "at most 1024 entries");
    if (json_is_object(json)) {
        json_object_foreach((json_t *)json, key, item)
        {
            if (rc == 0)
                rc = read_entry(reader, field, list, key, item, at);
        }
        return rc;
    }
    if (!json_is_array(json))
        return refuse(reader, at, json, "a list of objects, or an object of them by name");
    json_array_foreach(json, i, item)
    {
        key = plain_text(json_object_get(item, field->noun->fields[0].name));
        if (!key) {
            ja_error_set(reader->err, JA_E_INVALID, NULL, "entry %zu has no text \"%s\"", i + 1,
                         field->noun->fields[0].name);
            return ja_at_blame(at, JA_E_INVALID, reader->err);
        }
        rc = read_entry(reader, field, list, key, item, at);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_value(struct reader *reader, const struct ja_field *field, void *value, const json_t *json,
                      const struct ja_at *at)
{
    if (json_is_null(json))
        return 0; /* as if it were not there */
    if (field->type == JA_T_OBJECT)
        return read_object(reader, field->noun, value, json, at);
    if (field->type == JA_T_LIST)
        return read_list(reader, field, value, json, at);
    if (field->type == JA_T_MAP)
        return read_map(reader, value, json, at);
    if (ja_type_is_strv(field->type) && json_is_array(json))
        return read_strings(reader, field, value, json, at);
    return read_scalar(reader, field, value, json, at);
}

static int read_object(struct reader *reader, const struct ja_noun *noun, void *object, const json_t *json,
                       const struct ja_at *at)
{
    const char *key;
    json_t *item;
    if (!json_is_object(json))
        return refuse(reader, at, json, "an object");
    json_object_foreach((json_t *)json, key, item)
    {
        const struct ja_field *field = ja_noun_field(noun, key);
        struct ja_at here = {at, key};
        int rc;
        if (!field && reader->trusted)
            continue;
        if (!field) {
            rc = ja_at_blame(&here, ja_noun_unknown(noun, key, reader->err), reader->err);
        } else if (field->flags & JA_F_STATE && !reader->trusted) {
            ja_error_set(reader->err, JA_E_INVALID, NULL, "jailadmin sets it itself; it cannot be given");
            rc = ja_at_blame(&here, JA_E_INVALID, reader->err);
        } else {
            rc = read_value(reader, field, ja_field_value(field, object), item, &here);
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

int ja_object_from_json(const struct ja_noun *noun, const json_t *json, bool trusted, void **ret_object,
                        struct ja_error *err)
{
    struct reader reader = {trusted, err};
    ja_error_clear(err);
    void *object = ja_object_new(noun);
    if (!object)
        return ja_error_nomem(err);
    int rc = read_object(&reader, noun, object, json, NULL);
    if (rc == 0 && !trusted)
        rc = ja_object_check(noun, object, err);
    if (rc < 0) {
        ja_object_free(noun, object);
        return rc;
    }
    *ret_object = object;
    return 0;
}

json_t *ja_json_load(const char *text, size_t length, size_t flags, json_error_t *ret_where, bool *ret_nomem)
{
    json_error_t where;
    unsigned long failures = ja_alloc_failures();
    json_t *json = json_loadb(text, length, flags, ret_where ? ret_where : &where);
    *ret_nomem = ja_alloc_failures() != failures;
    if (!*ret_nomem)
        return json;
    json_decref(json);
    return NULL;
}

int ja_json_read(const char *text, const char *object, json_t **ret_json, struct ja_error *err)
{
    json_error_t where;
    bool nomem;
    json_t *json = ja_json_load(text, strlen(text), 0, &where, &nomem);
    if (nomem)
        return ja_error_nomem(err);
    if (!json)
        return ja_error_set(err, JA_E_CORRUPT, object, "it is not JSON: line %d: %s", where.line, where.text);
    *ret_json = json;
    return 0;
}

static int add_text(const char *bytes, size_t count, void *context)
{
    struct ja_str *str = context;
    ja_str_addn(str, bytes, count);
    return str->failed ? -1 : 0;
}

char *ja_json_text(const json_t *json, size_t flags)
{
    ja_autostr struct ja_str text = {0};
    if (json_dump_callback(json, add_text, &text, flags) < 0 || text.failed)
        return NULL;
    return ja_str_take(&text);
}
