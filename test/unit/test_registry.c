/*
 * test_registry.c: instances of one machine get numbers of their own; what they change on the host is put
 * back.
 */
#include "base/file.h"
#include "run/registry.h"
#include "scratch.h"

static struct ja_error err;

/* SCRATCH/instances is the registry, SCRATCH/sys stands for /proc/sys, SCRATCH/etc for /etc. */
static int setup(void **state)
{
    err = (struct ja_error)JA_ERROR_INIT;
    if (scratch_setup(state) != 0 || ja_dir_make(at("sys/net/ipv4"), 0700, NULL) || ja_dir_make(at("etc"), 0700, NULL))
        return -1;
    setenv("JAILADMIN_REGISTRY", at("instances"), 1);
    setenv("JAILADMIN_SYSCTL_ROOT", at("sys"), 1);
    setenv("JAILADMIN_ETC", at("etc"), 1);
    put_text(at("sys/net/ipv4/ip_forward"), "0\n");
    return 0;
}

static struct ja_instance add(const char *state, int64_t slots)
{
    struct ja_instance instance;
    assert_int_equal(ja_registry_add(state, slots, &instance, &err), 0);
    return instance;
}

static bool apart(int64_t a, int64_t a_count, int64_t b, int64_t b_count)
{
    return a + a_count <= b || b + b_count <= a;
}

static void assert_apart(const struct ja_instance *a, const struct ja_instance *b)
{
    assert_string_not_equal(a->tag, b->tag);
    assert_string_not_equal(a->uuid, b->uuid);
    assert_true(apart(a->uid_base, a->slots * 65536, b->uid_base, b->slots * 65536));
    assert_true(apart(a->unit_base, JA_UNITS_PER_INSTANCE, b->unit_base, JA_UNITS_PER_INSTANCE));
    assert_true(apart(a->rule_base, 500, b->rule_base, 500));
    assert_true(apart(a->nat_base, 100, b->nat_base, 100));
    assert_true(apart(a->ruleset_base, a->slots, b->ruleset_base, b->slots));
    assert_true(a->set != b->set);
}

static void the_first_instance_gets_the_first_numbers(void **state)
{
    (void)state;
    struct ja_instance a = add("/var/db/jailadmin", 100);
    assert_string_equal(a.tag, "00");
    assert_int_equal(a.uid_base, 0x70000000);
    assert_int_equal(a.unit_base, 10000);
    assert_int_equal(a.rule_base, 20000);
    assert_int_equal(a.set, 1);
    struct ja_instance read;
    assert_int_equal(ja_registry_get("00", &read, &err), 0);
    assert_memory_equal(&read, &a, sizeof a);
    assert_int_equal(ja_registry_find("/var/db/jailadmin", &read, &err), 0);
    assert_string_equal(read.uuid, a.uuid);
}

static void instances_share_no_number(void **state)
{
    (void)state;
    struct ja_instance all[8];
    for (int i = 0; i < 8; i++) {
        char name[32];
        snprintf(name, sizeof name, "/state/%d", i);
        all[i] = add(name, 1 + 300 * i);
        for (int k = 0; k < i; k++)
            assert_apart(&all[i], &all[k]);
    }
    /* A gap is filled again. */
    assert_int_equal(ja_registry_remove(all[2].tag, &err), 0);
    struct ja_instance again = add("/state/again", 601);
    assert_string_equal(again.tag, all[2].tag);
    assert_int_equal(again.uid_base, all[2].uid_base);
    assert_int_equal(again.set, all[2].set);
}

static void processes_at_once_get_different_instances(void **state)
{
    (void)state;
    enum { PROCESSES = 6 };
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        char name[32];
        snprintf(name, sizeof name, "/state/%d", i);
        pids[i] = fork();
        if (pids[i] == 0) {
            struct ja_instance instance;
            _exit(ja_registry_add(name, 100, &instance, NULL) == 0 ? 0 : 1);
        }
    }
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(child_status(pids[i]), 0);
    struct ja_instance all[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        char name[32];
        snprintf(name, sizeof name, "/state/%d", i);
        assert_int_equal(ja_registry_find(name, &all[i], &err), 0);
        for (int k = 0; k < i; k++)
            assert_apart(&all[i], &all[k]);
    }
}

