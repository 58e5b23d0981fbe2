/*
 * test_netlife.c: networks over time: jails with several nics, addresses that the gateway gives out, names in both
 * directions, changes while jails run, repair of what somebody removed, other people's firewalls, the limits of a bridge,
 * and settings of the host that several instances need.
 */
#include "netjails.h"

#include "host/linux/network.h"

#define BATCH "/usr/sbin/ip", "-batch", "-", NULL

static char *lan_addresses[] = {(char *)"10.77.0.1/24", (char *)"fd77::1/64", NULL};
static char *other_addresses[] = {(char *)"10.78.0.1/24", NULL};
static struct ja_network lan = NETWORK("lan", 0, "aaaaaaaa-0000-4000-8000-000000000001", lan_addresses, "auto");
static struct ja_network other = NETWORK("other", 1, "aaaaaaaa-0000-4000-8000-000000000002", other_addresses, "auto");

static char *web_addresses[] = {(char *)"10.77.0.2/24", (char *)"fd77::2/64", NULL};
static char *db_addresses[] = {(char *)"10.78.0.2/24", NULL};
static struct lab_jail web = JAIL("web", 1, "bbbbbbbb-0000-4000-8000-000000000001", &lan, web_addresses);
static struct lab_jail db = JAIL("db", 2, "bbbbbbbb-0000-4000-8000-000000000002", &other, db_addresses);

/* A jail that asks for its addresses. What they came to is what `create` would have reserved. */
static char *asked[] = {(char *)"dhcp", (char *)"slaac", NULL};
static char *guest_addresses[] = {(char *)"10.77.0.9/24", (char *)"fd77::ff:fe00:9/64", NULL};
static struct lab_jail guest = JAIL("guest", 3, "bbbbbbbb-0000-4000-8000-000000000003", &lan, guest_addresses);

/* A jail between two networks. */
static char *both_lan[] = {(char *)"10.77.0.10/24", (char *)"10.77.0.11/24", (char *)"fd77::10/64", NULL};
static char *both_other[] = {(char *)"10.78.0.10/24", NULL};
static struct ja_nic both_nics[] = {
    {.label = (char *)"eth0", .network = (char *)"lan", .assigned = {both_lan, 3}, .gateway = true},
    {.label = (char *)"back0",
     .network = (char *)"other",
     .assigned = {both_other, 1},
     .mac = (char *)"02:00:5e:10:00:01",
     .gateway = true}};
static struct ja_route both_routes[] = {{(char *)"192.0.2.0/24", (char *)"10.78.0.2"},
                                        {(char *)"2001:db8::/32", (char *)"fd77::2"}};
static void *both_nic_list[] = {&both_nics[0], &both_nics[1]}, *both_route_list[] = {&both_routes[0], &both_routes[1]};
static const struct ja_network *both_networks[] = {&lan, &other};
static struct ja_jail both = {.name = (char *)"both",
                              .uuid = (char *)"bbbbbbbb-0000-4000-8000-000000000004",
                              .slot = 4,
                              .be = (char *)"default",
                              .nics = {both_nic_list, 2},
                              .routes = {both_route_list, 2}};
static struct ja_subject both_subject = {.jail = &both, .networks = both_networks};
static char both_ns[320];

static int build(void **state)
{
    (void)state;
    make_world();
    lan.dhcp = true;
    guest.nic.mac = (char *)"02:00:00:00:00:09";
    guest.nic.addresses = (struct ja_strv){asked, 2};
    put_text("/proc/sys/net/ipv6/conf/up0/accept_ra", "1");
    assert_true(lab_apply(lab_network_up, &lan, false) > 0);
    assert_true(lab_apply(lab_network_up, &other, false) > 0);
    struct lab_jail *const jails[] = {&web, &db, &guest};
    for (size_t i = 0; i < JA_COUNT(jails); i++) {
        jail_init(jails[i]);
        lab_apply(lab_jail_start, &jails[i]->subject, false);
        serve(jails[i]->ns, HTTP);
    }
    lab_apply(lab_jail_start, &both_subject, false);
    snprintf(both_ns, sizeof both_ns, "%s/jails/4/ns/net", lab_site.run);
    serve(both_ns, HTTP);
    serve(world, HTTP);
    await(web.ns, "127.0.0.1", HTTP);
    await(db.ns, "127.0.0.1", HTTP);
    await(both_ns, "127.0.0.1", HTTP);
    await(NULL, "203.0.113.2", HTTP);
    return 0;
}

