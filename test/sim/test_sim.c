/*
 * test_sim.c: verbs of templates, jails, snapshots and boot environments on a simulated host, swept as simsweep.h says.
 */
#include "simbsd.h"
#include "simnet.h"
#include "simsweep.h"

#include "base/clock.h"

static void templates(void **unused)
{
    (void)unused;
    sweep("create", do_template, do_template_delete);
    lab_do(do_template);
    sweep("delete", do_template_delete, do_template);
    sweep("create", do_build, do_version_delete);
    lab_do(do_build);
    sweep("delete", do_version_delete, do_build);
    sweep("rename", do_template_rename, do_template_rename_back);
    lab_do(do_template_delete);
    sweep("create", do_build, do_template_delete);
    if (lab_system->os == JA_OS_FREEBSD)
        sweep("create", do_pkgbase, do_template_delete);
}

static int do_delete_running(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_delete(engine, "j", true, err);
}

static int is_wanted(struct ja_engine *engine, struct ja_error *err)
{
    void *object = NULL;
    int rc = ja_engine_get(engine, &ja_noun_jail, "j", &object, NULL, err);
    if (rc == 0 && ((struct ja_jail *)object)->wanted != JA_WANTED_RUNNING)
        rc = ja_error_set(err, JA_E_CONFLICT, "jail j", "it is not wanted running");
    ja_object_free(&ja_noun_jail, object);
    return rc;
}

static int do_rollback_running(struct ja_engine *engine, struct ja_error *err)
{
    return lab_roll_back(engine, true, err);
}

/* Between its stop and what it was stopped for, too, what was cut off has not been: the next boot starts it. */
static void cut_off_after_stop(const char *verb, int (*run)(struct ja_engine *engine, struct ja_error *err))
{
    for (enum mode mode = FAIL_BEFORE; mode < MODES; mode++) {
        struct injection injection = {.verb = verb, .step = 0, .mode = mode};
        lab_do(do_start);
        assert_true(run_injected(run, &injection));
        if (cuts(mode))
            ja_sim_reboot(&lab_sim);
        lab_do(do_recover);
        lab_do(is_wanted);
        lab_check();
        if (cuts(mode))
            lab_do(do_up);
    }
}

static void jails(void **unused)
{
    (void)unused;
    sweep("create", do_create, do_delete);
    sweep("create", do_create_started, do_delete_started);
    lab_do(do_create);
    sweep("clone", do_clone, do_clone_delete);
    lab_do(do_clone_asked);
    lab_do(do_clone_delete);
    sweep("start", do_start, do_stop);
    sweep("start", do_start, do_kill);
    lab_do(do_start);
    sweep("stop", do_stop, do_start);
    sweep("stop", do_kill, do_start);
    sweep("set", do_tune, do_untune);
    lab_do(do_stop);
    sweep("set", do_set, do_unset);
    sweep("rename", do_rename, do_rename_back);
    cut_off_after_stop("delete", do_delete_running);
    lab_do(do_stop);
    sweep("delete", do_delete, do_create);
    lab_do(do_delete);
}

/* The names of a jail's snapshots, "a b c ". */
static int add_snapshot(void *context, const struct ja_jail *jail, const struct ja_snapshot *snapshot,
                        struct ja_error *err)
{
    (void)jail, (void)err;
    ja_str_addf(context, "%s ", snapshot->name);
    return 0;
}

static struct ja_str listed;

static int do_list(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    ja_str_fini(&listed);
    ja_str_add(&listed, "");
    if (ja_strv_add(&names, "j") < 0)
        return ja_error_nomem(err);
    return ja_engine_snapshots(engine, &names, add_snapshot, &listed, err);
}

static void check_listed(const char *names)
{
    lab_do(do_list);
    assert_string_equal(listed.text, names);
}

