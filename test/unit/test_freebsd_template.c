/*
 * test_freebsd_template.c: templates of FreeBSD: where a release comes from, what it is compared with, and the plans that fill a tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/sha256.h"
#include "engine/internal.h"
#include "plan/planning.h"
#include "plan/source.h"

#include <stdio.h>
#include <string.h>

#define SUM_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SUM_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SUM_UPPER "AAAAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define MANIFEST(sum)                                                                                                  \
    "base-dbg.txz\t" SUM_B "\t9\tbase-dbg\t\"x\"\toff\nbase.txz\t" sum "\t29521\tbase\t\"Base system\"\ton\n"

/* ---- names ---- */

static void versions_are_checked(void **unused)
{
    (void)unused;
    static const char *const good[] = {"freebsd:14.1-RELEASE", "freebsd:15.0-BETA2", "freebsd:16.0-CURRENT"},
                             *const bad[] = {"freebsd:",           "freebsd:14.1",       "freebsd:14.1-release",
                                             "freebsd:14-RELEASE", "freebsd:../../x",    "freebsd:14.1-RELEASE-p3",
                                             "freebsd:14.1-",      "freebsd:14.1-/etc/x"};
    enum ja_source source;
    const char *rest;
    for (size_t i = 0; i < JA_COUNT(good); i++)
        assert_int_equal(ja_source_parse(good[i], &source, &rest, NULL), 0);
    assert_int_equal(source, JA_SOURCE_FREEBSD);
    assert_string_equal(rest, "16.0-CURRENT");
    for (size_t i = 0; i < JA_COUNT(bad); i++)
        assert_true(ja_source_parse(bad[i], &source, &rest, NULL) < 0);
    assert_int_equal(ja_source_parse("src:/usr/src", &source, &rest, NULL), 0);
    assert_int_equal(source, JA_SOURCE_SRC);
    assert_true(ja_source_parse("src:usr", &source, &rest, NULL) < 0);
}

static void packages_have_a_version_and_a_set(void **unused)
{
    (void)unused;
    static const char *const bad[] = {"pkgbase:",
                                      "pkgbase:15",
                                      "pkgbase:15.1",
                                      "pkgbase:15.1-RELEASE/",
                                      "pkgbase:15.1-RELEASE/-f",
                                      "pkgbase:15.1-RELEASE/a b",
                                      "pkgbase:15.1-RELEASE/../x",
                                      "pkgbase:15.1-RELEASE:minimal"};
    struct ja_pkgbase_version version;
    enum ja_source source;
    const char *rest;
    for (size_t i = 0; i < JA_COUNT(bad); i++)
        assert_true(ja_source_parse(bad[i], &source, &rest, NULL) < 0);
    assert_int_equal(ja_source_parse("pkgbase:15.1-RELEASE/minimal-jail", &source, &rest, NULL), 0);
    assert_int_equal(source, JA_SOURCE_PKGBASE);
    assert_true(ja_source_pkgbase(rest, &version));
    assert_int_equal(version.major, 15);
    assert_int_equal(version.minor, 1);
    assert_false(version.branch);
    assert_string_equal(version.set, "minimal-jail");
    assert_true(ja_source_pkgbase("16.0-CURRENT", &version));
    assert_true(version.branch);
    assert_string_equal(version.set, "base-jail");
    assert_false(ja_source_for(JA_SOURCE_PKGBASE, JA_OS_LINUX));
    assert_true(ja_source_for(JA_SOURCE_PKGBASE, JA_OS_FREEBSD));
}

static void manifests_name_checksums(void **unused)
{
    (void)unused;
    char sum[JA_SHA256_TEXT] = "";
    assert_true(ja_sha256_in_manifest(MANIFEST(SUM_A), "base.txz", sum));
    assert_string_equal(sum, SUM_A);
    assert_false(ja_sha256_in_manifest(MANIFEST(SUM_A), "kernel.txz", sum));
    assert_false(ja_sha256_in_manifest("", "base.txz", sum));
    assert_false(ja_sha256_in_manifest("base.txz", "base.txz", sum));
    assert_false(ja_sha256_in_manifest("base.txz\tabc\t1\n", "base.txz", sum));
    assert_false(ja_sha256_in_manifest("base.txz\t" SUM_A "a\t1\n", "base.txz", sum));
    assert_false(ja_sha256_in_manifest("xbase.txz\t" SUM_A "\t1\n", "base.txz", sum));
}

