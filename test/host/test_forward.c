/*
 * test_forward.c: what port forwards promise: the world, the host and other jails reach a jail by a port of the host, over
 * IPv4 and IPv6, also when frames of bridges pass the rules of routed traffic (br_netfilter) and when they do not; ports
 * that are in use are refused; a change leaves what stays alone; the end of a jail leaves nothing.
 */
#include "netjails.h"

#include "host/linux/network.h"

#define BRIDGED6 "/proc/sys/net/bridge/bridge-nf-call-ip6tables"
#define BRIDGED "/proc/sys/net/bridge/bridge-nf-call-iptables"

static char *lan_addresses[] = {(char *)"10.77.0.1/24", (char *)"fd77::1/64", NULL};
static char *other_addresses[] = {(char *)"10.78.0.1/24", NULL};
static char *iso_addresses[] = {(char *)"10.79.0.1/24", NULL};
static struct ja_network lan = NETWORK("lan", 0, "aaaaaaaa-0000-4000-8000-000000000001", lan_addresses, "auto");
static struct ja_network other = NETWORK("other", 1, "aaaaaaaa-0000-4000-8000-000000000002", other_addresses, "auto");
static struct ja_network iso = NETWORK("iso", 2, "aaaaaaaa-0000-4000-8000-000000000003", iso_addresses, "auto");
static struct ja_network *const networks[] = {&lan, &other, &iso};

static char *web1_addresses[] = {(char *)"10.77.0.2/24", (char *)"fd77::2/64", NULL};
static char *web2_addresses[] = {(char *)"10.77.0.3/24", (char *)"fd77::3/64", NULL};
static char *db_addresses[] = {(char *)"10.78.0.2/24", NULL};
static char *iso1_addresses[] = {(char *)"10.79.0.2/24", NULL};
static char *iso2_addresses[] = {(char *)"10.79.0.3/24", NULL};
static struct lab_jail web1 = JAIL("web1", 1, "bbbbbbbb-0000-4000-8000-000000000001", &lan, web1_addresses);
static struct lab_jail web2 = JAIL("web2", 2, "bbbbbbbb-0000-4000-8000-000000000002", &lan, web2_addresses);
static struct lab_jail db = JAIL("db", 3, "bbbbbbbb-0000-4000-8000-000000000003", &other, db_addresses);
static struct lab_jail iso1 = JAIL("iso1", 4, "bbbbbbbb-0000-4000-8000-000000000004", &iso, iso1_addresses);
static struct lab_jail iso2 = JAIL("iso2", 5, "bbbbbbbb-0000-4000-8000-000000000005", &iso, iso2_addresses);
static struct lab_jail *const jails[] = {&web1, &web2, &db, &iso1, &iso2};

#define FORWARD(name_, port_, to_, address_)                                                                           \
    {                                                                                                                  \
        .name = (char *)(name_), .port = (char *)(port_), .to = (char *)(to_), .address = (char *)(address_)           \
    }
static struct ja_forward web1_forwards[] = {
    FORWARD("web", "8080", "80", NULL), FORWARD("range", "8100-8101", "79-80", NULL),
    FORWARD("one", "8090", "80", "203.0.113.1"), FORWARD("six", "8090", "80", "fd99::1")};
static struct ja_forward iso1_forwards[] = {FORWARD("web", "8200", "80", NULL)};
static void *web1_list[] = {&web1_forwards[0], &web1_forwards[1], &web1_forwards[2], &web1_forwards[3]};
static void *iso1_list[] = {&iso1_forwards[0]};

static int build(void **state)
{
    (void)state;
    make_world();
    web1.jail.forwards = (struct ja_list){web1_list, JA_COUNT(web1_list)};
    iso1.jail.forwards = (struct ja_list){iso1_list, JA_COUNT(iso1_list)};
    iso.isolate = true;
    for (size_t i = 0; i < JA_COUNT(networks); i++)
        assert_true(lab_apply(lab_network_up, networks[i], false) > 0);
    for (size_t i = 0; i < JA_COUNT(jails); i++) {
        jail_init(jails[i]);
        lab_apply(lab_jail_start, &jails[i]->subject, false);
        serve(jails[i]->ns, HTTP);
        await(jails[i]->ns, "127.0.0.1", HTTP);
    }
    return 0;
}

/* ---- who reaches it ---- */

