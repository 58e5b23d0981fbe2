/*
 * test_freebsd_net.c: facts of a FreeBSD host's network: interfaces, bridges, ipfw and pf; see test_freebsd_facts.c.
 */
#include "bsdfacts.h"

/* ---- interfaces ---- */

static void one_ifconfig_answers_for_all_interfaces(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "ifconfig -a", .version = versions[i], .file = "ifconfig"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_LINK, "jabr1");
        ja_fact(&facts, JA_FACT_LINK, "ja17n0");
        ja_fact(&facts, JA_FACT_LINK, "epair17b");
        ja_fact(&facts, JA_FACT_LINK, "javx42");
        ja_fact(&facts, JA_FACT_LINK, "epair17a");
        ja_fact(&facts, JA_FACT_PORTS, "jabr1");
        ja_fact(&facts, JA_FACT_PORTS, "ja17n0");
        ja_fact(&facts, JA_FACT_HOSTADDR, "10.66.0.1");
        ja_fact(&facts, JA_FACT_HOSTADDR, "fd66:0::1");
        ja_fact(&facts, JA_FACT_HOSTADDR, "10.66.0.2");
        ja_fact(&facts, JA_FACT_HOSTADDR, "no address");
        ja_fact(&facts, JA_FACT_HOSTNETS, "");
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 1);
        is(&facts, JA_FACT_LINK, "jabr1", "jailadmin network lan");
        is(&facts, JA_FACT_LINK, "ja17n0", "jailadmin web1 on lan");
        is(&facts, JA_FACT_LINK, "epair17b", "");
        is(&facts, JA_FACT_LINK, "javx42", "");
        is(&facts, JA_FACT_LINK, "epair17a", NULL);
        is(&facts, JA_FACT_PORTS, "jabr1", "1");
        is(&facts, JA_FACT_PORTS, "ja17n0", NULL);
        is(&facts, JA_FACT_HOSTADDR, "10.66.0.1", "jabr1");
        is(&facts, JA_FACT_HOSTADDR, "fd66:0::1", "jabr1");
        is(&facts, JA_FACT_HOSTADDR, "10.66.0.2", NULL);
        is(&facts, JA_FACT_HOSTADDR, "no address", NULL);
        const char *nets = ja_fact(&facts, JA_FACT_HOSTNETS, "");
        assert_non_null(strstr(nets, "10.66.0.1/16 jabr1\n"));
        assert_non_null(strstr(nets, "fd66::1/64 jabr1\n"));
        assert_non_null(strstr(nets, "127.0.0.1/8 lo0\n"));
        assert_non_null(strstr(nets, "10.66.0.18/32 vnet0\n"));
        ja_facts_fini(&facts);
    }
}

static int parse_ifconfig(const char *text, struct ja_freebsd_links *links)
{
    char *copy = ja_strdup(text);
    *links = (struct ja_freebsd_links){0};
    ja_error_clear(&err);
    int rc = ja_freebsd_parse_ifconfig(copy, links, &err);
    ja_free(copy);
    return rc;
}

#define HEAD(name) name ": flags=8863<UP,BROADCAST> metric 0 mtu 1500\n"

static void span_ports_count(void **state)
{
    struct ja_freebsd_links links;
    (void)state;
    char *text = load("15.1", "ifconfig-span");
    assert_int_equal(parse_ifconfig(text, &links), 0);
    assert_string_equal(ja_map_get(&links.ports, "jabr1"), "2");
    ja_freebsd_links_fini(&links);
    free(text);
    assert_int_equal(parse_ifconfig(HEAD("br0") "\tid 0 priority 1 hellotime 2 fwddelay 15\n", &links), 0);
    assert_string_equal(ja_map_get(&links.ports, "br0"), "0");
    ja_freebsd_links_fini(&links);
    assert_int_equal(parse_ifconfig("", &links), 0);
}

