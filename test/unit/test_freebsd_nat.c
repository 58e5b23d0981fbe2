/*
 * test_freebsd_nat.c: the configuration of a NAT instance is changed as a whole, and what others have in it stays.
 */
#include "host/freebsd/rules.h"

#include "scratch.h"

/* As a real 13.2 printed it. */
static const char real[] =
    "if vtnet0 same_ports unreg_only reset redirect_port udp 10.66.0.21:53 5353 redirect_port tcp "
    "10.66.0.21:80 8080";

static void becomes(const char *config, const char *add, const char *remove, const char *expected)
{
    ja_autostrv struct ja_strv adds = {0}, removes = {0}, words = {0};
    ja_autostr struct ja_str line = {0};
    struct ja_error err = JA_ERROR_INIT;
    if (add)
        assert_int_equal(ja_strv_add(&adds, add), 0);
    if (remove)
        assert_int_equal(ja_strv_add(&removes, remove), 0);
    assert_int_equal(ja_freebsd_nat_words(config, "vtnet0", false, &adds, &removes, &words, &err), 0);
    for (size_t i = 0; i < words.count; i++)
        ja_str_addf(&line, "%s%s", i ? " " : "", words.items[i]);
    assert_string_equal(line.text, expected);
}

static void a_new_one_translates_to_its_interface(void **state)
{
    (void)state;
    becomes(NULL, NULL, NULL, "if vtnet0 same_ports reset");
    becomes(NULL, "tcp 10.66.0.2:80 8080", NULL, "if vtnet0 same_ports reset redirect_port tcp 10.66.0.2:80 8080");
}

/* ipfw prints no quotes; what cannot be read is not taken for something else. */
static void what_cannot_be_read_is_an_error(void **state)
{
    static const char *const bad[] = {"if em0 redirect_port", "if em0 redirect_port redirect_port tcp 10.0.0.1:1 1",
                                      "if 'em0"};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        ja_autostrv struct ja_strv none = {0}, words = {0};
        struct ja_error err = JA_ERROR_INIT;
        assert_int_equal(ja_freebsd_nat_words(bad[i], "em0", false, &none, &none, &words, &err), JA_E_FAILED);
        assert_int_equal(words.count, 0);
    }
    becomes("if em0 redirect_port tcp 'a b':1 1", NULL, "tcp 'a b:1' 1", "if em0");
}

static void one_for_the_host_itself_is_reversed(void **state)
{
    ja_autostrv struct ja_strv add = {0}, remove = {0}, words = {0};
    ja_autostr struct ja_str line = {0};
    struct ja_error err = JA_ERROR_INIT;
    (void)state;
    assert_int_equal(ja_freebsd_nat_words(NULL, "vtnet0", true, &add, &remove, &words, &err), 0);
    for (size_t i = 0; i < words.count; i++)
        ja_str_addf(&line, "%s%s", i ? " " : "", words.items[i]);
    /* As 13.2 prints it, which is its mark too. */
    assert_string_equal(line.text, "if vtnet0 same_ports reset reverse");
    becomes(line.text, "tcp 10.66.0.2:80 8080", NULL,
            "if vtnet0 same_ports reset reverse redirect_port tcp 10.66.0.2:80 8080");
}

static void what_is_not_changed_stays(void **state)
{
    (void)state;
    becomes(real, NULL, NULL, real);
    becomes(real, NULL, "tcp 10.66.0.21:80 8080",
            "if vtnet0 same_ports unreg_only reset redirect_port udp 10.66.0.21:53 5353");
    becomes(real, NULL, "tcp 10.66.0.21:80 8081", real);
    becomes(real, "udp 10.66.0.21:53 5353", NULL, real);
    becomes(real, "tcp 10.66.0.3:1-4 1001-1004", "udp 10.66.0.21:53 5353",
            "if vtnet0 same_ports unreg_only reset redirect_port tcp 10.66.0.21:80 8080 redirect_port tcp "
            "10.66.0.3:1-4 1001-1004");
    /* The same one that is to go and to come is there afterwards. */
    becomes("if vtnet0 redirect_port tcp 10.0.0.2:80 80", "tcp 10.0.0.2:80 80", "tcp 10.0.0.2:80 80",
            "if vtnet0 redirect_port tcp 10.0.0.2:80 80");
}

static void redirections_of_other_kinds_stay(void **state)
{
    static const char config[] =
        "if em0 redirect_addr 10.0.0.9 192.0.2.9 redirect_proto gre 10.0.0.7 redirect_port tcp "
        "10.0.0.8:25 192.0.2.1:25 198.51.100.1";
    (void)state;
    becomes(config, "tcp 10.0.0.5:80 80", NULL,
            "if em0 redirect_addr 10.0.0.9 192.0.2.9 redirect_proto gre 10.0.0.7 redirect_port tcp 10.0.0.8:25 "
            "192.0.2.1:25 198.51.100.1 redirect_port tcp 10.0.0.5:80 80");
}

static void redirections_are_found(void **state)
{
    (void)state;
    assert_true(ja_freebsd_nat_has(real, "tcp 10.66.0.21:80 8080"));
    assert_false(ja_freebsd_nat_has(real, "tcp 10.66.0.21:80 808"));
    assert_false(ja_freebsd_nat_has("if vtnet0", "tcp 10.66.0.21:80 8080"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_read_is_an_error),     cmocka_unit_test(a_new_one_translates_to_its_interface),
        cmocka_unit_test(one_for_the_host_itself_is_reversed), cmocka_unit_test(what_is_not_changed_stays),
        cmocka_unit_test(redirections_of_other_kinds_stay),    cmocka_unit_test(redirections_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
