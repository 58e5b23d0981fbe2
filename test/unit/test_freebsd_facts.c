/*
 * test_freebsd_facts.c: a FreeBSD host's facts, from what real ones printed (test/data/freebsd), and from output that is cut off,
 * strange or hostile: nothing of it is guessed, and nothing of it passes for absent.
 */
#include "bsdfacts.h"

/* ---- jails ---- */

static void jails_have_path_number_and_state(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "jls -d", .version = versions[i], .file = "jls-n-json"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_JAIL, "web1");
        ja_fact(&facts, JA_FACT_JAIL, "web2");
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 1);
        is(&facts, JA_FACT_JAIL, "web1", "/jails/web1 1 active");
        is(&facts, JA_FACT_JAIL, "web2", NULL);
        assert_int_equal(facts.missing, 0);
        ja_facts_fini(&facts);
    }
}

static struct ja_map parse_jls(const char *text, int expected)
{
    struct ja_map map = {0};
    ja_error_clear(&err);
    assert_int_equal(ja_freebsd_parse_jls(text, &map, &err), expected);
    return map;
}

#define JLS(items) "{\"__version\": \"2\", \"jail-information\": {\"jail\": [" items "]}}"

static void an_active_jail_hides_a_dying_one(void **state)
{
    (void)state;
    struct ja_map map = parse_jls(JLS("{\"jid\":\"3\",\"name\":\"a\",\"path\":\"/j/a b\",\"dying\":true},"
                                      "{\"jid\":\"4\",\"name\":\"a\",\"path\":\"/j/a b\",\"dying\":false},"
                                      "{\"jid\":\"5\",\"name\":\"a\",\"path\":\"/j/a\",\"dying\":true},"
                                      "{\"jid\":6,\"name\":\"d\",\"path\":\"/j/d\",\"dying\":true}"),
                                  0);
    assert_string_equal(ja_map_get(&map, "a"), "/j/a b 4 active");
    assert_string_equal(ja_map_get(&map, "d"), "/j/d 6 dying");
    ja_map_fini(&map);
    map = parse_jls(JLS(""), 0);
    assert_int_equal(map.count, 0);
    ja_map_fini(&map);
}

static void strange_lists_of_jails_are_errors(void **state)
{
    static const char *const bad[] = {
        "",
        "jls: unknown parameter: dying\n",
        "{\"jail-information\": {\"jail\": [{\"jid\":\"3\",\"name\":\"a\",\"path\":\"/j",
        "{\"jail-information\": {}}",
        "[]",
        JLS("{\"jid\":\"3\",\"name\":\"a\",\"dying\":false}"),
        JLS("{\"jid\":\"-3\",\"name\":\"a\",\"path\":\"/\",\"dying\":false}"),
        JLS("{\"jid\":\"\",\"name\":\"a\",\"path\":\"/\",\"dying\":false}"),
        JLS("{\"jid\":\"3\",\"name\":\"a\",\"path\":\"/\",\"dying\":\"perhaps\"}"),
        JLS("{\"jid\":\"3\",\"name\":\"a\",\"path\":\"/\"}"),
        JLS("7"),
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        struct ja_map map = parse_jls(bad[i], JA_E_FAILED);
        ja_map_fini(&map);
    }
}

static void names_that_are_no_text_hide_no_other(void **state)
{
    (void)state;
    struct ja_map map = parse_jls(JLS("{\"jid\":\"3\",\"name\":\"a.\xff\xfe\",\"path\":\"/\xff\",\"dying\":false},"
                                      "{\"jid\":\"4\",\"name\":\"b\",\"path\":\"/j/b\",\"dying\":false}"),
                                  0);
    assert_string_equal(ja_map_get(&map, "b"), "/j/b 4 active");
    ja_map_fini(&map);
}

