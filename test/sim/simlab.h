/*
 * simlab.h: an instance on a simulated host: its store, journal, locks and registry are real, in a directory in memory; all
 * else is the model. And the verbs as functions without arguments, for sweeps.
 */
#ifndef JA_SIMLAB_H
#define JA_SIMLAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "engine/internal.h"
#include "sim.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LAB_SELF "/usr/sbin/jailadmin"

static char lab_dir[64], lab_state[96];
static const struct ja_sim_system *lab_system = &ja_sim_linux;
static struct ja_sim lab_sim;

/* The kind of host that the program's first argument names. */
static inline void lab_choose(int argc, char **argv)
{
    static const struct ja_sim_system *const systems[] = {&ja_sim_linux, &ja_sim_linux_systemd, &ja_sim_freebsd,
                                                          &ja_sim_freebsd_deny};
    for (size_t i = 0; argc > 1 && i < JA_COUNT(systems); i++)
        if (strcmp(systems[i]->name, argv[1]) == 0)
            lab_system = systems[i];
    printf("host: %s\n", lab_system->name);
}

/* What is left to chance can be repeated. */
static inline void lab_seed(void)
{
    const char *given = getenv("JAILADMIN_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
}

/* $JAILADMIN_TEST_SHARE: one case in so many. */
static JA_UNUSED int lab_share(int otherwise)
{
    const char *share = getenv("JAILADMIN_TEST_SHARE");
    return share ? atoi(share) : otherwise;
}

/* Whether this case is not of this run: by chance one in so many is. $JAILADMIN_TEST_LONG asks for all. */
static JA_UNUSED bool lab_left_out(int one_in)
{
    return !getenv("JAILADMIN_TEST_LONG") && one_in > 1 && rand() % one_in;
}

static inline void lab_must(int rc, const struct ja_error *err)
{
    if (rc < 0)
        fail_msg("%s: %s (%s)", err->object, err->what, err->command);
}

static inline int lab_ignore(void *context, const struct ja_plan *plan, struct ja_error *err)
{
    (void)context, (void)plan, (void)err;
    return 0;
}

static inline struct ja_engine_options lab_options(void)
{
    return (struct ja_engine_options){
        .state = lab_state, .self = LAB_SELF, .os = lab_system->os, .machine = &lab_sim.machine, .show = lab_ignore};
}

/* After a verb: the model knew all commands, and nothing is as it must not be. */
static inline void lab_check(void)
{
    if (lab_sim.system->check)
        lab_sim.system->check(&lab_sim);
    sim_check_binds(&lab_sim);
    if (lab_sim.trouble[0])
        fail_msg("%s", lab_sim.trouble);
}

typedef int lab_verb(struct ja_engine *engine, struct ja_error *err);

/* A verb in an engine of its own, as a command would have it. `probe` may be NULL. */
static inline int lab_run(lab_verb *verb, int (*probe)(void *, const struct ja_plan *, size_t, bool), void *context,
                          struct ja_error *err)
{
    struct ja_engine_options options = lab_options();
    struct ja_engine *engine = NULL;
    options.probe = probe;
    options.context = context;
    int rc = ja_engine_open(&options, &engine, err);
    if (rc == 0)
        rc = ja_engine_recover(engine, false, err);
    if (rc == 0)
        rc = verb(engine, err);
    ja_engine_close(engine);
    return rc;
}

static inline void lab_do(lab_verb *verb)
{
    struct ja_error err = JA_ERROR_INIT;
    lab_must(lab_run(verb, NULL, NULL, &err), &err);
}

/* ---- the verbs ---- */

static inline int lab_template(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    struct ja_template *template = ja_object_new(&ja_noun_template);
    if (!template)
        return ja_error_nomem(err);
    template->name = ja_strdup(name);
    template->source = ja_strdup(lab_system->source);
    int rc =
        template->name && template->source ? ja_engine_template_create(engine, template, err) : ja_error_nomem(err);
    ja_object_free(&ja_noun_template, template);
    return rc;
}

static inline int do_base(struct ja_engine *engine, struct ja_error *err)
{
    return lab_template(engine, "base", err);
}

static inline int do_template(struct ja_engine *engine, struct ja_error *err)
{
    return lab_template(engine, "t", err);
}

/* A version that something was done in, by a temporary jail on the network. */
static inline int do_build(struct ja_engine *engine, struct ja_error *err)
{
    const struct ja_build_command commands[] = {{.text = "true"}, {.text = "true", .script = "check"}};
    ja_autostrv struct ja_strv packages = {0};
    struct ja_template *template = ja_object_new(&ja_noun_template);
    if (!template)
        return ja_error_nomem(err);
    template->name = ja_strdup("t");
    template->source = ja_strdup(lab_system->source);
    const struct ja_template_request request = {
        .spec = template, .packages = &packages, .commands = commands, .command_count = JA_COUNT(commands)};
    int rc = template->name && template->source && ja_strv_add(&packages, "nginx") == 0
                 ? ja_engine_template_build(engine, &request, NULL, err)
                 : ja_error_nomem(err);
    ja_object_free(&ja_noun_template, template);
    return rc;
}

/* FreeBSD only: from packages, and then a package of it in its own jail. */
static inline int do_pkgbase(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv packages = {0};
    struct ja_template *template = ja_object_new(&ja_noun_template);
    if (!template)
        return ja_error_nomem(err);
    template->name = ja_strdup("t");
    template->source = ja_strdup("pkgbase:13.2-RELEASE");
    const struct ja_template_request request = {.spec = template, .packages = &packages};
    int rc = template->name && template->source && ja_strv_add(&packages, "nginx") == 0
                 ? ja_engine_template_build(engine, &request, NULL, err)
                 : ja_error_nomem(err);
    ja_object_free(&ja_noun_template, template);
    return rc;
}

static inline int do_version_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_template_delete_version(engine, "t", "2", err);
}

