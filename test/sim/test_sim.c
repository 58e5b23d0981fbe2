/*
 * test_sim.c: on a simulated host, for every verb and every step k: step k fails before or after its work, does half of it,
 * or the process is killed there, with or without a reboot before the next command. Then the host and the store are as
 * they were before, or as they were wanted; never between.
 */
#include "simbsd.h"
#include "simloss.h"
#include "simnet.h"
#include "simshape.h"

#include "base/clock.h"

#include <signal.h>
#include <sys/wait.h>

/* LOSE_AFTER: what was not synced is lost with the power. */
enum mode { FAIL_BEFORE, FAIL_AFTER, TEAR, KILL_BEFORE, KILL_AFTER, CUT_BEFORE, CUT_AFTER, LOSE_AFTER, MODES };
static const char *const mode_names[] = {"which fails before",     "which fails after",
                                         "which does half of",     "killed before",
                                         "killed after",           "with a power cut before",
                                         "with a power cut after", "with a power cut that loses what it can after"};

struct injection {
    const char *verb;
    size_t step;
    enum mode mode;
    bool hit;
};

static bool kills(enum mode mode)
{
    return mode >= KILL_BEFORE;
}

static bool cuts(enum mode mode)
{
    return mode == CUT_BEFORE || mode == CUT_AFTER || mode == LOSE_AFTER;
}

static void host_file(char path[128])
{
    snprintf(path, 128, "%s/host", lab_dir);
}

static int probe(void *context, const struct ja_plan *plan, size_t step, bool after)
{
    struct injection *injection = context;
    enum mode mode = injection->mode;
    bool wanted_after = mode == FAIL_AFTER || mode == KILL_AFTER || mode == CUT_AFTER || mode == LOSE_AFTER;
    if (injection->hit || step != injection->step || strcmp(plan->verb, injection->verb) != 0)
        return 0;
    if (!kills(mode) && (plan->steps[step]->flags & JA_STEP_IGNORE)) {
        injection->hit = true; /* it may fail: what it would have done is not missed */
        return 0;
    }
    if (mode == TEAR) {
        lab_sim.tear = (long)step;
        lab_sim.torn = false;
        injection->hit = true;
        return 0;
    }
    if (after != wanted_after)
        return 0;
    injection->hit = true;
    if (kills(mode)) {
        char path[128];
        host_file(path);
        if (mode == LOSE_AFTER)
            lose();
        ja_sim_save(&lab_sim, path);
        raise(SIGKILL);
    }
    return -1;
}

/* Runs the verb with the injection. True when the injection was met. */
static bool run_injected(lab_verb *verb, struct injection *injection)
{
    struct ja_error err = JA_ERROR_INIT;
    if (!kills(injection->mode)) {
        lab_run(verb, probe, injection, &err);
        lab_sim.tear = -1;
        return injection->hit;
    }
    char path[128];
    host_file(path);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (injection->mode == LOSE_AFTER)
            lose_begin();
        lab_run(verb, probe, injection, &err);
        ja_sim_save(&lab_sim, path);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ja_sim_load(&lab_sim, path);
    return WIFSIGNALED(status);
}

/* Runs the verb to its end, and the power goes at once: nothing is on the disks but what was synced, and journals that were removed are
 * there again. */
