/*
 * args.c: reads a command line by the verb table. Options may stand anywhere, globals before the verb too;
 * what follows a jail's name in `exec` belongs to the command and is never looked at.
 */
#include "cli/cli.h"
#include "engine/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct parser {
    struct ja_cli *cli;
    struct ja_args *args;
    char *const *argv;
    int argc, at;
    bool ended; /* "--" was seen */
    struct ja_error *err;
};

const struct ja_option *ja_option_find(const struct ja_option *options, const char *name, size_t length)
{
    for (const struct ja_option *option = options; option && option->name; option++)
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    return NULL;
}

const struct ja_option *ja_option_find_letter(const struct ja_option *options, char letter)
{
    for (const struct ja_option *option = options; option && option->name; option++)
        if (option->letter && option->letter == letter)
            return option;
    return NULL;
}

const struct ja_verb *ja_verb_find(const char *first, const char *second, size_t *ret_words)
{
    size_t length = strlen(first);
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++) {
        if (strncmp(verb->name, first, length) != 0)
            continue;
        bool single = verb->name[length] == '\0';
        if (!single && (verb->name[length] != ' ' || !second || strcmp(verb->name + length + 1, second) != 0))
            continue;
        if (ret_words)
            *ret_words = single ? 1 : 2;
        return verb;
    }
    return NULL;
}

bool ja_verb_is_group(const char *word)
{
    size_t length = strlen(word);
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++)
        if (length && strncmp(verb->name, word, length) == 0 && verb->name[length] == ' ')
            return true;
    return false;
}

static int usage_unknown_verb(struct parser *p, const char *first)
{
    struct ja_nearest nearest = {.given = first};
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++) {
        if (verb->flags & JA_VERB_HIDDEN)
            continue;
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(verb->name, " "), verb->name);
        ja_nearest_try(&nearest, word);
    }
    ja_error_set(p->err, JA_E_USAGE, JA_SHOW(first), "there is no such verb");
    if (nearest.word[0])
        return ja_error_hint(p->err, "did you mean \"%s\"?", nearest.word);
    return ja_error_hint(p->err, "\"jailadmin help\" lists the verbs");
}

/* `first` is a group ("template"), `second` is no verb of it or is missing. */
static int usage_unknown_second(struct parser *p, const char *first, const char *second)
{
    struct ja_nearest nearest = {.given = second ? second : ""};
    ja_autostr struct ja_str names = {0};
    size_t length = strlen(first);
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++) {
        if (strncmp(verb->name, first, length) != 0 || verb->name[length] != ' ' || (verb->flags & JA_VERB_HIDDEN))
            continue;
        ja_str_addf(&names, "%s%s", names.length ? ", " : "", verb->name + length + 1);
        ja_nearest_try(&nearest, verb->name + length + 1);
    }
    if (!second)
        ja_error_set(p->err, JA_E_USAGE, first, "a word is missing after it");
    else
        ja_error_set(p->err, JA_E_USAGE, first, "there is no \"%s %s\"", first, JA_SHOW(second));
    if (nearest.word[0])
        return ja_error_hint(p->err, "did you mean \"%s %s\"?", first, nearest.word);
    return ja_error_hint(p->err, "it takes one of: %s", names.text ? names.text : "");
}

/* An option that neither the verb nor the globals have. `dashes` is how it was written. */
static int usage_unknown_option(struct parser *p, const char *dashes, const char *name, size_t length)
{
    const struct ja_verb *verb = p->args->verb;
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), name);
    struct ja_nearest nearest = {.given = word};
    const struct ja_option *tables[] = {verb ? verb->options : NULL, ja_global_options};
    for (size_t t = 0; t < JA_COUNT(tables); t++)
        for (const struct ja_option *option = tables[t]; option && option->name; option++)
            if (!option->hidden)
                ja_nearest_try(&nearest, option->name);
    ja_error_set(p->err, JA_E_USAGE, verb ? verb->name : NULL, "there is no option %s%s%s", dashes, JA_SHOW(word),
                 verb ? "" : " before the verb");
    if (nearest.word[0] && dashes[1])
        return ja_error_hint(p->err, "did you mean --%s?", nearest.word);
    for (const struct ja_verb *other = ja_verbs; !verb && other->name; other++) {
        const struct ja_option *option =
            dashes[1] ? ja_option_find(other->options, name, length) : ja_option_find_letter(other->options, *name);
        if (option)
            return ja_error_hint(p->err, "options of a verb stand after it: jailadmin %s --%s", other->name,
                                 option->name);
    }
    return ja_error_hint(p->err, "\"jailadmin help%s%s\" lists the options", verb ? " " : "", verb ? verb->name : "");
}

