/*
 * test_network.c: what networks promise, with real bridges, rules and name servers: jails of a network reach
 * each other and the world; nobody sends with addresses that are not his; other networks, the host and the
 * world's new connections stay out.
 */
#include "netjails.h"

#include <net/ethernet.h>

static char *lan_addresses[] = {(char *)"10.77.0.1/24", (char *)"fd77::1/64", NULL};
static char *other_addresses[] = {(char *)"10.78.0.1/24", NULL};
static char *iso_addresses[] = {(char *)"10.79.0.1/24", NULL};
static char *routed_addresses[] = {(char *)"10.80.0.1/24", NULL};

static struct ja_network lan = NETWORK("lan", 0, "aaaaaaaa-0000-4000-8000-000000000001", lan_addresses, "auto");
static struct ja_network other = NETWORK("other", 1, "aaaaaaaa-0000-4000-8000-000000000002", other_addresses, "up0");
static struct ja_network iso = NETWORK("iso", 2, "aaaaaaaa-0000-4000-8000-000000000003", iso_addresses, "auto");
static struct ja_network routed =
    NETWORK("routed", 3, "aaaaaaaa-0000-4000-8000-000000000004", routed_addresses, "none");

static char *web1_addresses[] = {(char *)"10.77.0.2/24", (char *)"fd77::2/64", NULL};
static char *web2_addresses[] = {(char *)"10.77.0.3/24", (char *)"fd77::3/64", NULL};
static char *db_addresses[] = {(char *)"10.78.0.2/24", NULL};
static char *iso1_addresses[] = {(char *)"10.79.0.2/24", NULL};
static char *iso2_addresses[] = {(char *)"10.79.0.3/24", NULL};
static char *open_addresses[] = {(char *)"10.80.0.2/24", NULL};

static struct lab_jail web1 = JAIL("web1", 1, "bbbbbbbb-0000-4000-8000-000000000001", &lan, web1_addresses);
static struct lab_jail web2 = JAIL("web2", 2, "bbbbbbbb-0000-4000-8000-000000000002", &lan, web2_addresses);
static struct lab_jail db = JAIL("db", 3, "bbbbbbbb-0000-4000-8000-000000000003", &other, db_addresses);
static struct lab_jail iso1 = JAIL("iso1", 4, "bbbbbbbb-0000-4000-8000-000000000004", &iso, iso1_addresses);
static struct lab_jail iso2 = JAIL("iso2", 5, "bbbbbbbb-0000-4000-8000-000000000005", &iso, iso2_addresses);
static struct lab_jail open1 = JAIL("open1", 6, "bbbbbbbb-0000-4000-8000-000000000006", &routed, open_addresses);
static struct lab_jail *const jails[] = {&web1, &web2, &db, &iso1, &iso2, &open1};
static struct ja_network *const networks[] = {&lan, &other, &iso, &routed};

/* ---- building ---- */

static int build(void **state)
{
    (void)state;
    make_world();
    for (size_t i = 0; i < JA_COUNT(networks); i++) {
        networks[i]->isolate = networks[i] == &iso;
        assert_true(lab_apply(lab_network_up, networks[i], false) > 0);
    }
    for (size_t i = 0; i < JA_COUNT(jails); i++) {
        jail_init(jails[i]);
        lab_apply(lab_jail_start, &jails[i]->subject, false);
        serve(jails[i]->ns, HTTP);
    }
    serve(world, HTTP);
    serve(NULL, SSH);
    serve(NULL, HTTP);
    await(NULL, "203.0.113.2", HTTP);
    await(NULL, "fd99::2", HTTP);
    await(NULL, "127.0.0.1", HTTP);
    await(NULL, "127.0.0.1", SSH);
    for (size_t i = 0; i < JA_COUNT(jails); i++)
        await(jails[i]->ns, "127.0.0.1", HTTP);
    return 0;
}

/* ---- who reaches whom ---- */

