/*
 * test_instance.c: whole instances on a simulated host: init, teardown and adoption fail, are torn, killed and cut at every step.
 * A cut-off init is begun anew by the next, a cut-off teardown is finished by the next; then the host is as it was found. An
 * adoption that was cut off is made again, and all is there.
 */
#include "simwhole.h"

#include "run/registry.h"

#include <fcntl.h>

enum mode { FAIL_BEFORE, FAIL_AFTER, TEAR, KILL_BEFORE, KILL_AFTER, CUT_AFTER, MODES };
static const char *const mode_names[] = {"which fails before", "which fails after", "which does half of",
                                         "killed before",      "killed after",      "with a power cut after"};

struct injection {
    const char *verb, *kind; /* of which plan; kind NULL: any */
    size_t step;
    enum mode mode;
    bool hit;
};

static int probe(void *context, const struct ja_plan *plan, size_t step, bool after)
{
    struct injection *injection = context;
    enum mode mode = injection->mode;
    bool wanted_after = mode == FAIL_AFTER || mode == KILL_AFTER || mode == CUT_AFTER;
    if (injection->hit || step != injection->step || strcmp(plan->verb, injection->verb) != 0 ||
        (injection->kind && strcmp(plan->kind, injection->kind) != 0))
        return 0;
    if (mode != TEAR && after != wanted_after)
        return 0;
    injection->hit = true;
    if (mode == TEAR) {
        lab_sim.tear = (long)step;
        lab_sim.torn = false;
        return 0;
    }
    if (mode >= KILL_BEFORE)
        lab_die();
    return -1;
}

/* ---- what is done to an instance ---- */

typedef int whole_verb(struct injection *injection, struct ja_error *err);

static struct ja_engine_options injected(struct injection *injection)
{
    struct ja_engine_options options = whole_options();
    options.probe = injection ? probe : NULL;
    options.context = injection;
    return options;
}

static int do_init(struct injection *injection, struct ja_error *err)
{
    struct ja_engine_options options = injected(injection);
    return whole_init(&options, err);
}

static int do_teardown(struct injection *injection, struct ja_error *err)
{
    struct ja_engine_options options = injected(injection);
    return whole_teardown(&options, err);
}

static int do_adopt(struct injection *injection, struct ja_error *err)
{
    struct ja_engine_options options = injected(injection);
    return whole_adopt(&options, err);
}

struct apart {
    whole_verb *verb;
    struct injection *injection;
};

static int inject(void *context)
{
    const struct apart *apart = context;
    struct ja_error err = JA_ERROR_INIT;
    apart->verb(apart->injection, &err);
    return apart->injection->hit;
}

/* True when the injection was met. */
static bool run_injected(whole_verb *verb, struct injection *injection)
{
    int status = lab_apart(inject, &(struct apart){verb, injection});
    if (injection->mode == CUT_AFTER)
        ja_sim_reboot(&lab_sim);
    return WIFSIGNALED(status) || WEXITSTATUS(status) == 1;
}

static void must(whole_verb *verb)
{
    struct ja_error err = JA_ERROR_INIT;
    lab_must(verb(NULL, &err), &err);
    lab_check();
}

/* Each step once, and what else $JAILADMIN_TEST_SHARE leaves: of six or fewer all, with more, for a slow build, less. */
static bool is_left_out(enum mode mode, enum mode chosen)
{
    return mode != chosen && lab_left_out(lab_share(6) / 6);
}

/* ---- is it as it was? ---- */

static void check_gone(const char *found, const struct injection *injection)
{
    char *now = bare_host();
    if (strcmp(now, found) != 0 || access(lab_state, F_OK) == 0)
        fail_msg("%s, %s step %zu, and a teardown left\n%s\ninstead of\n%s", injection->verb,
                 mode_names[injection->mode], injection->step, now, found);
    free(now);
    assert_int_equal(ja_dir_make(lab_state, 0700, NULL), 0);
    assert_int_equal(rmdir(lab_state), 0);
}

static void init_begins_anew(void **unused)
{
    (void)unused;
    char *found = bare_host();
    size_t cases = 0;
    for (size_t step = 0, met = 1; met; step++) {
        enum mode chosen = (enum mode)(rand() % MODES);
        met = 0;
        for (enum mode mode = 0; mode < MODES; mode++) {
            if (is_left_out(mode, chosen))
                continue;
            struct injection injection = {.verb = "init", .step = step, .mode = mode};
            bool hit = run_injected(do_init, &injection);
            met = met || hit;
            cases += hit;
            /* It may have committed: then it is complete. */
            struct ja_error err = JA_ERROR_INIT;
            int rc = do_init(NULL, &err);
            if (rc != JA_E_EXISTS)
                lab_must(rc, &err);
            must(do_teardown);
            check_gone(found, &injection);
        }
    }
    print_message("init: %zu cases\n", cases);
    free(found);
}

static void teardown_is_finished(void **unused)
{
    (void)unused;
    char *found = bare_host();
    size_t cases = 0;
    for (size_t step = 0, met = 1; met; step++) {
        enum mode chosen = (enum mode)(rand() % MODES);
        met = 0;
        for (enum mode mode = 0; mode < MODES; mode++) {
            if (is_left_out(mode, chosen))
                continue;
            struct injection injection = {.verb = "teardown", .step = step, .mode = mode};
            must(do_init);
            bool hit = run_injected(do_teardown, &injection);
            met = met || hit;
            cases += hit;
            if (access(lab_state, F_OK) == 0)
                must(do_teardown);
            check_gone(found, &injection);
        }
    }
    print_message("teardown: %zu cases\n", cases);
    free(found);
}