static void a_jail_runs_when_its_kernel_jail_has_its_path(void **state)
{
    const struct said said[] = {{.command = "jls", .version = "13.2", .file = "jls-n-json"}, {0}};
    struct ja_facts facts = {0};
    (void)state;
    put_text(at("right"), "web1 /jails/web1\n");
    put_text(at("elsewhere"), "web1 /jails/web\n");
    put_text(at("gone"), "web2 /jails/web1\n");
    put_text(at("odd"), "web1");
    char right[512], elsewhere[512], gone[512], odd[512], none[512];
    snprintf(right, sizeof right, "%s", at("right"));
    snprintf(elsewhere, sizeof elsewhere, "%s", at("elsewhere"));
    snprintf(gone, sizeof gone, "%s", at("gone"));
    snprintf(odd, sizeof odd, "%s", at("odd"));
    snprintf(none, sizeof none, "%s", at("none"));
    ja_fact(&facts, JA_FACT_PROCESS, right);
    ja_fact(&facts, JA_FACT_PROCESS, elsewhere);
    ja_fact(&facts, JA_FACT_PROCESS, gone);
    ja_fact(&facts, JA_FACT_PROCESS, odd);
    ja_fact(&facts, JA_FACT_PROCESS, none);
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 1);
    const char *value = ja_fact(&facts, JA_FACT_PROCESS, right);
    assert_non_null(value);
    assert_int_equal(strncmp(value, "1 1", 3), 0);
    is(&facts, JA_FACT_PROCESS, elsewhere, NULL);
    is(&facts, JA_FACT_PROCESS, gone, NULL);
    is(&facts, JA_FACT_PROCESS, odd, NULL);
    is(&facts, JA_FACT_PROCESS, none, NULL);
    ja_facts_fini(&facts);
}

/* ---- mounts, routes ---- */

static void mounts_have_types(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "mount -p", .version = versions[i], .file = "mount-json"}, {0}};
        const struct said cut[] = {{.command = "mount -p", .version = versions[i], .file = "mount-json-cut"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_MOUNT, "/jails/web1/dev");
        ja_fact(&facts, JA_FACT_MOUNT, "/jails/web1");
        assert_int_equal(read_all(&facts, cut), JA_E_FAILED);
        assert_int_equal(facts.missing, 2);
        assert_int_equal(read_all(&facts, said), 0);
        is(&facts, JA_FACT_MOUNT, "/jails/web1/dev", "devfs");
        is(&facts, JA_FACT_MOUNT, "/jails/web1", NULL);
        /* What lies where; only what is there. */
        ja_fact(&facts, JA_FACT_FSTYPE, "/usr");
        ja_fact(&facts, JA_FACT_FSTYPE, "/jails/web1/nothing");
        assert_int_equal(read_all(&facts, said), 0);
        is(&facts, JA_FACT_FSTYPE, "/usr", "other");
        is(&facts, JA_FACT_FSTYPE, "/jails/web1/nothing", NULL);
        ja_facts_fini(&facts);
    }
    struct ja_map map = {0};
    assert_int_equal(ja_freebsd_parse_mount("{\"mount\": {\"fstab\": [{\"mntpoint\":\"/a\\n/b\",\"fstype\":\"ufs\"},"
                                            "{\"mntpoint\":\"/a\",\"fstype\":\"ufs\"},"
                                            "{\"mntpoint\":\"/a\",\"fstype\":\"tmpfs\"}]}}",
                                            &map, NULL, &err),
                     0);
    assert_string_equal(ja_map_get(&map, "/a"), "tmpfs");
    assert_null(ja_map_get(&map, "/b"));
    ja_map_fini(&map);
}

/* A tree seen in a second place; what lies in itself, or is no tree of it, does not count. */
static void trees_are_mounted_elsewhere(void **state)
{
    static const char json[] =
        "{\"mount\": {\"fstab\": ["
        "{\"device\":\"tank/x\",\"mntpoint\":\"/p/root/next\",\"fstype\":\"zfs\"},"
        "{\"device\":\"/p/root/next\",\"mntpoint\":\"/mnt/a b\",\"fstype\":\"nullfs\"},"
        "{\"device\":\"/p/root/old/etc\",\"mntpoint\":\"/mnt/c\",\"fstype\":\"nullfs\",\"opts\":\"ro,nosuid\"},"
        "{\"device\":\"/p/root/next\",\"mntpoint\":\"/p/root/old/x\",\"fstype\":\"nullfs\"},"
        "{\"device\":\"/p/rooted\",\"mntpoint\":\"/mnt/d\",\"fstype\":\"nullfs\"},"
        "{\"device\":\"/p/root/next\",\"mntpoint\":\"/mnt/e\",\"fstype\":\"ufs\"}]}}";
    const struct said said[] = {{.command = "mount -p", .text = json}, {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_BINDS, "/p/root");
    ja_fact(&facts, JA_FACT_BINDS, "/p/vol");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_BINDS, "/p/root", "next\trw\t/mnt/a b\nold/etc\tro\t/mnt/c\n");
    is(&facts, JA_FACT_BINDS, "/p/vol", NULL);
    ja_facts_fini(&facts);
}