static void snapshots(void **unused)
{
    (void)unused;
    lab_do(do_create);
    sweep("snapshot", do_snapshot, do_unsnapshot);
    lab_do(do_snapshot);
    check_listed("s ");
    sweep("clone", do_snapshot_clone, do_clone_delete);
    sweep("snapshot-delete", do_unsnapshot, do_snapshot);
    /* While a clone of it is there. */
    lab_do(do_snapshot_clone);
    lab_do(do_unsnapshot);
    check_listed("");
    lab_do(do_snapshot);
    sweep("snapshot-delete", do_unsnapshot, do_snapshot);
    lab_do(do_clone_delete);
    check_listed("s ");
    lab_do(do_go_on);
    sweep("rollback", do_rollback, do_go_on);
    cut_off_after_stop("rollback", do_rollback_running);
    lab_do(do_stop);
    sweep("delete", do_delete, do_create);
    lab_do(do_delete);
    ja_str_fini(&listed);
}

static void expect_back(const char *before, const char *what)
{
    struct ja_error err = JA_ERROR_INIT;
    assert_int_equal(lab_run(do_upgrade, NULL, NULL, &err), JA_E_FAILED);
    assert_non_null(strstr(err.what, what));
    lab_check();
    char *after = lab_snapshot(&lab_sim);
    if (strcmp(before, after) != 0) {
        lab_print_difference(after, before);
        fail_msg("an upgrade whose %s left what is above", what);
    }
    free(after);
}

/* With a command or a health command that fails, the jail is what it was. */
static void check_goes_back(void)
{
    char *before = lab_snapshot(&lab_sim);
    lab_command_status = 1;
    expect_back(before, "the command failed");
    lab_command_status = 0;
    lab_health_status = 1;
    expect_back(before, "health command failed");
    lab_health_status = 0;
    free(before);
}

static void environments(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    lab_do(do_create);
    sweep("be-create", do_be, do_unbe);
    lab_do(do_be);
    assert_int_equal(lab_run(do_be, NULL, NULL, &err), JA_E_EXISTS);
    sweep("be-activate", do_activate, do_activate_default);
    sweep("be-delete", do_unbe, do_be);
    lab_do(do_activate);
    assert_int_equal(lab_run(do_unbe, NULL, NULL, &err), JA_E_BUSY);
    /* A clone has the active one, under its name. */
    lab_do(do_clone);
    lab_do(do_clone_delete);
    sweep("rename", do_rename, do_rename_back);
    lab_do(do_activate_default);
    lab_do(do_unbe);
    lab_do(do_snapshot);
    sweep("be-create", do_be_of_snapshot, do_unbe);
    /* A snapshot goes while a copy of it stays. */
    lab_do(do_be_of_snapshot);
    lab_do(do_unsnapshot);
    lab_do(do_unbe);
    lab_check();
    lab_do(do_delete);
}

static void mounted(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    lab_do(do_create);
    lab_do(do_be);
    assert_int_equal(lab_run(do_be_unmount, NULL, NULL, &err), JA_E_NOTFOUND);
    sweep("be-mount", do_be_mount, do_be_unmount);
    sweep("be-mount", do_be_mount_there, do_be_unmount);
    lab_do(do_be_mount);
    assert_int_equal(lab_run(do_be_mount, NULL, NULL, &err), JA_E_EXISTS);
    sweep("be-unmount", do_be_unmounted, do_be_mount);
    lab_do(do_be_unmount);
    lab_do(do_be_mount_there);
    sweep("be-unmount", do_be_unmounted, do_be_mount_there);
    lab_do(do_be_unmounted);
    lab_do(do_be_mount);
    assert_int_equal(lab_run(do_unbe, NULL, NULL, &err), JA_E_BUSY);
    assert_int_equal(lab_run(do_rename, NULL, NULL, &err), JA_E_BUSY);
    assert_int_equal(lab_run(do_delete, NULL, NULL, &err), JA_E_BUSY);
    lab_do(do_activate);
    lab_do(do_start);
    lab_do(do_kill);
    lab_do(do_snapshot);
    assert_int_equal(lab_run(do_rollback, NULL, NULL, &err), JA_E_BUSY);
    lab_check();
    sweep("delete", do_delete_force, do_create_mounted);
    /* Somebody unmounts it by hand: gc removes what was made for it. */
    sim_drop_all(&lab_sim, "bind ");
    sim_drop_all(&lab_sim, "ro-bind ");
    lab_do(ja_engine_gc);
    lab_do(do_delete);
    sim_drop(&lab_sim, "path /there");
}