static inline int do_template_rename(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_template_rename(engine, "t", "u", err);
}

static inline int do_template_rename_back(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_template_rename(engine, "u", "t", err);
}

static inline int do_template_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_template_delete_all(engine, "t", err);
}

static inline int do_network(struct ja_engine *engine, struct ja_error *err)
{
    struct ja_network *network = ja_object_new(&ja_noun_network);
    if (!network)
        return ja_error_nomem(err);
    network->name = ja_strdup("lan");
    int rc = network->name ? 0 : ja_error_nomem(err);
    if (rc == 0 && ja_strv_add_all(&network->addresses, "10.234.0.1/24", "fd00:234::1/64", NULL) < 0)
        rc = ja_error_nomem(err);
    if (rc == 0)
        rc = ja_engine_network_create(engine, network, err);
    ja_object_free(&ja_noun_network, network);
    return rc;
}

static inline int do_network_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_network_delete(engine, "lan", err);
}

static inline int create(struct ja_engine *engine, bool start, struct ja_error *err)
{
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    if (!jail)
        return ja_error_nomem(err);
    jail->name = ja_strdup("j");
    jail->template = ja_strdup("base");
    int rc = jail->name && jail->template ? 0 : ja_error_nomem(err);
    if (rc == 0)
        rc = ja_object_set_entry(&ja_noun_jail, jail, "volumes", "data,target=/data", err);
    jail->limits.memory = 64 << 20;
    if (rc == 0)
        rc = ja_engine_create(engine, jail, start, err);
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}

static inline int do_create(struct ja_engine *engine, struct ja_error *err)
{
    return create(engine, false, err);
}

static inline int do_create_started(struct ja_engine *engine, struct ja_error *err)
{
    return create(engine, true, err);
}

static inline int do_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_delete(engine, "j", false, err);
}

static inline int do_clone(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_clone(engine, "j", "k", NULL, NULL, err);
}

/* Asked while a clone is made: its original is kept from changing, but not from others who only look. */
static inline int ask_original(JA_UNUSED void *context, JA_UNUSED struct ja_jail *jail, struct ja_error *err)
{
    struct ja_engine *engine = context;
    struct ja_lock lock = JA_LOCK_INIT;
    struct ja_error why = JA_ERROR_INIT;
    if (ja_engine_lock(engine, "jail", "j", false, 0, "test", &lock, &why) != JA_E_BUSY)
        return ja_error_set(err, JA_E_FAILED, "jail j", "it is not locked while a clone of it is made");
    int rc = ja_engine_lock(engine, "jail", "j", true, 0, "test", &lock, err);
    ja_lock_release(&lock, false);
    return rc;
}

static inline int do_clone_asked(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_clone(engine, "j", "k", ask_original, engine, err);
}

static inline int do_clone_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_delete(engine, "k", false, err);
}

static inline int do_start(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_start(engine, "j", NULL, err);
}

static inline int do_stop(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_stop(engine, "j", JA_STOP_GRACEFUL, NULL, err);
}

static inline int do_kill(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_stop(engine, "j", JA_STOP_FORCE, NULL, err);
}

