/*
 * test_shape.c: the shapes of nics: how they are written and checked, what they come to in numbers, and that what is measured is
 * what happens.
 */
#include "base/clock.h"
#include "host/shape.h"
#include "model/model.h"
#include "run/measure.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- written and read ---- */

static void percents_are_exact_to_the_fourth_decimal(void **state)
{
    static const struct {
        const char *given, *shown;
        int64_t value;
    } good[] = {{"0", "0", 0},
                {"1", "1%", 10000},
                {"0.5%", "0.5%", 5000},
                {"0.0001", "0.0001%", 1},
                {"12.3456%", "12.3456%", 123456},
                {"100%", "100%", 1000000}};
    static const char *const bad[] = {"", "%", "1%%", "-1", "0.00001", ".5", "5.", "1 %", "1e3", "99999999999999999%"};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(good); i++) {
        struct ja_error err = JA_ERROR_INIT;
        int64_t value = -1;
        char text[32];
        assert_int_equal(ja_value_parse(JA_T_PERCENT, good[i].given, &value, &err), 0);
        assert_int_equal(value, good[i].value);
        ja_value_format(JA_T_PERCENT, value, text, sizeof text);
        assert_string_equal(text, good[i].shown);
    }
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        struct ja_error err = JA_ERROR_INIT;
        int64_t value = -1;
        assert_int_equal(ja_value_parse(JA_T_PERCENT, bad[i], &value, &err), JA_E_INVALID);
    }
}

static struct ja_jail *a_jail(const char *nic, int wanted)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    assert_non_null(jail);
    assert_int_equal(ja_object_set(&ja_noun_jail, jail, "name=web1", true, &err), 0);
    assert_int_equal(ja_object_set(&ja_noun_jail, jail, "template=base", true, &err), 0);
    int rc = ja_object_set_entry(&ja_noun_jail, jail, "nics", nic, &err);
    if (rc == 0)
        rc = ja_object_check(&ja_noun_jail, jail, &err);
    if (rc != wanted)
        fail_msg("%s: %d, %s: %s", nic, rc, err.object, err.what);
    return jail;
}

static void an_option_of_a_nic_says_its_shape_too(void **state)
{
    (void)state;
    struct ja_jail *jail =
        a_jail("eth0,network=lan,shape.in.rate=10Mbit,shape.in.delay=20ms,shape.out.loss=0.5,shape.enforce=yes", 0);
    const struct ja_nic *nic = jail->nics.items[0];
    assert_int_equal(nic->shape.in.rate, 10000000);
    assert_int_equal(nic->shape.in.delay, 20);
    assert_int_equal(nic->shape.out.loss, 5000);
    assert_true(nic->shape.enforce);
    /* As JSON and back it is the same. */
    struct ja_error err = JA_ERROR_INIT;
    json_t *json = ja_object_to_json(&ja_noun_jail, jail, false);
    void *again = NULL;
    assert_int_equal(ja_object_from_json(&ja_noun_jail, json, false, &again, &err), 0);
    assert_true(ja_object_equal(&ja_noun_jail, jail, again));
    ja_object_free(&ja_noun_jail, again);
    json_decref(json);
    ja_object_free(&ja_noun_jail, jail);
}

