/*
 * value.c: the values of fields as text and back: numbers with units, words of a choice, lists, commands.
 */
#include "model/field_impl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *suffix;
    int64_t factor;
};

/* Within a table: what is written, largest first, then other ways to say the same. MB is missing on purpose:
 * nobody knows whether it means 1000s. */
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit sizes[] = {
    {"T", 1LL << 40},   {"G", 1LL << 30},   {"M", 1LL << 20},   {"K", 1LL << 10},   {"", 1},  {"B", 1},
    {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"TiB", 1LL << 40}, {NULL, 0}};
static const struct unit rates[] = {{"Gbit", 1000000000}, {"Mbit", 1000000}, {"kbit", 1000},
                                    {"bit", 1},           {"", 1},           {NULL, 0}};
static const struct unit durations[] = {{"h", 3600000}, {"m", 60000},    {"s", 1000}, {"ms", 1},
                                        {"", 1000},     {"d", 86400000}, {NULL, 0}};
static const struct unit cores[] = {{"", 1000}, {"%", 10}, {NULL, 0}};
static const struct unit percents[] = {{"%", 10000}, {"", 10000}, {NULL, 0}};

/* By type: its units, and what to tell a user who got it wrong. */
static const struct {
    const struct unit *units;
    const char *what, *allowed;
} kinds[] = {
    [JA_T_BOOL] = {NULL, "yes or no", "allowed are yes and no"},
    [JA_T_INT] = {no_units, "a whole number", "allowed are digits only"},
    [JA_T_SIZE] = {sizes, "a size", "allowed is a number with K, M, G or T, such as 512M"},
    [JA_T_RATE] = {rates, "a rate", "allowed is a number with kbit, Mbit or Gbit, such as 10Mbit"},
    [JA_T_DURATION] = {durations, "a duration", "allowed is a number with ms, s, m, h or d, such as 30s"},
    [JA_T_CORES] = {cores, "a number of processor cores", "allowed are numbers such as 1.5 or 150%"},
    [JA_T_PERCENT] = {percents, "a percentage", "allowed are numbers such as 2% or 0.5%, with up to four decimals"},
};

bool ja_type_is_number(enum ja_type type)
{
    return type == JA_T_ENUM || (type < JA_COUNT(kinds) && kinds[type].what);
}

bool ja_type_is_strv(enum ja_type type)
{
    return type == JA_T_STRINGS || type == JA_T_COMMAND || type == JA_T_COMMANDS;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits, with fractions a point and digits, and a unit. What is finer than the type can hold is cut off, but
 * never to nothing: zero often means "no limit". */
static int parse_number(const char *text, const struct unit *units, int64_t *ret_value)
{
    int64_t whole = 0, part = 0, scale = 1;
    bool nonzero = false, fraction = false;
    const char *c = text;
    for (; is_digit(*c); c++) {
        if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *c - '0', &whole))
            return -1;
        nonzero = nonzero || *c != '0';
    }
    if (c == text)
        return -1;
    if (*c == '.' && units != no_units) {
        fraction = true;
        for (c++; is_digit(*c); c++) {
            /* Six digits, so that part * factor fits for the largest unit. */
            if (scale < 1000000) {
                part = part * 10 + (*c - '0');
                scale *= 10;
            }
            nonzero = nonzero || *c != '0';
        }
        if (c[-1] == '.')
            return -1;
    }
    while (units->suffix && strcasecmp(units->suffix, c) != 0)
        units++;
    if (!units->suffix || (fraction && units->factor == 1))
        return -1;
    int64_t value;
    if (__builtin_mul_overflow(whole, units->factor, &value) ||
        __builtin_add_overflow(value, part * units->factor / scale, &value))
        return -1;
    if (value == 0 && nonzero)
        return -1;
    *ret_value = value;
    return 0;
}

static int parse_bool(const char *text, int64_t *ret_value)
{
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "no") != 0 && strcmp(text, "false") != 0)
        return -1;
    *ret_value = yes;
    return 0;
}