JA_PRINTF(2, 3) static int usage(struct parser *p, const char *format, ...)
{
    const struct ja_verb *verb = p->args->verb;
    char text[sizeof p->err->what];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return ja_error_set(p->err, JA_E_USAGE, verb ? verb->name : NULL, "%s", text);
}

static int set_state(struct parser *p, const char *value)
{
    struct ja_cli *cli = p->cli;
    char text[sizeof cli->state];
    char here[sizeof cli->state] = "";
    if (!*value)
        return usage(p, "--state needs a directory");
    if (*value != '/' && !getcwd(here, sizeof here))
        return ja_error_sys(p->err, errno, NULL, "the working directory has no usable name");
    int length = snprintf(text, sizeof text, "%s%s%s", here, *value == '/' ? "" : "/", value);
    /* Room for what stands below it: sockets and mount points have to fit as well. */
    if (length < 0 || (size_t)length > sizeof text - 64)
        return usage(p, "the directory of --state has a name that is too long");
    while (length > 1 && text[length - 1] == '/')
        text[--length] = '\0';
    memcpy(cli->state, text, (size_t)length + 1);
    return 0;
}

static int set_jobs(struct parser *p, const char *value)
{
    char *end;
    errno = 0;
    long jobs = strtol(value, &end, 10);
    if (errno || *end || end == value || jobs < 1 || jobs > JA_JOBS_MOST)
        return ja_error_set(p->err, JA_E_USAGE, "option --jobs", "%s is no number from 1 to %d", JA_SHOW(value),
                            JA_JOBS_MOST);
    p->cli->jobs = (int)jobs;
    return 0;
}

static int set_global(struct parser *p, const struct ja_option *option, const char *value)
{
    struct ja_cli *cli = p->cli;
    struct {
        const char *name;
        bool *flag;
    } flags[] = {{"dry-run", &cli->dry_run},    {"json", &cli->json}, {"yes", &cli->yes},
                 {"quiet", &cli->quiet},        {"keep", &cli->keep}, {"help", &p->args->help},
                 {"version", &p->args->version}};
    for (size_t i = 0; i < JA_COUNT(flags); i++) {
        if (strcmp(option->name, flags[i].name) == 0) {
            *flags[i].flag = true;
            return 0;
        }
    }
    if (strcmp(option->name, "no-native") == 0)
        cli->native = false;
    else if (strcmp(option->name, "verbose") == 0)
        cli->verbose++;
    else if (strcmp(option->name, "jobs") == 0)
        return set_jobs(p, value);
    else if (strcmp(option->name, "state") == 0)
        return set_state(p, value);
    else if (strcmp(option->name, "facts") == 0) {
        cli->facts = value;
        cli->dry_run = true;
    } else if (strcmp(option->name, "os") == 0) {
        cli->os = strcmp(value, "freebsd") == 0 ? JA_OS_FREEBSD : JA_OS_LINUX;
        cli->os_given = true;
    }
    return 0;
}

static int check_choice(struct parser *p, const struct ja_option *option, const char *value)
{
    ja_autostr struct ja_str all = {0};
    for (const char *const *choice = option->choices; choice && *choice; choice++) {
        if (strcmp(*choice, value) == 0)
            return 0;
        ja_str_addf(&all, "%s%s", all.length ? ", " : "", *choice);
    }
    if (!option->choices || option->word != JA_WORD_CHOICE)
        return 0;
    char object[80];
    snprintf(object, sizeof object, "option --%s", option->name);
    return ja_error_set(p->err, JA_E_USAGE, object, "%s is none of: %s", JA_SHOW(value), all.text ? all.text : "");
}

static int take_option(struct parser *p, const struct ja_option *option, bool global, const char *value)
{
    struct ja_args *args = p->args;
    if (check_choice(p, option, value) < 0)
        return p->err->code;
    if (global)
        return set_global(p, option, value);
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option == option && option->metavar && !option->repeatable)
            return usage(p, "--%s is given twice", option->name);
    struct ja_given *given = ja_realloc(args->given, (args->given_count + 1) * sizeof *given);
    if (!given)
        return ja_error_nomem(p->err);
    args->given = given;
    given[args->given_count++] = (struct ja_given){option, value};
    return 0;
}

