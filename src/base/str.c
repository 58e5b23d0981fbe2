/*
 * str.c: growing strings, string vectors and maps; quoting for sh(1); showing hostile text.
 */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ja_str_addn(struct ja_str *str, const char *bytes, size_t count)
{
    if (str->failed)
        return;
    if (count >= SIZE_MAX / 2 - str->length) {
        str->failed = true;
        return;
    }
    size_t need = str->length + count + 1;
    if (need > str->size) {
        size_t size = str->size ? str->size * 2 : 64;
        if (size < need)
            size = need;
        char *text = ja_realloc(str->text, size);
        if (!text) {
            str->failed = true;
            return;
        }
        str->text = text;
        str->size = size;
    }
    if (count)
        memcpy(str->text + str->length, bytes, count);
    str->length += count;
    str->text[str->length] = '\0';
}

void ja_str_add(struct ja_str *str, const char *text)
{
    ja_str_addn(str, text, strlen(text));
}

void ja_str_addf(struct ja_str *str, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n < 0) {
        str->failed = true;
        return;
    }
    if ((size_t)n < sizeof small) {
        ja_str_addn(str, small, (size_t)n);
        return;
    }
    char *large = ja_malloc((size_t)n + 1);
    if (!large) {
        str->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(large, (size_t)n + 1, format, args);
    va_end(args);
    ja_str_addn(str, large, (size_t)n);
    free(large);
}

void ja_str_add_number(struct ja_str *str, int64_t number)
{
    char digits[24], *first = digits + sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        *--first = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--first = '-';
    ja_str_addn(str, first, (size_t)(digits + sizeof digits - first));
}

bool ja_str_digits(const char **at, uint64_t *ret_number)
{
    const char *digit = *at;
    uint64_t number = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        uint64_t value = (uint64_t)(*digit - '0');
        if (number > (UINT64_MAX - value) / 10)
            return false;
        number = number * 10 + value;
    }
    if (digit == *at)
        return false;
    *at = digit;
    *ret_number = number;
    return true;
}

void ja_str_add_quoted(struct ja_str *str, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%^";
    if (*word && word[strspn(word, plain)] == '\0') {
        ja_str_add(str, word);
        return;
    }
    ja_str_addn(str, "'", 1);
    for (const char *c = word; *c; c++) {
        if (*c == '\'')
            ja_str_add(str, "'\\''");
        else
            ja_str_addn(str, c, 1);
    }
    ja_str_addn(str, "'", 1);
}

/* How many bytes of a valid, printable UTF-8 sequence begin at bytes[0]; 0 when none does. C1 controls, the
 * directional overrides and other format characters that can fool a reader count as none. */
