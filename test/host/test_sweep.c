/*
 * test_sweep.c: for every verb and every step k, step k fails, or the process is killed (-9) before or after it. Then the host
 * is as it began, or as it was wanted; never between. On this machine's kernel, with an instance of its own. Without
 * $JAILADMIN_TEST_LONG a sample of the cases is run, from a printed seed ($JAILADMIN_TEST_SEED repeats one).
 */
#include <setjmp.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "engine/engine.h"
#include "run/spawn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[128], state[160];
static const char *self, *storage = "file:512M";

/* Slower by its processes: a smaller sample. */
static bool on_zfs(void)
{
    return strncmp(storage, "zfs:", 4) == 0;
}

enum mode { FAIL_BEFORE, FAIL_AFTER, KILL_BEFORE, KILL_AFTER, MODES };
static const char *const mode_names[] = {"fails before", "fails after", "is killed before", "is killed after"};

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

/* What a recovery could not do is no error of it. */
static void tell(void *context, const struct ja_event *event)
{
    (void)context;
    if (event->kind == JA_EVENT_WARNING && event->err)
        fprintf(stderr, "warning: %s: %s (%s) %s\n", event->err->object, event->err->what, event->err->command,
                event->err->output);
}

static struct ja_engine *open_engine(struct injection *injection)
{
    struct ja_engine_options options = {.state = state, .self = self, .os = -1, .event = tell, .context = injection};
    struct ja_engine *engine = NULL;
    struct ja_error err = JA_ERROR_INIT;
    if (injection)
        options.probe = probe;
    if (ja_engine_open(&options, &engine, &err) < 0)
        fail_msg("%s: %s", err.object, err.what);
    return engine;
}

static void must(int rc, const struct ja_error *err)
{
    if (rc < 0)
        fail_msg("%s: %s (%s) %s", err->object, err->what, err->command, err->output);
}

/* ---- the verbs ---- */

static int create(struct ja_engine *engine, bool start, struct ja_error *err)
{
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    jail->name = ja_strdup("j");
    jail->template = ja_strdup("base");
    int rc = ja_engine_create(engine, jail, start, err);
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}

static int do_create(struct ja_engine *engine, struct ja_error *err)
{
    return create(engine, false, err);
}

static int do_create_started(struct ja_engine *engine, struct ja_error *err)
{
    return create(engine, true, err);
}

static int do_clone(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_clone(engine, "j", "k", NULL, NULL, err);
}

static int do_delete_clone(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_delete(engine, "k", false, err);
}

static int do_start(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_start(engine, "j", NULL, err);
}

static int do_stop(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_stop(engine, "j", JA_STOP_FORCE, NULL, err);
}

static int do_delete_started(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_stop(engine, err);
    return rc < 0 ? rc : ja_engine_delete(engine, "j", false, err);
}

static int do_set(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv assignments = {0};
    ja_strv_add_all(&assignments, "limits.memory=64M", "limits.processes=40", "limits.files=512", "labels.team=a",
                    "nics.eth0.address=10.233.0.77", "volumes.data.target=/data", NULL);
    return ja_engine_set(engine, "j", &assignments, false, NULL, err);
}

static int do_unset(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv assignments = {0};
    ja_strv_add_all(&assignments, "limits.memory=", "limits.processes=", "limits.files=", "labels.team=",
                    "nics.eth0.address=10.233.0.2", "volumes.data=", NULL);
    return ja_engine_set(engine, "j", &assignments, true, NULL, err);
}

/* What a running jail takes at once. */
static int do_limit(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv assignments = {0};
    ja_strv_add_all(&assignments, "limits.memory=64M", "limits.processes=40", "labels.team=a", NULL);
    return ja_engine_set(engine, "j", &assignments, false, NULL, err);
}

static int do_unlimit(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv assignments = {0};
    ja_strv_add_all(&assignments, "limits.memory=", "limits.processes=", "labels.team=", NULL);
    return ja_engine_set(engine, "j", &assignments, false, NULL, err);
}

static int do_rename(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_rename(engine, "j", "k", err);
}