/* A verb's own option hides a global one of the same letter. */
static const struct ja_option *find_option(const struct parser *p, const char *name, size_t length, bool letter,
                                           bool *ret_global)
{
    const struct ja_option *own = p->args->verb ? p->args->verb->options : NULL;
    const struct ja_option *option = letter ? ja_option_find_letter(own, *name) : ja_option_find(own, name, length);
    *ret_global = !option;
    if (option)
        return option;
    return letter ? ja_option_find_letter(ja_global_options, *name) : ja_option_find(ja_global_options, name, length);
}

static int parse_long(struct parser *p)
{
    const char *name = p->argv[p->at++] + 2;
    size_t length = strcspn(name, "=");
    bool global;
    const struct ja_option *option = find_option(p, name, length, false, &global);
    if (!option)
        return usage_unknown_option(p, "--", name, length);
    const char *value = name[length] ? name + length + 1 : NULL;
    if (!option->metavar)
        return value ? usage(p, "--%s takes no value", option->name) : take_option(p, option, global, "");
    if (!value && p->at == p->argc)
        return usage(p, "--%s needs a value", option->name);
    return take_option(p, option, global, value ? value : p->argv[p->at++]);
}

/* "-ny", "-j4", "-j 4", "-nj4" */
static int parse_letters(struct parser *p)
{
    const char *letters = p->argv[p->at++] + 1;
    for (; *letters; letters++) {
        bool global;
        const struct ja_option *option = find_option(p, letters, 1, true, &global);
        if (!option)
            return usage_unknown_option(p, "-", letters, 1);
        if (!option->metavar) {
            if (take_option(p, option, global, "") < 0)
                return p->err->code;
            continue;
        }
        if (letters[1])
            return take_option(p, option, global, letters + 1);
        if (p->at == p->argc)
            return usage(p, "--%s needs a value", option->name);
        return take_option(p, option, global, p->argv[p->at++]);
    }
    return 0;
}

static int parse_verb(struct parser *p)
{
    const char *first = p->argv[p->at++];
    const char *second = p->at < p->argc ? p->argv[p->at] : NULL;
    size_t words;
    p->args->verb = ja_verb_find(first, second, &words);
    if (p->args->verb) {
        p->at += (int)words - 1;
        return 0;
    }
    if (!ja_verb_is_group(first))
        return usage_unknown_verb(p, first);
    if (second && strcmp(second, "--help") == 0)
        second = NULL;
    return usage_unknown_second(p, first, second);
}

static void take_command(struct parser *p)
{
    if (strcmp(p->argv[p->at], "--") == 0)
        p->at++;
    p->args->command_count = p->argc - p->at;
    p->args->command = p->args->command_count ? p->argv + p->at : NULL;
    p->at = p->argc;
}

static int take_word(struct parser *p)
{
    struct ja_args *args = p->args;
    const char **words = ja_realloc(args->words, (args->word_count + 2) * sizeof *words);
    if (!words)
        return ja_error_nomem(p->err);
    args->words = words;
    words[args->word_count++] = p->argv[p->at++];
    words[args->word_count] = NULL;
    return 0;
}

static int parse_one(struct parser *p)
{
    const struct ja_verb *verb = p->args->verb;
    const char *word = p->argv[p->at];
    bool dashes = strcmp(word, "--") == 0;
    if (verb && (verb->flags & JA_VERB_COMMAND) && p->args->word_count == (size_t)verb->most &&
        (dashes || !(verb->flags & JA_VERB_DASHES))) {
        take_command(p);
        return 0;
    }
    if (!p->ended && dashes) {
        p->ended = true;
        p->at++;
        return 0;
    }
    if (!p->ended && ja_str_starts(word, "--"))
        return parse_long(p);
    if (!p->ended && word[0] == '-' && word[1])
        return parse_letters(p);
    return verb ? take_word(p) : parse_verb(p);
}

