/*
 * field_check.c: whether an object is allowed: each value by its row in the table, then the object as a
 * whole; and the place of a mistake in its error.
 */
#include "model/field_impl.h"

#include <stdio.h>
#include <string.h>

static void add_text(char *buffer, size_t size, const char *text)
{
    size_t used = strlen(buffer);
    snprintf(buffer + used, size - used, "%s%s", used ? "." : "", *text || used ? text : "\"\"");
}

static void add_place(const struct ja_at *at, char *buffer, size_t size)
{
    if (!at)
        return;
    add_place(at->up, buffer, size);
    add_text(buffer, size, JA_SHOW(at->name));
}

int ja_at_blame(const struct ja_at *at, int code, struct ja_error *err)
{
    if (!err || code >= 0 || code == JA_E_NOMEM || ja_str_starts(err->object, "field "))
        return code;
    char place[sizeof err->object] = "";
    add_place(at, place, sizeof place);
    if (err->object[0])
        add_text(place, sizeof place, err->object);
    if (place[0])
        snprintf(err->object, sizeof err->object, "field %s", place);
    return code;
}

void ja_at_render(const struct ja_at *at, struct ja_str *str)
{
    if (at->up) {
        ja_at_render(at->up, str);
        ja_str_add(str, ".");
    }
    ja_str_add(str, at->name);
}

/* What holds for every text. Line breaks are for those that are handed on, not shown in tables: commands and
 * the values of maps. */
static int check_text(const char *text, bool lines, struct ja_error *err)
{
    size_t length = strlen(text);
    if (length > JA_TEXT_MOST)
        return ja_error_set(err, JA_E_INVALID, NULL, "%zu bytes were given; allowed are %d", length, JA_TEXT_MOST);
    if (!ja_str_printable(text, length, lines))
        return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" holds control characters or is not UTF-8", JA_SHOW(text));
    return 0;
}

static int check_item(const struct ja_field *field, const char *text, bool lines, struct ja_error *err)
{
    if (!*text && field->type != JA_T_COMMAND)
        return ja_error_set(err, JA_E_INVALID, NULL, "an empty text was given");
    int rc = check_text(text, lines, err);
    if (rc == 0 && field->values)
        rc = ja_field_word(field, text, NULL, err);
    return rc == 0 && field->check ? field->check(text, err) : rc;
}

static int check_command(const char *text, struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    int rc = ja_str_split_words(text, &words);
    if (rc == -1)
        return ja_error_nomem(err);
    if (rc < 0 || words.count == 0)
        return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" is not a command: %s", JA_SHOW(text),
                            rc < 0 ? "it ends within quotes" : "it has no words");
    return 0;
}

static int check_strings(const struct ja_field *field, const struct ja_strv *strv, struct ja_error *err)
{
    bool lines = field->type != JA_T_STRINGS;
    int rc = 0;
    if (strv->count > JA_ENTRIES_MOST)
        return ja_error_set(err, JA_E_INVALID, NULL, "%zu texts were given; allowed are %d", strv->count,
                            JA_ENTRIES_MOST);
    if (field->type == JA_T_COMMAND && strv->count && !*strv->items[0])
        return ja_error_set(err, JA_E_INVALID, NULL, "the program's name is empty");
    for (size_t i = 0; rc == 0 && i < strv->count; i++) {
        rc = check_item(field, strv->items[i], lines, err);
        if (rc == 0 && field->type == JA_T_COMMANDS)
            rc = check_command(strv->items[i], err);
    }
    return rc;
}

static int check_map(const struct ja_field *field, const struct ja_map *map, const struct ja_at *at,
                     struct ja_error *err)
{
    int rc = 0;
    if (map->count > JA_ENTRIES_MOST)
        return ja_error_set(err, JA_E_INVALID, NULL, "%zu entries were given; allowed are %d", map->count,
                            JA_ENTRIES_MOST);
    for (size_t i = 0; rc == 0 && i < map->count; i++) {
        struct ja_at here = {at, map->pairs[i].key};
        rc = check_item(field, map->pairs[i].key, false, err);
        if (rc == 0)
            rc = check_text(map->pairs[i].value, true, err);
        ja_at_blame(&here, rc, err);
    }
    return ja_at_blame(at, rc, err);
}