/* What a program prints in a network namespace. The text is void with the next call. */
static const char *inside(const char *ns, const char *a, const char *b, const char *c, const char *d)
{
    static struct ja_str text;
    char net[340];
    ja_str_fini(&text);
    snprintf(net, sizeof net, "--net=%s", ns);
    assert_int_equal(lab_program(NULL, &text, "/usr/bin/nsenter", net, "/usr/sbin/ip", a, b, c, d, NULL), 0);
    return text.text ? text.text : "";
}

/* ---- several nics ---- */

static void a_jail_may_have_several_nics_and_addresses(void **state)
{
    (void)state;
    REACHES(web.ns, "10.77.0.10", HTTP);
    REACHES(web.ns, "10.77.0.11", HTTP);
    REACHES(web.ns, "fd77::10", HTTP);
    REACHES(db.ns, "10.78.0.10", HTTP);
    assert_int_equal(reach_as(both_ns, "10.77.0.11", "10.77.0.2", HTTP, "10.77.0.11"), 0);
    REACHES(both_ns, "10.78.0.2", HTTP);
    REACHES(both_ns, "203.0.113.2", HTTP);
    assert_non_null(strstr(inside(both_ns, "link", "show", "back0", NULL), "02:00:5e:10:00:01"));
    /* It joins its networks for itself alone. */
    DENIED(db.ns, "10.77.0.10", HTTP);
}

static void routes_are_the_first_nics_and_further_ones(void **state)
{
    (void)state;
    assert_non_null(strstr(inside(both_ns, "route", "show", NULL, NULL), "default via 10.77.0.1 dev eth0"));
    assert_non_null(strstr(inside(both_ns, "route", "show", NULL, NULL), "192.0.2.0/24 via 10.78.0.2 dev back0"));
    assert_non_null(strstr(inside(both_ns, "-6", "route", "show", NULL), "2001:db8::/32 via fd77::2 dev eth0"));
    assert_non_null(strstr(inside(both_ns, "neigh", "show", "nud", "permanent"), "10.77.0.1 dev eth0"));
}

/* ---- addresses that are asked for ---- */

static void the_gateway_gives_out_reserved_addresses(void **state)
{
    (void)state;
    char net[340], script[256];
    snprintf(net, sizeof net, "--net=%s", guest.ns);
    snprintf(script, sizeof script, "#!/bin/sh\n[ \"$1\" = bound ] && echo $ip $mask $router $dns $domain >%s\n",
             at("lease"));
    put_text(at("ask"), script);
    chmod(at("ask"), 0755);
    assert_null(strstr(inside(guest.ns, "-4", "addr", NULL, NULL), "10.77.0.9"));
    if (access("/bin/busybox", X_OK) < 0)
        skip();
    assert_int_equal(lab_program(NULL, NULL, "/usr/bin/nsenter", net, "/bin/busybox", "udhcpc", "-i", "eth0", "-n",
                                 "-q", "-t", "5", "-T", "1", "-s", at("ask"), NULL),
                     0);
    assert_string_equal(get_text(at("lease")), "10.77.0.9 24 10.77.0.1 10.77.0.1 lan.internal\n");
}

static void the_gateway_advertises_its_prefix_to_who_asks(void **state)
{
    (void)state;
    int64_t deadline = ja_clock_monotonic_ms() + 8000;
    while (!strstr(inside(guest.ns, "-6", "addr", NULL, NULL), "fd77::ff:fe00:9/64")) {
        assert_true(ja_clock_monotonic_ms() < deadline);
        usleep(50000);
    }
    assert_non_null(strstr(inside(guest.ns, "-6", "route", NULL, NULL), "default via fe80::"));
    await(guest.ns, "fd77::2", HTTP);
    /* A jail that was given its addresses has no others by it. */
    assert_null(strstr(inside(web.ns, "-6", "addr", NULL, NULL), "dynamic"));
}