static void default_routes_have_interfaces(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "netstat -rn", .version = versions[i], .file = "netstat-json"}, {0}};
        const struct said cut[] = {{.command = "netstat -rn", .version = versions[i], .file = "netstat-json-cut"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_ROUTE, "default");
        ja_fact(&facts, JA_FACT_ROUTE, "default6");
        assert_int_equal(read_all(&facts, cut), JA_E_FAILED);
        assert_int_equal(read_all(&facts, said), 0);
        is(&facts, JA_FACT_ROUTE, "default", NULL); /* that jail has none */
        is(&facts, JA_FACT_ROUTE, "default6", "vnet0");
        ja_facts_fini(&facts);
    }
}

/* ---- neighbours ---- */

static void permanent_neighbours_have_macs(void **state)
{
    const struct said said[] = {{.command = "arp --libxo json -an", .version = "13.2", .file = "arp-json"},
                                {.command = "ndp -an", .version = "13.2", .file = "ndp"},
                                {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_NEIGHBOUR, "10.66.0.2 ja00br0");
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 1); /* only the family that was asked for */
    is(&facts, JA_FACT_NEIGHBOUR, "10.66.0.2 ja00br0", "52:9e:e7:63:6d:bb");
    ja_fact(&facts, JA_FACT_NEIGHBOUR, "10.222.0.1 ja00br1"); /* the host's own */
    ja_fact(&facts, JA_FACT_NEIGHBOUR, "10.222.0.2 ja00br1"); /* it expires */
    ja_fact(&facts, JA_FACT_NEIGHBOUR, "10.66.0.99 ja00br0"); /* nobody answers */
    ja_fact(&facts, JA_FACT_NEIGHBOUR, "10.66.0.2 ja00br1");  /* elsewhere */
    ja_fact(&facts, JA_FACT_NEIGHBOUR, "fd00:222::2 ja00br1");
    ja_fact(&facts, JA_FACT_NEIGHBOUR, "fd00:222::99 ja00br1");
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 2);
    is(&facts, JA_FACT_NEIGHBOUR, "10.222.0.1 ja00br1", "58:9c:fc:10:ff:8d");
    is(&facts, JA_FACT_NEIGHBOUR, "10.222.0.2 ja00br1", NULL);
    is(&facts, JA_FACT_NEIGHBOUR, "10.66.0.99 ja00br0", NULL);
    is(&facts, JA_FACT_NEIGHBOUR, "10.66.0.2 ja00br1", NULL);
    is(&facts, JA_FACT_NEIGHBOUR, "fd00:222::2 ja00br1", "66:99:fc:6d:59:9f");
    is(&facts, JA_FACT_NEIGHBOUR, "fd00:222::99 ja00br1", NULL);
    ja_facts_fini(&facts);
}

static void strange_lists_of_neighbours_are_errors(void **state)
{
    static const char *const texts[] = {"{\"arp\": {\"arp-cache\": [{\"ip-address\":\"10.66.0.2\"}]}}",
                                        "{\"arp\": {\"arp-cache\": [", "{\"arp\": {}}", ""};
    struct ja_map map = {0};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(texts); i++)
        assert_int_equal(ja_freebsd_parse_arp(texts[i], &map, &err), JA_E_FAILED);
    char cut[] = "Neighbor  Linklayer Address  Netif Expire    1s 5s\nfd00::1 58:9c:fc";
    assert_int_equal(ja_freebsd_parse_ndp(cut, &map, &err), JA_E_FAILED);
    char words[] = "fd00::1%em0 (incomplete) em0 23h59m58s S R\nfe80::1%em0 58:9c:fc:10:ff:8d em0 permanent R \n";
    assert_int_equal(ja_freebsd_parse_ndp(words, &map, &err), 0);
    assert_int_equal(map.count, 0);
    ja_map_fini(&map);
}

/* ---- the kernel ---- */

