/*
 * test_faults.c: a simulated host that stops answering: from the k-th command or reading of facts on nothing works any more (no
 * processes, no descriptors, a system that hangs), or only that one fails. Undos fail then, too. When the host works again, gc brings
 * back what was there before, or what was wanted. And: clocks that jump; a registry that is damaged.
 */
#include "simnet.h"

#include "base/clock.h"
#include "run/registry.h"

/* What the simulated host does when it works. */
static struct ja_machine sound;
static long calls, breaks_at = -1;
static bool stays_broken;

static bool is_broken(void)
{
    long call = calls++;
    return breaks_at >= 0 && (stays_broken ? call >= breaks_at : call == breaks_at);
}

static int broken_run(struct ja_machine *machine, const struct ja_cmd *cmd, int64_t timeout_ms, const char *mark,
                      struct ja_str *output, struct ja_error *err)
{
    if (is_broken())
        return ja_error_set(err, JA_E_FAILED, NULL, "%s cannot be run: no processes", cmd->argv.items[0]);
    return sound.run(machine, cmd, timeout_ms, mark, output, err);
}

static int broken_read(void *context, struct ja_facts *facts, struct ja_error *err)
{
    if (is_broken())
        return ja_error_set(err, JA_E_FAILED, NULL, "facts cannot be read: no processes");
    return sound.facts.read(context, facts, err);
}

static int do_gc(struct ja_engine *engine, struct ja_error *err)
{
    int rc = ja_engine_gc(engine, err);
    return rc < 0 ? rc : ja_engine_network_ensure(engine, "default", err);
}

/* Without the neighbours that a jail of FreeBSD is told of: that may fail, with a warning, and what is within a jail is not repaired. */
static char *snapshot(void)
{
    char *text = lab_snapshot(&lab_sim);
    for (char *line = text; (line = strstr(line, "\nneigh 1#")) != NULL;)
        memmove(line, line + 1 + strcspn(line + 1, "\n"), strlen(line + 1 + strcspn(line + 1, "\n")) + 1);
    return text;
}

static void sweep(const char *name, lab_verb *verb, lab_verb *back)
{
    long cases = 0, total;
    int one_in = getenv("JAILADMIN_TEST_LONG") ? 1 : 2;
    lab_do(verb);
    lab_do(do_gc);
    ja_autofree char *wanted = snapshot();
    lab_do(back);
    lab_do(do_gc);
    ja_autofree char *before = snapshot();
    calls = 0;
    lab_do(verb);
    total = calls;
    lab_do(back);
    for (long k = 0; k < total; k++) {
        for (int stays = 0; stays < 2; stays++) {
            struct ja_error err = JA_ERROR_INIT;
            if (one_in > 1 && rand() % one_in)
                continue;
            cases++;
            calls = 0;
            breaks_at = k;
            stays_broken = stays;
            int rc = lab_run(verb, NULL, NULL, &err);
            breaks_at = -1;
            lab_do(do_gc);
            lab_check();
            ja_autofree char *after = snapshot();
            /* What may be missing was told as a warning; repair makes it up. */
            if (rc == 0 && strcmp(after, wanted) != 0) {
                lab_do(do_repair);
                free(after);
                after = snapshot();
            }
            bool is_wanted = strcmp(after, wanted) == 0;
            if (!is_wanted && strcmp(after, before) != 0) {
                fflush(NULL);
                lab_print_difference(after, rc == 0 ? wanted : before);
                fail_msg("%s, call %ld fails%s (%s), left what is above", name, k, stays ? " and all later ones" : "",
                         rc < 0 ? err.what : "it managed");
            }
            if (rc < 0 && !err.what[0])
                fail_msg("%s, call %ld fails%s: no word of it", name, k, stays ? " and all later ones" : "");
            if (is_wanted && strcmp(before, wanted) != 0) {
                lab_do(back);
                lab_do(do_gc);
            }
        }
    }
    print_message("%s: %ld of %ld cases\n", name, cases, 2 * total);
}