static void addresses_are_read_in_all_their_forms(void **state)
{
    struct ja_freebsd_links links;
    (void)state;
    assert_int_equal(parse_ifconfig(HEAD("a0") "\tinet 10.0.0.1 --> 10.0.0.2 netmask 0xffffffff\n"
                                               "\tinet 10.1.0.1 netmask 255.255.240.0 broadcast 10.1.15.255\n"
                                               "\tinet 10.2.0.1/23 broadcast 10.2.1.255\n"
                                               "\tinet 10.3.0.1 netmask 0x0 vhid 3\n"
                                               "\tinet6 fe80::1%a0/64 scopeid 0x1\n"
                                               "\tinet6 2001:db8::1 prefixlen 128 deprecated\n",
                                    &links),
                     0);
    assert_string_equal(links.nets.text, "10.0.0.1/32 a0\n10.1.0.1/20 a0\n10.2.0.1/23 a0\n10.3.0.1/0 a0\n"
                                         "fe80::1/64 a0\n2001:db8::1/128 a0\n");
    ja_freebsd_links_fini(&links);
}

static void unreadable_addresses_and_cut_text_are_errors(void **state)
{
    static const char *const bad[] = {
        HEAD("a0") "\tinet 10.0.0.1\n",
        HEAD("a0") "\tinet 10.0.0.1 netmask 0xff00ff00\n",
        HEAD("a0") "\tinet 10.0.0.1 netmask\n",
        HEAD("a0") "\tinet 10.0.0.300 netmask 0xff000000\n",
        HEAD("a0") "\tinet6 10.0.0.1 prefixlen 64\n",
        HEAD("a0") "\tinet6 fd00::1 prefixlen 200\n",
        HEAD("a0") "\tinet6 fd00::1 prefixlen x\n",
        HEAD("a0") "\tinet \n",
        HEAD("a0") "\tinet 10.0.0.1 netm",
        "a0: flags=88",
    };
    struct ja_freebsd_links links;
    (void)state;
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        assert_int_equal(parse_ifconfig(bad[i], &links), JA_E_FAILED);
        ja_freebsd_links_fini(&links);
    }
}

static void an_interface_with_a_hostile_name_is_nobody(void **state)
{
    struct ja_freebsd_links links;
    (void)state;
    /* Names of 15 bytes, as a jail may leave them: "\nlo9: flags=1<", "\tinet 10.9.9.9", "\tmember: xyzzy", "x ja7f3n0". */
    assert_int_equal(
        parse_ifconfig(
            HEAD("ja7f3n0") "\tdescription: ours\n" HEAD("\nlo9: flags=1<") "\tinet 10.9.9.1 netmask 0xff000000\n" HEAD("\tinet 10.9.9.9") "\tdescription: 1\n" HEAD("br0") "\tid 0 priority 1 hellotime 2\n" HEAD(
                "\tmember: xyzzy") "\tdescription: 2\n" HEAD("x ja7f3n9") "\tdescription: 3\n" HEAD("\n") "\tdescription: 4\n" HEAD("name.of.sixteen1") "\tdescription: 5\n" HEAD("z0") "\tdescription: z\n",
            &links),
        0);
    assert_string_equal(ja_map_get(&links.descriptions, "ja7f3n0"), "ours");
    assert_string_equal(ja_map_get(&links.descriptions, "br0"), "");
    assert_string_equal(ja_map_get(&links.descriptions, "z0"), "z");
    assert_int_equal(links.descriptions.count, 3);
    assert_string_equal(ja_map_get(&links.ports, "br0"), "0");
    assert_int_equal(links.addresses.count, 0);
    ja_freebsd_links_fini(&links);
}

static void two_interfaces_of_one_name_are_not_ours(void **state)
{
    struct ja_freebsd_links links;
    (void)state;
    assert_int_equal(parse_ifconfig(HEAD("vnet0") "\tdescription: one\n" HEAD("vnet0") "\tdescription: two\n", &links),
                     0);
    assert_string_equal(ja_map_get(&links.descriptions, "vnet0"), "");
    ja_freebsd_links_fini(&links);
}

