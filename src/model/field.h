/*
 * field.h: field tables. Every noun (jail, nic, network ...) is a C structure and ONE table that describes its fields.
 * From the table come: reading and writing JSON, `--flags` and `set key=value`, validation, help, the manual page, shell
 * completion. Adding a field is adding a row.
 */
#ifndef JA_FIELD_H
#define JA_FIELD_H

#include "base/str.h"

#include <jansson.h>

enum ja_type {
    JA_T_STRING,   /* char *; NULL: not set */
    JA_T_BOOL,     /* bool; written yes or no, true or false */
    JA_T_INT,      /* int64_t */
    JA_T_SIZE,     /* int64_t, bytes; 512M, 1G (1024s); 0: not set or no limit */
    JA_T_RATE,     /* int64_t, bits a second; 10Mbit, 1Gbit (1000s) or a plain number; 0: none */
    JA_T_DURATION, /* int64_t, milliseconds; 30s, 2m, 100ms, 1h; plain numbers are seconds */
    JA_T_CORES,    /* int64_t, thousandths of a core; 1.5 or 150% */
    JA_T_PERCENT,  /* int64_t, millionths; 0.5 or 0.5% is 5000 */
    JA_T_ENUM,     /* int, index into field->values */
    JA_T_STRINGS,  /* struct ja_strv; a set in the order given; key=a,b ; key+=c ; key-=a */
    JA_T_COMMAND,  /* struct ja_strv; an argument vector; from text it is split as sh(1) splits words */
    JA_T_COMMANDS, /* struct ja_strv; commands in order, each one text that is split when it runs */
    JA_T_MAP,      /* struct ja_map; key.name=value */
    JA_T_OBJECT,   /* the noun's structure itself, embedded */
    JA_T_LIST,     /* struct ja_list of the noun, keyed by the noun's first field */
};

/* A list of objects that it owns, in order; each begins with its key, a char *. */
struct ja_list {
    void **items;
    size_t count;
};

enum ja_when {
    JA_WHEN_LIVE,    /* a change applies to a running jail at once */
    JA_WHEN_RESTART, /* at the next start */
    JA_WHEN_CREATE,  /* only when the object is made */
};

enum ja_field_flag {
    JA_F_LINUX = 1 << 0, /* only there; neither flag: on both */
    JA_F_FREEBSD = 1 << 1,
    JA_F_SECRET = 1 << 2, /* shown as stars */
    JA_F_ADMIN = 1 << 3,  /* only an admin may set it */
    JA_F_STATE = 1 << 4,  /* set by jailadmin itself: read, never given by a user */
    JA_F_REQUIRED = 1 << 5,
    JA_F_OWN = 1 << 6, /* of this object alone: a clone does not take it over */
};

struct ja_noun;

struct ja_field {
    const char *name; /* with "-" between words */
    enum ja_type type;
    size_t offset;
    const char *def; /* default as text; NULL: zero, empty, not set */
    /* Checks one text value (of strings each, of a map each key); on failure says what was given and what is allowed. May
     * be NULL: for texts without control characters. */
    int (*check)(const char *value, struct ja_error *err);
    enum ja_when when;
    unsigned flags;             /* enum ja_field_flag */
    const char *doc;            /* one line, lower case, no full stop */
    const char *const *values;  /* JA_T_ENUM, or JA_T_STRING that must be one of them: NULL-terminated */
    const struct ja_noun *noun; /* JA_T_OBJECT, JA_T_LIST */
    int64_t least, most;        /* numbers; most 0: none. The default is always allowed */
    const char *metavar;        /* shown in help: "ADDRESS"; NULL: by type */
};

struct ja_noun {
    const char *name;   /* "jail" */
    const char *plural; /* "jails" */
    size_t size;
    const struct ja_field *fields;
    size_t field_count;
    /* Checks of the whole object, after its fields; err->object is the path of the field to blame within the object, or
     * empty. May be NULL. */
    int (*check)(const void *object, struct ja_error *err);
    const char *doc; /* one sentence */
};

#define JA_FIELD(structure, member) offsetof(struct structure, member)

/* The initialiser of a noun from the array of its fields. */
#define JA_NOUN(singular, several, structure, table, whole_check, text)                                                \
    {                                                                                                                  \
        .name = singular, .plural = several, .size = sizeof(struct structure), .fields = table,                        \
        .field_count = JA_COUNT(table), .check = whole_check, .doc = text                                              \
    }

/* Makes jansson allocate through ja_malloc. Once, first thing in main(). */
void ja_json_init(void);

/* A new object with the defaults of its table; NULL when memory is out. Freed by ja_object_free. */
void *ja_object_new(const struct ja_noun *noun);
void ja_object_free(const struct ja_noun *noun, void *object);
/* Fills memory of noun->size (not initialised before) and empties it. */
int ja_object_init(const struct ja_noun *noun, void *object);
void ja_object_fini(const struct ja_noun *noun, void *object);
void *ja_object_copy(const struct ja_noun *noun, const void *object);
bool ja_object_equal(const struct ja_noun *noun, const void *a, const void *b);
/* Sets the fields that have one of the flags to their defaults, those of parts and list entries too: what a clone leaves
 * behind (JA_F_OWN | JA_F_STATE), what is not shown (JA_F_SECRET). 0 or JA_E_NOMEM. */
int ja_object_reset(const struct ja_noun *noun, void *object, unsigned flags);