static int do_rename_back(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_rename(engine, "k", "j", err);
}

static int do_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_delete(engine, "j", false, err);
}

static void ignore_report(void *context, const char *kind, const char *name, int rc, const struct ja_error *err)
{
    (void)context, (void)kind, (void)name, (void)rc, (void)err;
}

static int do_adopt(struct ja_engine *engine, struct ja_error *err)
{
    int failed = ja_engine_adopt(engine, NULL, ignore_report, NULL, err);
    return failed > 0 ? ja_error_set(err, JA_E_FAILED, NULL, "%d were not adopted", failed) : failed;
}

/* The row is lost, and what it reserved. */
static int do_lose(struct ja_engine *engine, struct ja_error *err)
{
    return ja_store_delete(engine->store, "jail", "j", err);
}

static int do_volume(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv list = {0};
    return ja_strv_add(&list, "volumes.data.target=/data") < 0 ? ja_error_nomem(err)
                                                               : ja_engine_set(engine, "j", &list, false, NULL, err);
}

static int do_snapshot(struct ja_engine *engine, struct ja_error *err)
{
    char name[JA_SNAPSHOT_NAME];
    return ja_engine_snapshot_create(engine, "j", "s", NULL, name, err);
}

static int do_unsnapshot(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    return ja_strv_add(&names, "s") < 0 ? ja_error_nomem(err) : ja_engine_snapshot_delete(engine, "j", &names, err);
}

/* A file in the tree and one in the volume, and a later snapshot. */
static int do_go_on(struct ja_engine *engine, struct ja_error *err)
{
    static const char *const trees[] = {"root/default", "vol/data"};
    char name[JA_SNAPSHOT_NAME];
    for (size_t i = 0; i < JA_COUNT(trees); i++) {
        ja_autofree char *path = ja_printf("%s/jails/j/%s/changed", engine->site.pool, trees[i]);
        int rc = path ? ja_file_write(path, "x", 1, 0644, false, err) : ja_error_nomem(err);
        if (rc < 0)
            return rc;
    }
    int rc = ja_engine_snapshot_create(engine, "j", "later", NULL, name, err);
    return rc == JA_E_EXISTS ? 0 : rc;
}

static int do_rollback(struct ja_engine *engine, struct ja_error *err)
{
    static const struct ja_strv none;
    const struct ja_rollback_request request = {.snapshot = "s", .volumes = &none, .all_volumes = true};
    return ja_engine_rollback(engine, "j", &request, NULL, err);
}

static int do_network(struct ja_engine *engine, struct ja_error *err)
{
    struct ja_network *network = ja_object_new(&ja_noun_network);
    network->name = ja_strdup("lan");
    ja_strv_add(&network->addresses, "10.234.0.1/24");
    int rc = ja_engine_network_create(engine, network, err);
    ja_object_free(&ja_noun_network, network);
    return rc;
}

static int set_network(struct ja_engine *engine, const char *a, const char *b, const char *c, struct ja_error *err)
{
    ja_autostrv struct ja_strv list = {0};
    if (ja_strv_add_all(&list, a, b, c, NULL) < 0)
        return ja_error_nomem(err);
    return ja_engine_network_set(engine, "lan", &list, err);
}

static int do_network_set(struct ja_engine *engine, struct ja_error *err)
{
    return set_network(engine, "isolate=yes", "nat=none", "domain=example.org", err);
}

static int do_network_unset(struct ja_engine *engine, struct ja_error *err)
{
    return set_network(engine, "isolate=", "nat=", "domain=", err);
}

static int do_network_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_network_delete(engine, "lan", err);
}

static int do_template(struct ja_engine *engine, struct ja_error *err)
{
    struct ja_template *template = ja_object_new(&ja_noun_template);
    template->name = ja_strdup("t");
    template->source = ja_strdup("busybox");
    int rc = ja_engine_template_create(engine, template, err);
    ja_object_free(&ja_noun_template, template);
    return rc;
}