static void the_world_reaches_a_forwarded_port(void **state)
{
    (void)state;
    assert_int_equal(reach_as(world, NULL, "203.0.113.1", 8080, "203.0.113.2"), 0);
    assert_int_equal(reach_as(world, NULL, "fd99::1", 8080, "fd99::2"), 0);
    DENIED(world, "203.0.113.1", 8081);
    DENIED(world, "10.77.0.2", HTTP);
}

static void the_host_reaches_it_by_its_own_addresses(void **state)
{
    (void)state;
    REACHES(NULL, "203.0.113.1", 8080);
    REACHES(NULL, "10.77.0.1", 8080);
    REACHES(NULL, "fd99::1", 8080);
    DENIED(NULL, "127.0.0.1", 8080);
    DENIED(NULL, "::1", 8080);
}

static void jails_reach_it(void **state)
{
    (void)state;
    bool can_choose = access(BRIDGED, W_OK) == 0;
    for (int bridged = 0; bridged < (can_choose ? 2 : 1); bridged++) {
        if (can_choose) {
            put_text(BRIDGED, bridged ? "1" : "0");
            put_text(BRIDGED6, bridged ? "1" : "0");
        }
        REACHES(web2.ns, "203.0.113.1", 8080);
        REACHES(web2.ns, "10.77.0.1", 8080);
        REACHES(web2.ns, "fd99::1", 8080);
        REACHES(db.ns, "203.0.113.1", 8080);
        /* With br_netfilter the kernel bridges it, and no bridge sends a frame back to where it came from. */
        if (!bridged) {
            REACHES(web1.ns, "203.0.113.1", 8080);
            REACHES(web1.ns, "fd99::1", 8080);
        }
    }
}

static void ranges_lead_to_ranges(void **state)
{
    (void)state;
    REACHES(world, "203.0.113.1", 8101);
    DENIED(world, "203.0.113.1", 8100);
}

static void a_forward_of_one_address_is_there_only(void **state)
{
    (void)state;
    REACHES(world, "203.0.113.1", 8090);
    REACHES(world, "fd99::1", 8090);
    REACHES(web2.ns, "203.0.113.1", 8090);
    DENIED(web2.ns, "10.77.0.1", 8090);
}

static void isolated_jails_are_reached_by_the_world_alone(void **state)
{
    (void)state;
    REACHES(world, "203.0.113.1", 8200);
    DENIED(iso2.ns, "203.0.113.1", 8200);
    DENIED(iso2.ns, "10.79.0.1", 8200);
}

/* ---- what is in use ---- */

static void check_forwards(struct ja_planning *p, const void *object)
{
    ja_forwards_check(p, object, NULL);
}

static void assert_refused(const char *port, const char *address, int wanted, const char *text)
{
    struct ja_forward forward = FORWARD("web", port, NULL, address);
    void *list[] = {&forward};
    struct ja_facts facts = {0};
    struct ja_plan plan;
    web2.jail.forwards = (struct ja_list){list, 1};
    lab_plan(check_forwards, &web2.subject, &facts, &plan);
    web2.jail.forwards = (struct ja_list){0};
    if (plan.err.code != wanted || !strstr(plan.err.what, text))
        fail_msg("%s %s: %d %s: %s", port, address ? address : "*", plan.err.code, plan.err.object, plan.err.what);
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
}

static int listen_at(const char *address, int port, int type)
{
    struct sockaddr_storage at_;
    socklen_t length = lab_address(address, port, &at_);
    int fd = socket(at_.ss_family, type | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at_, length), 0);
    assert_true(type == SOCK_DGRAM || listen(fd, 1) == 0);
    return fd;
}

static void ports_in_use_are_refused_with_their_holder(void **state)
{
    (void)state;
    int everywhere = listen_at("0.0.0.0", 9001, SOCK_STREAM), there = listen_at("203.0.113.1", 9002, SOCK_STREAM);
    int loopback = listen_at("127.0.0.1", 9003, SOCK_STREAM), six = listen_at("::", 9004, SOCK_STREAM);
    int loopback6 = listen_at("::1", 9005, SOCK_STREAM), udp = listen_at("0.0.0.0", 9006, SOCK_DGRAM);
    assert_refused("9001", NULL, JA_E_CONFLICT, "test_forward (process ");
    assert_refused("9001", "203.0.113.1", JA_E_CONFLICT, "test_forward");
    assert_refused("8999-9001", NULL, JA_E_CONFLICT, "test_forward");
    assert_refused("9002", NULL, JA_E_CONFLICT, "test_forward");
    assert_refused("9002", "10.77.0.1", 0, "");
    assert_refused("9003", NULL, 0, "");
    assert_refused("9004", "203.0.113.1", JA_E_CONFLICT, "test_forward");
    assert_refused("9005", NULL, 0, "");
    assert_refused("9006", NULL, 0, ""); /* that is UDP */
    assert_refused("10000-20000", NULL, JA_E_LIMIT, "4096");
    const int fds[] = {everywhere, there, loopback, six, loopback6, udp};
    for (size_t i = 0; i < JA_COUNT(fds); i++)
        close(fds[i]);
}