static size_t printable_utf8(const unsigned char *bytes, size_t count)
{
    static const struct {
        unsigned char mask, lead, length;
        uint32_t least;
    } forms[] = {{0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
    if (bytes[0] < 0x80)
        return bytes[0] >= 0x20 && bytes[0] != 0x7f;
    for (size_t f = 0; f < JA_COUNT(forms); f++) {
        if ((bytes[0] & forms[f].mask) != forms[f].lead || count < forms[f].length)
            continue;
        uint32_t point = bytes[0] & (unsigned char)~forms[f].mask;
        for (size_t i = 1; i < forms[f].length; i++) {
            if ((bytes[i] & 0xc0) != 0x80)
                return 0;
            point = point << 6 | (bytes[i] & 0x3f);
        }
        bool surrogate = point >= 0xd800 && point <= 0xdfff;
        bool control = point < 0xa0;
        bool format = (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
                      (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || point == 0x61c;
        if (point < forms[f].least || point > 0x10ffff || surrogate || control || format)
            return 0;
        return forms[f].length;
    }
    return 0;
}

/* How many bytes at bytes[0] may be shown as they are; 0: the first one has to be escaped. */
static size_t shown_as_is(const char *bytes, size_t count, bool keep_lines)
{
    if (keep_lines && (*bytes == '\n' || *bytes == '\t'))
        return 1;
    return printable_utf8((const unsigned char *)bytes, count);
}

void ja_str_add_shown(struct ja_str *str, const char *bytes, size_t count, bool keep_lines)
{
    for (size_t i = 0, end = 0, n = 1; i < count; i = end) {
        while (end < count && bytes[end] >= ' ' && bytes[end] < 0x7f) /* mostly all of it */
            end++;
        for (; end < count && (n = shown_as_is(bytes + end, count - end, keep_lines)) > 0;)
            end += n;
        ja_str_addn(str, bytes + i, end - i);
        if (end < count)
            ja_str_addf(str, "\\x%02x", (unsigned char)bytes[end++]);
    }
}

bool ja_str_printable(const char *bytes, size_t count, bool keep_lines)
{
    size_t n = 1;
    for (size_t i = 0; i < count && n; i += n)
        n = shown_as_is(bytes + i, count - i, keep_lines);
    return n != 0;
}

const char *ja_str_show(char *buffer, size_t size, const char *text)
{
    static const char cut[] = "...";
    size_t count = strlen(text), used = 0, fits = 0; /* fits: how much leaves room for the mark of a cut */
    for (size_t i = 0; i < count;) {
        size_t n = shown_as_is(text + i, count - i, false), width = n ? n : 4;
        if (used + width >= size) {
            snprintf(buffer + fits, size - fits, "%s", cut);
            return buffer;
        }
        if (n)
            memcpy(buffer + used, text + i, n);
        else
            snprintf(buffer + used, size - used, "\\x%02x", (unsigned char)text[i]);
        i += n ? n : 1;
        used += width;
        if (used + sizeof cut <= size)
            fits = used;
    }
    buffer[used] = '\0';
    return buffer;
}

char *ja_str_take(struct ja_str *str)
{
    if (!str->text)
        ja_str_addn(str, "", 0);
    if (str->failed) {
        ja_str_fini(str);
        return NULL;
    }
    char *text = str->text;
    *str = (struct ja_str){0};
    return text;
}

void ja_str_fini(struct ja_str *str)
{
    if (!str)
        return;
    free(str->text);
    *str = (struct ja_str){0};
}

/* What so many strings and the NULL take: powers of two, so that a vector of thousands is not moved with each of them. Their number tells
 * how much room a vector has. */
static size_t room_for(size_t count)
{
    size_t room = 4;
    while (room < count + 1)
        room *= 2;
    return room;
}

/* Takes ownership of `text`, also on failure. */
static int strv_push(struct ja_strv *strv, char *text)
{
    if (!text)
        return -1;
    size_t room = room_for(strv->count + 1);
    if (!strv->items || room != room_for(strv->count)) {
        char **items = ja_realloc(strv->items, room * sizeof *items);
        if (!items) {
            free(text);
            return -1;
        }
        strv->items = items;
    }
    strv->items[strv->count++] = text;
    strv->items[strv->count] = NULL;
    return 0;
}

int ja_strv_add(struct ja_strv *strv, const char *text)
{
    return strv_push(strv, ja_strdup(text));
}

int ja_strv_addn(struct ja_strv *strv, const char *text, size_t length)
{
    return strv_push(strv, ja_strndup(text, length));
}

int ja_strv_addf(struct ja_strv *strv, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : ja_malloc((size_t)n + 1);
    if (!text)
        return -1;
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return strv_push(strv, text);
}

int ja_strv_add_all(struct ja_strv *strv, ...)
{
    va_list args;
    va_start(args, strv);
    int rc = 0;
    for (const char *text; rc == 0 && (text = va_arg(args, const char *)) != NULL;)
        rc = ja_strv_add(strv, text);
    va_end(args);
    return rc;
}

int ja_strv_copy(struct ja_strv *ret_copy, const struct ja_strv *from)
{
    struct ja_strv copy = {0};
    for (size_t i = 0; i < from->count; i++) {
        if (ja_strv_add(&copy, from->items[i]) < 0) {
            ja_strv_fini(&copy);
            return -1;
        }
    }
    *ret_copy = copy;
    return 0;
}

bool ja_strv_has(const struct ja_strv *strv, const char *text)
{
    for (size_t i = 0; i < strv->count; i++)
        if (strcmp(strv->items[i], text) == 0)
            return true;
    return false;
}

bool ja_strv_equal(const struct ja_strv *a, const struct ja_strv *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

uint64_t ja_hash(uint64_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3ULL;
    return hash;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void ja_strv_sort(struct ja_strv *strv)
{
    if (strv->count)
        qsort(strv->items, strv->count, sizeof *strv->items, compare_texts);
}

bool ja_strv_remove(struct ja_strv *strv, const char *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < strv->count; i++) {
        if (strcmp(strv->items[i], text) == 0)
            free(strv->items[i]);
        else
            strv->items[kept++] = strv->items[i];
    }
    bool removed = kept < strv->count;
    strv->count = kept;
    if (strv->items)
        strv->items[kept] = NULL;
    return removed;
}

void ja_strv_fini(struct ja_strv *strv)
{
    if (!strv)
        return;
    for (size_t i = 0; i < strv->count; i++)
        free(strv->items[i]);
    free(strv->items);
    *strv = (struct ja_strv){0};
}

/* The place of `key`, or where it would be put. */
static size_t map_place(const struct ja_map *map, const char *key, bool *ret_found)
{
    size_t low = 0, high = map->count;
    *ret_found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(map->pairs[middle].key, key);
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

int ja_map_set(struct ja_map *map, const char *key, const char *value)
{
    bool found;
    size_t place = map_place(map, key, &found);
    if (!value) {
        if (found) {
            free(map->pairs[place].key);
            free(map->pairs[place].value);
            map->count--;
            memmove(map->pairs + place, map->pairs + place + 1, (map->count - place) * sizeof *map->pairs);
        }
        return 0;
    }
    char *copy = ja_strdup(value);
    if (!copy)
        return -1;
    if (found) {
        free(map->pairs[place].value);
        map->pairs[place].value = copy;
        return 0;
    }
    char *name = ja_strdup(key);
    struct ja_pair *pairs = name ? ja_realloc(map->pairs, (map->count + 1) * sizeof *pairs) : NULL;
    if (!pairs) {
        free(name);
        free(copy);
        return -1;
    }
    map->pairs = pairs;
    memmove(pairs + place + 1, pairs + place, (map->count - place) * sizeof *pairs);
    pairs[place] = (struct ja_pair){name, copy};
    map->count++;
    return 0;
}

const char *ja_map_get(const struct ja_map *map, const char *key)
{
    bool found;
    size_t place = map_place(map, key, &found);
    return found ? map->pairs[place].value : NULL;
}

int ja_map_copy(struct ja_map *ret_copy, const struct ja_map *from)
{
    struct ja_map copy = {0};
    for (size_t i = 0; i < from->count; i++) {
        if (ja_map_set(&copy, from->pairs[i].key, from->pairs[i].value) < 0) {
            ja_map_fini(&copy);
            return -1;
        }
    }
    *ret_copy = copy;
    return 0;
}

bool ja_map_equal(const struct ja_map *a, const struct ja_map *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->pairs[i].key, b->pairs[i].key) != 0 || strcmp(a->pairs[i].value, b->pairs[i].value) != 0)
            return false;
    return true;
}

void ja_map_fini(struct ja_map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->count; i++) {
        free(map->pairs[i].key);
        free(map->pairs[i].value);
    }
    free(map->pairs);
    *map = (struct ja_map){0};
}

bool ja_str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool ja_str_equal(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

int ja_str_split_words(const char *text, struct ja_strv *ret_words)
{
    ja_autostrv struct ja_strv words = {0};
    ja_autostr struct ja_str word = {0};
    bool in_word = false;
    char quote = 0;
    for (const char *c = text; *c; c++) {
        if (quote) {
            if (*c == quote)
                quote = 0;
            else if (*c == '\\' && quote == '"' && (c[1] == '"' || c[1] == '\\'))
                ja_str_addn(&word, ++c, 1);
            else
                ja_str_addn(&word, c, 1);
        } else if (*c == '\'' || *c == '"') {
            quote = *c;
            in_word = true;
        } else if (*c == ' ' || *c == '\t' || *c == '\n') {
            if (in_word && (word.failed || ja_strv_add(&words, word.text ? word.text : "") < 0))
                return -1;
            ja_str_fini(&word);
            in_word = false;
        } else {
            if (*c == '\\' && c[1])
                c++;
            ja_str_addn(&word, c, 1);
            in_word = true;
        }
    }
    if (quote)
        return -2;
    if (in_word && (word.failed || ja_strv_add(&words, word.text ? word.text : "") < 0))
        return -1;
    *ret_words = words;
    words = (struct ja_strv){0};
    return 0;
}

size_t ja_str_distance(const char *a, const char *b)
{
    enum { MOST = 63 };
    size_t la = strnlen(a, MOST), lb = strnlen(b, MOST);
    size_t row[MOST + 1];
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[lb];
}

void ja_nearest_try(struct ja_nearest *nearest, const char *word)
{
    size_t given = strlen(nearest->given);
    if (given > sizeof nearest->word)
        return; /* hostile: not worth the time */
    size_t distance = ja_str_distance(nearest->given, word);
    if (given >= 3 && ja_str_starts(word, nearest->given))
        distance = 1;
    if (distance > 1 + given / 4 || distance >= given || (nearest->word[0] && distance >= nearest->distance))
        return;
    nearest->distance = distance;
    snprintf(nearest->word, sizeof nearest->word, "%s", word);
}