/* With something done in it: the steps of the temporary jail come in between. */
static int do_build(struct ja_engine *engine, struct ja_error *err)
{
    const struct ja_build_command commands[] = {{.text = "echo built >/etc/built"},
                                                {.text = "ping -c 1 -W 2 10.233.0.1 >/dev/null", .script = "check"}};
    struct ja_template *template = ja_object_new(&ja_noun_template);
    template->name = ja_strdup("t");
    template->source = ja_strdup("busybox");
    const struct ja_template_request request = {
        .spec = template, .commands = commands, .command_count = JA_COUNT(commands)};
    int rc = ja_engine_template_build(engine, &request, NULL, err);
    ja_object_free(&ja_noun_template, template);
    return rc;
}

static int do_version_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_template_delete_version(engine, "t", "2", err);
}

static int do_template_rename(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_template_rename(engine, "t", "u", err);
}

static int do_template_rename_back(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_template_rename(engine, "u", "t", err);
}

static int do_template_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_template_delete_all(engine, "t", err);
}

typedef int verb_fn(struct ja_engine *engine, struct ja_error *err);

/* ---- what is there ---- */

static int add_jail(void *context, const struct ja_listed *listed, struct ja_error *err)
{
    (void)err;
    const struct ja_jail *jail = listed->jail;
    ja_str_addf(context, "jail %s %s memory %lld files %lld labels %zu\n", jail->name, ja_state_name(listed->state),
                (long long)jail->limits.memory, (long long)jail->limits.files, jail->labels.count);
    return 0;
}

static int add_row(void *context, const struct ja_row *row, struct ja_error *err)
{
    (void)err;
    ja_str_addf(context, "%s %s %s\n", row->kind, row->name, row->state);
    return 0;
}

/* All that this instance has on the host and in its store, without what differs by chance (uuids, times). */
static char *snapshot(void)
{
    struct ja_str text = {0};
    struct ja_error err = JA_ERROR_INIT;
    struct ja_engine *engine = open_engine(NULL);
    must(ja_engine_list(engine, NULL, false, add_jail, &text, &err), &err);
    must(ja_store_each(engine->store, "network", NULL, add_row, &text, &err), &err);
    must(ja_store_each(engine->store, "template", NULL, add_row, &text, &err), &err);
    static const char *const reserved[] = {"address", "slot"};
    for (size_t i = 0; i < JA_COUNT(reserved); i++) {
        ja_autostrv struct ja_strv keys = {0};
        must(ja_store_reserved(engine->store, reserved[i], "", NULL, &keys, &err), &err);
        for (size_t k = 0; k < keys.count; k++)
            ja_str_addf(&text, "reserved %s %s\n", reserved[i], keys.items[k]);
    }
    const char *tag = engine->site.tag;
    ja_autofree char *script = ja_printf(
        "cd %s; ls journal pool/jails pool/deleted pool/templates pool/templates/*; "
        "ls -d pool/jails/*/vol/* pool/jails/*/snap/* pool/jails/*/snap/*/* pool/jails/*/*/*/changed 2>/dev/null; grep -h -e memory -e '\"name\"' pool/jails/*/spec.json "
        "/run/jailadmin-%s/jails/*/applied.json; cat "
        "/sys/fs/cgroup/memory/jailadmin-%s/ja*/memory.limit_in_bytes "
        "/sys/fs/cgroup/jailadmin-%s/ja*/memory.max "
        "/sys/fs/cgroup/pids/jailadmin-%s/ja*/pids.max; ls /run/jailadmin-%s/jails "
        "/run/jailadmin-%s/dns/*.d; ls /sys/class/net | grep ^ja%s; ls /run/netns 2>/dev/null | grep ^ja%s; "
        "ls /sys/fs/cgroup/*/jailadmin-%s /sys/fs/cgroup/jailadmin-%s 2>/dev/null | grep ^ja; "
        "nft list table bridge ja%s | grep -o 'ja[0-9a-z]*n[0-9]*' | sort -u; "
        "nft list table inet ja%s | grep -o 'set [a-z0-9]* {\\|elements = .*'; grep -c %s /proc/self/mountinfo; "
        "grep -c ja%s /proc/self/mountinfo; %s %s | grep -v '/vol\\>.no' | sed 's/[0-9a-f]\\{8\\}-[0-9a-f-]\\{27\\}/UUID/g'; true",
        state, tag, tag, tag, tag, tag, tag, tag, tag, tag, tag, tag, tag, state, tag,
        on_zfs() ? "zfs list -H -r -t all -o name,mounted" : "true", on_zfs() ? storage + strlen("zfs:") : "");
    char *const argv[] = {(char *)"/bin/sh", (char *)"-c", script, NULL};
    struct ja_spawn spawn = {.argv = argv};
    struct ja_spawn_result result;
    must(ja_spawn_run(&spawn, &result, &err), &err);
    ja_str_add(&text, result.output.text ? result.output.text : "");
    ja_str_fini(&result.output);
    ja_engine_close(engine);
    return ja_str_take(&text);
}

