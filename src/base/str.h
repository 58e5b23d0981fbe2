/*
 * str.h: growing strings, string vectors, maps of strings, and the ways in which text is shown safely.
 */
#ifndef JA_STR_H
#define JA_STR_H

#include "base/base.h"

/* A growing string. Zero-initialised is empty. `failed` sticks after an allocation failed: check it once, at the end. */
struct ja_str {
    char *text; /* NULL or zero-terminated */
    size_t length;
    size_t size;
    bool failed;
};
void ja_str_add(struct ja_str *str, const char *text);
void ja_str_addn(struct ja_str *str, const char *bytes, size_t count);
void ja_str_addf(struct ja_str *str, const char *format, ...) JA_PRINTF(2, 3);
/* In decimal, in a tenth of the time of ja_str_addf. */
void ja_str_add_number(struct ja_str *str, int64_t number);
/* The decimal number that begins at *at, which then is behind its digits; no sign, no blanks. False: there is none, or it is too large. */
bool ja_str_digits(const char **at, uint64_t *ret_number);
/* Adds one word quoted so that sh(1) reads it back as itself; plain words stay plain. */
void ja_str_add_quoted(struct ja_str *str, const char *word);
/* Adds untrusted text with control characters, invalid UTF-8 and escapes shown as \xNN, so that no terminal acts on
 * it. Newline and tab are kept only with `keep_lines`. */
void ja_str_add_shown(struct ja_str *str, const char *bytes, size_t count, bool keep_lines);
/* True when ja_str_add_shown would change nothing: printable, valid UTF-8. */
bool ja_str_printable(const char *bytes, size_t count, bool keep_lines);
/* Untrusted text as ja_str_add_shown shows it, cut with "..." when it does not fit. Returns `buffer`. Allocates nothing, so
 * that errors can use it; JA_SHOW(text) brings its own buffer, which lives as long as the block around it. */
const char *ja_str_show(char *buffer, size_t size, const char *text);
#define JA_SHOW(text) ja_str_show((char[128]){0}, 128, text)
/* The text; the caller frees it; the string is empty again. Never NULL for an empty string; NULL when memory ran out. */
char *ja_str_take(struct ja_str *str);
void ja_str_fini(struct ja_str *str);

/* A vector of strings that it owns. `items` is NULL-terminated whenever it is not NULL. Zero-initialised is empty. */
struct ja_strv {
    char **items;
    size_t count;
};
/* 0 or -1 when memory is out; the vector is unchanged then. */
int ja_strv_add(struct ja_strv *strv, const char *text);
int ja_strv_addn(struct ja_strv *strv, const char *text, size_t length);
int ja_strv_addf(struct ja_strv *strv, const char *format, ...) JA_PRINTF(2, 3);
/* Adds all strings up to a NULL. */
int ja_strv_add_all(struct ja_strv *strv, ...) __attribute__((sentinel));
int ja_strv_copy(struct ja_strv *ret_copy, const struct ja_strv *from);
bool ja_strv_has(const struct ja_strv *strv, const char *text);
bool ja_strv_equal(const struct ja_strv *a, const struct ja_strv *b);
/* FNV-1a of 64 bits (Fowler, Noll, Vo) of some bytes; `hash` is JA_HASH_START, or that of what stands before them. */
#define JA_HASH_START 0xcbf29ce484222325ULL
uint64_t ja_hash(uint64_t hash, const char *bytes, size_t length);

/* By the bytes of the texts. */
void ja_strv_sort(struct ja_strv *strv);
/* Removes all that equal `text`; true when there was one. */
bool ja_strv_remove(struct ja_strv *strv, const char *text);
void ja_strv_fini(struct ja_strv *strv);

/* A map from string to string, in order of its keys. Zero-initialised is empty. */
struct ja_pair {
    char *key;
    char *value;
};
struct ja_map {
    struct ja_pair *pairs;
    size_t count;
};
/* NULL value removes. 0 or -1 when memory is out. */
int ja_map_set(struct ja_map *map, const char *key, const char *value);
const char *ja_map_get(const struct ja_map *map, const char *key); /* NULL: no such key */
int ja_map_copy(struct ja_map *ret_copy, const struct ja_map *from);
bool ja_map_equal(const struct ja_map *a, const struct ja_map *b);
void ja_map_fini(struct ja_map *map);

bool ja_str_starts(const char *text, const char *prefix);
bool ja_str_equal(const char *a, const char *b); /* NULL equals NULL only */
/* Splits text into words as sh(1) would, with quotes and backslashes but no expansions. 0, -1 for no memory, -2 for an
 * unfinished quote. */
int ja_str_split_words(const char *text, struct ja_strv *ret_words);
/* The edit distance between two words, for "did you mean". */
size_t ja_str_distance(const char *a, const char *b);
/* "did you mean": the nearest to a given word of those tried, "" while there is none. Far words are no help: no more than a
 * quarter of the word and one letter may differ, or the given word is the beginning. */
struct ja_nearest {
    const char *given;
    size_t distance;
    char word[64];
};
void ja_nearest_try(struct ja_nearest *nearest, const char *word);

#define ja_autostr JA_CLEANUP(ja_str_fini)
#define ja_autostrv JA_CLEANUP(ja_strv_fini)

#endif
