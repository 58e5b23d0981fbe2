/*
 * test_copies.c: a plan whose journal the power took is undone, or was done, by its copy in the pool; on a real btrfs. A restored store
 * leaves alone what it does not know. The power itself is cut in test_powercut.
 */
#include <setjmp.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/internal.h"
#include "run/copies.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[128], state[160], pool[192], network[32];
static const char *self;

/* What becomes of the journal's file. */
enum loss { GONE, EMPTY, TORN, WHOLE, LOSSES };
static const char *const loss_names[] = {"gone", "empty", "torn", "whole"};

struct cut {
    const char *verb;
    size_t step;
    bool start;
};

static int probe(void *context, const struct ja_plan *plan, size_t step, bool after)
{
    struct cut *cut = context;
    if (step == cut->step && after && strcmp(plan->verb, cut->verb) == 0)
        raise(SIGKILL);
    return 0;
}

static void must(const char *what, int rc, const struct ja_error *err)
{
    if (rc < 0)
        fail_msg("%s: %s: %s (%s) %s", what, err->object, err->what, err->command, err->output);
}

static struct ja_engine *open_engine(struct cut *cut)
{
    struct ja_engine_options options = {
        .state = state, .self = self, .os = -1, .probe = cut ? probe : NULL, .context = cut};
    struct ja_engine *engine = NULL;
    struct ja_error err = JA_ERROR_INIT;
    must("open", ja_engine_open(&options, &engine, &err), &err);
    return engine;
}

static int create(struct ja_engine *engine, bool start, struct ja_error *err)
{
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    jail->name = ja_strdup("j");
    jail->template = ja_strdup("base");
    int rc = ja_engine_create(engine, jail, start, err);
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}

/* True when it came to that step. */
static bool cut_off(struct cut cut)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct ja_error err = JA_ERROR_INIT;
        struct ja_engine *engine = open_engine(&cut);
        if (strcmp(cut.verb, "delete") == 0)
            ja_engine_delete(engine, "j", false, &err);
        else
            create(engine, cut.start, &err);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status);
}

/* How many files of the journal end like that; does to each what a power cut may. */
static int each_journal(const char *suffix, enum loss loss)
{
    char path[256];
    snprintf(path, sizeof path, "%s/journal", state);
    DIR *handle = opendir(path);
    int count = 0;
    assert_non_null(handle);
    for (struct dirent *entry; (entry = readdir(handle)) != NULL;) {
        size_t length = strlen(entry->d_name), end = strlen(suffix);
        if (length < end || strcmp(entry->d_name + length - end, suffix) != 0)
            continue;
        count++;
        if (loss == GONE)
            assert_int_equal(unlinkat(dirfd(handle), entry->d_name, 0), 0);
        int fd = loss == EMPTY || loss == TORN ? openat(dirfd(handle), entry->d_name, O_WRONLY) : -1;
        if (fd >= 0) {
            assert_int_equal(ftruncate(fd, loss == EMPTY ? 0 : 300), 0);
            close(fd);
        }
    }
    closedir(handle);
    return count;
}

static size_t copies(void)
{
    struct ja_strv ids = {0};
    struct ja_error err = JA_ERROR_INIT;
    must("list the copies", ja_copies_list(pool, &ids, &err), &err);
    size_t count = ids.count;
    ja_strv_fini(&ids);
    return count;
}

static bool tree_is_there(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/jails/j", pool);
    return access(path, F_OK) == 0;
}

/* As every command that changes something does it. */
static struct ja_engine *recovered(void)
{
    struct ja_engine *engine = open_engine(NULL);
    struct ja_error err = JA_ERROR_INIT;
    must("recover", ja_engine_recover(engine, false, &err), &err);
    must("mount the pool", ja_engine_pool_ensure(engine, &err), &err);
    return engine;
}

static bool is_known(struct ja_engine *engine)
{
    struct ja_error err = JA_ERROR_INIT;
    void *object = NULL;
    int rc = ja_engine_get(engine, &ja_noun_jail, "j", &object, NULL, &err);
    ja_object_free(&ja_noun_jail, object);
    if (rc != JA_E_NOTFOUND)
        must("look for the jail", rc, &err);
    return rc == 0;
}

