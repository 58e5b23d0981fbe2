/*
 * test_template.c: what templates are made from: sources as they are given, where Debian's packages come from, and what is taken
 * out of a tree, which may be hostile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "plan/planning.h"
#include "plan/source.h"
#include "run/hostverb.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- sources ---- */

static void sources_are_told_apart(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *rest;
        enum ja_source source;
    } good[] = {{"busybox", "", JA_SOURCE_BUSYBOX},
                {"dir:/srv/tree", "/srv/tree", JA_SOURCE_DIR},
                {"tar:/srv/a:b.tar.xz", "/srv/a:b.tar.xz", JA_SOURCE_TAR},
                {"debian:trixie-backports", "trixie-backports", JA_SOURCE_DEBIAN},
                {"jail:web1", "web1", JA_SOURCE_JAIL}};
    for (size_t i = 0; i < JA_COUNT(good); i++) {
        enum ja_source source;
        const char *rest;
        assert_int_equal(ja_source_parse(good[i].text, &source, &rest, NULL), 0);
        assert_int_equal(source, good[i].source);
        assert_string_equal(rest, good[i].rest);
    }
}

static void others_are_refused(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "",          "busybox2",      "dir:",        "dir:relative",      "dir:/a/../b",
        "tar:x.tar", "debian:",       "debian:-x",   "debian:a b",        "debian:Bookworm",
        "jail:",     "jail:../other", "jail:_build", "http://x/y.tar.gz", "tar"};
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        enum ja_source source;
        const char *rest;
        struct ja_error err = JA_ERROR_INIT;
        assert_true(ja_source_parse(bad[i], &source, &rest, &err) < 0);
        assert_true(err.what[0] != '\0');
    }
}

/* ---- Debian ---- */

static const char host_apt[] = "source http://first.example/debian/ bookworm main\n"
                               "source http://first.example/debian/ bookworm contrib\n"
                               "source http://first.example/debian/ bookworm-updates main\n"
                               "source http://other.example/node/ nodistro main\n"
                               "source http://first.example/debian-security/ bookworm-security main\n"
                               "source http://first.example/debian/ bookworm-backports main\n\n";

/* The words of the step, joined; the plan's error when there is one. The caller's. */
static const char *debian_tool = "mmdebstrap";
static char *debian_step(const char *apt, const char *suite, const char *mirror, bool keyring)
{
    struct ja_plan plan = {0};
    struct ja_facts facts = {0};
    const struct ja_site site = {.self = "/usr/bin/jailadmin"};
    struct ja_planning p = {.plan = &plan, .facts = &facts, .site = &site};
    ja_facts_set(&facts, JA_FACT_APT, "", apt);
    ja_facts_set(&facts, JA_FACT_TOOL, "mmdebstrap", NULL);
    ja_facts_set(&facts, JA_FACT_TOOL, "debootstrap", NULL);
    ja_autofree char *tool = ja_printf("/usr/bin/%s", debian_tool);
    ja_facts_set(&facts, JA_FACT_TOOL, debian_tool, tool);
    ja_facts_set(&facts, JA_FACT_TOOL, "env", "/usr/bin/env");
    ja_facts_set(&facts, JA_FACT_PATH, "/usr/share/keyrings/debian-archive-keyring.gpg", keyring ? "file" : NULL);
    ja_plan_init(&plan, "create", "template", "t");
    ja_plan_debian(&p, suite, mirror, "/pool/t/1");
    assert_int_equal(facts.missing, 0);
    struct ja_str text = {0};
    for (size_t i = 0; i < plan.steps[0]->run.argv.count; i++)
        ja_str_addf(&text, "%s%s", i ? "|" : "", plan.steps[0]->run.argv.items[i]);
    if (plan.err.code) {
        ja_str_fini(&text);
        ja_str_addf(&text, "%s %s", plan.err.what, plan.err.hint);
    }
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
    return ja_str_take(&text);
}

#define SIGNED "|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
#define COMMAND "/usr/bin/mmdebstrap|--mode=root|--variant=minbase|--format=directory|"

