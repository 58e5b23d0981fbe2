/*
 * test_cutoff.c: init and teardown that fail or are killed (-9) at any step leave nothing: a failed init undoes itself, what a
 * killed one has left goes with the next teardown or init, and a teardown that was cut off is finished by the next one.
 * test_cutoff PROGRAM [STORAGE]. A sample of the cases unless $JAILADMIN_TEST_LONG; $JAILADMIN_TEST_SEED repeats one.
 */
#include <setjmp.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/engine.h"
#include "run/spawn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum mode { FAIL_BEFORE, FAIL_AFTER, KILL_BEFORE, KILL_AFTER, MODES };
static const char *const mode_names[] = {"fails before", "fails after", "is killed before", "is killed after"};

static char dir[128], state[160], network[32]; /* a range for each run: several may go on */
static const char *self, *storage = "file:256M";
static char tag[3] = "@@";

struct injection {
    const char *verb;
    size_t step;
    enum mode mode;
    bool hit;
};

static int probe(void *context, const struct ja_plan *plan, size_t step, bool after)
{
    struct injection *injection = context;
    bool wanted_after = injection->mode == FAIL_AFTER || injection->mode == KILL_AFTER;
    if (injection->hit || step != injection->step || after != wanted_after || strcmp(plan->verb, injection->verb) != 0)
        return 0;
    injection->hit = true;
    if (injection->mode == KILL_BEFORE || injection->mode == KILL_AFTER)
        raise(SIGKILL);
    return -1;
}

static struct ja_engine_options options_with(struct injection *injection)
{
    return (struct ja_engine_options){.state = state,
                                      .self = self,
                                      .os = -1,
                                      .incomplete = true,
                                      .probe = injection ? probe : NULL,
                                      .context = injection};
}

static int init(struct injection *injection, struct ja_error *err)
{
    struct ja_engine_options options = options_with(injection);
    struct ja_init_request request = {.storage = storage, .network = network, .slots = 16};
    return ja_engine_init(&options, &request, err);
}

/* As the command does it. Without an instance there is nothing to do. */
static int teardown(struct injection *injection, struct ja_error *err)
{
    struct ja_engine_options options = options_with(injection);
    struct ja_engine *engine = NULL;
    int rc = ja_engine_open(&options, &engine, err);
    if (rc == JA_E_NOTFOUND)
        return 0;
    if (rc == 0)
        rc = ja_engine_recover(engine, true, err);
    if (rc == 0)
        rc = ja_engine_teardown(engine, false, 1, err);
    ja_engine_close(engine);
    return rc;
}

static void must(const char *what, int rc, const struct ja_error *err)
{
    if (rc < 0)
        fail_msg("%s: %s: %s (%s) %s", what, err->object, err->what, err->command, err->output);
}

/* Runs the verb with the injection in a process of its own. True when the injection was met. */
static bool run_injected(int (*verb)(struct injection *injection, struct ja_error *err), struct injection injection)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct ja_error err = JA_ERROR_INIT;
        verb(&injection, &err);
        _exit(injection.hit ? 1 : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) || WEXITSTATUS(status) == 1;
}

/* What of the instance is on the host, one thing a line. The caller's. */
static char *left(void)
{
    const char *where = strchr(storage, ':') + 1;
    bool zfs = strncmp(storage, "zfs:", 4) == 0, given = strncmp(storage, "btrfs:", 6) == 0;
    /* By now the tag may be somebody else's. */
    ja_autofree char *script = ja_printf(
        "t=%s; d=%s; r=/var/db/jailadmin.instances/$t.json; grep -l -F $d $r; ls -A $d; losetup -a | grep -F $d; "
        "grep -F $d /proc/self/mountinfo; ls %s; zfs list -H -o name %s; "
        "if [ ! -e $r ] || grep -q -F $d $r; then ls -d /run/jailadmin-$t; grep jailadmin-$t /proc/self/mountinfo; "
        "ls /sys/class/net | grep ^ja$t; nft list tables | grep ja$t; pgrep -af '[j]ailadmin-'$t/; "
        "ls -d /sys/fs/cgroup/jailadmin-$t /sys/fs/cgroup/*/jailadmin-$t; fi; true",
        tag, dir, given ? where : "/nosuch", zfs ? where : "-h");
    ja_autofree char *quiet = ja_printf("(%s) 2>/dev/null", script);
    char *const argv[] = {(char *)"/bin/sh", (char *)"-c", quiet, NULL};
    struct ja_spawn spawn = {.argv = argv, .timeout_ms = 20000};
    struct ja_spawn_result result;
    assert_int_equal(ja_spawn_run(&spawn, &result, NULL), 0);
    return ja_str_take(&result.output);
}