static void jails_of_a_network_reach_each_other(void **state)
{
    (void)state;
    REACHES(web1.ns, "10.77.0.3", HTTP);
    REACHES(web2.ns, "10.77.0.2", HTTP);
    REACHES(web1.ns, "fd77::3", HTTP);
}

static void jails_reach_the_world_under_the_hosts_address(void **state)
{
    (void)state;
    assert_int_equal(reach_as(web1.ns, NULL, "203.0.113.2", HTTP, "203.0.113.1"), 0);
    assert_int_equal(reach_as(web1.ns, NULL, "fd99::2", HTTP, "fd99::1"), 0);
    assert_int_equal(reach_as(db.ns, NULL, "203.0.113.2", HTTP, "203.0.113.1"), 0);
}

static void a_network_without_nat_is_routed_both_ways(void **state)
{
    (void)state;
    assert_int_equal(reach_as(open1.ns, NULL, "203.0.113.2", HTTP, "10.80.0.2"), 0);
    REACHES(world, "10.80.0.2", HTTP);
}

static void the_world_does_not_reach_jails_behind_nat(void **state)
{
    (void)state;
    DENIED(world, "10.77.0.2", HTTP);
    DENIED(world, "fd77::2", HTTP);
}

static void the_host_reaches_its_jails(void **state)
{
    (void)state;
    REACHES(NULL, "10.77.0.2", HTTP);
    REACHES(NULL, "10.79.0.2", HTTP);
    REACHES(NULL, "fd77::2", HTTP);
}

static void networks_do_not_reach_each_other(void **state)
{
    (void)state;
    DENIED(web1.ns, "10.78.0.2", HTTP);
    DENIED(db.ns, "10.77.0.2", HTTP);
    DENIED(web1.ns, "10.80.0.2", HTTP);
    DENIED(open1.ns, "10.77.0.2", HTTP);
}

static void jails_do_not_reach_the_hosts_services(void **state)
{
    (void)state;
    static const char *const addresses[] = {"10.77.0.1", "203.0.113.1", "10.78.0.1", "fd77::1", "fd99::1"};
    for (size_t i = 0; i < JA_COUNT(addresses); i++) {
        DENIED(web1.ns, addresses[i], SSH);
        DENIED(web1.ns, addresses[i], HTTP);
    }
    DENIED(open1.ns, "203.0.113.1", SSH);
    REACHES(world, "203.0.113.1", SSH); /* the host's own policy is not ours */
}

static void a_denied_connection_fails_at_once(void **state)
{
    (void)state;
    assert_int_equal(reach(web1.ns, "10.77.0.1", SSH), 1);
    assert_int_equal(reach(web1.ns, "10.78.0.2", HTTP), 1);
}

static void jails_do_not_reach_what_a_cloud_tells_its_machine(void **state)
{
    (void)state;
    REACHES(NULL, "169.254.169.254", HTTP);
    DENIED(web1.ns, "169.254.169.254", HTTP);
    DENIED(open1.ns, "169.254.169.254", HTTP);
}

static void jails_of_an_isolated_network_reach_only_the_world(void **state)
{
    (void)state;
    DENIED(iso1.ns, "10.79.0.3", HTTP);
    DENIED(iso2.ns, "10.79.0.2", HTTP);
    REACHES(iso1.ns, "203.0.113.2", HTTP);
}

/* ---- who may say what ---- */

/* The gateway answers pings: the one thing of the host beside names. */
static int ping(const void *context)
{
    unsigned char packet[64] = {8, 0, 0, 0, 'j', 'a', 0, 1}, reply[256];
    struct sockaddr_storage to;
    socklen_t length = lab_address(context, 0, &to);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof packet; i += 2)
        sum += (unsigned)(packet[i] << 8 | packet[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    packet[2] = (unsigned char)(~sum >> 8);
    packet[3] = (unsigned char)~sum;
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&to, length) < 0)
        return 1;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (poll(&ready, 1, 300) > 0)
        if (recv(fd, reply, sizeof reply, 0) >= 28 && reply[20] == 0)
            return 0;
    return 2;
}