int ja_value_parse(enum ja_type type, const char *text, int64_t *ret_value, struct ja_error *err)
{
    bool negative = type == JA_T_INT && *text == '-';
    int64_t value;
    int rc = type == JA_T_BOOL ? parse_bool(text, &value) : parse_number(text + negative, kinds[type].units, &value);
    if (rc < 0)
        return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" is not %s; %s", JA_SHOW(text), kinds[type].what,
                            kinds[type].allowed);
    *ret_value = negative ? -value : value;
    return 0;
}

/* With as many of the `digits` decimals as are not zero at the end; `one` is 1. */
static void format_decimal(int64_t value, int64_t one, int digits, const char *suffix, char *text, size_t size)
{
    char number[48];
    int n = snprintf(number, sizeof number, "%lld.%0*lld", (long long)(value / one), digits, (long long)(value % one));
    while (number[n - 1] == '0')
        number[--n] = '\0';
    if (number[n - 1] == '.')
        number[n - 1] = '\0';
    snprintf(text, size, "%s%s", number, value ? suffix : "");
}

void ja_value_format(enum ja_type type, int64_t value, char *text, size_t size)
{
    if (type == JA_T_BOOL) {
        snprintf(text, size, "%s", value ? "yes" : "no");
    } else if (type == JA_T_CORES) {
        format_decimal(value, 1000, 3, "", text, size);
    } else if (type == JA_T_PERCENT) {
        format_decimal(value, 10000, 4, "%", text, size);
    } else {
        const struct unit *unit = kinds[type].units;
        while (value % unit->factor != 0)
            unit++;
        snprintf(text, size, "%lld%s", (long long)(value / unit->factor), value ? unit->suffix : "");
    }
}

int64_t ja_field_number(const struct ja_field *field, const void *value)
{
    if (field->type == JA_T_BOOL)
        return *(const bool *)value;
    if (field->type == JA_T_ENUM)
        return *(const int *)value;
    return *(const int64_t *)value;
}

int ja_field_word(const struct ja_field *field, const char *text, int64_t *ret_number, struct ja_error *err)
{
    char allowed[256] = "";
    for (int i = 0; field->values[i]; i++) {
        if (strcmp(field->values[i], text) == 0) {
            if (ret_number)
                *ret_number = i;
            return 0;
        }
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", i ? ", " : "", field->values[i]);
    }
    return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" is not known here; allowed are %s", JA_SHOW(text), allowed);
}

static int parse_into_number(const struct ja_field *field, void *value, const char *text, struct ja_error *err)
{
    int64_t number = 0;
    int rc = field->type == JA_T_ENUM ? ja_field_word(field, text, &number, err)
                                      : ja_value_parse(field->type, text, &number, err);
    if (rc < 0)
        return rc;
    if (field->type == JA_T_BOOL)
        *(bool *)value = number != 0;
    else if (field->type == JA_T_ENUM)
        *(int *)value = (int)number;
    else
        *(int64_t *)value = number;
    return 0;
}

/* Calls `each` for the texts between commas. */
static int each_item(const char *text, int (*each)(struct ja_strv *strv, const char *item), struct ja_strv *strv)
{
    for (;;) {
        size_t length = strcspn(text, ",");
        ja_autofree char *item = ja_strndup(text, length);
        if (!item || each(strv, item) < 0)
            return -1;
        if (!text[length])
            return 0;
        text += length + 1;
    }
}

static int add_once(struct ja_strv *strv, const char *item)
{
    return ja_strv_has(strv, item) ? 0 : ja_strv_add(strv, item);
}

static int remove_item(struct ja_strv *strv, const char *item)
{
    ja_strv_remove(strv, item);
    return 0;
}

static int add_words(struct ja_strv *strv, const char *text, struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    int rc = ja_str_split_words(text, &words);
    if (rc == -2)
        return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" ends within quotes", JA_SHOW(text));
    for (size_t i = 0; rc == 0 && i < words.count; i++)
        rc = ja_strv_add(strv, words.items[i]);
    return rc < 0 ? ja_error_nomem(err) : 0;
}