static inline int lab_set(struct ja_engine *engine, const char *const *assignments, struct ja_error *err)
{
    ja_autostrv struct ja_strv list = {0};
    for (size_t i = 0; assignments[i]; i++)
        if (ja_strv_add(&list, assignments[i]) < 0)
            return ja_error_nomem(err);
    return ja_engine_set(engine, "j", &list, true, NULL, err);
}

/* Everything that a stopped jail can be given and lose again. */
static inline int do_set(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(engine,
                   (const char *const[]){"limits.cpu=0.5", "limits.disk=1G", "volumes.more.target=/more",
                                         "volumes.data.size=2G", "services.s.command=sleep 9", "labels.team=a",
                                         "hooks.after-start=true", "nics.eth0.mtu=1400", NULL},
                   err);
}

static inline int do_unset(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(engine,
                   (const char *const[]){"limits.cpu=", "limits.disk=", "volumes.more=", "volumes.data.size=",
                                         "services.s=", "labels.team=", "hooks.after-start=", "nics.eth0.mtu=", NULL},
                   err);
}

/* What a running one takes at once, and something that waits. */
static inline int do_tune(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(engine,
                   (const char *const[]){"limits.memory=32M", "limits.processes=9", "limits.files=99",
                                         "limits.cpuset=1-3,0", "limits.read-rate=1M", "limits.swap=16M",
                                         "forwards.web.port=80", NULL},
                   err);
}

/* Back to the jail as it was started, also after a power cut. */
static inline int do_untune(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_kill(engine, err);
    if (rc == 0)
        rc = lab_set(engine,
                     (const char *const[]){"limits.memory=64M", "limits.processes=", "limits.files=", "limits.cpuset=",
                                           "limits.read-rate=", "limits.swap=", "forwards.web=", NULL},
                     err);
    return rc < 0 ? rc : do_start(engine, err);
}

static inline int do_rename(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_rename(engine, "j", "z", err);
}

static inline int do_rename_back(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_rename(engine, "z", "j", err);
}

/* Something that a rollback takes away again. */
static inline int do_snapshot(struct ja_engine *engine, struct ja_error *err)
{
    char name[JA_SNAPSHOT_NAME];
    return ja_engine_snapshot_create(engine, "j", "s", "a comment", name, err);
}

static inline int lab_unsnapshot(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    if (ja_strv_add(&names, name) < 0)
        return ja_error_nomem(err);
    return ja_engine_snapshot_delete(engine, "j", &names, err);
}

static inline int do_unsnapshot(struct ja_engine *engine, struct ja_error *err)
{
    return lab_unsnapshot(engine, "s", err);
}

static inline int do_later_delete(struct ja_engine *engine, struct ja_error *err)
{
    int rc = lab_unsnapshot(engine, "later", err);
    if (rc == JA_E_NOTFOUND)
        ja_error_clear(err);
    return rc == JA_E_NOTFOUND ? 0 : rc;
}

static inline int do_snapshot_clone(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_clone(engine, "j@s", "k", NULL, NULL, err);
}

/* What a rollback loses: a file, and where such are lost later snapshots. */
static inline int do_go_on(struct ja_engine *engine, struct ja_error *err)
{
    char name[JA_SNAPSHOT_NAME];
    int rc = ja_engine_trees_ensure(engine, "j", err);
    if (rc == 0)
        rc = ja_engine_snapshot_create(engine, "j", "later", NULL, name, err);
    sim_put(&lab_sim, "file", "path %s/jails/j/root/default/changed", engine->site.pool);
    sim_put(&lab_sim, "file", "path %s/jails/j/vol/data/changed", engine->site.pool);
    if (rc == JA_E_EXISTS)
        ja_error_clear(err);
    return rc == JA_E_EXISTS ? 0 : rc;
}

static inline int lab_roll_back(struct ja_engine *engine, bool restart, struct ja_error *err)
{
    static const struct ja_strv none;
    struct ja_rollback_request request = {.snapshot = "s", .volumes = &none, .all_volumes = true, .restart = restart};
    return ja_engine_rollback(engine, "j", &request, NULL, err);
}

static inline int do_rollback(struct ja_engine *engine, struct ja_error *err)
{
    return lab_roll_back(engine, false, err);
}

static inline int do_be(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_be_create(engine, "j", "new", NULL, err);
}

static inline int do_be_of_snapshot(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_be_create(engine, "j", "new", "@s", err);
}

static inline int lab_activate(struct ja_engine *engine, const char *name, struct ja_error *err)
{
    bool running;
    return ja_engine_be_activate(engine, "j", name, &running, err);
}