static void the_gateway_answers_pings(void **state)
{
    (void)state;
    assert_int_equal(lab_in(web1.ns, ping, "10.77.0.1"), 0);
    assert_int_not_equal(lab_in(web1.ns, ping, "203.0.113.1"), 0);
}

/* A frame's parts; the last 8 bytes are always a magic number of its own. */
static void put_mac(unsigned char *to, const char *mac)
{
    assert_int_equal(ja_mac_parse(mac, to), 0);
}

static struct lab_frame frame_begin(const char *to, const char *from, unsigned type)
{
    struct lab_frame frame = {.interface = "eth0", .length = 14};
    put_mac(frame.bytes, to);
    put_mac(frame.bytes + 6, from);
    frame.bytes[12] = (unsigned char)(type >> 8);
    frame.bytes[13] = (unsigned char)type;
    return frame;
}

static void add(struct lab_frame *frame, const void *bytes, size_t count)
{
    memcpy(frame->bytes + frame->length, bytes, count);
    frame->length += count;
}

static void add_address(struct lab_frame *frame, const char *text)
{
    struct ja_addr addr;
    assert_int_equal(ja_addr_parse(text, &addr, NULL), 0);
    add(frame, addr.bytes, addr.v6 ? 16 : 4);
}

static void add_magic(struct lab_frame *frame)
{
    static unsigned number;
    unsigned char magic[8] = {'j', 'a', 0xfe, 0xed, 0, 0, 0, (unsigned char)++number};
    add(frame, magic, sizeof magic);
}

