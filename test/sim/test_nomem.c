/*
 * test_nomem.c: for every verb, the k-th allocation fails, for k = 0, 1, 2 ...: the verb fails with JA_E_NOMEM or manages
 * without, and the host and the store are as before or as wanted. Without $JAILADMIN_TEST_LONG every tenth k, or so, fewer with $JAILADMIN_TEST_SHARE,
 * from a printed seed ($JAILADMIN_TEST_SEED repeats one). Under the sanitizers this also shows that nothing leaks.
 */
#include "simbsd.h"
#include "simnet.h"
#include "simshape.h"
#include "simwhole.h"

static int do_recover(struct ja_engine *engine, struct ja_error *err)
{
    int rc = ja_engine_recover(engine, true, err);
    return rc < 0 ? rc : ja_engine_upgrade_settle(engine, "j", err);
}

static long next_case(long k)
{
    int share = lab_share(0), stride = share ? 40 * share : 20;
    return k + (getenv("JAILADMIN_TEST_LONG") ? 1 : 1 + rand() % stride);
}

/* The host, the store, and the copy of that. */
static char *snapshot(void)
{
    ja_autofree char *there = lab_snapshot(&lab_sim);
    struct ja_store *copy = NULL;
    const char *what = "none";
    if (access(copy_path, F_OK) == 0)
        what =
            ja_store_open_copy(copy_path, &copy, NULL) == 0 && ja_store_verify(copy, NULL) == 0 ? "whole" : "damaged";
    ja_store_close(copy);
    char *text = ja_printf("%scopy: %s\n", there, what);
    assert_non_null(text);
    return text;
}

static void check_code(const char *name, long k, int rc, const struct ja_error *err)
{
    if (rc < 0 && rc != JA_E_NOMEM)
        fail_msg("%s without allocation %ld: %s: %s", name, k, err->object, err->what);
}

static void fail_left(const char *name, long k, const char *after, const char *before, const char *wanted,
                      const char *what)
{
    lab_print_left(after, before, wanted);
    fail_msg("%s without allocation %ld (%s) left what is above", name, k, what);
}

/* `parts`: it is several changes, each as a whole or not at all; the next time does the rest. */
static void sweep_of(const char *name, lab_verb *verb, lab_verb *back, bool parts)
{
    long cases = 0;
    lab_do(verb);
    ja_autofree char *wanted = snapshot();
    lab_do(back);
    ja_autofree char *before = snapshot();
    for (long k = 0;; k = next_case(k)) {
        struct ja_error err = JA_ERROR_INIT;
        ja_alloc_fail_after(k);
        int rc = lab_run(verb, NULL, NULL, &err);
        bool met = ja_alloc_fail_after(-1) < 0;
        cases++;
        check_code(name, k, rc, &err);
        lab_do(do_recover);
        if (parts && rc < 0)
            lab_do(verb);
        ja_autofree char *after = snapshot();
        bool is_wanted = strcmp(after, wanted) == 0;
        if (!is_wanted && (parts || strcmp(after, before) != 0))
            fail_left(name, k, after, before, wanted, rc < 0 ? err.what : "it managed");
        if (rc == 0 && !is_wanted)
            fail_msg("%s without allocation %ld said that it was done, and it was not", name, k);
        if (is_wanted)
            lab_do(back);
        if (!met)
            break;
    }
    print_message("%s: %ld cases\n", name, cases);
}

static void sweep(const char *name, lab_verb *verb, lab_verb *back)
{
    sweep_of(name, verb, back, false);
}

/* ---- gc, tick, backup ---- */

/* Its init has ended, and what it had is left. */
static int do_die(struct ja_engine *engine, struct ja_error *err)
{
    static char words[][40] = {"host", "kill-init", "/run/jailadmin-00/jails/0/pid"};
    char *const end[] = {words[0], words[1], words[2], NULL};
    char nobodys[64];
    int rc = do_start(engine, err);
    if (rc < 0)
        return rc;
    snprintf(nobodys, sizeof nobodys, "%s/jailadmin-00/jails/9", lab_system->run);
    sim_make(&lab_sim, nobodys, "dir");
    if (lab_system->os == JA_OS_LINUX)
        return sim_run(&lab_sim, NULL, end, 3, err);
    sim_freebsd_end_jail(&lab_sim, "j");
    return 0;
}

static int do_gc(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_gc(engine, err);
}

/* One snapshot is due, and one is not kept any longer. */
static int do_tick_later(struct ja_engine *engine, struct ja_error *err)
{
    assert_int_equal(ja_clock_parse("2026-11-26T11:05:00.000Z", &lab_now_ms), 0);
    return do_tick(engine, err);
}

static int do_tick_anew(struct ja_engine *engine, struct ja_error *err)
{
    int rc = lab_unsnapshot(engine, "2026-11-26-1105-hourly", err);
    assert_int_equal(ja_clock_parse("2026-11-26T10:05:00.000Z", &lab_now_ms), 0);
    if (rc == JA_E_NOTFOUND)
        ja_error_clear(err);
    return rc < 0 && rc != JA_E_NOTFOUND ? rc : do_tick(engine, err);
}

