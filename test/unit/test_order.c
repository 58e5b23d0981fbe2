/*
 * test_order.c: in which order jails start, and what of a change a running jail takes at once.
 */
#include "plan/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 8 };

struct set {
    struct ja_jail *jails[MOST];
    size_t count;
};

/* "web:5:db,cache": name, priority, dependencies. */
static void add(struct set *set, const char *text)
{
    char name[32], assignment[128], depends[64] = "";
    long long priority = 0;
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    assert_true(sscanf(text, "%31[^:]:%lld:%63s", name, &priority, depends) >= 2);
    snprintf(assignment, sizeof assignment, "name=%s", name);
    assert_int_equal(ja_object_set(&ja_noun_jail, jail, assignment, true, NULL), 0);
    snprintf(assignment, sizeof assignment, "depends=%s", depends);
    assert_int_equal(ja_object_set(&ja_noun_jail, jail, assignment, true, NULL), 0);
    jail->priority = priority;
    set->jails[set->count++] = jail;
}

static void drop(struct set *set)
{
    for (size_t i = 0; i < set->count; i++)
        ja_object_free(&ja_noun_jail, set->jails[i]);
}

/* "a b | c": waves of names. */
static void assert_order(const char *const *texts, const char *wanted)
{
    struct set set = {0};
    struct ja_order order = {0};
    ja_autostr struct ja_str text = {0};
    for (size_t i = 0; texts[i]; i++)
        add(&set, texts[i]);
    assert_int_equal(ja_order_jails((const struct ja_jail *const *)set.jails, set.count, &order, NULL), 0);
    for (size_t i = 0; i < order.count; i++)
        ja_str_addf(&text, "%s%s",
                    i == 0                                 ? ""
                    : order.waves[i] != order.waves[i - 1] ? " | "
                                                           : " ",
                    set.jails[order.items[i]]->name);
    assert_string_equal(text.text ? text.text : "", wanted);
    ja_order_fini(&order);
    drop(&set);
}

static void jails_without_wishes_start_together(void **state)
{
    (void)state;
    assert_order((const char *const[]){"b:0", "c:0", "a:0", NULL}, "a b c");
    assert_order((const char *const[]){NULL}, "");
}

static void a_smaller_priority_comes_first(void **state)
{
    (void)state;
    assert_order((const char *const[]){"a:10", "b:-5", "c:10", NULL}, "b | a c");
}

static void a_jail_waits_for_what_it_depends_on(void **state)
{
    (void)state;
    assert_order((const char *const[]){"a:0:b", "b:0:c", "c:0", "d:0", NULL}, "c d | b | a");
    assert_order((const char *const[]){"a:0:b,c", "b:0", "c:0:b", NULL}, "b | c | a");
}

static void what_an_urgent_jail_needs_is_urgent(void **state)
{
    (void)state;
    assert_order((const char *const[]){"a:1:b", "b:100:c", "c:100", "d:50", NULL}, "c | b | a | d");
}

static void unknown_dependencies_are_passed_over(void **state)
{
    (void)state;
    assert_order((const char *const[]){"a:0:nosuch", "b:0", NULL}, "a b");
}

static void a_circle_is_refused_and_named(void **state)
{
    struct set set = {0};
    struct ja_order order = {0};
    struct ja_error err = JA_ERROR_INIT;
    (void)state;
    add(&set, "a:0:b");
    add(&set, "b:0:c");
    add(&set, "c:0:b");
    assert_int_equal(ja_order_jails((const struct ja_jail *const *)set.jails, set.count, &order, &err), JA_E_INVALID);
    assert_non_null(strstr(err.what, "b on c on b"));
    assert_null(order.items);
    drop(&set);
}

static void out_of_memory_is_an_error(void **state)
{
    struct set set = {0};
    (void)state;
    add(&set, "a:0:b");
    add(&set, "b:0");
    for (long k = 0; k < 4; k++) {
        struct ja_order order = {0};
        ja_alloc_fail_after(k);
        int rc = ja_order_jails((const struct ja_jail *const *)set.jails, set.count, &order, NULL);
        ja_alloc_fail_after(-1);
        assert_int_equal(rc, JA_E_NOMEM);
    }
    drop(&set);
}

static void a_running_jail_takes_only_what_is_live(void **state)
{
    struct ja_jail *running = ja_object_new(&ja_noun_jail), *wanted;
    static const char *const first[] = {"volumes.data.target=/data", "nics.eth0.network=lan", NULL};
    static const char *const then[] = {"limits.memory=1G",     "limits.files=100",       "labels.team=a",
                                       "volumes.data.size=1G", "volumes.more.target=/m", "nics.eth0.mtu=1400",
                                       "forwards.web.port=80", "hostname=new",           NULL};
    (void)state;
    for (size_t i = 0; first[i]; i++)
        assert_int_equal(ja_object_set(&ja_noun_jail, running, first[i], true, NULL), 0);
    wanted = ja_object_copy(&ja_noun_jail, running);
    for (size_t i = 0; then[i]; i++)
        assert_int_equal(ja_object_set(&ja_noun_jail, wanted, then[i], true, NULL), 0);
    assert_int_equal(ja_object_take_live(&ja_noun_jail, running, wanted), 0);
    assert_int_equal(running->limits.memory, 1LL << 30);
    assert_int_equal(running->limits.files, 0);
    assert_string_equal(ja_map_get(&running->labels, "team"), "a");
    assert_int_equal(((struct ja_volume *)ja_list_get(&running->volumes, "data"))->size, 1LL << 30);
    assert_null(ja_list_get(&running->volumes, "more"));
    assert_int_equal(((struct ja_nic *)ja_list_get(&running->nics, "eth0"))->mtu, 0);
    assert_int_equal(running->forwards.count, 1);
    assert_null(running->hostname);
    /* Again it changes nothing. */
    struct ja_jail *again = ja_object_copy(&ja_noun_jail, running);
    assert_int_equal(ja_object_take_live(&ja_noun_jail, again, wanted), 0);
    assert_true(ja_object_equal(&ja_noun_jail, again, running));
    ja_object_free(&ja_noun_jail, again);
    ja_object_free(&ja_noun_jail, running);
    ja_object_free(&ja_noun_jail, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jails_without_wishes_start_together),
        cmocka_unit_test(a_smaller_priority_comes_first),
        cmocka_unit_test(a_jail_waits_for_what_it_depends_on),
        cmocka_unit_test(what_an_urgent_jail_needs_is_urgent),
        cmocka_unit_test(unknown_dependencies_are_passed_over),
        cmocka_unit_test(a_circle_is_refused_and_named),
        cmocka_unit_test(out_of_memory_is_an_error),
        cmocka_unit_test(a_running_jail_takes_only_what_is_live),
    };
    ja_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
