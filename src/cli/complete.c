/*
 * complete.c: how the last word of a command line could go on, from the verb table and the field tables.
 * Reads names from the store and nothing else, since it runs at every press of the tab key.
 */
#include "cli/commands.h"
#include "model/model.h"

#include <string.h>

struct completing {
    struct ja_cli *cli;
    char *const *words;
    size_t count; /* of the words before the last one */
    const char *last;
    const struct ja_verb *verb;
    const char *group;                /* "template", with no second word yet */
    const struct ja_option *awaiting; /* the option whose value the last word is */
    size_t positional;                /* words of the verb so far */
    const char *jail;                 /* the first of them */
    bool ended;                       /* "--" was seen */
    bool command;                     /* the last word belongs to a command, which is not ours */
    bool unknown;                     /* there is no such verb: nothing can be said */
    struct ja_strv *found;
    bool failed;
};

/* ---- what stands before the last word ---- */

static void take_value(struct completing *c, const struct ja_option *option, const char *value)
{
    if (strcmp(option->name, "state") == 0)
        snprintf(c->cli->state, sizeof c->cli->state, "%s", value);
}

static const struct ja_option *find_option(const struct completing *c, const char *name, size_t length)
{
    const struct ja_option *own = c->verb ? ja_option_find(c->verb->options, name, length) : NULL;
    return own ? own : ja_option_find(ja_global_options, name, length);
}

static void read_option(struct completing *c, const char *word)
{
    if (word[1] == '-') {
        size_t length = strcspn(word + 2, "=");
        const struct ja_option *option = find_option(c, word + 2, length);
        if (option && word[2 + length] == '=')
            take_value(c, option, word + 3 + length);
        else if (option && option->metavar)
            c->awaiting = option;
        return;
    }
    for (const char *letter = word + 1; *letter; letter++) {
        const struct ja_option *option = c->verb ? ja_option_find_letter(c->verb->options, *letter) : NULL;
        if (!option)
            option = ja_option_find_letter(ja_global_options, *letter);
        if (!option || !option->metavar)
            continue;
        if (letter[1])
            take_value(c, option, letter + 1);
        else
            c->awaiting = option;
        return;
    }
}

static void read_word(struct completing *c, const char *word)
{
    if (c->awaiting) {
        take_value(c, c->awaiting, word);
        c->awaiting = NULL;
    } else if (!c->ended && strcmp(word, "--") == 0) {
        c->ended = true;
        c->command = c->verb && (c->verb->flags & JA_VERB_DASHES) && c->positional == (size_t)c->verb->most;
    } else if (!c->ended && word[0] == '-' && word[1]) {
        read_option(c, word);
    } else if (c->verb) {
        c->jail = c->positional++ ? c->jail : word;
    } else if (c->group) {
        c->verb = ja_verb_find(c->group, word, NULL);
        c->unknown = !c->verb;
    } else {
        c->verb = ja_verb_find(word, NULL, NULL);
        c->group = !c->verb && ja_verb_is_group(word) ? word : NULL;
        c->unknown = !c->verb && !c->group;
    }
}

static void read_words(struct completing *c)
{
    for (size_t i = 0; i < c->count && !c->command && !c->unknown; i++) {
        read_word(c, c->words[i]);
        if (c->verb && (c->verb->flags & JA_VERB_COMMAND) && !(c->verb->flags & JA_VERB_DASHES))
            c->command = c->positional == (size_t)c->verb->most;
    }
}

/* ---- candidates ---- */

/* A candidate is `prefix`, which the last word has already, and `word`, which begins with `typed`. */
static void offer(struct completing *c, const char *prefix, const char *typed, const char *word, const char *suffix,
                  const char *doc)
{
    /* What was typed is repeated before it, and may be anything; a terminal is to be safe from that. */
    if (!ja_str_starts(word, typed) || !ja_str_printable(prefix, strlen(prefix), true))
        return;
    if (ja_strv_addf(c->found, "%s%s%s%s%s", prefix, word, suffix, doc ? "\t" : "", doc ? doc : "") < 0)
        c->failed = true;
}

static bool given_already(const struct completing *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->words[i], name) == 0)
            return true;
    return false;
}