static void upgrades(void **unused)
{
    static const char *const verbs[] = {"be-create", "start", "stop", "be-activate"};
    (void)unused;
    lab_do(do_create);
    lab_do(do_upgrade);
    lab_do(do_downgrade);
    check_goes_back();
    for (size_t i = 0; i < JA_COUNT(verbs); i++)
        sweep(verbs[i], do_upgrade, do_downgrade);
    lab_do(do_start);
    lab_do(do_upgrade);
    lab_do(do_downgrade_running);
    check_goes_back();
    starts_again = true;
    for (size_t i = 0; i < JA_COUNT(verbs); i++)
        sweep(verbs[i], do_upgrade, do_downgrade_running);
    starts_again = false;
    lab_do(do_kill);
    lab_do(do_delete);
}

/* A later state that a clone hangs on is not destroyed; where nothing hangs on anything, it goes back. */
static void rollbacks_spare_clones(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    lab_do(do_create);
    lab_do(do_snapshot);
    lab_do(do_go_on);
    lab_do(do_clone);
    char *before = lab_snapshot(&lab_sim);
    int rc = lab_run(do_rollback, NULL, NULL, &err);
    assert_int_equal(rc, lab_system->os == JA_OS_LINUX ? 0 : JA_E_CONFLICT);
    if (rc < 0) {
        char *after = lab_snapshot(&lab_sim);
        assert_non_null(strstr(err.what, "jail k is a clone"));
        assert_string_equal(before, after);
        free(after);
    }
    lab_do(do_clone_delete);
    lab_do(do_rollback);
    assert_null(sim_get(&lab_sim, "path %s/pool/jails/j/root/default/changed", lab_state));
    assert_null(sim_get(&lab_sim, "path %s/pool/jails/j/vol/data/changed", lab_state));
    free(before);
    /* A running jail keeps its tree. */
    lab_do(do_start);
    assert_int_equal(lab_run(do_rollback, NULL, NULL, &err), JA_E_BUSY);
    lab_do(do_snapshot_clone);
    lab_do(do_clone_delete);
    lab_do(do_kill);
    lab_do(do_delete);
}

static void tick_at(const char *time)
{
    lab_tick_at(time);
    lab_check();
}

static void schedules_take_and_delete(void **unused)
{
    (void)unused;
    lab_do(do_create);
    tick_at("2026-11-26T10:05:00.000Z");
    check_listed("");
    lab_do(do_keep);
    lab_do(do_snapshot);
    tick_at("2026-11-26T10:05:00.000Z");
    assert_string_equal(lab_ticked.taken, "2026-11-26-1005-daily");
    tick_at("2026-11-26T10:59:59.000Z");
    assert_string_equal(lab_ticked.taken, "");
    /* Two runs were missed. */
    tick_at("2026-11-26T13:00:00.000Z");
    tick_at("2026-11-26T14:00:00.000Z");
    /* The first of the day is the only one of its day, and stays beside the three. */
    tick_at("2026-11-26T15:00:00.000Z");
    assert_int_equal(lab_ticked.deleted, 0);
    tick_at("2026-11-26T16:00:00.000Z");
    assert_int_equal(lab_ticked.deleted, 1);
    lab_do(do_list);
    assert_non_null(strstr(listed.text, "s "));
    assert_non_null(strstr(listed.text, "2026-11-26-1005-daily "));
    assert_null(strstr(listed.text, "2026-11-26-1300-hourly "));
    /* The clock jumps back: something is taken for that time, and what is of the future stays. */
    tick_at("2026-11-20T09:00:00.000Z");
    assert_int_equal(lab_ticked.deleted, 0);
    lab_do(do_list);
    assert_non_null(strstr(listed.text, "2026-11-26-1600-hourly "));
    /* And is right again. */
    tick_at("2026-11-26T16:30:00.000Z");
    assert_string_equal(lab_ticked.taken, "");
    assert_int_equal(lab_ticked.deleted, 1);
    lab_do(do_list);
    assert_null(strstr(listed.text, "2026-11-20"));
    assert_non_null(strstr(listed.text, "s "));
    /* Far in the future: one more, and no more than one of each goes. */
    tick_at("2040-01-01T00:00:00.000Z");
    assert_int_equal(lab_ticked.deleted, 2);
    lab_do(do_delete);
    ja_str_fini(&listed);
}

