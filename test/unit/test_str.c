/*
 * test_str.c: growing strings, vectors, maps, quoting for sh(1), showing hostile text, and running out of
 * memory.
 */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void strings_grow_and_are_taken(void **state)
{
    struct ja_str str = {0};
    (void)state;
    for (int i = 0; i < 1000; i++)
        ja_str_addf(&str, "%d,", i % 10);
    assert_int_equal(str.length, 2000);
    char *text = ja_str_take(&str);
    assert_int_equal(strlen(text), 2000);
    assert_null(str.text);
    free(text);
    text = ja_str_take(&str);
    assert_string_equal(text, "");
    free(text);
}

static void long_formats_are_not_cut(void **state)
{
    ja_autostr struct ja_str str = {0};
    (void)state;
    ja_str_addf(&str, "%0600d", 7);
    assert_int_equal(str.length, 600);
    assert_int_equal(str.text[599], '7');
}

/* What sh(1) itself makes of the quoted word. */
static void assert_sh_reads_back(const char *word)
{
    ja_autostr struct ja_str command = {0};
    char back[256];
    ja_str_add(&command, "printf %s ");
    ja_str_add_quoted(&command, word);
    FILE *sh = popen(command.text, "r");
    assert_non_null(sh);
    size_t n = fread(back, 1, sizeof back - 1, sh);
    back[n] = '\0';
    pclose(sh);
    assert_string_equal(back, word);
}

static void quoted_words_are_read_back_by_sh(void **state)
{
    static const char *const words[] = {"plain", "",   "two words", "it's",     "$HOME", "`id`",  "a\\b",
                                        "a\nb",  "\"", "*?[]",      "~root",    "#no",   "a;b&c", "!!",
                                        "''",    "-n", "{a,b}",     "\xc3\xa4", "(x)",   "<>|"};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(words); i++)
        assert_sh_reads_back(words[i]);
}

static void plain_words_stay_readable(void **state)
{
    ja_autostr struct ja_str str = {0};
    (void)state;
    ja_str_add_quoted(&str, "/usr/bin/crun");
    ja_str_add(&str, " ");
    ja_str_add_quoted(&str, "--root=/run/ja");
    assert_string_equal(str.text, "/usr/bin/crun --root=/run/ja");
}

static void words_are_split_as_sh_splits_them(void **state)
{
    static const struct {
        const char *text;
        const char *words[5];
    } cases[] = {
        {"a b  c", {"a", "b", "c"}},
        {"  a\t\n", {"a"}},
        {"", {NULL}},
        {"'a b' c", {"a b", "c"}},
        {"\"a 'b\" c", {"a 'b", "c"}},
        {"a\\ b", {"a b"}},
        {"'' \"\"", {"", ""}},
        {"x'y'z", {"xyz"}},
        {"\"a\\\"b\\\\c\\d\"", {"a\"b\\c\\d"}},
        {"'a\\b'", {"a\\b"}},
        {"$HOME *", {"$HOME", "*"}},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        ja_autostrv struct ja_strv words = {0};
        assert_int_equal(ja_str_split_words(cases[i].text, &words), 0);
        size_t n = 0;
        while (cases[i].words[n])
            n++;
        assert_int_equal(words.count, n);
        for (size_t j = 0; j < n; j++)
            assert_string_equal(words.items[j], cases[i].words[j]);
    }
}

static void unfinished_quotes_are_an_error(void **state)
{
    struct ja_strv words = {0};
    (void)state;
    assert_int_equal(ja_str_split_words("a 'b", &words), -2);
    assert_int_equal(ja_str_split_words("a \"b", &words), -2);
    assert_null(words.items);
}

/* Hostile text, and how it is shown. */
static const char *const hostile[][2] = {
    {"plain \xc3\xa4\xe2\x82\xac", "plain \xc3\xa4\xe2\x82\xac"},
    {"\x1b[31mred", "\\x1b[31mred"},
    {"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"},
    {"\x7f", "\\x7f"},
    {"\xc2\x9b"
     "31m",
     "\\xc2\\x9b31m"},                                 /* a C1 control: CSI */
    {"\xff\xfe", "\\xff\\xfe"},                        /* not UTF-8 */
    {"\xc0\xaf", "\\xc0\\xaf"},                        /* overlong */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},               /* surrogate */
    {"\xe2\x80\xaegpj.exe", "\\xe2\\x80\\xaegpj.exe"}, /* right-to-left override */
    {"\xe2\x82", "\\xe2\\x82"},                        /* cut off */
};

