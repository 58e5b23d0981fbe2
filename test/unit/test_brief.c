/*
 * test_brief.c: what a list reads of a jail's spec is what the whole reader makes of it, or it says that it cannot.
 */
#include "engine/internal.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ja_row_text row_of(const char *spec)
{
    return (struct ja_row_text){.name = "web1", .uuid = "u", .state = "ready", .spec = spec, .slot = 7};
}

static void it_is_what_the_whole_reader_makes_of_it(void **state)
{
    (void)state;
    struct ja_jail *jail = ja_object_new(&ja_noun_jail), *brief = NULL;
    struct ja_error err = JA_ERROR_INIT;
    static const char *const sets[] = {
        "name=web1",         "hostname=www",         "labels.team=a",         "env.X=1,2",
        "limits.memory=64M", "forwards.web.port=80", "mounts./mnt.type=tmpfs"};
    for (size_t i = 0; i < JA_COUNT(sets); i++)
        if (ja_object_set(&ja_noun_jail, jail, sets[i], true, &err) < 0)
            fail_msg("%s: %s", sets[i], err.what);
    assert_int_equal(ja_object_set_entry(&ja_noun_jail, jail, "nics", "eth0,network=lan", &err), 0);
    assert_int_equal(ja_object_set_entry(&ja_noun_jail, jail, "nics", "eth1,network=dmz", &err), 0);
    struct ja_nic *nic = jail->nics.items[0];
    assert_int_equal(ja_strv_add_all(&nic->assigned, "10.0.0.2/24", "fd00::2/64", NULL), 0);
    jail->template = ja_strdup("base");
    jail->version = ja_strdup("3");
    json_t *json = ja_object_to_json(&ja_noun_jail, jail, false);
    ja_autofree char *spec = ja_json_text(json, JSON_COMPACT);
    struct ja_row_text row = row_of(spec);
    struct ja_briefs briefs = {0};
    assert_int_equal(ja_brief_read(&briefs, &row, &brief, &err), 1);
    assert_string_equal(brief->name, "web1");
    assert_int_equal(brief->slot, 7);
    assert_int_equal(brief->state, JA_ROW_READY);
    assert_string_equal(brief->template, "base");
    assert_string_equal(brief->version, "3");
    assert_int_equal(brief->nics.count, 2);
    nic = brief->nics.items[0];
    assert_string_equal(nic->network, "lan");
    assert_true(ja_strv_equal(&nic->assigned, &((struct ja_nic *)jail->nics.items[0])->assigned));
    assert_true(ja_map_equal(&brief->labels, &jail->labels));
    ja_briefs_fini(&briefs);
    json_decref(json);
    ja_object_free(&ja_noun_jail, jail);
}

/* Every beginning of a spec, an escape, another type, another order, spaces. */
static void what_is_not_written_as_usual_is_left_to_the_whole_reader(void **state)
{
    (void)state;
    static const char spec[] = "{\"template\":\"b\",\"x\":[{\"y\":\"}\"},-1.5e3,null],\"nics\":[{\"network\":\"lan\","
                               "\"assigned\":[\"10.0.0.2/24\"]}],\"labels\":{\"a\":\"b\"}}";
    static const char *const others[] = {"",
                                         "[]",
                                         "{\"template\":\"a\\u0041\"}",
                                         "{\"template\":1}",
                                         "{\"nics\":{}}",
                                         "{} ",
                                         "{ }",
                                         "{\"nics\":[{}]}",
                                         "{\"labels\":[]}",
                                         "{\"labels\":{\"a\":null}}",
                                         "{\"labels\":{\"a\":\"b\",\"a\":\"c\"}}"};
    struct ja_jail *jail = NULL;
    struct ja_briefs briefs = {0};
    struct ja_row_text row = row_of(spec);
    assert_int_equal(ja_brief_read(&briefs, &row, &jail, NULL), 1);
    for (size_t n = 0; n < sizeof spec - 1; n++) {
        ja_autofree char *part = ja_strndup(spec, n);
        row = row_of(part);
        assert_int_equal(ja_brief_read(&briefs, &row, &jail, NULL), 0);
    }
    for (size_t i = 0; i < JA_COUNT(others); i++) {
        row = row_of(others[i]);
        assert_int_equal(ja_brief_read(&briefs, &row, &jail, NULL), 0);
    }
    row = row_of(spec);
    row.state = "odd";
    assert_int_equal(ja_brief_read(&briefs, &row, &jail, NULL), 0);
    ja_briefs_fini(&briefs);
}

/* More of everything than there is room for at first, several times over; what was read stays until it is forgotten. */
static void many_share_their_memory(void **state)
{
    (void)state;
    enum { JAILS = 300, ADDRESSES = 40, LABELS = 9 };
    struct ja_briefs briefs = {0};
    for (int round = 0; round < 2; round++) {
        struct ja_jail *jails[JAILS];
        for (int n = 0; n < JAILS; n++) {
            ja_autostr struct ja_str spec = {0};
            ja_str_addf(&spec, "{\"nics\":[{\"network\":\"net%d\",\"assigned\":[", n);
            for (int a = 0; a < n % ADDRESSES; a++)
                ja_str_addf(&spec, "%s\"10.%d.%d.1/24\"", a ? "," : "", n % 256, a);
            ja_str_add(&spec, "]}],\"labels\":{");
            for (int l = n % LABELS; l > 0; l--)
                ja_str_addf(&spec, "\"key%d\":\"%d\"%s", l, n, l > 1 ? "," : "");
            ja_str_add(&spec, "}}");
            struct ja_row_text row = row_of(spec.text);
            assert_int_equal(ja_brief_read(&briefs, &row, &jails[n], NULL), 1);
        }
        for (int n = 0; n < JAILS; n++) {
            char text[32];
            struct ja_nic *nic = jails[n]->nics.items[0];
            snprintf(text, sizeof text, "net%d", n);
            assert_string_equal(nic->network, text);
            assert_int_equal(nic->assigned.count, n % ADDRESSES);
            for (int a = 0; a < n % ADDRESSES; a++) {
                snprintf(text, sizeof text, "10.%d.%d.1/24", n % 256, a);
                assert_string_equal(nic->assigned.items[a], text);
            }
            assert_int_equal(jails[n]->labels.count, n % LABELS);
            snprintf(text, sizeof text, "%d", n);
            if (n % LABELS)
                assert_string_equal(ja_map_get(&jails[n]->labels, "key1"), text);
        }
        ja_briefs_forget(&briefs);
    }
    ja_briefs_fini(&briefs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_the_whole_reader_makes_of_it),
        cmocka_unit_test(what_is_not_written_as_usual_is_left_to_the_whole_reader),
        cmocka_unit_test(many_share_their_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
