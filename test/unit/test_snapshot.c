/*
 * test_snapshot.c: schedules by the calendar, with clocks that jump; what zfs prints about snapshots; trees that differ.
 */
#include "base/clock.h"
#include "plan/planning.h"
#include "run/treediff.h"
#include "run/zfs.h"
#include "scratch.h"

/* ---- schedules ---- */

static struct ja_list taken;

static int64_t ms_of(const char *time)
{
    int64_t ms;
    assert_int_equal(ja_clock_parse(time, &ms), 0);
    return ms;
}

/* `schedules`: "hourly daily"; "" for one by hand. */
static void take(const char *name, const char *created, const char *schedules)
{
    struct ja_snapshot *snapshot = ja_object_new(&ja_noun_snapshot);
    assert_non_null(snapshot);
    snapshot->name = ja_strdup(name);
    snapshot->created = ja_strdup(created);
    assert_int_equal(ja_str_split_words(schedules, &snapshot->schedules), 0);
    assert_int_equal(ja_list_add(&ja_noun_snapshot, &taken, snapshot), 0);
}

static int forget(void **state)
{
    (void)state;
    ja_list_fini(&ja_noun_snapshot, &taken);
    return 0;
}

static void check(const struct ja_keep *keep, const char *now, const char *due, const char *old)
{
    struct ja_strv names = {0};
    struct ja_str text = {0};
    ja_str_add(&text, "");
    assert_int_equal(ja_keep_due(keep, &taken, ms_of(now), &names), 0);
    for (size_t i = 0; i < names.count; i++)
        ja_str_addf(&text, "%s%s", i ? " " : "", names.items[i]);
    assert_string_equal(text.text, due);
    ja_strv_fini(&names);
    ja_str_fini(&text);
    ja_str_add(&text, "");
    assert_int_equal(ja_keep_old(keep, &taken, ms_of(now), &names), 0);
    for (size_t i = 0; i < names.count; i++)
        ja_str_addf(&text, "%s%s", i ? " " : "", names.items[i]);
    assert_string_equal(text.text, old);
    ja_strv_fini(&names);
    ja_str_fini(&text);
}

static void a_period_without_a_snapshot_wants_one(void **state)
{
    (void)state;
    const struct ja_keep all = {.hourly = 9, .daily = 9, .weekly = 9, .monthly = 9}, none = {0};
    check(&none, "2026-11-26T10:00:00.000Z", "", "");
    check(&all, "2026-11-26T10:00:00.000Z", "hourly daily weekly monthly", "");
    take("a", "2026-11-26T10:00:00.000Z", "hourly daily weekly monthly");
    check(&all, "2026-11-26T10:59:59.999Z", "", "");
    check(&all, "2026-11-26T11:00:00.000Z", "hourly", "");
    check(&all, "2026-11-27T00:00:00.000Z", "hourly daily", "");
    check(&all, "2026-11-29T23:59:59.999Z", "hourly daily", "");        /* Sunday */
    check(&all, "2026-11-30T00:00:00.000Z", "hourly daily weekly", ""); /* Monday */
    check(&all, "2026-12-01T00:00:00.000Z", "hourly daily weekly monthly", "");
}

static void one_by_hand_or_of_somebody_else_counts_for_nothing(void **state)
{
    (void)state;
    const struct ja_keep keep = {.hourly = 1};
    take("hand", "2026-11-26T10:00:00.000Z", "");
    take("daily", "2026-11-26T10:00:00.000Z", "daily");
    take("foreign", "2026-11-26T10:00:00.000Z", "hourly");
    ((struct ja_snapshot *)taken.items[2])->foreign = true;
    check(&keep, "2026-11-26T10:30:00.000Z", "hourly", "");
    take("1", "2026-11-26T10:30:00.000Z", "hourly");
    take("2", "2026-11-26T11:30:00.000Z", "hourly");
    check(&keep, "2026-11-26T11:30:00.000Z", "", "1");
}

static void the_newest_of_each_schedule_are_kept(void **state)
{
    (void)state;
    const struct ja_keep keep = {.hourly = 2, .daily = 1};
    take("0", "2026-11-25T23:00:00.000Z", "hourly daily");
    take("1", "2026-11-26T08:00:00.000Z", "hourly daily");
    take("2", "2026-11-26T09:00:00.000Z", "hourly");
    take("3", "2026-11-26T10:00:00.000Z", "hourly");
    take("4", "2026-11-26T11:00:00.000Z", "hourly");
    check(&keep, "2026-11-26T11:00:00.000Z", "", "0 2");
    /* A schedule that is off keeps nothing and removes nothing. */
    const struct ja_keep hourly = {.hourly = 2}, daily = {.daily = 1}, off = {0};
    check(&hourly, "2026-11-26T11:00:00.000Z", "", "0 1 2");
    check(&daily, "2026-11-26T11:00:00.000Z", "", "0");
    check(&off, "2026-11-26T11:00:00.000Z", "", "");
}