/* ---- where a release comes from ---- */

struct said {
    enum ja_fact_kind kind;
    const char *name, *value;
};

static const struct said *host;

static const struct said amd64[] = {{JA_FACT_SYSCTL, "hw.machine", "amd64"},
                                    {JA_FACT_SYSCTL, "hw.machine_arch", "amd64"},
                                    {JA_FACT_SYSCTL, "kern.osrelease", "14.1-RELEASE-p3"},
                                    {JA_FACT_FILE, "/usr/freebsd-dist/MANIFEST", MANIFEST(SUM_A)},
                                    {JA_FACT_PATH, "/srv/dist/.", "dir"},
                                    {JA_FACT_FILE, "/srv/dist/MANIFEST", MANIFEST(SUM_B)},
                                    {0}};
static const struct said arm64[] = {
    {JA_FACT_SYSCTL, "hw.machine", "arm64"},
    {JA_FACT_SYSCTL, "hw.machine_arch", "aarch64"},
    {JA_FACT_SYSCTL, "kern.osrelease", "15.0-RELEASE"},
    {JA_FACT_FILE, "/usr/local/share/freebsd/MANIFESTS/arm64-aarch64-14.1-RELEASE", MANIFEST(SUM_B)},
    {0}};

static int read_facts(void *context, struct ja_facts *facts, struct ja_error *err)
{
    (void)context, (void)err;
    for (size_t i = 0; i < facts->count; i++) {
        const char *value = NULL;
        for (const struct said *said = host; said->name; said++)
            if (said->kind == facts->items[i].kind && strcmp(said->name, facts->items[i].name) == 0)
                value = said->value;
        ja_facts_set(facts, facts->items[i].kind, facts->items[i].name, value);
    }
    return 0;
}

static struct ja_freebsd_release release;
static char checksum[JA_SHA256_TEXT];

static int find(int os, const char *version, const char *mirror, const char *sha256)
{
    struct ja_machine machine = {.facts = {.read = read_facts}};
    struct ja_engine engine = {.machine = &machine, .site = {.os = os}};
    struct ja_error err = JA_ERROR_INIT;
    return ja_release_find(&engine, version, mirror, sha256, &release, checksum, &err);
}

static void a_release_is_fetched_from_its_project(void **unused)
{
    (void)unused;
    host = amd64;
    assert_int_equal(find(JA_OS_FREEBSD, "14.1-RELEASE", NULL, NULL), 0);
    assert_string_equal(release.archive, "https://download.freebsd.org/releases/amd64/amd64/14.1-RELEASE/base.txz");
    assert_string_equal(release.manifest, "");
    assert_true(release.trusted); /* the installer's manifest is of this very release */
    assert_string_equal(checksum, SUM_A);
    assert_false(release.local);
    /* Of another release it says nothing. */
    assert_int_equal(find(JA_OS_FREEBSD, "14.2-RELEASE", "https://m.example/freebsd//", NULL), 0);
    assert_string_equal(release.archive, "https://m.example/freebsd/releases/amd64/amd64/14.2-RELEASE/base.txz");
    assert_string_equal(release.manifest, "https://m.example/freebsd/releases/amd64/amd64/14.2-RELEASE/MANIFEST");
    assert_false(release.trusted);
    assert_string_equal(checksum, "");
    assert_int_equal(find(JA_OS_FREEBSD, "16.0-CURRENT", NULL, NULL), 0);
    assert_string_equal(release.archive, "https://download.freebsd.org/snapshots/amd64/amd64/16.0-CURRENT/base.txz");
    assert_true(find(JA_OS_LINUX, "14.1-RELEASE", NULL, NULL) < 0);
}