static void uids_that_users_were_given_are_left_to_them(void **state)
{
    (void)state;
    put_text(at("etc/subuid"), "root:100000:65536\nme:1879048200:65536\nodd line\n");
    put_text(at("etc/subgid"), "you:1879244800:10\n");
    struct ja_instance a = add("/a", 2);
    assert_true(apart(a.uid_base, 2 * 65536, 1879048200, 65536));
    assert_true(apart(a.uid_base, 2 * 65536, 1879244800, 10));
    assert_int_equal(a.uid_base % 65536, 0);
}

static void a_directory_is_registered_once(void **state)
{
    (void)state;
    struct ja_instance a = add("/a", 10), other;
    assert_int_equal(ja_registry_add("/a", 10, &other, &err), JA_E_EXISTS);
    assert_non_null(strstr(err.what, a.tag));
    assert_int_equal(ja_registry_add("relative", 10, &other, &err), JA_E_INVALID);
    assert_int_equal(ja_registry_add("/b", 0, &other, &err), JA_E_INVALID);
}

static void a_machine_that_has_no_numbers_left_says_so(void **state)
{
    (void)state;
    struct ja_instance other;
    add("/a", 30000);
    assert_int_equal(ja_registry_add("/b", 30000, &other, &err), JA_E_LIMIT);
    assert_string_equal(err.object, "uids");
    assert_true(*err.hint);
}

static void what_is_not_registered_is_not_found(void **state)
{
    (void)state;
    struct ja_instance other;
    assert_int_equal(ja_registry_get("zz", &other, &err), JA_E_NOTFOUND);
    assert_int_equal(ja_registry_get("../../etc/passwd", &other, &err), JA_E_NOTFOUND);
    assert_int_equal(ja_registry_find("/none", &other, &err), JA_E_NOTFOUND);
    assert_int_equal(ja_registry_remove("zz", &err), 0);
    assert_int_equal(ja_registry_remove("../lock", &err), JA_E_INVALID);
    assert_false(exists(at("instances")));
}

static void the_last_instance_leaves_no_directory(void **state)
{
    (void)state;
    struct ja_instance a = add("/a", 10), b = add("/b", 10);
    assert_int_equal(ja_registry_remove(a.tag, &err), 0);
    assert_true(exists(at("instances")));
    assert_int_equal(ja_registry_remove(b.tag, &err), 0);
    assert_false(exists(at("instances")));
}

static void a_damaged_file_is_named(void **state)
{
    (void)state;
    struct ja_instance a = add("/a", 10);
    put_text(at("instances/00.json"), "{ \"tag\": ");
    assert_int_equal(ja_registry_get("00", &a, &err), JA_E_CORRUPT);
    assert_non_null(strstr(err.object, "00.json"));
    put_text(at("instances/00.json"), "{ \"tag\": \"too long\" }");
    assert_int_equal(ja_registry_get("00", &a, &err), JA_E_CORRUPT);
    /* Sums are made of its numbers. */
    json_t *json = ja_instance_to_json(&a);
    assert_int_equal(ja_instance_from_json(json, "00.json", &a, &err), 0);
    json_object_set_new(json, "uid_base", json_integer(INT64_MAX));
    assert_int_equal(ja_instance_from_json(json, "00.json", &a, &err), JA_E_CORRUPT);
    assert_non_null(strstr(err.what, "uid_base"));
    json_decref(json);
    assert_int_equal(ja_registry_remove("00", &err), 0);
}

#ifdef __linux__

#define FORWARD "net.ipv4.ip_forward"
#define FORWARD_FILE at("sys/net/ipv4/ip_forward")

static void acquire(const char *tag)
{
    assert_int_equal(ja_setting_acquire(tag, FORWARD, "1", &err), 0);
}

static void release(const char *tag)
{
    assert_int_equal(ja_setting_release(tag, FORWARD, &err), 0);
}

static void a_setting_stays_until_its_last_user_goes(void **state)
{
    (void)state;
    acquire("00");
    acquire("0a");
    acquire("0a");
    assert_string_equal(get_text(FORWARD_FILE), "1");
    release("0a");
    release("0a");
    assert_string_equal(get_text(FORWARD_FILE), "1");
    release("00");
    assert_string_equal(get_text(FORWARD_FILE), "0");
    release("00");
    assert_false(exists(at("instances")));
}