static void a_forgotten_address_is_no_longer_given(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "run/dns/lan.dhcp/guest");
    assert_string_equal(get_text(at(path)), "02:00:00:00:00:09,10.77.0.9\n");
    lab_apply(lab_jail_clean, &guest.subject, false);
    assert_false(exists(at(path)));
    lab_apply(lab_jail_start, &guest.subject, false);
    assert_true(exists(at(path)));
}

/* ---- names ---- */

struct question {
    const char *server, *name;
    int type;
    const char *answer; /* bytes that it must hold */
    size_t length;
};

/* 0: that answer; 1: no such name; 2: no reply; 3: another answer. */
static int resolve(const void *context)
{
    const struct question *question = context;
    unsigned char packet[512] = {'j', 'a', 1, 0, 0, 1}, *end = packet + 12;
    for (const char *label = question->name; *label;) {
        size_t length = strcspn(label, ".");
        *end++ = (unsigned char)length;
        memcpy(end, label, length);
        end += length;
        label += length + (label[length] == '.');
    }
    const unsigned char tail[5] = {0, 0, (unsigned char)question->type, 0, 1};
    memcpy(end, tail, sizeof tail);
    end += sizeof tail;
    struct sockaddr_storage to;
    socklen_t size = lab_address(question->server, 53, &to);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (sendto(fd, packet, (size_t)(end - packet), 0, (struct sockaddr *)&to, size) < 0 || poll(&ready, 1, 1000) <= 0)
        return 2;
    ssize_t n = recv(fd, packet, sizeof packet, 0);
    if (n < 12 || (packet[3] & 15) != 0 || packet[7] == 0)
        return n < 12 ? 2 : 1;
    return memmem(packet + 12, (size_t)n - 12, question->answer, question->length) ? 0 : 3;
}

static int resolves_within(const char *ns, const struct question *question, int wanted)
{
    int64_t deadline = ja_clock_monotonic_ms() + 3000;
    int result;
    while ((result = lab_in(ns, resolve, question)) != wanted && ja_clock_monotonic_ms() < deadline)
        usleep(20000);
    return result;
}

static void names_are_known_both_ways(void **state)
{
    (void)state;
    enum { A = 1, PTR = 12, AAAA = 28 };
    static const char six[16] = {(char)0xfd, 0x77, [15] = 2};
    const struct question questions[] = {
        {"10.77.0.1", "web.lan.internal", A, "\x0a\x4d\x00\x02", 4},
        {"fd77::1", "web.lan.internal", AAAA, six, 16},
        {"10.77.0.1", "2.0.77.10.in-addr.arpa", PTR, "\003web\003lan\010internal", 17},
        {"10.77.0.1", "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa", PTR, "\003web", 4},
    };
    for (size_t i = 0; i < JA_COUNT(questions); i++)
        assert_int_equal(resolves_within(web.ns, &questions[i], 0), 0);
    /* Nobody else is asked for addresses of the network. */
    const struct question unknown = {"10.77.0.1", "200.0.77.10.in-addr.arpa", PTR, "", 0};
    assert_int_equal(lab_in(web.ns, resolve, &unknown), 1);
}

static void plan_start(struct ja_planning *p, const void *object)
{
    ja_host_linux.jail_start(p, object);
}