static void settings_are_read_by_one_process(void **state)
{
    const struct said said[] = {{.command = "sysctl -ie", .version = "15.1", .file = "sysctl"}, {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_SYSCTL, "net.inet.ip.forwarding");
    ja_fact(&facts, JA_FACT_SYSCTL, "net.inet.ip.fw.one_pass");
    ja_fact(&facts, JA_FACT_SYSCTL, "kern.racct.enable");
    ja_fact(&facts, JA_FACT_SYSCTL, "-a");
    ja_fact(&facts, JA_FACT_SYSCTL, "net.inet.ip.forwarding=1");
    /* Only what was asked for begins a value: all else would be a further line of it, if sysctl printed that. */
    for (size_t i = 0; i < 2; i++) {
        static const char *const others[] = {"net.inet6.ip6.forwarding", "net.link.bridge.pfil_member"};
        ja_fact(&facts, JA_FACT_SYSCTL, others[i]);
    }
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 1);
    assert_null(strstr(host.commands, "-a"));
    assert_null(strstr(host.commands, "forwarding=1"));
    is(&facts, JA_FACT_SYSCTL, "net.inet.ip.forwarding", "1");
    is(&facts, JA_FACT_SYSCTL, "kern.racct.enable", NULL);
    is(&facts, JA_FACT_SYSCTL, "-a", NULL);
    ja_facts_fini(&facts);
}

static void values_have_lines_and_errors_are_errors(void **state)
{
    struct ja_strv names = {0};
    struct ja_map map = {0};
    (void)state;
    ja_strv_add_all(&names, "kern.version", "kern.x", "kern.xy", NULL);
    char good[] = "kern.version=FreeBSD 13.2\n    root@vm:/usr/obj\n\nsysctl: unknown oid 'kern.x'\nkern.xy=a=b\n";
    assert_int_equal(ja_freebsd_parse_sysctl(good, &names, &map, &err), 0);
    assert_string_equal(ja_map_get(&map, "kern.version"), "FreeBSD 13.2\n    root@vm:/usr/obj");
    assert_null(ja_map_get(&map, "kern.x"));
    assert_string_equal(ja_map_get(&map, "kern.xy"), "a=b");
    char refused[] = "kern.version=1\nsysctl: kern.x: Operation not permitted\n";
    assert_int_equal(ja_freebsd_parse_sysctl(refused, &names, &map, &err), JA_E_FAILED);
    char strange[] = "what is this\n";
    assert_int_equal(ja_freebsd_parse_sysctl(strange, &names, &map, &err), JA_E_FAILED);
    ja_map_fini(&map);
    ja_strv_fini(&names);
}

static void modules_are_files_modules_and_features(void **state)
{
    const struct said said[] = {{.command = "kldstat -v", .version = ".", .file = "kldstat-v"},
                                {.command = "sysctl -e kern.features", .version = "13.2", .file = "sysctl-features"},
                                {0}};
    struct ja_facts facts = {0};
    struct ja_map map = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_MODULE, "if_bridge");
    ja_fact(&facts, JA_FACT_MODULE, "ipfw");
    ja_fact(&facts, JA_FACT_MODULE, "ipfw_nat");
    ja_fact(&facts, JA_FACT_MODULE, "zfs");
    ja_fact(&facts, JA_FACT_MODULE, "vimage");
    ja_fact(&facts, JA_FACT_MODULE, "pf");
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 2);
    is(&facts, JA_FACT_MODULE, "if_bridge", "");
    is(&facts, JA_FACT_MODULE, "ipfw", "");
    is(&facts, JA_FACT_MODULE, "ipfw_nat", NULL);
    is(&facts, JA_FACT_MODULE, "zfs", "");
    is(&facts, JA_FACT_MODULE, "vimage", "");
    is(&facts, JA_FACT_MODULE, "pf", NULL);
    ja_facts_fini(&facts);
    char *seen = load("15.1", "kldstat");
    assert_int_equal(ja_freebsd_parse_kldstat(seen, &map, &err), 0);
    assert_non_null(ja_map_get(&map, "xdr"));
    free(seen);
    char strange[] = "Id Refs Address\nkernel\n";
    assert_int_equal(ja_freebsd_parse_kldstat(strange, &map, &err), JA_E_FAILED);
    char off[] = "kern.features.racct=0\n";
    assert_int_equal(ja_freebsd_parse_features(off, &map, &err), 0);
    assert_null(ja_map_get(&map, "racct"));
    ja_map_fini(&map);
}