/* How many words there are, against how many there may be. */
static int check_words(struct parser *p)
{
    const struct ja_args *args = p->args;
    const struct ja_verb *verb = args->verb;
    bool all = (verb->flags & JA_VERB_ALL) && ja_args_has(args, "all");
    if (all && args->word_count)
        return usage(p, "give names or --all, not both");
    if ((verb->flags & JA_VERB_ALL) && !all && !args->word_count)
        return usage(p, "give at least one name, or --all");
    if (args->word_count < (size_t)verb->least)
        return usage(p, "too few arguments: it takes %s", verb->usage);
    if ((verb->flags & JA_VERB_DASHES) && args->word_count > (size_t)verb->most)
        return usage(p, "%s: the command is what follows --", JA_SHOW(args->words[verb->most]));
    if (verb->most >= 0 && args->word_count > (size_t)verb->most) {
        const char *extra = args->words[verb->most];
        return usage(p, "%s: %s", verb->most ? "one argument too many" : "it takes no arguments, but got",
                     JA_SHOW(extra));
    }
    if ((verb->flags & JA_VERB_NEED_COMMAND) && !args->command)
        return usage(p, verb->flags & JA_VERB_DASHES ? "a command is missing: it is what follows --"
                                                     : "a command is missing after the name");
    if (p->cli->dry_run && !(verb->flags & JA_VERB_MUTATES)) {
        usage(p, "it takes no --dry-run");
        return ja_error_hint(p->err, "a dry run shows a plan, and this verb makes none");
    }
    return 0;
}

int ja_args_parse(struct ja_cli *cli, int argc, char *const *argv, struct ja_args *ret_args, struct ja_error *err)
{
    struct ja_error unseen = JA_ERROR_INIT;
    struct parser p = {.cli = cli, .args = ret_args, .argv = argv, .argc = argc, .at = 1, .err = err ? err : &unseen};
    *ret_args = (struct ja_args){0};
    while (p.at < argc) {
        int code = parse_one(&p);
        if (code < 0)
            return code;
        if (ret_args->version || (ret_args->help && ret_args->verb))
            return 0;
    }
    if (ret_args->help)
        return 0;
    if (!ret_args->verb) {
        ja_error_set(p.err, JA_E_USAGE, NULL, "a verb is missing");
        return ja_error_hint(p.err, "\"jailadmin help\" lists the verbs");
    }
    return check_words(&p);
}

void ja_args_fini(struct ja_args *args)
{
    ja_free(args->given);
    ja_free(args->words);
    *args = (struct ja_args){0};
}

static const struct ja_option *own_option(const struct ja_args *args, const char *name)
{
    const struct ja_option *option = ja_option_find(args->verb->options, name, strlen(name));
    assert(option);
    return option;
}

bool ja_args_has(const struct ja_args *args, const char *option)
{
    return ja_args_get(args, option) != NULL;
}

const char *ja_args_get(const struct ja_args *args, const char *option)
{
    const struct ja_option *wanted = own_option(args, option);
    const char *value = NULL;
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option == wanted)
            value = args->given[i].value;
    return value;
}

const char *ja_args_next(const struct ja_args *args, const char *option, size_t *at)
{
    const struct ja_option *wanted = own_option(args, option);
    while (*at < args->given_count) {
        const struct ja_given *given = &args->given[(*at)++];
        if (given->option == wanted)
            return given->value;
    }
    return NULL;
}

/* The first of a repeated option replaces the default, those after it add to it. */
static bool given_before(const struct ja_args *args, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (args->given[i].option == args->given[index].option)
            return true;
    return false;
}

static int apply_one(const struct ja_args *args, size_t index, void *object, bool creating, struct ja_error *err)
{
    const struct ja_option *option = args->given[index].option;
    const char *value = args->given[index].value;
    if (!option->field)
        return ja_object_set(option->noun, object, value, creating, err);
    const struct ja_field *field = ja_noun_field(option->noun, option->field);
    assert(field);
    if (field->type == JA_T_LIST)
        return ja_object_set_entry(option->noun, object, option->field, value, err);
    const char *joint = "=";
    if (field->type == JA_T_OBJECT || field->type == JA_T_MAP)
        joint = ".";
    else if (option->repeatable && given_before(args, index))
        joint = "+=";
    ja_autofree char *assignment = ja_printf("%s%s%s", option->field, joint, option->metavar ? value : "yes");
    if (!assignment)
        return ja_error_nomem(err);
    return ja_object_set(option->noun, object, assignment, creating, err);
}

int ja_args_apply(const struct ja_args *args, const struct ja_noun *noun, void *object, bool creating,
                  struct ja_error *err)
{
    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].option->noun != noun)
            continue;
        int code = apply_one(args, i, object, creating, err);
        if (code < 0) {
            ja_error_wrap(err, "--%s %s", args->given[i].option->name, JA_SHOW(args->given[i].value));
            return code;
        }
    }
    return 0;
}