/* What a start writes as resolv.conf when the host has these files; "" for nothing. */
static const char *resolver_of(const char *resolv, const char *systemd, bool dnsmasq, size_t *ret_notes)
{
    static char text[512];
    struct ja_facts facts = {0};
    struct ja_plan plan;
    struct lab_jail jail = web;
    jail_init(&jail);
    jail.jail.slot = 50;
    ja_facts_set(&facts, JA_FACT_TOOL, "dnsmasq", dnsmasq ? "/usr/sbin/dnsmasq" : NULL);
    ja_facts_set(&facts, JA_FACT_TOOL, "crun", "/usr/bin/crun");
    ja_facts_set(&facts, JA_FACT_TOOL, "catatonit", "/usr/bin/catatonit");
    ja_facts_set(&facts, JA_FACT_FILE, "/etc/resolv.conf", resolv);
    ja_facts_set(&facts, JA_FACT_FILE, "/run/systemd/resolve/resolv.conf", systemd);
    ja_facts_set(&facts, JA_FACT_FILE, "/run/NetworkManager/no-stub-resolv.conf", NULL);
    char tree[400], filter[400];
    snprintf(filter, sizeof filter, "%s/seccomp.bpf", lab_site.state);
    ja_facts_set(&facts, JA_FACT_PATH, filter, "file");
    snprintf(filter, sizeof filter, "%s/seccomp.json", lab_site.state);
    ja_facts_set(&facts, JA_FACT_PATH, filter, "file");
    snprintf(tree, sizeof tree, "%s/jails/web/root/default\tetc/.", lab_site.pool);
    ja_facts_set(&facts, JA_FACT_TREEFILE, tree, "dir");
    lab_plan(plan_start, &jail.subject, &facts, &plan);
    text[0] = '\0';
    for (size_t i = 0; i < plan.count; i++) {
        const struct ja_strv *argv = &plan.steps[i]->run.argv;
        if (strcmp(argv->items[argv->count - 1], "etc/resolv.conf") == 0)
            snprintf(text, sizeof text, "%s", plan.steps[i]->run.input);
    }
    *ret_notes = plan.notes.count;
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
    return text;
}

static void no_jail_gets_a_resolver_that_only_the_host_reaches(void **state)
{
    (void)state;
    static const char stub[] = "nameserver 127.0.0.53\noptions edns0\n";
    size_t notes;
    assert_string_equal(resolver_of(stub, NULL, true, &notes), "nameserver 10.77.0.1\nsearch lan.internal\n");
    assert_int_equal(notes, 0);
    assert_string_equal(resolver_of(stub, "nameserver 192.0.2.53\nnameserver 2001:db8::53\n", false, &notes),
                        "nameserver 192.0.2.53\nnameserver 2001:db8::53\n");
    assert_string_equal(resolver_of("nameserver ::1\nnameserver 198.51.100.1\n", NULL, false, &notes),
                        "nameserver 198.51.100.1\n");
    assert_null(strstr(resolver_of(stub, "nameserver 127.0.0.1\n", false, &notes), "nameserver"));
    assert_int_equal(notes, 1);
}

/* ---- changes and repair ---- */

struct change {
    const struct ja_network *from, *to;
    const struct ja_subject *from_jails, *to_jails;
    size_t count;
};

static void change_network(struct ja_planning *p, const void *object)
{
    const struct change *change = object;
    ja_host_linux.network_change(p, change->from, change->to, change->from_jails, change->to_jails, change->count);
}

/* All that the host has of the networks. */
static char *everything(void)
{
    struct ja_str text = {0};
    assert_int_equal(lab_program(NULL, &text, "/usr/sbin/nft", "list", "ruleset", NULL), 0);
    assert_int_equal(lab_program(NULL, &text, "/usr/sbin/ip", "-br", "addr", NULL), 0);
    assert_int_equal(lab_program(NULL, &text, "/usr/sbin/ip", "-o", "link", NULL), 0);
    ja_str_add(&text, get_text(at("run/dns/lan.conf")));
    return ja_str_take(&text);
}

