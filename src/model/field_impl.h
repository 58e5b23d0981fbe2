/*
 * field_impl.h: what the files of the field tables share among themselves: one field's value in memory, as
 * text, and its place in errors. Not for the rest of the tree.
 */
#ifndef JA_FIELD_IMPL_H
#define JA_FIELD_IMPL_H

#include "model/field.h"

/* Bounds on what a user may give, so that hostile input costs little: bytes of one text, entries of one list.
 */
enum { JA_TEXT_MOST = 4096, JA_ENTRIES_MOST = 1024 };

/* Where in an object something is: a chain of names on the stack, rendered only when it is needed. */
struct ja_at {
    const struct ja_at *up; /* NULL: the object itself */
    const char *name;
};

/* Completes an error about what is at `at`: "field nics.eth0.mac". A path that a check put into err->object
 * is taken to begin there; an error that is complete already stays. Returns `code`. */
int ja_at_blame(const struct ja_at *at, int code, struct ja_error *err);
/* The path as it is, for machines. */
void ja_at_render(const struct ja_at *at, struct ja_str *str);

static inline void *ja_field_value(const struct ja_field *field, const void *object)
{
    return (char *)object + field->offset;
}

static inline const char *ja_object_key(const void *object)
{
    return *(char *const *)object;
}

/* The number of a word among field->values (may be NULL); JA_E_INVALID with those that are allowed. */
int ja_field_word(const struct ja_field *field, const char *text, int64_t *ret_number, struct ja_error *err);

bool ja_type_is_number(enum ja_type type); /* also yes/no and words of a choice */
bool ja_type_is_strv(enum ja_type type);

/* How much memory a value of that type has in its structure. */
size_t ja_field_size(const struct ja_field *field);
/* Numbers of any width. */
int64_t ja_field_number(const struct ja_field *field, const void *value);

/* One value, `value` pointing to where it is in its object. init sets the default; all that return int return
 * 0 or a negative code and leave an initialised value. */
int ja_field_init(const struct ja_field *field, void *value);
void ja_field_fini(const struct ja_field *field, void *value);
int ja_field_copy(const struct ja_field *field, void *ret_value, const void *value);
bool ja_field_equal(const struct ja_field *field, const void *a, const void *b);
bool ja_field_is_default(const struct ja_field *field, const void *value);
int ja_field_check(const struct ja_field *field, const void *value, const struct ja_at *at, struct ja_error *err);
int ja_object_check_at(const struct ja_noun *noun, const void *object, const struct ja_at *at, struct ja_error *err);

/* Replaces a value by what the text says; "" is the default. No checks but those of the type. */
int ja_field_parse(const struct ja_field *field, void *value, const char *text, struct ja_error *err);
/* Adds to, or takes from, the strings of a value. */
int ja_field_parse_add(const struct ja_field *field, void *value, const char *text, struct ja_error *err);
int ja_field_parse_remove(const struct ja_field *field, void *value, const char *text, struct ja_error *err);
void ja_field_format(const struct ja_field *field, const void *value, struct ja_str *str);
void ja_object_format(const struct ja_noun *noun, const void *object, struct ja_str *str); /* "network=lan,mtu=1400" */

/* "no such field", with the name that was probably meant as hint. */
int ja_noun_unknown(const struct ja_noun *noun, const char *name, struct ja_error *err);

#endif
