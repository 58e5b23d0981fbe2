/*
 * test_fuzz.c: random command lines, assignments and JSON, made of what the tables know and of what nobody should type. Nothing
 * crashes (the sanitizer build looks closely), every refusal says one clear thing, and what was accepted is read back
 * as the same. Always the same words, unless JAILADMIN_FUZZ_SEED is set; with JAILADMIN_TEST_LONG many, with a new seed, which is printed.
 */
#include "cli/cli.h"
#include "model/model.h"
#include "scratch.h"

#include <time.h>

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static size_t below(size_t n)
{
    return n ? (size_t)(random_next() % n) : 0;
}

static const struct ja_noun *random_noun(void)
{
    size_t count = 0;
    while (ja_help_nouns[count])
        count++;
    return ja_help_nouns[below(count)];
}

static const char *const hostile[] = {
    "",
    " ",
    "-",
    "--",
    "---",
    ".",
    "..",
    "/",
    "../../etc",
    "a=b=c",
    "=",
    "+=",
    "-=",
    "a.b.c.d",
    "a..b",
    ".a",
    "a.",
    "\033[2J",
    "\xff",
    "\xc0\xaf",
    "\n",
    "\t",
    "%s%n",
    "$(id)",
    "'",
    "\"",
    "\\",
    "-1",
    "0",
    "1e309",
    "nan",
    "0x10",
    "99999999999",
    "1G",
    "1.5",
    "150%",
    "10Mbit",
    "30s",
    "yes",
    "no",
    "auto",
    "none",
    "10.0.0.1/8",
    "::1",
    "fe80::1%eth0",
    "a,b,c",
    ",",
    "eth0",
    "eth0,",
    "eth0,=,",
    "x@1",
    "x@",
    "@",
    "web1:/path",
    "{",
    "[]",
    "null",
    "1K1K",
    "02:00:00:00:00:00",
    "a b",
    "\"a b\" c",
    "'unended",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "0.0.0.0/0",
    "255.255.255.255",
    "1000000000000000000000000",
};

/* A word: of the tables, hostile, or either of them damaged. The buffer holds it until the next one of the same slot. */
static char *random_word(void)
{
    static char slots[24][512];
    static unsigned next;
    char *word = slots[next++ % JA_COUNT(slots)];
    const struct ja_noun *noun = random_noun();
    size_t verbs = 0;
    while (ja_verbs[verbs].name)
        verbs++;
    const struct ja_verb *verb = &ja_verbs[below(verbs)];
    const struct ja_field *field = &noun->fields[below(noun->field_count)];
    const char *text = hostile[below(JA_COUNT(hostile))];
    switch (below(8)) {
    case 0:
        snprintf(word, 512, "%s", text);
        break;
    case 1: {
        size_t options = 0;
        while (verb->options && verb->options[options].name)
            options++;
        snprintf(word, 512, "--%s%s%s", options ? verb->options[below(options)].name : "json", below(2) ? "=" : "",
                 below(2) ? text : "");
        break;
    }
    case 2:
        snprintf(word, 512, "%.*s", (int)strcspn(verb->name, " "), verb->name);
        break;
    case 3:
        snprintf(word, 512, "%s=%s", field->name, text);
        break;
    case 4:
        snprintf(word, 512, "%s.%s%s%s", below(2) ? "nics.eth0" : "limits", field->name, below(3) ? "=" : "+=", text);
        break;
    case 5:
        snprintf(word, 512, "eth0,%s=%s,%s", field->name, text, hostile[below(JA_COUNT(hostile))]);
        break;
    case 6:
        snprintf(word, 512, "-%c%c", (int)(' ' + below(95)), (int)(' ' + below(95)));
        break;
    default:
        snprintf(word, 512, "web%zu", below(100));
    }
    while (below(4) == 0 && *word)
        word[below(strlen(word))] = (char)(1 + below(255));
    if (below(200) == 0) {
        memset(word, 'x', 511);
        word[511] = '\0';
    }
    return word;
}

/* What every error is like. */
static void check_error(int code, const struct ja_error *err)
{
    assert_true(code < 0);
    assert_int_equal(err->code, code);
    assert_true(err->what[0] != '\0');
    assert_true(ja_str_printable(err->what, strlen(err->what), false));
    assert_true(ja_str_printable(err->object, strlen(err->object), false));
    assert_true(ja_str_printable(err->hint, strlen(err->hint), false));
}

static size_t rounds(size_t usual)
{
    return getenv("JAILADMIN_TEST_LONG") ? usual * 50 : usual;
}

