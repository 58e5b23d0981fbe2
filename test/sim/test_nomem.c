/*
 * test_nomem.c: for every verb, the k-th allocation fails, for k = 0, 1, 2 ...: the verb fails with JA_E_NOMEM or manages
 * without, and the host and the store are as before or as wanted. Without $JAILADMIN_TEST_LONG every tenth k, or so, fewer with $JAILADMIN_TEST_SHARE,
 * from a printed seed ($JAILADMIN_TEST_SEED repeats one). Under the sanitizers this also shows that nothing leaks.
 */
#include "simnet.h"
#include "simshape.h"

static int do_recover(struct ja_engine *engine, struct ja_error *err)
{
    int rc = ja_engine_recover(engine, true, err);
    return rc < 0 ? rc : ja_engine_upgrade_settle(engine, "j", err);
}

static void sweep(const char *name, lab_verb *verb, lab_verb *back)
{
    bool all = getenv("JAILADMIN_TEST_LONG") != NULL;
    int stride = getenv("JAILADMIN_TEST_SHARE") ? 80 : 20;
    long cases = 0;
    lab_do(verb);
    ja_autofree char *wanted = lab_snapshot(&lab_sim);
    lab_do(back);
    ja_autofree char *before = lab_snapshot(&lab_sim);
    for (long k = 0;; k += all ? 1 : 1 + rand() % stride) {
        struct ja_error err = JA_ERROR_INIT;
        ja_alloc_fail_after(k);
        int rc = lab_run(verb, NULL, NULL, &err);
        bool met = ja_alloc_fail_after(-1) < 0;
        cases++;
        if (rc < 0 && rc != JA_E_NOMEM && !getenv("JAILADMIN_TEST_JSON"))
            fail_msg("%s without allocation %ld: %s: %s", name, k, err.object, err.what);
        lab_do(do_recover);
        ja_autofree char *after = lab_snapshot(&lab_sim);
        bool is_wanted = strcmp(after, wanted) == 0;
        if (strcmp(after, before) != 0 && !is_wanted) {
            printf("---- left\n%s---- before\n%s---- wanted\n%s---- end\n", after, before, wanted);
            fflush(stdout);
            fail_msg("%s without allocation %ld (%s) left what is above", name, k, rc < 0 ? err.what : "it managed");
        }
        if (rc == 0 && !is_wanted)
            fail_msg("%s without allocation %ld said that it was done, and it was not", name, k);
        if (is_wanted)
            lab_do(back);
        if (!met)
            break;
    }
    print_message("%s: %ld cases\n", name, cases);
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
}

static int set_up(void **unused)
{
    lab_set_up(unused);
    lab_init("10.233.0.1/24");
    lab_do(do_base);
    return 0;
}

int main(int argc, char **argv)
{
    lab_choose(argc, argv);
    lab_seed();
    if (getenv("JAILADMIN_TEST_JSON"))
        json_set_alloc_funcs(ja_malloc, ja_free);
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_runs_out)};
    return cmocka_run_group_tests(tests, set_up, lab_tear_down);
}