/* ---- members of bridges, names of interfaces ---- */

static void bridges_have_members(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "ifconfig -a", .version = versions[i], .file = "ifconfig-span"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_MEMBER, "jabr1 ja1n0");
        ja_fact(&facts, JA_FACT_MEMBER, "jabr1 epair2a");
        ja_fact(&facts, JA_FACT_MEMBER, "jabr1 epair3a");
        ja_fact(&facts, JA_FACT_LINKS, "jab");
        ja_fact(&facts, JA_FACT_LINKS, "nosuch");
        assert_int_equal(read_all(&facts, said), 0);
        is(&facts, JA_FACT_MEMBER, "jabr1 ja1n0", "");
        is(&facts, JA_FACT_MEMBER, "jabr1 epair2a", "span");
        is(&facts, JA_FACT_MEMBER, "jabr1 epair3a", NULL);
        is(&facts, JA_FACT_LINKS, "jab", "jabr1\n");
        is(&facts, JA_FACT_LINKS, "nosuch", NULL);
        ja_facts_fini(&facts);
    }
}

static void isolated_members_are_private(void **state)
{
    const struct said said[] = {{.command = "ifconfig -a", .version = "13.2", .file = "ifconfig-private"}, {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_MEMBER, "ja00br1 ja003n0");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_MEMBER, "ja00br1 ja003n0", "private");
    ja_facts_fini(&facts);
}

/* ---- ipfw ---- */

static void ipfw_tells_rules_tables_and_nat(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {
            {.command = "ipfw -S list", .version = versions[i], .file = "ipfw-S-list"},
            {.command = "ipfw table all info", .version = versions[i], .file = "ipfw-table-info"},
            {.command = "ipfw table all list", .version = versions[i], .file = "ipfw-table-list"},
            {.command = "ipfw nat show", .version = versions[i], .file = "ipfw-nat-config"},
            {0}};
        struct ja_facts facts = {0};
        ask_ipfw(&facts);
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 4);
        is(&facts, JA_FACT_IPFW, "rule 100", "set 17 count ip from any to any");
        is(&facts, JA_FACT_IPFW, "rule 20010", "set 17 nat 17 ip from table(janat) to any out xmit vtnet0");
        is(&facts, JA_FACT_IPFW, "rule 65535", "set 31 allow ip from any to any");
        is(&facts, JA_FACT_IPFW, "rule 20030", NULL);
        is(&facts, JA_FACT_IPFW, "table janat", "addr");
        is(&facts, JA_FACT_IPFW, "table other", NULL);
        is(&facts, JA_FACT_IPFW, "table janat 10.66.0.0/16", "0");
        is(&facts, JA_FACT_IPFW, "table janat 10.67.0.0/16", NULL);
        is(&facts, JA_FACT_IPFW, "nat 17",
           "if vtnet0 same_ports unreg_only reset redirect_port udp 10.66.0.21:53 5353 redirect_port tcp 10.66.0.21:80 8080");
        is(&facts, JA_FACT_IPFW, "nat 18", NULL);
        ja_facts_fini(&facts);
    }
}

static void without_ipfw_nothing_is_there(void **state)
{
    const struct said off[] = {
        {.command = "ipfw", .text = "ipfw: retrieving config failed: Protocol not available\n", .status = 71}, {0}};
    const struct said none[] = {{.command = "ipfw", .code = JA_E_NOTFOUND}, {0}};
    const struct said denied[] = {{.command = "ipfw", .text = "ipfw: socket: Operation not permitted\n", .status = 69},
                                  {0}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ja_facts facts = {0};
        ask_ipfw(&facts);
        assert_int_equal(read_all(&facts, denied), JA_E_FAILED);
        assert_true(facts.missing > 0);
        assert_int_equal(read_all(&facts, i ? off : none), 0);
        is(&facts, JA_FACT_IPFW, "rule 100", NULL);
        is(&facts, JA_FACT_IPFW, "nat 17", NULL);
        ja_facts_fini(&facts);
    }
}