int ja_field_parse_add(const struct ja_field *field, void *value, const char *text, struct ja_error *err)
{
    int rc = JA_E_INVALID;
    if (field->type == JA_T_STRINGS)
        rc = each_item(text, add_once, value);
    else if (field->type == JA_T_COMMANDS)
        rc = ja_strv_add(value, text);
    else if (field->type == JA_T_COMMAND)
        return add_words(value, text, err);
    else
        return ja_error_set(err, rc, NULL, "it holds one value; only lists can be added to");
    return rc < 0 ? ja_error_nomem(err) : 0;
}

int ja_field_parse_remove(const struct ja_field *field, void *value, const char *text, struct ja_error *err)
{
    if (field->type == JA_T_STRINGS)
        return each_item(text, remove_item, value) < 0 ? ja_error_nomem(err) : 0;
    if (field->type != JA_T_COMMANDS)
        return ja_error_set(err, JA_E_INVALID, NULL, "it holds one value; only lists can be taken from");
    ja_strv_remove(value, text);
    return 0;
}

int ja_field_parse(const struct ja_field *field, void *value, const char *text, struct ja_error *err)
{
    if (!*text) {
        ja_field_fini(field, value);
        return ja_field_init(field, value) < 0 ? ja_error_nomem(err) : 0;
    }
    if (ja_type_is_number(field->type))
        return parse_into_number(field, value, text, err);
    if (field->type == JA_T_STRING) {
        char *copy = ja_strdup(text);
        if (!copy)
            return ja_error_nomem(err);
        free(*(char **)value);
        *(char **)value = copy;
        return 0;
    }
    if (!ja_type_is_strv(field->type))
        return ja_error_set(err, JA_E_INVALID, NULL, "it is not a single value; name one of its parts: %s.%s=...",
                            field->name, field->type == JA_T_OBJECT ? "FIELD" : "NAME");
    ja_strv_fini(value);
    return ja_field_parse_add(field, value, text, err);
}

static void format_strv(enum ja_type type, const struct ja_strv *strv, struct ja_str *str)
{
    static const char *const between[] = {[JA_T_STRINGS] = ",", [JA_T_COMMAND] = " ", [JA_T_COMMANDS] = "; "};
    for (size_t i = 0; i < strv->count; i++) {
        if (i)
            ja_str_add(str, between[type]);
        if (type == JA_T_COMMAND)
            ja_str_add_quoted(str, strv->items[i]);
        else
            ja_str_add(str, strv->items[i]);
    }
}

/* The fields that are not as they are by default. */
void ja_object_format(const struct ja_noun *noun, const void *object, struct ja_str *str)
{
    const char *between = "";
    for (size_t i = 0; i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        if (ja_field_is_default(field, ja_field_value(field, object)))
            continue;
        ja_str_addf(str, "%s%s=", between, field->name);
        ja_field_format(field, ja_field_value(field, object), str);
        between = ",";
    }
}

static void format_map(const struct ja_map *map, struct ja_str *str)
{
    for (size_t i = 0; i < map->count; i++)
        ja_str_addf(str, "%s%s=%s", i ? "," : "", map->pairs[i].key, map->pairs[i].value);
}

static void format_keys(const struct ja_list *list, struct ja_str *str)
{
    for (size_t i = 0; i < list->count; i++)
        ja_str_addf(str, "%s%s", i ? "," : "", ja_object_key(list->items[i]));
}

void ja_field_format(const struct ja_field *field, const void *value, struct ja_str *str)
{
    char number[32];
    if (field->flags & JA_F_SECRET && !ja_field_is_default(field, value)) {
        ja_str_add(str, "***");
        return;
    }
    switch (field->type) {
    case JA_T_STRING:
        ja_str_add(str, *(char *const *)value ? *(char *const *)value : "");
        return;
    case JA_T_ENUM:
        ja_str_add(str, field->values[*(const int *)value]);
        return;
    case JA_T_STRINGS:
    case JA_T_COMMAND:
    case JA_T_COMMANDS:
        format_strv(field->type, value, str);
        return;
    case JA_T_MAP:
        format_map(value, str);
        return;
    case JA_T_OBJECT:
        ja_object_format(field->noun, value, str);
        return;
    case JA_T_LIST:
        format_keys(value, str);
        return;
    default:
        ja_value_format(field->type, ja_field_number(field, value), number, sizeof number);
        ja_str_add(str, number);
    }
}