static int do_keep_one(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(engine, (const char *const[]){"keep.hourly=1", NULL}, err);
}

static int do_no_backup(struct ja_engine *engine, struct ja_error *err)
{
    (void)engine, (void)err;
    return unlink(copy_path);
}

static void memory_runs_out(void **unused)
{
    (void)unused;
    sweep("template create", do_template, do_template_delete);
    sweep("template create, built", do_build, do_template_delete);
    if (lab_system->os == JA_OS_FREEBSD)
        sweep("template create, of packages", do_pkgbase, do_template_delete);
    lab_do(do_template);
    lab_do(do_template);
    sweep("template delete, one version", do_version_delete, do_template);
    sweep("template rename", do_template_rename, do_template_rename_back);
    lab_do(do_template_delete);
    sweep("network create", do_network, do_network_delete);
    sweep("create", do_create, do_delete);
    sweep("create, started", do_create_started, do_delete_started);
    lab_do(do_create);
    sweep("clone", do_clone, do_clone_delete);
    sweep("snapshot create", do_snapshot, do_unsnapshot);
    lab_do(do_snapshot);
    sweep("clone of a snapshot", do_snapshot_clone, do_clone_delete);
    lab_do(do_go_on);
    sweep("snapshot rollback", do_rollback, do_go_on);
    lab_do(do_later_delete);
    sweep("snapshot delete", do_unsnapshot, do_snapshot);
    lab_do(do_unsnapshot);
    sweep("be create", do_be, do_unbe);
    lab_do(do_be);
    sweep("be activate", do_activate, do_activate_default);
    sweep("be mount", do_be_mount, do_be_unmount);
    lab_do(do_be_mount);
    sweep("be unmount", do_be_unmount, do_be_mount);
    lab_do(do_be_unmount);
    sweep("be delete", do_unbe, do_be);
    lab_do(do_unbe);
    sweep("upgrade", do_upgrade, do_downgrade);
    sweep("start", do_start, do_kill);
    lab_do(do_start);
    sweep("set, running", do_tune, do_untune);
    sweep("set, shaped", do_shape, do_unshape_anew);
    sweep("stop", do_stop, do_start);
    lab_do(do_stop);
    sweep("set", do_set, do_unset);
    sweep("rename", do_rename, do_rename_back);
    sweep("delete", do_delete, do_create);
    lab_do(do_delete);
    lab_do(do_dyn);
    lab_do(do_guest);
    sweep("start, on networks of all kinds", do_guest_start, do_guest_stop);
    lab_do(do_guest_start);
    sweep("network set", do_dyn_set, do_dyn_unset);
    sweep("network set, rules", do_rules, do_rules_off);
    sweep("stop, on networks of all kinds", do_guest_stop, do_guest_start);
    lab_do(do_guest_stop);
    lab_do(do_guest_delete);
    lab_do(do_dyn_delete);
}

static void memory_runs_out_in_upkeep(void **unused)
{
    (void)unused;
    lab_do(do_create);
    lab_do(do_shape);
    lab_do(do_die);
    sweep_of("gc", do_gc, do_die, true);
    lab_do(do_gc);
    lab_do(do_keep_one);
    lab_tick_at("2026-11-26T10:05:00.000Z");
    sweep_of("tick", do_tick_later, do_tick_anew, true);
    sweep("backup", do_backup, do_no_backup);
    lab_do(do_delete);
}

static void memory_runs_out_on_the_hosts_network(void **unused)
{
    (void)unused;
    sweep("create, shared", do_shared, do_shared_delete);
    lab_do(do_shared);
    sweep("start, shared", do_shared_start, do_shared_stop);
    lab_do(do_shared_start);
    sweep("stop, shared", do_shared_stop, do_shared_start);
    lab_do(do_shared_delete);
    lab_do(do_inherit);
    sweep("start, inherit", do_inherit_start, do_inherit_stop);
    lab_do(do_inherit_start);
    sweep("stop, inherit", do_inherit_stop, do_inherit_start);
    lab_do(do_inherit_delete);
}

/* ---- whole instances ---- */

typedef int whole_verb(const struct ja_engine_options *options, struct ja_error *err);

static int whole(whole_verb *verb, struct ja_error *err)
{
    struct ja_engine_options options = whole_options();
    return verb(&options, err);
}

static void whole_do(whole_verb *verb)
{
    struct ja_error err = JA_ERROR_INIT;
    lab_must(whole(verb, &err), &err);
    lab_check();
}

static char *whole_snapshot(void)
{
    return access(lab_state, F_OK) == 0 ? snapshot() : bare_host();
}