/* The tag that the next instance gets: this test's, unless somebody else comes in between. */
static void note_tag(void)
{
    struct ja_engine_options options = options_with(NULL);
    struct ja_engine *engine = NULL;
    if (ja_engine_open(&options, &engine, NULL) == 0)
        memcpy(tag, engine->site.tag, sizeof tag);
    ja_engine_close(engine);
}

static bool chosen(size_t step)
{
    return getenv("JAILADMIN_TEST_LONG") || step == 0 || rand() % 6 == 0;
}

static void nothing_left(const char *verb, enum mode mode, size_t step)
{
    char *text = left();
    /* A start of somebody else's jail may have a copy of the mount, and so keep the loop device, for a moment. */
    for (int tries = 0; *text && tries < 20; tries++) {
        ja_free(text);
        usleep(200000);
        text = left();
    }
    if (*text)
        fail_msg("%s, which %s step %zu, left\n%s", verb, mode_names[mode], step, text);
    ja_free(text);
}

static void an_init_is_all_or_nothing(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    size_t cases = 0, missed = 0;
    for (size_t step = 0; missed < 2 * MODES && step < 60; step++) {
        for (enum mode mode = 0; mode < MODES; mode++) {
            struct injection injection = {.verb = "init", .step = step, .mode = mode};
            if (!chosen(step))
                continue;
            bool met = run_injected(init, injection);
            missed = met ? 0 : missed + 1;
            cases += met;
            note_tag();
            /* A failure is undone at once; what a kill has left is taken away by teardown, or by an init that begins anew. */
            if (met && (mode == FAIL_BEFORE || mode == FAIL_AFTER) && access(state, F_OK) != 0) {
                nothing_left("init", mode, step);
                continue;
            }
            if (met && mode == KILL_AFTER && access(state, F_OK) == 0 && step % 2) {
                int rc = init(NULL, &err);
                if (rc != JA_E_EXISTS) /* it had come to its end */
                    must("init after a cut-off one", rc, &err);
                note_tag();
            }
            must("teardown", teardown(NULL, &err), &err);
            nothing_left("init", mode, step);
        }
    }
    print_message("init: %zu cases\n", cases);
    assert_true(cases > 8);
}

static void a_teardown_is_finished_by_the_next(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    size_t cases = 0, missed = 0;
    for (size_t step = 0; missed < 2 * MODES && step < 60; step++) {
        for (enum mode mode = 0; mode < MODES; mode++) {
            struct injection injection = {.verb = "teardown", .step = step, .mode = mode};
            if (!chosen(step))
                continue;
            must("init", init(NULL, &err), &err);
            note_tag();
            bool met = run_injected(teardown, injection);
            missed = met ? 0 : missed + 1;
            cases += met;
            must("the next teardown", teardown(NULL, &err), &err);
            nothing_left("teardown", mode, step);
        }
    }
    print_message("teardown: %zu cases\n", cases);
    assert_true(cases > 8);
}

static int set_up(void **unused)
{
    (void)unused;
    snprintf(dir, sizeof dir, "/var/tmp/jailadmin-cutoff.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(state, sizeof state, "%s/state", dir);
    snprintf(network, sizeof network, "10.237.%d.1/24", (int)getpid() % 250);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    teardown(NULL, &err);
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
    if (argc > 2)
        storage = argv[2];
    const char *given = getenv("JAILADMIN_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("seed %u, %s\n", seed, storage);
    srand(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_init_is_all_or_nothing),
        cmocka_unit_test(a_teardown_is_finished_by_the_next),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
