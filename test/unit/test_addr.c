/*
 * test_addr.c: addresses, prefixes, allocation and MACs.
 */
#include "net/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ja_addr parsed(const char *text)
{
    struct ja_addr addr;
    assert_int_equal(ja_addr_parse(text, &addr, NULL), 0);
    return addr;
}

static void assert_shown(const struct ja_addr *addr, const char *expected)
{
    char text[JA_ADDR_TEXT];
    ja_addr_format(addr, true, text);
    assert_string_equal(text, expected);
}

static void addresses_are_written_in_one_form(void **state)
{
    static const char *const cases[][2] = {
        {"10.0.0.1", "10.0.0.1"},
        {"10.0.0.1/24", "10.0.0.1/24"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"fd00::1/64", "fd00::1/64"},
        {"FD00:0:0::1", "fd00::1"},
        {"::/0", "::/0"},
        {"fd00:0:0:0:0:0:0:1", "fd00::1"},
        {"::", "::"},
        {"::1", "::1"},
        {"::2/128", "::2/128"},
        {"::ff00:1", "::ff00:1"},
        {"0::10:0", "::10:0"},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        struct ja_addr addr = parsed(cases[i][0]);
        assert_shown(&addr, cases[i][1]);
    }
}

static void other_forms_of_addresses_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "10",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.01",
        "0x0a.0.0.1",
        " 10.0.0.1",
        "10.0.0.1 ",
        "10.0.0.1/",
        "10.0.0.1/33",
        "10.0.0.1/-1",
        "10.0.0.1/024",
        "10.0.0.1/8/8",
        "10.0.0.1/8x",
        "fe80::1%lo",
        "fd00::1/129",
        "::1::2",
        "1:2:3:4:5:6:7:8:9",
        "::ffff:10.0.0.1",
        "::ffff:a00:1",
        "::10.0.0.1",
        "10.0.0.1\n",
        "[fd00::1]",
        "10.0.0.1/99999999999999999999",
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        struct ja_addr addr;
        struct ja_error err = JA_ERROR_INIT;
        if (ja_addr_parse(cases[i], &addr, &err) != JA_E_INVALID)
            fail_msg("\"%s\" was taken for an address", cases[i]);
        assert_non_null(strstr(err.what, "allowed"));
    }
}

static void a_prefix_holds_its_addresses(void **state)
{
    static const struct {
        const char *net, *addr;
        bool in, usable;
    } cases[] = {
        {"10.0.0.1/24", "10.0.0.5", true, true},
        {"10.0.0.1/24", "10.0.1.5", false, false},
        {"10.0.0.1/24", "10.0.0.0", true, false},
        {"10.0.0.1/24", "10.0.0.255", true, false},
        {"10.0.0.0/31", "10.0.0.0", true, true},
        {"10.0.0.0/31", "10.0.0.1", true, true},
        {"10.0.0.7", "10.0.0.7", true, true},
        {"10.0.0.7", "10.0.0.8", false, false},
        {"10.0.0.128/25", "10.0.0.127", false, false},
        {"0.0.0.0/0", "127.0.0.1", true, false},
        {"0.0.0.0/0", "224.0.0.1", true, false},
        {"0.0.0.0/0", "255.255.255.255", true, false},
        {"fd00::1/64", "fd00::5", true, true},
        {"fd00::1/64", "fd00::", true, false},
        {"fd00::1/64", "fd00::ffff:ffff:ffff:ffff", true, true},
        {"fd00::/127", "fd00::", true, true},
        {"::/0", "::1", true, false},
        {"::/0", "ff02::1", true, false},
        {"::/0", "10.0.0.1", false, false},
        {"fd00::/61", "fd00:0:0:8::1", false, false},
        {"fd00::/61", "fd00:0:0:7::1", true, true},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        struct ja_addr net = parsed(cases[i].net), addr = parsed(cases[i].addr);
        if (ja_addr_in(&net, &addr) != cases[i].in || ja_addr_usable(&net, &addr) != cases[i].usable)
            fail_msg("%s and %s", cases[i].net, cases[i].addr);
    }
}