static void a_network_changes_while_its_jails_run(void **state)
{
    (void)state;
    struct ja_network to = lan;
    to.nat = (char *)"none";
    to.isolate = true;
    to.domain = (char *)"example.org";
    const struct ja_network *to_networks[] = {&to, &other};
    struct ja_subject from_jails[] = {web.subject, both_subject};
    struct ja_subject to_jails[] = {{.jail = &web.jail, .networks = to_networks},
                                    {.jail = &both, .networks = to_networks}};
    struct change change = {&lan, &to, from_jails, to_jails, 2}, back = {&to, &lan, to_jails, from_jails, 2};
    ja_autofree char *before = everything();
    REACHES(web.ns, "10.77.0.10", HTTP);
    lab_apply(change_network, &change, true);
    ja_autofree char *undone = everything();
    assert_string_equal(before, undone);
    lab_apply(change_network, &change, false);
    DENIED(web.ns, "10.77.0.10", HTTP);
    /* Routed: under its own address, to which the world knows the way. */
    assert_int_equal(reach_as(web.ns, NULL, "203.0.113.2", HTTP, "10.77.0.2"), 0);
    const struct question renamed = {"10.77.0.1", "web.example.org", 1, "\x0a\x4d\x00\x02", 4};
    assert_int_equal(resolves_within(web.ns, &renamed, 0), 0);
    lab_apply(change_network, &back, false);
    REACHES(web.ns, "10.77.0.10", HTTP);
    assert_int_equal(reach_as(web.ns, NULL, "203.0.113.2", HTTP, "203.0.113.1"), 0);
    ja_autofree char *after = everything();
    assert_string_equal(before, after);
}

static void repair_pair(struct ja_planning *p, const void *object)
{
    const struct lab_jail *jail = object;
    ja_linux_nics_repair(p, &jail->subject, jail->ns);
    ja_linux_nic_rules_repair(p, &jail->subject);
    ja_dns_names_add(p, &jail->subject);
}

static void repair_rules(struct ja_planning *p, JA_UNUSED const void *object)
{
    ja_linux_rules_restore(p);
}

static void repair_all(void)
{
    lab_apply(repair_rules, NULL, false);
    lab_apply(lab_network_up, &lan, false);
    lab_apply(lab_network_up, &other, false);
    lab_apply(repair_pair, &web, false);
    lab_apply(repair_pair, &db, false);
}

static void what_is_there_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(lab_apply(repair_rules, NULL, false), 0);
    assert_int_equal(lab_apply(lab_network_up, &lan, false), 0);
    assert_int_equal(lab_apply(repair_pair, &web, false), 0);
    assert_int_equal(lab_apply(repair_pair, &db, false), 0);
}

static void what_somebody_removed_is_made_again(void **state)
{
    (void)state;
    static const char *const damages[][6] = {
        {"/usr/sbin/nft", "flush", "ruleset", NULL},
        {"/usr/sbin/nft", "flush", "table", "inet", "jazz", NULL},
        {"/usr/sbin/nft", "flush", "table", "bridge", "jazz", NULL},
        {"/usr/sbin/nft", "flush", "set", "bridge", "jazz", "nics"},
        {"/usr/sbin/ip", "link", "del", "jazzbr0", NULL},
        {"/usr/sbin/ip", "link", "del", "jazz1n0", NULL},
        {"/usr/sbin/ip", "link", "set", "jazz1n0", "nomaster"},
        {"/usr/sbin/ip", "link", "set", "jazz1n0", "down"},
        {"/usr/sbin/ip", "link", "set", "jazzbr0", "down"},
        {"/usr/sbin/ip", "neigh", "flush", "dev", "jazzbr0", "nud"},
    };
    for (size_t i = 0; i < JA_COUNT(damages); i++) {
        const char *const *word = damages[i];
        assert_int_equal(lab_program(NULL, NULL, word[0], word[1], word[2], word[3], word[4],
                                     word[4] && word[3] ? word[5] : NULL,
                                     word[5] && strcmp(word[5], "nud") == 0 ? "permanent" : NULL, NULL),
                         0);
        repair_all();
        what_is_there_is_left_alone(NULL);
        await(web.ns, "203.0.113.2", HTTP);
        await(NULL, "10.77.0.2", HTTP);
        await(NULL, "fd77::2", HTTP);
    }
    lab_apply(repair_pair, &guest, false);
}