/* What a deletion has moved out of the way. */
static bool waits_to_go(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/deleted", pool);
    DIR *handle = opendir(path);
    bool any = false;
    assert_non_null(handle);
    for (struct dirent *entry; (entry = readdir(handle)) != NULL;)
        any = any || entry->d_name[0] != '.';
    closedir(handle);
    return any;
}

static void nothing_is_left(struct ja_engine *engine, size_t step, enum loss loss)
{
    if (tree_is_there() || copies() || each_journal(".plan", WHOLE) || is_known(engine) || waits_to_go())
        fail_msg("a verb, cut off after step %zu, its journal %s, has left something", step, loss_names[loss]);
}

static void what_was_cut_off_is_undone(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    size_t cases = 0;
    for (size_t step = 0; step < 5; step++)
        for (enum loss loss = 0; loss < LOSSES; loss++)
            for (int way = 0; way < 4; way++) {
                bool start = way & 1, unmount = way & 2;
                if (!cut_off((struct cut){.verb = "create", .step = step, .start = start}))
                    continue;
                cases++;
                /* The last one is the commit, if it is not started. */
                bool committed = step == 4 && !start;
                assert_int_equal(copies(), 1);
                assert_int_equal(each_journal(".plan", loss), 1);
                assert_int_equal(unmount ? umount(pool) : 0, 0);
                struct ja_engine *engine = recovered();
                if (committed) {
                    assert_true(tree_is_there());
                    assert_int_equal(copies(), 0);
                    must("delete", ja_engine_delete(engine, "j", false, &err), &err);
                }
                nothing_is_left(engine, step, loss);
                ja_engine_close(engine);
            }
    print_message("%zu cases\n", cases);
    assert_true(cases > 50);
}

static void a_deletion_is_undone_or_finished(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    size_t undone = 0, finished = 0;
    for (size_t step = 0; step < 4; step++)
        for (enum loss loss = 0; loss < LOSSES; loss++)
            for (int unmount = 0; unmount < 2; unmount++) {
                struct ja_engine *engine = recovered();
                if (!is_known(engine))
                    must("create", create(engine, false, &err), &err);
                ja_engine_close(engine);
                if (!cut_off((struct cut){.verb = "delete", .step = step}))
                    continue;
                assert_int_equal(copies(), 1);
                assert_int_equal(each_journal(".plan", loss), 1);
                assert_int_equal(unmount ? umount(pool) : 0, 0);
                engine = recovered();
                if (is_known(engine)) {
                    assert_true(tree_is_there() && !waits_to_go() && copies() == 0);
                    undone++;
                } else {
                    nothing_is_left(engine, step, loss);
                    finished++;
                }
                ja_engine_close(engine);
            }
    struct ja_engine *engine = recovered();
    if (is_known(engine))
        must("delete", ja_engine_delete(engine, "j", false, &err), &err);
    ja_engine_close(engine);
    print_message("%zu undone, %zu finished\n", undone, finished);
    assert_true(undone >= 2 * LOSSES && finished >= 2 * LOSSES);
}

/* The store knows that the deletion has come to its end, but of that the pool's disk has nothing. */
static void what_ended_is_repeated(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    struct ja_strv ids = {0};
    char tree[256], id[JA_UUID_TEXT], *copy = NULL;
    size_t length;
    void *object = NULL;
    struct ja_engine *engine = recovered();
    must("create", create(engine, false, &err), &err);
    must("look", ja_engine_get(engine, &ja_noun_jail, "j", &object, NULL, &err), &err);
    snprintf(tree, sizeof tree, "%s/deleted/%s", pool, ((struct ja_jail *)object)->uuid);
    ja_object_free(&ja_noun_jail, object);
    ja_engine_close(engine);
    assert_true(cut_off((struct cut){.verb = "delete", .step = 2}));
    must("list", ja_copies_list(pool, &ids, &err), &err);
    assert_int_equal(ids.count, 1);
    snprintf(id, sizeof id, "%s", ids.items[0]);
    ja_strv_fini(&ids);
    assert_int_equal(ja_copy_get(pool, id, &copy, &length, &err), 1);
    ja_engine_close(recovered());
    assert_false(waits_to_go());
    assert_int_equal(mkdir(tree, 0700), 0);
    assert_true(ja_copy_put(pool, id, copy, length));
    free(copy);
    engine = recovered();
    nothing_is_left(engine, 2, GONE);
    ja_engine_close(engine);
}