static void a_clock_that_jumps_deletes_nothing_wrongly(void **state)
{
    (void)state;
    const struct ja_keep keep = {.hourly = 2};
    take("1", "2026-11-26T08:00:00.000Z", "hourly");
    take("2", "2026-11-26T09:00:00.000Z", "hourly");
    take("3", "2026-11-26T10:00:00.000Z", "hourly");
    /* Back: all of them are of the future. */
    check(&keep, "2020-01-01T00:00:00.000Z", "hourly", "");
    take("old", "2020-01-01T00:00:00.000Z", "hourly");
    check(&keep, "2020-01-01T00:30:00.000Z", "", "");
    /* Right again. */
    check(&keep, "2026-11-26T10:30:00.000Z", "", "1 old");
    /* Far ahead: what is counted is not older for it. */
    check(&keep, "2099-01-01T00:00:00.000Z", "hourly", "1 old");
    take("ahead", "2099-01-01T00:00:00.000Z", "hourly");
    check(&keep, "2026-11-26T10:30:00.000Z", "", "1 old");
}

static void names_are_made_of_the_time(void **state)
{
    (void)state;
    char name[JA_SNAPSHOT_NAME];
    int64_t now = ms_of("2026-11-26T14:32:07.500Z");
    ja_snapshot_name(now, &taken, "", name);
    assert_string_equal(name, "2026-11-26-1432");
    take(name, "2026-11-26T14:32:00.000Z", "");
    ja_snapshot_name(now, &taken, "", name);
    assert_string_equal(name, "2026-11-26-143207");
    take(name, "2026-11-26T14:32:07.000Z", "");
    ja_snapshot_name(now, &taken, "", name);
    assert_string_equal(name, "2026-11-26-143207-2");
    take(name, "2026-11-26T14:32:07.100Z", "");
    ja_snapshot_name(now, &taken, "", name);
    assert_string_equal(name, "2026-11-26-143207-3");
    assert_int_equal(ja_check_snapshot(name, NULL), 0);
    ja_snapshot_name(now, &taken, "-hourly", name);
    assert_string_equal(name, "2026-11-26-1432-hourly");
    assert_int_equal(ja_check_snapshot(name, NULL), 0);
}

static void names_of_snapshots_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",       "a/b",     "..",       ".a",
        "-a",     "a@b",     "a b",      "a\n",
        "sealed", "clone-a", "\xc3\xa4", "0123456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < JA_COUNT(bad); i++)
        assert_int_equal(ja_check_snapshot(bad[i], NULL), JA_E_INVALID);
    assert_int_equal(ja_check_snapshot("2026-11-26-1432", NULL), 0);
    assert_int_equal(ja_check_snapshot("v1.2_Final", NULL), 0);
}

/* ---- what zfs prints ---- */

/* As a FreeBSD 13.2 printed it, errors first. */
static const char printed[] =
    "cannot open 'tank/nosuch': dataset does not exist\n"
    "tank/j\tused\t73728\t-\ntank/j\tcreation\t1795690228\t-\ntank/j\tcreatetxg\t8\t-\n"
    "tank/j\tjailadmin:mark\tI O\tlocal\ntank/j\tjailadmin:snapshot\t-\t-\n"
    "tank/j@top\tused\t0\t-\ntank/j@top\tcreation\t1795690228\t-\ntank/j@top\tcreatetxg\t9\t-\n"
    "tank/j@top\tjailadmin:mark\tI O\tinherited from tank/j\n"
    "tank/j@top\tjailadmin:snapshot\t-\t-\n"
    "tank/j/root/be@x\tused\t0\t-\ntank/j/root/be@x\tcreation\t1795690229\t-\n"
    "tank/j/root/be@x\tcreatetxg\t12\t-\ntank/j/root/be@x\tjailadmin:mark\tI S\tlocal\n"
    "tank/j/root/be@x\tjailadmin:snapshot\t{\"comment\":\"a, \\\"b\\\"\"}\tlocal\n"
    "tank/j/root/be@y\tused\t4096\t-\ntank/j/root/be@y\tcreation\t1795690230\t-\n"
    "tank/j/root/be@y\tcreatetxg\t13\t-\n"
    "tank/j/root/be@y\tjailadmin:mark\tI O\tinherited from tank/j\n"
    "tank/j/root/be@y\tjailadmin:snapshot\t-\t-\n"
    "tank/jj\tused\t1\t-\ntank/jj/root/be@z\tused\t1\t-\n";