static void command_lines(void **state)
{
    (void)state;
    for (size_t n = rounds(20000); n > 0; n--) {
        char *argv[12] = {(char *)(uintptr_t) "jailadmin"};
        int argc = 1 + (int)below(10);
        for (int i = 1; i < argc; i++)
            argv[i] = random_word();
        argv[argc] = NULL;
        struct ja_cli cli;
        struct ja_args args;
        struct ja_error err = JA_ERROR_INIT;
        assert_int_equal(ja_cli_init(&cli, &err), 0);
        int code = ja_args_parse(&cli, argc, argv, &args, &err);
        if (code < 0) {
            check_error(code, &err);
        } else if (args.verb && !args.help && !args.version) {
            void *jail = ja_object_new(&ja_noun_jail);
            assert_non_null(jail);
            code = ja_args_apply(&args, &ja_noun_jail, jail, true, &err);
            if (code < 0)
                check_error(code, &err);
            ja_object_free(&ja_noun_jail, jail);
        }
        ja_args_fini(&args);
        ja_autostrv struct ja_strv found = {0};
        snprintf(cli.state, sizeof cli.state, "/nonexistent");
        assert_int_equal(ja_complete(&cli, argv + 1, (size_t)argc - 1, &found), 0);
    }
}

static void assignments(void **state)
{
    (void)state;
    static const struct ja_noun *const nouns[] = {&ja_noun_jail, &ja_noun_network, &ja_noun_template};
    for (size_t n = rounds(20000); n > 0; n--) {
        const struct ja_noun *noun = nouns[below(JA_COUNT(nouns))];
        void *object = ja_object_new(noun), *again = NULL;
        struct ja_error err = JA_ERROR_INIT;
        assert_non_null(object);
        for (size_t k = below(6); k > 0; k--) {
            void *before = ja_object_copy(noun, object);
            int code = ja_object_set(noun, object, random_word(), below(2), &err);
            if (code < 0) {
                check_error(code, &err);
                assert_true(ja_object_equal(noun, before, object));
            }
            ja_object_free(noun, before);
        }
        /* What was taken can be written and read back. */
        json_t *json = ja_object_to_json(noun, object, below(2));
        assert_non_null(json);
        assert_int_equal(ja_object_from_json(noun, json, true, &again, &err), 0);
        assert_true(ja_object_equal(noun, object, again));
        json_decref(json);
        ja_object_free(noun, object);
        ja_object_free(noun, again);
    }
}

static json_t *random_json(int depth)
{
    const struct ja_noun *noun = random_noun();
    json_t *json;
    switch (below(depth > 0 ? 9 : 6)) {
    case 0:
        return json_integer((json_int_t)random_next() >> below(63));
    case 1:
        return json_boolean(below(2));
    case 2:
        return json_null();
    case 3:
        return json_real((double)(int64_t)random_next() / 1e9);
    case 4:
        json = json_string(hostile[below(JA_COUNT(hostile))]);
        return json ? json : json_string("");
    case 5:
        return json_string("auto");
    case 6:
        json = json_array();
        for (size_t k = below(4); k > 0; k--)
            json_array_append_new(json, random_json(depth - 1));
        return json;
    default:
        json = json_object();
        for (size_t k = below(6); k > 0; k--) {
            const char *key = below(4) ? noun->fields[below(noun->field_count)].name : "eth0";
            json_object_set_new(json, key, random_json(depth - 1));
        }
        return json;
    }
}

static void json_objects(void **state)
{
    (void)state;
    static const struct ja_noun *const nouns[] = {&ja_noun_jail, &ja_noun_network, &ja_noun_template};
    for (size_t n = rounds(20000); n > 0; n--) {
        const struct ja_noun *noun = nouns[below(JA_COUNT(nouns))];
        struct ja_error err = JA_ERROR_INIT;
        void *object = NULL;
        json_t *json = random_json(4);
        assert_non_null(json);
        int code = ja_object_from_json(noun, json, below(4) == 0, &object, &err);
        if (code < 0)
            check_error(code, &err);
        else
            ja_object_free(noun, object);
        json_decref(json);
    }
}

/* The text of JSON, damaged: whatever still is JSON is read as above. */
static void json_texts(void **state)
{
    (void)state;
    for (size_t n = rounds(5000); n > 0; n--) {
        json_t *whole = random_json(4);
        char *text = json_dumps(whole, JSON_ENCODE_ANY);
        assert_non_null(text);
        for (size_t k = below(4); k > 0 && *text; k--)
            text[below(strlen(text))] = (char)(1 + below(255));
        json_error_t where;
        json_t *json = json_loads(text, JSON_DECODE_ANY, &where);
        struct ja_error err = JA_ERROR_INIT;
        void *object = NULL;
        if (json && ja_object_from_json(&ja_noun_jail, json, false, &object, &err) == 0)
            ja_object_free(&ja_noun_jail, object);
        json_decref(json);
        json_decref(whole);
        ja_free(text);
    }
}

int main(void)
{
    const char *given = getenv("JAILADMIN_FUZZ_SEED");
    uint64_t seed = 20261124;
    if (given)
        seed = strtoull(given, NULL, 10);
    else if (getenv("JAILADMIN_TEST_LONG"))
        seed = (uint64_t)time(NULL);
    random_state = (seed + 1) * 0x9e3779b97f4a7c15u | 1;
    printf("JAILADMIN_FUZZ_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    ja_json_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(command_lines), cmocka_unit_test(assignments),
                                       cmocka_unit_test(json_objects), cmocka_unit_test(json_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