static void use_is_that_of_jails(void **state)
{
    const struct said said[] = {{.command = "rctl -u", .version = "13.2", .file = "rctl-u"}, {0}};
    const struct said disabled[] = {
        {.command = "rctl -u",
         .text = "rctl: RACCT/RCTL present, but disabled; enable using kern.racct.enable=1 tunable\n",
         .status = 1},
        {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_USAGE, "a5");
    ja_fact(&facts, JA_FACT_USAGE, "a4");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_USAGE, "a4",
       "cpu-us=91000000 memory=5189632 files=0 processes=2 cpu=60 read-rate=0 write-rate=0");
    is(&facts, JA_FACT_USAGE, "a5",
       "cpu-us=81000000 memory=5189632 files=0 processes=2 cpu=0 read-rate=0 write-rate=0");
    ja_facts_fini(&facts);
    ja_fact(&facts, JA_FACT_USAGE, "a4");
    assert_int_equal(read_all(&facts, disabled), 0);
    is(&facts, JA_FACT_USAGE, "a4", NULL);
    ja_facts_fini(&facts);
    /* Of another number of jails than were asked for, nobody can tell whose is whose. */
    ja_fact(&facts, JA_FACT_USAGE, "a4");
    assert_int_equal(read_all(&facts, said), JA_E_FAILED);
    ja_facts_fini(&facts);
}

static void limits_belong_to_jails(void **state)
{
    const struct said said[] = {{.command = "rctl", .version = "13.2", .file = "rctl"}, {0}};
    const struct said disabled[] = {
        {.command = "rctl",
         .text = "rctl: RACCT/RCTL present, but disabled; enable using kern.racct.enable=1 tunable\n",
         .status = 1},
        {0}};
    const struct said refused[] = {{.command = "rctl", .text = "rctl: Operation not permitted\n", .status = 1}, {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_RCTL, "jail:j1");
    ja_fact(&facts, JA_FACT_RCTL, "jail:j");
    ja_fact(&facts, JA_FACT_RCTL, "user:nobody");
    assert_int_equal(read_all(&facts, refused), JA_E_FAILED);
    assert_non_null(strstr(err.output, "not permitted"));
    assert_string_equal(err.command, "rctl");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_RCTL, "jail:j1",
       "jail:j1:maxproc:deny=8\njail:j1:memoryuse:deny=67108864\njail:j1:pcpu:deny=20\n"
       "jail:j1:readbps:throttle=1048576\njail:j1:vmemoryuse:deny=536870912");
    is(&facts, JA_FACT_RCTL, "jail:j", NULL);
    is(&facts, JA_FACT_RCTL, "user:nobody", NULL);
    ja_facts_fini(&facts);
    ja_fact(&facts, JA_FACT_RCTL, "jail:j1");
    assert_int_equal(read_all(&facts, disabled), 0);
    is(&facts, JA_FACT_RCTL, "jail:j1", NULL);
    ja_facts_fini(&facts);
}

/* ---- daemons ---- */

static void a_daemon_is_its_program_with_its_file(void **state)
{
    char file[512], other[512], question[600], wrong[600], gone[600];
    (void)state;
    put_text(at("dns.pid"), "712\n");
    put_text(at("old.pid"), "713\n");
    snprintf(file, sizeof file, "%s/dns.pid", scratch);
    snprintf(other, sizeof other, "%s/old.pid", scratch);
    char text[2048];
    snprintf(text, sizeof text,
             "    1 /sbin/init\n  712 /usr/local/sbin/dnsmasq --conf-file=/x.conf --pid-file=%s\n  713 vi %s\n"
             "  714 it's \"odd\n",
             file, other);
    const struct said said[] = {{.command = "ps -xww -J 0", .text = text}, {0}};
    struct ja_facts facts = {0};
    snprintf(question, sizeof question, "%s\tdnsmasq", file);
    snprintf(wrong, sizeof wrong, "%s\tdnsmasq", other);
    snprintf(gone, sizeof gone, "%s/none.pid\tdnsmasq", scratch);
    ja_fact(&facts, JA_FACT_DAEMON, question);
    ja_fact(&facts, JA_FACT_DAEMON, wrong);
    ja_fact(&facts, JA_FACT_DAEMON, gone);
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 1);
    is(&facts, JA_FACT_DAEMON, question, "712");
    is(&facts, JA_FACT_DAEMON, wrong, NULL);
    is(&facts, JA_FACT_DAEMON, gone, NULL);
    ja_facts_fini(&facts);
}