static struct lab_frame udp4(const char *to_mac, const char *from_mac, const char *from, const char *to, int sport,
                             int dport)
{
    struct lab_frame frame = frame_begin(to_mac, from_mac, ETHERTYPE_IP);
    static const unsigned char head[12] = {0x45, 0, 0, 36, 0, 0, 0x40, 0, 64, 17, 0, 0};
    size_t start = frame.length;
    add(&frame, head, sizeof head);
    add_address(&frame, from);
    add_address(&frame, to);
    unsigned sum = 0;
    for (size_t i = start; i < start + 20; i += 2)
        sum += (unsigned)(frame.bytes[i] << 8 | frame.bytes[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    frame.bytes[start + 10] = (unsigned char)(~sum >> 8);
    frame.bytes[start + 11] = (unsigned char)~sum;
    unsigned char udp[8] = {
        (unsigned char)(sport >> 8), (unsigned char)sport, (unsigned char)(dport >> 8), (unsigned char)dport, 0, 16};
    add(&frame, udp, sizeof udp);
    add_magic(&frame);
    return frame;
}

static struct lab_frame arp(const char *to_mac, const char *from_mac, const char *says_mac, const char *says_address)
{
    struct lab_frame frame = frame_begin(to_mac, from_mac, ETHERTYPE_ARP);
    static const unsigned char head[8] = {0, 1, 8, 0, 6, 4, 0, 2};
    unsigned char mac[6];
    add(&frame, head, sizeof head);
    put_mac(mac, says_mac);
    add(&frame, mac, 6);
    add_address(&frame, says_address);
    put_mac(mac, to_mac);
    add(&frame, mac, 6);
    add_address(&frame, "10.77.0.3");
    add_magic(&frame);
    return frame;
}

/* An ICMPv6 message of `type` with a target; what follows it is the magic. Its checksum is not right: bridges
 * do not look. */
static struct lab_frame icmp6(const char *to_mac, const char *from_mac, const char *from, int type, const char *target)
{
    struct lab_frame frame = frame_begin(to_mac, from_mac, ETHERTYPE_IPV6);
    static const unsigned char head[8] = {0x60, 0, 0, 0, 0, 32, 58, 255};
    unsigned char icmp[8] = {(unsigned char)type};
    add(&frame, head, sizeof head);
    add_address(&frame, from);
    add_address(&frame, "ff02::1");
    add(&frame, icmp, sizeof icmp);
    add_address(&frame, target);
    add_magic(&frame);
    return frame;
}

static bool arrives_at(const struct lab_jail *receiver, struct lab_frame frame)
{
    struct lab_frame passes = udp4(receiver->mac, web1.mac, "10.77.0.2", "10.77.0.3", 9, 9);
    return lab_passes(web1.ns, receiver->ns, &frame, &passes);
}

static bool arrives(struct lab_frame frame)
{
    return arrives_at(&web2, frame);
}

static const char *const foreign_mac = "02:00:00:00:00:99", *const everyone = "ff:ff:ff:ff:ff:ff",
                         *const everyone6 = "33:33:00:00:00:01";

static void a_jail_sends_only_with_its_own_addresses(void **state)
{
    (void)state;
    assert_true(arrives(udp4(web2.mac, web1.mac, "10.77.0.2", "10.77.0.3", 7, 7)));
    assert_false(arrives(udp4(web2.mac, foreign_mac, "10.77.0.2", "10.77.0.3", 7, 7)));
    assert_false(arrives(udp4(web2.mac, web2.mac, "10.77.0.2", "10.77.0.3", 7, 7)));
    assert_false(arrives(udp4(web2.mac, web1.mac, "10.77.0.9", "10.77.0.3", 7, 7)));
    assert_false(arrives(udp4(web2.mac, web1.mac, "10.77.0.1", "10.77.0.3", 7, 7)));
    assert_false(arrives(udp4(web2.mac, web1.mac, "8.8.8.8", "10.77.0.3", 7, 7)));
}

static void a_jail_answers_only_for_its_own_addresses(void **state)
{
    (void)state;
    assert_true(arrives(arp(web2.mac, web1.mac, web1.mac, "10.77.0.2")));
    assert_false(arrives(arp(web2.mac, web1.mac, web1.mac, "10.77.0.1")));
    assert_false(arrives(arp(web2.mac, web1.mac, foreign_mac, "10.77.0.2")));
    char link_local[JA_ADDR_TEXT];
    struct ja_addr addr;
    uint8_t mac[6];
    assert_int_equal(ja_mac_parse(web1.mac, mac), 0);
    ja_addr_link_local(mac, &addr);
    ja_addr_format(&addr, false, link_local);
    assert_true(arrives(icmp6(everyone6, web1.mac, "fd77::2", 136, "fd77::2")));
    assert_true(arrives(icmp6(everyone6, web1.mac, link_local, 136, link_local)));
    assert_false(arrives(icmp6(everyone6, web1.mac, "fd77::2", 136, "fd77::1")));
    assert_false(arrives(icmp6(everyone6, web1.mac, link_local, 136, "fd77::9")));
    assert_false(arrives(icmp6(everyone6, web1.mac, "fd77::9", 136, "fd77::2")));
    assert_true(arrives(icmp6(everyone6, web1.mac, "::", 135, "fd77::2")));
    assert_false(arrives(icmp6(everyone6, web1.mac, "::", 135, "fd77::3")));
}

static void a_jail_gives_out_no_routes_and_no_addresses(void **state)
{
    (void)state;
    assert_false(arrives(icmp6(everyone6, web1.mac, "fd77::2", 134, "fd77::2")));
    assert_false(arrives(icmp6(everyone6, web1.mac, "fd77::2", 137, "fd77::2")));
    assert_false(arrives(udp4(web2.mac, web1.mac, "10.77.0.2", "10.77.0.3", 67, 68)));
    assert_false(arrives(udp4(everyone, web1.mac, "0.0.0.0", "255.255.255.255", 68, 67)));
}

static void frames_of_other_kinds_are_dropped(void **state)
{
    (void)state;
    struct lab_frame frame = frame_begin(web2.mac, web1.mac, 0x88cc); /* LLDP */
    add_magic(&frame);
    assert_false(arrives(frame));
    frame = frame_begin(web2.mac, web1.mac, ETHERTYPE_VLAN);
    struct lab_frame inner = udp4(web2.mac, web1.mac, "10.77.0.2", "10.77.0.3", 7, 7);
    static const unsigned char tag[4] = {0, 5, 8, 0};
    add(&frame, tag, 4);
    add(&frame, inner.bytes + 14, inner.length - 14);
    assert_false(arrives(frame));
}

static void nics_that_are_given_their_addresses_may_use_them(void **state)
{
    (void)state;
    static char *dynamic[] = {(char *)"dhcp", (char *)"slaac", NULL};
    struct lab_jail guest = JAIL("guest", 9, "bbbbbbbb-0000-4000-8000-000000000009", &lan, db_addresses);
    guest.nic.assigned = (struct ja_strv){0};
    guest.nic.addresses = (struct ja_strv){dynamic, 2};
    jail_init(&guest);
    lab_apply(lab_jail_start, &guest.subject, false);
    const struct lab_frame frames[] = {
        udp4(everyone, guest.mac, "0.0.0.0", "255.255.255.255", 68, 67),
        udp4(web2.mac, guest.mac, "10.77.0.200", "10.77.0.3", 7, 7),
        icmp6(everyone6, guest.mac, "fd77::200", 136, "fd77::200"),
        udp4(web2.mac, guest.mac, "10.77.0.1", "10.77.0.3", 7, 7),
        icmp6(everyone6, guest.mac, "fd77::200", 136, "fd77::1"),
        udp4(web2.mac, foreign_mac, "10.77.0.200", "10.77.0.3", 7, 7),
    };
    for (size_t i = 0; i < JA_COUNT(frames); i++) {
        struct lab_frame passes = udp4(web2.mac, guest.mac, "10.77.0.200", "10.77.0.3", 9, 9);
        assert_int_equal(lab_passes(guest.ns, web2.ns, &frames[i], &passes), i < 3);
    }
    lab_apply(lab_jail_clean, &guest.subject, false);
}

static void an_interface_without_rules_says_nothing(void **state)
{
    (void)state;
    struct ja_facts facts = {0};
    struct ja_plan plan;
    ja_facts_set(&facts, JA_FACT_TOOL, "crun", "/usr/bin/crun");
    lab_plan(lab_jail_clean, &web1.subject, &facts, &plan);
    struct ja_error err = JA_ERROR_INIT;
    for (size_t i = 0; i < plan.count; i++)
        if (strstr(plan.steps[i]->run.argv.items[0], "/nft"))
            assert_int_equal(lab_run_cmd(&plan.steps[i]->run, &err), 0);
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
    DENIED(web1.ns, "10.77.0.3", HTTP);
    assert_int_equal(lab_program(NULL, NULL, "/usr/sbin/nft", "list", "table", "inet", "jazz", NULL), 0);
}

/* ---- names ---- */

struct question {
    const char *server, *name;
    unsigned char answer[4];
};

/* Asks for an A record. 0: that answer; 1: no such name; 2: no reply; 3: another answer. */
static int resolve(const void *context)
{
    const struct question *question = context;
    unsigned char packet[512] = {'j', 'a', 1, 0, 0, 1}, *at_byte = packet + 12;
    for (const char *label = question->name; *label;) {
        size_t length = strcspn(label, ".");
        *at_byte++ = (unsigned char)length;
        memcpy(at_byte, label, length);
        at_byte += length;
        label += length + (label[length] == '.');
    }
    static const unsigned char tail[5] = {0, 0, 1, 0, 1};
    memcpy(at_byte, tail, sizeof tail);
    at_byte += sizeof tail;
    struct sockaddr_storage to;
    socklen_t size = lab_address(question->server, 53, &to);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (sendto(fd, packet, (size_t)(at_byte - packet), 0, (struct sockaddr *)&to, size) < 0 ||
        poll(&ready, 1, 1000) <= 0)
        return 2;
    ssize_t n = recv(fd, packet, sizeof packet, 0);
    if (n < 12 || (packet[3] & 15) != 0 || packet[7] == 0)
        return n < 12 ? 2 : 1;
    return memmem(packet, (size_t)n, question->answer, 4) ? 0 : 3;
}

/* dnsmasq hears of a file a moment after it was written. */
static int resolves_within(const char *ns, const struct question *question, int wanted)
{
    int64_t deadline = ja_clock_monotonic_ms() + 2000;
    int result;
    while ((result = lab_in(ns, resolve, question)) != wanted && ja_clock_monotonic_ms() < deadline)
        usleep(20000);
    return result;
}

static void names_of_jails_are_known_in_their_network(void **state)
{
    (void)state;
    struct question web2_full = {"10.77.0.1", "web2.lan.internal", {10, 77, 0, 3}};
    struct question web2_short = {"fd77::1", "web2", {10, 77, 0, 3}};
    struct question from_db = {"10.78.0.1", "web2.lan.internal", {10, 77, 0, 3}};
    struct question nobody = {"10.77.0.1", "nobody.lan.internal", {0}};
    assert_int_equal(resolves_within(web1.ns, &web2_full, 0), 0);
    assert_int_equal(resolves_within(web1.ns, &web2_short, 0), 0);
    assert_int_equal(lab_in(web1.ns, resolve, &nobody), 1);
    assert_int_not_equal(lab_in(db.ns, resolve, &from_db), 0);
}

static void names_come_and_go_with_their_jails(void **state)
{
    (void)state;
    struct question late = {"10.77.0.1", "late.lan.internal", {10, 77, 0, 50}};
    static char *late_addresses[] = {(char *)"10.77.0.50/24", NULL};
    struct lab_jail jail = JAIL("late", 10, "bbbbbbbb-0000-4000-8000-00000000000a", &lan, late_addresses);
    jail_init(&jail);
    assert_int_equal(lab_in(web1.ns, resolve, &late), 1);
    lab_apply(lab_jail_start, &jail.subject, false);
    assert_int_equal(resolves_within(web1.ns, &late, 0), 0);
    lab_apply(lab_jail_clean, &jail.subject, false);
    assert_int_equal(resolves_within(web1.ns, &late, 1), 1);
}

/* ---- repair and removal ---- */

static void what_is_up_needs_no_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < JA_COUNT(networks); i++)
        assert_int_equal(lab_apply(lab_network_up, networks[i], false), 0);
}