static void the_host_stops_answering(void **unused)
{
    (void)unused;
    sweep("template create", do_template, do_template_delete);
    sweep("network create", do_network, do_network_delete);
    sweep("create", do_create, do_delete);
    sweep("create, started", do_create_started, do_delete_started);
    lab_do(do_create);
    sweep("clone", do_clone, do_clone_delete);
    sweep("set", do_set, do_unset);
    sweep("rename", do_rename, do_rename_back);
    sweep("snapshot create", do_snapshot, do_unsnapshot);
    sweep("be create", do_be, do_unbe);
    sweep("start", do_start, do_kill);
    lab_do(do_start);
    sweep("set, running", do_tune, do_untune);
    sweep("stop", do_stop, do_start);
    lab_do(do_kill);
    sweep("delete", do_delete, do_create);
    lab_do(do_delete);
}

/* Nothing depends on the calendar but what is shown. */
static void the_clock_jumps(void **unused)
{
    static const int64_t jumps[] = {-400LL * 86400000, 0, 400LL * 86400000, -1, 60000};
    (void)unused;
    for (size_t i = 0; i < JA_COUNT(jumps); i++) {
        ja_clock_shift(0);
        lab_do(do_create);
        lab_do(do_start);
        lab_do(do_snapshot);
        lab_do(do_unsnapshot);
        ja_autofree char *before = lab_snapshot(&lab_sim);
        lab_do(do_snapshot);
        ja_clock_shift(jumps[i]);
        lab_do(do_go_on);
        lab_do(do_stop);
        lab_do(do_rollback);
        lab_do(do_later_delete);
        lab_do(do_unsnapshot);
        lab_do(do_start);
        lab_do(do_gc);
        lab_check();
        ja_autofree char *after = lab_snapshot(&lab_sim);
        if (strcmp(after, before) != 0) {
            lab_print_difference(after, before);
            fail_msg("with the clock set by %lld ms it is not as it was", (long long)jumps[i]);
        }
        lab_do(do_kill);
        lab_do(do_delete);
    }
    ja_clock_shift(0);
}

static void write_registry(const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/00.json", ja_registry_dir());
    assert_int_equal(ja_file_write(path, text, strlen(text), 0644, false, NULL), 0);
}

/* Whatever somebody has made of the instance's registration: what runs goes on, and repair writes it again. */
static void the_registration_is_damaged(void **unused)
{
    static const char *const texts[] = {
        "", "{", "[]", "{\"tag\": \"00\"}", "\xff\xfe", "{\"tag\": 7, \"slots\": \"x\"}"};
    struct ja_instance was, is;
    (void)unused;
    assert_int_equal(ja_registry_get("00", &was, NULL), 0);
    for (size_t i = 0; i < JA_COUNT(texts); i++) {
        write_registry(texts[i]);
        lab_do(do_create);
        lab_do(do_start);
        lab_do(do_kill);
        lab_do(do_delete);
        lab_do(do_repair);
        assert_int_equal(ja_registry_get("00", &is, NULL), 0);
        assert_string_equal(is.uuid, was.uuid);
        assert_int_equal(is.uid_base, was.uid_base);
        assert_int_equal(is.shared_base, was.shared_base);
    }
}

static int set_up(void **unused)
{
    lab_set_up(unused);
    sound = lab_sim.machine;
    lab_sim.machine.run = broken_run;
    lab_sim.machine.facts.read = broken_read;
    lab_init("10.233.0.1/24");
    lab_do(do_base);
    return 0;
}

int main(int argc, char **argv)
{
    lab_choose(argc, argv);
    lab_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_stops_answering),
        cmocka_unit_test(the_clock_jumps),
        cmocka_unit_test(the_registration_is_damaged),
    };
    return cmocka_run_group_tests(tests, set_up, lab_tear_down);
}