static void jails_of_freebsd(void **unused)
{
    (void)unused;
    if (lab_system->os != JA_OS_FREEBSD)
        skip();
    lab_do(do_full);
    sweep("start", do_full_start, do_full_stop);
    lab_do(do_full_start);
    sweep("stop", do_full_stop, do_full_start);
    /* One that ends by itself leaves all but itself, and its next start makes all of it anew. What it was to do, run, is noted
     * with it from then on. */
    sim_freebsd_end_jail(&lab_sim, "full");
    lab_do(do_full_start);
    char *before = lab_snapshot(&lab_sim);
    sim_freebsd_end_jail(&lab_sim, "full");
    lab_do(do_full_start);
    char *after = lab_snapshot(&lab_sim);
    lab_print_difference(after, before);
    assert_true(strcmp(before, after) == 0);
    free(before);
    free(after);
    lab_do(do_full_delete);
    sweep("create", do_shared, do_shared_delete);
    lab_do(do_shared);
    sweep("start", do_shared_start, do_shared_stop);
    lab_do(do_shared_start);
    sweep("stop", do_shared_stop, do_shared_start);
    sweep("set", do_shared_shape, do_shared_unshape_anew);
    lab_do(do_shared_shape);
    sweep("set", do_shared_reshape, do_shared_shape_anew);
    sweep("stop", do_shared_stop, do_shared_start);
    lab_do(do_shared_stop);
    sweep("start", do_shared_start, do_shared_stop);
    lab_do(do_shared_delete);
    sim_drop(&lab_sim, "module dummynet"); /* the cases that follow are without it */
    lab_do(do_inherit);
    sweep("start", do_inherit_start, do_inherit_stop);
    lab_do(do_inherit_delete);
}

/* Connections of its processes may linger for minutes: it stays, dying, and starts again all the same. */
static void a_dying_jail_is_in_nobodys_way(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    if (lab_system->os != JA_OS_FREEBSD)
        skip();
    lab_do(do_full);
    lab_do(do_full_start);
    char *running = lab_snapshot(&lab_sim);
    lab_do(do_full_stop);
    char *stopped = lab_snapshot(&lab_sim);
    lab_do(do_full_start);
    sim_put(&lab_sim, "", "linger full");
    /* Whether its stop tells of it or not, what can be undone is. */
    lab_run(do_full_stop, NULL, NULL, &err);
    assert_non_null(strstr(sim_get(&lab_sim, "jail full"), " dying "));
    sim_drop(&lab_sim, "linger full");
    lab_do(do_full_start);
    char *again = lab_snapshot(&lab_sim);
    if (strcmp(again, running) != 0) {
        lab_print_difference(again, running);
        fail_msg("its start after a slow end is not like any other");
    }
    lab_do(do_full_stop);
    char *gone = lab_snapshot(&lab_sim);
    assert_string_equal(gone, stopped);
    lab_do(do_full_delete);
    free(running);
    free(stopped);
    free(again);
    free(gone);
}

int main(int argc, char **argv)
{
    lab_choose(argc, argv);
    lab_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates),
        cmocka_unit_test(jails),
        cmocka_unit_test(snapshots),
        cmocka_unit_test(environments),
        cmocka_unit_test(mounted),
        cmocka_unit_test(upgrades),
        cmocka_unit_test(rollbacks_spare_clones),
        cmocka_unit_test(schedules_take_and_delete),
        cmocka_unit_test(jails_of_freebsd),
        cmocka_unit_test(a_dying_jail_is_in_nobodys_way),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