static void a_start_can_be_undone(void **state)
{
    (void)state;
    static char *addresses[] = {(char *)"10.77.0.60/24", (char *)"fd77::60/64", NULL};
    struct lab_jail jail = JAIL("undone", 11, "bbbbbbbb-0000-4000-8000-00000000000b", &lan, addresses);
    jail_init(&jail);
    ja_autostr struct ja_str before = {0}, after = {0};
    assert_int_equal(lab_program(NULL, &before, "/usr/sbin/nft", "list", "ruleset", NULL), 0);
    assert_int_equal(lab_program(NULL, &before, "/usr/sbin/ip", "neigh", "show", "nud", "permanent", NULL), 0);
    lab_apply(lab_jail_start, &jail.subject, true);
    assert_int_equal(lab_program(NULL, &after, "/usr/sbin/nft", "list", "ruleset", NULL), 0);
    assert_int_equal(lab_program(NULL, &after, "/usr/sbin/ip", "neigh", "show", "nud", "permanent", NULL), 0);
    assert_string_equal(before.text, after.text);
    assert_false(exists(at("run/dns/lan.d/undone")));
}

static void networks_come_back_after_a_flush(void **state)
{
    (void)state;
    assert_int_equal(lab_program(NULL, NULL, "/usr/sbin/nft", "flush", "ruleset", NULL), 0);
    lab_ip("addr del 10.77.0.1/24 dev jazzbr0\nlink set dev jazzbr0 down\n");
    for (size_t i = 0; i < JA_COUNT(networks); i++)
        assert_true(lab_apply(lab_network_up, networks[i], false) > 0);
    for (size_t i = 0; i < JA_COUNT(networks); i++)
        assert_int_equal(lab_apply(lab_network_up, networks[i], false), 0);
}

