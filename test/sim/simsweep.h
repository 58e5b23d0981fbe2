/*
 * simsweep.h: a verb at every step k, for the tests that sweep: step k fails before or after its work, does half of it, or the process is
 * killed there, with or without a reboot before the next command. Then the host and the store are as they were before, or as they
 * were wanted; never between.
 */
#ifndef SIMSWEEP_H
#define SIMSWEEP_H

#include "simlab.h"
#include "simloss.h"

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
        if (mode == LOSE_AFTER)
            lose();
        lab_die();
    }
    return -1;
}

struct apart {
    lab_verb *verb;
    struct injection *injection;
};

static int inject(void *context)
{
    const struct apart *apart = context;
    struct ja_error err = JA_ERROR_INIT;
    if (apart->injection->mode == LOSE_AFTER)
        lose_begin();
    lab_run(apart->verb, probe, apart->injection, &err);
    return 0;
}

/* Runs the verb with the injection. True when the injection was met. */
static bool run_injected(lab_verb *verb, struct injection *injection)
{
    struct apart apart = {verb, injection};
    struct ja_error err = JA_ERROR_INIT;
    if (kills(injection->mode))
        return WIFSIGNALED(lab_apart(inject, &apart));
    lab_run(verb, probe, injection, &err);
    lab_sim.tear = -1;
    return injection->hit;
}

static int lose_at_end(void *context)
{
    const struct apart *apart = context;
    struct ja_error err = JA_ERROR_INIT;
    unlinks_are_lost = true;
    lose_begin();
    int rc = lab_run(apart->verb, NULL, NULL, &err);
    lose();
    return rc < 0;
}

/* Runs the verb to its end, and the power goes at once: nothing is on the disks but what was synced, and journals that were removed are
 * there again. */
static void run_and_lose(lab_verb *verb)
{
    assert_int_equal(lab_apart(lose_at_end, &(struct apart){.verb = verb}), 0);
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
        lab_print_left(after, before, wanted);
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
        lab_print_difference(now, ends->before);
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
    return lab_left_out(lab_share(lab_system == &ja_sim_linux ? 1 : 6));
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
    lab_must(ja_engine_teardown(engine, true, 1, &err), &err);
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
        lab_print_difference(left.text, found.text);
        fail_msg("teardown left what is above");
    }
    ja_str_fini(&left);
    ja_str_fini(&found);
    ja_sim_fini(&fresh);
    return lab_tear_down(unused);
}

#endif