static void shapes_that_make_no_sense_are_refused(void **state)
{
    static const char *const bad[] = {
        "shape.in.burst=1M",
        "shape.in.queue=50",
        "shape.in.jitter=5ms",
        "shape.in.delay=5ms,shape.in.jitter=6ms",
        "shape.in.loss-burst=3",
        "shape.in.loss=67%,shape.in.loss-burst=2", /* two of three are lost at most */
        "shape.in.loss=100.0001%",
        "shape.in.delay=11s",
        "shape.in.rate=1kbit",
        "shape.in.rate=1Mbit,shape.in.rate=2Mbit",
        "shape.in.rate=1Mbit,shape.in.burst=100",
        "shape.in=1Mbit",
        "shape=1",
        "shape.sideways.rate=1Mbit",
        "shape.in.rat=1Mbit",
        "shape.in.",
        "shape.",
    };
    static const char *const good[] = {"shape.in.loss=66%,shape.in.loss-burst=2", "shape.in.loss=100%",
                                       "shape.in.delay=10s,shape.in.jitter=10s",
                                       "shape.in.rate=", "shape.out.rate=8kbit,shape.out.burst=1600,shape.out.queue=2"};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        char text[256];
        snprintf(text, sizeof text, "eth0,network=lan,%s", bad[i]);
        ja_object_free(&ja_noun_jail, a_jail(text, JA_E_INVALID));
    }
    for (size_t i = 0; i < JA_COUNT(good); i++) {
        char text[256];
        snprintf(text, sizeof text, "eth0,network=lan,%s", good[i]);
        ja_object_free(&ja_noun_jail, a_jail(text, 0));
    }
}

static void an_unknown_field_is_said_to_be_the_shapes(void **state)
{
    (void)state;
    struct ja_jail *jail = a_jail("eth0,network=lan", 0);
    struct ja_error err = JA_ERROR_INIT;
    assert_int_equal(ja_object_set(&ja_noun_jail, jail, "nics.eth0.shape.in.rat=1Mbit", false, &err), JA_E_INVALID);
    assert_string_equal(err.what, "flow has no field \"rat\"");
    assert_string_equal(err.object, "field nics.eth0.shape.in.rat");
    assert_string_equal(err.hint, "did you mean \"rate\"?");
    assert_int_equal(ja_object_set(&ja_noun_jail, jail, "nics.eth0.shap.in=1", false, &err), JA_E_INVALID);
    ja_object_free(&ja_noun_jail, jail);
}

/* Its root is kept from changing the shape by a securelevel, which another field says too. */
static void enforcement_and_securelevel_agree(void **state)
{
    static const struct {
        const char *level;
        int code;
    } cases[] = {{"-1", 0}, {"0", JA_E_INVALID}, {"2", JA_E_INVALID}, {"3", 0}};
    (void)state;
    struct ja_jail *jail = a_jail("eth0,network=lan,shape.in.rate=1Mbit,shape.enforce=yes", 0);
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        struct ja_error err = JA_ERROR_INIT;
        char text[32];
        snprintf(text, sizeof text, "securelevel=%s", cases[i].level);
        assert_int_equal(ja_object_set(&ja_noun_jail, jail, text, false, &err), 0);
        assert_int_equal(ja_object_check(&ja_noun_jail, jail, &err), cases[i].code);
    }
    ja_object_free(&ja_noun_jail, jail);
}

/* ---- numbers ---- */

static void what_nobody_says_follows_from_the_rate(void **state)
{
    (void)state;
    struct ja_flow flow = {.rate = 1000000};
    assert_int_equal(ja_flow_queue(&flow, 1500), 50);
    assert_int_equal(ja_flow_burst(&flow, 1500), 2 * 1518);
    flow.rate = 1000000000;
    assert_int_equal(ja_flow_queue(&flow, 1500), 1000000000 / 8 / 20 / 1500);
    assert_int_equal(ja_flow_burst(&flow, 1500), 1250000);
    flow.queue = 7;
    flow.burst = 2000;
    assert_int_equal(ja_flow_queue(&flow, 1500), 7);
    assert_int_equal(ja_flow_burst(&flow, 1500), 2000);
    assert_int_equal(ja_flow_burst(&flow, 9000), 9018); /* less lets no packet pass */
    /* What the delay holds at that rate is in the line beside the queue. */
    flow.delay = 100;
    assert_true(ja_flow_line(&flow, 1500) >= 7 + 1000000000 / 8 / 10 / 1500);
    flow = (struct ja_flow){.delay = 100};
    assert_true(ja_flow_line(&flow, 1500) >= 10000);
    flow = (struct ja_flow){.loss = 1};
    assert_int_equal(ja_flow_line(&flow, 1500), 1000);
}