static void an_address_that_the_host_has_is_refused(void **state)
{
    (void)state;
    static char *clash[] = {(char *)"203.0.0.1/16", NULL};
    struct ja_network bad = NETWORK("bad", 7, "aaaaaaaa-0000-4000-8000-000000000007", clash, "auto");
    struct ja_facts facts = {0};
    struct ja_plan plan;
    lab_plan(lab_network_up, &bad, &facts, &plan);
    assert_int_equal(plan.err.code, JA_E_CONFLICT);
    assert_non_null(strstr(plan.err.what, "up0"));
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
}

static void a_network_with_members_takes_and_returns_them(void **state)
{
    (void)state;
    static char *members[] = {(char *)"phys0", NULL};
    struct ja_network joined = NETWORK("joined", 8, "aaaaaaaa-0000-4000-8000-000000000008", iso_addresses, "auto");
    joined.addresses = (struct ja_strv){0};
    joined.members = (struct ja_strv){members, 1};
    lab_ip("link add phys0 type ifb\naddr add 192.0.2.1/24 dev phys0\n");
    struct ja_facts facts = {0};
    struct ja_plan plan;
    lab_plan(lab_network_up, &joined, &facts, &plan);
    assert_int_equal(plan.err.code, 0);
    assert_int_equal(plan.notes.count, 1);
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
    assert_true(lab_apply(lab_network_up, &joined, true) > 0);
    assert_false(exists("/sys/class/net/jazzbr8"));
    assert_true(lab_apply(lab_network_up, &joined, false) > 0);
    assert_true(exists("/sys/class/net/jazzbr8/brif/phys0"));
    joined.slot = 9;
    lab_plan(lab_network_up, &joined, &facts, &plan);
    assert_int_equal(plan.err.code, JA_E_CONFLICT);
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
    joined.slot = 8;
    lab_apply(lab_network_down, &joined, false);
    assert_false(exists("/sys/class/net/jazzbr8"));
    assert_true(exists("/sys/class/net/phys0"));
    lab_ip("link del phys0\n");
}