static void an_installed_manifest_is_trusted(void **unused)
{
    (void)unused;
    host = arm64;
    assert_int_equal(find(JA_OS_FREEBSD, "14.1-RELEASE", NULL, NULL), 0);
    assert_string_equal(release.archive, "https://download.freebsd.org/releases/arm64/aarch64/14.1-RELEASE/base.txz");
    assert_true(release.trusted);
    assert_string_equal(checksum, SUM_B);
    assert_int_equal(find(JA_OS_FREEBSD, "14.1-RELEASE", NULL, SUM_UPPER), 0);
    assert_true(release.trusted); /* the user's own comes first */
    assert_int_equal(strncmp(checksum, "aaaabbbb", 8), 0);
}

static void a_directory_may_hold_it(void **unused)
{
    (void)unused;
    host = amd64;
    assert_int_equal(find(JA_OS_FREEBSD, "14.2-RELEASE", "/srv/dist", NULL), 0);
    assert_true(release.local);
    assert_false(release.trusted);
    assert_string_equal(release.archive, "/srv/dist/base.txz");
    assert_string_equal(checksum, SUM_B); /* it must be whole */
    assert_int_equal(find(JA_OS_FREEBSD, "14.1-RELEASE", "/srv/dist", NULL), 0);
    assert_true(release.trusted);
    assert_string_equal(checksum, SUM_A);
    assert_int_equal(find(JA_OS_FREEBSD, "14.2-RELEASE", "/srv/b.txz", NULL), 0);
    assert_string_equal(release.archive, "/srv/b.txz");
    assert_string_equal(checksum, "");
}

/* ---- plans ---- */

static struct ja_plan plan;
static struct ja_facts facts;
static const struct ja_site site = {.os = JA_OS_FREEBSD, .self = "/usr/local/sbin/jailadmin", .pool = "/pool"};

static void answer(enum ja_fact_kind kind, const char *name, const char *value)
{
    assert_int_equal(ja_facts_set(&facts, kind, name, value), 0);
}

static struct ja_planning begin(void)
{
    static const char *const tools[] = {"fetch", "env", "make", "tar"};
    memset(&plan, 0, sizeof plan);
    memset(&facts, 0, sizeof facts);
    for (size_t i = 0; i < JA_COUNT(tools); i++) {
        ja_autofree char *path = ja_printf("/usr/bin/%s", tools[i]);
        answer(JA_FACT_TOOL, tools[i], path);
    }
    answer(JA_FACT_SYSCTL, "kern.osrelease", "14.1-RELEASE");
    assert_int_equal(ja_plan_init(&plan, "create", "template", "t"), 0);
    return (struct ja_planning){.plan = &plan, .facts = &facts, .site = &site};
}

/* All commands, a line each, then what undoes them, then the notes. The caller's. */
static char *end(void)
{
    struct ja_str text = {0};
    assert_int_equal(facts.missing, 0);
    for (size_t i = 0; i < plan.count; i++) {
        for (size_t w = 0; w < plan.steps[i]->run.argv.count; w++)
            ja_str_addf(&text, "%s%s", w ? " " : "", plan.steps[i]->run.argv.items[w]);
        ja_str_add(&text, "\n");
        for (size_t w = 0; w < plan.steps[i]->undo.argv.count; w++)
            ja_str_addf(&text, "%s%s", w ? " " : "  undo: ", plan.steps[i]->undo.argv.items[w]);
        ja_str_add(&text, plan.steps[i]->undo.argv.count ? "\n" : "");
    }
    ja_str_addf(&text, "%zu notes%s%s\n", plan.notes.count, plan.err.code ? ", failed: " : "", plan.err.what);
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
    return ja_str_take(&text);
}

#define HOST "/usr/local/sbin/jailadmin host "

static void what_is_fetched_is_undone(void **unused)
{
    (void)unused;
    const struct ja_freebsd_release fetched = {
        .version = "14.1-RELEASE", .trusted = true, .archive = "https://x/base.txz"};
    const struct ja_template_version version = {.checksum = (char *)(uintptr_t)SUM_A};
    const struct ja_template_build build = {.version = &version, .release = &fetched};
    struct ja_planning p = begin();
    ja_plan_freebsd(&p, &build, "/pool/templates/t/1", "/pool/templates/t/1");
    ja_autofree char *text = end();
    assert_string_equal(text, "/usr/bin/fetch -T 60 -o /pool/templates/t/1.txz https://x/base.txz\n"
                              "  undo: " HOST "remove /pool/templates/t/1.txz\n" HOST "template-tar --sha256 " SUM_A
                              " /pool/templates/t/1.txz /pool/templates/t/1\n" HOST "remove /pool/templates/t/1.txz\n"
                              "0 notes\n");
}