static void overlap_is_seen_from_both_sides(void **state)
{
    struct ja_addr wide = parsed("10.0.0.0/8"), narrow = parsed("10.66.0.1/16"), other = parsed("10.67.0.0/16");
    struct ja_addr six = parsed("::/0");
    (void)state;
    assert_true(ja_addr_overlap(&wide, &narrow));
    assert_true(ja_addr_overlap(&narrow, &wide));
    assert_false(ja_addr_overlap(&narrow, &other));
    assert_false(ja_addr_overlap(&six, &wide));
}

static void networks_and_broadcasts_are_computed(void **state)
{
    struct ja_addr addr = parsed("10.66.77.88/20"), result;
    (void)state;
    ja_addr_network(&addr, &result);
    assert_shown(&result, "10.66.64.0/20");
    ja_addr_broadcast(&addr, &result);
    assert_shown(&result, "10.66.79.255/20");
    addr = parsed("fd00:1:2:3:4::5/64");
    ja_addr_network(&addr, &result);
    assert_shown(&result, "fd00:1:2:3::/64");
}

static void assert_allocated(const char *net_text, const char *const *taken, size_t count, const char *expected)
{
    struct ja_addr net = parsed(net_text), list[8], result;
    struct ja_error err = JA_ERROR_INIT;
    for (size_t i = 0; i < count; i++)
        list[i] = parsed(taken[i]);
    int rc = ja_addr_allocate(&net, list, count, &result, &err);
    if (!expected) {
        assert_int_equal(rc, JA_E_LIMIT);
        assert_non_null(strstr(err.what, net_text));
        return;
    }
    assert_int_equal(rc, 0);
    assert_shown(&result, expected);
}

#define TAKEN(...) (const char *const[]){__VA_ARGS__}, JA_COUNT(((const char *const[]){__VA_ARGS__}))

static void the_smallest_free_address_after_the_gateway_is_allocated(void **state)
{
    (void)state;
    assert_allocated("10.0.0.1/24", NULL, 0, "10.0.0.2/24");
    assert_allocated("10.0.0.1/24", TAKEN("10.0.0.2", "10.0.0.3", "10.0.0.5"), "10.0.0.4/24");
    assert_allocated("10.0.0.1/24", TAKEN("9.9.9.9", "10.0.0.1", "10.0.0.2", "10.0.0.2"), "10.0.0.3/24");
    assert_allocated("10.0.0.1/24", TAKEN("10.0.0.2", "fd00::1"), "10.0.0.3/24");
    assert_allocated("fd00::1/64", TAKEN("10.0.0.2", "fd00::2"), "fd00::3/64");
    assert_allocated("fd00::ff/64", NULL, 0, "fd00::100/64");
}

static void a_gateway_at_the_end_leaves_the_addresses_before_it(void **state)
{
    (void)state;
    assert_allocated("10.0.0.254/24", NULL, 0, "10.0.0.1/24");
    assert_allocated("10.0.0.254/24", TAKEN("10.0.0.1"), "10.0.0.2/24");
    assert_allocated("255.255.255.255/31", NULL, 0, "255.255.255.254/31");
}

static void a_full_network_is_a_limit(void **state)
{
    (void)state;
    assert_allocated("10.0.0.1/30", TAKEN("10.0.0.2"), NULL);
    assert_allocated("10.0.0.1/32", NULL, 0, NULL);
    assert_allocated("127.0.0.1/8", NULL, 0, NULL);
    assert_allocated("fd00::1/127", TAKEN("fd00::"), NULL);
}