static void a_setting_has_one_identity_however_it_is_spelt(void **state)
{
    (void)state;
    acquire("00");
    assert_int_equal(ja_setting_release("00", "net/ipv4/ip_forward", &err), 0);
    assert_string_equal(get_text(FORWARD_FILE), "0");
    assert_int_equal(ja_setting_acquire("00", "../../etc/passwd", "1", &err), JA_E_INVALID);
    assert_int_equal(ja_setting_acquire("00", "/etc/passwd", "1", &err), JA_E_INVALID);
    assert_int_equal(ja_setting_acquire("00", "net.none", "1", &err), JA_E_NOTFOUND);
}

static void what_was_right_already_is_not_touched(void **state)
{
    (void)state;
    put_text(FORWARD_FILE, "1\n");
    acquire("00");
    release("00");
    assert_string_equal(get_text(FORWARD_FILE), "1\n");
}

static void a_value_that_somebody_else_has_set_is_left_alone(void **state)
{
    (void)state;
    acquire("00");
    put_text(FORWARD_FILE, "2\n");
    release("00");
    assert_string_equal(get_text(FORWARD_FILE), "2\n");
}

static void after_a_reboot_the_setting_is_made_again_and_still_put_back(void **state)
{
    (void)state;
    acquire("00");
    put_text(FORWARD_FILE, "0\n");
    acquire("00");
    assert_string_equal(get_text(FORWARD_FILE), "1");
    release("00");
    assert_string_equal(get_text(FORWARD_FILE), "0");
}

static void instances_that_disagree_are_told(void **state)
{
    (void)state;
    acquire("00");
    assert_int_equal(ja_setting_acquire("0a", FORWARD, "2", &err), JA_E_CONFLICT);
    assert_non_null(strstr(err.what, "instance 00"));
    assert_int_equal(ja_setting_acquire("00", FORWARD, "2", &err), 0);
    release("00");
    assert_string_equal(get_text(FORWARD_FILE), "0");
}

static void an_instance_that_is_removed_lets_its_settings_go(void **state)
{
    (void)state;
    struct ja_instance a = add("/a", 10), b = add("/b", 10);
    acquire(a.tag);
    acquire(b.tag);
    assert_int_equal(ja_registry_remove(a.tag, &err), 0);
    assert_string_equal(get_text(FORWARD_FILE), "1");
    assert_int_equal(ja_registry_remove(b.tag, &err), 0);
    assert_string_equal(get_text(FORWARD_FILE), "0");
    assert_false(exists(at("instances")));
}

static void a_setting_that_the_kernel_no_longer_has_is_let_go(void **state)
{
    (void)state;
    acquire("00");
    assert_int_equal(unlink(FORWARD_FILE), 0);
    release("00");
    assert_false(exists(at("instances")));
}

#endif

int main(void)
{
#define REGISTRY(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        REGISTRY(the_first_instance_gets_the_first_numbers),
        REGISTRY(instances_share_no_number),
        REGISTRY(processes_at_once_get_different_instances),
        REGISTRY(uids_that_users_were_given_are_left_to_them),
        REGISTRY(a_directory_is_registered_once),
        REGISTRY(a_machine_that_has_no_numbers_left_says_so),
        REGISTRY(what_is_not_registered_is_not_found),
        REGISTRY(the_last_instance_leaves_no_directory),
        REGISTRY(a_damaged_file_is_named),
#ifdef __linux__
        REGISTRY(a_setting_stays_until_its_last_user_goes),
        REGISTRY(a_setting_has_one_identity_however_it_is_spelt),
        REGISTRY(what_was_right_already_is_not_touched),
        REGISTRY(a_value_that_somebody_else_has_set_is_left_alone),
        REGISTRY(after_a_reboot_the_setting_is_made_again_and_still_put_back),
        REGISTRY(instances_that_disagree_are_told),
        REGISTRY(an_instance_that_is_removed_lets_its_settings_go),
        REGISTRY(a_setting_that_the_kernel_no_longer_has_is_let_go),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