/* ---- other people's firewalls ---- */

static void find_firewall(struct ja_planning *p, JA_UNUSED const void *object)
{
    ja_linux_firewall_note(p);
}

/* The note that a start would show with these rules of somebody else; "" for none. */
static const char *note_with(const char *rules)
{
    static char note[1024];
    struct ja_facts facts = {0};
    struct ja_plan plan;
    assert_int_equal(lab_program(rules, NULL, "/usr/sbin/nft", "-f", "-", NULL), 0);
    lab_plan(find_firewall, NULL, &facts, &plan);
    snprintf(note, sizeof note, "%s", plan.notes.count ? plan.notes.items[0] : "");
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
    return note;
}

static void foreign_firewalls_are_named_with_their_remedy(void **state)
{
    (void)state;
    static const char drop[] =
        "table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }\n";
    static const char gone[] = "delete table ip filter\n";
    char text[512];
    assert_string_equal(note_with("\n"), "");
    assert_non_null(strstr(note_with(drop), "the FORWARD chain of iptables"));
    DENIED(web.ns, "203.0.113.2", HTTP);
    assert_non_null(strstr(note_with("add chain ip filter DOCKER-USER\n"), "iptables -I DOCKER-USER -i jazzbr+"));
    /* The remedy is what silences it, since it is what lets packets pass. */
    assert_string_equal(note_with("insert rule ip filter FORWARD iifname \"jazzbr*\" accept\n"
                                  "insert rule ip filter FORWARD oifname \"jazzbr*\" accept\n"),
                        "");
    REACHES(web.ns, "203.0.113.2", HTTP);
    snprintf(text, sizeof text, "%s%sadd chain ip filter ufw-user-forward\n", gone, drop);
    assert_non_null(strstr(note_with(text), "ufw route allow"));
    snprintf(
        text, sizeof text,
        "%stable inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; policy accept; reject; }; }\n",
        gone);
    assert_non_null(strstr(note_with(text), "firewall-cmd"));
    snprintf(text, sizeof text,
             "delete table inet firewalld\n"
             "table inet mine { chain through { type filter hook forward priority 5; policy drop; }; }\n");
    assert_non_null(strstr(note_with(text), "nft insert rule inet mine through"));
    assert_string_equal(note_with("delete table inet mine\n"), "");
}

/* ---- limits ---- */

static int fill_bridge(JA_UNUSED const void *context)
{
    ja_autostr struct ja_str text = {0};
    if (unshare(CLONE_NEWNET) < 0)
        return 90;
    ja_str_add(&text, "link add name br type bridge\n");
    /* Both ends of a pair are ports. */
    for (int i = 0; i < 512; i++)
        ja_str_addf(&text, "link add a%d type veth peer name b%d\n", i, i);
    for (int i = 0; i < 1023; i++)
        ja_str_addf(&text, "link set dev %c%d master br\n", i % 2 ? 'b' : 'a', i / 2);
    if (lab_program(text.text, NULL, BATCH) != 0)
        return 91;
    struct ja_cmd cmd = {.input = (char *)"link set dev b511 master br\n"};
    struct ja_error err = JA_ERROR_INIT;
    ja_strv_add_all(&cmd.argv, "/usr/sbin/ip", "-batch", "-", NULL);
    int rc = lab_run_cmd(&cmd, &err);
    ja_strv_fini(&cmd.argv);
    return rc < 0 && strstr(err.what, "no port left; Linux allows 1023") ? 0 : 92;
}

static void a_bridge_has_1023_ports(void **state)
{
    (void)state;
    assert_int_equal(lab_in(NULL, fill_bridge, NULL), 0);
}

