/*
 * option.h: the options of host verbs, portable ones and those of a system alike: `--name VALUE` and `--flag`, then words.
 */
#ifndef JA_OPTION_H
#define JA_OPTION_H

#include "base/str.h"

/* One option of a verb. Exactly one of `value`, `values` and `flag` is set. */
struct ja_opt {
    const char *name;   /* "--uid-base"; NULL ends a table */
    const char **value; /* receives the word after it */
    bool list;          /* may be repeated: `values` receives all of them */
    struct ja_strv *values;
    bool *flag; /* takes no word: becomes true */
};

/* Reads options up to the first word that is none, or past "--". Sets *ret_first to the index of the first other word.
 * `options` ends with a NULL name. JA_E_USAGE. */
int ja_opt_read(int argc, char *const *argv, const struct ja_opt *options, int *ret_first, struct ja_error *err);
/* A decimal number between low and high; JA_E_USAGE names the option. */
int ja_opt_number(const char *name, const char *text, int64_t low, int64_t high, int64_t *ret, struct ja_error *err);
/* An octal mode up to 7777; JA_E_USAGE names the option. */
int ja_opt_mode(const char *name, const char *text, mode_t *ret_mode, struct ja_error *err);
/* JA_E_USAGE with the verb's usage as the hint. */
int ja_opt_usage(const char *verb, struct ja_error *err);
/* A plain file name: not empty, no slash, not "." or "..", at most 128 bytes. */
bool ja_opt_plain_name(const char *name);

#endif