static void rules_that_share_a_number_share_their_proof(void **state)
{
    struct ja_map map = {0};
    (void)state;
    char text[] = "00100 set 17 count ip from any to any\n00100 set 17 allow ip from any to any\n"
                  "# DISABLED 00200 set 5 deny ip from any to any \n00300 set 17 count ip from any to any\n"
                  "00300 set 1 count ip from any to any // set 17\n00300 set 17 count ip from me to any\n";
    assert_int_equal(ja_freebsd_parse_ipfw_rules(text, &map, &err), 0);
    assert_string_equal(ja_map_get(&map, "rule 100"),
                        "set 17 count ip from any to any\nset 17 allow ip from any to any");
    assert_string_equal(ja_map_get(&map, "rule 200"), "set 5 deny ip from any to any");
    assert_string_equal(ja_map_get(&map, "rule 300"), "several sets");
    ja_map_fini(&map);
}

static void strange_lists_of_ipfw_are_errors(void **state)
{
    struct ja_map map = {0};
    (void)state;
    char rule[] = "00100 count ip from any to any\n", entry[] = "10.0.0.0/8 0\n", table[] = "--- table(a) ---\n";
    char nat[] = "nat 17 config\n", word[] = "--- table(a), set(0) ---\nx\n";
    assert_int_equal(ja_freebsd_parse_ipfw_rules(rule, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_ipfw_entries(entry, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_ipfw_entries(word, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_ipfw_tables(table, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_ipfw_nats(nat, &map, &err), JA_E_FAILED);
    char good[] = "--- table(a), set(0) ---\nFD00:0::/64 7 \nem0 2\n--- table(b), set(0) ---\n10.0.0.5/32 0\n";
    assert_int_equal(ja_freebsd_parse_ipfw_entries(good, &map, &err), 0);
    assert_string_equal(ja_map_get(&map, "table a fd00::/64"), "7");
    assert_string_equal(ja_map_get(&map, "table a em0"), "2");
    assert_null(ja_map_get(&map, "table a 10.0.0.5/32"));
    ja_map_fini(&map);
}

static void an_entry_is_found_without_its_length(void **state)
{
    const struct said said[] = {
        {.command = "ipfw table all info", .text = "--- table(b), set(0) ---\n kindex: 1, type: addr\n"},
        {.command = "ipfw table all list", .text = "--- table(b), set(0) ---\n10.0.0.5/32 0\n"},
        {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_IPFW, "table b 10.0.0.5");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_IPFW, "table b 10.0.0.5", "0");
    ja_facts_fini(&facts);
}

static void all_rules_are_told_in_one(void **state)
{
    const struct said said[] = {{.command = "ipfw -S list",
                                 .text = "00100 set 17 count ip from any to any\n00100 set 0 deny ip from any to me\n"
                                         "65535 count ip from any to any not // orphaned dynamic states counter\n"
                                         "65535 set 31 allow ip from any to any \n"},
                                {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_IPFW, "rules");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_IPFW, "rules",
       "100 set 17 count ip from any to any\n100 set 0 deny ip from any to me\n65535 set 31 allow ip from any to any\n");
    ja_facts_fini(&facts);
}

/* ---- tables with values, of interfaces and of addresses ---- */

static void entries_of_all_tables_have_values(void **state)
{
    const struct said said[] = {
        {.command = "ipfw table all info", .text = "--- table(ja00nics), set(0) ---\n kindex: 1, type: iface\n"},
        {.command = "ipfw table all list", .version = "13.2", .file = "ipfw-table-list-ours"},
        {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_IPFW, "table ja00nics");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00nics ja002n0");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00src fd00:2::3/128");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00src 10.66.0.2");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00gw 192.168.2.1/32");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00any ja002n0");
    ja_fact(&facts, JA_FACT_IPFW, "entries ja00nets");
    ja_fact(&facts, JA_FACT_IPFW, "entries ja00any");
    ja_fact(&facts, JA_FACT_IPFW, "entries ja00natted"); /* the last one */
    ja_fact(&facts, JA_FACT_IPFW, "entries ja00nothing");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_IPFW, "table ja00nics", "iface");
    is(&facts, JA_FACT_IPFW, "table ja00nics ja002n0", "10002");
    is(&facts, JA_FACT_IPFW, "table ja00src fd00:2::3/128", "10003");
    is(&facts, JA_FACT_IPFW, "table ja00src 10.66.0.2", "10000");
    is(&facts, JA_FACT_IPFW, "table ja00gw 192.168.2.1/32", "40001");
    is(&facts, JA_FACT_IPFW, "table ja00any ja002n0", NULL);
    is(&facts, JA_FACT_IPFW, "entries ja00nets", "10.66.0.0/16\n192.168.2.0/24\nfd00:2::/64\n");
    is(&facts, JA_FACT_IPFW, "entries ja00any", "");
    is(&facts, JA_FACT_IPFW, "entries ja00natted", "");
    is(&facts, JA_FACT_IPFW, "entries ja00nothing", NULL);
    ja_facts_fini(&facts);
}

/* ---- pf ---- */

/* A jail's anchor and a network's; what has the same beginning is another one. */
static void pf_tells_its_state_and_our_anchors(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {
            {.command = "pfctl -s info", .version = versions[i], .file = "pfctl-info"},
            {.command = "pfctl -s nat", .version = "13.2", .file = "pfctl-main-nat"},
            {.command = "pfctl -s rules", .version = "13.2", .file = "pfctl-main-rules"},
            {.command = "pfctl -a jailadmin -s Anchors", .version = versions[i], .file = "pfctl-anchors"},
            {.command = "pfctl -a jailadmin/lan -P -s nat", .version = versions[i], .file = "pfctl-anchor-nat"},
            {.command = "pfctl -a jailadmin/lan -P -s rules", .text = ""},
            {0}};
        struct ja_facts facts = {0};
        ask_pf(&facts);
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 6);
        is(&facts, JA_FACT_PF, "status", "Disabled");
        is(&facts, JA_FACT_PF, "main nat-anchor", "");
        is(&facts, JA_FACT_PF, "main rdr-anchor", "");
        is(&facts, JA_FACT_PF, "main anchor", "");
        is(&facts, JA_FACT_PF, "anchors", "lan\n");
        is(&facts, JA_FACT_PF, "anchor la", NULL);
        is(&facts, JA_FACT_PF, "anchor lan",
           "nat on vtnet0 inet from <ja> to any -> (vtnet0)\n"
           "rdr pass on vtnet0 inet proto tcp from any to (vtnet0) port = http-alt -> 10.66.0.21 port 80\n");
        ja_facts_fini(&facts);
    }
}