static void a_full_bridge_is_refused_before_anything_is_done(void **state)
{
    (void)state;
    struct ja_facts facts = {0};
    struct ja_plan plan;
    static char *addresses[] = {(char *)"10.77.0.40/24", NULL};
    struct lab_jail jail = JAIL("late", 40, "bbbbbbbb-0000-4000-8000-000000000028", &lan, addresses);
    jail_init(&jail);
    ja_facts_set(&facts, JA_FACT_TOOL, "crun", "/usr/bin/crun");
    ja_facts_set(&facts, JA_FACT_TOOL, "catatonit", "/usr/bin/catatonit");
    ja_facts_set(&facts, JA_FACT_PORTS, "jazzbr0", "1022");
    lab_plan(lab_jail_start, &jail.subject, &facts, &plan);
    assert_int_equal(plan.err.code, 0);
    ja_plan_fini(&plan);
    ja_facts_set(&facts, JA_FACT_PORTS, "jazzbr0", "1023");
    lab_plan(lab_jail_start, &jail.subject, &facts, &plan);
    assert_int_equal(plan.err.code, JA_E_LIMIT);
    assert_non_null(strstr(plan.err.what, "1023"));
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
}

/* ---- the end ---- */

static void settings_stay_while_another_instance_needs_them(void **state)
{
    (void)state;
    static char *third_addresses[] = {(char *)"10.79.0.1/24", (char *)"fd79::1/64", NULL};
    struct ja_network third = NETWORK("third", 0, "aaaaaaaa-0000-4000-8000-000000000003", third_addresses, "auto");
    static const char ra[] = "/proc/sys/net/ipv6/conf/up0/accept_ra", six[] = "/proc/sys/net/ipv6/conf/all/forwarding";
    third.dns = false;
    assert_int_equal(get_text(ra)[0], '2');
    memcpy(lab_site.tag, "zy", 3);
    assert_true(lab_apply(lab_network_up, &third, false) > 0);
    memcpy(lab_site.tag, "zz", 3);
    struct lab_jail *const jails[] = {&web, &db, &guest};
    for (size_t i = 0; i < JA_COUNT(jails); i++)
        lab_apply(lab_jail_clean, &jails[i]->subject, false);
    lab_apply(lab_jail_clean, &both_subject, false);
    lab_apply(lab_instance_down, NULL, false);
    assert_int_equal(get_text(ra)[0], '2');
    assert_int_equal(get_text(six)[0], '1');
    memcpy(lab_site.tag, "zy", 3);
    lab_apply(lab_instance_down, NULL, false);
    memcpy(lab_site.tag, "zz", 3);
    assert_int_equal(get_text(ra)[0], '1');
    assert_int_equal(get_text(six)[0], '0');
    ja_autostr struct ja_str links = {0}, tables = {0};
    assert_int_equal(lab_program(NULL, &links, "/usr/sbin/ip", "-br", "link", NULL), 0);
    assert_null(strstr(links.text, "jaz"));
    assert_int_equal(lab_program(NULL, &tables, "/usr/sbin/nft", "list", "tables", NULL), 0);
    assert_true(tables.length == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jail_may_have_several_nics_and_addresses),
        cmocka_unit_test(routes_are_the_first_nics_and_further_ones),
        cmocka_unit_test(the_gateway_gives_out_reserved_addresses),
        cmocka_unit_test(the_gateway_advertises_its_prefix_to_who_asks),
        cmocka_unit_test(a_forgotten_address_is_no_longer_given),
        cmocka_unit_test(names_are_known_both_ways),
        cmocka_unit_test(no_jail_gets_a_resolver_that_only_the_host_reaches),
        cmocka_unit_test(a_network_changes_while_its_jails_run),
        cmocka_unit_test(what_is_there_is_left_alone),
        cmocka_unit_test(what_somebody_removed_is_made_again),
        cmocka_unit_test(foreign_firewalls_are_named_with_their_remedy),
        cmocka_unit_test(a_bridge_has_1023_ports),
        cmocka_unit_test(a_full_bridge_is_refused_before_anything_is_done),
        cmocka_unit_test(settings_stay_while_another_instance_needs_them),
    };
    if (!lab_enter())
        return LAB_SKIP;
    int failed = cmocka_run_group_tests(tests, build, unbuild);
    scratch_teardown(NULL);
    return failed;
}