static void without_a_trusted_checksum_the_user_is_warned(void **unused)
{
    (void)unused;
    struct ja_map env = {0};
    const struct ja_freebsd_release fetched = {
        .version = "15.0-RELEASE", .archive = "https://x/base.txz", .manifest = "https://x/MANIFEST"};
    const struct ja_template_version version = {0};
    const struct ja_template_build build = {.version = &version, .release = &fetched, .env = &env};
    ja_map_set(&env, "HTTPS_PROXY", "http://p:1");
    ja_map_set(&env, "TZ", "UTC");
    struct ja_planning p = begin();
    ja_plan_freebsd(&p, &build, "/p/1", "/p/1");
    ja_autofree char *text = end();
    ja_map_fini(&env);
    assert_string_equal(text,
                        "/usr/bin/env HTTPS_PROXY=http://p:1 /usr/bin/fetch -T 60 -o /p/1.manifest https://x/MANIFEST\n"
                        "  undo: " HOST "remove /p/1.manifest\n"
                        "/usr/bin/env HTTPS_PROXY=http://p:1 /usr/bin/fetch -T 60 -o /p/1.txz https://x/base.txz\n"
                        "  undo: " HOST "remove /p/1.txz\n" HOST "template-tar --manifest /p/1.manifest /p/1.txz "
                        "/p/1\n" HOST "remove /p/1.txz\n" HOST "remove /p/1.manifest\n"
                        "2 notes\n"); /* it is newer than the host, too */
}

static void an_archive_of_the_host_stays(void **unused)
{
    (void)unused;
    const struct ja_freebsd_release local = {.version = "14.1-RELEASE", .local = true, .archive = "/srv/base.txz"};
    const struct ja_template_version version = {.checksum = (char *)(uintptr_t)SUM_A};
    const struct ja_template_build build = {.version = &version, .release = &local};
    struct ja_planning p = begin();
    ja_plan_freebsd(&p, &build, "/p/1", "/p/1");
    ja_autofree char *text = end();
    assert_string_equal(text, HOST "template-tar --sha256 " SUM_A " /srv/base.txz /p/1\n1 notes\n");
}

static void sources_are_installed_by_make(void **unused)
{
    (void)unused;
    struct ja_planning p = begin();
    answer(JA_FACT_PATH, "/usr/src/Makefile.inc1", "file");
    ja_plan_freebsd_src(&p, "/usr/src", "/p/1");
    ja_autofree char *text = end();
    assert_string_equal(text, "/usr/bin/make -C /usr/src installworld DB_FROM_SRC=yes NO_FSCHG=yes DESTDIR=/p/1\n"
                              "/usr/bin/make -C /usr/src distribution DB_FROM_SRC=yes NO_FSCHG=yes DESTDIR=/p/1\n"
                              "0 notes\n");
    p = begin();
    answer(JA_FACT_PATH, "/srv/Makefile.inc1", NULL);
    ja_plan_freebsd_src(&p, "/srv", "/p/1");
    ja_autofree char *none = end();
    assert_non_null(strstr(none, "failed: /srv holds no sources of FreeBSD"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_checked),
        cmocka_unit_test(packages_have_a_version_and_a_set),
        cmocka_unit_test(manifests_name_checksums),
        cmocka_unit_test(a_release_is_fetched_from_its_project),
        cmocka_unit_test(an_installed_manifest_is_trusted),
        cmocka_unit_test(a_directory_may_hold_it),
        cmocka_unit_test(what_is_fetched_is_undone),
        cmocka_unit_test(without_a_trusted_checksum_the_user_is_warned),
        cmocka_unit_test(an_archive_of_the_host_stays),
        cmocka_unit_test(sources_are_installed_by_make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