/* The pool is mounted only by the command that needs it. */
static void the_same_name_can_be_made_at_once(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    assert_true(cut_off((struct cut){.verb = "create", .step = 3}));
    each_journal(".plan", GONE);
    assert_int_equal(umount(pool), 0);
    struct ja_engine *engine = open_engine(NULL);
    must("recover", ja_engine_recover(engine, false, &err), &err);
    must("create", create(engine, false, &err), &err);
    assert_int_equal(copies(), 0);
    must("delete", ja_engine_delete(engine, "j", false, &err), &err);
    nothing_is_left(engine, 3, GONE);
    ja_engine_close(engine);
}

/* What is in the pool may be all that is left of a jail that the restored store does not know. Here it goes with the instance. */
static void a_restored_store_leaves_it_alone(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    struct ja_strv lost = {0};
    char backup[192];
    snprintf(backup, sizeof backup, "%s/backup", dir);
    struct ja_engine *engine = open_engine(NULL);
    must("backup", ja_engine_backup(engine, backup, &err), &err);
    ja_engine_close(engine);
    assert_true(cut_off((struct cut){.verb = "create", .step = 3}));
    each_journal(".plan", GONE);
    assert_int_equal(umount(pool), 0);
    struct ja_engine_options options = {.state = state, .self = self, .os = -1};
    must("restore", ja_engine_restore(&options, backup, true, &lost, &err), &err);
    ja_strv_fini(&lost);
    ja_engine_close(recovered());
    assert_int_equal(copies(), 0);
    assert_int_equal(each_journal(".old", GONE), 1);
    assert_true(tree_is_there());
    assert_int_equal(unlink(backup), 0);
}

/* What the pool is mounted on is a directory of a btrfs too, where the state is on one. */
static void a_pool_that_is_not_mounted_is_told_apart(void **unused)
{
    (void)unused;
    char other[192];
    snprintf(other, sizeof other, "%s/jails", pool);
    assert_true(ja_copies_possible(pool));
    assert_false(ja_copies_possible(other));
}

static int set_up(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    snprintf(dir, sizeof dir, "/var/tmp/jailadmin-copies.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(state, sizeof state, "%s/state", dir);
    snprintf(pool, sizeof pool, "%s/pool", state);
    snprintf(network, sizeof network, "10.236.%d.1/24", (int)getpid() % 250);
    struct ja_init_request request = {.storage = "file:256M", .network = network, .slots = 16};
    struct ja_engine_options options = {.state = state, .self = self, .os = -1};
    must("init", ja_engine_init(&options, &request, &err), &err);
    struct ja_template *template = ja_object_new(&ja_noun_template);
    template->name = ja_strdup("base");
    template->source = ja_strdup("busybox");
    struct ja_engine *engine = open_engine(NULL);
    must("template create", ja_engine_template_create(engine, template, &err), &err);
    ja_engine_close(engine);
    ja_object_free(&ja_noun_template, template);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    struct ja_engine *engine = open_engine(NULL);
    must("teardown", ja_engine_teardown(engine, true, 1, &err), &err);
    ja_engine_close(engine);
    assert_int_not_equal(access(state, F_OK), 0);
    assert_int_equal(rmdir(dir), 0);
    return 0;
}

int main(int argc, char **argv)
{
    if (geteuid() != 0) {
        printf("skipped: needs root\n");
        return 77;
    }
    static char program[PATH_MAX];
    self = realpath(argc > 1 ? argv[1] : "/usr/bin/jailadmin", program);
    if (!self)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_that_is_not_mounted_is_told_apart), cmocka_unit_test(what_was_cut_off_is_undone),
        cmocka_unit_test(a_deletion_is_undone_or_finished),         cmocka_unit_test(what_ended_is_repeated),
        cmocka_unit_test(the_same_name_can_be_made_at_once),        cmocka_unit_test(a_restored_store_leaves_it_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
