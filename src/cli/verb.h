/*
 * verb.h: the command line as data. One table describes every verb (verbs.c); parsing, help, the manual page
 * and shell completion all read it. Adding a verb is adding a row and its handler.
 */
#ifndef JA_VERB_H
#define JA_VERB_H

#include "base/str.h"
#include "model/field.h"

struct ja_cli;
struct ja_args;

/* What a word of the command line is: decides how it is completed. */
enum ja_word {
    JA_WORD_NONE, /* nothing that could be completed: a number, a new name */
    JA_WORD_JAIL,
    JA_WORD_SNAPSHOT, /* JAIL@SNAPSHOT, or JAIL */
    JA_WORD_BE,       /* a boot environment of the jail that is the verb's first word */
    JA_WORD_BE_FROM,  /* one of those, or @ and a snapshot of that jail */
    JA_WORD_TEMPLATE,
    JA_WORD_NETWORK,
    JA_WORD_FIELD,  /* KEY=VALUE of the option's or verb's noun */
    JA_WORD_FILTER, /* a jail's name or pattern, or KEY=VALUE of a jail, as `list` takes them */
    JA_WORD_FILE,
    JA_WORD_DIR,
    JA_WORD_COPY,   /* a file, or JAIL:PATH */
    JA_WORD_CHOICE, /* one of the option's or verb's `choices` */
    JA_WORD_VERB,   /* a verb, for help */
};

struct ja_option {
    const char *name;    /* without the dashes; NULL ends a table */
    char letter;         /* 0: none */
    const char *metavar; /* NULL: a flag, which takes no value */
    bool repeatable;
    const char *doc; /* one line, capital letter, no full stop */
    enum ja_word word;
    const char *const *choices; /* NULL-terminated */
    /*
     * An option that sets fields: the noun, and which of its fields; NULL: any, the value is PATH=VALUE. By
     * the type of that field the value is an entry (JA_T_LIST), KEY=VALUE (JA_T_OBJECT, JA_T_MAP) or the
     * field's own value. ja_args_apply does what such options say.
     */
    const struct ja_noun *noun;
    const char *field;
    bool hidden; /* not built yet: parsed, but in no help, manual page or completion */
};

enum ja_verb_flag {
    JA_VERB_MUTATES = 1 << 0, /* accepts --dry-run; Ctrl-C is noted instead of ending the process */
    JA_VERB_ROOT = 1 << 1,    /* refused for others than root, except with --dry-run */
    JA_VERB_COMMAND = 1 << 2, /* after `most` words all is a command, never parsed; one "--" before it is dropped */
    JA_VERB_NEED_COMMAND = 1 << 3, /* ... which must be given */
    JA_VERB_ALL = 1 << 4,          /* wants words or --all, not both, not neither */
    JA_VERB_STATUS = 1 << 5,       /* passes a command's exit status on: own failures are 125 */
    JA_VERB_HIDDEN = 1 << 6,       /* in no list, no manual page */
    JA_VERB_DASHES = 1 << 7, /* JA_VERB_COMMAND: the command is only what follows "--"; options may stand before that */
};

enum ja_verb_group {
    JA_GROUP_INSTANCE,
    JA_GROUP_TEMPLATE,
    JA_GROUP_NETWORK,
    JA_GROUP_JAIL,
    JA_GROUP_SNAPSHOT,
    JA_GROUP_BE,
    JA_GROUP_INSIDE,
    JA_GROUP_UPKEEP,
    JA_GROUP_OTHER,
    JA_GROUP_COUNT,
};

/* A handler returns 0, a negative ja_code with *err filled (shown by the caller; exit status 1, or 2 for
 * JA_E_USAGE), or a positive exit status after it has shown what there is to show. */
typedef int ja_verb_fn(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err);

struct ja_verb {
    const char *name; /* "start", "template create"; NULL ends the table */
    enum ja_verb_group group;
    const char *usage;                 /* what follows the name, without options: "JAIL..." */
    const char *doc;                   /* one line, capital letter, no full stop */
    const char *text;                  /* a paragraph of whole sentences; plain text, the manual page escapes it */
    const char *example, *example_doc; /* a command, and one line of what it does; may be NULL */
    const struct ja_option *options;   /* NULL: none */
    unsigned flags;                    /* enum ja_verb_flag */
    int least, most;                   /* positional words; most -1: any number */
    enum ja_word first, rest;          /* what the first one is, and those after it */
    const struct ja_noun *noun;        /* of JA_WORD_FIELD words */
    const char *const *choices;        /* of JA_WORD_CHOICE words */
    ja_verb_fn *run;
};