static void foreign_interfaces_are_not_removed(void **state)
{
    (void)state;
    static const char *const wrong = "jailadmin somebody else";
    struct ja_error err = JA_ERROR_INIT;
    struct ja_cmd cmd = {0};
    ja_strv_add_all(&cmd.argv, LAB_SELF, "host", "link-remove", "up0", wrong, NULL);
    assert_int_equal(lab_run_cmd(&cmd, &err), JA_E_CONFLICT);
    ja_strv_fini(&cmd.argv);
    ja_strv_add_all(&cmd.argv, LAB_SELF, "host", "link-remove", "jazzbr0", wrong, NULL);
    assert_int_equal(lab_run_cmd(&cmd, &err), JA_E_CONFLICT);
    ja_strv_fini(&cmd.argv);
    ja_strv_add_all(&cmd.argv, LAB_SELF, "host", "link-remove", "nothing0", wrong, NULL);
    assert_int_equal(lab_run_cmd(&cmd, &err), 0);
    ja_strv_fini(&cmd.argv);
}

static void only_our_own_daemon_is_ended(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sleep", "dnsmasq", "60", NULL);
        _exit(1);
    }
    char text[32];
    snprintf(text, sizeof text, "%d\n", (int)pid);
    put_text(at("fake.pid"), text);
    struct ja_error err = JA_ERROR_INIT;
    struct ja_cmd cmd = {0};
    ja_strv_add_all(&cmd.argv, LAB_SELF, "host", "daemon-stop", at("fake.pid"), "dnsmasq", NULL);
    assert_int_equal(lab_run_cmd(&cmd, &err), 0);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(lab_run_cmd(&cmd, &err), 0);
    ja_strv_fini(&cmd.argv);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void nothing_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < JA_COUNT(jails); i++)
        lab_apply(lab_jail_clean, &jails[i]->subject, false);
    lab_apply(lab_network_down, &lan, false);
    assert_false(exists("/sys/class/net/jazzbr0"));
    assert_false(exists(at("run/dns/lan.conf")));
    /* The others are not taken down one by one: the instance goes with all that it has. */
    lab_apply(lab_instance_down, NULL, false);
    ja_autostr struct ja_str links = {0}, tables = {0};
    assert_int_equal(lab_program(NULL, &links, "/usr/sbin/ip", "-br", "link", NULL), 0);
    assert_null(strstr(links.text, "jazz"));
    assert_int_equal(lab_program(NULL, &tables, "/usr/sbin/nft", "list", "tables", NULL), 0);
    assert_true(tables.length == 0);
    assert_int_equal(get_text("/proc/sys/net/ipv4/ip_forward")[0], '0');
    assert_int_equal(get_text("/proc/sys/net/ipv6/conf/all/forwarding")[0], '0');
    assert_int_equal(get_text("/proc/sys/net/ipv6/conf/up0/accept_ra")[0], '1');
    for (size_t i = 0; i < JA_COUNT(networks); i++) {
        char pid[64];
        snprintf(pid, sizeof pid, "run/dns/%s.pid", networks[i]->name);
        assert_false(exists(at(pid)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jails_of_a_network_reach_each_other),
        cmocka_unit_test(jails_reach_the_world_under_the_hosts_address),
        cmocka_unit_test(a_network_without_nat_is_routed_both_ways),
        cmocka_unit_test(the_world_does_not_reach_jails_behind_nat),
        cmocka_unit_test(the_host_reaches_its_jails),
        cmocka_unit_test(networks_do_not_reach_each_other),
        cmocka_unit_test(jails_do_not_reach_the_hosts_services),
        cmocka_unit_test(a_denied_connection_fails_at_once),
        cmocka_unit_test(jails_do_not_reach_what_a_cloud_tells_its_machine),
        cmocka_unit_test(jails_of_an_isolated_network_reach_only_the_world),
        cmocka_unit_test(the_gateway_answers_pings),
        cmocka_unit_test(a_jail_sends_only_with_its_own_addresses),
        cmocka_unit_test(a_jail_answers_only_for_its_own_addresses),
        cmocka_unit_test(a_jail_gives_out_no_routes_and_no_addresses),
        cmocka_unit_test(frames_of_other_kinds_are_dropped),
        cmocka_unit_test(nics_that_are_given_their_addresses_may_use_them),
        cmocka_unit_test(names_of_jails_are_known_in_their_network),
        cmocka_unit_test(names_come_and_go_with_their_jails),
        cmocka_unit_test(what_is_up_needs_no_steps),
        cmocka_unit_test(a_start_can_be_undone),
        cmocka_unit_test(an_interface_without_rules_says_nothing),
        cmocka_unit_test(an_address_that_the_host_has_is_refused),
        cmocka_unit_test(a_network_with_members_takes_and_returns_them),
        cmocka_unit_test(foreign_interfaces_are_not_removed),
        cmocka_unit_test(only_our_own_daemon_is_ended),
        cmocka_unit_test(networks_come_back_after_a_flush),
        cmocka_unit_test(nothing_is_left),
    };
    if (!lab_enter())
        return LAB_SKIP;
    int failed = cmocka_run_group_tests(tests, build, unbuild);
    scratch_teardown(NULL);
    return failed;
}