/* ---- listeners ---- */

static void who_listens_is_found(void **state)
{
    static const char *const questions[][2] = {
        {"tcp 10.66.0.1 22", "sshd (process 812)"},
        {"tcp fd00::1 22", "sshd (process 812)"},
        {"tcp 10.66.0.1 80", "nginx: wor (process 4711)"},
        {"tcp 10.66.0.2 80", NULL},
        {"udp 10.66.0.1 80", NULL},
        {"tcp * 75-85", "nginx: wor (process 4711)"},
        {"udp * 53", NULL}, /* only on the loopback interface */
        {"udp 127.0.0.1 53", "named (process 900)"},
        {"tcp * 953", NULL},
        {"tcp 10.0.0.1 8080", "java (process 77)"},
        {"tcp fd00::1 8080", "java (process 77)"},
        {"tcp fe80::1 9", "a b (process 78)"},
        {"tcp * 4000", "ntpd (process 90)"},
        {"udp * 123", "the kernel, or a process that is not seen from here"},
        {"udp fd00::1 123", NULL},
        {"tcp * ", NULL},
        {"nonsense", NULL},
    };
    static const char *const files[] = {"sockstat", "sockstat-15"};
    (void)state;
    for (size_t f = 0; f < JA_COUNT(files); f++) {
        const struct said said[] = {{.command = "sockstat -46lw", .version = ".", .file = files[f]}, {0}};
        struct ja_facts facts = {0};
        for (size_t i = 0; i < JA_COUNT(questions); i++)
            ja_fact(&facts, JA_FACT_LISTEN, questions[i][0]);
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 1);
        for (size_t i = 0; i < JA_COUNT(questions); i++)
            is(&facts, JA_FACT_LISTEN, questions[i][0], questions[i][1]);
        ja_facts_fini(&facts);
    }
}

static void strange_lists_of_sockets_are_errors(void **state)
{
    static const char *const bad[] = {"root sshd 812 4 tcp4 *:22",
                                      "root\n",
                                      "\n \n",
                                      "root sshd 812 4 sctp4 *:22 *:*\n",
                                      "root sshd 812 4 tcp *:22 *:*\n",
                                      "root sshd 8\0332 4 tcp4 *:22 *:*\n",
                                      "root sshd 812 4 tcp4 *:x *:*\n",
                                      "root sshd 812 4 tcp4 *:99999 *:*\n",
                                      "root sshd 812 4 tcp4 10.0.0.256:22 *:*\n",
                                      "root sshd 812 4 tcp6 []:22 *:*\n",
                                      "root sshd 812 4 tcp6 [:22 *:*\n",
                                      "root sshd 812 4 tcp6 [::1:22 *:*\n"};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        struct ja_freebsd_listeners listeners = {0};
        char *copy = ja_strdup(bad[i]);
        assert_int_equal(ja_freebsd_parse_sockstat(copy, &listeners, &err), JA_E_FAILED);
        ja_freebsd_listeners_fini(&listeners);
        ja_free(copy);
    }
    /* What a process calls itself reaches no terminal as it is. */
    struct ja_freebsd_listeners listeners = {0};
    char text[] = "root \033[31m 1 3 tcp4 *:80 *:*\n";
    assert_int_equal(ja_freebsd_parse_sockstat(text, &listeners, &err), 0);
    assert_null(strchr(listeners.items[0].who, '\033'));
    ja_freebsd_listeners_fini(&listeners);
}

/* ---- files ---- */