static void offer_names(struct completing *c, const char *prefix, const char *typed, const char *kind,
                        const char *suffix)
{
    ja_autostrv struct ja_strv names = {0};
    if (ja_complete_names(c->cli, kind, &names) < 0)
        c->failed = true;
    for (size_t i = 0; i < names.count; i++)
        if (*prefix || *suffix || !given_already(c, names.items[i]))
            offer(c, prefix, typed, names.items[i], suffix, NULL);
}

/* The verb's first word. */
static const char *first_word(const struct completing *c)
{
    return c->jail ? c->jail : "";
}

static void offer_list(struct completing *c, const char *prefix, const char *typed, const char *jail,
                       int (*list)(struct ja_cli *cli, const char *jail, struct ja_strv *ret_names))
{
    ja_autostrv struct ja_strv names = {0};
    if (list(c->cli, jail, &names) < 0)
        c->failed = true;
    for (size_t i = 0; i < names.count; i++)
        if (*prefix || !given_already(c, names.items[i]))
            offer(c, prefix, typed, names.items[i], "", NULL);
}

/* "web1@s": a jail, then its snapshots. */
static void offer_snapshots(struct completing *c, const char *prefix, const char *typed)
{
    const char *at = strchr(typed, '@');
    if (!at) {
        offer_names(c, prefix, typed, "jail", "@");
        return;
    }
    ja_autofree char *jail = ja_strndup(typed, (size_t)(at - typed)),
                     *before = ja_printf("%s%.*s", prefix, (int)(at + 1 - typed), typed);
    if (jail && before)
        offer_list(c, before, at + 1, jail, ja_complete_snapshots);
    else
        c->failed = true;
}

static void offer_environments(struct completing *c, const char *prefix, const char *typed, bool snapshots_too)
{
    ja_autofree char *before = ja_printf("%s@", prefix);
    if (!before)
        c->failed = true;
    else if (snapshots_too && *typed == '@')
        offer_list(c, before, typed + 1, first_word(c), ja_complete_snapshots);
    else
        offer_list(c, prefix, typed, first_word(c), ja_complete_environments);
}

static void offer_choices(struct completing *c, const char *prefix, const char *typed, const char *const *choices)
{
    for (; choices && *choices; choices++)
        offer(c, prefix, typed, *choices, "", NULL);
}

/* Whom a rule may be about: words, or a name behind its kind. */
static void offer_peers(struct completing *c, const char *prefix, const char *typed)
{
    static const char *const words[] = {"any", "host", "world", NULL}, *const kinds[] = {"network", "jail"};
    offer_choices(c, prefix, typed, words);
    for (size_t i = 0; i < JA_COUNT(kinds); i++) {
        size_t length = strlen(kinds[i]);
        ja_autofree char *before = ja_printf("%s%s:", prefix, kinds[i]);
        if (!before)
            c->failed = true;
        else if (ja_str_starts(typed, kinds[i]) && typed[length] == ':')
            offer_names(c, before, typed + length + 1, kinds[i], "");
        else
            offer(c, prefix, typed, kinds[i], ":", NULL);
    }
}

/* What a field's value may be, where its table says so or its name says which objects it means. */
static void offer_value(struct completing *c, const char *prefix, const char *typed, const struct ja_field *field)
{
    static const char *const yes_no[] = {"yes", "no", NULL};
    static const struct {
        const char *field, *kind;
    } names[] = {{"network", "network"}, {"template", "template"}, {"depends", "jail"}, {"jail", "jail"}};
    if (field->type == JA_T_BOOL)
        offer_choices(c, prefix, typed, yes_no);
    else if (field->values)
        offer_choices(c, prefix, typed, field->values);
    for (size_t i = 0; i < JA_COUNT(names); i++)
        if (strcmp(field->name, names[i].field) == 0)
            offer_names(c, prefix, typed, names[i].kind, "");
    if (strcmp(field->name, "peer") == 0)
        offer_peers(c, prefix, typed);
}

/* The fields of a noun from number `first` on, that a user may set. */
static void offer_fields(struct completing *c, const char *prefix, const char *typed, const struct ja_noun *noun,
                         size_t first, bool change_only)
{
    for (size_t i = first; i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        bool parts = field->type == JA_T_OBJECT || field->type == JA_T_LIST || field->type == JA_T_MAP;
        if ((field->flags & JA_F_STATE) || (change_only && field->when == JA_WHEN_CREATE && !parts))
            continue;
        offer(c, prefix, typed, field->name, parts ? "." : "=", field->doc);
    }
}