static inline int do_activate(struct ja_engine *engine, struct ja_error *err)
{
    return lab_activate(engine, "new", err);
}

static inline int do_activate_default(struct ja_engine *engine, struct ja_error *err)
{
    return lab_activate(engine, "default", err);
}

static inline int do_unbe(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    if (ja_strv_add(&names, "new") < 0)
        return ja_error_nomem(err);
    return ja_engine_be_delete(engine, "j", &names, err);
}

static inline int do_be_mount(struct ja_engine *engine, struct ja_error *err)
{
    char *dir = NULL;
    int rc = ja_engine_be_mount(engine, "j", "new", NULL, false, &dir, err);
    free(dir);
    return rc;
}

static inline int do_be_unmount(struct ja_engine *engine, struct ja_error *err)
{
    char *dir = NULL;
    int rc = ja_engine_be_unmount(engine, "j", "new", &dir, err);
    free(dir);
    return rc;
}

/* A reboot has unmounted it: success. */
static inline int do_be_unmounted(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_be_unmount(engine, err);
    return rc == JA_E_NOTFOUND ? 0 : rc;
}

/* Where the administrator says. */
static inline int do_be_mount_there(struct ja_engine *engine, struct ja_error *err)
{
    char *dir = NULL;
    sim_make(&lab_sim, "/there", "dir");
    int rc = ja_engine_be_mount(engine, "j", "new", "/there", true, &dir, err);
    free(dir);
    return rc;
}

static inline int do_delete_force(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_delete(engine, "j", true, err);
}

static inline int do_delete_started(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_kill(engine, err);
    return rc < 0 ? rc : do_delete(engine, err);
}

static inline int do_create_mounted(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_create(engine, err);
    if (rc == 0)
        rc = do_be(engine, err);
    return rc < 0 ? rc : do_be_mount(engine, err);
}

/* What the command of an upgrade, and its health command, are in the simulated jail. */
static int lab_command_status, lab_health_status;
static inline int lab_command(void *context, struct ja_error *err)
{
    (void)context;
    return lab_command_status ? ja_error_set(err, JA_E_FAILED, NULL, "the command failed") : 0;
}

static inline int lab_health(void *context, int64_t timeout_ms, struct ja_error *err)
{
    (void)context, (void)timeout_ms;
    return lab_health_status ? ja_error_set(err, JA_E_FAILED, NULL, "the health command failed") : 0;
}

static inline int do_upgrade(struct ja_engine *engine, struct ja_error *err)
{
    bool ran;
    struct ja_upgrade_request request = {.be = "new", .timeout_ms = 1, .command = lab_command, .health = lab_health};
    return ja_engine_upgrade(engine, "j", &request, &ran, err);
}

static inline int do_downgrade(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_activate_default(engine, err);
    return rc < 0 ? rc : do_unbe(engine, err);
}

/* Of a jail that runs, or was to run until a power cut. */
static inline int do_downgrade_running(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_start(engine, err);
    if (rc == 0)
        rc = do_activate_default(engine, err);
    if (rc == 0)
        rc = ja_engine_stop(engine, "j", JA_STOP_AGAIN, NULL, err);
    if (rc == 0)
        rc = do_start(engine, err);
    return rc < 0 ? rc : do_unbe(engine, err);
}

/* Schedules, at a time of the test's own. */
static int64_t lab_now_ms;
static struct ja_ticked lab_ticked;
static inline int do_tick(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_tick(engine, "j", lab_now_ms, &lab_ticked, err);
}

static inline int do_keep(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(engine, (const char *const[]){"keep.hourly=3", "keep.daily=1", NULL}, err);
}

static inline void lab_tick_at(const char *time)
{
    assert_int_equal(ja_clock_parse(time, &lab_now_ms), 0);
    lab_do(do_tick);
}

/* ---- what is there ---- */

static inline int lab_add_row(void *context, const struct ja_row *row, struct ja_error *err)
{
    (void)err;
    json_t *wanted = json_object_get(row->spec, "wanted");
    ja_str_addf(context, "row %s %s %s %s\n", row->kind, row->name, row->state,
                wanted                           ? json_string_value(wanted)
                : strcmp(row->kind, "jail") == 0 ? "stopped"
                                                 : "");
    return 0;
}