static void trees_begin_with_rc(void **state)
{
    const struct said said[] = {{0}};
    struct ja_facts facts = {0};
    char tree[512], none[512], link[512], user[600];
    (void)state;
    snprintf(tree, sizeof tree, "%s", at("tree"));
    snprintf(none, sizeof none, "%s", at("empty"));
    snprintf(link, sizeof link, "%s", at("hostile"));
    snprintf(user, sizeof user, "%s\twww", tree);
    assert_false(mkdir(tree, 0755) || mkdir(none, 0755) || mkdir(link, 0755));
    assert_false(mkdir(at("tree/etc"), 0755) || mkdir(at("hostile/etc"), 0755) || mkdir(at("hostile/etc/rc"), 0755));
    put_text(at("tree/etc/rc"), "#!/bin/sh\n");
    put_text(at("tree/etc/passwd"), "root:*:0:0::/root:/bin/sh\nwww:*:80:80::/nonexistent:/usr/sbin/nologin\n");
    ja_fact(&facts, JA_FACT_INIT, tree);
    ja_fact(&facts, JA_FACT_INIT, none);
    ja_fact(&facts, JA_FACT_INIT, link);
    ja_fact(&facts, JA_FACT_USERFILE, user);
    ja_fact(&facts, JA_FACT_PATH, tree);
    ja_fact(&facts, JA_FACT_TOOL, "sh");
    ja_fact(&facts, JA_FACT_CGROUPS, "");
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 0);
    is(&facts, JA_FACT_INIT, tree, "rc");
    is(&facts, JA_FACT_INIT, none, NULL);
    is(&facts, JA_FACT_INIT, link, NULL);
    is(&facts, JA_FACT_USERFILE, user, "80 80 /nonexistent /usr/sbin/nologin");
    is(&facts, JA_FACT_PATH, tree, "dir");
    assert_non_null(ja_fact(&facts, JA_FACT_TOOL, "sh"));
    is(&facts, JA_FACT_CGROUPS, "", NULL);
    assert_int_equal(facts.missing, 0);
    ja_facts_fini(&facts);
}

/* ---- everything cut off everywhere ---- */

/* Every beginning of every real output: an error, or what a shorter list says; never a crash. Under a sanitizer this finds
 * reads beyond the end. */
static void every_beginning_of_real_output_is_harmless(void **state)
{
    static const char *const names[] = {"ifconfig",   "ipfw-S-list", "ipfw-table-info", "ipfw-nat-config", "kldstat",
                                        "mount-json", "jls-n-json",  "netstat-json",    "sysctl-features"};
    (void)state;
    for (size_t n = 0; n < JA_COUNT(names); n++) {
        char *text = load("15.1", names[n]);
        for (size_t length = strlen(text); length-- > 0;) {
            struct ja_map map = {0};
            struct ja_freebsd_links links = {0};
            struct ja_freebsd_listeners listeners = {0};
            char *copy;
            int rc = 0;
            for (int parser = 0; parser < 9; parser++) {
                copy = ja_strndup(text, length);
                rc = parser == 0   ? ja_freebsd_parse_ifconfig(copy, &links, &err)
                     : parser == 1 ? ja_freebsd_parse_ipfw_rules(copy, &map, &err)
                     : parser == 2 ? ja_freebsd_parse_ipfw_tables(copy, &map, &err)
                     : parser == 3 ? ja_freebsd_parse_ipfw_entries(copy, &map, &err)
                     : parser == 4 ? ja_freebsd_parse_ipfw_nats(copy, &map, &err)
                     : parser == 5 ? ja_freebsd_parse_kldstat(copy, &map, &err)
                     : parser == 6 ? ja_freebsd_parse_sockstat(copy, &listeners, &err)
                     : parser == 7 ? ja_freebsd_parse_rctl(copy, &map, &err)
                                   : ja_freebsd_parse_jls(copy, &map, &err);
                assert_true(rc == 0 || rc == JA_E_FAILED);
                ja_free(copy);
            }
            ja_map_fini(&map);
            ja_freebsd_links_fini(&links);
            ja_freebsd_listeners_fini(&listeners);
        }
        free(text);
    }
}

/* ---- memory runs out ---- */

static void ask_everything(struct ja_facts *facts)
{
    static const char *const names[] = {"if_bridge", "vimage"};
    ask_ipfw(facts);
    ask_pf(facts);
    ja_fact(facts, JA_FACT_JAIL, "web1");
    ja_fact(facts, JA_FACT_LINK, "jabr1");
    ja_fact(facts, JA_FACT_HOSTADDR, "10.66.0.1");
    ja_fact(facts, JA_FACT_HOSTNETS, "");
    ja_fact(facts, JA_FACT_MOUNT, "/jails/web1/dev");
    ja_fact(facts, JA_FACT_ROUTE, "default6");
    ja_fact(facts, JA_FACT_NEIGHBOUR, "10.66.0.2 ja00br0");
    ja_fact(facts, JA_FACT_NEIGHBOUR, "fd00:222::2 ja00br1");
    ja_fact(facts, JA_FACT_MODULE, names[0]);
    ja_fact(facts, JA_FACT_MODULE, names[1]);
    ja_fact(facts, JA_FACT_RCTL, "jail:j1");
    ja_fact(facts, JA_FACT_LISTEN, "tcp * 80");
    ja_fact(facts, JA_FACT_SYSCTL, "net.inet.ip.forwarding");
    ja_fact(facts, JA_FACT_TOOL, "sh");
    ja_fact(facts, JA_FACT_PATH, "/");
}