static void hostile_text_cannot_act_on_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < JA_COUNT(hostile); i++) {
        ja_autostr struct ja_str str = {0};
        ja_str_add_shown(&str, hostile[i][0], strlen(hostile[i][0]), false);
        assert_string_equal(str.text, hostile[i][1]);
        assert_string_equal(JA_SHOW(hostile[i][0]), hostile[i][1]);
        assert_int_equal(ja_str_printable(hostile[i][0], strlen(hostile[i][0]), false), i == 0);
    }
}

static void lines_are_kept_where_they_are_wanted(void **state)
{
    ja_autostr struct ja_str str = {0};
    (void)state;
    ja_str_add_shown(&str, "a\tb\n\x1b", 5, true);
    assert_string_equal(str.text, "a\tb\n\\x1b");
    assert_true(ja_str_printable("a\tb\n", 4, true));
    assert_false(ja_str_printable("a\r", 2, true));
}

static void long_text_is_shown_cut(void **state)
{
    char buffer[16];
    (void)state;
    assert_string_equal(ja_str_show(buffer, sizeof buffer, "123456789012345"), "123456789012345");
    assert_string_equal(ja_str_show(buffer, sizeof buffer, "1234567890123456"), "123456789012...");
    assert_string_equal(ja_str_show(buffer, sizeof buffer, "12345678901\xc3\xa4\xc3\xa4\xc3\xa4"), "12345678901...");
    assert_string_equal(ja_str_show(buffer, sizeof buffer, "\x1b\x1b\x1b\x1b"), "\\x1b\\x1b\\x1b...");
    assert_string_equal(ja_str_show(buffer, 4, "\x1b\x1b"), "...");
    assert_string_equal(ja_str_show(buffer, sizeof buffer, ""), "");
}

static void vectors_own_their_strings(void **state)
{
    struct ja_strv strv = {0}, copy;
    (void)state;
    assert_int_equal(ja_strv_add_all(&strv, "a", "b", "a", NULL), 0);
    assert_int_equal(ja_strv_addf(&strv, "%s%d", "c", 1), 0);
    assert_int_equal(ja_strv_copy(&copy, &strv), 0);
    assert_true(ja_strv_equal(&strv, &copy));
    assert_true(ja_strv_remove(&strv, "a"));
    assert_false(ja_strv_remove(&strv, "a"));
    assert_int_equal(strv.count, 2);
    assert_true(ja_strv_has(&strv, "c1"));
    assert_null(strv.items[2]);
    assert_false(ja_strv_equal(&strv, &copy));
    ja_strv_fini(&strv);
    ja_strv_fini(&copy);
    ja_strv_fini(NULL);
}

static void maps_are_in_order_of_their_keys(void **state)
{
    struct ja_map map = {0}, copy;
    (void)state;
    assert_int_equal(ja_map_set(&map, "team", "a"), 0);
    assert_int_equal(ja_map_set(&map, "app", "web"), 0);
    assert_int_equal(ja_map_set(&map, "team", "b"), 0);
    assert_int_equal(map.count, 2);
    assert_string_equal(map.pairs[0].key, "app");
    assert_string_equal(ja_map_get(&map, "team"), "b");
    assert_int_equal(ja_map_copy(&copy, &map), 0);
    assert_true(ja_map_equal(&map, &copy));
    assert_int_equal(ja_map_set(&map, "team", NULL), 0);
    assert_int_equal(ja_map_set(&map, "none", NULL), 0);
    assert_null(ja_map_get(&map, "team"));
    assert_false(ja_map_equal(&map, &copy));
    ja_map_fini(&map);
    ja_map_fini(&copy);
}

