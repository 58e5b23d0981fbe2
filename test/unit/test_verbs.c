/*
 * test_verbs.c: the tables of verbs and fields, which help, the manual page and completion are made of: complete, in one
 * manner, and every example is a command line that is understood.
 */
#include "cli/cli.h"
#include "model/model.h"
#include "scratch.h"

#include <ctype.h>

/* "Capital letter, no full stop", or a small one. */
static void check_line(const char *where, const char *doc, bool capital)
{
    size_t length = doc ? strlen(doc) : 0;
    if (!length || doc[length - 1] == '.' || doc[length - 1] == ' ' || strchr(doc, '\n') ||
        (capital && islower((unsigned char)doc[0])))
        fail_msg("the line of %s is not as it should be: %s", where, doc ? doc : "(none)");
}

static void check_text(const char *where, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (!length || text[length - 1] != '.' || strchr(text, '\n') || strstr(text, "  "))
        fail_msg("the text of %s is not whole sentences: %s", where, text ? text : "(none)");
}

static void check_options(const char *where, const struct ja_option *options)
{
    for (const struct ja_option *option = options; option && option->name; option++) {
        check_line(option->name, option->doc, true);
        for (const struct ja_option *other = option + 1; other->name; other++)
            if (strcmp(option->name, other->name) == 0 || (option->letter && option->letter == other->letter))
                fail_msg("%s has --%s and --%s with the same name or letter", where, option->name, other->name);
        if (option->field)
            assert_non_null(ja_noun_field(option->noun, option->field));
        if (option->word == JA_WORD_CHOICE)
            assert_non_null(option->choices);
    }
}

static void verbs_are_documented(void **state)
{
    (void)state;
    check_options("jailadmin", ja_global_options);
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++) {
        check_line(verb->name, verb->doc, true);
        check_text(verb->name, verb->text);
        check_options(verb->name, verb->options);
        assert_non_null(verb->run);
        assert_true(verb->most < 0 || verb->most >= verb->least);
        if (verb->example)
            check_text(verb->name, verb->example_doc);
        for (const struct ja_verb *other = verb + 1; other->name; other++)
            assert_string_not_equal(verb->name, other->name);
    }
}

static void examples_are_understood(void **state)
{
    (void)state;
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++) {
        if (!verb->example)
            continue;
        ja_autostrv struct ja_strv words = {0};
        struct ja_cli cli;
        struct ja_args args;
        struct ja_error err = JA_ERROR_INIT;
        /* Up to a redirection or a pipe, which are the shell's. */
        ja_autofree char *line = ja_strndup(verb->example, strcspn(verb->example, "|<>"));
        assert_int_equal(ja_str_split_words(line, &words), 0);
        if (strcmp(words.items[0], "jailadmin") != 0)
            continue; /* another program begins it, such as tar */
        assert_int_equal(ja_cli_init(&cli, &err), 0);
        if (ja_args_parse(&cli, (int)words.count, words.items, &args, &err) < 0)
            fail_msg("%s: %s: %s", verb->example, err.object, err.what);
        if (args.verb != verb)
            fail_msg("%s is an example of %s, not of %s", verb->example, args.verb->name, verb->name);
        const struct ja_noun *const nouns[] = {&ja_noun_jail, &ja_noun_network, &ja_noun_template};
        for (size_t i = 0; i < JA_COUNT(nouns); i++) {
            void *object = ja_object_new(nouns[i]);
            if (ja_args_apply(&args, nouns[i], object, true, &err) < 0)
                fail_msg("%s: %s: %s", verb->example, err.object, err.what);
            ja_object_free(nouns[i], object);
        }
        ja_args_fini(&args);
    }
}

static void fields_are_documented(void **state)
{
    (void)state;
    for (const struct ja_noun *const *noun = ja_help_nouns; *noun; noun++) {
        for (size_t i = 0; i < (*noun)->field_count; i++) {
            const struct ja_field *field = &(*noun)->fields[i];
            check_line(field->name, field->doc, false);
            assert_ptr_equal(ja_noun_field(*noun, field->name), field);
        }
        ja_autostr struct ja_str text = {0};
        ja_noun_doc(*noun, true, &text);
        assert_false(text.failed);
    }
}

int main(void)
{
    ja_json_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(verbs_are_documented),
                                       cmocka_unit_test(examples_are_understood),
                                       cmocka_unit_test(fields_are_documented)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