static void the_archive_is_that_of_the_host(void **unused)
{
    (void)unused;
    ja_autofree char *step = debian_step(host_apt, "bookworm", NULL, true);
    assert_string_equal(step, "/usr/bin/jailadmin|host|contain|--|" COMMAND "bookworm|/pool/t/1" SIGNED
                              "http://first.example/debian/ bookworm main" SIGNED
                              "http://first.example/debian/ bookworm contrib" SIGNED
                              "http://first.example/debian/ bookworm-updates main" SIGNED
                              "http://first.example/debian-security/ bookworm-security main");
}

static void another_suite_comes_from_the_same_archive(void **unused)
{
    (void)unused;
    ja_autofree char *step = debian_step(host_apt, "trixie", NULL, true);
    assert_string_equal(step, "/usr/bin/jailadmin|host|contain|--|" COMMAND "trixie|/pool/t/1" SIGNED
                              "http://first.example/debian/ trixie main");
}

static void debootstrap_does_it_where_there_is_nothing_else(void **unused)
{
    (void)unused;
    debian_tool = "debootstrap";
    ja_autofree char *step = debian_step(host_apt, "bookworm", NULL, true);
    debian_tool = "mmdebstrap";
    assert_string_equal(step,
                        "/usr/bin/jailadmin|host|contain|--tree|/pool/t/1|--|/usr/bin/debootstrap|--variant=minbase|"
                        "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg|bookworm|/pool/t/1|"
                        "http://first.example/debian/");
    debian_tool = "nothing";
    ja_autofree char *none = debian_step(host_apt, "bookworm", NULL, true);
    debian_tool = "mmdebstrap";
    assert_non_null(strstr(none, "install the package mmdebstrap"));
}

static void a_mirror_can_be_named(void **unused)
{
    (void)unused;
    ja_autofree char *step = debian_step(NULL, "bookworm", "https://m.example/debian", true);
    assert_string_equal(step, "/usr/bin/jailadmin|host|contain|--|" COMMAND "bookworm|/pool/t/1" SIGNED
                              "https://m.example/debian bookworm main");
}

static void the_proxy_is_that_of_the_host(void **unused)
{
    (void)unused;
    ja_autofree char *step =
        debian_step("source http://a.example/debian bookworm main\nAcquire::http::Proxy http://127.0.0.1:3142\n"
                    "Acquire::http::Proxy::b.example DIRECT\n",
                    "bookworm", NULL, true);
    assert_string_equal(step,
                        "/usr/bin/jailadmin|host|contain|--|/usr/bin/env|http_proxy=http://127.0.0.1:3142|" COMMAND
                        "bookworm|/pool/t/1" SIGNED "http://a.example/debian bookworm main");
    char proxy[512];
    ja_debian_proxy("Acquire::http::Proxy DIRECT\n", proxy);
    assert_string_equal(proxy, "");
}

static void without_an_archive_or_keys_it_says_what_to_do(void **unused)
{
    (void)unused;
    ja_autofree char *other = debian_step("source http://a.example/ubuntu noble main\n", "bookworm", NULL, true);
    assert_non_null(strstr(other, "--mirror URL"));
    ja_autofree char *none = debian_step(NULL, "bookworm", NULL, true);
    assert_non_null(strstr(none, "--mirror URL"));
    ja_autofree char *keys = debian_step(host_apt, "bookworm", NULL, false);
    assert_non_null(strstr(keys, "install the package debian-archive-keyring"));
}

/* ---- what is taken out ---- */

static char dir[64];

static char *at(const char *name)
{
    static char path[4][256];
    static unsigned next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", dir, name);
    return path[next];
}

static void put(const char *name)
{
    assert_int_equal(ja_file_write(at(name), "x", 1, 0600, false, NULL), 0);
}

static int make_dirs(void **unused)
{
    (void)unused;
    strcpy(dir, "/tmp/jailadmin-clean.XXXXXX");
    assert_non_null(mkdtemp(dir));
    static const char *const dirs[] = {
        "tree", "tree/etc", "tree/etc/ssh", "tree/var", "tree/var/lib", "tree/var/lib/systemd", "out", "out/ssh"};
    for (size_t i = 0; i < JA_COUNT(dirs); i++)
        assert_int_equal(mkdir(at(dirs[i]), 0755), 0);
    return 0;
}