static void run(verb_fn *verb)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_engine *engine = open_engine(NULL);
    must(verb(engine, &err), &err);
    ja_engine_close(engine);
}

/* Runs the verb with the injection in a process of its own. True when the injection was met. */
static bool run_injected(verb_fn *verb, const char *name, size_t step, enum mode mode)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct injection injection = {.verb = name, .step = step, .mode = mode};
        struct ja_error err = JA_ERROR_INIT;
        struct ja_engine *engine = open_engine(&injection);
        verb(engine, &err);
        ja_engine_close(engine);
        _exit(injection.hit ? 1 : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) || WEXITSTATUS(status) == 1;
}

static void recover(void)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_engine *engine = open_engine(NULL);
    must(ja_engine_recover(engine, true, &err), &err);
    ja_engine_close(engine);
}

/* `back` leads from the wanted state to the one before. */
static void sweep(const char *name, verb_fn *verb, verb_fn *back)
{
    ja_autofree char *before = snapshot();
    run(verb);
    ja_autofree char *wanted = snapshot();
    run(back);
    bool all = getenv("JAILADMIN_TEST_LONG") != NULL;
    size_t cases = 0;
    bool over = false;
    for (size_t step = 0, met = 1; met && !over; step++) {
        met = 0;
        for (enum mode mode = 0; mode < MODES; mode++) {
            if (!all && (step > 0 || on_zfs()) && rand() % (on_zfs() ? 8 : 4) != 0) {
                met = met || step < 40;
                continue;
            }
            if (!run_injected(verb, name, step, mode)) {
                /* It has not so many steps. */
                recover();
                run(back);
                over = true;
                break;
            }
            met = 1;
            cases++;
            recover();
            ja_autofree char *after = snapshot();
            bool is_before = strcmp(after, before) == 0, is_wanted = strcmp(after, wanted) == 0;
            if (!is_before && !is_wanted)
                fail_msg("%s, which %s step %zu, left\n%s\ninstead of\n%s\nor\n%s", name, mode_names[mode], step, after,
                         before, wanted);
            if (is_wanted && !is_before)
                run(back);
        }
    }
    print_message("%s: %zu cases\n", name, cases);
}

static void create_is_all_or_nothing(void **unused)
{
    (void)unused;
    sweep("create", do_create, do_delete);
}

static void create_and_start_is_all_or_nothing(void **unused)
{
    (void)unused;
    sweep("create", do_create_started, do_delete_started);
}

static void clone_is_all_or_nothing(void **unused)
{
    (void)unused;
    run(do_create);
    sweep("clone", do_clone, do_delete_clone);
    run(do_delete);
}

static void start_is_all_or_nothing(void **unused)
{
    (void)unused;
    run(do_create);
    sweep("start", do_start, do_stop);
    run(do_delete);
}

static void set_is_all_or_nothing(void **unused)
{
    (void)unused;
    run(do_create);
    /* A given address, so that the way back is exact. */
    ja_autostrv struct ja_strv address = {0};
    struct ja_error err = JA_ERROR_INIT;
    struct ja_engine *engine = open_engine(NULL);
    ja_strv_add(&address, "nics.eth0.address=10.233.0.2");
    must(ja_engine_set(engine, "j", &address, false, NULL, &err), &err);
    ja_engine_close(engine);
    sweep("set", do_set, do_unset);
    run(do_start);
    sweep("set", do_limit, do_unlimit);
    run(do_stop);
    run(do_delete);
}