/* `back` leads to where the verb begins. Done again, it comes to its end. */
static void whole_sweep(const char *name, whole_verb *verb, void (*back)(void))
{
    long cases = 0;
    back();
    whole_do(verb);
    ja_autofree char *wanted = whole_snapshot();
    for (long k = 0, met = 1; met; k = next_case(k)) {
        struct ja_error err = JA_ERROR_INIT, again = JA_ERROR_INIT;
        back();
        ja_alloc_fail_after(k);
        int rc = whole(verb, &err);
        met = ja_alloc_fail_after(-1) < 0;
        cases++;
        check_code(name, k, rc, &err);
        if (rc != 0) {
            rc = whole(verb, &again);
            /* It was done, but for its report. */
            if (rc != JA_E_EXISTS && rc != JA_E_NOTFOUND)
                lab_must(rc, &again);
            assert_true(rc <= 0);
        }
        lab_check();
        ja_autofree char *after = whole_snapshot();
        if (strcmp(after, wanted) != 0)
            fail_left(name, k, after, after, wanted, err.what);
    }
    print_message("%s: %ld cases\n", name, cases);
}

static void is_torn_down(void)
{
    if (access(lab_state, F_OK) == 0)
        whole_do(whole_teardown);
}

static void is_made(void)
{
    if (access(lab_state, F_OK) != 0)
        whole_do(whole_init);
}

/* Restore looks for the pool's file itself. */
static void pool_file(bool there)
{
    char path[128];
    snprintf(path, sizeof path, "%s/pool.img", lab_state);
    if (there)
        assert_int_equal(ja_file_write(path, "", 0, 0600, false, NULL), 0);
    else
        assert_int_equal(unlink(path), 0);
}

static int whole_restore(const struct ja_engine_options *options, struct ja_error *err)
{
    ja_autostrv struct ja_strv lost = {0};
    return ja_engine_restore(options, copy_path, false, &lost, err);
}

/* What the copy has and the store has not. */
static int do_forward(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(engine, (const char *const[]){"forwards.web.port=80", NULL}, err);
}

static int do_unforward(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(engine, (const char *const[]){"forwards.web=", NULL}, err);
}

static void is_without_forward(void)
{
    lab_do(do_unforward);
}

static void memory_runs_out_for_instances(void **unused)
{
    (void)unused;
    lab_do(do_create);
    lab_do(do_forward);
    lab_do(do_backup);
    pool_file(true);
    whole_sweep("restore", whole_restore, is_without_forward);
    pool_file(false);
    lab_do(do_network);
    lab_do(do_lan_rules);
    lab_do(do_start);
    whole_sweep("adopt", whole_adopt, lose_store);
    unlink(copy_path);
    whole_do(whole_teardown);
    whole_sweep("init", whole_init, is_torn_down);
    whole_sweep("teardown", whole_teardown, is_made);
}

static int count_snapshot(void *context, JA_UNUSED const struct ja_jail *jail, JA_UNUSED const struct ja_snapshot *one,
                          JA_UNUSED struct ja_error *err)
{
    ++*(int *)context;
    return 0;
}

static int do_list_snapshots(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    int count = 0;
    if (ja_strv_add(&names, "j") < 0)
        return ja_error_nomem(err);
    int rc = ja_engine_snapshots(engine, &names, count_snapshot, &count, err);
    return rc < 0 || count == 1 ? rc : ja_error_set(err, JA_E_FAILED, NULL, "%d snapshots are listed", count);
}

#define MANY 1000000000L
static long allocations(lab_verb *verb)
{
    ja_alloc_fail_after(MANY);
    lab_do(verb);
    return MANY - ja_alloc_fail_after(-1);
}

/* Whatever else has snapshots in the pool: nothing more is read for those of a jail. */
static void others_have_snapshots(void **unused)
{
    (void)unused;
    enum { OTHERS = 2000 };
    static lab_verb *const verbs[] = {do_list_snapshots, do_unsnapshot, do_snapshot};
    long before[JA_COUNT(verbs)];
    lab_do(do_create);
    lab_do(do_snapshot);
    for (size_t i = 0; i < JA_COUNT(verbs); i++)
        before[i] = allocations(verbs[i]);
    for (int i = 0; i < OTHERS; i++) {
        sim_put(&lab_sim, "", "zfs tank/other@%d", i);
        sim_put(&lab_sim, "subvolume", "path /var/db/jailadmin/pool/other/%d", i);
    }
    for (size_t i = 0; i < JA_COUNT(verbs); i++)
        assert_int_equal(allocations(verbs[i]), before[i]);
    sim_drop_all(&lab_sim, "zfs tank/other@");
    sim_drop_all(&lab_sim, "path /var/db/jailadmin/pool/other/");
    lab_do(do_unsnapshot);
    lab_do(do_delete);
}

int main(int argc, char **argv)
{
    lab_choose(argc, argv);
    lab_seed();
    ja_json_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_have_snapshots),         cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(memory_runs_out_in_upkeep),     cmocka_unit_test(memory_runs_out_on_the_hosts_network),
        cmocka_unit_test(memory_runs_out_for_instances), /* last: it takes the instance away */
    };
    return cmocka_run_group_tests(tests, whole_set_up, lab_tear_down);
}
