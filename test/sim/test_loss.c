/*
 * test_loss.c: what a power cut and a lost store do together. Journals that come back are not followed by a store that does not know how
 * their plans ended; and what a jail's own commands have written is there when the upgrade that ran them was reported as done.
 */
#include "simloss.h"
#include "simwhole.h"

struct loss {
    lab_verb *verb;
    bool cut;
};

static int lose_it(void *context)
{
    const struct loss *loss = context;
    unlinks_are_lost = true;
    if (loss->cut)
        lose_begin();
    lab_do(loss->verb);
    if (loss->cut)
        lose();
    return 0;
}

/* In a process of its own, whose removals of journals, and whatever it has not synced when `cut`, are lost. */
static void do_and_lose(lab_verb *verb, bool cut)
{
    assert_int_equal(lab_apart(lose_it, &(struct loss){verb, cut}), 0);
    if (cut)
        ja_sim_reboot(&lab_sim);
}

static unsigned journals(const char *suffix)
{
    char dir[160];
    unsigned count = 0;
    snprintf(dir, sizeof dir, "%s/journal", lab_state);
    DIR *handle = opendir(dir);
    for (struct dirent *entry; handle && (entry = readdir(handle)) != NULL;) {
        size_t n = strlen(entry->d_name), m = strlen(suffix);
        count += n > m && strcmp(entry->d_name + n - m, suffix) == 0;
    }
    if (handle)
        closedir(handle);
    return count;
}

/* Restore looks for the pool's file itself. */
static void make_pool_file(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/pool.img", lab_state);
    assert_int_equal(ja_file_write(path, "", 0, 0600, false, NULL), 0);
}

static void damage_store(void)
{
    char path[160];
    lose_store();
    snprintf(path, sizeof path, "%s/store.db", lab_state);
    assert_int_equal(ja_file_write(path, "garbage", 7, 0600, false, NULL), 0);
}

static void whole(int (*verb)(const struct ja_engine_options *options, struct ja_error *err))
{
    struct ja_engine_options options = whole_options();
    struct ja_error err = JA_ERROR_INIT;
    lab_must(verb(&options, &err), &err);
    lab_check();
}

static int restore(const struct ja_engine_options *options, struct ja_error *err)
{
    ja_autostrv struct ja_strv lost = {0};
    return ja_engine_restore(options, copy_path, true, &lost, err);
}

static void check_adopted(int put_aside)
{
    assert_int_equal(journals(".plan"), 0);
    assert_int_equal(journals(".old"), put_aside);
    whole(whole_adopt);
    lab_do(do_start);
    lab_do(do_kill);
    lab_do(do_delete);
    lab_check();
}

/* The journal of its creation is there again, and the store is damaged: the copy that takes its place is older than the jail. */
static void restored(void **unused)
{
    (void)unused;
    lab_do(do_backup);
    do_and_lose(do_create, false);
    assert_int_equal(journals(".plan"), 1);
    damage_store();
    make_pool_file();
    whole(restore);
    check_adopted(1);
}

/* The same with a new store around the pool: what was committed goes forward. */
static void adopted(void **unused)
{
    char dir[160];
    (void)unused;
    snprintf(dir, sizeof dir, "%s/journal", lab_state);
    assert_int_equal(ja_tree_remove(dir, NULL), 0);
    do_and_lose(do_create, false);
    assert_int_equal(journals(".plan"), 1);
    lose_store();
    whole(whole_adopt);
    check_adopted(0);
}

/* What the command of an upgrade writes into the tree that is to be the active one. */
static int writes(void *context, struct ja_error *err)
{
    (void)context, (void)err;
    sim_put(&lab_sim, "file", "path %s/pool/jails/j/root/new/written", lab_state);
    return 0;
}

static int do_writing_upgrade(struct ja_engine *engine, struct ja_error *err)
{
    bool ran;
    struct ja_upgrade_request request = {.be = "new", .timeout_ms = 1, .command = writes};
    return ja_engine_upgrade(engine, "j", &request, &ran, err);
}

static void upgraded(void **unused)
{
    (void)unused;
    if (lab_system->os != JA_OS_LINUX)
        skip(); /* ZFS has written when its command ends */
    lab_do(do_create);
    do_and_lose(do_writing_upgrade, true);
    lab_do(ja_engine_pool_ensure);
    lab_do(ja_engine_gc);
    assert_non_null(sim_get(&lab_sim, "path %s/pool/jails/j/root/new/written", lab_state));
    lab_do(do_delete);
}

int main(int argc, char **argv)
{
    lab_choose(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restored),
        cmocka_unit_test(adopted),
        cmocka_unit_test(upgraded),
    };
    return cmocka_run_group_tests(tests, whole_set_up, lab_tear_down);
}
