/*
 * gendoc.c: makes the manual page: copies a template, and puts in place of lines such as @VERBS@ what the verb and field
 * tables say. Runs at build time; the tables are what help and the program itself use, so they cannot disagree.
 *
 *     gendoc TEMPLATE > jailadmin.8
 */
#include "cli/cli.h"
#include "model/model.h"
#include "run/hostverb.h"

#include <stdio.h>
#include <string.h>

/* Text of the tables as mdoc: no word of it is a macro or an escape. `line` begins a line. */
static void add_text(struct ja_str *str, const char *text, bool line, bool literal)
{
    if (line && (*text == '.' || *text == '\''))
        ja_str_add(str, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            ja_str_add(str, "\\e");
        else if (literal && (*text == '-' || *text == '\'' || *text == '`' || *text == '^' || *text == '~'))
            ja_str_addf(str, "\\%s",
                        *text == '-'    ? "-"
                        : *text == '\'' ? "(aq"
                        : *text == '`'  ? "(ga"
                        : *text == '^'  ? "(ha"
                                        : "(ti");
        else
            ja_str_addn(str, text, 1);
    }
}

/* Words on a macro line: each is kept from being taken for a macro or for punctuation. */
static void add_words(struct ja_str *str, const char *text)
{
    while (*text) {
        text += strspn(text, " ");
        size_t length = strcspn(text, " ");
        ja_autofree char *word = ja_strndup(text, length);
        if (!word) {
            str->failed = true;
            return;
        }
        if (length) {
            ja_str_add(str, " \\&");
            add_text(str, word, false, true);
        }
        text += length;
    }
}

/* Sentences, each on a line of its own, as mdoc wants it. */
static void add_sentences(struct ja_str *str, const char *text)
{
    while (*text) {
        const char *end = strstr(text, ". ");
        size_t length = end ? (size_t)(end - text) + 1 : strlen(text);
        ja_autofree char *sentence = ja_strndup(text, length);
        if (!sentence) {
            str->failed = true;
            return;
        }
        add_text(str, sentence, true, false);
        ja_str_add(str, "\n");
        text += length + (end ? 1 : 0);
    }
}

static void add_options(struct ja_str *str, const struct ja_option *options)
{
    ja_str_add(str, ".Bl -tag -width Ds\n");
    for (const struct ja_option *option = options; option && option->name; option++) {
        if (option->hidden)
            continue;
        ja_str_add(str, ".It");
        if (option->letter)
            ja_str_addf(str, " Fl %c ,", option->letter);
        ja_str_addf(str, " Fl \\-%s", option->name);
        if (option->metavar) {
            ja_str_add(str, " Ar");
            add_words(str, option->metavar);
        }
        ja_str_add(str, "\n");
        add_sentences(str, option->doc);
        const struct ja_field *field =
            option->noun && option->field ? ja_noun_field(option->noun, option->field) : NULL;
        str->text[str->length - 1] = '.';
        ja_str_add(str, "\n");
        if (option->repeatable)
            ja_str_add(str, "It may be given several times.\n");
        if (field && field->noun)
            ja_str_addf(str, "Keys are those of\n.Cm %s\nof a %s, see\n.Sx FIELDS .\n", option->field,
                        option->noun->name);
    }
    ja_str_add(str, ".El\n");
}

static bool has_options(const struct ja_option *options)
{
    for (; options && options->name; options++)
        if (!options->hidden)
            return true;
    return false;
}

static void add_verb(struct ja_str *str, const struct ja_verb *verb)
{
    ja_str_addf(str, ".It Cm %s", verb->name);
    if (has_options(verb->options))
        ja_str_add(str, " Oo Ar option ... Oc");
    if (*verb->usage) {
        ja_str_add(str, " Ar");
        add_words(str, verb->usage);
    }
    ja_str_add(str, "\n");
    add_text(str, verb->doc, true, false);
    ja_str_add(str, ".\n");
    add_sentences(str, verb->text);
    if (has_options(verb->options))
        add_options(str, verb->options);
    if (verb->example) {
        ja_str_add(str, ".Pp\nExample:\n.Bd -literal -offset indent\n");
        add_text(str, verb->example, true, true);
        ja_str_add(str, "\n.Ed\n.Pp\n");
        add_sentences(str, verb->example_doc);
    }
}

static void add_verbs(struct ja_str *str)
{
    for (int group = 0; group < JA_GROUP_COUNT; group++) {
        ja_str_addf(str, ".Ss %s\n.Bl -tag -width Ds\n", ja_verb_group_title((enum ja_verb_group)group));
        for (const struct ja_verb *verb = ja_verbs; verb->name; verb++)
            if ((int)verb->group == group && !(verb->flags & JA_VERB_HIDDEN))
                add_verb(str, verb);
        ja_str_add(str, ".El\n");
    }
}

static void add_fields(struct ja_str *str)
{
    static const struct ja_noun *const nouns[] = {&ja_noun_jail, &ja_noun_network, &ja_noun_template};
    for (size_t i = 0; i < JA_COUNT(nouns); i++) {
        ja_str_addf(str, ".Ss Fields of a %s\n.Bl -tag -width Ds\n", nouns[i]->name);
        ja_noun_doc(nouns[i], true, str);
        ja_str_add(str, ".El\n");
    }
}

static void add_hostverbs(struct ja_str *str)
{
    const struct ja_hostverb *tables[] = {ja_hostverb_portable(), ja_hostverb_native()};
    ja_str_add(str, ".Bl -tag -width Ds\n");
    for (size_t t = 0; t < JA_COUNT(tables); t++)
        for (const struct ja_hostverb *verb = tables[t]; verb && verb->name; verb++) {
            ja_str_addf(str, ".It Cm %s", verb->name);
            if (verb->usage && *verb->usage) {
                ja_str_add(str, " Ar");
                add_words(str, verb->usage);
            }
            ja_str_add(str, "\n");
            add_sentences(str, verb->doc);
            str->text[str->length - 1] = '.';
            ja_str_add(str, "\n");
        }
    ja_str_add(str, ".El\n");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *line;
        void (*add)(struct ja_str *str);
    } parts[] = {{"@VERBS@\n", add_verbs}, {"@FIELDS@\n", add_fields}, {"@HOSTVERBS@\n", add_hostverbs}};
    char line[4096];
    FILE *template = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!template) {
        fprintf(stderr, "usage: gendoc TEMPLATE\n");
        return 2;
    }
    while (fgets(line, sizeof line, template)) {
        ja_autostr struct ja_str str = {0};
        size_t i = 0;
        while (i < JA_COUNT(parts) && strcmp(line, parts[i].line) != 0)
            i++;
        if (i < JA_COUNT(parts))
            parts[i].add(&str);
        else if (strcmp(line, "@OPTIONS@\n") == 0)
            add_options(&str, ja_global_options);
        else
            ja_str_add(&str, line);
        if (str.failed) {
            fprintf(stderr, "gendoc: out of memory\n");
            return 1;
        }
        fputs(str.text, stdout);
    }
    fclose(template);
    return fflush(stdout) == 0 ? 0 : 1;
}