/* PATH=VALUE: the path is offered name by name, beginning with field number `first`, then values of its field. */
static void offer_assignment(struct completing *c, const char *prefix, const char *text, const struct ja_noun *noun,
                             size_t first, bool change_only)
{
    const char *equal = strchr(text, '=');
    const char *dot = equal ? NULL : strrchr(text, '.');
    size_t path_length = (size_t)((equal ? equal : dot ? dot : text) - text);
    if (equal && path_length && strchr("+-", text[path_length - 1]))
        path_length--;
    ja_autofree char *path = ja_strndup(text, path_length);
    size_t kept = equal ? (size_t)(equal - text) + 1 : dot ? path_length + 1 : 0;
    ja_autofree char *before = ja_printf("%s%.*s", prefix, (int)kept, text);
    if (!path || !before) {
        c->failed = true;
        return;
    }
    if (!equal && !dot) {
        offer_fields(c, before, text, noun, first, change_only);
        return;
    }
    const struct ja_field *field = ja_noun_field_at(noun, path);
    char *key = strchr(path, '.');
    if (equal && field)
        offer_value(c, before, equal + 1, field);
    else if (dot && field && field->type == JA_T_OBJECT)
        offer_fields(c, before, dot + 1, field->noun, 0, change_only);
    else if (dot && key) { /* "nics.eth0." */
        *key = '\0';
        field = ja_noun_field(noun, path);
        if (field && field->type == JA_T_LIST)
            offer_fields(c, before, dot + 1, field->noun, 1, change_only);
    }
}

/* "eth0,network=lan,addr": what follows the last comma; the key itself is the user's. */
static void offer_entry(struct completing *c, const char *prefix, const char *text, const struct ja_noun *noun)
{
    const char *comma = strrchr(text, ',');
    if (!comma)
        return;
    ja_autofree char *before = ja_printf("%s%.*s", prefix, (int)(comma + 1 - text), text);
    if (before)
        offer_assignment(c, before, comma + 1, noun, 1, false);
    else
        c->failed = true;
}

/* The value of an option that sets fields. */
static void offer_option_fields(struct completing *c, const char *prefix, const char *text,
                                const struct ja_option *option)
{
    const struct ja_field *field = option->field ? ja_noun_field(option->noun, option->field) : NULL;
    if (!field)
        offer_assignment(c, prefix, text, option->noun, 0, false);
    else if (field->type == JA_T_LIST)
        offer_entry(c, prefix, text, field->noun);
    else if (field->type == JA_T_OBJECT)
        offer_assignment(c, prefix, text, field->noun, 0, false);
    else
        offer_value(c, prefix, text, field);
}

static void offer_verbs(struct completing *c, const char *group, const char *typed)
{
    size_t length = group ? strlen(group) : 0;
    const char *before = "";
    size_t before_length = 0;
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++) {
        const char *space = strchr(verb->name, ' ');
        if (verb->flags & JA_VERB_HIDDEN)
            continue;
        if (group && (!space || (size_t)(space - verb->name) != length || strncmp(verb->name, group, length) != 0))
            continue;
        if (group || !space) {
            offer(c, "", typed, group ? space + 1 : verb->name, "", verb->doc);
            continue;
        }
        /* The verbs of a group stand together in the table: its name is offered with the first one. */
        size_t this_length = (size_t)(space - verb->name);
        if (this_length == before_length && strncmp(before, verb->name, this_length) == 0)
            continue;
        before = verb->name;
        before_length = this_length;
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)this_length, verb->name);
        offer(c, "", typed, name, "", ja_verb_group_title(verb->group));
    }
}

static void offer_options(struct completing *c)
{
    const struct ja_option *tables[] = {c->verb ? c->verb->options : NULL, ja_global_options};
    for (size_t t = 0; t < JA_COUNT(tables); t++)
        for (const struct ja_option *option = tables[t]; option && option->name; option++) {
            char name[64];
            snprintf(name, sizeof name, "--%s", option->name);
            bool dry_run = strcmp(option->name, "dry-run") == 0;
            if (option->hidden || (dry_run && c->verb && !(c->verb->flags & JA_VERB_MUTATES)))
                continue;
            if (option->repeatable || !given_already(c, name))
                offer(c, "", c->last, name, "", option->doc);
        }
}

static void offer_files(struct completing *c, const char *prefix, const char *directive)
{
    if (ja_strv_addf(c->found, "%s%s%s", directive, *prefix ? " " : "", prefix) < 0)
        c->failed = true;
}