static void allocation_gives_every_address_once(void **state)
{
    enum { COUNT = (1 << 16) - 3 };
    struct ja_addr net = parsed("10.66.0.1/16"), *taken = calloc(COUNT, sizeof *taken), one;
    (void)state;
    /* Always the next one, so the list stays sorted. Each call walks the whole list at worst. */
    for (size_t i = 0; i < COUNT; i++)
        taken[i] = (struct ja_addr){.bytes = {10, 66, (uint8_t)((i + 2) >> 8), (uint8_t)(i + 2)}, .prefix = 16};
    for (size_t free_one = 1; free_one < COUNT; free_one += 997) {
        struct ja_addr saved = taken[free_one];
        taken[free_one] = taken[free_one - 1];
        assert_int_equal(ja_addr_allocate(&net, taken, COUNT, &one, NULL), 0);
        assert_int_equal(ja_addr_compare(&one, &saved), 0);
        taken[free_one] = saved;
    }
    assert_int_equal(ja_addr_allocate(&net, taken, COUNT, &one, NULL), JA_E_LIMIT);
    free(taken);
}

static void a_mac_is_the_same_for_ever(void **state)
{
    char mac[JA_MAC_TEXT], other[JA_MAC_TEXT];
    uint8_t bytes[6];
    (void)state;
    ja_mac_from("0b1e7c0e-52d3-4a6b-9d0a-0d7f7f6f2a11", "eth0", mac);
    assert_string_equal(mac, "6e:54:e4:e1:4c:b9");
    ja_mac_from("0b1e7c0e-52d3-4a6b-9d0a-0d7f7f6f2a11", "eth1", other);
    assert_string_not_equal(mac, other);
    for (int i = 0; i < 1000; i++) {
        char label[16];
        snprintf(label, sizeof label, "e%d", i);
        ja_mac_from("u", label, mac);
        assert_int_equal(ja_mac_parse(mac, bytes), 0);
        assert_int_equal(bytes[0] & 3, 2); /* locally administered, unicast */
    }
}

static void only_six_pairs_of_digits_are_a_mac(void **state)
{
    static const char *const bad[] = {"",
                                      "02:00:00:00:00",
                                      "02:00:00:00:00:0",
                                      "02-00-00-00-00-01",
                                      "02:00:00:00:00:01:",
                                      "02:00:00:00:00:0g",
                                      "2:0:0:0:0:1",
                                      "020000000001",
                                      " 2:00:00:00:00:01"};
    uint8_t mac[6];
    (void)state;
    assert_int_equal(ja_mac_parse("02:aB:00:ff:00:01", mac), 0);
    assert_memory_equal(mac, "\x02\xab\x00\xff\x00\x01", 6);
    for (size_t i = 0; i < JA_COUNT(bad); i++)
        assert_int_equal(ja_mac_parse(bad[i], mac), JA_E_INVALID);
}

static void link_local_addresses_follow_from_macs(void **state)
{
    struct ja_addr addr;
    (void)state;
    ja_addr_link_local((const uint8_t[6]){0x02, 0x00, 0x5e, 0x10, 0x00, 0x01}, &addr);
    assert_shown(&addr, "fe80::5eff:fe10:1/64");
    ja_addr_link_local((const uint8_t[6]){0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}, &addr);
    assert_shown(&addr, "fe80::3656:78ff:fe9a:bcde/64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_written_in_one_form),
        cmocka_unit_test(other_forms_of_addresses_are_refused),
        cmocka_unit_test(a_prefix_holds_its_addresses),
        cmocka_unit_test(overlap_is_seen_from_both_sides),
        cmocka_unit_test(networks_and_broadcasts_are_computed),
        cmocka_unit_test(the_smallest_free_address_after_the_gateway_is_allocated),
        cmocka_unit_test(a_gateway_at_the_end_leaves_the_addresses_before_it),
        cmocka_unit_test(a_full_network_is_a_limit),
        cmocka_unit_test(allocation_gives_every_address_once),
        cmocka_unit_test(a_mac_is_the_same_for_ever),
        cmocka_unit_test(only_six_pairs_of_digits_are_a_mac),
        cmocka_unit_test(link_local_addresses_follow_from_macs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