static void running_out_of_memory_is_an_error(void **state)
{
    const struct said said[] = {{.command = "jls", .version = "15.1", .file = "jls-n-json"},
                                {.command = "ifconfig", .version = "15.1", .file = "ifconfig"},
                                {.command = "mount", .version = "15.1", .file = "mount-json"},
                                {.command = "netstat", .version = "15.1", .file = "netstat-json"},
                                {.command = "arp", .version = "13.2", .file = "arp-json"},
                                {.command = "ndp", .version = "13.2", .file = "ndp"},
                                {.command = "kldstat", .version = ".", .file = "kldstat-v"},
                                {.command = "sysctl -e kern", .version = "15.1", .file = "sysctl-features"},
                                {.command = "sysctl", .text = "net.inet.ip.forwarding=1\n"},
                                {.command = "ipfw -S list", .version = "15.1", .file = "ipfw-S-list"},
                                {.command = "ipfw table all info", .version = "15.1", .file = "ipfw-table-info"},
                                {.command = "ipfw table all list", .version = "15.1", .file = "ipfw-table-list"},
                                {.command = "ipfw nat", .version = "15.1", .file = "ipfw-nat-config"},
                                {.command = "pfctl -s info", .version = "15.1", .file = "pfctl-info"},
                                {.command = "pfctl -s", .version = "13.2", .file = "pfctl-main-nat"},
                                {.command = "pfctl -a jailadmin -s", .version = "15.1", .file = "pfctl-anchors"},
                                {.command = "pfctl -a jailadmin/lan", .version = "15.1", .file = "pfctl-anchor-nat"},
                                {.command = "rctl", .version = "13.2", .file = "rctl"},
                                {.command = "sockstat", .version = ".", .file = "sockstat"},
                                {0}};
    bool failed = true;
    (void)state;
    for (long k = 0; failed; k++) {
        struct ja_facts facts = {0};
        ask_everything(&facts);
        ja_alloc_fail_after(k);
        int rc = read_all(&facts, said);
        failed = ja_alloc_fail_after(-1) < 0;
        if (failed && rc == 0)
            fail_msg("allocation %ld failed, and nobody noticed", k);
        if (rc != 0)
            assert_int_equal(rc, JA_E_NOMEM);
        if (!failed) {
            assert_int_equal(rc, 0);
            assert_int_equal(facts.missing, 0);
        }
        ja_facts_fini(&facts);
        assert_true(k < 20000);
    }
}
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jails_have_path_number_and_state),
        cmocka_unit_test(an_active_jail_hides_a_dying_one),
        cmocka_unit_test(strange_lists_of_jails_are_errors),
        cmocka_unit_test(names_that_are_no_text_hide_no_other),
        cmocka_unit_test_setup_teardown(a_jail_runs_when_its_kernel_jail_has_its_path, scratch_setup, scratch_teardown),
        cmocka_unit_test(mounts_have_types),
        cmocka_unit_test(trees_are_mounted_elsewhere),
        cmocka_unit_test(default_routes_have_interfaces),
        cmocka_unit_test(permanent_neighbours_have_macs),
        cmocka_unit_test(strange_lists_of_neighbours_are_errors),
        cmocka_unit_test(settings_are_read_by_one_process),
        cmocka_unit_test(values_have_lines_and_errors_are_errors),
        cmocka_unit_test(modules_are_files_modules_and_features),
        cmocka_unit_test(use_is_that_of_jails),
        cmocka_unit_test(limits_belong_to_jails),
        cmocka_unit_test_setup_teardown(a_daemon_is_its_program_with_its_file, scratch_setup, scratch_teardown),
        cmocka_unit_test(who_listens_is_found),
        cmocka_unit_test(strange_lists_of_sockets_are_errors),
        cmocka_unit_test_setup_teardown(trees_begin_with_rc, scratch_setup, scratch_teardown),
        cmocka_unit_test(every_beginning_of_real_output_is_harmless),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    if (argc != 2)
        return 2;
    data = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