/* The chain that the parameters describe loses as much, and as much in a row, as was asked for. */
static void losses_in_a_row_come_to_the_loss_that_was_asked_for(void **state)
{
    static const struct ja_flow flows[] = {{.loss = 100000, .loss_burst = 4},
                                           {.loss = 10000, .loss_burst = 1},
                                           {.loss = 500000, .loss_burst = 10},
                                           {.loss = 660000, .loss_burst = 2}};
    (void)state;
    srand(7);
    for (size_t i = 0; i < JA_COUNT(flows); i++) {
        double begin, end;
        ja_flow_gilbert(&flows[i], &begin, &end);
        assert_true(begin > 0 && begin <= 1 && end > 0 && end <= 1);
        double asked = (double)flows[i].loss / 1e6;
        assert_float_equal(begin / (begin + end), asked, 1e-9);
        assert_float_equal(1 / end, (double)flows[i].loss_burst, 1e-9);
        long lost = 0, rows = 0;
        bool bad = false, before = false;
        const long packets = 400000;
        for (long n = 0; n < packets; n++) {
            bool loses = bad;
            bad = (double)rand() / RAND_MAX < (bad ? 1 - end : begin);
            lost += loses;
            rows += loses && !before;
            before = loses;
        }
        assert_float_equal((double)lost / (double)packets, asked, asked * 0.05);
        assert_float_equal((double)lost / (double)rows, (double)flows[i].loss_burst,
                           (double)flows[i].loss_burst * 0.05);
    }
}

/* ---- measuring ---- */

/* Two ends of a way that loses nothing and has no delay. */
static void a_way(struct ja_measure both[2], int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++) {
        ja_measure_room(fds[i]);
        both[i] = (struct ja_measure){.from = fds[i], .to = fds[!i], .header = 42};
    }
}

static void a_way_that_does_nothing_is_measured_as_that(void **state)
{
    (void)state;
    struct ja_measure both[2];
    struct ja_error err = JA_ERROR_INIT;
    int fds[2];
    a_way(both, fds);
    assert_int_equal(ja_measure_begin(both, &err), 0);
    both[1].rate = 64000; /* fewer packets are sent where few may pass */
    assert_int_equal(ja_measure_packets(both, 300, &err), 0);
    for (int i = 0; i < 2; i++) {
        assert_true(both[i].sent > 0 && both[i].received == both[i].sent);
        assert_true(both[i].lost == 0 && both[i].lost_in_row == 0);
        assert_true(both[i].least_us >= 0 && both[i].least_us <= both[i].delay_us);
    }
    assert_true(both[1].sent < both[0].sent);
    /* What is offered is half more than what is expected to pass; here all of it does. */
    both[0].rate = 4000000;
    assert_int_equal(ja_measure_rate(&both[0], 500, &err), 0);
    assert_true(both[0].bits > 0 && both[0].offered <= 6100000);
    close(fds[0]);
    close(fds[1]);
}

static void a_way_that_leads_nowhere_is_an_error(void **state)
{
    (void)state;
    struct ja_measure both[2];
    struct ja_error err = JA_ERROR_INIT;
    int fds[2], other[2];
    a_way(both, fds);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, other), 0);
    both[0].to = other[0];
    assert_int_equal(ja_measure_begin(both, &err), JA_E_TIMEOUT);
    assert_non_null(strstr(err.hint, "firewall"));
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(other[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percents_are_exact_to_the_fourth_decimal),
        cmocka_unit_test(an_option_of_a_nic_says_its_shape_too),
        cmocka_unit_test(shapes_that_make_no_sense_are_refused),
        cmocka_unit_test(an_unknown_field_is_said_to_be_the_shapes),
        cmocka_unit_test(enforcement_and_securelevel_agree),
        cmocka_unit_test(what_nobody_says_follows_from_the_rate),
        cmocka_unit_test(losses_in_a_row_come_to_the_loss_that_was_asked_for),
        cmocka_unit_test(a_way_that_does_nothing_is_measured_as_that),
        cmocka_unit_test(a_way_that_leads_nowhere_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