/* ---- the state directory ---- */

static long removals, dies_at = -1;

/* These take the place of the C library's, and end the process at one of them. */
static void maybe_die(void)
{
    if (dies_at >= 0 && removals++ == dies_at)
        lab_die();
}

int unlink(const char *path)
{
    maybe_die();
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    maybe_die();
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

static int do_dying_teardown(struct injection *injection, struct ja_error *err)
{
    dies_at = (long)injection->step;
    return do_teardown(NULL, err);
}

static bool dies_in_teardown(long at)
{
    struct injection injection = {.step = (size_t)at};
    return run_injected(do_dying_teardown, &injection);
}

/* A teardown that is killed while it removes the state directory is finished by the next, or needs none; and when its number has been
 * given to another instance meanwhile, that one is left alone. */
static void nothing_stays_of_a_state_directory(void **unused)
{
    (void)unused;
    char *found = bare_host(), other[128];
    long at = 0;
    unsigned given = 0;
    struct ja_instance instance;
    struct injection injection = {.verb = "removal"};
    snprintf(other, sizeof other, "%s/other", lab_dir);
    must(do_init);
    for (; dies_in_teardown(at); at++) {
        char store[160];
        snprintf(store, sizeof store, "%s/store.db", lab_state);
        bool taken = ja_registry_get("00", &instance, NULL) == JA_E_NOTFOUND && access(store, F_OK) == 0;
        if (taken) {
            assert_int_equal(ja_registry_add(other, 4096, &instance, NULL), 0);
            assert_string_equal(instance.tag, "00");
            sim_make(&lab_sim, instance.state, "dir");
            given++;
        }
        if (access(store, F_OK) == 0)
            must(do_teardown);
        if (taken) {
            assert_int_equal(ja_registry_get("00", &instance, NULL), 0);
            assert_string_equal(instance.state, other);
            assert_int_equal(ja_registry_remove("00", NULL), 0);
            sim_drop(&lab_sim, "path %s", other);
        }
        injection.step = (size_t)at;
        if (access(lab_state, F_OK) == 0) /* empty, or with what the store left */
            must(do_init), must(do_teardown);
        check_gone(found, &injection);
        must(do_init);
    }
    assert_true(given > 0);
    print_message("removal: %ld cases\n", at);
    check_gone(found, &injection);
    free(found);
}

/* One that was killed between its registration and its store. */
static void an_init_takes_its_registration(void **unused)
{
    (void)unused;
    char *found = bare_host();
    struct ja_instance registered, instance;
    struct injection injection = {.verb = "init"};
    assert_int_equal(ja_registry_add(lab_state, 4096, &registered, NULL), 0);
    must(do_init);
    assert_int_equal(ja_registry_get(registered.tag, &instance, NULL), 0);
    assert_string_equal(instance.uuid, registered.uuid);
    must(do_teardown);
    check_gone(found, &injection);
    free(found);
}

/* ---- adoption ---- */

static void adoption_is_made_again(void **unused)
{
    static const char *const verbs[] = {"init", "adopt", "adopt", "adopt", "adopt"};
    static const char *const kinds[] = {"host", "host", "network", "template", "jail"};
    (void)unused;
    must(do_init);
    lab_do(do_base);
    lab_do(do_network);
    lab_do(do_create);
    lab_do(do_start);
    lab_do(do_lan_rules);
    lose_store();
    must(do_adopt);
    char *wanted = lab_snapshot(&lab_sim);
    size_t cases = 0;
    for (size_t v = 0; v < JA_COUNT(verbs); v++) {
        for (size_t step = 0, met = 1; met; step++) {
            enum mode chosen = (enum mode)(rand() % CUT_AFTER);
            met = 0;
            /* After a power cut nothing runs any more: that is test_sim's. */
            for (enum mode mode = 0; mode < CUT_AFTER; mode++) {
                if (is_left_out(mode, chosen))
                    continue;
                struct injection injection = {.verb = verbs[v], .kind = kinds[v], .step = step, .mode = mode};
                lose_store();
                bool hit = run_injected(do_adopt, &injection);
                met = met || hit;
                cases += hit;
                must(do_adopt);
                char *now = lab_snapshot(&lab_sim);
                if (strcmp(now, wanted) != 0) {
                    printf("%s----\n%s", now, wanted);
                    fail_msg("adopt, %s step %zu of %s, and again, left what is above", mode_names[mode], step,
                             verbs[v]);
                }
                free(now);
            }
        }
    }
    print_message("adopt: %zu cases\n", cases);
    free(wanted);
    lab_do(do_kill);
    must(do_teardown);
}

int main(int argc, char **argv)
{
    lab_choose(argc, argv);
    lab_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_begins_anew),
        cmocka_unit_test(teardown_is_finished),
        cmocka_unit_test(nothing_stays_of_a_state_directory),
        cmocka_unit_test(an_init_takes_its_registration),
        cmocka_unit_test(adoption_is_made_again),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
