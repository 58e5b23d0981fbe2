/*
 * help.c: help for a terminal, from the verb table and the field tables.
 */
#include "cli/cli.h"

#include "model/model.h"

#include <string.h>

#define COLUMN 20 /* where the second column begins */

const struct ja_noun *const ja_help_nouns[] = {
    &ja_noun_jail,   &ja_noun_nic,     &ja_noun_route,  &ja_noun_forward,  &ja_noun_mount,
    &ja_noun_volume, &ja_noun_service, &ja_noun_limits, &ja_noun_dns,      &ja_noun_hooks,
    &ja_noun_keep,   &ja_noun_network, &ja_noun_rule,   &ja_noun_template, NULL,
};

/* Columns of a text: its characters; our own texts are ASCII but for nothing. */
void ja_wrap(struct ja_str *str, const char *text, unsigned at, unsigned indent, unsigned width)
{
    unsigned column = at;
    bool first = true;
    while (*text) {
        text += strspn(text, " ");
        unsigned length = (unsigned)strcspn(text, " ");
        if (!length)
            break;
        if (!first && column + 1 + length > width) {
            ja_str_addf(str, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            ja_str_add(str, " ");
            column++;
        }
        ja_str_addn(str, text, length);
        column += length;
        text += length;
        first = false;
    }
    ja_str_add(str, "\n");
}

void ja_option_head(const struct ja_option *option, struct ja_str *str)
{
    if (option->letter)
        ja_str_addf(str, "-%c, ", option->letter);
    ja_str_addf(str, "--%s", option->name);
    if (option->metavar)
        ja_str_addf(str, " %s", option->metavar);
}

/* "  HEAD    text", the text at COLUMN, on a line of its own when the head is too long. */
static void add_entry(struct ja_str *str, const char *head, const char *text, unsigned width)
{
    ja_str_addf(str, "  %s", head);
    size_t length = strlen(head) + 2;
    if (length + 2 > COLUMN)
        ja_str_addf(str, "\n%*s", COLUMN, "");
    else
        ja_str_addf(str, "%*s", (int)(COLUMN - length), "");
    ja_wrap(str, text, COLUMN, COLUMN, width);
}

static void add_options(struct ja_str *str, const struct ja_option *options, unsigned width)
{
    for (const struct ja_option *option = options; option && option->name; option++) {
        if (option->hidden)
            continue;
        ja_autostr struct ja_str head = {0};
        ja_autostr struct ja_str text = {0};
        ja_option_head(option, &head);
        ja_str_addf(&text, "%s%s", option->doc, option->repeatable ? " (repeatable)" : "");
        if (head.failed || text.failed)
            str->failed = true;
        else
            add_entry(str, head.text, text.text, width);
    }
}

void ja_help_usage(const struct ja_verb *verb, struct ja_str *str)
{
    ja_str_addf(str, "usage: jailadmin %s", verb->name);
    if (verb->options)
        ja_str_add(str, " [OPTION]...");
    if (*verb->usage)
        ja_str_addf(str, " %s", verb->usage);
}

void ja_help_all(unsigned width, struct ja_str *str)
{
    ja_str_add(str, "usage: jailadmin [OPTION]... VERB [OPTION]... [ARGUMENT]...\n");
    for (int group = 0; group < JA_GROUP_COUNT; group++) {
        ja_str_addf(str, "\n%s:\n", ja_verb_group_title((enum ja_verb_group)group));
        for (const struct ja_verb *verb = ja_verbs; verb->name; verb++)
            if ((int)verb->group == group && !(verb->flags & JA_VERB_HIDDEN))
                add_entry(str, verb->name, verb->doc, width);
    }
    ja_str_add(str, "\nOptions of all verbs, before or after the verb:\n");
    add_options(str, ja_global_options, width);
    ja_str_add(str, "\n");
    ja_wrap(str,
            "\"jailadmin help VERB\" says more about a verb, \"jailadmin help NOUN\" lists the fields of a jail, "
            "network, template, nic or another noun, and jailadmin(8) is the manual.",
            0, 0, width);
}

/* The noun whose fields an option's value names: that of a list or object, or the option's own for any field.
 */
static const struct ja_noun *option_noun(const struct ja_option *option)
{
    if (!option->noun || !option->field)
        return NULL;
    const struct ja_field *field = ja_noun_field(option->noun, option->field);
    return field ? field->noun : NULL;
}

static void add_option_fields(struct ja_str *str, const struct ja_verb *verb, unsigned width)
{
    for (const struct ja_option *option = verb->options; option && option->name; option++) {
        const struct ja_noun *noun = option_noun(option);
        if (!noun)
            continue;
        ja_autostr struct ja_str keys = {0};
        bool list = ja_noun_field(option->noun, option->field)->type == JA_T_LIST;
        ja_str_addf(&keys, "Keys of --%s:", option->name);
        for (size_t i = list ? 1 : 0; i < noun->field_count; i++)
            if (!(noun->fields[i].flags & JA_F_STATE))
                ja_str_addf(&keys, " %s%s", noun->fields[i].name, i + 1 < noun->field_count ? "," : "");
        if (keys.failed)
            str->failed = true;
        else
            ja_wrap(str, keys.text, 0, 4, width);
    }
}

void ja_help_verb(const struct ja_verb *verb, unsigned width, struct ja_str *str)
{
    ja_help_usage(verb, str);
    ja_str_addf(str, "\n\n%s.\n\n", verb->doc);
    ja_wrap(str, verb->text, 0, 0, width);
    if (verb->options) {
        ja_str_add(str, "\nOptions:\n");
        add_options(str, verb->options, width);
    }
    size_t before = str->length;
    ja_str_add(str, "\n");
    add_option_fields(str, verb, width);
    if (str->length == before + 1 && !str->failed)
        str->text[--str->length] = '\0';
    if (verb->noun)
        ja_str_addf(str, "\nFields: \"jailadmin help %s\" lists them.\n",
                    verb->noun == &ja_noun_shape ? ja_noun_nic.name : verb->noun->name);
    if (verb->example)
        ja_str_addf(str, "\nExample:\n  %s\n      %s\n", verb->example, verb->example_doc);
}