static void the_distance_of_words_counts_their_differences(void **state)
{
    (void)state;
    assert_int_equal(ja_str_distance("memory", "memory"), 0);
    assert_int_equal(ja_str_distance("memroy", "memory"), 2);
    assert_int_equal(ja_str_distance("adress", "address"), 1);
    assert_int_equal(ja_str_distance("", "abc"), 3);
}

static int use_everything(void)
{
    ja_autostr struct ja_str str = {0};
    ja_autostrv struct ja_strv words = {0}, copy = {0};
    struct ja_map map = {0}, other = {0};
    int rc = ja_str_split_words("one 'two three' \"four\"", &words);
    if (rc == 0)
        rc = ja_strv_copy(&copy, &words);
    if (rc == 0)
        rc = ja_strv_addf(&copy, "%s", "five");
    if (rc == 0)
        rc = ja_map_set(&map, "a", "1");
    if (rc == 0)
        rc = ja_map_set(&map, "a", "2");
    if (rc == 0)
        rc = ja_map_copy(&other, &map);
    ja_str_addf(&str, "%0300d", 1);
    ja_str_add_quoted(&str, "it's");
    ja_map_fini(&map);
    ja_map_fini(&other);
    char *text = ja_str_take(&str);
    if (!text)
        rc = -1;
    free(text);
    return rc;
}

static void running_out_of_memory_is_an_error_and_leaks_nothing(void **state)
{
    long k = 0;
    int rc;
    (void)state;
    do {
        ja_alloc_fail_after(k);
        rc = use_everything();
        ja_alloc_fail_after(-1);
        assert_true(rc == 0 || rc == -1);
    } while (rc < 0 && k++ < 1000);
    assert_in_range(k, 10, 100);
}

static void errors_say_what_and_where(void **state)
{
    struct ja_error err = JA_ERROR_INIT;
    (void)state;
    assert_int_equal(ja_error_set(&err, JA_E_EXISTS, "jail web1", "%s exists", "it"), JA_E_EXISTS);
    assert_int_equal(ja_error_wrap(&err, "cannot create"), JA_E_EXISTS);
    assert_int_equal(ja_error_hint(&err, "choose another name"), JA_E_EXISTS);
    assert_string_equal(err.object, "jail web1");
    assert_string_equal(err.what, "cannot create: it exists");
    assert_string_equal(err.hint, "choose another name");
    assert_int_equal(ja_error_sys(&err, 2, NULL, "open"), JA_E_FAILED);
    assert_non_null(strstr(err.what, "open: No such file"));
    assert_string_equal(err.hint, "");
    assert_int_equal(ja_error_nomem(NULL), JA_E_NOMEM);
    /* Whatever it quotes. */
    ja_error_set(&err, JA_E_INVALID, "jail a\033[2J", "\"%s\" is no name", "b\n\xff");
    ja_error_hint(&err, "not %s", "\t");
    ja_error_wrap(&err, "\r%d", 1);
    assert_string_equal(err.object, "jail a\\x1b[2J");
    assert_string_equal(err.what, "\\x0d1: \"b\\x0a\\xff\" is no name");
    assert_string_equal(err.hint, "not \\x09");
    assert_string_equal(ja_code_name(JA_E_NOMEM), "nomem");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_grow_and_are_taken),
        cmocka_unit_test(long_formats_are_not_cut),
        cmocka_unit_test(quoted_words_are_read_back_by_sh),
        cmocka_unit_test(plain_words_stay_readable),
        cmocka_unit_test(words_are_split_as_sh_splits_them),
        cmocka_unit_test(unfinished_quotes_are_an_error),
        cmocka_unit_test(hostile_text_cannot_act_on_a_terminal),
        cmocka_unit_test(lines_are_kept_where_they_are_wanted),
        cmocka_unit_test(long_text_is_shown_cut),
        cmocka_unit_test(vectors_own_their_strings),
        cmocka_unit_test(maps_are_in_order_of_their_keys),
        cmocka_unit_test(the_distance_of_words_counts_their_differences),
        cmocka_unit_test(running_out_of_memory_is_an_error_and_leaks_nothing),
        cmocka_unit_test(errors_say_what_and_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