/* JSON of an object; fields that have their default are left out unless `all`. Lists are arrays of objects with their
 * key; sizes are bytes, rates bits a second, durations seconds, cores cores, percents percent. Secrets are in it. New reference; NULL: no
 * memory. */
json_t *ja_object_to_json(const struct ja_noun *noun, const void *object, bool all);
/* Reads hostile JSON into a new object: unknown fields, wrong types and bad values are refused, the error's object is
 * "field limits.memory". null is as good as nothing. Lists may be JSON objects (key -> rest) or arrays of objects that
 * hold their key. Numbers may be given as text with units. With `trusted` (our own store) unknown fields are skipped, so
 * that an older program reads a newer row, JA_F_STATE fields are read, and checks are not made. */
int ja_object_from_json(const struct ja_noun *noun, const json_t *json, bool trusted, void **ret_object,
                        struct ja_error *err);

/*
 * Applies `PATH=VALUE`, `PATH+=VALUE`, `PATH-=VALUE` to an object: "limits.memory=1G", "nics.eth0.address+=10.0.0.7",
 * "mounts./data.source=/srv/data", "labels.team=a". An empty value sets the default again, or removes the entry:
 * "nics.eth1=". Entries can be added and taken as well: "nics+=eth1,network=lan", "nics-=eth1,eth2". Taking what is not
 * there is success. The object is unchanged on failure; on success pointers into it are void.
 * Refuses JA_F_STATE fields, and JA_WHEN_CREATE ones unless `creating`. The value is checked by its row; what holds for
 * the whole (and required fields of new entries) is left to ja_object_check, after the last assignment.
 */
int ja_object_set(const struct ja_noun *noun, void *object, const char *assignment, bool creating,
                  struct ja_error *err);
/* Applies one option of a list: "eth0,network=lan,address=10.0.0.5,address=10.0.0.6": the key, then assignments. Text
 * after a comma that holds no "=" continues the value before it. */
int ja_object_set_entry(const struct ja_noun *noun, void *object, const char *list_field, const char *text,
                        struct ja_error *err);
/* The text of the field at a path, as `show` prints it; the caller frees it. JA_E_NOTFOUND for no such field. */
int ja_object_get(const struct ja_noun *noun, const void *object, const char *path, char **ret_text,
                  struct ja_error *err);
/* All checks of an object that was put together by hand. */
int ja_object_check(const struct ja_noun *noun, const void *object, struct ja_error *err);
/* The differences that matter when `to` replaces `from` on a running jail: the latest JA_WHEN_* among the changed fields.
 * The paths of changed fields are added to *changed when it is not NULL: "limits.memory", "labels"; of a new entry its own
 * and those of all that it sets, "mounts./data" and "mounts./data.source"; of one that is gone its own. -1 when nothing
 * changed, JA_E_NOMEM. */
int ja_object_diff(const struct ja_noun *noun, const void *from, const void *to, struct ja_strv *changed);

/* Takes over, from another object, the fields whose changes apply to a running jail at once (JA_WHEN_LIVE), those of parts
 * and of the list entries that both have too: what runs after a change that partly waits for the next start. 0 or
 * JA_E_NOMEM, `to` is then as valid as before, and perhaps half changed. */
int ja_object_take_live(const struct ja_noun *noun, void *to, const void *from);

const struct ja_field *ja_noun_field(const struct ja_noun *noun, const char *name);
/* The field at the end of a path; of an entry alone ("nics.eth0", "labels.team") its list or map. NULL: none. */
const struct ja_field *ja_noun_field_at(const struct ja_noun *noun, const char *path);

/* JSON as text in new memory, with jansson's flags; NULL: no memory. json_dumps(3) is not used: when memory is out while it
 * writes the name of a member, it leaves that out and says nothing. */
char *ja_json_text(const json_t *json, size_t flags);
/* json_loadb(3), whose result is right: when jansson lacks memory, it calls a text invalid in places, or leaves out a byte of a string and
 * says nothing. NULL: *ret_nomem tells whether it was that, *ret_where (may be NULL) what else is wrong. */
json_t *ja_json_load(const char *text, size_t length, size_t flags, json_error_t *ret_where, bool *ret_nomem);
/* Text of JSON, the caller's to release. JA_E_NOMEM, or JA_E_CORRUPT with the line and what is wrong there. */
int ja_json_read(const char *text, const char *object, json_t **ret_json, struct ja_error *err);

/* Lists. */
void *ja_list_get(const struct ja_list *list, const char *key);
bool ja_list_equal(const struct ja_noun *noun, const struct ja_list *a, const struct ja_list *b);
/* The list owns the object from now on, also on failure (-1: no memory). */
int ja_list_add(const struct ja_noun *noun, struct ja_list *list, void *object);
bool ja_list_remove(const struct ja_noun *noun, struct ja_list *list, const char *key);
/* Frees what is in it; it is empty then. */
void ja_list_fini(const struct ja_noun *noun, struct ja_list *list);

/* Values as text and back, by type: "512M" <-> 536870912. */
int ja_value_parse(enum ja_type type, const char *text, int64_t *ret_value, struct ja_error *err);
void ja_value_format(enum ja_type type, int64_t value, char *text, size_t size);

/* The documentation of a noun's fields as mdoc list items (for the manual page), or as plain text (for help). */
void ja_noun_doc(const struct ja_noun *noun, bool mdoc, struct ja_str *str);
/* Of one field, as plain text, under the path that the user gave. Objects and lists have none of their own. */
void ja_field_doc(const struct ja_field *field, const char *path, struct ja_str *str);

#endif
