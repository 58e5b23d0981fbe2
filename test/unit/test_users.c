/*
 * test_users.c: who a user of a jail is, by hostile passwd and group files.
 */
#include "run/users.h"

#include "base/base.h"
#include "scratch.h"

static struct ja_user user;

static int setup(void **state)
{
    if (scratch_setup(state) != 0)
        return -1;
    if (mkdir(at("root"), 0755) || mkdir(at("root/etc"), 0755))
        return -1;
    put_text(at("root/etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n"
                                    "\n"
                                    "short:x:5\n"
                                    "negative:x:-1:0::/:/bin/sh\n"
                                    "huge:x:99999:0::/:/bin/sh\n"
                                    "hex:x:0x10:0::/:/bin/sh\n"
                                    "web:x:1000:1000:Web:/srv/web:/bin/ash\n"
                                    "web:x:0:0:a second one:/:/bin/sh\n"
                                    "odd:x:7:8::relative:\n"
                                    "bell:x:9:9::/home/\007:/bin/\033[31m\n"
                                    "last:x:65535:65535::/:/bin/sh");
    put_text(at("root/etc/group"),
             "wheel:x:10:root,web\nnot:x:11:webber,awe\nweb:x:1000:web\nbad:x:-2:web\nend:x:12:a,web");
    return 0;
}

static int find(const char *text)
{
    memset(&user, 0x55, sizeof user);
    return ja_user_find(at("root"), text, &user, NULL);
}

static void names_are_found(void **state)
{
    (void)state;
    assert_int_equal(find("web"), 0);
    assert_int_equal(user.uid, 1000);
    assert_int_equal(user.gid, 1000);
    assert_string_equal(user.home, "/srv/web");
    assert_string_equal(user.shell, "/bin/ash");
    assert_int_equal(user.group_count, 2);
    assert_int_equal(user.groups[0], 10);
    assert_int_equal(user.groups[1], 12);
    assert_int_equal(find("last"), 0);
    assert_int_equal(user.uid, 65535);
}

static void numbers_are_found(void **state)
{
    (void)state;
    assert_int_equal(find("1000"), 0);
    assert_string_equal(user.name, "web");
    assert_int_equal(find("33"), 0);
    assert_int_equal(user.uid, 33);
    assert_int_equal(user.gid, 33);
    assert_string_equal(user.name, "");
    assert_int_equal(find("1000:5"), 0);
    assert_int_equal(user.gid, 5);
    assert_int_equal(user.group_count, 0);
}

static void bad_lines_are_passed_over(void **state)
{
    (void)state;
    static const char *const none[] = {"short", "negative", "huge", "hex", "nosuch", "we", "webb"};
    for (size_t i = 0; i < JA_COUNT(none); i++)
        assert_int_equal(find(none[i]), JA_E_NOTFOUND);
    assert_int_equal(find("odd"), 0);
    assert_string_equal(user.home, "/");
    assert_string_equal(user.shell, "/bin/sh");
    assert_int_equal(find("bell"), 0);
    assert_string_equal(user.home, "/");
    assert_string_equal(user.shell, "/bin/sh");
}

static void bad_names_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     ":",     "0:",          ":0",      "web:1", "1:x",
                                      "-1:0", "65536", "99999999999", "1:65536", "0:0:0"};
    for (size_t i = 0; i < JA_COUNT(bad); i++)
        assert_int_equal(find(bad[i]), JA_E_INVALID);
    assert_int_equal(find("-1"), JA_E_NOTFOUND);
}

static void files_stay_in_the_tree(void **state)
{
    (void)state;
    put_text(at("passwd"), "evil:x:0:0::/:/bin/sh\n");
    assert_int_equal(unlink(at("root/etc/passwd")), 0);
    assert_int_equal(symlink(at("passwd"), at("root/etc/passwd")), 0);
    assert_int_equal(find("evil"), JA_E_NOTFOUND);
    assert_int_equal(find("5"), 0);
    assert_int_equal(unlink(at("root/etc/passwd")), 0);
    assert_int_equal(mkfifo(at("root/etc/passwd"), 0644), 0);
    assert_int_equal(find("web"), JA_E_INVALID);
    assert_int_equal(unlink(at("root/etc/passwd")), 0);
    assert_int_equal(mkdir(at("root/etc/passwd"), 0755), 0);
    assert_int_equal(find("web"), JA_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_found, setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(numbers_are_found, setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(bad_lines_are_passed_over, setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(bad_names_are_refused, setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(files_stay_in_the_tree, setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