static void all_of_an_anchor_is_told_in_one(void **state)
{
    const struct said said[] = {
        {.command = "pfctl -a jailadmin -s Anchors", .text = "  jailadmin/ja7f3\n  jailadmin/ja7fbr0\n"},
        {.command = "pfctl -a jailadmin/ja7fbr0 -P -s nat", .version = "13.2", .file = "pfctl-network-nat"},
        {.command = "pfctl -a jailadmin/ja7fbr0 -P -s rules", .version = "13.2", .file = "pfctl-network-rules"},
        {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_PF, "anchor ja7fbr0");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_PF, "anchor ja7fbr0",
       "nat on epair5a inet from 10.77.0.0/24 to any -> (epair5a:0)\n"
       "nat on epair5a inet6 from fd77::/64 to any -> (epair5a:0)\n"
       "block drop in quick on epair5a inet from any to 10.77.0.0/24\n"
       "block drop in quick on ! lo0 inet from ! 10.77.0.0/24 to 10.77.0.0/24\n");
    ja_facts_fini(&facts);
}

/* Not loaded, no such program, nobody has made an anchor; and what is no answer. */
static void without_pf_nothing_is_there(void **state)
{
    const struct said off[] = {{.command = "pfctl", .text = "pfctl: /dev/pf: No such file or directory\n", .status = 1},
                               {0}};
    const struct said none[] = {{.command = "pfctl", .code = JA_E_NOTFOUND}, {0}};
    const struct said bare[] = {
        {.command = "pfctl -s info", .text = "Status: Enabled for 0 days 00:00:02           Debug: Urgent\n"},
        {.command = "pfctl -s", .text = "No ALTQ support in kernel\nALTQ related functions disabled\n"},
        {.command = "pfctl -a jailadmin -s",
         .text = "pfctl: DIOCGETRULESETS: No such file or directory\n",
         .status = 1},
        {0}};
    const struct said bare15[] = {
        {.command = "pfctl -s info", .text = "Status: Enabled for 0 days 00:00:02           Debug: Urgent\n"},
        {.command = "pfctl -s", .text = ""},
        {.command = "pfctl -a jailadmin -s", .text = "pfctl: Anchor does not exist.\n", .status = 1},
        {0}};
    const struct said denied[] = {{.command = "pfctl", .text = "pfctl: /dev/pf: Permission denied\n", .status = 1},
                                  {0}};
    const struct said *all[] = {off, none, bare, bare15, denied};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(all); i++) {
        struct ja_facts facts = {0};
        ask_pf(&facts);
        assert_int_equal(read_all(&facts, all[i]), i == 4 ? JA_E_FAILED : 0);
        if (i < 4) {
            is(&facts, JA_FACT_PF, "status", i >= 2 ? "Enabled" : NULL);
            is(&facts, JA_FACT_PF, "main anchor", NULL);
            is(&facts, JA_FACT_PF, "anchors", NULL);
            is(&facts, JA_FACT_PF, "anchor lan", NULL);
        }
        ja_facts_fini(&facts);
    }
}