/* ---- changes ---- */

struct change {
    const struct ja_subject *from, *to;
};

static void change_forwards(struct ja_planning *p, const void *object)
{
    const struct change *change = object;
    ja_host_linux.forwards_change(p, change->from, change->to);
}

static char *rules(void)
{
    static struct ja_str text;
    ja_str_fini(&text);
    assert_int_equal(lab_program(NULL, &text, "/usr/sbin/nft", "list", "table", "inet", "jazz", NULL), 0);
    return ja_strdup(text.text);
}

static void forwards_change_while_the_jail_runs(void **state)
{
    (void)state;
    struct ja_forward moved = FORWARD("web", "8888", "80", NULL);
    void *list[] = {&moved, &web1_forwards[1]};
    struct ja_jail jail = web1.jail;
    jail.forwards = (struct ja_list){list, 2};
    struct ja_subject to = {.jail = &jail, .networks = web1.networks};
    struct change change = {&web1.subject, &to}, back = {&to, &web1.subject};
    ja_autofree char *before = rules();
    lab_apply(change_forwards, &change, true);
    ja_autofree char *undone = rules();
    assert_string_equal(before, undone);
    assert_int_equal(lab_apply(change_forwards, &change, false), 1);
    REACHES(world, "203.0.113.1", 8888);
    REACHES(world, "203.0.113.1", 8101);
    DENIED(world, "203.0.113.1", 8080);
    DENIED(world, "203.0.113.1", 8090);
    lab_apply(change_forwards, &back, false);
    ja_autofree char *after = rules();
    assert_string_equal(before, after);
    REACHES(world, "203.0.113.1", 8080);
}

static void ten_starts_and_stops_leave_one_rule(void **state)
{
    (void)state;
    ja_autofree char *before = rules();
    for (int i = 0; i < 10; i++) {
        lab_apply(lab_jail_clean, &iso1.subject, false);
        ja_autofree char *without = rules();
        assert_null(strstr(without, "8200"));
        lab_apply(lab_jail_start, &iso1.subject, false);
    }
    ja_autofree char *after = rules();
    assert_string_equal(before, after);
}

static void a_start_can_be_undone(void **state)
{
    (void)state;
    lab_apply(lab_jail_clean, &web1.subject, false);
    ja_autofree char *before = rules();
    assert_null(strstr(before, "8080"));
    lab_apply(lab_jail_start, &web1.subject, true);
    ja_autofree char *after = rules();
    assert_string_equal(before, after);
    lab_apply(lab_jail_start, &web1.subject, false);
}

static void nothing_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < JA_COUNT(jails); i++)
        lab_apply(lab_jail_clean, &jails[i]->subject, false);
    ja_autofree char *after = rules();
    assert_null(strstr(after, " . 80 }"));
    lab_apply(lab_instance_down, NULL, false);
    ja_autostr struct ja_str tables = {0};
    assert_int_equal(lab_program(NULL, &tables, "/usr/sbin/nft", "list", "tables", NULL), 0);
    assert_true(tables.length == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_world_reaches_a_forwarded_port),
        cmocka_unit_test(the_host_reaches_it_by_its_own_addresses),
        cmocka_unit_test(jails_reach_it),
        cmocka_unit_test(ranges_lead_to_ranges),
        cmocka_unit_test(a_forward_of_one_address_is_there_only),
        cmocka_unit_test(isolated_jails_are_reached_by_the_world_alone),
        cmocka_unit_test(ports_in_use_are_refused_with_their_holder),
        cmocka_unit_test(forwards_change_while_the_jail_runs),
        cmocka_unit_test(ten_starts_and_stops_leave_one_rule),
        cmocka_unit_test(a_start_can_be_undone),
        cmocka_unit_test(nothing_is_left),
    };
    if (!lab_enter())
        return LAB_SKIP;
    int failed = cmocka_run_group_tests(tests, build, unbuild);
    scratch_teardown(NULL);
    return failed;
}
