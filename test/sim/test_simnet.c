/*
 * test_simnet.c: verbs of networks, and what a jail has on them, on a simulated host, swept as simsweep.h says.
 */
#include "simbsd.h"
#include "simnet.h"
#include "simshape.h"
#include "simsweep.h"

static void networks(void **unused)
{
    (void)unused;
    sweep("create", do_network, do_network_delete);
    lab_do(do_network);
    sweep("delete", do_network_delete, do_network);
    lab_do(do_network_delete);
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
                lab_print_difference(after, wanted);
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

int main(int argc, char **argv)
{
    lab_choose(argc, argv);
    lab_seed();
    const struct CMUnitTest tests[] = {
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