/* The host and the store as one text, without what differs by chance. */
static inline char *lab_snapshot(const struct ja_sim *sim)
{
    struct ja_str text = {0};
    struct ja_error err = JA_ERROR_INIT;
    struct ja_store *store = NULL;
    static const char *const kinds[] = {"jail", "network", "template"}, *const reserved[] = {"slot", "netslot",
                                                                                             "address", "unit", "port"};
    ja_str_add(&text, "\n");
    ja_sim_print(sim, &text);
    if (access(lab_state, F_OK) == 0) {
        lab_must(ja_store_open(lab_state, false, false, &store, &err), &err);
        for (size_t i = 0; i < JA_COUNT(kinds); i++)
            lab_must(ja_store_each(store, kinds[i], NULL, lab_add_row, &text, &err), &err);
        for (size_t i = 0; i < JA_COUNT(reserved); i++) {
            ja_autostrv struct ja_strv keys = {0};
            lab_must(ja_store_reserved(store, reserved[i], "", NULL, &keys, &err), &err);
            for (size_t k = 0; k < keys.count; k++)
                ja_str_addf(&text, "reserved %s %s\n", reserved[i], keys.items[k]);
        }
        ja_store_close(store);
        char journal[128];
        snprintf(journal, sizeof journal, "%s/journal", lab_state);
        ja_str_addf(&text, "journal %s\n", ja_journal_any(journal, NULL) ? "has plans" : "is empty");
    }
    if (!text.text)
        abort();
    char *normal = ja_sim_normal(text.text);
    ja_str_fini(&text);
    return normal;
}

/* Takes out of a host what a teardown leaves: what the registry counted, which went with the instance's entry in it, and what
 * is there for good once it was needed. */
static inline void lab_forget(struct ja_sim *sim)
{
    sim_drop_all(sim, "old ");
    sim_drop_all(sim, "user ");
    for (const char *const *kind = sim->system->stays; *kind; kind++)
        sim_drop_all(sim, "%s", *kind);
}

/* Lines of `a` that `b` has not. */
static inline void lab_print_missing(const char *sign, const char *a, const char *b)
{
    while (*a) {
        char line[16384];
        size_t length = strcspn(a, "\n");
        snprintf(line, sizeof line, "\n%.*s\n", (int)length, a);
        if (length && !strstr(b, line))
            printf("  %s%.*s\n", sign, (int)length, a);
        a += length + (a[length] == '\n');
    }
}

/* What one has and the other has not, both ways. */
static inline void lab_print_difference(const char *is, const char *was)
{
    lab_print_missing("+", is, was);
    lab_print_missing("-", was, is);
}

static inline void lab_print_left(const char *left, const char *before, const char *wanted)
{
    fflush(NULL);
    printf("left, but not before (+), and the other way round (-):\n");
    lab_print_difference(left, before);
    printf("left, but not wanted (+), and the other way round (-):\n");
    lab_print_difference(left, wanted);
}

/* ---- processes of their own ---- */

static inline void lab_host_file(char path[128])
{
    snprintf(path, 128, "%s/host", lab_dir);
}

/* The end of this process, which leaves its host to the one that runs it apart. */
static inline void lab_die(void)
{
    char path[128];
    lab_host_file(path);
    ja_sim_save(&lab_sim, path);
    raise(SIGKILL);
}

/* Does the work in a process of its own, takes its host over, and returns how it ended, as waitpid(2) tells: its exit status is what `work`
 * returns. */
static inline int lab_apart(int (*work)(void *context), void *context)
{
    char path[128];
    int status = 0;
    lab_host_file(path);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int rc = work(context);
        ja_sim_save(&lab_sim, path);
        _exit(rc);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ja_sim_load(&lab_sim, path);
    return status;
}

/* ---- the instance ---- */

static inline void lab_init(const char *network)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_init_request request = {.storage = lab_system->storage, .network = network};
    struct ja_engine_options options = lab_options();
    lab_must(ja_engine_init(&options, &request, &err), &err);
}

static inline int lab_set_up(void **unused)
{
    char registry[96], etc[96];
    (void)unused;
    snprintf(lab_dir, sizeof lab_dir, "%s/jailadmin-sim.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(lab_dir));
    snprintf(lab_state, sizeof lab_state, "%s/state", lab_dir);
    snprintf(registry, sizeof registry, "%s/registry", lab_dir);
    snprintf(etc, sizeof etc, "%s/etc", lab_dir);
    setenv("JAILADMIN_REGISTRY", registry, 1);
    setenv("JAILADMIN_ETC", etc, 1);
    ja_sim_init(&lab_sim, lab_system, lab_state);
    return 0;
}

static inline int lab_tear_down(void **unused)
{
    (void)unused;
    ja_sim_fini(&lab_sim);
    return ja_tree_remove(lab_dir, NULL) == 0 ? 0 : -1;
}

#endif