static void rename_is_all_or_nothing(void **unused)
{
    (void)unused;
    run(do_create);
    sweep("rename", do_rename, do_rename_back);
    run(do_delete);
}

static void stop_is_all_or_nothing(void **unused)
{
    (void)unused;
    run(do_create);
    run(do_start);
    sweep("stop", do_stop, do_start);
    run(do_stop);
    run(do_delete);
}

static void adopt_is_all_or_nothing(void **unused)
{
    (void)unused;
    run(do_create);
    run(do_lose);
    sweep("adopt", do_adopt, do_lose);
    run(do_adopt);
    run(do_delete);
}

static void delete_is_all_or_nothing(void **unused)
{
    (void)unused;
    run(do_create);
    sweep("delete", do_delete, do_create);
    run(do_delete);
}

static void snapshots_are_all_or_nothing(void **unused)
{
    (void)unused;
    run(do_create);
    run(do_volume);
    sweep("snapshot", do_snapshot, do_unsnapshot);
    run(do_snapshot);
    sweep("snapshot-delete", do_unsnapshot, do_snapshot);
    run(do_go_on);
    sweep("rollback", do_rollback, do_go_on);
    run(do_delete);
}

static void networks_are_all_or_nothing(void **unused)
{
    (void)unused;
    sweep("create", do_network, do_network_delete);
    run(do_network);
    sweep("set", do_network_set, do_network_unset);
    sweep("delete", do_network_delete, do_network);
    run(do_network_delete);
}

static void templates_are_all_or_nothing(void **unused)
{
    (void)unused;
    sweep("create", do_template, do_template_delete);
    run(do_template);
    sweep("delete", do_template_delete, do_template);
    run(do_template_delete);
}

static void builds_are_all_or_nothing(void **unused)
{
    (void)unused;
    sweep("create", do_build, do_template_delete);
    run(do_template);
    sweep("create", do_template, do_version_delete);
    run(do_build);
    sweep("delete", do_version_delete, do_template);
    sweep("rename", do_template_rename, do_template_rename_back);
    run(do_template_delete);
}

/* ---- an instance for all of it ---- */

static int set_up(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    struct ja_init_request request = {.storage = storage, .network = "10.233.0.1/24", .slots = 64};
    snprintf(dir, sizeof dir, "/var/tmp/jailadmin-sweep.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(state, sizeof state, "%s/state", dir);
    struct ja_engine_options options = {.state = state, .self = self, .os = -1};
    must(ja_engine_init(&options, &request, &err), &err);
    struct ja_template *template = ja_object_new(&ja_noun_template);
    template->name = ja_strdup("base");
    template->source = ja_strdup("busybox");
    struct ja_engine *engine = open_engine(NULL);
    must(ja_engine_template_create(engine, template, &err), &err);
    ja_engine_close(engine);
    ja_object_free(&ja_noun_template, template);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    struct ja_engine *engine = open_engine(NULL);
    must(ja_engine_teardown(engine, true, 1, &err), &err);
    ja_engine_close(engine);
    /* Nothing is left: both directories are empty again. */
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
    if (argc > 2)
        storage = argv[2];
    const char *given = getenv("JAILADMIN_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_is_all_or_nothing),     cmocka_unit_test(create_and_start_is_all_or_nothing),
        cmocka_unit_test(clone_is_all_or_nothing),      cmocka_unit_test(start_is_all_or_nothing),
        cmocka_unit_test(set_is_all_or_nothing),        cmocka_unit_test(rename_is_all_or_nothing),
        cmocka_unit_test(stop_is_all_or_nothing),       cmocka_unit_test(delete_is_all_or_nothing),
        cmocka_unit_test(adopt_is_all_or_nothing),      cmocka_unit_test(networks_are_all_or_nothing),
        cmocka_unit_test(templates_are_all_or_nothing), cmocka_unit_test(builds_are_all_or_nothing),
        cmocka_unit_test(snapshots_are_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