static void snapshots_are_read_from_what_zfs_prints(void **state)
{
    (void)state;
    struct ja_facts facts = {0};
    struct ja_strv names = {0};
    assert_int_equal(ja_strv_add_all(&names, "tank/j", "tank/nosuch", "tank/jj", NULL), 0);
    assert_int_equal(ja_zfs_snapshots_parse(printed, &facts, &names, NULL), 0);
    assert_string_equal(ja_fact(&facts, JA_FACT_SNAPSHOTS, "tank/j"),
                        "root/be@x\t12\t1795690229\t0\tI S\t{\"comment\":\"a, \\\"b\\\"\"}\n"
                        "root/be@y\t13\t1795690230\t4096\t-\t-\n");
    assert_null(ja_fact(&facts, JA_FACT_SNAPSHOTS, "tank/nosuch"));
    assert_string_equal(ja_fact(&facts, JA_FACT_SNAPSHOTS, "tank/jj"), "");
    assert_int_equal(facts.missing, 0);
    /* What it says nothing of is not absent. */
    assert_int_equal(ja_strv_add(&names, "tank/other"), 0);
    assert_int_equal(ja_zfs_snapshots_parse(printed, &facts, &names, NULL), JA_E_FAILED);
    ja_facts_fini(&facts);
    ja_strv_fini(&names);
}

static void clones_are_read_from_origins(void **state)
{
    (void)state;
    struct ja_facts facts = {0};
    struct ja_strv names = {0};
    char text[] = "tank\t-\ntank/a\ttank/j@x\ntank/b\ttank/j@xx\ntank/c\ttank/j@x\n";
    assert_int_equal(ja_strv_add_all(&names, "tank/j@x", "tank/j@y", NULL), 0);
    assert_int_equal(ja_zfs_clones_parse(text, &facts, &names, NULL), 0);
    assert_string_equal(ja_fact(&facts, JA_FACT_CLONES, "tank/j@x"), "tank/a\ntank/c\n");
    assert_null(ja_fact(&facts, JA_FACT_CLONES, "tank/j@y"));
    ja_facts_fini(&facts);
    ja_strv_fini(&names);
}

/* ---- trees ---- */

static int add_line(void *context, char change, const char *path, struct ja_error *err)
{
    (void)err;
    ja_str_addf(context, "%c %s\n", change, path);
    return 0;
}

static void check_diff(const char *wanted)
{
    struct ja_str lines = {0};
    struct ja_error err = JA_ERROR_INIT;
    ja_str_add(&lines, "");
    assert_int_equal(ja_tree_diff(at("then"), at("now"), add_line, &lines, &err), 0);
    /* These are no snapshots: their directories are never the same. */
    char *text = lines.text;
    if (ja_str_starts(text, "M /\n"))
        text += strlen("M /\n");
    assert_string_equal(text, wanted);
    ja_str_fini(&lines);
}

static void what_has_changed_in_a_tree_is_listed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("then"), 0755), 0);
    assert_int_equal(mkdir(at("now"), 0755), 0);
    put_text(at("then/same"), "x");
    assert_int_equal(link(at("then/same"), at("now/same")), 0);
    put_text(at("then/gone"), "x");
    put_text(at("then/other"), "x");
    put_text(at("now/other"), "y");
    put_text(at("now/new\n\033[2J"), "z");
    assert_int_equal(mkdir(at("now/dir"), 0755), 0);
    put_text(at("now/dir/in"), "z");
    assert_int_equal(symlink("/etc", at("now/link")), 0);
    check_diff("+ /dir\n+ /dir/in\n- /gone\n+ /link\n+ /new\n\033[2J\nM /other\n");
    assert_int_equal(ja_tree_diff(at("none"), at("now"), add_line, NULL, NULL), JA_E_NOTFOUND);
}

/* A jail may make as many directories as it likes. */
static void deep_trees_end_somewhere(void **state)
{
    (void)state;
    struct ja_str lines = {0};
    assert_int_equal(mkdir(at("then"), 0755), 0);
    assert_int_equal(mkdir(at("now"), 0755), 0);
    int fd = open(at("now"), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(mkdirat(fd, "d", 0755), 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        close(fd);
        fd = next;
    }
    close(fd);
    assert_int_equal(ja_tree_diff(at("then"), at("now"), add_line, &lines, NULL), 0);
    ja_str_fini(&lines);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, NULL, forget)
#define IN_SCRATCH(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_period_without_a_snapshot_wants_one),
        TEST(one_by_hand_or_of_somebody_else_counts_for_nothing),
        TEST(the_newest_of_each_schedule_are_kept),
        TEST(a_clock_that_jumps_deletes_nothing_wrongly),
        TEST(names_are_made_of_the_time),
        TEST(names_of_snapshots_are_checked),
        TEST(snapshots_are_read_from_what_zfs_prints),
        TEST(clones_are_read_from_origins),
        IN_SCRATCH(what_has_changed_in_a_tree_is_listed),
        IN_SCRATCH(deep_trees_end_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