static int remove_dirs(void **unused)
{
    (void)unused;
    return ja_tree_remove(dir, NULL);
}

static int clean(void)
{
    struct ja_str output = {0};
    struct ja_error err = JA_ERROR_INIT;
    struct ja_hostverb_io io = {.input = "", .output = &output};
    char *argv[] = {(char *)"template-clean", at("tree"), NULL};
    int rc = ja_hostverb_find("template-clean")->run(2, argv, &io, &err);
    ja_str_fini(&output);
    if (rc < 0)
        print_message("%s: %s\n", err.object, err.what);
    return rc;
}

static void identities_go_and_the_rest_stays(void **unused)
{
    (void)unused;
    static const char *const gone[] = {"tree/etc/hostname", "tree/etc/resolv.conf", "tree/etc/ssh/ssh_host_ed25519_key",
                                       "tree/etc/ssh/ssh_host_ed25519_key.pub", "tree/var/lib/systemd/random-seed"};
    static const char *const kept[] = {"tree/etc/ssh/sshd_config", "tree/etc/ssh/ssh_host_notes", "tree/etc/hosts"};
    struct stat st;
    for (size_t i = 0; i < JA_COUNT(gone); i++)
        put(gone[i]);
    for (size_t i = 0; i < JA_COUNT(kept); i++)
        put(kept[i]);
    put("tree/etc/machine-id");
    assert_int_equal(clean(), 0);
    for (size_t i = 0; i < JA_COUNT(gone); i++)
        assert_int_equal(access(at(gone[i]), F_OK), -1);
    for (size_t i = 0; i < JA_COUNT(kept); i++)
        assert_int_equal(access(at(kept[i]), F_OK), 0);
    assert_int_equal(stat(at("tree/etc/machine-id"), &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(clean(), 0);
}

static void nothing_outside_of_the_tree_is_touched(void **unused)
{
    (void)unused;
    struct stat st;
    put("out/machine-id");
    put("out/hostname");
    put("out/ssh/ssh_host_rsa_key");
    assert_int_equal(rmdir(at("tree/etc/ssh")), 0);
    assert_int_equal(symlink(at("out/ssh"), at("tree/etc/ssh")), 0);
    assert_int_equal(symlink(at("out/hostname"), at("tree/etc/hostname")), 0);
    assert_int_equal(symlink("../../out/machine-id", at("tree/etc/machine-id")), 0);
    assert_int_equal(clean(), 0);
    assert_int_equal(unlink(at("tree/etc/ssh")), 0);
    assert_int_equal(unlink(at("tree/etc/hostname")), 0);
    assert_int_equal(unlink(at("tree/etc/machine-id")), 0);
    assert_int_equal(rmdir(at("tree/etc")), 0);
    assert_int_equal(symlink("../out", at("tree/etc")), 0);
    assert_int_equal(clean(), 0);
    assert_int_equal(unlink(at("tree/etc")), 0);
    put("tree/etc"); /* a file where a directory should be */
    assert_int_equal(clean(), 0);
    assert_int_equal(stat(at("out/machine-id"), &st), 0);
    assert_int_equal(st.st_size, 1);
    assert_int_equal(access(at("out/hostname"), F_OK), 0);
    assert_int_equal(access(at("out/ssh/ssh_host_rsa_key"), F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_told_apart),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(the_archive_is_that_of_the_host),
        cmocka_unit_test(another_suite_comes_from_the_same_archive),
        cmocka_unit_test(debootstrap_does_it_where_there_is_nothing_else),
        cmocka_unit_test(a_mirror_can_be_named),
        cmocka_unit_test(the_proxy_is_that_of_the_host),
        cmocka_unit_test(without_an_archive_or_keys_it_says_what_to_do),
        cmocka_unit_test_setup_teardown(identities_go_and_the_rest_stays, make_dirs, remove_dirs),
        cmocka_unit_test_setup_teardown(nothing_outside_of_the_tree_is_touched, make_dirs, remove_dirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