extern const struct ja_verb ja_verbs[];
/* Options that stand before or after any verb. */
extern const struct ja_option ja_global_options[];
const char *ja_verb_group_title(enum ja_verb_group group);

/* One option as it was given. */
struct ja_given {
    const struct ja_option *option;
    const char *value; /* "" for a flag */
};

/* A command line, parsed. All text belongs to argv. */
struct ja_args {
    const struct ja_verb *verb; /* set as soon as it is known, also when parsing fails later */
    bool help, version;         /* --help, --version: nothing else was checked */
    struct ja_given *given;     /* the verb's options in the order given; globals are in struct ja_cli */
    size_t given_count;
    const char **words; /* positional words, NULL-terminated */
    size_t word_count;
    char *const *command; /* JA_VERB_COMMAND: NULL-terminated; NULL when there is none */
    int command_count;
};

/* Parses argv[1..] into *args and the globals of *cli. JA_E_USAGE with a hint where a near word exists. Call
 * ja_args_fini in any case. */
int ja_args_parse(struct ja_cli *cli, int argc, char *const *argv, struct ja_args *ret_args, struct ja_error *err);
void ja_args_fini(struct ja_args *args);

/* The verb's options by name; asking for one that is not in its table is a mistake in the program (assert).
 */
bool ja_args_has(const struct ja_args *args, const char *option);
const char *ja_args_get(const struct ja_args *args, const char *option); /* the last one; NULL: not given */
/* All values of a repeatable option: `size_t at = 0; while ((value = ja_args_next(args, "pkg", &at)))`. */
const char *ja_args_next(const struct ja_args *args, const char *option, size_t *at);
/* Applies every given option that names a field of `noun`, in the order given, to an object of that noun. The
 * error names the option. */
int ja_args_apply(const struct ja_args *args, const struct ja_noun *noun, void *object, bool creating,
                  struct ja_error *err);

/* The verb of one or two words; NULL: none. ret_words: how many words its name has. `second` may be NULL. */
const struct ja_verb *ja_verb_find(const char *first, const char *second, size_t *ret_words);
/* True when `word` is the first of two-word verbs ("template"). */
bool ja_verb_is_group(const char *word);
/* In a table that ends with a NULL name; NULL: none. `length` of name, so that "--opt=value" needs no copy.
 */
const struct ja_option *ja_option_find(const struct ja_option *options, const char *name, size_t length);
const struct ja_option *ja_option_find_letter(const struct ja_option *options, char letter);

/* The nouns that help and the manual page list fields of, ending with NULL. */
extern const struct ja_noun *const ja_help_nouns[];
/* Help (help.c): for a terminal, wrapped at `width`. */
void ja_help_all(unsigned width, struct ja_str *str);
void ja_help_verb(const struct ja_verb *verb, unsigned width, struct ja_str *str);
void ja_help_usage(const struct ja_verb *verb, struct ja_str *str); /* one line: "usage: jailadmin start ..." */
/* Appends text wrapped at width, each line after `indent` spaces; the first line stands at column `at`. */
void ja_wrap(struct ja_str *str, const char *text, unsigned at, unsigned indent, unsigned width);
/* "-u, --user USER", and for the manual page's use its parts. */
void ja_option_head(const struct ja_option *option, struct ja_str *str);

/* Completion (complete.c). Adds one candidate "WORD" or "WORD<tab>DOC" for each way to complete words[count -
 * 1], and
 * ":file" or ":dir" when the shell itself shall complete such names, ":file PREFIX" when they stand after
 * PREFIX in the last word. words[0] is the first after "jailadmin". Reads --state from the words; never fails
 * but for memory. */
int ja_complete(struct ja_cli *cli, char *const *words, size_t count, struct ja_strv *ret_candidates);
/* The script for "bash", "zsh" or "fish"; NULL for another shell. */
const char *ja_completion_script(const char *shell);

#endif