static void strange_lists_of_pf_are_errors(void **state)
{
    char info[] = "pf is well\n", anchors[] = "jailadmin/lan\n", rules[] = "pfctl: DIOCGETRULE: Device busy\n";
    struct ja_map map = {0};
    struct ja_str text = {0};
    (void)state;
    ja_error_clear(&err);
    assert_int_equal(ja_freebsd_parse_pf_info(info, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_pf_anchors(anchors, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_pf_rules(rules, &text, &err), JA_E_FAILED);
    assert_int_equal(map.count, 0);
    ja_map_fini(&map);
    ja_str_fini(&text);
}
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_ifconfig_answers_for_all_interfaces),
        cmocka_unit_test(span_ports_count),
        cmocka_unit_test(addresses_are_read_in_all_their_forms),
        cmocka_unit_test(unreadable_addresses_and_cut_text_are_errors),
        cmocka_unit_test(an_interface_with_a_hostile_name_is_nobody),
        cmocka_unit_test(two_interfaces_of_one_name_are_not_ours),
        cmocka_unit_test(ipfw_tells_rules_tables_and_nat),
        cmocka_unit_test(without_ipfw_nothing_is_there),
        cmocka_unit_test(rules_that_share_a_number_share_their_proof),
        cmocka_unit_test(strange_lists_of_ipfw_are_errors),
        cmocka_unit_test(an_entry_is_found_without_its_length),
        cmocka_unit_test(all_rules_are_told_in_one),
        cmocka_unit_test(pf_tells_its_state_and_our_anchors),
        cmocka_unit_test(all_of_an_anchor_is_told_in_one),
        cmocka_unit_test(without_pf_nothing_is_there),
        cmocka_unit_test(strange_lists_of_pf_are_errors),
        cmocka_unit_test(bridges_have_members),
        cmocka_unit_test(isolated_members_are_private),
        cmocka_unit_test(entries_of_all_tables_have_values),
    };
    if (argc != 2)
        return 2;
    data = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