static int check_list(const struct ja_field *field, const struct ja_list *list, const struct ja_at *at,
                      struct ja_error *err)
{
    int rc = 0;
    if (list->count > JA_ENTRIES_MOST)
        return ja_at_blame(at,
                           ja_error_set(err, JA_E_INVALID, NULL, "%zu entries were given; allowed are %d", list->count,
                                        JA_ENTRIES_MOST),
                           err);
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        const char *key = ja_object_key(list->items[i]);
        struct ja_at here = {at, key ? key : "?"};
        rc = ja_object_check_at(field->noun, list->items[i], &here, err);
        if (rc == 0 && ja_list_get(list, key) != list->items[i])
            rc = ja_at_blame(&here, ja_error_set(err, JA_E_INVALID, NULL, "it is there twice"), err);
    }
    return rc;
}

static int check_number(const struct ja_field *field, const void *value, struct ja_error *err)
{
    int64_t number = ja_field_number(field, value);
    bool bounded = field->least || field->most;
    if (field->type == JA_T_BOOL || field->type == JA_T_ENUM || ja_field_is_default(field, value))
        return 0;
    if (number >= field->least && (!field->most || number <= field->most))
        return 0;
    char given[32], least[32], most[32];
    ja_value_format(field->type, number, given, sizeof given);
    ja_value_format(field->type, field->least, least, sizeof least);
    ja_value_format(field->type, field->most, most, sizeof most);
    if (bounded && field->most)
        return ja_error_set(err, JA_E_INVALID, NULL, "%s is out of range; allowed are %s to %s", given, least, most);
    return ja_error_set(err, JA_E_INVALID, NULL, "%s is out of range; allowed are %s and more", given, least);
}

static bool is_empty(const struct ja_field *field, const void *value)
{
    if (field->type == JA_T_STRING)
        return !*(char *const *)value;
    return ja_type_is_strv(field->type) && ((const struct ja_strv *)value)->count == 0;
}

int ja_field_check(const struct ja_field *field, const void *value, const struct ja_at *at, struct ja_error *err)
{
    int rc = 0;
    if (field->type == JA_T_OBJECT)
        return ja_object_check_at(field->noun, value, at, err);
    if (field->type == JA_T_LIST)
        return check_list(field, value, at, err);
    if (field->type == JA_T_MAP)
        return check_map(field, value, at, err);
    if (is_empty(field, value))
        rc = field->flags & JA_F_REQUIRED ? ja_error_set(err, JA_E_INVALID, NULL, "it must be given: %s", field->doc)
                                          : 0;
    else if (field->type == JA_T_STRING)
        rc = check_item(field, *(char *const *)value, false, err);
    else if (ja_type_is_strv(field->type))
        rc = check_strings(field, value, err);
    else
        rc = check_number(field, value, err);
    return ja_at_blame(at, rc, err);
}

int ja_object_check_at(const struct ja_noun *noun, const void *object, const struct ja_at *at, struct ja_error *err)
{
    for (size_t i = 0; i < noun->field_count; i++) {
        struct ja_at here = {at, noun->fields[i].name};
        int rc = ja_field_check(&noun->fields[i], ja_field_value(&noun->fields[i], object), &here, err);
        if (rc < 0)
            return rc;
    }
    return noun->check ? ja_at_blame(at, noun->check(object, err), err) : 0;
}

int ja_object_check(const struct ja_noun *noun, const void *object, struct ja_error *err)
{
    ja_error_clear(err);
    return ja_object_check_at(noun, object, NULL, err);
}