static void run_and_lose(lab_verb *verb)
{
    struct ja_error err = JA_ERROR_INIT;
    char path[128];
    host_file(path);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        unlinks_are_lost = true;
        lose_begin();
        int rc = lab_run(verb, NULL, NULL, &err);
        lose();
        ja_sim_save(&lab_sim, path);
        _exit(rc < 0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    ja_sim_load(&lab_sim, path);
}

static int do_recover(struct ja_engine *engine, struct ja_error *err)
{
    int rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = ja_engine_recover(engine, true, err);
    return rc < 0 ? rc : ja_engine_upgrade_settle(engine, "j", err);
}

/* What is there after a power cut and the next command, without it happening. */
static char *after_cut(void)
{
    struct ja_sim kept;
    ja_sim_copy(&kept, &lab_sim);
    ja_sim_reboot(&lab_sim);
    lab_do(do_recover);
    char *text = lab_snapshot(&lab_sim);
    ja_sim_fini(&lab_sim);
    ja_sim_copy(&lab_sim, &kept);
    ja_sim_fini(&kept);
    return text;
}

struct ends {
    char *before, *wanted, *before_cut, *wanted_cut;
};

/* A power cut may take the names that a start writes into a tree: the next start writes them again, and nobody waits for the disk. */
static char *without_names(const char *text)
{
    char *left = strdup(text), *to = left;
    for (const char *line = text, *end; *line; line = end) {
        end = strchr(line, '\n') ? strchr(line, '\n') + 1 : line + strlen(line);
        const char *names = strstr(line, "/etc/hosts = "), *resolver = strstr(line, "/etc/resolv.conf = ");
        if ((names && names < end) || (resolver && resolver < end))
            continue;
        memcpy(to, line, (size_t)(end - line));
        to += end - line;
    }
    *to = '\0';
    return left;
}

static bool same(const char *a, const char *b, bool cut)
{
    char *x = cut ? without_names(a) : NULL, *y = cut ? without_names(b) : NULL;
    bool equal = strcmp(cut ? x : a, cut ? y : b) == 0;
    free(x);
    free(y);
    return equal;
}

static void check_end(const char *name, const struct injection *injection, const struct ends *ends, bool *ret_wanted)
{
    bool cut = cuts(injection->mode);
    char *after = lab_snapshot(&lab_sim);
    const char *before = cut ? ends->before_cut : ends->before, *wanted = cut ? ends->wanted_cut : ends->wanted;
    bool is_before = same(after, before, cut), is_wanted = same(after, wanted, cut);
    if (!is_before && !is_wanted) {
        fflush(NULL);
        printf("left, but not before (+), and the other way round (-):\n");
        lab_print_missing("+", after, before);
        lab_print_missing("-", before, after);
        printf("left, but not wanted (+), and the other way round (-):\n");
        lab_print_missing("+", after, wanted);
        lab_print_missing("-", wanted, after);
        fail_msg("%s, %s step %zu, left what is above", name, mode_names[injection->mode], injection->step);
    }
    *ret_wanted = is_wanted && !is_before;
    free(after);
}

static int do_up(struct ja_engine *engine, struct ja_error *err)
{
    int rc = ja_engine_pool_ensure(engine, err);
    return rc < 0 ? rc : ja_engine_network_ensure(engine, "default", err);
}

/* Where the next case begins. */
static void check_begin(const char *name, const struct injection *injection, const struct ends *ends)
{
    char *now = lab_snapshot(&lab_sim);
    if (strcmp(now, ends->before) != 0) {
        fflush(NULL);
        lab_print_missing("+", now, ends->before);
        lab_print_missing("-", ends->before, now);
        fail_msg("%s, %s step %zu: the way back does not lead to where it began", name, mode_names[injection->mode],
                 injection->step);
    }
    free(now);
}

struct counting {
    const char *verb;
    size_t steps;
};

static int count_step(void *context, const struct ja_plan *plan, size_t step, bool after)
{
    struct counting *counting = context;
    if (!after && strcmp(plan->verb, counting->verb) == 0 && step >= counting->steps)
        counting->steps = step + 1;
    return 0;
}

/* Does it, and says how many steps its plan has. */
static size_t do_counted(const char *name, lab_verb *verb)
{
    struct counting counting = {.verb = name};
    struct ja_error err = JA_ERROR_INIT;
    lab_must(lab_run(verb, count_step, &counting, &err), &err);
    return counting.steps;
}

/* All cases on Linux, on another host one in six; $JAILADMIN_TEST_SHARE says another number. */
static bool is_left_out(void)
{
    const char *share = getenv("JAILADMIN_TEST_SHARE");
    return lab_left_out(share ? atoi(share) : lab_system == &ja_sim_linux ? 1 : 6);
}

/* Verbs of several plans may end between two of them with a jail stopped that ran: the next start brings it back. */
static bool starts_again;

/* What is done is done, also when the power goes with the last word of it. */
static void end_and_lose(const char *name, lab_verb *verb, lab_verb *back, const struct ends *ends)
{
    struct injection injection = {.verb = name, .step = 999, .mode = LOSE_AFTER};
    bool wanted = false;
    if (is_left_out())
        return;
    run_and_lose(verb);
    ja_sim_reboot(&lab_sim);
    lab_do(do_recover);
    lab_check();
    check_end(name, &injection, ends, &wanted);
    if (!wanted && strcmp(ends->before_cut, ends->wanted_cut) != 0)
        fail_msg("%s was done, and is not after a power cut", name);
    lab_do(do_up);
    if (wanted)
        lab_do(back);
    lab_do(verb);
    lab_do(back);
    check_begin(name, &injection, ends);
}

/* `back` leads from the wanted state to the one before. `name` is the plan's verb. */
static void sweep(const char *name, lab_verb *verb, lab_verb *back)
{
    struct ends ends;
    size_t cases = 0;
    /* Once there and back: what a first time leaves for good (its network, its tree's files) is not the question. */
    lab_do(verb);
    lab_do(back);
    size_t steps = do_counted(name, verb);
    lab_do(back);
    ends.before = lab_snapshot(&lab_sim);
    ends.before_cut = after_cut();
    lab_do(verb);
    lab_check();
    ends.wanted = lab_snapshot(&lab_sim);
    ends.wanted_cut = after_cut();
    lab_do(back);
    lab_check();
    for (size_t step = 0; step < steps; step++) {
        for (enum mode mode = 0; mode < MODES; mode++) {
            struct injection injection = {.verb = name, .step = step, .mode = mode};
            bool wanted = true;
            if (is_left_out())
                continue;
            if (!run_injected(verb, &injection))
                fail_msg("%s, %s step %zu, was not met", name, mode_names[mode], step);
            cases++;
            if (cuts(mode))
                ja_sim_reboot(&lab_sim);
            watches_syncs = true;
            note_dead_plans();
            lab_do(do_recover);
            watches_syncs = false;
            if (lost_count)
                fail_msg("%s, %s step %zu: a journal that the recovery has removed can come back", name,
                         mode_names[mode], step);
            if (starts_again && !cuts(mode))
                lab_do(do_start);
            lab_check();
            check_end(name, &injection, &ends, &wanted);
            /* What a power cut took from the host is not the next case's business. */
            if (cuts(mode))
                lab_do(do_up);
            if (wanted)
                lab_do(back);
            if (cuts(mode)) {
                lab_do(verb);
                lab_do(back);
            }
            check_begin(name, &injection, &ends);
        }
    }
    end_and_lose(name, verb, back, &ends);
    print_message("%s: %zu of %zu cases\n", name, cases, steps * MODES);
    free(ends.before);
    free(ends.wanted);
    free(ends.before_cut);
    free(ends.wanted_cut);
}

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

static void networks(void **unused)
{
    (void)unused;
    sweep("create", do_network, do_network_delete);
    lab_do(do_network);
    sweep("delete", do_network_delete, do_network);
    lab_do(do_network_delete);
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

/* Between its stop and its deletion, too, what was cut off has not been: the next boot starts it. */
static void cut_off_deletions(void)
{
    for (enum mode mode = FAIL_BEFORE; mode < MODES; mode++) {
        struct injection injection = {.verb = "delete", .step = 0, .mode = mode};
        lab_do(do_start);
        assert_true(run_injected(do_delete_running, &injection));
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
    cut_off_deletions();
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
        lab_print_missing("+", after, before);
        lab_print_missing("-", before, after);
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

/* What shapes traffic on the host. */
static char *shaping(void)
{
    static const char *const kinds[] = {"qdisc ", "filter ", "pipe ", "onepass ", "rule 1#"};
    struct ja_str text = {0};
    for (size_t k = 0; k < JA_COUNT(kinds); k++)
        for (size_t i = sim_from(&lab_sim, kinds[k]); sim_starts(&lab_sim, i, kinds[k]); i++)
            ja_str_addf(&text, "%s = %s\n", lab_sim.entries[i].key, lab_sim.entries[i].value);
    return ja_str_take(&text);
}

/* Set, changed and removed while it runs; started and stopped with it, and left behind by one that died. */
static void shapes(void **unused)
{
    (void)unused;
    lab_do(do_create);
    lab_do(do_start);
    sweep("set", do_shape, do_unshape_anew);
    lab_do(do_shape_anew);
    sweep("set", do_reshape, do_shape_anew);
    sweep("set", do_unshape, do_shape_anew);
    sweep("stop", do_kill, do_start);
    lab_do(do_kill);
    sweep("start", do_start, do_kill);
    lab_do(do_unshape);
    lab_do(do_start);
    lab_do(do_shape);
    char *live = shaping();
    lab_do(do_shape_anew);
    char *anew = shaping();
    assert_string_equal(live, anew);
    assert_non_null(strstr(live, lab_system->os == JA_OS_LINUX ? "10000000bit" : "10000000bit/s"));
    free(live);
    free(anew);
    lab_do(do_kill);
    lab_do(do_delete);
    sim_drop(&lab_sim, "module dummynet"); /* the first cases that follow are without it */
}

/* What somebody took away of the queues is made again, and nothing is done where all is there. */
static void shapes_are_repaired(void **unused)
{
    (void)unused;
    static const char *const lost[] = {"qdisc ja000n0 ", "qdisc ja000s0 ", "link ja000s0"};
    static char words[][40] = {"host", "kill-init", "/run/jailadmin-00/jails/0/pid"};
    char *const end[] = {words[0], words[1], words[2], NULL};
    struct ja_error err = JA_ERROR_INIT;
    if (lab_system->os != JA_OS_LINUX)
        skip();
    lab_do(do_create);
    lab_do(do_shape);
    lab_do(do_start);
    lab_do(do_repair);
    char *wanted = lab_snapshot(&lab_sim);
    for (size_t i = 0; i < JA_COUNT(lost); i++) {
        sim_drop_all(&lab_sim, "%s", lost[i]);
        lab_do(do_repair);
        char *now = lab_snapshot(&lab_sim);
        assert_string_equal(now, wanted);
        free(now);
    }
    free(wanted);
    wanted = shaping();
    /* Its init dies, and with it the pair alone. */
    assert_int_equal(sim_run(&lab_sim, NULL, end, 3, &err), 0);
    assert_non_null(sim_get(&lab_sim, "link ja000s0"));
    assert_null(sim_get(&lab_sim, "link ja000n0"));
    lab_do(do_start);
    char *again = shaping();
    assert_string_equal(again, wanted);
    free(again);
    free(wanted);
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

static void guests(void **unused)
{
    (void)unused;
    lab_do(do_dyn);
    sweep("create", do_guest, do_guest_delete);
    lab_do(do_guest);
    sweep("start", do_guest_start, do_guest_stop);
    lab_do(do_guest_start);
    sweep("stop", do_guest_stop, do_guest_start);
    sweep("set", do_dyn_set, do_dyn_unset);
    sweep("set", do_dns_off, do_dns_on);
    lab_do(do_guest_delete);
    sweep("set", do_gateway, do_gateway_back);
    lab_do(do_gateway);
    assert_non_null(sim_get(&lab_sim, "addr ja00br1 10.235.0.1/16"));
    assert_non_null(sim_get(&lab_sim, "addr ja00br1 fd00:236::1/64"));
    lab_do(do_gateway_back);
    lab_do(do_dyn_delete);
}

/* Rules of a network, while its jail runs; and what they name stays as it is. */
static void rules_of_networks(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    lab_do(do_dyn);
    lab_do(do_guest);
    sweep("set", do_rules, do_rules_off);
    lab_do(do_guest_start);
    lab_do(do_rules);
    sweep("set", do_rules_change, do_rules_back);
    char *before = lab_snapshot(&lab_sim);
    assert_int_equal(lab_run(do_guest_delete, NULL, NULL, &err), JA_E_BUSY);
    assert_non_null(strstr(err.what, "the rule one of the network dyn"));
    assert_int_equal(lab_run(do_default_delete, NULL, NULL, &err), JA_E_BUSY);
    assert_int_equal(lab_run(do_guest_readdress, NULL, NULL, &err), JA_E_BUSY);
    assert_non_null(strstr(err.what, "addresses cannot change: the rule one of the network dyn"));
    char *after = lab_snapshot(&lab_sim);
    assert_string_equal(before, after);
    free(before);
    free(after);
    lab_do(do_rules_off);
    lab_do(do_guest_delete);
    lab_do(do_rules_alone);
    sweep("delete", do_dyn_delete, do_dyn_ruled);
    lab_do(do_dyn_delete);
}

static void repairs(void **unused)
{
    (void)unused;
    lab_do(do_dyn);
    lab_do(do_guest);
    lab_do(do_rules);
    lab_do(do_damage);
    lab_do(do_repair);
    char *wanted = lab_snapshot(&lab_sim);
    size_t cases = 0;
    for (size_t step = 0, met = 1; met; step++) {
        met = 0;
        for (enum mode mode = 0; mode < CUT_BEFORE; mode++) {
            struct injection injection = {.verb = "repair", .step = step, .mode = mode};
            lab_do(do_damage);
            met += run_injected(do_repair, &injection);
            cases++;
            /* What could not be repaired is repaired by the next one, and nothing blocks it. */
            lab_do(do_recover);
            lab_do(do_repair);
            lab_check();
            char *after = lab_snapshot(&lab_sim);
            if (strcmp(after, wanted) != 0) {
                fflush(NULL);
                lab_print_missing("+", after, wanted);
                lab_print_missing("-", wanted, after);
                fail_msg("repair, %s step %zu, and again", mode_names[mode], step);
            }
            free(after);
        }
    }
    free(wanted);
    print_message("repair: %zu cases\n", cases);
    lab_do(do_rules_off);
    lab_do(do_guest_delete);
    lab_do(do_dyn_delete);
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
    lab_print_missing("-", before, after);
    lab_print_missing("+", after, before);
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

/* The other way of NAT: an anchor of pf for the network, and one for the jail's forwards. */
static void translation_by_pf(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    if (lab_system->os != JA_OS_FREEBSD)
        skip();
    lab_do(do_dyn);
    lab_do(do_guest);
    lab_do(do_guest_start);
    lab_do(do_guest_stop);
    lab_do(do_guest_start); /* as any but the first */
    /* What the administrator has not prepared is said, and nothing is changed. */
    char *before = lab_snapshot(&lab_sim);
    sim_drop(&lab_sim, "pf rdr-anchor");
    assert_int_equal(lab_run(do_pf_set, NULL, NULL, &err), JA_E_UNSUPPORTED);
    assert_non_null(strstr(err.hint, "`rdr-anchor \"jailadmin/*\"`"));
    assert_null(strstr(err.hint, "nat-anchor"));
    sim_put(&lab_sim, "", "pf rdr-anchor");
    sim_put(&lab_sim, "Disabled", "pf status");
    assert_int_equal(lab_run(do_pf_set, NULL, NULL, &err), JA_E_UNSUPPORTED);
    sim_put(&lab_sim, "Enabled", "pf status");
    char *after = lab_snapshot(&lab_sim);
    assert_string_equal(before, after);
    free(before);
    free(after);
    sweep("set", do_pf_set, do_pf_unset_anew);
    lab_do(do_pf_set);
    assert_non_null(sim_get(&lab_sim, "anchor ja00br1"));
    assert_null(sim_get(&lab_sim, "entry ja00natted 10.235.0.0/16"));
    sweep("set", do_pf_unset, do_pf_set_anew);
    lab_do(do_guest_stop);
    sweep("start", do_guest_start, do_guest_stop);
    /* What somebody has flushed is made again, whatever else is there. */
    lab_do(do_guest_start);
    before = lab_snapshot(&lab_sim);
    sim_drop_all(&lab_sim, "anchor ");
    lab_do(do_repair);
    after = lab_snapshot(&lab_sim);
    assert_string_equal(before, after);
    free(before);
    free(after);
    lab_do(do_guest_delete);
    lab_do(do_dyn_delete);
    assert_false(sim_starts(&lab_sim, sim_from(&lab_sim, "anchor "), "anchor "));
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
        lab_print_missing("+", again, running);
        lab_print_missing("-", running, again);
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

/* The network is made anew, which whoever needs it next also does when that is cut off. */
static void a_network_gets_a_vlan_and_loses_it(void **unused)
{
    (void)unused;
    struct ja_error err = JA_ERROR_INIT;
    lab_do(do_dyn);
    lab_do(do_vlan);
    lab_do(do_no_vlan);
    char *before = lab_snapshot(&lab_sim);
    lab_do(do_vlan);
    lab_check();
    char *with = lab_snapshot(&lab_sim);
    assert_non_null(strstr(with, "master ja00v1m0 = ja00br1\n"));
    lab_do(do_no_vlan);
    char *after = lab_snapshot(&lab_sim);
    assert_string_equal(before, after);
    lab_do(do_guest);
    lab_do(do_guest_start);
    assert_int_equal(lab_run(do_vlan, NULL, NULL, &err), JA_E_BUSY);
    lab_do(do_guest_stop);
    lab_do(do_guest_delete);
    lab_do(do_dyn_delete);
    sim_drop(&lab_sim, "module if_vlan"); /* which no other test needs, and which would stay until the next power cut */
    free(before);
    free(with);
    free(after);
}

/* The host has an address in the range of a network, such as on an interface that is part of it. */
static void addresses_of_the_host_are_not_given(void **unused)
{
    (void)unused;
    char *text;
    lab_do(do_dyn);
    sim_put(&lab_sim, "", "addr %s 10.235.0.2/24", lab_system->uplink);
    lab_do(do_guest);
    text = lab_snapshot(&lab_sim);
    assert_null(strstr(text, "reserved address dyn 10.235.0.2\n"));
    assert_non_null(strstr(text, "reserved address dyn 10.235.0.3\n"));
    free(text);
    lab_do(do_guest_delete);
    sim_drop(&lab_sim, "addr %s 10.235.0.2/24", lab_system->uplink);
    lab_do(do_dyn_delete);
}

static int set_up(void **unused)
{
    lab_set_up(unused);
    lab_init("10.233.0.1/24");
    lab_do(do_base);
    return 0;
}

static int tear_down(void **unused)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_engine_options options = lab_options();
    struct ja_engine *engine = NULL;
    lab_must(ja_engine_open(&options, &engine, &err), &err);
    lab_must(ja_engine_teardown(engine, true, &err), &err);
    ja_engine_close(engine);
    lab_check();
    /* The host is as it was found, but for what stays for good. */
    lab_forget(&lab_sim);
    struct ja_sim fresh;
    ja_sim_init(&fresh, lab_system, lab_state);
    lab_forget(&fresh);
    struct ja_str left = {0}, found = {0};
    ja_str_add(&left, "\n");
    ja_str_add(&found, "\n");
    ja_sim_print(&lab_sim, &left);
    ja_sim_print(&fresh, &found);
    if (strcmp(left.text, found.text) != 0) {
        lab_print_missing("+", left.text, found.text);
        lab_print_missing("-", found.text, left.text);
        fail_msg("teardown left what is above");
    }
    ja_str_fini(&left);
    ja_str_fini(&found);
    ja_sim_fini(&fresh);
    return lab_tear_down(unused);
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
        cmocka_unit_test(shapes),
        cmocka_unit_test(shapes_are_repaired),
        cmocka_unit_test(guests),
        cmocka_unit_test(rules_of_networks),
        cmocka_unit_test(repairs),
        cmocka_unit_test(translation_by_pf),
        cmocka_unit_test(a_network_gets_a_vlan_and_loses_it),
        cmocka_unit_test(addresses_of_the_host_are_not_given),
        cmocka_unit_test(networks), /* last: forwarding of IPv6 stays on while the instance is there */
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