static void offer_filter(struct completing *c, const char *prefix, const char *text)
{
    static const char *const states[] = {"running",  "stopped", "creating", "starting",
                                         "stopping", "dying",   "broken",   NULL};
    if (ja_str_starts(text, "state=")) {
        offer_choices(c, "state=", text + strlen("state="), states);
        return;
    }
    offer_names(c, prefix, text, "jail", "");
    offer(c, prefix, text, "state", "=", "what it does now");
    offer_assignment(c, prefix, text, &ja_noun_jail, 0, false);
}

/* One word of a kind. The option or the verb says more about it. */
static void offer_word(struct completing *c, enum ja_word word, const char *prefix, const char *text,
                       const struct ja_option *option, const struct ja_verb *verb)
{
    switch (word) {
    case JA_WORD_JAIL:
        if (strchr(text, '@'))
            offer_snapshots(c, prefix, text);
        else
            offer_names(c, prefix, text, "jail", "");
        break;
    case JA_WORD_SNAPSHOT:
        offer_snapshots(c, prefix, text);
        break;
    case JA_WORD_BE:
    case JA_WORD_BE_FROM:
        /* be mount JAIL NAME DIR */
        if (!option && verb->most == 3 && c->positional == 2) {
            offer_files(c, prefix, ":dir");
            break;
        }
        offer_environments(c, prefix, text, word == JA_WORD_BE_FROM);
        break;
    case JA_WORD_TEMPLATE:
        offer_names(c, prefix, text, "template", "");
        break;
    case JA_WORD_NETWORK:
        offer_names(c, prefix, text, "network", "");
        break;
    case JA_WORD_FIELD:
        offer_assignment(c, prefix, text, verb->noun, 0, true);
        break;
    case JA_WORD_FILTER:
        offer_filter(c, prefix, text);
        break;
    case JA_WORD_FILE:
        offer_files(c, prefix, ":file");
        break;
    case JA_WORD_DIR:
        offer_files(c, prefix, ":dir");
        break;
    case JA_WORD_COPY:
        offer_names(c, prefix, text, "jail", ":");
        offer_files(c, prefix, ":file");
        break;
    case JA_WORD_CHOICE:
        offer_choices(c, prefix, text, option ? option->choices : verb->choices);
        break;
    case JA_WORD_VERB:
        offer_verbs(c, c->positional ? c->words[c->count - 1] : NULL, text);
        for (const struct ja_noun *const *noun = ja_help_nouns; *noun && !c->positional; noun++)
            if (!ja_verb_is_group((*noun)->name))
                offer(c, prefix, text, (*noun)->name, "", (*noun)->doc);
        break;
    case JA_WORD_NONE:
        break;
    }
}

static void offer_option_value(struct completing *c, const char *prefix, const char *text,
                               const struct ja_option *option)
{
    if (option->noun)
        offer_option_fields(c, prefix, text, option);
    else
        offer_word(c, option->word, prefix, text, option, NULL);
}

static void offer_last(struct completing *c)
{
    const char *last = c->last;
    if (c->awaiting) {
        offer_option_value(c, "", last, c->awaiting);
        return;
    }
    if (!c->ended && ja_str_starts(last, "--") && strchr(last, '=')) {
        size_t length = strcspn(last + 2, "=");
        const struct ja_option *option = find_option(c, last + 2, length);
        ja_autofree char *prefix = ja_strndup(last, length + 3);
        if (!prefix)
            c->failed = true;
        else if (option && option->metavar)
            offer_option_value(c, prefix, last + length + 3, option);
    } else if (!c->ended && last[0] == '-') {
        offer_options(c);
    } else if (!c->verb) {
        offer_verbs(c, c->group, last);
    } else if (c->verb->most < 0 || c->positional < (size_t)c->verb->most) {
        offer_word(c, c->positional ? c->verb->rest : c->verb->first, "", last, NULL, c->verb);
    }
}

int ja_complete(struct ja_cli *cli, char *const *words, size_t count, struct ja_strv *ret_candidates)
{
    if (!count)
        return 0;
    struct completing c = {
        .cli = cli, .words = words, .count = count - 1, .last = words[count - 1], .found = ret_candidates};
    read_words(&c);
    if (!c.command && !c.unknown)
        offer_last(&c);
    return c.failed ? JA_E_NOMEM : 0;
}
